//! Any bytes as a snapshot: as they are, and as changes to a real one, with and
//! without a seal that fits.

use headcount::{Counter, FingerprintKey, Platform, SnapshotError, Subscription};

use crate::operations::{Bytes, KEY, subscription};
use crate::seal::sealed;

/// Bytes before the rejected rows, by the format.
const HEAD: usize = 60;
const SEAL: usize = 16;

/// The target `snapshot`: a counter, changes to its snapshot of four bytes
/// each, and the content of another one.
///
/// # Panics
///
/// Where an assertion fails.
pub fn snapshot(data: &[u8]) {
    let mut bytes = Bytes(data);
    let platform = if bytes.next() % 3 == 0 { Platform::Odc } else { Platform::O11 };
    let subscription = subscription(&mut bytes, platform);
    let mut counter = Counter::new(subscription.clone(), &FingerprintKey::public_for_tests(KEY));
    for _ in 0..=bytes.next() % 4 {
        counter.add_all(bytes.records(&subscription)).expect("known runtimes");
    }
    let original = counter.snapshot();
    let mut changed = original.clone();
    for _ in 0..bytes.next() % 8 {
        let [kind, low, high, value] = std::array::from_fn(|_| bytes.next());
        change(&mut changed, kind, u16::from_le_bytes([low, high]), value);
    }

    // Bytes as they are.
    for bytes in [data, bytes.0, &[&original, bytes.0].concat()] {
        let restored = restored(&subscription, bytes);
        assert_eq!(restored.is_ok(), bytes == original, "the seal keeps out what is no snapshot");
    }
    assert_eq!(restored(&subscription, &changed).is_ok(), changed == original, "the seal keeps changes out");
    // Under a seal that fits.
    changed.truncate(changed.len().saturating_sub(SEAL));
    for content in [changed, bytes.0.to_vec(), [&original[..HEAD], bytes.0].concat()] {
        if let Ok(counter) = restored(&subscription, &sealed(KEY, content)) {
            check(counter);
        }
    }
}

/// Whatever it holds, it is a counter.
fn check(mut counter: Counter) {
    let report = counter.report();
    for runtime in &report.runtimes {
        let distributed: u64 = runtime.providers.iter().map(|provider| provider.records.total()).sum();
        assert_eq!(runtime.records, runtime.counted + runtime.excluded.total());
        assert_eq!(runtime.counted, distributed);
        assert_eq!(runtime.people.duplicates, runtime.counted - runtime.people.individuals.total());
    }
    let subscription = counter.subscription().clone();
    let copy = restored(&subscription, &counter.snapshot()).expect("a snapshot just taken");
    if counter.merge(&copy).is_ok() {
        assert_eq!(counter.report().records, report.records * 2);
        restored(&subscription, &counter.snapshot()).expect("a snapshot just taken");
    }
}

/// What is restored is what the bytes say, and no other bytes say it.
fn restored(subscription: &Subscription, bytes: &[u8]) -> Result<Counter, SnapshotError> {
    let restored = Counter::restore(subscription.clone(), &FingerprintKey::public_for_tests(KEY), bytes);
    match &restored {
        Ok(counter) => assert!(counter.snapshot() == bytes, "another snapshot than was restored"),
        Err(SnapshotError::Invalid { at }) => assert!((HEAD..=bytes.len()).contains(at), "nothing at byte {at}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    restored
}

/// A byte flipped, replaced, put in or taken out, or a number written over.
fn change(bytes: &mut Vec<u8>, kind: u8, at: u16, value: u8) {
    let at = usize::from(at) % (bytes.len() + 1);
    match (kind % 8, bytes.get_mut(at)) {
        (0, Some(byte)) => *byte ^= 1 << (value % 8),
        (1, Some(byte)) => *byte = value,
        (2, Some(byte)) => *byte = byte.wrapping_add(1),
        (3, Some(_)) => {
            bytes.remove(at);
        }
        (4, Some(_)) => bytes.truncate(at),
        (5, Some(_)) => {
            let end = bytes.len().min(at + usize::from(value % 16));
            bytes.copy_within(at..end, at.saturating_sub(usize::from(value / 16)));
        }
        (6, Some(_)) => {
            let end = bytes.len().min(at + usize::from(value));
            bytes.drain(at..end);
        }
        _ => bytes.insert(at, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_is_the_crates() {
        let subscription = subscription(&mut Bytes(b""), Platform::O11);
        let bytes = Counter::new(subscription, &FingerprintKey::public_for_tests(KEY)).snapshot();
        let (content, _) = bytes.split_at(bytes.len() - SEAL);
        assert!(sealed(KEY, content.to_vec()) == bytes);
    }
}
