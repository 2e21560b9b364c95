//! The hot path of one record, whole: walk, recognise, fill slots, write shapes, count. Knows no
//! thread, no file and no YAML; never fails: what is wrong with a record becomes its verdict.

mod allowed;
mod dead;
mod discover;
mod elements;
mod embedded;
mod flat;
mod joined;
mod leaf;
mod leaves;
mod lines;
mod lists;
mod partial;
mod payload;
mod pen;
mod quick;
mod read;
mod record;
mod row;
mod standard;
mod straight;
mod twins;
mod value;

use std::ops::Range;

pub use dead::{Dead, NamesOf};

use crate::json::{self, Fault, FaultKind, Index, NodeId, Slots, View};
use crate::metrics::{Counts, LaneCounts, Reason, type_of};
use crate::ops::time::Instant;
use crate::plan::{Content, PayloadView, Plan, Route};
use crate::records::{self, Batch, Broken, Framing, Limits, Unit, UnitKind};
use leaves::Leaf;
use payload::{Steps, Way};
use pen::{Pen, Standing};
use read::Facts;
use twins::Twins;

/// One worker's memory: everything a record needs, reused for the next.
#[derive(Debug)]
pub struct Scratch {
    /// The strings of the unit at hand.
    index: Index,
    slots: Slots,
    counts: Counts,
    twins: Twins,
    standing: Standing,
    expanded: embedded::Expanded,
    kind: String,
    /// The source and the number of the type of the record at hand, where it is counted.
    of: (usize, usize),
    /// Leaves of the record.
    hits: Vec<Leaf>,
    /// The last batch in the order of the inputs, and whether the one at hand comes before it.
    latest: (u32, u64),
    late: bool,
    elements: Vec<Range<usize>>,
    /// The object that a text parser made of a line.
    object: Vec<u8>,
    /// A message out of an envelope.
    message: String,
}

impl Scratch {
    pub fn new(plan: &Plan) -> Scratch {
        Scratch {
            index: Index::default(),
            slots: Slots::new(&plan.want),
            counts: Counts::new(plan),
            twins: Twins::default(),
            standing: Standing::new(plan),
            expanded: embedded::Expanded::new(&plan.want),
            kind: String::new(),
            of: (0, 0),
            hits: Vec::new(),
            latest: (0, 0),
            late: false,
            elements: Vec::new(),
            object: Vec::new(),
            message: String::new(),
        }
    }

    /// Everything that was counted.
    pub fn into_counts(mut self) -> Counts {
        self.twins.settle(&mut self.counts);
        for LaneCounts { bundles, leaves, .. } in self.counts.lanes.iter_mut().flatten().flatten() {
            bundles.settle(|bundle, records| {
                for (node, kind) in self.slots.bundle(bundle) {
                    leaves.add(node, type_of(kind) as usize, records);
                }
            });
        }
        self.counts
    }
}

/// What one batch became.
#[derive(Debug, Default)]
pub struct Output {
    /// NDJSON by target.
    pub targets: Vec<Vec<u8>>,
    pub dead: Vec<Dead>,
    /// Places where the run's row ids go.
    pub row_ids: Vec<RowId>,
    pub records: u64,
}

impl Output {
    /// Emptied for the next batch; the memory stays.
    pub fn clear(&mut self, targets: usize) {
        self.targets.resize_with(targets, Vec::new);
        self.targets.iter_mut().for_each(Vec::clear);
        self.dead.clear();
        self.row_ids.clear();
        self.records = 0;
    }
}

/// 32 bytes of an output that the run fills in when it knows how many records came before.
#[derive(Clone, Copy, Debug)]
pub struct RowId {
    pub target: u16,
    pub at: usize,
    /// The record's number within the batch, and the event's within the record.
    pub record: u64,
    pub event: u32,
    /// SHA-256 of the record, where its row id is to be found again.
    pub content: Option<[u8; 32]>,
}

/// Normalizes every record of a batch.
pub fn batch(
    plan: &Plan,
    batch: &Batch,
    limits: &Limits,
    now: Instant,
    scratch: &mut Scratch,
    out: &mut Output,
) {
    each_unit(plan, batch, limits, now, scratch, out, None);
}

