//! What adding records allocates: nothing for one whose texts are ASCII and
//! known, and a bounded amount for what only a mistake brings in great number.

mod allocator;

use allocator::{allocations, peak};
use headcount::{Counter, DomainPolicy, FingerprintKey, Outcome, Platform, Runtime, Subscription, UserRecord};

/// A hundred people in two providers and two tenants of either, of whom some
/// are inactive, some have a login for an address, and some an invalid email.
fn people() -> Vec<UserRecord<'static>> {
    let person = |number: usize| UserRecord {
        runtime: "prod".into(),
        provider: [None, Some("Portal".into())][number % 2].clone(),
        tenant: [None, Some("Acme".into())][number / 2 % 2].clone(),
        username: Some(format!("User{number}@Corp{}.example", number % 7).into()),
        email: [None, Some("nobody@".into()), Some(format!("U{number}@Other.example").into())][number % 3].clone(),
        is_active: Some(number % 5 != 0),
        ..UserRecord::default()
    };
    (0..100).map(person).collect()
}

fn warm_counter(people: &[UserRecord]) -> Counter {
    let runtime = Runtime {
        name: "prod".into(),
        version: Some("11.28.0".parse().expect("a version")),
        internal_domains: DomainPolicy::parse("corp0.example, corp1.example").expect("a policy"),
        ..Runtime::default()
    };
    let subscription = Subscription::new(Platform::O11, vec![runtime], None).expect("a subscription");
    let mut counter = Counter::new(subscription, &FingerprintKey::public_for_tests(1));
    counter.add_all(people.iter().cloned()).expect("a known runtime");
    for record in people {
        counter.add(record).expect("a known runtime");
    }
    counter
}

#[test]
fn a_known_ascii_record_allocates_nothing() {
    let people = people();
    let mut counter = warm_counter(&people);
    // A counted record takes its 12 bytes, so the four lists of facts (by
    // provider and tenant) take a new piece now and then, twice as long as the
    // last: to 25,000 facts that is 13 pieces each, and three times a longer
    // list of pieces. Nothing else may allocate.
    let mut allocating = 0;
    for _ in 0..1_000 {
        for record in &people {
            let mut outcome = None;
            let made = allocations(|| outcome = counter.add(record).ok());
            assert!(made <= 2, "one list grows");
            assert!(made == 0 || matches!(outcome, Some(Outcome::Counted(_))), "an excluded record is a number");
            allocating += made;
        }
    }
    assert!(allocating <= 4 * (13 + 3), "{allocating} of 100,000 records allocated");
}

/// A column taken for the provider by mistake makes one of every row (X1).
/// Nothing is refused: each costs its name, some times over, and so many bytes,
/// the report's line for it included.
#[test]
fn a_user_provider_takes_at_most_so_many_bytes() {
    // One more than fills a list that doubles.
    const MANY: usize = (1 << 16) + 1;
    const AT_MOST: i64 = 768;
    let name = |number: usize| format!("Provider{number:08}");
    // One in its default tenant and one in another.
    let records = (0..2 * MANY).map(|number| UserRecord {
        runtime: "prod".into(),
        provider: Some(name(number / 2).into()),
        tenant: [None, Some("Acme".into())][number % 2].clone(),
        username: Some("ana".into()),
        ..UserRecord::default()
    });
    let mut counter = warm_counter(&[]);
    let (taken, report) = peak(|| {
        counter.add_all(records).expect("a known runtime");
        counter.report()
    });
    assert_eq!(report.runtimes[0].providers.len(), MANY);
    let each = taken / i64::try_from(MANY).expect("a small number");
    println!("{each} bytes a user provider, with a name of {}", name(0).len());
    assert!(each <= AT_MOST, "{each} bytes a user provider");
}
