//! Told records written line by line, without a pen: where all that a mapping writes of them are texts, times, and
//! what their elements fill. Owns what such a line is made of; what a record is, is told before.

use std::sync::Arc;

use super::elements::Elements;
use super::flat::Flat;
use super::lists::Told;
use super::row::{Piece, ROW, Row, Then, write};
use super::standard::Stored;
use crate::json::{Cell, SHORT, Slots, Stretch};
use crate::plan::{Field, Lane, LeafType, Object, Shape};

/// What stands in a line beside the row.
#[derive(PartialEq, Default, Debug)]
pub(super) struct Line {
    parts: Box<[Part]>,
    /// By piece of the row: behind which part the last of its fields stands.
    ends: Box<[u32]>,
    /// Counters of the leaves that are written beside the row whenever it is.
    pub(super) filled: Box<[u32]>,
    /// The event is of the generic type.
    pub(super) generic: bool,
}

#[derive(PartialEq, Debug)]
enum Part {
    Text([u8; SHORT], u8),
    /// How many elements are counted in a field, which is the one of that place.
    Count {
        place: usize,
    },
    /// What elements write in it, if they do, between two texts.
    List {
        place: usize,
        counter: u32,
        distinct: bool,
        open: Box<[u8]>,
        close: Box<[u8]>,
    },
}

/// The fields that elements fill, and lists that have some.
pub(super) struct Filled<'a> {
    pub(super) elements: &'a Elements,
    pub(super) writers: &'a [u32],
    /// The lists of the record's own scope that have elements, by the scope of those.
    pub(super) lists: &'a [(u16, u16)],
}

impl Line {
    /// Of a row, if all that stands in it can be written so for all its records.
    pub(super) fn new(flat: &Flat, lane: &Lane, filled: &Filled) -> Option<Line> {
        if lane.each.is_some() || lane.standard.is_some() {
            return None;
        }
        let mut draft = Draft::default();
        let mut ends = Vec::new();
        for Piece { then, field, more, .. } in &flat.pieces {
            if *then == Then::Fields {
                for field in flat.fields.get(*field as usize..)?.get(..*more as usize)? {
                    draft.field(b"", field, filled)?;
                }
                draft.end_text();
            }
            ends.push(draft.parts.len() as u32);
        }
        let generic = match (&lane.rules, flat.type_name.as_ref()) {
            (Some(rules), [_, name @ .., _]) => {
                let sure = |bit: u16| flat.presence.contains(&bit);
                if !rules.met(name, sure) {
                    return None;
                }
                rules.generic.as_deref() == Some(name)
            }
            _ => false,
        };
        let Draft { parts, filled, .. } = draft;
        Some(Line { parts: parts.into(), ends: ends.into(), filled: filled.into(), generic })
    }

    /// What stands in the place of a piece.
    #[inline]
    fn parts(&self, piece: usize) -> &[Part] {
        let end = |piece: usize| self.ends.get(piece).map_or(0, |end| *end as usize);
        let start = piece.checked_sub(1).map_or(0, end);
        self.parts.get(start..end(piece)).unwrap_or_default()
    }
}

#[derive(Default)]
struct Draft {
    parts: Vec<Part>,
    /// Behind them.
    text: Vec<u8>,
    filled: Vec<u32>,
}

impl Draft {
    fn end_text(&mut self) {
        for text in self.text.chunks(SHORT) {
            let mut short = [b' '; SHORT];
            short[..text.len()].copy_from_slice(text);
            self.parts.push(Part::Text(short, text.len() as u8));
        }
        self.text.clear();
    }

    /// What a field writes, its key included: the comma before that gives way to `before`, if there is any. Whether
    /// it always writes something.
    fn field(&mut self, before: &[u8], field: &Arc<Field>, filled: &Filled) -> Option<bool> {
        let key = match before {
            [] => field.key.bytes().to_vec(),
            _ => [before, field.key.bytes().strip_prefix(b",")?].concat(),
        };
        if field.required {
            return None;
        }
        if let Shape::Object(object) = &field.shape {
            return if object.strict.is_none() && object.discovery.is_none() {
                self.object(key, object, filled)
            } else {
                None
            };
        }
        let is = |n: &u32| filled.elements.is_writer_of(*n, field, filled.lists);
        let place = filled.writers.iter().position(is)?;
        match Told::of(field)? {
            Told::List(leaf) => {
                self.end_text();
                let (open, close) = (key.into(), Box::default());
                let (counter, distinct) = (leaf.counter, leaf.distinct);
                self.parts.push(Part::List { place, counter, distinct, open, close });
                Some(false)
            }
            Told::Count(leaf) => {
                let simple = leaf.when.is_none() && leaf.list.is_none() && !leaf.gives_type;
                if !simple || !matches!(leaf.ty, LeafType::Any) {
                    return None;
                }
                self.text.extend(key);
                self.end_text();
                self.parts.push(Part::Count { place });
                self.filled.push(leaf.counter);
                Some(true)
            }
        }
    }

