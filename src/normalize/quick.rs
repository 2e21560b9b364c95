//! Records that are told to be like others by what was read of them, before anything is filled in: only
//! what their mappings read is. Owns how they are told and what is counted of them; what is like what is
//! for `twins` to say.

use std::sync::Arc;

use super::elements::{Columns, Elements, needs_behind};
use super::flat::Flat;
use super::lists::Extent;
use super::partial::{Asked, is_filled};
use super::read::Facts;
use super::record::Verdict;
use super::row::{Piece, ROW, Row, Then, time_of};
use super::straight::{Filled, Line, Memory, Source, write_line};
use super::twins::{Head, Left, Twins};
use super::{Scratch, Work};
use crate::json::{self, Cell, Kind, Slots, Spot, Spots, Stretch, Want};
use crate::metrics::Counts;
use crate::ops::time::Instant;
use crate::plan::{Copies, Field, Needed, Route};

/// All that records are told by. What many records share is kept once: it then stays near.
#[derive(Debug, Default)]
pub(super) struct Quicks {
    /// The number of the last of one structure, and one more, is noted of that.
    all: Vec<Quick>,
    heads: Vec<Head>,
    signs: Vec<Sign>,
    fills: Vec<Spots>,
    lists: Vec<Read>,
    rows: Vec<Rows>,
    /// By each of `all`, by target: what became of those that were not all written as rows.
    tallies: Vec<Tallies>,
    /// Memory for the times of the record at hand; lent to it.
    instants: Vec<Instant>,
}

#[derive(Debug)]
struct Tallies {
    records: u64,
    of: Box<[Tally]>,
}

/// Records that are told alike, in one line of the cache: a record looks at one of hundreds of these.
#[derive(Debug)]
#[repr(align(64))]
struct Quick {
    /// The next of the same structure, and one more.
    next: u32,
    body: u32,
    /// Numbers of what it shares with others; of no rows where there are none.
    head: u32,
    sign: u32,
    fills: u32,
    lists: u32,
    rows: u32,
    /// Lent to the record at hand: counting who has it costs more than looking.
    lanes: Option<Arc<[Left]>>,
    /// Records of which each target got one event as a row: those that were written by its pen, and the rest.
    usual: u64,
    straight: u64,
}

const NONE: u32 = u32::MAX;

/// The lists whose elements are read.
#[derive(PartialEq, Default, Debug)]
pub(super) struct Read {
    /// By the scope of their elements: the columns they stand in.
    columns: Box<[(u16, u16)]>,
    /// What is written of them without rows, and whether nothing else reads any.
    pub(super) writers: Box<[u32]>,
    is_all: bool,
}

/// What is asked of a record of the structure: the texts of some spots, one behind the other in `raw`, and
/// whether others say anything.
#[derive(PartialEq, Debug)]
struct Sign {
    texts: Box<[(Spot, u32)]>,
    raw: Box<[u8]>,
    filled: Box<[(Spot, bool)]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    taken: u64,
    events: u64,
    generic: u64,
    flattened: u64,
}

impl Tally {
    fn add(&mut self, records: u64, verdict: &Verdict) {
        self.taken += records;
        self.events += records * verdict.events;
        self.generic += records * verdict.generic;
        self.flattened += records * verdict.flattened;
    }
}

/// What becomes of most records.
const USUAL: Verdict = Verdict { lane: 0, events: 1, generic: 0, flattened: 1 };

/// How all targets are written as rows, where that is so for every record whose texts are plain.
#[derive(PartialEq, Debug)]
struct Rows {
    plain: Box<[Plain]>,
    /// Behind which steps there must be times, of one target behind the other.
    times: Box<[Timed]>,
    /// The columns that are read beside the texts that are copied.
    fills: Spots,
    /// By target. Lent like the lanes.
    of: Option<Box<[RowOf]>>,
    /// By target, where all are written straight as lines.
    lines: Option<Box<[Line]>>,
}

#[derive(Debug)]
struct Timed {
    step: u16,
    field: Arc<Field>,
}

impl PartialEq for Timed {
    fn eq(&self, other: &Timed) -> bool {
        self.step == other.step && Arc::ptr_eq(&self.field, &other.field)
    }
}

#[derive(Debug)]
pub(super) struct RowOf {
    flat: Arc<Flat>,
    /// By piece: behind which step its value stands.
    steps: Box<[u16]>,
    /// Which of the times of all targets are its first.
    times: usize,
}

