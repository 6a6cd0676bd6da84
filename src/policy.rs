//! `DomainPolicy`: the internal user domains (P).

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;

use crate::domain;
use crate::email::EmailAddress;
use crate::error::{DomainError, OwnerError, PolicyError, Refusal};
use crate::suffix::PublicSuffixes;
use crate::text::quoted;

/// The internal user domains of a runtime (P1 to P6): whose email domain is
/// one of them is internal, everyone else with an address is external (C5).
///
/// # Rules
///
/// - P1: written as the consoles take them, separated by commas; white space
///   around a domain, empty entries and repetitions are ignored. A policy
///   without domains is allowed and makes everyone internal (C2).
/// - P2: domains are normalised by N3 like those of records, see
///   [`Domain`](crate::Domain); one trailing dot is removed.
/// - P3: an entry that is no domain somebody could own is refused, see
///   [`Refusal`].
/// - P4: there is no limit on their number. Parsing is linear; a look-up
///   hashes one normalised domain, however many there are.
/// - C5: domains are equal or different; a subdomain is a different domain.
/// - P6: an ISV or MSP that delivers apps to a client lists the client's
///   domains, not its own.
///
/// A domain takes its length and some 20 to 40 bytes, by how full the set is.
///
/// With serde a policy is the comma list as a string. Reading one needs the
/// feature `public-suffix-list`, since nothing unchecked may become a policy.
///
#[cfg_attr(feature = "public-suffix-list", doc = "```")]
#[cfg_attr(not(feature = "public-suffix-list"), doc = "```ignore")]
/// use headcount::{Domain, DomainPolicy};
///
/// let policy = DomainPolicy::parse("mycompany.com, sales.mycompany.com")?;
/// let listed: Domain = "Sales.MyCompany.com".parse().unwrap();
/// let subdomain: Domain = "finance.mycompany.com".parse().unwrap();
/// assert!(policy.contains(&listed));
/// assert!(!policy.contains(&subdomain));
///
/// let error = DomainPolicy::parse("mycompany.com, ana@corp.com").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "internal domain 2, `ana@corp.com`: this is an email address, not a domain; write `corp.com`",
/// );
/// # Ok::<(), headcount::PolicyError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DomainPolicy {
    // Hashed without a secret: the keys are the customer's own configuration,
    // and looking up a hostile domain costs one bucket whatever it is.
    domains: HashSet<Box<str>, BuildHasherDefault<DefaultHasher>>,
}

impl DomainPolicy {
    /// Reads the consoles' comma list (P1), checked against the bundled
    /// public suffix list.
    ///
    /// # Errors
    ///
    /// The first entry that P3 refuses.
    #[cfg(feature = "public-suffix-list")]
    pub fn parse(list: &str) -> Result<DomainPolicy, PolicyError> {
        DomainPolicy::parse_with(list, &PublicSuffixes::bundled())
    }

    /// Reads the consoles' comma list (P1), checked against a list of the
    /// caller's.
    ///
    /// # Errors
    ///
    /// The first entry that P3 refuses.
    pub fn parse_with(list: &str, suffixes: &PublicSuffixes) -> Result<DomainPolicy, PolicyError> {
        DomainPolicy::from_domains_with(list.split(','), suffixes)
    }

