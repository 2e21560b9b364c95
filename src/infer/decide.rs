//! Owns what a schema says about what was seen: the narrowest type that takes every value, time
//! formats, the event time, indicators, what is required. Refuses to know YAML.

use super::seen::{Object, Seen, Texts, Whole};
use super::{ENOUGH, MAX_FIELDS, MAX_KEY, MAX_RECORD_FIELDS, MAX_VALUES, signs};
use crate::panther::stored_name;

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) struct Value {
    pub(super) ty: Type,
    pub(super) formats: Vec<&'static str>,
    pub(super) event_time: bool,
    pub(super) indicator: Option<&'static str>,
    pub(super) description: Option<String>,
    /// For whoever reads the schema: why the type is what it is.
    pub(super) remark: Option<String>,
}

#[derive(Debug)]
pub(super) enum Type {
    String,
    Bigint,
    Float,
    Boolean,
    Timestamp,
    Json,
    Array(Box<Value>),
    Object(Vec<Field>),
}

/// The fields of the whole schema, and what it cannot say.
pub(super) fn schema(root: &Seen) -> (Vec<Field>, Vec<String>) {
    let mut notes = Vec::new();
    let Some(object) = &root.object else {
        return (Vec::new(), notes);
    };
    if object.left_out > 0 {
        notes.push(format!(
            "{} members of records are left out: a record has at most {MAX_RECORD_FIELDS} different keys, of {MAX_KEY} bytes each",
            object.left_out
        ));
    }
    let mut fields: Vec<Field> = Vec::new();
    for (key, seen) in &object.fields {
        let name = String::from_utf8_lossy(key).into_owned();
        let other = fields.iter().find(|f| same_name(&f.name, &name));
        let why = match other {
            _ if name.is_empty() => Some("an empty key cannot be a field".to_string()),
            _ if stored_name(&name).to_ascii_lowercase().starts_with("p_") => {
                Some("names beginning with `p_` are taken by the standard fields".to_string())
            }
            Some(other) => Some(format!("it is stored under the same name as `{}`", other.name)),
            None => None,
        };
        match why {
            Some(why) => notes.push(format!("the field `{}` is left out: {why}", name.escape_default())),
            None => fields.push(field(name, "", seen, object)),
        }
    }
    mark_event_time(&mut fields);
    (fields, notes)
}

fn same_name(a: &str, b: &str) -> bool {
    stored_name(a).eq_ignore_ascii_case(&stored_name(b))
}

fn says(whole: Whole) -> String {
    match whole {
        Whole::ManyFields => format!("more than {MAX_FIELDS} different keys"),
        Whole::LongKey => format!("a key longer than {MAX_KEY} bytes"),
        Whole::Deep => "deeper levels than are told apart".into(),
        Whole::NoPlace => "more places than are told apart".into(),
    }
}

/// `parent` is the name of the object around the field.
fn field(name: String, parent: &str, seen: &Seen, around: &Object) -> Field {
    // An `id` or a `name` is that of what it stands in.
    let generic = matches!(name.as_str(), "id" | "name" | "Id" | "Name" | "ID");
    let value = match generic && !parent.is_empty() {
        true => value(&format!("{parent} {name}"), seen),
        false => value(&name, seen),
    };
    // An empty text counts as nothing, but for texts and for what is kept as it is.
    let empty = match value.ty {
        Type::Bigint | Type::Float | Type::Boolean | Type::Timestamp => {
            seen.texts.as_ref().map_or(0, |t| t.empty)
        }
        _ => 0,
    };
    let always = seen.there - empty == around.count && !seen.repeated;
    Field { name, required: always && around.count >= ENOUGH, value }
}

fn plain(ty: Type) -> Value {
    Value { ty, formats: Vec::new(), event_time: false, indicator: None, description: None, remark: None }
}

fn because(ty: Type, why: impl Into<String>) -> Value {
    Value { remark: Some(why.into()), ..plain(ty) }
}

