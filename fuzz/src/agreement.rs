//! A counter held against the naive model.

use headcount::{Counter, Outcome, Report, Standing, Subscription, UserRecord};

use crate::model::{Answer, Totals, Verdict, answer};

/// What `add` has to say of a record.
pub fn outcome(subscription: &Subscription, record: &UserRecord) -> Outcome {
    match answer(subscription, std::slice::from_ref(record)).verdicts[..] {
        [Verdict::Excluded(reason)] => Outcome::Excluded(reason),
        [Verdict::Counted { record, .. }] => Outcome::Counted(record),
        _ => unreachable!("one record, one verdict"),
    }
}

/// The report has the model's numbers under this subscription.
pub fn check_report(report: &Report, subscription: &Subscription, records: &[UserRecord], rejected: u64) -> Answer {
    let expected = answer(subscription, records);
    assert_eq!(Totals::from(report), expected.totals);
    assert_eq!(report.rejected, rejected);
    expected
}

/// The counter's report and its individuals are the model's.
pub fn check_counter(counter: &Counter, records: &[UserRecord], rejected: u64) {
    let Answer { verdicts, .. } = check_report(&counter.report(), counter.subscription(), records, rejected);
    let mut individuals = counter.individuals();
    let mut numbers: Vec<Option<u32>> = Vec::with_capacity(records.len());
    for (record, verdict) in records.iter().zip(&verdicts) {
        let standing = individuals.of(record).expect("a known runtime");
        let agrees = match (standing, *verdict) {
            (Standing::Excluded(said), Verdict::Excluded(wanted)) => said == wanted,
            (Standing::Alone(said), Verdict::Counted { record, linkable: false, .. }) => said == record,
            (
                Standing::Linked { record: said, class: said_class, .. },
                Verdict::Counted { record, linkable: true, class, .. },
            ) => (said, said_class) == (record, class),
            _ => false,
        };
        assert!(agrees, "{standing:?}, to the model {verdict:?}");
        numbers.push(match standing {
            Standing::Linked { individual, .. } => Some(individual),
            Standing::Alone(_) | Standing::Excluded(_) => None,
        });
    }
    for (one, number) in numbers.iter().enumerate().filter(|(_, number)| number.is_some()) {
        for other in 0..one {
            let together = *number == numbers[other];
            assert_eq!(together, one_individual(verdicts[one], verdicts[other]), "records {one} and {other}");
        }
    }
}

fn one_individual(one: Verdict, other: Verdict) -> bool {
    match (one, other) {
        (Verdict::Counted { individual, .. }, Verdict::Counted { individual: other, .. }) => individual == other,
        _ => false,
    }
}
