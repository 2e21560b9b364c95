//! `logmill check` on test files of Panther schemas: what holds, what differs and how it is said.

use std::path::Path;

use assert_cmd::Command;

const SCHEMA: &str = "schema: Custom.Door
fields:
  - {name: time, type: timestamp, timeFormat: unix, isEventTime: true, required: true}
  - {name: \"@badge\", type: string, indicators: [username]}
  - {name: zones, type: array, element: {type: string}}
  - {name: count, type: int}
  - {name: seen, type: object, fields: [{name: at, type: timestamp, timeFormats: [\"%Y-%m-%d %H:%M\", rfc3339]}]}
";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// The exit status and what is printed, with the folder's name taken away.
fn check(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("logmill").expect("the program").arg("check").args(args).output();
    let output = output.expect("it runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("a status"), text.replace(&format!("{}/", folder.display()), ""))
}

fn run(schema: &str, tests: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "door.yml", schema);
    write(folder.path(), "door_tests.yml", tests);
    check(folder.path(), &[folder.path().to_str().expect("a name")])
}

#[test]
fn tests_that_hold() {
    let tests = r#"
name: both forms of times
logType: Custom.Door
input: |
  {
    "time": 1767225600, "@badge": "ana", "undeclared": 1,
    "seen": {"at": "2026-01-01 00:00"}
  }
result: |
  {
    "time": 1767225600, "@badge": "ana", "seen": {"at": "2026-01-01T00:00:00Z"},
    "p_log_type": "{{ .LogType }}", "p_event_time": "2026-01-01T00:00:00Z", "p_any_usernames": ["ana"],
    "p_row_id": "anything", "p_parse_time": "2020-01-01T00:00:00Z"
  }
---
name: as stored
LogType: Custom.Door
input: '{"time":1767225600,"@badge":"ana","zones":["b","a"]}'
result: |
  {"time": "2026-01-01 00:00:00.000000000", "at_sign_badge": "ana", "zones": ["b", "a"],
   "p_log_type": "Custom.Door", "p_event_time": "2026-01-01 00:00:00.000000000", "p_any_usernames": ["ana"]}
---
name: two events, as YAML
logType: Custom.Door
input: |
  {"time":1}
  {"time":2,"count":3}
results:
  - {time: 1, p_log_type: Custom.Door, p_event_time: "1970-01-01T00:00:01Z"}
  - {time: 2, count: 3, p_log_type: Custom.Door, p_event_time: "1970-01-01T00:00:02Z"}
---
name: nothing comes of nothing
logType: Custom.Door
input: ""
---
name: an error that is expected
logType: Custom.Door
input: '{"count":1}'
error: "missing: time"
---
name: any error
logType: Custom.Door
input: '{"time":1,"count":"many"}'
error: true
"#;
    assert_eq!(run(SCHEMA, tests), (0, "6 tests of Panther schemas, 0 fail\n".into()));
}

#[test]
fn differences_are_told_by_path() {
    let tests = r#"
name: wrong
logType: Custom.Door
input: '{"time":1767225602,"@badge":"ana","zones":["a","b"],"count":2}'
result: '{"time":1767225601,"@badge":"bo","zones":["b","a"],"p_log_type":"Custom.Gate","p_any_usernames":["bo"],"more":1}'
---
name: refused
logType: Custom.Door
input: '{}'
result: '{}'
---
name: not refused
logType: Custom.Door
input: '{"time":1}'
error: missing
---
name: unexpected
logType: Custom.Door
input: '{"time":1}'
---
name: no schema
logType: Custom.Gate
input: '{}'
"#;
    let expected = r#"door_tests.yml:2: test `wrong` fails
  time: expected 1767225601, found "2026-01-01 00:00:02.000000000"
  @badge: expected "bo", found "ana"
  zones[0]: expected "b", found "a"
  zones[1]: expected "a", found "b"
  more: expected 1, not found
  count: found 2, not expected
  p_event_time: expected "2026-01-01 00:00:00.000000000", found "2026-01-01 00:00:02.000000000"
  p_log_type: expected "Custom.Gate", found "Custom.Door"
  p_any_usernames: expected ["bo"], found ["ana"]
door_tests.yml:7: test `refused` fails
  refused: missing: time: `time` is required and absent
door_tests.yml:12: test `not refused` fails
  expected an error, found none
door_tests.yml:17: test `unexpected` fails
  expected 0 events, found 1
door_tests.yml:21: test `no schema` fails
  there is no schema `Custom.Gate` beside this file, or given
5 tests of Panther schemas, 5 fail
"#;
    let (status, text) = run(SCHEMA, tests);
    assert_eq!(status, 1, "{text}");
    assert_eq!(text, expected);
}

#[test]
fn the_time_of_parsing_is_the_time_of_an_event_without_one() {
    let schema = "schema: Custom.Door\nfields: [{name: a, type: int}]\n";
    let tests =
        "logType: Custom.Door\ninput: '{\"a\":1}'\nresult: '{\"a\":1,\"p_log_type\":\"Custom.Door\"}'\n";
    assert_eq!(run(schema, tests).0, 0);
    let with_time = tests
        .replace("}'\n", ",\"p_event_time\":\"2000-01-01T00:00:00Z\"}'\n")
        .replace("1,\"p_event_time\":\"2000-01-01T00:00:00Z\"}'\nresult", "1}'\nresult");
    let (status, text) = run(schema, &with_time);
    assert!(status == 1 && text.contains("p_event_time: expected"), "{text}");
}

#[test]
fn wrong_test_files_are_told_with_their_place() {
    for (tests, place) in [
        ("name: x\nlogType: Custom.Door\n", "door_tests.yml:1:1: a test needs `input`"),
        ("logType: A\ninput: x\nresutl: y\n", "door_tests.yml:3:1: unknown key of a test `resutl`"),
        ("logType: A\ninput: x\nresult: nope\n", "door_tests.yml:3:9: the expected event is not JSON"),
        ("logType: A\ninput: x\nresult: '{}'\nerror: y\n", "a test expects an error or events, not both"),
        ("logType: A\ninput: x\n---\n- 1\n", "door_tests.yml:4:1: a test is a map"),
    ] {
        let (status, text) = run(SCHEMA, tests);
        assert!(status == 2 && text.contains(place), "{text}");
    }
}

#[test]
fn one_file_a_folder_and_schemas_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let test = "logType: Custom.Door\ninput: '{}'\nerror: missing\n";
    write(folder.path(), "logs/door.yml", SCHEMA);
    write(folder.path(), "logs/tests/door_tests.yaml", test);
    let below = |name: &str| folder.path().join(name).display().to_string();
    // The schema lies above the folder of the tests.
    assert_eq!(check(folder.path(), &[&below("logs/tests/door_tests.yaml")]).0, 0);
    assert_eq!(check(folder.path(), &[&below("")]).1, "1 tests of Panther schemas, 0 fail\n");
    write(folder.path(), "far/away/tests/door_tests.yml", test);
    assert_eq!(check(folder.path(), &[&below("far")]).0, 1);
    assert_eq!(check(folder.path(), &[&below("far"), "--schema", &below("logs/door.yml")]).0, 0);
    let (status, text) = check(folder.path(), &[&below("logs/door.yml")]);
    assert!(status == 2 && text.contains("_tests.yml"), "{text}");
    write(folder.path(), "mixed/case/input.ndjson", "");
    write(
        folder.path(),
        "mixed/openai_tests.yml",
        "logType: OpenAI.Audit\ninput: '{\"type\":1}'\nerror: true\n",
    );
    let (_, text) = check(folder.path(), &[&below("mixed")]);
    assert!(
        text.contains("1 cases") && text.contains("1 tests"),
        "a built-in schema, and a golden case: {text}"
    );
}

#[test]
fn the_documented_tests_hold() {
    let text = include_str!("../mappings/README.md");
    let block = text.split("```text\nname: a login").nth(1).and_then(|rest| rest.split("```").next());
    let tests = format!("name: a login{}", block.expect("the block"));
    let schema = "schema: Custom.Vpn
fields:
  - {name: event, type: string, required: true}
  - {name: time, type: timestamp, timeFormat: unix, isEventTime: true, required: true}
  - {name: user, type: string, indicators: [username]}
";
    assert_eq!(run(schema, &tests), (0, "2 tests of Panther schemas, 0 fail\n".into()));
}
