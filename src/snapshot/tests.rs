//! Snapshots whose seal is right and whose content is not: only who has the
//! key could make them, and still none gives a counter.

use super::*;
use crate::record::UserRecord;
use crate::subscription::Runtime;

fn key() -> FingerprintKey {
    FingerprintKey::public_for_tests(1)
}

fn subscription() -> Subscription {
    let runtime = Runtime {
        name: "prod".into(),
        version: "11.28.0".parse().ok(),
        disabled_providers: vec!["RETIRED".into()],
        ..Runtime::default()
    };
    Subscription::new(Platform::O11, vec![runtime], None).unwrap()
}

/// Two records of one provider, with an email and a login each, the second one
/// in another tenant.
fn snapshot() -> Vec<u8> {
    let mut counter = Counter::new(subscription(), &key());
    for (login, tenant) in [("ana", None), ("bo", Some("Other".into()))] {
        let email = Some(format!("{login}@x.example").into());
        let record =
            UserRecord { runtime: "prod".into(), username: Some(login.into()), email, tenant, ..UserRecord::default() };
        counter.add(&record).unwrap();
    }
    counter.snapshot()
}

fn sealed(content: &[u8]) -> Vec<u8> {
    let seal = Counter::new(subscription(), &key()).terms.seal.seal(content);
    [content, &seal.to_le_bytes()].concat()
}

/// What becomes of a snapshot with some bytes replaced, and sealed again.
fn with(at: usize, old: usize, new: &[u8]) -> Result<Counter, SnapshotError> {
    let snapshot = snapshot();
    let content = &snapshot[..snapshot.len() - SEAL];
    let changed = [&content[..at], new, &content[at + old..]].concat();
    Counter::restore(subscription(), &key(), &sealed(&changed))
}

#[allow(clippy::needless_pass_by_value)] // So that calls read well.
fn invalid(result: Result<Counter, SnapshotError>) -> bool {
    matches!(result, Err(SnapshotError::Invalid { .. }))
}

/// Where the only shard of an interner that has a key begins, counted from the
/// interner's first byte.
fn shard_with_a_key(bytes: &[u8]) -> usize {
    (0..64).map(|shard| shard * 4).find(|at| bytes[*at..*at + 4] != [0; 4]).unwrap()
}

/// Where emails, links, domains and the ledger begin.
fn sections(bytes: &[u8]) -> [usize; 4] {
    let emails = HEAD + 8;
    [emails, emails + 64 * 4 + 12, emails + 2 * (64 * 4 + 12), emails + 3 * (64 * 4 + 12)].map(|at| {
        assert!(at < bytes.len());
        at
    })
}

#[test]
fn unchanged_it_is_restored() {
    let counter = with(0, 0, &[]).unwrap();
    assert_eq!(counter.snapshot(), snapshot());
    assert_eq!(counter.report().global.individuals.total(), 2);
}

#[test]
fn a_snapshot_is_as_long_as_it_was_made_room_for() {
    let snapshot = snapshot();
    let counter = Counter::restore(subscription(), &key(), &snapshot).unwrap();
    assert_eq!(snapshot.len(), counter.snapshot_len());
    assert_eq!(snapshot.capacity(), snapshot.len());
}

#[test]
fn cut_off_or_extended_it_is_invalid() {
    let len = snapshot().len() - SEAL;
    for at in HEAD..len {
        assert!(invalid(with(at, len - at, &[])), "cut off at {at}");
    }
    assert!(invalid(with(len, 0, &[0])));
}

