//! A table against its target: type-checked row by row, then one tree in the target's order.

use super::shape::{Check, Label, Leaf, LeafType, Origin, Read, TemplatePiece};
use super::sources::{NoRead, PathScope};
use super::tree::{DraftObject, Kind, Needs, finish_object, list_of, mark_required};
use super::{Draft, Lane, PayloadView, ReadAt};
use crate::error::Diagnostic;
use crate::json::{Want, push_quoted, push_str_escaped};
use crate::ops::{Step, TimeOut};
use crate::table::{
    self, At, Base, From, ListStep, Path, Piece, Row, Seg, Table, TargetDef, TargetSeg, parse_path,
};

struct Build<'a> {
    table: &'a Table,
    target: &'a TargetDef,
    scope: &'a PathScope<'a>,
    want: &'a mut Want,
    wrong: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    leaves: Vec<String>,
    withheld: Vec<String>,
    unpseudonymized: Vec<String>,
    consumed: Vec<u32>,
    /// Nodes that are copied with everything below.
    whole: Vec<u32>,
    /// Scopes that are open around every row (the table's `each`).
    open: Vec<u16>,
}

/// What all tables of one target fill.
pub(super) struct Goal<'a> {
    pub(super) target: &'a TargetDef,
    pub(super) needs: Needs<'a>,
    /// See [`super::Request::settings`].
    pub(super) settings: &'a [(&'static str, String)],
}

