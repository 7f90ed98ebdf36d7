//! Builds an index from texts.

use std::collections::HashMap;

use domain::Language;

use super::dictionary::Dictionary;
use super::postings::{Posting, Postings};
use super::typos::Typos;
use super::words::{BACKWARDS, Pieces};
use super::{Field, Index, Text, points};

/// Gathers the texts of documents; [`Builder::finish`] makes them searchable.
#[derive(Debug, Default)]
pub struct Builder {
    known: HashMap<Box<str>, u32>,
    drafts: Vec<Draft>,
    /// The words of all drafts, by their number in `known`.
    words: Vec<u32>,
    originals: String,
    pieces: Pieces,
}

#[derive(Debug)]
struct Draft {
    doc: u32,
    field: Field,
    language: Option<Language>,
    letters: u16,
    length: u8,
    words: (u32, u32),
    original: (u32, u32),
}

impl Builder {
    /// A builder without texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `doc` findable by `text`. A text without a language suits readers of every language; of prose,
    /// give the whole text of a language at once.
    ///
    /// Documents are numbered densely from 0, in the order in which equally good hits shall stand.
    pub fn add(&mut self, doc: u32, field: Field, language: Option<Language>, text: &str) {
        self.pieces.read(text);
        if self.pieces.list().is_empty() {
            return;
        }
        let (word, original) = (self.words.len() as u32, self.originals.len() as u32);
        let Self { known, words, pieces, originals, .. } = self;
        pieces.forms(field, |form, _| {
            let next = known.len() as u32;
            words.push(match known.get(form) {
                Some(id) => *id,
                None => *known.entry(form.into()).or_insert(next),
            });
        });
        if field != Field::Body {
            originals.push_str(text);
        }
        self.drafts.push(Draft {
            doc,
            field,
            language,
            letters: self.pieces.letters().min(u16::MAX.into()) as u16,
            length: self.pieces.length().min(u8::MAX.into()) as u8,
            words: (word, self.words.len() as u32),
            original: (original, self.originals.len() as u32),
        });
    }

    /// The index of all texts added.
    pub fn finish(self) -> Index {
        let Self { known, mut drafts, words, originals, .. } = self;
        let mut sorted: Vec<(Box<str>, u32)> = known.into_iter().collect();
        sorted.sort_unstable();
        let mut renamed = vec![0; sorted.len()];
        for (id, (_, old)) in sorted.iter().enumerate() {
            renamed[*old as usize] = id as u32;
        }
        let dictionary = Dictionary::new(sorted.into_iter().map(|(word, _)| word.into_string()).collect());
        drafts.sort_by_key(|d| d.doc);

        let mut index = Index { typos: Typos::new(&dictionary), dictionary, ..Index::default() };
        index.words.reserve_exact(words.len());
        index.originals.reserve_exact(originals.len());
        index.texts.reserve_exact(drafts.len() + 1);
        for draft in drafts {
            while index.docs.len() <= draft.doc as usize {
                index.docs.push(index.texts.len() as u32);
            }
            let own = &words[draft.words.0 as usize..draft.words.1 as usize];
            let start = index.words.len();
            index.texts.push(Text {
                words: start as u32,
                original: index.originals.len() as u32,
                first: own.first().map_or(u32::MAX, |old| renamed[*old as usize]),
                letters: draft.letters,
                field: draft.field,
                language: draft.language,
                weight: points::weight(draft.field, draft.length),
            });
            let mut own: Vec<u32> = own.iter().map(|old| renamed[*old as usize]).collect();
            own.sort_unstable();
            own.dedup();
            index.words.append(&mut own);
            index.originals.push_str(&originals[draft.original.0 as usize..draft.original.1 as usize]);
        }
        index.docs.push(index.texts.len() as u32);
        index.texts.push(Text::end(index.words.len(), index.originals.len()));
        index.words.shrink_to_fit();
        index.add_postings();
        index
    }
}

impl Index {
    /// From each word to the documents that have it, the best first.
    fn add_postings(&mut self) {
        let letters: Vec<u16> =
            self.dictionary.iter().map(|(_, word)| word.trim_start_matches(BACKWARDS).chars().count() as u16).collect();
        let mut all = Vec::with_capacity(self.words.len());
        for doc in 0..self.docs.len() as u32 - 1 {
            for text in self.texts_of(doc) {
                let posting = |word: &u32| Posting::new(doc, &self.texts[text], *word, letters[*word as usize]);
                all.extend(self.words_of(text).iter().map(|word| (*word, posting(word))));
            }
        }
        self.postings = Postings::new(all);
    }
}
