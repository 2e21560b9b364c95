//! Where the time goes. The stages are cumulative: each group does what the one before it does and
//! one thing more, so differences are the cost of a stage.
//!
//! cargo bench --bench stages

mod corpus;

use std::hint::black_box;
use std::io::Cursor;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logmill::catalog;
use logmill::input::Reader;
use logmill::json::{self, Slots};
use logmill::normalize::{self, Output, Scratch};
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Batch, Cutter, Framing, Limits};
use logmill::run::{self, Clock, From, Input, Settings, Sinks};

const SIZE: usize = 8 << 20;

fn plan(targets: &[&str]) -> Plan {
    let catalog = catalog::load(&[]).expect("built-in mappings load");
    let targets = targets.iter().map(|t| t.to_string()).collect();
    let request = Request { targets, content: Content::Full, ..Request::default() };
    Plan::compile(&catalog, &request).expect("built-in mappings compile")
}

fn batches(bytes: &[u8], plan: &Plan) -> Vec<Batch> {
    let reader = Reader::of("bench", Cursor::new(bytes.to_vec()));
    let mut cutter = Cutter::new(reader, 0, Framing::Auto, Limits::default(), &plan.envelope_paths);
    std::iter::from_fn(|| cutter.next(Vec::new())).map(|b| b.expect("memory can be read")).collect()
}

fn corpora() -> [(&'static str, Vec<u8>); 2] {
    [("audit", corpus::audit(SIZE, 7)), ("conversation", corpus::conversations(SIZE, 7))]
}

/// Bytes to batches.
fn cut(c: &mut Criterion) {
    let plan = plan(&[]);
    let mut group = c.benchmark_group("cut");
    for (name, ndjson) in corpora() {
        for (framing, bytes) in [("ndjson", ndjson.clone()), ("envelope", corpus::envelope(&ndjson))] {
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_function(BenchmarkId::new(name, framing), |b| {
                b.iter(|| black_box(batches(&bytes, &plan).len()))
            });
        }
    }
    group.finish();
}

/// One strict pass beside the trie, raw slices out.
fn walk(c: &mut Criterion) {
    let plan = plan(&["udm", "panther"]);
    let mut group = c.benchmark_group("walk");
    for (name, ndjson) in corpora() {
        group.throughput(Throughput::Bytes(ndjson.len() as u64));
        let (mut index, mut slots) = (json::Index::default(), Slots::new(&plan.want));
        group.bench_function(name, |b| {
            b.iter(|| {
                for line in ndjson.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
                    index.build(line, 0..line.len());
                    let end = json::walk(&plan.want, line, index.marks(), 0, 128, &mut slots);
                    black_box(end).expect("the corpus is JSON");
                }
            })
        });
    }
    group.finish();
}

/// A batch through the plan: with no target it is walked, recognised and counted; each target adds
/// its shape.
fn normalize(c: &mut Criterion) {
    for (group_name, targets) in [
        ("classify and fill", vec![]),
        ("write", vec!["udm"]),
        ("write", vec!["panther"]),
        ("write", vec!["udm", "panther"]),
    ] {
        let plan = plan(&targets);
        let mut group = c.benchmark_group(group_name);
        for (name, ndjson) in corpora() {
            let batches = batches(&ndjson, &plan);
            let (mut scratch, mut output) = (Scratch::new(&plan), Output::default());
            group.throughput(Throughput::Bytes(ndjson.len() as u64));
            let id =
                BenchmarkId::new(name, if targets.is_empty() { "none".into() } else { targets.join("+") });
            group.bench_function(id, |b| {
                b.iter(|| {
                    for batch in &batches {
                        let now = Instant { secs: 0, nanos: 0 };
                        normalize::batch(&plan, batch, &Limits::default(), now, &mut scratch, &mut output);
                        black_box(output.records);
                    }
                })
            });
        }
        group.finish();
    }
}

/// The whole run from memory to nowhere, by threads.
fn whole(c: &mut Criterion) {
    let plan = plan(&["udm"]);
    let mut group = c.benchmark_group("whole");
    group.sample_size(20);
    for (name, ndjson) in corpora() {
        group.throughput(Throughput::Bytes(ndjson.len() as u64));
        for threads in [1, 2, 4] {
            let settings = Settings {
                threads,
                clock: Clock::Fixed(Instant { secs: 0, nanos: 0 }),
                seed: 0,
                ..Settings::default()
            };
            group.bench_function(BenchmarkId::new(name, threads), |b| {
                b.iter(|| {
                    let input = Input { name: "bench".into(), from: From::Memory(ndjson.clone()) };
                    let mut sinks = Sinks {
                        targets: vec![Some(Box::new(std::io::sink()))],
                        dead: &mut |_, _| Ok(()),
                        progress: &mut |_, _| {},
                    };
                    run::run(&plan, vec![input], &settings, &mut sinks)
                        .expect("memory can be read")
                        .counts
                        .records
                })
            });
        }
    }
    group.finish();
}

criterion_group!(benches, cut, walk, normalize, whole);
criterion_main!(benches);
