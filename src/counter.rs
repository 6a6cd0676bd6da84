//! `Counter`: drives a record through the rules, and facts into a report.

#![allow(clippy::arithmetic_side_effects)] // Counts of records, fewer than 2^64.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use crate::batch::Batch;
use crate::classification::{Class, ClassRule, Classification, Classifier};
use crate::eligibility::{Exclusion, disabled_forms};
use crate::error::{AddError, MismatchError, StoppedAt};
use crate::fingerprint::FingerprintKey;
use crate::identities::Identities;
use crate::interner::SHARD_LIMIT;
use crate::ledger::{Ledger, Provider};
use crate::parallel;
use crate::platform::Linking;
use crate::prepare::{Sighting, Terms};
use crate::record::UserRecord;
use crate::report::{CapacityUsage, ExclusionTally, ProviderReport, Report, RuntimeReport};
use crate::subscription::{Runtime, Subscription};
use crate::tally::{Census, ClassTally, Groups, People, Scope};

/// Records that are prepared before they are interned together: enough for
/// their cache misses to overlap, few enough to stay in the cache.
const BATCH: usize = 1 << 11;

/// What C2 says, for records whose runtime cannot be found, of which there are
/// none.
const EVERYONE: Classification = Classification { class: Class::Internal, rule: ClassRule::C2 };

/// Counts the end users of one subscription.
///
/// Records go in one by one, in any order and from any runtime; a
/// [`Report`] can be had at any time and changes nothing.
///
/// # What it keeps
///
/// Facts, not verdicts: for each counted record the ids of its email address,
/// of its login (its key in ODC) and of the address's domain, by runtime,
/// provider and tenant; for each runtime how many records were excluded and
/// why. What links nothing by any rule is not kept: emails in ODC, emails and
/// logins of other tenants (D3). Which rules of class and merging apply is
/// decided when a report is made, so
/// [`report_under`](Counter::report_under) reads another policy, another
/// version or other capacities out of the same facts. Only E is decided on the
/// way in.
///
/// No login, email, key or name is kept, only fingerprints of them under the
/// counter's [`FingerprintKey`]; domains seen lately and names of providers are
/// kept as they are.
///
/// # Cost
///
/// A record costs two hashes and two look-ups (one of each in ODC), and a hash
/// and a look-up more where its address has a domain not seen lately, whatever
/// came before. It allocates
/// nothing on its own unless a text of it is not ASCII. A counted record takes
/// 12 bytes, 4 in another tenant; each different email, login or key and domain
/// about 20. A report takes time linear in facts, and in domains for each
/// runtime, and, while it is made, 4 bytes an email, login or key and 1 a
/// domain.
///
/// # Many records, threads, machines
///
/// [`add_all`](Counter::add_all) over many records is about twice as fast as
/// [`add`](Counter::add) for each. [`add_in_parallel`](Counter::add_in_parallel)
/// shares records out among threads of its own; a service with threads of its
/// own has each fill a [`Batch`]. Counters of one key and one subscription
/// [`merge`](Counter::merge), and a [`snapshot`](Counter::snapshot) takes a
/// counter to another process or machine. All of these give the same report as
/// adding the records one by one.
///
/// There is no `Extend` and no `FromIterator`: a record of an unknown runtime
/// is an error (R1), which those cannot return. [`add_all`](Counter::add_all)
/// takes an iterator.
///
#[cfg_attr(feature = "public-suffix-list", doc = "```")]
#[cfg_attr(not(feature = "public-suffix-list"), doc = "```ignore")]
/// use headcount::{Class, Counter, DomainPolicy, FingerprintKey, Outcome, Platform, Runtime, Subscription, UserRecord};
///
/// let prod = Runtime {
///     name: "prod".into(),
///     version: Some("11.28.0".parse()?),
///     internal_domains: DomainPolicy::parse("mycompany.com")?,
///     disabled_providers: vec![],
/// };
/// let subscription = Subscription::new(Platform::O11, vec![prod], None)?;
/// # let random = [7; 16];
/// let mut counter = Counter::new(subscription, &FingerprintKey::from_secret(random)?);
///
/// let user = |provider: &'static str, username: &'static str, email: &'static str| UserRecord {
///     runtime: "prod".into(),
///     provider: Some(provider.into()),
///     username: Some(username.into()),
///     email: Some(email.into()),
///     ..UserRecord::default()
/// };
/// let outcome = counter.add(&user("Users", "sjones", "scarlett.jones@outsourcing.com"))?;
/// assert!(matches!(outcome, Outcome::Counted(why) if why.class == Class::External));
/// counter.add(&user("Portal", "SJones", "sj@mycompany.com"))?;
///
/// // One login, so one individual; internal, because one record is (C6).
/// let people = counter.report().global;
/// assert_eq!((people.individuals.internal, people.individuals.external), (1, 0));
/// assert_eq!((people.duplicates, people.mixed_class), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Counter {
    pub(crate) terms: Arc<Terms>,
    /// For records added one by one or from one iterator.
    batch: Batch,
    pub(crate) identities: Identities,
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) rejected: u64,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It does not count, for this reason.
    Excluded(Exclusion),
    /// It counts, in this class by this rule under the counter's own
    /// subscription.
    Counted(Classification),
}

