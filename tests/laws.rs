//! Laws that hold for any input: counts add up, every record is in one place, and the bytes do
//! not depend on threads, batches or framing.

#[path = "data/kit.rs"]
mod kit;

use std::sync::OnceLock;

use kit::{Ran, lines, ndjson};
use logmill::catalog::Mapping;
use logmill::metrics::{RunFacts, report};
use logmill::panther::Type;
use logmill::plan::{Content, Plan};
use logmill::records::{Framing, Limits};
use logmill::run::Settings;
use logmill::table::{Base, Seg, TargetDef};
use proptest::prelude::*;
use serde_json::Value;

/// Good records of both sources.
fn pool() -> &'static [Value] {
    static POOL: OnceLock<Vec<Value>> = OnceLock::new();
    POOL.get_or_init(|| {
        let mut pool = kit::audits();
        for case in [
            "actors/input.ndjson",
            "payload_spellings/input.ndjson",
            "seed_shape/input.ndjson",
            "unknown_types/input.ndjson",
            "no_actor/input.ndjson",
            "drift/input.ndjson",
            "type_roles/input.ndjson",
            "type_certificates/input.ndjson",
            "type_tenant_people/input.ndjson",
        ] {
            pool.extend(kit::values(&kit::fixture("openai_audit").join(case)));
        }
        pool.extend(kit::conversations());
        pool
    })
}

fn plans() -> &'static [(Content, Plan)] {
    static PLANS: OnceLock<Vec<(Content, Plan)>> = OnceLock::new();
    PLANS.get_or_init(|| {
        let modes = [Content::Metadata, Content::None, Content::Full];
        modes.into_iter().map(|c| (c, kit::plan(&["udm", "panther"], c))).collect()
    })
}

/// What a line is: always one record.
#[derive(Clone, Debug)]
enum Line {
    Good(prop::sample::Index),
    /// A good record with one value of its top two levels replaced or removed.
    Changed(prop::sample::Index, prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Odd(u8),
}

fn line() -> impl Strategy<Value = Line> {
    let index = || any::<prop::sample::Index>();
    prop_oneof![
        4 => index().prop_map(Line::Good),
        4 => (index(), index(), any::<u8>()).prop_map(|(a, b, k)| Line::Changed(a, b, k)),
        1 => (index(), index()).prop_map(|(a, b)| Line::Cut(a, b)),
        1 => any::<u8>().prop_map(Line::Odd),
    ]
}

fn other(kind: u8) -> Option<Value> {
    Some(match kind % 9 {
        0 => return None,
        1 => Value::Null,
        2 => "soon".into(),
        3 => 12.5.into(),
        4 => (-1).into(),
        5 => true.into(),
        6 => serde_json::json!([]),
        7 => serde_json::json!({"a": [1, {"b": null}]}),
        _ => "".into(),
    })
}

fn text(line: &Line) -> String {
    let pool = pool();
    match line {
        Line::Good(i) => pool[i.index(pool.len())].to_string(),
        Line::Changed(i, at, kind) => {
            let mut record = pool[i.index(pool.len())].clone();
            let map = record.as_object_mut().expect("an object");
            let mut places: Vec<(String, Option<String>)> = Vec::new();
            for (key, value) in map.iter() {
                places.push((key.clone(), None));
                let inner = value.as_object().into_iter().flat_map(|m| m.keys());
                places.extend(inner.map(|k| (key.clone(), Some(k.clone()))));
            }
            let (key, inner) = &places[at.index(places.len())];
            let (map, key) = match inner {
                Some(inner) => (map[key].as_object_mut().expect("it has keys"), inner),
                None => (map, key),
            };
            match other(*kind) {
                Some(value) => drop(map.insert(key.clone(), value)),
                None => drop(map.remove(key)),
            }
            record.to_string()
        }
        Line::Cut(i, at) => {
            let text = pool[i.index(pool.len())].to_string();
            let mut end = 1 + at.index(text.len() - 1);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text[..end].to_string()
        }
        Line::Odd(kind) => {
            let odd = [
                "{}",
                "7",
                "\"text\"",
                "null",
                "{\"kettle\":\"on\"}",
                "not json",
                "{\"a\":1}}",
                "\u{1}",
                "{\"object\":\"list\"}",
            ];
            odd[*kind as usize % odd.len()].to_string()
        }
    }
}

fn settings(threads: usize, batch_bytes: usize, framing: Framing) -> Settings {
    Settings { threads, framing, limits: Limits { batch_bytes, ..Limits::default() }, ..kit::settings() }
}

fn plain() -> Settings {
    settings(1, 256 << 10, Framing::Lines)
}

/// Panther's row ids say which record of the run it was.
fn without_ids(bytes: &[u8]) -> Vec<Value> {
    let mut events = lines(bytes);
    for event in &mut events {
        if let Some(map) = event.as_object_mut() {
            map.remove("p_row_id");
        }
    }
    events
}

/// Letters without their places.
fn verdicts(ran: &Ran) -> Vec<Value> {
    let mut letters = ran.letters();
    for letter in &mut letters {
        let map = letter.as_object_mut().expect("an object");
        for key in ["byte", "line", "index"] {
            assert!(map.remove(key).is_some_and(|n| n.is_u64()));
        }
    }
    letters
}

/// A record with another text in the place of one of its own: its structure stays.
fn retold(text: &str, at: &prop::sample::Index, how: usize) -> String {
    let Ok(mut record) = serde_json::from_str::<Value>(text) else { return text.to_string() };
    fn leaves<'v>(value: &'v mut Value, out: &mut Vec<&'v mut Value>, asked: fn(&Value) -> bool) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|value| leaves(value, out, asked)),
            Value::Array(list) => list.iter_mut().for_each(|value| leaves(value, out, asked)),
            _ if asked(value) => out.push(value),
            _ => {}
        }
    }
    let mut all = Vec::new();
    leaves(&mut record, &mut all, if how < 6 { Value::is_string } else { Value::is_number });
    let place = at.index(all.len().max(1));
    match (how, all.into_iter().nth(place)) {
        (0, Some(Value::String(text))) => text.clear(),
        (1, Some(Value::String(text))) => text.push_str(" \"é\n"),
        (2, Some(Value::String(text))) => *text = text.repeat(40),
        (3, Some(Value::String(text))) => *text = "192.0.2.7".into(),
        // A time that is none, one of long ago, and one to the millisecond.
        (6, Some(number)) => *number = u64::MAX.into(),
        (7, Some(number)) => *number = (-5).into(),
        (8, Some(number)) => *number = 1_718_000_008.125.into(),
        _ => {}
    }
    record.to_string()
}

