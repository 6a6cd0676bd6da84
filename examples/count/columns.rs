//! The columns of R2, and what their texts may be.

use std::borrow::Cow;

use headcount::{Subscription, UnixSeconds, UserRecord};
use jiff::civil::DateTime;

use crate::fault::Failure;

/// A column that the rules know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Runtime,
    Provider,
    Tenant,
    Key,
    Username,
    Email,
    Name,
    MobilePhone,
    IsActive,
    Status,
    LastLogin,
    IsItUser,
}

/// Names in lower case; the last two are the O11 entity's own.
const NAMES: [(&str, Column); 14] = [
    ("runtime", Column::Runtime),
    ("provider", Column::Provider),
    ("tenant", Column::Tenant),
    ("key", Column::Key),
    ("username", Column::Username),
    ("email", Column::Email),
    ("name", Column::Name),
    ("mobile_phone", Column::MobilePhone),
    ("is_active", Column::IsActive),
    ("status", Column::Status),
    ("last_login", Column::LastLogin),
    ("is_it_user", Column::IsItUser),
    ("id", Column::Key),
    ("mobilephone", Column::MobilePhone),
];

const BOOLEAN: &str = "expected true, false, 1, 0, yes or no";
const TIME: &str = "expected a time: RFC 3339, or YYYY-MM-DD[ HH:MM[:SS[.fff]]] in UTC";

impl Column {
    /// The column of a name, in any letter case.
    pub fn named(name: &str) -> Option<Column> {
        let name = name.trim();
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, column)| *column)
    }

    /// Its name in R2.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }

    /// Whether a file with this column, and none other that does, can be
    /// counted.
    pub fn identifies(self) -> bool {
        matches!(self, Column::Username | Column::Email | Column::Key)
    }

    pub fn is_boolean(self) -> bool {
        matches!(self, Column::IsActive | Column::IsItUser)
    }

    /// Puts a text where it belongs, or says what was expected of it.
    #[inline]
    pub fn set<'r>(self, record: &mut UserRecord<'r>, text: Cow<'r, str>) -> Result<(), String> {
        let place = match self {
            Column::Runtime => {
                record.runtime = text;
                return Ok(());
            }
            Column::Provider => &mut record.provider,
            Column::Tenant => &mut record.tenant,
            Column::Key => &mut record.key,
            Column::Username => &mut record.username,
            Column::Email => &mut record.email,
            Column::Name => &mut record.name,
            Column::MobilePhone => &mut record.mobile_phone,
            Column::IsActive | Column::IsItUser | Column::Status | Column::LastLogin => {
                return match text.trim() {
                    "" => Ok(()), // R2: an empty text is an absent one
                    text => self.set_value(record, text),
                };
            }
        };
        *place = Some(text);
        Ok(())
    }

    fn set_value(self, record: &mut UserRecord<'_>, text: &str) -> Result<(), String> {
        match self {
            Column::IsActive => record.is_active = Some(boolean(text).ok_or_else(|| self.expected(BOOLEAN))?),
            Column::IsItUser => record.is_it_user = Some(boolean(text).ok_or_else(|| self.expected(BOOLEAN))?),
            Column::Status => record.status = Some(text.parse().map_err(|error| self.expected(error))?),
            Column::LastLogin => record.last_login = Some(time(text).ok_or_else(|| self.expected(TIME))?),
            _ => {}
        }
        Ok(())
    }

    /// A message that names the field and what was expected in it.
    pub fn expected(self, expectation: impl std::fmt::Display) -> String {
        format!("{}: {expectation}", self.name())
    }

    /// What JSON has to have here.
    pub fn json_type(self) -> String {
        self.expected(match self {
            Column::IsActive | Column::IsItUser => BOOLEAN,
            Column::LastLogin => TIME,
            Column::Key => "expected a string, a number or null",
            _ => "expected a string or null",
        })
    }
}

/// X3, X2: the reader's last look at a record.
pub fn check(record: &UserRecord<'_>) -> Result<(), String> {
    match record.broken_fields().next() {
        None => Ok(()),
        Some(field) => Err(format!(
            "{field}: expected text without control characters or line breaks (an unbalanced quote, or a file that is not UTF-8, shows itself like this)"
        )),
    }
}

/// R1.
pub fn unknown_runtime(subscription: &Subscription) -> String {
    format!("runtime: expected one of the subscription's runtimes: {}", runtime_names(subscription))
}

/// The subscription's runtimes, as many as one reads.
pub fn runtime_names(subscription: &Subscription) -> String {
    let names: Vec<&str> = subscription.runtimes().iter().map(|runtime| runtime.name.as_str()).collect();
    match names.get(..20) {
        Some(first) if names.len() > 20 => format!("{}, and {} more", first.join(", "), names.len() - 20),
        _ => names.join(", "),
    }
}

/// A file in which nobody can be told apart.
pub fn nobody(place: &str, what: &str) -> Failure {
    Failure::Input(format!("{place}: {what} `username`, `email` or `key`: nobody could be told apart"))
}

/// A column's name as notes show it.
pub fn printable(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}

fn boolean(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("1") || is("yes") {
        Some(true)
    } else if is("false") || is("0") || is("no") {
        Some(false)
    } else {
        None
    }
}

/// RFC 3339, or `YYYY-MM-DD[ HH:MM[:SS[.fff]]]` taken as UTC. The library reads
/// more forms than these, so the shape is checked here.
pub fn time(text: &str) -> Option<UnixSeconds> {
    let (clock, offset) = match text.get(10..)?.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..10 + at)?, Some(offset(text.get(10 + at..)?)?)),
        None => (text, None),
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let in_full = has_shape(clock, "0000-00-00T00:00:00") || has_shape(clock, "0000-00-00 00:00:00");
    let plain = offset.is_none() && !clock.contains(['T', 't']);
    if !in_full && !(plain && (has_shape(clock, "0000-00-00 00:00") || has_shape(clock, "0000-00-00"))) {
        return None;
    }
    // RFC 3339 has an offset.
    if !plain && offset.is_none() {
        return None;
    }
    // A fraction of a second rounds up, so that R5's limit stays exact.
    let rest = match fraction {
        None => 0,
        Some(digits) if in_full && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            i64::from(digits.bytes().any(|byte| byte != b'0'))
        }
        Some(_) => return None,
    };
    let clock: DateTime = clock.parse().ok()?;
    let since_epoch = clock.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs();
    Some(UnixSeconds(since_epoch - offset.unwrap_or(0) + rest))
}

/// `Z` or `+HH:MM` in seconds.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    if !has_shape(text.get(1..)?, "00:00") {
        return None;
    }
    let (hours, minutes): (i64, i64) = (text.get(1..3)?.parse().ok()?, text.get(4..)?.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    match text.as_bytes().first() {
        _ if hours > 23 || minutes > 59 => None,
        Some(b'-') => Some(-seconds),
        _ => Some(seconds),
    }
}

/// Whether a text is a shape, in which 0 stands for any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte.eq_ignore_ascii_case(&form),
        })
}
