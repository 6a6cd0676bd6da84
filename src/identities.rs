//! Everything that was ever seen to link records, interned; and the fact that
//! a counted record leaves behind (D).

use crate::error::AddError;
use crate::fingerprint::Fingerprint;
use crate::interner::Interner;
use crate::prepare::Marks;

/// The ids of what can link one record; 0 where it has none. `link` is its
/// login in O11 and its key in ODC: the other one links nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) email: u32,
    pub(crate) link: u32,
}

/// Emails, logins or keys, domains, and which email is of which domain.
pub(crate) struct Identities {
    pub(crate) emails: Interner,
    pub(crate) links: Interner,
    pub(crate) domains: Interner,
    /// The domain of each email, by email id; 0 for email 0, which is none.
    domain_of: Vec<u32>,
}

impl Identities {
    pub(crate) fn new(shard_limit: u32) -> Identities {
        Identities {
            emails: Interner::new(shard_limit),
            links: Interner::new(shard_limit),
            domains: Interner::new(shard_limit),
            domain_of: vec![0],
        }
    }

    /// Fails where `more` further records might not find room.
    pub(crate) fn check_room(&self, more: usize) -> Result<(), AddError> {
        self.emails.check_room(more)?;
        self.links.check_room(more)?;
        self.domains.check_room(more)
    }

    /// Takes note of the domain of an email id, as interned.
    #[inline]
    pub(crate) fn set_domain(&mut self, email: u32, domain: u32) {
        let at = email as usize;
        if at >= self.domain_of.len() {
            // A sixteenth more: a vector that doubles would hold up to twice as many.
            let missing = at + 1 - self.domain_of.len();
            if missing > self.domain_of.capacity() - self.domain_of.len() {
                self.domain_of.reserve_exact(missing.max(self.domain_of.len() / 16));
            }
            self.domain_of.resize(at + 1, 0);
        }
        if let Some(place) = self.domain_of.get_mut(at) {
            *place = domain;
        }
    }

    /// The fact of marks that have been interned; 0 for what never was.
    pub(crate) fn find(&self, marks: &Marks) -> Fact {
        Fact { email: self.emails.find(marks.email), link: self.links.find(marks.link) }
    }

    /// The domain id of an email id.
    #[inline]
    pub(crate) fn domain_of(&self, email: u32) -> u32 {
        self.domain_of.get(email as usize).copied().unwrap_or(0)
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
