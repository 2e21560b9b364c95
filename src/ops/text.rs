//! Owns lines of text that are no JSON: parsers that take the fields out of a line and write them
//! as a JSON object of strings. Refuses to know schemas, files and what a field means.

mod csv;
mod fastmatch;
mod go_regex;
mod grok;

use std::borrow::Cow;

pub use csv::Csv;
pub use fastmatch::FastMatch;
pub use grok::{Grok, pattern_names};

use crate::json::push_quoted;

/// A parser with the options that all kinds have.
#[derive(Clone, Debug)]
pub struct TextParser {
    pub how: How,
    /// Lines that begin so are no records.
    pub skip_prefix: Option<String>,
    /// White space around values is taken away.
    pub trim: bool,
    /// Values that count as none.
    pub empty: Vec<String>,
    /// Fields made of others.
    pub expand: Vec<(String, Template)>,
}

#[derive(Clone, Debug)]
pub enum How {
    Csv(Csv),
    Fast(FastMatch),
    Regex(Grok),
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parsed {
    /// A record: its JSON text was written.
    Object,
    /// A comment or a header.
    Skipped,
}

/// Names and values of one line; the last of a name counts.
type Pairs<'a> = Vec<(&'a str, Cow<'a, str>)>;

impl TextParser {
    /// Whether the parser takes names, or the number of values, from the first line of its input.
    pub fn wants_header(&self) -> bool {
        matches!(&self.how, How::Csv(csv) if csv.has_header)
    }

    pub fn skips(&self, line: &str) -> bool {
        self.skip_prefix.as_ref().is_some_and(|prefix| line.starts_with(prefix.as_str()))
    }

    /// The values of a header line.
    pub fn header(&self, line: &str) -> Vec<String> {
        match &self.how {
            How::Csv(csv) => csv.values(line).into_iter().map(Cow::into_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// Writes the record of a line, without its line end, as one JSON object. `header` is what
    /// [`TextParser::header`] made of the input's first line. The error says why the line does not
    /// match, without a byte of it.
    pub fn object(&self, line: &str, header: Option<&[String]>, out: &mut Vec<u8>) -> Result<Parsed, String> {
        if self.skips(line) {
            return Ok(Parsed::Skipped);
        }
        let mut pairs = match &self.how {
            How::Csv(csv) => csv.pairs(line, header)?,
            How::Fast(patterns) => patterns.pairs(line).ok_or("no pattern matches the line")?,
            How::Regex(grok) => grok.pairs(line).ok_or("the expression does not match the line")?,
        };
        if self.trim {
            for (_, value) in &mut pairs {
                if value.trim().len() != value.len() {
                    *value = Cow::Owned(value.trim().to_string());
                }
            }
        }
        let empty = |value: &str| self.empty.iter().any(|e| e == value);
        pairs.retain(|(_, value)| !empty(value));
        out.push(b'{');
        for (name, value) in &pairs {
            member(name, value, out);
        }
        for (name, template) in &self.expand {
            let value = template.fill(&pairs);
            if !value.is_empty() && !empty(&value) {
                member(name, &value, out);
            }
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
        Ok(Parsed::Object)
    }
}

fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    push_quoted(name, out);
    out.push(b':');
    push_quoted(value, out);
    out.push(b',');
}

/// A text with `%{names}` in it.
#[derive(Clone, Debug)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("%{") {
            let Some(close) = rest[open..].find('}') else {
                return Err("`%{` without `}`".into());
            };
            pieces.push(Piece::Text(rest[..open].into()));
            pieces.push(Piece::Name(rest[open + 2..open + close].trim().into()));
            rest = &rest[open + close + 1..];
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Template(pieces))
    }

