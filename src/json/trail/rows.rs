//! What an element of a list leaves in the rows of its scope and of those within, as far as that is wanted:
//! worked out once for all elements that are the same. Knows no cell of the record's own scope.

use super::outline::Deed;
use super::recipe::Container;
use super::{Act, Goal, Step, Stretch};
use crate::json::walk::add_list;
use crate::json::want::Slot;
use crate::json::{Kind, SlotAt, Slots, Structure, Want};

/// Which columns of rows are wanted, and of which scopes there must be rows.
#[derive(Debug, Default)]
pub struct Wanted {
    columns: Vec<SlotAt>,
    scopes: Vec<u16>,
}

impl Wanted {
    pub fn add(&mut self, slot: SlotAt) {
        self.columns.push(slot);
    }

    /// Rows of a scope are wanted; whether they were not before. Those of the scopes around it must be, too.
    pub fn add_rows(&mut self, scope: u16) -> bool {
        let is_new = !self.scopes.contains(&scope);
        if is_new {
            self.scopes.push(scope);
        }
        is_new
    }

    fn has(&self, slot: Slot) -> bool {
        self.scopes.contains(&slot.scope)
            && self.columns.contains(&SlotAt { scope: slot.scope, column: slot.column })
    }
}

/// Rows that an element leaves. A step is told by its number within the element; that of the gap behind it is
/// the last.
#[derive(Debug, Default)]
pub struct ElementRows {
    rows: Box<[Row]>,
    /// The column and the step, row by row.
    values: Box<[(u16, u16)]>,
    containers: Box<[(u16, Container)]>,
    lists: Box<[List]>,
}

#[derive(Debug)]
struct Row {
    scope: u16,
    values: u16,
    containers: u16,
}

/// A list within the element.
#[derive(Debug)]
struct List {
    scope: u16,
    open: (u32, u32),
    /// Behind the element: how many rows ago its first was, and how many it has.
    ago: u32,
    rows: u32,
}

/// A row in the making.
struct Draft {
    scope: u16,
    values: Vec<(u16, u16)>,
    containers: Vec<(u16, Container)>,
}

impl ElementRows {
    /// The scope of the element's own row, where that is wanted.
    pub fn scope(&self) -> Option<u16> {
        self.rows.first().map(|row| row.scope)
    }
}

