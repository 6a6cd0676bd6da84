//! From a record to fingerprints: everything that can be known of a record by
//! itself (R, E, C3, V, N).
//!
//! This is where most of the time goes that does not wait for memory, so an
//! ASCII record takes no copy: texts are hashed as they stand, lower-cased
//! eight bytes at a time on the way, and a domain that was seen lately is
//! recognised by comparing it with the cache, which spares it N3 and a third
//! hash. Whatever is not ASCII is normalised into a buffer first.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::domain::is_plain;
use crate::eligibility::{self, Exclusion};
use crate::email;
use crate::error::AddError;
use crate::fingerprint::{Fingerprint, FingerprintKey, Fingerprinter, Kind, lower, tail_of, word_of};
use crate::platform::Platform;
use crate::record::UserRecord;
use crate::subscription::Subscription;
use crate::text::{has_form, matching_form, present, push_matching_form, trimmed};

/// R3: the provider of a record that names none.
const DEFAULT_PROVIDER: &str = "Users";

/// What preparing needs to know: the subscription, and the key in use.
pub(crate) struct Terms {
    pub(crate) subscription: Subscription,
    /// Disabled user providers of each runtime, in matching form.
    disabled: Vec<SmallVec<[Box<str>; 2]>>,
    email: Fingerprinter,
    link: Fingerprinter,
    pub(crate) domain: Fingerprinter,
}

impl Terms {
    pub(crate) fn new(subscription: Subscription, key: &FingerprintKey) -> Terms {
        let runtimes = subscription.runtimes().iter();
        Terms {
            disabled: runtimes.map(|runtime| eligibility::disabled_forms(&runtime.disabled_providers)).collect(),
            email: key.of_kind(Kind::Email),
            link: key.of_kind(match subscription.platform() {
                Platform::O11 => Kind::Login,
                Platform::Odc => Kind::Key,
            }),
            domain: key.of_kind(Kind::Domain),
            subscription,
        }
    }

    pub(crate) fn platform(&self) -> Platform {
        self.subscription.platform()
    }
}

/// Prepares records, one after the other or batch by batch.
pub(crate) struct Preparer {
    terms: Arc<Terms>,
    /// The runtime of the last record: most come in a row.
    recent: usize,
    providers: Vec<KnownProvider>,
    domains: DomainCache,
    /// For text that is not ASCII; empty between two records.
    text: String,
}

/// A provider of a runtime, as some record spelled it.
struct KnownProvider {
    runtime: usize,
    spelling: Arc<str>,
    form: Arc<str>,
    /// What E says of all its records.
    standing: Option<Exclusion>,
    /// Its groups in the current batch: of other tenants, of the default one.
    groups: [Option<u32>; 2],
}

/// Providers that are kept in mind; there are as good as never so many.
const KNOWN_PROVIDERS: usize = 64;

/// What is known of a record that counts.
pub(crate) struct Sighting {
    pub(crate) runtime: usize,
    provider: usize,
    pub(crate) in_default_tenant: bool,
    pub(crate) marks: Marks,
    cached_domain: Option<usize>,
}

/// What can link a record, and the domain of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of the email address (C3).
    pub(crate) email: Fingerprint,
    /// Of the login in O11 (D2), of the key in ODC (D5).
    pub(crate) link: Fingerprint,
    /// Of the address's domain (C5).
    pub(crate) domain: Fingerprint,
}

/// Records side by side, prepared and not yet interned.
#[derive(Default)]
pub(crate) struct Batch {
    /// Excluded records: their runtime, and why.
    pub(crate) excluded: Vec<(usize, Exclusion)>,
    /// Where the counted records belong.
    pub(crate) groups: Vec<Group>,
    /// Of each counted record, its group.
    pub(crate) group_of: Vec<u32>,
    /// Of each counted record, its email.
    pub(crate) emails: Vec<Fingerprint>,
    /// Of each counted record, its login or key.
    pub(crate) links: Vec<Fingerprint>,
    /// Of each counted record, the place of its domain in `domains`.
    pub(crate) domain_of: Vec<u32>,
    /// The domains; the first is that of no address.
    pub(crate) domains: Vec<Fingerprint>,
}

/// The records of one runtime, provider and kind of tenant.
pub(crate) struct Group {
    pub(crate) runtime: usize,
    pub(crate) spelling: Arc<str>,
    pub(crate) form: Arc<str>,
    pub(crate) in_default_tenant: bool,
}

impl Batch {
    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.excluded.len() + self.group_of.len()
    }

    fn clear(&mut self) {
        self.excluded.clear();
        self.groups.clear();
        self.group_of.clear();
        self.emails.clear();
        self.links.clear();
        self.domain_of.clear();
        self.domains.clear();
        self.domains.push(Fingerprint::ABSENT);
    }
}

impl Preparer {
    pub(crate) fn new(terms: Arc<Terms>) -> Preparer {
        Preparer { terms, recent: 0, providers: Vec::new(), domains: DomainCache::new(), text: String::new() }
    }

    /// Empties a batch for this preparer to fill.
    pub(crate) fn begin(&mut self, batch: &mut Batch) {
        batch.clear();
        self.domains.generation += 1;
        for provider in &mut self.providers {
            provider.groups = [None; 2];
        }
    }

