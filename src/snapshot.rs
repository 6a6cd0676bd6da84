//! A counter's state as bytes, and back.
//!
//! Little-endian throughout, in this order:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `headcnt\n` |
//! | 4 | version of the format, 1 |
//! | 16 | what tells the key from others |
//! | 16 | fingerprint of the subscription |
//! | 16 | fingerprint of what this build makes of some names |
//! | 8 | rejected rows |
//! | | emails, then logins or keys, then domains: 64 shards of 4 bytes how many and 12 bytes each |
//! | | each runtime: 5 x 8 bytes how many excluded, by reason; 8 bytes how many providers |
//! | | each provider: spelling as 8 bytes how long and UTF-8; 8 bytes how many facts and 12 bytes each (email, login or key, domain); 8 bytes how many records of other tenants and 4 bytes each (domain) |
//! | 16 | the seal: a keyed hash of all bytes before it |
//!
//! There is one way to write a state, and reading refuses every other.

use std::sync::Arc;

use crate::capacity::{Capacity, Licences};
use crate::counter::Counter;
use crate::eligibility::Exclusion;
use crate::email::EmailAddress;
use crate::error::SnapshotError;
use crate::fingerprint::{Fingerprint, FingerprintKey, Fingerprinter};
use crate::identities::{Fact, Identities};
use crate::interner::{Interner, is_given};
use crate::ledger::{Ledger, Provider};
use crate::merge::MOST_RECORDS;
use crate::platform::Platform;
use crate::prepare::Terms;
use crate::subscription::Subscription;
use crate::text::{matching_form, trimmed};

const MAGIC: [u8; 8] = *b"headcnt\n";
const VERSION: u32 = 1;
const SEAL: usize = 16;

impl Counter {
    /// The counter's state as bytes, for [`restore`](Counter::restore). Equal
    /// states give equal bytes, and restoring and taking it again gives the same.
    ///
    /// It holds fingerprints, the names of user providers and counts, about 25
    /// bytes a record of a large subscription; no login, email or key, nor the
    /// fingerprint key. Fingerprints are personal data all the same: who has the
    /// key can try names out. Linear in the facts; the bytes are made at once.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.snapshot_len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let Terms { key_check, setting, seal, .. } = &*self.terms;
        for fingerprint in [*key_check, of_subscription(self.subscription(), setting), of_build(&self.terms)] {
            out.extend_from_slice(&fingerprint.to_le_bytes());
        }
        out.extend_from_slice(&self.rejected.to_le_bytes());
        let Identities { emails, links, domains } = &self.identities;
        for (count, keys) in [emails, links, domains].into_iter().flat_map(Interner::keys) {
            out.extend_from_slice(&count.to_le_bytes());
            keys.for_each(|key| push_words(*key, &mut out));
        }
        for ledger in &self.ledgers {
            write_ledger(ledger, &mut out);
        }
        let seal = seal.seal(&out);
        out.extend_from_slice(&seal.to_le_bytes());
        out
    }

    /// How many bytes a snapshot takes, or a few more.
    #[expect(clippy::arithmetic_side_effects, reason = "lengths of what is in memory")]
    fn snapshot_len(&self) -> usize {
        let [emails, links, domains] = self.identities.sizes();
        let keys = usize::try_from(emails + links + domains).unwrap_or(0) * 12;
        let of_provider = |provider: &Provider| {
            24 + provider.spelling.len() + provider.default_tenant.len() * 12 + provider.other_tenants.len() * 4
        };
        let ledgers = self.ledgers.iter().map(|ledger| 48 + ledger.providers.iter().map(of_provider).sum::<usize>());
        HEAD + 8 + 3 * 64 * 4 + keys + ledgers.sum::<usize>() + SEAL
    }

    /// A counter with the state that [`snapshot`](Counter::snapshot) wrote. The
    /// subscription and the key are those of the counter it was taken of.
    ///
    /// Bytes that anyone could have touched are safe to restore: they are
    /// checked as a whole before any of them is used, with the fingerprint key,
    /// and what they say once more as it is read: no other way to write a state,
    /// no id that was not given, no record that would not count. Memory is taken
    /// only for what is there. Linear in the length of `bytes` for fingerprints
    /// that the key made.
    ///
    /// # Errors
    ///
    /// Anything but a snapshot of this format, key, subscription and build.
    pub fn restore(subscription: Subscription, key: &FingerprintKey, bytes: &[u8]) -> Result<Counter, SnapshotError> {
        let mut counter = Counter::new(subscription, key);
        let mut reader = Reader { bytes, at: 0 };
        if reader.array::<8>() != Ok(MAGIC) {
            return Err(SnapshotError::NotASnapshot);
        }
        let found = u32::from_le_bytes(reader.array().map_err(|_| SnapshotError::Damaged)?);
        if found != VERSION {
            return Err(SnapshotError::Version { found, expected: VERSION });
        }
        let key_check = reader.array().map_err(|_| SnapshotError::Damaged)?;
        if key_check != counter.terms.key_check.to_le_bytes() {
            return Err(SnapshotError::Key);
        }
        let Terms { setting, seal, .. } = &*counter.terms;
        let sealed = bytes.split_last_chunk::<SEAL>().filter(|(content, _)| content.len() >= HEAD);
        let (content, found) = sealed.ok_or(SnapshotError::Damaged)?;
        if seal.seal(content).to_le_bytes() != *found {
            return Err(SnapshotError::Damaged);
        }
        reader.bytes = content;
        if reader.array()? != of_subscription(counter.subscription(), setting).to_le_bytes() {
            return Err(SnapshotError::Subscription);
        }
        if reader.array()? != of_build(&counter.terms).to_le_bytes() {
            return Err(SnapshotError::Normalisation);
        }
        counter.rejected = reader.count()?;
        let Identities { emails, links, domains } = &mut counter.identities;
        for interner in [emails, links, domains] {
            for shard in 0..64 {
                read_shard(&mut reader, interner, shard)?;
            }
        }
        for (runtime, ledger) in counter.ledgers.iter_mut().enumerate() {
            read_ledger(&mut reader, ledger, &counter.identities, &counter.terms, runtime)?;
        }
        if reader.at != content.len() {
            return Err(reader.invalid());
        }
        Ok(counter)
    }
}

