//! No public type shows personal data: not by `Debug`, `Display`, serde or an
//! error's sources, plain or pretty.
//!
//! Everything is made twice, of two people who have nothing in common. Both
//! times it must show the same, and nothing of the one person. What may show
//! text is listed with the reason; a public type that is not here fails.

#![cfg(feature = "public-suffix-list")] // Subscriptions are deserialised.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{Debug, Display};

use headcount::{
    AddError, Batch, Capacity, CapacityError, CapacityUsage, Class, ClassRule, ClassTally, Classification, Counter,
    Domain, DomainError, DomainPolicy, EmailAddress, Exclusion, ExclusionTally, Field, FingerprintKey, Individuals,
    KeyError, Licences, MergeError, MismatchError, Outcome, OwnerError, People, Platform, PolicyError, ProviderReport,
    PublicSuffixes, Refusal, Report, Runtime, RuntimeReport, SnapshotError, Standing, Status, StatusError, StoppedAt,
    Subscription, SubscriptionError, SuffixListError, UnixSeconds, Usage, UserRecord, Version, VersionError,
};
use serde::Serialize;

/// Of letters and digits that come together in no other word or number.
struct Person {
    login: &'static str,
    email: &'static str,
    name: &'static str,
    phone: &'static str,
    key: &'static str,
    tenant: &'static str,
    secret: [u8; 16],
}

const CANARY: Person = Person {
    login: "Qzvxkjwq",
    email: "Xqjzkvwj@zjqxwvk.example",
    name: "Kqvjzxw Wjxqzkv",
    phone: "+941730528",
    key: "Vqkzjxwq-6350",
    tenant: "Jzwqxkvz",
    secret: [0xc3; 16],
};
const OTHER: Person =
    Person { login: "b", email: "c@d.example", name: "e", phone: "2", key: "f", tenant: "g", secret: [0x11; 16] };

/// Every run of four letters of the canary, and as bytes in decimal and in
/// hexadecimal. All in lower case; the decimal ones without white space.
fn traces() -> Vec<String> {
    let Person { login, email, name, phone, key, tenant, secret } = &CANARY;
    let email = email.strip_suffix(".example").unwrap();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for text in [login, email, name, phone, key, tenant] {
        pieces.extend(text.as_bytes().windows(4).map(<[u8]>::to_vec));
        pieces.extend(text.to_lowercase().as_bytes().windows(4).map(<[u8]>::to_vec));
    }
    pieces.push(secret[..4].to_vec());
    let mut traces = Vec::new();
    for piece in pieces {
        traces.push(piece.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        traces.push(piece.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
        traces.extend(String::from_utf8(piece).ok().map(|text| text.to_lowercase()));
    }
    traces
}

/// The first trace of the canary in a text.
fn trace(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let dense: String = lower.split_whitespace().collect();
    traces().into_iter().find(|trace| lower.contains(trace) || dense.contains(trace))
}

/// How a value shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Debug,
    Display,
    Serde,
    Source,
}

type Texts = Vec<(Way, String)>;

/// A value to be shown in every way that its type has. Which those are, method
/// look-up finds out: of two methods of one name, it takes the one that needs
/// no further reference, if its bounds hold.
struct Probe<'v, T>(&'v T);

trait ByDebug {
    fn debug(&self) -> Texts;
}
impl<T: Debug> ByDebug for Probe<'_, T> {
    fn debug(&self) -> Texts {
        vec![(Way::Debug, format!("{:?}", self.0)), (Way::Debug, format!("{:#?}", self.0))]
    }
}

trait ByDisplay {
    fn display(&self) -> Texts;
}
impl<T: Display> ByDisplay for Probe<'_, T> {
    fn display(&self) -> Texts {
        vec![(Way::Display, format!("{}", self.0)), (Way::Display, format!("{:#}", self.0))]
    }
}
trait NoDisplay {
    fn display(&self) -> Texts;
}
impl<T> NoDisplay for &Probe<'_, T> {
    fn display(&self) -> Texts {
        Vec::new()
    }
}