fn value(name: &str, seen: &Seen) -> Value {
    let objects = seen.object.as_ref().map_or(0, |o| o.count);
    let texts = seen.texts.as_ref().map_or(0, |t| t.count);
    let empty = seen.texts.as_ref().map_or(0, |t| t.empty);
    let scalars = seen.bools + seen.numbers.count + texts;
    match (objects > 0, seen.arrays > 0, scalars > 0) {
        (false, false, false) => because(Type::Json, "always null"),
        (true, false, false) => object(name, seen),
        (false, true, false) => array(name, seen),
        (false, false, true) => scalar(name, seen, texts - empty),
        _ => because(Type::Json, "values of different kinds"),
    }
}

fn object(parent: &str, seen: &Seen) -> Value {
    let Some(object) = &seen.object else { return plain(Type::Json) };
    if let Some(whole) = object.whole {
        return because(Type::Json, says(whole));
    }
    if object.fields.is_empty() {
        return because(Type::Json, "always empty");
    }
    let names: Vec<String> = object.fields.keys().map(|k| String::from_utf8_lossy(k).into_owned()).collect();
    for (i, name) in names.iter().enumerate() {
        let named = name.chars().next().is_some_and(|c| !c.is_ascii_digit() && !c.is_control());
        if !named {
            return because(Type::Json, "keys that cannot be names of fields");
        }
        if names[..i].iter().any(|other| same_name(other, name)) {
            return because(Type::Json, "keys that would be stored under the same name");
        }
    }
    let fields = names.into_iter().zip(object.fields.values());
    plain(Type::Object(fields.map(|(name, seen)| field(name, parent, seen, object)).collect()))
}

fn array(name: &str, seen: &Seen) -> Value {
    let element = match &seen.element {
        // An element has no description of its own.
        Some(element) if element.there > 0 => Value { description: None, ..value(name, element) },
        _ => because(Type::Json, "always empty"),
    };
    let remark = element.remark.clone();
    Value { remark, ..plain(Type::Array(Box::new(element))) }
}

/// `texts` are those that are not empty.
fn scalar(name: &str, seen: &Seen, texts: u64) -> Value {
    let numbers = &seen.numbers;
    let words = signs::words(name);
    // Whether a number is a time is for its own name to say.
    let own = signs::words(name.rsplit(' ').next().unwrap_or(name));
    if seen.bools == 0
        && let Some(formats) = times(seen, texts, &own)
    {
        return formats;
    }
    match (seen.bools > 0, numbers.count > 0, texts > 0) {
        (true, false, false) => plain(Type::Boolean),
        (false, true, false) if numbers.huge > 0 => {
            because(Type::String, "numbers beyond what a float holds")
        }
        (false, true, false) if numbers.wide > 0 => {
            because(Type::String, "integers beyond 64 bits: a text keeps their digits")
        }
        (false, true, false) if numbers.broken > 0 => plain(Type::Float),
        (false, true, false) => plain(Type::Bigint),
        (false, false, _) => text(seen.texts.as_deref(), &words),
        _ => because(Type::String, "values of different kinds"),
    }
}

fn text(texts: Option<&Texts>, words: &[String]) -> Value {
    let Some(texts) = texts.filter(|t| t.count > t.empty) else {
        return because(Type::String, "always empty");
    };
    let indicator = signs::indicator(texts.signs, words);
    let mut value = Value { indicator, ..plain(Type::String) };
    let told = texts.count - texts.empty;
    if indicator.is_none()
        && let Some(values) = &texts.values
        && values.len() <= MAX_VALUES
        && told >= 5 * values.len() as u64
        && told >= 20
    {
        let mut names: Vec<&str> = values.iter().map(|(text, _)| &**text).collect();
        names.sort_unstable();
        value.description = Some(format!("One of: {}", names.join(", ")));
    } else if indicator.is_none() && texts.integers == told {
        value.remark = Some("every text spells an integer".into());
    }
    value
}

/// Words of a name that make a number a time.
const TIME_WORDS: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "date",
    "datetime",
    "at",
    "created",
    "updated",
    "modified",
    "changed",
    "expires",
    "expiry",
    "expiration",
    "expire",
    "seen",
    "start",
    "started",
    "end",
    "ended",
    "since",
    "until",
    "epoch",
    "when",
    "received",
    "occurred",
    "published",
    "iat",
    "exp",
    "nbf",
];

