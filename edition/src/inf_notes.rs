//! The published INF notes: by symbol, as chains, newest first, and by words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::layers::{self, Document, Layers, Merged, Merging};
use crate::search::{Builder, Field, How, Matched, excerpt};
use crate::{Collection, Cursor, Entry, Item};
use domain::inf_notes::{Chain, Note, Symbol, Text};
use domain::{Audience, Kind, Language, Reader};

impl Item for Note {
    const ONE_ORDER: bool = true;

    fn id(&self) -> Uuid {
        self.id.0
    }

    fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The newest first: the later session, number and issue have the smaller text.
    fn sort_key(&self, _: Language) -> String {
        self.content.symbol.parts().iter().map(|part| format!("{:04}", 9999 - part)).collect()
    }
}

/// The published INF notes. A change makes others that share with those before all that it does not touch.
#[derive(Clone, Default)]
pub struct InfNotes {
    notes: Collection<Note>,
    by_symbol: BTreeMap<Symbol, Uuid>,
    index: Layers<Arc<Entry<Note>>>,
}

/// Where in a note the words of a search were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In its symbol.
    Symbol,
    /// In its title.
    Title,
    /// In a section's heading.
    Heading,
    /// In what it says.
    Text,
}

/// Why a note was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where.
    pub place: Place,
    /// The words there, or a stretch around them.
    pub text: String,
    /// Their language; none for a symbol.
    pub language: Option<Language>,
    /// How well they match.
    pub how: How,
}

/// Notes found, the best first.
#[derive(Debug)]
pub struct Found<'a> {
    /// The notes, and why each was found.
    pub hits: Vec<(&'a Entry<Note>, Match)>,
    /// Where to go on, when there is more.
    pub next: Option<Cursor>,
}

/// How long a stretch of text shows where words were found, in characters.
const EXCERPT: usize = 160;

/// What a language version says, but for title and headings.
fn prose(text: &Text) -> String {
    let sections = text.sections.iter().filter_map(|section| section.text.as_deref());
    let above = [text.subtitle.as_deref(), text.place_dates.as_deref()].into_iter().flatten();
    above.chain(sections).collect::<Vec<_>>().join("\n")
}

impl Document for Arc<Entry<Note>> {
    /// The newest first.
    fn place(&self) -> layers::Place {
        (0, self.value.sort_key(Language::En), self.value.id.0)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(self, other)
    }

    fn describe(&self, builder: &mut Builder, number: u32) {
        let content = &self.value.content;
        builder.add(number, Field::Acronym, None, &content.symbol.to_string());
        for (language, text) in content.texts.iter() {
            builder.add(number, Field::Title, Some(language), &text.title);
            for section in &text.sections {
                builder.add(number, Field::Keyword, Some(language), &section.title);
            }
            builder.add(number, Field::Body, Some(language), &prose(text));
        }
    }
}

/// Work on the search index that takes as long as making a part of it, and holds up nobody.
pub struct Tidying(Merging<Arc<Entry<Note>>>);

/// What came of it.
pub struct Tidied(Merged<Arc<Entry<Note>>>);

impl Tidying {
    /// Does it.
    pub fn run(self) -> Tidied {
        Tidied(self.0.run())
    }
}

impl InfNotes {
    /// The collection of these notes, whose symbols differ.
    pub fn new(notes: Vec<Note>) -> Self {
        let by_symbol = notes.iter().map(|note| (note.content.symbol, note.id.0)).collect();
        let notes = Collection::new(notes);
        let index = Layers::new(notes.in_order(Language::En).cloned().collect());
        Self { notes, by_symbol, index }
    }

