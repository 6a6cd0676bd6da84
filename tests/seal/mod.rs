//! The seal of a snapshot, by another implementation of the hash; for tests and
//! for fuzzing.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// The bytes of a snapshot with a seal behind them that fits, under
/// `FingerprintKey::public_for_tests`.
#[must_use]
pub fn sealed(key: u64, mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = |(a, b), message: &[u8]| {
        let mut hasher = SipHasher24::new_with_keys(a, b);
        hasher.write(message);
        let hash = hasher.finish128();
        (hash.h1, hash.h2)
    };
    // `public_for_tests`, of which each kind of text draws its own.
    let key = hash((key, 1), b"headcount snapshot");
    // Four hashes side by side, of every fourth word, and one of those.
    let chunks = bytes.chunks_exact(32);
    let mut last = Vec::new();
    for lane in 0..4 {
        let words: Vec<u8> = chunks.clone().flat_map(|chunk| &chunk[lane * 8..lane * 8 + 8]).copied().collect();
        let (low, high) = hash(key, &words);
        last.extend([low, high].map(u64::to_le_bytes).concat());
    }
    last.extend_from_slice(chunks.remainder());
    last.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    let (low, high) = hash(key, &last);
    bytes.extend_from_slice(&low.to_le_bytes());
    bytes.extend_from_slice(&(high | 1 << 32).to_le_bytes());
    bytes
}
