//! The yardstick as a program: NDJSON in, NDJSON out, one thread.
//!
//!     cargo bench --bench tape -- audit|conversation IN OUT

mod tape;

use std::fs::File;
use std::io::{Read, Write};

const CHUNK: usize = 256 << 10;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [job, input, output] = &args[..] else {
        eprintln!("usage: tape audit|conversation IN OUT");
        return Ok(());
    };
    let job = if job == "audit" { tape::Job::Audit } else { tape::Job::Conversation };
    let (mut input, mut output) = (File::open(input)?, File::create(output)?);
    let (mut worker, mut text, mut out) = (tape::Worker::default(), Vec::new(), Vec::new());
    loop {
        let held = text.len();
        text.resize(held + CHUNK, 0);
        let n = input.read(&mut text[held..])?;
        text.truncate(held + n);
        let whole = match memchr::memrchr(b'\n', &text) {
            _ if n == 0 => text.len(),
            Some(end) => end + 1,
            None => continue,
        };
        worker.run(job, &text[..whole], &mut out);
        output.write_all(&out)?;
        out.clear();
        text.drain(..whole);
        if n == 0 {
            return Ok(());
        }
    }
}
