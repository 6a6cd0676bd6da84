//! RULES.md as tables, through the public API alone.
//!
//! A row begins with its origin: the id of a rule, words of that rule, and
//! behind ` -- ` what the row adds. Expected values come from the rule or are
//! derived by hand. The last test holds ids and words against RULES.md.

#![cfg(feature = "public-suffix-list")] // Subscriptions are read from files.

mod skipped;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use headcount::{
    AddError, Capacity, ClassTally, Counter, Domain, DomainError, DomainPolicy, EmailAddress, Exclusion,
    FingerprintKey, Licences, Outcome, OwnerError, Platform, PolicyError, Refusal, Report, Runtime, Standing, Status,
    StoppedAt, Subscription, UnixSeconds, Usage, UserRecord,
};

use crate::skipped::say_skipped;

type User = UserRecord<'static>;

/// 1900-01-01T00:00:00Z: 70 years before 1970, 17 of them leap years.
const NULL_DATE: i64 = -(70 * 365 + 17) * 86_400;
const A_DAY: i64 = 86_400;
const LAST_WEEK: Option<UnixSeconds> = Some(UnixSeconds(1_700_000_000));

/// A field's text; an empty one is left out.
fn text(text: impl Into<Cow<'static, str>>) -> Option<Cow<'static, str>> {
    Some(text.into()).filter(|text| !text.is_empty())
}

/// Someone of runtime `prod` who has logged in.
fn user(username: &'static str, email: &'static str) -> User {
    let (username, email) = (text(username), text(email));
    User { runtime: "prod".into(), username, email, last_login: LAST_WEEK, ..User::default() }
}

fn lab(user: User) -> User {
    User { runtime: "lab".into(), ..user }
}

fn provider(provider: &'static str, user: User) -> User {
    User { provider: text(provider), ..user }
}

fn tenant(tenant: &'static str, user: User) -> User {
    User { tenant: text(tenant), ..user }
}

fn key(key: &'static str, user: User) -> User {
    User { key: text(key), ..user }
}

fn never(user: User) -> User {
    User { last_login: None, ..user }
}

fn inactive(user: User) -> User {
    User { is_active: Some(false), ..user }
}

fn it_user(user: User) -> User {
    User { is_it_user: Some(true), ..user }
}

fn with_status(status: Status, user: User) -> User {
    User { status: Some(status), ..user }
}

fn json(line: &'static str) -> User {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// A subscription file of runtimes by name, version and internal domains.
fn subscription(head: &str, runtimes: &[(&str, &str, &str)]) -> Subscription {
    let table = |(name, version, domains): &(&str, &str, &str)| {
        let runtime = format!("[[runtime]]\nname = '{name}'\ninternal_domains = '{domains}'");
        match *version {
            "" => runtime,
            version => format!("{runtime}\nversion = '{version}'\ndisabled_providers = ['OldPortal']"),
        }
    };
    let tables: Vec<String> = runtimes.iter().map(table).collect();
    let file = format!("{head}\n{}", tables.join("\n"));
    toml::from_str(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn o11_with(version: &str, domains: &str) -> Subscription {
    subscription("platform = 'o11'", &[("prod", version, domains)])
}

/// One runtime, `prod`, whose internal domain is `mycompany.com`, and whose
/// provider `OldPortal` is disabled.
fn o11(version: &str) -> Subscription {
    o11_with(version, "mycompany.com")
}

/// Two runtimes, `prod` and `lab`.
fn o11_pair(prod: &str, lab: &str) -> Subscription {
    subscription("platform = 'o11'", &[("prod", prod, "mycompany.com"), ("lab", lab, "mycompany.com")])
}

fn odc() -> Subscription {
    subscription("platform = 'odc'", &[("prod", "", "mycompany.com")])
}

fn odc_pair() -> Subscription {
    subscription("platform = 'odc'", &[("prod", "", "mycompany.com"), ("lab", "", "mycompany.com")])
}

fn o11_disabling(provider: &str) -> Subscription {
    let runtime = Runtime { disabled_providers: vec![provider.to_owned()], ..o11("11.28.0").runtimes()[0].clone() };
    Subscription::new(Platform::O11, vec![runtime], None).unwrap()
}

fn counter(subscription: &Subscription) -> Counter {
    Counter::new(subscription.clone(), &FingerprintKey::public_for_tests(1))
}

fn named(outcome: Outcome) -> String {
    match outcome {
        Outcome::Excluded(reason) => reason.name().to_owned(),
        Outcome::Counted(why) => format!("{} {}", why.class.name(), why.rule),
    }
}

/// What becomes of a record, `internal C4` or `it_user`: the same when it comes
/// again, in the report, and when it is looked up.
fn outcome(subscription: &Subscription, record: &User) -> String {
    let mut counter = counter(subscription);
    let found = match counter.add(record) {
        Ok(outcome) => outcome,
        Err(error) => return error.to_string(),
    };
    assert_eq!(counter.add(record), Ok(found), "the second time");
    let report = counter.report();
    let standing = match counter.individuals().of(record).unwrap() {
        Standing::Excluded(reason) => Outcome::Excluded(reason),
        Standing::Alone(record) | Standing::Linked { record, .. } => Outcome::Counted(record),
    };
    assert_eq!(standing, found, "looked up");
    let prod = &report.runtimes[0];
    let reported = match found {
        Outcome::Excluded(reason) => prod.excluded.of(reason),
        Outcome::Counted(why) => by_class(&prod.providers[0].records)[why.class as usize],
    };
    assert_eq!(reported, 2, "reported");
    named(found)
}

fn by_class(tally: &ClassTally) -> [u64; 3] {
    [tally.internal, tally.external, tally.unclassified]
}

/// The report, which is the same however the records go in, and agrees with the
/// individuals that its records are found to be.
fn count(subscription: &Subscription, records: &[User]) -> Report {
    let mut counter = counter(subscription);
    counter.add_all(records.iter().cloned()).unwrap();
    let report = counter.report();
    let mut singly = self::counter(subscription);
    for record in records {
        singly.add(record).unwrap();
    }
    assert_eq!(report, singly.report(), "one by one");
    let mut backwards = self::counter(subscription);
    backwards.add_all(records.iter().rev().cloned()).unwrap();
    assert_eq!(report.global, backwards.report().global, "the last first");
    let mut individuals = counter.individuals();
    let (mut linked, mut alone) = (BTreeMap::new(), 0);
    for record in records {
        match individuals.of(record).unwrap() {
            Standing::Excluded(_) => {}
            Standing::Alone(_) => alone += 1,
            Standing::Linked { individual, class, .. } => assert_eq!(*linked.entry(individual).or_insert(class), class),
        }
    }
    assert_eq!(report.global.individuals.total(), alone + linked.len() as u64, "looked up");
    report
}

/// Individuals in each runtime, and globally.
fn totals(subscription: &Subscription, records: &[User]) -> (Vec<u64>, u64) {
    let report = count(subscription, records);
    let within = report.runtimes.iter().map(|runtime| runtime.people.individuals.total());
    (within.collect(), report.global.individuals.total())
}

/// Whether two records of one runtime are one individual.
fn one(subscription: &Subscription, a: User, b: User) -> bool {
    totals(subscription, &[a, b]) == (vec![1], 1)
}

fn assert_outcomes<const ROWS: usize>(subscription: &Subscription, table: [(&str, User, &str); ROWS]) {
    for (origin, record, expected) in table {
        assert_eq!(outcome(subscription, &record), expected, "{origin}");
    }
}

type Grouping = (&'static str, Subscription, Vec<User>, &'static [u64], u64);

fn assert_totals<const ROWS: usize>(table: [Grouping; ROWS]) {
    for (origin, subscription, records, within, global) in table {
        assert_eq!(totals(&subscription, &records), (within.to_vec(), global), "{origin}");
    }
}

#[test]
fn r1_runtimes_by_their_exact_names() {
    let unknown = AddError::UnknownRuntime.to_string();
    for (origin, runtime, expected) in [
        ("R1: exactly as the subscription does", "prod", "internal C5"),
        ("R1: exactly as the subscription does -- in the same letter case", "Prod", &*unknown),
        ("R1: never a guess -- not from its beginning", "pro", &unknown),
        ("R1: never a guess -- not the only one", "", &unknown),
        ("R2: Every text is trimmed of Unicode white space", "\u{2003}prod\n", "internal C5"),
    ] {
        let record = User { runtime: runtime.into(), ..user("ana", "ana@mycompany.com") };
        assert_eq!(outcome(&o11("11.28.0"), &record), expected, "{origin}");
    }
    let nowhere = serde_json::from_str::<User>("{}");
    let taken = nowhere.is_ok_and(|record| counter(&odc()).add(&record).is_ok());
    assert!(!taken, "R2: All but `runtime` are optional");
}

#[test]
fn r2_fields() {
    let every = json(
        r#"{"runtime":"prod","provider":"P","tenant":"T","key":"K","username":"u","email":"e","name":"n",
            "mobile_phone":"m","is_active":true,"status":"Active","last_login":0,"is_it_user":false}"#,
    );
    let expected = User {
        name: text("n"),
        mobile_phone: text("m"),
        is_active: Some(true),
        status: Some(Status::Active),
        last_login: Some(UnixSeconds(0)),
        is_it_user: Some(false),
        ..provider("P", tenant("T", key("K", user("u", "e"))))
    };
    assert_eq!(every, expected, "R2: Fields:");
    let rest = "key username email name mobile_phone is_active status last_login is_it_user provider tenant";
    let nothing = rest.split(' ').map(|field| format!(r#""{field}":null"#)).collect::<Vec<_>>().join(",");
    let nothing = format!(r#"{{"runtime":"prod",{nothing}}}"#);
    let expected = User { runtime: "prod".into(), ..User::default() };
    assert_eq!(serde_json::from_str::<UserRecord>(&nothing).unwrap(), expected, "R2: optional");
    assert_eq!(json(r#"{"runtime":"prod"}"#), expected, "R2: optional");
}

#[test]
fn r2_trimmed_and_absent() {
    let blank = "\u{a0}\t\u{2003}";
    let nobody = never(user("", ""));
    assert_outcomes(
        &o11("11.28.0"),
        [
            ("R2: an empty text is an absent one -- email", user("ana@else.example", blank), "external C5"),
            ("R2: an empty text is an absent one -- login", user(blank, "ana@else.example"), "external C5"),
            ("R2: an empty text is an absent one -- all", User { name: text(blank), ..nobody.clone() }, "anonymous"),
            ("R2: an empty text is an absent one", User { mobile_phone: text(blank), ..nobody }, "anonymous"),
            ("R2: trimmed -- email", user("", "\u{2003}ana@mycompany.com\u{a0}"), "internal C5"),
            ("R2: trimmed -- login", user("\u{2003}ana@else.example\r\n", ""), "external C5"),
            ("R2: trimmed -- provider", provider("\u{2003}OldPortal ", user("ana", "")), "disabled_provider"),
        ],
    );
    let empty = r#"{"runtime":"prod","username":"","email":"","name":"","mobile_phone":"","provider":"","tenant":""}"#;
    assert_eq!(outcome(&o11("11.28.0"), &json(empty)), "anonymous", "R2: an empty text is an absent one");
    let o11 = o11("11.28.0");
    let ana = || user("ana", "");
    for (origin, subscription, other, same) in [
        ("R2: trimmed -- login", &o11, user("\u{2003}ana\u{a0}", ""), true),
        ("R2: an empty text is an absent one -- tenant", &o11, tenant(blank, ana()), true),
        ("R2: trimmed -- tenant", &o11, tenant("\u{2003}Users ", ana()), true),
        ("R2: an empty text is an absent one -- provider", &o11, provider(blank, tenant("Users", ana())), true),
        ("R2: an empty text is an absent one -- key", &odc(), key(blank, ana()), false),
        ("R2: trimmed -- key", &odc(), key("\u{2003}k1\n", ana()), true),
    ] {
        let first = if same { key("k1", ana()) } else { key(blank, ana()) };
        assert_eq!(one(subscription, first, other), same, "{origin}");
    }
}

#[test]
fn r3_providers() {
    let (ana, users) = (user("ana", ""), o11_disabling("Users"));
    assert_outcomes(
        &users,
        [
            ("R3: absent means `Users`", ana.clone(), "disabled_provider"),
            ("R3: absent means `Users` -- not for another", provider("Portal", ana.clone()), "internal C4"),
        ],
    );
    for (origin, subscription) in [
        ("R3: absent means `Users` -- in the distribution", o11("11.28.0")),
        ("R3: for the distribution (T3) only -- ODC", odc()),
    ] {
        let records = [provider("Portal", key("k1", ana.clone())), provider("Users", key("k1", ana.clone()))];
        let report = count(&subscription, &records);
        let names: Vec<_> = report.runtimes[0].providers.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Portal", "Users"], "{origin}");
        assert_eq!(report.global.individuals.total(), 1, "{origin}");
    }
    let report = count(&o11("11.28.0"), &[ana.clone(), provider("users", ana)]);
    assert_eq!(report.runtimes[0].providers.len(), 1, "R3: absent means `Users` (O11's default)");
}

#[test]
fn r4_default_tenants() {
    let ana = || user("ana", "");
    for (origin, other, same) in [
        ("R4: when `tenant` is absent", ana(), true),
        ("R4: or equals the provider's name", provider("Portal", tenant("Portal", ana())), true),
        ("R4: or equals the provider's name -- that of its own", provider("Portal", tenant("Users", ana())), false),
        ("R4: or equals the provider's name -- which may be absent", tenant("Users", ana()), true),
        ("R4: or equals the provider's name -- wholly", tenant("User", ana()), false),
        ("R4: Compared in matching form (N2)", provider("JOSE\u{301}", tenant("josé", ana())), true),
        ("R4: Compared in matching form (N2)", tenant("uSERS", ana()), true),
        ("R4: Compared in matching form (N2) -- no more than that", tenant("Ｕsers", ana()), false),
    ] {
        assert_eq!(one(&o11("11.28.0"), ana(), other), same, "{origin}");
    }
}

#[test]
fn r5_activity_and_the_null_date() {
    let at = |seconds| User { last_login: Some(UnixSeconds(seconds)), ..key("k1", user("ana", "")) };
    assert_outcomes(
        &odc(),
        [
            ("R5: `is_active` absent means active", user("ana", ""), "internal C4"),
            ("R5: `last_login` absent", never(user("ana", "")), "never_logged_in"),
            ("R5: its null date, 1900-01-01", at(NULL_DATE), "never_logged_in"),
            ("R5: not later than 1900-01-01T23:59:59Z", at(NULL_DATE + A_DAY - 1), "never_logged_in"),
            ("R5: not later than 1900-01-01T23:59:59Z -- later", at(NULL_DATE + A_DAY), "internal C4"),
            ("R5: not later than 1900-01-01T23:59:59Z -- before it", at(i64::MIN), "never_logged_in"),
            ("R5: not later than 1900-01-01T23:59:59Z -- 1970", at(0), "internal C4"),
            ("R5: not later than 1900-01-01T23:59:59Z -- ever", at(i64::MAX), "internal C4"),
        ],
    );
    let nobody = User { last_login: Some(UnixSeconds(NULL_DATE)), ..user("", "") };
    assert_eq!(outcome(&o11("11.28.0"), &nobody), "anonymous", "R5: means never logged in -- so E4");
}

#[test]
fn r6_keys() {
    for (origin, subscription, a, b, same) in [
        ("R6: the platform's own identifier of the record -- ODC", odc(), "k1", "k1", true),
        ("R6: the platform's own identifier of the record -- ODC", odc(), "k1", "k2", false),
        ("R6: Compared in matching form (N2)", odc(), "K\u{301}1", "\u{1e31}1", true),
        ("R6: the platform's own identifier of the record -- merges nothing in O11", o11("11.28.0"), "1", "1", false),
    ] {
        assert_eq!(one(&subscription, key(a, user("ana", "")), key(b, user("bo", ""))), same, "{origin}");
    }
}

#[test]
fn r7_status() {
    for (origin, line, o11_outcome, odc_outcome) in [
        ("R7: `Active`", "Active", "internal C4", "internal C4"),
        ("R7: in any letter case", "aCTIVE", "internal C4", "internal C4"),
        ("R7: `Invited`", "INVITED", "internal C4", "internal C4"),
        ("R7: `PendingRegistration`", "pendingregistration", "internal C4", "internal C4"),
        ("R7: `Inactive`", "iNACTIVE", "inactive", "inactive"),
        ("R7: where it is given it means the same -- O11", "Inactive", "inactive", "inactive"),
    ] {
        let record = User { status: Some(line.parse().unwrap()), ..user("ana", "") };
        assert_eq!(outcome(&o11("11.28.0"), &record), o11_outcome, "{origin}");
        assert_eq!(outcome(&odc(), &record), odc_outcome, "{origin}");
        let read: Status = serde_json::from_str(&format!("\"{line}\"")).unwrap();
        assert_eq!(Some(read), record.status, "{origin}");
    }
    for status in ["Canary", "", "In active", "Pending Registration", "Deleted", "1"] {
        assert!(status.parse::<Status>().is_err(), "R7: another value is a malformed row: {status}");
        let error = serde_json::from_str::<Status>(&format!("\"{status}\"")).unwrap_err().to_string();
        assert!(!error.contains("Canary"), "X2: it never shows the personal data itself");
    }
}

#[test]
fn e_one_reason_in_o11() {
    let (ana, nobody) = (user("ana", ""), never(user("", "")));
    assert_outcomes(
        &o11("11.28.0"),
        [
            (
                "E1: one of the runtime's disabled user providers",
                provider("OldPortal", ana.clone()),
                "disabled_provider",
            ),
            ("E1: one of the runtime's disabled -- and no other", provider("Portal", ana.clone()), "internal C4"),
            ("E1: one of the runtime's disabled -- by N2", provider("OLDportal", ana.clone()), "disabled_provider"),
            ("E2: someone who only builds or administers", it_user(ana.clone()), "it_user"),
            ("E2: Someone who is both", User { is_it_user: Some(false), ..ana.clone() }, "internal C4"),
            ("E2: the provider `ServiceCenter` holds IT users", provider("ServiceCenter", ana.clone()), "it_user"),
            ("E2: the provider `ServiceCenter` -- by N2", provider("servicecenteR", ana.clone()), "it_user"),
            ("E2: the provider `ServiceCenter` -- not its tenant", tenant("ServiceCenter", ana.clone()), "internal C4"),
            ("E3: `is_active` is false", inactive(ana.clone()), "inactive"),
            ("E3: `is_active` is false", User { is_active: Some(true), ..ana.clone() }, "internal C4"),
            ("E3: or `status` is `Inactive`", with_status(Status::Inactive, ana.clone()), "inactive"),
            ("E4: and no login, email, name, mobile phone", nobody.clone(), "anonymous"),
            ("E4: never logged in -- who did counts", user("", ""), "internal C4"),
            ("E4: no login", never(user("ana", "")), "internal C4"),
            ("E4: email", never(user("", "no address")), "internal C4"),
            ("E4: name", User { name: text("Ana"), ..nobody.clone() }, "internal C4"),
            ("E4: mobile phone", User { mobile_phone: text("1"), ..nobody.clone() }, "internal C4"),
            ("E4: and no login, email, name, mobile phone -- a key is none", key("1", nobody), "anonymous"),
            ("E5: In O11 a user who never logged in counts", never(ana.clone()), "internal C4"),
            ("E6: do not exclude by themselves -- nor in O11", with_status(Status::Invited, never(ana)), "internal C4"),
        ],
    );
}

#[test]
fn e_one_reason_in_odc() {
    let (ana, nobody) = (user("ana", ""), never(user("", "")));
    assert_outcomes(
        &odc(),
        [
            ("E1: (O11) -- ODC disables none", provider("OldPortal", ana.clone()), "internal C4"),
            ("E2: ODC member without end-user roles", it_user(ana.clone()), "it_user"),
            ("E2: In O11 the provider `ServiceCenter`", provider("ServiceCenter", ana.clone()), "internal C4"),
            ("E3: `is_active` is false", inactive(ana.clone()), "inactive"),
            ("E3: or `status` is `Inactive`", with_status(Status::Inactive, ana.clone()), "inactive"),
            ("E4: never logged in, and no login", User { last_login: LAST_WEEK, ..nobody }, "internal C4"),
            ("E5: has never logged in", never(ana.clone()), "never_logged_in"),
            ("E5: has never logged in", never(with_status(Status::Active, ana.clone())), "never_logged_in"),
            ("E6: do not exclude by themselves", with_status(Status::Invited, ana.clone()), "internal C4"),
            ("E6: do not exclude", with_status(Status::PendingRegistration, ana.clone()), "internal C4"),
            ("E6: E5 decides", with_status(Status::Invited, never(ana.clone())), "never_logged_in"),
            ("E6: E5 decides", with_status(Status::PendingRegistration, never(ana)), "never_logged_in"),
        ],
    );
}

#[test]
fn e_the_first_rule_that_holds_gives_the_reason() {
    let (ana, nobody) = (user("ana", ""), never(user("", "")));
    let old = |user| provider("OldPortal", user);
    let center = |user| provider("ServiceCenter", user);
    assert_outcomes(
        &o11("11.28.0"),
        [
            ("E1: `disabled_provider` -- before E2", old(it_user(ana.clone())), "disabled_provider"),
            ("E1: `disabled_provider` -- before E3", old(inactive(ana.clone())), "disabled_provider"),
            ("E1: `disabled_provider` -- before E4", old(nobody.clone()), "disabled_provider"),
            ("E2: `it_user` -- before E3", it_user(inactive(ana.clone())), "it_user"),
            ("E2: `it_user` -- before E3 by status", it_user(with_status(Status::Inactive, ana.clone())), "it_user"),
            ("E2: `it_user` -- before E3, by provider", center(inactive(ana.clone())), "it_user"),
            ("E2: `it_user` -- before E4", it_user(nobody.clone()), "it_user"),
            ("E2: `it_user` -- before E4, by provider", center(nobody.clone()), "it_user"),
            ("E3: `inactive` -- before E4", inactive(nobody.clone()), "inactive"),
            ("E3: `inactive` -- before E4, by status", with_status(Status::Inactive, nobody.clone()), "inactive"),
        ],
    );
    assert_outcomes(
        &o11_disabling("ServiceCenter"),
        [("E1: `disabled_provider` -- before E2 by provider", center(ana.clone()), "disabled_provider")],
    );
    assert_outcomes(
        &odc(),
        [
            ("E2: `it_user` -- before E5", it_user(never(ana.clone())), "it_user"),
            ("E3: `inactive` -- before E5", inactive(never(ana)), "inactive"),
            ("E3: `inactive` -- before E4 and E5", inactive(nobody.clone()), "inactive"),
            ("E4: `anonymous` -- before E5", nobody, "anonymous"),
        ],
    );
}

/// "An excluded record takes no part in anything below": `middle` would make
/// one person of the other two, and an internal one.
#[test]
fn e_excluded_records_bridge_nothing() {
    let middle = || user("ana", "bo@mycompany.com");
    let ends = || vec![user("ana", "ana@else.example"), user("bo", "bo@mycompany.com")];
    for (origin, middle, total) in [
        ("D2: all three are one -- where all count", middle(), 1),
        ("E1: one of the runtime's disabled user providers", provider("OldPortal", middle()), 2),
        ("E2: someone who only builds or administers", it_user(middle()), 2),
        ("E2: holds IT users", provider("ServiceCenter", middle()), 2),
        ("E3: deactivated", inactive(middle()), 2),
    ] {
        let mut records = ends();
        records.push(middle);
        let report = count(&o11("11.28.0"), &records);
        assert_eq!(report.global.individuals.total(), total, "{origin}");
        assert_eq!(report.runtimes[0].people, report.global, "{origin}");
        assert_eq!(
            (report.global.duplicates, report.global.mixed_class),
            (3 - total - (total - 1), 2 - total),
            "{origin}"
        );
        assert_eq!(by_class(&report.global.individuals), [1, total - 1, 0], "{origin}");
    }
    let keyed = |email| key("k1", user("ana", email));
    let report = count(&odc(), &[keyed("ana@else.example"), never(keyed("ana@mycompany.com"))]);
    let expected = ([0, 1, 0], 0, 0);
    let found = (by_class(&report.global.individuals), report.global.duplicates, report.global.mixed_class);
    assert_eq!(found, expected, "E5: `never_logged_in` -- has no class");
}

#[test]
fn c1_c2_versions_and_no_domains() {
    let (inside, outside, none) = (user("ana", "ana@mycompany.com"), user("ana", "ana@else.example"), user("ana", ""));
    let listed = "mycompany.com";
    for (origin, version, domains, record, expected) in [
        ("C1: O11 before 11.7.0 does not classify", "11.6.99", listed, &inside, "unclassified C1"),
        ("C1: does not classify -- nobody", "11.6.99", listed, &outside, "unclassified C1"),
        ("C1: does not classify -- before C4", "11.6.99", listed, &none, "unclassified C1"),
        ("C1: does not classify -- before C2", "11.6.99", "", &inside, "unclassified C1"),
        ("C1: does not classify -- before C2 and C4", "11.6.99", "", &none, "unclassified C1"),
        ("C1: before 11.7.0 -- as numbers", "10.99.99", listed, &outside, "unclassified C1"),
        ("C1: before 11.7.0 -- as numbers", "11.10.0", listed, &outside, "external C5"),
        ("C1: before 11.7.0 -- itself not", "11.7.0", listed, &outside, "external C5"),
        ("C1: before 11.7.0 -- of three numbers", "11.6.4000.9", listed, &outside, "unclassified C1"),
        ("C2: everyone is internal", "11.7.0", "", &inside, "internal C2"),
        ("C2: everyone is internal -- before C5", "11.28.0", "", &outside, "internal C2"),
        ("C2: everyone is internal -- before C4", "11.28.0", "", &none, "internal C2"),
    ] {
        assert_eq!(outcome(&o11_with(version, domains), record), expected, "{origin}");
    }
    let odc = subscription("platform = 'odc'", &[("prod", "", "")]);
    assert_eq!(outcome(&odc, &outside), "internal C2", "C2: No internal user domains configured");
}

#[test]
fn c3_c4_the_email_address_of_a_record() {
    // Of username and email: what they come to in O11, and in ODC.
    for (origin, username, email, o11_outcome, odc_outcome) in [
        ("C3: its `email`", "ana", "ana@else.example", "external C5", "external C5"),
        ("C3: else, in O11 only, its `username`", "ana@else.example", "", "external C5", "internal C4"),
        ("C3: if that is a valid address (V)", "ana@else.example", "ana", "external C5", "internal C4"),
        ("C3: if that is a valid address (V)", "ana@else.example", "a@localhost", "external C5", "internal C4"),
        ("C3: Email wins", "ana@mycompany.com", "ana@else.example", "external C5", "external C5"),
        ("C3: Email wins", "ana@else.example", "ana@mycompany.com", "internal C5", "internal C5"),
        ("C3: ODC looks at `email` alone", "ana@mycompany.com", "", "internal C5", "internal C4"),
        ("C4: No email address: internal", "ana", "", "internal C4", "internal C4"),
        ("C4: An invalid address is no address", "ana", "ana@else@else.example", "internal C4", "internal C4"),
        ("C4: An invalid address is no address", "ana b@else.example", "ana@", "internal C4", "internal C4"),
        ("C4: No email address: internal -- a name is none", "", "", "internal C4", "internal C4"),
    ] {
        let record = User { name: text("ana@else.example"), ..user(username, email) };
        assert_eq!(outcome(&o11("11.28.0"), &record), o11_outcome, "{origin}");
        assert_eq!(outcome(&odc(), &record), odc_outcome, "{origin}");
    }
}

#[test]
fn c5_listed_domains() {
    // 31 bytes, 32 and 39.
    let [long, longer, longest] = [
        "quill-insurance-holding.example",
        "quill-insurances-holding.example",
        "claims.quill-insurance-holding.example.",
    ];
    let policy = format!("mycompany.com, sales.mycompany.com, bücher.example, {long}, {longer}, {longest}");
    let (o11, odc) = (o11_with("11.28.0", &policy), subscription("platform = 'odc'", &[("prod", "", &policy)]));
    for (origin, domain, class) in [
        ("C5: is one of the runtime's internal user domains: internal", "mycompany.com", "internal"),
        ("C5: else external", "else.example", "external"),
        ("C5: a subdomain is a different domain", "finance.mycompany.com", "external"),
        ("C5: a subdomain is a different domain -- unless listed", "sales.mycompany.com", "internal"),
        ("C5: The domain must be equal -- to its beginning", "notmycompany.com", "external"),
        ("C5: The domain must be equal -- to its end", "mycompany.com.example", "external"),
        ("C5: The domain must be equal -- above it", "company.com", "external"),
        ("C5: The domain must be equal -- by N3", "MyCompany.COM", "internal"),
        ("C5: The domain must be equal -- by N3", "BÜCHER.example", "internal"),
        ("C5: The domain must be equal -- by N3", "xn--bcher-kva.example", "internal"),
        ("C5: The domain must be equal -- by N3", "bucher.example", "external"),
        ("C5: The domain must be equal -- long ones", long, "internal"),
        ("C5: The domain must be equal -- long ones", longer, "internal"),
        ("C5: The domain must be equal -- long ones", longest.trim_end_matches('.'), "internal"),
        ("C5: The domain must be equal -- long ones", "claims.quill-insurance-holding.exampla", "external"),
        ("C5: The domain must be equal -- long ones", "quill-insurance-holding.exampla", "external"),
    ] {
        let record = User { email: text(format!("ana@{domain}")), ..user("ana", "") };
        assert_eq!(outcome(&o11, &record), format!("{class} C5"), "{origin}");
        assert_eq!(outcome(&odc, &record), format!("{class} C5"), "{origin}");
    }
    let two = [("prod", "11.28.0", "mycompany.com"), ("lab", "11.28.0", "else.example")];
    let report = count(
        &subscription("platform = 'o11'", &two),
        &[
            user("ana", "ana@mycompany.com"),
            user("bo", "bo@else.example"),
            user("cy", "cy@else.example"),
            lab(user("dee", "dee@else.example")),
            lab(user("eve", "eve@mycompany.com")),
        ],
    );
    let classes: Vec<_> = report.runtimes.iter().map(|runtime| by_class(&runtime.people.individuals)).collect();
    assert_eq!(classes, [[1, 2, 0], [1, 1, 0]], "C5: one of the runtime's internal user domains -- its own");
    assert_eq!(by_class(&report.global.individuals), [2, 3, 0], "C5: one of the runtime's internal user domains");
}

#[test]
fn c6_the_class_of_an_individual() {
    // By version of `lab`: it classifies, or it does not.
    let [classifying, older] = [o11_pair("11.28.0", "11.28.0"), o11_pair("11.28.0", "11.6.0")];
    let internal = || user("ana", "ana@mycompany.com");
    let external = || user("ana", "ana@else.example");
    let unclassified = || lab(user("ana", "ana@third.example"));
    for (origin, subscription, records, classes, mixed) in [
        ("C6: internal if any record is internal", &classifying, vec![internal(), external()], [1, 0, 0], 1),
        ("C6: internal if any record is internal", &classifying, vec![external(), internal()], [1, 0, 0], 1),
        ("C6: internal if any record is internal", &older, vec![internal(), unclassified()], [1, 0, 0], 1),
        ("C6: internal if any record is internal", &older, vec![unclassified(), internal()], [1, 0, 0], 1),
        ("C6: else external if any is external", &older, vec![external(), unclassified()], [0, 1, 0], 1),
        ("C6: else external if any is external", &older, vec![unclassified(), external()], [0, 1, 0], 1),
        ("C6: any record", &older, vec![unclassified(), external(), internal()], [1, 0, 0], 1),
        ("C6: else unclassified", &older, vec![unclassified(), unclassified()], [0, 0, 1], 0),
        ("C6: else external", &classifying, vec![external(), external()], [0, 1, 0], 0),
        ("C6: Such individuals are counted as `mixed_class`", &classifying, vec![internal(), internal()], [1, 0, 0], 0),
        (
            "C6: Such individuals are counted as `mixed_class` -- one for all its records",
            &classifying,
            vec![internal(), external(), internal(), lab(external())],
            [1, 0, 0],
            1,
        ),
    ] {
        let people = count(subscription, &records).global;
        assert_eq!((by_class(&people.individuals), people.mixed_class), (classes, mixed), "{origin}");
    }
    let two_stages = subscription("platform = 'odc'", &[("prod", "", "mycompany.com"), ("lab", "", "else.example")]);
    let ana = || key("k1", user("ana", "ana@else.example"));
    let report = count(&two_stages, &[ana(), lab(ana())]);
    let found = (by_class(&report.global.individuals), report.global.mixed_class);
    assert_eq!(found, ([1, 0, 0], 1), "C6: whose records differ -- of one address, in two runtimes");
}

#[test]
fn d1_d2_d8_within_a_runtime() {
    let new = || o11("11.28.0");
    let bo = || user("bo", "bo@x.example");
    let known = |record| User { name: text("Ana Lopes"), mobile_phone: text("555"), ..record };
    assert_totals([
        ("D1: each counted record is an individual", new(), vec![user("ana", "ana@x.example"), bo()], &[2], 2),
        ("D1: By default -- a name is no reason", new(), vec![known(user("ana", "")), known(bo())], &[2], 2),
        ("D2: with the same email address (C3)", new(), vec![user("ana", "bo@x.example"), bo()], &[1], 1),
        ("D2: with the same email address (C3) -- by N4", new(), vec![user("ana", "Bo@X.Example"), bo()], &[1], 1),
        (
            "D2: with the same email address (C3) -- not field",
            new(),
            vec![user("ana", "n/a"), user("bo", "n/a")],
            &[2],
            2,
        ),
        ("D2: or the same login", new(), vec![user("bo", "ana@x.example"), bo()], &[1], 1),
        ("D2: or the same login -- by N2", new(), vec![user("BO", ""), bo()], &[1], 1),
        ("D2: also across user providers", new(), vec![provider("Portal", user("bo", "")), bo()], &[1], 1),
        ("D2: also across user providers", new(), vec![provider("Portal", user("ana", "bo@x.example")), bo()], &[1], 1),
        (
            "D2: A and B share a login, B and C an email",
            new(),
            vec![user("ana", "ana@x.example"), user("ana", "bo@x.example"), bo()],
            &[1],
            1,
        ),
        (
            "D2: transitively -- the bridge last, and two of them",
            new(),
            vec![
                user("a", "a@x.example"),
                user("c", "c@x.example"),
                bo(),
                user("a", "bo@x.example"),
                user("bo", "c@x.example"),
            ],
            &[1],
            1,
        ),
        ("D2: O11 from 11.11.3", o11("11.11.3"), vec![bo(), bo()], &[1], 1),
        ("D2: O11 from 11.11.3 -- as numbers", o11("11.11.20"), vec![bo(), bo()], &[1], 1),
        ("D2: O11 from 11.11.3 -- as numbers", o11("12.0.0"), vec![bo(), bo()], &[1], 1),
        ("D8: An absent email or login matches nothing", new(), vec![user("", ""), user("", "")], &[2], 2),
        ("D8: absent email -- two", new(), vec![user("ana", ""), user("bo", "")], &[2], 2),
        ("D8: login matches nothing -- two", new(), vec![user("", "ana@x.example"), user("", "bo@x.example")], &[2], 2),
        ("D8: An absent email -- a blank one", new(), vec![user("ana", " "), user("bo", " ")], &[2], 2),
        ("D8: login matches nothing -- a blank one", new(), vec![user(" ", "ana@x.example"), user(" ", "")], &[2], 2),
    ]);
}

#[test]
fn d3_d4_d6_tenants_versions_runtimes() {
    let new = || o11("11.28.0");
    let bo = || user("bo", "bo@x.example");
    let acme = |record| tenant("Acme", record);
    assert_totals([
        ("D3: always an individual of its own", new(), vec![acme(bo()), bo()], &[2], 2),
        ("D3: always an individual of its own -- two of the same tenant", new(), vec![acme(bo()), acme(bo())], &[2], 2),
        ("D3: always an individual of its own -- of two", new(), vec![acme(bo()), tenant("Nord", bo())], &[2], 2),
        (
            "D3: always an individual of its own -- so it bridges nothing",
            new(),
            vec![user("ana", ""), acme(user("ana", "bo@x.example")), bo()],
            &[3],
            3,
        ),
        (
            "D3: always an individual of its own -- global",
            o11_pair("11.28.0", "11.28.0"),
            vec![acme(bo()), lab(acme(bo()))],
            &[1, 1],
            2,
        ),
        (
            "D3: O11, a record outside the default tenant -- not ODC",
            odc(),
            vec![key("k", acme(bo())), key("k", bo())],
            &[1],
            1,
        ),
        ("D4: O11 before 11.11.3 -- D6 globally", o11("11.11.2"), vec![bo(), bo()], &[2], 1),
        ("D4: O11 before 11.11.3 -- as numbers", o11("11.9.30"), vec![bo(), bo()], &[2], 1),
        ("D4: nothing merges", o11("11.6.0"), vec![user("bo", ""), bo(), user("ana", "bo@x.example")], &[3], 1),
        (
            "D4: D1 holds in that runtime's tally",
            o11_pair("11.11.3", "11.11.2"),
            vec![bo(), bo(), lab(bo()), lab(bo())],
            &[1, 2],
            1,
        ),
        (
            "D4: D1 holds in that runtime's tally -- D3 globally",
            o11("11.11.2"),
            vec![acme(bo()), acme(bo()), bo()],
            &[3],
            3,
        ),
        (
            "D6: unique individuals across all runtimes",
            o11_pair("11.28.0", "11.28.0"),
            vec![bo(), lab(bo())],
            &[1, 1],
            1,
        ),
        (
            "D6: unique individuals -- only",
            o11_pair("11.28.0", "11.28.0"),
            vec![bo(), lab(user("ana", ""))],
            &[1, 1],
            2,
        ),
        ("D6: whatever their versions", o11_pair("11.11.2", "11.6.0"), vec![bo(), lab(bo())], &[1, 1], 1),
        (
            "D6: over all default-tenant records of all runtimes -- transitively",
            o11_pair("11.28.0", "11.6.0"),
            vec![user("ana", ""), user("cy", "bo@x.example"), lab(user("ana", "bo@x.example"))],
            &[2, 1],
            1,
        ),
        ("D6: ODC by D5", odc_pair(), vec![key("k1", bo()), lab(key("k1", user("ana", "")))], &[1, 1], 1),
        ("D6: ODC by D5 -- alone", odc_pair(), vec![key("k1", bo()), lab(key("k2", bo()))], &[1, 1], 2),
    ]);
}

#[test]
fn d5_users_of_odc() {
    let bo = || user("bo", "bo@x.example");
    assert_totals([
        (
            "D5: records with the same `key` are the same user",
            odc(),
            vec![key("k1", bo()), key("k1", user("ana", ""))],
            &[1],
            1,
        ),
        ("D5: a record is one user", odc(), vec![key("k1", bo()), key("k2", user("ana", ""))], &[2], 2),
        ("D5: A record without a key is a user of its own", odc(), vec![bo(), bo()], &[2], 2),
        ("D5: A record without a key is a user of its own", odc(), vec![key("k1", bo()), bo()], &[2], 2),
        ("D5: Emails and logins merge nothing in ODC", odc(), vec![key("k1", bo()), key("k2", bo())], &[2], 2),
        ("D5: across runtimes", odc_pair(), vec![key("k1", bo()), lab(key("k1", bo()))], &[1, 1], 1),
        (
            "D5: within a runtime -- in any provider",
            odc(),
            vec![key("k1", bo()), provider("P", key("k1", bo()))],
            &[1],
            1,
        ),
        ("D5: A record without a key -- global", odc_pair(), vec![bo(), lab(bo())], &[1, 1], 2),
        ("D8: matches nothing -- nor a blank key", odc(), vec![key(" ", bo()), key(" ", bo())], &[2], 2),
    ]);
}

#[test]
fn d7_emails_match_emails_and_logins_logins() {
    let new = || o11("11.28.0");
    let address = "ana@x.example";
    assert_totals([
        (
            "D7: equal another record's *email field* -- an address beside another",
            new(),
            vec![user("cy", address), user(address, "bo@x.example")],
            &[2],
            2,
        ),
        (
            "D7: equal another record's *email field* -- that is no address",
            new(),
            vec![user("cy", "ana"), user("ana", "bo@x.example")],
            &[2],
            2,
        ),
        (
            "D7: where the login is the record's email address by C3",
            new(),
            vec![user("cy", address), user(address, "")],
            &[1],
            1,
        ),
        (
            "D7: it is an email like any other -- and a login still",
            new(),
            vec![user(address, ""), user(address, "bo@x.example"), user("cy", address)],
            &[1],
            1,
        ),
        (
            "D7: logins match logins -- that look like addresses",
            new(),
            vec![user(address, "a@x.example"), user(address, "")],
            &[1],
            1,
        ),
        ("D7: by C3 -- with an email that is none", new(), vec![user(address, "n/a"), user("cy", address)], &[1], 1),
    ]);
}

/// Two runtimes, one that merges and one that does not classify, by hand:
/// ana is records 1, 2 and 11, cy is 5 and 12, zoe is 13 and 14.
fn scene() -> Vec<User> {
    vec![
        user("ana", "ana@mycompany.com"),
        provider("Portal", user("ana", "ana@else.example")),
        provider("portal", user("bo", "bo@else.example")),
        provider("Portal", tenant("Acme", user("bo", "bo@else.example"))),
        user("cy", ""),
        provider("OldPortal", user("dee", "dee@mycompany.com")),
        it_user(user("eve", "")),
        inactive(user("fay", "")),
        inactive(user("ana", "")),
        never(user("", "")),
        lab(user("ana", "")),
        lab(user("cy", "")),
        lab(user("zoe", "zoe@mycompany.com")),
        lab(user("zoe", "")),
    ]
}

const SCENE: [(&str, &str, &str); 2] = [("prod", "11.28.0", "mycompany.com"), ("lab", "11.6.0", "mycompany.com")];

#[test]
fn t_the_tallies_by_hand() {
    let report = count(&subscription("platform = 'o11'", &SCENE), &scene());
    let [prod, lab] = &report.runtimes[..] else { panic!("two runtimes") };
    let excluded = Exclusion::ALL.map(|reason| prod.excluded.of(reason));
    assert_eq!((prod.records, lab.records, report.records), (10, 4, 14), "T1: records read for it");
    assert_eq!(excluded, [1, 1, 2, 1, 0], "T1: how many, for each reason of E");
    assert_eq!((prod.excluded.total(), lab.excluded.total()), (5, 0), "T1: how many, for each reason of E");
    assert_eq!((prod.counted, lab.counted), (5, 4), "T1: records that count");
    for (origin, people, classes, total, duplicates, mixed) in [
        // {1, 2} internal, {3} and {4} external, {5} internal.
        ("T2: by D and C6", &prod.people, [2, 2, 0], 4, 1, 1),
        ("T2: `unclassified`", &lab.people, [0, 0, 4], 4, 0, 0),
        // {1, 2, 11}, {5, 12} internal, {3}, {4} external, {13, 14} unclassified.
        ("T2: Also global", &report.global, [2, 2, 1], 5, 4, 2),
    ] {
        assert_eq!(by_class(&people.individuals), classes, "{origin}");
        assert_eq!(people.individuals.total(), total, "{origin}");
        assert_eq!(people.duplicates, duplicates, "T4: `duplicates = counted - individuals.total` -- {origin}");
        assert_eq!(people.mixed_class, mixed, "T5: individuals whose records differ in class (C6) -- {origin}");
    }
    let distribution = |runtime: &headcount::RuntimeReport| -> BTreeMap<String, [u64; 3]> {
        runtime.providers.iter().map(|row| (row.name.to_lowercase(), by_class(&row.records))).collect()
    };
    let expected = [("portal".to_owned(), [0, 3, 0]), ("users".to_owned(), [2, 0, 0])];
    assert_eq!(distribution(prod), expected.into(), "T3: without deduplication");
    assert_eq!(distribution(lab), [("users".to_owned(), [0, 0, 4])].into(), "T3: for each user provider");
    for runtime in [prod, lab] {
        let sum: u64 = runtime.providers.iter().map(|row| row.records.total()).sum();
        assert_eq!(sum, runtime.counted, "T3: Sums to `counted`");
    }
    assert_eq!((4 + 4, report.global.individuals.total()), (8, 5), "T6: is not the global number");
}

#[test]
fn t_the_tallies_of_odc() {
    let ana = || key("k1", user("ana", "ana@mycompany.com"));
    let records = [ana(), ana(), lab(ana()), never(ana()), lab(never(ana())), lab(never(user("", "")))];
    let report = count(&odc_pair(), &records);
    let [prod, lab] = &report.runtimes[..] else { panic!("two runtimes") };
    let excluded = [prod, lab].map(|runtime| Exclusion::ALL.map(|reason| runtime.excluded.of(reason)));
    assert_eq!(excluded, [[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], "T1: `excluded`");
    let found = [prod, lab].map(|runtime| (runtime.records, runtime.counted, runtime.people.duplicates));
    assert_eq!(found, [(3, 2, 1), (3, 1, 0)], "T1: `records = counted + sum(excluded)`");
    assert_eq!(report.global.duplicates, 2, "T4: Also global");
    let sum = prod.people.individuals.total() + lab.people.individuals.total();
    assert_eq!((sum, report.global.individuals.total()), (2, 1), "T6: appears in both estimates and once");
    assert_eq!(report.global.mixed_class, 0, "T5: Also global");
}

/// The rows of the capacity that a report of the scene has: name, used,
/// overage, packs.
fn usage(capacity: &str) -> Vec<(&'static str, u64, u64, u64)> {
    let report = count(&subscription(&format!("platform = 'o11'\ncapacity = {{ {capacity} }}"), &SCENE), &scene());
    let row = |(name, usage): (&'static str, Usage)| (name, usage.used, usage.overage(), usage.packs_to_buy());
    let rows: Vec<_> = report.capacity.unwrap().rows().map(row).collect();
    let over = rows.iter().any(|(_, _, overage, _)| *overage > 0);
    assert_eq!(report.is_over_capacity(), over, "S3: Exceeding means out of compliance");
    rows
}

#[test]
fn s1_s2_capacities_and_their_use() {
    // The scene is 2 internal, 2 external and 1 unclassified individual.
    for (origin, capacity, expected) in [
        ("S1: Two capacities", "internal = 9, external = 9", vec![("internal", 3, 0, 0), ("external", 2, 0, 0)]),
        ("S1: in the older model, one: `named`", "named = 9", vec![("named", 5, 0, 0)]),
        (
            "S2: an unclassified individual uses an internal licence",
            "internal = 2, external = 2",
            vec![("internal", 3, 1, 1), ("external", 2, 0, 0)],
        ),
        ("S2: under `named`, every individual uses one", "named = 4", vec![("named", 5, 1, 1)]),
        ("S2: Usage is the **global** tally", "named = 5", vec![("named", 5, 0, 0)]),
        (
            "S4: pack sizes are configurable",
            "internal = 0, external = 0, internal_pack = 2, external_pack = 1",
            vec![("internal", 3, 3, 2), ("external", 2, 2, 2)],
        ),
        ("S4: pack sizes are configurable", "named = 0, internal_pack = 4", vec![("named", 5, 5, 2)]),
    ] {
        assert_eq!(usage(capacity), expected, "{origin}");
    }
    for capacity in ["", "internal = 1", "external = 1", "named = 1, internal = 1, external = 1", "named = -1"] {
        let file = format!("platform = 'odc'\ncapacity = {{ {capacity} }}\n[[runtime]]\nname = 'prod'");
        assert!(toml::from_str::<Subscription>(&file).is_err(), "S1: or, in the older model, one: {capacity}");
    }
    assert_eq!(count(&odc(), &[]).capacity, None, "S1: Two capacities -- or none stated");
}

#[test]
fn s3_s4_what_is_left_and_what_to_buy() {
    let Capacity::InternalExternal { internal, external } = Capacity::internal_external(500, 500) else {
        panic!("two capacities");
    };
    assert_eq!(internal.pack.get(), 100, "S4: internal licences are sold by 100");
    assert_eq!(external.pack.get(), 10_000, "S4: external by 10,000");
    for (origin, used, licences, remaining, overage, utilisation, packs) in [
        ("S3: `remaining` (not below 0)", 125, internal, 375, 0, Some(0.25), 0),
        ("S3: `overage` (not below 0) -- full is not exceeded", 500, internal, 0, 0, Some(1.0), 0),
        ("S3: `overage`", 750, internal, 0, 250, Some(1.5), 3),
        ("S3: absent when the capacity is 0", 5, Licences { capacity: 0, ..internal }, 0, 5, None, 1),
        ("S3: absent when the capacity is 0", 0, Licences { capacity: 0, ..internal }, 0, 0, None, 0),
        ("S4: `packs_to_buy = ceil(overage / pack size)`", 501, internal, 0, 1, Some(1.002), 1),
        ("S4: `packs_to_buy = ceil(overage / pack size)`", 600, internal, 0, 100, Some(1.2), 1),
        ("S4: `packs_to_buy = ceil(overage / pack size)`", 601, internal, 0, 101, Some(1.202), 2),
        ("S4: external by 10,000", 10_500, external, 0, 10_000, Some(21.0), 1),
        ("S4: external by 10,000", 10_501, external, 0, 10_001, Some(21.002), 2),
    ] {
        let usage = Usage { used, licences };
        assert_eq!((usage.remaining(), usage.overage()), (remaining, overage), "{origin}");
        assert_eq!((usage.utilisation(), usage.packs_to_buy()), (utilisation, packs), "{origin}");
    }
}

fn domains(list: &str) -> Vec<String> {
    let policy = DomainPolicy::parse(list).unwrap_or_else(|error| panic!("{list}: {error}"));
    assert_eq!(policy.len(), policy.domains().len());
    assert_eq!(policy.is_empty(), policy.domains().is_empty());
    policy.domains().into_iter().map(str::to_owned).collect()
}

#[test]
fn p1_p2_p4_lists() {
    for (origin, list, expected) in [
        ("P1: domains separated by commas", "b.example,a.example", &["a.example", "b.example"][..]),
        ("P1: white space around a domain", "\t b.example ,\u{a0}a.example\n", &["a.example", "b.example"]),
        ("P1: empty entries are ignored", ",,b.example, ,", &["b.example"]),
        ("P1: repeated domains are one", "b.example, B.example,b.example", &["b.example"]),
        ("P1: No domain left", " , ", &[]),
        ("P2: one trailing dot is allowed and removed", "b.example.", &["b.example"]),
        ("P2: are the same domain", "Bücher.Example, xn--bcher-kva.example", &["xn--bcher-kva.example"]),
        ("P2: normalised by N3", "faß.example", &["xn--fa-hia.example"]),
    ] {
        assert_eq!(domains(list), expected, "{origin}");
    }
    let (outside, blank) = (user("ana", "ana@else.example"), o11_with("11.28.0", " ,, "));
    assert_eq!(outcome(&blank, &outside), "internal C2", "P1: C2 applies");
    let many: Vec<String> = (0..20_000).map(|number| format!("d{number}.example")).collect();
    let policy = DomainPolicy::from_domains(&many).unwrap();
    let (first, last, none) = ("d0.example", "d19999.example", "d20000.example");
    let found = [first, last, none].map(|domain| policy.contains(&domain.parse().unwrap()));
    assert_eq!((policy.len(), found), (20_000, [true, true, false]), "P4: no limit on the number of domains");
}

#[test]
fn p3_refused_entries() {
    let (single, malformed) = (DomainError::SingleLabel, DomainError::Malformed);
    for (origin, entry, refusal, instead) in [
        ("P3: an address", "ana@corp.com", Refusal::EmailAddress, Some("corp.com")),
        ("P3: a leading `@`", "@corp.com", Refusal::LeadingAt, Some("corp.com")),
        ("P3: a wildcard", "*.corp.com", Refusal::Wildcard, Some("corp.com")),
        ("P3: a wildcard -- with nothing to write instead", "*.com", Refusal::Wildcard, None),
        ("P3: a URL", "https://corp.com/x", Refusal::Url, Some("corp.com")),
        ("P3: white space inside", "corp.com sales.com", Refusal::WhiteSpace, None),
        ("P3: a single label", "localhost", Refusal::NotADomain(single), None),
        ("P3: an IP address", "10.0.0.1", Refusal::IpAddress, None),
        ("P3: an IP address", "2001:db8::1", Refusal::IpAddress, None),
        ("P3: anything N3 refuses", "corp_x.com", Refusal::NotADomain(malformed), None),
        ("P3: anything N3 refuses", "-corp.com", Refusal::NotADomain(malformed), None),
        ("P3: a public suffix", "co.uk", Refusal::PublicSuffix, None),
        ("P3: a public suffix", "Com", Refusal::PublicSuffix, None),
        ("P3: which nobody owns", "公司.cn", Refusal::PublicSuffix, None),
        ("P2: one trailing dot -- not two", "corp.com..", Refusal::NotADomain(malformed), None),
    ] {
        let error = DomainPolicy::parse(&format!("mycompany.com,{entry}")).unwrap_err();
        let expected = PolicyError { place: 2, entry: entry.to_owned(), refusal, instead: instead.map(str::to_owned) };
        assert_eq!(error, expected, "{origin}");
        let message = error.to_string();
        assert!(message.contains(&format!("`{entry}`: {refusal}")), "P3: an error that quotes the entry, says why");
        let hint = instead.map_or(String::new(), |domain| format!("; write `{domain}`"));
        assert!(message.ends_with(&hint), "P3: what to write instead: {message}");
        let file = format!("platform = 'odc'\n[[runtime]]\nname = 'prod'\ninternal_domains = '{entry}'");
        assert!(toml::from_str::<Subscription>(&file).is_err(), "{origin}");
    }
    assert_eq!(domains("github.io"), ["github.io"], "P3: ICANN section of the Public Suffix List");
    assert_eq!(domains("corp.co.uk"), ["corp.co.uk"], "P3: one such entry would make whole countries internal");
}

#[test]
fn p5_p6_whose_domains() {
    let policy = DomainPolicy::of_owner(" Owner@Corp.com ").unwrap();
    assert_eq!(policy.domains(), ["corp.com"], "P5: the email domain of the contract's owner");
    let runtime = Runtime { name: "prod".into(), internal_domains: policy, ..Runtime::default() };
    let owned = Subscription::new(Platform::Odc, vec![runtime], None).unwrap();
    assert_outcomes(
        &owned,
        [
            ("P5: as their one internal user domain", user("ana", "ana@corp.com"), "internal C5"),
            ("P5: as their one internal user domain -- the one", user("bo", "bo@else.example"), "external C5"),
            ("P5: as their one internal user domain -- exactly", user("cy", "cy@sales.corp.com"), "external C5"),
        ],
    );
    assert_eq!(DomainPolicy::of_owner("Owner"), Err(OwnerError::NotAnAddress), "P5: the email domain");
    assert!(DomainPolicy::of_owner("owner@co.uk").is_err(), "P5: internal user domain -- as P3 has them");

    // An ISV, isv.example, delivers to its client, client.example.
    assert_outcomes(
        &o11_with("11.28.0", "client.example"),
        [
            ("P6: configures the client's domains", user("ana", "ana@client.example"), "internal C5"),
            ("P6: not its own", user("admin", "admin@isv.example"), "external C5"),
            ("P6: not its own -- whoever it is", user("admin", "admin@outsystems.com"), "external C5"),
        ],
    );
}

/// Holds one text against V as an address, and as email and login of a record.
fn assert_address(origin: &str, address: &str, normal: Option<&str>) {
    let parsed = EmailAddress::parse(address);
    assert_eq!(parsed.as_ref().map(EmailAddress::as_str), normal, "{origin}: {address}");
    let expected = if normal.is_some() { "external C5" } else { "internal C4" };
    let o11 = o11("11.28.0");
    let as_email = User { email: text(address.to_owned()), ..user("", "") };
    let as_login = User { username: text(address.to_owned()), ..user("", "") };
    for (subscription, record) in [(&o11, &as_email), (&o11, &as_login), (&odc(), &as_email)] {
        assert_eq!(outcome(subscription, record), expected, "{origin}: {address}");
    }
}

#[test]
fn v1_parts_and_lengths() {
    let long = |local: usize, domain: usize| {
        // Labels of 60 bytes, and what is left.
        let labels = format!("{}.", "d".repeat(60)).repeat(domain / 61);
        format!("{}@{labels}{}", "a".repeat(local), "e".repeat(domain - labels.len()))
    };
    let wide = format!("{}@x.example", "é".repeat(32));
    let valid = |address: &str| Some(address.to_owned());
    for (origin, address, normal) in [
        ("V1: the local part is at most 64 bytes", long(64, 20), None),
        ("V1: the local part is at most 64 bytes", format!("{}@x.example", "a".repeat(65)), None),
        ("V1: the local part is at most 64 bytes", long(64, 100), valid(&long(64, 100))),
        ("V1: the local part is at most 64 bytes", long(65, 100), None),
        ("V1: the whole at most 254 bytes", long(64, 189), valid(&long(64, 189))),
        ("V1: the whole at most 254 bytes", long(64, 190), None),
        ("V1: the whole at most 254 bytes", long(63, 190), valid(&long(63, 190))),
        ("V1: the whole at most 254 bytes", long(1, 252), valid(&long(1, 252))),
        ("V1: the whole at most 254 bytes", long(1, 253), None),
        ("V1: (UTF-8)", wide.clone(), valid(&wide)),
        ("V1: (UTF-8)", format!("a{wide}"), None),
        ("V1: Both parts are non-empty", "@x.example".to_owned(), None),
        ("V1: Both parts are non-empty", "ana@".to_owned(), None),
        ("V1: Split at the last `@`", "a@x.example@b@x.example".to_owned(), None),
        ("V1: Split at the last `@`", "é@x.example@x.example".to_owned(), None),
        ("V1: Split at the last `@` -- which there is", "ana.x.example".to_owned(), None),
    ] {
        assert_address(origin, &address, normal.as_deref());
    }
}

#[test]
fn v2_local_parts() {
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let allowed = format!("{letters}.!#$%&'*+/=?^_`{{|}}~-");
    for character in (0..=127_u8).map(char::from) {
        let address = format!("a{character}b@x.example");
        let normal = allowed.contains(character).then(|| address.to_ascii_lowercase());
        assert_address("V2: ASCII letters, digits and", &address, normal.as_deref());
        // Beside a character that is not ASCII.
        let address = format!("é{character}b@x.example");
        let normal = allowed.contains(character).then(|| address.to_ascii_lowercase());
        assert_address("V2: ASCII letters, digits and", &address, normal.as_deref());
    }
    for (origin, character, valid) in [
        ("V2: any non-ASCII character", 'é', true),
        ("V2: any non-ASCII character", '木', true),
        ("V2: any non-ASCII character", '\u{1f600}', true),
        ("V2: neither white space", '\u{2003}', false),
        ("V2: neither white space", '\u{a0}', false),
        ("V2: nor a control character", '\u{9c}', false),
        ("V2: nor a control character", '\u{80}', false),
    ] {
        let address = format!("a{character}b@x.example");
        assert_address(origin, &address, valid.then_some(&*address));
    }
    assert_address("V2: Local part: -- dots anywhere", "..@x.example", Some("..@x.example"));
    // As it is written, which is before NFC (N2) makes it one of ASCII.
    assert_address("V2: any non-ASCII character -- Greek question mark", "a\u{37e}b@x.example", Some("a;b@x.example"));
}

#[test]
fn v3_v4_domains_and_what_is_no_address() {
    let [fits, too_long] = [63, 64].map(|bytes| format!("ana@{}.example", "d".repeat(bytes)));
    for (origin, address, normal) in [
        ("V3: accepted by N3", "ana@x.example", Some("ana@x.example")),
        ("V3: accepted by N3", "ana@x_y.example", None),
        ("V3: accepted by N3", "ana@-x.example", None),
        ("V3: accepted by N3", "ana@x-.example", None),
        ("V3: accepted by N3", "ana@xy--z.example", None),
        ("V3: accepted by N3", "ana@x..example", None),
        ("V3: accepted by N3", "ana@.example", None),
        ("V3: accepted by N3", &fits, Some(&fits)),
        ("V3: accepted by N3", &too_long, None),
        ("V3: at least two labels", "ana@example", None),
        ("V3: at least two labels -- in any script", "ana@例え", None),
        ("V3: the last label not all digits", "ana@10.0.0.1", None),
        ("V3: the last label not all digits", "ana@x.1", None),
        ("V3: the last label not all digits -- after N3", "ana@x.１", None),
        ("V3: the last label not all digits", "ana@1.1a", Some("ana@1.1a")),
        ("V3: no trailing dot", "ana@x.example.", None),
        ("V3: no trailing dot -- after N3", "ana@x.example。", None),
        ("V4: quoted local parts", "\"ana\"@x.example", None),
        ("V4: comments", "ana(work)@x.example", None),
        ("V4: comments", "ana@x.example(work)", None),
        ("V4: display names", "Ana <ana@x.example>", None),
        ("V4: display names", "<ana@x.example>", None),
        ("V4: address literals", "ana@[10.0.0.1]", None),
        ("V4: `user@localhost`", "user@localhost", None),
        ("V4: are not addresses: C4 -- nor a link", "mailto:ana@x.example", None),
        ("V4: are not addresses: C4 -- nor two", "ana@x.example,bo@x.example", None),
        ("V4: are not addresses: C4 -- nor two", "ana@x.example;bo@x.example", None),
    ] {
        assert_address(origin, address, normal);
    }
}

#[test]
fn n1_trimmed_first() {
    for (origin, address) in [
        ("N1: Trim Unicode white space", "\u{2003}ana@x.example\u{a0}"),
        ("N1: Trim Unicode white space -- a control among it", "\tana@x.example\u{85}\r\n"),
        ("N1: first -- before V1 counts", &*format!("{}ana@x.example", " ".repeat(300))),
    ] {
        assert_address(origin, address, Some("ana@x.example"));
    }
    let spaced = "\u{200b}ana@x.example";
    assert_address("N1: white space -- which U+200B is not, so V2 has it", spaced, Some(spaced));
}

#[test]
fn n2_matching_form() {
    let [o11, odc] = [o11("11.28.0"), odc()];
    for (origin, a, b, same) in [
        ("N2: `char::to_lowercase`", "Ana", "aNA", true),
        ("N2: Unicode NFC", "jos\u{e9}", "jose\u{301}", true),
        ("N2: Unicode NFC, then", "JOS\u{c9}", "jose\u{301}", true),
        ("N2: Unicode NFC", "\u{212a}im", "kim", true),
        ("N2: Unicode NFC, then -- in this order", "J\u{30c}an", "\u{1f0}an", false),
        ("N2: Unicode NFC, then -- in this order", "j\u{30c}an", "\u{1f0}an", true),
        ("N2: character by character -- no final sigma", "ΟΔΟΣ", "οδοσ", true),
        ("N2: character by character -- no final sigma", "ΟΔΟΣ", "οδος", false),
        ("N2: `char::to_lowercase` -- no folding", "straße", "strasse", false),
        ("N2: `char::to_lowercase` -- not by letters of ASCII", "ÅSE", "åse", true),
        ("N2: No compatibility folding", "ana", "ａna", false),
        ("N2: No compatibility folding", "\u{fb01}n", "fin", false),
        ("N2: no accent stripping", "ana", "ána", false),
        ("N2: plus-tag", "ana+x", "ana", false),
        ("N2: dot removal", "a.na", "ana", false),
        ("N2: nothing else merges -- homoglyphs", "ana", "\u{430}na", false),
        ("N2: nothing else merges", "ana", "anb", false),
    ] {
        assert_eq!(one(&o11, user(a, ""), user(b, "")), same, "{origin}, logins: {a} {b}");
        assert_eq!(one(&odc, key(a, user("", "")), key(b, user("", ""))), same, "{origin}, keys: {a} {b}");
        let tenants = one(&o11, provider(a, tenant(b, user("bo", ""))), user("bo", ""));
        assert_eq!(tenants, same, "{origin}, tenants: {a} {b}");
        let disabled = outcome(&o11_disabling(a), &provider(b, user("bo", ""))) == "disabled_provider";
        assert_eq!(disabled, same, "{origin}, providers: {a} {b}");
        let report = count(&o11, &[provider(a, user("bo", "")), provider(b, user("cy", ""))]);
        assert_eq!(report.runtimes[0].providers.len() == 1, same, "{origin}, distribution: {a} {b}");
        let at = |local: &str| User { email: text(format!("{local}@x.example")), ..user("", "") };
        assert_eq!(one(&o11, at(a), at(b)), same, "N4: when local parts match by N2 -- {origin}: {a} {b}");
    }
}

#[test]
fn n3_n4_domains() {
    let name_of = |bytes: usize| format!("{}e", "b.".repeat(bytes / 2));
    for (origin, text, expected) in [
        ("N3: UTS #46 ToASCII", "MyCompany.COM", Ok("mycompany.com")),
        ("N3: UTS #46 ToASCII", "Bücher.Example", Ok("xn--bcher-kva.example")),
        ("N3: UTS #46 ToASCII", "bu\u{308}cher.example", Ok("xn--bcher-kva.example")),
        ("N3: UTS #46 ToASCII", "ｅxample.com", Ok("example.com")),
        ("N3: non-transitional", "faß.example", Ok("xn--fa-hia.example")),
        ("N3: STD3 rules", "a_b.example", Err(DomainError::Malformed)),
        ("N3: it lets `a＠b.com` become", "a＠b.com", Err(DomainError::Malformed)),
        ("N3: hyphens checked", "-a.example", Err(DomainError::Malformed)),
        ("N3: hyphens checked", "ab--c.example", Err(DomainError::Malformed)),
        ("N3: hyphens checked", "é-.example", Err(DomainError::Malformed)),
        ("N3: DNS lengths verified", "a..example", Err(DomainError::Malformed)),
        ("N3: DNS lengths verified", &format!("{}.example", "a".repeat(64)), Err(DomainError::Malformed)),
        ("N3: DNS lengths verified", &name_of(253), Ok(&*name_of(253))),
        ("N3: DNS lengths verified", &name_of(255), Err(DomainError::Malformed)),
        ("N3: strict profile", "xn--example-.com", Err(DomainError::Malformed)),
    ] {
        let found = text.parse::<Domain>();
        assert_eq!(found.as_ref().map(Domain::as_str).map_err(|error| *error), expected, "{origin}: {text}");
    }
    for (origin, a, b, same) in [
        ("N4: domains by N3", "ana@Bücher.example", "ana@xn--bcher-kva.EXAMPLE", true),
        ("N4: domains by N3", "ana@X.example", "ana@x.Example", true),
        ("N4: domains by N3", "josé@X.example", "JOSE\u{301}@ｘ.example", true),
        ("N4: domains by N3 -- as N2 would not", "ana@ｘ.example", "ana@x.example", true),
        ("N4: when local parts match by N2 -- as N3 would", "ａna@x.example", "ana@x.example", false),
        ("N4: domains by N3 -- another domain", "ana@x.example", "ana@y.example", false),
        ("N4: domains by N3 -- not as a whole", "ana@fass.example", "ana@faß.example", false),
    ] {
        let [left, right] = [a, b].map(|email| EmailAddress::parse(email).unwrap());
        assert_eq!(left == right, same, "{origin}");
        assert_eq!(one(&o11("11.28.0"), user("", a), user("", b)), same, "{origin}");
    }
    let invalid = "ana@a＠b.com";
    assert_address("N3: The URL profile of the same library is *not* it", invalid, None);
}

#[test]
fn x1_hostile_texts_are_data() {
    let megabyte = 1 << 20;
    let hostile = [
        "a".repeat(megabyte),
        format!("{}@x.example", "a".repeat(megabyte)),
        format!("ana@{}", "a.".repeat(megabyte / 2)),
        "@".repeat(megabyte),
        format!("e{}", "\u{301}".repeat(megabyte / 2)),
        // Each pair stands in the wrong order, so NFC has to sort the whole run.
        format!("e{}", "\u{301}\u{323}".repeat(megabyte / 32)),
        "\0".to_owned(),
        "ana\0@mycompany.com".to_owned(),
        "ana@mycompany.com\0".to_owned(),
        "ana@mycompany.com\0\0\0\0".to_owned(),
        "ana@\0mycompany.com".to_owned(),
        "ana@my\u{202e}company.com".to_owned(),
        "\u{202e}moc.ynapmocym@ana".to_owned(),
        "ana@bo@mycompany.com".to_owned(),
        "ana@@mycompany.com".to_owned(),
        "@".to_owned(),
        "\u{fffd}@\u{fffd}".to_owned(),
        "ana@xn--.example".to_owned(),
        "'; DROP TABLE users; --".to_owned(),
        "=cmd|'/c calc'!A0".to_owned(),
        "\u{feff}\u{200b}".to_owned(),
    ];
    for subscription in [o11("11.28.0"), odc()] {
        let mut counter = counter(&subscription);
        // So that domains are known which the texts come near.
        counter.add(&user("ana", "ana@mycompany.com")).unwrap();
        for hostile in &hostile {
            let field = || text(hostile.clone());
            let record = User {
                provider: field(),
                tenant: field(),
                key: field(),
                username: field(),
                email: field(),
                name: field(),
                mobile_phone: field(),
                ..user("", "")
            };
            let shown: String = hostile.chars().take(20).collect();
            let found = counter.add(&record).map(named);
            assert_eq!(found.as_deref(), Ok("internal C4"), "X1: Odd addresses fall to C4 -- {shown:?}");
            assert!(EmailAddress::parse(hostile).is_none(), "X1: Odd addresses fall to C4 -- {shown:?}");
            assert!(counter.individuals().of(&record).is_ok(), "X1: can make counting fail, panic -- {shown:?}");
            let nowhere = User { runtime: hostile.clone().into(), ..user("", "") };
            assert_eq!(counter.add(&nowhere), Err(AddError::UnknownRuntime), "R1: never a guess -- {shown:?}");
        }
        let report = counter.report();
        let people = (report.records, report.global.individuals.internal, report.global.duplicates);
        assert_eq!(people, (22, 22, 0), "X1: it is data");
    }
}

#[test]
fn x2_malformed_rows_are_the_readers() {
    let mut counter = counter(&o11("11.28.0"));
    counter.add(&user("ana", "ana@mycompany.com")).unwrap();
    let before = counter.report();
    let canary = || User { runtime: "canary".into(), ..user("canary", "canary@mycompany.com") };
    let error = counter.add(&canary()).unwrap_err();
    assert_eq!(error, AddError::UnknownRuntime, "X2: unknown runtime");
    assert!(!error.to_string().contains("canary"), "X2: it never shows the personal data itself");
    assert!(!format!("{:?}", canary().email.map(|email| EmailAddress::parse(&email))).contains("canary"));
    assert_eq!(counter.report(), before, "X2: is the reader's error -- and changes nothing");
    assert!(counter.individuals().of(&canary()).is_err(), "X2: unknown runtime");

    let stopped = counter.add_all([user("bo", ""), canary(), user("cy", "")]).unwrap_err();
    assert_eq!(stopped, StoppedAt { place: 2, source: AddError::UnknownRuntime }, "X2: file, line or record number");
    assert!(!stopped.to_string().contains("canary"), "X2: it never shows the personal data itself");
    assert_eq!(counter.report().records, 2, "X2: A reader stops at the first such row");
    counter.reject();
    counter.reject();
    let report = counter.report();
    assert_eq!((report.rejected, report.records), (2, 2), "X2: it counts and reports every rejected row");
    assert_eq!(report.global.individuals.total(), 2, "X2: reports every rejected row -- and counts no person for it");
    for line in [
        r#"{"runtime":"prod","email":5}"#,
        r#"{"runtime":"prod","is_active":"yes"}"#,
        r#"{"runtime":"prod","last_login":"2024"}"#,
        r#"{"runtime":"prod","emial":"ana@x.example"}"#,
        r#"{"runtime":"prod","email":"a""#,
    ] {
        assert!(serde_json::from_str::<User>(line).is_err(), "X2: not parseable, wrong type -- {line}");
    }
}

#[test]
fn x3_control_characters() {
    for (origin, username, email, broken) in [
        ("X3: contains control characters", "ana", "ana@x.example", &[][..]),
        ("X3: A login", "a\u{0}n", "ana@x.example", &["username"]),
        ("X3: or email", "ana", "a\u{0}n@x.example", &["email"]),
        ("X3: A login or email", "a\nb", "a\tb", &["username", "email"]),
        ("X3: control characters -- beyond ASCII", "áb\u{9c}c", "á", &["username"]),
        ("X3: control characters -- the last of ASCII", "ana", "a\u{7f}b", &["email"]),
        ("X3: contains control characters -- once trimmed (N1)", "\tana\r\n", "\u{85}ana@x.example\n", &[]),
        ("X3: control characters -- format characters are none", "ana\u{200b}", "\u{202e}x", &[]),
        ("X3: contains -- an absent one does not", "", "", &[]),
    ] {
        let fields: Vec<String> = user(username, email).broken_fields().map(|field| field.to_string()).collect();
        assert_eq!(fields, broken, "{origin}");
    }
    let elsewhere = User { name: text("a\0"), mobile_phone: text("a\0"), ..provider("a\0", key("a\0", user("a", ""))) };
    assert_eq!(elsewhere.broken_fields().count(), 0, "X3: A login or email -- no other field");
}

/// The rules of RULES.md by id: its list items, `- R1. A record ...`, on one
/// line and without marks.
fn rules(document: &str) -> BTreeMap<&str, String> {
    let mut rules: BTreeMap<&str, String> = BTreeMap::new();
    let mut id = None;
    for line in document.lines() {
        if let Some((item, words)) = line.strip_prefix("- ").and_then(|item| item.split_once(". ")) {
            if item.len() == 2 && item.ends_with(|digit: char| digit.is_ascii_digit()) {
                id = Some(item);
                rules.insert(item, words.to_owned());
                continue;
            }
        }
        match id.and_then(|id| rules.get_mut(id)) {
            Some(rule) if line.starts_with("  ") => rule.extend([" ", line.trim()]),
            _ => id = None,
        }
    }
    rules
}

/// The origins in this file, as the head of the file describes them.
fn origins() -> BTreeSet<(&'static str, &'static str)> {
    let literals = include_str!("rules.rs").lines().flat_map(|line| line.split('"').skip(1));
    let origins = literals.filter_map(|literal| literal.split_once(": "));
    let is_id = |id: &str| matches!(id.as_bytes(), [b'A'..=b'Z', b'0'..=b'9']);
    let words = |rest: &'static str| rest.split(" -- ").next().and_then(|words| words.split(": {").next());
    origins.filter(|(id, _)| is_id(id)).filter_map(|(id, rest)| Some((id, words(rest)?))).collect()
}

#[test]
fn every_rule_has_a_row_and_every_row_quotes_its_rule() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/RULES.md");
    let Ok(document) = std::fs::read_to_string(path) else {
        say_skipped(&format!("{path} is not here, so no row was held against it"));
        return;
    };
    let rules = rules(&document);
    assert!(rules.len() >= 54, "rules are list items, `- R1. `, of which there were 54: {:?}", rules.keys());
    let named: BTreeSet<&str> = origins().iter().map(|(id, _)| *id).collect();
    let missing: Vec<_> = rules.keys().filter(|id| !named.contains(*id)).collect();
    assert!(missing.is_empty(), "rules without a row: {missing:?}");
    let quotes = |(id, words): &(&str, &str)| rules.get(id).is_some_and(|rule| rule.contains(words));
    let invented: Vec<_> = origins().into_iter().filter(|origin| !quotes(origin)).collect();
    assert!(invented.is_empty(), "not the words of the rule: {invented:#?}");
}
