//! Owns when an event is the expected one: timestamps are compared as instants, whichever form they
//! are written in, lists of indicators as sets, all else as JSON. Refuses to know files and tests.

use serde_json::{Map, Value};

use crate::ops::time::{self, Instant, TimeFormat};
use crate::panther::{Field, Schema, Type, stored_name};

/// Standard fields that an expectation need not (and mostly cannot) know.
const FREE: &[&str] = &["p_row_id", "p_parse_time", "p_schema_version"];

/// What differs, one line each, with its path.
pub(super) fn event(schema: &Schema, expected: &Value, found: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let (Some(expected), Some(found)) = (expected.as_object(), found.as_object()) else {
        return vec![differs("", expected, found)];
    };
    let standard = |map: &Map<String, Value>, yes: bool| -> Map<String, Value> {
        let chosen = map.iter().filter(|(k, _)| k.starts_with("p_") == yes);
        chosen.map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    members(&schema.fields, &standard(expected, false), &standard(found, false), "", &mut out);
    for free in ["p_row_id", "p_parse_time"] {
        if !found.contains_key(free) {
            out.push(format!("{free}: not found"));
        }
    }
    // An event without a time of its own has the time at which it was parsed.
    let wanted = expected.get("p_event_time").or(found.get("p_parse_time"));
    let (wanted, has) = (wanted.unwrap_or(&Value::Null), found.get("p_event_time").unwrap_or(&Value::Null));
    if instant(wanted, &[]).is_none() || instant(wanted, &[]) != instant(has, &[]) {
        out.push(differs("p_event_time", wanted, has));
    }
    let (wanted, has) = (standard(expected, true), standard(found, true));
    let free = |key: &str| FREE.contains(&key) || key == "p_event_time";
    for (key, value) in wanted.iter().filter(|(k, _)| !free(k)) {
        match has.get(key) {
            Some(found) if sorted(found) == sorted(value) => {}
            Some(found) => out.push(differs(key, value, found)),
            None => out.push(format!("{key}: expected {value}, not found")),
        }
    }
    for (key, value) in has.iter().filter(|(k, _)| !free(k) && !wanted.contains_key(*k)) {
        out.push(format!("{key}: found {value}, not expected"));
    }
    out
}

fn differs(path: &str, expected: &Value, found: &Value) -> String {
    let at = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!("{at}expected {expected}, found {found}")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn members(
    fields: &[Field],
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
    path: &str,
    out: &mut Vec<String>,
) {
    let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    // Either side may have a field under its declared or under its stored name.
    let pick = |map: &Map<String, Value>, key: &str| {
        map.get(key)
            .or_else(|| map.iter().find(|(k, _)| stored_name(k) == stored_name(key)).map(|(_, v)| v))
            .cloned()
    };
    for (key, value) in expected {
        let field = fields.iter().find(|f| f.name.is == *key || stored_name(&f.name.is) == *key);
        match pick(found, key) {
            Some(has) => one(field.map(|f| &f.value.ty), value, &has, &below(key), out),
            None => out.push(format!("{}: expected {value}, not found", below(key))),
        }
    }
    for (key, value) in found.iter().filter(|(k, _)| pick(expected, k).is_none()) {
        out.push(format!("{}: found {value}, not expected", below(key)));
    }
}

fn one(ty: Option<&Type>, expected: &Value, found: &Value, path: &str, out: &mut Vec<String>) {
    match (ty, expected, found) {
        _ if expected == found => {}
        (Some(Type::Object(fields)), Value::Object(a), Value::Object(b)) => members(fields, a, b, path, out),
        (Some(Type::Array(element)), Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                one(Some(&element.ty), a, b, &format!("{path}[{i}]"), out);
            }
        }
        (Some(Type::Timestamp(formats)), a, b)
            if instant(a, formats).is_some() && instant(a, formats) == instant(b, formats) => {}
        _ => out.push(differs(path, expected, found)),
    }
}

/// A time in the form of its source, as it is stored, or as RFC 3339.
fn instant(value: &Value, formats: &[TimeFormat]) -> Option<Instant> {
    let (text, is_string) = match value {
        Value::String(text) => (text.clone(), true),
        Value::Number(n) => (n.to_string(), false),
        _ => return None,
    };
    let stored = TimeFormat::parse("%Y-%m-%d %H:%M:%S.%N").ok();
    let all = stored.iter().chain(&[TimeFormat::Rfc3339]).chain(formats);
    all.filter_map(|format| time::read(format, &text, is_string).ok()).next()
}
