//! What Panther's engine was seen to do, value by value: the tables below `tests/data/panther`
//! hold the facts and name every place where this program does something else.

#[path = "data/kit.rs"]
mod kit;

use std::collections::BTreeMap;

use kit::lines;
use logmill::catalog::Catalog;
use logmill::panther::{self, Schema};
use logmill::plan::{Content, Events, Form, Plan, Request};
use logmill::yaml::{self, Node, Source};
use serde_json::Value;

/// The target of the dialect alone: nothing recognises a record but the schema.
fn catalog() -> Catalog {
    let built_in = kit::built_in();
    Catalog { targets: built_in.targets.clone(), ..Catalog::default() }
}

fn schema(text: &str) -> Schema {
    let source = Source::new("facts.yml", text);
    let root = yaml::parse(&source).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    panther::parse(&source, &root).unwrap_or_else(|e| panic!("{}\n{text}", e[0])).0
}

fn plan(catalog: &Catalog, text: &str, form: Form) -> Plan {
    let request = Request {
        targets: vec!["panther".into()],
        schemas: vec![schema(text)],
        content: Content::Full,
        events: Events { form, ..Events::default() },
        ..Request::default()
    };
    Plan::compile(catalog, &request).unwrap_or_else(|e| panic!("{e}"))
}

/// What becomes of each record, in order: its event without standard fields, or nothing where it
/// was refused.
fn outcomes(plan: &Plan, records: &[String]) -> Vec<Option<Value>> {
    let ran = kit::run(plan, records.join("\n").as_bytes(), &kit::settings());
    let refused: Vec<u64> = ran.letters().iter().map(|l| l["index"].as_u64().expect("an index")).collect();
    let events = String::from_utf8(ran.targets[0].clone()).expect("UTF-8");
    let mut events = lines(readable(&events).as_bytes()).into_iter();
    let all = (0..records.len() as u64).map(|i| match refused.contains(&i) {
        true => None,
        false => Some(bare(events.next().expect("an event for each record that is not refused"))),
    });
    let all = all.collect();
    assert!(events.next().is_none());
    all
}

/// The one number of the tables that the JSON reader of the tests cannot hold, as a text.
fn readable(text: &str) -> String {
    if text == "1e400" { "\"1e400\"".into() } else { text.replace(":1e400,", ":\"1e400\",") }
}

fn bare(mut event: Value) -> Value {
    let map = event.as_object_mut().expect("an object");
    for key in ["p_log_type", "p_row_id", "p_schema_version"] {
        map.shift_remove(key);
    }
    let now = map.shift_remove("p_parse_time");
    if map.get("p_event_time") == now.as_ref() {
        map.shift_remove("p_event_time");
    }
    event
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect()).collect()
}

/// A cell without the mark of a deviation.
fn unmarked(cell: &str) -> &str {
    match cell.strip_prefix('~') {
        Some(rest) => rest.split_once(' ').expect("a mark and a fact").1,
        None => cell,
    }
}

/// Numbers are compared by their spelling, so as text.
fn member(event: &Option<Value>) -> Option<Option<String>> {
    event.as_ref().map(|event| event.get("f").map(Value::to_string))
}

#[test]
fn values_are_coerced() {
    let text = include_str!("data/panther/coercions.tsv");
    let rows = rows(text);
    let [types, declared, values @ ..] = rows.as_slice() else { panic!("a table") };
    assert_eq!((types.len(), values.len()), (16, 31), "15 types and 31 values");
    let records: Vec<String> = values
        .iter()
        .map(|row| match row[0] {
            "(missing)" => "{}".to_string(),
            value => format!("{{\"f\":{value}}}"),
        })
        .collect();
    let catalog = catalog();
    let mut deviations = BTreeMap::new();
    for column in 1..types.len() {
        let field = |required: bool| format!("- {{name: f, required: {required}, {}}}", declared[column]);
        for (form, required) in
            [(Form::Stored, false), (Form::Stored, true), (Form::Test, false), (Form::Test, true)]
        {
            let plan = plan(&catalog, &format!("schema: A\nfields:\n{}\n", field(required)), form);
            for (row, found) in values.iter().zip(outcomes(&plan, &records)) {
                let cell = row[column];
                if let Some(mark) = cell.strip_prefix('~') {
                    *deviations.entry(&mark[..1]).or_insert(0) += 1;
                }
                let expected = match (unmarked(cell), required) {
                    ("!", _) | ("-!", true) => None,
                    ("-" | "-!", _) => Some(None),
                    (cell, _) => {
                        let (test, stored) = cell.split_once(" => ").unwrap_or((cell, cell));
                        Some(Some(if form == Form::Test { test } else { stored }.to_string()))
                    }
                };
                let what = format!("{} in {} ({form:?}, required: {required})", row[0], types[column]);
                match (&expected, &found) {
                    (Some(Some(spelled)), _) => {
                        // Through the same JSON reader: 1.50 and 1.5 are the same there.
                        let value = serde_json::from_str::<Value>(&readable(spelled)).expect("JSON");
                        assert_eq!(member(&found), Some(Some(value.to_string())), "{what}");
                    }
                    _ => assert_eq!(member(&found), expected, "{what}"),
                }
            }
        }
    }
    assert_eq!(deviations.into_iter().collect::<Vec<_>>(), [("1", 4), ("2", 4), ("3", 4), ("4", 12)]);
}

