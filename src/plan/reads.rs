//! What a shape reads of a record. Knows nothing of what it writes.

use super::shape::{
    Check, Field, Label, Leaf, List, Object, Origin, Part, Read, ReadAt, Shape, TemplatePiece,
};
use crate::json::SlotAt;

/// What of a record is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needed {
    Cell(SlotAt),
    /// The elements of a list, by their scope.
    Rows(u16),
}

impl Object {
    /// Calls `f` with all that the fields read of the record, as far as it can be told; whether all of it can.
    pub fn needs(&self, f: &mut dyn FnMut(Needed)) -> bool {
        self.strict.iter().for_each(|read| of_read(read, f));
        let told = self.discovery.is_none();
        self.fields.iter().fold(told, |told, field| field.needs(f) && told)
    }
}

impl Field {
    /// The same for one field.
    pub fn needs(&self, f: &mut dyn FnMut(Needed)) -> bool {
        of_shape(&self.shape, f)
    }
}

fn of_shape(shape: &Shape, f: &mut dyn FnMut(Needed)) -> bool {
    match shape {
        Shape::Object(object) => object.needs(f),
        Shape::Leaf(leaves) => {
            leaves.iter().for_each(|leaf| of_leaf(leaf, f));
            true
        }
        Shape::List(List { parts, strict }) => {
            strict.iter().for_each(|read| of_read(read, f));
            parts.iter().fold(true, |told, part| {
                let of_part = match part {
                    Part::Values(leaf) => {
                        of_leaf(leaf, f);
                        true
                    }
                    Part::Object(object) => object.needs(f),
                    Part::Each { list, scopes, element } => {
                        of_read(list, f);
                        scopes.iter().for_each(|scope| f(Needed::Rows(*scope)));
                        of_shape(element, f)
                    }
                };
                of_part && told
            })
        }
    }
}

fn of_leaf(leaf: &Leaf, f: &mut dyn FnMut(Needed)) {
    match &leaf.origin {
        Origin::Reads(reads) | Origin::Joined { reads, .. } => of_reads(reads, f),
        Origin::Const { .. } => {}
        Origin::Template(pieces) => pieces.iter().for_each(|piece| match piece {
            TemplatePiece::Text(_) => {}
            TemplatePiece::Reads(reads) => of_reads(reads, f),
        }),
        Origin::Count { list, scopes, only } => {
            of_read(list, f);
            scopes.iter().for_each(|scope| f(Needed::Rows(*scope)));
            only.iter().for_each(|check| of_check(check, f));
        }
    }
    if let Some(Label::From(reads)) = &leaf.label {
        of_reads(reads, f);
    }
    leaf.when.iter().for_each(|check| of_check(check, f));
}

fn of_check(check: &Check, f: &mut dyn FnMut(Needed)) {
    match check {
        Check::Test { reads, .. } => of_reads(reads, f),
        Check::Not(inner) => of_check(inner, f),
        Check::Any(list) | Check::All(list) => list.iter().for_each(|check| of_check(check, f)),
    }
}

fn of_reads(reads: &[Read], f: &mut dyn FnMut(Needed)) {
    reads.iter().for_each(|read| of_read(read, f));
}

fn of_read(read: &Read, f: &mut dyn FnMut(Needed)) {
    if let ReadAt::Slot { slot, lists, .. } = &read.at {
        lists.iter().for_each(|scope| f(Needed::Rows(*scope)));
        f(Needed::Cell(*slot));
    }
}
