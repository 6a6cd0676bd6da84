//! Pseudo-random subscriptions and streams of records over alphabets so small
//! that logins, emails and keys collide, in every spelling that N calls one.

use std::borrow::Cow;

use headcount::{Capacity, DomainPolicy, Platform, Runtime, Status, Subscription, UnixSeconds, UserRecord};

pub type Records = Vec<UserRecord<'static>>;

/// A subscription, records for it, and another subscription to read them under.
pub struct Stream {
    pub subscription: Subscription,
    pub other: Subscription,
    pub records: Records,
}

/// `SplitMix64`: the same numbers on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).expect("below a usize")
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn shuffled(&mut self, records: &Records) -> Records {
        let mut records = records.clone();
        for at in (1..records.len()).rev() {
            records.swap(at, self.below(at + 1));
        }
        records
    }
}

/// Spellings of one thing, or of things that only look like one.
type Family = &'static [&'static str];

const LOGINS: &[Family] = &[
    &["ana", "Ana", " ANA\t", "ana"],
    &["bo", "BO", "bo\u{200B}"],
    &["jos\u{E9}", "jose\u{301}", "JOS\u{C9}", "JOSE\u{301}", "jose"],
    &["kai", "\u{212A}ai", "KAI\u{3000}"],
    // A capital sigma becomes a medial one, wherever it stands.
    &["\u{391}\u{3A3}", "\u{3B1}\u{3C3}", "\u{3B1}\u{3C2}"],
    &["\u{130}l", "i\u{307}l", "I\u{307}l", "il", "\u{131}l"],
    &["\u{212B}ke", "\u{E5}ke", "\u{C5}KE"],
    &["max", "\u{FF4D}ax", "\u{FF2D}ax"],
    &["n\0ul", "N\0ul", "n", "n\0"],
    // ASCII that differs as capital and small letters do.
    &["ana[]^_\\", "ANA[]^_\\", "ana{}~\u{7F}|", "ANA{}~_|", "an`", "an@"],
];

const EMAILS: &[Family] = &[
    &["ana@corp.example", "ANA@Corp.Example", " ana@corp.example\u{A0}", "ana@co\u{200B}rp.example"],
    &["bo@sales.example", "Bo@SALES.example"],
    &["eva@other.example", "eva@OTHER.EXAMPLE\r\n"],
    &["ana@sub.corp.example", "ana@corp.example.example"],
    &[
        "eva@b\u{FC}cher.example",
        "EVA@B\u{DC}CHER.example",
        "eva@xn--bcher-kva.example",
        "eva@bu\u{308}cher.Example",
        "eva@b\u{FC}cher\u{3002}example",
        "eva@XN--BCHER-KVA.example",
    ],
    &["kai@corp.example", "\u{212A}ai@corp.example", "KAI@corp.example", "kai@\u{FF43}orp.example"],
    &["jos\u{E9}@other.example", "jose\u{301}@other.example", "JOSE\u{301}@OTHER.EXAMPLE", "jose@other.example"],
    &["max@stra\u{DF}e.example", "max@strasse.example", "max@STRASSE.example"],
    &["ana+x@corp.example", "a.na@corp.example", "ana\u{200B}@corp.example"],
    &["a^a@corp.example", "a~a@corp.example", "A^A@corp.example", "a_a@corp.example"],
];

/// What V calls no address, and what it only just calls one.
const ODD: &[Family] = &[
    &["ana", "ANA"],
    &["ana@localhost", "ana@corp.example.", "ana@corp.example\u{3002}", "ana@corp..example"],
    &["@corp.example", "ana@", "@", "a@b@corp.example", "an a@corp.example"],
    &["ana\u{FF20}corp.example", "\"ana\"@corp.example", "Ana <ana@corp.example>", "ana(x)@corp.example"],
    &["ana@10.0.0.1", "ana@[10.0.0.1]", "ana@corp.123", "ana@123.example"],
    &["ana@-corp.example", "ana@corp_x.example", "ana@xn--a.example", "ana@corp example"],
    &["an\0a@corp.example", "an\u{2028}a@corp.example", "an\u{80}a@corp.example"],
    &[LOCAL_OF_64, LOCAL_OF_65, LOCAL_OF_64_COMPOSED, LOCAL_OF_65_DECOMPOSED],
    &[WHOLE_OF_254, WHOLE_OF_255],
    &["ana@other.example", "ana@other.example\0", "ana@other.example\u{7F}", "ana\0@other.example"],
];

const LOCAL_OF_64: &str = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234@corp.example";
const LOCAL_OF_65: &str = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345@corp.example";
const LOCAL_OF_64_COMPOSED: &str = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12\u{E9}@corp.example";
const LOCAL_OF_65_DECOMPOSED: &str =
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12e\u{301}@corp.example";

const WHOLE_OF_254: &str = concat!(
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"
);
const WHOLE_OF_255: &str = concat!(
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"
);

const BLANK: Family = &["", " ", "\u{2003}\u{85}"];

