//! Any text in any field of a record (X1), against the rules written a second
//! time over another NFC.

use std::borrow::Cow;

use headcount::{
    AddError, Counter, DomainPolicy, EmailAddress, FingerprintKey, Platform, Runtime, Subscription, UnixSeconds,
    UserRecord,
};
use unicode_normalization::UnicodeNormalization as _;

use crate::{agreement, model};

/// Separates the fields in the target's input.
const SEPARATOR: char = '\u{1F}';

/// The target `text`: the fields of a record, separated by U+001F, in the
/// order email, login, tenant, provider, key, name, runtime. A field that is
/// not there is as the first, the runtime is `prod`.
///
/// # Panics
///
/// Where an assertion fails.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut fields = text.split(SEPARATOR);
    let email = fields.next().unwrap_or_default();
    let mut next = || fields.next().unwrap_or(email);
    let record = UserRecord {
        email: Some(email.into()),
        username: Some(next().into()),
        tenant: Some(next().into()),
        provider: Some(next().into()),
        key: Some(next().into()),
        name: Some(next().into()),
        runtime: fields.next().unwrap_or("prod").into(),
        ..UserRecord::default()
    };

    for text in texts(&record) {
        check_address(text);
    }
    check_record(&record);
    for platform in [Platform::O11, Platform::Odc] {
        check_counted(platform, &record);
        check_links(platform, &record);
    }
}

fn texts<'r>(record: &'r UserRecord<'_>) -> impl Iterator<Item = &'r str> {
    let UserRecord { email, username, tenant, provider, key, name, .. } = record;
    [email, username, tenant, provider, key, name].into_iter().flatten().map(AsRef::as_ref)
}

/// N2, over an NFC that is not the library's.
fn matching_form(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).collect()
}

/// V and N4: what an address is made of, and that it is found again.
fn check_address(text: &str) {
    let Some(address) = EmailAddress::parse(text) else { return };
    let (local, domain) = text.trim().rsplit_once('@').expect("V1");
    assert_eq!(address.local_part(), matching_form(local));
    assert_eq!(address.domain(), domain.parse::<headcount::Domain>().expect("V3").as_str());
    assert_eq!(address.as_str(), format!("{}@{}", address.local_part(), address.domain()));
    // Of what V2 allows, NFC makes one character what it does not: U+037E.
    let is_question = address.local_part().contains(';');
    assert_eq!(is_question, local.contains('\u{37E}'));
    assert!(!is_question || EmailAddress::parse(address.as_str()).is_none(), "V2");
    // Lower case may not be in NFC, and N2 longer than V1 allows. Else the normal form is its own.
    let is_own = matching_form(address.local_part()) == address.local_part();
    if is_own && !is_question {
        let too_long = address.local_part().len() > 64 || address.as_str().len() > 254;
        let again = EmailAddress::parse(address.as_str());
        assert!(again.as_ref() == (!too_long).then_some(&address), "{}", address.as_str());
    }
}

/// A record is what was written of it, and does not show it.
fn check_record(record: &UserRecord) {
    let json = serde_json::to_string(record).expect("a record is JSON");
    assert!(serde_json::from_str::<UserRecord>(&json).expect("a written record reads back") == *record);
    let broken = |text: &Option<Cow<str>>| text.as_ref().is_some_and(|text| text.trim().contains(char::is_control));
    let expected = usize::from(broken(&record.username)) + usize::from(broken(&record.email));
    assert_eq!(record.broken_fields().count(), expected);
    let shown = format!("{:?}", UserRecord { runtime: "".into(), provider: None, ..record.clone() });
    assert!(!shown.contains("canary"), "{shown}");
}

fn counter(platform: Platform) -> Counter {
    let o11 = platform == Platform::O11;
    let runtime = Runtime {
        name: "prod".into(),
        version: o11.then(|| "11.28.0".parse().expect("a version")),
        internal_domains: DomainPolicy::parse("corp.example, b\u{FC}cher.example").expect("a policy"),
        disabled_providers: if o11 { vec!["Caf\u{E9}".into()] } else { vec![] },
    };
    let subscription = Subscription::new(platform, vec![runtime], None).expect("a subscription");
    Counter::new(subscription, &FingerprintKey::public_for_tests(1))
}

/// `add` and `add_all` agree with each other and, as far as its table of NFC
/// goes, with the model.
fn check_counted(platform: Platform, record: &UserRecord) {
    let mut one_by_one = counter(platform);
    let mut at_once = counter(platform);
    if record.runtime.trim() != "prod" {
        assert_eq!(one_by_one.add(record), Err(AddError::UnknownRuntime));
        let stopped = at_once.add_all([record.clone()]).expect_err("an unknown runtime");
        assert_eq!((stopped.place, stopped.source), (1, AddError::UnknownRuntime));
        assert_eq!(one_by_one.report(), counter(platform).report());
        assert_eq!(at_once.report(), counter(platform).report());
        return;
    }
    let logged_in = Some(UnixSeconds(1_700_000_000));
    let swapped = UserRecord {
        username: record.email.clone(),
        email: record.username.clone(),
        provider: record.tenant.clone(),
        tenant: record.provider.clone(),
        last_login: logged_in,
        ..record.clone()
    };
    let bare = UserRecord { tenant: None, last_login: logged_in, ..record.clone() };
    let records = [record.clone(), swapped, bare];
    let outcomes = records.each_ref().map(|record| one_by_one.add(record).expect("a known runtime"));
    at_once.add_all(records.iter().cloned()).expect("a known runtime");
    assert_eq!(one_by_one.report(), at_once.report());

    // The model's table knows these two marks behind some letters only, and panics.
    let unknown =
        |text: &str| text.contains(['\u{301}', '\u{308}']) || model::matching_form(text) != matching_form(text);
    if texts(record).any(unknown) {
        return;
    }
    for (record, outcome) in records.iter().zip(outcomes) {
        assert_eq!(outcome, agreement::outcome(one_by_one.subscription(), record));
    }
    agreement::check_counter(&one_by_one, &records, 0);
}

/// Two records are one individual just where a login (O11) or key (ODC) or,
/// in O11, the address that the login is, says so (D2, D5, D8).
fn check_links(platform: Platform, record: &UserRecord) {
    let mut counter = counter(platform);
    let texts = [&record.email, &record.username].map(|text| text.as_deref().unwrap_or_default());
    for text in texts {
        let record = match platform {
            Platform::O11 => UserRecord { username: Some(text.into()), ..UserRecord::default() },
            Platform::Odc => UserRecord { key: Some(text.into()), ..UserRecord::default() },
        };
        let record = UserRecord { runtime: "prod".into(), last_login: Some(UnixSeconds(0)), ..record };
        counter.add(&record).expect("a known runtime");
    }
    let [one, other] = texts.map(|text| matching_form(text.trim()));
    let [address, other_address] = texts.map(EmailAddress::parse);
    let by_address = platform == Platform::O11 && address.is_some() && address == other_address;
    let linked = !one.is_empty() && one == other || by_address;
    let people = counter.report().global;
    assert_eq!((people.individuals.total(), people.duplicates), if linked { (1, 1) } else { (2, 0) });
}
