//! What is said about wrong mappings: one of every kind, with its place and its suggestion; all of
//! them at once; before the first record.

use std::path::Path;

use logmill::catalog::{self, Catalog, Mapping};
use logmill::error::{Diagnostic, Error};
use logmill::plan::{Plan, Request};
use logmill::table::Table;
use logmill::yaml::{self, Source};
use tempfile::TempDir;

/// A small target, source and table without a fault: the tests put one fault in.
const TARGET: &str = "\
target: mini
root: Event
event_type: kind
generic: PLAIN
required: [at, kind]
max_bytes: {note: 5}
forbidden: [secret]
fallback: [PLAIN]
rules:
  PLAIN: []
  LOGIN: [who.name]
types:
  Event:
    at: time
    kind: Kind
    note: string
    secret: string
    size: int32
    big: uint64
    share: float
    good: bool
    tags: [string]
    labels: [Label]
    who: Who
    about: [Who]
    extra: object
    kinds: [Kind]
    ports: {string: int32}
  Who: {name: string, age: int32}
  Label: {key: string, value: string}
enums:
  Kind: [PLAIN, LOGIN, LOGOUT]
";

const SOURCE: &str = "\
source: s
when: {path: object, equals: test.record}
id: id
time: {path: at, format: unix}
type: kind
payload: {key: kind}
let:
  name: [user.name, name]
fields:
  meta: [object]
";

const TABLE: &str = "\
target: mini
rows:
  - {to: at, from: $time}
  - {to: kind, const: PLAIN}
";

/// The text of a fault, and what is said: `line:column: message | suggestion`.
type Case = (&'static str, &'static [&'static str]);
type Edit = (&'static str, &'static str, &'static [&'static str]);

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::Builder::new().prefix("logmill-mappings-").tempdir().expect("a folder"))
    }

    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        for (name, text) in files {
            folder.put(name, text.as_bytes());
        }
        folder
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Loads the folder over the built-in mappings and compiles the targets.
    fn compile(&self, targets: &[&str]) -> Result<Plan, Error> {
        let catalog = catalog::load(&[self.path()])?;
        let targets = targets.iter().map(|t| t.to_string()).collect();
        Plan::compile(&catalog, &Request { targets, ..Request::default() })
    }

    /// The error's whole text, with the folder's own name taken out.
    fn text(&self, error: &Error) -> String {
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}

/// File, and `line:column: message | suggestion`.
fn shown(d: &Diagnostic, folder: &Folder) -> (String, String) {
    let file = d.file.replace(&format!("{}/", folder.path().display()), "");
    let (line, column) = d.place();
    let text = format!("{line}:{column}: {}", d.message);
    // The printed form says the same.
    assert_eq!(d.to_string(), format!("{}:{text}", d.file));
    let help = d.help.as_ref().map(|h| format!(" | {h}")).unwrap_or_default();
    (file, text + &help)
}

fn complaints(folder: &Folder, result: Result<Plan, Error>) -> Vec<(String, String)> {
    match result {
        Ok(_) => Vec::new(),
        Err(Error::Mappings(list)) => list.iter().map(|d| shown(d, folder)).collect(),
        Err(other) => vec![("?".into(), other.to_string())],
    }
}

fn mini(target: &str, source: &str, table: &str) -> Folder {
    Folder::with(&[
        ("targets/mini.yaml", target),
        ("sources/s/source.yaml", source),
        ("sources/s/mini.yaml", table),
    ])
}

/// What is said about one file.
fn about(folder: &Folder, file: &str) -> Vec<String> {
    let all = complaints(folder, folder.compile(&["mini"]));
    all.into_iter().filter(|(f, _)| f == file).map(|(_, text)| text).collect()
}

