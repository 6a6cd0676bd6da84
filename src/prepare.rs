//! From a record to fingerprints: everything that can be known of a record by
//! itself (R, E, C3, V, N). A pure function of the record, so any number of
//! threads can prepare batches of records side by side.
//!
//! This is where most of the time goes that does not wait for memory, so an
//! ASCII record takes no copy: texts are hashed as they stand, lower-cased
//! eight bytes at a time on the way, and a domain that is known is recognised by
//! its bytes, which spares it N3 and a third hash. Whatever is not ASCII is
//! normalised into a buffer first.
//!
//! Domains are looked up for some rows together, so that the processor fetches
//! them side by side. Until then a row waits with the hash of its local part
//! begun, for its email's fingerprint takes in the domain last; and where an
//! address that turns out to have no valid domain would give way to the login
//! (C3), it does not wait for that.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::domain::{self, is_plain};
use crate::eligibility::{self, Exclusion};
use crate::email;
use crate::error::AddError;
use crate::fingerprint::{Begun, Fingerprint, FingerprintKey, FingerprintSet, Fingerprinter, Kind};
use crate::known_domains::{Domains, ShortName};
use crate::platform::Platform;
use crate::record::UserRecord;
use crate::subscription::{Runtime, Subscription};
use crate::text::{has_form, matching_form, present, push_matching_form, trimmed};

/// R3: the provider of a record that names none.
const DEFAULT_PROVIDER: &str = "Users";

/// What preparing needs to know: the subscription, and the key in use.
pub(crate) struct Terms {
    pub(crate) subscription: Subscription,
    /// Disabled user providers of each runtime, in matching form.
    disabled: Vec<SmallVec<[Box<str>; 2]>>,
    pub(crate) email: Fingerprinter,
    pub(crate) link: Fingerprinter,
    pub(crate) domain: Fingerprinter,
    /// The internal user domains of each runtime.
    listed: Vec<FingerprintSet>,
    /// Tells keys apart without showing anything of them.
    pub(crate) key_check: Fingerprint,
    /// What makes and checks the seal of a snapshot.
    pub(crate) seal: Fingerprinter,
    /// What tells subscriptions and builds apart in a snapshot.
    pub(crate) setting: Fingerprinter,
}

impl Terms {
    pub(crate) fn new(subscription: Subscription, key: &FingerprintKey) -> Terms {
        let runtimes = subscription.runtimes().iter();
        let domain = key.of_kind(Kind::Domain);
        let listed = |runtime: &Runtime| {
            let domains = runtime.internal_domains.unordered();
            domains.map(|listed| domain.of(listed.as_bytes())).collect()
        };
        Terms {
            listed: runtimes.clone().map(listed).collect(),
            disabled: runtimes.map(|runtime| eligibility::disabled_forms(&runtime.disabled_providers)).collect(),
            email: key.of_kind(Kind::Email),
            link: key.of_kind(match subscription.platform() {
                Platform::O11 => Kind::Login,
                Platform::Odc => Kind::Key,
            }),
            domain,
            key_check: key.of_kind(Kind::Check).of(b""),
            seal: key.of_kind(Kind::Snapshot),
            setting: key.of_kind(Kind::Setting),
            subscription,
        }
    }

    pub(crate) fn platform(&self) -> Platform {
        self.subscription.platform()
    }

    /// What E says of all records of a runtime's provider, by its matching form.
    pub(crate) fn excludes(&self, runtime: usize, form: &str) -> Option<Exclusion> {
        let disabled = self.disabled.get(runtime).map_or(&[][..], |names| names);
        eligibility::of_provider(self.platform(), disabled, form)
    }

    /// Whether an address of a domain is internal to a runtime (C5); `None`
    /// where there is no address.
    pub(crate) fn lists(&self, runtime: usize, domain: Fingerprint) -> Option<bool> {
        let listed = self.listed.get(runtime).is_some_and(|listed| listed.contains(&domain));
        (domain != Fingerprint::ABSENT).then_some(listed)
    }
}

