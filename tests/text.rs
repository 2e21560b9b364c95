//! Lines of text through the text parsers of Panther schemas, several schemas at once, and the
//! streams that records come in.

#[path = "data/kit.rs"]
mod kit;

use logmill::error::{Diagnostic, Error};
use logmill::panther::Schema;
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Framing, Limits};
use logmill::run::Settings;
use logmill::{catalog, panther, yaml};
use serde_json::{Value, json};

fn load(text: &str) -> Result<(Schema, Vec<Diagnostic>), Vec<Diagnostic>> {
    let source = yaml::Source::new("schema.yml", text);
    yaml::parse(&source).and_then(|root| panther::parse(&source, &root))
}

fn schema(text: &str) -> Schema {
    load(text).unwrap_or_else(|e| panic!("{}", e[0])).0
}

fn request(schemas: &[&str], content: Content) -> Request {
    let schemas = schemas.iter().map(|text| schema(text)).collect();
    Request { targets: vec!["panther".into()], schemas, content, ..Request::default() }
}

fn plan(schemas: &[&str]) -> Plan {
    kit::compile(request(schemas, Content::Full))
}

/// The events without their standard fields.
fn events(ran: &kit::Ran) -> Vec<Value> {
    let mut events = kit::lines(&ran.targets[0]);
    for event in &mut events {
        event.as_object_mut().expect("an object").retain(|k, _| !k.starts_with("p_"));
    }
    events
}

fn run(plan: &Plan, text: &str) -> kit::Ran {
    kit::run(plan, text.as_bytes(), &kit::settings())
}

const CSV: &str = "schema: Custom.Csv
parser: {csv: {delimiter: ',', hasHeader: true, emptyValues: ['-']}}
fields:
  - {name: user, type: string, required: true, indicators: [username]}
  - {name: count, type: int}
";

const ACCESS: &str = r#"schema: Custom.Access
parser:
  regex:
    patternDefinitions: {METHOD: "[A-Z]+"}
    match:
      - '^%{IPORHOST:ip} %{NOTSPACE:ident} %{NOTSPACE:user} '
      - '\[%{HTTPDATE:time}\] "%{METHOD:method} %{NOTSPACE:path} [^"]*" %{INT:status} (?:%{INT:bytes}|-)'
    emptyValues: ["-", ""]
    expandFields: {request: "%{method} %{path}"}
fields:
  - {name: time, type: timestamp, timeFormat: "%d/%b/%Y:%H:%M:%S %z", isEventTime: true, required: true}
  - {name: ip, type: string, indicators: [ip]}
  - {name: user, type: string, indicators: [username]}
  - {name: request, type: string}
  - {name: status, type: smallint}
  - {name: bytes, type: bigint}
"#;

const FAST: &str = r#"schema: Custom.Fast
parser:
  fastmatch:
    match: ['%{level}: %{name}="%{value}" at %{time}', '%{level}: %{text}']
    skipPrefix: '#'
    trimSpace: true
fields:
  - {name: level, type: string, required: true, validate: {allow: [info, warning]}}
  - {name: name, type: string}
  - {name: value, type: string}
  - {name: text, type: string}
  - {name: time, type: timestamp, timeFormat: unix}
"#;

const JSON: &str = "schema: Custom.Json
fields:
  - {name: product, type: string, required: true}
  - {name: n, type: int}
";

