//! Where the value of a field is drawn from: the five transformations as reads of the record and
//! steps over what was read. Nothing of them is left for the time when records are written.

use super::{Build, Place};
use crate::json::NodeId;
use crate::ops::Step;
use crate::panther::{self, Draw, Mask, Type};
use crate::table::{Path, Seg};

/// What a field reads, and what is done to it.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// One, or the texts that are joined.
    pub(super) reads: Vec<(NodeId, Path)>,
    pub(super) join: Option<String>,
    pub(super) steps: Vec<Step>,
}

impl Drawn {
    pub(super) fn of(node: NodeId, path: Path, steps: Vec<Step>) -> Drawn {
        Drawn { reads: vec![(node, path)], join: None, steps }
    }

    /// The read, or the first of several.
    pub(super) fn one(&self) -> (NodeId, &Path) {
        let (node, path) = &self.reads[0];
        (*node, path)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.join.is_none() && self.steps.is_empty()
    }
}

/// The transformations in the order in which they run. Each sees the names that those before it
/// have made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Concat,
    Copy,
    Split,
}

/// The key of the record that is a field's own and nobody else's.
pub(super) fn key_read(field: &panther::Field) -> Option<&str> {
    match &field.made.from {
        Draw::Rename(from) => Some(from),
        Draw::Own if field.made.split.as_ref().is_none_or(|split| split.from.is_none()) => {
            Some(&field.name.is)
        }
        _ => None,
    }
}

impl Build<'_> {
    /// What `field` of the object at `place` reads; `fields` are all fields of that object.
    pub(super) fn drawn(
        &mut self,
        field: &panther::Field,
        fields: &[panther::Field],
        place: &Place,
    ) -> Drawn {
        let mut drawn = match (&field.made.split, &field.made.from) {
            (Some(panther::Split { from: Some(keys), .. }), _) => {
                self.at_path(keys, fields, place, Stage::Split)
            }
            (_, from) => self.draw(&field.name.is, from, fields, place),
        };
        if let Some(split) = &field.made.split {
            drawn.steps.push(Step::Split { by: split.separator.clone(), take: Some(split.index) });
        }
        match &field.made.mask {
            Some(Mask::Redact(with)) => drawn.steps.push(Step::Redact(with.clone())),
            Some(Mask::Hash { salt }) => drawn.steps.push(Step::Hash { key: salt.clone() }),
            None => {}
        }
        drawn
    }

    fn draw(&mut self, name: &str, from: &Draw, fields: &[panther::Field], place: &Place) -> Drawn {
        match from {
            Draw::Own => self.child(place, name),
            Draw::Rename(key) => self.child(place, key),
            Draw::Copy(keys) => self.at_path(keys, fields, place, Stage::Copy),
            Draw::Concat { paths, separator } => {
                let parts = paths.iter().map(|keys| self.at_path(keys, fields, place, Stage::Concat));
                let reads = parts.flat_map(|part| part.reads).collect();
                Drawn { reads, join: Some(separator.clone()), steps: Vec::new() }
            }
        }
    }

    fn child(&mut self, place: &Place, key: &str) -> Drawn {
        let mut path = place.path.clone();
        path.segs.push(Seg::Key(key.into()));
        Drawn::of(self.want.child(place.node, key), path, Vec::new())
    }

    /// The value at a path below the object, by the names that the stages before have left.
    fn at_path(&mut self, keys: &[String], fields: &[panther::Field], place: &Place, stage: Stage) -> Drawn {
        let (key, below) = keys.split_first().expect("a path has keys");
        let field = fields.iter().find(|f| f.name.is == *key);
        let drawn = match field.map(|f| &f.made.from) {
            Some(from @ Draw::Concat { .. }) if stage > Stage::Concat => self.draw(key, from, fields, place),
            Some(from @ Draw::Copy(_)) if stage > Stage::Copy => self.draw(key, from, fields, place),
            Some(from @ Draw::Rename(_)) => self.draw(key, from, fields, place),
            _ => self.child(place, key),
        };
        if below.is_empty() {
            return drawn;
        }
        let (node, path) = drawn.one();
        let place = Place { node, path: path.clone(), ..place.clone() };
        let inner = match field.map(|f| &f.value.ty) {
            Some(Type::Object(inner)) => inner.as_slice(),
            _ => &[],
        };
        self.at_path(below, inner, &place, stage)
    }
}
