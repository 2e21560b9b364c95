//! One record that was walked: which source it is of, which lane of each target takes it, what is
//! counted of it, and how it is refused. Knows no text but its own.

use std::ops::Range;

use super::dead::{self, Dead};
use super::lists::Lists;
use super::payload::{Steps, Way};
use super::pen::{Pen, Refusal};
use super::read::Facts;
use super::twins::{Head, Like, Rest, Twins};
use super::{RowId, Scratch, Work};
use crate::json::{self, View};
use crate::metrics::{Outcomes, Reason};
use crate::plan::{Content, Lane, Route, SourcePlan};

/// What is known of a record whatever its target.
struct Of {
    source: usize,
    recognised: bool,
    /// Its values may be shown.
    shown: bool,
    /// Its number within the batch.
    number: u64,
    range: Range<usize>,
    way: Option<(Way, Steps)>,
    /// Its leaves were collected, and whether they are those of all its like.
    collected: Option<bool>,
}

impl Work<'_> {
    /// One walked record: every target's lanes write it or refuse it.
    pub(super) fn record(&mut self, range: Range<usize>, facts: &Facts) {
        let plan = self.plan;
        let head = self.head(facts);
        let (source, recognised) = match head {
            Some((_, head)) => (head.source, true),
            None => match self.source_of(range.clone(), facts) {
                Some(found) => found,
                None => return,
            },
        };
        let known = plan.sources.get(source);
        let draft = if head.is_none() && recognised { self.draft(source, facts) } else { None };
        self.nested = None;
        let way = match head {
            Some((_, head)) => head.way,
            None => known.and_then(|s| self.way(s)),
        };
        let way = way.map(|way| (way, self.go(&way)));
        let field = way.and_then(|(way, _)| way.field);
        self.payload_field = field.zip(way.map(|(way, _)| way.root));
        // What no source recognised may be anything: nothing of it is shown but in full mode.
        let shown = plan.content == Content::Full || (recognised && known.is_some_and(|s| !s.bears_content));
        let kind = match head {
            Some((_, head)) => head.kind,
            None => self.kind_of(source, known),
        };
        let number = self.count_record(source, kind, range.start);
        let like = head.and_then(|(at, _)| self.like(at));
        // What is known of a record holds whatever its elements are, if those are known too.
        let keeps_elements = like.as_ref().is_some_and(|like| like.is_told)
            && self.scratch.twins.elements.wants(source, &self.scratch.slots);
        let keeps_all = like.is_none() && (head.is_some() || draft.is_some());
        // The leaves of what is like an earlier record are counted with those of its like.
        let mut collected = None;
        if json::COUNTED && !like.as_ref().is_some_and(|like| like.counts_leaves) {
            collected = Some(self.collect_leaves(way, shown, keeps_elements || keeps_all));
        }
        if known.is_some_and(|s| s.dropped) {
            return self.outcome(|o| o.dropped += 1);
        }
        let mut of = Of { source, recognised, shown, number, range, way, collected };
        let mut taken = true;
        for target in 0..plan.targets.len() {
            let rest = like.as_ref().map(|like| like.lanes[target].rest());
            let verdict = self.verdict(&of, target, facts, rest);
            taken &= matches!(verdict, Ok(Verdict { lane: 0, .. }));
            self.settle(&mut of, like.as_ref(), target, verdict);
        }
        let (way, collected) = (of.way, of.collected);
        // Of a payload with elements it is not known what other walks of it find.
        let fixed = taken
            && match way {
                Some((way, _)) => way.is_fixed() && !self.scratch.slots.has_elements(),
                None => true,
            };
        let alike = collected == Some(true);
        if keeps_elements && fixed && (alike || !json::COUNTED) {
            self.keep_elements(source, shown);
        }
        if keeps_all {
            let head = match (head, draft) {
                (None, Some(draft)) if !fixed => return self.give_up(draft),
                (None, Some(draft)) => {
                    let way = way.map(|(way, _)| way);
                    Some(self.keep_head(draft, Head { source, kind, way }))
                }
                (head, _) => head.map(|(at, _)| at).filter(|_| fixed),
            };
            let own = self.own_elements();
            if let (Some(head), Some(own)) = (head, own) {
                // They stand in order, and a long record has thousands.
                let first = |at: u32| own.get(own.partition_point(|element| element.end <= at));
                let keeps = |at: u32| !first(at).is_some_and(|element| element.contains(&at));
                let leaves = alike.then(|| self.leaves_of_like(source, field.is_some(), shown, &keeps));
                if self.keep_body(head, leaves) {
                    self.keep_elements(source, shown);
                }
            }
        }
    }

    /// A record that is like others, of which only what those need is filled in; whether it is.
    #[inline(always)]
    pub(super) fn told(&mut self, range: Range<usize>, facts: &Facts) -> bool {
        let plan = self.plan;
        let Some((number, &Head { source, kind, way })) = self.quick(facts) else { return false };
        if self.straight(number, source) {
            return true;
        }
        let Some(told) = self.lend(number) else { return false };
        self.open = Some(way);
        self.nested = None;
        self.payload_field = way.and_then(|way| Some((way.field?, way.root)));
        let shown = plan.content == Content::Full || !plan.sources[source].bears_content;
        let number = self.count_like((source, kind));
        if let (Some(lists), true) = (told.lists, told.is_new) {
            self.learn_lists(source, lists);
        }
        let (mut usual, mut of) = (0, None);
        for target in 0..plan.targets.len() {
            let left = &told.lanes[target];
            let rest = match &told.rows {
                Some(rows) => Rest {
                    object: &left.object,
                    row: Some(rows[target].row(&told.instants)),
                    lists: told.lists,
                },
                None => Rest { lists: told.lists, ..left.rest() },
            };
            let wrote = match &plan.lanes[source][target] {
                Route::Lanes(lanes) => {
                    let lane = (target, 0, &lanes[0], Some(rest));
                    Some(self.try_lane(source, lane, number, range.clone(), facts))
                }
                Route::Nowhere => None,
            };
            match wrote {
                Some(Ok(verdict)) if verdict.events > 0 => {
                    usual |= told.count(&mut self.scratch.twins, target, &verdict);
                }
                wrote => {
                    let of = of.get_or_insert_with(|| {
                        let way = way.map(|way| (way, Steps::default()));
                        let (recognised, range) = (true, range.clone());
                        Of { source, recognised, shown, number, range, way, collected: None }
                    });
                    let verdict = match wrote {
                        Some(Ok(verdict)) => Ok(verdict),
                        Some(Err(refusal)) => self.others(of, target, facts, *refusal),
                        None => self.verdict(of, target, facts, None),
                    };
                    let (body, lanes) = (told.body, told.lanes.clone());
                    let like = Like { body, lanes, counts_leaves: true, is_told: true };
                    self.settle(of, Some(&like), target, verdict);
                }
            }
        }
        self.give_back(told, usual);
        self.open = None;
        true
    }

    /// What becomes of a record that the first lane of a target has refused.
    #[cold]
    fn others(
        &mut self,
        of: &Of,
        target: usize,
        facts: &Facts,
        refusal: Refusal,
    ) -> Result<Verdict, Box<Dead>> {
        self.filled = self.fill(of.range.start).or(self.filled);
        let refused = vec![(0, refusal)];
        self.target(of, target, facts, None, refused)
    }

    /// What becomes of a record for one target.
    fn verdict(
        &mut self,
        of: &Of,
        target: usize,
        facts: &Facts,
        rest: Option<Rest>,
    ) -> Result<Verdict, Box<Dead>> {
        let plan = self.plan;
        match &plan.lanes[of.source][target] {
            Route::Nowhere => Err(Box::new(match plan.sources.get(of.source) {
                Some(s) => Dead::new(
                    Reason::NoMapping,
                    format!("source {} has no mapping to {}", s.name, plan.targets[target].name),
                ),
                None => Dead::new(Reason::Unknown, "no source recognises this record".into()),
            })),
            Route::Lanes(_) => self.target(of, target, facts, rest, Vec::new()),
        }
    }

    /// Counts what became of a record for one target, and buries what was refused.
    fn settle(
        &mut self,
        of: &mut Of,
        like: Option<&Like>,
        target: usize,
        verdict: Result<Verdict, Box<Dead>>,
    ) {
        if let Some(steps) = self.filled.take() {
            of.way = of.way.map(|(way, _)| (way, steps));
        }
        let lane = verdict.as_ref().ok().map(|v| v.lane);
        if let (Some(like), Ok(verdict)) = (like, &verdict) {
            self.scratch.twins.filled(like, target, verdict.flattened);
        }
        match like {
            _ if !json::COUNTED => {}
            Some(like) if like.counts_leaves && lane == Some(0) => self.scratch.twins.took(like, target),
            _ => {
                of.collected = of.collected.or_else(|| Some(self.collect_leaves(of.way, of.shown, false)));
                let at = self.place.unwrap_or(of.range.start);
                let named = of.way.is_some_and(|(way, _)| way.field.is_some());
                self.count_leaves((of.source, target, lane), named, of.shown, at);
            }
        }
        match verdict {
            Ok(Verdict { events: 0, .. }) => self.of_target(target, |o| o.dropped += 1),
            Ok(v) => self.written(target, &v),
            Err(dead) => {
                let reason = dead.reason;
                self.of_target(target, |o| o.dead[reason as usize] += 1);
                let dead = Dead { target: Some(target as u16), ..*dead };
                let known = self.plan.sources.get(of.source).map(|_| of.source);
                self.bury(of.range.clone(), known, of.recognised, of.number, dead);
            }
        }
    }

    /// Which source the record is one of, and whether that was recognised; `None` where this is all
    /// that becomes of it.
    fn source_of(&mut self, range: Range<usize>, facts: &Facts) -> Option<(usize, bool)> {
        let plan = self.plan;
        let found = self.recognise(facts);
        if let Some(watch) = &mut self.watch {
            self.out.records += 1;
            watch(&self.text[range], found);
            return None;
        }
        let (source, recognised) = match (plan.only_source, found) {
            (Some(only), Some(found)) if only != found => {
                let dead = Dead::new(
                    Reason::OtherSource,
                    format!("a record of source {}", plan.sources[found].name),
                );
                self.refuse_all(range, Some(found), true, dead);
                return None;
            }
            (Some(only), None) => (only, false),
            (_, Some(found)) => (found, true),
            (_, None) => (plan.sources.len(), false),
        };
        if source == plan.sources.len()
            && plan.lanes[source].iter().all(|route| matches!(route, Route::Nowhere))
        {
            // What no target can take is one dead letter, not one for each.
            let dead = Dead::new(Reason::Unknown, "no source recognises this record".into());
            self.refuse_all(range, None, false, dead);
            return None;
        }
        Some((source, recognised))
    }

    /// The number of the record's type among its source's.
    fn kind_of(&mut self, source: usize, known: Option<&SourcePlan>) -> usize {
        let Scratch { slots, kind, counts, .. } = &mut *self.scratch;
        kind.clear();
        if let Some(slot) = known.filter(|s| json::COUNTED && !s.dropped).and_then(|s| s.kind) {
            let cell = View { text: self.text, slots }.cell(slot, 0);
            if !cell.kind.is_composite() && !cell.kind.is_null() {
                json::unescape(cell.inner(self.text), kind);
            }
        }
        counts.type_of(source, kind, self.plan.targets.len())
    }

    /// Tries the lanes of one target behind those that have refused the record; the last one's refusal names
    /// all of theirs.
    fn target(
        &mut self,
        of: &Of,
        target: usize,
        facts: &Facts,
        rest: Option<Rest>,
        mut refusals: Vec<(usize, Refusal)>,
    ) -> Result<Verdict, Box<Dead>> {
        let Of { source, number, shown, ref range, .. } = *of;
        let plan = self.plan;
        let Route::Lanes(lanes) = &plan.lanes[source][target] else {
            return Err(Box::new(Dead::new(Reason::NoMapping, String::new())));
        };
        for (index, lane) in lanes.iter().enumerate().skip(refusals.len()) {
            let rest = rest.filter(|_| index == 0);
            match self.try_lane(source, (target, index, lane, rest), number, range.clone(), facts) {
                Ok(verdict) => {
                    if plan.tell_ambiguous {
                        self.also_taken(target, lanes, index, |work, other| {
                            let lane = (target, other, &lanes[other], None);
                            work.try_lane(source, lane, number, range.clone(), facts).is_ok()
                        });
                    }
                    return Ok(verdict);
                }
                Err(refusal) => {
                    // Other lanes look at more of the record, and so does whatever tells what is wrong.
                    self.filled = self.fill(range.start).or(self.filled);
                    refusals.push((index, *refusal));
                }
            }
        }
        Err(Box::new(dead::refused(lanes, &refusals, shown)))
    }

    /// One lane writes the record that was walked, or refuses it and leaves nothing.
    pub(super) fn try_lane(
        &mut self,
        source: usize,
        (target, index, lane, rest): (usize, usize, &Lane, Option<Rest>),
        record: u64,
        range: Range<usize>,
        facts: &Facts,
    ) -> Result<Verdict, Box<Refusal>> {
        let plan = self.plan;
        let payload = if lane.discovers { self.payload_key(source) } else { None };
        let mut view = View { text: self.text, slots: &self.scratch.slots };
        let mut start = range.start;
        if let Some(tree) = &lane.embedded {
            let payload = self.payload_key(source);
            let expanded = &mut self.scratch.expanded;
            expanded.fill(&plan.want, self.text, start, payload, tree, self.depth)?;
            view = View { text: &expanded.text, slots: &expanded.slots };
            start = 0;
        }
        let content_ids = lane.standard.as_ref().is_some_and(|s| s.content_ids);
        let content = content_ids.then(|| dead::sha256(&self.text[range]));
        let out = std::mem::take(&mut self.out.targets[target]);
        let (before, ids) = (out.len(), self.out.row_ids.len());
        let mut pen = Pen::new(&plan.want, view, facts, &mut self.scratch.standing);
        pen.out = out;
        pen.pseudonyms = plan.pseudonyms.as_ref();
        pen.deeds = plan.sources.get(source).and_then(|s| s.deeds.as_ref());
        pen.start = start;
        pen.payload = payload;
        pen.payload_field = self.payload_field;
        pen.counts =
            (json::COUNTED && !self.trial).then(|| &mut self.scratch.counts.lanes[source][target][index]);
        let Twins { elements, quicks, .. } = &self.scratch.twins;
        pen.lists = rest.and_then(|rest| rest.lists).map(|number| {
            let writers = quicks.writers(number);
            Lists { elements, writers, next: 0 }
        });
        let row_ids = &mut self.out.row_ids;
        let (root, row) = rest.map_or((&lane.root, None), |rest| (rest.object, rest.row));
        let written = pen.events(lane, (root, row), self.now, &mut |at, event| {
            row_ids.push(RowId { target: target as u16, at, record, event, content });
        });
        if let (Err(_), Some(row), Some(counts)) = (&written, row, &mut pen.counts) {
            row.flat.count(None, pen.flattened, counts);
        }
        let (lone, flattened) = (pen.lone, pen.flattened);
        self.out.targets[target] = std::mem::take(&mut pen.out);
        match written {
            Ok((events, generic)) => {
                self.scratch.counts.lone_surrogates += lone;
                Ok(Verdict { lane: index, events, generic, flattened })
            }
            Err(refusal) => {
                self.out.targets[target].truncate(before);
                self.out.row_ids.truncate(ids);
                Err(refusal)
            }
        }
    }

    /// Counts a record of a type; its number within the batch.
    pub(super) fn count_record(&mut self, source: usize, kind: usize, at: usize) -> u64 {
        let Scratch { counts, of, late, .. } = &mut *self.scratch;
        counts.records += 1;
        *of = (source, kind);
        let of_type = &mut counts.sources[source][kind];
        of_type.records += 1;
        if of_type.records == 1 || *late {
            self.note_type(self.place.unwrap_or(at));
        }
        self.out.records += 1;
        self.out.records - 1
    }

    /// Counts a record without a type.
    pub(super) fn count_untyped(&mut self, source: usize, at: usize) -> u64 {
        let kind = self.scratch.counts.type_of(source, "", self.plan.targets.len());
        self.count_record(source, kind, at)
    }

    /// Where the record at hand went for one target.
    pub(super) fn of_target(&mut self, target: usize, f: impl FnOnce(&mut Outcomes)) {
        let (source, kind) = self.scratch.of;
        f(&mut self.scratch.counts.sources[source][kind].targets[target]);
    }

    pub(super) fn written(&mut self, target: usize, verdict: &Verdict) {
        self.of_target(target, |o| {
            o.normalized += 1;
            o.events += verdict.events;
            o.generic += verdict.generic;
        });
    }

    pub(super) fn outcome(&mut self, mut f: impl FnMut(&mut Outcomes)) {
        for target in 0..self.plan.targets.len() {
            self.of_target(target, &mut f);
        }
    }
}

#[derive(PartialEq)]
pub(super) struct Verdict {
    pub(super) lane: usize,
    pub(super) events: u64,
    pub(super) generic: u64,
    /// Events whose fields are counted as filled with those of their like.
    pub(super) flattened: u64,
}
