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

/// One transaction changes what an object says through another row, another one changes who may see the object. In
/// whichever order they begin and commit, the first one's entry tells the audience at its commit, and stands behind
/// the other's if that was committed before.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_another_row_is_logged_with_the_audience_at_commit() {
    let database = Database::demonstration().await;
    let psql = database.psql().await;
    // A kind; an object of it, and a row that the object says something of; what is done to that row.
    let pairs = [
        (
            "person",
            "select person_id, function_id from holding",
            "update holding set since = coalesce(since, '2020-01-01') + 1 where person_id = {object}",
        ),
        (
            "person",
            "select person_id, function_id from holding",
            "update function set closed_at = case when closed_at is null then now() end where id = {row}",
        ),
        (
            "function",
            "select function_id, person_id from holding",
            "update person set closed_at = case when closed_at is null then now() end where id = {row}",
        ),
        (
            "service",
            "select service_id, function_id from contact_point where function_id is not null",
            "update function set closed_at = case when closed_at is null then now() end where id = {row}",
        ),
        (
            "rate_card",
            "select card_id, office_unit_id from rate where office_unit_id is not null",
            "update unit set closed_at = case when closed_at is null then now() end where id = {row}",
        ),
        (
            "inf_note",
            "select inf_note_id, inf_note_id from inf_note_text",
            "update inf_note_text set title = title || '.' where inf_note_id = {object}",
        ),
        (
            "place",
            "select place_id, place_id from opening where basis_id is null",
            "update opening set position = position + 100 where place_id = {object}",
        ),
        (
            "bulletin",
            "select earlier_id, bulletin_id from bulletin_reference",
            "update bulletin set closed_at = case when closed_at is null then now() end where id = {row}",
        ),
    ];
    let changes = ["audience = 'delegates'", "closed_at = now()", "closed_at = null", "audience = 'public'"];
    for (part_first, (kind, query, part)) in [true, false].into_iter().flat_map(|first| pairs.map(|pair| (first, pair)))
    {
        let row = psql.query_one(&format!("{query} limit 1"), &[]).await.unwrap();
        let [object, row] = [row.get::<_, Uuid>(0), row.get::<_, Uuid>(1)];
        let part = part.replace("{object}", &format!("'{object}'")).replace("{row}", &format!("'{row}'"));
        for change in changes {
            let change = format!("update {kind} set {change} where id = '{object}'");
            let statements = if part_first { [&part, &change] } else { [&change, &part] };
            let seen_by = async || -> Option<String> {
                let query = format!("select visible_to from {kind} where id = '{object}'");
                psql.query_one(&query, &[]).await.unwrap().get(0)
            };
            let before = seen_by().await;
            let mut transactions = Vec::new();
            for _ in 0..2 {
                let client = database.psql().await;
                client.batch_execute("begin").await.unwrap();
                let query = "select pg_backend_pid(), pg_current_xact_id()::text";
                let row = client.query_one(query, &[]).await.unwrap();
                transactions.push((client, row.get::<_, i32>(0), row.get::<_, String>(1)));
            }
            let [(first, _, first_xid), (second, backend, second_xid)] = transactions.try_into().ok().unwrap();
            first.batch_execute(statements[0]).await.unwrap();
            let statement = statements[1].clone();
            let second = tokio::spawn(async move { second.batch_execute(&statement).await.map(|()| second) });
            let waits = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1";
            while !second.is_finished()
                && psql.query_one(waits, &[&backend]).await.unwrap().get::<_, Option<bool>>(0) != Some(true)
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            // Who began later commits first, if it does not wait for the other.
            let second_is_last = !second.is_finished();
            if second_is_last {
                first.batch_execute("commit").await.unwrap();
            }
            second.await.unwrap().unwrap().batch_execute("commit").await.unwrap();
            if !second_is_last {
                first.batch_execute("commit").await.unwrap();
            }

            let is_last = part_first != second_is_last;
            let expected = if is_last { seen_by().await } else { before };
            let xid = if part_first { first_xid } else { second_xid };
            let entries = format!(
                "select l.audience_before, l.audience_after from sync_log l join sync_tx t on t.nonce = l.tx
                 where l.kind = '{kind}' and l.id = '{object}' and t.stream <> 'internal' and t.xid = '{xid}'"
            );
            let entries = psql.query(&entries, &[]).await.unwrap();
            let told: Vec<[Option<String>; 2]> = entries.iter().map(|entry| [entry.get(0), entry.get(1)]).collect();
            let expected: Vec<_> =
                expected.iter().map(|audience| [Some(audience.clone()), Some(audience.clone())]).collect();
            assert_eq!(told, expected, "{statements:?}, the later one last: {second_is_last}");
        }
    }
}

/// What one transaction does to a part and to the object's own row is told once, with the audience before and after.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_adds_nothing_to_what_its_transaction_tells_of_the_audience() {
    let database = Database::demonstration().await;
    let psql = database.psql().await;
    let note: Uuid = psql.query_one("select inf_note_id from inf_note_text limit 1", &[]).await.unwrap().get(0);
    let audience = "select visible_to from inf_note where id = $1";
    let part = format!("update inf_note_text set title = title || '.' where inf_note_id = '{note}'");
    for change in ["audience = 'delegates'", "closed_at = now()", "closed_at = null", "audience = 'public'"] {
        let root = format!("update inf_note set {change} where id = '{note}'");
        let before: Option<String> = psql.query_one(audience, &[&note]).await.unwrap().get(0);
        let statements = format!("begin; {part}; {root}; commit");
        psql.batch_execute(&statements).await.unwrap();
        let after: Option<String> = psql.query_one(audience, &[&note]).await.unwrap().get(0);
        let rev = revision(&psql, "notes").await;
        assert_eq!(logged(&psql, "notes", rev).await, [("inf_note".to_owned(), "update".to_owned(), before, after)]);
    }
}

/// Who reads by a snapshot of before cannot know what has been committed since.
#[tokio::test(flavor = "multi_thread")]
async fn who_commits_by_an_old_snapshot_is_refused() {
    let database = Database::demonstration().await;
    let (old, psql) = (database.psql().await, database.psql().await);
    let note: Uuid = psql.query_one("select inf_note_id from inf_note_text limit 1", &[]).await.unwrap().get(0);
    let part = format!("update inf_note_text set title = title || '.' where inf_note_id = '{note}'");
    old.batch_execute(&format!("begin isolation level repeatable read; {part}")).await.unwrap();
    psql.execute("update inf_note set audience = 'delegates' where id = $1", &[&note]).await.unwrap();
    let refused = old.batch_execute("commit").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("could not serialize"), "{refused}");
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
