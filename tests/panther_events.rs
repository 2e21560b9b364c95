//! What a Panther schema can do beyond types: transformations, embedded JSON, core fields,
//! discovery, the two forms, and the flags that fill the standard fields.

#[path = "data/kit.rs"]
mod kit;

use assert_cmd::Command;
use kit::lines;
use logmill::panther;
use logmill::plan::{Content, Events, Form, Plan, Request};
use logmill::run::Settings;
use logmill::yaml::{self, Source};
use serde_json::{Value, json};

fn plan(text: &str, events: Events) -> Plan {
    let source = Source::new("events.yml", text);
    let root = yaml::parse(&source).unwrap_or_else(|e| panic!("{}", e[0]));
    let (schema, _) = panther::parse(&source, &root).unwrap_or_else(|e| panic!("{}", e[0]));
    let (targets, schemas) = (vec!["panther".into()], vec![schema]);
    kit::compile(Request { targets, schemas, content: Content::Full, events, ..Request::default() })
}

/// The event of one record without its row id, or the dead letter.
fn one(plan: &Plan, record: &Value) -> Result<Value, Value> {
    let ran = kit::run(plan, record.to_string().as_bytes(), &kit::settings());
    match ran.letters().as_slice() {
        [] => {
            let mut event = lines(&ran.targets[0]).remove(0);
            event.as_object_mut().expect("an object").shift_remove("p_row_id");
            Ok(event)
        }
        [letter] => Err(letter.clone()),
        many => panic!("{many:?}"),
    }
}

/// The fields of the record's own, and what the indicators gathered.
fn own(plan: &Plan, record: Value) -> Value {
    let mut event = one(plan, &record).unwrap_or_else(|letter| panic!("{letter}"));
    event.as_object_mut().expect("an object").retain(|k, _| !k.starts_with("p_") || k.starts_with("p_any_"));
    event
}

const MADE: &str = "\
schema: Custom.Made
fields:
  - {name: userId, type: string, rename: {from: PIN}, mask: {type: redact, to: '****'}, indicators: [username]}
  - {name: group, type: object, rename: {from: grp}, fields: [{name: name, type: string}, {name: n, type: int, rename: {from: number}}]}
  - {name: full, type: string, concat: {paths: [first, 'a.last', 'group.name'], separator: '-'}, indicators: [trace_id]}
  - {name: again, type: string, copy: {from: full}}
  - {name: groupNumber, type: bigint, copy: {from: group.n}}
  - {name: host, type: string, split: {from: addr, separator: ':', index: 0}, indicators: [hostname]}
  - {name: port, type: int, split: {from: addr, separator: ':', index: 1}}
  - {name: tail, type: string, split: {separator: '/', index: -1}}
  - {name: initial, type: string, split: {from: full, separator: '-', index: 0}}
  - {name: hashed, type: string, copy: {from: PIN}, mask: {type: hash}}
  - {name: salted, type: string, copy: {from: PIN}, mask: {type: obfuscate, salt: s}}
  - {name: tags, type: array, element: {type: string}, mask: {type: redact}}
  - name: rows
    type: array
    element:
      type: object
      fields:
        - {name: both, type: string, concat: {paths: [x, y]}}
        - {name: x2, type: int, copy: {from: in.x}, required: true}
";

