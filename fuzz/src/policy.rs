//! Any text as internal user domains (P), as a domain (N3), as the owner's
//! address (P5) and as a public suffix list.

use headcount::{Domain, DomainPolicy, EmailAddress, OwnerError, PolicyError, PublicSuffixes};

/// The target `policy`.
///
/// # Panics
///
/// Where an assertion fails.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for result in [DomainPolicy::parse(&text), DomainPolicy::from_domains([&text])] {
        match result {
            Ok(policy) => check_policy(&policy),
            Err(error) => check_error(&error),
        }
    }
    if let Ok([name]) = DomainPolicy::from_domains([&text]).as_ref().map(DomainPolicy::domains).as_deref() {
        let entry = text.trim();
        let entry = entry.strip_suffix(['.', '\u{3002}', '\u{FF0E}', '\u{FF61}']).unwrap_or(entry);
        assert_eq!(entry.parse::<Domain>().as_ref().map(Domain::as_str), Ok(*name), "P2: one trailing dot");
    }
    if let Ok(domain) = text.parse::<Domain>() {
        check_domain(domain.as_str());
    }
    check_owner(&text);
    if let Ok(suffixes) = PublicSuffixes::parse(&text) {
        let _ = DomainPolicy::parse_with("corp.example, co.uk, b\u{FC}cher.example", &suffixes);
    }
}

/// Every listed domain reads back as itself, alone and in the list, and is the
/// domain of an address that has it.
fn check_policy(policy: &DomainPolicy) {
    let domains = policy.domains();
    assert_eq!(domains.len(), policy.len());
    for name in &domains {
        check_domain(name);
        let domain: Domain = name.parse().expect("a listed domain is one");
        assert!(policy.contains(&domain), "{name}");
        let alone = DomainPolicy::from_domains([name]).expect("a listed domain can be listed");
        assert_eq!(alone.domains(), [*name]);
    }
    assert_eq!(DomainPolicy::parse(&policy.to_string()).as_ref(), Ok(policy));
    let json = serde_json::to_string(policy).expect("a policy is JSON");
    assert_eq!(serde_json::from_str::<DomainPolicy>(&json).expect("a written policy reads back"), *policy);
}

/// Normal form is a fixed point of N3, within DNS lengths, and matches
/// addresses.
fn check_domain(name: &str) {
    assert_eq!(name.parse::<Domain>().as_ref().map(Domain::as_str), Ok(name));
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)));
    assert!(name.len() <= 253 && name.split('.').count() > 1, "{name}");
    assert!(name.split('.').all(|label| (1..=63).contains(&label.len())), "{name}");
    let address = EmailAddress::parse(&format!("a@{name}"));
    match address {
        Some(address) => assert_eq!(address.domain(), name),
        None => assert_eq!(name.len(), 253, "V1: `a@` and a domain of 252 bytes are an address"),
    }
}

/// What to write instead can be written, and the message breaks no line.
fn check_error(error: &PolicyError) {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(error.entry.chars().count() <= 80 * "\\u{ff}".len() + 1);
    if let Some(instead) = &error.instead {
        assert!(instead.len() <= 253, "{message:?}");
        assert!(DomainPolicy::parse(instead).is_ok_and(|policy| policy.len() == 1), "{message:?}");
    }
}

/// P5: the domain of the address or a refusal, which shows no more of it.
fn check_owner(text: &str) {
    let address = EmailAddress::parse(text);
    match (DomainPolicy::of_owner(text), address) {
        (Ok(policy), Some(address)) => assert_eq!(policy.domains(), [address.domain()]),
        (Err(OwnerError::Domain { domain, .. }), Some(address)) => assert_eq!(domain, address.domain()),
        (Err(OwnerError::NotAnAddress), None) => {}
        (result, address) => panic!("{result:?} of {:?}", address.map(|address| address.as_str().to_owned())),
    }
}
