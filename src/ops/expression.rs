//! A regular expression as mappings write it. Knows when it is compiled; what it matches is the
//! crate's.

use std::sync::{Arc, OnceLock};

use regex::{Captures, Regex};

/// An expression, and which of its groups is meant. Compiled when it is first asked, or checked: to
/// compile one costs as much as to read a table, and most runs ask few of those that are built in.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Written>);

#[derive(Debug)]
struct Written {
    text: String,
    take: Option<String>,
    compiled: OnceLock<Result<(Regex, usize), Fault>>,
}

/// What is wrong with an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is none: why.
    Syntax(String),
    /// It has no group of this name or number.
    NoGroup(String),
}

impl Expression {
    /// The first group is meant, or the whole match of an expression without groups, where no other
    /// is named by number or name.
    pub fn new(text: &str, take: Option<&str>) -> Expression {
        let (text, take) = (text.to_string(), take.map(str::to_string));
        Expression(Arc::new(Written { text, take, compiled: OnceLock::new() }))
    }

    pub fn check(&self) -> Result<(), Fault> {
        self.compiled().as_ref().map(|_| ()).map_err(Fault::clone)
    }

    /// One that is faulty matches nothing.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled().as_ref().is_ok_and(|(regex, _)| regex.is_match(text))
    }

    /// The text of the group.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (regex, group) = self.compiled().as_ref().ok()?;
        regex.captures(text).as_ref().and_then(|found: &Captures<'t>| found.get(*group)).map(|m| m.as_str())
    }

    fn compiled(&self) -> &Result<(Regex, usize), Fault> {
        self.0.compiled.get_or_init(|| {
            let regex = Regex::new(&self.0.text).map_err(|e| {
                let message = e.to_string();
                let last = message.lines().last().unwrap_or("not a regular expression").trim();
                Fault::Syntax(last.trim_start_matches("error: ").to_string())
            })?;
            let group = match &self.0.take {
                None => Some(usize::from(regex.captures_len() > 1)),
                Some(name) => {
                    let number = name.parse().ok().filter(|n: &usize| *n < regex.captures_len());
                    number.or_else(|| regex.capture_names().position(|n| n == Some(name)))
                }
            };
            let group = group.ok_or_else(|| Fault::NoGroup(self.0.take.clone().unwrap_or_default()))?;
            Ok((regex, group))
        })
    }
}
