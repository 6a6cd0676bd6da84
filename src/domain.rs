//! One normalised DNS name (N3, V3).

use std::borrow::Cow;
use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::error::DomainError;

/// A domain that an email address can have, in normal form (N3, V3).
///
/// Normal form is UTS #46 `ToASCII`: non-transitional, STD3 rules, hyphens
/// checked, DNS lengths verified. So it is lower-case ASCII of at most 253
/// bytes with at least two labels, and `Bücher.Example`, `bücher.example` and
/// `XN--BCHER-KVA.example` are one domain. Characters that UTS #46 ignores
/// (zero-width space, soft hyphen, byte order mark) vanish; ß and ss stay
/// different; a trailing dot is refused.
///
/// Which characters there are is for the locked `icu_normalizer_data` and
/// `icu_properties_data` to say: a name with a newer one is refused.
///
/// ```
/// use headcount::{Domain, DomainError};
///
/// let domain: Domain = "Bücher.Example".parse()?;
/// assert_eq!(domain.as_str(), "xn--bcher-kva.example");
/// assert_eq!("localhost".parse::<Domain>(), Err(DomainError::SingleLabel));
/// # Ok::<(), DomainError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// The domain in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Domain {
    type Err = DomainError;

    /// Linear in the length of `text`; nothing is trimmed.
    fn from_str(text: &str) -> Result<Domain, DomainError> {
        let mut normal = String::with_capacity(text.len());
        push_normal_form(text, &mut normal)?;
        Ok(Domain(normal))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether N3 and V3 take a name as it stands but for its letter case: ASCII
/// letters, digits and hyphens in two or more labels, each of 1 to 63 bytes,
/// none with a hyphen first, last, or third and fourth (which Punycode has
/// too), the last not all digits, at most 253 bytes in all.
///
/// Tells the names that most addresses have from those that [`push_normal_form`]
/// has to look at, in a fraction of its steps. The tests hold it against that.
#[expect(clippy::arithmetic_side_effects, reason = "counts of the bytes of a name")]
pub(crate) fn is_plain(name: &str) -> bool {
    let (mut labels, mut len, mut is_number, mut last) = (1, 0, true, b'.');
    for &byte in name.as_bytes() {
        match byte {
            b'.' => {
                if len == 0 || last == b'-' {
                    return false;
                }
                (labels, len, is_number) = (labels + 1, 0, true);
            }
            b'-' if len == 0 || len == 3 && last == b'-' => return false,
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                is_number &= byte.is_ascii_digit();
                len += 1;
            }
            _ => return false,
        }
        if len > 63 {
            return false;
        }
        last = byte;
    }
    labels > 1 && len > 0 && last != b'-' && !is_number && name.len() <= 253
}

