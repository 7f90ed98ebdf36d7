//! How to reach somebody: telephone, mail, place and hours.

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::{Broken, Localized, Rule};

/// A telephone number as E.164, with the extension behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredTelephone", into = "StoredTelephone")]
pub struct Telephone {
    number: Box<str>,
    display: Box<str>,
    extension: Option<Box<str>>,
    kind: TelephoneKind,
    note: Option<Localized>,
}

/// What answers at a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TelephoneKind {
    /// A voice.
    #[default]
    Voice,
    /// A mobile telephone.
    Mobile,
    /// A fax machine.
    Fax,
}

impl TelephoneKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Voice, Self::Mobile, Self::Fax];
}

/// Numbers that are also reached from inside the house: E.164 prefix, digits that follow it, and
/// what is dialled inside before those digits.
const HOUSE_EXCHANGES: [(&str, usize, &str); 1] = [("+1212963", 4, "3.")];

impl Telephone {
    /// Accepts a number in international form (`+1 212 963 7351`; punctuation is ignored) that the
    /// ITU numbering plans allow, and an extension of 1 to 10 digits. The number may be a `tel:` URI, which
    /// may carry the extension.
    pub fn parse(
        number: &str,
        extension: Option<&str>,
        kind: TelephoneKind,
        note: Option<Localized>,
    ) -> Result<Self, Broken> {
        let refused = |why: crate::Message| Broken::new(Rule::Format, why);
        let (number, in_uri) = match number.trim().split_at_checked(4) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => take_apart(rest)?,
            _ => (number, None),
        };
        let extension = match (extension, in_uri) {
            (Some(given), Some(in_uri)) if given != in_uri => {
                return Err(Broken::new(Rule::Conflict, message!("has another extension than its tel: URI")));
            }
            (given, in_uri) => given.or(in_uri),
        };
        if !number.trim_start().starts_with('+') {
            return Err(refused(message!("must be in international form, such as +1 212 963 7351")));
        }
        let parsed = phonenumber::parse(None, number).map_err(|_| refused(message!("is not a telephone number")))?;
        if !phonenumber::is_valid(&parsed) {
            return Err(refused(message!("does not exist in its country's numbering plan")));
        }
        let extension = match extension {
            Some(e) if (1..=10).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_digit()) => Some(e.into()),
            Some(_) => return Err(refused(message!("extension must have 1 to 10 digits"))),
            None => None,
        };
        Ok(Self {
            number: parsed.format().mode(phonenumber::Mode::E164).to_string().into(),
            display: parsed.format().mode(phonenumber::Mode::International).to_string().into(),
            extension,
            kind,
            note,
        })
    }

    /// The number as E.164: `+12129637351`.
    pub fn e164(&self) -> &str {
        &self.number
    }

    /// The number as it is written for people: `+1 212-963-7351`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The extension to ask for or dial once connected.
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// What answers.
    pub fn kind(&self) -> TelephoneKind {
        self.kind
    }

    /// A remark, such as the years in which the number was in use.
    pub fn note(&self) -> Option<&Localized> {
        self.note.as_ref()
    }

    /// What is dialled from a telephone inside the house: at Headquarters the four digits behind +1 212 963 are dialled behind 3.
    pub fn inside(&self) -> Option<String> {
        HOUSE_EXCHANGES.iter().find_map(|(prefix, digits, inside)| {
            let rest = self.number.strip_prefix(prefix)?;
            (rest.len() == *digits).then(|| format!("{inside}{rest}"))
        })
    }

    /// The number as a `tel:` URI (RFC 3966).
    pub fn uri(&self) -> String {
        match &self.extension {
            Some(extension) => format!("tel:{};ext={extension}", self.number),
            None => format!("tel:{}", self.number),
        }
    }
}

