//! The published INF notes: by symbol, as chains, newest first.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{Collection, Entry, Item};
use domain::inf_notes::{Chain, Note, Symbol};
use domain::{Audience, Language, Reader};

impl Item for Note {
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

/// The published INF notes.
#[derive(Default)]
pub struct InfNotes {
    notes: Collection<Note>,
    by_symbol: BTreeMap<Symbol, Uuid>,
}

impl InfNotes {
    /// The collection of these notes, whose symbols differ.
    pub fn new(notes: Vec<Note>) -> Self {
        let by_symbol = notes.iter().map(|note| (note.content.symbol, note.id.0)).collect();
        Self { notes: Collection::new(notes), by_symbol }
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
}
