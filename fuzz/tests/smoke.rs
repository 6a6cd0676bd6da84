//! Every target over its seeds and some thousand mutations of them, without
//! libFuzzer.

use std::path::Path;

use headcount_fuzz::TARGETS;

/// Mutations of each target.
const MUTATIONS: u64 = 3_000;

#[test]
fn targets_hold_over_their_seeds() {
    for (name, target) in TARGETS {
        for (file, seed) in seeds(name) {
            run(target, &seed, &format!("{name}, seed {file}"));
        }
        target(b"");
    }
}

#[test]
fn targets_hold_over_mutated_seeds() {
    for (name, target) in TARGETS {
        let seeds: Vec<Vec<u8>> = seeds(name).into_iter().map(|(_, seed)| seed).collect();
        for number in 0..MUTATIONS {
            let input = mutated(&mut Random(number), &seeds);
            run(target, &input, &format!("{name}, mutation {number}"));
        }
    }
}

/// A panic shows the target's input.
fn run(target: headcount_fuzz::Target, input: &[u8], what: &str) {
    let result = std::panic::catch_unwind(|| target(input));
    assert!(result.is_ok(), "{what}: b\"{}\"", input.escape_ascii());
}

/// The seeds of a target, by name, so that mutations are the same everywhere.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<(String, Vec<u8>)> = files
        .map(|file| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).unwrap()
    }
}

/// A seed with up to eight changes: a byte flipped, put in or taken out, a
/// piece doubled, cut off or taken from another seed.
fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 => input.insert(at, b"\0\n\r\",@.{}'=\\ \x1F\xC3\xFF"[random.below(16)]),
            2 if at < input.len() => {
                input.remove(at);
            }
            3 => {
                let piece = piece(random, &input).to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let other = random.below(seeds.len());
                let piece = piece(random, &seeds[other]).to_vec();
                input.splice(at..at, piece);
            }
            5 => input.truncate(at),
            _ => input.insert(at, u8::try_from(random.below(256)).unwrap()),
        }
    }
    input
}

fn piece<'i>(random: &mut Random, input: &'i [u8]) -> &'i [u8] {
    let start = random.below(input.len() + 1);
    let end = start + random.below(40.min(input.len() - start) + 1);
    &input[start..end]
}
