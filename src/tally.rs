//! From facts to individuals (C6, D, T2 to T5). Every number of a report that
//! is not a plain count of records comes from [`Census::take`].

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::classification::{Class, Classifier};
use crate::disjoint_set::DisjointSet;
use crate::fingerprint::Fingerprinter;
use crate::identities::{Fact, Identities};
use crate::ledger::{Ledger, Provider};
use crate::platform::Linking;
use crate::policy::DomainPolicy;

/// How many per class (T2, T3). Serialises with its `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ClassTally {
    /// Of class internal.
    pub internal: u64,
    /// Of class external.
    pub external: u64,
    /// Counted where nothing is classified (C1).
    pub unclassified: u64,
}

impl ClassTally {
    /// All classes together; `u64::MAX` if they are more, which none of a report
    /// are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.internal.saturating_add(self.external).saturating_add(self.unclassified)
    }

    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
    fn add(&mut self, class: Class, count: u64) {
        match class {
            Class::Internal => self.internal += count,
            Class::External => self.external += count,
            Class::Unclassified => self.unclassified += count,
        }
    }
}

impl Serialize for ClassTally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("ClassTally", 4)?;
        row.serialize_field("internal", &self.internal)?;
        row.serialize_field("external", &self.external)?;
        row.serialize_field("unclassified", &self.unclassified)?;
        row.serialize_field("total", &self.total())?;
        row.end()
    }
}

/// The individuals of a scope, one runtime or all (T2, T4, T5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct People {
    /// Unique individuals by class (T2, C6).
    pub individuals: ClassTally,
    /// Counted records that stand for someone already counted (T4).
    pub duplicates: u64,
    /// Individuals whose records differ in class (T5).
    pub mixed_class: u64,
}

/// The classes that the records of one individual have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct ClassSet(u32);

impl ClassSet {
    fn of(class: Class) -> ClassSet {
        ClassSet(1 << class as u8)
    }

    fn has(self, class: Class) -> bool {
        self.0 & ClassSet::of(class).0 != 0
    }

    /// C6: internal if any record is, else external if any is, else
    /// unclassified. `None` without records.
    fn class(self) -> Option<Class> {
        [Class::Internal, Class::External, Class::Unclassified].into_iter().find(|class| self.has(*class))
    }

    fn is_mixed(self) -> bool {
        self.0.count_ones() > 1
    }
}

/// The class of each domain id under one runtime's policy, so that classing a
/// fact is two look-ups and no hash. Domain 0 is no address.
#[derive(Default)]
struct DomainClasses(Vec<Class>);

impl DomainClasses {
    #[expect(clippy::indexing_slicing, reason = "sized by the ids of the same domains")]
    fn fill(&mut self, scope: &Scope<'_>, identities: &Identities, fingerprinter: &Fingerprinter) {
        self.0.clear();
        self.0.resize(identities.domain_space() as usize, scope.classifier.of(Some(false)).class);
        if let Classifier::Everyone(_) = scope.classifier {
            return self.0.fill(scope.classifier.of(None).class);
        }
        for domain in scope.policy.unordered() {
            let id = identities.domain(fingerprinter.of(domain.as_bytes()));
            self.0[id as usize] = scope.classifier.of(Some(true)).class;
        }
        // Last: listed domains that were never seen have id 0 as well.
        self.0[0] = scope.classifier.of(None).class;
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "sized by the ids of the same domains")]
    fn of(&self, domain: u32) -> Class {
        self.0[domain as usize]
    }
}

/// A tally of records: counts without a branch, since nobody could predict the
/// class of the next one.
#[derive(Default)]
struct ByClass([u64; 3]);

impl ByClass {
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
    #[expect(clippy::indexing_slicing, reason = "a place for each class")]
    fn count(&mut self, class: Class) {
        self.0[class as usize] += 1;
    }
}

impl From<ByClass> for ClassTally {
    #[expect(clippy::indexing_slicing, reason = "a place for each class")]
    fn from(ByClass(counts): ByClass) -> ClassTally {
        let of = |class: Class| counts[class as usize];
        ClassTally {
            internal: of(Class::Internal),
            external: of(Class::External),
            unclassified: of(Class::Unclassified),
        }
    }
}

/// Facts whose cache misses overlap.
const BATCH: usize = 64;

/// A runtime's facts, and how they are to be read.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) ledger: &'s Ledger,
    pub(crate) classifier: Classifier,
    pub(crate) policy: &'s DomainPolicy,
}

