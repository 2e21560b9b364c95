//! Reading slots: values, conditions and rows of lists, of one record.

use super::pen::{CLOSED, Pen, Refusal};
use super::value::{Failed, Val, push_time};
use crate::json::{Cell, Kind, NodeId, SlotAt};
use crate::ops::{self, Made, Step, Test, TimeOut};
use crate::plan::{Check, Deed, Read, ReadAt, TemplatePiece};

/// Facts of the line around a record, in the order of `ops::words::FACT`.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) host: &'a str,
    pub(super) app: &'a str,
    pub(super) time: &'a str,
    pub(super) priority: Option<u16>,
}

impl<'a> Facts<'a> {
    /// Of a record that stands alone.
    pub(super) const NONE: Facts<'static> = Facts { host: "", app: "", time: "", priority: None };

    pub(super) fn is_empty(&self) -> bool {
        self.host.is_empty() && self.app.is_empty() && self.time.is_empty() && self.priority.is_none()
    }

    pub(super) fn of(frame: &crate::records::Syslog<'a>) -> Facts<'a> {
        let text =
            |bytes: Option<&'a [u8]>| std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        Facts {
            host: text(frame.host),
            app: text(frame.app),
            time: text(frame.time),
            priority: frame.priority,
        }
    }
}

impl<'a> Pen<'a> {
    /// Runs `f` for every row of the innermost list, opening those that are not open; stops when
    /// it gives `false`.
    pub(super) fn each_row(
        &mut self,
        lists: &[u16],
        f: &mut dyn FnMut(&mut Self) -> Result<bool, Box<Refusal>>,
    ) -> Result<bool, Box<Refusal>> {
        let Some((&scope, inner)) = lists.split_first() else {
            return f(self);
        };
        if self.standing.cursor[scope as usize] != CLOSED {
            return self.each_row(inner, f);
        }
        let cell = self.at(self.want.list_slot(scope));
        let mut result = Ok(true);
        for row in self.view.rows(scope, cell) {
            self.standing.cursor[scope as usize] = row;
            result = self.each_row(inner, f);
            if !matches!(result, Ok(true)) {
                break;
            }
        }
        self.standing.cursor[scope as usize] = CLOSED;
        result
    }

    /// Counts what stands at paths that an earlier one came before: it is not written here.
    #[inline(always)]
    pub(super) fn pass_over(&mut self, reads: &[Read]) {
        if !reads.is_empty() {
            self.count_passed(reads);
        }
    }

    fn count_passed(&mut self, reads: &[Read]) {
        for read in reads {
            let ReadAt::Slot { node, .. } = &read.at else { continue };
            let mut values = 0;
            let looked = self.each_row(read.lists(), &mut |pen| {
                values += !pen.cell(read).kind.is_null() as u64;
                Ok(true)
            });
            debug_assert!(looked.is_ok(), "looking refuses nothing");
            if let Some(counts) = &mut self.counts {
                counts.passed.add(*node, values);
            }
        }
    }

    /// The cell of a read in the current rows; absent where its list is not open, and where the
    /// content mode allows only what lies below and a scalar stands there instead.
    #[inline(always)]
    pub(super) fn cell(&self, read: &Read) -> Cell {
        let ReadAt::Slot { slot, node, .. } = &read.at else { return Cell::ABSENT };
        let cell = self.at(*slot);
        match self.deeds {
            Some(deeds) if !cell.kind.is_composite() && deeds.of(*node) == Deed::Hide => Cell::ABSENT,
            _ => cell,
        }
    }

    #[inline(always)]
    pub(super) fn at(&self, slot: SlotAt) -> Cell {
        if slot.scope == 0 {
            return self.view.root(slot.column);
        }
        match self.standing.cursor[slot.scope as usize] {
            CLOSED => Cell::ABSENT,
            row => self.view.cell(slot, row),
        }
    }

