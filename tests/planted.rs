//! The privacy proof: a mark is planted in every string of every fixture, one at a time, and looked
//! for in everything that is written, in every content mode. Each mark has a number, so that all
//! marked records of a mode go through one run and what is found says whose it is.

#[path = "data/kit.rs"]
mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use kit::{Ran, ndjson};
use logmill::catalog::Mapping;
use logmill::plan::{Content, Plan, Request};
use logmill::records::Framing;
use logmill::run::{From, Input, Settings, Sinks};
use logmill::table::{Class, Head, Path, Seg, SourceDef};
use serde_json::Value;

/// A record with one mark in it.
struct Planted {
    record: Value,
    /// Where, without the numbers of list elements.
    path: Vec<Seg>,
    /// The source that recognises the marked record.
    source: Option<&'static SourceDef>,
    /// The path as the metrics show it.
    shown: String,
}

fn mark(number: usize) -> String {
    format!("zxq{number}qxz")
}

/// The numbers of the marks in a text.
fn marks(bytes: &[u8]) -> BTreeSet<usize> {
    let text = String::from_utf8_lossy(bytes);
    let pieces = text.split("zxq").skip(1);
    pieces.filter_map(|piece| piece.split_once("qxz")?.0.parse().ok()).collect()
}

/// A member that no source declares.
const NEW: &str = "added_upstream";

/// A place in a record by its pointer, and its path without element numbers.
type Found = BTreeMap<String, (String, Vec<Seg>)>;

/// Every string of a record, one for each path, and a new member of every object.
fn strings(value: &Value, pointer: String, path: &mut Vec<Seg>, out: &mut Found) {
    let mut note = |pointer: String, segs: Vec<Seg>| {
        let whole = Path { head: Head::Root, name: String::new(), segs: segs.clone() };
        out.entry(whole.to_string()).or_insert((pointer, segs));
    };
    match value {
        Value::Object(map) => {
            note(format!("{pointer}/{NEW}"), [path.as_slice(), &[Seg::Key(NEW.into())]].concat());
            for (key, inner) in map {
                path.push(Seg::Key(key.as_str().into()));
                let escaped = key.replace('~', "~0").replace('/', "~1");
                strings(inner, format!("{pointer}/{escaped}"), path, out);
                path.pop();
            }
        }
        Value::Array(list) => {
            path.push(Seg::Each);
            for (i, inner) in list.iter().enumerate() {
                strings(inner, format!("{pointer}/{i}"), path, out);
            }
            path.pop();
        }
        Value::String(_) => note(pointer, path.clone()),
        _ => {}
    }
}

fn targets() -> Vec<String> {
    let all: BTreeSet<String> = kit::built_in().mappings.keys().map(|(_, target)| target.clone()).collect();
    all.into_iter().collect()
}

fn plan(content: Content) -> Plan {
    kit::compile(Request { targets: targets(), content, ..Request::default() })
}

fn run(plan: &Plan, records: &[Value]) -> Ran {
    kit::run(plan, &ndjson(records), &Settings { framing: Framing::Lines, ..kit::settings() })
}

/// The source that recognises a record, by what is counted.
fn recognise(plan: &Plan, record: &Value) -> Option<&'static SourceDef> {
    let inputs =
        vec![Input { name: String::new(), from: From::Memory(ndjson(std::slice::from_ref(record))) }];
    let settings = Settings { framing: Framing::Lines, ..kit::settings() };
    let targets = plan.targets.iter().map(|_| None).collect();
    let mut sinks = Sinks { targets, dead: &mut |_, _| Ok(()), progress: &mut |_, _| {} };
    let outcome = logmill::run::run(plan, inputs, &settings, &mut sinks).expect("it runs");
    let source = outcome.counts.sources.iter().position(|types| !types.is_empty())?;
    kit::built_in().sources.get(plan.source_name(source)?)
}

/// Whether a string at a path could change which source recognises the record, or under which key
/// its payload is: a path that some source tests.
fn tells(path: &[Seg]) -> bool {
    kit::built_in().sources.values().any(|def| {
        let tested = def.when.paths().into_iter().chain(&def.payload).chain(&def.kind);
        tested.map(|at| &at.is).any(|tested| tested.segs == path)
    })
}

/// The records of an envelope, or the one that it is.
fn opened(record: Value) -> Vec<Value> {
    match record.get("data") {
        Some(Value::Array(list)) => list.iter().filter(|v| v.is_object()).cloned().collect(),
        _ => vec![record],
    }
}

