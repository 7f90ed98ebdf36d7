//! What happens when Postgres breaks: with a server of the test's own, so that it can be broken.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::Role;
use uuid::Uuid;

use crate::harness::rows::organization;
use crate::harness::{config, http_client, top};

/// A Postgres that may be killed; its supervisor starts it again.
struct Cluster {
    supervisor: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// `None`, with a word about it, where the tests use a server that is not theirs.
    fn start() -> Option<Self> {
        if std::env::var_os("FOCALPOINT_TEST_CLUSTER").is_none() {
            eprintln!("skipped: the server is not ours to break");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("focalpoint-fault-").tempdir_in("/tmp").unwrap();
        let mut supervisor = Command::new(top().join("script/postgres"))
            .args(["supervise", "--temporary"])
            .arg(folder.path().join("cluster"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("postgres"), "{url}");
        Some(Self { supervisor, url: url.trim().to_owned(), folder })
    }

    async fn server(&self) -> api::Server {
        let db = persistence::Db::new(&self.url, 2).unwrap();
        persistence::migrations::run(db.dedicated().await.unwrap()).await.unwrap();
        api::start(config(&self.url)).await.unwrap()
    }

    /// kill -9 of the postmaster.
    fn kill(&self) {
        let mut found = Vec::new();
        find_pid_files(self.folder.path(), &mut found);
        let pid = found.iter().find_map(|file| std::fs::read_to_string(file).ok()?.lines().next().map(str::to_owned));
        let killed = Command::new("kill").args(["-9", &pid.unwrap()]).status().unwrap();
        assert!(killed.success());
    }
}

fn find_pid_files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => find_pid_files(&path, found),
            path if path.file_name().is_some_and(|name| name == "postmaster.pid") => found.push(path),
            _ => {}
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.supervisor.id().to_string()).status();
        let _ = self.supervisor.wait();
    }
}

async fn token(server: &api::Server, role: Role) -> String {
    use domain::{ClientId, MissionId, Scope};
    let mission = role.is_of_a_mission().then_some(MissionId(Uuid::now_v7()));
    let client =
        persistence::identity::Client { id: ClientId(Uuid::now_v7()), name: "t".into(), role, mission, enabled: true };
    let id = client.id;
    let db = &server.state.db;
    db.write(async move |conn| persistence::identity::insert_client(conn, &client, "-").await).await.unwrap();
    let scope = role.scopes().map(Scope::name).collect::<Vec<_>>().join(" ");
    server.state.tokens.issue(&server.state.store.identities().keys, id, &scope, chrono::Utc::now()).unwrap()
}

async fn import(server: &api::Server, token: &str, key: &str) -> u16 {
    let url = format!("{}/v1/imports/directory?source=test", server.url());
    let request = http_client().post(url).bearer_auth(token).header("content-type", "application/x-ndjson");
    request.body(organization(key).to_string()).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_do_not_notice_that_postgres_was_killed_and_writes_are_back_within_five_seconds() {
    let Some(cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, admin) = (token(&server, Role::Delegate).await, token(&server, Role::Admin).await);
    assert_eq!(import(&server, &admin, "before").await, 200);
    let list = format!("{}/v1/directory/organizations", server.url());
    let http = http_client();
    let read = async || http.get(&list).bearer_auth(&delegate).send().await.unwrap().status().as_u16();
    while read().await != 200 {}

    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (http, list, delegate) = (http.clone(), list.clone(), delegate.clone());
            tokio::spawn(async move {
                let (started, mut count) = (Instant::now(), 0);
                while started.elapsed() < Duration::from_secs(6) {
                    let status = http.get(&list).bearer_auth(&delegate).send().await.unwrap().status();
                    assert_eq!(status, 200);
                    count += 1;
                }
                count
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.kill();
    let killed = Instant::now();
    let mut statuses = Vec::new();
    while import(&server, &admin, "after").await != 200 {
        let status = import(&server, &admin, "after").await;
        statuses.push(status);
        assert!(killed.elapsed() < Duration::from_secs(5), "{statuses:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("writes were back after {:?}", killed.elapsed());
    assert!(statuses.iter().all(|s| [200, 503].contains(s)), "{statuses:?}");
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }
    let seen = async || {
        let reply: serde_json::Value =
            http.get(&list).bearer_auth(&delegate).send().await.unwrap().json().await.unwrap();
        reply["items"].as_array().unwrap().len()
    };
    let deadline = Instant::now() + Duration::from_secs(3);
    while seen().await != 2 {
        assert!(Instant::now() < deadline, "the follower is back, too");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_published_reads_go_on_and_all_else_says_when_to_come_back() {
    let Some(mut cluster) = Cluster::start() else { return };
    let server = cluster.server().await;
    let (delegate, editor) = (token(&server, Role::Delegate).await, token(&server, Role::Editor).await);
    assert_eq!(import(&server, &editor, "o").await, 200);
    let http = http_client();
    let get = async |path: &str, token: &str| {
        http.get(format!("{}{path}", server.url())).bearer_auth(token).send().await.unwrap()
    };
    while get("/v1/directory/units", &editor).await.status() != 200 {}

    let stopped = Command::new("kill").arg(cluster.supervisor.id().to_string()).status().unwrap();
    assert!(stopped.success());
    cluster.supervisor.wait().unwrap();
    tokio::time::sleep(Duration::from_millis(5500)).await;

    let read = get("/v1/directory/organizations", &delegate).await;
    assert_eq!(read.status(), 200);
    assert!(read.headers()["age"].to_str().unwrap().parse::<u64>().unwrap() >= 5);
    for (path, token) in [("/v1/directory/organizations", &editor), ("/readyz/writes", &delegate)] {
        let refused = get(path, token).await;
        assert_eq!(refused.status(), 503, "{path}");
        assert!(refused.headers().contains_key("retry-after"), "{path}");
    }
    assert_eq!(import(&server, &editor, "p").await, 503);
    let ready: serde_json::Value = get("/readyz", &delegate).await.json().await.unwrap();
    assert_eq!((ready["status"].as_str(), ready["database"].as_str()), (Some("ok"), Some("down")));
    let sign_in = http.post(format!("{}/oauth/token", server.url())).basic_auth(Uuid::now_v7(), Some("x"));
    let sign_in =
        sign_in.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
    assert_eq!(sign_in.send().await.unwrap().status(), 503);
    server.stop().await.unwrap();
}
