//! The role that serves: what it can do, and what it cannot.

use std::time::Duration;

use domain::Role;
use persistence::Db;
use serde_json::json;

use crate::harness::rows::{With, organization, person, unit};
use crate::harness::{Database, Who, World, config, connect, http_client, program, top};
use crate::sync::Copy;

const SERVING: &str = "focalpoint_serve";

/// A migrated database that the serving role may use; `None`, with a word about it, where the tests use a server
/// that has no such role.
async fn granted() -> Option<Database> {
    if std::env::var_os("FOCALPOINT_TEST_CLUSTER").is_none() {
        eprintln!("skipped: the server has no role {SERVING}");
        return None;
    }
    let database = Database::bare().await;
    let migrated = program().args(["migrate", "--grant-to", SERVING]).env("DATABASE_URL", &database.url).output();
    let migrated = migrated.unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    Some(database)
}

async fn world(database: Database) -> World {
    let server = api::start(config(&database.url_as(SERVING))).await.unwrap();
    World { server, http: http_client(), database }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_as_a_role_that_owns_nothing() {
    let Some(database) = granted().await else { return };
    let world = world(database).await;
    let bearer = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &bearer).await;

    // Every import of the demonstration, which has rows of every kind and parts that are replaced.
    let admin = world.token(Role::Admin).await;
    for feature in ["directory", "inf-notes", "bulletins", "event-costs"] {
        let rows = std::fs::read(top().join(format!("data/demonstration/{feature}.ndjson"))).unwrap();
        world.import_text(feature, "", &admin, rows).await.expect(200);
    }
    world.have("directory", &[organization("o"), unit("u", "o"), person("p", "Before")]).await;
    world.have("directory", &[unit("v", "o"), person("p", "After")]).await;
    let (_, waited) = world
        .eventually("/v1/directory/organizations?limit=200", Who::Token(&bearer), |reply| {
            String::from_utf8_lossy(&reply.bytes).contains("Organization of tests")
        })
        .await;
    assert!(waited < Duration::from_secs(2));
    copy.pull(&world, &bearer).await;
    assert!(copy.objects.len() > 500);
    let replaced = world.import("directory", "&mode=replace&force=true", &admin, &[organization("o")]).await;
    assert!(replaced.expect(200).json()["closed"].as_u64() > Some(500));

    // The scheduler ends an embargo and a bulletin's time.
    let embargoed = crate::bulletins::bulletin("b").with("embargo_until", json!("2099-01-01T00:00:00Z"));
    world.have("bulletins", &[embargoed]).await;
    let owner = world.database.psql().await;
    owner.execute("update bulletin set embargo_until = now() where identifier = 'b'", &[]).await.unwrap();
    let published = |reply: &crate::harness::Reply| String::from_utf8_lossy(&reply.bytes).contains("Headline of b");
    world.eventually("/v1/bulletins?limit=200", Who::Stranger, published).await;

    // The log is pruned.
    owner.execute("update sync_tx set at = at - interval '40 days'", &[]).await.unwrap();
    let db = &world.server.state.db;
    let pruned = db.write(async |conn| persistence::log::prune(conn).await).await.unwrap().value;
    assert!(pruned > 500, "{pruned}");

    // Somebody signs in who was made by the command line.
    let mut create = program();
    let created = create
        .args(["client", "create", "--role", "importer", "--scope", "read", "--scope", "directory:import"])
        .env("DATABASE_URL", world.database.url_as(SERVING))
        .output()
        .unwrap();
    let created: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    let request = world.request(reqwest::Method::POST, "/oauth/token", Who::Stranger);
    let request = request.basic_auth(created["client_id"].as_str().unwrap(), created["client_secret"].as_str());
    let form = "application/x-www-form-urlencoded";
    world.send(request.header("content-type", form).body("grant_type=client_credentials")).await.expect(200);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_serving_role_can_change_no_schema_and_get_round_no_log() {
    let Some(database) = granted().await else { return };
    let serving = connect(&database.url_as(SERVING)).await;
    let denied = [
        "drop table unit",
        "drop schema public cascade",
        "create table mine (n int)",
        "create function mine() returns int language sql return 1",
        "create schema mine",
        "alter table unit disable trigger all",
        "alter table unit disable trigger sync_update",
        "alter table unit add column mine int",
        "alter table unit drop constraint unit_pkey",
        "drop trigger sync_number on sync_tx",
        "create trigger mine after insert on unit for each statement execute function sync_truncate_refused()",
        "create or replace function sync_number() returns trigger language plpgsql as 'begin return null; end'",
        "create index mine on unit (id)",
        "truncate unit",
        "truncate sync_log",
        "update audit_entry set op = 'delete'",
        "delete from audit_entry",
        "truncate audit_entry",
        "alter table audit_entry disable trigger append_only",
        "select * from audit_entry_n_seq",
        "delete from unit",
        "delete from organization",
        "delete from inf_note",
        "delete from oauth_client",
        "delete from account",
        "delete from app",
        "delete from signing_key",
        "delete from sync_head",
        "insert into sync_head (stream) values ('notes')",
        "update sync_log set op = 'delete'",
        "insert into __diesel_schema_migrations (version) values ('9999')",
        "delete from __diesel_schema_migrations",
        "set session_replication_role = replica",
        "alter role focalpoint_serve createdb",
        "set role focalpoint",
        "select pg_read_file('/etc/hostname')",
    ];
    for statement in denied {
        let error = serving.batch_execute(statement).await.err().unwrap_or_else(|| panic!("{statement} was allowed"));
        let code = error.code().unwrap().code().to_owned();
        assert_eq!(code, "42501", "{statement}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_rights_is_told_what_it_lacks() {
    let Some(database) = granted().await else { return };
    let owner = database.psql().await;
    owner
        .batch_execute("revoke insert on unit from focalpoint_serve; revoke all on rate from focalpoint_serve")
        .await
        .unwrap();
    let refused = api::start(config(&database.url_as(SERVING))).await.err().unwrap().to_string();
    for words in
        ["delete, insert, select, update on rate", "insert on unit", "focalpoint migrate --grant-to focalpoint_serve"]
    {
        assert!(refused.contains(words), "{refused}");
    }
    // A table that a later migration makes is open to it without a further word.
    owner.batch_execute("create table later (n int); insert into later values (1)").await.unwrap();
    connect(&database.url_as(SERVING)).await.batch_execute("delete from later").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_role_that_can_be_limited_is_given_rights() {
    let database = Database::empty().await;
    let db = Db::new(&database.url, 2).unwrap();
    for (role, words) in
        [("nobody of this name", "no role"), ("focalpoint", "choose another"), ("postgres", "choose another")]
    {
        let refused =
            persistence::roles::grant(&mut db.dedicated().await.unwrap(), role).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{role}: {refused}");
    }
}