#[test]
fn indicators_are_collected() {
    let text = include_str!("data/panther/indicators.tsv");
    let rows = rows(text);
    let names = [
        "ip",
        "domain",
        "hostname",
        "url",
        "md5",
        "sha1",
        "sha256",
        "aws_arn",
        "aws_account_id",
        "aws_instance_id",
        "aws_tag",
        "trace_id",
        "username",
        "email",
        "net_addr",
    ];
    let records: Vec<String> = rows.iter().map(|row| format!("{{\"f\":{}}}", row[0])).collect();
    let catalog = catalog();
    let mut seen = 0;
    for name in names {
        let text = format!("schema: A\nfields:\n- {{name: f, type: string, indicators: [{name}]}}\n");
        let plan = plan(&catalog, &text, Form::Stored);
        for (row, found) in rows.iter().zip(outcomes(&plan, &records)) {
            let collected = row[1..].iter().map(|cell| unmarked(cell));
            let expected = collected.filter_map(|cell| cell.strip_prefix(name)?.strip_prefix(' ')).next();
            let expected: Value = serde_json::from_str(expected.unwrap_or("{}")).expect("JSON");
            let found = found.expect("an indicator refuses nothing");
            let found: serde_json::Map<String, Value> = found
                .as_object()
                .expect("an object")
                .iter()
                .filter_map(|(k, v)| Some((k.strip_prefix("p_any_")?.to_string(), v.clone())))
                .collect();
            assert_eq!(Value::Object(found), expected, "{name} of {}", row[0]);
            seen += 1;
        }
    }
    assert_eq!(seen, 15 * 42);
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key).and_then(Node::text).unwrap_or_else(|| panic!("`{key}`"))
}

