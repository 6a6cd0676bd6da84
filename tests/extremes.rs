//! Input far larger than any honest one: no panic, no hang, no blow-up, and
//! the right count (X1, P4).
//!
//! With `HEADCOUNT_EXTREMES=1` a million domains and ten million user
//! providers; that takes 5 GB in release, which is advised.

use std::fmt::Write as _;

use headcount::{
    AddError, Class, Counter, DomainPolicy, FingerprintKey, Outcome, Platform, PublicSuffixes, Runtime, Subscription,
    UserRecord,
};

const MEGABYTE: usize = 1 << 20;

/// The larger number, if that is asked for.
fn up_to(usual: usize, largest: usize) -> usize {
    if std::env::var_os("HEADCOUNT_EXTREMES").is_some() { largest } else { usual }
}

fn runtime(name: &str, internal_domains: DomainPolicy) -> Runtime {
    Runtime { name: name.to_owned(), version: "11.28.0".parse().ok(), internal_domains, disabled_providers: vec![] }
}

fn counter(runtimes: Vec<Runtime>) -> Counter {
    let subscription = Subscription::new(Platform::O11, runtimes, None).unwrap();
    Counter::new(subscription, &FingerprintKey::public_for_tests(1))
}

fn suffixes() -> PublicSuffixes {
    PublicSuffixes::parse("// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n").unwrap()
}

/// X1: each field in turn is a megabyte, of ASCII, of two-byte letters, and of
/// a letter under half a million accents.
#[test]
fn fields_of_a_megabyte() {
    let texts = ["x".repeat(MEGABYTE), "é".repeat(MEGABYTE / 2), format!("e{}", "\u{301}".repeat(MEGABYTE / 2))];
    for text in &texts {
        let mut counter = counter(vec![runtime("prod", DomainPolicy::default())]);
        let huge = || Some(text.as_str().into());
        let address = format!("{text}@corp.example");
        let domain = format!("ana@{text}.example");
        let empty = || UserRecord { runtime: "prod".into(), ..UserRecord::default() };
        let records = [
            UserRecord { provider: huge(), name: Some("a".into()), ..empty() },
            UserRecord { tenant: huge(), name: Some("b".into()), ..empty() },
            UserRecord { key: huge(), name: Some("c".into()), ..empty() },
            UserRecord { username: huge(), ..empty() },
            UserRecord { email: huge(), ..empty() },
            UserRecord { email: Some(address.as_str().into()), ..empty() },
            UserRecord { email: Some(domain.as_str().into()), ..empty() },
            UserRecord { name: huge(), ..empty() },
            UserRecord { mobile_phone: huge(), ..empty() },
        ];
        for record in &records {
            assert!(matches!(counter.add(record), Ok(Outcome::Counted(_))));
        }
        // The same login once more: D2 whatever its length.
        counter.add(&records[3]).unwrap();
        assert_eq!(counter.report().global.individuals.total(), 9);
        let unknown = UserRecord { runtime: text.as_str().into(), ..empty() };
        assert_eq!(counter.add(&unknown), Err(AddError::UnknownRuntime));
    }
}

/// P4: there is no limit on the number of domains.
#[test]
fn a_policy_of_very_many_domains() {
    let many = up_to(100_000, 1_000_000);
    let mut list = String::new();
    for number in 0..many {
        write!(list, "d{number}.example,").unwrap();
    }
    let policy = DomainPolicy::parse_with(&list, &suffixes()).unwrap();
    assert_eq!(policy.len(), many);
    let mut counter = counter(vec![runtime("prod", policy)]);
    for (number, class) in [(0, Class::Internal), (many - 1, Class::Internal), (many, Class::External)] {
        let email = format!("ana{number}@D{number}.example");
        let record = UserRecord { runtime: "prod".into(), email: Some(email.into()), ..UserRecord::default() };
        assert!(matches!(counter.add(&record), Ok(Outcome::Counted(why)) if why.class == class), "{number}");
    }
    let global = counter.report().global.individuals;
    assert_eq!((global.internal, global.external), (2, 1));
}

/// Each of a thousand runtimes has records of its own, and one person uses all.
#[test]
fn a_thousand_runtimes() {
    let names: Vec<String> = (0..1_000).map(|number| format!("stage{number}")).collect();
    let mut counter = counter(names.iter().map(|name| runtime(name, DomainPolicy::default())).collect());
    for (number, name) in names.iter().enumerate() {
        for login in ["everywhere".to_owned(), format!("only{number}")] {
            let record =
                UserRecord { runtime: name.as_str().into(), username: Some(login.into()), ..UserRecord::default() };
            counter.add(&record).unwrap();
        }
    }
    let report = counter.report();
    assert!(report.runtimes.iter().all(|runtime| runtime.people.individuals.total() == 2));
    assert_eq!((report.global.individuals.total(), report.global.duplicates), (1_001, 999));
    assert_eq!(counter.report_in_parallel(3.try_into().unwrap()), report);
    let restored =
        Counter::restore(counter.subscription().clone(), &FingerprintKey::public_for_tests(1), &counter.snapshot());
    assert_eq!(restored.unwrap().report(), report);
}

/// A column taken for the provider by mistake makes one of every row (X1): each
/// is listed, in its own line of the report.
#[test]
fn very_many_user_providers() {
    let many = up_to(50_000, 10_000_000);
    let mut counter = counter(vec![runtime("prod", DomainPolicy::default())]);
    let records = (0..many).map(|number| UserRecord {
        runtime: "prod".into(),
        provider: Some(format!("Provider{number}").into()),
        username: Some(format!("user{}", number / 2).into()),
        ..UserRecord::default()
    });
    counter.add_all(records).unwrap();
    let report = counter.report();
    assert_eq!(report.runtimes[0].providers.len(), many);
    assert!(report.runtimes[0].providers.iter().all(|provider| provider.records.total() == 1));
    assert_eq!(report.global.individuals.total(), many as u64 / 2);
}

/// More domains than a preparer keeps in mind, each twice.
#[test]
fn two_hundred_thousand_domains() {
    let policy = DomainPolicy::parse_with("d7.example, d199999.example", &suffixes()).unwrap();
    let mut counter = counter(vec![runtime("prod", policy)]);
    for _ in 0..2 {
        let records = (0..200_000).map(|number| UserRecord {
            runtime: "prod".into(),
            email: Some(format!("ana@d{number}.example").into()),
            ..UserRecord::default()
        });
        counter.add_all(records).unwrap();
    }
    let global = counter.report().global;
    assert_eq!((global.individuals.internal, global.individuals.external, global.duplicates), (2, 199_998, 200_000));
}
