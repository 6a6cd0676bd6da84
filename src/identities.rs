//! Everything that was ever seen to link records, interned; and the fact that
//! a counted record leaves behind (D).

use crate::error::AddError;
use crate::fingerprint::Fingerprint;
use crate::interner::Interner;
use crate::prepare::{Marks, Preparer, Rows};

/// A counted record in a default tenant: the ids of what can link it and of the
/// domain of its address; 0 where it has none. `link` is its login in O11 and
/// its key in ODC; in ODC there is no `email`, which links nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) email: u32,
    pub(crate) link: u32,
    pub(crate) domain: u32,
}

/// Emails, logins or keys, and domains.
pub(crate) struct Identities {
    pub(crate) emails: Interner,
    pub(crate) links: Interner,
    pub(crate) domains: Interner,
}

impl Identities {
    pub(crate) fn new(shard_limit: u32) -> Identities {
        Identities {
            emails: Interner::new(shard_limit),
            links: Interner::new(shard_limit),
            domains: Interner::new(shard_limit),
        }
    }

    /// Fails where `more` further records might not find room.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        self.emails.check_room(more)?;
        self.links.check_room(more)?;
        self.domains.check_room(more)
    }

    /// Fails where these rows do not find room.
    pub(crate) fn check_rows(&self, preparer: &Preparer, rows: &Rows) -> Result<(), AddError> {
        let domains = || -> Vec<Fingerprint> {
            rows.domains.iter().filter_map(|place| preparer.domains.fingerprint(*place)).collect()
        };
        let has_room = self.emails.has_room_for_each(&rows.emails)
            && self.links.has_room_for_each(&rows.links)
            && (self.domains.check_room(rows.len()).is_ok() || self.domains.has_room_for_each(&domains()));
        if has_room { Ok(()) } else { Err(AddError::Full) }
    }

    /// The ids of an email and a login or key that have been interned; 0 for
    /// what never was.
    pub(crate) fn find(&self, marks: Marks) -> (u32, u32) {
        (self.emails.find(marks.email), self.links.find(marks.link))
    }

    /// The id of a domain; 0 if it was never seen.
    pub(crate) fn domain(&self, domain: Fingerprint) -> u32 {
        self.domains.find(domain)
    }

    /// Domain ids are below this.
    pub(crate) fn domain_space(&self) -> u32 {
        self.domains.space()
    }

    /// Email ids are below this.
    pub(crate) fn email_space(&self) -> u32 {
        self.emails.space()
    }

    /// Ids of logins or keys are below this.
    pub(crate) fn link_space(&self) -> u32 {
        self.links.space()
    }

    /// How many different emails, logins or keys, and domains there are.
    pub(crate) fn sizes(&self) -> [u64; 3] {
        [self.emails.len(), self.links.len(), self.domains.len()]
    }
}