/// Bytes before the rejected rows.
const HEAD: usize = 8 + 4 + 3 * 16;

#[inline]
fn push_words([a, b, c]: [u32; 3], out: &mut Vec<u8>) {
    let words = u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64;
    if let Some((bytes, _)) = words.to_le_bytes().split_first_chunk::<12>() {
        out.extend_from_slice(bytes);
    }
}

fn write_ledger(ledger: &Ledger, out: &mut Vec<u8>) {
    ledger.excluded.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
    out.extend_from_slice(&(ledger.providers.len() as u64).to_le_bytes());
    for provider in &ledger.providers {
        out.extend_from_slice(&(provider.spelling.len() as u64).to_le_bytes());
        out.extend_from_slice(provider.spelling.as_bytes());
        out.extend_from_slice(&(provider.default_tenant.len() as u64).to_le_bytes());
        for fact in provider.default_tenant.pieces().flatten() {
            push_words([fact.email, fact.link, fact.domain], out);
        }
        out.extend_from_slice(&(provider.other_tenants.len() as u64).to_le_bytes());
        for domain in provider.other_tenants.pieces().flatten() {
            out.extend_from_slice(&domain.to_le_bytes());
        }
    }
}

/// Reads from the front.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn invalid(&self) -> SnapshotError {
        SnapshotError::Invalid { at: self.at }
    }

    /// So many bytes, if they are there.
    fn take(&mut self, len: usize) -> Result<&'b [u8], SnapshotError> {
        let end = self.at.checked_add(len).ok_or(self.invalid())?;
        let taken = self.bytes.get(self.at..end).ok_or(self.invalid())?;
        self.at = end;
        Ok(taken)
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], SnapshotError> {
        let invalid = self.invalid();
        self.take(LEN)?.try_into().map_err(|_| invalid)
    }

    /// So many entries of `LEN` bytes each, if they are there.
    fn entries<const LEN: usize>(
        &mut self,
        count: u64,
    ) -> Result<impl Iterator<Item = [u8; LEN]> + use<'b, LEN>, SnapshotError> {
        let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(LEN)).ok_or(self.invalid())?;
        Ok(self.take(len)?.chunks_exact(LEN).filter_map(|entry| entry.try_into().ok()))
    }

    /// How many records were not kept.
    fn count(&mut self) -> Result<u64, SnapshotError> {
        let invalid = self.invalid();
        let count = u64::from_le_bytes(self.array()?);
        if count <= MOST_RECORDS { Ok(count) } else { Err(invalid) }
    }
}

/// Three words of an entry.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "places below 12")]
fn words(bytes: [u8; 12]) -> [u32; 3] {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    [word(0), word(4), word(8)]
}

fn read_shard(reader: &mut Reader<'_>, interner: &mut Interner, shard: usize) -> Result<(), SnapshotError> {
    let invalid = reader.invalid();
    let count = u32::from_le_bytes(reader.array()?);
    let keys = reader.entries::<12>(u64::from(count))?;
    match interner.load(shard, count, keys.map(words)) {
        true => Ok(()),
        false => Err(invalid),
    }
}

