//! What is left of a mapping for records of one structure, as one row of things to write: which fields
//! there are is known, so that keys and brackets are ready text. Holds only for records whose texts are
//! plain; for others it is not begun.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::pen::Pen;
use super::row::{Piece, Then, instant};
use crate::json::{self, NodeId, SHORT};
use crate::metrics::LaneCounts;
use crate::ops::Step;
use crate::plan::{Copies, Deed, Field, Leaf, LeafType, Object, Origin, Read, ReadAt, Shape, TemplatePiece};

/// An object as a row of pieces, a comma before each field. Records of many structures make the same
/// row, and share it: what they write then stays near.
#[derive(Debug)]
pub(super) struct Flat {
    /// Columns that must hold a string that can be copied, by the piece that copies it.
    pub(super) plain: Box<[(u16, Copies)]>,
    pub(super) pieces: Box<[Piece]>,
    pub(super) fields: Box<[Arc<Field>]>,
    /// Fields that are times, each of another: what is in their columns must be a time.
    pub(super) times: Box<[Arc<Field>]>,
    /// The event type at the end of its piece and those before, in quotes; nothing where there is none.
    pub(super) type_name: Box<[u8]>,
    /// Counters of the leaves that are written whenever all is, by the piece that writes them.
    filled: Box<[(u32, u32)]>,
    /// Nodes whose values are there and not written, in the same way.
    passed: Box<[(u32, NodeId)]>,
    pub(super) presence: Box<[u16]>,
}

impl Flat {
    /// Counts what some rows wrote, and passed over: with the first so many pieces, or with all.
    pub(super) fn count(&self, pieces: Option<usize>, rows: u64, counts: &mut LaneCounts) {
        let most = pieces.unwrap_or(usize::MAX);
        for (_, counter) in self.filled.iter().filter(|(piece, _)| (*piece as usize) < most) {
            counts.filled[*counter as usize] += rows;
        }
        for (_, node) in self.passed.iter().filter(|(piece, _)| (*piece as usize) < most) {
            counts.passed.add(*node, rows);
        }
    }
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
            && self.passed == other.passed
            && self.presence == other.presence
            && self.type_name == other.type_name
            && self.fields.iter().map(place).eq(other.fields.iter().map(place))
            && self.times.iter().map(place).eq(other.times.iter().map(place))
    }
}

impl Hash for Flat {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.plain, &self.pieces, &self.filled, &self.passed, &self.presence).hash(hasher);
        self.fields.iter().chain(&self.times).for_each(|field| place(field).hash(hasher));
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
    passed: Vec<(u32, NodeId)>,
    presence: Vec<u16>,
    times: Vec<Arc<Field>>,
    type_name: Vec<u8>,
}

/// A piece with a text of any length: from where to where.
struct Rough {
    text: (usize, usize),
    then: Then,
    trim: u8,
    column: u16,
    field: u16,
    copies: Option<Copies>,
    fields: u32,
}

impl Draft {
    fn push(&mut self, then: Then, trim: u8, column: u16, field: u16) {
        let text = (std::mem::replace(&mut self.next, self.text.len()), self.text.len());
        self.pieces.push(Rough { text, then, trim, column, field, copies: None, fields: 0 });
    }

    /// A field that may write nothing, together with others like it right before it.
    fn push_field(&mut self, field: &Arc<Field>) {
        let number = self.fields.len() as u16;
        self.fields.push(field.clone());
        match self.pieces.last_mut() {
            Some(last) if last.then == Then::Fields && self.text.len() == self.next => last.fields += 1,
            _ => {
                self.push(Then::Fields, 0, 0, number);
                self.pieces.iter_mut().last().into_iter().for_each(|piece| piece.fields = 1);
            }
        }
    }

