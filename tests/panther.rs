//! Panther schemas at the level of what is stored: coercions, required and validate, times,
//! standard fields, indicators, names. The tables are the facts; nothing else decides.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeSet;

use kit::{lines, ndjson};
use logmill::catalog;
use logmill::error::{Diagnostic, Error};
use logmill::panther::{Schema, stored_name};
use logmill::plan::{Content, Plan, Request};
use logmill::run::Settings;
use serde_json::{Value, json};

/// What becomes of a value: the JSON text that is stored, nothing, or the record's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Becomes {
    Stored(&'static str),
    Absent,
    Refused,
}

use Becomes::{Absent, Refused, Stored};

fn load(texts: &[&str]) -> Result<(Vec<Schema>, Vec<Diagnostic>), Error> {
    let folder = tempfile::Builder::new().prefix("logmill-schemas-").tempdir().expect("a folder");
    let paths: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let path = folder.path().join(format!("schema{i}.yml"));
            std::fs::write(&path, text).expect("a file");
            path
        })
        .collect();
    catalog::load_schemas(&paths.iter().map(|p| p.as_path()).collect::<Vec<_>>())
}

fn plan(texts: &[&str]) -> Plan {
    let (schemas, _) = load(texts).unwrap_or_else(|e| panic!("{e}"));
    let request =
        Request { targets: vec!["panther".into()], schemas, content: Content::Full, ..Request::default() };
    kit::compile(request)
}

/// A schema of one field, `v`.
fn one(field: &str, required: bool) -> Plan {
    plan(&[&format!("schema: Test.One\nfields:\n  - {{name: v, required: {required}, {field}}}\n")])
}

/// The text stored under `v` for a record `{"v": value}`; the keys behind it are the standard ones.
fn stored(plan: &Plan, value: &str) -> Result<Option<String>, Value> {
    let ran = kit::run(plan, format!("{{\"v\":{value}}}").as_bytes(), &kit::settings());
    let text = String::from_utf8(ran.targets[0].clone()).expect("UTF-8");
    let Some(line) = text.strip_suffix('\n') else {
        let letters = ran.letters();
        assert_eq!(letters.len(), 1);
        return Err(letters[0].clone());
    };
    assert!(!line.contains('\n'));
    serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{value}: {e} in {line}"));
    let end = line.find("\"p_log_type\"").expect("standard fields");
    Ok(line[..end].strip_prefix("{\"v\":").map(|v| v.strip_suffix(',').expect("a comma").to_string()))
}

fn check(field: &str, cases: &[(&str, Becomes)]) {
    // What satisfies `required` though nothing of it is stored.
    let empty_but_there = ["[]"];
    let (open, required) = (one(field, false), one(field, true));
    for (value, expected) in cases {
        let found = stored(&open, value);
        match (&found, expected) {
            (Ok(Some(text)), Stored(wanted)) => assert_eq!(text, wanted, "{field}: {value}"),
            (Ok(None), Absent) => {}
            (Err(letter), Refused) => {
                assert_eq!(letter["path"].as_str().map(|p| p.starts_with('v')), Some(true), "{letter}");
                assert!(
                    matches!(letter["reason"].as_str(), Some("bad_value" | "missing" | "not_allowed")),
                    "{letter}"
                );
            }
            _ => panic!("{field}: {value} should be {expected:?}, is {found:?}"),
        }
        let strict = stored(&required, value);
        match expected {
            Absent if empty_but_there.contains(value) => {
                assert_eq!(strict, Ok(None), "{field}: {value} is there")
            }
            Absent => {
                let letter = strict.expect_err("required and absent");
                assert_eq!(
                    (letter["reason"].as_str(), letter["path"].as_str()),
                    (Some("missing"), Some("v")),
                    "{field}: {value}"
                );
            }
            _ => assert_eq!(strict.is_ok(), found.is_ok(), "{field}: {value} when required"),
        }
    }
    assert_eq!(stored(&open, "null"), Ok(None), "null is absence");
    assert!(stored(&required, "null").is_err(), "null does not satisfy `required`");
    let nothing = kit::run(&required, b"{\"other\":1}", &kit::settings());
    assert_eq!(nothing.letters()[0]["reason"], "missing");
}

