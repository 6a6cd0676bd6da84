#![cfg_attr(feature = "public-suffix-list", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "public-suffix-list"),
    doc = "Counts the licensed end users of an OutSystems subscription; see the README."
)]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod batch;
mod capacity;
mod classification;
mod counter;
mod disjoint_set;
mod domain;
mod eligibility;
mod email;
mod error;
mod fingerprint;
mod identities;
mod interner;
mod known_domains;
mod ledger;
mod merge;
mod parallel;
mod platform;
mod policy;
mod prepare;
mod record;
mod report;
mod snapshot;
mod subscription;
mod suffix;
mod tally;
mod text;

pub use batch::Batch;
pub use capacity::{Capacity, Licences, Usage};
pub use classification::{Class, ClassRule, Classification};
pub use counter::{Counter, Individuals, Outcome, Standing};
pub use domain::Domain;
pub use eligibility::Exclusion;
pub use email::EmailAddress;
pub use error::{
    AddError, CapacityError, DomainError, KeyError, MergeError, MismatchError, OwnerError, PolicyError, Refusal,
    SnapshotError, StoppedAt, SubscriptionError, SuffixListError, VersionError,
};
pub use fingerprint::FingerprintKey;
pub use platform::{Platform, Version};
pub use policy::DomainPolicy;
pub use record::{Field, Status, StatusError, UnixSeconds, UserRecord};
pub use report::{CapacityUsage, ExclusionTally, ProviderReport, Report, RuntimeReport};
pub use subscription::{Runtime, Subscription};
pub use suffix::PublicSuffixes;
pub use tally::{ClassTally, People};
