//! Any sequence of operations on two counters, each against the naive model.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use headcount::{
    AddError, Capacity, Counter, DomainPolicy, FingerprintKey, MismatchError, Platform, Runtime, Status, Subscription,
    UnixSeconds, UserRecord,
};

use crate::agreement::{check_counter, check_report, outcome};

/// Of the counters.
pub(crate) const KEY: u64 = 1;

/// The model takes the cube of it.
const RECORDS: usize = 40;

/// One step. Each is a byte of its own and whatever it needs behind it.
#[derive(Clone, Copy)]
enum Operation {
    /// A record by `add`.
    Add,
    /// Some records by `add_all`.
    AddAll,
    /// Some records by `add_all`, then one of an unknown runtime, then another.
    Stop,
    /// A row that the reader refused.
    Reject,
    /// A report in the middle.
    Report,
    /// A report under another subscription.
    ReportUnder,
    /// A report under a subscription that does not fit.
    Mismatch,
    /// From here on the other counter.
    Turn,
    /// All of the other counter, if the model can take it.
    Merge,
    /// Away and back as a snapshot.
    Restore,
    /// Some records in one batch and some in another, the second filled first,
    /// and a batch of the other counter.
    Take,
    /// Some records in chunks on one to four threads.
    Parallel,
    /// The same with a record of an unknown runtime somewhere.
    StopParallel,
}

/// `Add` more often than the others, or nobody meets.
const OPERATIONS: [Operation; 32] = [
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::AddAll,
    Operation::AddAll,
    Operation::AddAll,
    Operation::Stop,
    Operation::Reject,
    Operation::Report,
    Operation::ReportUnder,
    Operation::Mismatch,
    Operation::Turn,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Add,
    Operation::Turn,
    Operation::Merge,
    Operation::Merge,
    Operation::Merge,
    Operation::Restore,
    Operation::Restore,
    Operation::Take,
    Operation::Take,
    Operation::Take,
    Operation::Parallel,
    Operation::StopParallel,
];

/// The target `operations`.
///
/// # Panics
///
/// Where counter and model disagree.
pub fn operations(data: &[u8]) {
    let mut bytes = Bytes(data);
    let platform = if bytes.next() % 3 == 0 { Platform::Odc } else { Platform::O11 };
    let subscription = subscription(&mut bytes, platform);
    let mut sides = [Side::new(&subscription), Side::new(&subscription)];
    while !bytes.0.is_empty() && sides.iter().map(|side| side.records.len()).sum::<usize>() < RECORDS {
        // The side whose turn it is, and the other.
        let [side, other] = &mut sides;
        match bytes.pick(&OPERATIONS) {
            Operation::Add => side.add(bytes.record(&subscription)),
            Operation::AddAll => side.add_all(bytes.records(&subscription)),
            Operation::Stop => side.stop(bytes.records(&subscription)),
            Operation::Reject => side.reject(),
            Operation::Report => check_counter(&side.counter, &side.records, side.rejected),
            Operation::ReportUnder => side.report_under(&another(&mut bytes, &subscription)),
            Operation::Mismatch => side.mismatch(),
            Operation::Turn => sides.reverse(),
            Operation::Merge => side.merge(other),
            Operation::Restore => side.restore(),
            Operation::Take => side.take(other, bytes.records(&subscription), bytes.records(&subscription)),
            Operation::Parallel => {
                let (threads, size) = (bytes.threads(), bytes.size());
                side.add_in_parallel(threads, size, bytes.records(&subscription));
            }
            Operation::StopParallel => {
                let (threads, size, place) = (bytes.threads(), bytes.size(), bytes.size());
                side.stop_in_parallel(threads, size, place, &bytes.records(&subscription));
            }
        }
    }
    for side in &sides {
        check_counter(&side.counter, &side.records, side.rejected);
    }
}

/// A counter, and what has been given to it.
struct Side {
    counter: Counter,
    records: Vec<UserRecord<'static>>,
    rejected: u64,
}

impl Side {
    fn new(subscription: &Subscription) -> Side {
        let counter = Counter::new(subscription.clone(), &key());
        Side { counter, records: Vec::new(), rejected: 0 }
    }

