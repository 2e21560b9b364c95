//! Lists that are written, and elements that are counted, out of the steps of a walk, without rows: what an
//! element writes is known once another like it was written. Owns how such a list is told and written; which
//! records have one is for `quick` to say.

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
const MOST: usize = 16;
/// After so many elements that are no example, none is looked for any more.
const MOST_ODD: u8 = 16;
/// Ways of all elements, and numbers of lists, of which more are not learned: records without end in kind
/// take no memory without end.
const MOST_WAYS: usize = 1 << 13;
const MOST_LISTS: u32 = 256;
/// A longer text is shared by hardly any two elements.
const LONG: usize = 64;

/// A field that elements fill.
#[derive(Debug)]
pub(super) struct Writer {
    field: Arc<Field>,
    scope: u16,
    /// Where the list stands that is written, or that whose elements are counted: what it is known by.
    at: usize,
    /// Nothing is to be done where elements write nothing.
    may_pass: bool,
}

/// What such a field is made of.
enum Made<'f> {
    /// One string, or one label, for each element.
    Strings(&'f Leaf, &'f Read),
    /// Values of another kind: known only of elements that hold none.
    Values(&'f [Read]),
    /// The number of elements of a list for which this holds.
    Count(&'f Read, Option<&'f Check>),
}

impl Made<'_> {
    /// See [`Writer::at`].
    fn at(&self, field: &Field) -> usize {
        match (self, &field.shape) {
            (Made::Count(list, _), _) => std::ptr::from_ref(*list).addr(),
            (_, Shape::List(list)) => std::ptr::from_ref(list).addr(),
            _ => 0,
        }
    }
}

/// What an element writes if it holds some texts.
#[derive(Debug)]
pub(super) struct Way {
    texts: Box<[(u16, Box<[u8]>)]>,
    filled: Box<[(u16, bool)]>,
    /// A bit for each field: it is known what is written in it, and that is something.
    told: u64,
    says: u64,
    /// The strings that are copied: behind a step, and at most so many bytes between the quotes.
    plain: Box<[(u16, u32)]>,
    /// By field; none where nothing is written.
    writes: Box<[Option<Write>]>,
}

/// What an element writes in one field.
#[derive(Debug, Default)]
struct Write {
    strings: Box<[Copied]>,
    /// Behind them.
    end: Box<[u8]>,
    /// It is counted.
    counts: bool,
}

/// Fields of which each has a bit.
const MOST_FIELDS: usize = 64;

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
    /// It is no example of others: a string of it is not like most.
    is_odd: bool,
}

impl Way {
    #[inline(always)]
    fn fits(&self, steps: Stretch, text: &[u8]) -> bool {
        self.texts.iter().all(|(step, raw)| steps.value(*step).raw(text) == &**raw)
            && self.filled.iter().all(|(step, filled)| is_filled(steps.value(*step)) == *filled)
            && self.plain.iter().all(|(step, most)| takes(steps.value(*step), *most))
    }
}

impl Copied {
    fn new(before: &[u8], step: u16, most: u32) -> Option<Copied> {
        let mut text = [b' '; SHORT];
        text.get_mut(..before.len())?.copy_from_slice(before);
        Some(Copied { text, len: before.len() as u8, step, most })
    }
}

/// A string that says something and is not too long is copied as it stands.
#[inline(always)]
fn takes(cell: Cell, most: u32) -> bool {
    let plain = matches!(cell.kind, json::Kind::String | json::Kind::Escaped);
    plain && (1..=most).contains(&(cell.end - cell.start).wrapping_sub(2))
}