/// The events of a cell, by line; nothing where the record is refused.
fn events(cell: &str) -> Option<Vec<Value>> {
    if cell == "refused" {
        return None;
    }
    Some(cell.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

#[test]
fn schemas_mean_what_they_meant() {
    let source = Source::new("semantics.yaml", include_str!("data/panther/semantics.yaml"));
    let root = yaml::parse(&source).unwrap_or_else(|e| panic!("{}", e[0]));
    let catalog = catalog();
    let mut seen = 0;
    for case in root.list().expect("a list") {
        let name = text(case, "name");
        for form in [Form::Stored, Form::Test] {
            let plan = plan(&catalog, text(case, "schema"), form);
            for record in case.get("records").and_then(Node::list).expect("records") {
                let cells: Vec<&str> =
                    record.list().expect("a list").iter().map(|n| n.text().unwrap_or_default()).collect();
                let expected = events(cells[if form == Form::Stored { cells.len() - 1 } else { 1 }]);
                let ran = kit::run(&plan, cells[0].as_bytes(), &kit::settings());
                let found: Vec<Value> = lines(&ran.targets[0]).into_iter().map(bare).collect();
                let found = if ran.letters().is_empty() { Some(found) } else { None };
                assert_eq!(found, expected, "{name} ({form:?}): {}", cells[0]);
                seen += 1;
            }
        }
    }
    assert!(seen > 120, "{seen} records");
}

#[test]
fn what_collides_is_refused_with_both_places() {
    for (fields, says) in [
        ("- {name: p_event_time, type: string}", "collides with the standard fields"),
        ("- {name: p_any_ip_addresses, type: array, element: {type: string}}", "collides"),
        ("- {name: a b, type: string}\n- {name: a_b, type: string}", "(line 3, column 10) are both stored"),
        (
            "- {name: userAgent, type: string}\n- {name: UserAgent, type: string}",
            "(line 3, column 10) differ",
        ),
        ("- {name: a, type: string}\n- {name: a, type: int}", "declared twice; first on line 3, column 10"),
        (
            "- {name: o, type: object, fields: [{name: x, type: int}, {name: x, type: int}]}",
            "declared twice; first on line 3, column 43",
        ),
        ("- {name: f, type: strin}", "unknown type `strin`"),
        ("- {name: f, type: string, indicators: [bogus]}", "unknown indicator `bogus`"),
        ("- {name: f, type: timestamp, timeFormat: iso8601}", "did you mean \"rfc3339\""),
        ("- {name: f, type: ref, target: Nowhere}", "no definition `Nowhere`"),
        ("- {name: f, type: ref, target: Loop}", "a cyclic reference: the definition `Loop`"),
        ("- {name: f, type: string, isEmbeddedJSON: true}", "belongs to objects, arrays and json"),
        ("- {name: f, type: int, mask: {type: redact}}", "`mask` makes a text"),
        ("- {name: f, type: string, mask: {type: hide}}", "unknown mask `hide`"),
        ("- {name: f, type: string, rename: {to: x}}", "unknown key of `rename` `to`"),
        ("- {name: f, type: string, copy: {from: a..b}}", "`a..b` is no path"),
        ("- {name: f, type: string, split: {from: a, index: 1}}", "split: {from: PATH, separator: TEXT"),
    ] {
        let text = format!(
            "schema: A\nfields:\n{fields}\ndefinitions:\n  Loop: {{type: array, element: {{type: ref, target: Loop}}}}\n"
        );
        let source = Source::new("collide.yml", &text);
        let list =
            yaml::parse(&source).and_then(|root| panther::parse(&source, &root)).expect_err("it is refused");
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert!(shown.iter().any(|s| s.contains(says)), "{fields}: {shown:#?}");
        assert!(shown.iter().all(|s| s.starts_with("collide.yml:")), "{shown:#?}");
    }
}

#[test]
fn definitions_that_double_are_refused_in_time() {
    let twice = |n: usize| {
        let field = |name: char| format!("{{name: {name}, type: ref, target: D{}}}", n + 1);
        format!("  D{n}: {{type: object, fields: [{}, {}]}}\n", field('x'), field('y'))
    };
    let definitions: String = (0..40).map(twice).collect();
    let text = format!(
        "schema: A\nfields: [{{name: a, type: ref, target: D0}}]\ndefinitions:\n{definitions}  D40: {{type: string}}\n"
    );
    let source = Source::new("double.yml", &text);
    let list = yaml::parse(&source).and_then(|root| panther::parse(&source, &root)).expect_err("refused");
    assert!(list[0].message.starts_with("more than 100000 values"), "{}", list[0]);
}

#[test]
fn attributes_of_other_types_are_warned_of() {
    let text = "fields:\n  - {name: a, type: string, timeFormat: unix}\n  - {name: b, type: int, element: {type: int}}\n";
    let source = Source::new("My.Name.yml", text);
    let root = yaml::parse(&source).expect("YAML");
    let (schema, warnings) = panther::parse(&source, &root).expect("it loads");
    assert_eq!((schema.name.as_str(), schema.version), ("My.Name", 0), "the file names it");
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "My.Name.yml:2:41: `timeFormat` belongs to type timestamp and has no effect on string",
            "My.Name.yml:3:35: `element` belongs to type array and has no effect on int",
        ]
    );
}

#[test]
fn a_schema_says_how_its_records_are_read() {
    for parser in
        ["csv: {columns: [a]}", "fastmatch: {match: ['%{a}']}", "regex: {match: ['(?P<a>.)']}", "script: {}"]
    {
        let schema =
            schema(&format!("schema: A\nparser: {{{parser}}}\nfields: [{{name: a, type: string}}]\n"));
        assert!(matches!(schema.parser, panther::Parser::Text | panther::Parser::Script(_)));
    }
    let native = schema("schema: A\nparser: {native: {name: A.B}}\nfields: [{name: a, type: string}]\n");
    assert!(matches!(native.parser, panther::Parser::Native(name) if name == "A.B"));
}
