//! Import runs: whoever waits for an import sees how far it is and what became of it.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{With, organization};
use crate::harness::{Reply, Who, World};

async fn begin(world: &World, feature: &str, options: &str, token: &str, rows: &[Value]) -> Reply {
    let path = format!("/v1/imports/{feature}?source=test{options}");
    let request = world.request(Method::POST, &path, Who::Token(token));
    let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let request = request.header("content-type", "application/x-ndjson").header("prefer", "wait=1, respond-async");
    world.send(request.body(body)).await
}

async fn reaches(world: &World, address: &str, token: &str, state: &str) -> Value {
    let (reply, _) = world.eventually(address, Who::Token(token), |r| r.json()["state"] == state).await;
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_without_its_request_and_can_be_asked_after() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let rows: Vec<Value> = (0..700).map(|n| organization(&format!("o{n}"))).collect();
    let reply = begin(&world, "directory", "", &editor, &rows).await.expect(202);
    assert_eq!(reply.header("preference-applied"), Some("respond-async"));
    let address = reply.header("location").unwrap().to_owned();
    assert_eq!(address, format!("/v1/imports/{}", reply.json()["id"].as_str().unwrap()));
    let run = reaches(&world, &address, &editor, "committed").await;
    assert_eq!(
        (&run["feature"], &run["source"], &run["format"]),
        (&json!("directory"), &json!("test"), &json!("ndjson"))
    );
    assert_eq!((&run["rows_total"], &run["report"]["inserted"]), (&json!(700), &json!(700)));
    assert!(run["ended_at"].is_string() && run["timings"]["saving"].is_u64(), "{run}");
    assert!(run.get("problem").is_none());

    let rehearsed = begin(&world, "directory", "&dry_run=true", &editor, &rows).await.expect(202);
    let run = reaches(&world, rehearsed.header("location").unwrap(), &editor, "rehearsed").await;
    assert_eq!((&run["dry_run"], &run["report"]["unchanged"]), (&json!(true), &json!(700)));

    let bad = [organization("o").with("colour", json!("blue"))];
    let refused = begin(&world, "directory", "", &editor, &bad).await.expect(202);
    let run = reaches(&world, refused.header("location").unwrap(), &editor, "refused").await;
    assert_eq!(run["problem"]["errors"][0]["pointer"], "/colour");
    assert_eq!(run["problem"]["status"], 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_its_clients_and_admins_alone() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let done = world.import("directory", "", &editor, &[organization("o")]).await.expect(200);
    let refused = world.import("directory", "", &editor, &[json!({})]).await;
    assert_eq!(refused.problem(422), "validation_failed");
    let ids: Vec<&str> = [&refused, &done].map(|reply| reply.header("import-run").unwrap()).to_vec();
    let listed = async |query: &str, token: &str| {
        let page = world.get(&format!("/v1/imports?{query}"), Who::Token(token)).await.expect(200).json();
        let items = page["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned());
        (items.collect::<Vec<_>>(), page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(listed("", &editor).await, (ids.iter().map(ToString::to_string).collect(), None));
    let (first, cursor) = listed("limit=1", &editor).await;
    let (second, end) = listed(&format!("limit=1&cursor={}", cursor.unwrap()), &editor).await;
    assert_eq!((first, second, end), (vec![ids[0].to_owned()], vec![ids[1].to_owned()], None));

    let admin = world.token(Role::Admin).await;
    assert_eq!(listed("", &admin).await.0.len(), 2);
    for other in [Role::Editor, Role::SecurityOfficer, Role::Delegate] {
        let token = world.token(other).await;
        assert_eq!(listed("", &token).await.0.len(), 0);
        let reply = world.get(&format!("/v1/imports/{}", ids[0]), Who::Token(&token)).await;
        assert_eq!(reply.problem(404), "not_found");
    }
    let run = world.get(&format!("/v1/imports/{}", ids[0]), Who::Token(&admin)).await.expect(200);
    assert_eq!((run.json()["state"].as_str(), run.header("cache-control")), (Some("refused"), Some("no-store")));
    for missing in [Uuid::nil().to_string(), "junk".into()] {
        world.get(&format!("/v1/imports/{missing}"), Who::Token(&admin)).await.expect(404);
    }
    let reply = world.get("/v1/imports/directory", Who::Token(&admin)).await;
    assert_eq!((reply.problem(405).as_str(), reply.header("allow")), ("method_not_allowed", Some("POST, OPTIONS")));
}

/// Sends a request by hand and hangs up after `sent` bytes of its body.
fn hang_up(world: &World, token: &str, body: &str, sent: usize) {
    let mut socket = std::net::TcpStream::connect(world.server.address).unwrap();
    let length = body.len();
    let head = format!(
        "POST /v1/imports/directory?source=test HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&body.as_bytes()[..sent]).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut nothing = [0; 1];
    assert!(sent == length || socket.read(&mut nothing).is_err(), "the request is not over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_leaves_all_or_nothing_and_the_run_says_which() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let body = format!("{}\n", organization("o"));
    let last = async |state: &'static str| {
        let wanted = |r: &Reply| r.json()["items"][0]["state"] == state;
        world.eventually("/v1/imports?limit=1", Who::Token(&admin), wanted).await.0.json()["items"][0].clone()
    };
    hang_up(&world, &admin, &body, body.len() / 2);
    let run = last("refused").await;
    assert_eq!(run["problem"]["code"], "malformed_request", "{run}");

    let psql = world.database.psql().await;
    let lock = "select pg_advisory_lock(hashtext('import'), hashtext('directory'))";
    psql.execute(lock, &[]).await.unwrap();
    hang_up(&world, &admin, &body, body.len());
    last("waiting").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    psql.execute(&lock.replace("_lock", "_unlock"), &[]).await.unwrap();
    let run = last("committed").await;
    assert_eq!(run["report"]["inserted"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_died_is_found_to_have_failed() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    world.import("directory", "", &admin, &[organization("o")]).await.expect(200);
    let psql = world.database.psql().await;
    // As if a process had been killed long ago, and another one a moment ago.
    psql.batch_execute(
        "insert into import_run (id, client_id, feature, source, format, dry_run, replace, force, state, heard_at)
         select gen_random_uuid(), client_id, feature, word, format, false, false, false, 'saving', now() - ago::interval
         from import_run, (values ('dead', '31 s'), ('alive', '20 s')) runs (word, ago)",
    )
    .await
    .unwrap();
    let state_of = |r: &Reply, source: &str| {
        let runs = r.json()["items"].as_array().unwrap().clone();
        runs.into_iter().find(|run| run["source"] == source).unwrap()["state"].clone()
    };
    let found = |r: &Reply| state_of(r, "dead") == "failed";
    let deadline = Instant::now() + Duration::from_secs(25);
    loop {
        let reply = world.get("/v1/imports", Who::Token(&admin)).await.expect(200);
        if found(&reply) {
            break;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Runs that ended long ago are forgotten.
    psql.batch_execute("update import_run set started_at = now() - interval '31 days' where source = 'dead'")
        .await
        .unwrap();
    let forgotten = world.server.state.db.write(async |conn| persistence::imports::runs::prune(conn).await);
    assert_eq!(forgotten.await.unwrap().value, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_waits_for_no_import_of_the_directory() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let psql = world.database.psql().await;
    psql.execute("select pg_advisory_lock(hashtext('import'), hashtext('directory'))", &[]).await.unwrap();
    for n in 0..3 {
        begin(&world, "directory", "", &admin, &[organization(&format!("o{n}"))]).await.expect(202);
    }
    let impatient = world.import("directory", "", &admin, &[organization("p")]).await;
    assert_eq!(impatient.problem(503), "unavailable");
    let started = Instant::now();
    world.import("bulletins", "", &admin, &[crate::bulletins::bulletin("urgent")]).await.expect(200);
    assert!(started.elapsed() < Duration::from_secs(1));
    psql.execute("select pg_advisory_unlock(hashtext('import'), hashtext('directory'))", &[]).await.unwrap();
    let done =
        |r: &Reply| r.json()["items"].as_array().unwrap().iter().filter(|run| run["state"] == "committed").count() == 4;
    world.eventually("/v1/imports", Who::Token(&admin), done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_is_shown_while_the_directory_is_being_read() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    world.have("directory", &[organization("o")]).await;
    let mut holder = world.database.psql().await;
    let held = holder.transaction().await.unwrap();
    held.batch_execute("lock table person in access exclusive mode").await.unwrap();
    let other = world.database.psql().await;
    other.execute("update organization set name = '{\"en\": \"Renamed\"}'", &[]).await.unwrap();
    // The follower now waits for people.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    world.import("bulletins", "", &admin, &[crate::bulletins::bulletin("urgent")]).await.expect(200);
    let shown = |r: &Reply| r.json()["items"].as_array().unwrap().len() == 1;
    world.eventually("/v1/bulletins", Who::Stranger, shown).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    held.rollback().await.unwrap();
    let renamed = |r: &Reply| r.json()["items"][0]["name"] == "Renamed";
    world.eventually("/v1/directory/organizations", Who::Token(&admin), renamed).await;
}
