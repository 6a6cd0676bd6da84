//! The report as text that one would paste into a mail.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use headcount::{
    CapacityUsage, ClassTally, Exclusion, People, Platform, Report, Runtime, RuntimeReport, Subscription, Usage,
    Version,
};

/// The whole report: the verdict first, then what it rests on.
pub fn render(report: &Report, subscription: &Subscription) -> String {
    let mut sections = vec![head(report)];
    if let Some(usage) = &report.capacity {
        sections.push(capacity(report, usage));
    }
    sections.push(individuals(report, subscription));
    sections.push(records(report));
    // ODC has no user providers, though its records may name some.
    if report.platform == Platform::O11 || report.runtimes.iter().any(|runtime| runtime.providers.len() > 1) {
        sections.push(providers(report));
    }
    sections.push(runtimes(subscription));
    sections.join("\n\n") + "\n"
}

/// What the platform calls a runtime.
fn runtime_word(platform: Platform, many: bool) -> &'static str {
    match (platform, many) {
        (Platform::O11, false) => "runtime",
        (Platform::O11, true) => "runtimes",
        (Platform::Odc, false) => "stage",
        (Platform::Odc, true) => "stages",
    }
}

fn head(report: &Report) -> String {
    let runtimes = report.runtimes.len();
    let word = runtime_word(report.platform, runtimes > 1);
    let mut lines = vec![format!(
        "End users of an OutSystems {} subscription: {} individuals in {} records of {runtimes} {word}.",
        report.platform,
        grouped(report.global.individuals.total()),
        grouped(report.records),
    )];
    if report.rejected > 0 {
        lines.push(format!("NOT COUNTED: {} malformed rows were skipped.", grouped(report.rejected)));
    }
    let usages = report.capacity.iter().flat_map(CapacityUsage::rows);
    lines.extend(usages.map(|(name, usage)| verdict(name, &usage)));
    lines.join("\n")
}

fn verdict(name: &str, usage: &Usage) -> String {
    let used = format!("{name}: {} of {} licences used", grouped(usage.used), grouped(usage.licences.capacity));
    match (usage.overage(), usage.packs_to_buy()) {
        (0, _) => format!("{used}, {} left.", grouped(usage.remaining())),
        (over, packs) => {
            let packs_word = if packs == 1 { "pack" } else { "packs" };
            let (over, packs, pack) = (grouped(over), grouped(packs), grouped(usage.licences.pack.get()));
            format!("{used}, {over} OVER CAPACITY: {packs} {packs_word} of {pack} to buy.")
        }
    }
}

