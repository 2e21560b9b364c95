//! Values and events against what their target says, while they are written.

#![cfg(feature = "cli")]

#[path = "data/kit.rs"]
mod kit;

use serde_json::{Value, json};

const TARGET: &str = "\
target: mini
root: E
event_type: kind
required: [kind]
max_bytes: {title: 8}
rules:
  LOGIN: [user, [host, ip]]
  SEEN: [user]
types:
  E: {kind: Kind, user: string, host: string, ip: [ip], only: ip, title: string, count: int32, more: object}
enums:
  Kind: [LOGIN, SEEN, OTHER]
";

const SOURCE: &str = "\
source: door
when: {path: product, equals: door}
fields:
  meta: [product, kind, host, \"ips[]\", ip, count]
  pii: [user]
  content: [title]
";

const TABLE: &str = "\
target: mini
rows:
  - {to: kind, from: kind}
  - {to: user, from: user}
  - {to: host, from: host}
  - {to: ip, from: \"ips[]\"}
  - {to: only, from: ip}
  - {to: title, from: title}
  - {to: count, from: count}
";

struct Ran {
    status: i32,
    events: Vec<Value>,
    letters: Vec<Value>,
    mapping: Value,
}

fn run(target: &str, args: &[&str], record: Value) -> Ran {
    let folder = tempfile::Builder::new().prefix("logmill-checks-").tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [
        ("targets/mini.yaml", target),
        ("sources/door/source.yaml", SOURCE),
        ("sources/door/mini.yaml", TABLE),
        ("key", "a key that is long enough"),
    ] {
        std::fs::create_dir_all(path(name).parent().expect("a folder")).expect("a folder");
        std::fs::write(path(name), text).expect("a file");
    }
    let args: Vec<String> =
        args.iter().map(|a| a.replace("KEY", &path("key").display().to_string())).collect();
    let (dead, metrics) = (path("dead"), path("metrics"));
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
        .args(["convert", "--to", "mini", "--mappings", &folder.path().display().to_string()])
        .args(["--dead-letters", &dead.display().to_string(), "--metrics", &metrics.display().to_string()])
        .args(args)
        .write_stdin(record.to_string())
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let metrics: Value = serde_json::from_slice(&kit::read(&metrics)).expect("metrics");
    Ran {
        status: output.status.code().expect("a status"),
        events: kit::lines(&output.stdout),
        letters: kit::lines(&kit::read(&dead)),
        mapping: metrics["targets"]["mini"]["mappings"]["door"].clone(),
    }
}

#[test]
fn addresses_are_addresses() {
    let record = json!({"product": "door", "kind": "OTHER", "ip": "gw1",
        "ips": ["192.0.2.7", "192.0.2.300", "2001:db8::1", "", 7, "192.0.2.7:443"]});
    let ran = run(TARGET, &[], record);
    assert_eq!(ran.status, 0);
    assert_eq!(ran.events, [json!({"kind": "OTHER", "ip": ["192.0.2.7", "2001:db8::1"]})]);
    assert_eq!(ran.mapping["conversions_failed"], json!({"ip": 3, "only": 1}));
}

#[test]
fn numbers_enums_and_lengths() {
    let record =
        json!({"product": "door", "kind": "OTHER", "title": "nine chars", "count": 4_000_000_000u64});
    let ran = run(TARGET, &["--content", "full"], record);
    assert_eq!(ran.events, [json!({"kind": "OTHER", "title": "nine cha"})]);
    assert_eq!(ran.mapping["values_cut"], json!({"title": 1}));
    assert_eq!(ran.mapping["conversions_failed"], json!({"count": 1}));
    let ran = run(TARGET, &[], json!({"product": "door", "kind": "NEVER"}));
    assert_eq!((ran.status, ran.letters[0]["reason"].as_str()), (1, Some("bad_value")));
}

/// What an event's type needs and does not get: another type, or a dead letter.
#[test]
fn needs_that_are_not_met() {
    let login = |more: Value| {
        let mut record = json!({"product": "door", "kind": "LOGIN", "user": "ana"});
        record.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        record
    };
    let met = run(TARGET, &[], login(json!({"host": "gw1"})));
    assert_eq!(met.events[0]["kind"], "LOGIN");
    // An address that is none meets nothing.
    let refused = run(TARGET, &[], login(json!({"ips": ["gw1"]})));
    assert_eq!((refused.status, refused.events.len()), (1, 0));
    let letter = &refused.letters[0];
    assert_eq!((letter["reason"].as_str(), letter["path"].as_str()), (Some("missing"), Some("host")));
    assert_eq!(letter["message"], "an event of type `LOGIN` needs `host` or `ip`");
    let fallback = TARGET.replace("rules:", "fallback: [SEEN]\nrules:");
    let fell = run(&fallback, &[], login(json!({})));
    assert_eq!(fell.events, [json!({"kind": "SEEN", "user": "ana"})]);
    assert_eq!(fell.mapping["event_type_fallbacks"], json!({"LOGIN -> SEEN": 1}));
    let nobody = run(&fallback, &[], json!({"product": "door", "kind": "LOGIN"}));
    assert_eq!(nobody.letters[0]["message"], "an event of type `LOGIN` needs `user`");
}

/// A need that the mode takes away is nobody's fault.
#[test]
fn needs_that_the_mode_withholds() {
    let target = TARGET.replace("SEEN: [user]", "SEEN: [title]");
    let record = json!({"product": "door", "kind": "SEEN", "title": "secret"});
    assert_eq!(run(&target, &[], record).events, [json!({"kind": "SEEN"})]);
    let target =
        TARGET.replace("SEEN: [user]", "SEEN: [title]").replace("Kind, user: string", "Kind, user: int32");
    let record = json!({"product": "door", "kind": "LOGIN", "user": 7, "host": "gw1"});
    assert_eq!(
        run(&target, &["--pseudonymize", "KEY"], record).events,
        [json!({"kind": "LOGIN", "host": "gw1"})]
    );
}
