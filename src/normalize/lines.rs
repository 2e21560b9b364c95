//! Lines of text: each is one record, tried by every schema in order. A text parser makes a JSON
//! object of the line in a buffer of the worker's, which is then walked and written like any other.

use std::ops::Range;

use super::pen::Refusal;
use super::read::Facts;
use super::record::Verdict;
use super::{Dead, Scratch, Watch, Work, dead};
use crate::json::{self, FaultKind};
use crate::metrics::Reason;
use crate::ops::text::Parsed;
use crate::plan::{Content, Lane, Plan, Route};
use crate::records::Batch;

/// What a text parser takes from the first line of an input, and where that line stands.
#[derive(Debug)]
pub(super) struct Header {
    at: u64,
    values: Vec<String>,
}

/// By target and lane of the records that no source recognises.
pub(super) type Headers = Vec<Vec<Option<Header>>>;

/// The headers of a batch's input, where a schema asks for one.
pub(super) fn headers(plan: &Plan, batch: &Batch) -> Headers {
    let Some(row) = plan.lanes.last().filter(|_| plan.text_lines) else {
        return Headers::new();
    };
    let of_lane = |lane: &Lane| {
        let parser = lane.text.as_ref().filter(|p| p.wants_header())?;
        let mut lines =
            batch.head.iter().filter_map(|(at, line)| Some((*at, std::str::from_utf8(line).ok()?)));
        let (at, line) = lines.find(|(_, line)| !parser.skips(line))?;
        Some(Header { at, values: parser.header(line) })
    };
    row.iter()
        .map(|route| match route {
            Route::Nowhere => Vec::new(),
            Route::Lanes(lanes) => lanes.iter().map(of_lane).collect(),
        })
        .collect()
}

/// What a schema makes of a line.
enum Made {
    Written(Verdict),
    /// A header or a comment, which is no record of this schema.
    Skipped,
}

