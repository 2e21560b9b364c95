//! Lists that are written out of the steps of a walk, without rows: what an element writes is known once
//! another like it was written. Owns how such a list is told and written; which records have one is for
//! `quick` to say.

use std::sync::Arc;

use super::elements::Elements;
use super::partial::is_filled;
use super::pen::{CLOSED, Pen};
use super::read::Facts;
use super::{Scratch, Work};
use crate::json::{self, Cell, SHORT, Slots, Stretch, View};
use crate::plan::{
    Check, Deed, Field, Label, Leaf, LeafType, List, Needed, Object, Origin, Part, Read, ReadAt, Shape,
};

/// Ways of writing an element that are told apart by its texts.
const MOST: usize = 8;
/// A longer text is shared by hardly any two elements.
const LONG: usize = 64;

/// A list of one string, or one label, for each element.
#[derive(Debug)]
pub(super) struct Writer {
    /// Holds the list where it stands.
    field: Arc<Field>,
    scope: u16,
}

impl Writer {
    fn list(&self) -> Option<&List> {
        match &self.field.shape {
            Shape::List(list) => Some(list),
            _ => None,
        }
    }

    fn is_of(&self, list: &List) -> bool {
        self.list().is_some_and(|own| std::ptr::eq(own, list))
    }
}

/// What an element writes if it holds some texts.
#[derive(Debug)]
pub(super) struct Write {
    texts: Box<[(u16, Box<[u8]>)]>,
    filled: Box<[(u16, bool)]>,
    /// Nothing where it writes nothing.
    strings: Box<[Copied]>,
    /// Behind them.
    end: Box<[u8]>,
    /// It cannot be told what it writes.
    is_hopeless: bool,
}

/// The string behind a step, and a text before it.
#[derive(Debug)]
struct Copied {
    text: [u8; SHORT],
    len: u8,
    step: u16,
    /// Bytes between the quotes.
    most: u32,
}

/// What is asked of an element.
#[derive(Default)]
struct Asked {
    texts: Vec<(u16, Box<[u8]>)>,
    filled: Vec<(u16, bool)>,
}

impl Write {
    #[inline(always)]
    fn fits(&self, steps: Stretch, text: &[u8]) -> bool {
        !self.is_hopeless
            && self.texts.iter().all(|(step, raw)| steps.value(*step).raw(text) == &**raw)
            && self.filled.iter().all(|(step, filled)| is_filled(steps.value(*step)) == *filled)
            && self.strings.iter().all(|copied| copied.takes(steps.value(copied.step)))
    }
}

impl Copied {
    /// A string that says something and is not too long is copied as it stands.
    #[inline(always)]
    fn takes(&self, cell: Cell) -> bool {
        let plain = matches!(cell.kind, json::Kind::String | json::Kind::Escaped);
        plain && (1..=self.most).contains(&(cell.end - cell.start).wrapping_sub(2))
    }
}

/// The row of a list that is one, and the scope of its elements.
fn row_of(list: &List) -> Option<(&Leaf, &Read, u16)> {
    let [Part::Values(leaf)] = list.parts.as_slice() else { return None };
    let Origin::Reads(reads) = &leaf.origin else { return None };
    let [read] = reads.as_slice() else { return None };
    let &[scope] = read.lists() else { return None };
    let of_row = |read: &Read| {
        let own =
            matches!(&read.at, ReadAt::Slot { slot, lists, .. } if **lists == [scope] && slot.scope == scope);
        own && read.steps.is_empty()
    };
    let label = match &leaf.label {
        Some(Label::From(reads)) => reads.iter().all(of_row),
        Some(Label::Const(_)) | None => true,
    };
    let plain = list.strict.is_none() && leaf.list.is_none() && !leaf.distinct && !leaf.gives_type;
    let is_text = matches!(leaf.ty, LeafType::Text { .. });
    (plain && is_text && label && of_row(read)).then_some((leaf, read, scope))
}

/// Calls `f` with each field of an object that is such a list.
fn each_list(object: &Object, f: &mut dyn FnMut(&Arc<Field>, u16)) {
    for field in &object.fields {
        match &field.shape {
            Shape::List(list) => row_of(list).into_iter().for_each(|(_, _, scope)| f(field, scope)),
            Shape::Object(object) => each_list(object, f),
            Shape::Leaf(_) => {}
        }
    }
}

