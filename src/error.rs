//! How construction, capacity and reading can fail.
//!
//! Every message is a place and a fact, in lower case and without a full stop.
//! The text a caller configured is quoted in backticks; the text of a user
//! record never is.

use thiserror::Error;

/// Why a text is not a domain that an email address can have (N3, V3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum DomainError {
    /// UTS #46 `ToASCII` refuses it: a character that no domain has, an empty or
    /// overlong label, a misplaced hyphen, or broken Punycode (N3).
    #[error("not a valid domain name")]
    Malformed,
    /// A single label, such as `localhost` (V3, P3).
    #[error("a domain needs at least two labels, as in `example.com`")]
    SingleLabel,
    /// The last label is all digits, as in an IPv4 address (V3, P3).
    #[error("an IP address or a number is not a domain")]
    Numeric,
}

/// Why an entry of the internal user domains is refused (P3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// An email address, `ana@corp.com`.
    #[error("this is an email address, not a domain")]
    EmailAddress,
    /// A leading `@`, `@corp.com`.
    #[error("a domain is written without the `@`")]
    LeadingAt,
    /// A wildcard, `*.corp.com`.
    #[error("wildcards are not supported: a subdomain counts only where it is listed itself")]
    Wildcard,
    /// A URL, `https://corp.com/`.
    #[error("this is a URL, not a domain")]
    Url,
    /// White space inside the entry: most often a missing comma.
    #[error("white space inside a domain: separate domains by commas")]
    WhiteSpace,
    /// A public suffix, `co.uk`: nobody owns it, and it would make everyone
    /// under it internal.
    #[error("this is a public suffix, which nobody owns: everyone under it would be internal")]
    PublicSuffix,
    /// An IPv4 or IPv6 address.
    #[error("an IP address is not a domain")]
    IpAddress,
    /// Not a domain by N3 and V3.
    #[error("{0}")]
    NotADomain(DomainError),
}

/// An entry of the internal user domains that cannot be used (P3).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("internal domain {place}, `{entry}`: {refusal}{}", Instead(.instead.as_deref()))]
pub struct PolicyError {
    /// Which entry, counted from 1; empty entries are counted too.
    pub place: usize,
    /// The entry as written, trimmed, control characters escaped, at most 80
    /// characters of it.
    pub entry: String,
    /// Why it is refused.
    pub refusal: Refusal,
    /// What to write instead, where there is such a thing.
    pub instead: Option<String>,
}

/// The owner's address of a contract does not give a policy (P5).
///
/// The address is personal data and therefore not part of the error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// Not an email address by V.
    #[error("the contract owner's address is not a valid email address")]
    NotAnAddress,
    /// Its domain may not be an internal user domain.
    #[error("the domain of the contract owner's address, `{domain}`: {refusal}")]
    Domain {
        /// The domain in normal form (N3).
        domain: String,
        /// Why it is refused.
        refusal: Refusal,
    },
}

/// A Public Suffix List that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the public suffix list cannot be read: {0}")]
pub struct SuffixListError(pub(crate) String);

/// A platform version that is not `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("version `{found}` is not MAJOR.MINOR.PATCH, as in `11.28.0`")]
pub struct VersionError {
    /// The text as written, at most 80 characters of it.
    pub found: String,
}

/// Capacities that contradict each other (S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum CapacityError {
    /// Neither `internal` and `external` nor `named`.
    #[error("[capacity] needs `internal` and `external`, or `named` alone")]
    Incomplete,
    /// `named` beside `internal` or `external`.
    #[error("[capacity] has `named` beside `internal` or `external`: write one model or the other")]
    TwoModels,
    /// `external_pack` under `named`, where nothing is sold by it.
    #[error("[capacity] has `external_pack` beside `named`, which is sold in internal packs")]
    MisplacedPack,
    /// A pack of no licences.
    #[error("[capacity] `{key}` is 0: a pack holds at least one licence")]
    EmptyPack {
        /// The key of the pack size.
        key: &'static str,
    },
}

