//! Counting on several threads at once.
//!
//! In rounds: first each thread prepares chunks of records, then the threads
//! share the shards of the interners out and give ids, then the facts are
//! entered in the order of the records. Ids depend on the order of the
//! fingerprints in each shard alone, so what comes out is the same for any
//! number of threads, one included.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::batch::Batch;
use crate::counter::Counter;
use crate::error::{AddError, StoppedAt};
use crate::fingerprint::Fingerprint;
use crate::interner::{Interner, Part};
use crate::prepare::Rows;
use crate::record::UserRecord;

/// Records that a thread prepares in one round: enough that starting threads
/// costs little beside it, few enough for a core's own cache.
const ROUND: usize = 1 << 14;

struct Worker {
    batch: Batch,
    /// Rows of earlier rounds, for their memory.
    spare: Vec<Rows>,
}

/// A chunk of records that was prepared.
struct Chunk {
    number: usize,
    worker: usize,
    rows: Rows,
    /// Why it ends before its records do.
    error: Option<AddError>,
}

/// Counts chunks until there are no more.
pub(crate) fn add_chunks<'r, C>(
    counter: &mut Counter,
    threads: NonZeroUsize,
    chunks: impl Iterator<Item = C> + Send,
) -> Result<(), StoppedAt>
where
    C: IntoIterator<Item = UserRecord<'r>>,
{
    let chunks = Mutex::new((0..).zip(chunks.fuse()));
    let worker = |_| Worker { batch: counter.batch(), spare: Vec::new() };
    let mut workers: Vec<Worker> = (0..threads.get()).map(worker).collect();
    let mut before = 0;
    loop {
        let mut round = prepare(&mut workers, &chunks);
        if round.is_empty() {
            return Ok(());
        }
        round.sort_unstable_by_key(|chunk| chunk.number);
        if let Some(failed) = round.iter().position(|chunk| chunk.error.is_some()) {
            round.truncate(failed + 1);
        }
        enter(counter, &mut workers, &round, threads, &mut before)?;
        for mut chunk in round {
            if let Some(source) = chunk.error {
                return Err(StoppedAt { place: before + 1, source });
            }
            chunk.rows.clear();
            if let Some(worker) = workers.get_mut(chunk.worker) {
                worker.spare.push(chunk.rows);
            }
        }
        workers.iter_mut().for_each(|worker| worker.batch.clear());
    }
}

/// Has each worker take chunks until it has enough records for a round.
fn prepare<'r, C>(workers: &mut [Worker], chunks: &Mutex<impl Iterator<Item = (usize, C)> + Send>) -> Vec<Chunk>
where
    C: IntoIterator<Item = UserRecord<'r>>,
{
    let fill = |(place, worker): (usize, &mut Worker)| {
        let mut filled = Vec::new();
        let mut size = 0;
        while size < ROUND {
            // Locked while the chunk is fetched, not while it is read.
            let next = lock(chunks).next();
            let Some((number, records)) = next else { break };
            let mut rows = worker.spare.pop().unwrap_or_default();
            let preparer = &mut worker.batch.preparer;
            let error = records.into_iter().find_map(|record| preparer.push(&record, &mut rows).err());
            size += rows.len();
            filled.push(Chunk { number, worker: place, rows, error });
            if error.is_some() {
                break;
            }
        }
        filled
    };
    each_on_a_thread(workers.iter_mut().enumerate(), fill).into_iter().flatten().collect()
}

/// Enters the chunks of a round, and adds their records to `before`.
fn enter(
    counter: &mut Counter,
    workers: &mut [Worker],
    round: &[Chunk],
    threads: NonZeroUsize,
    before: &mut u64,
) -> Result<(), StoppedAt> {
    let Counter { identities, ledgers, .. } = counter;
    let all: usize = round.iter().map(|chunk| chunk.rows.len()).sum();
    let (mut emails, mut links) = (Vec::new(), Vec::new());
    let has_room = identities.check_room(all).is_ok();
    if has_room {
        (emails, links) = intern(&mut identities.emails, &mut identities.links, round, threads);
    }
    for (place, chunk) in round.iter().enumerate() {
        let rows = &chunk.rows;
        if !has_room {
            // Some of it may yet fit.
            identities.check_room(rows.len()).map_err(|source| StoppedAt { place: *before + 1, source })?;
            identities.emails.intern_all(&rows.emails, slot(&mut emails, place));
            identities.links.intern_all(&rows.links, slot(&mut links, place));
        }
        if let Some(Worker { batch, .. }) = workers.get_mut(chunk.worker) {
            let (emails, links) = (slot(&mut emails, place), slot(&mut links, place));
            batch.known.enter(&batch.preparer, rows, emails, links, identities, ledgers);
        }
        *before += rows.len() as u64;
    }
    Ok(())
}

