//! What all bodies share: text in one language with a named fallback, contacts, provenance.

use std::collections::BTreeMap;
use std::fmt::Display;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use domain::{Audience, Confidence, Contact, Language, Localized, Provenance, Reader, TelephoneKind};

/// For whom and in which language a body is rendered, and where the language had to be left.
pub struct Rendering {
    /// Who reads.
    pub reader: Reader,
    /// The language asked for.
    pub language: Language,
    fallbacks: BTreeMap<String, Language>,
}

impl Rendering {
    /// Starts a body.
    pub fn new(reader: Reader, language: Language) -> Self {
        Self { reader, language, fallbacks: BTreeMap::new() }
    }

    /// Notes that `field` is in `language`.
    pub fn note_language(&mut self, field: impl Display, language: Language) {
        if language != self.language {
            self.fallbacks.insert(field.to_string(), language);
        }
    }

    /// The text of `field` in the language asked for, or else noting which one it is in.
    pub fn text(&mut self, field: impl Display, text: &Localized) -> String {
        let (language, text) = text.get(self.language);
        self.note_language(field, language);
        text.to_owned()
    }

    /// [`Rendering::text`] of a text that may not be there.
    pub fn text_or_none(&mut self, field: impl Display, text: Option<&Localized>) -> Option<String> {
        text.map(|text| self.text(field, text))
    }

    /// Ends a body: the fields whose text is in another language than the one asked for.
    pub fn fallbacks(self) -> BTreeMap<String, Language> {
        self.fallbacks
    }

    /// Renders a contact, below `field`.
    pub fn contact(&mut self, contact: &Contact) -> ContactBody {
        let telephones = contact
            .telephones
            .iter()
            .enumerate()
            .map(|(i, t)| TelephoneBody {
                number: t.e164().to_owned(),
                display: t.display().to_owned(),
                extension: t.extension().map(str::to_owned),
                inside: t.inside(),
                uri: t.uri(),
                kind: t.kind(),
                note: self.text_or_none(format_args!("contact.telephones.{i}.note"), t.note()),
            })
            .collect();
        ContactBody {
            telephones,
            emails: contact.emails.iter().map(|e| e.as_str().to_owned()).collect(),
            url: contact.url.as_deref().map(str::to_owned),
            location: self.text_or_none("contact.location", contact.location.as_ref()),
            hours: self.text_or_none("contact.hours", contact.hours.as_ref()),
        }
    }
}

/// How to reach somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactBody {
    /// Telephone numbers, the one to try first first.
    pub telephones: Vec<TelephoneBody>,
    /// Mail addresses.
    #[schema(example = json!(["mms@un.org"]))]
    pub emails: Vec<String>,
    /// A web address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Room, floor and building, or a postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "12th floor, Secretariat Building")]
    pub location: Option<String>,
    /// When somebody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// A telephone number and how to dial it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TelephoneBody {
    /// E.164.
    #[schema(example = "+12129637351")]
    pub number: String,
    /// As written for people.
    #[schema(example = "+1 212-963-7351")]
    pub display: String,
    /// The extension to dial once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// What to dial from a telephone inside the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "3.7351")]
    pub inside: Option<String>,
    /// For the dialler (RFC 3966).
    #[schema(example = "tel:+12129637351")]
    pub uri: String,
    /// What answers.
    #[schema(value_type = String, example = "voice")]
    pub kind: TelephoneKind,
    /// A remark, such as the years in which the number was in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where an entry comes from and how far to rely on it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvenanceBody {
    /// `official`, `reported`, `inferred`, or `sample`: made up for demonstration.
    #[schema(value_type = String, example = "reported")]
    pub confidence: Confidence,
    /// A web address or citation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
    /// The day on which it was last known to be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<NaiveDate>,
}

impl From<&Provenance> for ProvenanceBody {
    fn from(provenance: &Provenance) -> Self {
        Self {
            confidence: provenance.confidence,
            citation: provenance.citation.as_deref().map(str::to_owned),
            as_of: provenance.as_of,
        }
    }
}

/// The audience's word in a body. Which missions are named is not told.
pub fn audience_word(audience: &Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Delegates => "delegates",
        Audience::Secretariat => "secretariat",
        Audience::Missions(_) => "missions",
    }
}
