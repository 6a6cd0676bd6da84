//! The ways in which records reach a counter. All must come to the same.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use headcount::{Counter, FingerprintKey, Report, Standing, Subscription, UserRecord};

use super::streams::Random;

/// A way to feed a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    AddAll,
    OneByOne,
    /// Several batches, filled side by side and used again.
    Batches,
    /// So many threads.
    Threads(usize),
    /// A counter for each part, merged by a tree.
    Merged,
    /// Away and back as a snapshot between any two parts.
    Restored,
    /// A way for each part.
    Mixed,
}

/// Threads cost the most and are the fewest.
const WAYS: [Way; 16] = [
    Way::AddAll,
    Way::OneByOne,
    Way::Batches,
    Way::Batches,
    Way::Batches,
    Way::Batches,
    Way::Threads(2),
    Way::Threads(3),
    Way::Merged,
    Way::Merged,
    Way::Merged,
    Way::Merged,
    Way::Restored,
    Way::Restored,
    Way::Mixed,
    Way::Mixed,
];

impl Way {
    pub fn any(random: &mut Random) -> Way {
        random.pick(&WAYS)
    }

    /// A counter that was given these records in this way.
    pub fn fed(self, random: &mut Random, subscription: &Subscription, key: u64, records: &[UserRecord]) -> Counter {
        let mut counter = counter(subscription, key);
        self.feed(random, &mut counter, key, records);
        counter
    }

    fn feed(self, random: &mut Random, counter: &mut Counter, key: u64, records: &[UserRecord]) {
        match self {
            Way::AddAll => counter.add_all(records.iter().cloned()).expect("known runtimes"),
            Way::OneByOne => {
                for record in records {
                    counter.add(record).expect("a known runtime");
                }
            }
            Way::Batches => feed_in_batches(random, counter, records),
            Way::Threads(threads) => {
                let chunks = parts(random, records).into_iter().map(|part| part.iter().cloned());
                counter.add_in_parallel(count(threads), chunks).expect("known runtimes");
            }
            Way::Merged => {
                let subscription = counter.subscription().clone();
                let counters = parts(random, records).into_iter().map(|part| fed(&subscription, key, part)).collect();
                if let Some(merged) = merged_by_a_tree(random, counters) {
                    counter.merge(&merged).expect("one key and subscription");
                }
            }
            Way::Restored => {
                for part in parts(random, records) {
                    restore(counter, key);
                    counter.add_all(part.iter().cloned()).expect("known runtimes");
                }
                restore(counter, key);
            }
            Way::Mixed => {
                for part in parts(random, records) {
                    let way = random.pick(&WAYS[..WAYS.len() - 2]);
                    way.feed(random, counter, key, part);
                }
            }
        }
    }
}

pub fn count(threads: usize) -> NonZeroUsize {
    NonZeroUsize::new(threads).expect("a thread at least")
}

pub fn counter(subscription: &Subscription, key: u64) -> Counter {
    Counter::new(subscription.clone(), &FingerprintKey::public_for_tests(key))
}

pub fn fed(subscription: &Subscription, key: u64, records: &[UserRecord]) -> Counter {
    let mut counter = counter(subscription, key);
    counter.add_all(records.iter().cloned()).expect("known runtimes");
    counter
}

/// Puts the counter's copy in its place.
fn restore(counter: &mut Counter, key: u64) {
    *counter = copied(counter, key);
}

pub fn copied(counter: &Counter, key: u64) -> Counter {
    let key = FingerprintKey::public_for_tests(key);
    Counter::restore(counter.subscription().clone(), &key, &counter.snapshot()).expect("a snapshot just taken")
}

/// Records in parts, some of which may be empty.
pub fn parts<'r, 's>(random: &mut Random, records: &'s [UserRecord<'r>]) -> Vec<&'s [UserRecord<'r>]> {
    let mut parts = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(random.below(rest.len() + 1));
        parts.push(part);
        rest = behind;
    }
    parts
}

/// Two batches that take turns, of which the second is filled first.
fn feed_in_batches(random: &mut Random, counter: &mut Counter, records: &[UserRecord]) {
    let mut batches = [counter.batch(), counter.batch()];
    for pair in parts(random, records).chunks(2) {
        for (batch, part) in batches.iter_mut().zip(pair).rev() {
            for record in *part {
                batch.add(record).expect("a known runtime");
            }
        }
        for batch in &mut batches {
            counter.take(batch).expect("the counter's own batch");
            assert!(batch.is_empty());
        }
    }
}

/// Merges neighbours until one is left, so that the order stays.
fn merged_by_a_tree(random: &mut Random, mut counters: Vec<Counter>) -> Option<Counter> {
    while counters.len() > 1 {
        let at = random.below(counters.len() - 1);
        let other = counters.remove(at + 1);
        counters[at].merge(&other).expect("one key and subscription");
    }
    counters.pop()
}

/// The report with every provider in matching form: which spelling is the
/// first depends on the order.
pub fn without_spelling(mut report: Report) -> Report {
    for provider in report.runtimes.iter_mut().flat_map(|runtime| &mut runtime.providers) {
        provider.name = super::matching_form(&provider.name);
    }
    report
}

/// By record, the place of the first record of its individual: a partition
/// that can be compared. Excluded records and those alone are by themselves.
pub fn partition(counter: &Counter, records: &[UserRecord]) -> Vec<usize> {
    let mut individuals = counter.individuals();
    let mut first = BTreeMap::new();
    let mut place = |(at, record)| match individuals.of(record).expect("a known runtime") {
        Standing::Linked { individual, .. } => *first.entry(individual).or_insert(at),
        Standing::Alone(_) | Standing::Excluded(_) => at,
    };
    records.iter().enumerate().map(&mut place).collect()
}
