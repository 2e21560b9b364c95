//! What cost may grow with, one case for each size: record, mapped and unmapped leaves, targets,
//! sources, threads, framing. Leaves, targets and sources are generated mapping folders over
//! generated records.

use std::fmt::Write;
use std::path::Path;

use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan};
use logmill::run::{self, Clock, From, Input, Settings, Sinks};

use crate::corpus;
use crate::rig::plan;

/// One size of one group.
pub struct Case {
    pub group: &'static str,
    pub name: String,
    pub plan: Plan,
    pub bytes: Vec<u8>,
    pub threads: usize,
}

impl Case {
    /// The bytes for one run: to copy them is not part of it.
    pub fn input(&self) -> Vec<Input> {
        vec![Input { name: "bench".into(), from: From::Memory(self.bytes.clone()) }]
    }

    /// The whole run, from memory to nowhere; gives the records.
    pub fn run(&self, input: Vec<Input>) -> u64 {
        let settings = Settings {
            threads: self.threads,
            clock: Clock::Fixed(Instant { secs: 1_767_225_600, nanos: 0 }),
            seed: 0,
            ..Settings::default()
        };
        let targets = self.plan.targets.iter().map(|_| {
            let sink: Box<dyn std::io::Write + Send> = Box::new(std::io::sink());
            Some(sink)
        });
        let mut sinks =
            Sinks { targets: targets.collect(), dead: &mut |_, _| Ok(()), progress: &mut |_, _| {} };
        run::run(&self.plan, input, &settings, &mut sinks).expect("memory can be read").counts.records
    }
}

const LEAVES: usize = 300;

/// All cases, each with about so many bytes of records.
pub fn all(bytes: usize) -> Vec<Case> {
    let none: [&Path; 0] = [];
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/mappings");
    let mut cases = Vec::new();
    let mut add = |group, name: String, plan, bytes, threads| {
        cases.push(Case { group, name, plan, bytes, threads });
    };
    let sizes =
        [(1 << 10, "1 KB"), (4 << 10, "4 KB"), (16 << 10, "16 KB"), (128 << 10, "128 KB"), (2 << 20, "2 MB")];
    add("record size", "0.5 KB".into(), plan(&none, &["udm"], Content::Full), corpus::audit(bytes, 7), 1);
    for (group, extra) in
        [("record size", &none[..]), ("record size, by the table of benches/peers", &[&*peers][..])]
    {
        for (size, name) in sizes {
            // As many bytes of each size, and enough for most of the largest records to resemble those before.
            let records = corpus::conversations_of(size, bytes.max(96 << 20), 7);
            add(group, name.into(), plan(extra, &["udm"], Content::Full), records, 1);
        }
    }
    for mapped in [5, 20, 100, LEAVES] {
        let records = corpus::flat(LEAVES, 0, bytes, 7);
        let name = format!("{mapped} of {LEAVES}");
        add("mapped leaves", name, flat(mapped, 1, 0), records, 1);
    }
    for unmapped in [0, 20, 100, 300] {
        let records = corpus::flat(20, unmapped, bytes, 7);
        add("unmapped leaves beside 20 mapped", unmapped.to_string(), flat(20, 1, 0), records, 1);
    }
    for targets in 1..=6 {
        let records = corpus::flat(100, 0, bytes, 7);
        add("targets of 100 leaves", targets.to_string(), flat(100, targets, 0), records, 1);
    }
    for sources in [0, 10, 50] {
        let records = corpus::audit(bytes, 7);
        let name = format!("built-in and {sources}");
        add("sources loaded", name, sources_beside(sources), records, 1);
    }
    for threads in [1, 2, 4] {
        let plan = plan(&none, &["udm"], Content::Full);
        add("threads", threads.to_string(), plan, corpus::audit(bytes, 7), threads);
    }
    for (corpus_name, ndjson) in
        [("audit", corpus::audit(bytes, 7)), ("conversation", corpus::conversations(bytes, 7))]
    {
        for (framing, framed) in [
            ("NDJSON", ndjson.clone()),
            ("array", corpus::array(&ndjson)),
            ("envelope", corpus::envelope(&ndjson)),
        ] {
            let plan = plan(&none, &["udm"], Content::Full);
            add("framing", format!("{corpus_name}, {framing}"), plan, framed, 1);
        }
    }
    cases
}

/// Writes a file below a folder.
fn file(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
    std::fs::write(path, text).expect("a file can be written");
}

/// A source of flat records mapped to so many targets, in each so many leaves.
fn flat(leaves: usize, targets: usize, others: usize) -> Plan {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_flat(folder.path(), leaves, targets, others);
    let names: Vec<String> = (0..targets).map(|t| format!("flat{t}")).collect();
    plan(&[folder.path()], &names, Content::Full)
}

/// The built-in sources with so many others beside, all to one target.
fn sources_beside(others: usize) -> Plan {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_flat(folder.path(), 20, 1, others);
    plan(&[folder.path()], &["udm"], Content::Full)
}

fn write_flat(folder: &Path, leaves: usize, targets: usize, others: usize) {
    let mut rows = String::from("  - {to: time, from: $time}\n");
    let mut fields = String::from("time: time");
    for n in 0..leaves {
        let _ = writeln!(rows, "  - {{to: f{n}, from: f{n}}}");
        let _ = write!(fields, ", f{n}: string");
    }
    for target in 0..targets {
        let name = format!("flat{target}");
        let text = format!("target: {name}\nroot: Flat\nrequired: [time]\ntypes:\n  Flat: {{{fields}}}\n");
        file(folder, &format!("targets/{name}.yaml"), &text);
        file(folder, &format!("sources/flat/{name}.yaml"), &format!("target: {name}\nrows:\n{rows}"));
    }
    let source = |name: &str| {
        format!("source: {name}\nwhen: {{path: kind, equals: {name}}}\ntime: {{path: time, format: unix}}\n")
    };
    file(folder, "sources/flat/source.yaml", &source("flat"));
    for n in 0..others {
        let name = format!("other{n}");
        file(folder, &format!("sources/{name}/source.yaml"), &source(&name));
        let rows = format!(
            "  - {{to: metadata.event_timestamp, from: $time}}\n  - {{to: metadata.event_type, const: GENERIC_EVENT}}\n  \
             - {{to: principal.user.userid, from: user{n}.id}}\n  - {{to: principal.hostname, from: host{n}}}\n"
        );
        file(folder, &format!("sources/{name}/udm.yaml"), &format!("target: udm\nrows:\n{rows}"));
    }
}
