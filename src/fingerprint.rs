//! Keyed fingerprints of emails, logins, keys and domains.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::error::KeyError;
use crate::record::Redacted;

/// The secret under which a counter fingerprints emails, logins and keys.
///
/// The counter keeps no such text, only SipHash-2-4-128 of it under this key.
/// Without the key nobody can make two people collide, nor slow the counter
/// down; with it, emails can be guessed from fingerprints, so it is as
/// sensitive as the user table. It is never serialised, `Debug` redacts it, and
/// it is wiped when it is dropped, as are the keys that a counter derives from
/// it. Counts do not depend on it: any two keys give the same report. Counters
/// that are to be merged, and snapshots that are to be restored, need the same
/// one.
pub struct FingerprintKey(SipKey);

impl FingerprintKey {
    /// Takes 16 secret bytes from a cryptographic source of randomness.
    ///
    /// # Errors
    ///
    /// All bytes zero, as in a buffer that nobody filled.
    pub fn from_secret(secret: [u8; 16]) -> Result<FingerprintKey, KeyError> {
        match u128::from_le_bytes(secret) {
            0 => Err(KeyError),
            secret => Ok(FingerprintKey(SipKey::of(secret))),
        }
    }

    /// A key that everybody knows: gives up all protection against crafted
    /// collisions and guessed emails. For tests and benchmarks that want the
    /// same fingerprints in every run.
    #[must_use]
    pub fn public_for_tests(number: u64) -> FingerprintKey {
        FingerprintKey(SipKey::of(u128::from(number) | 1 << 64))
    }

    /// What fingerprints texts of one kind. Each kind has a key of its own,
    /// drawn from the secret by the same hash, so an email and a login of the
    /// same text have nothing in common (D7).
    pub(crate) fn of_kind(&self, kind: Kind) -> Fingerprinter {
        let name: &[u8] = match kind {
            Kind::Email => b"headcount email",
            Kind::Login => b"headcount login",
            Kind::Key => b"headcount key",
            Kind::Domain => b"headcount domain",
            Kind::Check => b"headcount check",
            Kind::Snapshot => b"headcount snapshot",
            Kind::Setting => b"headcount setting",
        };
        let [a, b] = self.0.hash(name);
        Fingerprinter(SipKey { k0: a, k1: b })
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FingerprintKey").field(&Redacted).finish()
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Email,
    Login,
    Key,
    Domain,
    /// The key itself: what tells keys apart.
    Check,
    /// The bytes of a snapshot.
    Snapshot,
    /// What a snapshot was taken under: the subscription, the build.
    Setting,
}

/// 128 keyed bits that stand for a text of a kind, or for none.
///
/// The interner keeps 96 of them and picks its shard by 6 more. At n texts two
/// different ones share those with a chance below n² / 2^103: 1e-13 for 10^9.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint(pub(crate) [u32; 4]);

impl Fingerprint {
    /// Of no text. The last word of all others is odd.
    pub(crate) const ABSENT: Fingerprint = Fingerprint([0; 4]);

    #[inline]
    pub(crate) fn is_absent(self) -> bool {
        self.0[3] == 0
    }

    pub(crate) fn to_le_bytes(self) -> [u8; 16] {
        let [a, b, c, d] = self.0.map(u128::from);
        (a | b << 32 | c << 64 | d << 96).to_le_bytes()
    }
}

/// Fingerprints are hashes already: a set of them takes two words as they are.
impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

/// A set of fingerprints, hashed by themselves (P4).
pub(crate) type FingerprintSet = HashSet<Fingerprint, BuildHasherDefault<AsItIs>>;

/// Hashes eight bytes to themselves.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |word, byte| word << 8 | u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Makes fingerprints of one kind under one key.
pub(crate) struct Fingerprinter(SipKey);

impl Fingerprinter {
    /// The fingerprint of a text, ASCII letters taken as lower case. Of a text
    /// in matching form it is the fingerprint of just that form.
    pub(crate) fn of(&self, text: &[u8]) -> Fingerprint {
        fingerprint(self.0.begin().hash(text).0)
    }

