//! Trimming and the matching form (N1, N2).

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// N1: trims Unicode white space.
#[inline]
pub(crate) fn trimmed(text: &str) -> &str {
    // Most text is empty, or begins and ends with a printable ASCII character.
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// R2: a text that is empty once trimmed (N1) is an absent one.
#[inline]
pub(crate) fn present<'t>(text: Option<&'t Cow<'_, str>>) -> Option<&'t str> {
    text.map(|text| trimmed(text)).filter(|text| !text.is_empty())
}

/// N2: appends the matching form of `text`, which is Unicode NFC and then
/// `char::to_lowercase` character by character.
///
/// ASCII is in NFC already, so most text takes one pass and no table.
pub(crate) fn push_matching_form(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(tail) = out.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    } else {
        let composed = ComposingNormalizerBorrowed::new_nfc().normalize_iter(text.chars());
        out.extend(composed.flat_map(char::to_lowercase));
    }
}

/// N2: the matching form of `text` as a string of its own.
pub(crate) fn matching_form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    push_matching_form(text, &mut form);
    form
}

/// Whether the matching form of `text` is `form`. Allocates only where `text`
/// is not ASCII.
pub(crate) fn has_form(text: &str, form: &str) -> bool {
    if text.is_ascii() { text.eq_ignore_ascii_case(form) } else { matching_form(text) == form }
}

/// A configured text as an error quotes it: control characters escaped, cut at
/// 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == 80 {
            quoted.push('…');
            break;
        }
        if character.is_control() {
            quoted.extend(character.escape_default());
        } else {
            quoted.push(character);
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_matching_form() {
        // (origin, text, form)
        let table = [
            ("N2 lower case", "Ana.Lopes", "ana.lopes"),
            ("N2 NFC: e + combining acute is é", "Jose\u{301}", "jos\u{e9}"),
            ("N2 NFC before lower case", "JOSE\u{301}", "jos\u{e9}"),
            ("N2 NFC: Kelvin sign is K", "\u{212A}elvin", "kelvin"),
            ("N2 character by character: no final sigma", "ΟΔΟΣ", "οδοσ"),
            ("N2 dotted capital I is two characters", "\u{130}", "i\u{307}"),
            ("N2 no full folding: sharp s stays", "Straße", "straße"),
            ("N2 no compatibility folding: full width stays", "\u{FF21}na", "\u{FF41}na"),
            ("N2 no accent stripping", "Ána", "ána"),
            ("N2 no plus-tag or dot removal", "a.na+x", "a.na+x"),
        ];
        for (origin, text, form) in table {
            assert_eq!(matching_form(text), form, "{origin}");
            assert!(has_form(text, form), "{origin}");
        }
        assert!(!has_form("ana", "anb"));
        assert!(!has_form("\u{e1}na", "ana"));
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quoted("a\u{0}b\n"), "a\\u{0}b\\n");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 81);
    }
}
