//! What the records of a source hold, against what the source documents: every path with its count
//! and first place, those that nobody knows of, and those that hold now this type and now that.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::leaves::TYPES;
use super::report::{RunFacts, shown};
use super::{Counts, Leaves, PathId, Place, Types};
use crate::plan::{Plan, Route, SourcePlan};

/// One path of the records of a source.
#[derive(Default)]
struct Path {
    counts: [u64; TYPES.len()],
    first: [Option<Place>; TYPES.len()],
    documented: bool,
}

impl Path {
    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn first(&self) -> Option<Place> {
        self.first.iter().flatten().min().copied()
    }

    fn add(&mut self, ty: usize, count: u64, first: Option<Place>) {
        self.counts[ty] += count;
        self.first[ty] = self.first[ty].into_iter().chain(first).min();
    }
}

/// Adds to the report of a source.
pub(super) fn describe(
    plan: &Plan,
    counts: &Counts,
    index: usize,
    types: &Types,
    run: &RunFacts,
    out: &mut Map<String, Value>,
) {
    let Some(source) = plan.sources.get(index) else { return };
    let (paths, overflow) = paths(plan, counts, index, source);
    let place = |place: Option<Place>| match place {
        Some(place) => {
            let input = run.inputs.get(place.input as usize).map(|input| input.0.as_str());
            json!({"input": input, "line": place.line})
        }
        None => Value::Null,
    };
    let entry = |path: &Path| json!({"leaves": path.count(), "first": place(path.first())});
    let unknown = paths.iter().filter(|(_, p)| !p.documented && source.documents);
    let unknown: BTreeMap<&str, Value> = unknown.map(|(name, p)| (name.as_str(), entry(p))).collect();
    let known =
        |kind: &str| source.kinds.is_empty() || source.kinds.iter().any(|k| k.matches(kind.as_bytes()));
    let unknown_types: BTreeMap<&str, Value> = types
        .iter()
        .filter(|(kind, _)| !known(kind))
        .map(|(kind, c)| (&**kind, json!({"records": c.records, "first": place(c.first)})))
        .collect();
    let conflicts: BTreeMap<&str, Value> = conflicts(&paths)
        .into_iter()
        .map(|(name, path)| {
            let types = (0..TYPES.len()).filter(|ty| path.counts[*ty] > 0);
            let types = types.map(|ty| {
                (TYPES[ty].to_string(), json!({"leaves": path.counts[ty], "first": place(path.first[ty])}))
            });
            (name, Value::Object(types.collect()))
        })
        .collect();
    let paths: BTreeMap<&str, Value> = paths.iter().map(|(name, p)| (name.as_str(), entry(p))).collect();
    out.insert("paths".into(), json!(paths));
    out.insert("unknown_paths".into(), json!(unknown));
    out.insert("unknown_types".into(), json!(unknown_types));
    out.insert("type_conflicts".into(), json!(conflicts));
    out.insert("paths_overflowed".into(), overflow.into());
}

/// The paths of a source's records, and how many leaves count under a path that stands for many.
fn paths(plan: &Plan, counts: &Counts, index: usize, source: &SourcePlan) -> (BTreeMap<String, Path>, u64) {
    let mut paths: BTreeMap<String, Path> = BTreeMap::new();
    let mut overflow = counts.learned.overflow();
    // Every target that maps the source sees each of its records once: one of them will do.
    let mapped = plan.lanes[index].iter().position(|route| matches!(route, Route::Lanes(_)));
    let lanes = mapped.map(|target| counts.lanes[index][target].as_slice()).unwrap_or_default();
    for lane in lanes {
        let mut add = |leaves: &Leaves, id: PathId, list: &[u64], name: String, documented: bool| {
            let path = paths.entry(shown(plan, &name)).or_default();
            path.documented |= documented;
            for (ty, n) in list.iter().enumerate().filter(|(_, n)| **n > 0) {
                path.add(ty, *n, leaves.first(id, ty));
            }
        };
        for (id, list) in lane.leaves.seen() {
            if counts.learned.is_crowded(id) {
                overflow += list.iter().sum::<u64>();
            }
            let documented = documented(plan, source, counts.learned.known_above(id));
            add(&lane.leaves, id, list, counts.learned.path(&plan.want, id), documented);
        }
        for (id, list) in lane.undeclared.seen() {
            add(&lane.undeclared, id, list, undeclared(&plan.want.path(id)), false);
        }
    }
    (paths, overflow)
}

/// The name of what the content mode keeps inside.
pub(super) fn undeclared(above: &str) -> String {
    if above.is_empty() { "(undeclared)".into() } else { format!("{above}.(undeclared)") }
}

/// The source declares the path, or something above it.
fn documented(plan: &Plan, source: &SourcePlan, node: u32) -> bool {
    let mut at = Some(node);
    while let Some(node) = at {
        if source.declared[node as usize] {
            return true;
        }
        at = plan.want.parent(node);
    }
    false
}

/// Paths that hold more than one type; what has paths below it is an object or an array there.
fn conflicts(paths: &BTreeMap<String, Path>) -> Vec<(&str, Path)> {
    let mut list = Vec::new();
    for (name, path) in paths {
        let mut all = Path { counts: path.counts, first: path.first, documented: path.documented };
        let below =
            paths.range(name.clone()..).skip(1).take_while(|(other, _)| other.starts_with(name.as_str()));
        for (other, path) in below {
            let ty = match other.as_bytes().get(name.len()) {
                Some(b'.') => 3,
                Some(b'[') => 4,
                _ => continue,
            };
            all.add(ty, path.count(), path.first());
        }
        if all.counts.iter().filter(|n| **n > 0).count() > 1 {
            list.push((name.as_str(), all));
        }
    }
    list
}
