//! What a mapping can be told without a record though it would run: documented paths that are
//! neither read nor ignored, rows that never write, rows that say the same twice. Knows tables as
//! written; does not stop a run.

use super::coverage::{Coverage, coverage, covers};
use super::privacy::payload_part;
use super::sources::{Atom, contradict, normal_form};
use crate::catalog::{Catalog, Mapping};
use crate::error::{Diagnostic, Error, did_you_mean};
use crate::ops::{Step, Test};
use crate::table::{At, Base, Cond, From, Head, Label, Path, Piece, Row, Seg, SourceDef, Table, TargetDef};

/// Everything to be said of the mappings, file by file in the order of their lines.
pub fn lint(catalog: &Catalog) -> Result<Vec<Diagnostic>, Error> {
    let mut list = Vec::new();
    let covered = coverage(catalog, None, None)?;
    for ((source, target), mapping) in &catalog.mappings {
        let def = &catalog.sources[source];
        let Mapping::Table(table) = mapping else { continue };
        Lint { def, table, target: &catalog.targets[target], list: &mut list }.table();
    }
    for def in catalog.sources.values() {
        missing(def, &covered, &mut list);
        for ignored in def.ignored.iter().filter(|i| !declared_below(def, &i.path.is)) {
            list.push(undeclared_ignore(&def.at, &ignored.path));
        }
    }
    list.sort_by(|a, b| (&a.file, a.span.start, &a.message).cmp(&(&b.file, b.span.start, &b.message)));
    list.dedup_by(|a, b| a.to_string() == b.to_string());
    Ok(list)
}

/// Declared paths that some mapping of the source neither reads nor ignores.
fn missing(def: &SourceDef, covered: &[Coverage], list: &mut Vec<Diagnostic>) {
    for (i, (path, _)) in def.classes.iter().enumerate() {
        let unread: Vec<&str> = covered
            .iter()
            .filter(|pair| pair.source == def.name && pair.paths[i].fate == super::Fate::Missing)
            .map(|pair| pair.target.as_str())
            .collect();
        if !unread.is_empty() {
            let message =
                format!("`{}` is neither read nor ignored by the mapping to {}", path.is, unread.join(", "));
            let mut diagnostic = def.at.complain(&path.span, message);
            diagnostic.help = Some("read it in a row, or give a reason under `ignore`".into());
            list.push(diagnostic);
        }
    }
}

fn undeclared_ignore(at: &crate::yaml::Source, path: &At<Path>) -> Diagnostic {
    at.complain(&path.span, format!("`{}` is ignored, and the source does not declare it", path.is))
}

/// The path, or something below it, is declared.
fn declared_below(def: &SourceDef, path: &Path) -> bool {
    def.classes.iter().any(|(declared, _)| covers(path, &declared.is))
}

/// The path is declared, or stands above or below what is.
fn declared(def: &SourceDef, path: &Path) -> bool {
    let through_payload = |declared: &Path| {
        def.payload.is_some()
            && path.head == Head::Payload
            && payload_part(declared).is_some_and(|(_, rest)| path.segs.starts_with(rest))
    };
    declared_below(def, path)
        || def.classes.iter().any(|(known, _)| covers(&known.is, path) || through_payload(&known.is))
}

struct Lint<'a> {
    def: &'a SourceDef,
    table: &'a Table,
    target: &'a TargetDef,
    list: &'a mut Vec<Diagnostic>,
}

