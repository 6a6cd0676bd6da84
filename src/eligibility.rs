//! Does a record count at all, or why not (E).

use serde::Serialize;
use smallvec::SmallVec;

use crate::platform::Platform;
use crate::record::{Status, UserRecord};
use crate::text::{matching_form, present};

/// Why a record does not count (E1 to E5).
///
/// The first rule that holds gives the reason, in the order below. An excluded
/// record has no class, merges nothing and bridges nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// E1: its provider is one of the runtime's disabled user providers (O11).
    DisabledProvider,
    /// E2: someone who only builds or administers; in O11 everyone of the
    /// provider `ServiceCenter`.
    ItUser,
    /// E3: deactivated, by `is_active` or by `status`.
    Inactive,
    /// E4: never logged in, and no login, email, name or mobile phone.
    Anonymous,
    /// E5: ODC only: never logged in.
    NeverLoggedIn,
}

impl Exclusion {
    /// All reasons, in the order of the rules.
    pub const ALL: [Exclusion; 5] = [
        Exclusion::DisabledProvider,
        Exclusion::ItUser,
        Exclusion::Inactive,
        Exclusion::Anonymous,
        Exclusion::NeverLoggedIn,
    ];

    /// Whether the platform has this reason at all: E1 is of O11, E5 of ODC.
    pub(crate) fn happens_on(self, platform: Platform) -> bool {
        match self {
            Exclusion::DisabledProvider => platform == Platform::O11,
            Exclusion::NeverLoggedIn => platform == Platform::Odc,
            Exclusion::ItUser | Exclusion::Inactive | Exclusion::Anonymous => true,
        }
    }

    /// The reason as reports write it, `disabled_provider`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Exclusion::DisabledProvider => "disabled_provider",
            Exclusion::ItUser => "it_user",
            Exclusion::Inactive => "inactive",
            Exclusion::Anonymous => "anonymous",
            Exclusion::NeverLoggedIn => "never_logged_in",
        }
    }
}

/// The part of E that a provider decides for all its records: E1, and E2 for
/// `ServiceCenter`. `form` and the disabled names are in matching form (N2).
pub(crate) fn of_provider(platform: Platform, disabled: &[Box<str>], form: &str) -> Option<Exclusion> {
    match platform {
        Platform::O11 if disabled.iter().any(|name| **name == *form) => Some(Exclusion::DisabledProvider),
        Platform::O11 if form == "servicecenter" => Some(Exclusion::ItUser),
        Platform::O11 | Platform::Odc => None,
    }
}

/// The names of disabled user providers as [`of_provider`] wants them.
pub(crate) fn disabled_forms(names: &[String]) -> SmallVec<[Box<str>; 2]> {
    names.iter().map(|name| matching_form(name.trim()).into_boxed_str()).collect()
}

/// E for one record, given what its provider decides.
#[inline]
pub(crate) fn of_record(
    platform: Platform,
    by_provider: Option<Exclusion>,
    record: &UserRecord<'_>,
) -> Option<Exclusion> {
    // E1, and E2 by provider: the provider speaks first, and nothing between
    // the two rules could.
    if by_provider.is_some() {
        return by_provider;
    }
    // E2. Who is both IT user and end user is not flagged, and counts.
    if record.is_it_user == Some(true) {
        return Some(Exclusion::ItUser);
    }
    // E3, R5, R7. E6: the other statuses do not exclude by themselves.
    if record.is_active == Some(false) || record.status == Some(Status::Inactive) {
        return Some(Exclusion::Inactive);
    }
    if record.never_logged_in() {
        // E4.
        let texts = [&record.username, &record.email, &record.name, &record.mobile_phone];
        if texts.into_iter().all(|text| present(text.as_ref()).is_none()) {
            return Some(Exclusion::Anonymous);
        }
        // E5. In O11 a user who never logged in counts.
        if Exclusion::NeverLoggedIn.happens_on(platform) {
            return Some(Exclusion::NeverLoggedIn);
        }
    }
    None
}
