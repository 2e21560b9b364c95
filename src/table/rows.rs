//! A table: rows of `from → to` plus words of the closed vocabulary.

use super::path::{parse_path, parse_target_path};
use super::{At, Ignored, Path, Seg, one_text, only_keys, parse_ignored, texts};
use crate::error::Diagnostic;
use crate::ops::expression::{Expression, Fault};
use crate::ops::net::Family;
use crate::ops::time::TimeFormat;
use crate::ops::{Glob, Lookup, Step, Test, TimeOut, words};
use crate::yaml::{Complaints, Node, NodeKind, Source};

#[derive(Clone, Debug)]
pub struct Table {
    pub at: Source,
    pub target: At<String>,
    /// The normalization rate the table's author expects, in percent.
    pub expected_rate: Option<f64>,
    /// One event per element of this list.
    pub each: Option<At<Path>>,
    pub rows: Vec<Row>,
    /// Documented paths of the source that this table leaves unread on purpose.
    pub ignored: Vec<Ignored>,
    /// What is wrong with the rows that are missing here.
    pub wrong: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub to: At<Vec<Seg>>,
    pub to_text: String,
    pub from: From,
    pub when: Option<Box<Cond>>,
    pub steps: Vec<Step>,
    pub list_step: Option<At<ListStep>>,
    pub label: Option<Label>,
    pub distinct: bool,
    pub required: bool,
    /// Something of the row was complained of: only its target can still be judged.
    pub wrong: bool,
}

#[derive(Clone, Debug)]
pub enum From {
    /// The first of these that holds something.
    Paths(Vec<At<Path>>),
    Const(At<String>),
    Template(At<Vec<Piece>>),
    /// How many elements a list has for which the test holds.
    Count {
        list: At<Path>,
        only: Option<Box<Cond>>,
    },
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    Path(At<Path>),
}

/// What a list becomes on its way into one value.
#[derive(Clone, PartialEq, Debug)]
pub enum ListStep {
    Join(String),
    First,
    Last,
    /// One text becomes a list of its pieces.
    Split(String),
}

#[derive(Clone, Debug)]
pub enum Label {
    Const(At<String>),
    From(At<Path>),
}

/// A condition on the record.
#[derive(Clone, Debug)]
pub enum Cond {
    Test { path: At<Path>, test: Test },
    Not(Box<Cond>),
    Any(Vec<Cond>),
    All(Vec<Cond>),
}

impl Cond {
    /// Every path the condition reads.
    pub fn paths(&self) -> Vec<&At<Path>> {
        match self {
            Cond::Test { path, .. } => vec![path],
            Cond::Not(inner) => inner.paths(),
            Cond::Any(list) | Cond::All(list) => list.iter().flat_map(Cond::paths).collect(),
        }
    }
}

impl Row {
    /// A row that sets one field of every event.
    pub(crate) fn set(to: &At<Vec<Seg>>, value: &str) -> Row {
        Row {
            to: to.clone(),
            to_text: String::new(),
            from: From::Const(At::new(value.to_string(), to.span.clone())),
            when: None,
            steps: Vec::new(),
            list_step: None,
            label: None,
            distinct: false,
            required: false,
            wrong: false,
        }
    }
}

impl Table {
    /// What can be read of a table, its complaints inside; an error where nothing can.
    pub fn parse(at: &Source, root: &Node) -> Result<Table, Vec<Diagnostic>> {
        let mut out = Complaints::new(at);
        match read(at, root, &mut out) {
            Some(mut table) => {
                table.wrong = out.list;
                Ok(table)
            }
            None => Err(out.list),
        }
    }
}