/// Prepares records one after the other, with what it learned from those before.
pub(crate) struct Preparer {
    pub(crate) terms: Arc<Terms>,
    /// The runtime of the last record: most come in a row.
    recent: usize,
    /// Providers that records named, by runtime.
    providers: Vec<Vec<KnownProvider>>,
    /// Where counted records belong.
    pub(crate) groups: Vec<Group>,
    /// The domains of addresses.
    pub(crate) domains: Domains,
    /// Rows that want their domain.
    waiting: Vec<Waiting>,
    /// For text that is not ASCII; empty between two records.
    text: String,
}

/// A row that wants its domain looked up. Some do together, so that the
/// processor fetches what they need side by side.
#[derive(Clone, Copy)]
struct Waiting {
    domain: ShortName,
    /// Of its email, the local part.
    local: Begun,
    /// Its place among domains.
    row: usize,
    /// Its place among emails, none if that is not wanted.
    email: usize,
}

/// Rows that wait for their domains together.
const WAITING: usize = 64;

/// From a hash that is not ended and a guess of its text one can go back to the
/// key.
impl Drop for Preparer {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// A provider of a runtime, as some record spelled it.
struct KnownProvider {
    spelling: Arc<str>,
    form: Arc<str>,
    /// What E says of all its records.
    standing: Option<Exclusion>,
    /// Its groups: of other tenants, of the default one.
    groups: [Option<u32>; 2],
}

/// Providers of a runtime that are kept in mind; there are as good as never so
/// many.
const KNOWN_PROVIDERS: usize = 64;

/// Groups before a preparer starts afresh.
const GROUPS: usize = 4096;

/// What can link a record in a default tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of the email address (C3) in O11 (D2).
    pub(crate) email: Fingerprint,
    /// Of the login in O11 (D2), of the key in ODC (D5).
    pub(crate) link: Fingerprint,
}

/// What is known of one record that counts.
pub(crate) struct Sighting {
    pub(crate) runtime: usize,
    /// Of the domain of its address (C5).
    pub(crate) domain: Fingerprint,
    /// `None` in another tenant (D3).
    pub(crate) marks: Option<Marks>,
}

/// Records side by side, prepared and not yet interned.
#[derive(Default)]
pub(crate) struct Rows {
    /// Excluded records: their runtime, and why.
    pub(crate) excluded: Vec<(usize, Exclusion)>,
    /// Of each counted record, its group among those of the preparer.
    pub(crate) groups: Vec<u32>,
    /// Of each counted record, its domain among those of the preparer.
    pub(crate) domains: Vec<u32>,
    /// Of each counted record in a default tenant, its email. Others link
    /// nothing (D3).
    pub(crate) emails: Vec<Fingerprint>,
    /// Of each counted record in a default tenant, its login or key.
    pub(crate) links: Vec<Fingerprint>,
}

/// The records of one runtime, provider and kind of tenant.
pub(crate) struct Group {
    pub(crate) runtime: usize,
    pub(crate) spelling: Arc<str>,
    pub(crate) form: Arc<str>,
    pub(crate) in_default_tenant: bool,
}

impl Rows {
    /// How many records there are.
    #[expect(clippy::arithmetic_side_effects, reason = "lengths of what is in memory")]
    pub(crate) fn len(&self) -> usize {
        self.excluded.len() + self.groups.len()
    }

    pub(crate) fn clear(&mut self) {
        self.excluded.clear();
        self.groups.clear();
        self.emails.clear();
        self.links.clear();
        self.domains.clear();
    }
}

impl Preparer {
    pub(crate) fn new(terms: Arc<Terms>) -> Preparer {
        let providers = terms.subscription.runtimes().iter().map(|_| Vec::new()).collect();
        Preparer {
            terms,
            recent: 0,
            providers,
            groups: Vec::new(),
            domains: Domains::new(),
            waiting: Vec::with_capacity(WAITING),
            text: String::new(),
        }
    }

