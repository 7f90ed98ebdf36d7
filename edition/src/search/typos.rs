//! Which known words are one edit away from a misspelt one.

use xxhash_rust::xxh3::xxh3_64;

use super::dictionary::Dictionary;
use super::points;
use super::words::{LONGEST_WORD, is_unspaced};

/// A symmetric-delete dictionary: each word under itself and under each form that lacks one letter.
/// Two words one insertion, deletion, substitution or transposition apart share such a form.
///
/// Forms are not kept, only their hashes: in the bucket of a hash's upper bits stand the words, each with eight
/// more bits of the hash. What shares them by chance is no edit apart and falls when letters are compared.
#[derive(Debug, Default)]
pub(super) struct Typos {
    /// By bucket: where it ends.
    ends: Vec<u32>,
    /// Eight bits of the form's hash, then the word.
    entries: Vec<u32>,
}

/// What was done to a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    LeftOut,
    Added,
    Changed,
    Swapped,
}

/// A word one edit away, with the points for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) word: u32,
    pub(super) points: u32,
}

/// Entries of a bucket, on average.
const BUCKET: usize = 4;
const WORD_BITS: u32 = 24;
const WORD: u32 = (1 << WORD_BITS) - 1;

impl Typos {
    /// Of the words that are `wanted`.
    pub(super) fn new(dictionary: &Dictionary, wanted: impl Fn(u32) -> bool) -> Self {
        let mut forms: Vec<(u32, u32)> = Vec::new();
        for (id, word) in dictionary.iter().take(WORD as usize) {
            if wanted(id) && may_be_misspelt(word) {
                shortened(word, usize::MAX, |form| forms.push((form, id)));
            }
        }
        let mut ends = vec![0u32; forms.len().div_ceil(BUCKET).next_power_of_two()];
        let buckets = ends.len();
        forms.iter().for_each(|(form, _)| ends[bucket(*form, buckets)] += 1);
        let mut start = 0;
        for end in &mut ends {
            (start, *end) = (start + *end, start);
        }
        let mut entries = vec![0; forms.len()];
        for (form, id) in forms {
            let end = &mut ends[bucket(form, buckets)];
            entries[*end as usize] = form << WORD_BITS | id;
            *end += 1;
        }
        Self { ends, entries }
    }

    /// The words exactly one edit from `word`, in the dictionary's order, where the longer of the two has at
    /// least `shortest` letters.
    pub(super) fn near(&self, word: &str, dictionary: &Dictionary, shortest: usize) -> Vec<Near> {
        if !may_be_misspelt(word) || self.entries.is_empty() {
            return Vec::new();
        }
        let letters = word.chars().count();
        let mut near = Vec::new();
        // Of a word that is too short, only longer ones are near: all of these become it by losing a letter.
        let forms = if letters < shortest { 1 } else { usize::MAX };
        shortened(word, forms, |form| {
            let bucket = bucket(form, self.ends.len());
            let start = if bucket == 0 { 0 } else { self.ends[bucket - 1] };
            let own = &self.entries[start as usize..self.ends[bucket] as usize];
            let same = own.iter().filter(|entry| (**entry ^ form << WORD_BITS) <= WORD);
            near.extend(same.filter_map(|entry| {
                let id = entry & WORD;
                let edit = edit(word, dictionary.word(id))?;
                let meant = match edit {
                    Edit::LeftOut => letters + 1,
                    Edit::Added => letters - 1,
                    Edit::Changed | Edit::Swapped => letters,
                };
                (letters.max(meant) >= shortest).then(|| Near { word: id, points: points::typo(edit, meant) })
            }));
        });
        near.sort_unstable_by_key(|near| near.word);
        near.dedup();
        near
    }

    pub(super) fn bytes(&self) -> usize {
        (self.ends.capacity() + self.entries.capacity()) * size_of::<u32>()
    }
}

/// By the upper bits; `buckets` is a power of two.
fn bucket(form: u32, buckets: usize) -> usize {
    ((u64::from(form) * buckets as u64) >> u32::BITS) as usize
}

/// From how many letters on a word is taken for a misspelling of another where others fit as they are: Arabic and
/// Hebrew leave out vowels, and an Ethiopic or Chinese character carries more.
pub(super) fn shortest(word: &str) -> usize {
    let carries_more = |c| matches!(c, '\u{0590}'..='\u{109F}' | '\u{1200}'..='\u{139F}') || is_unspaced(c);
    if word.chars().any(carries_more) { 3 } else { 4 }
}

/// A wrong digit is another number, and single letters are everywhere.
fn may_be_misspelt(word: &str) -> bool {
    let mut letters = 0;
    for c in word.chars() {
        letters += 1;
        if c.is_ascii_digit() {
            return false;
        }
    }
    (2..=LONGEST_WORD).contains(&letters)
}