    /// An object that begins with what is always written, or that is around one list.
    fn object(&mut self, key: Vec<u8>, object: &Object, filled: &Filled) -> Option<bool> {
        let (first, others) = object.fields.split_first()?;
        let sure = self.field(&[&key[..], b"{"].concat(), first, filled)?;
        if sure {
            for field in others {
                self.field(b"", field, filled)?;
            }
            self.text.push(b'}');
            return Some(true);
        }
        match self.parts.last_mut()? {
            Part::List { close, .. } if others.is_empty() => {
                *close = [close, &b"}"[..]].concat().into();
                Some(false)
            }
            _ => None,
        }
    }
}

/// What a record is read from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) text: &'a [u8],
    pub(super) slots: &'a Slots,
    pub(super) elements: &'a Elements,
}

/// Memory of a line.
pub(super) struct Memory<'a> {
    pub(super) row: &'a mut [u8; ROW],
    pub(super) times: &'a mut Stored,
    /// See [`super::pen::Standing::elements`].
    pub(super) elements: &'a mut Vec<(usize, usize)>,
}

/// Something is no string that can be copied.
struct NotPlain;

/// Writes a line behind `out`; whether it could. What it left behind is then the caller's to take back. `wrote`
/// gets how many leaves of a list were written, by their counter.
#[inline(never)]
pub(super) fn write_line(
    (Row { flat, steps, instants }, line): (Row, &Line),
    Source { text, slots, elements }: Source,
    memory: &mut Memory,
    out: &mut Vec<u8>,
    wrote: &mut dyn FnMut(u32, u64),
) -> bool {
    let steps = steps.unwrap_or_default();
    let (start, trunk): (usize, Stretch) = (out.len(), slots.trunk());
    let cell = |i: usize, piece: &Piece| {
        let cell = steps.get(i).map_or(Cell::ABSENT, |step| trunk.value(*step));
        if piece.takes(cell) { Ok(cell) } else { Err(NotPlain) }
    };
    let mut to = (out, &mut *memory.times, &mut *memory.elements, wrote);
    let written = write(
        &mut to,
        |to| (to.0, to.1),
        (flat, memory.row, text, instants),
        cell,
        |(out, _, memory, wrote), i, row, mut at| {
            // Where nothing depends on a type it is a text like others.
            for part in line.parts(i) {
                if at > ROW - 2 * SHORT {
                    out.extend_from_slice(&row[..at]);
                    at = 0;
                }
                match part {
                    Part::Text(text, len) => {
                        row[at..at + SHORT].copy_from_slice(text);
                        at += *len as usize;
                    }
                    Part::Count { place } => {
                        let mut digits = itoa::Buffer::new();
                        let n = digits.format(elements.count(*place)).as_bytes();
                        row[at..at + n.len()].copy_from_slice(n);
                        at += n.len();
                    }
                    Part::List { place, counter, distinct, open, close } if elements.writes_in(*place) => {
                        out.extend_from_slice(&row[..at]);
                        at = 0;
                        let before = out.len();
                        out.extend_from_slice(open);
                        let n = elements.write((*place, *distinct), slots, text, out, memory);
                        out.extend_from_slice(close);
                        match n {
                            0 => out.truncate(before),
                            n => wrote(*counter, n),
                        }
                    }
                    Part::List { .. } => {}
                }
            }
            Ok(at)
        },
    );
    let (out, ..) = to;
    let Ok(at) = written else { return false };
    // The first comma was room for the brace.
    match memory.row.get_mut(at..at + 2) {
        Some(end) => {
            end.copy_from_slice(b"}\n");
            out.extend_from_slice(&memory.row[..at + 2]);
        }
        None => {
            out.extend_from_slice(&memory.row[..at]);
            out.extend_from_slice(b"}\n");
        }
    }
    out[start] = b'{';
    true
}
