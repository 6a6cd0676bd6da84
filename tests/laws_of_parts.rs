//! Laws of records that come in parts: in batches, on threads, in counters to
//! be merged, before and behind a snapshot. Each by its name.

#![cfg(feature = "public-suffix-list")] // The streams' policies need it.

mod model;

use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

use headcount::{
    AddError, Counter, FingerprintKey, MergeError, Outcome, People, Platform, Report, SnapshotError, Standing,
    StoppedAt, Subscription, UnixSeconds, UserRecord,
};
use model::feeding::{Way, copied, count, counter, fed, partition, parts, without_spelling};
use model::streams::{Random, Stream, for_streams, long_stream, rounds, stream};

const KEY: u64 = 1;
const THREADS: [usize; 4] = [1, 2, 3, 8];

/// The same counter to the last byte.
fn assert_same(one: &Counter, other: &Counter, records: &[UserRecord], what: &str) {
    assert_eq!(one.report(), other.report(), "{what}");
    assert_eq!(partition(one, records), partition(other, records), "{what}");
    assert!(one.snapshot() == other.snapshot(), "{what}: the snapshots differ");
}

/// The same but for the spelling of providers, and the order of what was first.
fn assert_alike(one: &Counter, other: &Counter, Stream { other: terms, records, .. }: &Stream) {
    assert_eq!(without_spelling(one.report()), without_spelling(other.report()));
    let [one_under, other_under] = [one, other].map(|counter| counter.report_under(terms).expect("terms that fit"));
    assert_eq!(without_spelling(one_under), without_spelling(other_under));
    assert_eq!(partition(one, records), partition(other, records));
}

/// A record of a runtime that no stream has.
fn stranger() -> UserRecord<'static> {
    UserRecord { runtime: "prod".into(), username: Some("ana".into()), ..UserRecord::default() }
}

fn restored(counter: &Counter, bytes: &[u8]) -> Result<Counter, SnapshotError> {
    Counter::restore(counter.subscription().clone(), &FingerprintKey::public_for_tests(KEY), bytes)
}

fn scopes(report: &Report) -> Vec<People> {
    report.runtimes.iter().map(|runtime| runtime.people).chain([report.global]).collect()
}

#[test]
fn batches_taken_in_order_are_add_all() {
    for_streams(21, |random, Stream { subscription, records, .. }| {
        let in_batches = Way::Batches.fed(random, &subscription, KEY, &records);
        assert_same(&in_batches, &fed(&subscription, KEY, &records), &records, "batches");
    });
}

#[test]
fn batches_taken_in_another_order_are_the_stream_in_that_order() {
    for_streams(22, |random, Stream { subscription, records, .. }| {
        let mut counter = counter(&subscription, KEY);
        let mut parts = parts(random, &records);
        let mut batches: Vec<_> = parts.iter().map(|_| counter.batch()).collect();
        for (batch, part) in batches.iter_mut().zip(&parts) {
            for record in *part {
                batch.add(record).expect("a known runtime");
            }
        }
        for batch in batches.iter_mut().rev() {
            counter.take(batch).expect("its own batch");
        }
        parts.reverse();
        assert_same(&counter, &fed(&subscription, KEY, &parts.concat()), &records, "batches from behind");
    });
}

#[test]
fn a_batch_of_another_counter_is_refused_and_nothing_changes() {
    for_streams(23, |random, Stream { subscription, records, .. }| {
        let (before, behind) = records.split_at(random.below(records.len() + 1));
        let mut own = fed(&subscription, KEY, before);
        let mut copy = copied(&own, KEY);
        let mut batch = own.batch();
        for record in behind {
            batch.add(record).expect("a known runtime");
        }
        let snapshot = own.snapshot();
        assert_eq!(copy.take(&mut batch), Err(AddError::OtherCounter));
        assert_eq!(batch.len(), behind.len());
        assert!(copy.snapshot() == snapshot && own.snapshot() == snapshot, "a refused batch changes no counter");
        own.take(&mut batch).expect("its own batch");
        assert_same(&own, &fed(&subscription, KEY, &records), &records, "the batch after it was refused");
    });
}

