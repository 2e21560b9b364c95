//! The vocabulary of mappings: every conversion and every test a row can name, in one closed list.
//! Knows values, not records: it is given a text or a slice and says what becomes of it.

pub mod expression;
pub mod indicator;
pub mod net;
pub mod pseudonym;
pub mod text;
pub mod time;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use self::expression::Expression;
use self::time::{Fraction, Instant, TimeFormat};

/// Every word of the table dialect that a reader must know, by the place it stands in.
/// `mappings/README.md` documents exactly these; a test holds the two together.
pub mod words {
    /// Keys of a row.
    pub const ROW: &[&str] = &[
        "to",
        "from",
        "const",
        "template",
        "count",
        "where",
        "when",
        "as",
        "label",
        "label_from",
        "distinct",
        "required",
        "note",
    ];
    /// Steps below `as`.
    pub const STEP: &[&str] = &[
        "string", "int", "float", "bool", "lower", "upper", "trim", "time", "ip", "host", "port", "regex",
        "split", "join", "first", "last", "hash", "redact", "lookup",
    ];
    /// Tests below `when` and `where`.
    pub const TEST: &[&str] = &["path", "exists", "equals", "one_of", "glob", "regex", "not", "any", "all"];
    /// Output forms of `time`.
    pub const TIME_OUT: &[&str] = &["rfc3339", "unix", "unix_ms"];
    /// Facts of the line around a record, and the time at which it is read, as names in `from`.
    pub const FACT: &[&str] =
        &["@syslog.host", "@syslog.app", "@syslog.time", "@syslog.priority", "@run.time"];
}

/// One conversion. Steps of a row run in the order in which they are written.
#[derive(Clone, Debug)]
pub enum Step {
    String,
    Int,
    Float,
    Bool,
    Lower,
    Upper,
    Trim,
    Time {
        from: Vec<TimeFormat>,
        to: TimeOut,
    },
    /// Keeps an address, of this family if one is named.
    Ip(Option<net::Family>),
    Host,
    Port,
    Regex(Expression),
    Split {
        by: String,
        take: Option<i64>,
    },
    Hash {
        key: String,
    },
    Redact(String),
    /// Shared by all that read through it.
    Lookup(Arc<Lookup>),
    /// No word of the dialect: the last step of what may only leave like this.
    Pseudonym(pseudonym::Pseudonyms),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeOut {
    Rfc3339,
    Unix,
    UnixMs,
}

/// A table of texts: exact keys first, then the globs in their order, then the default.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    pub exact: HashMap<String, String, FixedState>,
    pub globs: Vec<(Glob, String)>,
    pub default: Option<String>,
}

impl Lookup {
    /// What the table gives, and whether it is only the default.
    pub fn find(&self, text: &str) -> Option<(&str, bool)> {
        if let Some(found) = self.exact.get(text) {
            return Some((found, false));
        }
        let pattern = self.globs.iter().find(|(glob, _)| glob.matches(text.as_bytes()));
        match (pattern, &self.default) {
            (Some((_, value)), _) => Some((value, false)),
            (None, Some(default)) => Some((default, true)),
            (None, None) => None,
        }
    }

    /// Every text the table can give.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.exact.values().chain(self.globs.iter().map(|(_, v)| v)).chain(&self.default).map(String::as_str)
    }
}

/// A pattern in which `*` stands for any run of characters; everything else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<String>);

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        Glob(pattern.split('*').map(str::to_string).collect())
    }

    pub fn is_pattern(text: &str) -> bool {
        text.contains('*')
    }

    /// It matches every text.
    pub fn is_any(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(String::is_empty)
    }

    /// The one text that it matches.
    pub fn text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only.as_bytes() == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_bytes()) else {
            return false;
        };
        for part in middle {
            match memchr::memmem::find(rest, part.as_bytes()) {
                Some(i) => rest = &rest[i + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_bytes())
    }
}

