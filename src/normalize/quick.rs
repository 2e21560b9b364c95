//! Records that are told to be like others by what was read of them, before anything is filled in: only
//! what their mappings read is. Owns how they are told and what is counted of them; what is like what is
//! for `twins` to say.

use std::sync::Arc;

use super::flat::Flat;
use super::partial::{Asked, is_filled};
use super::read::Facts;
use super::record::Verdict;
use super::row::Piece;
use super::twins::{Head, Left, Like, Twins};
use super::{Scratch, Work};
use crate::json::{Slots, Spot, Spots, Structure};
use crate::metrics::Counts;
use crate::plan::{Copies, Route};

/// All in one place: a record looks at one of hundreds of these, which are rarely near.
#[derive(Debug)]
pub(super) struct Quick {
    /// The next of the same structure, and one more.
    next: u32,
    body: u32,
    head: Head,
    /// What is asked of a record of the structure: the texts of some spots, one behind the other in `raw`.
    texts: Box<[(Spot, u32)]>,
    raw: Box<[u8]>,
    filled: Box<[(Spot, bool)]>,
    /// The columns that are filled in then: all that is written is in them.
    fills: Spots,
    rows: Option<Rows>,
    /// Lent to the record at hand: counting who has it costs more than looking.
    lanes: Option<Arc<[Left]>>,
    /// Records that were told, and by target what became of those that its first lane took.
    records: u64,
    targets: Box<[Tally]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    taken: u64,
    events: u64,
    generic: u64,
    flattened: u64,
}

/// How all targets are written as rows, where that is so for every record whose texts are plain.
#[derive(Debug)]
struct Rows {
    plain: Box<[Plain]>,
    /// What is read beside the texts that are copied.
    fills: Spots,
    /// By target and piece: behind which step its value stands. Lent like the lanes.
    steps: Option<Arc<[Box<[u16]>]>>,
}

/// The string behind a step must be one that can be copied.
#[derive(Debug)]
struct Plain {
    step: u16,
    copies: Copies,
}

/// No step.
const NO_STEP: u16 = u16::MAX;

/// What is known of a record that was told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) quick: usize,
    pub(super) like: Like,
    /// See [`Rows`]; nothing where the record is not plain.
    pub(super) steps: Option<Arc<[Box<[u16]>]>>,
}

/// Where the mappings read what, and what is asked before.
pub(super) struct Sign {
    texts: Vec<(Spot, Box<[u8]>)>,
    filled: Vec<(Spot, bool)>,
    fills: Vec<(u16, Spot)>,
    rows: Option<Rows>,
}

impl Sign {
    /// Of the record at hand, whose structure tells all; `None` where more is needed than columns of the
    /// record's own scope.
    pub(super) fn new(slots: &Slots, asked: [&Asked; 2], lanes: &[Left], routes: &[Route]) -> Option<Sign> {
        let mut columns = Vec::new();
        let mut add = |column| columns.push(column);
        if !routes.iter().all(|route| behind(route, &mut add)) || !lanes.iter().all(|left| left.object.columns(&mut add)) {
            return None;
        }
        columns.sort_unstable();
        columns.dedup();
        let (mut texts, mut filled) = (Vec::new(), Vec::new());
        for asked in asked {
            let columns: Vec<u16> = asked.columns().collect();
            let spots = slots.spots(&columns)?;
            // What is not there in one record of a structure is there in none.
            let spot = |column: u16| spots.iter().find(|(c, _)| *c == column).map(|(_, spot)| *spot);
            texts.extend(asked.texts.iter().filter_map(|(c, raw)| Some((spot(*c)?, raw.clone()))));
            filled.extend(asked.filled.iter().filter_map(|(c, filled)| Some((spot(*c)?, *filled))));
        }
        let rows = Rows::new(slots, lanes, routes);
        Some(Sign { texts, filled, fills: slots.spots(&columns)?, rows })
    }
}

/// Calls `add` with each column that is read behind the fields of the events, which are not left out for
/// any; whether that is all that is.
fn behind(route: &Route, add: &mut dyn FnMut(u16)) -> bool {
    let Route::Lanes(lanes) = route else { return false };
    let Some(lane) = lanes.first().filter(|lane| lane.each.is_none()) else { return false };
    let core = lane.standard.as_ref().and_then(|standard| standard.core.as_ref());
    core.is_none_or(|core| core.columns(add))
}

