//! The finished answer: the only type with totals (T, S).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::capacity::{Capacity, Usage};
use crate::eligibility::Exclusion;
use crate::platform::Platform;
use crate::tally::{ClassTally, People};

/// What a subscription's records amount to.
///
/// Serialises to the JSON of the `count` example. The same records, in any
/// order but for the spelling of providers, under any key, give an equal
/// report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The subscription's platform.
    pub platform: Platform,
    /// Records read, over all runtimes (T1). Rejected ones are not among them.
    pub records: u64,
    /// Rows that the reader refused and was told to skip (X2).
    pub rejected: u64,
    /// Each runtime, in the subscription's order.
    pub runtimes: Vec<RuntimeReport>,
    /// Unique individuals over all runtimes, which the contract speaks of
    /// (D6). Not the sum of the runtimes: who uses two appears in both (T6).
    pub global: People,
    /// Use of the capacities, if the subscription states any (S2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityUsage>,
}

impl Report {
    /// Whether more individuals use the subscription than any of its
    /// capacities allows: out of compliance, not a failure of the count (S3).
    #[must_use]
    pub fn is_over_capacity(&self) -> bool {
        self.capacity.iter().flat_map(CapacityUsage::rows).any(|(_, usage)| usage.overage() > 0)
    }
}

/// What one runtime's records amount to (T1 to T5): the vendor's estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeReport {
    /// The runtime's name.
    pub name: String,
    /// Records read for it (T1): `counted` and `excluded` together.
    pub records: u64,
    /// Records that do not count, by reason (T1, E).
    pub excluded: ExclusionTally,
    /// Records that count (T1).
    pub counted: u64,
    /// Unique individuals within the runtime (T2, T4, T5).
    #[serde(flatten)]
    pub people: People,
    /// Counted records by user provider, without deduplication; they sum to
    /// `counted` (T3). Sorted by matching form (N2); providers without a
    /// counted record are left out.
    pub providers: Vec<ProviderReport>,
}

/// The counted records of one user provider (T3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderReport {
    /// Its name, spelled as in the runtime's first counted record of it.
    pub name: String,
    /// Its counted records by class.
    #[serde(flatten)]
    pub records: ClassTally,
}

/// Excluded records by reason (T1). Serialises as one number a reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ExclusionTally(pub(crate) [u64; Exclusion::ALL.len()]);

impl ExclusionTally {
    /// Records excluded for this reason.
    #[must_use]
    pub fn of(&self, reason: Exclusion) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// Records excluded for any reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Serialize for ExclusionTally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Exclusion::ALL.len()))?;
        for reason in Exclusion::ALL {
            map.serialize_entry(reason.name(), &self.of(reason))?;
        }
        map.end()
    }
}

/// How much of the subscription's capacities the global tally uses (S2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CapacityUsage {
    /// Internal and external licences.
    InternalExternal {
        /// Used by internal and unclassified individuals.
        internal: Usage,
        /// Used by external individuals.
        external: Usage,
    },
    /// The older model.
    Named {
        /// Used by every individual.
        named: Usage,
    },
}

impl CapacityUsage {
    /// S2. An unclassified individual uses an internal licence: by default all
    /// end users are internal.
    #[expect(clippy::arithmetic_side_effects, reason = "individuals, fewer than 2^64")]
    pub(crate) fn new(capacity: &Capacity, global: &ClassTally) -> CapacityUsage {
        match *capacity {
            Capacity::InternalExternal { internal, external } => CapacityUsage::InternalExternal {
                internal: Usage { used: global.internal + global.unclassified, licences: internal },
                external: Usage { used: global.external, licences: external },
            },
            Capacity::Named(named) => CapacityUsage::Named { named: Usage { used: global.total(), licences: named } },
        }
    }

    /// Each capacity with its name, `internal`, `external` or `named`.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, Usage)> + use<> {
        let rows = match *self {
            CapacityUsage::InternalExternal { internal, external } => {
                [Some(("internal", internal)), Some(("external", external))]
            }
            CapacityUsage::Named { named } => [Some(("named", named)), None],
        };
        rows.into_iter().flatten()
    }
}
