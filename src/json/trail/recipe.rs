//! What the parts of records leave behind, worked out once for all that are the same: which value goes
//! into which cell. Owns how that is told and done; what a gap does is for `fill` to know.

use super::fill::Fill;
use super::tree::{START, Structure};
use super::{Act, Deeds, Ends, Gap, Goal, Step};
use crate::json::want::Slot;
use crate::json::{Cell, Hit, Kind, NodeId, Rest};

/// More are not kept.
const MOST: usize = 1 << 12;

/// By place of the tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Recipes {
    of: Vec<Met>,
    all: Vec<Recipe>,
}

#[derive(Clone, Copy, Debug)]
enum Met {
    Never,
    Once,
    /// There is none.
    Hopeless,
    Often(u32),
}

/// Of all steps of a part but the first, which may begin a row. A place is told by the number of a step
/// and an offset in its gap.
#[derive(Clone, Debug)]
struct Recipe {
    /// What concerns lists, and what ends here but began before.
    acts: Box<[(u32, Act)]>,
    /// A stretch of values and one of containers for each scope.
    scopes: Box<[(u16, u32, u32)]>,
    /// The column and the step.
    values: Box<[(u16, u16)]>,
    containers: Box<[(u16, Container)]>,
    /// Leaves whose type is the same in all, and all others in order.
    leaves: Box<[(NodeId, Kind, u32)]>,
    hits: Box<[(NodeId, From)]>,
    rest: Box<[Member]>,
}

/// A member that no path leads into.
#[derive(Clone, Debug)]
struct Member {
    node: NodeId,
    /// The step whose gap holds the key, and from where to where.
    key: (u32, u32, u32),
    value: From,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Container {
    pub(super) kind: Kind,
    pub(super) open: (u32, u32),
    pub(super) close: (u32, u32),
}

/// Where a value is from.
#[derive(Clone, Copy, PartialEq, Debug)]
enum From {
    Step(u32),
    Container(Container),
}

impl Recipes {
    /// The same, for other trails: numbers are never used again.
    pub(super) fn anew(self) -> Recipes {
        Recipes { of: Vec::new(), all: self.all }
    }

    /// The leaves of a part and their types, and behind which of its steps each stands.
    #[inline]
    pub(super) fn leaves(&self, id: u32) -> &[(NodeId, Kind, u32)] {
        self.all.get(id as usize).map_or(&[], |recipe| &recipe.leaves)
    }

    /// Does what some steps do, all of which are one part of a record; nothing where a key is repeated.
    pub(super) fn fill(
        &mut self,
        fill: &mut Fill,
        place: Structure,
        (from, steps): (u32, &[Step]),
        (gaps, deeds, acts): (&[Gap], &[Deeds], &[Act]),
    ) -> Option<()> {
        let Some((first, rest)) = steps.split_first() else { return Some(()) };
        fill.step(first, &deeds[first.gap as usize], acts)?;
        if let Some((id, recipe)) = self.find(place, steps, (gaps, deeds, acts)) {
            if !recipe.leaves.is_empty() {
                fill.bundles.push((id, from));
            }
            return recipe.fill(fill, steps);
        }
        for step in rest {
            fill.step(step, &deeds[step.gap as usize], acts)?;
        }
        Some(())
    }

    /// The recipe of a place, which is made when it is met again.
    #[inline(always)]
    fn find(
        &mut self,
        place: Structure,
        steps: &[Step],
        known: (&[Gap], &[Deeds], &[Act]),
    ) -> Option<(u32, &Recipe)> {
        match self.of.get(place as usize) {
            Some(Met::Often(id)) => Some((*id, self.all.get(*id as usize)?)),
            _ => self.meet(place, steps, known),
        }
    }

