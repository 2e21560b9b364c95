//! Laws of Panther schemas, over schemas and records that nobody wrote: nothing undeclared is
//! emitted, nothing declared and valid is lost, and the test form read again gives itself.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeSet;

use kit::lines;
use logmill::catalog::Catalog;
use logmill::ops::time::{self, Instant};
use logmill::panther::{self, stored_name};
use logmill::plan::{Content, Events, Form, Plan, Request};
use logmill::yaml::{self, Source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[derive(Clone, Debug)]
enum Ty {
    String,
    Int,
    Float,
    Boolean,
    Json,
    /// By the format's name.
    Time(&'static str),
    Array(Box<Ty>),
    Object(Vec<(String, Ty)>),
}

const FORMATS: [&str; 9] = [
    "rfc3339",
    "unix",
    "unix_ms",
    "unix_us",
    "unix_ns",
    "unix_auto",
    "cloudflare",
    "%d/%b/%Y:%H:%M:%S.%f %z",
    "layout=2006-01-02 15:04:05.000",
];

impl Ty {
    /// As flow YAML, which JSON is.
    fn schema(&self) -> Value {
        match self {
            Ty::String => json!({"type": "string"}),
            Ty::Int => json!({"type": "bigint"}),
            Ty::Float => json!({"type": "float"}),
            Ty::Boolean => json!({"type": "boolean"}),
            Ty::Json => json!({"type": "json"}),
            Ty::Time(format) => json!({"type": "timestamp", "timeFormat": format}),
            Ty::Array(element) => json!({"type": "array", "element": element.schema()}),
            Ty::Object(fields) => json!({"type": "object", "fields": schema_fields(fields)}),
        }
    }
}

fn schema_fields(fields: &[(String, Ty)]) -> Value {
    let fields = fields.iter().map(|(name, ty)| {
        let mut field = ty.schema();
        field["name"] = name.as_str().into();
        field
    });
    fields.collect()
}

/// Names that do not collide when they are stored.
fn fields(ty: impl Strategy<Value = Ty>) -> impl Strategy<Value = Vec<(String, Ty)>> {
    prop::collection::vec(("[a-o][a-z_]{0,3}[ @.é]?[a-z]{0,2}", ty), 1..5).prop_map(|mut list| {
        let mut stored = BTreeSet::new();
        list.retain(|(name, _)| stored.insert(stored_name(name)));
        list
    })
}

fn types() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        Just(Ty::String),
        Just(Ty::Int),
        Just(Ty::Float),
        Just(Ty::Boolean),
        Just(Ty::Json),
        (0..FORMATS.len()).prop_map(|i| Ty::Time(FORMATS[i])),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![inner.clone().prop_map(|ty| Ty::Array(Box::new(ty))), fields(inner).prop_map(Ty::Object),]
    })
}

/// A value of the record and what becomes of it in both forms; nothing where it is absent.
#[derive(Clone, Debug)]
struct Fate {
    record: Value,
    stored: Option<Value>,
    test: Option<Value>,
}

fn same(value: Value) -> Fate {
    Fate { record: value.clone(), stored: Some(value.clone()), test: Some(value) }
}

fn becomes(record: Value, value: Value) -> Fate {
    Fate { record, stored: Some(value.clone()), test: Some(value) }
}

fn absent() -> BoxedStrategy<Fate> {
    Just(Fate { record: Value::Null, stored: None, test: None }).boxed()
}

fn fates(ty: &Ty) -> BoxedStrategy<Fate> {
    let present: BoxedStrategy<Fate> = match ty {
        Ty::String => prop_oneof![
            any::<String>().prop_map(|s| same(s.into())),
            any::<i64>().prop_map(|n| becomes(n.into(), n.to_string().into())),
            any::<bool>().prop_map(|b| becomes(b.into(), b.to_string().into())),
        ]
        .boxed(),
        Ty::Int => prop_oneof![
            any::<i64>().prop_map(|n| same(n.into())),
            any::<i64>().prop_map(|n| becomes(n.to_string().into(), n.into())),
            Just(Fate { record: "".into(), stored: None, test: None }),
        ]
        .boxed(),
        Ty::Float => (-1_000_000i64..1_000_000, 1u32..7)
            .prop_map(|(n, digits)| {
                let n = n as f64 / 10f64.powi(digits as i32);
                // Whole floats are written without a point.
                let written = if n == n.trunc() { (n as i64).into() } else { n.into() };
                becomes(n.into(), written)
            })
            .boxed(),
        Ty::Boolean => prop_oneof![
            any::<bool>().prop_map(|b| same(b.into())),
            any::<bool>().prop_map(|b| becomes(if b { "T" } else { "0" }.into(), b.into())),
        ]
        .boxed(),
        Ty::Json => prop_oneof![
            Just(same(json!({"b": [1, null, {"a": ""}], "a": {}}))),
            Just(same(json!([]))),
            any::<u32>().prop_map(|n| same(n.into())),
        ]
        .boxed(),
        Ty::Time(format) => {
            let format = *format;
            (200_000_000i64..4_000_000_000, 0u32..1000)
                .prop_map(move |(secs, ms)| time_of(format, secs, ms))
                .boxed()
        }
        Ty::Array(element) => prop::collection::vec(fates(element), 0..4)
            .prop_map(|list| {
                let form = |f: fn(&Fate) -> &Option<Value>| {
                    (!list.is_empty())
                        .then(|| list.iter().map(|x| f(x).clone().unwrap_or_default()).collect::<Value>())
                };
                let record = list.iter().map(|x| x.record.clone()).collect();
                Fate { record, stored: form(|x| &x.stored), test: form(|x| &x.test) }
            })
            .boxed(),
        Ty::Object(fields) => objects(fields),
    };
    prop_oneof![6 => present, 1 => absent()].boxed()
}

