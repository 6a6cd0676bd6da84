//! Union-find over dense `u32` elements.
//!
//! The smaller root always wins, so the representative of a set is its
//! smallest element, whatever the order of the unions. Four bytes an element;
//! `find` halves paths as it goes and never recurses.

#![allow(clippy::indexing_slicing)] // `reset` and `extend` make room for elements.

/// Disjoint sets over the elements below the length last given to `reset`.
#[derive(Default)]
pub(crate) struct DisjointSet {
    parent: Vec<u32>,
}

impl DisjointSet {
    /// Makes every element below `len` a set of its own.
    pub(crate) fn reset(&mut self, len: u32) {
        self.parent.clear();
        self.parent.extend(0..len);
    }

    /// Makes room for every element below `len`; those that are new are sets of
    /// their own.
    pub(crate) fn extend(&mut self, len: u32) {
        let have = u32::try_from(self.parent.len()).unwrap_or(u32::MAX);
        self.parent.extend(have..len);
    }

    /// Makes one element a set of its own, where all others of its set are made
    /// so too.
    #[inline]
    pub(crate) fn isolate(&mut self, element: u32) {
        self.parent[element as usize] = element;
    }

    /// What stands for an element now, on the way to its set's smallest one.
    #[inline]
    pub(crate) fn parent(&self, element: u32) -> u32 {
        self.parent[element as usize]
    }

    /// The smallest element of the set that `element` is in.
    pub(crate) fn find(&mut self, mut element: u32) -> u32 {
        loop {
            let parent = self.parent[element as usize];
            let grandparent = self.parent[parent as usize];
            if parent == grandparent {
                return parent;
            }
            self.parent[element as usize] = grandparent;
            element = grandparent;
        }
    }

    /// The same as `find`, without shortening the path.
    pub(crate) fn root(&self, mut element: u32) -> u32 {
        loop {
            let parent = self.parent[element as usize];
            if parent == element {
                return element;
            }
            element = parent;
        }
    }

    /// Joins the sets of two elements.
    pub(crate) fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_set_in_any_order_of_unions() {
        const LEN: u32 = 1_000;
        let forward: Vec<u32> = (1..LEN).collect();
        let backward: Vec<u32> = forward.iter().rev().copied().collect();
        let odd_first: Vec<u32> = (1..LEN).step_by(2).chain((2..LEN).step_by(2)).collect();
        for order in [forward, backward, odd_first] {
            let mut set = DisjointSet::default();
            set.reset(LEN);
            for link in order {
                set.union(link - 1, link);
            }
            for element in 0..LEN {
                assert_eq!((set.root(element), set.find(element)), (0, 0));
            }
        }
    }

    #[test]
    fn elements_without_a_union_stay_apart() {
        let mut set = DisjointSet::default();
        set.reset(4);
        set.union(3, 1);
        assert_eq!([0, 1, 2, 3].map(|e| set.find(e)), [0, 1, 2, 1]);
    }

    #[test]
    fn reset_forgets_every_union() {
        let mut set = DisjointSet::default();
        set.reset(3);
        set.union(0, 2);
        set.reset(3);
        assert_eq!([0, 1, 2].map(|e| set.find(e)), [0, 1, 2]);
    }
}