    /// These after a change: of `touched` there is what is among `notes`, and nothing else.
    pub fn with(&self, touched: &BTreeSet<(Kind, Uuid)>, notes: Vec<Note>) -> Self {
        let mut changes: BTreeMap<Uuid, Option<Note>> = touched.iter().map(|(_, id)| (*id, None)).collect();
        changes.extend(notes.into_iter().map(|note| (note.id.0, Some(note))));
        let (notes, changed) = self.notes.with(changes);
        let mut by_symbol = self.by_symbol.clone();
        for gone in changed.iter().filter_map(|change| change.before.as_ref()) {
            by_symbol.remove(&gone.value.content.symbol);
        }
        for come in changed.iter().filter_map(|change| change.after.as_ref()) {
            by_symbol.insert(come.value.content.symbol, come.value.id.0);
        }
        let (gone, come): (Vec<_>, Vec<_>) = changed.into_iter().map(|change| (change.before, change.after)).unzip();
        let gone: Vec<_> = gone.into_iter().flatten().collect();
        let index = self.index.with(&gone, come.into_iter().flatten().collect());
        Self { notes, by_symbol, index }
    }

    /// Whether there is work to be done on the search index.
    pub fn is_untidy(&self) -> bool {
        self.index.due_from().is_some()
    }

    /// Work on the search index that is to be done aside, if there is any: the index is whole without it, but
    /// grows slower with each change.
    pub fn tidying(&self) -> Option<Tidying> {
        self.index.due().map(Tidying)
    }

    /// These with the outcome of such work. `None` when all has been made anew meanwhile.
    pub fn tidied(&self, tidied: Tidied) -> Option<Self> {
        let index = self.index.install(tidied.0, |note| self.notes.has(note))?;
        Some(Self { index, ..self.clone() })
    }

    /// The notes by id and in pages.
    pub fn notes(&self) -> &Collection<Note> {
        &self.notes
    }

    /// The note of exactly this symbol, if `reader` may see it.
    pub fn find(&self, symbol: Symbol, reader: Reader) -> Option<&Entry<Note>> {
        self.notes.get(*self.by_symbol.get(&symbol)?, reader)
    }

    /// The chain of the document that `symbol` belongs to, as `reader` sees it.
    pub fn chain(&self, symbol: Symbol, reader: Reader) -> Chain {
        let base = symbol.base();
        let of_document = self.by_symbol.range(base..).take_while(|(issue, _)| issue.base() == base);
        let notes = of_document.filter_map(|(_, id)| self.notes.get(*id, reader)).map(|entry| &entry.value);
        Chain::of(symbol, notes, reader)
    }

    /// At most `limit` of the notes that `reader` may see, that `wanted` keeps and that have the words
    /// of `query` in any language, behind `after`. `None` when `after` is no cursor of a search.
    pub fn search(
        &self,
        query: &str,
        reader: Reader,
        language: Language,
        after: Option<&Cursor>,
        limit: usize,
        wanted: impl Fn(&Note) -> bool,
    ) -> Option<Found<'_>> {
        let after = match after {
            // What the reader may not see is as unknown as what is not there.
            Some(Cursor { key, id }) => {
                let note = self.notes.entry(*id).filter(|entry| entry.value.audience.admits(reader))?;
                Some((key.parse().ok()?, note.place()))
            }
            None => None,
        };
        let admit = |entry: &Arc<Entry<Note>>| entry.value.audience.admits(reader) && wanted(&entry.value);
        let mut hits = self.index.search(query, language, admit, after, limit + 1);
        let more = hits.len() > limit;
        hits.truncate(limit);
        let last = hits.last().filter(|_| more);
        let next = last.map(|hit| Cursor { key: hit.score.to_string(), id: hit.document.value.id.0 });
        let hits = hits.into_iter().map(|hit| (hit.document.as_ref(), matched(&hit.document.value, hit.matched)));
        Some(Found { hits: hits.collect(), next })
    }
}