#[test]
fn transformations_draw_values_from_elsewhere() {
    let plan = plan(MADE, Events::default());
    let found = own(
        &plan,
        json!({
            "PIN": 1234, "grp": {"name": "staff", "number": "7"}, "first": "Ana", "a": {"last": "B"},
            "addr": "192.0.2.7:443", "tail": "a/b/c", "tags": ["x", null, 5], "userId": "mine",
            "rows": [{"x": 1, "y": true, "in": {"x": "3"}}, {"in": {"x": 4}}],
        }),
    );
    let wanted = json!({
        "userId": "****", "group": {"name": "staff", "n": 7}, "full": "Ana-B-staff", "again": "Ana-B-staff",
        "groupNumber": 7, "host": "192.0.2.7", "port": 443, "tail": "c", "initial": "Ana",
        "hashed": "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4",
        "salted": "a381c9f100dab39d67a548446394a4c60d2075303fbfa695e34e4b9b6348eefd",
        "tags": ["[redacted]", null, "[redacted]"],
        "rows": [{"both": "1true", "x2": 3}, {"x2": 4}],
        "p_any_ip_addresses": ["192.0.2.7"], "p_any_trace_ids": ["Ana-B-staff"], "p_any_usernames": ["****"],
    });
    assert_eq!(found.to_string(), wanted.to_string(), "with the order of keys");
    // What is not there makes nothing, and parts that are not there leave no separator.
    assert_eq!(
        own(&plan, json!({"first": "Ana", "addr": "h"})),
        json!({
            "full": "Ana", "again": "Ana", "host": "h", "initial": "Ana", "p_any_domain_names": ["h"], "p_any_trace_ids": ["Ana"],
        })
    );
    for (record, path, reason) in [
        (json!({"addr": "h:x"}), "addr", "bad_value"),
        (json!({"first": {"no": "text"}}), "first", "bad_value"),
        (json!({"grp": 1}), "grp", "bad_value"),
        (json!({"rows": [{"x": 1}]}), "rows[].in.x", "missing"),
    ] {
        let letter = one(&plan, &record).expect_err("it is refused");
        assert_eq!(
            (letter["path"].as_str(), letter["reason"].as_str()),
            (Some(path), Some(reason)),
            "{letter}"
        );
    }
}

#[test]
fn checks_look_at_the_masked_text() {
    let plan = plan(
        "schema: A\nfields: [{name: pin, type: string, mask: {type: redact}, validate: {allow: ['[redacted]']}}]\n",
        Events::default(),
    );
    assert_eq!(own(&plan, json!({"pin": "12"})), json!({"pin": "[redacted]"}));
}

const EMBEDDED: &str = "\
schema: Custom.Embedded
fields:
  - {name: o, type: object, isEmbeddedJSON: true, fields: [{name: n, type: int, required: true}, {name: ip, type: string, indicators: [ip]}, {name: deep, type: json, isEmbeddedJSON: true}]}
  - {name: list, type: array, isEmbeddedJSON: true, element: {type: string}}
  - {name: each, type: array, element: {type: object, isEmbeddedJSON: true, fields: [{name: t, type: timestamp, timeFormat: unix, isEventTime: true}]}}
  - {name: any, type: json, isEmbeddedJSON: true, rename: {from: raw}}
  - {name: plain, type: string}
";

#[test]
fn embedded_json_is_unfolded() {
    let plan = plan(EMBEDDED, Events::default());
    let deep = json!({"k": [1.50, "é\n"]}).to_string();
    let record = json!({
        "o": json!({"n": "5", "ip": "192.0.2.7", "z": 1, "deep": deep}).to_string(),
        "list": " [\"a\", 1] ", "each": ["{\"t\":5}", {"t": 6}, null], "raw": "\"text\"", "plain": "{\"n\":1}",
    });
    let event = one(&plan, &record).expect("it is taken");
    assert_eq!(event["o"], json!({"n": 5, "ip": "192.0.2.7", "deep": {"k": [1.50, "é\n"]}}));
    assert_eq!(event["list"], json!(["a", "1"]));
    assert_eq!(event["each"][1]["t"], "1970-01-01 00:00:06.000000000");
    assert_eq!((&event["any"], &event["plain"]), (&json!("text"), &json!("{\"n\":1}")));
    assert_eq!(event["p_event_time"], "1970-01-01 00:00:05.000000000");
    assert_eq!(event["p_any_ip_addresses"], json!(["192.0.2.7"]));
    // What arrives unfolded is taken too; an empty text is nothing.
    assert_eq!(own(&plan, json!({"o": {"n": 1}, "list": "", "raw": null})), json!({"o": {"n": 1}}));
    for (record, path, reason) in [
        (json!({"o": "{\"n\":1"}), "o", "bad_value"),
        (json!({"o": "{\"n\":1} {}"}), "o", "bad_value"),
        (json!({"o": "[]"}), "o", "bad_value"),
        (json!({"o": "{}"}), "o.n", "missing"),
        (json!({"each": ["nope"]}), "each[]", "bad_value"),
    ] {
        let letter = one(&plan, &record).expect_err("it is refused");
        assert_eq!(
            (letter["path"].as_str(), letter["reason"].as_str()),
            (Some(path), Some(reason)),
            "{letter}"
        );
    }
    // The next record knows nothing of the one before.
    assert_eq!(own(&plan, json!({})), json!({}));
    let metrics = kit::run(&plan, record.to_string().as_bytes(), &kit::settings()).metrics;
    let mapping = &metrics["targets"]["panther"]["mappings"]["(unrecognised)"];
    assert_eq!(mapping["leaves_unmapped"], 0, "{mapping}");
}

