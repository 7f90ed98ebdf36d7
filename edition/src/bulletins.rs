//! The published bulletins and places.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use uuid::Uuid;

use crate::{Collection, Item};
use domain::bulletins::{Bulletin, Register};
use domain::entrances::Place;
use domain::{Audience, Kind, Language, Reader};

impl Item for Arc<Bulletin> {
    const ONE_ORDER: bool = true;

    fn id(&self) -> Uuid {
        self.id.0
    }
    fn audience(&self) -> &Audience {
        &self.audience
    }
    /// The newest first: keys are compared as text, the smallest first.
    fn sort_key(&self, _: Language) -> String {
        format!("{:020}", i64::MAX.abs_diff(self.sent.at.timestamp_micros()))
    }
}

impl Item for Place {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn audience(&self) -> &Audience {
        &self.audience
    }
    fn hash_content<H: Hasher>(&self, hasher: &mut H) {
        let Self { id, kind, duty_station, time_zone, name, other_names, address, audience, openings: _, provenance } =
            self;
        (id, kind, duty_station, time_zone.name(), name, other_names, address, audience, provenance).hash(hasher);
    }
    fn sort_key(&self, language: Language) -> String {
        self.name.get(language).1.to_owned()
    }
}

/// The published bulletins and places.
#[derive(Default)]
pub struct Bulletins {
    /// Bulletins, the newest first.
    pub issued: Collection<Arc<Bulletin>>,
    /// Places, by name.
    pub places: Collection<Place>,
    /// What follows from bulletins referring to one another.
    pub register: Register,
    /// All places, those too that are left out for now.
    known: Collection<Place>,
}

impl Bulletins {
    /// Of these bulletins and places. A place is left out when a bulletin that one of its openings rests
    /// on is missing: without it, it could seem open that is closed.
    pub fn new(bulletins: Vec<Bulletin>, places: Vec<Place>) -> Self {
        Self::of(Collection::new(bulletins.into_iter().map(Arc::new).collect()), Collection::new(places))
    }

    /// These after a change: of `touched` there is what is among `bulletins` and `places`, and nothing else.
    pub fn with(&self, touched: &BTreeSet<(Kind, Uuid)>, bulletins: Vec<Bulletin>, places: Vec<Place>) -> Self {
        let ids = |kind| touched.iter().filter(move |(own, _)| *own == kind).map(|(_, id)| *id);
        let mut issued: BTreeMap<Uuid, Option<Arc<Bulletin>>> = ids(Kind::Bulletin).map(|id| (id, None)).collect();
        issued.extend(bulletins.into_iter().map(|bulletin| (bulletin.id.0, Some(Arc::new(bulletin)))));
        let mut known: BTreeMap<Uuid, Option<Place>> = ids(Kind::Place).map(|id| (id, None)).collect();
        known.extend(places.into_iter().map(|place| (place.id.0, Some(place))));
        Self::of(self.issued.with(issued).0, self.known.with(known).0)
    }

    /// How many bulletins and places there are, whoever may see them.
    pub fn len(&self) -> usize {
        self.issued.len() + self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of(issued: Collection<Arc<Bulletin>>, known: Collection<Place>) -> Self {
        let register = Register::new(issued.in_order(Language::En).map(|entry| entry.value.clone()));
        let is_known = |id| register.get(id, Reader::Secretariat).is_some();
        let is_certain = |place: &Place| place.openings.iter().all(|opening| opening.basis.is_none_or(is_known));
        let uncertain = known.visible(Reader::Secretariat).map(|entry| &entry.value).filter(|place| !is_certain(place));
        let left_out = uncertain.map(|place| (place.id.0, None)).collect();
        let places = known.with(left_out).0;
        Self { issued, places, register, known }
    }
}