#[test]
fn a_batch_does_without_a_record_of_an_unknown_runtime() {
    for_streams(24, |random, Stream { subscription, records, .. }| {
        let mut counter = counter(&subscription, KEY);
        let mut batch = counter.batch();
        let place = random.below(records.len() + 1);
        for (at, record) in records.iter().chain([&stranger()]).enumerate() {
            if at == place {
                assert_eq!(batch.add(&stranger()), Err(AddError::UnknownRuntime));
                assert_eq!(batch.len(), at);
            }
            if at < records.len() {
                batch.add(record).expect("a known runtime");
            }
        }
        counter.take(&mut batch).expect("its own batch");
        assert_same(&counter, &fed(&subscription, KEY, &records), &records, "without the stranger");
    });
}

#[test]
fn threads_and_chunks_do_not_matter() {
    for_streams(25, |random, Stream { subscription, records, .. }| {
        let at_once = fed(&subscription, KEY, &records);
        for threads in [random.pick(&THREADS), random.pick(&THREADS)] {
            let (before, behind) = records.split_at(random.below(records.len() + 1));
            let mut counter = fed(&subscription, KEY, before);
            let chunks = parts(random, behind).into_iter().map(|part| part.iter().cloned());
            counter.add_in_parallel(count(threads), chunks).expect("known runtimes");
            assert_same(&counter, &at_once, &records, &format!("{threads} threads"));
            assert_eq!(counter.report_in_parallel(count(threads)), at_once.report());
        }
    });
}

#[test]
fn an_unknown_runtime_stops_any_number_of_threads_at_the_same_record() {
    for_streams(26, |random, Stream { subscription, records, .. }| {
        let mut with_strangers = records.clone();
        for _ in 0..=random.below(2) {
            with_strangers.insert(random.below(with_strangers.len() + 1), stranger());
        }
        let mut at_once = counter(&subscription, KEY);
        let stopped = at_once.add_all(with_strangers.iter().cloned());
        let place = with_strangers.iter().position(|record| record.runtime == "prod").expect("a stranger");
        assert_eq!(stopped, Err(StoppedAt { place: place as u64 + 1, source: AddError::UnknownRuntime }));
        for threads in [random.pick(&THREADS), random.pick(&THREADS)] {
            let mut counter = counter(&subscription, KEY);
            let chunks = parts(random, &with_strangers).into_iter().map(|part| part.iter().cloned());
            assert_eq!(counter.add_in_parallel(count(threads), chunks), stopped);
            assert_same(&counter, &at_once, &records, &format!("{threads} threads, stopped"));
        }
    });
}

#[test]
fn a_panic_in_a_chunk_leaves_whole_chunks_and_a_counter_that_goes_on() {
    for seed in 0..20 {
        let mut random = Random::new(27 << 32 | seed);
        let Stream { subscription, records, .. } = long_stream(&mut random, Platform::O11);
        let parts = parts(&mut random, &records);
        let (threads, place) = (random.pick(&THREADS), random.below(records.len()));
        let counter = panicked(&subscription, &parts, threads, place);
        goes_on(counter, &parts, &records);
    }
}

#[test]
fn threads_agree_over_many_rounds() {
    for platform in [Platform::O11, Platform::Odc] {
        let mut random = Random::new(28);
        let Stream { subscription, records, .. } = rounds(&mut random, platform);
        let at_once = fed(&subscription, KEY, &records).snapshot();
        let place = 33_333;
        let stopped_at_once = fed(&subscription, KEY, &records[..place]).snapshot();
        for (threads, size) in [(1, 5_000), (2, 1_777)] {
            let mut counter = counter(&subscription, KEY);
            let chunks = records.chunks(size).map(|part| part.iter().cloned());
            counter.add_in_parallel(count(threads), chunks).expect("known runtimes");
            assert!(counter.snapshot() == at_once, "{threads} threads");
        }
        for (threads, size) in [(2, 3_000), (3, 700)] {
            let mut counter = counter(&subscription, KEY);
            let stream = [&records[..place], &[stranger()], &records[place..]].concat();
            let stopped = counter.add_in_parallel(count(threads), stream.chunks(size).map(|part| part.iter().cloned()));
            assert_eq!(stopped, Err(StoppedAt { place: place as u64 + 1, source: AddError::UnknownRuntime }));
            assert!(counter.snapshot() == stopped_at_once, "{threads} threads, stopped");
        }
        // One thread takes four chunks a round: some are in when it panics.
        let parts: Vec<_> = records.chunks(5_000).collect();
        let counter = panicked(&subscription, &parts, 1, place);
        assert!(counter.report().records > 0, "rounds before the panic are counted");
        goes_on(counter, &parts, &records);
    }
}