    fn add(&mut self, record: UserRecord<'static>) {
        let wanted = outcome(self.counter.subscription(), &record);
        assert_eq!(self.counter.add(&record), Ok(wanted), "{}", shown(&record));
        self.records.push(record);
    }

    fn add_all(&mut self, records: Vec<UserRecord<'static>>) {
        self.counter.add_all(records.iter().cloned()).expect("known runtimes");
        self.records.extend(records);
    }

    /// Those before the record that is not taken are counted, no others.
    fn stop(&mut self, records: Vec<UserRecord<'static>>) {
        let behind = records.first().cloned();
        let stream = records.iter().cloned().chain([unknown()]).chain(behind);
        let stopped = self.counter.add_all(stream).expect_err("an unknown runtime");
        assert_eq!((stopped.place, stopped.source), (records.len() as u64 + 1, AddError::UnknownRuntime));
        assert_eq!(self.counter.add(&unknown()), Err(AddError::UnknownRuntime));
        self.records.extend(records);
    }

    /// As if the other's records came behind these.
    fn merge(&mut self, other: &Side) {
        if self.records.len() + other.records.len() <= RECORDS {
            let before = other.counter.snapshot();
            self.counter.merge(&other.counter).expect("one key and subscription");
            assert!(other.counter.snapshot() == before, "the other counter stays as it is");
            self.records.extend(other.records.iter().cloned());
            self.rejected += other.rejected;
        }
    }

    fn restore(&mut self) {
        let bytes = self.counter.snapshot();
        let subscription = self.counter.subscription().clone();
        self.counter = Counter::restore(subscription, &key(), &bytes).expect("a snapshot just taken");
        assert!(self.counter.snapshot() == bytes, "the same state, the same bytes");
    }

    fn take(&mut self, other: &Side, first: Vec<UserRecord<'static>>, second: Vec<UserRecord<'static>>) {
        let mut batches = [self.counter.batch(), self.counter.batch()];
        for (batch, records) in batches.iter_mut().zip([&first, &second]).rev() {
            for record in records {
                batch.add(record).expect("a known runtime");
            }
            assert_eq!(batch.add(&unknown()), Err(AddError::UnknownRuntime));
            assert_eq!(batch.len(), records.len());
        }
        assert_eq!(self.counter.take(&mut other.counter.batch()), Err(AddError::OtherCounter));
        for batch in &mut batches {
            self.counter.take(batch).expect("its own batch");
            assert!(batch.is_empty());
        }
        self.records.extend(first);
        self.records.extend(second);
    }

    fn add_in_parallel(&mut self, threads: NonZeroUsize, size: usize, records: Vec<UserRecord<'static>>) {
        let chunks = records.chunks(size).map(|chunk| chunk.iter().cloned());
        self.counter.add_in_parallel(threads, chunks).expect("known runtimes");
        self.records.extend(records);
        assert_eq!(self.counter.report_in_parallel(threads), self.counter.report());
    }

    fn stop_in_parallel(&mut self, threads: NonZeroUsize, size: usize, place: usize, records: &[UserRecord<'static>]) {
        let place = place.min(records.len());
        let (before, behind) = records.split_at(place);
        let stream = [before, &[unknown()], behind].concat();
        let chunks = stream.chunks(size).map(|chunk| chunk.iter().cloned());
        let stopped = self.counter.add_in_parallel(threads, chunks).expect_err("an unknown runtime");
        assert_eq!((stopped.place, stopped.source), (place as u64 + 1, AddError::UnknownRuntime));
        self.records.extend(before.iter().cloned());
    }

    fn reject(&mut self) {
        self.counter.reject();
        self.rejected += 1;
    }

    fn report_under(&self, other: &Subscription) {
        let report = self.counter.report_under(other).expect("the same runtimes and disabled providers");
        check_report(&report, other, &self.records, self.rejected);
    }

    /// Another platform, and one runtime more.
    fn mismatch(&self) {
        let ours = self.counter.subscription();
        let platform = match ours.platform() {
            Platform::O11 => Platform::Odc,
            Platform::Odc => Platform::O11,
        };
        let other = subscription(&mut Bytes(&[]), platform);
        assert_eq!(self.counter.report_under(&other), Err(MismatchError::Platform));
        let mut runtimes = ours.runtimes().to_vec();
        runtimes.push(Runtime { name: "more".to_owned(), ..runtimes[0].clone() });
        let more = Subscription::new(ours.platform(), runtimes, None).expect("a subscription");
        assert_eq!(self.counter.report_under(&more), Err(MismatchError::Runtimes));
    }
}

fn key() -> FingerprintKey {
    FingerprintKey::public_for_tests(KEY)
}

/// A record of a runtime that no subscription here has.
fn unknown() -> UserRecord<'static> {
    UserRecord { runtime: "prod".into(), ..UserRecord::default() }
}

