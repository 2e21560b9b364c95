//! The wanted paths as a trie, built once and shared by every worker. Knows paths, not values.

use std::ops::Range;

/// A node of the trie. Node 0 is the root object.
pub type NodeId = u32;

/// Where the walk leaves the value of a node: a column of a scope. Scope 0 has one row, the
/// record; every list that is walked has a scope of its own with one row per element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SlotAt {
    pub scope: u16,
    pub column: u16,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    parent: Option<NodeId>,
    /// The key below the parent; empty for the root and for list elements.
    name: String,
    /// Each with what tells most keys apart at a glance.
    children: Vec<(u32, NodeId)>,
    pub(super) element: Option<NodeId>,
    slot: Slot,
    /// Nodes below this one, in every scope, have the ranks `rank + 1 .. rank_end`.
    rank: u32,
    rank_end: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    pub(super) scope: u16,
    pub(super) column: u16,
    /// Columns of the same scope that lie below this node.
    pub(super) below: u16,
}

/// A list that is walked element by element.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) width: usize,
    pub(super) parent: u16,
    pub(super) list: NodeId,
}

/// The trie. Grow it with [`Want::child`] and [`Want::element`], then [`Want::finish`] it: a node has
/// its scope from the start, and its column from then on.
#[derive(Clone, Debug)]
pub struct Want {
    pub(super) nodes: Vec<Node>,
    pub(super) scopes: Vec<Scope>,
    /// Roots that are walked by name, beside the record's own (payloads).
    extra_roots: Vec<NodeId>,
    /// What the walk needs of each node, apart from what only reports need.
    steps: Vec<Step>,
    /// The key tables of all nodes, one behind the other.
    entries: Vec<Entry>,
    /// The multipliers of large tables, by bucket.
    multipliers: Vec<u64>,
}

/// A node as the walk sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    keys: Keys,
    pub(super) slot: Slot,
    pub(super) is_list: bool,
}

impl Step {
    pub(super) fn has_keys(&self) -> bool {
        self.keys.len > 0
    }
}

impl Default for Want {
    fn default() -> Self {
        Want::new()
    }
}

impl Want {
    pub fn new() -> Want {
        Want {
            nodes: vec![Node::default()],
            scopes: vec![Scope { width: 0, parent: 0, list: 0 }],
            extra_roots: Vec::new(),
            steps: Vec::new(),
            entries: Vec::new(),
            multipliers: Vec::new(),
        }
    }

    /// A second root whose values are walked on demand into scope 0.
    pub fn extra_root(&mut self, name: &str) -> NodeId {
        if let Some(&id) = self.extra_roots.iter().find(|&&r| self.nodes[r as usize].name == name) {
            return id;
        }
        let id = self.add(None, name.to_string(), 0);
        self.extra_roots.push(id);
        id
    }

    pub fn child(&mut self, node: NodeId, key: &str) -> NodeId {
        if let Some(id) = self.find_child(node, key) {
            return id;
        }
        let id = self.add(Some(node), key.to_string(), self.nodes[node as usize].slot.scope);
        self.nodes[node as usize].children.push((glance(key), id));
        id
    }

    pub fn element(&mut self, node: NodeId) -> NodeId {
        if let Some(id) = self.nodes[node as usize].element {
            return id;
        }
        self.scopes.push(Scope { width: 0, parent: self.nodes[node as usize].slot.scope, list: node });
        let id = self.add(Some(node), String::new(), (self.scopes.len() - 1) as u16);
        self.nodes[node as usize].element = Some(id);
        id
    }

    fn add(&mut self, parent: Option<NodeId>, name: String, scope: u16) -> NodeId {
        let slot = Slot { scope, ..Slot::default() };
        self.nodes.push(Node { parent, name, slot, ..Node::default() });
        (self.nodes.len() - 1) as NodeId
    }

    pub fn find_child(&self, node: NodeId, key: &str) -> Option<NodeId> {
        let node = &self.nodes[node as usize];
        let tag = glance(key);
        let named = |&&(of, child): &&(u32, NodeId)| of == tag && self.nodes[child as usize].name == key;
        node.children.iter().find(named).map(|&(_, child)| child)
    }

    /// Numbers the columns and builds the key tables. Columns of a subtree are neighbours, so that
    /// a repeated key can clear what the first one left.
    pub fn finish(&mut self) {
        self.scopes.iter_mut().for_each(|scope| scope.width = 0);
        self.steps.clear();
        self.entries.clear();
        self.multipliers.clear();
        let mut rank = 0;
        let mut roots = vec![0];
        roots.extend(&self.extra_roots);
        for root in roots {
            self.number(root, &mut rank);
        }
        for node in &self.nodes {
            let keys: Vec<(&str, NodeId)> =
                node.children.iter().map(|&(_, c)| (self.nodes[c as usize].name.as_str(), c)).collect();
            let keys = Keys::new(&keys, &mut self.entries, &mut self.multipliers);
            self.steps.push(Step { keys, slot: node.slot, is_list: node.element.is_some() });
        }
    }