impl Lint<'_> {
    fn complain(&mut self, span: &std::ops::Range<usize>, message: String, help: Option<String>) {
        let mut diagnostic = self.table.at.complain(span, message);
        diagnostic.help = help;
        self.list.push(diagnostic);
    }

    fn table(&mut self) {
        for ignored in &self.table.ignored {
            if !declared_below(self.def, &ignored.path.is) {
                self.list.push(undeclared_ignore(&self.table.at, &ignored.path));
            } else if self.table.rows.iter().any(|row| reads(row, &ignored.path.is)) {
                let message = format!("`{}` is ignored, and a row reads it", ignored.path.is);
                self.complain(&ignored.path.span, message, None);
            }
        }
        for (i, row) in self.table.rows.iter().enumerate() {
            self.paths(row);
            self.never(row);
            self.lookup(row);
            let earlier = &self.table.rows[..i];
            if !self.repeated(row) {
                self.shadowed(row, earlier);
            } else if let Some(Label::Const(label)) = &row.label {
                self.label(row, &label.is, earlier);
            }
        }
    }

    /// Paths that the source does not declare. Other spellings of a declared one are fine.
    fn paths(&mut self, row: &Row) {
        if self.def.classes.is_empty() {
            return;
        }
        for group in groups(row) {
            let resolved: Vec<Path> = group.iter().flat_map(|path| self.resolve(&path.is)).collect();
            if resolved.iter().all(|path| !declared(self.def, path))
                && let (Some(first), Some(path)) = (group.first(), resolved.first())
            {
                let names: Vec<String> = self.def.classes.iter().map(|(p, _)| p.is.to_string()).collect();
                let help = did_you_mean(&path.to_string(), names.iter().map(String::as_str));
                let message = format!("`{path}` is not declared by the source `{}`", self.def.name);
                let span = first.span.clone();
                self.complain(&span, message, help.or(Some("list it under `fields` of source.yaml".into())));
            }
        }
    }

    /// The paths of the record that a written path stands for.
    fn resolve(&self, path: &Path) -> Vec<Path> {
        match path.head {
            Head::Fact => Vec::new(),
            Head::Named => match self.def.lets.get(&path.name) {
                Some(named) => named.paths.iter().map(|(p, _)| p.is.clone()).collect(),
                None => Vec::new(),
            },
            _ => vec![path.clone()],
        }
    }

    /// A condition that no record of the source fulfils.
    fn never(&mut self, row: &Row) {
        let Some(when) = &row.when else { return };
        let span = cond_span(when).unwrap_or(row.to.span.clone());
        let all = normal_form(when);
        if all.iter().all(|atoms| contradict_itself(atoms)) {
            return self.complain(
                &span,
                "this row never writes: its condition contradicts itself".into(),
                None,
            );
        }
        let own = normal_form(&self.def.when);
        let apart = all.iter().all(|atoms| {
            contradict_itself(atoms)
                || own
                    .iter()
                    .all(|source| source.iter().all(|a| !self.listed(a.0)) && contradict(atoms, source))
        });
        if apart {
            let message =
                format!("this row never writes: no record of `{}` fulfils its condition", self.def.name);
            return self.complain(&span, message, None);
        }
        for atoms in &all {
            for (path, test, positive) in atoms {
                if *positive && self.is_kind(&path.is) {
                    self.kinds(path, test);
                }
            }
        }
    }

    /// A test on a list holds for any element, so two of them need not exclude each other.
    fn listed(&self, path: &At<Path>) -> bool {
        path.is.segs.contains(&Seg::Each)
    }

    fn is_kind(&self, path: &Path) -> bool {
        !self.def.kinds.is_empty()
            && self.def.kind.as_ref().is_some_and(|kind| self.resolve(path) == vec![kind.is.clone()])
    }

    /// Tests of the record type for texts that are no documented type.
    fn kinds(&mut self, path: &At<Path>, test: &Test) {
        let known = |text: &str| self.def.kinds.iter().any(|kind| kind.matches(text.as_bytes()));
        let exact: Vec<&str> = self.def.kinds.iter().filter_map(|kind| kind.text()).collect();
        let patterns = exact.len() < self.def.kinds.len();
        match test {
            Test::OneOf(list) => {
                for text in list.iter().filter(|text| !known(text)) {
                    let help = did_you_mean(text, exact.iter().copied());
                    let message = format!("`{text}` is no documented type of `{}`", self.def.name);
                    let mut diagnostic = self.table.at.complain(&path.span, message);
                    diagnostic.help = help;
                    self.list.push(diagnostic);
                }
            }
            Test::Glob(_) | Test::Regex(_)
                if !patterns && !exact.iter().any(|text| test.holds(Some(text))) =>
            {
                let message = "this pattern matches no documented type".to_string();
                self.list.push(self.table.at.complain(&path.span, message));
            }
            _ => {}
        }
    }

    /// Keys of a lookup on the record type that are no documented type.
    fn lookup(&mut self, row: &Row) {
        let (From::Paths(paths), Some(Step::Lookup(lookup))) = (&row.from, row.steps.first()) else { return };
        let Some(path) = paths.iter().find(|path| self.is_kind(&path.is)) else { return };
        let mut keys: Vec<String> = lookup.exact.keys().cloned().collect();
        keys.sort();
        self.kinds(path, &Test::OneOf(keys));
        for (glob, _) in &lookup.globs {
            self.kinds(path, &Test::Glob(glob.clone()));
        }
    }

    fn repeated(&self, row: &Row) -> bool {
        let Ok(segs) = self.target.resolve(&row.to.is) else { return true };
        let many = |seg: &crate::table::TargetSeg| seg.field.repeated || seg.index == Some(Seg::Each);
        let Some((last, above)) = segs.split_last() else { return true };
        row.label.is_some()
            || many(last)
            || above.iter().any(|seg| seg.index == Some(Seg::Each))
            // Below an object, a list makes a list.
            || (last.field.base == Base::Any && row.list_step.is_none() && groups(row).iter().flatten().any(|p| self.listed(p)))
    }

    /// A row for one value behind one that always has it, or that asks the same.
    fn shadowed(&mut self, row: &Row, earlier: &[Row]) {
        for before in earlier.iter().filter(|before| before.to.is == row.to.is) {
            let line = self.line(&before.to.span);
            let same_when = same_cond(before.when.as_deref(), row.when.as_deref());
            let wider = before.when.is_none() || same_when;
            let to = &row.to_text;
            let always = matches!(before.from, From::Const(_)) && wider;
            let span = row.to.span.clone();
            if always {
                let message = format!("this row never writes: line {line} always fills `{to}` before");
                return self.complain(&span, message, None);
            }
            let (From::Paths(first), From::Paths(second)) = (&before.from, &row.from) else { continue };
            let same_steps = format!("{:?}", before.steps) == format!("{:?}", row.steps);
            let subset = second.iter().all(|path| first.iter().any(|p| p.is == path.is));
            if wider && same_steps && subset {
                let message =
                    format!("this row never writes: line {line} fills `{to}` from the same path before");
                return self.complain(&span, message, None);
            }
            if same_when && same_steps && list_step(before) == list_step(row) {
                let message =
                    format!("two rows fill `{to}` on the same condition: the other is on line {line}");
                let help = Some("name the paths in one row: from: [first, second]".into());
                return self.complain(&span, message, help);
            }
        }
    }

    /// Two rows that give one list a label of the same key.
    fn label(&mut self, row: &Row, label: &str, earlier: &[Row]) {
        for before in earlier.iter().filter(|before| before.to.is == row.to.is) {
            let Some(Label::Const(other)) = &before.label else { continue };
            if other.is != label || self.exclude(before.when.as_deref(), row.when.as_deref()) {
                continue;
            }
            let Some(Label::Const(own)) = &row.label else { return };
            let (span, line) = (own.span.clone(), self.line(&other.span));
            let message = format!("the label `{label}` of `{}` is given on line {line} too", row.to_text);
            return self.complain(&span, message, Some("give it a key of its own".into()));
        }
    }

    fn exclude(&self, a: Option<&Cond>, b: Option<&Cond>) -> bool {
        let (Some(a), Some(b)) = (a, b) else { return false };
        let b = normal_form(b);
        normal_form(a).iter().all(|x| b.iter().all(|y| contradict(x, y)))
    }

    fn line(&self, span: &std::ops::Range<usize>) -> usize {
        self.table.at.text[..span.start].matches('\n').count() + 1
    }
}

