//! Writing what is left of a mapping as one row of pieces: ready text, and behind it what a record has in
//! its place. Knows nothing of how a row is made.

use std::sync::Arc;

use super::flat::Flat;
use super::pen::{Pen, Refusal};
use super::standard::Stored;
use crate::json::{Cell, Kind, SHORT, Stretch};
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
    /// The number of the field among those of the row.
    pub(super) field: u16,
    /// What string can be copied: see [`crate::plan::Copies`].
    pub(super) escapes: bool,
    pub(super) least: u32,
    /// How many bytes more than the fewest it may have.
    pub(super) more: u32,
}

impl Piece {
    /// What [`crate::plan::Copies::take`] says.
    #[inline(always)]
    fn takes(&self, cell: Cell) -> bool {
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
    /// The field, which may write nothing.
    Field,
    /// The time of the column, whose key is at the end of the text: if it is none, the field in place of that.
    Time,
    /// The same time as the last.
    Same,
}

/// A row for the record at hand.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) flat: &'r Flat,
    /// Of a record that is known to be plain: by piece, behind which step its value stands.
    pub(super) steps: Option<&'r [u16]>,
}

/// Writes a row into the output of `to`, and up to where of it is still to be put behind that. `field` writes
/// what a field is behind a piece, and says where the row then ends.
#[inline(always)]
fn write<W, E>(
    to: &mut W,
    out: impl Fn(&mut W) -> &mut Vec<u8>,
    (flat, row, text): (&Flat, &mut [u8; ROW], &[u8]),
    cell: impl Fn(usize, &Piece) -> Result<Cell, E>,
    field: impl Fn(&mut W, usize, &mut [u8; ROW], (usize, &mut bool), Cell) -> Result<usize, E>,
) -> Result<usize, E> {
    let mut at = 0;
    // What was written last of all times stands ready.
    let mut timed = false;
    for (i, piece) in flat.pieces.iter().enumerate() {
        if at > ROW - 2 * SHORT {
            out(to).extend_from_slice(&row[..at]);
            at = 0;
        }
        row[at..at + SHORT].copy_from_slice(&piece.text);
        at += piece.len as usize;
        if piece.then == Then::String {
            let cell = cell(i, piece)?;
            let (start, len) = ((cell.start + piece.trim as u32) as usize, (cell.end - cell.start) as usize);
            let len = len - 2 * piece.trim as usize;
            match text.get(start..).and_then(|text| text.first_chunk::<SHORT>()) {
                // There is room: no text of a piece is longer.
                Some(short) if len <= SHORT => {
                    row[at..at + SHORT].copy_from_slice(short);
                    at += len;
                }
                _ => {
                    out(to).extend_from_slice(&row[..at]);
                    out(to).extend_from_slice(&text[start..start + len]);
                    at = 0;
                }
            }
        } else if piece.then != Then::Nothing {
            at = field(to, i, row, (at, &mut timed), cell(i, piece)?)?;
        }
    }
    Ok(at)
}

/// Something is no plain time, or no string that can be copied.
struct NotPlain;

/// Writes a row of strings and times as one line behind `out`; whether it could. What it left behind is the
/// caller's to take back.
#[inline(never)]
pub(super) fn write_line(
    Row { flat, steps }: Row,
    (row, times): (&mut [u8; ROW], &mut Stored),
    (text, trunk): (&[u8], Stretch),
    out: &mut Vec<u8>,
) -> bool {
    let steps = steps.unwrap_or_default();
    let start = out.len();
    let cell = |i: usize, piece: &Piece| {
        let cell = steps.get(i).map_or(Cell::ABSENT, |step| trunk.value(*step));
        if piece.then != Then::String || piece.takes(cell) { Ok(cell) } else { Err(NotPlain) }
    };
    let mut to = (out, times);
    let written = write(
        &mut to,
        |to| to.0,
        (flat, row, text),
        cell,
        |(_, times), i, row, (at, _), cell| {
            let Piece { then, field, .. } = flat.pieces[i];
            if then == Then::Field {
                return Err(NotPlain);
            }
            // The last was written, or the row is not.
            if then != Then::Same {
                let steps = flat.fields[field as usize].time.as_ref().map(|(_, steps)| &**steps);
                let instant = instant(text, cell, steps.unwrap_or_default()).ok_or(NotPlain)?;
                times.set(ops::push_time, instant);
            }
            let time = times.text();
            // The longest is that of a time with nanoseconds.
            row.get_mut(at..at + time.len()).ok_or(NotPlain)?.copy_from_slice(time);
            Ok(at + time.len())
        },
    );
    let (out, _) = to;
    let Ok(at) = written else { return false };
    // The first comma was room for the brace.
    match row.get_mut(at..at + 2) {
        Some(end) => {
            end.copy_from_slice(b"}\n");
            out.extend_from_slice(&row[..at + 2]);
        }
        None => {
            out.extend_from_slice(&row[..at]);
            out.extend_from_slice(b"}\n");
        }
    }
    out[start] = b'{';
    true
}

