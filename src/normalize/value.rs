//! One value onto the page: how each type of a target takes what a row read.

use std::borrow::Cow;

use super::allowed::{Copier, push_pseudonym};
use super::pen::Pen;
use crate::json::{self, Cell, Kind, NodeId};
use crate::ops::indicator;
use crate::ops::time::{self, Instant};
use crate::ops::{self, net};
use crate::panther::Check;
use crate::plan::{Coerce, Deed, Leaf, LeafType};

/// What a row read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Val<'a> {
    Nothing,
    /// A raw slice of the record, and the node it was read at.
    Cell(Cell, NodeId),
    /// A text in the standing buffer.
    Text,
    /// The spelling of a number in the standing buffer.
    Number,
    Bool(bool),
    Time(Instant),
    /// JSON text in the standing buffer of constants.
    Ready,
    Fact(&'a str),
}

/// Appends the characters of a time.
pub(super) fn push_time(instant: Instant, out: &mut String) {
    let mut bytes = std::mem::take(out).into_bytes();
    time::write_rfc3339(instant, time::Fraction::Auto, &mut bytes);
    *out = String::from_utf8(bytes).unwrap_or_default();
}

/// A value that does not go where it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failed {
    Fit,
    /// A check of the schema, and what it wants.
    Check(&'static str),
}

/// What a Panther type accepts, for messages.
pub(super) fn expected(coerce: &Coerce) -> &'static str {
    match coerce {
        Coerce::String { .. } => "a string, number or boolean",
        Coerce::Int { min, .. } if *min == i16::MIN as i64 => "an integer of 16 bits",
        Coerce::Int { min, .. } if *min == i32::MIN as i64 => "an integer of 32 bits",
        Coerce::Int { .. } => "an integer of 64 bits",
        Coerce::Float => "a number",
        Coerce::Boolean => "a boolean",
        Coerce::Timestamp { .. } => "a time in the declared format",
        Coerce::Json => "JSON",
    }
}

impl<'a> Pen<'a> {
    /// Appends the characters of a value to `out`.
    pub(super) fn text_of(&self, val: Val<'a>, out: &mut String) -> Result<(), Failed> {
        match val {
            Val::Nothing => {}
            Val::Cell(cell, _) if cell.kind.is_composite() => return Err(Failed::Fit),
            Val::Cell(cell, _) => match (cell.kind, std::str::from_utf8(cell.inner(self.view.text))) {
                (Kind::Escaped | Kind::Lone, _) | (_, Err(_)) => {
                    json::unescape(cell.inner(self.view.text), out)
                }
                (_, Ok(text)) => out.push_str(text),
            },
            Val::Text | Val::Number => out.push_str(&self.standing.text),
            Val::Bool(b) => out.push_str(if b { "true" } else { "false" }),
            Val::Time(instant) => push_time(instant, out),
            Val::Ready => out.push_str(&String::from_utf8_lossy(&self.standing.ready)),
            Val::Fact(text) => out.push_str(text),
        }
        Ok(())
    }

