//! Paths that no mapping names: learned as they are met, in bounded memory. The bound keeps the
//! report the same for any number of workers: a parent with more than [`MAX_CHILDREN`] distinct
//! unknown keys is reported as one `*`, whichever worker met which of them.

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexSet};

use super::leaves::type_of;
use crate::json::{Checked, NodeId, Rest, Want, push_step, unescape};

/// A path: below the number of the trie's nodes it is that node, from there on it is learned.
pub type PathId = u32;

/// Distinct unknown keys of one object that are told apart.
pub const MAX_CHILDREN: usize = 256;
/// Levels below the last known node that are told apart.
const MAX_LEVELS: usize = 12;
/// All learned paths of one worker. Past it, new paths count under their parent.
const MAX_PATHS: usize = 100_000;

#[derive(Clone, Debug, Default)]
pub struct Learned {
    known: usize,
    /// The place of a path is its number behind the known ones. The hash is quick; that keys are
    /// chosen to collide costs time up to `MAX_CHILDREN` of them.
    paths: IndexSet<LearnedPath, foldhash::fast::RandomState>,
    /// By learned path: the place of the one whose key came next to it under their parent.
    followers: Vec<u32>,
    /// By path.
    inside: Vec<Inside>,
    /// Leaves that count under a path above their own, because there were too many paths.
    overflow: u64,
    /// Where a value stands that is counted elsewhere.
    passed_by: Option<usize>,
    key: String,
}

/// What was learned right below a path.
#[derive(Clone, Copy, Debug)]
struct Inside {
    children: u32,
    /// The place of the child that was met last.
    last: u32,
    /// The place of the path that stands for all children past the first `MAX_CHILDREN`.
    crowd: u32,
}

impl Inside {
    const EMPTY: Inside = Inside { children: 0, last: NONE, crowd: NONE };
}

/// In place of a path's place: there is none.
const NONE: u32 = u32::MAX;
/// The name of the path that stands for a crowd; a key may be it, too.
const CROWD: &[u8] = b"*";

#[derive(Clone, PartialEq, Eq, Debug)]
struct LearnedPath {
    parent: PathId,
    /// The key's characters in UTF-8; empty for elements of a list, marked by `element`.
    name: Box<[u8]>,
    element: bool,
}

/// What tells paths apart.
#[derive(Clone, Copy)]
struct Step<'a> {
    parent: PathId,
    name: &'a [u8],
    element: bool,
}

impl LearnedPath {
    fn step(&self) -> Step<'_> {
        Step { parent: self.parent, name: &self.name, element: self.element }
    }
}

impl Hash for LearnedPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.step().hash(state);
    }
}

impl Hash for Step<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((self.parent as u64) << 1 | self.element as u64);
        state.write(self.name);
    }
}

impl Equivalent<LearnedPath> for Step<'_> {
    fn equivalent(&self, path: &LearnedPath) -> bool {
        self.parent == path.parent && self.element == path.element && *self.name == *path.name
    }
}

impl Learned {
    pub fn new(known: usize) -> Learned {
        let inside = vec![Inside::EMPTY; known];
        Learned { known, inside, ..Learned::default() }
    }

    /// From now on, a value at this offset counts elsewhere.
    pub fn pass_by(&mut self, at: Option<usize>) {
        self.passed_by = at;
    }

    /// Calls `seen` with the path, the offset and the type of every leaf of a member that no path
    /// of the trie leads into.
    #[inline(always)]
    pub fn learn(
        &mut self,
        rest: &Rest,
        text: &[u8],
        read: &mut Checked,
        seen: &mut impl FnMut(PathId, usize, u8),
    ) {
        let id = self.child(rest.node, &text[rest.key.0 as usize..rest.key.1 as usize], false);
        let (at, kind) = (rest.value.start as usize, rest.value.kind);
        if kind.is_composite() {
            self.value(id, text, read, at, MAX_LEVELS, seen);
        } else if kind.is_leaf() && self.passed_by != Some(at) {
            seen(id, at, type_of(kind));
        }
    }

    /// The same for the value at `at` whose own path is known.
    pub fn inside(
        &mut self,
        id: PathId,
        text: &[u8],
        read: &mut Checked,
        at: usize,
        seen: &mut impl FnMut(PathId, usize, u8),
    ) {
        self.value(id, text, read, at, MAX_LEVELS, seen);
    }

    /// Gives where the value ends.
    #[inline(always)]
    fn value(
        &mut self,
        id: PathId,
        text: &[u8],
        read: &mut Checked,
        at: usize,
        levels: usize,
        seen: &mut impl FnMut(PathId, usize, u8),
    ) -> usize {
        if matches!(read.byte(at), b'{' | b'[') && levels > 0 && self.passed_by != Some(at) {
            return self.composite(id, text, read, at, levels - 1, seen);
        }
        let (end, kind) = read.skip(at);
        if kind.is_leaf() && self.passed_by != Some(at) {
            seen(id, at, type_of(kind));
        }
        end
    }

