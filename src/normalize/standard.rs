//! The standard fields behind a stored Panther event, and the indicator values gathered for them.

use super::pen::Pen;
use crate::json;
use crate::ops::indicator::AnyField;
use crate::ops::time::{Instant, write_stored};
use crate::plan::Standard;

/// Indicator values of one event, in one buffer.
#[derive(Debug, Default)]
pub(super) struct AnyValues {
    text: String,
    values: Vec<(AnyField, u32, u32)>,
}

impl AnyValues {
    pub(super) fn add(&mut self, field: AnyField, value: &str) {
        if value.is_empty() {
            return;
        }
        let start = self.text.len() as u32;
        self.text.push_str(value);
        self.values.push((field, start, self.text.len() as u32));
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
    }
}

/// The last time that was written: the next is often the same.
#[derive(Debug, Default)]
pub(super) struct Stored {
    of: Option<Instant>,
    text: Vec<u8>,
}

impl Stored {
    pub(super) fn push(&mut self, instant: Instant, out: &mut Vec<u8>) {
        if self.of != Some(instant) {
            self.text.clear();
            write_stored(instant, &mut self.text);
            self.of = Some(instant);
        }
        out.extend_from_slice(&self.text);
    }
}

impl Pen<'_> {
    /// The standard fields of a stored Panther event.
    pub(super) fn standard(
        &mut self,
        standard: &Standard,
        now: Instant,
        row_id: &mut dyn FnMut(usize),
    ) {
        let out = &mut self.out;
        out.extend_from_slice(&standard.head);
        row_id(out.len());
        out.extend_from_slice(&[b'0'; 32]);
        out.extend_from_slice(b"\",\"p_event_time\":\"");
        self.standing.event_times.push(self.event_time.unwrap_or(now), out);
        out.extend_from_slice(b"\",\"p_parse_time\":\"");
        self.standing.parse_times.push(now, out);
        out.extend_from_slice(&standard.version);
        let AnyValues { text, values } = &mut self.standing.any;
        let value = |v: &(AnyField, u32, u32)| &text[v.1 as usize..v.2 as usize];
        values.sort_unstable_by(|a, b| (a.0, value(a)).cmp(&(b.0, value(b))));
        values.dedup_by(|a, b| a.0 == b.0 && value(a) == value(b));
        for group in values.chunk_by(|a, b| a.0 == b.0) {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(group[0].0.name().as_bytes());
            out.extend_from_slice(b"\":[");
            for (i, one) in group.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                json::push_quoted(value(one), out);
            }
            out.push(b']');
        }
    }
}