trait BySerde {
    fn serde(&self) -> Texts;
}
impl<T: Serialize> BySerde for Probe<'_, T> {
    fn serde(&self) -> Texts {
        let texts = [serde_json::to_string(self.0), serde_json::to_string_pretty(self.0)];
        texts.map(|text| (Way::Serde, text.unwrap())).to_vec()
    }
}
trait NoSerde {
    fn serde(&self) -> Texts;
}
impl<T> NoSerde for &Probe<'_, T> {
    fn serde(&self) -> Texts {
        Vec::new()
    }
}

/// An error and what it says to have come from, plain and pretty.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![format!("{error} {error:?} {error:#?}")];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(format!("{error} {error:?} {error:#?}"));
        source = error.source();
    }
    texts
}

trait BySource {
    fn sources(&self) -> Texts;
}
impl<T: Error + 'static> BySource for Probe<'_, T> {
    fn sources(&self) -> Texts {
        let mut texts = chain(self.0);
        texts.remove(0);
        texts.into_iter().map(|text| (Way::Source, text)).collect()
    }
}
trait NoSource {
    fn sources(&self) -> Texts;
}
impl<T> NoSource for &Probe<'_, T> {
    fn sources(&self) -> Texts {
        Vec::new()
    }
}

/// What is shown, by public type.
type Shown = BTreeMap<&'static str, Texts>;

/// Shows values of a type, whose name is checked by the compiler.
macro_rules! show {
    ($shown:ident, $($name:ident: [$($value:expr),+ $(,)?]),+ $(,)?) => {$(
        $({
            let value: &$name = &$value;
            let probe = &Probe(value);
            let texts = [probe.debug(), probe.display(), probe.serde(), probe.sources()];
            $shown.entry(stringify!($name)).or_default().extend(texts.into_iter().flatten());
        })+
    )+};
}

fn record(person: &Person) -> UserRecord<'static> {
    UserRecord {
        runtime: "prod".into(),
        provider: Some("Portal".into()),
        tenant: Some(person.tenant.into()),
        key: Some(person.key.into()),
        username: Some(person.login.into()),
        email: Some(person.email.into()),
        name: Some(person.name.into()),
        mobile_phone: Some(person.phone.into()),
        is_active: Some(true),
        status: Some(Status::Active),
        last_login: Some(UnixSeconds(1)),
        is_it_user: Some(false),
    }
}

fn subscription(platform: Platform) -> Subscription {
    let runtime = Runtime {
        name: "prod".into(),
        version: Some(Version::MERGES).filter(|_| platform == Platform::O11),
        internal_domains: DomainPolicy::parse("mycompany.com").unwrap(),
        disabled_providers: vec![],
    };
    Subscription::new(platform, vec![runtime], Some(Capacity::internal_external(1, 1))).unwrap()
}

/// The records of a person: one that counts and links, one in a tenant of its
/// own, one that is excluded, and one that nothing is known of but a login that
/// is an address.
fn records(person: &Person) -> [UserRecord<'static>; 4] {
    let full = record(person);
    [
        UserRecord { tenant: None, ..full.clone() },
        full.clone(),
        UserRecord { is_active: Some(false), ..full.clone() },
        UserRecord { runtime: "prod".into(), username: Some(person.email.into()), ..UserRecord::default() },
    ]
}

