//! Records that are told to be like others by what was read of them, before anything is filled in: only
//! what their mappings read is. Owns how they are told and what is counted of them; what is like what is
//! for `twins` to say.

use std::sync::Arc;

use super::partial::{Asked, is_filled};
use super::read::Facts;
use super::record::Verdict;
use super::twins::{Head, Left, Like, Twins};
use super::{Scratch, Work};
use crate::json::{Slots, Spot, Spots, Structure};
use crate::metrics::Counts;
use crate::plan::{Lane, Route};

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

/// Where the mappings read what, and what is asked before.
pub(super) struct Sign {
    texts: Vec<(Spot, Box<[u8]>)>,
    filled: Vec<(Spot, bool)>,
    fills: Vec<(u16, Spot)>,
}

impl Sign {
    /// Of the record at hand, whose structure tells all; `None` where more is needed than columns of the
    /// record's own scope.
    pub(super) fn new(slots: &Slots, asked: [&Asked; 2], lanes: &[Left], routes: &[Route]) -> Option<Sign> {
        let mut columns = Vec::new();
        let mut add = |column| columns.push(column);
        // What is written behind the fields is not left out for any.
        let behind = |lane: &Lane, add: &mut dyn FnMut(u16)| {
            let core = lane.standard.as_ref().and_then(|standard| standard.core.as_ref());
            lane.each.is_none() && core.is_none_or(|core| core.columns(add))
        };
        let mut of_route = |route: &Route| match route {
            Route::Lanes(lanes) => lanes.first().is_some_and(|lane| behind(lane, &mut add)),
            Route::Nowhere => false,
        };
        if !routes.iter().all(&mut of_route) || !lanes.iter().all(|left| left.object.columns(&mut add)) {
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
        Some(Sign { texts, filled, fills: slots.spots(&columns)? })
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
    pub(super) fn quick(&mut self, facts: &Facts) -> Option<(Head, Like)> {
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
                slots.fill_some(&found.fills);
                self.open = Some(found.head.way);
                let (body, lanes) = (found.body as usize, found.lanes.take()?);
                return Some((found.head, Like { body, quick: Some(number), lanes, counts_leaves: true }));
            }
            at = found.next;
        }
    }

    /// The record at hand is done, which was told.
    pub(super) fn give_back(&mut self, quick: usize, like: Like) {
        self.scratch.twins.quick[quick].lanes = Some(like.lanes);
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
