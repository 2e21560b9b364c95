//! Reading a schema file to its end: every key, every type, every collision, with its place;
//! refuses to know what a field is for.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{Check, Draw, Field, Made, Parser, Schema, Type, Value, core, parser, stored_name, transform};
use crate::error::{Diagnostic, did_you_mean};
use crate::ops::indicator::{self, Indicator};
use crate::ops::net::Family;
use crate::ops::time::TimeFormat;
use crate::yaml::{Complaints, Node, Source};

const TOP: &[&str] = &[
    "schema",
    "version",
    "description",
    "referenceURL",
    "fields",
    "parser",
    "definitions",
    "fieldDiscoveryEnabled",
    "udm",
];
/// Keys of a field, which `mappings/README.md` documents.
pub const ATTRIBUTES: &[&str] = &[
    "name",
    "description",
    "required",
    "type",
    "fields",
    "element",
    "timeFormat",
    "timeFormats",
    "isEventTime",
    "isExpiration",
    "indicators",
    "validate",
    "isEmbeddedJSON",
    "rename",
    "concat",
    "copy",
    "split",
    "mask",
    "target",
];
/// The types that a field can have.
pub const TYPES: &[&str] = &[
    "string",
    "int",
    "smallint",
    "bigint",
    "float",
    "boolean",
    "timestamp",
    "array",
    "object",
    "json",
    "ref",
];
/// References may nest this deep.
const REF_DEPTH: usize = 64;
/// A schema has at most this many values when its references are followed: definitions that name
/// each other twice would otherwise grow without end.
const MOST_VALUES: usize = 100_000;

/// Reads a schema: what it says, and warnings that do not stop a run.
pub fn parse(at: &Source, root: &Node) -> Result<(Schema, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut read = Read {
        out: Complaints::new(at),
        warnings: Complaints::new(at),
        definitions: root.get("definitions"),
        open: Vec::new(),
        used: Vec::new(),
        values: 0,
    };
    let schema = read.schema(at, root);
    read.definitions_not_used();
    // What is wrong with a definition is found wherever it is named, and said once.
    let mut said = HashSet::new();
    read.out.list.retain(|d| said.insert((d.span.start, d.message.clone())));
    read.warnings.list.retain(|d| said.insert((d.span.start, d.message.clone())));
    match schema {
        Some(schema) if read.out.list.is_empty() => Ok((schema, read.warnings.list)),
        _ => Err(read.out.list),
    }
}

struct Read<'a> {
    out: Complaints<'a>,
    warnings: Complaints<'a>,
    definitions: Option<&'a Node>,
    /// The definitions being read, outermost first.
    open: Vec<&'a str>,
    /// The definitions that some field led to.
    used: Vec<&'a str>,
    values: usize,
}

impl<'a> Read<'a> {
    fn schema(&mut self, at: &Source, root: &'a Node) -> Option<Schema> {
        if root.map().is_none() {
            self.out.add(&root.span, "a schema is a map of keys");
            return None;
        }
        self.warn_unknown(root, "a schema", TOP);
        let (parser, text) = match root.get("parser") {
            Some(node) => parser::parse(node, &mut self.out, &mut self.warnings),
            None => (Parser::Json, None),
        };
        let core = root.get("udm").filter(|node| !node.is_null());
        let core = core.map_or(Vec::new(), |node| core::parse(node, &mut self.out, &mut self.warnings));
        let discovery = self.flag(root, "fieldDiscoveryEnabled");
        let stem = at.file.rsplit(['/', '\\']).next().unwrap_or(&at.file);
        let stem = stem.strip_suffix(".yml").or(stem.strip_suffix(".yaml")).unwrap_or(stem);
        let name = match root.get("schema").filter(|node| !node.is_null()) {
            Some(node) => node.text().filter(|t| !t.is_empty()).unwrap_or_else(|| {
                self.out.add(&node.span, "`schema` is the name of the log type, as in Custom.MyLogs");
                stem
            }),
            None => stem,
        };
        let name = name.to_string();
        let version = match root.get("version") {
            Some(node) => node.text().and_then(|t| t.parse().ok()).unwrap_or_else(|| {
                self.out.add(&node.span, "`version` is an integer");
                0
            }),
            None => 0,
        };
        let fields = match root.get("fields") {
            Some(fields) => self.fields(fields, true),
            None => {
                self.out.add(&(root.span.start..root.span.start + 1), "a schema needs `fields`");
                Vec::new()
            }
        };
        core::check(&core, &fields, &mut self.warnings);
        let description = root.get("description").and_then(Node::text).unwrap_or_default().to_string();
        Some(Schema { at: at.clone(), name, version, description, parser, fields, discovery, core, text })
    }