/// What a field is made of that elements fill, and the scope of those.
fn made(field: &Field) -> Option<(Made<'_>, u16)> {
    match &field.shape {
        Shape::List(List { parts, strict: None }) => {
            let [Part::Values(leaf)] = parts.as_slice() else { return None };
            let Origin::Reads(reads) = &leaf.origin else { return None };
            let &scope = reads.first()?.lists().first()?;
            if let ([read], true) = (reads.as_slice(), is_string(leaf, scope)) {
                return Some((Made::Strings(leaf, read), scope));
            }
            let same = reads.iter().all(|read| read.lists().first() == Some(&scope));
            let asks = leaf.when.as_ref().is_none_or(only_looks);
            (same && asks && !leaf.gives_type).then_some((Made::Values(reads), scope))
        }
        Shape::Leaf(leaves) => {
            let [leaf] = leaves.as_slice() else { return None };
            let Origin::Count { list, scopes, only } = &leaf.origin else { return None };
            let &[scope] = &**scopes else { return None };
            Some((Made::Count(list, only.as_deref()), scope))
        }
        Shape::List(_) | Shape::Object(_) => None,
    }
}

/// A field that may be written out of the steps of its elements.
pub(super) enum Told<'f> {
    List(&'f Leaf),
    /// The number of the elements of a list.
    Count(&'f Leaf),
}

impl<'f> Told<'f> {
    pub(super) fn of(field: &'f Field) -> Option<Told<'f>> {
        match (made(field)?.0, &field.shape) {
            (Made::Count(..), Shape::Leaf(leaves)) => Some(Told::Count(leaves.first()?)),
            (Made::Strings(..) | Made::Values(_), Shape::List(list)) => match list.parts.as_slice() {
                [Part::Values(leaf)] => Some(Told::List(leaf)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether the row of a list writes a string of the elements of a scope, or a label of two.
fn is_string(leaf: &Leaf, scope: u16) -> bool {
    let of_row = |read: &Read| {
        let own =
            matches!(&read.at, ReadAt::Slot { slot, lists, .. } if **lists == [scope] && slot.scope == scope);
        own && read.steps.is_empty()
    };
    let label = match &leaf.label {
        Some(Label::From(reads)) => reads.iter().all(of_row),
        Some(Label::Const(_)) | None => true,
    };
    let is_text = matches!(leaf.ty, LeafType::Text { .. } | LeafType::Any);
    let plain = leaf.list.is_none() && !leaf.gives_type;
    plain && is_text && label && matches!(&leaf.origin, Origin::Reads(reads) if reads.iter().all(of_row))
}

/// A condition counts nothing when it is asked: it converts no value.
fn only_looks(check: &Check) -> bool {
    match check {
        Check::Not(inner) => only_looks(inner),
        Check::Any(list) | Check::All(list) => list.iter().all(only_looks),
        Check::Test { reads, .. } => reads.iter().all(|read| read.steps.is_empty()),
    }
}

/// Calls `f` with each field of an object that elements fill.
fn each_made(object: &Object, f: &mut dyn FnMut(&Arc<Field>, Made, u16)) {
    for field in &object.fields {
        match &field.shape {
            Shape::Object(object) => each_made(object, f),
            _ => made(field).into_iter().for_each(|(made, scope)| f(field, made, scope)),
        }
    }
}

/// What is known of the fields of a record that its elements fill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    All,
    /// Of the others it will never be known.
    Some,
    /// Of some elements it is to be learned what they write.
    New,
}

impl Elements {
    /// The numbers of the fields of some objects that elements fill, and whether rows are read for nothing
    /// else: `rows` is how often they are read in all.
    pub(super) fn writers<'o>(
        &mut self,
        objects: impl Iterator<Item = &'o Object>,
        rows: usize,
    ) -> (Box<[u32]>, bool) {
        let (mut numbers, mut reads) = (Vec::new(), 0);
        for object in objects {
            each_made(object, &mut |field, made, scope| {
                if numbers.len() == MOST_FIELDS {
                    return;
                }
                field.needs(&mut |needed| reads += matches!(needed, Needed::Rows(_)) as usize);
                let same = self.writers.iter().position(|writer| Arc::ptr_eq(&writer.field, field));
                let number = same.unwrap_or_else(|| {
                    let may_pass = !field.required && !matches!(made, Made::Count(..));
                    let at = made.at(field);
                    self.writers.push(Writer { field: field.clone(), scope, at, may_pass });
                    self.writers.len() - 1
                });
                numbers.push(number as u32);
            });
        }
        (numbers.into(), reads == rows)
    }

    /// Finds out what the elements of the record at hand write in the fields of a number.
    #[inline]
    pub(super) fn tell(&mut self, slots: &Slots, text: &[u8], (lists, writers): (u32, &[u32])) -> Extent {
        self.chosen.clear();
        let all = u64::MAX.checked_shr(MOST_FIELDS as u32 - writers.len() as u32).unwrap_or(0);
        (self.told, self.says) = (all, 0);
        for (n, known) in self.at_hand.iter().enumerate() {
            let known = &self.all[*known as usize];
            let ways = known.ways.get(lists as usize).map_or(&[][..], Vec::as_slice);
            let steps = slots.element(n);
            let Some(&way) = ways.iter().find(|way| self.ways[**way as usize].fits(steps, text)) else {
                self.told = 0;
                let own = ways.len() < MOST && known.odd < MOST_ODD;
                let is_new = own && lists < MOST_LISTS && self.ways.len() < MOST_WAYS;
                return if is_new { Extent::New } else { Extent::Some };
            };
            self.chosen.push(way);
            let Way { told, says, .. } = &self.ways[way as usize];
            self.told &= told;
            self.says |= says;
        }
        if self.told == all { Extent::All } else { Extent::Some }
    }

    /// A writer is of that very field, and of one of some lists, which have elements: by the scope of those.
    pub(super) fn is_writer_of(&self, writer: u32, field: &Arc<Field>, lists: &[(u16, u16)]) -> bool {
        let is = |writer: &Writer| {
            Arc::ptr_eq(&writer.field, field) && lists.iter().any(|(scope, _)| *scope == writer.scope)
        };
        self.writers.get(writer as usize).is_some_and(is)
    }

    /// Whether elements of the record at hand, whose lists are told, write something in a field.
    #[inline]
    pub(super) fn writes_in(&self, place: usize) -> bool {
        self.says >> place & 1 == 1
    }

    /// How many of them are counted in a field.
    #[inline]
    pub(super) fn count(&self, place: usize) -> u64 {
        if !self.writes_in(place) {
            return 0;
        }
        self.writes(place).filter(|(_, write)| write.counts).count() as u64
    }

    /// Writes a list of what they write in a field, of which `distinct` may be asked; of how many values. Of none
    /// nothing is left.
    #[inline]
    pub(super) fn write(
        &self,
        (place, distinct): (usize, bool),
        slots: &Slots,
        text: &[u8],
        out: &mut Vec<u8>,
        all: &mut Vec<(usize, usize)>,
    ) -> u64 {
        let start = out.len();
        let mut wrote = 0;
        all.clear();
        for (n, write) in self.writes(place) {
            out.push(if wrote > 0 { b',' } else { b'[' });
            let body = out.len();
            let steps = slots.element(n);
            for copied in &write.strings {
                json::push_short(&copied.text, copied.len as usize, out);
                json::copy_raw(&steps.value(copied.step), text, out);
            }
            out.extend_from_slice(&write.end);
            if distinct {
                let end = out.len();
                if all.iter().any(|&(a, b)| out[a..b] == out[body..end]) {
                    out.truncate(body - 1);
                    continue;
                }
                all.push((body, end));
            }
            wrote += 1;
        }
        match wrote {
            0 => out.truncate(start),
            _ => out.push(b']'),
        }
        wrote
    }

    /// What the elements of the record at hand write in a field.
    #[inline]
    fn writes(&self, place: usize) -> impl Iterator<Item = (usize, &Write)> {
        let write = move |way: &u32| self.ways[*way as usize].writes.get(place)?.as_ref();
        self.chosen.iter().enumerate().filter_map(move |(n, way)| Some((n, write(way)?)))
    }
}

/// The lists that are written so of the record at hand.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) elements: &'a Elements,
    pub(super) writers: &'a [u32],
    /// The place behind the field that was found last: fields are written in their order.
    pub(super) next: usize,
}

impl Lists<'_> {
    /// Whether a field is the next, and elements write nothing in it.
    #[inline(always)]
    pub(super) fn pass(&mut self, field: &Field) -> bool {
        let Some(writer) = self.writers.get(self.next) else { return false };
        let (writer, bit) = (&self.elements.writers[*writer as usize], 1 << self.next);
        let is_empty = self.elements.told & !self.elements.says & bit != 0;
        let passes = is_empty && writer.may_pass && std::ptr::eq(&*writer.field, field);
        self.next += passes as usize;
        passes
    }
}

impl Pen<'_> {
    /// The place of a field that is told, by where the list stands that it is known by.
    #[inline(always)]
    fn place(&mut self, at: usize) -> Option<usize> {
        let Lists { elements, writers, next, .. } = self.lists.as_mut()?;
        let is = |n: &u32| elements.writers[*n as usize].at == at;
        let place = match writers[*next..].iter().position(is) {
            Some(further) => *next + further,
            None => writers[..*next].iter().position(is)?,
        };
        *next = place + 1;
        (elements.told >> place & 1 == 1).then_some(place)
    }

    /// Writes a list, if it is one of those; whether any element wrote something.
    #[inline]
    pub(super) fn write_list(&mut self, list: &List) -> Option<bool> {
        let place = self.place(std::ptr::from_ref(list).addr())?;
        let Lists { elements, .. } = self.lists?;
        if !elements.writes_in(place) {
            return Some(false);
        }
        let [Part::Values(leaf)] = list.parts.as_slice() else { return None };
        let (View { text, slots }, all) = (self.view, &mut self.standing.elements);
        let wrote = elements.write((place, leaf.distinct), slots, text, &mut self.out, all);
        if let Some(counts) = &mut self.counts {
            counts.filled[leaf.counter as usize] += wrote;
        }
        Some(wrote > 0)
    }

    /// How many elements of a list are counted, if that is told.
    #[inline]
    pub(super) fn count_told(&mut self, list: &Read) -> Option<u64> {
        let place = self.place(std::ptr::from_ref(list).addr())?;
        Some(self.lists?.elements.count(place))
    }

    /// What the element writes in a field whose row is open; nothing where that cannot be told.
    fn write_of(&mut self, field: &Field, steps: Stretch, asked: &mut Asked) -> Option<Option<Write>> {
        let (leaf, read) = match made(field)?.0 {
            Made::Strings(leaf, read) => (leaf, read),
            Made::Values(reads) => return self.nothing_of(reads).then_some(None),
            Made::Count(_, only) => {
                let counts = match only {
                    Some(only) => self.holds_for_all(only, steps, asked)?,
                    None => true,
                };
                return Some(counts.then(|| Write { counts, ..Write::default() }));
            }
        };
        let holds = match &leaf.when {
            Some(when) => self.holds_for_all(when, steps, asked)?,
            None => true,
        };
        if !holds || self.cell(read).kind.is_null() {
            return Some(None);
        }
        let most = match leaf.ty {
            LeafType::Text { max_bytes } => u32::try_from(max_bytes).unwrap_or(u32::MAX),
            _ => u32::MAX,
        };
        let value = self.string(read, steps)?;
        let copied = |before: &[u8]| Copied::new(before, value, most);
        let (strings, end): (Vec<Copied>, &[u8]) = match &leaf.label {
            None => (vec![copied(b"")?], b""),
            Some(Label::Const(before)) => (vec![copied(before)?], b"}"),
            Some(Label::From(reads)) => {
                let key = reads.iter().find(|read| !self.cell(read).kind.is_null())?;
                let key = Copied::new(b"{\"key\":", self.string(key, steps)?, u32::MAX)?;
                (vec![key, copied(b",\"value\":")?], b"}")
            }
        };
        for copied in &strings {
            let cell = steps.value(copied.step);
            if leaf.label.is_none() && !is_filled(cell) {
                asked.filled.push((copied.step, false));
                return Some(None);
            }
            asked.is_odd |= !takes(cell, copied.most);
        }
        Some(Some(Write { strings: strings.into(), end: end.into(), counts: false }))
    }

    /// Whether there is no value at some paths of the element whose row is open.
    fn nothing_of(&mut self, reads: &[Read]) -> bool {
        reads.iter().all(|read| {
            let looked = self.each_row(read.lists(), &mut |pen| Ok(pen.cell(read).kind.is_null()));
            looked.unwrap_or(false)
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
                    if !read.steps.is_empty() {
                        return None;
                    }
                    let cell = self.cell(read);
                    if self.standing.cursor[scope as usize] == CLOSED || cell.kind.is_composite() {
                        return None;
                    }
                    // What is null or absent in one element is so in all like it.
                    if !cell.kind.is_null() {
                        let step = steps.find(cell)?;
                        if test.is_any() {
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

impl Work<'_> {
    /// Learns what the elements of the record at hand write in the fields of a number, whose rows are filled
    /// in.
    #[cold]
    pub(super) fn learn_lists(&mut self, source: usize, lists: u32) {
        let plan = self.plan;
        let Scratch { slots, twins, standing, .. } = &mut *self.scratch;
        let (elements, writers) = (&mut twins.elements, twins.quicks.writers(lists));
        let view = View { text: self.text, slots };
        let facts = Facts::default();
        let mut pen = Pen::new(&plan.want, view, &facts, standing);
        pen.deeds = plan.sources.get(source).and_then(|source| source.deeds.as_ref());
        let mut rows: Vec<(u16, u32)> = Vec::new();
        for (n, known) in elements.at_hand.iter().enumerate() {
            let known = &mut elements.all[*known as usize];
            let row = match rows.iter_mut().find(|(scope, _)| *scope == known.scope) {
                Some((_, rows)) => {
                    *rows += 1;
                    *rows - 1
                }
                None => {
                    rows.push((known.scope, 1));
                    0
                }
            };
            if known.ways.len() <= lists as usize {
                known.ways.resize_with(lists as usize + 1, Vec::new);
            }
            let (ways, steps) = (&mut known.ways[lists as usize], slots.element(n));
            if ways.len() >= MOST
                || ways.iter().any(|way| elements.ways[*way as usize].fits(steps, self.text))
            {
                continue;
            }
            let (mut told, mut says, mut asked, mut writes) = (0, 0, Asked::default(), Vec::new());
            for (place, writer) in writers.iter().enumerate() {
                let Writer { field, scope, .. } = &elements.writers[*writer as usize];
                // Elements of other lists write nothing there.
                let mut write = Some(None);
                if *scope == known.scope {
                    pen.standing.cursor[*scope as usize] = row;
                    let before = (asked.texts.len(), asked.filled.len());
                    write = pen.write_of(field, steps, &mut asked);
                    pen.standing.cursor[*scope as usize] = CLOSED;
                    if write.is_none() {
                        asked.texts.truncate(before.0);
                        asked.filled.truncate(before.1);
                    }
                }
                told |= u64::from(write.is_some()) << place;
                let write = write.flatten();
                says |= u64::from(write.is_some()) << place;
                writes.push(write);
            }
            let Asked { mut texts, mut filled, is_odd } = asked;
            if is_odd {
                known.odd = known.odd.saturating_add(1);
                continue;
            }
            texts.sort();
            texts.dedup();
            filled.sort();
            filled.dedup();
            let (texts, filled) = (texts.into(), filled.into());
            let strings = writes.iter().flatten().flat_map(|write| &write.strings);
            let mut plain: Vec<(u16, u32)> = strings.map(|copied| (copied.step, copied.most)).collect();
            plain.sort();
            plain.dedup();
            ways.push(elements.ways.len() as u32);
            let (plain, writes) = (plain.into(), writes.into());
            elements.ways.push(Way { texts, filled, told, says, plain, writes });
        }
    }
}
