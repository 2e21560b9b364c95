//! Counts the instructions of a program. Knows nothing of what it does.

use std::path::Path;
use std::process::Command;

/// Runs a program under valgrind; what it printed, and its instructions.
pub fn count(program: &Path, args: &[&str]) -> Result<(String, u64), String> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(args)
        // Where bytes happen to lie decides whether glibc moves many at once by one instruction for all,
        // which is counted for each of them, or by vectors: 8 % of a job, by the length of a path.
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824",
        )
        .output()
        .map_err(|e| format!("valgrind cannot be started: {e}"))?;
    let report = String::from_utf8_lossy(&run.stderr);
    let total =
        report.lines().find_map(|l| l.split_once("Collected :")).and_then(|(_, n)| n.trim().parse().ok());
    match total {
        Some(total) if run.status.success() => Ok((String::from_utf8_lossy(&run.stdout).into_owned(), total)),
        _ => Err(format!("valgrind {}: {}\n{report}", args.join(" "), run.status)),
    }
}
