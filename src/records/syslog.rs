//! Syslog lines around a JSON message: RFC 3164, RFC 5424, and octet counting (RFC 6587).

use std::ops::Range;

/// A syslog frame; ranges and slices are of the line that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog<'a> {
    /// The JSON text.
    pub message: Range<usize>,
    /// Bytes of the line that the frame takes.
    pub len: usize,
    pub priority: Option<u16>,
    pub time: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    pub app: Option<&'a [u8]>,
}

/// Reads the header in front of a JSON message; `None` for a line that is no syslog.
pub fn strip_syslog(line: &[u8]) -> Option<Syslog<'_>> {
    let (start, len) = octet_count(line).unwrap_or((0, line.len()));
    let frame = &line[..len];
    let (priority, at) = match priority(&frame[start..]) {
        Some((priority, n)) => (Some(priority), start + n),
        None => (None, start),
    };
    let mut words = Words { frame, at };
    let head = if priority.is_some() && frame[at..].starts_with(b"1 ") {
        words.at += 2;
        rfc5424(&mut words)
    } else {
        rfc3164(&mut words, priority.is_some())
    };
    let (time, host, app) = head?;
    let message = words.message()?;
    Some(Syslog { message, len, priority, time, host, app })
}

/// `123 <PRI>…`: where the frame's text begins and where it ends.
fn octet_count(line: &[u8]) -> Option<(usize, usize)> {
    let digits = line.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || line.get(digits..digits + 2) != Some(b" <") {
        return None;
    }
    let count: usize = std::str::from_utf8(&line[..digits]).ok()?.parse().ok()?;
    let start = digits + 1;
    Some((start, line.len().min(start + count)))
}

fn priority(text: &[u8]) -> Option<(u16, usize)> {
    let close = text.iter().take(5).position(|&b| b == b'>')?;
    let number = std::str::from_utf8(text.get(1..close)?).ok()?.parse().ok()?;
    (text[0] == b'<' && number <= 191).then_some((number, close + 1))
}

type Head<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

struct Words<'a> {
    frame: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    /// The next run of bytes without a blank; `-` is nothing.
    fn word(&mut self) -> Option<Option<&'a [u8]>> {
        let rest = &self.frame[self.at..];
        let len = memchr::memchr(b' ', rest)?;
        self.at += len + 1;
        (len > 0).then(|| Some(&rest[..len]).filter(|w| *w != b"-"))
    }

    /// The JSON text behind the header.
    fn message(&self) -> Option<Range<usize>> {
        let rest = &self.frame[self.at..];
        let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
        let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let start = self.frame.len() - rest.len() + blank;
        let end = self.frame.len() - self.frame.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        matches!(self.frame.get(start), Some(b'{' | b'[')).then_some(start..end.max(start))
    }
}

fn rfc5424<'a>(words: &mut Words<'a>) -> Option<Head<'a>> {
    let (time, host, app) = (words.word()?, words.word()?, words.word()?);
    words.word()?;
    words.word()?;
    // Structured data: `-`, or elements in brackets whose quoted values may hold any of them.
    if words.frame.get(words.at) == Some(&b'-') {
        words.at += 1;
    }
    while words.frame.get(words.at) == Some(&b'[') {
        let mut quoted = false;
        loop {
            match words.frame.get(words.at)? {
                b'\\' if quoted => words.at += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
            words.at += 1;
        }
        words.at += 1;
    }
    if words.frame.get(words.at) == Some(&b' ') {
        words.at += 1;
    }
    Some((time, host, app))
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// `Mmm dd hh:mm:ss host tag[pid]: message`, or with an ISO time; the time may be missing behind a
/// priority.
fn rfc3164<'a>(words: &mut Words<'a>, has_priority: bool) -> Option<Head<'a>> {
    let rest = &words.frame[words.at..];
    let classic = rest.get(..3).is_some_and(|m| MONTHS.contains(&m)) && rest.get(15) == Some(&b' ');
    let time = if classic {
        words.at += 16;
        Some(&rest[..15])
    } else if rest.get(4) == Some(&b'-') && rest.get(10) == Some(&b'T') {
        words.word()?
    } else if has_priority {
        None
    } else {
        return None;
    };
    let host = if time.is_some() { words.word()? } else { None };
    let rest = &words.frame[words.at..];
    let brace = rest.iter().position(|&b| b == b'{')?;
    let tag = &rest[..brace];
    let len = tag.iter().position(|&b| matches!(b, b'[' | b':' | b' ')).unwrap_or(tag.len());
    // An array as the message: its bracket stands behind the tag's colon.
    let array = tag.windows(3).position(|w| w == b": [").map(|n| n + 2);
    words.at += array.unwrap_or(brace);
    Some((time, host, Some(&tag[..len]).filter(|t| !t.is_empty())))
}
