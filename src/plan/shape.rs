//! The shape of an output: a tree of ready keys over numbered slots. Plain data; `normalize` walks it.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Form, Steps};
use crate::json::{self, Cell, Kind, Mask, NodeId, SHORT, SlotAt, Want};
use crate::ops::indicator::Indicator;
use crate::ops::time::TimeFormat;
use crate::ops::{Step, Test, TimeOut};
use crate::panther;
use crate::table::{ListStep, Seg, Values};

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
    /// The lists that the path runs through, and one more.
    pub fn scopes(&self, inner: u16) -> Box<[u16]> {
        self.lists().iter().copied().chain([inner]).collect()
    }

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

    fn settle(&mut self, want: &Want) {
        if let ReadAt::Slot { slot, node, .. } = &mut self.at {
            *slot = want.slot(*node);
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

impl Check {
    /// See [`Object::settle`].
    pub(super) fn settle(&mut self, want: &Want) {
        match self {
            Check::Test { reads, .. } => reads.iter_mut().for_each(|read| read.settle(want)),
            Check::Not(inner) => inner.settle(want),
            Check::Any(list) | Check::All(list) => list.iter_mut().for_each(|check| check.settle(want)),
        }
    }
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
    /// The texts of those reads that hold something.
    Joined {
        reads: Vec<Read>,
        by: String,
        steps: Steps,
    },
    Count {
        list: Box<Read>,
        /// The lists to open, the counted one last.
        scopes: Box<[u16]>,
        only: Option<Box<Check>>,
    },
}

#[derive(Clone, Debug)]
pub enum TemplatePiece {
    Text(String),
    Reads(Vec<Read>),
}

impl Origin {
    /// The reads that give its value.
    pub(super) fn reads(&self) -> impl Iterator<Item = &Read> {
        let (own, pieces): (&[Read], &[TemplatePiece]) = match self {
            Origin::Reads(reads) | Origin::Joined { reads, .. } => (reads, &[]),
            Origin::Template(pieces) => (&[], pieces),
            Origin::Const { .. } | Origin::Count { .. } => (&[], &[]),
        };
        let in_pieces = pieces.iter().flat_map(|piece| match piece {
            TemplatePiece::Text(_) => [].as_slice(),
            TemplatePiece::Reads(reads) => reads,
        });
        own.iter().chain(in_pieces)
    }

    fn settle(&mut self, want: &Want) {
        match self {
            Origin::Reads(reads) | Origin::Joined { reads, .. } => {
                reads.iter_mut().for_each(|read| read.settle(want));
            }
            Origin::Template(pieces) => pieces.iter_mut().for_each(|piece| match piece {
                TemplatePiece::Text(_) => {}
                TemplatePiece::Reads(reads) => reads.iter_mut().for_each(|read| read.settle(want)),
            }),
            Origin::Count { list, only, .. } => {
                list.settle(want);
                only.iter_mut().for_each(|check| check.settle(want));
            }
            Origin::Const { .. } => {}
        }
    }
}

/// How a value is written.
#[derive(Clone, Debug)]
pub enum LeafType {
    /// A text; longer ones are cut at a character.
    Text {
        max_bytes: usize,
    },
    Int {
        min: i64,
        max: u64,
        quoted: bool,
    },
    Float,
    Bool,
    Time,
    Enum(Arc<Values>),
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
    String {
        indicators: Vec<Indicator>,
        validate: Vec<panther::Check>,
    },
    Int {
        min: i64,
        max: i64,
    },
    Float,
    Boolean,
    /// Written as it is stored, or in the form it was read in.
    Timestamp {
        formats: Vec<TimeFormat>,
        is_event_time: bool,
        own_form: bool,
    },
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
    /// Reads one value of the rows at hand: the common kind, written without asking for more.
    pub plain: bool,
    /// It may write the event type, whose needs are checked.
    pub gives_type: bool,
    /// Its condition is known to hold, and was taken away.
    pub settled: bool,
}

impl Leaf {
    fn settle(&mut self, want: &Want) {
        self.origin.settle(want);
        self.when.iter_mut().for_each(|check| check.settle(want));
        if let Some(Label::From(reads)) = &mut self.label {
            reads.iter_mut().for_each(|read| read.settle(want));
        }
    }

    /// What it reads counts as passed over where a leaf before it wrote.
    pub fn is_passed_over(&self) -> bool {
        self.when.is_none() && !self.settled && matches!(self.origin, Origin::Reads(_))
    }

    pub(super) fn is_plain(&self) -> bool {
        let plain = |read: &Read| matches!(&read.at, ReadAt::Slot { lists, .. } if lists.is_empty());
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
    pub fields: Vec<Arc<Field>>,
    /// Neighbours that are looked at only when any of them may have something to write.
    pub runs: Box<[Run]>,
    /// For an object of many fields, instead of runs.
    pub finder: Option<Box<Finder>>,
    /// A Panther object: its value must be an object, and is written even when empty.
    pub strict: Option<Box<Read>>,
    /// Members that no field reads are written behind the fields.
    pub discovery: Option<Box<Discovery>>,
}

/// What of an object is not discovered, because a field says it already.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// Keys of the record that fields read.
    pub read: HashSet<String>,
    /// Names of the output that fields have.
    pub taken: HashSet<String>,
    pub form: Form,
    /// The event itself, which has standard fields too.
    pub root: bool,
}

/// Values that arrive as strings of JSON text, as a tree of the paths that lead to them.
#[derive(Clone, Debug, Default)]
pub struct Embedded {
    /// The path of the value, where it is one.
    pub here: Option<String>,
    pub members: Vec<(String, Embedded)>,
    pub element: Option<Box<Embedded>>,
}

impl Embedded {
    pub(super) fn is_empty(&self) -> bool {
        self.here.is_none() && self.members.is_empty() && self.element.is_none()
    }

    pub(super) fn mark(&mut self, segs: &[Seg], path: &str) {
        match segs.split_first() {
            None => self.here = Some(path.to_string()),
            Some((Seg::Key(key), rest)) => {
                let at = self.members.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                    self.members.push((key.to_string(), Embedded::default()));
                    self.members.len() - 1
                });
                self.members[at].1.mark(rest, path);
            }
            Some((_, rest)) => self.element.get_or_insert_default().mark(rest, path),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    pub key: Key,
    pub shape: Shape,
    /// The record is refused when the field stays empty.
    pub required: bool,
    /// The target path, for messages.
    pub path: String,
    /// Bit set when the field was written.
    pub presence: Option<u16>,
    pub probes: Probes,
    pub copies: Option<Copies>,
    /// It reads a time, and writes it in the form of most times: by column, with its conversion. Where others
    /// stand in for it, it is the first.
    pub time: Option<(u16, Steps)>,
    /// All that it ever writes, where that is a constant: the key and its value.
    pub ready: Option<Key>,
    /// Of the leaf of the time or of what is ready.
    pub counter: u32,
    /// The field that this one is a part of.
    pub whole: Option<Arc<Field>>,
}

/// A field that is a string of the record as it stands, in most records: most of what most mappings
/// write. Any other value takes the long way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Copies {
    pub column: u16,
    /// Of the leaf.
    pub counter: u32,
    /// Bytes between the quotes.
    pub least: u32,
    pub most: u32,
    /// Escapes are left as they are, too.
    pub escapes: bool,
}

impl Copies {
    /// Whether a value of so many bytes between its quotes is copied as it stands.
    #[inline(always)]
    pub fn takes(&self, kind: Kind, len: u32) -> bool {
        let fits = kind == Kind::String || (kind == Kind::Escaped && self.escapes);
        fits && (self.least..=self.most).contains(&len)
    }

    /// The same of a value.
    #[inline(always)]
    pub fn take(&self, cell: Cell) -> bool {
        self.takes(cell.kind, (cell.end - cell.start).wrapping_sub(2))
    }

    fn of(leaves: &[Leaf]) -> Option<Copies> {
        let [leaf] = leaves else { return None };
        let Origin::Reads(reads) = &leaf.origin else { return None };
        let [Read { at: ReadAt::Slot { slot, .. }, steps, .. }] = reads.as_slice() else { return None };
        let (least, most) = match &leaf.ty {
            LeafType::Text { max_bytes } => (1, u32::try_from(*max_bytes).unwrap_or(u32::MAX)),
            LeafType::Panther(Coerce::String { indicators, validate })
                if indicators.is_empty() && validate.is_empty() =>
            {
                (0, u32::MAX)
            }
            // Of a text nothing else is written either.
            LeafType::Any => (1, u32::MAX),
            _ => return None,
        };
        let own = leaf.is_plain() && slot.scope == 0 && steps.is_empty();
        let escapes = matches!(leaf.ty, LeafType::Text { .. } | LeafType::Any);
        own.then_some(Copies { column: slot.column, counter: leaf.counter, least, most, escapes })
    }
}

/// Some fields of an object, one behind the other.
#[derive(Clone, Debug)]
pub struct Run {
    pub end: usize,
    /// None of these: skip them all. Empty: look at each.
    pub masks: Box<[Mask]>,
}

/// From what was met in a record to the fields that may have something to write.
#[derive(Clone, Debug)]
pub struct Finder {
    /// Fields that are looked at always.
    pub always: Due,
    /// All columns that some field wants.
    pub masks: Box<[Mask]>,
    /// By column: where its fields begin in `fields`; they end where the next column's begin.
    starts: Box<[u16]>,
    fields: Box<[u16]>,
}

/// A bit for each field of an object.
pub type Due = [u64; 8];
/// Objects of fewer fields are looked through by runs, objects of more than there are bits too.
const MANY: usize = 24;

impl Finder {
    fn new(fields: &[Arc<Field>]) -> Option<Box<Finder>> {
        if !(MANY..=64 * std::mem::size_of::<Due>() / 8).contains(&fields.len()) {
            return None;
        }
        let mut always = [0; 8];
        let mut wanted: Vec<(u16, u16)> = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let probes = &field.probes;
            if field.required || probes.slots.is_empty() || !probes.rows.is_empty() {
                always[i / 64] |= 1 << (i % 64);
            } else {
                wanted.extend(probes.slots.iter().map(|slot| (slot.column, i as u16)));
            }
        }
        wanted.sort_unstable();
        let columns = wanted.last().map_or(0, |w| w.0 as usize + 1);
        let starts = (0..=columns).map(|c| wanted.partition_point(|w| (w.0 as usize) < c) as u16);
        Some(Box::new(Finder {
            always,
            masks: json::masks(wanted.iter().map(|w| w.0)),
            starts: starts.collect(),
            fields: wanted.iter().map(|w| w.1).collect(),
        }))
    }

    /// The fields that a column may fill.
    #[inline(always)]
    pub fn of(&self, column: u16) -> &[u16] {
        let at = |column: usize| self.starts.get(column).copied().unwrap_or(0) as usize;
        self.fields.get(at(column as usize)..at(column as usize + 1)).unwrap_or_default()
    }
}

