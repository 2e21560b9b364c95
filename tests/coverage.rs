//! `logmill coverage` and the lints of `logmill check`, through the program, over mapping folders
//! of our own.

#![cfg(feature = "cli")]

use std::path::Path;

use serde_json::{Value, json};

const TARGET: &str = "\
target: mini
root: Event
types:
  Event: {id: string, kind: string, who: string, note: string, other: string, more: object, labels: [Label]}
  Label: {key: string, value: string}
";

const SOURCE: &str = r#"source: door
when: {path: product, equals: door}
id: id
type: type
types: [opened, closed, "badge.*"]
payload: {key: type}
let:
  person: [$payload.owner, user]
fields:
  meta:
    - id
    - type
    - product
    - '"badge.added".badge.colour'
    - '"badge.added".badge.number'
  pii:
    - '"badge.added".owner'
    - '"badge.lost".owner'
  content: [speech]
  secret: [link]
ignore:
  product: says what the source says already
"#;

const TABLE: &str = r#"target: mini
ignore:
  speech: nobody needs it
rows:
  - {to: id, from: $id}
  - {to: kind, from: type}
  - {to: who, from: $person}
  - {to: note, from: link}
  - {to: more.badge, from: $payload.badge}
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(source: &str, table: &str) -> Folder {
        let folder =
            Folder(tempfile::Builder::new().prefix("logmill-coverage-").tempdir().expect("a folder"));
        folder.file("targets/mini.yaml", TARGET);
        folder.file("sources/door/source.yaml", source);
        folder.file("sources/door/mini.yaml", table);
        folder.file("case/input.ndjson", "{\"product\":\"door\",\"id\":\"1\"}\n");
        folder
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        run(self.0.path(), args)
    }

    /// The complaints of `check` about this folder's files: line, column and message.
    fn lints(&self) -> Vec<String> {
        let (_, out, _) = self.run(&["check", &self.0.path().join("case").display().to_string()]);
        let here = format!("{}/", self.0.path().display());
        out.lines().filter_map(|line| line.strip_prefix(&here)).map(str::to_string).collect()
    }
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
        .args(args)
        .args(["--mappings", &folder.display().to_string()])
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a status"), text(&output.stdout), text(&output.stderr))
}

fn report(folder: &Folder) -> (i32, Value) {
    let (status, out, err) = folder.run(&["coverage", "--source", "door", "--to", "mini", "--json"]);
    assert_eq!(err, "");
    let document: Value = serde_json::from_str(&out).expect("JSON");
    (status, document["sources"][0].clone())
}

#[test]
fn everything_read_or_ignored() {
    let folder = Folder::new(SOURCE, TABLE);
    let (status, report) = report(&folder);
    assert_eq!(status, 0);
    let expected = json!({
        "source": "door",
        "target": "mini",
        // Payload paths are read through `$payload`, inside a whole copy too.
        "documented": 9,
        "read": 7,
        "ignored": 2,
        "missing": [],
        "ignored_paths": {
            "product": "says what the source says already",
            "speech": "nobody needs it",
        },
    });
    assert_eq!(report, expected);
    let (status, text, _) = folder.run(&["coverage", "--source", "door"]);
    assert_eq!(status, 0);
    assert_eq!(
        text,
        "door -> mini: 9 of 9 documented paths covered: 7 read, 2 ignored, 0 missing\n  \
         ignored  product: says what the source says already\n  ignored  speech: nobody needs it\n"
    );
    assert_eq!(folder.lints(), [] as [&str; 0]);
}

#[test]
fn what_is_missing_is_named() {
    let table = TABLE
        .replace("$payload.badge}", "$payload.badge.colour}")
        .replace("  - {to: note, from: link}\n", "");
    let folder = Folder::new(SOURCE, &table);
    let (status, report) = report(&folder);
    assert_eq!(status, 1);
    assert_eq!(report["missing"], json!(["\"badge.added\".badge.number", "link"]));
    assert_eq!((&report["read"], &report["ignored"]), (&json!(5), &json!(2)));
    let (status, text, _) = folder.run(&["coverage", "--to", "mini"]);
    assert_eq!(status, 1);
    assert!(text.contains("7 of 9 documented paths covered: 5 read, 2 ignored, 2 missing\n"), "{text}");
    assert!(text.ends_with("  missing  \"badge.added\".badge.number\n  missing  link\n"), "{text}");
    let lints = folder.lints();
    assert_eq!(lints.len(), 2, "{lints:?}");
    assert!(
        lints[0]
            .starts_with("sources/door/source.yaml:15:7: `\"badge.added\".badge.number` is neither read nor")
    );
    assert!(lints[1].starts_with(
        "sources/door/source.yaml:20:12: `link` is neither read nor ignored by the mapping to mini"
    ));
}

