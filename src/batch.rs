//! `Batch`: records on their way into a counter.

use std::fmt;
use std::sync::Arc;

use crate::error::AddError;
use crate::fingerprint::Fingerprint;
use crate::identities::{Fact, Identities};
use crate::interner::NEW;
use crate::ledger::Ledger;
use crate::prepare::{Preparer, Rows, Sighting, Terms};
use crate::record::UserRecord;

/// Records that were prepared for a [`Counter`](crate::Counter) and not yet
/// taken in by it.
///
/// Preparing a record is the larger part of counting it, and needs nothing of
/// the counter. So a service with threads of its own gives each a batch, fills
/// it there, some thousand records at a time, and has the counter
/// [`take`](crate::Counter::take) it, which empties it for the next ones. A
/// batch that is kept and filled again is faster than a new one: it remembers
/// domains and user providers.
///
/// It holds fingerprints, 50 bytes a record, and names of domains, 60 bytes for
/// one not seen lately or of more than 31 bytes. Emptied, it keeps the memory of
/// its largest filling. For one call that does it all, see
/// [`add_in_parallel`](crate::Counter::add_in_parallel).
///
#[cfg_attr(feature = "public-suffix-list", doc = "```")]
#[cfg_attr(not(feature = "public-suffix-list"), doc = "```ignore")]
/// use std::sync::Mutex;
/// # use headcount::{Counter, FingerprintKey, Platform, Runtime, Subscription, UserRecord};
/// # let prod = Runtime { name: "prod".into(), ..Runtime::default() };
/// # let subscription = Subscription::new(Platform::Odc, vec![prod], None)?;
/// # let counter = Counter::new(subscription, &FingerprintKey::from_secret([7; 16])?);
///
/// let counter = Mutex::new(counter);
/// std::thread::scope(|scope| {
///     for part in 0..4 {
///         let counter = &counter;
///         scope.spawn(move || -> Result<(), headcount::AddError> {
///             let mut batch = counter.lock().unwrap().batch();
///             for number in 0..100 {
///                 let key = format!("{part}-{number}");
///                 batch.add(&UserRecord { runtime: "prod".into(), key: Some(key.into()), ..UserRecord::default() })?;
///             }
///             counter.lock().unwrap().take(&mut batch)
///         });
///     }
/// });
/// assert_eq!(counter.lock().unwrap().report().records, 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batch {
    pub(crate) preparer: Preparer,
    pub(crate) rows: Rows,
    /// What the counter made of the preparer's groups and domains.
    pub(crate) known: Known,
    ids: Ids,
}

/// Where the facts of each group go, and the id of each domain, as far as they
/// were asked for.
#[derive(Default)]
pub(crate) struct Known {
    /// Places of providers in their ledgers.
    providers: Vec<Option<usize>>,
    domains: Vec<u32>,
    /// Places of domains that are asked for at once, and their fingerprints,
    /// and then their ids.
    asked: Vec<usize>,
    fingerprints: Vec<Fingerprint>,
    ids: Vec<u32>,
}

/// Of a domain whose id was not yet asked for.
const UNASKED: u32 = u32::MAX;

/// The ids of the rows, kept for their memory.
#[derive(Default)]
struct Ids {
    emails: Vec<u32>,
    links: Vec<u32>,
}

impl Batch {
    pub(crate) fn new(terms: Arc<Terms>) -> Batch {
        Batch { preparer: Preparer::new(terms), rows: Rows::default(), known: Known::default(), ids: Ids::default() }
    }

    /// Prepares a record and appends it.
    ///
    /// # Errors
    ///
    /// The subscription has no such runtime (R1). The batch is as it was.
    #[inline]
    pub fn add(&mut self, record: &UserRecord<'_>) -> Result<(), AddError> {
        self.preparer.push(record, &mut self.rows)
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of the last record that counts.
    pub(crate) fn sighting(&mut self) -> Option<Sighting> {
        self.settle();
        self.preparer.sighting(&self.rows)
    }

    /// Makes the rows ready to be read.
    pub(crate) fn settle(&mut self) {
        self.preparer.settle(&mut self.rows);
    }

    /// Empties the batch, which has been settled.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        if self.preparer.is_full() {
            self.preparer.start_afresh();
            self.known.clear();
        }
    }

    /// Enters the rows into the ledgers, where there is room for them.
    pub(crate) fn enter(&mut self, identities: &mut Identities, ledgers: &mut [Ledger]) {
        self.settle();
        let Ids { emails, links } = &mut self.ids;
        identities.emails.intern_all(&self.rows.emails, emails);
        identities.links.intern_all(&self.rows.links, links);
        self.known.enter(&self.preparer, &self.rows, emails, links, identities, ledgers);
    }
}

impl Known {
    pub(crate) fn clear(&mut self) {
        self.providers.clear();
        self.domains.clear();
    }

    /// Enters rows whose emails and links have been interned. In the order of
    /// the rows, so that what comes first is the same however they were
    /// prepared.
    pub(crate) fn enter(
        &mut self,
        preparer: &Preparer,
        rows: &Rows,
        emails: &[u32],
        links: &[u32],
        identities: &mut Identities,
        ledgers: &mut [Ledger],
    ) {
        for (runtime, reason) in &rows.excluded {
            if let Some(ledger) = ledgers.get_mut(*runtime) {
                ledger.exclude(*reason);
            }
        }
        self.ask_for_domains(preparer, rows, identities);
        self.providers.resize(preparer.groups.len(), None);
        let mut linkable = emails.iter().zip(links);
        for (group, domain) in rows.groups.iter().zip(&rows.domains) {
            let group = *group as usize;
            let (Some(provider), Some(group)) = (self.providers.get_mut(group), preparer.groups.get(group)) else {
                continue;
            };
            let Some(ledger) = ledgers.get_mut(group.runtime) else { continue };
            let provider = *provider.get_or_insert_with(|| ledger.open(&group.form, || Arc::clone(&group.spelling)));
            let Some(provider) = ledger.provider(provider) else { continue };
            let domain = self.domains.get(*domain as usize).copied().unwrap_or(0);
            if !group.in_default_tenant {
                provider.other_tenants.push(domain);
            } else if let Some((email, link)) = linkable.next() {
                provider.default_tenant.push(Fact { email: email & !NEW, link: link & !NEW, domain });
            }
        }
    }

    /// Has ids given to the domains of some rows.
    fn ask_for_domains(&mut self, preparer: &Preparer, rows: &Rows, identities: &mut Identities) {
        self.domains.resize(preparer.domains.len(), UNASKED);
        self.asked.clear();
        self.fingerprints.clear();
        for place in rows.domains.iter().copied() {
            if let (Some(id @ &mut UNASKED), Some(domain)) =
                (self.domains.get_mut(place as usize), preparer.domains.fingerprint(place))
            {
                *id = 0;
                self.asked.push(place as usize);
                self.fingerprints.push(domain);
            }
        }
        identities.domains.intern_all(&self.fingerprints, &mut self.ids);
        for (place, id) in self.asked.iter().zip(&self.ids) {
            if let Some(known) = self.domains.get_mut(*place) {
                *known = id & !NEW;
            }
        }
    }
}

/// Shows how many records there are, never whose.
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}
