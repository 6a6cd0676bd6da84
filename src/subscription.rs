//! The subscription: its platform, its runtimes, its capacities (R1, S1).

use serde::Serialize;

use crate::capacity::Capacity;
use crate::error::SubscriptionError;
use crate::platform::{Platform, Version};
use crate::policy::DomainPolicy;

/// One runtime of a subscription, as plain data; [`Subscription::new`] checks
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The name that records use (R1). Trimmed, not empty, unique.
    pub name: String,
    /// The Platform Server version; O11 only, and required there.
    pub version: Option<Version>,
    /// The internal user domains (P). Without any, everyone is internal (C2).
    pub internal_domains: DomainPolicy,
    /// User providers whose users do not count (E1); O11 only. Compared in
    /// matching form (N2).
    pub disabled_providers: Vec<String>,
}

/// One contract: a platform, one or more runtimes, and perhaps capacities.
///
/// With serde this is the subscription file of the `count` example. Reading
/// one needs the feature `public-suffix-list`, because the internal user
/// domains are checked against that list (P3); every constraint of
/// [`new`](Subscription::new) holds there too, and an unknown key is an error.
///
#[cfg_attr(feature = "public-suffix-list", doc = "```")]
#[cfg_attr(not(feature = "public-suffix-list"), doc = "```ignore")]
/// use headcount::Subscription;
///
/// let file = r#"
///     platform = "o11"
///     capacity = { internal = 500, external = 20000 }
///     [[runtime]]
///     name = "prod"
///     version = "11.28.0"
///     internal_domains = "mycompany.com, sales.mycompany.com"
/// "#;
/// let subscription: Subscription = toml::from_str(file)?;
/// assert_eq!(subscription.runtimes()[0].internal_domains.len(), 2);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    platform: Platform,
    runtimes: Vec<Runtime>,
    capacity: Option<Capacity>,
    /// Places in `runtimes`, in the order of the names.
    by_name: Vec<usize>,
}

impl Subscription {
    /// Puts a subscription together.
    ///
    /// # Errors
    ///
    /// No runtime; a name that is empty, holds control characters or occurs
    /// twice; an O11 runtime without version; a version or disabled user
    /// providers in ODC; a disabled user provider without a name.
    pub fn new(
        platform: Platform,
        mut runtimes: Vec<Runtime>,
        capacity: Option<Capacity>,
    ) -> Result<Subscription, SubscriptionError> {
        if runtimes.is_empty() {
            return Err(SubscriptionError::NoRuntime);
        }
        for (place, runtime) in (1..).zip(&mut runtimes) {
            check(platform, place, runtime)?;
        }
        let mut by_name: Vec<usize> = (0..runtimes.len()).collect();
        let name_of = |place: &usize| runtimes.get(*place).map(|runtime| runtime.name.as_str());
        by_name.sort_unstable_by_key(name_of);
        for pair in by_name.windows(2) {
            let mut names = pair.iter().filter_map(name_of);
            if let (Some(name), Some(next)) = (names.next(), names.next()) {
                if name == next {
                    return Err(SubscriptionError::DuplicateRuntime { runtime: name.to_owned() });
                }
            }
        }
        Ok(Subscription { platform, runtimes, capacity, by_name })
    }

    /// The platform it licenses.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Its runtimes, in the order given.
    #[must_use]
    pub fn runtimes(&self) -> &[Runtime] {
        &self.runtimes
    }

    /// Its capacities, if it states any.
    #[must_use]
    pub fn capacity(&self) -> Option<&Capacity> {
        self.capacity.as_ref()
    }

    /// The place among [`runtimes`](Subscription::runtimes) of the one that
    /// bears exactly this name (R1). A binary search.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<usize> {
        let found = self.by_name.binary_search_by(|&place| {
            let candidate = self.runtimes.get(place).map(|runtime| runtime.name.as_str());
            candidate.cmp(&Some(name))
        });
        found.ok().and_then(|at| self.by_name.get(at).copied())
    }
}