/// A condition on a whole value is no copy of it.
#[test]
fn looking_whether_something_is_there_reads_nothing_below_it() {
    let table = TABLE.replace(
        "{to: more.badge, from: $payload.badge}",
        "{to: note, const: x, when: {path: $payload.badge, exists: true}}",
    );
    let (_, report) = report(&Folder::new(SOURCE, &table));
    assert_eq!(report["missing"], json!(["\"badge.added\".badge.colour", "\"badge.added\".badge.number"]));
}

#[test]
fn names_that_do_not_exist() {
    let folder = Folder::new(SOURCE, TABLE);
    for (args, says) in [
        (vec!["coverage", "--source", "dor"], "no source `dor`; did you mean `door`?"),
        (vec!["coverage", "--to", "minni"], "no target `minni`; did you mean `mini`?"),
        (
            vec!["coverage", "--source", "door", "--to", "panther"],
            "there is no mapping of source door to panther",
        ),
    ] {
        let (status, out, err) = folder.run(&args);
        assert_eq!((status, out.as_str()), (2, ""));
        assert_eq!(err, format!("logmill: {says}\n"));
    }
}

#[test]
fn ignoring_needs_a_reason_and_a_path() {
    for (entry, says) in [
        ("  speech: ''", "3:3: `speech` is ignored without a reason: say why"),
        ("  $person: why", "3:3: `$person` is no path of the record"),
        ("  'a..b': why", "3:3: in the path `a..b`: "),
    ] {
        let folder = Folder::new(SOURCE, &TABLE.replace("  speech: nobody needs it", entry));
        let (status, _, err) = folder.run(&["coverage"]);
        assert_eq!(status, 2);
        assert!(err.contains(&format!("sources/door/mini.yaml:{says}")), "{err}");
    }
}

/// Each row that a table may have too much or wrong, and what is said of it.
#[test]
fn the_lints() {
    for (row, says) in [
        (
            "{to: other, from: nothing.here}",
            "5: `nothing.here` is not declared by the source `door` (list it under `fields` of source.yaml)",
        ),
        ("{to: other, from: lnk}", "5: `lnk` is not declared by the source `door` (did you mean `link`?)"),
        ("{to: other, template: '{id} {where}'}", "5: `where` is not declared"),
        ("{to: other, from: id, when: {path: elsewhere, exists: true}}", "5: `elsewhere` is not declared"),
        (
            "{to: other, const: x, when: [{path: id, equals: a}, {path: id, equals: b}]}",
            "5: this row never writes: its condition contradicts itself",
        ),
        (
            "{to: other, const: x, when: {path: id, equals: a, exists: false}}",
            "5: this row never writes: its condition contradicts itself",
        ),
        (
            "{to: other, const: x, when: {path: product, equals: window}}",
            "5: this row never writes: no record of `door` fulfils its condition",
        ),
        (
            "{to: other, const: x, when: {path: type, equals: opend}}",
            "5: `opend` is no documented type of `door` (did you mean `opened`?)",
        ),
        (
            "{to: other, from: type, as: {lookup: {shut: a, closed: b, badge.new: c}}}",
            "5: `shut` is no documented type of `door`",
        ),
        ("{to: kind, from: type}", "5: this row never writes: line 6 fills `kind` from the same path before"),
        (
            "{to: kind, from: [type, id]}",
            "5: two rows fill `kind` on the same condition: the other is on line 6 (name the paths in one row: from: [first, second])",
        ),
    ] {
        let folder = Folder::new(SOURCE, &format!("{TABLE}  - {row}\n"));
        let lints = folder.lints();
        assert_eq!(lints.len(), 1, "{row}: {lints:?}");
        let says = says.split_once(": ").expect("column and message").1;
        let place = lints[0].strip_prefix("sources/door/mini.yaml:10:").expect("the row");
        let (column, message) = place.split_once(": ").expect("column and message");
        assert!(column.parse::<usize>().is_ok_and(|n| n > 4), "{place}");
        assert!(message.starts_with(says), "{row}: {message}");
        let (status, ..) = folder.run(&["check", &folder.0.path().join("case").display().to_string()]);
        assert_eq!(status, 1);
    }
}

#[test]
fn rows_behind_rows() {
    let two = |first: &str, second: &str| {
        let table =
            format!("{}  - {first}\n  - {second}\n", TABLE.replace("  - {to: note, from: link}\n", ""));
        let source = SOURCE.replace("  secret: [link]\n", "");
        Folder::new(&source, &table).lints()
    };
    let always = two("{to: note, const: a}", "{to: note, from: id}");
    assert_eq!(
        always,
        ["sources/door/mini.yaml:10:10: this row never writes: line 9 always fills `note` before"]
    );
    // A fallback behind a row that may find nothing, or other conditions, are what rows are for.
    assert_eq!(two("{to: note, from: id, as: {regex: '^x'}}", "{to: note, from: type}"), [] as [&str; 0]);
    assert_eq!(
        two("{to: note, const: a, when: {path: id, equals: x}}", "{to: note, const: b}"),
        [] as [&str; 0]
    );
    let labels = two("{to: labels, label: a, from: id}", "{to: labels, label: a, from: type}");
    assert_eq!(
        labels,
        [
            "sources/door/mini.yaml:10:25: the label `a` of `labels` is given on line 9 too (give it a key of its own)"
        ]
    );
    let apart = two(
        "{to: labels, label: a, from: id, when: {path: type, equals: opened}}",
        "{to: labels, label: a, from: id, when: {path: type, equals: closed}}",
    );
    assert_eq!(apart, [] as [&str; 0]);
}

