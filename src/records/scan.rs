//! Finding the end of a value by its brackets and quotes alone. The worker checks the grammar.

use std::ops::Range;

use crate::json::{FaultKind, Index, skip_space, skip_value, string};

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
    string_goes_on(text, &mut (at + 1))
}

/// The end of a string from a place in it on, which goes on up to where one that is open is to be looked at again.
fn string_goes_on(text: &[u8], i: &mut usize) -> End {
    loop {
        let from = (*i).min(text.len());
        match memchr::memchr3(b'"', b'\\', b'\n', &text[from..]).map(|n| from + n) {
            None => {
                *i = text.len().max(*i);
                return End::Open;
            }
            Some(found) => match text[found] {
                b'"' => return End::At(found + 1),
                b'\\' => *i = found + 2,
                _ => return End::Line(found),
            },
        }
    }
}

/// The brackets of an object that arrives piece by piece, counted so that nothing is read again each time. Places
/// are offsets in the input.
#[derive(Debug, Default)]
pub(super) struct Open {
    start: u64,
    /// Counting goes on here, outside of any string, or with the string that begins here.
    at: u64,
    /// That is looked at up to here.
    within: u64,
    depth: usize,
    /// A string right inside the object begins one of the paths.
    named: bool,
    index: Index,
}

impl Open {
    /// Counts on in `text`, which begins at `base`, the brackets of the object at `start`. Gives the
    /// object's end; nothing where the text ends first.
    pub(super) fn end(
        &mut self,
        base: u64,
        text: &[u8],
        start: usize,
        paths: &[Vec<String>],
    ) -> Option<usize> {
        let begin = base + start as u64;
        if self.start != begin || self.depth == 0 {
            (self.start, self.at, self.depth, self.named) = (begin, begin + 1, 1, false);
            self.within = 0;
        }
        let mut i = (self.at - base) as usize;
        // A string that is open is looked at first.
        let mut looked = i + (self.within > self.at) as usize;
        while self.depth > 0 {
            if self.depth > 1 && i >= looked {
                (i, self.depth) = self.index.brackets(text, i, self.depth);
                looked = i + 64;
            }
            match text.get(i) {
                Some(b'"') => {
                    let mut behind = (i + 1).max(self.within.saturating_sub(base) as usize);
                    let end = match string_goes_on(text, &mut behind) {
                        End::At(end) => end,
                        End::Open => {
                            self.within = base + behind as u64;
                            break;
                        }
                        End::Line(_) => break,
                    };
                    let word = &text[i + 1..end - 1];
                    self.named |= self.depth == 1
                        && paths.iter().any(|path| path.first().is_some_and(|p| p.as_bytes() == word));
                    i = end;
                    continue;
                }
                Some(b'{' | b'[') => self.depth += 1,
                Some(b'}' | b']') => self.depth -= 1,
                Some(_) => {}
                None => break,
            }
            i += 1;
        }
        self.at = base + i as u64;
        (self.depth == 0).then_some(i)
    }

    /// What was counted may be an envelope by one of the paths.
    pub(super) fn may_be_envelope(&self) -> bool {
        self.named
    }
}

/// The end of the element of a list at `at`. Where brackets do not match, a closer closes the
/// nearest of its kind, or the list; and an object that follows a comma inside an object can only
/// be the list's next element: a missing bracket costs its own element, not those behind it.
pub(super) fn element_end(text: &[u8], at: usize) -> End {
    // One bit per open bracket, the innermost lowest: is it an object?
    let mut objects = 0u128;
    let mut depth = 0usize;
    let mut i = at;
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
            // Deeper than the bits go nothing can be told; the worker refuses it all the same.
            b'{' | b'[' if depth == 128 => return end_of(text, at),
            b'{' | b'[' => {
                objects = objects << 1 | (byte == b'{') as u128;
                depth += 1;
            }
            b'}' | b']' => {
                let same = if byte == b'}' { objects } else { !objects };
                let up = same.trailing_zeros() as usize;
                if up >= depth {
                    return End::At(i);
                }
                depth -= up + 1;
                if depth == 0 {
                    return End::At(i + 1);
                }
                objects >>= up + 1;
            }
            b',' if depth > 0 && objects & 1 == 1 && text.get(skip_space(text, i + 1)) == Some(&b'{') => {
                return End::At(i);
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return End::At(i),
            _ => {}
        }
        i += 1;
    }
    End::Open
}

