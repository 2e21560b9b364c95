//! What is left of a mapping for records of one structure, as one row of things to write: which fields
//! there are is known, so that keys and brackets are ready text. Holds only for records whose texts are
//! plain; for others it is not begun.

use std::sync::Arc;

use super::pen::{Pen, Refusal};
use crate::json::{self, SHORT};
use crate::plan::{Copies, Deed, Field, Leaf, LeafType, Object, Origin, Read, ReadAt, Shape, TemplatePiece};

/// An object as a row of pieces, a comma before each field. Records of many structures make the same
/// row, and share it: what they write then stays near.
#[derive(PartialEq, Debug)]
pub(super) struct Flat {
    /// Columns that must hold a string that can be copied.
    plain: Box<[Copies]>,
    pieces: Box<[Piece]>,
    /// The texts of all pieces, padded to be copied with moves of a fixed size.
    text: Box<[u8]>,
    /// Counters of the leaves that are written whenever all is, by the piece that writes them.
    pub(super) filled: Box<[(u32, u32)]>,
    presence: Box<[u16]>,
}

/// Some text, and what is written behind it.
#[derive(PartialEq, Debug)]
struct Piece {
    at: u32,
    len: u32,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Nothing,
    /// The string of a column with its quotes.
    String(u16),
    /// Without them.
    Inner(u16),
    Field(Arc<Field>),
    /// One that writes the same time as the last that wrote one.
    Same(Arc<Field>),
}

