//! What is counted while records pass, and the one document it becomes. Counts merge by addition;
//! knows no thread and no file, and never holds a value of a record: only names from mappings,
//! record types and, for sources without content, the keys of undeclared members.

mod coverage;
mod drift;
mod leaves;
mod report;

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

pub use coverage::{Learned, PathId};
pub use leaves::{Bundles, Leaves, Place, Sight, type_at, type_of};
pub use report::{Rate, RunFacts, rate, report, summary};

use crate::json::NodeId;
use crate::plan::{Plan, Route};

/// Why a record was refused. The list is closed; `README.md` documents every name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The text is no JSON.
    NotJson,
    /// The bytes are no UTF-8.
    NotUtf8,
    /// JSON, but no object.
    NotObject,
    /// Nested deeper than the limit.
    TooDeep,
    /// Longer than the limit.
    TooLarge,
    /// The input ended inside an array or envelope.
    Truncated,
    /// No source recognises the record.
    Unknown,
    /// Recognised, but as another source than the one asked for.
    OtherSource,
    /// The source has no mapping to the target.
    NoMapping,
    /// A required field is absent.
    Missing,
    /// A required or strictly typed field holds a value that does not fit.
    BadValue,
    /// A value that the schema's `validate` forbids.
    NotAllowed,
    /// The mapping found nothing in the record to write.
    Empty,
    /// No text parser of a schema matches the line.
    NoMatch,
    /// An envelope without its list of records.
    NoRecords,
}

impl Reason {
    pub const ALL: [Reason; 15] = [
        Reason::NotJson,
        Reason::NotUtf8,
        Reason::NotObject,
        Reason::TooDeep,
        Reason::TooLarge,
        Reason::Truncated,
        Reason::Unknown,
        Reason::OtherSource,
        Reason::NoMapping,
        Reason::Missing,
        Reason::BadValue,
        Reason::NotAllowed,
        Reason::Empty,
        Reason::NoMatch,
        Reason::NoRecords,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Reason::NotJson => "not_json",
            Reason::NotUtf8 => "not_utf8",
            Reason::NotObject => "not_object",
            Reason::TooDeep => "too_deep",
            Reason::TooLarge => "too_large",
            Reason::Truncated => "truncated",
            Reason::Unknown => "unknown",
            Reason::OtherSource => "other_source",
            Reason::NoMapping => "no_mapping",
            Reason::Missing => "missing",
            Reason::BadValue => "bad_value",
            Reason::NotAllowed => "not_allowed",
            Reason::Empty => "empty",
            Reason::NoMatch => "no_match",
            Reason::NoRecords => "no_records",
        }
    }
}

/// Where a record went for one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub normalized: u64,
    pub dropped: u64,
    pub events: u64,
    pub generic: u64,
    pub dead: [u64; Reason::ALL.len()],
}

impl Outcomes {
    pub fn dead(&self) -> u64 {
        self.dead.iter().sum()
    }

    fn add(&mut self, other: &Outcomes) {
        self.normalized += other.normalized;
        self.dropped += other.dropped;
        self.events += other.events;
        self.generic += other.generic;
        for (a, b) in self.dead.iter_mut().zip(&other.dead) {
            *a += b;
        }
    }
}

/// Counts of one record type of one source.
#[derive(Clone, Debug, Default)]
pub struct TypeCounts {
    pub records: u64,
    /// Where the type was met first.
    pub first: Option<Place>,
    /// By target.
    pub targets: Vec<Outcomes>,
}

impl TypeCounts {
    fn add(&mut self, other: &TypeCounts) {
        self.records += other.records;
        self.first = self.first.into_iter().chain(other.first).min();
        self.targets.resize_with(other.targets.len(), Outcomes::default);
        for (a, b) in self.targets.iter_mut().zip(&other.targets) {
            a.add(b);
        }
    }
}

/// Counts of one lane.
#[derive(Clone, Debug, Default)]
pub struct LaneCounts {
    /// By leaf: values written.
    pub filled: Vec<u64>,
    /// By leaf: conversions that failed.
    pub failed: Vec<u64>,
    /// By leaf: values that a lookup did not list and gave its default.
    pub defaulted: Vec<u64>,
    /// By leaf: texts cut at their limit.
    pub cut: Vec<u64>,
    /// By node of the trie: values that did not fit where they were read to.
    pub unfit: ByNode,
    /// By node: values not written because a path before theirs in a row had one.
    pub passed: ByNode,
    /// Leaves of the records that went this way.
    pub leaves: Leaves,
    /// More of those, which are not added yet.
    pub bundles: Bundles,
    /// By path of the nearest declared node: leaves whose names the content mode keeps inside.
    pub undeclared: Leaves,
    /// Event types that had to be replaced: (proposed, taken).
    pub fallbacks: HashMap<(Box<str>, Box<str>), u64>,
    pub events: u64,
}

