//! Work on pieces of an input, on as many threads as there are workers.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::fault::Failure;

/// Has workers read one piece after the other, prepare them side by side, and
/// take them in the order in which they were read; `read` says whether there
/// are more.
///
/// Each worker does all three in turn: while one of them takes, the others read
/// and prepare. The first one works on the thread of the caller.
pub fn relay<W: Send>(
    workers: &mut [W],
    read: impl FnMut(&mut W) -> bool + Send,
    prepare: impl Fn(&mut W) + Sync,
    take: impl FnMut(&mut W) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let reading = Mutex::new(Step { number: 0, work: read, end: None });
    let taking = Mutex::new(Step { number: 0, work: take, end: None });
    let turn = Condvar::new();
    let run = |worker: &mut W| {
        let _alarm = Alarm { reading: &reading, taking: &taking, turn: &turn };
        loop {
            // Locked while a piece is read, and no longer.
            let next = lock(&reading).read(worker);
            let Some(number) = next else { return };
            prepare(worker);
            let is_before = |taking: &mut Step<_, _>| taking.number < number && taking.end.is_none();
            let mut taking = turn.wait_while(lock(&taking), is_before).unwrap_or_else(PoisonError::into_inner);
            if taking.end.is_some() {
                return;
            }
            if let Err(failure) = (taking.work)(worker) {
                taking.end = Some(Err(failure));
                lock(&reading).end = Some(());
            }
            taking.number += 1;
            turn.notify_all();
        }
    };
    thread::scope(|scope| {
        let run = &run;
        let Some((first, others)) = workers.split_first_mut() else { return };
        for worker in others {
            scope.spawn(move || run(worker));
        }
        run(first);
    });
    let taking = taking.into_inner().unwrap_or_else(PoisonError::into_inner);
    taking.end.unwrap_or(Ok(()))
}

/// What one worker does at a time.
struct Step<F, E> {
    /// How many pieces it was done with.
    number: u64,
    work: F,
    /// Why it is done with no more.
    end: Option<E>,
}

impl<F> Step<F, ()> {
    /// Reads a piece and gives it a number, if there is one.
    fn read<W>(&mut self, worker: &mut W) -> Option<u64>
    where
        F: FnMut(&mut W) -> bool,
    {
        if self.end.is_some() {
            return None;
        }
        if !(self.work)(worker) {
            self.end = Some(());
        }
        self.number += 1;
        Some(self.number - 1)
    }
}

/// Lets nobody wait for the turn of a worker that panics.
struct Alarm<'s, R, T> {
    reading: &'s Mutex<Step<R, ()>>,
    taking: &'s Mutex<Step<T, Result<(), Failure>>>,
    turn: &'s Condvar,
}

impl<R, T> Drop for Alarm<'_, R, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(self.reading).end = Some(());
            lock(self.taking).end = Some(Ok(()));
            self.turn.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
