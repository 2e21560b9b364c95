//! What a record leaves behind, out of the gaps and values that a walk went over: cells, hits and
//! members that no path leads into.

use super::{Act, Deeds, Goal, Step, Trail};
use crate::json::walk::{Rows, add_list};
use crate::json::want::Slot;
use crate::json::{Cell, Hit, Kind, NodeId, Rest, Slots};

/// Where the value of a column stands in all records of one structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// Behind a gap, by the number of its step.
    Value(u32),
    /// From within one gap to within the same or another: by step and offset.
    Container { kind: Kind, open: (u32, u32), close: (u32, u32) },
}

/// What is filled.
pub(super) struct Fill<'a> {
    pub(super) root: &'a mut [Cell],
    pub(super) present: &'a mut [u64],
    pub(super) set: &'a mut Vec<u16>,
    pub(super) scopes: &'a mut [Rows],
    pub(super) lists_met: &'a mut bool,
    pub(super) hits: &'a mut Vec<Hit>,
    pub(super) bundles: &'a mut Vec<(u32, u32)>,
    pub(super) rest: &'a mut Vec<Rest>,
}

impl Slots {
    /// Fills in what a walk along trails left open, from the step `from` on; nothing where a key is
    /// repeated.
    pub(in crate::json) fn fill_from(&mut self, from: usize) -> Option<()> {
        let Slots { root, present, set, scopes, lists_met, hits, bundles, rest, trail, .. } = self;
        let Trail { gaps, deeds, acts, steps, parts, recipes, .. } = trail;
        let mut fill = Fill { root, present, set, scopes, lists_met, hits, bundles, rest };
        let first = parts.partition_point(|part| (part.first as usize) < from);
        for (n, part) in parts.iter().enumerate().skip(first) {
            let end = parts.get(n + 1).map_or(steps.len(), |next| next.first as usize);
            let steps = (part.first, &steps[part.first as usize..end]);
            recipes.fill(&mut fill, part.place, steps, (gaps, deeds, acts))?;
        }
        Some(())
    }

    /// The leaves of one of `bundles`, and their types.
    #[inline]
    pub fn bundle(&self, id: u32) -> impl Iterator<Item = (NodeId, Kind)> {
        self.trail.recipes.leaves(id).iter().map(|(node, kind, _)| (*node, *kind))
    }

    /// Puts all leaves of `bundles` among the hits.
    pub fn unbundle(&mut self) {
        self.unbundle_behind(0);
    }

    /// The same, where the first hits are those of other walks.
    pub(in crate::json) fn unbundle_behind(&mut self, before: usize) {
        if self.bundles.is_empty() {
            return;
        }
        let Slots { hits, bundles, trail, .. } = self;
        for (id, first) in bundles.drain(..) {
            for (node, _, n) in trail.recipes.leaves(id) {
                let at = trail.steps[(first + n) as usize].value.start;
                hits.push(Hit { node: *node, at });
            }
        }
        hits[before..].sort_unstable_by_key(|hit| hit.at);
    }

    /// Where the values of some columns of the record's own scope stand in the trunks of all records with
    /// the same [`Slots::whole_structure`], which must tell all.
    pub fn spots(&self, columns: &[u16]) -> Option<Vec<(u16, Spot)>> {
        let Trail { deeds, .. } = &self.trail;
        let mut spots: Vec<(u16, Spot)> = Vec::new();
        let asked = |slot: Slot| slot.scope == 0 && columns.contains(&slot.column);
        for (n, step) in self.trail.trunk().iter().enumerate() {
            for act in self.trail.acts_of(step.gap) {
                match *act {
                    Act::OpenList(slot, _, off) if asked(slot) => {
                        let (kind, open) = (Kind::Array, (n as u32, off));
                        spots.push((slot.column, Spot::Container { kind, open, close: open }));
                    }
                    Act::Open(slot, off) if asked(slot) => {
                        let (kind, open) = (Kind::Object, (n as u32, off));
                        spots.push((slot.column, Spot::Container { kind, open, close: open }));
                    }
                    Act::OpenLeaf(_, slot, kind, off) if asked(slot) => {
                        let open = (n as u32, off);
                        spots.push((slot.column, Spot::Container { kind, open, close: open }));
                    }
                    Act::Fixed(slot, kind, start, end) if asked(slot) => {
                        let (open, close) = ((n as u32, start), (n as u32, end));
                        spots.push((slot.column, Spot::Container { kind, open, close }));
                    }
                    Act::Close(slot, off) | Act::CloseList(slot, _, off) if asked(slot) => {
                        let (_, spot) = spots.iter_mut().find(|(column, _)| *column == slot.column)?;
                        let Spot::Container { close, .. } = spot else { return None };
                        *close = (n as u32, off);
                    }
                    _ => {}
                }
            }
            match deeds[step.gap as usize].to {
                Goal::Node(_, slot) if asked(slot) => spots.push((slot.column, Spot::Value(n as u32))),
                _ => {}
            }
        }
        spots.into_iter().map(|(column, spot)| Some((column, self.in_whole(spot)?))).collect()
    }

