//! The walk along the gaps of records that were the same so far: all that most records need. Owns the one
//! loop that does it, for each instruction set; what is not in the tree is for others to find.

// Code for an instruction set is called where it was detected, and the steps of one walk are written
// behind those before: nothing else here is unsafe.
#![allow(unsafe_code)]

use super::tree::{self, How, Node};
use super::{DONE, Deeds, Ends, Gap, HEAD, MASKS, Step, Trail, Trek, end_part, word_at};
use crate::json::index::Level;
use crate::json::scan::digits_end;
use crate::json::{Cell, Kind};

/// Steps that there is room for at once.
const ROOM: usize = 64;

impl Trek<'_> {
    #[inline(never)]
    fn far_end(&self, at: usize) -> Option<(usize, Kind)> {
        self.marks.string_end(at)
    }

    /// Goes on from a state and an offset; where the tree leads no further, or where the top ends.
    pub(super) fn along(&mut self, trail: &mut Trail, state: u32, i: usize) -> Option<(u32, usize)> {
        match self.marks.level() {
            // SAFETY: an index has a level only where its features were detected.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 | Level::Avx512 => unsafe { along_avx2(self, trail, state, i) },
            _ => along(self, trail, state, i, is_at),
        }
    }
}

/// Whether what a place begins with are these bytes.
#[inline(always)]
fn is_at(found: &[u8; HEAD], node: &Node) -> bool {
    let mask = &MASKS[node.short() % MASKS.len()];
    let differ = |at| (word_at(found, at) ^ word_at(&node.head, at)) & word_at(mask, at);
    differ(0) | differ(8) | differ(16) | differ(24) == 0
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn is_at_avx2(found: &[u8; HEAD], node: &Node) -> bool {
    use std::arch::x86_64::*;
    // SAFETY: both have the 32 bytes that are loaded, and the loads want no alignment.
    let (a, b) =
        unsafe { (_mm256_loadu_si256(found.as_ptr().cast()), _mm256_loadu_si256(node.head.as_ptr().cast())) };
    let same = _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) as u32;
    !same & node.bits == 0
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn along_avx2(trek: &mut Trek, trail: &mut Trail, state: u32, i: usize) -> Option<(u32, usize)> {
    along(trek, trail, state, i, |found, node| is_at_avx2(found, node))
}

/// Another gap stands here.
struct NotThere;

/// Where the value ends behind a gap that ends with no string, or is longer than its head.
#[inline(never)]
fn other(
    trek: &mut Trek,
    node: &Node,
    gaps: &[Gap],
    deeds: &[Deeds],
    i: usize,
) -> Option<Result<(usize, Kind), NotThere>> {
    let behind = i + node.len as usize;
    let gap = &gaps[node.gap as usize];
    match node.how {
        How::Number => match digits_end(trek.text, behind) {
            end if end != behind => return Some(Ok((end, Kind::Number))),
            _ => {}
        },
        _ if gap.ends == Ends::String => {
            let tail = &deeds[node.gap as usize].tail;
            if !trek.text.get(i + HEAD..).unwrap_or_default().starts_with(tail) {
                return Some(Err(NotThere));
            }
            let near = trek.marks.near_end(trek.text, behind).map(|end| (end, Kind::String));
            return near.or_else(|| trek.far_end(behind)).map(Ok);
        }
        _ => {}
    }
    match trek.opens(gap, deeds, node.gap, i) {
        true => trek.value(gap, i).map(Ok),
        false => Some(Err(NotThere)),
    }
}

#[inline(always)]
fn along(
    trek: &mut Trek,
    trail: &mut Trail,
    state: u32,
    mut i: usize,
    is_at: impl Fn(&[u8; HEAD], &Node) -> bool,
) -> Option<(u32, usize)> {
    let Trail { gaps, deeds, steps, parts, tree, .. } = trail;
    let (gaps, deeds) = (gaps.as_slice(), deeds.as_slice());
    let (nodes, fans) = tree.nodes();
    let (text, marks) = (trek.text, trek.marks);
    let mut place = trail.place;
    let mut next = nodes[place as usize].first;
    let before = steps.len();
    let (mut goes_on, mut is_done) = (true, false);
    while goes_on {
        steps.reserve(ROOM);
        let begun = steps.len();
        let room = steps.spare_capacity_mut();
        let mut n = 0;
        while let Some(step) = room.get_mut(n) {
            // Shorter than a head is what stands behind the last line.
            let Some(found) = text.get(i..i + HEAD).and_then(|text| text.first_chunk::<HEAD>()) else {
                goes_on = false;
                break;
            };
            let mut node = &nodes[next as usize];
            if !is_at(found, node) {
                // One that was looked at already may be looked at again: it does not stand there.
                next = tree::other((nodes, fans), place, next, found);
                node = &nodes[next as usize];
                while !is_at(found, node) {
                    next = node.next;
                    node = &nodes[next as usize];
                }
            }
            let behind = i + node.len as usize;
            let (end, kind) = if node.how == How::String {
                match marks.near_end(text, behind) {
                    Some(end) => (end, Kind::String),
                    None => trek.far_end(behind)?,
                }
            } else if let Some(kind) = node.how.fixed() {
                is_done = node.how == How::Top;
                (behind, kind)
            } else if node.how == How::Nowhere {
                goes_on = false;
                break;
            } else {
                match other(trek, node, gaps, deeds, i)? {
                    Ok(value) => value,
                    Err(NotThere) => {
                        next = node.next;
                        continue;
                    }
                }
            };
            let value = Cell { start: i as u32 + node.value_at as u32, end: end as u32, kind };
            step.write(Step { gap: node.gap, at: i as u32, value });
            if node.part == tree::LOST {
                place = next;
                next = node.first;
            } else {
                end_part(parts, next, begun + n);
                place = node.part;
                next = nodes[place as usize].first;
            }
            n += 1;
            i = end;
        }
        // SAFETY: the first `n` of the room were written, each before `n` went past it.
        unsafe { steps.set_len(begun + n) };
    }
    trail.place = place;
    let last = steps.get(before..).and_then(|steps| steps.last());
    let state = match last {
        _ if is_done => DONE,
        Some(step) => gaps[step.gap as usize].behind,
        None => state,
    };
    Some((state, i))
}
