//! How the counter scales: its parts, threads, size, odd populations, merging
//! and snapshots, as ratios measured in one run.
//!
//! `cargo bench --bench scale -- [RECORDS] [parts] [threads] [odd] [merge]
//! [snapshot]`, a million by default and all sections; BENCHMARKS.md has the
//! figures of 10 and 100 million. Fails where any two ways of counting
//! disagree, and, from a million records on, where a ratio is worse than the
//! bounds at the end of each section, which leave room for a noisy machine.

#![allow(clippy::cast_precision_loss)] // Ratios for people.

mod measure;
mod population;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use headcount::{Counter, FingerprintKey, Report, UserRecord};
use siphasher::sip128::SipHasher24;

use crate::measure::{each, live, peak, reset_peak, timed};

fn key() -> FingerprintKey {
    FingerprintKey::public_for_tests(1)
}

fn counter() -> Counter {
    Counter::new(population::subscription(), &key())
}

fn main() {
    let size: u64 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let judged = size >= 1_000_000;
    println!("{size} records, {} cores", std::thread::available_parallelism().map_or(1, usize::from));
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word.chars().all(char::is_alphabetic)).collect();
    let wanted = |section: &str| words.is_empty() || words.iter().any(|word| word == section);
    let (report, one) = on_one_thread(size, judged);
    if wanted("parts") {
        parts(size.min(5_000_000), one, judged);
    }
    if wanted("threads") {
        on_threads(size, &report, judged);
    }
    if wanted("odd") {
        odd_populations(size, one, judged);
    }
    if wanted("merge") {
        merging(size, &report, judged);
    }
    if wanted("snapshot") {
        snapshots(size, &report, judged);
    }
}

/// One thread, a chunk at a time, so that the population takes no memory.
/// Returns the report and nanoseconds a record.
fn on_one_thread(size: u64, judged: bool) -> (Report, f64) {
    let small = size.min(1_000_000);
    let (_, of_small, ..) = feed(small);
    let (report, of_all, held, most) = feed(size);
    let (held, most) = (held as f64 / size as f64, most as f64 / size as f64);
    println!(
        "one thread: {of_all:.0} ns a record, {held:.1} bytes live, {most:.1} at the most ({:.2} times)",
        most / held
    );
    println!("growth: {:.2} times the nanoseconds a record of {small} records ({of_small:.0})", of_all / of_small);
    if judged {
        // Small counters have more room than they need in each of their parts.
        assert!(most <= if size >= 5_000_000 { 41.0 } else { 45.0 }, "{most} bytes a record");
        assert!(most <= held * 1.25, "the most is over 1.25 times what is live");
        assert!(of_all <= of_small * 2.0, "twice as slow as a million records");
    }
    (report, of_all)
}

fn feed(size: u64) -> (Report, f64, usize, usize) {
    let before = live();
    reset_peak();
    let mut counter = counter();
    let mut adding = Duration::ZERO;
    population::in_chunks(size, |chunk| {
        adding += timed(|| counter.add_all(chunk.records()).expect("known runtimes")).1;
    });
    let held = live() - before;
    let (report, reporting) = timed(|| counter.report());
    (report, each(adding + reporting, size), held, peak() - before)
}

/// What cannot be avoided, each part alone, against the whole.
fn parts(size: u64, whole: f64, judged: bool) {
    let (mut parsing, mut hashing) = (Duration::ZERO, Duration::ZERO);
    let sip = SipHasher24::new_with_key(&[7; 16]);
    let mut keys = Vec::new();
    let mut lowered: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    population::in_chunks(size, |chunk| {
        let records: Vec<UserRecord<'_>> = chunk.records().collect();
        lowered.resize_with(records.len(), Default::default);
        parsing += timed(|| {
            for (record, (login, email)) in records.iter().zip(&mut lowered) {
                for (text, lowered) in [(&record.username, login), (&record.email, email)] {
                    let text = text.as_deref().unwrap_or_default().trim();
                    lowered.clear();
                    lowered.extend_from_slice(text.as_bytes());
                    lowered.make_ascii_lowercase();
                }
                black_box(record.email.as_deref().and_then(|email| email.as_bytes().iter().rposition(|b| *b == b'@')));
            }
        })
        .1;
        hashing += timed(|| {
            for (login, email) in &lowered {
                let (login, email) = (sip.hash(login), sip.hash(email));
                keys.push([login.h1 >> 32, email.h1 >> 32]);
            }
        })
        .1;
    });
    // A table of 16-byte slots as long as both kinds of keys need, read in
    // batches so that the processor overlaps the misses.
    let table: Vec<[u64; 2]> = vec![[1; 2]; usize::try_from(size * 2).expect("it fits").next_power_of_two()];
    let mask = table.len() - 1;
    let ((), probing) = timed(|| {
        for batch in keys.chunks(64) {
            let place = |key: &u64| usize::try_from(*key).unwrap_or(0).wrapping_mul(0x9e37_79b9) & mask;
            black_box(batch.iter().flatten().fold(0, |all, key| all ^ table[place(key)][0]));
        }
    });
    let [parsing, hashing, probing] = [parsing, hashing, probing].map(|part| each(part, size));
    let sum = parsing + hashing + probing;
    println!(
        "parts: trim, lower case, find @ {parsing:.0}; hash two keys {hashing:.0}; probe two {probing:.0}: {sum:.0} ns; \
         the whole is {:.2} times that",
        whole / sum
    );
    assert!(!judged || whole / sum < 8.0, "eight times what cannot be avoided");
}

