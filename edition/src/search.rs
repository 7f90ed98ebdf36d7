//! The search index of an edition: words to documents of every kind, forgiving in spelling, in memory.
//!
//! Words are folded (case, accents, apostrophes, Arabic vowels and hamza), split at whatever is no letter or
//! digit, and kept once each, sorted, so that a beginning is a range of neighbours. One-edit misspellings come
//! from a symmetric-delete dictionary: every word is filed under itself and under each form that lacks a letter,
//! and two words one edit apart share such a form. That finds all of them by construction, the first letter
//! included, in a handful of look-ups. An automaton over an `fst` would find the same in less memory, but it
//! walks the dictionary for each query; at the size of a directory the memory is a few megabytes, while the walk
//! is what a request would wait for.
//!
//! Each word's documents stand best first, with the best of each block of 64 noted, so that a page is found
//! without looking at all who share a letter. A candidate is then scored on its own texts, by the query alone:
//! neither score nor order nor emptiness depends on documents the caller may not see.
//!
//! Of a query at most [`MOST_WORDS`] words within [`LONGEST_QUERY`] characters are considered. All of these must
//! match, each at least as the beginning of a word, in any order and in any of a document's texts. Only when a
//! page is not filled do words one edit away join (words of four letters or more; three in Arabic and Chinese).
//! Only when nothing is found at all, and for at most five words, are neighbours joined, words split, fillers
//! ("of", "de", "для") left out and shorter words corrected.

mod builder;
mod dictionary;
mod points;
mod postings;
mod query;
mod scan;
#[cfg(test)]
mod tests;
mod typos;
mod words;

use std::cmp::Reverse;
use std::ops::Range;

use domain::Language;

pub use builder::Builder;
pub use query::{LONGEST_QUERY, MOST_WORDS};
pub use words::excerpt;

use dictionary::Dictionary;
use postings::Postings;
use typos::Typos;

/// What a text is to its document. It decides how much a match there counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// What it is called.
    Name,
    /// An acronym, a code, a document symbol.
    Acronym,
    /// What it was called.
    FormerName,
    /// Its acronym under a former name.
    FormerAcronym,
    /// A person's or note's title.
    Title,
    /// A telephone number or extension: found by its beginning and by its end.
    Number,
    /// What people ask for when they mean it.
    Keyword,
    /// Prose. The text itself is not kept, see [`excerpt`].
    Body,
}

/// How the words of a query are found in a text, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// They are all of the text.
    Whole,
    /// Each is a word of the text.
    Words,
    /// At least one is the beginning of a word, any part of a Chinese name, or the end of a number.
    Part,
    /// At least one is one letter or one transposition away from a word.
    Typo,
    /// They had to be joined, split or left out.
    Loose,
}

/// Why a document was found: the one text that speaks for it most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched<'i> {
    /// What the text is.
    pub field: Field,
    /// The text as it was added; of [`Field::Body`] the indexed word that matched.
    pub text: &'i str,
    /// The text's language.
    pub language: Option<Language>,
    /// How well it matches: the weakest of the query's words.
    pub how: How,
}

/// Where a hit stands: by score, then in the order of documents. A page begins after a rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rank {
    /// Higher is better; comparable within one query.
    pub score: u32,
    /// The document's number.
    pub doc: u32,
}

impl Ord for Rank {
    /// The better rank is less: it comes first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (Reverse(self.score), self.doc).cmp(&(Reverse(other.score), other.doc))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A document found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'i> {
    /// Its place; pass it as `after` to continue behind it.
    pub rank: Rank,
    /// Why it was found.
    pub matched: Matched<'i>,
}

/// An immutable search index, made by a [`Builder`].
#[derive(Debug, Default)]
pub struct Index {
    dictionary: Dictionary,
    typos: Typos,
    postings: Postings,
    /// By document: its first text.
    docs: Vec<u32>,
    texts: Vec<Text>,
    /// By text: its words, sorted.
    words: Vec<u32>,
    originals: String,
}

#[derive(Debug)]
struct Text {
    words: u32,
    original: u32,
    first: u32,
    weight: u32,
    letters: u16,
    field: Field,
    language: Option<Language>,
}

impl Text {
    /// Closes the list: each text ends where the next one begins.
    fn end(words: usize, original: usize) -> Self {
        Self {
            words: words as u32,
            original: original as u32,
            first: u32::MAX,
            weight: 0,
            letters: 0,
            field: Field::Body,
            language: None,
        }
    }
}

impl Index {
    /// At most `limit` documents that `admit` lets pass and that have all words of `query`, the best first;
    /// with `after`, those that come behind it.
    ///
    /// `admit` decides for each document whether this caller may know of it; what it refuses has no influence
    /// on the answer. No total is given: counting would mean visiting every match; ask for one more than
    /// the page shows to learn whether there is a next.
    pub fn search(
        &self,
        query: &str,
        reader: Language,
        admit: impl Fn(u32) -> bool,
        after: Option<Rank>,
        limit: usize,
    ) -> Vec<Hit<'_>> {
        scan::Scan::new(self, reader, admit, after, limit).run(&query::Query::read(query))
    }

    /// [`Index::search`] without the free readings that it takes when nothing is found.
    pub fn search_strictly(
        &self,
        query: &str,
        reader: Language,
        admit: impl Fn(u32) -> bool,
        after: Option<Rank>,
        limit: usize,
    ) -> Vec<Hit<'_>> {
        scan::Scan::new(self, reader, admit, after, limit).strictly().run(&query::Query::read(query))
    }

    /// Bytes the index takes.
    pub fn bytes(&self) -> usize {
        self.dictionary.bytes()
            + self.typos.bytes()
            + self.postings.bytes()
            + (self.docs.capacity() + self.words.capacity()) * size_of::<u32>()
            + self.texts.capacity() * size_of::<Text>()
            + self.originals.capacity()
    }

    fn texts_of(&self, doc: u32) -> Range<usize> {
        self.docs[doc as usize] as usize..self.docs[doc as usize + 1] as usize
    }

    fn words_of(&self, text: usize) -> &[u32] {
        &self.words[self.texts[text].words as usize..self.texts[text + 1].words as usize]
    }

    fn original_of(&self, text: usize) -> &str {
        &self.originals[self.texts[text].original as usize..self.texts[text + 1].original as usize]
    }
}
