//! What the rows of all imports share: localized text, contacts, provenance.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::NaiveDate;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use domain::{Broken, Confidence, Contact, Email, Faults, Localized, Provenance, Rule, Telephone, TelephoneKind, text};

/// Text by language: `{"en": "…", "fr": "…"}`, in at least one of `ar`, `en`, `es`, `fr`, `ru`, `zh`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Localize(BTreeMap<String, String>);

impl Localize {
    /// By language tag, as given.
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl From<&Localized> for Localize {
    fn from(text: &Localized) -> Self {
        Self(text.iter().map(|(language, text)| (language.tag().to_owned(), text.to_owned())).collect())
    }
}

impl<'de> Deserialize<'de> for Localize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachOnce(TEXTS_BY_LANGUAGE, PhantomData)).map(Self)
    }
}

/// A map whose keys are each given once; left to itself, serde keeps the last of two.
pub fn each_once<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    deserializer.deserialize_map(EachOnce("a map", PhantomData))
}

/// What [`Localize`] expects, by which [`crate::json`] knows it.
pub(crate) const TEXTS_BY_LANGUAGE: &str = "an object of texts by language";

/// What they refuse, by which [`crate::json`] knows it.
pub(crate) const KEY_TWICE: &str = "a key is given twice";

/// With what it expects.
struct EachOnce<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EachOnce<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, T>()? {
            if values.insert(key, value).is_some() {
                return Err(de::Error::custom(KEY_TWICE));
            }
        }
        Ok(values)
    }
}

/// The text of a required field, each language of at most `max` characters.
pub fn localized(faults: &mut Faults, pointer: &str, texts: Localize, max: usize) -> Option<Localized> {
    faults.check_part(pointer, Localized::parse(&texts.0, max))
}

/// The text of a field that may be left out. `None` only when what is there was refused.
pub fn optional_localized(
    faults: &mut Faults,
    pointer: &str,
    texts: Option<Localize>,
    max: usize,
) -> Option<Option<Localized>> {
    match texts {
        None => Some(None),
        Some(texts) => localized(faults, pointer, texts, max).map(Some),
    }
}

/// A telephone number.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TelephoneRow {
    /// In international form, or a `tel:` URI (RFC 3966), with or without `;ext=`.
    #[schema(example = "+1 212 963 7351")]
    number: String,
    /// 1 to 10 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "voice")]
    kind: TelephoneKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Localize>,
}

/// How to reach somebody.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactRow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    telephones: Vec<TelephoneRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Localize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Localize>,
}

impl ContactRow {
    /// The row of a contact; none where there is nothing in it. With `uris` telephone numbers are `tel:`
    /// URIs, which no spreadsheet takes for a formula.
    pub fn of(contact: &Contact, uris: bool) -> Option<Self> {
        let telephone = |telephone: &Telephone| TelephoneRow {
            number: if uris { telephone.uri() } else { telephone.e164().to_owned() },
            extension: telephone.extension().filter(|_| !uris).map(str::to_owned),
            kind: telephone.kind(),
            note: telephone.note().map(Localize::from),
        };
        (*contact != Contact::default()).then(|| Self {
            telephones: contact.telephones.iter().map(telephone).collect(),
            emails: contact.emails.iter().map(|email| email.as_str().to_owned()).collect(),
            url: contact.url.as_deref().map(str::to_owned),
            location: contact.location.as_ref().map(Localize::from),
            hours: contact.hours.as_ref().map(Localize::from),
        })
    }

    /// Parses the row's `contact`; nothing at all when it is left out.
    pub fn parse(row: Option<Self>, faults: &mut Faults) -> Option<Contact> {
        let Some(row) = row else { return Some(Contact::default()) };
        let mut contact = Contact::default();
        for (i, telephone) in row.telephones.into_iter().enumerate() {
            let pointer = format!("/contact/telephones/{i}");
            let note = optional_localized(faults, &format!("{pointer}/note"), telephone.note, 200)?;
            let parsed = Telephone::parse(&telephone.number, telephone.extension.as_deref(), telephone.kind, note);
            contact.telephones.extend(faults.check(&format!("{pointer}/number"), parsed));
        }
        for (i, email) in row.emails.iter().enumerate() {
            contact.emails.extend(faults.check(&format!("/contact/emails/{i}"), Email::parse(email)));
        }
        contact.url = row.url.and_then(|url| faults.check("/contact/url", web_address(&url))).map(Into::into);
        contact.location = optional_localized(faults, "/contact/location", row.location, 500).flatten();
        contact.hours = optional_localized(faults, "/contact/hours", row.hours, 500).flatten();
        Some(contact)
    }
}

fn web_address(url: &str) -> Result<String, Broken> {
    let url = text::line(url, 2000)?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = host.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    // Never userinfo: what stands before the @ reads like a host.
    let well_formed = host.contains('.') && !host.contains('@');
    match well_formed && !url.contains([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        true => Ok(url),
        false => Err(Broken::new(Rule::Format, message!("must be a web address with http:// or https://"))),
    }
}

/// Where a row's statement comes from.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenanceRow {
    #[schema(value_type = String, example = "reported")]
    confidence: Confidence,
    /// A web address or citation; needed unless the confidence is `sample`.
    #[serde(skip_serializing_if = "Option::is_none")]
    citation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<NaiveDate>,
}

impl From<&Provenance> for ProvenanceRow {
    fn from(provenance: &Provenance) -> Self {
        Self {
            confidence: provenance.confidence,
            citation: provenance.citation.as_deref().map(str::to_owned),
            as_of: provenance.as_of,
        }
    }
}

impl ProvenanceRow {
    /// Parses the row's `provenance`.
    pub fn parse(&self, faults: &mut Faults) -> Option<Provenance> {
        let parsed = Provenance::parse(self.confidence, self.citation.as_deref(), self.as_of);
        faults.check_part("/provenance", parsed)
    }
}
