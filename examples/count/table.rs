//! The report as text that one would paste into a mail.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use headcount::{ClassTally, Exclusion, People, Platform, Report, RuntimeReport, Subscription};

/// The whole report.
pub fn render(report: &Report, subscription: &Subscription) -> String {
    let mut sections = vec![head(report), individuals(report, subscription)];
    if report.capacity.is_some() {
        sections.push(capacity(report));
    }
    sections.push(excluded(report));
    sections.push(providers(report));
    sections.join("\n\n") + "\n"
}

fn head(report: &Report) -> String {
    let runtimes = match (report.runtimes.len(), report.platform) {
        (1, Platform::O11) => "1 runtime".to_owned(),
        (1, Platform::Odc) => "1 stage".to_owned(),
        (many, Platform::O11) => format!("{many} runtimes"),
        (many, Platform::Odc) => format!("{many} stages"),
    };
    let rejected = match report.rejected {
        0 => String::new(),
        rejected => format!(", {} malformed rows skipped and NOT COUNTED", grouped(rejected)),
    };
    let records = grouped(report.records);
    format!("End users of an OutSystems {} subscription: {runtimes}, {records} records{rejected}", report.platform)
}

fn individuals(report: &Report, subscription: &Subscription) -> String {
    let mut table =
        table(&["Individuals", "Internal", "External", "Unclassified", "Total", "Duplicates", "Mixed class"]);
    let mut row = |name: &str, people: &People| {
        let mut cells = vec![Cell::new(name)];
        cells.extend(classes(&people.individuals));
        cells.extend([number(people.duplicates), number(people.mixed_class)]);
        table.add_row(cells);
    };
    for (runtime, terms) in report.runtimes.iter().zip(subscription.runtimes()) {
        match terms.version {
            Some(version) => row(&format!("{} ({version})", runtime.name), &runtime.people),
            None => row(&runtime.name, &runtime.people),
        }
    }
    row("All runtimes together", &report.global);
    let notes = "\
Licensed is the last row: each person once, whichever runtimes they use, so it is not the sum of
the rows above. Duplicates: records of someone already counted. Mixed class: individuals with
records of different classes, counted in the dearer one.";
    format!("{table}\n{notes}")
}

fn capacity(report: &Report) -> String {
    let mut table = table(&["Capacity", "Used", "Licensed", "Remaining", "Utilisation", "Over", "Packs to buy"]);
    for (name, usage) in report.capacity.iter().flat_map(headcount::CapacityUsage::rows) {
        let utilisation = usage.utilisation().map_or("-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
        let pack = grouped(usage.licences.pack.get());
        let packs = match usage.packs_to_buy() {
            0 => "0".to_owned(),
            packs => format!("{} of {pack}", grouped(packs)),
        };
        table.add_row(vec![
            Cell::new(name),
            number(usage.used),
            number(usage.licences.capacity),
            number(usage.remaining()),
            right(utilisation),
            number(usage.overage()),
            right(packs),
        ]);
    }
    let verdict = match report.is_over_capacity() {
        true => "OVER CAPACITY: out of compliance with the subscription.",
        false => "Within capacity.",
    };
    format!("{table}\n{verdict}")
}

fn excluded(report: &Report) -> String {
    let mut table = table(&[
        "Records",
        "Read",
        "Disabled provider",
        "IT user",
        "Inactive",
        "Anonymous",
        "Never logged in",
        "Counted",
    ]);
    let mut row = |name: &str, records: u64, reasons: [u64; 5], counted: u64| {
        let mut cells = vec![Cell::new(name), number(records)];
        cells.extend(reasons.map(number));
        cells.push(number(counted));
        table.add_row(cells);
    };
    let reasons = |runtime: &RuntimeReport| Exclusion::ALL.map(|reason| runtime.excluded.of(reason));
    let mut sum = ([0; 5], 0);
    for runtime in &report.runtimes {
        row(&runtime.name, runtime.records, reasons(runtime), runtime.counted);
        sum.0.iter_mut().zip(reasons(runtime)).for_each(|(sum, count)| *sum += count);
        sum.1 += runtime.counted;
    }
    if report.runtimes.len() > 1 {
        row("Sum", report.records, sum.0, sum.1);
    }
    format!("{table}\nRecords that do not count, by the first reason that holds.")
}

fn providers(report: &Report) -> String {
    let mut table = table(&["Runtime", "User provider", "Internal", "External", "Unclassified", "Total"]);
    for runtime in &report.runtimes {
        for provider in &runtime.providers {
            let mut cells = vec![Cell::new(&runtime.name), Cell::new(printable(&provider.name))];
            cells.extend(classes(&provider.records));
            table.add_row(cells);
        }
    }
    format!("{table}\nCounted records, without deduplication.")
}

fn classes(tally: &ClassTally) -> [Cell; 4] {
    [tally.internal, tally.external, tally.unclassified, tally.total()].map(number)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|title| Cell::new(title)));
    table
}

fn number(number: u64) -> Cell {
    right(grouped(number))
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A provider's name comes from the records: nothing in it may break the table.
fn printable(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            if c.is_control() { c.escape_default().to_string() } else { c.to_string() }.chars().collect::<Vec<_>>()
        })
        .collect()
}
