//! Whether anyone can make counting slow: records crafted by someone who
//! knows this source but not the key, against ordinary ones of the same size.
//!
//! `cargo bench --bench attacks` prints nanoseconds a record and the ratio, and
//! fails above the ratio that its cost explains. `-- NAME` counts one
//! population once, for `valgrind --tool=callgrind`, whose counts of
//! instructions no neighbour disturbs; TESTING.md has the last ones.

mod measure;
#[allow(dead_code)] // Only its subscription is needed.
mod population;

use std::collections::HashMap;

use headcount::{Counter, FingerprintKey, Report, UserRecord};

use crate::measure::{each, timed};

const RECORDS: u64 = 200_000;

/// A login and an email by number.
type Texts = [String; 2];

struct Attack {
    name: &'static str,
    records: Vec<Texts>,
    /// Counters that share the records and are poured into the first of them.
    counters: usize,
    /// Nanoseconds a record that are explained, as a multiple of ordinary ones.
    explained: f64,
}

fn numbered(texts: impl Fn(u64) -> Texts) -> Vec<Texts> {
    (0..RECORDS).map(texts).collect()
}

fn attacks() -> Vec<Attack> {
    let names = ["prod.example", "corp.example", "post.example", "mail.example", "home.example", "team.example"];
    let ordinary = numbered(|number| {
        let domain = names[usize::try_from(number % 6).unwrap_or(0)];
        [format!("user{number}"), format!("user{number}@{domain}")]
    });
    let backwards: Vec<Texts> = ordinary.iter().rev().cloned().collect();
    let crowded = crowded_domains(64);
    let many = crowded.len() as u64;
    vec![
        Attack { name: "ordinary", records: ordinary.clone(), explained: 1.5, counters: 1 },
        Attack { name: "backwards", records: backwards, explained: 3.0, counters: 1 },
        // Each key of one counter is looked for in another that grows meanwhile.
        // Quadratic, were it in the order of a table that the other shares.
        Attack {
            name: "sixteen counters poured into the first of them",
            records: ordinary.clone(),
            explained: 3.0,
            counters: 16,
        },
        // A domain that is not known costs its check, another hash and an id.
        Attack {
            name: "domains that crowd one bucket of the known ones",
            records: numbered(|number| {
                let domain = &crowded[usize::try_from(number % many).unwrap_or(0)];
                [format!("user{number}"), format!("user{number}@{domain}")]
            }),
            counters: 1,
            explained: 4.0,
        },
        Attack {
            name: "a domain each",
            records: numbered(|number| [format!("user{number}"), format!("user@d{number}.example")]),
            counters: 1,
            explained: 5.0,
        },
        // Unkeyed, these would all meet in one place.
        Attack { name: "FNV-1a collisions", records: fnv_collisions(), explained: 3.0, counters: 1 },
        Attack {
            name: "one chain, last link first",
            records: numbered(|number| {
                let back = RECORDS - number;
                [format!("user{}", back.div_ceil(2)), format!("user{}@corp.example", back / 2)]
            }),
            counters: 1,
            explained: 3.0,
        },
        Attack {
            name: "one chain, in a scattered order",
            records: numbered(|number| {
                // 200,000 and 77,777 have no divisor in common.
                let number = number * 77_777 % RECORDS;
                [format!("user{}", number.div_ceil(2)), format!("user{}@corp.example", number / 2)]
            }),
            counters: 1,
            explained: 3.0,
        },
        // IDNA for every record, since only plain names are kept.
        Attack {
            name: "an IDN each",
            records: numbered(|number| [format!("user{number}"), format!("user@b\u{fc}cher{number}.example")]),
            counters: 1,
            explained: 10.0,
        },
        Attack {
            name: "accents to the limit of an address",
            records: numbered(|number| {
                let accents = "\u{301}\u{323}".repeat(12);
                [format!("e{accents}{number}"), format!("e{accents}{number}@e{accents}.example")]
            }),
            counters: 1,
            explained: 40.0,
        },
    ]
}

/// Domains that the list of known ones has one bucket for, whatever its length:
/// its hash is not keyed.
fn crowded_domains(wanted: usize) -> Vec<String> {
    let bucket = |domain: &str| {
        let (whole, tail) = domain.as_bytes().split_at(domain.len() / 8 * 8);
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let mut words = [word(tail); 4];
        words.iter_mut().zip(whole.chunks(8)).for_each(|(place, bytes)| *place = word(bytes));
        words[3] |= (domain.len() as u64) << 56;
        let folded = words[0] ^ words[1].rotate_left(21) ^ words[2].rotate_left(42) ^ words[3];
        let product = u128::from(folded) * 0x9e37_79b9_7f4a_7c15;
        ((product ^ product >> 64) >> 32) & 0x7fff
    };
    let names = (0_u64..).map(|number| format!("d{number}.example"));
    names.filter(|name| bucket(name) == 7).take(wanted).collect()
}

/// Emails whose FNV-1a ends in the same four bits.
fn fnv_collisions() -> Vec<Texts> {
    let fnv = |text: &str| {
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    };
    let mut records = Vec::new();
    let mut number = 0_u64;
    while (records.len() as u64) < RECORDS {
        let email = format!("u{number}@corp.example");
        if fnv(&email) & 0xf == 3 {
            records.push([format!("u{number}"), email]);
        }
        number += 1;
    }
    records
}

fn user([login, email]: &Texts) -> UserRecord<'_> {
    UserRecord {
        runtime: "prod-eu".into(),
        username: Some(login.as_str().into()),
        email: Some(email.as_str().into()),
        ..UserRecord::default()
    }
}

/// Counts records and gives nanoseconds each; the individuals have to be those
/// that a map of strings finds.
fn count(Attack { records, counters, .. }: &Attack) -> f64 {
    let (report, taken) = timed(|| counted(records, *counters));
    assert_eq!(report.global.individuals.total(), individuals(records));
    each(taken, records.len() as u64)
}

/// What is measured: `--toggle-collect=attacks::counted`.
#[inline(never)]
fn counted(records: &[Texts], counters: usize) -> Report {
    let count = |records: &[Texts]| {
        let mut counter = Counter::new(population::subscription(), &FingerprintKey::public_for_tests(1));
        counter.add_all(records.iter().map(user)).expect("a known runtime");
        counter
    };
    let mut parts = records.chunks(records.len().div_ceil(counters)).map(count);
    let mut counter = parts.next().expect("some records");
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
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let Some(attack) = attacks.iter().find(|attack| words.iter().any(|word| word == attack.name)) {
        println!("{}: {:.0} ns a record", attack.name, count(attack));
        return;
    }
    let mut ordinary = 0.0;
    for attack in &attacks {
        let Attack { name, explained, .. } = attack;
        // The best of three: neighbours only make it slower.
        let taken = (0..3).map(|_| count(attack)).fold(f64::INFINITY, f64::min);
        if ordinary == 0.0 {
            ordinary = taken;
        }
        let ratio = taken / ordinary;
        println!("{name}: {taken:.0} ns a record, {ratio:.1} times ordinary ones (at most {explained} are explained)");
        assert!(ratio <= *explained, "{name} is slower than explained");
    }
}