#[test]
fn ignored_paths_that_are_read_or_unknown() {
    let table = TABLE
        .replace("  speech: nobody needs it", "  speech: nobody needs it\n  link: it is read\n  gone: why");
    let lints = Folder::new(SOURCE, &table).lints();
    assert_eq!(
        lints,
        [
            "sources/door/mini.yaml:4:3: `link` is ignored, and a row reads it",
            "sources/door/mini.yaml:5:3: `gone` is ignored, and the source does not declare it",
        ]
    );
}

/// A further table to a target: checked against it, selected by its whole name.
#[test]
fn a_second_table_of_a_target() {
    let folder = Folder::new(SOURCE, TABLE);
    let table = "target: mini.badges\neach: \"badges[]\"\nrows:\n  - {to: id, from: $id}\n  - {to: who, from: \"badges[].owner\"}\n";
    let source = SOURCE.replace("    - product\n", "    - product\n    - badges[].owner\n");
    folder.file("sources/door/source.yaml", &source);
    folder.file("sources/door/mini.badges.yaml", table);
    let input = folder.0.path().join("in.ndjson").display().to_string();
    folder.file(
        "in.ndjson",
        "{\"product\":\"door\",\"id\":\"1\",\"type\":\"opened\",\"badges\":[{\"owner\":\"ana\"},{\"owner\":\"bo\"}]}\n{\"product\":\"door\",\"id\":\"2\"}\n",
    );
    let (status, out, err) = folder.run(&["convert", &input, "--to", "mini.badges"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(out, "{\"id\":\"1\",\"who\":\"ana\"}\n{\"id\":\"1\",\"who\":\"bo\"}\n");
    // Both forms from one parse.
    let to = folder.0.path().join("out").display().to_string();
    let (status, ..) = folder.run(&["convert", &input, "--to", "mini,mini.badges", "-o", &format!("{to}/")]);
    assert_eq!(status, 0);
    let lines =
        |name: &str| std::fs::read_to_string(format!("{to}/{name}.ndjson")).expect("a file").lines().count();
    assert_eq!((lines("mini"), lines("mini.badges")), (2, 2));
    let (_, listed, _) = folder.run(&["list"]);
    assert!(listed.contains("door -> mini.badges"), "{listed}");
    // Its fields are the target's.
    folder.file("sources/door/mini.badges.yaml", &table.replace("to: who", "to: whom"));
    let (status, _, err) = folder.run(&["convert", &input, "--to", "mini.badges"]);
    assert_eq!(status, 2);
    assert!(err.contains("unknown field `whom`") && err.contains("did you mean `who`?"), "{err}");
}

/// What the static figures cannot know, the metrics of a run tell.
#[test]
fn what_a_run_adds() {
    let folder = Folder::new(SOURCE, TABLE);
    let input = folder.0.path().join("in.ndjson").display().to_string();
    folder.file(
        "in.ndjson",
        "{\"product\":\"door\",\"id\":\"1\",\"type\":\"opened\",\"user\":{\"name\":\"ana\"}}\n\
         {\"product\":\"door\",\"id\":\"2\",\"type\":\"badge.new\",\"badge.new\":{\"owner\":\"ana\"},\"user\":\"bo\"}\n\
         {\"product\":\"door\",\"id\":\"3\",\"type\":\"slammed\"}\n",
    );
    let metrics = folder.0.path().join("metrics").display().to_string();
    let (status, ..) =
        folder.run(&["convert", &input, "--to", "mini", "--content", "full", "--metrics", &metrics]);
    assert_eq!(status, 0);
    let metrics: Value = serde_json::from_slice(&std::fs::read(metrics).expect("a file")).expect("JSON");
    let source = &metrics["sources"]["door"];
    assert_eq!(
        source["unknown_types"],
        json!({"slammed": {"records": 1, "first": {"input": input, "line": 3}}})
    );
    let mapping = &metrics["targets"]["mini"]["mappings"]["door"];
    assert_eq!(mapping["ignored"], json!({"product": 3}));
    // An object where a text is read is not read; of two paths the first one is.
    assert_eq!(mapping["values_unfit"], json!({"user": 1}));
    assert_eq!(mapping["unmapped"], json!({"user.name": 1}));
    assert_eq!(mapping["values_passed_over"], json!({"user": 1}));
}
