//! Instructions of the hot path on fixed data, held to the numbers in `counts.txt` beside this
//! file. Instructions are what noise cannot change: valgrind counts them, whatever else the
//! machine does.
//!
//!     cargo bench --bench instructions                # compare; fails past 5 % more or less
//!     cargo bench --bench instructions -- --update    # write the numbers anew
//!
//! Each job runs in a process of its own, once with four passes over its data and once with
//! twenty: a sixteenth of the difference is one pass in the steady state, without start-up and when what
//! records have in common is known. A start alone, in which the
//! built-in mappings are read and compiled, is held to a limit. Valgrind offers no
//! AVX-512, so the level below it is what is counted, on every x86-64 machine that has AVX2; on a
//! machine of another level nothing can be compared, and that is said.

#[path = "../rig/callgrind.rs"]
mod callgrind;
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../rig/mod.rs"]
mod rig;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use logmill::catalog;
use logmill::json::Level;
use logmill::plan::{Plan, Request};

const BYTES: usize = 512 << 10;
const SEED: u64 = 7;
const TOLERANCE: f64 = 0.05;
/// Of so many runs the least is taken.
const RUNS: usize = 2;
/// What a start may take, so that it stays below 15 ms: 35 million took 13 on a busy machine, 41 took 19. It
/// grows with the mappings.
const MOST_TO_START: u64 = 40_000_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pass", job, passes] => pass(job, passes.parse().expect("a number")),
        ["start", target] => drop(start(target)),
        ["level"] => println!("{:?}", Level::best()),
        ["--update"] => return finish(count().and_then(|found| write(&found))),
        [] => return finish(starts().and_then(|()| count()).and_then(|found| compare(&found))),
        _ => return finish(Err("usage: cargo bench --bench instructions [-- --update]".into())),
    }
    ExitCode::SUCCESS
}

fn finish(result: Result<(), String>) -> ExitCode {
    let Err(message) = result else { return ExitCode::SUCCESS };
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// What is counted.
fn pass(job: &str, passes: usize) {
    let job = rig::JOBS.iter().find(|j| j.name == job).expect("a job");
    let plan = job.plan();
    let mut batches = rig::batches(&(job.corpus)(BYTES, SEED), &plan);
    let mut worker = rig::Worker::new(&plan);
    for _ in 0..passes {
        std::hint::black_box(worker.pass(&plan, &mut batches));
    }
}

fn start(target: &str) -> Plan {
    let targets = [target.to_string()];
    let catalog = catalog::load_for(&[], &targets).expect("the mappings load");
    let request = Request { targets: targets.into(), ..Request::default() };
    Plan::compile(&catalog, &request).expect("the mappings compile")
}

fn starts() -> Result<(), String> {
    let built_in = rig::JOBS.iter().filter(|job| job.folder.is_none());
    let mut targets: Vec<&str> = built_in.map(|job| job.target).collect();
    targets.sort();
    targets.dedup();
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    for target in targets {
        let (_, count) = callgrind::count(&program, &["start", target])?;
        println!("{:30} {count:>10} instructions", format!("start-to-{target}"));
        if count > MOST_TO_START {
            return Err(format!("a start to {target}: {count} instructions, {MOST_TO_START} are allowed"));
        }
    }
    Ok(())
}

/// One run's numbers: the level of the index, and instructions of one pass by job.
struct Found {
    level: String,
    counts: BTreeMap<String, u64>,
}

fn count() -> Result<Found, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let (level, _) = callgrind::count(&program, &["level"])?;
    let mut counts = BTreeMap::new();
    for job in rig::JOBS {
        // Where memory lies and how hashes are seeded differ from run to run: by up to 4 % of a job.
        let of = |passes| {
            let runs = (0..RUNS).map(|_| callgrind::count(&program, &["pass", job.name, passes]));
            let counts: Result<Vec<u64>, String> = runs.map(|run| run.map(|(_, count)| count)).collect();
            Ok::<u64, String>(counts?.into_iter().min().unwrap_or_default())
        };
        counts.insert(job.name.to_string(), (of("20")? - of("4")?) / 16);
    }
    Ok(Found { level: level.trim().to_string(), counts })
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/counts.txt")
}

fn write(found: &Found) -> Result<(), String> {
    let mut text = format!(
        "# Instructions of one pass over {BYTES} bytes; written by cargo bench --bench instructions -- --update\n"
    );
    text += &format!("level {}\n", found.level);
    for (job, count) in &found.counts {
        text += &format!("{job} {count}\n");
        println!("{}", line(job, *count, None));
    }
    std::fs::write(file(), text).map_err(|e| format!("{}: {e}", file().display()))
}

fn read() -> Result<Found, String> {
    let text = std::fs::read_to_string(file()).map_err(|e| format!("{}: {e}", file().display()))?;
    let mut found = Found { level: String::new(), counts: BTreeMap::new() };
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        match line.split_once(' ') {
            Some(("level", level)) => found.level = level.to_string(),
            Some((job, count)) => {
                let count = count.parse().map_err(|_| format!("counts.txt: `{line}` has no count"))?;
                found.counts.insert(job.to_string(), count);
            }
            None => return Err(format!("counts.txt: `{line}` is no job and count")),
        }
    }
    Ok(found)
}

fn line(job: &str, count: u64, known: Option<u64>) -> String {
    let per_byte = count as f64 / BYTES as f64;
    let change =
        known.map_or(String::new(), |k| format!("{:+.1} %", 100.0 * (count as f64 / k as f64 - 1.0)));
    format!("{job:30} {count:>10} instructions {per_byte:>6.2} a byte  {change}")
}

fn compare(found: &Found) -> Result<(), String> {
    let known = read()?;
    if known.level != found.level {
        println!(
            "instructions are recorded for {}, this machine has {}: nothing is compared",
            known.level, found.level
        );
        return Ok(());
    }
    let mut wrong = Vec::new();
    for (job, &count) in &found.counts {
        let expected = known.counts.get(job).copied();
        println!("{}", line(job, count, expected));
        match expected {
            Some(expected) if (count as f64 / expected as f64 - 1.0).abs() <= TOLERANCE => {}
            Some(expected) => wrong.push(format!("{job}: {count} instructions, {expected} were recorded")),
            None => wrong.push(format!("{job}: nothing recorded")),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nmore than {:.0} % from what is recorded. If that is meant, write the numbers anew and say why:\n\
         cargo bench --bench instructions -- --update",
        wrong.join("\n"),
        100.0 * TOLERANCE
    ))
}
