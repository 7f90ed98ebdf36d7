//! Passwords: how they are compared, and which are too weak.

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use zxcvbn::{Score, zxcvbn};

use crate::{Broken, Rule};

/// The shortest, in characters (ASVS 5.0 6.2.1).
pub const MIN_CHARACTERS: usize = 8;

/// The longest, in bytes of UTF-8 after normalisation. Longer ones would only cost time.
pub const MAX_BYTES: usize = 128;

/// A password as it is hashed: RFC 8265 §4.2 (OpaqueString: any Unicode that shows, spaces as U+0020, NFC), so
/// that the same keys give the same password on every device. None for what cannot be one.
pub fn prepare(typed: &str) -> Option<String> {
    // Normalising could be made to work on megabytes; NFC makes no text shorter than a third.
    (typed.len() <= 3 * MAX_BYTES).then_some(())?;
    OpaqueString::enforce(typed).ok().map(|text| text.into_owned()).filter(|text| text.len() <= MAX_BYTES)
}

/// A new password: long enough, not too long, and not one that is soon guessed (zxcvbn: at least 3 of 4, more
/// than 10^8 guesses) without the words that are known of the person: name, mail, mission.
pub fn parse(typed: &str, known_of_the_person: &[&str]) -> Result<String, Broken> {
    if typed.is_empty() {
        return Err(Broken::new(Rule::Required, message!("must not be empty")));
    }
    if typed.len() > MAX_BYTES {
        return Err(Broken::new(Rule::Length, message!("must have at most {max} bytes", max = MAX_BYTES)));
    }
    let password = prepare(typed)
        .ok_or_else(|| Broken::new(Rule::Characters, message!("must not contain characters that cannot be seen")))?;
    if password.chars().count() < MIN_CHARACTERS {
        return Err(Broken::new(Rule::Length, message!("must have at least {min} characters", min = MIN_CHARACTERS)));
    }
    match zxcvbn(&without(&password, known_of_the_person), &[]).score() {
        Score::Three | Score::Four => Ok(password),
        _ => Err(Broken::new(Rule::Range, message!("is too easy to guess: take several unrelated words"))),
    }
}

/// What of a password is not made of words that are known of the person.
fn without(password: &str, known: &[&str]) -> String {
    let words = known.iter().chain(&["focalpoint", "united nations"]);
    let mut words: Vec<String> = words
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([*text]))
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.iter().fold(password.to_lowercase(), |rest, word| rest.replace(word.as_str(), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_on_another_keyboard_is_the_same() {
        assert_eq!(prepare("cafe\u{301} noir 1971").unwrap(), "café noir 1971");
        assert_eq!(prepare("a\u{3000}b"), Some("a b".into()), "an ideographic space");
        assert_eq!(prepare("Ａb").as_deref(), Some("Ａb"), "width is kept: OpaqueString does not fold");
    }

    #[test]
    fn any_script_will_do() {
        for password in ["تسعة جمال تحت القمر", "пять синих верблюдов", "五只蓝色骆驼过河去", "🐫🌵 dunes at four"]
        {
            assert!(parse(password, &[]).is_ok(), "{password}");
        }
    }

    #[test]
    fn weak_passwords_are_refused() {
        for weak in ["password", "Passw0rd!", "12345678", "qwertyuiop", "focalpoint2026", "aaaaaaaaaaaa"] {
            assert_eq!(parse(weak, &[]).unwrap_err().rule, Rule::Range, "{weak}");
        }
        assert!(parse("amina.diallo 1", &[]).is_ok());
        assert_eq!(
            parse("amina.diallo 1", &["Amina Diallo", "amina.diallo@example.org"]).unwrap_err().rule,
            Rule::Range
        );
    }

    #[test]
    fn lengths_are_counted_as_they_are_told() {
        assert_eq!(parse("", &[]).unwrap_err().rule, Rule::Required);
        assert_eq!(parse("x7%kQ2!", &[]).unwrap_err().rule, Rule::Length, "seven characters");
        assert!(parse(&"dune harp ".repeat(13)[..128], &[]).is_ok());
        assert_eq!(parse(&"é".repeat(65), &[]).unwrap_err().rule, Rule::Length);
        assert_eq!(prepare(&"e\u{301}".repeat(65)), None);
    }

    #[test]
    fn controls_are_refused() {
        for bad in ["abc\u{0}defghij", "line\nline line", "tab\tseparated words"] {
            assert_eq!(parse(bad, &[]).unwrap_err().rule, Rule::Characters, "{bad:?}");
        }
    }
}
