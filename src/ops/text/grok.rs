//! Owns expressions with named patterns in them, `%{PATTERN:field}`, and the patterns that are
//! known without being defined. Refuses to know what a field means.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::Pairs;
use super::go_regex::translate;

#[derive(Clone, Debug)]
pub struct Grok {
    regex: Regex,
    /// The field of every group of the expression.
    fields: Vec<Option<String>>,
}

/// Patterns may stand in patterns this deep.
const DEPTH: usize = 32;

impl Grok {
    /// Compiles the parts of one expression, which stand one after the other, with patterns of the
    /// user's own.
    pub fn parse(parts: &[&str], own: &[(String, String)]) -> Result<Grok, String> {
        for (name, _) in own {
            let mut letters = name.bytes();
            let first = letters.next().is_some_and(|b| b.is_ascii_uppercase());
            if !first || !letters.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
                return Err(format!(
                    "the pattern name `{name}` is not made of capital letters, digits and `_`"
                ));
            }
            if BUILT_IN.iter().any(|(known, _)| known == name) {
                return Err(format!("`{name}` is a built-in pattern and cannot be defined again"));
            }
        }
        let mut expand = Expand { own, names: Vec::new() };
        let source = expand.text(&parts.concat(), 0)?;
        // A pattern that is defined and wrong is wrong even where nobody uses it.
        for (name, text) in own {
            expand.text(text, 0).map_err(|e| format!("`{name}`: {e}"))?;
        }
        let regex = RegexBuilder::new(&translate(&source)).octal(true).build().map_err(|e| {
            // The last line says what is wrong; those before it draw the whole expression.
            e.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_string()
        })?;
        let fields: Vec<Option<String>> = regex
            .capture_names()
            .map(|name| {
                let name = name?;
                let number = name.strip_prefix(GROUP).and_then(|n| n.parse::<usize>().ok());
                Some(number.and_then(|n| expand.names.get(n)).cloned().unwrap_or_else(|| name.into()))
            })
            .collect();
        let mut seen: Vec<&String> = fields.iter().flatten().collect();
        if seen.is_empty() {
            return Err("the expression names no field: use (?P<name>…) or %{PATTERN:name}".into());
        }
        seen.sort_unstable();
        if let Some(twice) = seen.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("the field `{}` is named twice", twice[0]));
        }
        Ok(Grok { regex, fields })
    }

    /// The named groups of the first match; one that took no part in it is an empty text.
    pub(super) fn pairs<'a>(&'a self, line: &'a str) -> Option<Pairs<'a>> {
        let found = self.regex.captures(line)?;
        let groups = self.fields.iter().enumerate();
        let named = groups.filter_map(|(i, name)| Some((i, name.as_deref()?)));
        Some(named.map(|(i, name)| (name, Cow::Borrowed(found.get(i).map_or("", |m| m.as_str())))).collect())
    }
}

/// Groups of fields are numbered, because a field's name may be none for a group.
const GROUP: &str = "field__";

struct Expand<'a> {
    own: &'a [(String, String)],
    names: Vec<String>,
}

