//! The figures of README: the whole run from memory to nowhere, medians of rounds taken in turns,
//! as Markdown.
//!
//!     cargo bench --bench figures [-- MEGABYTES ROUNDS]

#[path = "rig/cases.rs"]
mod cases;
mod corpus;
mod rig;
#[path = "tape/tape.rs"]
mod tape;

use std::time::{Duration, Instant};

use cases::Case;

/// What is timed: its group and name, its bytes, and one run of it, which says what it took.
struct Timed {
    group: &'static str,
    name: String,
    bytes: usize,
    run: Box<dyn FnMut() -> Duration>,
    seconds: Vec<f64>,
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let bytes = numbers.first().copied().unwrap_or(16) << 20;
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let mut timed = jobs(bytes);
    timed.extend(cases::all(bytes).into_iter().map(of_case));
    timed.push(apart(bytes));
    for round in 0..=rounds {
        for t in &mut timed {
            let took = (t.run)();
            // The first round warms up.
            if round > 0 {
                t.seconds.push(took.as_secs_f64());
            }
        }
    }
    let mut group = "";
    for t in &mut timed {
        if t.group != group {
            group = t.group;
            println!("\n| {group} | MB/s |\n|---|---:|");
        }
        t.seconds.sort_by(f64::total_cmp);
        let median = t.seconds[t.seconds.len() / 2];
        println!("| {} | {:.0} |", t.name, t.bytes as f64 / 1e6 / median);
    }
}

fn of_case(case: Case) -> Timed {
    let (group, name, bytes) = (case.group, case.name.clone(), case.bytes.len());
    let run = Box::new(move || {
        let input = case.input();
        let start = Instant::now();
        std::hint::black_box(case.run(input));
        start.elapsed()
    });
    Timed { group, name, bytes, run, seconds: Vec::new() }
}

/// What two threads could reach on this machine: two runs at once that share nothing.
fn apart(bytes: usize) -> Timed {
    let cases = ["one", "other"].map(|_| {
        let plan = rig::plan(&[], &["udm"], logmill::plan::Content::Full);
        let (group, name, bytes) =
            ("two runs at once, of one thread each", "both".into(), corpus::audit(bytes, 7));
        Case { group, name, plan, bytes, threads: 1 }
    });
    let (group, name, bytes) = (cases[0].group, cases[0].name.clone(), 2 * cases[0].bytes.len());
    let run = Box::new(move || {
        let inputs = cases.each_ref().map(Case::input);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (case, input) in cases.iter().zip(inputs) {
                scope.spawn(|| case.run(input));
            }
        });
        start.elapsed()
    });
    Timed { group, name, bytes, run, seconds: Vec::new() }
}

/// The jobs that are held to numbers, and the yardstick of those of `benches/peers`.
fn jobs(bytes: usize) -> Vec<Timed> {
    const GROUP: &str = "job, one thread";
    let mut timed = Vec::new();
    for job in rig::JOBS {
        let (plan, bytes) = (job.plan(), (job.corpus)(bytes, 7));
        timed.push(of_case(Case { group: GROUP, name: job.name.replace('-', " "), plan, bytes, threads: 1 }));
    }
    for (name, job, ndjson) in [
        ("audit", tape::Job::Audit, corpus::audit(bytes, 7)),
        ("conversation", tape::Job::Conversation, corpus::conversations(bytes, 7)),
    ] {
        let name = format!("peers {name}, by simd-json tape");
        let (mut worker, mut out, bytes) = (tape::Worker::default(), Vec::new(), ndjson.len());
        let run = Box::new(move || {
            let start = Instant::now();
            // A batch at a time, as the run above takes its memory.
            let mut rest = &ndjson[..];
            while !rest.is_empty() {
                let end =
                    memchr::memrchr(b'\n', &rest[..rest.len().min(256 << 10)]).map_or(rest.len(), |i| i + 1);
                out.clear();
                worker.run(job, &rest[..end], &mut out);
                std::hint::black_box(&out);
                rest = &rest[end..];
            }
            start.elapsed()
        });
        timed.push(Timed { group: GROUP, name, bytes, run, seconds: Vec::new() });
    }
    timed
}
