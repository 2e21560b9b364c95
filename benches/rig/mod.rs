//! What every measurement needs of the library: a plan, batches of a corpus, and one worker that
//! sends them through. Knows neither how time is measured nor what is done with it.

#![allow(dead_code)]

use std::io::Cursor;
use std::path::Path;

use logmill::catalog;
use logmill::input::Reader;
use logmill::normalize::{self, Output, Scratch};
use logmill::ops::time::Instant;
use logmill::plan::{Content, Plan, Request};
use logmill::records::{Batch, Cutter, Framing, Limits};

use crate::corpus;

pub const NOW: Instant = Instant { secs: 1_767_225_600, nanos: 0 };

/// A corpus, and what it becomes.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub name: &'static str,
    pub corpus: fn(usize, u64) -> Vec<u8>,
    /// What is laid over the built-in mappings, below the root of the repository.
    pub folder: Option<&'static str>,
    pub target: &'static str,
    pub content: Content,
}

impl Job {
    pub fn plan(&self) -> Plan {
        let folder = self.folder.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        let folders: Vec<&Path> = folder.iter().map(|folder| folder.as_path()).collect();
        plan(&folders, &[self.target], self.content)
    }
}

/// The jobs that are held to numbers.
pub const JOBS: &[Job] = &[
    Job {
        name: "audit-to-panther",
        corpus: corpus::audit,
        folder: None,
        target: "panther",
        content: Content::Metadata,
    },
    Job {
        name: "audit-to-udm",
        corpus: corpus::audit,
        folder: None,
        target: "udm",
        content: Content::Metadata,
    },
    Job {
        name: "conversation-to-udm-full",
        corpus: corpus::conversations,
        folder: None,
        target: "udm",
        content: Content::Full,
    },
    Job {
        name: "conversation-to-udm-metadata",
        corpus: corpus::conversations,
        folder: None,
        target: "udm",
        content: Content::Metadata,
    },
    Job {
        name: "peers-audit",
        corpus: corpus::audit,
        folder: Some("benches/peers/mappings"),
        target: "stored_audit",
        content: Content::Full,
    },
    Job {
        name: "peers-conversation",
        corpus: corpus::conversations,
        folder: Some("benches/peers/mappings"),
        target: "udm",
        content: Content::Full,
    },
];

/// The built-in mappings, with folders laid over them, compiled for these targets.
pub fn plan(folders: &[&Path], targets: &[impl AsRef<str>], content: Content) -> Plan {
    let catalog = catalog::load(folders).expect("the mappings load");
    let targets = targets.iter().map(|t| t.as_ref().to_string()).collect();
    Plan::compile(&catalog, &Request { targets, content, ..Request::default() })
        .expect("the mappings compile")
}

pub fn batches(bytes: &[u8], plan: &Plan) -> Vec<Batch> {
    let reader = Reader::of("bench", Cursor::new(bytes.to_vec()));
    let mut cutter = Cutter::new(reader, 0, Framing::Auto, Limits::default(), &plan.envelope_paths);
    std::iter::from_fn(|| cutter.next(Vec::new())).map(|b| b.expect("memory can be read")).collect()
}

/// The memory of one worker thread.
pub struct Worker {
    pub scratch: Scratch,
    pub output: Output,
}

impl Worker {
    pub fn new(plan: &Plan) -> Worker {
        Worker { scratch: Scratch::new(plan), output: Output::default() }
    }

    /// Every batch once, each time as one of an input of its own: what is met again in an earlier
    /// place costs more than a run ever does. Gives the records and the bytes written.
    pub fn pass(&mut self, plan: &Plan, batches: &mut [Batch]) -> (u64, usize) {
        let (mut records, mut written) = (0, 0);
        for batch in batches {
            let Worker { scratch, output } = self;
            normalize::batch(plan, batch, &Limits::default(), NOW, scratch, output);
            assert!(output.dead.is_empty(), "the corpus is normalized whole: {:?}", output.dead[0]);
            records += output.records;
            written += output.targets.iter().map(Vec::len).sum::<usize>();
            batch.input += 1;
        }
        (records, written)
    }
}
