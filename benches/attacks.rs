//! Whether anyone can make counting slow: records crafted by someone who
//! knows this source but not the key, against as many ordinary ones.
//!
//! `cargo bench --bench attacks` shows that the crafted records harm a table that
//! nobody guards, and that pouring in a bad order harms one that grows; then it
//! prints nanoseconds a record and the ratio to ordinary ones, and fails where
//! that ratio is not explained.
//!
//! `.ci/attacks` counts instructions instead, which no neighbour disturbs, for
//! two numbers of records. It asks `-- names` for the populations and for what is
//! explained, and has `-- NAME RECORDS` count one of them once. TESTING.md has
//! the last figures.

mod measure;
#[allow(dead_code)] // Only its subscription is needed.
mod population;

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::RangeInclusive;

use headcount::{Counter, EmailAddress, FingerprintKey, Report, UserRecord};
use siphasher::sip128::SipHasher24;

use crate::measure::{each, timed};

/// How many records there are unless told.
const RECORDS: u64 = 200_000;

/// A login and an email by number.
type Texts = [String; 2];

struct Attack {
    name: &'static str,
    /// So many records, or one as long as that.
    texts: fn(u64) -> Vec<Texts>,
    /// Counters that share the records and are poured into the first of them.
    counters: usize,
    /// Whether even that one is poured into an empty one.
    into_empty: bool,
    /// Which of the public keys they count under. Who crafts the records knows
    /// that of [`KNOWN`].
    key: u64,
    /// Nanoseconds a record that are explained, as a multiple of ordinary ones.
    /// There is room for noisy neighbours.
    time: RangeInclusive<f64>,
    /// Instructions a record, the same way. Where there is more than nothing at
    /// the lower end, an attack that costs less has gone blunt.
    instructions: RangeInclusive<f64>,
    /// Instructions a record as a multiple of those for half as many records: 1
    /// is linear, 2 is quadratic.
    growth: RangeInclusive<f64>,
}

/// The key that nobody who crafts records knows.
const SECRET: u64 = 1;
/// The key that records are crafted for.
const KNOWN: u64 = 2;

/// Populations of linear cost differ by one in a hundred at the most; a record
/// that grew with the logarithm would cost 1.06 times as much.
const LINEAR: RangeInclusive<f64> = 0.0..=1.03;
const ORDINARY: Attack = Attack {
    name: "ordinary",
    texts: ordinary,
    counters: 1,
    into_empty: false,
    key: SECRET,
    time: 0.0..=1.5,
    instructions: 0.0..=1.0,
    growth: LINEAR,
};