/// Hands over every record of a batch, with the source that recognises it, in place of normalizing
/// it. What is no record is refused as ever.
pub fn records(
    plan: &Plan,
    batch: &Batch,
    limits: &Limits,
    scratch: &mut Scratch,
    out: &mut Output,
    f: &mut Watch,
) {
    each_unit(plan, batch, limits, Instant::MIN, scratch, out, Some(f));
}

/// Takes the text of one record and its source.
pub type Watch<'a> = dyn FnMut(&[u8], Option<usize>) + 'a;

fn each_unit<'a>(
    plan: &'a Plan,
    batch: &'a Batch,
    limits: &Limits,
    now: Instant,
    scratch: &'a mut Scratch,
    out: &'a mut Output,
    watch: Option<&'a mut Watch<'a>>,
) {
    out.clear(plan.targets.len());
    scratch.counts.blank_lines += batch.blank_lines;
    let place = (batch.input, batch.base);
    scratch.late = place < scratch.latest;
    scratch.latest = place.max(scratch.latest);
    let lines = dead::Lines::new(batch);
    let (text, depth) = (batch.bytes.as_slice(), limits.depth);
    let headers = lines::headers(plan, batch);
    let base = batch.base;
    let (utf8, nested, place, trial) = (false, None, None, false);
    let looked = false;
    // Of no line yet.
    let mut ahead = if !plan.text_lines && is_lines(batch) { 0 } else { usize::MAX };
    let mut work = Work {
        plan,
        text,
        looked,
        depth,
        now,
        scratch,
        out,
        lines,
        utf8,
        payload_field: None,
        nested,
        open: None,
        filled: None,
        watch,
        headers,
        base,
        place,
        trial,
    };
    for (n, unit) in batch.units.iter().enumerate() {
        let range = unit.start as usize..unit.end as usize;
        if range.start >= ahead {
            ahead = work.look_ahead(&batch.units[n..]);
        }
        match &unit.kind {
            UnitKind::Line if batch.framing == Framing::CloudWatch => work.cloudwatch(range),
            UnitKind::Line if plan.text_lines => work.text_line(range),
            UnitKind::Line => work.line(range),
            UnitKind::Element => work.one(range),
            UnitKind::Broken(broken) => work.broken(range, broken),
        }
    }
}

/// Whether every unit begins a line.
fn is_lines(batch: &Batch) -> bool {
    let begins = |at: u32| at == 0 || batch.bytes[at as usize - 1] == b'\n';
    batch.framing != Framing::CloudWatch
        && batch.units.iter().all(|unit| unit.kind == UnitKind::Line && begins(unit.start))
}

/// So much of a text is looked at before it is walked: together with what is found there it fits into the
/// nearest cache.
const AHEAD: usize = 16 << 10;

/// Finds the strings of a text; whether it is UTF-8.
fn look(index: &mut Index, text: &[u8], range: Range<usize>) -> bool {
    index.build(text, range.clone());
    match index.wide() {
        Some(wide) => wide.iter().all(|range| json::check_utf8(&text[range.clone()]).is_ok()),
        None => json::check_utf8(&text[range]).is_ok(),
    }
}

struct Work<'a> {
    plan: &'a Plan,
    text: &'a [u8],
    /// The index is of the line at hand and others: no string in it goes beyond its line, and all of it is
    /// UTF-8. Its code is then not fetched again for each line: of 162 misses a record, simulated, 87
    /// were left.
    looked: bool,
    depth: usize,
    now: Instant,
    scratch: &'a mut Scratch,
    out: &'a mut Output,
    lines: dead::Lines<'a>,
    /// The text of the unit is known to be UTF-8.
    utf8: bool,
    /// Its payload as a field of its name, and the payload's root.
    payload_field: Option<(NodeId, NodeId)>,
    /// Where its payload stands, if that is inside a member that no path leads into.
    nested: Option<usize>,
    /// Only what its like need of the record at hand is filled in; the way to its payload.
    open: Option<Option<Way>>,
    /// The steps to the payload, where all was filled in after all.
    filled: Option<Steps>,
    /// Gets the records that would be normalized.
    watch: Option<&'a mut Watch<'a>>,
    headers: lines::Headers,
    /// Offset of the batch in its input.
    base: u64,
    /// Where the text was taken from, if it is none of the batch's own.
    place: Option<usize>,
    /// What is written now is taken back, and not counted.
    trial: bool,
}

