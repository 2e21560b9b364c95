//! What a shape reads of a record's own scope. Knows nothing of what it writes.

use super::shape::{
    Check, Field, Label, Leaf, List, Object, Origin, Part, Read, ReadAt, Shape, TemplatePiece,
};

impl Object {
    /// Calls `f` with each column of the record's own scope that the fields read; whether that is all
    /// that they read of the record.
    pub fn columns(&self, f: &mut dyn FnMut(u16)) -> bool {
        let strict = self.strict.iter().all(|read| of_read(read, f));
        strict && self.discovery.is_none() && self.fields.iter().all(|field| of_shape(&field.shape, f))
    }
}

impl Field {
    /// The same for one field.
    pub fn columns(&self, f: &mut dyn FnMut(u16)) -> bool {
        of_shape(&self.shape, f)
    }
}

fn of_shape(shape: &Shape, f: &mut dyn FnMut(u16)) -> bool {
    match shape {
        Shape::Object(object) => object.columns(f),
        Shape::Leaf(leaves) => leaves.iter().all(|leaf| of_leaf(leaf, f)),
        Shape::List(List { parts, strict }) => {
            let parts = parts.iter().all(|part| match part {
                Part::Values(leaf) => of_leaf(leaf, f),
                Part::Object(object) => object.columns(f),
                Part::Each { .. } => false,
            });
            parts && strict.iter().all(|read| of_read(read, f))
        }
    }
}

fn of_leaf(leaf: &Leaf, f: &mut dyn FnMut(u16)) -> bool {
    let origin = match &leaf.origin {
        Origin::Reads(reads) | Origin::Joined { reads, .. } => of_reads(reads, f),
        Origin::Const { .. } => true,
        Origin::Template(pieces) => pieces.iter().all(|piece| match piece {
            TemplatePiece::Text(_) => true,
            TemplatePiece::Reads(reads) => of_reads(reads, f),
        }),
        Origin::Count { .. } => false,
    };
    let label = match &leaf.label {
        Some(Label::From(reads)) => of_reads(reads, f),
        Some(Label::Const(_)) | None => true,
    };
    origin && label && leaf.when.iter().all(|check| of_check(check, f))
}

fn of_check(check: &Check, f: &mut dyn FnMut(u16)) -> bool {
    match check {
        Check::Test { reads, .. } => of_reads(reads, f),
        Check::Not(inner) => of_check(inner, f),
        Check::Any(list) | Check::All(list) => list.iter().all(|check| of_check(check, f)),
    }
}

fn of_reads(reads: &[Read], f: &mut dyn FnMut(u16)) -> bool {
    reads.iter().all(|read| of_read(read, f))
}

fn of_read(read: &Read, f: &mut dyn FnMut(u16)) -> bool {
    match &read.at {
        ReadAt::Fact(_) => true,
        ReadAt::Slot { slot, lists, .. } if slot.scope == 0 && lists.is_empty() => {
            f(slot.column);
            true
        }
        ReadAt::Slot { .. } => false,
    }
}