#[expect(clippy::too_many_lines, reason = "a table")]
fn attacks() -> Vec<Attack> {
    vec![
        ORDINARY,
        Attack { name: "backwards", texts: backwards, time: 0.0..=3.0, instructions: 0.0..=1.05, ..ORDINARY },
        // Each key of one counter is looked for in another that grows meanwhile,
        // shard by shard in the order in which they came. In the order of their
        // places it is quadratic where the other begins empty, as `Probed` shows.
        Attack {
            name: "a counter poured into an empty one",
            into_empty: true,
            time: 0.0..=3.0,
            instructions: 0.0..=1.5,
            ..ORDINARY
        },
        Attack {
            name: "sixteen counters poured into the first of them",
            counters: 16,
            time: 0.0..=3.0,
            instructions: 0.0..=1.5,
            ..ORDINARY
        },
        // Unkeyed, these would all meet in one place.
        Attack { name: "one FNV-1a", texts: fnv_collisions, time: 0.0..=4.0, instructions: 0.0..=1.5, ..ORDINARY },
        // They are longer than ordinary ones and of unusual bytes, which is what
        // they cost: these are as long, of the same bytes, and collide nowhere.
        Attack {
            name: "the same, each login backwards",
            texts: fnv_collisions_backwards,
            time: 0.0..=4.0,
            instructions: 0.0..=1.5,
            ..ORDINARY
        },
        // Under another key than these were chosen for, they lie anywhere.
        Attack {
            name: "logins that crowd one shard under another key",
            texts: crowded_logins,
            time: 0.0..=3.0,
            instructions: 0.0..=1.05,
            ..ORDINARY
        },
        // Under theirs they lie in one row of buckets, all of which is searched.
        // That is what the key is for, and what the bench would show above.
        Attack {
            name: "the same under the key that they were chosen for",
            texts: crowded_logins,
            key: KNOWN,
            time: 2.0..=20.0,
            instructions: 6.0..=9.0,
            growth: 1.6..=2.0,
            ..ORDINARY
        },
        // A domain that is not known costs its check, another hash and an id.
        Attack {
            name: "domains that crowd one bucket of the known ones",
            texts: crowded_domains,
            time: 0.0..=4.0,
            instructions: 1.4..=1.65,
            ..ORDINARY
        },
        Attack {
            name: "a domain each",
            texts: |records| numbered(records, |number| [format!("user{number}"), format!("user@d{number}.example")]),
            time: 0.0..=5.0,
            instructions: 0.0..=1.7,
            ..ORDINARY
        },
        Attack {
            name: "one chain, last link first",
            texts: |records| numbered(records, |number| link(records - number)),
            time: 0.0..=3.0,
            instructions: 0.0..=1.05,
            ..ORDINARY
        },
        Attack {
            name: "one chain, in a scattered order",
            // 77,777 has no divisor in common with a number of 2s and 5s.
            texts: |records| numbered(records, |number| link(number * 77_777 % records)),
            time: 0.0..=3.0,
            instructions: 0.0..=1.05,
            ..ORDINARY
        },
        // IDNA for every record, since only plain names are kept.
        Attack {
            name: "an IDN each",
            texts: |records| {
                numbered(records, |number| [format!("user{number}"), format!("user@b\u{fc}cher{number}.example")])
            },
            time: 0.0..=10.0,
            instructions: 0.0..=4.2,
            ..ORDINARY
        },
        Attack {
            name: "accents to the limit of an address",
            texts: |records| {
                let accents = "\u{301}\u{323}".repeat(12);
                let text = |number| format!("e{accents}{number}");
                numbered(records, |number| [text(number), format!("{0}@e{accents}.example", text(number))])
            },
            time: 0.0..=40.0,
            instructions: 0.0..=20.0,
            ..ORDINARY
        },
        // N2 sorts them, all at once.
        Attack {
            name: "one login with two marks for each record",
            texts: |records| one_login(&format!("e{}", "\u{301}\u{323}".repeat(usize::try_from(records).unwrap_or(0)))),
            time: 0.0..=1.5,
            instructions: 0.0..=0.5,
            ..ORDINARY
        },
        Attack {
            name: "one login with ten letters for each record",
            texts: |records| one_login(&"E\u{301}a".repeat(usize::try_from(records * 5).unwrap_or(0))),
            time: 0.0..=6.0,
            instructions: 0.0..=2.5,
            ..ORDINARY
        },
    ]
}

fn numbered(records: u64, texts: impl Fn(u64) -> Texts) -> Vec<Texts> {
    (0..records).map(texts).collect()
}

/// A single record instead of many.
fn one_login(login: &str) -> Vec<Texts> {
    vec![[login.to_owned(), "ana@corp.example".to_owned()]]
}

fn ordinary(records: u64) -> Vec<Texts> {
    let names = ["prod.example", "corp.example", "post.example", "mail.example", "home.example", "team.example"];
    numbered(records, |number| {
        let domain = names[usize::try_from(number % 6).unwrap_or(0)];
        [format!("user{number}"), format!("user{number}@{domain}")]
    })
}

fn backwards(records: u64) -> Vec<Texts> {
    ordinary(records).into_iter().rev().collect()
}

/// A record that shares its login with one of its neighbours in number and its
/// email with the other.
fn link(number: u64) -> Texts {
    [format!("user{}", number.div_ceil(2)), format!("user{}@corp.example", number / 2)]
}

/// Emails of as many domains as [`DOMAINS_OF_A_BUCKET`], of which the list of
/// known ones has room for four.
fn crowded_domains(records: u64) -> Vec<Texts> {
    let names = (0_u64..).map(|number| format!("d{number}.example"));
    let crowded: Vec<String> = names.filter(|name| bucket(name) == 7).take(DOMAINS_OF_A_BUCKET).collect();
    numbered(records, |number| {
        let domain = &crowded[usize::try_from(number).unwrap_or(0) % DOMAINS_OF_A_BUCKET];
        [format!("user{number}"), format!("user{number}@{domain}")]
    })
}

const DOMAINS_OF_A_BUCKET: usize = 64;