impl RowOf {
    /// With the times of all targets.
    #[inline(always)]
    pub(super) fn row<'r>(&'r self, instants: &'r [Instant]) -> Row<'r> {
        let instants = instants.get(self.times..).unwrap_or_default();
        Row { flat: &self.flat, steps: Some(&self.steps), instants }
    }
}

impl PartialEq for RowOf {
    fn eq(&self, other: &RowOf) -> bool {
        Arc::ptr_eq(&self.flat, &other.flat) && self.steps == other.steps && self.times == other.times
    }
}

/// The string behind a step must be one that can be copied.
#[derive(PartialEq, Debug)]
struct Plain {
    step: u16,
    escapes: bool,
    /// Fewest bytes between the quotes, and how many more there may be.
    least: u32,
    more: u32,
}

/// No step.
const NO_STEP: u16 = u16::MAX;

/// What is known of a record that was told.
pub(super) struct Told {
    number: usize,
    pub(super) body: usize,
    pub(super) lanes: Arc<[Left]>,
    /// Its rows; nothing where the record is not plain.
    pub(super) rows: Option<Box<[RowOf]>>,
    /// The times of the rows.
    pub(super) instants: Vec<Instant>,
    /// The number of its lists.
    pub(super) lists: Option<u32>,
    /// Some of them are to be learned.
    pub(super) is_new: bool,
}

/// What is about to be told.
pub(super) struct Teller {
    sign: Sign,
    /// The columns that are filled in then: all that is written is in them.
    fills: Spots,
    lists: Read,
    rows: Option<Rows>,
}

impl Teller {
    /// Of the record at hand, whose structure tells all; `None` where it cannot be told what is needed.
    pub(super) fn new(
        want: &Want,
        slots: &Slots,
        elements: &mut Elements,
        asked: [&Asked; 2],
        lanes: &[Left],
        routes: &[Route],
    ) -> Option<Teller> {
        let (mut needed, mut reads) = (Columns::default(), 0);
        let mut add = |one| {
            reads += matches!(one, Needed::Rows(_)) as usize;
            needed.add(want, one);
        };
        if !routes.iter().all(|route| behind(route, &mut add))
            || !lanes.iter().all(|left| left.object.needs(&mut add))
        {
            return None;
        }
        let Columns { all: columns, mut lists } = needed;
        let places = slots.spots(&columns)?;
        let has_rows = |column: u16| {
            let place = places.iter().find(|(c, _)| *c == column);
            matches!(place, Some((_, Spot::Container { kind: Kind::Array, .. })))
        };
        lists.retain(|(_, column)| has_rows(*column));
        // Elements that another walk has found are not known.
        if !lists.is_empty() && !slots.has_elements() {
            return None;
        }
        let (mut texts, mut raw, mut filled) = (Vec::new(), Vec::new(), Vec::new());
        for asked in asked {
            let columns: Vec<u16> = asked.columns().collect();
            let spots = slots.spots(&columns)?;
            // What is not there in one record of a structure is there in none.
            let spot = |column: u16| spots.iter().find(|(c, _)| *c == column).map(|(_, spot)| *spot);
            for (column, text) in &asked.texts {
                let Some(spot) = spot(*column) else { continue };
                texts.push((spot, text.len() as u32));
                raw.extend_from_slice(text);
            }
            filled.extend(asked.filled.iter().filter_map(|(c, filled)| Some((spot(*c)?, *filled))));
        }
        let sign = Sign { texts: texts.into(), raw: raw.into(), filled: filled.into() };
        let fills = Spots::new(&places);
        // Fields of an event of its own element read only that.
        let of_all = |route: &&Route| matches!(route, Route::Lanes(lanes) if lanes[0].each.is_none());
        let of_all = routes.iter().zip(lanes).filter(|(route, _)| of_all(route));
        let lists = match lists.is_empty() {
            true => Read::default(),
            false => {
                let (writers, is_all) = elements.writers(of_all.map(|(_, left)| &left.object), reads);
                Read { columns: lists.into(), writers, is_all }
            }
        };
        let filled = Filled { elements, writers: &lists.writers, lists: &lists.columns };
        let rows = Rows::new(want, slots, lanes, routes, &filled);
        Some(Teller { sign, fills, lists, rows })
    }
}

/// Calls `add` with all that is read behind the fields of the events; whether that can be told.
fn behind(route: &Route, add: &mut dyn FnMut(Needed)) -> bool {
    let Route::Lanes(lanes) = route else { return false };
    lanes.first().is_some_and(|lane| needs_behind(lane, add))
}

