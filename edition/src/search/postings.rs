//! Which texts have a word, packed so that a page is found without looking at them all.

use std::cmp::Reverse;
use std::ops::Range;

use domain::Language;

use super::texts::{Text, Texts};
use super::{MOST_DOCS, points};

/// Postings for which one best is noted; and of these, the blocks for which one best is.
const BLOCK: usize = 64;

/// A text that has a word. From the highest bit: whether the word is all of the text, the text's weight with what
/// its first word adds, its first document inverted (so that of two postings the better is the greater), whether
/// other documents have it, too, its language, its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Posting(u64);

const ALONE: u64 = 1 << 63;
const RANK: u32 = 31;
const DOC_BITS: u32 = 23;
const DOC: u32 = MOST_DOCS - 1;
const SHARED: u64 = 1 << 30;
const LANGUAGE: u32 = 27;
const NO_LANGUAGE: u64 = 7;
const TEXT: u64 = (1 << LANGUAGE) - 1;

impl Posting {
    /// `letters` are the word's, `holders` the documents that have the text.
    pub(super) fn new(number: u32, text: &Text, holders: &[u32], word: u32, letters: u16) -> Self {
        let first = if text.first == word { points::FIRST } else { 0 };
        let alone = if text.letters == letters && text.field != super::Field::Body { ALONE } else { 0 };
        let rank = (u32::from(text.weight) + first) << DOC_BITS | !holders[0] & DOC;
        let shared = if holders.len() > 1 { SHARED } else { 0 };
        let language = text.language.map_or(NO_LANGUAGE, |language| language as u64);
        Self(alone | u64::from(rank) << RANK | shared | language << LANGUAGE | u64::from(number))
    }

    pub(super) fn text(self) -> u32 {
        (self.0 & TEXT) as u32
    }

    /// The first document that has the text.
    pub(super) fn doc(self) -> u32 {
        !((self.0 >> RANK) as u32) & DOC
    }

    pub(super) fn is_alone(self) -> bool {
        self.0 & ALONE != 0
    }

    pub(super) fn is_shared(self) -> bool {
        self.0 & SHARED != 0
    }

    /// Weight, then first document, as a reader of this language ranks them; 0 is below every rank.
    pub(super) fn rank(self, reader: Language) -> u32 {
        let language = self.0 >> LANGUAGE & NO_LANGUAGE;
        let foreign = u32::from(language != NO_LANGUAGE && language != reader as u64) * points::FOREIGN;
        (self.0 >> RANK) as u32 - (foreign << DOC_BITS)
    }
}

/// The rank of this weight and document.
pub(super) fn rank(weight: u32, doc: u32) -> u32 {
    match weight >> (u32::BITS - DOC_BITS) {
        0 => weight << DOC_BITS | !doc & DOC,
        _ => u32::MAX,
    }
}

/// The rank that a posting of `rank` has for another of its documents.
pub(super) fn rank_of(rank: u32, doc: u32) -> u32 {
    rank & !DOC | !doc & DOC
}

pub(super) fn weight(rank: u32) -> u32 {
    rank >> DOC_BITS
}

/// All postings of an index, word after word, each word's best first.
#[derive(Debug, Default)]
pub(super) struct Postings {
    list: Vec<Posting>,
    /// By word: where its postings begin.
    starts: Vec<u32>,
    /// By word: how many documents all words before it have.
    docs: Vec<u32>,
    /// By reader's language and block: the greatest rank.
    peaks: [Vec<u32>; 6],
    /// By reader's language and block of blocks.
    summits: [Vec<u32>; 6],
}

