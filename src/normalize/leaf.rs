//! The leaves of a shape: what a row reads, converted, joined or picked, onto the page.

use super::pen::{Pen, Refusal, Wrote};
use super::value::{Failed, Val, expected};
use crate::json;
use crate::metrics::Reason;
use crate::plan::{Deed, Label, Leaf, LeafType, Origin, Read, ReadAt};
use crate::table::ListStep;

impl<'a> Pen<'a> {
    /// The values of a row that feeds the list at `list`, each an element (or a label).
    pub(super) fn values(&mut self, leaf: &Leaf, list: usize) -> Result<(), Box<Refusal>> {
        let mut elements = std::mem::take(&mut self.standing.elements);
        elements.clear();
        let result = self.each_value(leaf, &mut |pen, val| {
            let start = pen.out.len();
            if start > list + 1 {
                pen.out.push(b',');
            }
            let body = pen.out.len();
            let wrote = match &leaf.label {
                None => pen.put(&leaf.ty, leaf, val),
                Some(label) => pen.label(label, leaf, val),
            };
            let end = pen.out.len();
            let keep = wrote == Ok(true)
                && !(leaf.distinct && elements.iter().any(|&(a, b)| pen.out[a..b] == pen.out[body..end]));
            if keep {
                elements.push((body, end));
                pen.filled(leaf);
            } else {
                pen.out.truncate(start);
            }
            wrote
        });
        self.standing.elements = elements;
        result
    }

    fn label(&mut self, label: &Label, leaf: &Leaf, val: Val<'a>) -> Result<bool, Failed> {
        const TEXT: LeafType = LeafType::Text { max_bytes: usize::MAX };
        match label {
            Label::Const(start) => self.out.extend_from_slice(start),
            Label::From(reads) => {
                // The value may wait in the buffer that reading the key would overwrite.
                let waiting = std::mem::take(&mut self.standing.text);
                self.out.extend_from_slice(b"{\"key\":");
                let wrote = match self.first_value(reads) {
                    Ok(key) => self.put(&TEXT, leaf, key),
                    Err(failed) => Err(failed),
                };
                self.standing.text = waiting;
                if !wrote? {
                    // Without a key there is no label, and the value stays out.
                    if let Val::Cell(_, node) = val {
                        self.passed(node);
                    }
                    return Ok(false);
                }
                self.out.extend_from_slice(b",\"value\":");
            }
        }
        if !self.put(&leaf.ty, leaf, val)? {
            return Ok(false);
        }
        self.out.push(b'}');
        Ok(true)
    }

    /// A leaf that holds one value.
    pub(super) fn leaf(&mut self, leaf: &Leaf) -> Wrote {
        let start = self.out.len();
        let wrote = match &leaf.origin {
            Origin::Reads(reads) if leaf.plain => self.plain(leaf, reads)?,
            Origin::Const { json, .. } if leaf.when.is_none() && leaf.list.is_none() => {
                self.out.extend_from_slice(json);
                true
            }
            Origin::Count { list, .. }
                if leaf.when.is_none() && leaf.list.is_none() && matches!(leaf.ty, LeafType::Any) =>
            {
                match self.told_of(list) {
                    Some(n) => {
                        self.out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
                        true
                    }
                    None => self.any_leaf(leaf)?,
                }
            }
            _ => self.any_leaf(leaf)?,
        };
        if !wrote {
            self.out.truncate(start);
            return Ok(false);
        }
        self.filled(leaf);
        if leaf.gives_type {
            self.type_at = Some((start, self.out.len()));
        }
        Ok(true)
    }

    /// The first of some cells that can be written.
    #[inline(always)]
    fn plain(&mut self, leaf: &Leaf, reads: &[Read]) -> Wrote {
        let start = self.out.len();
        for (i, read) in reads.iter().enumerate() {
            let ReadAt::Slot { node, .. } = &read.at else { continue };
            let cell = self.cell(read);
            if cell.kind.is_null() {
                continue;
            }
            let wrote = match &leaf.ty {
                _ if !read.steps.is_empty() => self.converted(leaf, read),
                LeafType::Panther(coerce) => self.coerce(coerce, cell, *node),
                ty => self.put_cell(ty, leaf, cell, *node),
            };
            match wrote {
                Ok(true) => {
                    self.pass_over(&reads[i + 1..]);
                    return Ok(true);
                }
                Ok(false) => {}
                Err(failed) => {
                    self.failure(leaf, Some(read), failed)?;
                }
            }
            self.out.truncate(start);
        }
        Ok(false)
    }

