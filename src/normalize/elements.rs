//! Elements of lists that were met before: what they leave in rows and which leaves are counted of them is
//! known, whichever record they stand in. Owns what each worker remembers of them; what an element is, is for
//! the walk to tell.

use super::leaves::LeafCount;
use super::lists::{Way, Writer};
use super::{Scratch, Work};
use crate::json::{ElementRows, Slots, Structure, Want, Wanted};
use crate::metrics::Counts;
use crate::plan::{Lane, Needed, Plan, Route};

/// More are not remembered.
const MOST: usize = 1 << 12;

#[derive(Debug, Default)]
pub(super) struct Elements {
    /// By source.
    of: Vec<OfSource>,
    pub(super) all: Vec<Known>,
    /// Those of the record at hand, if it was told.
    pub(super) at_hand: Vec<u32>,
    /// Fields that are written out of them.
    pub(super) writers: Vec<Writer>,
    /// Element by element: which of its ways to write is that of the record at hand.
    pub(super) chosen: Vec<u32>,
    /// All ways of all elements.
    pub(super) ways: Vec<Way>,
    /// A bit for each field that elements fill: it is known what they write, and some of them write something.
    pub(super) told: u64,
    pub(super) says: u64,
}

#[derive(Debug, Default)]
struct OfSource {
    /// What its first lanes read of rows, once that was asked.
    wanted: Option<Wanted>,
    /// By place: the number of the element, and one more.
    numbers: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Known {
    source: usize,
    /// Of its row; the record's own where no rows are wanted.
    pub(super) scope: u16,
    rows: ElementRows,
    /// By the number of the lists that are written: which ways it has.
    pub(super) ways: Vec<Vec<u32>>,
    /// How many like it were no example of what they write.
    pub(super) odd: u8,
    /// By target: what is counted when the first lane takes its record.
    leaves: Vec<Vec<LeafCount>>,
    /// Met in records that every target took, and by target in others.
    met: u64,
    taken: Box<[u64]>,
}

impl Elements {
    fn of(&mut self, source: usize) -> &mut OfSource {
        if source >= self.of.len() {
            self.of.resize_with(source + 1, OfSource::default);
        }
        &mut self.of[source]
    }

    fn numbers(&self, source: usize) -> &[u32] {
        self.of.get(source).map_or(&[], |of| &of.numbers)
    }

    /// Whether some element of the record at hand is worth remembering.
    pub(super) fn wants(&self, source: usize, slots: &Slots) -> bool {
        let numbers = self.numbers(source);
        let is_new = |place: Structure| numbers.get(place as usize).is_none_or(|n| *n == 0);
        self.all.len() < MOST && slots.elements().any(|(place, _)| is_new(place))
    }

    /// Whether all elements of the record at hand were met before: they are then those of a record that is about
    /// to be told.
    #[inline]
    pub(super) fn take(&mut self, source: usize, slots: &Slots) -> bool {
        self.at_hand.clear();
        let numbers = self.of.get(source).map_or(&[][..], |of| &of.numbers);
        for (place, _) in slots.elements() {
            match numbers.get(place as usize) {
                Some(number @ 1..) => self.at_hand.push(number - 1),
                _ => {
                    self.at_hand.clear();
                    return false;
                }
            }
        }
        true
    }

    /// Fills in the rows of the record at hand, whose lists stand in some columns.
    #[inline]
    pub(super) fn fill(&self, slots: &mut Slots, lists: &[(u16, u16)]) {
        for (n, known) in self.at_hand.iter().enumerate() {
            let filled = slots.fill_element(n, &self.all[*known as usize].rows);
            debug_assert!(filled.is_some(), "an element is not what it is");
        }
        for &(scope, column) in lists {
            slots.end_list(scope, column);
        }
    }

    /// The record at hand was taken by the first lane of every target.
    #[inline]
    pub(super) fn took_all(&mut self) {
        for known in &self.at_hand {
            self.all[*known as usize].met += 1;
        }
    }

    /// It was taken by that of one.
    pub(super) fn took(&mut self, target: usize) {
        for known in &self.at_hand {
            self.all[*known as usize].taken[target] += 1;
        }
    }

    /// It is done.
    pub(super) fn leave(&mut self) {
        self.at_hand.clear();
    }