#[test]
fn strings() {
    check(
        "type: string",
        &[
            ("\"a\"", Stored("\"a\"")),
            ("\"\"", Stored("\"\"")),
            ("\" a \"", Stored("\" a \"")),
            ("\"\\u00fc\\n\"", Stored("\"\\u00fc\\n\"")),
            ("12.0", Stored("\"12.0\"")),
            ("1e3", Stored("\"1e3\"")),
            ("-0", Stored("\"-0\"")),
            ("9223372036854775808", Stored("\"9223372036854775808\"")),
            ("true", Stored("\"true\"")),
            ("false", Stored("\"false\"")),
            ("null", Absent),
            ("[]", Refused),
            ("[\"a\"]", Refused),
            ("{}", Refused),
            ("{\"a\":1}", Refused),
        ],
    );
}

#[test]
fn integers() {
    for (ty, min, max, below, above) in [
        ("smallint", "-32768", "32767", "-32769", "32768"),
        ("int", "-2147483648", "2147483647", "-2147483649", "2147483648"),
        (
            "bigint",
            "-9223372036854775808",
            "9223372036854775807",
            "-9223372036854775809",
            "9223372036854775808",
        ),
    ] {
        check(
            &format!("type: {ty}"),
            &[
                (min, Stored(min)),
                (max, Stored(max)),
                (below, Refused),
                (above, Refused),
                ("0", Stored("0")),
                ("\"12\"", Stored("12")),
                ("\"-12\"", Stored("-12")),
                ("\"+12\"", Stored("12")),
                ("null", Absent),
                ("\"\"", Absent),
                ("12.0", Refused),
                ("12.5", Refused),
                ("1e3", Refused),
                ("true", Refused),
                ("\"1.5\"", Refused),
                ("\"abc\"", Refused),
                ("\" 1\"", Refused),
                ("\"0x10\"", Refused),
                ("[]", Refused),
                ("[1]", Refused),
                ("{}", Refused),
            ],
        );
    }
}

#[test]
fn floats() {
    check(
        "type: float",
        &[
            ("1", Stored("1")),
            ("12.0", Stored("12")),
            ("12.50", Stored("12.5")),
            ("-0.25", Stored("-0.25")),
            ("1e3", Stored("1000")),
            ("0.1", Stored("0.1")),
            ("\"1.5\"", Stored("1.5")),
            ("\"1e3\"", Stored("1000")),
            ("null", Absent),
            ("\"\"", Absent),
            ("1e400", Refused),
            ("\"1e400\"", Refused),
            ("true", Refused),
            ("\"abc\"", Refused),
            ("\"1.5x\"", Refused),
            ("[]", Refused),
            ("{}", Refused),
        ],
    );
}

#[test]
fn booleans() {
    let mut cases = vec![
        ("true", Stored("true")),
        ("false", Stored("false")),
        ("1", Stored("true")),
        ("0", Stored("false")),
        ("null", Absent),
        ("\"\"", Absent),
    ];
    cases
        .extend(["\"1\"", "\"t\"", "\"T\"", "\"TRUE\"", "\"true\"", "\"True\""].map(|v| (v, Stored("true"))));
    cases.extend(
        ["\"0\"", "\"f\"", "\"F\"", "\"FALSE\"", "\"false\"", "\"False\""].map(|v| (v, Stored("false"))),
    );
    cases.extend(
        ["2", "-1", "1.0", "1e0", "\"yes\"", "\"tRUE\"", "\"2\"", "[]", "{}", "[true]"].map(|v| (v, Refused)),
    );
    check("type: boolean", &cases);
}

#[test]
fn timestamps_of_rfc3339() {
    // Without a format, and with its name.
    for field in
        ["type: timestamp", "type: timestamp, timeFormat: rfc3339", "type: timestamp, timeFormats: [rfc3339]"]
    {
        check(
            field,
            &[
                ("\"2024-06-25T18:29:07Z\"", Stored("\"2024-06-25 18:29:07.000000000\"")),
                ("\"2024-06-25T18:29:07.5Z\"", Stored("\"2024-06-25 18:29:07.500000000\"")),
                ("\"2024-06-25T18:29:07.123456789Z\"", Stored("\"2024-06-25 18:29:07.123456789\"")),
                ("\"2024-06-25T01:29:07+02:00\"", Stored("\"2024-06-24 23:29:07.000000000\"")),
                ("\"0001-01-01T00:00:00Z\"", Stored("\"0001-01-01 00:00:00.000000000\"")),
                ("null", Absent),
                ("\"\"", Absent),
                ("1719340147", Refused),
                ("\"2024-06-25 18:29:07Z\"", Refused),
                ("\"2024-06-25T18:29:07\"", Refused),
                ("\"2024-06-25T18:29:07+0200\"", Refused),
                ("\" 2024-06-25T18:29:07Z\"", Refused),
                ("\"2024-06-25T24:00:00Z\"", Refused),
                ("\"2024-06-25T18:29:60Z\"", Refused),
                ("\"2024-02-30T18:29:07Z\"", Refused),
                ("\"soon\"", Refused),
                ("true", Refused),
                ("[]", Refused),
                ("{}", Refused),
            ],
        );
    }
}