/// `Debug` of a record redacts, JSON does not.
fn shown(record: &UserRecord) -> String {
    serde_json::to_string(record).expect("a record is JSON")
}

/// Texts that collide in every way that N and V know, and texts that only
/// look as if they did. The model's table of NFC holds all of them.
const LOGINS: [Option<&str>; 16] = [
    None,
    Some(" "),
    Some("ana"),
    Some(" ANA\t"),
    Some("bo"),
    Some("jos\u{E9}"),
    Some("JOSE\u{301}"),
    Some("\u{212A}ai"),
    Some("kai"),
    Some("\u{130}l"),
    Some("i\u{307}l"),
    Some("ana@corp.example"),
    Some("eva@b\u{FC}cher.example"),
    Some("bo@other.example"),
    Some("n\0ul"),
    Some("a-login-of-more-than-sixteen-bytes"),
];

const EMAILS: [Option<&str>; 16] = [
    None,
    Some("\u{2003}"),
    Some("ana@corp.example"),
    Some("ANA@Corp.Example "),
    Some("ana@co\u{200B}rp.example"),
    Some("bo@other.example"),
    Some("eva@B\u{DC}CHER.example"),
    Some("eva@xn--bcher-kva.example"),
    Some("eva@bu\u{308}cher\u{3002}example"),
    Some("jos\u{E9}@sub.corp.example"),
    Some("JOSE\u{301}@sub.corp.example"),
    Some("max@stra\u{DF}e.example"),
    Some("max@strasse.example"),
    Some("ana@corp.example."),
    Some("ana"),
    Some("n\0ul@corp.example"),
];

const KEYS: [Option<&str>; 8] =
    [None, Some(" "), Some("k1"), Some("K1 "), Some("\u{212A}1"), Some("k2"), Some("cl\u{E9}"), Some("CLE\u{301}")];

const PROVIDERS: [Option<&str>; 8] = [
    None,
    Some("USERS"),
    Some("Portal"),
    Some(" portal"),
    Some("Caf\u{E9}"),
    Some("CAFE\u{301}"),
    Some("ServiceCenter"),
    Some(" "),
];

const TENANTS: [Option<&str>; 8] =
    [None, None, Some(" "), Some("Acme"), Some("users"), Some("PORTAL"), Some("cafe\u{301}"), Some("acme")];

const TEXTS: [Option<&str>; 4] = [None, None, Some(" "), Some("Ana")];

const FLAGS: [Option<bool>; 4] = [None, None, Some(true), Some(false)];

const STATUSES: [Option<Status>; 8] = [
    None,
    None,
    None,
    None,
    Some(Status::Active),
    Some(Status::Invited),
    Some(Status::PendingRegistration),
    Some(Status::Inactive),
];

/// The last null date and the first login (R5), the ends of time, this century.
const TIMES: [Option<i64>; 8] = [
    Some(1_700_000_000),
    Some(1_700_000_000),
    Some(1_700_000_000),
    None,
    Some(-2_208_902_401),
    Some(-2_208_902_400),
    Some(i64::MIN),
    Some(i64::MAX),
];

const POLICIES: [&str; 6] = [
    "",
    "corp.example",
    "B\u{FC}cher.Example, corp.example",
    "xn--bcher-kva.example, sub.corp.example.",
    "stra\u{DF}e.example, other.example",
    "strasse.example",
];