/// Where the list of known domains, at its longest, keeps one: its hash is not
/// keyed. A shorter list takes fewer of the same bits.
fn bucket(domain: &str) -> u128 {
    let (whole, tail) = domain.as_bytes().split_at(domain.len() / 8 * 8);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let mut words = [word(tail); 4];
    words.iter_mut().zip(whole.chunks(8)).for_each(|(place, bytes)| *place = word(bytes));
    words[3] |= (domain.len() as u64) << 56;
    let folded = words[0] ^ words[1].rotate_left(21) ^ words[2].rotate_left(42) ^ words[3];
    let product = u128::from(folded) * 0x9e37_79b9_7f4a_7c15;
    ((product ^ product >> 64) >> 32) & 0x7fff
}

/// FNV-1a of 32 bits. Crafted for these, texts meet in a table of any length.
/// The lowest 32 bits of the one of 64 bits depend on no others, so it is
/// attacked in the same way where they pick the place.
struct Fnv(u32);

impl Fnv {
    const PRIME: u32 = 0x0100_0193;
    /// Times the prime, this is 1.
    const INVERSE: u32 = 0x359c_449b;
}

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0x811c_9dc5)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(Fnv::PRIME));
    }

    /// In both halves: a table may pick its place by either.
    fn finish(&self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }
}

/// Six bytes that leave FNV-1a as it is at its beginning. Texts made of such
/// blocks all have one hash, and so they have with the same end behind them.
///
/// Three bytes are taken forwards and three backwards, and states looked for
/// that both lead to: 56^6 blocks over 2^32 states make some seven, and there
/// are ten.
fn fnv_cycles() -> Vec<String> {
    // What a local part may have (V2), less capitals.
    let bytes = b"abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-";
    let count = bytes.len();
    let threes = (0..count.pow(3)).map(|three| [three / count.pow(2), three / count % count, three % count]);
    let threes: Vec<[u8; 3]> = threes.map(|three| three.map(|at| bytes[at])).collect();
    let Fnv(start) = Fnv::default();
    let forwards = |three: [u8; 3]| {
        let mut state = Fnv::default();
        state.write(&three);
        state.0
    };
    let backwards = |three: [u8; 3]| {
        three.iter().rev().fold(start, |hash, byte| hash.wrapping_mul(Fnv::INVERSE) ^ u32::from(*byte))
    };
    let mut ends: HashMap<u32, Vec<[u8; 3]>> = HashMap::new();
    for three in &threes {
        ends.entry(backwards(*three)).or_default().push(*three);
    }
    let text = |three, end| String::from_utf8([three, end].concat()).expect("ASCII");
    let blocks = |three: [u8; 3]| ends.get(&forwards(three)).into_iter().flatten().map(move |end| text(three, *end));
    threes.into_iter().flat_map(blocks).collect()
}

/// Logins and emails, all of one FNV-1a: a block for each of the six digits of a
/// number.
fn fnv_collisions(records: u64) -> Vec<Texts> {
    let blocks = fnv_cycles();
    assert!(blocks.len() >= 10 && records <= 1_000_000, "six digits");
    numbered(records, |number| {
        let digits = format!("{number:06}").into_bytes();
        let login: String = digits.iter().map(|digit| &blocks[usize::from(digit - b'0')][..]).collect();
        let email = format!("{login}@corp.example");
        [login, email]
    })
}

/// The same, each login written backwards, which ends cycles.
fn fnv_collisions_backwards(records: u64) -> Vec<Texts> {
    let logins = fnv_collisions(records).into_iter().map(|[login, _]| login.chars().rev().collect());
    logins.map(|login: String| [login.clone(), format!("{login}@corp.example")]).collect()
}

