//! The core fields (`p_udm`) of a schema: values that stand in the event already, once more under
//! the names that all log types share.

use indexmap::IndexMap;

use super::{Build, Place};
use crate::panther::{self, Schema, Type, Value};
use crate::plan::shape::{Field, Leaf, List, Object, Origin, Part, Shape};
use crate::table::{Path, Seg};

use super::drawn::Drawn;

impl Build<'_> {
    /// The object of core fields; `None` where the schema fills none.
    pub(super) fn core(&mut self, schema: &Schema, root: &Place) -> Option<Object> {
        let mut fields: Vec<(Vec<&str>, Shape)> = Vec::new();
        for core in &schema.core {
            let shown = format!("p_udm.{}", core.name.is);
            let mut leaves: Vec<Leaf> = Vec::new();
            for path in &core.paths {
                leaves.extend(self.core_leaf(&path.is, &schema.fields, root, &shown));
            }
            let shape = match core.is_list() {
                false => Shape::Leaf(leaves),
                true => {
                    let parts = leaves.into_iter().map(|leaf| Part::Values(Box::new(leaf)));
                    Shape::List(List { parts: parts.collect(), strict: None })
                }
            };
            fields.push((core.name.is.split('.').collect(), shape));
        }
        (!fields.is_empty()).then(|| self.tree(fields, "p_udm"))
    }

    /// The fields as an object, in the order in which their first steps are met.
    fn tree(&self, fields: Vec<(Vec<&str>, Shape)>, above: &str) -> Object {
        let mut steps: IndexMap<&str, Vec<(Vec<&str>, Shape)>> = IndexMap::new();
        for (keys, shape) in fields {
            steps.entry(keys[0]).or_default().push((keys[1..].to_vec(), shape));
        }
        let fields = steps.into_iter().map(|(key, mut below)| {
            let shown = format!("{above}.{key}");
            let shape = match below.as_slice() {
                [(rest, _)] if rest.is_empty() => below.remove(0).1,
                _ => Shape::Object(self.tree(below, &shown)),
            };
            Field::new(key, shape, false, shown)
        });
        Object::new(fields, None)
    }

    /// The declared scalar at a path, or the elements of an array of scalars; nothing is collected
    /// from it a second time.
    fn core_leaf(
        &mut self,
        keys: &[String],
        fields: &[panther::Field],
        place: &Place,
        shown: &str,
    ) -> Option<Leaf> {
        let (key, below) = keys.split_first()?;
        let field = fields.iter().find(|f| f.name.is == *key)?;
        let drawn = self.drawn(field, fields, place);
        if !below.is_empty() {
            let Type::Object(inner) = &field.value.ty else { return None };
            let (node, path) = drawn.one();
            return self.core_leaf(below, inner, &Place { node, path: path.clone(), ..place.clone() }, shown);
        }
        let (value, drawn, lists) = match &field.value.ty {
            Type::Object(_) => return None,
            Type::Array(element) if matches!(element.ty, Type::Object(_) | Type::Array(_)) => return None,
            Type::Array(element) => {
                let (node, path) = drawn.one();
                let inner = self.want.element(node);
                let scope = self.want.element_scope(node).unwrap_or(0);
                let mut below: Path = path.clone();
                below.segs.push(Seg::Each);
                (&**element, Drawn::of(inner, below, drawn.steps.clone()), vec![scope])
            }
            _ => (&field.value, drawn, Vec::new()),
        };
        if !self.admitted(value, &drawn, shown) {
            return None;
        }
        let plain =
            Value { indicators: Vec::new(), validate: Vec::new(), is_event_time: false, ..value.clone() };
        let leaf = self.leaf(&plain, &drawn, shown, &lists);
        debug_assert!(matches!(leaf.origin, Origin::Reads(_) | Origin::Joined { .. }));
        Some(leaf)
    }
}
