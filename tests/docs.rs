//! What README.md and mappings/README.md say, held against the program: word lists are compared,
//! complete files are loaded, and every example with an input is run.

use std::path::Path;
use std::process::Command;

use logmill::catalog::Mapping;
use logmill::metrics::{self, Reason, RunFacts};
use logmill::normalize::{Dead, NamesOf};
use logmill::ops::time::Instant;
use logmill::ops::words;
use logmill::plan::{Content, Plan, Request};
use logmill::run::{Clock, From, Input, Settings, Sinks, run};
use serde_json::Value;

const README: &str = include_str!("../README.md");
const DIALECT: &str = include_str!("../mappings/README.md");

/// The lines below a heading, up to the next heading of the same or a higher level.
fn section<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let level = heading.split(' ').next().unwrap_or_default().len();
    let mut fenced = false;
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let marks = line.bytes().take_while(|b| *b == b'#').count();
        if !fenced && marks > 0 {
            inside = line == heading || (inside && marks > level);
        } else if inside {
            lines.push(line);
        }
    }
    assert!(!lines.is_empty(), "no section `{heading}`");
    lines
}

/// The cells of the rows of the tables below a heading, without the head of each table.
fn cells<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in section(text, heading) {
        let Some(row) = line.strip_prefix('|').and_then(|l| l.strip_suffix('|')) else {
            in_table = false;
            continue;
        };
        if row.starts_with("---") {
            in_table = true;
        } else if in_table {
            rows.push(row.split(" | ").map(str::trim).collect());
        }
    }
    assert!(!rows.is_empty(), "no table below `{heading}`");
    rows
}

/// The texts in backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn first_code(cell: &str) -> &str {
    code(cell).first().copied().unwrap_or_else(|| panic!("no word in backticks: {cell}"))
}

/// The words of the first column, each once.
fn words_of<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let mut words: Vec<&str> = cells(text, heading).iter().map(|row| first_code(row[0])).collect();
    words.dedup();
    words
}

fn sorted(mut words: Vec<&str>) -> Vec<&str> {
    words.sort_unstable();
    words
}

#[test]
fn the_vocabulary_is_documented() {
    for (heading, known) in [
        ("### Rows", words::ROW),
        ("### Steps", words::STEP),
        ("### Tests", words::TEST),
        ("### Times", words::TIME_OUT),
        ("### Facts", words::FACT),
    ] {
        assert_eq!(sorted(words_of(DIALECT, heading)), sorted(known.to_vec()), "{heading}");
    }
}

#[test]
fn the_words_of_panther_schemas_are_documented() {
    let chapter = section(DIALECT, "## Panther schemas").join("\n");
    let documented = code(&chapter);
    let known = logmill::panther::ATTRIBUTES.iter().chain(logmill::panther::TYPES);
    for word in known.chain(&logmill::ops::indicator::NAMES) {
        assert!(documented.contains(word), "mappings/README.md does not name `{word}`");
    }
}

#[test]
fn every_reason_is_documented() {
    let known: Vec<&str> = Reason::ALL.iter().map(|r| r.name()).collect();
    assert_eq!(sorted(words_of(README, "### Reasons")), sorted(known));
}

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_logmill"))
        .args([command, "--help"])
        .output()
        .expect("the program runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("help is text")
}

/// The long flags that a text of clap's help defines.
fn flags(help: &str) -> Vec<&str> {
    help.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let flag = line.strip_prefix("--").or_else(|| line.split_once(", --").map(|(_, rest)| rest))?;
            (line.starts_with('-')).then(|| flag.split([' ', ',']).next().unwrap_or(flag))
        })
        .collect()
}

#[test]
fn every_flag_is_documented() {
    for command in ["convert", "validate", "check", "coverage", "infer", "list"] {
        let help = help(command);
        let known = flags(&help);
        assert!(known.contains(&"mappings"), "the help of {command} is not understood: {known:?}");
        let documented = code(README);
        for flag in known.iter().filter(|f| **f != "help") {
            let name = format!("--{flag}");
            let found =
                documented.iter().any(|c| c.split_whitespace().any(|w| w.trim_end_matches(',') == name));
            assert!(found, "README.md does not name `{name}` of {command}");
        }
    }
    // And the table names no flag that does not exist.
    let all: String = ["convert", "validate", "check", "coverage", "infer", "list"].map(help).concat();
    let known = flags(&all);
    for row in cells(README, "### Flags") {
        for flag in code(row[0]).iter().filter_map(|c| c.strip_prefix("--")) {
            let flag = flag.split(' ').next().unwrap_or(flag);
            assert!(known.contains(&flag), "README.md names `--{flag}`, which no command has");
        }
    }
}

