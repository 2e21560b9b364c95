//! Inside an array or an envelope: elements as they arrive, and the members behind them.

use super::super::scan::{End, element_end, envelope_list, loose_end};
use super::super::{Broken, UnitKind};
use super::{Cut, Cutter, State, newlines, trim};
use crate::json::{FaultKind, skip_space, skip_value, string};

impl Cutter {
    /// Elements of an array, one after the other.
    pub(super) fn list(&mut self, around: usize) -> Cut {
        loop {
            let i = skip_space(&self.buffer, self.at);
            // The line end stays, so that the indent of an open element does.
            self.at = memchr::memrchr(b'\n', &self.buffer[self.at..i]).map_or(i, |n| self.at + n);
            if i >= self.buffer.len() {
                if self.ended {
                    self.behind(i);
                    self.unit(i, i, UnitKind::Broken(Broken::Truncated));
                    self.state = State::Top;
                }
                return Cut::Starved;
            }
            if self.units.len() > 1 && i >= self.limits.batch_bytes {
                return Cut::Starved;
            }
            match self.buffer[i] {
                b',' => {
                    self.at = i + 1;
                    continue;
                }
                b']' => {
                    self.behind(i + 1);
                    self.state = if around > 0 { State::Tail { open: around } } else { State::Top };
                    return Cut::More;
                }
                _ => {}
            }
            if self.buffer.len() < self.retry && !self.ended {
                return Cut::Starved;
            }
            match element_end(&self.buffer, i) {
                // A scalar may go on behind the buffer's end.
                End::At(end)
                    if end > i && (end < self.buffer.len() || self.ended || self.buffer[end - 1] == b'}') =>
                {
                    if end - i > self.limits.record_bytes {
                        return Cut::Large;
                    }
                    self.unit(i, end, UnitKind::Element);
                    self.behind(end);
                }
                End::At(end) if end == i => {
                    // A closer that closes nothing here.
                    self.unit(i, i + 1, UnitKind::Broken(Broken::Garbage));
                    self.behind(i + 1);
                }
                End::Line(line_end) => match loose_end(&self.buffer, i, self.limits.depth) {
                    End::At(end) => {
                        self.unit(i, end, UnitKind::Element);
                        self.behind(end);
                    }
                    End::Open if !self.ended && self.buffer.len() - i <= self.limits.record_bytes => {
                        self.retry = 2 * self.buffer.len() - i;
                        return Cut::Starved;
                    }
                    _ => {
                        let indent = self.indent(i);
                        let (start, end) = trim(&self.buffer, i, line_end);
                        self.unit(start, end, UnitKind::Broken(Broken::Garbage));
                        self.behind(end);
                        self.state = State::Lost { around, indent };
                        return Cut::More;
                    }
                },
                _ if self.ended => {
                    let (start, end) = trim(&self.buffer, i, self.buffer.len());
                    self.unit(start, end, UnitKind::Broken(Broken::Truncated));
                    self.behind(self.buffer.len());
                    self.state = State::Top;
                    return Cut::Starved;
                }
                _ => {
                    let open = self.buffer.len() - i;
                    self.retry = i + 2 * open;
                    return self.starved(open);
                }
            }
        }
    }

    /// How far to the right on its line `at` is, if nothing stands before it.
    pub(super) fn indent(&self, at: usize) -> Option<usize> {
        let line = memchr::memrchr(b'\n', &self.buffer[..at])? + 1;
        self.buffer[line..at].iter().all(u8::is_ascii_whitespace).then_some(at - line)
    }

    /// Behind an element whose end cannot be told: goes to the next line that begins with an
    /// object, as far to the right as that element if it began a line.
    pub(super) fn lost(&mut self, around: usize, indent: Option<usize>) -> Cut {
        let mut from = self.at;
        while let Some(n) = memchr::memchr(b'\n', &self.buffer[from..]) {
            self.at = from + n;
            from = self.at + 1;
            let first = skip_space(&self.buffer, from);
            if first >= self.buffer.len() {
                break;
            }
            if self.buffer[first] == b'{' && indent.is_none_or(|indent| self.indent(first) == Some(indent)) {
                self.state = State::List { around };
                return Cut::More;
            }
        }
        if self.ended {
            let end = self.buffer.len();
            self.unit(end, end, UnitKind::Broken(Broken::Truncated));
            self.behind(end);
            self.state = State::Top;
        }
        Cut::Starved
    }

    /// The members behind an envelope's array, up to its last brace.
    pub(super) fn tail(&mut self, open: usize) -> Cut {
        let i = skip_space(&self.buffer, self.at);
        match self.buffer.get(i) {
            None if self.ended => {
                self.behind(i);
                self.unit(i, i, UnitKind::Broken(Broken::Truncated));
                self.state = State::Top;
                Cut::Starved
            }
            None => Cut::Starved,
            Some(b'}') => {
                self.behind(i + 1);
                self.state = if open > 1 { State::Tail { open: open - 1 } } else { State::Top };
                Cut::More
            }
            Some(b',') => match self.member(skip_space(&self.buffer, i + 1)) {
                Ok(end) => {
                    self.behind(end);
                    Cut::More
                }
                Err(true) if !self.ended && self.buffer.len() - i <= self.limits.record_bytes => Cut::Starved,
                Err(_) => self.broken_tail(i),
            },
            Some(_) => self.broken_tail(i),
        }
    }

    /// The end of a member at `i`; the error says whether more bytes could help.
    pub(super) fn member(&self, i: usize) -> Result<usize, bool> {
        let text = &self.buffer;
        if text.get(i) != Some(&b'"') {
            return Err(i >= text.len());
        }
        let (end, _) = string(text, i).map_err(|f| f.kind == FaultKind::End)?;
        let colon = skip_space(text, end);
        if text.get(colon) != Some(&b':') {
            return Err(colon >= text.len());
        }
        let value = skip_space(text, colon + 1);
        if value < text.len() && newlines(&text[end..value]) > 0 {
            // Cut off here: nobody begins a line with a member's value, but with the next record.
            return Err(false);
        }
        let end = skip_value(text, value, self.limits.depth).map_err(|f| f.kind == FaultKind::End)?;
        // A scalar at the very end may go on.
        if end == text.len() && !self.ended { Err(true) } else { Ok(end) }
    }

    /// What follows is no envelope any more: said once, and the next line begins anew.
    pub(super) fn broken_tail(&mut self, i: usize) -> Cut {
        let text = &self.buffer;
        let comma = text.get(i) == Some(&b',');
        let next = if comma { skip_space(text, i + 1) } else { i };
        // What the rest of the line is must not depend on how much of it has come.
        let arrives = !self.ended && text.len() - i <= self.limits.record_bytes;
        if arrives && memchr::memchr(b'\n', text.get(next..).unwrap_or_default()).is_none() {
            return Cut::Starved;
        }
        let line_start = memchr::memrchr(b'\n', &text[..next]).is_some_and(|n| n >= self.at);
        // A line that begins a member is still of the envelope; any other is the next record.
        let end = match line_start && text.get(next) != Some(&b'"') {
            true => next,
            false => memchr::memchr(b'\n', &text[next..]).map_or(text.len(), |n| next + n),
        };
        let (start, stop) = trim(text, i.min(end), end);
        self.unit(start, stop, UnitKind::Broken(Broken::Truncated));
        self.behind(end);
        self.state = State::Top;
        Cut::More
    }

    pub(super) fn envelope(&self, start: usize) -> Option<(usize, usize)> {
        envelope_list(&self.buffer, start, &self.envelopes, self.limits.depth)
    }
}
