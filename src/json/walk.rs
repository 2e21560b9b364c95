//! Walking one record beside the trie of wanted paths: one pass, strict, raw slices out.

use super::scan::{Scan, colon, fault, missing, skip_space, skip_value};
use super::trail::{Structure, Trail};
use super::want::Step;
use super::{Cell, Fault, FaultKind, Kind, Marks, NodeId, SlotAt, Want, trail, unescape};

/// A member that no path of the trie leads into.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rest {
    /// The deepest node of the trie above it.
    pub node: NodeId,
    /// Its key, between the quotes, as written.
    pub key: (u32, u32),
    pub value: Cell,
}

/// A leaf that was met: its node, and where its value begins.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hit {
    pub node: NodeId,
    pub at: u32,
}

/// What a walk leaves behind. One per worker, reused for every record.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// The cells of the record's own scope.
    pub(super) root: Vec<Cell>,
    /// The rows of the others, by scope.
    pub(super) scopes: Vec<Rows>,
    /// A bit for each root cell that was set: a mapping looks only at what is there.
    pub(super) present: Vec<u64>,
    /// Their columns: a reset touches only those.
    pub(super) set: Vec<u16>,
    /// Some list was walked.
    pub(super) lists_met: bool,
    /// Nodes whose leaf was present, in the order of the text.
    pub hits: Vec<Hit>,
    /// More of them, those of each part of the record together: its number, and where it begins.
    pub bundles: Vec<(u32, u32)>,
    pub rest: Vec<Rest>,
    key: String,
    pub(super) trail: Trail,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) cells: Vec<Cell>,
    /// Each list of this scope, in the order of where it stands: where it starts, its first row and the
    /// row behind its last.
    lists: Vec<(u32, u32, u32)>,
}

impl Slots {
    /// Room for one trie.
    pub fn new(want: &Want) -> Slots {
        let scopes = want.scopes.iter().map(|s| Rows { width: s.width, ..Rows::default() }).collect();
        let width = want.scopes.first().map_or(0, |root| root.width);
        Slots {
            root: vec![Cell::ABSENT; width],
            scopes,
            present: vec![0; width.div_ceil(64)],
            ..Slots::default()
        }
    }

    fn reset(&mut self) {
        self.empty();
        self.trail.reset();
    }

    /// Of a record nothing is filled in.
    fn empty(&mut self) {
        for column in self.set.drain(..) {
            self.root[column as usize] = Cell::ABSENT;
        }
        self.present.fill(0);
        // Most records have no list that is walked, and there are many such lists.
        if std::mem::take(&mut self.lists_met) {
            for rows in &mut self.scopes[1..] {
                rows.cells.clear();
                rows.lists.clear();
            }
        }
        self.hits.clear();
        self.bundles.clear();
        self.rest.clear();
    }

    /// The record's structure, for whoever has met it before. `None` where that was not learned.
    #[inline]
    pub fn structure(&self) -> Option<Structure> {
        self.trail.structure()
    }

    /// The same without those of its values that were walked once more.
    pub fn whole_structure(&self) -> Option<Structure> {
        self.trail.whole_structure()
    }

    /// What was noted of the record's structure; 0 where it has none or nothing was.
    #[inline(always)]
    pub fn note(&self) -> u32 {
        self.trail.note()
    }

    /// What was noted of a structure.
    pub fn note_of(&self, structure: Structure) -> u32 {
        self.trail.note_of(structure)
    }

    /// Notes something of a structure, be it [`Slots::whole_structure`].
    pub fn take_note(&mut self, of: Structure, note: u32) {
        self.trail.take_note(of, note);
    }

    /// Whether the structure says all that is inside of every container.
    pub fn structure_tells_all(&self) -> bool {
        self.trail.tells_all()
    }

    /// Whether two walks left the same behind.
    pub fn same(&self, other: &Slots) -> bool {
        self.root == other.root
            && self.scopes == other.scopes
            && self.hits == other.hits
            && self.rest == other.rest
    }