/// A test on the text of one value.
#[derive(Clone, Debug)]
pub enum Test {
    Exists,
    OneOf(Vec<String>),
    Glob(Glob),
    Regex(Expression),
}

impl Test {
    /// Tests a value; `None` is a value that is absent or null.
    pub fn holds(&self, text: Option<&str>) -> bool {
        let Some(text) = text else { return false };
        match self {
            Test::Exists => true,
            Test::OneOf(list) => list.iter().any(|item| item == text),
            Test::Glob(glob) => glob.matches(text.as_bytes()),
            Test::Regex(regex) => regex.is_match(text),
        }
    }

    /// Any text is what it asks for.
    pub fn is_any(&self) -> bool {
        match self {
            Test::Exists => true,
            Test::Glob(glob) => glob.is_any(),
            _ => false,
        }
    }

    /// Tests the characters of a string without escapes where they stand.
    pub fn holds_bytes(&self, text: &[u8]) -> bool {
        match self {
            Test::Exists => true,
            Test::OneOf(list) => list.iter().any(|item| item.as_bytes() == text),
            Test::Glob(glob) => glob.matches(text),
            Test::Regex(regex) => regex.is_match(std::str::from_utf8(text).unwrap_or_default()),
        }
    }
}

/// What a step made of a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Made {
    /// The text is in the output buffer.
    Text,
    /// A text that a lookup gives to everything it does not list.
    Default,
    /// The spelling of a JSON number is in the output buffer.
    Number,
    Bool(bool),
    Time(Instant),
    /// Nothing, and nothing is wrong.
    Nothing,
}

/// The step does not apply to this value: a failed conversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

/// Applies one step to a value's text; `is_string` says whether it was a JSON string. A text
/// result is appended to `out`, which is empty.
pub fn apply(step: &Step, text: &str, is_string: bool, out: &mut String) -> Result<Made, Failed> {
    match step {
        Step::String => out.push_str(text),
        Step::Int => {
            let n = integer(text).ok_or(Failed)?;
            push_display(n, out);
            return Ok(Made::Number);
        }
        Step::Float => {
            push_float(text, is_string, out)?;
            return Ok(Made::Number);
        }
        Step::Bool => return boolean(text).map(Made::Bool).ok_or(Failed),
        Step::Lower => out.extend(text.chars().flat_map(char::to_lowercase)),
        Step::Upper => out.extend(text.chars().flat_map(char::to_uppercase)),
        Step::Trim => out.push_str(text.trim()),
        Step::Time { from, to } => {
            let instant = read_time(from, text, is_string).ok_or(Failed)?;
            match to {
                TimeOut::Rfc3339 => return Ok(Made::Time(instant)),
                TimeOut::Unix => push_display(instant.secs, out),
                TimeOut::UnixMs => {
                    let ms = instant
                        .secs
                        .checked_mul(1000)
                        .and_then(|s| s.checked_add(instant.nanos as i64 / 1_000_000));
                    push_display(ms.ok_or(Failed)?, out);
                }
            }
            return Ok(Made::Number);
        }
        Step::Ip(family) => {
            let text = text.trim();
            let found = net::ip_family(text).ok_or(Failed)?;
            if family.is_some_and(|f| f != found) {
                return Ok(Made::Nothing);
            }
            out.push_str(text);
        }
        Step::Host => out.push_str(net::split_host_port(text).ok_or(Failed)?.0),
        Step::Port => match net::split_host_port(text).ok_or(Failed)?.1 {
            Some(port) => {
                push_display(port, out);
                return Ok(Made::Number);
            }
            None => return Ok(Made::Nothing),
        },
        Step::Regex(regex) => match regex.find(text) {
            Some(found) => out.push_str(found),
            None => return Ok(Made::Nothing),
        },
        Step::Split { by, take } => match take.and_then(|n| piece(text, by, n)) {
            Some(piece) => out.push_str(piece),
            None => return Ok(Made::Nothing),
        },
        Step::Hash { key } => hash(key, text, out),
        Step::Redact(with) => out.push_str(with),
        Step::Lookup(table) => match table.find(text) {
            Some((found, default)) => {
                out.push_str(found);
                if default {
                    return Ok(Made::Default);
                }
            }
            None => return Ok(Made::Nothing),
        },
        Step::Pseudonym(pseudonyms) if !text.is_empty() => pseudonyms.push(text, out),
        Step::Pseudonym(_) => return Ok(Made::Nothing),
    }
    Ok(Made::Text)
}

