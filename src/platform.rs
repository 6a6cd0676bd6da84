//! Which platform, which version, and so which rules apply.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::VersionError;
use crate::text::quoted;

/// The platform that a subscription licenses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// OutSystems 11: user providers and tenants; what applies depends on the
    /// Platform Server version of each runtime.
    O11,
    /// OutSystems Developer Cloud: users have keys, and no version matters.
    Odc,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::O11 => "O11",
            Platform::Odc => "ODC",
        })
    }
}

/// A Platform Server version of O11: `MAJOR.MINOR.PATCH`, each a number below
/// 2^32. Further parts are allowed and ignored, as in `11.28.0.43210`.
///
/// ```
/// use headcount::Version;
///
/// let version: Version = "11.28.0.43210".parse()?;
/// assert_eq!(version, Version { major: 11, minor: 28, patch: 0 });
/// assert!("11.9.0".parse::<Version>()? < version);
/// assert!("11.28".parse::<Version>().is_err());
/// # Ok::<(), headcount::VersionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first part, 11 for O11.
    pub major: u32,
    /// The second part.
    pub minor: u32,
    /// The third part.
    pub patch: u32,
}

impl Version {
    /// C1: the first version that classifies end users [RN 11.7.0].
    pub const CLASSIFIES: Version = Version { major: 11, minor: 7, patch: 0 };
    /// D2: the first version that counts unique end users [RN 11.11.3].
    pub const MERGES: Version = Version { major: 11, minor: 11, patch: 3 };
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Version, VersionError> {
        let mut parts = text.trim().split('.').map(number);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch))) => Ok(Version { major, minor, patch }),
            _ => Err(VersionError { found: quoted(text) }),
        }
    }
}

/// Digits only: `u32::from_str` would take a leading `+`.
fn number(part: &str) -> Option<u32> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    if digits { part.parse().ok() } else { None }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Which records of one scope are one individual (D).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linking {
    /// D1, D4: every record is an individual.
    Nothing,
    /// D2, D3: records in default tenants by email address or login.
    EmailOrLogin,
    /// D5: records by key.
    Key,
}

impl Linking {
    /// The rule within one runtime: D2, D4, D5. An O11 runtime has a version;
    /// the subscription saw to that.
    pub(crate) fn within(platform: Platform, version: Option<Version>) -> Linking {
        match platform {
            Platform::Odc => Linking::Key,
            Platform::O11 if version >= Some(Version::MERGES) => Linking::EmailOrLogin,
            Platform::O11 => Linking::Nothing,
        }
    }

    /// The rule over all runtimes, whatever their versions: D6.
    pub(crate) fn across(platform: Platform) -> Linking {
        match platform {
            Platform::Odc => Linking::Key,
            Platform::O11 => Linking::EmailOrLogin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers() {
        for (text, version) in [
            ("11.28.0", Some((11, 28, 0))),
            (" 11.7.0 ", Some((11, 7, 0))),
            ("11.11.3.4242", Some((11, 11, 3))),
            ("11.11.3.beta", Some((11, 11, 3))),
            ("10.0.1234", Some((10, 0, 1234))),
            ("11.07.0", Some((11, 7, 0))),
            ("11.28", None),
            ("11", None),
            ("", None),
            ("11..0", None),
            ("11.+7.0", None),
            ("v11.7.0", None),
            ("11.7.0-beta", None),
            ("11.7.4294967296", None),
        ] {
            let found = text.parse::<Version>().ok();
            assert_eq!(found.map(|v| (v.major, v.minor, v.patch)), version, "{text}");
        }
    }

    #[test]
    fn d2_d4_d5_d6_linking_by_platform_and_version() {
        let version = |text: &str| text.parse().ok();
        for (origin, platform, version, within, across) in [
            ("D4", Platform::O11, version("11.11.2"), Linking::Nothing, Linking::EmailOrLogin),
            ("D2", Platform::O11, version("11.11.3"), Linking::EmailOrLogin, Linking::EmailOrLogin),
            ("D5", Platform::Odc, None, Linking::Key, Linking::Key),
        ] {
            assert_eq!(Linking::within(platform, version), within, "{origin}");
            assert_eq!(Linking::across(platform), across, "D6");
        }
    }
}