impl<'a> Work<'a> {
    /// Looks at the first of some lines and at more behind it; the offset up to where.
    fn look_ahead(&mut self, lines: &[Unit]) -> usize {
        let start = lines[0].start;
        let near = |line: &&Unit| (line.end - start) as usize <= AHEAD;
        let end = lines.iter().take_while(near).last().unwrap_or(&lines[0]).end as usize;
        let index = &mut self.scratch.index;
        self.looked = look(index, self.text, start as usize..end) && !index.marks().is_empty();
        end
    }

    /// What is known of a unit before it is walked: where its strings are, and whether it is UTF-8.
    /// Where it is not, each of its records answers for itself.
    fn look(&mut self, range: Range<usize>) {
        self.utf8 = self.looked || look(&mut self.scratch.index, self.text, range);
    }

    /// A line may hold one value, several, an array, an envelope, or a syslog message around one.
    fn line(&mut self, range: Range<usize>) {
        self.look(range.clone());
        let mut at = range.start;
        while at < range.end {
            at = match self.text[at] {
                b'{' | b'[' => self.value(at..range.end, &Facts::NONE),
                _ => match records::strip_syslog(&self.text[at..range.end]) {
                    Some(frame) if !frame.message.is_empty() => {
                        let message = at + frame.message.start..at + frame.message.end;
                        let facts = Facts::of(&frame);
                        self.value(message, &facts);
                        at + frame.len
                    }
                    _ => self.no_object(at..range.end),
                },
            };
            at = json::skip_space(self.text, at).min(range.end).max(at);
        }
    }

    /// Exactly one value of an array or an envelope.
    fn one(&mut self, range: Range<usize>) {
        self.look(range.clone());
        match self.text[range.start] {
            b'{' => self.object(range, &Facts::NONE, false),
            _ => self.no_object(range),
        };
    }

    /// Where the text of a record stops being UTF-8.
    fn not_utf8(&self, range: Range<usize>) -> Option<Fault> {
        if self.utf8 {
            return None;
        }
        let fault = json::check_utf8(&self.text[range.clone()]).err()?;
        Some(Fault { at: range.start + fault.at, ..fault })
    }

    /// The value at the start of `range`; the offset behind it, or behind everything it spoiled.
    fn value(&mut self, range: Range<usize>, facts: &Facts) -> usize {
        if self.text[range.start] == b'{' {
            return self.object(range, facts, true);
        }
        let (end, broken) = self.elements(range.clone());
        if broken { range.end } else { end }
    }

    /// The elements of the array at the start of `range`, each a record.
    fn elements(&mut self, range: Range<usize>) -> (usize, bool) {
        let mut elements = std::mem::take(&mut self.scratch.elements);
        elements.clear();
        let (end, broken) = records::elements(self.text, range, &mut elements);
        for element in &elements {
            match self.text[element.start] {
                b'{' => self.object(element.clone(), &Facts::NONE, false),
                _ => self.no_object(element.clone()),
            };
        }
        self.scratch.elements = elements;
        if let Some(rest) = broken.clone() {
            self.refuse_text(rest.clone(), Fault { at: rest.end, kind: FaultKind::End });
        }
        (end, broken.is_some())
    }

    /// A scalar, or no JSON at all: refused as one record. Gives the end of `range`.
    fn no_object(&mut self, range: Range<usize>) -> usize {
        if let Some(fault) = self.not_utf8(range.clone()) {
            self.refuse_text(range.clone(), fault);
            return range.end;
        }
        let text = &self.text[..range.end];
        let whole = json::skip_value(text, range.start, self.depth).and_then(|end| {
            match json::skip_space(text, end) {
                end if end >= range.end => Ok(()),
                at => Err(Fault { at, kind: FaultKind::Trailing }),
            }
        });
        match whole {
            Err(fault) => self.refuse_text(range.clone(), fault),
            Ok(()) => {
                let dead = Dead::new(Reason::NotObject, "a record must be a JSON object".into());
                self.refuse_all(range.clone(), None, true, dead);
            }
        }
        range.end
    }

