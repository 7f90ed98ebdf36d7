//! Errors made on purpose: what a log would be like that many have built, and that this one must not be.

use persistence::mutant::Mutant as Flag;

/// An error made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Revisions are drawn from a sequence when a change is made, and not at commit.
    BigserialCursor,
    /// The log is read on by the time at which changes were made.
    ClockCursor,
    /// A revision says it all: nobody looks at the nonce beside it.
    MissingNonceCheck,
    /// What is under an embargo is there, and each read compares it with the clock.
    VisibilityByClock,
    /// The log tells who can see an object now, not who could before.
    NoTombstone,
    /// Whether a copy must forget an object is asked of the last step alone.
    LatestStepOnly,
}

impl Mutant {
    pub(super) const ALL: [Self; 6] = [
        Self::BigserialCursor,
        Self::ClockCursor,
        Self::MissingNonceCheck,
        Self::VisibilityByClock,
        Self::NoTombstone,
        Self::LatestStepOnly,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BigserialCursor => "bigserial cursor",
            Self::ClockCursor => "clock cursor",
            Self::MissingNonceCheck => "missing nonce check",
            Self::VisibilityByClock => "visibility by clock",
            Self::NoTombstone => "no tombstone on loss of audience",
            Self::LatestStepOnly => "latest-step-only remove",
        }
    }

    /// What the program is told.
    pub(super) fn flag(self) -> Option<&'static str> {
        match self {
            Self::ClockCursor => Some(Flag::ClockCursor.name()),
            Self::MissingNonceCheck => Some(Flag::MissingNonceCheck.name()),
            Self::LatestStepOnly => Some(Flag::LatestStepOnly.name()),
            Self::BigserialCursor | Self::VisibilityByClock | Self::NoTombstone => None,
        }
    }

    /// What is done to the database's schema.
    pub(super) fn schema(self) -> Option<&'static str> {
        match self {
            Self::BigserialCursor => Some(include_str!("mutants/bigserial_cursor.sql")),
            Self::ClockCursor => Some(include_str!("mutants/clock_cursor.sql")),
            Self::VisibilityByClock => Some(include_str!("mutants/visibility_by_clock.sql")),
            Self::NoTombstone => Some(include_str!("mutants/no_tombstone.sql")),
            Self::MissingNonceCheck | Self::LatestStepOnly => None,
        }
    }
}
