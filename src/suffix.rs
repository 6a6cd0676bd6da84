//! The Public Suffix List that policies are checked against (P3).

use std::fmt;

use publicsuffix::{Psl, Type};

use crate::error::SuffixListError;

/// A Public Suffix List: which domains nobody owns (P3).
///
/// Only its ICANN section is asked: `co.uk` is a public suffix, `github.io`,
/// from the private section, is a domain that somebody owns.
///
/// The bundled list is the one that the `psl` crate compiles in, of the day of
/// its release, and needs the default feature `public-suffix-list`. A newer
/// list, or one for builds without that feature, is parsed from the text of
/// <https://publicsuffix.org/list/public_suffix_list.dat>.
///
/// ```
/// use headcount::{DomainPolicy, PublicSuffixes, Refusal};
///
/// let list = PublicSuffixes::parse(
///     "// ===BEGIN ICANN DOMAINS===\ncom\nco.example\n// ===END ICANN DOMAINS===",
/// )?;
/// let error = DomainPolicy::parse_with("corp.com, co.example", &list).unwrap_err();
/// assert_eq!((error.place, error.refusal), (2, Refusal::PublicSuffix));
/// # Ok::<(), headcount::SuffixListError>(())
/// ```
pub struct PublicSuffixes(Source);

enum Source {
    #[cfg(feature = "public-suffix-list")]
    Bundled,
    // Boxed: the other variant is empty, and lists are built once.
    Parsed(Box<publicsuffix::List>),
}

impl PublicSuffixes {
    /// The list compiled in. Costs nothing to make.
    #[cfg(feature = "public-suffix-list")]
    #[must_use]
    pub fn bundled() -> PublicSuffixes {
        PublicSuffixes(Source::Bundled)
    }

    /// Reads a list in the format of publicsuffix.org. Time and memory are linear
    /// in its length.
    ///
    /// # Errors
    ///
    /// A text without rules in an ICANN or private section, or with a rule
    /// that is not a domain.
    pub fn parse(list: &str) -> Result<PublicSuffixes, SuffixListError> {
        match list.parse() {
            Ok(list) => Ok(PublicSuffixes(Source::Parsed(Box::new(list)))),
            Err(error) => Err(SuffixListError(error.to_string())),
        }
    }

    /// Whether a domain in normal form is a public suffix of the ICANN section.
    pub(crate) fn is_public(&self, domain: &str) -> bool {
        let name = domain.as_bytes();
        let suffix = match &self.0 {
            #[cfg(feature = "public-suffix-list")]
            Source::Bundled => psl::Psl::suffix(&psl::List, name),
            Source::Parsed(list) => list.suffix(name),
        };
        suffix.is_some_and(|suffix| suffix.typ() == Some(Type::Icann) && suffix.as_bytes() == name)
    }
}

impl fmt::Debug for PublicSuffixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicSuffixes")
            .field(match &self.0 {
                #[cfg(feature = "public-suffix-list")]
                Source::Bundled => &"bundled",
                Source::Parsed(_) => &"parsed",
            })
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
// ===BEGIN ICANN DOMAINS===
com
cn
公司.cn
*.ck
!www.ck
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
uk.com
// ===END PRIVATE DOMAINS===
";

    fn check(list: &PublicSuffixes) {
        for (domain, public) in [
            ("com", true),
            ("mycompany.com", false),
            ("xn--55qx5d.cn", true), // 公司.cn
            ("foo.ck", true),        // a wildcard rule
            ("www.ck", false),       // its exception
            ("uk.com", false),       // private section: somebody owns it
            ("corp.internal", false),
        ] {
            assert_eq!(list.is_public(domain), public, "{list:?} {domain}");
        }
    }

    #[test]
    fn p3_public_suffixes_of_a_parsed_list() {
        check(&PublicSuffixes::parse(LIST).unwrap());
    }

    #[test]
    fn debug_does_not_show_thousands_of_rules() {
        assert_eq!(format!("{:?}", PublicSuffixes::parse(LIST).unwrap()), "PublicSuffixes(\"parsed\")");
    }

    #[cfg(feature = "public-suffix-list")]
    #[test]
    fn p3_public_suffixes_of_the_bundled_list() {
        check(&PublicSuffixes::bundled());
    }

    #[test]
    fn a_text_without_rules_is_no_list() {
        for text in ["", "com\nco.uk\n", "<html>not found</html>"] {
            let error = PublicSuffixes::parse(text).unwrap_err();
            assert_eq!(error.to_string(), "the public suffix list cannot be read: the provided list is not valid");
        }
        let error = PublicSuffixes::parse("// ===BEGIN ICANN DOMAINS===\na..b\n").unwrap_err();
        assert_eq!(error.to_string(), "the public suffix list cannot be read: rule `a..b` contains an empty label");
    }
}