    /// Overwrites what waited.
    fn wipe(&mut self) {
        let nothing = Waiting { domain: ShortName::NONE, local: Begun::NOTHING, row: 0, email: 0 };
        self.waiting.clear();
        self.waiting.resize(WAITING, nothing);
        // Or the writes would be left out, since nobody reads them.
        std::hint::black_box(&mut self.waiting);
    }

    /// Whether it has learned so much that it had better start afresh.
    pub(crate) fn is_full(&self) -> bool {
        self.domains.len() > Domains::MANY || self.groups.len() > GROUPS
    }

    /// Forgets groups and domains. Rows that were prepared before mean nothing
    /// behind it.
    pub(crate) fn start_afresh(&mut self) {
        self.groups.clear();
        self.domains.clear();
        for provider in self.providers.iter_mut().flatten() {
            provider.groups = [None; 2];
        }
    }

    /// Prepares a record and appends it to `rows`, which are as they were where
    /// it fails.
    #[inline]
    pub(crate) fn push(&mut self, record: &UserRecord<'_>, rows: &mut Rows) -> Result<(), AddError> {
        let runtime = self.runtime_of(record)?;
        let platform = self.terms.platform();
        let name = present(record.provider.as_ref()).unwrap_or(DEFAULT_PROVIDER);
        let Some(known) = self.providers.get_mut(runtime) else { return Err(AddError::UnknownRuntime) };
        let Some(provider) = provider_of(&self.terms, runtime, name, known) else {
            return Err(AddError::UnknownRuntime);
        };
        if let Some(reason) = eligibility::of_record(platform, provider.standing, record) {
            rows.excluded.push((runtime, reason));
            return Ok(());
        }
        let in_default_tenant = is_default_tenant(platform, record, &provider.form);
        let group = provider.group(runtime, in_default_tenant, &mut self.groups);
        rows.groups.push(group);
        if !in_default_tenant {
            let or_login = record.username.as_ref().is_some_and(|text| text.contains('@'));
            self.read_address(record, or_login, false, rows);
            return Ok(());
        }
        let link = match platform {
            Platform::O11 => present(record.username.as_ref()),
            Platform::Odc => present(record.key.as_ref()),
        };
        let (link, has_at) = link.map_or((Fingerprint::ABSENT, false), |text| self.link(text));
        rows.links.push(link);
        match platform {
            // A login without an `@` is no address.
            Platform::O11 => self.read_address(record, has_at, true, rows),
            Platform::Odc => {
                rows.emails.push(Fingerprint::ABSENT);
                self.read_address(record, false, false, rows);
            }
        }
        Ok(())
    }