    /// Whether a condition holds; on a list, whether it holds for any element.
    pub(super) fn check(&mut self, check: &Check) -> bool {
        match check {
            Check::Not(inner) => !self.check(inner),
            Check::Any(list) => list.iter().any(|c| self.check(c)),
            Check::All(list) => list.iter().all(|c| self.check(c)),
            Check::Test { reads, test } => {
                for read in reads {
                    if read.lists().is_empty() {
                        match self.test(read, test) {
                            Some(holds) => return holds,
                            None => continue,
                        }
                    }
                    let (mut found, mut holds) = (false, false);
                    let looked = self.each_row(read.lists(), &mut |pen| {
                        if let Some(one) = pen.test(read, test) {
                            found = true;
                            holds |= one;
                        }
                        Ok(!holds)
                    });
                    debug_assert!(looked.is_ok(), "a test refuses nothing");
                    if found {
                        return holds;
                    }
                }
                test.holds(None)
            }
        }
    }

    /// `None` when the read holds nothing.
    pub(super) fn test(&mut self, read: &Read, test: &Test) -> Option<bool> {
        let cell = self.cell(read);
        if cell.kind.is_composite() {
            return Some(matches!(test, Test::Exists));
        }
        // What is asked of any text alike is known without reading it: contents are long.
        if test.is_any() && read.steps.is_empty() && !cell.kind.is_null() {
            let empty = cell.kind == Kind::String && cell.end - cell.start == 2;
            return (!empty).then_some(true);
        }
        // Most tests are on plain strings: compared where they stand.
        if cell.kind == Kind::String && read.steps.is_empty() {
            let inner = cell.inner(self.view.text);
            return (!inner.is_empty()).then(|| test.holds_bytes(inner));
        }
        let val = self.value(read).ok()?;
        if matches!(val, Val::Nothing) {
            return None;
        }
        let mut text = std::mem::take(&mut self.standing.whole);
        text.clear();
        let given = self.text_of(val, &mut text);
        let holds = given.ok().map(|()| test.holds(Some(&text)));
        self.standing.whole = text;
        holds
    }

