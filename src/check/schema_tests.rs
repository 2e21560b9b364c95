//! Owns the test files of Panther schemas (`*_tests.yml`): reading them, finding the schema that
//! each test names, running its input and comparing events. Refuses to know how a schema works.

mod compare;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{fixed_settings, read_text};
use crate::catalog::{self, Catalog, Mapping};
use crate::error::Error;
use crate::normalize::{Dead, NamesOf};
use crate::panther::Schema;
use crate::plan::{Content, Plan, Request};
use crate::run::{From, Input, Sinks, run};
use crate::table::Dialect;
use crate::yaml::{self, Complaints, Node, NodeKind, Source};

/// A test that does not hold.
#[derive(Clone, Debug)]
pub struct Failed {
    pub file: String,
    /// The line at which the test begins.
    pub line: usize,
    pub test: String,
    /// What differs, one line each.
    pub what: Vec<String>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: test `{}` fails", self.file, self.line, self.test)?;
        self.what.iter().try_for_each(|what| write!(f, "\n  {what}"))
    }
}

/// One test as it is written.
struct Test {
    line: usize,
    name: String,
    log_type: String,
    input: String,
    /// The events it wants.
    results: Vec<Value>,
    /// The input is to be refused, with this text in the message.
    error: Option<String>,
}

pub(super) fn is_test_file(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    name.ends_with("_tests.yml") || name.ends_with("_tests.yaml")
}

/// Runs every test of the files; how many there are, and those that fail.
pub(super) fn check(
    catalog: &Catalog,
    files: &[PathBuf],
    schemas: &[PathBuf],
) -> Result<(usize, Vec<Failed>), Error> {
    let Some(target) = catalog.targets.values().find(|t| t.dialect == Dialect::Panther) else {
        return Err(Error::Usage("no target takes Panther schemas".into()));
    };
    let (mut count, mut failed) = (0, Vec::new());
    let mut known = Known { catalog, files: schemas.to_vec(), loaded: Vec::new(), target: &target.name };
    for path in files {
        let shown = path.display().to_string();
        let source = Source::new(&shown, &read_text(path)?);
        let documents = yaml::parse_all(&source).map_err(Error::Mappings)?;
        let mut tests = Vec::new();
        let mut wrong = Complaints::new(&source);
        for document in &documents {
            tests.extend(read_test(document, &mut wrong));
        }
        if !wrong.list.is_empty() {
            return Err(Error::Mappings(wrong.list));
        }
        for test in tests {
            count += 1;
            let what = match known.plan(path, &test.log_type)? {
                Some((schema, plan)) => one(schema, plan, &test)?,
                None => vec![format!("there is no schema `{}` beside this file, or given", test.log_type)],
            };
            if !what.is_empty() {
                failed.push(Failed { file: shown.clone(), line: test.line, test: test.name, what });
            }
        }
    }
    Ok((count, failed))
}

/// The schemas that tests may name, loaded when one does.
struct Known<'a> {
    catalog: &'a Catalog,
    files: Vec<PathBuf>,
    loaded: Vec<(Schema, Plan)>,
    target: &'a str,
}

impl Known<'_> {
    /// The schema of a log type: of the files named by the user, else beside the test file or in the
    /// folder above it, else of the mappings.
    fn plan(&mut self, test_file: &Path, log_type: &str) -> Result<Option<(&Schema, &Plan)>, Error> {
        if let Some(at) = self.loaded.iter().position(|(s, _)| s.name == log_type) {
            let (schema, plan) = &self.loaded[at];
            return Ok(Some((schema, plan)));
        }
        let Some(schema) = self.find(test_file, log_type)? else {
            return Ok(None);
        };
        let request = Request {
            targets: vec![self.target.to_string()],
            schemas: vec![schema.clone()],
            content: Content::Full,
            ..Request::default()
        };
        let plan = Plan::compile(self.catalog, &request)?;
        self.loaded.push((schema, plan));
        Ok(self.loaded.last().map(|(schema, plan)| (schema, plan)))
    }

    fn find(&self, test_file: &Path, log_type: &str) -> Result<Option<Schema>, Error> {
        let mut files = self.files.clone();
        let folder = test_file.parent().unwrap_or(Path::new(""));
        for folder in [Some(folder), folder.parent()].into_iter().flatten() {
            files.extend(yaml_files(folder));
        }
        for file in files {
            let source = Source::new(&file.display().to_string(), &read_text(&file)?);
            // Other files may lie there too; one that is no YAML is no schema.
            let name = yaml::parse(&source).ok().and_then(|root| schema_name(&root, &file));
            if name.as_deref() == Some(log_type) {
                let (schemas, _) = catalog::load_schemas(&[&file])?;
                return Ok(schemas.into_iter().next());
            }
        }
        let built_in = self.catalog.mappings.values().find_map(|mapping| match mapping {
            Mapping::Schema(schema) if schema.name == log_type => Some(schema.clone()),
            _ => None,
        });
        Ok(built_in)
    }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_yaml = |p: &PathBuf| p.extension().is_some_and(|e| e == "yml" || e == "yaml");
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.is_file() && is_yaml(p) && !is_test_file(p)).collect();
    files.sort();
    files
}

fn schema_name(root: &Node, file: &Path) -> Option<String> {
    root.get("fields")?.list()?;
    let name = root.get("schema").and_then(Node::text).map(str::to_string);
    name.or_else(|| file.file_stem().map(|s| s.to_string_lossy().into_owned()))
}