    /// Enters what [`read`](Preparer::read) found into the batch begun last.
    pub(crate) fn enter(&mut self, read: &Result<Sighting, (usize, Exclusion)>, batch: &mut Batch) {
        let sighting = match read {
            Ok(sighting) => sighting,
            Err(excluded) => return batch.excluded.push(*excluded),
        };
        let group = match self.providers.get_mut(sighting.provider) {
            Some(provider) => provider.group(sighting.in_default_tenant, &mut batch.groups),
            None => return,
        };
        let domain = match sighting.cached_domain {
            Some(at) => self.domains.place(at, &mut batch.domains),
            None if sighting.marks.domain == Fingerprint::ABSENT => 0,
            None => append(&mut batch.domains, sighting.marks.domain),
        };
        batch.group_of.push(group);
        batch.emails.push(sighting.marks.email);
        batch.links.push(sighting.marks.link);
        batch.domain_of.push(domain);
    }

    /// Reads one record: its runtime and why it does not count, or all that
    /// there is to know of it.
    pub(crate) fn read(&mut self, record: &UserRecord<'_>) -> Result<Result<Sighting, (usize, Exclusion)>, AddError> {
        let runtime = self.runtime_of(record)?;
        self.recent = runtime;
        let platform = self.terms.platform();
        let provider = self.provider_of(runtime, record);
        let (standing, in_default_tenant) = match self.providers.get(provider) {
            Some(known) => (known.standing, is_default_tenant(platform, record, &known.form)),
            None => (None, true),
        };
        if let Some(reason) = eligibility::of_record(platform, standing, record) {
            return Ok(Err((runtime, reason)));
        }
        let link = match platform {
            Platform::O11 => &record.username,
            Platform::Odc => &record.key,
        };
        let link = present(link.as_ref()).map_or(Fingerprint::ABSENT, |text| self.link(text));
        let mut marks = Marks { email: Fingerprint::ABSENT, link, domain: Fingerprint::ABSENT };
        let cached_domain = self.read_address(platform, record, &mut marks);
        Ok(Ok(Sighting { runtime, provider, in_default_tenant, marks, cached_domain }))
    }

    /// R1.
    fn runtime_of(&self, record: &UserRecord<'_>) -> Result<usize, AddError> {
        let name = trimmed(&record.runtime);
        match self.terms.subscription.runtimes().get(self.recent) {
            Some(runtime) if runtime.name == name => Ok(self.recent),
            _ => self.terms.subscription.place_of(name).ok_or(AddError::UnknownRuntime),
        }
    }

    /// R3: where among the known providers this record's is.
    fn provider_of(&mut self, runtime: usize, record: &UserRecord<'_>) -> usize {
        let name = present(record.provider.as_ref()).unwrap_or(DEFAULT_PROVIDER);
        let is_it = |known: &KnownProvider| known.runtime == runtime && *known.spelling == *name;
        match self.providers.iter().position(is_it) {
            Some(at) => at,
            None => self.meet(runtime, name),
        }
    }

    #[cold]
    fn meet(&mut self, runtime: usize, name: &str) -> usize {
        let form: Arc<str> = matching_form(name).into();
        let disabled = self.terms.disabled.get(runtime).map_or(&[][..], |names| names);
        let standing = eligibility::of_provider(self.terms.platform(), disabled, &form);
        if self.providers.len() == KNOWN_PROVIDERS {
            // Their groups stay in the batch; another one for the same
            // provider does no harm.
            self.providers.clear();
        }
        self.providers.push(KnownProvider { runtime, spelling: name.into(), form, standing, groups: [None; 2] });
        self.providers.len() - 1
    }

    /// The fingerprint of a login or key in matching form (N2).
    fn link(&mut self, text: &str) -> Fingerprint {
        if text.is_ascii() {
            return self.terms.link.of(text.as_bytes());
        }
        push_matching_form(text, &mut self.text);
        let fingerprint = self.terms.link.of(self.text.as_bytes());
        self.text.clear();
        fingerprint
    }

    /// C3: the address is `email` if that is a valid one, else, in O11 only,
    /// `username` if that is one. Returns where its domain is in the cache.
    fn read_address(&mut self, platform: Platform, record: &UserRecord<'_>, marks: &mut Marks) -> Option<usize> {
        if let Some(text) = present(record.email.as_ref()) {
            let cached = self.address(text, marks);
            if marks.email != Fingerprint::ABSENT {
                return cached;
            }
        }
        match (platform, present(record.username.as_ref())) {
            (Platform::O11, Some(text)) => self.address(text, marks),
            _ => None,
        }
    }

