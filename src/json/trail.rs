//! The walk over an index, along the trails that earlier records have left: what stands between two
//! values (`,"email":"`, `}},"project":{"id":"`) is mostly what stood there before, so it is compared
//! as a whole, and what it means is known. At anything wrong and at a few things that are merely rare
//! (a repeated key, a key with escapes) it gives up, and the careful walk starts anew and says what
//! and where. Owns no rule of its own: where it does not give up, it leaves behind what the careful
//! walk would.

mod learn;
pub(super) mod quick;

use std::collections::HashMap;

use super::scan::{MAX_DEPTH, any_number, digits_end, skip_space};
use super::walk::{Rows, add_list};
use super::want::Slot;
use super::{Cell, Hit, Kind, Marks, NodeId, Rest, Want};

/// What stood between two values of a record, and what it does. Numbers of gaps are never used again.
pub type GapId = u32;

/// No gap: the end of a chain, and the place where a gap is kept for one use.
const NONE: GapId = 0;
/// In place of a state: behind the top.
const DONE: u32 = u32::MAX;
/// More gaps and states than these are not learned; a record that needs more walks all the same.
const MOST: usize = 1 << 14;
/// Gaps that may follow one value before its successors are found anew each time.
const MOST_NEXT: u32 = 192;
/// First members, and successors of a member, that an object may have whose keys are no data.
const MOST_KEYS: u32 = 16;
/// A record with more gaps than these that cannot be learned follows no trail, and so many records
/// after it are not even tried.
const MOST_LOST: u32 = 8;
const PAUSE: u32 = 64;
/// Of a record of more gaps nobody wants to know which they were.
const MOST_TAKEN: usize = 1 << 10;
/// A gap of more bytes is nothing usual.
const LONGEST: usize = 1 << 10;
/// The bytes of a gap that are compared at once.
const HEAD: usize = 32;

/// The trails of one worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    max_depth: usize,
    /// By top.
    starts: Vec<(NodeId, u32)>,
    states: Vec<State>,
    /// By what they mean.
    known: HashMap<(NodeId, Last), u32, foldhash::fast::FixedState>,
    gaps: Vec<Gap>,
    acts: Vec<Act>,
    /// Acts of gaps that have a number.
    kept: usize,
    /// Of the record at hand, in order.
    taken: Vec<GapId>,
    /// Some gap of the record at hand has no number.
    strayed: bool,
    /// Some container of it was skipped, so that its gaps do not tell what is inside.
    skipped: bool,
    /// Gaps of the record at hand that could not be learned.
    lost: u32,
    /// Records that are not tried.
    pause: u32,
    /// Objects that no path leads into, by how many members were met in the first place of each: one
    /// with too many has keys that are data, and is skipped.
    entered: HashMap<(NodeId, Last), u32, foldhash::fast::FixedState>,
}

/// Behind which value a walk stands. The top is what it walks: closing it ends the walk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Last {
    /// Before the top.
    Nothing,
    /// The value of a node.
    Known(NodeId),
    /// A member of a node that no path leads into.
    Unknown(NodeId, Box<[u8]>),
    /// Inside an object that no path leads into: one of the two above, and the keys from there on.
    Inside(Box<Last>, Vec<Box<[u8]>>),
}

#[derive(Clone, Debug)]
struct State {
    top: NodeId,
    last: Last,
    /// Containers that are open.
    depth: usize,
    /// The gaps that were met behind it, as a chain.
    first: GapId,
    latest: GapId,
    gaps: u32,
}

impl State {
    fn new(top: NodeId, last: Last, depth: usize) -> State {
        State { top, last, depth, first: NONE, latest: NONE, gaps: 0 }
    }
}

#[derive(Clone, Debug)]
struct Gap {
    head: [u8; HEAD],
    mask: [u8; HEAD],
    /// Bytes of the gap: up to where a number or a boolean begins, the bracket that opens a value
    /// that is skipped, the quote that opens a string, any other value whole.
    len: u32,
    /// What is opened and closed: a stretch of the acts.
    acts: (u32, u32),
    /// Where in the gap, or behind it, the value begins.
    value_at: u32,
    ends: Ends,
    /// More must be seen than the gap itself.
    is_open: bool,
    to: Goal,
    /// The state behind the value.
    behind: u32,
    /// Containers that are open around the value.
    depth: u32,
    next: GapId,
    tail: Box<[u8]>,
}

