//! From fingerprints to ids.
//!
//! Two structures: the keys, 96 bits of each different fingerprint in the order
//! they came, and an index of 4-byte slots, each the place of a key and a tag of
//! 8 bits. Keys lie in pieces that never move. Only the index is built
//! anew when it grows, from the keys front to back, so growing touches a
//! quarter of the memory that a table of whole keys would.
//!
//! The index is made of buckets, each one cache line of sixteen slots. A
//! fingerprint is looked for in the bucket that its first word gives, scaled to
//! the table (`word * buckets / 2^32`), and in those behind it until one has an
//! empty slot. So a table may have any length. There are 64 such tables with
//! keys of their own, the shards, picked by bits of the fingerprint that are
//! not stored: they grow at different times, and only one at a time needs room
//! for two indices. Shards know nothing of each other, ids included: each counts
//! its own, and an id is that count with the shard's number in its low bits.
//! So threads can share the shards out, and what ids come out depends on the
//! order of the fingerprints alone.
//!
//! A known fingerprint costs two cache misses, a new one a single one. Taken one
//! after the other they are the largest cost of counting, so interning first
//! reads the buckets of a whole batch, then the keys that those point to, and
//! only then decides, which lets the processor fetch them side by side: as many
//! as its window of some hundred instructions spans.

#![allow(clippy::indexing_slicing)] // A place is below the length it was scaled to; a slot names a key that is there.
#![allow(clippy::cast_possible_truncation)] // Takes words of twice the size apart.
#![allow(clippy::arithmetic_side_effects)] // Counts and places stay below 2^24, tables below 2^30 slots.

mod moving;

use crate::error::AddError;
use crate::fingerprint::{Fingerprint, ONES, zeros};

pub(crate) use moving::Translation;

/// Shards, and what an id is shifted by.
const SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 6;

/// Set in what interning returns for an id that was not known before.
pub(crate) const NEW: u32 = 1 << 31;

/// The most ids a shard can give: its count has to fit into three bytes of a
/// slot. So ids stay below 2^30, and those of two interners together below 2^31.
pub(crate) const SHARD_LIMIT: u32 = 0xff_ffff;

/// What is kept of a fingerprint.
pub(crate) type Key = [u32; 3];

/// One cache line of sixteen slots: the tag of each, a byte of its key's
/// fingerprint that is never 0, and the place of each key in three bytes, apart.
/// An empty slot is all zeros. Slots fill from the first to the last.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket {
    tags: [u8; SLOTS],
    low: [u16; SLOTS],
    high: [u8; SLOTS],
}

const SLOTS: usize = 16;
/// Keys a bucket when the index grows: fuller ones would often spill into the
/// next.
const FULL: usize = 12;
const EMPTY: Bucket = Bucket { tags: [0; SLOTS], low: [0; SLOTS], high: [0; SLOTS] };

/// Keys of a piece, 24 KiB of them. The first one begins small.
const PIECE: usize = 2048;

/// Gives each different fingerprint an id; 0 is that of none.
pub(crate) struct Interner {
    shards: Box<[Shard; SHARDS]>,
    shard_limit: u32,
    /// The most ids that a shard has given.
    fullest: u32,
}

/// How many buckets are touched before they are looked into; a bit each in a
/// `u128`.
const TOUCHED: usize = 128;

struct Shard {
    /// Which of the shards this is.
    number: u32,
    /// How many keys there are.
    used: u32,
    buckets: Vec<Bucket>,
    keys: Vec<Vec<Key>>,
}