#[test]
fn the_sources_and_targets_are_documented() {
    let catalog = logmill::catalog::load(&[]).expect("the built-in mappings are right");
    // A source with its mappings: tables by their target, schemas by their name.
    let sources = catalog.sources.values().map(|s| {
        let bears = if s.bears_content() { " (bears content)" } else { "" };
        let of_source = catalog.mappings.iter().filter(|((source, _), _)| *source == s.name);
        let (mut tables, mut schemas) = (Vec::new(), Vec::new());
        for ((_, target), mapping) in of_source {
            match mapping {
                Mapping::Table(_) => tables.push(target),
                Mapping::Schema(schema) => schemas.push(format!("Panther schema `{}`", schema.name)),
            }
        }
        tables.sort();
        let all: Vec<String> = tables.iter().map(|table| format!("`{table}`")).chain(schemas).collect();
        vec![s.name.clone(), format!("{}{bears}", s.description), all.join(", ")]
    });
    let targets = catalog.targets.values().map(|t| vec![t.name.clone(), t.description.clone()]);
    let mut known: Vec<Vec<String>> = sources.chain(targets).collect();
    let mut documented: Vec<Vec<String>> = cells(README, "## Sources and targets")
        .iter()
        .map(|row| {
            let name = row[0].replace('`', "");
            [name].into_iter().chain(row[1..].iter().map(|cell| cell.to_string())).collect()
        })
        .collect();
    known.sort();
    documented.sort();
    assert_eq!(documented, known);
}

#[test]
fn every_key_of_the_metrics_is_documented() {
    let nothing = tempfile::tempdir().expect("a folder");
    let ran = convert(nothing.path(), "udm", include_str!("../fixtures/openai_audit/events/input.ndjson"));
    let documented: Vec<&str> =
        cells(README, "## Metrics").iter().flat_map(|row| row.iter().flat_map(|cell| code(cell))).collect();
    let target = &ran.report["targets"]["udm"];
    let mapping = &target["mappings"]["openai_audit"];
    for part in [&ran.report, &ran.report["run"], &ran.report["inputs"][0], target, mapping] {
        for key in part.as_object().into_iter().flat_map(|o| o.keys()) {
            assert!(documented.contains(&key.as_str()), "README.md does not name `{key}` of the metrics");
        }
    }
    assert!(mapping.is_object());
}

/// Every member and element of the one stands in the other.
fn within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(key, value)| b.get(key).is_some_and(|w| within(value, w)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| within(a, b))
        }
        _ => part == whole,
    }
}

#[test]
fn the_event_that_is_shown_is_real() {
    let blocks = blocks(README);
    let (_, shown) = blocks.iter().find(|(info, _)| *info == "json").expect("an event is shown");
    let shown: Value = serde_json::from_str(shown).expect("the event is JSON");
    let nothing = tempfile::tempdir().expect("a folder");
    let ran = convert(nothing.path(), "udm", include_str!("../fixtures/openai_audit/events/input.ndjson"));
    assert_eq!(ran.lines.len(), 37, "README.md says how many events there are");
    let real: Value = serde_json::from_str(&ran.lines[1]).expect("an event is JSON");
    assert!(within(&shown, &real), "README.md shows\n{shown}\nand the event is\n{real}");
}

/// A fenced block: what stands behind the fence, and the text inside.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, inside))) => {
                inside.push_str(line);
                inside.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence that does not close");
    blocks
}

struct Ran {
    /// Lines of the first target.
    lines: Vec<String>,
    /// Dead letters.
    dead: String,
    report: Value,
}

