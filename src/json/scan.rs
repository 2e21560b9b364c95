//! The strict scanner: where a value ends and whether it is JSON. Builds nothing.

use super::{Fault, FaultKind, Kind, Marks};

/// The deepest nesting that can be asked for; the scanner keeps one bit per level on its stack.
pub const MAX_DEPTH: usize = 1024;

#[cold]
pub(super) fn fault<T>(at: usize, kind: FaultKind) -> Result<T, Fault> {
    Err(Fault { at, kind })
}

/// The text ends at `at`, or something that does not belong stands there.
#[cold]
pub(super) fn missing<T>(text: &[u8], at: usize, what: &'static str) -> Result<T, Fault> {
    let kind = if at >= text.len() { FaultKind::End } else { FaultKind::Expected(what) };
    fault(at, kind)
}

#[inline(always)]
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Bytes of `w` (as 0x80 in the same place) that end a run of plain string content.
/// Only the lowest set one is exact, which is all that is used.
#[inline]
pub(super) fn string_stops(w: u64) -> u64 {
    let quote = w ^ (ONES * b'"' as u64);
    let slash = w ^ (ONES * b'\\' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    let control = w.wrapping_sub(ONES * 0x20) & !w;
    (quote | slash | control) & HIGH
}

/// Scans the string whose opening quote is at `at`; the offset behind its closing quote.
#[inline]
pub fn string(text: &[u8], at: usize) -> Result<(usize, Kind), Fault> {
    let mut i = at + 1;
    let mut kind = Kind::String;
    loop {
        while let Some(chunk) = text.get(i..i + 8) {
            let w = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
            let stops = string_stops(w);
            if stops != 0 {
                i += (stops.trailing_zeros() / 8) as usize;
                break;
            }
            i += 8;
        }
        match text.get(i) {
            None => return fault(i, FaultKind::End),
            Some(b'"') => return Ok((i + 1, kind)),
            Some(b'\\') => {
                let (next, lone) = escape(text, i)?;
                kind = if lone || kind == Kind::Lone { Kind::Lone } else { Kind::Escaped };
                i = next;
            }
            Some(0..=0x1f) => return fault(i, FaultKind::Control),
            Some(_) => i += 1,
        }
    }
}

/// Checks the escape whose backslash is at `at`: the offset behind it, and whether it is a lone
/// surrogate. A surrogate pair counts as one escape.
pub(super) fn escape(text: &[u8], at: usize) -> Result<(usize, bool), Fault> {
    match text.get(at + 1) {
        None => fault(text.len(), FaultKind::End),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok((at + 2, false)),
        Some(b'u') => {
            let unit = unit(text, at)?;
            if !(0xd800..0xe000).contains(&unit) {
                return Ok((at + 6, false));
            }
            if unit < 0xdc00 && text.get(at + 6..at + 8) == Some(b"\\u") {
                let low = self::unit(text, at + 6)?;
                if (0xdc00..0xe000).contains(&low) {
                    return Ok((at + 12, false));
                }
            }
            Ok((at + 6, true))
        }
        Some(_) => fault(at, FaultKind::Escape),
    }
}

/// The value of four digits.
fn hex_unit(digits: &[u8; 4]) -> Option<u16> {
    let value = digits.iter().fold(0, |value, digit| value << 4 | HEX[*digit as usize]);
    // What is no digit sets a bit beyond the highest four.
    u16::try_from(value).ok()
}

/// The value of each digit; of what is none, a number that stays too large whatever comes before it.
const HEX: [u32; 256] = {
    let mut values = [1 << 16; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u32;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u32;
        digit += 1;
    }
    values
};

/// The UTF-16 unit of the `\u` and four digits at `at`.
#[inline]
fn unit(text: &[u8], at: usize) -> Result<u16, Fault> {
    if let Some(unit) = text.get(at + 2..).and_then(|rest| rest.first_chunk()).and_then(hex_unit) {
        return Ok(unit);
    }
    let digits = &text[at + 2..text.len().min(at + 6)];
    if let Some(i) = digits.iter().position(|b| !b.is_ascii_hexdigit()) {
        return fault(at + 2 + i, FaultKind::Escape);
    }
    match digits.first_chunk() {
        Some(d) => Ok(super::hex4(d)),
        None => fault(text.len(), FaultKind::End),
    }
}

/// The end of a number that plainly is one: of digits found eight at a time, and perhaps more behind a
/// point, ended as most are; `at` itself where it is not.
#[inline(always)]
pub(super) fn digits_end(text: &[u8], at: usize) -> usize {
    let Some(i) = digits(text, at) else { return at };
    let whole = i > at && (text[at] != b'0' || i == at + 1);
    match text[i] {
        b',' | b'}' | b']' if whole => i,
        b'.' if whole => fraction(text, i).unwrap_or(at),
        _ => at,
    }
}

/// The end of the digits behind the point at `at`, if a number ends there.
#[inline(never)]
fn fraction(text: &[u8], at: usize) -> Option<usize> {
    let end = digits(text, at + 1)?;
    (end > at + 1 && matches!(text[end], b',' | b'}' | b']')).then_some(end)
}

/// The first byte at or behind `at` that is no digit, if it does not stand too near to the end of the text.
#[inline(always)]
fn digits(text: &[u8], at: usize) -> Option<usize> {
    let mut i = at;
    loop {
        let chunk = text.get(i..)?.first_chunk::<8>()?;
        let w = u64::from_le_bytes(*chunk) ^ (ONES * b'0' as u64);
        // A digit is now below ten; anything else sets the highest bit of its byte.
        let others = (w | (w & !HIGH).wrapping_add(ONES * 0x76)) & HIGH;
        if others != 0 {
            return Some(i + (others.trailing_zeros() / 8) as usize);
        }
        i += 8;
    }
}

#[inline]
fn number(text: &[u8], at: usize) -> Result<usize, Fault> {
    let end = digits_end(text, at);
    if end > at { Ok(end) } else { any_number(text, at) }
}

pub(super) fn any_number(text: &[u8], at: usize) -> Result<usize, Fault> {
    let digits = |mut i: usize| {
        while let Some(b'0'..=b'9') = text.get(i) {
            i += 1;
        }
        i
    };
    let wrong = |i: usize| {
        let kind = if i >= text.len() { FaultKind::End } else { FaultKind::Number };
        fault(i, kind)
    };
    let mut i = at + (text[at] == b'-') as usize;
    match text.get(i) {
        Some(b'0') => i += 1,
        Some(b'1'..=b'9') => i = digits(i + 1),
        _ => return wrong(i),
    }
    if text.get(i) == Some(&b'.') {
        let end = digits(i + 1);
        if end == i + 1 {
            return wrong(end);
        }
        i = end;
    }
    if let Some(b'e' | b'E') = text.get(i) {
        i += 1;
        if let Some(b'+' | b'-') = text.get(i) {
            i += 1;
        }
        let end = digits(i);
        if end == i {
            return wrong(end);
        }
        i = end;
    }
    Ok(i)
}

#[inline]
fn literal(text: &[u8], at: usize, word: &'static [u8], kind: Kind) -> Result<(usize, Kind), Fault> {
    let rest = &text[at..];
    if rest.starts_with(word) {
        Ok((at + word.len(), kind))
    } else if word.starts_with(rest) {
        fault(text.len(), FaultKind::End)
    } else {
        fault(at, FaultKind::Literal)
    }
}

/// A text and what is known of its strings.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) marks: Marks<'a>,
}