    fn number(&mut self, id: NodeId, rank: &mut u32) {
        let scope = self.nodes[id as usize].slot.scope;
        let column = self.scopes[scope as usize].width as u16;
        self.scopes[scope as usize].width += 1;
        self.nodes[id as usize].rank = *rank;
        *rank += 1;
        for (_, child) in self.nodes[id as usize].children.clone() {
            self.number(child, rank);
        }
        let below = self.scopes[scope as usize].width as u16 - column - 1;
        self.nodes[id as usize].slot = Slot { scope, column, below };
        if let Some(element) = self.nodes[id as usize].element {
            self.number(element, rank);
        }
        self.nodes[id as usize].rank_end = *rank;
    }

    pub fn slot(&self, id: NodeId) -> SlotAt {
        let slot = &self.nodes[id as usize].slot;
        SlotAt { scope: slot.scope, column: slot.column }
    }

    /// The scope of a list's elements.
    pub fn element_scope(&self, list: NodeId) -> Option<u16> {
        self.nodes[list as usize].element.map(|e| self.nodes[e as usize].slot.scope)
    }

    /// The node of a list's elements.
    pub fn element_of(&self, list: NodeId) -> Option<NodeId> {
        self.nodes[list as usize].element
    }

    /// The scope around a scope (scope 0 is around itself).
    pub fn outer_scope(&self, scope: u16) -> u16 {
        self.scopes[scope as usize].parent
    }

    /// The list whose elements are the rows of this scope.
    pub fn list_of(&self, scope: u16) -> NodeId {
        self.scopes[scope as usize].list
    }

    /// The slot of the list whose elements are the rows of this scope.
    pub fn list_slot(&self, scope: u16) -> SlotAt {
        self.slot(self.scopes[scope as usize].list)
    }

    pub fn scopes(&self) -> usize {
        self.scopes.len()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.nodes[id as usize].parent
    }

    /// The ranks of a node and everything below it; see [`Want::rank`].
    pub fn ranks(&self, id: NodeId) -> Range<u32> {
        let node = &self.nodes[id as usize];
        node.rank..node.rank_end
    }

    /// The node's number in depth-first order: a subtree is a range.
    pub fn rank(&self, id: NodeId) -> u32 {
        self.nodes[id as usize].rank
    }

    /// The child of `node` with exactly this key.
    pub fn key(&self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        self.find(node, key, 0..key.len())
    }

    #[inline(always)]
    pub(super) fn step(&self, node: NodeId) -> &Step {
        &self.steps[node as usize]
    }

    /// The child of `node` whose key is `text[key]`. Reads what stands around the key, where
    /// something does: a load of eight bytes costs less than one of a few.
    #[inline(always)]
    pub(super) fn find(&self, node: NodeId, text: &[u8], key: Range<usize>) -> Option<NodeId> {
        let keys = &self.steps[node as usize].keys;
        if keys.len == 0 {
            return None;
        }
        let len = key.len();
        let (first, last) = match text.get(key.start..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(first) if len < 8 => (u64::from_le_bytes(*first) & ((1 << (8 * len)) - 1), 0),
            Some(first) => match text[..key.end].last_chunk::<8>() {
                Some(last) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
                None => return None,
            },
            None => words(&text[key.clone()]),
        };
        let mut h = fold(first, last, len);
        if len > 16 {
            h = fold_middle(h, &text[key.start + 8..key.end - 8]);
        }
        let multiplier = match keys.buckets {
            0 => keys.multiplier,
            _ => self.multipliers[keys.multiplier as usize + keys.bucket(h)],
        };
        let at = (h.wrapping_mul(multiplier) >> keys.shift) as usize;
        let entry = &self.entries[keys.start as usize + at];
        if entry.first != first || entry.last != last || entry.len as usize != len {
            return None;
        }
        if len > 16 && self.nodes[entry.node as usize].name.as_bytes() != &text[key] {
            return None;
        }
        // A place of the table that no key has looks like the empty key.
        (entry.node != 0).then_some(entry.node)
    }

    /// The path of a node as a mapping writes it: `a.b[].c`, keys with dots in quotes.
    pub fn path(&self, id: NodeId) -> String {
        let mut steps = Vec::new();
        let mut at = Some(id);
        while let Some(i) = at {
            let node = &self.nodes[i as usize];
            let element = node.parent.is_some_and(|p| self.nodes[p as usize].element == Some(i));
            steps.push(if element { None } else { Some(node.name.as_str()) });
            at = node.parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Some(name) => push_step(name, &mut path),
                None => path.push_str("[]"),
            }
        }
        path
    }
}

/// The length of a key and three of its bytes: tells most keys apart.
pub(crate) fn glance(key: &str) -> u32 {
    let bytes = key.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    u32::from_le_bytes([bytes.len() as u8, at(0), at(bytes.len() / 2), at(bytes.len().wrapping_sub(1))])
}

