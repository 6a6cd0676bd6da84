//! Union-find over dense `u32` elements, with a few marks on each set.
//!
//! The smaller root always wins, so the representative of a set is its
//! smallest element, whatever the order of the unions. Four bytes an element:
//! the word of a root needs no parent, so it holds the marks of its set. `find`
//! halves paths as it goes and never recurses.

#![allow(clippy::indexing_slicing)] // `extend` makes room for elements; there are nine counters.

/// In the word of a root: the other bits are the marks of its set. In the word
/// of any other element they are its parent.
const ROOT: u32 = 1 << 31;

/// Disjoint sets over the elements below the length last given to `extend`,
/// which is at most 2^31. Marks are bits below the highest.
#[derive(Default)]
pub(crate) struct DisjointSet {
    words: Vec<u32>,
}

impl DisjointSet {
    /// Makes room for every element below `len`; those that are new are sets of
    /// their own, without marks.
    pub(crate) fn extend(&mut self, len: u32) {
        self.words.resize((len as usize).max(self.words.len()), ROOT);
    }

    /// Makes one element a set of its own, where all others of its set are made
    /// so too.
    #[inline]
    pub(crate) fn isolate(&mut self, element: u32) {
        self.words[element as usize] = ROOT;
    }

    /// Reads something of an element, so that it is in the cache when its turn
    /// comes.
    #[inline]
    pub(crate) fn touch(&self, element: u32) -> u32 {
        self.words[element as usize]
    }

    /// The smallest element of the set that `element` is in.
    #[inline]
    fn find(&mut self, mut element: u32) -> u32 {
        loop {
            let parent = self.words[element as usize];
            if parent >= ROOT {
                return element;
            }
            let grandparent = self.words[parent as usize];
            if grandparent >= ROOT {
                return parent;
            }
            self.words[element as usize] = grandparent;
            element = grandparent;
        }
    }

    /// The smallest element of the set that `element` is in, and its marks.
    /// Does not shorten the path.
    pub(crate) fn root(&self, mut element: u32) -> (u32, u32) {
        loop {
            let word = self.words[element as usize];
            if word >= ROOT {
                return (element, word & !ROOT);
            }
            element = word;
        }
    }

    /// Adds marks to the set of an element.
    #[inline]
    pub(crate) fn mark(&mut self, element: u32, marks: u32) {
        let root = self.find(element);
        self.words[root as usize] |= marks;
    }

    /// Joins the sets of two elements and their marks, and adds more marks.
    #[inline]
    pub(crate) fn union(&mut self, a: u32, b: u32, marks: u32) {
        let (a, b) = (self.find(a), self.find(b));
        let mut marks = marks;
        if a != b {
            marks |= self.words[a.max(b) as usize];
            self.words[a.max(b) as usize] = a.min(b);
        }
        self.words[a.min(b) as usize] |= marks;
    }

    /// The marks of the set of an element, which are taken off.
    pub(crate) fn take(&mut self, element: u32) -> u32 {
        let root = self.find(element);
        std::mem::replace(&mut self.words[root as usize], ROOT) & !ROOT
    }

    /// How many sets have each combination of the three lowest marks, no others
    /// being in use. Makes every element a set of its own, without marks.
    #[expect(clippy::arithmetic_side_effects, reason = "elements, of which there are at most 2^31")]
    pub(crate) fn drain(&mut self) -> [u64; 8] {
        // Two lots of counters, or each step would wait for the one before. The
        // last place of each is for elements that stand for no set.
        let mut counts = [[0; 9]; 2];
        for pair in self.words.chunks_mut(2) {
            for (word, counts) in pair.iter_mut().zip(&mut counts) {
                counts[word.wrapping_sub(ROOT).min(8) as usize] += 1;
                *word = ROOT;
            }
        }
        std::array::from_fn(|marks| counts[0][marks] + counts[1][marks])
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
            set.extend(LEN);
            for link in order {
                set.union(link - 1, link, 1 << (link % 3));
            }
            for element in 0..LEN {
                assert_eq!((set.root(element), set.find(element)), ((0, 7), 0));
            }
            assert_eq!(set.drain(), [0, 0, 0, 0, 0, 0, 0, 1]);
        }
    }

    #[test]
    fn elements_without_a_union_stay_apart() {
        let mut set = DisjointSet::default();
        set.extend(4);
        set.mark(0, 1);
        set.mark(3, 4);
        set.union(3, 1, 2);
        assert_eq!([0, 1, 2, 3].map(|e| set.root(e)), [(0, 1), (1, 6), (2, 0), (1, 6)]);
        assert_eq!([set.take(3), set.take(1), set.take(0)], [6, 0, 1]);
    }

    #[test]
    fn draining_counts_every_set_once_and_forgets_it() {
        let mut set = DisjointSet::default();
        set.extend(5);
        set.union(0, 2, 1);
        set.union(3, 4, 5);
        assert_eq!(set.drain(), [1, 1, 0, 0, 0, 1, 0, 0]);
        assert_eq!([0, 1, 2, 3, 4].map(|e| set.root(e)), [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]);
        set.union(0, 2, 1);
        set.isolate(0);
        set.isolate(2);
        set.extend(6);
        assert_eq!(set.drain(), [6, 0, 0, 0, 0, 0, 0, 0]);
    }
}