impl Rows {
    fn new(want: &Want, slots: &Slots, lanes: &[Left], routes: &[Route], filled: &Filled) -> Option<Rows> {
        let flats: Vec<&Arc<Flat>> = lanes.iter().map(|left| left.flat.as_ref()).collect::<Option<_>>()?;
        let copies = |piece: &&Piece| matches!(piece.then, Then::String | Then::Time);
        let pieces = flats.iter().flat_map(|flat| &flat.pieces).filter(copies);
        let mut copied: Vec<u16> = pieces.map(|piece| piece.column).collect();
        copied.sort_unstable();
        copied.dedup();
        let spots = slots.spots(&copied)?;
        let step = |column: u16| match spots.iter().find(|(c, _)| *c == column) {
            Some((_, Spot::Value(step))) => u16::try_from(*step).ok().filter(|step| *step != NO_STEP),
            _ => None,
        };
        let (mut plain, mut of, mut needed) = (Vec::new(), Vec::new(), Columns::default());
        let mut times = Vec::new();
        let mut add = |one| needed.add(want, one);
        for flat in &flats {
            for (_, Copies { column, least, most, escapes, .. }) in &flat.plain {
                let (more, step) = (most.checked_sub(*least)?, step(*column)?);
                plain.push(Plain { step, escapes: *escapes, least: *least, more });
            }
            let of_piece = |piece: &Piece| step(piece.column).unwrap_or(NO_STEP);
            let steps = flat.pieces.iter().map(of_piece).collect();
            of.push(RowOf { flat: Arc::clone(flat), steps, times: times.len() });
            for field in &flat.times {
                let (column, _) = field.time.as_ref()?;
                times.push(Timed { step: step(*column)?, field: field.clone() });
            }
            if !flat.fields.iter().all(|field| field.needs(&mut add)) {
                return None;
            }
        }
        if !routes.iter().all(|route| behind(route, &mut add)) {
            return None;
        }
        let fills = Spots::new(&slots.spots(&needed.all)?);
        let line = |(route, flat): (&Route, &&Arc<Flat>)| match route {
            Route::Lanes(lanes) => Line::new(flat, &lanes[0], filled),
            Route::Nowhere => None,
        };
        let lines = routes.iter().zip(&flats).map(line).collect();
        Some(Rows { plain: plain.into(), times: times.into(), fills, of: Some(of.into()), lines })
    }

    #[inline(always)]
    fn fit(&self, slots: &Slots, text: &[u8], instants: &mut Vec<Instant>) -> bool {
        self.are_plain(slots.trunk()) && self.are_times(slots.trunk(), text, instants)
    }

    #[inline(always)]
    fn are_plain(&self, trunk: Stretch) -> bool {
        self.plain.iter().all(|plain| plain.takes(trunk.value(plain.step)))
    }

    /// Reads the times; whether they are all there.
    #[inline(always)]
    fn are_times(&self, trunk: Stretch, text: &[u8], instants: &mut Vec<Instant>) -> bool {
        instants.clear();
        for Timed { step, field } in &self.times {
            let Some(instant) = time_of(field, text, trunk.value(*step)) else { return false };
            instants.push(instant);
        }
        true
    }
}

impl Plain {
    /// What [`Copies::take`] says.
    #[inline(always)]
    fn takes(&self, cell: Cell) -> bool {
        let fits = cell.kind == Kind::String || (self.escapes && cell.kind == Kind::Escaped);
        fits && (cell.end - cell.start).wrapping_sub(2).wrapping_sub(self.least) <= self.more
    }
}

impl Sign {
    #[inline(always)]
    fn fits(&self, slots: &Slots, text: &[u8]) -> bool {
        let (mut raw, trunk) = (&*self.raw, slots.trunk());
        let same = self.texts.iter().all(|&(spot, len)| {
            let (expected, rest) = raw.split_at(len as usize);
            raw = rest;
            trunk.at(spot).raw(text) == expected
        });
        same && self.filled.iter().all(|(spot, filled)| is_filled(trunk.at(*spot)) == *filled)
    }
}

/// The number of a thing among others that all differ.
fn number<T: PartialEq>(all: &mut Vec<T>, one: T) -> u32 {
    let known = all.iter().position(|other| *other == one);
    known.unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    }) as u32
}

impl Quicks {
    /// The fields that elements fill and that may be written without rows.
    pub(super) fn writers(&self, lists: u32) -> &[u32] {
        self.lists.get(lists as usize).map_or(&[], |lists| &lists.writers)
    }