impl<'a> Goal<'a> {
    pub(super) fn new(target: &'a TargetDef, settings: &'a [(&'static str, String)]) -> Goal<'a> {
        Goal { target, needs: Needs::new(target), settings }
    }
}

pub(super) fn compile(
    table: &Table,
    Goal { target, needs, settings }: &Goal,
    scope: &PathScope,
    want: &mut Want,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Draft, Vec<Diagnostic>> {
    let mut build = Build {
        table,
        target,
        scope,
        want,
        wrong: Vec::new(),
        warnings: Vec::new(),
        leaves: Vec::new(),
        withheld: Vec::new(),
        unpseudonymized: Vec::new(),
        consumed: Vec::new(),
        whole: Vec::new(),
        open: Vec::new(),
    };
    let each = table.each.as_ref().and_then(|path| build.list_read(path));
    if let Some((read, scope)) = &each {
        build.open.extend(read.lists());
        build.open.push(*scope);
    }
    let mut root = DraftObject::default();
    // What the run says stands before what a table says of the same field.
    let set = settings.iter().filter_map(|(name, value)| Some(Row::set(target.settings.get(*name)?, value)));
    let set: Vec<Row> = set.collect();
    for row in set.iter().chain(&table.rows) {
        if let Some(placed) = build.row(row) {
            build.place(row, placed, &mut root);
        }
    }
    for path in &target.required {
        let taken = build.withheld.contains(path) || build.unpseudonymized.contains(path);
        let excused = taken || !table.wrong.is_empty();
        if !mark_required(&mut root, path) && !excused {
            let span = table.target.span.clone();
            let mut diagnostic = table.at.complain(
                &span,
                format!("no row fills `{path}`, which every event of `{}` needs", target.name),
            );
            diagnostic.help = Some(format!("add a row: {{to: {path}, from: …}}"));
            build.wrong.push(diagnostic);
        }
    }
    if !build.wrong.is_empty() {
        return Err(build.wrong);
    }
    for warning in build.warnings {
        if !warnings.iter().any(|w| w.to_string() == warning.to_string()) {
            warnings.push(warning);
        }
    }
    let rules = needs.rules(target, |path| {
        // What is below a path makes it present.
        let inside =
            |other: &String| other == path || other.strip_prefix(path).is_some_and(|r| r.starts_with('.'));
        build.withheld.iter().chain(&build.unpseudonymized).any(inside)
    });
    let lane = Lane {
        name: target.name.clone(),
        root: finish_object(root, &needs.presence),
        each: each.map(|(read, scope)| read.scopes(scope)),
        leaves: build.leaves,
        ignored: Vec::new(),
        consumed: Vec::new(),
        whole: Vec::new(),
        payload_view: PayloadView::Root,
        rules,
        standard: None,
        text: None,
        expected_rate: table.expected_rate,
        withheld: build.withheld,
        unpseudonymized: build.unpseudonymized,
        presences: needs.presence.len(),
        embedded: None,
        discovers: false,
    };
    Ok(Draft { lane, consumed: build.consumed, whole: build.whole })
}

/// A checked row: the steps of its path in the target, and its leaf.
struct Placed {
    segs: Vec<TargetSeg>,
    leaf: Leaf,
    /// The lists that the row's value runs through.
    lists: Vec<u16>,
    /// The first path of the row that runs through a list.
    list_path: Option<Path>,
}

impl Build<'_> {
    fn complain(&mut self, span: &std::ops::Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.wrong.push(self.table.at.complain(span, message));
        let last = self.wrong.len() - 1;
        &mut self.wrong[last]
    }

    fn reads(&mut self, path: &At<Path>, steps: &[Step]) -> Option<Vec<Read>> {
        let mut reads = Vec::with_capacity(1);
        self.reads_into(path, steps, &mut reads);
        (!reads.is_empty()).then_some(reads)
    }

    /// Nothing comes to `reads` of what is wrong (and said so) or withheld.
    fn reads_into(&mut self, path: &At<Path>, steps: &[Step], reads: &mut Vec<Read>) {
        let before = reads.len();
        match self.scope.reads(path, steps, self.want, reads) {
            Ok(()) => {
                let nodes = reads[before..].iter().filter_map(|read| match read.at {
                    ReadAt::Slot { node, .. } => Some(node),
                    ReadAt::Fact(_) => None,
                });
                self.consumed.extend(nodes);
            }
            Err(NoRead::Withheld) => {}
            Err(NoRead::Wrong(message, help)) => {
                self.complain(&path.span, message).help = help;
            }
        }
    }

    fn check(&mut self, cond: &table::Cond) -> Option<Check> {
        let mut complaints = Vec::new();
        let check = self.scope.check(cond, self.want, &mut |path, message, help| {
            complaints.push((path.span.clone(), message, help));
        });
        for (span, message, help) in complaints {
            self.complain(&span, message).help = help;
        }
        let mut note = |reads: &[Read]| {
            for read in reads {
                if let ReadAt::Slot { node, .. } = read.at {
                    self.consumed.push(node);
                }
            }
        };
        fn each(check: &Check, note: &mut dyn FnMut(&[Read])) {
            match check {
                Check::Test { reads, .. } => note(reads),
                Check::Not(inner) => each(inner, note),
                Check::Any(list) | Check::All(list) => list.iter().for_each(|c| each(c, note)),
            }
        }
        check.iter().for_each(|c| each(c, &mut note));
        check
    }

    /// A path that ends with `[]`: the read of the list itself and the scope of its elements.
    fn list_read(&mut self, path: &At<Path>) -> Option<(Read, u16)> {
        let mut list = path.is.clone();
        list.segs.pop();
        // Only walked: what stands below is not read by that.
        let consumed = self.consumed.len();
        let reads = self.reads(&At::new(list, path.span.clone()), &[])?;
        self.consumed.truncate(consumed);
        let read = reads.into_iter().next()?;
        let ReadAt::Slot { node, .. } = read.at else {
            return None;
        };
        self.want.element(node);
        let scope = self.want.element_scope(node).unwrap_or(0);
        Some((read, scope))
    }

    /// `None` when the row is wrong (and said so) or may not be read in this content mode.
    fn row(&mut self, row: &Row) -> Option<Placed> {
        let segs = match self.target.resolve(&row.to.is) {
            Ok(segs) => segs,
            Err((message, help)) => {
                self.complain(&row.to.span, message).help = help;
                return None;
            }
        };
        if row.wrong {
            return None;
        }
        let plain: String = plain_path(&segs);
        if self.target.forbidden.contains(&plain) {
            self.complain(&row.to.span, format!("`{plain}` must not be set by a mapping"));
            return None;
        }
        if segs.iter().any(|seg| seg.field.deprecated) {
            let message = format!("`{plain}` is deprecated in the target");
            self.warnings.push(self.table.at.complain(&row.to.span, message));
        }
        let last = segs.last()?;
        let errors = self.wrong.len();
        let origin = self.origin(row)?;
        let label = match &row.label {
            None => None,
            Some(table::Label::Const(text)) => {
                let mut start = br#"{"key":"#.to_vec();
                push_quoted(&text.is, &mut start);
                start.extend_from_slice(br#","value":"#);
                Some(Label::Const(start.into()))
            }
            Some(table::Label::From(path)) => match self.reads(path, &[]) {
                Some(reads) => Some(Label::From(reads)),
                None => return self.withhold(&plain, errors),
            },
        };
        let when = match &row.when {
            None => None,
            Some(cond) => match self.check(cond) {
                Some(check) => Some(check),
                None => return self.withhold(&plain, errors),
            },
        };
        let Some(origin) = origin else {
            return self.withhold(&plain, errors);
        };
        let ty = self.leaf_type(row, last, &plain, label.is_some())?;
        if matches!(ty, LeafType::Any | LeafType::Object) {
            self.whole.extend(origin.reads().filter_map(|read| match read.at {
                ReadAt::Slot { node, .. } => Some(node),
                ReadAt::Fact(_) => None,
            }));
        }
        let through = origin.reads().find(|read| !read.lists().is_empty());
        let lists: Vec<u16> = through.map(|read| read.lists().to_vec()).unwrap_or_default();
        // Through a named value too: the path that is really read.
        let list_path = through.and_then(|read| parse_path(&read.path).ok());
        let origin = self.pseudonymized(origin, &ty, &plain)?;
        if let Some(Label::From(keys)) = &label
            && keys.iter().any(|k| k.lists().iter().any(|l| !lists.contains(l) && !self.open.contains(l)))
        {
            self.complain(
                &row.to.span,
                "the label's key is read from a list that the value does not run through",
            );
            return None;
        }
        self.check_lists(row, &segs, &lists, list_path.as_ref());
        let gives_type = self.target.event_type.as_ref() == Some(&plain);
        self.leaves.push(plain);
        Some(Placed {
            leaf: Leaf {
                counter: self.leaves.len() as u32 - 1,
                origin,
                when,
                ty,
                list: row.list_step.as_ref().map(|l| l.is.clone()),
                distinct: row.distinct,
                label,
                plain: false,
                gives_type,
                settled: false,
            },
            segs,
            lists,
            list_path,
        })
    }

    /// What is left of an origin whose values must leave as pseudonyms, in a field of this type.
    fn pseudonymized(&mut self, origin: Origin, ty: &LeafType, path: &str) -> Option<Origin> {
        let Origin::Reads(reads) = origin else { return Some(origin) };
        let takes_text =
            matches!(ty, LeafType::Text { .. } | LeafType::Ip | LeafType::Any | LeafType::Object);
        let all = reads.len();
        let left: Vec<Read> = reads.into_iter().filter(|read| takes_text || !read.pseudonymous()).collect();
        if left.len() < all && !self.unpseudonymized.iter().any(|known| known == path) {
            self.unpseudonymized.push(path.to_string());
        }
        (!left.is_empty()).then_some(Origin::Reads(left))
    }

    /// Notes a row that the content mode takes away, unless it was wrong anyway.
    fn withhold(&mut self, path: &str, errors: usize) -> Option<Placed> {
        if self.wrong.len() == errors && !self.withheld.iter().any(|w| w == path) {
            self.withheld.push(path.to_string());
        }
        None
    }

    /// The origin (`None` inside: withheld).
    fn origin(&mut self, row: &Row) -> Option<Option<Origin>> {
        let steps = &row.steps;
        match &row.from {
            From::Paths(paths) => {
                let errors = self.wrong.len();
                let mut reads = Vec::with_capacity(paths.len());
                for path in paths {
                    self.reads_into(path, steps, &mut reads);
                }
                if self.wrong.len() > errors {
                    return None;
                }
                let twice = |read: &&Read| {
                    read.steps.iter().filter(|step| matches!(step, Step::Time { .. })).count() > 1
                };
                if let Some(path) = reads.iter().find(twice).map(|read| read.path.clone()) {
                    let message =
                        format!("`{path}` is read as a time already, by the name that stands for it");
                    self.complain(&row.to.span, message).help = Some("leave `time` out of the steps".into());
                    return None;
                }
                Some((!reads.is_empty()).then_some(Origin::Reads(reads)))
            }
            From::Const(text) => {
                if let Some(step) = row.steps.first() {
                    let _ = step;
                    self.complain(&text.span, "a constant takes no steps: write the value itself");
                    return None;
                }
                Some(Some(Origin::Const { json: Box::default(), text: text.is.clone() }))
            }
            From::Template(pieces) => {
                let mut out = Vec::with_capacity(pieces.is.len());
                for piece in &pieces.is {
                    match piece {
                        Piece::Text(text) => out.push(TemplatePiece::Text(text.clone())),
                        Piece::Path(path) => {
                            let errors = self.wrong.len();
                            match self.reads(path, &[]) {
                                Some(reads) => out.push(TemplatePiece::Reads(reads)),
                                None if self.wrong.len() > errors => return None,
                                None => return Some(None),
                            }
                        }
                    }
                }
                if !row.steps.is_empty() {
                    self.complain(&pieces.span, "a template takes no steps");
                }
                Some(Some(Origin::Template(out)))
            }
            From::Count { list, only } => {
                let errors = self.wrong.len();
                let Some((read, scope)) = self.list_read(list) else {
                    return if self.wrong.len() > errors { None } else { Some(None) };
                };
                let only = match only {
                    None => None,
                    Some(cond) => match self.check(cond) {
                        Some(check) => Some(check),
                        None if self.wrong.len() > errors => return None,
                        None => return Some(None),
                    },
                };
                let (scopes, only) = (read.scopes(scope), only.map(Box::new));
                Some(Some(Origin::Count { scopes, list: Box::new(read), only }))
            }
        }
    }

    fn leaf_type(&mut self, row: &Row, last: &TargetSeg, path: &str, labelled: bool) -> Option<LeafType> {
        let base = &last.field.base;
        let is_label = self.target.is_label(base);
        if labelled {
            if *base != Base::Any && !(is_label && last.field.repeated) {
                self.complain(
                    &row.to.span,
                    format!("`{path}` is no list of labels: `label` and `label_from` do not belong here"),
                );
                return None;
            }
            return Some(LeafType::Text { max_bytes: usize::MAX });
        }
        if is_label {
            let message = format!(
                "`{path}` is a list of labels: the row needs `label` (a text) or `label_from` (a path)"
            );
            self.complain(&row.to.span, message);
            return None;
        }
        let ty = match base {
            Base::String => {
                LeafType::Text { max_bytes: self.target.max_bytes.get(path).copied().unwrap_or(usize::MAX) }
            }
            Base::Ip => LeafType::Ip,
            Base::Bytes | Base::Duration => LeafType::Text { max_bytes: usize::MAX },
            Base::Int { min, max, quoted } => LeafType::Int { min: *min, max: *max, quoted: *quoted },
            Base::Float => LeafType::Float,
            Base::Bool => LeafType::Bool,
            Base::Time => LeafType::Time,
            Base::Object => LeafType::Object,
            Base::Any => LeafType::Any,
            Base::Enum(name) => LeafType::Enum(self.target.enum_values(name).cloned().unwrap_or_default()),
            Base::Message(name) => {
                self.complain(
                    &row.to.span,
                    format!("`{path}` is a message ({name}): name one of its fields"),
                );
                return None;
            }
        };
        self.check_values(row, &ty, path);
        Some(ty)
    }

    /// What a row can give must fit the field, as far as that is known before the first record.
    fn check_values(&mut self, row: &Row, ty: &LeafType, path: &str) {
        let constant = match &row.from {
            From::Const(text) => Some(text.clone()),
            _ => None,
        };
        if let Some(text) = constant {
            let fits = match ty {
                LeafType::Int { min, max, .. } => crate::ops::integer(&text.is)
                    .is_some_and(|n| (i128::from(*min)..=i128::from(*max)).contains(&n)),
                LeafType::Float => text.is.parse::<f64>().is_ok_and(f64::is_finite),
                LeafType::Bool => matches!(text.is.as_str(), "true" | "false"),
                LeafType::Enum(values) => {
                    return self.check_enum(&text.is, &text.span, values, path);
                }
                LeafType::Time => {
                    crate::ops::time::read(&crate::ops::time::TimeFormat::Rfc3339, &text.is, true).is_ok()
                }
                LeafType::Object => false,
                LeafType::Ip => crate::ops::net::ip_family(&text.is).is_some(),
                LeafType::Text { max_bytes } => text.is.len() <= *max_bytes,
                LeafType::Any | LeafType::Panther(_) => true,
            };
            if !fits {
                self.complain(&text.span, format!("`{}` does not fit `{path}`", text.is));
            }
            return;
        }
        let counts = matches!(row.from, From::Count { .. });
        if counts
            && !matches!(ty, LeafType::Int { .. } | LeafType::Float | LeafType::Text { .. } | LeafType::Any)
        {
            self.complain(&row.to.span, format!("a count is a number and does not fit `{path}`"));
        }
        if let (LeafType::Enum(values), Some(Step::Lookup(lookup))) = (ty, row.steps.last()) {
            let mut texts: Vec<String> = lookup.values().map(str::to_string).collect();
            texts.sort();
            texts.dedup();
            for text in texts {
                self.check_enum(&text, &row.to.span, values, path);
            }
        }
        // `$time` brings its own step along; only a row's own paths can be judged here.
        if let (LeafType::Time, From::Paths(paths)) = (ty, &row.from) {
            let timed =
                |steps: &[Step]| matches!(steps.last(), Some(Step::Time { to: TimeOut::Rfc3339, .. }));
            let named = paths.iter().all(|p| {
                p.is.head == table::Head::Named
                    && self.scope.def.and_then(|d| d.lets.get(&p.is.name)).is_some_and(|l| timed(&l.steps))
            });
            if !timed(&row.steps) && !named {
                let mut diagnostic = self
                    .table
                    .at
                    .complain(&row.to.span, format!("`{path}` is a time: the row must say how it is read"));
                diagnostic.help = Some("add `as: {time: unix}` (or rfc3339, unix_ms, …)".into());
                self.wrong.push(diagnostic);
            }
        }
    }

    fn check_enum(&mut self, text: &str, span: &std::ops::Range<usize>, values: &table::Values, path: &str) {
        if !values.contains(text) {
            let help = crate::error::did_you_mean(text, values.iter().map(|v| v.as_str()));
            self.complain(span, format!("`{text}` is no value of `{path}`")).help = help;
        }
    }

    /// Many values cannot go where one belongs, and one element of a list is one list's.
    fn check_lists(&mut self, row: &Row, segs: &[TargetSeg], lists: &[u16], path: Option<&Path>) {
        let spread = segs.iter().any(|s| s.index == Some(Seg::Each));
        let unopened = lists.iter().filter(|l| !self.open.contains(l)).count();
        let Some(last) = segs.last() else { return };
        let repeated = last.field.repeated;
        match &row.list_step {
            Some(At { is: ListStep::Split(_), span }) if !repeated && last.field.base != Base::Any => {
                let span = span.clone();
                self.complain(
                    &span,
                    format!("`split` gives many values and `{}` holds one: add `take`", row.to_text),
                );
            }
            Some(At { is: ListStep::Join(_) | ListStep::First | ListStep::Last, span }) if unopened == 0 => {
                let span = span.clone();
                self.complain(&span, "nothing to join or pick from: the row reads no list");
            }
            None if unopened > 0
                && !repeated
                && !spread
                && last.field.base != Base::Any
                && row.label.is_none() =>
            {
                let shown = path.map_or_else(|| row.to_text.clone(), Path::to_string);
                let mut diagnostic = self.table.at.complain(
                    &row.to.span,
                    format!("`{shown}` has many values and `{}` holds one", row.to_text),
                );
                diagnostic.help = Some("add `as: first`, `as: {join: \", \"}`, or count them".into());
                self.wrong.push(diagnostic);
            }
            _ => {}
        }
        if spread && unopened == 0 {
            self.complain(
                &row.to.span,
                "`[]` makes one element per element of a list, and the row reads no list",
            );
        }
    }

    /// Puts a checked row into the tree.
    fn place(&mut self, row: &Row, placed: Placed, root: &mut DraftObject) {
        let Placed { segs, mut leaf, lists, list_path } = placed;
        if let Origin::Const { json, text } = &mut leaf.origin {
            *json = ready(text, &leaf.ty).into();
        }
        let mut object = root;
        let mut path = String::with_capacity(64);
        let mut spread = 0;
        let spreads = segs.iter().filter(|s| s.index == Some(Seg::Each)).count();
        if let (Origin::Reads(reads), true) = (&leaf.origin, spreads > 0)
            && reads.windows(2).any(|pair| pair[0].lists() != pair[1].lists())
        {
            self.complain(&row.to.span, "the paths of this row run through different lists").help =
                Some("write one row for each list".into());
            return;
        }
        let many = segs.last().is_some_and(|s| s.field.repeated || s.field.base == Base::Any);
        for (i, seg) in segs.iter().enumerate() {
            crate::json::push_step(&seg.key, &mut path);
            let draft = object.field(seg, &path);
            if i + 1 == segs.len() {
                draft.required |= row.required;
                let many = seg.field.repeated
                    || leaf.label.is_some()
                    || (seg.field.base == Base::Any
                        && leaf.list.is_none()
                        && !lists.iter().all(|l| self.open.contains(l)))
                    || matches!(leaf.list, Some(ListStep::Split(_)));
                if many {
                    match list_of(draft) {
                        Some(list) => list.values.push(leaf),
                        None => self.clash(row, &path),
                    }
                } else {
                    match &mut draft.kind {
                        Kind::Leaf(leaves) => leaves.push(leaf),
                        kind @ Kind::Empty => *kind = Kind::Leaf(vec![leaf]),
                        _ => self.clash(row, &path),
                    }
                }
                return;
            }
            let next = if seg.field.repeated || seg.index.is_some() {
                let Some(list) = list_of(draft) else {
                    return self.clash(row, &path);
                };
                match &seg.index {
                    Some(Seg::Each) => {
                        let Some(list_path) = &list_path else { return };
                        spread += 1;
                        let Some((read, scope)) = self.spread(list_path, row, (spread, spreads, many)) else {
                            return;
                        };
                        let at = match list.each.iter().position(|(_, s, _)| *s == scope) {
                            Some(at) => at,
                            None => {
                                list.each.push((read, scope, DraftObject::default()));
                                list.each.len() - 1
                            }
                        };
                        &mut list.each[at].2
                    }
                    Some(Seg::At(n)) => list.objects.entry(*n).or_default(),
                    // `security_result.action`: the first element is meant.
                    _ => list.objects.entry(0).or_default(),
                }
            } else {
                match &mut draft.kind {
                    Kind::Object(_) => {}
                    kind @ Kind::Empty => *kind = Kind::Object(DraftObject::default()),
                    _ => return self.clash(row, &path),
                }
                match &mut draft.kind {
                    Kind::Object(object) => object,
                    _ => return,
                }
            };
            object = next;
        }
    }

    /// The list that the nth `[]` of a row's target walks. The lists of the path and of the target
    /// are paired from the innermost outwards, a last field that holds many counting as one.
    fn spread(
        &mut self,
        path: &Path,
        row: &Row,
        (nth, all, many): (usize, usize, bool),
    ) -> Option<(Read, u16)> {
        let lists: Vec<usize> = (0..path.segs.len()).filter(|&i| path.segs[i] == Seg::Each).collect();
        let room = all + (many && lists.len() > all) as usize;
        let end = *lists.get((lists.len() + nth).saturating_sub(room + 1))?;
        let list = Path { segs: path.segs[..=end].to_vec(), ..path.clone() };
        self.list_read(&At::new(list, row.to.span.clone()))
    }

    fn clash(&mut self, row: &Row, path: &str) {
        self.complain(&row.to.span, format!("`{path}` is filled both as a value and as an object or list"));
    }
}

fn plain_path(segs: &[TargetSeg]) -> String {
    let mut path = String::with_capacity(64);
    for seg in segs {
        crate::json::push_step(&seg.key, &mut path);
    }
    path
}

/// A constant as JSON text.
fn ready(text: &str, ty: &LeafType) -> Vec<u8> {
    let mut json = Vec::new();
    match ty {
        LeafType::Int { quoted: false, .. } | LeafType::Float | LeafType::Bool => {
            json.extend_from_slice(text.as_bytes())
        }
        LeafType::Time => {
            match crate::ops::time::read(&crate::ops::time::TimeFormat::Rfc3339, text, true) {
                Ok(instant) => crate::ops::push_time(instant, &mut json),
                Err(_) => push_quoted(text, &mut json),
            };
        }
        _ => {
            json.push(b'"');
            push_str_escaped(text, &mut json);
            json.push(b'"');
        }
    }
    json
}