impl Expand<'_> {
    fn text(&mut self, text: &str, depth: usize) -> Result<String, String> {
        if depth > DEPTH {
            return Err("a pattern leads back to itself".into());
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(open) = rest.find("%{") {
            let Some(close) = rest[open..].find('}') else {
                return Err("`%{` without `}`".into());
            };
            let inner = &rest[open + 2..open + close];
            let (name, field) = inner.split_once(':').unwrap_or((inner, ""));
            let pattern = self.pattern(name.trim())?.to_string();
            let pattern = self.text(&pattern, depth + 1)?;
            out.push_str(&rest[..open]);
            match field.trim() {
                "" => out.push_str("(?:"),
                field => {
                    out.push_str(&format!("(?P<{GROUP}{}>", self.names.len()));
                    self.names.push(field.into());
                }
            }
            out.push_str(&pattern);
            out.push(')');
            rest = &rest[open + close + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn pattern(&self, name: &str) -> Result<&str, String> {
        let own = self.own.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let found = own.or_else(|| BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text));
        found.ok_or_else(|| {
            let known = self.own.iter().map(|(n, _)| n.as_str()).chain(BUILT_IN.iter().map(|(n, _)| *n));
            let help = crate::error::did_you_mean(name, known).map(|h| format!("; {h}")).unwrap_or_default();
            format!("there is no pattern `{name}`{help}")
        })
    }
}

/// The names of the patterns that need no definition.
pub fn pattern_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// The patterns that need no definition, under the names that grok libraries share.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    ("DATA", r".*?"),
    ("GREEDYDATA", r".*"),
    ("NOTSPACE", r"\S+"),
    ("SPACE", r"\s*"),
    ("WORD", r"\b\w+\b"),
    ("QUOTEDSTRING", r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"#),
    ("QS", r"%{QUOTEDSTRING}"),
    ("HEXDIGIT", r"[0-9a-fA-F]"),
    ("UUID", r"%{HEXDIGIT}{8}-(?:%{HEXDIGIT}{4}-){3}%{HEXDIGIT}{12}"),
    ("INT", r"[+-]?[0-9]+"),
    ("BASE10NUM", r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"),
    ("NUMBER", r"%{BASE10NUM}"),
    ("BASE16NUM", r"[+-]?(?:0x)?%{HEXDIGIT}+"),
    ("POSINT", r"\b[1-9][0-9]*\b"),
    ("NONNEGINT", r"\b[0-9]+\b"),
    ("CISCOMAC", r"(?:%{HEXDIGIT}{4}\.){2}%{HEXDIGIT}{4}"),
    ("WINDOWSMAC", r"(?:%{HEXDIGIT}{2}-){5}%{HEXDIGIT}{2}"),
    ("COMMONMAC", r"(?:%{HEXDIGIT}{2}:){5}%{HEXDIGIT}{2}"),
    ("MAC", r"%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}"),
    (
        "IPV6",
        concat!(
            r"(?:%{HEXDIGIT}{1,4}:){7}%{HEXDIGIT}{1,4}",
            r"|(?:%{HEXDIGIT}{1,4}:){6}%{IPV4}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,6}:%{IPV4}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,5}(?::%{HEXDIGIT}{1,4}){1,2}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,4}(?::%{HEXDIGIT}{1,4}){1,3}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,3}(?::%{HEXDIGIT}{1,4}){1,4}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,2}(?::%{HEXDIGIT}{1,4}){1,5}",
            r"|%{HEXDIGIT}{1,4}:(?::%{HEXDIGIT}{1,4}){1,6}",
            r"|::(?:ffff:)?%{IPV4}",
            r"|:(?::%{HEXDIGIT}{1,4}){1,7}",
            r"|(?:%{HEXDIGIT}{1,4}:){1,7}:",
            r"|::",
        ),
    ),
    (
        "IPV4",
        r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])",
    ),
    ("IP", r"%{IPV6}|%{IPV4}"),
    ("HOSTNAME", r"\b[0-9A-Za-z](?:[0-9A-Za-z-]{0,62})(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]{0,62}))*\.?"),
    ("HOST", r"%{HOSTNAME}"),
    ("IPORHOST", r"%{IP}|%{HOSTNAME}"),
    ("HOSTPORT", r"(?:%{IPORHOST}):%{POSINT}"),
    ("USERNAME", r"[a-zA-Z0-9._-]+"),
    ("USER", r"%{USERNAME}"),
    ("UNIXPATH", r"(?:/[0-9A-Za-z_%!$@:.,~+=-]*)+"),
    ("WINPATH", r"(?:[A-Za-z]:|\\)(?:\\[^\\?*\s]*)+"),
    ("PATH", r"%{UNIXPATH}|%{WINPATH}"),
    ("TTY", r"/dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?[0-9]*"),
    ("URIPROTO", r"[A-Za-z][A-Za-z0-9+.-]*"),
    ("URIHOST", r"(?:%{IPORHOST})(?::%{POSINT})?"),
    ("URIPATH", r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+"),
    ("URIPARAM", r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*"),
    ("URIPATHPARAM", r"%{URIPATH}(?:%{URIPARAM})?"),
    ("URI", r"%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"),
    (
        "MONTH",
        r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b",
    ),
    ("MONTHNUM", r"0?[1-9]|1[0-2]"),
    ("MONTHNUM2", r"0[1-9]|1[0-2]"),
    ("MONTHDAY", r"0[1-9]|[12][0-9]|3[01]|[1-9]"),
    (
        "DAY",
        r"\b(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)\b",
    ),
    ("YEAR", r"[0-9]{4}|[0-9]{2}"),
    ("HOUR", r"2[0-3]|[01]?[0-9]"),
    ("MINUTE", r"[0-5][0-9]"),
    ("SECOND", r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?"),
    ("KITCHEN", r"\b(?:1[0-2]|0?[1-9]):[0-5][0-9] ?[AaPp][Mm]\b"),
    ("TIME", r"(?:%{HOUR}):(?:%{MINUTE})(?::(?:%{SECOND}))?"),
    ("DATE_US", r"(?:%{MONTHNUM})[/-](?:%{MONTHDAY})[/-](?:%{YEAR})"),
    ("DATE_EU", r"(?:%{MONTHDAY})[./-](?:%{MONTHNUM})[./-](?:%{YEAR})"),
    ("DATE", r"%{DATE_US}|%{DATE_EU}"),
    ("DATETIME", r"(?:%{DATE})[- ]%{TIME}"),
    ("ISO8601_TIMEZONE", r"Z|[+-](?:%{HOUR})(?::?(?:%{MINUTE}))?"),
    ("ISO8601_SECOND", r"(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?"),
    (
        "TIMESTAMP_ISO8601",
        r"[0-9]{4}-(?:%{MONTHNUM})-(?:%{MONTHDAY})[T ](?:%{HOUR}):?(?:%{MINUTE})(?::?(?:%{SECOND}))?(?:%{ISO8601_TIMEZONE})?",
    ),
    ("TZ", r"[A-Z]{3,4}"),
    ("TZOFFSET", r"[+-][0-9]{4}"),
    ("TIMESTAMP_RFC822", r"%{DAY} %{MONTH} (?:%{MONTHDAY}) (?:%{YEAR}) %{TIME} %{TZ}"),
    ("TIMESTAMP_RFC2822", r"%{DAY}, (?:%{MONTHDAY}) %{MONTH} (?:%{YEAR}) %{TIME} (?:%{ISO8601_TIMEZONE})"),
    ("TIMESTAMP_OTHER", r"%{DAY} %{MONTH} (?:%{MONTHDAY}) %{TIME} %{TZ} (?:%{YEAR})"),
    ("TIMESTAMP_EVENTLOG", r"[0-9]{4}(?:%{MONTHNUM2})(?:%{MONTHDAY})(?:%{HOUR})(?:%{MINUTE})(?:%{SECOND})"),
    ("SYSLOGTIMESTAMP", r"%{MONTH} +(?:%{MONTHDAY}) %{TIME}"),
    ("HTTPDATE", r"(?:%{MONTHDAY})/%{MONTH}/(?:%{YEAR}):%{TIME} (?:%{INT})"),
    ("NS", r"%{NOTSPACE}"),
    ("PID", r"%{POSINT}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_takes_what_it_is_named_after() {
        let cases = [
            ("DATA", ""),
            ("GREEDYDATA", "a b"),
            ("NOTSPACE", "a-b"),
            ("SPACE", "  "),
            ("WORD", "a_1"),
            ("QUOTEDSTRING", r#""a \" b""#),
            ("QS", "'a'"),
            ("HEXDIGIT", "f"),
            ("UUID", "6ce16f26-b25d-4070-9a30-4f259675a745"),
            ("INT", "-12"),
            ("BASE10NUM", "12.5"),
            ("NUMBER", "-.5"),
            ("BASE16NUM", "0xfF"),
            ("POSINT", "10"),
            ("NONNEGINT", "0"),
            ("CISCOMAC", "0000.5e00.5301"),
            ("WINDOWSMAC", "00-00-5e-00-53-01"),
            ("COMMONMAC", "00:00:5e:00:53:01"),
            ("MAC", "00:00:5e:00:53:01"),
            ("IPV6", "2001:db8::1"),
            ("IPV6", "::ffff:192.0.2.1"),
            ("IPV6", "1:2:3:4:5:6:7:8"),
            ("IPV6", "fe80::"),
            ("IPV6", "::"),
            ("IPV4", "192.0.2.255"),
            ("IP", "::1"),
            ("HOSTNAME", "gw-1.example.com"),
            ("HOST", "gw1"),
            ("IPORHOST", "192.0.2.1"),
            ("HOSTPORT", "gw1.example.com:443"),
            ("USERNAME", "a.b-c"),
            ("USER", "ana"),
            ("UNIXPATH", "/var/log/a.log"),
            ("WINPATH", r"C:\Windows\x.exe"),
            ("PATH", "/a"),
            ("TTY", "/dev/pts/1"),
            ("URIPROTO", "https"),
            ("URIHOST", "example.com:80"),
            ("URIPATH", "/a/b"),
            ("URIPARAM", "?a=b&c"),
            ("URIPATHPARAM", "/a?b=c"),
            ("URI", "https://ana:x@example.com:80/a?b=c"),
            ("MONTH", "January"),
            ("MONTHNUM", "12"),
            ("MONTHNUM2", "01"),
            ("MONTHDAY", "31"),
            ("DAY", "Fri"),
            ("YEAR", "2026"),
            ("HOUR", "23"),
            ("MINUTE", "59"),
            ("SECOND", "59.123"),
            ("KITCHEN", "3:04PM"),
            ("TIME", "03:04:05"),
            ("DATE_US", "01/31/2026"),
            ("DATE_EU", "31.01.2026"),
            ("DATE", "31.01.2026"),
            ("DATETIME", "01/31/2026 03:04:05"),
            ("ISO8601_TIMEZONE", "+01:00"),
            ("ISO8601_SECOND", "05.5"),
            ("TIMESTAMP_ISO8601", "2026-01-31T03:04:05.123Z"),
            ("TZ", "CEST"),
            ("TZOFFSET", "+0100"),
            ("TIMESTAMP_RFC822", "Sat Jan 31 2026 03:04:05 UTC"),
            ("TIMESTAMP_RFC2822", "Sat, 31 Jan 2026 03:04:05 +0000"),
            ("TIMESTAMP_OTHER", "Sat Jan 31 03:04:05 UTC 2026"),
            ("TIMESTAMP_EVENTLOG", "20260131030405"),
            ("SYSLOGTIMESTAMP", "Jan  1 03:04:05"),
            ("HTTPDATE", "31/Jan/2026:03:04:05 +0000"),
            ("NS", "x"),
            ("PID", "1"),
        ];
        for (name, text) in cases {
            let whole = format!("^%{{{name}:value}}$");
            let grok = Grok::parse(&[&whole], &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(grok.pairs(text), Some(vec![("value", Cow::Borrowed(text))]), "{name}");
        }
        for (name, _) in BUILT_IN {
            assert!(cases.iter().any(|(n, _)| n == name), "{name} has no example");
        }
        let not = [
            ("IPV4", "256.0.0.1"),
            ("UUID", "6ce16f26"),
            ("POSINT", "0"),
            ("MONTHNUM", "13"),
            ("IPV6", "1::2::3"),
        ];
        for (name, text) in not {
            let grok = Grok::parse(&[&format!("^%{{{name}:value}}$")], &[]).expect("a pattern");
            assert_eq!(grok.pairs(text), None, "{name}: {text}");
        }
    }

    #[test]
    fn a_whole_line_is_taken_apart() {
        let line = r#"192.0.2.1 - ana [31/Jan/2026:03:04:05 +0000] "GET /a?b=c HTTP/1.1" 200 -"#;
        let expression = r#"^%{IPORHOST:ip} %{USER:ident} %{USER:user} \[%{HTTPDATE:time}\] "%{WORD:method} %{NOTSPACE:path} HTTP/%{NUMBER:version}" %{INT:status} (?:%{INT:bytes}|-)$"#;
        let grok = Grok::parse(&[expression], &[]).expect("an expression");
        let pairs: Vec<(&str, String)> =
            grok.pairs(line).expect("a match").into_iter().map(|(k, v)| (k, v.into_owned())).collect();
        let get = |name: &str| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| v.as_str());
        assert_eq!(
            (get("ip"), get("user"), get("time")),
            (Some("192.0.2.1"), Some("ana"), Some("31/Jan/2026:03:04:05 +0000"))
        );
        assert_eq!((get("status"), get("bytes")), (Some("200"), Some("")));
    }
}
