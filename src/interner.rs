//! From fingerprints to ids.
//!
//! A table of buckets, each one cache line of four slots: 96 bits of the
//! fingerprint and the id. A fingerprint is looked for in the bucket that its
//! first word gives, scaled to the table (`word * buckets / 2^32`), and in those
//! behind it until one has an empty slot. So a table may have any length,
//! and growing one reads and writes front to back. There are 64 tables, the
//! shards, picked by bits of the fingerprint that are not stored: they grow one
//! after the other, so only one at a time needs room to move. Shards know
//! nothing of each other, ids included: each counts its own, and an id is that
//! count with the shard's number in its low bits.
//!
//! A look-up is one cache miss, and a record has two. Taken one after the other
//! they are the largest cost of counting, so interning touches the buckets of
//! a whole batch before it looks into any, which lets the processor fetch them
//! side by side.

#![allow(clippy::indexing_slicing)] // A place is below the length it was scaled to; a shard below 64.
#![allow(clippy::cast_possible_truncation)] // Takes words of twice the size apart.

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

/// Three words of fingerprint, then the id, in two words of twice the size. No
/// id is 0: that slot is empty. Slots of a bucket fill from the first to the
/// last.
type Slot = [u64; 2];

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([Slot; SLOTS]);

const SLOTS: usize = 4;
const EMPTY: Bucket = Bucket([[0; 2]; SLOTS]);

/// Gives each different fingerprint an id; 0 is that of none.
pub(crate) struct Interner {
    shards: Vec<Shard>,
    shard_limit: u32,
    /// The most ids that a shard has given.
    fullest: u32,
    /// For shards that grow, one after the other.
    moving: Vec<Slot>,
}

/// How many buckets are touched before they are looked into.
const TOUCHED: usize = 64;

struct Shard {
    /// Which of the shards this is.
    number: u32,
    buckets: Vec<Bucket>,
    used: u32,
}

impl Interner {
    /// An empty interner whose shards give at most so many ids each.
    pub(crate) fn new(shard_limit: u32) -> Interner {
        let shard = |number| Shard { number, buckets: Vec::new(), used: 0 };
        Interner {
            shards: (0..SHARDS).map(shard).collect(),
            shard_limit: shard_limit.min(SHARD_LIMIT),
            fullest: 0,
            moving: Vec::new(),
        }
    }

    /// How many ids have been given.
    pub(crate) fn len(&self) -> u64 {
        self.shards.iter().map(|shard| u64::from(shard.used)).sum()
    }

    /// All ids are below this. Shards fill evenly, so almost all ids below it
    /// are in use.
    pub(crate) fn space(&self) -> u32 {
        (self.fullest + 1) << SHARD_BITS
    }

    /// Fails where `more` further ids might not be had.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        let free = self.shard_limit - self.fullest;
        match u32::try_from(more) {
            Ok(more) if more <= free => Ok(()),
            _ => Err(AddError::Full),
        }
    }

    /// Puts the id of each fingerprint into `ids`, with [`NEW`] where it was
    /// not known before, and 0 for the absent one. The caller has checked that
    /// there is room.
    pub(crate) fn intern_all(&mut self, fingerprints: &[Fingerprint], ids: &mut Vec<u32>) {
        ids.clear();
        for batch in fingerprints.chunks(TOUCHED) {
            let touched = batch.iter().fold(0, |all, fp| all ^ self.shards[shard_of(*fp)].touch(*fp));
            std::hint::black_box(touched);
            ids.extend(batch.iter().map(|fingerprint| self.intern(*fingerprint)));
        }
    }

    fn intern(&mut self, fingerprint: Fingerprint) -> u32 {
        if fingerprint == Fingerprint::ABSENT {
            return 0;
        }
        let at = shard_of(fingerprint);
        let id = self.shards[at].intern(fingerprint, &mut self.moving);
        if id & NEW != 0 {
            self.fullest = self.fullest.max((id & !NEW) >> SHARD_BITS);
        }
        id
    }

    /// The id of a fingerprint; 0 if it was never interned.
    pub(crate) fn find(&self, fingerprint: Fingerprint) -> u32 {
        let shard = &self.shards[shard_of(fingerprint)];
        if shard.buckets.is_empty() { 0 } else { shard.find(fingerprint).unwrap_or(0) }
    }
}