    /// Takes domains one by one, checked against the bundled public suffix
    /// list. White space, empty entries and repetitions are ignored as in P1.
    ///
    /// # Errors
    ///
    /// The first entry that P3 refuses.
    #[cfg(feature = "public-suffix-list")]
    pub fn from_domains<I>(domains: I) -> Result<DomainPolicy, PolicyError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        DomainPolicy::from_domains_with(domains, &PublicSuffixes::bundled())
    }

    /// Takes domains one by one, checked against a list of the caller's.
    ///
    /// # Errors
    ///
    /// The first entry that P3 refuses.
    pub fn from_domains_with<I>(domains: I, suffixes: &PublicSuffixes) -> Result<DomainPolicy, PolicyError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut policy = DomainPolicy::default();
        for (place, entry) in (1..).zip(domains) {
            let entry = entry.as_ref().trim();
            if entry.is_empty() {
                continue;
            }
            match checked(entry, suffixes) {
                Ok(domain) => policy.domains.insert(domain.into_boxed_str()),
                Err((refusal, instead)) => {
                    let entry = quoted(entry);
                    return Err(PolicyError { place, entry, refusal, instead });
                }
            };
        }
        Ok(policy)
    }

    /// The policy that ODC subscriptions provisioned after 2026-03-20 start
    /// with (P5): the domain of the contract owner's address, checked against
    /// the bundled public suffix list.
    ///
    /// # Errors
    ///
    /// A text that is no address (V), or whose domain P3 refuses.
    #[cfg(feature = "public-suffix-list")]
    pub fn of_owner(address: &str) -> Result<DomainPolicy, OwnerError> {
        DomainPolicy::of_owner_with(address, &PublicSuffixes::bundled())
    }

    /// The same (P5), checked against a list of the caller's.
    ///
    /// # Errors
    ///
    /// A text that is no address (V), or whose domain P3 refuses.
    pub fn of_owner_with(address: &str, suffixes: &PublicSuffixes) -> Result<DomainPolicy, OwnerError> {
        let address = EmailAddress::parse(address).ok_or(OwnerError::NotAnAddress)?;
        let domain = address.domain();
        DomainPolicy::from_domains_with([domain], suffixes)
            .map_err(|error| OwnerError::Domain { domain: domain.to_owned(), refusal: error.refusal })
    }

    /// Whether a domain is one of the internal user domains (C5).
    #[must_use]
    pub fn contains(&self, domain: &crate::Domain) -> bool {
        self.lists(domain.as_str())
    }

    /// The same for a domain known to be in normal form.
    pub(crate) fn lists(&self, domain: &str) -> bool {
        self.domains.contains(domain)
    }

    /// Whether there is no domain at all, so that everyone is internal (C2).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// How many different domains there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.domains.len()
    }

    /// The domains in normal form, in no particular order.
    pub(crate) fn unordered(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(AsRef::as_ref)
    }

    /// The domains in normal form, sorted. Sorts at each call.
    #[must_use]
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = self.unordered().collect();
        domains.sort_unstable();
        domains
    }
}

/// The comma list, sorted and in normal form; parsing it gives the same policy.
impl fmt::Display for DomainPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.domains().join(", "))
    }
}

impl fmt::Debug for DomainPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.domains()).finish()
    }
}

impl serde::Serialize for DomainPolicy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "public-suffix-list")]
impl<'de> serde::Deserialize<'de> for DomainPolicy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<DomainPolicy, D::Error> {
        let list = std::borrow::Cow::<str>::deserialize(deserializer)?;
        DomainPolicy::parse(&list).map_err(serde::de::Error::custom)
    }
}

/// The normal form of a trimmed entry (P2), or why it is refused and what to
/// write instead (P3).
fn checked(entry: &str, suffixes: &PublicSuffixes) -> Result<String, (Refusal, Option<String>)> {
    if let Some((refusal, instead)) = lookalike(entry) {
        // A suggestion is one only where it would be accepted, and be read: UTS #46
        // ignores some characters, so that what it accepts can be of any length.
        let instead = instead.filter(|text| text.len() <= DOMAIN_MAX && domain_of(text, suffixes).is_ok());
        return Err((refusal, instead.map(str::to_owned)));
    }
    domain_of(entry, suffixes).map_err(|refusal| (refusal, None))
}