    /// A name that is not there is an empty text.
    fn fill(&self, pairs: &Pairs) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) => {
                    let value = pairs.iter().rev().find(|(known, _)| known == name);
                    out.push_str(value.map_or("", |(_, v)| v));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(how: How) -> TextParser {
        TextParser { how, skip_prefix: None, trim: false, empty: Vec::new(), expand: Vec::new() }
    }

    fn object(parser: &TextParser, line: &str, header: Option<&str>) -> Result<String, String> {
        let names = header.map(|line| parser.header(line));
        let mut out = Vec::new();
        match parser.object(line, names.as_deref(), &mut out)? {
            Parsed::Skipped => Ok("skipped".into()),
            Parsed::Object => Ok(String::from_utf8(out).expect("UTF-8")),
        }
    }

    fn columns(names: &[&str]) -> How {
        let columns = Some(names.iter().map(|n| n.to_string()).collect());
        How::Csv(Csv { delimiter: ',', has_header: false, columns })
    }

    #[test]
    fn options_come_in_their_order() {
        let template = |text: &str| Template::parse(text).expect("a template");
        let parser = TextParser {
            empty: vec!["-".into()],
            expand: vec![("ts".into(), template("%{a}-%{ b }-%{zz}")), ("a".into(), template("override"))],
            ..plain(columns(&["a", "b"]))
        };
        assert_eq!(object(&parser, "x,1", None).unwrap(), r#"{"a":"x","b":"1","ts":"x-1-","a":"override"}"#);
        assert_eq!(object(&parser, "-,-", None).unwrap(), r#"{"ts":"--","a":"override"}"#);
        let trims = TextParser { trim: true, empty: vec!["-".into()], ..plain(columns(&["a", "b"])) };
        assert_eq!(object(&trims, " x ,\" - \"", None).unwrap(), r#"{"a":"x"}"#);
        let skips = TextParser { skip_prefix: Some("#".into()), ..plain(columns(&["a"])) };
        assert_eq!(object(&skips, "# x", None).unwrap(), "skipped");
        assert!(Template::parse("%{a").is_err());
    }

    #[test]
    fn comma_separated_values() {
        let three = plain(columns(&["a", "b", "c"]));
        for (line, found) in [
            ("x,1,y", r#"{"a":"x","b":"1","c":"y"}"#),
            (" x , 2 ,\"y, z\"", r#"{"a":" x ","b":" 2 ","c":"y, z"}"#),
            ("x,1", r#"{"a":"x","b":"1","c":""}"#),
            ("x,1,y,z", r#"{"a":"x","b":"1","c":"y"}"#),
            ("x,\"1\"\",y", r#"{"a":"x","b":"1\",y","c":""}"#),
            ("\"un\"q\"uoted\",1,b", r#"{"a":"un\"q\"uoted","b":"1","c":"b"}"#),
            ("a\"b,\"\",\"c\"\"d\"", r#"{"a":"a\"b","b":"","c":"c\"d"}"#),
            (",,", r#"{"a":"","b":"","c":""}"#),
        ] {
            assert_eq!(object(&three, line, None).unwrap(), found, "{line}");
        }
        let unnamed = plain(columns(&["a", "", "c"]));
        assert_eq!(object(&unnamed, "1,2,3", None).unwrap(), r#"{"a":"1","c":"3"}"#);
        let header = plain(How::Csv(Csv { delimiter: ',', has_header: true, columns: None }));
        assert!(header.wants_header() && !three.wants_header());
        assert_eq!(object(&header, "x,1,y", Some("a,b,zz")).unwrap(), r#"{"a":"x","b":"1","zz":"y"}"#);
        for line in ["x,2", "x,3,y,q"] {
            let fault = object(&header, line, Some("a,b,zz")).expect_err(line);
            assert!(fault.contains("values") && fault.contains('3'), "{fault}");
        }
        assert!(object(&header, "x,2", None).expect_err("no header").contains("first line"));
        let tabs = plain(How::Csv(Csv {
            delimiter: '\t',
            has_header: false,
            columns: Some(vec!["a".into(), "b".into()]),
        }));
        assert_eq!(object(&tabs, "\tx", None).unwrap(), r#"{"a":"","b":"x"}"#);
    }

    #[test]
    fn patterns_of_literals_and_names() {
        let patterns = |list: &[&str]| plain(How::Fast(FastMatch::parse(list).expect("patterns")));
        let two = patterns(&["%{a} [%{b}] \"%{c}\" %{}|%{d}", "%{a} %{b}"]);
        for (line, found) in [
            (r#"x [y] "z \"q\" w" junk|tail more"#, r#"{"a":"x","b":"y","c":"z \"q\" w","d":"tail more"}"#),
            ("x y z", r#"{"a":"x","b":"y z"}"#),
            ("  x y", r#"{"a":"","b":" x y"}"#),
            (r#"x [y] "z" |"#, r#"{"a":"x","b":"y","c":"z","d":""}"#),
            (r#"x [y] "t\tu\x41\u00e9\101\d" |"#, r#"{"a":"x","b":"y","c":"t\tuAéA\\d","d":""}"#),
            (r#"x [y] "a"b" q|r\n"#, r#"{"a":"x","b":"y","c":"a\"b","d":"r\\n"}"#),
        ] {
            assert_eq!(object(&two, line, None).unwrap(), found, "{line}");
        }
        assert!(object(&two, "x", None).is_err());
        let fixed = patterns(&["GET %{path} HTTP"]);
        assert_eq!(object(&fixed, "GET /a HTTP/1.1", None).unwrap(), r#"{"path":"/a"}"#, "the rest is free");
        assert!(object(&fixed, "xGET /a HTTP/1.1", None).is_err(), "the beginning is not");
        for wrong in ["%{a}%{b}", "%{a", "no name", ""] {
            assert!(FastMatch::parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn expressions_with_patterns() {
        let own = [("FOO".to_string(), "f(o)+".to_string())];
        let grok = |list: &[&str]| Grok::parse(list, &own).map(|g| plain(How::Regex(g)));
        let parser = grok(&["^%{NOTSPACE:a} ", "(?P<b>%{FOO})?%{GREEDYDATA:c}$"]).expect("an expression");
        assert_eq!(object(&parser, "x foo bar", None).unwrap(), r#"{"a":"x","b":"foo","c":" bar"}"#);
        assert_eq!(object(&parser, "x bar", None).unwrap(), r#"{"a":"x","b":"","c":"bar"}"#);
        assert!(object(&parser, "nomatch", None).is_err());
        let anywhere = grok(&["%{IPV4:ip}"]).expect("an expression");
        assert_eq!(object(&anywhere, "from 192.0.2.1 on", None).unwrap(), r#"{"ip":"192.0.2.1"}"#);
        let dotted = grok(&["%{WORD:http.method} %{INT:a-b}"]).expect("names that are no words");
        assert_eq!(object(&dotted, "GET -5", None).unwrap(), r#"{"http.method":"GET","a-b":"-5"}"#);
        for (wrong, why) in [
            ("%{NOPE:a}", "NOPE"),
            ("(?P<a>x", "unclosed"),
            ("%{WORD:a} %{WORD:a}", "`a`"),
            ("x", "no field"),
        ] {
            let fault = grok(&[wrong]).expect_err(wrong);
            assert!(fault.contains(why), "{wrong}: {fault}");
        }
        let define = |name: &str, text: &str| Grok::parse(&["%{WORD:a}"], &[(name.into(), text.into())]);
        assert!(define("WORD", "x").expect_err("built in").contains("built-in"));
        assert!(define("lower", "x").expect_err("a name").contains("capital"));
        assert!(define("LOOP", "%{LOOP}").expect_err("a loop").contains("itself"));
    }

    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        let take = |expression: &str, line: &str| {
            let grok = Grok::parse(&[expression], &[]).unwrap_or_else(|e| panic!("{expression}: {e}"));
            object(&plain(How::Regex(grok)), line, None).ok()
        };
        // Classes are of ASCII, a brace that repeats nothing is a brace, a bracket in a class a bracket.
        assert_eq!(take(r"^(?P<a>\d+)$", "٣"), None);
        assert_eq!(take(r"^(?P<a>\w+)$", "é"), None);
        assert_eq!(take(r"^(?P<a>\W+)$", "é").as_deref(), Some(r#"{"a":"é"}"#));
        assert_eq!(take(r"^(?P<a>[\d[]+)$", "1[").as_deref(), Some(r#"{"a":"1["}"#));
        assert_eq!(take(r"^{(?P<a>[^}]*)}$", "{x}").as_deref(), Some(r#"{"a":"x"}"#));
        assert_eq!(take(r"^(?P<a>x{2})$", "xx").as_deref(), Some(r#"{"a":"xx"}"#));
        assert_eq!(take(r"^\Qa.b\E(?P<a>.*)$", "a.bc").as_deref(), Some(r#"{"a":"c"}"#));
        assert_eq!(take(r"^(?P<a>[[:alpha:]&&x-]+)$", "a&-").as_deref(), Some(r#"{"a":"a&-"}"#));
        assert_eq!(take(r"^(?P<a>[^\D]+)$", "12").as_deref(), Some(r#"{"a":"12"}"#));
    }
}
