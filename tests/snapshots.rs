//! Snapshots that somebody else may have written: what restoring them takes,
//! and what it says.
//!
//! The seal keeps out whoever lacks the fingerprint key. Here it is put on by
//! another implementation of the hash, as by a program that has the key and an
//! error, so that what is behind it is tested as well.

#![cfg(feature = "public-suffix-list")] // Policies need it.

mod allocator;
mod seal;

use allocator::peak;
use headcount::{Counter, DomainPolicy, FingerprintKey, Platform, Runtime, SnapshotError, Subscription, UserRecord};

/// What restoring small bytes may take.
const MOST: i64 = 2 << 20;

const KEY: u64 = 5;

fn subscription(platform: Platform) -> Subscription {
    let runtime = |name: &str| Runtime {
        name: name.to_owned(),
        version: (platform == Platform::O11).then(|| "11.28.0".parse().expect("a version")),
        internal_domains: DomainPolicy::parse("corp.example").expect("a policy"),
        ..Runtime::default()
    };
    Subscription::new(platform, vec![runtime("a"), runtime("b")], None).expect("a subscription")
}

/// Three hundred people of two runtimes, three providers and two tenants of
/// each.
fn counter(platform: Platform) -> Counter {
    let mut counter = Counter::new(subscription(platform), &FingerprintKey::public_for_tests(KEY));
    let person = |number: usize| UserRecord {
        runtime: ["a", "b"][number % 2].into(),
        provider: [None, Some("Portal".into()), Some("Caf\u{E9}".into())][number % 3].clone(),
        tenant: [None, Some("Acme".into())][number / 6 % 2].clone(),
        key: Some(format!("k{number}").into()),
        username: Some(format!("user{number}").into()),
        email: Some(format!("u{}@corp{}.example", number / 2, number % 5).into()),
        last_login: Some(headcount::UnixSeconds(1_700_000_000)),
        is_active: Some(number % 7 != 0),
        ..UserRecord::default()
    };
    counter.add_all((0..300).map(person)).expect("known runtimes");
    counter.reject();
    counter
}

/// Restores bytes within the memory that is allowed.
fn restored(platform: Platform, bytes: &[u8]) -> Result<Counter, SnapshotError> {
    let (subscription, key) = (subscription(platform), FingerprintKey::public_for_tests(KEY));
    let (peak, result) = peak(|| Counter::restore(subscription, &key, bytes));
    assert!(peak < MOST, "{peak} bytes to restore {}", bytes.len());
    result
}

/// The bytes with a seal that fits them in place of their last 16.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 16);
    seal::sealed(KEY, bytes)
}

/// Where the numbers of a snapshot stand, by its format.
struct Places {
    rejected: usize,
    /// Of keys of a shard: 4 bytes each.
    shards: Vec<usize>,
    /// Of excluded records: 8 bytes each.
    excluded: Vec<usize>,
    /// Of providers of a runtime: 8 bytes each.
    providers: Vec<usize>,
    /// Of bytes of a spelling: 8 bytes each.
    spellings: Vec<usize>,
    /// Of facts and of records of other tenants: 8 bytes each.
    facts: Vec<usize>,
    /// Ids of 4 bytes in facts, behind where the count of those stands.
    ids: Vec<(usize, usize)>,
}

/// Reads a snapshot of two runtimes.
fn places(bytes: &[u8]) -> Places {
    let word = |at: usize| usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let [mut shards, mut excluded, mut providers] = [const { Vec::new() }; 3];
    let [mut spellings, mut facts] = [const { Vec::new() }; 2];
    let mut ids = Vec::new();
    let rejected = 60;
    let mut at = rejected + 8;
    for _ in 0..3 * 64 {
        shards.push(at);
        at += 4 + word(at) * 12;
    }
    for _ in 0..2 {
        excluded.extend((0..5).map(|reason| at + reason * 8));
        at += 5 * 8;
        providers.push(at);
        at += 8;
        for _ in 0..word(*providers.last().unwrap()) {
            spellings.push(at);
            at += 8 + word(at);
            for size in [12, 4] {
                facts.push(at);
                let count = word(at);
                at += 8;
                ids.extend((0..count * size / 4).map(|id| (at - 8, at + id * 4)));
                at += count * size;
            }
        }
    }
    assert_eq!(at + 16, bytes.len(), "the format as written down");
    Places { rejected, shards, excluded, providers, spellings, facts, ids }
}

/// The snapshot with a number written over, and a seal that fits.
fn with<const LEN: usize>(bytes: &[u8], at: usize, number: [u8; LEN]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + LEN].copy_from_slice(&number);
    sealed(bytes)
}

/// Refused as impossible, at or behind what was changed: a length that lies may
/// show only where the next thing does not fit.
fn assert_invalid(platform: Platform, bytes: &[u8], changed: usize, what: &str) {
    match restored(platform, bytes) {
        Err(SnapshotError::Invalid { at }) => {
            assert!(at >= changed, "{what}: said to be at byte {at}, was at {changed}");
            assert!(at <= bytes.len());
        }
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: restored"),
    }
}

/// A law of both platforms.
fn for_platforms(law: impl Fn(Platform, Vec<u8>)) {
    for platform in [Platform::O11, Platform::Odc] {
        law(platform, counter(platform).snapshot());
    }
}

#[test]
fn the_seal_of_these_tests_is_the_crates() {
    for_platforms(|platform, bytes| {
        assert!(sealed(bytes.clone()) == bytes);
        assert!(restored(platform, &bytes).expect("a snapshot").snapshot() == bytes);
    });
}

