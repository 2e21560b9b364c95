//! The bytes that are not handed on yet. Owns their memory, which comes from old batches: what was
//! written once is not cleared again before it is read into.

use std::ops::Deref;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// So many of them hold something.
    filled: usize,
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Buffer {
    /// Room for more behind what is there; [`Buffer::add`] says how much of it was filled.
    pub(super) fn room(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.filled + bytes;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..end]
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Forgets the first bytes.
    pub(super) fn drop_front(&mut self, bytes: usize) {
        if bytes > 0 {
            self.bytes.copy_within(bytes..self.filled, 0);
        }
        self.filled -= bytes;
    }

    /// Gives the first bytes away; the others go on in the memory of an old batch.
    pub(super) fn hand_on(&mut self, bytes: usize, mut next: Vec<u8>) -> Vec<u8> {
        let rest = &self.bytes[bytes..self.filled];
        if next.len() < rest.len() {
            next.resize(rest.len(), 0);
        }
        next[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
        let mut given = std::mem::replace(&mut self.bytes, next);
        given.truncate(bytes);
        given
    }
}
