//! Where the time goes. The stages are cumulative: each group does what the one before it does and
//! one thing more, so differences are the cost of a stage.
//!
//! cargo bench --bench stages

mod corpus;
mod rig;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use logmill::json::{self, Slots};
use logmill::plan::{Content, Plan};
use rig::{Worker, batches};

const SIZE: usize = 8 << 20;

fn plan(targets: &[&str]) -> Plan {
    rig::plan(&[], targets, Content::Full)
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
            let mut batches = batches(&ndjson, &plan);
            let mut worker = Worker::new(&plan);
            group.throughput(Throughput::Bytes(ndjson.len() as u64));
            let id =
                BenchmarkId::new(name, if targets.is_empty() { "none".into() } else { targets.join("+") });
            group.bench_function(id, |b| b.iter(|| black_box(worker.pass(&plan, &mut batches))));
        }
        group.finish();
    }
}

criterion_group!(benches, cut, walk, normalize);
criterion_main!(benches);