    /// The value of a read in the current rows, its steps applied.
    pub(super) fn value(&mut self, read: &Read) -> Result<Val<'a>, Failed> {
        let val = match &read.at {
            ReadAt::Fact(fact) => self.fact(*fact),
            ReadAt::Slot { node, .. } => match self.cell(read) {
                cell if cell.kind.is_null() => Val::Nothing,
                cell => Val::Cell(cell, *node),
            },
        };
        if read.steps.is_empty() || matches!(val, Val::Nothing) {
            return Ok(val);
        }
        // Most conversions are of a time, which is read where it stands.
        if let ([Step::Time { from, to: TimeOut::Rfc3339 }], Val::Cell(cell, _)) = (&*read.steps, val)
            && matches!(cell.kind, Kind::String | Kind::Number)
            && let Ok(text) = std::str::from_utf8(cell.inner(self.view.text))
            && !text.is_empty()
        {
            let instant = ops::read_time(from, text, cell.kind == Kind::String);
            return instant.map(Val::Time).ok_or(Failed::Fit);
        }
        let is_string = match &val {
            // The copy of a composite finds what of it must be a pseudonym.
            Val::Cell(cell, _)
                if cell.kind.is_composite() && read.steps.len() == 1 && read.pseudonymous() =>
            {
                return Ok(val);
            }
            Val::Cell(cell, _) if cell.kind.is_string() && cell.end - cell.start == 2 => {
                return Ok(Val::Nothing);
            }
            Val::Cell(cell, _) => cell.kind.is_string(),
            Val::Number => false,
            _ => true,
        };
        let mut text = std::mem::take(&mut self.standing.made);
        text.clear();
        let given = self.text_of(val, &mut text);
        let mut out = std::mem::take(&mut self.standing.text);
        let made = given
            .and_then(|()| convert(&read.steps, &mut text, is_string, &mut out, &mut self.standing.default));
        self.standing.text = text;
        self.standing.made = out;
        if let (Ok(Val::Nothing), ReadAt::Slot { node, .. }) = (&made, &read.at) {
            self.passed(*node);
        }
        made
    }

    /// Counts a value that is there and not written.
    #[cold]
    pub(super) fn passed(&mut self, node: NodeId) {
        if let Some(counts) = &mut self.counts {
            counts.passed.add(node, 1);
        }
    }

    fn fact(&mut self, fact: usize) -> Val<'a> {
        let facts: &'a Facts<'a> = self.facts;
        let text = match fact {
            0 => facts.host,
            1 => facts.app,
            2 => facts.time,
            4 => return self.now.map_or(Val::Nothing, Val::Time),
            _ => {
                let Some(n) = facts.priority else {
                    return Val::Nothing;
                };
                self.standing.text.clear();
                self.standing.text.push_str(&n.to_string());
                return Val::Number;
            }
        };
        if text.is_empty() { Val::Nothing } else { Val::Fact(text) }
    }

    /// The first value among several reads, of the current rows.
    pub(super) fn first_value(&mut self, reads: &[Read]) -> Result<Val<'a>, Failed> {
        for read in reads {
            match self.value(read)? {
                Val::Nothing => {}
                val => return Ok(val),
            }
        }
        Ok(Val::Nothing)
    }

    /// A template with a hole is no value.
    pub(super) fn template(&mut self, pieces: &[TemplatePiece]) -> Result<Val<'a>, Failed> {
        // What the reads of the pieces use is another buffer.
        let mut whole = std::mem::take(&mut self.standing.whole);
        whole.clear();
        for piece in pieces {
            match piece {
                TemplatePiece::Text(text) => whole.push_str(text),
                TemplatePiece::Reads(reads) => match self.first_value(reads)? {
                    Val::Nothing => {
                        self.standing.whole = whole;
                        return Ok(Val::Nothing);
                    }
                    val => self.text_of(val, &mut whole)?,
                },
            }
        }
        std::mem::swap(&mut self.standing.text, &mut whole);
        self.standing.whole = whole;
        Ok(Val::Text)
    }

    /// How many elements of a list pass a condition; nothing where there is no list.
    pub(super) fn count(&mut self, list: &Read, lists: &[u16], only: Option<&Check>) -> Val<'a> {
        if !self.is_list(list) {
            return Val::Nothing;
        }
        if let Some(n) = self.count_told(list) {
            return self.counted(n);
        }
        let mut n = 0u64;
        let looked = self.each_row(lists, &mut |pen| {
            n += only.is_none_or(|check| pen.check(check)) as u64;
            Ok(true)
        });
        debug_assert!(looked.is_ok(), "counting refuses nothing");
        self.counted(n)
    }

    /// The same, where it is known without looking at rows.
    #[inline]
    pub(super) fn told_of(&mut self, list: &Read) -> Option<u64> {
        if self.lists.is_some() && self.is_list(list) { self.count_told(list) } else { None }
    }

    fn is_list(&self, list: &Read) -> bool {
        let outermost = match list.lists().first() {
            Some(&scope) => self.at(self.want.list_slot(scope)),
            None => self.cell(list),
        };
        outermost.kind.is_array()
    }

    fn counted(&mut self, n: u64) -> Val<'a> {
        self.standing.text.clear();
        self.standing.text.push_str(itoa::Buffer::new().format(n));
        Val::Number
    }
}

/// Runs the steps over `text`; the result stays in it. `out` is working memory; `default` is set
/// where a lookup had only its default to give.
pub(super) fn convert<'a>(
    steps: &[ops::Step],
    text: &mut String,
    mut is_string: bool,
    out: &mut String,
    default: &mut bool,
) -> Result<Val<'a>, Failed> {
    let mut made = Made::Text;
    for step in steps {
        match made {
            Made::Text | Made::Default | Made::Number => {}
            Made::Bool(b) => {
                text.clear();
                text.push_str(if b { "true" } else { "false" });
                is_string = false;
            }
            Made::Time(instant) => {
                text.clear();
                push_time(instant, text);
                is_string = true;
            }
            Made::Nothing => break,
        }
        out.clear();
        made = ops::apply(step, text, is_string, out).map_err(|_| Failed::Fit)?;
        if let Made::Text | Made::Default | Made::Number = made {
            is_string = made != Made::Number;
            *default |= made == Made::Default;
            std::mem::swap(text, out);
        }
    }
    Ok(match made {
        Made::Text | Made::Default => Val::Text,
        Made::Number => Val::Number,
        Made::Bool(b) => Val::Bool(b),
        Made::Time(instant) => Val::Time(instant),
        Made::Nothing => Val::Nothing,
    })
}
