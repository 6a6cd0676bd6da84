//! What a subscription licenses, and how much of it is used (S).

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::CapacityError;

/// S4: internal licences are sold by 100 [FQ].
const INTERNAL_PACK: NonZeroU64 = NonZeroU64::new(100).unwrap();
/// S4: external licences are sold by 10,000 [FQ].
const EXTERNAL_PACK: NonZeroU64 = NonZeroU64::new(10_000).unwrap();

/// The capacities of a subscription (S1), in individuals.
///
/// With serde this is the `[capacity]` table of a subscription file:
/// `internal` and `external`, or `named` alone, and optionally the pack sizes
/// `internal_pack` and `external_pack` (S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CapacityTable", into = "CapacityTable")]
pub enum Capacity {
    /// Internal and external individuals are licensed apart. An unclassified
    /// individual uses an internal licence (S2).
    InternalExternal {
        /// For internal individuals.
        internal: Licences,
        /// For external individuals.
        external: Licences,
    },
    /// The older model: every individual uses a named licence (S2). Named
    /// licences are sold in internal packs (ours: the price list of S4 has
    /// no other pack that a named user could be bought in).
    Named(Licences),
}

impl Capacity {
    /// Internal and external capacities with the pack sizes of S4.
    #[must_use]
    pub fn internal_external(internal: u64, external: u64) -> Capacity {
        Capacity::InternalExternal {
            internal: Licences { capacity: internal, pack: INTERNAL_PACK },
            external: Licences { capacity: external, pack: EXTERNAL_PACK },
        }
    }

    /// A named capacity with the internal pack size of S4.
    #[must_use]
    pub fn named(named: u64) -> Capacity {
        Capacity::Named(Licences { capacity: named, pack: INTERNAL_PACK })
    }
}

/// One capacity and the pack its licences are sold in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Licences {
    /// How many individuals are licensed.
    pub capacity: u64,
    /// How many licences one pack holds (S4).
    pub pack: NonZeroU64,
}

/// The `[capacity]` table as written.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CapacityTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    internal: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_pack: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_pack: Option<Number>,
}

/// A whole number, whose errors say so in the reader's words.
#[derive(Clone, Copy, Serialize)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, 0 or more")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Number, E> {
                let negative = || E::invalid_value(serde::de::Unexpected::Signed(number), &self);
                u64::try_from(number).map(Number).map_err(|_| negative())
            }
        }

        deserializer.deserialize_u64(Visitor)
    }
}

impl TryFrom<CapacityTable> for Capacity {
    type Error = CapacityError;

    fn try_from(table: CapacityTable) -> Result<Capacity, CapacityError> {
        let pack = |size: Option<Number>, key, default| match size {
            None => Ok(default),
            Some(Number(size)) => NonZeroU64::new(size).ok_or(CapacityError::EmptyPack { key }),
        };
        let internal_pack = pack(table.internal_pack, "internal_pack", INTERNAL_PACK)?;
        let external_pack = pack(table.external_pack, "external_pack", EXTERNAL_PACK)?;
        match (table.internal, table.external, table.named) {
            (Some(Number(internal)), Some(Number(external)), None) => Ok(Capacity::InternalExternal {
                internal: Licences { capacity: internal, pack: internal_pack },
                external: Licences { capacity: external, pack: external_pack },
            }),
            (None, None, Some(_)) if table.external_pack.is_some() => Err(CapacityError::MisplacedPack),
            (None, None, Some(Number(named))) => Ok(Capacity::Named(Licences { capacity: named, pack: internal_pack })),
            (_, _, Some(_)) => Err(CapacityError::TwoModels),
            (_, _, None) => Err(CapacityError::Incomplete),
        }
    }
}

impl From<Capacity> for CapacityTable {
    fn from(capacity: Capacity) -> CapacityTable {
        match capacity {
            Capacity::InternalExternal { internal, external } => CapacityTable {
                internal: Some(Number(internal.capacity)),
                external: Some(Number(external.capacity)),
                internal_pack: Some(Number(internal.pack.get())),
                external_pack: Some(Number(external.pack.get())),
                ..CapacityTable::default()
            },
            Capacity::Named(named) => CapacityTable {
                named: Some(Number(named.capacity)),
                internal_pack: Some(Number(named.pack.get())),
                ..CapacityTable::default()
            },
        }
    }
}

/// How much of one capacity is used (S3, S4).
///
/// Serialises with everything derived from it: `used`, `capacity`,
/// `remaining`, `overage`, `utilisation` and `packs_to_buy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "UsageRow")]
pub struct Usage {
    /// Individuals that use a licence of this capacity (S2).
    pub used: u64,
    /// What is licensed.
    pub licences: Licences,
}