/// Everything that records went through.
fn show_counters(person: &Person, shown: &mut Shown) {
    for platform in [Platform::O11, Platform::Odc] {
        let key = FingerprintKey::from_secret(person.secret).unwrap();
        let mut counter = Counter::new(subscription(platform), &key);
        for record in records(person) {
            let outcome = counter.add(&record).unwrap();
            show!(shown, UserRecord: [record], Outcome: [outcome]);
            if let Outcome::Counted(why) = outcome {
                show!(shown, Classification: [why], Class: [why.class], ClassRule: [why.rule]);
            }
        }
        let elsewhere = UserRecord { runtime: person.tenant.into(), ..record(person) };
        let stopped = counter.add_all([record(person), elsewhere.clone()]).unwrap_err();
        show!(shown, AddError: [counter.add(&elsewhere).unwrap_err(), AddError::Full], StoppedAt: [stopped]);
        counter.reject();
        let report = counter.report();
        let prod = &report.runtimes[0];
        let usage = report.capacity.unwrap();
        show!(
            shown,
            Counter: [counter],
            FingerprintKey: [key],
            Report: [report],
            RuntimeReport: [*prod],
            ProviderReport: [prod.providers[0]],
            ExclusionTally: [prod.excluded],
            People: [report.global],
            ClassTally: [report.global.individuals],
            CapacityUsage: [usage],
        );
        for (_, usage) in usage.rows() {
            show!(shown, Usage: [usage], Licences: [usage.licences]);
        }
        let mut batch = counter.batch();
        for record in &records(person) {
            batch.add(record).unwrap();
        }
        show!(shown, Batch: [batch]);
        let mut other = Counter::new(subscription(platform), &FingerprintKey::public_for_tests(1));
        show!(shown, MergeError: [counter.merge(&other).unwrap_err()], AddError: [other.take(&mut batch).unwrap_err()]);
        let mut snapshot = counter.snapshot();
        snapshot.push(0);
        let key = FingerprintKey::from_secret(person.secret).unwrap();
        show!(shown, SnapshotError: [Counter::restore(subscription(platform), &key, &snapshot).unwrap_err()]);
        let odd = Subscription::new(platform, vec![Runtime { name: "lab".into(), ..runtime(platform) }], None).unwrap();
        show!(shown, MismatchError: [counter.report_under(&odd).unwrap_err()]);
        let mut individuals = counter.individuals();
        for record in records(person) {
            show!(shown, Standing: [individuals.of(&record).unwrap()]);
        }
        show!(shown, Individuals: [individuals], Subscription: [*counter.subscription()]);
    }
}

fn runtime(platform: Platform) -> Runtime {
    subscription(platform).runtimes()[0].clone()
}

/// What a person's text was read into, and could not be read into.
fn show_values(person: &Person, shown: &mut Shown) {
    let address = EmailAddress::parse(person.email).unwrap();
    let domain: Domain = address.domain().parse().unwrap();
    let broken = UserRecord { email: Some(format!("{}\0", person.email).into()), ..record(person) };
    let broken = UserRecord { username: Some(format!("{}\0x", person.login).into()), ..broken };
    show!(shown, UserRecord: [broken]);
    for field in broken.broken_fields() {
        show!(shown, Field: [field]);
    }
    let texts = [person.login, person.name, person.phone, person.email, "\0"];
    for text in texts {
        show!(
            shown,
            StatusError: [text.parse::<Status>().unwrap_err()],
            OwnerError: [DomainPolicy::of_owner(text.split('@').next().unwrap()).unwrap_err()],
        );
        show!(shown, CapacityError: [CapacityError::Incomplete, CapacityError::EmptyPack { key: "internal_pack" }]);
    }
    for text in [person.login, person.email, "\0"] {
        show!(shown, DomainError: [text.parse::<Domain>().unwrap_err()]);
    }
    show!(
        shown,
        EmailAddress: [address],
        KeyError: [FingerprintKey::from_secret([0; 16]).unwrap_err()],
        UnixSeconds: [UnixSeconds(1)],
        Status: [Status::Active, "invited".parse().unwrap()],
        Exclusion: [Exclusion::Anonymous],
        Platform: [Platform::O11],
        Version: [Version::MERGES],
        Capacity: [Capacity::named(1)],
        Runtime: [runtime(Platform::O11)],
        DomainPolicy: [DomainPolicy::parse("mycompany.com").unwrap()],
        PublicSuffixes: [PublicSuffixes::bundled()],
        Refusal: [DomainPolicy::parse(person.login).unwrap_err().refusal],
    );
    // What is configuration, and quoted: see `ALLOWED`.
    let of_owner = DomainPolicy::of_owner(person.email).map(|policy| policy.to_string());
    assert_eq!(of_owner.as_deref(), Ok(domain.as_str()));
    let policy = DomainPolicy::parse(person.email).unwrap_err();
    show!(
        shown,
        Domain: [domain],
        SubscriptionError: [SubscriptionError::Policy { runtime: "prod".into(), source: policy.clone() }],
        PolicyError: [policy],
        VersionError: [person.login.parse::<Version>().unwrap_err()],
        SuffixListError: [PublicSuffixes::parse(&format!("// ===BEGIN ICANN DOMAINS===\n{}..b\n", person.login)).unwrap_err()],
    );
}

