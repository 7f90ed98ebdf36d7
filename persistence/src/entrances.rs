//! Places' rows and their openings'.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::bulletins::{columns, corrupt, corrupt_part, moment};
use crate::imports::{Imported, upsert};
use crate::json::{Json, parse_optional};
use crate::schema::{bulletin, opening, place};
use crate::{Conn, Error};
use domain::bulletins::BulletinId;
use domain::entrances::{
    Hours, Opening, OpeningState, Pass, Passes, Period, Place, PlaceId, PlaceKind, Screening, Terms,
};
use domain::moment::{Reading, zone};
use domain::{DutyStation, Localized, Provenance};

/// Loads the places that some reader may see, `only` of these ids if any are given, with the openings that rest on no
/// bulletin or on a published one. A corrupt row is left out, and said so in the log.
pub async fn load(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<Vec<Place>, Error> {
    if only.is_some_and(<[_]>::is_empty) {
        return Ok(Vec::new());
    }
    let mut rows = place::table.filter(place::visible_to.is_not_null()).select(PlaceRow::as_select()).into_boxed();
    let mut stored = opening::table
        .left_join(bulletin::table)
        .filter(opening::basis_id.is_null().or(bulletin::visible_to.is_not_null()))
        .order((opening::place_id, opening::position))
        .select(OpeningRow::as_select())
        .into_boxed();
    if let Some(ids) = only {
        rows = rows.filter(place::id.eq_any(ids));
        stored = stored.filter(opening::place_id.eq_any(ids));
    }
    let rows: Vec<PlaceRow> = rows.load(conn).await?;
    let stored: Vec<OpeningRow> = stored.load(conn).await?;
    let mut openings: BTreeMap<Uuid, Vec<Opening>> = BTreeMap::new();
    let mut corrupt = BTreeSet::new();
    for row in stored {
        let id = row.place_id;
        match row.parse() {
            Ok(opening) => openings.entry(id).or_default().push(opening),
            Err(cause) => {
                // Without one of its openings a place could seem open that is closed.
                tracing::error!(%id, %cause, "a place is left out");
                corrupt.insert(id);
            }
        }
    }
    let parse = |row: PlaceRow| {
        let id = row.id;
        row.parse(openings.remove(&id).unwrap_or_default())
            .inspect_err(|cause| tracing::error!(%id, %cause, "a place is left out"))
            .ok()
    };
    Ok(rows.into_iter().filter(|row| !corrupt.contains(&row.id)).filter_map(parse).collect())
}

/// Saves places with their openings; returns the ids of those that this changed.
pub async fn save(conn: &mut Conn, imported: &[Imported<Place>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<PlaceRow> = imported.iter().map(PlaceRow::of).collect();
    let changed = upsert!(
        conn,
        place,
        &rows,
        [audience, place_kind, duty_station, time_zone, name, other_names, address, provenance]
    );
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();
    changed.extend(save_openings(conn, imported).await?);
    Ok(changed)
}

async fn save_openings(conn: &mut Conn, imported: &[Imported<Place>]) -> Result<BTreeSet<Uuid>, Error> {
    let ids: Vec<Uuid> = imported.iter().map(|i| i.value.id.0).collect();
    let stored: Vec<OpeningRow> =
        opening::table.filter(opening::place_id.eq_any(&ids)).select(OpeningRow::as_select()).load(conn).await?;
    let mut stored: BTreeMap<(Uuid, i32), OpeningRow> =
        stored.into_iter().map(|row| ((row.place_id, row.position), row)).collect();
    let wanted = imported.iter().flat_map(|i| {
        (0i32..).zip(&i.value.openings).map(|(position, opening)| OpeningRow::of(i.value.id, position, opening))
    });
    let new: Vec<OpeningRow> =
        wanted.filter(|row| stored.remove(&(row.place_id, row.position)).as_ref() != Some(row)).collect();
    for extra in stored.keys() {
        diesel::delete(opening::table.find(*extra)).execute(conn).await?;
    }
    // Postgres takes 65,535 parameters a statement.
    for new in new.chunks(1000) {
        diesel::insert_into(opening::table)
            .values(new)
            .on_conflict((opening::place_id, opening::position))
            .do_update()
            .set((
                opening::state.eq(excluded(opening::state)),
                opening::passes.eq(excluded(opening::passes)),
                opening::directed_elsewhere.eq(excluded(opening::directed_elsewhere)),
                opening::from_at.eq(excluded(opening::from_at)),
                opening::from_reading.eq(excluded(opening::from_reading)),
                opening::until_at.eq(excluded(opening::until_at)),
                opening::until_reading.eq(excluded(opening::until_reading)),
                opening::hours.eq(excluded(opening::hours)),
                opening::screening.eq(excluded(opening::screening)),
                opening::note.eq(excluded(opening::note)),
                opening::basis_id.eq(excluded(opening::basis_id)),
                opening::provenance.eq(excluded(opening::provenance)),
            ))
            .execute(conn)
            .await?;
    }
    Ok(new.iter().map(|row| row.place_id).chain(stored.keys().map(|(id, _)| *id)).collect())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = place)]
struct PlaceRow {
    id: Uuid,
    source: String,
    source_key: String,
    audience: String,
    closed_at: Option<DateTime<Utc>>,
    place_kind: String,
    duty_station: String,
    time_zone: String,
    name: Json<Localized>,
    other_names: Json<Vec<Localized>>,
    address: Option<Json<Localized>>,
    provenance: Json<Provenance>,
}

impl PlaceRow {
    fn of(imported: &Imported<Place>) -> Self {
        let place = imported.value.clone();
        Self {
            id: place.id.0,
            source: imported.source.as_str().to_owned(),
            source_key: imported.key.as_str().to_owned(),
            audience: place.audience.to_string(),
            closed_at: None,
            place_kind: place.kind.code().to_owned(),
            duty_station: place.duty_station.into(),
            time_zone: place.time_zone.name().to_owned(),
            name: Json::of(place.name),
            other_names: Json::of(place.other_names),
            address: place.address.map(Json::of),
            provenance: Json::of(place.provenance),
        }
    }

    fn parse(self, openings: Vec<Opening>) -> Result<Place, Error> {
        Ok(Place {
            id: PlaceId(self.id),
            kind: PlaceKind::parse(&self.place_kind).map_err(corrupt)?,
            duty_station: DutyStation::parse(&self.duty_station).map_err(corrupt)?,
            time_zone: zone(&self.time_zone).map_err(corrupt)?,
            name: self.name.parse()?,
            other_names: self.other_names.parse()?,
            address: parse_optional(self.address)?,
            audience: self.audience.parse().map_err(corrupt)?,
            openings,
            provenance: self.provenance.parse()?,
        })
    }
}

#[derive(PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = opening)]
struct OpeningRow {
    place_id: Uuid,
    position: i32,
    state: String,
    passes: Option<Vec<String>>,
    directed_elsewhere: Vec<String>,
    from_at: Option<DateTime<Utc>>,
    from_reading: Option<Json<Reading>>,
    until_at: Option<DateTime<Utc>>,
    until_reading: Option<Json<Reading>>,
    hours: Option<Json<Hours>>,
    screening: String,
    note: Option<Json<Localized>>,
    basis_id: Option<Uuid>,
    provenance: Json<Provenance>,
}

fn codes<'a>(passes: impl IntoIterator<Item = &'a Pass>) -> Vec<String> {
    passes.into_iter().map(|pass| pass.code().to_owned()).collect()
}