/// Appends one key to a written path.
pub fn push_step(name: &str, path: &mut String) {
    const PLAIN: [bool; 256] = {
        let (mut plain, mut byte) = ([false; 256], 0);
        while byte < 256 {
            let b = byte as u8;
            plain[byte] = b.is_ascii_alphanumeric()
                || matches!(b, b'_' | b'-' | b'@' | b'$' | b'/' | b':' | b' ')
                || !b.is_ascii();
            byte += 1;
        }
        plain
    };
    if name.is_empty() {
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    if name.bytes().all(|byte| PLAIN[byte as usize]) {
        path.push_str(name);
    } else {
        path.push('"');
        path.push_str(&name.replace('\\', "\\\\").replace('"', "\\\""));
        path.push('"');
    }
}

/// The keys of one node in a table without collisions: one probe finds a key or says it is not
/// wanted. Up to sixteen bytes, the first and last eight and the length are the whole key; only
/// longer ones fold in their middle and are compared byte for byte. One multiplier serves a few keys;
/// for many, each bucket of some has its own, so that the table stays small enough for the cache.
#[derive(Clone, Copy, Debug, Default)]
struct Keys {
    /// Or the place of the first bucket's.
    multiplier: u64,
    shift: u32,
    /// Where the table stands among the entries.
    start: u32,
    len: u32,
    /// A power of two, or 0 for none.
    buckets: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    first: u64,
    last: u64,
    len: u32,
    /// 0, the root, is nobody's child: no key stands here.
    node: NodeId,
}

fn words(key: &[u8]) -> (u64, u64) {
    match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (key.iter().rev().fold(0, |w, &b| w << 8 | b as u64), 0),
    }
}

fn fold_middle(mut h: u64, middle: &[u8]) -> u64 {
    for chunk in middle.chunks(8) {
        h = (h ^ words(chunk).0).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    h
}

#[inline(always)]
fn fold(first: u64, last: u64, len: usize) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xc2b2_ae3d_27d4_eb4f;
    first.wrapping_mul(A) ^ last.rotate_left(23).wrapping_mul(B) ^ len as u64
}

/// More keys than this are told apart by bucket first.
const FEW: usize = 12;

/// The multipliers that are tried, the same in every run.
fn next_multiplier(multiplier: u64) -> u64 {
    multiplier.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f) | 1
}

impl Keys {
    #[inline(always)]
    fn bucket(&self, h: u64) -> usize {
        (h.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 40) as usize & (self.buckets as usize - 1)
    }

    /// The keys are distinct. Where 500 multipliers collide the table doubles, so the search ends:
    /// distinct keys have distinct folds but for odds of 2^-64.
    fn new(keys: &[(&str, NodeId)], entries: &mut Vec<Entry>, multipliers: &mut Vec<u64>) -> Keys {
        if keys.is_empty() {
            return Keys::default();
        }
        let folds: Vec<(u64, Entry)> = keys
            .iter()
            .map(|&(key, node)| {
                let key = key.as_bytes();
                let (first, last) = words(key);
                let mut h = fold(first, last, key.len());
                if key.len() > 16 {
                    h = fold_middle(h, &key[8..key.len() - 8]);
                }
                (h, Entry { first, last, len: key.len() as u32, node })
            })
            .collect();
        let buckets = if keys.len() > FEW { (keys.len() / 3).next_power_of_two() } else { 0 };
        let mut bits = (keys.len() * 3 / 2).next_power_of_two().trailing_zeros().max(2);
        let (start, first) = (entries.len(), multipliers.len());
        loop {
            let len = 1 << bits;
            let mut table = Keys {
                multiplier: first as u64,
                shift: 64 - bits,
                start: start as u32,
                len,
                buckets: buckets as u32,
            };
            let mut groups = vec![Vec::new(); buckets.max(1)];
            for fold in folds.iter() {
                groups[if buckets == 0 { 0 } else { table.bucket(fold.0) }].push(*fold);
            }
            let mut order: Vec<usize> = (0..groups.len()).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(groups[i].len()));
            entries.truncate(start);
            entries.resize(start + len as usize, Entry::default());
            multipliers.truncate(first);
            multipliers.resize(first + groups.len(), 1);
            let settled = order.iter().all(|&i| {
                let found = settle(&groups[i], table.shift, &mut entries[start..]);
                multipliers[first + i] = found.unwrap_or(1);
                found.is_some()
            });
            if settled {
                if buckets == 0 {
                    table.multiplier = multipliers[first];
                    multipliers.truncate(first);
                }
                return table;
            }
            bits += 1;
        }
    }
}

/// Finds a multiplier that gives every key of a group a free place of its own, and puts them there.
fn settle(group: &[(u64, Entry)], shift: u32, table: &mut [Entry]) -> Option<u64> {
    let mut multiplier = 0x9e37_79b9_7f4a_7c15;
    let mut places = Vec::with_capacity(group.len());
    for _ in 0..500 {
        multiplier = next_multiplier(multiplier);
        places.clear();
        places.extend(group.iter().map(|(h, _)| (h.wrapping_mul(multiplier) >> shift) as usize));
        let free = places.iter().all(|&p| table[p].node == 0);
        if free && (1..places.len()).all(|i| !places[..i].contains(&places[i])) {
            for (&place, (_, entry)) in places.iter().zip(group) {
                table[place] = *entry;
            }
            return Some(multiplier);
        }
    }
    None
}
