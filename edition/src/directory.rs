//! The published directory: by id, as a tree, and by search.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{Collection, Entry, Item};
use domain::directory::{Entries, Function, Mission, Organization, Person, Service, Unit};
use domain::{Audience, Kind, Language, Reader};

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
    Function: |f, language| f.title.get(language).1.to_owned();
    Mission: |m, language| m.short_name.get(language).1.to_owned();
    Person: |p, _language| format!("{} {}", p.name.family, p.name.given.as_deref().unwrap_or_default());
    Service: |s, language| s.name.get(language).1.to_owned();
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
    children: HashMap<Uuid, Vec<Uuid>>,
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
        Self {
            organizations: Collection::new(entries.organizations),
            units: Collection::new(entries.units),
            functions: Collection::new(entries.functions),
            missions: Collection::new(entries.missions),
            people: Collection::new(entries.people),
            services: Collection::new(entries.services),
            children,
        }
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
