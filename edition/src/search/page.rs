//! The best documents so far.

use super::{How, Rank};

/// What speaks for a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) points: u32,
    pub(super) text: u32,
    pub(super) word: u32,
    pub(super) how: How,
}

/// At most so many documents, the best first, each once. Ranks stand apart from what speaks for them, as numbers
/// of which the greatest is the best, for they are what is compared again and again.
pub(super) struct Page {
    limit: usize,
    keys: Vec<u64>,
    found: Vec<Found>,
}

fn key(rank: Rank) -> u64 {
    u64::from(rank.score) << 32 | u64::from(!rank.doc)
}

fn rank(key: u64) -> Rank {
    Rank { score: (key >> 32) as u32, doc: !(key as u32) }
}

impl Page {
    pub(super) fn new(limit: usize) -> Self {
        let usual = limit.min(256);
        Self { limit, keys: Vec::with_capacity(usual), found: Vec::with_capacity(usual) }
    }

    pub(super) fn is_full(&self) -> bool {
        self.keys.len() == self.limit
    }

    /// The rank that another must be better than.
    pub(super) fn worst(&self) -> Option<Rank> {
        self.keys.last().filter(|_| self.is_full()).copied().map(rank)
    }

    /// Whether a document of this rank could stand here and does not, with this rank or a better one.
    pub(super) fn wants(&self, rank: Rank) -> bool {
        let key = key(rank);
        let fits = !self.is_full() || self.keys.last().is_some_and(|worst| key > *worst);
        fits && !self.keys.iter().any(|other| *other as u32 == key as u32 && *other >= key)
    }

    /// Puts a document that is wanted in its place.
    pub(super) fn insert(&mut self, rank: Rank, found: Found) {
        let key = key(rank);
        if let Some(worse) = self.keys.iter().position(|other| *other as u32 == key as u32) {
            self.keys.remove(worse);
            self.found.remove(worse);
        } else if self.is_full() {
            self.keys.pop();
            self.found.pop();
        }
        let at = self.keys.partition_point(|other| *other > key);
        self.keys.insert(at, key);
        self.found.insert(at, found);
    }

    pub(super) fn into_list(self) -> impl Iterator<Item = (Rank, Found)> {
        self.keys.into_iter().map(rank).zip(self.found)
    }
}