const VERSIONS: [&str; 8] = ["11.28.0", "11.28.0", "11.11.3", "11.11.3.7", "11.11.2", "11.7.0", "11.6.99", "10.0.0"];

const DISABLED: [&[&str]; 4] = [&[], &[], &["pOrTaL "], &["CAFE\u{301}", "users"]];

const NAMES: [&str; 3] = ["prod-a", "prod-b", "Prod-A"];

pub(crate) fn subscription(bytes: &mut Bytes, platform: Platform) -> Subscription {
    let count = 1 + usize::from(bytes.next()) % NAMES.len();
    let runtime = |name: &&str| Runtime {
        name: (*name).to_owned(),
        disabled_providers: match platform {
            Platform::O11 => bytes.pick(&DISABLED).iter().map(|&name| name.to_owned()).collect(),
            Platform::Odc => vec![],
        },
        ..Runtime::default()
    };
    let runtimes = NAMES[..count].iter().map(runtime).collect();
    configured(bytes, platform, runtimes)
}

/// The same runtimes and disabled providers under other terms.
fn another(bytes: &mut Bytes, subscription: &Subscription) -> Subscription {
    let mut runtimes = subscription.runtimes().to_vec();
    for runtime in &mut runtimes {
        for provider in &mut runtime.disabled_providers {
            *provider = provider.to_uppercase();
        }
        runtime.disabled_providers.reverse();
    }
    configured(bytes, subscription.platform(), runtimes)
}

fn configured(bytes: &mut Bytes, platform: Platform, mut runtimes: Vec<Runtime>) -> Subscription {
    for runtime in &mut runtimes {
        let version = bytes.pick(&VERSIONS).parse().expect("a version");
        runtime.version = (platform == Platform::O11).then_some(version);
        runtime.internal_domains = DomainPolicy::parse(bytes.pick(&POLICIES)).expect("a policy");
    }
    let capacity = bytes.pick(&[None, Some(Capacity::internal_external(1, 2)), Some(Capacity::named(2))]);
    Subscription::new(platform, runtimes, capacity).expect("a subscription")
}

/// What is left of the target's input. Zeros behind its end.
pub(crate) struct Bytes<'d>(pub(crate) &'d [u8]);

impl Bytes<'_> {
    pub(crate) fn next(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.next()) % from.len()]
    }

    fn text(&mut self, from: &[Option<&'static str>]) -> Option<Cow<'static, str>> {
        self.pick(from).map(Cow::Borrowed)
    }

    pub(crate) fn records(&mut self, subscription: &Subscription) -> Vec<UserRecord<'static>> {
        (0..self.next() % 8).map(|_| self.record(subscription)).collect()
    }

    fn threads(&mut self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(usize::from(self.next() % 4))
    }

    /// Of a chunk.
    fn size(&mut self) -> usize {
        1 + usize::from(self.next() % 4)
    }

    /// Five bytes, and five more for a record that is not of a plain user.
    fn record(&mut self, subscription: &Subscription) -> UserRecord<'static> {
        let kind = self.next();
        let place = usize::from(kind >> 2) % subscription.runtimes().len();
        let name = subscription.runtimes()[place].name.clone();
        let mut record = UserRecord {
            runtime: if kind & 2 == 0 { name.into() } else { format!(" {name}\u{A0}").into() },
            username: self.text(&LOGINS),
            email: self.text(&EMAILS),
            key: self.text(&KEYS),
            last_login: self.pick(&TIMES).map(UnixSeconds),
            ..UserRecord::default()
        };
        if kind & 1 != 0 {
            record.provider = self.text(&PROVIDERS);
            record.tenant = self.text(&TENANTS);
            record.status = self.pick(&STATUSES);
            let texts = self.next();
            record.name = TEXTS[usize::from(texts & 3)].map(Cow::Borrowed);
            record.mobile_phone = TEXTS[usize::from(texts >> 2 & 3)].map(Cow::Borrowed);
            let flags = self.next();
            record.is_active = FLAGS[usize::from(flags & 3)];
            record.is_it_user = FLAGS[usize::from(flags >> 2 & 3)];
        }
        record
    }
}
