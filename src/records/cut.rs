//! Cutting a stream into batches. Lines are the fast path: a line that begins with a bracket and
//! ends with one is taken unread. Only what cannot be a line of its own (pretty-printed values,
//! arrays, envelopes, lines longer than a batch) is scanned here, and arrays and envelopes give
//! their elements as they arrive.

mod buffer;
mod list;
mod past;

use buffer::Buffer;
use past::Past;

use super::scan::{End, Open, end_of, loose_end};
use super::{Batch, Framing, Head, Limits, Unit, UnitKind};
use crate::input::{InputError, Reader};
use crate::json::{Fault, FaultKind, check_utf8, skip_space, skip_value};

/// Up to this size a line is handed on whole: an envelope for the worker to say whether it is one, an
/// array for it to say where a broken one ends. Only longer ones are taken apart here, an envelope by
/// its keys alone. A constant, so that what a text becomes does not depend on the size of batches.
const WHOLE: usize = 1 << 20;

/// Where the cutter stands.
#[derive(Debug)]
enum State {
    /// Between values.
    Top,
    /// Inside an array; so many objects are open around it.
    List { around: usize },
    /// In an array, behind an element that ends nowhere; see [`Cutter::lost`].
    Lost { around: usize, indent: Option<usize> },
    /// Behind an envelope's array, inside so many open objects.
    Tail { open: usize },
    /// Inside a record that is too large.
    Past(Past),
}

/// Cuts one input.
pub struct Cutter {
    reader: Reader,
    input: u32,
    framing: Framing,
    limits: Limits,
    envelopes: Vec<Vec<String>>,
    buffer: Buffer,
    /// Everything before is cut.
    at: usize,
    base: u64,
    line: u64,
    begun: bool,
    ended: bool,
    error: Option<InputError>,
    state: State,
    units: Vec<Unit>,
    blank_lines: u64,
    /// Line ends that are counted already, and up to where.
    counted: (u64, usize),
    /// The buffer was searched up to here for a line end, from the current line's start.
    searched: usize,
    /// Do not look at an open value again before the buffer holds so much.
    retry: usize,
    /// The long line that is open, or was last.
    open: Open,
    /// The current line has given a value already: what is left of it is no blank line.
    mid_line: bool,
    /// Offset of a line that was tried together with the lines behind it, in vain.
    settled: Option<u64>,
    /// As it was told.
    told: Framing,
    head: Head,
}

/// So many lines are kept for whoever looks for a header, each up to a size that a header can have.
const HEAD_LINES: usize = 32;
const HEAD_LINE: usize = 64 << 10;
/// What a pipe holds: a live input mostly has no more at once, and room for more would be cleared in vain.
const PIPE: usize = 64 << 10;

/// What cutting came to.
enum Cut {
    /// Go on.
    More,
    /// Nothing can be cut before more bytes arrive.
    Starved,
    /// A large record begins at `at`: hand on what is cut, then stream past it.
    Large,
}

impl Cutter {
    pub fn new(
        reader: Reader,
        input: u32,
        framing: Framing,
        limits: Limits,
        envelopes: &[Vec<String>],
    ) -> Cutter {
        Cutter {
            reader,
            input,
            framing: if framing == Framing::CloudWatch { Framing::Json } else { framing },
            limits,
            // Whether an object is an envelope of CloudWatch Logs is for the worker to say.
            envelopes: if framing == Framing::CloudWatch { Vec::new() } else { envelopes.to_vec() },
            buffer: Buffer::default(),
            at: 0,
            base: 0,
            line: 1,
            begun: false,
            ended: false,
            error: None,
            state: State::Top,
            units: Vec::new(),
            blank_lines: 0,
            counted: (0, 0),
            searched: 0,
            retry: 0,
            open: Open::default(),
            mid_line: false,
            settled: None,
            told: framing,
            head: Head::default(),
        }
    }

    pub fn name(&self) -> &str {
        self.reader.name()
    }