/// What is said about a table in the place of the base one; the other files are read once only.
fn direct(base: &Catalog, table: &str) -> Vec<String> {
    let folder = Folder::new();
    let source = Source::new("sources/s/mini.yaml", table);
    let parsed = yaml::parse(&source).and_then(|root| Table::parse(&source, &root));
    let result = parsed.map_err(Error::Mappings).and_then(|table| {
        let mut catalog = base.clone();
        catalog.wrong.extend(table.wrong.iter().cloned());
        catalog.mappings.insert(("s".into(), "mini".into()), Mapping::Table(table));
        Plan::compile(&catalog, &Request { targets: vec!["mini".into()], ..Request::default() })
    });
    complaints(&folder, result).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn the_base_has_no_fault() {
    let folder = mini(TARGET, SOURCE, TABLE);
    assert_eq!(complaints(&folder, folder.compile(&["mini"])), []);
    assert!(ROWS.len() > 100 && SOURCE_EDITS.len() > 20 && TARGET_EDITS.len() > 20 && SCHEMAS.len() > 35);
}

#[test]
fn wrong_rows() {
    let folder = mini(TARGET, SOURCE, TABLE);
    let base = catalog::load(&[folder.path()]).expect("the base");
    let mut wrong = Vec::new();
    for (rows, expected) in ROWS {
        let rows: String = rows.split("@@").map(|row| format!("  - {row}\n")).collect();
        let found = direct(&base, &format!("{TABLE}{rows}"));
        // What follows from a fault may be said behind it.
        if found.len() < expected.len() || found[..expected.len()] != **expected {
            wrong.push(format!("{rows}  expected {expected:#?}\n  found    {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_sources() {
    let mut wrong = Vec::new();
    for (old, new, expected) in SOURCE_EDITS {
        assert!(SOURCE.contains(old), "{old}");
        let folder = mini(TARGET, &SOURCE.replacen(old, new, 1), TABLE);
        let found = about(&folder, "sources/s/source.yaml");
        if found != *expected {
            wrong.push(format!("{new}\n  expected {expected:#?}\n  found    {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_targets() {
    let mut wrong = Vec::new();
    for (old, new, expected) in TARGET_EDITS {
        assert!(TARGET.contains(old), "{old}");
        let folder = mini(&TARGET.replacen(old, new, 1), SOURCE, TABLE);
        let found = about(&folder, "targets/mini.yaml");
        if found.first().map(String::as_str) != expected.first().copied() {
            wrong.push(format!("{new}\n  expected {expected:#?}\n  found    {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_tables() {
    for (table, expected) in TABLES {
        let folder = mini(TARGET, SOURCE, table);
        assert_eq!(about(&folder, "sources/s/mini.yaml"), *expected, "{table}");
    }
}

fn schema_complaints(folder: &Folder, names: &[&str]) -> Vec<(String, String)> {
    let paths: Vec<_> = names.iter().map(|n| folder.path().join(n)).collect();
    let paths: Vec<&Path> = paths.iter().map(|p| p.as_path()).collect();
    match catalog::load_schemas(&paths) {
        Ok(_) => Vec::new(),
        Err(Error::Mappings(list)) => list.iter().map(|d| shown(d, folder)).collect(),
        Err(other) => vec![("?".into(), other.to_string())],
    }
}

#[test]
fn wrong_schemas() {
    let mut wrong = Vec::new();
    for (schema, expected) in SCHEMAS {
        let folder = Folder::with(&[("schema.yml", schema)]);
        let found = schema_complaints(&folder, &["schema.yml"]);
        assert!(found.iter().all(|(file, _)| file == "schema.yml"));
        let found: Vec<String> = found.into_iter().map(|(_, text)| text).collect();
        if found != *expected {
            wrong.push(format!("{schema}\n  expected {expected:#?}\n  found    {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_schema_in_two_files() {
    let text = "schema: My.Log\nfields:\n  - {name: a, type: string}\n";
    let folder = Folder::with(&[("a.yml", text), ("b.yml", text)]);
    let found = schema_complaints(&folder, &["a.yml", "b.yml"]);
    assert_eq!(found.len(), 1);
    let (file, said) = &found[0];
    assert_eq!(file, "b.yml");
    assert!(said.starts_with("1:1: the schema `My.Log` is also in ") && said.ends_with("a.yml"), "{said}");
}

#[test]
fn files_in_the_wrong_place() {
    let table = "target: udm\nrows: []\n";
    let found = |files: &[(&str, &str)]| {
        let folder = Folder::with(files);
        complaints(&folder, folder.compile(&["udm"]))
    };
    let said = |file: &str, text: &str| vec![(file.to_string(), text.to_string())];
    assert_eq!(
        found(&[("sources/openai_audit/udn.yaml", table)]),
        said(
            "sources/openai_audit/udn.yaml",
            "1:1: there is no target `udn` (`targets/udn.yaml`) | did you mean `udm`?"
        )
    );
    assert_eq!(
        found(&[("sources/nowhere/udm.yaml", table)]),
        said("sources/nowhere/udm.yaml", "1:1: there is no `sources/nowhere/source.yaml`")
    );
    let folder = Folder::new();
    folder.put("sources/s/source.yaml", b"source: \xff\n");
    let error = folder.compile(&["udm"]).expect_err("not UTF-8");
    assert!(error.to_string().ends_with("source.yaml: not UTF-8 text"), "{error}");
    // What is no mapping file is left alone; a folder without any is the wrong folder.
    let others = [("README.md", "{"), ("sources/s/notes.txt", "{"), ("targets/x.yml.bak", "{")];
    let error = Folder::with(&others).compile(&["udm"]).expect_err("nothing to lay over");
    assert!(error.to_string().contains("no mapping in it"), "{error}");
    let source = ("sources/vpn/source.yaml", "source: vpn\nwhen: {path: kind, equals: vpn}\n");
    let folder = Folder::with(&[others.as_slice(), &[source]].concat());
    assert_eq!(complaints(&folder, folder.compile(&["udm"])), []);
}

/// Two sources of one strength that a record could satisfy both.
#[test]
fn sources_that_cannot_be_told_apart() {
    let source = |name: &str, when: &str| format!("source: {name}\nwhen: {when}\n");
    let clash = |a: &str, b: &str| {
        let (a, b) = (source("one", a), source("two", b));
        let folder = Folder::with(&[("sources/one/source.yaml", &a), ("sources/two/source.yaml", &b)]);
        complaints(&folder, folder.compile(&["udm"]))
    };
    let apart = [
        ("{path: object, equals: a}", "{path: object, equals: b}"),
        ("{path: object, one_of: [a, b]}", "{path: object, one_of: [c, d]}"),
        ("{path: object, equals: a}", "{path: object, glob: 'b*'}"),
        (
            "[{path: object, equals: a}, {path: k, exists: true}]",
            "[{path: object, equals: a}, {path: k, exists: false}]",
        ),
    ];
    for (a, b) in apart {
        assert_eq!(clash(a, b), [], "{a} and {b}");
    }
    let together = [
        ("{path: object, equals: a}", "{path: object, equals: a}"),
        ("{path: object, one_of: [a, b]}", "{path: object, one_of: [b, c]}"),
        ("{any: [{path: object, equals: a}, {path: object, equals: b}]}", "{path: object, equals: b}"),
        ("{path: door, exists: true}", "{path: door, exists: true}"),
    ];
    for (a, b) in together {
        let found = clash(a, b);
        assert_eq!(found.len(), 1, "{a} and {b}");
        let (file, said) = &found[0];
        assert_eq!(file, "sources/two/source.yaml");
        assert!(said.starts_with("2:7: records of `one` and `two` cannot be told apart"), "{said}");
    }
    // A user's source beside the built-in ones.
    let audit = source("mine", "{path: object, equals: organization.audit_log}");
    let folder = Folder::with(&[("sources/mine/source.yaml", &audit)]);
    let found = complaints(&folder, folder.compile(&["udm"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("`openai_audit`"), "{found:?}");
}

/// The seed's own misspelling, and faults in several files: all at once, none hides another.
#[test]
fn several_errors_in_several_files() {
    let audit = "\
target: udm
rows:
  - {to: metadata.event_timestamp, from: $time}
  - {to: metadata.event_type, const: GENERIC_EVNT}
  - {to: pricipal.user.userid, from: $actor_id}
  - {to: principal.ip, from: $actor_ipp, as: [trim, ip]}
  - {to: metadata.description, from: type, as: [trim, uper]}
  - {to: security_result.action, const: ALOW}
";
    let conversation = "\
target: udm
rows:
  - {to: metadata.event_timestamp, from: $time}
  - {to: principal.user.userid, from: \"messages.data[].id\"}
";
    let folder = Folder::with(&[
        ("sources/openai_audit/udm.yaml", audit),
        ("sources/openai_conversation/udm.yaml", conversation),
    ]);
    let error = folder.compile(&["udm"]).expect_err("wrong");
    let files: Vec<String> =
        complaints(&folder, folder.compile(&["udm"])).into_iter().map(|(f, _)| f).collect();
    assert_eq!(files.iter().filter(|f| f.contains("openai_audit")).count(), 5);
    assert_eq!(files.iter().filter(|f| f.contains("openai_conversation")).count(), 2);
    insta::assert_snapshot!("several_errors_in_several_files", folder.text(&error));
}

#[test]
fn frames_show_the_place() {
    let one = |rows: &str| {
        let folder = mini(TARGET, SOURCE, &format!("{TABLE}{rows}"));
        let error = folder.compile(&["mini"]).expect_err("wrong");
        folder.text(&error)
    };
    insta::assert_snapshot!("unknown_field", one("  - {to: who.nam, from: a}\n"));
    insta::assert_snapshot!(
        "many_values_into_one",
        one("  - to: note\n    from: \"things[].name\" # all of them\n")
    );
    insta::assert_snapshot!("unknown_step", one("  - {to: note, from: größe, as: [trim, lowr]}\n"));
    insta::assert_snapshot!("syntax", one("  - {to: note, from: a\n"));
    insta::assert_snapshot!("duplicate_key", one("  - {to: note, from: a, from: b}\n"));
    let folder = mini(TARGET, &SOURCE.replace("test.record", "organization.audit_log"), TABLE);
    let error = folder.compile(&["mini"]).expect_err("wrong");
    insta::assert_snapshot!("cannot_be_told_apart", folder.text(&error));
    let folder = mini(TARGET, SOURCE, "target: mini\nrows: []\n");
    let error = folder.compile(&["mini"]).expect_err("wrong");
    insta::assert_snapshot!("missing_required_rows", folder.text(&error));
    let schema = "schema: My.Log\nfields:\n  - name: host\n    type: string\n    indicators: [hostnme]\n  - name: host\n    type: int\n";
    let folder = Folder::with(&[("my.yml", schema)]);
    let error = catalog::load_schemas(&[&folder.path().join("my.yml")]).expect_err("wrong");
    insta::assert_snapshot!("schema", folder.text(&error));
}

/// What is suggested would be accepted in its place.
#[test]
fn suggestions_hold() {
    for (written, meant) in [
        ("principal.email_addresses", "principal.user.email_addresses"),
        ("pricipal.user.userid", "principal.user.userid"),
        ("principal.user.user_id", "principal.user.userid"),
        ("metadata.event_timestmp", "metadata.event_timestamp"),
        ("network.http.useragent", "network.http.user_agent"),
        ("principal.hostnam", "principal.hostname"),
    ] {
        let table = |to: &str| {
            let time = if to.ends_with("timestamp") { "$time" } else { "id" };
            format!(
                "target: udm\nrows:\n  - {{to: metadata.event_timestamp, from: $time}}\n  - {{to: metadata.event_type, const: GENERIC_EVENT}}\n  - {{to: {to}, from: {time}}}\n"
            )
        };
        let folder = Folder::with(&[("sources/openai_audit/udm.yaml", &table(written))]);
        let found = complaints(&folder, folder.compile(&["udm"]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.ends_with(&format!(" | did you mean `{meant}`?")), "{}", found[0].1);
        folder.put("sources/openai_audit/udm.yaml", table(meant).as_bytes());
        assert_eq!(complaints(&folder, folder.compile(&["udm"])), [], "{meant} is accepted");
    }
}

/// Columns count characters, and a byte order mark is none.
#[test]
fn places_count_characters() {
    let table = format!("\u{feff}{TABLE}  - {{to: note, template: \"größer: {{a}}\", as: lowr}}\n");
    let folder = mini(TARGET, SOURCE, &table);
    assert_eq!(about(&folder, "sources/s/mini.yaml"), ["5:45: unknown step `lowr` | did you mean `lower`?"]);
    let table = TABLE.replace('\n', "\r\n") + "  - {to: who.nam, from: a}\r\n";
    let folder = mini(TARGET, SOURCE, &table);
    let found = about(&folder, "sources/s/mini.yaml");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("5:10: unknown field `who.nam`"), "{found:?}");
}

/// A row behind the base table (`@@` parts two), on line 5, and all complaints about it.
#[rustfmt::skip]
const ROWS: &[Case] = &[
    (r#"{to: "about[].name", from: ["ls[].n", "ms[].n"]}"#, &["5:10: the paths of this row run through different lists | write one row for each list"]),
    ("{to: nothing, from: a}", &["5:10: unknown field `nothing` of target `mini`: `Event` has no `nothing` | did you mean `note`?"]),
    ("{to: who.nam, from: a}", &["5:10: unknown field `who.nam` of target `mini`: `Who` has no `nam` | did you mean `who.name`?"]),
    ("{to: whoo.name, from: a}", &["5:10: unknown field `whoo.name` of target `mini`: `Event` has no `whoo` | did you mean `who.name`?"]),
    ("{to: name, from: a}", &["5:10: unknown field `name` of target `mini`: `Event` has no `name` | did you mean `who.name`?"]),
    ("{to: note.x, from: a}", &["5:10: `note` is a scalar and has no field `x`"]),
    (r#"{to: "note[]", from: "a[]"}"#, &["5:10: `note` is not repeated: no brackets"]),
    (r#"{to: "note[0]", from: a}"#, &["5:10: `note` is not repeated: no brackets"]),
    ("{to: who, from: a}", &["5:10: `who` is a message (Who): name one of its fields"]),
    ("{to: labels, from: a}", &["5:10: `labels` is a list of labels: the row needs `label` (a text) or `label_from` (a path)"]),
    ("{to: note, from: a, label: k}", &["5:10: `note` is no list of labels: `label` and `label_from` do not belong here"]),
    ("{to: labels, from: a, label: k, label_from: b}", &["5:49: a label has one key: `label` (a text) or `label_from` (a path)"]),
    ("{to: secret, from: a}", &["5:10: `secret` must not be set by a mapping"]),
    ("{to: note, const: abcdef}", &["5:23: `abcdef` does not fit `note`"]),
    ("{to: size, const: x}", &["5:23: `x` does not fit `size`"]),
    ("{to: size, const: 3000000000}", &["5:23: `3000000000` does not fit `size`"]),
    ("{to: share, const: x}", &["5:24: `x` does not fit `share`"]),
    ("{to: good, const: yes}", &["5:23: `yes` does not fit `good`"]),
    ("{to: kind, const: LOGON}", &["5:23: `LOGON` is no value of `kind` | did you mean `LOGIN`?"]),
    ("{to: at, const: yesterday}", &["5:21: `yesterday` does not fit `at`"]),
    ("{to: extra, const: x}", &["5:24: `x` does not fit `extra`"]),
    ("{to: kinds, from: a, as: {lookup: {x: LOGIN, y: LOGUOT, default: NONE}}}", &["5:10: `LOGUOT` is no value of `kinds` | did you mean `LOGOUT`?", "5:10: `NONE` is no value of `kinds`"]),
    ("{to: at, from: a}", &["5:10: `at` is a time: the row must say how it is read | add `as: {time: unix}` (or rfc3339, unix_ms, …)"]),
    (r#"{to: note, from: "a[]"}"#, &[r#"5:10: `a[]` has many values and `note` holds one | add `as: first`, `as: {join: ", "}`, or count them"#]),
    ("{to: note, from: a, as: first}", &["5:29: nothing to join or pick from: the row reads no list"]),
    (r#"{to: note, from: a, as: {join: ", "}}"#, &["5:30: nothing to join or pick from: the row reads no list"]),
    (r#"{to: note, from: a, as: {split: ","}}"#, &["5:30: `split` gives many values and `note` holds one: add `take`"]),
    (r#"{to: "about[].name", from: a}"#, &["5:10: `[]` makes one element per element of a list, and the row reads no list"]),
    ("{to: note, const: x, as: lower}", &["5:23: a constant takes no steps: write the value itself"]),
    (r#"{to: note, template: "{a}", as: lower}"#, &["5:26: a template takes no steps"]),
    ("{to: note, from: $nam}", &["5:22: the source names no `$nam` | did you mean `$name`?"]),
    ("{to: note, from: $zzzzzz}", &["5:22: the source names no `$zzzzzz`"]),
    ("{to: note, from: a, when: {path: $nope, exists: true}}", &["5:38: the source names no `$nope`"]),
    ("{to: note, from: a, label_from: $nope}", &["5:37: the source names no `$nope`"]),
    ("{to: who.name, from: a}@@{to: who.name.x, from: a}", &["6:10: `name` is a scalar and has no field `x`"]),
    ("{to: extra.a, from: a}@@{to: extra.a.b, from: b}", &["6:10: `extra.a` is filled both as a value and as an object or list"]),
    ("just text", &["5:5: a row is a map like {to: …, from: …}, not a scalar"]),
    ("[to, from]", &["5:5: a row is a map like {to: …, from: …}, not a list"]),
    ("{from: a}", &["5:5: a row needs `to`"]),
    ("{to: [note], from: a}", &["5:10: `to` must be a text, not a list"]),
    ("{to: ~, from: a}", &["5:10: `to` must be a text, not nothing"]),
    ("{to: note}", &["5:10: a row takes its value from one of `from`, `const`, `template`, `count`"]),
    ("{to: note, from: a, const: b}", &["5:10: a row has one origin, not from and const"]),
    ("{to: note, form: a}", &["5:16: unknown key of a row `form` | did you mean `from`?", "5:10: a row takes its value from one of `from`, `const`, `template`, `count`"]),
    ("{to: note, from: a, wen: {path: a, exists: true}}", &["5:25: unknown key of a row `wen` | did you mean `when`?"]),
    ("{to: note., from: a}", &["5:14: the path ends where a key should stand"]),
    ("{to: .note, from: a}", &["5:10: a key should stand before this dot"]),
    (r#"{to: "about[", from: a}"#, &["5:16: `[` without `]`"]),
    (r#"{to: "about[x].name", from: a}"#, &["5:16: only `[]` or a number in brackets"]),
    (r#"{to: "about[0]x", from: a}"#, &["5:19: a `.` should stand here"]),
    ("{to: note, from: []}", &["5:22: an empty list of paths"]),
    ("{to: note, from: {a: b}}", &["5:22: a path is needed here, not a map"]),
    ("{to: note, from: a..b}", &["5:24: in the path `a..b`: a key should stand before this dot"]),
    (r#"{to: note, from: "a[0]"}"#, &["5:23: in the path `a[0]`: a path of the record takes `[]` (every element), not a number; the steps `first` and `last` pick one"]),
    (r#"{to: note, from: 'a"b'}"#, &[r#"5:24: in the path `a"b`: a `.` should stand here"#]),
    (r#"{to: note, from: '"ab'}"#, &[r#"5:23: in the path `"ab`: a quote that does not close"#]),
    (r#"{to: note, from: "@syslog.hots"}"#, &["5:23: in the path `@syslog.hots`: no such fact; known: @syslog.host, @syslog.app, @syslog.time, @syslog.priority, @run.time"]),
    ("{to: note, from: $}", &["5:22: in the path `$`: a name behind `$` has letters, digits and `_` only"]),
    ("{to: note, from: $a-b}", &["5:22: in the path `$a-b`: a name behind `$` has letters, digits and `_` only"]),
    ("{to: note, const: [a]}", &["5:23: `const` is one scalar, not a list"]),
    ("{to: note, const: {a: b}}", &["5:23: `const` is one scalar, not a map"]),
    ("{to: note, template: [a]}", &["5:26: `template` is a text, not a list"]),
    (r#"{to: note, template: "{a"}"#, &["5:26: a template has a brace that does not close; write `{{` or `}}` for a brace"]),
    (r#"{to: note, template: "a}"}"#, &["5:26: a template has a brace that does not close; write `{{` or `}}` for a brace"]),
    (r#"{to: note, template: "{a..b}"}"#, &["5:26: in the template's `{a..b}`: a key should stand before this dot"]),
    ("{to: size, count: a}", &["5:23: `count` counts the elements of a list: its path ends with `[]`"]),
    ("{to: size, count: [a]}", &["5:23: a path is needed here, not a list"]),
    ("{to: note, from: a, where: {path: a, exists: true}}", &["5:32: `where` belongs to `count`; a row's own condition is `when`"]),
    ("{to: note, from: a, when: text}", &["5:31: a condition is a map like {path: type, equals: x}, not a scalar"]),
    ("{to: note, from: a, when: {path: a}}", &["5:31: a condition without a test; the tests are exists, equals, one_of, glob, regex, not, any, all"]),
    ("{to: note, from: a, when: {path: a, equal: b}}", &["5:41: unknown key of a condition `equal` | did you mean `equals`?", "5:31: a condition without a test; the tests are exists, equals, one_of, glob, regex, not, any, all"]),
    ("{to: note, from: a, when: {equals: b}}", &["5:32: `equals` tests a path: the condition needs `path`"]),
    ("{to: note, from: a, when: {exists: true}}", &["5:32: `exists` tests a path: the condition needs `path`"]),
    ("{to: note, from: a, when: {exists: false}}", &["5:32: `exists` tests a path: the condition needs `path`"]),
    ("{to: note, from: a, when: {path: a, exists: maybe}}", &["5:49: `exists` is true or false"]),
    ("{to: note, from: a, when: {path: a, equals: [b, c]}}", &["5:49: `equals` takes one text; `one_of` takes a list"]),
    ("{to: note, from: a, when: {path: a, one_of: [[b]]}}", &["5:50: a text is needed here, not a list"]),
    ("{to: note, from: a, when: {path: a, one_of: []}}", &["5:49: an empty list"]),
    ("{to: note, from: a, when: {path: a, glob: []}}", &["5:47: a text is needed here, not a list"]),
    ("{to: note, from: a, when: {path: a, regex: []}}", &["5:48: a text is needed here, not a list"]),
    (r#"{to: note, from: a, when: {path: a, regex: "(a"}}"#, &["5:48: not a regular expression: unclosed group"]),
    ("{to: note, from: a, when: {any: {path: a, exists: true}}}", &["5:37: `any` takes a list of conditions"]),
    ("{to: note, from: a, when: {all: x}}", &["5:37: `all` takes a list of conditions"]),
    ("{to: note, from: a, when: {not: x}}", &["5:37: a condition is a map like {path: type, equals: x}, not a scalar"]),
    ("{to: note, from: a, distinct: maybe}", &["5:35: `distinct` is true or false"]),
    (r#"{to: note, from: a, required: "true"}"#, &["5:35: `required` is true or false"]),
    ("{to: note, from: a, as: lowr}", &["5:29: unknown step `lowr` | did you mean `lower`?"]),
    ("{to: note, from: a, as: [lower, [upper]]}", &["5:37: a step is one word, or a map of one word and its argument"]),
    ("{to: note, from: a, as: {lower: x}}", &["5:37: `lower` takes no argument"]),
    ("{to: note, from: a, as: {lower: x, upper: y}}", &["5:29: a step is one word, or a map of one word and its argument"]),
    ("{to: note, from: a, as: regex}", &["5:29: `regex` needs an argument: {regex: …}"]),
    ("{to: note, from: a, as: time}", &["5:29: `time` needs an argument: {time: …}"]),
    (r#"{to: note, from: "a[]", as: [first, lower]}"#, &["5:41: `lower` stands behind the step that ends the list; it must be the last"]),
    (r#"{to: note, from: "a[]", as: {first: 1}}"#, &["5:41: `first` takes no argument"]),
    (r#"{to: note, from: a, as: {regex: "(a"}}"#, &["5:37: not a regular expression: unclosed group"]),
    (r#"{to: note, from: a, as: {regex: {match: "(a)", take: 2}}}"#, &["5:37: the expression has no group `2`"]),
    (r#"{to: note, from: a, as: {regex: {match: "(?<x>a)", take: y}}}"#, &["5:37: the expression has no group `y`"]),
    ("{to: note, from: a, as: {regex: {take: 1}}}", &["5:37: `regex` needs `match`: the expression"]),
    ("{to: note, from: a, as: {regex: {mach: a}}}", &["5:38: unknown key of `regex` `mach` | did you mean `match`?", "5:37: `regex` needs `match`: the expression"]),
    ("{to: note, from: a, as: {split: {take: 1}}}", &["5:37: `split` needs `by`"]),
    (r#"{to: note, from: a, as: {split: {by: "", take: 1}}}"#, &["5:42: `by` cannot be empty"]),
    (r#"{to: note, from: a, as: {split: {by: ",", take: x}}}"#, &["5:53: `take` is a number: 0 is the first piece, -1 the last"]),
    (r#"{to: tags, from: a, as: {split: ""}}"#, &["5:37: `split` needs the text between the pieces"]),
    ("{to: note, from: a, as: {ip: v5}}", &["5:34: unknown address family `v5` | known: v4, v6, any"]),
    ("{to: note, from: a, as: {hash: []}}", &["5:36: a text is needed here, not a list"]),
    ("{to: note, from: a, as: {redact: []}}", &["5:38: a text is needed here, not a list"]),
    (r#"{to: note, from: "a[]", as: {join: []}}"#, &["5:40: a text is needed here, not a list"]),
    (r#"{to: note, from: "a[]", as: {join: {a: b}}}"#, &["5:40: a text is needed here, not a map"]),
    ("{to: note, from: a, as: {time: []}}", &["5:36: an empty list"]),
    ("{to: at, from: a, as: {time: unixx}}", &[r#"5:34: unknown time format "unixx"; known are rfc3339, unix, unix_ms, unix_us, unix_ns, unix_auto, cloudflare, strftime patterns and layout=<Go layout>"#]),
    (r#"{to: at, from: a, as: {time: "%Q"}}"#, &[r#"5:34: time format "%Q": unknown directive %Q"#]),
    ("{to: at, from: a, as: {time: {from: unix, to: iso}}}", &["5:51: unknown output form of a time `iso` | known: rfc3339, unix, unix_ms"]),
    ("{to: at, from: a, as: {time: {to: unix}}}", &["5:34: `time` needs the format it reads: {time: unix}"]),
    ("{to: at, from: a, as: {time: {form: unix}}}", &["5:35: unknown key of `time` `form` | did you mean `from`?", "5:34: `time` needs the format it reads: {time: unix}"]),
    ("{to: at, from: a, as: {time: {from: unix, to: unix}}}", &["5:10: `at` is a time: the row must say how it is read | add `as: {time: unix}` (or rfc3339, unix_ms, …)"]),
    ("{to: note, from: a, as: {lookup: x}}", &["5:38: `lookup` takes a map: text → text, with `*` in a key as a pattern and `default`"]),
    ("{to: note, from: a, as: {lookup: {a: [b]}}}", &["5:42: a lookup gives a text"]),
    ("{to: labels, from: a, label: []}", &["5:34: a text is needed here, not a list"]),
    ("{to: labels, from: a, label_from: []}", &["5:39: a path is needed here, not a list"]),
    (r#"{to: labels, from: a, label_from: "b[].k"}"#, &["5:10: the label's key is read from a list that the value does not run through"]),
    ("{to: note, from: $payload.}", &["5:31: in the path `$payload.`: the path ends where a key should stand"]),
    (r#"{to: size, count: "a[]", as: hash}"#, &["5:34: `count` gives a number and takes no steps"]),
];

/// What is replaced in the base source, by what, and the complaints about it.
#[rustfmt::skip]
const SOURCE_EDITS: &[Edit] = &[
    ("source: s", "source: t", &["1:9: this file is `sources/s/source.yaml`: `source` should be `s`, not `t`"]),
    ("source: s", "surce: s", &["1:1: unknown key of a source `surce` | did you mean `source`?", "1:1: a source needs `source`"]),
    ("when: {path: object, equals: test.record}", "", &["1:9: a source needs `when`: the test by which its records are known"]),
    ("when: {path: object, equals: test.record}", "when: {}", &["2:7: a condition without a test; the tests are exists, equals, one_of, glob, regex, not, any, all"]),
    ("when: {path: object, equals: test.record}", "when: {path: $nam, equals: test.record}", &["2:14: the source names no `$nam` | did you mean `$name`?"]),
    ("id: id", "id: [id]", &["3:5: a path is needed here, not a list"]),
    ("time: {path: at, format: unix}", "time: at", &["4:7: `time` needs `path` and `format`"]),
    ("time: {path: at, format: unix}", "time: {path: at, format: unx}", &[r#"4:26: unknown time format "unx"; known are rfc3339, unix, unix_ms, unix_us, unix_ns, unix_auto, cloudflare, strftime patterns and layout=<Go layout>"#]),
    ("time: {path: at, format: unix}", "time: {path: at, format: unix, zone: utc}", &["4:32: unknown key of `time` `zone` | known: path, format"]),
    ("time: {path: at, format: unix}", "time: {path: $id, format: unix}\nenvelops: [data]", &["5:1: unknown key of a source `envelops` | did you mean `envelopes`?", "4:14: `$id` is not named before this line"]),
    ("payload: {key: kind}", "payload: kind", &["6:10: `payload` needs `key`: the path whose text names the payload's key"]),
    ("payload: {key: kind}", "payload: {kee: kind}", &["6:11: unknown key of `payload` `kee` | did you mean `key`?", "6:10: `payload` needs `key`: the path whose text names the payload's key"]),
    ("  name: [user.name, name]", "  name: [$later, name]\n  later: x", &["8:10: `$later` is not named before this line"]),
    ("  name: [user.name, name]", "  id: x", &["8:3: `$id` is already a name of every source"]),
    ("  name: [user.name, name]", "  payload: x", &["8:3: `$payload` is already a name of every source"]),
    ("  name: [user.name, name]", "  name: {from: 'a[]', as: first}", &["8:27: a named value holds one value: join, first and last belong into a row"]),
    ("  name: [user.name, name]", "  name: {from: a, az: lower}", &["8:19: unknown key of a named value `az` | known: from, as"]),
    ("  name: [user.name, name]", "  name: {as: lower}", &["8:9: a named value needs `from`: its path or paths"]),
    ("  name: [user.name, name]", "  - name", &["8:3: `let` must be a map, not a list"]),
    ("  meta: [object]", "  meta: [object, object]", &["10:18: `object` has a class already"]),
    ("  meta: [object]", "  meta: [object]\n  contents: [note]", &["11:3: unknown key of `fields` `contents` | did you mean `content`?"]),
    ("  meta: [object]", "  meta: object\n  content: note", &["10:9: `meta` must be a list of paths, not a scalar", "11:12: `content` must be a list of paths, not a scalar"]),
    ("  meta: [object]", "  meta: {object: yes}", &["10:9: `meta` must be a list of paths, not a map"]),
    ("  meta: [object]", "  - object", &["10:3: `fields` must be a map, not a list"]),
    ("  meta: [object]", "  meta: [object]\n  content: [note]", &["5:7: the record type is shown in every mode: its path must be of class meta"]),
    ("  meta: [object]", "  meta: [object]\n  pii: [a..b]", &["11:11: in the path `a..b`: a key should stand before this dot"]),
    ("source: s\n", "- source\n", &["2:1: not YAML: while parsing a block collection, did not find expected '-' indicator"]),
];

/// What is replaced in the base target, by what, and the first complaint about it.
#[rustfmt::skip]
const TARGET_EDITS: &[Edit] = &[
    ("target: mini", "target: maxi", &["1:9: this file is `targets/mini.yaml`: `target` should be `mini`, not `maxi`"]),
    ("target: mini", "taget: mini", &["1:1: unknown key of a target `taget` | did you mean `target`?"]),
    ("target: mini", "target: mini\ndialect: tabls", &["2:10: unknown dialect `tabls` | did you mean `tables`?"]),
    ("target: mini", "target: mini\nflavour: x", &["2:1: unknown key of a target `flavour` | known: target, description, dialect, root, generic, event_type, required, max_bytes, forbidden, fallback, rules, types, enums, deprecated, settings"]),
    ("root: Event", "root: Evnt", &["2:7: `root` names a type: there is no `Evnt`"]),
    ("root: Event\n", "", &["1:1: `root` names a type: there is no ``"]),
    ("    note: string", "    note: strng", &["16:11: unknown type `strng`"]),
    ("    note: string", "    note: Whoo", &["16:11: unknown type `Whoo` | did you mean `Who`?"]),
    ("    note: string", "    note: [string, string]", &["16:11: a type: name, [name] (repeated) or {string: name} (map)"]),
    ("event_type: kind", "event_type: note", &["3:13: `event_type` names a field whose type is an enum"]),
    ("event_type: kind", "event_type: knd", &["3:13: `event_type` names a field whose type is an enum"]),
    ("generic: PLAIN", "generic: PLAN", &["4:10: `PLAN` is no value of Kind | did you mean `PLAIN`?"]),
    ("required: [at, kind]", "required: [at, knd]", &["5:16: unknown field `knd` of target `mini`: `Event` has no `knd` | did you mean `kind`?"]),
    ("required: [at, kind]", "required: [at, [kind]]", &["5:16: a text is needed here, not a list"]),
    ("max_bytes: {note: 5}", "max_bytes: {note: few}", &["6:19: a number of bytes"]),
    ("max_bytes: {note: 5}", "max_bytes: {nte: 5}", &["6:13: unknown field `nte` of target `mini`: `Event` has no `nte` | did you mean `note`?"]),
    ("max_bytes: {note: 5}", "max_bytes: 5", &["6:12: `max_bytes` must be a map, not a scalar"]),
    ("forbidden: [secret]", "forbidden: [secrt]", &["7:13: unknown field `secrt` of target `mini`: `Event` has no `secrt` | did you mean `secret`?"]),
    ("fallback: [PLAIN]", "fallback: [PLAIN, LOGGIN]", &["8:19: `LOGGIN` is no value of Kind | did you mean `LOGIN`?"]),
    ("  LOGIN: [who.name]", "  LOGN: [who.name]", &["11:3: `LOGN` is no value of Kind | did you mean `LOGIN`?"]),
    ("  LOGIN: [who.name]", "  LOGIN: [who.nme]", &["11:11: unknown field `who.nme` of target `mini`: `Who` has no `nme` | did you mean `who.name`?"]),
    ("  LOGIN: [who.name]", "  LOGIN: who.name", &["11:10: a list of needs, not a scalar"]),
    ("types:", "tipes:", &["12:1: unknown key of a target `tipes` | did you mean `types`?"]),
    ("  Kind: [PLAIN, LOGIN, LOGOUT]", "  Kind: {PLAIN: 0}", &["32:9: a text is needed here, not a map"]),
    ("target: mini\n", "- target\n", &["2:1: not YAML: while parsing a block collection, did not find expected '-' indicator"]),
];

/// Whole tables.
#[rustfmt::skip]
const TABLES: &[Case] = &[
    ("target: maxi\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN}\n", &["1:9: this file is `sources/s/mini.yaml`: `target` should be `mini`, not `maxi`"]),
    ("target: mini\nrows: {to: at}\n", &["1:9: a table needs `rows`: a list of rows"]),
    ("target: mini\n", &["1:9: a table needs `rows`: a list of rows"]),
    ("rows: []\n", &["1:1: a table needs `target`"]),
    ("- target: mini\n", &["1:1: a table is a map of keys"]),
    ("target: mini\nrows: []\n", &["1:9: no row fills `at`, which every event of `mini` needs | add a row: {to: at, from: …}", "1:9: no row fills `kind`, which every event of `mini` needs | add a row: {to: kind, from: …}"]),
    ("target: mini\nrows:\n  - {to: kind, const: PLAIN}\n", &["1:9: no row fills `at`, which every event of `mini` needs | add a row: {to: at, from: …}"]),
    ("target: mini\nrow: []\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN}\n", &["2:1: unknown key of a table `row` | did you mean `rows`?"]),
    ("target: mini\nexpected_rate: 101\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN}\n", &["2:16: `expected_rate` is a percentage from 0 to 100"]),
    ("target: mini\neach: a\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN}\n", &["2:7: `each` names a list: its path ends with `[]`"]),
    ("target: mini\neach: [a]\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN}\n", &["2:7: a path is needed here, not a list"]),
    ("target: mini\nrows:\n  - {to: at, from: $time}\n  - {to: kind, const: PLAIN\n", &["4:5: not YAML: unclosed bracket '{'"]),
    ("target: mini\nrows:\n\t- {to: at, from: $time}\n", &["3:2: not YAML: tabs disallowed within this context (block indentation)"]),
    ("target: mini\nrows: *nowhere\n", &["2:7: not YAML: while parsing node, found unknown anchor"]),
    ("target: mini\ntarget: mini\nrows:\n  - {to: at, from: $time, from: x}\n", &["2:1: the key `target` stands twice in this map", "4:27: the key `from` stands twice in this map"]),
    ("target: mini\nrows: []\n---\ntarget: mini\n", &["3:1: one document per file: a second one starts here"]),
    ("target: mini\n[a, b]: c\nrows: []\n", &["2:1: a key must be a scalar"]),
    ("", &["1:1: the file is empty"]),
    ("# nothing but a comment\n", &["1:1: the file is empty"]),
];

/// Whole Panther schemas.
#[rustfmt::skip]
const SCHEMAS: &[Case] = &[
    ("- a", &["1:1: a schema is a map of keys"]),
    ("schema: A", &["1:1: a schema needs `fields`"]),
    ("schema: A\nfields: []", &["2:9: `fields` is a list of at least one field"]),
    ("schema: A\nfields: {name: a, type: string}", &["2:9: `fields` is a list of at least one field"]),
    ("schema: A\nversion: one\nfields:\n  - {name: a, type: string}", &["2:10: `version` is an integer"]),
    ("schema: A\nudm: {}\nfields:\n  - {name: a, type: string}", &["2:6: `udm` is a list like [{name: user.email, paths: [{path: actor.email}]}]"]),
    ("schema: A\nudm: [{name: user, paths: [a]}, {name: user.email}]\nfields:\n  - {name: a, type: string}", &["2:14: `user` is no core field: they are written as user.email", "2:33: a core field needs `paths`"]),
    ("schema: A\nfieldDiscoveryEnabled: maybe\nfields:\n  - {name: a, type: string}", &["2:24: `fieldDiscoveryEnabled` is true or false"]),
    ("schema: A\nparser: {csv: {delimiter: \",\"}}\nfields:\n  - {name: a, type: string}", &["2:10: a csv parser needs `columns`, or `hasHeader: true`"]),
    ("schema: A\nfields:\n  - text", &["3:5: a field is a map like {name: …, type: …}, not a scalar"]),
    ("schema: A\nfields:\n  - {type: string}", &["3:5: a field needs `name`"]),
    ("schema: A\nfields:\n  - {name: \"\", type: string}", &["3:12: a field's name cannot be empty"]),
    ("schema: A\nfields:\n  - {name: a}", &["3:5: a field needs `type`"]),
    ("schema: A\nfields:\n  - {name: a, type: strin}", &["3:21: unknown type `strin` | did you mean `string`?"]),
    ("schema: A\nfields:\n  - {name: a, type: array}", &["3:21: an array needs `element`"]),
    ("schema: A\nfields:\n  - {name: a, type: array, element: {type: strings}}", &["3:44: unknown type `strings` | did you mean `string`?"]),
    ("schema: A\nfields:\n  - {name: a, type: object}", &["3:21: an object needs `fields`"]),
    ("schema: A\nfields:\n  - {name: a, type: object, fields: []}", &["3:37: `fields` is a list of at least one field"]),
    ("schema: A\nfields:\n  - {name: a, type: string, fields: [{name: b, type: string}]}", &["3:37: `fields` belongs to type object, not string"]),
    ("schema: A\nfields:\n  - {name: a, type: string, required: maybe}", &["3:39: `required` is true or false"]),
    ("schema: A\nfields:\n  - {name: a, type: string, indicators: [emial]}", &["3:42: unknown indicator `emial` | did you mean `email`?"]),
    ("schema: A\nfields:\n  - {name: a, type: int, indicators: [ip]}", &["3:38: indicators belong to strings (or to the string elements of an array)"]),
    ("schema: A\nfields:\n  - {name: a, type: int, validate: {allow: [\"1\"]}}", &["3:36: `validate` belongs to strings"]),
    ("schema: A\nfields:\n  - {name: a, type: string, validate: {alow: [\"1\"]}}", &["3:40: unknown check `alow` | did you mean `allow`?"]),
    ("schema: A\nfields:\n  - {name: a, type: string, validate: {ip: v4}}", &["3:44: ipv4, ipv6 or any"]),
    ("schema: A\nfields:\n  - {name: a, type: string, validate: {cidr: [v4]}}", &["3:46: ipv4, ipv6 or any"]),
    ("schema: A\nfields:\n  - {name: a, type: string, isEventTime: true}", &["3:42: `isEventTime` belongs to timestamps"]),
    ("schema: A\nfields:\n  - {name: a, type: timestamp, timeFormat: unixx}", &[r#"3:44: unknown time format "unixx"; known are rfc3339, unix, unix_ms, unix_us, unix_ns, unix_auto, cloudflare, strftime patterns and layout=<Go layout>"#]),
    ("schema: A\nfields:\n  - {name: a, type: timestamp, timeFormats: [rfc3339, \"%Q\"]}", &[r#"3:55: time format "%Q": unknown directive %Q"#]),
    ("schema: A\nfields:\n  - {name: a, type: string, isEmbeddedJSON: true}", &["3:45: `isEmbeddedJSON` belongs to objects, arrays and json"]),
    ("schema: A\nfields:\n  - {name: a, type: string, rename: {to: b}}", &["3:38: unknown key of `rename` `to` | known: from", "3:37: this is written `rename: {from: KEY}`"]),
    ("schema: A\nfields:\n  - {name: a, type: string, concat: {paths: [b..c]}}", &["3:46: `b..c` is no path: keys are set apart by single dots"]),
    ("schema: A\nfields:\n  - {name: a, type: string, copy: {from: {b: c}}}", &["3:42: a text is needed here, not a map", "3:35: this is written `copy: {from: PATH}`"]),
    ("schema: A\nfields:\n  - {name: a, type: string, split: {from: b, separator: \",\", index: one}}", &["3:69: `index` is a whole number"]),
    ("schema: A\nfields:\n  - {name: a, type: string, mask: {type: hide}}", &["3:42: unknown mask `hide` | known: redact, hash, obfuscate"]),
    ("schema: A\nfields:\n  - {name: a, type: ref}", &["3:21: a ref needs `target`: the name of a definition"]),
    ("schema: A\ndefinitions:\n  person: {type: string}\nfields:\n  - {name: a, type: ref, target: persn}", &["5:34: no definition `persn` | did you mean `person`?"]),
    ("schema: A\ndefinitions:\n  loop: {type: object, fields: [{name: x, type: ref, target: loop}]}\nfields:\n  - {name: a, type: ref, target: loop}", &["3:62: a cyclic reference: the definition `loop` leads back to itself"]),
    ("schema: A\nfields:\n  - {name: p_row, type: string}", &["3:12: `p_row` collides with the standard fields, which begin with `p_`"]),
    ("schema: A\nfields:\n  - {name: a, type: string}\n  - {name: b, type: string}\n  - {name: a, type: string}", &["5:12: the field `a` is declared twice; first on line 3, column 12"]),
    ("schema: A\nfields:\n  - {name: a b, type: string}\n  - {name: a.b, type: string}", &["4:12: `a.b` and `a b` (line 3, column 12) are both stored as `a_b`"]),
    ("schema: A\nfields:\n  - {name: a, type: string}\n  - {name: b, type: string,", &["4:5: not YAML: unclosed bracket '{'"]),
];

#[test]
fn a_byte_order_mark_inside_a_file_has_its_place() {
    let source = Source::new("my.yml", "schema: X\nfoo: \u{feff}bar\nbaz: 1\n");
    let wrong = yaml::parse(&source).expect_err("the parser miscounts behind it");
    assert_eq!(wrong.iter().map(|d| d.place()).collect::<Vec<_>>(), [(2, 6)]);
    assert!(Error::Mappings(wrong).to_string().contains("byte order mark"));
}