#[test]
fn counts_that_are_not_there_are_invalid() {
    let bytes = snapshot();
    let [emails, links, domains, ledger] = sections(&bytes);
    for at in [emails, links, domains] {
        let at = at + shard_with_a_key(&bytes[at..]);
        for count in [0, 2, 3, u32::MAX >> 8, u32::MAX] {
            assert!(invalid(with(at, 4, &count.to_le_bytes())), "{count} keys at {at}");
        }
    }
    let providers = ledger + 5 * 8;
    for count in [0, 2, 1 << 63, u64::MAX] {
        assert!(invalid(with(providers, 8, &count.to_le_bytes())), "{count} providers");
    }
    let spelling = providers + 8;
    for count in [0, 4, 6, 1 << 63, u64::MAX] {
        assert!(invalid(with(spelling, 8, &count.to_le_bytes())), "a name of {count} bytes");
    }
    let facts = spelling + 8 + "Users".len();
    let others = facts + 8 + 12;
    for at in [facts, others] {
        for count in [0, 2, 1 << 32, 1 << 63, u64::MAX, u64::MAX / 12 + 2, u64::MAX / 4 + 2] {
            assert!(invalid(with(at, 8, &count.to_le_bytes())), "{count} facts at {at}");
        }
    }
}

#[test]
fn more_records_than_can_be_are_invalid() {
    let [.., ledger] = sections(&snapshot());
    // In O11 nobody is left out for never having logged in.
    assert!(invalid(with(ledger + 4 * 8, 8, &1_u64.to_le_bytes())));
    for at in (0..4).map(|reason| ledger + reason * 8).chain([HEAD]) {
        assert!(invalid(with(at, 8, &(MOST_RECORDS + 1).to_le_bytes())));
        let counter = with(at, 8, &MOST_RECORDS.to_le_bytes()).unwrap();
        let report = counter.report();
        assert_eq!((report.records - 2) + report.rejected, MOST_RECORDS);
        // Nor can they be had by merging.
        let mut merged = Counter::restore(subscription(), &key(), &counter.snapshot()).unwrap();
        assert_eq!(merged.merge(&counter), Err(crate::MergeError::Full));
        assert_eq!(merged.snapshot(), counter.snapshot());
    }
}

#[test]
fn ids_that_were_not_given_are_invalid() {
    let [.., ledger] = sections(&snapshot());
    let facts = ledger + 5 * 8 + 8 + 8 + "Users".len() + 8;
    let words = [facts, facts + 4, facts + 8, facts + 12 + 8];
    for at in words {
        for id in [1 << 6, (1 << 6) | 63, 2 << 6, 63, u32::MAX, 1 << 31] {
            // One of the 64 shards has a key; another's first id is none.
            let given = snapshot()[at..at + 4] == u32::to_le_bytes(id);
            assert!(given || invalid(with(at, 4, &id.to_le_bytes())), "{id} at {at}");
        }
        assert!(with(at, 4, &[0; 4]).is_ok(), "no email, login or domain");
    }
}

#[test]
fn a_fingerprint_that_is_there_twice_is_invalid() {
    let bytes = snapshot();
    for section in &sections(&bytes)[..3] {
        let at = section + shard_with_a_key(&bytes[*section..]);
        let twice = [&2_u32.to_le_bytes(), &bytes[at + 4..at + 16], &bytes[at + 4..at + 16]].concat();
        assert!(invalid(with(at, 16, &twice)));
        let other = [&2_u32.to_le_bytes(), &bytes[at + 4..at + 16], &[7; 12][..]].concat();
        assert!(with(at, 16, &other).is_ok());
        // That of no text.
        let absent = [&2_u32.to_le_bytes(), &bytes[at + 4..at + 16], &[0; 12][..]].concat();
        assert!(invalid(with(at, 16, &absent)));
    }
}

