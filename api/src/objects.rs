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

    /// The ids of everything of a kind that `reader` may see, in no order.
    pub fn ids(edition: &Edition, kind: Kind, reader: Reader) -> Box<dyn Iterator<Item = Uuid> + '_> {
        let Edition { directory, event_costs, inf_notes, bulletins, .. } = edition;
        match kind {
            Kind::Organization => Box::new(directory.organizations.visible(reader).map(|e| e.value.id.0)),
            Kind::Unit => Box::new(directory.units.visible(reader).map(|e| e.value.id.0)),
            Kind::Function => Box::new(directory.functions.visible(reader).map(|e| e.value.id.0)),
            Kind::Mission => Box::new(directory.missions.visible(reader).map(|e| e.value.id.0)),
            Kind::Person => Box::new(directory.people.visible(reader).map(|e| e.value.id.0)),
            Kind::Service => Box::new(directory.services.visible(reader).map(|e| e.value.id.0)),
            Kind::RateCard => Box::new(event_costs.rate_cards.visible(reader).map(|e| e.value.id.0)),
            Kind::InfNote => Box::new(inf_notes.notes().visible(reader).map(|e| e.value.id.0)),
            Kind::Bulletin => Box::new(bulletins.issued.visible(reader).map(|e| e.value.id.0)),
            Kind::Place => Box::new(bulletins.places.visible(reader).map(|e| e.value.id.0)),
        }
    }
}
