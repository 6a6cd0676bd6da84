//! Domains seen lately, and all that their addresses need of them.
//!
//! Most addresses have a domain that some record before had too. Recognising it
//! by its bytes spares the check of the name (N3), its fingerprint and its
//! share of the address's fingerprint.

#![allow(clippy::arithmetic_side_effects)] // There is at least one pair; what was kept is set to 0 as the cache grows.

use crate::fingerprint::{Behind, lower, tail_of, word_of};

/// A domain of at most 31 bytes, in lower case, padded with zeros, and its
/// length in the last byte.
pub(crate) type Words = [u64; 4];

/// A domain as the cache compares it; `None` for a longer one. What is not
/// ASCII is left as it is and found nowhere.
#[inline]
pub(crate) fn words_of(domain: &str) -> Option<Words> {
    let mut words = Words::default();
    let bytes = domain.as_bytes();
    let tail = words.get_mut(bytes.len() / 8)?;
    *tail = lower(tail_of(bytes));
    for (word, eight) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = lower(word_of(eight));
    }
    // Without the length, a domain and the same with a NUL behind it were one.
    words[3] |= (bytes.len() as u64) << 56;
    Some(words)
}

/// Domains seen lately, each in one of the two places that its bytes give it.
/// What falls out, by chance or by malice, costs N3 and two hashes again.
pub(crate) struct DomainCache {
    /// A power of two of pairs, the one used last in front.
    pairs: Vec<[CachedDomain; 2]>,
    /// What the owner of the cache said of each domain.
    notes: Vec<[u32; 2]>,
    /// Domains kept since the cache last grew.
    kept: usize,
}

/// A plain name, which N3 takes as it stands. One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct CachedDomain {
    words: Words,
    /// What fingerprints its addresses.
    addresses: Behind,
}

/// No domain has the length 0 of this one.
const UNUSED: CachedDomain = CachedDomain { words: [0; 4], addresses: Behind::UNUSED };

impl DomainCache {
    /// From 4 KiB, for a counter of a few records, to 512 KiB, of which a core's
    /// own cache holds what is in use.
    const SIZES: [usize; 2] = [1 << 5, 1 << 12];

    pub(crate) fn new() -> DomainCache {
        let [smallest, _] = Self::SIZES;
        let mut cache = DomainCache { pairs: Vec::new(), notes: Vec::new(), kept: 0 };
        cache.resize(smallest);
        cache
    }

    fn resize(&mut self, pairs: usize) {
        self.wipe();
        self.pairs.clear();
        self.pairs.resize(pairs, [UNUSED; 2]);
        self.notes.clear();
        self.notes.resize(pairs, [0; 2]);
        self.kept = 0;
    }

    /// Overwrites what was kept: what fingerprints addresses is as secret as the
    /// key it came from.
    fn wipe(&mut self) {
        self.pairs.fill([UNUSED; 2]);
        // Or the writes would be left out, since nobody reads them.
        std::hint::black_box(&mut self.pairs);
    }

    /// Forgets all domains.
    pub(crate) fn clear(&mut self) {
        self.resize(self.pairs.len());
    }

    #[inline]
    fn index(&self, words: Words) -> usize {
        let [a, b, c, d] = words;
        let mixed = (a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.pairs.len() - 1)
    }

    /// What fingerprints the addresses of a domain that is kept, and what was
    /// noted of it.
    #[inline]
    pub(crate) fn find(&mut self, words: Words) -> Option<(&Behind, u32)> {
        let at = self.index(words);
        let pair = self.pairs.get_mut(at)?;
        let notes = self.notes.get_mut(at)?;
        if pair[0].words != words {
            if pair[1].words != words {
                return None;
            }
            pair.swap(0, 1);
            notes.swap(0, 1);
        }
        (words[3] != 0).then_some((&pair[0].addresses, notes[0]))
    }

    /// Keeps a plain name in place of the one of its pair that was not used for
    /// longer.
    pub(crate) fn keep(&mut self, words: Words, addresses: Behind, note: u32) {
        let [_, largest] = Self::SIZES;
        self.kept += 1;
        if self.kept > self.pairs.len() * 2 && self.pairs.len() < largest {
            self.resize((self.pairs.len() * 8).min(largest));
        }
        let at = self.index(words);
        if let (Some(pair), Some(notes)) = (self.pairs.get_mut(at), self.notes.get_mut(at)) {
            pair.swap(0, 1);
            notes.swap(0, 1);
            pair[0] = CachedDomain { words, addresses };
            notes[0] = note;
        }
    }
}

impl Drop for DomainCache {
    fn drop(&mut self) {
        self.wipe();
    }
}