    /// Prepares records one after the other, up to one that fails.
    pub(crate) fn push_all<'r>(
        &mut self,
        records: impl IntoIterator<Item = UserRecord<'r>>,
        rows: &mut Rows,
    ) -> Option<AddError> {
        debug_assert!(self.waiting.is_empty(), "other rows have been settled");
        let error = records.into_iter().find_map(|record| self.push(&record, rows).err());
        self.settle(rows);
        error
    }

    /// Does what is still to be done for `rows`, which nobody can read before.
    pub(crate) fn settle(&mut self, rows: &mut Rows) {
        let mut all = std::mem::take(&mut self.waiting);
        let mut likely = [Domains::NONE; WAITING];
        let mut touched = 0;
        for (waiting, likely) in all.iter().zip(&mut likely) {
            *likely = self.domains.likely(waiting.domain);
        }
        for (_, likely) in all.iter().zip(&likely) {
            touched ^= self.domains.touch(*likely);
        }
        std::hint::black_box(touched);
        for (waiting, likely) in all.iter().zip(likely) {
            let (domain, place) = match self.domains.named(likely, waiting.domain) {
                Some(domain) => (domain, likely),
                None => self.meet_domain(waiting.domain),
            };
            if let Some(row) = rows.domains.get_mut(waiting.row) {
                *row = place;
            }
            if let Some(email) = rows.emails.get_mut(waiting.email) {
                if !domain.is_absent() {
                    *email = waiting.local.end(domain);
                }
            }
        }
        all.clear();
        self.waiting = all;
    }

    /// The fingerprint and the place of a domain that was not known, or not in
    /// time.
    fn meet_domain(&mut self, name: ShortName) -> (Fingerprint, u32) {
        let likely = self.domains.likely(name);
        if let Some(domain) = self.domains.named(likely, name) {
            return (domain, likely);
        }
        let of = |name: &str| domain_of(&self.terms, name, &mut self.text);
        let domain = name.with_text(of).unwrap_or(Fingerprint::ABSENT);
        (domain, self.domains.keep(name, domain))
    }

    /// The last one of `rows` that counts.
    pub(crate) fn sighting(&self, rows: &Rows) -> Option<Sighting> {
        let group = self.groups.get(*rows.groups.last()? as usize)?;
        let domain = self.domains.fingerprint(*rows.domains.last()?)?;
        let marks = match group.in_default_tenant {
            true => Some(Marks { email: *rows.emails.last()?, link: *rows.links.last()? }),
            false => None,
        };
        Some(Sighting { runtime: group.runtime, domain, marks })
    }

    /// R1.
    #[inline]
    fn runtime_of(&mut self, record: &UserRecord<'_>) -> Result<usize, AddError> {
        let runtimes = self.terms.subscription.runtimes();
        match runtimes.get(self.recent) {
            Some(runtime) if *runtime.name == *record.runtime => {}
            _ => {
                let place = self.terms.subscription.place_of(trimmed(&record.runtime));
                self.recent = place.ok_or(AddError::UnknownRuntime)?;
            }
        }
        Ok(self.recent)
    }

    /// The fingerprint of a login or key in matching form (N2), and whether it
    /// has an `@`.
    #[inline]
    fn link(&mut self, text: &str) -> (Fingerprint, bool) {
        match self.terms.link.of_ascii(text.as_bytes()) {
            Some(link) => link,
            None => self.link_of_form(text),
        }
    }

    #[cold]
    fn link_of_form(&mut self, text: &str) -> (Fingerprint, bool) {
        push_matching_form(text, &mut self.text);
        let fingerprint = self.terms.link.of(self.text.as_bytes());
        self.text.clear();
        (fingerprint, text.contains('@'))
    }

    /// C3: the address is `email` if that is a valid one, else, with `or_login`,
    /// `username` if that is one. Appends its domain to `rows`, and its
    /// fingerprint if that is wanted.
    #[inline]
    fn read_address(&mut self, record: &UserRecord<'_>, or_login: bool, wanted: bool, rows: &mut Rows) {
        let is_read = match present(record.email.as_ref()) {
            Some(text) => self.address(text, or_login, wanted, rows),
            None => false,
        };
        if is_read {
            return;
        }
        let username = if or_login { present(record.username.as_ref()) } else { None };
        if username.is_some_and(|text| self.address(text, false, wanted, rows)) {
            return;
        }
        rows.domains.push(Domains::NONE);
        if wanted {
            rows.emails.push(Fingerprint::ABSENT);
        }
    }

    /// Reads a trimmed text as an address (V, N4), whose fingerprint is that of
    /// its local part and then that of its domain. False where it is none, which
    /// may show later unless it has to be known `now`.
    #[inline]
    fn address(&mut self, text: &str, now: bool, wanted: bool, rows: &mut Rows) -> bool {
        let Some((local, name)) = email::split(text) else { return false };
        let Some(domain) = ShortName::of(name) else { return self.long_address(local, name, wanted, rows) };
        if now && self.meet_domain(domain).0 == Fingerprint::ABSENT {
            return false;
        }
        let mut begun = Begun::NOTHING;
        let mut email = usize::MAX;
        if wanted {
            begun = match self.terms.email.begin(local.as_bytes()) {
                (begun, true) => begun,
                (_, false) => self.begin_form(local),
            };
            email = rows.emails.len();
            rows.emails.push(Fingerprint::ABSENT);
        }
        let row = rows.domains.len();
        rows.domains.push(Domains::NONE);
        self.waiting.push(Waiting { domain, local: begun, row, email });
        if self.waiting.len() == WAITING {
            self.settle(rows);
        }
        true
    }

    /// The same at once, where the domain has a long name, or none.
    #[cold]
    fn long_address(&mut self, local: &str, name: &str, wanted: bool, rows: &mut Rows) -> bool {
        let Some(domain) = domain_of(&self.terms, name, &mut self.text) else { return false };
        rows.domains.push(self.domains.append(domain));
        if wanted {
            rows.emails.push(self.begin_form(local).end(domain));
        }
        true
    }

    /// Begins the fingerprint of an address with a local part in matching form
    /// (N2).
    #[cold]
    fn begin_form(&mut self, local: &str) -> Begun {
        push_matching_form(local, &mut self.text);
        let (begun, _) = self.terms.email.begin(self.text.as_bytes());
        self.text.clear();
        begun
    }
}