/// Groups the facts of a scope into individuals, and counts them. Reused from
/// scope to scope for the memory it holds: four bytes an email, login or key.
pub(crate) struct Census<'i> {
    identities: &'i Identities,
    fingerprinter: &'i Fingerprinter,
    /// The node of link id 0: emails come before it.
    first_link: u32,
    linking: Linking,
    /// Individuals, marked with the classes of their records; between two
    /// scopes every node is one of its own, without marks.
    set: DisjointSet,
    domains: DomainClasses,
}

impl<'i> Census<'i> {
    /// `fingerprinter` is that of domains.
    pub(crate) fn new(identities: &'i Identities, fingerprinter: &'i Fingerprinter) -> Census<'i> {
        Census {
            identities,
            fingerprinter,
            first_link: identities.email_space(),
            linking: Linking::Nothing,
            set: DisjointSet::default(),
            domains: DomainClasses::default(),
        }
    }

    /// T2 to T5 over the given runtimes taken together, and for each provider
    /// of each its counted records by class (T3), in the order of the ledgers.
    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64, of which individuals are no more")]
    pub(crate) fn take(&mut self, linking: Linking, scopes: &[Scope<'_>]) -> (People, Vec<ClassTally>) {
        let mut people = People::default();
        let mut distribution = Vec::new();
        self.group(linking, scopes, |class| people.individuals.add(class, 1), |provider| distribution.push(provider));
        self.settle(scopes, |classes, count| {
            if let Some(class) = classes.class() {
                people.individuals.add(class, count);
                people.mixed_class += u64::from(classes.is_mixed()) * count;
            }
        });
        let counted: u64 = distribution.iter().map(ClassTally::total).sum();
        people.duplicates = counted - people.individuals.total();
        (people, distribution)
    }

    /// Links the facts of a scope and gathers the classes of each group. What
    /// nothing can link is an individual at once, and given to `alone`.
    fn group(
        &mut self,
        linking: Linking,
        scopes: &[Scope<'_>],
        mut alone: impl FnMut(Class),
        mut distribution: impl FnMut(ClassTally),
    ) {
        self.linking = linking;
        self.set.extend(if linking == Linking::Nothing { 0 } else { self.nodes() });
        for scope in scopes {
            self.domains.fill(scope, self.identities, self.fingerprinter);
            for Provider { default_tenant, other_tenants, .. } in &scope.ledger.providers {
                let mut tally = ByClass::default();
                for batch in default_tenant.pieces().flat_map(|facts| facts.chunks(BATCH)) {
                    self.touch(batch);
                    for fact in batch {
                        let class = self.domains.of(fact.domain);
                        tally.count(class);
                        match self.nodes_of(fact.email, fact.link) {
                            (0, 0) => alone(class),
                            (0, node) | (node, 0) => self.set.mark(node, ClassSet::of(class).0),
                            (email, link) => self.set.union(email, link, ClassSet::of(class).0),
                        }
                    }
                }
                for domain in other_tenants.pieces().flatten() {
                    // D3.
                    let class = self.domains.of(*domain);
                    tally.count(class);
                    alone(class);
                }
                distribution(tally.into());
            }
        }
    }

    /// Gives the classes of the groups of a scope, and how many have them, each
    /// group once, and forgets them.
    fn settle(&mut self, scopes: &[Scope<'_>], mut groups: impl FnMut(ClassSet, u64)) {
        if self.linking == Linking::Nothing {
            return;
        }
        if self.is_dense(scopes) {
            return (0..).zip(self.set.drain()).for_each(|(marks, count)| groups(ClassSet(marks), count));
        }
        for fact in linkable(scopes).flatten() {
            match self.nodes_of(fact.email, fact.link) {
                (0, 0) => {}
                (0, node) | (node, _) => groups(ClassSet(self.set.take(node)), 1),
            }
        }
        for fact in linkable(scopes).flatten() {
            self.set.isolate(fact.email);
            self.set.isolate(self.link_node(fact.link));
        }
    }

    /// Whether a scope has so many facts that going through all nodes one
    /// behind the other is faster than going through its own here and there.
    fn is_dense(&self, scopes: &[Scope<'_>]) -> bool {
        let facts: usize = linkable(scopes).map(<[Fact]>::len).sum();
        facts > self.nodes() as usize / 16
    }

    /// Reads something of all that a batch will ask for, so that the processor
    /// fetches it side by side.
    #[inline]
    fn touch(&self, batch: &[Fact]) {
        if self.linking != Linking::Nothing {
            let of = |fact: &Fact| {
                let (email, link) = self.nodes_of(fact.email, fact.link);
                self.set.touch(email) ^ self.set.touch(link)
            };
            std::hint::black_box(batch.iter().fold(0, |all, fact| all ^ of(fact)));
        }
    }

    /// One node for each id of an email, a login or a key; node 0 is unused.
    fn nodes(&self) -> u32 {
        self.link_node(self.identities.link_space())
    }

    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "nodes, of which there are at most 2^31")]
    fn link_node(&self, link: u32) -> u32 {
        self.first_link + link
    }

    /// The nodes of what links a record in a default tenant, its email and its
    /// login or key; 0 for nothing (D8).
    #[inline]
    fn nodes_of(&self, email: u32, link: u32) -> (u32, u32) {
        let link = if link == 0 { 0 } else { self.link_node(link) };
        match self.linking {
            Linking::EmailOrLogin => (email, link),
            Linking::Key => (0, link),
            Linking::Nothing => (0, 0),
        }
    }

    /// Keeps the groups of a scope for look-ups instead of counting them.
    pub(crate) fn into_groups(mut self, linking: Linking, scopes: &[Scope<'_>]) -> Groups<'i> {
        self.group(linking, scopes, |_| {}, |_| {});
        Groups(self)
    }
}

/// The facts of all default tenants: what can be linked at all (D2).
fn linkable<'s>(scopes: &'s [Scope<'_>]) -> impl Iterator<Item = &'s [Fact]> {
    let providers = scopes.iter().flat_map(|scope| &scope.ledger.providers);
    providers.flat_map(|provider| provider.default_tenant.pieces())
}

/// The individuals of a scope, to be looked up by fact.
pub(crate) struct Groups<'i>(Census<'i>);

impl Groups<'_> {
    /// A number for the individual of a record in a default tenant, and its class
    /// (C6). `None` where nothing links the record, or it is not in the scope.
    pub(crate) fn find(&self, email: u32, link: u32) -> Option<(u32, Class)> {
        let (root, marks) = match self.0.nodes_of(email, link) {
            (0, 0) => return None,
            (0, node) | (node, _) => self.0.set.root(node),
        };
        ClassSet(marks).class().map(|class| (root, class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::{Fingerprint, FingerprintKey, Kind};

    /// Its memory, which no number shows.
    #[test]
    fn there_is_a_node_for_each_email_and_each_link() {
        let mut identities = Identities::new(100);
        let fingerprints = |count: u32| (1..=count).map(|number| Fingerprint([number, 0, 0, 1])).collect::<Vec<_>>();
        identities.emails.intern_all(&fingerprints(3), &mut Vec::new());
        identities.links.intern_all(&fingerprints(5), &mut Vec::new());
        let fingerprinter = FingerprintKey::public_for_tests(1).of_kind(Kind::Domain);
        let mut census = Census::new(&identities, &fingerprinter);
        // Of 64 shards, the first of which has given three and five ids.
        assert_eq!(census.nodes(), 4 * 64 + 6 * 64);
        for (linking, nodes) in [
            (Linking::Nothing, [(0, 0), (0, 0)]),
            (Linking::Key, [(0, 4 * 64 + 5 * 64), (0, 0)]),
            (Linking::EmailOrLogin, [(3 * 64, 4 * 64 + 5 * 64), (3 * 64, 0)]),
        ] {
            census.linking = linking;
            assert_eq!([5 * 64, 0].map(|link| census.nodes_of(3 * 64, link)), nodes);
        }
    }

    #[test]
    fn a_tally_of_anyones_making_has_a_total() {
        let tally = |external| ClassTally { internal: u64::MAX - 5, external, unclassified: 2 };
        assert_eq!([3, 4].map(|external| tally(external).total()), [u64::MAX; 2]);
        assert_eq!(tally(2).total(), u64::MAX - 1);
    }

    #[test]
    fn c6_internal_before_external_before_unclassified() {
        use Class::{External, Internal, Unclassified};
        let set = |classes: &[Class]| ClassSet(classes.iter().fold(0, |set, class| set | ClassSet::of(*class).0));
        for (classes, class, mixed) in [
            (&[][..], None, false),
            (&[Internal], Some(Internal), false),
            (&[External, External], Some(External), false),
            (&[Unclassified], Some(Unclassified), false),
            (&[External, Internal], Some(Internal), true),
            (&[Unclassified, External], Some(External), true),
            (&[Unclassified, Internal], Some(Internal), true),
            (&[Unclassified, External, Internal], Some(Internal), true),
        ] {
            assert_eq!((set(classes).class(), set(classes).is_mixed()), (class, mixed), "C6 {classes:?}");
        }
    }
}