    fn push_time(&mut self, field: &Arc<Field>, column: u16) {
        let known = self.times.iter().position(|other| other.same_time(field));
        let number = known.unwrap_or(self.times.len());
        if known.is_none() {
            self.times.push(field.clone());
        }
        self.push(Then::Time, 0, column, number as u16);
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
        for &Rough { text: (from, to), then, trim, column, field, copies, fields } in &self.pieces {
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
                        pieces.push(Piece { then, trim, column, field, more: fields, ..only });
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
        let most = pieces.len().max(self.fields.len()).max(self.times.len());
        let plain = self.plain.into_iter().map(|(piece, copies)| (last[piece as usize] as u16, copies));
        let filled = self.filled.into_iter().map(|(piece, counter)| (last[piece as usize] as u32, counter));
        let passed = self.passed.into_iter().map(|(piece, node)| (last[piece as usize] as u32, node));
        (most <= u16::MAX as usize).then(|| Flat {
            plain: plain.collect(),
            filled: filled.collect(),
            passed: passed.collect(),
            pieces: pieces.into(),
            fields: self.fields.into(),
            times: self.times.into(),
            type_name: self.type_name.into(),
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
        if let Some((column, steps)) = &field.time {
            return self.flatten_time(field, *column, steps, draft);
        }
        match &field.shape {
            Shape::Object(object) if object.discovery.is_none() => self.flatten_object(field, object, draft),
            Shape::Leaf(leaves) => match (leaves.as_slice(), &field.copies) {
                ([leaf], Some(copies)) if self.keeps(leaf) => self.flatten_copy(field, copies, b"", draft),
                ([leaf], _) if matches!(leaf.origin, Origin::Template(_)) => {
                    self.flatten_template(field, leaf, draft)
                }
                _ => self.flatten_type(field, leaves, draft),
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

    /// A time that is plainly one in the record at hand.
    fn flatten_time(&self, field: &Arc<Field>, column: u16, steps: &[Step], draft: &mut Draft) -> bool {
        let Shape::Leaf(leaves) = &field.shape else { return false };
        let is_time = instant(self.view.text, self.view.root(column), steps).is_some();
        let own = |read: &Read| matches!(read.at, ReadAt::Slot { slot, .. } if slot.scope == 0);
        if !is_time || !leaves.iter().all(|leaf| self.keeps(leaf)) || !field.stand_ins().iter().all(own) {
            return false;
        }
        for read in field.stand_ins() {
            match read.at {
                ReadAt::Slot { node, .. } if !self.cell(read).kind.is_null() => {
                    draft.passed.push((draft.pieces.len() as u32, node));
                }
                _ => {}
            }
        }
        draft.text.extend_from_slice(field.key.bytes());
        draft.wrote(field, Some(field.counter));
        draft.push_time(field, column);
        true
    }

    /// The event type, where it is the same for all: what else is written may replace it.
    fn flatten_type(&self, field: &Field, leaves: &[Leaf], draft: &mut Draft) -> bool {
        let [Leaf { origin: Origin::Const { json, .. }, when: None, list: None, counter, .. }, rest @ ..] =
            leaves
        else {
            return false;
        };
        if !draft.type_name.is_empty() || !leaves[0].gives_type || rest.iter().any(Leaf::is_passed_over) {
            return false;
        }
        draft.text.extend_from_slice(field.key.bytes());
        draft.text.extend_from_slice(json);
        draft.type_name = json.to_vec();
        draft.wrote(field, Some(*counter));
        draft.push(Then::Type, 0, 0, 0);
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
        let (filled, passed, presence) = (draft.filled.len(), draft.passed.len(), draft.presence.len());
        let (text, next, has_type) = (draft.text.len(), draft.next, !draft.type_name.is_empty());
        let (fields, times) = (draft.fields.len(), draft.times.len());
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
        draft.passed.truncate(passed);
        draft.presence.truncate(presence);
        draft.text.truncate(text);
        draft.fields.truncate(fields);
        draft.times.truncate(times);
        draft.next = next;
        if !has_type {
            draft.type_name.clear();
        }
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
