//! Streaming past a record that is too large: its length and its hash are all that is kept.

use sha2::{Digest, Sha256};

use super::super::{Batch, Broken, Framing, Unit, UnitKind};
use super::{Cutter, State};
use crate::json::skip_space;

/// A record that is streamed past.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) start: u64,
    pub(super) line: u64,
    pub(super) bytes: u64,
    pub(super) hash: Sha256,
    /// It ends where its line does.
    pub(super) by_line: bool,
    /// It ends where its value does: brackets open, and whether inside a string and behind a
    /// backslash.
    pub(super) value: Option<(usize, bool, bool)>,
    /// What follows an element.
    pub(super) around: Option<usize>,
}

impl Cutter {
    pub(super) fn begin_past(&mut self) {
        let start = skip_space(&self.buffer, self.at);
        let around = match self.state {
            State::List { around } => Some(around),
            _ => None,
        };
        let first = self.buffer.get(start).copied();
        let by_line = around.is_none() && self.framing != Framing::Json && !self.laid_out(start);
        let value = match first {
            Some(b'{' | b'[' | b'"') if self.framing != Framing::Lines => Some((0, false, false)),
            _ => None,
        };
        let by_line = by_line || value.is_none();
        self.at = start;
        self.drop_front();
        (self.at, self.searched, self.retry) = (0, 0, 0);
        let past =
            Past { start: self.base, line: self.line, bytes: 0, hash: Sha256::new(), by_line, value, around };
        self.state = State::Past(past);
    }

    /// Streams past a record that is too large; its batch when it has ended.
    pub(super) fn stream_past(&mut self) -> Option<Batch> {
        let State::Past(past) = &mut self.state else {
            return None;
        };
        let line_end = past.by_line.then(|| memchr::memchr(b'\n', &self.buffer)).flatten();
        let line = &self.buffer[..line_end.unwrap_or(self.buffer.len())];
        let end = past.value.as_mut().and_then(|value| value_goes_on(line, value)).or(line_end);
        let taken = end.unwrap_or(self.buffer.len());
        past.hash.update(&self.buffer[..taken]);
        past.bytes += taken as u64;
        let done = end.is_some() || self.ended;
        let finished = done.then(|| Batch {
            input: self.input,
            base: past.start,
            line: past.line,
            bytes: Vec::new(),
            units: vec![Unit {
                start: 0,
                end: 0,
                kind: UnitKind::Broken(Broken::TooLarge {
                    bytes: past.bytes,
                    sha256: past.hash.finalize_reset().into(),
                }),
            }],
            blank_lines: 0,
            framing: self.told,
            head: self.head.clone(),
        });
        let next = match past.around {
            Some(around) => State::List { around },
            None => State::Top,
        };
        self.behind(taken);
        self.drop_front();
        if done {
            self.state = next;
        }
        finished
    }
}

/// The end of a value of which `state` was seen so far; `None` while it goes on.
fn value_goes_on(text: &[u8], (depth, in_string, escaped): &mut (usize, bool, bool)) -> Option<usize> {
    for (i, &byte) in text.iter().enumerate() {
        if *in_string {
            match byte {
                _ if *escaped => *escaped = false,
                b'\\' => *escaped = true,
                b'"' => {
                    *in_string = false;
                    if *depth == 0 {
                        return Some(i + 1);
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => *in_string = true,
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => {
                *depth = depth.saturating_sub(1);
                if *depth == 0 {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
    }
    None
}
