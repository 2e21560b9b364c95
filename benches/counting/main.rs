//! What counting costs. The same jobs in two builds: this one, and one that counts records and
//! where they went, but neither leaves nor fields nor record types, and does not look for them.
//!
//!     cargo bench --bench counting
//!
//! Says what part of the instructions (where valgrind can be had) and of the time is gone without
//! counting. Times are CPU times, the least of rounds taken in turns, of passes over memory on one thread.
//! About two minutes, once both are built.

#[path = "../rig/callgrind.rs"]
mod callgrind;
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../rig/mod.rs"]
mod rig;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use rig::Job;

const SEED: u64 = 7;
/// Bytes of a corpus under valgrind, and of one that is timed.
const COUNTED: usize = 512 << 10;
const TIMED: usize = 4 << 20;
const ROUNDS: usize = 5;
const PASSES: usize = 50;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let job = |name: &str| *rig::JOBS.iter().find(|j| j.name == name).expect("a job");
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pass", name, passes] => {
            pass(job(name), COUNTED, passes.parse().expect("a number"));
            Ok(())
        }
        ["time", name] => {
            println!("{}", pass(job(name), TIMED, PASSES));
            Ok(())
        }
        [] => report(),
        _ => Err("usage: cargo bench --bench counting".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Nanoseconds of CPU time that a pass over a job's corpus takes, the mean of some.
fn pass(job: Job, bytes: usize, passes: usize) -> u128 {
    let plan = job.plan();
    let mut batches = rig::batches(&(job.corpus)(bytes, SEED), &plan);
    let mut worker = rig::Worker::new(&plan);
    let (start, cpu) = (Instant::now(), cpu_nanos());
    for _ in 0..passes {
        std::hint::black_box(worker.pass(&plan, &mut batches));
    }
    let all = match (cpu, cpu_nanos()) {
        (Some(before), Some(now)) => now - before,
        _ => start.elapsed().as_nanos(),
    };
    all / passes as u128
}

/// What this thread has had of a processor, to some milliseconds and where the system says so: less than
/// by the clock, this depends on what else the machine does.
fn cpu_nanos() -> Option<u128> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn report() -> Result<(), String> {
    let counted = std::env::current_exe().map_err(|e| e.to_string())?;
    let uncounted = build_uncounted()?;
    println!("| job | instructions a byte | of them counting | MB/s | of the time counting |");
    println!("|---|---:|---:|---:|---:|");
    for job in rig::JOBS {
        let count = |program| instructions(program, job.name);
        let (per_byte, of_them) = match (count(&counted), count(&uncounted)) {
            (Ok(with), Ok(without)) => {
                (format!("{:.1}", with as f64 / COUNTED as f64), part(with as f64, without as f64))
            }
            (Err(e), _) | (_, Err(e)) => {
                eprintln!("{e}");
                ("".into(), "".into())
            }
        };
        let (mut with, mut without) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            with = with.min(time(&counted, job.name)?);
            without = without.min(time(&uncounted, job.name)?);
        }
        let rate = TIMED as f64 * 1e3 / with;
        println!("| {} | {per_byte} | {of_them} | {rate:.0} | {} |", job.name, part(with, without));
    }
    Ok(())
}

/// What is gone without counting.
fn part(with: f64, without: f64) -> String {
    format!("{:.1} %", 100.0 * (1.0 - without / with))
}

/// Of one pass in the steady state: what is learned of a structure is learned in the first few.
fn instructions(program: &Path, job: &str) -> Result<u64, String> {
    let of = |passes| callgrind::count(program, &["pass", job, passes]).map(|(_, count)| count);
    Ok((of("8")? - of("4")?) / 4)
}

fn time(program: &Path, job: &str) -> Result<f64, String> {
    let run = Command::new(program).args(["time", job]).output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&run.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("{}: {}", program.display(), String::from_utf8_lossy(&run.stderr)))
}

/// This program once more, with this package compiled by the script beside this file. Without its
/// default features, so that cargo leaves no `logmill` that does not count where the other one lies.
fn build_uncounted() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = Command::new(env!("CARGO"))
        .current_dir(root)
        .env("RUSTC_WORKSPACE_WRAPPER", root.join("benches/counting/uncounted"))
        .args(["bench", "--no-run", "--bench", "counting", "--no-default-features"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo cannot be started: {e}"))?;
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let this = message["target"]["name"] == "counting";
        message["executable"].as_str().filter(|_| this).map(PathBuf::from)
    };
    let found = String::from_utf8_lossy(&run.stdout).lines().filter_map(executable).next_back();
    found.ok_or_else(|| "cargo has built nothing".into())
}
