//! The walk over an index, along the trails that earlier records have left: what stands between two
//! values (`,"email":"`, `}},"project":{"id":"`) is mostly what stood there before, so it is compared
//! as a whole, and what it means is known. At anything wrong and at a few things that are merely rare
//! (a repeated key, a key with escapes) it gives up, and the careful walk starts anew and says what
//! and where. Owns no rule of its own: where it does not give up, it leaves behind what the careful
//! walk would.

mod along;
mod fan;
mod fill;
mod learn;
mod outline;
pub(super) mod quick;
mod recipe;
mod rows;
mod tree;

use std::collections::HashMap;

use super::scan::{MAX_DEPTH, any_number, digits_end, skip_space};
use super::want::Slot;
use super::{Cell, Kind, Marks, NodeId, Want};
use recipe::Recipes;
use tree::Tree;

pub(super) use outline::Element;

pub use fill::{Spot, Spots, Stretch};
pub use rows::{ElementRows, Wanted};
pub use tree::Structure;

/// What stood between two values of a record, and what it does.
type GapId = u32;

/// No gap: the end of a chain.
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
/// A gap of more bytes is nothing usual.
const LONGEST: usize = 1 << 11;
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
    /// Of each gap.
    deeds: Vec<Deeds>,
    acts: Vec<Act>,
    /// Gaps and acts that are kept for later records.
    kept: (usize, usize),
    tree: Tree,
    recipes: Recipes,
    /// Of the record at hand, in order.
    steps: Vec<Step>,
    /// Its parts, in order: elements of lists are each their own.
    parts: Vec<Part>,
    /// What the part at hand is so far; behind a walk, what the record is.
    place: Structure,
    /// The elements of its own lists, in order, where it has some.
    elements: Vec<Element>,
    /// Its steps without those of such elements, where it has some.
    trunk: Vec<Step>,
    /// By place of the tree that parts ended with.
    kinds: Vec<outline::Kind>,
    /// How many steps it took before other walks of its values, and its structure then.
    whole: (usize, Structure),
    /// Some gap of the record at hand is not kept, or it left the trails.
    strayed: bool,
    /// Some container of it was skipped, so that its gaps do not tell what is inside.
    skipped: bool,
    /// Gaps of the record at hand that were not kept because there are too many.
    lost: u32,
    /// Records that are not tried.
    pause: u32,
    /// Containers that no path leads into, by how many things were met in the first place of each: one
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
    /// Inside a container that no path leads into: one of the two above, and the way from there on.
    Inside(Box<Last>, Vec<Inner>),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Inner {
    Member(Box<[u8]>),
    Element,
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

/// What a walk looks at; see [`Deeds`] for the rest.
#[derive(Clone, Debug)]
struct Gap {
    head: [u8; HEAD],
    /// Bytes of the gap: up to where a number or a boolean begins, the bracket that opens a value
    /// that is skipped, the quote that opens a string, any other value whole.
    len: u16,
    /// Where in the gap, or behind it, the value begins.
    value_at: u16,
    /// Containers that are open around the value.
    depth: u16,
    /// Bytes in the head.
    short: u8,
    /// More must be seen than the head.
    is_open: bool,
    ends: Ends,
    /// The state behind the value.
    behind: u32,
    next: GapId,
    /// Where a part that begins with the gap stands before its second one, if one does.
    part: Structure,
}

/// What a gap does.
#[derive(Clone, Debug)]
struct Deeds {
    /// What is opened and closed: a stretch of the acts.
    acts: (u32, u32),
    to: Goal,
    /// What of the gap is behind its head.
    tail: Box<[u8]>,
}

/// The bytes of a head that a gap of each length has; a power of two of them.
const MASKS: [[u8; HEAD]; 2 * HEAD] = {
    let mut masks = [[0; HEAD]; 2 * HEAD];
    let mut len = 1;
    while len <= HEAD {
        masks[len] = masks[len - 1];
        masks[len][len - 1] = u8::MAX;
        len += 1;
    }
    masks
};

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
    /// That of a container that no path leads into.
    Inside,
}

/// A gap and the value behind it.
#[derive(Clone, Copy, Debug)]
struct Step {
    gap: GapId,
    /// Where the gap begins.
    at: u32,
    value: Cell,
}

/// A stretch of steps: what it is of is told by the tree.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its first step.
    first: u32,
    /// The place behind it, and behind the gap that the next part begins with.
    place: Structure,
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
    /// A container that no path leads into: a node's own, or a member of it from here to there.
    OpenLeaf(NodeId, Slot, Kind, u32),
    OpenRest(NodeId, u32, u32, Kind, u32),
    CloseRest(u32),
    /// `null`, `{}` or `[]` from here to there: that of a node, or of a member.
    Fixed(Slot, Kind, u32, u32),
    FixedRest(NodeId, (u32, u32), Kind, u32, u32),
}

