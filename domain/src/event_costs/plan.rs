//! The plan of an event: where, when, what kind, and what is wanted.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use rust_decimal::Decimal;

use super::codes::codes;
use super::rate_card::{Category, RegularHours};
use crate::{Broken, DutyStation, Faults, Language, Rule};

codes! {
    /// What is held.
    EventKind {
        /// A meeting of delegates or officials.
        Meeting = "meeting",
        /// An event beside a conference or session, by a mission, an entity or an NGO.
        SideEvent = "side_event",
        /// Things shown on walls or stands.
        Exhibition = "exhibition",
        /// Guests received, usually with food and drink.
        Reception = "reception",
        /// A briefing of journalists.
        PressConference = "press_conference",
        /// A concert, a film, a performance.
        CulturalEvent = "cultural_event",
        /// Something else.
        Other = "other",
    }
}

codes! {
    /// Who holds it.
    Organizer {
        /// A Permanent Mission or Observer Mission.
        PermanentMission = "permanent_mission",
        /// The Secretariat.
        Secretariat = "secretariat",
        /// A fund, programme or agency.
        UnEntity = "un_entity",
        /// An intergovernmental organization outside the system.
        IntergovernmentalOrganization = "intergovernmental_organization",
        /// A non-governmental organization.
        Ngo = "ngo",
    }
}

/// A number from 0 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Count<const MAX: u32>(u32);

impl<const MAX: u32> Count<MAX> {
    /// Accepts a number.
    pub fn parse(number: i64) -> Result<Self, Broken> {
        match u32::try_from(number) {
            Ok(number) if number <= MAX => Ok(Self(number)),
            _ => Err(Broken::new(Rule::Range, message!("must be from {min} to {max}", min = 0, max = MAX))),
        }
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// One less; 0 stays.
    pub(super) fn less_one(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// A stretch of time in the duty station's wall-clock time, of at most 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    starts: NaiveDateTime,
    ends: NaiveDateTime,
}

impl Session {
    /// Accepts times that make a stretch longer than nothing. An end not after the start is refused
    /// unless `ends_next_day` says that midnight is meant to be passed.
    pub fn parse(date: NaiveDate, start: NaiveTime, end: NaiveTime, ends_next_day: bool) -> Result<Self, Faults> {
        let why = match ends_next_day {
            false if end <= start => message!("must be after start; an event that passes midnight says ends_next_day"),
            true if end > start => message!("must not be more than 24 hours after start"),
            _ => {
                let ends = date.checked_add_days(Days::new(ends_next_day.into())).unwrap_or(date).and_time(end);
                return Ok(Self { starts: date.and_time(start), ends });
            }
        };
        let mut faults = Faults::new();
        faults.add("/end", Broken::new(Rule::Conflict, why));
        Err(faults)
    }

    /// When it begins.
    pub fn starts(&self) -> NaiveDateTime {
        self.starts
    }

    /// When it ends.
    pub fn ends(&self) -> NaiveDateTime {
        self.ends
    }

    /// The time within `regular` hours on Mondays to Fridays.
    pub(super) fn within(&self, regular: RegularHours) -> TimeDelta {
        let days = BTreeSet::from([self.starts.date(), self.ends.date()]);
        days.into_iter()
            .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
            .map(|day| {
                let from = self.starts.max(day.and_time(regular.from()));
                let until = self.ends.min(day.and_time(regular.until()));
                (until - from).max(TimeDelta::zero())
            })
            .sum()
    }

    /// The time that is not [`Session::within`] `regular` hours.
    pub(super) fn outside(&self, regular: RegularHours) -> TimeDelta {
        self.length() - self.within(regular)
    }

    pub(super) fn length(&self) -> TimeDelta {
        self.ends - self.starts
    }

    /// The same length on the same day within `regular` hours, moved as little as possible; `None`
    /// at a weekend or when it is too long.
    pub(super) fn moved_into(&self, regular: RegularHours) -> Option<Self> {
        let day = self.starts.date();
        let latest = day.and_time(regular.until()) - self.length();
        let starts = self.starts.min(latest).max(day.and_time(regular.from()));
        let moved = Self { starts, ends: starts + self.length() };
        (moved.outside(regular).is_zero()).then_some(moved)
    }
}

/// From 1 to 31 sessions within 31 days, none of which overlaps another; the earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sessions(Vec<Session>);

impl Sessions {
    /// The most sessions, and the most days from the first to the last.
    pub const MAX: usize = 31;

    /// Accepts sessions in any order; pointers of faults are their places in `sessions` (`/0`).
    pub fn parse(sessions: Vec<Session>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if sessions.is_empty() {
            faults.add("", Broken::new(Rule::Required, message!("must name at least one session")));
        }
        if sessions.len() > Self::MAX {
            faults.add("", Broken::new(Rule::Length, message!("must have at most {max} entries", max = Self::MAX)));
            return Err(faults);
        }
        let mut placed: Vec<(usize, Session)> = sessions.into_iter().enumerate().collect();
        placed.sort_by_key(|(place, session)| (*session, *place));
        for pair in placed.windows(2) {
            if pair[1].1.starts < pair[0].1.ends {
                let why = message!("overlaps session {place} (the first is 0)", place = pair[0].0);
                faults.add(format!("/{}", pair[1].0), Broken::new(Rule::Conflict, why));
            }
        }
        if let (Some((_, first)), Some((place, last))) = (placed.first(), placed.last())
            && (last.starts.date() - first.starts.date()).num_days() >= 31
        {
            let why = message!("must be within 31 days of the first session");
            faults.add(format!("/{place}/date"), Broken::new(Rule::Range, why));
        }
        faults.finish(Some(Self(placed.into_iter().map(|(_, session)| session).collect())))
    }

    /// The sessions, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.0.iter()
    }

    /// The earliest.
    pub fn first(&self) -> &Session {
        &self.0[0]
    }

    /// The latest.
    pub fn last(&self) -> &Session {
        &self.0[self.0.len() - 1]
    }
}

/// What is wanted at the event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Wishes {
    /// Audiovisual technicians at each session.
    pub technicians: Count<100>,
    /// Engineering supervisors at each session.
    pub supervisors: Count<20>,
    /// The languages to interpret between; empty: no interpretation.
    pub interpretation: BTreeSet<Language>,
    /// Captions (CART) of what is said.
    pub captioning: bool,
    /// Interpretation into sign language.
    pub sign_language: bool,
    /// Security officers beyond what comes with the room.
    pub security: bool,
    /// A room with projector, screen, sound and microphones.
    pub room_equipment: bool,
    /// A live webcast.
    pub webcast: bool,
    /// Participants who join by video.
    pub videoconference: bool,
    /// Pages to be printed or reproduced.
    pub pages: Count<1_000_000>,
}