impl PartialEq for Then {
    fn eq(&self, other: &Then) -> bool {
        match (self, other) {
            (Then::Nothing, Then::Nothing) => true,
            (Then::String(a), Then::String(b)) | (Then::Inner(a), Then::Inner(b)) => a == b,
            (Then::Field(a), Then::Field(b)) | (Then::Same(a), Then::Same(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A row in the making.
#[derive(Default)]
struct Draft {
    plain: Vec<Copies>,
    pieces: Vec<Piece>,
    text: Vec<u8>,
    /// Where the text of the next piece begins.
    next: usize,
    filled: Vec<(u32, u32)>,
    presence: Vec<u16>,
    /// The last field that writes a time.
    time: Option<Arc<Field>>,
}

impl Draft {
    fn push(&mut self, then: Then) {
        let (at, len) = (self.next as u32, (self.text.len() - self.next) as u32);
        self.next = self.text.len();
        self.pieces.push(Piece { at, len, then });
    }

    fn push_field(&mut self, field: &Arc<Field>) {
        let same = self.time.as_ref().is_some_and(|last| last.same_time(field));
        if field.time.is_some() {
            self.time = Some(field.clone());
        }
        self.push(if same { Then::Same(field.clone()) } else { Then::Field(field.clone()) });
    }

    fn wrote(&mut self, field: &Field, counter: Option<u32>) {
        let piece = self.pieces.len() as u32;
        self.filled.extend(counter.map(|counter| (piece, counter)));
        self.presence.extend(field.presence);
    }
}

impl Pen<'_> {
    /// The fields of an object, which are those of the record at hand and all like it; `None` where
    /// flattening gains nothing.
    pub(super) fn flat(&self, object: &Object) -> Option<Flat> {
        let mut draft = Draft::default();
        for field in &object.fields {
            if !self.flatten(field, &mut draft) {
                draft.push_field(field);
            }
        }
        draft.push(Then::Nothing);
        let Draft { plain, pieces, mut text, filled, presence, .. } = draft;
        text.resize(text.len() + SHORT, b' ');
        let gains = !filled.is_empty();
        let (plain, pieces, text) = (plain.into(), pieces.into(), text.into());
        gains.then(|| Flat { plain, pieces, text, filled: filled.into(), presence: presence.into() })
    }

    /// Whether a field is written whenever its texts are plain: then it is in the draft.
    fn flatten(&self, field: &Arc<Field>, draft: &mut Draft) -> bool {
        if let Some(ready) = &field.ready {
            draft.text.extend_from_slice(ready.bytes());
            draft.wrote(field, Some(field.counter));
            return true;
        }
        match &field.shape {
            Shape::Object(object) if object.discovery.is_none() => self.flatten_object(field, object, draft),
            Shape::Leaf(leaves) => match (leaves.as_slice(), &field.copies) {
                ([leaf], Some(copies)) if self.keeps(leaf) => self.flatten_copy(field, copies, b"", draft),
                ([leaf], _) => self.flatten_template(field, leaf, draft),
                _ => false,
            },
            Shape::List(list) => match list.copies() {
                Some((leaf, copies)) if self.keeps(leaf) => self.flatten_copy(field, &copies, b"[", draft),
                _ => false,
            },
            Shape::Object(_) => false,
        }
    }

    /// A string as it stands, alone or in a list.
    fn flatten_copy(&self, field: &Field, copies: &Copies, open: &[u8], draft: &mut Draft) -> bool {
        if !self.view.root(copies.column).kind.is_string() {
            return false;
        }
        draft.text.extend_from_slice(field.key.bytes());
        draft.text.extend_from_slice(open);
        draft.plain.push(*copies);
        draft.wrote(field, Some(copies.counter));
        draft.push(Then::String(copies.column));
        draft.text.extend(open.iter().map(|_| b']'));
        true
    }

    /// The value that a leaf copies may leave as it is.
    fn keeps(&self, leaf: &Leaf) -> bool {
        let keeps = |read: &Read| match (&read.at, self.deeds) {
            (ReadAt::Slot { node, .. }, Some(deeds)) => deeds.of(*node) == Deed::Keep,
            _ => true,
        };
        matches!(&leaf.origin, Origin::Reads(reads) if reads.iter().all(keeps))
    }

    /// An object of fields that are all written whenever their texts are plain.
    fn flatten_object(&self, field: &Field, object: &Object, draft: &mut Draft) -> bool {
        let (pieces, plain) = (draft.pieces.len(), draft.plain.len());
        let (filled, presence) = (draft.filled.len(), draft.presence.len());
        let (text, next, time) = (draft.text.len(), draft.next, draft.time.clone());
        draft.text.extend_from_slice(field.key.bytes());
        let brace = draft.text.len();
        let mut first = true;
        let whole = object.fields.iter().all(|field| {
            let sure = self.flatten(field, draft);
            if !sure && !first {
                draft.push_field(field);
            }
            // Where the first field may say nothing, so may the object.
            let whole = sure || !first;
            first = false;
            whole
        });
        // The first comma is room for the brace, if it stands in the text.
        let opened = !object.fields.is_empty() && draft.text.get(brace) == Some(&b',');
        if opened {
            draft.text[brace] = b'{';
        }
        if whole && opened {
            draft.text.push(b'}');
            draft.wrote(field, None);
            return true;
        }
        draft.pieces.truncate(pieces);
        draft.plain.truncate(plain);
        draft.filled.truncate(filled);
        draft.presence.truncate(presence);
        draft.text.truncate(text);
        (draft.next, draft.time) = (next, time);
        false
    }

    /// A text made of constant pieces and plain texts.
    fn flatten_template(&self, field: &Field, leaf: &Leaf, draft: &mut Draft) -> bool {
        let Origin::Template(pieces) = &leaf.origin else { return false };
        let LeafType::Text { max_bytes } = leaf.ty else { return false };
        if leaf.when.is_some() || leaf.list.is_some() || leaf.gives_type {
            return false;
        }
        let (mut fixed, mut columns) = (0, Vec::new());
        for piece in pieces {
            let reads = match piece {
                TemplatePiece::Text(text) => {
                    fixed += text.len();
                    continue;
                }
                TemplatePiece::Reads(reads) => reads,
            };
            let read = reads.iter().find(|read| !self.cell(read).kind.is_null());
            let Some(Read { at: ReadAt::Slot { slot, node, .. }, steps, .. }) = read else { return false };
            let keeps = self.deeds.is_none_or(|deeds| deeds.of(*node) == Deed::Keep);
            if slot.scope != 0 || !steps.is_empty() || !keeps || !self.view.root(slot.column).kind.is_string()
            {
                return false;
            }
            columns.push(slot.column);
        }
        let room = max_bytes.checked_sub(fixed).and_then(|room| room.checked_div(columns.len()));
        let Some(room) = room else { return false };
        draft.text.extend_from_slice(field.key.bytes());
        draft.text.push(b'"');
        let mut columns = columns.into_iter();
        for piece in pieces {
            match piece {
                TemplatePiece::Text(text) => json::push_str_escaped(text, &mut draft.text),
                TemplatePiece::Reads(_) => {
                    let Some(column) = columns.next() else { return false };
                    let most = u32::try_from(room).unwrap_or(u32::MAX);
                    draft.plain.push(Copies {
                        column,
                        counter: leaf.counter,
                        least: 1,
                        most,
                        escapes: false,
                    });
                    draft.push(Then::Inner(column));
                }
            }
        }
        draft.text.push(b'"');
        draft.wrote(field, Some(leaf.counter));
        true
    }

    /// Writes the fields of a row, a comma before each; `None` where the texts of the record are not plain.
    pub(super) fn write_flat(&mut self, flat: &Flat) -> Option<Result<(), Box<Refusal>>> {
        let fits = |copies: &Copies| {
            let cell = self.view.root(copies.column);
            copies.takes(cell.kind, (cell.end - cell.start).wrapping_sub(2))
        };
        if !flat.plain.iter().all(fits) {
            return None;
        }
        // Where the last time was written.
        let mut time = 0..0;
        for (i, piece) in flat.pieces.iter().enumerate() {
            let (from, len) = (piece.at as usize, piece.len as usize);
            match flat.text.get(from..).and_then(|text| text.first_chunk::<SHORT>()) {
                Some(short) if len <= SHORT => json::push_short(short, len, &mut self.out),
                _ => self.out.extend_from_slice(&flat.text[from..from + len]),
            }
            match &piece.then {
                Then::Nothing => {}
                Then::String(column) => {
                    json::copy_raw(&self.view.root(*column), self.view.text, &mut self.out);
                }
                Then::Inner(column) => {
                    let cell = self.view.root(*column);
                    let inner = json::Cell { start: cell.start + 1, end: cell.end - 1, ..cell };
                    json::copy_raw(&inner, self.view.text, &mut self.out);
                }
                Then::Same(field) if !time.is_empty() => {
                    field.key.push(&mut self.out);
                    let start = self.out.len();
                    self.out.extend_from_within(time.clone());
                    time = start..self.out.len();
                    self.wrote_time(field);
                }
                Then::Field(field) | Then::Same(field) => {
                    if let Some((column, steps)) = &field.time {
                        let start = self.out.len() + field.key.bytes().len();
                        time = 0..0;
                        if self.deeds.is_none() && self.timed(field, *column, steps) {
                            time = start..self.out.len();
                            continue;
                        }
                    }
                    if let Err(refusal) = self.member(field) {
                        let before = |filled: &&(u32, u32)| filled.0 as usize <= i;
                        self.count_filled(flat.filled.iter().filter(before), 1);
                        return Some(Err(refusal));
                    }
                }
            }
        }
        for bit in &flat.presence {
            self.standing.presence[*bit as usize] = true;
        }
        self.flattened += 1;
        Some(Ok(()))
    }

    /// Counts what some rows filled.
    pub(super) fn count_filled<'f>(&mut self, filled: impl Iterator<Item = &'f (u32, u32)>, rows: u64) {
        if let Some(counts) = &mut self.counts {
            filled.for_each(|(_, counter)| counts.filled[*counter as usize] += rows);
        }
    }
}
