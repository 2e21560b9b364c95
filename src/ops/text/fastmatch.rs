//! Owns patterns of literals and `%{names}`, which are searched from left to right without going
//! back; refuses to know expressions.

use std::borrow::Cow;

use super::Pairs;

/// Patterns tried in order; the first that matches counts.
#[derive(Clone, Debug)]
pub struct FastMatch(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    prefix: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    /// Empty where the value is not wanted.
    name: String,
    /// What ends the value; empty for the last one, which takes the rest.
    until: String,
    /// The quote that stands on both sides.
    quote: Option<char>,
}

impl FastMatch {
    pub fn parse(patterns: &[&str]) -> Result<FastMatch, String> {
        patterns.iter().map(|text| Pattern::parse(text)).collect::<Result<_, _>>().map(FastMatch)
    }

    pub(super) fn pairs<'a>(&'a self, line: &'a str) -> Option<Pairs<'a>> {
        self.0.iter().find_map(|pattern| pattern.pairs(line))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, String> {
        let (prefix, mut rest) = text.split_once("%{").ok_or("a pattern needs at least one `%{name}`")?;
        let mut fields: Vec<Field> = Vec::new();
        let mut before = prefix;
        loop {
            let (name, behind) = rest.split_once('}').ok_or("`%{` without `}`")?;
            let (until, next) = match behind.split_once("%{") {
                Some((until, next)) => (until, Some(next)),
                None => (behind, None),
            };
            if until.is_empty() && next.is_some() {
                return Err(format!(
                    "nothing tells `%{{{name}}}` from the name behind it: put text between them"
                ));
            }
            let quote =
                before.chars().next_back().filter(|q| matches!(q, '"' | '\'') && until.starts_with(*q));
            fields.push(Field { name: name.trim().into(), until: until.into(), quote });
            before = until;
            match next {
                Some(next) => rest = next,
                None => return Ok(Pattern { prefix: prefix.into(), fields }),
            }
        }
    }

    fn pairs<'a>(&'a self, line: &'a str) -> Option<Pairs<'a>> {
        let mut rest = line.strip_prefix(self.prefix.as_str())?;
        let mut pairs = Pairs::with_capacity(self.fields.len());
        for field in &self.fields {
            let (value, behind) = field.take(rest)?;
            if !field.name.is_empty() {
                pairs.push((&field.name, value));
            }
            rest = behind;
        }
        Some(pairs)
    }
}

impl Field {
    /// The value at the start of the text, and what follows its delimiter.
    fn take<'a>(&self, text: &'a str) -> Option<(Cow<'a, str>, &'a str)> {
        if self.until.is_empty() {
            return Some((Cow::Borrowed(text), ""));
        }
        let plain = text.split_once(self.until.as_str());
        match (self.quote, plain) {
            (Some(quote), Some((value, _))) if value.contains('\\') => {
                let (value, behind) = unquote(text, quote)?;
                Some((Cow::Owned(value), behind.strip_prefix(self.until.as_str())?))
            }
            (_, plain) => plain.map(|(value, behind)| (Cow::Borrowed(value), behind)),
        }
    }
}

/// The text up to the quote that closes it, escapes undone as in a Go string, and the rest from
/// that quote on. An escape that Go does not know stays as it is.
fn unquote(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let stop = rest.find(['\\', quote])?;
        value.push_str(&rest[..stop]);
        rest = &rest[stop..];
        if rest.starts_with(quote) {
            return Some((value, rest));
        }
        match escape(&rest[1..], quote) {
            Some((c, len)) => {
                value.push(c);
                rest = &rest[1 + len..];
            }
            None => {
                value.push('\\');
                rest = &rest[1..];
            }
        }
    }
}

/// The character behind a backslash, and how many bytes it takes.
fn escape(text: &str, quote: char) -> Option<(char, usize)> {
    let number = |from: usize, len: usize, radix: u32| {
        let digits = text.get(from..from + len).filter(|d| d.chars().all(|c| c.is_digit(radix)))?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?).map(|c| (c, from + len))
    };
    let c = match text.chars().next()? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        'x' => return number(1, 2, 16),
        'u' => return number(1, 4, 16),
        'U' => return number(1, 8, 16),
        '0'..='7' => return number(0, 3, 8),
        c if c == quote => c,
        _ => return None,
    };
    Some((c, 1))
}
