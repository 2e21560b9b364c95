//! The shape of an output: a tree of ready keys over numbered slots. Plain data; `normalize` walks it.

use std::collections::HashSet;

use super::Steps;
use crate::json::{NodeId, SlotAt, Want};
use crate::ops::Test;
use crate::ops::indicator::Indicator;
use crate::ops::time::TimeFormat;
use crate::panther;
use crate::table::ListStep;

/// Where a value is read from and what is done to it.
#[derive(Clone, Debug)]
pub struct Read {
    pub at: ReadAt,
    /// The path as written, for messages.
    pub path: String,
    pub steps: Steps,
}

#[derive(Clone, Debug)]
pub enum ReadAt {
    Slot {
        slot: SlotAt,
        node: NodeId,
        /// Scopes of the lists the path runs through, outermost first.
        lists: Box<[u16]>,
    },
    /// A fact of the line around the record, by its place in `ops::words::FACT`.
    Fact(usize),
}

impl Read {
    pub fn lists(&self) -> &[u16] {
        match &self.at {
            ReadAt::Slot { lists, .. } => lists,
            ReadAt::Fact(_) => &[],
        }
    }
}

/// A compiled condition.
#[derive(Clone, Debug)]
pub enum Check {
    /// The first read that holds something is tested.
    Test {
        reads: Vec<Read>,
        test: Test,
    },
    Not(Box<Check>),
    Any(Vec<Check>),
    All(Vec<Check>),
}

#[derive(Clone, Debug)]
pub enum Origin {
    /// The first that holds something.
    Reads(Vec<Read>),
    /// JSON text, ready to be copied, and the bare text.
    Const {
        json: Box<[u8]>,
        text: String,
    },
    Template(Vec<TemplatePiece>),
    Count {
        list: Read,
        scope: u16,
        only: Option<Check>,
    },
}

#[derive(Clone, Debug)]
pub enum TemplatePiece {
    Text(String),
    Reads(Vec<Read>),
}

/// How a value is written.
#[derive(Clone, Debug)]
pub enum LeafType {
    /// A text; longer ones are cut at a character.
    Text {
        max_bytes: usize,
    },
    Int {
        min: i128,
        max: i128,
        quoted: bool,
    },
    Float,
    Bool,
    Time,
    Enum(HashSet<String>),
    /// Any JSON object.
    Object,
    /// Any JSON value.
    Any,
    /// Panther's types coerce by rules of their own; a value that does not fit refuses the record.
    Panther(Coerce),
}

#[derive(Clone, Debug)]
pub enum Coerce {
    String { indicators: Vec<Indicator>, validate: Vec<panther::Check> },
    Int { min: i64, max: i64 },
    Float,
    Boolean,
    Timestamp { formats: Vec<TimeFormat>, is_event_time: bool },
    Json,
}

#[derive(Clone, Debug)]
pub struct Leaf {
    /// Index into the lane's counters.
    pub counter: u32,
    pub origin: Origin,
    pub when: Option<Check>,
    pub ty: LeafType,
    pub list: Option<ListStep>,
    pub distinct: bool,
    pub label: Option<Label>,
}

#[derive(Clone, Debug)]
pub enum Label {
    /// The start of the label's object, ready to be copied.
    Const(Box<[u8]>),
    From(Vec<Read>),
}

#[derive(Clone, Debug)]
pub struct Object {
    pub fields: Vec<Field>,
    /// A Panther object: its value must be an object, and is written even when empty.
    pub strict: Option<Read>,
}

#[derive(Clone, Debug)]
pub struct Field {
    /// `"key":`
    pub key: Box<[u8]>,
    pub shape: Shape,
    /// The record is refused when the field stays empty.
    pub required: bool,
    /// The target path, for messages.
    pub path: String,
    /// Bit set when the field was written.
    pub presence: Option<u16>,
    /// When none of these slots holds anything, the field stays empty; none named: look and see.
    /// Most fields of a mapping are empty in most records, and this is how that is seen.
    pub probes: Box<[SlotAt]>,
}

impl Field {
    pub(super) fn new(key: Box<[u8]>, shape: Shape, required: bool, path: String, want: &Want) -> Field {
        let probes = probes(&shape, want).unwrap_or_default().into();
        Field { key, shape, required, path, presence: None, probes }
    }
}

/// More slots than this are not worth looking at first.
const MOST_PROBES: usize = 24;

/// The slots without which a shape writes nothing; `None` where it may write all the same.
fn probes(shape: &Shape, want: &Want) -> Option<Vec<SlotAt>> {
    let mut slots = match shape {
        Shape::Leaf(leaves) => all(leaves.iter().map(|leaf| leaf_probes(leaf, want)))?,
        Shape::Object(Object { strict: Some(read), .. }) | Shape::List(List { strict: Some(read), .. }) => {
            vec![own_slot(read)?]
        }
        Shape::Object(object) => object_probes(object)?,
        Shape::List(list) => all(list.parts.iter().map(|part| match part {
            Part::Values(leaf) => leaf_probes(leaf, want),
            Part::Object(object) => object_probes(object),
            Part::Each { list, .. } => Some(vec![outer_slot(list, want)?]),
        }))?,
    };
    slots.sort_unstable();
    slots.dedup();
    (slots.len() <= MOST_PROBES).then_some(slots)
}

fn all(parts: impl Iterator<Item = Option<Vec<SlotAt>>>) -> Option<Vec<SlotAt>> {
    parts.collect::<Option<Vec<_>>>().map(|lists| lists.concat())
}

fn object_probes(object: &Object) -> Option<Vec<SlotAt>> {
    all(object.fields.iter().map(|field| (!field.probes.is_empty()).then(|| field.probes.to_vec())))
}

fn leaf_probes(leaf: &Leaf, want: &Want) -> Option<Vec<SlotAt>> {
    match &leaf.origin {
        Origin::Reads(reads) => reads.iter().map(|read| outer_slot(read, want)).collect(),
        _ => None,
    }
}

fn own_slot(read: &Read) -> Option<SlotAt> {
    match &read.at {
        ReadAt::Slot { slot, .. } => Some(*slot),
        ReadAt::Fact(_) => None,
    }
}

/// The slot of the outermost list that a read runs through, or its own.
fn outer_slot(read: &Read, want: &Want) -> Option<SlotAt> {
    match read.lists().first() {
        // Slots are numbered in the second pass only; in the first there may be no such scope.
        Some(&scope) if (scope as usize) < want.scopes() => Some(want.list_slot(scope)),
        Some(_) => None,
        None => own_slot(read),
    }
}

#[derive(Clone, Debug)]
pub enum Shape {
    Object(Object),
    /// The first that writes something wins.
    Leaf(Vec<Leaf>),
    List(List),
}

#[derive(Clone, Debug)]
pub struct List {
    pub parts: Vec<Part>,
    /// A Panther array: its value must be an array.
    pub strict: Option<Read>,
}

#[derive(Clone, Debug)]
pub enum Part {
    /// One element per value (or per label).
    Values(Box<Leaf>),
    /// One element with fields of its own.
    Object(Object),
    /// One element per element of a list of the record.
    Each { list: Read, scope: u16, element: Box<Shape> },
}