/// Appends the normal form of a domain to `out`, which is left as it was where
/// the domain is refused. This is the one place where records and policies
/// alike have their domains normalised.
///
/// Allocates only for IDNs, once `out` has room.
pub(crate) fn push_normal_form(text: &str, out: &mut String) -> Result<(), DomainError> {
    let start = out.len();
    let result = push_checked(text, out, start);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn push_checked(text: &str, out: &mut String, start: usize) -> Result<(), DomainError> {
    out.push_str(text);
    let lowered = out.get_mut(start..).unwrap_or_default();
    // Lower case is where UTS #46 would take ASCII to, at the price of a copy.
    lowered.make_ascii_lowercase();
    let ascii = Uts46::new()
        .to_ascii(lowered.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
        .map_err(|_| DomainError::Malformed)?;
    if let Cow::Owned(ascii) = ascii {
        out.truncate(start);
        out.push_str(&ascii);
    }
    let (_, last) = out.get(start..).and_then(|domain| domain.rsplit_once('.')).ok_or(DomainError::SingleLabel)?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DomainError::Numeric);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n3_v3_domains() {
        let ok = |text: &str| text.parse::<Domain>().map(|domain| domain.0);
        // (origin, text, normal form)
        let accepted = [
            ("N3 lower case", "MyCompany.COM", "mycompany.com"),
            ("N3 IDN", "Bücher.Example", "xn--bcher-kva.example"),
            ("N3 A-label", "XN--BCHER-KVA.Example", "xn--bcher-kva.example"),
            ("N3 NFD", "bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("N3 non-transitional", "faß.example", "xn--fa-hia.example"),
            ("N3 mapping drops zero-width space", "exa\u{200B}mple.com", "example.com"),
            ("N3 mapping: full width", "ｅxample.com", "example.com"),
            ("N3 mapping: ideographic full stop", "example。com", "example.com"),
            ("N3 Kelvin sign", "\u{212A}elvin.example", "kelvin.example"),
            ("V3 digits in other labels", "1.2.3.example", "1.2.3.example"),
            ("V3 last label not all digits", "a.1b", "a.1b"),
        ];
        for (origin, text, normal) in accepted {
            assert_eq!(ok(text).as_deref(), Ok(normal), "{origin}");
        }
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abcdefghi.".repeat(25));
        let refused = [
            ("V3 no trailing dot", "mycompany.com.", DomainError::Malformed),
            ("V3 two labels", "localhost", DomainError::SingleLabel),
            ("V3 last label all digits", "10.0.0.1", DomainError::Numeric),
            ("V3 last label all digits, full width", "example.１２", DomainError::Numeric),
            ("N3 empty", "", DomainError::Malformed),
            ("N3 empty label", "a..example", DomainError::Malformed),
            ("N3 STD3: underscore", "a_b.example", DomainError::Malformed),
            ("N3 STD3: the URL profile maps this to a@b.com", "a＠b.com", DomainError::Malformed),
            ("N3 hyphen first", "-a.example", DomainError::Malformed),
            ("N3 hyphen last", "a-.example", DomainError::Malformed),
            ("N3 hyphens third and fourth", "ab--c.example", DomainError::Malformed),
            ("N3 Punycode of ASCII (CVE-2024-12224)", "xn--example-.com", DomainError::Malformed),
            ("N3 white space", "my company.com", DomainError::Malformed),
            ("N3 control character", "my\u{0}company.com", DomainError::Malformed),
            ("N3 label of 64 bytes", &long_label, DomainError::Malformed),
            ("N3 name of 257 bytes", &long_name, DomainError::Malformed),
        ];
        for (origin, text, error) in refused {
            assert_eq!(ok(text), Err(error), "{origin}");
        }
    }

    /// Holds `is_plain` against the normal form of one name.
    fn check_plain(name: &str) {
        let normal = name.parse::<Domain>();
        if is_plain(name) {
            assert_eq!(normal, Ok(Domain(name.to_ascii_lowercase())), "{name:?}");
        } else if name.is_ascii() && !name.to_ascii_lowercase().contains("xn--") {
            assert!(normal.is_err(), "{name:?}");
        }
    }

    #[test]
    fn plain_names_are_just_those_that_n3_takes_as_they_stand() {
        // Every name of up to seven characters of these.
        let alphabet = ["a", "Z", "1", "-", ".", "_"];
        let mut names = vec![String::new()];
        for _ in 0..7 {
            names = names.iter().flat_map(|name| alphabet.map(|part| format!("{name}{part}"))).collect();
            for name in &names {
                check_plain(name);
            }
        }
        // Every byte in every place of a label.
        for byte in 0..=u8::MAX {
            for name in ["?b.example", "a?.example", "a?b.example", "aa--?.example", "a.?", "a.b?"] {
                check_plain(&name.replace('?', &char::from(byte).to_string()));
            }
        }
        // Lengths of labels and names.
        for len in 1..260 {
            check_plain(&format!("{}.example", "a".repeat(len)));
            check_plain(&format!("{}a", "b.".repeat(len)));
        }
        check_plain("xn--bcher-kva.example");
        check_plain("XN--example-.com");
    }

    #[test]
    fn a_refused_domain_leaves_the_buffer_as_it_was() {
        let mut out = String::from("ana@");
        assert!(push_normal_form("no dots here", &mut out).is_err());
        assert!(push_normal_form("localhost", &mut out).is_err());
        assert_eq!(out, "ana@");
        push_normal_form("Bücher.example", &mut out).unwrap();
        assert_eq!(out, "ana@xn--bcher-kva.example");
    }
}
