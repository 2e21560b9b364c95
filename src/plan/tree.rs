//! The tree of an output while a table's rows are put into it, and what it becomes: fields in the
//! target's order. Knows no row.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use smol_str::SmolStr;

use super::shape::{Field, Leaf, List, Object, Part, Read, Shape};
use super::{NeedsByType, TypeRules};
use crate::table::{Seg, TargetDef, TargetSeg, parse_target_path};

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
    /// In the order in which they were met: too few for a map to be worth its memory.
    pub(super) fields: Vec<(SmolStr, Draft)>,
}

impl DraftObject {
    /// The field of a step, whose path is this, new where it was not met before. A key that the
    /// target does not list comes behind those that were met so far.
    pub(super) fn field(&mut self, seg: &TargetSeg, path: &str) -> &mut Draft {
        let last = usize::MAX / 2 + self.fields.len();
        let at = self.fields.iter().position(|(name, _)| *name == seg.key).unwrap_or_else(|| {
            self.fields.push((seg.key.clone(), Draft { path: path.to_string(), ..Draft::default() }));
            self.fields.len() - 1
        });
        let draft = &mut self.fields[at].1;
        draft.order = seg.order.unwrap_or(last);
        draft
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Draft> {
        self.fields.iter_mut().find(|(name, _)| name == key).map(|(_, draft)| draft)
    }
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
        let Some(draft) = object.get_mut(key) else {
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
    let mut fields = draft.fields;
    fields.sort_by_key(|(_, d)| d.order);
    let fields = fields.into_iter().map(|(name, draft)| {
        let presence_bit = presence.get(draft.path.as_str()).copied();
        let shape = match draft.kind {
            Kind::Empty => Shape::Leaf(Vec::new()),
            Kind::Leaf(leaves) => Shape::Leaf(leaves),
            Kind::Object(object) => Shape::Object(finish_object(object, presence)),
            Kind::List(list) => Shape::List(finish_list(list, presence)),
        };
        Field { presence: presence_bit, ..Field::new(&name, shape, draft.required, draft.path) }
    });
    Object::new(fields, None)
}

fn finish_list(list: DraftList, presence: &HashMap<&str, u16>) -> List {
    let mut parts = Vec::with_capacity(list.values.len() + list.objects.len() + list.each.len());
    parts.extend(list.values.into_iter().map(|leaf| Part::Values(Box::new(leaf))));
    parts.extend(list.objects.into_values().map(|o| Part::Object(finish_object(o, presence))));
    parts.extend(list.each.into_iter().map(|(read, scope, object)| Part::Each {
        scopes: read.scopes(scope),
        list: read,
        element: Box::new(Shape::Object(finish_object(object, presence))),
    }));
    List { parts, strict: None }
}

/// What the event types of a target need, the same for all tables.
pub(super) struct Needs<'a> {
    /// The bit of a path that some type needs.
    pub(super) presence: HashMap<&'a str, u16>,
    /// The same by bit.
    paths: Vec<Arc<str>>,
    by_type: Arc<NeedsByType>,
}

impl Needs<'_> {
    pub(super) fn new(target: &TargetDef) -> Needs<'_> {
        let mut presence: HashMap<&str, u16> = HashMap::new();
        for path in target.rules.values().flatten().flatten() {
            let next = presence.len() as u16;
            presence.entry(path).or_insert(next);
        }
        let mut paths = vec![Arc::from(""); presence.len()];
        presence.iter().for_each(|(path, bit)| paths[*bit as usize] = Arc::from(*path));
        let bits = |any: &Vec<String>| any.iter().map(|path| presence[path.as_str()]).collect();
        let types = target.rules.iter();
        let by_type = types.map(|(name, all)| (name.as_bytes().into(), all.iter().map(bits).collect()));
        let by_type = Arc::new(by_type.collect());
        Needs { presence, paths, by_type }
    }

    /// The rules for a table that may not fill all paths.
    pub(super) fn rules(&self, target: &TargetDef, withheld: impl Fn(&str) -> bool) -> Option<TypeRules> {
        target.event_type.as_ref()?;
        Some(TypeRules {
            paths: self.paths.iter().map(|path| (path.clone(), withheld(path))).collect(),
            generic: target.generic.as_ref().map(|g| g.as_bytes().into()),
            needs: self.by_type.clone(),
            fallback: target.fallback.iter().map(|f| f.as_bytes().into()).collect(),
        })
    }
}
