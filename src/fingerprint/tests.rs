use super::*;

#[test]
fn p4_fingerprints_spread_over_a_set() {
    let hash = |words| std::hash::BuildHasher::hash_one(&BuildHasherDefault::<AsItIs>::default(), words);
    let flipped = |bit: usize| {
        let mut words = [0, 0, 7, 9];
        words[bit / 32] = 1 << (bit % 32);
        Fingerprint(words)
    };
    let mut hashes: Vec<u64> = (0..64).map(flipped).map(hash).collect();
    hashes.sort_unstable();
    assert!(hashes.into_iter().eq((0..64).map(|bit| 1 << bit)), "64 bits of a fingerprint are 64 bits of its hash");
}

/// The bytes 00, 01, 02 and so on.
const COUNTING: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

#[test]
fn siphash_2_4_128_reference_vectors() {
    // `vectors_sip128` of the reference implementation (veorq/SipHash): key
    // 00 to 0f, messages 00, 01, 02 and so on; those about whole words.
    let key = SipKey::of(u128::from_le_bytes(COUNTING));
    for (len, hash) in [
        (0, b"\xa3\x81\x7f\x04\xba\x25\xa8\xe6\x6d\xf6\x72\x14\xc7\x55\x02\x93"),
        (1, b"\xda\x87\xc1\xd8\x6b\x99\xaf\x44\x34\x76\x59\x11\x9b\x22\xfc\x45"),
        (7, b"\xa1\xf1\xeb\xbe\xd8\xdb\xc1\x53\xc0\xb8\x4a\xa6\x1f\xf0\x82\x39"),
        (8, b"\x3b\x62\xa9\xba\x62\x58\xf5\x61\x0f\x83\xe2\x64\xf3\x14\x97\xb4"),
        (9, b"\x26\x44\x99\x06\x0a\xd9\xba\xab\xc4\x7f\x8b\x02\xbb\x6d\x71\xed"),
        (15, b"\x54\x93\xe9\x99\x33\xb0\xa8\x11\x7e\x08\xec\x0f\x97\xcf\xc3\xd9"),
        (16, b"\x6e\xe2\xa4\xca\x67\xb0\x54\xbb\xfd\x33\x15\xbf\x85\x23\x05\x77"),
        (63, b"\x51\x50\xd1\x77\x2f\x50\x83\x4a\x50\x3e\x06\x9a\x97\x3f\xbd\x7c"),
    ] {
        let message: Vec<u8> = (0..len).collect();
        assert_eq!(key.hash(&message).map(u64::to_le_bytes).concat(), hash, "length {len}");
    }
}

#[test]
fn siphash_of_every_length_is_that_of_the_crate() {
    use siphasher::sip128::SipHasher24;
    let key = SipKey::of(u128::from_le_bytes(COUNTING));
    for len in 0..=u8::MAX {
        let message: Vec<u8> = (0..len).map(|at: u8| at.wrapping_mul(7)).collect();
        let theirs = SipHasher24::new_with_key(&COUNTING).hash(&message.to_ascii_lowercase());
        assert_eq!(key.hash(&message), [theirs.h1, theirs.h2], "length {len}");
    }
}

#[test]
fn begun_and_ended_is_the_hash_of_both() {
    use siphasher::sip128::SipHasher24;
    let fingerprinter = Fingerprinter(SipKey::of(u128::from_le_bytes(COUNTING)));
    let end = Fingerprint([0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c]);
    for len in 0..=64 {
        let text = "aBcDeFgH.".repeat(8).split_at(len).0.as_bytes().to_vec();
        let mut message = text.to_ascii_lowercase();
        message.resize(len.next_multiple_of(8), 0);
        message.extend(&COUNTING[..15]);
        let theirs = SipHasher24::new_with_key(&COUNTING).hash(&message);
        let (begun, is_ascii) = fingerprinter.begin(&text);
        assert_eq!(begun.end(end), fingerprint([theirs.h1, theirs.h2]), "length {len}");
        assert!(is_ascii);
    }
}

#[test]
fn ascii_is_told_from_the_rest() {
    let fingerprinter = FingerprintKey::public_for_tests(1).of_kind(Kind::Login);
    for len in 0..20 {
        let text = "Ana.Lopes@x.example.de".split_at(len).0;
        let fingerprint = fingerprinter.of(text.as_bytes());
        assert_eq!(fingerprinter.of_ascii(text.as_bytes()), Some((fingerprint, text.contains('@'))));
        for at in 0..=len {
            let (before, behind) = text.split_at(at);
            let text = format!("{before}\u{e9}{behind}");
            assert_eq!(fingerprinter.of_ascii(text.as_bytes()), None, "{text}");
            assert!(!fingerprinter.begin(text.as_bytes()).1, "{text}");
        }
    }
}

