//! Which of many places that follow one to look at first, told by a few bytes of the text. Owns the table
//! that says so; what stands at a place is compared all the same.

use super::tree::{LOST, Node, Structure};
use super::{HEAD, word_at};

/// Fewer places are looked at one by one.
pub(super) const FEWEST: usize = 3;
/// Slots for each place when a table is made.
const ROOM: usize = 4;
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// By some bytes of the text, the first place that begins with them: all others that do come behind it.
#[derive(Clone, Debug)]
pub(super) struct Fan {
    /// Where the bytes stand, and which of eight they are: bytes that every place has.
    at: u8,
    mask: u64,
    shift: u8,
    slots: Box<[Structure]>,
    /// Places.
    len: usize,
    /// With so many it is made anew.
    full: usize,
}

impl Fan {
    /// Of the places that follow `first` and itself.
    pub(super) fn new(nodes: &[Node], first: Structure) -> Fan {
        let row = std::iter::successors(Some(first), |at| Some(nodes[*at as usize].next));
        let row: Vec<Structure> = row.take_while(|at| *at != LOST).collect();
        let least = row.iter().map(|at| nodes[*at as usize].short()).min().unwrap_or(0);
        let bits = (row.len() * ROOM).next_power_of_two().trailing_zeros().max(1);
        let of = |at: usize| {
            let mask = u64::MAX.checked_shr(64 - 8 * (least - at).min(8) as u32).unwrap_or(0);
            let slots = vec![LOST; 1 << bits].into();
            let (shift, full) = (64 - bits as u8, row.len() * 2);
            let mut fan = Fan { at: at as u8, mask, shift, slots, len: 0, full };
            let alone = row.iter().filter(|place| fan.add(**place, &nodes[**place as usize])).count();
            (alone, fan)
        };
        let mut best = of(0);
        for at in 1..least.min(HEAD - 8) {
            if best.0 == row.len() {
                break;
            }
            let other = of(at);
            if other.0 > best.0 {
                best = other;
            }
        }
        best.1
    }

    /// The first place that may stand before the text.
    #[inline(always)]
    pub(super) fn of(&self, text: &[u8; HEAD]) -> Structure {
        self.slots.get(self.slot(text)).copied().unwrap_or(LOST)
    }

    #[inline(always)]
    fn slot(&self, text: &[u8; HEAD]) -> usize {
        ((word_at(text, self.at as usize) & self.mask).wrapping_mul(SPREAD) >> self.shift) as usize
    }

    /// One more place, behind all others; whether it is the only one of its slot.
    fn add(&mut self, place: Structure, node: &Node) -> bool {
        self.len += 1;
        let slot = self.slot(&node.head);
        let alone = self.slots[slot] == LOST;
        if alone {
            self.slots[slot] = place;
        }
        alone
    }

    /// The same, unless the table should be made anew.
    pub(super) fn take(&mut self, place: Structure, node: &Node) -> bool {
        let asked = self.at as u32 + (64 - self.mask.leading_zeros()) / 8;
        let fits = self.len < self.full && asked <= node.short() as u32;
        if fits {
            self.add(place, node);
        }
        fits
    }
}
