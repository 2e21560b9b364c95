//! The outline of a record: its own members, and of its lists only that they have elements. Elements that
//! leave nothing but rows of their list are told one by one, so that records with few and with many of
//! them, in any order, are of one structure. Owns what an element is; what one leaves behind is for `rows`
//! to say.

use super::tree::{LOST, START, Structure};
use super::{Act, GapId, Goal, Part, Step, Trail};
use crate::json::Want;

/// An element of one of the record's lists, with all that is inside of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::json) struct Element {
    /// Its first step, whose gap may begin before it.
    pub(super) first: u32,
    /// What it is, and the gap behind it.
    pub(super) place: Structure,
    /// It leaves nothing but rows: the members of the record go on behind another.
    pub(super) is_own: bool,
}

/// What is known of a place that some part ended with.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) enum Kind {
    #[default]
    Unknown,
    /// Begins inside of an element.
    Inside,
    /// All of an element that is its own.
    Own,
    /// Begins an element, behind which the record goes on.
    Last,
    /// Begins an element and may not be all of it.
    Begins,
    /// Holds more elements than one, or what is not told apart.
    Hopeless,
}

impl Trail {
    /// What the record is, whose parts are all walked: the place behind its last part where it has no other.
    pub(super) fn outline(&mut self, want: &Want) -> Structure {
        self.elements.clear();
        self.trunk.clear();
        let (mut place, mut first) = (START, 0);
        let mut key = match self.parts.first() {
            Some(part) => part.place,
            None => return LOST,
        };
        let mut was_own = false;
        for n in 1..=self.parts.len() {
            if let Some(&part) = self.parts.get(n) {
                if key == LOST || part.place == LOST {
                    return LOST;
                }
                match self.kind_of_part(want, n) {
                    Kind::Inside => {
                        key = self.tree.behind(key, part.place);
                        continue;
                    }
                    Kind::Hopeless => return LOST,
                    _ => {}
                }
            }
            if key == LOST {
                return LOST;
            }
            let is_own = first > 0 && n < self.parts.len() && self.is_own(want, key, first..n);
            let steps = self.parts[first].first as usize;
            let end = self.parts.get(n).map_or(self.steps.len(), |part| part.first as usize);
            if first > 0 {
                self.elements.push(Element { first: steps as u32, place: key, is_own });
            }
            if !is_own {
                place = if place == START { key } else { self.tree.behind(place, key) };
                self.trunk.extend_from_slice(&self.steps[steps..end]);
            } else if !was_own {
                // The gap before the first of some elements is part of what stands before it. That of the next
                // one is another, so that the last tells whether some were before it.
                self.trunk.push(self.steps[steps]);
            }
            if place == LOST {
                return LOST;
            }
            was_own = is_own;
            if let Some(part) = self.parts.get(n) {
                (first, key) = (n, part.place);
            }
        }
        place
    }

    #[inline(always)]
    fn kind(&self, place: Structure) -> Kind {
        self.kinds.get(place as usize).copied().unwrap_or_default()
    }

    fn keep_kind(&mut self, place: Structure, kind: Kind) -> Kind {
        let at = place as usize;
        if at >= self.kinds.len() {
            self.kinds.resize(at + 1, Kind::Unknown);
        }
        self.kinds[at] = kind;
        kind
    }

    /// Where a part begins.
    #[inline(always)]
    fn kind_of_part(&mut self, want: &Want, n: usize) -> Kind {
        match self.kind(self.parts[n].place) {
            Kind::Unknown => self.find_kind(want, n),
            kind => kind,
        }
    }

    #[cold]
    fn find_kind(&mut self, want: &Want, n: usize) -> Kind {
        let Part { first, place } = self.parts[n];
        let gap = self.steps[first as usize].gap;
        let kind = match rows(self.acts_of(gap), want).count() {
            0 => Kind::Inside,
            1 => Kind::Begins,
            _ => Kind::Hopeless,
        };
        self.keep_kind(place, kind)
    }

    /// Whether the parts of an element, which other parts follow, are all its own.
    #[inline(always)]
    fn is_own(&mut self, want: &Want, key: Structure, parts: std::ops::Range<usize>) -> bool {
        match self.kind(key) {
            Kind::Own => true,
            Kind::Last => false,
            _ => self.find_own(want, key, parts),
        }
    }

    #[cold]
    fn find_own(&mut self, want: &Want, key: Structure, parts: std::ops::Range<usize>) -> bool {
        let (first, end) = (self.parts[parts.start].first, self.parts[parts.end].first);
        let steps = &self.steps[first as usize..=end as usize];
        let is_own = self.element(steps, want).all(|(_, deed)| match deed {
            Deed::Act(act) => is_inside(act, want),
            Deed::Goal(Goal::Node(_, slot)) => slot.scope != 0,
            Deed::Goal(Goal::Unknown(node, ..)) => want.slot(node).scope != 0,
            Deed::Goal(Goal::Inside) => true,
        });
        self.keep_kind(key, if is_own { Kind::Own } else { Kind::Last });
        is_own
    }

    pub(super) fn acts_of(&self, gap: GapId) -> &[Act] {
        let (from, to) = self.deeds[gap as usize].acts;
        &self.acts[from as usize..to as usize]
    }

    /// What is done in an element, by the number of the step: from where it begins, in the gap of the first
    /// step, up to where the next begins in that of the last one; or else to the end.
    pub(super) fn element<'a>(
        &'a self,
        steps: &'a [Step],
        want: &'a Want,
    ) -> impl Iterator<Item = (u32, Deed)> + 'a {
        steps.iter().enumerate().flat_map(move |(n, step)| {
            let acts = self.acts_of(step.gap);
            let row = rows(acts, want).next();
            let (begins, ends) = (n == 0, n > 0 && row.is_some());
            let acts = match row {
                Some(row) if begins => &acts[row..],
                Some(row) => &acts[..row],
                None => acts,
            };
            let goal = (!ends).then(|| Deed::Goal(self.deeds[step.gap as usize].to));
            acts.iter().map(|act| Deed::Act(*act)).chain(goal).map(move |deed| (n as u32, deed))
        })
    }
}

/// What is done in a gap or behind it.
#[derive(Clone, Copy)]
pub(super) enum Deed {
    Act(Act),
    Goal(Goal),
}

/// The acts that begin elements of the record's own lists.
fn rows<'a>(acts: &'a [Act], want: &'a Want) -> impl Iterator<Item = usize> + 'a {
    let begins = |act: &Act| matches!(act, Act::AddRow(scope) if want.outer_scope(*scope) == 0);
    acts.iter().enumerate().filter(move |(_, act)| begins(act)).map(|(n, _)| n)
}

/// Whether an act concerns nothing of the record's own.
fn is_inside(act: Act, want: &Want) -> bool {
    match act {
        Act::Open(slot, _)
        | Act::Close(slot, _)
        | Act::OpenList(slot, ..)
        | Act::CloseList(slot, ..)
        | Act::OpenLeaf(_, slot, ..)
        | Act::Fixed(slot, ..) => slot.scope != 0,
        Act::EmptyList(inner, _) => want.outer_scope(inner) != 0,
        Act::AddRow(_) => true,
        Act::OpenRest(node, ..) | Act::FixedRest(node, ..) => want.slot(node).scope != 0,
        // What it closes was opened in the same element or in none.
        Act::CloseRest(_) => true,
    }
}