    /// Tells records from now on; the number of what tells them, and one more. `next` is that of others of the
    /// same structure.
    pub(super) fn tell(
        &mut self,
        next: u32,
        teller: Teller,
        (head, body): (Head, usize),
        lanes: &Arc<[Left]>,
    ) -> u32 {
        let Teller { sign, fills, lists, rows } = teller;
        self.tallies.push(Tallies { records: 0, of: vec![Tally::default(); lanes.len()].into() });
        self.all.push(Quick {
            next,
            body: body as u32,
            head: number(&mut self.heads, head),
            sign: number(&mut self.signs, sign),
            fills: number(&mut self.fills, fills),
            lists: number(&mut self.lists, lists),
            rows: rows.map_or(NONE, |rows| number(&mut self.rows, rows)),
            lanes: Some(lanes.clone()),
            usual: 0,
            straight: 0,
        });
        self.all.len() as u32
    }

    /// What tells a record of which nothing is filled in yet.
    #[inline(always)]
    fn find(&self, slots: &Slots, text: &[u8]) -> Option<usize> {
        let mut at = slots.note();
        loop {
            let number = at.checked_sub(1)? as usize;
            let found = &self.all[number];
            if self.signs[found.sign as usize].fits(slots, text) {
                return Some(number);
            }
            at = found.next;
        }
    }

    /// Fills in what a record needs that was told, and lends what is known of it.
    #[inline(always)]
    fn lend(
        &mut self,
        number: usize,
        slots: &mut Slots,
        elements: &mut Elements,
        text: &[u8],
    ) -> Option<Told> {
        let found = &mut self.all[number];
        let lanes = found.lanes.take()?;
        let rows = match self.rows.get_mut(found.rows as usize) {
            Some(rows) if rows.fit(slots, text, &mut self.instants) => {
                slots.fill_some(&rows.fills);
                rows.of.take()
            }
            _ => {
                slots.fill_some(&self.fills[found.fills as usize]);
                None
            }
        };
        let Read { columns, writers, is_all } = &self.lists[found.lists as usize];
        let (mut lists, mut is_new) = (None, false);
        if !columns.is_empty() {
            let known = elements.tell(slots, text, (found.lists, writers));
            if !(*is_all && known == Extent::All) {
                elements.fill(slots, columns);
            }
            (lists, is_new) = (Some(found.lists), known == Extent::New);
        }
        let instants = std::mem::take(&mut self.instants);
        Some(Told { number, body: found.body as usize, lanes, rows, instants, lists, is_new })
    }

    fn tally(&mut self, number: usize, target: usize, verdict: &Verdict) {
        self.tallies[number].of[target].add(1, verdict);
    }
}

impl Twins {
    /// Hands on what was counted since.
    pub(super) fn settle_quick(&mut self, counts: &mut Counts) {
        let Quicks { all, heads, tallies, rows, .. } = &mut self.quicks;
        for (quick, tallies) in all.iter_mut().zip(tallies) {
            let head = &heads[quick.head as usize];
            let of_type = &mut counts.sources[head.source][head.kind];
            let straight = std::mem::take(&mut quick.straight);
            let usual = std::mem::take(&mut quick.usual) + straight;
            of_type.records += std::mem::take(&mut tallies.records) + usual;
            let lines = rows.get(quick.rows as usize).and_then(|rows| rows.lines.as_deref());
            for (target, line) in lines.into_iter().flatten().enumerate().filter(|_| straight > 0) {
                of_type.targets[target].generic += straight * line.generic as u64;
                let counts = counts.lanes[head.source][target].first_mut().filter(|_| json::COUNTED);
                let Some(counts) = counts else { continue };
                counts.events += straight;
                line.filled.iter().for_each(|counter| counts.filled[*counter as usize] += straight);
            }
            let body = &mut self.bodies.all[quick.body as usize].1;
            for (target, tally) in tallies.of.iter_mut().enumerate() {
                tally.add(usual, &USUAL);
                let Tally { taken, events, generic, flattened } = std::mem::take(tally);
                let outcomes = &mut of_type.targets[target];
                outcomes.normalized += taken;
                outcomes.events += events;
                outcomes.generic += generic;
                body.taken[target] += taken;
                body.filled[target] += flattened;
            }
        }
    }
}

