//! What adding a record allocates: nothing of its own, where its texts are
//! ASCII and known.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use headcount::{Counter, DomainPolicy, FingerprintKey, Outcome, Platform, Runtime, Subscription, UserRecord};

thread_local! {
    /// Allocations of this thread: the test harness has others.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: both calls are handed on to the system's allocator as they are. The
// other methods of the trait end up in these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A hundred people in two providers and two tenants of either, of whom some
/// are inactive, some have a login for an address, and some an invalid email.
fn people() -> Vec<UserRecord<'static>> {
    let person = |number: usize| UserRecord {
        runtime: "prod".into(),
        provider: [None, Some("Portal".into())][number % 2].clone(),
        tenant: [None, Some("Acme".into())][number / 2 % 2].clone(),
        username: Some(format!("User{number}@Corp{}.example", number % 7).into()),
        email: [None, Some("nobody@".into()), Some(format!("U{number}@Other.example").into())][number % 3].clone(),
        is_active: Some(number % 5 != 0),
        ..UserRecord::default()
    };
    (0..100).map(person).collect()
}

fn warm_counter(people: &[UserRecord]) -> Counter {
    let runtime = Runtime {
        name: "prod".into(),
        version: Some("11.28.0".parse().expect("a version")),
        internal_domains: DomainPolicy::parse("corp0.example, corp1.example").expect("a policy"),
        ..Runtime::default()
    };
    let subscription = Subscription::new(Platform::O11, vec![runtime], None).expect("a subscription");
    let mut counter = Counter::new(subscription, &FingerprintKey::public_for_tests(1));
    counter.add_all(people.iter().cloned()).expect("a known runtime");
    for record in people {
        counter.add(record).expect("a known runtime");
    }
    counter
}

#[test]
fn a_known_ascii_record_allocates_nothing() {
    let people = people();
    let mut counter = warm_counter(&people);
    // A counted record takes its 12 bytes, so the four lists of facts (by
    // provider and tenant) take a new piece now and then, twice as long as the
    // last: to 25,000 facts that is 13 pieces each, and three times a longer
    // list of pieces. Nothing else may allocate.
    let mut allocating = 0;
    for _ in 0..1_000 {
        for record in &people {
            let mut outcome = None;
            let made = allocations(|| outcome = counter.add(record).ok());
            assert!(made <= 2, "one list grows");
            assert!(made == 0 || matches!(outcome, Some(Outcome::Counted(_))), "an excluded record is a number");
            allocating += made;
        }
    }
    assert!(allocating <= 4 * (13 + 3), "{allocating} of 100,000 records allocated");
}
