//! The directory's rows, and their way to domain values and back.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::Error;
use crate::imports::Imported;
use crate::json::{Json, Shared, parse_optional};
use crate::schema::{function, mission, organization, person, service, unit};
use domain::directory::{
    ContactPoint, FormerName, Function, FunctionId, Holding, Mission, Organization, OrganizationId, Person, PersonId,
    PersonName, Service, ServiceId, State, Unit, UnitId, UnitKind,
};
use domain::{Audience, Contact, DutyStation, Localized, MissionId, Provenance};

fn audience(text: &str) -> Result<Audience, Error> {
    text.parse().map_err(|_| Error::Corrupt(format!("audience {text}")))
}

fn duty_station(code: &str) -> Result<DutyStation, Error> {
    DutyStation::parse(code).map_err(|_| Error::Corrupt(format!("duty station {code}")))
}

fn unit_kind(name: String) -> Result<UnitKind, Error> {
    serde_json::from_value(serde_json::Value::String(name)).map_err(|e| Error::Corrupt(e.to_string()))
}

fn unit_kind_name(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Department => "department",
        UnitKind::Office => "office",
        UnitKind::Division => "division",
        UnitKind::Branch => "branch",
        UnitKind::Section => "section",
        UnitKind::Service => "service",
        UnitKind::Unit => "unit",
        UnitKind::Centre => "centre",
        UnitKind::Mission => "mission",
        UnitKind::Programme => "programme",
        UnitKind::Fund => "fund",
        UnitKind::Body => "body",
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = organization)]
pub(super) struct OrganizationRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    name: Json<Localized>,
    acronym: Option<Json<Localized>>,
    former_names: Json<Vec<FormerName>>,
    contact: Json<Contact>,
    provenance: Json<Provenance>,
}

impl OrganizationRow {
    pub(super) fn of(imported: &Imported<Organization>) -> Self {
        let organization = imported.value.clone();
        Self {
            id: organization.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: organization.audience.to_string(),
            closed_at: None,
            name: Json::of(organization.name),
            acronym: organization.acronym.map(Json::of),
            former_names: Json::of(organization.former_names),
            contact: Json::of(organization.contact),
            provenance: Json::of(organization.provenance),
        }
    }

    pub(super) fn parse(self) -> Result<Organization, Error> {
        Ok(Organization {
            id: OrganizationId(self.id),
            audience: audience(&self.audience)?,
            name: self.name.parse()?,
            acronym: parse_optional(self.acronym)?,
            former_names: self.former_names.parse()?,
            contact: self.contact.parse()?,
            provenance: self.provenance.parse()?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = unit)]
pub(super) struct UnitRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    organization_id: Uuid,
    parent_id: Option<Uuid>,
    name: Json<Localized>,
    acronym: Option<Json<Localized>>,
    unit_kind: String,
    former_names: Json<Vec<FormerName>>,
    duty_station: Option<String>,
    contact: Json<Contact>,
    provenance: Json<Provenance>,
}

impl UnitRow {
    pub(super) fn of(imported: &Imported<Unit>) -> Self {
        let unit = imported.value.clone();
        Self {
            id: unit.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: unit.audience.to_string(),
            closed_at: None,
            organization_id: unit.organization.0,
            parent_id: unit.parent.map(|id| id.0),
            name: Json::of(unit.name),
            acronym: unit.acronym.map(Json::of),
            unit_kind: unit_kind_name(unit.kind).to_owned(),
            former_names: Json::of(unit.former_names),
            duty_station: unit.duty_station.map(String::from),
            contact: Json::of(unit.contact),
            provenance: Json::of(unit.provenance),
        }
    }

    pub(super) fn parse(self) -> Result<Unit, Error> {
        Ok(Unit {
            id: UnitId(self.id),
            audience: audience(&self.audience)?,
            organization: OrganizationId(self.organization_id),
            parent: self.parent_id.map(UnitId),
            name: self.name.parse()?,
            acronym: parse_optional(self.acronym)?,
            kind: unit_kind(self.unit_kind)?,
            former_names: self.former_names.parse()?,
            duty_station: self.duty_station.as_deref().map(duty_station).transpose()?,
            contact: self.contact.parse()?,
            provenance: self.provenance.parse()?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = function)]
pub(super) struct FunctionRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    unit_id: Uuid,
    title: Json<Localized>,
    duty_station: String,
    contact: Json<Contact>,
    provenance: Json<Provenance>,
}

impl FunctionRow {
    pub(super) fn of(imported: &Imported<Function>) -> Self {
        let function = imported.value.clone();
        Self {
            id: function.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: function.audience.to_string(),
            closed_at: None,
            unit_id: function.unit.0,
            title: Json::of(function.title),
            duty_station: function.duty_station.into(),
            contact: Json::of(function.contact),
            provenance: Json::of(function.provenance),
        }
    }

