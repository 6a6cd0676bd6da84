use super::*;
use crate::error::MergeError;
use crate::platform::Platform;
use crate::policy::DomainPolicy;
use crate::subscription::Runtime;
use crate::suffix::PublicSuffixes;

fn with_limit(limit: u32) -> Counter {
    let runtime = Runtime { name: "prod".into(), version: Some("11.28.0".parse().unwrap()), ..Runtime::default() };
    let subscription = Subscription::new(Platform::O11, vec![runtime], None).unwrap();
    Counter::with_limit(subscription, &FingerprintKey::public_for_tests(1), limit)
}

fn user(number: usize) -> UserRecord<'static> {
    UserRecord {
        runtime: "prod".into(),
        username: Some(format!("user{number}").into()),
        email: Some(format!("user{number}@domain{number}.example").into()),
        ..UserRecord::default()
    }
}

#[test]
fn a_full_counter_says_so_and_does_not_change() {
    let mut counter = with_limit(2);
    let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count();
    assert_eq!(counter.report().global.individuals.total(), taken as u64);
    let before = counter.snapshot();
    assert_eq!(counter.add(&user(taken)), Err(AddError::Full));
    assert!(counter.snapshot() == before, "no id was given either");
    assert!((2..=2 * 64).contains(&taken), "the limit is that of a shard, of which there are 64");
}

#[test]
fn a_full_counter_stops_a_batch_at_the_record_that_does_not_fit() {
    let mut counter = with_limit(2);
    let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count() as u64;
    let before = counter.snapshot();
    let mut counter = with_limit(2);
    let stopped = counter.add_all((0..1_000).map(user));
    assert_eq!(stopped, Err(StoppedAt { place: taken + 1, source: AddError::Full }));
    assert_eq!(counter.report().records, taken);
    assert!(counter.snapshot() == before, "as if the others had not been there");
}

#[test]
fn a_full_counter_stops_several_threads_at_a_chunk_that_may_not_fit() {
    for threads in [1, 2, 3] {
        let mut counter = with_limit(32);
        let users: Vec<UserRecord<'_>> = (0..2_000).map(user).collect();
        let chunks = users.chunks(7).map(|chunk| chunk.iter().cloned());
        let stopped = counter.add_in_parallel(threads.try_into().unwrap(), chunks).unwrap_err();
        assert_eq!(stopped.source, AddError::Full);
        let report = counter.report();
        assert_eq!((report.records + 1, report.records % 7), (stopped.place, 0));
        assert!(report.records >= 64, "there is room for 32 in each of 64 shards: {}", report.records);
        assert_eq!(report.global.individuals.total(), report.records);
        // More than one by one: `add` stops once a shard is full.
        let mut taken = with_limit(1_000);
        taken.add_all(users.iter().take(usize::try_from(report.records).unwrap()).cloned()).unwrap();
        assert!(counter.snapshot() == taken.snapshot(), "as if the others had not been there");
    }
}

#[test]
fn a_report_that_its_writer_does_not_take_is_an_error() {
    let mut counter = with_limit(2);
    counter.add(&user(0)).unwrap();
    let report = counter.report();
    let length = serde_json::to_vec(&report).unwrap().len();
    let mut room = vec![0; length];
    for end in 0..length {
        assert!(serde_json::to_writer(&mut room[..end], &report).is_err(), "{end} of {length} bytes");
    }
    serde_json::to_writer(&mut room[..], &report).unwrap();
}

#[test]
fn full_counters_do_not_merge_and_do_not_change() {
    let [mut counter, mut other] = [0, 1_000].map(|first| {
        let mut counter = with_limit(8);
        assert!((first..first + 1_000).any(|number| counter.add(&user(number)).is_err()));
        counter
    });
    let before = [counter.snapshot(), other.snapshot()];
    assert_eq!(counter.merge(&other), Err(MergeError::Full));
    assert_eq!([counter.snapshot(), other.snapshot()], before);
    // What both hold needs no room.
    let mut twin = with_limit(8);
    twin.merge(&counter).unwrap();
    counter.merge(&twin).unwrap();
    other.merge(&with_limit(8)).unwrap();
    assert_eq!(counter.report().global.individuals, twin.report().global.individuals);
    assert_eq!(counter.report().records, twin.report().records * 2);
}

#[test]
fn no_room_for_one_kind_is_no_room() {
    type Text = fn(usize) -> String;
    let none: Text = |_| String::new();
    let login: Text = |number| format!("user{number}");
    let email: Text = |number| format!("user{number}@domain.example");
    let domain: Text = |number| format!("user@domain{number}.example");
    for (what, tenant, username, address) in
        [("links", "", login, none), ("emails", "", none, email), ("domains", "Other", none, domain)]
    {
        let record = |number: usize| UserRecord {
            runtime: "prod".into(),
            tenant: Some(tenant.into()),
            username: Some(username(number).into()),
            email: Some(address(number).into()),
            ..UserRecord::default()
        };
        let [mut counter, mut other] = [8, 1_000].map(with_limit);
        counter.add_all((0..8).map(record)).unwrap();
        // Some ten a shard.
        other.add_all((1_000..1_640).map(record)).unwrap();
        let before = counter.snapshot();
        assert_eq!(counter.merge(&other), Err(MergeError::Full), "{what}");
        assert_eq!(counter.snapshot(), before, "{what}");
        let mut batch = counter.batch();
        (2_000..2_640).for_each(|number| batch.add(&record(number)).unwrap());
        assert_eq!(counter.take(&mut batch), Err(AddError::Full), "{what}");
        assert_eq!(counter.snapshot(), before, "{what}");
    }
}

