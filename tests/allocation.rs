//! In the steady state the hot path allocates nothing: a worker that has seen such records before
//! sends them through its tables out of the memory that it has.

#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "../benches/rig/mod.rs"]
mod rig;

/// What is still allowed, in allocations a record. An entry that is no longer needed fails the
/// test, and goes.
const ALLOWED: &[(&str, f64)] = &[];

const BYTES: usize = 300_000;

#[test]
fn a_warm_worker_allocates_nothing() {
    let mut wrong = Vec::new();
    for job in rig::JOBS {
        let plan = job.plan();
        let mut batches = rig::batches(&(job.corpus)(BYTES, 7), &plan);
        let mut worker = rig::Worker::new(&plan);
        // The first passes learn the names of the corpus and the structures of its records, long ones
        // bit by bit, and find the sizes of the buffers.
        for _ in 0..10 {
            worker.pass(&plan, &mut batches);
        }
        let mut records = 0;
        let found = allocation_counter::measure(|| records = worker.pass(&plan, &mut batches).0);
        assert!(records > 10, "{}: the corpus has records", job.name);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == job.name).map_or(0.0, |a| a.1);
        let each = found.count_total as f64 / records as f64;
        if each > allowed || (each == 0.0 && allowed > 0.0) {
            wrong.push(format!("{}: {each} allocations a record, {allowed} are allowed", job.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The counter counts: what is measured elsewhere as nothing is not nothing for want of counting.
#[test]
fn the_counter_sees_what_a_cold_worker_allocates() {
    let job = &rig::JOBS[0];
    let plan = job.plan();
    let mut batches = rig::batches(&(job.corpus)(BYTES, 7), &plan);
    let found = allocation_counter::measure(|| {
        rig::Worker::new(&plan).pass(&plan, &mut batches);
    });
    assert!(found.count_total > 10, "{found:?}");
}
