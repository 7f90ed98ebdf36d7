//! The directory's import: rows as they are written, and what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::imports::csv::Columns;
use crate::imports::{AudienceBody, Contradiction, Import, Names, from_json};
use crate::rows::{ContactRow, Localize, ProvenanceRow, localized, optional_localized};
use domain::directory::{
    ContactPoint, FormerName, Function, FunctionId, Holding, Mission, Organization, OrganizationId, Person, PersonId,
    PersonName, Service, ServiceId, State, StateStatus, Unit, UnitId, UnitKind,
};
use domain::{Broken, DutyStation, Fault, Faults, Kind, Localized, MissionId, Rule, Stream, text};
use persistence::imports::Imported;
use persistence::{Conn, Error, directory};

/// A row of a directory import, by its `kind`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DirectoryRow {
    /// An organization.
    Organization(OrganizationRow),
    /// A unit.
    Unit(UnitRow),
    /// A function.
    Function(FunctionRow),
    /// A person.
    Person(PersonRow),
    /// A mission.
    Mission(MissionRow),
    /// A service.
    Service(ServiceRow),
}

/// A name that is no longer used: a name, an acronym or both.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormerNameRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Localize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acronym: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<NaiveDate>,
}

/// An organization.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRow {
    #[schema(example = "organization")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    pub(super) name: Localize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acronym: Option<Localize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_names: Vec<FormerNameRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactRow>,
    pub(super) provenance: ProvenanceRow,
}

/// A unit.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitRow {
    #[schema(example = "unit")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    /// The key of its organization.
    pub(super) organization: String,
    /// The key of the unit above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    pub(super) name: Localize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acronym: Option<Localize>,
    #[schema(value_type = String, example = "section")]
    pub(super) unit_kind: UnitKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_names: Vec<FormerNameRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duty_station: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactRow>,
    pub(super) provenance: ProvenanceRow,
}

/// A function.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionRow {
    #[schema(example = "function")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    /// The key of its unit.
    pub(super) unit: String,
    pub(super) title: Localize,
    pub(super) duty_station: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactRow>,
    pub(super) provenance: ProvenanceRow,
}

/// A person's name.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonNameRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given: Option<String>,
    pub(super) family: String,
    /// The whole name in the person's own script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) native: Option<String>,
}

/// A function that a person holds.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldingRow {
    /// The function's key.
    pub(super) function: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<NaiveDate>,
}

/// A person.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonRow {
    #[schema(example = "person")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    pub(super) name: PersonNameRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) honorific: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_title: Option<Localize>,
    /// The key of their unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    /// The key of their mission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mission: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) functions: Vec<HoldingRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duty_station: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactRow>,
    pub(super) provenance: ProvenanceRow,
}

/// The State that a mission represents.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateRow {
    pub(super) iso2: String,
    pub(super) iso3: String,
    pub(super) m49: String,
    #[schema(value_type = String, example = "member")]
    pub(super) status: StateStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) admitted_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
}

/// A mission.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MissionRow {
    #[schema(example = "mission")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    /// The key of the organization it is accredited to.
    pub(super) organization: String,
    pub(super) duty_station: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<StateRow>,
    pub(super) short_name: Localize,
    pub(super) formal_name: Localize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<ContactRow>,
    pub(super) provenance: ProvenanceRow,
}

/// Whom to ask for a service at a duty station.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPointRow {
    pub(super) duty_station: String,
    /// The function's key.
    pub(super) function: String,
}

/// A service.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRow {
    #[schema(example = "service")]
    pub(super) kind: String,
    /// Its key in the source.
    pub(super) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<AudienceBody>,
    pub(super) name: Localize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Localize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<Localize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contact_points: Vec<ContactPointRow>,
    pub(super) provenance: ProvenanceRow,
}

/// What a row stands for.
pub enum DirectoryEntry {
    /// An organization.
    Organization(Organization),
    /// A unit.
    Unit(Unit),
    /// A function.
    Function(Function),
    /// A person.
    Person(Person),
    /// A mission.
    Mission(Mission),
    /// A service.
    Service(Service),
}