const KEYS: &[Family] = &[&["k1", "K1", " k1", "\u{212A}1"], &["k2", "K2"], &["cl\u{E9}", "cle\u{301}", "CL\u{C9}"]];

const PROVIDERS: &[Family] = &[
    &["Users", "USERS", " users "],
    &["Portal", "portal"],
    &["Caf\u{E9}", "Cafe\u{301}", "CAF\u{C9}"],
    &["ServiceCenter", "servicecenter", "SERVICECENTER "],
];

const DISABLED: &[Family] =
    &[&[], &[], &["Portal"], &[" pOrTaL ", "Users2"], &["CAFE\u{301}"], &["ServiceCenter"], &["users"]];

const POLICIES: &[&str] = &[
    "",
    "corp.example",
    "Sales.Example, corp.example",
    "B\u{FC}cher.Example",
    "xn--bcher-kva.example,sub.corp.example",
    "stra\u{DF}e.example, corp.example",
];

const VERSIONS: &[&str] =
    &["11.6.9", "11.7.0", "11.11.2", "11.11.3", "11.28.0", "11.28.0.1", "11.28.0", "11.11.3.7", "11.6.99"];

const NAMES: [&str; 3] = ["prod-a", "prod-b", "Prod-A"];

/// The null date, its last second, the first second that is a login, and one
/// of this century.
const LOGIN_TIMES: [i64; 4] = [-2_208_988_800, -2_208_902_401, -2_208_902_400, 1_700_000_000];

/// One to eight records for one to three runtimes.
pub fn stream(random: &mut Random, platform: Platform) -> Stream {
    let subscription = subscription(random, platform);
    let other = another(random, &subscription);
    let cast = Cast::new(random, platform);
    let count = 1 + random.below(8);
    let records = (0..count).map(|_| cast.record(random, &subscription)).collect();
    Stream { subscription, other, records }
}

/// Runs a law over three hundred streams of each platform, one in a hundred
/// of them long.
pub fn for_streams(seed: u64, law: impl Fn(&mut Random, Stream)) {
    for number in 0..300 {
        for platform in [Platform::O11, Platform::Odc] {
            let mut random = Random::new(seed << 32 | number);
            let stream = if number % 100 == 0 { long_stream } else { stream }(&mut random, platform);
            law(&mut random, stream);
        }
    }
}

/// About 150 records of about as many people.
pub fn long_stream(random: &mut Random, platform: Platform) -> Stream {
    let count = 100 + random.below(100);
    numbered(random, platform, count)
}

/// More records than the counter takes in at a time, of more people, providers
/// and domains than it keeps in mind.
pub fn huge_stream(random: &mut Random, platform: Platform) -> Stream {
    numbered(random, platform, 2_500)
}

/// Some rounds of several threads, of twenty thousand people.
pub fn rounds(random: &mut Random, platform: Platform) -> Stream {
    let mut stream = numbered(random, platform, 20_000);
    stream.records.extend_from_within(..);
    stream
}

/// Records of about as many people, with texts of up to 24 bytes more or less
/// in any case.
fn numbered(random: &mut Random, platform: Platform, count: usize) -> Stream {
    let mut stream = stream(random, platform);
    let mut runtimes = stream.subscription.runtimes().to_vec();
    let listed = (0..count).step_by(5).map(|number| format!("D{number}.example"));
    runtimes[0].internal_domains = DomainPolicy::from_domains(listed).expect("a policy");
    let capacity = stream.subscription.capacity().copied();
    stream.subscription = Subscription::new(platform, runtimes, capacity).expect("a subscription");
    let cast = Cast::new(random, platform);
    let person = |random: &mut Random| {
        let number = random.below(count);
        in_any_case(random, &format!("{}{number}", &"Abcdefghijklmnopqrstuvwx"[..number % 24]))
    };
    let record = |_| {
        let mut record = cast.record(random, &stream.subscription);
        if random.one_in(2) {
            record.username = Some(person(random).into());
        }
        if random.one_in(2) {
            let own = format!("d{}.example", random.below(count));
            let domain = random.pick(&["corp.example", "B\u{FC}cher.example", &own, &own]);
            record.email = Some(format!("{}@{}", person(random), in_any_case(random, domain)).into());
        }
        if random.one_in(2) {
            let provider = format!("{}{}", random.pick(&["portal", "Caf\u{C9}", "Cafe\u{301}"]), random.below(80));
            record.provider = Some(in_any_case(random, &provider).into());
            record.tenant = random.pick(&[None, Some("portal7"), Some("Acme")]).map(Cow::Borrowed);
        }
        if !random.one_in(8) {
            record.key = Some(person(random).into());
        }
        record
    };
    stream.records = (0..count).map(record).collect();
    stream
}

