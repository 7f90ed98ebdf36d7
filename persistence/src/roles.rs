//! What the role that serves may do, which is less than its schema's owner may.

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::{Conn, Error, migrations};

/// Why a role was not given its rights.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such role.
    #[error("there is no role of this name: CREATE ROLE … LOGIN PASSWORD … makes one")]
    Unknown,
    /// It may do everything already.
    #[error("the role is a superuser, owns the schema or is a member of who does: choose another")]
    Mighty,
    /// Whoever asked may not give these rights.
    #[error("the rights could not be given by this role, which must own the schema: {}", .0.join("; "))]
    NotGiven(Vec<String>),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

impl From<diesel::result::Error> for Refused {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// The tables and views, and what is needed of each. A root is closed and never deleted, and so is what identity stands on;
/// parts of aggregates are replaced and the log is pruned. The audit is only added to.
const NEEDED: &str = "
    with needed as (
        select c.oid, c.relname::text as name,
            case
                when c.relname = '__diesel_schema_migrations' or c.relkind in ('v', 'm') then array['SELECT']
                when c.relname = 'sync_head' then array['SELECT', 'UPDATE']
                when c.relname = 'audit_entry' then array['SELECT', 'INSERT']
                when c.relname = 'sync_log' then array['SELECT', 'INSERT', 'DELETE']
                when exists (
                    select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                    where t.tgrelid = c.oid and p.proname in ('sync_root_deleted', 'sync_identity_changed')
                ) then array['SELECT', 'INSERT', 'UPDATE']
                else array['SELECT', 'INSERT', 'UPDATE', 'DELETE']
            end as rights
        from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    )";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Might {
    #[diesel(sql_type = Bool)]
    mighty: bool,
}

async fn lines(conn: &mut Conn, query: &str, role: &str) -> Result<Vec<String>, diesel::result::Error> {
    let lines: Vec<Line> = sql_query(format!("{NEEDED} {query}")).bind::<Text, _>(role).load(conn).await?;
    Ok(lines.into_iter().map(|row| row.line).collect())
}

/// The role of this connection.
pub async fn current(conn: &mut Conn) -> Result<String, Error> {
    let row: Line = sql_query("select current_user::text line").get_result(conn).await?;
    Ok(row.line)
}

/// What a role may not do and would have to, a table at a time.
pub async fn missing(conn: &mut Conn, role: &str) -> Result<Vec<String>, Error> {
    let query = "
        select lower(string_agg(r, ', ' order by r)) || ' on ' || name as line
        from needed, unnest(rights) r
        where not has_table_privilege($1, oid, r)
        group by name order by name";
    Ok(lines(conn, query, role).await?)
}

/// Whether a role may change the schema: it owns a table, may become who does, or is a superuser. `None` when there
/// is no such role.
pub async fn is_mighty(conn: &mut Conn, role: &str) -> Result<Option<bool>, Error> {
    use diesel::OptionalExtension;
    let query = "
        select r.rolsuper or exists (
            select from pg_class c
            where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
                and pg_has_role(r.oid, c.relowner, 'member')
        ) as mighty
        from pg_roles r where r.rolname = $1";
    let might: Option<Might> = sql_query(query).bind::<Text, _>(role).get_result(conn).await.optional()?;
    Ok(might.map(|might| might.mighty))
}

/// Gives a role what serving needs, and takes from it what else it had here. Tables that later migrations make are
/// open to it too, until the next call narrows that. To be called as the schema's owner.
pub async fn grant(conn: &mut Conn, role: &str) -> Result<(), Refused> {
    match is_mighty(conn, role).await? {
        None => return Err(Refused::Unknown),
        Some(true) => return Err(Refused::Mighty),
        Some(false) => {}
    }
    let role = role.to_owned();
    conn.transaction::<_, Refused, _>(async move |conn| {
        sql_query(format!("select pg_advisory_xact_lock({})", migrations::LOCK)).execute(conn).await?;
        let first = "
            select format(words, current_schema(), $1) as line
            from unnest(array[
                'revoke create on schema %1$I from public',
                'revoke all on schema %1$I from %2$I',
                'revoke all on all tables in schema %1$I from %2$I',
                'grant usage on schema %1$I to %2$I',
                'grant execute on all functions in schema %1$I to %2$I',
                'alter default privileges in schema %1$I grant select, insert, update, delete on tables to %2$I',
                'alter default privileges in schema %1$I grant execute on functions to %2$I'
            ]) with ordinality as statements (words, n)
            order by n";
        let then = "
            select format('grant %s on %I.%I to %I', array_to_string(rights, ', '), current_schema(), name, $1) as line
            from needed";
        for query in [first, then] {
            for statement in lines(conn, query, &role).await? {
                conn.batch_execute(&statement).await?;
            }
        }
        match missing(conn, &role).await? {
            missing if missing.is_empty() => Ok(()),
            missing => Err(Refused::NotGiven(missing)),
        }
    })
    .await
}
