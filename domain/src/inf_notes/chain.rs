//! How the issues of one document follow each other.

use super::{Citation, Note, NoteId, Role, Symbol};
use crate::Reader;

/// The issues of one document that a reader may see, in their reading order. An issue that the
/// reader may not see is neither listed nor referred to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chain {
    issues: Vec<Issue>,
}

/// One issue's place in its chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issue {
    /// The note.
    pub id: NoteId,
    /// Its symbol with the reissue asterisks.
    pub citation: Citation,
    /// What it is to the issue it was issued on.
    pub role: Role,
    /// What it was issued on and is read together with.
    pub accompanies: Option<Symbol>,
    /// The texts it replaces.
    pub supersedes: Vec<Symbol>,
    /// The latest revision of it, or of what it accompanies.
    pub superseded_by: Option<Symbol>,
}

impl Issue {
    /// Whether nothing has replaced it or what it accompanies.
    pub fn in_force(&self) -> bool {
        self.superseded_by.is_none()
    }
}

impl Chain {
    /// The chain of the document that `symbol` belongs to, out of `notes`, as `reader` sees it.
    pub fn of<'a>(symbol: Symbol, notes: impl IntoIterator<Item = &'a Note>, reader: Reader) -> Self {
        let mut seen: Vec<&Note> = notes
            .into_iter()
            .filter(|note| note.content.symbol.base() == symbol.base() && note.visible_to(reader))
            .collect();
        seen.sort_by_key(|note| (note.content.symbol, note.id));
        let symbols: Vec<Symbol> = seen.iter().map(|note| note.content.symbol).collect();
        Self { issues: seen.iter().map(|note| issue(note, &symbols)).collect() }
    }

    /// The issues, in their reading order.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// The text that stands now: the latest revision, or the base. `None` when the reader sees only
    /// addenda and corrigenda.
    pub fn in_force(&self) -> Option<&Issue> {
        let stands_alone = |issue: &&Issue| issue.citation.symbol.accompanies().is_none();
        self.issues.iter().rev().find(stands_alone)
    }
}

