//! Published objects of any kind, as copies and search results carry them.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bulletins::bodies::BulletinBody;
use crate::directory::bodies::{FunctionBody, MissionBody, OrganizationBody, PersonBody, ServiceBody, UnitBody};
use crate::entrances::bodies::PlaceBody;
use crate::inf_notes::bodies::NoteBody;
use crate::rendering::Rendering;
use domain::{Kind, Reader};
use edition::Edition;
use edition::directory::Found;

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
}

impl Object {
    /// The object, if the reader may see it.
    pub fn find(edition: &Edition, kind: Kind, id: Uuid, rendering: Rendering) -> Option<Self> {
        let reader = rendering.reader;
        if kind == Kind::InfNote {
            let entry = edition.inf_notes.notes().get(id, reader)?;
            return Some(Self::InfNote(NoteBody::of(&entry.value, rendering)));
        }
        let bulletins = &edition.bulletins;
        if kind == Kind::Bulletin {
            let entry = bulletins.issued.get(id, reader)?;
            return Some(Self::Bulletin(BulletinBody::of(&entry.value, &bulletins.register, rendering)));
        }
        if kind == Kind::Place {
            let entry = bulletins.places.get(id, reader)?;
            return Some(Self::Place(PlaceBody::of(&entry.value, &bulletins.register, rendering)));
        }
        let directory = &edition.directory;
        Some(match directory.find(kind, id, reader)? {
            Found::Organization(entry) => Self::Organization(OrganizationBody::of(&entry.value, rendering)),
            Found::Unit(entry) => Self::Unit(UnitBody::of(&entry.value, rendering)),
            Found::Function(entry) => Self::Function(FunctionBody::of(&entry.value, directory, rendering)),
            Found::Mission(entry) => Self::Mission(MissionBody::of(&entry.value, rendering)),
            Found::Person(entry) => Self::Person(PersonBody::of(&entry.value, rendering)),
            Found::Service(entry) => Self::Service(ServiceBody::of(&entry.value, rendering)),
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
        let notes = edition.inf_notes.notes().visible(reader).map(|e| (Kind::InfNote, e.value.id.0));
        let bulletins = edition.bulletins.issued.visible(reader).map(|e| (Kind::Bulletin, e.value.id.0));
        let places = edition.bulletins.places.visible(reader).map(|e| (Kind::Place, e.value.id.0));
        organizations
            .chain(units)
            .chain(functions)
            .chain(missions)
            .chain(people)
            .chain(services)
            .chain(notes)
            .chain(bulletins)
            .chain(places)
    }
}
