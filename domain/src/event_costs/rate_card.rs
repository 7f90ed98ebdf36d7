//! Rate cards: what one source says about the rates of a duty station in a period.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use iso_currency::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::codes::codes;
use super::money::Price;
use super::rules::{ChargeRule, Scope};
use crate::directory::UnitId;
use crate::{Audience, Broken, DutyStation, Faults, Key, Language, Localized, Provenance, Rule};

/// The id of a rate card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateCardId(pub Uuid);

/// What one source says about the rates of one duty station, or of all, in one period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RateCard {
    /// Stable over re-imports.
    pub id: RateCardId,
    /// Who may see it, and have estimates made from it.
    pub audience: Audience,
    /// Where it holds; `None`: everywhere.
    pub duty_station: Option<DutyStation>,
    /// What it is called.
    pub title: Localized,
    /// When it holds.
    pub validity: Validity,
    /// The currency that its rates are in unless they name another.
    pub currency: Currency,
    /// How many interpreters a team needs, where the source says so.
    pub interpreters: Interpreters,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What is charged. All rates of a category add up.
    pub rates: Distinct<Rate>,
    /// What else an organizer must know.
    pub rules: Distinct<ChargeRule>,
}

/// When a rate card holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Validity {
    /// The source bears no date: it holds on no day that we know of.
    Undated,
    /// From the first to the last day, both included.
    Dated {
        /// The first day.
        from: NaiveDate,
        /// The last day; `None`: until further notice.
        until: Option<NaiveDate>,
        /// Whether the dates were concluded from something else than a statement of the source.
        inferred: bool,
    },
}

impl Validity {
    /// Accepts dates in order; without any, the source is undated.
    pub fn parse(from: Option<NaiveDate>, until: Option<NaiveDate>, inferred: bool) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let validity = match (from, until) {
            (None, None) if inferred => {
                faults.add(
                    "/validity_inferred",
                    Broken::new(Rule::Conflict, message!("there is no date to be inferred")),
                );
                None
            }
            (None, None) => Some(Self::Undated),
            (None, Some(_)) => {
                faults.add(
                    "/valid_from",
                    Broken::new(Rule::Required, message!("must be there when {field} is", field = "valid_until")),
                );
                None
            }
            (Some(from), Some(until)) if until < from => {
                faults.add(
                    "/valid_until",
                    Broken::new(Rule::Conflict, message!("must not be earlier than {field}", field = "valid_from")),
                );
                None
            }
            (Some(from), until) => Some(Self::Dated { from, until, inferred }),
        };
        faults.finish(validity)
    }

    /// Whether it covers every day from `first` to `last`.
    pub fn covers(&self, first: NaiveDate, last: NaiveDate) -> bool {
        match *self {
            Self::Undated => false,
            Self::Dated { from, until, .. } => from <= first && until.is_none_or(|until| last <= until),
        }
    }

    /// The first day, when there is one.
    pub fn from(&self) -> Option<NaiveDate> {
        match *self {
            Self::Undated => None,
            Self::Dated { from, .. } => Some(from),
        }
    }

    /// The last day, when there is one.
    pub fn until(&self) -> Option<NaiveDate> {
        match *self {
            Self::Undated => None,
            Self::Dated { until, .. } => until,
        }
    }

    /// Whether the dates are a conclusion.
    pub fn is_inferred(&self) -> bool {
        matches!(self, Self::Dated { inferred: true, .. })
    }
}

/// How many interpreters a team needs to work into each language; empty: the source does not say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Interpreters(BTreeMap<Language, u32>);

