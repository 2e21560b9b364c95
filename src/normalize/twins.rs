//! Records of a structure that was met before, and which share the few texts that decide what they are:
//! what was found out about the first of them holds for all. Owns what each worker remembers of them;
//! decides nothing about a record, and what it remembers never changes what is written or counted.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::elements::Elements;
use super::flat::Flat;
use super::leaves::LeafCount;
use super::partial::{Asked, Asking, Fields, Met, Partial};
use super::payload::Way;
use super::pen::Pen;
use super::quick::{Quicks, Teller};
use super::read::Facts;
use super::row::Row;
use super::{Scratch, Work, may_be};
use crate::json::{self, Structure, View};
use crate::metrics::Counts;
use crate::plan::{Lane, Object, Route};

/// Structures that are remembered, of records and of payloads.
const MOST: usize = 1 << 11;
/// Records of one structure that are told apart by their texts.
const MOST_TEXTS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Twins {
    heads: Kin<Head>,
    pub(super) quicks: Quicks,
    pub(super) elements: Elements,
    pub(super) bodies: Kin<Body>,
    fields: Fields,
    /// All different rows.
    flats: Flats,
    met: Met,
    /// By structure: what is never met again is not worth remembering.
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    Never,
    Once,
    /// Nothing of it can be remembered.
    Hopeless,
}

/// Things by structure and texts.
#[derive(Debug)]
pub(super) struct Kin<T> {
    by: HashMap<Structure, Vec<u32>, FixedState>,
    pub(super) all: Vec<(Asked, T)>,
}

impl<T> Default for Kin<T> {
    fn default() -> Kin<T> {
        Kin { by: HashMap::default(), all: Vec::new() }
    }
}

impl<T> Kin<T> {
    #[inline(always)]
    fn find(&self, structure: Structure, view: &View, fits: impl Fn(&T) -> bool) -> Option<usize> {
        let same = |id: &&u32| {
            let (asked, what) = &self.all[**id as usize];
            fits(what) && asked.same(view.text, |column| view.root(column))
        };
        self.by.get(&structure)?.iter().find(same).map(|id| *id as usize)
    }

    fn add(&mut self, structure: Structure, asked: Asked, what: T) -> usize {
        self.by.entry(structure).or_default().push(self.all.len() as u32);
        self.all.push((asked, what));
        self.all.len() - 1
    }

    /// How many of one structure are told apart; as many as can be, where there is no more room.
    fn of(&self, structure: Structure) -> usize {
        let same = self.by.get(&structure).map_or(0, Vec::len);
        if self.all.len() < MOST { same } else { usize::MAX }
    }
}

/// What is known before the payload is walked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Head {
    pub(super) source: usize,
    /// The number of the record's type.
    pub(super) kind: usize,
    pub(super) way: Option<Way>,
}

/// What is known when all is walked.
#[derive(Debug)]
pub(super) struct Body {
    head: usize,
    /// By target: what is left of its first lane.
    lanes: Arc<[Left]>,
    /// By target, where they are the same for all: what is counted when the first lane takes a record.
    leaves: Option<Vec<Vec<LeafCount>>>,
    /// By target: records that the first lane took and whose leaves are not counted yet.
    pub(super) taken: Vec<u64>,
    /// By target: events whose fields were written as one row and are not counted yet.
    pub(super) filled: Vec<u64>,
    /// Some records that have it are told.
    is_told: bool,
}

/// What is left of a lane for records of one structure.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) object: Object,
    pub(super) flat: Option<Arc<Flat>>,
}

/// The same for the record at hand.
#[derive(Clone, Copy)]
pub(super) struct Rest<'l> {
    pub(super) object: &'l Object,
    pub(super) row: Option<Row<'l>>,
    /// The number of the fields that elements fill, of which some are written without rows.
    pub(super) lists: Option<u32>,
}

impl Left {
    pub(super) fn rest(&self) -> Rest<'_> {
        let row = self.flat.as_deref().map(|flat| Row { flat, steps: None, instants: &[] });
        Rest { object: &self.object, row, lists: None }
    }
}

/// A structure that is about to be remembered.
#[derive(Debug)]
pub(super) struct Draft {
    asked: Asked,
    structure: Structure,
}

