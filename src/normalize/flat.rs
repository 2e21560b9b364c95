//! What is left of a mapping for records of one structure, as one row of things to write: which fields
//! there are is known, so that keys and brackets are ready text. Holds only for records whose texts are
//! plain; for others it is not begun.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::pen::Pen;
use super::row::{Piece, Then};
use crate::json::{self, SHORT};
use crate::plan::{Copies, Deed, Field, Leaf, LeafType, Object, Origin, Read, ReadAt, Shape, TemplatePiece};

/// An object as a row of pieces, a comma before each field. Records of many structures make the same
/// row, and share it: what they write then stays near.
#[derive(Debug)]
pub(super) struct Flat {
    /// Columns that must hold a string that can be copied, by the piece that copies it.
    pub(super) plain: Box<[(u16, Copies)]>,
    pub(super) pieces: Box<[Piece]>,
    pub(super) fields: Box<[Arc<Field>]>,
    /// Counters of the leaves that are written whenever all is, by the piece that writes them.
    pub(super) filled: Box<[(u32, u32)]>,
    pub(super) presence: Box<[u16]>,
}

/// Fields are the same that stand in the same place.
fn place(field: &Arc<Field>) -> *const Field {
    Arc::as_ptr(field)
}

impl PartialEq for Flat {
    fn eq(&self, other: &Flat) -> bool {
        self.pieces == other.pieces
            && self.plain == other.plain
            && self.filled == other.filled
            && self.presence == other.presence
            && self.fields.iter().map(place).eq(other.fields.iter().map(place))
    }
}

impl Hash for Flat {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.plain, &self.pieces, &self.filled, &self.presence).hash(hasher);
        self.fields.iter().for_each(|field| place(field).hash(hasher));
    }
}

/// A row in the making.
#[derive(Default)]
struct Draft {
    plain: Vec<(u16, Copies)>,
    pieces: Vec<Rough>,
    text: Vec<u8>,
    /// Where the text of the next piece begins.
    next: usize,
    fields: Vec<Arc<Field>>,
    filled: Vec<(u32, u32)>,
    presence: Vec<u16>,
    /// The last field that writes a time.
    time: Option<Arc<Field>>,
}

/// A piece with a text of any length: from where to where.
struct Rough {
    text: (usize, usize),
    then: Then,
    trim: u8,
    column: u16,
    field: u16,
    copies: Option<Copies>,
}

impl Draft {
    fn push(&mut self, then: Then, trim: u8, column: u16, field: u16) {
        let text = (std::mem::replace(&mut self.next, self.text.len()), self.text.len());
        self.pieces.push(Rough { text, then, trim, column, field, copies: None });
    }

    fn push_field(&mut self, field: &Arc<Field>) {
        let same = self.time.as_ref().is_some_and(|last| last.same_time(field));
        let key = field.key.bytes();
        let then = match &field.time {
            Some(_) if key.len() > SHORT => Then::Field,
            Some(_) if same => Then::Same,
            Some(_) => Then::Time,
            None => Then::Field,
        };
        if then != Then::Field {
            // The key stays whole, so that it can be taken back.
            if self.text.len() - self.next + key.len() > SHORT {
                self.push(Then::Nothing, 0, 0, 0);
            }
            self.time = Some(field.clone());
            self.text.extend_from_slice(key);
        }
        let number = self.fields.len() as u16;
        self.fields.push(field.clone());
        self.push(then, 0, field.time.as_ref().map_or(0, |(column, _)| *column), number);
    }

    /// `trim`: see [`Piece`].
    fn push_copy(&mut self, copies: Copies, trim: u8) {
        self.plain.push((self.pieces.len() as u16, copies));
        self.push(Then::String, trim, copies.column, 0);
        self.pieces.iter_mut().last().into_iter().for_each(|piece| piece.copies = Some(copies));
    }

    /// The row, in pieces of short texts.
    fn into_flat(self) -> Option<Flat> {
        let mut pieces = Vec::new();
        // By rough piece, the last of those that it became.
        let mut last = Vec::new();
        for &Rough { text: (from, to), then, trim, column, field, copies } in &self.pieces {
            let mut rest = &self.text[from..to];
            loop {
                let (mine, others) = rest.split_at(rest.len().min(SHORT));
                rest = others;
                let mut text = [b' '; SHORT];
                text[..mine.len()].copy_from_slice(mine);
                let len = mine.len() as u8;
                let only = Piece {
                    text,
                    len,
                    then: Then::Nothing,
                    trim: 0,
                    column: 0,
                    field: 0,
                    escapes: false,
                    least: 0,
                    more: 0,
                };
                if rest.is_empty() {
                    let Some(Copies { escapes, least, most, .. }) = copies else {
                        pieces.push(Piece { then, trim, column, field, ..only });
                        break;
                    };
                    let more = most.checked_sub(least)?;
                    pieces.push(Piece { then, trim, column, field, escapes, least, more, ..only });
                    break;
                }
                pieces.push(only);
            }
            last.push(pieces.len() - 1);
        }
        let short = pieces.len() <= u16::MAX as usize && self.fields.len() <= u16::MAX as usize;
        let plain = self.plain.into_iter().map(|(piece, copies)| (last[piece as usize] as u16, copies));
        let filled = self.filled.into_iter().map(|(piece, counter)| (last[piece as usize] as u32, counter));
        short.then(|| Flat {
            plain: plain.collect(),
            filled: filled.collect(),
            pieces: pieces.into(),
            fields: self.fields.into(),
            presence: self.presence.into(),
        })
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
        draft.push(Then::Nothing, 0, 0, 0);
        if draft.filled.is_empty() { None } else { draft.into_flat() }
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
        draft.wrote(field, Some(copies.counter));
        draft.push_copy(*copies, 0);
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
        let fields = draft.fields.len();
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
        draft.fields.truncate(fields);
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
                    let copies = Copies { column, counter: leaf.counter, least: 1, most, escapes: false };
                    draft.push_copy(copies, 1);
                }
            }
        }
        draft.text.push(b'"');
        draft.wrote(field, Some(leaf.counter));
        true
    }
}