/// The end of the value at `at` when control characters in its strings are let pass; `Line` when
/// it is wrong even so. Looks at ever more lines, so that what is cut off costs little.
pub(super) fn loose_end(text: &[u8], at: usize, depth: usize) -> End {
    let mut copy = Vec::new();
    let mut lines = 2;
    loop {
        let stop = memchr::memchr_iter(b'\n', &text[at..]).nth(lines - 1).map_or(text.len(), |n| at + n + 1);
        copy.clear();
        copy.extend(text[at..stop].iter().map(|&b| if b < 0x20 { b' ' } else { b }));
        match skip_value(&copy, 0, depth) {
            Ok(end) => return End::At(at + end),
            Err(fault) if fault.kind != FaultKind::End => return End::Line(at + fault.at),
            Err(_) if stop == text.len() => return End::Open,
            Err(_) => lines *= 2,
        }
    }
}

/// The bracket of the list of records in the object at `start`, and how many objects are open
/// around it. An object that calls itself something else than a list is a record.
pub fn envelope_list(
    text: &[u8],
    start: usize,
    envelopes: &[Vec<String>],
    depth: usize,
) -> Option<(usize, usize)> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut i = skip_space(text, start + 1);
    loop {
        match text.get(i)? {
            b',' => i = skip_space(text, i + 1),
            b'}' => {
                open.pop()?;
                i = skip_space(text, i + 1);
                continue;
            }
            _ => {}
        }
        let (end, _) = string(text, i).ok().filter(|_| text[i] == b'"')?;
        let key = &text[i + 1..end - 1];
        let colon = skip_space(text, end);
        let value = skip_space(text, (text.get(colon) == Some(&b':')).then_some(colon + 1)?);
        let level = open.len();
        let on_path = envelopes.iter().any(|path| {
            path.len() > level
                && open.iter().zip(path).all(|(a, b)| **a == *b.as_bytes())
                && path[level].as_bytes() == key
        });
        let whole = on_path && envelopes.iter().any(|p| p.len() == level + 1 && p[level].as_bytes() == key);
        match text.get(value)? {
            b'[' if whole => return Some((value, level + 1)),
            b'{' if on_path => {
                open.push(key);
                i = skip_space(text, value + 1);
                continue;
            }
            b'"' if level == 0 && key == b"object" && !text[value..].starts_with(b"\"list\"") => {
                return None;
            }
            _ => {}
        }
        i = skip_space(text, skip_value(text, value, depth).ok()?);
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
            _ => match element_end(text, i) {
                End::At(end) => {
                    // A closer that closes nothing is an element of its own.
                    let end = end.max(i + 1);
                    out.push(i..end);
                    i = skip_space(text, end);
                }
                _ => return (text.len(), Some(i..text.len())),
            },
        }
    }
    (text.len(), Some(text.len()..text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever an object was cut, its end is found as if it came whole, and nowhere before.
    #[test]
    fn an_object_in_pieces_ends_where_it_ends() {
        let words = r#"}]\"{[\\"#.repeat(40);
        let text = format!(r#"{{"data":{{"a":["{words}",{{"b":"\\"}}],"c":"{words}\\\\"}},"d":[[{{}}]]}}"#);
        let paths = [vec!["data".to_string()]];
        for first in 1..text.len() {
            for second in [first, first + 1, first + 63, first + 64, first + 300] {
                let mut open = Open::default();
                for cut in [first, second.min(text.len() - 1)] {
                    let found = open.end(7, &text.as_bytes()[..cut], 0, &paths);
                    assert_eq!(found, None, "cut at {first} and {second}");
                }
                let behind = format!("{text}}}");
                let found = open.end(7, behind.as_bytes(), 0, &paths);
                assert_eq!(found, Some(text.len()), "cut at {first} and {second}");
                assert!(open.may_be_envelope());
            }
        }
    }
}
