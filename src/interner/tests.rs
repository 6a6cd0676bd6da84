use super::*;
use crate::fingerprint::{FingerprintKey, Kind};

/// Fingerprints that crowd into few places of few shards, unlike real
/// ones.
fn crowded(number: u32) -> Fingerprint {
    // Of nine tags, the first of which stands for none.
    let tag = (number % 9) << 24;
    Fingerprint([number % 7 * 0x2492_4924, tag | (number / 3), number % 3, (number % 5) << 26 | 1])
}

fn one(interner: &mut Interner, fingerprint: Fingerprint) -> u32 {
    let mut ids = Vec::new();
    interner.intern_all(&[fingerprint], &mut ids);
    ids[0]
}

fn intern_each(interner: &mut Interner, fingerprints: &[Fingerprint]) -> Vec<u32> {
    fingerprints.iter().map(|fingerprint| one(interner, *fingerprint)).collect()
}

#[test]
fn each_fingerprint_has_one_id_however_crowded_its_table() {
    let mut interner = Interner::new(SHARD_LIMIT);
    let fingerprints: Vec<Fingerprint> = (0..5_000).map(|number| crowded(number % 4_321)).collect();
    let first = intern_each(&mut interner, &fingerprints);
    assert_eq!(first.iter().filter(|id| **id & NEW != 0).count(), 4_321);
    assert_eq!(interner.len(), 4_321);
    let mut ids: Vec<u32> = first.iter().map(|id| id & !NEW).collect();
    let again = intern_each(&mut interner, &fingerprints);
    assert_eq!(again, ids);
    let found: Vec<u32> = fingerprints.iter().map(|fingerprint| interner.find(*fingerprint)).collect();
    assert_eq!(found, ids);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4_321);
    assert!(ids.iter().all(|id| (1..interner.space()).contains(id)));
    assert_eq!(interner.find(Fingerprint([1, 1, 1, 1])), 0);
}

#[test]
fn a_bucket_keeps_places_of_three_bytes_and_finds_them_by_their_tags() {
    let places = (1..=15).map(|slot| slot << 20 | (16 - slot) << 12 | slot << 4).chain([SHARD_LIMIT]);
    let mut bucket = EMPTY;
    let key = |slot: u32| [0, (slot % 5) << 24 | slot, 0];
    for (slot, place) in (0..16).zip(places) {
        assert!(!bucket.is_full());
        let first = bucket.likely(key(slot));
        bucket.push(tags_of(key(slot)), place);
        assert_eq!(bucket.place(slot as usize), place);
        // The first of its tag; 0 and 1 are one tag.
        assert_eq!(bucket.likely(key(slot)), if first == 0 { place } else { first });
        assert_eq!(first == 0, matches!(slot, 0 | 2..=4));
    }
    assert!(bucket.is_full());
    assert_eq!(bucket.likely([0, 5 << 24, 0]), 0);
}

/// Its memory, which no id shows.
#[test]
fn a_shard_is_as_long_as_its_keys_ask_for_however_they_came() {
    // Of few tags, so that a bucket has some like it.
    let key = |count: u32| [count.wrapping_mul(0x9e37_79b9), (count % 3) << 24, count];
    let lengths_of = |longer: usize| [1, 2, 4, 8, longer, longer * 2, longer * 4, longer * 8];
    for (number, lengths) in [(0, lengths_of(16)), (3, lengths_of(16)), (4, lengths_of(17)), (63, lengths_of(31))] {
        let empty = || Shard { number, used: 0, buckets: vec![EMPTY], keys: Vec::new() };
        let mut shard = empty();
        for count in 1..=1_400_u32 {
            shard.intern(key(count));
            let length = lengths.iter().copied().find(|length| length * FULL >= count as usize);
            assert_eq!(Some(shard.buckets.len()), length, "{count} keys in shard {number}");
            if count % 13 < 2 {
                let mut loaded = empty();
                assert!(loaded.load(count, (1..=count).map(key)));
                assert_eq!(Some(loaded.buckets.len()), length, "{count} keys loaded into shard {number}");
            }
            assert!(!shard.buckets.iter().any(Bucket::is_full), "evenly spread, these keys crowd nowhere");
        }
    }
}

/// `benches/attacks.rs` crowds a shard by the same formula and asserts that these
/// are its first three logins: change both, or the attack there goes blunt.
#[test]
fn logins_lie_where_who_has_the_key_wants_them_and_elsewhere_under_another() {
    let place = |key: u64, login: &str| {
        let fingerprint = FingerprintKey::public_for_tests(key).of_kind(Kind::Login).of(login.as_bytes());
        let shard = Shard { number: 0, used: 0, buckets: vec![EMPTY; 16], keys: Vec::new() };
        (shard_of(fingerprint), shard.bucket_of(key_of(fingerprint)))
    };
    let logins = ["uaaabdq", "uaaacuj", "uaaaftp"];
    assert_eq!(logins.map(|login| place(2, login)), [(0, 0); 3]);
    assert!(logins.iter().all(|login| place(1, login) != (0, 0)));
}

