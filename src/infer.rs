//! Owns a guess at the schema of records that have none: every record is read, what stands at each
//! place is counted within fixed bounds, and the counts become a Panther schema that takes every
//! one of the records. Refuses to know how a schema is applied.

mod decide;
mod seen;
mod signs;
mod times;
mod write;

use crate::error::Error;
use crate::normalize::Dead;
use crate::plan::{Content, Plan};
use crate::run::{Input, InputOutcome, Settings, each_record};
use seen::{Budget, Seen};

/// The most fields of one object; an object with more is a map from key to value: type json.
pub const MAX_FIELDS: usize = 200;
/// The most fields of a record itself; keys that are met later are left out.
pub const MAX_RECORD_FIELDS: usize = 2_000;
/// The most places (fields and elements) that are told apart in all.
pub const MAX_PLACES: usize = 20_000;
/// The longest key that can be the name of a field.
pub const MAX_KEY: usize = 256;
/// Objects nested deeper than this are of type json.
pub const MAX_DEPTH: usize = 32;
/// Of so many objects each must have a field before it is called required.
pub const ENOUGH: u64 = 100;
/// The most different texts that still look like an enumeration, and the longest of them.
pub const MAX_VALUES: usize = 12;
pub const MAX_VALUE: usize = 64;

/// What was found out.
#[derive(Debug)]
pub struct Inferred {
    /// The schema, as YAML.
    pub schema: String,
    /// No field was found: the text is no schema that can be used.
    pub empty: bool,
    /// Records the schema was made from.
    pub records: u64,
    /// What is no record: its reason, place and message.
    pub refused: u64,
    /// Records that were not looked at, because their source bears content.
    pub withheld: u64,
    /// What the schema does not say, for people.
    pub notes: Vec<String>,
    pub inputs: Vec<InputOutcome>,
}

/// Reads every record of the inputs and writes the schema `name`. `plan` knows sources and no
/// target. Records of a source that bears content are read only where the plan's mode is full:
/// names and values of such records are content. Values of a source with secrets are never shown.
pub fn infer(
    plan: &Plan,
    name: &str,
    inputs: Vec<Input>,
    settings: &Settings,
    dead: &mut dyn FnMut(&Dead, &str) -> Result<(), Error>,
) -> Result<Inferred, Error> {
    let mut root = Seen::default();
    let mut budget = Budget::new(MAX_PLACES);
    let (mut records, mut withheld, mut refused) = (0, 0, 0);
    let inputs = each_record(
        plan,
        inputs,
        settings,
        &mut |text, source| {
            let closed = source.is_some_and(|s| plan.sources[s].bears_content);
            if closed && plan.content != Content::Full {
                withheld += 1;
                return;
            }
            records += 1;
            // Where a source has secrets, no value is shown in any mode.
            budget.values = source.is_none_or(|s| plan.sources[s].deeds.is_none());
            root.learn(text, 0, 0, &mut budget);
        },
        &mut |letter, input| {
            refused += 1;
            dead(letter, input)
        },
    )?;
    let (fields, mut notes) = decide::schema(&root);
    if budget.spent() {
        notes.push(format!(
            "more than {MAX_PLACES} places: objects that were met later are of type json, whole"
        ));
    }
    let schema = write::schema(name, records, inputs.len(), &fields, &notes);
    Ok(Inferred { schema, empty: fields.is_empty(), records, refused, withheld, notes, inputs })
}

/// A log type's name made of a file's: `vpn-audit.ndjson.gz` gives `Custom.VpnAudit`.
pub fn log_type(file: &str) -> String {
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = base.split('.').find(|part| !part.is_empty()).unwrap_or_default();
    let mut name = String::new();
    for word in stem.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut chars = word.chars();
        name.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        name.extend(chars);
    }
    let name = name.trim_start_matches(|c: char| c.is_ascii_digit());
    if name.is_empty() {
        return "Custom.Inferred".into();
    }
    let (first, rest) = name.split_at(1);
    format!("Custom.{}{rest}", first.to_ascii_uppercase())
}