#[test]
fn lower_is_that_of_ascii() {
    for byte in 0..=u8::MAX {
        for neighbour in [0, b'A', b'Z', 0x7f, 0x80, 0xff] {
            let bytes = [byte, neighbour, byte, byte, neighbour, byte, byte, byte];
            assert_eq!(lower(u64::from_le_bytes(bytes)).to_le_bytes(), bytes.map(|b| b.to_ascii_lowercase()));
        }
    }
}

#[test]
fn kinds_keys_and_texts_are_apart() {
    // An email's takes in that of its domain.
    let fingerprint = |key: u64, kind, text: &str| {
        let of = |kind| FingerprintKey::public_for_tests(key).of_kind(kind);
        match text.split_once('@') {
            Some((local, name)) if kind == Kind::Email => {
                of(kind).begin(local.as_bytes()).0.end(of(Kind::Domain).of(name.as_bytes()))
            }
            _ => of(kind).of(text.as_bytes()),
        }
    };
    let given = fingerprint(1, Kind::Email, "ana@x.example");
    assert_eq!(given, fingerprint(1, Kind::Email, "Ana@X.example"));
    for other in [
        Fingerprint::ABSENT,
        fingerprint(1, Kind::Login, "ana@x.example"),
        fingerprint(1, Kind::Key, "ana@x.example"),
        fingerprint(1, Kind::Domain, "ana@x.example"),
        fingerprint(1, Kind::Email, "ana@x.exampl"),
        fingerprint(1, Kind::Email, "ana@x.example\0"),
        fingerprint(1, Kind::Email, "an@ax.example"),
        fingerprint(1, Kind::Email, "x.example@ana"),
        fingerprint(2, Kind::Email, "ana@x.example"),
    ] {
        assert_ne!(given, other);
    }
    // Whole words, and some more or less.
    let texts = ["anaanaa@x.example", "anaanaan@x.example", "anaanaana@x.example", "anaanaana@y.example"];
    let all = texts.map(|text| fingerprint(1, Kind::Email, text));
    for (at, one) in all.iter().enumerate() {
        assert!(all.iter().skip(at + 1).all(|other| other != one), "{}", texts[at]);
    }
}

/// D7: no kind of text meets another.
#[test]
fn each_kind_has_a_key_of_its_own() {
    let kinds = [Kind::Email, Kind::Login, Kind::Key, Kind::Domain, Kind::Check, Kind::Snapshot, Kind::Setting];
    // A new one is asked for here, and belongs above.
    let place = |kind| match kind {
        Kind::Email => 0,
        Kind::Login => 1,
        Kind::Key => 2,
        Kind::Domain => 3,
        Kind::Check => 4,
        Kind::Snapshot => 5,
        Kind::Setting => 6,
    };
    assert!(kinds.map(place).into_iter().eq(0..kinds.len()));
    let key = FingerprintKey::public_for_tests(1);
    let all = kinds.map(|kind| key.of_kind(kind).of(b"ana"));
    for (at, one) in all.iter().enumerate() {
        assert!(all.iter().skip(at + 1).all(|other| other != one), "{:?}", kinds[at]);
    }
}

#[test]
fn a_key_is_wiped() {
    let mut key = SipKey::of(u128::from_le_bytes(COUNTING));
    key.wipe();
    assert_eq!((key.k0, key.k1), (0, 0));
}

#[test]
fn what_a_snapshot_holds_of_logins_and_keys_is_pinned() {
    let key = FingerprintKey::public_for_tests(1);
    for (kind, label) in [(Kind::Login, &b"headcount login"[..]), (Kind::Key, b"headcount key")] {
        let mut fingerprint = siphash(siphash(SECRET, label), b"ana.lopes");
        fingerprint[12] |= 1;
        assert_eq!(key.of_kind(kind).of(b"Ana.Lopes").to_le_bytes(), fingerprint);
    }
}

/// What `public_for_tests(1)` is.
const SECRET: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];

fn siphash(key: [u8; 16], message: &[u8]) -> [u8; 16] {
    siphasher::sip128::SipHasher24::new_with_key(&key).hash(message).as_bytes()
}

#[test]
fn what_a_snapshot_holds_of_an_address_is_pinned() {
    let mut domain = siphash(siphash(SECRET, b"headcount domain"), b"corp.example");
    domain[12] |= 1;
    let message = [b"ana.lopes\0\0\0\0\0\0\0", &domain[..15]].concat();
    let mut email = siphash(siphash(SECRET, b"headcount email"), &message);
    email[12] |= 1;

    let key = FingerprintKey::public_for_tests(1);
    let (begun, _) = key.of_kind(Kind::Email).begin(b"Ana.Lopes");
    assert_eq!(begun.end(key.of_kind(Kind::Domain).of(b"corp.example")).to_le_bytes(), email);
}

#[test]
fn the_key_is_never_zero_and_never_shown() {
    assert_eq!(FingerprintKey::from_secret([0; 16]).err(), Some(KeyError));
    let key = FingerprintKey::from_secret([7; 16]);
    assert_eq!(format!("{key:?}"), "Ok(FingerprintKey(<redacted>))");
}
