//! Whole values copied out in the one form that every layout of a record shares: no white space
//! between tokens, of a repeated key only the last, no lone surrogates.

use std::collections::HashMap;

use super::scan::string;
use super::text::{mend, unescape};
use super::{Cell, Kind, skip_space};

/// Memory of a copy, reused for the next.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Members of the objects that are open, outermost first: the key's place in the text and the
    /// member's place in the output, its comma included.
    members: Vec<Member>,
    /// Lone surrogates replaced in the last copy.
    pub lone: u64,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    key: (usize, usize),
    start: usize,
    end: usize,
}

/// Objects with more members than this find a repeated key by hashing.
const FEW: usize = 32;

/// Appends a raw value of a checked text.
pub fn copy_value(cell: &Cell, text: &[u8], out: &mut Vec<u8>, copied: &mut Copied) {
    copied.lone = 0;
    match cell.kind {
        Kind::Object | Kind::Array => {
            copied.members.clear();
            Copy { text: &text[..cell.end as usize], copied }.value(cell.start as usize, out);
        }
        Kind::EmptyObject => out.extend_from_slice(b"{}"),
        Kind::EmptyArray => out.extend_from_slice(b"[]"),
        Kind::Lone => {
            copied.lone = 1;
            mend(cell.raw(text), out);
        }
        _ => out.extend_from_slice(cell.raw(text)),
    }
}

struct Copy<'a> {
    text: &'a [u8],
    copied: &'a mut Copied,
}

impl Copy<'_> {
    /// Copies the value at `at`; the offset behind it.
    fn value(&mut self, at: usize, out: &mut Vec<u8>) -> usize {
        match self.text.get(at) {
            Some(b'{') => self.object(at, out),
            Some(b'[') => {
                out.push(b'[');
                let mut i = skip_space(self.text, at + 1);
                while i < self.text.len() && self.text[i] != b']' {
                    i = skip_space(self.text, self.value(i, out));
                    if self.text.get(i) == Some(&b',') {
                        out.push(b',');
                        i = skip_space(self.text, i + 1);
                    }
                }
                out.push(b']');
                i + 1
            }
            Some(b'"') => self.string(at, out),
            _ => {
                let rest = &self.text[at..];
                let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                let len = rest.iter().position(ends).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..len]);
                // Never zero, so that a text that is wrong after all ends too.
                at + len.max(1)
            }
        }
    }

    fn string(&mut self, at: usize, out: &mut Vec<u8>) -> usize {
        let Ok((end, kind)) = string(self.text, at) else { return self.text.len() };
        let raw = &self.text[at..end];
        if kind == Kind::Lone {
            self.copied.lone += 1;
            mend(raw, out);
        } else {
            out.extend_from_slice(raw);
        }
        end
    }

    fn object(&mut self, at: usize, out: &mut Vec<u8>) -> usize {
        let base = self.copied.members.len();
        let mut by_key: Option<HashMap<String, usize>> = None;
        out.push(b'{');
        let first = out.len();
        let mut i = skip_space(self.text, at + 1);
        while self.text.get(i) == Some(&b'"') {
            let start = out.len();
            let key_end = self.string(i, out);
            let key = (i + 1, key_end.saturating_sub(1).max(i + 1));
            let earlier = self.earlier(base, key, &mut by_key);
            out.push(b':');
            let colon = skip_space(self.text, key_end);
            i = skip_space(self.text, self.value(skip_space(self.text, colon + 1), out));
            out.push(b',');
            self.copied.members.push(Member { key, start, end: out.len() });
            if let Some(index) = earlier {
                self.forget(base, index, out);
            }
            if self.text.get(i) == Some(&b',') {
                i = skip_space(self.text, i + 1);
            }
        }
        if out.len() > first {
            out.pop();
        }
        out.push(b'}');
        self.copied.members.truncate(base);
        i + 1
    }

    /// The place among the open object's members of one with the same key.
    fn earlier(
        &self,
        base: usize,
        key: (usize, usize),
        by_key: &mut Option<HashMap<String, usize>>,
    ) -> Option<usize> {
        let members = &self.copied.members[base..];
        if members.len() < FEW {
            let raw = &self.text[key.0..key.1];
            let plain = !raw.contains(&b'\\');
            return members.iter().position(|m| {
                let other = &self.text[m.key.0..m.key.1];
                m.start != m.end
                    && if plain && !other.contains(&b'\\') {
                        raw == other
                    } else {
                        self.chars(key) == self.chars(m.key)
                    }
            });
        }
        let known = by_key.get_or_insert_with(|| {
            members
                .iter()
                .enumerate()
                .filter(|(_, m)| m.start != m.end)
                .map(|(i, m)| (self.chars(m.key), i))
                .collect()
        });
        known.insert(self.chars(key), members.len())
    }

    fn chars(&self, key: (usize, usize)) -> String {
        let mut text = String::new();
        unescape(&self.text[key.0..key.1], &mut text);
        text
    }

    /// Takes a member back out of the output. It keeps its place in the list, empty.
    fn forget(&mut self, base: usize, index: usize, out: &mut Vec<u8>) {
        let gone = self.copied.members[base + index];
        let len = gone.end - gone.start;
        out.drain(gone.start..gone.end);
        for member in &mut self.copied.members[base + index + 1..] {
            member.start -= len;
            member.end -= len;
        }
        let member = &mut self.copied.members[base + index];
        member.end = member.start;
    }
}