const NAME: usize = 300;
const PROSE: usize = 4000;

fn former_names(faults: &mut Faults, rows: Vec<FormerNameRow>) -> Vec<FormerName> {
    let parse = |(i, row): (usize, FormerNameRow)| {
        let pointer = format!("/former_names/{i}");
        let name = optional_localized(faults, &format!("{pointer}/name"), row.name, NAME)?;
        faults.check(&pointer, FormerName::parse(name, row.acronym.as_deref(), row.until))
    };
    rows.into_iter().enumerate().filter_map(parse).collect()
}

fn duty_station(faults: &mut Faults, code: Option<&str>) -> Option<DutyStation> {
    code.and_then(|code| faults.check("/duty_station", DutyStation::parse(code)))
}

fn line(faults: &mut Faults, pointer: &str, value: Option<&str>) -> Option<Box<str>> {
    value.and_then(|value| faults.check(pointer, text::line(value, NAME))).map(Into::into)
}

fn organization(row: OrganizationRow, names: &Names<'_>) -> Result<Organization, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let name = localized(&mut faults, "/name", row.name, NAME);
    let acronym = optional_localized(&mut faults, "/acronym", row.acronym, 30).flatten();
    let former_names = former_names(&mut faults, row.former_names);
    let contact = ContactRow::parse(row.contact, &mut faults);
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Organization {
            id: OrganizationId(names.id()),
            audience: audience?,
            name: name?,
            acronym,
            former_names,
            contact: contact?,
            provenance: provenance?,
        })
    })())
}

fn unit(row: UnitRow, names: &Names<'_>) -> Result<Unit, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let organization = faults.check("/organization", names.resolve(Kind::Organization, &row.organization));
    let parent = row.parent.and_then(|key| faults.check("/parent", names.resolve(Kind::Unit, &key)));
    if parent == Some(names.id()) {
        faults.add("/parent", Broken::new(Rule::Conflict, "a unit is not above itself"));
    }
    let name = localized(&mut faults, "/name", row.name, NAME);
    let acronym = optional_localized(&mut faults, "/acronym", row.acronym, 30).flatten();
    let former_names = former_names(&mut faults, row.former_names);
    let duty_station = duty_station(&mut faults, row.duty_station.as_deref());
    let contact = ContactRow::parse(row.contact, &mut faults);
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Unit {
            id: UnitId(names.id()),
            audience: audience?,
            organization: OrganizationId(organization?),
            parent: parent.map(UnitId),
            name: name?,
            acronym,
            kind: row.unit_kind,
            former_names,
            duty_station,
            contact: contact?,
            provenance: provenance?,
        })
    })())
}

fn function(row: FunctionRow, names: &Names<'_>) -> Result<Function, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let unit = faults.check("/unit", names.resolve(Kind::Unit, &row.unit));
    let title = localized(&mut faults, "/title", row.title, NAME);
    let duty_station = duty_station(&mut faults, Some(&row.duty_station));
    let contact = ContactRow::parse(row.contact, &mut faults);
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Function {
            id: FunctionId(names.id()),
            audience: audience?,
            unit: UnitId(unit?),
            title: title?,
            duty_station: duty_station?,
            contact: contact?,
            holders: Vec::new(),
            provenance: provenance?,
        })
    })())
}

