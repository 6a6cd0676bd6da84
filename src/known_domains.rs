//! Domains that records named lately, and what was made of them.
//!
//! Most addresses have a domain that some record before had too. Recognising it
//! by its bytes spares the check of the name (N3), its fingerprint and its id.

use crate::fingerprint::{Fingerprint, lower, tail_of, word_of};

/// A domain of at most 31 bytes as a record spells it, but for ASCII capitals
/// made small: its whole words, what is left over in each word behind them, and
/// its length in the last byte, or a domain and the same with a NUL behind it
/// were one.
#[derive(Clone, Copy)]
pub(crate) struct ShortName([u64; 4]);

impl ShortName {
    /// Of no domain: all have a length.
    pub(crate) const NONE: ShortName = ShortName([0; 4]);

    /// `None` for a longer one, or none.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "a place within 32 bytes")]
    pub(crate) fn of(domain: &str) -> Option<ShortName> {
        let bytes = domain.as_bytes();
        let tail = lower(tail_of(bytes));
        let word = |place: usize| match bytes.get(place * 8..place * 8 + 8) {
            Some(eight) => lower(word_of(eight)),
            None => tail,
        };
        let len = (bytes.len() as u64) << 56;
        (1..32).contains(&bytes.len()).then(|| ShortName([word(0), word(1), word(2), word(3) | len]))
    }

    /// The name.
    pub(crate) fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let mut bytes = [0; 32];
        for (eight, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            eight.copy_from_slice(&word.to_le_bytes());
        }
        let len = usize::from(bytes[31]);
        // It was text, and lower case changes ASCII only.
        take(bytes.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default())
    }

    /// Whether both are the same name. Without a branch.
    #[inline]
    fn is(self, ShortName(other): ShortName) -> bool {
        let words = self.0.iter().zip(other);
        words.fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
    }
}

/// Domains by the bytes of their names, as far as those are short, and their
/// fingerprints by place.
///
/// Two structures: the domains in the order they came, so that those that many
/// records have, which come early, lie close together; and an index of their
/// places in buckets of four. A domain that finds its bucket full, by chance or
/// by malice, takes the place of another one in it, which then costs its
/// fingerprint and its id again.
pub(crate) struct Domains {
    /// A power of two of buckets. A slot is the place of a domain, below a tag
    /// of its name; 0 if it is empty.
    index: Vec<[u32; SLOTS]>,
    list: Vec<KnownDomain>,
}

const SLOTS: usize = 4;

/// Low bits of a slot that are a place.
const PLACE_BITS: u32 = 17;

#[derive(Clone, Copy)]
struct KnownDomain {
    name: ShortName,
    fingerprint: Fingerprint,
}

impl Domains {
    /// The place of no domain, and of what is none.
    pub(crate) const NONE: u32 = 0;

    /// So many are better forgotten: some more, as a batch may bring, still
    /// leave the list at 3 MiB.
    pub(crate) const MANY: usize = 60_000;

    /// Buckets of the largest index.
    const LARGEST: usize = 1 << 15;

    /// None but that of no address.
    pub(crate) fn new() -> Domains {
        let none = KnownDomain { name: ShortName::NONE, fingerprint: Fingerprint::ABSENT };
        Domains { index: vec![[0; SLOTS]; 1 << 4], list: vec![none] }
    }

    /// Forgets all domains.
    pub(crate) fn clear(&mut self) {
        self.index.fill([0; SLOTS]);
        self.list.truncate(1);
    }

    /// Places are below this.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The fingerprint of the domain at a place.
    #[inline]
    pub(crate) fn fingerprint(&self, place: u32) -> Option<Fingerprint> {
        self.list.get(place as usize).map(|known| known.fingerprint)
    }

    /// The bucket of a name, and its tag in the high bits.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "there is at least one bucket")]
    #[expect(clippy::cast_possible_truncation, reason = "takes a word of twice the size apart")]
    fn hash(&self, ShortName([a, b, c, d]): ShortName) -> (usize, u32) {
        let product = u128::from(a ^ b.rotate_left(21) ^ c.rotate_left(42) ^ d) * 0x9e37_79b9_7f4a_7c15;
        // A bit of one half depends on the lower ones of the name, of the other
        // half on the higher ones.
        let mixed = product as u64 ^ (product >> 64) as u64;
        let [low, high] = [mixed as u32, (mixed >> 32) as u32];
        // No tag is that of an empty slot.
        (high as usize & (self.index.len() - 1), (low | 1) << PLACE_BITS)
    }