impl Scan<'_> {
    /// The string whose opening quote is at `at`.
    #[inline(always)]
    pub(super) fn string(&mut self, at: usize) -> Result<(usize, Kind), Fault> {
        match self.marks.string(at) {
            Some(found) => Ok(found),
            None => string(self.text, at),
        }
    }

    /// A string, number or literal at `at`.
    #[inline(always)]
    fn scalar(&mut self, at: usize) -> Result<(usize, Kind), Fault> {
        let text = self.text;
        match text.get(at) {
            Some(b'"') => self.string(at),
            Some(b'-' | b'0'..=b'9') => Ok((number(text, at)?, Kind::Number)),
            Some(b't') => literal(text, at, b"true", Kind::True),
            Some(b'f') => literal(text, at, b"false", Kind::False),
            Some(b'n') => literal(text, at, b"null", Kind::Null),
            _ => missing(text, at, "a value"),
        }
    }

    /// Any value at `at`: its end and kind. `depth` counts the containers already open around it.
    #[inline(always)]
    pub(super) fn value(
        &mut self,
        at: usize,
        depth: usize,
        max_depth: usize,
    ) -> Result<(usize, Kind), Fault> {
        match self.text.get(at) {
            Some(b'{' | b'[') => self.container(at, depth, max_depth),
            _ => self.scalar(at),
        }
    }

    /// The key at `i`, its colon, and the space behind; the offset where the value begins.
    #[inline]
    fn key(&mut self, i: usize) -> Result<usize, Fault> {
        if self.text.get(i) != Some(&b'"') {
            return missing(self.text, i, "a key in quotes");
        }
        let (i, _) = self.string(i)?;
        colon(self.text, i)
    }

    /// The container at `at`, without recursion: one bit per open level says object or array.
    fn container(&mut self, at: usize, outer: usize, max_depth: usize) -> Result<(usize, Kind), Fault> {
        let text = self.text;
        let mut is_object = [0u64; MAX_DEPTH / 64];
        let allowed = max_depth.min(MAX_DEPTH).saturating_sub(outer);
        let mut depth = 0usize;
        let mut i = at;
        let mut empty = true;
        loop {
            // Here a value begins at `i`.
            match text.get(i) {
                Some(open @ (b'{' | b'[')) => {
                    if depth == allowed {
                        return fault(i, FaultKind::Depth);
                    }
                    empty &= depth == 0;
                    let object = *open == b'{';
                    let (word, bit) = (depth / 64, 1u64 << (depth % 64));
                    if object {
                        is_object[word] |= bit
                    } else {
                        is_object[word] &= !bit
                    }
                    depth += 1;
                    i = skip_space(text, i + 1);
                    if object {
                        if text.get(i) != Some(&b'}') {
                            empty = false;
                            i = self.key(i)?;
                            continue;
                        }
                    } else if text.get(i) != Some(&b']') {
                        empty = false;
                        continue;
                    }
                }
                _ => {
                    empty = false;
                    (i, _) = self.scalar(i)?;
                    i = skip_space(text, i);
                }
            }
            // Here a value has ended (or a container is about to): commas and closers.
            loop {
                let object = is_object[(depth - 1) / 64] >> ((depth - 1) % 64) & 1 == 1;
                match text.get(i) {
                    Some(b',') => {
                        i = skip_space(text, i + 1);
                        if object {
                            i = self.key(i)?;
                        }
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    _ => return missing(text, i, if object { "`,` or `}`" } else { "`,` or `]`" }),
                }
                depth -= 1;
                i += 1;
                if depth == 0 {
                    let kind = match (object, empty) {
                        (true, false) => Kind::Object,
                        (true, true) => Kind::EmptyObject,
                        (false, false) => Kind::Array,
                        (false, true) => Kind::EmptyArray,
                    };
                    return Ok((i, kind));
                }
                i = skip_space(text, i);
            }
        }
    }
}

#[inline(always)]
pub(super) fn colon(text: &[u8], i: usize) -> Result<usize, Fault> {
    // Nearly all texts have no space here.
    if let Some(&[b':', next]) = text.get(i..).and_then(|rest| rest.first_chunk::<2>())
        && next > b' '
    {
        return Ok(i + 1);
    }
    let i = skip_space(text, i);
    if text.get(i) != Some(&b':') {
        return missing(text, i, "`:`");
    }
    Ok(skip_space(text, i + 1))
}

/// Checks one value strictly, starting exactly at `at`, and returns the offset behind it.
/// A number that touches the end of the text counts as complete. Does not check UTF-8.
pub fn skip_value(text: &[u8], at: usize, max_depth: usize) -> Result<usize, Fault> {
    Scan { text, marks: Marks::default() }.value(at, 0, max_depth).map(|(end, _)| end)
}