#[test]
fn a_panic_between_chunks_leaves_whole_chunks_and_a_counter_that_goes_on() {
    for seed in 0..20 {
        let mut random = Random::new(43 << 32 | seed);
        let Stream { subscription, records, .. } = long_stream(&mut random, Platform::Odc);
        let parts = parts(&mut random, &records);
        let (threads, place) = (random.pick(&THREADS), random.below(parts.len() + 1));
        let counter = panicked_between(&subscription, &parts, threads, place);
        goes_on(counter, &parts, &records);
    }
    // Behind what two threads take in their first round.
    let Stream { subscription, records, .. } = rounds(&mut Random::new(43), Platform::Odc);
    let parts: Vec<_> = records.chunks(1_777).collect();
    let counter = panicked_between(&subscription, &parts, 2, parts.len() - 1);
    assert!(counter.report().records > 0, "rounds before the panic are counted");
    goes_on(counter, &parts, &records);
}

/// A counter that was given these chunks by an iterator that panics in place of
/// one of them, or behind the last.
fn panicked_between(subscription: &Subscription, chunks: &[&[UserRecord]], threads: usize, place: usize) -> Counter {
    let mut counter = counter(subscription, KEY);
    let panicking = (0..=chunks.len()).map(|at| {
        assert!(at != place, "the iterator over chunks");
        chunks.get(at).copied().unwrap_or_default().iter().cloned()
    });
    let result = catch_unwind(AssertUnwindSafe(|| counter.add_in_parallel(count(threads), panicking)));
    assert!(result.is_err(), "a panic between chunks is passed on");
    counter
}

/// A counter that was given these chunks, one of which panics before the record
/// at a place.
fn panicked(subscription: &Subscription, chunks: &[&[UserRecord]], threads: usize, place: usize) -> Counter {
    let mut counter = counter(subscription, KEY);
    let before = chunks.iter().scan(0, |sum, chunk| {
        *sum += chunk.len();
        Some(*sum - chunk.len())
    });
    let panicking = chunks.iter().zip(before).map(|(chunk, before)| {
        let panics = move |at: usize| assert!(before + at != place, "the chunk's iterator");
        chunk.iter().enumerate().inspect(move |(at, _)| panics(*at)).map(|(_, record)| record.clone())
    });
    let result = catch_unwind(AssertUnwindSafe(|| counter.add_in_parallel(count(threads), panicking)));
    assert!(result.is_err(), "a panic in a chunk is passed on");
    counter
}

/// What is in the counter is some of the chunks from the first on, and with the
/// others it is as if nothing had happened.
fn goes_on(mut counter: Counter, chunks: &[&[UserRecord]], records: &[UserRecord]) {
    let taken = usize::try_from(counter.report().records).expect("as many as fed");
    let ends = chunks.iter().scan(0, |sum, chunk| {
        *sum += chunk.len();
        Some(*sum)
    });
    assert!(iter::once(0).chain(ends).any(|end| end == taken), "{taken} records are no whole chunks");
    let subscription = counter.subscription().clone();
    assert!(counter.snapshot() == fed(&subscription, KEY, &records[..taken]).snapshot(), "the first {taken} records");
    counter.add_in_parallel(count(2), records[taken..].chunks(7).map(|part| part.iter().cloned())).expect("runtimes");
    assert!(counter.snapshot() == fed(&subscription, KEY, records).snapshot(), "after a panic");
}

