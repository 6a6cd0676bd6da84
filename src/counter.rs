//! `Counter`: drives a record through the rules, and facts into a report.

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
/// came before. It allocates nothing on its own unless a text of it is not
/// ASCII. A counted record takes 12 bytes, 4 in another tenant; each different
/// email, login or key and domain about 20. A report takes time linear in facts,
/// and in domains for each runtime, and, while it is made, 4 bytes an email,
/// login or key and 1 a domain.
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
    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
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
    /// that does not fit, while `add_all` stops before one that might not. Some
    /// chunks behind may have been read, and are not counted.
    pub fn add_in_parallel<'r, I, C>(&mut self, threads: NonZeroUsize, chunks: I) -> Result<(), StoppedAt>
    where
        I: IntoIterator<Item = C>,
        I::IntoIter: Send,
        C: IntoIterator<Item = UserRecord<'r>>,
    {
        parallel::add_chunks(self, threads, chunks.into_iter())
    }

    /// Takes note of a row that the reader refused and was told to skip (X2).
    #[expect(clippy::arithmetic_side_effects, reason = "rows, fewer than 2^64")]
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

    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
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
mod tests;