/// What a gap ends with.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ends {
    String,
    Number,
    Boolean,
    /// A container that no path leads into, and whether it holds anything.
    Skipped(Kind),
    /// `null`, `{}` or `[]`: part of the gap.
    Fixed(Kind),
    /// The top was closed.
    Top,
}

/// Whose value it is.
#[derive(Clone, Copy, Debug)]
enum Goal {
    Node(NodeId, Slot),
    Unknown(NodeId, u32, u32),
    /// That of an object that no path leads into.
    Inside,
}

/// An offset is one within the gap.
#[derive(Clone, Copy, Debug)]
enum Act {
    Open(Slot, u32),
    Close(Slot, u32),
    OpenList(Slot, u16, u32),
    CloseList(Slot, u16, u32),
    EmptyList(u16, u32),
    AddRow(u16),
    /// An object that no path leads into: a node's own, or a member of it from here to there.
    OpenLeaf(NodeId, Slot, u32),
    OpenRest(NodeId, u32, u32, u32),
    CloseRest(u32),
}

impl Trail {
    pub(super) fn reset(&mut self) {
        self.taken.clear();
        (self.strayed, self.skipped, self.lost) = (false, false, 0);
    }

    /// The gaps of the record at hand, which say all of its structure; `None` where some have no number.
    pub(super) fn taken(&self) -> Option<&[GapId]> {
        (!self.strayed && (1..=MOST_TAKEN).contains(&self.taken.len())).then_some(&self.taken)
    }

    pub(super) fn next_record(&mut self) {
        self.pause = self.pause.saturating_sub(1);
    }

    /// Records like those of late follow trails.
    pub(super) fn is_worth_trying(&self) -> bool {
        self.pause == 0
    }

    /// Whether its gaps tell what is inside of every container.
    pub(super) fn tells_all(&self) -> bool {
        !self.skipped
    }

    pub(super) fn stray(&mut self) {
        self.strayed = true;
    }

    /// The state at the start of a walk.
    fn start(&mut self, top: NodeId, max_depth: usize) -> u32 {
        if top == 0 && self.max_depth != max_depth {
            *self = Trail { max_depth, ..Trail::default() };
        }
        if self.gaps.is_empty() {
            self.gaps.push(Gap::none());
            self.states.push(State::new(top, Last::Nothing, 0));
        }
        if let Some(&(_, state)) = self.starts.iter().find(|(start, _)| *start == top) {
            return state;
        }
        let state = self.state(top, Last::Nothing, 0);
        self.starts.push((top, state));
        state
    }

    /// The number of a state; 0, which is used anew each time, where there are too many.
    fn state(&mut self, top: NodeId, last: Last, depth: usize) -> u32 {
        if let Some(&id) = self.known.get(&(top, last.clone())) {
            return id;
        }
        let state = State::new(top, last, depth);
        if self.states.len() >= MOST {
            self.states[0] = state;
            return 0;
        }
        let id = self.states.len() as u32;
        self.known.insert((top, state.last.clone()), id);
        self.states.push(state);
        id
    }
}

impl Gap {
    fn none() -> Gap {
        Gap {
            head: [0; HEAD],
            mask: [0; HEAD],
            len: 0,
            acts: (0, 0),
            value_at: 0,
            ends: Ends::Top,
            is_open: false,
            to: Goal::Inside,
            behind: 0,
            depth: 0,
            next: NONE,
            tail: [].into(),
        }
    }

