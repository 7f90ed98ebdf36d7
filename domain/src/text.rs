//! Text as it is accepted from outside: NFC, visible, of a bounded length.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Broken, Rule};

/// Accepts a single line of at most `max` characters (Unicode scalar values after NFC and trimming).
pub fn line(text: &str, max: usize) -> Result<String, Broken> {
    let text = block(text, max)?;
    match text.contains(['\n', '\t']) {
        true => Err(Broken::new(Rule::Characters, message!("must be a single line"))),
        false => Ok(text),
    }
}

/// Accepts text of several lines and at most `max` characters; CRLF becomes LF.
///
/// Refused are control characters other than newline and tab, the characters that override or embed a
/// direction (U+202A to U+202E), by which a text can be made to read as another, those that show nothing
/// at all, and piles of marks on one letter. At least one character must be seen. What Arabic needs
/// stays: ZWJ and ZWNJ beside a letter that can be joined, and isolates (U+2066 to U+2069) that are
/// closed on their line, in a text that has letters from right to left.
pub fn block(text: &str, max: usize) -> Result<String, Broken> {
    let text = text.replace("\r\n", "\n");
    let text: String = match is_nfc_quick(text.trim().chars()) {
        IsNormalized::Yes => text.trim().to_owned(),
        _ => text.trim().nfc().collect(),
    };
    let is_seen = |c: char| !c.is_whitespace() && !matches!(c, '\u{200C}' | '\u{200D}') && !is_combining_mark(c);
    if !text.chars().any(is_seen) {
        return Err(Broken::new(Rule::Required, message!("must not be empty")));
    }
    if let Some(c) = text.chars().find(|c| is_refused(*c)).or_else(|| stray(&text)) {
        return Err(Broken::new(Rule::Characters, message!("must not contain {character}", character = code_point(c))));
    }
    if has_pile(&text) {
        return Err(Broken::new(
            Rule::Characters,
            message!("must not pile more than {max} marks on a letter", max = MOST_MARKS),
        ));
    }
    let length = text.chars().count();
    if length > max {
        return Err(Broken::new(
            Rule::Length,
            message!("must have at most {max} characters, has {length}", max, length),
        ));
    }
    Ok(text)
}

/// `U+202E`
pub(crate) fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// More marks than any script piles on a letter.
const MOST_MARKS: usize = 6;

fn has_pile(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks > MOST_MARKS
    })
}

fn is_refused(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{200B}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{00AD}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
        || (c.is_control() && c != '\n' && c != '\t')
}

/// The first character that is good in its place only, and is not in it.
fn stray(text: &str) -> Option<char> {
    let has_right_to_left = text.chars().any(is_right_to_left);
    text.lines().find_map(|line| {
        let mut open = Vec::new();
        let mut before = None;
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            match c {
                '\u{2066}'..='\u{2068}' if has_right_to_left => open.push(c),
                '\u{2069}' if open.pop().is_some() => {}
                '\u{2066}'..='\u{2069}' => return Some(c),
                '\u{200C}' | '\u{200D}' if !(before.is_some_and(joins) || rest.clone().next().is_some_and(joins)) => {
                    return Some(c);
                }
                _ => {}
            }
            before = Some(c);
        }
        open.pop()
    })
}

/// Whether a joiner beside it can mean something: not in Latin, Greek, Cyrillic and Armenian.
fn joins(c: char) -> bool {
    c >= '\u{0590}' && !c.is_whitespace() && !matches!(c, '\u{1E00}'..='\u{206F}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_nfc_and_is_trimmed() {
        assert_eq!(line(" Co\u{302}te d'Ivoire ", 40).as_deref(), Ok("Côte d'Ivoire"));
    }

    #[test]
    fn text_that_shows_nothing_is_empty() {
        for blank in ["", " ", "\u{200D}", "\u{0301}"] {
            assert_eq!(line(blank, 40).map_err(|b| b.rule), Err(Rule::Required), "{blank:?}");
        }
    }

    #[test]
    fn nul_and_direction_overrides_are_refused() {
        for bad in ["a\0b", "a\u{202E}b", "a\u{2066}b\u{2069}", "a\u{200B}b", "a\u{2028}b", "a\u{E0041}b", "a\u{2060}b"]
        {
            assert_eq!(line(bad, 40).map_err(|b| b.rule), Err(Rule::Characters), "{bad:?}");
        }
    }

    #[test]
    fn what_arabic_needs_is_accepted_where_arabic_is() {
        for good in [
            "مكتب \u{2068}UNOG\u{2069} في جنيف",
            "The name is \u{2067}مكتب\u{2069}, in Geneva",
            "می\u{200C}خواهم",
            "ه\u{200D}",
            "क\u{094D}\u{200D}ष",
            "👩\u{200D}💻",
        ] {
            assert_eq!(line(good, 60).as_deref(), Ok(good));
        }
        for bad in [
            "pay\u{200D}pal",
            "\u{200C}x",
            "a\u{2067}b\u{2069}",
            "مكتب \u{2068}UNOG",
            "مكتب UNOG\u{2069}",
            "مكتب \u{202B}UNOG\u{202C}",
        ] {
            assert_eq!(line(bad, 60).map_err(|b| b.rule), Err(Rule::Characters), "{bad:?}");
        }
        let two_lines = "مكتب \u{2068}UNOG\nجنيف\u{2069}";
        assert!(block(two_lines, 60).is_err(), "closed on another line");
    }

    #[test]
    fn marks_are_not_piled_up() {
        assert!(line(&format!("Z{}", "\u{0335}".repeat(7)), 40).is_err());
        for word in ["Việt Nam", "مُحَمَّدٌ", "ကြွှေ", "क्ष्म्य", "שָׁלוֹם"] {
            assert!(line(word, 40).is_ok(), "{word}");
        }
    }

    #[test]
    fn a_length_is_counted_in_characters() {
        assert!(line("مرحبا", 5).is_ok());
        assert_eq!(line("مرحبا", 4).map_err(|b| b.rule), Err(Rule::Length));
    }
}
