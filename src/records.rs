//! Framing: where one record ends and the next begins, in batches that never cut inside a record.
//! Knows braces and lines; refuses to know what a record means.

mod cut;
mod scan;
mod syslog;

pub use cut::Cutter;
pub use scan::{elements, envelope_list, value_end};
pub use syslog::{Syslog, strip_syslog};

/// How records are set apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// Found out as the bytes come, and again behind every value.
    #[default]
    Auto,
    /// Every line is one text, whatever it holds.
    Lines,
    /// A sequence of JSON values; lines mean nothing.
    Json,
    /// The same; each is an envelope of CloudWatch Logs, whose messages are the records.
    CloudWatch,
}

/// What a record may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest record, in bytes; at most 4 GiB.
    pub record_bytes: usize,
    /// The deepest nesting.
    pub depth: usize,
    /// What a batch holds before it is handed on, but for longer records.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { record_bytes: 64 << 20, depth: 128, batch_bytes: 256 << 10 }
    }
}

/// A contiguous stretch of one input and the units in it.
#[derive(Debug, Default)]
pub struct Batch {
    pub input: u32,
    /// Offset of the first byte in the (decompressed) input.
    pub base: u64,
    /// 1-based line of the first byte.
    pub line: u64,
    pub bytes: Vec<u8>,
    pub units: Vec<Unit>,
    pub blank_lines: u64,
    pub framing: Framing,
    /// The first lines of the input and where they stand, where every line is one text.
    pub head: Head,
}

/// See [`Batch::head`].
pub type Head = std::sync::Arc<Vec<(u64, Box<[u8]>)>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub start: u32,
    pub end: u32,
    pub kind: UnitKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A line (or the lines of one value), without the white space around it: one value, several,
    /// an array, an envelope or a syslog message. The worker looks inside.
    Line,
    /// Exactly one value of an array or an envelope.
    Element,
    Broken(Broken),
}

/// A stretch that is known to be no record before it is looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Longer than the limit: streamed past, and its bytes are gone.
    TooLarge { bytes: u64, sha256: [u8; 32] },
    /// The input ended inside an array or an envelope.
    Truncated,
    /// A value of an array with a line end inside a string.
    Garbage,
}
