//! What every import needs: one at a time for a stream, rows found again by their source's key,
//! and the closing of what a source no longer has.

pub mod runs;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::{Conn, Error};
use domain::{Key, Kind, Source, Stream};

/// A value with the source it came from and its key there.
#[derive(Debug, Clone)]
pub struct Imported<T> {
    /// The source.
    pub source: Source,
    /// The key in the source.
    pub key: Key,
    /// The value, with the id it has or is given.
    pub value: T,
}

/// What stands for a row's kind, source and key: 128 bits of keyed hashes, because an import has to remember as
/// many as there are rows. Nobody outside can make two rows of the same name.
pub type Name = [u64; 2];

/// Makes names; those of another one differ.
#[derive(Debug, Clone, Default)]
pub struct Namer([RandomState; 2]);

impl Namer {
    /// The name of a row.
    pub fn name(&self, kind: Kind, source: &Source, key: &Key) -> Name {
        [&self.0[0], &self.0[1]].map(|state| state.hash_one((kind, source, key)))
    }
}

/// The ids of stored rows by kind, source and key; closed rows too, so that an id is never given twice.
#[derive(Debug, Default)]
pub struct Keys {
    namer: Namer,
    ids: HashMap<Name, Uuid>,
}

impl Keys {
    /// The id of a row.
    pub fn find(&self, kind: Kind, source: &Source, key: &Key) -> Option<Uuid> {
        self.ids.get(&self.namer.name(kind, source, key)).copied()
    }

    /// Gives a row an id unless it has one. Returns its id and whether it is new.
    pub fn claim(&mut self, name: Name, id: impl FnOnce() -> Uuid) -> (Uuid, bool) {
        let mut new = false;
        let id = *self.ids.entry(name).or_insert_with(|| {
            new = true;
            id()
        });
        (id, new)
    }
}

/// Waits for its turn among the imports of a stream, until the transaction ends.
pub async fn lock(conn: &mut Conn, stream: Stream, at_most: Duration) -> Result<(), Error> {
    conn.batch_execute(&format!("set local lock_timeout = {}", at_most.as_millis())).await?;
    sql_query("select pg_advisory_xact_lock(hashtext('import'), hashtext($1))")
        .bind::<Text, _>(stream.name())
        .execute(conn)
        .await?;
    // What was set for the wait alone.
    conn.batch_execute("set local lock_timeout = '2s'").await?;
    Ok(())
}

/// Checks at once what is otherwise checked at commit, and lets the log number the transaction.
pub async fn settle(conn: &mut Conn) -> Result<(), Error> {
    Ok(conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?)
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    source_key: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The ids of every row of these kinds, by the names that `namer` makes.
pub async fn keys(conn: &mut Conn, kinds: &[Kind], namer: Namer) -> Result<Keys, Error> {
    let corrupt = |broken: domain::Broken| Error::Corrupt(broken.detail);
    let mut ids = HashMap::new();
    for kind in kinds {
        let query = sql_query(format!("select source, source_key, id from {}", table(*kind)));
        let mut rows = query.load_stream::<KeyRow>(conn).await?;
        while let Some(row) = rows.try_next().await? {
            let source = Source::parse(&row.source).map_err(corrupt)?;
            let key = Key::parse(&row.source_key).map_err(corrupt)?;
            ids.insert(namer.name(*kind, &source, &key), row.id);
        }
    }
    Ok(Keys { namer, ids })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many open rows of a kind a source has.
pub async fn count_open(conn: &mut Conn, kind: Kind, source: &Source) -> Result<i64, Error> {
    let query = format!("select count(*) n from {} where source = $1 and closed_at is null", table(kind));
    let count: Count = sql_query(query).bind::<Text, _>(source.as_str()).get_result(conn).await?;
    Ok(count.n)
}

/// Closes the open rows of a source that are not among `kept`. Returns how many.
pub async fn close_others(conn: &mut Conn, kind: Kind, source: &Source, kept: &[Uuid]) -> Result<usize, Error> {
    let query = format!(
        "update {} set closed_at = now()
         where source = $1 and closed_at is null and id not in (select unnest($2))",
        table(kind)
    );
    let closed =
        sql_query(query).bind::<Text, _>(source.as_str()).bind::<Array<SqlUuid>, _>(kept).execute(conn).await?;
    Ok(closed)
}

/// Whether a row of this id is there and open.
pub async fn exists(conn: &mut Conn, kind: Kind, id: Uuid) -> Result<bool, Error> {
    let query = format!("select count(*) n from {} where id = $1 and closed_at is null", table(kind));
    let count: Count = sql_query(query).bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(count.n > 0)
}

/// The published streams to which nothing was ever written; none while there are drafts.
pub async fn untouched(conn: &mut Conn) -> Result<Vec<Stream>, Error> {
    let heads = crate::log::heads(conn).await?;
    let at_start = |stream: &Stream| heads.get(stream).is_some_and(|position| position.rev == 0);
    Ok(Stream::PUBLISHED.into_iter().filter(at_start).filter(|_| at_start(&Stream::Internal)).collect())
}

/// Every kind has a root table of its own name.
fn table(kind: Kind) -> &'static str {
    kind.name()
}

/// Inserts rows, or overwrites those of the same source and key and opens them again; returns the
/// ids of the rows that this changed. A row that is there already, the same, is left alone.
macro_rules! upsert {
    ($conn:expr, $table:ident, $rows:expr, [$($column:ident),* $(,)?]) => {{
        use diesel::prelude::*;
        use diesel::upsert::excluded;
        let statement = diesel::insert_into($table::table)
            .values($rows)
            .on_conflict(($table::source, $table::source_key))
            .do_update()
            .set((
                $($table::$column.eq(excluded($table::$column)),)*
                $table::closed_at.eq(None::<chrono::DateTime<chrono::Utc>>),
            ));
        let differs =
            $table::closed_at.is_not_null()$(.or($table::$column.is_distinct_from(excluded($table::$column))))*;
        let statement = diesel::query_dsl::methods::FilterDsl::filter(statement, differs).returning($table::id);
        diesel_async::RunQueryDsl::get_results::<uuid::Uuid>(statement, $conn).await?
    }};
}
pub(crate) use upsert;
