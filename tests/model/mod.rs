//! What RULES.md says a counter must answer, as plainly as it can be written:
//! strings, quadratic loops, no state.
//!
//! Derived from the rules alone, whose ids stand beside the steps. N3 is the
//! crate's own (`Domain::from_str`), since UTS #46 is not worth writing twice,
//! and so is what a subscription holds: the domains of a policy that was parsed
//! (P), versions and their order, what a capacity licenses. NFC is a table of
//! what the tests' alphabets hold.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod agreement;
pub mod feeding;
pub mod streams;

use std::borrow::Cow;

use headcount::{
    Capacity, CapacityUsage, Class, ClassRule, ClassTally, Classification, Domain, Exclusion, Outcome, Platform,
    Report, Runtime, RuntimeReport, Status, Subscription, UserRecord, Version,
};

/// The answer to a subscription and its records.
pub struct Answer {
    pub totals: Totals,
    /// By record.
    pub verdicts: Vec<Verdict>,
}

/// The numbers of a report.
#[derive(Debug, PartialEq, Eq)]
pub struct Totals {
    pub platform: Platform,
    pub records: u64,
    pub runtimes: Vec<RuntimeTotals>,
    pub global: People,
    /// S2: what each capacity has in use.
    pub used: Vec<(&'static str, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct RuntimeTotals {
    pub name: String,
    pub records: u64,
    pub excluded: Vec<(Exclusion, u64)>,
    pub counted: u64,
    pub people: People,
    pub providers: Vec<(String, ClassTally)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct People {
    pub individuals: ClassTally,
    pub duplicates: u64,
    pub mixed_class: u64,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Excluded(Exclusion),
    Counted {
        record: Classification,
        /// Whether anything could link it to another record.
        linkable: bool,
        /// The same number for all records of one individual.
        individual: usize,
        /// The class of the individual.
        class: Class,
    },
}

impl Verdict {
    /// What `add` has to say of the record.
    pub fn outcome(self) -> Outcome {
        match self {
            Verdict::Excluded(reason) => Outcome::Excluded(reason),
            Verdict::Counted { record, .. } => Outcome::Counted(record),
        }
    }
}

/// What the rules look at in a record.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Which runtime of the subscription.
    pub runtime: usize,
    pub exclusion: Option<Exclusion>,
    /// R3, as written and in matching form.
    pub provider: (String, String),
    pub default_tenant: bool,
    pub address: Option<Address>,
    pub login: Option<String>,
    pub key: Option<String>,
    /// Holds only where the record counts.
    pub class: Classification,
}

/// N4: a local part in matching form and a domain in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub local: String,
    pub domain: Domain,
}

/// What a counter must say about these records, fed in this order.
pub fn answer(subscription: &Subscription, records: &[UserRecord]) -> Answer {
    answer_to(subscription, &facts(subscription, records))
}

/// The same of what the rules look at in them.
pub fn answer_to(subscription: &Subscription, facts: &[Facts]) -> Answer {
    let platform = subscription.platform();
    let counted: Vec<&Facts> = facts.iter().filter(|record| record.exclusion.is_none()).collect();

    // D6: O11 by D2 over all runtimes, whatever their versions; ODC by D5.
    let global = groups(&counted, |one, other| linked(platform, one, other));
    let global_people = people(&global);
    let runtimes = (0..subscription.runtimes().len()).map(|at| runtime_totals(subscription, at, facts)).collect();
    let verdicts = facts.iter().map(|record| verdict(platform, record, &global)).collect();
    Answer {
        totals: Totals {
            platform,
            records: number(facts.len()),
            runtimes,
            global: global_people,
            used: used(subscription.capacity(), global_people.individuals),
        },
        verdicts,
    }
}

pub fn facts(subscription: &Subscription, records: &[UserRecord]) -> Vec<Facts> {
    records.iter().map(|record| facts_of(subscription, record)).collect()
}