    /// Counts the leaves of all that were met since.
    pub(super) fn settle(&mut self, counts: &mut Counts) {
        for Known { source, leaves, met, taken, .. } in &mut self.all {
            let met = std::mem::take(met);
            for (target, leaves) in leaves.iter().enumerate() {
                let records = met + std::mem::take(&mut taken[target]);
                let Some(counts) = counts.lanes[*source][target].first_mut() else { continue };
                leaves.iter().filter(|_| records > 0).for_each(|leaf| leaf.add(records, counts));
            }
        }
    }
}

/// What the first lanes of a source read of rows.
fn wanted(plan: &Plan, source: usize) -> Wanted {
    let mut wanted = Wanted::default();
    for route in &plan.lanes[source] {
        if let Route::Lanes(lanes) = route
            && let Some(lane) = lanes.first()
        {
            // What cannot be told is no matter: records that it is part of are not told.
            let mut add = |needed| add(&mut wanted, &plan.want, needed);
            needs_behind(lane, &mut add);
            lane.root.needs(&mut add);
        }
    }
    wanted
}

/// Calls `f` with all that is read of a record behind the fields of its events; whether that can be told.
pub(super) fn needs_behind(lane: &Lane, f: &mut dyn FnMut(Needed)) -> bool {
    lane.each.iter().flatten().for_each(|scope| f(Needed::Rows(*scope)));
    let core = lane.standard.as_ref().and_then(|standard| standard.core.as_ref());
    core.is_none_or(|core| core.needs(f))
}

fn add(wanted: &mut Wanted, want: &Want, needed: Needed) {
    match needed {
        Needed::Cell(slot) if slot.scope != 0 => wanted.add(slot),
        Needed::Cell(_) => {}
        Needed::Rows(scope) => {
            if wanted.add_rows(scope) {
                wanted.add(want.list_slot(scope));
            }
        }
    }
}

/// The columns of the record's own scope among what is needed; those of its lists, by the scope of their
/// elements.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) all: Vec<u16>,
    pub(super) lists: Vec<(u16, u16)>,
}

impl Columns {
    pub(super) fn add(&mut self, want: &Want, needed: Needed) {
        let slot = match needed {
            Needed::Cell(slot) => slot,
            Needed::Rows(scope) => want.list_slot(scope),
        };
        if slot.scope == 0 && !self.all.contains(&slot.column) {
            self.all.push(slot.column);
        }
        if let Needed::Rows(scope) = needed
            && slot.scope == 0
            && !self.lists.contains(&(scope, slot.column))
        {
            self.lists.push((scope, slot.column));
        }
    }
}

impl Work<'_> {
    /// Where the elements of the record at hand stand that are their own.
    pub(super) fn own_elements(&self) -> Option<Vec<std::ops::Range<u32>>> {
        let (slots, want) = (&self.scratch.slots, &self.plan.want);
        let own = slots.elements().enumerate().filter(|(_, (_, is_own))| *is_own);
        own.map(|(n, _)| Some(slots.element_at(want, n)?..slots.element_at(want, n + 1)?)).collect()
    }

    /// Remembers the elements of the record at hand, which was taken by all first lanes and whose leaves
    /// were listed and counted.
    pub(super) fn keep_elements(&mut self, source: usize, shown: bool) {
        let plan = self.plan;
        let places: Vec<(Structure, bool)> = self.scratch.slots.elements().collect();
        for (n, (place, is_own)) in places.into_iter().enumerate() {
            let elements = &self.scratch.twins.elements;
            let known = elements.numbers(source).get(place as usize).is_some_and(|n| *n > 0);
            if known || elements.all.len() >= MOST {
                continue;
            }
            let (slots, want) = (&self.scratch.slots, &plan.want);
            let leaves = match is_own {
                true => {
                    let ends = (slots.element_at(want, n), slots.element_at(want, n + 1));
                    let (Some(start), Some(end)) = ends else { continue };
                    self.leaves_of_like(source, false, shown, &|at| (start..end).contains(&at))
                }
                // Those of others are the record's own.
                false => vec![Vec::new(); plan.targets.len()],
            };
            let Scratch { slots, twins, .. } = &mut *self.scratch;
            let of = twins.elements.of(source);
            let wanted = of.wanted.get_or_insert_with(|| wanted(plan, source));
            let Some(rows) = slots.rows_of_element(&plan.want, n, wanted) else { continue };
            if place as usize >= of.numbers.len() {
                of.numbers.resize(place as usize + 1, 0);
            }
            let taken = vec![0; plan.targets.len()].into();
            let number = twins.elements.all.len() as u32 + 1;
            twins.elements.of(source).numbers[place as usize] = number;
            twins.elements.all.push(Known {
                source,
                scope: rows.scope().unwrap_or(0),
                rows,
                ways: Vec::new(),
                odd: 0,
                leaves,
                met: 0,
                taken,
            });
        }
    }
}
