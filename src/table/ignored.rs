//! `ignore`: documented paths that are left unread on purpose, each with its reason. Knows the
//! words; does not know what is documented or read.

use super::path::{Path, parse_path};
use super::{At, Head, need_map};
use crate::yaml::{Complaints, Node};

/// A path, and everything below it, that is left unread on purpose.
#[derive(Clone, Debug)]
pub struct Ignored {
    pub path: At<Path>,
    pub reason: String,
}

/// `ignore: {path: reason}`.
pub(crate) fn parse_ignored(node: &Node, out: &mut Complaints) -> Vec<Ignored> {
    let mut list: Vec<Ignored> = Vec::new();
    for (key, value) in need_map(node, "ignore", out).unwrap_or_default() {
        let reason = value.text().unwrap_or_default().trim();
        if reason.is_empty() {
            out.add(&key.span, format!("`{}` is ignored without a reason: say why", key.text));
            continue;
        }
        match parse_path(&key.text) {
            Ok(path) if matches!(path.head, Head::Root | Head::Payload) => {
                if list.iter().any(|other| other.path.is == path) {
                    out.add(&key.span, format!("`{path}` is ignored already"));
                    continue;
                }
                list.push(Ignored { path: At::new(path, key.span.clone()), reason: reason.to_string() });
            }
            Ok(path) => {
                out.add(&key.span, format!("`{path}` is no path of the record"));
            }
            Err((_, message)) => {
                out.add(&key.span, format!("in the path `{}`: {message}", key.text));
            }
        }
    }
    list
}
