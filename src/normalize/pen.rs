//! Writing shapes: one record, one lane, straight into the output buffer. Objects, lists and events;
//! what a leaf writes stands in `leaf`.

use super::lists::Lists;
use super::read::Facts;
use super::row::{ROW, Row, instant};
use super::standard::{AnyValues, Stored};
use crate::json::{self, Cell, Kind, NodeId, View, Want};
use crate::metrics::{LaneCounts, Reason};
use crate::ops::pseudonym::Pseudonyms;
use crate::ops::time::Instant;
use crate::ops::{self, Step};
use crate::plan::{
    Copies, Deeds, Field, Lane, List, Object, Origin, Part, Plan, Probes, Read, Shape, TypeRules,
};

/// A scope that is not being walked.
pub(super) const CLOSED: u32 = u32::MAX;

/// Memory of a pen that outlives the record.
#[derive(Debug)]
pub(super) struct Standing {
    /// The current row of every scope.
    pub(super) cursor: Vec<u32>,
    pub(super) text: String,
    pub(super) made: String,
    pub(super) whole: String,
    /// JSON text of a constant.
    pub(super) ready: Vec<u8>,
    /// The value at hand is a lookup's default.
    pub(super) default: bool,
    pub(super) presence: Vec<bool>,
    pub(super) copied: json::Copied,
    pub(super) any: AnyValues,
    pub(super) event_times: Stored,
    pub(super) times: Stored,
    pub(super) parse_times: Stored,
    /// Elements of the list being written, for `distinct`.
    pub(super) elements: Vec<(usize, usize)>,
    /// See [`ROW`]; lent to the row that is written.
    pub(super) row: Option<Box<[u8; ROW]>>,
    /// The times of a row.
    pub(super) instants: Vec<Instant>,
}

impl Standing {
    pub(super) fn new(plan: &Plan) -> Standing {
        let mut cursor = vec![CLOSED; plan.want.scopes()];
        cursor[0] = 0;
        Standing {
            cursor,
            text: String::new(),
            made: String::new(),
            whole: String::new(),
            ready: Vec::new(),
            default: false,
            presence: Vec::new(),
            copied: json::Copied::default(),
            any: AnyValues::default(),
            event_times: Stored::default(),
            times: Stored::default(),
            parse_times: Stored::default(),
            elements: Vec::new(),
            row: None,
            instants: Vec::new(),
        }
    }
}

/// Why a lane does not take a record.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) path: String,
    /// What was expected, said without a byte of the record.
    pub(super) what: String,
    /// The value's text, shown only where the source bears no content.
    pub(super) shown: Option<String>,
}

impl Refusal {
    #[cold]
    pub(super) fn bad_value(path: &str, what: &str) -> Refusal {
        Refusal { reason: Reason::BadValue, path: path.into(), what: what.into(), shown: None }
    }

    pub(super) fn message(&self, open: bool) -> String {
        match &self.shown {
            Some(value) if open => format!("{}, found {value}", self.what),
            _ => self.what.clone(),
        }
    }
}

pub(super) struct Pen<'a> {
    pub(super) want: &'a Want,
    pub(super) view: View<'a>,
    pub(super) facts: &'a Facts<'a>,
    pub(super) standing: &'a mut Standing,
    pub(super) counts: Option<&'a mut LaneCounts>,
    /// Not every scalar of the source may leave as it is.
    pub(super) deeds: Option<&'a Deeds>,
    pub(super) pseudonyms: Option<&'a Pseudonyms>,
    pub(super) out: Vec<u8>,
    /// Lone surrogates that were replaced.
    pub(super) lone: u64,
    pub(super) event_time: Option<Instant>,
    /// When the record is read; known while its events are written.
    pub(super) now: Option<Instant>,
    /// Where the record begins in the text.
    pub(super) start: usize,
    /// The key of the record's payload, where members that nobody declared are written.
    pub(super) payload: Option<&'a [u8]>,
    /// The payload as a field of its name, and its root.
    pub(super) payload_field: Option<(NodeId, NodeId)>,
    /// Where the event type was written, quotes included.
    pub(super) type_at: Option<(usize, usize)>,
    /// Events whose fields were written as one row, and are not counted as filled yet.
    pub(super) flattened: u64,
    /// Fields that elements fill, where some may be written without rows.
    pub(super) lists: Option<Lists<'a>>,
    /// A conversion that failed, for the message of a required field.
    pub(super) failed: Option<(String, Option<String>)>,
}