impl Elements {
    /// The numbers of the lists of some objects, if rows are read for nothing else: `rows` is how often they
    /// are read in all.
    pub(super) fn writers<'o>(
        &mut self,
        objects: impl Iterator<Item = &'o Object>,
        rows: usize,
    ) -> Option<Box<[u32]>> {
        let (mut numbers, mut reads) = (Vec::new(), 0);
        for object in objects {
            each_list(object, &mut |field, scope| {
                field.needs(&mut |needed| reads += matches!(needed, Needed::Rows(_)) as usize);
                let same = self.writers.iter().position(|writer| Arc::ptr_eq(&writer.field, field));
                let number = same.unwrap_or_else(|| {
                    self.writers.push(Writer { field: field.clone(), scope });
                    self.writers.len() - 1
                });
                numbers.push(number as u32);
            });
        }
        (reads == rows).then(|| numbers.into())
    }

    /// Whether all elements of the record at hand say what they write in some lists.
    #[inline]
    pub(super) fn tell(&mut self, slots: &Slots, text: &[u8], writers: &[u32]) -> bool {
        self.chosen.clear();
        for writer in writers {
            let scope = self.writers[*writer as usize].scope;
            for (n, known) in self.at_hand.iter().enumerate() {
                let known = &self.all[*known as usize];
                if known.scope != scope {
                    self.chosen.push(u16::MAX);
                    continue;
                }
                let steps = slots.element(n);
                let writes = known.writes.get(*writer as usize).map_or(&[][..], Vec::as_slice);
                match writes.iter().position(|write| write.fits(steps, text)) {
                    Some(write) => self.chosen.push(write as u16),
                    None => return false,
                }
            }
        }
        true
    }

    /// What the elements of the record at hand write in a list.
    #[inline]
    fn writes(&self, place: usize, writer: u32) -> impl Iterator<Item = (usize, &Write)> {
        let chosen = self.chosen.get(place * self.at_hand.len()..).unwrap_or_default();
        self.at_hand.iter().zip(chosen).enumerate().filter_map(move |(n, (known, write))| {
            let writes = self.all[*known as usize].writes.get(writer as usize)?;
            Some((n, writes.get(*write as usize)?))
        })
    }
}

/// The lists that are written so of the record at hand.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) elements: &'a Elements,
    pub(super) writers: &'a [u32],
}

