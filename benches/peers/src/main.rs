//! `headcount` and its peers over one population: time and peak memory.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- [RECORDS]
//! [--threads T] [--only NAMES]`. Fails where two that did the same job
//! disagree on any tally. README.md has the method.

#[path = "../../baseline/mod.rs"]
mod baseline;
mod clock;
mod files;
mod memory;
#[path = "../../population/mod.rs"]
mod population;
mod programs;
mod rust;
mod table;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde::{Deserialize, Serialize};

use crate::baseline::Tally;
use crate::files::{Files, Input};
use crate::programs::Programs;

#[derive(Parser)]
#[command(name = "peers", max_term_width = 100)]
struct Options {
    /// How many records the population has
    #[arg(default_value_t = 1_000_000)]
    records: u64,

    /// Threads of the contestants that take more than one
    #[arg(long, value_name = "T", default_value_t = 2)]
    threads: usize,

    /// Only these contestants, by name, with commas between
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,

    /// Where the files go [default: `peers` in the target directory]
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,

    /// Run this contestant in this process and print its outcome
    #[arg(long, hide = true)]
    contestant: Option<String>,

    /// What `--contestant count` runs, and on what
    #[arg(long, hide = true)]
    program: Vec<PathBuf>,
}

/// What a contestant is asked. Outcomes are compared within a job.
#[derive(Clone, Copy, PartialEq)]
enum Job {
    Individuals,
    IndividualsOfCsv,
    Emails,
    Parse,
}

impl Job {
    fn name(self) -> &'static str {
        match self {
            Job::Individuals => "individuals, from memory",
            Job::IndividualsOfCsv => "individuals, from CSV",
            Job::Emails => "lesser: different emails, from memory",
            Job::Parse => "CSV parsed, nothing counted",
        }
    }

    /// The contestant of this crate that ratios are to.
    fn reference(self) -> &'static str {
        match self {
            Job::Individuals | Job::Emails => "headcount",
            Job::IndividualsOfCsv | Job::Parse => "count",
        }
    }

    /// Jobs of one answer: where the records come from makes no difference.
    fn answers_as(self, other: Job) -> bool {
        let individuals = |job| matches!(job, Job::Individuals | Job::IndividualsOfCsv);
        self == other || individuals(self) && individuals(other)
    }
}

/// How a contestant is run.
#[derive(Clone, Copy, PartialEq)]
enum Means {
    /// In a process of this program.
    Rust,
    /// The `count` example.
    Example,
    /// A script beside this package, and the job it is told.
    Script(&'static str, &'static str),
}

struct Contestant {
    name: &'static str,
    title: &'static str,
    job: Job,
    threaded: bool,
    means: Means,
}

const fn contestant(name: &'static str, title: &'static str, job: Job, threaded: bool, means: Means) -> Contestant {
    Contestant { name, title, job, threaded, means }
}

const DUCKDB: &str = "peer_duckdb.py";
const POLARS: &str = "peer_polars.py";

const CONTESTANTS: [Contestant; 10] = [
    contestant("baseline", "hand-written Rust", Job::Individuals, false, Means::Rust),
    contestant("headcount", "headcount", Job::Individuals, false, Means::Rust),
    contestant("headcount-threads", "headcount, threaded", Job::Individuals, true, Means::Rust),
    contestant("duckdb", "DuckDB", Job::Individuals, true, Means::Script(DUCKDB, "memory")),
    contestant("polars", "Polars", Job::Individuals, true, Means::Script(POLARS, "memory")),
    contestant("duckdb-emails", "DuckDB", Job::Emails, true, Means::Script(DUCKDB, "emails")),
    contestant("polars-emails", "Polars", Job::Emails, true, Means::Script(POLARS, "emails")),
    contestant("count", "headcount's `count` example", Job::IndividualsOfCsv, true, Means::Example),
    contestant("duckdb-csv", "DuckDB", Job::IndividualsOfCsv, true, Means::Script(DUCKDB, "csv")),
    contestant("csv", "`csv` crate, one `ByteRecord`", Job::Parse, false, Means::Rust),
];