#[test]
fn a_provider_that_no_record_could_name_is_invalid() {
    let [.., ledger] = sections(&snapshot());
    let spelling = ledger + 5 * 8 + 8;
    for name in [&b" Users"[..], b"Users\n", b"", b"Us\xffrs", b" ", b"serviceCENTER", b"Retired"] {
        let name = [&(name.len() as u64).to_le_bytes()[..], name].concat();
        assert!(invalid(with(spelling, 8 + 5, &name)), "{name:?}");
    }
    // The same one twice, in two spellings.
    let bytes = snapshot();
    let provider = &bytes[spelling..bytes.len() - SEAL];
    let mut other = provider.to_vec();
    other[8..13].copy_from_slice(b"uSERS");
    let two = [&2_u64.to_le_bytes()[..], provider, &other].concat();
    assert!(invalid(with(spelling - 8, 8 + provider.len(), &two)));
    other[8..13].copy_from_slice(b"Super");
    let two = [&2_u64.to_le_bytes()[..], provider, &other].concat();
    assert_eq!(with(spelling - 8, 8 + provider.len(), &two).unwrap().report().records, 4);
}

#[test]
fn a_provider_without_records_is_invalid() {
    let bytes = snapshot();
    let [.., ledger] = sections(&bytes);
    let providers = ledger + 5 * 8;
    let provider = &bytes[providers + 8..bytes.len() - SEAL];
    let none = [&5_u64.to_le_bytes()[..], b"Empty", &[0; 16]].concat();
    let two = |provider: &[u8], other: &[u8]| [&2_u64.to_le_bytes()[..], provider, other].concat();
    for providers_of in [two(provider, &none), two(&none, provider)] {
        assert!(invalid(with(providers, 8 + provider.len(), &providers_of)));
    }
}

#[test]
fn another_build_s_normal_forms_are_refused() {
    let at = HEAD - 16;
    let mut other = snapshot()[at..HEAD].to_vec();
    other[0] ^= 1;
    assert_eq!(with(at, 16, &other).err(), Some(SnapshotError::Normalisation));
}

#[test]
fn a_name_is_newer_than_the_tables() {
    let is_known = |name| crate::EmailAddress::parse(name).is_some();
    assert!(is_known("a@\u{32B9A}.example"), "of Unicode 17");
    assert!(!is_known(NEWEST), "these tables need a newer name, or newer ones still are not told from them");
}

#[test]
fn subscriptions_differ_in_their_fingerprints() {
    let runtime = |name: &str| Runtime { name: name.into(), version: "11.28.0".parse().ok(), ..Runtime::default() };
    let of = |runtimes: Vec<Runtime>, capacity| {
        let subscription = Subscription::new(Platform::O11, runtimes, capacity).unwrap();
        of_subscription(&subscription, &Counter::new(subscription.clone(), &key()).terms.setting).to_le_bytes()
    };
    let odc = Runtime { name: "a".into(), ..Runtime::default() };
    let odc = Subscription::new(Platform::Odc, vec![odc], None).unwrap();
    let other_policy = Runtime {
        internal_domains: crate::DomainPolicy::parse_with(
            "x.example",
            &crate::PublicSuffixes::parse("// ===BEGIN ICANN DOMAINS===\ncom\n// ===END ICANN DOMAINS===\n").unwrap(),
        )
        .unwrap(),
        ..runtime("a")
    };
    let mut all = vec![
        of(vec![runtime("a")], None),
        of(vec![runtime("ab")], None),
        of(vec![runtime("a"), runtime("b")], None),
        of(vec![runtime("b"), runtime("a")], None),
        of(vec![Runtime { version: "11.28.1".parse().ok(), ..runtime("a") }], None),
        of(vec![Runtime { disabled_providers: vec!["b".into()], ..runtime("a") }], None),
        of(vec![Runtime { disabled_providers: vec!["b".into(), "c".into()], ..runtime("a") }], None),
        of(vec![Runtime { disabled_providers: vec!["bc".into()], ..runtime("a") }], None),
        of(vec![other_policy], None),
        of(vec![runtime("a")], Some(Capacity::named(1))),
        of(vec![runtime("a")], Some(Capacity::named(2))),
        of(vec![runtime("a")], Some(Capacity::internal_external(1, 1))),
        of(vec![runtime("a")], Some(Capacity::internal_external(1, 2))),
        of_subscription(&odc, &Counter::new(odc.clone(), &key()).terms.setting).to_le_bytes(),
    ];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 14);
}
