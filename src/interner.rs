//! From fingerprints to ids.
//!
//! Open addressing with linear probing in slots of 16 bytes: 96 bits of the
//! fingerprint and the id. A slot's place is its first word scaled to the
//! table (`word * slots / 2^32`), so a table may have any length and growing
//! one reads and writes front to back. There are 64 tables, the shards, picked
//! by bits of the fingerprint that are not stored: they grow one after the
//! other, so the old and the new slots of only one are in memory together.
//! Shards know nothing of each other, ids included: each counts its own, and
//! an id is that count with the shard's number in its low bits.
//!
//! A probe is one cache miss, and a record has two. Taken one after the other
//! they are the largest cost of counting, so interning copies the first slot
//! of each fingerprint of a batch before it decides on any, which lets the
//! processor fetch them side by side.

#![allow(clippy::indexing_slicing)] // A place is below the length it was scaled to; a shard below 64.

use crate::error::AddError;
use crate::fingerprint::Fingerprint;

/// Shards, and what an id is shifted by.
const SHARDS: u32 = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 6;

/// Set in what interning returns for an id that was not known before.
pub(crate) const NEW: u32 = 1 << 31;

/// The most ids a shard can give: ids stay below [`NEW`], and those of two
/// interners together below 2^32.
pub(crate) const SHARD_LIMIT: u32 = (1 << (31 - SHARD_BITS)) - 2;

/// Three words of fingerprint, then the id. No id is 0: that slot is empty.
type Slot = [u32; 4];
const EMPTY: Slot = [0; 4];

/// Gives each different fingerprint an id; 0 is that of none.
pub(crate) struct Interner {
    shards: Vec<Shard>,
    shard_limit: u32,
}

struct Shard {
    /// Which of the shards this is.
    number: u32,
    slots: Vec<Slot>,
    used: u32,
}

impl Interner {
    /// An empty interner whose shards give at most so many ids each.
    pub(crate) fn new(shard_limit: u32) -> Interner {
        let shard = |number| Shard { number, slots: Vec::new(), used: 0 };
        Interner { shards: (0..SHARDS).map(shard).collect(), shard_limit: shard_limit.min(SHARD_LIMIT) }
    }

    /// How many ids have been given.
    pub(crate) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| u64::from(shard.used)).sum()
    }

    /// All ids are below this. Shards fill evenly, so almost all ids below it
    /// are in use.
    pub(crate) fn space(&self) -> u32 {
        (self.fullest() + 1) << SHARD_BITS
    }

    /// Fails where `more` further ids might not be had.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        let free = self.shard_limit - self.fullest();
        match u32::try_from(more) {
            Ok(more) if more <= free => Ok(()),
            _ => Err(AddError::Full),
        }
    }

    fn fullest(&self) -> u32 {
        self.shards.iter().map(|shard| shard.used).max().unwrap_or(0)
    }

    /// Puts the id of each fingerprint into `ids`, with [`NEW`] where it was
    /// not known before, and 0 for the absent one. The caller has checked that
    /// there is room.
    pub(crate) fn intern_all(&mut self, fingerprints: &[Fingerprint], ids: &mut Vec<u32>) {
        const BATCH: usize = 64;
        ids.clear();
        for batch in fingerprints.chunks(BATCH) {
            let mut first = [EMPTY; BATCH];
            for (slot, fingerprint) in first.iter_mut().zip(batch) {
                *slot = self.shards[shard_of(*fingerprint)].first(*fingerprint);
            }
            // A slot that has been filled never changes, so a copy stays true
            // whatever the batch brings before its turn comes.
            ids.extend(first.iter().zip(batch).map(|(slot, fingerprint)| {
                if holds(*slot, *fingerprint) { slot[3] } else { self.intern(*fingerprint) }
            }));
        }
    }

    fn intern(&mut self, fingerprint: Fingerprint) -> u32 {
        if fingerprint == Fingerprint::ABSENT {
            return 0;
        }
        let at = shard_of(fingerprint);
        self.shards[at].intern(fingerprint)
    }

    /// The id of a fingerprint; 0 if it was never interned.
    pub(crate) fn find(&self, fingerprint: Fingerprint) -> u32 {
        let shard = &self.shards[shard_of(fingerprint)];
        if shard.slots.is_empty() { 0 } else { shard.find(fingerprint).unwrap_or(0) }
    }
}

/// The shard is chosen by the word that is not stored, but not by its lowest
/// bit, which is set in all but the absent one.
fn shard_of(Fingerprint(words): Fingerprint) -> usize {
    (words[3] >> (32 - SHARD_BITS)) as usize
}

