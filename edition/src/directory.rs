//! The published directory: by id, as a tree, and by search.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use uuid::Uuid;

use crate::search::{Builder, Field, Index, Matched, Rank, family_in_native};
use crate::{Collection, Entry, Item};
use domain::directory::{Entries, FormerName, Function, Mission, Organization, Origins, Person, Service, Unit};
use domain::{Audience, Contact, Kind, Language, Localized, Reader};

macro_rules! item {
    ($($type:ident: |$value:ident, $language:ident| $key:expr;)*) => {$(
        impl Item for $type {
            fn id(&self) -> Uuid {
                self.id.0
            }
            fn audience(&self) -> &Audience {
                &self.audience
            }
            fn sort_key(&self, $language: Language) -> String {
                let $value = self;
                $key
            }
        }
    )*};
}

item! {
    Organization: |o, language| o.name.get(language).1.to_owned();
    Unit: |u, language| u.name.get(language).1.to_owned();
    Mission: |m, language| m.short_name.get(language).1.to_owned();
    Person: |p, _language| format!("{} {}", p.name.family, p.name.given.as_deref().unwrap_or_default());
    Service: |s, language| s.name.get(language).1.to_owned();
}

impl Item for Function {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn audience(&self) -> &Audience {
        &self.audience
    }
    fn hash_content<H: Hasher>(&self, hasher: &mut H) {
        let Self { id, audience, unit, title, duty_station, contact, holders: _, provenance } = self;
        (id, audience, unit, title, duty_station, contact, provenance).hash(hasher);
    }
    fn sort_key(&self, language: Language) -> String {
        self.title.get(language).1.to_owned()
    }
}

/// The published directory.
#[derive(Default)]
pub struct Directory {
    /// Organizations.
    pub organizations: Collection<Organization>,
    /// Units.
    pub units: Collection<Unit>,
    /// Functions.
    pub functions: Collection<Function>,
    /// Missions.
    pub missions: Collection<Mission>,
    /// People.
    pub people: Collection<Person>,
    /// Services.
    pub services: Collection<Service>,
    /// Where entries come from: for who imports them.
    pub origins: Origins,
    children: HashMap<Uuid, Vec<Uuid>>,
    index: Index,
    /// By number in the index.
    documents: Vec<(Kind, Uuid)>,
    numbers: HashMap<Uuid, u32>,
}

/// An entry that a search found.
pub struct Hit<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// The entry.
    pub found: Found<'a>,
    /// How well it fits; comparable within one query.
    pub score: u32,
    /// Why it was found.
    pub matched: Matched<'a>,
}

/// The index in the making.
struct Texts {
    builder: Builder,
    documents: Vec<(Kind, Uuid)>,
}

impl Texts {
    fn begin(&mut self, kind: Kind, id: Uuid) {
        self.documents.push((kind, id));
    }

