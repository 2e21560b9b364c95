//! A mapping as far as it concerns records of one structure: what can write nothing is left out, and
//! conditions on values that all of them share are settled. Knows no record but the one at hand, which
//! stands for the others; what is left writes for each of them what the whole mapping would.

use std::collections::HashMap;
use std::sync::Arc;

use super::pen::Pen;
use crate::json::{Cell, Kind};
use crate::ops::Test;
use crate::plan::{Check, Field, Leaf, LeafType, List, Object, Origin, Part, Read, ReadAt, Shape, TemplatePiece};

/// What records must share, beside their structure, to be treated alike: by column of the record's own scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    texts: Vec<(u16, Box<[u8]>)>,
    /// Whether a string says anything.
    filled: Vec<(u16, bool)>,
    /// No more texts are asked for.
    closed: bool,
}

impl Asked {
    /// Nothing yet; where it is closed, no texts are asked for.
    pub(super) fn new(closed: bool) -> Asked {
        Asked { closed, ..Asked::default() }
    }

    /// Whether records share the text of a column from now on.
    pub(super) fn text(&mut self, column: u16, raw: &[u8]) -> bool {
        let known = self.texts.iter().any(|(c, _)| *c == column);
        if !known && !self.closed {
            self.texts.push((column, raw.into()));
        }
        known || !self.closed
    }

    fn filled(&mut self, column: u16, filled: bool) {
        if !self.filled.iter().any(|(c, _)| *c == column) {
            self.filled.push((column, filled));
        }
    }

    /// Whether a record of the structure gives the answers that were given.
    #[inline(always)]
    pub(super) fn same(&self, text: &[u8], cell: impl Fn(u16) -> Cell) -> bool {
        self.texts.iter().all(|(column, raw)| cell(*column).raw(text) == &**raw)
            && self.filled.iter().all(|(column, filled)| is_filled(cell(*column)) == *filled)
    }
}

fn is_filled(cell: Cell) -> bool {
    !(cell.kind == Kind::String && cell.end - cell.start == 2)
}

/// Fields with other shapes than the mapping's, by which field it is and what became of it.
pub(super) type Fields = HashMap<(usize, Box<[u8]>), Arc<Field>, foldhash::fast::FixedState>;

pub(super) struct Partial<'p> {
    pub(super) asked: &'p mut Asked,
    pub(super) fields: &'p mut Fields,
    /// What was decided, in order.
    pub(super) trace: Vec<u8>,
}

enum Kept<T> {
    Whole,
    Part(T),
    Nothing,
}

impl<T> Kept<T> {
    fn note(self, trace: &mut Vec<u8>) -> Kept<T> {
        trace.push(match self {
            Kept::Whole => b'w',
            Kept::Part(_) => b'p',
            Kept::Nothing => b'n',
        });
        self
    }
}