    /// A definition that nothing names is held to the same rules.
    fn definitions_not_used(&mut self) {
        let Some(definitions) = self.definitions else { return };
        let Some(entries) = definitions.map() else {
            self.out.add(&definitions.span, "`definitions` is a map from a name to a value");
            return;
        };
        for (name, node) in entries {
            if !self.used.contains(&&*name.text) {
                self.open.push(&name.text);
                self.value(node);
                self.open.pop();
            }
        }
    }

    fn warn_unknown(&mut self, node: &Node, what: &str, known: &[&str]) {
        for (key, _) in node.map().unwrap_or_default() {
            if !known.contains(&&*key.text) {
                let help = did_you_mean(&key.text, known.iter().copied());
                let message = format!("unknown key `{}` of {what} is ignored", key.text);
                self.warnings.add(&key.span, message).help = help;
            }
        }
    }

    fn fields(&mut self, node: &'a Node, top: bool) -> Vec<Field> {
        let items = node.list().unwrap_or_default();
        if items.is_empty() {
            self.out.add(&node.span, "`fields` is a list of at least one field");
        }
        let mut fields: Vec<Field> = Vec::new();
        // The data lake has one column for the fields of either spelling.
        let (mut by_stored, mut by_capital) = (HashMap::new(), HashMap::new());
        for item in items {
            let Some(field) = self.field(item) else {
                continue;
            };
            let stored = stored_name(&field.name.is);
            let capital = capital(&field.name.is);
            if top && stored.starts_with("p_") {
                self.out.add(
                    &field.name.span,
                    format!("`{}` collides with the standard fields, which begin with `p_`", field.name.is),
                );
            }
            let known = [by_stored.get(&stored), by_capital.get(&capital)];
            if let Some(&first) = known.into_iter().flatten().min() {
                let other: &Field = &fields[first];
                let (line, column) = self.out.source.complain(&other.name.span, "").place();
                let (name, other) = (&field.name.is, &other.name.is);
                let message = match stored_name(other) == stored {
                    _ if name == other => {
                        format!("the field `{name}` is declared twice; first on line {line}, column {column}")
                    }
                    true => format!(
                        "`{name}` and `{other}` (line {line}, column {column}) are both stored as `{stored}`"
                    ),
                    false => format!(
                        "`{name}` and `{other}` (line {line}, column {column}) differ only in their first \
                         letter's case, which the data lake does not tell apart"
                    ),
                };
                self.out.add(&field.name.span, message);
                continue;
            }
            by_stored.insert(stored, fields.len());
            by_capital.insert(capital, fields.len());
            fields.push(field);
        }
        fields
    }

    fn field(&mut self, node: &'a Node) -> Option<Field> {
        if node.map().is_none() {
            self.out
                .add(&node.span, format!("a field is a map like {{name: …, type: …}}, not {}", node.what()));
            return None;
        }
        self.warn_unknown(node, "a field", ATTRIBUTES);
        let name = crate::table::need_text(node, "a field", "name", &mut self.out)?;
        if name.is.is_empty() {
            self.out.add(&name.span, "a field's name cannot be empty");
        }
        let required = self.flag(node, "required");
        let made = transform::parse(node, &mut self.out, &mut self.warnings);
        let value = self.value(node)?;
        self.fits(node, &made, &value);
        Some(Field { name, required, value, made })
    }

