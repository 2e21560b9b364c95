//! Paths that no mapping names: learned as they are met, in bounded memory. The bound keeps the
//! report the same for any number of workers: a parent with more than [`MAX_CHILDREN`] distinct
//! unknown keys is reported as one `*`, whichever worker met which of them.

use std::collections::HashMap;

use crate::json::{self, Kind, NodeId, Want, cell_at, elements, members, push_step, unescape};

/// A path: below the number of the trie's nodes it is that node, from there on it is learned.
pub type PathId = u32;

/// Distinct unknown keys of one object that are told apart.
pub const MAX_CHILDREN: usize = 256;
/// Levels below the last known node that are told apart.
const MAX_LEVELS: usize = 12;
/// All learned paths of one worker. Past it, new paths count under their parent.
const MAX_PATHS: usize = 100_000;

type Named = Vec<(Box<[u8]>, PathId)>;

#[derive(Clone, Debug, Default)]
pub struct Learned {
    known: usize,
    paths: Vec<LearnedPath>,
    /// By parent, sorted by name.
    children: HashMap<PathId, Named>,
    /// Leaves that count under a path above their own, because there were too many paths.
    overflow: u64,
    /// Where a value stands that is counted elsewhere.
    passed_by: Option<usize>,
    key: String,
}

#[derive(Clone, Debug)]
struct LearnedPath {
    parent: PathId,
    /// The key's characters; `[]` for elements of a list, marked by `element`.
    name: Box<str>,
    element: bool,
}

impl Learned {
    pub fn new(known: usize) -> Learned {
        Learned { known, ..Learned::default() }
    }

    /// From now on, a value at this offset counts elsewhere.
    pub fn pass_by(&mut self, at: Option<usize>) {
        self.passed_by = at;
    }

    /// Calls `seen` with the path and the offset of every leaf of the value at `at`, a member `key`
    /// (raw) of `parent`. Returns the end of the value.
    pub fn learn(
        &mut self,
        parent: PathId,
        key: &[u8],
        text: &[u8],
        at: usize,
        seen: &mut dyn FnMut(PathId, usize),
    ) -> usize {
        let id = self.child(parent, key, false);
        self.value(id, text, at, MAX_LEVELS, seen)
    }

    /// The same for the value at `at` whose own path is known.
    pub fn inside(&mut self, id: PathId, text: &[u8], at: usize, seen: &mut dyn FnMut(PathId, usize)) {
        self.value(id, text, at, MAX_LEVELS, seen);
    }

    fn value(
        &mut self,
        id: PathId,
        text: &[u8],
        at: usize,
        levels: usize,
        seen: &mut dyn FnMut(PathId, usize),
    ) -> usize {
        if self.passed_by == Some(at) {
            return json::skip_value(text, at, json::MAX_DEPTH).unwrap_or(text.len());
        }
        let deeper = levels > 0;
        match text.get(at) {
            Some(b'{') if deeper => members(text, at, &mut |key, i| {
                let child = self.child(id, key, false);
                self.value(child, text, i, levels - 1, seen)
            }),
            Some(b'[') if deeper => {
                let child = self.child(id, b"[]", true);
                elements(text, at, &mut |i| self.value(child, text, i, levels - 1, seen))
            }
            _ => {
                let cell = cell_at(text, at);
                if cell.kind.is_leaf() {
                    seen(id, at);
                }
                if cell.kind == Kind::Absent { text.len() } else { cell.end as usize }
            }
        }
    }

    fn child(&mut self, parent: PathId, key: &[u8], element: bool) -> PathId {
        // Keys are told apart by their characters, however they were escaped.
        let mut name = std::mem::take(&mut self.key);
        name.clear();
        unescape(key, &mut name);
        let id = self.named(parent, &name, element);
        self.key = name;
        id
    }

    fn named(&mut self, parent: PathId, name: &str, element: bool) -> PathId {
        let list = self.children.entry(parent).or_default();
        match list.binary_search_by(|(n, _)| (**n).cmp(name.as_bytes())) {
            Ok(i) => list[i].1,
            Err(_) if self.paths.len() >= MAX_PATHS => {
                self.overflow += 1;
                parent
            }
            Err(_) if list.len() > MAX_CHILDREN && name != "*" => self.named(parent, "*", false),
            Err(i) => {
                let id = (self.known + self.paths.len()) as PathId;
                list.insert(i, (name.as_bytes().into(), id));
                self.paths.push(LearnedPath { parent, name: name.into(), element });
                id
            }
        }
    }

    /// Learns what another worker learned; gives its ids in mine.
    pub fn merge(&mut self, other: &Learned) -> impl Fn(PathId) -> PathId + use<> {
        self.overflow += other.overflow;
        let known = self.known as PathId;
        let mut ids: Vec<PathId> = Vec::with_capacity(other.paths.len());
        for path in &other.paths {
            let parent = if path.parent < known { path.parent } else { ids[(path.parent - known) as usize] };
            ids.push(self.named(parent, &path.name, path.element));
        }
        move |id| {
            if id < known { id } else { ids[(id - known) as usize] }
        }
    }

    /// The deepest node of the trie above a path.
    pub fn known_above(&self, mut id: PathId) -> NodeId {
        while let Some(path) = (id as usize).checked_sub(self.known).and_then(|i| self.paths.get(i)) {
            id = path.parent;
        }
        id
    }

    /// The written path; keys of a crowded parent are `*`.
    pub fn path(&self, want: &Want, id: PathId) -> String {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some(path) = (at as usize).checked_sub(self.known).and_then(|i| self.paths.get(i)) {
            let crowded = self.children.get(&path.parent).is_some_and(|c| c.len() > MAX_CHILDREN);
            steps.push((if crowded { "*" } else { &*path.name }, path.element));
            at = path.parent;
        }
        let mut text = want.path(at);
        for (name, element) in steps.into_iter().rev() {
            match (name, element) {
                ("*", _) => text.push_str(if text.is_empty() { "*" } else { ".*" }),
                (_, true) => text.push_str("[]"),
                (name, false) => push_step(name, &mut text),
            }
        }
        text
    }

    /// A path that stands for all undeclared members of what holds it, of which there are too many.
    pub(super) fn is_crowded(&self, mut id: PathId) -> bool {
        while let Some(path) = (id as usize).checked_sub(self.known).and_then(|i| self.paths.get(i)) {
            if self.children.get(&path.parent).is_some_and(|c| c.len() > MAX_CHILDREN) {
                return true;
            }
            id = path.parent;
        }
        false
    }

    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    pub fn known(&self) -> usize {
        self.known
    }
}
