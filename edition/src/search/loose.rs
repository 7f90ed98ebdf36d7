//! Answers a query to which nothing was found by freer readings of it.

use std::collections::HashMap;

use super::page::Found;
use super::query::Query;
use super::scan::Scan;
use super::{How, Rank, points};

/// From how many letters on words are corrected here.
const SHORTEST: usize = 2;

impl<A: Fn(u32) -> bool> Scan<'_, A> {
    /// Few queries come here, so each hit is weighed in full.
    pub(super) fn scan_loosely(&mut self, query: &Query) {
        let mut all: HashMap<u32, Found> = HashMap::new();
        for loose in query.loose_readings() {
            let mut words = self.look_up(query, &loose.words);
            if loose.misspelt {
                for (word, asked) in words.iter_mut().zip(&loose.words) {
                    let near = self.near(query, asked, SHORTEST);
                    word.set_near(near, &self.index.dictionary);
                }
            }
            let size = |word: &&super::score::Word| word.docs(points::LOOSE, &self.index.postings);
            let Some(rarest) = words.iter().min_by_key(size) else { continue };
            for sought in rarest.sought(points::LOOSE) {
                for posting in self.index.postings.list(self.index.postings.of(sought.words)) {
                    for &doc in self.index.texts.holders.get(posting.text()) {
                        if !(self.admit)(doc) {
                            continue;
                        }
                        let Some(found) = self.judge.score(doc, &words, true) else { continue };
                        let best = all.entry(doc).or_insert(found);
                        if found.points > best.points {
                            *best = found;
                        }
                    }
                }
            }
        }
        for (doc, found) in all {
            let rank = Rank { score: points::base(points::LOOSE) + found.points, doc };
            if self.after.is_none_or(|after| rank > after) && self.page.wants(rank) {
                self.page.insert(rank, Found { how: How::Loose, ..found });
            }
        }
    }
}