    pub(super) fn parse(self, holders: Vec<PersonId>) -> Result<Function, Error> {
        Ok(Function {
            id: FunctionId(self.id),
            audience: audience(&self.audience)?,
            unit: UnitId(self.unit_id),
            title: self.title.parse()?,
            duty_station: duty_station(&self.duty_station)?,
            contact: self.contact.parse()?,
            holders,
            provenance: self.provenance.parse()?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mission)]
pub(super) struct MissionRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    organization_id: Uuid,
    duty_station: String,
    short_name: Json<Localized>,
    formal_name: Json<Localized>,
    state: Option<Json<State>>,
    contact: Json<Contact>,
    provenance: Json<Provenance>,
}

impl MissionRow {
    pub(super) fn of(imported: &Imported<Mission>) -> Self {
        let mission = imported.value.clone();
        Self {
            id: mission.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: mission.audience.to_string(),
            closed_at: None,
            organization_id: mission.organization.0,
            duty_station: mission.duty_station.into(),
            short_name: Json::of(mission.short_name),
            formal_name: Json::of(mission.formal_name),
            state: mission.state.map(Json::of),
            contact: Json::of(mission.contact),
            provenance: Json::of(mission.provenance),
        }
    }

    pub(super) fn parse(self) -> Result<Mission, Error> {
        Ok(Mission {
            id: MissionId(self.id),
            audience: audience(&self.audience)?,
            organization: OrganizationId(self.organization_id),
            duty_station: duty_station(&self.duty_station)?,
            short_name: self.short_name.parse()?,
            formal_name: self.formal_name.parse()?,
            state: parse_optional(self.state)?,
            contact: self.contact.parse()?,
            provenance: self.provenance.parse()?,
        })
    }
}

/// What many people have in common.
#[derive(Default)]
pub(super) struct Words {
    titles: Shared<Localized>,
    provenances: Shared<Provenance>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = person)]
pub(super) struct PersonRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    given_name: Option<String>,
    family_name: String,
    native_name: Option<String>,
    honorific: Option<String>,
    job_title: Option<Json<Localized>>,
    unit_id: Option<Uuid>,
    mission_id: Option<Uuid>,
    duty_station: Option<String>,
    contact: Json<Contact>,
    provenance: Json<Provenance>,
}

impl PersonRow {
    pub(super) fn of(imported: &Imported<Person>) -> Self {
        let person = imported.value.clone();
        Self {
            id: person.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: person.audience.to_string(),
            closed_at: None,
            given_name: person.name.given.map(String::from),
            family_name: person.name.family.into(),
            native_name: person.name.native.map(String::from),
            honorific: person.honorific.map(String::from),
            job_title: person.job_title.map(Json::of),
            unit_id: person.unit.map(|id| id.0),
            mission_id: person.mission.map(|id| id.0),
            duty_station: person.duty_station.map(String::from),
            contact: Json::of(person.contact),
            provenance: Json::of(person.provenance),
        }
    }

    pub(super) fn parse(self, functions: Vec<Holding>, words: &mut Words) -> Result<Person, Error> {
        Ok(Person {
            id: PersonId(self.id),
            audience: audience(&self.audience)?,
            name: PersonName {
                given: self.given_name.map(Into::into),
                family: self.family_name.into(),
                native: self.native_name.map(Into::into),
            },
            honorific: self.honorific.map(Into::into),
            job_title: self.job_title.map(|title| words.titles.parse(title)).transpose()?,
            unit: self.unit_id.map(UnitId),
            mission: self.mission_id.map(MissionId),
            functions,
            duty_station: self.duty_station.as_deref().map(duty_station).transpose()?,
            contact: self.contact.parse()?,
            provenance: words.provenances.parse(self.provenance)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = service)]
pub(super) struct ServiceRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    pub(super) source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    name: Json<Localized>,
    description: Option<Json<Localized>>,
    keywords: Json<Vec<Localized>>,
    provenance: Json<Provenance>,
}

impl ServiceRow {
    pub(super) fn of(imported: &Imported<Service>) -> Self {
        let service = imported.value.clone();
        Self {
            id: service.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: service.audience.to_string(),
            closed_at: None,
            name: Json::of(service.name),
            description: service.description.map(Json::of),
            keywords: Json::of(service.keywords),
            provenance: Json::of(service.provenance),
        }
    }

    pub(super) fn parse(self, contact_points: Vec<ContactPoint>) -> Result<Service, Error> {
        Ok(Service {
            id: ServiceId(self.id),
            audience: audience(&self.audience)?,
            name: self.name.parse()?,
            description: parse_optional(self.description)?,
            keywords: self.keywords.parse()?,
            contact_points,
            provenance: self.provenance.parse()?,
        })
    }
}