fn facts_of(subscription: &Subscription, record: &UserRecord) -> Facts {
    let platform = subscription.platform();
    // R1, R2.
    let runtime = subscription.runtimes().iter().position(|runtime| runtime.name == record.runtime.trim());
    let runtime = runtime.expect("tests feed known runtimes to the model");
    let rules = &subscription.runtimes()[runtime];
    // R3.
    let provider = present(record.provider.as_ref()).unwrap_or_else(|| "Users".to_owned());
    let provider_form = matching_form(&provider);
    // R4.
    let tenant = present(record.tenant.as_ref());
    let default_tenant = tenant.is_none_or(|tenant| matching_form(&tenant) == provider_form);
    let address = address_of(platform, record);
    Facts {
        runtime,
        exclusion: exclusion(platform, rules, &provider_form, record),
        provider: (provider, provider_form),
        default_tenant,
        class: classification(platform, rules, address.as_ref()),
        address,
        login: present(record.username.as_ref()).map(|login| matching_form(&login)),
        key: present(record.key.as_ref()).map(|key| matching_form(&key)),
    }
}

/// E: the first rule that holds.
fn exclusion(platform: Platform, runtime: &Runtime, provider: &str, record: &UserRecord) -> Option<Exclusion> {
    let absent = |text: &Option<Cow<str>>| present(text.as_ref()).is_none();
    // R5. The null date's last second, 1900-01-01T23:59:59Z, in unix seconds.
    let never = record.last_login.is_none_or(|time| time.0 <= -2_208_988_800 + 86_399);

    // E1.
    let mut disabled = runtime.disabled_providers.iter();
    if platform == Platform::O11 && disabled.any(|name| matching_form(name.trim()) == provider) {
        return Some(Exclusion::DisabledProvider);
    }
    // E2.
    if record.is_it_user == Some(true) || (platform == Platform::O11 && provider == "servicecenter") {
        return Some(Exclusion::ItUser);
    }
    // E3.
    if record.is_active == Some(false) || record.status == Some(Status::Inactive) {
        return Some(Exclusion::Inactive);
    }
    // E4.
    if never && [&record.username, &record.email, &record.name, &record.mobile_phone].into_iter().all(absent) {
        return Some(Exclusion::Anonymous);
    }
    // E5. E6 excludes nobody.
    if platform == Platform::Odc && never {
        return Some(Exclusion::NeverLoggedIn);
    }
    None
}

/// C3.
fn address_of(platform: Platform, record: &UserRecord) -> Option<Address> {
    let by_email = present(record.email.as_ref()).and_then(|email| address(&email));
    let by_login = present(record.username.as_ref()).and_then(|login| address(&login));
    match platform {
        Platform::O11 => by_email.or(by_login),
        Platform::Odc => by_email,
    }
}

/// C: the first rule that applies.
fn classification(platform: Platform, runtime: &Runtime, address: Option<&Address>) -> Classification {
    let internal = |rule| Classification { class: Class::Internal, rule };
    // C1.
    if platform == Platform::O11 && before(runtime, 11, 7, 0) {
        return Classification { class: Class::Unclassified, rule: ClassRule::C1 };
    }
    // C2.
    let domains = runtime.internal_domains.domains();
    if domains.is_empty() {
        return internal(ClassRule::C2);
    }
    // C4.
    let Some(address) = address else {
        return internal(ClassRule::C4);
    };
    // C5.
    if domains.contains(&address.domain.as_str()) {
        internal(ClassRule::C5)
    } else {
        Classification { class: Class::External, rule: ClassRule::C5 }
    }
}

/// V: the address that a trimmed text is.
pub fn address(text: &str) -> Option<Address> {
    // V1.
    let at = text.rfind('@')?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    if local.is_empty() || domain.is_empty() || local.len() > 64 || text.len() > 254 {
        return None;
    }
    // V2.
    let allowed = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c)
        } else {
            !c.is_whitespace() && !c.is_control()
        }
    };
    if !local.chars().all(allowed) {
        return None;
    }
    // V3, N3.
    let domain: Domain = domain.parse().ok()?;
    let labels: Vec<&str> = domain.as_str().split('.').collect();
    let last = labels[labels.len() - 1];
    if labels.len() < 2 || last.is_empty() || last.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    // N4.
    Some(Address { local: matching_form(local), domain })
}