fn read_ledger(
    reader: &mut Reader<'_>,
    ledger: &mut Ledger,
    identities: &Identities,
    terms: &Terms,
    runtime: usize,
) -> Result<(), SnapshotError> {
    let is_odc = terms.platform() == Platform::Odc;
    for (reason, count) in Exclusion::ALL.into_iter().zip(&mut ledger.excluded) {
        let invalid = reader.invalid();
        *count = reader.count()?;
        if *count > 0 && !reason.happens_on(terms.platform()) {
            return Err(invalid);
        }
    }
    let Identities { emails, links, domains } = identities;
    let [emails, links, domains] = [emails, links, domains].map(Interner::given);
    let providers = usize::try_from(u64::from_le_bytes(reader.array()?)).unwrap_or(usize::MAX);
    for place in 0..providers {
        let invalid = reader.invalid();
        let len = usize::try_from(u64::from_le_bytes(reader.array()?)).unwrap_or(usize::MAX);
        let spelling = std::str::from_utf8(reader.take(len)?).map_err(|_| invalid)?;
        let form: Arc<str> = matching_form(spelling).into();
        let is_name = trimmed(spelling) == spelling && !spelling.is_empty();
        if !is_name || terms.excludes(runtime, &form).is_some() || ledger.open(&form, || spelling.into()) != place {
            return Err(invalid);
        }
        let Some(provider) = ledger.provider(place) else { return Err(invalid) };
        let invalid = reader.invalid();
        let count = u64::from_le_bytes(reader.array()?);
        for [email, link, domain] in reader.entries(count)?.map(words) {
            if (is_odc && email != 0)
                || !(is_given(&emails, email) && is_given(&links, link) && is_given(&domains, domain))
            {
                return Err(invalid);
            }
            provider.default_tenant.push(Fact { email, link, domain });
        }
        let invalid = reader.invalid();
        let count = u64::from_le_bytes(reader.array()?);
        for domain in reader.entries(count)?.map(u32::from_le_bytes) {
            if is_odc || !is_given(&domains, domain) {
                return Err(invalid);
            }
            provider.other_tenants.push(domain);
        }
        // A provider is there because one of its records counts.
        if provider.default_tenant.len() == 0 && provider.other_tenants.len() == 0 {
            return Err(reader.invalid());
        }
    }
    Ok(())
}

/// A subscription as bytes, each text behind its length: different ones never
/// give the same.
fn of_subscription(subscription: &Subscription, setting: &Fingerprinter) -> Fingerprint {
    let mut out = b"subscription".to_vec();
    let text = |text: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    out.push(match subscription.platform() {
        Platform::O11 => 1,
        Platform::Odc => 2,
    });
    for runtime in subscription.runtimes() {
        out.push(1);
        text(&runtime.name, &mut out);
        text(&runtime.version.map(|version| version.to_string()).unwrap_or_default(), &mut out);
        text(&runtime.internal_domains.to_string(), &mut out);
        for provider in &runtime.disabled_providers {
            out.push(1);
            text(provider, &mut out);
        }
        out.push(0);
    }
    out.push(0);
    let licences = |Licences { capacity, pack }: &Licences, out: &mut Vec<u8>| {
        out.extend_from_slice(&capacity.to_le_bytes());
        out.extend_from_slice(&pack.get().to_le_bytes());
    };
    match subscription.capacity() {
        None => out.push(0),
        Some(Capacity::InternalExternal { internal, external }) => {
            out.push(1);
            licences(internal, &mut out);
            licences(external, &mut out);
        }
        Some(Capacity::Named(named)) => {
            out.push(2);
            licences(named, &mut out);
        }
    }
    setting.of_bytes(&out)
}

/// A name with a character of Unicode 18, newer than the tables of some builds.
const NEWEST: &str = "a@\u{3E8AC}.example";

/// What this build makes of some names: case, composition, mapping, ignored
/// characters, Punycode, letters of late versions of Unicode, fingerprints.
fn of_build(terms: &Terms) -> Fingerprint {
    const NAMES: [&str; 9] = [
        "JOSE\u{301}@B\u{DC}CHER.example",
        "\u{130}\u{3A3}@fa\u{DF}.example",
        "a@ex\u{AD}am\u{200B}ple\u{3002}\u{FF43}om",
        "a@\u{5D0}\u{5D1}.example",
        "a@\u{1E94B}\u{10D70}.example",
        "a@\u{32B9A}.example",
        NEWEST,
        "a@\u{1C89}.example",
        "\u{1C89}\u{A7DC}\u{16EA0}",
    ];
    let mut out = b"build".to_vec();
    for name in NAMES {
        let form = EmailAddress::parse(name).map_or_else(|| matching_form(name), |address| address.as_str().to_owned());
        out.extend_from_slice(form.as_bytes());
        out.push(b'\n');
    }
    let (local, _) = terms.email.begin(b"ana.lopes");
    for fingerprint in [terms.link.of(b"ana"), local.end(terms.domain.of(b"corp.example"))] {
        out.extend_from_slice(&fingerprint.to_le_bytes());
    }
    terms.setting.of_bytes(&out)
}

#[cfg(test)]
mod tests;
