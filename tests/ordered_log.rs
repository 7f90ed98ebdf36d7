//! The ordered log: a revision per transaction and stream, whoever writes.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Role;
use serde_json::json;
use uuid::Uuid;

use crate::harness::rows::{With, function, organization, person, unit};
use crate::harness::{Database, Who, World};

const ORGANIZATION: &str = "insert into organization (id, source, source_key, audience, name, provenance)
    values (gen_random_uuid(), 'psql', gen_random_uuid()::text, 'public', '{\"en\": \"By hand\"}', '{\"confidence\": \"sample\"}')";

async fn revision(psql: &tokio_postgres::Client, stream: &str) -> i64 {
    psql.query_one("select rev from sync_head where stream = $1", &[&stream]).await.unwrap().get(0)
}

async fn logged(
    psql: &tokio_postgres::Client,
    stream: &str,
    rev: i64,
) -> Vec<(String, String, Option<String>, Option<String>)> {
    let rows = psql
        .query(
            "select l.kind, l.op, l.audience_before, l.audience_after
             from sync_log l join sync_tx t on t.nonce = l.tx where t.stream = $1 and t.rev = $2 order by 1, 2",
            &[&stream, &rev],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_by_hand_gets_a_revision_and_is_seen_within_a_second() {
    let world = World::empty().await;
    world.have("directory", &[organization("o")]).await;
    let token = world.token(Role::Delegate).await;
    let psql = world.database.psql().await;
    let before = revision(&psql, "directory").await;

    psql.execute("update organization set name = '{\"en\": \"Renamed by hand\"}'", &[]).await.unwrap();

    assert_eq!(revision(&psql, "directory").await, before + 1);
    let seen = |reply: &crate::harness::Reply| reply.json()["items"][0]["name"] == "Renamed by hand";
    let (_, took) = world.eventually("/v1/directory/organizations", Who::Token(&token), seen).await;
    assert!(took.as_millis() < 1000, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_nobody_can_read_is_left_out_and_holds_up_nothing() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), unit("bad", "o"), unit("good", "o")]).await;
    let token = world.token(Role::Delegate).await;
    let psql = world.database.psql().await;
    // The form of a number, which the database checks, but of no country.
    let number = r#"{"telephones": [{"number": "+999123456"}]}"#;
    psql.execute(&format!("update unit set contact = '{number}' where source_key = 'bad'"), &[]).await.unwrap();
    let alone = |reply: &crate::harness::Reply| reply.json()["items"].as_array().unwrap().len() == 1;
    world.eventually("/v1/directory/units", Who::Token(&token), alone).await;
    psql.execute("update unit set name = '{\"en\": \"Goes on\"}' where source_key = 'good'", &[]).await.unwrap();
    let goes_on = |reply: &crate::harness::Reply| reply.json()["items"][0]["name"] == "Goes on";
    world.eventually("/v1/directory/units", Who::Token(&token), goes_on).await;
    psql.execute("update account set suspended_at = now()", &[]).await.unwrap();
    world.eventually("/v1/directory/units", Who::Token(&token), |reply| reply.status == 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_gets_one_revision_however_many_rows_it_has() {
    let world = World::empty().await;
    let rows: Vec<_> = (0..700).map(|n| organization(&format!("o{n}"))).collect();
    let reply = world.have("directory", &rows).await;
    assert_eq!(reply.header("sync-rev"), Some("directory=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_change_is_not_logged() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), unit("u", "o")]).await;
    let psql = world.database.psql().await;
    let before = revision(&psql, "directory").await;
    psql.execute("update unit set name = name, audience = audience", &[]).await.unwrap();
    assert_eq!(revision(&psql, "directory").await, before);
    let again = world.have("directory", &[organization("o"), unit("u", "o")]).await;
    assert_eq!((again.header("sync-rev"), again.json()["unchanged"].as_i64()), (None, Some(2)));
    assert_eq!(revision(&psql, "directory").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_audiences_before_and_after() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    psql.execute(ORGANIZATION, &[]).await.unwrap();
    psql.execute("update organization set audience = 'secretariat'", &[]).await.unwrap();
    psql.execute("update organization set closed_at = now()", &[]).await.unwrap();
    let one = |op: &str, before: Option<&str>, after: Option<&str>| {
        vec![("organization".to_owned(), op.to_owned(), before.map(str::to_owned), after.map(str::to_owned))]
    };
    assert_eq!(logged(&psql, "directory", 1).await, one("insert", None, Some("public")));
    assert_eq!(logged(&psql, "directory", 2).await, one("update", Some("public"), Some("secretariat")));
    assert_eq!(logged(&psql, "directory", 3).await, one("update", Some("secretariat"), None));
    // What nobody can see any more changes no published stream.
    psql.execute("update organization set name = '{\"en\": \"Closed\"}'", &[]).await.unwrap();
    assert_eq!(revision(&psql, "directory").await, 3);
    assert_eq!(logged(&psql, "internal", 1).await, one("update", None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_savepoint_leaves_no_trace() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    let transaction = format!(
        "begin; savepoint a; {ORGANIZATION}; rollback to a; {ORGANIZATION}; savepoint b; delete from organization; rollback to b; commit"
    );
    psql.batch_execute(&transaction).await.unwrap();
    assert_eq!(revision(&psql, "directory").await, 1);
    assert_eq!(logged(&psql, "directory", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_id_is_a_deletion_and_an_insertion() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    psql.execute(ORGANIZATION, &[]).await.unwrap();
    psql.execute("update organization set id = gen_random_uuid()", &[]).await.unwrap();
    let ops: Vec<String> = logged(&psql, "directory", 2).await.into_iter().map(|row| row.1).collect();
    assert_eq!(ops, ["delete", "insert"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncate_is_refused_and_replica_mode_does_not_silence_the_log() {
    let database = Database::empty().await;
    let psql = database.psql().await;
    for table in
        ["organization", "unit", "function", "mission", "person", "service", "holding", "contact_point", "oauth_client"]
    {
        let refused = psql.batch_execute(&format!("truncate {table} cascade")).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("it would escape the"), "{table}: {refused}");
    }
    psql.batch_execute(&format!("set session_replication_role = replica; {ORGANIZATION}")).await.ok();
    let rows: i64 = psql.query_one("select count(*) from organization", &[]).await.unwrap().get(0);
    assert_eq!(revision(&psql, "directory").await, rows, "a row that got in is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_logs_the_aggregates_it_belongs_to() {
    let world = World::empty().await;
    let rows = [
        organization("o"),
        unit("u", "o"),
        function("f", "u"),
        person("p", "Ortega").with("functions", json!([{"function": "f"}])),
    ];
    world.have("directory", &rows).await;
    let psql = world.database.psql().await;
    let before = revision(&psql, "directory").await;
    psql.execute("update holding set since = '2026-01-01'", &[]).await.unwrap();
    let kinds: Vec<String> = logged(&psql, "directory", before + 1).await.into_iter().map(|row| row.0).collect();
    assert_eq!(kinds, ["function", "person"]);
}

/// One transaction changes what an object says through another row, another one changes who may see the object. They
/// take turns, whichever comes first, and the first's entry tells the audience at its commit.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_another_row_is_logged_with_the_audience_at_commit() {
    const PERSON: &str = "p";
    const PLACE: &str = "g";
    let world = World::empty().await;
    let rows = [
        organization("o"),
        unit("u", "o"),
        function("f", "u"),
        person(PERSON, "Ortega").with("functions", json!([{"function": "f"}])),
    ];
    world.have("directory", &rows).await;
    let psql = world.database.psql().await;
    let garage = format!(
        "with g as (
            insert into place (id, source, source_key, audience, place_kind, duty_station, time_zone, name, provenance)
            values (gen_random_uuid(), 'psql', '{PLACE}', 'public', 'garage', 'NY', 'America/New_York',
                '{{\"en\": \"Garage of tests\"}}', '{{\"confidence\": \"sample\"}}')
            returning id)
         insert into opening (place_id, position, state, provenance)
         select id, 0, 'open', '{{\"confidence\": \"sample\"}}' from g"
    );
    psql.batch_execute(&garage).await.unwrap();

    let parts = [
        ("person", PERSON, "update holding set since = coalesce(since, '2026-01-01') + 1"),
        (
            "person",
            PERSON,
            "update function set audience = case audience when 'public' then 'delegates' else 'public' end",
        ),
        ("place", PLACE, "update opening set position = position + 1"),
    ];
    let audiences = ["audience = 'delegates'", "closed_at = now()", "closed_at = null", "audience = 'public'"];
    for (part_first, (table, key, part)) in [true, false].into_iter().flat_map(|first| parts.map(|part| (first, part)))
    {
        for audience in audiences {
            let audience = format!("update {table} set {audience} where source_key = '{key}'");
            let order = if part_first { [part, &audience] } else { [&audience, part] };
            let (first, second) = (world.database.psql().await, world.database.psql().await);
            let backend: i32 = second.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
            first.batch_execute(&format!("begin; {}", order[0])).await.unwrap();
            let seen_by = format!("select visible_to from {table} where source_key = '{key}'");
            let seen_by: Option<String> = first.query_one(&seen_by, &[]).await.unwrap().get(0);

            let statement = format!("begin; {}", order[1]);
            let held = tokio::spawn(async move { second.batch_execute(&statement).await.map(|()| second) });
            let waits = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1";
            while psql.query_one(waits, &[&backend]).await.unwrap().get::<_, Option<bool>>(0) != Some(true) {
                assert!(!held.is_finished(), "{} does not wait for {}", order[1], order[0]);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let entries = format!(
                "select l.audience_before, l.audience_after from sync_log l join sync_tx t on t.nonce = l.tx
                 where l.kind = '{table}' and t.stream <> 'internal' and t.xid = pg_current_xact_id()"
            );
            let of_first = first.query(&entries, &[]).await.unwrap();
            first.batch_execute("commit").await.unwrap();
            let second = held.await.unwrap().unwrap();
            let of_second = second.query(&entries, &[]).await.unwrap();
            second.batch_execute("commit").await.unwrap();

            let entries = if part_first { of_first } else { of_second };
            let told: Vec<[Option<String>; 2]> = entries.iter().map(|entry| [entry.get(0), entry.get(1)]).collect();
            let expected: Vec<_> =
                seen_by.iter().map(|audience| [Some(audience.clone()), Some(audience.clone())]).collect();
            assert_eq!(told, expected, "{order:?}");
        }
    }
}

/// Eight clients write two streams in opposite orders, as fast as they can.
#[tokio::test(flavor = "multi_thread")]
async fn opposite_orders_do_not_deadlock_and_leave_no_gap() {
    const CLIENTS: usize = 8;
    const ROUNDS: usize = 40;
    let database = Database::empty().await;
    let client = |n: usize| {
        format!(
            "insert into oauth_client (id, name, role, secret_hash) values (gen_random_uuid(), 'c{n}', 'admin', 'x')"
        )
    };
    let mut writers = Vec::new();
    for n in 0..CLIENTS {
        let psql = database.psql().await;
        let statements = match n % 2 {
            0 => format!("begin; {ORGANIZATION}; {}; commit", client(n)),
            _ => format!("begin; {}; {ORGANIZATION}; commit", client(n)),
        };
        writers.push(tokio::spawn(async move {
            for _ in 0..ROUNDS {
                psql.batch_execute(&statements).await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        }));
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let psql = database.psql().await;
    let total = i64::try_from(CLIENTS * ROUNDS).unwrap();
    for stream in ["directory", "identity"] {
        let revs: Vec<i64> = psql
            .query("select rev from sync_tx where stream = $1 order by rev", &[&stream])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        assert_eq!(revs, (0..=total).collect::<Vec<_>>(), "{stream}");
    }
}

/// A poller that keeps a cursor misses nothing, while writers overlap.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_revisions_misses_nothing() {
    let database = Database::empty().await;
    let mut writers = Vec::new();
    for _ in 0..4 {
        let psql = database.psql().await;
        writers.push(tokio::spawn(async move {
            for _ in 0..50 {
                psql.batch_execute(&format!("begin; {ORGANIZATION}; select pg_sleep(0.001); commit")).await.unwrap();
            }
        }));
    }
    let psql = database.psql().await;
    let mut seen: BTreeMap<i64, Uuid> = BTreeMap::new();
    let mut cursor = 0;
    while cursor < 200 {
        let rows = psql
            .query("select rev, nonce from sync_tx where stream = 'directory' and rev > $1 order by rev", &[&cursor])
            .await
            .unwrap();
        for row in rows {
            cursor = row.get(0);
            seen.insert(cursor, row.get(1));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
}
