//! Whole values copied out in the one form that every layout of a record shares: no white space
//! between tokens, of a repeated key only the last, no lone surrogates.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::scan::string;
use super::text::{mend, unescape};
use super::{Cell, Kind, skip_space};

/// Memory of a copy, reused for the next.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// The hashes of the keys of the objects that are open, outermost first.
    hashes: Vec<u64>,
    hasher: foldhash::fast::RandomState,
    /// Members of the objects that are open, outermost first: the key's place in the text and the
    /// member's place in the output, its comma included.
    members: Vec<Member>,
    /// Lone surrogates replaced in the last copy.
    pub lone: u64,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    /// Of the key's characters.
    hash: u64,
    key: (usize, usize),
    start: usize,
    end: usize,
}

/// Appends a raw value of a checked text.
pub fn copy_value(cell: &Cell, text: &[u8], out: &mut Vec<u8>, copied: &mut Copied) {
    copied.lone = 0;
    match cell.kind {
        Kind::Object | Kind::Array => {
            copied.hashes.clear();
            copied.members.clear();
            let (text, at) = (&text[..cell.end as usize], cell.start as usize);
            let mut plain = Plain { text, copied };
            if plain.end(at) == Some(text.len()) {
                return out.extend_from_slice(&text[at..]);
            }
            copied.hashes.clear();
            Copy { text, copied }.value(at, out);
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

/// The keys of an open object: whether one may be there already.
struct Keys {
    /// Where its hashes begin.
    base: usize,
    /// One of the bits is set for each key.
    bits: u64,
    many: Option<HashSet<u64, foldhash::fast::RandomState>>,
}

/// Among more keys than this, a key is looked up by hashing.
const FEW: usize = 48;

impl Keys {
    fn new(hashes: &[u64]) -> Keys {
        Keys { base: hashes.len(), bits: 0, many: None }
    }

    /// Whether the key is new. Of two keys with one hash, the second is not.
    #[inline(always)]
    fn add(&mut self, hash: u64, hashes: &mut Vec<u64>) -> bool {
        let bit = 1 << (hash >> 58);
        let may = self.bits & bit != 0;
        self.bits |= bit;
        let new = match &mut self.many {
            Some(many) => many.insert(hash),
            None => !may || !hashes[self.base..].contains(&hash),
        };
        hashes.push(hash);
        if self.many.is_none() && hashes.len() - self.base > FEW {
            self.many = Some(hashes[self.base..].iter().copied().collect());
        }
        new
    }
}

/// Reads a value that is in the one form already, as most are: nothing need be changed.
struct Plain<'a> {
    text: &'a [u8],
    copied: &'a mut Copied,
}

impl Plain<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    /// The offset behind the value at `at`; nothing where it has white space, a lone surrogate or an
    /// escape in a key, or where a key may be there twice.
    fn end(&mut self, at: usize) -> Option<usize> {
        let (object, close) = match self.byte(at) {
            b'{' => (true, b'}'),
            b'[' => (false, b']'),
            b'"' => {
                let (end, kind) = string(self.text, at).ok()?;
                return (kind != Kind::Lone).then_some(end);
            }
            b't' | b'n' => return Some(at + 4),
            b'f' => return Some(at + 5),
            b'-' | b'0'..=b'9' => {
                let part = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                let len = self.text[at..].iter().position(|b| !part(b))?;
                return Some(at + len);
            }
            _ => return None,
        };
        let mut i = at + 1;
        if self.byte(i) == close {
            return Some(i + 1);
        }
        let mut keys = Keys::new(&self.copied.hashes);
        loop {
            if object {
                if self.byte(i) != b'"' {
                    return None;
                }
                let (end, Kind::String) = string(self.text, i).ok()? else { return None };
                let hash = self.copied.hasher.hash_one(&self.text[i + 1..end - 1]);
                if !keys.add(hash, &mut self.copied.hashes) || self.byte(end) != b':' {
                    return None;
                }
                i = end + 1;
            }
            i = self.end(i)?;
            match self.byte(i) {
                b',' => i += 1,
                b if b == close => break,
                _ => return None,
            }
        }
        self.copied.hashes.truncate(keys.base);
        Some(i + 1)
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
        let mut keys = Keys::new(&self.copied.hashes);
        out.push(b'{');
        let first = out.len();
        let mut i = skip_space(self.text, at + 1);
        while self.text.get(i) == Some(&b'"') {
            let start = out.len();
            let key_end = self.string(i, out);
            let key = (i + 1, key_end.saturating_sub(1).max(i + 1));
            let hash = self.hash(key);
            let new = keys.add(hash, &mut self.copied.hashes);
            let earlier = if new { None } else { self.earlier(base, hash, key) };
            out.push(b':');
            let colon = skip_space(self.text, key_end);
            i = skip_space(self.text, self.value(skip_space(self.text, colon + 1), out));
            out.push(b',');
            self.copied.members.push(Member { hash, key, start, end: out.len() });
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
        self.copied.hashes.truncate(keys.base);
        i + 1
    }

    /// The place among the open object's members of one with the same key.
    fn earlier(&self, base: usize, hash: u64, key: (usize, usize)) -> Option<usize> {
        let mut members = self.copied.members[base..].iter();
        members.rposition(|m| m.hash == hash && m.start != m.end && self.chars(key) == self.chars(m.key))
    }

    fn hash(&self, key: (usize, usize)) -> u64 {
        let raw = &self.text[key.0..key.1];
        match raw.contains(&b'\\') {
            true => self.copied.hasher.hash_one(self.chars(key).as_bytes()),
            false => self.copied.hasher.hash_one(raw),
        }
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
