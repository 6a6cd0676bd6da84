//! One valid email address (V, N4).

use std::fmt;

use crate::domain;
use crate::fingerprint::word_of;
use crate::record::Redacted;
use crate::text::{push_matching_form, trimmed};

/// V1: the longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;
/// V1: the longest address, in bytes (RFC 5321, 4.5.3.1.3, less the brackets).
const ADDRESS_MAX: usize = 254;

/// A valid email address in normal form (V, N4): the local part in matching
/// form (N2), an `@`, the domain by N3. Equal addresses link records (D2).
///
/// `Debug` redacts it.
///
/// ```
/// use headcount::EmailAddress;
///
/// let address = EmailAddress::parse(" Ana@MyCompany.com ").unwrap();
/// assert_eq!((address.local_part(), address.domain()), ("ana", "mycompany.com"));
/// assert_eq!(EmailAddress::parse("ana@localhost"), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    text: String,
    at: usize,
}

impl EmailAddress {
    /// Reads an address, trimmed first (N1); anything that is not one by V1 to
    /// V4 is `None`. Linear in the length of `text`, of which no more than 254
    /// bytes are looked at.
    #[must_use]
    pub fn parse(text: &str) -> Option<EmailAddress> {
        let mut normal = String::new();
        let (local, domain) = split(trimmed(text))?;
        let at = push_normal_form(local, domain, &mut normal)?;
        Some(EmailAddress { text: normal, at })
    }

    /// The address in normal form. Read again, in rare cases it is no address,
    /// or another one: V1 and V2 look at the text as it is written, and the
    /// normal form can be longer than V1 allows; NFC makes a semicolon of
    /// U+037E, which V2 refuses; and lower case need not be in NFC (N2).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`, in matching form (N2).
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands behind the `@`, in normal form (N3).
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at..).and_then(|rest| rest.get(1..)).unwrap_or_default()
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmailAddress").field(&Redacted).finish()
    }
}

/// V1 and V2: what stands before and behind the `@` of a trimmed address, if
/// it is one as far as that goes.
///
/// V1 splits at the last `@`. No local part has one (V2) and no domain (N3), so
/// an address has only one, and the first will do: what has more is refused
/// here or as a domain. An empty domain is refused there as well.
#[inline]
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    if text.len() > ADDRESS_MAX {
        return None;
    }
    let (at, is_checked) = match first_unusual(text.as_bytes()) {
        (at, b'@') => (at, true),
        _ => (text.bytes().position(|byte| byte == b'@')?, false),
    };
    let (local, behind) = text.split_at_checked(at)?;
    let domain = behind.get(1..)?;
    let is_local = is_checked || is_local_part(local);
    (is_local && !local.is_empty() && local.len() <= LOCAL_PART_MAX).then_some((local, domain))
}

/// The first byte that is no letter or digit nor one of ``*+-./^_`{|}~``, and its
/// place. Looks at eight bytes at a time, and not at the last ones that are
/// fewer; 0 where there is none.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "bytes of a word have room for the carry; places in a text")]
fn first_unusual(text: &[u8]) -> (usize, u8) {
    let all = |byte: u8| u64::from(byte) * (u64::MAX / 0xff);
    let tops = all(0x80);
    for (word, start) in text.chunks_exact(8).map(word_of).zip((0..).step_by(8)) {
        let low = word & !tops;
        // The top bit of each byte: at least `from`, at most `to`.
        let range = |from: u8, to: u8| (low + all(0x80 - from)) & !(low + all(0x7f - to));
        let usual = range(b'*', b'+') | range(b'-', b'9') | range(b'A', b'Z') | range(b'^', b'~');
        let unusual = (word | !usual) & tops;
        if unusual != 0 {
            let byte = unusual.trailing_zeros() as usize / 8;
            return (start + byte, word.to_le_bytes().get(byte).copied().unwrap_or(0));
        }
    }
    (0, 0)
}

/// Appends the normal form of an address that has been split (V3, N4) and
/// returns where its `@` stands, counted from where it begins; `out` is left as
/// it was where the domain is none.
#[expect(clippy::arithmetic_side_effects, reason = "`out` only grew")]
pub(crate) fn push_normal_form(local: &str, domain: &str, out: &mut String) -> Option<usize> {
    let start = out.len();
    push_matching_form(local, out);
    let at = out.len() - start;
    out.push('@');
    if domain::push_normal_form(domain, out).is_err() {
        out.truncate(start);
        return None;
    }
    Some(at)
}

/// V2: ASCII letters, digits and `` .!#$%&'*+/=?^_`{|}~- ``, and any non-ASCII
/// character that is neither white space nor a control character.
fn is_local_part(text: &str) -> bool {
    text.chars().all(|character| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => is_local_byte(byte),
        _ => !character.is_whitespace() && !character.is_control(),
    })
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "a place for every byte")]
fn is_local_byte(byte: u8) -> bool {
    LOCAL_BYTES[byte as usize]
}

