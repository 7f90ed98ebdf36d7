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
//! A text is kept once however many documents have it (a job title in six languages), and a word leads to its
//! texts, these to their documents. Each word's texts stand best first, the best of each block of 64 and of each 64
//! blocks noted, so that a page is found without looking at all who share a letter. For a query of one word that is
//! all: what a posting scores is in it. For several, the documents of the rarest word pass a sieve of the second
//! rarest and are scored on their own texts, as long as their text can still bring them onto the page. A score comes
//! from query and document alone: neither score nor order nor emptiness depends on documents the caller may not see.
//!
//! Of a query at most [`MOST_WORDS`] words within [`LONGEST_QUERY`] characters are considered. All of these must
//! match, each at least as the beginning of a word, in any order and in any of a document's texts. Only when a
//! page is not filled do words one edit away join (words of four letters or more; three in scripts that leave out
//! vowels or write syllables). Only when nothing is found at all, and for at most five words, are neighbours joined,
//! words split (where a wrong letter may stand for a blank), fillers ("of", "de", "для") left out and shorter words
//! corrected.
//!
//! The order: whole texts, then words, then beginnings, all before misspelt ones and these before free readings.
//! Among these acronyms, names, former acronyms, former names, titles, numbers, keywords, prose; then the reader's
//! language, a family name before a given one, the shorter text; then the order of documents.

mod builder;
mod dictionary;
mod loose;
mod page;
mod points;
mod postings;
mod query;
#[cfg(test)]
mod ranking_tests;
mod scan;
mod score;
#[cfg(test)]
mod tests;
mod texts;
mod typos;
mod words;

use std::cmp::Reverse;

use domain::Language;

pub use builder::Builder;
pub use query::{LONGEST_QUERY, MOST_WORDS};
pub use words::{excerpt, family_in_native};

use dictionary::Dictionary;
use postings::Postings;
use texts::Texts;
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

/// Documents of an index: those from here on are not found.
pub const MOST_DOCS: u32 = 1 << 23;

/// An immutable search index, made by a [`Builder`].
#[derive(Debug, Default)]
pub struct Index {
    dictionary: Dictionary,
    typos: Typos,
    postings: Postings,
    texts: Texts,
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
        let parts = [self.dictionary.bytes(), self.typos.bytes(), self.postings.bytes(), self.texts.bytes()];
        parts.iter().sum()
    }
}