impl Interpreters {
    /// Accepts from 1 to 20 for a language; pointers of faults are `/fr`.
    pub fn parse(numbers: &BTreeMap<String, i64>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut interpreters = BTreeMap::new();
        for (tag, number) in numbers {
            let pointer = format!("/{}", tag.replace('~', "~0").replace('/', "~1"));
            let number = u32::try_from(*number).ok().filter(|n| (1..=20).contains(n));
            let number = faults.check(
                &pointer,
                number.ok_or(Broken::new(Rule::Range, message!("must be from {min} to {max}", min = 1, max = 20))),
            );
            let language = faults.check(&pointer, Language::parse(tag));
            if let (Some(language), Some(number)) = (language, number)
                && interpreters.insert(language, number).is_some()
            {
                faults.add(pointer, Broken::new(Rule::Duplicate, message!("names a language twice")));
            }
        }
        faults.finish(Some(Self(interpreters)))
    }

    /// The number for each language that is stated.
    pub fn iter(&self) -> impl Iterator<Item = (Language, u32)> {
        self.0.iter().map(|(language, number)| (*language, *number))
    }

    /// The size of a team for these languages, when it is stated for all of them.
    pub fn team(&self, languages: &BTreeSet<Language>) -> Option<u32> {
        languages.iter().map(|language| self.0.get(language).copied()).sum()
    }
}

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Its name within the card.
    pub code: Key,
    /// What it pays for.
    pub category: Category,
    /// What it pays for, as the card words it.
    pub item: Localized,
    /// What is counted.
    pub unit: Unit,
    /// How much.
    pub charge: Charge,
    /// Under which condition.
    pub applies_when: AppliesWhen,
    /// For which events and organizers.
    pub scope: Scope,
    /// Who bills it, when the source says so.
    pub office: Option<Office>,
    /// What the reader of an estimate must know about it.
    pub note: Option<Localized>,
    /// Where it comes from.
    pub provenance: Provenance,
}

codes! {
    /// What a charge pays for.
    Category {
        /// A room and what stands in it.
        Room = "room",
        /// Technicians and equipment for sound and picture.
        Audiovisual = "audiovisual",
        /// Building engineers, electricity, air conditioning.
        Engineering = "engineering",
        /// Security officers.
        Security = "security",
        /// Interpretation between spoken languages.
        Interpretation = "interpretation",
        /// Captions of what is said (CART).
        Captioning = "captioning",
        /// Interpretation into sign language.
        SignLanguage = "sign_language",
        /// A live webcast.
        Webcast = "webcast",
        /// Participation by video.
        Videoconference = "videoconference",
        /// Printing and reproduction.
        Documents = "documents",
        /// Staff time and billing.
        Administration = "administration",
        /// The programme support cost, on top of expenditure.
        ProgrammeSupport = "programme_support",
        /// What is due when an event is cancelled.
        Cancellation = "cancellation",
        /// What is paid in advance and set off against the bill.
        Deposit = "deposit",
    }
}

codes! {
    /// What a charge counts.
    Unit {
        /// A technician or supervisor at one session.
        TechnicianMeeting = "technician_meeting",
        /// An hour of each person.
        Hour = "hour",
        /// An interpreter on one day, whatever the number of sessions.
        InterpreterDay = "interpreter_day",
        /// A session.
        Meeting = "meeting",
        /// A day with a session.
        Day = "day",
        /// The whole event, once.
        Event = "event",
        /// A participant.
        Participant = "participant",
        /// A page.
        Page = "page",
        /// What one event of the past cost as a whole: nothing can be computed from it.
        Precedent = "precedent",
        /// A share of other charges.
        Share = "share",
    }
}

codes! {
    /// What a percentage is taken of. It never reaches charges that are worked out later than its
    /// own: prices come first, then percentages, then programme support, then deposit and
    /// cancellation.
    Base {
        /// All prices.
        Charges = "charges",
        /// Prices of people's time: technicians, hours, interpreter-days.
        StaffTime = "staff_time",
        /// Everything that the United Nations bills. What an outside supplier bills is no
        /// expenditure of the United Nations.
        Expenditure = "expenditure",
        /// Everything.
        EstimatedCost = "estimated_cost",
    }
}