/// N1, R2.
fn present(text: Option<&Cow<str>>) -> Option<String> {
    let text = text?.trim();
    if text.is_empty() { None } else { Some(text.to_owned()) }
}

/// N2. `str::to_lowercase` would look at a sigma's neighbours.
pub fn matching_form(text: &str) -> String {
    nfc(text).chars().flat_map(char::to_lowercase).collect()
}

/// Unicode NFC of what the tests' alphabets hold.
fn nfc(text: &str) -> String {
    let mut text = text.to_owned();
    for (decomposed, composed) in [
        ("e\u{301}", "é"),
        ("E\u{301}", "É"),
        ("u\u{308}", "ü"),
        ("U\u{308}", "Ü"),
        ("I\u{307}", "İ"),
        ("\u{212A}", "K"),
        ("\u{212B}", "Å"),
    ] {
        text = text.replace(decomposed, composed);
    }
    assert!(!text.contains(['\u{301}', '\u{308}']), "the table of NFC lacks {text:?}");
    text
}

/// Whether two counted records are one individual without the help of a third.
pub fn linked(platform: Platform, one: &Facts, other: &Facts) -> bool {
    match platform {
        // D2, D3, D7.
        Platform::O11 => {
            one.default_tenant
                && other.default_tenant
                && (same(one.address.as_ref(), other.address.as_ref())
                    || same(one.login.as_ref(), other.login.as_ref()))
        }
        // D5.
        Platform::Odc => same(one.key.as_ref(), other.key.as_ref()),
    }
}

/// D8: absent matches nothing.
fn same<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.is_some() && one == other
}

/// The link that `linked` needs, whatever other records there are.
fn linkable(platform: Platform, record: &Facts) -> bool {
    linked(platform, record, record)
}

/// D1, D2: at first everyone is alone; then groups with a link between them
/// become one, until no two have one.
pub fn groups<'f>(records: &[&'f Facts], linked: impl Fn(&Facts, &Facts) -> bool) -> Vec<Vec<&'f Facts>> {
    let mut groups: Vec<Vec<&Facts>> = records.iter().map(|record| vec![*record]).collect();
    let touching = |one: &[&Facts], other: &[&Facts]| one.iter().any(|a| other.iter().any(|b| linked(a, b)));
    let mut at = 0;
    while at < groups.len() {
        match (at + 1..groups.len()).find(|other| touching(&groups[at], &groups[*other])) {
            Some(other) => {
                let absorbed = groups.remove(other);
                groups[at].extend(absorbed);
            }
            None => at += 1,
        }
    }
    groups
}

/// T2, T4, T5.
fn people(groups: &[Vec<&Facts>]) -> People {
    let classes: Vec<Class> = groups.iter().map(|group| individual_class(group)).collect();
    let records: usize = groups.iter().map(Vec::len).sum();
    let mixed = groups.iter().filter(|group| group.iter().any(|record| record.class.class != group[0].class.class));
    People {
        individuals: tally(&classes),
        duplicates: number(records - groups.len()),
        mixed_class: number(mixed.count()),
    }
}

/// C6.
fn individual_class(records: &[&Facts]) -> Class {
    let has = |class| records.iter().any(|record| record.class.class == class);
    [Class::Internal, Class::External].into_iter().find(|class| has(*class)).unwrap_or(Class::Unclassified)
}

fn tally(classes: &[Class]) -> ClassTally {
    let of = |class| number(classes.iter().filter(|other| **other == class).count());
    ClassTally { internal: of(Class::Internal), external: of(Class::External), unclassified: of(Class::Unclassified) }
}

