//! From fingerprints to dense ids.
//!
//! Open addressing with linear probing in slots of 16 bytes: 96 bits of the
//! fingerprint and the id. A slot's place is its first word scaled to the
//! table (`word * slots / 2^32`), so a table may have any length and growing
//! one reads and writes front to back. There are 64 tables, picked by bits of
//! the fingerprint that are not stored: they grow one after the other, so the
//! old and the new slots of only one are in memory together.
//!
//! A probe is one cache miss, and a record has two. Taken one after the other
//! they are the largest cost of counting, so [`Interner::intern_all`] copies
//! the first slot of each fingerprint of a batch before it decides on any,
//! which lets the processor fetch them side by side.

#![allow(clippy::indexing_slicing)] // A place is below the length it was scaled to; a shard below 64.

use crate::error::AddError;
use crate::fingerprint::Fingerprint;

const SHARDS: usize = 64;

/// Three words of fingerprint, then the id. No id is 0: that slot is empty.
type Slot = [u32; 4];
const EMPTY: Slot = [0; 4];

/// Gives each different fingerprint an id, counting from 1.
pub(crate) struct Interner {
    shards: Vec<Shard>,
    len: u32,
    limit: u32,
}

#[derive(Clone, Default)]
struct Shard {
    slots: Vec<Slot>,
    used: usize,
}

impl Interner {
    /// An empty interner that gives no id above `limit`.
    pub(crate) fn new(limit: u32) -> Interner {
        Interner { shards: vec![Shard::default(); SHARDS], len: 0, limit }
    }

    /// How many ids have been given; they are 1 to `len`.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Fails where `more` further ids might not be had.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        let free = self.limit - self.len;
        match u32::try_from(more) {
            Ok(more) if more <= free => Ok(()),
            _ => Err(AddError::Full),
        }
    }

    /// The id of a fingerprint, new or known. The caller has checked that
    /// there is room.
    pub(crate) fn intern(&mut self, fingerprint: Fingerprint) -> u32 {
        let shard = &mut self.shards[shard_of(fingerprint)];
        shard.reserve_one();
        match shard.find(fingerprint) {
            Ok(id) => id,
            Err(vacant) => {
                self.len += 1;
                shard.fill(vacant, fingerprint, self.len);
                self.len
            }
        }
    }

    /// Appends the id of each fingerprint to `ids`, 0 where there is none. The
    /// caller has checked that there is room.
    pub(crate) fn intern_all(&mut self, fingerprints: &[Option<Fingerprint>], ids: &mut Vec<u32>) {
        const BATCH: usize = 64;
        for batch in fingerprints.chunks(BATCH) {
            let mut first = [EMPTY; BATCH];
            for (slot, fingerprint) in first.iter_mut().zip(batch) {
                if let Some(fingerprint) = fingerprint {
                    *slot = self.shards[shard_of(*fingerprint)].first(*fingerprint);
                }
            }
            // Slots are never moved within a batch unless a table grows, and
            // a copy stays true even then.
            ids.extend(first.iter().zip(batch).map(|(slot, fingerprint)| match fingerprint {
                None => 0,
                Some(fingerprint) if holds(*slot, *fingerprint) => slot[3],
                Some(fingerprint) => self.intern(*fingerprint),
            }));
        }
    }

    /// The id of a fingerprint, if it was ever interned.
    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<u32> {
        let shard = &self.shards[shard_of(fingerprint)];
        if shard.slots.is_empty() { None } else { shard.find(fingerprint).ok() }
    }
}

/// The shard is chosen by the word that is not stored.
fn shard_of(fingerprint: Fingerprint) -> usize {
    fingerprint[3] as usize % SHARDS
}

/// Whether a slot, empty or not, is that of a fingerprint.
fn holds(slot: Slot, fingerprint: Fingerprint) -> bool {
    slot[3] != 0 && slot[..3] == fingerprint[..3]
}

impl Shard {
    /// Keeps the table at most four fifths full.
    fn reserve_one(&mut self) {
        if (self.used + 1) * 5 <= self.slots.len() * 4 {
            return;
        }
        let len = (self.slots.len() + self.slots.len() / 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; len]);
        for slot in old.into_iter().filter(|slot| slot[3] != 0) {
            let mut at = self.place(slot[0]);
            while self.slots[at][3] != 0 {
                at = self.after(at);
            }
            self.slots[at] = slot;
        }
    }

    /// Where the search for a fingerprint with this first word begins.
    #[expect(clippy::cast_possible_truncation, reason = "below the length of the table")]
    fn place(&self, word: u32) -> usize {
        ((u64::from(word) * self.slots.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    /// The slot at which the search for a fingerprint begins.
    fn first(&self, fingerprint: Fingerprint) -> Slot {
        self.slots.get(self.place(fingerprint[0])).copied().unwrap_or(EMPTY)
    }

    /// The id of a fingerprint, or the empty slot where it belongs. The table
    /// has an empty slot.
    fn find(&self, fingerprint: Fingerprint) -> Result<u32, usize> {
        let mut at = self.place(fingerprint[0]);
        loop {
            let slot = self.slots[at];
            if slot[3] == 0 {
                return Err(at);
            }
            if slot[..3] == fingerprint[..3] {
                return Ok(slot[3]);
            }
            at = self.after(at);
        }
    }

    fn fill(&mut self, vacant: usize, fingerprint: Fingerprint, id: u32) {
        self.slots[vacant] = [fingerprint[0], fingerprint[1], fingerprint[2], id];
        self.used += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints that crowd into few places, unlike real ones.
    fn crowded(number: u32) -> Fingerprint {
        [number % 7 * 0x2492_4924, number / 3, number % 3, number % 2]
    }

    #[test]
    fn each_fingerprint_has_one_id_however_crowded_its_table() {
        let mut interner = Interner::new(u32::MAX);
        let fingerprints: Vec<Fingerprint> = (0..5_000).map(crowded).collect();
        let first: Vec<u32> = fingerprints.iter().map(|fp| interner.intern(*fp)).collect();
        let mut distinct = fingerprints.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(interner.len() as usize, distinct.len());
        let mut ids = first.clone();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (1..=interner.len()).collect::<Vec<u32>>());
        let again: Vec<u32> = fingerprints.iter().map(|fp| interner.intern(*fp)).collect();
        assert_eq!(first, again);
        let found: Vec<u32> = fingerprints.iter().map(|fp| interner.get(*fp).unwrap()).collect();
        assert_eq!(first, found);
        assert_eq!(interner.get([1, 1, 1, 1]), None);
    }

    #[test]
    fn batches_give_the_ids_that_one_by_one_gives() {
        let fingerprints: Vec<Option<Fingerprint>> =
            (0..3_000).map(|number| (number % 11 != 0).then(|| crowded(number % 1_900))).collect();
        let mut batched = Interner::new(u32::MAX);
        let mut ids = Vec::new();
        batched.intern_all(&fingerprints, &mut ids);
        let mut single = Interner::new(u32::MAX);
        let expected: Vec<u32> = fingerprints.iter().map(|fp| fp.map_or(0, |fp| single.intern(fp))).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn room_is_checked_before_anything_changes() {
        let mut interner = Interner::new(3);
        for number in 0..3 {
            assert_eq!(interner.check_room(1), Ok(()));
            interner.intern([number, 0, 0, 0]);
        }
        assert_eq!(interner.check_room(1), Err(AddError::Full));
        assert_eq!(interner.check_room(0), Ok(()));
        assert_eq!(interner.check_room(usize::MAX), Err(AddError::Full));
    }
}