/// What shows text, in which ways, and why it may.
const ALLOWED: [(&str, &[Way], &str); 6] = [
    ("UserRecord", &[Way::Serde], "serialising a record is how a caller writes it to a file"),
    ("Domain", &[Way::Debug, Way::Display], "a domain alone is an organisation's name; records never become one"),
    ("PolicyError", &[Way::Debug, Way::Display], "quotes the entry of the policy (P3), which is configuration"),
    (
        "SubscriptionError",
        &[Way::Debug, Way::Display, Way::Source],
        "quotes the subscription's own names and entries, which are configuration",
    ),
    ("VersionError", &[Way::Debug, Way::Display], "quotes the version, which is configuration"),
    ("SuffixListError", &[Way::Debug, Way::Display], "quotes a rule of the public suffix list, which is configuration"),
];

/// The type that may show another number for another person, and why.
const NUMBERED: (&str, &str) = ("Standing", "the number of an individual goes by fingerprints under the secret key");

fn shown(person: &Person) -> Shown {
    let mut shown = Shown::new();
    show_counters(person, &mut shown);
    show_values(person, &mut shown);
    shown
}

#[test]
fn no_public_type_shows_personal_data() {
    let (canary, other) = (shown(&CANARY), shown(&OTHER));
    let allowed = |name: &str, way: Way| ALLOWED.iter().any(|(listed, ways, _)| *listed == name && ways.contains(&way));
    let mut told = BTreeSet::new();
    for (name, texts) in &canary {
        for ((way, text), (_, other)) in texts.iter().zip(&other[name]) {
            if allowed(name, *way) {
                told.extend(trace(text).map(|_| (*name, *way)));
            } else {
                assert_eq!(trace(text), None, "{name} by {way:?}: {text}");
                assert!(
                    text == other || NUMBERED.0 == *name,
                    "{name} by {way:?} depends on the person: {text}, {other}"
                );
            }
        }
        assert_eq!(texts.len(), other[name].len(), "{name}");
    }
    let listed = ALLOWED.iter().flat_map(|(name, ways, _)| ways.iter().map(|way| (*name, *way)));
    assert_eq!(told, listed.collect(), "what is allowed to show text, and does");
}

/// Nor does a snapshot hold any, nor the key.
#[test]
fn a_snapshot_holds_no_personal_data() {
    for platform in [Platform::O11, Platform::Odc] {
        let key = FingerprintKey::from_secret(CANARY.secret).unwrap();
        let mut counter = Counter::new(subscription(platform), &key);
        counter.add_all(records(&CANARY)).unwrap();
        let snapshot = counter.snapshot();
        let Person { login, email, name, phone, key, tenant, secret } = CANARY;
        let email = email.strip_suffix(".example").unwrap();
        for text in [login, email, name, phone, key, tenant] {
            for piece in [text, &text.to_lowercase()].map(str::as_bytes).iter().flat_map(|text| text.windows(4)) {
                assert!(!snapshot.windows(4).any(|bytes| bytes == piece), "{text}");
            }
        }
        assert!(!snapshot.windows(4).any(|bytes| bytes == &secret[..4]));
        let provider = b"portal";
        assert!(
            snapshot.windows(6).any(|bytes| bytes.eq_ignore_ascii_case(provider)),
            "the search finds what is there"
        );
    }
}

