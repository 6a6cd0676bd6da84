//! The counter against the hand-written baseline, in one run, on one thread:
//! time and peak memory, as ratios.
//!
//! `cargo bench --bench versus -- [RECORDS]`, 5 million by default. Fails
//! where the two disagree on any tally, or, from a million records on, where
//! the counter is less than 8 times faster or takes more than a fifth of the
//! memory. What is wanted is 10 times; see CHANGELOG.md, known shortfalls.

#![allow(clippy::cast_precision_loss)] // Ratios for people.

mod baseline;
mod measure;
mod population;

use std::time::Duration;

use headcount::{Counter, FingerprintKey, Report};

use crate::baseline::{Baseline, Tally};
use crate::measure::{each, live, peak, reset_peak, timed};

/// What one contestant took.
struct Result {
    name: &'static str,
    adding: Duration,
    reporting: Duration,
    live: usize,
    peak: usize,
    tallies: Vec<Tally>,
}

/// Feeds the population to a contestant. Making records is not timed.
fn run<C>(
    name: &'static str,
    size: u64,
    mut contestant: C,
    mut add: impl FnMut(&mut C, &population::Chunk),
    report: impl FnOnce(&mut C) -> Vec<Tally>,
) -> Result {
    let before = live();
    reset_peak();
    let mut adding = Duration::ZERO;
    population::in_chunks(size, |chunk| adding += timed(|| add(&mut contestant, chunk)).1);
    let live = live() - before;
    let (tallies, reporting) = timed(|| report(&mut contestant));
    Result { name, adding, reporting, live, peak: peak() - before, tallies }
}

fn tallies(report: &Report) -> Vec<Tally> {
    let people = report.runtimes.iter().map(|runtime| runtime.people).chain([report.global]);
    people.map(|people| (people.individuals.internal, people.individuals.external, people.duplicates)).collect()
}

fn main() {
    let size: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5_000_000);
    let key = || FingerprintKey::public_for_tests(1);
    let subscription = population::subscription();

    let add_all = |counter: &mut Counter, chunk: &population::Chunk| {
        counter.add_all(chunk.records()).expect("every record has a known runtime");
    };
    let add_each = |counter: &mut Counter, chunk: &population::Chunk| {
        for record in chunk.records() {
            counter.add(&record).expect("every record has a known runtime");
        }
    };
    let results = [
        run("hand-written", size, Baseline::new(&subscription), add_baseline, Baseline::tallies),
        run("Counter::add", size, Counter::new(subscription.clone(), &key()), add_each, |c| tallies(&c.report())),
        run("Counter::add_all", size, Counter::new(subscription, &key()), add_all, |c| tallies(&c.report())),
    ];

    let (internal, external, duplicates) = *results[0].tallies.last().expect("there is a global tally");
    let people = internal + external;
    println!("{size} records, {people} individuals ({:.1} %), {duplicates} duplicates", percent(people, size));
    println!("{:<18} {:>9} {:>9} {:>9} {:>8} {:>8}", "", "add", "report", "all", "live", "peak");
    println!("{:<18} {:>9} {:>9} {:>9} {:>8} {:>8}", "", "ns/rec", "ns/rec", "ns/rec", "B/rec", "B/rec");
    let each = |duration| each(duration, size);
    let all = |result: &Result| each(result.adding) + each(result.reporting);
    for result in &results {
        println!(
            "{:<18} {:>9.1} {:>9.1} {:>9.1} {:>8.1} {:>8.1}",
            result.name,
            each(result.adding),
            each(result.reporting),
            all(result),
            result.live as f64 / size as f64,
            result.peak as f64 / size as f64,
        );
    }
    let [baseline, .., counter] = &results;
    let faster = all(baseline) / all(counter);
    let smaller = baseline.peak as f64 / counter.peak as f64;
    println!("Counter::add_all against hand-written: {faster:.1} times faster, {smaller:.1} times smaller");

    for result in &results[1..] {
        assert_eq!(result.tallies, baseline.tallies, "{} and the baseline disagree", result.name);
    }
    if size >= 1_000_000 {
        assert!(faster >= 8.0, "less than 8 times faster");
        assert!(smaller >= 5.0, "more than a fifth of the memory");
    }
}

fn add_baseline(baseline: &mut Baseline, chunk: &population::Chunk) {
    for record in chunk.records() {
        baseline.add(&record);
    }
}

fn percent(part: u64, of: u64) -> f64 {
    part as f64 * 100.0 / of as f64
}