fn read(at: &Source, root: &Node, out: &mut Complaints) -> Option<Table> {
    if root.map().is_none() {
        out.add(&root.span, "a table is a map of keys");
        return None;
    }
    only_keys(root, "a table", &["target", "note", "expected_rate", "each", "rows", "ignore"], out);
    let target = super::need_text(root, "a table", "target", out)?;
    let expected_rate = root.get("expected_rate").and_then(|node| {
        let rate = node.text().and_then(|t| t.parse().ok()).filter(|r| (0.0..=100.0).contains(r));
        if rate.is_none() {
            out.add(&node.span, "`expected_rate` is a percentage from 0 to 100");
        }
        rate
    });
    let each = root.get("each").and_then(|node| parse_path_node(node, out));
    if let Some(each) = &each
        && each.is.segs.last() != Some(&Seg::Each)
    {
        out.add(&each.span, "`each` names a list: its path ends with `[]`");
    }
    let Some(nodes) = root.get("rows").and_then(Node::list) else {
        out.add(&target.span, "a table needs `rows`: a list of rows");
        return None;
    };
    let mut rows = Vec::with_capacity(nodes.len());
    for node in nodes {
        let complaints = out.list.len();
        if let Some(mut row) = row(node, out) {
            row.wrong = out.list.len() > complaints;
            rows.push(row);
        }
    }
    let ignored = root.get("ignore").map(|node| parse_ignored(node, out)).unwrap_or_default();
    Some(Table { at: at.clone(), target, expected_rate, each, rows, ignored, wrong: Vec::new() })
}

fn row(node: &Node, out: &mut Complaints) -> Option<Row> {
    if node.map().is_none() {
        out.add(&node.span, format!("a row is a map like {{to: …, from: …}}, not {}", node.what()));
        return None;
    }
    only_keys(node, "a row", words::ROW, out);
    let to = super::need_text(node, "a row", "to", out)?;
    let to_path = match parse_target_path(&to.is) {
        Ok(path) => At::new(path, to.span.clone()),
        Err((at, message)) => {
            let start = to.span.start + at + quote(node.get("to"));
            out.add(&(start..start + 1), message);
            return None;
        }
    };
    let mut origins =
        ["from", "const", "template", "count"].into_iter().filter(|key| node.get(key).is_some());
    let origin = match (origins.next(), origins.next()) {
        (Some(one), None) => one,
        (None, _) => {
            out.add(&to.span, "a row takes its value from one of `from`, `const`, `template`, `count`");
            return None;
        }
        (Some(one), Some(two)) => {
            let many: Vec<&str> = [one, two].into_iter().chain(origins).collect();
            out.add(&to.span, format!("a row has one origin, not {}", many.join(" and ")));
            return None;
        }
    };
    let from = match origin {
        "from" => From::Paths(paths(node.get("from")?, out)?),
        "const" => {
            let value = node.get("const")?;
            let Some(text) = value.text() else {
                out.add(&value.span, format!("`const` is one scalar, not {}", value.what()));
                return None;
            };
            From::Const(At::new(text.to_string(), value.span.clone()))
        }
        "template" => From::Template(template(node.get("template")?, out)?),
        _ => {
            let list = parse_path_node(node.get("count")?, out)?;
            if list.is.segs.last() != Some(&Seg::Each) {
                out.add(&list.span, "`count` counts the elements of a list: its path ends with `[]`");
            }
            let only = node.get("where").map(|cond| parse_cond(cond, out));
            From::Count { list, only: only.flatten().map(Box::new) }
        }
    };
    if let (Some(cond), false) = (node.get("where"), matches!(from, From::Count { .. })) {
        out.add(&cond.span, "`where` belongs to `count`; a row's own condition is `when`");
    }
    let when = match node.get("when") {
        Some(cond) => Some(Box::new(parse_cond(cond, out)?)),
        None => None,
    };
    let (steps, list_step) = node.get("as").map(|steps| parse_steps(steps, out)).unwrap_or_default();
    if let (Some(given), From::Count { .. }) = (node.get("as"), &from) {
        out.add(&given.span, "`count` gives a number and takes no steps");
    }
    let label = match (node.get("label"), node.get("label_from")) {
        (Some(_), Some(from)) => {
            out.add(&from.span, "a label has one key: `label` (a text) or `label_from` (a path)");
            None
        }
        (Some(text), None) => {
            let text = one_text(text, out)?;
            Some(Label::Const(text))
        }
        (None, Some(path)) => Some(Label::From(parse_path_node(path, out)?)),
        (None, None) => None,
    };
    let mut flag = |key: &str| match node.get(key) {
        Some(value) => value.bool().unwrap_or_else(|| {
            out.add(&value.span, format!("`{key}` is true or false"));
            false
        }),
        None => false,
    };
    let (distinct, required) = (flag("distinct"), flag("required"));
    Some(Row {
        to: to_path,
        to_text: to.is,
        from,
        when,
        steps,
        list_step,
        label,
        distinct,
        required,
        wrong: false,
    })
}

