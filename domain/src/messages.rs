//! What callers are told, in the six official languages: one table, whose key is the English text.
//!
//! Texts stand in the order of [`Language::ALL`]. `{name}` is a place for an argument. No text
//! inflects a word by a number that it is given: the number stands behind a label instead.

use std::fmt;

use crate::Language;

mod account_pages;
mod accounts;
mod bulletins;
mod directory;
mod event_costs;
mod identity;
mod inf_notes;
mod moments;
mod problems;
mod rows;
mod sign_in;
mod values;

/// One text in the order of [`Language::ALL`]: ar, en, es, fr, ru, zh.
pub type Six = [&'static str; 6];

const ENGLISH: usize = Language::En as usize;

/// The table, by what its rows speak of.
const TABLE: [&[Six]; 12] = [
    problems::ROWS,
    values::ROWS,
    moments::ROWS,
    rows::ROWS,
    directory::ROWS,
    event_costs::ROWS,
    inf_notes::ROWS,
    bulletins::ROWS,
    identity::ROWS,
    sign_in::ROWS,
    account_pages::ROWS,
    accounts::ROWS,
];

/// Every row of the table.
pub fn all() -> impl Iterator<Item = &'static Six> {
    TABLE.into_iter().flatten()
}

/// A text for people, in any language: a row of the table by its English text, and its arguments.
/// Made by [`message!`](crate::message), which refuses to compile without a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    template: &'static str,
    arguments: Vec<(&'static str, Argument)>,
}

/// What stands in a message's place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Argument {
    /// A number or a technical word, the same in every language.
    Text(String),
    /// Another message.
    Message(Message),
}