    /// The same place by the steps of the record alone, if it was found by walking one of its values once
    /// more.
    fn in_whole(&self, spot: Spot) -> Option<Spot> {
        let Trail { whole, gaps, .. } = &self.trail;
        let steps = self.trail.trunk();
        let (whole, _) = steps.split_at(whole.0);
        let of_record = |step: u32| (step as usize) < whole.len();
        // A byte of a gap, and the offset behind it.
        let byte = |(step, off): (u32, u32)| -> Option<(u32, u32)> {
            let place = steps[step as usize].at + off;
            let n = whole.partition_point(|step| step.at <= place).checked_sub(1)?;
            let off = place - whole[n].at;
            (off < gaps[whole[n].gap as usize].len as u32).then_some((n as u32, off))
        };
        match spot {
            Spot::Value(step) if of_record(step) => Some(spot),
            Spot::Value(step) => {
                let value = steps[step as usize].value;
                let same = whole.iter().position(|step| step.value == value)?;
                Some(Spot::Value(same as u32))
            }
            Spot::Container { kind, open, close } => {
                let (step, off) = byte((close.0, close.1.checked_sub(1)?))?;
                Some(Spot::Container { kind, open: byte(open)?, close: (step, off + 1) })
            }
        }
    }

    /// What all records of the structure have.
    #[inline(always)]
    pub fn trunk(&self) -> Stretch<'_> {
        Stretch { steps: self.trail.trunk() }
    }

    /// Fills in some columns of a record of which nothing is filled in yet.
    #[inline]
    pub fn fill_some(&mut self, spots: &Spots) {
        let Spots { columns, words, values, containers } = spots;
        let Slots { root, present, set, trail, .. } = self;
        let trunk = Stretch { steps: trail.trunk() };
        set.extend_from_slice(columns);
        for &(word, bits) in words {
            present[word as usize] |= bits;
        }
        for &(column, step) in values {
            root[column as usize] = trunk.steps[step as usize].value;
        }
        for &(column, spot) in containers {
            root[column as usize] = trunk.at(spot);
        }
    }
}

/// Steps that all records of one structure have, or all elements that are the same.
#[derive(Clone, Copy)]
pub struct Stretch<'a> {
    steps: &'a [Step],
}

impl<'a> Stretch<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Stretch<'a> {
        Stretch { steps }
    }

    /// The step that a cell is the value of.
    pub fn find(&self, cell: Cell) -> Option<u16> {
        let found = self.steps.iter().position(|step| step.value == cell)?;
        u16::try_from(found).ok()
    }

    /// The value behind a step.
    #[inline(always)]
    pub fn value(&self, step: u16) -> Cell {
        self.steps.get(step as usize).map_or(Cell::ABSENT, |step| step.value)
    }

    /// The cell at a spot, be it filled in or not.
    #[inline(always)]
    pub fn at(&self, spot: Spot) -> Cell {
        let place = |(step, off): (u32, u32)| self.steps[step as usize].at + off;
        match spot {
            Spot::Value(step) => self.steps[step as usize].value,
            Spot::Container { kind, open, close } => Cell { start: place(open), end: place(close), kind },
        }
    }
}

/// Where the values of some columns stand, sorted by how they are filled in.
#[derive(PartialEq, Debug)]
pub struct Spots {
    columns: Box<[u16]>,
    /// Their bits, by word.
    words: Box<[(u16, u64)]>,
    /// The column and the step.
    values: Box<[(u16, u32)]>,
    containers: Box<[(u16, Spot)]>,
}

impl Spots {
    pub fn new(spots: &[(u16, Spot)]) -> Spots {
        let mut words: Vec<(u16, u64)> = Vec::new();
        for (column, _) in spots {
            let (word, bit) = (column / 64, 1 << (column % 64));
            match words.iter_mut().find(|(other, _)| *other == word) {
                Some((_, bits)) => *bits |= bit,
                None => words.push((word, bit)),
            }
        }
        let value = |(column, spot): &(u16, Spot)| match spot {
            Spot::Value(step) => Some((*column, *step)),
            Spot::Container { .. } => None,
        };
        Spots {
            columns: spots.iter().map(|(column, _)| *column).collect(),
            words: words.into(),
            values: spots.iter().filter_map(value).collect(),
            containers: spots.iter().filter(|spot| value(spot).is_none()).copied().collect(),
        }
    }
}