fn paths(node: &Node, out: &mut Complaints) -> Option<Vec<At<Path>>> {
    let items = match node.list() {
        Some([]) => {
            out.add(&node.span, "an empty list of paths");
            return None;
        }
        Some(items) => items,
        None => std::slice::from_ref(node),
    };
    let mut paths = Vec::with_capacity(items.len());
    for item in items {
        paths.push(parse_path_node(item, out)?);
    }
    Some(paths)
}

/// The opening quote of a scalar is a byte of its place, not of its text.
fn quote(node: Option<&Node>) -> usize {
    node.is_some_and(|n| matches!(&n.kind, NodeKind::Scalar { plain: false, .. })) as usize
}

/// One path, or a complaint that points into it.
pub(super) fn parse_path_node(node: &Node, out: &mut Complaints) -> Option<At<Path>> {
    let Some(text) = node.text() else {
        out.add(&node.span, format!("a path is needed here, not {}", node.what()));
        return None;
    };
    match parse_path(text) {
        Ok(path) => Some(At::new(path, node.span.clone())),
        Err((at, message)) => {
            let start = node.span.start + at + quote(Some(node));
            out.add(&(start..start + 1), format!("in the path `{text}`: {message}"));
            None
        }
    }
}

/// `text {path} text`; `{{` and `}}` are braces.
fn template(node: &Node, out: &mut Complaints) -> Option<At<Vec<Piece>>> {
    let Some(text) = node.text() else {
        out.add(&node.span, format!("`template` is a text, not {}", node.what()));
        return None;
    };
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(i) = rest.find(['{', '}']) {
        literal.push_str(&rest[..i]);
        let brace = &rest[i..i + 1];
        if rest[i + 1..].starts_with(brace) {
            literal.push_str(brace);
            rest = &rest[i + 2..];
            continue;
        }
        let Some(end) = rest[i..].find('}').filter(|_| brace == "{") else {
            out.add(&node.span, "a template has a brace that does not close; write `{{` or `}}` for a brace");
            return None;
        };
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        match parse_path(rest[i + 1..i + end].trim()) {
            Ok(path) => pieces.push(Piece::Path(At::new(path, node.span.clone()))),
            Err((_, message)) => {
                out.add(&node.span, format!("in the template's `{}`: {message}", &rest[i..=i + end]));
                return None;
            }
        }
        rest = &rest[i + end + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Some(At::new(pieces, node.span.clone()))
}

/// A condition: a map of tests on one path, `not`, `any`, `all`; a list means `all`.
pub fn parse_cond(node: &Node, out: &mut Complaints) -> Option<Cond> {
    if let Some(items) = node.list() {
        return items.iter().map(|item| parse_cond(item, out)).collect::<Option<_>>().map(Cond::All);
    }
    let Some(entries) = node.map() else {
        out.add(
            &node.span,
            format!("a condition is a map like {{path: type, equals: x}}, not {}", node.what()),
        );
        return None;
    };
    only_keys(node, "a condition", words::TEST, out);
    let mut all = Vec::new();
    let path = match node.get("path") {
        Some(path) => Some(parse_path_node(path, out)?),
        None => None,
    };
    for (key, value) in entries {
        let test = match &*key.text {
            "not" => {
                all.push(Cond::Not(Box::new(parse_cond(value, out)?)));
                continue;
            }
            "any" | "all" => {
                let Some(items) = value.list() else {
                    out.add(&value.span, format!("`{}` takes a list of conditions", key.text));
                    return None;
                };
                let list = items.iter().map(|item| parse_cond(item, out)).collect::<Option<Vec<_>>>()?;
                all.push(if key.text == "any" { Cond::Any(list) } else { Cond::All(list) });
                continue;
            }
            "exists" => match value.bool() {
                Some(true) => Test::Exists,
                Some(false) if path.is_some() => {
                    let test = Cond::Test { path: path.clone()?, test: Test::Exists };
                    all.push(Cond::Not(Box::new(test)));
                    continue;
                }
                Some(false) => Test::Exists,
                None => {
                    out.add(&value.span, "`exists` is true or false");
                    return None;
                }
            },
            "equals" | "one_of" => {
                if key.text == "equals" && value.text().is_none() {
                    out.add(&value.span, "`equals` takes one text; `one_of` takes a list");
                    return None;
                }
                Test::OneOf(texts(value, out).into_iter().map(|t| t.is).collect())
            }
            "glob" => Test::Glob(Glob::new(&one_text(value, out)?.is)),
            "regex" => Test::Regex(regex(value, None, out)?),
            _ => continue,
        };
        match &path {
            Some(path) => all.push(Cond::Test { path: path.clone(), test }),
            None => {
                out.add(&key.span, format!("`{}` tests a path: the condition needs `path`", key.text));
                return None;
            }
        }
    }
    match all.len() {
        0 => {
            out.add(
                &node.span,
                format!("a condition without a test; the tests are {}", words::TEST[1..].join(", ")),
            );
            None
        }
        1 => all.pop(),
        _ => Some(Cond::All(all)),
    }
}

/// An expression, and the group to take with the node that names it. It is compiled before a record
/// is read; that those which are part of the program can be is held by the tests.
fn regex(node: &Node, take: Option<(&str, &Node)>, out: &mut Complaints) -> Option<Expression> {
    let text = one_text(node, out)?;
    let expression = Expression::new(&text.is, take.map(|(name, _)| name));
    if out.source.is_embedded() {
        return Some(expression);
    }
    match expression.check() {
        Ok(()) => return Some(expression),
        Err(Fault::Syntax(why)) => out.add(&text.span, format!("not a regular expression: {why}")),
        Err(Fault::NoGroup(name)) => {
            let at = take.map_or(node, |(_, at)| at);
            out.add(&at.span, format!("the expression has no group `{name}`"))
        }
    };
    None
}

/// The words below `as`: one word, one `{word: argument}`, or a list of them.
pub(super) fn parse_steps(node: &Node, out: &mut Complaints) -> (Vec<Step>, Option<At<ListStep>>) {
    let items = match node.list() {
        Some(items) => items,
        None => std::slice::from_ref(node),
    };
    let mut steps = Vec::new();
    let mut list = None;
    for item in items {
        let (word, span, argument) = match &item.kind {
            NodeKind::Scalar { text, .. } => (&**text, &item.span, None),
            NodeKind::Map(entries) if entries.len() == 1 => {
                (&*entries[0].0.text, &entries[0].0.span, Some(&entries[0].1))
            }
            _ => {
                out.add(&item.span, "a step is one word, or a map of one word and its argument");
                continue;
            }
        };
        if !words::STEP.contains(&word) {
            out.unknown(span, "step", word, words::STEP);
            continue;
        }
        if let Some(At { .. }) = &list {
            out.add(span, format!("`{word}` stands behind the step that ends the list; it must be the last"));
            continue;
        }
        match step(word, argument) {
            Ok(Parsed::Step(step)) => steps.push(step),
            Ok(Parsed::List(step)) => list = Some(At::new(step, span.clone())),
            Ok(Parsed::Argument) => match argument_step(word, argument.unwrap_or(item), out) {
                Some(Parsed::List(step)) => list = Some(At::new(step, span.clone())),
                Some(Parsed::Step(step)) => steps.push(step),
                _ => {}
            },
            Err(message) => {
                out.add(argument.map_or(span, |a| &a.span), message);
            }
        }
    }
    (steps, list)
}

enum Parsed {
    Step(Step),
    List(ListStep),
    /// The word takes an argument that has to be read with complaints.
    Argument,
}

/// Words without an argument, and the complaint when one is missing or too much.
fn step(word: &str, argument: Option<&Node>) -> Result<Parsed, String> {
    let plain = match word {
        "string" => Step::String,
        "int" => Step::Int,
        "float" => Step::Float,
        "bool" => Step::Bool,
        "lower" => Step::Lower,
        "upper" => Step::Upper,
        "trim" => Step::Trim,
        "host" => Step::Host,
        "port" => Step::Port,
        "first" | "last" if argument.is_none() => {
            return Ok(Parsed::List(if word == "first" { ListStep::First } else { ListStep::Last }));
        }
        "first" | "last" => return Err(format!("`{word}` takes no argument")),
        "ip" if argument.is_none() => Step::Ip(None),
        "hash" if argument.is_none() => Step::Hash { key: String::new() },
        "redact" if argument.is_none() => Step::Redact("[redacted]".into()),
        _ if argument.is_none() => {
            return Err(format!("`{word}` needs an argument: {{{word}: …}}"));
        }
        _ => return Ok(Parsed::Argument),
    };
    match argument {
        Some(_) if !matches!(plain, Step::Ip(_) | Step::Hash { .. } | Step::Redact(_)) => {
            Err(format!("`{word}` takes no argument"))
        }
        _ => Ok(Parsed::Step(plain)),
    }
}

fn argument_step(word: &str, argument: &Node, out: &mut Complaints) -> Option<Parsed> {
    let text = |out: &mut Complaints| one_text(argument, out).map(|t| t.is);
    let step = match word {
        "time" => time_step(argument, out)?,
        "ip" => match text(out)?.as_str() {
            "v4" => Step::Ip(Some(Family::V4)),
            "v6" => Step::Ip(Some(Family::V6)),
            "any" => Step::Ip(None),
            other => {
                out.unknown(&argument.span, "address family", other, &["v4", "v6", "any"]);
                return None;
            }
        },
        "hash" => Step::Hash { key: text(out)? },
        "redact" => Step::Redact(text(out)?),
        "join" => return Some(Parsed::List(ListStep::Join(text(out)?))),
        "regex" => {
            let (pattern, take) = match argument.map() {
                Some(_) => {
                    only_keys(argument, "`regex`", &["match", "take"], out);
                    let Some(pattern) = argument.get("match") else {
                        out.add(&argument.span, "`regex` needs `match`: the expression");
                        return None;
                    };
                    (pattern, argument.get("take").and_then(Node::text))
                }
                None => (argument, None),
            };
            Step::Regex(regex(pattern, take.map(|name| (name, argument)), out)?)
        }
        "split" => {
            if argument.map().is_none() {
                let by = one_text(argument, out)?;
                if by.is.is_empty() {
                    out.add(&by.span, "`split` needs the text between the pieces");
                    return None;
                }
                return Some(Parsed::List(ListStep::Split(by.is)));
            }
            only_keys(argument, "`split`", &["by", "take"], out);
            let by = super::need_text(argument, "`split`", "by", out)?;
            if by.is.is_empty() {
                out.add(&by.span, "`by` cannot be empty");
                return None;
            }
            match argument.get("take") {
                None => return Some(Parsed::List(ListStep::Split(by.is))),
                Some(take) => match take.text().and_then(|t| t.parse().ok()) {
                    Some(n) => Step::Split { by: by.is, take: Some(n) },
                    None => {
                        out.add(&take.span, "`take` is a number: 0 is the first piece, -1 the last");
                        return None;
                    }
                },
            }
        }
        "lookup" => Step::Lookup(lookup(argument, out)?.into()),
        _ => return None,
    };
    Some(Parsed::Step(step))
}

/// `time: unix`, `time: [rfc3339, unix]`, `time: {from: unix, to: rfc3339}`.
pub(super) fn time_step(node: &Node, out: &mut Complaints) -> Option<Step> {
    let (from, to) = match node.map() {
        Some(_) => {
            only_keys(node, "`time`", &["from", "to"], out);
            (node.get("from"), node.get("to"))
        }
        None => (Some(node), None),
    };
    let Some(from) = from else {
        out.add(&node.span, "`time` needs the format it reads: {time: unix}");
        return None;
    };
    let mut formats = Vec::new();
    for name in texts(from, out) {
        match TimeFormat::parse(&name.is) {
            Ok(format) => formats.push(format),
            Err(message) => {
                out.add(&name.span, message);
            }
        }
    }
    let to = match to.and_then(Node::text) {
        None | Some("rfc3339") => TimeOut::Rfc3339,
        Some("unix") => TimeOut::Unix,
        Some("unix_ms") => TimeOut::UnixMs,
        Some(other) => {
            out.unknown(&to?.span, "output form of a time", other, words::TIME_OUT);
            return None;
        }
    };
    (!formats.is_empty()).then_some(Step::Time { from: formats, to })
}

fn lookup(node: &Node, out: &mut Complaints) -> Option<Lookup> {
    let Some(entries) = node.map() else {
        out.add(
            &node.span,
            "`lookup` takes a map: text → text, with `*` in a key as a pattern and `default`",
        );
        return None;
    };
    let mut table = Lookup::default();
    for (key, value) in entries {
        let Some(text) = value.text() else {
            out.add(&value.span, "a lookup gives a text");
            continue;
        };
        let text = text.to_string();
        if key.text == "default" {
            table.default = Some(text);
        } else if Glob::is_pattern(&key.text) {
            table.globs.push((Glob::new(&key.text), text));
        } else {
            table.exact.insert(key.text.to_string(), text);
        }
    }
    Some(table)
}
