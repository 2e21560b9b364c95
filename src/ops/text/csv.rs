//! Owns lines of separated values, with Go's lenient reading of quotes; refuses to know files.

use std::borrow::Cow;

use super::Pairs;

#[derive(Clone, Debug)]
pub struct Csv {
    pub delimiter: char,
    /// The first line of an input holds names, or stands in their place where `columns` are given.
    pub has_header: bool,
    pub columns: Option<Vec<String>>,
}

impl Csv {
    /// Names and values. A value without a name is left out, and so is one whose name is empty.
    pub(super) fn pairs<'a>(
        &'a self,
        line: &'a str,
        header: Option<&'a [String]>,
    ) -> Result<Pairs<'a>, String> {
        let mut values = self.values(line);
        if self.has_header {
            let header = header.ok_or("the input has no first line to take the names from")?;
            if header.len() != values.len() {
                return Err(format!("{} values, where the first line has {}", values.len(), header.len()));
            }
        }
        let names = self.columns.as_deref().or(header).unwrap_or_default();
        values.resize(names.len().max(values.len()), Cow::Borrowed(""));
        let pairs = names.iter().map(String::as_str).zip(values);
        Ok(pairs.filter(|(name, _)| !name.is_empty()).collect())
    }

    pub(super) fn values<'a>(&self, line: &'a str) -> Vec<Cow<'a, str>> {
        let mut values = Vec::new();
        let mut rest = line;
        loop {
            let (value, behind) = match rest.strip_prefix('"') {
                Some(quoted) => self.quoted(quoted),
                None => match rest.split_once(self.delimiter) {
                    Some((value, behind)) => (Cow::Borrowed(value), Some(behind)),
                    None => (Cow::Borrowed(rest), None),
                },
            };
            values.push(value);
            match behind {
                Some(behind) => rest = behind,
                None => return values,
            }
        }
    }

    /// The value behind an opening quote, and what follows its delimiter. A quote that nothing
    /// closes, or that closes too early, belongs to the value.
    fn quoted<'a>(&self, text: &'a str) -> (Cow<'a, str>, Option<&'a str>) {
        let mut value = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('"') {
            value.push_str(before);
            if let Some(behind) = behind.strip_prefix('"') {
                value.push('"');
                rest = behind;
            } else if let Some(behind) = behind.strip_prefix(self.delimiter) {
                return (Cow::Owned(value), Some(behind));
            } else if behind.is_empty() {
                return (Cow::Owned(value), None);
            } else {
                value.push('"');
                rest = behind;
            }
        }
        value.push_str(rest);
        (Cow::Owned(value), None)
    }
}
