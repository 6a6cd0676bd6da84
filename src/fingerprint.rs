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
/// sensitive as the user table. It is never serialised, and `Debug` redacts
/// it. Counts do not depend on it: any two keys give the same report.
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
        let [a, b] = self.0.hash(match kind {
            Kind::Email => b"headcount email",
            Kind::Login => b"headcount login",
            Kind::Key => b"headcount key",
            Kind::Domain => b"headcount domain",
        });
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
}

/// 128 keyed bits that stand for a text of a kind, or for none.
///
/// The interner keeps 96 of them and picks its shard by 6 more. At n texts two
/// different ones share 96 bits with a chance below n² / 2^97: 6e-12 for 10^9.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint(pub(crate) [u32; 4]);

impl Fingerprint {
    /// Of no text. The last word of all others is odd.
    pub(crate) const ABSENT: Fingerprint = Fingerprint([0; 4]);
}

/// Fingerprints are hashes already: a set of them takes one word as it is.
impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

/// A set of fingerprints, hashed by themselves.
pub(crate) type FingerprintSet = HashSet<Fingerprint, BuildHasherDefault<AsItIs>>;

/// Hashes a word to itself.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |word, byte| word.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Makes fingerprints of one kind under one key.
#[derive(Clone)]
pub(crate) struct Fingerprinter(SipKey);

impl Fingerprinter {
    /// The fingerprint of a text, ASCII letters taken as lower case. Of a text
    /// in matching form it is the fingerprint of just that form.
    #[expect(clippy::cast_possible_truncation, reason = "cuts 128 bits into four words")]
    pub(crate) fn of(&self, text: &[u8]) -> Fingerprint {
        let [a, b] = self.0.hash(text);
        Fingerprint([a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32 | 1])
    }
}

/// A key of SipHash-2-4-128 (Aumasson and Bernstein, 2012).
///
/// Our own code because lower-casing as words are read saves a copy of every
/// text. The tests hold it against the `siphasher` crate and against the
/// reference vectors.
#[derive(Clone)]
struct SipKey {
    k0: u64,
    k1: u64,
}

impl SipKey {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn of(secret: u128) -> SipKey {
        SipKey { k0: secret as u64, k1: (secret >> 64) as u64 }
    }

    /// The hash of a message whose ASCII letters are taken as lower case.
    #[inline]
    fn hash(&self, message: &[u8]) -> [u64; 2] {
        let mut v = [
            self.k0 ^ 0x736f_6d65_7073_6575,
            self.k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            self.k0 ^ 0x6c79_6765_6e65_7261,
            self.k1 ^ 0x7465_6462_7974_6573,
        ];
        for word in message.chunks_exact(8) {
            absorb(&mut v, lower(word_of(word)));
        }
        // The last bytes, with the message's length modulo 256 on top.
        let tail = tail_of(message);
        absorb(&mut v, lower(tail) | (message.len() as u64) << 56);
        v[2] ^= 0xee;
        for _ in 0..4 {
            round(&mut v);
        }
        let first = v[0] ^ v[1] ^ v[2] ^ v[3];
        v[1] ^= 0xdd;
        for _ in 0..4 {
            round(&mut v);
        }
        [first, v[0] ^ v[1] ^ v[2] ^ v[3]]
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
pub(crate) fn tail_of(text: &[u8]) -> u64 {
    let rest = text.len() % 8;
    match text.last_chunk::<8>() {
        _ if rest == 0 => 0,
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest),
        None => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[inline]
fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
}

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

/// Eight bytes with their ASCII capitals made small.
#[inline]
pub(crate) fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * ONES);
    // The top bit of each byte: at least `A`, and more than `Z`.
    let from_a = low + (0x80 - 0x41) * ONES;
    let past_z = low + (0x80 - 0x5b) * ONES;
    let capital = !word & (from_a ^ past_z) & (0x80 * ONES);
    word | (capital >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes 00, 01, 02 and so on.
    const COUNTING: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    #[test]
    fn siphash_2_4_128_reference_vectors() {
        // `vectors_sip128` of the reference implementation (veorq/SipHash): key
        // 00 to 0f, messages of no byte and of the byte 00.
        let key = SipKey::of(u128::from_le_bytes(COUNTING));
        let bytes = |message: &[u8]| key.hash(message).map(u64::to_le_bytes).concat();
        assert_eq!(bytes(&[]), b"\xa3\x81\x7f\x04\xba\x25\xa8\xe6\x6d\xf6\x72\x14\xc7\x55\x02\x93");
        assert_eq!(bytes(&[0]), b"\xda\x87\xc1\xd8\x6b\x99\xaf\x44\x34\x76\x59\x11\x9b\x22\xfc\x45");
    }

    #[test]
    fn siphash_of_every_length_is_that_of_the_crate() {
        use siphasher::sip128::SipHasher24;
        let key = SipKey::of(u128::from_le_bytes(COUNTING));
        for len in 0..=u8::MAX {
            let message: Vec<u8> = (0..len).map(|at: u8| at.wrapping_mul(7)).collect();
            let theirs = SipHasher24::new_with_key(&COUNTING).hash(&message.to_ascii_lowercase());
            assert_eq!(key.hash(&message), [theirs.h1, theirs.h2], "length {len}");
        }
    }

    #[test]
    fn lower_is_that_of_ascii() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, b'A', b'Z', 0x7f, 0x80, 0xff] {
                let bytes = [byte, neighbour, byte, byte, neighbour, byte, byte, byte];
                assert_eq!(lower(u64::from_le_bytes(bytes)).to_le_bytes(), bytes.map(|b| b.to_ascii_lowercase()));
            }
        }
    }

    #[test]
    fn kinds_keys_and_texts_are_apart() {
        let fingerprint =
            |key: u64, kind, text: &str| FingerprintKey::public_for_tests(key).of_kind(kind).of(text.as_bytes());
        let given = fingerprint(1, Kind::Email, "ana@x.example");
        assert_eq!(given, fingerprint(1, Kind::Email, "Ana@X.example"));
        for other in [
            Fingerprint::ABSENT,
            fingerprint(1, Kind::Login, "ana@x.example"),
            fingerprint(1, Kind::Key, "ana@x.example"),
            fingerprint(1, Kind::Domain, "ana@x.example"),
            fingerprint(1, Kind::Email, "ana@x.exampl"),
            fingerprint(1, Kind::Email, "ana@x.example\0"),
            fingerprint(2, Kind::Email, "ana@x.example"),
        ] {
            assert_ne!(given, other);
        }
    }

    #[test]
    fn the_key_is_never_zero_and_never_shown() {
        assert_eq!(FingerprintKey::from_secret([0; 16]).err(), Some(KeyError));
        let key = FingerprintKey::from_secret([7; 16]);
        assert_eq!(format!("{key:?}"), "Ok(FingerprintKey(<redacted>))");
    }
}
