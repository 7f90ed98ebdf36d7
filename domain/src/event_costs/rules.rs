//! What an organizer must know apart from the rates: what is not offered, when, and by when.

use std::collections::BTreeSet;

use super::codes::codes;
use super::plan::{Count, EventKind, Organizer};
use super::rate_card::{AppliesWhen, Category};
use crate::{Key, Localized, Provenance};

/// A rule of a rate card.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChargeRule {
    /// Its name. The same code on another card of the same duty station is the same rule at another
    /// time: an estimate quotes the one of the best card.
    pub code: Key,
    /// What it says.
    pub text: Localized,
    /// What follows from it.
    pub effect: Effect,
    /// The services it speaks of; empty: the event as a whole.
    pub categories: BTreeSet<Category>,
    /// For which events and organizers.
    pub scope: Scope,
    /// Under which condition: [`AppliesWhen::Always`], or by the hours of the event.
    pub applies_when: AppliesWhen,
    /// The hours before the first session by which something must be done.
    pub lead_hours: Option<Count<8784>>,
    /// Where it comes from.
    pub provenance: Provenance,
}

codes! {
    /// What follows from a rule.
    Effect {
        /// Good to know.
        Informs = "informs",
        /// The services it speaks of are not to be had.
        NotOffered = "not_offered",
        /// Such an event is not held.
        NotHeld = "not_held",
    }
}

/// For which events and organizers something holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Scope {
    /// Kinds of event; empty: all.
    pub kinds: BTreeSet<EventKind>,
    /// Organizers; empty: all.
    pub organizers: BTreeSet<Organizer>,
}

impl Scope {
    /// Whether an event of this kind by this organizer is meant.
    pub fn admits(&self, kind: EventKind, organizer: Organizer) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.organizers.is_empty() || self.organizers.contains(&organizer))
    }
}