/// What a record has in common with others.
#[derive(Clone, Debug)]
pub(super) struct Like {
    pub(super) body: usize,
    pub(super) lanes: Arc<[Left]>,
    pub(super) counts_leaves: bool,
    /// Its like are told, where their elements are known.
    pub(super) is_told: bool,
}

impl Twins {
    /// A record's leaves will be counted with those of its like, and of its elements.
    pub(super) fn took(&mut self, like: &Like, target: usize) {
        self.bodies.all[like.body].1.taken[target] += 1;
        self.elements.took(target);
    }

    /// The fields of some events will be counted with those of its like.
    pub(super) fn filled(&mut self, like: &Like, target: usize, events: u64) {
        self.bodies.all[like.body].1.filled[target] += events;
    }

    /// Counts the leaves of all records that were taken since, and the fields of their events.
    pub(super) fn settle(&mut self, counts: &mut Counts) {
        self.settle_quick(counts);
        self.elements.settle(counts);
        for (_, body) in &mut self.bodies.all {
            let source = self.heads.all[body.head].1.source;
            for (target, left) in body.lanes.iter().enumerate() {
                let events = std::mem::take(&mut body.filled[target]);
                let Some(counts) = counts.lanes[source][target].first_mut() else { continue };
                if let Some(flat) = left.flat.as_ref().filter(|_| events > 0) {
                    flat.count(None, events, counts);
                }
            }
            for (target, leaves) in body.leaves.iter().flatten().enumerate() {
                let records = std::mem::take(&mut body.taken[target]);
                let Some(counts) = counts.lanes[source][target].first_mut() else { continue };
                for leaf in leaves.iter().filter(|_| records > 0) {
                    leaf.add(records, counts);
                }
            }
        }
    }

    fn seen(&mut self, structure: Structure) -> &mut Seen {
        let at = structure as usize;
        if at >= self.seen.len() {
            self.seen.resize(at + 1, Seen::Never);
        }
        &mut self.seen[at]
    }

    /// Whether the structure was met before, and is worth remembering.
    fn again(&mut self, structure: Structure) -> bool {
        let seen = self.seen(structure);
        let again = *seen == Seen::Once;
        if *seen == Seen::Never {
            *seen = Seen::Once;
        }
        again
    }
}

impl<'a> Work<'a> {
    /// What is known of the record at hand before its payload is walked.
    pub(super) fn head(&self, facts: &Facts) -> Option<(usize, Head)> {
        if self.watch.is_some() || self.trial || !facts.is_empty() {
            return None;
        }
        let Scratch { slots, twins, .. } = &*self.scratch;
        let at = twins.heads.find(slots.structure()?, &View { text: self.text, slots }, |_| true)?;
        Some((at, twins.heads.all[at].1))
    }

    /// The structure of a record that was just recognised, if it is met again and worth remembering.
    pub(super) fn draft(&mut self, source: usize, facts: &Facts) -> Option<Draft> {
        let plan = self.plan;
        if self.watch.is_some() || self.trial || !facts.is_empty() || plan.tell_ambiguous {
            return None;
        }
        let known = plan.sources.get(source)?;
        let simple = |route: &Route| match route {
            Route::Nowhere => false,
            Route::Lanes(lanes) => lanes.first().is_some_and(is_simple),
        };
        if known.dropped || !plan.lanes[source].iter().all(simple) {
            return None;
        }
        let Scratch { slots, twins, standing, .. } = &mut *self.scratch;
        let structure = slots.structure()?;
        if twins.heads.of(structure) >= MOST_TEXTS || !twins.again(structure) {
            return None;
        }
        let view = View { text: self.text, slots };
        let mut asking = Asking { asked: Asked::default(), known: None };
        let named = [known.kind, known.payload.as_ref().map(|payload| payload.key)];
        for slot in named.into_iter().flatten() {
            if slot.scope != 0 {
                return None;
            }
            asking.asked.text(slot.column, view.root(slot.column).raw(self.text));
        }
        let mut pen = Pen::new(&plan.want, view, facts, standing);
        for rule in plan.rules.iter().filter(|rule| view.all(&rule.needs)) {
            for (column, _) in &rule.exact {
                asking.asked.text(*column, view.root(*column).raw(self.text));
            }
            let mut holds = rule.exact.iter().all(|exact| may_be(&view, exact));
            for (check, wanted) in &rule.tests {
                holds = holds && pen.settle(check, &mut asking)? == *wanted;
            }
            if holds {
                let fits = rule.source == source && !asking.asked.is_long();
                return fits.then_some(Draft { asked: asking.asked, structure });
            }
        }
        None
    }