fn person(row: PersonRow, names: &Names<'_>) -> Result<Person, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let given = line(&mut faults, "/name/given", row.name.given.as_deref());
    let family = line(&mut faults, "/name/family", Some(&row.name.family));
    let native = line(&mut faults, "/name/native", row.name.native.as_deref());
    let honorific = line(&mut faults, "/honorific", row.honorific.as_deref());
    let job_title = optional_localized(&mut faults, "/job_title", row.job_title, NAME).flatten();
    let unit = row.unit.and_then(|key| faults.check("/unit", names.resolve(Kind::Unit, &key)));
    let mission = row.mission.and_then(|key| faults.check("/mission", names.resolve(Kind::Mission, &key)));
    let mut functions: Vec<Holding> = Vec::new();
    for (i, holding) in row.functions.iter().enumerate() {
        let pointer = format!("/functions/{i}/function");
        let function = faults.check(&pointer, names.resolve(Kind::Function, &holding.function)).map(FunctionId);
        match function {
            Some(function) if functions.iter().any(|h| h.function == function) => {
                faults.add(pointer, Broken::new(Rule::Duplicate, "is held already"));
            }
            Some(function) => functions.push(Holding { function, since: holding.since }),
            None => {}
        }
    }
    functions.sort_by_key(|holding| holding.function);
    let duty_station = duty_station(&mut faults, row.duty_station.as_deref());
    let contact = ContactRow::parse(row.contact, &mut faults);
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Person {
            id: PersonId(names.id()),
            audience: audience?,
            name: PersonName { given, family: family?, native },
            honorific,
            job_title,
            unit: unit.map(UnitId),
            mission: mission.map(MissionId),
            functions,
            duty_station,
            contact: contact?,
            provenance: provenance?,
        })
    })())
}

fn mission(row: MissionRow, names: &Names<'_>) -> Result<Mission, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let organization = faults.check("/organization", names.resolve(Kind::Organization, &row.organization));
    let duty_station = duty_station(&mut faults, Some(&row.duty_station));
    let state = row.state.and_then(|s| {
        let state = State::parse(&s.iso2, &s.iso3, &s.m49, s.status, s.admitted_on, s.region.as_deref());
        faults.check("/state", state)
    });
    let short_name = localized(&mut faults, "/short_name", row.short_name, NAME);
    let formal_name = localized(&mut faults, "/formal_name", row.formal_name, NAME);
    let contact = ContactRow::parse(row.contact, &mut faults);
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Mission {
            id: MissionId(names.id()),
            audience: audience?,
            organization: OrganizationId(organization?),
            duty_station: duty_station?,
            short_name: short_name?,
            formal_name: formal_name?,
            state,
            contact: contact?,
            provenance: provenance?,
        })
    })())
}

fn service(row: ServiceRow, names: &Names<'_>) -> Result<Service, Faults> {
    let mut faults = Faults::new();
    let audience = faults.check_part("/audience", names.audience(row.audience.as_ref()));
    let name = localized(&mut faults, "/name", row.name, NAME);
    let description = optional_localized(&mut faults, "/description", row.description, PROSE).flatten();
    let mut keywords: Vec<Localized> = Vec::new();
    for (i, keyword) in row.keywords.into_iter().enumerate() {
        keywords.extend(localized(&mut faults, &format!("/keywords/{i}"), keyword, NAME));
    }
    let mut points: BTreeMap<DutyStation, FunctionId> = BTreeMap::new();
    for (i, point) in row.contact_points.iter().enumerate() {
        let pointer = format!("/contact_points/{i}");
        let station = faults.check(&format!("{pointer}/duty_station"), DutyStation::parse(&point.duty_station));
        let function = faults
            .check(&format!("{pointer}/function"), names.resolve(Kind::Function, &point.function))
            .map(FunctionId);
        let (Some(station), Some(function)) = (station, function) else { continue };
        if points.insert(station, function).is_some() {
            faults.add(pointer, Broken::new(Rule::Duplicate, "the duty station has a contact point already"));
        }
    }
    let provenance = row.provenance.parse(&mut faults);
    faults.finish((|| {
        Some(Service {
            id: ServiceId(names.id()),
            audience: audience?,
            name: name?,
            description,
            keywords,
            contact_points: points
                .into_iter()
                .map(|(duty_station, function)| ContactPoint { duty_station, function })
                .collect(),
            provenance: provenance?,
        })
    })())
}

/// The directory's import.
pub struct DirectoryImport;

