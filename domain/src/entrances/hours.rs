//! Hours of the day and days of the week, on the clocks of a place.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::moment::{approximate, clock_time, day_start, wall};
use crate::{Broken, Rule};

codes! {
    /// A day of the week.
    Weekday {
        /// Monday
        Monday = "monday",
        /// Tuesday
        Tuesday = "tuesday",
        /// Wednesday
        Wednesday = "wednesday",
        /// Thursday
        Thursday = "thursday",
        /// Friday
        Friday = "friday",
        /// Saturday
        Saturday = "saturday",
        /// Sunday
        Sunday = "sunday",
    }
}

codes! {
    /// What a source's hours say of the time outside them.
    Outside {
        /// They are opening hours: outside them it is closed.
        Closed = "closed",
        /// The source is silent.
        Unknown = "unknown",
    }
}

/// A part of each day. When it does not end later than it begins it ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DailyHours {
    from: NaiveTime,
    until: NaiveTime,
    approximate: bool,
}

impl DailyHours {
    /// Accepts `07:00-21:00` and `approx. 07:00-21:00`, which is read as the hours named. 24:00 is
    /// refused: `07:00-00:00` lasts until the end of the day.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let lower = text.trim().to_lowercase();
        let (hours, approximate) = match approximate(&lower) {
            Some(hours) => (hours, true),
            None => (lower.as_str(), false),
        };
        let (from, until) = hours
            .split_once('-')
            .ok_or_else(|| Broken::new(Rule::Format, message!("must be hours of the day, such as 07:00-21:00")))?;
        let (from, until) = (clock_time(from)?, clock_time(until)?);
        match from == until {
            true => Err(Broken::new(
                Rule::Conflict,
                message!("must not end as it begins: leave the hours out for the whole day"),
            )),
            false => Ok(Self { from, until, approximate }),
        }
    }

    /// When it begins.
    pub fn from(&self) -> NaiveTime {
        self.from
    }

    /// When it ends.
    pub fn until(&self) -> NaiveTime {
        self.until
    }

    /// Whether the source gave the hours as approximate.
    pub fn is_approximate(&self) -> bool {
        self.approximate
    }

    /// Its first instant on `date` and the first after it. A time that clocks skip begins when they
    /// resume; one that they show twice is the first.
    fn on(&self, date: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        let last = if self.until <= self.from { date + Days::new(1) } else { date };
        (wall(zone, date.and_time(self.from)), wall(zone, last.and_time(self.until)))
    }
}

impl TryFrom<String> for DailyHours {
    type Error = Broken;

    fn try_from(text: String) -> Result<Self, Broken> {
        Self::parse(&text)
    }
}

impl From<DailyHours> for String {
    fn from(hours: DailyHours) -> Self {
        let about = if hours.approximate { "approx. " } else { "" };
        format!("{about}{}-{}", hours.from.format("%H:%M"), hours.until.format("%H:%M"))
    }
}

/// The hours and days at which something holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The hours; none: the whole day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daily: Vec<DailyHours>,
    /// The days on which they begin; none: every day.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub weekdays: BTreeSet<Weekday>,
    /// What they say of the rest of the time.
    pub outside: Outside,
}

impl Hours {
    /// Whether `at` lies within them.
    pub fn contain(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let today = at.with_timezone(&zone).date_naive();
        self.windows(today - Days::new(1), zone, 2).any(|(from, until)| from <= at && at < until)
    }

    /// The next instant after `at` at which they begin or end.
    pub fn next_edge(&self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let today = at.with_timezone(&zone).date_naive();
        // Nine days: yesterday's may end today, and a weekday returns in seven.
        self.windows(today - Days::new(1), zone, 10).flat_map(|(from, until)| [from, until]).filter(|t| *t > at).min()
    }

