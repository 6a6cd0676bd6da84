//! Keyed fingerprints of emails, logins and keys.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;

use siphasher::sip::SipHasher13;
use siphasher::sip128::SipHasher24;

use crate::error::KeyError;
use crate::record::Redacted;

/// The secret under which a counter fingerprints emails, logins and keys.
///
/// The counter keeps no such text, only SipHash-2-4-128 of it under this key.
/// Without the key nobody can make two people collide, nor slow the counter
/// down; with it, emails can be guessed from fingerprints, so it is as
/// sensitive as the user table. It is never serialised, and `Debug` redacts
/// it. Counts do not depend on it: any two keys give the same report.
pub struct FingerprintKey {
    k0: u64,
    k1: u64,
}

impl FingerprintKey {
    /// Takes 16 secret bytes from a cryptographic source of randomness.
    ///
    /// # Errors
    ///
    /// All bytes zero, as in a buffer that nobody filled.
    pub fn from_secret(secret: [u8; 16]) -> Result<FingerprintKey, KeyError> {
        match u128::from_le_bytes(secret) {
            0 => Err(KeyError),
            secret => Ok(FingerprintKey::of(secret)),
        }
    }

    /// A key that everybody knows: gives up all protection against crafted
    /// collisions and guessed emails. For tests and benchmarks that want the
    /// same fingerprints in every run.
    #[must_use]
    pub fn public_for_tests(number: u64) -> FingerprintKey {
        FingerprintKey::of(u128::from(number) | 1 << 64)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn of(secret: u128) -> FingerprintKey {
        FingerprintKey { k0: secret as u64, k1: (secret >> 64) as u64 }
    }

    /// The hasher that fingerprints are made with.
    pub(crate) fn hasher(&self) -> Fingerprinter {
        Fingerprinter(SipHasher24::new_with_keys(self.k0, self.k1))
    }

    /// Hashing for tables whose keys come from records: nobody without the
    /// key can choose keys that collide.
    pub(crate) fn table_state(&self) -> KeyedState {
        KeyedState(SipHasher13::new_with_keys(self.k0, self.k1))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FingerprintKey").field(&Redacted).finish()
    }
}

/// What a text is. An email and a login of the same text have nothing in
/// common (D7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Email = 1,
    Login = 2,
    Key = 3,
}

/// 128 keyed bits that stand for a text of a kind.
///
/// The interner keeps 96 of them and picks its shard by 6 more. At n texts two
/// different ones share 96 bits with a chance below n² / 2^97: 6e-12 for 10^9.
pub(crate) type Fingerprint = [u32; 4];

/// Makes fingerprints under one key.
#[derive(Clone)]
pub(crate) struct Fingerprinter(SipHasher24);

impl Fingerprinter {
    /// The fingerprint of a text in matching form. The text is used as a
    /// buffer for a moment and given back as it was.
    ///
    /// The message is the text and one byte for its kind, which is injective.
    pub(crate) fn of(&self, kind: Kind, text: &mut String) -> Fingerprint {
        text.push(char::from(kind as u8));
        let hash = self.0.hash(text.as_bytes());
        text.pop();
        split(hash.h1, hash.h2)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cuts 128 bits into four words")]
fn split(h1: u64, h2: u64) -> Fingerprint {
    [h1 as u32, (h1 >> 32) as u32, h2 as u32, (h2 >> 32) as u32]
}

/// A [`BuildHasher`] that is keyed by a [`FingerprintKey`].
#[derive(Clone)]
pub(crate) struct KeyedState(SipHasher13);

impl BuildHasher for KeyedState {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        self.0
    }
}

/// A map whose keys come from records.
pub(crate) type KeyedMap<V> = HashMap<Box<str>, V, KeyedState>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siphash_2_4_128_reference_vectors() {
        // vectors_sip128 of the reference implementation (veorq/SipHash): key
        // 00..0f, message 00..len-1. Rows 0 and 1.
        let key = FingerprintKey::of(u128::from_le_bytes(
            *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
        ));
        let hash = |len: u8| key.hasher().0.hash(&(0..len).collect::<Vec<u8>>()).as_bytes();
        assert_eq!(hash(0), *b"\xa3\x81\x7f\x04\xba\x25\xa8\xe6\x6d\xf6\x72\x14\xc7\x55\x02\x93");
        assert_eq!(hash(1), *b"\xda\x87\xc1\xd8\x6b\x99\xaf\x44\x34\x76\x59\x11\x9b\x22\xfc\x45");
    }

    #[test]
    fn kinds_keys_and_texts_are_apart() {
        let fingerprint =
            |key: u64, kind, text: &str| FingerprintKey::public_for_tests(key).hasher().of(kind, &mut text.to_owned());
        let given = fingerprint(1, Kind::Email, "ana@x.example");
        assert_eq!(given, fingerprint(1, Kind::Email, "ana@x.example"));
        for other in [
            fingerprint(1, Kind::Login, "ana@x.example"),
            fingerprint(1, Kind::Key, "ana@x.example"),
            fingerprint(1, Kind::Email, "ana@x.exampl"),
            fingerprint(1, Kind::Email, "ana@x.example\u{1}"),
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