    pub(super) fn keep_head(&mut self, draft: Draft, head: Head) -> usize {
        self.scratch.twins.heads.add(draft.structure, draft.asked, head)
    }

    /// What becomes of the record cannot be remembered, nor will it be of its like.
    pub(super) fn give_up(&mut self, draft: Draft) {
        *self.scratch.twins.seen(draft.structure) = Seen::Hopeless;
    }

    /// What is known of the record at hand when all of it is walked.
    pub(super) fn like(&self, head: usize) -> Option<Like> {
        let Scratch { slots, twins, late, .. } = &*self.scratch;
        let view = View { text: self.text, slots };
        let body = twins.bodies.find(slots.structure()?, &view, |body| body.head == head)?;
        let found = &twins.bodies.all[body].1;
        let counts_leaves = found.leaves.is_some() && !late && !slots.has_elements();
        Some(Like { body, lanes: found.lanes.clone(), counts_leaves, is_told: found.is_told })
    }

    /// Remembers what became of the record at hand, whose first lanes took it; whether its like are told from
    /// now on.
    pub(super) fn keep_body(&mut self, head: usize, leaves: Option<Vec<Vec<LeafCount>>>) -> bool {
        let plan = self.plan;
        let source = self.scratch.twins.heads.all[head].1.source;
        let Scratch { slots, twins, standing, .. } = &mut *self.scratch;
        let Some(structure) = slots.structure() else { return false };
        let others = twins.bodies.of(structure);
        if others >= MOST_TEXTS {
            return false;
        }
        let view = View { text: self.text, slots };
        let mut lanes = Vec::new();
        let mut met = std::mem::take(&mut twins.met);
        let asking = Asking { asked: Asked::default(), known: Some((&twins.heads.all[head].0, &mut met)) };
        let mut partial = Partial::new(asking, &mut twins.fields);
        for route in &plan.lanes[source] {
            let Route::Lanes(all) = route else { continue };
            let facts = Facts::default();
            let mut pen = Pen::new(&plan.want, view, &facts, standing);
            pen.deeds = plan.sources[source].deeds.as_ref();
            let object = pen.partial(&all[0].root, &mut partial);
            let flat = pen.flat(&object).map(|flat| share(&mut twins.flats, flat));
            lanes.push(Left { object, flat });
        }
        let asked = partial.asking.asked;
        twins.met = met;
        let lanes: Arc<[Left]> = lanes.into();
        let (asked_before, head_of) = (&twins.heads.all[head].0, twins.heads.all[head].1);
        let mut is_told = false;
        if (leaves.is_some() || !json::COUNTED)
            && slots.structure_tells_all()
            && let Some(whole) = slots.whole_structure()
            && let Some(teller) = Teller::new(
                &plan.want,
                slots,
                &mut twins.elements,
                [asked_before, &asked],
                &lanes,
                &plan.lanes[source],
            )
        {
            let (before, body) = (slots.note_of(whole), twins.bodies.all.len());
            let told = twins.quicks.tell(before, teller, (head_of, body), &lanes);
            slots.take_note(whole, told);
            is_told = true;
        }
        let taken = vec![0; lanes.len()];
        let filled = taken.clone();
        twins.bodies.add(structure, asked, Body { head, lanes, leaves, taken, filled, is_told });
        is_told
    }
}

/// Rows by their hash.
type Flats = HashMap<u64, Vec<Arc<Flat>>, FixedState>;

/// The one row that is the same.
fn share(flats: &mut Flats, flat: Flat) -> Arc<Flat> {
    let alike = flats.entry(FixedState::default().hash_one(&flat)).or_default();
    if let Some(same) = alike.iter().find(|other| ***other == flat) {
        return same.clone();
    }
    alike.push(Arc::new(flat));
    alike[alike.len() - 1].clone()
}

/// All that a lane writes is in the record's cells.
fn is_simple(lane: &Lane) -> bool {
    let content_ids = lane.standard.as_ref().is_some_and(|s| s.content_ids);
    lane.embedded.is_none() && lane.text.is_none() && !lane.discovers && !content_ids
}
