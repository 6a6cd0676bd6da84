//! The contestants in Rust, each run in a process of its own.

use std::borrow::Cow;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use headcount::{Counter, FingerprintKey, Report, UserRecord};

use crate::baseline::{Baseline, Tally};
use crate::clock::Clock;
use crate::files::Files;
use crate::population::{self, Chunk};
use crate::{Options, Outcome, memory};

/// Records made at a time for contestants on one thread: they stay in cache.
const CHUNK: u64 = 1 << 12;

/// Runs a contestant in this process.
pub fn run(name: &str, options: &Options) -> Result<Option<Outcome>, Box<dyn Error>> {
    match name {
        "baseline" => hand_written(options.records).map(Some),
        "headcount" => one_thread(options.records).map(Some),
        "headcount-threads" => several_threads(options.records, options.threads).map(Some),
        "csv" => parse(options).map(Some),
        "count" => count(&options.program, options.threads).map(Some),
        _ => Err(format!("no contestant `{name}` in Rust").into()),
    }
}

fn outcome(clock: &Clock, before: u64, peak: u64, tallies: Vec<Tally>) -> Outcome {
    Outcome { seconds: clock.seconds(), cpu_seconds: clock.cpu_seconds(), before, peak, tallies, version: None }
}

/// Feeds the population to a contestant, some records at a time. Making
/// records is not timed.
fn fed<C>(
    size: u64,
    at_a_time: u64,
    make: impl FnOnce() -> C,
    mut add: impl FnMut(&mut C, &Chunk),
    tallies: impl FnOnce(&mut C) -> Vec<Tally>,
) -> Result<Outcome, Box<dyn Error>> {
    let mut chunk = Chunk::default();
    chunk.fill(size, 0, at_a_time.min(size));
    memory::forget_peak()?;
    let before = memory::now()?;
    let mut contestant = make();
    let mut clock = Clock::of_itself();
    let mut from = 0;
    while from < size {
        let to = size.min(from + at_a_time);
        chunk.fill(size, from, to);
        clock.time(|| add(&mut contestant, &chunk))?;
        from = to;
    }
    let tallies = clock.time(|| tallies(&mut contestant))?;
    Ok(outcome(&clock, before, memory::peak()?, tallies))
}

fn hand_written(size: u64) -> Result<Outcome, Box<dyn Error>> {
    let add = |baseline: &mut Baseline, chunk: &Chunk| chunk.records().for_each(|record| baseline.add(&record));
    fed(size, CHUNK, || Baseline::new(&population::subscription()), add, Baseline::tallies)
}

fn counter() -> Counter {
    Counter::new(population::subscription(), &FingerprintKey::public_for_tests(1))
}

fn one_thread(size: u64) -> Result<Outcome, Box<dyn Error>> {
    let add = |counter: &mut Counter, chunk: &Chunk| {
        counter.add_all(chunk.records()).expect("every record has a known runtime");
    };
    fed(size, CHUNK, counter, add, |counter| tallies(&counter.report()))
}

/// A million records at a time, so that each thread has its fill.
fn several_threads(size: u64, threads: usize) -> Result<Outcome, Box<dyn Error>> {
    let threads = NonZeroUsize::new(threads).ok_or("no threads")?;
    let mut chunks: Vec<Chunk> = Vec::new();
    chunks.resize_with(256, Chunk::default);
    let fill = |chunks: &mut Vec<Chunk>, from: u64| {
        for (chunk, from) in chunks.iter_mut().zip((from..).step_by(CHUNK as usize)) {
            chunk.fill(size, from.min(size), size.min(from + CHUNK));
        }
    };
    fill(&mut chunks, 0);
    memory::forget_peak()?;
    let before = memory::now()?;
    let mut counter = counter();
    let mut clock = Clock::of_itself();
    for from in (0..size).step_by(256 * CHUNK as usize) {
        fill(&mut chunks, from);
        let records = chunks.iter().map(Chunk::records);
        clock.time(|| counter.add_in_parallel(threads, records).expect("every record has a known runtime"))?;
    }
    let tallies = clock.time(|| tallies(&counter.report_in_parallel(threads)))?;
    Ok(outcome(&clock, before, memory::peak()?, tallies))
}

fn tallies(report: &Report) -> Vec<Tally> {
    let people = report.runtimes.iter().map(|runtime| runtime.people).chain([report.global]);
    people.map(|people| (people.individuals.internal, people.individuals.external, people.duplicates)).collect()
}

/// The least that reading the file can take.
fn parse(options: &Options) -> Result<Outcome, Box<dyn Error>> {
    let path = options.work.clone().map(|folder| Files { folder }.records()).ok_or("no --work")?;
    memory::forget_peak()?;
    let before = memory::now()?;
    let mut clock = Clock::of_itself();
    let read = clock.time(|| rows_of(&path))??;
    if read != options.records {
        return Err(format!("{read} records in the file, {} expected", options.records).into());
    }
    Ok(outcome(&clock, before, memory::peak()?, Vec::new()))
}

fn rows_of(path: &Path) -> csv::Result<u64> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_path(path)?;
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.read_byte_record(&mut record)? {
        rows += 1;
    }
    Ok(rows)
}

/// The `count` example from start to exit. This process has no other child,
/// so the peak of its children is the example's.
fn count(program: &[PathBuf], threads: usize) -> Result<Outcome, Box<dyn Error>> {
    let (program, files) = program.split_first().ok_or("no --program")?;
    let mut command = Command::new(program);
    let command = command.args(files).args(["--quiet", "--format", "json", "--threads", &threads.to_string()]);
    let mut clock = Clock::of_children();
    let output = clock.time(|| command.output())??;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let people = report["runtimes"].as_array().ok_or("no runtimes in the report")?.iter();
    let people = people.chain([&report["global"]]);
    let tallies = people.map(|people| tally_of(people).ok_or("no individuals in the report"));
    let tallies = tallies.collect::<Result<_, _>>()?;
    Ok(outcome(&clock, 0, memory::peak_of_children()?, tallies))
}

fn tally_of(people: &serde_json::Value) -> Option<Tally> {
    let individuals = &people["individuals"];
    Some((individuals["internal"].as_u64()?, individuals["external"].as_u64()?, people["duplicates"].as_u64()?))
}

/// What the baseline makes of a small file.
pub fn individuals_of(path: &Path) -> Result<Vec<Tally>, Box<dyn Error>> {
    let mut baseline = Baseline::new(&population::subscription());
    for row in csv::Reader::from_path(path)?.into_records() {
        let row = row?;
        let text = |at: usize| Some(Cow::Borrowed(row.get(at)?));
        baseline.add(&UserRecord {
            runtime: text(0).ok_or("a row without runtime")?,
            provider: text(1),
            tenant: text(2),
            username: text(3),
            email: text(4),
            ..UserRecord::default()
        });
    }
    Ok(baseline.tallies())
}
