//! Putting two counters together.

use std::sync::Arc;

use crate::counter::Counter;
use crate::error::MergeError;
use crate::identities::{Fact, Identities};
use crate::interner::Translation;
use crate::ledger::Ledger;

impl Counter {
    /// Takes in all that another counter holds, as if this one had been given
    /// the other's records behind its own. So it does not matter how records
    /// were shared out, nor in which order the parts are merged, but for the
    /// spelling of providers, which is that of the first record.
    ///
    /// Costs less than adding the other's records did, and 4 bytes for each of
    /// its emails, logins or keys, and domains while it lasts.
    ///
    /// # Errors
    ///
    /// The other counter is of another key or another subscription, or what both
    /// hold is more than one counter can. Nothing changes then.
    pub fn merge(&mut self, other: &Counter) -> Result<(), MergeError> {
        if self.terms.key_check != other.terms.key_check {
            return Err(MergeError::Key);
        }
        if self.subscription() != other.subscription() {
            return Err(MergeError::Subscription);
        }
        let rejected = sum(self.rejected, other.rejected)?;
        for (ledger, theirs) in self.ledgers.iter().zip(&other.ledgers) {
            for (count, more) in ledger.excluded.iter().zip(theirs.excluded) {
                sum(*count, more)?;
            }
        }
        self.identities.check_pour(&other.identities)?;
        self.rejected = rejected;
        let ids = self.identities.pour(&other.identities);
        for (ledger, theirs) in self.ledgers.iter_mut().zip(&other.ledgers) {
            ledger.pour(theirs, &ids);
        }
        Ok(())
    }
}

/// The most records of a kind that a counter counts without keeping a fact of
/// each. No sum over all kinds and runtimes can overflow below it.
pub(crate) const MOST_RECORDS: u64 = 1 << 46;

fn sum(count: u64, more: u64) -> Result<u64, MergeError> {
    count.checked_add(more).filter(|sum| *sum <= MOST_RECORDS).ok_or(MergeError::Full)
}

/// What the ids of another counter are in this one.
struct Ids {
    emails: Translation,
    links: Translation,
    domains: Translation,
}

impl Identities {
    fn check_pour(&self, other: &Identities) -> Result<(), MergeError> {
        let has_room = self.emails.has_room_for(&other.emails)
            && self.links.has_room_for(&other.links)
            && self.domains.has_room_for(&other.domains);
        if has_room { Ok(()) } else { Err(MergeError::Full) }
    }

    fn pour(&mut self, other: &Identities) -> Ids {
        Ids {
            emails: self.emails.pour(&other.emails),
            links: self.links.pour(&other.links),
            domains: self.domains.pour(&other.domains),
        }
    }
}

impl Ledger {
    #[expect(clippy::arithmetic_side_effects, reason = "sums that were checked before anything changed")]
    fn pour(&mut self, other: &Ledger, ids: &Ids) {
        for (count, more) in self.excluded.iter_mut().zip(other.excluded) {
            *count += more;
        }
        for theirs in &other.providers {
            let place = self.open(&theirs.form, || Arc::clone(&theirs.spelling));
            let Some(provider) = self.provider(place) else { continue };
            provider.default_tenant.extend(theirs.default_tenant.pieces().flatten().map(|fact| Fact {
                email: ids.emails.of(fact.email),
                link: ids.links.of(fact.link),
                domain: ids.domains.of(fact.domain),
            }));
            provider
                .other_tenants
                .extend(theirs.other_tenants.pieces().flatten().map(|domain| ids.domains.of(*domain)));
        }
    }
}