/// A subscription that cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// A subscription file that does not say which platform.
    #[error("`platform` is missing: expected \"o11\" or \"odc\"")]
    NoPlatform,
    /// No runtime at all.
    #[error("the subscription has no runtime: expected at least one [[runtime]]")]
    NoRuntime,
    /// A runtime without a name, or with control characters in it.
    #[error("runtime {place}: `name` is missing, empty, or holds control characters")]
    RuntimeName {
        /// Which runtime, counted from 1.
        place: usize,
    },
    /// Two runtimes of one name.
    #[error("runtime `{runtime}` is listed twice: names are unique")]
    DuplicateRuntime {
        /// The name.
        runtime: String,
    },
    /// An O11 runtime without a version.
    #[error("runtime `{runtime}`: `version` is missing: O11 needs MAJOR.MINOR.PATCH")]
    MissingVersion {
        /// The runtime's name.
        runtime: String,
    },
    /// A version that cannot be read.
    #[error("runtime `{runtime}`: {source}")]
    Version {
        /// The runtime's name.
        runtime: String,
        /// What is wrong with it.
        source: VersionError,
    },
    /// A key that only O11 has, in an ODC subscription.
    #[error("runtime `{runtime}`: `{key}` is for O11 only, this subscription is of ODC")]
    MisplacedKey {
        /// The runtime's name.
        runtime: String,
        /// The key.
        key: &'static str,
    },
    /// Internal user domains that cannot be read.
    #[error("runtime `{runtime}`: {source}")]
    Policy {
        /// The runtime's name.
        runtime: String,
        /// Which entry, and why.
        source: PolicyError,
    },
    /// A disabled user provider without a name.
    #[error("runtime `{runtime}`: `disabled_providers` has an empty name")]
    EmptyProvider {
        /// The runtime's name.
        runtime: String,
    },
    /// Capacities that contradict each other.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
}

/// Why a record was not taken. The counter is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum AddError {
    /// The record names a runtime that the subscription does not list (R1).
    #[error("the record's runtime is not one of the subscription's")]
    UnknownRuntime,
    /// The counter holds as many distinct emails, logins, keys or domains as it
    /// can tell apart: about 2^30 of each.
    #[error("the counter holds as many distinct values as it can tell apart")]
    Full,
    /// The batch was made by another counter.
    #[error("the batch is of another counter")]
    OtherCounter,
}

/// Why [`add_all`](crate::Counter::add_all) stopped. The records before
/// `place` are counted, it and those behind it are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("record {place}: {source}")]
pub struct StoppedAt {
    /// Which record of the iterator, counted from 1.
    pub place: u64,
    /// Why it was not taken.
    pub source: AddError,
}

/// A subscription under which the facts of a counter cannot be read again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MismatchError {
    /// The other platform: its records are linked by other facts.
    #[error("the records were read for the other platform")]
    Platform,
    /// Not the same runtimes in the same order.
    #[error("the runtimes are not those the records were read for, in their order")]
    Runtimes,
    /// Other disabled user providers: which records count was decided as they
    /// were read (E1).
    #[error("runtime `{runtime}`: `disabled_providers` are not those the records were read under")]
    DisabledProviders {
        /// The runtime's name.
        runtime: String,
    },
}

/// Why two counters cannot be merged. Neither has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// They have different fingerprint keys: nothing in them can be compared.
    #[error("the counters have different fingerprint keys")]
    Key,
    /// They count for different subscriptions.
    #[error("the counters are for different subscriptions")]
    Subscription,
    /// Together they hold more than one counter can.
    #[error("together the counters hold more than one can")]
    Full,
}

/// Why bytes are not a snapshot of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// They do not begin as one does.
    #[error("not a snapshot of a counter")]
    NotASnapshot,
    /// Of another version of the format.
    #[error("the snapshot is of version {found}, this build reads version {expected}")]
    Version {
        /// Its version.
        found: u32,
        /// The one that can be read.
        expected: u32,
    },
    /// Taken under another fingerprint key.
    #[error("the snapshot was taken under another fingerprint key")]
    Key,
    /// The seal does not fit: cut off, extended, or changed.
    #[error("the snapshot is damaged: its seal does not fit its content")]
    Damaged,
    /// Taken for another subscription.
    #[error("the snapshot was taken for another subscription")]
    Subscription,
    /// Taken by a build that normalises names in another way, or makes other
    /// fingerprints of them, so that its fingerprints stand for other names. It
    /// is of another version of this crate or of Unicode, or has another back
    /// end of `idna`.
    #[error("the snapshot was taken by a build that makes other fingerprints of the same names")]
    Normalisation,
    /// Its seal fits, but no counter can have this content.
    #[error("the snapshot has impossible content at byte {at}")]
    Invalid {
        /// Where, counted from 0.
        at: usize,
    },
}

/// A secret that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("the fingerprint key is all zeros: expected 16 random bytes")]
pub struct KeyError;

/// The tail of a message that says what to write instead.
struct Instead<'a>(Option<&'a str>);

impl std::fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(text) => write!(f, "; write `{text}`"),
            None => Ok(()),
        }
    }
}
