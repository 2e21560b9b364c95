//! How much of what a source documents its mappings read, said without a record: by pair of source
//! and target, from the compiled lanes. Knows paths, not values.

use super::privacy::{deepest, payload_part};
use super::{Content, Lane, Plan, Request, Route};
use crate::catalog::{Catalog, Mapping};
use crate::error::Error;
use crate::json::{NodeId, Want};
use crate::table::{Class, Ignored, Path, Seg, SourceDef};

/// What one mapping makes of what its source documents.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub source: String,
    pub target: String,
    /// Every declared path of the source, in the order of the file, and what becomes of it.
    pub paths: Vec<Documented>,
}

#[derive(Clone, Debug)]
pub struct Documented {
    pub path: String,
    pub class: Class,
    /// Where the source declares it.
    pub span: std::ops::Range<usize>,
    pub fate: Fate,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Read,
    /// With the reason that the mapping files give.
    Ignored(String),
    Missing,
}

impl Coverage {
    pub fn count(&self, is: impl Fn(&Fate) -> bool) -> usize {
        self.paths.iter().filter(|p| is(&p.fate)).count()
    }

    pub fn missing(&self) -> impl Iterator<Item = &Documented> {
        self.paths.iter().filter(|p| p.fate == Fate::Missing)
    }

    pub fn ignored(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths.iter().filter_map(|p| match &p.fate {
            Fate::Ignored(reason) => Some((p.path.as_str(), reason.as_str())),
            _ => None,
        })
    }
}

/// The coverage of every pair that has a mapping, of one source or of all, to one target or to all.
pub fn coverage(
    catalog: &Catalog,
    source: Option<&str>,
    target: Option<&str>,
) -> Result<Vec<Coverage>, Error> {
    if let Some(name) = source.filter(|name| !catalog.sources.contains_key(*name)) {
        return Err(super::unknown("source", name, catalog.sources.keys()));
    }
    if let Some(name) = target.filter(|name| !catalog.targets.contains_key(*name)) {
        return Err(super::unknown("target", name, catalog.targets.keys()));
    }
    let asked = |(from, to): &(String, String)| {
        source.is_none_or(|name| name == from) && target.is_none_or(|name| name == to)
    };
    let mut targets: Vec<String> =
        catalog.mappings.keys().filter(|k| asked(k)).map(|k| k.1.clone()).collect();
    targets.sort();
    targets.dedup();
    if targets.is_empty() && catalog.wrong.is_empty() {
        let of = source.map(|name| format!(" of source {name}")).unwrap_or_default();
        let to = target.map(|name| format!(" to {name}")).unwrap_or_default();
        return Err(Error::Usage(format!("there is no mapping{of}{to}")));
    }
    // What could be read: every row is compiled.
    let request = Request { targets, content: Content::Full, keep_secrets: true, ..Request::default() };
    let plan = Plan::compile(catalog, &request)?;
    let mut list = Vec::new();
    for (s, def) in catalog.sources.values().enumerate() {
        for (t, to) in plan.targets.iter().enumerate() {
            let Some(mapping) = catalog.mappings.get(&(def.name.clone(), to.name.clone())) else { continue };
            let Route::Lanes(lanes) = &plan.lanes[s][t] else { continue };
            if asked(&(def.name.clone(), to.name.clone())) {
                list.push(of_pair(&plan, s, def, &to.name, mapping, lanes));
            }
        }
    }
    list.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
    Ok(list)
}

fn of_pair(
    plan: &Plan,
    source: usize,
    def: &SourceDef,
    target: &str,
    mapping: &Mapping,
    lanes: &[Lane],
) -> Coverage {
    let payload = plan.sources[source].payload.as_ref().map(|p| p.root);
    let own: &[Ignored] = match mapping {
        Mapping::Table(table) => &table.ignored,
        Mapping::Schema(_) => &[],
    };
    let paths = def.classes.iter().map(|(path, class)| {
        // Below what a mapping copies whole there are no nodes of their own.
        let nodes: Vec<_> = deepest(&path.is, payload, &plan.want).collect();
        let reads = |lane: &Lane, (node, left): (NodeId, usize)| match left {
            0 => reads(lane, node, &plan.want),
            _ => copies(lane, node, &plan.want),
        };
        let read = lanes.iter().any(|lane| nodes.iter().any(|&node| reads(lane, node)));
        let ignored = own.iter().chain(&def.ignored).find(|i| covers(&i.path.is, &path.is));
        let fate = match ignored {
            _ if read => Fate::Read,
            Some(ignored) => Fate::Ignored(ignored.reason.clone()),
            None => Fate::Missing,
        };
        Documented { path: path.is.to_string(), class: *class, span: path.span.clone(), fate }
    });
    Coverage { source: def.name.clone(), target: target.to_string(), paths: paths.collect() }
}

/// A lane reads the value of a node, its elements, or copies something above it whole.
fn reads(lane: &Lane, node: NodeId, want: &Want) -> bool {
    let elements = want.element_of(node).is_some_and(|element| lane.consumed[element as usize]);
    lane.consumed[node as usize] || elements || copies(lane, node, want)
}

/// A lane copies the node, or something above it, whole.
pub(crate) fn copies(lane: &Lane, node: NodeId, want: &Want) -> bool {
    let mut at = Some(node);
    while let Some(node) = at {
        if lane.whole[node as usize] {
            return true;
        }
        at = want.parent(node);
    }
    false
}

/// `above` is `path`, or something above it; what is said of the payload holds for every kind's.
pub(super) fn covers(above: &Path, path: &Path) -> bool {
    let starts = |long: &[Seg], short: &[Seg]| long.len() >= short.len() && long[..short.len()] == *short;
    if above.head == path.head {
        return starts(&path.segs, &above.segs);
    }
    above.head == crate::table::Head::Payload
        && payload_part(path).is_some_and(|(_, rest)| starts(rest, &above.segs))
}
