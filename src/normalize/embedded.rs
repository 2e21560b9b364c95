//! Values that arrive as strings of JSON text: a copy of the record in which their text stands in
//! the place of the string, so that it is walked like the rest. Knows no schema.

use super::pen::Refusal;
use crate::json::{self, Fault, FaultKind, Kind, Marks, Slots, Want};
use crate::plan::Embedded;

/// The copy of one record, and where its values are.
#[derive(Debug)]
pub(super) struct Expanded {
    pub(super) text: Vec<u8>,
    pub(super) slots: Slots,
}

impl Expanded {
    pub(super) fn new(want: &Want) -> Expanded {
        Expanded { text: Vec::new(), slots: Slots::new(want) }
    }

    /// Copies the record at `at`, a checked value, and walks the copy. A payload spelled with dots
    /// (`payload`, as the record has it) stands in the copy under its folded name.
    pub(super) fn fill(
        &mut self,
        want: &Want,
        text: &[u8],
        at: usize,
        payload: Option<&[u8]>,
        tree: &Embedded,
        depth: usize,
    ) -> Result<(), Refusal> {
        self.text.clear();
        match payload.filter(|key| key.contains(&b'.')) {
            None => {
                expand(text, at, tree, depth, &mut self.text)?;
            }
            Some(key) => {
                let renamed = with_folded_key(text, at, key);
                expand(&renamed, 0, tree, depth, &mut self.text)?;
            }
        }
        match json::walk(want, &self.text, Marks::default(), 0, depth, &mut self.slots) {
            Ok(_) => Ok(()),
            Err(fault) => Err(Refusal::bad_value("", &format!("with its embedded JSON: {}", fault.kind))),
        }
    }
}

/// The object at `at`, in which the member `key` has underscores in the place of its dots.
fn with_folded_key(text: &[u8], at: usize, key: &[u8]) -> Vec<u8> {
    let mut out = vec![b'{'];
    let mut first = true;
    json::members(text, at, &mut |found, value| {
        comma(&mut first, &mut out);
        out.push(b'"');
        let folds = found == key;
        out.extend(found.iter().map(|&b| if folds && b == b'.' { b'_' } else { b }));
        out.extend_from_slice(b"\":");
        copy(text, value, &mut out)
    });
    out.push(b'}');
    out
}

/// Appends the value at `at` with what is embedded in it; the offset behind the value.
fn expand(
    text: &[u8],
    at: usize,
    tree: &Embedded,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Refusal> {
    let cell = json::cell_at(text, at);
    let end = cell.end as usize;
    if cell.kind.is_string()
        && let Some(path) = &tree.here
    {
        let mut inner = String::new();
        json::unescape(cell.inner(text), &mut inner);
        let start = json::skip_space(inner.as_bytes(), 0);
        if start == inner.len() {
            // An empty text is no value.
            out.extend_from_slice(b"null");
            return Ok(end);
        }
        if let Err(fault) = whole(inner.as_bytes(), start, depth) {
            let what = format!("expected JSON text in the string: {}", fault.kind);
            return Err(Refusal::bad_value(path, &what));
        }
        inside(inner.as_bytes(), start, tree, depth, out)?;
        return Ok(end);
    }
    inside(text, at, tree, depth, out)?;
    Ok(end)
}

/// The text holds one value and nothing else.
fn whole(text: &[u8], start: usize, depth: usize) -> Result<(), Fault> {
    let end = json::skip_value(text, start, depth)?;
    match json::skip_space(text, end) {
        at if at < text.len() => Err(Fault { at, kind: FaultKind::Trailing }),
        _ => Ok(()),
    }
}

/// Appends the value at `at`, looking into it where the tree goes on.
fn inside(text: &[u8], at: usize, tree: &Embedded, depth: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let cell = json::cell_at(text, at);
    let mut refused = None;
    let mut first = true;
    match cell.kind {
        Kind::Object if !tree.members.is_empty() => {
            out.push(b'{');
            json::members(text, at, &mut |key, value| {
                comma(&mut first, out);
                out.push(b'"');
                out.extend_from_slice(key);
                out.extend_from_slice(b"\":");
                let mut chars = String::new();
                json::unescape(key, &mut chars);
                match tree.members.iter().find(|(name, _)| *name == chars) {
                    Some((_, below)) if refused.is_none() => match expand(text, value, below, depth, out) {
                        Ok(end) => end,
                        Err(refusal) => {
                            refused = Some(refusal);
                            skip(text, value)
                        }
                    },
                    _ => copy(text, value, out),
                }
            });
            out.push(b'}');
        }
        Kind::Array if tree.element.is_some() => {
            out.push(b'[');
            json::elements(text, at, &mut |value| {
                comma(&mut first, out);
                match &tree.element {
                    Some(below) if refused.is_none() => match expand(text, value, below, depth, out) {
                        Ok(end) => end,
                        Err(refusal) => {
                            refused = Some(refusal);
                            skip(text, value)
                        }
                    },
                    _ => copy(text, value, out),
                }
            });
            out.push(b']');
        }
        _ => out.extend_from_slice(cell.raw(text)),
    }
    refused.map_or(Ok(()), Err)
}

fn comma(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

fn skip(text: &[u8], at: usize) -> usize {
    json::skip_value(text, at, json::MAX_DEPTH).unwrap_or(text.len())
}

fn copy(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let end = skip(text, at);
    out.extend_from_slice(&text[at..end]);
    end
}