impl Counter {
    /// A counter without records.
    #[must_use]
    pub fn new(subscription: Subscription, key: &FingerprintKey) -> Counter {
        Counter::with_limit(subscription, key, SHARD_LIMIT)
    }

    fn with_limit(subscription: Subscription, key: &FingerprintKey, shard_limit: u32) -> Counter {
        let terms = Arc::new(Terms::new(subscription, key));
        Counter {
            batch: Batch::new(Arc::clone(&terms)),
            identities: Identities::new(shard_limit),
            ledgers: terms.subscription.runtimes().iter().map(|_| Ledger::default()).collect(),
            rejected: 0,
            terms,
        }
    }

    /// The subscription it counts for.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.terms.subscription
    }

    /// Takes a record in and says what became of it.
    ///
    /// # Errors
    ///
    /// The subscription has no such runtime (R1), or the counter is full. The
    /// record is then not counted, and nothing else changes.
    pub fn add(&mut self, record: &UserRecord<'_>) -> Result<Outcome, AddError> {
        self.identities.check_room(1)?;
        self.batch.add(record)?;
        let sighting = self.batch.sighting();
        let outcome = match self.batch.rows.excluded.last() {
            Some((_, reason)) => Outcome::Excluded(*reason),
            None => Outcome::Counted(sighting.map_or(EVERYONE, |sighting| self.classify(&sighting))),
        };
        self.enter_batch();
        Ok(outcome)
    }

    /// Takes in many records, faster than one by one.
    ///
    /// The records before one that is not taken, or on which the iterator
    /// panics, are counted; that one and those behind it are not.
    ///
    /// # Errors
    ///
    /// As for [`add`](Counter::add), with the place of the record.
    pub fn add_all<'r, I>(&mut self, records: I) -> Result<(), StoppedAt>
    where
        I: IntoIterator<Item = UserRecord<'r>>,
    {
        let mut filling = Filling::new(self);
        let mut place = 0;
        records.into_iter().try_for_each(|record| {
            place += 1;
            filling.add(&record).map_err(|source| StoppedAt { place, source })
        })
    }

    /// Takes in many records on several threads: chunks of records, some
    /// thousand each, which the threads fetch from the iterator in turn and read
    /// side by side. The outcome is that of [`add_all`](Counter::add_all) over
    /// all chunks in their order, whatever the number of threads.
    ///
    /// A chunk is prepared as a whole, at 50 bytes a record and 60 more for one
    /// whose address has a domain not seen lately. Threads live as long as the
    /// call. Where reading a chunk panics, so does the call; some whole chunks
    /// from the first on stay counted, and no others are.
    ///
    /// # Errors
    ///
    /// As for [`add_all`](Counter::add_all), with the place of the record in all
    /// chunks; where the counter is full, that of the first record of the chunk
    /// that does not fit. Some chunks behind may have been read, and are not
    /// counted.
    pub fn add_in_parallel<'r, I, C>(&mut self, threads: NonZeroUsize, chunks: I) -> Result<(), StoppedAt>
    where
        I: IntoIterator<Item = C>,
        I::IntoIter: Send,
        C: IntoIterator<Item = UserRecord<'r>>,
    {
        parallel::add_chunks(self, threads, chunks.into_iter())
    }

    /// Takes note of a row that the reader refused and was told to skip (X2).
    pub fn reject(&mut self) {
        self.rejected += 1;
    }

    /// An empty batch for records to be prepared in, by another thread if need
    /// be.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(Arc::clone(&self.terms))
    }

    /// Takes in the records of a batch, and empties it.
    ///
    /// # Errors
    ///
    /// The batch is of another counter, or there is no room for all of it.
    /// Nothing changes then.
    pub fn take(&mut self, batch: &mut Batch) -> Result<(), AddError> {
        if !Arc::ptr_eq(&self.terms, &batch.preparer.terms) {
            return Err(AddError::OtherCounter);
        }
        batch.settle();
        self.identities.check_rows(&batch.preparer, &batch.rows)?;
        batch.enter(&mut self.identities, &mut self.ledgers);
        batch.clear();
        Ok(())
    }

    /// Enters the counter's own batch. There is room for it.
    fn enter_batch(&mut self) {
        self.batch.enter(&mut self.identities, &mut self.ledgers);
        self.batch.clear();
    }

    /// C, under the counter's own subscription.
    fn classify(&self, sighting: &Sighting) -> Classification {
        let listed = self.terms.lists(sighting.runtime, sighting.domain);
        let runtime = self.subscription().runtimes().get(sighting.runtime);
        runtime.map_or(EVERYONE, |runtime| Classifier::new(self.terms.platform(), runtime).of(listed))
    }

    /// The count under the counter's own subscription. Two passes over the
    /// facts, one for the runtimes and one for all of them together.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report_of(self.subscription(), NonZeroUsize::MIN)
    }

    /// The same on several threads. Each holds 4 bytes an email, login or key of
    /// its own; more threads than there are runtimes and one are of no use.
    #[must_use]
    pub fn report_in_parallel(&self, threads: NonZeroUsize) -> Report {
        self.report_of(self.subscription(), threads.min(parallel::MOST_THREADS))
    }

    /// The count as it would be under another subscription, without reading
    /// the records again: with other internal user domains, other versions or
    /// other capacities. Costs what [`report`](Counter::report) costs.
    ///
    /// # Errors
    ///
    /// Another platform, other runtimes, or other disabled user providers:
    /// those decide which facts were kept.
    pub fn report_under(&self, subscription: &Subscription) -> Result<Report, MismatchError> {
        let (ours, theirs) = (self.subscription().runtimes(), subscription.runtimes());
        if subscription.platform() != self.terms.platform() {
            return Err(MismatchError::Platform);
        }
        if !ours.iter().map(|runtime| &runtime.name).eq(theirs.iter().map(|runtime| &runtime.name)) {
            return Err(MismatchError::Runtimes);
        }
        for (ours, theirs) in ours.iter().zip(theirs) {
            let [ours, theirs] = [ours, theirs].map(|runtime| {
                let mut forms = disabled_forms(&runtime.disabled_providers);
                forms.sort_unstable();
                forms.dedup();
                (&runtime.name, forms)
            });
            if ours != theirs {
                return Err(MismatchError::DisabledProviders { runtime: ours.0.clone() });
            }
        }
        Ok(self.report_of(subscription, NonZeroUsize::MIN))
    }

    fn report_of(&self, subscription: &Subscription, threads: NonZeroUsize) -> Report {
        let platform = subscription.platform();
        let scopes = self.scopes(subscription);
        // The global scope first: it takes as long as all others together.
        let mut wanted = vec![(Linking::across(platform), &scopes[..])];
        for (runtime, scope) in subscription.runtimes().iter().zip(&scopes) {
            wanted.push((Linking::within(platform, runtime.version), std::slice::from_ref(scope)));
        }
        let mut taken = self.take_all(&wanted, threads).into_iter();
        let (global, _) = taken.next().unwrap_or_default();
        let mut runtimes = Vec::with_capacity(scopes.len());
        for ((runtime, scope), (people, distribution)) in subscription.runtimes().iter().zip(&scopes).zip(taken) {
            let excluded = ExclusionTally(scope.ledger.excluded);
            let counted = distribution.iter().map(ClassTally::total).sum();
            runtimes.push(RuntimeReport {
                name: runtime.name.clone(),
                records: counted + excluded.total(),
                excluded,
                counted,
                people,
                providers: providers(scope.ledger, &distribution),
            });
        }
        Report {
            platform,
            records: runtimes.iter().map(|runtime| runtime.records).sum(),
            rejected: self.rejected,
            runtimes,
            global,
            capacity: subscription.capacity().map(|capacity| CapacityUsage::new(capacity, &global.individuals)),
        }
    }

    /// What a census takes of each of these, in their order.
    fn take_all(&self, wanted: &[(Linking, &[Scope<'_>])], threads: NonZeroUsize) -> Vec<(People, Vec<ClassTally>)> {
        let queue = Mutex::new(wanted.iter().enumerate());
        let take = |_| {
            let mut census = self.census();
            let mut taken = Vec::new();
            loop {
                let next = parallel::lock(&queue).next();
                let Some((place, (linking, scopes))) = next else { return taken };
                taken.push((place, census.take(*linking, scopes)));
            }
        };
        let ((), taken) = parallel::each_on_a_thread(0..threads.get().min(wanted.len()), take, || ());
        let mut taken = taken.concat();
        taken.sort_unstable_by_key(|(place, _)| *place);
        taken.into_iter().map(|(_, taken)| taken).collect()
    }

    fn census(&self) -> Census<'_> {
        Census::new(&self.identities, &self.terms.domain)
    }

    fn scopes<'s>(&'s self, subscription: &'s Subscription) -> Vec<Scope<'s>> {
        let scope = |(ledger, runtime): (&'s Ledger, &'s Runtime)| Scope {
            ledger,
            classifier: Classifier::new(subscription.platform(), runtime),
            policy: &runtime.internal_domains,
        };
        self.ledgers.iter().zip(subscription.runtimes()).map(scope).collect()
    }

    /// The individuals of the global tally (D6), to look records up in. Costs
    /// one pass over the facts, and holds 4 bytes an email, login or key.
    #[must_use]
    pub fn individuals(&self) -> Individuals<'_> {
        let linking = Linking::across(self.terms.platform());
        let groups = self.census().into_groups(linking, &self.scopes(self.subscription()));
        Individuals { counter: self, groups, batch: self.batch() }
    }
}

