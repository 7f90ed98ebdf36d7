//! The texts of an index: each kept once however many documents have it, such as a job title in six languages.

use std::ops::Range;

use domain::Language;

use super::Field;

/// Lists of numbers, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Where each list ends; the first opens with 0.
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    pub(super) fn with_capacity(lists: usize, items: usize) -> Self {
        Self { ends: Vec::with_capacity(lists), items: Vec::with_capacity(items) }
    }

    /// Adds to the list at the end.
    pub(super) fn add(&mut self, item: u32) {
        self.items.push(item);
    }

    /// Ends the list at the end.
    pub(super) fn close(&mut self) {
        self.ends.push(self.items.len() as u32);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn items(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        let start = if list == 0 { 0 } else { self.ends[list - 1] };
        &self.items[start as usize..self.ends[list] as usize]
    }

    /// For each of `count` items: the lists that it is in, in order.
    pub(super) fn inverted(&self, count: usize) -> Self {
        let mut ends = vec![0u32; count];
        self.items.iter().for_each(|item| ends[*item as usize] += 1);
        let mut start = 0;
        for end in &mut ends {
            (start, *end) = (start + *end, start);
        }
        let mut items = vec![0; self.items.len()];
        for list in 0..self.len() as u32 {
            for item in self.get(list) {
                let end = &mut ends[*item as usize];
                items[*end as usize] = list;
                *end += 1;
            }
        }
        Self { ends, items }
    }

    pub(super) fn shrink(&mut self) {
        self.ends.shrink_to_fit();
        self.items.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        (self.ends.capacity() + self.items.capacity()) * size_of::<u32>()
    }
}

/// A text that documents have.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Where its original ends.
    pub(super) original: u32,
    /// The word that counts as its first.
    pub(super) first: u32,
    /// What it counts, see [`super::points::weight`].
    pub(super) weight: u16,
    pub(super) letters: u16,
    pub(super) field: Field,
    pub(super) language: Option<Language>,
}

/// Which of 64 equal parts of the dictionary words are in, a bit for each: of a text and of what is sought, so that
/// most texts without a word are known by one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks(u64);

impl Marks {
    /// Of neighbouring words, among `all` of the dictionary.
    pub(super) fn of(words: &Range<u32>, all: usize) -> Self {
        if words.is_empty() {
            return Self::default();
        }
        let part = |word: u32| (u64::from(word) * 64 / all as u64).min(63);
        Self(u64::MAX << part(words.start) & u64::MAX >> (63 - part(words.end - 1)))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether both may have a word; if not, they have none.
    pub(super) fn may_share(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// All texts, their words and their documents.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) list: Vec<Text>,
    /// By text: where its words are.
    pub(super) marks: Vec<Marks>,
    /// By text: its words, sorted.
    pub(super) words: Lists,
    /// By text: its documents, sorted.
    pub(super) holders: Lists,
    /// By document: its texts, in the order in which they were added.
    pub(super) of_docs: Lists,
    pub(super) originals: String,
}

impl Texts {
    pub(super) fn original(&self, text: u32) -> &str {
        let start = if text == 0 { 0 } else { self.list[text as usize - 1].original };
        &self.originals[start as usize..self.list[text as usize].original as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        let lists = self.words.bytes() + self.holders.bytes() + self.of_docs.bytes();
        let texts = self.list.capacity() * size_of::<Text>() + self.marks.capacity() * size_of::<Marks>();
        lists + texts + self.originals.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_shared_by_all_who_share_a_word() {
        for all in [1, 2, 63, 64, 65, 1_000_000] {
            let marks = |words: Range<u32>| Marks::of(&words, all as usize);
            for word in (0..all).step_by(all as usize / 50 + 1).chain([all - 1]) {
                assert!(marks(word..word + 1).may_share(marks(0..all)));
                assert!(marks(word..word + 1).may_share(marks(word / 2..word + 1)));
                assert!(marks(word..word + 1).may_share(marks(0..1).and(marks(word..all))));
                assert!(!marks(word..word + 1).may_share(marks(word..word)));
            }
        }
        assert!(!Marks::of(&(0..10), 1000).may_share(Marks::of(&(500..1000), 1000)));
    }

    #[test]
    fn inverted_lists_say_where_each_item_is() {
        let mut lists = Lists::default();
        for list in [&[2, 0][..], &[], &[0]] {
            list.iter().for_each(|item| lists.add(*item));
            lists.close();
        }
        let inverted = lists.inverted(4);
        assert_eq!([0, 1, 2, 3].map(|item| inverted.get(item)), [&[0, 2][..], &[], &[0], &[]]);
        assert_eq!((lists.len(), lists.items()), (3, 3));
    }
}