/// A binary tree over parts of a stream.
#[derive(Debug, Clone)]
enum Tree {
    Part(usize),
    Merged(Box<(Tree, Tree)>),
}

/// Every tree over these parts in this order.
fn trees(order: &[usize]) -> Vec<Tree> {
    if let [part] = order {
        return vec![Tree::Part(*part)];
    }
    let of_split = |at| {
        let pair =
            move |left: &Tree| trees(&order[at..]).into_iter().map(|right| (left.clone(), right)).collect::<Vec<_>>();
        trees(&order[..at]).iter().flat_map(pair).collect::<Vec<_>>()
    };
    (1..order.len()).flat_map(of_split).map(|pair| Tree::Merged(Box::new(pair))).collect()
}

impl Tree {
    fn counter(&self, subscription: &Subscription, parts: &[&[UserRecord]]) -> Counter {
        match self {
            Tree::Part(part) => fed(subscription, KEY, parts[*part]),
            Tree::Merged(pair) => {
                let mut left = pair.0.counter(subscription, parts);
                left.merge(&pair.1.counter(subscription, parts)).expect("one key and subscription");
                left
            }
        }
    }
}

/// Every order of so many things, the first one as they are.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let with_last = |order: Vec<usize>| {
        (0..count).rev().map(move |at| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        })
    };
    orders(count - 1).into_iter().flat_map(with_last).collect()
}

/// Parts of a stream that are not only neighbours: record by record, or cut.
fn shared_out<'r>(random: &mut Random, records: &[UserRecord<'r>], count: usize) -> Vec<Vec<UserRecord<'r>>> {
    let mut parts = vec![vec![]; count];
    let cut = random.one_in(2);
    for (at, record) in records.iter().enumerate() {
        let part = if cut { at * count / records.len() } else { random.below(count) };
        parts[part].push(record.clone());
    }
    parts
}

/// All trees of all orders, or a sample of them.
fn merge_in_trees(random: &mut Random, stream: &Stream, count: usize, sample: usize) {
    let Stream { subscription, records, .. } = stream;
    let parts = shared_out(random, records, count);
    let parts: Vec<&[UserRecord]> = parts.iter().map(Vec::as_slice).collect();
    let whole = fed(subscription, KEY, records);
    for order in orders(count) {
        let in_order = order.iter().flat_map(|part| parts[*part]).cloned().collect::<Vec<_>>();
        let in_order = fed(subscription, KEY, &in_order).snapshot();
        for tree in trees(&order).into_iter().filter(|_| random.one_in(sample)) {
            let merged = tree.counter(subscription, &parts);
            assert!(merged.snapshot() == in_order, "{tree:?} is not the records in its order");
            assert_alike(&merged, &whole, stream);
        }
    }
}

#[test]
fn every_tree_of_two_or_three_parts_merges_to_the_whole() {
    assert_eq!([2, 3, 4, 5].map(|count| orders(count).len() * trees(&orders(count)[0]).len()), [2, 12, 120, 1_680]);
    for_streams(29, |random, stream| {
        if stream.records.len() < 100 && random.one_in(3) {
            merge_in_trees(random, &stream, 2, 1);
            merge_in_trees(random, &stream, 3, 1);
        }
    });
}

#[test]
fn every_tree_of_four_parts_merges_to_the_whole() {
    for seed in 0..8 {
        for platform in [Platform::O11, Platform::Odc] {
            let mut random = Random::new(30 << 32 | seed);
            let stream = stream(&mut random, platform);
            merge_in_trees(&mut random, &stream, 4, 1);
        }
    }
}

#[test]
fn every_tree_of_five_parts_merges_to_the_whole() {
    for platform in [Platform::O11, Platform::Odc] {
        let mut random = Random::new(31);
        // Enough records for a part to have one each.
        let stream = iter::repeat_with(|| stream(&mut random, platform)).find(|stream| stream.records.len() >= 5);
        merge_in_trees(&mut random, &stream.expect("some time"), 5, 1);
    }
}