/// What a contestant took and found, as it prints it.
#[derive(Serialize, Deserialize)]
struct Outcome {
    seconds: f64,
    /// Of all threads together.
    cpu_seconds: f64,
    /// Bytes held when the clock started: runtime, libraries, loaded table.
    before: u64,
    /// The most bytes held from then on.
    peak: u64,
    /// Each runtime's, then the global one.
    tallies: Vec<Tally>,
    #[serde(default)]
    version: Option<String>,
}

enum Row {
    Ran(Outcome),
    Skipped(String),
    Failed(String),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.contestant {
        Some(name) => rust::run(name, &options).and_then(|outcome| {
            println!("{}", serde_json::to_string(&outcome)?);
            Ok(true)
        }),
        None => contest(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all who ran did so without a failure, and agree.
fn contest(options: &Options) -> Result<bool, Box<dyn Error>> {
    let chosen = chosen(&options.only)?;
    let target = programs::target()?;
    let files = Files { folder: options.work.clone().unwrap_or_else(|| target.join("peers")) };
    eprintln!("writing {} records to {}", options.records, files.folder.display());
    files.write(options.records)?;
    let programs = Programs::prepare(&chosen, &target)?;

    let mut good = agree_on_chains(&chosen, &programs, &files, options.threads)?;
    let mut rows = Vec::new();
    for contestant in chosen {
        let row = programs.run(contestant, &files, Input::Population(options.records), options.threads);
        match &row {
            Row::Ran(outcome) => eprintln!("{}: {:.2} s", contestant.name, outcome.seconds),
            Row::Skipped(why) => eprintln!("{}: SKIPPED: {why}", contestant.name),
            Row::Failed(why) => eprintln!("{}: FAILED: {why}", contestant.name),
        }
        good &= !matches!(row, Row::Failed(_));
        rows.push((contestant, row));
    }
    print!("{}", table::render(&rows, options));
    Ok(agree(&rows) && good)
}

fn chosen(only: &[String]) -> Result<Vec<&'static Contestant>, Box<dyn Error>> {
    let names: Vec<&str> = CONTESTANTS.iter().map(|contestant| contestant.name).collect();
    match only.iter().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("no contestant `{name}`: expected some of {}", names.join(", ")).into()),
        None => {
            let wanted = |contestant: &&Contestant| only.is_empty() || only.iter().any(|name| name == contestant.name);
            Ok(CONTESTANTS.iter().filter(wanted).collect())
        }
    }
}

/// Whether everyone who reads files counts the chains as the baseline does.
fn agree_on_chains(
    chosen: &[&Contestant],
    programs: &Programs,
    files: &Files,
    threads: usize,
) -> Result<bool, Box<dyn Error>> {
    let expected = rust::individuals_of(&files.chains())?;
    let mut good = true;
    let readers = chosen.iter().filter(|one| one.means != Means::Rust && one.job.answers_as(Job::Individuals));
    for contestant in readers {
        match programs.run(contestant, files, Input::Chains, threads) {
            Row::Ran(outcome) if outcome.tallies == expected => {}
            Row::Ran(outcome) => {
                eprintln!("{} on chains: {:?}, the baseline {expected:?}", contestant.name, outcome.tallies);
                good = false;
            }
            Row::Skipped(_) | Row::Failed(_) => {} // Said when it runs on the population.
        }
    }
    Ok(good)
}

/// Whether all outcomes of one job are the same.
fn agree(rows: &[(&Contestant, Row)]) -> bool {
    let ran: Vec<(&Contestant, &Outcome)> = rows
        .iter()
        .filter_map(|(contestant, row)| match row {
            Row::Ran(outcome) => Some((*contestant, outcome)),
            Row::Skipped(_) | Row::Failed(_) => None,
        })
        .collect();
    let mut good = true;
    for (at, (contestant, outcome)) in ran.iter().enumerate() {
        let first = ran[..at].iter().find(|(other, _)| contestant.job.answers_as(other.job));
        if let Some((other, expected)) = first.filter(|(_, expected)| expected.tallies != outcome.tallies) {
            let (found, expected) = (&outcome.tallies, &expected.tallies);
            eprintln!("{} and {} disagree: {found:?}, {expected:?}", contestant.name, other.name);
            good = false;
        }
    }
    good
}