#[test]
fn a_regex_takes_an_access_log_apart() {
    let text = "192.0.2.1 - ana [31/Jan/2026:03:04:05 +0100] \"GET /a?b=c HTTP/1.1\" 200 512\r\n\n::1 - - [31/Jan/2026:03:04:06 +0000] \"POST / HTTP/1.1\" 404 -\nno access\n";
    let ran = run(&plan(&[ACCESS]), text);
    assert_eq!(
        events(&ran),
        [
            json!({"time": "2026-01-31 02:04:05.000000000", "ip": "192.0.2.1", "user": "ana", "request": "GET /a?b=c", "status": 200, "bytes": 512}),
            json!({"time": "2026-01-31 03:04:06.000000000", "ip": "::1", "request": "POST /", "status": 404}),
        ]
    );
    let first = &kit::lines(&ran.targets[0])[0];
    assert_eq!(first["p_event_time"], "2026-01-31 02:04:05.000000000");
    assert_eq!(
        (&first["p_any_ip_addresses"], &first["p_any_usernames"]),
        (&json!(["192.0.2.1"]), &json!(["ana"]))
    );
    let dead = &ran.letters()[0];
    assert_eq!(
        (dead["line"].as_u64(), dead["index"].as_u64(), dead["reason"].as_str()),
        (Some(4), Some(2), Some("no_match"))
    );
    assert_eq!(
        (dead["record"].as_str(), dead["byte"].as_u64()),
        (Some("no access"), Some(text.find("no access").expect("it") as u64))
    );
    assert_eq!(ran.metrics["targets"]["panther"]["mappings"]["(unrecognised)"]["fields_filled"]["status"], 2);
}

#[test]
fn a_csv_header_names_the_columns_of_its_own_input() {
    let plan = plan(&[CSV]);
    let ran = run(&plan, "user,count,zone\nana,1,x\n\"b\"\"o\",-,y\nana,1\ncy,many,z\n");
    assert_eq!(events(&ran), [json!({"user": "ana", "count": 1}), json!({"user": "b\"o"})]);
    let reasons: Vec<(Value, Value)> =
        ran.letters().iter().map(|l| (l["line"].clone(), l["reason"].clone())).collect();
    assert_eq!(reasons, [(json!(4), json!("no_match")), (json!(5), json!("bad_value"))]);
    assert_eq!(ran.metrics["targets"]["panther"]["invalid_log_count"], 1, "a header is dropped by rule");
    // Columns in another order, in another input.
    assert_eq!(events(&run(&plan, "count,user\n5,ana\n")), [json!({"user": "ana", "count": 5})]);
}

#[test]
fn a_header_reaches_every_batch_and_every_thread() {
    let mut text = String::from("count,user\n");
    for i in 0..5000 {
        text += &format!("{i},u{i}\n");
    }
    let plan = plan(&[CSV]);
    let one = run(&plan, &text);
    assert_eq!(events(&one).len(), 5000);
    for (threads, batch_bytes) in [(1, 64), (4, 100), (3, 1 << 20)] {
        let limits = Limits { batch_bytes, ..Limits::default() };
        let ran = kit::run(&plan, text.as_bytes(), &Settings { threads, limits, ..kit::settings() });
        assert!(ran.targets == one.targets && ran.dead == one.dead, "{threads} threads, {batch_bytes} bytes");
    }
}

#[test]
fn header_lines_come_behind_comments_and_give_way_to_columns() {
    let skips = CSV.replace("hasHeader: true", "hasHeader: true, skipPrefix: '#'");
    let ran = run(&plan(&[&skips]), "# made by hand\nuser,count\nana,1\n# more\nbo,2\n");
    assert_eq!(events(&ran), [json!({"user": "ana", "count": 1}), json!({"user": "bo", "count": 2})]);
    assert!(ran.dead.is_empty());
    let renamed = CSV.replace("hasHeader: true", "hasHeader: true, columns: [user, count]");
    assert_eq!(events(&run(&plan(&[&renamed]), "h1,h2\nx,1\n")), [json!({"user": "x", "count": 1})]);
    let bare = CSV.replace("hasHeader: true", "columns: [user, '', count]");
    assert_eq!(events(&run(&plan(&[&bare]), "x,y,1\nz\n"))[0], json!({"user": "x", "count": 1}));
}