impl Wishes {
    /// How much of a category is wanted: heads or pages, 1 for what is there or not, 0 for nothing.
    /// Interpretation counts languages.
    pub(super) fn of(&self, category: Category) -> u32 {
        match category {
            Category::Room => self.room_equipment.into(),
            Category::Audiovisual => self.technicians.get(),
            Category::Engineering => self.supervisors.get(),
            Category::Security => self.security.into(),
            Category::Interpretation => self.interpretation.len() as u32,
            Category::Captioning => self.captioning.into(),
            Category::SignLanguage => self.sign_language.into(),
            Category::Webcast => self.webcast.into(),
            Category::Videoconference => self.videoconference.into(),
            Category::Documents => self.pages.get(),
            Category::Administration | Category::ProgrammeSupport | Category::Cancellation | Category::Deposit => 0,
        }
    }
}

/// An event that somebody wants to hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Where.
    pub duty_station: DutyStation,
    /// What.
    pub kind: EventKind,
    /// By whom.
    pub organizer: Organizer,
    /// When.
    pub sessions: Sessions,
    /// How many people, when that is known.
    pub participants: Option<Count<100_000>>,
    /// What is wanted.
    pub wishes: Wishes,
    /// The days of notice with which it would be cancelled, to learn what that would cost.
    pub cancelled_days_before: Option<Count<366>>,
}

/// Accepts a day of the years 1946 to 2100 as `2016-04-21`.
pub fn parse_date(text: &str) -> Result<NaiveDate, Broken> {
    let refused = |rule, why: crate::Message| Broken::new(rule, why);
    let date = match is_shaped(text, "0000-00-00") {
        true => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        false => None,
    };
    let date = date.ok_or_else(|| refused(Rule::Format, message!("must be a date, such as 2016-04-21")))?;
    match (1946..=2100).contains(&date.year()) {
        true => Ok(date),
        false => {
            Err(refused(Rule::Range, message!("must lie in the years {first} to {last}", first = 1946, last = 2100)))
        }
    }
}