impl Pen<'_> {
    /// The object with the fields that may have something to write.
    pub(super) fn partial(&mut self, object: &Object, to: &mut Partial) -> Object {
        let mut fields = Vec::new();
        for field in &object.fields {
            let mark = to.trace.len();
            match self.part_of_shape(&field.shape, to) {
                Kept::Nothing if !field.required => {}
                Kept::Part(shape) if !field.required => {
                    let key = (Arc::as_ptr(field) as usize, to.trace[mark..].into());
                    let part = to.fields.entry(key).or_insert_with(|| Arc::new(field.with(shape)));
                    fields.push(part.clone());
                }
                // What is required says what is wrong.
                _ => fields.push(field.clone()),
            }
        }
        object.with(fields)
    }

    fn part_of_shape(&mut self, shape: &Shape, to: &mut Partial) -> Kept<Shape> {
        match shape {
            Shape::Leaf(leaves) => {
                let mut first = true;
                let kept = each(leaves, to, |leaf, to| {
                    let kept = self.part_of_leaf(leaf, first, to);
                    first &= matches!(kept, Kept::Nothing);
                    kept
                });
                wrap(kept, Shape::Leaf)
            }
            Shape::Object(object) => wrap(self.part_of_object(object, to), Shape::Object),
            Shape::List(list) => {
                if list.strict.as_ref().is_some_and(|read| !self.has(read)) {
                    return Kept::Nothing.note(&mut to.trace);
                }
                let kept = each(&list.parts, to, |part, to| match part {
                    Part::Values(leaf) => {
                        wrap(self.part_of_leaf(leaf, true, to), |leaf| Part::Values(Box::new(leaf)))
                    }
                    Part::Object(object) => wrap(self.part_of_object(object, to), Part::Object),
                    Part::Each { scopes, .. } if self.has_rows(scopes) => Kept::Whole,
                    Part::Each { .. } => Kept::Nothing,
                });
                wrap(kept, |parts| Shape::List(List { parts, strict: list.strict.clone() }))
            }
        }
    }

    fn part_of_object(&mut self, object: &Object, to: &mut Partial) -> Kept<Object> {
        if object.discovery.is_some() {
            return Kept::Whole;
        }
        if object.strict.as_ref().is_some_and(|read| !self.has(read)) {
            return Kept::Nothing;
        }
        let part = self.partial(object, to);
        match part.fields.is_empty() && object.strict.is_none() {
            true => Kept::Nothing,
            false => Kept::Part(part),
        }
    }

    /// `first`: no leaf before it may write in its place.
    fn part_of_leaf(&mut self, leaf: &Leaf, first: bool, to: &mut Partial) -> Kept<Leaf> {
        let mut part = None;
        if let Origin::Reads(reads) = &leaf.origin {
            let kept: Vec<bool> = reads.iter().map(|read| self.has(read)).collect();
            to.trace.extend(kept.iter().map(|kept| *kept as u8));
            if !kept.contains(&true) {
                return Kept::Nothing;
            }
            if kept.contains(&false) {
                let reads = reads.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(read, _)| read.clone());
                part = Some(Leaf { origin: Origin::Reads(reads.collect()), ..leaf.clone() });
            }
        }
        if let Origin::Template(pieces) = &leaf.origin {
            let hole = |piece: &TemplatePiece| match piece {
                TemplatePiece::Reads(reads) => !reads.iter().any(|read| self.has(read)),
                TemplatePiece::Text(_) => false,
            };
            if pieces.iter().any(hole) {
                return Kept::Nothing;
            }
        }
        let settled = leaf.when.as_ref().and_then(|when| self.settle(when, to.asked));
        to.trace.push(settled.map_or(b'?', |holds| holds as u8));
        match settled {
            // A copy that is kept out is counted.
            Some(false) if !matches!(leaf.ty, LeafType::Any | LeafType::Object) => Kept::Nothing,
            // What comes behind another leaf is counted as passed over where it has no condition.
            Some(true) if first => Kept::Part(Leaf { when: None, ..part.unwrap_or_else(|| leaf.clone()) }),
            _ => part.map_or(Kept::Whole, Kept::Part),
        }
    }

    /// Whether a read may hold something.
    fn has(&self, read: &Read) -> bool {
        match &read.at {
            ReadAt::Fact(_) => true,
            ReadAt::Slot { lists, .. } if !lists.is_empty() => self.has_rows(lists),
            ReadAt::Slot { slot, .. } => slot.scope != 0 || !self.cell(read).kind.is_null(),
        }
    }

    /// Whether the outermost of some lists has elements.
    fn has_rows(&self, lists: &[u16]) -> bool {
        let Some(&outer) = lists.first() else { return true };
        let slot = self.want.list_slot(outer);
        slot.scope != 0 || !self.view.rows(outer, self.at(slot)).is_empty()
    }

    /// Whether a condition holds, where that is the same for all records that give the same answers.
    pub(super) fn settle(&mut self, check: &Check, asked: &mut Asked) -> Option<bool> {
        match check {
            Check::Not(inner) => self.settle(inner, asked).map(|holds| !holds),
            Check::Any(list) => self.settle_until(list, true, asked),
            Check::All(list) => self.settle_until(list, false, asked),
            Check::Test { reads, test } => {
                for read in reads {
                    if let Some(holds) = self.settle_test(read, test, asked)? {
                        return Some(holds);
                    }
                }
                Some(test.holds(None))
            }
        }
    }

    /// The first of some conditions that is `end` settles them all.
    fn settle_until(&mut self, list: &[Check], end: bool, asked: &mut Asked) -> Option<bool> {
        let mut open = false;
        for check in list {
            match self.settle(check, asked) {
                Some(holds) if holds == end => return Some(end),
                Some(_) => {}
                None => open = true,
            }
        }
        (!open).then_some(!end)
    }

    /// What a test says of a read; within, nothing where the read holds nothing.
    fn settle_test(&mut self, read: &Read, test: &Test, asked: &mut Asked) -> Option<Option<bool>> {
        let ReadAt::Slot { slot, lists, .. } = &read.at else { return None };
        if !self.has(read) {
            return Some(None);
        }
        if !lists.is_empty() || slot.scope != 0 {
            return None;
        }
        let cell = self.cell(read);
        if !cell.kind.is_composite() {
            let any = match test {
                Test::Exists => true,
                Test::Glob(glob) => glob.is_any(),
                _ => false,
            };
            if any && read.steps.is_empty() {
                asked.filled(slot.column, is_filled(cell));
            } else if !asked.text(slot.column, cell.raw(self.view.text)) {
                return None;
            }
        }
        Some(self.test(read, test))
    }
}

/// What is left of each of some things.
fn each<T: Clone>(
    all: &[T],
    to: &mut Partial,
    mut part: impl FnMut(&T, &mut Partial) -> Kept<T>,
) -> Kept<Vec<T>> {
    let mut left = Vec::new();
    let mut whole = true;
    for one in all {
        let kept = part(one, to).note(&mut to.trace);
        whole &= matches!(kept, Kept::Whole);
        match kept {
            Kept::Whole => left.push(one.clone()),
            Kept::Part(part) => left.push(part),
            Kept::Nothing => {}
        }
    }
    match left.is_empty() {
        _ if whole && !all.is_empty() => Kept::Whole,
        true => Kept::Nothing,
        false => Kept::Part(left),
    }
}

fn wrap<T, U>(kept: Kept<T>, f: impl FnOnce(T) -> U) -> Kept<U> {
    match kept {
        Kept::Whole => Kept::Whole,
        Kept::Part(part) => Kept::Part(f(part)),
        Kept::Nothing => Kept::Nothing,
    }
}
