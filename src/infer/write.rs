//! Owns the YAML of an inferred schema; refuses to decide anything.

use std::fmt::Write;

use super::ENOUGH;
use super::decide::{Field, Type, Value};

pub(super) fn schema(name: &str, records: u64, inputs: usize, fields: &[Field], notes: &[String]) -> String {
    let mut out = String::new();
    let s = if inputs == 1 { "" } else { "s" };
    let _ = writeln!(
        out,
        "# Inferred by logmill from {records} records of {inputs} input{s}; every record was read."
    );
    let _ = writeln!(out, "# `required` stands where each of at least {ENOUGH} objects had the field.");
    for note in notes {
        let _ = writeln!(out, "# {}", printable(note));
    }
    let _ = writeln!(out, "schema: {}", scalar(name));
    let _ = writeln!(out, "fields:");
    write_fields(fields, 2, &mut out);
    out
}

fn write_fields(fields: &[Field], indent: usize, out: &mut String) {
    for field in fields {
        let _ = writeln!(out, "{:indent$}- name: {}", "", scalar(&field.name));
        if field.required {
            let _ = writeln!(out, "{:indent$}  required: true", "");
        }
        write_value(&field.value, indent + 2, out);
    }
}

fn write_value(value: &Value, indent: usize, out: &mut String) {
    let ty = match &value.ty {
        Type::String => "string",
        Type::Bigint => "bigint",
        Type::Float => "float",
        Type::Boolean => "boolean",
        Type::Timestamp => "timestamp",
        Type::Json => "json",
        Type::Array(_) => "array",
        Type::Object(_) => "object",
    };
    let remark = value.remark.as_ref().filter(|_| !matches!(value.ty, Type::Array(_)));
    let remark = remark.map(|r| format!(" # {}", printable(r))).unwrap_or_default();
    let _ = writeln!(out, "{:indent$}type: {ty}{remark}", "");
    match value.formats.as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(out, "{:indent$}timeFormat: {}", "", scalar(one));
        }
        several => {
            let list: Vec<String> = several.iter().map(|f| scalar(f)).collect();
            let _ = writeln!(out, "{:indent$}timeFormats: [{}]", "", list.join(", "));
        }
    }
    if value.event_time {
        let _ = writeln!(out, "{:indent$}isEventTime: true", "");
    }
    if let Some(indicator) = value.indicator {
        let _ = writeln!(out, "{:indent$}indicators: [{indicator}]", "");
    }
    if let Some(description) = &value.description {
        let _ = writeln!(out, "{:indent$}description: {}", "", quoted(description));
    }
    match &value.ty {
        Type::Array(element) => {
            let _ = writeln!(out, "{:indent$}element:", "");
            write_value(element, indent + 2, out);
        }
        Type::Object(fields) => {
            let _ = writeln!(out, "{:indent$}fields:", "");
            write_fields(fields, indent + 2, out);
        }
        _ => {}
    }
}

/// Plain where nothing can be misread, else in double quotes.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(word);
    let lower = text.to_ascii_lowercase();
    let special = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    if plain && !special.contains(&lower.as_str()) { text.into() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // Beyond ASCII only letters and digits stand as they are: YAML has rules for the rest.
            c if c.is_ascii_graphic() || c == ' ' || (!c.is_ascii() && c.is_alphanumeric()) => out.push(c),
            c => {
                let _ = match c as u32 {
                    n @ 0..=0xffff => write!(out, "\\u{n:04x}"),
                    n => write!(out, "\\U{n:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// A comment ends with its line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