impl<T: fmt::Display> From<T> for Argument {
    fn from(value: T) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<Message> for Argument {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl Message {
    /// For [`message!`](crate::message) alone, which looks for the row.
    #[doc(hidden)]
    pub fn new(template: &'static str, arguments: Vec<(&'static str, Argument)>) -> Self {
        Self { template, arguments }
    }

    /// The text in a language.
    pub fn text(&self, language: Language) -> String {
        let mut rest = find(self.template).map_or(self.template, |six| six[language as usize]);
        let mut text = String::with_capacity(rest.len());
        while let Some((before, name, after)) = next_place(rest) {
            text.push_str(before);
            match self.arguments.iter().find(|(of, _)| *of == name) {
                Some((_, argument)) => text.push_str(&argument.text(language)),
                None => text.push_str(&rest[before.len()..rest.len() - after.len()]),
            }
            rest = after;
        }
        text + rest
    }
}

impl Argument {
    fn text(&self, language: Language) -> String {
        match self {
            Self::Message(message) => message.text(language),
            Self::Text(text) if language == Language::Ar && is_reordered(text) => format!("\u{2068}{text}\u{2069}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Whether a technical word would be shown in another order amid Arabic: 2016-04-21 becomes 21-04-2016.
fn is_reordered(text: &str) -> bool {
    let number = text.bytes().all(|b| b.is_ascii_digit());
    let word =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    !number && !word
}

/// The text before the first `{name}`, the name, and the text behind.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The row of an English text.
pub const fn find(english: &str) -> Option<&'static Six> {
    let mut part = 0;
    while part < TABLE.len() {
        let mut row = 0;
        while row < TABLE[part].len() {
            if is_at(TABLE[part][row][ENGLISH].as_bytes(), 0, english.as_bytes())
                && TABLE[part][row][ENGLISH].len() == english.len()
            {
                return Some(&TABLE[part][row]);
            }
            row += 1;
        }
        part += 1;
    }
    None
}

/// Fails unless the table has the text, with exactly these places (`{name}`) in every language.
pub const fn check(english: &str, places: &[&str]) {
    let Some(six) = find(english) else { panic!("this text is not in the table of domain/src/messages") };
    let mut language = 0;
    while language < six.len() {
        assert!(count_places(six[language]) == places.len(), "the text has other places than arguments");
        let mut place = 0;
        while place < places.len() {
            assert!(has(six[language], places[place]), "an argument has no place in the text, in one of the languages");
            place += 1;
        }
        language += 1;
    }
}

const fn count_places(text: &str) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < text.len() {
        count += (text.as_bytes()[at] == b'{') as usize;
        at += 1;
    }
    count
}

const fn has(text: &str, part: &str) -> bool {
    let mut at = 0;
    while at + part.len() <= text.len() {
        if is_at(text.as_bytes(), at, part.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_at(text: &[u8], at: usize, part: &[u8]) -> bool {
    if at + part.len() > text.len() {
        return false;
    }
    let mut i = 0;
    while i < part.len() {
        if text[at + i] != part[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A [`Message`]. Does not compile unless the table has the text, with these places in every language.
///
/// ```
/// let min = 1;
/// let message = domain::message!("must be from {min} to {max}", min, max = 200);
/// assert_eq!(message.text(domain::Language::Es), "debe estar entre 1 y 200");
/// ```
/// ```compile_fail
/// domain::message!("must be purple");
/// ```
/// ```compile_fail
/// domain::message!("must be from {min} to {max}", min = 1);
/// ```
#[macro_export]
macro_rules! message {
    (@ $name:ident) => { $crate::messages::Argument::from($name) };
    (@ $name:ident $value:expr) => { $crate::messages::Argument::from($value) };
    ($template:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        const _: () = $crate::messages::check($template, &[$(concat!("{", stringify!($name), "}")),*]);
        $crate::Message::new($template, vec![$((stringify!($name), $crate::message!(@ $name $($value)?))),*])
    }};
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        std::iter::successors(next_place(text), |(.., after)| next_place(after)).map(|(_, name, _)| name).collect()
    }

    #[test]
    fn every_row_has_the_same_places_in_every_language() {
        for six in all() {
            for text in six {
                assert_eq!(places(text), places(six[ENGLISH]), "{text}");
                assert_eq!(text.matches('{').count(), places(text).len(), "{text}");
                assert!(!text.is_empty() && text.trim() == *text, "{text:?}");
            }
        }
    }

    /// Rows that have more than places.
    fn rows_of_words() -> impl Iterator<Item = &'static Six> {
        all().filter(|six| six[ENGLISH] != "{row}: {what}")
    }

    #[test]
    fn no_text_is_given_twice_or_left_in_english() {
        let mut seen = BTreeSet::new();
        for six in rows_of_words() {
            assert!(seen.insert(six[ENGLISH]), "{}", six[ENGLISH]);
            assert_eq!(six.iter().collect::<BTreeSet<_>>().len(), 6, "{}", six[ENGLISH]);
        }
    }

    #[test]
    fn each_language_has_its_own_script_and_punctuation() {
        let is_arabic = |c: char| ('\u{0600}'..='\u{06FF}').contains(&c);
        let is_cyrillic = |c: char| ('\u{0400}'..='\u{04FF}').contains(&c);
        let is_chinese = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
        for [ar, en, es, fr, ru, zh] in rows_of_words() {
            assert!(ar.contains(is_arabic) && !ar.contains([';', '?']), "{ar}");
            assert_eq!(ar.matches('\u{2068}').count(), ar.matches('\u{2069}').count(), "{ar}");
            assert!(ru.contains(is_cyrillic) && zh.contains(is_chinese), "{ru} {zh}");
            assert!(![en, es, fr].iter().any(|text| text.contains(is_cyrillic) || text.contains(is_arabic)), "{en}");
            for (i, _) in zh.match_indices([',', ';', ':', '(', ')']) {
                let beside_chinese = |text: Option<char>| text.is_some_and(is_chinese);
                let (before, after) = (zh[..i].chars().next_back(), zh[i + 1..].chars().next());
                assert!(!beside_chinese(before) && !beside_chinese(after), "half-width: {zh}");
            }
        }
    }

    #[test]
    fn an_argument_stands_in_its_place_in_each_language() {
        let message = message!("must be from {min} to {max}", min = 1, max = 200);
        assert_eq!(message.text(Language::En), "must be from 1 to 200");
        assert_eq!(message.text(Language::Fr), "doit être compris entre 1 et 200");
        let braces = message!("must not contain {character}", character = "{character}");
        assert_eq!(braces.text(Language::En), "must not contain {character}");
    }

    #[test]
    fn a_technical_word_keeps_its_order_amid_arabic() {
        let told = |character: &str| message!("must not contain {character}", character).text(Language::Ar);
        assert!(told("2016-04-21").contains("\u{2068}2016-04-21\u{2069}"));
        assert!(!told("U+202E").contains('\u{2068}'), "read from its first letter");
    }

    #[test]
    fn a_message_within_a_message_is_in_its_language() {
        let what = message!("must not be empty");
        let whole = message!("{row}: {what}", row = "unit hr:a", what);
        assert_eq!(whole.text(Language::Fr), "unit hr:a : ne doit pas être vide");
    }
}