/// The shard is chosen by the word that is not stored, but not by its lowest
/// bit, which is set in all but the absent one.
fn shard_of(Fingerprint(words): Fingerprint) -> usize {
    (words[3] >> (32 - SHARD_BITS)) as usize
}

/// A slot.
#[inline]
fn slot(Fingerprint([a, b, c, _]): Fingerprint, id: u32) -> Slot {
    [u64::from(b) << 32 | u64::from(a), u64::from(id) << 32 | u64::from(c)]
}

/// The id in a slot, 0 in an empty one.
#[inline]
fn id_in(slot: Slot) -> u32 {
    (slot[1] >> 32) as u32
}

impl Bucket {
    /// The id of a fingerprint, or 0, and how many slots are in use. Without a
    /// branch: which slot it is nobody could predict.
    #[inline]
    fn find(&self, fingerprint: Fingerprint) -> (u32, usize) {
        let wanted = slot(fingerprint, 0);
        let mut found = 0;
        for slot in self.0 {
            let id = id_in(slot);
            let differs = (slot[0] ^ wanted[0]) | u64::from(slot[1] as u32 ^ wanted[1] as u32);
            found |= if differs == 0 { id } else { 0 };
        }
        (found, self.used())
    }

    /// How many slots are in use.
    #[inline]
    fn used(&self) -> usize {
        self.0.iter().map(|slot| usize::from(id_in(*slot) != 0)).sum()
    }
}

impl Shard {
    #[inline]
    fn intern(&mut self, fingerprint: Fingerprint, moving: &mut Vec<Slot>) -> u32 {
        self.reserve_one(moving);
        match self.find(fingerprint) {
            Ok(id) => id,
            Err((bucket, place)) => {
                self.used += 1;
                let id = self.used << SHARD_BITS | self.number;
                self.buckets[bucket].0[place] = slot(fingerprint, id);
                id | NEW
            }
        }
    }

    /// Keeps the table at most seven eighths full.
    #[inline]
    fn reserve_one(&mut self, moving: &mut Vec<Slot>) {
        if (self.used as usize + 1) * 8 > self.buckets.len() * SLOTS * 7 {
            self.grow(moving);
        }
    }

    /// Makes the table about twice as long. `moving` holds the slots meanwhile,
    /// so that the old table and the new one are not in memory together.
    #[cold]
    fn grow(&mut self, moving: &mut Vec<Slot>) {
        let len = match self.buckets.len() {
            0 => 2,
            // Past here the shards are of different lengths, from n to 2n, so
            // that they double at different times and all of them together are
            // about three fifths full at any time.
            16 => 32 + self.number as usize / 2,
            len => len * 2,
        };
        moving.clear();
        moving.extend(self.buckets.iter().flat_map(|bucket| bucket.0).filter(|slot| id_in(*slot) != 0));
        self.buckets = Vec::new();
        self.buckets = vec![EMPTY; len];
        for slot in moving {
            let mut at = self.place(slot[0] as u32);
            let mut used = self.buckets[at].used();
            while used == SLOTS {
                at = self.after(at);
                used = self.buckets[at].used();
            }
            self.buckets[at].0[used] = *slot;
        }
    }

    /// The bucket at which the search for a fingerprint with this first word
    /// begins.
    #[inline]
    fn place(&self, word: u32) -> usize {
        ((u64::from(word) * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    /// Reads something of the bucket at which the search for a fingerprint
    /// begins, so that it is in the cache when its turn comes.
    #[inline]
    fn touch(&self, Fingerprint(words): Fingerprint) -> u64 {
        self.buckets.get(self.place(words[0])).map_or(0, |bucket| bucket.0[0][0])
    }

    /// The id of a fingerprint, or the bucket and slot where it belongs. The
    /// table has an empty slot.
    #[inline]
    fn find(&self, fingerprint: Fingerprint) -> Result<u32, (usize, usize)> {
        let mut at = self.place(fingerprint.0[0]);
        loop {
            match self.buckets[at].find(fingerprint) {
                (0, SLOTS) => at = self.after(at),
                (0, used) => return Err((at, used)),
                (id, _) => return Ok(id),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints that crowd into few places of few shards, unlike real
    /// ones.
    fn crowded(number: u32) -> Fingerprint {
        Fingerprint([number % 7 * 0x2492_4924, number / 3, number % 3, (number % 5) << 26 | 1])
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