    fn add(&mut self, field: Field, language: Option<Language>, text: &str) {
        let document = u32::try_from(self.documents.len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.builder.add(document, field, language, text);
    }

    /// A person's name; `family` is where the family name begins.
    fn person(&mut self, name: &str, family: usize) {
        let document = u32::try_from(self.documents.len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.builder.add_name(document, name, family);
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

/// An entry of any kind.
pub enum Found<'a> {
    /// An organization.
    Organization(&'a Entry<Organization>),
    /// A unit.
    Unit(&'a Entry<Unit>),
    /// A function.
    Function(&'a Entry<Function>),
    /// A mission.
    Mission(&'a Entry<Mission>),
    /// A person.
    Person(&'a Entry<Person>),
    /// A service.
    Service(&'a Entry<Service>),
}

impl Directory {
    /// The directory of these entries.
    pub fn new(entries: Entries) -> Self {
        let mut children: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for unit in &entries.units {
            let above = unit.parent.map_or(unit.organization.0, |parent| parent.0);
            children.entry(above).or_default().push(unit.id.0);
        }
        let mut directory = Self {
            organizations: Collection::new(entries.organizations),
            units: Collection::new(entries.units),
            functions: Collection::new(entries.functions),
            missions: Collection::new(entries.missions),
            people: Collection::new(entries.people),
            services: Collection::new(entries.services),
            origins: entries.origins,
            children,
            ..Self::default()
        };
        directory.make_index();
        directory
    }

    /// Numbers all entries, in the order that equal hits are shown in, and indexes their texts.
    fn make_index(&mut self) {
        let mut texts = Texts { builder: Builder::new(), documents: Vec::new() };
        for service in self.services.in_order(Language::En) {
            texts.begin(Kind::Service, service.id.0);
            texts.localized(Field::Name, &service.name);
            service.keywords.iter().for_each(|keyword| texts.localized(Field::Keyword, keyword));
            service.description.iter().for_each(|description| texts.localized(Field::Body, description));
        }
        for function in self.functions.in_order(Language::En) {
            texts.begin(Kind::Function, function.id.0);
            texts.localized(Field::Name, &function.title);
            texts.contact(&function.contact);
        }
        for unit in self.units.in_order(Language::En) {
            texts.begin(Kind::Unit, unit.id.0);
            texts.named(&unit.name, unit.acronym.as_ref(), &unit.former_names);
            texts.contact(&unit.contact);
        }
        for organization in self.organizations.in_order(Language::En) {
            texts.begin(Kind::Organization, organization.id.0);
            texts.named(&organization.name, organization.acronym.as_ref(), &organization.former_names);
            texts.contact(&organization.contact);
        }
        for mission in self.missions.in_order(Language::En) {
            texts.begin(Kind::Mission, mission.id.0);
            texts.localized(Field::Name, &mission.short_name);
            texts.localized(Field::Name, &mission.formal_name);
            mission.state.iter().for_each(|state| texts.add(Field::Acronym, None, &state.iso3));
            texts.contact(&mission.contact);
        }
        for person in self.people.in_order(Language::En) {
            texts.begin(Kind::Person, person.id.0);
            let full = person.name.full();
            texts.person(&full, full.len() - person.name.family.len());
            person.name.native.iter().for_each(|native| texts.person(native, family_in_native(native)));
            person.job_title.iter().for_each(|title| texts.localized(Field::Title, title));
            texts.contact(&person.contact);
        }
        self.index = texts.builder.finish();
        self.numbers = (0..).zip(&texts.documents).map(|(number, (_, id))| (*id, number)).collect();
        self.documents = texts.documents;
    }

    /// Entries that `reader` may see and `wanted` keeps and that have all words of `query`, the best
    /// first; with `after`, a score and an id, those behind it. `None` when there is nothing of that id.
    pub fn search(
        &self,
        query: &str,
        language: Language,
        reader: Reader,
        wanted: impl Fn(&Found<'_>) -> bool,
        after: Option<(u32, Uuid)>,
        limit: usize,
    ) -> Option<Vec<Hit<'_>>> {
        let find = |document: u32| {
            let (kind, id) = self.documents[document as usize];
            self.find(kind, id, reader).map(|found| (kind, id, found))
        };
        // What the reader may not see is as unknown as what is not there.
        let rank = |(score, id)| {
            let doc = *self.numbers.get(&id)?;
            find(doc).map(|_| Rank { score, doc })
        };
        let after = match after {
            Some(after) => Some(rank(after)?),
            None => None,
        };
        let admit = |document| find(document).is_some_and(|(.., found)| wanted(&found));
        let hits = self.index.search(query, language, admit, after, limit);
        let hits = hits
            .into_iter()
            .filter_map(|hit| {
                let (kind, id, found) = find(hit.rank.doc)?;
                Some(Hit { kind, id, found, score: hit.rank.score, matched: hit.matched })
            })
            .collect();
        Some(hits)
    }

    /// The entry of a kind and id, if `reader` may see it.
    pub fn find(&self, kind: Kind, id: Uuid, reader: Reader) -> Option<Found<'_>> {
        match kind {
            Kind::Organization => self.organizations.get(id, reader).map(Found::Organization),
            Kind::Unit => self.units.get(id, reader).map(Found::Unit),
            Kind::Function => self.functions.get(id, reader).map(Found::Function),
            Kind::Mission => self.missions.get(id, reader).map(Found::Mission),
            Kind::Person => self.people.get(id, reader).map(Found::Person),
            Kind::Service => self.services.get(id, reader).map(Found::Service),
            Kind::RateCard | Kind::InfNote | Kind::Bulletin | Kind::Place => None,
        }
    }

    /// The holders of a function whom `reader` may see.
    pub fn holders(&self, function: &Function, reader: Reader) -> Vec<Uuid> {
        let visible = |id: &&domain::directory::PersonId| self.people.get(id.0, reader).is_some();
        function.holders.iter().filter(visible).map(|id| id.0).collect()
    }

    /// The units directly below a unit, or at the top of an organization, that `reader` may see; by
    /// name in `language`.
    pub fn units_below(&self, id: Uuid, reader: Reader, language: Language) -> Vec<&Entry<Unit>> {
        let below = self.children.get(&id).map(Vec::as_slice).unwrap_or_default();
        let mut units: Vec<_> = below.iter().filter_map(|id| self.units.get(*id, reader)).collect();
        units.sort_by_cached_key(|unit| (crate::fold(&unit.value.sort_key(language)), unit.value.id));
        units
    }

    /// A unit and all above it that `reader` may see, the top first.
    pub fn path(&self, unit: Uuid, reader: Reader) -> Vec<&Entry<Unit>> {
        let mut path = Vec::new();
        let mut next = Some(unit);
        // A circle can only come from a hand in the database; a tree is never this deep.
        while let Some(entry) = next.and_then(|id| self.units.get(id, reader)).filter(|_| path.len() < 32) {
            path.push(entry);
            next = entry.value.parent.map(|parent| parent.0);
        }
        path.reverse();
        path
    }
}
