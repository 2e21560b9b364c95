//! A mapping as far as it concerns records of one structure: what can write nothing is left out, and
//! conditions on values that all of them share are settled. Knows no record but the one at hand, which
//! stands for the others; what is left writes for each of them what the whole mapping would.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::pen::Pen;
use crate::json::{Cell, Kind};
use crate::ops::Test;
use crate::plan::{
    Check, Field, Leaf, LeafType, List, Object, Origin, Part, Read, ReadAt, Shape, TemplatePiece,
};
use crate::table::ListStep;

/// What records must share, beside their structure, to be treated alike: by column of the record's own scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) texts: Vec<(u16, Box<[u8]>)>,
    /// Whether a string says anything.
    pub(super) filled: Vec<(u16, bool)>,
}

impl Asked {
    pub(super) fn text(&mut self, column: u16, raw: &[u8]) {
        if !self.knows(column) {
            self.texts.push((column, raw.into()));
        }
    }

    fn filled(&mut self, column: u16, filled: bool) {
        if !self.filled.iter().any(|(c, _)| *c == column) {
            self.filled.push((column, filled));
        }
    }

    fn knows(&self, column: u16) -> bool {
        self.texts.iter().any(|(c, _)| *c == column)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = u16> {
        self.texts.iter().map(|text| text.0).chain(self.filled.iter().map(|filled| filled.0))
    }

    /// Some text is longer than is worth comparing.
    pub(super) fn is_long(&self) -> bool {
        self.texts.iter().any(|(_, raw)| raw.len() > LONG)
    }

    /// Whether a record of the structure gives the answers that were given.
    #[inline(always)]
    pub(super) fn same(&self, text: &[u8], cell: impl Fn(u16) -> Cell) -> bool {
        self.texts.iter().all(|(column, raw)| cell(*column).raw(text) == &**raw)
            && self.filled.iter().all(|(column, filled)| is_filled(cell(*column)) == *filled)
    }
}

/// The texts that were met in each column that conditions ask about. Those of a column with more than a
/// few are not asked for: hardly any two records share them.
pub(super) type Met = HashMap<u16, Vec<Box<[u8]>>, FixedState>;

/// More texts than these are not a few.
const FEW: usize = 12;
/// A longer text is shared by hardly any two records.
const LONG: usize = 256;

/// Asking on behalf of a mapping.
pub(super) struct Asking<'p> {
    pub(super) asked: Asked,
    /// What the records are known to share already, and the texts of columns; without them, every text
    /// may be asked for.
    pub(super) known: Option<(&'p Asked, &'p mut Met)>,
}

impl Asking<'_> {
    /// Whether records share the text of a column from now on.
    fn text(&mut self, column: u16, raw: &[u8]) -> bool {
        if let Some((shared, met)) = &mut self.known {
            if shared.knows(column) || self.asked.knows(column) {
                return true;
            }
            let met = met.entry(column).or_default();
            if raw.len() > LONG {
                return false;
            }
            if met.len() <= FEW && !met.iter().any(|text| **text == *raw) {
                met.push(raw.into());
            }
            if met.len() > FEW {
                return false;
            }
        }
        self.asked.text(column, raw);
        true
    }
}

pub(super) fn is_filled(cell: Cell) -> bool {
    !(cell.kind == Kind::String && cell.end - cell.start == 2)
}

/// Fields with other shapes than the mapping's, by which field it is and what became of it.
pub(super) type Fields = HashMap<(usize, Box<[u8]>), Arc<Field>, FixedState>;

pub(super) struct Partial<'p> {
    pub(super) asking: Asking<'p>,
    pub(super) fields: &'p mut Fields,
    /// What was decided about the field at hand, in order.
    trace: Vec<u8>,
    /// Parts are made, and not only decided upon.
    makes: bool,
}

impl<'p> Partial<'p> {
    pub(super) fn new(asking: Asking<'p>, fields: &'p mut Fields) -> Partial<'p> {
        Partial { asking, fields, trace: Vec::new(), makes: false }
    }
}