/// T3, sorted by matching form.
fn providers(ledger: &Ledger, distribution: &[ClassTally]) -> Vec<ProviderReport> {
    let row = |(place, provider): (usize, &Provider)| ProviderReport {
        name: provider.spelling.to_string(),
        records: distribution.get(place).copied().unwrap_or_default(),
    };
    ledger.sorted().map(row).collect()
}

/// Shows sizes, never facts.
impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("subscription", self.subscription())
            .field("emails_links_domains", &self.identities.sizes())
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

/// Fills batches for `add_all`. What was filled is counted also where the
/// iterator panics.
struct Filling<'c> {
    counter: &'c mut Counter,
    size: usize,
}

impl<'c> Filling<'c> {
    fn new(counter: &'c mut Counter) -> Filling<'c> {
        Filling { counter, size: 0 }
    }

    #[inline]
    fn add(&mut self, record: &UserRecord<'_>) -> Result<(), AddError> {
        let Counter { batch, identities, .. } = &mut *self.counter;
        if batch.is_empty() {
            // Where little room is left, each record has to ask for it.
            self.size = if identities.check_room(BATCH).is_ok() { BATCH } else { 1 };
            identities.check_room(self.size)?;
        }
        batch.add(record)?;
        if batch.len() == self.size {
            self.counter.enter_batch();
        }
        Ok(())
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.counter.enter_batch();
    }
}

/// Who is who in the global tally of a [`Counter`] (D6).
pub struct Individuals<'c> {
    counter: &'c Counter,
    groups: Groups<'c>,
    batch: Batch,
}

