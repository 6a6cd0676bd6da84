//! Counting on several threads at once.
//!
//! In rounds: the threads prepare chunks of records, then they share the shards
//! of the interners out and give ids. The facts are entered by one thread, in
//! the order of the records, while the others prepare the next round. Ids depend
//! on the order of the fingerprints in each shard alone, so what comes out is
//! the same for any number of threads, one included.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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

/// Threads beyond these would only wait for memory.
pub(crate) const MOST_THREADS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// What a thread prepares records with, in every other round.
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

/// Chunks in their order, those that come behind a failed one left out.
#[derive(Default)]
struct Round {
    chunks: Vec<Chunk>,
    /// Their ids, if there was room for all of them.
    ids: Option<Ids>,
}

impl Round {
    /// Whether it may be the last one: then no more is read before it is
    /// entered.
    fn may_stop(&self) -> bool {
        self.ids.is_none() || self.chunks.last().is_some_and(|chunk| chunk.error.is_some())
    }
}

/// The ids of each chunk in the order of its rows.
struct Ids {
    emails: Vec<Vec<u32>>,
    links: Vec<Vec<u32>>,
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
    let threads = threads.min(MOST_THREADS);
    let chunks = Mutex::new((0..).zip(chunks.fuse()));
    let crew = |counter: &Counter| -> Vec<Worker> {
        (0..threads.get()).map(|_| Worker { batch: counter.batch(), spare: Vec::new() }).collect()
    };
    // What the last round learned is needed while the next one is prepared.
    let (mut resting, mut busy) = (crew(counter), crew(counter));
    let mut last = Round::default();
    let mut before = 0;
    loop {
        if last.may_stop() {
            enter(counter, &mut resting, &mut last, &mut before)?;
        }
        let entering = || enter(counter, &mut resting, &mut last, &mut before);
        let (entered, mut next) = prepare(&mut busy, &chunks, entering);
        entered?;
        if next.chunks.is_empty() {
            return Ok(());
        }
        let Counter { identities, .. } = counter;
        let size = next.chunks.iter().map(|chunk| chunk.rows.len()).sum();
        if identities.check_room(size).is_ok() {
            next.ids = Some(intern(&mut identities.emails, &mut identities.links, &next.chunks, threads));
        }
        last = next;
        std::mem::swap(&mut resting, &mut busy);
    }
}

/// Has the threads take chunks until they have enough records for a round, this
/// one once it has done something else first.
#[expect(clippy::arithmetic_side_effects, reason = "at most 256 threads; a place in a list")]
fn prepare<'r, C, D>(
    workers: &mut [Worker],
    chunks: &Mutex<impl Iterator<Item = (usize, C)> + Send>,
    first: impl FnOnce() -> D,
) -> (D, Round)
where
    C: IntoIterator<Item = UserRecord<'r>>,
{
    // One thread alone has nobody to wait for.
    let enough = if workers.len() == 1 { 1 } else { workers.len() * ROUND };
    let size = AtomicUsize::new(0);
    let fill = |(place, worker): (usize, &mut Worker)| {
        let mut filled = Vec::new();
        while size.load(Relaxed) < enough {
            // Locked while the chunk is fetched, not while it is read.
            let next = lock(chunks).next();
            let Some((number, records)) = next else { break };
            let mut rows = worker.spare.pop().unwrap_or_default();
            let error = worker.batch.preparer.push_all(records, &mut rows);
            size.fetch_add(rows.len().max(1), Relaxed);
            filled.push(Chunk { number, worker: place, rows, error });
            if error.is_some() {
                break;
            }
        }
        filled
    };
    let (first, filled) = each_on_a_thread(workers.iter_mut().enumerate(), fill, first);
    let mut chunks: Vec<Chunk> = filled.into_iter().flatten().collect();
    chunks.sort_unstable_by_key(|chunk| chunk.number);
    if let Some(failed) = chunks.iter().position(|chunk| chunk.error.is_some()) {
        chunks.truncate(failed + 1);
    }
    (first, Round { chunks, ids: None })
}

/// Enters the chunks of a round, and adds their records to `before`.
#[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
fn enter(counter: &mut Counter, workers: &mut [Worker], round: &mut Round, before: &mut u64) -> Result<(), StoppedAt> {
    let Counter { identities, ledgers, .. } = counter;
    let Round { chunks, ids } = std::mem::take(round);
    let has_ids = ids.is_some();
    let Ids { mut emails, mut links } = ids.unwrap_or(Ids { emails: Vec::new(), links: Vec::new() });
    for (place, mut chunk) in chunks.into_iter().enumerate() {
        let Some(Worker { batch, spare }) = workers.get_mut(chunk.worker) else { continue };
        let (emails, links) = (slot(&mut emails, place), slot(&mut links, place));
        if !has_ids {
            // Some of the round may yet fit.
            let room = identities.check_rows(&batch.preparer, &chunk.rows);
            room.map_err(|source| StoppedAt { place: *before + 1, source })?;
            identities.emails.intern_all(&chunk.rows.emails, emails);
            identities.links.intern_all(&chunk.rows.links, links);
        }
        batch.known.enter(&batch.preparer, &chunk.rows, emails, links, identities, ledgers);
        *before += chunk.rows.len() as u64;
        if let Some(source) = chunk.error {
            return Err(StoppedAt { place: *before + 1, source });
        }
        chunk.rows.clear();
        spare.push(chunk.rows);
    }
    for worker in workers {
        worker.batch.clear();
    }
    Ok(())
}

/// The ids at a place, which is there or the next one.
#[expect(clippy::arithmetic_side_effects, reason = "a place in a list")]
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
fn intern(emails: &mut Interner, links: &mut Interner, chunks: &[Chunk], threads: NonZeroUsize) -> Ids {
    let parts = threads.get().div_ceil(2).next_power_of_two().min(Interner::MOST_PARTS);
    let task = |column: Column| move |part| Task { part, column, ids: Vec::with_capacity(chunks.len()) };
    let mut email_tasks: Vec<Task<'_>> = emails.parts(parts).map(task(|rows| &rows.emails)).collect();
    let mut link_tasks: Vec<Task<'_>> = links.parts(parts).map(task(|rows| &rows.links)).collect();
    {
        let queue = Mutex::new(email_tasks.iter_mut().chain(&mut link_tasks));
        let work = |_| {
            loop {
                let next = lock(&queue).next();
                match next {
                    Some(task) => task.run(chunks, parts),
                    None => break,
                }
            }
        };
        each_on_a_thread(0..threads.get(), work, || ());
    }
    let ids = Ids { emails: woven(email_tasks, chunks), links: woven(link_tasks, chunks) };
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

/// Runs something on each item, on this thread the first one, once something
/// else was done there, and each other on one of its own. Where the system gives
/// no more threads, the items left over are dropped: they are only hands for
/// work that any of them can do. A panic is passed on once all are done.
pub(crate) fn each_on_a_thread<T: Send, R: Send, D>(
    items: impl IntoIterator<Item = T>,
    run: impl Fn(T) -> R + Sync,
    before: impl FnOnce() -> D,
) -> (D, Vec<R>) {
    let mut items = items.into_iter();
    let first = items.next();
    thread::scope(|scope| {
        let run = &run;
        let spawn = |item| thread::Builder::new().spawn_scoped(scope, move || run(item));
        let others: Vec<_> = items.map_while(|item| spawn(item).ok()).collect();
        let done = before();
        let mut results: Vec<R> = first.map(run).into_iter().collect();
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (done, results)
    })
}

/// Locks a mutex, also one whose owner panicked: the panic ends the round, and
/// what is left of it is thrown away.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
