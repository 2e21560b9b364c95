//! The gaps of whole records as a tree: where a record stands in it says all that came before, so that
//! its last place is its structure. Grows with what is met again, and no longer where little is.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::fan::{FEWEST, Fan};
use super::{Ends, Gap, GapId, HEAD};
use crate::json::{Kind, NodeId};

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
const DEEPEST: u16 = 1 << 9;
/// A record adds as many places as it found, and so many more, so that what is met once only takes
/// little room.
const FIRST: u16 = 8;
/// Places that may be added before records come that end in old ones, and what each of those gives.
const CREDIT: u32 = 1 << 14;
const GAIN: u32 = 4;
/// Parts that are told apart, and all places behind some of those.
const MOST_PARTS: usize = 16;
const MOST_JOINED: usize = 1 << 14;

#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// By number, and none.
    fans: Vec<Option<Fan>>,
    /// Behind what was walked first, by what is walked then.
    more: HashMap<(Structure, NodeId), Structure, FixedState>,
    /// Behind the parts of a record so far, by the next.
    joined: HashMap<(Structure, Structure), Structure, FixedState>,
    credit: u32,
    /// Places that the record at hand may still add, once it adds some.
    room: Option<u16>,
}

/// A place, with all that a walk looks at in one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Node {
    /// The first bytes of the gap before it.
    pub(super) head: [u8; HEAD],
    /// A bit for each of them. The nowhere that ends a row of those that follow a place has none, and stands
    /// everywhere.
    pub(super) bits: u32,
    pub(super) gap: GapId,
    /// The next of those that follow the same place.
    pub(super) next: Structure,
    /// The first that follows.
    pub(super) first: Structure,
    /// The number of the table that says which of those that follow to look at, if they are many. Nothing
    /// follows where a record ends: there it is what was noted of the structure.
    fan: u32,
    /// Where the gap leads in its place, if a part begins with it.
    pub(super) part: Structure,
    pub(super) len: u16,
    pub(super) value_at: u16,
    /// Places before it.
    depth: u16,
    pub(super) how: How,
}

const _: () = assert!(size_of::<Node>() == 64);

/// How the value behind a gap is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum How {
    /// There is neither.
    Nowhere,
    /// The gap is no longer than its head, and a string, a number, or nothing more of a value is behind it.
    String,
    Number,
    /// More must be looked at.
    Other,
    /// The value is part of the gap.
    Null,
    EmptyObject,
    EmptyArray,
    /// The top is closed.
    Top,
}

impl How {
    /// What the value is, if it is part of the gap.
    #[inline(always)]
    pub(super) fn fixed(self) -> Option<Kind> {
        const KINDS: [Kind; 4] = [Kind::Null, Kind::EmptyObject, Kind::EmptyArray, Kind::Absent];
        KINDS.get((self as usize).wrapping_sub(How::Null as usize)).copied()
    }
}

impl Default for Tree {
    fn default() -> Tree {
        Tree {
            nodes: vec![Node::root(); 2],
            fans: vec![None],
            more: HashMap::default(),
            joined: HashMap::default(),
            credit: CREDIT,
            room: None,
        }
    }
}

/// The place to look at where `next`, one of those behind `place`, is not the one.
#[inline(never)]
pub(super) fn other(
    (nodes, fans): (&[Node], &[Option<Fan>]),
    place: Structure,
    next: Structure,
    text: &[u8; HEAD],
) -> Structure {
    let Node { first, fan, .. } = nodes[place as usize];
    match fans.get(fan as usize) {
        Some(Some(fan)) if next == first => fan.of(text),
        _ => nodes[next as usize].next,
    }
}

impl Node {
    /// What is behind no other.
    fn root() -> Node {
        Node {
            head: [0; HEAD],
            bits: 0,
            gap: 0,
            next: LOST,
            first: LOST,
            fan: 0,
            part: LOST,
            len: 0,
            value_at: 0,
            depth: 0,
            how: How::Nowhere,
        }
    }
}

impl Node {
    /// Bytes in the head.
    #[inline(always)]
    pub(super) fn short(&self) -> usize {
        self.bits.count_ones() as usize
    }

    fn stand_behind(&mut self, id: GapId, gap: &Gap) {
        (self.head, self.gap) = (gap.head, id);
        self.bits = 1u32.checked_shl(gap.short as u32).unwrap_or(0).wrapping_sub(1);
        (self.len, self.value_at, self.part) = (gap.len, gap.value_at, gap.part);
        self.how = match gap.ends {
            _ if gap.len as usize > HEAD => How::Other,
            Ends::String => How::String,
            Ends::Number => How::Number,
            Ends::Fixed(Kind::Null) => How::Null,
            Ends::Fixed(Kind::EmptyObject) => How::EmptyObject,
            Ends::Fixed(Kind::EmptyArray) => How::EmptyArray,
            Ends::Top => How::Top,
            Ends::Boolean | Ends::Skipped(_) | Ends::Fixed(_) => How::Other,
        };
    }
}

