//! The directory's rows.

mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::imports::{Imported, upsert};
use crate::schema::{contact_point, function, holding, mission, organization, person, service, unit};
use crate::{Conn, Error};
use domain::directory::{
    ContactPoint, Entries, Function, FunctionId, Holding, Mission, Organization, Origins, Person, PersonId, Service,
    ServiceId, Unit,
};
use domain::{DutyStation, Key, Kind, Source};
use rows::{FunctionRow, MissionRow, OrganizationRow, PersonRow, ServiceRow, UnitRow, Words};

/// The visible rows of a table as entries, one after the other as they arrive; `only` of these ids if any are given. A
/// corrupt row is left out, and said so in the log.
macro_rules! entries {
    ($conn:expr, $origins:expr, $only:expr, $table:ident: $row_type:ident, |$row:ident| $parse:expr) => {{
        let mut visible = $table::table
            .filter($table::visible_to.is_not_null())
            .select($row_type::as_select())
            .into_boxed();
        let only: Option<&[Uuid]> = $only;
        if let Some(ids) = only {
            visible = visible.filter($table::id.eq_any(ids));
        }
        let mut entries = Vec::new();
        if only.is_none_or(|ids| !ids.is_empty()) {
            let mut rows = visible.load_stream::<$row_type>($conn).await?;
            while let Some($row) = rows.try_next().await? {
                let id = $row.id;
                let origin = (Source::parse(&$row.source), Key::parse(&$row.source_key));
                match $parse {
                    Ok(entry) => {
                        entries.push(entry);
                        if let (Ok(source), Ok(key)) = origin {
                            $origins.push((id, source, key));
                        }
                    }
                    Err(cause) => tracing::error!(%id, %cause, kind = stringify!($table), "left out"),
                }
            }
        }
        entries
    }};
}

/// Loads what some reader may see.
pub async fn load(conn: &mut Conn) -> Result<Entries, Error> {
    load_only(conn, None).await
}

/// Loads what some reader may see of these.
pub async fn load_some(conn: &mut Conn, wanted: &BTreeSet<(Kind, Uuid)>) -> Result<Entries, Error> {
    let mut only: BTreeMap<Kind, Vec<Uuid>> = BTreeMap::new();
    wanted.iter().for_each(|(kind, id)| only.entry(*kind).or_default().push(*id));
    load_only(conn, Some(&only)).await
}

async fn load_only(conn: &mut Conn, only: Option<&BTreeMap<Kind, Vec<Uuid>>>) -> Result<Entries, Error> {
    let of = |kind| only.map(|only| only.get(&kind).map(Vec::as_slice).unwrap_or_default());
    let (mut holdings, mut holders) = holdings(conn, of(Kind::Person), of(Kind::Function)).await?;
    let mut contact_points = contact_points(conn, of(Kind::Service)).await?;
    let (mut origins, mut words) = (Vec::new(), Words::default());
    let organizations =
        entries!(conn, origins, of(Kind::Organization), organization: OrganizationRow, |row| row.parse());
    let units = entries!(conn, origins, of(Kind::Unit), unit: UnitRow, |row| row.parse());
    let functions = entries!(conn, origins, of(Kind::Function), function: FunctionRow, |row| {
        let holders = holders.remove(&row.id).unwrap_or_default();
        row.parse(holders)
    });
    let missions = entries!(conn, origins, of(Kind::Mission), mission: MissionRow, |row| row.parse());
    let people = entries!(conn, origins, of(Kind::Person), person: PersonRow, |row| {
        let functions = holdings.remove(&row.id).unwrap_or_default();
        row.parse(functions, &mut words)
    });
    let services = entries!(conn, origins, of(Kind::Service), service: ServiceRow, |row| {
        let points = contact_points.remove(&row.id).unwrap_or_default();
        row.parse(points)
    });
    Ok(Entries { organizations, units, functions, missions, people, services, origins: Origins::new(origins) })
}

type Holdings = (HashMap<Uuid, Vec<Holding>>, HashMap<Uuid, Vec<PersonId>>);

