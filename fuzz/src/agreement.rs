//! A counter held against the naive model.

use headcount::{Counter, Outcome, Report, Subscription, UserRecord};

use crate::model::agreement::{difference, difference_of_counter};
use crate::model::answer;

/// What `add` has to say of a record.
pub fn outcome(subscription: &Subscription, record: &UserRecord) -> Outcome {
    match answer(subscription, std::slice::from_ref(record)).verdicts[..] {
        [verdict] => verdict.outcome(),
        _ => unreachable!("one record, one verdict"),
    }
}

/// The report has the model's numbers under this subscription.
pub fn check_report(report: &Report, subscription: &Subscription, records: &[UserRecord], rejected: u64) {
    none(difference(report, &answer(subscription, records).totals, rejected));
}

/// The counter's report and its individuals are the model's.
pub fn check_counter(counter: &Counter, records: &[UserRecord], rejected: u64) {
    let expected = answer(counter.subscription(), records);
    none(difference_of_counter(counter, &expected, records, rejected));
}

fn none(difference: Option<String>) {
    if let Some(said) = difference {
        panic!("{said}");
    }
}
