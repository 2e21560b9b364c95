//! Copies of values through a source's allow-list, for the modes that may not show the whole.

use crate::json::{self, NodeId, Want};

/// The parts of a value that a source's allow-list names: scalars at allowed nodes, and the
/// containers around them. `None` when nothing is allowed.
pub(super) fn allowed_copy(
    want: &Want,
    text: &[u8],
    at: usize,
    node: NodeId,
    allowed: &[bool],
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    copy_allowed(want, text, at, node, allowed, &mut out);
    (!out.is_empty()).then_some(out)
}

/// Appends the allowed parts of the value at `at`; the end of the value.
pub(super) fn copy_allowed(
    want: &Want,
    text: &[u8],
    at: usize,
    node: NodeId,
    allowed: &[bool],
    out: &mut Vec<u8>,
) -> usize {
    let start = out.len();
    let skip = |i| json::skip_value(text, i, json::MAX_DEPTH).unwrap_or(text.len());
    // One part of a container: its key (or nothing) and the value behind, unless that is empty.
    let part = |key: &[&[u8]], i: usize, child: NodeId, out: &mut Vec<u8>| {
        let before = out.len();
        if before > start + 1 {
            out.push(b',');
        }
        key.iter().for_each(|piece| out.extend_from_slice(piece));
        let body = out.len();
        let end = copy_allowed(want, text, i, child, allowed, out);
        if out.len() == body {
            out.truncate(before);
        }
        end
    };
    let (end, close) = match text.get(at) {
        Some(b'{') => {
            out.push(b'{');
            let end = json::members(text, at, &mut |key, i| match want.key(node, key) {
                Some(child) => part(&[b"\"", key, b"\":"], i, child, out),
                None => skip(i),
            });
            (end, b'}')
        }
        Some(b'[') => {
            out.push(b'[');
            let element = want.element_of(node);
            let end = json::elements(text, at, &mut |i| match element {
                Some(element) => part(&[], i, element, out),
                None => skip(i),
            });
            (end, b']')
        }
        _ => {
            let cell = json::cell_at(text, at);
            if allowed[node as usize] {
                json::copy_value(&cell, text, out, &mut json::Copied::default());
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
