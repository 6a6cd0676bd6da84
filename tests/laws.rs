//! Laws that hold for every stream of records, each by its name.

mod model;

use std::collections::BTreeMap;

use headcount::{
    AddError, Class, ClassTally, Counter, Exclusion, FingerprintKey, Outcome, Platform, Report, Standing, StoppedAt,
    Subscription, UserRecord, Version,
};
use model::feeding::{self, partition, without_spelling};
use model::streams::{Records, Stream, for_streams};

fn counter(subscription: &Subscription) -> Counter {
    feeding::counter(subscription, 1)
}

fn fed(subscription: &Subscription, records: &[UserRecord]) -> Counter {
    feeding::fed(subscription, 1, records)
}

fn report(subscription: &Subscription, records: &[UserRecord]) -> Report {
    fed(subscription, records).report()
}

#[test]
fn order_of_records_does_not_matter() {
    for_streams(1, |random, Stream { subscription, records, .. }| {
        let counter = fed(&subscription, &records);
        let shuffled = fed(&subscription, &random.shuffled(&records));
        assert_eq!(without_spelling(counter.report()), without_spelling(shuffled.report()));
        assert_eq!(partition(&counter, &records), partition(&shuffled, &records));
    });
}

#[test]
fn exact_repetition_changes_no_individuals_where_records_link() {
    // D2: of O11, within a runtime.
    let links_since: Version = "11.11.3".parse().expect("a version");
    for_streams(2, |_, Stream { subscription, records, .. }| {
        let mut counter = fed(&subscription, &records);
        for record in &records {
            let before = counter.report();
            let standing = counter.individuals().of(record);
            counter.add(record).expect("a known runtime");
            let after = counter.report();
            match standing.expect("a known runtime") {
                Standing::Excluded(_) => assert_eq!(before.global, after.global),
                Standing::Alone(_) => {
                    assert_eq!(before.global.individuals.total() + 1, after.global.individuals.total());
                }
                Standing::Linked { .. } => {
                    assert_eq!(before.global.individuals, after.global.individuals);
                    assert_eq!(before.global.mixed_class, after.global.mixed_class);
                    assert_eq!(before.global.duplicates + 1, after.global.duplicates);
                    let scopes = subscription.runtimes().iter().zip(before.runtimes.iter().zip(&after.runtimes));
                    for (runtime, (before, after)) in scopes {
                        if before.records == after.records {
                            assert!(before == after, "another runtime");
                        } else if runtime.version.is_none_or(|version| version >= links_since) {
                            assert_eq!(before.people.individuals, after.people.individuals);
                        } else {
                            // D4: each record is an individual.
                            assert_eq!(before.people.individuals.total() + 1, after.people.individuals.total());
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn the_key_does_not_matter() {
    for_streams(3, |random, Stream { subscription, other, records }| {
        let one = fed(&subscription, &records);
        let secret = std::array::from_fn(|_| random.pick(&[1, 7, 255]));
        let key = FingerprintKey::from_secret(secret).expect("not all zeros");
        let mut two = Counter::new(subscription, &key);
        two.add_all(records.iter().cloned()).expect("known runtimes");
        assert_eq!(one.report(), two.report());
        assert_eq!(one.report_under(&other), two.report_under(&other));
        assert_eq!(partition(&one, &records), partition(&two, &records));
    });
}

#[test]
fn reports_add_up() {
    for_streams(4, |_, Stream { subscription, records, .. }| {
        let report = report(&subscription, &records);
        let mut counted = 0;
        let mut individuals = 0;
        for runtime in &report.runtimes {
            // T1, T3, T4.
            assert_eq!(runtime.records, runtime.counted + runtime.excluded.total());
            let reasons = Exclusion::ALL.iter().map(|reason| runtime.excluded.of(*reason));
            assert_eq!(runtime.excluded.total(), reasons.sum());
            let distributed = runtime.providers.iter().map(|provider| provider.records.total());
            assert_eq!(runtime.counted, distributed.sum());
            assert!(runtime.providers.iter().all(|provider| provider.records.total() > 0));
            assert_eq!(runtime.people.duplicates, runtime.counted - runtime.people.individuals.total());
            assert!(runtime.people.mixed_class <= runtime.people.duplicates, "a mixed individual has two records");
            counted += runtime.counted;
            individuals += runtime.people.individuals.total();
        }
        assert_eq!(report.records, records.len() as u64);
        assert_eq!(report.records, report.runtimes.iter().map(|runtime| runtime.records).sum());
        assert_eq!(report.global.duplicates, counted - report.global.individuals.total());
        assert!(report.global.mixed_class <= report.global.duplicates);
        // T6.
        assert!(report.global.individuals.total() <= individuals);
    });
}

#[test]
fn adding_a_record_changes_individuals_by_at_most_one_up() {
    for_streams(5, |_, Stream { subscription, records, .. }| {
        let mut counter = counter(&subscription);
        let totals = |counter: &Counter| -> Vec<u64> {
            let report = counter.report();
            let scopes = report.runtimes.iter().map(|runtime| runtime.people).chain([report.global]);
            scopes.map(|people| people.individuals.total()).collect()
        };
        let mut before = totals(&counter);
        for record in &records {
            counter.add(record).expect("a known runtime");
            let after = totals(&counter);
            for (before, after) in before.iter().zip(&after) {
                assert!(*after <= before + 1);
                // An email and a login join two individuals at most (D2), a key none (D5).
                let joined = u64::from(subscription.platform() == Platform::O11);
                assert!(after + joined >= *before);
            }
            before = after;
        }
    });
}

#[test]
fn add_and_add_all_agree() {
    for_streams(6, |random, Stream { subscription, records, .. }| {
        let at_once = fed(&subscription, &records);
        let mut one_by_one = counter(&subscription);
        let mut in_turns = counter(&subscription);
        let mut rest = &records[..];
        while let Some((record, behind)) = rest.split_first() {
            if random.one_in(2) {
                in_turns.add(record).expect("a known runtime");
                rest = behind;
            } else {
                let (some, behind) = rest.split_at(random.below(rest.len() + 1));
                in_turns.add_all(some.iter().cloned()).expect("known runtimes");
                rest = behind;
            }
        }
        for record in &records {
            one_by_one.add(record).expect("a known runtime");
        }
        for other in [one_by_one, in_turns] {
            assert_eq!(at_once.report(), other.report());
            assert_eq!(partition(&at_once, &records), partition(&other, &records));
        }
    });
}

#[test]
fn a_report_changes_nothing() {
    for_streams(7, |_, Stream { subscription, other, records }| {
        let mut watched = counter(&subscription);
        for record in &records {
            watched.add(record).expect("a known runtime");
            let report = watched.report();
            let under = watched.report_under(&other);
            partition(&watched, &records);
            assert_eq!(watched.report(), report);
            assert_eq!(watched.report_under(&other), under);
        }
        assert_eq!(watched.report(), report(&subscription, &records));
    });
}

#[test]
fn excluded_records_bridge_nothing() {
    for_streams(8, |_, Stream { subscription, records, .. }| {
        let mut everyone = counter(&subscription);
        let mut included = Records::new();
        for record in &records {
            if let Outcome::Counted(_) = everyone.add(record).expect("a known runtime") {
                included.push(record.clone());
            }
        }
        let without = fed(&subscription, &included);
        let (with, without_them) = (everyone.report(), without.report());
        assert_eq!(with.global, without_them.global);
        assert_eq!(with.capacity, without_them.capacity);
        for (with, without) in with.runtimes.iter().zip(&without_them.runtimes) {
            assert_eq!(with.records - with.excluded.total(), without.records);
            assert_eq!((with.counted, with.people), (without.counted, without.people));
            assert_eq!(with.providers, without.providers, "T3, spelled as in the first counted record");
        }
        assert_eq!(partition(&everyone, &included), partition(&without, &included));
    });
}

#[test]
fn standings_agree_with_the_report() {
    for_streams(9, |_, Stream { subscription, records, .. }| {
        let mut counter = counter(&subscription);
        let outcomes: Vec<Outcome> = records.iter().map(|record| counter.add(record).expect("a runtime")).collect();
        let mut individuals = counter.individuals();
        let mut linked = BTreeMap::new();
        let mut alone = Vec::new();
        for (record, outcome) in records.iter().zip(outcomes) {
            match (individuals.of(record).expect("a runtime"), outcome) {
                (Standing::Excluded(said), Outcome::Excluded(reason)) => assert_eq!(said, reason),
                (Standing::Alone(said), Outcome::Counted(classification)) => {
                    assert_eq!(said, classification);
                    alone.push(said.class);
                }
                (Standing::Linked { record, individual, class }, Outcome::Counted(classification)) => {
                    assert_eq!(record, classification);
                    let known = linked.entry(individual).or_insert((class, vec![]));
                    assert_eq!(known.0, class, "one individual, one class");
                    known.1.push(record.class);
                }
                (standing, outcome) => panic!("{standing:?} after {outcome:?}"),
            }
        }
        let mixed = linked.values().filter(|(_, classes)| classes.iter().any(|class| *class != classes[0])).count();
        let of = |class: Class| {
            let linked = linked.values().filter(|(other, _)| *other == class).count();
            (linked + alone.iter().filter(|other| **other == class).count()) as u64
        };
        let individuals = ClassTally {
            internal: of(Class::Internal),
            external: of(Class::External),
            unclassified: of(Class::Unclassified),
        };
        let global = counter.report().global;
        assert_eq!((global.individuals, global.mixed_class), (individuals, mixed as u64));
    });
}

#[test]
fn ascii_case_and_white_space_do_not_matter() {
    for_streams(10, |random, Stream { subscription, records, .. }| {
        let mut shouted = records.clone();
        for record in &mut shouted {
            let UserRecord { provider, tenant, key, username, email, .. } = record;
            for text in [provider, tenant, key, username, email].into_iter().flatten() {
                let space = random.pick(&["", " ", "\r\n", "\u{3000}"]);
                *text = format!("{space}{}{space}", text.to_ascii_uppercase()).into();
            }
        }
        let (quiet, loud) = (fed(&subscription, &records), fed(&subscription, &shouted));
        assert_eq!(without_spelling(quiet.report()), without_spelling(loud.report()));
        assert_eq!(partition(&quiet, &records), partition(&loud, &shouted));
    });
}

#[test]
fn a_record_of_an_unknown_runtime_changes_nothing() {
    for_streams(11, |random, Stream { subscription, records, .. }| {
        let name = random.pick(&["", "PROD-A", "prod", "prod-a\u{200B}", "prod\u{2010}a"]);
        let stranger = UserRecord { runtime: name.into(), ..records[0].clone() };
        let place = random.below(records.len());
        let mut counter = counter(&subscription);
        let with_stranger = records[..place].iter().chain([&stranger]).chain(&records[place..]);
        let stopped = counter.add_all(with_stranger.cloned());
        assert_eq!(stopped, Err(StoppedAt { place: place as u64 + 1, source: AddError::UnknownRuntime }));
        assert_eq!(counter.report(), report(&subscription, &records[..place]));
        assert_eq!(counter.add(&stranger), Err(AddError::UnknownRuntime));
        assert!(matches!(counter.individuals().of(&stranger), Err(AddError::UnknownRuntime)));
        counter.add_all(records[place..].iter().cloned()).expect("known runtimes");
        assert_eq!(counter.report(), report(&subscription, &records));
    });
}
