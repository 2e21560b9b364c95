//! Tables × targets become a Plan: what to look for in a record and how to write what was found.
//! Every check that can be made before the first record is made here, and privacy is decided here:
//! a row that may not be read is not compiled. Knows no input and no text.

mod ambiguous;
mod classes;
mod coverage;
mod lint;
mod privacy;
mod reads;
mod schema;
mod shape;
mod sources;
mod tables;
mod tree;

use std::collections::HashMap;
use std::sync::Arc;

use classes::Classes;
pub(crate) use coverage::copies;
pub use coverage::{Coverage, Documented, Fate, coverage};
pub use lint::lint;
use privacy::Mode;
pub use privacy::{Content, Deed, Deeds};
pub use reads::Needed;
pub use shape::{
    Check, Coerce, Copies, Discovery, Embedded, Field, Finder, Key, Label, Leaf, LeafType, List, Object,
    Origin, Part, Probes, Read, ReadAt, Run, Shape, TemplatePiece,
};
use tables::Goal;

use crate::catalog::{Catalog, Mapping};
use crate::error::{Diagnostic, Error};
use crate::json::{Mask, NodeId, SlotAt, Want};
use crate::ops::pseudonym::Pseudonyms;
use crate::ops::text::TextParser;
use crate::ops::time::Zone;
use crate::panther::Schema;
use crate::table::{Dialect, SourceDef};

/// What a run is asked to do with records, before any is read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Names of targets; the outputs keep this order.
    pub targets: Vec<String>,
    /// Panther schemas that take the place of the built-in ones.
    pub schemas: Vec<Schema>,
    pub content: Content,
    /// What an unrecognised record is taken as; records of other sources are refused.
    pub source: Option<String>,
    /// The path of the list that holds the records in every object of the input.
    pub records: Option<Vec<String>>,
    /// Records are also offered to the schemas behind the one that takes them, to be counted.
    pub tell_ambiguous: bool,
    /// Paths of class secret are treated as content.
    pub keep_secrets: bool,
    /// What takes the place of values of class pii.
    pub pseudonyms: Option<Pseudonyms>,
    /// The zone of times that do not say their offset.
    pub timezone: Option<Zone>,
    /// The site that the records come from.
    pub site: Option<String>,
    pub events: Events,
}

impl Request {
    /// What the run sets in every event: the name of the setting, and its value.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let site = self.site.iter().map(|site| ("site", site.clone()));
        site.chain(self.timezone.iter().map(|zone| ("timezone", zone.to_string()))).collect()
    }

    fn mode(&self) -> Mode {
        Mode {
            content: self.content,
            keep_secrets: self.keep_secrets,
            pseudonyms: self.pseudonyms.clone(),
            zone: self.timezone.clone(),
        }
    }
}

/// How the events of Panther schemas are written.
#[derive(Clone, Debug, Default)]
pub struct Events {
    pub form: Form,
    /// Fields that a schema does not declare are stored too.
    pub discover: bool,
    pub source_id: Option<String>,
    pub source_label: Option<String>,
    /// Row ids are made of the record's place and content.
    pub deterministic: bool,
}

/// The two forms of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// As the data lake stores it.
    #[default]
    Stored,
    /// As Panther's test files expect it.
    Test,
}

/// The compiled mappings: immutable, shared by every worker.
#[derive(Debug)]
pub struct Plan {
    pub want: Want,
    pub content: Content,
    pub targets: Vec<TargetPlan>,
    pub sources: Vec<SourcePlan>,
    /// How records are recognised, most specific first.
    pub rules: Vec<Rule>,
    /// Lanes by source (the last row: records that no source recognises) and target.
    pub lanes: Vec<Vec<Route>>,
    /// Nodes whose list holds records when its object is no record itself.
    pub envelopes: Vec<NodeId>,
    pub envelope_paths: Vec<Vec<String>>,
    /// The one envelope is that of [`Request::records`]: every object is one.
    pub named_envelope: bool,
    /// A schema takes lines of text: every line of the input is one record.
    pub text_lines: bool,
    /// See [`Request::tell_ambiguous`].
    pub tell_ambiguous: bool,
    /// See [`Request::source`].
    pub only_source: Option<usize>,
    /// See [`Request::pseudonyms`].
    pub pseudonyms: Option<Pseudonyms>,
    /// Keys that no raw text may mention which no source could be asked about.
    pub secret_keys: Vec<String>,
    pub warnings: Vec<Diagnostic>,
}