    /// The place that a name has if it has one, but for the rare one that
    /// another of its bucket and tag hides. Without a branch, so that the
    /// processor can look up several side by side.
    #[inline]
    pub(crate) fn likely(&self, name: ShortName) -> u32 {
        let (bucket, tag) = self.hash(name);
        let slots = self.index.get(bucket).copied().unwrap_or_default();
        slots.iter().fold(Domains::NONE, |place, slot| {
            let differs = slot ^ tag;
            if differs >> PLACE_BITS == 0 { differs } else { place }
        })
    }

    /// Reads something of a domain, so that it is in the processor's cache when
    /// its turn comes.
    #[inline]
    pub(crate) fn touch(&self, place: u32) -> u32 {
        self.list.get(place as usize).map_or(0, |known| known.fingerprint.0[0])
    }

    /// The fingerprint of the domain at a place, if it has this name.
    #[inline]
    pub(crate) fn named(&self, place: u32, name: ShortName) -> Option<Fingerprint> {
        let known = self.list.get(place as usize)?;
        known.name.is(name).then_some(known.fingerprint)
    }

    /// Appends a domain, and says where.
    pub(crate) fn append(&mut self, fingerprint: Fingerprint) -> u32 {
        self.push(KnownDomain { name: ShortName::NONE, fingerprint })
    }

    /// The same under a name, to be found by it; the absent fingerprint says
    /// that it names no domain.
    #[expect(clippy::arithmetic_side_effects, reason = "at most 2^15 buckets")]
    pub(crate) fn keep(&mut self, name: ShortName, fingerprint: Fingerprint) -> u32 {
        let place = self.push(KnownDomain { name, fingerprint });
        if self.list.len() > self.index.len() * 2 && self.index.len() < Domains::LARGEST {
            self.index = vec![[0; SLOTS]; self.index.len() * 2];
            for place in 1..place {
                self.enter(place);
            }
        }
        self.enter(place);
        place
    }

    fn push(&mut self, known: KnownDomain) -> u32 {
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(known);
        place
    }

