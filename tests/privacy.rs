//! No public type shows personal data: not by `Debug`, `Display`, serde or an
//! error's sources, plain or pretty.
//!
//! Everything is made twice, of two people who have nothing in common. Both
//! times it must show the same, and nothing of the one person. What may show
//! text is listed with the reason; a public type that is not here fails, and so
//! does a variant of a public enum.

#![cfg(feature = "public-suffix-list")] // Subscriptions are deserialised.

mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{Debug, Display};
use std::path::Path;

use headcount::{
    AddError, Batch, Capacity, CapacityError, CapacityUsage, Class, ClassRule, ClassTally, Classification, Counter,
    Domain, DomainError, DomainPolicy, EmailAddress, Exclusion, ExclusionTally, Field, FingerprintKey, Individuals,
    KeyError, Licences, MergeError, MismatchError, Outcome, OwnerError, People, Platform, PolicyError, ProviderReport,
    PublicSuffixes, Refusal, Report, Runtime, RuntimeReport, SnapshotError, Standing, Status, StatusError, StoppedAt,
    Subscription, SubscriptionError, SuffixListError, UnixSeconds, Usage, UserRecord, Version, VersionError,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

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

/// What is shown, by public type, and of an enum by variant: `Standing::Alone`.
type Shown = BTreeMap<String, Texts>;

/// What derived `Debug` of an enum begins with is the variant, of a struct its
/// own name.
fn name_of(name: &str, texts: &Texts) -> String {
    let word = texts[0].1.split(|c: char| !c.is_alphanumeric()).next().unwrap();
    if ["", name].contains(&word) { name.to_owned() } else { format!("{name}::{word}") }
}

/// Shows values of a type, whose name is checked by the compiler.
macro_rules! show {
    ($shown:ident, $($name:ident: [$($value:expr),+ $(,)?]),+ $(,)?) => {$(
        $({
            let value: &$name = &$value;
            let probe = &Probe(value);
            let texts = [probe.debug(), probe.display(), probe.serde(), probe.sources()].concat();
            $shown.entry(name_of(stringify!($name), &texts)).or_default().extend(texts);
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
        let mut elsewhere = Counter::new(lab(platform), &FingerprintKey::from_secret(person.secret).unwrap());
        elsewhere.add(&UserRecord { runtime: "lab".into(), ..record(person) }).unwrap();
        let named = Subscription::new(platform, vec![runtime(platform)], Some(Capacity::named(1))).unwrap();
        show!(
            shown,
            MergeError: [counter.merge(&elsewhere).unwrap_err()],
            MismatchError: [
                counter.report_under(&lab(platform)).unwrap_err(),
                counter.report_under(&subscription(other_than(platform))).unwrap_err(),
            ],
            CapacityUsage: [counter.report_under(&named).unwrap().capacity.unwrap()],
        );
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

/// A subscription of another runtime.
fn lab(platform: Platform) -> Subscription {
    Subscription::new(platform, vec![Runtime { name: "lab".into(), ..runtime(platform) }], None).unwrap()
}

fn other_than(platform: Platform) -> Platform {
    match platform {
        Platform::O11 => Platform::Odc,
        Platform::Odc => Platform::O11,
    }
}

/// A key that the tests know too, so that they can seal what no counter writes.
const KNOWN: u64 = 7;

/// Snapshots of a person that are refused, each for another reason. By the
/// format, the version begins at byte 8, what tells the build at 44, the count
/// of rejected rows at 60; the last 16 bytes are the seal.
fn show_snapshots(person: &Person, shown: &mut Shown) {
    for platform in [Platform::O11, Platform::Odc] {
        let key = FingerprintKey::public_for_tests(KNOWN);
        let mut counter = Counter::new(subscription(platform), &key);
        counter.add_all(records(person)).unwrap();
        let snapshot = counter.snapshot();
        let content = &snapshot[..snapshot.len() - 16];
        let flipped = |at: usize| [&content[..at], &[content[at] ^ 1], &content[at + 1..]].concat();
        let restored = |bytes: &[u8]| Counter::restore(subscription(platform), &key, bytes);
        let refused = |bytes: &[u8]| restored(bytes).unwrap_err();
        let secret = FingerprintKey::from_secret(person.secret).unwrap();
        show!(
            shown,
            SnapshotError: [
                refused(person.email.as_bytes()),
                refused(&flipped(8)),
                Counter::restore(subscription(platform), &secret, &snapshot).unwrap_err(),
                refused(&[&snapshot, person.login.as_bytes()].concat()),
                Counter::restore(lab(platform), &key, &snapshot).unwrap_err(),
                refused(&seal::sealed(KNOWN, flipped(44))),
                refused(&seal::sealed(KNOWN, [content, person.login.get(..1).unwrap().as_bytes()].concat())),
            ],
        );
        // As many rejected rows as there can be, twice.
        let most = [&content[..60], &(1_u64 << 46).to_le_bytes(), &content[68..]].concat();
        let [mut most, as_many] = [(); 2].map(|()| restored(&seal::sealed(KNOWN, most.clone())).unwrap());
        show!(shown, MergeError: [most.merge(&as_many).unwrap_err()]);
    }
}

/// What serde says of a value that cannot be read.
fn unread<T: DeserializeOwned + Debug>(value: Value) -> String {
    serde_json::from_value::<T>(value).unwrap_err().to_string()
}

/// Subscriptions that are refused, of a runtime that is called like a person:
/// what is quoted is configuration, see `ALLOWED`. Where only a file can be
/// wrong, the error is made by hand and held against what serde says.
fn show_subscriptions(person: &Person, shown: &mut Shown) {
    let called = |platform| Runtime { name: person.login.into(), ..runtime(platform) };
    let [o11, odc] = [Platform::O11, Platform::Odc].map(called);
    let refused = |platform, runtime: Runtime| Subscription::new(platform, vec![runtime], None).unwrap_err();
    show!(
        shown,
        SubscriptionError: [
            Subscription::new(Platform::O11, vec![], None).unwrap_err(),
            refused(Platform::O11, Runtime { name: format!("{}\0", person.login), ..o11.clone() }),
            Subscription::new(Platform::Odc, vec![odc.clone(), odc.clone()], None).unwrap_err(),
            refused(Platform::O11, odc.clone()),
            refused(Platform::Odc, o11.clone()),
            refused(Platform::O11, Runtime { disabled_providers: vec![String::new()], ..o11.clone() }),
        ],
    );
    let runtime = person.login.to_owned();
    let (name, version, policy) = (person.login, person.name, person.email);
    let version_error = version.parse::<Version>().unwrap_err();
    let policy_error = DomainPolicy::parse(policy).unwrap_err();
    let two_models = json!({"named": 1, "internal": 1});
    for (error, file) in [
        (SubscriptionError::NoPlatform, json!({"runtime": [{"name": name}]})),
        (
            SubscriptionError::Version { runtime: runtime.clone(), source: version_error },
            json!({"platform": "o11", "runtime": [{"name": name, "version": version}]}),
        ),
        (
            SubscriptionError::Policy { runtime, source: policy_error },
            json!({"platform": "odc", "runtime": [{"name": name, "internal_domains": policy}]}),
        ),
        (
            CapacityError::TwoModels.into(),
            json!({"platform": "odc", "runtime": [{"name": name}], "capacity": two_models.clone()}),
        ),
    ] {
        assert_eq!(unread::<Subscription>(file), error.to_string());
        show!(shown, SubscriptionError: [error]);
    }
    for (error, table) in [
        (CapacityError::Incomplete, json!({"internal": 1})),
        (CapacityError::TwoModels, two_models),
        (CapacityError::MisplacedPack, json!({"named": 1, "external_pack": 1})),
        (CapacityError::EmptyPack { key: "internal_pack" }, json!({"named": 1, "internal_pack": 0})),
    ] {
        assert_eq!(unread::<Capacity>(table), error.to_string());
        show!(shown, CapacityError: [error]);
    }
    let of = |runtime| Subscription::new(Platform::O11, vec![runtime], None).unwrap();
    let disabling = of(Runtime { disabled_providers: vec![person.name.into()], ..o11.clone() });
    let mut counter = Counter::new(of(o11), &FingerprintKey::public_for_tests(KNOWN));
    counter.add(&UserRecord { runtime: person.login.into(), ..record(person) }).unwrap();
    show!(shown, MismatchError: [counter.report_under(&disabling).unwrap_err()]);
}

/// Policies that are refused: the entry is quoted, the reason is the same for
/// everyone.
fn show_policies(person: &Person, shown: &mut Shown) {
    let Person { login, email, .. } = person;
    for entry in [
        (*email).to_owned(),
        format!("@{login}.example"),
        format!("*.{login}.example"),
        format!("https://{login}.example/"),
        format!("{login} {login}"),
        format!("{login}.ck"),
        "10.0.0.1".to_owned(),
        (*login).to_owned(),
        format!("{login}.1"),
        format!("{login}_.example"),
    ] {
        let error = DomainPolicy::parse(&entry).unwrap_err();
        show!(shown, Refusal: [error.refusal], PolicyError: [error]);
        if let Refusal::NotADomain(why) = error.refusal {
            assert_eq!(entry.parse::<Domain>(), Err(why));
            show!(shown, DomainError: [why]);
        }
    }
    show!(shown, OwnerError: [of_owner(person, "").unwrap_err(), of_owner(person, "ck").unwrap_err()]);
}

/// The policy of someone whose address has a domain like the person's, under
/// another top level. Of `*.ck` the Public Suffix List says that whatever is
/// below `ck` is a public suffix.
fn of_owner(person: &Person, top_level: &str) -> Result<DomainPolicy, OwnerError> {
    DomainPolicy::of_owner(&person.email.replace("example", top_level))
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
        show!(shown, StatusError: [text.parse::<Status>().unwrap_err()]);
    }
    for text in [person.login, person.email, "\0"] {
        show!(shown, DomainError: [text.parse::<Domain>().unwrap_err()]);
    }
    show!(
        shown,
        EmailAddress: [address],
        KeyError: [FingerprintKey::from_secret([0; 16]).unwrap_err()],
        UnixSeconds: [UnixSeconds(1)],
        Status: [Status::Active, "invited".parse().unwrap(), Status::PendingRegistration, Status::Inactive],
        Exclusion: [
            Exclusion::DisabledProvider,
            Exclusion::ItUser,
            Exclusion::Inactive,
            Exclusion::Anonymous,
            Exclusion::NeverLoggedIn,
        ],
        Class: [Class::Internal, Class::External, Class::Unclassified],
        ClassRule: [ClassRule::C1, ClassRule::C2, ClassRule::C4, ClassRule::C5],
        Platform: [Platform::O11, Platform::Odc],
        Version: [Version::MERGES],
        Capacity: [Capacity::named(1), Capacity::internal_external(1, 1)],
        Runtime: [runtime(Platform::O11)],
        DomainPolicy: [DomainPolicy::parse("mycompany.com").unwrap()],
        PublicSuffixes: [PublicSuffixes::bundled()],
    );
    // What is configuration, and quoted: see `ALLOWED`.
    let of_owner = of_owner(person, "example").map(|policy| policy.to_string());
    assert_eq!(of_owner.as_deref(), Ok(domain.as_str()));
    show!(
        shown,
        Domain: [domain],
        VersionError: [person.login.parse::<Version>().unwrap_err()],
        SuffixListError: [PublicSuffixes::parse(&format!("// ===BEGIN ICANN DOMAINS===\n{}..b\n", person.login)).unwrap_err()],
    );
}

const TOLD: &[Way] = &[Way::Debug, Way::Display];
const WITH_SOURCE: &[Way] = &[Way::Debug, Way::Display, Way::Source];

/// What shows text, in which ways, and why it may.
const ALLOWED: [(&str, &[Way], &str); 13] = [
    ("UserRecord", &[Way::Serde], "serialising a record is how a caller writes it to a file"),
    ("Domain", TOLD, "a domain alone is an organisation's name; records never become one"),
    ("PolicyError", TOLD, "quotes the entry of the policy (P3), which is configuration"),
    ("OwnerError::Domain", TOLD, "quotes the domain alone, a public suffix that the contract's policy would have (P5)"),
    ("SubscriptionError::DuplicateRuntime", TOLD, "quotes the runtime's name, which is configuration"),
    ("SubscriptionError::MissingVersion", TOLD, "quotes the runtime's name, which is configuration"),
    ("SubscriptionError::MisplacedKey", TOLD, "quotes the runtime's name, which is configuration"),
    ("SubscriptionError::EmptyProvider", TOLD, "quotes the runtime's name, which is configuration"),
    ("SubscriptionError::Version", WITH_SOURCE, "quotes the runtime's name and version, which are configuration"),
    ("SubscriptionError::Policy", WITH_SOURCE, "quotes the runtime's name and an entry, which are configuration"),
    ("MismatchError::DisabledProviders", TOLD, "quotes the runtime's name, which is configuration"),
    ("VersionError", TOLD, "quotes the version, which is configuration"),
    ("SuffixListError", TOLD, "quotes a rule of the public suffix list, which is configuration"),
];

/// The variant that may show another number for another person, and why.
const NUMBERED: (&str, &str) =
    ("Standing::Linked", "the number of an individual goes by fingerprints under the secret key");

fn shown(person: &Person) -> Shown {
    let mut shown = Shown::new();
    show_counters(person, &mut shown);
    show_snapshots(person, &mut shown);
    show_subscriptions(person, &mut shown);
    show_policies(person, &mut shown);
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
                told.extend(trace(text).map(|_| (name.as_str(), *way)));
            } else {
                assert_eq!(trace(text), None, "{name} by {way:?}: {text}");
                assert!(
                    text == other || NUMBERED.0 == name,
                    "{name} by {way:?} depends on the person: {text}, {other}"
                );
            }
        }
        assert_eq!(texts.len(), other[name].len(), "{name}");
    }
    let listed = ALLOWED.iter().flat_map(|(name, ways, _)| ways.iter().map(|way| (*name, *way)));
    assert_eq!(told, listed.collect(), "what is allowed to show text, and does");
}

/// P5: an owner's address is never shown, and of its domain only a public
/// suffix: any other is taken. Under a rule like `*.ck` that names the person's
/// own domain.
#[test]
fn of_an_owners_address_only_a_public_suffix_is_shown() {
    let says = |address: &str| {
        let error = DomainPolicy::of_owner(address).unwrap_err();
        format!("{error} {error:?} {error:#?}")
    };
    let Person { login, email, .. } = CANARY;
    for (origin, address) in [
        ("V1 no @", login.to_owned()),
        ("V3 one label", format!("{login}@localhost")),
        ("N3 no domain", format!("{login}@{login}_.example")),
        ("V3 digits", email.replace("example", "1")),
        ("V4 display name", format!("{login} <{email}>")),
        ("V1 several @", format!("{login}@{email}")),
        ("P3 public suffix", format!("{login}@co.uk")),
        ("P3 public suffix of one label, which is no domain", format!("{login}@com")),
    ] {
        assert_eq!(trace(&says(&address)), None, "{origin}");
    }
    assert!(says("canary@co.uk").contains("`co.uk`"), "P3: the suffix is quoted");
    assert!(!says("canary@co.uk").contains("canary"), "P5: the local part is not");
    let below_a_wildcard = says(&format!("{login}@zjqxwvk.ck"));
    assert!(below_a_wildcard.contains("`zjqxwvk.ck`"), "P3: the suffix is quoted");
    assert_eq!(trace(&below_a_wildcard.replace("zjqxwvk.ck", "")), None, "P5: nothing else is");
}

/// Names of user providers are no personal data, so of a row whose columns are
/// shifted reports and snapshots show what stands in its place. Nothing else
/// does.
#[test]
fn a_shifted_row_is_shown_only_as_a_user_provider() {
    let shifted = UserRecord { provider: Some(CANARY.login.into()), ..record(&OTHER) };
    let mut counter = Counter::new(subscription(Platform::O11), &FingerprintKey::public_for_tests(KNOWN));
    counter.add(&shifted).unwrap();
    let report = counter.report();
    let shows = |text: String| trace(&text).is_some();
    assert!(shows(format!("{report:?}")), "T3: each user provider");
    assert!(shows(serde_json::to_string(&report).unwrap()), "T3: each user provider");
    assert!(counter.snapshot().windows(8).any(|bytes| bytes == CANARY.login.as_bytes()), "T3: each user provider");
    let unknown = UserRecord { runtime: CANARY.login.into(), ..record(&OTHER) };
    let records = format!("{shifted:?} {unknown:?}");
    let refused = chain(&counter.add_all([unknown]).unwrap_err());
    assert_eq!(trace(&format!("{records} {refused:?} {counter:?} {:?}", counter.individuals())), None, "X2");
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
    let types = shown.keys().map(|name| name.split("::").next().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), types.collect());
}

/// The variants of the public enums, as the source writes them: one begins a
/// line, behind four spaces and with a capital letter.
fn variants() -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        for item in source.split("\npub enum ").skip(1) {
            let (name, rest) = item.split_once(" {\n").unwrap();
            let lines = rest.split("\n}\n").next().unwrap().lines();
            let begins = lines.filter_map(|line| line.strip_prefix("    "));
            let begins = begins.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
            let words = begins.map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap());
            variants.extend(words.map(|variant| format!("{name}::{variant}")));
        }
    }
    variants
}

#[test]
fn every_variant_of_every_public_enum_is_shown() {
    let shown = shown(&CANARY);
    let shown: BTreeSet<String> = shown.into_keys().filter(|name| name.contains("::")).collect();
    let odd: Vec<_> = variants().symmetric_difference(&shown).cloned().collect();
    assert!(odd.is_empty(), "not shown, or not found in the source: {odd:?}");
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