#[derive(Debug)]
pub struct TargetPlan {
    pub name: String,
}

#[derive(Debug)]
pub struct SourcePlan {
    pub name: String,
    /// The text of this slot is the record type.
    pub kind: Option<SlotAt>,
    pub payload: Option<Payload>,
    pub bears_content: bool,
    /// Metadata mode on a source that bears content: undeclared paths have no name outside.
    pub filtered: bool,
    /// None mode on a source that bears content: its records are dropped by rule.
    pub dropped: bool,
    /// What becomes of its scalars, where not all of them may leave as they are.
    pub deeds: Option<Deeds>,
    /// By node: the source declares its class.
    pub declared: Vec<bool>,
    /// The source declares any class at all.
    pub documents: bool,
    /// The record types that are documented.
    pub kinds: Vec<crate::ops::Glob>,
}

#[derive(Debug)]
pub struct Payload {
    pub key: SlotAt,
    pub root: NodeId,
    /// Some lane reads it under `root`, and not only under the field of its name.
    pub root_read: bool,
}

/// A conjunction of tests that makes a record one of a source.
#[derive(Debug)]
pub struct Rule {
    pub source: usize,
    /// Columns without which no test can hold.
    pub needs: Box<[Mask]>,
    /// Columns and the texts of which each must hold one; most rules fail here for most records.
    pub exact: Box<[(u16, Vec<String>)]>,
    pub tests: Vec<(Check, bool)>,
}

/// What happens to the records of one source on their way to one target.
#[derive(Debug)]
pub enum Route {
    /// No mapping exists.
    Nowhere,
    /// Tried in order; the first that accepts the record writes it.
    Lanes(Vec<Lane>),
}

#[derive(Debug)]
pub struct Lane {
    pub name: String,
    pub root: Object,
    /// One event per element of this list.
    pub each: Option<Box<[u16]>>,
    /// Target paths of the leaves, by counter.
    pub leaves: Vec<String>,
    /// By node: the lane reads its value.
    pub consumed: Vec<bool>,
    /// By node: the lane copies it with everything below.
    pub whole: Vec<bool>,
    /// By node: it is left unread on purpose.
    pub ignored: Vec<bool>,
    /// By node: payload values walked under the payload root, or under a field of their own name.
    pub payload_view: PayloadView,
    pub rules: Option<TypeRules>,
    /// Panther standard fields behind the record's own.
    pub standard: Option<Standard>,
    /// What makes an object of a line of text; without it the lane takes JSON objects.
    pub text: Option<TextParser>,
    pub expected_rate: Option<f64>,
    /// Target paths whose rows may not be read in this content mode.
    pub withheld: Vec<String>,
    /// Target paths whose type takes no pseudonym, and whose value is of class pii.
    pub unpseudonymized: Vec<String>,
    /// How many presence bits an event needs.
    pub presences: usize,
    /// Values whose JSON text is taken out of its string before the record is written.
    pub embedded: Option<Embedded>,
    /// Members that the mapping does not declare are written too.
    pub discovers: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayloadView {
    Root,
    Named,
}

/// By event type: its needs, each of which any of some presence bits meets.
pub type NeedsByType = HashMap<Box<[u8]>, Vec<Vec<u16>>, foldhash::fast::FixedState>;

/// The event types of a target and what each needs.
#[derive(Debug)]
pub struct TypeRules {
    pub generic: Option<Box<[u8]>>,
    /// The same for all lanes of a target.
    pub needs: Arc<NeedsByType>,
    pub fallback: Vec<Box<[u8]>>,
    /// By presence bit: the path, and whether the mode takes its rows away.
    pub paths: Vec<(Arc<str>, bool)>,
}

impl TypeRules {
    /// Whether the needs of a type are met by what is present.
    pub fn met(&self, name: &[u8], present: impl Fn(u16) -> bool) -> bool {
        let needs = self.needs.get(name).map(Vec::as_slice).unwrap_or_default();
        needs.iter().all(|any| any.iter().any(|bit| present(*bit)))
    }