/// Checks one runtime and trims its name.
fn check(platform: Platform, place: usize, runtime: &mut Runtime) -> Result<(), SubscriptionError> {
    let name = runtime.name.trim();
    if name.is_empty() || name.contains(char::is_control) {
        return Err(SubscriptionError::RuntimeName { place });
    }
    runtime.name = name.to_owned();
    let name = || runtime.name.clone();
    match platform {
        Platform::O11 if runtime.version.is_none() => {
            return Err(SubscriptionError::MissingVersion { runtime: name() });
        }
        Platform::Odc if runtime.version.is_some() => {
            return Err(SubscriptionError::MisplacedKey { runtime: name(), key: "version" });
        }
        Platform::Odc if !runtime.disabled_providers.is_empty() => {
            return Err(SubscriptionError::MisplacedKey { runtime: name(), key: "disabled_providers" });
        }
        Platform::O11 | Platform::Odc => {}
    }
    if runtime.disabled_providers.iter().any(|provider| provider.trim().is_empty()) {
        return Err(SubscriptionError::EmptyProvider { runtime: name() });
    }
    Ok(())
}

/// The subscription file as written.
#[derive(Serialize)]
#[cfg_attr(feature = "public-suffix-list", derive(serde::Deserialize))]
#[serde(deny_unknown_fields)]
struct SubscriptionFile {
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capacity: Option<Capacity>,
    #[serde(default, rename = "runtime")]
    runtimes: Vec<RuntimeTable>,
}

/// A `[[runtime]]` table as written.
#[derive(Serialize)]
#[cfg_attr(feature = "public-suffix-list", derive(serde::Deserialize))]
#[serde(deny_unknown_fields)]
struct RuntimeTable {
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    internal_domains: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_providers: Option<Vec<String>>,
}

impl Serialize for Subscription {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = |runtime: &Runtime| RuntimeTable {
            name: runtime.name.clone(),
            version: runtime.version.as_ref().map(ToString::to_string),
            internal_domains: runtime.internal_domains.to_string(),
            disabled_providers: match runtime.disabled_providers.as_slice() {
                [] => None,
                names => Some(names.to_vec()),
            },
        };
        let file = SubscriptionFile {
            platform: Some(self.platform),
            capacity: self.capacity,
            runtimes: self.runtimes.iter().map(table).collect(),
        };
        file.serialize(serializer)
    }
}

#[cfg(feature = "public-suffix-list")]
impl<'de> serde::Deserialize<'de> for Subscription {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Subscription, D::Error> {
        SubscriptionFile::deserialize(deserializer)?.read().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "public-suffix-list")]
impl SubscriptionFile {
    fn read(self) -> Result<Subscription, SubscriptionError> {
        let platform = self.platform.ok_or(SubscriptionError::NoPlatform)?;
        let runtimes: Result<Vec<Runtime>, SubscriptionError> =
            (1..).zip(self.runtimes).map(|(place, table)| table.read(platform, place)).collect();
        Subscription::new(platform, runtimes?, self.capacity)
    }
}

#[cfg(feature = "public-suffix-list")]
impl RuntimeTable {
    fn read(self, platform: Platform, place: usize) -> Result<Runtime, SubscriptionError> {
        let name = match self.name.trim() {
            "" => return Err(SubscriptionError::RuntimeName { place }),
            name => name.to_owned(),
        };
        let version = match self.version.as_deref().map(str::parse) {
            None => None,
            Some(Ok(version)) => Some(version),
            Some(Err(source)) => return Err(SubscriptionError::Version { runtime: name, source }),
        };
        let internal_domains = match DomainPolicy::parse(&self.internal_domains) {
            Ok(policy) => policy,
            Err(source) => return Err(SubscriptionError::Policy { runtime: name, source }),
        };
        // An empty list is misplaced in ODC as well; `Runtime` could not tell.
        if platform == Platform::Odc && self.disabled_providers.is_some() {
            return Err(SubscriptionError::MisplacedKey { runtime: name, key: "disabled_providers" });
        }
        let disabled_providers = self.disabled_providers.unwrap_or_default();
        Ok(Runtime { name, version, internal_domains, disabled_providers })
    }
}

#[cfg(all(test, feature = "public-suffix-list"))]
mod tests {
    use super::*;

