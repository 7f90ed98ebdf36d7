//! The six official languages, and text that exists in some of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Broken, Faults, Rule, text};

/// An official language of the United Nations, by its BCP 47 tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Arabic
    Ar,
    /// English
    En,
    /// Spanish
    Es,
    /// French
    Fr,
    /// Russian
    Ru,
    /// Chinese
    Zh,
}

impl Language {
    /// All six, in the order of their tags.
    pub const ALL: [Self; 6] = [Self::Ar, Self::En, Self::Es, Self::Fr, Self::Ru, Self::Zh];

    /// The tag: `ar`, `en`, `es`, `fr`, `ru` or `zh`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Ru => "ru",
            Self::Zh => "zh",
        }
    }

    /// The language with exactly this tag, in any case.
    pub fn parse(tag: &str) -> Result<Self, Broken> {
        Self::ALL.into_iter().find(|l| l.tag().eq_ignore_ascii_case(tag)).ok_or_else(|| {
            Broken::new(Rule::OneOf, message!("must be one of {values}", values = Self::ALL.map(Self::tag).join(", ")))
        })
    }

    /// The best language for a user's ranges, most wanted first: RFC 4647 §3.4 lookup, in which a
    /// range is shortened from the right until it names one of the six. `None` when none does.
    pub fn lookup<'a>(ranges: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        ranges.into_iter().find_map(|range| {
            let primary = range.split(['-', '_']).next().unwrap_or_default();
            Self::parse(primary).ok()
        })
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.tag())
    }
}

/// Text in at least one official language. A copy costs nothing, since it shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Language, String>", into = "BTreeMap<Language, String>")]
pub struct Localized(Arc<Texts>);

/// Texts one behind the other, and where that of each language ends.
#[derive(Debug, PartialEq, Eq, Hash, Default)]
struct Texts {
    ends: [u32; Language::ALL.len()],
    all: Box<str>,
}

impl Localized {
    /// The longest text accepted in one language, in characters.
    pub const MAX: usize = 20_000;

    /// Accepts texts by language tag; pointers of faults are relative to the map (`/fr`).
    pub fn parse(texts: &BTreeMap<String, String>, max: usize) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut parsed: [String; Language::ALL.len()] = Default::default();
        for (tag, value) in texts {
            let pointer = format!("/{}", tag.replace('~', "~0").replace('/', "~1"));
            let language = faults.check(&pointer, Language::parse(tag));
            let value = faults.check(&pointer, text::block(value, max));
            if let (Some(language), Some(value)) = (language, value) {
                parsed[language as usize] = value;
            }
        }
        if texts.is_empty() {
            faults.add("", Broken::new(Rule::Required, message!("must have a text in at least one language")));
        }
        faults.finish(Some(Self::of(parsed.each_ref().map(String::as_str))))
    }

    /// The same text for a single language.
    pub fn only(language: Language, text: impl AsRef<str>) -> Self {
        let mut texts = [""; Language::ALL.len()];
        texts[language as usize] = text.as_ref();
        Self::of(texts)
    }

    fn of(texts: [&str; Language::ALL.len()]) -> Self {
        let mut end = 0;
        let ends = texts.map(|text| {
            end += text.len();
            u32::try_from(end).unwrap_or(u32::MAX)
        });
        Self(Arc::new(Texts { ends, all: texts.concat().into() }))
    }

    /// The text in exactly this language.
    pub fn exact(&self, language: Language) -> Option<&str> {
        let Texts { ends, all } = self.0.as_ref();
        let language = language as usize;
        let start = if language == 0 { 0 } else { ends[language - 1] };
        all.get(start as usize..ends[language] as usize).filter(|text| !text.is_empty())
    }

    /// The text for a reader of `language`: that language, else English, else the first there is.
    /// The language returned says which it was.
    pub fn get(&self, language: Language) -> (Language, &str) {
        [language, Language::En]
            .into_iter()
            .chain(Language::ALL)
            .find_map(|l| Some((l, self.exact(l)?)))
            .unwrap_or((language, ""))
    }

    /// Every text with its language.
    pub fn iter(&self) -> impl Iterator<Item = (Language, &str)> {
        Language::ALL.into_iter().filter_map(|l| Some((l, self.exact(l)?)))
    }
}

impl TryFrom<BTreeMap<Language, String>> for Localized {
    type Error = String;

    fn try_from(texts: BTreeMap<Language, String>) -> Result<Self, String> {
        let texts = texts.into_iter().map(|(l, t)| (l.tag().to_owned(), t)).collect();
        Self::parse(&texts, Self::MAX)
            .map_err(|faults| faults.into_vec().into_iter().next().map(|fault| fault.to_string()).unwrap_or_default())
    }
}

impl From<Localized> for BTreeMap<Language, String> {
    fn from(localized: Localized) -> Self {
        localized.iter().map(|(language, text)| (language, text.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_shortened_until_it_names_an_official_language() {
        assert_eq!(Language::lookup(["pt-BR", "zh-Hant-TW", "en"]), Some(Language::Zh));
        assert_eq!(Language::lookup(["pt", "*"]), None);
    }

    #[test]
    fn a_missing_language_falls_back_to_english_and_says_so() {
        let text: Localized = serde_json::from_str(r#"{"en":"Room","fr":"Salle"}"#).unwrap();
        assert_eq!(text.get(Language::Fr), (Language::Fr, "Salle"));
        assert_eq!(text.get(Language::Ru), (Language::En, "Room"));
    }

    #[test]
    fn every_bad_text_is_named() {
        let texts = [("en", ""), ("xx", "a"), ("fr", "b\0")].map(|(l, t)| (l.to_owned(), t.to_owned())).into();
        let faults = Localized::parse(&texts, 10).unwrap_err().into_vec();
        assert_eq!(
            faults.iter().map(|f| (f.pointer.as_str(), f.rule)).collect::<Vec<_>>(),
            [("/en", Rule::Required), ("/fr", Rule::Characters), ("/xx", Rule::OneOf)]
        );
    }
}