/// Runs records through the built-in mappings with a folder laid over them.
fn convert(folder: &Path, target: &str, input: &str) -> Ran {
    let laid_over = folder.join("sources").exists();
    let folders: Vec<&Path> = laid_over.then_some(folder).into_iter().collect();
    let catalog = logmill::catalog::load(&folders).unwrap_or_else(|e| panic!("{e}"));
    let request = Request { targets: vec![target.into()], content: Content::Metadata, ..Request::default() };
    let plan = Plan::compile(&catalog, &request).unwrap_or_else(|e| panic!("{e}"));
    let settings = Settings {
        threads: 1,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 0,
        ..Settings::default()
    };
    let inputs = vec![Input { name: "input".into(), from: From::Memory(input.as_bytes().to_vec()) }];
    let (mut out, mut dead) = (Vec::new(), Vec::new());
    let outcome = {
        let mut letter = |d: &Dead, names: &NamesOf| {
            d.write(names, &mut dead);
            Ok(())
        };
        let targets = vec![Some(Box::new(&mut out) as Box<dyn std::io::Write + Send>)];
        let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
        run(&plan, inputs, &settings, &mut sinks).unwrap_or_else(|e| panic!("{e}"))
    };
    let text = String::from_utf8(out).expect("events are text");
    Ran {
        lines: text.lines().map(str::to_string).collect(),
        dead: String::from_utf8(dead).expect("dead letters are text"),
        report: metrics::report(&plan, &outcome.counts, &RunFacts::default()),
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    std::fs::write(path, text).expect("a file can be written");
}

/// The file that a block's first line names, as in `# sources/vpn/udm.yaml`.
fn file_of<'a>(block: &'a str, mark: &str) -> Option<&'a str> {
    block.lines().next()?.strip_prefix(mark).filter(|name| name.ends_with(".yaml"))
}

/// The blocks are read as a reader would follow them: a file written again replaces the earlier one,
/// an output is that of the input before it, and what is said about a wrong file is what stands in
/// the text block behind it.
#[test]
fn the_examples_of_the_dialect_are_true() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut input, mut wrong) = (None, None);
    let (mut files, mut outputs, mut complaints) = (0, 0, 0);
    for (info, block) in blocks(DIALECT) {
        match info {
            "yaml" => {
                if let Some(path) = file_of(&block, "# wrong: ") {
                    wrong = Some((path.to_string(), block.clone()));
                } else {
                    let path = file_of(&block, "# ").expect("a yaml block names its file");
                    write(folder.path(), path, &block);
                    files += 1;
                }
            }
            "json input" => input = Some(block),
            "text" => {
                let Some((path, text)) = wrong.take() else {
                    continue;
                };
                let other = tempfile::tempdir().expect("a folder");
                write(other.path(), &path, &text);
                let catalog = logmill::catalog::load(&[folder.path(), other.path()]).expect("it is read");
                let request = Request { targets: vec!["udm".into()], ..Request::default() };
                let said = Plan::compile(&catalog, &request).expect_err("it is wrong").to_string();
                let said = said.replace(&format!("{}/", other.path().display()), "DIR/");
                assert_eq!(
                    format!("logmill: {said}\n"),
                    block,
                    "\n--- the program says\nlogmill: {said}\n---"
                );
                complaints += 1;
            }
            _ => {
                let target =
                    info.strip_prefix("json output ").unwrap_or_else(|| panic!("a block of `{info}`"));
                let input = input.take().expect("an output stands behind its input");
                let ran = convert(folder.path(), target, &input);
                let expected: Vec<&str> = block.lines().collect();
                assert_eq!(ran.lines, expected, "\ndead letters: {}\n{}", ran.dead, ran.lines.join("\n"));
                outputs += 1;
            }
        }
    }
    assert!(input.is_none() && wrong.is_none(), "an example without its output");
    // Every table that was shown compiles beside the others, and in every mode.
    let catalog = logmill::catalog::load(&[folder.path()]).unwrap_or_else(|e| panic!("{e}"));
    for content in Content::ALL {
        let targets = catalog.targets.keys().cloned().collect();
        let request = Request { targets, content, ..Request::default() };
        Plan::compile(&catalog, &request).unwrap_or_else(|e| panic!("{e}"));
    }
    assert!(files >= 5 && outputs >= 4 && complaints >= 1, "{files} {outputs} {complaints}");
}

const TARGET: &str = "target: doc\nroot: Event\ntypes:\n  Event: {o: object}\n";
const SOURCE: &str = "source: doc\nwhen: {path: object, equals: doc}\n";

