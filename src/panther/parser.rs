//! Owns the `parser` of a schema as its users write it: which text parser, and its options.
//! Refuses to know how lines are read.

use super::Parser;
use crate::ops::text::{Csv, FastMatch, Grok, How, Template, TextParser};
use crate::table::{At, texts};
use crate::yaml::{Complaints, Node};

const KINDS: &[&str] = &["csv", "fastmatch", "regex", "native", "script"];
/// Options that all text parsers have.
const OPTIONS: &[&str] = &["trimSpace", "emptyValues", "expandFields", "skipPrefix"];
const CSV: &[&str] = &["delimiter", "hasHeader", "columns"];
const FAST: &[&str] = &["match"];
/// The schema language itself misspells a key, so both spellings are in use.
const REGEX: &[&str] = &["match", "patternDefinitions", "patternDefintions"];

/// How the records of a schema are read, and by which text parser; one that is wrong is told of.
pub(super) fn parse(
    node: &Node,
    out: &mut Complaints,
    warnings: &mut Complaints,
) -> (Parser, Option<TextParser>) {
    if let Some([(kind, options)]) = node.map() {
        match &*kind.text {
            "native" => {
                let name = options.get("name").and_then(Node::text).unwrap_or_default();
                return (Parser::Native(name.to_string()), None);
            }
            "script" | "starlark" => {
                return (Parser::Script(At::new(kind.text.to_string(), kind.span.clone())), None);
            }
            _ => {}
        }
    }
    (Parser::Text, text(node, out, warnings))
}

fn text(node: &Node, out: &mut Complaints, warnings: &mut Complaints) -> Option<TextParser> {
    let Some([(kind, options)]) = node.map() else {
        let known = KINDS.join(", ");
        out.add(&node.span, format!("a parser is a map with exactly one key of: {known}"));
        return None;
    };
    let known = match &*kind.text {
        "csv" => CSV,
        "fastmatch" => FAST,
        "regex" => REGEX,
        other => {
            out.unknown(&kind.span, "parser", other, KINDS);
            return None;
        }
    };
    let Some(entries) = options.map() else {
        out.add(&options.span, format!("`{}` is a map of options, not {}", kind.text, options.what()));
        return None;
    };
    for (key, _) in entries {
        if !known.contains(&&*key.text) && !OPTIONS.contains(&&*key.text) {
            let all = known.iter().chain(OPTIONS).copied();
            let help = crate::error::did_you_mean(&key.text, all);
            let message = format!("unknown key `{}` of `{}` is ignored", key.text, kind.text);
            warnings.add(&key.span, message).help = help;
        }
    }
    let how = match &*kind.text {
        "csv" => How::Csv(csv(options, &kind.span, out)?),
        "fastmatch" => How::Fast(fast(options, out)?),
        _ => How::Regex(regex(options, out)?),
    };
    let flag = |key: &str, out: &mut Complaints| flag(options, key, out);
    let trim = flag("trimSpace", out);
    let empty = options.get("emptyValues").map(|list| plain(texts(list, out))).unwrap_or_default();
    let skip_prefix = options.get("skipPrefix").and_then(Node::text).filter(|t| !t.is_empty());
    let mut expand = Vec::new();
    for (name, template) in options.get("expandFields").and_then(Node::map).unwrap_or_default() {
        match template.text().ok_or("a template is a text".to_string()).and_then(Template::parse) {
            Ok(template) => expand.push((name.text.to_string(), template)),
            Err(message) => {
                out.add(&template.span, message);
            }
        }
    }
    Some(TextParser { how, skip_prefix: skip_prefix.map(str::to_string), trim, empty, expand })
}

fn plain(list: Vec<At<String>>) -> Vec<String> {
    list.into_iter().map(|text| text.is).collect()
}

fn flag(options: &Node, key: &str, out: &mut Complaints) -> bool {
    let Some(node) = options.get(key) else { return false };
    node.bool().unwrap_or_else(|| {
        out.add(&node.span, format!("`{key}` is true or false"));
        false
    })
}

fn csv(options: &Node, at: &std::ops::Range<usize>, out: &mut Complaints) -> Option<Csv> {
    let has_header = flag(options, "hasHeader", out);
    let columns = options.get("columns").map(|list| plain(texts(list, out))).filter(|list| !list.is_empty());
    if !has_header && columns.is_none() {
        out.add(at, "a csv parser needs `columns`, or `hasHeader: true`");
        return None;
    }
    let delimiter = match options.get("delimiter").map(|n| (n, n.text().unwrap_or_default())) {
        None => ',',
        Some((node, text)) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if !matches!(c, '"' | '\n' | '\r') => c,
                _ => {
                    out.add(&node.span, "`delimiter` is one character, and neither a quote nor a line end");
                    return None;
                }
            }
        }
    };
    Some(Csv { delimiter, has_header, columns })
}

fn patterns(options: &Node, out: &mut Complaints) -> Option<Vec<At<String>>> {
    let Some(list) = options.get("match") else {
        out.add(&(options.span.start..options.span.start + 1), "`match` is missing");
        return None;
    };
    let list = texts(list, out);
    (!list.is_empty()).then_some(list)
}

fn fast(options: &Node, out: &mut Complaints) -> Option<FastMatch> {
    let list = patterns(options, out)?;
    let mut right = true;
    for text in &list {
        if let Err(message) = FastMatch::parse(&[&text.is]) {
            out.add(&text.span, message);
            right = false;
        }
    }
    let all: Vec<&str> = list.iter().map(|t| t.is.as_str()).collect();
    FastMatch::parse(&all).ok().filter(|_| right)
}

fn regex(options: &Node, out: &mut Complaints) -> Option<Grok> {
    let list = patterns(options, out)?;
    let mut own = Vec::new();
    for key in ["patternDefinitions", "patternDefintions"] {
        for (name, text) in options.get(key).and_then(Node::map).unwrap_or_default() {
            match text.text() {
                Some(text) => own.push((name.text.to_string(), text.to_string())),
                None => {
                    out.add(&text.span, format!("a pattern is a text, not {}", text.what()));
                }
            }
        }
    }
    let all: Vec<&str> = list.iter().map(|t| t.is.as_str()).collect();
    match Grok::parse(&all, &own) {
        Ok(grok) => Some(grok),
        Err(message) => {
            out.add(&list[0].span, message);
            None
        }
    }
}