impl Trail {
    pub(super) fn reset(&mut self) {
        self.steps.clear();
        if self.gaps.len() > self.kept.0 {
            self.gaps.truncate(self.kept.0);
            self.deeds.truncate(self.kept.0);
            self.acts.truncate(self.kept.1);
        }
        self.parts.clear();
        self.elements.clear();
        self.trunk.clear();
        self.place = tree::START;
        self.tree.begin();
        (self.strayed, self.skipped, self.lost) = (false, false, 0);
    }

    /// The structure of the record alone, without other walks of its values.
    pub(super) fn whole_structure(&self) -> Option<Structure> {
        self.structure().map(|_| self.whole.1)
    }

    /// Steps so far.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The elements of the record's own lists.
    pub(super) fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The steps that all records of the structure have, of which others stand between some where there are
    /// elements.
    #[inline(always)]
    fn trunk(&self) -> &[Step] {
        if self.elements.is_empty() { &self.steps } else { &self.trunk }
    }

    /// What says all of the structure of the record at hand, where that was met often enough.
    pub(super) fn structure(&self) -> Option<Structure> {
        (!self.strayed && self.place > tree::START).then_some(self.place)
    }

    #[inline(always)]
    pub(super) fn note(&self) -> u32 {
        self.structure().map_or(0, |structure| self.tree.note(structure))
    }

    pub(super) fn note_of(&self, structure: Structure) -> u32 {
        self.tree.note(structure)
    }

    pub(super) fn take_note(&mut self, of: Structure, note: u32) {
        self.tree.take_note(of, note);
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
        (self.strayed, self.place) = (true, tree::LOST);
    }

    /// The state at the start of a walk.
    fn start(&mut self, top: NodeId, max_depth: usize) -> u32 {
        if top == 0 && self.max_depth != max_depth {
            let (recipes, tree) =
                (std::mem::take(&mut self.recipes).anew(), std::mem::take(&mut self.tree).anew());
            *self = Trail { max_depth, place: tree::START, recipes, tree, ..Trail::default() };
        }
        if self.gaps.is_empty() {
            self.gaps.push(Gap::none());
            self.deeds.push(Deeds { acts: (0, 0), to: Goal::Inside, tail: [].into() });
            self.kept.0 = 1;
            self.states.push(State::new(top, Last::Nothing, 0));
        }
        if let Some(&(_, state)) = self.starts.iter().find(|(start, _)| *start == top) {
            return state;
        }
        let state = self.state(top, Last::Nothing, 0);
        self.starts.push((top, state));
        state
    }

    /// Goes over a gap that does not follow the place at hand in the tree.
    fn pass(&mut self, id: GapId) {
        let Trail { gaps, kept, tree, place, parts, steps, .. } = self;
        if *place != tree::LOST {
            *place =
                if (id as usize) < kept.0 { tree.grow(*place, id, &gaps[id as usize]) } else { tree::LOST };
        }
        let part = gaps[id as usize].part;
        if part != tree::LOST {
            end_part(parts, *place, steps.len());
            *place = part;
        }
    }

    /// The last part of a walk is at an end, which began with the part `first`.
    fn end(&mut self, want: &Want, top: NodeId, first: usize) {
        if let Some(part) = self.parts.last_mut() {
            part.place = self.place;
        }
        let several = matches!(self.parts[first..], [_, _, ..]);
        if several && top == 0 {
            self.place = self.outline(want);
        } else if several {
            self.place = self.tree.join(self.parts[first..].iter().map(|part| part.place));
        }
        if top == 0 {
            self.whole = (self.trunk().len(), self.place);
        }
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

/// The last part is at an end, at the place behind the gap that another begins with.
#[inline(never)]
fn end_part(parts: &mut Vec<Part>, place: Structure, steps: usize) {
    if let Some(part) = parts.last_mut() {
        part.place = place;
    }
    parts.push(Part { first: steps as u32, place: tree::LOST });
}

/// Eight bytes of a head.
#[inline(always)]
fn word_at(bytes: &[u8; HEAD], at: usize) -> u64 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word))
}