#[test]
fn a_payload_is_found_beside_embedded_json() {
    let plan = plan(
        "schema: A\nfields: [{name: id, type: string}, {name: user_added, type: object, isEmbeddedJSON: true, fields: [{name: id, type: string}]}]\n",
        Events { discover: true, ..Events::default() },
    );
    let record = |key: &str, value: Value| {
        let mut record = kit::audits().into_iter().find(|r| r["type"] == "user.added").expect("a fixture");
        let map = record.as_object_mut().expect("an object");
        map.retain(|k, _| !k.starts_with("user"));
        map.insert(key.into(), value);
        record
    };
    for key in ["user.added", "user_added"] {
        for value in [json!({"id": "user-7"}), json!("{\"id\":\"user-7\"}")] {
            let event = own(&plan, record(key, value));
            assert_eq!(event["user_added"]["id"], "user-7", "{key}");
            assert_eq!(event.get("user_added_2"), None, "{event}");
        }
    }
}

#[test]
fn core_fields_stand_in_p_udm() {
    let plan = plan(
        "\
schema: Custom.Core
fields:
  - {name: actor, type: object, fields: [{name: email, type: string, indicators: [email]}, {name: mail, type: string, rename: {from: m}}]}
  - {name: port, type: int}
  - {name: roles, type: array, element: {type: string}}
udm:
  - {name: user.email, paths: [{path: actor.mail}, {path: actor.email}]}
  - {name: source.port, paths: [{path: port}]}
  - {name: user.arns, paths: [{path: roles}]}
  - {name: destination.ip, paths: [{path: nowhere}]}
",
        Events::default(),
    );
    let event = |record: Value| one(&plan, &record).expect("it is taken");
    let full =
        event(json!({"actor": {"email": "a@b.c", "m": "d@e.f"}, "port": "443", "roles": ["r1", null, "r2"]}));
    assert_eq!(
        full["p_udm"],
        json!({"user": {"email": "d@e.f", "arns": ["r1", "r2"]}, "source": {"port": 443}})
    );
    assert_eq!(full["p_any_emails"], json!(["a@b.c"]), "core fields feed no indicator");
    assert_eq!(event(json!({"actor": {"email": "a@b.c"}}))["p_udm"], json!({"user": {"email": "a@b.c"}}));
    assert_eq!(event(json!({"actor": {}})).get("p_udm"), None);
}