    fn composite(
        &mut self,
        id: PathId,
        text: &[u8],
        read: &mut Checked,
        at: usize,
        levels: usize,
        seen: &mut impl FnMut(PathId, usize, u8),
    ) -> usize {
        let mut i = at + 1;
        if read.byte(at) == b'{' {
            while let Some((key, value)) = read.member(i) {
                let child = self.child(id, &text[key], false);
                i = self.value(child, text, read, value, levels, seen);
            }
        } else {
            let child = self.child(id, b"", true);
            while let Some(value) = read.element(i) {
                i = self.value(child, text, read, value, levels, seen);
            }
        }
        read.close(i)
    }

    /// The path of a member with this key, as written.
    #[inline(always)]
    fn child(&mut self, parent: PathId, key: &[u8], element: bool) -> PathId {
        // Records of one make have their members in one order.
        let inside = &mut self.inside[parent as usize];
        if let Some(&next) = self.followers.get(inside.last as usize)
            && let Some(path) = self.paths.get_index(next as usize)
            && path.element == element
            && *path.name == *key
        {
            inside.last = next;
            return self.known as PathId + next;
        }
        self.look_up(parent, key, element)
    }

    #[inline(never)]
    fn look_up(&mut self, parent: PathId, key: &[u8], element: bool) -> PathId {
        if memchr::memchr(b'\\', key).is_some() {
            // Keys are told apart by their characters, however they were escaped.
            let mut name = std::mem::take(&mut self.key);
            name.clear();
            unescape(key, &mut name);
            let id = self.named(Step { parent, name: name.as_bytes(), element });
            self.key = name;
            return id;
        }
        let id = self.named(Step { parent, name: key, element });
        // A path that stands for others has no follower of its own.
        if let Some(place) = id.checked_sub(self.known as PathId)
            && let Some(path) = self.paths.get_index(place as usize)
            && path.parent == parent
            && *path.name == *key
        {
            let last = std::mem::replace(&mut self.inside[parent as usize].last, place);
            if let Some(follower) = self.followers.get_mut(last as usize) {
                *follower = place;
            }
        }
        id
    }

    fn named(&mut self, step: Step) -> PathId {
        if let Some(place) = self.paths.get_index_of(&step) {
            return (self.known + place) as PathId;
        }
        if self.paths.len() >= MAX_PATHS {
            self.overflow += 1;
            return step.parent;
        }
        let inside = &mut self.inside[step.parent as usize];
        if inside.children as usize > MAX_CHILDREN && step.name != CROWD {
            if inside.crowd != NONE {
                return self.known as PathId + inside.crowd;
            }
            let id = self.named(Step { name: CROWD, element: false, ..step });
            self.inside[step.parent as usize].crowd = id - self.known as PathId;
            return id;
        }
        inside.children += 1;
        let Step { parent, name, element } = step;
        let (place, _) = self.paths.insert_full(LearnedPath { parent, name: name.into(), element });
        self.followers.push(place as u32);
        self.inside.push(Inside::EMPTY);
        (self.known + place) as PathId
    }

    /// Learns what another worker learned; gives its ids in mine.
    pub fn merge(&mut self, other: &Learned) -> impl Fn(PathId) -> PathId + use<> {
        self.overflow += other.overflow;
        let known = self.known as PathId;
        let mut ids: Vec<PathId> = Vec::with_capacity(other.paths.len());
        for path in &other.paths {
            let parent = if path.parent < known { path.parent } else { ids[(path.parent - known) as usize] };
            ids.push(self.named(Step { parent, ..path.step() }));
        }
        move |id| {
            if id < known { id } else { ids[(id - known) as usize] }
        }
    }

    /// The deepest node of the trie above a path.
    pub fn known_above(&self, mut id: PathId) -> NodeId {
        while let Some(path) = (id as usize).checked_sub(self.known).and_then(|i| self.paths.get_index(i)) {
            id = path.parent;
        }
        id
    }

    /// The written path; keys of a crowded parent are `*`.
    pub fn path(&self, want: &Want, id: PathId) -> String {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some(path) = (at as usize).checked_sub(self.known).and_then(|i| self.paths.get_index(i)) {
            steps.push(match self.crowded(path.parent) {
                true => (CROWD, false),
                false => (&*path.name, path.element),
            });
            at = path.parent;
        }
        let mut text = want.path(at);
        for (name, element) in steps.into_iter().rev() {
            match (name, element) {
                (_, true) => text.push_str("[]"),
                (CROWD, _) => text.push_str(if text.is_empty() { "*" } else { ".*" }),
                (name, _) => push_step(&String::from_utf8_lossy(name), &mut text),
            }
        }
        text
    }

    /// A path that stands for all undeclared members of what holds it, of which there are too many.
    pub(super) fn is_crowded(&self, mut id: PathId) -> bool {
        while let Some(path) = (id as usize).checked_sub(self.known).and_then(|i| self.paths.get_index(i)) {
            if self.crowded(path.parent) {
                return true;
            }
            id = path.parent;
        }
        false
    }

    fn crowded(&self, parent: PathId) -> bool {
        self.inside[parent as usize].children as usize > MAX_CHILDREN
    }

    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    pub fn known(&self) -> usize {
        self.known
    }
}
