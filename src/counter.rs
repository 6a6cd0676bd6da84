//! `Counter`: drives a record through the rules, and facts into a report.

use std::fmt;

use crate::classification::{Class, Classification, Classifier};
use crate::eligibility::{Exclusion, disabled_forms};
use crate::error::{AddError, MismatchError, StoppedAt};
use crate::fingerprint::FingerprintKey;
use crate::identity::{Batch, BatchIds, Identities, Reader};
use crate::ledger::{Ledger, Place};
use crate::platform::Linking;
use crate::record::UserRecord;
use crate::report::{CapacityUsage, ExclusionTally, ProviderReport, Report, RuntimeReport};
use crate::subscription::Subscription;
use crate::tally::{Census, ClassTally, Groups, Scope};

/// Emails, logins or keys, and domains that one counter can tell apart, each.
/// Two kinds together are the nodes of a union-find over `u32`.
const ID_LIMIT: u32 = (1 << 31) - 1;

/// Records whose marks are interned together.
const BATCH: usize = 64;

/// Counts the end users of one subscription.
///
/// Records go in one by one, in any order and from any runtime; a
/// [`Report`] can be had at any time and changes nothing.
///
/// # What it keeps
///
/// Facts, not verdicts: for each counted record the ids of its email address
/// and of its login (its key in ODC), by runtime, provider and tenant; for
/// each email its domain; for each runtime how many records were excluded and
/// why. Which rules of class and merging apply is decided when a report is
/// made, so [`report_under`](Counter::report_under) reads another policy,
/// another version or other capacities out of the same facts. Only E is
/// decided on the way in.
///
/// No login, email, key or name is kept, only fingerprints of them under the
/// counter's [`FingerprintKey`]; domains of emails and names of providers are
/// kept as they are.
///
/// # Cost
///
/// A record costs two hashes and two look-ups, whatever came before, and
/// allocates nothing on its own unless a text of it is not ASCII. A counted
/// record takes 8 bytes, each different email 24 to 34, each different login
/// or key 20 to 30, besides what vectors hold in reserve. A report takes time
/// linear in facts and, while it is made, 5 bytes an email, login or key.
///
/// There is no `Extend` and no `FromIterator`: a record of an unknown runtime
/// is an error (R1), which those cannot return. [`add_all`](Counter::add_all)
/// takes an iterator.
///
/// ```
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
/// let mut counter = Counter::new(subscription, FingerprintKey::from_secret(random)?);
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
    subscription: Subscription,
    key: FingerprintKey,
    reader: Reader,
    identities: Identities,
    ledgers: Vec<Ledger>,
    rejected: u64,
    /// The runtime of the last record: most come in a row.
    recent: usize,
    batch: Batch,
    ids: BatchIds,
    /// Where the records of `batch` belong.
    places: Vec<(usize, Place)>,
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
    pub fn new(subscription: Subscription, key: FingerprintKey) -> Counter {
        Counter::with_id_limit(subscription, key, ID_LIMIT)
    }

    fn with_id_limit(subscription: Subscription, key: FingerprintKey, limit: u32) -> Counter {
        let platform = subscription.platform();
        let ledger = |runtime| Ledger::new(platform, runtime, &key);
        Counter {
            ledgers: subscription.runtimes().iter().map(ledger).collect(),
            reader: Reader::new(platform, &key),
            identities: Identities::new(&key, limit),
            subscription,
            key,
            rejected: 0,
            recent: 0,
            batch: Batch::default(),
            ids: BatchIds::default(),
            places: Vec::with_capacity(BATCH),
        }
    }

    /// The subscription it counts for.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// Takes a record in and says what became of it.
    ///
    /// # Errors
    ///
    /// The subscription has no such runtime (R1), or the counter is full. The
    /// record is then not counted, and nothing else changes.
    pub fn add(&mut self, record: &UserRecord<'_>) -> Result<Outcome, AddError> {
        let (at, place) = match self.take_in(record)? {
            (at, Ok(place)) => (at, place),
            (_, Err(reason)) => return Ok(Outcome::Excluded(reason)),
        };
        let marks = self.reader.read(record);
        let domain = self.reader.domain(&marks);
        let runtime = self.subscription.runtimes().get(at).ok_or(AddError::UnknownRuntime)?;
        let classification = Classifier::new(self.subscription.platform(), runtime).of(domain);
        let domain = self.identities.domain_id(domain);
        self.batch.push(&marks, domain);
        self.places.push((at, place));
        self.flush();
        Ok(Outcome::Counted(classification))
    }

    /// Takes in many records, about a third faster than one by one.
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
        let filling = Filling(self);
        for (place, record) in (1..).zip(records) {
            filling.0.queue(&record).map_err(|source| StoppedAt { place, source })?;
        }
        Ok(())
    }

    /// Takes note of a row that the reader refused and was told to skip (X2).
    pub fn reject(&mut self) {
        self.rejected += 1;
    }

    /// R1 and E: finds the record's runtime and its place there, and counts it
    /// where it is excluded. Changes nothing on an error.
    fn take_in(&mut self, record: &UserRecord<'_>) -> Result<(usize, Result<Place, Exclusion>), AddError> {
        if self.identities.check_room(self.places.len() + 1).is_err() {
            self.flush();
            self.identities.check_room(1)?;
        }
        let at = self.runtime_of(record)?;
        self.recent = at;
        let ledger = self.ledgers.get_mut(at).ok_or(AddError::UnknownRuntime)?;
        let place = ledger.place(record)?;
        match place {
            Ok(place) => ledger.name(place, record),
            Err(reason) => ledger.exclude(reason),
        }
        Ok((at, place))
    }

    fn runtime_of(&self, record: &UserRecord<'_>) -> Result<usize, AddError> {
        let name = record.runtime.trim();
        match self.subscription.runtimes().get(self.recent) {
            Some(runtime) if runtime.name == name => Ok(self.recent),
            _ => self.subscription.place_of(name).ok_or(AddError::UnknownRuntime),
        }
    }

    fn queue(&mut self, record: &UserRecord<'_>) -> Result<(), AddError> {
        let (at, Ok(place)) = self.take_in(record)? else { return Ok(()) };
        let marks = self.reader.read(record);
        let domain = self.identities.domain_id(self.reader.domain(&marks));
        self.batch.push(&marks, domain);
        self.places.push((at, place));
        if self.places.len() == BATCH {
            self.flush();
        }
        Ok(())
    }

    /// Interns what is queued and enters it into the ledgers.
    fn flush(&mut self) {
        self.identities.intern(&self.batch, &mut self.ids);
        for ((at, place), fact) in self.places.drain(..).zip(self.ids.facts()) {
            if let Some(ledger) = self.ledgers.get_mut(at) {
                ledger.count(place, fact);
            }
        }
        self.batch.clear();
    }

    /// The count under the counter's own subscription. Two passes over the
    /// facts, one for the runtimes and one for all of them together.
    #[must_use]
    pub fn report(&self) -> Report {
        self.report_of(&self.subscription)
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
        let (ours, theirs) = (self.subscription.runtimes(), subscription.runtimes());
        if subscription.platform() != self.subscription.platform() {
            return Err(MismatchError::Platform);
        }
        if !ours.iter().map(|runtime| &runtime.name).eq(theirs.iter().map(|runtime| &runtime.name)) {
            return Err(MismatchError::Runtimes);
        }
        for (ours, theirs) in ours.iter().zip(theirs) {
            let [ours, theirs] = [ours, theirs].map(|runtime| {
                let mut forms: Vec<Box<str>> = disabled_forms(&runtime.disabled_providers).collect();
                forms.sort_unstable();
                forms.dedup();
                (&runtime.name, forms)
            });
            if ours != theirs {
                return Err(MismatchError::DisabledProviders { runtime: ours.0.clone() });
            }
        }
        Ok(self.report_of(subscription))
    }

    fn report_of(&self, subscription: &Subscription) -> Report {
        let platform = subscription.platform();
        let scopes = self.scopes(subscription);
        let mut census = Census::new(&self.identities);
        let mut runtimes = Vec::with_capacity(scopes.len());
        for (runtime, scope) in subscription.runtimes().iter().zip(&scopes) {
            let linking = Linking::within(platform, runtime.version);
            let (people, distribution) = census.take(linking, std::slice::from_ref(scope));
            runtimes.push(RuntimeReport {
                name: runtime.name.clone(),
                records: scope.0.records,
                excluded: ExclusionTally(scope.0.excluded),
                counted: distribution.iter().map(ClassTally::total).sum(),
                people,
                providers: providers(scope.0, &distribution),
            });
        }
        let (global, _) = census.take(Linking::across(platform), &scopes);
        Report {
            platform,
            records: runtimes.iter().map(|runtime| runtime.records).sum(),
            rejected: self.rejected,
            runtimes,
            global,
            capacity: subscription.capacity().map(|capacity| CapacityUsage::new(capacity, &global.individuals)),
        }
    }

    fn scopes<'s>(&'s self, subscription: &'s Subscription) -> Vec<Scope<'s>> {
        let platform = subscription.platform();
        let classifiers = subscription.runtimes().iter().map(|runtime| Classifier::new(platform, runtime));
        self.ledgers.iter().zip(classifiers).collect()
    }

    /// The individuals of the global tally (D6), to look records up in. Costs
    /// one pass over the facts and 5 bytes an email, login or key.
    #[must_use]
    pub fn individuals(&self) -> Individuals<'_> {
        let platform = self.subscription.platform();
        let groups =
            Census::new(&self.identities).into_groups(Linking::across(platform), &self.scopes(&self.subscription));
        Individuals { counter: self, groups, reader: Reader::new(platform, &self.key) }
    }
}