/// Counts by node of the trie. Few nodes ever count: there are as many as were needed.
#[derive(Clone, Debug, Default)]
pub struct ByNode(Vec<u64>);

impl ByNode {
    #[inline]
    pub fn add(&mut self, node: NodeId, n: u64) {
        match self.0.get_mut(node as usize) {
            Some(count) => *count += n,
            None => self.grow(node, n),
        }
    }

    #[cold]
    fn grow(&mut self, node: NodeId, n: u64) {
        self.0.resize(node as usize + 1, 0);
        self.0[node as usize] = n;
    }

    /// Those that counted.
    pub fn met(&self) -> impl Iterator<Item = (NodeId, u64)> {
        (0..).zip(self.0.iter().copied()).filter(|(_, n)| *n > 0)
    }

    fn merge(&mut self, other: &ByNode) {
        other.met().for_each(|(node, n)| self.add(node, n));
    }
}

/// Everything one worker counts.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub records: u64,
    pub blank_lines: u64,
    pub lone_surrogates: u64,
    /// By source (the last: unrecognised), then by record type.
    pub sources: Vec<Types>,
    /// By source, target and lane.
    pub lanes: Vec<Vec<Vec<LaneCounts>>>,
    pub learned: Learned,
    /// Records that a second schema would have taken too: the one that took them, and the other.
    pub ambiguous: BTreeMap<(Box<str>, Box<str>), u64>,
}

/// Record types in the order in which they were met. The hash is quick, and the number of types bounded.
pub type Types = IndexMap<Box<str>, TypeCounts, foldhash::fast::FixedState>;

/// Distinct record types of a source that are told apart; a source with more is reported as `*`.
pub const MAX_TYPES: usize = 4096;

impl Counts {
    pub fn new(plan: &Plan) -> Counts {
        let lanes = plan.lanes.iter().map(|row| {
            row.iter()
                .map(|route| match route {
                    Route::Nowhere => Vec::new(),
                    Route::Lanes(lanes) => lanes
                        .iter()
                        .map(|lane| LaneCounts {
                            filled: vec![0; lane.leaves.len()],
                            failed: vec![0; lane.leaves.len()],
                            defaulted: vec![0; lane.leaves.len()],
                            cut: vec![0; lane.leaves.len()],
                            leaves: Leaves::new(plan.want.len()),
                            undeclared: Leaves::new(plan.want.len()),
                            ..LaneCounts::default()
                        })
                        .collect(),
                })
                .collect()
        });
        Counts {
            sources: vec![Types::default(); plan.sources.len() + 1],
            lanes: lanes.collect(),
            learned: Learned::new(plan.want.len()),
            ..Counts::default()
        }
    }

    /// The number of a record type among its source's; allocates only for a type that is new.
    pub fn type_of(&mut self, source: usize, kind: &str, targets: usize) -> usize {
        let types = &mut self.sources[source];
        if let Some(number) = types.get_index_of(kind) {
            return number;
        }
        let key = if types.len() < MAX_TYPES { kind } else { "*" };
        let new = || TypeCounts { records: 0, first: None, targets: vec![Outcomes::default(); targets] };
        let entry = types.entry(key.into());
        let number = entry.index();
        entry.or_insert_with(new);
        number
    }

    /// Adds what another worker counted for the same plan.
    pub fn merge(&mut self, other: &Counts) {
        self.records += other.records;
        self.blank_lines += other.blank_lines;
        self.lone_surrogates += other.lone_surrogates;
        for (mine, theirs) in self.sources.iter_mut().zip(&other.sources) {
            for (kind, counts) in theirs {
                mine.entry(kind.clone()).or_default().add(counts);
            }
        }
        for (pair, n) in &other.ambiguous {
            *self.ambiguous.entry(pair.clone()).or_default() += n;
        }
        let ids = self.learned.merge(&other.learned);
        let mine = self.lanes.iter_mut().flatten().flatten();
        for (a, b) in mine.zip(other.lanes.iter().flatten().flatten()) {
            let add = |a: &mut Vec<u64>, b: &[u64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            add(&mut a.filled, &b.filled);
            add(&mut a.failed, &b.failed);
            add(&mut a.defaulted, &b.defaulted);
            add(&mut a.cut, &b.cut);
            a.unfit.merge(&b.unfit);
            a.passed.merge(&b.passed);
            a.events += b.events;
            a.leaves.merge(&b.leaves, &ids);
            a.undeclared.merge(&b.undeclared, &ids);
            for (key, n) in &b.fallbacks {
                *a.fallbacks.entry(key.clone()).or_default() += n;
            }
        }
    }
}