    fn broken(&mut self, range: Range<usize>, broken: &Broken) {
        let mut dead = match broken {
            Broken::TooLarge { bytes, sha256 } => {
                let message = format!("{bytes} bytes are more than a record may have");
                Dead { sha256: Some(*sha256), ..Dead::new(Reason::TooLarge, message) }
            }
            Broken::Truncated => {
                Dead::new(Reason::Truncated, "the input ends inside an array or envelope".into())
            }
            Broken::Garbage => Dead::new(Reason::NotJson, "not JSON: no value ends here".into()),
        };
        dead.whole = !matches!(broken, Broken::TooLarge { .. });
        self.refuse_all(range, None, true, dead);
    }

    /// A text that is no JSON, refused as one record.
    fn refuse_text(&mut self, range: Range<usize>, fault: Fault) {
        let reason = match fault.kind {
            FaultKind::Utf8 => Reason::NotUtf8,
            FaultKind::Depth => Reason::TooDeep,
            _ => Reason::NotJson,
        };
        let at = fault.at.clamp(range.start, range.end) - range.start;
        let message = match reason {
            Reason::NotJson => format!("not JSON: {} (byte {at} of the record)", fault.kind),
            _ => format!("{} (byte {at} of the record)", fault.kind),
        };
        self.refuse_all(range, None, true, Dead::new(reason, message));
    }

    /// The object at the start of `range`. In a line, other values may stand behind it.
    fn object(&mut self, range: Range<usize>, facts: &Facts, in_line: bool) -> usize {
        let text = &self.text[..range.end];
        let extent = || match in_line {
            true => records::value_end(text, range.start).unwrap_or(range.end),
            false => range.end,
        };
        let walked = match self.utf8 {
            true => None,
            false => self.not_utf8(range.start..extent()),
        };
        let walked = match walked {
            Some(fault) => Err(fault),
            None => {
                let Scratch { index, slots, .. } = &mut *self.scratch;
                let text = (self.text, range.end);
                json::follow(&self.plan.want, text, index.marks(), range.start, self.depth, slots)
            }
        };
        let (end, open) = match walked {
            Ok(found) => found,
            Err(fault) => return self.bad_object(range.start..extent(), fault, in_line),
        };
        let behind = json::skip_space(text, end);
        if behind < range.end && !(in_line && matches!(text[behind], b'{' | b'[')) {
            self.refuse_text(range.clone(), Fault { at: behind, kind: FaultKind::Trailing });
            return range.end;
        }
        if open {
            let named = in_line && self.plan.named_envelope;
            if !named && self.told(range.start..end, facts) {
                return end;
            }
            let Scratch { index, slots, .. } = &mut *self.scratch;
            slots.fill(&self.plan.want, self.text, index.marks(), range.start);
        }
        if in_line && self.plan.named_envelope {
            return self.named_envelope(range, end);
        }
        if in_line && let Some(list) = self.envelope() {
            let (_, broken) = self.elements(list);
            return if broken { range.end } else { end };
        }
        self.record(range.start..end, facts);
        end
    }

    /// Fills in what was left open of the record at `at`; the steps to its payload, if there are any.
    fn fill(&mut self, at: usize) -> Option<Steps> {
        let way = self.open.take()?;
        let Scratch { index, slots, .. } = &mut *self.scratch;
        slots.fill(&self.plan.want, self.text, index.marks(), at);
        way.map(|way| self.go(&way))
    }

    /// An object that is no JSON costs itself; if it is an envelope, its records are still told
    /// apart, and what is wrong is wrong with one of them. Gives the end of what it spoiled.
    fn bad_object(&mut self, range: Range<usize>, fault: Fault, in_line: bool) -> usize {
        let text = &self.text[..range.end];
        let list = match in_line {
            true => records::envelope_list(text, range.start, &self.plan.envelope_paths, self.depth),
            false => None,
        };
        let Some((list, _)) = list else {
            self.refuse_text(range.clone(), fault);
            return range.end;
        };
        let utf8 = std::mem::replace(&mut self.utf8, false);
        let (end, broken) = self.elements(list..range.end);
        self.utf8 = utf8;
        // A fault behind the list is the envelope's own.
        if !broken && fault.at >= end {
            self.refuse_text(end..range.end, fault);
        }
        range.end
    }

