//! A Panther log schema as its users write it, read into plain data with a place on every field.
//! Knows the schema language; does not know how a record is coerced.

mod core;
mod name;
mod parser;
mod read;
mod transform;

pub use self::core::CoreField;
pub use self::name::stored_name;
pub use self::read::{ATTRIBUTES, TYPES, parse};
pub use self::transform::{Draw, Made, Mask, Split};

use crate::ops::indicator::Indicator;
use crate::ops::net::Family;
use crate::ops::text::TextParser;
use crate::ops::time::TimeFormat;
use crate::table::At;
use crate::yaml::Source;

#[derive(Clone, Debug)]
pub struct Schema {
    pub at: Source,
    /// The log type; the file's stem when the schema does not say.
    pub name: String,
    pub version: i64,
    pub description: String,
    pub parser: Parser,
    pub fields: Vec<Field>,
    /// Fields that are not declared are stored too.
    pub discovery: bool,
    /// What the core fields of an event are made of.
    pub core: Vec<CoreField>,
    /// What takes lines of text apart; without one the records are JSON.
    pub text: Option<TextParser>,
}

/// How a record becomes keys and values, before the fields are looked at.
#[derive(Clone, Debug)]
pub enum Parser {
    /// The record is JSON.
    Json,
    /// Panther parses it with code of its own under this name; here the record is read as JSON.
    Native(String),
    /// The record is a line of text: see [`Schema::text`].
    Text,
    /// A program, which is not run.
    Script(At<String>),
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: At<String>,
    pub required: bool,
    pub value: Value,
    /// Where the value is drawn from when it is not the member of the field's own name.
    pub made: Made,
}

#[derive(Clone, Debug)]
pub struct Value {
    pub ty: Type,
    pub indicators: Vec<Indicator>,
    pub validate: Vec<Check>,
    pub is_event_time: bool,
    /// The value arrives as a string that holds JSON text.
    pub embedded: bool,
}

#[derive(Clone, Debug)]
pub enum Type {
    String,
    /// `int`, `smallint`, `bigint` by their range.
    Int {
        min: i64,
        max: i64,
    },
    Float,
    Boolean,
    Timestamp(Vec<TimeFormat>),
    Array(Box<Value>),
    Object(Vec<Field>),
    Json,
}

/// What a string must be. An absent value passes every check.
#[derive(Clone, Debug)]
pub enum Check {
    Allow(Vec<String>),
    Deny(Vec<String>),
    /// An address of this family; `None` is any.
    Ip(Option<Family>),
    Cidr(Option<Family>),
}

impl Schema {
    /// How specific a schema is: the more fields it requires, the earlier it is tried.
    pub fn specificity(&self) -> usize {
        fn count(fields: &[Field]) -> usize {
            fields
                .iter()
                .map(|f| {
                    let inner = if let Type::Object(fields) = &f.value.ty { count(fields) } else { 0 };
                    f.required as usize + f.value.validate.len() + inner
                })
                .sum()
        }
        count(&self.fields)
    }
}

/// A path of keys below an object: steps set apart by dots; a key that has dots stands in double
/// quotes. `None` where a step is empty.
pub(crate) fn keys_of(text: &str) -> Option<Vec<String>> {
    let mut keys = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => keys.push(String::new()),
            c => keys.last_mut()?.push(c),
        }
    }
    (!quoted && keys.iter().all(|key| !key.is_empty())).then_some(keys)
}
