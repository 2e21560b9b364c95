//! `source.yaml`: how a kind of record is recognised, what its parts are called and how private
//! they are.

use foldhash::{HashSet, HashSetExt};
use indexmap::IndexMap;

use super::rows::{parse_cond, parse_path_node, parse_steps};
use super::{At, Cond, Head, Ignored, Path, need_map, need_text, only_keys, parse_ignored, texts};
use crate::error::Diagnostic;
use crate::ops::{Glob, Step};
use crate::yaml::{Complaints, Node, Source};

/// How private a path is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Identifier, time, type, count.
    Meta,
    /// Identifies a person.
    Pii,
    /// What a person or a model wrote, or text derived from it.
    Content,
    /// Opens something to whoever holds it, as a signed link: leaves in no mode unless asked for.
    Secret,
}

/// A named value: the first of several paths that holds something, and what is done to it.
#[derive(Clone, Debug)]
pub struct Let {
    /// Each with the steps that an earlier name brought along.
    pub paths: Vec<(At<Path>, Vec<Step>)>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct SourceDef {
    pub at: Source,
    pub name: String,
    pub description: String,
    pub when: Cond,
    /// Where the whole `when` stands, for complaints about it.
    pub when_span: std::ops::Range<usize>,
    /// The path whose text is the record type of the metrics.
    pub kind: Option<At<Path>>,
    /// The path whose text names the key of the payload.
    pub payload: Option<At<Path>>,
    /// Lists that hold records: paths of root keys.
    pub envelopes: Vec<Vec<String>>,
    pub lets: IndexMap<String, Let>,
    pub classes: Vec<(At<Path>, Class)>,
    /// Documented paths that no table of the source need read.
    pub ignored: Vec<Ignored>,
    /// The record types that are documented; none named: any type is as good as another.
    pub kinds: Vec<Glob>,
}

const KEYS: &[&str] = &[
    "source",
    "description",
    "when",
    "id",
    "time",
    "type",
    "types",
    "payload",
    "envelopes",
    "let",
    "fields",
    "ignore",
];

impl SourceDef {
    /// In it every path that is not declared counts as content.
    pub fn bears_content(&self) -> bool {
        self.classes.iter().any(|(_, class)| *class == Class::Content)
    }

