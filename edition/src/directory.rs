//! The published directory: by id, as a tree, and by search.

mod documents;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use uuid::Uuid;

use crate::layers::{Document as _, Layers, Merged, Merging};
use crate::search::Matched;
use crate::{Collection, Entry, Item};
use documents::Document;
use domain::directory::{Entries, Function, Mission, Organization, Origins, Person, Service, Unit};
use domain::{Audience, Kind, Language, Reader};

macro_rules! item {
    ($($type:ident$([$one_order:literal])?: |$value:ident, $language:ident| $key:expr;)*) => {$(
        impl Item for $type {
            $(const ONE_ORDER: bool = $one_order;)?
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
    Person[true]: |p, _language| format!("{} {}", p.name.family, p.name.given.as_deref().unwrap_or_default());
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

/// The published directory. A change makes another that shares with the one before all that it does not touch.
#[derive(Clone, Default)]
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
    children: Arc<HashMap<Uuid, Vec<Uuid>>>,
    index: Layers<Document>,
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
        let mut directory = Self {
            organizations: Collection::new(entries.organizations),
            units: Collection::new(entries.units),
            functions: Collection::new(entries.functions),
            missions: Collection::new(entries.missions),
            people: Collection::new(entries.people),
            services: Collection::new(entries.services),
            origins: entries.origins,
            ..Self::default()
        };
        directory.children = directory.tree();
        directory.index = Layers::new(directory.documents());
        directory
    }

    /// This directory after a change: of `touched` it has what is among `entries`, and nothing else.
    pub fn with(&self, touched: &BTreeSet<(Kind, Uuid)>, entries: Entries) -> Self {
        let Entries { organizations, units, functions, missions, people, services, origins } = entries;
        let mut changes = Changes { touched, gone: Vec::new(), come: Vec::new() };
        let mut directory = Self {
            organizations: changes.take(Kind::Organization, &self.organizations, organizations),
            units: changes.take(Kind::Unit, &self.units, units),
            functions: changes.take(Kind::Function, &self.functions, functions),
            missions: changes.take(Kind::Mission, &self.missions, missions),
            people: changes.take(Kind::Person, &self.people, people),
            services: changes.take(Kind::Service, &self.services, services),
            origins: self.origins.with(origins),
            children: self.children.clone(),
            index: Layers::default(),
        };
        if touched.iter().any(|(kind, _)| *kind == Kind::Unit) {
            directory.children = directory.tree();
        }
        directory.index = self.index.with(&changes.gone, changes.come);
        directory
    }

    /// How many entries there are, whoever may see them.
    pub fn len(&self) -> usize {
        let few = self.organizations.len() + self.units.len() + self.missions.len() + self.services.len();
        few + self.functions.len() + self.people.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is work to be done on the search index.
    pub fn is_untidy(&self) -> bool {
        self.index.due_from().is_some()
    }

    /// Work on the search index that is to be done aside, if there is any: the index is whole without it, but
    /// grows slower with each change.
    pub fn tidying(&self) -> Option<Tidying> {
        self.index.due().map(Tidying)
    }

    /// This directory with the outcome of such work. `None` when all has been made anew meanwhile.
    pub fn tidied(&self, tidied: Tidied) -> Option<Self> {
        let index = self.index.install(tidied.0, |document| self.has(document))?;
        Some(Self { index, ..self.clone() })
    }

    fn has(&self, document: &Document) -> bool {
        match document {
            Document::Organization(entry) => self.organizations.has(entry),
            Document::Unit(entry) => self.units.has(entry),
            Document::Function(entry) => self.functions.has(entry),
            Document::Mission(entry) => self.missions.has(entry),
            Document::Person(entry) => self.people.has(entry),
            Document::Service(entry) => self.services.has(entry),
        }
    }

    fn tree(&self) -> Arc<HashMap<Uuid, Vec<Uuid>>> {
        let mut children: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for unit in self.units.visible(Reader::Secretariat).map(|entry| &entry.value) {
            let above = unit.parent.map_or(unit.organization.0, |parent| parent.0);
            children.entry(above).or_default().push(unit.id.0);
        }
        Arc::new(children)
    }

    /// All entries, in the order that equal hits are shown in.
    fn documents(&self) -> Vec<Document> {
        let mut documents = Vec::with_capacity(self.len());
        documents.extend(self.services.in_order(Language::En).cloned().map(Document::Service));
        documents.extend(self.functions.in_order(Language::En).cloned().map(Document::Function));
        documents.extend(self.units.in_order(Language::En).cloned().map(Document::Unit));
        documents.extend(self.organizations.in_order(Language::En).cloned().map(Document::Organization));
        documents.extend(self.missions.in_order(Language::En).cloned().map(Document::Mission));
        documents.extend(self.people.in_order(Language::En).cloned().map(Document::Person));
        documents
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
        let after = match after {
            // What the reader may not see is as unknown as what is not there.
            Some((score, id)) => {
                let document = Kind::ALL.into_iter().find_map(|kind| self.document(kind, id))?;
                Some((score, Some(document).filter(|document| document.audience().admits(reader))?.place()))
            }
            None => None,
        };
        let admit = |document: &Document| document.audience().admits(reader) && wanted(&document.found());
        let hits = self.index.search(query, language, admit, after, limit).into_iter().map(|hit| {
            let (kind, id) = hit.document.name();
            Hit { kind, id, found: hit.document.found(), score: hit.score, matched: hit.matched }
        });
        Some(hits.collect())
    }

    fn document(&self, kind: Kind, id: Uuid) -> Option<Document> {
        match kind {
            Kind::Organization => self.organizations.entry(id).map(Document::Organization),
            Kind::Unit => self.units.entry(id).map(Document::Unit),
            Kind::Function => self.functions.entry(id).map(Document::Function),
            Kind::Mission => self.missions.entry(id).map(Document::Mission),
            Kind::Person => self.people.entry(id).map(Document::Person),
            Kind::Service => self.services.entry(id).map(Document::Service),
            Kind::RateCard | Kind::InfNote | Kind::Bulletin | Kind::Place => None,
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

/// Work on the search index that takes as long as making a part of it, and holds up nobody.
pub struct Tidying(Merging<Document>);

/// What came of it.
pub struct Tidied(Merged<Document>);

impl Tidying {
    /// Does it.
    pub fn run(self) -> Tidied {
        Tidied(self.0.run())
    }
}

/// What a change does to the search index.
struct Changes<'a> {
    touched: &'a BTreeSet<(Kind, Uuid)>,
    gone: Vec<Document>,
    come: Vec<Document>,
}

impl Changes<'_> {
    /// The next collection of a kind, whose touched objects are those of `values`.
    fn take<T: Item>(&mut self, kind: Kind, before: &Collection<T>, values: Vec<T>) -> Collection<T>
    where
        Arc<Entry<T>>: Into<Document>,
    {
        let touched = self.touched.iter().filter(|(own, _)| *own == kind).map(|(_, id)| (*id, None));
        let mut changes: BTreeMap<Uuid, Option<T>> = touched.collect();
        changes.extend(values.into_iter().map(|value| (value.id(), Some(value))));
        if changes.is_empty() {
            return before.clone();
        }
        let (after, changed) = before.with(changes);
        for change in changed {
            self.gone.extend(change.before.map(Into::into));
            self.come.extend(change.after.map(Into::into));
        }
        after
    }
}
