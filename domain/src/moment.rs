//! Moments: instants with an offset, and the words of a source as a named rule reads them.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta};
use chrono::{TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::{Broken, Rule, text};

/// The years in which a moment may lie.
pub const YEARS: RangeInclusive<i32> = 1945..=2199;

/// A point in time, and how it was read when its source was not exact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// The instant, to the microsecond.
    pub at: DateTime<Utc>,
    /// How the source's words were read; `None` when the source gave the instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// How the words of a source became an instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// The source's words, such as `c.o.b.`; the date alone when it said no more.
    pub given: Box<str>,
    /// The rule that read them.
    pub rule: ReadingRule,
}

codes! {
    /// The rules by which an inexact time is read, always in the place's own time zone.
    ReadingRule {
        /// A date alone: from its first instant; until its last.
        Day = "day",
        /// `c.o.b.`: 18:00.
        CloseOfBusiness = "close_of_business",
        /// `morning`: from 06:00; until 12:00.
        Morning = "morning",
        /// `noon`: 12:00.
        Noon = "noon",
        /// `afternoon`: from 12:00; until 18:00.
        Afternoon = "afternoon",
        /// `evening`: from 18:00; until the end of the day.
        Evening = "evening",
        /// `approx. 07:00`: the time named.
        ApproximateTime = "approximate_time",
        /// `07:00` without an offset: that time on the place's own clocks.
        LocalTime = "local_time",
        /// `Sunday before the week`: the Sunday before the week, Monday to Sunday, of the date given.
        SundayBeforeTheWeek = "sunday_before_the_week",
    }
}

/// Which end of a period a moment is: words for a part of a day mean its start or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The first instant of the period.
    From,
    /// The first instant after the period.
    Until,
}

impl Moment {
    /// An instant that the source itself gave.
    pub fn exact(at: DateTime<Utc>) -> Self {
        Self { at, reading: None }
    }

    /// Reads `given` (at most 60 characters; the date alone when `None`) on `date` in `zone`.
    ///
    /// A local time that does not exist or comes twice on the night when clocks change is refused.
    pub fn read(given: Option<&str>, date: NaiveDate, zone: Tz, bound: Bound) -> Result<Self, Broken> {
        if !YEARS.contains(&date.year()) {
            return Err(outside_years());
        }
        let given = given.map(|g| text::line(g, 60)).transpose()?;
        let (rule, time) = match &given {
            Some(words) => rule_for(words)?,
            None => (ReadingRule::Day, None),
        };
        let clock = |hour| local(zone, date.and_time(hours(hour)));
        let at = match (rule, bound) {
            (ReadingRule::Day, Bound::From) => day_start(zone, date),
            (ReadingRule::Day | ReadingRule::Evening, Bound::Until) => day_start(zone, date + Days::new(1)),
            (ReadingRule::Morning, Bound::From) => clock(6)?,
            (ReadingRule::Morning, Bound::Until) | (ReadingRule::Noon, _) => clock(12)?,
            (ReadingRule::Afternoon, Bound::From) => clock(12)?,
            (ReadingRule::Afternoon, Bound::Until) | (ReadingRule::CloseOfBusiness, _) => clock(18)?,
            (ReadingRule::Evening, Bound::From) => clock(18)?,
            (ReadingRule::ApproximateTime | ReadingRule::LocalTime, _) => {
                local(zone, date.and_time(time.unwrap_or_default()))?
            }
            (ReadingRule::SundayBeforeTheWeek, _) => {
                let sunday = date - Days::new(u64::from(date.weekday().num_days_from_monday()) + 1);
                day_start(zone, if bound == Bound::From { sunday } else { sunday + Days::new(1) })
            }
        };
        let given = given.unwrap_or_else(|| date.to_string()).into();
        Ok(Self { at, reading: Some(Reading { given, rule }) })
    }
}

/// The words that a rule reads, for people.
const WORDS: &str = "c.o.b., morning, noon, afternoon, evening, approx. HH:MM, HH:MM, Sunday before the week";

fn rule_for(words: &str) -> Result<(ReadingRule, Option<NaiveTime>), Broken> {
    let lower = words.to_lowercase();
    let rule = match lower.as_str() {
        "c.o.b." | "c.o.b" | "cob" | "close of business" => ReadingRule::CloseOfBusiness,
        "morning" => ReadingRule::Morning,
        "noon" => ReadingRule::Noon,
        "afternoon" => ReadingRule::Afternoon,
        "evening" => ReadingRule::Evening,
        "sunday before the week" => ReadingRule::SundayBeforeTheWeek,
        _ => match approximate(&lower) {
            Some(time) => return Ok((ReadingRule::ApproximateTime, Some(clock_time(time)?))),
            None if lower.starts_with(|c: char| c.is_ascii_digit()) => {
                return Ok((ReadingRule::LocalTime, Some(clock_time(&lower)?)));
            }
            None => {
                return Err(Broken::new(
                    Rule::OneOf,
                    message!("no rule reads these words; those that are read: {words}", words = WORDS),
                ));
            }
        },
    };
    Ok((rule, None))
}

