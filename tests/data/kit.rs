//! What several test files need: the fixtures as records, the program, and the library over bytes
//! in memory.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use logmill::catalog::{self, Catalog};
use logmill::metrics::{Counts, RunFacts};
use logmill::normalize::{Dead, NamesOf};
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::records::Framing;
use logmill::run::{Clock, From, Input, Settings, Sinks};
use serde_json::Value;

/// Stands in every content string of the conversation fixtures, and in some of their keys.
pub const MARKER: &str = "zxqcontent";

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn fixture(name: &str) -> PathBuf {
    root().join("fixtures").join(name)
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every `input.*` below a folder of the fixtures, sorted.
pub fn inputs(below: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                walk(&path, out);
            } else if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("input.")) {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(&fixture(below), &mut out);
    assert!(!out.is_empty(), "no fixture below {below}");
    out
}

/// The JSON objects of a fixture file that is a clean sequence of JSON values; arrays and list
/// envelopes are opened.
pub fn values(path: &Path) -> Vec<Value> {
    let bytes = read(path);
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut out = Vec::new();
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        open(value.unwrap_or_else(|e| panic!("{}: {e}", path.display())), &mut out);
    }
    out
}

fn open(value: Value, out: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.into_iter().for_each(|v| open(v, out)),
        Value::Object(mut map) if map.get("object") == Some(&Value::from("list")) => {
            open(map.remove("data").expect("an envelope has data"), out)
        }
        other => out.push(other),
    }
}

/// The lines of a file that are JSON objects; good records of cases with bad neighbours.
pub fn object_lines(path: &Path) -> Vec<Value> {
    let bytes = read(path);
    let lines = bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    lines.filter(Value::is_object).collect()
}

/// Ordinary audit records, one for each of many types.
pub fn audits() -> Vec<Value> {
    values(&fixture("openai_audit/events/input.ndjson"))
}

/// All conversations of the fixtures that are JSON objects.
pub fn conversations() -> Vec<Value> {
    let mut all = Vec::new();
    for case in ["chats/input.ndjson", "pretty/input.json", "envelope/input.json"] {
        all.extend(values(&fixture("openai_conversation").join(case)));
    }
    for case in ["edge/input.ndjson", "bad/input.ndjson"] {
        all.extend(object_lines(&fixture("openai_conversation").join(case)));
    }
    all
}

pub fn ndjson(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        out.extend_from_slice(value.to_string().as_bytes());
        out.push(b'\n');
    }
    out
}

pub fn lines(bytes: &[u8]) -> Vec<Value> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "the output ends with a line end");
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let parse = |line: &[u8]| {
        serde_json::from_slice(line)
            .unwrap_or_else(|e| panic!("no JSON line ({e}): {}", String::from_utf8_lossy(line)))
    };
    lines.map(parse).collect()
}

pub fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle.as_bytes())
}

/// The built-in mappings.
pub fn built_in() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let catalog = catalog::load(&[]).unwrap_or_else(|e| panic!("{e}"));
        assert!(catalog.wrong.is_empty() && catalog.warnings.is_empty());
        catalog
    })
}

pub fn plan(targets: &[&str], content: Content) -> Plan {
    let targets = targets.iter().map(|t| t.to_string()).collect();
    compile(Request { targets, content, ..Request::default() })
}

pub fn compile(request: Request) -> Plan {
    Plan::compile(built_in(), &request).unwrap_or_else(|e| panic!("{e}"))
}

/// One thread, a fixed clock and fixed row ids.
pub fn settings() -> Settings {
    Settings {
        threads: 1,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 7,
        framing: Framing::Auto,
        ..Settings::default()
    }
}

/// Everything that a run of the library gives.
#[derive(Debug)]
pub struct Ran {
    pub targets: Vec<Vec<u8>>,
    pub dead: Vec<u8>,
    pub counts: Counts,
    /// The metrics document without its `run` section.
    pub metrics: Value,
    pub summary: String,
}

impl Ran {
    pub fn letters(&self) -> Vec<Value> {
        lines(&self.dead)
    }
}

/// Takes the first places out of a metrics document.
pub fn without_places(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("first");
            map.values_mut().for_each(without_places);
        }
        Value::Array(list) => list.iter_mut().for_each(without_places),
        _ => {}
    }
}

/// Runs a plan over bytes in memory.
pub fn run(plan: &Plan, bytes: &[u8], settings: &Settings) -> Ran {
    let inputs = vec![Input { name: "memory".into(), from: From::Memory(bytes.to_vec()) }];
    let mut dead = Vec::new();
    let mut texts: Vec<Vec<u8>> = vec![Vec::new(); plan.targets.len()];
    let outcome = {
        let mut letter = |d: &Dead, names: &NamesOf| {
            d.write(names, &mut dead);
            Ok(())
        };
        let targets = texts.iter_mut().map(|t| Some(Box::new(t) as Box<dyn std::io::Write + Send>)).collect();
        let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
        logmill::run::run(plan, inputs, settings, &mut sinks).unwrap_or_else(|e| panic!("{e}"))
    };
    assert!(outcome.inputs.iter().all(|i| i.error.is_none()));
    let facts = RunFacts::default();
    let mut metrics = logmill::metrics::report(plan, &outcome.counts, &facts);
    metrics.as_object_mut().expect("a document").remove("run");
    let summary = logmill::metrics::summary(plan, &outcome.counts, &facts);
    Ran { targets: texts, dead, counts: outcome.counts, metrics, summary }
}