#[test]
fn undeclared_fields_are_stored_when_they_are_discovered() {
    const SCHEMA: &str = "\
schema: Custom.Found
fields:
  - {name: a, type: string}
  - {name: b, type: string, rename: {from: secret}, mask: {type: redact}}
  - {name: o, type: object, fields: [{name: x, type: int}]}
  - {name: l, type: array, element: {type: object, fields: [{name: y, type: int}]}}
";
    let record = json!({
        "o": {"x": 1, "x y": {"in": true, "no": null}}, "secret": "s", "when it": "2026-01-01T01:00:00+01:00",
        "l": [{"y": 1, "z": [1, null, "a"]}, {}], "big": 1.50, "e": [], "nothing": null, "empty": {}, "": "unnamed",
        "when.it": 2, "p_row_id": "mine", "@ts": "x", "b": "other",
    });
    let discovering = plan(SCHEMA, Events { discover: true, ..Events::default() });
    let found = own(&discovering, record.clone());
    let wanted = json!({
        "b": "[redacted]", "o": {"x": 1, "x_y": {"in": true}}, "l": [{"y": 1, "z": [1, null, "a"]}, {}],
        "when_it": "2026-01-01 00:00:00.000000000", "big": 1.5, "empty": {}, "": "unnamed", "when_it_2": 2,
        "at_sign_ts": "x", "b_2": "other",
    });
    let mut found_own = found.clone();
    assert_eq!(found_own.as_object_mut().expect("an object").shift_remove("_p_row_id"), Some(json!("mine")));
    assert_eq!(found_own, wanted);
    // In the test form names and values stay as they are.
    let test = plan(SCHEMA, Events { discover: true, form: Form::Test, ..Events::default() });
    let found = own(&test, record.clone());
    assert_eq!((&found["when it"], &found["when.it"]), (&record["when it"], &record["when.it"]));
    // Without discovery they are dropped; in both cases they are counted by path.
    let dropping = plan(SCHEMA, Events::default());
    assert_eq!(own(&dropping, record.clone()).as_object().map(|o| o.len()), Some(3));
    for (plan, what) in [(&dropping, "dropped"), (&discovering, "stored")] {
        let metrics = kit::run(plan, record.to_string().as_bytes(), &kit::settings()).metrics;
        let mapping = &metrics["targets"]["panther"]["mappings"]["(unrecognised)"];
        assert_eq!(mapping["unmapped_leaves_are"], what);
        assert!(mapping["leaves_unmapped"].as_u64() >= Some(10), "{mapping}");
    }
    // A schema can ask for it itself.
    let asking = plan(&format!("fieldDiscoveryEnabled: true\n{SCHEMA}"), Events::default());
    assert_eq!(own(&asking, record.clone()), own(&discovering, record));
}

#[test]
fn objects_of_many_fields_are_discovered_too() {
    let fields: String = (0..40).map(|i| format!("  - {{name: f{i}, type: int}}\n")).collect();
    let plan = plan(&format!("schema: A\nfields:\n{fields}"), Events { discover: true, ..Events::default() });
    assert_eq!(own(&plan, json!({"f7": 7, "g": true})), json!({"f7": 7, "g": true}));
    assert_eq!(own(&plan, json!({"g": true})), json!({"g": true}));
}

#[test]
fn nothing_is_discovered_in_a_source_that_bears_content() {
    let source = Source::new("a.yml", "schema: A\nfields: [{name: id, type: string}]\n");
    let root = yaml::parse(&source).expect("YAML");
    let (schema, _) = panther::parse(&source, &root).expect("a schema");
    let records = kit::ndjson(&kit::conversations());
    for (content, leaks) in [(Content::Metadata, false), (Content::Full, true)] {
        let plan = kit::compile(Request {
            targets: vec!["panther".into()],
            schemas: vec![schema.clone()],
            content,
            events: Events { discover: true, ..Events::default() },
            ..Request::default()
        });
        let ran = kit::run(&plan, &records, &kit::settings());
        assert_eq!(kit::contains(&ran.targets[0], kit::MARKER), leaks, "{content:?}");
    }
}

#[test]
fn discovery_keeps_to_the_classes_of_the_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sources/door");
    std::fs::create_dir_all(&path).expect("a folder");
    let source = "source: door\nwhen: {path: product, equals: door}\nfields:\n  secret: [pin, key.value]\n  pii: [who]\n";
    std::fs::write(path.join("source.yaml"), source).expect("a file");
    let schema = folder.path().join("Door.yml");
    let text = "schema: Door\nfields: [{name: product, type: string}, {name: mail, type: string, split: {from: who, separator: '@'}}]\n";
    std::fs::write(&schema, text).expect("a file");
    let key = folder.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").expect("a file");
    let record = r#"{"product":"door","pin":"s3cret","key":{"value":"s3cret","id":"k-1"},"who":"ana@example.com","open":true}"#;
    let run = |flags: &[&std::ffi::OsStr]| -> Value {
        let output = Command::cargo_bin("logmill")
            .expect("the program")
            .args(["convert", "-q", "--discover", "--mappings"])
            .arg(folder.path())
            .arg("--schema")
            .arg(&schema)
            .args(flags)
            .write_stdin(record)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one event")
    };
    let plain = run(&[]);
    assert!(!plain.to_string().contains("s3cret"), "{plain}");
    assert_eq!(
        (&plain["key"], &plain["who"], &plain["mail"]),
        (&json!({"id": "k-1"}), &json!("ana@example.com"), &json!("ana"))
    );
    let hidden = run(&["--pseudonymize".as_ref(), key.as_os_str()]);
    assert!(!hidden.to_string().contains("s3cret") && !hidden.to_string().contains("ana"), "{hidden}");
    assert!(hidden["who"].is_string() && hidden["mail"].is_string() && hidden["open"] == true, "{hidden}");
}

