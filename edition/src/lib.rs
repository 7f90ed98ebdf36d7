//! The edition: what is published, in memory, as an immutable value.
//!
//! A read takes the current edition and answers from it; it never touches Postgres. A change makes
//! the next edition, which shares with the last every part that did not change.

pub mod bulletins;
mod collection;
pub mod directory;
pub mod event_costs;
mod history;
pub mod inf_notes;
mod layers;
pub mod search;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use bulletins::Bulletins;
pub use collection::{Collection, Cursor, Entry, Item, Page, fold};
pub use directory::Directory;
pub use event_costs::EventCosts;
pub use history::{Gone, History, Touched};
pub use inf_notes::InfNotes;

use domain::{Position, Stream};

/// What is published, at one moment of the database's history.
#[derive(Clone, Default)]
pub struct Edition {
    /// The directory.
    pub directory: Arc<Directory>,
    /// INF notes.
    pub inf_notes: Arc<InfNotes>,
    /// Bulletins, and the places they speak of.
    pub bulletins: Arc<Bulletins>,
    /// Event costs.
    pub event_costs: Arc<EventCosts>,
    histories: BTreeMap<Stream, Arc<History>>,
}

impl Edition {
    /// Where a published stream stands in this edition. `None` for streams that are not published
    /// and before the first snapshot.
    pub fn position(&self, stream: Stream) -> Option<Position> {
        self.history(stream).map(History::head)
    }

    /// The recent history of a published stream.
    pub fn history(&self, stream: Stream) -> Option<&History> {
        self.histories.get(&stream).map(Arc::as_ref)
    }

    /// How many objects of a published stream there are, whoever may see them.
    pub fn len(&self, stream: Stream) -> usize {
        match stream {
            Stream::Directory => self.directory.len(),
            Stream::Notes => self.inf_notes.notes().len(),
            Stream::Bulletins => self.bulletins.len(),
            Stream::Costs => self.event_costs.rate_cards.len(),
            Stream::Internal | Stream::Identity => 0,
        }
    }

    /// Takes over all that another edition has of a stream.
    pub fn take(&mut self, stream: Stream, other: &Self) {
        match stream {
            Stream::Directory => self.directory = other.directory.clone(),
            Stream::Notes => self.inf_notes = other.inf_notes.clone(),
            Stream::Bulletins => self.bulletins = other.bulletins.clone(),
            Stream::Costs => self.event_costs = other.event_costs.clone(),
            Stream::Internal | Stream::Identity => {}
        }
        if let Some(history) = other.histories.get(&stream) {
            self.histories.insert(stream, history.clone());
        }
    }

    /// Puts a stream's history in place of the one before.
    pub fn set_history(&mut self, stream: Stream, history: History) {
        self.histories.insert(stream, Arc::new(history));
    }
}