    /// Whether what the transformations make can become the declared type.
    fn fits(&mut self, node: &Node, made: &Made, value: &Value) {
        let composite = matches!(value.ty, Type::Object(_) | Type::Array(_));
        let texts = match &value.ty {
            Type::Array(element) => matches!(element.ty, Type::String | Type::Json),
            ty => matches!(ty, Type::String | Type::Json),
        };
        let mut wrong = Vec::new();
        if composite && matches!(made.from, Draw::Concat { .. }) {
            wrong.push(("concat", "`concat` makes one text, no object and no array"));
        }
        if composite && made.split.is_some() {
            wrong.push(("split", "`split` makes one text, no object and no array"));
        }
        if made.mask.is_some() && !texts {
            wrong.push(("mask", "`mask` makes a text: the type must be string, or an array of strings"));
        }
        let drawn = made.split.is_some() || !matches!(made.from, Draw::Own | Draw::Rename(_));
        if value.embedded && (drawn || made.mask.is_some()) {
            wrong.push(("isEmbeddedJSON", "of the transformations only `rename` goes with embedded JSON"));
        }
        for (key, message) in wrong {
            let span = node.get(key).map_or(node.span.clone(), |n| n.span.clone());
            self.out.add(&span, message);
        }
    }

    fn flag(&mut self, node: &Node, key: &str) -> bool {
        match node.get(key) {
            None => false,
            Some(value) => value.bool().unwrap_or_else(|| {
                self.out.add(&value.span, format!("`{key}` is true or false"));
                false
            }),
        }
    }

    fn value(&mut self, node: &'a Node) -> Option<Value> {
        self.values += 1;
        if self.values > MOST_VALUES {
            if self.values == MOST_VALUES + 1 {
                self.out
                    .add(&node.span, format!("more than {MOST_VALUES} values when all refs are followed"));
            }
            return None;
        }
        let ty = crate::table::need_text(node, "a field", "type", &mut self.out)?;
        if ty.is == "ref" {
            return self.reference(node, &ty.span);
        }
        for (key, owner) in [
            ("timeFormat", "timestamp"),
            ("timeFormats", "timestamp"),
            ("element", "array"),
            ("target", "ref"),
        ] {
            if let Some(value) = node.get(key).filter(|_| ty.is != owner) {
                let message = format!("`{key}` belongs to type {owner} and has no effect on {}", ty.is);
                self.warnings.add(&value.span, message);
            }
        }
        if let Some(fields) = node.get("fields").filter(|_| ty.is != "object") {
            self.out.add(&fields.span, format!("`fields` belongs to type object, not {}", ty.is));
        }
        let ty = match ty.is.as_str() {
            "string" => Type::String,
            "smallint" => Type::Int { min: i16::MIN as i64, max: i16::MAX as i64 },
            "int" => Type::Int { min: i32::MIN as i64, max: i32::MAX as i64 },
            "bigint" => Type::Int { min: i64::MIN, max: i64::MAX },
            "float" => Type::Float,
            "boolean" => Type::Boolean,
            "timestamp" => Type::Timestamp(self.formats(node)),
            "json" => Type::Json,
            "array" => match node.get("element") {
                Some(element) => Type::Array(Box::new(self.value(element)?)),
                None => {
                    self.out.add(&ty.span, "an array needs `element`");
                    return None;
                }
            },
            "object" => match node.get("fields") {
                Some(fields) => Type::Object(self.fields(fields, false)),
                None => {
                    self.out.add(&ty.span, "an object needs `fields`");
                    return None;
                }
            },
            other => {
                self.out.unknown(&ty.span, "type", other, TYPES);
                return None;
            }
        };
        let text = matches!(ty, Type::String);
        let mut indicators = Vec::new();
        if let Some(list) = node.get("indicators") {
            for name in crate::table::texts(list, &mut self.out) {
                match Indicator::parse(&name.is) {
                    Some(indicator) => indicators.push(indicator),
                    None => self.out.unknown(&name.span, "indicator", &name.is, &indicator::NAMES),
                }
            }
            if !text {
                self.out
                    .add(&list.span, "indicators belong to strings (or to the string elements of an array)");
            }
        }
        let validate = match node.get("validate") {
            Some(checks) if text => self.checks(checks),
            Some(checks) => {
                self.out.add(&checks.span, "`validate` belongs to strings");
                Vec::new()
            }
            None => Vec::new(),
        };
        let is_event_time = self.flag(node, "isEventTime");
        if is_event_time && !matches!(ty, Type::Timestamp(_)) {
            let span = node.get("isEventTime").map_or(node.span.clone(), |n| n.span.clone());
            self.out.add(&span, "`isEventTime` belongs to timestamps");
        }
        let embedded = self.flag(node, "isEmbeddedJSON");
        if embedded && !matches!(ty, Type::Object(_) | Type::Array(_) | Type::Json) {
            let span = node.get("isEmbeddedJSON").map_or(node.span.clone(), |n| n.span.clone());
            self.out.add(&span, "`isEmbeddedJSON` belongs to objects, arrays and json");
        }
        Some(Value { ty, indicators, validate, is_event_time, embedded })
    }

