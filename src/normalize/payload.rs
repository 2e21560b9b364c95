//! The payload of a record: the member that its type names, under any of its spellings.

use super::leaves::{Leaf, Seen};
use super::{Scratch, Work};
use crate::json::{self, NodeId, Rest, Slots, View};
use crate::plan::SourcePlan;

impl<'a> Work<'a> {
    /// The text that names the payload of the record, as the record has it.
    pub(super) fn payload_key(&self, source: usize) -> Option<&'a [u8]> {
        let payload = self.plan.sources.get(source)?.payload.as_ref()?;
        let cell = View { text: self.text, slots: &self.scratch.slots }.cell(payload.key, 0);
        cell.kind.is_string().then(|| cell.inner(self.text))
    }

    /// Finds the payload under any of its spellings.
    pub(super) fn way(&self, source: &SourcePlan) -> Option<Way> {
        let payload = source.payload.as_ref()?;
        let (text, want) = (self.text, &self.plan.want);
        let slots = &self.scratch.slots;
        let view = View { text, slots };
        let key = view.cell(payload.key, 0);
        if !key.kind.is_string() {
            return None;
        }
        let key = key.inner(text);
        let folded: Vec<u8> = key.iter().map(|&b| if b == b'.' { b'_' } else { b }).collect();
        let field = want.key(0, &folded);
        // Spelled as the type, or with underscores; as an unknown member or a known one.
        let member = |name: &[u8]| -> Option<From> {
            let named = |r: &Rest| r.node == 0 && &text[r.key.0 as usize..r.key.1 as usize] == name;
            if let Some(i) = slots.rest.iter().rposition(named) {
                return Some(From::Rest(i));
            }
            let column = want.slot(want.key(0, name)?).column;
            (!view.root(column).kind.is_null()).then_some(From::Column(column))
        };
        let mut from = member(key).or_else(|| member(&folded));
        if from.is_none()
            && let Some(dot) = key.iter().position(|&b| b == b'.')
        {
            let found = nested(text, want, slots, &key[..dot], &key[dot + 1..])?;
            let whole = |i: &usize| slots.rest[*i].value.start as usize == found.0;
            from = Some(match found {
                (at, Some(i)) if !whole(&i) => From::Inside(at),
                (_, Some(i)) => From::Nested(i),
                (at, None) => From::Known(at),
            });
        }
        let from = from?;
        let is_nested = matches!(from, From::Inside(_) | From::Nested(_) | From::Known(_));
        let walks_root = payload.root_read || field.is_none();
        let walks_field =
            field.is_some_and(|f| is_nested || view.cell(want.slot(f), 0).kind == json::Kind::Absent);
        Some(Way { from, root: payload.root, field, walks_root, walks_field })
    }

    /// Walks the payload under its root and under the field of its folded name.
    pub(super) fn go(&mut self, way: &Way) -> Steps {
        let (text, want) = (self.text, &self.plan.want);
        let Scratch { index, slots, .. } = &mut *self.scratch;
        let at = match way.from {
            From::Rest(i) | From::Nested(i) => slots.rest.remove(i).value.start as usize,
            From::Column(column) => slots.root(column).start as usize,
            From::Known(at) => at,
            // What holds a payload nested by its dots may hold other things too.
            From::Inside(at) => {
                self.nested = Some(at);
                at
            }
        };
        slots.unbundle();
        let before = slots.hits.len();
        if way.walks_root {
            slots.walk_more(want, text, index.marks(), at, way.root);
        }
        let after_root = slots.hits.len();
        if let Some(field) = way.field.filter(|_| way.walks_field) {
            slots.walk_more(want, text, index.marks(), at, field);
        }
        Steps { before, after_root }
    }

    /// Takes the leaves of a record with a payload from where the walks put them.
    pub(super) fn sort_leaves(&mut self, way: &Way, steps: Steps) {
        let (text, want) = (self.text, &self.plan.want);
        let Scratch { slots, hits, .. } = &mut *self.scratch;
        let taken = way.field.map(|f| want.ranks(f));
        hits.clear();
        for (i, &hit) in slots.hits.iter().enumerate() {
            let seen = match i {
                i if i < steps.before && taken.as_ref().is_some_and(|t| t.contains(&want.rank(hit.node))) => {
                    Seen::TakenField
                }
                i if i < steps.before => Seen::Always,
                i if i < steps.after_root => Seen::PayloadRoot,
                _ => Seen::NamedField,
            };
            hits.push(Leaf::new(text, hit, seen));
        }
        slots.hits.clear();
    }
}

/// Where the payload of a record is, and what is walked of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Way {
    from: From,
    pub(super) root: NodeId,
    /// The node of the field of its name, if there is one.
    pub(super) field: Option<NodeId>,
    walks_root: bool,
    walks_field: bool,
}

impl Way {
    /// Records of the same structure have it in the same place.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.from, From::Rest(_) | From::Column(_))
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum From {
    /// A member that no path leads into.
    Rest(usize),
    /// A known one.
    Column(u16),
    /// Nested by the dots of its type: inside a member that no path leads into.
    Inside(usize),
    /// Such a member itself, of another.
    Nested(usize),
    /// Inside of known ones.
    Known(usize),
}

/// Hits before the walks, and after the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    before: usize,
    after_root: usize,
}

/// A payload nested by the dots of its type: `{"login":{"failed":{…}}}` for `login.failed`.
fn nested(
    text: &[u8],
    want: &json::Want,
    slots: &Slots,
    first: &[u8],
    rest: &[u8],
) -> Option<(usize, Option<usize>)> {
    let unknown = |parent: NodeId, name: &[u8]| {
        slots.rest.iter().rposition(|r| r.node == parent && &text[r.key.0 as usize..r.key.1 as usize] == name)
    };
    if let Some(i) = unknown(0, first) {
        return inner(text, slots.rest[i].value.start as usize, rest).map(|at| (at, Some(i)));
    }
    // The first step is a known key; the next is then an unknown member of it.
    let node = want.key(0, first)?;
    let dots = std::iter::once(rest.len()).chain((0..rest.len()).rev().filter(|&i| rest[i] == b'.'));
    for dot in dots {
        let Some(i) = unknown(node, &rest[..dot]) else {
            continue;
        };
        let start = slots.rest[i].value.start as usize;
        if dot == rest.len() {
            return Some((start, Some(i)));
        }
        if let Some(at) = inner(text, start, &rest[dot + 1..]) {
            return Some((at, Some(i)));
        }
    }
    // A scalar to the sources that know the first step, or known members all the way.
    let cell = View { text, slots }.cell(want.slot(node), 0);
    if cell.kind.is_null() { None } else { inner(text, cell.start as usize, rest).map(|at| (at, None)) }
}

/// The value at the dotted path `rest` inside the object at `at`; a key may hold several steps.
fn inner(text: &[u8], at: usize, rest: &[u8]) -> Option<usize> {
    if text.get(at) != Some(&b'{') {
        return None;
    }
    let mut found = None;
    json::members(text, at, &mut |key, i| {
        if key == rest {
            found = Some(i);
        } else if let Some(rest) = rest.strip_prefix(key).and_then(|r| r.strip_prefix(b"."))
            && let Some(inside) = inner(text, i, rest)
        {
            found = Some(inside);
        }
        json::skip_value(text, i, json::MAX_DEPTH).unwrap_or(text.len())
    });
    found
}
