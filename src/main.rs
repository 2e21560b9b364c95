//! The program: flags, outputs, exit codes, and the only printing. Knows nothing of how anything
//! is done.

#![deny(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = cli::Args::parse();
    match cli::run(args) {
        Ok(status) => ExitCode::from(status),
        Err(e) if e.is_broken_pipe() => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("logmill: {e}");
            ExitCode::from(2)
        }
    }
}