/// The paths of a row, those that stand for each other together.
fn groups(row: &Row) -> Vec<Vec<&At<Path>>> {
    let mut groups: Vec<Vec<&At<Path>>> = Vec::new();
    match &row.from {
        From::Paths(paths) => groups.push(paths.iter().collect()),
        From::Const(_) => {}
        From::Template(pieces) => {
            groups.extend(pieces.is.iter().filter_map(|piece| match piece {
                Piece::Path(path) => Some(vec![path]),
                Piece::Text(_) => None,
            }));
        }
        From::Count { list, only } => {
            groups.push(vec![list]);
            groups.extend(only.iter().flat_map(|cond| cond.paths()).map(|path| vec![path]));
        }
    }
    if let Some(Label::From(path)) = &row.label {
        groups.push(vec![path]);
    }
    groups.extend(row.when.iter().flat_map(|cond| cond.paths()).map(|path| vec![path]));
    groups.retain(|group| group.iter().any(|path| path.is.head != Head::Fact));
    groups
}

fn list_step(row: &Row) -> Option<&crate::table::ListStep> {
    row.list_step.as_ref().map(|step| &step.is)
}

/// A row takes its value from exactly this path.
fn reads(row: &Row, path: &Path) -> bool {
    groups(row).iter().flatten().any(|read| read.is == *path)
}

fn contradict_itself(atoms: &[Atom]) -> bool {
    (0..atoms.len()).any(|i| {
        let listed = atoms[i].0.is.segs.contains(&Seg::Each);
        !listed && contradict(&atoms[i..=i], &atoms[i + 1..])
    })
}

fn cond_span(cond: &Cond) -> Option<std::ops::Range<usize>> {
    cond.paths().first().map(|path| path.span.clone())
}

/// Conditions that are written alike.
fn same_cond(a: Option<&Cond>, b: Option<&Cond>) -> bool {
    fn shape(cond: &Cond) -> String {
        match cond {
            Cond::Test { path, test } => format!("{} {test:?}", path.is),
            Cond::Not(inner) => format!("not({})", shape(inner)),
            Cond::Any(list) => format!("any{:?}", list.iter().map(shape).collect::<Vec<_>>()),
            Cond::All(list) => format!("all{:?}", list.iter().map(shape).collect::<Vec<_>>()),
        }
    }
    a.map(shape) == b.map(shape)
}