/// A key ready to be copied, the comma before it included: padded, so that a short one is copied with moves of a fixed size.
#[derive(Clone, Debug)]
pub struct Key {
    bytes: Box<[u8]>,
    len: usize,
}

impl Key {
    /// `,"name":`
    pub fn new(name: &str) -> Key {
        let mut bytes = Vec::with_capacity(SHORT.max(name.len() + 4));
        bytes.push(b',');
        json::push_quoted(name, &mut bytes);
        bytes.push(b':');
        Key::of(bytes)
    }

    fn of(mut bytes: Vec<u8>) -> Key {
        let len = bytes.len();
        bytes.resize(len.max(SHORT), b' ');
        Key { bytes: bytes.into(), len }
    }

    fn followed_by(&self, value: &[u8]) -> Key {
        Key::of([&self.bytes[..self.len], value].concat())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
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
    fn new(slots: &[SlotAt]) -> Probes {
        let (root, rows) = slots.split_at(slots.partition_point(|slot| slot.scope == 0));
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
    pub(super) fn new(fields: impl IntoIterator<Item = Field>, strict: Option<Box<Read>>) -> Object {
        let fields = fields.into_iter();
        // To collect in place would keep the room of the larger things that they are made of.
        let mut all = Vec::with_capacity(fields.size_hint().0);
        all.extend(fields.map(Arc::new));
        Object { fields: all, runs: Box::default(), finder: None, strict, discovery: None }
    }

    /// Gives every read its column, which is known when every path is, and works out what can be
    /// skipped by it.
    pub(super) fn settle(&mut self, want: &Want) {
        self.strict.iter_mut().for_each(|read| read.settle(want));
        // Nobody shares them yet.
        let mut slots = Vec::new();
        self.fields.iter_mut().for_each(|field| Arc::make_mut(field).settle(want, &mut slots));
        let runs = self.fields.chunks(RUN).scan(0, |end, run| {
            *end += run.len();
            let skips = |f: &Arc<Field>| !f.required && !f.probes.is_empty() && f.probes.rows.is_empty();
            let columns = run.iter().flat_map(|f| f.probes.slots.iter().map(|slot| slot.column));
            let masks = if run.iter().all(skips) { json::masks(columns) } else { [].into() };
            let worth = run.len() > 1 && masks.len() <= MOST_PROBES;
            Some(Run { end: *end, masks: if worth { masks } else { [].into() } })
        });
        self.runs = runs.collect();
        self.finder = Finder::new(&self.fields);
    }

    /// The object with only some of its fields, or others in their place: all of them are looked at.
    pub fn with(&self, fields: Vec<Arc<Field>>) -> Object {
        let all = Run { end: fields.len(), masks: [].into() };
        Object { fields, runs: [all].into(), finder: None, strict: self.strict.clone(), discovery: None }
    }
}

impl Field {
    pub(super) fn new(name: &str, shape: Shape, required: bool, path: String) -> Field {
        let (key, probes) = (Key::new(name), Probes::default());
        let (copies, time, ready, counter, whole) = (None, None, None, 0, None);
        Field { key, shape, required, path, presence: None, probes, copies, time, ready, counter, whole }
    }

    /// `slots` is only room.
    fn settle(&mut self, want: &Want, slots: &mut Vec<SlotAt>) {
        self.shape.settle(want);
        slots.clear();
        if probes(&self.shape, want, slots) {
            slots.sort_unstable();
            slots.dedup();
            self.probes = Probes::new(slots);
        }
        self.look();
    }

    /// The field with another shape, which is known to have something to write.
    pub fn with(self: &Arc<Field>, shape: Shape) -> Field {
        let (key, path) = (self.key.clone(), self.path.clone());
        let (required, presence, probes) = (self.required, self.presence, Probes::default());
        let (copies, time, ready, counter) = (None, None, None, 0);
        let whole = Some(self.clone());
        let mut field =
            Field { key, shape, required, path, presence, probes, copies, time, ready, counter, whole };
        field.look();
        field
    }

    /// What is read where there is no first time.
    pub fn stand_ins(&self) -> &[Read] {
        match &self.shape {
            Shape::Leaf(leaves) => match leaves.as_slice() {
                [Leaf { origin: Origin::Reads(reads), .. }] => reads.get(1..).unwrap_or_default(),
                _ => &[],
            },
            _ => &[],
        }
    }

    /// Writes the same time as another field that writes nothing but a time.
    pub fn same_time(&self, other: &Field) -> bool {
        match (&self.time, &other.time) {
            (Some((a, of)), Some((b, steps))) => match (&**of, &**steps) {
                ([Step::Time { from: a_from, .. }], [Step::Time { from, .. }]) => a == b && a_from == from,
                _ => false,
            },
            _ => false,
        }
    }

    /// Sees which leaves are plain, and whether there is one thing to do for the whole field.
    fn look(&mut self) {
        let Shape::Leaf(leaves) = &mut self.shape else { return };
        leaves.iter_mut().for_each(|leaf| leaf.plain = leaf.is_plain());
        self.copies = Copies::of(leaves);
        if let [Leaf { plain: true, ty, gives_type: false, counter, origin, .. }] = leaves.as_slice()
            && matches!(ty, LeafType::Time | LeafType::Text { .. } | LeafType::Any)
            && let Origin::Reads(reads) = origin
            && let [Read { at: ReadAt::Slot { slot, .. }, steps, .. }, ..] = reads.as_slice()
            && let [Step::Time { to: TimeOut::Rfc3339, .. }] = &**steps
            && slot.scope == 0
        {
            (self.time, self.counter) = (Some((slot.column, steps.clone())), *counter);
        }
        if let [
            Leaf {
                origin: Origin::Const { json, .. },
                when: None,
                list: None,
                counter,
                gives_type: false,
                ..
            },
            ..,
        ] = leaves.as_slice()
            && !leaves[1..].iter().any(Leaf::is_passed_over)
        {
            self.ready = Some(self.key.followed_by(json));
            self.counter = *counter;
        }
    }
}

/// Fields that are skipped together.
const RUN: usize = 8;

/// More words and slots than this are not worth looking at first.
const MOST_PROBES: usize = 8;

/// Adds the slots without which a shape writes nothing; false where it may write all the same.
fn probes(shape: &Shape, want: &Want, slots: &mut Vec<SlotAt>) -> bool {
    match shape {
        Shape::Object(Object { strict: Some(read), .. }) | Shape::List(List { strict: Some(read), .. }) => {
            own_slot(read).map(|slot| slots.push(slot)).is_some()
        }
        Shape::Leaf(leaves) => leaves.iter().all(|leaf| leaf_probes(leaf, want, slots)),
        Shape::Object(object) => object_probes(object, slots),
        Shape::List(list) => list.parts.iter().all(|part| match part {
            Part::Values(leaf) => leaf_probes(leaf, want, slots),
            Part::Object(object) => object_probes(object, slots),
            Part::Each { list, .. } => outer_slot(list, want).map(|slot| slots.push(slot)).is_some(),
        }),
    }
}

/// What is required is missed wherever it stands: an object that holds it is always looked at.
fn object_probes(object: &Object, slots: &mut Vec<SlotAt>) -> bool {
    object.fields.iter().all(|field| {
        slots.extend(&field.probes.slots);
        !field.required && !field.probes.is_empty()
    })
}

fn leaf_probes(leaf: &Leaf, want: &Want, slots: &mut Vec<SlotAt>) -> bool {
    match &leaf.origin {
        Origin::Reads(reads) => {
            reads.iter().all(|read| outer_slot(read, want).map(|slot| slots.push(slot)).is_some())
        }
        _ => false,
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
        Some(&scope) => Some(want.list_slot(scope)),
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

impl Shape {
    fn settle(&mut self, want: &Want) {
        match self {
            Shape::Object(object) => object.settle(want),
            Shape::Leaf(leaves) => leaves.iter_mut().for_each(|leaf| leaf.settle(want)),
            Shape::List(list) => list.settle(want),
        }
    }
}

impl List {
    /// The one string that the list is made of, if it is one that its only row copies.
    pub fn copies(&self) -> Option<(&Leaf, Copies)> {
        let [Part::Values(leaf)] = self.parts.as_slice() else { return None };
        let copies = Copies::of(std::slice::from_ref(leaf))?;
        (self.strict.is_none() && leaf.label.is_none()).then_some((leaf, copies))
    }

    fn settle(&mut self, want: &Want) {
        self.strict.iter_mut().for_each(|read| read.settle(want));
        for part in &mut self.parts {
            match part {
                Part::Values(leaf) => leaf.settle(want),
                Part::Object(object) => object.settle(want),
                Part::Each { list, element, .. } => {
                    list.settle(want);
                    element.settle(want);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct List {
    pub parts: Vec<Part>,
    /// A Panther array: its value must be an array.
    pub strict: Option<Box<Read>>,
}

#[derive(Clone, Debug)]
pub enum Part {
    /// One element per value (or per label).
    Values(Box<Leaf>),
    /// One element with fields of its own.
    Object(Object),
    /// One element per element of a list of the record.
    /// `scopes`: the lists to open, this one last.
    Each { list: Read, scopes: Box<[u16]>, element: Box<Shape> },
}