/// Whether a slot, empty or not, is that of a fingerprint.
#[inline]
fn holds(slot: Slot, Fingerprint(words): Fingerprint) -> bool {
    slot[3] != 0 && slot[0] == words[0] && slot[1] == words[1] && slot[2] == words[2]
}

impl Shard {
    fn intern(&mut self, fingerprint: Fingerprint) -> u32 {
        self.reserve_one();
        match self.find(fingerprint) {
            Ok(id) => id,
            Err(vacant) => {
                self.used += 1;
                let id = self.used << SHARD_BITS | self.number;
                let Fingerprint([a, b, c, _]) = fingerprint;
                self.slots[vacant] = [a, b, c, id];
                id | NEW
            }
        }
    }

    /// Keeps the table at most four fifths full.
    #[inline]
    fn reserve_one(&mut self) {
        if (self.used as usize + 1) * 5 > self.slots.len() * 4 {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let len = (self.slots.len() + self.slots.len() / 2).max(8);
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
    #[inline]
    fn place(&self, word: u32) -> usize {
        ((u64::from(word) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    /// The slot at which the search for a fingerprint begins.
    #[inline]
    fn first(&self, Fingerprint(words): Fingerprint) -> Slot {
        self.slots.get(self.place(words[0])).copied().unwrap_or(EMPTY)
    }

    /// The id of a fingerprint, or the empty slot where it belongs. The table
    /// has an empty slot.
    #[inline]
    fn find(&self, fingerprint: Fingerprint) -> Result<u32, usize> {
        let mut at = self.place(fingerprint.0[0]);
        loop {
            let slot = self.slots[at];
            if slot[3] == 0 {
                return Err(at);
            }
            if holds(slot, fingerprint) {
                return Ok(slot[3]);
            }
            at = self.after(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints that crowd into few places of few shards, unlike real
    /// ones.
    fn crowded(number: u32) -> Fingerprint {
        Fingerprint([number % 7 * 0x2492_4924, number / 3, number % 3, number % 5 << 26 | 1])
    }

    fn intern_each(interner: &mut Interner, fingerprints: &[Fingerprint]) -> Vec<u32> {
        fingerprints.iter().map(|fingerprint| interner.intern(*fingerprint)).collect()
    }

    #[test]
    fn each_fingerprint_has_one_id_however_crowded_its_table() {
        let mut interner = Interner::new(SHARD_LIMIT);
        let fingerprints: Vec<Fingerprint> = (0..5_000).map(|number| crowded(number % 4_321)).collect();
        let first = intern_each(&mut interner, &fingerprints);
        assert_eq!(first.iter().filter(|id| **id & NEW != 0).count(), 4_321);
        assert_eq!(interner.len(), 4_321);
        let mut ids: Vec<u32> = first.iter().map(|id| id & !NEW).collect();
        let again = intern_each(&mut interner, &fingerprints);
        assert_eq!(again, ids);
        let found: Vec<u32> = fingerprints.iter().map(|fingerprint| interner.find(*fingerprint)).collect();
        assert_eq!(found, ids);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4_321);
        assert!(ids.iter().all(|id| (1..interner.space()).contains(id)));
        assert_eq!(interner.find(Fingerprint([1, 1, 1, 1])), 0);
    }

    #[test]
    fn batches_give_the_ids_that_one_by_one_gives() {
        let fingerprint = |number: u32| if number % 11 == 0 { Fingerprint::ABSENT } else { crowded(number % 1_900) };
        let fingerprints: Vec<Fingerprint> = (0..3_000).map(fingerprint).collect();
        let mut ids = vec![7];
        Interner::new(SHARD_LIMIT).intern_all(&fingerprints, &mut ids);
        assert_eq!(ids, intern_each(&mut Interner::new(SHARD_LIMIT), &fingerprints));
    }

    #[test]
    fn the_absent_fingerprint_has_no_id() {
        let mut interner = Interner::new(SHARD_LIMIT);
        interner.intern(crowded(1));
        assert_eq!((interner.intern(Fingerprint::ABSENT), interner.find(Fingerprint::ABSENT)), (0, 0));
    }

    #[test]
    fn room_is_checked_before_anything_changes() {
        let mut interner = Interner::new(3);
        for number in 0..3 {
            assert_eq!(interner.check_room(1), Ok(()));
            interner.intern(Fingerprint([number, 0, 0, 1]));
        }
        assert_eq!(interner.check_room(1), Err(AddError::Full));
        assert_eq!(interner.check_room(0), Ok(()));
        assert_eq!(interner.check_room(usize::MAX), Err(AddError::Full));
    }
}
