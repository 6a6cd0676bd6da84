//! Domains seen lately, and all that their addresses need of them.
//!
//! Most addresses have a domain that some record before had too. Recognising it
//! by its bytes spares the check of the name (N3), its fingerprint and its
//! share of the address's fingerprint.

use crate::fingerprint::{Behind, Fingerprint, lower, tail_of, word_of};
use crate::prepare::append;

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
/// What falls out, by chance or by malice, costs N3 and a hash again.
pub(crate) struct DomainCache {
    /// A power of two of pairs.
    pairs: Vec<[CachedDomain; 2]>,
    /// Domains kept since the cache last grew.
    kept: usize,
    /// The batch that is being filled: tells batches apart.
    batch: u64,
}

/// A plain name, which N3 takes as it stands.
#[derive(Clone)]
struct CachedDomain {
    words: Words,
    /// What fingerprints its addresses.
    addresses: Behind,
    fingerprint: Fingerprint,
    /// The batch that last had it, and its place there.
    batch: u64,
    place: u32,
}

const UNUSED: [CachedDomain; 2] = [const {
    CachedDomain { words: [0; 4], addresses: Behind::UNUSED, fingerprint: Fingerprint::ABSENT, batch: 0, place: 0 }
}; 2];

impl DomainCache {
    /// From 6 KiB, for a counter of a few records, to 768 KiB, of which a core's
    /// own cache holds what is in use.
    const SIZES: [usize; 2] = [1 << 5, 1 << 12];

    pub(crate) fn new() -> DomainCache {
        let [smallest, _] = Self::SIZES;
        DomainCache { pairs: vec![UNUSED; smallest], kept: 0, batch: 0 }
    }

    /// Forgets the places in the batch before.
    pub(crate) fn begin_batch(&mut self) {
        self.batch += 1;
    }

    #[inline]
    fn index(&self, words: Words) -> usize {
        let [a, b, c, d] = words;
        let mixed = (a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.pairs.len() - 1)
    }

    /// What fingerprints the addresses of a domain that is kept, and the
    /// domain's place in the batch; it is appended to `domains` where the batch
    /// does not have it.
    #[inline]
    pub(crate) fn find(&mut self, words: Words, domains: &mut Vec<Fingerprint>) -> Option<(&Behind, u32)> {
        let (batch, at) = (self.batch, self.index(words));
        // No domain has the length 0 of an unused entry.
        let is_it = |entry: &&mut CachedDomain| entry.words == words && words[3] != 0;
        let entry = self.pairs.get_mut(at)?.iter_mut().find(is_it)?;
        if entry.batch != batch {
            entry.batch = batch;
            entry.place = append(domains, entry.fingerprint);
        }
        Some((&entry.addresses, entry.place))
    }

    /// Keeps a plain name.
    pub(crate) fn keep(&mut self, words: Words, fingerprint: Fingerprint, addresses: Behind) {
        let [_, largest] = Self::SIZES;
        self.kept += 1;
        if self.kept > self.pairs.len() * 2 && self.pairs.len() < largest {
            self.pairs = vec![UNUSED; self.pairs.len() * 8];
            self.kept = 0;
        }
        let at = self.index(words);
        // The one of the pair that was not used for longer.
        let pair = self.pairs.get_mut(at).map(|pair| pair.iter_mut());
        if let Some(entry) = pair.and_then(|pair| pair.min_by_key(|entry| entry.batch)) {
            *entry = CachedDomain { words, addresses, fingerprint, batch: 0, place: 0 };
        }
    }
}
