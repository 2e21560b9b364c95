//! Copies of values of which not every scalar may leave as it is: what a source's classes hide is
//! left out.

use crate::json::{self, NodeId, Want};
use crate::plan::{Deed, Deeds};

/// What copying needs to know beside the value.
#[derive(Clone, Copy)]
pub(super) struct Copier<'a> {
    pub(super) want: &'a Want,
    pub(super) deeds: &'a Deeds,
}

/// Where a value stands: at a node of the trie, or at a path that nothing names.
#[derive(Clone, Copy)]
enum Place {
    Node(NodeId),
    Unknown(Deed),
}

impl Copier<'_> {
    /// The parts of the value at `at` that may leave, with the containers around them; `None` when
    /// nothing is left.
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
                let deed = match place {
                    Place::Node(node) => self.deeds.of(node),
                    Place::Unknown(deed) => deed,
                };
                match deed {
                    Deed::Hide | Deed::Token => {}
                    Deed::Keep => {
                        json::copy_value(&cell, text, out, &mut json::Copied::default());
                    }
                }
                return (cell.end as usize).max(at + 1);
            }
        };
        if out.len() == start + 1 {
            out.truncate(start);
        } else {
            out.push(close);
        }
        end
    }

    fn member(&self, place: Place, key: &[u8]) -> Place {
        match place {
            Place::Node(node) => match self.want.key(node, key) {
                Some(child) => Place::Node(child),
                None => Place::Unknown(self.deeds.unknown(node)),
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