/// Logins of which each is in sixteen records, and which under the key of
/// [`KNOWN`] all begin in the first sixteenth of the first of 64 shards. There
/// they fill one bucket after the other, far beyond that sixteenth.
fn crowded_logins(records: u64) -> Vec<Texts> {
    let secret = (u128::from(KNOWN) | 1 << 64).to_le_bytes();
    let of_logins = SipHasher24::new_with_key(&secret).hash(b"headcount login").as_bytes();
    let of_logins = SipHasher24::new_with_key(&of_logins);
    let crowds = |login: &[u8; 7]| {
        let fingerprint = of_logins.hash(login);
        // The shard, of the last of four words; the bucket, of the first.
        fingerprint.h2 >> 58 == 0 && fingerprint.h1 & 0xf000_0000 == 0
    };
    let letters =
        (0_u32..).map(|number| [5, 4, 3, 2, 1, 0].map(|place| b'a' + (number / 26_u32.pow(place) % 26) as u8));
    let logins = letters.map(|[a, b, c, d, e, f]| [b'u', a, b, c, d, e, f]).filter(crowds);
    let logins = logins.map(|login| String::from_utf8(login.to_vec()).expect("ASCII"));
    let logins: Vec<String> = logins.take(usize::try_from(records / 16).unwrap_or(0).max(1)).collect();
    numbered(records, |number| {
        let login = &logins[usize::try_from(number).unwrap_or(0) % logins.len()];
        [login.clone(), format!("user{number}@corp.example")]
    })
}

/// Fails where an attack is none: where crafted records do no harm to what nobody
/// guards, where pouring in the order of places does none to a table that grows,
/// or where crafted records no longer lie where `src` would put them.
fn check_that_attacks_are_sharp(attacks: &[Attack]) {
    for Attack { name, texts, .. } in attacks {
        let all = texts(1_000).iter().all(|[_, email]| EmailAddress::parse(email).is_some());
        assert!(all, "{name}: some email is no address, and links nothing");
    }
    // `src/known_domains.rs` and `src/interner/tests.rs` test the same ones.
    assert_eq!(["d0.example", "corp.example", "mail.a-long-name.example.com"].map(bucket), [6025, 18590, 6346]);
    let crowd = crowded_logins(3 * 16);
    let logins: Vec<&str> = crowd.iter().take(3).map(|[login, _]| &login[..]).collect();
    assert_eq!(logins, ["uaaabdq", "uaaacuj", "uaaaftp"]);
    // All pairs are compared, and of others hardly any.
    let [fewer, more] = [4_096, 8_192].map(|count| comparisons(&fnv_collisions(count)));
    let others = [ordinary(8_192), fnv_collisions_backwards(8_192)].map(|records| comparisons(&records));
    println!("4,096 and 8,192 emails of one FNV-1a in a set by it: {fewer} and {more} comparisons");
    println!("8,192 ordinary ones, and 8,192 of the same backwards: {others:?}");
    assert!(fewer >= 4_096 * 4_095 / 2 && more >= 3 * fewer && others.iter().all(|others| *others < 8_192));
    let [[fewer, _], [more, as_they_came]] = [20_000, 40_000].map(steps_of_pouring);
    println!("20,000 and 40,000 entries poured in the order of their places: {fewer} and {more} steps");
    println!("the 40,000 in the order in which they came: {as_they_came}");
    assert!(more >= 3 * fewer && more >= 100 * as_they_came && as_they_came < 40_000 * 8);
}

/// A table that keeps nothing but its entries, each at a place that is scaled
/// from its hash, as in `src/interner.rs`, or at the next that is empty. It
/// doubles when it is three quarters full.
struct Probed {
    places: Vec<Option<u32>>,
    entries: usize,
    /// Places passed by, while growing too.
    steps: u64,
}

impl Probed {
    fn of(hashes: impl IntoIterator<Item = u32>) -> Probed {
        let mut table = Probed { places: vec![None; 16], entries: 0, steps: 0 };
        hashes.into_iter().for_each(|hash| table.add(hash));
        table
    }

    fn add(&mut self, hash: u32) {
        self.entries += 1;
        if self.entries * 4 > self.places.len() * 3 {
            let twice = vec![None; self.places.len() * 2];
            let entries = std::mem::replace(&mut self.places, twice);
            entries.into_iter().flatten().for_each(|hash| self.put(hash));
        }
        self.put(hash);
    }

    fn put(&mut self, hash: u32) {
        let count = self.places.len();
        let mut place = ((u64::from(hash) * count as u64) >> 32) as usize;
        while self.places[place].is_some() {
            self.steps += 1;
            place = (place + 1) % count;
        }
        self.places[place] = Some(hash);
    }
}

/// What it takes to pour a table into one that begins empty, in the order of its
/// places and in that in which its entries came.
fn steps_of_pouring(entries: u64) -> [u64; 2] {
    let hashes = (0..entries).map(|number| {
        let mut hasher = Fnv::default();
        hasher.write(&number.to_le_bytes());
        hasher.0
    });
    // A table that is filled is poured into in the same order.
    let table = Probed::of(hashes);
    [Probed::of(table.places.into_iter().flatten()).steps, table.steps]
}

