//! The schema's versions, run under a lock.

use diesel::pg::Pg;
use diesel::sql_query;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Conn, Error};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Of the advisory lock that migrators take turns by: "focal" in ASCII.
const LOCK: i64 = 0x66_6f_63_61_6c;

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

/// Whether the schema is older than this release.
pub async fn pending(conn: Conn) -> Result<bool, Error> {
    let mut harness = AsyncMigrationHarness::new(conn);
    MigrationHarness::<Pg>::has_pending_migration(&mut harness, MIGRATIONS)
        .map_err(|e| Error::Unexpected(e.to_string()))
}
