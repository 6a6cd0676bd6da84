//! `UserRecord`: one row of a runtime's user table, as borrowed plain data.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

use crate::text::present;

/// One row of a runtime's user table (R2).
///
/// Plain data without rules: every field may hold anything (X1), texts are
/// trimmed and empty ones taken as absent when the record is counted (N1, R2).
/// Building one copies nothing; the texts borrow from the row they came from
/// and own only what had to be unescaped.
///
/// With serde, names are those of the fields, `last_login` is in unix seconds,
/// everything but `runtime` may be absent or null, and a field of another name
/// is an error: a misspelt `email` would make everyone internal (C4).
///
/// `Debug` redacts everything that is personal data.
///
/// ```
/// use headcount::UserRecord;
///
/// let record = UserRecord {
///     runtime: "prod".into(),
///     username: Some("ana".into()),
///     email: Some("ana@mycompany.com".into()),
///     ..UserRecord::default()
/// };
/// let line = r#"{"runtime":"prod","username":"ana","email":"ana@mycompany.com"}"#;
/// assert_eq!(serde_json::from_str::<UserRecord>(line)?, record);
/// assert_eq!(serde_json::to_string(&record)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserRecord<'a> {
    /// The runtime's name, exactly as the subscription has it (R1).
    #[serde(borrow)]
    pub runtime: Cow<'a, str>,
    /// The user provider; absent means `Users` (R3).
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'a, str>>,
    /// The tenant; absent means the provider's default tenant (R4). O11 only.
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Cow<'a, str>>,
    /// The platform's own identifier of the record: O11 `Id`, ODC user key (R6).
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// The login.
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub username: Option<Cow<'a, str>>,
    /// The email, whether or not it is a valid address (C3, V).
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub email: Option<Cow<'a, str>>,
    /// The person's name. Only its presence matters (E4).
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// The mobile phone. Only its presence matters (E4).
    #[serde(borrow, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<Cow<'a, str>>,
    /// Whether the user is active; absent means yes (R5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The status that ODC gives a user (R7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The last login; absent means never (R5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login: Option<UnixSeconds>,
    /// Whether this is someone who only builds or administers; absent means
    /// no. False for someone who is both IT user and end user: that one counts
    /// (E2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_it_user: Option<bool>,
}

impl UserRecord<'_> {
    /// The fields that a reader must refuse: a login or an email that contains
    /// a control character once trimmed, which is how a UTF-16 file or an
    /// unbalanced quote shows itself (X3).
    ///
    /// The counter itself takes such a record as it is: to it, text is data
    /// (X1). Linear in the length of both texts; allocates nothing.
    pub fn broken_fields(&self) -> impl Iterator<Item = Field> + use<> {
        let fields = [(Field::Username, &self.username), (Field::Email, &self.email)];
        let broken: SmallVec<[Field; 2]> = fields
            .into_iter()
            .filter(|(_, text)| present(text.as_ref()).is_some_and(has_control_character))
            .map(|(field, _)| field)
            .collect();
        broken.into_iter()
    }

    /// R5: never logged in is no time at all, or one not later than
    /// 1900-01-01T23:59:59Z, the platform's null date.
    pub(crate) fn never_logged_in(&self) -> bool {
        self.last_login.is_none_or(|time| time <= UnixSeconds::LATEST_NULL_DATE)
    }
}

fn has_control_character(text: &str) -> bool {
    if text.is_ascii() { text.bytes().any(|byte| byte.is_ascii_control()) } else { text.chars().any(char::is_control) }
}

impl fmt::Debug for UserRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = |text: &Option<Cow<'_, str>>| text.as_ref().map(|_| Redacted);
        f.debug_struct("UserRecord")
            .field("runtime", &self.runtime)
            .field("provider", &self.provider)
            .field("tenant", &redacted(&self.tenant))
            .field("key", &redacted(&self.key))
            .field("username", &redacted(&self.username))
            .field("email", &redacted(&self.email))
            .field("name", &redacted(&self.name))
            .field("mobile_phone", &redacted(&self.mobile_phone))
            .field("is_active", &self.is_active)
            .field("status", &self.status)
            .field("last_login", &self.last_login)
            .field("is_it_user", &self.is_it_user)
            .finish()
    }
}

/// Stands for a personal text in `Debug` output.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// A field of a [`UserRecord`] that can be refused, by its name in R2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The login.
    Username,
    /// The email.
    Email,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Username => "username",
            Field::Email => "email",
        })
    }
}

/// The status of a user in ODC (R7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Status {
    /// In use.
    Active,
    /// Invited, not yet registered; does not exclude by itself (E6).
    Invited,
    /// Registration not finished; does not exclude by itself (E6).
    PendingRegistration,
    /// Deactivated: does not count (E3).
    Inactive,
}