/// The ids at a place, which is there or the next one.
fn slot(ids: &mut Vec<Vec<u32>>, place: usize) -> &mut Vec<u32> {
    if ids.len() <= place {
        ids.resize_with(place + 1, Vec::new);
    }
    #[expect(clippy::indexing_slicing, reason = "made just above")]
    &mut ids[place]
}

/// What one thread does at a time: some shards of an interner, and the ids that
/// they gave, chunk by chunk.
struct Task<'i> {
    part: Part<'i>,
    column: Column,
    ids: Vec<Vec<u32>>,
}

type Column = fn(&Rows) -> &[Fingerprint];

/// Gives ids to the emails and links of all chunks: of each chunk, in the order
/// of its rows.
fn intern(
    emails: &mut Interner,
    links: &mut Interner,
    round: &[Chunk],
    threads: NonZeroUsize,
) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let parts = threads.get().div_ceil(2).next_power_of_two().min(Interner::MOST_PARTS);
    let task = |column: Column| move |part| Task { part, column, ids: Vec::with_capacity(round.len()) };
    let mut email_tasks: Vec<Task<'_>> = emails.parts(parts).map(task(|rows| &rows.emails)).collect();
    let mut link_tasks: Vec<Task<'_>> = links.parts(parts).map(task(|rows| &rows.links)).collect();
    let queue = Mutex::new(email_tasks.iter_mut().chain(&mut link_tasks));
    each_on_a_thread(0..threads.get(), |_| {
        loop {
            let next = lock(&queue).next();
            match next {
                Some(task) => task.run(round, parts),
                None => break,
            }
        }
    });
    drop(queue);
    let ids = (woven(email_tasks, round), woven(link_tasks, round));
    emails.note_fullest();
    links.note_fullest();
    ids
}

impl Task<'_> {
    fn run(&mut self, round: &[Chunk], parts: usize) {
        let mut own = Vec::new();
        for chunk in round {
            let mut ids = Vec::new();
            let all = (self.column)(&chunk.rows);
            if parts == 1 {
                self.part.intern_all(all, &mut ids);
            } else {
                own.clear();
                own.extend(all.iter().filter(|fingerprint| self.part.has(**fingerprint)));
                self.part.intern_all(&own, &mut ids);
            }
            self.ids.push(ids);
        }
    }
}

/// The ids of each chunk in the order of its rows, out of those that the tasks
/// gave in that order.
fn woven(mut tasks: Vec<Task<'_>>, round: &[Chunk]) -> Vec<Vec<u32>> {
    if let [one] = &mut tasks[..] {
        return std::mem::take(&mut one.ids);
    }
    let weave = |(place, chunk): (usize, &Chunk)| {
        let mut threads: Vec<_> =
            tasks.iter().map(|task| (&task.part, task.ids.get(place).into_iter().flatten())).collect();
        let column = tasks.first().map(|task| task.column);
        let all = column.map_or(&[][..], |column| column(&chunk.rows));
        let next = |fingerprint: &Fingerprint| {
            let (_, ids) = threads.iter_mut().find(|(part, _)| part.has(*fingerprint))?;
            ids.next().copied()
        };
        all.iter().filter_map(next).collect()
    };
    round.iter().enumerate().map(weave).collect()
}

/// Runs something on each item, the first one on this thread and each other on
/// one of its own. A panic is passed on once all are done.
pub(crate) fn each_on_a_thread<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    run: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let mut items = items.into_iter();
    let Some(first) = items.next() else { return Vec::new() };
    thread::scope(|scope| {
        let run = &run;
        let others: Vec<_> = items.map(|item| scope.spawn(move || run(item))).collect();
        let mut results = vec![run(first)];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

/// Locks a mutex; one that a panic poisoned is not used again.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
