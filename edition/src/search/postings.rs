//! Which documents have a word, packed so that a page is found without looking at them all.

use std::cmp::Reverse;
use std::ops::Range;

use domain::Language;

use super::{Field, Text, points};

/// Postings for which one best is noted.
pub(super) const BLOCK: usize = 64;

/// A document that has a word: whether the word is all of a text there, the greatest weight (for whom the text
/// is not foreign), and the document inverted, so that of two postings the better is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Posting(u64);

const ALONE: u64 = 1 << 63;
const WEIGHT: u32 = 40;
const DOC: u32 = 8;
const READERS: u64 = 0b11_1111;

impl Posting {
    /// `letters` are the word's.
    pub(super) fn new(doc: u32, text: &Text, word: u32, letters: u16) -> Self {
        let first = if text.first == word { points::FIRST } else { 0 };
        let alone = if text.letters == letters && text.field != Field::Body { ALONE } else { 0 };
        let readers = text.language.map_or(READERS, |language| 1 << language as u32);
        Self(alone | u64::from(text.weight + first) << WEIGHT | u64::from(!doc) << DOC | readers)
    }

    pub(super) fn doc(self) -> u32 {
        !((self.0 >> DOC) as u32)
    }

    pub(super) fn is_alone(self) -> bool {
        self.0 & ALONE != 0
    }

    /// Takes in another text of the same document: the upper bound of both.
    pub(super) fn merge(&mut self, other: Self) {
        let readers = (self.0 | other.0) & READERS;
        let alone = (self.0 | other.0) & ALONE;
        let weight = (self.0 & !ALONE).max(other.0 & !ALONE) & !READERS;
        self.0 = alone | weight | readers;
    }

    /// Weight at most, then document, as a reader of this language ranks them; 0 is below every rank.
    pub(super) fn rank(self, reader: Language) -> u64 {
        let foreign = u64::from(self.0 >> (reader as u32) & 1 == 0) * u64::from(points::FOREIGN);
        ((self.0 & !ALONE) >> DOC) - (foreign << 32)
    }
}

/// All postings of an index, word after word, each word's best first.
#[derive(Debug, Default)]
pub(super) struct Postings {
    list: Vec<Posting>,
    /// By word: where its postings begin.
    starts: Vec<u32>,
    /// By block: the greatest rank, by reader's language.
    peaks: Vec<[u64; 6]>,
}

impl Postings {
    /// Takes the postings with their words, document after document; no word is without.
    pub(super) fn new(mut all: Vec<(u32, Posting)>) -> Self {
        all.sort_by_key(|(word, _)| *word); // stable: documents stay together
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0 && next.1.doc() == kept.1.doc();
            if same {
                kept.1.merge(next.1);
            }
            same
        });
        all.sort_unstable_by_key(|(word, posting)| (*word, Reverse(*posting)));
        let mut postings = Self::default();
        for (word, posting) in all {
            if postings.starts.len() <= word as usize {
                postings.starts.push(postings.list.len() as u32);
            }
            postings.list.push(posting);
        }
        postings.starts.push(postings.list.len() as u32);
        postings.starts.shrink_to_fit();
        postings.list.shrink_to_fit();
        let peak = |block: &[Posting], reader| block.iter().map(|p| p.rank(reader)).max().unwrap_or(0);
        let peaks = postings.list.chunks(BLOCK).map(|block| Language::ALL.map(|reader| peak(block, reader)));
        postings.peaks = peaks.collect();
        postings
    }

    pub(super) fn of(&self, words: Range<u32>) -> Range<usize> {
        self.starts[words.start as usize] as usize..self.starts[words.end as usize] as usize
    }

    pub(super) fn list(&self, range: Range<usize>) -> &[Posting] {
        &self.list[range]
    }

    /// The range block by block, without the blocks in which no rank is above `floor`.
    pub(super) fn next_block(&self, range: &mut Range<usize>, reader: Language, floor: u64) -> Option<&[Posting]> {
        while range.start < range.end {
            let block = range.start / BLOCK;
            let end = ((block + 1) * BLOCK).min(range.end);
            let own = range.start..end;
            range.start = end;
            if self.peaks[block][reader as usize] > floor {
                return Some(&self.list[own]);
            }
        }
        None
    }

    /// The greatest weight in the range.
    pub(super) fn peak(&self, mut range: Range<usize>, reader: Language) -> u32 {
        let mut peak = 0;
        while let Some(block) = self.next_block(&mut range, reader, peak) {
            peak = block.iter().map(|p| p.rank(reader)).max().unwrap_or(0).max(peak);
        }
        (peak >> 32) as u32
    }

    pub(super) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Posting>()
            + self.starts.capacity() * size_of::<u32>()
            + self.peaks.capacity() * size_of::<[u64; 6]>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(language: Option<Language>, weight: u32) -> Text {
        Text { words: 0, original: 0, first: 7, weight, letters: 6, field: Field::Name, language }
    }

    #[test]
    fn a_posting_ranks_by_weight_for_the_reader_then_by_document() {
        let french = Posting::new(3, &text(Some(Language::Fr), 200), 9, 4);
        let any = Posting::new(4, &text(None, 195), 9, 4);
        assert!(french.rank(Language::Fr) > any.rank(Language::Fr));
        assert!(french.rank(Language::Ru) < any.rank(Language::Ru));
        assert!(any.rank(Language::Ru) > Posting::new(5, &text(None, 195), 9, 4).rank(Language::Ru));
        assert_eq!((french.doc(), french.is_alone()), (3, false));
    }

    #[test]
    fn a_merged_posting_is_a_bound_of_both() {
        let mut both = Posting::new(3, &text(Some(Language::Fr), 200), 9, 4);
        both.merge(Posting::new(3, &text(Some(Language::Ru), 100), 7, 6));
        assert!(both.is_alone());
        assert_eq!(both.rank(Language::Ru) >> 32, 200);
        assert_eq!(both.rank(Language::Fr) >> 32, 200);
        assert_eq!(both.rank(Language::Es) >> 32, 190);
        assert_eq!(both.doc(), 3);
    }
}