fn issue(note: &Note, symbols: &[Symbol]) -> Issue {
    let symbol = note.content.symbol;
    // An addendum's corrigendum stands on the addendum, which stands on a revision: the outermost
    // text that was replaced takes all that accompanies it along.
    let standing_on = std::iter::successors(Some(symbol), |s| s.accompanies());
    let replaced_by = |s: Symbol| symbols.iter().rev().find(|later| later.supersedes(s)).copied();
    Issue {
        id: note.id,
        citation: note.citation(),
        role: symbol.role(),
        accompanies: symbol.accompanies().filter(|s| symbols.contains(s)),
        supersedes: symbols.iter().filter(|s| symbol.supersedes(**s)).copied().collect(),
        superseded_by: standing_on.filter_map(replaced_by).last(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::inf_notes::{Content, Publication, Reissues, SessionDates, Text, Texts};
    use crate::{Audience, Confidence, Language, Provenance};

    fn note(symbol: &str, audience: Audience) -> Note {
        let text = Text::parse("Title", None, None, vec![], Confidence::Sample, None).unwrap();
        Note {
            id: NoteId(Uuid::nil()),
            audience,
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
    }

    fn chain(symbols: &[&str]) -> Chain {
        let notes: Vec<_> = symbols.iter().map(|s| note(&format!("A/INF/76/4{s}"), Audience::Public)).collect();
        Chain::of(Symbol::parse("A/INF/76/4").unwrap(), &notes, Reader::Stranger)
    }

    fn suffix(symbol: Symbol) -> String {
        symbol.to_string().trim_start_matches("A/INF/76/4").to_owned()
    }

    #[test]
    fn a_chain_is_read_from_the_base_to_the_last_revision() {
        let read =
            chain(&["/Rev.1", "/Corr.1", "/Add.2", "", "/Add.1/Corr.1", "/Rev.1/Add.1", "/Add.1", "/Rev.1/Corr.1"]);
        let order: Vec<_> = read.issues().iter().map(|i| suffix(i.citation.symbol)).collect();
        assert_eq!(
            order,
            ["", "/Corr.1", "/Add.1", "/Add.1/Corr.1", "/Add.2", "/Rev.1", "/Rev.1/Corr.1", "/Rev.1/Add.1"]
        );
    }

    #[test]
    fn a_revision_supersedes_the_base_and_its_earlier_revisions_with_what_accompanies_them() {
        let read = chain(&["", "/Corr.1", "/Add.1", "/Rev.1", "/Rev.2", "/Rev.2/Add.1"]);
        let by: Vec<_> = read.issues().iter().map(|i| i.superseded_by.map(suffix)).collect();
        let rev = || Some("/Rev.2".to_owned());
        assert_eq!(by, [rev(), rev(), rev(), rev(), None, None]);
        let in_force = read.in_force().unwrap();
        assert_eq!(suffix(in_force.citation.symbol), "/Rev.2");
        assert_eq!(in_force.supersedes.iter().copied().map(suffix).collect::<Vec<_>>(), ["", "/Rev.1"]);
    }

    #[test]
    fn a_revised_addendum_replaces_that_addendum_alone() {
        let read = chain(&["", "/Add.1", "/Add.1/Corr.1", "/Add.1/Rev.1", "/Add.2"]);
        let by: Vec<_> = read.issues().iter().map(|i| i.superseded_by.map(suffix)).collect();
        let rev = || Some("/Add.1/Rev.1".to_owned());
        assert_eq!(by, [None, rev(), rev(), None, None]);
        assert_eq!(suffix(read.in_force().unwrap().citation.symbol), "");
    }

    #[test]
    fn a_chain_of_addenda_alone_has_no_text_in_force() {
        assert_eq!(chain(&["/Add.1", "/Add.1/Corr.1"]).in_force(), None);
    }

    #[test]
    fn notes_of_other_documents_are_no_part_of_a_chain() {
        let notes = [note("A/INF/76/4", Audience::Public), note("A/INF/77/4/Rev.1", Audience::Public)];
        assert_eq!(Chain::of(notes[0].content.symbol, &notes, Reader::Stranger).issues().len(), 1);
    }

    #[test]
    fn an_unpublished_note_is_in_nobodys_chain() {
        let mut embargoed = note("A/INF/76/4/Rev.1", Audience::Public);
        embargoed.publication = Publication::Embargoed { until: DateTime::UNIX_EPOCH };
        let notes = [note("A/INF/76/4", Audience::Public), embargoed];
        let read = Chain::of(notes[0].content.symbol, &notes, Reader::Secretariat);
        assert_eq!(read.in_force().map(|i| (i.supersedes.len(), suffix(i.citation.symbol))), Some((0, String::new())));
        assert_eq!(read.issues().len(), 1);
    }

    const SUFFIXES: [&str; 8] =
        ["", "/Corr.1", "/Add.1", "/Add.1/Corr.1", "/Add.1/Rev.1", "/Rev.1", "/Rev.1/Corr.1", "/Rev.2"];

    proptest! {
        #[test]
        fn a_chain_mentions_only_what_its_reader_sees(public in prop::collection::vec(any::<bool>(), SUFFIXES.len())) {
            let audience = |p: &bool| if *p { Audience::Public } else { Audience::Delegates };
            let notes: Vec<_> =
                SUFFIXES.iter().zip(&public).map(|(s, p)| note(&format!("A/INF/76/4{s}"), audience(p))).collect();
            let symbol = notes[0].content.symbol;
            let seen = Chain::of(symbol, &notes, Reader::Stranger);
            let alone: Vec<_> = notes.iter().filter(|n| n.audience == Audience::Public).cloned().collect();
            prop_assert_eq!(seen, Chain::of(symbol, &alone, Reader::Stranger));
        }
    }
}
