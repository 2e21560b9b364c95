//! `--pseudonymize`: what identifies a person leaves through no door, and one value has one
//! pseudonym wherever it stands.

#[path = "data/kit.rs"]
mod kit;

use std::path::PathBuf;

use kit::{Ran, contains};
use logmill::ops::pseudonym::Pseudonyms;
use logmill::plan::{Content, Plan, Request};
use logmill::table::{Class, Head, Path, Seg};
use serde_json::{Value, json};

const KEY: &[u8] = b"a key that is long enough";

fn pseudonym(text: &str) -> String {
    let mut out = String::new();
    Pseudonyms::new(KEY).expect("a key").push(text, &mut out);
    out
}

fn plan(content: Content) -> Plan {
    let targets = vec!["udm".to_string(), "panther".to_string()];
    let pseudonyms = Some(Pseudonyms::new(KEY).expect("a key"));
    kit::compile(Request { targets, content, pseudonyms, ..Request::default() })
}

/// The scalars of a record at a path of the record or, below any root key, of its payload.
fn at<'a>(record: &'a Value, path: &Path) -> Vec<&'a Value> {
    let mut here: Vec<&Value> = match path.head {
        Head::Payload => record.as_object().into_iter().flatten().map(|(_, v)| v).collect(),
        _ => vec![record],
    };
    for seg in &path.segs {
        here = here
            .into_iter()
            .flat_map(|value| match seg {
                Seg::Key(key) => value.get(key.as_str()).into_iter().collect::<Vec<_>>(),
                _ => value.as_array().into_iter().flatten().collect(),
            })
            .collect();
    }
    here.retain(|value| !value.is_object() && !value.is_array());
    here
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn count(value: &Value, wanted: &str) -> usize {
    match value {
        Value::Object(map) => map.values().map(|v| count(v, wanted)).sum(),
        Value::Array(list) => list.iter().map(|v| count(v, wanted)).sum(),
        other => (text(other) == wanted) as usize,
    }
}

fn doors(ran: &Ran) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("udm", ran.targets[0].clone()),
        ("panther", ran.targets[1].clone()),
        ("dead letters", ran.dead.clone()),
        ("metrics", ran.metrics.to_string().into_bytes()),
        ("summary", ran.summary.clone().into_bytes()),
    ]
}

#[test]
fn no_value_of_class_pii_leaves() {
    let mut looked = 0;
    for (name, def) in &kit::built_in().sources {
        for content in [Content::Metadata, Content::Full] {
            let plan = plan(content);
            for input in kit::inputs(name) {
                // Values that stand at other paths too, and numbers, may be there for another reason.
                let records = kit::object_lines(&input);
                for record in records {
                    let pii = def.classes.iter().filter(|(_, class)| *class == Class::Pii);
                    let values: Vec<&Value> = pii.flat_map(|(path, _)| at(&record, &path.is)).collect();
                    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
                    for value in &values {
                        let shown = text(value);
                        let times = values.iter().filter(|v| text(v) == shown).count();
                        if shown.len() < 6 || count(&record, &shown) != times {
                            continue;
                        }
                        looked += 1;
                        for (door, bytes) in doors(&ran) {
                            assert!(!contains(&bytes, &shown), "{}: {shown} in {door}", input.display());
                        }
                    }
                }
            }
        }
    }
    assert!(looked > 200, "{looked}");
}

#[test]
fn one_value_has_one_pseudonym() {
    let plan = plan(Content::Metadata);
    let record = json!({
        "object": "organization.audit_log", "id": "audit_log-1", "type": "login.failed", "effective_at": 1767225600,
        "actor": {"type": "session", "session": {
            "user": {"id": "user-ana", "email": "ana@example.com"}, "ip_address": "192.0.2.7"}}
    });
    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
    let udm = &kit::lines(&ran.targets[0])[0];
    assert_eq!(udm["principal"]["user"]["userid"], pseudonym("user-ana"));
    assert_eq!(udm["target"]["user"]["userid"], pseudonym("user-ana"));
    assert_eq!(udm["principal"]["user"]["email_addresses"], json!([pseudonym("ana@example.com")]));
    assert_eq!(udm["principal"]["ip"], json!([pseudonym("192.0.2.7")]));
    assert_eq!(udm["metadata"]["product_log_id"], "audit_log-1", "what is no pii stays");
    let panther = &kit::lines(&ran.targets[1])[0];
    let session = &panther["actor"]["session"];
    assert_eq!(session["user"]["email"], pseudonym("ana@example.com"));
    assert_eq!(session["ip_address"], pseudonym("192.0.2.7"));
    assert_eq!(panther["p_any_emails"], json!([pseudonym("ana@example.com")]));
    assert_eq!(panther["p_any_ip_addresses"], json!([pseudonym("192.0.2.7")]));
    // Another key, other pseudonyms.
    let mut other = String::new();
    Pseudonyms::new(b"another key, also long").expect("a key").push("user-ana", &mut other);
    assert_ne!(other, pseudonym("user-ana"));
}

