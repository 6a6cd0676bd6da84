//! Moving keys between interners: into a snapshot and back, and from one counter
//! to another.

use super::{Interner, Key, NEW, SHARD_BITS, SHARDS};
use crate::fingerprint::Fingerprint;

impl Interner {
    /// The keys of each shard, in the order of their ids.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = &Key>)> {
        self.shards.iter().map(|shard| (shard.used, shard.keys.iter().flatten()))
    }

    /// How many ids each shard has given.
    pub(crate) fn given(&self) -> [u32; SHARDS] {
        std::array::from_fn(|shard| self.shards[shard].used)
    }

    /// Takes in so many keys of an empty shard; false where one is there twice,
    /// or there are more than can be. Costs less than interning them.
    pub(crate) fn load(&mut self, shard: usize, count: u32, keys: impl Iterator<Item = Key>) -> bool {
        if count > self.shard_limit {
            return false;
        }
        self.fullest = self.fullest.max(count);
        self.shards[shard].load(count, keys)
    }

    /// Whether all keys of another interner would find room.
    pub(crate) fn has_room_for(&self, other: &Interner) -> bool {
        self.shards.iter().zip(&other.shards[..]).all(|(shard, theirs)| {
            let free = self.shard_limit - shard.used;
            // Counted only where they might not.
            theirs.used <= free || {
                let new = theirs.keys.iter().flatten().filter(|key| shard.find(**key).is_none());
                new.count() <= free as usize
            }
        })
    }

    /// Takes in all keys of another interner. They have room.
    pub(crate) fn pour(&mut self, other: &Interner) -> Translation {
        let mut translation = Translation(Vec::with_capacity(SHARDS));
        for theirs in other.shards.iter() {
            let mut given = Vec::with_capacity(theirs.used as usize);
            each_batch(theirs.number as usize, theirs.keys.iter().flatten().copied(), |fingerprints, ids| {
                self.intern_all(fingerprints, ids);
                given.extend(ids.iter().map(|id| id & !NEW));
            });
            translation.0.push(given);
        }
        translation
    }
}

/// Gives the fingerprints of some keys of a shard, a thousand at a time.
fn each_batch(shard: usize, keys: impl Iterator<Item = Key>, mut take: impl FnMut(&[Fingerprint], &mut Vec<u32>)) {
    let mut fingerprints = Vec::new();
    let mut ids = Vec::new();
    // What picks the shard, and what is set in all but the absent one.
    let last = (shard as u32) << (32 - SHARD_BITS) | 1;
    let mut keys = keys.map(|[a, b, c]| Fingerprint([a, b, c, last]));
    loop {
        fingerprints.clear();
        fingerprints.extend(keys.by_ref().take(1 << 10));
        if fingerprints.is_empty() {
            return;
        }
        take(&fingerprints, &mut ids);
    }
}

/// What the ids of one interner are in another.
pub(crate) struct Translation(Vec<Vec<u32>>);

impl Translation {
    #[inline]
    pub(crate) fn of(&self, id: u32) -> u32 {
        match id {
            0 => 0,
            _ => self.0[id as usize % SHARDS][(id >> SHARD_BITS) as usize - 1],
        }
    }
}
