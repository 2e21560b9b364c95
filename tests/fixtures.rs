//! The golden files, checked as users check theirs, and what the fixtures promise about themselves.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeSet;

use logmill::check;
use logmill::plan::Content;
use serde_json::Value;

#[test]
fn every_case_is_as_expected() {
    let checked = check::check(kit::built_in(), &kit::root().join("fixtures"), &[], false).expect("a run");
    let first: Vec<String> = checked.differences.iter().take(5).map(ToString::to_string).collect();
    assert!(
        checked.differences.is_empty(),
        "{} of {} outputs differ; the first:\n{}",
        checked.differences.len(),
        checked.files,
        first.join("\n")
    );
    assert_eq!(checked.cases, kit::inputs("").len());
    let failed: Vec<String> = checked.failed.iter().map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(checked.tests >= 7, "{} tests of Panther schemas", checked.tests);
    // Every target, tables beside the first among them, and the dead letters, in three content modes.
    let targets = kit::built_in().targets.len();
    assert_eq!(checked.files, checked.cases * (targets + 1) * 3);
}

/// Record types of a source and how many of its records became events.
fn normalized(source: &str) -> (u64, BTreeSet<String>) {
    let plan = kit::plan(&["udm"], Content::Metadata);
    let (mut records, mut types) = (0, BTreeSet::new());
    for input in kit::inputs(source) {
        let ran = kit::run(&plan, &kit::read(&input), &kit::settings());
        let found = plan.sources.iter().position(|s| s.name == source).expect("a source");
        for (kind, counts) in &ran.counts.sources[found] {
            records += counts.targets[0].normalized;
            types.insert(kind.to_string());
        }
    }
    (records, types)
}

#[test]
fn enough_is_covered() {
    let (audits, types) = normalized("openai_audit");
    assert!(audits >= 40, "{audits} audit records");
    assert!(types.len() >= 30, "{} audit types", types.len());
    let (conversations, _) = normalized("openai_conversation");
    assert!(conversations >= 12, "{conversations} conversations");
}

/// The UDM events of the golden files below a folder.
fn udm_events(below: &str) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    for input in kit::inputs(below) {
        let file = input.with_file_name("udm.ndjson");
        // No file stands for no events.
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for (i, line) in text.lines().enumerate() {
            let event = serde_json::from_str(line).expect("an event");
            events.push((format!("{}:{}", file.display(), i + 1), event));
        }
    }
    events
}

/// Whichever row gave the event type, its needs were checked.
#[test]
fn no_event_lacks_what_its_type_needs() {
    let rules = &kit::built_in().targets["udm"].rules;
    let there = |event: &Value, path: &str| event.pointer(&format!("/{}", path.replace('.', "/"))).is_some();
    let (mut checked, mut lacking) = (0, Vec::new());
    for (place, event) in udm_events("") {
        let kind = event["metadata"]["event_type"].as_str().expect("an event type");
        for any in rules.get(kind).into_iter().flatten() {
            checked += 1;
            if !any.iter().any(|path| there(&event, path)) {
                lacking.push(format!("{place}: {kind} without {}", any.join(" or ")));
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(checked > 300, "{checked} needs");
}

/// The cases that hold a record of each audit type.
fn type_cases() -> Vec<String> {
    let cases = std::fs::read_dir(kit::fixture("openai_audit")).expect("a folder");
    let names = cases.map(|case| case.expect("an entry").file_name().into_string().expect("a name"));
    names.filter(|name| name.starts_with("type_")).map(|name| format!("openai_audit/{name}")).collect()
}

/// Of each documented audit type there is a record, and what it makes is an action of that type.
#[test]
fn every_audit_type_has_a_record() {
    let mut types = BTreeSet::new();
    for case in type_cases() {
        for (place, event) in udm_events(&case) {
            let metadata = &event["metadata"];
            assert_ne!(metadata["event_type"], "GENERIC_EVENT", "{place}");
            types.insert(metadata["product_event_type"].as_str().expect("a type").to_string());
        }
    }
    assert_eq!(types.len(), 145);
}

/// The texts of all scalars of a value, numbers in one spelling.
fn scalars(value: &Value, path: &str, f: &mut dyn FnMut(&str, String)) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| scalars(v, &format!("{path}/{k}"), f)),
        Value::Array(list) => list.iter().for_each(|v| scalars(v, path, f)),
        Value::String(text) => f(path, text.parse::<f64>().map_or(text.clone(), |n| n.to_string())),
        Value::Number(number) => f(path, number.as_f64().expect("a number").to_string()),
        Value::Bool(bool) => f(path, bool.to_string()),
        Value::Null => {}
    }
}