/// The rows as the table of a source whose records are `{"object":"doc",…}`.
fn with_rows(rows: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "targets/doc.yaml", TARGET);
    write(folder.path(), "sources/doc/source.yaml", SOURCE);
    write(folder.path(), "sources/doc/doc.yaml", &format!("target: doc\nrows:\n{rows}"));
    folder
}

/// The one event of a record, or nothing where no row wrote.
fn event(ran: &Ran) -> Value {
    let line = ran.lines.first().unwrap_or_else(|| panic!("no event: {}", ran.dead));
    let event: Value = serde_json::from_str(line).expect("an event is JSON");
    event.get("o").cloned().unwrap_or(Value::Null)
}

#[test]
fn the_examples_of_the_steps_are_true() {
    let (mut rows, mut record) = (String::new(), String::from("{\"object\":\"doc\""));
    let mut expected = Vec::new();
    for cells in cells(DIALECT, "### Steps") {
        let [word, step, examples] = cells.as_slice() else { panic!("not three cells: {cells:?}") };
        let (word, step) = (first_code(word), first_code(step));
        assert!(step.trim_start_matches('{').starts_with(word), "`{step}` is no example of `{word}`");
        for example in examples.split("; `") {
            let (input, output) = example.split_once(" → ").expect("an example has an arrow");
            let input = input.trim_matches('`');
            let from = format!("in{}", expected.len());
            let path = if input.starts_with('[') { format!("{from}[]") } else { from.clone() };
            rows.push_str(&format!("  - {{to: o.{from}, from: \"{path}\", as: {step}}}\n"));
            record.push_str(&format!(",\"{from}\":{input}"));
            expected.push((from, format!("{step}: {example}"), output));
        }
    }
    record.push('}');
    assert!(expected.len() > 30);
    let ran = convert(with_rows(&rows).path(), "doc", &record);
    let event = event(&ran);
    let failed = &ran.report["targets"]["doc"]["mappings"]["doc"]["conversions_failed"];
    for (field, example, output) in expected {
        let (found, failed) = (event.get(&field), failed.get(format!("o.{field}")).is_some());
        match output {
            "nothing" => assert_eq!((found, failed), (None, false), "{example}"),
            "failed" => assert_eq!((found, failed), (None, true), "{example}"),
            json => {
                let json: Value = serde_json::from_str(first_code(json)).expect("an output is JSON");
                assert_eq!((found, failed), (Some(&json), false), "{example}");
            }
        }
    }
}

#[test]
fn the_examples_of_the_tests_are_true() {
    for cells in cells(DIALECT, "### Tests") {
        let [word, condition, yes, no] = cells.as_slice() else { panic!("not four cells: {cells:?}") };
        let condition = first_code(condition);
        assert!(
            condition.contains(&format!("{}:", first_code(word))),
            "`{condition}` is no example of {word}"
        );
        let folder = with_rows(&format!(
            "  - {{to: o.event, const: \"yes\"}}\n  - {{to: o.holds, const: x, when: {condition}}}\n"
        ));
        for (record, holds) in [(first_code(yes), true), (first_code(no), false)] {
            let inside = record.trim_start_matches('{');
            let comma = if inside == "}" { "" } else { "," };
            let ran = convert(folder.path(), "doc", &format!("{{\"object\":\"doc\"{comma}{inside}"));
            assert_eq!(event(&ran).get("holds").is_some(), holds, "{condition} on {record}");
        }
    }
}

#[test]
fn the_examples_of_the_facts_are_true() {
    let line =
        section(DIALECT, "### Facts").into_iter().find(|l| l.starts_with('<')).expect("a line of syslog");
    let facts = cells(DIALECT, "### Facts");
    let mut rows = String::new();
    for (i, fact) in facts.iter().enumerate() {
        rows.push_str(&format!("  - {{to: o.f{i}, from: \"{}\"}}\n", first_code(fact[0])));
    }
    let event = event(&convert(with_rows(&rows).path(), "doc", line));
    for (i, fact) in facts.iter().enumerate() {
        let expected: Value = serde_json::from_str(first_code(fact[2])).expect("a value is JSON");
        assert_eq!(event[format!("f{i}")], expected, "{}", fact[0]);
    }
}
