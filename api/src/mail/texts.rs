//! What mails say: plain text, in the language of the account.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use domain::{Account, Language, Message};
use persistence::mail::MailKind;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its subject.
    pub subject: String,
    /// Its text, in paragraphs.
    pub body: String,
}

/// A mail to a person. `secret` is its link's, where it has one until `expires_at`.
pub fn text(
    kind: MailKind,
    to: &Account,
    base_url: &str,
    secret: &SecretString,
    expires_at: Option<DateTime<Utc>>,
) -> Text {
    let (subject, first, last) = match kind {
        MailKind::Invitation => (
            message!("Your account on Focalpoint"),
            message!("An account on Focalpoint has been made for you. By this link you set your password:"),
            message!("If you do not know what this is about, do nothing."),
        ),
        MailKind::PasswordReset => (
            message!("Set a new password"),
            message!(
                "Somebody asked to set another password for your account on Focalpoint. If it was you, follow this link:"
            ),
            message!("If it was not you, do nothing: your password stays as it is."),
        ),
        MailKind::PasswordSet => (
            message!("Your password was set"),
            message!("A password was set for your account on Focalpoint, and all your devices were signed out."),
            message!("If it was not you, set another password at once, and tell your administrator:"),
        ),
        MailKind::SecondFactorSet => (
            message!("A second factor was set up"),
            message!("A second factor was set up for your account on Focalpoint."),
            message!("If it was not you, set another password at once, and tell your administrator:"),
        ),
    };
    let language = to.language;
    let say = |message: &Message| message.text(language);
    let lang = format!("lang={language}");
    let mut paragraphs = vec![say(&message!("Hello {name},", name = name(&to.name, language))), say(&first)];
    match expires_at {
        Some(expires_at) => {
            paragraphs.push(format!("{base_url}/account/password/{}?{lang}", secret.expose_secret()));
            let until = expires_at.format("%Y-%m-%d %H:%M UTC");
            paragraphs.push(say(&message!("The link can be used once, until {moment}.", moment = until)));
            paragraphs.push(say(&last));
        }
        None => paragraphs.extend([say(&last), format!("{base_url}/account/forgotten?{lang}")]),
    }
    Text { subject: say(&subject), body: paragraphs.join("\n\n") + "\n" }
}

/// A name of another direction is held together.
fn name(name: &str, language: Language) -> String {
    let is_plain = language != Language::Ar && !name.contains(|c| ('\u{0590}'..='\u{08FF}').contains(&c));
    if is_plain { name.to_owned() } else { format!("\u{2068}{name}\u{2069}") }
}