/// The fields of an event stand in the target's order and hold what their types say.
fn ordered(target: &TargetDef, above: &mut Vec<Seg>, value: &Value) -> Result<(), String> {
    let Some(map) = value.as_object() else { return Ok(()) };
    let mut last = None;
    for (key, inner) in map {
        above.push(Seg::Key(key.as_str().into()));
        let found = target.resolve(above).map_err(|(message, _)| message)?;
        let seg = found.last().expect("a step");
        if let Some(order) = seg.order {
            if last.is_some_and(|l| l >= order) {
                return Err(format!("`{key}` stands too late in {value}"));
            }
            last = Some(order);
        }
        let items: Vec<&Value> = match (seg.field.repeated, inner) {
            (true, Value::Array(items)) if !items.is_empty() => items.iter().collect(),
            (true, _) => return Err(format!("`{key}` is no list with elements: {inner}")),
            (false, one) => vec![one],
        };
        for item in items {
            let fits = match &seg.field.base {
                Base::Message(_) => item.as_object().is_some_and(|m| !m.is_empty()),
                Base::Object => item.is_object(),
                Base::Any => !item.is_null(),
                Base::Float => item.is_number(),
                Base::Bool => item.is_boolean(),
                Base::Int { quoted: false, .. } => item.is_i64(),
                Base::Enum(name) => {
                    item.as_str().is_some_and(|t| target.enum_values(name).is_some_and(|v| v.contains(t)))
                }
                _ => item.as_str().is_some_and(|t| !t.is_empty()),
            };
            if !fits {
                return Err(format!("`{key}` ({:?}) holds {item}", seg.field.base));
            }
            if matches!(seg.field.base, Base::Message(_)) {
                ordered(target, above, item)?;
            }
        }
        above.pop();
    }
    Ok(())
}

