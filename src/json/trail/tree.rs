//! The gaps of whole records as a tree: where a record stands in it says all that came before, so that
//! its last place is its structure. Grows with what is met again, and no longer where little is.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::GapId;
use crate::json::NodeId;

/// Where a record stands: equal places have the same keys and types of values in the same order, but
/// for true and false, and texts with and without escapes. Numbers are never used again.
pub type Structure = u32;

/// Nowhere: what is not in the tree leads nowhere in it.
pub(super) const LOST: Structure = 0;
/// Before a record.
pub(super) const START: Structure = 1;
/// Places.
const MOST: usize = 1 << 16;
/// Places that may follow one: they are tried one by one.
const MOST_NEXT: usize = 64;
/// Places behind one another.
const DEEPEST: u32 = 1 << 9;
/// A record adds as many places as it found, and so many more, so that what is met once only takes
/// little room.
const FIRST: u32 = 8;
/// Places that may be added before records come that end in old ones, and what each of those gives.
const CREDIT: u32 = 1 << 14;
const GAIN: u32 = 4;

#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Behind what was walked first, by what is walked then.
    more: HashMap<(Structure, NodeId), Structure, FixedState>,
    credit: u32,
    /// Places that the record at hand may still add, once it adds some.
    room: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) gap: GapId,
    /// The next of those that follow the same place.
    pub(super) next: Structure,
    /// The first that follows.
    pub(super) first: Structure,
    /// Places before it.
    depth: u32,
}

impl Default for Tree {
    fn default() -> Tree {
        let node = Node { gap: 0, next: LOST, first: LOST, depth: 0 };
        Tree { nodes: vec![node; 2], more: HashMap::default(), credit: CREDIT, room: None }
    }
}

impl Tree {
    /// The next record begins.
    pub(super) fn begin(&mut self) {
        self.room = None;
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where the walk of another value of the same record begins.
    pub(super) fn go(&mut self, place: Structure, top: NodeId) -> Structure {
        if let Some(&to) = self.more.get(&(place, top)) {
            return to;
        }
        let to = self.add(place, 0);
        if to != LOST {
            self.more.insert((place, top), to);
        }
        to
    }

    /// The place behind a gap that did not yet follow `place`.
    #[cold]
    pub(super) fn grow(&mut self, place: Structure, gap: GapId) -> Structure {
        // Those met first are met often, and stay in front.
        let (mut last, mut others) = (LOST, 0);
        let mut next = self.nodes[place as usize].first;
        while next != LOST {
            (last, next, others) = (next, self.nodes[next as usize].next, others + 1);
        }
        let id = if others < MOST_NEXT { self.add(place, gap) } else { LOST };
        match last {
            LOST => self.nodes[place as usize].first = id,
            last => self.nodes[last as usize].next = id,
        }
        id
    }

    /// A place that nothing leads to yet; nowhere if there shall be no more.
    fn add(&mut self, behind: Structure, gap: GapId) -> Structure {
        let (len, depth) = (self.nodes.len(), self.nodes[behind as usize].depth + 1);
        let room = self.room.get_or_insert(depth + FIRST);
        if self.credit == 0 || len >= MOST || depth >= DEEPEST || *room == 0 {
            return LOST;
        }
        *room -= 1;
        self.credit -= 1;
        self.nodes.push(Node { gap, next: LOST, first: LOST, depth });
        len as Structure
    }

    /// A walk came to an end; before it there were `len` places.
    pub(super) fn ended(&mut self, place: Structure, len: usize) {
        if place > START && self.nodes.len() == len {
            self.credit = (self.credit + GAIN).min(CREDIT);
        }
    }
}