#[test]
fn every_public_type_is_shown() {
    let library = include_str!("../src/lib.rs");
    let items = library.lines().filter(|line| line.starts_with("pub "));
    assert!(items.clone().all(|line| line.starts_with("pub use ")), "something public that is no `pub use`");
    let uses = library.split("\npub use ").skip(1).map(|rest| rest.split_once(';').unwrap().0);
    let names = uses.flat_map(|path| {
        let (_, names) = path.rsplit_once("::").unwrap();
        names.trim_matches(['{', '}']).split(',').map(str::trim).filter(|name| !name.is_empty())
    });
    let shown = shown(&CANARY);
    assert_eq!(names.collect::<BTreeSet<_>>(), shown.keys().copied().collect());
}

/// The probe finds what it looks for; otherwise the tests above say nothing.
#[test]
fn the_traces_are_found() {
    for text in [
        "login: QZVXKJWQ".to_owned(),
        "…jzkv…".to_owned(),
        format!("{:?}", CANARY.name.as_bytes()),
        format!("{:#?}", CANARY.key.as_bytes()),
        format!("{:02x?}", &CANARY.tenant.as_bytes()).replace(", ", ""),
        "call 730528".to_owned(),
        format!("FingerprintKey({:?})", CANARY.secret),
        format!("{:x}", u128::from_le_bytes(CANARY.secret)),
    ] {
        assert!(trace(&text).is_some(), "{text}");
    }
    assert_eq!(trace("no such person in runtime `prod` of mycompany.com, 1234567890"), None);
}

/// X2: what cannot be read into a record is not shown, wherever it stands.
#[test]
fn errors_of_reading_show_no_value() {
    let fields = "runtime provider tenant key username email name mobile_phone is_active status last_login is_it_user";
    let texts = [CANARY.login, CANARY.email, CANARY.name, CANARY.phone, CANARY.key].map(|text| format!("{text:?}"));
    let mut values: Vec<String> = texts.to_vec();
    for text in &texts {
        values.push(format!("[{text}]"));
        // An unknown field's name may be shown: that is how its error helps.
        values.push(format!("{{\"login\":{text}}}"));
    }
    values.extend(
        ["941730528", "-941730528", "9417.30528", "94173052800000000000", "9417305280000000000000000"]
            .map(str::to_owned),
    );
    let mut refused = 0;
    let mut hold = |what: &str, error: &dyn Error| {
        for text in chain(error) {
            assert_eq!(trace(&text), None, "{what}: {text}");
        }
        refused += 1;
    };
    for value in &values {
        for field in fields.split(' ') {
            for row in [
                format!("{{\"runtime\":\"prod\",{field:?}:{value}}}"),
                format!("{{{field:?}:{value},{field:?}:{value}}}"),
                format!("{{{field:?}:{value}"),
            ] {
                if let Err(error) = serde_json::from_str::<UserRecord>(&row) {
                    hold(&row, &error);
                }
            }
        }
        // A row that is no record at all, and types that are read alone.
        for row in [value.clone(), format!("[{value},{value}]"), format!("[[{value}]]")] {
            if let Err(error) = serde_json::from_str::<UserRecord>(&row) {
                hold(&row, &error);
            }
            if let Err(error) = serde_json::from_str::<Vec<UserRecord>>(&format!("[{row}]")) {
                hold(&row, &error);
            }
            if let Err(error) = serde_json::from_str::<Status>(&row) {
                hold(&row, &error);
            }
            if let Err(error) = serde_json::from_str::<UnixSeconds>(&row) {
                hold(&row, &error);
            }
        }
    }
    assert!(refused > 500, "{refused}");
}
