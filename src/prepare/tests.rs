use super::*;
use crate::counter::Counter;
use crate::platform::Version;
use crate::record::UnixSeconds;

fn subscription(platform: Platform) -> Subscription {
    let version = (platform == Platform::O11).then_some(Version { major: 11, minor: 28, patch: 0 });
    let runtime = Runtime { name: "prod".to_owned(), version, ..Runtime::default() };
    Subscription::new(platform, vec![runtime], None).expect("a subscription")
}

fn preparer_for(platform: Platform) -> Preparer {
    Preparer::new(Arc::new(Terms::new(subscription(platform), &FingerprintKey::public_for_tests(1))))
}

fn preparer() -> Preparer {
    preparer_for(Platform::Odc)
}

/// Of a provider of its own, and of a domain that two others have too.
fn record(number: usize) -> UserRecord<'static> {
    UserRecord {
        provider: Some(format!("provider {number}").into()),
        email: Some(format!("ana@d{}.example", number / 3).into()),
        key: Some(format!("key {number}").into()),
        runtime: "prod".into(),
        last_login: Some(UnixSeconds(0)),
        ..UserRecord::default()
    }
}

#[test]
fn a_preparer_is_full_of_groups_or_of_domains() {
    let mut preparer = preparer();
    let mut rows = Rows::default();
    let records = |numbers: std::ops::Range<usize>| numbers.map(record);
    assert_eq!(preparer.push_all(records(0..GROUPS), &mut rows), None);
    assert!(!preparer.is_full());
    assert_eq!(preparer.push_all(records(GROUPS..GROUPS + 1), &mut rows), None);
    assert!(preparer.is_full());
    preparer.start_afresh();
    assert!(!preparer.is_full());

    let known = preparer.domains.len();
    for _ in known..Domains::MANY {
        preparer.domains.append(Fingerprint::ABSENT);
    }
    assert!(!preparer.is_full());
    preparer.domains.append(Fingerprint::ABSENT);
    assert!(preparer.is_full());
    preparer.start_afresh();
    assert!(!preparer.is_full() && preparer.domains.len() == known);
}

#[test]
fn as_many_rows_wait_and_providers_are_kept_in_mind_as_is_said() {
    let mut preparer = preparer();
    let mut rows = Rows::default();
    for number in 0..200 {
        assert_eq!(preparer.push(&record(number), &mut rows), Ok(()));
        assert_eq!(preparer.waiting.len(), (number + 1) % WAITING);
        assert_eq!(preparer.providers[0].len(), number % KNOWN_PROVIDERS + 1);
    }
}

#[test]
fn what_waited_is_wiped() {
    // In O11, since ODC fingerprints no local part (D5).
    let mut preparer = preparer_for(Platform::O11);
    let mut rows = Rows::default();
    // One is left that was not settled.
    for number in 0..=WAITING {
        assert_eq!(preparer.push(&record(number), &mut rows), Ok(()));
    }
    let any = Fingerprint([1, 2, 3, 5]);
    let is_wiped = |waiting: &Waiting| waiting.local.end(any) == Begun::NOTHING.end(any);
    assert!(!preparer.waiting.iter().all(is_wiped));
    preparer.wipe();
    assert_eq!((preparer.waiting.len(), preparer.waiting.capacity()), (WAITING, WAITING));
    assert!(preparer.waiting.iter().all(is_wiped));
}

#[test]
fn behind_a_fresh_start_groups_and_domains_are_counted_from_the_first() {
    let mut preparer = preparer();
    let prepared = |preparer: &mut Preparer, numbers: [usize; 4]| {
        let mut rows = Rows::default();
        assert_eq!(preparer.push_all(numbers.map(record), &mut rows), None);
        (rows.groups, rows.domains)
    };
    assert_eq!(prepared(&mut preparer, [1, 2, 3, 1]), (vec![0, 1, 2, 0], vec![1, 1, 2, 1]));
    assert_eq!(prepared(&mut preparer, [3, 2, 4, 7]), (vec![2, 1, 3, 4], vec![2, 1, 2, 3]));
    preparer.start_afresh();
    assert_eq!(prepared(&mut preparer, [3, 2, 4, 7]), (vec![0, 1, 2, 3], vec![1, 2, 1, 3]));
}

/// Whatever has been forgotten in between.
#[test]
fn a_counter_goes_on_behind_a_fresh_start() {
    let mut counter = Counter::new(subscription(Platform::Odc), &FingerprintKey::public_for_tests(1));
    for _ in 0..2 {
        counter.add_all((0..5000).map(record)).expect("a known runtime");
    }
    let report = counter.report();
    assert_eq!((report.global.individuals.total(), report.global.duplicates), (5000, 5000));
    assert_eq!(report.runtimes[0].providers.len(), 5000);
    assert!(report.runtimes[0].providers.iter().all(|provider| provider.records.total() == 2));
}
