//! What happens to a process of the API: asked to end, killed, crowded, left alone by its clients and
//! cut off from hints.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::rows::{With, organization};
use crate::harness::{Database, Program, Who, World, http_client};

fn organizations(prefix: &str, count: usize) -> String {
    (0..count).map(|n| format!("{}\n", organization(&format!("{prefix}{n}")))).collect()
}

async fn stored(psql: &tokio_postgres::Client, prefix: &str) -> i64 {
    let count = "select count(*) from organization where starts_with(source_key, $1)";
    psql.query_one(count, &[&prefix]).await.unwrap().get(0)
}

/// Waits until a transaction on this database has written something.
async fn until_writing(psql: &tokio_postgres::Client) {
    let writing = "select count(*) from pg_stat_activity
        where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid()";
    while psql.query_one(writing, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn when_asked_to_end_it_answers_what_is_under_way_and_resets_nobody() {
    let database = Database::empty().await;
    let mut program = Program::serve(&database.url, "127.0.0.1:0", &[("FOCALPOINT_DRAIN_SECONDS", "1")]).unwrap();
    let http = http_client();
    let admin = program.token(&http, &database.url, "importer").await;
    let url = program.url();

    // Readers, each on a connection that it keeps until it is told to close it.
    let asked_to_end = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (url, asked_to_end) = (url.clone(), asked_to_end.clone());
            tokio::spawn(async move {
                let http = http_client();
                for count in 0u32.. {
                    let answer = http.get(format!("{url}/v1/bulletins")).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    let last = answer.headers().get("connection").is_some_and(|value| value == "close");
                    answer.bytes().await.unwrap();
                    if last {
                        assert!(asked_to_end.load(Ordering::Relaxed));
                        return count;
                    }
                }
                0
            })
        })
        .collect();
    let idle = http_client();
    assert_eq!(idle.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    let waiting = {
        let (http, url, admin) = (http_client(), url.clone(), admin.clone());
        tokio::spawn(async move {
            let waiting = http.get(format!("{url}/v1/sync?min_rev=directory%3D999")).bearer_auth(admin).send().await;
            (waiting.unwrap().status().as_u16(), Instant::now())
        })
    };
    // An import whose body arrives slowly, until after the listener is closed.
    let mut slow = tokio::net::TcpStream::connect(program.address).await.unwrap();
    let rows = organizations("slow", 2);
    let head = format!(
        "POST /v1/imports/directory?source=test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {admin}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        rows.len()
    );
    let (first, second) = rows.split_at(rows.len() / 2);
    slow.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;

    asked_to_end.store(true, Ordering::Relaxed);
    let asked = Instant::now();
    program.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let ready = http_client().get(format!("{url}/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503, "red while requests are still taken");
    let (status, answered) = waiting.await.unwrap();
    assert_eq!(status, 503);
    assert!(answered - asked < Duration::from_millis(900), "a long wait ends at once: {:?}", answered - asked);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let refused = http_client().get(format!("{url}/healthz")).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    slow.write_all(second.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"inserted\":2"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert_eq!(program.wait().code(), Some(0));
    println!("ended {:?} after it was asked to", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(10), "an idle connection does not hold it up");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_an_import_it_leaves_nothing_and_the_same_file_gives_one_result() {
    const ROWS: usize = 5000;
    let database = Database::empty().await;
    let psql = database.psql().await;
    let mut program = Program::serve(&database.url, "127.0.0.1:0", &[]).unwrap();
    let http = http_client();
    let admin = program.token(&http, &database.url, "importer").await;
    let send = |program: &Program| {
        let url = format!("{}/v1/imports/directory?source=test", program.url());
        let request = http_client().post(url).bearer_auth(&admin).header("content-type", "application/x-ndjson");
        request.body(organizations("o", ROWS)).send()
    };
    let under_way = tokio::spawn(send(&program));
    until_writing(&psql).await;
    program.signal("-KILL");
    program.wait();
    under_way.await.unwrap().unwrap_err();
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    while psql.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stored(&psql, "o").await, 0);
    let head: i64 = psql.query_one("select rev from sync_head where stream = 'directory'", &[]).await.unwrap().get(0);
    assert_eq!(head, 0, "nothing in the log");

    let program = Program::serve(&database.url, "127.0.0.1:0", &[]).unwrap();
    for (inserted, unchanged) in [(ROWS, 0), (0, ROWS)] {
        let report: Value = send(&program).await.unwrap().json().await.unwrap();
        assert_eq!((&report["inserted"], &report["unchanged"]), (&json!(inserted), &json!(unchanged)), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_client_went_is_there_whole_or_not_at_all() {
    const ROWS: usize = 400;
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let psql = world.database.psql().await;
    let (mut whole, mut absent) = (0, 0);
    for n in 0..12u64 {
        let prefix = format!("o{n}-");
        let body = organizations(&prefix, ROWS);
        let cut = if n % 4 == 3 { body.len() / 2 } else { body.len() };
        let mut socket = tokio::net::TcpStream::connect(world.server.address).await.unwrap();
        let head = format!(
            "POST /v1/imports/directory?source=test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {admin}\r\n\
             Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&body.as_bytes()[..cut]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(n * 6)).await;
        drop(socket);
        // Two more take both turns: what came before has ended when they have.
        for _ in 0..2 {
            world.import("directory", "", &admin, &[organization("turn")]).await.expect(200);
        }
        match stored(&psql, &prefix).await {
            0 => absent += 1,
            found => {
                assert_eq!((found, cut), (ROWS as i64, body.len()));
                whole += 1;
            }
        }
    }
    println!("{whole} whole, {absent} absent");
    assert!(absent >= 3, "half a file is none");
    let revisions: i64 =
        psql.query_one("select rev from sync_head where stream = 'directory'", &[]).await.unwrap().get(0);
    assert_eq!(revisions, whole + 1, "one revision for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_has_all_connections_holds_up_no_revocation_no_embargo_and_no_health() {
    let world = World::empty().await;
    let (admin, delegate) = (world.token(Role::Admin).await, world.token(Role::Delegate).await);
    let due = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1500);
    let note = json!({"kind": "inf_note", "key": "n", "audience": "public", "symbol": "A/INF/81/4",
        "embargo_until": due.to_rfc3339(), "provenance": {"confidence": "sample"},
        "texts": {"en": {"title": "Arrangements for tests", "confidence": "sample"}}});
    world.import("inf-notes", "", &admin, &[note]).await.expect(200);
    let crowd: Vec<_> = (0..world.server.state.config.database_connections)
        .map(|_| {
            let db = world.server.state.db.clone();
            tokio::spawn(async move {
                let hold = db.read(async |_| {
                    tokio::time::sleep(Duration::from_secs(4)).await;
                    Ok::<_, persistence::Error>(())
                });
                hold.await.unwrap();
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;

    for _ in 0..2 {
        let asked = Instant::now();
        let refused = world.import("directory", "", &admin, &[organization("o")]).await;
        assert_eq!(refused.problem(503), "unavailable");
        assert!(refused.header("retry-after").is_some());
        assert!(asked.elapsed() < Duration::from_millis(900), "a wait of 250 ms, and no more: {:?}", asked.elapsed());
    }
    world.get("/readyz", Who::Stranger).await.expect(200);
    world.get("/readyz/writes", Who::Stranger).await.expect(200);
    let psql = world.database.psql().await;
    world.get("/v1/directory/units", Who::Token(&delegate)).await.expect(200);
    psql.execute("update account set suspended_at = now() where roles = '{delegate}'", &[]).await.unwrap();
    let (_, took) = world.eventually("/v1/directory/units", Who::Token(&delegate), |r| r.status == 401).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    let there = |reply: &crate::harness::Reply| reply.json()["items"] != json!([]);
    world.eventually("/v1/inf-notes", Who::Stranger, there).await;
    let late = chrono::Utc::now() - due;
    assert!(late < chrono::TimeDelta::milliseconds(1500), "{late}");
    assert!(crowd.iter().any(|member| !member.is_finished()), "the crowd was there all the time");
    for member in crowd {
        member.await.unwrap();
    }
    world.import("directory", "", &admin, &[organization("o")]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hints_a_change_is_seen_within_a_second() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    world.have("directory", &[organization("o")]).await;
    let psql = world.database.psql().await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'LISTEN%'";
    for n in 0..3 {
        assert!(!psql.query(cut, &[]).await.unwrap().is_empty(), "there was a listener");
        let name = format!("{{\"en\": \"Renamed {n}\"}}");
        psql.execute("update organization set name = $1::text::jsonb", &[&name]).await.unwrap();
        let renamed = |reply: &crate::harness::Reply| reply.json()["items"][0]["name"] == format!("Renamed {n}");
        let (_, took) = world.eventually("/v1/directory/organizations", Who::Token(&token), renamed).await;
        println!("seen after {took:?}");
        assert!(took < Duration::from_millis(1500), "{took:?}");
        // Back to listening before it is cut off again.
        let listening = "select count(*) from pg_stat_activity
            where datname = current_database() and query like 'LISTEN%'";
        while psql.query_one(listening, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_publishes_what_is_due() {
    let world = World::empty().await;
    let other = api::start(crate::harness::config(&world.database.url)).await.unwrap();
    let officer = world.token(Role::SecurityOfficer).await;
    let due = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(700)).to_rfc3339();
    let rows: Vec<Value> =
        (0..20).map(|n| crate::bulletins::bulletin(&format!("b{n}")).with("embargo_until", json!(due))).collect();
    world.import("bulletins", "", &officer, &rows).await.expect(200);
    let all = |reply: &crate::harness::Reply| reply.json()["items"].as_array().unwrap().len() == rows.len();
    world.eventually("/v1/bulletins", Who::Stranger, all).await;
    let there = async || {
        let reply = world.http.request(Method::GET, format!("{}/v1/bulletins", other.url()));
        reply.send().await.unwrap().json::<Value>().await.unwrap()["items"].as_array().unwrap().len()
    };
    while there().await != rows.len() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let psql = world.database.psql().await;
    let published = "select count(*) from sync_log where audience_before is null and audience_after = 'public'";
    let published: i64 = psql.query_one(published, &[]).await.unwrap().get(0);
    assert_eq!(published, rows.len() as i64, "each once");
    other.stop().await.unwrap();
}
