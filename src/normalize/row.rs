//! Writing what is left of a mapping as one row of pieces: ready text, and behind it what a record has in
//! its place. Knows nothing of how a row is made.

use std::sync::Arc;

use super::flat::Flat;
use super::pen::{Pen, Refusal};
use super::standard::Stored;
use crate::json::{Cell, Kind, SHORT};
use crate::ops::time::Instant;
use crate::ops::{self, Step};
use crate::plan::Field;

/// Bytes that are gathered before they are put behind the output: those of most records.
pub(super) const ROW: usize = 4 << 10;

/// Some text, and what is written behind it, in one line of the cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(align(64))]
pub(super) struct Piece {
    pub(super) text: [u8; SHORT],
    /// Bytes of the text.
    pub(super) len: u8,
    pub(super) then: Then,
    /// Quotes of a string that are left out at each end.
    pub(super) trim: u8,
    pub(super) column: u16,
    /// The number of the first of the fields among those of the row, or of the time among its times.
    pub(super) field: u16,
    /// What string can be copied: see [`crate::plan::Copies`].
    pub(super) escapes: bool,
    pub(super) least: u32,
    /// How many bytes more than the fewest it may have; how many fields it is.
    pub(super) more: u32,
}

impl Piece {
    /// What [`crate::plan::Copies::take`] says.
    #[inline(always)]
    pub(super) fn takes(&self, cell: Cell) -> bool {
        let fits = cell.kind == Kind::String || (self.escapes && cell.kind == Kind::Escaped);
        fits && (cell.end - cell.start).wrapping_sub(2).wrapping_sub(self.least) <= self.more
    }
}

const _: () = assert!(size_of::<Piece>() == 64);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub(super) enum Then {
    Nothing,
    /// The string of the column.
    String,
    /// Some fields, of which each may write nothing.
    Fields,
    /// The time of the column, which is known to be one.
    Time,
    /// Nothing: the text ends with the event type.
    Type,
}

/// A row for the record at hand.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) flat: &'r Flat,
    /// Of a record that is known to be plain: by piece, behind which step its value stands.
    pub(super) steps: Option<&'r [u16]>,
    /// Its times, where they are read already.
    pub(super) instants: &'r [Instant],
}

/// Writes a row into the output of `to`, and up to where of it is still to be put behind that. `field` writes
/// what fields or a type are behind a piece, and says where the row then ends.
#[inline(always)]
pub(super) fn write<W, E>(
    to: &mut W,
    parts: impl Fn(&mut W) -> (&mut Vec<u8>, &mut Stored),
    (flat, row, text, instants): (&Flat, &mut [u8; ROW], &[u8], &[Instant]),
    cell: impl Fn(usize, &Piece) -> Result<Cell, E>,
    field: impl Fn(&mut W, usize, &mut [u8; ROW], usize) -> Result<usize, E>,
) -> Result<usize, E> {
    let mut at = 0;
    for (i, piece) in flat.pieces.iter().enumerate() {
        if at > ROW - 2 * SHORT {
            parts(to).0.extend_from_slice(&row[..at]);
            at = 0;
        }
        row[at..at + SHORT].copy_from_slice(&piece.text);
        at += piece.len as usize;
        match piece.then {
            Then::Nothing => {}
            Then::String => {
                let cell = cell(i, piece)?;
                let (start, len) =
                    ((cell.start + piece.trim as u32) as usize, (cell.end - cell.start) as usize);
                let len = len - 2 * piece.trim as usize;
                match text.get(start..).and_then(|text| text.first_chunk::<SHORT>()) {
                    // There is room: no text of a piece is longer.
                    Some(short) if len <= SHORT => {
                        row[at..at + SHORT].copy_from_slice(short);
                        at += len;
                    }
                    _ => {
                        let (out, _) = parts(to);
                        out.extend_from_slice(&row[..at]);
                        out.extend_from_slice(&text[start..start + len]);
                        at = 0;
                    }
                }
            }
            Then::Time => {
                let (_, times) = parts(to);
                if let Some(instant) = instants.get(piece.field as usize) {
                    times.set(ops::push_time, *instant);
                }
                let (time, len) = times.short();
                row[at..at + SHORT].copy_from_slice(time);
                at += len;
            }
            Then::Fields | Then::Type => at = field(to, i, row, at)?,
        }
    }
    Ok(at)
}

