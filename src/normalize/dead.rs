//! Dead letters: what was refused, where it stands and why.

use sha2::{Digest, Sha256};

use super::pen::Refusal;
use crate::metrics::{Place, Reason};
use crate::plan::Lane;
use crate::records::Batch;

/// One refused record (for one target, or for all).
#[derive(Clone, Debug)]
pub struct Dead {
    pub reason: Reason,
    pub message: String,
    /// What each of several schemas said.
    pub schemas: Vec<Attempt>,
    /// Path of the field that is at fault.
    pub path: Option<String>,
    /// Offset within the batch until the run completes it.
    pub byte: u64,
    /// 1-based line of the input.
    pub line: u64,
    /// The record's number within the batch until the run completes it.
    pub index: u64,
    pub source: Option<u16>,
    pub target: Option<u16>,
    pub sha256: Option<[u8; 32]>,
    /// The raw text, where the content mode allows it.
    pub record: Option<String>,
    /// What of the record is declared metadata, where the raw text may not be shown.
    pub fields: Option<Vec<u8>>,
    /// The batch holds the whole text of the record.
    pub whole: bool,
}

/// Why one of several schemas refused a record.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub schema: String,
    pub reason: Reason,
    pub path: Option<String>,
    pub message: String,
}

/// Names for the numbers in a dead letter.
pub struct NamesOf<'a> {
    pub input: &'a str,
    pub source: Option<&'a str>,
    pub target: Option<&'a str>,
}

impl Dead {
    #[cold]
    pub fn new(reason: Reason, message: String) -> Dead {
        Dead {
            reason,
            message,
            schemas: Vec::new(),
            path: None,
            byte: 0,
            line: 0,
            index: 0,
            source: None,
            target: None,
            sha256: None,
            record: None,
            fields: None,
            whole: true,
        }
    }

    /// Appends the dead letter as one line of NDJSON.
    pub fn write(&self, names: &NamesOf, out: &mut Vec<u8>) {
        let mut letter = serde_json::Map::new();
        let text = |s: Option<&str>| s.map_or(serde_json::Value::Null, Into::into);
        letter.insert("input".into(), names.input.into());
        letter.insert("byte".into(), self.byte.into());
        letter.insert("line".into(), self.line.into());
        letter.insert("index".into(), self.index.into());
        letter.insert("source".into(), text(names.source));
        letter.insert("target".into(), text(names.target));
        letter.insert("reason".into(), self.reason.name().into());
        letter.insert("path".into(), text(self.path.as_deref()));
        letter.insert("message".into(), self.message.as_str().into());
        if !self.schemas.is_empty() {
            let attempt = |a: &Attempt| serde_json::json!({"schema": a.schema, "reason": a.reason.name(), "path": a.path, "message": a.message});
            letter.insert("schemas".into(), self.schemas.iter().map(attempt).collect());
        }
        let mut hex = String::new();
        crate::ops::push_hex(&self.sha256.unwrap_or_default(), &mut hex);
        letter.insert("sha256".into(), hex.into());
        if let Some(record) = &self.record {
            letter.insert("record".into(), record.as_str().into());
        }
        if let Some(fields) = &self.fields
            && let Ok(fields) = serde_json::from_slice(fields)
        {
            letter.insert("fields".into(), fields);
        }
        let mut line = serde_json::Value::Object(letter).to_string();
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

/// The dead letter of a record that no lane takes: the first one's reason, and what each says.
pub(super) fn refused(lanes: &[Lane], refusals: &[(usize, Refusal)], shown: bool) -> Dead {
    let Some((_, first)) = refusals.first() else {
        return Dead::new(Reason::NoMapping, "there is no mapping".into());
    };
    let mut dead = Dead::new(first.reason, first.message(shown));
    dead.path = Some(first.path.clone()).filter(|path| !path.is_empty());
    if refusals.len() > 1 {
        let attempt = |(i, r): &(usize, Refusal)| Attempt {
            schema: lanes[*i].name.clone(),
            reason: r.reason,
            path: Some(r.path.clone()).filter(|path| !path.is_empty()),
            message: r.message(shown),
        };
        dead.schemas = refusals.iter().map(attempt).collect();
        let all = dead.schemas.iter().map(|a| {
            let path = a.path.as_ref().map(|p| format!("{p}: ")).unwrap_or_default();
            format!("{}: {path}{}", a.schema, a.message)
        });
        dead.message = all.collect::<Vec<_>>().join("; ");
    }
    dead
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Line numbers, counted only as far as somebody asks.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) batch: &'a Batch,
    counted: usize,
    newlines: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(batch: &'a Batch) -> Lines<'a> {
        Lines { batch, counted: 0, newlines: 0 }
    }

    /// The place in its input of a byte of the batch.
    pub(super) fn place(&mut self, byte: usize) -> Place {
        Place { input: self.batch.input, byte: self.batch.base + byte as u64, line: self.at(byte) }
    }

    /// The line of a byte of the batch; bytes are mostly asked for in growing order.
    pub(super) fn at(&mut self, byte: usize) -> u64 {
        if byte < self.counted {
            (self.counted, self.newlines) = (0, 0);
        }
        let between = &self.batch.bytes[self.counted..byte.min(self.batch.bytes.len())];
        self.newlines += memchr::memchr_iter(b'\n', between).count() as u64;
        self.counted = byte;
        self.batch.line + self.newlines
    }
}
