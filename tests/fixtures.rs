//! The golden files, checked as users check theirs, and what the fixtures promise about themselves.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeSet;

use logmill::check;
use logmill::plan::Content;
use serde_json::Value;

#[test]
fn every_case_is_as_expected() {
    let checked = check::check(kit::built_in(), &kit::root().join("fixtures"), false).expect("a run");
    let first: Vec<String> = checked.differences.iter().take(5).map(ToString::to_string).collect();
    assert!(
        checked.differences.is_empty(),
        "{} of {} outputs differ; the first:\n{}",
        checked.differences.len(),
        checked.files,
        first.join("\n")
    );
    assert_eq!(checked.cases, kit::inputs("").len());
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
