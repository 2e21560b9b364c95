//! The whole run from memory to nowhere, by everything that its cost may grow with.
//!
//!     cargo bench --bench growth

#[path = "rig/cases.rs"]
mod cases;
mod corpus;
mod rig;

use std::time::Duration;

use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};

fn growth(c: &mut Criterion) {
    for case in cases::all(8 << 20) {
        let mut group = c.benchmark_group(case.group);
        // A run is long enough to be a sample of its own; the whole takes about four minutes.
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
        group.throughput(Throughput::Bytes(case.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(&case.name), |b| {
            b.iter_batched(|| case.input(), |input| case.run(input), BatchSize::PerIteration)
        });
        group.finish();
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