/// What a record is in the global tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It does not count, for this reason.
    Excluded(Exclusion),
    /// It is an individual of its own, which nothing could link to another
    /// record (D1, D3, D8).
    Alone(Classification),
    /// It belongs to an individual.
    Linked {
        /// Its own class, and the rule that gave it.
        record: Classification,
        /// The same for all records of one individual, and for no others,
        /// until a record is added.
        individual: u32,
        /// The class of the individual (C6).
        class: Class,
    },
}

impl Individuals<'_> {
    /// Looks up a record that has been counted. Costs two hashes and two
    /// look-ups. A record that never was counted may be `Alone`.
    ///
    /// # Errors
    ///
    /// The subscription has no such runtime (R1).
    pub fn of(&mut self, record: &UserRecord<'_>) -> Result<Standing, AddError> {
        self.batch.clear();
        self.batch.add(record)?;
        if let Some((_, reason)) = self.batch.rows.excluded.first() {
            return Ok(Standing::Excluded(*reason));
        }
        let Some(sighting) = self.batch.sighting() else { return Ok(Standing::Alone(EVERYONE)) };
        let record = self.counter.classify(&sighting);
        // Without marks it is in another tenant: D3.
        let linked = sighting.marks.and_then(|marks| {
            let (email, link) = self.counter.identities.find(marks);
            self.groups.find(email, link)
        });
        Ok(match linked {
            Some((individual, class)) => Standing::Linked { record, individual, class },
            None => Standing::Alone(record),
        })
    }
}

