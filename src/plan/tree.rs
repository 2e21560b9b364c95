//! The tree of an output while a table's rows are put into it, and what it becomes: fields in the
//! target's order. Knows no row.

use std::collections::{BTreeMap, HashMap};

use super::TypeRules;
use super::shape::{Field, Leaf, List, Object, Part, Read, Shape};
use crate::table::{Seg, TargetDef, parse_target_path};

/// A field while the tree grows.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) order: usize,
    pub(super) path: String,
    pub(super) required: bool,
    pub(super) kind: Kind,
}

#[derive(Default)]
pub(super) enum Kind {
    #[default]
    Empty,
    Object(DraftObject),
    Leaf(Vec<Leaf>),
    List(DraftList),
}

#[derive(Default)]
pub(super) struct DraftObject {
    pub(super) fields: indexmap::IndexMap<String, Draft>,
}

#[derive(Default)]
pub(super) struct DraftList {
    pub(super) values: Vec<Leaf>,
    pub(super) objects: BTreeMap<usize, DraftObject>,
    /// By the innermost scope of the list that is walked.
    pub(super) each: Vec<(Read, u16, DraftObject)>,
}

pub(super) fn list_of(draft: &mut Draft) -> Option<&mut DraftList> {
    if let Kind::Empty = draft.kind {
        draft.kind = Kind::List(DraftList::default());
    }
    match &mut draft.kind {
        Kind::List(list) => Some(list),
        _ => None,
    }
}

pub(super) fn mark_required(root: &mut DraftObject, path: &str) -> bool {
    let Ok(segs) = parse_target_path(path) else {
        return false;
    };
    let mut object = root;
    for (i, seg) in segs.iter().enumerate() {
        let Seg::Key(key) = seg else { return false };
        let Some(draft) = object.fields.get_mut(key) else {
            return false;
        };
        if i + 1 == segs.len() {
            draft.required = true;
            return true;
        }
        match &mut draft.kind {
            Kind::Object(inner) => object = inner,
            _ => return false,
        }
    }
    false
}

pub(super) fn finish_object(draft: DraftObject, presence: &HashMap<&str, u16>) -> Object {
    let mut fields: Vec<(String, Draft)> = draft.fields.into_iter().collect();
    fields.sort_by_key(|(_, d)| d.order);
    let fields = fields
        .into_iter()
        .map(|(name, draft)| {
            let presence_bit = presence.get(draft.path.as_str()).copied();
            let shape = match draft.kind {
                Kind::Empty => Shape::Leaf(Vec::new()),
                Kind::Leaf(leaves) => Shape::Leaf(leaves),
                Kind::Object(object) => Shape::Object(finish_object(object, presence)),
                Kind::List(list) => Shape::List(finish_list(list, presence)),
            };
            Field { presence: presence_bit, ..Field::new(&name, shape, draft.required, draft.path) }
        })
        .collect();
    Object::new(fields, None)
}

fn finish_list(list: DraftList, presence: &HashMap<&str, u16>) -> List {
    let mut parts: Vec<Part> = list.values.into_iter().map(|leaf| Part::Values(Box::new(leaf))).collect();
    parts.extend(list.objects.into_values().map(|o| Part::Object(finish_object(o, presence))));
    parts.extend(list.each.into_iter().map(|(read, scope, object)| Part::Each {
        scopes: read.scopes(scope),
        list: read,
        element: Box::new(Shape::Object(finish_object(object, presence))),
    }));
    List { parts, strict: None }
}

pub(super) fn type_rules(
    target: &TargetDef,
    presence: &HashMap<&str, u16>,
    withheld: impl Fn(&str) -> bool,
) -> Option<TypeRules> {
    target.event_type.as_ref()?;
    let mut needs: HashMap<Box<[u8]>, Vec<Vec<u16>>, foldhash::fast::FixedState> = HashMap::default();
    for (name, list) in &target.rules {
        let list = list
            .iter()
            .map(|any| any.iter().filter_map(|p| presence.get(p.as_str()).copied()).collect())
            .collect();
        needs.insert(name.as_bytes().into(), list);
    }
    let mut paths = vec![(String::new(), false); presence.len()];
    for (path, bit) in presence {
        paths[*bit as usize] = (path.to_string(), withheld(path));
    }
    Some(TypeRules {
        paths,
        generic: target.generic.as_ref().map(|g| g.as_bytes().into()),
        needs,
        fallback: target.fallback.iter().map(|f| f.as_bytes().into()).collect(),
    })
}
