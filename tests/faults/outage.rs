//! Postgres killed, restarted, paused and gone.

use std::time::{Duration, Instant};

use domain::Role;
use serde_json::Value;

use super::cluster::{Cluster, import, organizations, send_import, sign_in, token};
use crate::harness::http_client;

/// Asks with a token.
async fn get(server: &api::Server, path: &str, token: &str) -> reqwest::Response {
    http_client().get(format!("{}{path}", server.url())).bearer_auth(token).send().await.unwrap()
}

async fn seen(server: &api::Server, token: &str) -> usize {
    let reply: Value = get(server, "/v1/directory/organizations", token).await.json().await.unwrap();
    reply["items"].as_array().unwrap().len()
}

async fn until_seen(server: &api::Server, token: &str, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(4);
    while seen(server, token).await != count {
        assert!(Instant::now() < deadline, "the follower is back, too");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Imports until it is accepted; how long that took.
async fn until_written(server: &api::Server, token: &str, key: &str, since: Instant) -> Duration {
    let mut statuses = Vec::new();
    loop {
        let status = import(server, token, key).await;
        statuses.push(status);
        assert!([200, 503].contains(&status), "{statuses:?}");
        assert!(since.elapsed() < Duration::from_secs(5), "{statuses:?}");
        if status == 200 {
            return since.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Reads all the time, for as long as told; each read must be answered.
fn readers(server: &api::Server, token: &str, long: Duration) -> Vec<tokio::task::JoinHandle<u32>> {
    let list = format!("{}/v1/directory/organizations", server.url());
    let read = |_| {
        let (http, list, token) = (http_client(), list.clone(), token.to_owned());
        tokio::spawn(async move {
            let (started, mut count) = (Instant::now(), 0);
            while started.elapsed() < long {
                let asked = Instant::now();
                let status = http.get(&list).bearer_auth(&token).send().await.unwrap().status();
                assert_eq!(status, 200);
                assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
                count += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            count
        })
    };
    (0..4).map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_do_not_notice_that_postgres_was_killed_and_writes_are_back_within_five_seconds() {
    let Some(cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, admin) = (token(&server, Role::Delegate).await, token(&server, Role::Admin).await);
    assert_eq!(import(&server, &admin, "before").await, 200);
    until_seen(&server, &delegate, 1).await;
    let readers = readers(&server, &delegate, Duration::from_secs(6));
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.kill();
    println!("writes were back after {:?}", until_written(&server, &admin, "after", Instant::now()).await);
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }
    until_seen(&server, &delegate, 2).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_postgres_turns_only_the_light_for_writes_red() {
    let Some(mut cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, admin) = (token(&server, Role::Delegate).await, token(&server, Role::Admin).await);
    assert_eq!(import(&server, &admin, "before").await, 200);
    until_seen(&server, &delegate, 1).await;
    let readers = readers(&server, &delegate, Duration::from_secs(4));
    let (stopped, mut red) = (Instant::now(), 0);
    cluster.stop();
    loop {
        if !cluster.is_up() && stopped.elapsed() > Duration::from_secs(2) {
            cluster.start_again();
        }
        assert_eq!(get(&server, "/readyz", &delegate).await.status(), 200);
        let writes = get(&server, "/readyz/writes", &delegate).await;
        match writes.status().as_u16() {
            503 => {
                assert!(writes.headers().contains_key("retry-after"));
                red += 1;
            }
            200 if red > 0 => break,
            status => assert_eq!(status, 200),
        }
        assert!(stopped.elapsed() < Duration::from_secs(7), "red {red} times");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("/readyz/writes was green again {:?} after the stop", stopped.elapsed());
    assert_eq!(import(&server, &admin, "after").await, 200);
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }
    until_seen(&server, &delegate, 2).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_paused_reads_go_on_and_whoever_needs_it_is_soon_told_to_come_back() {
    let Some(cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, admin) = (token(&server, Role::Delegate).await, token(&server, Role::Admin).await);
    assert_eq!(import(&server, &admin, "before").await, 200);
    until_seen(&server, &delegate, 1).await;

    let under_way = organizations("under-way-", 6000);
    let watcher = cluster.psql().await;
    let paused = async {
        let writing = "select count(*) from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()";
        while watcher.query_one(writing, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        cluster.pause();
        let paused = Instant::now();
        let readers = readers(&server, &delegate, Duration::from_secs(6));
        let refused = async |response: reqwest::Response| {
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            paused.elapsed()
        };
        let new_import = async { refused(send_import(&server, &admin, organizations("new-", 1)).await).await };
        let new_sign_in = async { refused(sign_in(&server).await).await };
        let (imported, signed_in) = tokio::join!(new_import, new_sign_in);
        println!("refused: an import after {imported:?}, a sign-in after {signed_in:?}");
        assert!(imported.max(signed_in) < Duration::from_secs(4));
        while paused.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ready: Value = get(&server, "/readyz", &delegate).await.json().await.unwrap();
        assert_eq!((ready["status"].as_str(), ready["database"].as_str()), (Some("ok"), Some("down")));
        refused(get(&server, "/readyz/writes", &delegate).await).await;
        (paused, readers)
    };
    let caught = async { (send_import(&server, &admin, under_way.clone()).await, Instant::now()) };
    let ((paused, readers), (caught, answered)) = tokio::join!(paused, caught);
    println!("the import under way was told after {:?}", answered - paused);
    assert_eq!(caught.status(), 503);
    assert!(answered - paused < Duration::from_secs(8), "{:?}", answered - paused);
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }

    cluster.resume();
    let resumed = Instant::now();
    println!("writes were back after {:?}", until_written(&server, &admin, "after", resumed).await);
    // What was under way is there whole or not at all; sent again, it is there once.
    let again = send_import(&server, &admin, under_way).await;
    assert_eq!(again.status(), 200);
    let report: Value = again.json().await.unwrap();
    assert!([0, 6000].contains(&report["inserted"].as_u64().unwrap()), "{report}");
    let stored: i64 = watcher.query_one("select count(*) from organization", &[]).await.unwrap().get(0);
    assert_eq!(stored, 6002);
    let ready: Value = get(&server, "/readyz", &delegate).await.json().await.unwrap();
    assert_eq!(ready["database"], "up");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_published_reads_go_on_and_all_else_says_when_to_come_back() {
    let Some(mut cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, editor) = (token(&server, Role::Delegate).await, token(&server, Role::Editor).await);
    let auditor = token(&server, Role::Auditor).await;
    assert_eq!(import(&server, &editor, "o").await, 200);
    while get(&server, "/v1/directory/units", &editor).await.status() != 200 {}
    assert_eq!(get(&server, "/v1/audit", &auditor).await.status(), 200);
    cluster.end();
    for path in ["/v1/audit", "/v1/exports/audit"] {
        assert_eq!(get(&server, path, &auditor).await.status(), 503, "{path}");
    }
    tokio::time::sleep(Duration::from_millis(5500)).await;

    let read = get(&server, "/v1/directory/organizations", &delegate).await;
    assert_eq!(read.status(), 200);
    assert!(read.headers()["age"].to_str().unwrap().parse::<u64>().unwrap() >= 5);
    for (path, token) in [("/v1/directory/organizations", &editor), ("/readyz/writes", &delegate)] {
        let refused = get(&server, path, token).await;
        assert_eq!(refused.status(), 503, "{path}");
        assert!(refused.headers().contains_key("retry-after"), "{path}");
    }
    assert_eq!(import(&server, &editor, "p").await, 503);
    let ready: Value = get(&server, "/readyz", &delegate).await.json().await.unwrap();
    assert_eq!((ready["status"].as_str(), ready["database"].as_str()), (Some("ok"), Some("down")));
    assert_eq!(sign_in(&server).await.status(), 503);
    server.stop().await.unwrap();
}
