//! Copies of values of which not every scalar may leave as it is: what a source's classes hide is
//! left out, and what identifies a person gets a pseudonym.

use crate::json::{self, Cell, NodeId, Want};
use crate::ops::pseudonym::Pseudonyms;
use crate::plan::{Deed, Deeds};

/// What copying needs to know beside the value.
#[derive(Clone, Copy)]
pub(super) struct Copier<'a> {
    pub(super) want: &'a Want,
    pub(super) deeds: &'a Deeds,
    pub(super) pseudonyms: Option<&'a Pseudonyms>,
    /// The payload of a whole record: the raw key under which it may come, and its root.
    pub(super) payload: Option<(&'a [u8], NodeId)>,
    /// The payload as a field of its name, and its root: what is said of the one holds for both.
    pub(super) field: Option<(NodeId, NodeId)>,
}

/// Where a value stands: at a node of the trie, or at a path that nothing names.
#[derive(Clone, Copy)]
enum Place {
    Node(NodeId),
    Unknown(Deed),
}

impl Copier<'_> {
    /// The parts of the value at `at` that may leave, with the containers around them; `None` when
    /// nothing is left. A container that is empty as it stands is a value of its own.
    pub(super) fn copy(&self, text: &[u8], at: usize, node: NodeId) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.value(text, at, Place::Node(node), &mut out);
        (!out.is_empty()).then_some(out)
    }

    /// Appends what may leave of the value at `at`; the end of the value.
    fn value(&self, text: &[u8], at: usize, place: Place, out: &mut Vec<u8>) -> usize {
        if let Place::Unknown(Deed::Hide) = place {
            return json::skip_value(text, at, json::MAX_DEPTH).unwrap_or(text.len());
        }
        let start = out.len();
        // One part of a container: its key (or nothing) and the value behind, unless that is empty.
        let part = |key: &[&[u8]], i: usize, place: Place, out: &mut Vec<u8>| {
            let before = out.len();
            if before > start + 1 {
                out.push(b',');
            }
            key.iter().for_each(|piece| out.extend_from_slice(piece));
            let body = out.len();
            let end = self.value(text, i, place, out);
            if out.len() == body {
                out.truncate(before);
            }
            end
        };
        let (end, close) = match text.get(at) {
            Some(b'{') => {
                out.push(b'{');
                let end = json::members(text, at, &mut |key, i| {
                    part(&[b"\"", key, b"\":"], i, self.member(place, key), out)
                });
                (end, b'}')
            }
            Some(b'[') => {
                out.push(b'[');
                let element = self.element(place);
                let end = json::elements(text, at, &mut |i| part(&[], i, element, out));
                (end, b']')
            }
            _ => {
                let cell = json::cell_at(text, at);
                match self.deed(place) {
                    Deed::Hide => {}
                    Deed::Token => push_pseudonym(self.pseudonyms, text, &cell, out),
                    Deed::Keep => {
                        json::copy_value(&cell, text, out, &mut json::Copied::default());
                    }
                }
                return (cell.end as usize).max(at + 1);
            }
        };
        let was_empty = text.get(at + 1..end - 1).is_some_and(|inside| inside.trim_ascii().is_empty());
        if out.len() == start + 1 && !(was_empty && matches!(self.deed(place), Deed::Keep)) {
            out.truncate(start);
        } else {
            out.push(close);
        }
        end
    }

    fn deed(&self, place: Place) -> Deed {
        match place {
            Place::Node(node) => self.deeds.of(node),
            Place::Unknown(deed) => deed,
        }
    }

    fn member(&self, place: Place, key: &[u8]) -> Place {
        if let (Place::Node(node), Some((field, root))) = (place, self.field)
            && node == field
            && self.want.key(node, key).is_none()
        {
            return self.member(Place::Node(root), key);
        }
        match place {
            Place::Node(node) => match (self.want.key(node, key), self.payload) {
                (Some(child), _) => Place::Node(child),
                (None, Some((name, root))) if node == 0 && is_payload(key, name) => Place::Node(root),
                // Nested by its dots, where its classes are not known.
                (None, Some((name, _))) if node == 0 && begins(name, key) => Place::Unknown(Deed::Hide),
                (None, _) => Place::Unknown(self.deeds.unknown(node)),
            },
            unknown => unknown,
        }
    }

    fn element(&self, place: Place) -> Place {
        match place {
            Place::Node(node) => match self.want.element_of(node) {
                Some(element) => Place::Node(element),
                None => Place::Unknown(self.deeds.unknown(node)),
            },
            unknown => unknown,
        }
    }
}

/// The text itself, or with its dots as underscores.
fn is_payload(key: &[u8], name: &[u8]) -> bool {
    let folded = |b: &u8| if *b == b'.' { b'_' } else { *b };
    key == name || (key.len() == name.len() && key.iter().copied().eq(name.iter().map(folded)))
}

fn begins(name: &[u8], key: &[u8]) -> bool {
    name.strip_prefix(key).is_some_and(|rest| rest.starts_with(b"."))
}

/// The pseudonym of a scalar as a JSON string; what holds nothing needs none.
pub(super) fn push_pseudonym(pseudonyms: Option<&Pseudonyms>, text: &[u8], cell: &Cell, out: &mut Vec<u8>) {
    let Some(pseudonyms) = pseudonyms.filter(|_| !cell.kind.is_null()) else { return };
    let (mut chars, mut pseudonym) = (String::new(), String::new());
    json::unescape(cell.inner(text), &mut chars);
    if !chars.is_empty() {
        pseudonyms.push(&chars, &mut pseudonym);
        json::push_quoted(&pseudonym, out);
    }
}