    /// The first need of a type that is not met through no fault of the mode, and what it is.
    #[cold]
    pub fn unmet(&self, name: &[u8], present: &[bool]) -> Option<(&str, String)> {
        let open =
            |any: &&Vec<u16>| any.iter().all(|&bit| !present[bit as usize] && !self.paths[bit as usize].1);
        let need = self.needs.get(name)?.iter().find(open)?;
        let names: Vec<&str> = need.iter().map(|&bit| &*self.paths[bit as usize].0).collect();
        let what =
            format!("an event of type `{}` needs `{}`", String::from_utf8_lossy(name), names.join("` or `"));
        Some((names.first()?, what))
    }
}

#[derive(Debug)]
pub struct Standard {
    /// From the log type up to where the row id goes, and what stands behind the time of parsing.
    pub head: Box<[u8]>,
    pub tail: Box<[u8]>,
    pub form: Form,
    pub core: Option<Object>,
    /// See [`Events::deterministic`].
    pub content_ids: bool,
}

impl Plan {
    /// Compiles everything the request names, or says everything that is wrong.
    pub fn compile(catalog: &Catalog, request: &Request) -> Result<Plan, Error> {
        for name in &request.targets {
            if !catalog.targets.contains_key(name) {
                if !catalog.wrong.is_empty() {
                    return Err(Error::Mappings(catalog.wrong.clone()));
                }
                return Err(unknown("target", name, catalog.targets.keys()));
            }
        }
        if let Some(name) = &request.source
            && !catalog.sources.contains_key(name)
        {
            return Err(unknown("source", name, catalog.sources.keys()));
        }
        let mut want = Want::new();
        let grown = grow(catalog, request, &mut want)?;
        want.finish();
        Ok(settle(grown, catalog, request, want))
    }

    /// Nothing in a raw text looks like a secret: it neither names the key of one nor spells keys
    /// so that one cannot tell. Who asks for pseudonyms gets no raw text.
    pub fn may_show_raw(&self, text: &[u8]) -> bool {
        if self.pseudonyms.is_some() {
            return false;
        }
        let holds = |part: &[u8]| memchr::memmem::find(text, part).is_some();
        self.secret_keys.is_empty()
            || !(holds(b"\\u00") || self.secret_keys.iter().any(|key| holds(key.as_bytes())))
    }

    /// The name of a source, or nothing for the row of unrecognised records.
    pub fn source_name(&self, source: usize) -> Option<&str> {
        self.sources.get(source).map(|s| s.name.as_str())
    }
}

/// Everything that was asked for, while paths are still found: what depends on the numbers of slots
/// is told when all are known.
struct Grown<'a> {
    sources: Vec<sources::Draft<'a>>,
    /// By source and target, as [`Plan::lanes`]; no lane where nothing is mapped.
    lanes: Vec<Vec<Vec<Draft>>>,
    envelopes: Vec<NodeId>,
    envelope_paths: Vec<Vec<String>>,
    warnings: Vec<Diagnostic>,
}

/// A lane without the numbers of its slots.
struct Draft {
    lane: Lane,
    consumed: Vec<NodeId>,
    whole: Vec<NodeId>,
}

impl Draft {
    fn settle(self, ignored: &[NodeId], want: &Want) -> Lane {
        let marks = |nodes: &[NodeId]| {
            let mut marks = vec![false; want.len()];
            nodes.iter().for_each(|node| marks[*node as usize] = true);
            marks
        };
        let (consumed, whole, ignored) = (marks(&self.consumed), marks(&self.whole), marks(ignored));
        let mut lane = Lane { consumed, whole, ignored, ..self.lane };
        lane.root.settle(want);
        if let Some(core) = lane.standard.as_mut().and_then(|standard| standard.core.as_mut()) {
            core.settle(want);
        }
        lane
    }
}

