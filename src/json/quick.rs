//! The walk over an index key by key, for records that follow no trail. At anything wrong and at a few
//! things that are merely rare (a repeated key, a key with escapes) it gives up, and the careful walk
//! starts anew and says what and where. Owns no rule of its own: where it does not give up, it leaves
//! behind what the careful walk would.

use super::scan::{MAX_DEPTH, any_number, digits_end, skip_space};
use super::walk::{Rows, add_list};
use super::{Cell, Hit, Kind, Marks, NodeId, Rest, Slots, Want};

/// Walks the object at `at` into `slots`, which were reset; the offset behind it.
pub(super) fn walk(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Option<usize> {
    let Slots { root, present, set, scopes, lists_met, hits, rest, .. } = slots;
    // The scanner goes no deeper either, and what is called within itself here ends there.
    let max_depth = max_depth.min(MAX_DEPTH);
    let mut quick = Quick { want, text, marks, max_depth, root, present, set, scopes, lists_met, hits, rest };
    let (end, _) = quick.object(0, 0, at, 0);
    (end != GIVEN_UP).then_some(end)
}

/// No value ends at the start of a text.
const GIVEN_UP: usize = 0;

struct Quick<'a> {
    want: &'a Want,
    text: &'a [u8],
    marks: Marks<'a>,
    max_depth: usize,
    root: &'a mut [Cell],
    present: &'a mut [u64],
    set: &'a mut Vec<u16>,
    scopes: &'a mut [Rows],
    lists_met: &'a mut bool,
    hits: &'a mut Vec<Hit>,
    rest: &'a mut Vec<Rest>,
}

