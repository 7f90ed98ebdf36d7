//! A note's language versions, and when each appeared.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Broken, Confidence, Faults, Language, Localized, Rule, text};

/// One language version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The title, one line.
    pub title: Box<str>,
    /// The line under the title.
    pub subtitle: Option<Box<str>>,
    /// Place and dates of the meetings, as printed.
    pub place_dates: Option<Box<str>>,
    /// Its sections, in their order.
    pub sections: Vec<Section>,
    /// How far to rely on the words of this version.
    pub confidence: Confidence,
    /// When it appeared, if that is known.
    pub appeared: Option<Appearance>,
}

impl Text {
    /// Accepts a title of at most 500 characters, a subtitle of 300, place and dates of 300 and at
    /// most 100 sections, each number used once.
    pub fn parse(
        title: &str,
        subtitle: Option<&str>,
        place_dates: Option<&str>,
        sections: Vec<Section>,
        confidence: Confidence,
        appeared: Option<Appearance>,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let title = faults.check("/title", text::line(title, 500));
        let subtitle = subtitle.and_then(|s| faults.check("/subtitle", text::line(s, 300)));
        let place_dates = place_dates.and_then(|p| faults.check("/place_dates", text::line(p, 300)));
        if sections.len() > 100 {
            faults.add("/sections", Broken::new(Rule::Length, message!("must have at most {max} entries", max = 100)));
        }
        for (i, section) in sections.iter().enumerate() {
            if sections[..i].iter().any(|s| s.number == section.number) {
                let broken = Broken::new(Rule::Duplicate, message!("is the number of an earlier section"));
                faults.add(format!("/sections/{i}/number"), broken);
            }
        }
        let text = title.map(|title| Self {
            title: title.into(),
            subtitle: subtitle.map(Into::into),
            place_dates: place_dates.map(Into::into),
            sections,
            confidence,
            appeared,
        });
        faults.finish(text)
    }
}

/// A section of one language version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Section {
    /// Its number as printed, such as `IV`; the same in every language.
    pub number: Box<str>,
    /// Its heading.
    pub title: Box<str>,
    /// The page it begins on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u16>,
    /// What it says, in plain text; `None` where only the heading is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
    /// Its heading or text was concluded from other documents, not read in this one.
    #[serde(default)]
    pub inferred: bool,
}

impl Section {
    /// Accepts a number of at most 12 characters, a heading of 500, a text of [`Localized::MAX`] and
    /// a page from 1.
    pub fn parse(
        number: &str,
        title: &str,
        page: Option<u16>,
        body: Option<&str>,
        inferred: bool,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let number = faults.check("/number", text::line(number, 12));
        let title = faults.check("/title", text::line(title, 500));
        let body = body.and_then(|b| faults.check("/text", text::block(b, Localized::MAX)));
        if page == Some(0) {
            faults.add("/page", Broken::new(Rule::Range, message!("pages are counted from 1")));
        }
        let section = number.zip(title).map(|(number, title)| Self {
            number: number.into(),
            title: title.into(),
            page,
            text: body.map(Into::into),
            inferred,
        });
        faults.finish(section)
    }
}

/// The moment a language version appeared, and how far to rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Appearance {
    /// When readers could first have it.
    pub at: DateTime<Utc>,
    /// How far to rely on the moment.
    pub confidence: Confidence,
}

/// How long after the first language another appeared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The language that is late, or first.
    pub language: Language,
    /// Zero for the first.
    pub behind: TimeDelta,
    /// The weaker of the two moments' confidences.
    pub confidence: Confidence,
}

/// A note's language versions: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Texts(BTreeMap<Language, Text>);

impl Texts {
    /// Accepts one version or more.
    pub fn parse(texts: BTreeMap<Language, Text>) -> Result<Self, Broken> {
        match texts.is_empty() {
            true => Err(Broken::new(Rule::Required, message!("must have a text in at least one language"))),
            false => Ok(Self(texts)),
        }
    }