fn matched(note: &Note, matched: Matched<'_>) -> Match {
    let place = match matched.field {
        Field::Acronym => Place::Symbol,
        Field::Title => Place::Title,
        Field::Keyword => Place::Heading,
        _ => Place::Text,
    };
    let around = |language| {
        let prose = prose(note.content.texts.exact(language)?);
        excerpt(&prose, matched.text, EXCERPT).map(str::to_owned)
    };
    let stretch = matched.language.filter(|_| place == Place::Text).and_then(around);
    let text = stretch.unwrap_or_else(|| matched.text.to_owned());
    Match { place, text, language: matched.language, how: matched.how }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use domain::inf_notes::{Content, NoteId, Publication, Reissues, SessionDates, Text, Texts};
    use domain::{Confidence, Provenance};

    fn notes(symbols: &[(&str, Audience)]) -> InfNotes {
        let note = |(id, (symbol, audience)): (u128, &(&str, Audience))| {
            let text = Text::parse("Title", None, None, vec![], Confidence::Sample, None).unwrap();
            Note {
                id: NoteId(Uuid::from_u128(id)),
                audience: audience.clone(),
                publication: Publication::Published { at: DateTime::UNIX_EPOCH, embargo_until: None },
                content: Content {
                    symbol: Symbol::parse(symbol).unwrap(),
                    date: None,
                    reissues: Reissues::default(),
                    job_number: None,
                    distribution: None,
                    original_language: None,
                    session_dates: SessionDates::default(),
                    texts: Texts::parse(BTreeMap::from([(Language::En, text)])).unwrap(),
                    provenance: Provenance::parse(Confidence::Sample, None, None).unwrap(),
                },
            }
        };
        InfNotes::new((1..).zip(symbols).map(note).collect())
    }

    #[test]
    fn the_newest_note_stands_first() {
        let symbols = ["A/INF/9/4", "A/INF/77/4/Rev.1", "A/INF/77/12", "A/INF/77/4", "A/INF/77/4/Rev.10"];
        let notes = notes(&symbols.map(|s| (s, Audience::Public)));
        let page = notes.notes().page(Reader::Stranger, Language::En, None, 10, |_| true);
        let listed: Vec<_> = page.entries.iter().map(|e| e.value.content.symbol.to_string()).collect();
        assert_eq!(listed, ["A/INF/77/12", "A/INF/77/4/Rev.10", "A/INF/77/4/Rev.1", "A/INF/77/4", "A/INF/9/4"]);
    }

    #[test]
    fn a_chain_holds_one_document_and_what_its_reader_sees() {
        let notes = notes(&[
            ("A/INF/77/4", Audience::Public),
            ("A/INF/77/4/Rev.1", Audience::Delegates),
            ("A/INF/77/40", Audience::Public),
            ("A/INF/76/4", Audience::Public),
        ]);
        let symbol = Symbol::parse("A/INF/77/4/Rev.1").unwrap();
        assert_eq!(notes.chain(symbol, Reader::Secretariat).issues().len(), 2);
        assert_eq!(notes.chain(symbol, Reader::Stranger).issues().len(), 1);
        assert!(notes.find(symbol, Reader::Stranger).is_none());
        assert!(notes.find(symbol, Reader::Secretariat).is_some());
    }

    fn found(notes: &InfNotes, query: &str, after: Option<&Cursor>, limit: usize) -> (Vec<String>, Option<Cursor>) {
        let found = notes.search(query, Reader::Stranger, Language::En, after, limit, |_| true).unwrap();
        (found.hits.iter().map(|(entry, _)| entry.value.content.symbol.to_string()).collect(), found.next)
    }

    #[test]
    fn words_find_what_their_reader_sees_page_by_page() {
        let notes = notes(&[
            ("A/INF/75/4", Audience::Public),
            ("A/INF/76/4", Audience::Delegates),
            ("A/INF/77/4", Audience::Public),
            ("A/INF/78/4", Audience::Public),
        ]);
        let (first, next) = found(&notes, "titel", None, 2);
        assert_eq!(first, ["A/INF/78/4", "A/INF/77/4"], "equally good: the newest first");
        let (second, next) = found(&notes, "titel", next.as_ref(), 2);
        assert_eq!((second.as_slice(), next), (["A/INF/75/4".to_owned()].as_slice(), None));
        assert_eq!(found(&notes, "A/INF/76/4", None, 9).0, [""; 0]);
        let foreign = Cursor { key: "9923".repeat(9), id: Uuid::nil() };
        assert!(notes.search("title", Reader::Stranger, Language::En, Some(&foreign), 9, |_| true).is_none());
    }
}
