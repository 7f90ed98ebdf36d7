//! The words of the ordered log: streams, positions in them, and what changed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Audience;

/// A separately numbered part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Security bulletins and the places they speak of.
    Bulletins,
    /// INF notes.
    Notes,
    /// Rate cards.
    Costs,
    /// The directory.
    Directory,
    /// What no reader may see yet: changes no tag and wakes no phone.
    Internal,
    /// Clients and keys: never in anybody's sync.
    Identity,
}

impl Stream {
    /// The streams that readers follow.
    pub const PUBLISHED: [Self; 4] = [Self::Bulletins, Self::Notes, Self::Costs, Self::Directory];

    /// The name in the database and in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bulletins => "bulletins",
            Self::Notes => "notes",
            Self::Costs => "costs",
            Self::Directory => "directory",
            Self::Internal => "internal",
            Self::Identity => "identity",
        }
    }

    /// The stream of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Bulletins, Self::Notes, Self::Costs, Self::Directory, Self::Internal, Self::Identity]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place in a stream's history. Two histories that count alike differ in their nonces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Gap-free, from 0 for a stream in which nothing has happened.
    pub rev: i64,
    /// Of the transaction that wrote `rev`.
    pub nonce: Uuid,
}

/// The kinds of object that readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An organization of the directory.
    Organization,
    /// A unit of an organization's tree.
    Unit,
    /// A function.
    Function,
    /// A person.
    Person,
    /// A Permanent or Observer Mission.
    Mission,
    /// A service.
    Service,
    /// A rate card.
    RateCard,
    /// An INF note.
    InfNote,
    /// A security bulletin.
    Bulletin,
    /// An entrance, checkpoint, garage or street.
    Place,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Organization,
        Self::Unit,
        Self::Function,
        Self::Person,
        Self::Mission,
        Self::Service,
        Self::RateCard,
        Self::InfNote,
        Self::Bulletin,
        Self::Place,
    ];

    /// The name in the database and in bodies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Unit => "unit",
            Self::Function => "function",
            Self::Person => "person",
            Self::Mission => "mission",
            Self::Service => "service",
            Self::RateCard => "rate_card",
            Self::InfNote => "inf_note",
            Self::Bulletin => "bulletin",
            Self::Place => "place",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The stream that objects of this kind are published in.
    pub fn stream(self) -> Stream {
        match self {
            Self::Organization | Self::Unit | Self::Function | Self::Person | Self::Mission | Self::Service => {
                Stream::Directory
            }
            Self::RateCard => Stream::Costs,
            Self::InfNote => Stream::Notes,
            Self::Bulletin | Self::Place => Stream::Bulletins,
        }
    }
}

/// One transaction in one published stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub position: Position,
    /// When it was numbered, by the database's clock.
    pub at: DateTime<Utc>,
    /// What it changed, each object once: from what it was before the transaction to what it is after.
    pub changes: Vec<Change>,
}

/// A logged change of an object that some reader could see before or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of object.
    pub kind: Kind,
    /// Which.
    pub id: Uuid,
    /// Who could see it before; nobody for a new or unpublished one.
    pub before: Option<Audience>,
    /// Who can see it after; nobody for a deleted, closed or withdrawn one.
    pub after: Option<Audience>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        for stream in Stream::PUBLISHED.into_iter().chain([Stream::Internal, Stream::Identity]) {
            assert_eq!(Stream::from_name(stream.name()), Some(stream));
        }
    }
}