/// The columns of the directory's rows as CSV.
pub const COLUMNS: Columns = &[
    "kind",
    "key",
    "audience",
    "audience.missions.#",
    "honorific",
    "name.given",
    "name.family",
    "name.native",
    "name.@",
    "acronym.@",
    "short_name.@",
    "formal_name.@",
    "title.@",
    "job_title.@",
    "description.@",
    "keywords.#.@",
    "unit_kind",
    "organization",
    "parent",
    "unit",
    "mission",
    "duty_station",
    "functions.#.function",
    "functions.#.since",
    "contact_points.#.duty_station",
    "contact_points.#.function",
    "state.iso2",
    "state.iso3",
    "state.m49",
    "state.status",
    "state.admitted_on",
    "state.region",
    "contact.telephones.#.number",
    "contact.telephones.#.extension",
    "contact.telephones.#.kind",
    "contact.telephones.#.note.@",
    "contact.emails.#",
    "contact.url",
    "contact.location.@",
    "contact.hours.@",
    "former_names.#.name.@",
    "former_names.#.acronym",
    "former_names.#.until",
    "provenance.confidence",
    "provenance.citation",
    "provenance.as_of",
];

/// The kinds of the directory's rows, in the order of exports.
pub const KINDS: [Kind; 6] =
    [Kind::Organization, Kind::Unit, Kind::Function, Kind::Mission, Kind::Person, Kind::Service];

impl Import for DirectoryImport {
    const STREAM: Stream = Stream::Directory;
    const KINDS: &'static [Kind] = &KINDS;
    const REFERENCES: &'static [Kind] = &KINDS;
    const COLUMNS: Option<Columns> = Some(COLUMNS);
    type Value = DirectoryEntry;

    fn parse(kind: Kind, line: &[u8], names: &Names<'_>) -> Result<DirectoryEntry, Faults> {
        match kind {
            Kind::Organization => organization(from_json(line)?, names).map(DirectoryEntry::Organization),
            Kind::Unit => unit(from_json(line)?, names).map(DirectoryEntry::Unit),
            Kind::Function => function(from_json(line)?, names).map(DirectoryEntry::Function),
            Kind::Person => person(from_json(line)?, names).map(DirectoryEntry::Person),
            Kind::Mission => mission(from_json(line)?, names).map(DirectoryEntry::Mission),
            Kind::Service => service(from_json(line)?, names).map(DirectoryEntry::Service),
            Kind::RateCard | Kind::InfNote | Kind::Bulletin | Kind::Place => {
                Err(Faults::from(Fault::new("/kind", Rule::OneOf, "is not a kind of the directory")))
            }
        }
    }

    async fn save(conn: &mut Conn, rows: Vec<Imported<DirectoryEntry>>) -> Result<BTreeSet<Uuid>, Error> {
        let (mut organizations, mut units, mut functions) = (Vec::new(), Vec::new(), Vec::new());
        let (mut people, mut missions, mut services) = (Vec::new(), Vec::new(), Vec::new());
        for Imported { source, key, value } in rows {
            match value {
                DirectoryEntry::Organization(value) => organizations.push(Imported { source, key, value }),
                DirectoryEntry::Unit(value) => units.push(Imported { source, key, value }),
                DirectoryEntry::Function(value) => functions.push(Imported { source, key, value }),
                DirectoryEntry::Person(value) => people.push(Imported { source, key, value }),
                DirectoryEntry::Mission(value) => missions.push(Imported { source, key, value }),
                DirectoryEntry::Service(value) => services.push(Imported { source, key, value }),
            }
        }
        let mut changed = directory::save_organizations(conn, &organizations).await?;
        changed.extend(directory::save_units(conn, &units).await?);
        changed.extend(directory::save_functions(conn, &functions).await?);
        changed.extend(directory::save_missions(conn, &missions).await?);
        changed.extend(directory::save_people(conn, &people).await?);
        changed.extend(directory::save_services(conn, &services).await?);
        Ok(changed)
    }

    async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
        let hidden = "refers to an entry that is closed, or that not all of its own audience may see";
        let circular = "is below the unit itself";
        let found = directory::contradictions(conn).await?.into_iter().map(|found| Contradiction {
            kind: found.kind,
            source: found.source,
            key: found.key,
            pointer: format!("/{}", found.field),
            broken: match found.circular {
                true => Broken::new(Rule::Conflict, circular),
                false => Broken::new(Rule::Reference, hidden),
            },
        });
        Ok(found.collect())
    }
}