fn runtime_totals(subscription: &Subscription, at: usize, facts: &[Facts]) -> RuntimeTotals {
    let platform = subscription.platform();
    let runtime = &subscription.runtimes()[at];
    let records: Vec<&Facts> = facts.iter().filter(|record| record.runtime == at).collect();
    let counted: Vec<&Facts> = records.iter().filter(|record| record.exclusion.is_none()).copied().collect();
    // D4: before 11.11.3 nothing merges in the runtime's own tally.
    let merges = platform == Platform::Odc || !before(runtime, 11, 11, 3);
    let groups = groups(&counted, |one, other| merges && linked(platform, one, other));
    // T1.
    let of = |reason| number(records.iter().filter(|record| record.exclusion == Some(reason)).count());
    RuntimeTotals {
        name: runtime.name.clone(),
        records: number(records.len()),
        excluded: Exclusion::ALL.into_iter().map(|reason| (reason, of(reason))).collect(),
        counted: number(counted.len()),
        people: people(&groups),
        providers: providers(&counted),
    }
}

/// T3, sorted by matching form and spelled as first met.
fn providers(counted: &[&Facts]) -> Vec<(String, ClassTally)> {
    let mut forms: Vec<&String> = counted.iter().map(|record| &record.provider.1).collect();
    forms.sort();
    forms.dedup();
    let of = |form: &String| {
        let records: Vec<&&Facts> = counted.iter().filter(|record| record.provider.1 == *form).collect();
        let classes: Vec<Class> = records.iter().map(|record| record.class.class).collect();
        (records[0].provider.0.clone(), tally(&classes))
    };
    forms.into_iter().map(of).collect()
}

fn verdict(platform: Platform, record: &Facts, global: &[Vec<&Facts>]) -> Verdict {
    if let Some(reason) = record.exclusion {
        return Verdict::Excluded(reason);
    }
    let among = |group: &Vec<&Facts>| group.iter().any(|other| std::ptr::eq(*other, record));
    let individual = global.iter().position(among).expect("a counted record is in a group");
    let class = individual_class(&global[individual]);
    Verdict::Counted { record: record.class, linkable: linkable(platform, record), individual, class }
}

/// S2.
fn used(capacity: Option<&Capacity>, global: ClassTally) -> Vec<(&'static str, u64)> {
    let ClassTally { internal, external, unclassified } = global;
    match capacity {
        None => vec![],
        Some(Capacity::InternalExternal { .. }) => vec![("internal", internal + unclassified), ("external", external)],
        Some(Capacity::Named(_)) => vec![("named", internal + external + unclassified)],
    }
}

fn before(runtime: &Runtime, major: u32, minor: u32, patch: u32) -> bool {
    runtime.version.expect("an O11 runtime has a version") < Version { major, minor, patch }
}

fn number(count: usize) -> u64 {
    count as u64
}

/// The crate's report in the model's words.
impl From<&Report> for Totals {
    fn from(report: &Report) -> Totals {
        let used = report.capacity.iter().flat_map(CapacityUsage::rows).map(|(name, usage)| (name, usage.used));
        Totals {
            platform: report.platform,
            records: report.records,
            runtimes: report.runtimes.iter().map(RuntimeTotals::from).collect(),
            global: report.global.into(),
            used: used.collect(),
        }
    }
}

impl From<&RuntimeReport> for RuntimeTotals {
    fn from(report: &RuntimeReport) -> RuntimeTotals {
        RuntimeTotals {
            name: report.name.clone(),
            records: report.records,
            excluded: Exclusion::ALL.into_iter().map(|reason| (reason, report.excluded.of(reason))).collect(),
            counted: report.counted,
            people: report.people.into(),
            providers: report.providers.iter().map(|provider| (provider.name.clone(), provider.records)).collect(),
        }
    }
}

impl From<headcount::People> for People {
    fn from(people: headcount::People) -> People {
        People { individuals: people.individuals, duplicates: people.duplicates, mixed_class: people.mixed_class }
    }
}
