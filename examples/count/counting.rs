//! Rows into the counter, or to the rejected ones.

use headcount::{AddError, Batch, Counter};

use crate::columns;
use crate::fault::{Failure, Rejections};
use crate::input::Input;
use crate::rows::{Reading, Rows, Start};

/// What a thread makes of one piece before the counter takes it.
pub struct Prepared {
    batch: Batch,
    /// Malformed rows: their lines in the piece, and why.
    rejected: Vec<(u64, String)>,
}

/// More threads than this would wait for each other: the counter takes one batch
/// at a time.
const MOST_THREADS: usize = 64;

/// Counts every row of every input. Returns notes on columns that were ignored.
pub fn count(
    reading: &Reading,
    inputs: &mut [Input],
    counter: &mut Counter,
    rejections: &mut Rejections,
) -> Result<Vec<String>, Failure> {
    let unknown = columns::unknown_runtime(counter.subscription());
    let mut workers = workers(reading, counter);
    reading.each_piece(
        inputs,
        &mut workers,
        |rows, prepared| prepared.fill(rows, &unknown),
        |_, prepared, start| prepared.take(start, counter, rejections),
    )
}

/// A worker for each thread that is of use.
pub fn workers(reading: &Reading, counter: &Counter) -> Vec<Prepared> {
    let threads = reading.threads.get().min(MOST_THREADS);
    (0..threads).map(|_| Prepared { batch: counter.batch(), rejected: Vec::new() }).collect()
}

impl Prepared {
    /// Prepares all rows of a piece.
    pub fn fill(&mut self, rows: &mut Rows<'_>, unknown_runtime: &str) {
        let Prepared { batch, rejected } = self;
        rows.each(|line, record| {
            let fact = match &record {
                Ok(record) => match batch.add(record) {
                    Ok(()) => return,
                    Err(AddError::UnknownRuntime) => unknown_runtime.to_owned(),
                    Err(error) => error.to_string(),
                },
                Err(fact) => fact.clone(),
            };
            rejected.push((line, fact));
        });
    }

    /// Gives what was prepared to the counter, and forgets it.
    pub fn take(
        &mut self,
        start: Start<'_>,
        counter: &mut Counter,
        rejections: &mut Rejections,
    ) -> Result<(), Failure> {
        counter.take(&mut self.batch).map_err(|error| Failure::Input(format!("{}: {error}", start.place)))?;
        for (line, fact) in self.rejected.drain(..) {
            counter.reject();
            rejections.add(start.place_of(line), &fact)?;
        }
        Ok(())
    }
}
