//! The counter and its parts by themselves, in elements a second.
//!
//! Each benchmark asserts its result, so that nothing is measured that was not
//! done.

#[path = "../baseline/mod.rs"]
mod baseline;
#[path = "../population/mod.rs"]
mod population;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use headcount::{Counter, Domain, DomainPolicy, EmailAddress, FingerprintKey};

const SIZE: u64 = 200_000;

fn counter() -> Counter {
    Counter::new(population::subscription(), &FingerprintKey::public_for_tests(1))
}

fn filled() -> Counter {
    let mut counter = counter();
    population::in_chunks(SIZE, |chunk| counter.add_all(chunk.records()).expect("every runtime is known"));
    counter
}

/// P4: a look-up costs the same however many domains there are.
fn policy(c: &mut Criterion) {
    let mut group = c.benchmark_group("DomainPolicy::contains");
    for size in [1, 1_000, 1_000_000] {
        let policy = DomainPolicy::from_domains((0..size).map(|n| format!("d{n}.example"))).expect("valid domains");
        let listed: Domain = "d0.example".parse().expect("a domain");
        let other: Domain = "other.example".parse().expect("a domain");
        group.throughput(Throughput::Elements(2));
        group.bench_with_input(BenchmarkId::from_parameter(size), &policy, |b, policy| {
            b.iter(|| assert!(policy.contains(&listed) && !policy.contains(&other)));
        });
    }
}

fn address(c: &mut Criterion) {
    let mut group = c.benchmark_group("EmailAddress::parse");
    for text in ["Ana.Lopes@MyCompany.example", "José@Bücher.example", "not an address"] {
        group.bench_with_input(BenchmarkId::from_parameter(text), text, |b, text| {
            b.iter(|| assert_eq!(EmailAddress::parse(text).is_some(), text.contains('@')));
        });
    }
}

fn counting(c: &mut Criterion) {
    let mut group = c.benchmark_group("200,000 records");
    group.throughput(Throughput::Elements(SIZE)).sample_size(10);
    let individuals = filled().report().global.individuals.total();
    group.bench_function("Counter::add_all", |b| {
        b.iter(|| assert_eq!(filled().report().global.individuals.total(), individuals));
    });
    group.bench_function("Counter::add", |b| {
        b.iter(|| {
            let mut counter = counter();
            population::in_chunks(SIZE, |chunk| {
                for record in chunk.records() {
                    counter.add(&record).expect("every runtime is known");
                }
            });
            assert_eq!(counter.report().global.individuals.total(), individuals);
        });
    });
    group.bench_function("hand-written", |b| {
        b.iter(|| {
            let mut baseline = baseline::Baseline::new(&population::subscription());
            population::in_chunks(SIZE, |chunk| chunk.records().for_each(|record| baseline.add(&record)));
            let tallies = baseline.tallies();
            let (internal, external, _) = tallies.last().expect("there is a global tally");
            assert_eq!(internal + external, individuals);
        });
    });
    group.bench_function("report", |b| {
        b.iter_batched_ref(
            filled,
            |counter| assert_eq!(counter.report().global.individuals.total(), individuals),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(parts, policy, address, counting);
criterion_main!(parts);
