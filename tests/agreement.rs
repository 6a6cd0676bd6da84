//! The crate agrees with a naive model of RULES.md (`tests/model`), whichever
//! way records reach the counter: each stream is fed one by one and in one other
//! way (`model::feeding`), picked by its number.
//!
//! Environment variables:
//!
//! - `HEADCOUNT_STREAMS`: how many pseudo-random streams, half of them for each
//!   platform; 3,000 by default. `HEADCOUNT_STREAMS=1000000 cargo test
//!   --release --test agreement` takes the full million.
//! - `HEADCOUNT_EXHAUSTIVE=1`: every stream of up to four records over the
//!   alphabets of shapes below, in release some minutes. By default every stream
//!   of up to two, and a few of those of three and four.
//!
//! A failure names the seed, and shows the stream with all records taken out
//! that the disagreement does not need.

mod model;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::env;

use headcount::{
    Capacity, Class, ClassRule, DomainPolicy, Exclusion, Platform, Runtime, Status, Subscription, UnixSeconds,
    UserRecord,
};
use model::agreement::{difference, difference_of_counter};
use model::feeding::{Way, count, fed};
use model::streams::{Random, Stream, huge_stream, long_stream, stream};
use model::{Answer, Facts, answer, answer_to, linked};

#[test]
fn o11_streams_agree_with_the_model() {
    agree_on_streams(
        Platform::O11,
        &[
            "absent pair",
            "anonymous",
            "band of version differs by subscription",
            "bands of versions",
            "chain over three records",
            "chain over three runtimes",
            "class differs by policy",
            "disabled provider",
            "excluded would-be bridge",
            "IDN link",
            "inactive",
            "internal by an IDN",
            "invalid email",
            "IT user",
            "link across runtimes",
            "link beyond ASCII case",
            "login equal to another's email",
            "login is the address",
            "login that is the address links to an email",
            "mixed class",
            "shared mailbox",
            "version before 11.11.3 keeps apart",
            "version before 11.7.0 does not classify",
            "would link but for the tenant",
        ],
    );
}

#[test]
fn odc_streams_agree_with_the_model() {
    agree_on_streams(
        Platform::Odc,
        &[
            "absent pair",
            "alike but for the key",
            "anonymous",
            "class differs by policy",
            "empty key",
            "IDN link",
            "inactive",
            "internal by an IDN",
            "invited or pending, and counted",
            "IT user",
            "link across runtimes",
            "link beyond ASCII case",
            "login that would be the address in O11",
            "mixed class",
            "never logged in",
        ],
    );
}

#[test]
fn long_streams_agree_with_the_model() {
    agree_on_long_streams(long_stream, streams() / 300);
}

#[test]
fn huge_streams_agree_with_the_model() {
    agree_on_long_streams(huge_stream, streams().div_ceil(3_000));
}

#[test]
fn every_ascii_character_at_every_place_agrees_with_the_model() {
    let subscription = &o11_subscriptions()[0];
    let around = "abcdefghijklmnop";
    for (before, behind) in (0..=around.len()).flat_map(|at| [(&around[..at], &around[at..]), (&around[..at], "")]) {
        let login = |c: &str| person("a", format!("{before}{c}{behind}"), "");
        let local_part = |c: &str| person("a", "", format!("{before}{c}{behind}@corp.example"));
        let label = |c: &str| person("a", "", format!("ana@{before}{c}{behind}.example"));
        let end = |c: &str| person("a", "", format!("ana@{before}.{behind}example{c}"));
        for records in [each_ascii(login), each_ascii(local_part), each_ascii(label), each_ascii(end)] {
            if let Err(said) = settle(subscription, records, |records| disagreement(subscription, records, 5)) {
                panic!("{said}");
            }
        }
    }
}

#[test]
fn every_short_o11_stream_agrees_with_the_model() {
    agree_on_all(&o11_subscriptions(), &o11_shapes());
}

#[test]
fn every_short_odc_stream_agrees_with_the_model() {
    agree_on_all(&odc_subscriptions(), &odc_shapes());
}

fn streams() -> u64 {
    let asked = env::var("HEADCOUNT_STREAMS").ok();
    asked.map_or(3_000, |count| count.parse().expect("HEADCOUNT_STREAMS is a number"))
}