impl Interner {
    /// An empty interner whose shards give at most so many ids each.
    pub(crate) fn new(shard_limit: u32) -> Interner {
        let shard = |number| Shard { number: number as u32, used: 0, buckets: vec![EMPTY], keys: Vec::new() };
        Interner { shards: Box::new(std::array::from_fn(shard)), shard_limit: shard_limit.min(SHARD_LIMIT), fullest: 0 }
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

    /// Whether all of these would find room: looked into only where it is not
    /// plain that they would.
    pub(crate) fn has_room_for_each(&self, fingerprints: &[Fingerprint]) -> bool {
        if self.check_room(fingerprints.len()).is_ok() {
            return true;
        }
        let is_new = |fingerprint: &&Fingerprint| **fingerprint != Fingerprint::ABSENT && self.find(**fingerprint) == 0;
        let mut new: Vec<(usize, Key)> = fingerprints
            .iter()
            .filter(is_new)
            .map(|fingerprint| (shard_of(*fingerprint), key_of(*fingerprint)))
            .collect();
        new.sort_unstable();
        new.dedup();
        let of_shard = |shard: &Shard| new.iter().filter(|(number, _)| *number == shard.number as usize).count();
        self.shards.iter().all(|shard| of_shard(shard) <= (self.shard_limit - shard.used) as usize)
    }

    /// Puts the id of each fingerprint into `ids`, with [`NEW`] where it was
    /// not known before, and 0 for the absent one. The caller has checked that
    /// there is room.
    pub(crate) fn intern_all(&mut self, fingerprints: &[Fingerprint], ids: &mut Vec<u32>) {
        ids.clear();
        let mut whole = Part { shards: &mut self.shards[..], first: 0 };
        match fingerprints {
            [] => {}
            // There is nothing to overlap.
            [one] => {
                let id = whole.intern(*one);
                ids.push(id);
                self.fullest = self.fullest.max((id & !NEW) >> SHARD_BITS);
            }
            _ => {
                whole.intern_all(fingerprints, ids);
                self.note_fullest();
            }
        }
    }

    /// The most parts that can be had.
    pub(crate) const MOST_PARTS: usize = SHARDS;

    /// The shards in `count` parts, for as many threads; `count` divides 64.
    pub(crate) fn parts(&mut self, count: usize) -> impl Iterator<Item = Part<'_>> {
        let len = SHARDS / count;
        let part = move |(number, shards)| Part { shards, first: number * len };
        self.shards.chunks_mut(len).enumerate().map(part)
    }

    /// Takes note of what was interned into parts.
    pub(crate) fn note_fullest(&mut self) {
        self.fullest = self.shards.iter().map(|shard| shard.used).max().unwrap_or(0);
    }

    /// The id of a fingerprint; 0 if it was never interned.
    pub(crate) fn find(&self, fingerprint: Fingerprint) -> u32 {
        let shard = &self.shards[shard_of(fingerprint)];
        match fingerprint {
            Fingerprint::ABSENT => 0,
            _ => shard.find(key_of(fingerprint)).map_or(0, |place| place << SHARD_BITS | shard.number),
        }
    }
}

/// Some of the shards of an interner.
pub(crate) struct Part<'i> {
    shards: &'i mut [Shard],
    /// The number of the first one.
    first: usize,
}

impl Part<'_> {
    /// Whether a fingerprint belongs to this part.
    #[inline]
    pub(crate) fn has(&self, fingerprint: Fingerprint) -> bool {
        (self.first..self.first + self.shards.len()).contains(&shard_of(fingerprint))
    }

    /// Appends the id of each fingerprint, all of this part, to `ids`.
    pub(crate) fn intern_all(&mut self, fingerprints: &[Fingerprint], ids: &mut Vec<u32>) {
        let mut first = [0; TOUCHED];
        let mut likely = [(0, 0); TOUCHED];
        for batch in fingerprints.chunks(TOUCHED) {
            let mut touched = 0;
            for (fingerprint, first) in batch.iter().zip(&mut first) {
                let shard = self.shard(*fingerprint);
                *first = shard.bucket_of(key_of(*fingerprint));
                touched ^= shard.buckets[*first].tags[0];
            }
            std::hint::black_box(touched);
            // Which of them are there nobody could predict, so no branch asks.
            // Those that are come one behind the other: the fewer steps lie
            // between two keys, the more of them are fetched side by side.
            let mut count = 0;
            for (place, (fingerprint, first)) in (0..).zip(batch.iter().zip(&first)) {
                let key = self.shard(*fingerprint).buckets[*first].likely(key_of(*fingerprint));
                likely[count % TOUCHED] = (place, key);
                count += usize::from(key != 0);
            }
            let likely = &likely[..count];
            let touch = |(place, key): &(usize, u32)| self.shard(batch[*place]).touch_key(*key);
            std::hint::black_box(likely.iter().fold(0, |touched, at| touched ^ touch(at)));
            let start = ids.len();
            ids.resize(start + batch.len(), 0);
            let ids = &mut ids[start..];
            let mut left = u128::MAX >> (TOUCHED - batch.len());
            for (place, key) in likely {
                let shard = self.shard(batch[*place]);
                if shard.is_key(*key, key_of(batch[*place])) {
                    ids[*place] = key << SHARD_BITS | shard.number;
                    left ^= 1 << place;
                }
            }
            // The rest is new, but for a few.
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                ids[place] = self.intern(batch[place]);
                left &= left - 1;
            }
        }
    }

    #[inline]
    fn shard(&self, fingerprint: Fingerprint) -> &Shard {
        &self.shards[shard_of(fingerprint) - self.first]
    }

    /// The id of a fingerprint.
    #[inline]
    fn intern(&mut self, fingerprint: Fingerprint) -> u32 {
        if fingerprint.is_absent() {
            return 0;
        }
        let shard = &mut self.shards[shard_of(fingerprint) - self.first];
        shard.intern(key_of(fingerprint))
    }
}

