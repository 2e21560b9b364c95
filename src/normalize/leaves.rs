//! Which leaves a record held, for the counts of the lanes it took.

use std::ops::Range;

use super::payload::{Steps, Way};
use super::{PayloadView, Route, Scratch, Work};
use crate::json::{Checked, Hit, Slots};
use crate::metrics::{LaneCounts, Leaves, Place, Sight, type_at, type_of};

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
        Leaf { path: hit.node, at: hit.at, ty: type_at(text, hit.at as usize), seen }
    }

    /// An object or a list into which no path leads.
    fn is_composite(&self) -> bool {
        self.ty >= 3
    }
}

impl Work<'_> {
    /// Every leaf of the record under its path; names of undeclared members only where the source
    /// bears no content (`shown`). Whether they are those of every record of the same structure. Where
    /// not each is asked for (`one_by_one`), those of known parts stay together.
    pub(super) fn collect_leaves(
        &mut self,
        way: Option<(Way, Steps)>,
        shown: bool,
        one_by_one: bool,
    ) -> bool {
        let text = self.text;
        match way {
            Some((way, steps)) => self.sort_leaves(&way, steps),
            None => {
                let Scratch { slots, hits, .. } = &mut *self.scratch;
                if one_by_one {
                    slots.unbundle();
                }
                hits.clear();
                hits.extend(slots.hits.drain(..).map(|hit| Leaf::new(text, hit, Seen::Always)));
            }
        }
        let Scratch { index, slots, hits, counts, .. } = &mut *self.scratch;
        let alike = slots.structure_tells_all();
        if !shown {
            return alike;
        }
        let learned = &mut counts.learned;
        learned.pass_by(self.nested);
        let read = &mut Checked::new(text, index.marks());
        let leaf = |path: u32, at: usize, ty: u8, seen: Seen| Leaf { path, at: at as u32, ty, seen };
        if hits.iter().any(Leaf::is_composite) {
            let open: Vec<Leaf> = hits.extract_if(.., |leaf| leaf.is_composite()).collect();
            for Leaf { path, at, seen, .. } in open {
                learned.inside(path, text, read, at as usize, &mut |path, at, ty| {
                    hits.push(leaf(path, at, ty, seen));
                });
            }
        }
        let want = &self.plan.want;
        let root = way.map(|(way, _)| want.ranks(way.root));
        let field = way.and_then(|(way, _)| way.field).map(|field| want.ranks(field));
        for rest in &slots.rest {
            let within = |ranks: &Option<Range<u32>>| {
                ranks.as_ref().is_some_and(|ranks| ranks.contains(&want.rank(rest.node)))
            };
            let seen = match () {
                _ if within(&root) => Seen::PayloadRoot,
                _ if within(&field) => Seen::NamedField,
                _ => Seen::Always,
            };
            learned.learn(rest, text, read, &mut |path, at, ty| hits.push(leaf(path, at, ty, seen)));
        }
        alike && counts.learned.overflow() == 0
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
        let lane = lane.unwrap_or(0);
        let view = lanes[lane].payload_view;
        let (text, nested, lines) = (self.text, self.nested, &mut self.lines);
        let Scratch { index, hits, slots, counts, late, .. } = &mut *self.scratch;
        let read = Checked::new(text, index.marks());
        let counts = &mut counts.lanes[source][target][lane];
        let mut place = || lines.place(record);
        let sight = &mut Sight { late: *late, place: &mut place };
        each_leaf((read, hits, slots, nested), view, named, shown, |_, leaf| leaf.see(counts, sight));
        for &(bundle, _) in &slots.bundles {
            if !counts.bundles.again(bundle) || sight.late {
                for (node, kind) in slots.bundle(bundle) {
                    counts.leaves.see(node, type_of(kind) as usize, 1, sight);
                }
            } else {
                counts.bundles.add(bundle);
            }
        }
    }

    /// What is counted for the first lane of each target whenever a record like the one at hand is taken, of
    /// what begins where `keeps` says.
    pub(super) fn leaves_of_like(
        &self,
        source: usize,
        named: bool,
        shown: bool,
        keeps: &dyn Fn(u32) -> bool,
    ) -> Vec<Vec<LeafCount>> {
        let Scratch { index, hits, slots, .. } = &*self.scratch;
        let read = Checked::new(self.text, index.marks());
        let of_route = |route: &Route| {
            let Route::Lanes(lanes) = route else { return Vec::new() };
            let mut leaves = Vec::new();
            let view = lanes[0].payload_view;
            let mut add = |at: u32, leaf| leaves.extend(keeps(at).then_some(leaf));
            each_leaf((read, hits, slots, None), view, named, shown, &mut add);
            leaves
        };
        self.plan.lanes[source].iter().map(of_route).collect()
    }

    /// Notes where a record type was met first.
    pub(super) fn note_type(&mut self, record: usize) {
        let place = self.lines.place(record);
        let (source, kind) = self.scratch.of;
        let first = &mut self.scratch.counts.sources[source][kind].first;
        *first = Some(first.map_or(place, |first: Place| first.min(place)));
    }
}

/// Calls `f` with what is counted for the leaves of a record in one view of its payload, and where it begins.
fn each_leaf(
    (mut read, hits, slots, nested): (Checked, &[Leaf], &Slots, Option<usize>),
    view: PayloadView,
    named: bool,
    shown: bool,
    mut f: impl FnMut(u32, LeafCount),
) {
    let mut leaves = |at: u32| read.leaves(at as usize).0;
    for leaf in hits.iter().filter(|leaf| leaf.seen.by(view, named)) {
        let undeclared = leaf.is_composite() && !shown;
        let n = if undeclared { leaves(leaf.at) } else { 1 };
        f(leaf.at, LeafCount { undeclared, path: leaf.path, ty: leaf.ty, n });
    }
    for rest in slots.rest.iter().filter(|_| !shown) {
        let inside = |at: &usize| (rest.value.start..rest.value.end).contains(&(*at as u32));
        let payload = nested.filter(inside).map_or(0, |at| leaves(at as u32));
        let n = match rest.value.kind {
            kind if kind.is_composite() => leaves(rest.value.start) - payload,
            kind => kind.is_leaf() as u64,
        };
        if n > 0 {
            let ty = type_of(rest.value.kind);
            f(rest.value.start, LeafCount { undeclared: true, path: rest.node, ty, n });
        }
    }
}

/// Some leaves of one path and type.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafCount {
    /// Its name is that of the nearest declared node.
    undeclared: bool,
    path: u32,
    ty: u8,
    n: u64,
}

impl LeafCount {
    fn of<'c>(&self, counts: &'c mut LaneCounts) -> &'c mut Leaves {
        if self.undeclared { &mut counts.undeclared } else { &mut counts.leaves }
    }

    fn see(&self, counts: &mut LaneCounts, sight: &mut Sight) {
        self.of(counts).see(self.path, self.ty as usize, self.n, sight);
    }

    /// Counts them once more for each of some records, none of which is the first with them.
    pub(super) fn add(&self, records: u64, counts: &mut LaneCounts) {
        self.of(counts).add(self.path, self.ty as usize, self.n * records);
    }
}