/// What follows a word for "about", if the text begins with one.
pub(crate) fn approximate(lower: &str) -> Option<&str> {
    ["approximately ", "approx. ", "approx ", "about ", "around ", "ca. "].iter().find_map(|p| lower.strip_prefix(p))
}

/// Accepts the name of a time zone in the IANA database.
pub fn zone(name: &str) -> Result<Tz, Broken> {
    name.parse().map_err(|_| Broken::new(Rule::OneOf, message!("must be an IANA time zone, such as America/New_York")))
}

/// Accepts a time of day as `HH:MM`, 00:00 to 23:59.
pub fn clock_time(text: &str) -> Result<NaiveTime, Broken> {
    let digits = |i: usize| text.as_bytes().get(i).filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'));
    let number = |i| Some(digits(i)? * 10 + digits(i + 1)?);
    match (text.len(), text.as_bytes().get(2), number(0), number(3)) {
        (5, Some(b':'), Some(24), Some(_)) => {
            Err(Broken::new(Rule::Range, message!("24:00 is refused: write 00:00 of the next day")))
        }
        (5, Some(b':'), Some(hour), Some(minute)) => NaiveTime::from_hms_opt(hour, minute, 0)
            .ok_or_else(|| Broken::new(Rule::Range, message!("must be a time of day from 00:00 to 23:59"))),
        _ => Err(Broken::new(Rule::Format, message!("must be a time of day written HH:MM"))),
    }
}

fn hours(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

/// Accepts an instant as RFC 3339 writes it, with an offset and to the microsecond; what is finer
/// is cut off. Refused are leap seconds, 24:00, a missing offset and years outside [`YEARS`].
pub fn instant(text: &str) -> Result<DateTime<Utc>, Broken> {
    let part = |range| text.get(range).unwrap_or_default();
    if part(11..13) == "24" {
        return Err(Broken::new(Rule::Range, message!("24:00 is refused: write 00:00 of the next day")));
    }
    if part(17..19) == "60" {
        return Err(Broken::new(
            Rule::Range,
            message!("a leap second (:60) is refused: write :59, or :00 of the next minute"),
        ));
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    if local.iter().any(|form| NaiveDateTime::parse_from_str(text, form).is_ok()) {
        return Err(Broken::new(
            Rule::Format,
            message!(
                "must carry its offset from UTC, such as 2026-09-21T08:00:00-04:00: a local time alone is refused"
            ),
        ));
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) if part(10..11) == "T" => match YEARS.contains(&at.year()) && YEARS.contains(&at.to_utc().year()) {
            true => Ok(at.to_utc().trunc_subsecs(6)),
            false => Err(outside_years()),
        },
        _ => Err(Broken::new(Rule::Format, message!("must be an RFC 3339 instant, such as 2026-09-21T08:00:00-04:00"))),
    }
}

fn outside_years() -> Broken {
    let (first, last) = (YEARS.start(), YEARS.end());
    Broken::new(Rule::Range, message!("must lie in the years {first} to {last}", first, last))
}

fn local(zone: Tz, wall: NaiveDateTime) -> Result<DateTime<Utc>, Broken> {
    let (time, date) = (wall.format("%H:%M"), wall.date());
    let why = match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) => return Ok(at.to_utc()),
        LocalResult::Ambiguous(..) => message!(
            "{time} comes twice on {date} in {zone} (clocks go back): give an instant with its offset",
            time,
            date,
            zone
        ),
        LocalResult::None => message!(
            "{time} does not exist on {date} in {zone} (clocks go forward): give an instant with its offset",
            time,
            date,
            zone
        ),
    };
    Err(Broken::new(Rule::Range, why))
}

/// The first instant of a day.
pub(crate) fn day_start(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    wall(zone, date.and_time(NaiveTime::MIN))
}

