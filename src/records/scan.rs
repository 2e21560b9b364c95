//! Finding the end of a value by its brackets and quotes alone. The worker checks the grammar.

use std::ops::Range;

use crate::json::skip_space;

/// Where a value ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    At(usize),
    /// The text ends first.
    Open,
    /// A line end inside a string: nothing behind it can be trusted to belong here.
    Line(usize),
}

/// The end of the value at `at`, brackets counted and strings passed over.
pub(super) fn end_of(text: &[u8], at: usize) -> End {
    let mut i = at;
    let mut depth = 0usize;
    while let Some(&byte) = text.get(i) {
        match byte {
            b'"' => match string_end(text, i) {
                End::At(end) => {
                    i = end;
                    if depth == 0 {
                        return End::At(i);
                    }
                    continue;
                }
                other => return other,
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return End::At(i + (depth == 1) as usize),
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return End::At(i),
            _ => {}
        }
        i += 1;
    }
    End::Open
}

fn string_end(text: &[u8], at: usize) -> End {
    let mut i = at + 1;
    loop {
        match memchr::memchr3(b'"', b'\\', b'\n', &text[i.min(text.len())..]).map(|n| i + n) {
            None => return End::Open,
            Some(found) => match text[found] {
                b'"' => return End::At(found + 1),
                b'\\' => i = found + 2,
                _ => return End::Line(found),
            },
        }
    }
}

/// The end of the value at `at`, if its brackets close within the text.
pub fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match end_of(text, at) {
        End::At(end) if end > at => Some(end),
        _ => None,
    }
}

/// The elements of the array at the start of `range`, appended to `out`; the offset behind the
/// array, and what is left of it where an element does not end.
pub fn elements(
    text: &[u8],
    range: Range<usize>,
    out: &mut Vec<Range<usize>>,
) -> (usize, Option<Range<usize>>) {
    let text = &text[..range.end];
    let mut i = skip_space(text, range.start + 1);
    while i < text.len() {
        match text[i] {
            b']' => return (i + 1, None),
            b',' => i = skip_space(text, i + 1),
            _ => match end_of(text, i) {
                End::At(end) if end > i => {
                    out.push(i..end);
                    i = skip_space(text, end);
                }
                _ => return (text.len(), Some(i..text.len())),
            },
        }
    }
    (text.len(), Some(text.len()..text.len()))
}
