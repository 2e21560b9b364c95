//! What the metrics say of records that hold other things than the source documents.

#[path = "data/kit.rs"]
mod kit;

use std::collections::{BTreeMap, BTreeSet};

use logmill::metrics::RunFacts;
use logmill::plan::Content;
use logmill::records::Limits;
use logmill::run::{From, Input, Settings, Sinks};
use proptest::prelude::*;
use serde_json::{Value, json};

fn audit(id: usize) -> Value {
    json!({
        "object": "organization.audit_log", "id": format!("audit-{id}"), "type": "login.succeeded",
        "effective_at": 1767225600, "actor": {"type": "session", "session": {"ip_address": "192.0.2.7"}},
    })
}

/// The report of a source over several inputs, by any number of threads and any size of batch.
fn report(inputs: &[&[Value]], content: Content, threads: usize, batch: usize) -> Value {
    report_of(inputs.iter().map(|records| kit::ndjson(records)).collect(), content, threads, batch)
}

fn report_of(inputs: Vec<Vec<u8>>, content: Content, threads: usize, batch: usize) -> Value {
    let plan = kit::plan(&["udm"], content);
    let given = inputs
        .into_iter()
        .enumerate()
        .map(|(i, records)| Input { name: format!("in-{i}"), from: From::Memory(records) });
    let settings =
        Settings { threads, limits: Limits { batch_bytes: batch, ..Limits::default() }, ..kit::settings() };
    let mut sinks = Sinks { targets: vec![None], dead: &mut |_, _| Ok(()), progress: &mut |_, _| {} };
    let outcome = logmill::run::run(&plan, given.collect(), &settings, &mut sinks).expect("it runs");
    let inputs = outcome.inputs.iter().map(|i| (i.name.clone(), i.records, i.bytes, None)).collect();
    logmill::metrics::report(&plan, &outcome.counts, &RunFacts { inputs, ..RunFacts::default() })
}

fn first(input: usize, line: u64) -> Value {
    json!({"input": format!("in-{input}"), "line": line})
}

#[test]
fn new_objects_leaves_and_types_show_with_their_first_place() {
    let mut strange = audit(2);
    strange["type"] = "never.heard".into();
    strange["never.heard"] = json!({"zxq_leaf": true});
    strange["weather"] = json!({"sky": "blue", "winds": [{"from": "west"}, {"from": "east"}]});
    strange["actor"]["session"]["zxq_new"] = json!([1, 2]);
    let report = report(&[&[audit(0)], &[audit(1), strange.clone(), strange]], Content::Metadata, 1, 1 << 20);
    let source = &report["sources"]["openai_audit"];
    let unknown = &source["unknown_paths"];
    for (path, leaves) in [
        ("$payload.zxq_leaf", 2),
        ("weather.sky", 2),
        ("weather.winds[].from", 4),
        ("actor.session.zxq_new[]", 4),
    ] {
        assert_eq!(unknown[path], json!({"leaves": leaves, "first": first(1, 2)}), "{path}");
        assert_eq!(source["paths"][path], unknown[path], "{path}");
    }
    assert_eq!(unknown["actor.session.ip_address"], Value::Null, "what is documented is not unknown");
    assert_eq!(source["paths"]["actor.session.ip_address"], json!({"leaves": 4, "first": first(0, 1)}));
    assert_eq!(report["targets"]["udm"]["successfully_normalized_log_count"], 4);
}

#[test]
fn types_that_change() {
    let (mut number, mut text) = (audit(0), audit(1));
    number["id"] = 7.into();
    number["actor"]["session"]["ip_address"] = json!(["192.0.2.7"]);
    text["actor"] = "ana".into();
    let report = report(&[&[audit(2), number, text]], Content::Metadata, 1, 1 << 20);
    let conflicts = &report["sources"]["openai_audit"]["type_conflicts"];
    assert_eq!(
        conflicts["id"],
        json!({
            "string": {"leaves": 2, "first": first(0, 1)}, "number": {"leaves": 1, "first": first(0, 2)},
        })
    );
    assert_eq!(
        conflicts["actor.session.ip_address"],
        json!({
            "string": {"leaves": 1, "first": first(0, 1)}, "array": {"leaves": 1, "first": first(0, 2)},
        })
    );
    assert_eq!(conflicts["actor"]["string"], json!({"leaves": 1, "first": first(0, 3)}));
    assert!(conflicts["actor"]["object"]["leaves"].as_u64() > Some(0));
    assert_eq!(conflicts["actor.type"], Value::Null);
}