fn capacity(report: &Report, usage: &CapacityUsage) -> String {
    let mut table = table(&["Capacity", "Used", "Licensed", "Remaining", "Utilisation", "Over", "Packs to buy"]);
    for (name, usage) in usage.rows() {
        table.add_row(vec![
            Cell::new(name),
            number(usage.used),
            number(usage.licences.capacity),
            number(usage.remaining()),
            right(usage.utilisation().map_or("-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0))),
            number(usage.overage()),
            number(usage.packs_to_buy()),
        ]);
    }
    let unclassified = report.global.individuals.unclassified;
    match usage {
        CapacityUsage::InternalExternal { .. } if unclassified > 0 => {
            let unclassified = grouped(unclassified);
            format!(
                "{table}\nOf those used as internal, {unclassified} are unclassified: by default an end user is internal."
            )
        }
        CapacityUsage::InternalExternal { .. } | CapacityUsage::Named { .. } => table.to_string(),
    }
}

fn individuals(report: &Report, subscription: &Subscription) -> String {
    let classes = class_titles(report.platform);
    let mut table = table(&[&["Individuals"], classes, &["Duplicates", "Mixed class", "Remark"]].concat());
    let mut row = |name: &str, people: &People, remark: &str| {
        let mut cells = vec![Cell::new(name)];
        cells.extend(class_cells(&people.individuals, report.platform));
        cells.extend([number(people.duplicates), number(people.mixed_class), Cell::new(remark)]);
        table.add_row(cells);
    };
    for (runtime, terms) in report.runtimes.iter().zip(subscription.runtimes()) {
        row(&printable(&runtime.name), &runtime.people, &remark(terms));
    }
    row("UNIQUE OVER ALL", &report.global, "what the contract counts");
    let notes = "\
Each person counts once over all, whichever of the above they use: the last row is not their sum.
Duplicates: records of someone already counted. Mixed class: individuals with records of
different classes; one internal record makes an individual internal.";
    format!("{table}\n{notes}")
}

/// What an old version does not do.
fn remark(runtime: &Runtime) -> String {
    match runtime.version {
        Some(version) if version < Version::CLASSIFIES => {
            format!("before {}: neither classified nor merged", Version::CLASSIFIES)
        }
        Some(version) if version < Version::MERGES => format!("before {}: each record counts", Version::MERGES),
        Some(_) | None => String::new(),
    }
}

fn records(report: &Report) -> String {
    let reasons: Vec<(Exclusion, &str)> = [
        (Exclusion::DisabledProvider, "Disabled provider", Some(Platform::O11)),
        (Exclusion::ItUser, "IT user", None),
        (Exclusion::Inactive, "Inactive", None),
        (Exclusion::Anonymous, "Anonymous", None),
        (Exclusion::NeverLoggedIn, "Never logged in", Some(Platform::Odc)),
    ]
    .into_iter()
    .filter(|(_, _, platform)| platform.is_none_or(|platform| platform == report.platform))
    .map(|(reason, title, _)| (reason, title))
    .collect();
    let titles: Vec<&str> = reasons.iter().map(|(_, title)| *title).collect();
    let mut table = table(&[&["Records", "Read"], titles.as_slice(), &["Counted"]].concat());
    let mut row = |name: &str, read: u64, excluded: &dyn Fn(Exclusion) -> u64, counted: u64| {
        let mut cells = vec![Cell::new(name), number(read)];
        cells.extend(reasons.iter().map(|(reason, _)| number(excluded(*reason))));
        cells.push(number(counted));
        table.add_row(cells);
    };
    for runtime in &report.runtimes {
        row(&printable(&runtime.name), runtime.records, &|reason| runtime.excluded.of(reason), runtime.counted);
    }
    if report.runtimes.len() > 1 {
        let sum = |of: &dyn Fn(&RuntimeReport) -> u64| report.runtimes.iter().map(of).sum();
        let excluded = |reason| sum(&|runtime| runtime.excluded.of(reason));
        row("Sum", report.records, &excluded, sum(&|runtime| runtime.counted));
    }
    format!("{table}\nBetween read and counted: records that do not count, by the first reason that holds.")
}

fn providers(report: &Report) -> String {
    let classes = class_titles(report.platform);
    let mut table = table(&[&["Runtime", "User provider"], classes].concat());
    for runtime in &report.runtimes {
        for provider in &runtime.providers {
            let mut cells = vec![Cell::new(printable(&runtime.name)), Cell::new(printable(&provider.name))];
            cells.extend(class_cells(&provider.records, report.platform));
            table.add_row(cells);
        }
    }
    format!("{table}\nCounted records by user provider, without deduplication.")
}

/// The terms under which all of this was counted.
fn runtimes(subscription: &Subscription) -> String {
    let o11 = subscription.platform() == Platform::O11;
    let mut table = match o11 {
        true => table(&["Runtime", "Version", "Internal user domains", "Disabled providers"]),
        false => table(&["Stage", "Internal user domains"]),
    };
    for runtime in subscription.runtimes() {
        let domains = match runtime.internal_domains.domains().as_slice() {
            _ if o11 && runtime.version < Some(Version::CLASSIFIES) => {
                format!("not used before {}", Version::CLASSIFIES)
            }
            [] => "none: everyone is internal".to_owned(),
            domains => shortened(domains),
        };
        let mut cells = vec![Cell::new(printable(&runtime.name))];
        if o11 {
            cells.push(Cell::new(runtime.version.map_or(String::new(), |version| version.to_string())));
        }
        cells.push(Cell::new(domains));
        if o11 {
            let names: Vec<&str> = runtime.disabled_providers.iter().map(String::as_str).collect();
            cells.push(Cell::new(printable(&shortened(&names))));
        }
        table.add_row(cells);
    }
    table.to_string()
}

/// The first few of a list.
fn shortened(names: &[&str]) -> String {
    match names.get(..5) {
        Some(first) if names.len() > 5 => format!("{}, and {} more", first.join(", "), grouped(names.len() as u64 - 5)),
        _ => names.join(", "),
    }
}

fn class_titles(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::O11 => &["Internal", "External", "Unclassified", "Total"],
        Platform::Odc => &["Internal", "External", "Total"],
    }
}

fn class_cells(tally: &ClassTally, platform: Platform) -> Vec<Cell> {
    let counts = match platform {
        Platform::O11 => vec![tally.internal, tally.external, tally.unclassified, tally.total()],
        Platform::Odc => vec![tally.internal, tally.external, tally.total()],
    };
    counts.into_iter().map(number).collect()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(Cell::new));
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

/// A provider's name comes from the records: nothing in it may break the
/// table, or turn what stands beside it around.
fn printable(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '|' => shown.push_str("\\|"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}
