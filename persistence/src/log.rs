//! The ordered log, as followers read it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::schema::{sync_head, sync_log, sync_tx};
use crate::{Conn, Error, mutant};
use domain::{Audience, Change, Kind, Position, Step, Stream};

/// How long the log is kept, in days: a phone that was away for longer starts again.
pub const KEPT_DAYS: i32 = 30;

/// Asks for the log's hints on this connection.
pub async fn listen(conn: &mut Conn) -> Result<(), Error> {
    diesel::sql_query("LISTEN focalpoint").execute(conn).await?;
    Ok(())
}

/// Where every stream stands.
pub async fn heads(conn: &mut Conn) -> Result<BTreeMap<Stream, Position>, Error> {
    let rows: Vec<(String, i64, Uuid)> = sync_head::table.load(conn).await?;
    rows.into_iter()
        .map(|(stream, rev, nonce)| {
            let stream = Stream::from_name(&stream).ok_or_else(|| Error::Corrupt(format!("stream {stream}")))?;
            Ok((stream, Position { rev, nonce }))
        })
        .collect()
}

/// The database's clock, now.
pub async fn now(conn: &mut Conn) -> Result<DateTime<Utc>, Error> {
    Ok(diesel::select(clock_timestamp()).get_result(conn).await?)
}

diesel::define_sql_function! {
    /// The time of day, inside a transaction too.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

/// The steps of a published stream after revision `after`, oldest first.
pub async fn steps(conn: &mut Conn, stream: Stream, after: i64) -> Result<Vec<Step>, Error> {
    type Row = (i64, Uuid, DateTime<Utc>, Option<String>, Option<Uuid>, Option<String>, Option<String>);
    let mut rows = sync_tx::table
        .left_join(sync_log::table.on(sync_log::tx.eq(sync_tx::nonce)))
        .filter(sync_tx::stream.eq(stream.name()).and(sync_tx::rev.gt(after)))
        .order((sync_tx::rev, sync_log::n))
        .select((
            sync_tx::rev.assume_not_null(),
            sync_tx::nonce,
            sync_tx::at,
            sync_log::kind.nullable(),
            sync_log::id.nullable(),
            sync_log::audience_before.nullable(),
            sync_log::audience_after.nullable(),
        ))
        .load_stream::<Row>(conn)
        .await?;
    let mut steps: Vec<Step> = Vec::new();
    let mut known: HashMap<(Kind, Uuid), usize> = HashMap::new();
    while let Some((rev, nonce, at, kind, id, before, after)) = rows.try_next().await? {
        if steps.last().is_none_or(|step| step.position.rev != rev) {
            steps.iter_mut().next_back().into_iter().for_each(|step| step.changes.shrink_to_fit());
            steps.push(Step { position: Position { rev, nonce }, at, changes: Vec::new() });
            known.clear();
        }
        if let (Some(kind), Some(id), Some(step)) = (kind, id, steps.last_mut()) {
            let kind = Kind::from_name(&kind).ok_or_else(|| Error::Corrupt(format!("kind {kind}")))?;
            let change = Change { kind, id, before: audience(before)?, after: audience(after)? };
            // What an object was in the middle of a transaction was in no committed state.
            match known.get(&(kind, id)) {
                Some(index) => step.changes[*index].after = change.after,
                None => {
                    known.insert((kind, id), step.changes.len());
                    step.changes.push(change);
                }
            }
        }
    }
    steps.iter_mut().next_back().into_iter().for_each(|step| step.changes.shrink_to_fit());
    Ok(mutant::read(steps))
}

/// The revisions the transaction on this connection has been given, by stream name. By its nonces and
/// not by its number: a restored database counts transactions anew.
pub(crate) async fn own_revisions(conn: &mut Conn) -> Result<Vec<(Stream, i64)>, diesel::result::Error> {
    const OWN: &str =
        "nonce in (select nullif(current_setting('focalpoint.tx_' || stream, true), '')::uuid from sync_head)";
    let rows: Vec<(String, Option<i64>)> = sync_tx::table
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(OWN))
        .order(sync_tx::stream)
        .select((sync_tx::stream, sync_tx::rev))
        .load(conn)
        .await?;
    Ok(rows.into_iter().filter_map(|(stream, rev)| Some((Stream::from_name(&stream)?, rev?))).collect())
}

/// Forgets what came before the oldest step of the last [`KEPT_DAYS`], but never a stream's newest step.
/// Returns how many changes that were. Whatever the clock did, no gap is left.
pub async fn prune(conn: &mut Conn) -> Result<usize, Error> {
    let pruned = diesel::sql_query(format!(
        "with oldest as (
            select h.stream, coalesce(min(t.rev), h.rev) rev
            from sync_head h left join sync_tx t
                on t.stream = h.stream and t.at >= now() - interval '{KEPT_DAYS} days'
            group by h.stream, h.rev
         ), old as (
            delete from sync_tx t using oldest o where o.stream = t.stream and t.rev < o.rev returning t.nonce
         )
         delete from sync_log where tx in (select nonce from old)"
    ))
    .execute(conn)
    .await?;
    Ok(pruned)
}

fn audience(text: Option<String>) -> Result<Option<Audience>, Error> {
    text.map(|t| t.parse().map_err(|_| Error::Corrupt(format!("audience {t}")))).transpose()
}
