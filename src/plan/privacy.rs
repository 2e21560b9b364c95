//! What may be read in which content mode: a property of the Plan, not a filter behind it.

use super::classes::Classes;
use crate::json::{NodeId, Want};
use crate::ops::Step;
use crate::ops::pseudonym::Pseudonyms;
use crate::ops::time::{TimeFormat, Zone};
use crate::table::{Class, Head, Path, Seg, SourceDef};

/// How much of conversation content leaves the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Content {
    /// Records of sources that bear content are dropped by rule.
    None,
    /// Only declared metadata and personal identifiers are read.
    #[default]
    Metadata,
    /// Everything.
    Full,
}

impl Content {
    pub const ALL: [Content; 3] = [Content::None, Content::Metadata, Content::Full];

    pub fn name(self) -> &'static str {
        match self {
            Content::None => "none",
            Content::Metadata => "metadata",
            Content::Full => "full",
        }
    }
}

/// What the run asks of the whole plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Mode {
    pub content: Content,
    /// Paths of class secret are read like content, not kept inside.
    pub keep_secrets: bool,
    /// Values of class pii leave as pseudonyms.
    pub pseudonyms: Option<Pseudonyms>,
    /// The zone of times that do not say their offset.
    pub zone: Option<Zone>,
}

impl Mode {
    /// Formats as this run reads them.
    pub fn formats(&self, formats: &[TimeFormat]) -> Vec<TimeFormat> {
        let read = |format: &TimeFormat| match &self.zone {
            Some(zone) => format.clone().local(zone.clone()),
            None => format.clone(),
        };
        formats.iter().map(read).collect()
    }

    /// Steps as this run takes them.
    pub fn steps(&self, steps: &[Step]) -> Vec<Step> {
        let taken = |step: &Step| match step {
            Step::Time { from, to } => Step::Time { from: self.formats(from), to: *to },
            other => other.clone(),
        };
        steps.iter().map(taken).collect()
    }
}

/// What a row may do with a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Read,
    /// Only its presence, its elements' number and an allow-listed copy.
    Inside,
    Denied,
}

/// What becomes of a scalar where values are copied whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    Keep,
    Hide,
    /// A keyed hash takes its place.
    Token,
}

/// What becomes of every scalar of a source's records.
#[derive(Clone, Debug)]
pub struct Deeds {
    /// By node of the trie.
    nodes: Vec<Deed>,
    /// Members that no path names are hidden; else they share the fate of what holds them.
    unknown_hidden: bool,
}

impl Deeds {
    pub fn of(&self, node: NodeId) -> Deed {
        self.nodes[node as usize]
    }

    /// What becomes of a member of `parent` that no path names.
    pub fn unknown(&self, parent: NodeId) -> Deed {
        if self.unknown_hidden { Deed::Hide } else { self.of(parent) }
    }

    /// The fate of every node of the trie, or nothing where all are kept.
    pub(super) fn new(def: &SourceDef, mode: &Mode, payload: Option<NodeId>, want: &Want) -> Option<Deeds> {
        let closed = closed(def.bears_content(), mode);
        let mut own: Vec<Option<Deed>> = vec![None; want.len()];
        for (path, class) in &def.classes {
            let deed = match class {
                Class::Secret if !mode.keep_secrets || closed => Deed::Hide,
                Class::Content if closed => Deed::Hide,
                Class::Pii if mode.pseudonyms.is_some() => Deed::Token,
                _ => Deed::Keep,
            };
            for node in nodes(&path.is, payload, want) {
                let own = &mut own[node as usize];
                *own = Some(own.map_or(deed, |before| strictest(before, deed)));
            }
        }
        let mut list: Vec<Deed> = Vec::with_capacity(want.len());
        // A node comes behind the one above it.
        for (node, own) in own.into_iter().enumerate() {
            let above = want.parent(node as NodeId).map(|parent| list[parent as usize]);
            list.push(match (own, above) {
                (Some(own), Some(above)) if !closed => strictest(own, above),
                (Some(own), _) => own,
                (None, _) if closed => Deed::Hide,
                (None, above) => above.unwrap_or(Deed::Keep),
            });
        }
        let all_kept = !closed && list.iter().all(|deed| *deed == Deed::Keep);
        (!all_kept).then_some(Deeds { nodes: list, unknown_hidden: closed })
    }
}

