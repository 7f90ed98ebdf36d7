//! INF notes: the General Assembly's information notes for delegations, their symbols, language
//! versions and revisions.

mod chain;
mod publication;
mod symbol;
mod texts;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codes::codes;

pub use chain::{Chain, Issue};
pub use publication::{Publication, Release, ReleaseError};
pub use symbol::{Citation, Role, Symbol, SymbolError};
pub use texts::{Appearance, Lag, Section, Text, Texts};

use crate::{Audience, Broken, Faults, Language, Localized, Provenance, Reader, Rule};

/// The id of an INF note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoteId(pub Uuid);

/// One issue of an information note, in all its languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// Its id, which survives re-imports.
    pub id: NoteId,
    /// Who may see it once it is published.
    pub audience: Audience,
    /// How far it has come.
    pub publication: Publication,
    /// What it says.
    pub content: Content,
}

/// What a note's front page and pages say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Content {
    /// The document's symbol.
    pub symbol: Symbol,
    /// The date on the front page.
    pub date: Option<NaiveDate>,
    /// When and why it was reissued under the same symbol.
    pub reissues: Reissues,
    /// The job number on the front page, the same in every language.
    pub job_number: Option<JobNumber>,
    /// How far the UN distributes it.
    pub distribution: Option<Distribution>,
    /// The language it was written in.
    pub original_language: Option<Language>,
    /// The days of the session it prepares.
    pub session_dates: SessionDates,
    /// Its language versions.
    pub texts: Texts,
    /// Where all this comes from.
    pub provenance: Provenance,
}

impl Note {
    /// Whether `reader` may see it, or anything of it.
    pub fn visible_to(&self, reader: Reader) -> bool {
        self.publication.is_published() && self.audience.admits(reader)
    }

    /// The symbol as the front page prints it, with an asterisk for each reissue.
    pub fn citation(&self) -> Citation {
        Citation { symbol: self.content.symbol, reissues: self.content.reissues.count() }
    }
}

codes! {
    /// How far the UN distributes a document ("Distr.").
    Distribution {
        /// To everybody.
        General = "general",
        /// To the bodies that deal with it; not final.
        Limited = "limited",
        /// To named recipients.
        Restricted = "restricted",
    }
}

/// A job number: two digits of the year, a hyphen, five digits; `21-10597`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobNumber(Box<str>);

impl JobNumber {
    /// Accepts a job number, without the language letter that a printed one has behind it.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
        match text.split_once('-').is_some_and(|(year, serial)| digits(year, 2) && digits(serial, 5)) {
            true => Ok(Self(text.into())),
            false => Err(Broken::new(Rule::Format, message!("must be a job number such as 21-10597"))),
        }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JobNumber {
    type Error = Broken;

    fn try_from(text: String) -> Result<Self, Broken> {
        Self::parse(&text)
    }
}

impl From<JobNumber> for String {
    fn from(number: JobNumber) -> Self {
        number.0.into()
    }
}

/// One reissue of a document under the same symbol, shown by an asterisk behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reissue {
    /// The day.
    pub on: NaiveDate,
    /// The reason, as the front page gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Localized>,
}

/// A document's reissues, at most nine, each later than the one before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Reissue>", into = "Vec<Reissue>")]
pub struct Reissues(Vec<Reissue>);

impl Reissues {
    /// Accepts the reissues of a document dated `date`; pointers of faults are relative to the list.
    pub fn parse(reissues: Vec<Reissue>, date: Option<NaiveDate>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        if reissues.len() > 9 {
            faults.add("", Broken::new(Rule::Length, message!("must have at most {max} entries", max = 9)));
        }
        let mut before = date;
        for (i, reissue) in reissues.iter().enumerate() {
            let (late, what) = match i {
                0 => (before.is_none_or(|date| date <= reissue.on), message!("must not be before the document's date")),
                _ => {
                    (before.is_some_and(|last| last < reissue.on), message!("must be later than the reissue before it"))
                }
            };
            if !late {
                faults.add(format!("/{i}/on"), Broken::new(Rule::Conflict, what));
            }
            before = Some(reissue.on);
        }
        faults.finish(Some(Self(reissues)))
    }

    /// How many there were: the asterisks behind the symbol.
    pub fn count(&self) -> u8 {
        self.0.len() as u8
    }

    /// The reissues, earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &Reissue> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Reissue>> for Reissues {
    type Error = &'static str;

    fn try_from(reissues: Vec<Reissue>) -> Result<Self, &'static str> {
        Self::parse(reissues, None).map_err(|_| "reissues must be at most nine, in order")
    }
}

impl From<Reissues> for Vec<Reissue> {
    fn from(reissues: Reissues) -> Self {
        reissues.0
    }
}

/// A period of whole days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(NaiveDate, NaiveDate)", into = "(NaiveDate, NaiveDate)")]
pub struct Days {
    from: NaiveDate,
    to: NaiveDate,
}

impl Days {
    /// Accepts a period that does not end before it begins.
    pub fn parse(from: NaiveDate, to: NaiveDate) -> Result<Self, Broken> {
        match from <= to {
            true => Ok(Self { from, to }),
            false => Err(Broken::new(Rule::Conflict, message!("must not end before it begins"))),
        }
    }

    /// The first day.
    pub fn from(self) -> NaiveDate {
        self.from
    }

    /// The last day.
    pub fn to(self) -> NaiveDate {
        self.to
    }
}

impl TryFrom<(NaiveDate, NaiveDate)> for Days {
    type Error = Broken;

    fn try_from((from, to): (NaiveDate, NaiveDate)) -> Result<Self, Broken> {
        Self::parse(from, to)
    }
}

impl From<Days> for (NaiveDate, NaiveDate) {
    fn from(days: Days) -> Self {
        (days.from, days.to)
    }
}

/// The days of a session of the General Assembly, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SessionDates {
    /// The day it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<NaiveDate>,
    /// The high-level week, from its first meeting to its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_level: Option<Days>,
    /// The general debate, which may pause over a Sunday.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub general_debate: Vec<Days>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reissue(on: &str) -> Reissue {
        Reissue { on: on.parse().unwrap(), reason: None }
    }

    #[test]
    fn reissues_follow_the_document_and_one_another() {
        let date = "2021-08-02".parse().ok();
        assert_eq!(Reissues::parse(vec![reissue("2021-08-11"), reissue("2021-08-20")], date).unwrap().count(), 2);
        assert!(Reissues::parse(vec![reissue("2021-08-01")], date).is_err());
        let faults = Reissues::parse(vec![reissue("2021-08-11"), reissue("2021-08-11")], date).unwrap_err();
        assert_eq!(faults.into_vec()[0].pointer, "/1/on");
    }

    #[test]
    fn a_job_number_has_a_year_and_five_digits() {
        assert!(JobNumber::parse("21-10597").is_ok());
        for junk in ["", "21-1059", "2110597", "21-10597 (E)", "xx-10597"] {
            assert!(JobNumber::parse(junk).is_err(), "{junk}");
        }
    }

    #[test]
    fn days_do_not_end_before_they_begin() {
        let day = |d: &str| d.parse::<NaiveDate>().unwrap();
        assert!(Days::parse(day("2021-09-21"), day("2021-09-21")).is_ok());
        assert!(Days::parse(day("2021-09-21"), day("2021-09-20")).is_err());
    }
}