#[test]
fn dead_letters_hold_pseudonyms() {
    let plan = plan(Content::Full);
    let record = json!({
        "object": "organization.audit_log", "id": "a", "type": "login.failed", "effective_at": "soon",
        "actor": {"session": {"user": {"email": "ana@example.com"}, "ip_address": "192.0.2.7"}}
    });
    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
    let letters = ran.letters();
    assert!(!letters.is_empty());
    for letter in &letters {
        assert_eq!(letter["record"], Value::Null);
        assert_eq!(letter["fields"]["actor"]["session"]["user"]["email"], pseudonym("ana@example.com"));
        assert_eq!(letter["fields"]["effective_at"], "soon", "what is no pii stays");
    }
    // What cannot be classified shows nothing.
    let ran =
        kit::run(&plan, b"{\"who\":\"ana@example.com\"}\n{\"who\":\"ana@example.com\"", &kit::settings());
    assert_eq!(ran.letters().len(), 2);
    assert!(!contains(&ran.dead, "ana@example.com"));
}

// --------------------------------------------------------------------------------- the program

#[cfg(feature = "cli")]
struct Folder(tempfile::TempDir);

#[cfg(feature = "cli")]
impl Folder {
    fn new() -> Folder {
        let folder =
            Folder(tempfile::Builder::new().prefix("logmill-pseudonyms-").tempdir().expect("a folder"));
        folder.file(
            "m/sources/door/source.yaml",
            r#"source: door
when: {path: product, equals: door}
type: type
payload: {key: type}
fields:
  meta: [product, type, '"badge.added".colour', site]
  pii: ['"badge.added".owner', '"badge.added".floor', '"badge.added".link.by', who]
  secret: ['"badge.added".link.url', key]
"#,
        );
        folder.file(
            "m/sources/door/mini.yaml",
            r#"target: mini
rows:
  - {to: who, from: [$payload.owner, who], as: lower}
  - {to: text, template: "{who} of {site}"}
  - {to: floor, from: $payload.floor}
  - {to: key, from: key}
  - {to: more, from: $payload}
  - {to: role, from: who, as: {lookup: {boss: chief, default: staff}}}
  - {to: boss, const: "yes", when: {path: who, equals: boss}}
  - {to: must, from: site, as: int, required: true}
"#,
        );
        folder.file(
            "m/targets/mini.yaml",
            "target: mini\nroot: E\ntypes:\n  E: {who: string, text: string, floor: int32, key: string, more: object, role: string, boss: string, must: int32}\n",
        );
        folder.file("key", &format!("{}\r\n", std::str::from_utf8(KEY).expect("text")));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().expect("a folder")).expect("a folder");
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, Vec<Value>, String) {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
            .args(args)
            .args(["--mappings", &self.path("m").display().to_string(), "--to", "mini"])
            .write_stdin(input)
            .output()
            .expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().expect("a status"), kit::lines(&output.stdout), err)
    }
}

#[cfg(feature = "cli")]
#[test]
fn rows_of_every_make() {
    let folder = Folder::new();
    let key = folder.path("key").display().to_string();
    let record = r#"{"product":"door","type":"badge.added","who":"boss","site":"7","key":"k-1","badge.added":{"owner":"Ana","colour":"red","floor":3,"link":{"by":"bo","url":"https://x"},"new":"n"}}"#;
    let (status, events, err) = folder.run(&["convert", "--pseudonymize", &key], record);
    assert_eq!((status, err.as_str()), (0, ""));
    let expected = json!({
        "who": pseudonym("ana"),
        "text": format!("{} of 7", pseudonym("boss")),
        // `floor` is a number and takes no pseudonym; the secret leaves in no mode.
        "more": {
            "owner": pseudonym("Ana"), "colour": "red", "floor": pseudonym("3"),
            "link": {"by": pseudonym("bo")}, "new": "n"
        },
        // What a lookup or a condition makes of a value is the mapping's own text.
        "role": "chief",
        "boss": "yes",
        "must": 7,
    });
    assert_eq!(events, [expected]);
    let (_, events, _) = folder.run(&["convert"], record);
    let plain = &events[0];
    assert_eq!((&plain["who"], &plain["floor"], &plain["key"]), (&json!("ana"), &json!(3), &Value::Null));
    assert_eq!(plain["more"]["link"], json!({"by": "bo"}));
    let (_, events, _) = folder.run(&["convert", "--keep-secrets"], record);
    assert_eq!((&events[0]["key"], &events[0]["more"]["link"]["url"]), (&json!("k-1"), &json!("https://x")));
}