impl Usage {
    /// Licences left, not below 0 (S3).
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.licences.capacity.saturating_sub(self.used)
    }

    /// Individuals beyond the capacity, not below 0 (S3). Above 0 the
    /// subscription is out of compliance.
    #[must_use]
    pub fn overage(&self) -> u64 {
        self.used.saturating_sub(self.licences.capacity)
    }

    /// Used by capacity, 1.0 at the limit; `None` for a capacity of 0 (S3).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people; exact below 2^53 individuals")]
    pub fn utilisation(&self) -> Option<f64> {
        match self.licences.capacity {
            0 => None,
            capacity => Some(self.used as f64 / capacity as f64),
        }
    }

    /// How many packs cover the overage (S4).
    #[must_use]
    pub fn packs_to_buy(&self) -> u64 {
        self.overage().div_ceil(self.licences.pack.get())
    }
}

#[derive(Serialize)]
struct UsageRow {
    used: u64,
    capacity: u64,
    remaining: u64,
    overage: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    utilisation: Option<f64>,
    packs_to_buy: u64,
}

impl From<Usage> for UsageRow {
    fn from(usage: Usage) -> UsageRow {
        UsageRow {
            used: usage.used,
            capacity: usage.licences.capacity,
            remaining: usage.remaining(),
            overage: usage.overage(),
            utilisation: usage.utilisation(),
            packs_to_buy: usage.packs_to_buy(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_one_model_or_the_other() {
        let read = |json: &str| serde_json::from_str::<Capacity>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"internal":500,"external":20000}"#), Ok(Capacity::internal_external(500, 20_000)));
        assert_eq!(read(r#"{"named":500}"#), Ok(Capacity::named(500)));
        let pack = NonZeroU64::new(50).unwrap();
        let named = Capacity::Named(Licences { capacity: 5, pack });
        assert_eq!(read(r#"{"named":5,"internal_pack":50}"#), Ok(named));
        let [internal, external] =
            [(10, 7), (20, 9)].map(|(capacity, pack)| Licences { capacity, pack: NonZeroU64::new(pack).unwrap() });
        for capacity in [named, Capacity::InternalExternal { internal, external }] {
            let written = serde_json::to_string(&capacity).unwrap();
            assert_eq!(serde_json::from_str::<Capacity>(&written).unwrap(), capacity, "{written}");
        }
        for (json, error) in [
            ("{}", CapacityError::Incomplete),
            (r#"{"internal":1}"#, CapacityError::Incomplete),
            (r#"{"external":1}"#, CapacityError::Incomplete),
            (r#"{"named":1,"internal":1}"#, CapacityError::TwoModels),
            (r#"{"named":1,"internal":1,"external":1}"#, CapacityError::TwoModels),
            (r#"{"named":1,"external_pack":1}"#, CapacityError::MisplacedPack),
            (r#"{"internal":1,"external":1,"external_pack":0}"#, CapacityError::EmptyPack { key: "external_pack" }),
        ] {
            assert_eq!(read(json), Err(error.to_string()), "S1 {json}");
        }
        assert!(read(r#"{"named":-1}"#).unwrap_err().contains("integer `-1`, expected a whole number, 0 or more"));
        assert!(read(r#"{"named":1,"internals":1}"#).unwrap_err().contains("unknown field `internals`"));
        for capacity in [Capacity::named(1), Capacity::internal_external(1, 2)] {
            let json = serde_json::to_string(&capacity).unwrap();
            assert_eq!(read(&json), Ok(capacity));
        }
    }

    #[test]
    fn s3_s4_usage() {
        let usage = |used, capacity, pack| Usage {
            used,
            licences: Licences { capacity, pack: NonZeroU64::new(pack).unwrap() },
        };
        // used, capacity, pack: remaining, overage, utilisation, packs
        for (given, remaining, overage, utilisation, packs) in [
            ((4, 500, 100), 496, 0, Some(0.008), 0),
            ((500, 500, 100), 0, 0, Some(1.0), 0),
            ((501, 500, 100), 0, 1, Some(1.002), 1),
            ((600, 500, 100), 0, 100, Some(1.2), 1),
            ((601, 500, 100), 0, 101, Some(1.202), 2),
            ((1, 0, 10_000), 0, 1, None, 1),
            ((0, 0, 100), 0, 0, None, 0),
            ((u64::MAX, 0, 1), 0, u64::MAX, None, u64::MAX),
        ] {
            let usage = usage(given.0, given.1, given.2);
            let found = (usage.remaining(), usage.overage(), usage.utilisation(), usage.packs_to_buy());
            assert_eq!(found, (remaining, overage, utilisation, packs), "S3 {given:?}");
        }
        assert!(!serde_json::to_string(&usage(1, 0, 1)).unwrap().contains("utilisation"));
    }
}
