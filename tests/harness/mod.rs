//! A server for a test: the real one, on a database of its own.

mod database;
pub(crate) mod people;
mod program;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod samples;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use api::config::{Config, Database as DatabaseUrl};
use api::edge::Edge;
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

pub(crate) use database::{Database, connect, server_url};
pub(crate) use program::Program;

/// A mission that delegates of a test belong to, whether there is a row of it or not.
pub(crate) const MISSION: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);

/// A server with its database.
pub(crate) struct World {
    pub(crate) server: api::Server,
    pub(crate) http: reqwest::Client,
    pub(crate) database: Database,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    Stranger,
    Token(&'a str),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The `code` of a problem document of this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id").unwrap());
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl World {
    /// With nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::on(Database::empty().await).await
    }

    /// With the demonstration's data.
    pub(crate) async fn demonstration() -> Self {
        Self::on(Database::demonstration().await).await
    }

    /// On a database that is there.
    pub(crate) async fn on(database: Database) -> Self {
        let server = api::start(config(&database.url)).await.unwrap();
        Self { server, http: http_client(), database }
    }

    /// With nothing in it, and an edge of the test's own.
    pub(crate) async fn with_edge(edge: Edge) -> Self {
        let database = Database::empty().await;
        let server = api::start(Config { edge, ..config(&database.url) }).await.unwrap();
        Self { server, http: http_client(), database }
    }

    /// A token for a new client of a role; of a mission where the role needs one.
    pub(crate) async fn token(&self, role: Role) -> String {
        self.token_for(role, role.is_of_a_mission().then_some(MISSION)).await
    }

    /// A token for somebody new of a role and mission.
    pub(crate) async fn token_for(&self, role: Role, mission: Option<Uuid>) -> String {
        people::token(&self.server, role, mission).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Reply { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) fn request(&self, method: Method, path: &str, who: Who<'_>) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.server.url()));
        match who {
            Who::Stranger => request,
            Who::Token(token) => request.bearer_auth(token),
        }
    }

    pub(crate) async fn get(&self, path: &str, who: Who<'_>) -> Reply {
        self.send(self.request(Method::GET, path, who)).await
    }

    /// Imports rows of a source named `test`.
    pub(crate) async fn import(&self, feature: &str, options: &str, token: &str, rows: &[Value]) -> Reply {
        let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
        self.import_text(feature, options, token, body).await
    }

    pub(crate) async fn import_text(
        &self,
        feature: &str,
        options: &str,
        token: &str,
        body: impl Into<reqwest::Body>,
    ) -> Reply {
        let path = format!("/v1/imports/{feature}?source=test{options}");
        let request = self.request(Method::POST, &path, Who::Token(token));
        self.send(request.header("content-type", "application/x-ndjson").body(body)).await
    }

    /// Imports rows that must be accepted, and waits until they can be read.
    pub(crate) async fn have(&self, feature: &str, rows: &[Value]) -> Reply {
        let admin = self.token(Role::Admin).await;
        let reply = self.import(feature, "", &admin, rows).await.expect(200);
        if let Some(revisions) = reply.header("sync-rev") {
            let path = format!("/v1/directory/organizations?limit=1&min_rev={}", revisions.replace(", ", ","));
            self.get(&path, Who::Token(&admin)).await.expect(200);
        }
        reply
    }

    /// Asks until the answer is as wanted; a promise that is kept within a second passes well within ten.
    pub(crate) async fn eventually(
        &self,
        path: &str,
        who: Who<'_>,
        wanted: impl Fn(&Reply) -> bool,
    ) -> (Reply, Duration) {
        let started = Instant::now();
        loop {
            let reply = self.get(path, who).await;
            if wanted(&reply) {
                return (reply, started.elapsed());
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{path}: {}", String::from_utf8_lossy(&reply.bytes));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn http_client() -> reqwest::Client {
    reqwest::Client::builder().no_gzip().no_brotli().no_zstd().no_proxy().build().unwrap()
}

pub(crate) fn config(url: &str) -> Config {
    let top = top();
    Config {
        database: DatabaseUrl { database_url: url.to_owned().into() },
        standby_url: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: None,
        base_url: Some("https://focalpoint.example".into()),
        database_connections: 4,
        workers: Some(2),
        demo: false,
        demo_data: top.join("data/demonstration"),
        demo_credentials: std::env::temp_dir().join(format!("focalpoint-test-{}.json", Uuid::now_v7())),
        allow_unsafe_postgres: true,
        import_limit: 32 * 1024 * 1024,
        drain_seconds: 0,
        shutdown_seconds: 5,
        edge: Edge::default(),
        mail: Default::default(),
    }
}

/// Sends a signal to processes; those that have gone meanwhile do not matter.
pub(crate) fn signal(signal: &str, processes: &[String]) {
    let mut kill = std::process::Command::new("kill");
    kill.arg(signal).args(processes).stderr(std::process::Stdio::null()).status().unwrap();
}

/// The program, with nothing of ours in its environment.
pub(crate) fn program() -> std::process::Command {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_focalpoint"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOCALPOINT_")) {
        program.env_remove(name);
    }
    program.env_remove("DATABASE_URL");
    program
}

/// The repository.
pub(crate) fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What the tests log, for whoever sets FOCALPOINT_TEST_LOG.
pub(crate) fn log() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if let Ok(filter) = std::env::var("FOCALPOINT_TEST_LOG") {
            tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().init();
        }
    });
}

pub(crate) mod rows {
    //! Rows that are accepted; a test changes what it is about.

    use serde_json::{Value, json};

    pub(crate) fn organization(key: &str) -> Value {
        json!({"kind": "organization", "key": key, "name": {"en": "Organization of tests"}, "provenance": {"confidence": "sample"}})
    }

    pub(crate) fn unit(key: &str, organization: &str) -> Value {
        json!({"kind": "unit", "key": key, "organization": organization, "name": {"en": "Unit of tests"}, "unit_kind": "section", "provenance": {"confidence": "sample"}})
    }

    pub(crate) fn function(key: &str, unit: &str) -> Value {
        json!({"kind": "function", "key": key, "unit": unit, "title": {"en": "Function of tests"}, "duty_station": "NY", "provenance": {"confidence": "sample"}})
    }

    pub(crate) fn person(key: &str, family: &str) -> Value {
        json!({"kind": "person", "key": key, "name": {"family": family}, "provenance": {"confidence": "sample"}})
    }

    pub(crate) fn mission(key: &str, organization: &str) -> Value {
        json!({"kind": "mission", "key": key, "organization": organization, "duty_station": "NY",
            "short_name": {"en": "Testland"}, "formal_name": {"en": "Republic of Testland"}, "provenance": {"confidence": "sample"}})
    }

    pub(crate) trait With {
        /// The row with a field of it changed.
        fn with(self, field: &str, value: Value) -> Self;
    }

    impl With for Value {
        fn with(mut self, field: &str, value: Value) -> Self {
            self[field] = value;
            self
        }
    }
}