    #[cold]
    fn meet(
        &mut self,
        place: Structure,
        steps: &[Step],
        known: (&[Gap], &[Deeds], &[Act]),
    ) -> Option<(u32, &Recipe)> {
        if place <= START {
            return None;
        }
        let at = place as usize;
        if at >= self.of.len() {
            self.of.resize(at + 1, Met::Never);
        }
        self.of[at] = match self.of[at] {
            Met::Never => Met::Once,
            Met::Once if self.all.len() < MOST => match Recipe::new(steps, known) {
                Some(recipe) => {
                    self.all.push(recipe);
                    let id = self.all.len() as u32 - 1;
                    self.of[at] = Met::Often(id);
                    return Some((id, self.all.last()?));
                }
                None => Met::Hopeless,
            },
            met => met,
        };
        None
    }
}

impl Recipe {
    fn new(steps: &[Step], (gaps, deeds, all): (&[Gap], &[Deeds], &[Act])) -> Option<Recipe> {
        let mut acts = Vec::new();
        let mut values: Vec<(Slot, u16)> = Vec::new();
        let mut containers: Vec<(Slot, Container)> = Vec::new();
        let mut hits: Vec<(NodeId, From)> = Vec::new();
        let mut leaves: Vec<(NodeId, Kind, u32)> = Vec::new();
        let mut rest: Vec<Member> = Vec::new();
        let open = |kind, n, off| Container { kind, open: (n, off), close: (n, off) };
        let is_open = |container: &Container| container.open == container.close;
        for (n, step) in steps.iter().enumerate().skip(1) {
            let n = u16::try_from(n).ok()? as u32;
            let of = &deeds[step.gap as usize];
            for &act in &all[of.acts.0 as usize..of.acts.1 as usize] {
                match act {
                    Act::Open(slot, off) => containers.push((slot, open(Kind::Object, n, off))),
                    Act::Close(slot, off) => {
                        let same = |(other, container): &&mut (Slot, Container)| {
                            (other.scope, other.column) == (slot.scope, slot.column) && is_open(container)
                        };
                        match containers.iter_mut().find(same) {
                            Some((_, container)) => container.close = (n, off),
                            None => acts.push((n, act)),
                        }
                    }
                    Act::CloseList(..) | Act::EmptyList(..) => acts.push((n, act)),
                    Act::OpenLeaf(node, slot, kind, off) => {
                        hits.push((node, From::Container(open(kind, n, off))));
                        containers.push((slot, open(kind, n, off)));
                    }
                    Act::OpenRest(node, from, to, kind, off) => {
                        let value = From::Container(open(kind, n, off));
                        rest.push(Member { node, key: (n, from, to), value });
                    }
                    Act::CloseRest(off) => match rest.last_mut() {
                        Some(Member { value: From::Container(container), .. }) if is_open(container) => {
                            container.close = (n, off);
                        }
                        _ => acts.push((n, act)),
                    },
                    Act::Fixed(slot, kind, start, end) => {
                        containers.push((slot, Container { kind, open: (n, start), close: (n, end) }));
                    }
                    Act::FixedRest(node, (from, to), kind, start, end) => {
                        let value = Container { kind, open: (n, start), close: (n, end) };
                        let value = From::Container(value);
                        rest.push(Member { node, key: (n, from, to), value });
                    }
                    // These are done where a part begins.
                    Act::OpenList(..) | Act::AddRow(_) => return None,
                }
            }
            match of.to {
                Goal::Node(node, slot) => {
                    match gaps[step.gap as usize].ends {
                        Ends::String => leaves.push((node, Kind::String, n)),
                        Ends::Number => leaves.push((node, Kind::Number, n)),
                        Ends::Boolean => leaves.push((node, Kind::True, n)),
                        Ends::Fixed(kind) if !kind.is_leaf() => {}
                        _ => hits.push((node, From::Step(n))),
                    }
                    values.push((slot, n as u16));
                }
                Goal::Unknown(node, from, to) => {
                    rest.push(Member { node, key: (n, from, to), value: From::Step(n) });
                }
                Goal::Inside => {}
            }
        }
        if !crate::json::COUNTED {
            hits.clear();
            leaves.clear();
        }
        let mut scopes: Vec<u16> = values.iter().map(|(slot, _)| slot.scope).collect();
        scopes.extend(containers.iter().map(|(slot, _)| slot.scope));
        scopes.sort_unstable();
        scopes.dedup();
        // Stable: what is filled in keeps its order.
        values.sort_by_key(|(slot, _)| slot.scope);
        containers.sort_by_key(|(slot, _)| slot.scope);
        let of_scope = |&scope: &u16| {
            let of_values = values.iter().filter(|(slot, _)| slot.scope == scope).count();
            let of_containers = containers.iter().filter(|(slot, _)| slot.scope == scope).count();
            (scope, of_values as u32, of_containers as u32)
        };
        Some(Recipe {
            acts: acts.into(),
            scopes: scopes.iter().map(of_scope).collect(),
            values: values.iter().map(|(slot, n)| (slot.column, *n)).collect(),
            containers: containers.iter().map(|(slot, container)| (slot.column, *container)).collect(),
            leaves: leaves.into(),
            hits: hits.into(),
            rest: rest.into(),
        })
    }

    #[inline(always)]
    fn fill(&self, fill: &mut Fill, steps: &[Step]) -> Option<()> {
        for (n, act) in &self.acts {
            fill.perform(std::slice::from_ref(act), steps.get(*n as usize)?.at as usize)?;
        }
        let (mut values, mut containers) = (&*self.values, &*self.containers);
        for &(scope, of_values, of_containers) in &self.scopes {
            let (mine, others) = values.split_at_checked(of_values as usize)?;
            values = others;
            let (my_containers, others) = containers.split_at_checked(of_containers as usize)?;
            containers = others;
            if scope == 0 {
                let columns = mine.iter().map(|(column, _)| *column);
                for column in columns.chain(my_containers.iter().map(|(column, _)| *column)) {
                    fill.present[column as usize / 64] |= 1 << (column % 64);
                    fill.set.push(column);
                }
            }
            let row = fill.row(scope);
            let mut clash = false;
            for &(column, n) in mine {
                let cell = row.get_mut(column as usize)?;
                clash |= cell.kind != Kind::Absent;
                *cell = steps.get(n as usize)?.value;
            }
            for (column, container) in my_containers {
                let cell = row.get_mut(*column as usize)?;
                clash |= cell.kind != Kind::Absent;
                *cell = container.cell(steps)?;
            }
            if clash {
                return None;
            }
        }
        for &(node, from) in &self.hits {
            let value = from.cell(steps)?;
            if value.kind.is_leaf() {
                fill.hits.push(Hit { node, at: value.start });
            }
        }
        for &Member { node, key: (n, from, to), value } in &self.rest {
            let at = steps.get(n as usize)?.at;
            fill.rest.push(Rest { node, key: (at + from, at + to), value: value.cell(steps)? });
        }
        Some(())
    }
}

impl Container {
    #[inline(always)]
    pub(super) fn cell(&self, steps: &[Step]) -> Option<Cell> {
        let place = |(n, off): (u32, u32)| Some(steps.get(n as usize)?.at + off);
        Some(Cell { start: place(self.open)?, end: place(self.close)?, kind: self.kind })
    }
}

impl From {
    #[inline(always)]
    fn cell(&self, steps: &[Step]) -> Option<Cell> {
        match self {
            From::Step(n) => Some(steps.get(*n as usize)?.value),
            From::Container(container) => container.cell(steps),
        }
    }
}
