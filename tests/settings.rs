//! The settings of a run that change every event: its site, and the zone of its times.

#![cfg(feature = "cli")]

#[path = "data/kit.rs"]
mod kit;

use serde_json::{Value, json};

const SOURCE: &str = "\
source: door
when: {path: product, equals: door}
time: {path: at, format: [rfc3339, '%Y-%m-%d %H:%M:%S', '%d.%m.%Y %H:%M %z', 'layout=02 Jan 2006 15:04', unix]}
";

const TABLE: &str = "\
target: mini
rows:
  - {to: at, from: $time}
  - {to: place, from: place}
";

const TARGET: &str = "\
target: mini
root: E
settings: {site: place, timezone: more.zone}
types:
  E: {at: time, place: string, more: object}
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(target: &str) -> Folder {
        let folder =
            Folder(tempfile::Builder::new().prefix("logmill-settings-").tempdir().expect("a folder"));
        for (name, text) in [
            ("targets/mini.yaml", target),
            ("sources/door/source.yaml", SOURCE),
            ("sources/door/mini.yaml", TABLE),
        ] {
            let path = folder.0.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    fn run(&self, args: &[&str], input: &str) -> (i32, Vec<Value>, String) {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_logmill"))
            .args(args)
            .args(["--mappings", &self.0.path().display().to_string()])
            .write_stdin(input)
            .output()
            .expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().expect("a status"), kit::lines(&output.stdout), err)
    }
}

fn record(at: &str) -> String {
    format!("{}\n", json!({"product": "door", "at": at, "place": "gate"}))
}

#[test]
fn only_times_without_an_offset_are_local() {
    let folder = Folder::new(TARGET);
    for (at, utc, berlin) in [
        ("2026-07-01T12:00:00Z", Some("2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z"),
        ("2026-07-01T12:00:00-05:00", Some("2026-07-01T17:00:00Z"), "2026-07-01T17:00:00Z"),
        ("01.07.2026 12:00 +0100", Some("2026-07-01T11:00:00Z"), "2026-07-01T11:00:00Z"),
        ("1767225600.5", Some("2026-01-01T00:00:00.500Z"), "2026-01-01T00:00:00.500Z"),
        // RFC 3339 wants an offset; in a zone it need not say one.
        ("2026-07-01T12:00:00.25", None, "2026-07-01T10:00:00.250Z"),
        ("2026-07-01 12:00:00", Some("2026-07-01T12:00:00Z"), "2026-07-01T10:00:00Z"),
        ("01 Jan 2026 12:00", Some("2026-01-01T12:00:00Z"), "2026-01-01T11:00:00Z"),
    ] {
        let (_, events, _) = folder.run(&["convert", "--to", "mini"], &record(at));
        assert_eq!(events[0].get("at").and_then(Value::as_str), utc, "{at}");
        assert_eq!(events[0]["place"], "gate");
        assert_eq!(events[0].get("more"), None);
        let (status, events, err) = folder
            .run(&["convert", "--to", "mini", "--timezone", "Europe/Berlin", "--site", "Lab 1"], &record(at));
        assert_eq!((status, err.as_str()), (0, ""));
        assert_eq!(
            events,
            [json!({"at": berlin, "place": "Lab 1", "more": {"zone": "Europe/Berlin"}})],
            "{at}"
        );
    }
    let (_, events, _) =
        folder.run(&["convert", "--to", "mini", "--timezone", "-05:30"], &record("2026-07-01 12:00:00"));
    assert_eq!(events, [json!({"at": "2026-07-01T17:30:00Z", "place": "gate", "more": {"zone": "-05:30"}})]);
}

#[test]
fn the_built_in_target_has_its_fields() {
    let folder = Folder::new(TARGET);
    let record = json!({"object": "organization.audit_log", "id": "a", "type": "login.failed", "effective_at": 1767225600});
    let (status, events, err) = folder
        .run(&["convert", "--to", "udm", "--site", "north", "--timezone", "Asia/Tokyo"], &record.to_string());
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(events[0]["additional"]["sitename"], "north");
    assert_eq!(events[0]["additional"]["timezone"], "Asia/Tokyo");
    assert_eq!(events[0]["metadata"]["event_timestamp"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_schema_reads_local_times_too_and_has_no_place_for_a_site() {
    let folder = Folder::new(TARGET);
    let schema = folder.0.path().join("s.yml");
    let fields = "  - {name: at, type: timestamp, timeFormats: ['%Y-%m-%d %H:%M:%S'], isEventTime: true}\n";
    std::fs::write(&schema, format!("schema: My.Door\nfields:\n{fields}")).expect("a file");
    let (status, events, err) = folder.run(
        &["convert", "--schema", &schema.display().to_string(), "--timezone", "+02:00", "--site", "x"],
        "{\"at\":\"2026-07-01 12:00:00\"}",
    );
    assert_eq!(status, 0);
    assert_eq!(events[0]["p_event_time"], "2026-07-01 10:00:00.000000000");
    for setting in ["site", "timezone"] {
        assert!(
            err.contains(&format!("the target `panther` has no place for the {setting} of a run")),
            "{err}"
        );
    }
}

#[test]
fn settings_that_are_wrong() {
    let folder = Folder::new(TARGET);
    for (args, says) in [
        (["--timezone", "Europe/Berln"], "no time zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
        (["--timezone", "+99:00"], "no time zone `+99:00`"),
        (["--site", ""], "a value is required"),
    ] {
        let (status, _, err) = folder.run(&["convert", "--to", "mini", args[0], args[1]], "{}");
        assert_eq!(status, 2);
        assert!(err.contains(says), "{err}");
    }
    for (settings, says) in [
        ("{sight: place}", "4:12: unknown setting of a run `sight`"),
        ("{site: plac}", "unknown field `plac`"),
        ("{site: at}", "a setting is a text, and `at` is none"),
    ] {
        let target = TARGET.replace("{site: place, timezone: more.zone}", settings);
        let (status, _, err) = Folder::new(&target).run(&["convert", "--to", "mini"], "{}");
        assert_eq!(status, 2);
        assert!(err.contains(says.trim_start_matches("4:12: ")), "{err}");
    }
}