#[test]
fn timestamps_of_unix() {
    check(
        "type: timestamp, timeFormat: unix",
        &[
            ("1702857600", Stored("\"2023-12-18 00:00:00.000000000\"")),
            ("\"1702857600\"", Stored("\"2023-12-18 00:00:00.000000000\"")),
            ("1702857600.0", Stored("\"2023-12-18 00:00:00.000000000\"")),
            ("1.7028576e9", Stored("\"2023-12-18 00:00:00.000000000\"")),
            // Whole microseconds; finer digits are cut.
            ("1591056067.123456789", Stored("\"2020-06-02 00:01:07.123456000\"")),
            ("\"1591056067.5\"", Stored("\"2020-06-02 00:01:07.500000000\"")),
            ("0", Stored("\"1970-01-01 00:00:00.000000000\"")),
            ("null", Absent),
            ("\"\"", Absent),
            ("\"soon\"", Refused),
            ("\"2024-06-25T18:29:07Z\"", Refused),
            ("true", Refused),
            ("[]", Refused),
            ("{}", Refused),
        ],
    );
    for (format, number, text) in [
        ("unix_ms", "1702857600123", "\"2023-12-18 00:00:00.123000000\""),
        ("unix_us", "1702857600123456", "\"2023-12-18 00:00:00.123456000\""),
        ("unix_ns", "1702857600123456789", "\"2023-12-18 00:00:00.123456789\""),
    ] {
        let quoted: &'static str = Box::leak(format!("\"{number}\"").into_boxed_str());
        check(
            &format!("type: timestamp, timeFormat: {format}"),
            &[
                (number, Stored(text)),
                (quoted, Stored(text)),
                ("\"\"", Absent),
                ("12.0", Refused),
                ("\"1.5\"", Refused),
                ("99999999999999999999", Refused),
                ("true", Refused),
            ],
        );
    }
}

#[test]
fn timestamps_of_patterns() {
    check(
        "type: timestamp, timeFormat: '%Y-%m-%d %H:%M:%S'",
        &[
            ("\"2023-12-18 01:02:03\"", Stored("\"2023-12-18 01:02:03.000000000\"")),
            ("\"\"", Absent),
            ("\"2023-12-18 01:02:03 \"", Refused),
            ("\"2023-12-18T01:02:03\"", Refused),
            ("1702857600", Refused),
        ],
    );
    check(
        "type: timestamp, timeFormat: '%d/%b/%Y:%H:%M:%S.%f %z'",
        &[
            ("\"18/Dec/2023:01:02:03.5 +0100\"", Stored("\"2023-12-18 00:02:03.500000000\"")),
            ("\"18/Dec/2023:01:02:03.000001 -07:00\"", Stored("\"2023-12-18 08:02:03.000001000\"")),
            ("\"18/Dec/2023:01:02:03.1234567 +0000\"", Refused),
        ],
    );
    check(
        "type: timestamp, timeFormat: 'layout=2006/01/02 15:04:05'",
        &[
            ("\"2023/12/18 01:02:03\"", Stored("\"2023-12-18 01:02:03.000000000\"")),
            ("\"2023-12-18\"", Refused),
        ],
    );
    // The first that reads it.
    check(
        "type: timestamp, timeFormats: [rfc3339, unix]",
        &[
            ("\"2024-06-25T18:29:07Z\"", Stored("\"2024-06-25 18:29:07.000000000\"")),
            ("1702857600", Stored("\"2023-12-18 00:00:00.000000000\"")),
            ("\"soon\"", Refused),
        ],
    );
}