#[test]
fn row_ids_of_place_and_content_are_found_again() {
    let deterministic = plan(
        "schema: A\nfields: [{name: a, type: int}]\n",
        Events { deterministic: true, ..Events::default() },
    );
    let records = "{\"a\":1}\n{\"a\":1}\n  {\"a\" :2}\n";
    let ids = |seed: u128, threads: usize| -> Vec<String> {
        let ran =
            kit::run(&deterministic, records.as_bytes(), &Settings { seed, threads, ..kit::settings() });
        lines(&ran.targets[0]).iter().map(|e| e["p_row_id"].as_str().expect("an id").to_string()).collect()
    };
    let all = ids(1, 1);
    assert_eq!(all, ids(2, 4), "neither seed nor threads show");
    assert_ne!(all[0], all[1], "equal records stand in different places");
    // As documented: SHA-256 over `sha256:record:event`.
    let hex = |text: &str| {
        use sha2::Digest;
        sha2::Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    for (i, text) in ["{\"a\":1}", "{\"a\":1}", "{\"a\" :2}"].iter().enumerate() {
        assert_eq!(all[i], hex(&format!("{}:{i}:0", hex(text)))[..32]);
    }
}

#[test]
fn the_flags_fill_the_standard_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = folder.path().join("Custom.Flags.yml");
    std::fs::write(
        &schema,
        "fields: [{name: at, type: timestamp, timeFormat: unix}, {name: a b, type: int}]\n",
    )
    .expect("a file");
    let run = |flags: &[&str]| -> Value {
        let output = Command::cargo_bin("logmill")
            .expect("the program")
            .args(["convert", "-q", "--schema"])
            .arg(&schema)
            .args(flags)
            .write_stdin("{\"at\":5.5,\"a b\":1,\"new\":true}")
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one event")
    };
    let now = ["--parse-time", "2026-01-01T00:00:00Z", "--deterministic"];
    let stored = run(&[&now[..], &["--source-id", "a-b", "--source-label", "The \"label\""]].concat());
    assert_eq!(stored.to_string(), json!({
        "at": "1970-01-01 00:00:05.500000000", "a_b": 1, "p_log_type": "Custom.Flags", "p_row_id": stored["p_row_id"],
        "p_event_time": "2026-01-01 00:00:00.000000000", "p_parse_time": "2026-01-01 00:00:00.000000000",
        "p_schema_version": 0, "p_source_id": "a-b", "p_source_label": "The \"label\"",
    }).to_string());
    assert_eq!(stored, run(&[&now[..], &["--source-id", "a-b", "--source-label", "The \"label\""]].concat()));
    let test = run(&[&now[..], &["--form", "test", "--discover"]].concat());
    assert_eq!(
        test.to_string(),
        json!({
            "at": 5.5, "a b": 1, "new": true, "p_log_type": "Custom.Flags", "p_row_id": test["p_row_id"],
            "p_event_time": "2026-01-01T00:00:00Z", "p_parse_time": "2026-01-01T00:00:00Z",
        })
        .to_string()
    );
    let refused = Command::cargo_bin("logmill")
        .expect("the program")
        .args(["convert", "--to", "udm", "--form", "test"])
        .write_stdin("")
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--form is for events of Panther schemas"));
}
