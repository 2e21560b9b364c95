//! The leaves that records hold, by path and type, and where each was met first. Counting costs an
//! addition; a place is only worked out when a path or a type of it is new.

use std::collections::HashMap;

use super::PathId;
use crate::json::Kind;

/// The types of JSON that are told apart, in the order of the counts.
pub const TYPES: [&str; 5] = ["string", "number", "boolean", "object", "array"];

const STRING: u8 = 0;
const NUMBER: u8 = 1;
const BOOLEAN: u8 = 2;
const OBJECT: u8 = 3;
const ARRAY: u8 = 4;

/// The type of the value that begins with a byte, as a place in `TYPES`.
#[inline(always)]
pub fn type_at(text: &[u8], at: usize) -> u8 {
    const OF: [u8; 256] = {
        let mut of = [NUMBER; 256];
        of[b'"' as usize] = STRING;
        of[b't' as usize] = BOOLEAN;
        of[b'f' as usize] = BOOLEAN;
        of[b'{' as usize] = OBJECT;
        of[b'[' as usize] = ARRAY;
        of
    };
    text.get(at).map_or(NUMBER, |&byte| OF[byte as usize])
}

/// The type of a leaf, as a place in `TYPES`.
#[inline(always)]
pub fn type_of(kind: Kind) -> u8 {
    const OF: [u8; Kind::EmptyArray as usize + 1] = {
        let mut of = [NUMBER; Kind::EmptyArray as usize + 1];
        of[Kind::String as usize] = STRING;
        of[Kind::Escaped as usize] = STRING;
        of[Kind::Lone as usize] = STRING;
        of[Kind::True as usize] = BOOLEAN;
        of[Kind::False as usize] = BOOLEAN;
        of[Kind::Object as usize] = OBJECT;
        of[Kind::Array as usize] = ARRAY;
        of
    };
    OF[kind as usize]
}

/// A record's place: places are compared in the order of the inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub input: u32,
    pub byte: u64,
    pub line: u64,
}

/// Finds the place of the record at hand.
pub struct Sight<'a> {
    /// The batch lies before one that was counted already: nothing is new for being uncounted.
    pub late: bool,
    pub place: &'a mut dyn FnMut() -> Place,
}

/// Parts of records by their number: how often each was met, for its leaves to be added all at once. Only
/// the first time they are seen one by one.
#[derive(Clone, Debug, Default)]
pub struct Bundles {
    /// One more than were met since the leaves were added; 0: never met.
    met: Vec<u64>,
    /// Those that were met since.
    since: Vec<u32>,
}

impl Bundles {
    /// Whether a part was met before; from now on it was.
    #[inline]
    pub fn again(&mut self, bundle: u32) -> bool {
        let at = bundle as usize;
        if at >= self.met.len() {
            self.met.resize(at + 1, 0);
        }
        let again = self.met[at] > 0;
        self.met[at] = self.met[at].max(1);
        again
    }

    /// Counts one more of a part that was met before.
    #[inline]
    pub fn add(&mut self, bundle: u32) {
        let met = &mut self.met[bundle as usize];
        if *met == 1 {
            self.since.push(bundle);
        }
        *met += 1;
    }

    /// Hands out how many of each part were met since the last time.
    pub fn settle(&mut self, mut f: impl FnMut(u32, u64)) {
        for bundle in self.since.drain(..) {
            let met = std::mem::replace(&mut self.met[bundle as usize], 1);
            f(bundle, met - 1);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Leaves {
    /// Paths that have a number from the start.
    known: usize,
    counts: Vec<[u64; TYPES.len()]>,
    first: HashMap<(PathId, u8), Place>,
}

impl Leaves {
    pub fn new(known: usize) -> Leaves {
        Leaves { known, ..Leaves::default() }
    }

    /// Counts some leaves of one type under a path.
    #[inline]
    pub fn see(&mut self, path: PathId, ty: usize, leaves: u64, sight: &mut Sight) {
        let at = path as usize;
        if at >= self.counts.len() {
            self.grow(at);
        }
        let count = &mut self.counts[at][ty];
        *count += leaves;
        if *count == leaves || sight.late {
            self.note(path, ty, (sight.place)());
        }
    }

    /// Counts more leaves of a path and type that was seen before.
    pub fn add(&mut self, path: PathId, ty: usize, leaves: u64) {
        self.counts[path as usize][ty] += leaves;
    }

    /// Room for all known paths at once, and only where a record needs it: most lanes of a run see none.
    #[cold]
    fn grow(&mut self, at: usize) {
        self.counts.resize(self.known.max(at + 1), [0; TYPES.len()]);
    }

    #[cold]
    fn note(&mut self, path: PathId, ty: usize, place: Place) {
        let first = self.first.entry((path, ty as u8)).or_insert(place);
        *first = place.min(*first);
    }

    /// Adds what another worker counted; `ids` gives its paths in mine.
    pub(super) fn merge(&mut self, other: &Leaves, ids: &impl Fn(PathId) -> PathId) {
        for (path, counts) in other.counts.iter().enumerate().filter(|(_, c)| **c != [0; TYPES.len()]) {
            let at = ids(path as PathId) as usize;
            if at >= self.counts.len() {
                self.grow(at);
            }
            self.counts[at].iter_mut().zip(counts).for_each(|(a, b)| *a += b);
        }
        for ((path, ty), place) in &other.first {
            self.note(ids(*path), *ty as usize, *place);
        }
    }

    /// Every path that was met, with its counts by type.
    pub(super) fn seen(&self) -> impl Iterator<Item = (PathId, &[u64; TYPES.len()])> {
        self.counts.iter().enumerate().filter(|(_, c)| **c != [0; TYPES.len()]).map(|(i, c)| (i as PathId, c))
    }

    pub(super) fn first(&self, path: PathId, ty: usize) -> Option<Place> {
        self.first.get(&(path, ty as u8)).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen().next().is_none()
    }
}