#[test]
fn arrays() {
    check(
        "type: array, element: {type: string}",
        &[
            ("[\"a\",1,true,12.0]", Stored("[\"a\",\"1\",\"true\",\"12.0\"]")),
            ("[\"a\",null,\"\"]", Stored("[\"a\",null,\"\"]")),
            ("[null]", Stored("[null]")),
            ("[]", Absent),
            ("null", Absent),
            ("\"\"", Refused),
            ("\"a\"", Refused),
            ("1", Refused),
            ("{}", Refused),
            ("{\"0\":\"a\"}", Refused),
            ("[[\"a\"]]", Refused),
            ("[{}]", Refused),
        ],
    );
    check(
        "type: array, element: {type: int}",
        &[("[\"1\",2]", Stored("[1,2]")), ("[1,\"x\"]", Refused), ("[1.0]", Refused)],
    );
    check(
        "type: array, element: {type: timestamp, timeFormat: unix}",
        &[("[0]", Stored("[\"1970-01-01 00:00:00.000000000\"]")), ("[\"soon\"]", Refused)],
    );
    check(
        "type: array, element: {type: array, element: {type: int}}",
        &[("[[1],[\"2\",3]]", Stored("[[1],[2,3]]")), ("[1]", Refused)],
    );
    check(
        "type: array, element: {type: object, fields: [{name: a, type: int}]}",
        &[
            ("[{\"a\":\"1\"},{\"b\":1},{}]", Stored("[{\"a\":1},{},{}]")),
            ("[{\"a\":1},null]", Stored("[{\"a\":1},null]")),
            ("[1]", Refused),
            ("[{\"a\":\"x\"}]", Refused),
        ],
    );
}

#[test]
fn objects() {
    check(
        "type: object, fields: [{name: a, type: int}, {name: b, type: object, fields: [{name: c, type: string}]}]",
        &[
            ("{}", Stored("{}")),
            ("{\"a\":\"1\"}", Stored("{\"a\":1}")),
            ("{\"x\":1}", Stored("{}")),
            ("{\"a\":null}", Stored("{}")),
            ("{\"b\":{},\"a\":1}", Stored("{\"a\":1,\"b\":{}}")),
            ("{\"b\":{\"c\":\"\"}}", Stored("{\"b\":{\"c\":\"\"}}")),
            ("null", Absent),
            ("\"\"", Refused),
            ("[]", Refused),
            ("[{}]", Refused),
            ("1", Refused),
            ("{\"a\":\"x\"}", Refused),
            ("{\"b\":[]}", Refused),
        ],
    );
    // What is required inside is asked for only where the object is.
    let nested = one("type: object, fields: [{name: a, type: int, required: true}]", false);
    assert_eq!(stored(&nested, "null"), Ok(None));
    assert_eq!(stored(&nested, "{\"a\":0}"), Ok(Some("{\"a\":0}".into())));
    for value in ["{}", "{\"a\":null}", "{\"a\":\"\"}"] {
        assert_eq!(stored(&nested, value).expect_err("a is required")["path"], "v.a", "{value}");
    }
    let listed =
        one("type: array, element: {type: object, fields: [{name: a, type: int, required: true}]}", false);
    assert_eq!(stored(&listed, "[{}]").expect_err("a is required")["reason"], "missing");
}

#[test]
fn json_is_kept() {
    check(
        "type: json",
        &[
            ("[]", Stored("[]")),
            ("{}", Stored("{}")),
            ("\"\"", Stored("\"\"")),
            ("12.0", Stored("12.0")),
            ("1e3", Stored("1e3")),
            ("false", Stored("false")),
            ("{\"b\":[1.50,null,\"\\u00fc\"],\"a\":{}}", Stored("{\"b\":[1.50,null,\"\\u00fc\"],\"a\":{}}")),
            ("null", Absent),
        ],
    );
    // White space between tokens does not break the line.
    let found =
        stored(&one("type: json", false), "{\r\n \"a\" : [ 1 ,\n\t2 ] }").expect("stored").expect("a value");
    assert_eq!(serde_json::from_str::<Value>(&found).expect("JSON"), json!({"a": [1, 2]}));
}

