//! How far a note has come on its way to readers.

use chrono::{DateTime, Utc};

use crate::{Broken, Rule};

/// How far a note has come. Visibility is this fact alone: no clock is asked on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Publication {
    /// Being written.
    Draft,
    /// Final, and to be published when the embargo ends.
    Embargoed {
        /// The first moment at which it may be published.
        until: DateTime<Utc>,
    },
    /// Before its readers.
    Published {
        /// Since when.
        at: DateTime<Utc>,
        /// The embargo it was under, never later than `at`.
        embargo_until: Option<DateTime<Utc>>,
    },
    /// Taken back, or never published and given up.
    Withdrawn {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// What an editor asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Release {
    /// To keep it as a draft.
    Draft,
    /// To publish it once the embargo is over.
    After(DateTime<Utc>),
    /// To publish it now.
    #[default]
    Now,
}

/// Why a note cannot be released as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseError {
    /// Readers have it already.
    Published,
}

impl From<ReleaseError> for Broken {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Published => Self::new(
                Rule::Conflict,
                message!("is published already: it can be withdrawn, but not be a draft or under an embargo again"),
            ),
        }
    }
}

impl Publication {
    /// Whether readers may see it.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Published { .. })
    }

    /// The publication after a release at `now`, which is the database's clock. What was withdrawn
    /// starts anew; what is published stays published since when it was.
    pub fn released(self, release: Release, now: DateTime<Utc>) -> Result<Self, ReleaseError> {
        match (self, release) {
            (Self::Published { .. }, Release::Now) => Ok(self),
            (Self::Published { at, .. }, Release::After(until)) if until <= at => {
                Ok(Self::Published { at, embargo_until: Some(until) })
            }
            (Self::Published { .. }, Release::Draft | Release::After(_)) => Err(ReleaseError::Published),
            (_, Release::Draft) => Ok(Self::Draft),
            (_, Release::Now) => Ok(Self::Published { at: now, embargo_until: None }),
            (_, Release::After(until)) if until <= now => Ok(Self::Published { at: now, embargo_until: Some(until) }),
            (_, Release::After(until)) => Ok(Self::Embargoed { until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const EARLY: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn late() -> DateTime<Utc> {
        EARLY + TimeDelta::hours(1)
    }

    #[test]
    fn an_embargo_holds_a_note_back_until_it_is_over() {
        let embargoed = Publication::Draft.released(Release::After(late()), EARLY);
        assert_eq!(embargoed, Ok(Publication::Embargoed { until: late() }));
        let over = Publication::Draft.released(Release::After(EARLY), EARLY);
        assert_eq!(over, Ok(Publication::Published { at: EARLY, embargo_until: Some(EARLY) }));
    }

    #[test]
    fn what_is_published_is_never_unpublished_by_a_draft_or_an_embargo() {
        let published = Publication::Published { at: EARLY, embargo_until: None };
        assert_eq!(published.released(Release::Now, late()), Ok(published));
        assert_eq!(published.released(Release::Draft, late()), Err(ReleaseError::Published));
        assert_eq!(published.released(Release::After(late()), late()), Err(ReleaseError::Published));
    }

    #[test]
    fn a_withdrawn_note_may_be_published_again() {
        let withdrawn = Publication::Withdrawn { at: EARLY };
        assert!(!withdrawn.is_published());
        assert!(withdrawn.released(Release::Now, late()).unwrap().is_published());
    }
}
