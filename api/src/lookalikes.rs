//! Words that mix alphabets whose letters look alike, as "Раris" with Cyrillic Р and а: not refused, but
//! told to whoever imports, to look at again.

use serde::Serialize;
use serde_json::Value;
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_security::{MixedScript, RestrictionLevel, RestrictionLevelDetection};
use utoipa::ToSchema;

use domain::Language;

/// How many warnings an answer lists.
const LISTED: usize = 100;

/// Something in a row to look at again. The row was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportWarning {
    /// The line of the imported file, from 1.
    #[schema(example = 17)]
    pub line: u64,
    /// A JSON pointer (RFC 6901) into the row.
    #[schema(example = "/name/en")]
    pub pointer: String,
    /// Why.
    #[schema(example = "a word mixes letters of several alphabets that look alike, U+0430 among others")]
    pub detail: String,
}

/// Adds what is worth a second look in a line of JSON, up to a hundred in all.
///
/// `place` makes a pointer into the JSON one into the file's row.
pub fn look(
    line: u64,
    json: &[u8],
    place: &dyn Fn(&str) -> String,
    language: Language,
    found: &mut Vec<ImportWarning>,
) {
    // Most lines need no second reading.
    let may_have = !json.is_ascii() || json.windows(2).any(|two| two == b"\\u");
    if found.len() >= LISTED || !may_have {
        return;
    }
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        walk(&value, &mut String::new(), &mut |pointer, text| {
            let mixed = text.split(|c: char| !c.is_alphanumeric()).find_map(odd_letter);
            if let Some(odd) = mixed.filter(|_| found.len() < LISTED) {
                let character = format!("U+{:04X}", u32::from(odd));
                let detail = message!(
                    "a word mixes letters of several alphabets that look alike, {character} among others",
                    character
                );
                found.push(ImportWarning { line, pointer: place(pointer), detail: detail.text(language) });
            }
        });
    }
}

/// Calls `each` for every text with its pointer.
fn walk(value: &Value, pointer: &mut String, each: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    let mut descend = |part: &str, value: &Value| {
        pointer.push('/');
        pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
        walk(value, pointer, each);
        pointer.truncate(length);
    };
    match value {
        Value::String(text) => each(pointer, text),
        Value::Array(values) => values.iter().enumerate().for_each(|(i, value)| descend(&i.to_string(), value)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| descend(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A letter of the alphabet that fewest letters of a word belong to, if the word mixes alphabets of
/// which UTS #39 says that they are taken for one another: Latin beside Cyrillic or Greek, not beside Han.
fn odd_letter(word: &str) -> Option<char> {
    if word.is_ascii()
        || word.is_single_script()
        || word.check_restriction_level(RestrictionLevel::ModeratelyRestrictive)
    {
        return None;
    }
    let script = |c: char| Some(AugmentedScriptSet::for_char(c)).filter(|set| !set.is_all());
    let rarity = |c: char| {
        let of = script(c);
        word.chars().filter(|other| script(*other) == of).count()
    };
    word.chars().filter(|c| script(*c).is_some()).min_by_key(|c| rarity(*c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(line: u64, json: &[u8], found: &mut Vec<ImportWarning>) {
        super::look(line, json, &str::to_owned, Language::En, found);
    }

    #[test]
    fn a_cyrillic_letter_in_a_latin_word_is_pointed_at() {
        let mut found = Vec::new();
        look(7, r#"{"key": "k", "name": {"en": "Permanent Mission, P\u0430ris"}}"#.as_bytes(), &mut found);
        look(8, "{\"name\": {\"ru\": \"Отдел cвязи\"}, \"a/b\": [\"x\", \"Αthens\"]}".as_bytes(), &mut found);
        let letter = |w: &ImportWarning| w.detail.split(' ').find(|word| word.starts_with("U+")).unwrap().to_owned();
        let found: Vec<_> = found.iter().map(|w| (w.line, w.pointer.as_str(), letter(w))).collect();
        assert_eq!(
            found,
            [(7, "/name/en", "U+0430".into()), (8, "/a~1b/1", "U+0391".into()), (8, "/name/ru", "U+0063".into())]
        );
    }

    #[test]
    fn words_as_people_write_them_are_left_alone() {
        for text in [
            "Côte d'Ivoire, Nº 1ª, Łódź, 3Д",
            "Wi-Fi в зале, COVID‑19, e-почта",
            "联合国UN总部 A股 日本語カナ漢字",
            "مكتب UNOG في جنيف",
            "Αθήνα και Washington",
            "Türkiye, Việt Nam, O‘zbekiston, नेपाल",
        ] {
            let mut found = Vec::new();
            look(1, Value::from(text).to_string().as_bytes(), &mut found);
            assert_eq!(found, [], "{text}");
        }
    }

    #[test]
    fn a_hundred_are_listed() {
        let mut found = Vec::new();
        (0..200).for_each(|line| look(line, "\"Pаris\"".as_bytes(), &mut found));
        assert_eq!(found.len(), LISTED);
    }
}