#[test]
fn some_trees_of_five_parts_merge_to_the_whole_in_many_streams() {
    for_streams(31, |random, stream| {
        if random.one_in(20) {
            merge_in_trees(random, &stream, 5, 300);
        }
    });
}

#[test]
fn a_counter_without_records_is_neutral() {
    for_streams(32, |_, Stream { subscription, records, .. }| {
        let mut full = fed(&subscription, KEY, &records);
        full.reject();
        let before = full.snapshot();
        full.merge(&counter(&subscription, KEY)).expect("one key and subscription");
        assert!(full.snapshot() == before, "full and empty");
        let mut empty = counter(&subscription, KEY);
        empty.merge(&full).expect("one key and subscription");
        assert!(empty.snapshot() == before, "empty and full");
    });
}

#[test]
fn merging_a_copy_counts_again_only_those_alone() {
    for_streams(33, |_, Stream { subscription, records, .. }| {
        let mut counter = fed(&subscription, KEY, &records);
        counter.reject();
        let before = counter.report();
        let partition_before = partition(&counter, &records);
        let alone = {
            let mut individuals = counter.individuals();
            let mut is_alone = |record| matches!(individuals.of(record).expect("a runtime"), Standing::Alone(_));
            records.iter().filter(|record| is_alone(record)).count() as u64
        };
        let copy = copied(&counter, KEY);
        counter.merge(&copy).expect("one key and subscription");
        let after = counter.report();
        assert_eq!(after.global.individuals.total(), before.global.individuals.total() + alone);
        assert_eq!(after.global.mixed_class, before.global.mixed_class);
        assert_eq!((after.records, after.rejected), (before.records * 2, before.rejected * 2));
        assert_eq!(partition(&counter, &records), partition_before);
    });
}

#[test]
fn merging_adds_up() {
    for_streams(34, |random, Stream { subscription, records, .. }| {
        let (one, other) = records.split_at(random.below(records.len() + 1));
        let [mut one, mut other] = [one, other].map(|part| fed(&subscription, KEY, part));
        (0..random.below(3)).for_each(|_| one.reject());
        (0..random.below(3)).for_each(|_| other.reject());
        let parts = [one.report(), other.report()];
        one.merge(&other).expect("one key and subscription");
        let merged = one.report();
        assert_eq!(other.report(), parts[1], "the other counter stays");
        assert_eq!(merged.rejected, parts[0].rejected + parts[1].rejected);
        assert_eq!(merged.records, parts[0].records + parts[1].records);
        for (at, runtime) in merged.runtimes.iter().enumerate() {
            let parts = [&parts[0].runtimes[at], &parts[1].runtimes[at]];
            assert_eq!(runtime.counted, parts[0].counted + parts[1].counted);
            assert_eq!(runtime.excluded.total(), parts[0].excluded.total() + parts[1].excluded.total());
        }
        // D: who is one in a part is one in the whole. T6: nobody is new.
        let parts = parts.each_ref().map(scopes);
        for ((whole, one), other) in scopes(&merged).iter().zip(&parts[0]).zip(&parts[1]) {
            let [whole, one, other] = [whole, one, other].map(|people| people.individuals.total());
            assert!(whole <= one + other, "{whole} of {one} and {other}");
            // A record of the other part may join two of this one.
            let joined = if subscription.platform() == Platform::O11 { other.min(one) } else { 0 };
            assert!(whole + joined >= one.max(other), "{whole} of {one} and {other}");
        }
    });
}