    fn error(file: &str) -> String {
        match toml::from_str::<Subscription>(file) {
            Ok(_) => panic!("accepted: {file}"),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn every_constraint_holds_through_serde() {
        let o11 = |runtime: &str| format!("platform = 'o11'\n[[runtime]]\n{runtime}");
        let odc = |runtime: &str| format!("platform = 'odc'\n[[runtime]]\n{runtime}");
        for (file, message) in [
            ("platform = 'o11'".to_owned(), "the subscription has no runtime: expected at least one [[runtime]]"),
            (o11("version = '11.28.0'"), "runtime 1: `name` is missing, empty, or holds control characters"),
            (
                o11("name = ' '\nversion = '11.28.0'"),
                "runtime 1: `name` is missing, empty, or holds control characters",
            ),
            (
                o11("name = \"a\\u0007\"\nversion = '11.28.0'"),
                "runtime 1: `name` is missing, empty, or holds control characters",
            ),
            (
                o11("name = 'p'\nversion = '11.28.0'\n[[runtime]]\nname = ' p '\nversion = '11.28.0'"),
                "runtime `p` is listed twice: names are unique",
            ),
            (o11("name = 'p'"), "runtime `p`: `version` is missing: O11 needs MAJOR.MINOR.PATCH"),
            (
                o11("name = 'p'\nversion = '11.28'"),
                "runtime `p`: version `11.28` is not MAJOR.MINOR.PATCH, as in `11.28.0`",
            ),
            (
                o11("name = 'p'\nversion = '11.28.0'\ninternal_domains = '@corp.com'"),
                "runtime `p`: internal domain 1, `@corp.com`: a domain is written without the `@`; write `corp.com`",
            ),
            (
                o11("name = 'p'\nversion = '11.28.0'\ndisabled_providers = ['']"),
                "runtime `p`: `disabled_providers` has an empty name",
            ),
            (
                odc("name = 'p'\nversion = '11.28.0'"),
                "runtime `p`: `version` is for O11 only, this subscription is of ODC",
            ),
            (
                odc("name = 'p'\ndisabled_providers = []"),
                "runtime `p`: `disabled_providers` is for O11 only, this subscription is of ODC",
            ),
            (
                format!("capacity = {{ named = 1, external = 2 }}\n{}", odc("name = 'p'")),
                "[capacity] has `named` beside `internal` or `external`: write one model or the other",
            ),
        ] {
            assert_eq!(error(&file), message, "{file}");
        }
        for (file, part) in [
            (odc("name = 'p'\ninternal_domain = ''"), "unknown field `internal_domain`, expected one of `name`"),
            (
                format!("capacities = 1\n{}", odc("name = 'p'")),
                "unknown field `capacities`, expected one of `platform`",
            ),
            (odc("name = 'p'\nname = 'q'"), "duplicate key"),
            ("platform = 'O12'\n".to_owned(), "unknown variant `O12`, expected `o11` or `odc`"),
            ("[[runtime]]\nname = 'p'".to_owned(), "`platform` is missing: expected \"o11\" or \"odc\""),
            (o11("name = 'p'\nversion = 11"), "invalid type: integer `11`, expected a string"),
        ] {
            assert!(error(&file).contains(part), "{file}: {}", error(&file));
        }
    }

    #[test]
    fn what_is_for_o11_only_is_refused_without_serde_too() {
        let odc = |runtime| Subscription::new(Platform::Odc, vec![runtime], None).unwrap_err();
        let runtime = Runtime { name: "p".to_owned(), ..Runtime::default() };
        let misplaced = |key| SubscriptionError::MisplacedKey { runtime: "p".to_owned(), key };
        let version = "11.28.0".parse().ok();
        assert_eq!(odc(Runtime { version, ..runtime.clone() }), misplaced("version"));
        let disabled_providers = vec!["Old".to_owned()];
        assert_eq!(odc(Runtime { disabled_providers, ..runtime }), misplaced("disabled_providers"));
    }

    #[test]
    fn r1_runtimes_are_found_by_their_exact_name() {
        let runtimes =
            ["prod-us", "prod-eu", "Prod-eu"].map(|name| Runtime { name: format!(" {name} "), ..Runtime::default() });
        let subscription = Subscription::new(Platform::Odc, runtimes.to_vec(), None).unwrap();
        let places = ["prod-us", "prod-eu", "Prod-eu", "PROD-EU", "prod", ""].map(|name| subscription.place_of(name));
        assert_eq!(places, [Some(0), Some(1), Some(2), None, None, None]);
    }

    #[test]
    fn a_subscription_survives_serde() {
        let file = "platform = 'o11'\ncapacity = { named = 5 }\n[[runtime]]\nname = 'p'\nversion = '11.28.0.1'\n\
                    internal_domains = 'b.example, a.example'\ndisabled_providers = ['Old']";
        let subscription: Subscription = toml::from_str(file).unwrap();
        let json = serde_json::to_string(&subscription).unwrap();
        assert_eq!(serde_json::from_str::<Subscription>(&json).unwrap(), subscription);
    }
}