impl Fill<'_> {
    /// The last row of a scope.
    #[inline(always)]
    pub(super) fn row(&mut self, scope: u16) -> &mut [Cell] {
        if scope == 0 {
            return self.root;
        }
        let rows = &mut self.scopes[scope as usize];
        let last = rows.cells.len() - rows.width;
        &mut rows.cells[last..]
    }

    #[inline(always)]
    pub(super) fn step(&mut self, step: &Step, deeds: &Deeds, acts: &[Act]) -> Option<()> {
        let (at, value) = (step.at as usize, step.value);
        if deeds.acts.0 != deeds.acts.1 {
            self.perform(acts.get(deeds.acts.0 as usize..deeds.acts.1 as usize)?, at)?;
        }
        match deeds.to {
            Goal::Node(node, slot) => {
                if value.kind.is_leaf() && crate::json::COUNTED {
                    self.hits.push(Hit { node, at: value.start });
                }
                self.put(slot, value)?;
            }
            Goal::Unknown(node, from, to) => {
                let key = (step.at + from, step.at + to);
                self.rest.push(Rest { node, key, value });
            }
            Goal::Inside => {}
        }
        Some(())
    }

    /// The cell of a slot, in the last row of its scope.
    #[inline(always)]
    fn cell(&mut self, slot: Slot) -> &mut Cell {
        let column = slot.column as usize;
        if slot.scope == 0 {
            return &mut self.root[column];
        }
        let rows = &mut self.scopes[slot.scope as usize];
        let last = rows.cells.len() - rows.width;
        &mut rows.cells[last + column]
    }

    /// Leaves a cell where there was none.
    #[inline(always)]
    pub(super) fn put(&mut self, slot: Slot, cell: Cell) -> Option<()> {
        if slot.scope == 0 {
            self.present[slot.column as usize / 64] |= 1 << (slot.column % 64);
            self.set.push(slot.column);
        }
        let place = self.cell(slot);
        if place.kind != Kind::Absent {
            return None;
        }
        *place = cell;
        Some(())
    }

    #[inline(always)]
    pub(super) fn perform(&mut self, acts: &[Act], at: usize) -> Option<()> {
        for act in acts {
            match *act {
                Act::Open(slot, off) => {
                    let start = at as u32 + off;
                    self.put(slot, Cell { start, end: start, kind: Kind::Object })?;
                }
                Act::Close(slot, off) => self.cell(slot).end = at as u32 + off,
                _ => self.perform_rare(*act, at)?,
            }
        }
        Some(())
    }

    #[inline(never)]
    fn perform_rare(&mut self, act: Act, at: usize) -> Option<()> {
        let place = |off: u32| at as u32 + off;
        match act {
            // Until the list ends, its first row stands for its end.
            Act::OpenList(slot, inner, off) => {
                *self.lists_met = true;
                let first = self.scopes[inner as usize].len() as u32;
                self.put(slot, Cell { start: place(off), end: first, kind: Kind::Array })?;
            }
            Act::CloseList(slot, inner, off) => {
                let cell = self.cell(slot);
                let (start, first) = (cell.start as usize, cell.end as usize);
                cell.end = place(off);
                let rows = &mut self.scopes[inner as usize];
                let end = rows.len();
                add_list(rows, start, first, end);
            }
            Act::EmptyList(inner, off) => {
                *self.lists_met = true;
                let rows = &mut self.scopes[inner as usize];
                let end = rows.len();
                add_list(rows, place(off) as usize, end, end);
            }
            Act::AddRow(inner) => self.scopes[inner as usize].add(),
            Act::OpenLeaf(node, slot, kind, off) => {
                let start = place(off);
                if crate::json::COUNTED {
                    self.hits.push(Hit { node, at: start });
                }
                self.put(slot, Cell { start, end: start, kind })?;
            }
            Act::OpenRest(node, from, to, kind, off) => {
                let value = Cell { start: place(off), end: place(off), kind };
                self.rest.push(Rest { node, key: (place(from), place(to)), value });
            }
            // Nothing is left of what stands inside.
            Act::CloseRest(off) => self.rest.last_mut()?.value.end = place(off),
            Act::Fixed(slot, kind, start, end) => {
                self.put(slot, Cell { start: place(start), end: place(end), kind })?;
            }
            Act::FixedRest(node, (from, to), kind, start, end) => {
                let value = Cell { start: place(start), end: place(end), kind };
                self.rest.push(Rest { node, key: (place(from), place(to)), value });
            }
            Act::Open(..) | Act::Close(..) => {}
        }
        Some(())
    }
}