/// The word and all it becomes by losing one letter, as hashes; the first `most` of them.
fn shortened(word: &str, most: usize, mut emit: impl FnMut(u32)) {
    let hash = |form: &[u8]| xxh3_64(form) as u32;
    emit(hash(word.as_bytes()));
    let mut form = Vec::with_capacity(word.len());
    let mut before = None;
    for (at, c) in word.char_indices().take(most - 1) {
        // of a doubled letter either one lost gives the same form
        if before.replace(c) == Some(c) {
            continue;
        }
        form.clear();
        form.extend_from_slice(&word.as_bytes()[..at]);
        form.extend_from_slice(&word.as_bytes()[at + c.len_utf8()..]);
        emit(hash(&form));
    }
}

/// What somebody did who meant the other of two words; none if they are not one edit apart.
fn edit(typed: &str, meant: &str) -> Option<Edit> {
    let (a, b) = (typed.as_bytes(), meant.as_bytes());
    let alike = |(x, y): &(&u8, &u8)| x == y;
    let mut start = a.iter().zip(b).take_while(alike).count();
    while !typed.is_char_boundary(start) {
        start -= 1;
    }
    let (a, b) = (&a[start..], &b[start..]);
    let mut end = a.iter().rev().zip(b.iter().rev()).take_while(alike).count();
    while !typed.is_char_boundary(typed.len() - end) {
        end -= 1;
    }
    let mut a = typed[start..typed.len() - end].chars();
    let mut b = meant[start..meant.len() - end].chars();
    match ((a.next(), a.next(), a.next()), (b.next(), b.next(), b.next())) {
        ((None, ..), (Some(_), None, _)) => Some(Edit::LeftOut),
        ((Some(_), None, _), (None, ..)) => Some(Edit::Added),
        ((Some(_), None, _), (Some(_), None, _)) => Some(Edit::Changed),
        ((Some(x), Some(y), None), (Some(u), Some(v), None)) if (x, y) == (v, u) => Some(Edit::Swapped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_edit_is_an_insertion_deletion_substitution_or_transposition() {
        for (typed, expected) in [
            ("okafr", Some(Edit::LeftOut)),
            ("okkafor", Some(Edit::Added)),
            ("ikafor", Some(Edit::Changed)),
            ("koafor", Some(Edit::Swapped)),
            ("okfaro", None),
            ("akifor", None),
            ("oka", None),
        ] {
            assert_eq!(edit(typed, "okafor"), expected, "{typed}");
        }
        assert_eq!(edit("ab", "ba"), Some(Edit::Swapped));
    }

    #[test]
    fn short_words_and_numbers_are_not_corrected() {
        let dictionary = Dictionary::new(&["12345", "ada", "okafor", "علي"]);
        let typos = Typos::new(&dictionary, |_| true);
        let near = |word: &str| -> Vec<u32> {
            typos.near(word, &dictionary, shortest(word)).iter().map(|near| near.word).collect()
        };
        assert!(near("12346").is_empty());
        assert!(near("ida").is_empty());
        assert_eq!(near("adda"), [1]);
        assert_eq!(near("kafor"), [2]);
        assert_eq!(near("عليه"), [3]);
    }

    fn is_one_edit(one: &[char], other: &[char]) -> bool {
        let lacks_one =
            |short: &[char], long: &[char]| (0..long.len()).any(|at| [&long[..at], &long[at + 1..]].concat() == short);
        let differ: Vec<usize> = (0..one.len().min(other.len())).filter(|at| one[*at] != other[*at]).collect();
        match (one.len() == other.len(), &differ[..]) {
            (true, [_]) => true,
            (true, [a, b]) => b - a == 1 && one[*a] == other[*b] && one[*b] == other[*a],
            (true, _) => false,
            (false, _) => lacks_one(one, other) || lacks_one(other, one),
        }
    }

    proptest! {
        // Letters of one, two and three bytes, some with their first bytes in common.
        #[test]
        fn exactly_the_words_one_edit_away_are_near(
            words in prop::collection::btree_set("[abяр王玉]{2,5}", 1..200),
            word in "[abяр王玉]{2,5}",
            shortest in 2usize..6,
        ) {
            let words: Vec<String> = words.into_iter().collect();
            let letters: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
            let dictionary = Dictionary::new(&words);
            let near = Typos::new(&dictionary, |_| true).near(&word, &dictionary, shortest);
            let word: Vec<char> = word.chars().collect();
            let is_near = |other: &&Vec<char>| is_one_edit(&word, other) && word.len().max(other.len()) >= shortest;
            let found: Vec<&Vec<char>> = near.iter().map(|near| &letters[near.word as usize]).collect();
            prop_assert_eq!(found, letters.iter().filter(is_near).collect::<Vec<_>>());
        }
    }
}