#[cfg(feature = "cli")]
#[test]
fn dead_letters_of_payloads() {
    let folder = Folder::new();
    let key = folder.path("key").display().to_string();
    for (payload, shown) in [
        (
            r#""badge.added":{"owner":"Ana","colour":"red"}"#,
            json!({"badge.added": {"owner": pseudonym("Ana"), "colour": "red"}}),
        ),
        (
            r#""badge_added":{"owner":"Ana","colour":"red"}"#,
            json!({"badge_added": {"owner": pseudonym("Ana"), "colour": "red"}}),
        ),
        (r#""badge":{"added":{"owner":"Ana"}}"#, json!({})),
    ] {
        let record = format!("{{\"product\":\"door\",\"type\":\"badge.added\",{payload}}}");
        let (status, events, err) =
            folder.run(&["convert", "--pseudonymize", &key, "--dead-letters", "-"], &record);
        assert_eq!((status, events.len()), (1, 0));
        let letter: Value = serde_json::from_str(&err).expect("a dead letter");
        let mut expected = json!({"product": "door", "type": "badge.added"});
        expected.as_object_mut().expect("a map").extend(shown.as_object().expect("a map").clone());
        assert_eq!(letter["fields"], expected);
        assert_eq!(letter["record"], Value::Null);
    }
}

/// A secret leaves by no door; raw text that might hold one is not shown.
#[cfg(feature = "cli")]
#[test]
fn secrets_stay() {
    let folder = Folder::new();
    for (record, raw) in [
        (r#"{"product":"door","who":"x","key":"zxqsecret"}"#, false),
        (r#"{"product":"door","who":"x"}"#, true),
        (r#"{"product":"window","key":"zxqsecret"}"#, false),
        (r#"{"product":"window","\u006bey":"zxqsecret"}"#, false),
        (r#"{"product":"window","who":"x"}"#, true),
        (r#"{"product":"door","key":"zxqsecret"#, false),
    ] {
        for mode in ["none", "metadata", "full"] {
            let (_, events, err) = folder.run(
                &["convert", "--content", mode, "--dead-letters", "-", "--metrics", "/dev/null"],
                record,
            );
            assert!(events.is_empty());
            assert!(!err.contains("zxqsecret"), "{mode}: {err}");
            let letter: Value = serde_json::from_str(&err).expect("a dead letter");
            let known = letter["source"] == "door";
            assert_eq!(letter["record"].is_string(), raw && (known || mode == "full"), "{mode}: {letter}");
        }
    }
}

#[cfg(feature = "cli")]
#[test]
fn keys_that_are_none() {
    let folder = Folder::new();
    folder.file("short", "0123456789\n");
    for (name, says) in
        [("short", "a key has at least 16 bytes, and this one has 10"), ("absent", "no such file or folder")]
    {
        let path = folder.path(name).display().to_string();
        let (status, _, err) = folder.run(&["convert", "--pseudonymize", &path], "{}");
        assert_eq!((status, err), (2, format!("logmill: {path}: {says}\n")));
    }
}

/// What is empty in the record stays empty where a copy is only looked through for secrets.
#[cfg(feature = "cli")]
#[test]
fn copies_keep_what_is_empty() {
    let folder = Folder::new();
    let record = r#"{"product":"door","type":"badge.added","site":"7","badge.added":{"a":[],"b":{"c":{},"d":[[]]},"link":{"url":"x"}}}"#;
    let (_, events, err) = folder.run(&["convert"], record);
    assert_eq!(events[0]["more"], json!({"a": [], "b": {"c": {}, "d": [[]]}}), "{err}");
}