    pub(super) fn converted(&mut self, leaf: &Leaf, read: &Read) -> Result<bool, Failed> {
        self.standing.default = false;
        match self.value(read)? {
            Val::Nothing => Ok(false),
            val => self.put(&leaf.ty, leaf, val),
        }
    }

    fn any_leaf(&mut self, leaf: &Leaf) -> Wrote {
        Ok(match &leaf.list {
            Some(ListStep::Join(by)) => self.join(leaf, by)?,
            Some(ListStep::Last) => self.pick(leaf, true)?,
            _ => self.pick(leaf, false)?,
        })
    }

    /// The first value that can be written, or the last.
    fn pick(&mut self, leaf: &Leaf, last: bool) -> Wrote {
        let start = self.out.len();
        let mut wrote = false;
        self.each_value(leaf, &mut |pen, val| {
            if wrote && !last {
                return Ok(true);
            }
            let before = pen.out.len();
            match pen.put(&leaf.ty, leaf, val) {
                Ok(true) => {
                    pen.out.drain(start..before);
                    wrote = true;
                    Ok(true)
                }
                other => {
                    pen.out.truncate(before);
                    other
                }
            }
        })?;
        Ok(wrote)
    }

    /// Several values as one text.
    fn join(&mut self, leaf: &Leaf, by: &str) -> Wrote {
        const TEXT: LeafType = LeafType::Text { max_bytes: usize::MAX };
        self.out.push(b'"');
        let start = self.out.len();
        self.each_value(leaf, &mut |pen, val| {
            let before = pen.out.len();
            if before > start {
                json::push_str_escaped(by, &mut pen.out);
            }
            let body = pen.out.len();
            match pen.put(&TEXT, leaf, val) {
                Ok(true) => {
                    // The quotes of the single text go.
                    pen.out.pop();
                    pen.out.remove(body);
                    Ok(true)
                }
                other => {
                    pen.out.truncate(before);
                    other
                }
            }
        })?;
        if self.out.len() == start {
            return Ok(false);
        }
        self.out.push(b'"');
        Ok(true)
    }

    fn filled(&mut self, leaf: &Leaf) {
        if let Some(counts) = &mut self.counts {
            counts.filled[leaf.counter as usize] += 1;
            counts.defaulted[leaf.counter as usize] += std::mem::take(&mut self.standing.default) as u64;
        }
    }