    fn reference(&mut self, node: &'a Node, span: &Range<usize>) -> Option<Value> {
        let Some(target) = node.get("target").and_then(Node::text) else {
            self.out.add(span, "a ref needs `target`: the name of a definition");
            return None;
        };
        let at = node.get("target").map_or(span.clone(), |n| n.span.clone());
        let Some(found) = self.definitions.and_then(|d| d.get(target)) else {
            let known = self.definitions.and_then(Node::map).unwrap_or_default();
            let help = did_you_mean(target, known.iter().map(|(k, _)| &*k.text));
            self.out.add(&at, format!("no definition `{target}`")).help = help;
            return None;
        };
        if self.open.contains(&target) || self.open.len() >= REF_DEPTH {
            let message = match self.open.contains(&target) {
                true => format!("a cyclic reference: the definition `{target}` leads back to itself"),
                false => format!("references nest deeper than {REF_DEPTH}"),
            };
            self.out.add(&at, message);
            return None;
        }
        self.open.push(target);
        if !self.used.contains(&target) {
            self.used.push(target);
        }
        let value = self.value(found);
        self.open.pop();
        value
    }

    /// A timestamp without a format is RFC 3339.
    fn formats(&mut self, node: &Node) -> Vec<TimeFormat> {
        let mut formats = Vec::new();
        for key in ["timeFormat", "timeFormats"] {
            let Some(list) = node.get(key) else { continue };
            for name in crate::table::texts(list, &mut self.out) {
                match TimeFormat::parse(&name.is) {
                    Ok(format) => formats.push(format),
                    Err(message) => {
                        self.out.add(&name.span, message);
                    }
                }
            }
        }
        if formats.is_empty() {
            formats.push(TimeFormat::Rfc3339);
        }
        formats
    }

    fn checks(&mut self, node: &Node) -> Vec<Check> {
        let mut checks = Vec::new();
        for (key, value) in node.map().unwrap_or_default() {
            let texts = crate::table::texts(value, &mut self.out);
            let family = || match texts.first().map(|t| t.is.as_str()) {
                Some("ipv4") => Ok(Some(Family::V4)),
                Some("ipv6") => Ok(Some(Family::V6)),
                Some("any") => Ok(None),
                _ => Err("ipv4, ipv6 or any"),
            };
            let list = || texts.iter().map(|t| t.is.clone()).collect();
            let check = match &*key.text {
                "allow" => Ok(Check::Allow(list())),
                "deny" => Ok(Check::Deny(list())),
                "ip" => family().map(Check::Ip),
                "cidr" => family().map(Check::Cidr),
                other => {
                    self.out.unknown(&key.span, "check", other, &["allow", "deny", "ip", "cidr"]);
                    continue;
                }
            };
            match check {
                Ok(check) => checks.push(check),
                Err(message) => {
                    self.out.add(&value.span, message);
                }
            }
        }
        checks
    }
}

/// The name with its first letter in upper case.
fn capital(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