    /// The fingerprint of bytes as they are.
    pub(crate) fn of_bytes(&self, bytes: &[u8]) -> Fingerprint {
        fingerprint(self.0.begin().hash_with(bytes, 0, |word| word).0)
    }

    /// The fingerprint of many bytes as they are: that of four hashes, each of
    /// every fourth word, of the bytes left over, and of the length. Four hashes
    /// side by side take a third of the time of one.
    #[expect(clippy::arithmetic_side_effects, reason = "an eighth of a length")]
    pub(crate) fn seal(&self, bytes: &[u8]) -> Fingerprint {
        let mut lanes = [self.0.begin(); 4];
        let chunks = bytes.chunks_exact(32);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
                lane.absorb(word_of(word));
            }
        }
        let mut last = Vec::with_capacity(4 * 16 + 32 + 8);
        for lane in lanes {
            let ([a, b], _) = lane.hash_with(&[], bytes.len() / 32 * 8, |word| word);
            last.extend_from_slice(&a.to_le_bytes());
            last.extend_from_slice(&b.to_le_bytes());
        }
        last.extend_from_slice(rest);
        last.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.of_bytes(&last)
    }

    /// The same as [`of`](Fingerprinter::of), and whether there is an `@`, where
    /// the text is ASCII, else `None`.
    #[inline]
    pub(crate) fn of_ascii(&self, text: &[u8]) -> Option<(Fingerprint, bool)> {
        let mut ats = 0;
        let (hash, is_ascii) = self.0.begin().hash_with(text, 0, |word| {
            ats |= zeros(word ^ (u64::from(b'@') * ONES));
            lower(word)
        });
        is_ascii.then(|| (fingerprint(hash), ats != 0))
    }

    /// Begins the fingerprint of a text and of something behind it that has a
    /// fingerprint itself, ASCII letters taken as lower case. And whether the
    /// text is ASCII.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "modulo 256")]
    pub(crate) fn begin(&self, text: &[u8]) -> (Begun, bool) {
        let mut state = self.0.begin();
        let mut seen = 0;
        for word in text.chunks_exact(8) {
            let word = word_of(word);
            seen |= word;
            state.absorb(lower(word));
        }
        if text.len() % 8 != 0 {
            let tail = tail_of(text);
            seen |= tail;
            state.absorb(lower(tail));
        }
        let begun = Begun { state, len: text.len().next_multiple_of(8) as u8 };
        (begun, seen & 0x8080_8080_8080_8080 == 0)
    }
}

/// A fingerprint that wants the end of its message, see
/// [`Fingerprinter::begin`].
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    state: SipState,
    /// Bytes of the words so far, modulo 256.
    len: u8,
}

impl Begun {
    pub(crate) const NOTHING: Begun = Begun { state: SipState([0; 4]), len: 0 };

    /// The fingerprint of the text, padded with zeros to whole words, and of the
    /// first 15 bytes of the other fingerprint. No text that this is used for
    /// ends in zeros, or texts would not be told apart.
    #[inline]
    pub(crate) fn end(mut self, Fingerprint([a, b, c, d]): Fingerprint) -> Fingerprint {
        self.state.absorb(u64::from(b) << 32 | u64::from(a));
        // The last bytes, with the message's length modulo 256 on top.
        let last = (u64::from(d) << 32 | u64::from(c)) & (u64::MAX >> 8);
        self.state.absorb(last | u64::from(self.len.wrapping_add(15)) << 56);
        fingerprint(self.state.finish())
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "cuts 128 bits into four words")]
fn fingerprint([a, b]: [u64; 2]) -> Fingerprint {
    Fingerprint([a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32 | 1])
}

/// A key of SipHash-2-4-128 (Aumasson and Bernstein, 2012).
///
/// Our own code because lower-casing as words are read saves a copy of every
/// text. The tests hold it against the `siphasher` crate and against the
/// reference vectors.
struct SipKey {
    k0: u64,
    k1: u64,
}

impl Drop for SipKey {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl SipKey {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn of(secret: u128) -> SipKey {
        SipKey { k0: secret as u64, k1: (secret >> 64) as u64 }
    }