    /// Calls `f` with every value of a row, in order. A value that does not convert is counted;
    /// in a strict type it refuses the record.
    fn each_value(
        &mut self,
        leaf: &Leaf,
        f: &mut dyn FnMut(&mut Self, Val<'a>) -> Result<bool, Failed>,
    ) -> Result<(), Box<Refusal>> {
        let Origin::Reads(reads) = &leaf.origin else {
            if leaf.when.as_ref().is_none_or(|when| self.check(when)) {
                self.one_value(leaf, None, f)?;
            }
            return Ok(());
        };
        for (i, read) in reads.iter().enumerate() {
            let mut some = false;
            if read.lists().is_empty() {
                // Most rows of a table find nothing in most records: that is seen first.
                let absent = matches!(read.at, ReadAt::Slot { .. }) && self.cell(read).kind.is_null();
                if !absent && leaf.when.as_ref().is_none_or(|when| self.check(when)) {
                    some = self.one_value(leaf, Some(read), f)?;
                } else if let (false, LeafType::Any | LeafType::Object, ReadAt::Slot { node, .. }) =
                    (absent, &leaf.ty, &read.at)
                {
                    // A copy that a condition keeps out: what is in it counts as read otherwise.
                    self.passed(*node);
                }
                if some {
                    self.pass_over(&reads[i + 1..]);
                    break;
                }
                continue;
            }
            self.each_row(read.lists(), &mut |pen| {
                if leaf.when.as_ref().is_none_or(|when| pen.check(when)) {
                    some |= pen.one_value(leaf, Some(read), f)?;
                }
                Ok(true)
            })?;
            if some {
                self.pass_over(&reads[i + 1..]);
                break;
            }
        }
        Ok(())
    }

    fn one_value(
        &mut self,
        leaf: &Leaf,
        read: Option<&Read>,
        f: &mut dyn FnMut(&mut Self, Val<'a>) -> Result<bool, Failed>,
    ) -> Wrote {
        let val = match (&leaf.origin, read) {
            (Origin::Const { json, .. }, _) => {
                self.standing.ready.clear();
                self.standing.ready.extend_from_slice(json);
                Ok(Val::Ready)
            }
            (Origin::Template(pieces), _) => self.template(pieces),
            (Origin::Joined { reads, by, steps }, _) => self.joined(reads, by, steps),
            (Origin::Count { list, scopes, only }, _) => Ok(self.count(list, scopes, only.as_deref())),
            (Origin::Reads(_), Some(read)) => {
                self.standing.default = false;
                self.value(read)
            }
            (Origin::Reads(_), None) => Ok(Val::Nothing),
        };
        let wrote = match (val, &leaf.list) {
            (Ok(Val::Nothing), _) => Ok(false),
            (Ok(val), Some(ListStep::Split(by))) => self.split(val, by, f),
            (Ok(val), _) => f(self, val),
            (Err(failed), _) => Err(failed),
        };
        match wrote {
            Ok(wrote) => Ok(wrote),
            Err(failed) => self.failure(leaf, read, failed),
        }
    }

    #[cold]
    fn failure(&mut self, leaf: &Leaf, read: Option<&Read>, failed: Failed) -> Wrote {
        if let Some(counts) = &mut self.counts {
            counts.failed[leaf.counter as usize] += 1;
            if let Some(ReadAt::Slot { node, .. }) = read.map(|read| &read.at) {
                counts.unfit.add(*node, 1);
            }
        }
        let read = read.or(match &leaf.origin {
            Origin::Joined { reads, .. } => reads.first(),
            _ => None,
        });
        let path = read.map_or_else(String::new, |r| r.path.clone());
        let open = |read: &&Read| match (&read.at, self.deeds) {
            (ReadAt::Slot { node, .. }, Some(deeds)) => deeds.of(*node) == Deed::Keep,
            _ => true,
        };
        let cell = read.filter(open).map(|r| self.cell(r));
        let cell = cell.filter(|c| !c.kind.is_null() && !c.kind.is_composite());
        let shown = cell.map(|c| {
            let raw = String::from_utf8_lossy(c.raw(self.view.text));
            match raw.char_indices().nth(80) {
                Some((i, _)) => format!("{}…", &raw[..i]),
                None => raw.into_owned(),
            }
        });
        match (&leaf.ty, failed) {
            (LeafType::Panther(coerce), Failed::Fit) => {
                let what = format!("expected {}", expected(coerce));
                Err(Refusal { reason: Reason::BadValue, path, what, shown }.into())
            }
            (_, Failed::Check(what)) => {
                Err(Refusal { reason: Reason::NotAllowed, path, what: what.into(), shown }.into())
            }
            _ => {
                self.failed = Some((path, shown));
                Ok(false)
            }
        }
    }

    fn split(
        &mut self,
        val: Val<'a>,
        by: &str,
        f: &mut dyn FnMut(&mut Self, Val<'a>) -> Result<bool, Failed>,
    ) -> Result<bool, Failed> {
        let mut whole = String::new();
        self.text_of(val, &mut whole)?;
        let mut some = false;
        for piece in whole.split(by) {
            self.standing.text.clear();
            self.standing.text.push_str(piece);
            some |= f(self, Val::Text)?;
        }
        Ok(some)
    }
}
