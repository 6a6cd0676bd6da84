//! Internal, external or unclassified, with the rule that said so (C).

use std::fmt;

use serde::Serialize;

use crate::platform::{Platform, Version};
use crate::subscription::Runtime;

/// The classes that a subscription licenses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Of the organisation, as far as the internal user domains tell.
    Internal,
    /// Everyone else.
    External,
    /// Counted on a version that does not classify (C1).
    Unclassified,
}

impl Class {
    /// The class as reports write it, `internal`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Internal => "internal",
            Class::External => "external",
            Class::Unclassified => "unclassified",
        }
    }
}

/// The rule that gave a record its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum ClassRule {
    /// O11 before 11.7.0 does not classify.
    C1,
    /// No internal user domains configured: everyone is internal.
    C2,
    /// No valid email address: internal.
    C4,
    /// The address's domain is, or is not, an internal user domain.
    C5,
}

impl fmt::Display for ClassRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClassRule::C1 => "C1",
            ClassRule::C2 => "C2",
            ClassRule::C4 => "C4",
            ClassRule::C5 => "C5",
        })
    }
}

/// A class and the rule that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Classification {
    /// The class.
    pub class: Class,
    /// The first rule of C that applied.
    pub rule: ClassRule,
}

/// How one runtime classifies: C1 to C5, decided once as far as they depend on
/// the runtime alone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Classifier {
    /// C1 or C2: the same for everyone.
    Everyone(Classification),
    /// C4 and C5: by the domain of the record's address.
    ByDomain,
}

impl Classifier {
    pub(crate) fn new(platform: Platform, runtime: &Runtime) -> Classifier {
        // An O11 runtime has a version; the subscription saw to that.
        if platform == Platform::O11 && runtime.version < Some(Version::CLASSIFIES) {
            Classifier::Everyone(Classification { class: Class::Unclassified, rule: ClassRule::C1 })
        } else if runtime.internal_domains.is_empty() {
            Classifier::Everyone(Classification { class: Class::Internal, rule: ClassRule::C2 })
        } else {
            Classifier::ByDomain
        }
    }

    /// The class of a record whose address has a domain that the runtime's
    /// policy lists, or does not, or that has no address.
    pub(crate) fn of(self, listed: Option<bool>) -> Classification {
        match (self, listed) {
            (Classifier::Everyone(same), _) => same,
            (Classifier::ByDomain, None) => Classification { class: Class::Internal, rule: ClassRule::C4 },
            (Classifier::ByDomain, Some(true)) => Classification { class: Class::Internal, rule: ClassRule::C5 },
            (Classifier::ByDomain, Some(false)) => Classification { class: Class::External, rule: ClassRule::C5 },
        }
    }
}
