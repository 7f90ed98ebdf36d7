//! The directory's entries as a search finds them.

use std::sync::Arc;

use uuid::Uuid;

use super::Found;
use crate::layers::{self, Place};
use crate::search::{Builder, Field, family_in_native};
use crate::{Entry, Item, fold};
use domain::directory::{FormerName, Function, Mission, Organization, Person, Service, Unit};
use domain::{Audience, Contact, Kind, Language, Localized};

/// An entry of any kind, held by the index.
#[derive(Clone)]
pub(super) enum Document {
    Service(Arc<Entry<Service>>),
    Function(Arc<Entry<Function>>),
    Unit(Arc<Entry<Unit>>),
    Organization(Arc<Entry<Organization>>),
    Mission(Arc<Entry<Mission>>),
    Person(Arc<Entry<Person>>),
}

macro_rules! documents {
    ($($kind:ident)*) => {
        $(impl From<Arc<Entry<$kind>>> for Document {
            fn from(entry: Arc<Entry<$kind>>) -> Self {
                Self::$kind(entry)
            }
        })*

        impl Document {
            pub(super) fn found(&self) -> Found<'_> {
                match self {
                    $(Self::$kind(entry) => Found::$kind(entry),)*
                }
            }

            pub(super) fn audience(&self) -> &Audience {
                match self {
                    $(Self::$kind(entry) => &entry.value.audience,)*
                }
            }

            pub(super) fn name(&self) -> (Kind, Uuid) {
                match self {
                    $(Self::$kind(entry) => (Kind::$kind, entry.value.id.0),)*
                }
            }

            fn sort_key(&self) -> String {
                match self {
                    $(Self::$kind(entry) => fold(&entry.value.sort_key(Language::En)),)*
                }
            }

            fn is(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$kind(entry), Self::$kind(other)) => Arc::ptr_eq(entry, other),)*
                    _ => false,
                }
            }
        }
    };
}

documents! { Service Function Unit Organization Mission Person }

impl layers::Document for Document {
    fn place(&self) -> Place {
        let kind = match self {
            Self::Service(_) => 0,
            Self::Function(_) => 1,
            Self::Unit(_) => 2,
            Self::Organization(_) => 3,
            Self::Mission(_) => 4,
            Self::Person(_) => 5,
        };
        (kind, self.sort_key(), self.name().1)
    }

    fn is(&self, other: &Self) -> bool {
        Self::is(self, other)
    }

    fn describe(&self, builder: &mut Builder, number: u32) {
        let mut texts = Texts { builder, number };
        match self {
            Self::Service(entry) => {
                let service = &entry.value;
                texts.localized(Field::Name, &service.name);
                service.keywords.iter().for_each(|keyword| texts.localized(Field::Keyword, keyword));
                service.description.iter().for_each(|description| texts.localized(Field::Body, description));
            }
            Self::Function(entry) => {
                texts.localized(Field::Name, &entry.value.title);
                texts.contact(&entry.value.contact);
            }
            Self::Unit(entry) => {
                let unit = &entry.value;
                texts.named(&unit.name, unit.acronym.as_ref(), &unit.former_names);
                texts.contact(&unit.contact);
            }
            Self::Organization(entry) => {
                let organization = &entry.value;
                texts.named(&organization.name, organization.acronym.as_ref(), &organization.former_names);
                texts.contact(&organization.contact);
            }
            Self::Mission(entry) => {
                let mission = &entry.value;
                texts.localized(Field::Name, &mission.short_name);
                texts.localized(Field::Name, &mission.formal_name);
                mission.state.iter().for_each(|state| texts.add(Field::Acronym, None, &state.iso3));
                texts.contact(&mission.contact);
            }
            Self::Person(entry) => {
                let person = &entry.value;
                let full = person.name.full();
                texts.person(&full, full.len() - person.name.family.len());
                person.name.native.iter().for_each(|native| texts.person(native, family_in_native(native)));
                person.job_title.iter().for_each(|title| texts.localized(Field::Title, title));
                texts.contact(&person.contact);
            }
        }
    }
}

/// The texts of one entry on their way into the index.
struct Texts<'a> {
    builder: &'a mut Builder,
    number: u32,
}

impl Texts<'_> {
    fn add(&mut self, field: Field, language: Option<Language>, text: &str) {
        self.builder.add(self.number, field, language, text);
    }

    /// A person's name; `family` is where the family name begins.
    fn person(&mut self, name: &str, family: usize) {
        self.builder.add_name(self.number, name, family);
    }

    fn localized(&mut self, field: Field, text: &Localized) {
        text.iter().for_each(|(language, text)| self.add(field, Some(language), text));
    }

    fn named(&mut self, name: &Localized, acronym: Option<&Localized>, former: &[FormerName]) {
        self.localized(Field::Name, name);
        acronym.iter().for_each(|acronym| self.localized(Field::Acronym, acronym));
        for former in former {
            former.name.iter().for_each(|name| self.localized(Field::FormerName, name));
            former.acronym.iter().for_each(|acronym| self.add(Field::FormerAcronym, None, acronym));
        }
    }

    fn contact(&mut self, contact: &Contact) {
        for telephone in &contact.telephones {
            self.add(Field::Number, None, telephone.e164());
            telephone.inside().iter().for_each(|inside| self.add(Field::Number, None, inside));
        }
        contact.emails.iter().for_each(|email| self.add(Field::Keyword, None, email.as_str()));
    }
}