#[test]
fn a_record_taken_changes_individuals_by_at_most_one_up() {
    for_streams(35, |random, Stream { subscription, records, .. }| {
        let records = &records[..records.len().min(20)];
        let mut counter = counter(&subscription, KEY);
        let mut before = scopes(&counter.report());
        for record in records {
            let mut one = fed(&subscription, KEY, std::slice::from_ref(record));
            let outcome = fed(&subscription, KEY, &[]).add(record).expect("a known runtime");
            match random.below(3) {
                0 => counter.merge(&one).expect("one key and subscription"),
                1 => counter.add_in_parallel(count(2), [[record.clone()]]).expect("a known runtime"),
                _ => {
                    one.merge(&counter).expect("one key and subscription");
                    counter = copied(&one, KEY);
                }
            }
            let after = scopes(&counter.report());
            for (before, after) in before.iter().zip(&after) {
                let [before, after] = [before, after].map(|people| people.individuals.total());
                let joined = u64::from(subscription.platform() == Platform::O11);
                match outcome {
                    Outcome::Excluded(_) => assert_eq!(before, after),
                    Outcome::Counted(_) => assert!(after <= before + 1 && after + joined >= before),
                }
            }
            before = after;
        }
        let report = counter.report();
        for runtime in &report.runtimes {
            // T1, T3, T4, T5.
            assert_eq!(runtime.records, runtime.counted + runtime.excluded.total());
            assert_eq!(runtime.counted, runtime.providers.iter().map(|provider| provider.records.total()).sum::<u64>());
            assert_eq!(runtime.people.duplicates, runtime.counted - runtime.people.individuals.total());
            assert!(runtime.people.mixed_class <= runtime.people.duplicates);
        }
        // T6.
        let each = report.runtimes.iter().map(|runtime| runtime.people.individuals.total());
        assert!(report.global.individuals.total() <= each.sum());
    });
}

#[test]
fn counters_of_other_keys_or_subscriptions_do_not_merge_and_do_not_change() {
    for_streams(36, |random, Stream { subscription, other, records }| {
        let mut one = fed(&subscription, KEY, &records);
        let capacity = random.pick(&[None, Some(headcount::Capacity::named(77))]);
        let runtimes = subscription.runtimes().to_vec();
        let other_capacity = Subscription::new(subscription.platform(), runtimes, capacity).expect("a subscription");
        let strangers = [
            (MergeError::Key, SnapshotError::Key, fed(&subscription, 2, &records)),
            (MergeError::Key, SnapshotError::Key, fed(&other, 2, &records)),
            (MergeError::Subscription, SnapshotError::Subscription, fed(&other, KEY, &records)),
            (MergeError::Subscription, SnapshotError::Subscription, fed(&other_capacity, KEY, &records)),
        ];
        for (refusal, snapshot_refusal, mut stranger) in strangers {
            let before = [one.snapshot(), stranger.snapshot()];
            if refusal == MergeError::Subscription && stranger.subscription() == one.subscription() {
                assert!(restored(&one, &before[1]).is_ok(), "equal subscriptions restore");
                continue;
            }
            assert_eq!(one.merge(&stranger), Err(refusal));
            assert_eq!(stranger.merge(&one), Err(refusal));
            assert!([one.snapshot(), stranger.snapshot()] == before, "a refused merge changes nothing");
            assert_eq!(restored(&one, &before[1]).map(|_| ()), Err(snapshot_refusal));
        }
    });
}

#[test]
fn a_snapshot_anywhere_in_a_stream_changes_nothing() {
    for_streams(37, |_, Stream { subscription, other, records }| {
        let whole = fed(&subscription, KEY, &records);
        // Everywhere in a short stream, at six places of a long one.
        let step = if records.len() < 20 { 1 } else { records.len().div_ceil(6) };
        for place in (0..=records.len()).step_by(step) {
            let (before, behind) = records.split_at(place);
            let mut taken = fed(&subscription, KEY, before);
            (0..place % 3).for_each(|_| taken.reject());
            let bytes = taken.snapshot();
            let mut counter = restored(&taken, &bytes).expect("a snapshot just taken");
            assert!(counter.snapshot() == bytes, "taken again");
            assert_eq!(counter.report(), taken.report());
            assert_eq!(counter.report_under(&other), taken.report_under(&other));
            assert_eq!(partition(&counter, before), partition(&taken, before));
            for record in behind {
                assert_eq!(counter.add(record), taken.add(record));
            }
            assert_same(&counter, &taken, &records, "gone on");
            let Report { runtimes, global, .. } = counter.report();
            assert_eq!((runtimes, global), (whole.report().runtimes, whole.report().global));
        }
    });
}

