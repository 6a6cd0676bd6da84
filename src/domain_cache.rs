//! Domains seen lately, and what was made of them.
//!
//! Most addresses have a domain that some record before had too. Recognising it
//! by its bytes spares its fingerprint and its id.

#![allow(clippy::arithmetic_side_effects)] // There is at least one pair; what was kept is set to 0 as the cache grows.

use crate::fingerprint::{Fingerprint, lower, tail_of, word_of};

/// A domain of at most 31 bytes as a record spells it, but for ASCII capitals
/// made small. Padded with zeros, and its length in the last byte: or a domain
/// and the same with a NUL behind it were one.
#[derive(Clone, Copy)]
pub(crate) struct ShortName([u64; 4]);

impl ShortName {
    /// Of no domain: all have a length.
    pub(crate) const NONE: ShortName = ShortName([0; 4]);

    /// `None` for a longer one, or none.
    #[inline]
    pub(crate) fn of(domain: &str) -> Option<ShortName> {
        let bytes = domain.as_bytes();
        let whole = bytes.len() / 8;
        let tail = lower(tail_of(bytes));
        let word = |place: usize| match bytes.get(place * 8..place * 8 + 8) {
            Some(eight) => lower(word_of(eight)),
            None if place == whole => tail,
            None => 0,
        };
        let len = (bytes.len() as u64) << 56;
        (whole < 4 && !bytes.is_empty())
            .then(|| ShortName([word(0), word(1), word(2), tail_or_zero(whole, tail) | len]))
    }

    /// The name.
    pub(crate) fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let mut bytes = [0; 32];
        for (eight, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            eight.copy_from_slice(&word.to_le_bytes());
        }
        let len = usize::from(bytes[31]);
        // It was text, and lower case changes ASCII only.
        take(bytes.get(..len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default())
    }

    /// Whether both are the same name. Without a branch.
    #[inline]
    fn is(self, ShortName([e, f, g, h]): ShortName) -> bool {
        let [a, b, c, d] = self.0;
        (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
    }
}

#[inline]
fn tail_or_zero(whole: usize, tail: u64) -> u64 {
    if whole == 3 { tail } else { 0 }
}

/// Domains seen lately, each in one of the two places that its bytes give it.
/// What falls out, by chance or by malice, costs a hash and an id again.
pub(crate) struct DomainCache {
    /// A power of two of pairs, the one that came last in front.
    pairs: Vec<[CachedDomain; 2]>,
    /// Domains kept since the cache last grew.
    kept: usize,
}

/// One cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct CachedDomain {
    name: ShortName,
    fingerprint: Fingerprint,
    /// What the owner of the cache said of it.
    note: u32,
}

const UNUSED: CachedDomain = CachedDomain { name: ShortName::NONE, fingerprint: Fingerprint::ABSENT, note: 0 };

impl DomainCache {
    /// From 4 KiB, for a counter of a few records, to 512 KiB, of which a core's
    /// own cache holds what is in use.
    const SIZES: [usize; 2] = [1 << 5, 1 << 12];

    pub(crate) fn new() -> DomainCache {
        let [smallest, _] = Self::SIZES;
        DomainCache { pairs: vec![[UNUSED; 2]; smallest], kept: 0 }
    }

    /// Forgets all domains.
    pub(crate) fn clear(&mut self) {
        self.pairs.fill([UNUSED; 2]);
        self.kept = 0;
    }

    #[inline]
    fn index(&self, ShortName([a, b, c, d]): ShortName) -> usize {
        let mixed = (a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.pairs.len() - 1)
    }

    /// Reads something of where a domain would be, so that it is in the
    /// processor's cache when its turn comes.
    #[inline]
    pub(crate) fn touch(&self, name: ShortName) -> u32 {
        self.pairs.get(self.index(name)).map_or(0, |[first, second]| first.note ^ second.note)
    }

    /// What was kept of a domain.
    #[inline]
    pub(crate) fn find(&self, name: ShortName) -> Option<(Fingerprint, u32)> {
        let pair = self.pairs.get(self.index(name))?;
        // Which of the two nobody could predict, so both are compared.
        let [is_first, is_second] = [pair[0].name.is(name), pair[1].name.is(name)];
        let found = &pair[usize::from(is_second)];
        (is_first | is_second).then_some((found.fingerprint, found.note))
    }

    /// Keeps a domain in place of the one of its pair that came before the
    /// other.
    pub(crate) fn keep(&mut self, name: ShortName, fingerprint: Fingerprint, note: u32) {
        let [_, largest] = Self::SIZES;
        self.kept += 1;
        if self.kept > self.pairs.len() * 2 && self.pairs.len() < largest {
            let pairs = (self.pairs.len() * 8).min(largest);
            self.pairs.clear();
            self.pairs.resize(pairs, [UNUSED; 2]);
            self.kept = 0;
        }
        let at = self.index(name);
        if let Some(pair) = self.pairs.get_mut(at) {
            pair[1] = pair[0];
            pair[0] = CachedDomain { name, fingerprint, note };
        }
    }
}
