//! The published bulletins and places.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use uuid::Uuid;

use crate::{Collection, Item};
use domain::bulletins::{Bulletin, Register};
use domain::entrances::Place;
use domain::{Audience, Language, Reader};

impl Item for Arc<Bulletin> {
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
}

impl Bulletins {
    /// Of these bulletins and places. A place is left out when a bulletin that one of its openings rests
    /// on is missing: without it, it could seem open that is closed.
    pub fn new(bulletins: Vec<Bulletin>, mut places: Vec<Place>) -> Self {
        let issued = Collection::new(bulletins.into_iter().map(Arc::new).collect());
        let register = Register::new(issued.in_order(Language::En).cloned());
        let known = |id| register.get(id, Reader::Secretariat).is_some();
        places.retain(|place| place.openings.iter().all(|opening| opening.basis.is_none_or(known)));
        Self { issued, places: Collection::new(places), register }
    }
}