/// The first format that reads the text.
pub fn read_time(formats: &[TimeFormat], text: &str, is_string: bool) -> Option<Instant> {
    formats.iter().find_map(|format| time::read(format, text, is_string).ok())
}

/// The same of a text without escapes.
pub fn read_plain_time(formats: &[TimeFormat], text: &[u8], is_string: bool) -> Option<Instant> {
    formats.iter().find_map(|format| time::read_bytes(format, text, is_string).ok())
}

/// Writes an instant as JSON text in RFC 3339, with 0, 3, 6 or 9 digits of a second.
pub fn push_time(instant: Instant, out: &mut Vec<u8>) {
    out.push(b'"');
    time::write_rfc3339(instant, Fraction::Auto, out);
    out.push(b'"');
}

fn piece<'a>(text: &'a str, by: &str, n: i64) -> Option<&'a str> {
    if n >= 0 { text.split(by).nth(n as usize) } else { text.rsplit(by).nth((-1 - n) as usize) }
}

fn push_display(value: impl std::fmt::Display, out: &mut String) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

/// SHA-256 in lower-case hexadecimal; with a key, HMAC-SHA-256 (RFC 2104).
fn hash(key: &str, text: &str, out: &mut String) {
    if !key.is_empty()
        && let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes())
    {
        mac.update(text.as_bytes());
        return push_hex(&mac.finalize().into_bytes(), out);
    }
    push_hex(&Sha256::digest(text.as_bytes()), out);
}

pub fn push_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(digit as u32, 16).unwrap_or('0'));
        }
    }
}

/// A decimal integer with optional sign that fits 64 bits (signed or unsigned).
pub fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 38 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: i128 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    (i64::MIN as i128..=u64::MAX as i128).contains(&n).then_some(n)
}

/// The texts Go's ParseBool knows, which log sources write: 1 t T TRUE true True and their opposites.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A number of so few digits that its own, without zeros at the end, are those of the shortest form: a
/// 64-bit float tells all numbers of fifteen digits apart.
fn plain_decimal(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let point = digits.iter().position(|b| *b == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    let decimal = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    // Nothing that starts with a zero: its leading zeros are no digits of the number.
    let plain =
        digits.len() <= 16 && matches!(whole, [b'1'..=b'9', ..]) && decimal(whole) && decimal(fraction);
    if !plain || (fraction.is_empty() && point < digits.len()) || whole.len() + fraction.len() > 15 {
        return None;
    }
    Some(if fraction.is_empty() { text } else { text.trim_end_matches('0').trim_end_matches('.') })
}

/// Appends a number in the shortest form that reads back as the same 64-bit float.
pub fn push_float(text: &str, is_string: bool, out: &mut String) -> Result<(), Failed> {
    if let Some(shortest) = plain_decimal(text) {
        out.push_str(shortest);
        return Ok(());
    }
    // Rust reads "inf", "nan" and "infinity" too; no JSON number is spelled so.
    let spelled = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let n: f64 = if spelled {
        text.parse().map_err(|_| Failed)?
    } else {
        return Err(Failed);
    };
    if !n.is_finite() || (is_string && text.is_empty()) {
        return Err(Failed);
    }
    let magnitude = n.abs();
    // Beyond 2^53 the digits of the shortest form are not those of the integer.
    if n == n.trunc() && magnitude < 9_007_199_254_740_992.0 {
        push_display(n as i128, out);
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        push_display(format_args!("{n:e}"), out);
    } else {
        push_display(n, out);
    }
    Ok(())
}
