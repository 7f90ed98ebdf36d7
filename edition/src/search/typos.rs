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
                shortened(word, |form| forms.push((form, id)));
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
        let mut alike = Vec::new();
        shortened(word, |form| {
            let bucket = bucket(form, self.ends.len());
            let start = if bucket == 0 { 0 } else { self.ends[bucket - 1] };
            let own = &self.entries[start as usize..self.ends[bucket] as usize];
            let same = own.iter().filter(|entry| (**entry ^ form << WORD_BITS) <= WORD);
            alike.extend(same.map(|entry| entry & WORD));
        });
        alike.sort_unstable();
        alike.dedup();
        let letters = word.chars().count();
        let near = alike.into_iter().filter_map(|id| {
            let other = dictionary.word(id);
            let other_letters = other.chars().count();
            if other == word || letters.max(other_letters) < shortest {
                return None;
            }
            edit(word, other).map(|edit| Near { word: id, points: points::typo(edit, other_letters) })
        });
        near.collect()
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

/// The word and all it becomes by losing one letter, as hashes.
fn shortened(word: &str, mut emit: impl FnMut(u32)) {
    let hash = |form: &[u8]| xxh3_64(form) as u32;
    emit(hash(word.as_bytes()));
    let mut form = Vec::with_capacity(word.len());
    let mut before = None;
    for (at, c) in word.char_indices() {
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

/// What somebody did who meant the other of two different words; none if they are not one edit apart.
fn edit(typed: &str, meant: &str) -> Option<Edit> {
    let (a, b) = (typed, meant);
    let start: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (&a[start..], &b[start..]);
    let end: usize = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    match (a.chars().count(), b.chars().count()) {
        (0, 1) => Some(Edit::LeftOut),
        (1, 0) => Some(Edit::Added),
        (1, 1) => Some(Edit::Changed),
        (2, 2) if a.chars().rev().eq(b.chars()) => Some(Edit::Swapped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
