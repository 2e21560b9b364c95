//! The standard fields behind an event of a Panther schema, and the indicator values gathered for them.

use super::pen::{Pen, Refusal};
use crate::json::{self, SHORT};
use crate::ops::indicator::AnyField;
use crate::ops::time::{Instant, write_rfc3339_nano, write_stored};
use crate::plan::{Form, Standard};

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

/// The last time that was written: the next is often the same, or at least of the same day.
#[derive(Debug, Default)]
pub(super) struct Stored {
    of: Option<Instant>,
    /// When its day began.
    day: i64,
    /// Its text, and what fills it up to a length that is copied fast.
    text: Vec<u8>,
    len: usize,
    /// Where the hour stands.
    hour: usize,
}

impl Stored {
    pub(super) fn push(&mut self, instant: Instant, out: &mut Vec<u8>) {
        self.push_as(write_stored, instant, out);
    }

    /// In a form that is the same for all times.
    pub(super) fn push_as(&mut self, write: fn(Instant, &mut Vec<u8>), instant: Instant, out: &mut Vec<u8>) {
        self.set(write, instant);
        out.extend_from_slice(&self.text[..self.len]);
    }

    /// What was written last, and its length: that of a time with nanoseconds at most, of four digits in its year.
    #[inline(always)]
    pub(super) fn short(&self) -> (&[u8; SHORT], usize) {
        (self.text.first_chunk().unwrap_or(&[0; SHORT]), self.len.min(SHORT))
    }

    /// Makes the text of a time ready, in whose form the first colon stands behind the hour.
    pub(super) fn set(&mut self, write: fn(Instant, &mut Vec<u8>), instant: Instant) {
        if self.of != Some(instant) {
            let second = instant.secs.wrapping_sub(self.day);
            let near = |last: Instant| last.nanos == instant.nanos && (0..86_400).contains(&second);
            let clock = self.text.get_mut(self.hour..).and_then(|text| text.first_chunk_mut::<8>());
            match clock {
                Some(clock) if self.of.is_some_and(near) => {
                    let second = second as u32;
                    let two = |n: u32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
                    let [a, b] = two(second / 3600);
                    let [c, d] = two(second / 60 % 60);
                    let [e, f] = two(second % 60);
                    *clock = [a, b, b':', c, d, b':', e, f];
                }
                _ => {
                    self.day = instant.secs - instant.secs.rem_euclid(86_400);
                    self.text.clear();
                    write(instant, &mut self.text);
                    self.len = self.text.len();
                    self.text.resize(self.len.max(SHORT), 0);
                    let colon = memchr::memchr(b':', &self.text);
                    self.hour = colon.unwrap_or(0).saturating_sub(2);
                }
            }
            self.of = Some(instant);
        }
    }
}

impl Pen<'_> {
    /// The standard fields of an event of a Panther schema.
    pub(super) fn standard(
        &mut self,
        standard: &Standard,
        now: Instant,
        row_id: &mut dyn FnMut(usize),
    ) -> Result<(), Box<Refusal>> {
        let out = &mut self.out;
        out.extend_from_slice(&standard.head);
        row_id(out.len());
        out.extend_from_slice(&[b'0'; 32]);
        out.extend_from_slice(b"\",\"p_event_time\":\"");
        let event_time = self.event_time.unwrap_or(now);
        match standard.form {
            Form::Stored => self.standing.event_times.push(event_time, out),
            Form::Test => write_rfc3339_nano(event_time, out),
        }
        out.extend_from_slice(b"\",\"p_parse_time\":\"");
        match standard.form {
            Form::Stored => self.standing.parse_times.push(now, out),
            Form::Test => write_rfc3339_nano(now, out),
        }
        out.extend_from_slice(&standard.tail);
        if let Some(core) = &standard.core {
            let before = self.out.len();
            self.out.extend_from_slice(b",\"p_udm\":");
            let start = self.out.len();
            if self.fields(core)? {
                // The first comma was room for the brace.
                self.out[start] = b'{';
                self.out.push(b'}');
            } else {
                self.out.truncate(before);
            }
        }
        self.indicators();
        Ok(())
    }

    /// The lists of indicator values, each distinct and sorted.
    fn indicators(&mut self) {
        let out = &mut self.out;
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