#[test]
fn domains_are_told_apart_behind_so_many_that_all_are_forgotten() {
    let list = "// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n";
    let suffixes = PublicSuffixes::parse(list).unwrap();
    let mut counter = {
        let runtime = Runtime {
            name: "prod".into(),
            version: Some("11.28.0".parse().unwrap()),
            internal_domains: DomainPolicy::from_domains_with(["ours.example"], &suffixes).unwrap(),
            ..Runtime::default()
        };
        let subscription = Subscription::new(Platform::O11, vec![runtime], None).unwrap();
        Counter::new(subscription, &FingerprintKey::public_for_tests(1))
    };
    let record = |number: u64| {
        let domain = if number % 100 == 0 { "ours.example".to_owned() } else { format!("d{number}.example") };
        UserRecord {
            runtime: "prod".into(),
            email: Some(format!("user{number}@{domain}").into()),
            ..UserRecord::default()
        }
    };
    counter.add_all((0..65_000).map(record)).unwrap();
    counter.add_all((0..1_000).map(record)).unwrap();
    let people = counter.report().global;
    assert_eq!((people.individuals.internal, people.individuals.external), (650, 64_350));
    assert_eq!((people.duplicates, people.mixed_class), (1_000, 0));
}

#[test]
fn a_batch_that_does_not_fit_is_refused_whole() {
    // All share one login and domain: only emails are short of room.
    let user = |number: usize| UserRecord {
        username: Some("ana".into()),
        email: Some(format!("user{number}@domain.example").into()),
        ..user(number)
    };
    let mut counter = with_limit(2);
    let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count();
    assert!(taken >= 2);
    let before = counter.snapshot();
    // Fewer than wait together for their domains.
    for many in [60, 500] {
        let mut batch = counter.batch();
        (1_000..1_000 + many).for_each(|number| batch.add(&user(number)).unwrap());
        assert_eq!(counter.take(&mut batch), Err(AddError::Full));
        assert_eq!((batch.len(), counter.snapshot()), (many, before.clone()));
    }
    let mut batch = counter.batch();
    (0..taken).for_each(|number| batch.add(&user(number)).unwrap());
    assert_eq!(counter.take(&mut batch), Ok(()), "what is known needs no room");
}

#[test]
fn another_reading_is_of_the_same_platform_runtimes_and_disabled_providers() {
    let subscription = |names: &[&str], disabled: &[&str]| {
        let runtime = |name: &&str| Runtime {
            name: (*name).to_owned(),
            version: Some("11.28.0".parse().unwrap()),
            disabled_providers: disabled.iter().map(|&provider| provider.to_owned()).collect(),
            ..Runtime::default()
        };
        Subscription::new(Platform::O11, names.iter().map(runtime).collect(), None).unwrap()
    };
    let ours = subscription(&["prod", "prod-eu"], &["Old", "Caf\u{e9}"]);
    let counter = Counter::new(ours, &FingerprintKey::public_for_tests(1));
    let under = |other: &Subscription| counter.report_under(other).map(|report| report.records);
    let names = ["prod", "prod-eu"];
    assert_eq!(under(&subscription(&names, &["CAFE\u{301}", " old", "Old"])), Ok(0), "the same ones (N2)");

    let odc = Subscription::new(Platform::Odc, vec![Runtime { name: "prod".into(), ..Runtime::default() }], None);
    assert_eq!(under(&odc.unwrap()), Err(MismatchError::Platform));
    for names in [&["prod"][..], &["prod-eu", "prod"], &["prod", "prod-eu", "test"]] {
        assert_eq!(under(&subscription(names, &["Old", "Caf\u{e9}"])), Err(MismatchError::Runtimes), "{names:?}");
    }
    for disabled in [&[][..], &["Old"], &["Old", "Cafe"], &["Old", "Caf\u{e9}", "New"]] {
        let mismatch = MismatchError::DisabledProviders { runtime: "prod".into() };
        assert_eq!(under(&subscription(&names, disabled)), Err(mismatch), "{disabled:?}");
    }
}

#[test]
fn a_batch_of_another_counter_is_refused() {
    let (mut counter, other) = (with_limit(SHARD_LIMIT), with_limit(SHARD_LIMIT));
    let mut batch = other.batch();
    batch.add(&user(1)).unwrap();
    assert_eq!(counter.take(&mut batch), Err(AddError::OtherCounter));
    assert_eq!((batch.is_empty(), batch.len(), counter.report().records), (false, 1, 0));
}

#[test]
fn records_before_a_panicking_one_are_counted() {
    for place in [0, 1, 100, BATCH - 1, BATCH, BATCH + 1, 5_000] {
        let mut counter = with_limit(SHARD_LIMIT);
        let panicking = std::panic::AssertUnwindSafe(|| {
            let records = (0..).map(|number| if number == place { panic!("the iterator") } else { user(number) });
            counter.add_all(records)
        });
        assert!(std::panic::catch_unwind(panicking).is_err());
        assert_eq!(counter.report().records, place as u64);
        counter.add(&user(place)).unwrap();
        assert_eq!(counter.report().global.individuals.total(), place as u64 + 1);
    }
}
