//! Published objects of any kind, as copies and search results carry them.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bulletins::bodies::BulletinBody;
use crate::directory::bodies::{FunctionBody, MissionBody, OrganizationBody, PersonBody, ServiceBody, UnitBody};
use crate::entrances::bodies::PlaceBody;
use crate::event_costs::bodies::RateCardBody;
use crate::inf_notes::bodies::NoteBody;
use crate::rendering::Rendering;
use domain::{Kind, Reader};
use edition::Edition;

/// An object of the kind that stands beside it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Object {
    /// An organization.
    Organization(OrganizationBody),
    /// A unit.
    Unit(UnitBody),
    /// A function.
    Function(FunctionBody),
    /// A mission.
    Mission(MissionBody),
    /// A person.
    Person(PersonBody),
    /// A service.
    Service(ServiceBody),
    /// An INF note, without its chain: that follows from the symbols of the others.
    InfNote(NoteBody),
    /// A security bulletin.
    Bulletin(BulletinBody),
    /// A place with what sources say of it.
    Place(PlaceBody),
    /// A rate card.
    RateCard(Box<RateCardBody>),
}

impl Object {
    /// The object, if the reader may see it.
    pub fn find(edition: &Edition, kind: Kind, id: Uuid, rendering: Rendering) -> Option<Self> {
        let reader = rendering.reader;
        let Edition { directory, event_costs, inf_notes, bulletins, .. } = edition;
        Some(match kind {
            Kind::Organization => {
                Self::Organization(OrganizationBody::of(&directory.organizations.get(id, reader)?.value, rendering))
            }
            Kind::Unit => Self::Unit(UnitBody::of(&directory.units.get(id, reader)?.value, rendering)),
            Kind::Function => {
                Self::Function(FunctionBody::of(&directory.functions.get(id, reader)?.value, directory, rendering))
            }
            Kind::Person => Self::Person(PersonBody::of(&directory.people.get(id, reader)?.value, rendering)),
            Kind::Mission => Self::Mission(MissionBody::of(&directory.missions.get(id, reader)?.value, rendering)),
            Kind::Service => Self::Service(ServiceBody::of(&directory.services.get(id, reader)?.value, rendering)),
            Kind::RateCard => {
                let card = event_costs.rate_cards.get(id, reader)?;
                Self::RateCard(Box::new(RateCardBody::of(&card.value, rendering)))
            }
            Kind::InfNote => Self::InfNote(NoteBody::of(&inf_notes.notes().get(id, reader)?.value, rendering)),
            Kind::Bulletin => {
                let bulletin = bulletins.issued.get(id, reader)?;
                Self::Bulletin(BulletinBody::of(&bulletin.value, &bulletins.register, rendering))
            }
            Kind::Place => {
                let place = bulletins.places.get(id, reader)?;
                Self::Place(PlaceBody::of(&place.value, &bulletins.register, rendering))
            }
        })
    }

    /// The kind and id of everything that `reader` may see.
    pub fn all(edition: &Edition, reader: Reader) -> impl Iterator<Item = (Kind, Uuid)> {
        let directory = &edition.directory;
        let organizations = directory.organizations.visible(reader).map(|e| (Kind::Organization, e.value.id.0));
        let units = directory.units.visible(reader).map(|e| (Kind::Unit, e.value.id.0));
        let functions = directory.functions.visible(reader).map(|e| (Kind::Function, e.value.id.0));
        let missions = directory.missions.visible(reader).map(|e| (Kind::Mission, e.value.id.0));
        let people = directory.people.visible(reader).map(|e| (Kind::Person, e.value.id.0));
        let services = directory.services.visible(reader).map(|e| (Kind::Service, e.value.id.0));
        let cards = edition.event_costs.rate_cards.visible(reader).map(|e| (Kind::RateCard, e.value.id.0));
        let notes = edition.inf_notes.notes().visible(reader).map(|e| (Kind::InfNote, e.value.id.0));
        let bulletins = edition.bulletins.issued.visible(reader).map(|e| (Kind::Bulletin, e.value.id.0));
        let places = edition.bulletins.places.visible(reader).map(|e| (Kind::Place, e.value.id.0));
        organizations
            .chain(units)
            .chain(functions)
            .chain(missions)
            .chain(people)
            .chain(services)
            .chain(cards)
            .chain(notes)
            .chain(bulletins)
            .chain(places)
    }
}