    /// Reads a trimmed text as an address (V, N4).
    fn address(&mut self, text: &str, marks: &mut Marks) -> Option<usize> {
        let (local, domain) = email::split(text)?;
        if local.is_ascii() {
            // What is in the cache is a plain name.
            let words = words_of(domain);
            let cached = words.and_then(|words| self.domains.find(words));
            if cached.is_some() || is_plain(domain) {
                marks.email = self.terms.email.of(text.as_bytes());
                let (at, fingerprint) = match (cached, words) {
                    (Some((at, fingerprint)), _) => (Some(at), fingerprint),
                    (None, words) => {
                        let fingerprint = self.terms.domain.of(domain.as_bytes());
                        (words.map(|words| self.domains.keep(words, fingerprint)), fingerprint)
                    }
                };
                marks.domain = fingerprint;
                return at;
            }
        }
        let at = email::push_normal_form(local, domain, &mut self.text)?;
        let normal = self.text.get(at + 1..).unwrap_or_default();
        marks.email = self.terms.email.of(self.text.as_bytes());
        marks.domain = self.terms.domain.of(normal.as_bytes());
        self.text.clear();
        None
    }
}

impl KnownProvider {
    /// The provider's group in a batch.
    fn group(&mut self, in_default_tenant: bool, groups: &mut Vec<Group>) -> u32 {
        let [other, default] = &mut self.groups;
        let group = if in_default_tenant { default } else { other };
        *group.get_or_insert_with(|| {
            let (spelling, form) = (Arc::clone(&self.spelling), Arc::clone(&self.form));
            append(groups, Group { runtime: self.runtime, spelling, form, in_default_tenant })
        })
    }
}

/// R4: no tenant, or one of the provider's name. ODC has no tenants.
fn is_default_tenant(platform: Platform, record: &UserRecord<'_>, provider: &str) -> bool {
    match (platform, present(record.tenant.as_ref())) {
        (Platform::Odc, _) | (Platform::O11, None) => true,
        (Platform::O11, Some(tenant)) => has_form(tenant, provider),
    }
}

/// Appends to a column of a batch, and says where.
fn append<T>(column: &mut Vec<T>, entry: T) -> u32 {
    let at = u32::try_from(column.len()).unwrap_or(u32::MAX);
    column.push(entry);
    at
}

/// A domain of at most 31 bytes, in lower case, padded with zeros, and its
/// length in the last byte.
type Words = [u64; 4];

/// A domain as the cache compares it; `None` for a longer one. What is not
/// ASCII is left as it is and found nowhere.
fn words_of(domain: &str) -> Option<Words> {
    let mut words = Words::default();
    let mut bytes = domain.as_bytes().chunks_exact(8);
    let mut places = words.iter_mut();
    for eight in bytes.by_ref() {
        *places.next()? = lower(word_of(eight));
    }
    *places.next()? = lower(tail_of(domain.as_bytes()));
    // Without the length, a domain and the same with a NUL behind it were one.
    words[3] |= (domain.len() as u64) << 56;
    Some(words)
}

/// Domains seen lately, each in the one place that its bytes give it. What
/// falls out of the cache, by chance or by malice, costs N3 and a hash again.
struct DomainCache {
    /// A power of two of them.
    entries: Vec<CachedDomain>,
    /// Domains kept since the cache last grew.
    kept: usize,
    /// Tells the batches apart.
    generation: u64,
}

#[derive(Clone)]
struct CachedDomain {
    words: Words,
    fingerprint: Fingerprint,
    /// The batch that last had it, and where.
    generation: u64,
    place: u32,
}

impl CachedDomain {
    const UNUSED: CachedDomain =
        CachedDomain { words: [0; 4], fingerprint: Fingerprint::ABSENT, generation: 0, place: 0 };
}

impl DomainCache {
    /// From 4 KiB, for a counter of a few records, to 256 KiB, which a core's
    /// own cache holds.
    const SIZES: [usize; 2] = [1 << 6, 1 << 12];

    fn new() -> DomainCache {
        let [smallest, _] = Self::SIZES;
        DomainCache { entries: vec![CachedDomain::UNUSED; smallest], kept: 0, generation: 0 }
    }

    #[inline]
    fn index(&self, words: Words) -> usize {
        let [a, b, c, d] = words;
        let mixed = (a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.entries.len() - 1)
    }

    #[inline]
    fn find(&self, words: Words) -> Option<(usize, Fingerprint)> {
        let at = self.index(words);
        let entry = self.entries.get(at).filter(|entry| entry.words == words)?;
        // An empty domain is found in an unused entry.
        Some((at, entry.fingerprint)).filter(|(_, fingerprint)| *fingerprint != Fingerprint::ABSENT)
    }

    fn keep(&mut self, words: Words, fingerprint: Fingerprint) -> usize {
        let [_, largest] = Self::SIZES;
        self.kept += 1;
        if self.kept > self.entries.len() && self.entries.len() < largest {
            self.entries = vec![CachedDomain::UNUSED; self.entries.len() * 8];
            self.kept = 0;
        }
        let at = self.index(words);
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = CachedDomain { words, fingerprint, ..CachedDomain::UNUSED };
        }
        at
    }

    /// The place of a cached domain in the current batch.
    fn place(&mut self, at: usize, domains: &mut Vec<Fingerprint>) -> u32 {
        let Some(entry) = self.entries.get_mut(at) else { return 0 };
        if entry.generation != self.generation {
            entry.generation = self.generation;
            entry.place = append(domains, entry.fingerprint);
        }
        entry.place
    }
}