#[test]
fn keys_lie_in_pieces_of_which_only_the_first_is_small() {
    let mut shard = Shard { number: 0, used: 0, buckets: vec![EMPTY], keys: Vec::new() };
    for count in 1..=2 * PIECE + 100 {
        shard.keep([7; 3]);
        let [first, others @ ..] = &shard.keys[..] else { panic!("no piece") };
        assert!(first.len() == count.min(PIECE) && first.capacity() <= (count * 2).clamp(8, PIECE));
        assert!(others.iter().all(|piece| piece.capacity() == PIECE));
        assert_eq!(shard.keys.iter().map(Vec::len).sum::<usize>(), count);
        assert_eq!(shard.keys.len(), count.div_ceil(PIECE));
    }
}

#[test]
fn more_keys_than_two_bytes_count_are_found_in_one_shard() {
    let fingerprint = |number: u32| Fingerprint([number.wrapping_mul(0x9e37_79b9), number << 20, number, 5 << 26]);
    let fingerprints: Vec<Fingerprint> = (1..=70_000).map(fingerprint).collect();
    let mut interner = Interner::new(SHARD_LIMIT);
    let mut ids = Vec::new();
    interner.intern_all(&fingerprints, &mut ids);
    assert!(ids.iter().copied().eq((1..=70_000).map(|place| place << SHARD_BITS | 5 | NEW)));
    interner.intern_all(&fingerprints, &mut ids);
    assert!(ids.iter().copied().eq((1..=70_000).map(|place| place << SHARD_BITS | 5)));
}

/// What SECURITY.md reckons with: two fingerprints are one only if they share
/// 102 bits.
#[test]
fn a_key_keeps_102_bits_of_a_fingerprint() {
    let base = [0x0123_4567, 0x89ab_cdef, 0xfedc_ba98, 0x7654_3211];
    let flipped = |bit: usize| {
        let mut words = base;
        words[bit / 32] ^= 1 << (bit % 32);
        Fingerprint(words)
    };
    let kept = |bit: &usize| {
        let mut interner = Interner::new(SHARD_LIMIT);
        one(&mut interner, Fingerprint(base)) != 0 && one(&mut interner, flipped(*bit)) & NEW != 0
    };
    let kept: Vec<usize> = (0..128).filter(kept).collect();
    assert!(kept.iter().copied().eq((0..96).chain(122..128)), "{kept:?}");
    assert_eq!(kept.len(), 102);
}

#[test]
fn batches_give_the_ids_that_one_by_one_gives() {
    let fingerprint = |number: u32| if number % 11 == 0 { Fingerprint::ABSENT } else { crowded(number % 1_900) };
    let fingerprints: Vec<Fingerprint> = (0..3_000).map(fingerprint).collect();
    let mut ids = vec![7];
    Interner::new(SHARD_LIMIT).intern_all(&fingerprints, &mut ids);
    assert_eq!(ids, intern_each(&mut Interner::new(SHARD_LIMIT), &fingerprints));
}

#[test]
fn the_absent_fingerprint_has_no_id() {
    let mut interner = Interner::new(SHARD_LIMIT);
    one(&mut interner, crowded(1));
    // All that is kept of it is zeros as well.
    assert_ne!(one(&mut interner, Fingerprint([0, 0, 0, 1])), 0);
    assert_eq!((one(&mut interner, Fingerprint::ABSENT), interner.find(Fingerprint::ABSENT)), (0, 0));
}

#[test]
fn a_shard_is_loaded_up_to_its_limit_and_no_further() {
    let keys = |count: u32| (1..=count).map(|number| [number, number, 0]);
    for (count, fits) in [(0, true), (2, true), (3, true), (4, false)] {
        let mut interner = Interner::new(3);
        assert_eq!(interner.load(5, count, keys(count)), fits, "{count} keys");
        if fits {
            assert_eq!((interner.len(), interner.given()[5]), (u64::from(count), count));
            assert_eq!(interner.check_room(3).is_ok(), count == 0);
            let found = interner.find(Fingerprint([count, count, 0, 5 << 26 | 1]));
            assert_eq!(found, if count == 0 { 0 } else { count << SHARD_BITS | 5 });
        }
    }
}

#[test]
fn room_for_known_fingerprints_is_always_there() {
    let mut interner = Interner::new(3);
    let known: Vec<Fingerprint> = (1..=3).map(|number| Fingerprint([number, 0, 0, 1])).collect();
    assert!(interner.has_room_for_each(&known));
    interner.intern_all(&known, &mut Vec::new());
    let many = [&known[..], &[Fingerprint::ABSENT; 9], &known].concat();
    assert!(interner.has_room_for_each(&many));
    let mut full = Interner::new(3);
    full.pour(&interner);
    assert!(full.has_room_for(&interner));
    let one_more = [&many[..], &[Fingerprint([4, 0, 0, 1])]].concat();
    assert!(!interner.has_room_for_each(&one_more));
    // In another shard there is.
    let elsewhere = [&many[..], &[Fingerprint([4, 0, 0, 1 << 26 | 1])]].concat();
    assert!(interner.has_room_for_each(&elsewhere));
    let mut other = Interner::new(3);
    other.intern_all(&one_more[9..], &mut Vec::new());
    assert!(!full.has_room_for(&other));
}

#[test]
fn room_is_checked_before_anything_changes() {
    let mut interner = Interner::new(3);
    for number in 0..3 {
        assert_eq!(interner.check_room(1), Ok(()));
        one(&mut interner, Fingerprint([number, 0, 0, 1]));
    }
    assert_eq!(interner.check_room(1), Err(AddError::Full));
    assert_eq!(interner.check_room(0), Ok(()));
    assert_eq!(interner.check_room(usize::MAX), Err(AddError::Full));
}
