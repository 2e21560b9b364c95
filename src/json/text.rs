//! Strings of a JSON text: raw slices to characters and back, and raw values copied out.

use super::scan::string_stops;
use super::{Cell, Kind};

/// The value of four hexadecimal digits that were checked before.
pub fn hex4(d: &[u8; 4]) -> u16 {
    d.iter().fold(0, |n, &b| {
        n << 4
            | match b {
                b'0'..=b'9' => b - b'0',
                _ => (b | 0x20) - b'a' + 10,
            } as u16
    })
}

/// Appends the characters of a checked raw string (the bytes between its quotes) to `out`.
/// Lone surrogates become U+FFFD.
pub fn unescape(raw: &[u8], out: &mut String) {
    let mut rest = raw;
    while let Some(i) = memchr::memchr(b'\\', rest) {
        push_utf8(&rest[..i], out);
        let (c, len) = escaped_char(&rest[i..]);
        out.push(c);
        rest = &rest[i + len..];
    }
    push_utf8(rest, out);
}

/// Raw slices come from a text whose UTF-8 was checked; the lossy path is never taken for them.
fn push_utf8(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(s) => out.push_str(s),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// The character of the escape that `raw` begins with, and how many bytes it takes.
fn escaped_char(raw: &[u8]) -> (char, usize) {
    let simple = match raw.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(raw),
        Some(&c) => c as char,
        None => char::REPLACEMENT_CHARACTER,
    };
    (simple, 2.min(raw.len()))
}

fn unicode(raw: &[u8]) -> (char, usize) {
    let unit = |at: usize| raw.get(at..at + 4).and_then(|d| d.first_chunk()).map(hex4);
    let Some(high) = unit(2) else {
        return (char::REPLACEMENT_CHARACTER, raw.len());
    };
    if let Some(c) = char::from_u32(high as u32) {
        return (c, 6);
    }
    if high < 0xdc00
        && raw.get(6..8) == Some(b"\\u")
        && let Some(low @ 0xdc00..0xe000) = unit(8)
    {
        let c = 0x10000 + ((high as u32 - 0xd800) << 10) + (low as u32 - 0xdc00);
        return (char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::REPLACEMENT_CHARACTER, 6)
}

/// Appends `s` as JSON string content (no quotes).
pub fn push_str_escaped(s: &str, out: &mut Vec<u8>) {
    let bytes = s.as_bytes();
    let mut done = 0;
    let mut at = 0;
    loop {
        // Most texts have nothing to escape: those are seen eight bytes at a time.
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let stops = string_stops(u64::from_le_bytes(*chunk));
            at += if stops == 0 { 8 } else { (stops.trailing_zeros() / 8) as usize };
            if stops != 0 {
                break;
            }
        }
        let Some(&b) = bytes.get(at) else { break };
        let i = at;
        at += 1;
        let short = match b {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..=0x1f => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..i]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[b'0', b'0', HEX[(b >> 4) as usize], HEX[(b & 15) as usize]]);
        }
        done = i + 1;
    }
    out.extend_from_slice(&bytes[done..]);
}

/// Appends `s` as a JSON string, quotes included.
pub fn push_quoted(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_str_escaped(s, out);
    out.push(b'"');
}

/// Copies a raw string, quotes included; only lone surrogates are changed.
#[inline(always)]
pub fn copy_string(cell: &Cell, text: &[u8], out: &mut Vec<u8>) {
    if cell.kind == Kind::Lone { mend(cell.raw(text), out) } else { copy_raw(cell, text, out) }
}

/// Copies the bytes of a cell.
#[inline(always)]
pub fn copy_raw(cell: &Cell, text: &[u8], out: &mut Vec<u8>) {
    let len = (cell.end - cell.start) as usize;
    match text.get(cell.start as usize..).and_then(|rest| rest.first_chunk::<SHORT>()) {
        Some(short) if len <= SHORT => push_short(short, len, out),
        _ => out.extend_from_slice(cell.raw(text)),
    }
}

/// Up to this many bytes are copied with moves of a fixed size: a call of memcpy for each key and
/// value costs more than all the bytes it moves.
pub const SHORT: usize = 48;

/// Appends the first `len` bytes of `bytes`.
#[inline(always)]
pub fn push_short(bytes: &[u8; SHORT], len: usize, out: &mut Vec<u8>) {
    let behind = out.len() + len;
    out.extend_from_slice(bytes);
    out.truncate(behind);
}

/// Copies checked JSON text with `\ufffd` for every lone surrogate escape.
pub(super) fn mend(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(i) = memchr::memchr(b'\\', rest) {
        let (c, len) = escaped_char(&rest[i..]);
        let lone = c == char::REPLACEMENT_CHARACTER
            && !rest[i..].get(2..6).is_some_and(|h| h.eq_ignore_ascii_case(b"fffd"));
        out.extend_from_slice(&rest[..i]);
        out.extend_from_slice(if lone { b"\\ufffd" } else { &rest[i..i + len] });
        rest = &rest[i + len..];
    }
    out.extend_from_slice(rest);
}
