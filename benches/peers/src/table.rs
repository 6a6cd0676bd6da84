//! The outcomes as one table in Markdown.

use crate::{Contestant, Options, Outcome, Row};

const HEADS: [&str; 11] = [
    "contestant",
    "what",
    "threads",
    "seconds",
    "ns/record",
    "time ratio",
    "CPU ns/record",
    "peak B/record",
    "memory ratio",
    "before B/record",
    "name",
];

pub fn render(rows: &[(&Contestant, Row)], options: &Options) -> String {
    let lines: Vec<Vec<String>> = rows.iter().map(|(contestant, row)| line(contestant, row, rows, options)).collect();
    let heads = HEADS.map(str::to_owned).to_vec();
    let width = |at: usize| lines.iter().chain([&heads]).map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let numeric = |at: usize| (2..10).contains(&at);
    let rule = widths.iter().enumerate().map(|(at, width)| match numeric(at) {
        true => format!("{}:", "-".repeat(width - 1)),
        false => "-".repeat(*width),
    });
    let rule: Vec<String> = rule.collect();
    let mut text = format!("{} records, {} threads{}\n\n", options.records, options.threads, versions(rows));
    for line in [&heads, &rule].into_iter().chain(&lines) {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| match numeric(at) {
            true => format!(" {cell:>width$} |"),
            false => format!(" {cell:<width$} |"),
        });
        text += &format!("|{}\n", cells.collect::<String>());
    }
    text + "\nRatios are to `headcount` on one thread, and where a CSV file is read to `count`.\n"
}

fn line(contestant: &Contestant, row: &Row, rows: &[(&Contestant, Row)], options: &Options) -> Vec<String> {
    let threads = if contestant.threaded { options.threads } else { 1 };
    let start = [contestant.title.to_owned(), contestant.job.name().to_owned(), threads.to_string()];
    let each = |sum: f64| sum / options.records as f64;
    let numbers = match row {
        Row::Ran(outcome) => {
            let reference = outcome_of(contestant.job.reference(), rows);
            let ratio = |of: fn(&Outcome) -> f64| {
                reference.map_or("-".to_owned(), |reference| format!("{:.2}", of(outcome) / of(reference)))
            };
            [
                format!("{:.2}", outcome.seconds),
                format!("{:.0}", each(outcome.seconds * 1e9)),
                ratio(|outcome| outcome.seconds),
                format!("{:.0}", each(outcome.cpu_seconds * 1e9)),
                format!("{:.0}", each(outcome.peak as f64)),
                ratio(|outcome| outcome.peak as f64),
                format!("{:.0}", each(outcome.before as f64)),
            ]
        }
        Row::Skipped(_) => ["SKIPPED", "-", "-", "-", "-", "-", "-"].map(str::to_owned),
        Row::Failed(_) => ["FAILED", "-", "-", "-", "-", "-", "-"].map(str::to_owned),
    };
    start.into_iter().chain(numbers).chain([format!("`{}`", contestant.name)]).collect()
}

fn outcome_of<'r>(name: &str, rows: &'r [(&Contestant, Row)]) -> Option<&'r Outcome> {
    rows.iter().find_map(|(contestant, row)| match row {
        Row::Ran(outcome) if contestant.name == name => Some(outcome),
        _ => None,
    })
}

fn versions(rows: &[(&Contestant, Row)]) -> String {
    let mut versions: Vec<&str> = Vec::new();
    for (_, row) in rows {
        if let Row::Ran(Outcome { version: Some(version), .. }) = row {
            if !versions.contains(&version.as_str()) {
                versions.push(version);
            }
        }
    }
    versions.iter().map(|version| format!(", {version}")).collect()
}
