//! Schemas that nothing tells apart but the order in which they were given.

use crate::error::Diagnostic;
use crate::panther::{Check, Field, Schema, Type};

/// A warning for each schema that is as specific as one given before it and excludes none of that
/// one's records.
pub(super) fn warn(schemas: &[Schema]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (i, b) in schemas.iter().enumerate() {
        // Lines of text are told apart by the parsers, JSON objects by the fields.
        let alike = |a: &&Schema| {
            a.text.is_none()
                && b.text.is_none()
                && a.specificity() == b.specificity()
                && !exclude(&a.fields, &b.fields)
        };
        let Some(a) = schemas[..i].iter().find(alike) else { continue };
        let message = format!(
            "`{}` and `{}` ({}) ask as much of a record as each other: one that both accept goes to `{}`, which is given first",
            b.name, a.name, a.at.file, a.name
        );
        let mut warning = b.at.complain(&(0..1), message);
        warning.help = Some(
            "require a field that the other has not, or give one field of both `validate: {allow: [...]}`"
                .into(),
        );
        warnings.push(warning);
    }
    warnings
}

/// Some field is required in both, and its allowed values have none in common.
fn exclude(a: &[Field], b: &[Field]) -> bool {
    let pairs = a.iter().filter_map(|x| Some((x, b.iter().find(|y| y.name.is == x.name.is)?)));
    pairs.into_iter().filter(|(x, y)| x.required && y.required).any(|(x, y)| {
        match (&x.value.ty, &y.value.ty) {
            (Type::Object(a), Type::Object(b)) => exclude(a, b),
            _ => match (allowed(x), allowed(y)) {
                (Some(a), Some(b)) => !a.iter().any(|text| b.contains(text)),
                _ => false,
            },
        }
    })
}

fn allowed(field: &Field) -> Option<&Vec<String>> {
    field.value.validate.iter().find_map(|check| match check {
        Check::Allow(list) => Some(list),
        _ => None,
    })
}