/// V2, for ASCII.
const LOCAL_BYTES: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "below 128, and at compile time")]
        {
            allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        }
        byte += 1;
    }
    let specials = b".!#$%&'*+/=?^_`{|}~-";
    let mut at = 0;
    while at < specials.len() {
        #[expect(clippy::indexing_slicing, reason = "ASCII, and at compile time")]
        {
            allowed[specials[at] as usize] = true;
        }
        at += 1;
    }
    allowed
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_n4_addresses() {
        let normal = |text: &str| EmailAddress::parse(text).map(|address| address.text);
        // (origin, text, normal form)
        let accepted = [
            ("N4", "Ana@MyCompany.COM", "ana@mycompany.com"),
            ("N1", "\u{a0}ana@x.example\r\n", "ana@x.example"),
            ("V2 every special", ".!#$%&'*+/=?^_`{|}~-@x.example", ".!#$%&'*+/=?^_`{|}~-@x.example"),
            ("V2 dots anywhere", ".a..b.@x.example", ".a..b.@x.example"),
            ("V2 non-ASCII local part", "José@x.example", "josé@x.example"),
            ("N4 local part by N2, not by N3", "jose\u{301}@x.example", "josé@x.example"),
            ("V2 format characters are no controls", "a\u{200B}b@x.example", "a\u{200B}b@x.example"),
            ("N4 IDN", "ana@Bücher.Example", "ana@xn--bcher-kva.example"),
        ];
        for (origin, text, form) in accepted {
            assert_eq!(normal(text).as_deref(), Some(form), "{origin}");
        }
        let refused = [
            ("V1 no @", "ana.x.example"),
            ("V1 empty local part", "@x.example"),
            ("V1 empty domain", "ana@"),
            ("V1 last @, so the first is in the local part (V2)", "ana@b@x.example"),
            ("V2 space", "ana lopes@x.example"),
            ("V2 non-ASCII white space", "ana\u{2003}lopes@x.example"),
            ("V2 C1 control", "ana\u{9c}@x.example"),
            ("V2 control", "ana\u{7f}@x.example"),
            ("V2 comma, parentheses, brackets", "a,b@x.example"),
            ("V3 one label", "user@localhost"),
            ("V3 trailing dot", "ana@x.example."),
            ("V3 digits", "ana@10.0.0.1"),
            ("V4 quoted local part", "\"ana\"@x.example"),
            ("V4 comment", "ana(work)@x.example"),
            ("V4 display name", "Ana <ana@x.example>"),
            ("V4 address literal", "ana@[10.0.0.1]"),
            ("V4 source route", "@a.example,@b.example:ana@x.example"),
        ];
        for (origin, text) in refused {
            assert_eq!(normal(text), None, "{origin}: {text}");
        }
    }

    #[test]
    fn an_address_has_two_parts() {
        let address = EmailAddress::parse(" Ana@Bücher.Example").expect("an address");
        assert_eq!((address.local_part(), address.domain()), ("ana", "xn--bcher-kva.example"));
    }

    #[test]
    fn the_place_of_the_at_is_counted_from_where_the_address_begins() {
        let mut out = "behind this ".to_owned();
        assert_eq!(push_normal_form("Ana", "X.example", &mut out), Some(3));
        assert_eq!(push_normal_form("bo", "localhost", &mut out), None);
        assert_eq!(out, "behind this ana@x.example");
    }

    /// Every byte at every place, among usual bytes and among others.
    #[test]
    fn what_is_unusual_is_found_eight_bytes_at_a_time() {
        let is_usual = |byte: &u8| byte.is_ascii_alphanumeric() || b"*+-./^_`{|}~".contains(byte);
        for around in *b"az09AZ*+-/^~@,:[?\x7f\x00\x80\xff" {
            for (byte, place) in (0..=u8::MAX).flat_map(|byte| (0..19).map(move |place| (byte, place))) {
                let mut text = [around; 19];
                text[place] = byte;
                let whole = &text[..16];
                let expected = whole.iter().position(|byte| !is_usual(byte)).map(|place| (place, whole[place]));
                assert_eq!(first_unusual(&text), expected.unwrap_or((0, 0)), "{byte:#x} at {place} among {around:#x}");
            }
        }
    }

    #[test]
    fn v1_lengths_are_in_bytes() {
        let valid = |local: &str, domain: &str| EmailAddress::parse(&format!("{local}@{domain}")).is_some();
        assert!(valid(&"a".repeat(64), "x.example"));
        assert!(!valid(&"a".repeat(65), "x.example"));
        assert!(valid(&"é".repeat(32), "x.example"));
        assert!(!valid(&format!("{}a", "é".repeat(32)), "x.example"));
        // 64 + 1 + 189 = 254: three labels of 60 bytes, their dots, and `exampl`.
        let domain = format!("{}exampl", format!("{}.", "d".repeat(60)).repeat(3));
        assert_eq!(domain.len(), 189);
        assert!(valid(&"a".repeat(64), &domain));
        assert!(!valid(&"a".repeat(64), &format!("{domain}e")));
    }

    #[test]
    fn debug_is_redacted() {
        let address = EmailAddress::parse("canary@canary.example");
        assert_eq!(format!("{address:?}"), "Some(EmailAddress(<redacted>))");
    }
}
