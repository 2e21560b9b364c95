//! `infer`: the schema of records takes every one of them, within fixed bounds, and says what it
//! does not know.

#[path = "data/kit.rs"]
mod kit;

use std::sync::OnceLock;

use logmill::infer::{self, ENOUGH, Inferred, MAX_FIELDS, MAX_PLACES, MAX_RECORD_FIELDS};
use logmill::plan::{Content, Plan, Request};
use logmill::records::Framing;
use logmill::run::{From, Input, Settings};
use logmill::{catalog, panther, yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

fn infer(bytes: &[u8], content: Content) -> Inferred {
    static PLANS: [OnceLock<Plan>; 2] = [OnceLock::new(), OnceLock::new()];
    let plan = &PLANS[(content == Content::Full) as usize];
    let plan = plan.get_or_init(|| kit::compile(Request { content, ..Request::default() }));
    let inputs = vec![Input { name: "memory".into(), from: From::Memory(bytes.to_vec()) }];
    infer::infer(plan, "Custom.Inferred", inputs, &kit::settings(), &mut |_, _| Ok(()))
        .expect("no sink fails")
}

fn load(schema: &str) -> panther::Schema {
    let source = yaml::Source::new("inferred.yml", schema);
    let parsed = yaml::parse(&source).and_then(|root| panther::parse(&source, &root));
    let (schema, warnings) = parsed.unwrap_or_else(|wrong| {
        panic!("{}\n{schema}", wrong.iter().map(|d| d.to_string()).collect::<Vec<_>>().join("\n"))
    });
    assert!(warnings.is_empty(), "{warnings:?}");
    schema
}

fn applied(schema: &str) -> Plan {
    let request = Request {
        targets: vec!["panther".into()],
        schemas: vec![load(schema)],
        content: Content::Full,
        ..Request::default()
    };
    kit::compile(request)
}

/// The schema of the records takes every one of them.
fn takes_its_own(bytes: &[u8]) -> Inferred {
    let inferred = infer(bytes, Content::Full);
    if inferred.empty {
        return inferred;
    }
    let ran = kit::run(&applied(&inferred.schema), bytes, &kit::settings());
    // What was refused as no record was never inferred from.
    let dead: Vec<Value> = ran.letters().into_iter().filter(|l| !l["target"].is_null()).collect();
    assert_eq!(dead, Vec::<Value>::new(), "{}", inferred.schema);
    let events = ran.targets[0].iter().filter(|b| **b == b'\n').count() as u64;
    assert_eq!(events, inferred.records, "{}", inferred.schema);
    inferred
}

/// The field of a schema text at a dotted path, as its lines.
fn field(schema: &str, name: &str) -> String {
    let at = schema.find(&format!("- name: {name}\n")).unwrap_or_else(|| panic!("no {name} in\n{schema}"));
    let indent = at - schema[..at].rfind('\n').map_or(0, |n| n + 1);
    let mut lines = schema[at..].lines();
    let first = lines.next().unwrap_or_default().to_string();
    lines
        .take_while(|l| l.len() > indent && l[..=indent].trim().is_empty() && !l[indent..].starts_with('-'))
        .fold(first, |all, line| all + "\n" + line.trim())
}

fn records(n: u64, f: impl Fn(u64) -> Value) -> Vec<u8> {
    kit::ndjson(&(0..n).map(f).collect::<Vec<_>>())
}

#[test]
fn fixtures_are_taken_by_their_own_schema() {
    for below in ["openai_audit", "openai_conversation", "openai_compliance"] {
        for path in kit::inputs(below) {
            let inferred = takes_its_own(&kit::read(&path));
            assert!(inferred.records > 0, "{}", path.display());
        }
    }
}

#[test]
fn types_are_the_narrowest_that_take_every_value() {
    let cases = [
        ("bigint", vec!["1", "-5", "0", "9223372036854775807"]),
        ("float", vec!["1", "2.5"]),
        ("float", vec!["12.0"]),
        ("float", vec!["1e3"]),
        ("string", vec!["1", "18446744073709551616"]),
        ("string", vec!["1e999"]),
        ("boolean", vec!["true", "false"]),
        ("string", vec!["true", "\"x\""]),
        ("string", vec!["1", "\"x\""]),
        ("string", vec!["1", "true"]),
        ("bigint", vec!["1", "\"\"", "null"]),
        ("boolean", vec!["true", "\"\""]),
        ("string", vec!["\"\""]),
        ("json", vec!["null"]),
        ("json", vec!["{}"]),
        ("json", vec!["{}", "1"]),
        ("json", vec!["[]", "{}"]),
        ("json", vec!["[]", "\"\""]),
        ("array", vec!["[]", "[1,null]"]),
        ("object", vec!["{}", "{\"a\":1}"]),
        ("json", vec!["{\"1\":1}"]),
        ("json", vec!["{\"a b\":1,\"a.b\":2}"]),
        ("string", vec!["\"007\"", "\"12\""]),
    ];
    for (ty, values) in cases {
        let text: String = values.iter().map(|v| format!("{{\"id\":1,\"value\":{v}}}\n")).collect();
        let inferred = takes_its_own(text.as_bytes());
        let found = field(&inferred.schema, "value");
        assert_eq!(
            found.lines().nth(1).map(|l| l.split(" #").next()),
            Some(Some(format!("type: {ty}").as_str())),
            "{values:?}\n{found}"
        );
    }
}

#[test]
fn times_are_recognised_in_every_format() {
    let cases = [
        (r#""2026-01-02T03:04:05.123Z""#, "rfc3339"),
        (r#""2026-01-02 03:04:05""#, "\"%Y-%m-%d %H:%M:%S\""),
        (r#""2026-01-02 03:04:05.123456""#, "\"%Y-%m-%d %H:%M:%S.%f\""),
        (r#""02/Jan/2026:03:04:05 +0100""#, "\"%d/%b/%Y:%H:%M:%S %z\""),
        (
            r#""2026-01-02 03:04:05.123456789 +0000 UTC""#,
            "\"layout=2006-01-02 15:04:05.999999999 -0700 MST\"",
        ),
        ("1767322800", "unix"),
        ("1767322800.25", "unix"),
        ("1767322800123", "unix_ms"),
        ("1767322800123456", "unix_us"),
        ("1767322800123456789", "unix_ns"),
        (r#""1767322800""#, "unix"),
    ];
    for (value, format) in cases {
        let inferred = takes_its_own(format!("{{\"time\":{value}}}\n{{\"time\":\"\"}}\n").as_bytes());
        let wanted = format!("- name: time\ntype: timestamp\ntimeFormat: {format}\nisEventTime: true");
        assert_eq!(field(&inferred.schema, "time"), wanted, "{value}");
    }
    let mixed = takes_its_own(b"{\"time\":1767322800}\n{\"time\":1767322800123}\n");
    assert!(field(&mixed.schema, "time").contains("timeFormat: unix_auto"));
    let mixed = takes_its_own(b"{\"time\":1767322800}\n{\"time\":\"2026-01-02T03:04:05Z\"}\n");
    assert!(field(&mixed.schema, "time").contains("timeFormat: cloudflare"));
    let mixed = takes_its_own(b"{\"time\":\"2026-01-02 03:04:05\"}\n{\"time\":\"2026-01-02T03:04:05Z\"}\n");
    assert!(
        field(&mixed.schema, "time").contains("timeFormats: [\"%Y-%m-%d %H:%M:%S\", rfc3339]"),
        "{}",
        mixed.schema
    );
    let plain = takes_its_own(b"{\"size\":1767322800}\n{\"time\":12}\n");
    assert!(!plain.schema.contains("timestamp"), "{}", plain.schema);
}

#[test]
fn one_event_time_is_proposed() {
    let event = json!({
        "expires_at": "2030-01-01T00:00:00Z", "actor": {"time": 1767322800}, "created_at": "2026-01-01T00:00:00Z",
        "timestamp": "2026-01-02T00:00:00Z", "history": [{"time": "2026-01-01T00:00:00Z"}],
    });
    let inferred = takes_its_own(&kit::ndjson(&[event]));
    assert_eq!(inferred.schema.matches("isEventTime").count(), 1);
    assert!(field(&inferred.schema, "timestamp").contains("isEventTime: true"), "{}", inferred.schema);
    let expiry = takes_its_own(b"{\"expires_at\":\"2030-01-01T00:00:00Z\"}\n");
    assert!(!expiry.schema.contains("isEventTime"), "an expiry is no event's time");
}

#[test]
fn indicators_are_proposed_by_value() {
    let event = json!({
        "a": "192.0.2.1", "b": "https://example.com/x", "c": "ana@example.com", "d": "00:00:5e:00:53:01",
        "list": ["192.0.2.1", "2001:db8::1"], "text": "hello", "user_name": "ana", "request_id": "r-1",
        "actor": {"id": "u-1", "kind": "x"}, "user": {"name": "ana"}, "id": "e-1",
    });
    let schema = takes_its_own(&kit::ndjson(&[event])).schema;
    for (name, indicator) in [
        ("a", "ip"),
        ("b", "url"),
        ("c", "email"),
        ("d", "mac"),
        ("user_name", "username"),
        ("request_id", "trace_id"),
    ] {
        assert!(field(&schema, name).ends_with(&format!("indicators: [{indicator}]")), "{name}\n{schema}");
    }
    assert!(field(&schema, "list").ends_with("type: string\nindicators: [ip]"), "{schema}");
    assert!(!field(&schema, "text").contains("indicators"));
    assert!(field(&schema, "actor").contains("- name: id\ntype: string\nindicators: [actor_id]"), "{schema}");
    assert!(
        field(&schema, "user").ends_with("- name: name\ntype: string\nindicators: [username]"),
        "{schema}"
    );
    assert_eq!(schema.matches("[actor_id]").count(), 1, "an id of the record itself is nobody's");
    let mixed = takes_its_own(b"{\"a\":\"192.0.2.1\"}\n{\"a\":\"none\"}\n").schema;
    assert!(!mixed.contains("indicators"));
}

#[test]
fn required_needs_evidence() {
    let event = |i: u64| match i % 7 {
        0 => json!({"id": i, "often": null, "inner": {"x": 1}}),
        _ => json!({"id": i, "often": 1}),
    };
    let few = takes_its_own(&records(ENOUGH - 1, event));
    assert!(!few.schema.contains("required: true"), "{}", few.schema);
    let many = takes_its_own(&records(ENOUGH, event));
    assert!(field(&many.schema, "id").contains("required: true"));
    for name in ["often", "inner", "x"] {
        assert!(!field(&many.schema, name).contains("required: true"), "{name}\n{}", many.schema);
    }
    // A key that stands twice, the second time as null, is not there.
    let mut twice = records(ENOUGH, |_| json!({"a": 1, "b": 1}));
    twice.extend_from_slice(b"{\"a\":1,\"b\":1,\"a\":null}\n");
    let schema = takes_its_own(&twice).schema;
    assert!(
        !field(&schema, "a").contains("required: true") && field(&schema, "b").contains("required: true")
    );
}

#[test]
fn values_that_recur_are_noted() {
    let schema = takes_its_own(&records(
        60,
        |i| json!({"kind": (if i % 2 == 0 { "up" } else { "down" }), "other": format!("v{i}")}),
    ))
    .schema;
    assert!(field(&schema, "kind").ends_with("description: \"One of: down, up\""), "{schema}");
    assert!(!field(&schema, "other").contains("description"));
}

#[test]
fn memory_is_bounded_and_overflow_is_said() {
    let keys = |from: usize, n: usize| -> Value {
        Value::Object((from..from + n).map(|i| (format!("k{i}"), json!(i))).collect())
    };
    let wide = takes_its_own(&kit::ndjson(&[json!({"id": 1, "map": keys(0, MAX_FIELDS + 1)})]));
    assert!(
        field(&wide.schema, "map").contains("type: json # more than 200 different keys"),
        "{}",
        wide.schema
    );
    // Keys that differ from record to record add up.
    let grows: Vec<Value> = (0..MAX_FIELDS + 1).map(|i| json!({"id": 1, "map": keys(i, 1)})).collect();
    assert!(field(&takes_its_own(&kit::ndjson(&grows)).schema, "map").contains("type: json"));
    let group = |g: usize| json!({"id": 1, format!("g{g}"): (0..150).map(|i| (format!("s{i}"), keys(0, 100))).collect::<serde_json::Map<_, _>>()});
    let places = takes_its_own(&kit::ndjson(&(0..3).map(group).collect::<Vec<_>>()));
    assert!(places.notes.iter().any(|n| n.contains(&MAX_PLACES.to_string())), "{:?}", places.notes);
    // A record goes without what it has too much of.
    let many: Vec<Value> = (0..3).map(|i| keys(i * 1000, 1000)).collect();
    let root = takes_its_own(&kit::ndjson(&many));
    assert_eq!(root.schema.matches("- name:").count(), MAX_RECORD_FIELDS);
    assert!(root.notes[0].starts_with("1000 members of records are left out"), "{:?}", root.notes);
    let deep = format!("{{\"a\":{}1{}}}\n", "{\"a\":[".repeat(50), "]}".repeat(50));
    assert!(takes_its_own(deep.as_bytes()).schema.contains("type: json # deeper levels"));
    let long = takes_its_own(format!("{{\"m\":{{\"{}\":1}}}}\n", "k".repeat(300)).as_bytes());
    assert!(field(&long.schema, "m").contains("type: json # a key longer than 256 bytes"));
}

#[test]
fn fields_that_cannot_be_declared_are_told_of() {
    let inferred = takes_its_own(b"{\"p_row_id\":1,\"\":2,\"a b\":3,\"a.b\":4,\"c\":5}\n");
    assert_eq!(inferred.notes.len(), 3, "{:?}", inferred.notes);
    assert!(inferred.notes.iter().all(|n| n.contains("is left out")));
    assert!(infer(b"{}\n[1]\n", Content::Full).empty);
}

#[test]
fn content_does_not_reach_a_schema() {
    let path = kit::fixture("openai_conversation/chats/input.ndjson");
    let inferred = infer(&kit::read(&path), Content::Metadata);
    assert!(inferred.empty && inferred.withheld > 0);
    assert!(!inferred.schema.contains(kit::MARKER));
    let full = infer(&kit::read(&path).repeat(20), Content::Full);
    assert!(full.withheld == 0 && full.records >= 100);
    assert!(!full.schema.contains("description:"), "a source with secrets shows no values: {}", full.schema);
}

#[test]
fn messages_in_envelopes_are_records() {
    let message = json!({"product": "x", "n": 1}).to_string();
    let envelope = json!({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": message}, {"id": "2", "message": message}]});
    let plan = kit::compile(Request::default());
    let inputs = vec![Input { name: "memory".into(), from: From::Memory(envelope.to_string().into_bytes()) }];
    let settings = Settings { framing: Framing::CloudWatch, ..kit::settings() };
    let inferred = infer::infer(&plan, "A", inputs, &settings, &mut |_, _| Ok(())).expect("no sink fails");
    assert_eq!((inferred.records, inferred.refused), (2, 0));
    assert!(
        inferred.schema.contains("- name: product") && !inferred.schema.contains("logEvents"),
        "{}",
        inferred.schema
    );
}

#[test]
fn log_types_are_made_of_file_names() {
    for (file, name) in [
        ("logs/vpn-audit.ndjson.gz", "Custom.VpnAudit"),
        ("-", "Custom.Inferred"),
        ("2026-01.json", "Custom.Inferred"),
        ("9lives.json", "Custom.Lives"),
    ] {
        assert_eq!(infer::log_type(file), name);
    }
}

/// A few megabytes of many shapes: every record is read, and every one is taken.
#[test]
fn megabytes_are_taken() {
    let audits = kit::audits();
    let mut bytes = Vec::new();
    while bytes.len() < 3 << 20 {
        bytes.extend_from_slice(&kit::ndjson(&audits));
    }
    let inferred = takes_its_own(&bytes);
    assert!(inferred.schema.contains("required: true"));
    assert_eq!(inferred.records % audits.len() as u64, 0);
}

#[test]
fn the_command_writes_a_schema_that_converts() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = kit::fixture("openai_audit/events/input.ndjson");
    let schema = folder.path().join("schema.yml");
    let run = |args: &[&std::ffi::OsStr]| {
        assert_cmd::Command::cargo_bin("logmill").expect("the program").args(args).output().expect("it runs")
    };
    let ran = run(&[
        "infer".as_ref(),
        input.as_os_str(),
        "--name".as_ref(),
        "My.Audit".as_ref(),
        "-o".as_ref(),
        schema.as_os_str(),
    ]);
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let (schemas, warnings) = catalog::load_schemas(&[&schema]).expect("it loads");
    assert_eq!((schemas[0].name.as_str(), warnings.len()), ("My.Audit", 0));
    let ran = run(&["convert".as_ref(), "--schema".as_ref(), schema.as_os_str(), input.as_os_str()]);
    assert_eq!((ran.status.code(), kit::lines(&ran.stdout).len()), (Some(0), 37));
    let to_stdout = run(&["infer".as_ref(), input.as_os_str()]);
    assert!(String::from_utf8_lossy(&to_stdout.stdout).contains("schema: Custom.Input"));
    let bad = folder.path().join("bad.ndjson");
    std::fs::write(&bad, "{\"a\":1}\nnot json\n").expect("a file");
    let ran = run(&["infer".as_ref(), bad.as_os_str()]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains(":2: not_json"));
    std::fs::write(&bad, "{}\n").expect("a file");
    assert_eq!(run(&["infer".as_ref(), bad.as_os_str()]).status.code(), Some(2));
}

/// JSON text with the spellings that parsers trip over.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_string()),
        Just("true".to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?",
        (1_000_000_000i64..1_900_000_000).prop_map(|n| n.to_string()),
        (1_000_000_000_000i64..1_900_000_000_000).prop_map(|n| n.to_string()),
        any::<String>().prop_map(|s| Value::from(s).to_string()),
        prop::sample::select(vec![
            "\"\"",
            "\"12\"",
            "\"2026-01-02T03:04:05Z\"",
            "\"2026-01-02 03:04:05\"",
            "\"192.0.2.1\"",
            "\"01/02/2026 03:04:05\"",
            "\"13/02/2026 03:04:05\"",
            "\"02/13/2026 03:04:05\"",
            "\"\\ud800\"",
            "\"1767322800\"",
            "\"2026-01-02 03:04:05.1234567\"",
            "\"a@example.com\"",
            "{}",
            "[]",
            "[null]",
            "-0",
            "1e400",
        ])
        .prop_map(str::to_string),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|l| format!("[{}]", l.join(","))),
            prop::collection::vec((key(), inner), 0..5).prop_map(|m| object(&m)),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let usual = prop::sample::select(vec![
        "a",
        "b",
        "time",
        "created_at",
        "id",
        "A",
        "a b",
        "a.b",
        "1x",
        "p_x",
        "user_id",
        "",
        "ü",
    ]);
    prop_oneof![8 => usual.prop_map(str::to_string), 1 => any::<String>()]
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(k, v)| format!("{}:{v}", Value::from(k.as_str()))).collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_records_are_taken_by_their_own_schema(
        records in prop::collection::vec(prop::collection::vec((key(), value()), 0..6), 1..12),
        times in prop::sample::select(vec![1usize, 40]),
    ) {
        let text: String = records.iter().map(|r| object(r) + "\n").collect();
        takes_its_own(text.repeat(times).as_bytes());
    }
}
