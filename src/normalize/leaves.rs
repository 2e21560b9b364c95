//! Which leaves a record held, for the counts of the lanes it took.

use super::{NodeId, PayloadView, Route, Scratch, SourcePlan, Work};
use crate::json::{self, Hit};
use crate::metrics::{Place, Sight, type_at};

/// A leaf of the record at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    path: u32,
    at: u32,
    ty: u8,
    seen: Seen,
}

/// Which view of the payload a leaf belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    Always,
    /// A payload under a field of its own name, as the record spells it.
    TakenField,
    PayloadRoot,
    /// A payload walked a second time under the field of its folded name.
    NamedField,
}

impl Seen {
    fn by(self, view: PayloadView, named: bool) -> bool {
        match self {
            Seen::Always => true,
            Seen::PayloadRoot => view == PayloadView::Root || !named,
            Seen::TakenField | Seen::NamedField => view == PayloadView::Named,
        }
    }
}

impl Leaf {
    pub(super) fn new(text: &[u8], hit: Hit, seen: Seen) -> Leaf {
        Leaf { path: hit.node, at: hit.at, ty: type_at(text, hit.at as usize) as u8, seen }
    }

    /// An object or a list into which no path leads.
    fn is_composite(&self) -> bool {
        self.ty >= 3
    }
}

impl Work<'_> {
    /// Every leaf of the record under its path; names of undeclared members only where the source
    /// bears no content.
    pub(super) fn collect_leaves(&mut self, source: Option<&SourcePlan>, named: Option<NodeId>, shown: bool) {
        let text = self.text;
        let Scratch { slots, hits, counts, .. } = &mut *self.scratch;
        // A source without payload leaves its hits where the walk put them.
        if !slots.hits.is_empty() {
            hits.clear();
            hits.extend(slots.hits.drain(..).map(|hit| Leaf::new(text, hit, Seen::Always)));
        } else if source.is_none_or(|s| s.payload.is_none()) {
            hits.clear();
        }
        if !shown {
            return;
        }
        let learned = &mut counts.learned;
        learned.pass_by(self.nested);
        let mut learn = |hits: &mut Vec<Leaf>, at: usize, seen: Seen, parent: u32, key: Option<&[u8]>| {
            let mut push = |path: u32, at: usize| {
                hits.push(Leaf::new(text, Hit { node: path, at: at as u32 }, seen));
            };
            match key {
                Some(key) => {
                    learned.learn(parent, key, text, at, &mut push);
                }
                None => learned.inside(parent, text, at, &mut push),
            }
        };
        if hits.iter().any(Leaf::is_composite) {
            let open: Vec<Leaf> = hits.extract_if(.., |leaf| leaf.is_composite()).collect();
            for leaf in open {
                learn(hits, leaf.at as usize, leaf.seen, leaf.path, None);
            }
        }
        let want = &self.plan.want;
        let root = source.and_then(|s| s.payload.as_ref()).map(|p| want.ranks(p.root));
        let field = named.map(|n| want.ranks(n));
        for rest in &slots.rest {
            let rank = want.rank(rest.node);
            let seen = match () {
                _ if root.as_ref().is_some_and(|r| r.contains(&rank)) => Seen::PayloadRoot,
                _ if field.as_ref().is_some_and(|r| r.contains(&rank)) => Seen::NamedField,
                _ => Seen::Always,
            };
            let key = &text[rest.key.0 as usize..rest.key.1 as usize];
            learn(hits, rest.value.start as usize, seen, rest.node, Some(key));
        }
    }

    /// Counts the record's leaves for the lane it took (the first, where none took it). `record`
    /// is where it begins.
    pub(super) fn count_leaves(
        &mut self,
        (source, target, lane): (usize, usize, Option<usize>),
        named: bool,
        shown: bool,
        record: usize,
    ) {
        let Route::Lanes(lanes) = &self.plan.lanes[source][target] else {
            return;
        };
        let index = lane.unwrap_or(0);
        let view = lanes[index].payload_view;
        let (text, nested, lines) = (self.text, self.nested, &mut self.lines);
        let Scratch { hits, slots, counts, late, .. } = &mut *self.scratch;
        let counts = &mut counts.lanes[source][target][index];
        let mut place = || lines.place(record);
        let sight = &mut Sight { late: *late, place: &mut place };
        let leaves = |at: u32| json::leaf_count(text, at as usize).0;
        for leaf in hits.iter().filter(|leaf| leaf.seen.by(view, named)) {
            if leaf.is_composite() && !shown {
                counts.undeclared.see(leaf.path, leaf.ty as usize, leaves(leaf.at), sight);
            } else {
                counts.leaves.see(leaf.path, leaf.ty as usize, 1, sight);
            }
        }
        for rest in slots.rest.iter().filter(|_| !shown) {
            let inside = |at: &usize| (rest.value.start..rest.value.end).contains(&(*at as u32));
            let payload = nested.filter(inside).map_or(0, |at| leaves(at as u32));
            let n = leaves(rest.value.start) - payload;
            if n > 0 {
                let ty = type_at(text, rest.value.start as usize);
                counts.undeclared.see(rest.node, ty, n, sight);
            }
        }
    }

    /// Notes where a record type was met first.
    pub(super) fn note_type(&mut self, record: usize) {
        let place = self.lines.place(record);
        let (source, kind) = self.scratch.of;
        let first = &mut self.scratch.counts.sources[source][kind].first;
        *first = Some(first.map_or(place, |first: Place| first.min(place)));
    }
}