enum Kept<T> {
    Whole,
    /// Nothing within where parts are not made.
    Part(Option<T>),
    Nothing,
}

impl Pen<'_> {
    /// The object with the fields that may have something to write.
    pub(super) fn partial(&mut self, object: &Object, to: &mut Partial) -> Object {
        let mut fields = Vec::new();
        for field in &object.fields {
            // What becomes of the fields of an object leaves no trace: its parts are made each time.
            let makes = match &field.shape {
                Shape::Leaf(_) => false,
                Shape::Object(_) => true,
                Shape::List(list) => list.parts.iter().any(|part| matches!(part, Part::Object(_))),
            };
            let before = (std::mem::take(&mut to.trace), std::mem::replace(&mut to.makes, makes));
            match self.part_of_shape(&field.shape, to) {
                // What is required says what is wrong.
                Kept::Nothing if !field.required => {}
                Kept::Nothing | Kept::Whole => fields.push(field.clone()),
                Kept::Part(Some(shape)) => fields.push(Arc::new(field.with(shape))),
                Kept::Part(None) => fields.push(self.part_of_field(field, to)),
            }
            (to.trace, to.makes) = before;
        }
        object.with(fields)
    }

    /// A part of a field: the same for all records of which the same was decided.
    fn part_of_field(&mut self, field: &Arc<Field>, to: &mut Partial) -> Arc<Field> {
        let key = (Arc::as_ptr(field) as usize, std::mem::take(&mut to.trace).into());
        if let Some(part) = to.fields.get(&key) {
            return part.clone();
        }
        to.makes = true;
        let part = match self.part_of_shape(&field.shape, to) {
            Kept::Part(Some(shape)) => Arc::new(field.with(shape)),
            Kept::Part(None) | Kept::Whole | Kept::Nothing => field.clone(),
        };
        to.fields.insert(key, part.clone());
        part
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
                    return Kept::Nothing;
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
            false => Kept::Part(Some(part)),
        }
    }

    /// `first`: no leaf before it may write in its place.
    fn part_of_leaf(&mut self, leaf: &Leaf, first: bool, to: &mut Partial) -> Kept<Leaf> {
        let mut kept: Vec<bool> = Vec::new();
        if let Origin::Reads(reads) = &leaf.origin {
            kept.extend(reads.iter().map(|read| self.has(read)));
            to.trace.extend(kept.iter().map(|kept| *kept as u8));
            if !kept.contains(&true) {
                return Kept::Nothing;
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
        let settled = leaf.when.as_ref().and_then(|when| self.settle(when, &mut to.asking));
        to.trace.push(settled.map_or(b'?', |holds| holds as u8));
        // A copy that is kept out is counted.
        if settled == Some(false) && !matches!(leaf.ty, LeafType::Any | LeafType::Object) {
            return Kept::Nothing;
        }
        let holds = settled == leaf.when.as_ref().map(|_| true);
        // What is passed over must still be read.
        let constant =
            if holds && (first || !leaf.is_passed_over()) { self.constant(leaf, &kept, to) } else { None };
        if let Some(json) = constant {
            // Another text makes another constant.
            to.trace.extend_from_slice(&json);
            let origin = Origin::Const { json: json.into(), text: String::new() };
            let part =
                || Leaf { origin, when: None, settled: leaf.when.is_some(), list: None, ..leaf.clone() };
            return Kept::Part(to.makes.then(part));
        }
        if settled != Some(true) && !kept.contains(&false) {
            return Kept::Whole;
        }
        Kept::Part(to.makes.then(|| {
            let mut part = leaf.clone();
            if settled == Some(true) {
                (part.when, part.settled) = (None, true);
            }
            if let Origin::Reads(reads) = &mut part.origin {
                let mut kept = kept.iter();
                reads.retain(|_| kept.next() == Some(&true));
            }
            part
        }))
    }

    /// What a leaf makes of a text that all the records share, if that is all it ever writes for them.
    fn constant(&mut self, leaf: &Leaf, kept: &[bool], to: &Partial) -> Option<Vec<u8>> {
        let (Origin::Reads(reads), Some((shared, _))) = (&leaf.origin, &to.asking.known) else { return None };
        let single = kept.iter().filter(|kept| **kept).count() == 1 && leaf.label.is_none();
        let picks = matches!(leaf.list, None | Some(ListStep::First));
        let read = reads.iter().zip(kept).find(|(_, kept)| **kept)?.0;
        let ReadAt::Slot { slot, lists, .. } = &read.at else { return None };
        let shares = slot.scope == 0 && lists.is_empty() && shared.knows(slot.column);
        let scalar = !self.cell(read).kind.is_composite();
        let panther = matches!(leaf.ty, LeafType::Panther(_));
        if !single || !picks || !shares || !scalar || panther || read.steps.is_empty() {
            return None;
        }
        let (start, lone) = (self.out.len(), self.lone);
        let wrote = self.converted(leaf, read);
        let json = self.out.split_off(start);
        // What is counted beside the value is counted each time.
        let counts = std::mem::replace(&mut self.lone, lone) != lone
            || std::mem::take(&mut self.standing.default)
            || matches!(leaf.ty, LeafType::Text { max_bytes } if json.len() > max_bytes);
        (wrote == Ok(true) && !counts).then_some(json)
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
    pub(super) fn settle(&mut self, check: &Check, asking: &mut Asking) -> Option<bool> {
        match check {
            Check::Not(inner) => self.settle(inner, asking).map(|holds| !holds),
            Check::Any(list) => self.settle_until(list, true, asking),
            Check::All(list) => self.settle_until(list, false, asking),
            Check::Test { reads, test } => {
                for read in reads {
                    if let Some(holds) = self.settle_test(read, test, asking)? {
                        return Some(holds);
                    }
                }
                Some(test.holds(None))
            }
        }
    }

    /// The first of some conditions that is `end` settles them all.
    fn settle_until(&mut self, list: &[Check], end: bool, asking: &mut Asking) -> Option<bool> {
        let mut open = false;
        for check in list {
            match self.settle(check, asking) {
                Some(holds) if holds == end => return Some(end),
                Some(_) => {}
                None => open = true,
            }
        }
        (!open).then_some(!end)
    }

    /// What a test says of a read; within, nothing where the read holds nothing.
    fn settle_test(&mut self, read: &Read, test: &Test, asking: &mut Asking) -> Option<Option<bool>> {
        let ReadAt::Slot { slot, lists, .. } = &read.at else { return None };
        if !self.has(read) {
            return Some(None);
        }
        if !lists.is_empty() || slot.scope != 0 {
            return None;
        }
        let cell = self.cell(read);
        if !cell.kind.is_composite() {
            if test.is_any() && read.steps.is_empty() {
                asking.asked.filled(slot.column, is_filled(cell));
            } else if !asking.text(slot.column, cell.raw(self.view.text)) {
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
    let (mut whole, mut nothing) = (true, true);
    for one in all {
        let kept = part(one, to);
        whole &= matches!(kept, Kept::Whole);
        nothing &= matches!(kept, Kept::Nothing);
        to.trace.push(match &kept {
            Kept::Whole => b'w',
            Kept::Part(_) => b'p',
            Kept::Nothing => b'n',
        });
        match kept {
            Kept::Whole if to.makes => left.push(one.clone()),
            Kept::Part(part) => left.extend(part),
            Kept::Whole | Kept::Nothing => {}
        }
    }
    match nothing {
        true => Kept::Nothing,
        _ if whole => Kept::Whole,
        false => Kept::Part(to.makes.then_some(left)),
    }
}

fn wrap<T, U>(kept: Kept<T>, f: impl FnOnce(T) -> U) -> Kept<U> {
    match kept {
        Kept::Whole => Kept::Whole,
        Kept::Part(part) => Kept::Part(part.map(f)),
        Kept::Nothing => Kept::Nothing,
    }
}