    /// Whether a walk has already left a value of the record's own root.
    pub fn root(&self, column: u16) -> Cell {
        self.root[column as usize]
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.cells.len() / self.width
    }

    /// One more row.
    #[inline]
    pub(super) fn add(&mut self) {
        // Copied as a whole where it can be: cell by cell it took seven times the instructions.
        const BLANK: [Cell; 64] = [Cell::ABSENT; 64];
        match BLANK.get(..self.width) {
            Some(row) => self.cells.extend_from_slice(row),
            None => self.cells.resize(self.cells.len() + self.width, Cell::ABSENT),
        }
    }
}

/// Notes where a list stands and which rows are its own.
pub(super) fn add_list(rows: &mut Rows, at: usize, first: usize, end: usize) {
    // Only a value that is walked later can stand before a list that was.
    let lists = &mut rows.lists;
    let list = (at as u32, first as u32, end as u32);
    match lists.last() {
        Some(last) if last.0 > list.0 => lists.insert(lists.partition_point(|l| l.0 < list.0), list),
        _ => lists.push(list),
    }
}

/// Reading the slots of one record: which row of each scope is the current one.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub text: &'a [u8],
    pub slots: &'a Slots,
}

/// Some columns of the record's own scope, by the word their bits stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mask {
    word: u32,
    bits: u64,
}

impl Mask {
    /// Calls `f` with each of the columns that was met, be it with null.
    #[inline(always)]
    pub fn met(&self, view: &View, mut f: impl FnMut(u16)) {
        let mut bits = view.slots.present[self.word as usize] & self.bits;
        while bits != 0 {
            f((self.word * 64 + bits.trailing_zeros()) as u16);
            bits &= bits - 1;
        }
    }
}

/// The columns as masks, one for each word.
pub fn masks(columns: impl Iterator<Item = u16>) -> Box<[Mask]> {
    // Nearly always one.
    let mut masks: Vec<Mask> = Vec::with_capacity(1);
    for column in columns {
        let (word, bits) = (column as u32 / 64, 1 << (column % 64));
        match masks.iter_mut().find(|m| m.word == word) {
            Some(mask) => mask.bits |= bits,
            None => masks.push(Mask { word, bits }),
        }
    }
    masks.into()
}

impl<'a> View<'a> {
    /// Whether any of the columns was met, be it with null.
    #[inline(always)]
    pub fn any(&self, masks: &[Mask]) -> bool {
        masks.iter().any(|m| self.slots.present[m.word as usize] & m.bits != 0)
    }

    /// Whether all of the columns were met, be it with null.
    #[inline(always)]
    pub fn all(&self, masks: &[Mask]) -> bool {
        masks.iter().all(|m| self.slots.present[m.word as usize] & m.bits == m.bits)
    }

    /// A cell of the record's own scope.
    #[inline(always)]
    pub fn root(&self, column: u16) -> Cell {
        self.slots.root[column as usize]
    }

