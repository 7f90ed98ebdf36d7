//! The distinct words of an index, sorted, so that a beginning is a range of numbers.

use std::ops::Range;

#[derive(Debug, Default)]
pub(super) struct Dictionary {
    letters: String,
    ends: Vec<u32>,
}

impl Dictionary {
    /// Takes distinct words, sorted.
    pub(super) fn new(words: Vec<String>) -> Self {
        let mut dictionary = Self { letters: String::new(), ends: Vec::with_capacity(words.len()) };
        dictionary.letters.reserve_exact(words.iter().map(String::len).sum());
        for word in words {
            dictionary.letters.push_str(&word);
            dictionary.ends.push(dictionary.letters.len() as u32);
        }
        dictionary
    }

    pub(super) fn word(&self, id: u32) -> &str {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.letters[start as usize..self.ends[id] as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..self.ends.len() as u32).map(|id| (id, self.word(id)))
    }

    /// The words that begin with `start`; if `start` is a word itself, it comes first.
    pub(super) fn beginning_with(&self, start: &str) -> Range<u32> {
        let from = self.partition(0, |word| word < start);
        from..self.partition(from, |word| word.starts_with(start))
    }

    fn partition(&self, from: u32, before: impl Fn(&str) -> bool) -> u32 {
        let (mut low, mut high) = (from, self.ends.len() as u32);
        while low < high {
            let middle = low.midpoint(high);
            if before(self.word(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    pub(super) fn bytes(&self) -> usize {
        self.letters.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_range_that_opens_with_the_word_itself() {
        let dictionary = Dictionary::new(["ada", "adam", "adams", "bo"].map(String::from).to_vec());
        assert_eq!(dictionary.beginning_with("adam"), 1..3);
        assert_eq!(dictionary.beginning_with("b"), 3..4);
        assert_eq!(dictionary.beginning_with("c"), 4..4);
        assert_eq!(Dictionary::default().beginning_with("a"), 0..0);
    }
}
