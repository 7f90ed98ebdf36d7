//! The distinct words of an index, sorted, so that a beginning is a range of numbers.

use std::ops::Range;

/// Words for which the first one's beginning is kept apart: so many are compared within few lines of cache.
const STEP: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Dictionary {
    letters: String,
    ends: Vec<u32>,
    /// Of every sixteenth word the first eight bytes, which sort as the words do.
    heads: Vec<u64>,
}

impl Dictionary {
    /// Takes distinct words, sorted.
    pub(super) fn new(words: &[impl AsRef<str>]) -> Self {
        let words = || words.iter().map(AsRef::as_ref);
        let mut dictionary = Self { ends: Vec::with_capacity(words().len()), ..Self::default() };
        dictionary.letters.reserve_exact(words().map(str::len).sum());
        for word in words() {
            dictionary.letters.push_str(word);
            dictionary.ends.push(dictionary.letters.len() as u32);
        }
        dictionary.heads = words().step_by(STEP).map(head).collect();
        dictionary
    }

    pub(super) fn word(&self, id: u32) -> &str {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.letters[start as usize..self.ends[id] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..self.ends.len() as u32).map(|id| (id, self.word(id)))
    }

    /// The words that begin with `start`; if `start` is a word itself, it comes first.
    pub(super) fn beginning_with(&self, start: &str) -> Range<u32> {
        let head = head(start);
        // bytes behind the beginning may be anything
        let last = head | u64::MAX.checked_shr(8 * start.len() as u32).unwrap_or(0);
        let from = self.partition(|other| other < head, |word| word < start);
        let to = self.partition(|other| other <= last, |word| word < start || word.starts_with(start));
        from..to
    }

    /// How many words are `before` something; `heads_before` may say so only of words that are.
    fn partition(&self, heads_before: impl Fn(u64) -> bool, before: impl Fn(&str) -> bool) -> u32 {
        let step = self.heads.partition_point(|head| heads_before(*head));
        let (mut low, mut high) = (step.saturating_sub(1) * STEP, (step * STEP).min(self.len()));
        // words whose first eight bytes are the same
        while high < self.len() && before(self.word(high as u32)) {
            (low, high) = (high, (high + STEP).min(self.len()));
        }
        while low > 0 && !before(self.word(low as u32)) {
            (low, high) = (low.saturating_sub(STEP), low);
        }
        while low < high {
            let middle = low.midpoint(high);
            if before(self.word(middle as u32)) { low = middle + 1 } else { high = middle }
        }
        low as u32
    }

    pub(super) fn bytes(&self) -> usize {
        self.letters.capacity() + self.ends.capacity() * size_of::<u32>() + self.heads.capacity() * size_of::<u64>()
    }
}

fn head(word: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = word.len().min(8);
    bytes[..length].copy_from_slice(&word.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_beginning_is_a_range_that_opens_with_the_word_itself() {
        let dictionary = Dictionary::new(&["ada", "adam", "adams", "bo"]);
        assert_eq!(dictionary.beginning_with("adam"), 1..3);
        assert_eq!(dictionary.beginning_with("b"), 3..4);
        assert_eq!(dictionary.beginning_with("c"), 4..4);
        assert_eq!(Dictionary::default().beginning_with("a"), 0..0);
    }

    proptest! {
        #[test]
        fn a_beginning_is_found_among_many_words(
            words in prop::collection::btree_set("(abcdabc|abcdabcd|я)?[abя]{0,5}", 0..200),
            start in "(abcdabc|abcdabcd|я)?[abя]{0,4}",
        ) {
            let words: Vec<String> = words.into_iter().collect();
            let range = Dictionary::new(&words).beginning_with(&start);
            let found: Vec<&String> = words.iter().filter(|word| word.starts_with(&start)).collect();
            prop_assert_eq!(words[range.start as usize..range.end as usize].iter().collect::<Vec<_>>(), found);
        }
    }
}