    /// Whether the gap stands at the start of `text`, and a value that may follow it behind it.
    #[inline(always)]
    fn stands(&self, text: &[u8]) -> bool {
        let len = self.len as usize;
        let same = match text.first_chunk::<HEAD>() {
            Some(found) => {
                let words = |bytes: &[u8; HEAD], i: usize| {
                    bytes[i * 8..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
                };
                let differ = |i| (words(found, i) ^ words(&self.head, i)) & words(&self.mask, i);
                // Others that stand behind the same value mostly differ early.
                differ(0) == 0
                    && differ(1) | differ(2) | differ(3) == 0
                    && (len <= HEAD || text[HEAD..].starts_with(&self.tail))
            }
            None => len <= text.len() && text.starts_with(&self.head[..len.min(HEAD)]),
        };
        same && (!self.is_open || self.is_followed(text.get(len)))
    }

    /// Whether what begins behind the gap is what the gap ends with.
    fn is_followed(&self, next: Option<&u8>) -> bool {
        match self.ends {
            Ends::Number => matches!(next, Some(b'-' | b'0'..=b'9')),
            Ends::Boolean => matches!(next, Some(b't' | b'f')),
            Ends::Skipped(_) => !matches!(next, Some(b'}' | b']')),
            _ => true,
        }
    }
}

/// Walks the value at `at` as that of `top` (0: the record itself); the offset behind it.
pub(super) fn walk(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    top: NodeId,
    slots: &mut super::Slots,
) -> Option<usize> {
    // What is called within itself goes no deeper.
    let max_depth = max_depth.min(MAX_DEPTH);
    let super::Slots { root, present, set, scopes, lists_met, hits, rest, trail, .. } = slots;
    let mut state = trail.start(top, max_depth);
    let mut i = at;
    let (strayed, skipped) = (trail.strayed, trail.skipped);
    let mut trek = Trek {
        want,
        text,
        marks,
        max_depth,
        root,
        present,
        set,
        scopes,
        lists_met,
        hits,
        rest,
        strayed,
        skipped,
    };
    loop {
        let Trail { states, gaps, acts, taken, .. } = trail;
        (state, i) = match trek.follow(states, gaps, acts, taken, state, i)? {
            Met::Top(end) => {
                (trail.strayed, trail.skipped) = (trek.strayed, trek.skipped);
                return Some(end);
            }
            Met::New(state, at) => {
                let id = learn::gap(trail, &trek, state, at)?;
                if id == NONE {
                    trek.strayed = true;
                    trail.lost += 1;
                    if trail.lost > MOST_LOST {
                        trail.pause = PAUSE;
                        return None;
                    }
                }
                trail.taken.push(id);
                let gap = &trail.gaps[id as usize];
                let end = trek.cross(gap, &trail.acts, at)?;
                if gap.behind == DONE {
                    (trail.strayed, trail.skipped) = (trek.strayed, trek.skipped);
                    return Some(end);
                }
                (gap.behind, end)
            }
        };
    }
}

/// Where known gaps end.
enum Met {
    /// Behind the top.
    Top(usize),
    /// Behind this state there is an unknown gap.
    New(u32, usize),
}

/// One walk.
struct Trek<'a> {
    want: &'a Want,
    text: &'a [u8],
    marks: Marks<'a>,
    max_depth: usize,
    root: &'a mut [Cell],
    present: &'a mut [u64],
    set: &'a mut Vec<u16>,
    scopes: &'a mut [Rows],
    lists_met: &'a mut bool,
    hits: &'a mut Vec<Hit>,
    rest: &'a mut Vec<Rest>,
    strayed: bool,
    skipped: bool,
}

