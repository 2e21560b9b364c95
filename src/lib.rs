//! logmill reads log records as a stream, recognises each one, sends it through declarative
//! mapping tables and writes normalized events, in input order, with exact counts.
//!
//! The way of a record, floor by floor; a module uses only floors below its own
//! (`tests/ladder.rs` enforces it):
//!
//! | floor | modules | own | refuse to know |
//! |---|---|---|---|
//! | roof | the program (`main`, `cli/`) | flags, opening outputs, exit codes, the only printing | how anything is done |
//! | 5 | [`run`], [`check`], [`infer`] | threads, order, back-pressure; golden files; guessing a schema | what is done to one record |
//! | 4 | [`normalize`], [`metrics`] | the hot path of one record; counts that merge by addition | threads, files, YAML |
//! | 3 | [`plan`] | tables × targets → Plan; every check before the first record; privacy | input, text |
//! | 2 | [`catalog`], [`table`], [`panther`] | mapping files as written; walking `mappings/` | execution |
//! | 1 | [`input`], [`records`], [`ops`], [`yaml`] | bytes; framing; the vocabulary of conversions and tests; YAML with places | what a record means |
//! | 0 | [`json`], [`error`] | walking and writing one JSON text; what stops the program | everything else |
//!
//! Inside a floor, `check` uses `run`, `infer` uses `run`, `normalize` uses `metrics`, `catalog` uses `table` and
//! `panther`, `panther` uses `table`, `records` uses `input`: never the other way.
//!
//! The heart is [`plan::Plan`]: per source a *lane* with two static trees that share numbered
//! slots. Walking `want` beside the record fills the slots with raw slices of the input; walking
//! a lane's shape writes them as JSON text. Panther schemas compile to the same thing.
//!
//! Two things are learned while records pass, and change nothing but the speed. [`json`] remembers what
//! stood between two values, so that it is compared and not read again, and what records and the elements
//! of their lists leave behind then; and [`normalize`] remembers, of records of one structure, which source
//! they are of, what of a mapping can write anything for them, and what is counted for each. Elements of lists
//! are remembered one by one, so that records are of one structure however many they have. A record that
//! is told to be like those by where its values stand is filled in only as far as its mappings read, and
//! texts that are merely copied are taken from where they stand. All of it is bounded, and what is not
//! remembered goes the long way.
//!
//! Invariants, each with a test: ① only `input` and `catalog` open files for a run (`check` reads
//! its fixtures), only the program prints; ② a record's bytes stay untouched until its verdict is
//! written; ③ normalized + dead + dropped = records, for every target; ④ output bytes do not
//! depend on threads, batch size, framing or kind of input; ⑤ what can be wrong with a mapping is
//! said before the first record; ⑥ no module names a source or a target; ⑦ a bad record costs that
//! record, a bad mapping the run, nothing costs both; ⑧ in metadata mode no content byte reaches
//! any output.
//!
//! Three choices differ from the obvious. YAML is read with the event parser below serde-saphyr, not
//! with serde: a mapping must be read to its end with the place of every key, so that everything
//! wrong is said at once, and serde stops at the first error. And one trie is walked for all
//! sources at once, before the record is recognised: recognising first would read it twice. And
//! the YAML of the built-in mappings is read when the program is built (`build.rs` holds the same
//! reader): a start unpacks trees, which costs a twentieth.

#![deny(unsafe_code)]

pub mod check;
pub mod infer;
pub mod run;

pub mod metrics;
pub mod normalize;

pub mod plan;

pub mod catalog;
pub mod panther;
pub mod table;

pub mod input;
pub mod ops;
pub mod records;
pub mod yaml;

pub mod error;
pub mod json;