/// What people write where a domain is expected, and the domain inside it.
fn lookalike(entry: &str) -> Option<(Refusal, Option<&str>)> {
    if entry.contains(char::is_whitespace) {
        Some((Refusal::WhiteSpace, None))
    } else if let Some(scheme_end) = entry.find("//") {
        let rest = entry.get(scheme_end..).map(|rest| rest.trim_start_matches('/'));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#', ':']).next());
        Some((Refusal::Url, host))
    } else if entry.contains('/') {
        Some((Refusal::Url, entry.split('/').next()))
    } else if let Some(rest) = entry.strip_prefix('@') {
        Some((Refusal::LeadingAt, Some(rest)))
    } else if let Some((_, domain)) = entry.rsplit_once('@') {
        Some((Refusal::EmailAddress, Some(domain)))
    } else if entry.contains('*') {
        Some((Refusal::Wildcard, entry.strip_prefix("*.")))
    } else {
        None
    }
}

/// The longest domain, in bytes (RFC 1035, 2.3.4, as text without the last dot).
const DOMAIN_MAX: usize = 253;

/// The dots that UTS #46 takes for label separators.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{FF0E}', '\u{FF61}'];

fn domain_of(entry: &str, suffixes: &PublicSuffixes) -> Result<String, Refusal> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Err(Refusal::IpAddress);
    }
    // P2: one trailing dot is allowed and removed.
    let name = entry.strip_suffix(DOTS).unwrap_or(entry);
    let mut domain = String::with_capacity(name.len());
    match domain::push_normal_form(name, &mut domain) {
        Ok(()) if suffixes.is_public(&domain) => Err(Refusal::PublicSuffix),
        Ok(()) => Ok(domain),
        Err(DomainError::SingleLabel) if suffixes.is_public(&label_of(name)) => Err(Refusal::PublicSuffix),
        Err(error) => Err(Refusal::NotADomain(error)),
    }
}

/// The normal form of a single label (N3), which is one with another behind it.
fn label_of(name: &str) -> String {
    let mut domain = String::new();
    match domain::push_normal_form(&format!("{name}.example"), &mut domain) {
        Ok(()) => domain.strip_suffix(".example").unwrap_or_default().to_owned(),
        Err(_) => domain,
    }
}

#[cfg(all(test, feature = "public-suffix-list"))]
mod tests {
    use super::*;

