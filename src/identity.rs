//! What can link a record: its email address, its login, its key (C3, D).

use crate::email::push_address;
use crate::error::AddError;
use crate::fingerprint::{Fingerprint, FingerprintKey, Fingerprinter, KeyedMap, Kind};
use crate::interner::Interner;
use crate::platform::Platform;
use crate::record::UserRecord;
use crate::text::{present, push_matching_form};

/// Reads the identity of records: a pure function of key, platform and record,
/// with a buffer.
pub(crate) struct Reader {
    platform: Platform,
    fingerprinter: Fingerprinter,
    text: String,
    at: usize,
}

/// What can link one record, as fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of the email address (C3).
    pub(crate) email: Option<Fingerprint>,
    /// Of the login in O11, of the key in ODC: the other one links nothing
    /// there (D2, D5).
    pub(crate) link: Option<Fingerprint>,
}

impl Reader {
    pub(crate) fn new(platform: Platform, key: &FingerprintKey) -> Reader {
        Reader { platform, fingerprinter: key.hasher(), text: String::new(), at: 0 }
    }

    /// Reads a record. Allocates nothing once the buffer has grown, unless a
    /// text is not ASCII.
    pub(crate) fn read(&mut self, record: &UserRecord<'_>) -> Marks {
        let (kind, link) = match self.platform {
            Platform::O11 => (Kind::Login, &record.username),
            Platform::Odc => (Kind::Key, &record.key),
        };
        let link = present(link.as_ref()).map(|text| {
            self.text.clear();
            push_matching_form(text, &mut self.text);
            self.fingerprinter.of(kind, &mut self.text)
        });
        let has_address = self.read_address(record);
        let email = has_address.then(|| self.fingerprinter.of(Kind::Email, &mut self.text));
        Marks { email, link }
    }

    /// C3: `email` if that is a valid address, else, in O11 only, `username`
    /// if that is one. Leaves the address in the buffer.
    fn read_address(&mut self, record: &UserRecord<'_>) -> bool {
        let username = match self.platform {
            Platform::O11 => record.username.as_ref(),
            Platform::Odc => None,
        };
        for text in [record.email.as_ref(), username].into_iter().filter_map(present) {
            self.text.clear();
            if let Some(at) = push_address(text, &mut self.text) {
                self.at = at;
                return true;
            }
        }
        false
    }

    /// The domain of the address that the last record read has, if it has one.
    pub(crate) fn domain(&self, marks: &Marks) -> Option<&str> {
        marks.email.and_then(|_| self.text.get(self.at + 1..))
    }
}

/// The ids of what can link one record; 0 where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) email: u32,
    pub(crate) link: u32,
}

/// Everything that was ever seen to link records, interned.
pub(crate) struct Identities {
    emails: Interner,
    links: Interner,
    /// The domain of each email, by email id; 0 for email 0, which is none.
    domain_of: Vec<u32>,
    /// Domains in normal form and their ids, which count from 1.
    domains: KeyedMap<u32>,
    limit: u32,
}

impl Identities {
    /// `limit` bounds each kind of id.
    pub(crate) fn new(key: &FingerprintKey, limit: u32) -> Identities {
        Identities {
            emails: Interner::new(limit),
            links: Interner::new(limit),
            domain_of: vec![0],
            domains: KeyedMap::with_hasher(key.table_state()),
            limit,
        }
    }

    /// Fails where `more` further records might not find room.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        self.emails.check_room(more)?;
        self.links.check_room(more)?;
        let domains = u32::try_from(self.domains.len()).unwrap_or(u32::MAX);
        match u32::try_from(more) {
            Ok(more) if more <= self.limit.saturating_sub(domains) => Ok(()),
            _ => Err(AddError::Full),
        }
    }

    /// The id of a domain in normal form, new or known; 0 for none. The caller
    /// has checked that there is room.
    pub(crate) fn domain_id(&mut self, domain: Option<&str>) -> u32 {
        let Some(domain) = domain else { return 0 };
        if let Some(id) = self.domains.get(domain) {
            return *id;
        }
        let id = u32::try_from(self.domains.len()).map_or(u32::MAX, |len| len + 1);
        self.domains.insert(domain.into(), id);
        id
    }

    /// The ids of a batch of records. `emails`, `links` and `domains` stand
    /// side by side. The caller has checked that there is room.
    pub(crate) fn intern(&mut self, batch: &Batch, ids: &mut BatchIds) {
        ids.emails.clear();
        ids.links.clear();
        self.emails.intern_all(&batch.emails, &mut ids.emails);
        self.links.intern_all(&batch.links, &mut ids.links);
        for (email, domain) in ids.emails.iter().zip(&batch.domains) {
            // Ids are given in order, so a new one is the next.
            if *email as usize == self.domain_of.len() {
                self.domain_of.push(*domain);
            }
        }
    }

    /// The fact of a record that has been interned; 0 for what never was.
    pub(crate) fn find(&self, marks: &Marks) -> Fact {
        let id = |interner: &Interner, mark: Option<Fingerprint>| mark.and_then(|fp| interner.get(fp)).unwrap_or(0);
        Fact { email: id(&self.emails, marks.email), link: id(&self.links, marks.link) }
    }

    /// The domain id of an email id.
    #[inline]
    pub(crate) fn domain_of(&self, email: u32) -> u32 {
        self.domain_of.get(email as usize).copied().unwrap_or(0)
    }

    /// The id of a domain in normal form, if it was ever seen.
    pub(crate) fn known_domain(&self, domain: &str) -> Option<u32> {
        self.domains.get(domain).copied()
    }

    pub(crate) fn domain_count(&self) -> usize {
        self.domains.len()
    }

    pub(crate) fn email_count(&self) -> u32 {
        self.emails.len()
    }

    pub(crate) fn link_count(&self) -> u32 {
        self.links.len()
    }
}

/// Marks of several records, column by column, as interning wants them.
#[derive(Default)]
pub(crate) struct Batch {
    emails: Vec<Option<Fingerprint>>,
    links: Vec<Option<Fingerprint>>,
    domains: Vec<u32>,
}

impl Batch {
    pub(crate) fn push(&mut self, marks: &Marks, domain: u32) {
        self.emails.push(marks.email);
        self.links.push(marks.link);
        self.domains.push(domain);
    }

    pub(crate) fn clear(&mut self) {
        self.emails.clear();
        self.links.clear();
        self.domains.clear();
    }
}

/// The ids of a batch.
#[derive(Default)]
pub(crate) struct BatchIds {
    emails: Vec<u32>,
    links: Vec<u32>,
}

impl BatchIds {
    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        self.emails.iter().zip(&self.links).map(|(&email, &link)| Fact { email, link })
    }
}