/// How much is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charge {
    /// A price for each unit.
    Price(Price),
    /// A share of other charges.
    Percentage {
        /// Above 0, at most 100.
        percent: Decimal,
        /// Of what.
        of: Base,
        /// The charge is due only on a base above this amount.
        above: Option<Price>,
    },
}

impl Charge {
    /// Accepts a percentage above 0 and up to 100, with at most four decimals, and a single amount as
    /// the threshold; pointers of faults are `/percent` and `/above`.
    pub fn percentage(percent: Decimal, of: Base, above: Option<Price>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if percent <= Decimal::ZERO || percent > Decimal::ONE_HUNDRED || percent.normalize().scale() > 4 {
            let why = message!("must be above 0 and at most 100, with at most four decimals");
            faults.add("/percent", Broken::new(Rule::Range, why));
        }
        if above.is_some_and(|above| above.is_range()) {
            faults.add("/above", Broken::new(Rule::Conflict, message!("must be one amount")));
        }
        faults.finish(Some(Self::Percentage { percent: percent.normalize(), of, above }))
    }

    /// Whether `unit` measures this charge: shares measure percentages, and nothing else does.
    pub fn fits(&self, unit: Unit) -> Result<(), Broken> {
        match (self, unit) {
            (Self::Percentage { .. }, Unit::Share) => Ok(()),
            (Self::Percentage { .. }, _) => {
                Err(Broken::new(Rule::Conflict, message!("must be share for a percentage")))
            }
            (Self::Price(_), Unit::Share) => {
                Err(Broken::new(Rule::Conflict, message!("must not be share for a price")))
            }
            (Self::Price(_), _) => Ok(()),
        }
    }
}

/// A day's regular working hours, Mondays to Fridays.
///
/// The sources name the hours alone; that weekends lie outside them is our reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegularHours {
    from: NaiveTime,
    until: NaiveTime,
}

impl RegularHours {
    /// Accepts hours that end after they begin, on the same day.
    pub fn parse(from: NaiveTime, until: NaiveTime) -> Result<Self, Broken> {
        match from < until {
            true => Ok(Self { from, until }),
            false => Err(Broken::new(Rule::Conflict, message!("until must be after from"))),
        }
    }

    /// Their beginning.
    pub fn from(&self) -> NaiveTime {
        self.from
    }

    /// Their end.
    pub fn until(&self) -> NaiveTime {
        self.until
    }
}

/// The condition under which a rate is charged or a rule matters.
///
/// A source that gives one rate "in regular hours" and calls another "additional, outside regular
/// hours" is read as: the first for every session ([`AppliesWhen::OnRequest`]), the second on top of
/// it for each session that reaches outside. A source that gives two rates that exclude each other
/// is written with [`AppliesWhen::RegularHours`] and [`AppliesWhen::OutsideRegularHours`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppliesWhen {
    /// At every event, asked for or not.
    Always,
    /// When it is asked for.
    OnRequest,
    /// When it is asked for, for sessions or time within the hours.
    RegularHours(RegularHours),
    /// When it is asked for, for sessions or time outside the hours.
    OutsideRegularHours(RegularHours),
    /// When the event is cancelled with notice of fewer days than this.
    CancelledWithin(u32),
}