/// Whichever worker met what first, the report is the same.
#[test]
fn threads_and_batches_do_not_show() {
    let records: Vec<Value> = (0..400)
        .map(|i| {
            let mut record = audit(i);
            record[format!("new-{}", i % 50)] = if i % 3 == 0 { json!("x") } else { json!({"in": [i]}) };
            record["type"] = format!("type.{}", i % 7).into();
            record
        })
        .collect();
    let (a, b) = records.split_at(150);
    let wanted = report(&[a, b], Content::Metadata, 1, 1 << 20)["sources"].clone();
    assert_eq!(wanted["openai_audit"]["unknown_paths"]["new-49"]["first"], first(0, 100));
    for (threads, batch) in [(1, 300), (4, 300), (4, 2000), (8, 300)] {
        for _ in 0..3 {
            assert_eq!(
                report(&[a, b], Content::Metadata, threads, batch)["sources"],
                wanted,
                "{threads} {batch}"
            );
        }
    }
}

/// More undeclared members than are told apart: one path for all, and the leaves are counted.
#[test]
fn too_many_paths_are_one() {
    let records: Vec<Value> = (0..400)
        .map(|i| {
            let mut record = audit(i);
            record["bag"] = json!({format!("key-{i}"): i});
            record
        })
        .collect();
    let report = report(&[&records], Content::Metadata, 1, 1 << 20);
    let source = &report["sources"]["openai_audit"];
    assert_eq!(source["paths_overflowed"], 400);
    assert_eq!(source["unknown_paths"]["bag.*"], json!({"leaves": 400, "first": first(0, 1)}));
    assert!(source["paths"].as_object().expect("paths").len() < 20);
}

/// Keys of which one's characters are another's spelling, or a list's mark.
const KEYS: [&str; 10] =
    ["a\\b", "a\\\\b", "a", "b", "[", "[]", "*", "über", "a.b", "long enough for two words"];
/// Values, how many leaves each holds, and at which step below its key.
const VALUES: [(&str, u64, &str); 6] = [
    ("1", 1, ""),
    (r#""a \"text\"""#, 1, ""),
    ("null", 0, ""),
    (" [true, [ ] ,2]", 2, "[]"),
    (r#"{"in" : -0.5e1, "none": {}}"#, 1, ".in"),
    (r#"{"\u0069n":"x"}"#, 1, ".in"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever order their keys come in, and however they are spelled.
    #[test]
    fn undeclared_leaves_are_counted_by_the_characters_of_their_keys(
        records in prop::collection::vec(
            prop::collection::vec((any::<bool>(), 0..KEYS.len(), 0..VALUES.len(), any::<bool>()), 0..12),
            1..30,
        ),
    ) {
        let mut expected = BTreeMap::new();
        let mut text = String::new();
        for (id, members) in records.iter().enumerate() {
            let (mut top, mut bag) = (String::new(), String::new());
            let mut seen = BTreeSet::new();
            for (inside, key, value, escaped) in members {
                // A repeated key is another test's.
                if !seen.insert((inside, key)) {
                    continue;
                }
                let spelled: String = match escaped {
                    true => KEYS[*key].encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
                    false => KEYS[*key].replace('\\', "\\\\"),
                };
                let (written, leaves, step) = VALUES[*value];
                match inside {
                    true => bag += &format!("\"{spelled}\":{written},"),
                    false => top += &format!(",\"{spelled}\":{written}"),
                }
                let mut path = if *inside { "bag".to_string() } else { String::new() };
                match KEYS[*key] {
                    "*" => path += if *inside { ".*" } else { "*" },
                    key => logmill::json::push_step(key, &mut path),
                }
                *expected.entry(path + step).or_insert(0) += leaves;
            }
            let mut record = audit(id).to_string();
            record.pop();
            text += &format!("{record}{top},\"bag\":{{{}}}}}\n", bag.trim_end_matches(','));
        }
        expected.retain(|_, leaves| *leaves > 0);
        let report = report_of(vec![text.clone().into_bytes()], Content::Metadata, 1, 1 << 20);
        let unknown = report["sources"]["openai_audit"]["unknown_paths"].as_object().cloned().unwrap_or_default();
        let found: BTreeMap<String, u64> =
            unknown.iter().map(|(path, of)| (path.clone(), of["leaves"].as_u64().unwrap_or(0))).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }
}

/// Where names may not leave, what is new shows without its name.
#[test]
fn names_stay_inside_where_content_does() {
    let mut strange = kit::conversations().swap_remove(0);
    strange["zxq_top"] = json!({"zxq_in": ["a", "b"]});
    strange["messages"]["data"][0]["zxq_message"] = "c".into();
    let report = report(&[&[strange]], Content::Metadata, 1, 1 << 20);
    assert!(!report.to_string().contains("zxq"));
    let unknown = &report["sources"]["openai_conversation"]["unknown_paths"];
    assert!(unknown["(undeclared)"]["leaves"].as_u64() >= Some(2), "{unknown}");
    assert!(unknown["messages.data[].(undeclared)"]["leaves"].as_u64() >= Some(1), "{unknown}");
    assert_eq!(unknown["(undeclared)"]["first"], first(0, 1));
}