impl Postings {
    /// `letters` are those of each word.
    pub(super) fn new(texts: &Texts, letters: &[u16]) -> Self {
        let mut starts = vec![0u32; letters.len() + 1];
        let mut docs = starts.clone();
        let texts_with_words =
            || (0u32..).zip(&texts.list).map(|(number, text)| (number, text, texts.words.get(number)));
        for (number, _, words) in texts_with_words() {
            let holders = texts.holders.get(number).len() as u32;
            for word in words {
                starts[*word as usize + 1] += 1;
                docs[*word as usize + 1] += holders;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
            docs[at] = docs[at].saturating_add(docs[at - 1]);
        }
        let mut list = vec![Posting::default(); texts.words.items()];
        let mut next = starts.clone();
        for (number, text, words) in texts_with_words() {
            let holders = texts.holders.get(number);
            for word in words {
                let at = &mut next[*word as usize];
                list[*at as usize] = Posting::new(number, text, holders, *word, letters[*word as usize]);
                *at += 1;
            }
        }
        for word in starts.windows(2) {
            list[word[0] as usize..word[1] as usize].sort_unstable_by_key(|posting| Reverse(*posting));
        }
        let greatest = |reader| list.chunks(BLOCK).map(move |block| highest(block, reader));
        let peaks = Language::ALL.map(|reader| greatest(reader).collect::<Vec<u32>>());
        let summits = peaks.each_ref().map(|peaks| {
            peaks.chunks(BLOCK).map(|block| block.iter().copied().max().unwrap_or(0)).collect::<Vec<u32>>()
        });
        Self { list, starts, docs, peaks, summits }
    }

    pub(super) fn of(&self, words: Range<u32>) -> Range<usize> {
        self.starts[words.start as usize] as usize..self.starts[words.end as usize] as usize
    }

    /// How many documents have the words, those that have several counted for each.
    pub(super) fn docs(&self, words: Range<u32>) -> usize {
        (self.docs[words.end as usize] - self.docs[words.start as usize]) as usize
    }

    pub(super) fn list(&self, range: Range<usize>) -> &[Posting] {
        &self.list[range]
    }

    /// The word of a posting.
    pub(super) fn word(&self, posting: usize) -> u32 {
        self.starts.partition_point(|start| *start as usize <= posting) as u32 - 1
    }

    /// The range block by block, without the blocks in which no rank is above `floor`.
    pub(super) fn next_block(&self, range: &mut Range<usize>, reader: Language, floor: u32) -> Option<Range<usize>> {
        const SUMMIT: usize = BLOCK * BLOCK;
        let (peaks, summits) = (&self.peaks[reader as usize], &self.summits[reader as usize]);
        while range.start < range.end {
            if range.start.is_multiple_of(SUMMIT) && summits[range.start / SUMMIT] <= floor {
                range.start += SUMMIT;
                continue;
            }
            let block = range.start / BLOCK;
            let own = range.start..((block + 1) * BLOCK).min(range.end);
            range.start = own.end;
            if peaks[block] > floor {
                return Some(own);
            }
        }
        None
    }

    /// The greatest weight in the range.
    pub(super) fn peak(&self, mut range: Range<usize>, reader: Language) -> u32 {
        let mut peak = 0;
        while let Some(block) = self.next_block(&mut range, reader, peak) {
            peak = highest(&self.list[block], reader).max(peak);
        }
        weight(peak)
    }

    pub(super) fn bytes(&self) -> usize {
        let blocks: usize = self.peaks.iter().chain(&self.summits).map(Vec::capacity).sum();
        self.list.capacity() * size_of::<Posting>()
            + (self.starts.capacity() + self.docs.capacity() + blocks) * size_of::<u32>()
    }
}

fn highest(block: &[Posting], reader: Language) -> u32 {
    block.iter().map(|posting| posting.rank(reader)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Field;

    fn text(language: Option<Language>, weight: u16) -> Text {
        Text { original: 0, first: 7, weight, letters: 6, field: Field::Name, language }
    }

    #[test]
    fn a_posting_ranks_by_weight_for_the_reader_then_by_document() {
        let french = Posting::new(0, &text(Some(Language::Fr), 200), &[3], 9, 4);
        let any = Posting::new(1, &text(None, 195), &[4], 9, 4);
        assert!(french.rank(Language::Fr) > any.rank(Language::Fr));
        assert!(french.rank(Language::Ru) < any.rank(Language::Ru));
        assert!(any.rank(Language::Ru) > Posting::new(2, &text(None, 195), &[5], 9, 4).rank(Language::Ru));
        assert!(Posting::new(0, &text(None, 1), &[3], 7, 4) > Posting::new(0, &text(None, 2), &[3], 9, 4));
        assert!(Posting::new(0, &text(None, 1), &[3], 9, 6) > french);
    }

    #[test]
    fn a_posting_says_what_it_was_made_from() {
        let posting = Posting::new(TEXT as u32, &text(Some(Language::Zh), 263), &[DOC, DOC + 1], 7, 6);
        assert_eq!((posting.text(), posting.doc()), (TEXT as u32, DOC));
        assert!(posting.is_alone() && posting.is_shared());
        assert_eq!(posting.rank(Language::Zh), rank(263 + points::FIRST, DOC));
        assert_eq!(posting.rank(Language::En), rank(263 + points::FIRST - points::FOREIGN, DOC));
        assert_eq!(rank_of(posting.rank(Language::Zh), 5), rank(263 + points::FIRST, 5));
    }

    #[test]
    fn blocks_without_a_rank_above_the_floor_are_left_out_near_and_far() {
        const COUNT: u32 = 5 * (BLOCK * BLOCK) as u32 + 70;
        let high = [3, 64, 4_100, 9_000, 4 * 4_096, COUNT - 1];
        let mut texts = Texts::default();
        for number in 0..COUNT {
            let weight = if high.contains(&number) { 250 } else { 20 };
            texts.list.push(Text { first: u32::MAX, ..text(None, weight) });
            for lists in [&mut texts.words, &mut texts.holders] {
                lists.add(number); // one word each: so postings stand in the order of texts
                lists.close();
            }
        }
        let postings = Postings::new(&texts, &vec![4; COUNT as usize]);
        let blocks = |mut range: Range<usize>, floor| {
            let mut blocks = Vec::new();
            while let Some(block) = postings.next_block(&mut range, Language::En, floor) {
                blocks.push(block);
            }
            blocks
        };
        let (all, last) = (COUNT as usize, COUNT as usize / BLOCK * BLOCK);
        let found = blocks(0..all, rank(100, 0));
        assert_eq!(found, [0..64, 64..128, 4_096..4_160, 8_960..9_024, 16_384..16_448, last..all]);
        assert_eq!(blocks(70..9_001, rank(100, 0)), [70..128, 4_096..4_160, 8_960..9_001]);
        assert_eq!(blocks(0..all, rank(251, 0)), [0..0; 0]);
        assert_eq!(blocks(0..all, 0).len(), all.div_ceil(BLOCK));
        assert_eq!(postings.peak(0..all, Language::En), 250);
        assert_eq!(postings.peak(5..60, Language::En), 20);
        assert_eq!(postings.docs(0..COUNT), all);
        assert_eq!(postings.word(all - 1), COUNT - 1);
    }
}
