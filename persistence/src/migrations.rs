//! The schema's versions, run under a lock.

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Conn, Error};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Of the advisory lock that migrators take turns by: "focal" in ASCII.
pub(crate) const LOCK: i64 = 0x66_6f_63_61_6c;

/// Brings the schema up to this release and returns the names of the migrations that ran. Whoever
/// comes second waits and then finds nothing to do. Needs a multi-thread runtime.
pub async fn run(mut conn: Conn) -> Result<Vec<String>, Error> {
    use diesel_async::SimpleAsyncConnection;
    conn.batch_execute("SET lock_timeout = '60s'").await?;
    sql_query(format!("select pg_advisory_lock({LOCK})")).execute(&mut conn).await?;
    // The lock goes with the session, when `harness` is dropped.
    let mut harness = AsyncMigrationHarness::new(conn);
    let ran = harness.run_pending_migrations(MIGRATIONS).map_err(|e| Error::Unexpected(e.to_string()))?;
    Ok(ran.into_iter().map(|version| version.to_string()).collect())
}

/// Takes the schema back to nothing; how the tests prove each `down.sql`.
pub async fn revert_all(conn: Conn) -> Result<(), Error> {
    let mut harness = AsyncMigrationHarness::new(conn);
    harness.revert_all_migrations(MIGRATIONS).map_err(|e| Error::Unexpected(e.to_string()))?;
    Ok(())
}

/// Whether the schema is older than this release. Only reads, so that a server needs no right to create.
pub async fn pending(conn: &mut Conn) -> Result<bool, Error> {
    const RAN: &str = "select version from __diesel_schema_migrations";
    let present: Exists =
        sql_query("select to_regclass('__diesel_schema_migrations') is not null present").get_result(conn).await?;
    if !present.present {
        return Ok(true);
    }
    let ran: Vec<Version> = sql_query(RAN).load(conn).await?;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|e| Error::Unexpected(e.to_string()))?;
    Ok(known.iter().any(|migration| {
        let version = migration.name().version().to_string();
        !ran.iter().any(|row| row.version == version)
    }))
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    present: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}