#[test]
fn white_space_at_the_ends_of_a_line_can_be_values() {
    let tabs = "schema: Custom.Tabs
parser: {csv: {delimiter: \"\\t\", columns: [a, b, c]}}
fields: [{name: a, type: string}, {name: b, type: string}, {name: c, type: string}]
";
    let ran = run(&plan(&[tabs]), "\tx\t\r\n  y\tz\t\n\t\t\n");
    assert_eq!(events(&ran), [json!({"a": "", "b": "x", "c": ""}), json!({"a": "  y", "b": "z", "c": ""})]);
}

#[test]
fn fastmatch_takes_the_first_pattern_that_matches() {
    let text = "# comment\ninfo: user=\"a \\\"b\\\"\" at 1767225600\nwarning:  low \nbad: x\nnothing\n";
    let ran = run(&plan(&[FAST]), text);
    assert_eq!(
        events(&ran),
        [
            json!({"level": "info", "name": "user", "value": "a \"b\"", "time": "2026-01-01 00:00:00.000000000"}),
            json!({"level": "warning", "text": "low"}),
        ]
    );
    let reasons: Vec<Value> = ran.letters().iter().map(|l| l["reason"].clone()).collect();
    assert_eq!(reasons, ["not_allowed", "no_match"]);
    assert_eq!(ran.metrics["targets"]["panther"]["invalid_log_count"], 1);
}

#[test]
fn text_and_json_schemas_share_an_input() {
    let plan = plan(&[FAST, JSON, ACCESS]);
    let ran = run(&plan, "{\"product\":\"x\",\"n\":1}\ninfo: hello\n{\"product\":7,\"n\":\"many\"}\n[1]\n");
    assert_eq!(events(&ran), [json!({"product": "x", "n": 1}), json!({"level": "info", "text": "hello"})]);
    let letters = ran.letters();
    let said = |letter: &Value| -> Vec<(String, String)> {
        let list = letter["schemas"].as_array().expect("the schemas").iter();
        list.map(|s| {
            (s["schema"].as_str().unwrap_or_default().into(), s["reason"].as_str().unwrap_or_default().into())
        })
        .collect()
    };
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    assert_eq!(
        said(&letters[0]),
        [
            pair("Custom.Fast", "no_match"),
            pair("Custom.Json", "bad_value"),
            pair("Custom.Access", "no_match")
        ]
    );
    assert_eq!(letters[0]["schemas"][1]["path"], "n");
    assert_eq!(
        said(&letters[1]),
        [
            pair("Custom.Fast", "no_match"),
            pair("Custom.Json", "not_object"),
            pair("Custom.Access", "no_match")
        ]
    );
}

#[test]
fn a_text_parser_is_no_way_around_the_content_mode() {
    let any = "schema: Custom.Any\nparser: {regex: {match: ['(?P<all>.*)']}}\nfields: [{name: all, type: string}]\n";
    let path = kit::fixture("openai_conversation/chats/input.ndjson");
    let values = kit::values(&path);
    let plan = kit::compile(request(&[any], Content::Metadata));
    let ran = kit::run(&plan, &kit::ndjson(&values), &kit::settings());
    assert!(ran.targets[0].is_empty(), "what a source recognises is no text");
    assert!(!kit::contains(&ran.dead, kit::MARKER));
    assert_eq!(ran.letters().len(), values.len());
    let ran = kit::run(&plan, b"plain text\n", &kit::settings());
    assert_eq!(events(&ran), [json!({"all": "plain text"})]);
    let refused =
        kit::run(&kit::compile(request(&[FAST], Content::Metadata)), b"some secret\n", &kit::settings());
    assert!(!kit::contains(&refused.dead, "secret"), "what is not recognised shows nothing but in full mode");
}

#[test]
fn lines_that_are_no_text_are_refused() {
    let ran = kit::run(&plan(&[FAST]), b"info: \xff\ninfo: ok\n", &kit::settings());
    assert_eq!(events(&ran), [json!({"level": "info", "text": "ok"})]);
    assert_eq!(ran.letters()[0]["reason"], "not_utf8");
    let limits = Limits { record_bytes: 20, ..Limits::default() };
    let long = format!("{}\ninfo: ok\n", "x".repeat(100));
    let ran = kit::run(&plan(&[FAST]), long.as_bytes(), &Settings { limits, ..kit::settings() });
    assert_eq!((events(&ran).len(), ran.letters()[0]["reason"].as_str()), (1, Some("too_large")));
}

#[test]
fn wrong_parsers_are_told_with_their_place() {
    let with =
        |parser: &str| format!("schema: Custom.X\nparser: {parser}\nfields: [{{name: a, type: string}}]\n");
    for (parser, place, message) in [
        ("{csv: {delimiter: ','}}", "2:10", "needs `columns`"),
        ("{csv: {delimiter: '||', columns: [a]}}", "2:27", "one character"),
        ("{fastmatch: {match: ['%{a}%{b}']}}", "2:30", "put text between"),
        ("{fastmatch: {}}", "2:21", "`match` is missing"),
        ("{regex: {match: ['%{WROD:a}']}}", "2:26", "did you mean `WORD`?"),
        ("{regex: {match: ['(?P<a>']}}", "2:26", "unclosed group"),
        ("{regexp: {match: ['x']}}", "2:10", "unknown parser `regexp`"),
        ("{csv: {columns: [a]}, regex: {match: [x]}}", "2:9", "exactly one key"),
        ("json", "2:9", "exactly one key"),
        ("{csv: {columns: [a], expandFields: {b: '%{a'}}}", "2:48", "without `}`"),
    ] {
        let wrong = load(&with(parser)).expect_err(parser);
        let said = wrong
            .iter()
            .map(|d| format!("{d} {}", d.help.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            said.contains(message) && said.starts_with(&format!("schema.yml:{place}:")),
            "{parser}: {said}"
        );
    }
    let (native, _) = load(&with("{native: {name: Some.Thing}}")).expect("it loads");
    assert!(
        native.text.is_none()
            && matches!(native.parser, panther::Parser::Native(name) if name == "Some.Thing")
    );
    // A program loads, so that a folder of schemas can be looked through, but it is not run.
    let (script, _) = load(&with("{script: {function: 'def parse(log): return {}'}}")).expect("it loads");
    let request = Request { targets: vec!["panther".into()], schemas: vec![script], ..Request::default() };
    match Plan::compile(kit::built_in(), &request) {
        Err(Error::Mappings(wrong)) => {
            assert!(wrong[0].to_string().starts_with("schema.yml:2:10: the parser `script`"))
        }
        other => panic!("{other:?}"),
    }
    let (_, warnings) = load(&with("{csv: {columns: [a], delimeter: ';'}}")).expect("it loads");
    assert_eq!(warnings[0].help.as_deref(), Some("did you mean `delimiter`?"));
}

#[test]
fn the_schema_of_a_source_reads_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sources/vpn");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("source.yaml"), "source: vpn\nwhen: {path: product, equals: vpn}\n")
        .expect("a file");
    std::fs::write(path.join("panther.yaml"), FAST).expect("a file");
    let catalog = catalog::load(&[folder.path()]).expect("a catalog");
    let wanted = Request { targets: vec!["panther".into()], ..Request::default() };
    match Plan::compile(&catalog, &wanted) {
        Err(Error::Mappings(wrong)) => assert!(wrong[0].message.contains("--schema"), "{}", wrong[0]),
        other => panic!("{other:?}"),
    }
}

fn cloudwatch(plan: &Plan, text: &str) -> kit::Ran {
    kit::run(plan, text.as_bytes(), &Settings { framing: Framing::CloudWatch, ..kit::settings() })
}

fn envelope(messages: &[&str]) -> Value {
    let events: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(i, m)| json!({"id": i.to_string(), "timestamp": 1, "message": m}))
        .collect();
    json!({"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "g", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events})
}

#[test]
fn the_messages_of_cloudwatch_are_records() {
    let json = plan(&[JSON]);
    let one = envelope(&["{\"product\":\"x\",\"n\":1}", "{\"product\":\"y \\\"z\\\"\"}\n"]);
    let two = envelope(&["not json", "{\"n\":1}"]);
    let control = json!({"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "checking"}]});
    // As Firehose writes them: one behind the other.
    let text = format!("{one}{control}{two}\n{}", serde_json::to_string_pretty(&one).expect("JSON"));
    let ran = cloudwatch(&json, &text);
    let wanted = [json!({"product": "x", "n": 1}), json!({"product": "y \"z\""})];
    assert_eq!(events(&ran), [&wanted[..], &wanted[..]].concat());
    let letters = ran.letters();
    assert_eq!(
        (letters[0]["reason"].as_str(), letters[0]["record"].as_str()),
        (Some("not_json"), Some("not json"))
    );
    assert_eq!(letters[0]["byte"].as_u64(), Some(text.find("\"not json\"").expect("it") as u64));
    assert_eq!(
        (letters[1]["reason"].as_str(), letters[1]["path"].as_str()),
        (Some("missing"), Some("product"))
    );
    assert_eq!(letters.len(), 2);
    let counts = &ran.metrics["targets"]["panther"];
    assert_eq!((&counts["log_entry_count"], &counts["invalid_log_count"]), (&json!(7), &json!(1)));
    let lines = cloudwatch(&plan(&[FAST]), &envelope(&["info: hello", "  "]).to_string());
    assert_eq!((events(&lines), lines.dead.len()), (vec![json!({"level": "info", "text": "hello"})], 0));
}

#[test]
fn what_is_no_cloudwatch_envelope_is_refused() {
    let ran = cloudwatch(
        &plan(&[JSON]),
        "{\"product\":\"x\"}{\"logEvents\":[{\"id\":1},7]}[1]{\"logEvents\":[]}{\"a\":}",
    );
    let reasons: Vec<(Value, Value)> =
        ran.letters().iter().map(|l| (l["reason"].clone(), l["path"].clone())).collect();
    let missing = json!("logEvents[].message");
    assert_eq!(
        reasons[..3],
        [
            (json!("no_records"), json!("logEvents")),
            (json!("no_records"), missing.clone()),
            (json!("no_records"), missing)
        ]
    );
    assert!(reasons[3..].iter().all(|(r, _)| r == "not_object" || r == "not_json"), "{reasons:?}");
    assert!(ran.targets[0].is_empty());
}

fn named(path: &[&str]) -> Plan {
    let records = Some(path.iter().map(|k| k.to_string()).collect());
    kit::compile(Request { records, ..request(&[JSON], Content::Full) })
}

#[test]
fn records_lie_in_the_list_that_is_named() {
    let plan = named(&["result", "items"]);
    let items = "{\"product\":\"x\"},\n {\"product\":\"y\"}";
    for text in [
        format!("{{\"next\":null,\"result\":{{\"items\":[{items}],\"n\":2}}}}"),
        format!(
            "{{\"result\":{{\"items\":[{items}]}}}}\n{{\"result\":{{\"items\":[]}}}}\n{{\"result\":{{\"items\":null}}}}\n"
        ),
        format!("[{items}]"),
        format!("{{\n \"result\": {{\n  \"items\": [\n{items}\n]}}}}\n"),
    ] {
        let ran = run(&plan, &text);
        assert_eq!((events(&ran).len(), ran.letters().len()), (2, 0), "{text}");
        let small = Settings { limits: Limits { batch_bytes: 8, ..Limits::default() }, ..kit::settings() };
        assert_eq!(kit::run(&plan, text.as_bytes(), &small).targets, ran.targets, "{text}");
    }
    let ran = run(&plan, "{\"product\":\"x\"}\n{\"result\":{\"items\":5}}\n{\"result\":{\"items\":[7]}}\n");
    let letters = ran.letters();
    let reasons: Vec<&str> = letters.iter().map(|l| l["reason"].as_str().expect("a reason")).collect();
    assert_eq!(reasons, ["no_records", "no_records", "not_object"]);
    assert_eq!(letters[0]["path"], "result.items");
    // An envelope too long to be looked at whole is taken apart as it arrives.
    let many = vec!["{\"product\":\"x\"}"; 100_000].join(",");
    let ran = run(&plan, &format!("{{\"result\":{{\"items\":[{many}]}}}}"));
    assert_eq!((events(&ran).len(), ran.letters().len()), (100_000, 0));
}

#[test]
fn what_sets_records_apart_is_said_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (fast, json) = (write("fast.yml", FAST), write("json.yml", JSON));
    let lines = write("lines.log", "info: hello\n");
    let envelope = write("envelope.json", "{\"items\":[{\"product\":\"x\"}]}");
    let run = |args: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("logmill")
            .expect("the program")
            .args(args)
            .output()
            .expect("it runs");
        (output.status.code().expect("a status"), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (status, out) = run(&["convert", "--schema", &fast, &lines]);
    assert!(status == 0 && out.contains("\"text\":\"hello\""), "{out}");
    let (status, out) = run(&["convert", "--schema", &json, "--records", "items", &envelope]);
    assert!(status == 0 && out.contains("\"product\":\"x\""), "{out}");
    let (status, out) = run(&["infer", "--records", "items", &envelope]);
    assert!(status == 0 && out.contains("- name: product"), "{out}");
    for wrong in [
        ["--schema", &fast, "--framing", "json"],
        ["--schema", &fast, "--records", "items"],
        ["--schema", &json, "--records", "a..b"],
    ] {
        assert_eq!(run(&[&["convert"], &wrong[..], &[&lines]].concat()).0, 2, "{wrong:?}");
    }
    for framing in ["lines", "cloudwatch"] {
        assert_eq!(
            run(&["convert", "--schema", &json, "--records", "items", "--framing", framing, &lines]).0,
            2
        );
    }
}

const ONE: &str = "schema: Custom.One
fields: [{name: kind, type: string, required: true, validate: {allow: [a, b]}}, {name: n, type: int}]
";
const TWO: &str = "schema: Custom.Two
fields: [{name: kind, type: string, required: true, validate: {allow: [b, c]}}, {name: m, type: int}]
";

#[test]
fn the_most_specific_schema_is_tried_first_whatever_came_before() {
    let any = "schema: Custom.Any\nfields: [{name: kind, type: string}]\n";
    let text = "{\"kind\":\"a\"}\n{\"kind\":\"c\"}\n{\"kind\":\"b\"}\n{\"kind\":\"z\"}\n";
    let types = |schemas: &[&str]| -> Vec<Value> {
        kit::lines(&run(&plan(schemas), text).targets[0]).iter().map(|e| e["p_log_type"].clone()).collect()
    };
    assert_eq!(types(&[any, ONE, TWO]), ["Custom.One", "Custom.Two", "Custom.One", "Custom.Any"]);
    assert_eq!(types(&[TWO, any, ONE]), ["Custom.One", "Custom.Two", "Custom.Two", "Custom.Any"]);
    let ran = run(&plan(&[ONE, TWO]), "{\"kind\":\"z\",\"n\":1}\n{\"kind\":\"b\",\"n\":\"x\",\"m\":\"y\"}\n");
    let letters = ran.letters();
    let reasons = |l: &Value| {
        l["schemas"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|s| format!("{} {} {}", s["schema"], s["reason"], s["path"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        reasons(&letters[0]),
        [r#""Custom.One" "not_allowed" "kind""#, r#""Custom.Two" "not_allowed" "kind""#]
    );
    assert_eq!(reasons(&letters[1]), [r#""Custom.One" "bad_value" "n""#, r#""Custom.Two" "bad_value" "m""#]);
    assert!(run(&plan(&[ONE]), "{}\n").letters()[0].get("schemas").is_none(), "one schema speaks for itself");
}

#[test]
fn ambiguity_is_reported() {
    let warned =
        |schemas: &[&str]| plan(schemas).warnings.iter().map(|w| w.message.clone()).collect::<Vec<_>>();
    let said = warned(&[ONE, TWO]);
    assert!(said.len() == 1 && said[0].contains("`Custom.Two` and `Custom.One`"), "{said:?}");
    assert_eq!(
        warned(&[ONE, &TWO.replace("b, c", "c, d")]),
        Vec::<String>::new(),
        "values exclude each other"
    );
    assert_eq!(warned(&[ONE, "schema: Custom.Any\nfields: [{name: a, type: int}]\n"]), Vec::<String>::new());

    let text =
        "{\"kind\":\"b\",\"n\":1}\n{\"kind\":\"a\"}\n{\"kind\":\"b\",\"m\":\"no\"}\n{\"kind\":\"b\"}\n";
    let plain = run(&plan(&[ONE, TWO]), text);
    assert!(plain.counts.ambiguous.is_empty());
    let asked =
        |schemas: &[&str]| kit::compile(Request { tell_ambiguous: true, ..request(schemas, Content::Full) });
    let told = run(&asked(&[ONE, TWO]), text);
    assert!(
        told.summary.contains("ambiguous: 2 records of Custom.One would be taken by Custom.Two as well"),
        "{}",
        told.summary
    );
    assert_eq!(
        (told.targets, told.metrics),
        (plain.targets, plain.metrics),
        "to be asked changes nothing else"
    );
    // Lines of text too.
    let any = "schema: Custom.Line\nparser: {regex: {match: ['(?P<text>.*)']}}\nfields: [{name: text, type: string}]\n";
    let lines = "info: a\nother\n";
    let (plain, told) = (run(&plan(&[FAST, any]), lines), run(&asked(&[FAST, any]), lines));
    assert!(
        told.summary.contains("ambiguous: 1 record of Custom.Fast would be taken by Custom.Line as well"),
        "{}",
        told.summary
    );
    assert_eq!((told.targets, told.metrics), (plain.targets, plain.metrics));
}

/// A block of mappings/README.md that begins so.
fn documented(start: &str) -> String {
    let text = include_str!("../mappings/README.md");
    let at = text.find(&format!("```text\n{start}")).unwrap_or_else(|| panic!("no block `{start}`")) + 8;
    text[at..].split("```").next().unwrap_or_default().to_string()
}

#[test]
fn the_documented_schema_takes_a_line_apart() {
    let plan = plan(&[&documented("schema: Custom.Proxy")]);
    let ran = run(&plan, "192.0.2.7 \"GET /a HTTP/1.1\" 204\n192.0.2.8 \"POST /b\" 500 -\n");
    assert_eq!(
        events(&ran),
        [
            json!({"client": "192.0.2.7", "request": "GET /a", "status": 204}),
            json!({"client": "192.0.2.8", "request": "POST /b", "status": 500}),
        ],
        "{:?}",
        ran.letters()
    );
}

#[test]
fn the_built_in_patterns_are_documented() {
    let section = include_str!("../mappings/README.md").split("| these grok patterns are built in |").nth(1);
    let table = section.expect("the table").split("\n\n").next().unwrap_or_default();
    let mut documented: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    let mut known: Vec<&str> = logmill::ops::text::pattern_names().collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(128))]

    /// Whatever the lines hold, each is in one place, and nothing depends on how they are cut.
    #[test]
    fn any_line_is_in_one_place(
        lines in proptest::collection::vec(
            proptest::prop_oneof![
                "[ -~\\t]{0,40}",
                "(info|warning): [a-z=\"'\\\\ ]{0,20}( at [0-9]{1,12})?",
                "[a-z\",;\\\\]{0,30}",
                "\\{\"(product|kind)\":(\"[a-c]\"|1|\\{)\\}?",
                proptest::prelude::any::<String>(),
            ],
            0..20,
        ),
        batch_bytes in 1usize..200,
    ) {
        let text = lines.iter().map(|l| l.replace(['\r', '\n'], " ")).collect::<Vec<_>>().join("\n");
        static PLAN: std::sync::OnceLock<Plan> = std::sync::OnceLock::new();
        let plan = PLAN.get_or_init(|| plan(&[CSV, FAST, JSON, ACCESS, TWO]));
        let limits = Limits { batch_bytes, ..Limits::default() };
        let small = kit::run(plan, text.as_bytes(), &Settings { limits, threads: 3, ..kit::settings() });
        let ran = run(plan, &text);
        proptest::prop_assert_eq!(&ran.targets, &small.targets);
        proptest::prop_assert_eq!(&ran.dead, &small.dead);
        let counts = &ran.metrics["targets"]["panther"];
        let number = |key: &str| counts[key].as_u64().expect("a count");
        let all = number("successfully_normalized_log_count") + number("failed_log_count") + number("invalid_log_count");
        proptest::prop_assert_eq!(all, number("log_entry_count"));
        proptest::prop_assert_eq!(number("event_count"), kit::lines(&ran.targets[0]).len() as u64);
        proptest::prop_assert_eq!(number("failed_log_count"), ran.letters().len() as u64);
    }
}
