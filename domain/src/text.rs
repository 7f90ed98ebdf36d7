//! Text as it is accepted from outside: NFC, visible, of a bounded length.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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
/// Refused are control characters other than newline and tab, and the characters that override or
/// embed a direction (U+202A to U+202E, U+2066 to U+2069), by which a text can be made to read as
/// another, and those that show nothing at all. At least one character must be seen. ZWJ and ZWNJ stay: Arabic needs them.
pub fn block(text: &str, max: usize) -> Result<String, Broken> {
    let text: String = text.replace("\r\n", "\n").trim().nfc().collect();
    let is_seen = |c: char| !c.is_whitespace() && !matches!(c, '\u{200C}' | '\u{200D}') && !is_combining_mark(c);
    if !text.chars().any(is_seen) {
        return Err(Broken::new(Rule::Required, message!("must not be empty")));
    }
    if let Some(c) = text.chars().find(|c| is_refused(*c)) {
        return Err(Broken::new(Rule::Characters, message!("must not contain {character}", character = code_point(c))));
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

fn is_refused(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{00AD}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
        || (c.is_control() && c != '\n' && c != '\t')
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
    fn a_length_is_counted_in_characters() {
        assert!(line("مرحبا", 5).is_ok());
        assert_eq!(line("مرحبا", 4).map_err(|b| b.rule), Err(Rule::Length));
    }
}
