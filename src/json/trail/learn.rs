//! Reads a gap that was never met, byte by byte, and finds out what it means. Knows the grammar and the
//! wanted paths; walks nothing and leaves nothing behind but the gap.

use super::{
    Act, DONE, Deeds, Ends, Gap, GapId, Goal, HEAD, Inner, LONGEST, Last, MOST, MOST_KEYS, MOST_NEXT,
};
use super::{NONE, State, Trail, Trek, tree};
use crate::json::want::Slot;
use crate::json::{Checked, Kind, NodeId, Want};

/// Containers inside one another that no path leads into.
const MOST_INSIDE: usize = 8;
/// No longer than this do gaps go on behind a value that is part of them.
const LONG: usize = 1 << 7;
/// A list of more elements is skipped where it is met first.
const MOST_ELEMENTS: usize = 16;

/// The number of the gap at `at`, behind a state: it may be kept for this one record only.
#[cold]
pub(super) fn gap(trail: &mut Trail, trek: &Trek, state: u32, at: usize) -> Option<GapId> {
    let first = trail.acts.len() as u32;
    let State { top, depth, gaps, .. } = trail.states[state as usize];
    let (acts, entered) = (Vec::new(), Vec::new());
    let mut reader = Reader { trek, trail, top, at, i: at, depth, acts, entered };
    let Found { value_at, ends, to, last } = reader.gap(&reader.trail.states[state as usize].last)?;
    let Reader { i, depth, acts, entered, .. } = reader;
    let (i, bytes) = (i, &trek.text[at..i]);
    let len = i - at;
    if len > LONGEST {
        return None;
    }
    let mut head = [0; HEAD];
    let short = len.min(HEAD);
    head[..short].copy_from_slice(&bytes[..short]);
    trail.acts.extend(acts);
    for base in entered {
        *trail.entered.entry((top, base)).or_default() += 1;
    }
    if let Last::Inside(base, _) = &trail.states[state as usize].last
        && gaps >= MOST_KEYS
    {
        trail.entered.insert((top, (**base).clone()), MOST_KEYS);
    }
    let full = state == 0 || gaps >= MOST_NEXT || trail.gaps.len() >= MOST;
    trail.lost += full as u32;
    let kept = !full && trail.gaps.len() == trail.kept.0;
    let behind = match last {
        Some(last) if last != Last::Known(top) => trail.state(top, last, depth),
        _ => DONE,
    };
    let gap = Gap {
        head,
        len: len as u16,
        value_at: value_at as u16,
        depth: depth as u16,
        short: short as u8,
        is_open: len > HEAD || matches!(ends, Ends::Number | Ends::Boolean | Ends::Skipped(_)),
        ends,
        behind,
        next: NONE,
        part: tree::LOST,
    };
    let acts = (first, trail.acts.len() as u32);
    trail.deeds.push(Deeds { acts, to, tail: bytes[short..].into() });
    let id = trail.gaps.len() as GapId;
    trail.gaps.push(gap);
    // Nothing is kept on top of what is not.
    if !kept {
        return Some(id);
    }
    trail.kept = (trail.gaps.len(), trail.acts.len());
    if trail.acts[acts.0 as usize..].iter().any(|act| matches!(act, Act::AddRow(_))) {
        trail.gaps[id as usize].part = trail.tree.root();
    }
    // Those met first are met often, and stay in front.
    let state = &mut trail.states[state as usize];
    match std::mem::replace(&mut state.latest, id) {
        NONE => state.first = id,
        latest => trail.gaps[latest as usize].next = id,
    }
    state.gaps += 1;
    Some(id)
}

struct Found {
    value_at: usize,
    ends: Ends,
    to: Goal,
    /// Behind what the walk stands then; nothing behind the top.
    last: Option<Last>,
}

/// Reads one gap, which ends at `i`.
struct Reader<'a> {
    trek: &'a Trek<'a>,
    trail: &'a Trail,
    top: NodeId,
    at: usize,
    i: usize,
    depth: usize,
    acts: Vec<Act>,
    /// The containers that are entered though no path leads into them.
    entered: Vec<Last>,
}

/// A container that is open.
enum Open {
    Object(NodeId),
    List(NodeId),
    /// A container that no path leads into, or one inside of it: the way from there on, and whether it is
    /// a list.
    Inside(Box<Last>, Vec<Inner>, bool),
}

