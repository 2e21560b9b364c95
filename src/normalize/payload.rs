//! Finding a payload that is nested by the dots of its type.

use crate::json::{self, NodeId, Slots, View};

/// A payload nested by the dots of its type: `{"login":{"failed":{…}}}` for `login.failed`.
pub(super) fn nested(
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