    /// Bytes of the (decompressed) input that were handed on.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The next batch; `recycled` is the memory of an old one. An input that fails gives what it
    /// held before, then its error once.
    pub fn next(&mut self, recycled: Vec<u8>) -> Option<Result<Batch, InputError>> {
        let mut recycled = Some(recycled);
        loop {
            if let State::Past(_) = self.state {
                match self.stream_past() {
                    Some(batch) => return Some(Ok(batch)),
                    None if self.ended => {}
                    None => {
                        self.fill(0);
                        continue;
                    }
                }
            }
            let mut cut = Cut::More;
            while matches!(cut, Cut::More) {
                cut = self.cut();
            }
            if matches!(cut, Cut::Starved) {
                self.hold_back();
            }
            let enough = !self.units.is_empty() || self.at >= self.limits.batch_bytes;
            if enough || (self.ended && self.blank_lines > 0) {
                return Some(Ok(self.hand_on(recycled.take().unwrap_or_default())));
            }
            if let Cut::Large = cut {
                self.drop_front();
                self.begin_past();
                continue;
            }
            if self.ended {
                return self.error.take().map(Err);
            }
            self.drop_front();
            self.fill(self.buffer.len());
        }
    }

    /// Reads more behind what is there: at least once, and a whole batch where nobody waits.
    fn fill(&mut self, open: usize) {
        // A long open record that will be looked at again from its start doubles what is read, so that this stays
        // linear. A long line goes on where it was left.
        let goes_on = matches!(self.state, State::Top) && self.searched == self.buffer.len();
        let want = self.limits.batch_bytes.max(if goes_on { 0 } else { open }).max(1);
        let mut filled = self.buffer.len();
        let goal = filled + want;
        let most = if self.reader.live { PIPE } else { usize::MAX };
        while filled < goal {
            match self.reader.read(self.buffer.room((goal - filled).min(most))) {
                Ok(0) => self.ended = true,
                Ok(n) => {
                    self.buffer.add(n);
                    filled += n;
                }
                Err(e) => {
                    self.error = Some(e);
                    self.ended = true;
                }
            }
            // Of a live input a byte order mark may come in pieces.
            if self.ended || (self.reader.live && (self.begun || filled >= 3)) {
                break;
            }
        }
        if !self.begun && (filled >= 3 || self.ended) {
            self.begun = true;
            self.byte_order_mark();
        }
    }

