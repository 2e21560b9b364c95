//! A Panther log schema as its users write it, read into plain data with a place on every field.
//! Knows the schema language; does not know how a record is coerced.

use std::ops::Range;

use crate::error::{Diagnostic, did_you_mean};
use crate::ops::indicator::{self, Indicator};
use crate::ops::net::Family;
use crate::ops::time::TimeFormat;
use crate::table::At;
use crate::yaml::{Complaints, Node, Source};

#[derive(Clone, Debug)]
pub struct Schema {
    pub at: Source,
    /// The log type; the file's stem when the schema does not say.
    pub name: String,
    pub version: i64,
    pub description: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: At<String>,
    pub required: bool,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub struct Value {
    pub ty: Type,
    pub indicators: Vec<Indicator>,
    pub validate: Vec<Check>,
    pub is_event_time: bool,
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
const FIELD: &[&str] = &[
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
const TYPES: &[&str] = &[
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
/// What a schema may ask for and this engine does not do: refused, never ignored.
const NOT_YET: &[(&str, &str)] = &[
    ("isEmbeddedJSON", "embedded JSON"),
    ("rename", "the transformation `rename`"),
    ("concat", "the transformation `concat`"),
    ("copy", "the transformation `copy`"),
    ("split", "the transformation `split`"),
    ("mask", "the transformation `mask`"),
];
/// References may nest this deep.
const REF_DEPTH: usize = 64;

/// Reads a schema: what it says, and warnings that do not stop a run.
pub fn parse(at: &Source, root: &Node) -> Result<(Schema, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut read = Read {
        out: Complaints::new(at),
        warnings: Complaints::new(at),
        definitions: root.get("definitions"),
        depth: 0,
    };
    let schema = read.schema(at, root);
    match schema {
        Some(schema) if read.out.list.is_empty() => Ok((schema, read.warnings.list)),
        _ => Err(read.out.list),
    }
}

struct Read<'a> {
    out: Complaints<'a>,
    warnings: Complaints<'a>,
    definitions: Option<&'a Node>,
    depth: usize,
}

impl<'a> Read<'a> {
    fn schema(&mut self, at: &Source, root: &'a Node) -> Option<Schema> {
        if root.map().is_none() {
            self.out.add(&root.span, "a schema is a map of keys");
            return None;
        }
        self.warn_unknown(root, "a schema", TOP);
        if let Some(parser) = root.get("parser") {
            let kind = parser.map().and_then(|m| m.first()).map_or("?", |(k, _)| k.text.as_str());
            // `native` schemas were parsed by code of Panther's own; the JSON ones among them work.
            if kind != "native" {
                self.out.add(
                    &parser.span,
                    format!("the text parser `{kind}` is not supported yet: this schema cannot be loaded"),
                );
            }
        }
        if let Some(udm) = root.get("udm") {
            self.out.add(
                &udm.span,
                "core-field mappings (`udm`) are not supported yet: this schema cannot be loaded",
            );
        }
        if let Some(node) = root.get("fieldDiscoveryEnabled").filter(|n| n.bool() == Some(true)) {
            self.out.add(
                &node.span,
                "field discovery is not supported yet; undeclared fields are dropped and counted",
            );
        }
        let stem = at.file.rsplit(['/', '\\']).next().unwrap_or(&at.file);
        let stem = stem.strip_suffix(".yml").or(stem.strip_suffix(".yaml")).unwrap_or(stem);
        let name = root.get("schema").and_then(Node::text).unwrap_or(stem).to_string();
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
        let description = root.get("description").and_then(Node::text).unwrap_or_default().to_string();
        Some(Schema { at: at.clone(), name, version, description, fields })
    }

    fn warn_unknown(&mut self, node: &Node, what: &str, known: &[&str]) {
        for (key, _) in node.map().unwrap_or_default() {
            if !known.contains(&key.text.as_str()) {
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
        for item in items {
            let Some(field) = self.field(item) else {
                continue;
            };
            let stored = stored_name(&field.name.is);
            if top && stored.starts_with("p_") {
                self.out.add(
                    &field.name.span,
                    format!("`{}` collides with the standard fields, which begin with `p_`", field.name.is),
                );
            }
            if let Some(other) = fields.iter().find(|f| stored_name(&f.name.is) == stored) {
                let source = self.out.source;
                let line = source.complain(&other.name.span, "").place().0;
                let message = match other.name.is == field.name.is {
                    true => format!("the field `{}` is declared twice; first on line {line}", field.name.is),
                    false => format!(
                        "`{}` and `{}` (line {line}) are both stored as `{stored}`",
                        field.name.is, other.name.is
                    ),
                };
                self.out.add(&field.name.span, message);
                continue;
            }
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
        self.warn_unknown(node, "a field", FIELD);
        let name = crate::table::need_text(node, "a field", "name", &mut self.out)?;
        if name.is.is_empty() {
            self.out.add(&name.span, "a field's name cannot be empty");
        }
        let required = self.flag(node, "required");
        let value = self.value(node)?;
        Some(Field { name, required, value })
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
        for (key, what) in NOT_YET {
            if let Some(found) = node.get(key).filter(|n| n.bool() != Some(false)) {
                self.out
                    .add(&found.span, format!("{what} is not supported yet: this schema cannot be loaded"));
            }
        }
        let ty = crate::table::need_text(node, "a field", "type", &mut self.out)?;
        if ty.is == "ref" {
            return self.reference(node, &ty.span);
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
        Some(Value { ty, indicators, validate, is_event_time })
    }

    fn reference(&mut self, node: &'a Node, span: &Range<usize>) -> Option<Value> {
        let Some(target) = node.get("target").and_then(Node::text) else {
            self.out.add(span, "a ref needs `target`: the name of a definition");
            return None;
        };
        let at = node.get("target").map_or(span.clone(), |n| n.span.clone());
        let Some(found) = self.definitions.and_then(|d| d.get(target)) else {
            let known = self.definitions.and_then(Node::map).unwrap_or_default();
            let help = did_you_mean(target, known.iter().map(|(k, _)| k.text.as_str()));
            self.out.add(&at, format!("no definition `{target}`")).help = help;
            return None;
        };
        if self.depth >= REF_DEPTH {
            self.out.add(&at, format!("the definition `{target}` leads back to itself"));
            return None;
        }
        self.depth += 1;
        let value = self.value(found);
        self.depth -= 1;
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
            let check = match key.text.as_str() {
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

/// The name under which Panther stores a field: letters, digits, `_` and `-` stay, some signs are
/// spelled out with `_` as glue, anything else becomes `_`.
pub fn stored_name(name: &str) -> String {
    let mut out = String::new();
    let mut glue = false;
    for c in name.chars() {
        let word = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => {
                if std::mem::take(&mut glue) {
                    out.push('_');
                }
                out.push(c);
                continue;
            }
            '@' => "at_sign",
            ',' => "comma",
            '`' => "backtick",
            '\'' => "apostrophe",
            '$' => "dollar_sign",
            '*' => "asterisk",
            '&' => "ampersand",
            '!' => "exclamation",
            '%' => "percent",
            '+' => "plus",
            '/' => "slash",
            '\\' => "backslash",
            '#' => "hash",
            '~' => "tilde",
            '=' => "eq",
            _ => {
                glue = false;
                out.push('_');
                continue;
            }
        };
        if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push_str(word);
        glue = true;
    }
    out
}