/// The functions of people and the holders of functions, of these only if any are given. Ids are given only where
/// both sides are visible.
async fn holdings(conn: &mut Conn, people: Option<&[Uuid]>, functions: Option<&[Uuid]>) -> Result<Holdings, Error> {
    let mut held = holding::table
        .inner_join(person::table)
        .inner_join(function::table)
        .filter(person::visible_to.is_not_null().and(function::visible_to.is_not_null()))
        .order((holding::person_id, holding::function_id))
        .select((holding::person_id, holding::function_id, holding::since))
        .into_boxed();
    let mut found = Holdings::default();
    if let (Some(people), Some(functions)) = (people, functions) {
        if people.is_empty() && functions.is_empty() {
            return Ok(found);
        }
        held = held.filter(holding::person_id.eq_any(people).or(holding::function_id.eq_any(functions)));
    }
    let mut held = held.load_stream::<(Uuid, Uuid, Option<NaiveDate>)>(conn).await?;
    while let Some((person, function, since)) = held.try_next().await? {
        found.0.entry(person).or_default().push(Holding { function: FunctionId(function), since });
        found.1.entry(function).or_default().push(PersonId(person));
    }
    Ok(found)
}

/// The visible functions answerable for services, for these only if any are given.
async fn contact_points(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<HashMap<Uuid, Vec<ContactPoint>>, Error> {
    let mut points = contact_point::table
        .inner_join(function::table)
        .filter(function::visible_to.is_not_null())
        .order((contact_point::service_id, contact_point::duty_station))
        .select((contact_point::service_id, contact_point::duty_station, contact_point::function_id))
        .into_boxed();
    let mut found: HashMap<Uuid, Vec<ContactPoint>> = HashMap::new();
    if let Some(ids) = only {
        if ids.is_empty() {
            return Ok(found);
        }
        points = points.filter(contact_point::service_id.eq_any(ids));
    }
    let points: Vec<(Uuid, String, Uuid)> = points.load(conn).await?;
    for (service, station, function) in points {
        let Ok(duty_station) = DutyStation::parse(&station) else { continue };
        found.entry(service).or_default().push(ContactPoint { duty_station, function: FunctionId(function) });
    }
    Ok(found)
}

/// Saves organizations; returns the ids of those that this changed.
pub async fn save_organizations(conn: &mut Conn, imported: &[Imported<Organization>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<OrganizationRow> = imported.iter().map(OrganizationRow::of).collect();
    let changed = upsert!(conn, organization, &rows, [audience, name, acronym, former_names, contact, provenance]);
    Ok(changed.into_iter().collect())
}

/// Saves units; returns the ids of those that this changed.
pub async fn save_units(conn: &mut Conn, imported: &[Imported<Unit>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<UnitRow> = imported.iter().map(UnitRow::of).collect();
    let changed = upsert!(
        conn,
        unit,
        &rows,
        [
            audience,
            organization_id,
            parent_id,
            name,
            acronym,
            unit_kind,
            former_names,
            duty_station,
            contact,
            provenance
        ]
    );
    Ok(changed.into_iter().collect())
}

/// Saves functions, leaving their holders alone; returns the ids of those that this changed.
pub async fn save_functions(conn: &mut Conn, imported: &[Imported<Function>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<FunctionRow> = imported.iter().map(FunctionRow::of).collect();
    let changed = upsert!(conn, function, &rows, [audience, unit_id, title, duty_station, contact, provenance]);
    Ok(changed.into_iter().collect())
}

/// Saves missions; returns the ids of those that this changed.
pub async fn save_missions(conn: &mut Conn, imported: &[Imported<Mission>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<MissionRow> = imported.iter().map(MissionRow::of).collect();
    let changed = upsert!(
        conn,
        mission,
        &rows,
        [audience, organization_id, duty_station, short_name, formal_name, state, contact, provenance]
    );
    Ok(changed.into_iter().collect())
}

/// Saves people with the functions they hold; returns the ids of those that this changed.
pub async fn save_people(conn: &mut Conn, imported: &[Imported<Person>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<PersonRow> = imported.iter().map(PersonRow::of).collect();
    let changed = upsert!(
        conn,
        person,
        &rows,
        [
            audience,
            given_name,
            family_name,
            native_name,
            honorific,
            job_title,
            unit_id,
            mission_id,
            duty_station,
            contact,
            provenance
        ]
    );
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();

    let people: Vec<Uuid> = imported.iter().map(|i| i.value.id.0).collect();
    let stored: Vec<(Uuid, Uuid, Option<NaiveDate>)> =
        holding::table.filter(holding::person_id.eq_any(&people)).load(conn).await?;
    let stored: BTreeMap<(Uuid, Uuid), Option<NaiveDate>> = stored.into_iter().map(|(p, f, s)| ((p, f), s)).collect();
    let wanted: BTreeMap<(Uuid, Uuid), Option<NaiveDate>> = imported
        .iter()
        .flat_map(|i| i.value.functions.iter().map(|h| ((i.value.id.0, h.function.0), h.since)))
        .collect();
    let ended: Vec<_> = stored.keys().filter(|pair| !wanted.contains_key(pair)).copied().collect();
    for (person, function) in &ended {
        diesel::delete(holding::table.find((person, function))).execute(conn).await?;
    }
    let begun: Vec<_> = wanted.iter().filter(|(pair, since)| stored.get(pair) != Some(since)).collect();
    let values: Vec<_> = begun
        .iter()
        .map(|((person, function), since)| {
            (holding::person_id.eq(*person), holding::function_id.eq(*function), holding::since.eq(**since))
        })
        .collect();
    diesel::insert_into(holding::table)
        .values(&values)
        .on_conflict((holding::person_id, holding::function_id))
        .do_update()
        .set(holding::since.eq(diesel::upsert::excluded(holding::since)))
        .execute(conn)
        .await?;
    changed.extend(ended.iter().map(|(person, _)| *person));
    changed.extend(begun.iter().map(|((person, _), _)| *person));
    Ok(changed)
}

/// Saves services with their contact points; returns the ids of those that this changed.
pub async fn save_services(conn: &mut Conn, imported: &[Imported<Service>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<ServiceRow> = imported.iter().map(ServiceRow::of).collect();
    let changed = upsert!(conn, service, &rows, [audience, name, description, keywords, provenance]);
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();
    for ServicePoints { service, points } in imported.iter().map(|i| ServicePoints::of(&i.value)) {
        let stored: Vec<(String, Uuid)> = contact_point::table
            .filter(contact_point::service_id.eq(service.0))
            .select((contact_point::duty_station, contact_point::function_id))
            .load(conn)
            .await?;
        let stored: BTreeMap<String, Uuid> = stored.into_iter().collect();
        if stored == points {
            continue;
        }
        diesel::delete(contact_point::table.filter(contact_point::service_id.eq(service.0))).execute(conn).await?;
        let values: Vec<_> = points
            .iter()
            .map(|(station, function)| {
                (
                    contact_point::service_id.eq(service.0),
                    contact_point::duty_station.eq(station),
                    contact_point::function_id.eq(function),
                )
            })
            .collect();
        diesel::insert_into(contact_point::table).values(&values).execute(conn).await?;
        changed.insert(service.0);
    }
    Ok(changed)
}

struct ServicePoints {
    service: ServiceId,
    points: BTreeMap<String, Uuid>,
}

impl ServicePoints {
    fn of(service: &Service) -> Self {
        let pair = |p: &ContactPoint| (p.duty_station.as_str().to_owned(), p.function.0);
        Self { service: service.id, points: service.contact_points.iter().map(pair).collect() }
    }
}

/// A reference from an entry to one that not all of the entry's readers may see, or that is closed; or a
/// unit above itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The kind of the referring entry.
    pub kind: Kind,
    /// Its source.
    pub source: String,
    /// Its key there.
    pub key: String,
    /// The field that refers.
    pub field: String,
    /// Whether it is a unit above itself.
    pub circular: bool,
}

#[derive(QueryableByName)]
struct ContradictionRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    source_key: String,
    #[diesel(sql_type = Text)]
    field: String,
    #[diesel(sql_type = Bool)]
    circular: bool,
}

/// The references that would show a reader an entry's id without the entry; at most 100.
pub async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
    let rows: Vec<ContradictionRow> = diesel::sql_query(
        "select kind, source, source_key, field, circular from directory_contradiction order by 1, 2, 3 limit 100",
    )
    .load(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = Kind::from_name(&row.kind).ok_or_else(|| Error::Corrupt(format!("kind {}", row.kind)))?;
            Ok(Contradiction {
                kind,
                source: row.source,
                key: row.source_key,
                field: row.field,
                circular: row.circular,
            })
        })
        .collect()
}
