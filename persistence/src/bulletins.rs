//! Bulletins' rows, and what the scheduler writes into them.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::imports::{Imported, upsert};
use crate::schema::{bulletin, bulletin_reference};
use crate::{Conn, Error};
use domain::bulletins::{Bulletin, BulletinId, Register};
use domain::{Broken, Kind, Rule};
use rows::BulletinRow;

pub(crate) use rows::{columns, corrupt, corrupt_part, moment};

/// Loads what some reader may see, `only` of these ids if any are given. A corrupt row is left out, and said so in
/// the log.
pub async fn load(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<Vec<Bulletin>, Error> {
    if only.is_some_and(<[_]>::is_empty) {
        return Ok(Vec::new());
    }
    let mut rows =
        bulletin::table.filter(bulletin::visible_to.is_not_null()).select(BulletinRow::as_select()).into_boxed();
    if let Some(ids) = only {
        rows = rows.filter(bulletin::id.eq_any(ids));
    }
    let rows: Vec<BulletinRow> = rows.load(conn).await?;
    let mut references = references(conn, only).await?;
    let parse = |row: BulletinRow| {
        let id = row.id;
        row.parse(references.remove(&id).unwrap_or_default())
            .inspect_err(|cause| tracing::error!(%id, %cause, "a bulletin is left out"))
            .ok()
    };
    Ok(rows.into_iter().filter_map(parse).collect())
}

async fn references(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<BTreeMap<Uuid, BTreeSet<BulletinId>>, Error> {
    let mut pairs = bulletin_reference::table.into_boxed();
    if let Some(ids) = only {
        pairs = pairs.filter(bulletin_reference::bulletin_id.eq_any(ids));
    }
    let pairs: Vec<(Uuid, Uuid)> = pairs.load(conn).await?;
    let mut references: BTreeMap<Uuid, BTreeSet<BulletinId>> = BTreeMap::new();
    for (id, earlier) in pairs {
        references.entry(id).or_default().insert(BulletinId(earlier));
    }
    Ok(references)
}

/// Saves bulletins with their references; returns the ids of those that this changed. What is due is
/// published by [`publish_due`]. An embargo that is set anew withdraws a bulletin until it ends.
pub async fn save(conn: &mut Conn, imported: &[Imported<Bulletin>]) -> Result<BTreeSet<Uuid>, Error> {
    take_back(conn, imported).await?;
    let rows: Vec<BulletinRow> = imported.iter().map(BulletinRow::of).collect();
    let changed = upsert!(
        conn,
        bulletin,
        &rows,
        [
            audience,
            embargo_until,
            identifier,
            issuer_code,
            issuer_name,
            duty_station,
            time_zone,
            message_type,
            category,
            severity,
            urgency,
            certainty,
            sent_at,
            sent_reading,
            onset_at,
            onset_reading,
            expires_at,
            expires_reading,
            texts,
            provenance
        ]
    );
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();
    changed.extend(save_references(conn, imported).await?);
    Ok(changed)
}

/// Takes back what was written by an older embargo or expiry and would contradict the new. Holds the bulletins until
/// the transaction ends, so that the scheduler writes nothing by the older ones meanwhile.
async fn take_back(conn: &mut Conn, imported: &[Imported<Bulletin>]) -> Result<(), Error> {
    let ids: Vec<Uuid> = imported.iter().map(|i| i.value.id.0).collect();
    let _: Vec<Uuid> = bulletin::table
        .filter(bulletin::id.eq_any(&ids))
        .order(bulletin::id)
        .select(bulletin::id)
        .for_no_key_update()
        .load(conn)
        .await?;
    let embargoes: Vec<Option<DateTime<Utc>>> = imported.iter().map(|i| i.value.embargo_until).collect();
    let expiries: Vec<Option<DateTime<Utc>>> =
        imported.iter().map(|i| i.value.expires.as_ref().map(|m| m.at)).collect();
    sql_query(
        "update bulletin b
         set published_at = case when given.embargo > b.published_at then null else b.published_at end,
             expired_at = null
         from unnest($1, $2, $3) given (id, embargo, expiry)
         where b.id = given.id and (
            given.embargo > b.published_at
            or (b.expired_at is not null and coalesce(given.expiry > b.expired_at, true)))",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<diesel::sql_types::Nullable<Timestamptz>>, _>(embargoes)
    .bind::<Array<diesel::sql_types::Nullable<Timestamptz>>, _>(expiries)
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_references(conn: &mut Conn, imported: &[Imported<Bulletin>]) -> Result<BTreeSet<Uuid>, Error> {
    let ids: Vec<Uuid> = imported.iter().map(|i| i.value.id.0).collect();
    let stored: Vec<(Uuid, Uuid)> =
        bulletin_reference::table.filter(bulletin_reference::bulletin_id.eq_any(&ids)).load(conn).await?;
    let stored: BTreeSet<(Uuid, Uuid)> = stored.into_iter().collect();
    let wanted: BTreeSet<(Uuid, Uuid)> =
        imported.iter().flat_map(|i| i.value.references.iter().map(|earlier| (i.value.id.0, earlier.0))).collect();
    for pair in stored.difference(&wanted) {
        diesel::delete(bulletin_reference::table.find(*pair)).execute(conn).await?;
    }
    let new: Vec<_> = wanted
        .difference(&stored)
        .map(|(id, earlier)| (bulletin_reference::bulletin_id.eq(*id), bulletin_reference::earlier_id.eq(*earlier)))
        .collect();
    diesel::insert_into(bulletin_reference::table).values(&new).execute(conn).await?;
    Ok(stored.symmetric_difference(&wanted).map(|(id, _)| *id).collect())
}

/// Publishes what is due by the database's clock, but for what another has in hand. Returns how many.
pub async fn publish_due(conn: &mut Conn) -> Result<usize, Error> {
    let published = sql_query(
        "with due as (
            select id from bulletin
            where published_at is null and closed_at is null and (embargo_until is null or embargo_until <= now())
            for update skip locked
         )
         update bulletin b set published_at = now() from due where b.id = due.id",
    )
    .execute(conn)
    .await?;
    Ok(published)
}

/// Writes down what has expired by the database's clock, but for what another has in hand. Returns
/// how many. What has expired stays visible.
pub async fn expire_due(conn: &mut Conn) -> Result<usize, Error> {
    let expired = sql_query(
        "with due as (
            select id from bulletin
            where expired_at is null and published_at is not null and closed_at is null and expires_at <= now()
            for update skip locked
         )
         update bulletin b set expired_at = now() from due where b.id = due.id",
    )
    .execute(conn)
    .await?;
    Ok(expired)
}

/// A rule that a stored bulletin breaks together with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Of a bulletin or a place.
    pub kind: Kind,
    /// Its source.
    pub source: String,
    /// Its key there.
    pub key: String,
    /// The field, as a JSON pointer.
    pub pointer: &'static str,
    /// The rule.
    pub broken: Broken,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    source_key: String,
}

/// The open bulletins, published or not, whose references break a rule, those whose identifier their
/// issuer has given before, and the places with an opening that rests on a bulletin that is closed or
/// that not all of the place's readers may see: to them it could seem open that is closed.
pub async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
    let rows: Vec<BulletinRow> =
        bulletin::table.filter(bulletin::closed_at.is_null()).select(BulletinRow::as_select()).load(conn).await?;
    let mut references = references(conn, None).await?;
    let mut names = BTreeMap::new();
    let mut bulletins = Vec::new();
    for row in rows {
        names.insert(BulletinId(row.id), row.name());
        let earlier = references.remove(&row.id).unwrap_or_default();
        match row.parse(earlier) {
            Ok(bulletin) => bulletins.push(Arc::new(bulletin)),
            Err(cause) => tracing::error!(%cause, "a bulletin is left out"),
        }
    }
    let register = Register::new(bulletins);
    let mut found = Vec::new();
    for bulletin in register.all() {
        let (source, key) = names[&bulletin.id].clone();
        let contradiction = |broken| Contradiction {
            kind: Kind::Bulletin,
            source: source.clone(),
            key: key.clone(),
            pointer: "/references",
            broken,
        };
        found.extend(register.check(bulletin).into_iter().map(contradiction));
    }
    let twice: Vec<Named> = sql_query(
        "select source, source_key from bulletin b
         where closed_at is null and exists (
            select from bulletin o where o.issuer_code = b.issuer_code and o.identifier = b.identifier and o.id <> b.id)
         order by 1, 2 limit 100",
    )
    .load(conn)
    .await?;
    found.extend(twice.into_iter().map(|Named { source, source_key }| Contradiction {
        kind: Kind::Bulletin,
        source,
        key: source_key,
        pointer: "/identifier",
        broken: Broken::new(Rule::Duplicate, message!("another bulletin of this issuer has this identifier")),
    }));
    let hidden: Vec<Named> = sql_query(
        "select distinct p.source, p.source_key
         from opening o join place p on p.id = o.place_id join bulletin b on b.id = o.basis_id
         where p.closed_at is null and (b.closed_at is not null or not audience_covers(b.audience, p.audience))
         order by 1, 2 limit 100",
    )
    .load(conn)
    .await?;
    found.extend(hidden.into_iter().map(|Named { source, source_key }| Contradiction {
        kind: Kind::Place,
        source,
        key: source_key,
        pointer: "/openings",
        broken: Broken::new(
            Rule::Reference,
            message!("rests on a bulletin that is closed, or that not all of the place's readers may see"),
        ),
    }));
    Ok(found)
}