    /// The characters of a scalar cell; borrowed where it has no escapes.
    fn chars(&self, cell: Cell) -> Cow<'a, str> {
        let inner = cell.inner(self.view.text);
        match (cell.kind, std::str::from_utf8(inner)) {
            (Kind::Escaped | Kind::Lone, _) | (_, Err(_)) => {
                let mut text = String::new();
                json::unescape(inner, &mut text);
                Cow::Owned(text)
            }
            (_, Ok(text)) => Cow::Borrowed(text),
        }
    }

    /// Writes one value as the type wants it; `false` when there is nothing to write. What a
    /// failed or empty value left behind is the caller's to take back.
    pub(super) fn put(&mut self, ty: &LeafType, leaf: &Leaf, val: Val<'a>) -> Result<bool, Failed> {
        if let LeafType::Panther(coerce) = ty {
            return match val {
                Val::Cell(cell, node) => self.coerce(coerce, cell, node),
                Val::Text => self.coerce_text(coerce),
                _ => Ok(false),
            };
        }
        match val {
            Val::Nothing => Ok(false),
            Val::Ready => {
                self.out.extend_from_slice(&self.standing.ready);
                Ok(true)
            }
            Val::Cell(cell, node) => self.put_cell(ty, leaf, cell, node),
            Val::Time(instant) => match ty {
                LeafType::Time | LeafType::Text { .. } | LeafType::Any => {
                    self.standing.times.push_as(ops::push_time, instant, &mut self.out);
                    Ok(true)
                }
                _ => Err(Failed::Fit),
            },
            Val::Bool(b) => {
                let word = if b { "true" } else { "false" };
                match ty {
                    LeafType::Bool | LeafType::Any => self.out.extend_from_slice(word.as_bytes()),
                    LeafType::Text { .. } => json::push_quoted(word, &mut self.out),
                    _ => return Err(Failed::Fit),
                }
                Ok(true)
            }
            Val::Number if matches!(ty, LeafType::Any) => {
                self.out.extend_from_slice(self.standing.text.as_bytes());
                Ok(true)
            }
            Val::Number | Val::Text => {
                let text = std::mem::take(&mut self.standing.text);
                let wrote = self.put_text(ty, leaf, &text, matches!(val, Val::Text));
                self.standing.text = text;
                wrote
            }
            Val::Fact(text) => self.put_text(ty, leaf, text, true),
        }
    }

    /// A value as it stands in the record.
    pub(super) fn put_cell(
        &mut self,
        ty: &LeafType,
        leaf: &Leaf,
        cell: Cell,
        node: NodeId,
    ) -> Result<bool, Failed> {
        let text = self.view.text;
        if let (LeafType::Text { max_bytes }, Kind::String) = (ty, cell.kind) {
            let len = (cell.end - cell.start) as usize - 2;
            if len <= *max_bytes {
                json::copy_raw(&cell, text, &mut self.out);
                return Ok(len > 0);
            }
        }
        match (ty, cell.kind) {
            (LeafType::Any | LeafType::Object, Kind::EmptyObject | Kind::EmptyArray) => Ok(false),
            // A table's text is nothing when it is empty.
            (_, Kind::String) if cell.end - cell.start == 2 => Ok(false),
            (LeafType::Text { max_bytes }, kind) if kind.is_string() => {
                if cell.inner(text).len() > *max_bytes {
                    let chars = self.chars(cell);
                    return self.put_text(ty, leaf, &chars, true);
                }
                self.lone += (kind == Kind::Lone) as u64;
                json::copy_string(&cell, text, &mut self.out);
                Ok(true)
            }
            (LeafType::Any, kind) if !kind.is_composite() => {
                self.copy_out(cell);
                Ok(true)
            }
            (LeafType::Any, _) | (LeafType::Object, Kind::Object) => Ok(self.copy(cell, node)),
            (LeafType::Bool, Kind::True | Kind::False) | (LeafType::Float, Kind::Number) => {
                self.out.extend_from_slice(cell.raw(text));
                Ok(true)
            }
            (_, kind) if kind.is_composite() => Err(Failed::Fit),
            (_, kind) => {
                let chars = self.chars(cell);
                self.put_text(ty, leaf, &chars, kind.is_string())
            }
        }
    }

    /// A whole composite, through the allow-list where there is one.
    fn copy(&mut self, cell: Cell, node: NodeId) -> bool {
        let before = self.out.len();
        match self.deeds {
            Some(deeds) => {
                let (pseudonyms, field) = (self.pseudonyms, self.payload_field);
                let copier = Copier { want: self.want, deeds, pseudonyms, payload: None, field };
                // Once more through the plain copy, for repeated keys.
                if let Some(part) = copier.copy(self.view.text, cell.start as usize, node) {
                    let whole = json::cell_at(&part, 0);
                    json::copy_value(&whole, &part, &mut self.out, &mut self.standing.copied);
                }
            }
            None => self.copy_out(cell),
        }
        self.out.len() > before
    }

    fn copy_out(&mut self, cell: Cell) {
        json::copy_value(&cell, self.view.text, &mut self.out, &mut self.standing.copied);
        self.lone += self.standing.copied.lone;
    }

    /// A text (or the spelling of a number or boolean) as the type wants it.
    fn put_text(&mut self, ty: &LeafType, leaf: &Leaf, text: &str, is_string: bool) -> Result<bool, Failed> {
        if text.is_empty() {
            return Ok(false);
        }
        match ty {
            LeafType::Text { max_bytes } => {
                let cut =
                    if text.len() > *max_bytes { text.floor_char_boundary(*max_bytes) } else { text.len() };
                if cut < text.len()
                    && let Some(counts) = &mut self.counts
                {
                    counts.cut[leaf.counter as usize] += 1;
                }
                json::push_quoted(&text[..cut], &mut self.out);
            }
            LeafType::Any => json::push_quoted(text, &mut self.out),
            LeafType::Int { min, max, quoted } => {
                let n = ops::integer(text)
                    .filter(|n| (i128::from(*min)..=i128::from(*max)).contains(n))
                    .ok_or(Failed::Fit)?;
                let mut digits = itoa::Buffer::new();
                let n = digits.format(n);
                if *quoted {
                    json::push_quoted(n, &mut self.out);
                } else {
                    self.out.extend_from_slice(n.as_bytes());
                }
            }
            LeafType::Float => {
                self.push_float(text, is_string)?;
            }
            LeafType::Bool => {
                let b = ops::boolean(text).ok_or(Failed::Fit)?;
                self.out.extend_from_slice(if b { b"true" } else { b"false" });
            }
            LeafType::Ip => {
                net::ip_family(text).ok_or(Failed::Fit)?;
                json::push_quoted(text, &mut self.out);
            }
            LeafType::Enum(values) => {
                if !values.contains(text) {
                    return Err(Failed::Fit);
                }
                json::push_quoted(text, &mut self.out);
            }
            LeafType::Time | LeafType::Object | LeafType::Panther(_) => return Err(Failed::Fit),
        }
        Ok(true)
    }

    fn push_float(&mut self, text: &str, is_string: bool) -> Result<(), Failed> {
        let spelled = &mut self.standing.whole;
        spelled.clear();
        ops::push_float(text, is_string, spelled).map_err(|_| Failed::Fit)?;
        self.out.extend_from_slice(spelled.as_bytes());
        Ok(())
    }

    /// Panther's coercions.
    pub(super) fn coerce(&mut self, coerce: &Coerce, cell: Cell, node: NodeId) -> Result<bool, Failed> {
        let text = self.view.text;
        let empty = cell.kind == Kind::String && cell.end - cell.start == 2;
        let token = self.pseudonyms.is_some()
            && !cell.kind.is_composite()
            && !empty
            && self.deeds.is_some_and(|deeds| deeds.of(node) == Deed::Token);
        match coerce {
            Coerce::Json if token => {
                push_pseudonym(self.pseudonyms, text, &cell, &mut self.out);
                return Ok(true);
            }
            Coerce::Json => return Ok(self.copy_json(cell, node)),
            Coerce::String { indicators, validate } => {
                if cell.kind.is_composite() {
                    return Err(Failed::Fit);
                }
                let before = self.out.len();
                if token {
                    push_pseudonym(self.pseudonyms, text, &cell, &mut self.out);
                } else if cell.kind.is_string() {
                    self.lone += (cell.kind == Kind::Lone) as u64;
                    json::copy_string(&cell, text, &mut self.out);
                } else {
                    self.out.push(b'"');
                    json::copy_raw(&cell, text, &mut self.out);
                    self.out.push(b'"');
                }
                if !indicators.is_empty() || !validate.is_empty() {
                    let chars = self.chars(cell);
                    // What is not allowed is not allowed under its pseudonym either.
                    validate.iter().try_for_each(|check| holds(check, &chars))?;
                    let pseudonym = token.then(|| {
                        let quoted = &self.out[before + 1..self.out.len() - 1];
                        String::from_utf8_lossy(quoted).into_owned()
                    });
                    let chars = pseudonym.map_or(chars, Cow::Owned);
                    self.hold_and_collect(indicators, &[], &chars)?;
                }
                return Ok(true);
            }
            _ if empty => return Ok(false),
            _ if cell.kind.is_composite() => return Err(Failed::Fit),
            _ => {}
        }
        let chars = self.chars(cell);
        self.coerce_chars(coerce, &chars, cell.kind)
    }

    /// A text that a transformation made, in the standing buffer.
    fn coerce_text(&mut self, coerce: &Coerce) -> Result<bool, Failed> {
        let text = std::mem::take(&mut self.standing.text);
        let wrote = match coerce {
            Coerce::Json => {
                json::push_quoted(&text, &mut self.out);
                Ok(true)
            }
            Coerce::String { indicators, validate } => {
                json::push_quoted(&text, &mut self.out);
                self.hold_and_collect(indicators, validate, &text).map(|()| true)
            }
            _ if text.is_empty() => Ok(false),
            _ => self.coerce_chars(coerce, &text, Kind::String),
        };
        self.standing.text = text;
        wrote
    }

    fn hold_and_collect(
        &mut self,
        indicators: &[indicator::Indicator],
        validate: &[Check],
        chars: &str,
    ) -> Result<(), Failed> {
        validate.iter().try_for_each(|check| holds(check, chars))?;
        let any = &mut self.standing.any;
        for &one in indicators {
            indicator::collect(one, chars, &mut |field, value: &str| any.add(field, value));
        }
        Ok(())
    }

    /// The characters of a scalar that is not empty, as a type other than string and json.
    fn coerce_chars(&mut self, coerce: &Coerce, chars: &str, kind: Kind) -> Result<bool, Failed> {
        let number = kind == Kind::Number;
        match coerce {
            Coerce::Int { min, max } => {
                let n = if number || kind.is_string() { ops::integer(chars) } else { None };
                let n = n.filter(|n| (*min as i128..=*max as i128).contains(n)).ok_or(Failed::Fit)?;
                self.out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
            }
            Coerce::Float => {
                if !number && !kind.is_string() {
                    return Err(Failed::Fit);
                }
                self.push_float(chars, !number)?;
            }
            Coerce::Boolean => {
                let b = match kind {
                    Kind::Number if !matches!(chars, "0" | "1") => None,
                    _ => ops::boolean(chars),
                };
                self.out.extend_from_slice(if b.ok_or(Failed::Fit)? { b"true" } else { b"false" });
            }
            Coerce::Timestamp { formats, is_event_time, own_form } => {
                if !number && !kind.is_string() {
                    return Err(Failed::Fit);
                }
                let instant = ops::read_time(formats, chars, !number).ok_or(Failed::Fit)?;
                // Year one is Go's zero time: no time at all.
                if *is_event_time && self.event_time.is_none() && instant != Instant::MIN {
                    self.event_time = Some(instant);
                }
                let quoted = !(*own_form && formats[0].writes_number());
                self.out.extend_from_slice(if quoted { b"\"" } else { b"" });
                match own_form {
                    true => time::write_own(&formats[0], chars, instant, &mut self.out),
                    false => self.standing.event_times.push(instant, &mut self.out),
                }
                self.out.extend_from_slice(if quoted { b"\"" } else { b"" });
            }
            Coerce::String { .. } | Coerce::Json => {}
        }
        Ok(true)
    }

    /// Any JSON value as it stands; empty containers and texts too.
    fn copy_json(&mut self, cell: Cell, node: NodeId) -> bool {
        if cell.kind.is_composite() && self.deeds.is_some() {
            return self.copy(cell, node);
        }
        self.copy_out(cell);
        true
    }
}

/// Checks of a schema; each denied value denies, the empty text passes only what lists it.
fn holds(check: &Check, text: &str) -> Result<(), Failed> {
    let (holds, what) = match check {
        Check::Allow(list) => (list.iter().any(|t| t == text), "the value is not among those allowed"),
        Check::Deny(list) => (!list.iter().any(|t| t == text), "the value is denied"),
        Check::Ip(family) => (fits(net::ip_family(text), *family), "not an IP address of the family wanted"),
        Check::Cidr(family) => {
            (fits(net::cidr_family(text), *family), "not a CIDR block of the family wanted")
        }
    };
    if holds { Ok(()) } else { Err(Failed::Check(what)) }
}

fn fits(found: Option<net::Family>, wanted: Option<net::Family>) -> bool {
    found.is_some_and(|f| wanted.is_none_or(|w| w == f))
}
