//! Walking one record beside the trie of wanted paths: one pass, strict, raw slices out.

use super::scan::{colon, fault, missing, skip_space, string, value};
use super::{Cell, Fault, FaultKind, Kind, NodeId, SlotAt, Want, unescape};

/// A member that no path of the trie leads into.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// The deepest node of the trie above it.
    pub node: NodeId,
    /// Its key, between the quotes, as written.
    pub key: (u32, u32),
    pub value: Cell,
}

/// What a walk leaves behind. One per worker, reused for every record.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    scopes: Vec<Rows>,
    /// Root cells that were set, so that a reset touches only those.
    touched: Vec<u16>,
    /// Nodes whose leaf was present, in the order of the text.
    pub hits: Vec<NodeId>,
    pub rest: Vec<Rest>,
    key: String,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    width: usize,
    cells: Vec<Cell>,
    /// Each list of this scope, in the order of where it stands: where it starts, its first row and the
    /// row behind its last.
    lists: Vec<(u32, u32, u32)>,
}

impl Slots {
    /// Room for one trie.
    pub fn new(want: &Want) -> Slots {
        let mut scopes: Vec<Rows> =
            want.scopes.iter().map(|s| Rows { width: s.width, ..Rows::default() }).collect();
        if let Some(root) = scopes.first_mut() {
            root.cells.resize(root.width, Cell::ABSENT);
        }
        Slots { scopes, ..Slots::default() }
    }

    fn reset(&mut self) {
        for &column in &self.touched {
            self.scopes[0].cells[column as usize] = Cell::ABSENT;
        }
        self.touched.clear();
        for rows in &mut self.scopes[1..] {
            rows.cells.clear();
            rows.lists.clear();
        }
        self.hits.clear();
        self.rest.clear();
    }

    /// Whether a walk has already left a value of the record's own root.
    pub fn root(&self, column: u16) -> Cell {
        self.scopes[0].cells[column as usize]
    }
}

/// Reading the slots of one record: which row of each scope is the current one.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub text: &'a [u8],
    pub slots: &'a Slots,
}

impl<'a> View<'a> {
    /// The cell of a slot in a row of its scope (row 0 for scope 0).
    #[inline]
    pub fn cell(&self, at: SlotAt, row: u32) -> Cell {
        let rows = &self.slots.scopes[at.scope as usize];
        rows.cells[row as usize * rows.width + at.column as usize]
    }

    /// The rows of the list whose cell this is.
    pub fn rows(&self, scope: u16, list: Cell) -> std::ops::Range<u32> {
        if !list.kind.is_array() {
            return 0..0;
        }
        let lists = &self.slots.scopes[scope as usize].lists;
        match lists.binary_search_by_key(&list.start, |l| l.0) {
            Ok(i) => lists[i].1..lists[i].2,
            Err(_) => 0..0,
        }
    }
}

/// Walks the object at `at`, filling `slots` anew; the offset behind it.
pub fn walk(
    want: &Want,
    text: &[u8],
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Result<usize, Fault> {
    slots.reset();
    Walk { want, text, slots, max_depth }.object(0, 0, at, 0)
}

impl Slots {
    /// Walks one more value of the same record, at `at`, as the value of `node` (an extra root or
    /// a child of the root). The text there was checked by the walk before, so it cannot fail.
    pub fn walk_more(&mut self, want: &Want, text: &[u8], at: usize, node: NodeId) {
        let mut walk = Walk { want, text, slots: self, max_depth: super::MAX_DEPTH };
        let end = walk.value(node, 0, at, 0);
        debug_assert!(end.is_ok(), "a checked value faults: {end:?}");
    }
}

struct Walk<'a> {
    want: &'a Want,
    text: &'a [u8],
    slots: &'a mut Slots,
    max_depth: usize,
}