/// The fingerprint of the domain of an address (V3, N3); `None` where it is
/// none.
fn domain_of(terms: &Terms, name: &str, text: &mut String) -> Option<Fingerprint> {
    if is_plain(name) {
        return Some(terms.domain.of(name.as_bytes()));
    }
    domain::push_normal_form(name, text).ok()?;
    let domain = terms.domain.of(text.as_bytes());
    text.clear();
    Some(domain)
}

/// R3: the provider of a record, by its trimmed name.
#[inline]
fn provider_of<'k>(
    terms: &Terms,
    runtime: usize,
    name: &str,
    known: &'k mut Vec<KnownProvider>,
) -> Option<&'k mut KnownProvider> {
    // Which of a few providers it is nobody could predict, so the one of that
    // length is picked without a branch.
    let len = |known: &KnownProvider| known.spelling.len();
    let likely =
        known.iter().enumerate().fold(0, |likely, (at, known)| if len(known) == name.len() { at } else { likely });
    let is_it = |known: &KnownProvider| *known.spelling == *name;
    let at = match known.get(likely) {
        Some(known) if is_it(known) => likely,
        _ => match known.iter().position(is_it) {
            Some(at) => at,
            None => meet(terms, runtime, name, known),
        },
    };
    known.get_mut(at)
}

/// Takes note of a provider that no record of the runtime named lately, and
/// says where.
#[cold]
fn meet(terms: &Terms, runtime: usize, name: &str, known: &mut Vec<KnownProvider>) -> usize {
    let form: Arc<str> = matching_form(name).into();
    let standing = terms.excludes(runtime, &form);
    if known.len() == KNOWN_PROVIDERS {
        // Their groups stay; another one for the same provider does no harm.
        known.clear();
    }
    let place = known.len();
    known.push(KnownProvider { spelling: name.into(), form, standing, groups: [None; 2] });
    place
}

impl KnownProvider {
    /// The provider's group.
    #[inline]
    fn group(&mut self, runtime: usize, in_default_tenant: bool, groups: &mut Vec<Group>) -> u32 {
        let [other, default] = &mut self.groups;
        let group = if in_default_tenant { default } else { other };
        *group.get_or_insert_with(|| {
            let (spelling, form) = (Arc::clone(&self.spelling), Arc::clone(&self.form));
            append(groups, Group { runtime, spelling, form, in_default_tenant })
        })
    }
}

/// R4: no tenant, or one of the provider's name. ODC has no tenants.
#[inline]
fn is_default_tenant(platform: Platform, record: &UserRecord<'_>, provider: &str) -> bool {
    match (platform, present(record.tenant.as_ref())) {
        (Platform::Odc, _) | (Platform::O11, None) => true,
        (Platform::O11, Some(tenant)) => has_form(tenant, provider),
    }
}

/// Appends to a list, and says where.
pub(crate) fn append<T>(list: &mut Vec<T>, entry: T) -> u32 {
    let at = u32::try_from(list.len()).unwrap_or(u32::MAX);
    list.push(entry);
    at
}

#[cfg(test)]
mod tests;