/// Every value of an audit record is in its event; the time is there in another form.
#[test]
fn nothing_of_an_audit_record_is_lost() {
    let (mut kept, mut lost) = (0, Vec::new());
    let others = ["events", "actors", "seed_shape", "payload_spellings", "unknown_types", "no_actor"];
    let others = others.map(|case| format!("openai_audit/{case}"));
    for case in type_cases().into_iter().chain(others) {
        let events = udm_events(&case);
        let records = kit::values(&kit::fixture(&case).join("input.ndjson"));
        assert_eq!(events.len(), records.len(), "{case}");
        for (record, (place, event)) in records.iter().zip(&events) {
            let mut there = BTreeSet::new();
            scalars(event, "", &mut |_, text| there.extend([text]));
            scalars(record, "", &mut |path, text| match path {
                "/object" | "/effective_at" => {}
                _ if text.is_empty() || there.contains(&text) => kept += 1,
                // An address and a port are two fields.
                _ if text.rsplit_once(':').is_some_and(|(a, b)| there.contains(a) && there.contains(b)) => {}
                _ => lost.push(format!("{place}: {path}: {text}")),
            });
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    assert!(kept > 2000, "{kept} values");
}

/// Calls `f` with every string of a value and the keys above it (`[]` for elements).
fn strings(value: &Value, path: &mut Vec<String>, f: &mut dyn FnMut(&[String], &str)) {
    let step = |key: &str, inner: &Value, path: &mut Vec<String>, f: &mut dyn FnMut(&[String], &str)| {
        path.push(key.to_string());
        strings(inner, path, f);
        path.pop();
    };
    match value {
        Value::String(text) => f(path, text),
        Value::Array(list) => list.iter().for_each(|v| step("[]", v, path, f)),
        Value::Object(map) => map.iter().for_each(|(k, v)| step(k, v, path, f)),
        _ => {}
    }
}

/// The tests of privacy look for the marker, so every text of a person or a model has to carry it.
#[test]
fn every_content_string_of_a_conversation_is_marked() {
    let (mut marked, mut bare) = (0, Vec::new());
    for conversation in kit::conversations() {
        strings(&conversation, &mut Vec::new(), &mut |path, text| {
            let path = path.join(".");
            let content = path == "title"
                || path.contains("content.value")
                || path.ends_with("model_context")
                || (path.contains("files.") && (path.ends_with(".name") || path.ends_with("download_url")));
            match content && !text.is_empty() {
                true if text.contains(kit::MARKER) => marked += 1,
                true => bare.push(format!("{path}: {text}")),
                false => {}
            }
        });
    }
    assert!(bare.is_empty(), "content without the marker:\n{}", bare.join("\n"));
    assert!(marked > 60, "{marked} marked texts");
}

#[test]
fn nobody_real_is_in_the_fixtures() {
    for input in kit::inputs("") {
        let text = String::from_utf8_lossy(&kit::read(&input)).into_owned();
        for (at, _) in text.match_indices('@') {
            let host: String = text[at + 1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
                .collect();
            let name = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
            if !name || !host.contains('.') {
                continue;
            }
            let host = host.trim_end_matches('.');
            let reserved = ["example.com", "example.org", "example.net"]
                .iter()
                .any(|r| host == *r || host.ends_with(&format!(".{r}")));
            assert!(reserved, "{}: an address at {host}", input.display());
        }
    }
}
