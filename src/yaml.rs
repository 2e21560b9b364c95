//! One YAML document as a tree whose every node knows its place, and the complaints about it.
//! Knows YAML, and nothing of what a mapping says.

pub mod tree;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle};

use crate::error::{Diagnostic, Text, did_you_mean};

/// A file: its name and its text.
#[derive(Clone, Debug)]
pub struct Source {
    pub file: Arc<str>,
    pub text: Text,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Source {
        Source { file: file.into(), text: Text::Read(text.into()) }
    }

    /// A file that is part of the program.
    pub fn embedded(file: &str, text: &'static str) -> Source {
        Source { file: file.into(), text: Text::Embedded(text) }
    }

    pub fn is_embedded(&self) -> bool {
        matches!(self.text, Text::Embedded(_))
    }

    pub fn complain(&self, span: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            file: self.file.clone(),
            text: self.text.clone(),
            span: span.clone(),
            message: message.into(),
            help: None,
        }
    }
}

/// A list of complaints that grows while a file is read to its end.
#[derive(Debug)]
pub struct Complaints<'a> {
    pub source: &'a Source,
    pub list: Vec<Diagnostic>,
}

impl<'a> Complaints<'a> {
    pub fn new(source: &'a Source) -> Complaints<'a> {
        Complaints { source, list: Vec::new() }
    }

    pub fn add(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.list.push(self.source.complain(span, message));
        self.list.last_mut().expect("just pushed")
    }

    /// A name that is not among the known ones, with the nearest known one.
    pub fn unknown(&mut self, span: &Range<usize>, what: &str, word: &str, known: &[&str]) {
        let help = did_you_mean(word, known.iter().copied())
            .or_else(|| (known.len() <= 40).then(|| format!("known: {}", known.join(", "))));
        self.add(span, format!("unknown {what} `{word}`")).help = help;
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub kind: NodeKind,
    /// Bytes of the file.
    pub span: Range<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeKind {
    /// A scalar; `plain` when it stands without quotes.
    Scalar {
        text: Cow<'static, str>,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; keys are distinct scalars.
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    pub text: Cow<'static, str>,
    pub span: Range<usize>,
}

impl Node {
    /// The scalar's text; `None` for null, lists and maps.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { .. } if self.is_null() => None,
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, plain: true } if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    pub fn bool(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Scalar { text, plain: true } => match &**text {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|(k, _)| k.text == key).map(|(_, v)| v)
    }

    /// What the node is, for messages.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar { .. } if self.is_null() => "nothing",
            NodeKind::Scalar { .. } => "a scalar",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }
}

/// Reads the one document of a file. Anchors and aliases work; a second document, repeated keys
/// and keys that are no scalars are refused.
pub fn parse(source: &Source) -> Result<Node, Vec<Diagnostic>> {
    read(source, false).map(|mut documents| documents.remove(0))
}

/// Reads a file of at least one document.
pub fn parse_all(source: &Source) -> Result<Vec<Node>, Vec<Diagnostic>> {
    read(source, true)
}

fn read(source: &Source, several: bool) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut complaints = Complaints::new(source);
    // The parser does not count its bytes, and every place behind it would be wrong.
    if let Some(at) = source.text.find('\u{feff}') {
        let mark = at..at + '\u{feff}'.len_utf8();
        complaints.add(&mark, "a byte order mark stands at the start of a text or nowhere");
        return Err(complaints.list);
    }
    let mut build = Build {
        parser: Parser::new_from_str(&source.text),
        anchors: Vec::new(),
        complaints: &mut complaints,
    };
    let documents = build.documents(several);
    match documents {
        Some(documents) if complaints.list.is_empty() => Ok(documents),
        _ => Err(complaints.list),
    }
}

struct Build<'a, 'c, 's> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: Vec<(usize, Node)>,
    complaints: &'c mut Complaints<'s>,
}

impl<'a> Build<'a, '_, '_> {
    /// The next event that is data; `None` after a syntax error, which is noted.
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        loop {
            match self.parser.next_event()? {
                Ok((Event::Comment(..), _)) => {}
                Ok((event, span)) => {
                    let range = span.byte_range().unwrap_or(0..0);
                    return Some((event, range));
                }
                Err(e) => {
                    let at = e.marker().byte_offset().unwrap_or(self.complaints.source.text.len());
                    self.complaints.add(&(at..at + 1), format!("not YAML: {}", e.info()));
                    return None;
                }
            }
        }
    }

    fn documents(&mut self, several: bool) -> Option<Vec<Node>> {
        let mut roots = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentEnd, _) => {}
                (Event::DocumentStart(..), span) => {
                    self.anchors.clear();
                    if !several && !roots.is_empty() {
                        self.complaints.add(&span, "one document per file: a second one starts here");
                        return None;
                    }
                }
                (Event::StreamEnd, _) => {
                    if roots.is_empty() {
                        self.complaints.add(&(0..0), "the file is empty");
                        return None;
                    }
                    return Some(roots);
                }
                (event, span) => roots.push(self.node(event, span)?),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Range<usize>) -> Option<Node> {
        let anchor = event.anchor_id().unwrap_or(0);
        let node = match event {
            Event::Alias(id) => match self.anchors.iter().find(|(a, _)| *a == id) {
                Some((_, node)) => {
                    return Some(Node { kind: node.kind.clone(), span });
                }
                None => {
                    self.complaints.add(&span, "an alias inside its own anchor");
                    return None;
                }
            },
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next()? {
                        (Event::SequenceEnd, end) => break end.end,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                };
                Node { kind: NodeKind::List(items), span: span.start..end.max(span.end) }
            }
            Event::MappingStart(..) => {
                let mut entries: Vec<(Key, Node)> = Vec::new();
                let end = loop {
                    let key = match self.next()? {
                        (Event::MappingEnd, end) => break end.end,
                        (event, span) => self.node(event, span)?,
                    };
                    let NodeKind::Scalar { text, .. } = key.kind else {
                        self.complaints.add(&key.span, "a key must be a scalar");
                        return None;
                    };
                    let key = Key { text, span: key.span };
                    let (event, span) = self.next()?;
                    let value = self.node(event, span)?;
                    if entries.iter().any(|(k, _)| k.text == key.text) {
                        self.complaints
                            .add(&key.span, format!("the key `{}` stands twice in this map", key.text));
                    }
                    entries.push((key, value));
                };
                Node { kind: NodeKind::Map(entries), span: span.start..end.max(span.end) }
            }
            event => {
                let (text, plain) = match event.scalar() {
                    Some((text, style)) => (text.to_string(), style == ScalarStyle::Plain),
                    None => (String::new(), true),
                };
                Node { kind: NodeKind::Scalar { text: text.into(), plain }, span }
            }
        };
        if anchor != 0 {
            self.anchors.push((anchor, node.clone()));
        }
        Some(node)
    }
}