    fn windows(&self, first: NaiveDate, zone: Tz, days: u64) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let on = |date: &NaiveDate| {
            let weekday = Weekday::ALL[date.weekday().num_days_from_monday() as usize];
            self.weekdays.is_empty() || self.weekdays.contains(&weekday)
        };
        (0..days).map(move |n| first + Days::new(n)).filter(on).flat_map(move |date| {
            let whole = self.daily.is_empty().then(|| (day_start(zone, date), day_start(zone, date + Days::new(1))));
            self.daily.iter().map(move |hours| hours.on(date, zone)).chain(whole)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::instant;
    use chrono_tz::America::New_York;
    use proptest::prelude::*;

    fn hours(daily: &[&str], weekdays: &[Weekday]) -> Hours {
        let daily = daily.iter().map(|d| DailyHours::parse(d).unwrap()).collect();
        Hours { daily, weekdays: weekdays.iter().copied().collect(), outside: Outside::Closed }
    }

    fn at(text: &str) -> DateTime<Utc> {
        instant(text).unwrap()
    }

    #[test]
    fn approximate_hours_are_read_as_named_and_marked() {
        let read = DailyHours::parse("approx. 07:00-21:00").unwrap();
        assert!(read.is_approximate());
        assert_eq!(String::from(read), "approx. 07:00-21:00");
        for junk in ["", "7-21", "07:00", "07:00-24:00", "07:00-07:00", "21:00 - 22:00", "é"] {
            assert!(DailyHours::parse(junk).is_err(), "{junk}");
        }
        assert!(DailyHours::parse("07:00-24:00").unwrap_err().to_string().contains("00:00"));
    }

    #[test]
    fn hours_past_midnight_belong_to_the_day_on_which_they_begin() {
        let friday_night = hours(&["20:00-04:00"], &[Weekday::Friday]);
        let contains = |text| friday_night.contain(at(text), New_York);
        assert!(contains("2024-09-20T23:00:00-04:00") && contains("2024-09-21T03:59:00-04:00"));
        assert!(!contains("2024-09-20T03:00:00-04:00") && !contains("2024-09-21T04:00:00-04:00"));
        assert!(!contains("2024-09-21T21:00:00-04:00"));
    }

    #[test]
    fn the_next_edge_is_found_a_week_away() {
        let monday = hours(&["09:00-11:00", "14:00-16:00"], &[Weekday::Monday]);
        let next = |text| monday.next_edge(at(text), New_York).unwrap();
        assert_eq!(next("2024-09-23T09:00:00-04:00"), at("2024-09-23T11:00:00-04:00"));
        assert_eq!(next("2024-09-23T16:00:00-04:00"), at("2024-09-30T09:00:00-04:00"));
    }

    #[test]
    fn on_the_night_of_a_change_hours_begin_when_clocks_first_show_them() {
        let night = hours(&["01:30-02:30"], &[]);
        let length = |from: &str| night.next_edge(at(from), New_York).unwrap() - at(from);
        assert_eq!(length("2024-03-10T01:30:00-05:00").num_minutes(), 30, "02:30 is skipped");
        assert_eq!(length("2024-11-03T01:30:00-04:00").num_minutes(), 120, "01:30 comes twice");
    }

    proptest! {
        #[test]
        fn nothing_changes_before_the_next_edge(
            from in 0u32..1440, length in 1u32..1440, days in proptest::collection::btree_set(0usize..7, 0..4),
            minute in 0i64..366 * 1440, later in 0.0f64..1.0,
        ) {
            let time = |m: u32| format!("{:02}:{:02}", m / 60 % 24, m % 60);
            let weekdays: Vec<_> = days.into_iter().map(|d| Weekday::ALL[d]).collect();
            let hours = hours(&[&format!("{}-{}", time(from), time(from + length))], &weekdays);
            let start = at("2024-01-01T00:00:00Z") + chrono::TimeDelta::minutes(minute);
            let next = hours.next_edge(start, New_York).unwrap();
            let between = start + (next - start).mul_f64_for_test(later);
            prop_assert_eq!(hours.contain(start, New_York), hours.contain(between, New_York));
        }
    }

    trait Fraction {
        fn mul_f64_for_test(self, factor: f64) -> Self;
    }

    impl Fraction for chrono::TimeDelta {
        fn mul_f64_for_test(self, factor: f64) -> Self {
            chrono::TimeDelta::seconds((self.num_seconds() as f64 * factor * 0.999) as i64)
        }
    }
}
