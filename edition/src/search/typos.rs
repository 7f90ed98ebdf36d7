//! Which known words are one edit away from a misspelt one.

use xxhash_rust::xxh3::xxh3_64;

use super::dictionary::Dictionary;
use super::words::{LONGEST_WORD, is_arabic, is_unspaced};

/// A symmetric-delete dictionary: each word under itself and under each form that lacks one letter.
/// Two words one insertion, deletion, substitution or transposition apart share such a form.
#[derive(Debug, Default)]
pub(super) struct Typos(Vec<u64>);

impl Typos {
    pub(super) fn new(dictionary: &Dictionary) -> Self {
        let mut forms = Vec::new();
        for (id, word) in dictionary.iter() {
            if may_be_misspelt(word) {
                shortened(word, |form| forms.push(u64::from(form) << 32 | u64::from(id)));
            }
        }
        forms.sort_unstable();
        forms.dedup();
        forms.shrink_to_fit();
        Self(forms)
    }

    /// The words exactly one edit from `word`, in the dictionary's order, where the longer of the two has at
    /// least `shortest` letters.
    pub(super) fn near(&self, word: &str, dictionary: &Dictionary, shortest: usize) -> Vec<u32> {
        let mut near = Vec::new();
        if !may_be_misspelt(word) {
            return near;
        }
        let letters = word.chars().count();
        shortened(word, |form| {
            let start = self.0.partition_point(|entry| entry >> 32 < u64::from(form));
            let same = self.0[start..].iter().take_while(|entry| *entry >> 32 == u64::from(form));
            near.extend(same.map(|entry| *entry as u32));
        });
        near.sort_unstable();
        near.dedup();
        near.retain(|id| {
            let other = dictionary.word(*id);
            other != word && one_edit(word, other) && letters.max(other.chars().count()) >= shortest
        });
        near
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }
}

/// From how many letters on a word alone is taken for a misspelling of another: Arabic leaves out vowels,
/// and a Chinese character carries more.
pub(super) fn shortest(word: &str) -> usize {
    if word.chars().any(|c| is_arabic(c) || is_unspaced(c)) { 3 } else { 4 }
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

/// Whether two different words are one insertion, deletion, substitution or transposition of neighbours apart.
fn one_edit(a: &str, b: &str) -> bool {
    let start: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (&a[start..], &b[start..]);
    let end: usize = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    match (a.chars().count(), b.chars().count()) {
        (0, 1) | (1, 0) | (1, 1) => true,
        (2, 2) => a.chars().rev().eq(b.chars()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_an_insertion_deletion_substitution_or_transposition() {
        for (a, b) in
            [("okafor", "okafr"), ("okafor", "okkafor"), ("okafor", "ikafor"), ("okafor", "koafor"), ("ab", "ba")]
        {
            assert!(one_edit(a, b), "{a} {b}");
        }
        for (a, b) in [("okafor", "okfaro"), ("okafor", "akifor"), ("okafor", "oka")] {
            assert!(!one_edit(a, b), "{a} {b}");
        }
    }

    #[test]
    fn short_words_and_numbers_are_not_corrected() {
        let dictionary = Dictionary::new(["12345", "ada", "okafor", "علي"].map(String::from).to_vec());
        let typos = Typos::new(&dictionary);
        let near = |word: &str| typos.near(word, &dictionary, shortest(word));
        assert!(near("12346").is_empty());
        assert!(near("ida").is_empty());
        assert_eq!(near("adda"), [1]);
        assert_eq!(near("kafor"), [2]);
        assert_eq!(near("عليه"), [3]);
    }
}
