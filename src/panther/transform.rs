//! The five transformations of a field, as a schema writes them: rename, concat, copy, split and
//! mask. Their attributes are documented by example only, so what can be understood is taken;
//! refuses to know how a value is drawn from a record.

use super::keys_of;
use crate::table::{one_text, texts};
use crate::yaml::{Complaints, Node};

/// How a field's value is made. The parts run in this order, each on what the one before left.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub from: Draw,
    pub split: Option<Split>,
    pub mask: Option<Mask>,
}

/// Where a value is drawn from.
#[derive(Clone, Debug, Default)]
pub enum Draw {
    /// The member of the field's own name.
    #[default]
    Own,
    /// The sibling of this name.
    Rename(String),
    /// The value at this path below the field's object.
    Copy(Vec<String>),
    /// The texts at these paths, joined.
    Concat { paths: Vec<Vec<String>>, separator: String },
}

/// One piece of a text.
#[derive(Clone, Debug)]
pub struct Split {
    /// The text at this path; the field's own value when there is none.
    pub from: Option<Vec<String>>,
    pub separator: String,
    /// From 0; negative numbers count from the end.
    pub index: i64,
}

#[derive(Clone, Debug)]
pub enum Mask {
    Redact(String),
    Hash { salt: String },
}

/// The keys under which a field names its transformations.
pub(super) const WORDS: [&str; 5] = ["rename", "concat", "copy", "split", "mask"];

impl Made {
    pub fn is_plain(&self) -> bool {
        matches!(self.from, Draw::Own) && self.split.is_none() && self.mask.is_none()
    }
}

/// Reads the transformations of one field; warns where one takes away what another made.
pub(super) fn parse(field: &Node, out: &mut Complaints, warnings: &mut Complaints) -> Made {
    let mut made = Made::default();
    let mut drawn: Option<&str> = None;
    for word in WORDS {
        let Some(node) = field.get(word).filter(|node| !node.is_null()) else { continue };
        if let (Some(first), "concat" | "copy") = (drawn, word) {
            warnings.add(&node.span, format!("`{word}` takes the place of what `{first}` made"));
        }
        match word {
            "rename" => {
                known(node, word, &["from"], out);
                made.from = match own_or(node, "from").and_then(|n| one_text(n, out)) {
                    Some(key) => Draw::Rename(key.is),
                    None => lacks(node, "rename: {from: KEY}", out),
                };
            }
            "concat" => {
                known(node, word, &["paths", "separator"], out);
                made.from = concat(node, out);
            }
            "copy" => {
                known(node, word, &["from"], out);
                made.from = match own_or(node, "from").and_then(|n| path(n, out)) {
                    Some(keys) => Draw::Copy(keys),
                    None => lacks(node, "copy: {from: PATH}", out),
                };
            }
            "split" => made.split = split(node, out),
            _ => made.mask = mask(node, out),
        }
        drawn = drawn.or(Some(word));
    }
    made
}

/// The value below `key`, or the node itself where it is no map.
fn own_or<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    match node.map() {
        Some(_) => node.get(key),
        None => Some(node),
    }
}

fn lacks<T: Default>(node: &Node, form: &str, out: &mut Complaints) -> T {
    out.add(&node.span, format!("this is written `{form}`"));
    T::default()
}

fn known(node: &Node, word: &str, keys: &[&str], out: &mut Complaints) {
    for (key, _) in node.map().unwrap_or_default() {
        if !keys.contains(&&*key.text) {
            out.unknown(&key.span, &format!("key of `{word}`"), &key.text, keys);
        }
    }
}

fn path(node: &Node, out: &mut Complaints) -> Option<Vec<String>> {
    let text = one_text(node, out)?;
    let keys = keys_of(&text.is);
    if keys.is_none() {
        out.add(&text.span, format!("`{}` is no path: keys are set apart by single dots", text.is));
    }
    keys
}

fn concat(node: &Node, out: &mut Complaints) -> Draw {
    let Some(list) = own_or(node, "paths") else {
        return lacks(node, "concat: {paths: [PATH, PATH], separator: TEXT}", out);
    };
    let mut paths = Vec::new();
    for item in texts(list, out) {
        match keys_of(&item.is) {
            Some(keys) => paths.push(keys),
            None => {
                out.add(&item.span, format!("`{}` is no path: keys are set apart by single dots", item.is));
            }
        }
    }
    Draw::Concat { paths, separator: separator(node).unwrap_or_default() }
}

/// An empty separator is a text too, which YAML may read as nothing.
fn separator(node: &Node) -> Option<String> {
    Some(node.get("separator")?.text().unwrap_or_default().to_string())
}

fn split(node: &Node, out: &mut Complaints) -> Option<Split> {
    known(node, "split", &["from", "separator", "index"], out);
    let from = node.get("from").and_then(|from| path(from, out));
    let Some(separator) = separator(node).filter(|s| !s.is_empty()) else {
        return lacks(node, "split: {from: PATH, separator: TEXT, index: NUMBER}", out);
    };
    let index = match node.get("index") {
        None => 0,
        Some(index) => match index.text().and_then(|t| t.parse().ok()) {
            Some(number) => number,
            None => {
                out.add(&index.span, "`index` is a whole number");
                0
            }
        },
    };
    Some(Split { from, separator, index })
}

fn mask(node: &Node, out: &mut Complaints) -> Option<Mask> {
    known(node, "mask", &["type", "to", "salt"], out);
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_string);
    let Some(kind) = own_or(node, "type").and_then(|n| one_text(n, out)) else {
        return lacks(node, "mask: {type: redact, to: TEXT}` or `{type: hash, salt: TEXT}", out);
    };
    match kind.is.as_str() {
        "redact" => Some(Mask::Redact(text("to").unwrap_or_else(|| "[redacted]".into()))),
        "hash" | "obfuscate" => Some(Mask::Hash { salt: text("salt").unwrap_or_default() }),
        other => {
            out.unknown(&kind.span, "mask", other, &["redact", "hash", "obfuscate"]);
            None
        }
    }
}
