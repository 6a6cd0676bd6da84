//! User records in, tallies out: the crate's main job as a program.
//!
//! `cargo run --release --example count -- --help` says how to call it. Exit
//! codes: 0 done; 1 bad input, nothing on standard output; 2 usage; 3 over
//! capacity, only with `--fail-over-capacity`.

#[path = "count/columns.rs"]
mod columns;
#[path = "count/counting.rs"]
mod counting;
#[path = "count/csv_rows.rs"]
mod csv_rows;
#[path = "count/fault.rs"]
mod fault;
#[path = "count/individuals.rs"]
mod individuals;
#[path = "count/input.rs"]
mod input;
#[path = "count/json_rows.rs"]
mod json_rows;
#[path = "count/pieces.rs"]
mod pieces;
#[path = "count/relay.rs"]
mod relay;
#[path = "count/rows.rs"]
mod rows;
#[path = "count/table.rs"]
mod table;
#[path = "count/terms.rs"]
mod terms;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use headcount::{Counter, FingerprintKey, Report, Subscription};

use crate::fault::{Failure, Rejections};
use crate::input::Input;
use crate::rows::Reading;

/// Counts the licensed end users of an OutSystems subscription.
#[derive(Parser)]
#[command(name = "count", max_term_width = 100)]
struct Options {
    /// The subscription: its platform, runtimes and capacities, in TOML
    #[arg(value_name = "SUBSCRIPTION.toml")]
    subscription: PathBuf,

    /// User records: files in .csv (header row, comma) or .jsonl (one object a line); - is standard
    /// input, CSV. All are counted together
    #[arg(value_name = "RECORDS")]
    records: Vec<PathBuf>,

    /// The report on standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// The runtime of records that name none
    #[arg(long, value_name = "NAME")]
    runtime: Option<String>,

    /// Also write who is counted, a CSV row a record, without personal data
    #[arg(long, value_name = "FILE")]
    individuals: Option<PathBuf>,

    /// Go on past malformed rows: the first 20 are named on standard error, all are counted
    #[arg(long)]
    skip_invalid: bool,

    /// Worker threads [default: the machine's]. Each reads and prepares; one at a time counts
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Exit with 3 when a capacity is exceeded
    #[arg(long)]
    fail_over_capacity: bool,

    /// No progress bar, no notes
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(report) if options.fail_over_capacity && report.is_over_capacity() => ExitCode::from(3),
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(options: &Options) -> Result<Report, Failure> {
    let subscription = terms::read(&options.subscription)?;
    let reading = Reading {
        default_runtime: default_runtime(options, &subscription)?,
        threads: options.threads.unwrap_or_else(machine_threads),
        piece: Reading::PIECE,
        quiet: options.quiet,
    };
    let mut inputs = Input::open_all(&options.records, options.individuals.as_deref(), &options.subscription)?;
    if inputs.is_empty() && !options.quiet {
        eprintln!("note: no files of user records given, so nothing is counted; `-` reads standard input");
    }

    let mut counter = Counter::new(subscription, &random_key()?);
    let mut rejections = Rejections::new(options.skip_invalid);
    let ignored = counting::count(&reading, &mut inputs, &mut counter, &mut rejections)?;
    rejections.finish();
    if !options.quiet {
        for note in ignored {
            eprintln!("note: {note}");
        }
    }

    let report = counter.report_in_parallel(reading.threads);
    if let Some(path) = &options.individuals {
        individuals::write(path, &counter, &reading, &mut inputs)?;
    }
    let text = match options.format {
        Format::Table => table::render(&report, counter.subscription()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&report);
            json.map_err(|error| Failure::Input(format!("the report cannot be written: {error}")))? + "\n"
        }
    };
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|error| Failure::Input(format!("standard output: {error}")))?;
    Ok(report)
}

/// The runtime of records that name none: the one given, or the only one.
fn default_runtime(options: &Options, subscription: &Subscription) -> Result<Option<String>, Failure> {
    match (&options.runtime, subscription.runtimes()) {
        (Some(name), _) if subscription.place_of(name.trim()).is_some() => Ok(Some(name.trim().to_owned())),
        (Some(name), _) => {
            let expected = columns::runtime_names(subscription);
            Err(Failure::Input(format!("--runtime `{name}`: expected one of the subscription's runtimes: {expected}")))
        }
        (None, [only]) => Ok(Some(only.name.clone())),
        (None, _) => Ok(None),
    }
}

fn machine_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A key for this run alone: counts do not depend on it.
fn random_key() -> Result<FingerprintKey, Failure> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| Failure::Input(format!("the system's randomness: {error}")))?;
    FingerprintKey::from_secret(secret).map_err(|error| Failure::Input(error.to_string()))
}