impl Pen<'_> {
    /// Writes a list, if it is one of those; whether any element wrote something.
    #[inline]
    pub(super) fn write_list(&mut self, list: &List) -> Option<bool> {
        let Lists { elements, writers } = self.lists?;
        let place = writers.iter().position(|n| elements.writers[*n as usize].is_of(list))?;
        let (leaf, ..) = row_of(list)?;
        let text = self.view.text;
        let start = self.out.len();
        self.out.push(b'[');
        let mut wrote = 0;
        for (n, write) in elements.writes(place, writers[place]) {
            if write.strings.is_empty() {
                continue;
            }
            if wrote > 0 {
                self.out.push(b',');
            }
            let steps = self.view.slots.element(n);
            for copied in &write.strings {
                json::push_short(&copied.text, copied.len as usize, &mut self.out);
                json::copy_raw(&steps.value(copied.step), text, &mut self.out);
            }
            self.out.extend_from_slice(&write.end);
            wrote += 1;
        }
        if let Some(counts) = &mut self.counts {
            counts.filled[leaf.counter as usize] += wrote;
        }
        if wrote == 0 {
            self.out.truncate(start);
            return Some(false);
        }
        self.out.push(b']');
        Some(true)
    }

    /// What the element writes whose row is open.
    fn write_of(&mut self, list: &List, steps: Stretch) -> Option<Write> {
        let (leaf, read, _) = row_of(list)?;
        let mut asked = Asked::default();
        let mut strings = Vec::new();
        let mut end: &[u8] = b"";
        let holds = match &leaf.when {
            Some(when) => self.holds_for_all(when, steps, &mut asked)?,
            None => true,
        };
        if holds && !self.cell(read).kind.is_null() {
            let LeafType::Text { max_bytes } = leaf.ty else { return None };
            let most = u32::try_from(max_bytes).unwrap_or(u32::MAX);
            let value = self.string(read, steps)?;
            match &leaf.label {
                None => strings.push(copied(b"", value, most)?),
                Some(Label::Const(before)) => {
                    strings.push(copied(before, value, most)?);
                    end = b"}";
                }
                Some(Label::From(reads)) => {
                    let key = reads.iter().find(|read| !self.cell(read).kind.is_null())?;
                    strings.push(copied(b"{\"key\":", self.string(key, steps)?, u32::MAX)?);
                    strings.push(copied(b",\"value\":", value, most)?);
                    end = b"}";
                }
            }
        }
        Some(Write {
            texts: asked.texts.into(),
            filled: asked.filled.into(),
            strings: strings.into(),
            end: end.into(),
            is_hopeless: false,
        })
    }

    /// The step whose string a read gives, as it stands.
    fn string(&self, read: &Read, steps: Stretch) -> Option<u16> {
        let ReadAt::Slot { node, .. } = read.at else { return None };
        let keeps = self.deeds.is_none_or(|deeds| deeds.of(node) == Deed::Keep);
        let cell = self.cell(read);
        if keeps && cell.kind.is_string() { steps.find(cell) } else { None }
    }

    /// Whether a condition holds for all elements that hold the texts that are asked for.
    fn holds_for_all(&mut self, check: &Check, steps: Stretch, asked: &mut Asked) -> Option<bool> {
        match check {
            Check::Not(inner) => self.holds_for_all(inner, steps, asked).map(|holds| !holds),
            Check::Any(list) | Check::All(list) => {
                let end = matches!(check, Check::Any(_));
                for check in list {
                    if self.holds_for_all(check, steps, asked)? == end {
                        return Some(end);
                    }
                }
                Some(!end)
            }
            Check::Test { reads, test } => {
                for read in reads {
                    let &[scope] = read.lists() else { return None };
                    let cell = self.cell(read);
                    if self.standing.cursor[scope as usize] == CLOSED || cell.kind.is_composite() {
                        return None;
                    }
                    // What is null or absent in one element is so in all like it.
                    if !cell.kind.is_null() {
                        let step = steps.find(cell)?;
                        if test.is_any() && read.steps.is_empty() {
                            asked.filled.push((step, is_filled(cell)));
                        } else {
                            let raw = cell.raw(self.view.text);
                            if raw.len() > LONG {
                                return None;
                            }
                            asked.texts.push((step, raw.into()));
                        }
                    }
                    if let Some(holds) = self.test(read, test) {
                        return Some(holds);
                    }
                }
                Some(test.holds(None))
            }
        }
    }
}

fn copied(before: &[u8], step: u16, most: u32) -> Option<Copied> {
    let mut text = [b' '; SHORT];
    text.get_mut(..before.len())?.copy_from_slice(before);
    Some(Copied { text, len: before.len() as u8, step, most })
}

impl Work<'_> {
    /// Learns what the elements of the record at hand write in some lists, whose rows are filled in.
    #[cold]
    pub(super) fn learn_lists(&mut self, source: usize, lists: u32) {
        let plan = self.plan;
        let Scratch { slots, twins, standing, .. } = &mut *self.scratch;
        let (elements, writers) = (&mut twins.elements, twins.quicks.writers(lists));
        let view = View { text: self.text, slots };
        let facts = Facts::default();
        for writer in writers {
            let Writer { field, scope } = &elements.writers[*writer as usize];
            let Shape::List(list) = &field.shape else { continue };
            let mut row = 0;
            for (n, known) in elements.at_hand.iter().enumerate() {
                let known = &mut elements.all[*known as usize];
                if known.scope != *scope {
                    continue;
                }
                row += 1;
                if known.writes.len() <= *writer as usize {
                    known.writes.resize_with(*writer as usize + 1, Vec::new);
                }
                let writes = &mut known.writes[*writer as usize];
                let steps = slots.element(n);
                let is_told = |write: &Write| write.is_hopeless || write.fits(steps, self.text);
                if writes.len() >= MOST || writes.iter().any(is_told) {
                    continue;
                }
                let mut pen = Pen::new(&plan.want, view, &facts, standing);
                pen.deeds = plan.sources.get(source).and_then(|source| source.deeds.as_ref());
                pen.standing.cursor[*scope as usize] = row - 1;
                let write = pen.write_of(list, steps);
                pen.standing.cursor[*scope as usize] = CLOSED;
                writes.push(write.unwrap_or_else(|| Write {
                    texts: [].into(),
                    filled: [].into(),
                    strings: [].into(),
                    end: [].into(),
                    is_hopeless: true,
                }));
            }
        }
    }
}