    fn byte_order_mark(&mut self) {
        if self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
            self.searched = 3;
        } else if self.buffer.starts_with(b"\xff\xfe") || self.buffer.starts_with(b"\xfe\xff") {
            let what = "the text is UTF-16; records are UTF-8 (convert it first, as with iconv)".into();
            self.error = Some(InputError { name: self.reader.name().into(), what });
            self.ended = true;
            self.buffer.clear();
            // With small batches some of it was looked at before.
            (self.at, self.searched, self.retry) = (0, 0, 0);
        }
    }

    /// Forgets the bytes that are cut and were handed on (or hold nothing).
    fn drop_front(&mut self) {
        self.line += self.line_ends();
        self.base += self.at as u64;
        self.buffer.drop_front(self.at);
        self.searched = self.searched.saturating_sub(self.at);
        self.retry = self.retry.saturating_sub(self.at);
        self.at = 0;
    }

    /// Line ends in what is cut.
    fn line_ends(&mut self) -> u64 {
        let (lines, up_to) = std::mem::take(&mut self.counted);
        match self.buffer.get(up_to..self.at) {
            Some(rest) => lines + newlines(rest),
            // What was cut was taken back.
            None => newlines(&self.buffer[..self.at]),
        }
    }

    fn hand_on(&mut self, next: Vec<u8>) -> Batch {
        let line_ends = self.line_ends();
        self.searched = self.searched.saturating_sub(self.at);
        self.retry = self.retry.saturating_sub(self.at);
        let bytes = self.buffer.hand_on(self.at, next);
        let batch = Batch {
            input: self.input,
            base: self.base,
            line: self.line,
            units: std::mem::take(&mut self.units),
            blank_lines: std::mem::take(&mut self.blank_lines),
            bytes,
            framing: self.told,
            head: self.head.clone(),
        };
        self.line += line_ends;
        self.base += self.at as u64;
        self.at = 0;
        batch
    }

    fn unit(&mut self, start: usize, end: usize, kind: UnitKind) {
        self.units.push(Unit { start: start as u32, end: end as u32, kind });
    }

    fn cut(&mut self) -> Cut {
        match self.state {
            State::Top => self.top(),
            State::List { around } => self.list(around),
            State::Lost { around, indent } => self.lost(around, indent),
            State::Tail { open } => self.tail(open),
            State::Past(_) => Cut::Starved,
        }
    }

    /// Nothing more to cut now; `open` bytes belong to a record that has begun.
    fn starved(&mut self, open: usize) -> Cut {
        if open > self.limits.record_bytes { Cut::Large } else { Cut::Starved }
    }

    fn top(&mut self) -> Cut {
        if self.framing == Framing::Auto {
            self.plain_lines();
        }
        let from = self.searched.max(self.at);
        let found = memchr::memchr(b'\n', &self.buffer[from..]).map(|n| from + n);
        self.searched = found.unwrap_or(self.buffer.len());
        let Some(line_end) = found.or(self.ended.then_some(self.buffer.len())) else {
            return self.long_line();
        };
        let (start, end) = trim(&self.buffer, self.at, line_end);
        let next = (line_end + 1).min(self.buffer.len());
        if start == end {
            if self.at == self.buffer.len() {
                return Cut::Starved;
            }
            let blank = !self.mid_line && (found.is_some() || self.at < line_end);
            self.blank_lines += blank as u64;
            return self.next_line(next);
        }
        let (first, last) = (self.buffer[start], self.buffer[end - 1]);
        let closed = matches!((first, last), (b'{', b'}') | (b'[', b']') | (b'[', b'}') | (b'{', b']'));
        let opens = matches!(first, b'{' | b'[');
        let long = end - start > WHOLE.min(self.limits.record_bytes);
        if long && end - start > self.limits.record_bytes && (!opens || self.framing == Framing::Lines) {
            return self.large(start);
        }
        if self.framing == Framing::Auto && matches!(first, b',' | b':' | b'}' | b']') {
            // The line before may be the first of a value, which is then tried from its start.
            if let Some(before) = self.open_line() {
                return self.value(before, true);
            }
        }
        let whole = match self.framing {
            Framing::Lines => true,
            Framing::Auto => !opens || (closed && !long),
            Framing::Json | Framing::CloudWatch => !opens,
        };
        if whole {
            if self.framing == Framing::Lines && self.head.len() < HEAD_LINES {
                self.keep_head(line_end);
            }
            self.unit(start, end, UnitKind::Line);
            self.count_line(found, next);
            return self.next_line(next);
        }
        if closed && first == b'{' && self.framing == Framing::Auto {
            return self.long_object((start, end), found, next);
        }
        self.value(start, false)
    }

    /// Lines that end and plainly are one object each, which is what they are if they are looked at one by one.
    fn plain_lines(&mut self) {
        let most = WHOLE.min(self.limits.record_bytes);
        let from = self.searched.max(self.at);
        let (mut at, mut lines) = (self.at, 0);
        for n in memchr::memchr_iter(b'\n', &self.buffer[from..]) {
            let end = from + n;
            match self.buffer.get(at..end) {
                Some([b'{', .., b'}']) if end - at <= most => {}
                _ => break,
            }
            self.units.push(Unit { start: at as u32, end: end as u32, kind: UnitKind::Line });
            (at, lines) = (end + 1, lines + 1);
        }
        if lines > 0 {
            if self.counted.1 == self.at {
                self.counted = (self.counted.0 + lines, at);
            }
            self.next_line(at);
        }
    }

    /// A long line in brackets that ends. What closes with the line, and nowhere before, is one
    /// record or envelope whatever is wrong inside.
    fn long_object(&mut self, (start, end): (usize, usize), found: Option<usize>, next: usize) -> Cut {
        if self.open.end(self.base, &self.buffer[..end], start, &self.envelopes) != Some(end) {
            return self.value(start, false);
        }
        if self.open.may_be_envelope()
            && let Some((list, around)) = self.envelope(start)
        {
            self.enter(list + 1, State::List { around });
            return Cut::More;
        }
        if end - start > self.limits.record_bytes {
            return self.large(start);
        }
        self.unit(start, end, UnitKind::Line);
        self.count_line(found, next);
        self.retry = 0;
        self.next_line(next)
    }

    /// The current line has this end, if it has any, and no other.
    fn count_line(&mut self, found: Option<usize>, next: usize) {
        if found.is_some() && self.counted.1 == self.at {
            self.counted = (self.counted.0 + 1, next);
        }
    }

    fn keep_head(&mut self, line_end: usize) {
        let line = &self.buffer[self.at..line_end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if line.len() > HEAD_LINE { &[] } else { line };
        Head::make_mut(&mut self.head).push((self.base + self.at as u64, line.into()));
    }

    fn next_line(&mut self, next: usize) -> Cut {
        self.at = next;
        self.mid_line = false;
        Cut::More
    }

    /// Takes back the last unit if it is a line right before this one that may go on here: one
    /// whose last value closed a bracket, but not all of them. Gives where that value begins.
    fn open_line(&mut self) -> Option<usize> {
        let last = self.units.last_mut()?;
        let (start, end) = (last.start as usize, last.end as usize);
        if last.kind != UnitKind::Line
            || !matches!(self.buffer[start], b'{' | b'[')
            || newlines(&self.buffer[end..self.at]) != 1
        {
            return None;
        }
        let mut open = start;
        let depth = self.limits.depth;
        while let Ok(end) = skip_value(&self.buffer[..end], open, depth) {
            open = skip_space(&self.buffer, end);
        }
        let goes_on = matches!(skip_value(&self.buffer[..end], open, depth), Err(Fault { at, kind: FaultKind::End }) if at >= end);
        if open >= end || !goes_on || self.settled == Some(self.base + open as u64) {
            return None;
        }
        if open == start {
            self.units.pop();
        } else {
            last.end = open as u32;
        }
        Some(open)
    }

    /// A line that may go on in the next one is not handed on before that one is seen.
    fn hold_back(&mut self) {
        if !matches!(self.state, State::Top) || self.ended || self.framing != Framing::Auto {
            return;
        }
        let next = self.buffer.get(skip_space(&self.buffer, self.at));
        if matches!(next, None | Some(b',' | b':' | b'}' | b']'))
            && let Some(open) = self.open_line()
        {
            self.at = open;
            self.searched = open;
            self.mid_line = false;
        }
    }

    /// A line that has not ended: wait, unless it is so long that it may be a stream of its own.
    fn long_line(&mut self) -> Cut {
        let start = skip_space(&self.buffer, self.at);
        let open = self.buffer.len() - start.min(self.buffer.len());
        let limit = self.limits.record_bytes;
        if self.framing == Framing::Lines || open < self.limits.batch_bytes.clamp(1, limit.max(1)) {
            return self.starved(open);
        }
        let first = self.buffer[start];
        match first {
            b'[' if open <= WHOLE.min(limit) => self.starved(open),
            b'[' => {
                self.enter(start + 1, State::List { around: 0 });
                Cut::More
            }
            b'{' if self.buffer.len() < self.retry && !self.closes(start) => self.starved(open),
            b'{' => match self.whole(start) {
                // One value of many without a line end between them.
                Some(end) if end - start <= WHOLE.min(limit) => {
                    match self.buffer.get(skip_space(&self.buffer, end)) {
                        Some(b'{' | b'[') => {}
                        None if open > limit => {}
                        _ => return self.starved(open),
                    }
                    self.unit(start, end, UnitKind::Line);
                    self.behind(end);
                    Cut::More
                }
                _ if open > WHOLE.min(limit)
                    && (!self.counts() || self.open.may_be_envelope())
                    && let Some((list, around)) = self.envelope(start) =>
                {
                    self.enter(list + 1, State::List { around });
                    Cut::More
                }
                _ => {
                    // At the limit it is decided, so look again there.
                    let next = if open > limit { 2 * open } else { (2 * open).min(limit + 1) };
                    self.retry = start + next;
                    self.starved(open)
                }
            },
            _ => self.starved(open),
        }
    }

    /// Whether the brackets of a long line are counted before it is read. Behind a value, another
    /// short one is likely.
    fn counts(&self) -> bool {
        !self.mid_line || self.retry > 0
    }

    /// Whether the brackets of the object at `start` of a long line are counted, and close. What has just arrived is
    /// still near.
    fn closes(&mut self, start: usize) -> bool {
        self.counts() && self.open.end(self.base, &self.buffer, start, &self.envelopes).is_some()
    }

    /// The end of the object at `start` of a long line, if the buffer holds all of it.
    fn whole(&mut self, start: usize) -> Option<usize> {
        if self.counts() && !self.closes(start) {
            return None;
        }
        skip_value(&self.buffer, start, self.limits.depth).ok()
    }

    fn enter(&mut self, at: usize, state: State) {
        self.at = at;
        self.searched = self.searched.max(at);
        self.state = state;
        self.retry = 0;
    }

    /// A value at `start` that is no line of its own: over several lines, cut off, or long.
    /// `again`: its first line was taken for a whole one before.
    fn value(&mut self, start: usize, again: bool) -> Cut {
        if self.buffer[start] == b'[' {
            self.enter(start + 1, State::List { around: 0 });
            return Cut::More;
        }
        if self.buffer.len() < self.retry && !self.ended {
            return self.wait(start);
        }
        let limit = self.limits.record_bytes;
        let open = self.buffer.len() - start;
        let (size, fault) = match skip_value(&self.buffer, start, self.limits.depth) {
            Ok(end) => (end - start, None),
            Err(fault) => (open, Some(fault)),
        };
        let waits = fault.is_some_and(|f| f.kind == FaultKind::End) && !self.ended;
        // What is whole and not too long is for the worker to tell apart.
        let apart = match fault {
            Some(_) if !waits => true,
            // The worker would refuse the whole of it.
            None if check_utf8(&self.buffer[start..start + size]).is_err() => true,
            _ => size > WHOLE.min(limit),
        };
        if apart && let Some((list, around)) = self.envelope(start) {
            self.enter(list + 1, State::List { around });
            return Cut::More;
        }
        let Some(fault) = fault else {
            if size > limit {
                return self.large(start);
            }
            self.unit(start, start + size, UnitKind::Line);
            self.behind(start + size);
            return Cut::More;
        };
        if waits {
            self.retry = start + 2 * open;
            return if open > limit { self.large(start) } else { self.wait(start) };
        }
        let mut end = None;
        if matches!(fault.kind, FaultKind::Control) {
            // A line end inside a string: one bad record, if all else about it is right.
            match loose_end(&self.buffer, start, self.limits.depth) {
                End::At(stop) => end = Some(stop),
                End::Open if !self.ended && open <= limit => {
                    self.retry = start + 2 * open;
                    return self.wait(start);
                }
                _ => {}
            }
        }
        // A value that is wrong inside, but was plainly laid out over several lines, is one bad
        // record; anything else is a bad line, and the next line begins anew.
        if end.is_none() && fault.kind != FaultKind::End && (again || self.laid_out(start)) {
            match end_of(&self.buffer, start) {
                End::At(stop) => end = Some(stop),
                End::Open if !self.ended && open <= limit => {
                    self.retry = start + 2 * open;
                    return self.wait(start);
                }
                _ => {}
            }
        }
        if let Some(end) = end {
            self.unit(start, end, UnitKind::Line);
            self.behind(end);
            return Cut::More;
        }
        self.settled = Some(self.base + start as u64);
        let line_end = memchr::memchr(b'\n', &self.buffer[start..]).map_or(self.buffer.len(), |n| start + n);
        let (start, end) = trim(&self.buffer, start, line_end);
        if end - start > limit {
            return self.large(start);
        }
        self.unit(start, end, UnitKind::Line);
        self.behind((line_end + 1).min(self.buffer.len()));
        self.mid_line = false;
        Cut::More
    }

    /// The open value at `start` stays in the buffer; what is before it is cut.
    fn wait(&mut self, start: usize) -> Cut {
        self.at = start;
        self.searched = start;
        Cut::Starved
    }

    fn large(&mut self, start: usize) -> Cut {
        self.at = start;
        self.searched = start;
        Cut::Large
    }

    fn behind(&mut self, end: usize) {
        self.at = end;
        self.searched = end;
        self.retry = 0;
        self.mid_line = true;
    }

    /// The second line of the value at `start` is indented or begins like a member.
    fn laid_out(&self, start: usize) -> bool {
        let Some(n) = memchr::memchr(b'\n', &self.buffer[start..]) else {
            return false;
        };
        matches!(self.buffer.get(start + n + 1), Some(b' ' | b'\t' | b'"' | b'}' | b'\r' | b'\n'))
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The stretch without the white space around it.
fn trim(text: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && text[start].is_ascii_whitespace() {
        start += 1;
    }
    while end > start && text[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    (start, end)
}