impl Walk<'_> {
    fn object(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> Result<usize, Fault> {
        let (want, text) = (self.want, self.text);
        if depth >= self.max_depth {
            return fault(at, FaultKind::Depth);
        }
        let keys = &want.nodes[node as usize].keys;
        let mut i = skip_space(text, at + 1);
        if text.get(i) == Some(&b'}') {
            return Ok(i + 1);
        }
        loop {
            if text.get(i) != Some(&b'"') {
                return missing(text, i, "a key in quotes");
            }
            let (key_end, kind) = string(text, i)?;
            let raw = &text[i + 1..key_end - 1];
            let child = if kind == Kind::String { keys.find(raw) } else { self.escaped_key(node, raw) };
            let start = colon(text, key_end)?;
            match child {
                Some(child) => i = self.value(child, row, start, depth + 1)?,
                None => {
                    let (end, kind) = value(text, start, depth + 1, self.max_depth)?;
                    self.slots.rest.push(Rest {
                        node,
                        key: (i as u32 + 1, key_end as u32 - 1),
                        value: Cell { start: start as u32, end: end as u32, kind },
                    });
                    i = end;
                }
            }
            i = skip_space(text, i);
            match text.get(i) {
                Some(b',') => i = skip_space(text, i + 1),
                Some(b'}') => return Ok(i + 1),
                _ => return missing(text, i, "`,` or `}`"),
            }
        }
    }

    /// A key with escapes is compared by its characters.
    #[cold]
    fn escaped_key(&mut self, node: NodeId, raw: &[u8]) -> Option<NodeId> {
        let mut key = std::mem::take(&mut self.slots.key);
        key.clear();
        unescape(raw, &mut key);
        let child = self.want.nodes[node as usize].keys.find(key.as_bytes());
        self.slots.key = key;
        child
    }

    /// The value of `node` at `at`; `row` is the row of the node's scope.
    fn value(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> Result<usize, Fault> {
        let n = &self.want.nodes[node as usize];
        let (scope, column) = (n.slot.scope as usize, n.slot.column as usize);
        let place = row * self.slots.scopes[scope].width + column;
        if self.slots.scopes[scope].cells[place].kind != Kind::Absent {
            self.forget(scope, place, n.slot.below as usize);
        }
        if scope == 0 {
            self.slots.touched.push(column as u16);
        }
        let (end, kind) = match self.text.get(at) {
            Some(b'{') if !n.keys.is_empty() => {
                let end = self.object(node, row, at, depth)?;
                let empty = skip_space(self.text, at + 1) + 1 == end;
                (end, if empty { Kind::EmptyObject } else { Kind::Object })
            }
            Some(b'[') if n.element.is_some() => self.list(node, at, depth)?,
            _ => {
                let (end, kind) = value(self.text, at, depth, self.max_depth)?;
                if kind.is_leaf() {
                    self.slots.hits.push(node);
                }
                (end, kind)
            }
        };
        self.slots.scopes[scope].cells[place] = Cell { start: at as u32, end: end as u32, kind };
        Ok(end)
    }

    /// A repeated key: the last one wins, so what the first one left goes.
    #[cold]
    fn forget(&mut self, scope: usize, place: usize, below: usize) {
        let cells = &mut self.slots.scopes[scope].cells[place..=place + below];
        let first = cells[0].start..cells[0].end;
        cells.fill(Cell::ABSENT);
        self.slots.rest.retain(|rest| !first.contains(&rest.value.start));
    }

    fn list(&mut self, node: NodeId, at: usize, depth: usize) -> Result<(usize, Kind), Fault> {
        let text = self.text;
        if depth >= self.max_depth {
            return fault(at, FaultKind::Depth);
        }
        let Some(element) = self.want.nodes[node as usize].element else {
            return value(text, at, depth, self.max_depth);
        };
        let scope = self.want.nodes[element as usize].slot.scope as usize;
        let rows = |w: &Walk| w.slots.scopes[scope].cells.len() / w.slots.scopes[scope].width;
        let first = rows(self);
        let mut i = skip_space(text, at + 1);
        let empty = text.get(i) == Some(&b']');
        loop {
            if empty {
                break;
            }
            let row = rows(self);
            let cells = self.slots.scopes[scope].cells.len() + self.slots.scopes[scope].width;
            self.slots.scopes[scope].cells.resize(cells, Cell::ABSENT);
            i = skip_space(text, self.value(element, row, i, depth + 1)?);
            match text.get(i) {
                Some(b',') => i = skip_space(text, i + 1),
                Some(b']') => break,
                _ => return missing(text, i, "`,` or `]`"),
            }
        }
        let end = rows(self);
        // Only a value that is walked later can stand before a list that was.
        let lists = &mut self.slots.scopes[scope].lists;
        let place = match lists.last() {
            Some(last) if last.0 > at as u32 => lists.partition_point(|l| l.0 < at as u32),
            _ => lists.len(),
        };
        lists.insert(place, (at as u32, first as u32, end as u32));
        Ok((i + 1, if empty { Kind::EmptyArray } else { Kind::Array }))
    }
}