/// How often emails are compared that are put into a set without a key.
fn comparisons(records: &[Texts]) -> u64 {
    /// An email that counts.
    #[derive(Eq)]
    struct Compared<'t>(&'t str, &'t Cell<u64>);

    impl PartialEq for Compared<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.1.set(self.1.get() + 1);
            self.0 == other.0
        }
    }

    impl Hash for Compared<'_> {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write(self.0.as_bytes());
        }
    }

    let count = Cell::new(0);
    #[expect(clippy::mutable_key_type, reason = "the count is no part of what is compared")]
    let set: HashSet<Compared, BuildHasherDefault<Fnv>> =
        records.iter().map(|[_, email]| Compared(email, &count)).collect();
    assert_eq!(set.len(), records.len());
    count.get()
}

fn user([login, email]: &Texts) -> UserRecord<'_> {
    UserRecord {
        runtime: "prod-eu".into(),
        username: Some(login.as_str().into()),
        email: Some(email.as_str().into()),
        ..UserRecord::default()
    }
}

/// Counts the texts of so many records and gives nanoseconds for each; the
/// individuals have to be those that a map of strings finds.
fn count(attack: &Attack, texts: &[Texts], records: u64) -> f64 {
    let (report, taken) = timed(|| counted(attack, texts));
    assert_eq!(report.global.individuals.total(), individuals(texts));
    each(taken, records)
}

/// What is measured: `.ci/attacks` has callgrind collect this function.
#[inline(never)]
fn counted(Attack { counters, into_empty, key, .. }: &Attack, records: &[Texts]) -> Report {
    let count = |records: &[Texts]| {
        let mut counter = Counter::new(population::subscription(), &FingerprintKey::public_for_tests(*key));
        counter.add_all(records.iter().map(user)).expect("a known runtime");
        counter
    };
    let mut parts = records.chunks(records.len().div_ceil(*counters)).map(count);
    let mut counter = if *into_empty { count(&[]) } else { parts.next().expect("some records") };
    for part in parts {
        counter.merge(&part).expect("one key and subscription");
    }
    counter.report()
}

fn individuals(records: &[Texts]) -> u64 {
    let mut parent: Vec<usize> = (0..records.len()).collect();
    let mut firsts: [HashMap<&str, usize>; 2] = Default::default();
    let find = |parent: &mut Vec<usize>, mut at: usize| {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    };
    for (place, texts) in records.iter().enumerate() {
        for (text, firsts) in texts.iter().zip(&mut firsts) {
            let first = *firsts.entry(text).or_insert(place);
            let (a, b) = (find(&mut parent, first), find(&mut parent, place));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..records.len()).filter(|place| parent[*place] == *place).count() as u64
}

fn main() {
    let attacks = attacks();
    // Cargo adds an argument of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => {
            check_that_attacks_are_sharp(&attacks);
            compare(&attacks);
        }
        ["names"] => {
            for Attack { name, instructions, growth, .. } in &attacks {
                let [from, to] = [instructions.start(), instructions.end()];
                println!("{name}\t{from}\t{to}\t{}\t{}", growth.start(), growth.end());
            }
        }
        [name, ref records @ ..] => {
            let attack = attacks.iter().find(|attack| attack.name == name).expect("a name that `names` lists");
            let records = records.first().map_or(RECORDS, |records| records.parse().expect("a number of records"));
            println!("{name}: {:.0} ns a record", count(attack, &(attack.texts)(records), records));
        }
    }
}

fn compare(attacks: &[Attack]) {
    let mut ordinary = 0.0;
    for attack in attacks {
        let Attack { name, texts, time, .. } = attack;
        let texts = texts(RECORDS);
        // The best of three: neighbours only make it slower.
        let taken = (0..3).map(|_| count(attack, &texts, RECORDS)).fold(f64::INFINITY, f64::min);
        if ordinary == 0.0 {
            ordinary = taken;
        }
        let ratio = taken / ordinary;
        println!("{name}: {taken:.0} ns a record, {ratio:.1} times ordinary ones ({time:?} are explained)");
        assert!(time.contains(&ratio), "{name}: not as explained");
    }
}