#[test]
fn validations() {
    let refuses = |field: &str, good: &[&str], bad: &[&str]| {
        let plan = one(field, false);
        for value in good {
            assert!(stored(&plan, value).is_ok(), "{field} takes {value}");
        }
        for value in bad {
            let letter = stored(&plan, value).expect_err(&format!("{field} refuses {value}"));
            assert_eq!(
                (letter["reason"].as_str(), letter["path"].as_str()),
                (Some("not_allowed"), Some("v"))
            );
        }
    };
    refuses(
        "type: string, validate: {allow: [a, B]}",
        &["\"a\"", "\"B\"", "null"],
        &["\"b\"", "\"\"", "\"a \""],
    );
    refuses("type: string, validate: {allow: [a, '']}", &["\"\""], &["\"x\""]);
    refuses(
        "type: string, validate: {deny: [a, b]}",
        &["\"c\"", "\"\"", "null", "\"A\""],
        &["\"a\"", "\"b\""],
    );
    refuses("type: string, validate: {deny: a}", &["\"b\""], &["\"a\""]);
    refuses(
        "type: string, validate: {ip: any}",
        &["\"192.0.2.1\"", "\"2001:db8::1\"", "null"],
        &["\"x\"", "\"192.0.2.0/24\"", "\"\""],
    );
    refuses("type: string, validate: {ip: ipv4}", &["\"192.0.2.1\""], &["\"2001:db8::1\""]);
    refuses("type: string, validate: {ip: ipv6}", &["\"2001:db8::1\""], &["\"192.0.2.1\""]);
    refuses(
        "type: string, validate: {cidr: ipv4}",
        &["\"192.0.2.0/24\""],
        &["\"192.0.2.1\"", "\"2001:db8::/32\""],
    );
    // Elements of a list are held to it too.
    let listed = one("type: array, element: {type: string, validate: {allow: [a]}}", false);
    assert!(stored(&listed, "[\"a\",null]").is_ok());
    assert_eq!(stored(&listed, "[\"a\",\"b\"]").expect_err("b")["reason"], "not_allowed");
}

#[test]
fn keys_are_exact_and_the_last_one_wins() {
    let plan = one("type: string", false);
    for (record, expected) in [
        ("{\"V\":\"x\"}", None),
        ("{\"v\":\"x\",\"v\":\"y\"}", Some("y")),
        ("{\"v\":\"x\",\"v\":null}", None),
        ("{\"\\u0076\":\"x\"}", Some("x")),
        ("{}", None),
    ] {
        let ran = kit::run(&plan, record.as_bytes(), &kit::settings());
        let events = lines(&ran.targets[0]);
        assert_eq!(events.len(), 1, "{record}");
        assert_eq!(events[0].get("v").and_then(Value::as_str), expected, "{record}");
    }
}

// ------------------------------------------------------------------------------ standard fields

const NOW: &str = "2026-01-01 00:00:00.000000000";

#[test]
fn standard_fields_stand_behind_in_their_order() {
    let plan = plan(&[
        "schema: Test.Order\nversion: 3\nfields:\n  - {name: z, type: string, indicators: [ip, email]}\n  - {name: a, type: int}\n",
    ]);
    let ran = kit::run(&plan, b"{\"a\":1,\"z\":\"who@example.com\",\"p_row_id\":\"mine\"}", &kit::settings());
    let event = &lines(&ran.targets[0])[0];
    let keys: Vec<&str> = event.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "z",
            "a",
            "p_log_type",
            "p_row_id",
            "p_event_time",
            "p_parse_time",
            "p_schema_version",
            "p_any_emails",
            "p_any_usernames"
        ]
    );
    assert_eq!(event["p_log_type"], "Test.Order");
    assert_eq!(event["p_schema_version"], 3);
    assert_eq!((event["p_parse_time"].as_str(), event["p_event_time"].as_str()), (Some(NOW), Some(NOW)));
}

