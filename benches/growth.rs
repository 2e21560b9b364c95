//! The whole run from memory to nowhere, by everything that its cost may grow with.
//!
//!     cargo bench --bench growth

#[path = "rig/cases.rs"]
mod cases;
mod corpus;
mod rig;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn growth(c: &mut Criterion) {
    for case in cases::all(8 << 20) {
        let mut group = c.benchmark_group(case.group);
        group.sample_size(10);
        group.throughput(Throughput::Bytes(case.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(&case.name), |b| b.iter(|| case.run()));
        group.finish();
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