fn all() -> &'static [Planted] {
    static ALL: OnceLock<Vec<Planted>> = OnceLock::new();
    ALL.get_or_init(|| {
        let full = plan(Content::Full);
        let mut list: Vec<Planted> = Vec::new();
        // What many records have alike is planted in three of them.
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        for name in kit::built_in().sources.keys().filter(|name| kit::fixture(name).is_dir()) {
            for input in kit::inputs(name) {
                let records = match input.extension().is_some_and(|e| e == "json") {
                    true => kit::values(&input),
                    false => kit::object_lines(&input),
                };
                for record in records.into_iter().flat_map(opened) {
                    let mut found = BTreeMap::new();
                    strings(&record, String::new(), &mut Vec::new(), &mut found);
                    let own = recognise(&full, &record);
                    let kind = own.and_then(|def| def.kind.as_ref()).and_then(|kind| {
                        match kind.is.segs.as_slice() {
                            [Seg::Key(key)] => record.get(key.as_str()),
                            _ => None,
                        }
                    });
                    let kind = kind.map(Value::to_string).unwrap_or_default();
                    for (shown, (pointer, path)) in found {
                        let times = seen.entry((format!("{name} {kind}"), shown.clone())).or_default();
                        *times += 1;
                        if *times > 3 {
                            continue;
                        }
                        let mut marked = record.clone();
                        match marked.pointer_mut(pointer.strip_suffix(&format!("/{NEW}")).unwrap_or(&pointer))
                        {
                            Some(Value::Object(map)) => map.insert(NEW.into(), mark(list.len()).into()),
                            Some(text) => Some(std::mem::replace(text, mark(list.len()).into())),
                            None => panic!("no {pointer}"),
                        };
                        let source = if tells(&path) { recognise(&full, &marked) } else { own };
                        let shown = match (source.and_then(|def| def.payload.as_ref()), path.as_slice()) {
                            (Some(_), [Seg::Key(key), rest @ ..]) if key.contains('.') => {
                                Path { head: Head::Payload, name: String::new(), segs: rest.to_vec() }
                                    .to_string()
                            }
                            _ => shown,
                        };
                        list.push(Planted { record: marked, path, source, shown });
                    }
                }
            }
        }
        list
    })
}

/// The strictest class that the source declares for a path, its payload's under any key.
fn class(def: &SourceDef, path: &[Seg]) -> Option<Class> {
    let same = |declared: &Path| match (declared.head, declared.segs.as_slice(), path) {
        (Head::Root, segs, _) if segs == path => true,
        (Head::Root, [Seg::Key(a), rest @ ..], [Seg::Key(b), inner @ ..]) if def.payload.is_some() => {
            a.contains('.') && a.replace('.', "_") == b.replace('.', "_") && rest == inner
        }
        (Head::Payload, segs, [_, inner @ ..]) => segs == inner,
        _ => false,
    };
    def.classes.iter().filter(|(path, _)| same(&path.is)).map(|(_, class)| *class).max()
}

fn bears_content(def: &SourceDef) -> bool {
    def.classes.iter().any(|(_, class)| *class == Class::Content)
}

fn doors(ran: &Ran) -> Vec<(String, Vec<u8>)> {
    let mut doors: Vec<(String, Vec<u8>)> = targets().into_iter().zip(ran.targets.iter().cloned()).collect();
    doors.push(("dead letters".into(), ran.dead.clone()));
    doors.push(("metrics".into(), ran.metrics.to_string().into_bytes()));
    doors.push(("summary".into(), ran.summary.clone().into_bytes()));
    doors
}

fn records() -> Vec<Value> {
    all().iter().map(|planted| planted.record.clone()).collect()
}

#[test]
fn the_marks_are_many_and_of_every_class() {
    let of = |wanted: Option<Class>| {
        all()
            .iter()
            .filter(|p| p.source.is_some_and(|def| bears_content(def) && class(def, &p.path) == wanted))
            .count()
    };
    assert!(of(Some(Class::Content)) > 15, "{}", of(Some(Class::Content)));
    assert!(of(Some(Class::Meta)) > 30 && of(Some(Class::Pii)) > 5 && of(None) > 15, "{}", of(None));
    assert!(all().len() > 800, "{}", all().len());
    assert!(all().iter().any(|p| p.source.is_none()), "some marks make a record unknown");
}

/// What may not leave in metadata mode: content, secrets and undeclared strings of a source that
/// bears content, secrets of any, and everything of what no source recognises.
fn may_leave(planted: &Planted) -> bool {
    let Some(def) = planted.source else { return false };
    match class(def, &planted.path) {
        Some(Class::Meta | Class::Pii) => true,
        Some(Class::Content | Class::Secret) => false,
        None => !bears_content(def),
    }
}

#[test]
fn in_metadata_mode_no_mark_leaves_that_may_not() {
    let ran = run(&plan(Content::Metadata), &records());
    let mut shown = 0;
    for (door, bytes) in doors(&ran) {
        for number in marks(&bytes) {
            let planted = &all()[number];
            assert!(
                may_leave(planted),
                "{} of {:?} in {door}",
                planted.shown,
                planted.source.map(|d| &d.name)
            );
            shown += 1;
        }
    }
    assert!(shown > 300, "metadata is left: {shown}");
}

