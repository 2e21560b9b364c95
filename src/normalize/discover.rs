//! Members of an object that no field of the schema reads, written behind its fields: names as the
//! form of the event has them, types as the values show them. Knows no schema.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::allowed::Copier;
use super::pen::Pen;
use crate::json::{self, Kind, NodeId};
use crate::ops::{self, time};
use crate::panther::stored_name;
use crate::plan::{Deed, Discovery, Form, Object, Read, ReadAt};

impl Pen<'_> {
    /// Writes what of an object its fields do not read, where that is asked for; whether anything of
    /// the object was written since `first`.
    #[inline(always)]
    pub(super) fn others(&mut self, object: &Object, first: usize) -> bool {
        if let Some(discovery) = &object.discovery {
            let (node, at) = match object.strict.as_deref() {
                Some(read @ Read { at: ReadAt::Slot { node, .. }, .. }) => {
                    (*node, self.cell(read).start as usize)
                }
                _ => (0, self.start),
            };
            self.discover(discovery, node, at);
        }
        self.out.len() > first
    }

    /// Writes the members of the object at `at` that `known` does not name, with a comma before each.
    fn discover(&mut self, known: &Discovery, node: NodeId, at: usize) {
        let text = self.view.text;
        let mut names = known.taken.clone();
        for (key, value) in members(text, at) {
            // A payload is read under its folded name, however the record spells it.
            let payload = known.root && self.payload == Some(key.as_bytes());
            let folded = payload.then(|| key.replace('.', "_"));
            if known.read.contains(folded.as_ref().unwrap_or(&key)) {
                continue;
            }
            let mut name = form_of(&key, known.form);
            if known.root && name.starts_with("p_") {
                // These names belong to the standard fields.
                name.insert(0, '_');
            }
            match self.may_leave(node, key.as_bytes(), value) {
                Leaves::Whole => self.under(name, text, value, known.form, &mut names),
                Leaves::Part(part) => self.under(name, &part, 0, known.form, &mut names),
                Leaves::Nothing => {}
            }
        }
    }

    /// What of a member the source's classes let out.
    fn may_leave(&self, above: NodeId, key: &[u8], value: usize) -> Leaves {
        let Some(deeds) = self.deeds else { return Leaves::Whole };
        let Some(node) = self.want.key(above, key) else {
            return if deeds.unknown(above) == Deed::Keep { Leaves::Whole } else { Leaves::Nothing };
        };
        let (pseudonyms, field) = (self.pseudonyms, self.payload_field);
        let copier = Copier { want: self.want, deeds, pseudonyms, payload: None, field };
        copier.copy(self.view.text, value, node).map_or(Leaves::Nothing, Leaves::Part)
    }

    /// One member, under `name` or the first of `name_2`, `name_3` … that is free.
    fn under(&mut self, name: String, text: &[u8], value: usize, form: Form, names: &mut HashSet<String>) {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let Some(name) = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name))
        else {
            return;
        };
        let before = self.out.len();
        self.out.push(b',');
        json::push_quoted(&name, &mut self.out);
        self.out.push(b':');
        if self.found(text, value, form) {
            names.insert(name);
        } else {
            self.out.truncate(before);
        }
    }

    /// The value at `at` as its type shows; nothing for null and the empty array.
    fn found(&mut self, text: &[u8], at: usize, form: Form) -> bool {
        let cell = json::cell_at(text, at);
        match cell.kind {
            Kind::Absent | Kind::Null => return false,
            Kind::False | Kind::True => self.out.extend_from_slice(cell.raw(text)),
            Kind::Number => self.number(cell.raw(text)),
            Kind::String | Kind::Escaped | Kind::Lone => {
                let inner = std::str::from_utf8(cell.inner(text)).unwrap_or_default();
                match time::read(&time::TimeFormat::Rfc3339, inner, true) {
                    Ok(instant) if form == Form::Stored && cell.kind == Kind::String => {
                        self.out.push(b'"');
                        time::write_stored(instant, &mut self.out);
                        self.out.push(b'"');
                    }
                    _ => {
                        self.lone += (cell.kind == Kind::Lone) as u64;
                        json::copy_string(&cell, text, &mut self.out);
                    }
                }
            }
            Kind::Object | Kind::EmptyObject => {
                let start = self.out.len();
                let mut names = HashSet::new();
                for (key, value) in members(text, at) {
                    self.under(form_of(&key, form), text, value, form, &mut names);
                }
                if names.is_empty() {
                    self.out.push(b'{');
                } else {
                    // The first comma was room for the brace.
                    self.out[start] = b'{';
                }
                self.out.push(b'}');
            }
            Kind::Array | Kind::EmptyArray => return self.array(text, at, form),
        }
        true
    }

    fn array(&mut self, text: &[u8], at: usize, form: Form) -> bool {
        let mut starts = Vec::new();
        json::elements(text, at, &mut |value| {
            starts.push(value);
            json::skip_value(text, value, json::MAX_DEPTH).unwrap_or(text.len())
        });
        if starts.is_empty() {
            return false;
        }
        for (i, value) in starts.into_iter().enumerate() {
            self.out.push(if i == 0 { b'[' } else { b',' });
            if !self.found(text, value, form) {
                // An element that says nothing keeps its place.
                self.out.extend_from_slice(b"null");
            }
        }
        self.out.push(b']');
        true
    }

    /// Integers as they are spelled, others as 64-bit floats; what is neither stays a text.
    fn number(&mut self, raw: &[u8]) {
        let spelled = std::str::from_utf8(raw).unwrap_or_default();
        let mut float = String::new();
        if ops::integer(spelled).is_some_and(|n| i64::try_from(n).is_ok()) {
            self.out.extend_from_slice(raw);
        } else if ops::push_float(spelled, false, &mut float).is_ok() {
            self.out.extend_from_slice(float.as_bytes());
        } else {
            json::push_quoted(spelled, &mut self.out);
        }
    }
}

/// What of a value may leave.
enum Leaves {
    Whole,
    /// This text in its place.
    Part(Vec<u8>),
    Nothing,
}

/// The members of an object; the last one of a repeated key in the place of the first.
fn members(text: &[u8], at: usize) -> IndexMap<String, usize> {
    let mut members = IndexMap::new();
    json::members(text, at, &mut |raw, value| {
        let mut key = String::new();
        json::unescape(raw, &mut key);
        members.insert(key, value);
        json::skip_value(text, value, json::MAX_DEPTH).unwrap_or(text.len())
    });
    members
}

fn form_of(key: &str, form: Form) -> String {
    match form {
        Form::Stored => stored_name(key),
        Form::Test => key.to_string(),
    }
}
