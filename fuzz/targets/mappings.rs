//! Mapping files as anybody may write them: Panther schemas, tables, sources and targets are read and
//! compiled, or refused with places that lie in the file, and never panic. What compiles is run over
//! a few records.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use logmill::catalog::{self, Catalog, Mapping};
use logmill::error::{Diagnostic, Error};
use logmill::ops::time::Instant;
use logmill::panther;
use logmill::plan::{Content, Plan, Request};
use logmill::run::{self, Clock, From, Input, Settings, Sinks};
use logmill::table::{SourceDef, Table, TargetDef};
use logmill::yaml::{self, Source};

const RECORDS: &[u8] = br#"{"object":"organization.audit_log","id":"a","type":"user.added","effective_at":1767225600,"user.added":{"id":"u","data":{"role":"owner"}},"actor":{"type":"session","session":{"ip_address":"192.0.2.1","user":{"id":"u2","email":"a@example.com"}}}}
{"object":"organization.audit_log","id":"","type":[],"effective_at":"2026-01-01T00:00:00Z","actor":null}
{"a":1,"b":["x","y",{"c":null}],"time":1767225600.5,"d":{"e":"\u00e9\ud800","f":true}}
"#;

fn built_in() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| catalog::load(&[]).expect("the built-in mappings load"))
}

/// What is refused is said, with its frame.
fn told(list: &[Diagnostic]) {
    assert!(!list.is_empty(), "what is refused is said");
    let text = Error::Mappings(list.to_vec()).to_string();
    assert!(list.iter().all(|d| text.contains(&d.message)));
}

fn compile_and_run(catalog: &Catalog, request: Request) {
    let plan = match Plan::compile(catalog, &request) {
        Ok(plan) => plan,
        Err(Error::Mappings(list)) => return told(&list),
        Err(_) => return,
    };
    let input = Input { name: "fuzz".into(), from: From::Memory(RECORDS.to_vec()) };
    let settings = Settings {
        threads: 1,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 7,
        ..Settings::default()
    };
    let mut text = Vec::new();
    let mut sinks = Sinks {
        targets: vec![Some(Box::new(&mut text))],
        dead: &mut |_, _| Ok(()),
        progress: &mut |_, _| {},
    };
    run::run(&plan, vec![input], &settings, &mut sinks).expect("memory can be read");
    drop(sinks);
    for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        serde_json::from_slice::<serde::de::IgnoredAny>(line).expect("the output is JSON");
    }
}

fn request(target: &str) -> Request {
    Request { targets: vec![target.to_string()], content: Content::Full, ..Request::default() }
}

fuzz_target!(|input: &[u8]| {
    let [how, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let source = Source::new("fuzz.yaml", text);
    let root = match yaml::parse(&source) {
        Ok(root) => root,
        Err(list) => return told(&list),
    };
    let mut catalog = built_in().clone();
    match how % 4 {
        0 => match panther::parse(&source, &root) {
            Ok((schema, _)) => {
                compile_and_run(&catalog, Request { schemas: vec![schema], ..request("panther") })
            }
            Err(list) => told(&list),
        },
        1 => match Table::parse(&source, &root) {
            Ok(table) => {
                let pair = ("openai_audit".to_string(), "udm".to_string());
                catalog.mappings.insert(pair, Mapping::Table(table));
                compile_and_run(&catalog, request("udm"));
            }
            Err(list) => told(&list),
        },
        2 => match SourceDef::parse(&source, &root) {
            Ok(def) => {
                catalog.sources.insert(def.name.clone(), def);
                catalog.sources.sort_keys();
                compile_and_run(&catalog, request("udm"));
            }
            Err(list) => told(&list),
        },
        _ => match TargetDef::parse(&source, &root) {
            Ok(def) => {
                let name = def.name.clone();
                catalog.targets.insert(name.clone(), def);
                compile_and_run(&catalog, request(&name));
            }
            Err(list) => told(&list),
        },
    }
});
