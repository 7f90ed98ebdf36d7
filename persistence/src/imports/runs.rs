//! Import runs: what became of each import. Written beside the import's transaction, so that whoever waits
//! can see it move; only that it was committed is written inside, and is as true as the import.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::import_run;
use crate::{Conn, Error};

/// How long runs are kept, in days.
pub const KEPT_DAYS: i32 = 30;

/// After so many seconds without a word the process that had a run is taken for dead.
pub const SILENCE_SECONDS: i32 = 30;

/// A run, as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = import_run)]
pub struct Run {
    /// Its id; later ones are greater.
    pub id: Uuid,
    /// Who began it: the subject of their token.
    pub client_id: Uuid,
    /// The stream it publishes in.
    pub feature: String,
    /// The source of the rows.
    pub source: String,
    /// `ndjson` or `csv`.
    pub format: String,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
    /// Whether the source's rows that are not in the file are closed.
    pub replace: bool,
    /// Also when they are many.
    pub force: bool,
    /// How far it is.
    pub state: String,
    /// Rows done in this state.
    pub rows_done: i64,
    /// Rows in the file, once that is known.
    pub rows_total: Option<i64>,
    /// Milliseconds by state.
    pub timings: Value,
    /// What it did.
    pub report: Option<Value>,
    /// Why it did not.
    pub problem: Option<Value>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How a run goes on.
#[derive(Debug, Clone)]
pub struct News {
    /// The state it is in.
    pub state: &'static str,
    /// Rows done in it.
    pub rows_done: i64,
    /// Rows in the file, once that is known.
    pub rows_total: Option<i64>,
    /// Milliseconds by state.
    pub timings: Value,
    /// At the end: what it did.
    pub report: Option<Value>,
    /// At the end: why it did not.
    pub problem: Option<Value>,
}

/// Notes that a run begins; by the database's clock.
pub async fn begin(conn: &mut Conn, run: &Run) -> Result<(), Error> {
    diesel::insert_into(import_run::table)
        .values((
            import_run::id.eq(run.id),
            import_run::client_id.eq(run.client_id),
            import_run::feature.eq(&run.feature),
            import_run::source.eq(&run.source),
            import_run::format.eq(&run.format),
            import_run::dry_run.eq(run.dry_run),
            import_run::replace.eq(run.replace),
            import_run::force.eq(run.force),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes how a run goes on, unless it has ended.
pub async fn note(conn: &mut Conn, id: Uuid, news: &News) -> Result<(), Error> {
    write(conn, id, news, "ended_at is null").await
}

/// Notes how a run ended. Of two ends, that it was committed is the true one.
pub async fn end(conn: &mut Conn, id: Uuid, news: &News) -> Result<(), Error> {
    match news.state {
        "committed" => write(conn, id, news, "true").await,
        _ => write(conn, id, news, "state <> 'committed'").await,
    }
}

async fn write(conn: &mut Conn, id: Uuid, news: &News, condition: &str) -> Result<(), Error> {
    diesel::sql_query(format!(
        "update import_run set state = $2, rows_done = $3, rows_total = $4, timings = $5, report = $6, problem = $7,
            heard_at = clock_timestamp(),
            ended_at = case when $2 in ('committed', 'rehearsed', 'refused', 'failed')
                then coalesce(ended_at, clock_timestamp()) end
         where id = $1 and {condition}"
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(news.state)
    .bind::<BigInt, _>(news.rows_done)
    .bind::<Nullable<BigInt>, _>(news.rows_total)
    .bind::<Jsonb, _>(&news.timings)
    .bind::<Nullable<Jsonb>, _>(&news.report)
    .bind::<Nullable<Jsonb>, _>(&news.problem)
    .execute(conn)
    .await?;
    Ok(())
}

/// A run, if it is one of `client`'s; anybody's where none is named.
pub async fn find(conn: &mut Conn, id: Uuid, client: Option<Uuid>) -> Result<Option<Run>, Error> {
    let mut query = import_run::table.filter(import_run::id.eq(id)).select(Run::as_select()).into_boxed();
    if let Some(client) = client {
        query = query.filter(import_run::client_id.eq(client));
    }
    Ok(query.first(conn).await.optional()?)
}

/// At most `limit` runs of `client`, or of anybody, that began before `before`; the latest first.
pub async fn list(conn: &mut Conn, client: Option<Uuid>, before: Option<Uuid>, limit: i64) -> Result<Vec<Run>, Error> {
    let mut query = import_run::table.select(Run::as_select()).order(import_run::id.desc()).limit(limit).into_boxed();
    if let Some(client) = client {
        query = query.filter(import_run::client_id.eq(client));
    }
    if let Some(before) = before {
        query = query.filter(import_run::id.lt(before));
    }
    Ok(query.load(conn).await?)
}

/// Notes that runs failed whose process is silent. Returns how many.
pub async fn bury(conn: &mut Conn) -> Result<usize, Error> {
    let buried = diesel::sql_query(format!(
        "update import_run set state = 'failed', ended_at = clock_timestamp()
         where ended_at is null and heard_at < clock_timestamp() - interval '{SILENCE_SECONDS} seconds'"
    ))
    .execute(conn)
    .await?;
    Ok(buried)
}

/// Forgets runs that are older than [`KEPT_DAYS`]. Returns how many.
pub async fn prune(conn: &mut Conn) -> Result<usize, Error> {
    let pruned = diesel::sql_query(format!(
        "delete from import_run where started_at < now() - interval '{KEPT_DAYS} days' and ended_at is not null"
    ))
    .execute(conn)
    .await?;
    Ok(pruned)
}
