//! The walk over an index key by key, for records that follow no trail. Gives up where the walk along
//! trails would, and leaves behind what it would.

use super::Trek;
use super::fill::Fill;
use crate::json::scan::MAX_DEPTH;
use crate::json::walk::add_list;
use crate::json::{Cell, Hit, Kind, Marks, NodeId, Rest, Slots, Want};

/// Walks the object at `at` into `slots`, which were reset; the offset behind it.
pub(in crate::json) fn walk(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Option<usize> {
    // The scanner goes no deeper either, and what is called within itself here ends there.
    let max_depth = max_depth.min(MAX_DEPTH);
    let (strayed, skipped) = (true, true);
    let trek = Trek { want, text, marks, max_depth, strayed, skipped };
    let Slots { root, present, set, scopes, lists_met, hits, bundles, rest, .. } = slots;
    let fill = Fill { root, present, set, scopes, lists_met, hits, bundles, rest };
    Quick { trek, fill }.object(0, at, 0).map(|(end, _)| end)
}

struct Quick<'a> {
    trek: Trek<'a>,
    fill: Fill<'a>,
}

impl Quick<'_> {
    fn object(&mut self, node: NodeId, at: usize, depth: usize) -> Option<(usize, Kind)> {
        if depth >= self.trek.max_depth {
            return None;
        }
        let mut i = self.trek.token(at + 1);
        if self.trek.byte(i) == b'}' {
            return Some((i + 1, Kind::EmptyObject));
        }
        loop {
            let (key_end, Kind::String) = self.trek.marks.string(i)? else { return None };
            let start = self.trek.behind_key(key_end)?;
            let end = match self.trek.want.find(node, self.trek.text, i + 1..key_end - 1) {
                Some(child) => self.value(child, start, depth + 1)?,
                None => {
                    let (end, kind) = self.trek.skip(start, depth + 1)?;
                    let key = (i as u32 + 1, key_end as u32 - 1);
                    let value = Cell { start: start as u32, end: end as u32, kind };
                    self.fill.rest.push(Rest { node, key, value });
                    end
                }
            };
            i = self.trek.token(end);
            match self.trek.byte(i) {
                b',' => i = self.trek.token(i + 1),
                b'}' => return Some((i + 1, Kind::Object)),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn value(&mut self, node: NodeId, at: usize, depth: usize) -> Option<usize> {
        let n = *self.trek.want.step(node);
        let (end, kind) = match self.trek.byte(at) {
            b'{' if n.has_keys() => self.object(node, at, depth)?,
            b'[' if n.is_list => self.list(node, at, depth)?,
            _ => {
                let (end, kind) = self.trek.skip(at, depth)?;
                if kind.is_leaf() && crate::json::COUNTED {
                    self.fill.hits.push(Hit { node, at: at as u32 });
                }
                (end, kind)
            }
        };
        self.fill.put(n.slot, Cell { start: at as u32, end: end as u32, kind })?;
        Some(end)
    }

    fn list(&mut self, node: NodeId, at: usize, depth: usize) -> Option<(usize, Kind)> {
        let element = self.trek.want.element_of(node).filter(|_| depth < self.trek.max_depth)?;
        *self.fill.lists_met = true;
        let scope = self.trek.want.step(element).slot.scope as usize;
        let first = self.fill.scopes[scope].len();
        let mut row = first;
        let mut i = self.trek.token(at + 1);
        if self.trek.byte(i) == b']' {
            add_list(&mut self.fill.scopes[scope], at, first, row);
            return Some((i + 1, Kind::EmptyArray));
        }
        loop {
            self.fill.scopes[scope].add();
            let end = self.value(element, i, depth + 1)?;
            row += 1;
            i = self.trek.token(end);
            match self.trek.byte(i) {
                b',' => i = self.trek.token(i + 1),
                b']' => break,
                _ => return None,
            }
        }
        add_list(&mut self.fill.scopes[scope], at, first, row);
        Some((i + 1, Kind::Array))
    }
}