/// The time that a cell holds, if it plainly is one.
pub(super) fn instant(text: &[u8], cell: Cell, steps: &[Step]) -> Option<Instant> {
    let [Step::Time { from, .. }] = steps else { return None };
    let is_plain = matches!(cell.kind, Kind::String | Kind::Number);
    let text = if is_plain { cell.inner(text) } else { return None };
    ops::read_plain_time(from, text, cell.kind == Kind::String)
}

impl Flat {
    /// The counters of the times that are written with the row.
    pub(super) fn times(&self) -> impl Iterator<Item = u32> {
        let timed = self.pieces.iter().filter(|piece| matches!(piece.then, Then::Time | Then::Same));
        timed.map(|piece| self.fields[piece.field as usize].counter)
    }

    /// It is written of strings and times alone.
    pub(super) fn is_straight(&self) -> bool {
        self.pieces.iter().all(|piece| piece.then != Then::Field)
    }
}

impl Pen<'_> {
    /// Writes the fields of a row, a comma before each; `None` where the texts of the record are not plain.
    pub(super) fn write_flat(&mut self, Row { flat, steps }: Row) -> Option<Result<(), Box<Refusal>>> {
        let view = self.view;
        let is_plain = || flat.plain.iter().all(|(_, copies)| copies.take(view.root(copies.column)));
        if steps.is_none() && !is_plain() {
            return None;
        }
        let mut row = self.standing.row.take().unwrap_or_else(|| Box::new([0; ROW]));
        let written = match steps {
            Some(steps) => self.write_told(flat, &mut row, steps),
            None => self.write_row(flat, &mut row, |_, piece| view.root(piece.column)),
        };
        self.standing.row = Some(row);
        if written.is_ok() {
            for bit in &flat.presence {
                self.standing.presence[*bit as usize] = true;
            }
            self.flattened += 1;
        }
        Some(written)
    }

    #[inline(never)]
    fn write_told(&mut self, flat: &Flat, row: &mut [u8; ROW], steps: &[u16]) -> Result<(), Box<Refusal>> {
        let trunk = self.view.slots.trunk();
        self.write_row(flat, row, |piece, _| match steps.get(piece) {
            Some(step) => trunk.value(*step),
            None => Cell::ABSENT,
        })
    }

    #[inline(always)]
    fn write_row(
        &mut self,
        flat: &Flat,
        row: &mut [u8; ROW],
        cell: impl Fn(usize, &Piece) -> Cell,
    ) -> Result<(), Box<Refusal>> {
        let text = self.view.text;
        let at = write(
            self,
            |pen| &mut pen.out,
            (flat, row, text),
            |i, piece| Ok(cell(i, piece)),
            |pen, i, row, (at, timed), cell| pen.write_field(flat, i, row, (at, timed), cell),
        )?;
        self.out.extend_from_slice(&row[..at]);
        Ok(())
    }

    /// Writes what a field is behind a piece; where the row then ends.
    #[inline(never)]
    fn write_field(
        &mut self,
        flat: &Flat,
        i: usize,
        row: &mut [u8; ROW],
        (mut at, timed): (usize, &mut bool),
        cell: Cell,
    ) -> Result<usize, Box<Refusal>> {
        let Piece { then, field, .. } = flat.pieces[i];
        let field = &flat.fields[field as usize];
        let is_same = then == Then::Same && *timed;
        *timed = is_same || (then != Then::Field && self.time(field, cell));
        if *timed {
            let time = self.standing.times.text();
            row[at..at + time.len()].copy_from_slice(time);
            at += time.len();
            self.wrote_time(field);
            return Ok(at);
        }
        if then != Then::Field {
            at -= field.key.bytes().len();
        }
        self.out.extend_from_slice(&row[..at]);
        if let Err(refusal) = self.member(field) {
            let before = |filled: &&(u32, u32)| filled.0 as usize <= i;
            self.count_filled(flat.filled.iter().filter(before), 1);
            return Err(refusal);
        }
        Ok(0)
    }

    /// Makes the text of a field's time ready, if it is one.
    fn time(&mut self, field: &Arc<Field>, cell: Cell) -> bool {
        let Some((_, steps)) = field.time.as_ref().filter(|_| self.deeds.is_none()) else { return false };
        let Some(instant) = instant(self.view.text, cell, steps) else { return false };
        self.standing.times.set(ops::push_time, instant);
        // The longest is that of a time with nanoseconds.
        self.standing.times.text().len() <= SHORT
    }

    /// Counts what some rows filled.
    pub(super) fn count_filled<'f>(&mut self, filled: impl Iterator<Item = &'f (u32, u32)>, rows: u64) {
        if let Some(counts) = &mut self.counts {
            filled.for_each(|(_, counter)| counts.filled[*counter as usize] += rows);
        }
    }
}
