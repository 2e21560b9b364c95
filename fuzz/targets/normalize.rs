//! The whole run on any bytes, in every content mode, with one thread and with two: no panic, every
//! event is JSON, every record is in exactly one place, the same bytes come out.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use logmill::catalog;
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::run::{self, Clock, From, Input, Settings, Sinks};

fn plans() -> &'static [Plan] {
    static PLANS: OnceLock<Vec<Plan>> = OnceLock::new();
    PLANS.get_or_init(|| {
        let catalog = catalog::load(&[]).expect("the built-in mappings load");
        [Content::Full, Content::Metadata, Content::None]
            .into_iter()
            .map(|content| {
                let targets = catalog.targets.keys().cloned().collect();
                Plan::compile(&catalog, &Request { targets, content, ..Request::default() })
                    .expect("the built-in mappings compile")
            })
            .collect()
    })
}

/// The output of every target, the dead letters last.
fn outputs(plan: &Plan, bytes: &[u8], threads: usize) -> Vec<Vec<u8>> {
    let settings = Settings {
        threads,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 7,
        ..Settings::default()
    };
    let mut texts = vec![Vec::new(); plan.targets.len()];
    let mut dead = Vec::new();
    let input = Input { name: "fuzz".into(), from: From::Memory(bytes.to_vec()) };
    let outcome = {
        let targets = texts.iter_mut().map(|t| Some(Box::new(t) as Box<dyn std::io::Write + Send>)).collect();
        let mut letter = |d: &logmill::normalize::Dead, names: &logmill::normalize::NamesOf| {
            d.write(names, &mut dead);
            Ok(())
        };
        let mut sinks = Sinks { targets, dead: &mut letter, progress: &mut |_, _| {} };
        run::run(plan, vec![input], &settings, &mut sinks).expect("memory can be read")
    };
    for target in 0..plan.targets.len() {
        let types = outcome.counts.sources.iter().flat_map(|types| types.values());
        let places: u64 =
            types.map(|t| &t.targets[target]).map(|o| o.normalized + o.dropped + o.dead()).sum();
        assert_eq!(places, outcome.counts.records, "every record is in one place");
    }
    texts.push(dead);
    texts
}

fuzz_target!(|bytes: &[u8]| {
    for plan in plans() {
        let one = outputs(plan, bytes, 1);
        for text in &one {
            assert!(text.is_empty() || text.ends_with(b"\n"));
            for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                let line = std::str::from_utf8(line).expect("the output is UTF-8");
                serde_json::from_str::<serde::de::IgnoredAny>(line).expect("the output is JSON");
            }
        }
        if bytes.len() % 16 == 0 {
            assert_eq!(outputs(plan, bytes, 2), one, "two threads write what one does");
        }
    }
});