const KEYS: &[&str] = &["name", "logType", "input", "result", "results", "error"];

fn read_test(node: &Node, wrong: &mut Complaints) -> Option<Test> {
    let Some(entries) = node.map() else {
        if !node.is_null() {
            wrong.add(&node.span, format!("a test is a map of keys, not {}", node.what()));
        }
        return None;
    };
    for (key, _) in entries {
        if !KEYS.iter().any(|k| k.eq_ignore_ascii_case(&key.text)) {
            wrong.unknown(&key.span, "key of a test", &key.text, KEYS);
        }
    }
    let get = |name: &str| entries.iter().find(|(k, _)| k.text.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let at = node.span.start..node.span.start + 1;
    let line = wrong.source.complain(&at, "").place().0;
    let mut need = |name: &str| match get(name).map(|n| (n, n.text())) {
        Some((_, Some(text))) => Some(text.to_string()),
        Some((node, None)) => {
            wrong.add(&node.span, format!("`{name}` is a text, not {}", node.what()));
            None
        }
        None => {
            wrong.add(&at, format!("a test needs `{name}`"));
            None
        }
    };
    let (log_type, input) = (need("logType"), need("input"));
    let name = get("name").and_then(Node::text).unwrap_or("without a name").to_string();
    let error = get("error").filter(|n| n.bool() != Some(false) && !n.is_null());
    let error = error.map(|n| n.text().filter(|_| n.bool().is_none()).unwrap_or_default().to_string());
    let mut results = Vec::new();
    let expected = get("result").into_iter().chain(get("results").and_then(Node::list).unwrap_or_default());
    for node in expected.filter(|n| !n.is_null() && n.text() != Some("")) {
        let log_type = log_type.as_deref().unwrap_or_default();
        match expectation(node, log_type) {
            Ok(value) => results.push(value),
            Err(message) => {
                wrong.add(&node.span, message);
            }
        }
    }
    if error.is_some() && !results.is_empty() {
        wrong.add(&at, "a test expects an error or events, not both");
    }
    Some(Test { line, name, log_type: log_type?, input: input?, results, error })
}

/// An expected event: a JSON text, or the same as YAML.
fn expectation(node: &Node, log_type: &str) -> Result<Value, String> {
    let Some(text) = node.text() else {
        return Ok(value_of(node));
    };
    let filled = fill(text, log_type);
    let value: Value =
        serde_json::from_str(&filled).map_err(|e| format!("the expected event is not JSON: {e}"))?;
    if value.is_object() { Ok(value) } else { Err("the expected event is no JSON object".into()) }
}

/// `{{ .LogType }}` stands for the log type.
fn fill(text: &str, log_type: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let Some(len) = rest[open..].find("}}") else { break };
        let inner = rest[open + 2..open + len].trim().trim_matches('-').trim();
        let behind = open + len + 2;
        out.push_str(&rest[..open]);
        out.push_str(if inner == ".LogType" { log_type } else { &rest[open..behind] });
        rest = &rest[behind..];
    }
    out.push_str(rest);
    out
}

fn value_of(node: &Node) -> Value {
    match &node.kind {
        _ if node.is_null() => Value::Null,
        NodeKind::Scalar { text, plain } => match node.bool() {
            Some(flag) => flag.into(),
            None if *plain => {
                serde_json::from_str(text).ok().filter(Value::is_number).unwrap_or_else(|| (&**text).into())
            }
            None => (&**text).into(),
        },
        NodeKind::List(items) => items.iter().map(value_of).collect(),
        NodeKind::Map(entries) => {
            Value::Object(entries.iter().map(|(k, v)| (k.text.to_string(), value_of(v))).collect())
        }
    }
}

/// What of a test does not hold.
fn one(schema: &Schema, plan: &Plan, test: &Test) -> Result<Vec<String>, Error> {
    let inputs = vec![Input { name: test.name.clone(), from: From::Memory(test.input.as_bytes().to_vec()) }];
    let (mut events, mut refused) = (Vec::new(), Vec::new());
    {
        let mut letter = |d: &Dead, _: &NamesOf| {
            let path = d.path.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
            refused.push(format!("{}: {path}{}", d.reason.name(), d.message));
            Ok(())
        };
        let targets = vec![Some(Box::new(&mut events) as Box<dyn std::io::Write + Send>)];
        let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
        run(plan, inputs, &fixed_settings(), &mut sinks)?;
    }
    let mut what = Vec::new();
    match &test.error {
        Some(_) if refused.is_empty() => what.push("expected an error, found none".into()),
        Some(text) if !refused.iter().any(|r| r.contains(text.as_str())) => {
            what.push(format!("expected an error with `{text}`, found {}", refused.join("; ")));
        }
        Some(_) => {}
        None => what.extend(refused.iter().map(|r| format!("refused: {r}"))),
    }
    let found: Vec<&[u8]> = events.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
    if found.len() != test.results.len() && what.is_empty() {
        what.push(format!("expected {} events, found {}", test.results.len(), found.len()));
    }
    for (i, (expected, found)) in test.results.iter().zip(&found).enumerate() {
        let number = if test.results.len() > 1 { format!("event {}: ", i + 1) } else { String::new() };
        match serde_json::from_slice(found) {
            Ok(found) => {
                let differences = compare::event(schema, expected, &found);
                what.extend(differences.into_iter().map(|d| format!("{number}{d}")));
            }
            Err(e) => what.push(format!("{number}a number of the event is out of range: {e}")),
        }
    }
    Ok(what)
}