/// The number and the extension of a `tel:` URI, what follows its scheme (RFC 3966).
fn take_apart(uri: &str) -> Result<(&str, Option<&str>), Broken> {
    let (number, parameters) = uri.split_once(';').map_or((uri, None), |(number, rest)| (number, Some(rest)));
    let extension = match parameters {
        None => None,
        Some(parameter) => match parameter.split_at_checked(4) {
            Some((name, extension)) if name.eq_ignore_ascii_case("ext=") => Some(extension),
            _ => return Err(Broken::new(Rule::Format, message!("a tel: URI may have the parameter ext and no other"))),
        },
    };
    Ok((number, extension))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTelephone {
    number: Box<str>,
    #[serde(default)]
    display: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension: Option<Box<str>>,
    #[serde(default)]
    kind: TelephoneKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Localized>,
}

impl TryFrom<StoredTelephone> for Telephone {
    type Error = Broken;

    // A number whose written form agrees with it was parsed when it was stored. Anything else came
    // by another way (psql) and is parsed here.
    fn try_from(stored: StoredTelephone) -> Result<Self, Broken> {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
        let StoredTelephone { number, display, extension, kind, note } = stored;
        match number.starts_with('+') && digits(&number) == digits(&display) {
            true => Ok(Self { number, display, extension, kind, note }),
            false => Self::parse(&number, extension.as_deref(), kind, note),
        }
    }
}

impl From<Telephone> for StoredTelephone {
    fn from(Telephone { number, display, extension, kind, note }: Telephone) -> Self {
        Self { number, display, extension, kind, note }
    }
}

/// A mail address: the addr-spec of RFC 5322 with a host of at least two labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(Box<str>);

impl Email {
    /// Accepts an address.
    pub fn parse(address: &str) -> Result<Self, Broken> {
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        match EmailAddress::parse_with_options(address, options) {
            Ok(_) => Ok(Self(address.into())),
            Err(_) => Err(Broken::new(Rule::Format, message!("must be a mail address, such as name@un.org"))),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = Broken;

    fn try_from(address: String) -> Result<Self, Broken> {
        Self::parse(&address)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0.into()
    }
}

/// Every way to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contact {
    /// Telephone numbers, the one to try first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub telephones: Vec<Telephone>,
    /// Mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// A web address with scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Box<str>>,
    /// Room, floor and building, or a postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Localized>,
    /// When somebody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Localized>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(number: &str) -> Result<Telephone, Broken> {
        Telephone::parse(number, None, TelephoneKind::Voice, None)
    }

    #[test]
    fn a_headquarters_number_says_how_to_dial_it_inside() {
        let telephone = voice("+1 (212) 963-7351").unwrap();
        assert_eq!(telephone.e164(), "+12129637351");
        assert_eq!(telephone.inside().as_deref(), Some("3.7351"));
        assert_eq!(voice("+41 22 917 3668").unwrap().inside(), None);
    }

    #[test]
    fn an_extension_is_part_of_the_uri() {
        let telephone = Telephone::parse("+41 22 917 3668", Some("12"), TelephoneKind::Voice, None).unwrap();
        assert_eq!(telephone.uri(), "tel:+41229173668;ext=12");
    }

    #[test]
    fn a_uri_reads_back_with_its_extension() {
        for extension in [None, Some("12")] {
            let telephone = Telephone::parse("+41 22 917 3668", extension, TelephoneKind::Voice, None).unwrap();
            assert_eq!(voice(&telephone.uri()), Ok(telephone));
        }
        let parse = |number, extension| Telephone::parse(number, extension, TelephoneKind::Voice, None);
        assert_eq!(parse("TEL:+41-22-917-3668;EXT=12", Some("12")).unwrap().extension(), Some("12"));
        assert_eq!(parse("tel:+41229173668;ext=12", Some("13")).map_err(|b| b.rule), Err(Rule::Conflict));
        for bad in [
            "tel:",
            "tel:2299",
            "tel:+41229173668;",
            "tel:+41229173668;isub=1",
            "tel:+41229173668;ext=",
            "tel:+41229173668;ext=1;ext=2",
            "tel:9173668;phone-context=+41-22",
        ] {
            assert!(voice(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_that_ring_nobody_are_refused() {
        for bad in ["212 963 7351", "+1 212", "+999 123456", "telephone", "", "+1 212 963 73510000"] {
            assert!(voice(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stored_number_reads_back_and_an_edited_one_is_parsed() {
        let stored = serde_json::to_string(&voice("+1 212 963 7351").unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Telephone>(&stored).unwrap().e164(), "+12129637351");
        let edited: Telephone = serde_json::from_str(r#"{"number":"+1 212 963 8114"}"#).unwrap();
        assert_eq!(edited.display(), voice("+12129638114").unwrap().display());
        assert!(serde_json::from_str::<Telephone>(r#"{"number":"963 8114"}"#).is_err());
    }

    #[test]
    fn mail_addresses_without_host_are_refused() {
        assert!(Email::parse("Identification.security-unog@un.org").is_ok());
        for bad in ["", "a", "a@", "@b.org", "a b@un.org", "a@un", "a@-un.org"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