impl fmt::Debug for Individuals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Individuals").field("counter", self.counter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::MergeError;
    use crate::platform::Platform;
    use crate::policy::DomainPolicy;
    use crate::subscription::Runtime;
    use crate::suffix::PublicSuffixes;

    fn with_limit(limit: u32) -> Counter {
        let runtime = Runtime { name: "prod".into(), version: Some("11.28.0".parse().unwrap()), ..Runtime::default() };
        let subscription = Subscription::new(Platform::O11, vec![runtime], None).unwrap();
        Counter::with_limit(subscription, &FingerprintKey::public_for_tests(1), limit)
    }

    fn user(number: usize) -> UserRecord<'static> {
        UserRecord {
            runtime: "prod".into(),
            username: Some(format!("user{number}").into()),
            email: Some(format!("user{number}@domain{number}.example").into()),
            ..UserRecord::default()
        }
    }

    #[test]
    fn a_full_counter_says_so_and_does_not_change() {
        let mut counter = with_limit(2);
        let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count();
        let before = counter.report();
        assert_eq!(before.global.individuals.total(), taken as u64);
        assert_eq!(counter.add(&user(taken)), Err(AddError::Full));
        assert_eq!(counter.report(), before);
        assert!((2..=2 * 64).contains(&taken), "the limit is that of a shard, of which there are 64");
    }

    #[test]
    fn a_full_counter_stops_a_batch_at_the_record_that_does_not_fit() {
        let mut counter = with_limit(2);
        let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count() as u64;
        let mut counter = with_limit(2);
        let stopped = counter.add_all((0..1_000).map(user));
        assert_eq!(stopped, Err(StoppedAt { place: taken + 1, source: AddError::Full }));
        assert_eq!(counter.report().records, taken);
    }

    #[test]
    fn a_full_counter_stops_several_threads_at_a_chunk_that_may_not_fit() {
        for threads in [1, 2, 3] {
            let mut counter = with_limit(32);
            let users: Vec<UserRecord<'_>> = (0..2_000).map(user).collect();
            let chunks = users.chunks(7).map(|chunk| chunk.iter().cloned());
            let stopped = counter.add_in_parallel(threads.try_into().unwrap(), chunks).unwrap_err();
            assert_eq!(stopped.source, AddError::Full);
            let report = counter.report();
            assert_eq!((report.records + 1, report.records % 7), (stopped.place, 0));
            assert!(report.records >= 64, "there is room for 32 in each of 64 shards: {}", report.records);
            assert_eq!(report.global.individuals.total(), report.records);
        }
    }

    #[test]
    fn full_counters_do_not_merge_and_do_not_change() {
        let [mut counter, mut other] = [0, 1_000].map(|first| {
            let mut counter = with_limit(8);
            assert!((first..first + 1_000).any(|number| counter.add(&user(number)).is_err()));
            counter
        });
        let before = [counter.snapshot(), other.snapshot()];
        assert_eq!(counter.merge(&other), Err(MergeError::Full));
        assert_eq!([counter.snapshot(), other.snapshot()], before);
        // What both hold needs no room.
        let mut twin = with_limit(8);
        twin.merge(&counter).unwrap();
        counter.merge(&twin).unwrap();
        other.merge(&with_limit(8)).unwrap();
        assert_eq!(counter.report().global.individuals, twin.report().global.individuals);
        assert_eq!(counter.report().records, twin.report().records * 2);
    }

    #[test]
    fn no_room_for_one_kind_is_no_room() {
        type Text = fn(usize) -> String;
        let none: Text = |_| String::new();
        let login: Text = |number| format!("user{number}");
        let email: Text = |number| format!("user{number}@domain.example");
        let domain: Text = |number| format!("user@domain{number}.example");
        for (what, tenant, username, address) in
            [("links", "", login, none), ("emails", "", none, email), ("domains", "Other", none, domain)]
        {
            let record = |number: usize| UserRecord {
                runtime: "prod".into(),
                tenant: Some(tenant.into()),
                username: Some(username(number).into()),
                email: Some(address(number).into()),
                ..UserRecord::default()
            };
            let [mut counter, mut other] = [8, 1_000].map(with_limit);
            counter.add_all((0..8).map(record)).unwrap();
            // Some ten a shard.
            other.add_all((1_000..1_640).map(record)).unwrap();
            let before = counter.snapshot();
            assert_eq!(counter.merge(&other), Err(MergeError::Full), "{what}");
            assert_eq!(counter.snapshot(), before, "{what}");
            let mut batch = counter.batch();
            (2_000..2_640).for_each(|number| batch.add(&record(number)).unwrap());
            assert_eq!(counter.take(&mut batch), Err(AddError::Full), "{what}");
            assert_eq!(counter.snapshot(), before, "{what}");
        }
    }

    #[test]
    fn domains_are_told_apart_behind_so_many_that_all_are_forgotten() {
        let list = "// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n";
        let suffixes = PublicSuffixes::parse(list).unwrap();
        let mut counter = {
            let runtime = Runtime {
                name: "prod".into(),
                version: Some("11.28.0".parse().unwrap()),
                internal_domains: DomainPolicy::from_domains_with(["ours.example"], &suffixes).unwrap(),
                ..Runtime::default()
            };
            let subscription = Subscription::new(Platform::O11, vec![runtime], None).unwrap();
            Counter::new(subscription, &FingerprintKey::public_for_tests(1))
        };
        let record = |number: u64| {
            let domain = if number % 100 == 0 { "ours.example".to_owned() } else { format!("d{number}.example") };
            UserRecord {
                runtime: "prod".into(),
                email: Some(format!("user{number}@{domain}").into()),
                ..UserRecord::default()
            }
        };
        counter.add_all((0..65_000).map(record)).unwrap();
        counter.add_all((0..1_000).map(record)).unwrap();
        let people = counter.report().global;
        assert_eq!((people.individuals.internal, people.individuals.external), (650, 64_350));
        assert_eq!((people.duplicates, people.mixed_class), (1_000, 0));
    }

    #[test]
    fn a_batch_that_does_not_fit_is_refused_whole() {
        // All share one login and domain: only emails are short of room.
        let user = |number: usize| UserRecord {
            username: Some("ana".into()),
            email: Some(format!("user{number}@domain.example").into()),
            ..user(number)
        };
        let mut counter = with_limit(2);
        let taken = (0..1_000).take_while(|number| counter.add(&user(*number)).is_ok()).count();
        assert!(taken >= 2);
        let before = counter.snapshot();
        // Fewer than wait together for their domains.
        for many in [60, 500] {
            let mut batch = counter.batch();
            (1_000..1_000 + many).for_each(|number| batch.add(&user(number)).unwrap());
            assert_eq!(counter.take(&mut batch), Err(AddError::Full));
            assert_eq!((batch.len(), counter.snapshot()), (many, before.clone()));
        }
        let mut batch = counter.batch();
        (0..taken).for_each(|number| batch.add(&user(number)).unwrap());
        assert_eq!(counter.take(&mut batch), Ok(()), "what is known needs no room");
    }

    #[test]
    fn another_reading_is_of_the_same_platform_runtimes_and_disabled_providers() {
        let subscription = |names: &[&str], disabled: &[&str]| {
            let runtime = |name: &&str| Runtime {
                name: (*name).to_owned(),
                version: Some("11.28.0".parse().unwrap()),
                disabled_providers: disabled.iter().map(|&provider| provider.to_owned()).collect(),
                ..Runtime::default()
            };
            Subscription::new(Platform::O11, names.iter().map(runtime).collect(), None).unwrap()
        };
        let ours = subscription(&["prod", "prod-eu"], &["Old", "Caf\u{e9}"]);
        let counter = Counter::new(ours, &FingerprintKey::public_for_tests(1));
        let under = |other: &Subscription| counter.report_under(other).map(|report| report.records);
        let names = ["prod", "prod-eu"];
        assert_eq!(under(&subscription(&names, &["CAFE\u{301}", " old", "Old"])), Ok(0), "the same ones (N2)");

        let odc = Subscription::new(Platform::Odc, vec![Runtime { name: "prod".into(), ..Runtime::default() }], None);
        assert_eq!(under(&odc.unwrap()), Err(MismatchError::Platform));
        for names in [&["prod"][..], &["prod-eu", "prod"], &["prod", "prod-eu", "test"]] {
            assert_eq!(under(&subscription(names, &["Old", "Caf\u{e9}"])), Err(MismatchError::Runtimes), "{names:?}");
        }
        for disabled in [&[][..], &["Old"], &["Old", "Cafe"], &["Old", "Caf\u{e9}", "New"]] {
            let mismatch = MismatchError::DisabledProviders { runtime: "prod".into() };
            assert_eq!(under(&subscription(&names, disabled)), Err(mismatch), "{disabled:?}");
        }
    }

    #[test]
    fn a_batch_of_another_counter_is_refused() {
        let (mut counter, other) = (with_limit(SHARD_LIMIT), with_limit(SHARD_LIMIT));
        let mut batch = other.batch();
        batch.add(&user(1)).unwrap();
        assert_eq!(counter.take(&mut batch), Err(AddError::OtherCounter));
        assert_eq!((batch.is_empty(), batch.len(), counter.report().records), (false, 1, 0));
    }

    #[test]
    fn records_before_a_panicking_one_are_counted() {
        let mut counter = with_limit(SHARD_LIMIT);
        let panicking = std::panic::AssertUnwindSafe(|| {
            let records = (0..).map(|number| if number == 100 { panic!("the iterator") } else { user(number) });
            counter.add_all(records)
        });
        assert!(std::panic::catch_unwind(panicking).is_err());
        assert_eq!(counter.report().records, 100);
        counter.add(&user(100)).unwrap();
        assert_eq!(counter.report().global.individuals.total(), 101);
    }
}