fn time_of(format: &str, secs: i64, ms: u32) -> Fate {
    let format = time::TimeFormat::parse(format).expect("a format");
    let instant = Instant { secs, nanos: ms * 1_000_000 };
    let written = |f: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    let own = written(&|out| time::write_format(&format, instant, out));
    let stored = written(&|out| time::write_stored(instant, out));
    let test = match format.writes_number() {
        true => serde_json::from_str(&own).expect("a number"),
        false => Value::from(own.as_str()),
    };
    Fate { record: own.into(), stored: Some(stored.into()), test: Some(test) }
}

/// Members in any order, among others that nobody declared.
fn objects(fields: &[(String, Ty)]) -> BoxedStrategy<Fate> {
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let values: Vec<BoxedStrategy<Fate>> = fields.iter().map(|(_, ty)| fates(ty)).collect();
    (values, prop::collection::btree_map("[p-z]{1,3}", any::<u8>(), 0..3), any::<bool>())
        .prop_map(move |(values, others, backwards)| {
            let mut record = Map::new();
            let (mut stored, mut test) = (Map::new(), Map::new());
            for (name, fate) in names.iter().zip(&values) {
                record.insert(name.clone(), fate.record.clone());
                fate.stored.iter().for_each(|v| drop(stored.insert(stored_name(name), v.clone())));
                fate.test.iter().for_each(|v| drop(test.insert(name.clone(), v.clone())));
            }
            for (name, value) in others {
                record.insert(name, value.into());
            }
            if backwards {
                record = record.into_iter().rev().collect();
            }
            Fate { record: record.into(), stored: Some(stored.into()), test: Some(test.into()) }
        })
        .boxed()
}

fn cases() -> impl Strategy<Value = (Vec<(String, Ty)>, Vec<Fate>)> {
    fields(types()).prop_flat_map(|fields| {
        let records = prop::collection::vec(objects(&fields), 1..6);
        (Just(fields), records)
    })
}

fn plan(fields: &[(String, Ty)], events: Events) -> Plan {
    let text = json!({"schema": "Laws", "fields": schema_fields(fields)}).to_string();
    let source = Source::new("laws.yml", &text);
    let root = yaml::parse(&source).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let (schema, _) = panther::parse(&source, &root).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let catalog = Catalog { targets: kit::built_in().targets.clone(), ..Catalog::default() };
    let (targets, schemas) = (vec!["panther".into()], vec![schema]);
    let request = Request { targets, schemas, content: Content::Full, events, ..Request::default() };
    Plan::compile(&catalog, &request).unwrap_or_else(|e| panic!("{e}"))
}

/// The events of records that are all taken, without standard fields.
fn events(plan: &Plan, records: &[Value]) -> Vec<Value> {
    let ran = kit::run(plan, &kit::ndjson(records), &kit::settings());
    assert_eq!(ran.letters(), Vec::<Value>::new());
    let mut events = lines(&ran.targets[0]);
    for event in &mut events {
        event.as_object_mut().expect("an object").retain(|key, _| !key.starts_with("p_"));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_declared_is_emitted_and_nothing_else((fields, fates) in cases()) {
        let records: Vec<Value> = fates.iter().map(|f| f.record.clone()).collect();
        let stored = events(&plan(&fields, Events::default()), &records);
        let test_plan = plan(&fields, Events { form: Form::Test, ..Events::default() });
        let test = events(&test_plan, &records);
        // With the order of keys, which is the schema's.
        let text = |values: &[Value]| kit::ndjson(values);
        let wanted: Vec<Value> = fates.iter().map(|f| f.stored.clone().expect("an event")).collect();
        prop_assert_eq!(String::from_utf8(text(&stored)), String::from_utf8(text(&wanted)));
        let wanted: Vec<Value> = fates.iter().map(|f| f.test.clone().expect("an event")).collect();
        prop_assert_eq!(String::from_utf8(text(&test)), String::from_utf8(text(&wanted)));
        prop_assert_eq!(events(&test_plan, &test), test);
    }

    #[test]
    fn discovery_keeps_every_member((fields, fates) in cases()) {
        // Half of the schema is not declared.
        let known = fields.len().div_ceil(2);
        let discovering = plan(&fields[..known], Events { discover: true, ..Events::default() });
        let records: Vec<Value> = fates.iter().map(|f| f.record.clone()).collect();
        for (event, record) in events(&discovering, &records).iter().zip(&records) {
            let (event, record) = (event.as_object().expect("an object"), record.as_object().expect("an object"));
            for (name, value) in record {
                let declared = fields[..known].iter().any(|(n, _)| n == name);
                let says_something = !value.is_null() && *value != json!([]);
                if !declared && says_something {
                    prop_assert!(event.contains_key(&stored_name(name)), "{} of {:?}", name, event);
                }
            }
        }
    }
}