fn grow<'a>(catalog: &'a Catalog, request: &Request, want: &mut Want) -> Result<Grown<'a>, Error> {
    let mut wrong = catalog.wrong.clone();
    let mut warnings = ambiguous::warn(&request.schemas);
    let mut roots = Vec::new();
    let mode = request.mode();
    let settings = request.settings();
    let goals: Vec<Goal> =
        request.targets.iter().map(|name| Goal::new(&catalog.targets[name], &settings)).collect();
    for target in goals.iter().map(|goal| goal.target) {
        for (setting, _) in &settings {
            if !target.settings.contains_key(*setting) {
                let message = format!("the target `{}` has no place for the {setting} of a run", target.name);
                warnings.push(target.at.complain(&(0..0), message));
            }
        }
    }
    let (mut envelopes, mut envelope_paths) = (Vec::new(), Vec::new());
    for def in catalog.sources.values() {
        let payload = def.payload.as_ref().map(|_| {
            let name = format!("$payload:{}", def.name);
            want.extra_root(&name)
        });
        roots.push(payload);
        for path in def.envelopes.iter().filter(|_| request.records.is_none()) {
            let mut node = 0;
            for key in path {
                node = want.child(node, key);
            }
            if !envelopes.contains(&node) {
                envelopes.push(node);
                envelope_paths.push(path.clone());
            }
        }
    }
    if let Some(path) = &request.records {
        envelopes.push(path.iter().fold(0, |node, key| want.child(node, key)));
        envelope_paths.push(path.clone());
    }
    let classes: Vec<Classes> = catalog.sources.values().map(Classes::new).collect();
    let defs = catalog.sources.values().zip(&classes).zip(&roots);
    let sources =
        defs.map(|((def, classes), root)| sources::draft(def, classes, *root, want, &mut wrong)).collect();
    sources::told_apart(catalog, &mut wrong);
    let mapped = catalog.mappings.iter().filter(|((_, target), _)| request.targets.contains(target));
    let mapped = mapped.filter_map(|(_, mapping)| match mapping {
        Mapping::Schema(schema) if request.schemas.is_empty() => Some(schema),
        _ => None,
    });
    wrong.extend(request.schemas.iter().chain(mapped).filter_map(schema::unsupported));
    let mut lanes = Vec::new();
    for (i, def) in catalog.sources.values().enumerate() {
        let mut row = Vec::new();
        for goal in &goals {
            let (name, target) = (&goal.target.name, goal.target);
            let scope = sources::PathScope {
                def: Some(def),
                classes: Some(&classes[i]),
                payload: roots[i],
                mode: &mode,
            };
            let user = target.dialect == Dialect::Panther && !request.schemas.is_empty();
            let drafts = match catalog.mappings.get(&(def.name.clone(), name.clone())) {
                _ if user => {
                    // What a source recognises is JSON.
                    let json: Vec<&Schema> = request.schemas.iter().filter(|s| s.text.is_none()).collect();
                    schemas(&json, request, &scope, want)
                }
                Some(Mapping::Table(table)) => {
                    match tables::compile(table, goal, &scope, want, &mut warnings) {
                        Ok(draft) => vec![draft],
                        Err(list) => {
                            wrong.extend(list);
                            Vec::new()
                        }
                    }
                }
                Some(Mapping::Schema(schema)) if schema.text.is_some() => {
                    let what =
                        "records of a source are JSON: a schema with a text parser is given with --schema";
                    wrong.push(schema.at.complain(&(0..1), what));
                    Vec::new()
                }
                Some(Mapping::Schema(schema)) => schemas(&[schema], request, &scope, want),
                None => Vec::new(),
            };
            row.push(drafts);
        }
        lanes.push(row);
    }
    let nobody = sources::PathScope { def: None, classes: None, payload: None, mode: &mode };
    let unrecognised = request.targets.iter().map(|name| {
        let user = catalog.targets[name].dialect == Dialect::Panther && !request.schemas.is_empty();
        let all: Vec<&Schema> = request.schemas.iter().filter(|_| user).collect();
        schemas(&all, request, &nobody, want)
    });
    let unrecognised = unrecognised.collect();
    lanes.push(unrecognised);
    if !wrong.is_empty() {
        return Err(Error::Mappings(wrong));
    }
    Ok(Grown { sources, lanes, envelopes, envelope_paths, warnings })
}

