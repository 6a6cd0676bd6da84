//! Whether a counter says what the model says.

use headcount::{Counter, Report, Standing, UserRecord};

use super::{Answer, Totals, Verdict};

/// How a report differs from the model's totals, if it does.
pub fn difference(report: &Report, expected: &Totals, rejected: u64) -> Option<String> {
    let totals = Totals::from(report);
    if totals != *expected {
        return Some(format!("the report says {totals:#?}, the model {expected:#?}"));
    }
    (report.rejected != rejected).then(|| format!("{} rows are said to be rejected, not {rejected}", report.rejected))
}

/// The same of a counter's report and of its individuals, over all that it was
/// given.
pub fn difference_of_counter(
    counter: &Counter,
    expected: &Answer,
    records: &[UserRecord],
    rejected: u64,
) -> Option<String> {
    difference(&counter.report(), &expected.totals, rejected)
        .or_else(|| difference_of_people(counter, records, &expected.verdicts))
}

/// Whether `individuals` groups the records as the model does.
fn difference_of_people(counter: &Counter, records: &[UserRecord], verdicts: &[Verdict]) -> Option<String> {
    let mut individuals = counter.individuals();
    let standings: Vec<Standing> =
        records.iter().map(|record| individuals.of(record).expect("a known runtime")).collect();
    for (one, (standing, verdict)) in standings.iter().zip(verdicts).enumerate() {
        let agrees = match (*standing, *verdict) {
            (Standing::Excluded(said), Verdict::Excluded(wanted)) => said == wanted,
            (Standing::Alone(said), Verdict::Counted { record, linkable: false, .. }) => said == record,
            (
                Standing::Linked { record: said, class: said_class, .. },
                Verdict::Counted { record, linkable: true, class, .. },
            ) => (said, said_class) == (record, class),
            _ => false,
        };
        if !agrees {
            return Some(format!("record {one} is {standing:?}, to the model {verdict:?}"));
        }
    }
    for one in 0..records.len() {
        for other in 0..one {
            let said = together(standings[one], standings[other]);
            let wanted = one_individual(verdicts[one], verdicts[other]);
            if said != wanted {
                return Some(format!("records {one} and {other} are one individual: {said}, to the model {wanted}"));
            }
        }
    }
    None
}

fn together(one: Standing, other: Standing) -> bool {
    match (one, other) {
        (Standing::Linked { individual, .. }, Standing::Linked { individual: other, .. }) => individual == other,
        _ => false,
    }
}

fn one_individual(one: Verdict, other: Verdict) -> bool {
    match (one, other) {
        (Verdict::Counted { individual, .. }, Verdict::Counted { individual: other, .. }) => individual == other,
        _ => false,
    }
}
