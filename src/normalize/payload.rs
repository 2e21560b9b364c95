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

    /// Finds the payload under any of its spellings and walks it under the payload's root and
    /// under the field of its folded name. Gives the named field's node, if there is one.
    pub(super) fn payload(&mut self, source: &SourcePlan) -> Option<NodeId> {
        let payload = source.payload.as_ref()?;
        let (text, want) = (self.text, &self.plan.want);
        let Scratch { index, slots, folded, hits, .. } = &mut *self.scratch;
        let key = View { text, slots }.cell(payload.key, 0);
        if !key.kind.is_string() {
            return None;
        }
        let key = key.inner(text);
        folded.clear();
        folded.extend(key.iter().map(|&b| if b == b'.' { b'_' } else { b }));
        let field = want.key(0, folded);
        // Spelled as the type, or with underscores; as an unknown member or a known one.
        let member =
            |slots: &Slots, parent: NodeId, name: &[u8]| -> Option<(usize, Option<usize>)> {
                if let Some(i) = slots.rest.iter().rposition(|r: &Rest| {
                    r.node == parent && &text[r.key.0 as usize..r.key.1 as usize] == name
                }) {
                    return Some((slots.rest[i].value.start as usize, Some(i)));
                }
                let cell = View { text, slots }.cell(want.slot(want.key(parent, name)?), 0);
                (!cell.kind.is_null()).then_some((cell.start as usize, None))
            };
        let mut found = member(slots, 0, key).or_else(|| member(slots, 0, folded));
        let mut nested = false;
        if found.is_none()
            && let Some(dot) = key.iter().position(|&b| b == b'.')
        {
            found = self::nested(text, want, slots, &key[..dot], &key[dot + 1..]);
            nested = found.is_some();
        }
        let (at, rest) = found?;
        // What holds a payload nested by its dots may hold other things too.
        match rest {
            Some(i) if slots.rest[i].value.start as usize == at => {
                slots.rest.remove(i);
            }
            Some(_) => self.nested = Some(at),
            None => {}
        }
        let before = slots.hits.len();
        if payload.root_read || field.is_none() {
            slots.walk_more(want, text, index.marks(), at, payload.root);
        }
        let after_root = slots.hits.len();
        let filled = field
            .filter(|&f| View { text, slots }.cell(want.slot(f), 0).kind == json::Kind::Absent || nested);
        if let Some(field) = filled {
            slots.walk_more(want, text, index.marks(), at, field);
        }
        let named_end = slots.hits.len();
        let taken = field.map(|f| want.ranks(f));
        hits.clear();
        for (i, &hit) in slots.hits.iter().enumerate() {
            let node = hit.node;
            let seen = match i {
                i if i < before && taken.as_ref().is_some_and(|t| t.contains(&want.rank(node))) => {
                    Seen::TakenField
                }
                i if i < before => Seen::Always,
                i if i < after_root => Seen::PayloadRoot,
                i if i < named_end => Seen::NamedField,
                _ => Seen::Always,
            };
            hits.push(Leaf::new(text, hit, seen));
        }
        slots.hits.clear();
        field
    }
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