impl Tree {
    /// The same for other trails: nothing leads to the places that there are.
    pub(super) fn anew(mut self) -> Tree {
        self.nodes[START as usize] = Node::root();
        self.more.clear();
        self.joined.clear();
        self
    }

    /// The next record begins.
    pub(super) fn begin(&mut self) {
        self.room = None;
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What was noted of a structure, and at first 0.
    #[inline(always)]
    pub(super) fn note(&self, of: Structure) -> u32 {
        self.nodes.get(of as usize).map_or(0, |node| node.fan)
    }

    pub(super) fn take_note(&mut self, of: Structure, note: u32) {
        if let Some(node) = self.nodes.get_mut(of as usize) {
            node.fan = note;
        }
    }

    pub(super) fn nodes(&self) -> (&[Node], &[Option<Fan>]) {
        (&self.nodes, &self.fans)
    }

    /// Where the walk of another value of the same record begins.
    pub(super) fn go(&mut self, place: Structure, top: NodeId) -> Structure {
        if let Some(&to) = self.more.get(&(place, top)) {
            return to;
        }
        let to = self.add(place);
        if to != LOST {
            self.more.insert((place, top), to);
        }
        to
    }

    /// A place that is behind no other.
    pub(super) fn root(&mut self) -> Structure {
        if self.nodes.len() >= MOST {
            return LOST;
        }
        self.nodes.push(Node::root());
        self.nodes.len() as Structure - 1
    }

    /// The place behind the parts of a record.
    pub(super) fn join(&mut self, parts: impl ExactSizeIterator<Item = Structure>) -> Structure {
        // What is told apart by many parts is hardly met again.
        if parts.len() > MOST_PARTS {
            return LOST;
        }
        let mut place = START;
        for part in parts {
            place = match (place, part) {
                (_, LOST) | (LOST, _) => return LOST,
                (START, part) => part,
                _ => self.behind(place, part),
            }
        }
        place
    }

    /// The place behind another and a part; nowhere where that is new: one more is learned each time.
    pub(super) fn behind(&mut self, place: Structure, part: Structure) -> Structure {
        match self.joined.get(&(place, part)) {
            Some(to) => *to,
            None => self.join_new(place, part),
        }
    }

    #[cold]
    fn join_new(&mut self, place: Structure, part: Structure) -> Structure {
        if self.joined.len() < MOST_JOINED {
            let to = self.root();
            if to != LOST {
                self.joined.insert((place, part), to);
            }
        }
        LOST
    }

    /// The place behind a gap, which is added where it did not yet follow `place`.
    #[cold]
    pub(super) fn grow(&mut self, place: Structure, id: GapId, gap: &Gap) -> Structure {
        // Those met first are met often, and stay in front.
        let (mut last, mut others) = (LOST, 0);
        let mut next = self.nodes[place as usize].first;
        while next != LOST {
            if self.nodes[next as usize].gap == id {
                return next;
            }
            (last, next, others) = (next, self.nodes[next as usize].next, others + 1);
        }
        let new = if others < MOST_NEXT { self.add(place) } else { LOST };
        if new != LOST {
            self.nodes[new as usize].stand_behind(id, gap);
            match last {
                LOST => self.nodes[place as usize].first = new,
                last => self.nodes[last as usize].next = new,
            }
            if others + 1 >= FEWEST {
                self.spread(place, new);
            }
        }
        new
    }

    /// Puts the last of those that follow a place into the table that tells them apart.
    fn spread(&mut self, place: Structure, new: Structure) {
        let Node { fan, first, .. } = self.nodes[place as usize];
        if fan == 0 {
            self.nodes[place as usize].fan = self.fans.len() as u32;
            self.fans.push(Some(Fan::new(&self.nodes, first)));
            return;
        }
        let Some(fan) = &mut self.fans[fan as usize] else { return };
        if !fan.take(new, &self.nodes[new as usize]) {
            *fan = Fan::new(&self.nodes, first);
        }
    }

    /// A place that nothing leads to yet; nowhere if there shall be no more.
    fn add(&mut self, behind: Structure) -> Structure {
        let (len, depth) = (self.nodes.len(), self.nodes[behind as usize].depth + 1);
        let room = self.room.get_or_insert(depth + FIRST);
        if self.credit == 0 || len >= MOST || depth >= DEEPEST || *room == 0 {
            return LOST;
        }
        *room -= 1;
        self.credit -= 1;
        self.nodes.push(Node { depth, ..Node::root() });
        len as Structure
    }

    /// A walk came to an end; before it there were `len` places.
    pub(super) fn ended(&mut self, place: Structure, len: usize) {
        if place > START && self.nodes.len() == len {
            self.credit = (self.credit + GAIN).min(CREDIT);
        }
    }
}