impl Rows {
    fn new(slots: &Slots, lanes: &[Left], routes: &[Route]) -> Option<Rows> {
        let flats: Vec<&Flat> = lanes.iter().map(|left| left.flat.as_deref()).collect::<Option<_>>()?;
        let mut copied: Vec<u16> = flats.iter().flat_map(|flat| &flat.pieces).map(|p| p.column).collect();
        copied.sort_unstable();
        copied.dedup();
        let spots = slots.spots(&copied)?;
        let step = |column: u16| match spots.iter().find(|(c, _)| *c == column) {
            Some((_, Spot::Value(step))) => u16::try_from(*step).ok().filter(|step| *step != NO_STEP),
            _ => None,
        };
        let (mut plain, mut steps, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |column| columns.push(column);
        for flat in &flats {
            for (_, copies) in &flat.plain {
                plain.push(Plain { step: step(copies.column)?, copies: *copies });
            }
            let of_piece = |piece: &Piece| step(piece.column).unwrap_or(NO_STEP);
            steps.push(flat.pieces.iter().map(of_piece).collect());
            if !flat.fields.iter().all(|field| field.columns(&mut add)) {
                return None;
            }
        }
        if !routes.iter().all(|route| behind(route, &mut add)) {
            return None;
        }
        columns.sort_unstable();
        columns.dedup();
        let fills = Spots::new(&slots.spots(&columns)?);
        Some(Rows { plain: plain.into(), fills, steps: Some(steps.into()) })
    }
}

impl Quick {
    #[inline(always)]
    fn fits(&self, slots: &Slots, text: &[u8]) -> bool {
        let mut raw = &*self.raw;
        let same = self.texts.iter().all(|&(spot, len)| {
            let (expected, rest) = raw.split_at(len as usize);
            raw = rest;
            slots.at(spot).raw(text) == expected
        });
        same && self.filled.iter().all(|(spot, filled)| is_filled(slots.at(*spot)) == *filled)
    }
}

impl Twins {
    /// Tells records of a structure by a sign from now on.
    pub(super) fn tell(
        &mut self,
        of: Structure,
        sign: Sign,
        (head, body): (Head, usize),
        lanes: &Arc<[Left]>,
    ) {
        let at = of as usize;
        if at >= self.quick_of.len() {
            self.quick_of.resize(at + 1, 0);
        }
        let raw: Vec<u8> = sign.texts.iter().flat_map(|(_, raw)| raw.iter().copied()).collect();
        self.quick.push(Quick {
            next: self.quick_of[at],
            body: body as u32,
            head,
            texts: sign.texts.iter().map(|(spot, raw)| (*spot, raw.len() as u32)).collect(),
            raw: raw.into(),
            filled: sign.filled.into(),
            fills: Spots::new(&sign.fills),
            rows: sign.rows,
            lanes: Some(lanes.clone()),
            records: 0,
            targets: vec![Tally::default(); lanes.len()].into(),
        });
        self.quick_of[at] = self.quick.len() as u32;
    }

    /// Counts an event for all that its like were counted for.
    #[inline]
    pub(super) fn tally(&mut self, quick: usize, target: usize, verdict: &Verdict) {
        let tally = &mut self.quick[quick].targets[target];
        tally.taken += 1;
        tally.events += verdict.events;
        tally.generic += verdict.generic;
        tally.flattened += verdict.flattened;
    }

    /// Hands on what was counted since.
    pub(super) fn settle_quick(&mut self, counts: &mut Counts) {
        for quick in &mut self.quick {
            let of_type = &mut counts.sources[quick.head.source][quick.head.kind];
            of_type.records += std::mem::take(&mut quick.records);
            let body = &mut self.bodies.all[quick.body as usize].1;
            for (target, tally) in quick.targets.iter_mut().enumerate() {
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
    /// What is known of a record of which nothing is filled in yet; what it needs is then.
    pub(super) fn quick(&mut self, facts: &Facts) -> Option<(Head, Told)> {
        let text = self.text;
        let Scratch { slots, twins, late, .. } = &mut *self.scratch;
        if self.watch.is_some() || self.trial || *late || !facts.is_empty() {
            return None;
        }
        let mut at = *twins.quick_of.get(slots.structure()? as usize)?;
        loop {
            let number = at.checked_sub(1)? as usize;
            let found = &mut twins.quick[number];
            if found.fits(slots, text) {
                let (body, lanes) = (found.body as usize, found.lanes.take()?);
                let is_plain = |plain: &Plain| plain.copies.take(slots.value(plain.step));
                let steps = match &mut found.rows {
                    Some(rows) if rows.plain.iter().all(is_plain) => {
                        slots.fill_some(&rows.fills);
                        rows.steps.take()
                    }
                    _ => {
                        slots.fill_some(&found.fills);
                        None
                    }
                };
                self.open = Some(found.head.way);
                return Some((found.head, Told { quick: number, like: Like { body, lanes, counts_leaves: true }, steps }));
            }
            at = found.next;
        }
    }

    /// The record at hand is done, which was told.
    pub(super) fn give_back(&mut self, told: Told) {
        let Told { quick, like, steps } = told;
        let quick = &mut self.scratch.twins.quick[quick];
        quick.lanes = Some(like.lanes);
        if let Some(rows) = quick.rows.as_mut().filter(|_| steps.is_some()) {
            rows.steps = steps;
        }
    }

    /// Counts a record that is like others; its number within the batch. Its type was met before.
    pub(super) fn count_like(&mut self, quick: usize) -> u64 {
        let Scratch { counts, of, twins, .. } = &mut *self.scratch;
        let found = &mut twins.quick[quick];
        counts.records += 1;
        *of = (found.head.source, found.head.kind);
        found.records += 1;
        self.out.records += 1;
        self.out.records - 1
    }
}