/// The population in memory, on one thread and on more.
fn on_threads(size: u64, report: &Report, judged: bool) {
    // What does not fit into memory beside the counter is left out.
    let size = size.min(10_000_000);
    let chunks = chunks(size);
    let expected = if size < report.records { None } else { Some(report) };
    let mut single = 0.0;
    for threads in [1, 2, 4] {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let run = |_| {
            let mut counter = counter();
            let chunks = chunks.iter().map(population::Chunk::records);
            let ((), adding) = timed(|| counter.add_in_parallel(threads, chunks).expect("known runtimes"));
            let (again, reporting) = timed(|| counter.report_in_parallel(threads));
            assert!(expected.is_none_or(|expected| *expected == again), "{threads} threads disagree with one");
            each(adding + reporting, size)
        };
        // The best of three: neighbours only make it slower.
        let both = (0..3).map(run).fold(f64::INFINITY, f64::min);
        if threads.get() == 1 {
            single = both;
        }
        let faster = single / both;
        println!("{threads} threads, {size} records: {both:.0} ns a record, {faster:.2} times faster than 1");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(!judged || threads.get() != 2 || cores < 2 || faster > 1.3, "two threads are of no use");
    }
}

fn chunks(size: u64) -> Vec<population::Chunk> {
    let chunk = |from: u64| {
        let mut chunk = population::Chunk::default();
        chunk.fill(size, from, size.min(from + 4096));
        chunk
    };
    (0..size).step_by(4096).map(chunk).collect()
}

/// Populations that are all one shape.
fn odd_populations(size: u64, ordinary: f64, judged: bool) {
    type Shape = fn(u64) -> [Option<u64>; 2];
    // A login and an email by number, and how many individuals there are.
    let shapes: [(&str, Shape, u64); 5] = [
        ("one chain", |number| [Some(number.div_ceil(2)), Some(number / 2)], 1),
        ("one star", |number| [Some(number), Some(0)], 1),
        ("one email", |_| [None, Some(0)], 1),
        ("one login, all emails", |number| [Some(0), Some(number)], 1),
        ("all distinct", |number| [Some(number), Some(number)], size),
    ];
    for (name, shape, individuals) in shapes {
        let mut counter = counter();
        let mut adding = Duration::ZERO;
        for from in (0..size).step_by(4096) {
            let texts: Vec<[Option<String>; 2]> = (from..size.min(from + 4096))
                .map(|number| {
                    let [login, email] = shape(number);
                    [login.map(|n| format!("login{n}")), email.map(|n| format!("user{n}@mycompany.example"))]
                })
                .collect();
            let records = texts.iter().map(|[login, email]| UserRecord {
                runtime: "prod-eu".into(),
                username: login.as_deref().map(Into::into),
                email: email.as_deref().map(Into::into),
                ..UserRecord::default()
            });
            adding += timed(|| counter.add_all(records).expect("known runtimes")).1;
        }
        let (report, reporting) = timed(|| counter.report());
        assert_eq!(report.global.individuals.total(), individuals, "{name}");
        let all = each(adding + reporting, size);
        println!("{name}: {all:.0} ns a record, {:.2} times the ordinary population", all / ordinary);
        assert!(!judged || all <= ordinary * 2.5, "{name} is slow");
    }
}

/// Two halves put together, against adding the second one's records.
fn merging(size: u64, report: &Report, judged: bool) {
    let mut halves = [counter(), counter()];
    let mut adding = Duration::ZERO;
    let mut at = 0;
    population::in_chunks(size, |chunk| {
        let half = &mut halves[usize::from(at >= size / 2)];
        let taken = timed(|| half.add_all(chunk.records()).expect("known runtimes")).1;
        adding += if at >= size / 2 { taken } else { Duration::ZERO };
        at += 4096;
    });
    let [mut first, second] = halves;
    let ((), merging) = timed(|| first.merge(&second).expect("one key, one subscription"));
    assert_eq!(first.report(), *report, "merged halves disagree with the whole");
    let ratio = merging.as_secs_f64() / adding.as_secs_f64();
    println!("merging two halves: {ratio:.2} times adding the second one's records");
    assert!(!judged || ratio <= 1.0, "merging is slower than adding");
}

/// Into bytes and back.
fn snapshots(size: u64, report: &Report, judged: bool) {
    let mut counter = counter();
    population::in_chunks(size, |chunk| counter.add_all(chunk.records()).expect("known runtimes"));
    let (snapshot, taking) = timed(|| counter.snapshot());
    drop(counter);
    let (restored, restoring) = timed(|| Counter::restore(population::subscription(), &key(), &snapshot));
    let restored = restored.expect("a snapshot");
    assert_eq!(restored.report(), *report, "restored, it disagrees");
    assert_eq!(restored.snapshot(), snapshot, "restored, its snapshot is another");
    let speed = |taken: Duration| snapshot.len() as f64 / 1e6 / taken.as_secs_f64();
    let bytes = snapshot.len() as f64 / size as f64;
    println!(
        "snapshot: {bytes:.1} bytes a record, taken at {:.0} MB/s, restored at {:.0}",
        speed(taking),
        speed(restoring)
    );
    if judged {
        assert!(bytes <= 30.0, "{bytes} bytes a record");
        assert!(speed(taking) >= 250.0 && speed(restoring) >= 150.0, "snapshots are slow");
    }
}