impl<'a> Reader<'a> {
    fn want(&self) -> &'a Want {
        self.trek.want
    }

    fn off(&self) -> u32 {
        (self.i - self.at) as u32
    }

    fn byte(&self) -> u8 {
        self.trek.byte(self.i)
    }

    fn gap(&mut self, last: &Last) -> Option<Found> {
        let mut found = self.up_to_value(last)?;
        // A value that is part of the gap leaves nothing to look at before the next.
        while let Ends::Fixed(kind) = found.ends
            && self.i - self.at < LONG
            && let Some(last) = found.last.take_if(|last| *last != Last::Known(self.top))
        {
            let (start, end) = (found.value_at as u32, self.off());
            match found.to {
                Goal::Node(_, slot) => self.acts.push(Act::Fixed(slot, kind, start, end)),
                Goal::Unknown(node, from, to) => {
                    self.acts.push(Act::FixedRest(node, (from, to), kind, start, end));
                }
                Goal::Inside => {}
            }
            found = self.up_to_value(&last)?;
        }
        Some(found)
    }

    /// Up to the next value.
    fn up_to_value(&mut self, last: &Last) -> Option<Found> {
        let mut open = match last {
            Last::Nothing if self.top == 0 => {
                self.descend()?;
                return self.member(0);
            }
            Last::Nothing => return self.value(self.top),
            Last::Inside(base, way) => {
                let (last, around) = way.split_last()?;
                Open::Inside(base.clone(), around.to_vec(), *last == Inner::Element)
            }
            last => self.around(last)?,
        };
        loop {
            self.i = self.trek.token(self.i);
            if self.byte() == b',' {
                self.i = self.trek.token(self.i + 1);
                return match open {
                    Open::Object(node) => self.member(node),
                    Open::List(node) => self.element(node),
                    Open::Inside(base, way, list) => self.inside(base, way, list),
                };
            }
            let list = matches!(open, Open::List(_) | Open::Inside(_, _, true));
            let close = if list { b']' } else { b'}' };
            if self.byte() != close {
                return None;
            }
            self.i += 1;
            self.depth = self.depth.checked_sub(1)?;
            let off = self.off();
            let closed = match open {
                Open::Object(node) => {
                    if node != 0 {
                        self.acts.push(Act::Close(self.slot(node), off));
                    }
                    Last::Known(node)
                }
                Open::List(node) => {
                    self.acts.push(Act::CloseList(self.slot(node), self.elements(node)?.0, off));
                    Last::Known(node)
                }
                Open::Inside(base, mut way, _) if !way.is_empty() => {
                    let list = way.pop() == Some(Inner::Element);
                    open = Open::Inside(base, way, list);
                    continue;
                }
                Open::Inside(base, ..) => {
                    self.acts.push(match *base {
                        Last::Known(node) => Act::Close(self.slot(node), off),
                        _ => Act::CloseRest(off),
                    });
                    *base
                }
            };
            if closed == Last::Known(self.top) {
                return Some(Found { value_at: 0, ends: Ends::Top, to: Goal::Inside, last: None });
            }
            open = self.around(&closed)?;
        }
    }

    fn slot(&self, node: NodeId) -> Slot {
        self.want().step(node).slot
    }

    /// The container around what a walk stands behind.
    fn around(&self, last: &Last) -> Option<Open> {
        match last {
            Last::Unknown(node, _) => Some(Open::Object(*node)),
            Last::Known(node) => {
                let outer = self.want().parent(*node)?;
                let list = self.want().element_of(outer) == Some(*node);
                Some(if list { Open::List(outer) } else { Open::Object(outer) })
            }
            Last::Nothing | Last::Inside(..) => None,
        }
    }

    /// The scope of a list's elements, and their node.
    fn elements(&self, list: NodeId) -> Option<(u16, NodeId)> {
        let element = self.want().element_of(list)?;
        Some((self.slot(element).scope, element))
    }

    /// Goes into the container at hand, to what stands first in it.
    fn descend(&mut self) -> Option<()> {
        if self.depth >= self.trek.max_depth {
            return None;
        }
        self.depth += 1;
        self.i = self.trek.token(self.i + 1);
        Some(())
    }

    fn element(&mut self, list: NodeId) -> Option<Found> {
        let (scope, element) = self.elements(list)?;
        self.acts.push(Act::AddRow(scope));
        self.value(element)
    }

    /// The key at hand; behind it stands its value.
    fn key(&mut self) -> Option<std::ops::Range<usize>> {
        let (key_end, Kind::String) = self.trek.marks.string(self.i)? else { return None };
        let key = self.i + 1..key_end - 1;
        self.i = self.trek.behind_key(key_end)?;
        Some(key)
    }

    fn member(&mut self, node: NodeId) -> Option<Found> {
        let text = self.trek.text;
        let key = self.key()?;
        if let Some(child) = self.want().find(node, text, key.clone()) {
            return self.value(child);
        }
        let (from, to) = ((key.start - self.at) as u32, (key.end - self.at) as u32);
        let last = Last::Unknown(node, text[key].into());
        if self.may_enter(&last) {
            self.acts.push(Act::OpenRest(node, from, to, self.kind(), self.off()));
            return self.enter(last);
        }
        self.ends(Goal::Unknown(node, from, to), last)
    }

    fn value(&mut self, node: NodeId) -> Option<Found> {
        let n = *self.want().step(node);
        let (start, last) = (self.off(), Last::Known(node));
        let to = Goal::Node(node, n.slot);
        match self.byte() {
            b'{' if n.has_keys() => {
                self.descend()?;
                if self.byte() == b'}' {
                    return self.empty(start, Kind::EmptyObject, to, last);
                }
                self.acts.push(Act::Open(n.slot, start));
                self.member(node)
            }
            b'[' if n.is_list => {
                let scope = self.elements(node)?.0;
                self.descend()?;
                if self.byte() == b']' {
                    self.acts.push(Act::EmptyList(scope, start));
                    return self.empty(start, Kind::EmptyArray, to, last);
                }
                self.acts.push(Act::OpenList(n.slot, scope, start));
                self.element(node)
            }
            _ if self.may_enter(&last) => {
                self.acts.push(Act::OpenLeaf(node, n.slot, self.kind(), start));
                self.enter(last)
            }
            _ => self.ends(to, last),
        }
    }

    /// Whether the value at hand is a container with few things in it, and its keys are no data as far as is
    /// known.
    fn may_enter(&self, last: &Last) -> bool {
        self.depth + MOST_INSIDE < self.trek.max_depth
            && self.is_filled()
            && match self.trail.entered.get(&(self.top, last.clone())) {
                Some(met) => *met < MOST_KEYS,
                None => self.trail.entered.len() < MOST,
            }
    }

    /// Whether the value at hand is an object with members or a list of a few elements.
    fn is_filled(&self) -> bool {
        let Trek { text, marks, .. } = *self.trek;
        match self.byte() {
            b'{' => self.trek.byte(self.trek.token(self.i + 1)) == b'"',
            b'[' => {
                let mut read = Checked::new(text, marks);
                let (mut i, mut elements) = (self.i + 1, 0);
                while let Some(at) = read.element(i).filter(|_| elements <= MOST_ELEMENTS) {
                    i = read.skip(at).0;
                    elements += 1;
                }
                (1..=MOST_ELEMENTS).contains(&elements)
            }
            _ => false,
        }
    }

    /// That of the container at hand.
    fn kind(&self) -> Kind {
        if self.byte() == b'[' { Kind::Array } else { Kind::Object }
    }

    fn enter(&mut self, base: Last) -> Option<Found> {
        let list = self.byte() == b'[';
        self.descend()?;
        self.entered.push(base.clone());
        self.inside(Box::new(base), Vec::new(), list)
    }

    /// A member or an element of a container that no path leads into.
    fn inside(&mut self, base: Box<Last>, mut way: Vec<Inner>, mut list: bool) -> Option<Found> {
        loop {
            way.push(match list {
                true => Inner::Element,
                false => {
                    let key = self.key()?;
                    Inner::Member(self.trek.text[key].into())
                }
            });
            if way.len() > MOST_INSIDE || !self.is_filled() {
                return self.ends(Goal::Inside, Last::Inside(base, way));
            }
            list = self.byte() == b'[';
            self.descend()?;
        }
    }

    /// The closing bracket of what turned out to be empty.
    fn empty(&mut self, start: u32, kind: Kind, to: Goal, last: Last) -> Option<Found> {
        self.depth -= 1;
        self.i += 1;
        Some(Found { value_at: start as usize, ends: Ends::Fixed(kind), to, last: Some(last) })
    }

    /// How far the gap reaches before or into a value that is not entered, and what it is.
    fn ends(&mut self, to: Goal, last: Last) -> Option<Found> {
        let value_at = self.i - self.at;
        let (len, ends) = match (self.byte(), self.trek.byte(self.i + 1)) {
            (b'"', _) => (1, Ends::String),
            (b'-' | b'0'..=b'9', _) => (0, Ends::Number),
            (b't' | b'f', _) => (0, Ends::Boolean),
            (b'n', _) => {
                self.trek.word(self.i, b"null")?;
                (4, Ends::Fixed(Kind::Null))
            }
            (b'{' | b'[', _) if self.depth >= self.trek.max_depth => return None,
            (b'{', b'}') => (2, Ends::Fixed(Kind::EmptyObject)),
            (b'[', b']') => (2, Ends::Fixed(Kind::EmptyArray)),
            (b'{', _) => (1, Ends::Skipped(Kind::Object)),
            (b'[', _) => (1, Ends::Skipped(Kind::Array)),
            _ => return None,
        };
        self.i += len;
        Some(Found { value_at, ends, to, last: Some(last) })
    }
}