impl Gap {
    fn none() -> Gap {
        Gap {
            head: [0; HEAD],
            len: 0,
            value_at: 0,
            depth: 0,
            short: 0,
            is_open: false,
            ends: Ends::Top,
            behind: 0,
            next: NONE,
            part: tree::LOST,
        }
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

/// Follows the value at `at` as that of `top` (0: the record itself); the offset behind it. What the
/// value leaves behind is filled in later.
pub(super) fn walk(
    want: &Want,
    text: &[u8],
    marks: Marks,
    at: usize,
    max_depth: usize,
    top: NodeId,
    trail: &mut Trail,
) -> Option<usize> {
    // What is called within itself goes no deeper.
    let max_depth = max_depth.min(MAX_DEPTH);
    let mut state = trail.start(top, max_depth);
    let mut i = at;
    let (strayed, skipped) = (trail.strayed, trail.skipped);
    let mut trek = Trek { want, text, marks, max_depth, strayed, skipped };
    let grown = trail.tree.len();
    if top != 0 && trail.place != tree::LOST {
        trail.place = trail.tree.go(trail.place, top);
    }
    let part = trail.parts.len();
    trail.parts.push(Part { first: trail.steps.len() as u32, place: tree::LOST });
    let end = loop {
        (state, i) = match trek.follow(trail, state, i)? {
            Met::Top(end) => break end,
            Met::New(state, at) => {
                let id = learn::gap(trail, &trek, state, at)?;
                if id as usize >= trail.kept.0 {
                    trek.strayed = true;
                    if trail.lost > MOST_LOST {
                        trail.pause = PAUSE;
                        return None;
                    }
                }
                trail.pass(id);
                let gap = &trail.gaps[id as usize];
                let (end, kind) = trek.value(gap, at)?;
                let value = Cell { start: at as u32 + gap.value_at as u32, end: end as u32, kind };
                trail.steps.push(Step { gap: id, at: at as u32, value });
                if gap.behind == DONE {
                    break end;
                }
                (gap.behind, end)
            }
        };
    };
    (trail.strayed, trail.skipped) = (trek.strayed, trek.skipped);
    trail.tree.ended(trail.place, grown);
    trail.end(want, top, part);
    Some(end)
}

/// Where known gaps end.
enum Met {
    /// Behind the top.
    Top(usize),
    /// Behind this state there is an unknown gap.
    New(u32, usize),
}

/// Reading one text.
struct Trek<'a> {
    want: &'a Want,
    text: &'a [u8],
    marks: Marks<'a>,
    max_depth: usize,
    strayed: bool,
    skipped: bool,
}

impl Trek<'_> {
    /// Goes on as long as every gap is known: along the gaps of records that were the same so far, or
    /// else along those that were met in any.
    fn follow(&mut self, trail: &mut Trail, mut state: u32, mut i: usize) -> Option<Met> {
        loop {
            if trail.place != tree::LOST {
                (state, i) = self.along(trail, state, i)?;
                if state == DONE {
                    return Some(Met::Top(i));
                }
            }
            let mut id = trail.states[state as usize].first;
            let gap = loop {
                if id == NONE {
                    return Some(Met::New(state, i));
                }
                let gap = &trail.gaps[id as usize];
                if self.stands(gap, &trail.deeds, id, i) {
                    break gap;
                }
                id = gap.next;
            };
            let (end, kind) = self.value(gap, i)?;
            let value = Cell { start: i as u32 + gap.value_at as u32, end: end as u32, kind };
            state = gap.behind;
            trail.pass(id);
            trail.steps.push(Step { gap: id, at: i as u32, value });
            i = end;
            if state == DONE {
                return Some(Met::Top(i));
            }
        }
    }

    /// Whether a gap stands at `i`, and a value that may follow it behind it.
    #[inline]
    fn stands(&self, gap: &Gap, deeds: &[Deeds], id: GapId, i: usize) -> bool {
        let here = self.text.get(i..).unwrap_or_default();
        here.starts_with(&gap.head[..gap.short as usize]) && (!gap.is_open || self.opens(gap, deeds, id, i))
    }

    /// Whether more than the head of a gap stands at `i`, and what it ends with behind it.
    #[inline(never)]
    fn opens(&self, gap: &Gap, deeds: &[Deeds], id: GapId, i: usize) -> bool {
        let len = gap.len as usize;
        let behind = self.text.get(i + HEAD.min(len)..).unwrap_or_default();
        behind.starts_with(&deeds[id as usize].tail) && gap.is_followed(self.text.get(i + len))
    }

    /// Where the value behind the gap at `i` ends, and what it is; behind the top nothing, which ends there.
    #[inline(never)]
    fn value(&mut self, gap: &Gap, i: usize) -> Option<(usize, Kind)> {
        let behind = i + gap.len as usize;
        Some(match gap.ends {
            Ends::String => self.marks.string_end(behind)?,
            Ends::Number => match digits_end(self.text, behind) {
                end if end != behind => (end, Kind::Number),
                _ => (any_number(self.text, behind).ok()?, Kind::Number),
            },
            Ends::Boolean => self.boolean(behind)?,
            Ends::Skipped(usual) => {
                let (end, kind) = self.skip_inside(i + gap.value_at as usize, gap.depth as usize)?;
                self.strayed |= kind != usual;
                self.skipped = true;
                (end, kind)
            }
            Ends::Fixed(kind) => (behind, kind),
            Ends::Top => (behind, Kind::Absent),
        })
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