    fn domains(list: &str) -> Vec<String> {
        let policy = DomainPolicy::parse(list).unwrap();
        policy.domains().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn p1_p2_lists() {
        for (origin, list, expected) in [
            (
                "P1 white space",
                " mycompany.com ,\n\tsales.mycompany.com ",
                &["mycompany.com", "sales.mycompany.com"][..],
            ),
            ("P1 empty entries", ",mycompany.com,, ,", &["mycompany.com"]),
            ("P1 repetition, after N3", "mycompany.com,MyCompany.COM", &["mycompany.com"]),
            ("P1 nothing left", " , ,", &[]),
            ("P2 one trailing dot", "mycompany.com.", &["mycompany.com"]),
            ("P2 one trailing dot, ideographic", "mycompany.com。", &["mycompany.com"]),
            ("P2 U-label and A-label", "Bücher.Example, xn--bcher-kva.example", &["xn--bcher-kva.example"]),
            ("P3 a private suffix is somebody's", "github.io", &["github.io"]),
            ("P3 an unlisted top level", "corp.internal", &["corp.internal"]),
        ] {
            assert_eq!(domains(list), expected, "{origin}");
        }
    }

    #[test]
    fn p3_refused_entries() {
        let single = Refusal::NotADomain(DomainError::SingleLabel);
        let malformed = Refusal::NotADomain(DomainError::Malformed);
        for (entry, refusal, instead) in [
            ("ana@corp.com", Refusal::EmailAddress, Some("corp.com")),
            ("ana@b@corp.com", Refusal::EmailAddress, Some("corp.com")),
            ("ana@co.uk", Refusal::EmailAddress, None),
            ("@corp.com", Refusal::LeadingAt, Some("corp.com")),
            ("@", Refusal::LeadingAt, None),
            ("*.corp.com", Refusal::Wildcard, Some("corp.com")),
            ("*corp.com", Refusal::Wildcard, None),
            ("*", Refusal::Wildcard, None),
            ("*.com", Refusal::Wildcard, None),
            ("https://corp.com/login?x", Refusal::Url, Some("corp.com")),
            ("https://corp.com:8443", Refusal::Url, Some("corp.com")),
            ("corp.com/login", Refusal::Url, Some("corp.com")),
            ("corp.com sales.corp.com", Refusal::WhiteSpace, None),
            ("corp .com", Refusal::WhiteSpace, None),
            ("localhost", single, None),
            ("10.0.0.1", Refusal::IpAddress, None),
            ("::1", Refusal::IpAddress, None),
            ("[2001:db8::1]", Refusal::IpAddress, None),
            ("corp.1", Refusal::NotADomain(DomainError::Numeric), None),
            ("corp_x.com", malformed, None),
            ("corp.com;sales.com", malformed, None),
            ("corp.com..", malformed, None),
            ("-corp.com", malformed, None),
            ("co.uk", Refusal::PublicSuffix, None),
            ("com", Refusal::PublicSuffix, None),
            ("COM.", Refusal::PublicSuffix, None),
            ("公司.cn", Refusal::PublicSuffix, None),
            ("РФ", Refusal::PublicSuffix, None), // The normal form is that of рф.
            ("ｃｏｍ", Refusal::PublicSuffix, None),
        ] {
            let error = DomainPolicy::parse(&format!("mycompany.com, ,{entry}")).unwrap_err();
            let instead = instead.map(str::to_owned);
            let expected = PolicyError { place: 3, entry: entry.to_owned(), refusal, instead };
            assert_eq!(error, expected, "P3 {entry}");
        }
    }

    #[test]
    fn p3_messages_say_what_to_write() {
        let message = |list: &str| DomainPolicy::parse(list).unwrap_err().to_string();
        assert_eq!(
            message("*.corp.com"),
            "internal domain 1, `*.corp.com`: wildcards are not supported: a subdomain counts only where it is listed itself; write `corp.com`"
        );
        assert_eq!(
            message("corp.com, co.uk"),
            "internal domain 2, `co.uk`: this is a public suffix, which nobody owns: everyone under it would be internal"
        );
        assert_eq!(message("local\u{7}host"), "internal domain 1, `local\\u{7}host`: not a valid domain name");
    }

    #[test]
    fn p3_suggestions_are_no_longer_than_a_domain() {
        let instead = |ignored: usize| {
            let entry = format!("ana@{}corp.com", "\u{AD}".repeat(ignored));
            DomainPolicy::parse(&entry).unwrap_err().instead
        };
        assert_eq!(instead(1).as_deref(), Some("\u{AD}corp.com"));
        assert_eq!(instead(5_000), None);
    }

    #[test]
    fn p5_the_owners_domain() {
        assert_eq!(DomainPolicy::of_owner("Owner@Corp.com").unwrap().domains(), ["corp.com"]);
        assert_eq!(DomainPolicy::of_owner("Owner"), Err(OwnerError::NotAnAddress));
        let error = DomainPolicy::of_owner("canary@co.uk").unwrap_err();
        assert!(matches!(error, OwnerError::Domain { refusal: Refusal::PublicSuffix, .. }));
        assert!(!error.to_string().contains("canary"));
    }

    #[test]
    fn serde_reads_and_writes_the_comma_list() {
        let policy: DomainPolicy = serde_json::from_str(r#""b.example, A.example,""#).unwrap();
        assert_eq!(serde_json::to_string(&policy).unwrap(), r#""a.example, b.example""#);
        for refused in [r#""co.uk""#, r#"["a.example"]"#, "null"] {
            assert!(serde_json::from_str::<DomainPolicy>(refused).is_err(), "{refused}");
        }
    }
}