fn in_any_case(random: &mut Random, text: &str) -> String {
    let case = |c: char| if random.one_in(2) { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(case).collect()
}

fn subscription(random: &mut Random, platform: Platform) -> Subscription {
    let count = 1 + random.below(3);
    let runtime = |name: &&str| Runtime {
        name: (*name).to_owned(),
        disabled_providers: match platform {
            Platform::O11 => random.pick(DISABLED).iter().map(|&provider| provider.to_owned()).collect(),
            Platform::Odc => vec![],
        },
        ..Runtime::default()
    };
    let runtimes = NAMES[..count].iter().map(runtime).collect();
    configured(random, platform, runtimes)
}

/// The same runtimes, and the same disabled providers in another spelling (N2),
/// under other versions, policies and capacities.
fn another(random: &mut Random, subscription: &Subscription) -> Subscription {
    let mut runtimes = subscription.runtimes().to_vec();
    for provider in runtimes.iter_mut().flat_map(|runtime| &mut runtime.disabled_providers) {
        *provider = provider.to_uppercase();
    }
    configured(random, subscription.platform(), runtimes)
}

fn configured(random: &mut Random, platform: Platform, mut runtimes: Vec<Runtime>) -> Subscription {
    for runtime in &mut runtimes {
        let version = random.pick(VERSIONS).parse().expect("a version");
        runtime.version = Some(version).filter(|_| platform == Platform::O11);
        runtime.internal_domains = DomainPolicy::parse(random.pick(POLICIES)).expect("a policy");
    }
    let capacity = random.pick(&[None, Some(Capacity::internal_external(1, 2)), Some(Capacity::named(2))]);
    Subscription::new(platform, runtimes, capacity).expect("a subscription")
}

/// The people of one stream: few, so that they meet.
struct Cast {
    logins: Vec<Family>,
    emails: Vec<Family>,
    keys: Vec<Family>,
    providers: Vec<Family>,
    /// How often a text is absent: one time in so many.
    absent: usize,
    /// How often a record is not one of a plain active end user.
    odd: usize,
}

impl Cast {
    fn new(random: &mut Random, platform: Platform) -> Cast {
        let mut emails: Vec<Family> = (0..=random.below(3)).map(|_| random.pick(EMAILS)).collect();
        let mut logins: Vec<Family> = (0..=random.below(3)).map(|_| random.pick(LOGINS)).collect();
        // Logins that are somebody's address, addresses that are none.
        if random.one_in(2) {
            logins.push(random.pick(&emails));
        }
        if random.one_in(3) {
            emails.push(random.pick(ODD));
        }
        if random.one_in(4) {
            logins.push(random.pick(ODD));
        }
        for texts in [&mut logins, &mut emails] {
            if random.one_in(4) {
                texts.push(BLANK);
            }
        }
        let service_center = usize::from(platform == Platform::Odc || random.one_in(3));
        Cast {
            logins,
            emails,
            keys: if random.one_in(4) { [KEYS, &[BLANK]].concat() } else { KEYS.to_vec() },
            providers: PROVIDERS[..3 + service_center].to_vec(),
            absent: 2 + random.below(6),
            odd: 3 + random.below(20),
        }
    }

    fn record(&self, random: &mut Random, subscription: &Subscription) -> UserRecord<'static> {
        let runtime = subscription.runtimes()[random.below(subscription.runtimes().len())].name.clone();
        let provider = self.text(random, &self.providers);
        let tenant = match random.below(6) {
            0 => provider.clone(),
            1 => provider.as_ref().map(|provider| provider.to_uppercase().into()),
            2 if random.one_in(2) => Some("Acme".into()),
            3 => Some(random.pick(&["users", " ", "USERS ", "portal", "CAF\u{C9}"]).into()),
            _ => None,
        };
        let mut record = UserRecord {
            runtime: if random.one_in(16) { format!(" {runtime}\u{A0}").into() } else { runtime.into() },
            provider,
            tenant,
            key: self.text(random, &self.keys),
            username: self.text(random, &self.logins),
            email: self.text(random, &self.emails),
            last_login: (!random.one_in(4)).then_some(UnixSeconds(LOGIN_TIMES[3])),
            ..UserRecord::default()
        };
        if random.one_in(self.odd) {
            record.is_active = random.pick(&[None, Some(true), Some(false)]);
            record.is_it_user = random.pick(&[None, Some(true), Some(false)]);
            record.last_login = random.pick(&LOGIN_TIMES.map(UnixSeconds).map(Some));
            let statuses = [Status::Active, Status::Invited, Status::PendingRegistration, Status::Inactive];
            record.status = random.pick(&statuses.map(Some));
        }
        if random.one_in(self.odd) {
            let texts = [None, Some("Ana"), Some(" ")];
            record.username = None;
            record.email = random.pick(&[None, Some("\t")]).map(Cow::Borrowed);
            record.name = random.pick(&texts).map(Cow::Borrowed);
            record.mobile_phone = random.pick(&texts).map(Cow::Borrowed);
            record.last_login = random.pick(&LOGIN_TIMES.map(UnixSeconds).map(Some));
        }
        record
    }

    fn text(&self, random: &mut Random, families: &[Family]) -> Option<Cow<'static, str>> {
        if random.one_in(self.absent) {
            return None;
        }
        let family = random.pick(families);
        Some(random.pick(family).into())
    }
}
