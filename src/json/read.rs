//! Reading a text that was checked before: where its members, elements and values stand. Says
//! nothing about what is wrong; in a text that is no JSON after all it comes to an end too.

use std::ops::Range;

use super::scan::{MAX_DEPTH, Scan, colon, skip_space};
use super::{Cell, Kind, Marks};

/// A checked text that is read from left to right, and what is known of its strings.
#[derive(Clone, Copy)]
pub struct Checked<'a>(Scan<'a>);

impl<'a> Checked<'a> {
    /// `marks` may be of an index of the text or of none.
    pub fn new(text: &'a [u8], marks: Marks<'a>) -> Checked<'a> {
        Checked(Scan { text, marks })
    }

    /// The byte that the value at `at` begins with; behind the text something that begins none.
    #[inline(always)]
    pub fn byte(&self, at: usize) -> u8 {
        self.0.text.get(at).copied().unwrap_or(0)
    }

    /// The next token at `at`, or behind the comma there.
    #[inline(always)]
    fn token(&self, at: usize) -> usize {
        // Nearly all texts have no space here.
        let at = if self.byte(at) > b' ' { at } else { skip_space(self.0.text, at) };
        match self.byte(at) {
            b',' if self.byte(at + 1) > b' ' => at + 1,
            b',' => skip_space(self.0.text, at + 1),
            _ => at,
        }
    }

    /// The next member of an object, `at` being behind its bracket or the member before: its key
    /// between the quotes, as written, and where its value begins.
    #[inline(always)]
    pub fn member(&mut self, at: usize) -> Option<(Range<usize>, usize)> {
        let at = self.token(at);
        if self.byte(at) != b'"' {
            return None;
        }
        let (end, _) = self.0.string(at).ok()?;
        Some((at + 1..end - 1, colon(self.0.text, end).ok()?))
    }

    /// Where the next element of a list begins, `at` being behind its bracket or the element before.
    #[inline(always)]
    pub fn element(&self, at: usize) -> Option<usize> {
        let at = self.token(at);
        (!matches!(self.byte(at), b']' | 0)).then_some(at)
    }

    /// The offset behind the bracket that stands where no member or element does.
    #[inline(always)]
    pub fn close(&self, at: usize) -> usize {
        (skip_space(self.0.text, at) + 1).min(self.0.text.len())
    }

    /// The offset behind the value at `at`, and what it is.
    #[inline(always)]
    pub fn skip(&mut self, at: usize) -> (usize, Kind) {
        self.0.value(at, 0, MAX_DEPTH).unwrap_or((self.0.text.len(), Kind::Absent))
    }

    /// How many leaves (scalars but null) the value at `at` holds, and where it ends.
    pub fn leaves(&mut self, at: usize) -> (u64, usize) {
        let (mut i, mut count) = (at + 1, 0);
        match self.byte(at) {
            b'{' => {
                while let Some((_, value)) = self.member(i) {
                    let inside = self.leaves(value);
                    (count, i) = (count + inside.0, inside.1);
                }
            }
            b'[' => {
                while let Some(value) = self.element(i) {
                    let inside = self.leaves(value);
                    (count, i) = (count + inside.0, inside.1);
                }
            }
            _ => {
                let (end, kind) = self.skip(at);
                return (kind.is_leaf() as u64, end);
            }
        }
        (count, self.close(i))
    }
}

/// Calls `f` with every member of the object at `at` of a text that is known to be JSON: the key's
/// raw bytes (between its quotes) and the offset where its value starts; `f` returns where that
/// value ends, so that nested visits read every byte once.
pub fn members(text: &[u8], at: usize, f: &mut dyn FnMut(&[u8], usize) -> usize) -> usize {
    let mut read = Checked::new(text, Marks::default());
    let mut i = at + 1;
    while let Some((key, value)) = read.member(i) {
        i = f(&text[key], value);
    }
    read.close(i)
}

/// The same for the elements of the array at `at`: `f` gets where each starts.
pub fn elements(text: &[u8], at: usize, f: &mut dyn FnMut(usize) -> usize) -> usize {
    let read = Checked::new(text, Marks::default());
    let mut i = at + 1;
    while let Some(value) = read.element(i) {
        i = f(value);
    }
    read.close(i)
}

/// The value at `at` of a text that is known to be JSON.
pub fn cell_at(text: &[u8], at: usize) -> Cell {
    match Checked::new(text, Marks::default()).skip(at) {
        (_, Kind::Absent) => Cell::ABSENT,
        (end, kind) => Cell { start: at as u32, end: end as u32, kind },
    }
}

/// How many leaves the value at `at` of a text that is known to be JSON holds, and where it ends.
pub fn leaf_count(text: &[u8], at: usize) -> (u64, usize) {
    Checked::new(text, Marks::default()).leaves(at)
}