/// D5: in ODC emails link nothing, so of an address only its domain is a fact.
/// Else a state would depend on which domains a batch has seen lately.
#[test]
fn local_parts_leave_no_trace_in_odc() {
    let stream = stream(&mut Random::new(0), Platform::Odc);
    let name = stream.subscription.runtimes()[0].name.clone();
    let snapshot = |email: &'static str| {
        let record = UserRecord {
            runtime: name.as_str().into(),
            key: Some("k1".into()),
            email: Some(email.into()),
            last_login: Some(UnixSeconds(0)),
            ..UserRecord::default()
        };
        fed(&stream.subscription, KEY, &[record]).snapshot()
    };
    assert!(snapshot("ana@corp.example") == snapshot("bo@corp.example"), "a plain domain");
    assert!(snapshot("ana@b\u{FC}cher.example") == snapshot("bo@b\u{FC}cher.example"), "an IDN");
    assert!(snapshot("ana@corp.example") != snapshot("ana@other.example"), "the domain is a fact");
}

/// What a snapshot says of a change at a byte: the first part that does not fit.
fn refusal_of_change(bytes: &[u8], at: usize) -> SnapshotError {
    match at {
        0..8 => SnapshotError::NotASnapshot,
        8..12 => {
            let found = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
            SnapshotError::Version { found, expected: 1 }
        }
        12..28 => SnapshotError::Key,
        _ => SnapshotError::Damaged,
    }
}

/// Small streams, whose snapshots are about a thousand bytes.
fn for_snapshots(law: impl Fn(&mut Random, &Counter, Vec<u8>)) {
    for seed in 0..2 {
        for platform in [Platform::O11, Platform::Odc] {
            let mut random = Random::new(38 << 32 | seed);
            let Stream { subscription, records, .. } = stream(&mut random, platform);
            let counter = fed(&subscription, KEY, &records);
            let bytes = counter.snapshot();
            law(&mut random, &counter, bytes);
        }
    }
}

#[test]
fn a_snapshot_cut_off_anywhere_is_refused() {
    for_snapshots(|_, counter, bytes| {
        for len in 0..bytes.len() {
            let wanted = if len < 8 { SnapshotError::NotASnapshot } else { SnapshotError::Damaged };
            assert_eq!(restored(counter, &bytes[..len]).map(|_| ()), Err(wanted), "{len} of {} bytes", bytes.len());
        }
        restored(counter, &bytes).expect("the whole");
    });
}

#[test]
fn a_snapshot_with_more_behind_it_is_refused() {
    for_snapshots(|random, counter, bytes| {
        for more in [&[0][..], &[255], &[0; 4], &[0; 16], &bytes[bytes.len() - 16..], &bytes] {
            let longer = [&bytes[..], more].concat();
            assert_eq!(restored(counter, &longer).map(|_| ()), Err(SnapshotError::Damaged));
        }
        let at = 28 + random.below(bytes.len() - 28);
        let longer = [&bytes[..at], &[0], &bytes[at..]].concat();
        assert_eq!(restored(counter, &longer).map(|_| ()), Err(SnapshotError::Damaged));
    });
}

#[test]
fn a_snapshot_with_any_bit_flipped_is_refused() {
    for_snapshots(|_, counter, bytes| {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let wanted = refusal_of_change(&damaged, at);
                assert_eq!(restored(counter, &damaged).map(|_| ()), Err(wanted), "bit {bit} of byte {at}");
            }
        }
    });
}

#[test]
fn a_snapshot_of_another_version_is_refused_whatever_is_in_it() {
    for_snapshots(|_, counter, bytes| {
        for found in [0_u32, 2, 256, u32::MAX] {
            let later = [&bytes[..8], &found.to_le_bytes(), b"anything"].concat();
            let said = restored(counter, &later).map(|_| ());
            assert_eq!(said, Err(SnapshotError::Version { found, expected: 1 }));
        }
    });
}