/// The most specific schema is tried first; equals keep the order in which they were given.
fn schemas(list: &[&Schema], request: &Request, scope: &sources::PathScope, want: &mut Want) -> Vec<Draft> {
    let mut order: Vec<&Schema> = list.to_vec();
    order.sort_by_key(|s| std::cmp::Reverse(s.specificity()));
    order.into_iter().map(|schema| schema::compile(schema, &request.events, scope, want)).collect()
}

fn settle(grown: Grown, catalog: &Catalog, request: &Request, want: Want) -> Plan {
    let Grown { sources, lanes, envelopes, envelope_paths, warnings } = grown;
    let only_source = request.source.as_ref().and_then(|name| catalog.sources.get_index_of(name));
    let payloads: Vec<Option<NodeId>> = sources.iter().map(|source| source.payload).collect();
    let (mut sources, rules) = sources::settle(sources, request, &want);
    let lanes = lanes.into_iter().enumerate().map(|(i, row)| {
        let def = catalog.sources.get_index(i).map(|(_, def)| def);
        let row = row.into_iter().zip(&request.targets).map(|(drafts, target)| {
            let ignored = def.map(|def| ignored(def, target, catalog, payloads[i], &want));
            let ignored = ignored.unwrap_or_default();
            let lanes: Vec<Lane> = drafts.into_iter().map(|draft| draft.settle(&ignored, &want)).collect();
            if lanes.is_empty() { Route::Nowhere } else { Route::Lanes(lanes) }
        });
        row.collect()
    });
    let lanes: Vec<Vec<Route>> = lanes.collect();
    for (source, row) in sources.iter_mut().zip(&lanes) {
        if let Some(payload) = &mut source.payload {
            let reads = |lane: &Lane| lane.payload_view == PayloadView::Root;
            payload.root_read =
                row.iter().any(|r| matches!(r, Route::Lanes(lanes) if lanes.iter().any(reads)));
        }
    }
    Plan {
        content: request.content,
        named_envelope: request.records.is_some(),
        tell_ambiguous: request.tell_ambiguous,
        text_lines: lanes.last().into_iter().flatten().any(|route| match route {
            Route::Nowhere => false,
            Route::Lanes(lanes) => lanes.iter().any(|lane| lane.text.is_some()),
        }),
        targets: request.targets.iter().map(|name| TargetPlan { name: name.clone() }).collect(),
        sources,
        rules,
        lanes,
        envelopes,
        envelope_paths,
        only_source,
        pseudonyms: request.pseudonyms.clone(),
        secret_keys: privacy::secret_keys(catalog.sources.values(), &request.mode()),
        warnings,
        want,
    }
}

/// What the files of a pair leave unread on purpose.
fn ignored(
    def: &SourceDef,
    target: &str,
    catalog: &Catalog,
    payload: Option<NodeId>,
    want: &Want,
) -> Vec<NodeId> {
    let own = match catalog.mappings.get(&(def.name.clone(), target.to_string())) {
        Some(Mapping::Table(table)) => table.ignored.as_slice(),
        _ => &[],
    };
    let paths = own.iter().chain(&def.ignored).map(|ignored| &ignored.path.is);
    paths.flat_map(|path| privacy::nodes(path, payload, want)).collect()
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String> + Clone) -> Error {
    let help = crate::error::did_you_mean(name, known.clone().map(String::as_str));
    let help = help.unwrap_or_else(|| format!("known: {}", known.cloned().collect::<Vec<_>>().join(", ")));
    Error::Usage(format!("no {what} `{name}`; {help}"))
}

/// Tests and steps are shared between the passes and the lanes that use them.
pub type Steps = Arc<[crate::ops::Step]>;
