//! Several workers on one input: what they write stays in order, and a sink that fails or panics ends
//! the run.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use logmill::catalog;
use logmill::error::Error;
use logmill::input::Place;
use logmill::ops::time::Instant;
use logmill::plan::{Plan, Request};
use logmill::records::Limits;
use logmill::run::{self, Clock, Input, Settings, Sinks};
use serde_json::json;

fn plan() -> Plan {
    let catalog = catalog::load(&[]).unwrap();
    Plan::compile(&catalog, &Request { targets: vec!["udm".into()], ..Request::default() }).unwrap()
}

/// Short lines behind a first one that takes as long as many of them.
fn lines() -> tempfile::NamedTempFile {
    let event = |i: usize, agent: &str| {
        json!({"object": "organization.audit_log", "id": format!("audit_log-{i:06}"),
            "type": "login.succeeded", "effective_at": 1749908841,
            "actor": {"type": "session", "session": {"user": {"id": "user-1", "email": "a.b@example.com"},
            "ip_address": "198.51.100.77", "user_agent": agent}}})
        .to_string()
            + "\n"
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(event(0, &"agent".repeat(1 << 16)).as_bytes()).unwrap();
    for i in 1..6000 {
        file.write_all(event(i, "agent").as_bytes()).unwrap();
    }
    file
}

fn run_on(
    path: &std::path::Path,
    threads: usize,
    sink: Box<dyn Write + Send + '_>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<run::Outcome, Error> {
    let settings = Settings {
        threads,
        clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
        seed: 0,
        limits: Limits { batch_bytes: 4096, ..Limits::default() },
        ..Settings::default()
    };
    let mut sinks = Sinks { targets: vec![Some(sink)], dead: &mut |_, _| Ok(()), progress };
    run::run(&plan(), vec![Input::place(Place::File(path.into()))], &settings, &mut sinks)
}

#[test]
fn output_is_in_order() {
    let file = lines();
    let mut outputs = Vec::new();
    for threads in [1, 2, 4, 7] {
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        let mut progress = |records: u64, _: u64| seen.push(records);
        run_on(file.path(), threads, Box::new(&mut out), &mut progress).unwrap();
        assert!(seen.is_sorted() && seen.last() == Some(&6000), "{threads} threads: {seen:?}");
        outputs.push(out);
    }
    assert!(outputs[0].len() > 1 << 20 && outputs.iter().all(|out| *out == outputs[0]));
}

/// Writes so often, then fails or panics.
struct Failing {
    left: usize,
    panics: bool,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None if self.panics => panic!("the sink panics"),
            None => return Err(io::Error::other("the sink is full")),
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    let file = lines();
    for threads in [1, 2, 4] {
        for left in [0, 1, 60] {
            let mut done = 0;
            let sink = Box::new(Failing { left, panics: false });
            let ran = run_on(file.path(), threads, sink, &mut |records, _| done = records);
            let error = ran.unwrap_err().to_string();
            assert!(error.contains("the sink is full"), "{error}");
            assert!(done < 6000, "{threads} threads went on");
            let sink = Box::new(Failing { left, panics: true });
            let ran = catch_unwind(AssertUnwindSafe(|| run_on(file.path(), threads, sink, &mut |_, _| {})));
            assert!(ran.is_err(), "{threads} threads: the panic of a sink is lost");
        }
    }
}