impl Work<'_> {
    /// One line, which is one record whatever it holds.
    pub(super) fn text_line(&mut self, trimmed: Range<usize>) {
        let plan = self.plan;
        let source = plan.sources.len();
        let range = self.whole_line(&trimmed);
        self.nested = None;
        self.utf8 = false;
        if let Some(fault) = self.not_utf8(range.clone()) {
            return self.refuse_text(trimmed, fault);
        }
        self.utf8 = true;
        let is_json = self.walk_line(&trimmed);
        let facts = Facts::default();
        // What a source recognises goes its way, under the content mode of that source.
        if plan.only_source.is_some() || (is_json && self.recognise(&facts).is_some()) {
            return match is_json {
                true => self.record(trimmed, &facts),
                false => self.line(trimmed),
            };
        }
        let record = self.count_untyped(source, range.start);
        let shown = plan.content == Content::Full;
        for target in 0..plan.targets.len() {
            let made = match &plan.lanes[source][target] {
                Route::Nowhere => Err(Dead::new(Reason::Unknown, "no source recognises this record".into())),
                Route::Lanes(lanes) => {
                    let mut refusals = Vec::new();
                    let made = lanes.iter().enumerate().find_map(|(index, lane)| {
                        match self.lane_of_line((target, index, lane), record, &range, &trimmed, is_json) {
                            Ok(made) => {
                                if plan.tell_ambiguous && matches!(made, Made::Written(_)) {
                                    self.also_taken(target, lanes, index, |work, other| {
                                        let lane = (target, other, &lanes[other]);
                                        let made = work.lane_of_line(lane, record, &range, &trimmed, is_json);
                                        matches!(made, Ok(Made::Written(_)))
                                    });
                                }
                                Some(made)
                            }
                            Err(refusal) => {
                                refusals.push((index, refusal));
                                None
                            }
                        }
                    });
                    made.ok_or_else(|| dead::refused(lanes, &refusals, shown))
                }
            };
            match made {
                Ok(Made::Skipped) => self.of_target(target, |o| o.dropped += 1),
                Ok(Made::Written(v)) => self.written(target, &v),
                Err(dead) => {
                    let reason = dead.reason;
                    self.of_target(target, |o| o.dead[reason as usize] += 1);
                    let dead = Dead { target: Some(target as u16), ..dead };
                    self.bury(trimmed.clone(), None, false, record, dead);
                }
            }
        }
    }

    /// The line with the white space at its ends, which may be empty values, without its line end.
    fn whole_line(&self, trimmed: &Range<usize>) -> Range<usize> {
        let before = self.text[..trimmed.start].iter().rev();
        let start = trimmed.start - before.take_while(|b| matches!(b, b' ' | b'\t')).count();
        let behind = self.text[trimmed.end..].iter();
        let end = trimmed.end + behind.take_while(|b| matches!(b, b' ' | b'\t')).count();
        start..end
    }

    /// Whether the line is one JSON object; its slots are then filled.
    fn walk_line(&mut self, line: &Range<usize>) -> bool {
        let text = &self.text[..line.end];
        text.get(line.start) == Some(&b'{')
            && self.walk(line.clone()).is_ok_and(|end| json::skip_space(text, end) >= line.end)
    }

    /// Fills the slots from the object at the start of the range.
    fn walk(&mut self, range: Range<usize>) -> Result<usize, json::Fault> {
        self.look(range.clone());
        let Scratch { index, slots, .. } = &mut *self.scratch;
        json::walk(&self.plan.want, &self.text[..range.end], index.marks(), range.start, self.depth, slots)
    }

    fn lane_of_line(
        &mut self,
        (target, index, lane): (usize, usize, &Lane),
        record: u64,
        range: &Range<usize>,
        trimmed: &Range<usize>,
        is_json: bool,
    ) -> Result<Made, Refusal> {
        let no = |reason, what: String| Refusal { reason, path: String::new(), what, shown: None };
        let Some(parser) = &lane.text else {
            // The schema before this one may have left another line's slots.
            if !is_json || !self.walk_line(trimmed) {
                return Err(no(Reason::NotObject, "the line is no JSON object".into()));
            }
            return self.write_line((target, index, lane), record, trimmed.clone()).map(Made::Written);
        };
        let header = self.headers.get(target).and_then(|lanes| lanes.get(index)?.as_ref());
        if header.is_some_and(|h| h.at == self.base + range.start as u64) {
            return Ok(Made::Skipped);
        }
        let line = std::str::from_utf8(&self.text[range.clone()]).unwrap_or_default();
        let mut object = std::mem::take(&mut self.scratch.object);
        object.clear();
        let parsed = parser.object(line, header.map(|h| h.values.as_slice()), &mut object);
        let made = match parsed {
            Ok(Parsed::Skipped) => Ok(Made::Skipped),
            Err(what) => Err(no(Reason::NoMatch, what)),
            Ok(Parsed::Object) => {
                let mut inner = self.inside(&object, Some(self.place.unwrap_or(range.start)));
                match inner.walk(0..object.len()) {
                    Ok(_) => {
                        inner.write_line((target, index, lane), record, 0..object.len()).map(Made::Written)
                    }
                    Err(fault) => Err(no(Reason::NoMatch, fault.kind.to_string())),
                }
            }
        };
        self.scratch.object = object;
        made
    }

    /// Counts the lanes behind the one that took a record that would have taken it too.
    pub(super) fn also_taken(
        &mut self,
        target: usize,
        lanes: &[Lane],
        taken: usize,
        mut takes: impl FnMut(&mut Self, usize) -> bool,
    ) {
        let (written, ids) = (self.out.targets[target].len(), self.out.row_ids.len());
        self.trial = true;
        for other in taken + 1..lanes.len() {
            if takes(self, other) {
                self.out.targets[target].truncate(written);
                self.out.row_ids.truncate(ids);
                let pair = (lanes[taken].name.as_str().into(), lanes[other].name.as_str().into());
                *self.scratch.counts.ambiguous.entry(pair).or_default() += 1;
            }
        }
        self.trial = false;
    }

    fn write_line(
        &mut self,
        (target, index, lane): (usize, usize, &Lane),
        record: u64,
        range: Range<usize>,
    ) -> Result<Verdict, Refusal> {
        let source = self.plan.sources.len();
        let at = range.start;
        let lane = (target, index, lane, None);
        let verdict = self.try_lane(source, lane, record, range, &Facts::default()).map_err(|r| *r)?;
        if self.trial {
            return Ok(verdict);
        }
        let shown = self.plan.content == Content::Full;
        self.collect_leaves(None, shown, false);
        let at = self.place.unwrap_or(at);
        self.count_leaves((source, target, Some(index)), false, shown, at);
        Ok(verdict)
    }

    /// The same work on a text made of this one. Dead letters name the place in this one.
    fn inside<'b>(&'b mut self, text: &'b [u8], place: Option<usize>) -> Work<'b> {
        Work {
            plan: self.plan,
            text,
            looked: false,
            depth: self.depth,
            now: self.now,
            scratch: self.scratch,
            out: self.out,
            lines: dead::Lines::new(self.lines.batch),
            utf8: true,
            payload_field: None,
            nested: None,
            open: None,
            filled: None,
            watch: self.watch.as_mut().map(|watch| &mut **watch as &mut Watch<'b>),
            headers: Headers::new(),
            base: self.base,
            place,
            trial: self.trial,
        }
    }

    /// A CloudWatch Logs envelope: the message of each of its log events is a record.
    pub(super) fn cloudwatch(&mut self, range: Range<usize>) {
        self.utf8 = false;
        let text = &self.text[..range.end];
        let whole = match self.not_utf8(range.clone()) {
            Some(fault) => Err(fault),
            None => json::skip_value(text, range.start, self.depth),
        };
        match whole {
            Err(fault) => return self.refuse_text(range, fault),
            Ok(end) if json::skip_space(text, end) < range.end => {
                let at = json::skip_space(text, end);
                return self.refuse_text(range, json::Fault { at, kind: FaultKind::Trailing });
            }
            Ok(_) if text[range.start] != b'{' => {
                let dead = Dead::new(Reason::NotObject, "an envelope must be a JSON object".into());
                return self.refuse_all(range, None, true, dead);
            }
            Ok(_) => {}
        }
        let (mut control, mut events) = (false, None);
        json::members(text, range.start, &mut |key, at| {
            let cell = json::cell_at(text, at);
            match key {
                b"messageType" => control = cell.raw(text) == b"\"CONTROL_MESSAGE\"",
                b"logEvents" if cell.kind.is_array() => events = Some(at),
                _ => {}
            }
            (cell.end as usize).max(at + 1)
        });
        match events {
            // CloudWatch asks in this way whether anybody listens.
            _ if control => {
                let row = self.plan.sources.len();
                self.count_untyped(row, range.start);
                self.outcome(|o| o.dropped += 1);
            }
            None => {
                self.refuse_envelope(range, "logEvents", "a CloudWatch Logs envelope has a list `logEvents`")
            }
            Some(at) => {
                let mut elements = Vec::new();
                json::elements(text, at, &mut |at| {
                    elements.push(at);
                    (json::cell_at(text, at).end as usize).max(at + 1)
                });
                elements.into_iter().for_each(|at| self.message(at));
            }
        }
    }

    /// One log event of an envelope.
    fn message(&mut self, at: usize) {
        let text = self.text;
        let mut message = None;
        let end = json::cell_at(text, at).end as usize;
        if text[at] == b'{' {
            json::members(text, at, &mut |key, at| {
                let cell = json::cell_at(text, at);
                if key == b"message" {
                    message = Some(cell).filter(|cell| cell.kind.is_string());
                }
                (cell.end as usize).max(at + 1)
            });
        }
        let Some(message) = message else {
            return self.refuse_envelope(at..end, "logEvents[].message", "a log event has a text `message`");
        };
        let mut line = std::mem::take(&mut self.scratch.message);
        line.clear();
        json::unescape(message.inner(text), &mut line);
        let trimmed = line.trim_ascii();
        let start = line.len() - line.trim_ascii_start().len();
        let range = start..start + trimmed.len();
        if !range.is_empty() {
            let text_lines = self.plan.text_lines;
            let mut inner = self.inside(line.as_bytes(), Some(message.start as usize));
            match text_lines {
                true => inner.text_line(range),
                false => inner.line(range),
            }
        }
        self.scratch.message = line;
    }

    /// What should hold records and does not.
    pub(super) fn refuse_envelope(&mut self, range: Range<usize>, path: &str, what: &str) {
        let mut dead = Dead::new(Reason::NoRecords, what.into());
        dead.path = Some(path.into());
        self.refuse_all(range, None, true, dead);
    }

    /// The object that was walked is the envelope that the user names: its list holds the records.
    /// Gives the end of what is spoiled.
    pub(super) fn named_envelope(&mut self, range: Range<usize>, end: usize) -> usize {
        let view = json::View { text: self.text, slots: &self.scratch.slots };
        let cell = self.plan.envelopes.first().map(|&node| view.cell(self.plan.want.slot(node), 0));
        let cell = cell.unwrap_or_default();
        let path = self.plan.envelope_paths.first().map(|p| p.join(".")).unwrap_or_default();
        match cell.kind {
            kind if kind.is_array() => {
                let (_, broken) = self.elements(cell.start as usize..cell.end as usize);
                return if broken { range.end } else { end };
            }
            json::Kind::Null => {}
            json::Kind::Absent => {
                self.refuse_envelope(range.start..end, &path, "the list that `--records` names is not there")
            }
            _ => self.refuse_envelope(range.start..end, &path, "what `--records` names is no list"),
        }
        end
    }
}