impl Slots {
    /// The steps of an element.
    #[inline(always)]
    pub fn element(&self, element: usize) -> Stretch<'_> {
        Stretch::new(self.steps_of(element))
    }

    /// What each element of the record's own lists is, and whether it leaves nothing but rows.
    pub fn elements(&self) -> impl ExactSizeIterator<Item = (Structure, bool)> {
        self.trail.elements().iter().map(|element| (element.place, element.is_own))
    }

    pub fn has_elements(&self) -> bool {
        !self.trail.elements().is_empty()
    }

    /// The steps of an element, and one more where another follows.
    #[inline(always)]
    fn steps_of(&self, element: usize) -> &[Step] {
        let (steps, elements) = (&self.trail.steps, self.trail.elements());
        let Some(first) = elements.get(element) else { return &[] };
        let end = elements.get(element + 1).map_or(steps.len(), |next| next.first as usize + 1);
        steps.get(first.first as usize..end).unwrap_or_default()
    }

    /// Where an element begins.
    pub fn element_at(&self, want: &Want, element: usize) -> Option<u32> {
        let steps = self.steps_of(element);
        let step = steps.first()?;
        let mut deeds = self.trail.element(&steps[..1], want).skip(1);
        Some(match deeds.next()?.1 {
            Deed::Act(
                Act::Open(_, off)
                | Act::OpenList(_, _, off)
                | Act::EmptyList(_, off)
                | Act::OpenLeaf(_, _, _, off)
                | Act::Fixed(_, _, off, _),
            ) => step.at + off,
            Deed::Goal(Goal::Node(..)) => step.value.start,
            _ => return None,
        })
    }

    /// The rows of an element and of all like it.
    pub fn rows_of_element(&self, want: &Want, element: usize, wanted: &Wanted) -> Option<ElementRows> {
        let steps = self.steps_of(element);
        let mut rows: Vec<Draft> = Vec::new();
        let mut lists: Vec<List> = Vec::new();
        let last_of = |rows: &[Draft], scope: u16| rows.iter().rposition(|row| row.scope == scope);
        let rows_of =
            |rows: &[Draft], scope: u16| rows.iter().filter(|row| row.scope == scope).count() as u32;
        let open = |kind, n, off| Container { kind, open: (n, off), close: (n, off) };
        for (n, deed) in self.trail.element(steps, want) {
            let n16 = u16::try_from(n).ok()?;
            let (slot, container) = match deed {
                Deed::Act(Act::AddRow(scope)) => {
                    if wanted.scopes.contains(&scope) {
                        rows.push(Draft { scope, values: Vec::new(), containers: Vec::new() });
                    }
                    continue;
                }
                Deed::Act(Act::Open(slot, off)) => (slot, open(Kind::Object, n, off)),
                Deed::Act(Act::OpenList(slot, inner, off)) => {
                    if slot.scope != 0 && wanted.scopes.contains(&inner) {
                        let ago = rows_of(&rows, inner);
                        lists.push(List { scope: inner, open: (n, off), ago, rows: u32::MAX });
                    }
                    (slot, open(Kind::Array, n, off))
                }
                Deed::Act(Act::OpenLeaf(_, slot, kind, off)) => (slot, open(kind, n, off)),
                Deed::Act(Act::Fixed(slot, kind, start, end)) => {
                    (slot, Container { kind, open: (n, start), close: (n, end) })
                }
                Deed::Act(Act::EmptyList(inner, off)) => {
                    if want.outer_scope(inner) != 0 && wanted.scopes.contains(&inner) {
                        let ago = rows_of(&rows, inner);
                        lists.push(List { scope: inner, open: (n, off), ago, rows: 0 });
                    }
                    continue;
                }
                Deed::Act(Act::Close(slot, off) | Act::CloseList(slot, _, off)) => {
                    if let Deed::Act(Act::CloseList(_, inner, _)) = deed
                        && slot.scope != 0
                        && wanted.scopes.contains(&inner)
                    {
                        let met = rows_of(&rows, inner);
                        let list = lists.iter_mut().rfind(|l| l.scope == inner && l.rows == u32::MAX)?;
                        list.rows = met - list.ago;
                    }
                    if slot.scope != 0 && wanted.has(slot) {
                        let row = last_of(&rows, slot.scope)?;
                        let opened =
                            rows[row].containers.iter_mut().find(|(column, _)| *column == slot.column)?;
                        opened.1.close = (n, off);
                    }
                    continue;
                }
                Deed::Goal(Goal::Node(_, slot)) => {
                    if slot.scope != 0 && wanted.has(slot) {
                        let row = last_of(&rows, slot.scope)?;
                        rows[row].values.push((slot.column, n16));
                    }
                    continue;
                }
                Deed::Act(Act::OpenRest(..) | Act::CloseRest(_) | Act::FixedRest(..))
                | Deed::Goal(Goal::Unknown(..) | Goal::Inside) => continue,
            };
            if slot.scope != 0 && wanted.has(slot) {
                let row = last_of(&rows, slot.scope)?;
                rows[row].containers.push((slot.column, container));
            }
        }
        for list in &mut lists {
            list.ago = rows_of(&rows, list.scope) - list.ago;
        }
        let row = |draft: &Draft| Row {
            scope: draft.scope,
            values: draft.values.len() as u16,
            containers: draft.containers.len() as u16,
        };
        Some(ElementRows {
            rows: rows.iter().map(row).collect(),
            values: rows.iter().flat_map(|row| row.values.iter().copied()).collect(),
            containers: rows.iter().flat_map(|row| row.containers.iter().copied()).collect(),
            lists: lists.into(),
        })
    }

    /// Fills in the rows of an element, behind those of all before it.
    #[inline]
    pub fn fill_element(&mut self, element: usize, of: &ElementRows) -> Option<()> {
        let Slots { scopes, trail, .. } = self;
        let (steps, elements) = (&trail.steps, trail.elements());
        let steps = steps.get(elements.get(element)?.first as usize..)?;
        let (mut values, mut containers) = (&*of.values, &*of.containers);
        for &Row { scope, values: n, containers: m } in &of.rows {
            let rows = scopes.get_mut(scope as usize)?;
            let first = rows.cells.len();
            rows.add();
            let row = &mut rows.cells[first..];
            let (mine, others) = values.split_at_checked(n as usize)?;
            values = others;
            for &(column, step) in mine {
                *row.get_mut(column as usize)? = steps.get(step as usize)?.value;
            }
            let (mine, others) = containers.split_at_checked(m as usize)?;
            containers = others;
            for (column, container) in mine {
                *row.get_mut(*column as usize)? = container.cell(steps)?;
            }
        }
        for &List { scope, open: (step, off), ago, rows: n } in &of.lists {
            let rows = scopes.get_mut(scope as usize)?;
            let first = rows.len() - ago as usize;
            let at = steps.get(step as usize)?.at + off;
            add_list(rows, at as usize, first, first + n as usize);
        }
        self.lists_met = true;
        Some(())
    }

    /// All rows of a scope so far are those of the one list that stands in a column of the record's own.
    pub fn end_list(&mut self, scope: u16, column: u16) {
        let list = self.root[column as usize];
        if list.kind == Kind::Array {
            let rows = &mut self.scopes[scope as usize];
            let end = rows.len();
            add_list(rows, list.start as usize, 0, end);
        }
    }
}
