//! Builds an index from texts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use domain::Language;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::dictionary::Dictionary;
use super::postings::Postings;
use super::texts::{Lists, Marks, Text, Texts};
use super::typos::Typos;
use super::words::{BACKWARDS, Pieces};
use super::{Field, Index, MOST_DOCS, points};

/// Gathers the texts of documents; [`Builder::finish`] makes them searchable.
#[derive(Debug, Default)]
pub struct Builder {
    known: HashMap<Box<str>, u32, BuildHasherDefault<Xxh3>>,
    /// By word, in the order of `known`: whether somebody may misspell it.
    typed: Vec<bool>,
    /// The texts by hash.
    seen: HashMap<u64, u32, BuildHasherDefault<Xxh3>>,
    texts: Vec<Text>,
    /// By text: its words, by their number in `known`.
    words: Lists,
    originals: String,
    /// Which document has which text.
    held: Vec<(u32, u32)>,
    pieces: Pieces,
}

impl Builder {
    /// A builder without texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `doc` findable by `text`. A text without a language suits readers of every language; of prose,
    /// give the whole text of a language at once.
    ///
    /// Documents are numbered densely from 0, in the order in which equally good hits shall stand. Those from
    /// [`MOST_DOCS`] on are not found.
    pub fn add(&mut self, doc: u32, field: Field, language: Option<Language>, text: &str) {
        self.put(doc, field, language, text, 0);
    }

    /// Makes `doc` findable by a person's name, in which the family name begins at the byte `family`. A family
    /// name counts a little more than a given one.
    pub fn add_name(&mut self, doc: u32, name: &str, family: usize) {
        self.put(doc, Field::Name, None, name, family);
    }

    fn put(&mut self, doc: u32, field: Field, language: Option<Language>, text: &str, lead: usize) {
        if doc >= MOST_DOCS {
            return;
        }
        // prose is not kept, and hardly ever the same
        let hash = (field != Field::Body).then(|| hash(field, language, text, lead));
        let same = hash.and_then(|hash| self.seen.get(&hash)).copied();
        let same = same.filter(|same| {
            let other = &self.texts[*same as usize];
            other.field == field && other.language == language && self.original(*same) == text
        });
        let Some(number) = same.or_else(|| self.draft(field, language, text, lead)) else { return };
        if let Some(hash) = hash {
            self.seen.insert(hash, number);
        }
        self.held.push((doc, number));
    }

    fn original(&self, text: u32) -> &str {
        let start = if text == 0 { 0 } else { self.texts[text as usize - 1].original };
        &self.originals[start as usize..self.texts[text as usize].original as usize]
    }

    /// The number of a new text; none if it has no word.
    fn draft(&mut self, field: Field, language: Option<Language>, text: &str, lead: usize) -> Option<u32> {
        self.pieces.read(text);
        if self.pieces.list().is_empty() {
            return None;
        }
        // nobody is looked for by a mail address with an error in it
        let is_typed = !text.contains('@');
        let Self { known, typed, words, pieces, .. } = self;
        let mut first = None;
        pieces.forms(field, |form, _| {
            let next = known.len() as u32;
            let word = match known.get(form) {
                Some(word) => *word,
                None => {
                    typed.push(false);
                    *known.entry(form.into()).or_insert(next)
                }
            };
            typed[word as usize] |= is_typed;
            first.get_or_insert(word);
            words.add(word);
        });
        words.close();
        let own = words.get(words.len() as u32 - 1);
        let lead = pieces.word_at(lead).and_then(|word| known.get(word)).copied().filter(|word| own.contains(word));
        if field != Field::Body {
            self.originals.push_str(text);
        }
        self.texts.push(Text {
            original: self.originals.len() as u32,
            first: lead.or(first).unwrap_or(u32::MAX),
            letters: self.pieces.letters().min(u16::MAX.into()) as u16,
            weight: points::weight(field, self.pieces.length().min(u8::MAX.into()) as u8),
            field,
            language,
        });
        Some(self.texts.len() as u32 - 1)
    }

    /// The index of all texts added.
    pub fn finish(self) -> Index {
        let Self { known, typed, texts: mut list, words, mut originals, held, .. } = self;
        let mut sorted: Vec<(Box<str>, u32)> = known.into_iter().collect();
        sorted.sort_unstable();
        let mut renamed = vec![0; sorted.len()];
        for (id, (_, old)) in sorted.iter().enumerate() {
            renamed[*old as usize] = id as u32;
        }
        let may_be_misspelt = |id: u32| typed[sorted[id as usize].1 as usize];
        let dictionary = Dictionary::new(&sorted.iter().map(|(word, _)| word).collect::<Vec<_>>());
        let typos = Typos::new(&dictionary, may_be_misspelt);
        drop(sorted);

        for text in &mut list {
            text.first = renamed.get(text.first as usize).copied().unwrap_or(u32::MAX);
        }
        list.shrink_to_fit();
        originals.shrink_to_fit();
        let of_docs = lists_of(held);
        let holders = of_docs.inverted(list.len());
        let words = sorted_lists(&words, &renamed);
        let marks = (0..words.len() as u32).map(|text| marks(words.get(text), dictionary.len())).collect();
        let texts = Texts { list, marks, words, holders, of_docs, originals };
        let letters = |word: &str| word.trim_start_matches(BACKWARDS).chars().count() as u16;
        let letters: Vec<u16> = dictionary.iter().map(|(_, word)| letters(word)).collect();
        Index { postings: Postings::new(&texts, &letters), dictionary, typos, texts }
    }
}

/// By document its texts, each once.
fn lists_of(mut held: Vec<(u32, u32)>) -> Lists {
    held.sort_by_key(|(doc, _)| *doc); // stable: a document's texts stay in order
    let docs = held.last().map_or(0, |(doc, _)| *doc as usize + 1);
    let mut lists = Lists::with_capacity(docs, held.len());
    for own in held.chunk_by(|(doc, _), (next, _)| doc == next) {
        while lists.len() < own[0].0 as usize {
            lists.close();
        }
        for (at, (_, text)) in own.iter().enumerate() {
            if !own[..at].iter().any(|(_, other)| other == text) {
                lists.add(*text);
            }
        }
        lists.close();
    }
    lists.shrink();
    lists
}

fn marks(words: &[u32], all: usize) -> Marks {
    words.iter().fold(Marks::default(), |marks, word| marks.and(Marks::of(&(*word..word + 1), all)))
}

/// The words of each text under their new numbers, sorted, each once.
fn sorted_lists(words: &Lists, renamed: &[u32]) -> Lists {
    let mut lists = Lists::with_capacity(words.len(), words.items());
    let mut own = Vec::new();
    for text in 0..words.len() as u32 {
        own.clear();
        own.extend(words.get(text).iter().map(|old| renamed[*old as usize]));
        own.sort_unstable();
        own.dedup();
        own.iter().for_each(|word| lists.add(*word));
        lists.close();
    }
    lists.shrink();
    lists
}

fn hash(field: Field, language: Option<Language>, text: &str, lead: usize) -> u64 {
    let language = language.map_or(u64::MAX, |language| language as u64);
    xxh3_64_with_seed(text.as_bytes(), (field as u64) << 8 ^ language ^ (lead as u64) << 16)
}

/// Words are many and short; a table of them by the standard library's hash takes twice as long.
#[derive(Debug, Default)]
struct Xxh3(u64);

impl Hasher for Xxh3 {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u8(&mut self, _: u8) {} // ends a text; nothing follows it here

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