#[test]
fn in_none_mode_only_the_count_is_left() {
    let ran = run(&plan(Content::None), &records());
    for (door, bytes) in doors(&ran) {
        for number in marks(&bytes) {
            let planted = &all()[number];
            let may = may_leave(planted) && planted.source.is_some_and(|def| !bears_content(def));
            assert!(may, "{} of {:?} in {door}", planted.shown, planted.source.map(|d| &d.name));
        }
    }
    for (name, def) in kit::built_in().sources.iter().filter(|(_, def)| bears_content(def)) {
        let counted = all().iter().filter(|p| p.source.is_some_and(|d| d.name == def.name)).count();
        let source = &ran.metrics["sources"][name];
        if counted == 0 {
            continue;
        }
        assert_eq!(source["records"], counted, "{name}");
        assert_eq!(
            source["types"].as_object().expect("types").keys().collect::<Vec<_>>(),
            ["(none)"],
            "{name}"
        );
        for key in ["paths", "unknown_paths", "unknown_types", "type_conflicts"] {
            assert_eq!(source[key], serde_json::json!({}), "{name}: {key}");
        }
    }
}

/// A mark that no output holds is one that the report names: its record became a dead letter, or its
/// path is unmapped, ignored, unfit or passed over, or holds a secret.
#[test]
fn in_full_mode_every_mark_is_written_or_reported() {
    for targets in targets().into_iter().map(|target| vec![target]).chain([targets()]) {
        written_or_reported(targets);
    }
}

fn elements(value: &Value, segs: &[Seg]) -> usize {
    match segs.split_first() {
        None => 1,
        Some((Seg::Key(key), rest)) => value.get(key.as_str()).map_or(0, |inner| elements(inner, rest)),
        Some((_, rest)) => value.as_array().into_iter().flatten().map(|inner| elements(inner, rest)).sum(),
    }
}

fn written_or_reported(targets: Vec<String>) {
    let full =
        kit::compile(Request { targets: targets.clone(), content: Content::Full, ..Request::default() });
    let ran = run(&full, &records());
    let mut written: BTreeSet<usize> = BTreeSet::new();
    for (door, bytes) in doors(&ran) {
        for number in marks(&bytes) {
            let planted = &all()[number];
            let class = planted.source.and_then(|def| class(def, &planted.path));
            assert!(class != Some(Class::Secret), "{} in {door}", planted.shown);
            written.insert(number);
        }
    }
    let refused: BTreeSet<u64> = ran.letters().iter().filter_map(|letter| letter["index"].as_u64()).collect();
    let mut lost = BTreeSet::new();
    for (number, planted) in all().iter().enumerate() {
        let secret = planted.source.is_some_and(|def| class(def, &planted.path) == Some(Class::Secret));
        if written.contains(&number) || refused.contains(&(number as u64)) || secret {
            continue;
        }
        let Some(def) = planted.source else {
            lost.insert(format!("unknown: {}", planted.shown));
            continue;
        };
        let reported = targets.iter().any(|target| {
            // A record without an element gives no event by rule, which is counted.
            if let Some(Mapping::Table(table)) =
                kit::built_in().mappings.get(&(def.name.clone(), target.clone()))
                && let Some(each) = &table.each
                && elements(&planted.record, &each.is.segs) == 0
            {
                return true;
            }
            let mapping = &ran.metrics["targets"][target]["mappings"][&def.name];
            let lists = ["unmapped", "ignored", "values_unfit", "values_passed_over"];
            // A schema's fields have the names of payloads with underscores.
            let flat = |name: &str| name.replace('"', "").replace('.', "_");
            let whole =
                Path { head: Head::Root, name: String::new(), segs: planted.path.clone() }.to_string();
            lists.iter().filter_map(|list| mapping[list].as_object()).flat_map(|list| list.keys()).any(
                |name| {
                    // What is passed over whole goes with everything in it.
                    let inside = planted.shown.strip_prefix(name.as_str());
                    inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                        || flat(name) == flat(&whole)
                },
            )
        });
        if !reported {
            lost.insert(format!("{}: {}", def.name, planted.shown));
        }
    }
    assert!(
        lost.is_empty(),
        "{targets:?}: neither written nor reported:\n{}",
        lost.into_iter().collect::<Vec<_>>().join("\n")
    );
}

/// The same through the program, for its own messages.
#[cfg(feature = "cli")]
#[test]
fn the_program_says_nothing_that_may_not_leave() {
    let temp = tempfile::Builder::new().prefix("logmill-planted-").tempdir().expect("a folder");
    let input = temp.path().join("in.ndjson").display().to_string();
    std::fs::write(&input, ndjson(&records())).expect("a file");
    let to = targets().join(",");
    let out = temp.path().join("out").display().to_string();
    for mode in ["none", "metadata"] {
        for line in [
            format!("validate {input} --framing lines --content {mode}"),
            format!(
                "convert {input} --framing lines --content {mode} --to {to} -o {out}/ --dead-letters - --metrics - --summary"
            ),
        ] {
            let ran = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
                .args(line.split_whitespace())
                .output()
                .expect("it runs");
            assert_eq!(ran.status.code(), Some(1), "some are refused: {line}");
            for bytes in [ran.stdout, ran.stderr] {
                for number in marks(&bytes) {
                    let planted = &all()[number];
                    let none = mode == "none" && planted.source.is_some_and(bears_content);
                    assert!(may_leave(planted) && !none, "{line}: {}", planted.shown);
                }
            }
        }
    }
}