/// The same for a schema's fields, the standard ones behind.
fn ordered_by_schema(fields: &[logmill::panther::Field], value: &Value, top: bool) -> Result<(), String> {
    let Some(map) = value.as_object() else { return Ok(()) };
    let names: Vec<String> = fields.iter().map(|f| logmill::panther::stored_name(&f.name.is)).collect();
    let mut last = 0;
    for (key, inner) in map {
        let place = match names.iter().position(|n| n == key) {
            Some(at) => at + 1,
            None if top && key.starts_with("p_") => names.len() + 1,
            None => return Err(format!("`{key}` is no field")),
        };
        if place < last || (place == last && place <= names.len()) {
            return Err(format!("`{key}` stands too late in {value}"));
        }
        last = place;
        if place <= names.len() {
            match &fields[place - 1].value.ty {
                Type::Object(inner_fields) => ordered_by_schema(inner_fields, inner, false)?,
                Type::Array(element) => {
                    if let Type::Object(inner_fields) = &element.ty {
                        for item in inner.as_array().into_iter().flatten() {
                            ordered_by_schema(inner_fields, item, false)?;
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn schema_of(event: &Value) -> &'static logmill::panther::Schema {
    let schemas = kit::built_in().mappings.values().filter_map(|m| match m {
        Mapping::Schema(schema) => Some(schema),
        Mapping::Table(_) => None,
    });
    let mut named = schemas.filter(|s| event["p_log_type"] == s.name.as_str());
    named.next().expect("a schema of that name")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law ③: counts add up, and every record is in one place for every target.
    #[test]
    fn every_record_is_in_one_place(list in prop::collection::vec(line(), 1..12)) {
        for (content, plan) in plans() {
            let texts: Vec<String> = list.iter().map(text).collect();
            let whole = kit::run(plan, texts.join("\n").as_bytes(), &plain());
            prop_assert_eq!(whole.counts.records as usize, texts.len());
            let rates = logmill::metrics::rate(plan, &whole.counts);
            for rate in &rates {
                let o = &rate.outcomes;
                prop_assert_eq!(o.normalized + o.dead() + o.dropped, texts.len() as u64);
                prop_assert!(*content == Content::None || o.dropped == 0);
            }
            let (mut events, mut letters) = (vec![Vec::new(); 2], Vec::new());
            for text in &texts {
                let alone = kit::run(plan, text.as_bytes(), &plain());
                for (i, rate) in logmill::metrics::rate(plan, &alone.counts).iter().enumerate() {
                    let name = rate.target.as_str();
                    let here = lines(&alone.targets[i]).len() as u64;
                    let refused = alone.letters().iter().filter(|l| l["target"].is_null() || l["target"] == name).count() as u64;
                    let o = &rate.outcomes;
                    prop_assert_eq!(o.normalized + o.dead() + o.dropped, 1);
                    prop_assert_eq!((o.events, o.dead()), (here, refused), "{}", text);
                    prop_assert_eq!(o.normalized == 1, here > 0);
                    events[i].extend(without_ids(&alone.targets[i]));
                }
                letters.extend(verdicts(&alone));
            }
            // A record's neighbours change nothing for it, and the order is the input's.
            for (target, events) in whole.targets.iter().zip(&events) {
                prop_assert_eq!(&without_ids(target), events);
            }
            prop_assert_eq!(verdicts(&whole), letters);
            let places: Vec<(u64, u64)> = whole.letters().iter().map(|l| (l["line"].as_u64().unwrap_or(0), l["index"].as_u64().unwrap_or(0))).collect();
            prop_assert!(places.is_sorted());
            prop_assert!(places.iter().all(|(line, index)| line == &(index + 1)), "one record a line");
        }
    }

    /// What a record becomes, and what is counted of it, does not depend on those met before: records of
    /// one structure, of which much is known beforehand, are those that would show it.
    #[test]
    fn records_met_before_do_not_show(
        list in prop::collection::vec(line(), 1..5),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..9), 12..40),
    ) {
        for (_, plan) in plans() {
            let texts: Vec<String> = picks
                .iter()
                .map(|(which, at, how)| retold(&text(&list[which.index(list.len())]), at, *how))
                .collect();
            let whole = kit::run(plan, texts.join("\n").as_bytes(), &plain());
            let (mut events, mut letters) = (vec![Vec::new(); 2], Vec::new());
            let mut counts = logmill::metrics::Counts::new(plan);
            for text in &texts {
                let alone = kit::run(plan, text.as_bytes(), &plain());
                for (events, target) in events.iter_mut().zip(&alone.targets) {
                    events.extend(without_ids(target));
                }
                letters.extend(verdicts(&alone));
                counts.merge(&alone.counts);
            }
            for (target, events) in whole.targets.iter().zip(&events) {
                prop_assert_eq!(&without_ids(target), events);
            }
            prop_assert_eq!(verdicts(&whole), letters);
            let document = |counts: &logmill::metrics::Counts| {
                let mut document = report(plan, counts, &RunFacts::default());
                kit::without_places(&mut document);
                document.to_string()
            };
            prop_assert_eq!(document(&whole.counts), document(&counts));
        }
    }

    /// Law ④: the same bytes for any number of threads and any size of batch.
    #[test]
    fn threads_and_batches_do_not_show(
        list in prop::collection::vec(line(), 1..30),
        threads in 2usize..5,
        batch in prop_oneof![Just(1usize), Just(100), Just(3000), Just(20_000)],
    ) {
        let texts: Vec<String> = list.iter().map(text).collect();
        let text = texts.join("\n");
        let (_, plan) = &plans()[0];
        for framing in [Framing::Lines, Framing::Auto] {
            let one = kit::run(plan, text.as_bytes(), &settings(1, 256 << 10, framing));
            for (threads, batch) in [(1, batch), (threads, batch), (threads, 256 << 10)] {
                let other = kit::run(plan, text.as_bytes(), &settings(threads, batch, framing));
                prop_assert!(one.targets == other.targets, "events with {threads} threads, batches of {batch}");
                prop_assert!(one.dead == other.dead, "letters with {threads} threads, batches of {batch}");
                prop_assert_eq!(one.metrics.to_string(), other.metrics.to_string());
            }
        }
    }

    /// Law ④: the same bytes however good records are set apart.
    #[test]
    fn framing_does_not_show(picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12)) {
        let records: Vec<Value> = picks.iter().map(|i| pool()[i.index(pool().len())].clone()).collect();
        let texts: Vec<String> = records.iter().map(Value::to_string).collect();
        let pretty: Vec<String> = records.iter().map(|r| serde_json::to_string_pretty(r).expect("JSON")).collect();
        let forms = [
            (texts.join("\n"), Framing::Auto),
            (texts.join("\r\n\r\n"), Framing::Lines),
            (texts.concat(), Framing::Json),
            (texts.concat(), Framing::Auto),
            (pretty.join("\n"), Framing::Auto),
            (pretty.join(" "), Framing::Json),
            (format!("[{}]", texts.join(" ,\n")), Framing::Auto),
            (serde_json::to_string_pretty(&records).expect("JSON"), Framing::Auto),
            (format!("{{\"object\":\"list\",\"data\":[{}]}}", pretty.join(",")), Framing::Auto),
            (format!("[{}]\n{}", texts[..1].join(","), texts[1..].join("\n")), Framing::Auto),
        ];
        for (content, plan) in plans() {
            let expected = kit::run(plan, &ndjson(&records), &plain());
            for (form, framing) in &forms {
                let ran = kit::run(plan, form.as_bytes(), &settings(1, 1000, *framing));
                prop_assert!(ran.targets == expected.targets, "{content:?}: other bytes for {}", &form[..form.len().min(60)]);
                // The hash is that of the bytes as they stand, and so is the copy in a letter.
                let reasons = |r: &Ran| -> Vec<(Value, Value, Value)> { r.letters().iter().map(|l| (l["reason"].clone(), l["path"].clone(), l["index"].clone())).collect() };
                prop_assert_eq!(reasons(&ran), reasons(&expected));
            }
        }
    }

    /// Outputs are JSON lines in the order of the target.
    #[test]
    fn events_are_in_the_order_of_their_target(list in prop::collection::vec(line(), 1..15)) {
        let texts: Vec<String> = list.iter().map(text).collect();
        let udm = &kit::built_in().targets["udm"];
        for (_, plan) in plans() {
            let ran = kit::run(plan, texts.join("\n").as_bytes(), &plain());
            for event in lines(&ran.targets[0]) {
                prop_assert_eq!(ordered(udm, &mut Vec::new(), &event), Ok(()));
                let time = event["metadata"]["event_timestamp"].as_str().unwrap_or_default();
                prop_assert!(time.ends_with('Z') && event["metadata"]["event_type"].is_string());
            }
            for event in lines(&ran.targets[1]) {
                prop_assert_eq!(ordered_by_schema(&schema_of(&event).fields, &event, true), Ok(()));
            }
        }
    }

    /// Counts of two runs, merged, are the counts of one run over both.
    #[test]
    fn counts_merge(a in prop::collection::vec(line(), 0..10), b in prop::collection::vec(line(), 0..10)) {
        for (_, plan) in plans() {
            let texts = |list: &[Line]| list.iter().map(|l| text(l) + "\n").collect::<String>();
            let (a, b) = (texts(&a), texts(&b));
            // Each run counts its own lines.
            let document = |counts: &logmill::metrics::Counts| {
                let mut document = report(plan, counts, &RunFacts::default());
                kit::without_places(&mut document);
                document.to_string()
            };
            let (first, second) = (kit::run(plan, a.as_bytes(), &plain()), kit::run(plan, b.as_bytes(), &plain()));
            let both = kit::run(plan, (a + &b).as_bytes(), &plain());
            let mut merged = first.counts.clone();
            merged.merge(&second.counts);
            prop_assert_eq!(document(&merged), document(&both.counts));
            // In any order, and with nothing.
            let mut turned = logmill::metrics::Counts::new(plan);
            turned.merge(&second.counts);
            turned.merge(&first.counts);
            prop_assert_eq!(document(&turned), document(&both.counts));
        }
    }
}