fn strictest(a: Deed, b: Deed) -> Deed {
    match (a, b) {
        (Deed::Hide, _) | (_, Deed::Hide) => Deed::Hide,
        (Deed::Token, _) | (_, Deed::Token) => Deed::Token,
        _ => Deed::Keep,
    }
}

/// In metadata mode, what a source that bears content does not declare counts as content: a text
/// field added upstream must not leak.
fn closed(bears_content: bool, mode: &Mode) -> bool {
    bears_content && mode.content != Content::Full
}

/// The nodes of a declared path: its own, and those under which a payload may come.
pub(super) fn nodes(path: &Path, payload: Option<NodeId>, want: &Want) -> impl Iterator<Item = NodeId> {
    let whole = |(node, left): (NodeId, usize)| (left == 0).then_some(node);
    deepest(path, payload, want).filter_map(whole)
}

/// The same, but the deepest nodes that there are, and how many steps of the path are left behind each.
pub(super) fn deepest(
    path: &Path,
    payload: Option<NodeId>,
    want: &Want,
) -> impl Iterator<Item = (NodeId, usize)> {
    let find = |mut node: NodeId, segs: &[Seg]| {
        for (i, seg) in segs.iter().enumerate() {
            let next = match seg {
                Seg::Key(key) => want.key(node, key.as_bytes()),
                Seg::Each | Seg::At(_) => want.element_of(node),
            };
            let Some(next) = next else { return (node, segs.len() - i) };
            node = next;
        }
        (node, 0)
    };
    let found = match (payload, payload_part(path)) {
        (Some(root), Some((key, rest))) => {
            let folded = key.replace('.', "_");
            let roots = [want.key(0, key.as_bytes()), want.key(0, folded.as_bytes()), Some(root)];
            roots.map(|root| Some(find(root?, rest)))
        }
        (Some(root), None) if path.head == Head::Payload => [Some(find(root, &path.segs)), None, None],
        _ => [Some(find(0, &path.segs)), None, None],
    };
    found.into_iter().flatten()
}

/// The key and the inner path of a documented path of one kind's payload: its key has a dot.
pub(super) fn payload_part(path: &Path) -> Option<(&str, &[Seg])> {
    match (path.head, path.segs.split_first()) {
        (Head::Root, Some((Seg::Key(key), rest))) if key.contains('.') => Some((key, rest)),
        _ => None,
    }
}

/// The last keys of all secret paths, unless secrets may leave.
pub(super) fn secret_keys<'a>(defs: impl Iterator<Item = &'a SourceDef>, mode: &Mode) -> Vec<String> {
    if mode.keep_secrets {
        return Vec::new();
    }
    let secret = defs.flat_map(|def| &def.classes).filter(|(_, class)| *class == Class::Secret);
    let last = secret.filter_map(|(path, _)| {
        path.is
            .segs
            .iter()
            .rev()
            .find_map(|seg| if let Seg::Key(key) = seg { Some(key.to_string()) } else { None })
    });
    let mut keys: Vec<String> = last.collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The access to a path of a source.
pub(super) fn access(classes: Option<&Classes>, mode: &Mode, path: &Path) -> Access {
    let Some(classes) = classes else { return Access::Read };
    let closed = closed(classes.content, mode);
    if mode.keep_secrets && !closed {
        return Access::Read;
    }
    let declared = classes.of(path);
    match declared.class {
        _ if declared.secret => Access::Denied,
        _ if !closed => Access::Read,
        Some(Class::Meta | Class::Pii) => Access::Read,
        Some(Class::Content | Class::Secret) => Access::Denied,
        None if declared.shows => Access::Inside,
        None => Access::Denied,
    }
}

/// Values of the path leave as pseudonyms.
pub(super) fn tokens(classes: Option<&Classes>, mode: &Mode, path: &Path) -> bool {
    mode.pseudonyms.is_some() && classes.is_some_and(|classes| classes.of(path).pii)
}