/// The time that a cell holds, if it plainly is one.
pub(super) fn instant(text: &[u8], cell: Cell, steps: &[Step]) -> Option<Instant> {
    let [Step::Time { from, .. }] = steps else { return None };
    let is_plain = matches!(cell.kind, Kind::String | Kind::Number);
    let text = if is_plain { cell.inner(text) } else { return None };
    ops::read_plain_time(from, text, cell.kind == Kind::String)
}

/// What a cell must hold to be a time of a field.
pub(super) fn time_of(field: &Field, text: &[u8], cell: Cell) -> Option<Instant> {
    field.time.as_ref().and_then(|(_, steps)| instant(text, cell, steps))
}

impl Pen<'_> {
    /// Writes the fields of a row, a comma before each; `None` where the texts of the record are not plain.
    pub(super) fn write_flat(&mut self, row: Row) -> Option<Result<(), Box<Refusal>>> {
        let (view, flat) = (self.view, row.flat);
        let mut instants = std::mem::take(&mut self.standing.instants);
        if row.steps.is_none() {
            instants.clear();
            let time = |field: &Arc<Field>| {
                let column = field.time.as_ref().map(|(column, _)| *column)?;
                time_of(field, view.text, view.root(column))
            };
            instants.extend(flat.times.iter().map_while(time));
            let strings = flat.plain.iter().all(|(_, copies)| copies.take(view.root(copies.column)));
            if !strings || instants.len() < flat.times.len() {
                self.standing.instants = instants;
                return None;
            }
        }
        let mut memory = self.standing.row.take().unwrap_or_else(|| Box::new([0; ROW]));
        let written = match row.steps {
            Some(steps) => self.write_told(flat, &mut memory, (steps, row.instants)),
            None => self.write_row(flat, &mut memory, &instants, |_, piece| view.root(piece.column)),
        };
        (self.standing.row, self.standing.instants) = (Some(memory), instants);
        if written.is_ok() {
            for bit in &flat.presence {
                self.standing.presence[*bit as usize] = true;
            }
            self.flattened += 1;
        }
        Some(written)
    }

    #[inline(never)]
    fn write_told(
        &mut self,
        flat: &Flat,
        row: &mut [u8; ROW],
        (steps, instants): (&[u16], &[Instant]),
    ) -> Result<(), Box<Refusal>> {
        let trunk = self.view.slots.trunk();
        self.write_row(flat, row, instants, |piece, _| match steps.get(piece) {
            Some(step) => trunk.value(*step),
            None => Cell::ABSENT,
        })
    }

    #[inline(always)]
    fn write_row(
        &mut self,
        flat: &Flat,
        row: &mut [u8; ROW],
        instants: &[Instant],
        cell: impl Fn(usize, &Piece) -> Cell,
    ) -> Result<(), Box<Refusal>> {
        let text = self.view.text;
        let at = write(
            self,
            |pen| (&mut pen.out, &mut pen.standing.times),
            (flat, row, text, instants),
            |i, piece| Ok(cell(i, piece)),
            |pen, i, row, at| pen.write_fields(flat, i, &row[..at]),
        )?;
        self.out.extend_from_slice(&row[..at]);
        Ok(())
    }

    /// Writes what fields or a type are behind a piece; where the row then ends.
    #[inline(never)]
    fn write_fields(&mut self, flat: &Flat, i: usize, row: &[u8]) -> Result<usize, Box<Refusal>> {
        let Piece { then, field, more, .. } = flat.pieces[i];
        if then == Then::Type {
            let end = self.out.len() + row.len();
            self.type_at = Some((end - flat.type_name.len(), end));
            return Ok(row.len());
        }
        self.out.extend_from_slice(row);
        for field in &flat.fields[field as usize..][..more as usize] {
            if let Err(refusal) = self.member(field) {
                if let Some(counts) = &mut self.counts {
                    flat.count(Some(i + 1), 1, counts);
                }
                return Err(refusal);
            }
        }
        Ok(0)
    }
}
