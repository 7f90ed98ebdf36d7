//! What the migrations promise.

use crate::harness::Database;

async fn connect(database: &Database) -> persistence::Conn {
    persistence::Db::new(&database.url, 2).unwrap().dedicated().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_taken_back() {
    let database = Database::bare().await;
    let ran = persistence::migrations::run(connect(&database).await).await.unwrap();
    assert!(!ran.is_empty());
    persistence::migrations::revert_all(connect(&database).await).await.unwrap();
    let psql = database.psql().await;
    let left: i64 = psql
        .query_one(
            "select (select count(*) from pg_class c where c.relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')
                and relname <> '__diesel_schema_migrations')
             + (select count(*) from pg_proc p where p.pronamespace = 'public'::regnamespace)
             + (select count(*) from pg_type t where t.typnamespace = 'public'::regnamespace and typtype = 'd')",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
    assert_eq!(persistence::migrations::run(connect(&database).await).await.unwrap(), ran, "and made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_migrators_the_second_finds_nothing_to_do() {
    let database = Database::bare().await;
    let (one, other) = (connect(&database).await, connect(&database).await);
    let (one, other) = tokio::join!(
        tokio::spawn(persistence::migrations::run(one)),
        tokio::spawn(persistence::migrations::run(other))
    );
    let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
    assert!(one.is_empty() != other.is_empty(), "{one:?} {other:?}");
}

/// Every table is either followed by the log or known not to be: its own, the migrations', what became of imports,
/// and what nobody holds in memory. Of sessions only the end is followed.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_followed_always_and_guarded_against_truncate() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    let unfollowed: Vec<String> = psql
        .query(
            "select c.relname::text from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
               and c.relname not in ('sync_head', 'sync_tx', 'sync_log', '__diesel_schema_migrations', 'import_run',
                   'password', 'second_factor', 'recovery_code', 'password_link', 'browser_session', 'session',
                   'authorization_code', 'mail', 'audit_entry')
               and (select count(distinct t.tgtype) from pg_trigger t
                    where t.tgrelid = c.oid and t.tgname like 'sync_%' and t.tgenabled = 'A') < 4",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(unfollowed, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_and_the_domain_agree_on_which_audience_covers_which() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    let (a, b) = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b");
    let all = [
        "public".into(),
        "delegates".into(),
        "secretariat".into(),
        format!("missions:{a}"),
        format!("missions:{a},{b}"),
    ];
    for outer in &all {
        for inner in &all {
            let row = psql.query_one("select audience_covers($1, $2)", &[outer, inner]).await.unwrap();
            let domain = outer.parse::<domain::Audience>().unwrap().covers(&inner.parse().unwrap());
            assert_eq!(row.get::<_, bool>(0), domain, "{outer} {inner}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_may_lose_what_it_acknowledged_is_refused() {
    let database = Database::empty().await;
    let name = database.url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let psql = database.psql().await;
    psql.batch_execute(&format!("alter database {name} set synchronous_commit = off")).await.unwrap();
    let config = crate::harness::config(&database.url);
    let refused =
        api::start(api::config::Config { allow_unsafe_postgres: false, ..config.clone() }).await.err().unwrap();
    assert!(refused.to_string().contains("synchronous_commit"), "{refused}");
    api::start(config).await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_too_old_is_refused() {
    let database = Database::bare().await;
    let refused = api::start(crate::harness::config(&database.url)).await.err().unwrap();
    assert!(refused.to_string().contains("focalpoint migrate"), "{refused}");
}