    /// The cell of a slot in a row of its scope (row 0 for scope 0).
    #[inline]
    pub fn cell(&self, at: SlotAt, row: u32) -> Cell {
        if at.scope == 0 {
            return self.root(at.column);
        }
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

/// Walks the object at `at`, filling `slots` anew; the offset behind it. `marks` may be of an index of
/// the text or of none.
pub fn walk(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Result<usize, Fault> {
    let (end, open) = follow(want, (text, text.len()), marks, at, max_depth, slots)?;
    if open {
        slots.fill(want, text, marks, at);
    }
    slots.unbundle();
    Ok(end)
}

/// The same for an object that ends before `end` if it ends at all, but a record whose structure is known
/// is only read, which is told beside the offset: nothing of it is in its slots yet, and [`Slots::fill`]
/// or [`Slots::fill_some`] puts it there.
pub fn follow(
    want: &Want,
    (text, end): (&[u8], usize),
    marks: Marks,
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Result<(usize, bool), Fault> {
    slots.reset();
    slots.trail.next_record();
    let own = &text[..end];
    if !marks.is_empty() {
        if slots.trail.is_worth_trying() {
            // What stands behind is looked at too, so that the last gaps are compared like all others.
            let found = trail::walk(want, text, marks, at, max_depth, 0, &mut slots.trail);
            if let Some(behind) = found.filter(|behind| *behind <= end) {
                let known = slots.trail.structure().is_some();
                if known || slots.fill_from(0).is_some() {
                    return Ok((behind, known));
                }
            }
            slots.reset();
        }
        if !slots.trail.is_worth_trying() {
            slots.trail.stray();
            if let Some(end) = trail::quick::walk(want, own, marks, at, max_depth, slots) {
                return Ok((end, false));
            }
            slots.reset();
        }
    }
    carefully(want, own, marks, at, max_depth, slots).map(|end| (end, false))
}

/// Walks the object at `at` into slots that were reset.
fn carefully(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    slots: &mut Slots,
) -> Result<usize, Fault> {
    slots.trail.stray();
    let scan = Scan { text, marks };
    Walk { want, text, scan, slots, max_depth }.object(0, 0, at, 0).map(|(end, _)| end)
}

impl Slots {
    /// Fills in what [`follow`] left open of the object at `at`, whatever of it was filled in since.
    pub fn fill(&mut self, want: &Want, text: &[u8], marks: Marks, at: usize) {
        self.empty();
        if self.fill_from(0).is_none() {
            self.reset();
            let walked = carefully(want, text, marks, at, super::MAX_DEPTH, self);
            debug_assert!(walked.is_ok(), "a checked record faults: {walked:?}");
        }
    }

    /// Walks one more value of the same record, at `at`, as the value of `node` (an extra root or
    /// a child of the root). The text there was checked by the walk before, so it cannot fail.
    pub fn walk_more(&mut self, want: &Want, text: &[u8], marks: Marks, at: usize, node: NodeId) {
        self.unbundle();
        if !marks.is_empty() && self.trail.is_worth_trying() {
            let (hits, rest) = (self.hits.len(), self.rest.len());
            let from = self.trail.len();
            if trail::walk(want, text, marks, at, super::MAX_DEPTH, node, &mut self.trail).is_some()
                && self.fill_from(from).is_some()
            {
                self.unbundle_behind(hits);
                return;
            }
            self.bundles.clear();
            // What was left of it so far is cleared by the careful walk as that of a repeated key.
            self.hits.truncate(hits);
            self.rest.truncate(rest);
            let end = skip_value(text, at, super::MAX_DEPTH).unwrap_or(text.len());
            for rows in &mut self.scopes {
                rows.lists.retain(|list| !(at..end).contains(&(list.0 as usize)));
                let kept = rows.lists.iter().map(|list| list.2 as usize).max().unwrap_or(0);
                rows.cells.truncate(kept * rows.width);
            }
        }
        self.trail.stray();
        let scan = Scan { text, marks };
        let mut walk = Walk { want, text, scan, slots: self, max_depth: super::MAX_DEPTH };
        let end = walk.value(node, 0, at, 0);
        debug_assert!(end.is_ok(), "a checked value faults: {end:?}");
    }
}

struct Walk<'a> {
    want: &'a Want,
    text: &'a [u8],
    scan: Scan<'a>,
    slots: &'a mut Slots,
    max_depth: usize,
}

impl Walk<'_> {
    /// The offset behind the object at `at`, and whether it has members.
    fn object(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> Result<(usize, Kind), Fault> {
        let (want, text) = (self.want, self.text);
        if depth >= self.max_depth {
            return fault(at, FaultKind::Depth);
        }
        let mut i = skip_space(text, at + 1);
        if text.get(i) == Some(&b'}') {
            return Ok((i + 1, Kind::EmptyObject));
        }
        loop {
            if text.get(i) != Some(&b'"') {
                return missing(text, i, "a key in quotes");
            }
            let (key_end, kind) = self.scan.string(i)?;
            let key = i + 1..key_end - 1;
            let child = match kind {
                Kind::String => want.find(node, text, key),
                _ => self.escaped_key(node, &text[key]),
            };
            let start = colon(text, key_end)?;
            match child {
                Some(child) => i = self.value(child, row, start, depth + 1)?,
                None => {
                    let (end, kind) = self.scan.value(start, depth + 1, self.max_depth)?;
                    self.slots.rest.push(Rest {
                        node,
                        key: (i as u32 + 1, key_end as u32 - 1),
                        value: Cell { start: start as u32, end: end as u32, kind },
                    });
                    i = end;
                }
            }
            // Nearly all texts have no space here.
            if let Some(&[b',', b'"']) = text.get(i..).and_then(|rest| rest.first_chunk::<2>()) {
                i += 1;
                continue;
            }
            i = skip_space(text, i);
            match text.get(i) {
                Some(b',') => i = skip_space(text, i + 1),
                Some(b'}') => return Ok((i + 1, Kind::Object)),
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
        let child = self.want.key(node, key.as_bytes());
        self.slots.key = key;
        child
    }

    /// The value of `node` at `at`; `row` is the row of the node's scope.
    #[inline]
    fn value(&mut self, node: NodeId, row: usize, at: usize, depth: usize) -> Result<usize, Fault> {
        let n = self.want.step(node);
        if self.cells(n.slot.scope, row)[n.slot.column as usize].kind != Kind::Absent {
            self.forget(n, row);
        }
        if n.slot.scope == 0 {
            self.slots.present[n.slot.column as usize / 64] |= 1 << (n.slot.column % 64);
            self.slots.set.push(n.slot.column);
        }
        let (end, kind) = match self.text.get(at) {
            Some(b'{') if n.has_keys() => self.object(node, row, at, depth)?,
            Some(b'[') if n.is_list => self.list(node, at, depth)?,
            _ => {
                let (end, kind) = self.scan.value(at, depth, self.max_depth)?;
                if kind.is_leaf() && super::COUNTED {
                    self.slots.hits.push(Hit { node, at: at as u32 });
                }
                (end, kind)
            }
        };
        let cell = Cell { start: at as u32, end: end as u32, kind };
        self.cells(n.slot.scope, row)[n.slot.column as usize] = cell;
        Ok(end)
    }

    /// The cells of a row of a scope.
    fn cells(&mut self, scope: u16, row: usize) -> &mut [Cell] {
        if scope == 0 {
            return &mut self.slots.root;
        }
        let rows = &mut self.slots.scopes[scope as usize];
        &mut rows.cells[row * rows.width..(row + 1) * rows.width]
    }

    /// A repeated key: the last one wins, so what the first one left goes.
    #[cold]
    fn forget(&mut self, n: &Step, row: usize) {
        let column = n.slot.column as usize;
        let cells = &mut self.cells(n.slot.scope, row)[column..=column + n.slot.below as usize];
        let first = cells[0].start..cells[0].end;
        cells.fill(Cell::ABSENT);
        self.slots.rest.retain(|rest| !first.contains(&rest.value.start));
    }

    fn list(&mut self, node: NodeId, at: usize, depth: usize) -> Result<(usize, Kind), Fault> {
        let text = self.text;
        if depth >= self.max_depth {
            return fault(at, FaultKind::Depth);
        }
        let Some(element) = self.want.element_of(node) else {
            return self.scan.value(at, depth, self.max_depth);
        };
        self.slots.lists_met = true;
        let scope = self.want.step(element).slot.scope as usize;
        let first = self.slots.scopes[scope].len();
        let mut row = first;
        let mut i = skip_space(text, at + 1);
        let empty = text.get(i) == Some(&b']');
        loop {
            if empty {
                break;
            }
            self.slots.scopes[scope].add();
            i = skip_space(text, self.value(element, row, i, depth + 1)?);
            row += 1;
            match text.get(i) {
                Some(b',') => i = skip_space(text, i + 1),
                Some(b']') => break,
                _ => return missing(text, i, "`,` or `]`"),
            }
        }
        add_list(&mut self.slots.scopes[scope], at, first, row);
        Ok((i + 1, if empty { Kind::EmptyArray } else { Kind::Array }))
    }
}
