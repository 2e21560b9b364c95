//! The core fields of an event (`udm` of a schema): which of the schema's fields fill them;
//! refuses to know how a value is read.

use super::{Field, Type, keys_of};
use crate::error::did_you_mean;
use crate::table::{At, need_text};
use crate::yaml::{Complaints, Node};

/// One core field and the paths of which the first that holds something fills it.
#[derive(Clone, Debug)]
pub struct CoreField {
    pub name: At<String>,
    pub paths: Vec<At<Vec<String>>>,
}

/// The core fields that Panther documents.
const KNOWN: &[&str] = &[
    "source.address",
    "source.arns",
    "source.bytes",
    "source.domain",
    "source.ip",
    "source.mac",
    "source.port",
    "destination.address",
    "destination.arns",
    "destination.bytes",
    "destination.domain",
    "destination.ip",
    "destination.mac",
    "destination.port",
    "user.arns",
    "user.email",
    "user.full_name",
    "user.name",
    "user.provider_id",
];

impl CoreField {
    /// Whether the field holds a list of values.
    pub fn is_list(&self) -> bool {
        self.name.is.ends_with(".arns")
    }
}

pub(super) fn parse(node: &Node, out: &mut Complaints, warnings: &mut Complaints) -> Vec<CoreField> {
    let Some(items) = node.list() else {
        out.add(&node.span, "`udm` is a list like [{name: user.email, paths: [{path: actor.email}]}]");
        return Vec::new();
    };
    let mut fields: Vec<CoreField> = Vec::new();
    for item in items {
        let Some(name) = need_text(item, "a core field", "name", out) else { continue };
        if keys_of(&name.is).is_none_or(|keys| keys.len() < 2) {
            out.add(&name.span, format!("`{}` is no core field: they are written as user.email", name.is));
            continue;
        }
        if !KNOWN.contains(&name.is.as_str()) {
            let help = did_you_mean(&name.is, KNOWN.iter().copied());
            let message = format!("`{}` is none of the core fields that Panther documents", name.is);
            warnings.add(&name.span, message).help = help;
        }
        if fields.iter().any(|f| f.name.is == name.is) {
            out.add(&name.span, format!("the core field `{}` is filled twice", name.is));
            continue;
        }
        fields.push(CoreField { name, paths: paths(item, out) });
    }
    // An object cannot be a text too.
    for i in 0..fields.len() {
        let below = format!("{}.", fields[i].name.is);
        if let Some(inner) = fields.iter().find(|f| f.name.is.starts_with(&below)) {
            out.add(
                &inner.name.span,
                format!("`{}` stands below the value `{}`", inner.name.is, fields[i].name.is),
            );
        }
    }
    fields
}

/// Warns of paths that lead to no value of the schema: such a field stays empty.
pub(super) fn check(core: &[CoreField], fields: &[Field], warnings: &mut Complaints) {
    for path in core.iter().flat_map(|c| &c.paths) {
        if !leads(&path.is, fields) {
            let names = fields.iter().map(|f| f.name.is.as_str());
            let message = format!("`{}` is no value of this schema: it fills nothing", path.is.join("."));
            warnings.add(&path.span, message).help = did_you_mean(&path.is[0], names);
        }
    }
}

/// To a scalar, or to an array of scalars.
fn leads(keys: &[String], fields: &[Field]) -> bool {
    let Some((key, below)) = keys.split_first() else { return false };
    let Some(field) = fields.iter().find(|f| f.name.is == *key) else { return false };
    match &field.value.ty {
        Type::Object(inner) => leads(below, inner),
        Type::Array(element) => below.is_empty() && !matches!(element.ty, Type::Object(_) | Type::Array(_)),
        _ => below.is_empty(),
    }
}

/// `paths: [{path: a.b}]`, a list of texts, or one text.
fn paths(item: &Node, out: &mut Complaints) -> Vec<At<Vec<String>>> {
    let Some(node) = item.get("paths").or(item.get("path")) else {
        out.add(&(item.span.start..item.span.start + 1), "a core field needs `paths`");
        return Vec::new();
    };
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    let mut paths = Vec::new();
    for item in items {
        let item = if item.map().is_some() { item.get("path").unwrap_or(item) } else { item };
        match item.text().and_then(keys_of) {
            Some(keys) => paths.push(At::new(keys, item.span.clone())),
            None => {
                out.add(&item.span, "a path is keys set apart by single dots, as in {path: actor.email}");
            }
        }
    }
    paths
}