impl AppliesWhen {
    /// The public code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnRequest => "on_request",
            Self::RegularHours(_) => "regular_hours",
            Self::OutsideRegularHours(_) => "outside_regular_hours",
            Self::CancelledWithin(_) => "cancelled_within",
        }
    }

    /// Puts a condition together from its code, and the hours or the days of notice (1 to 366) that
    /// this code asks for; pointers of faults are `/applies_when`, `/regular_hours` and `/notice_days`.
    pub fn parse(code: &str, hours: Option<RegularHours>, days: Option<i64>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let needs = |pointer: &'static str| {
            (pointer, Broken::new(Rule::Required, message!("must be there for this applies_when")))
        };
        let outcome = match (code, hours, days) {
            ("always", None, None) => Ok(Self::Always),
            ("on_request", None, None) => Ok(Self::OnRequest),
            ("regular_hours", Some(hours), None) => Ok(Self::RegularHours(hours)),
            ("outside_regular_hours", Some(hours), None) => Ok(Self::OutsideRegularHours(hours)),
            ("regular_hours" | "outside_regular_hours", None, _) => Err(needs("/regular_hours")),
            ("cancelled_within", None, Some(days)) => match u32::try_from(days) {
                Ok(days @ 1..=366) => Ok(Self::CancelledWithin(days)),
                _ => Err((
                    "/notice_days",
                    Broken::new(Rule::Range, message!("must be from {min} to {max}", min = 1, max = 366)),
                )),
            },
            ("cancelled_within", _, None) => Err(needs("/notice_days")),
            ("always" | "on_request" | "regular_hours" | "outside_regular_hours" | "cancelled_within", _, _) => {
                let extra =
                    if days.is_some() && code != "cancelled_within" { "/notice_days" } else { "/regular_hours" };
                Err((extra, Broken::new(Rule::Conflict, message!("has no meaning for this applies_when"))))
            }
            _ => {
                let codes = "always, on_request, regular_hours, outside_regular_hours, cancelled_within";
                let why = message!("must be one of {values}", values = codes);
                Err(("/applies_when", Broken::new(Rule::OneOf, why)))
            }
        };
        match outcome {
            Ok(condition) => Ok(condition),
            Err((pointer, broken)) => {
                faults.add(pointer, broken);
                Err(faults)
            }
        }
    }

    /// The hours it speaks of.
    pub fn hours(self) -> Option<RegularHours> {
        match self {
            Self::RegularHours(hours) | Self::OutsideRegularHours(hours) => Some(hours),
            Self::Always | Self::OnRequest | Self::CancelledWithin(_) => None,
        }
    }

    /// The days of notice it speaks of.
    pub fn notice_days(self) -> Option<u32> {
        match self {
            Self::CancelledWithin(days) => Some(days),
            Self::Always | Self::OnRequest | Self::RegularHours(_) | Self::OutsideRegularHours(_) => None,
        }
    }
}

codes! {
    /// Whose bill a charge comes on.
    OfficeKind {
        /// An office of the United Nations.
        UnitedNations = "united_nations",
        /// A supplier from outside, paid by the organizer.
        External = "external",
    }
}

/// Who bills a charge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Office {
    /// Its name.
    pub name: Localized,
    /// Inside or outside the house.
    pub kind: OfficeKind,
    /// The unit of the directory, where it is known.
    pub unit: Option<UnitId>,
}

impl Rate {
    /// Whether an outside supplier bills it.
    pub fn is_external(&self) -> bool {
        self.office.as_ref().is_some_and(|office| office.kind == OfficeKind::External)
    }
}

/// A part of a card that has a code there.
pub trait Coded {
    /// The code.
    fn code(&self) -> &Key;
}

impl Coded for Rate {
    fn code(&self) -> &Key {
        &self.code
    }
}

impl Coded for ChargeRule {
    fn code(&self) -> &Key {
        &self.code
    }
}

/// At most 300 parts in the card's order, no two with the same code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Distinct<T>(Vec<T>);

impl<T: Coded> Distinct<T> {
    /// Accepts parts; pointers of faults are `/3/code`.
    pub fn parse(parts: Vec<T>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if parts.len() > 300 {
            faults.add("", Broken::new(Rule::Length, message!("must have at most {max} entries", max = 300)));
        }
        let mut seen = BTreeSet::new();
        for (place, part) in parts.iter().enumerate() {
            if !seen.insert(part.code()) {
                let why = message!("another one of this card has the same code");
                faults.add(format!("/{place}/code"), Broken::new(Rule::Duplicate, why));
            }
        }
        faults.finish(Some(Self(parts)))
    }

    /// The parts, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}