/// The shard is chosen by the word that is not stored, but not by its lowest
/// bit, which is set in all but the absent one.
#[inline]
fn shard_of(Fingerprint(words): Fingerprint) -> usize {
    (words[3] >> (32 - SHARD_BITS)) as usize
}

#[inline]
fn key_of(Fingerprint([a, b, c, _]): Fingerprint) -> Key {
    [a, b, c]
}

/// The tag of a key, never 0, in each byte.
#[inline]
fn tags_of(key: Key) -> u64 {
    let tag = key[1] >> 24;
    u64::from(tag | u32::from(tag == 0)) * ONES
}

impl Bucket {
    /// Has the top bit of byte n set where slot n may have the wanted tag, and
    /// certainly where it is the lowest one.
    #[inline]
    fn tagged(&self, tags: u64) -> u128 {
        let zero_where_equal = self.tags() ^ (u128::from(tags) << 64 | u128::from(tags));
        let halves = [zero_where_equal as u64, (zero_where_equal >> 64) as u64];
        let [low, high] = halves.map(zeros);
        u128::from(high) << 64 | u128::from(low)
    }

    #[inline]
    fn tags(&self) -> u128 {
        u128::from_le_bytes(self.tags)
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.tags[SLOTS - 1] != 0
    }

    /// The place in a slot, 0 in an empty one.
    #[inline]
    fn place(&self, slot: usize) -> u32 {
        u32::from(self.low[slot % SLOTS]) | u32::from(self.high[slot % SLOTS]) << 16
    }

    /// The place of the key that is probably the wanted one, 0 for none. Without
    /// a branch: whether there is one nobody could predict.
    #[inline]
    fn likely(&self, key: Key) -> u32 {
        let tagged = self.tagged(tags_of(key));
        self.place(tagged.trailing_zeros() as usize / 8) * u32::from(tagged != 0)
    }

    /// Fills the first empty slot. Without a branch, as above.
    #[inline]
    fn push(&mut self, tags: u64, place: u32) {
        let slot = SLOTS - self.tags().leading_zeros() as usize / 8;
        self.tags[slot % SLOTS] = tags as u8;
        self.low[slot % SLOTS] = place as u16;
        self.high[slot % SLOTS] = (place >> 16) as u8;
    }
}

impl Shard {
    /// The id of a fingerprint, which is given one if it has none.
    #[inline]
    fn intern(&mut self, key: Key) -> u32 {
        let (at, has_room) = (self.bucket_of(key), (self.used as usize) < self.buckets.len() * FULL);
        let bucket = &mut self.buckets[at];
        if bucket.tagged(tags_of(key)) != 0 || bucket.is_full() || !has_room {
            return self.intern_slowly(key);
        }
        // New, since nothing in its bucket looks like it.
        self.used += 1;
        bucket.push(tags_of(key), self.used);
        self.keep(key);
        self.used << SHARD_BITS | self.number | NEW
    }

    fn intern_slowly(&mut self, key: Key) -> u32 {
        if let Some(place) = self.find(key) {
            return place << SHARD_BITS | self.number;
        }
        self.push(key);
        self.used << SHARD_BITS | self.number | NEW
    }

    /// Takes in a key that is not there.
    fn push(&mut self, key: Key) {
        if self.used as usize >= self.buckets.len() * FULL {
            self.grow(self.longer(self.buckets.len()));
        }
        self.used += 1;
        self.enter(key, self.used);
        self.keep(key);
    }

    /// Appends a key.
    #[inline]
    fn keep(&mut self, key: Key) {
        match self.keys.last_mut() {
            Some(piece) if piece.len() < piece.capacity().min(PIECE) => piece.push(key),
            _ => self.keep_slowly(key),
        }
    }