/// A refusal is rare, and a result that holds one by itself is slow to hand on.
pub(super) type Wrote = Result<bool, Box<Refusal>>;

impl<'a> Pen<'a> {
    pub(super) fn new(
        want: &'a Want,
        view: View<'a>,
        facts: &'a Facts<'a>,
        standing: &'a mut Standing,
    ) -> Pen<'a> {
        Pen {
            want,
            view,
            facts,
            standing,
            counts: None,
            deeds: None,
            pseudonyms: None,
            out: Vec::new(),
            lone: 0,
            event_time: None,
            now: None,
            start: 0,
            payload: None,
            payload_field: None,
            type_at: None,
            flattened: 0,
            lists: None,
            failed: None,
        }
    }

    /// Writes every event of a lane, whose root or a part of it is `root`, as one line each: how many, and how many of the generic type.
    /// `row_id` is told where each event's row id goes.
    pub(super) fn events(
        &mut self,
        lane: &Lane,
        (root, row): (&Object, Option<Row>),
        now: Instant,
        row_id: &mut dyn FnMut(usize, u32),
    ) -> Result<(u64, u64), Box<Refusal>> {
        self.now = Some(now);
        let (mut events, mut generic) = (0, 0);
        let mut one = |pen: &mut Pen<'a>| -> Wrote {
            generic += pen.event(lane, (root, row), now, &mut |at| row_id(at, events as u32))? as u64;
            events += 1;
            Ok(true)
        };
        match &lane.each {
            None => {
                one(self)?;
            }
            Some(lists) => {
                self.each_row(lists, &mut one)?;
            }
        }
        Ok((events, generic))
    }

    /// One event; whether it is of the generic type.
    fn event(
        &mut self,
        lane: &Lane,
        (root, row): (&Object, Option<Row>),
        now: Instant,
        row_id: &mut dyn FnMut(usize),
    ) -> Wrote {
        self.standing.presence.clear();
        self.standing.presence.resize(lane.presences, false);
        self.standing.any.clear();
        self.event_time = None;
        self.type_at = None;
        let start = self.out.len();
        let flattened = row.and_then(|row| self.write_flat(row)).transpose()?.is_some();
        if !flattened && !self.fields(root)? && lane.standard.is_none() {
            let what = "the mapping found nothing in the record".into();
            return Err(Refusal { reason: Reason::Empty, path: String::new(), what, shown: None }.into());
        }
        if let Some(standard) = &lane.standard {
            self.standard(standard, now, row_id)?;
        }
        // The first comma was room for the brace.
        self.out[start] = b'{';
        self.out.push(b'}');
        let generic = match &lane.rules {
            Some(rules) => self.settle_type(rules)?,
            None => false,
        };
        self.out.push(b'\n');
        if let Some(counts) = &mut self.counts {
            counts.events += 1;
        }
        Ok(generic)
    }

    /// Replaces an event type whose needs are not met by the first of the fallbacks whose are.
    /// Whether the type is the generic one; where no type fits, the record is refused.
    fn settle_type(&mut self, rules: &TypeRules) -> Wrote {
        let Some((start, end)) = self.type_at else {
            return Ok(false);
        };
        let presence = &self.standing.presence;
        let met = |name: &[u8]| rules.met(name, |bit| presence[bit as usize]);
        let proposed = &self.out[start + 1..end - 1];
        let generic = |name: &[u8]| rules.generic.as_deref() == Some(name);
        if met(proposed) {
            return Ok(generic(proposed));
        }
        let Some(name) = rules.fallback.iter().find(|name| &***name != proposed && met(name)) else {
            return match rules.unmet(proposed, presence) {
                Some((path, what)) => {
                    Err(Refusal { reason: Reason::Missing, path: path.to_string(), what, shown: None }.into())
                }
                None => Ok(generic(proposed)),
            };
        };
        if let Some(counts) = &mut self.counts {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into();
            *counts.fallbacks.entry((text(proposed), text(name))).or_default() += 1;
        }
        self.out.splice(start + 1..end - 1, name.iter().copied());
        Ok(generic(name))
    }

    /// The fields of an object, without its braces and with a comma before each; whether any was written.
    pub(super) fn fields(&mut self, object: &Object) -> Wrote {
        let first = self.out.len();
        if let Some(finder) = &object.finder {
            let mut due = finder.always;
            for mask in &finder.masks {
                mask.met(&self.view, |column| {
                    for &field in finder.of(column) {
                        due[field as usize / 64] |= 1 << (field % 64);
                    }
                });
            }
            for (word, mut bits) in due.into_iter().enumerate() {
                while bits != 0 {
                    self.member(&object.fields[word * 64 + bits.trailing_zeros() as usize])?;
                    bits &= bits - 1;
                }
            }
            return Ok(self.others(object, first));
        }
        let mut next = 0;
        for run in &object.runs {
            let fields = &object.fields[next..run.end];
            next = run.end;
            if !run.masks.is_empty() && !self.view.any(&run.masks) {
                continue;
            }
            for field in fields {
                self.member(field)?;
            }
        }
        Ok(self.others(object, first))
    }

    #[inline(always)]
    pub(super) fn member(&mut self, field: &Field) -> Result<(), Box<Refusal>> {
        if let Some(lists) = &mut self.lists
            && lists.pass(field)
        {
            return Ok(());
        }
        if let Some(copies) = &field.copies
            && self.deeds.is_none()
            && self.copied(field, copies)
        {
            return Ok(());
        }
        if let Some(ready) = &field.ready {
            ready.push(&mut self.out);
            if let Some(counts) = &mut self.counts {
                counts.filled[field.counter as usize] += 1;
            }
            if let Some(bit) = field.presence {
                self.standing.presence[bit as usize] = true;
            }
            return Ok(());
        }
        if let Some((column, steps)) = &field.time
            && self.deeds.is_none()
            && self.timed(field, *column, steps)
        {
            return Ok(());
        }
        if !self.is_empty(&field.probes) {
            return self.field(field);
        }
        if field.required {
            self.failed = None;
            return Err(self.required(field));
        }
        Ok(())
    }

    /// None of the slots that a field wants holds anything.
    #[inline(always)]
    fn is_empty(&self, probes: &Probes) -> bool {
        !probes.is_empty()
            && !self.view.any(&probes.masks)
            && probes.rows.iter().all(|&slot| self.at(slot).kind.is_null())
    }

    /// Copies the string of the field, where it holds one that needs no more.
    #[inline(always)]
    fn copied(&mut self, field: &Field, copies: &Copies) -> bool {
        let cell = self.view.root(copies.column);
        let len = (cell.end - cell.start).wrapping_sub(2);
        if !copies.takes(cell.kind, len) {
            return false;
        }
        field.key.push(&mut self.out);
        json::copy_raw(&cell, self.view.text, &mut self.out);
        if let Some(counts) = &mut self.counts {
            counts.filled[copies.counter as usize] += 1;
        }
        if let Some(bit) = field.presence {
            self.standing.presence[bit as usize] = true;
        }
        true
    }

    /// Writes the time of the field, where its column holds one.
    pub(super) fn timed(&mut self, field: &Field, column: u16, steps: &[Step]) -> bool {
        let Some(instant) = instant(self.view.text, self.view.root(column), steps) else { return false };
        field.key.push(&mut self.out);
        self.standing.times.push_as(ops::push_time, instant, &mut self.out);
        if let Some(counts) = &mut self.counts {
            counts.filled[field.counter as usize] += 1;
        }
        if let Some(bit) = field.presence {
            self.standing.presence[bit as usize] = true;
        }
        self.pass_over(field.stand_ins());
        true
    }

    fn field(&mut self, field: &Field) -> Result<(), Box<Refusal>> {
        let start = self.out.len();
        field.key.push(&mut self.out);
        if field.required {
            self.failed = None;
        }
        if self.shape(&field.shape)? {
            if let Some(bit) = field.presence {
                self.standing.presence[bit as usize] = true;
            }
            return Ok(());
        }
        self.out.truncate(start);
        if field.required && !self.empty_array(&field.shape) {
            return Err(self.required(field));
        }
        Ok(())
    }

    /// An empty array is not written, but it is there.
    fn empty_array(&self, shape: &Shape) -> bool {
        match shape {
            Shape::List(List { strict: Some(read), .. }) => self.cell(read).kind == Kind::EmptyArray,
            _ => false,
        }
    }

    #[cold]
    fn required(&mut self, field: &Field) -> Box<Refusal> {
        if let Some((path, shown)) = self.failed.take() {
            let what = format!("`{}` cannot be made of this value", field.path);
            return Refusal { reason: Reason::BadValue, path, what, shown }.into();
        }
        let whole = field.whole.as_deref().unwrap_or(field);
        let read = match &whole.shape {
            Shape::Leaf(leaves) => leaves.iter().find_map(|l| match &l.origin {
                Origin::Reads(reads) | Origin::Joined { reads, .. } => reads.first(),
                _ => None,
            }),
            _ => None,
        };
        let path = read.map_or_else(|| field.path.clone(), |r| r.path.clone());
        let what = format!("`{}` is required and absent", field.path);
        Refusal { reason: Reason::Missing, path, what, shown: None }.into()
    }

    fn shape(&mut self, shape: &Shape) -> Wrote {
        match shape {
            Shape::Leaf(leaves) => {
                for (i, leaf) in leaves.iter().enumerate() {
                    if self.leaf(leaf)? {
                        for later in leaves[i + 1..].iter().filter(|later| later.is_passed_over()) {
                            if let Origin::Reads(reads) = &later.origin {
                                self.pass_over(reads);
                            }
                        }
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Shape::Object(object) => self.object(object),
            Shape::List(list) => self.list(list),
        }
    }

    fn object(&mut self, object: &Object) -> Wrote {
        if let Some(read) = &object.strict {
            let cell = self.cell(read);
            if cell.kind.is_null() {
                return Ok(false);
            }
            if !cell.kind.is_object() {
                return Err(wrong_kind(read, cell, "an object"));
            }
        }
        let start = self.out.len();
        if !self.fields(object)? {
            if object.strict.is_some() {
                self.out.extend_from_slice(b"{}");
            }
            return Ok(object.strict.is_some());
        }
        // The first comma was room for the brace.
        self.out[start] = b'{';
        self.out.push(b'}');
        Ok(true)
    }

    fn list(&mut self, list: &List) -> Wrote {
        if let Some(wrote) = self.write_list(list) {
            return Ok(wrote);
        }
        if let Some(read) = &list.strict {
            let cell = self.cell(read);
            if cell.kind.is_null() || cell.kind == Kind::EmptyArray {
                return Ok(false);
            }
            if !cell.kind.is_array() {
                return Err(wrong_kind(read, cell, "an array"));
            }
        }
        let strict = list.strict.is_some();
        let start = self.out.len();
        self.out.push(b'[');
        for part in &list.parts {
            match part {
                Part::Values(leaf) => self.values(leaf, start)?,
                Part::Object(object) => self.element(start, |pen| pen.object(object))?,
                Part::Each { scopes, element, .. } => {
                    self.each_row(scopes, &mut |pen| {
                        pen.element(start, |pen| {
                            let before = pen.out.len();
                            if pen.shape(element)? {
                                return Ok(true);
                            }
                            // An element that says nothing keeps its place in a Panther array.
                            pen.out.truncate(before);
                            if strict {
                                pen.out.extend_from_slice(b"null");
                            }
                            Ok(strict)
                        })?;
                        Ok(true)
                    })?;
                }
            }
        }
        if self.out.len() == start + 1 {
            self.out.truncate(start);
            return Ok(false);
        }
        self.out.push(b']');
        Ok(true)
    }

    /// One element of the list that begins at `list`; taken back when nothing was written.
    fn element(&mut self, list: usize, write: impl FnOnce(&mut Self) -> Wrote) -> Result<(), Box<Refusal>> {
        let start = self.out.len();
        if start > list + 1 {
            self.out.push(b',');
        }
        if !write(self)? {
            self.out.truncate(start);
        }
        Ok(())
    }
}

#[cold]
fn wrong_kind(read: &Read, cell: Cell, expected: &str) -> Box<Refusal> {
    let what = format!("expected {expected}, not {}", cell.kind.name());
    Refusal { reason: Reason::BadValue, path: read.path.clone(), what, shown: None }.into()
}