/// A text that is not a [`Status`]. It is not part of the error: in a shifted
/// row it could be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("expected Active, Invited, PendingRegistration or Inactive")]
pub struct StatusError;

impl std::str::FromStr for Status {
    type Err = StatusError;

    /// R7: in any letter case; white space around it is trimmed (N1).
    fn from_str(text: &str) -> Result<Status, StatusError> {
        let names = [
            ("Active", Status::Active),
            ("Invited", Status::Invited),
            ("PendingRegistration", Status::PendingRegistration),
            ("Inactive", Status::Inactive),
        ];
        let found = names.into_iter().find(|(name, _)| text.trim().eq_ignore_ascii_case(name));
        found.map(|(_, status)| status).ok_or(StatusError)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
        let text = Text::deserialize(deserializer)?;
        text.0.parse().map_err(serde::de::Error::custom)
    }
}

/// An instant in seconds since 1970-01-01T00:00:00Z, negative before it.
///
/// A fraction of a second rounds up, so that "not later than" (R5) stays exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

impl UnixSeconds {
    /// 1900-01-01T23:59:59Z: up to here a time means "never" (R5).
    const LATEST_NULL_DATE: UnixSeconds = UnixSeconds(-2_208_902_401);
}

/// A text that borrows from the input where it can.
///
/// serde borrows a `Cow` only where it stands by itself; inside an `Option` it
/// would always copy.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Ok(Option::<Text<'de>>::deserialize(deserializer)?.map(|text| text.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_the_null_date_ends_with_its_day() {
        let at = |seconds| UserRecord { last_login: Some(UnixSeconds(seconds)), ..UserRecord::default() };
        // Days from 1900-01-01 to 1970-01-01: 70 years, 17 of them leap years.
        let null_date = -(70 * 365 + 17) * 86_400;
        assert!(at(null_date).never_logged_in());
        assert!(at(null_date + 86_399).never_logged_in());
        assert!(!at(null_date + 86_400).never_logged_in());
        assert!(at(i64::MIN).never_logged_in());
        assert!(!at(i64::MAX).never_logged_in());
        assert!(UserRecord::default().never_logged_in());
    }

    #[test]
    fn a_json_line_is_borrowed_unless_it_is_escaped() {
        let line = r#"{"runtime":"prod","username":"ana","email":"jos\u00e9@x.example","name":null}"#;
        let record: UserRecord<'_> = serde_json::from_str(line).unwrap();
        assert!(matches!(record.runtime, Cow::Borrowed("prod")));
        assert!(matches!(record.username, Some(Cow::Borrowed("ana"))));
        assert!(matches!(record.email, Some(Cow::Owned(ref text)) if text == "josé@x.example"));
        assert_eq!(record.name, None);
    }

    #[test]
    fn serde_refuses_what_it_does_not_know() {
        let refused = |line| serde_json::from_str::<UserRecord<'_>>(line).unwrap_err().to_string();
        assert!(refused(r#"{"emial":"a@x.example"}"#).contains("unknown field `emial`"));
        assert!(refused(r#"{"status":"Retired"}"#).contains("expected Active, Invited"));
        assert!(refused(r#"{"email":5}"#).contains("expected a text"));
        assert!(refused(r#"{"email":"a","email":"b"}"#).contains("duplicate field"));
    }

    #[test]
    fn r7_status_in_any_letter_case() {
        assert_eq!("pendingREGISTRATION".parse(), Ok(Status::PendingRegistration));
        assert_eq!(" inactive ".parse(), Ok(Status::Inactive));
        assert_eq!("Pending Registration".parse::<Status>(), Err(StatusError));
    }

    #[test]
    fn x3_control_characters_inside_login_or_email() {
        let broken = |username: &'static str, email: &'static str| {
            let record =
                UserRecord { username: Some(username.into()), email: Some(email.into()), ..UserRecord::default() };
            record.broken_fields().map(|field| field.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(broken("a\u{0}n", "a@x\n.example"), ["username", "email"]);
        assert_eq!(broken("ana", "á\u{9c}@x.example"), ["email"]);
        assert!(broken(" ana\r\n", "\tana@x.example\u{85}").is_empty(), "trimmed first (N1)");
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let record = UserRecord {
            username: Some("canary".into()),
            email: Some("canary@x.example".into()),
            key: Some("canary".into()),
            name: Some("canary".into()),
            mobile_phone: Some("canary".into()),
            tenant: Some("canary".into()),
            ..UserRecord::default()
        };
        let shown = format!("{record:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("username: Some(<redacted>)"), "{shown}");
    }
}
