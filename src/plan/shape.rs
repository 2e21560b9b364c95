//! The shape of an output: a tree of ready keys over numbered slots. Plain data; `normalize` walks it.

use std::collections::HashSet;

use super::Steps;
use crate::json::{self, Mask, NodeId, SHORT, SlotAt, Want};
use crate::ops::indicator::Indicator;
use crate::ops::time::TimeFormat;
use crate::ops::{Step, Test};
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
    /// The value leaves as a pseudonym.
    pub fn pseudonymous(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Pseudonym(_)))
    }

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
    /// An address of either family.
    Ip,
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
    /// Reads one value where it stands and does nothing to it: the common kind, written without
    /// asking for more.
    pub plain: bool,
    /// It may write the event type, whose needs are checked.
    pub gives_type: bool,
}

impl Leaf {
    pub(super) fn is_plain(&self) -> bool {
        let plain = |read: &Read| {
            matches!(&read.at, ReadAt::Slot { lists, .. } if lists.is_empty()) && read.steps.is_empty()
        };
        let picks = matches!(self.list, None | Some(ListStep::First));
        self.when.is_none()
            && picks
            && matches!(&self.origin, Origin::Reads(reads) if reads.iter().all(plain))
    }
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
    /// Neighbours that are looked at only when any of them may have something to write.
    pub runs: Box<[Run]>,
    /// A Panther object: its value must be an object, and is written even when empty.
    pub strict: Option<Read>,
}

#[derive(Clone, Debug)]
pub struct Field {
    /// `"key":`
    pub key: Key,
    pub shape: Shape,
    /// The record is refused when the field stays empty.
    pub required: bool,
    /// The target path, for messages.
    pub path: String,
    /// Bit set when the field was written.
    pub presence: Option<u16>,
    pub probes: Probes,
}

/// Some fields of an object, one behind the other.
#[derive(Clone, Debug)]
pub struct Run {
    pub end: usize,
    /// None of these: skip them all. Empty: look at each.
    pub masks: Box<[Mask]>,
}

/// A key ready to be copied: padded, so that a short one is copied with moves of a fixed size.
#[derive(Clone, Debug)]
pub struct Key {
    bytes: Box<[u8]>,
    len: usize,
}

impl Key {
    pub fn new(key: &[u8]) -> Key {
        let mut bytes = key.to_vec();
        bytes.resize(key.len().max(SHORT), b' ');
        Key { bytes: bytes.into(), len: key.len() }
    }

    #[inline(always)]
    pub fn push(&self, out: &mut Vec<u8>) {
        match self.bytes.first_chunk::<SHORT>() {
            Some(short) if self.len <= SHORT => json::push_short(short, self.len, out),
            _ => out.extend_from_slice(&self.bytes[..self.len]),
        }
    }
}

/// Slots without which a field stays empty. Most fields of a mapping are empty in most records, and
/// this is how that is seen; where nothing is named: look and see.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Columns of the record's own scope.
    pub masks: Box<[Mask]>,
    /// Slots of lists that are open.
    pub rows: Box<[SlotAt]>,
    slots: Box<[SlotAt]>,
}

impl Probes {
    fn new(slots: Vec<SlotAt>) -> Probes {
        let (root, rows): (Vec<SlotAt>, Vec<SlotAt>) = slots.iter().partition(|slot| slot.scope == 0);
        let masks = json::masks(root.iter().map(|slot| slot.column));
        if masks.len() + rows.len() > MOST_PROBES {
            return Probes::default();
        }
        Probes { masks, rows: rows.into(), slots: slots.into() }
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

impl Object {
    pub(super) fn new(fields: Vec<Field>, strict: Option<Read>) -> Object {
        let runs = fields.chunks(RUN).scan(0, |end, run| {
            *end += run.len();
            let skips = |f: &Field| !f.required && !f.probes.is_empty() && f.probes.rows.is_empty();
            let columns = run.iter().flat_map(|f| f.probes.slots.iter().map(|slot| slot.column));
            let masks = if run.iter().all(skips) { json::masks(columns) } else { [].into() };
            let worth = run.len() > 1 && masks.len() <= MOST_PROBES;
            Some(Run { end: *end, masks: if worth { masks } else { [].into() } })
        });
        Object { runs: runs.collect(), fields, strict }
    }
}

impl Field {
    pub(super) fn new(key: &[u8], mut shape: Shape, required: bool, path: String, want: &Want) -> Field {
        let probes = probes(&shape, want).map(Probes::new).unwrap_or_default();
        if let Shape::Leaf(leaves) = &mut shape {
            leaves.iter_mut().for_each(|leaf| leaf.plain = leaf.is_plain());
        }
        Field { key: Key::new(key), shape, required, path, presence: None, probes }
    }
}

/// Fields that are skipped together.
const RUN: usize = 8;

/// More words and slots than this are not worth looking at first.
const MOST_PROBES: usize = 8;

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
    Some(slots)
}

fn all(parts: impl Iterator<Item = Option<Vec<SlotAt>>>) -> Option<Vec<SlotAt>> {
    parts.collect::<Option<Vec<_>>>().map(|lists| lists.concat())
}

fn object_probes(object: &Object) -> Option<Vec<SlotAt>> {
    all(object.fields.iter().map(|field| (!field.probes.is_empty()).then(|| field.probes.slots.to_vec())))
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