/// Streams that take the model too long to be read in several orders.
fn agree_on_long_streams(stream: impl Fn(&mut Random, Platform) -> Stream, count: u64) {
    for seed in 0..count {
        for platform in [Platform::O11, Platform::Odc] {
            let Stream { subscription, records, .. } = stream(&mut Random::new(!seed), platform);
            if let Err(said) = settle(&subscription, records, |records| disagreement(&subscription, records, seed)) {
                panic!("{platform} stream of seed {seed}: {said}");
            }
        }
    }
}

/// A record for each ASCII character, after one without.
fn each_ascii(record: impl Fn(&str) -> UserRecord<'static>) -> Vec<UserRecord<'static>> {
    let each = (0..128_u8).map(|byte| record(&char::from(byte).to_string()));
    std::iter::once(record("")).chain(each).collect()
}

/// Compares half the streams asked for with the model. Each of the hard cases
/// must be in at least one stream of two hundred.
fn agree_on_streams(platform: Platform, hard: &[&str]) {
    let count = streams() / 2;
    let mut seen = BTreeMap::<&str, u64>::new();
    for seed in 0..count {
        let mut random = Random::new(seed);
        let stream = stream(&mut random, platform);
        if let Err(said) = agree(&mut random, &stream) {
            panic!("{platform} stream of seed {seed}: {said}");
        }
        for case in hard_cases(&stream) {
            *seen.entry(case).or_default() += 1;
        }
    }
    println!("{platform}: {count} streams, among them {seen:#?}");
    for case in hard {
        let times = seen.get(case).copied().unwrap_or(0);
        assert!(times * 200 >= count, "{case}: only {times} times in {count} streams");
    }
}

/// A stream in three orders, and read under another subscription.
fn agree(random: &mut Random, stream: &Stream) -> Result<(), String> {
    let Stream { subscription, other, records } = stream;
    let reversed = records.iter().rev().cloned().collect();
    for order in [records.clone(), reversed, random.shuffled(records)] {
        let number = random.number();
        settle(subscription, order, |records| disagreement(subscription, records, number))?;
    }
    let number = random.number();
    settle(subscription, records.clone(), |records| disagreement_under(subscription, other, records, number))
        .map_err(|said| format!("{said}\nunder {other:?}"))
}

/// What fails about the records, if anything does, and a stream no longer than
/// it takes.
fn settle<'r>(
    subscription: &Subscription,
    records: Vec<UserRecord<'r>>,
    fails: impl Fn(&[UserRecord<'r>]) -> Option<String>,
) -> Result<(), String> {
    if fails(&records).is_none() {
        return Ok(());
    }
    let records = minimal(records, |records| fails(records).is_some());
    let said = fails(&records).unwrap_or_else(|| "not a second time".to_owned());
    Err(format!("{said}\n{}", shown(subscription, &records)))
}

/// Takes records out, many at a time and then fewer, as long as the rest still
/// fails.
fn minimal<'r>(mut records: Vec<UserRecord<'r>>, fails: impl Fn(&[UserRecord<'r>]) -> bool) -> Vec<UserRecord<'r>> {
    let mut many = records.len();
    while many > 0 {
        let mut at = 0;
        while at < records.len() {
            let behind = records.len().min(at + many);
            let rest = [&records[..at], &records[behind..]].concat();
            if fails(&rest) {
                records = rest;
            } else {
                at = behind;
            }
        }
        many /= 2;
    }
    records
}

/// `Debug` of a record redacts, JSON does not.
fn shown(subscription: &Subscription, records: &[UserRecord]) -> String {
    let line = |record| serde_json::to_string(record).expect("a record is JSON");
    let lines: Vec<String> = records.iter().map(line).collect();
    format!("{subscription:?}\n{}", lines.join("\n"))
}

/// How crate and model differ over these records in this order, if they do: fed
/// one by one, and in a way picked by a number.
fn disagreement(subscription: &Subscription, records: &[UserRecord], number: u64) -> Option<String> {
    let expected = answer(subscription, records);
    disagreement_one_by_one(&expected, subscription, records, number)
        .or_else(|| disagreement_in_a_way(&expected, subscription, records, number))
}

fn disagreement_one_by_one(
    expected: &Answer,
    subscription: &Subscription,
    records: &[UserRecord],
    number: u64,
) -> Option<String> {
    let mut counter = fed(subscription, number, &[]);
    for (record, verdict) in records.iter().zip(&expected.verdicts) {
        let outcome = counter.add(record).expect("a known runtime");
        if outcome != verdict.outcome() {
            return Some(format!("add says {outcome:?}, the model {:?}", verdict.outcome()));
        }
    }
    difference_of_counter(&counter, expected, records, 0).map(|said| format!("fed one by one: {said}"))
}

fn disagreement_in_a_way(
    expected: &Answer,
    subscription: &Subscription,
    records: &[UserRecord],
    number: u64,
) -> Option<String> {
    let mut random = Random::new(number);
    let way = Way::any(&mut random);
    let counter = way.fed(&mut random, subscription, number, records);
    if let Way::Threads(threads) = way {
        if counter.report_in_parallel(count(threads)) != counter.report() {
            return Some(format!("report and report_in_parallel differ on {threads} threads"));
        }
    }
    difference_of_counter(&counter, expected, records, 0).map(|said| format!("fed by {way:?}: {said}"))
}

/// The records read for one subscription, in a way picked by a number, and
/// reported under another.
fn disagreement_under(
    subscription: &Subscription,
    other: &Subscription,
    records: &[UserRecord],
    number: u64,
) -> Option<String> {
    let mut random = Random::new(number);
    let way = Way::any(&mut random);
    let counter = way.fed(&mut random, subscription, number, records);
    let report = counter.report_under(other).expect("the same runtimes and disabled providers");
    let fresh = fed(other, 2, records).report();
    if report != fresh {
        return Some(format!("fed by {way:?}, report_under says {report:#?}, a fresh counter {fresh:#?}"));
    }
    difference(&report, &answer(other, records).totals, 0)
}

/// The hard cases that a stream holds.
fn hard_cases(stream: &Stream) -> Vec<&'static str> {
    let Stream { subscription, other, records } = stream;
    let facts = model::facts(subscription, records);
    let under_other = model::facts(other, records);
    let of_platform = match subscription.platform() {
        Platform::O11 => cases_of_o11(subscription, other, records, &facts),
        Platform::Odc => cases_of_odc(records, &facts),
    };
    let sightings = [cases_of_both(subscription, records, &facts), of_platform].concat();
    let by_policy = facts
        .iter()
        .zip(&under_other)
        .any(|(one, other)| one.exclusion.is_none() && one.class.rule == other.class.rule && one.class != other.class);
    let sightings = sightings.into_iter().chain([("class differs by policy", by_policy)]);
    sightings.filter(|(_, seen)| *seen).map(|(case, _)| case).collect()
}

type Sightings = Vec<(&'static str, bool)>;

fn cases_of_both(subscription: &Subscription, records: &[UserRecord], facts: &[Facts]) -> Sightings {
    let platform = subscription.platform();
    let global = answer(subscription, records).totals.global;
    let links = |one: &Facts, other: &Facts| linked(platform, one, other);
    let idn = |record: &Facts| record.address.as_ref().is_some_and(|address| address.domain.as_str().contains("xn--"));
    let internal_idn = |record: &Facts| record.class.rule == ClassRule::C5 && record.class.class == Class::Internal;
    let texts = |at: usize| -> Vec<String> {
        let record = &records[at];
        let texts = [&record.username, &record.email, &record.key].into_iter().flatten();
        texts.map(|text| text.trim().to_ascii_lowercase()).collect()
    };
    let beyond_ascii = |(one, other)| texts(one).iter().all(|text| !texts(other).contains(text));
    let both_lack = |a: &Facts, b: &Facts| match platform {
        Platform::O11 => (a.login.is_none() && b.login.is_none()) || (a.address.is_none() && b.address.is_none()),
        Platform::Odc => a.key.is_none() && b.key.is_none(),
    };
    vec![
        ("link across runtimes", any_pair(facts, |a, b| a.runtime != b.runtime && links(a, b))),
        ("mixed class", global.mixed_class > 0),
        ("IDN link", any_pair(facts, |a, b| links(a, b) && a.address == b.address && idn(a))),
        ("internal by an IDN", counted(facts).any(|record| internal_idn(record) && idn(record))),
        ("link beyond ASCII case", pairs_that(facts, links).into_iter().any(beyond_ascii)),
        ("absent pair", any_pair(facts, |a, b| !links(a, b) && both_lack(a, b))),
    ]
}

fn cases_of_o11(
    subscription: &Subscription,
    other: &Subscription,
    records: &[UserRecord],
    facts: &[Facts],
) -> Sightings {
    let links = |one: &Facts, other: &Facts| linked(Platform::O11, one, other);
    let all: Vec<&Facts> = counted(facts).collect();
    let groups = model::groups(&all, links);
    let chained = |group: &[&Facts]| group.iter().any(|a| group.iter().any(|b| !links(a, b)));
    let bridges = |excluded: &Facts| {
        let touched = groups.iter().filter(|group| group.iter().any(|record| links(excluded, record)));
        touched.count() > 1
    };
    let in_default = |record: &Facts| Facts { default_tenant: true, ..record.clone() };
    let email = |at: usize| {
        let email = records[at].email.as_deref().map(str::trim).filter(|email| !email.is_empty());
        email.map(model::matching_form)
    };
    let by_login = |at: usize| email(at).is_none() && facts[at].address.is_some();
    let excluded_for = |reason| facts.iter().any(|record| record.exclusion == Some(reason));
    let over_runtimes = |group: &[&Facts]| group.iter().map(|record| record.runtime).collect::<BTreeSet<_>>().len();
    // Of one address, the logins.
    let logins = |mailbox: &Facts| {
        let users = all.iter().filter(|record| links(record, mailbox) && record.address == mailbox.address);
        users.filter_map(|record| record.login.as_ref()).collect::<BTreeSet<_>>().len()
    };
    let bands = ["11.7.0", "11.11.3"].map(|version| version.parse().ok());
    let band_in = |subscription: &Subscription, record: &Facts| {
        let version = subscription.runtimes()[record.runtime].version;
        bands.iter().filter(|band| version >= **band).count()
    };
    let band = |record: &Facts| band_in(subscription, record);
    vec![
        ("band of version differs by subscription", all.iter().any(|record| band(record) != band_in(other, record))),
        ("bands of versions", all.iter().map(|record| band(record)).collect::<BTreeSet<_>>().len() == 3),
        ("chain over three records", groups.iter().any(|group| group.len() > 2 && chained(group))),
        ("chain over three runtimes", groups.iter().any(|group| over_runtimes(group) > 2 && chained(group))),
        ("shared mailbox", all.iter().any(|record| record.address.is_some() && logins(record) > 2)),
        ("excluded would-be bridge", facts.iter().any(|record| record.exclusion.is_some() && bridges(record))),
        (
            "version before 11.11.3 keeps apart",
            any_pair(facts, |a, b| a.runtime == b.runtime && links(a, b) && band(a) < 2),
        ),
        ("version before 11.7.0 does not classify", counted(facts).any(|record| record.class.rule == ClassRule::C1)),
        (
            "would link but for the tenant",
            any_pair(facts, |a, b| !links(a, b) && links(&in_default(a), &in_default(b))),
        ),
        (
            "login equal to another's email",
            pairs_that(facts, |a, b| !links(a, b) && a.login.is_some())
                .into_iter()
                .any(|(one, other)| facts[one].login == email(other)),
        ),
        ("login is the address", (0..facts.len()).any(by_login)),
        (
            "login that is the address links to an email",
            pairs_that(facts, links).into_iter().any(|(one, other)| by_login(one) && !by_login(other)),
        ),
        ("invalid email", (0..facts.len()).any(|at| email(at).is_some() && facts[at].address.is_none())),
        ("disabled provider", excluded_for(Exclusion::DisabledProvider)),
        ("IT user", excluded_for(Exclusion::ItUser)),
        ("inactive", excluded_for(Exclusion::Inactive)),
        ("anonymous", excluded_for(Exclusion::Anonymous)),
    ]
}

fn cases_of_odc(records: &[UserRecord], facts: &[Facts]) -> Sightings {
    let login = |at: usize| records[at].username.as_deref().map(str::trim);
    let invited = |at: usize| matches!(records[at].status, Some(Status::Invited | Status::PendingRegistration));
    let counts = |at: &usize| facts[*at].exclusion.is_none();
    let alike = |a: &Facts, b: &Facts| a.address == b.address && a.login == b.login && a.login.is_some();
    let excluded_for = |reason| facts.iter().any(|record| record.exclusion == Some(reason));
    vec![
        ("empty key", (0..facts.len()).filter(counts).any(|at| records[at].key.is_some() && facts[at].key.is_none())),
        ("alike but for the key", any_pair(facts, |a, b| alike(a, b) && !linked(Platform::Odc, a, b))),
        (
            "login that would be the address in O11",
            (0..facts.len())
                .filter(counts)
                .any(|at| facts[at].address.is_none() && login(at).and_then(model::address).is_some()),
        ),
        ("invited or pending, and counted", (0..facts.len()).filter(counts).any(invited)),
        ("IT user", excluded_for(Exclusion::ItUser)),
        ("inactive", excluded_for(Exclusion::Inactive)),
        ("anonymous", excluded_for(Exclusion::Anonymous)),
        ("never logged in", excluded_for(Exclusion::NeverLoggedIn)),
    ]
}

fn counted(facts: &[Facts]) -> impl Iterator<Item = &Facts> {
    facts.iter().filter(|record| record.exclusion.is_none())
}

fn any_pair(facts: &[Facts], is_so: impl Fn(&Facts, &Facts) -> bool) -> bool {
    !pairs_that(facts, is_so).is_empty()
}

/// Two different counted records that are so.
fn pairs_that(facts: &[Facts], is_so: impl Fn(&Facts, &Facts) -> bool) -> Vec<(usize, usize)> {
    let counts = |at: &usize| facts[*at].exclusion.is_none();
    let mut found = pairs(&(0..facts.len()).filter(counts));
    found.retain(|(one, other)| is_so(&facts[*one], &facts[*other]));
    found
}

/// Each with each other, both ways round.
fn pairs(places: &(impl Iterator<Item = usize> + Clone)) -> Vec<(usize, usize)> {
    let with_others = |one| places.clone().filter(move |other| *other != one).map(move |other| (one, other));
    places.clone().flat_map(with_others).collect()
}

/// Every stream of up to four of the shapes, or a part of them, under each
/// subscription. A number's digits are the shapes of a stream. A counter costs
/// more than four records, so each stream takes one, fed one by one; one stream
/// in sixteen in a dearer way.
fn agree_on_all(subscriptions: &[Subscription], shapes: &[UserRecord]) {
    assert!(shapes.len() >= 32, "an alphabet worth the name");
    let all = env::var("HEADCOUNT_EXHAUSTIVE").is_ok_and(|value| value == "1");
    let facts: Vec<Vec<Facts>> = subscriptions.iter().map(|subscription| model::facts(subscription, shapes)).collect();
    let mut random = Random::new(3);
    let mut streams = 0;
    for (len, step) in [(0, 1), (1, 1), (2, 1), (3, 61), (4, 14_983)] {
        let count = u32::try_from(shapes.len().pow(len)).expect("not so many shapes");
        for number in (0..count).step_by(if all { 1 } else { step }) {
            let digits = (0..len).map(|at| number as usize / shapes.len().pow(at) % shapes.len());
            let records: Vec<UserRecord> = digits.clone().map(|shape| shapes[shape].clone()).collect();
            let key = random.number();
            let ways = if key % 16 == 0 { disagreement_in_a_way } else { disagreement_one_by_one };
            for (subscription, facts) in subscriptions.iter().zip(&facts) {
                let facts: Vec<Facts> = digits.clone().map(|shape| facts[shape].clone()).collect();
                if ways(&answer_to(subscription, &facts), subscription, &records, key).is_some() {
                    let said = settle(subscription, records, |records| disagreement(subscription, records, key));
                    panic!("shapes {:?}: {said:?}", digits.collect::<Vec<_>>());
                }
            }
            streams += 1;
        }
    }
    println!("{streams} streams of {} shapes under each of {} subscriptions", shapes.len(), subscriptions.len());
}

fn runtime(name: &str, version: &str, internal_domains: &str, disabled_providers: &[&str]) -> Runtime {
    Runtime {
        name: name.to_owned(),
        version: if version.is_empty() { None } else { Some(version.parse().expect("a version")) },
        internal_domains: DomainPolicy::parse(internal_domains).expect("a policy"),
        disabled_providers: disabled_providers.iter().map(|&provider| provider.to_owned()).collect(),
    }
}

fn o11_subscriptions() -> Vec<Subscription> {
    let of = |a: (&str, &str, &[&str]), b: (&str, &str, &[&str]), capacity| {
        let runtimes = vec![runtime("a", a.0, a.1, a.2), runtime("b", b.0, b.1, b.2)];
        Subscription::new(Platform::O11, runtimes, capacity).expect("a subscription")
    };
    vec![
        of(("11.28.0", "corp.example", &[]), ("11.28.0", "", &[]), Some(Capacity::internal_external(1, 1))),
        of(("11.6.9", "corp.example", &[]), ("11.11.3", "other.example, corp.example", &[]), Some(Capacity::named(2))),
        of(("11.11.2", "B\u{FC}cher.Example", &[]), ("11.7.0", "xn--bcher-kva.example", &["portal"]), None),
        of(("11.11.3", "corp.example, other.example", &["Portal", "ServiceCenter"]), ("11.6.9", "", &["users"]), None),
        of(("11.7.0", "", &[]), ("11.11.3", "other.example", &[]), Some(Capacity::internal_external(0, 0))),
    ]
}

fn odc_subscriptions() -> Vec<Subscription> {
    [("corp.example", ""), ("xn--bcher-kva.example", "corp.example"), ("", "other.example, corp.example")]
        .map(|(a, b)| {
            let runtimes = vec![runtime("a", "", a, &[]), runtime("b", "", b, &[])];
            Subscription::new(Platform::Odc, runtimes, Some(Capacity::internal_external(1, 0))).expect("a subscription")
        })
        .to_vec()
}

/// A record of login and email, either of which may be empty.
fn person<T: Into<Cow<'static, str>>, U: Into<Cow<'static, str>>>(
    runtime: &'static str,
    username: T,
    email: U,
) -> UserRecord<'static> {
    UserRecord {
        runtime: runtime.into(),
        username: Some(username.into()),
        email: Some(email.into()),
        ..UserRecord::default()
    }
}

fn o11_shapes() -> Vec<UserRecord<'static>> {
    let in_provider = |provider: &'static str, tenant: Option<&'static str>, record: UserRecord<'static>| UserRecord {
        provider: Some(provider.into()),
        tenant: tenant.map(Into::into),
        ..record
    };
    vec![
        person("a", "ana", "ana@corp.example"),
        person("b", " ANA ", ""),
        person("a", "", "Ana@CORP.example"),
        person("b", "ana@corp.example", ""),
        person("a", "ana@corp.example", "bo@other.example"),
        person("a", "ana", "bo@other.example"),
        person("b", "bo", "BO@Other.Example"),
        person("b", "bo", "bo@localhost"),
        UserRecord { is_active: Some(false), ..person("a", "ana", "bo@other.example") },
        UserRecord { is_it_user: Some(true), ..person("b", "bo", "ana@corp.example") },
        UserRecord { tenant: Some("Acme".into()), ..person("a", "ana", "ana@corp.example") },
        UserRecord { tenant: Some("USERS".into()), ..person("b", "ana", "eva@xn--bcher-kva.example") },
        in_provider("Portal", Some("portal "), person("a", "ana", "")),
        in_provider("PORTAL", Some("Users"), person("b", "bo", "ana@corp.example")),
        in_provider("ServiceCenter", None, person("a", "ana", "bo@other.example")),
        person("a", "", " "),
        UserRecord { name: Some("Ana".into()), ..person("b", "", "") },
        UserRecord { last_login: Some(UnixSeconds(0)), ..person("a", "", "") },
        person("a", "", "eva@b\u{FC}cher.example"),
        person("b", "jos\u{E9}", "eva@B\u{DC}CHER.example"),
        person("a", "JOSE\u{301}", "\u{212A}ai@corp.example"),
        person("b", "\u{212A}ai", "kai@corp.example"),
        person("a", "kai", "ana@corp.example."),
        // One mailbox of many.
        person("a", "eva", "info@other.example"),
        person("b", "max", "INFO@other.example"),
        person("a", "bo", "info@other.example"),
        // A login that is another's email, and an email that is a login.
        person("b", "info@other.example", "max@corp.example"),
        UserRecord { status: Some(Status::Inactive), ..person("b", "max", "ana@corp.example") },
        UserRecord { is_it_user: Some(false), is_active: Some(true), ..person("b", "eva", "") },
        in_provider("portal", Some("Acme"), person("b", "ana", "ana@corp.example")),
        in_provider("Users", Some("Users"), person("a", "max", "ana@localhost")),
        in_provider("Portal", None, person("a", "\u{212A}AI", "eva@xn--bcher-kva.example")),
    ]
}

fn odc_shapes() -> Vec<UserRecord<'static>> {
    let keyed = |key: &'static str, record: UserRecord<'static>| UserRecord {
        key: Some(key.into()),
        last_login: Some(UnixSeconds(1_700_000_000)),
        ..record
    };
    vec![
        keyed("k1", person("a", "ana", "ana@corp.example")),
        keyed("K1 ", person("b", "bo", "bo@other.example")),
        keyed("\u{212A}1", person("a", "", "")),
        keyed("k2", person("b", "ana", "ana@corp.example")),
        keyed("k2", person("a", "ana", "eva@b\u{FC}cher.example")),
        keyed("", person("a", "ana", "ana@corp.example")),
        keyed(" ", person("b", "ana", "ana@corp.example")),
        keyed("", person("a", "ana@other.example", "")),
        UserRecord { last_login: None, ..keyed("k1", person("a", "ana", "ana@corp.example")) },
        UserRecord { last_login: Some(UnixSeconds(-2_208_988_800)), ..keyed("k2", person("b", "", "")) },
        UserRecord { status: Some(Status::Invited), ..keyed("k2", person("a", "bo", "bo@other.example")) },
        UserRecord { status: Some(Status::Inactive), ..keyed("k1", person("b", "bo", "bo@other.example")) },
        UserRecord { is_it_user: Some(true), ..keyed("k1", person("a", "bo", "bo@other.example")) },
        UserRecord { tenant: Some("Acme".into()), ..keyed("k1", person("b", "", "ana@corp.example.")) },
        UserRecord { provider: Some("ServiceCenter".into()), ..keyed("k3", person("a", "", "ana@corp.example")) },
        UserRecord { status: Some(Status::PendingRegistration), ..person("b", "ana", "ana@corp.example") },
        keyed("k3", person("b", "eva", "EVA@B\u{DC}CHER.example")),
        keyed(" K3", person("a", "eva", "eva@xn--bcher-kva.example")),
        keyed("\u{212A}2", person("b", "max", "max@other.example")),
        keyed("K2\u{3000}", person("a", "max", "max@localhost")),
        keyed("k1", person("b", "bo", "bo@sub.corp.example")),
        keyed("k1", person("a", "ana@corp.example", "")),
        keyed("ana@corp.example", person("b", "k1", "k1@corp.example")),
        keyed("cl\u{E9}", person("a", "bo", "bo@other.example")),
        keyed("CLE\u{301}", person("b", "ana", "ana@corp.example")),
        keyed("cle", person("a", "ana", "ana@corp.example")),
        person("a", "ana", "ana@corp.example"),
        person("b", "", " "),
        UserRecord { key: None, ..keyed("", person("b", "bo", "bo@other.example")) },
        UserRecord { is_active: Some(false), ..keyed("k2", person("a", "ana", "ana@corp.example")) },
        UserRecord { is_it_user: Some(false), ..keyed("k2", person("b", "bo", "eva@other.example")) },
        UserRecord { provider: Some("USERS".into()), ..keyed("k3", person("a", "ana", "a@b@corp.example")) },
    ]
}