    pub fn parse(at: &Source, root: &Node) -> Result<SourceDef, Vec<Diagnostic>> {
        let mut out = Complaints::new(at);
        let def = read(at, root, &mut out);
        match def {
            Some(def) if out.list.is_empty() => Ok(def),
            _ => Err(out.list),
        }
    }
}

fn read(at: &Source, root: &Node, out: &mut Complaints) -> Option<SourceDef> {
    if root.map().is_none() {
        out.add(&root.span, "a source is a map of keys");
        return None;
    }
    only_keys(root, "a source", KEYS, out);
    let name = need_text(root, "a source", "source", out)?;
    let description = root.get("description").and_then(Node::text).unwrap_or_default().to_string();
    let when_node = root.get("when");
    if when_node.is_none() {
        out.add(&name.span, "a source needs `when`: the test by which its records are known");
    }
    let when = parse_cond(when_node?, out)?;
    let path = |key: &str, out: &mut Complaints| root.get(key).and_then(|node| parse_path_node(node, out));
    let kind = path("type", out);
    let mut lets = IndexMap::new();
    if let Some(id) = path("id", out) {
        lets.insert("id".to_string(), Let { paths: vec![(id, Vec::new())], steps: Vec::new() });
    }
    if let Some(node) = root.get("time") {
        lets.insert("time".to_string(), read_time(node, out)?);
    }
    let payload = match root.get("payload") {
        Some(node) => {
            only_keys(node, "`payload`", &["key"], out);
            match node.get("key") {
                Some(key) => parse_path_node(key, out),
                None => {
                    out.add(&node.span, "`payload` needs `key`: the path whose text names the payload's key");
                    None
                }
            }
        }
        None => None,
    };
    let named = root.get("let").and_then(|node| need_map(node, "let", out));
    for (key, node) in named.unwrap_or_default() {
        if key.text == "payload" || lets.contains_key(&*key.text) {
            out.add(&key.span, format!("`${}` is already a name of every source", key.text));
        }
        let value = read_let(node, &lets, out);
        lets.insert(key.text.to_string(), value);
    }
    let mut classes: Vec<(At<Path>, Class)> = Vec::new();
    if let Some(fields) = root.get("fields")
        && need_map(fields, "fields", out).is_some()
    {
        only_keys(fields, "`fields`", &["meta", "pii", "content", "secret"], out);
        for (key, class) in [
            ("meta", Class::Meta),
            ("pii", Class::Pii),
            ("content", Class::Content),
            ("secret", Class::Secret),
        ] {
            let Some(node) = fields.get(key) else { continue };
            // A class that is misread would let content pass.
            let Some(items) = node.list() else {
                out.add(&node.span, format!("`{key}` must be a list of paths, not {}", node.what()));
                continue;
            };
            for item in items {
                let Some(path) = parse_path_node(item, out) else {
                    continue;
                };
                classes.push((path, class));
            }
        }
    }
    let mut declared = HashSet::with_capacity(classes.len());
    for (path, _) in &classes {
        if !declared.insert(&path.is) {
            out.add(&path.span, format!("`{}` has a class already", path.is));
        }
    }
    let kinds = root.get("types").map(|node| texts(node, out)).unwrap_or_default();
    if let (Some(node), None) = (root.get("types"), &kind) {
        out.add(&node.span, "`types` lists the texts of `type`, which is not given");
    }
    let ignored = root.get("ignore").map(|node| parse_ignored(node, out)).unwrap_or_default();
    let envelopes = root.get("envelopes").map(|node| texts(node, out)).unwrap_or_default();
    let envelopes = envelopes.into_iter().map(|e| e.is.split('.').map(str::to_string).collect()).collect();
    Some(SourceDef {
        at: at.clone(),
        name: name.is,
        description,
        when,
        when_span: when_node?.span.clone(),
        kind,
        payload,
        envelopes,
        lets,
        classes,
        ignored,
        kinds: kinds.iter().map(|kind| Glob::new(&kind.is)).collect(),
    })
}

/// `time: {path: p, format: unix}`; several paths are tried in order.
fn read_time(node: &Node, out: &mut Complaints) -> Option<Let> {
    only_keys(node, "`time`", &["path", "format"], out);
    let (Some(path), Some(format)) = (node.get("path"), node.get("format")) else {
        out.add(&node.span, "`time` needs `path` and `format`");
        return None;
    };
    let paths = path_list(path, &IndexMap::new(), out);
    let steps = super::rows::time_step(format, out).into_iter().collect();
    Some(Let { paths, steps })
}

fn read_let(node: &Node, earlier: &IndexMap<String, Let>, out: &mut Complaints) -> Let {
    if node.map().is_some() {
        only_keys(node, "a named value", &["from", "as"], out);
        let Some(from) = node.get("from") else {
            out.add(&node.span, "a named value needs `from`: its path or paths");
            return Let { paths: Vec::new(), steps: Vec::new() };
        };
        let paths = path_list(from, earlier, out);
        let (steps, list) = node.get("as").map(|steps| parse_steps(steps, out)).unwrap_or_default();
        if let Some(list) = list {
            out.add(&list.span, "a named value holds one value: join, first and last belong into a row");
        }
        return Let { paths, steps };
    }
    Let { paths: path_list(node, earlier, out), steps: Vec::new() }
}

/// One path or several; names of earlier values stand for their paths.
fn path_list(
    node: &Node,
    earlier: &IndexMap<String, Let>,
    out: &mut Complaints,
) -> Vec<(At<Path>, Vec<Step>)> {
    let items = match node.list() {
        Some(items) => items,
        None => std::slice::from_ref(node),
    };
    let mut paths = Vec::new();
    if items.is_empty() {
        out.add(&node.span, "an empty list of paths");
    }
    for item in items {
        let Some(path) = parse_path_node(item, out) else {
            continue;
        };
        if path.is.head != Head::Named {
            paths.push((path, Vec::new()));
            continue;
        }
        match earlier.get(&path.is.name) {
            Some(known) => paths.extend(known.paths.iter().map(|(p, steps)| {
                let steps = steps.iter().chain(&known.steps).cloned().collect();
                (At::new(p.is.clone(), path.span.clone()), steps)
            })),
            None => {
                out.add(&path.span, format!("`${}` is not named before this line", path.is.name));
            }
        }
    }
    paths
}
