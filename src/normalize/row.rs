//! Writing what is left of a mapping as one row of pieces: ready text, and behind it what a record has in
//! its place. Knows nothing of how a row is made.

use std::sync::Arc;

use super::flat::Flat;
use super::pen::{Pen, Refusal};
use crate::json::{Cell, SHORT};
use crate::ops;
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
}

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
            None => self.write_row(flat, &mut row, |_, column| view.root(column)),
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
        cell: impl Fn(usize, u16) -> Cell,
    ) -> Result<(), Box<Refusal>> {
        let text = self.view.text;
        let mut at = 0;
        // What was written last of all times stands ready.
        let mut timed = false;
        for (i, piece) in flat.pieces.iter().enumerate() {
            if at > ROW - 2 * SHORT {
                self.out.extend_from_slice(&row[..at]);
                at = 0;
            }
            row[at..at + SHORT].copy_from_slice(&piece.text);
            at += piece.len as usize;
            if piece.then == Then::String {
                let cell = cell(i, piece.column);
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
                        self.out.extend_from_slice(&row[..at]);
                        self.out.extend_from_slice(&text[start..start + len]);
                        at = 0;
                    }
                }
            } else if piece.then != Then::Nothing {
                at = self.write_field(flat, i, row, (at, &mut timed), cell(i, piece.column))?;
            }
        }
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
        let Some(instant) = self.instant(cell, steps) else { return false };
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