/// The instant at which clocks in `zone` first show `wall`; where they skip it, the instant at
/// which they do.
pub(crate) fn wall(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    // No zone has skipped more than a day (Samoa, 30 December 2011).
    (0..=25 * 60)
        .find_map(|minutes| zone.from_local_datetime(&(wall + TimeDelta::minutes(minutes))).earliest())
        .map_or_else(|| Utc.from_utc_datetime(&wall), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::New_York;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn read(given: &str, date: &str, bound: Bound) -> Result<String, Rule> {
        Moment::read(Some(given), day(date), New_York, bound)
            .map(|m| m.at.with_timezone(&New_York).to_rfc3339())
            .map_err(|b| b.rule)
    }

    #[test]
    fn close_of_business_is_read_as_18_00_on_the_places_clocks() {
        let moment = Moment::read(Some("c.o.b."), day("2016-04-19"), New_York, Bound::From).unwrap();
        assert_eq!(moment.at, instant("2016-04-19T18:00:00-04:00").unwrap());
        let reading = moment.reading.unwrap();
        assert_eq!((&*reading.given, reading.rule.code()), ("c.o.b.", "close_of_business"));
    }

    #[test]
    fn words_for_a_part_of_the_day_mean_its_start_or_its_end() {
        let both =
            |given| [Bound::From, Bound::Until].map(|b| read(given, "2023-09-17", b).unwrap()[11..16].to_owned());
        assert_eq!(both("afternoon"), ["12:00", "18:00"]);
        assert_eq!(both("Morning"), ["06:00", "12:00"]);
        assert_eq!(both("evening"), ["18:00", "00:00"]);
        assert_eq!(both("approx. 07:00"), ["07:00", "07:00"]);
        assert_eq!(both("21:30"), ["21:30", "21:30"]);
    }

    #[test]
    fn a_date_alone_is_the_whole_day() {
        let ends = [Bound::From, Bound::Until].map(|b| Moment::read(None, day("2023-11-05"), New_York, b).unwrap());
        assert_eq!(ends[1].at - ends[0].at, TimeDelta::hours(25), "the day on which clocks go back");
        assert_eq!(&*ends[0].reading.as_ref().unwrap().given, "2023-11-05");
    }

    #[test]
    fn the_sunday_before_the_week_precedes_its_monday() {
        for date in ["2025-09-22", "2025-09-23", "2025-09-28"] {
            assert_eq!(
                read("Sunday before the week", date, Bound::From).unwrap(),
                "2025-09-21T00:00:00-04:00",
                "{date}"
            );
        }
    }

    #[test]
    fn a_local_time_that_clocks_skip_or_repeat_is_refused_by_name() {
        let refused =
            |given, date| Moment::read(Some(given), day(date), New_York, Bound::From).unwrap_err().to_string();
        assert!(refused("02:30", "2024-03-10").contains("does not exist"));
        assert!(refused("approx. 01:30", "2024-11-03").contains("comes twice"));
        assert!(refused("24:00", "2024-11-04").contains("24:00 is refused"));
    }

    #[test]
    fn words_that_no_rule_reads_are_refused() {
        for given in ["soon", "", "late", "7 a.m.", "approx. soon", "7:00", "07:60", "midnight"] {
            assert!(read(given, "2024-09-23", Bound::From).is_err(), "{given}");
        }
        assert_eq!(read("noon", "1850-01-01", Bound::From), Err(Rule::Range));
    }

    #[test]
    fn an_instant_needs_its_offset() {
        assert_eq!(instant("2016-04-21T09:00:00-04:00"), instant("2016-04-21T13:00:00Z"));
        assert_eq!(instant("2024-09-23T12:45:00.0000009+05:45"), instant("2024-09-23T07:00:00Z"), "Kathmandu");
        let refused = |text| instant(text).map_err(|b| (b.rule, b.to_string())).unwrap_err();
        for text in ["2016-04-21T09:00:00", "2016-04-21T09:00", "2016-04-21T09:00:00.5"] {
            assert!(refused(text).1.contains("offset"), "{text}");
        }
        assert!(refused("2016-12-31T23:59:60Z").1.contains("leap second"));
        assert!(refused("2016-12-31T24:00:00Z").1.contains("24:00"));
        assert_eq!(refused("0016-12-31T23:00:00Z").0, Rule::Range);
        for junk in
            ["", "now", "2016-04-21", "2016-04-21 09:00:00-04:00", "2016-02-30T09:00:00Z", "é2016-04-21T09:00:00Z"]
        {
            assert_eq!(refused(junk).0, Rule::Format, "{junk}");
        }
    }

    #[test]
    fn a_skipped_midnight_begins_the_day_when_clocks_resume() {
        let start = day_start(chrono_tz::Africa::Cairo, day("2024-04-26"));
        assert_eq!(start.with_timezone(&chrono_tz::Africa::Cairo).to_rfc3339(), "2024-04-26T01:00:00+03:00");
    }
}