    /// As far as safe code can: nothing here is worth a look once it is dropped.
    fn wipe(&mut self) {
        (self.k0, self.k1) = (0, 0);
        // Or the writes would be left out, since nobody reads them.
        std::hint::black_box(self);
    }

    #[inline]
    fn begin(&self) -> SipState {
        SipState([
            self.k0 ^ 0x736f_6d65_7073_6575,
            self.k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            self.k0 ^ 0x6c79_6765_6e65_7261,
            self.k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    /// The hash of a message whose ASCII letters are taken as lower case.
    fn hash(&self, message: &[u8]) -> [u64; 2] {
        self.begin().hash(message).0
    }
}

/// SipHash-2-4-128 on its way through a message.
#[derive(Clone, Copy)]
struct SipState([u64; 4]);

impl SipState {
    /// The hash of a text, ASCII letters taken as lower case. And whether the
    /// text is ASCII.
    #[inline]
    fn hash(self, text: &[u8]) -> ([u64; 2], bool) {
        self.hash_with(text, 0, lower)
    }

    /// The same behind whole words of `before` bytes in all, and with something
    /// else done to each word than making it lower case.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "a length is not near 2^64")]
    fn hash_with(mut self, text: &[u8], before: usize, mut form: impl FnMut(u64) -> u64) -> ([u64; 2], bool) {
        let mut seen = 0;
        for word in text.chunks_exact(8) {
            let word = word_of(word);
            seen |= word;
            self.absorb(form(word));
        }
        // The last bytes, with the message's length modulo 256 on top.
        let tail = tail_of(text);
        seen |= tail;
        self.absorb(form(tail) | ((before + text.len()) as u64) << 56);
        (self.finish(), seen & 0x8080_8080_8080_8080 == 0)
    }

    /// The hash, once the last word is in.
    #[inline]
    fn finish(mut self) -> [u64; 2] {
        self.0[2] ^= 0xee;
        self.rounds(4);
        let first = self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3];
        self.0[1] ^= 0xdd;
        self.rounds(4);
        let second = self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3];
        [first, second]
    }

    #[inline]
    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.rounds(2);
        self.0[0] ^= word;
    }

    #[inline]
    fn rounds(&mut self, count: u32) {
        let [mut a, mut b, mut c, mut d] = self.0;
        for _ in 0..count {
            a = a.wrapping_add(b);
            c = c.wrapping_add(d);
            b = b.rotate_left(13) ^ a;
            d = d.rotate_left(16) ^ c;
            a = a.rotate_left(32);
            c = c.wrapping_add(b);
            a = a.wrapping_add(d);
            b = b.rotate_left(17) ^ c;
            d = d.rotate_left(21) ^ a;
            c = c.rotate_left(32);
        }
        self.0 = [a, b, c, d];
    }
}

/// Eight bytes as a little-endian word. Of another length there are none.
#[inline]
pub(crate) fn word_of(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// The bytes behind the last whole word of a text as a word, 0 for none. Where
/// there are eight bytes before the end, they are read at once.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "a remainder below eight")]
pub(crate) fn tail_of(text: &[u8]) -> u64 {
    match text.last_chunk::<8>() {
        // In two steps, since all 64 bits may have to go.
        Some(last) => u64::from_le_bytes(*last) >> 1 >> (63 - 8 * (text.len() % 8)),
        None => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// A one in each byte.
pub(crate) const ONES: u64 = u64::MAX / 0xff;

/// Has the top bit of a byte set that is zero, and certainly of the lowest one;
/// above it perhaps of others.
#[inline]
pub(crate) fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (0x80 * ONES)
}

/// Eight bytes with their ASCII capitals made small.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "bytes of a word have room for the carry")]
pub(crate) fn lower(word: u64) -> u64 {
    let low = word & (0x7f * ONES);
    // The top bit of each byte: at least `A`, and more than `Z`.
    let from_a = low + (0x80 - 0x41) * ONES;
    let past_z = low + (0x80 - 0x5b) * ONES;
    let capital = !word & (from_a ^ past_z) & (0x80 * ONES);
    word | (capital >> 2)
}

#[cfg(test)]
mod tests;