    #[cold]
    fn keep_slowly(&mut self, key: Key) {
        match self.keys.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(key),
            last => {
                let capacity = if last.is_some() { PIECE } else { 0 };
                let mut piece = Vec::with_capacity(capacity);
                piece.push(key);
                self.keys.push(piece);
            }
        }
    }

    /// Enters a key that the index does not have. There is an empty slot.
    #[inline]
    fn enter(&mut self, key: Key, place: u32) {
        let mut at = self.bucket_of(key);
        while self.buckets[at].is_full() {
            at = self.after(at);
        }
        self.buckets[at].push(tags_of(key), place);
    }

    /// How long an index of a length is once it has grown.
    fn longer(&self, len: usize) -> usize {
        match len {
            // Past here the shards are of different lengths, from n to 2n, so
            // that they double at different times and all of them together are
            // about half full at any time.
            8 => 16 + self.number as usize / 4,
            len => len * 2,
        }
    }

    /// Makes the index of another length.
    #[cold]
    fn grow(&mut self, len: usize) {
        self.buckets = Vec::new();
        self.buckets = vec![EMPTY; len];
        let keys = std::mem::take(&mut self.keys);
        for (key, place) in keys.iter().flatten().zip(1..) {
            self.enter(*key, place);
        }
        self.keys = keys;
    }

    /// Takes in keys while there are none yet; false where one is there twice.
    fn load(&mut self, count: u32, keys: impl Iterator<Item = Key>) -> bool {
        // As long as so many keys would have made it.
        let mut len = self.buckets.len();
        while len * FULL < count as usize {
            len = self.longer(len);
        }
        self.buckets = vec![EMPTY; len];
        for key in keys {
            // That of the absent fingerprint.
            if key == [0; 3] {
                return false;
            }
            self.used += 1;
            self.keep(key);
        }
        let keys = std::mem::take(&mut self.keys);
        let all_new = (1..).zip(keys.iter().flatten()).all(|(place, key)| {
            let is_new = self.find_in(&keys, *key).is_none();
            self.enter(*key, place);
            is_new
        });
        self.keys = keys;
        all_new
    }

    /// The bucket at which the search for a key begins.
    #[inline]
    fn bucket_of(&self, key: Key) -> usize {
        ((u64::from(key[0]) * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 == self.buckets.len() { 0 } else { at + 1 }
    }

    /// Reads something of a key, so that it is in the cache when its turn comes:
    /// both ends, which may be in two cache lines.
    #[inline]
    fn touch_key(&self, place: u32) -> u32 {
        let at = place.saturating_sub(1) as usize;
        self.keys.get(at / PIECE).and_then(|piece| piece.get(at % PIECE)).map_or(0, |key| key[0] ^ key[2])
    }

    /// Whether the key at a place, counted from 1, is this one.
    #[inline]
    fn is_key(&self, place: u32, key: Key) -> bool {
        is_at(&self.keys, place, key)
    }

    /// The place of a key, if it is there.
    #[inline]
    fn find(&self, key: Key) -> Option<u32> {
        self.find_in(&self.keys, key)
    }

    /// The same where the keys are held by someone else.
    #[inline]
    fn find_in(&self, keys: &[Vec<Key>], key: Key) -> Option<u32> {
        let mut at = self.bucket_of(key);
        loop {
            let bucket = &self.buckets[at];
            let mut tagged = bucket.tagged(tags_of(key));
            while tagged != 0 {
                let place = bucket.place(tagged.trailing_zeros() as usize / 8);
                // 0 where the lowest one made an empty slot behind it look tagged.
                if place != 0 && is_at(keys, place, key) {
                    return Some(place);
                }
                tagged &= tagged - 1;
            }
            if !bucket.is_full() {
                return None;
            }
            at = self.after(at);
        }
    }
}

/// Whether the key at a place, counted from 1, is this one.
#[inline]
fn is_at(keys: &[Vec<Key>], place: u32, key: Key) -> bool {
    let at = place as usize - 1;
    keys[at / PIECE][at % PIECE] == key
}

/// Whether an id is 0 or was given by shards that gave so many each.
#[inline]
pub(crate) fn is_given(given: &[u32; SHARDS], id: u32) -> bool {
    id == 0 || (1..=given[id as usize % SHARDS]).contains(&(id >> SHARD_BITS))
}

#[cfg(test)]
mod tests;
