//! Entrances, checkpoints, garages and streets, and what sources say of when they open, to whom.
//!
//! How an answer comes about is told at [`Place::state_at`].

mod answer;
mod hours;

use std::collections::BTreeSet;
use std::ops::Deref;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulletins::BulletinId;
use crate::codes::codes;
use crate::moment::Moment;
use crate::{Audience, Broken, DutyStation, Faults, Localized, Provenance, Rule};

pub use answer::{Answer, Basis, Reason, State};
pub use hours::{DailyHours, Hours, Outside, Weekday};

/// The id of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceId(pub Uuid);

codes! {
    /// What a place is. The state of a street or garage is about vehicles, that of any other place
    /// about people on foot.
    PlaceKind {
        /// A door or gate into the premises.
        Entrance = "entrance",
        /// Where passes are looked at before the premises.
        Checkpoint = "checkpoint",
        /// A garage.
        Garage = "garage",
        /// A stretch of a street.
        Street = "street",
        /// Where people on foot cross a closed street.
        Crossing = "crossing",
        /// A building, or an office in one.
        Building = "building",
    }
}

codes! {
    /// The passes and kinds of people that sources tell apart. Each stands for itself alone:
    /// nothing is concluded from one about another.
    Pass {
        /// A head of State or Government, or a guest of that rank.
        Vip = "vip",
        /// A Permanent Representative or Observer.
        PermanentRepresentative = "permanent_representative",
        /// A senior official with a gold-coloured pass.
        Gold = "gold",
        /// A delegate who bears a Protocol access pass.
        ProtocolAccess = "protocol_access",
        /// A delegate.
        Delegate = "delegate",
        /// A member of the staff.
        Staff = "staff",
        /// A journalist.
        Media = "media",
        /// Civil society: badge N at Headquarters.
        Ngo = "ngo",
        /// An affiliate: badge A at Headquarters.
        Affiliate = "affiliate",
        /// A retired member of the staff: badge R at Headquarters.
        Retiree = "retiree",
        /// Somebody registered for a conference who has no badge yet.
        ConferenceParticipant = "conference_participant",
        /// A holder of a long-term badge in Geneva.
        LongTerm = "long_term",
        /// The public: visitors and guided tours.
        Visitor = "visitor",
    }
}

codes! {
    /// What an opening says of the passes it names.
    OpeningState {
        /// They are let in.
        Open = "open",
        /// They are let in under a condition: the place is reserved for them, or the note says what else.
        Restricted = "restricted",
        /// They are not let in.
        Closed = "closed",
    }
}

codes! {
    /// Whether people are searched on the way in.
    Screening {
        /// They are.
        Required = "required",
        /// They are not.
        NotRequired = "not_required",
        /// The source does not say.
        Unknown = "unknown",
    }
}

/// Whom an opening is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Passes {
    /// Everybody.
    All,
    /// The holders of these, and nobody else.
    Only(BTreeSet<Pass>),
}

/// From when until when. An end that is missing is that of the bulletin it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Period {
    /// The first instant.
    pub from: Option<Moment>,
    /// The first instant after it.
    pub until: Option<Moment>,
}

/// What an opening says. As an [`Opening`] it keeps the rules of [`Opening::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Its state for `passes`.
    pub state: OpeningState,
    /// Whom it is about.
    pub passes: Passes,
    /// Whom its source sends to another place: for them it is closed.
    pub directed_elsewhere: BTreeSet<Pass>,
    /// When it holds.
    pub period: Period,
    /// At which hours and on which days within the period; `None`: throughout.
    pub hours: Option<Hours>,
    /// Whether people are searched.
    pub screening: Screening,
    /// Conditions and exceptions in words.
    pub note: Option<Localized>,
    /// The bulletin it rests on; `None` for standing arrangements.
    pub basis: Option<BulletinId>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What one source says of a place: [`Terms`] that do not contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opening(Terms);

impl Opening {
    /// Accepts terms: somebody is named, nobody is both let in and sent elsewhere, a restriction
    /// says to whom or what, a period ends after it begins, and what is closed has no opening
    /// hours, only hours of closure.
    pub fn parse(terms: Terms) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let conflict = |detail: crate::Message| Broken::new(Rule::Conflict, detail);
        match &terms.passes {
            Passes::Only(named) if named.is_empty() => {
                faults
                    .add("/passes", Broken::new(Rule::Required, message!("must name a pass, or be left out for all")));
            }
            Passes::Only(named) if !named.is_disjoint(&terms.directed_elsewhere) => {
                faults.add("/directed_elsewhere", conflict(message!("must not name a pass that passes names")));
            }
            Passes::All if !terms.directed_elsewhere.is_empty() => {
                faults.add(
                    "/directed_elsewhere",
                    conflict(message!("needs passes: nobody is left whom it could send elsewhere")),
                );
            }
            Passes::All if terms.state == OpeningState::Restricted && terms.note.is_none() => {
                faults.add(
                    "/note",
                    Broken::new(Rule::Required, message!("must say what the restriction is, or passes to whom")),
                );
            }
            _ => {}
        }
        if let (Some(from), Some(until)) = (&terms.period.from, &terms.period.until)
            && until.at <= from.at
        {
            faults.add("/period/until", conflict(message!("must be later than {field}", field = "from")));
        }
        if terms.state == OpeningState::Closed && terms.hours.as_ref().is_some_and(|h| h.outside == Outside::Closed) {
            faults.add("/hours/outside", conflict(message!("must be unknown: these are hours of closure")));
        }
        faults.finish(Some(Self(terms)))
    }
}

impl Deref for Opening {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        &self.0
    }
}

/// A place and what sources say of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its id.
    pub id: PlaceId,
    /// What it is.
    pub kind: PlaceKind,
    /// Where it is.
    pub duty_station: DutyStation,
    /// What its clocks show.
    pub time_zone: Tz,
    /// Its name.
    pub name: Localized,
    /// Former names, and others that people use.
    pub other_names: Vec<Localized>,
    /// Its street address, or where it lies.
    pub address: Option<Localized>,
    /// Who may see it.
    pub audience: Audience,
    /// What sources say of it.
    pub openings: Vec<Opening>,
    /// Where it comes from.
    pub provenance: Provenance,
}