impl Trek<'_> {
    /// Goes on as long as every gap is known.
    fn follow(
        &mut self,
        states: &[State],
        gaps: &[Gap],
        acts: &[Act],
        taken: &mut Vec<GapId>,
        mut state: u32,
        mut i: usize,
    ) -> Option<Met> {
        loop {
            let here = self.text.get(i..)?;
            let mut id = states[state as usize].first;
            let gap = loop {
                if id == NONE {
                    return Some(Met::New(state, i));
                }
                let gap = &gaps[id as usize];
                if gap.stands(here) {
                    break gap;
                }
                id = gap.next;
            };
            taken.push(id);
            i = match *gap {
                // What most gaps are.
                Gap { ends: Ends::String, to: Goal::Node(node, slot), .. } => {
                    if gap.acts.0 != gap.acts.1 {
                        self.perform(acts.get(gap.acts.0 as usize..gap.acts.1 as usize)?, i)?;
                    }
                    let start = i as u32 + gap.value_at;
                    let (end, kind) = self.marks.string_end(i + gap.len as usize)?;
                    if super::COUNTED {
                        self.hits.push(Hit { node, at: start });
                    }
                    self.put(slot, Cell { start, end: end as u32, kind })?;
                    end
                }
                _ => self.cross(gap, acts, i)?,
            };
            state = gap.behind;
            if state == DONE {
                return Some(Met::Top(i));
            }
        }
    }

    /// Goes over the gap at `i` and the value behind it; the offset behind that.
    fn cross(&mut self, gap: &Gap, acts: &[Act], i: usize) -> Option<usize> {
        self.perform(acts.get(gap.acts.0 as usize..gap.acts.1 as usize)?, i)?;
        let behind = i + gap.len as usize;
        let start = i + gap.value_at as usize;
        let (end, kind) = if gap.ends == Ends::String {
            self.marks.string_end(behind)?
        } else {
            match gap.ends {
                Ends::Number => match digits_end(self.text, behind) {
                    end if end != behind => (end, Kind::Number),
                    _ => (any_number(self.text, behind).ok()?, Kind::Number),
                },
                Ends::Boolean => self.boolean(behind)?,
                Ends::Skipped(usual) => {
                    let (end, kind) = self.skip_inside(start, gap.depth as usize)?;
                    self.strayed |= kind != usual;
                    self.skipped = true;
                    (end, kind)
                }
                Ends::Fixed(kind) => (behind, kind),
                Ends::String | Ends::Top => return Some(behind),
            }
        };
        let cell = Cell { start: start as u32, end: end as u32, kind };
        match gap.to {
            Goal::Node(node, slot) => {
                if kind.is_leaf() && super::COUNTED {
                    self.hits.push(Hit { node, at: start as u32 });
                }
                self.put(slot, cell)?;
            }
            Goal::Unknown(node, from, to) => {
                let key = (i as u32 + from, i as u32 + to);
                self.rest.push(Rest { node, key, value: cell });
            }
            Goal::Inside => {}
        }
        Some(end)
    }

    /// The byte at `i`; behind the text something that fits nowhere.
    #[inline(always)]
    fn byte(&self, i: usize) -> u8 {
        self.text.get(i).copied().unwrap_or(0)
    }

    /// The place of the next token at or behind `i`.
    #[inline(always)]
    fn token(&self, i: usize) -> usize {
        if self.byte(i) > b' ' { i } else { skip_space(self.text, i) }
    }

    /// Where the value behind a key's closing quote begins.
    #[inline(always)]
    fn behind_key(&self, i: usize) -> Option<usize> {
        let i = self.token(i);
        (self.byte(i) == b':').then(|| self.token(i + 1))
    }

    /// The cell of a slot, in the last row of its scope.
    #[inline(always)]
    fn cell(&mut self, slot: Slot) -> &mut Cell {
        let column = slot.column as usize;
        if slot.scope == 0 {
            return &mut self.root[column];
        }
        let rows = &mut self.scopes[slot.scope as usize];
        let last = rows.cells.len() - rows.width;
        &mut rows.cells[last + column]
    }

    /// Leaves a cell where there was none.
    #[inline(always)]
    fn put(&mut self, slot: Slot, cell: Cell) -> Option<()> {
        if slot.scope == 0 {
            self.present[slot.column as usize / 64] |= 1 << (slot.column % 64);
            self.set.push(slot.column);
        }
        let place = self.cell(slot);
        if place.kind != Kind::Absent {
            return None;
        }
        *place = cell;
        Some(())
    }

    #[inline(always)]
    fn perform(&mut self, acts: &[Act], at: usize) -> Option<()> {
        for act in acts {
            match *act {
                Act::Open(slot, off) => {
                    let start = at as u32 + off;
                    self.put(slot, Cell { start, end: start, kind: Kind::Object })?;
                }
                Act::Close(slot, off) => self.cell(slot).end = at as u32 + off,
                _ => self.perform_rare(*act, at)?,
            }
        }
        Some(())
    }

    #[inline(never)]
    fn perform_rare(&mut self, act: Act, at: usize) -> Option<()> {
        let place = |off: u32| at as u32 + off;
        match act {
            // Until the list ends, its first row stands for its end.
            Act::OpenList(slot, inner, off) => {
                *self.lists_met = true;
                let first = self.scopes[inner as usize].len() as u32;
                self.put(slot, Cell { start: place(off), end: first, kind: Kind::Array })?;
            }
            Act::CloseList(slot, inner, off) => {
                let cell = self.cell(slot);
                let (start, first) = (cell.start as usize, cell.end as usize);
                cell.end = place(off);
                let rows = &mut self.scopes[inner as usize];
                let end = rows.len();
                add_list(rows, start, first, end);
            }
            Act::EmptyList(inner, off) => {
                *self.lists_met = true;
                let rows = &mut self.scopes[inner as usize];
                let end = rows.len();
                add_list(rows, place(off) as usize, end, end);
            }
            Act::AddRow(inner) => self.scopes[inner as usize].add(),
            Act::OpenLeaf(node, slot, off) => {
                let start = place(off);
                if super::COUNTED {
                    self.hits.push(Hit { node, at: start });
                }
                self.put(slot, Cell { start, end: start, kind: Kind::Object })?;
            }
            Act::OpenRest(node, from, to, off) => {
                let value = Cell { start: place(off), end: place(off), kind: Kind::Object };
                self.rest.push(Rest { node, key: (place(from), place(to)), value });
            }
            // Nothing is left of what stands inside.
            Act::CloseRest(off) => self.rest.last_mut()?.value.end = place(off),
            Act::Open(..) | Act::Close(..) => {}
        }
        Some(())
    }

    fn boolean(&self, at: usize) -> Option<(usize, Kind)> {
        match self.byte(at) {
            b't' => Some((self.word(at, b"true")?, Kind::True)),
            _ => Some((self.word(at, b"false")?, Kind::False)),
        }
    }

    #[inline(always)]
    fn word<const N: usize>(&self, at: usize, word: &[u8; N]) -> Option<usize> {
        let found = self.text.get(at..)?.first_chunk::<N>()?;
        (found == word).then_some(at + N)
    }

    /// Checks a value that no path leads into.
    #[inline(always)]
    fn skip(&mut self, at: usize, depth: usize) -> Option<(usize, Kind)> {
        match self.byte(at) {
            b'"' => self.marks.string(at),
            b'{' | b'[' => self.skip_inside(at, depth),
            b'-' | b'0'..=b'9' => match digits_end(self.text, at) {
                end if end != at => Some((end, Kind::Number)),
                _ => Some((any_number(self.text, at).ok()?, Kind::Number)),
            },
            b't' | b'f' => self.boolean(at),
            b'n' => Some((self.word(at, b"null")?, Kind::Null)),
            _ => None,
        }
    }

    /// Checks a container that no path leads into.
    fn skip_inside(&mut self, at: usize, depth: usize) -> Option<(usize, Kind)> {
        let object = self.byte(at) == b'{';
        let (close, full, empty) = match object {
            true => (b'}', Kind::Object, Kind::EmptyObject),
            false => (b']', Kind::Array, Kind::EmptyArray),
        };
        let mut i = self.token(at + 1);
        if depth >= self.max_depth {
            return None;
        }
        if self.byte(i) == close {
            return Some((i + 1, empty));
        }
        loop {
            if object {
                let (key_end, _) = self.marks.string(i)?;
                i = self.behind_key(key_end)?;
            }
            let (end, _) = self.skip(i, depth + 1)?;
            i = self.token(end);
            match self.byte(i) {
                b',' => i = self.token(i + 1),
                b if b == close => return Some((i + 1, full)),
                _ => return None,
            }
        }
    }
}
