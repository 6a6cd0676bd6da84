//! `UserRecord`: one row of a runtime's user table, as borrowed plain data.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
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
/// is an error: a misspelt `email` would make everyone internal (C4). Errors
/// may show the name of a field, never a value. The format has to be one that
/// describes itself, as JSON, TOML and CBOR do.
///
/// `Debug` redacts all texts: in a row whose columns are shifted any of them can
/// be personal data.
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
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct UserRecord<'a> {
    /// The runtime's name, exactly as the subscription has it (R1).
    pub runtime: Cow<'a, str>,
    /// The user provider; absent means `Users` (R3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'a, str>>,
    /// The tenant; absent means the provider's default tenant (R4). O11 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Cow<'a, str>>,
    /// The platform's own identifier of the record: O11 `Id`, ODC user key (R6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// The login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Cow<'a, str>>,
    /// The email, whether or not it is a valid address (C3, V).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Cow<'a, str>>,
    /// The person's name. Only its presence matters (E4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// The mobile phone. Only its presence matters (E4).
    #[serde(skip_serializing_if = "Option::is_none")]
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
            .field("runtime", &Redacted)
            .field("provider", &redacted(&self.provider))
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
        status(deserializer)?.ok_or_else(|| D::Error::custom(StatusError))
    }
}

/// An instant in seconds since 1970-01-01T00:00:00Z, negative before it.
///
/// A fraction of a second rounds up, so that "not later than" (R5) stays exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UnixSeconds, D::Error> {
        time(deserializer)?.ok_or_else(|| D::Error::custom("expected whole unix seconds"))
    }
}

impl UnixSeconds {
    /// 1900-01-01T23:59:59Z: up to here a time means "never" (R5).
    const LATEST_NULL_DATE: UnixSeconds = UnixSeconds(-2_208_902_401);
}

/// What serde makes of the fields of a [`UserRecord`].
#[derive(Deserialize)]
#[serde(remote = "UserRecord", deny_unknown_fields)]
struct Fields<'a> {
    #[serde(borrow, deserialize_with = "required_text")]
    runtime: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    provider: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    tenant: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    username: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    mobile_phone: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "flag")]
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "status")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "time")]
    last_login: Option<UnixSeconds>,
    #[serde(default, deserialize_with = "flag")]
    is_it_user: Option<bool>,
}

impl<'de: 'a, 'a> Deserialize<'de> for UserRecord<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UserRecord<'a>, D::Error> {
        let is_row = Cell::new(false);
        let record = Fields::deserialize(Row { inner: deserializer, is_row: &is_row });
        match record {
            Err(_) if !is_row.get() => Err(D::Error::custom("expected a record")),
            record => record,
        }
    }
}

/// Takes note of whether there is a row at all. Where there is not, a format's
/// own words would quote what there is.
struct Row<'r, T> {
    inner: T,
    is_row: &'r Cell<bool>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Row<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Row { inner: visitor, is_row: self.is_row })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Row { inner: visitor, is_row: self.is_row })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Row<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.is_row.set(true);
        self.inner.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.is_row.set(true);
        self.inner.visit_seq(seq)
    }
}

/// Any simple value, so that a wrong one can be refused in words that do not
/// show it: serde's own quote the value. Texts borrow from the input where they
/// can, also inside an `Option`, where serde's would copy.
enum Value<'a> {
    Absent,
    Text(Cow<'a, str>),
    Flag(bool),
    Number(i64),
    Other,
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Value<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a flag, a number or nothing")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Value<'de>, E> {
                Ok(Value::Text(Cow::Owned(text)))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
                Ok(Value::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
                Ok(Value::Number(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value<'de>, E> {
                self.visit_i128(number.into())
            }

            fn visit_i128<E>(self, number: i128) -> Result<Value<'de>, E> {
                Ok(i64::try_from(number).map_or(Value::Other, Value::Number))
            }

            fn visit_u128<E>(self, number: u128) -> Result<Value<'de>, E> {
                Ok(i64::try_from(number).map_or(Value::Other, Value::Number))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
                Ok(Value::Other)
            }

            fn visit_unit<E>(self) -> Result<Value<'de>, E> {
                Ok(Value::Absent)
            }

            fn visit_none<E>(self) -> Result<Value<'de>, E> {
                Ok(Value::Absent)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
                Value::deserialize(deserializer)
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Absent => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        Value::Flag(_) | Value::Number(_) | Value::Other => Err(D::Error::custom("expected a text")),
    }
}

fn required_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("expected a text"))
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Absent => Ok(None),
        Value::Flag(flag) => Ok(Some(flag)),
        Value::Text(_) | Value::Number(_) | Value::Other => Err(D::Error::custom("expected true or false")),
    }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Status>, D::Error> {
    match text(deserializer)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(D::Error::custom),
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixSeconds>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Absent => Ok(None),
        Value::Number(seconds) => Ok(Some(UnixSeconds(seconds))),
        Value::Text(_) | Value::Flag(_) | Value::Other => Err(D::Error::custom("expected whole unix seconds")),
    }
}

#[cfg(test)]
mod tests;