fn is_time_name(words: &[String]) -> bool {
    let fused = |w: &String| w.ends_with("time") || w.ends_with("timestamp") || w.ends_with("date");
    words.iter().any(|w| TIME_WORDS.contains(&w.as_str()) || fused(w))
}

fn times(seen: &Seen, texts: u64, words: &[String]) -> Option<Value> {
    let stamp = |formats: Vec<&'static str>, remark: Option<String>| {
        Some(Value { formats, remark, ..plain(Type::Timestamp) })
    };
    let (numbers, found) = (&seen.numbers, seen.texts.as_deref().filter(|_| texts > 0));
    match (numbers.count > 0, found) {
        (false, None) => None,
        (true, None) if is_time_name(words) => stamp(vec![numbers.units.found()?], None),
        (false, Some(t)) if t.integers == texts => {
            stamp(vec![t.units.found().filter(|_| is_time_name(words))?], None)
        }
        (false, Some(t)) => {
            let (formats, unsure) = t.times.found()?;
            stamp(formats, unsure.then(|| "month first is a guess: no day is above 12".into()))
        }
        (true, Some(t)) if t.integers == texts && is_time_name(words) => {
            let (a, b) = (numbers.units.found()?, t.units.found()?);
            let both = if a == b { a } else { "unix_auto" };
            let exact = numbers.broken == 0 || both == "unix";
            exact.then_some(())?;
            stamp(vec![both], None)
        }
        // Numbers and RFC 3339 texts in one field: one format reads both.
        (true, Some(t)) if t.times.rfc3339() && numbers.broken == 0 => stamp(
            vec![numbers.units.found().filter(|u| matches!(*u, "unix" | "unix_ns")).map(|_| "cloudflare")?],
            None,
        ),
        _ => None,
    }
}

/// Names of the time at which the event happened, the likeliest first.
const EVENT_TIMES: &[&str] = &[
    "event time",
    "eventtime",
    "event timestamp",
    "timestamp",
    "time",
    "datetime",
    "date time",
    "effective at",
    "occurred at",
    "occurred",
    "event date",
    "eventdate",
    "time generated",
    "generated at",
    "start time",
    "started at",
    "created at",
    "create time",
    "created",
    "creation time",
    "ts",
    "date",
    "published",
    "logged at",
    "received at",
];

/// Of all timestamps outside of lists one is the event's time: by where it stands, then by its name.
fn mark_event_time(fields: &mut [Field]) {
    let mut best: Option<(usize, usize, bool, Vec<usize>)> = None;
    rank(fields, &mut Vec::new(), &mut best);
    let Some((.., path)) = best else { return };
    let mut fields = fields;
    for (i, step) in path.iter().enumerate() {
        let field = &mut fields[*step];
        if i + 1 == path.len() {
            field.value.event_time = true;
            return;
        }
        match &mut field.value.ty {
            Type::Object(inner) => fields = inner,
            _ => return,
        }
    }
}

/// The shallowest, then the best name, then what is always there; of equals the first.
fn rank(fields: &[Field], path: &mut Vec<usize>, best: &mut Option<(usize, usize, bool, Vec<usize>)>) {
    for (i, field) in fields.iter().enumerate() {
        path.push(i);
        match &field.value.ty {
            Type::Timestamp => {
                let name = signs::words(&field.name).join(" ");
                let known = EVENT_TIMES.iter().position(|n| *n == name).unwrap_or(EVENT_TIMES.len());
                // An expiry lies in the future, a birthday in the past.
                let never = ["expir", "birth", "exp", "nbf", "until", "end"];
                let not = known == EVENT_TIMES.len() && never.iter().any(|n| name.contains(n));
                let found = (path.len(), known, !field.required);
                if !not
                    && best.as_ref().is_none_or(|(depth, name, missing, _)| found < (*depth, *name, *missing))
                {
                    *best = Some((found.0, found.1, found.2, path.clone()));
                }
            }
            Type::Object(inner) => rank(inner, path, best),
            _ => {}
        }
        path.pop();
    }
}