/// T3: the providers that have counted records, sorted by matching form.
fn providers(ledger: &Ledger, distribution: &[ClassTally]) -> Vec<ProviderReport> {
    let mut rows: Vec<_> = ledger.providers.iter().zip(distribution).collect();
    rows.retain(|(_, records)| records.total() > 0);
    rows.sort_unstable_by(|(a, _), (b, _)| a.form.cmp(&b.form));
    rows.into_iter()
        .map(|(provider, records)| ProviderReport { name: provider.spelling.to_string(), records: *records })
        .collect()
}

/// Shows sizes, never facts.
impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter")
            .field("subscription", &self.subscription)
            .field("emails", &self.identities.email_count())
            .field("logins_or_keys", &self.identities.link_count())
            .field("domains", &self.identities.domain_count())
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

/// Interns what `add_all` queued, also where an iterator panics.
struct Filling<'c>(&'c mut Counter);

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Who is who in the global tally of a [`Counter`] (D6).
pub struct Individuals<'c> {
    counter: &'c Counter,
    groups: Groups<'c>,
    reader: Reader,
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
        let at = self.counter.runtime_of(record)?;
        let runtime = self.counter.subscription.runtimes().get(at).ok_or(AddError::UnknownRuntime)?;
        let ledger = self.counter.ledgers.get(at).ok_or(AddError::UnknownRuntime)?;
        let in_default_tenant = match ledger.standing(record) {
            Ok(in_default_tenant) => in_default_tenant,
            Err(reason) => return Ok(Standing::Excluded(reason)),
        };
        let marks = self.reader.read(record);
        let classifier = Classifier::new(self.counter.subscription.platform(), runtime);
        let record = classifier.of(self.reader.domain(&marks));
        let linked = match in_default_tenant {
            true => self.groups.find(self.counter.identities.find(&marks)),
            false => None, // D3
        };
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
    use crate::platform::Platform;
    use crate::subscription::Runtime;

    fn with_limit(limit: u32) -> Counter {
        let runtime = Runtime { name: "prod".into(), version: Some("11.28.0".parse().unwrap()), ..Runtime::default() };
        let subscription = Subscription::new(Platform::O11, vec![runtime], None).unwrap();
        Counter::with_id_limit(subscription, FingerprintKey::public_for_tests(1), limit)
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
        let mut counter = with_limit(8);
        for number in 0..8 {
            counter.add(&user(number)).unwrap();
        }
        let before = counter.report();
        assert_eq!(counter.add(&user(8)), Err(AddError::Full));
        assert_eq!(counter.report(), before);
        assert_eq!(before.global.individuals.total(), 8);
    }

    #[test]
    fn a_full_counter_stops_a_batch_at_the_record_that_does_not_fit() {
        let mut counter = with_limit(8);
        let stopped = counter.add_all((0..100).map(user));
        assert_eq!(stopped, Err(StoppedAt { place: 9, source: AddError::Full }));
        assert_eq!(counter.report().records, 8);
    }

    #[test]
    fn records_before_a_panicking_one_are_counted() {
        let mut counter = with_limit(ID_LIMIT);
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