#[test]
fn cut_off_and_damaged_bytes_take_little_memory() {
    for_platforms(|platform, bytes| {
        for len in (0..bytes.len()).step_by(31) {
            assert!(restored(platform, &bytes[..len]).is_err(), "{len} bytes");
        }
        for at in (0..bytes.len()).step_by(29) {
            let mut damaged = bytes.clone();
            damaged[at] = !damaged[at];
            assert!(restored(platform, &damaged).is_err(), "byte {at}");
        }
        let long = [&bytes[..], &vec![0; 1 << 20]].concat();
        assert_eq!(restored(platform, &long).map(|_| ()), Err(SnapshotError::Damaged));
    });
}

#[test]
fn counts_that_lie_take_little_memory_and_are_refused_under_a_right_seal() {
    for_platforms(|platform, bytes| {
        let Places { shards, providers, spellings, facts, .. } = places(&bytes);
        for lie in [u32::MAX, 1 << 31, 1 << 24, (1 << 24) - 1, 100_000] {
            for at in shards.iter().step_by(16) {
                assert_invalid(platform, &with(&bytes, *at, u32::to_le_bytes(lie)), *at, "a count of 4 bytes");
            }
        }
        for lie in [u64::MAX, 1 << 63, u64::MAX / 12 + 1, u64::MAX / 4 + 1, 1 << 32, 1_000_000] {
            for at in facts.iter().chain(&providers).chain(&spellings) {
                assert_invalid(platform, &with(&bytes, *at, u64::to_le_bytes(lie)), *at, "a count of 8 bytes");
            }
        }
    });
}

#[test]
fn every_count_one_off_is_refused_under_a_right_seal() {
    for_platforms(|platform, bytes| {
        let Places { shards, providers, spellings, facts, .. } = places(&bytes);
        for at in [shards, providers, spellings, facts].concat() {
            for off in [1, u32::MAX] {
                let count = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).wrapping_add(off);
                assert_invalid(platform, &with(&bytes, at, count.to_le_bytes()), at, "a count one off");
            }
        }
    });
}

#[test]
fn records_that_were_not_kept_are_no_more_than_can_be() {
    for_platforms(|platform, bytes| {
        let Places { rejected, excluded, .. } = places(&bytes);
        for (place, at) in [&[rejected][..], &excluded].concat().into_iter().enumerate() {
            for lie in [u64::MAX, 1 << 63, (1 << 46) + 1] {
                assert_invalid(platform, &with(&bytes, at, lie.to_le_bytes()), at, "a number");
            }
            let most = with(&bytes, at, (1_u64 << 46).to_le_bytes());
            // E1 is of O11, E5 of ODC: the first and the last of five reasons.
            let impossible = match platform {
                Platform::O11 => place > 0 && place % 5 == 0,
                Platform::Odc => place % 5 == 1,
            };
            if impossible {
                assert_invalid(platform, &most, at, "a reason of the other platform");
                continue;
            }
            let counter = restored(platform, &most).expect("the most that can be");
            assert!(counter.snapshot() == most);
            assert!(counter.report().records + counter.report().rejected > 1 << 46);
        }
    });
}

#[test]
fn ids_that_were_never_given_are_refused() {
    for_platforms(|platform, bytes| {
        for (count, at) in places(&bytes).ids.into_iter().step_by(7) {
            for lie in [u32::MAX, 1 << 31, 63, 200 << 6] {
                assert_invalid(platform, &with(&bytes, at, lie.to_le_bytes()), count, "an id");
            }
        }
    });
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    for_platforms(|platform, bytes| {
        let count = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let full = places(&bytes).shards.into_iter().filter(|at| count(*at) > 1);
        for at in full.take(20) {
            let first: [u8; 12] = bytes[at + 4..at + 16].try_into().unwrap();
            assert_invalid(platform, &with(&bytes, at + 16, first), at, "a key twice");
        }
    });
}

#[test]
fn names_of_providers_are_trimmed_different_and_text() {
    for_platforms(|platform, bytes| {
        for at in places(&bytes).spellings {
            let name = at + 8;
            assert_invalid(platform, &with(&bytes, name, [0xFF]), at, "no UTF-8");
            assert_invalid(platform, &with(&bytes, name, [b' ']), at, "a space in front");
        }
        let removed = |at: usize, len: usize| {
            let mut bytes = bytes.clone();
            bytes.drain(at..at + len);
            bytes
        };
        let first = places(&bytes).spellings[0];
        let len = usize::from(bytes[first]);
        assert_invalid(platform, &with(&removed(first + 8, len), first, [0; 8]), first, "an empty name");
    });
}

#[test]
fn whatever_restores_under_a_right_seal_is_written_the_same() {
    for_platforms(|platform, bytes| {
        let mut restorable = 0;
        for at in (60..bytes.len() - 16).step_by(23) {
            for bit in [0, 3, 6] {
                let changed = with(&bytes, at, [bytes[at] ^ 1 << bit]);
                if let Ok(counter) = restored(platform, &changed) {
                    assert!(counter.snapshot() == changed, "byte {at}, bit {bit}");
                    let report = counter.report();
                    assert!(report.records >= 300, "{} records", report.records);
                    restorable += 1;
                }
            }
        }
        assert!(restorable > 100, "fingerprints and ids have more than one value");
    });
}