    /// Enters a domain into the index, if it has a name.
    #[expect(clippy::indexing_slicing, reason = "slots of four")]
    fn enter(&mut self, place: u32) {
        let Some(known) = self.list.get(place as usize) else { return };
        if known.name.is(ShortName::NONE) || place >> PLACE_BITS != 0 {
            return;
        }
        let (bucket, tag) = self.hash(known.name);
        if let Some(slots) = self.index.get_mut(bucket) {
            let free = slots.iter().position(|slot| *slot == 0);
            // Any other will do.
            let at = free.unwrap_or(place as usize % SLOTS);
            slots[at] = tag | place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ShortName {
        ShortName::of(text).unwrap()
    }

    /// Some fingerprint that is not the absent one.
    fn fingerprint(number: u32) -> Fingerprint {
        Fingerprint([number, 0, 0, 1])
    }

    /// What is known of a name.
    fn find(domains: &Domains, text: &str) -> Option<Fingerprint> {
        domains.named(domains.likely(name(text)), name(text))
    }

    #[test]
    fn a_short_name_is_its_text_in_lower_case() {
        let text = "aB.Cé-9Z_ö".repeat(4);
        for len in (1..=40).filter(|len| text.is_char_boundary(*len)) {
            let text = text.split_at(len).0;
            match ShortName::of(text) {
                Some(short) => short.with_text(|found| assert_eq!(found, text.to_ascii_lowercase())),
                None => assert!(len > 31, "{text}"),
            }
            assert_eq!(len > 31, ShortName::of(text).is_none(), "{text}");
        }
        assert!(ShortName::of("").is_none());
    }

    #[test]
    fn names_that_differ_anywhere_are_two() {
        let long = "abcdefghijklmnopqrstuvwxyz.abcd";
        for len in 1..=31 {
            let text = long.split_at(len).0;
            assert!(name(text).is(name(&text.to_uppercase())));
            for at in 0..len {
                let (before, behind) = (text.split_at(at).0, text.split_at(at + 1).1);
                assert!(!name(text).is(name(&format!("{before}~{behind}"))));
            }
            if len < 31 {
                assert!(!name(text).is(name(&format!("{text}\0"))), "a NUL is a byte as any");
            }
        }
        // By the same bits in two words.
        assert!(!name("aaaaaaaaaaaaaaaa").is(name("baaaaaaabaaaaaaa")));
    }

    #[test]
    fn what_is_kept_is_found_and_nothing_else() {
        // Names that differ at either end or in between, in one word or several.
        let families: [fn(u32) -> String; 5] = [
            |number| format!("d{number}.example"),
            |number| format!("{number:06}.example.com"),
            |number| format!("mail.company{number}.example"),
            |number| format!("{:02}.{:03}.example.org", number % 100, number / 100),
            |number| format!("a-long-name-of-a.domain{number:x}"),
        ];
        for text in families {
            let mut domains = Domains::new();
            for number in 0..40_000 {
                assert_eq!(find(&domains, &text(number)), None);
                let place = domains.keep(name(&text(number)), fingerprint(number));
                assert_eq!((place, domains.fingerprint(place)), (number + 1, Some(fingerprint(number))));
                assert_eq!(domains.index.len(), domains.len().div_ceil(2).next_power_of_two().max(16));
            }
            let found = (0..40_000).filter(|number| match find(&domains, &text(*number)) {
                Some(found) => found == fingerprint(*number),
                None => false,
            });
            let found = found.count();
            assert!(found > 38_500, "few give way to others: {found} of {}", text(1));
            domains.clear();
            assert_eq!((find(&domains, &text(1)), domains.len()), (None, 1));
        }
    }

    /// `benches/attacks.rs` crowds a bucket by the same formula and asserts the
    /// same places: change both, or the attack there goes blunt.
    #[test]
    fn the_bucket_of_a_name_is_the_one_that_is_attacked() {
        let domains = Domains { index: vec![[0; SLOTS]; Domains::LARGEST], list: Vec::new() };
        let bucket = |text: &str| domains.hash(name(text)).0;
        assert_eq!(["d0.example", "corp.example", "mail.a-long-name.example.com"].map(bucket), [6025, 18590, 6346]);
    }

    #[test]
    fn of_domains_that_crowd_one_bucket_the_last_one_is_found() {
        let mut domains = Domains::new();
        let bucket = |text: &str| domains.hash(name(text)).0;
        let texts = (0..).map(|number| format!("d{number}.example"));
        let crowded: Vec<String> = texts.filter(|text| bucket(text) == 7).take(20).collect();
        for (number, text) in (0..).zip(&crowded) {
            domains.keep(name(text), fingerprint(number));
            assert_eq!(find(&domains, text), Some(fingerprint(number)));
            let found = (0..).zip(&crowded).filter(|(number, text)| match find(&domains, text) {
                Some(found) => found == fingerprint(*number),
                None => false,
            });
            assert_eq!(found.count(), SLOTS.min(number as usize + 1));
        }
    }

    #[test]
    fn more_domains_than_an_index_has_room_for_are_not_found_wrongly() {
        let mut domains = Domains::new();
        let mut hidden = 0;
        for number in 0..1 << 18 {
            let text = format!("d{number}.example");
            domains.keep(name(&text), fingerprint(number));
            match find(&domains, &text) {
                Some(found) => assert_eq!((found, (number + 1) >> PLACE_BITS), (fingerprint(number), 0)),
                None => hidden += u32::from((number + 1) >> PLACE_BITS == 0),
            }
        }
        assert_eq!(domains.index.len(), Domains::LARGEST);
        assert!(hidden < 100, "by another one of the same bucket and tag: {hidden}");
        // Those of high places gave no slot away, nor took one.
        let early = (0..40_000).filter(|number| find(&domains, &format!("d{number}.example")).is_some());
        let late = (1 << 17..1 << 18).filter(|number| find(&domains, &format!("d{number}.example")).is_some());
        let early = early.count();
        assert!(early > 25_000, "{early}");
        assert_eq!(late.count(), 0);
        assert_eq!(find(&domains, "never.example"), None);
    }
}