#[test]
fn event_time_is_the_first_that_is_one() {
    let plan = plan(&["\
schema: Test.Times
fields:
  - {name: a, type: timestamp, timeFormat: unix}
  - name: o
    type: object
    fields: [{name: b, type: timestamp, timeFormat: rfc3339, isEventTime: true}]
  - {name: l, type: array, element: {type: timestamp, timeFormat: unix, isEventTime: true}}
  - {name: c, type: timestamp, timeFormat: unix, isEventTime: true}
"]);
    for (record, expected) in [
        (
            "{\"c\":5,\"l\":[3,4],\"o\":{\"b\":\"1970-01-01T00:00:02Z\"},\"a\":1}",
            "1970-01-01 00:00:02.000000000",
        ),
        ("{\"c\":5,\"l\":[3,4],\"a\":1}", "1970-01-01 00:00:03.000000000"),
        ("{\"c\":5,\"a\":1}", "1970-01-01 00:00:05.000000000"),
        ("{\"c\":0,\"a\":1}", "1970-01-01 00:00:00.000000000"),
        // The zero time of Go is none.
        ("{\"c\":5,\"o\":{\"b\":\"0001-01-01T00:00:00Z\"}}", "1970-01-01 00:00:05.000000000"),
        ("{\"a\":1}", NOW),
        ("{}", NOW),
    ] {
        let ran = kit::run(&plan, record.as_bytes(), &kit::settings());
        assert_eq!(lines(&ran.targets[0])[0]["p_event_time"], expected, "{record}");
    }
}

#[test]
fn row_ids_are_unique_and_hexadecimal() {
    let plan = kit::plan(&["panther"], Content::Metadata);
    let records: Vec<Value> = kit::audits().into_iter().cycle().take(3000).collect();
    let text = ndjson(&records);
    let ids = |settings: &Settings| -> Vec<String> {
        let ran = kit::run(&plan, &text, settings);
        lines(&ran.targets[0]).iter().map(|e| e["p_row_id"].as_str().expect("an id").to_string()).collect()
    };
    let all = ids(&Settings { threads: 4, ..kit::settings() });
    assert_eq!(all.len(), records.len());
    assert!(
        all.iter().all(|id| id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    );
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(all, ids(&kit::settings()), "threads do not show");
    let other = ids(&Settings { seed: 8, ..kit::settings() });
    assert!(
        other.iter().collect::<BTreeSet<_>>().is_disjoint(&all.iter().collect()),
        "runs do not share ids"
    );
    let defaults = (Settings::default().seed, Settings::default().seed);
    assert_ne!(defaults.0, defaults.1, "every run has ids of its own");
}

#[test]
fn indicators_are_collected() {
    let hash = |n: usize| "aB0".repeat(n)[..n].to_string();
    let (md5, sha1, sha256) = (hash(32), hash(40), hash(64));
    let table: Vec<(&str, Value, Value)> = vec![
        ("ip", json!(" 192.0.2.7 "), json!({"p_any_ip_addresses": ["192.0.2.7"]})),
        ("ip", json!("FE80::1"), json!({"p_any_ip_addresses": ["FE80::1"]})),
        ("ip", json!("fe80::1%eth0"), json!({})),
        ("ip", json!("192.0.2.0/24"), json!({})),
        ("ip", json!("192.0.2.007"), json!({})),
        ("domain", json!(" example.com "), json!({"p_any_domain_names": ["example.com"]})),
        ("hostname", json!("192.0.2.7"), json!({"p_any_ip_addresses": ["192.0.2.7"]})),
        ("hostname", json!("db.example.com"), json!({"p_any_domain_names": ["db.example.com"]})),
        ("url", json!("https://me@Example.com:8443/a?b#c"), json!({"p_any_domain_names": ["Example.com"]})),
        ("url", json!("https://[2001:db8::1]/a"), json!({"p_any_ip_addresses": ["2001:db8::1"]})),
        ("url", json!("/only/a/path"), json!({})),
        ("net_addr", json!("192.0.2.7:443"), json!({"p_any_ip_addresses": ["192.0.2.7"]})),
        ("net_addr", json!("db.example.com:443"), json!({"p_any_domain_names": ["db.example.com"]})),
        ("net_addr", json!("db.example.com"), json!({"p_any_domain_names": ["db.example.com"]})),
        ("md5", json!(md5), json!({"p_any_md5_hashes": [md5.to_lowercase()]})),
        ("sha1", json!(sha1), json!({"p_any_sha1_hashes": [sha1.to_lowercase()]})),
        ("sha256", json!(sha256), json!({"p_any_sha256_hashes": [sha256.to_lowercase()]})),
        ("md5", json!(sha1), json!({})),
        ("trace_id", json!("t-1"), json!({"p_any_trace_ids": ["t-1"]})),
        ("username", json!("-"), json!({"p_any_usernames": ["-"]})),
        (
            "email",
            json!("who@example.com"),
            json!({"p_any_emails": ["who@example.com"], "p_any_usernames": ["who"]}),
        ),
        ("email", json!("who"), json!({})),
        ("actor_id", json!("user-1"), json!({"p_any_actor_ids": ["user-1"]})),
        ("serial_number", json!("s1"), json!({"p_any_serial_numbers": ["s1"]})),
        ("aws_account_id", json!("123456789012"), json!({"p_any_aws_account_ids": ["123456789012"]})),
        ("aws_account_id", json!("12345"), json!({})),
        ("aws_instance_id", json!("i-0abc"), json!({"p_any_aws_instance_ids": ["i-0abc"]})),
        ("aws_instance_id", json!("abc"), json!({})),
        (
            "aws_arn",
            json!("arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"),
            json!({
                "p_any_aws_account_ids": ["123456789012"],
                "p_any_aws_arns": ["arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"],
                "p_any_aws_instance_ids": ["i-0abc"],
            }),
        ),
        ("username", json!(""), json!({})),
        ("username", json!(null), json!({})),
        // Collected from the value as it is stored.
        ("username", json!(7), json!({"p_any_usernames": ["7"]})),
    ];
    let any = |event: &Value| -> Value {
        let map = event.as_object().expect("an object");
        map.iter()
            .filter(|(k, _)| k.starts_with("p_any_"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for (indicator, value, expected) in table {
        let plan = one(&format!("type: string, indicators: [{indicator}]"), false);
        let ran = kit::run(&plan, json!({"v": value}).to_string().as_bytes(), &kit::settings());
        assert_eq!(any(&lines(&ran.targets[0])[0]), expected, "{indicator}: {value}");
    }
    // In nested objects and lists; distinct and sorted.
    let plan = one(
        "type: object, fields: [{name: a, type: array, element: {type: string, indicators: [ip]}}, {name: b, type: string, indicators: [ip, username]}]",
        false,
    );
    let record = json!({"v": {"a": ["192.0.2.9", "192.0.2.10", "192.0.2.9", "x"], "b": "192.0.2.1"}});
    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
    let expected = json!({"p_any_ip_addresses": ["192.0.2.1", "192.0.2.10", "192.0.2.9"], "p_any_usernames": ["192.0.2.1"]});
    assert_eq!(any(&lines(&ran.targets[0])[0]), expected);
    // A refused record leaves nothing behind for the next one.
    let plan = self::plan(&[
        "schema: A\nfields:\n  - {name: u, type: string, indicators: [username]}\n  - {name: n, type: int}\n",
    ]);
    let ran = kit::run(&plan, b"{\"u\":\"first\",\"n\":\"x\"}\n{\"n\":1}\n", &kit::settings());
    assert_eq!(any(&lines(&ran.targets[0])[0]), json!({}));
}

#[test]
fn names_as_they_are_stored() {
    for (name, stored) in [
        ("plain_Name-1", "plain_Name-1"),
        ("@timestamp", "at_sign_timestamp"),
        ("$cost", "dollar_sign_cost"),
        ("x/y", "x_slash_y"),
        ("a b", "a_b"),
        ("a.b", "a_b"),
        ("a:b", "a_b"),
        ("100%", "100_percent"),
        ("a&b", "a_ampersand_b"),
        ("c#", "c_hash"),
        ("a=b", "a_eq_b"),
        ("é", "e"),
        ("naïve key", "naive_key"),
        ("日本@x", "RiBen_at_sign_x"),
        ("q\"r", "q_r"),
        ("☃", "_"),
    ] {
        assert_eq!(stored_name(name), stored, "{name}");
    }
    let plan = plan(&[
        "schema: A\nfields:\n  - {name: '@timestamp', type: string}\n  - {name: x.y, type: object, fields: [{name: a b, type: int}]}\n",
    ]);
    let ran = kit::run(&plan, b"{\"x.y\":{\"a b\":1},\"@timestamp\":\"t\"}", &kit::settings());
    let event = &lines(&ran.targets[0])[0];
    assert_eq!((&event["at_sign_timestamp"], &event["x_y"]["a_b"]), (&json!("t"), &json!(1)));
}

// ------------------------------------------------------------------------------- whole schemas

/// Audit records as a flat schema of a user's sees them.
const FLAT: &str = "\
schema: Custom.Audit
description: Audit records, flat
referenceURL: https://example.com/schema
fields:
  - name: id
    required: true
    type: string
  - name: type
    required: true
    type: string
  - name: effective_at
    required: true
    type: timestamp
    timeFormats:
      - unix
    isEventTime: true
  - name: actor
    type: object
    fields:
      - name: type
        type: string
      - name: session
        type: object
        fields:
          - name: user
            type: object
            fields:
              - name: id
                type: string
              - name: email
                type: string
                indicators:
                  - email
          - name: ip_address
            type: string
            indicators:
              - ip
  - name: project
    type: object
    fields:
      - name: id
        type: string
  - name: user_added
    type: json
";

#[test]
fn a_schema_of_the_users_takes_the_place_of_the_built_in_one() {
    let plan = plan(&[FLAT]);
    let record = json!({
        "user.added": {"id": "user-7"}, "object": "organization.audit_log", "type": "user.added", "id": "audit_log-1",
        "effective_at": 1702857600, "unheard_of": {"a": 1},
        "actor": {"session": {"ip_address": "192.0.2.7", "user": {"email": "who@example.com", "id": "user-1"}}, "type": "session"},
    });
    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
    let mut event = lines(&ran.targets[0])[0].clone();
    assert!(event.as_object_mut().expect("an object").shift_remove("p_row_id").is_some());
    let expected = json!({
        "id": "audit_log-1", "type": "user.added", "effective_at": "2023-12-18 00:00:00.000000000",
        "actor": {"type": "session", "session": {"user": {"id": "user-1", "email": "who@example.com"}, "ip_address": "192.0.2.7"}},
        "user_added": {"id": "user-7"},
        "p_log_type": "Custom.Audit", "p_event_time": "2023-12-18 00:00:00.000000000", "p_parse_time": NOW, "p_schema_version": 0,
        "p_any_emails": ["who@example.com"], "p_any_ip_addresses": ["192.0.2.7"], "p_any_usernames": ["who"],
    });
    assert_eq!(event.to_string(), expected.to_string(), "with the order of keys");
    // Every audit fixture goes through it too.
    let ran = kit::run(&plan, &ndjson(&kit::audits()), &kit::settings());
    assert_eq!((lines(&ran.targets[0]).len(), ran.letters().len()), (kit::audits().len(), 0));
}

#[test]
fn several_schemas_are_tried_from_the_strictest() {
    let loose = "schema: Loose\nfields:\n  - {name: a, type: string}\n";
    let strict = "schema: Strict\nfields:\n  - {name: a, type: string, required: true}\n  - {name: b, type: int, required: true}\n";
    for order in [[loose, strict], [strict, loose]] {
        let plan = plan(&order);
        let ran = kit::run(&plan, b"{\"a\":\"x\",\"b\":1}\n{\"a\":\"x\"}\n{\"a\":[]}\n", &kit::settings());
        let types: Vec<Value> = lines(&ran.targets[0]).iter().map(|e| e["p_log_type"].clone()).collect();
        assert_eq!(types, ["Strict", "Loose"]);
        let letters = ran.letters();
        assert_eq!(letters.len(), 1);
        let message = letters[0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("Strict: ") && message.contains("Loose: "), "{message}");
    }
}

#[test]
fn unknown_keys_are_warned_of() {
    let (_, warnings) =
        load(&["schema: A\nfields:\n  - name: a\n    type: string\n    descripton: x\nowner: me\n"])
            .expect("it loads");
    let shown: Vec<String> = warnings
        .iter()
        .map(|w| format!("{} {} {}", w.place().0, w.message, w.help.clone().unwrap_or_default()))
        .collect();
    assert_eq!(
        shown.iter().map(|s| s.trim()).collect::<BTreeSet<_>>(),
        BTreeSet::from([
            "5 unknown key `descripton` of a field is ignored did you mean `description`?",
            "6 unknown key `owner` of a schema is ignored",
        ])
    );
    assert!(load(&["schema: A\nfields:\n  - {name: a, type: string, isEmbeddedJSON: false}\n"]).is_ok());
}

#[test]
fn colliding_names_name_both_lines() {
    for (second, says) in [
        ("a b", "declared twice; first on line 3, column 12"),
        ("a.b", "(line 3, column 12) are both stored as `a_b`"),
    ] {
        let text = format!(
            "schema: A\nfields:\n  - {{name: a b, type: string}}\n  - {{name: c, type: int}}\n  - {{name: '{second}', type: int}}\n"
        );
        match load(&[&text]) {
            Err(Error::Mappings(list)) => {
                assert_eq!((list.len(), list[0].place()), (1, (5, 12)));
                assert!(list[0].message.contains(says), "{}", list[0].message);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn definitions_are_followed() {
    let plan = plan(&["\
schema: A
definitions:
  person:
    type: object
    fields:
      - {name: name, type: string}
      - {name: mail, type: ref, target: mail}
  mail: {type: string, indicators: [email]}
fields:
  - {name: owner, type: ref, target: person, required: true}
  - {name: others, type: array, element: {type: ref, target: person}}
"]);
    let record =
        json!({"owner": {"name": "o", "mail": "o@example.com"}, "others": [{"mail": "p@example.com"}]});
    let ran = kit::run(&plan, record.to_string().as_bytes(), &kit::settings());
    let event = &lines(&ran.targets[0])[0];
    assert_eq!(event["owner"], record["owner"]);
    assert_eq!(event["p_any_emails"], json!(["o@example.com", "p@example.com"]));
    let ran = kit::run(&plan, b"{\"others\":[]}", &kit::settings());
    assert_eq!(ran.letters()[0]["path"], "owner");
}