/// Accepts a wall-clock time from `00:00` to `23:59`.
pub fn parse_time(text: &str) -> Result<NaiveTime, Broken> {
    let time = match is_shaped(text, "00:00") {
        true => NaiveTime::parse_from_str(text, "%H:%M").ok(),
        false => None,
    };
    time.ok_or_else(|| Broken::new(Rule::Format, message!("must be a time of day from 00:00 to 23:59")))
}

/// Whether `text` is `shape` with any digits for its zeros: chrono alone would take signs and spaces.
fn is_shaped(text: &str, shape: &str) -> bool {
    let fits = |(t, s): (u8, u8)| if s == b'0' { t.is_ascii_digit() } else { t == s };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// A length of time in hours, to the hundredth.
pub(super) fn hours(length: TimeDelta) -> Decimal {
    (Decimal::from(length.num_minutes()) / Decimal::from(60)).round_dp(2).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(date: &str, start: &str, end: &str, ends_next_day: bool) -> Result<Session, Faults> {
        Session::parse(parse_date(date).unwrap(), parse_time(start).unwrap(), parse_time(end).unwrap(), ends_next_day)
    }

    fn minutes(delta: TimeDelta) -> i64 {
        delta.num_minutes()
    }

    fn regular() -> RegularHours {
        RegularHours::parse(parse_time("10:00").unwrap(), parse_time("18:00").unwrap()).unwrap()
    }

    #[test]
    fn midnight_is_passed_only_on_purpose() {
        assert!(session("2016-04-21", "22:00", "01:00", false).is_err());
        assert_eq!(minutes(session("2016-04-21", "22:00", "01:00", true).unwrap().length()), 180);
        assert!(session("2016-04-21", "10:00", "11:00", true).is_err());
        assert!(session("2016-04-21", "10:00", "10:00", false).is_err());
    }

    #[test]
    fn time_outside_regular_hours_is_counted_by_the_minute_and_a_weekend_is_outside() {
        let outside = |s: Session| minutes(s.outside(regular()));
        assert_eq!(outside(session("2016-04-21", "17:30", "19:00", false).unwrap()), 60);
        assert_eq!(outside(session("2016-04-21", "13:15", "14:30", false).unwrap()), 0);
        assert_eq!(outside(session("2016-04-23", "13:15", "14:30", false).unwrap()), 75);
        // Sunday evening to Monday noon: two hours of it are regular
        assert_eq!(minutes(session("2016-04-24", "20:00", "12:00", true).unwrap().within(regular())), 120);
    }

    #[test]
    fn a_session_is_moved_as_little_as_possible() {
        let moved = |date, start, end| session(date, start, end, false).unwrap().moved_into(regular());
        let times = |s: Session| (s.starts().time().to_string(), s.ends().time().to_string());
        assert_eq!(moved("2016-04-21", "18:30", "20:00").map(times), Some(("16:30:00".into(), "18:00:00".into())));
        assert_eq!(moved("2016-04-21", "08:00", "09:00").map(times), Some(("10:00:00".into(), "11:00:00".into())));
        assert_eq!(moved("2016-04-21", "09:00", "20:00"), None);
        assert_eq!(moved("2016-04-23", "18:30", "20:00"), None);
    }

    #[test]
    fn overlapping_and_distant_sessions_are_named() {
        let all = [("2016-04-21", "10:00"), ("2016-05-22", "10:00"), ("2016-04-21", "10:30")];
        let sessions = all.map(|(date, start)| session(date, start, "12:00", false).unwrap()).to_vec();
        let faults = Sessions::parse(sessions).unwrap_err().into_vec();
        assert_eq!(
            faults.iter().map(|f| (f.pointer.as_str(), f.rule)).collect::<Vec<_>>(),
            [("/2", Rule::Conflict), ("/1/date", Rule::Range)]
        );
        assert!(Sessions::parse(vec![]).is_err());
    }

    #[test]
    fn dates_and_times_are_read_strictly() {
        for junk in ["2016-4-21", "21/04/2016", "2016-02-30", "1945-12-31", "2101-01-01", ""] {
            assert!(parse_date(junk).is_err(), "{junk}");
        }
        for junk in ["24:00", "9:00", "09:60", "09:00:00", " 9:00", "9 am", ""] {
            assert!(parse_time(junk).is_err(), "{junk}");
        }
        assert!(Count::<100>::parse(101).is_err() && Count::<100>::parse(-1).is_err());
    }
}