    /// The list of records in an object that no source recognises, if it is an envelope.
    fn envelope(&mut self) -> Option<Range<usize>> {
        let view = View { text: self.text, slots: &self.scratch.slots };
        let list = self.plan.envelopes.iter().find_map(|&node| {
            let cell = view.cell(self.plan.want.slot(node), 0);
            cell.kind.is_array().then_some(cell.start as usize..cell.end as usize)
        })?;
        match self.recognise(&Facts::NONE) {
            Some(_) => None,
            None => Some(list),
        }
    }

    fn recognise(&mut self, facts: &Facts) -> Option<usize> {
        let view = View { text: self.text, slots: &self.scratch.slots };
        let mut pen = Pen::new(&self.plan.want, view, facts, &mut self.scratch.standing);
        let rule = self.plan.rules.iter().find(|rule| {
            view.all(&rule.needs)
                && rule.exact.iter().all(|exact| may_be(&view, exact))
                && rule.tests.iter().all(|(check, holds)| pen.check(check) == *holds)
        });
        rule.map(|rule| rule.source)
    }

    /// A record that no target gets: counted for all, one dead letter.
    fn refuse_all(&mut self, range: Range<usize>, source: Option<usize>, recognised: bool, dead: Dead) {
        let row = source.unwrap_or(self.plan.sources.len());
        let record = self.count_untyped(row, range.start);
        let reason = dead.reason;
        self.outcome(|o| o.dead[reason as usize] += 1);
        self.bury(range, source, recognised && source.is_some(), record, dead);
    }

    /// Completes a dead letter with its place and what of the record may be shown.
    fn bury(
        &mut self,
        range: Range<usize>,
        source: Option<usize>,
        recognised: bool,
        record: u64,
        mut dead: Dead,
    ) {
        let raw = &self.text[range.clone()];
        let place = self.place.unwrap_or(range.start);
        dead.byte = place as u64;
        dead.line = self.lines.at(place);
        dead.index = record;
        dead.source = source.map(|s| s as u16);
        if dead.sha256.is_none() {
            dead.sha256 = Some(dead::sha256(raw));
        }
        let known = source.and_then(|s| self.plan.sources.get(s)).filter(|_| recognised);
        let raw_may_leave = match known {
            Some(source) if source.deeds.is_none() => true,
            Some(source) => !source.filtered && !source.dropped && self.plan.may_show_raw(raw),
            None => self.plan.content == Content::Full && self.plan.may_show_raw(raw),
        };
        if raw_may_leave && dead.whole {
            dead.record = Some(String::from_utf8_lossy(raw).into_owned());
        } else if let Some(source) = known.filter(|s| !s.dropped)
            && let Some(deeds) = &source.deeds
        {
            // Classes of payload paths hold for the payload under whichever name it comes.
            let view = View { text: self.text, slots: &self.scratch.slots };
            let payload = source.payload.as_ref().map(|p| (view.cell(p.key, 0), p.root));
            let payload = payload.filter(|(key, _)| key.kind.is_string());
            let copier = allowed::Copier {
                want: &self.plan.want,
                deeds,
                pseudonyms: self.plan.pseudonyms.as_ref(),
                payload: payload.map(|(key, root)| (key.inner(self.text), root)),
                field: self.payload_field,
            };
            dead.fields = copier.copy(self.text, range.start, 0);
        }
        self.out.dead.push(dead);
    }
}

/// Whether a cell holds one of some texts. What is no plain string may still: the test itself says.
fn may_be(view: &View, (column, texts): &(u16, Vec<String>)) -> bool {
    let cell = view.root(*column);
    cell.kind != json::Kind::String || texts.iter().any(|text| text.as_bytes() == cell.inner(view.text))
}