fn passes(codes: &[String]) -> Result<BTreeSet<Pass>, Error> {
    codes.iter().map(|code| Pass::parse(code).map_err(corrupt)).collect()
}

impl OpeningRow {
    fn of(place: PlaceId, position: i32, opening: &Opening) -> Self {
        let (from_at, from_reading) = columns(opening.period.from.clone());
        let (until_at, until_reading) = columns(opening.period.until.clone());
        Self {
            place_id: place.0,
            position,
            state: opening.state.code().to_owned(),
            passes: match &opening.passes {
                Passes::All => None,
                Passes::Only(named) => Some(codes(named)),
            },
            directed_elsewhere: codes(&opening.directed_elsewhere),
            from_at,
            from_reading,
            until_at,
            until_reading,
            hours: opening.hours.clone().map(Json::of),
            screening: opening.screening.code().to_owned(),
            note: opening.note.clone().map(Json::of),
            basis_id: opening.basis.map(|id| id.0),
            provenance: Json::of(opening.provenance.clone()),
        }
    }

    fn parse(self) -> Result<Opening, Error> {
        let terms = Terms {
            state: OpeningState::parse(&self.state).map_err(corrupt)?,
            passes: match &self.passes {
                None => Passes::All,
                Some(named) => Passes::Only(passes(named)?),
            },
            directed_elsewhere: passes(&self.directed_elsewhere)?,
            period: Period {
                from: moment(self.from_at, self.from_reading)?,
                until: moment(self.until_at, self.until_reading)?,
            },
            hours: parse_optional(self.hours)?,
            screening: Screening::parse(&self.screening).map_err(corrupt)?,
            note: parse_optional(self.note)?,
            basis: self.basis_id.map(BulletinId),
            provenance: self.provenance.parse()?,
        };
        Opening::parse(terms).map_err(corrupt_part)
    }
}
