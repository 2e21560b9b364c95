//! The table dialect as it is written: sources, targets and the tables between them, read into
//! plain data with a place on everything. Knows the words; does not know how a row is executed.

mod ignored;
mod path;
mod rows;
mod source;
mod target;

pub use ignored::Ignored;
pub(crate) use ignored::parse_ignored;
pub use path::{Head, Path, Seg, parse_path, parse_target_path};
pub use rows::{Cond, From, Label, ListStep, Piece, Row, Table, parse_cond};
pub use source::{Class, Let, SourceDef};
pub use target::{Base, Dialect, FieldType, Need, TargetDef, TargetSeg, Values};

use std::ops::Range;

/// A thing and the bytes of the file that say it.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub is: T,
    pub span: Range<usize>,
}

impl<T> At<T> {
    pub fn new(is: T, span: Range<usize>) -> At<T> {
        At { is, span }
    }
}

/// Complains about keys of a map that the dialect does not have.
pub(crate) fn only_keys(
    node: &crate::yaml::Node,
    what: &str,
    known: &[&str],
    out: &mut crate::yaml::Complaints,
) {
    for (key, _) in node.map().unwrap_or_default() {
        if !known.contains(&&*key.text) {
            out.unknown(&key.span, &format!("key of {what}"), &key.text, known);
        }
    }
}

/// The text of a required scalar below `key`, or a complaint.
pub(crate) fn need_text(
    node: &crate::yaml::Node,
    what: &str,
    key: &str,
    out: &mut crate::yaml::Complaints,
) -> Option<At<String>> {
    match node.get(key) {
        Some(value) => match value.text() {
            Some(text) => Some(At::new(text.to_string(), value.span.clone())),
            None => {
                out.add(&value.span, format!("`{key}` must be a text, not {}", value.what()));
                None
            }
        },
        None => {
            let head = node.span.start..node.span.start + 1;
            out.add(&head, format!("{what} needs `{key}`"));
            None
        }
    }
}

/// The one text that a node must be.
pub(crate) fn one_text(node: &crate::yaml::Node, out: &mut crate::yaml::Complaints) -> Option<At<String>> {
    match node.text() {
        Some(text) => Some(At::new(text.to_string(), node.span.clone())),
        None => {
            out.add(&node.span, format!("a text is needed here, not {}", node.what()));
            None
        }
    }
}

/// A map that a key must hold; `None` (said) where it holds something else.
pub(crate) fn need_map<'a>(
    node: &'a crate::yaml::Node,
    key: &str,
    out: &mut crate::yaml::Complaints,
) -> Option<&'a [(crate::yaml::Key, crate::yaml::Node)]> {
    let map = node.map();
    if map.is_none() {
        out.add(&node.span, format!("`{key}` must be a map, not {}", node.what()));
    }
    map
}

/// The items of a list of texts, at least one; one text alone counts as a list of one.
pub(crate) fn texts(node: &crate::yaml::Node, out: &mut crate::yaml::Complaints) -> Vec<At<String>> {
    let texts = each_text(node, out);
    let mut all = Vec::with_capacity(texts.size_hint().1.unwrap_or(0));
    all.extend(texts.map(|(text, span)| At::new(text.to_string(), span.clone())));
    all
}

/// The same, one after the other.
pub(crate) fn each_text<'a>(
    node: &'a crate::yaml::Node,
    out: &mut crate::yaml::Complaints,
) -> impl Iterator<Item = (&'a str, &'a Range<usize>)> {
    let items = match node.list() {
        Some(items) => items,
        None => std::slice::from_ref(node),
    };
    if items.is_empty() {
        out.add(&node.span, "an empty list");
    }
    for item in items.iter().filter(|item| item.text().is_none()) {
        out.add(&item.span, format!("a text is needed here, not {}", item.what()));
    }
    items.iter().filter_map(|item| Some((item.text()?, &item.span)))
}
