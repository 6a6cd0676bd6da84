//! The facts of one runtime: what was excluded, and every counted record by
//! user provider and tenant (R3, R4, T1).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::eligibility::Exclusion;
use crate::identities::Fact;

/// What one runtime's records left behind.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) excluded: [u64; Exclusion::ALL.len()],
    pub(crate) providers: Vec<Provider>,
    /// Places in `providers`, by matching form.
    places: BTreeMap<Arc<str>, usize>,
}

/// One user provider of a runtime.
pub(crate) struct Provider {
    /// The name in matching form (N2).
    pub(crate) form: Arc<str>,
    /// The name as the first counted record spells it.
    pub(crate) spelling: Arc<str>,
    /// Counted records in the default tenant.
    pub(crate) default_tenant: Pieces<Fact>,
    /// The domain ids of counted records in other tenants, each of which is an
    /// individual (D3).
    pub(crate) other_tenants: Pieces<u32>,
}

/// Facts in the order they came, in pieces that never move: a vector that
/// doubles would hold up to twice as many, and three times while it grows.
pub(crate) struct Pieces<T>(Vec<Vec<T>>);

impl<T> Default for Pieces<T> {
    fn default() -> Pieces<T> {
        Pieces(Vec::new())
    }
}

impl<T> Pieces<T> {
    /// Facts of a piece, once there are so many.
    const PIECE: usize = 16_384;

    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "at most twice a piece")]
    pub(crate) fn push(&mut self, fact: T) {
        match self.0.last_mut() {
            Some(piece) if piece.len() < piece.capacity() => piece.push(fact),
            last => {
                let len = last.map_or(2, |piece| (piece.len() * 2).min(Self::PIECE));
                let mut piece = Vec::with_capacity(len);
                piece.push(fact);
                self.0.push(piece);
            }
        }
    }

    pub(crate) fn extend(&mut self, facts: impl Iterator<Item = T>) {
        facts.for_each(|fact| self.push(fact));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// All facts, piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[T]> {
        self.0.iter().map(Vec::as_slice)
    }
}

impl Ledger {
    /// T1: takes note of an excluded record.
    #[expect(clippy::arithmetic_side_effects, reason = "records, fewer than 2^64")]
    pub(crate) fn exclude(&mut self, reason: Exclusion) {
        if let Some(count) = self.excluded.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// The place of a provider by its matching form; the first time it is
    /// opened under the given spelling.
    pub(crate) fn open(&mut self, form: &Arc<str>, spelling: impl FnOnce() -> Arc<str>) -> usize {
        if let Some(place) = self.places.get(form) {
            return *place;
        }
        let place = self.providers.len();
        self.places.insert(Arc::clone(form), place);
        self.providers.push(Provider {
            form: Arc::clone(form),
            spelling: spelling(),
            default_tenant: Pieces::default(),
            other_tenants: Pieces::default(),
        });
        place
    }

    /// The providers with counted records and their places, sorted by matching
    /// form (N2).
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (usize, &Provider)> {
        self.places.values().filter_map(|place| Some((*place, self.providers.get(*place)?)))
    }

    /// The provider at a place, to take in a counted record (T1).
    #[inline]
    pub(crate) fn provider(&mut self, place: usize) -> Option<&mut Provider> {
        self.providers.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The memory that facts take, which no number shows.
    #[test]
    fn facts_lie_in_pieces_that_double_up_to_a_length() {
        let mut facts = Pieces::default();
        facts.extend(0_u32..100_000);
        let mut len = 2;
        for (place, piece) in facts.0.iter().enumerate() {
            assert_eq!(piece.capacity(), len);
            assert!(piece.len() == len || place + 1 == facts.0.len());
            len = (len * 2).min(Pieces::<u32>::PIECE);
        }
        assert!(facts.pieces().flatten().copied().eq(0..100_000));
    }
}
