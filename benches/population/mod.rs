//! A deterministic synthetic population of an O11 subscription.
//!
//! Four runtimes, three user providers, about 62 % individuals, external
//! domains by Zipf's law, mixed letter case, 10 % of the records in other
//! tenants. Nothing in it is random: record `i` of a population of `n` is
//! always the same.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Dice and ratios.

use headcount::{Capacity, DomainPolicy, Platform, Runtime, Subscription, UserRecord};

/// The domains of the organisation; a third of the people are of it.
pub const INTERNAL: [&str; 3] = ["mycompany.example", "sales.mycompany.example", "mycompany.test.example"];

/// How many external domains there are.
const EXTERNAL: u64 = 50_000;

/// People among whom `n` records are drawn, per thousand records: nine in ten
/// records name one of these, which makes 52 % of individuals, and one in ten
/// is of another tenant and an individual of its own.
const PEOPLE: u64 = 740;

const PROVIDERS: [&str; 3] = ["Users", "CustomerPortal", "PartnerHub"];
const RUNTIMES: [&str; 4] = ["prod-eu", "prod-us", "prod-apac", "factory"];
const NAMES: [&str; 32] = [
    "ana", "ben", "carla", "dev", "elena", "farid", "greta", "hugo", "ines", "jonas", "kira", "luca", "maria", "nils",
    "olga", "paulo", "quinn", "rosa", "sven", "tara", "umar", "vera", "wim", "xenia", "yusuf", "zoe", "alba", "bruno",
    "chloe", "dario", "edith", "fritz",
];

/// The subscription that the population is of.
pub fn subscription() -> Subscription {
    let policies = [&INTERNAL[..], &INTERNAL[..1], &INTERNAL[..2], &INTERNAL[..]];
    let runtimes = RUNTIMES.iter().zip(policies).map(|(name, domains)| Runtime {
        name: (*name).to_owned(),
        version: "11.28.0".parse().ok(),
        internal_domains: DomainPolicy::from_domains(domains).expect("the domains are valid"),
        disabled_providers: Vec::new(),
    });
    let capacity = Capacity::internal_external(1_000_000, 5_000_000);
    Subscription::new(Platform::O11, runtimes.collect(), Some(capacity)).expect("the subscription is valid")
}

/// Some records, their texts in one piece.
#[derive(Default)]
pub struct Chunk {
    text: String,
    rows: Vec<Row>,
}

struct Row {
    runtime: usize,
    provider: usize,
    /// Where tenant, login and email end in the text; each begins where the
    /// one before ends.
    ends: [usize; 3],
}

impl Chunk {
    /// Makes records `from..to` of a population of `size`.
    pub fn fill(&mut self, size: u64, from: u64, to: u64) {
        self.text.clear();
        self.rows.clear();
        for number in from..to {
            self.push(size, number);
        }
    }

    fn push(&mut self, size: u64, number: u64) {
        let dice = mix(number);
        // Records come runtime by runtime, as exports do.
        let runtime = (u128::from(number) * RUNTIMES.len() as u128 / u128::from(size)) as usize;
        let provider = [0, 0, 0, 1, 1, 2][(dice % 6) as usize];
        let person = mix(dice) % (size * PEOPLE / 1000).max(1);
        let who = mix(person ^ 0x5eed);
        let text = &mut self.text;

        if dice >> 8 & 0xff < 26 {
            text.push_str("Tenant");
            text.push(char::from(b'A' + (dice >> 16 & 0xf) as u8));
        }
        let tenant = text.len();

        // One person's login is the same everywhere, but for one provider.
        let name = NAMES[(who % 32) as usize];
        let surname = NAMES[(who >> 5 & 31) as usize];
        push_cased(text, name, dice >> 20 & 3 == 0);
        if provider == 2 {
            text.push('_');
        }
        push_cased(text, surname, dice >> 22 & 3 == 0);
        push_number(text, person);
        let login = text.len();

        // One record in sixteen has no email.
        if dice >> 24 & 15 != 0 {
            push_cased(text, name, dice >> 28 & 3 == 0);
            text.push('.');
            push_cased(text, surname, dice >> 30 & 3 == 0);
            push_number(text, person);
            text.push('@');
            push_domain(text, who >> 10, dice >> 32 & 7 == 0);
        }
        self.rows.push(Row { runtime, provider, ends: [tenant, login, text.len()] });
    }

    /// The records, borrowing from the chunk.
    pub fn records(&self) -> impl Iterator<Item = UserRecord<'_>> {
        let mut end = 0;
        self.rows.iter().map(move |row| {
            let [tenant, login, email] = row.ends;
            let start = std::mem::replace(&mut end, email);
            UserRecord {
                runtime: RUNTIMES[row.runtime].into(),
                provider: Some(PROVIDERS[row.provider].into()),
                tenant: Some(self.text[start..tenant].into()),
                username: Some(self.text[tenant..login].into()),
                email: Some(self.text[login..email].into()),
                is_active: Some(true),
                ..UserRecord::default()
            }
        })
    }
}

/// Gives a population of `size` to `take`, some records at a time.
pub fn in_chunks(size: u64, mut take: impl FnMut(&Chunk)) {
    const CHUNK: u64 = 1 << 12;
    let mut chunk = Chunk::default();
    for from in (0..size).step_by(CHUNK as usize) {
        chunk.fill(size, from, size.min(from + CHUNK));
        take(&chunk);
    }
}

fn push_cased(text: &mut String, word: &str, upper: bool) {
    let start = text.len();
    text.push_str(word);
    if upper {
        text[start..=start].make_ascii_uppercase();
    }
}

fn push_number(text: &mut String, number: u64) {
    use std::fmt::Write as _;
    write!(text, "{number}").expect("a string takes any text");
}

fn push_domain(text: &mut String, who: u64, upper: bool) {
    let start = text.len();
    if who % 3 == 0 {
        text.push_str(INTERNAL[(who / 3 % 3) as usize]);
    } else {
        // Zipf with exponent 1: rank e^(u ln n) for u uniform in 0..1.
        let uniform = (who >> 4 & 0xffff_ffff) as f64 / f64::from(u32::MAX);
        let rank = (uniform * (EXTERNAL as f64).ln()).exp() as u64;
        text.push_str(NAMES[(mix(rank) % 32) as usize]);
        push_number(text, rank);
        text.push_str(".example");
    }
    if upper {
        text[start..].make_ascii_uppercase();
    }
}

/// `SplitMix64`'s mixing function: every bit of the result depends on all of the
/// number.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