impl Quick<'_> {
    /// The byte at `i`; behind the text something that fits nowhere.
    #[inline(always)]
    fn byte(&self, i: usize) -> u8 {
        self.text.get(i).copied().unwrap_or(0)
    }

    /// The place of the next token at or behind `i`.
    #[inline(always)]
    fn token(&self, i: usize) -> usize {
        if self.byte(i) > b' ' { i } else { skip_space(self.text, i) }
    }

    /// Where the value behind a key's closing quote begins.
    #[inline(always)]
    fn behind_key(&self, i: usize) -> usize {
        let i = self.token(i);
        if self.byte(i) == b':' { self.token(i + 1) } else { GIVEN_UP }
    }

    fn object(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> (usize, Kind) {
        if depth >= self.max_depth {
            return (GIVEN_UP, Kind::Absent);
        }
        let mut i = self.token(at + 1);
        if self.byte(i) == b'}' {
            return (i + 1, Kind::EmptyObject);
        }
        loop {
            let Some((key_end, Kind::String)) = self.marks.string(i) else {
                return (GIVEN_UP, Kind::Absent);
            };
            let start = self.behind_key(key_end);
            if start == GIVEN_UP {
                return (GIVEN_UP, Kind::Absent);
            }
            let end = match self.want.find(node, self.text, i + 1..key_end - 1) {
                Some(child) => self.value(child, row, start, depth + 1),
                None => {
                    let (end, kind) = self.skip(start, depth + 1);
                    self.rest.push(Rest {
                        node,
                        key: (i as u32 + 1, key_end as u32 - 1),
                        value: Cell { start: start as u32, end: end as u32, kind },
                    });
                    end
                }
            };
            if end == GIVEN_UP {
                return (GIVEN_UP, Kind::Absent);
            }
            i = self.token(end);
            match self.byte(i) {
                b',' => i = self.token(i + 1),
                b'}' => return (i + 1, Kind::Object),
                _ => return (GIVEN_UP, Kind::Absent),
            }
        }
    }

    #[inline(always)]
    fn value(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> usize {
        let n = *self.want.step(node);
        let (end, kind) = match self.byte(at) {
            b'{' if n.has_keys() => self.object(node, row, at, depth),
            b'[' if n.is_list => self.list(node, at, depth),
            _ => {
                let (end, kind) = self.skip(at, depth);
                if kind.is_leaf() && super::COUNTED {
                    self.hits.push(Hit { node, at: at as u32 });
                }
                (end, kind)
            }
        };
        let cell = Cell { start: at as u32, end: end as u32, kind };
        let column = n.slot.column as usize;
        let place = if n.slot.scope == 0 {
            self.present[column / 64] |= 1 << (column % 64);
            self.set.push(n.slot.column);
            &mut self.root[column]
        } else {
            let rows = &mut self.scopes[n.slot.scope as usize];
            &mut rows.cells[row * rows.width + column]
        };
        if place.kind != Kind::Absent {
            return GIVEN_UP;
        }
        *place = cell;
        end
    }

    fn list(&mut self, node: NodeId, at: usize, depth: usize) -> (usize, Kind) {
        let Some(element) = self.want.element_of(node).filter(|_| depth < self.max_depth) else {
            return (GIVEN_UP, Kind::Absent);
        };
        *self.lists_met = true;
        let scope = self.want.step(element).slot.scope as usize;
        let first = self.scopes[scope].len();
        let mut row = first;
        let mut i = self.token(at + 1);
        if self.byte(i) == b']' {
            add_list(&mut self.scopes[scope], at, first, row);
            return (i + 1, Kind::EmptyArray);
        }
        loop {
            self.scopes[scope].add();
            let end = self.value(element, row, i, depth + 1);
            if end == GIVEN_UP {
                return (GIVEN_UP, Kind::Absent);
            }
            row += 1;
            i = self.token(end);
            match self.byte(i) {
                b',' => i = self.token(i + 1),
                b']' => break,
                _ => return (GIVEN_UP, Kind::Absent),
            }
        }
        add_list(&mut self.scopes[scope], at, first, row);
        (i + 1, Kind::Array)
    }

    /// Checks a value that no path leads into.
    #[inline(always)]
    fn skip(&mut self, at: usize, depth: usize) -> (usize, Kind) {
        match self.byte(at) {
            b'"' => self.marks.string(at).unwrap_or((GIVEN_UP, Kind::Absent)),
            b'{' | b'[' => self.skip_inside(at, depth),
            b'-' | b'0'..=b'9' => {
                let end = digits_end(self.text, at);
                if end != at {
                    return (end, Kind::Number);
                }
                (any_number(self.text, at).unwrap_or(GIVEN_UP), Kind::Number)
            }
            b't' => (self.word(at, b"true"), Kind::True),
            b'f' => (self.word(at, b"false"), Kind::False),
            b'n' => (self.word(at, b"null"), Kind::Null),
            _ => (GIVEN_UP, Kind::Absent),
        }
    }

    #[inline(always)]
    fn word<const N: usize>(&self, at: usize, word: &[u8; N]) -> usize {
        match self.text.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(found) if found == word => at + N,
            _ => GIVEN_UP,
        }
    }

    /// Checks a container that no path leads into.
    fn skip_inside(&mut self, at: usize, depth: usize) -> (usize, Kind) {
        let object = self.byte(at) == b'{';
        let (close, full, empty) = match object {
            true => (b'}', Kind::Object, Kind::EmptyObject),
            false => (b']', Kind::Array, Kind::EmptyArray),
        };
        let mut i = self.token(at + 1);
        if depth >= self.max_depth {
            return (GIVEN_UP, Kind::Absent);
        }
        if self.byte(i) == close {
            return (i + 1, empty);
        }
        loop {
            if object {
                let Some((key_end, _)) = self.marks.string(i) else {
                    return (GIVEN_UP, Kind::Absent);
                };
                i = self.behind_key(key_end);
                if i == GIVEN_UP {
                    return (GIVEN_UP, Kind::Absent);
                }
            }
            let (end, _) = self.skip(i, depth + 1);
            if end == GIVEN_UP {
                return (GIVEN_UP, Kind::Absent);
            }
            i = self.token(end);
            match self.byte(i) {
                b',' => i = self.token(i + 1),
                b if b == close => return (i + 1, full),
                _ => return (GIVEN_UP, Kind::Absent),
            }
        }
    }
}