    /// The version in exactly this language.
    pub fn exact(&self, language: Language) -> Option<&Text> {
        self.0.get(&language)
    }

    /// The version for a reader of `language`: that language, else English, else the first there is.
    /// The language returned says which it was.
    pub fn get(&self, language: Language) -> (Language, &Text) {
        [language, Language::En]
            .into_iter()
            .chain(Language::ALL)
            .find_map(|l| Some((l, self.exact(l)?)))
            .expect("Texts::parse refuses an empty map")
    }

    /// Every version with its language.
    pub fn iter(&self) -> impl Iterator<Item = (Language, &Text)> {
        self.0.iter().map(|(l, t)| (*l, t))
    }

    /// How far each language whose moment is known was behind the first of them, in the order in
    /// which they appeared.
    pub fn lags(&self) -> Vec<Lag> {
        let mut known: Vec<_> = self.iter().filter_map(|(l, t)| Some((l, t.appeared?))).collect();
        known.sort_by_key(|(language, appeared)| (appeared.at, *language));
        let Some((_, first)) = known.first().copied() else { return Vec::new() };
        let lag = |(language, appeared): (Language, Appearance)| Lag {
            language,
            behind: appeared.at - first.at,
            confidence: appeared.confidence.max(first.confidence),
        };
        known.into_iter().map(lag).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(appeared: Option<&str>) -> Text {
        let appeared = appeared.map(|at| Appearance { at: at.parse().unwrap(), confidence: Confidence::Reported });
        Text::parse("Title", None, None, vec![], Confidence::Official, appeared).unwrap()
    }

    #[test]
    fn each_language_is_behind_the_first_that_appeared() {
        let texts = Texts::parse(BTreeMap::from([
            (Language::Ar, text(Some("2021-08-04T09:00:00-04:00"))),
            (Language::En, text(Some("2021-08-02T15:00:00Z"))),
            (Language::Fr, text(Some("2021-08-02T11:30:00-04:00"))),
            (Language::Zh, text(None)),
        ]));
        let lags: Vec<_> = texts.unwrap().lags().iter().map(|l| (l.language, l.behind.num_minutes())).collect();
        assert_eq!(lags, [(Language::En, 0), (Language::Fr, 30), (Language::Ar, 46 * 60)]);
    }

    #[test]
    fn a_lag_is_no_surer_than_the_weaker_moment() {
        let mut invented = text(Some("2021-08-01T00:00:00Z"));
        invented.appeared.as_mut().unwrap().confidence = Confidence::Sample;
        let texts = BTreeMap::from([(Language::En, invented), (Language::Fr, text(Some("2021-08-02T00:00:00Z")))]);
        assert!(Texts::parse(texts).unwrap().lags().iter().all(|l| l.confidence == Confidence::Sample));
    }

    #[test]
    fn a_missing_version_falls_back_to_english_then_to_the_first() {
        let texts = Texts::parse(BTreeMap::from([(Language::Ar, text(None)), (Language::En, text(None))])).unwrap();
        assert_eq!(texts.get(Language::Ru).0, Language::En);
        let texts = Texts::parse(BTreeMap::from([(Language::Zh, text(None))])).unwrap();
        assert_eq!(texts.get(Language::Ru).0, Language::Zh);
        assert!(Texts::parse(BTreeMap::new()).is_err());
    }

    #[test]
    fn every_bad_field_of_a_text_is_named() {
        let section = |number| Section::parse(number, "Heading", Some(3), None, false).unwrap();
        let faults = Text::parse("", Some("a\nb"), None, vec![section("I"), section("I")], Confidence::Sample, None);
        let pointers: Vec<_> = faults.unwrap_err().into_vec().into_iter().map(|f| f.pointer).collect();
        assert_eq!(pointers, ["/title", "/subtitle", "/sections/1/number"]);
        assert!(Section::parse("I", "Heading", Some(0), None, false).is_err());
    }
}