impl Work<'_> {
    /// The number and the head of what tells a record of which nothing is filled in yet.
    #[inline(always)]
    pub(super) fn quick(&mut self, facts: &Facts) -> Option<(usize, &Head)> {
        let Scratch { slots, twins, late, .. } = &mut *self.scratch;
        if self.watch.is_some() || self.trial || *late || !facts.is_empty() {
            return None;
        }
        let number = twins.quicks.find(slots, self.text)?;
        let head = &twins.quicks.heads[twins.quicks.all[number].head as usize];
        if slots.has_elements() && !twins.elements.take(head.source, slots) {
            return None;
        }
        Some((number, head))
    }

    /// Writes the record at hand, which was told, line by line where it is that simple; whether it was.
    #[inline(always)]
    pub(super) fn straight(&mut self, number: usize, source: usize) -> bool {
        let Scratch { slots, twins, standing, counts, .. } = &mut *self.scratch;
        let Twins { quicks: Quicks { all, rows, lists, instants, .. }, elements, .. } = twins;
        let quick = &mut all[number];
        let Some(rows) = rows.get(quick.rows as usize) else { return false };
        let (Some(of), Some(lines)) = (&rows.of, &rows.lines) else { return false };
        if !rows.are_times(slots.trunk(), self.text, instants) {
            return false;
        }
        let Read { columns, writers, is_all } = &lists[quick.lists as usize];
        if !columns.is_empty() {
            let is_told = *is_all && elements.tell(slots, self.text, (quick.lists, writers)) == Extent::All;
            // What is counted line by line is not taken back.
            if !is_told || !rows.are_plain(slots.trunk()) {
                return false;
            }
        }
        let row = standing.row.get_or_insert_with(|| Box::new([0; ROW]));
        let mut memory = Memory { row, times: &mut standing.times, elements: &mut standing.elements };
        let source_of = Source { text: self.text, slots, elements };
        for (target, (row, line)) in of.iter().zip(lines).enumerate() {
            let out = &mut self.out.targets[target];
            let before = out.len();
            let mut counts = counts.lanes[source][target].first_mut().filter(|_| json::COUNTED);
            let mut wrote = |counter: u32, n: u64| {
                counts.iter_mut().for_each(|counts| counts.filled[counter as usize] += n);
            };
            if !write_line((row.row(instants), line), source_of, &mut memory, out, &mut wrote) {
                out.truncate(before);
                // The lines of the targets before it.
                for out in &mut self.out.targets[..target] {
                    let line = out[..out.len() - 1].iter().rposition(|byte| *byte == b'\n');
                    out.truncate(line.map_or(0, |line| line + 1));
                }
                return false;
            }
        }
        quick.straight += 1;
        elements.took_all();
        elements.leave();
        counts.records += 1;
        self.out.records += 1;
        true
    }

    /// See [`Quicks::lend`].
    #[inline(always)]
    pub(super) fn lend(&mut self, number: usize) -> Option<Told> {
        let Scratch { slots, twins, .. } = &mut *self.scratch;
        twins.quicks.lend(number, slots, &mut twins.elements, self.text)
    }

    /// Counts a record that is like others; its number within the batch. Its type was met before.
    pub(super) fn count_like(&mut self, of: (usize, usize)) -> u64 {
        self.scratch.counts.records += 1;
        self.scratch.of = of;
        self.out.records += 1;
        self.out.records - 1
    }

    /// The record at hand is done, which was told, and of some targets, as bits, what is usual became of it.
    pub(super) fn give_back(&mut self, told: Told, usual: u64) {
        let Told { number, lanes, rows, instants, .. } = told;
        let Twins { quicks, elements, .. } = &mut self.scratch.twins;
        quicks.instants = instants;
        let quick = &mut quicks.all[number];
        quick.lanes = Some(lanes);
        if let Some(of) = quicks.rows.get_mut(quick.rows as usize).filter(|_| rows.is_some()) {
            of.of = rows;
        }
        let targets = self.plan.targets.len();
        if usual.count_ones() as usize == targets {
            quick.usual += 1;
            elements.took_all();
        } else {
            quicks.tallies[number].records += 1;
            for target in (0..targets.min(64)).filter(|target| usual >> target & 1 != 0) {
                quicks.tally(number, target, &USUAL);
                elements.took(target);
            }
        }
        elements.leave();
    }
}

impl Told {
    /// What the first lane of a target made of the record is counted with what it made of its like: later,
    /// where that is usual, which is told.
    #[inline(always)]
    pub(super) fn count(&self, twins: &mut Twins, target: usize, verdict: &Verdict) -> u64 {
        if *verdict == USUAL && target < 64 {
            return 1 << target;
        }
        twins.quicks.tally(self.number, target, verdict);
        twins.elements.took(target);
        0
    }
}
