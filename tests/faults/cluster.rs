//! A Postgres that may be killed, paused and starved; its supervisor starts it again when it ends.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use domain::Role;
use uuid::Uuid;

use crate::harness::rows::organization;
use crate::harness::{config, http_client, people, signal, top};

/// A Postgres of a test's own.
pub(crate) struct Cluster {
    supervisor: Child,
    pub(crate) url: String,
    away: bool,
    home: PathBuf,
    _folder: tempfile::TempDir,
}

/// A folder for one.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("focalpoint-fault-").tempdir_in("/tmp").unwrap()
}

impl Cluster {
    /// `None`, with a word about it, where the tests use a server that is not theirs.
    pub(crate) fn start() -> Option<Self> {
        Self::start_in(folder())
    }

    /// In this folder.
    pub(crate) fn start_in(folder: tempfile::TempDir) -> Option<Self> {
        if std::env::var_os("FOCALPOINT_TEST_CLUSTER").is_none() {
            eprintln!("skipped: the server is not ours to break");
            return None;
        }
        Some(Self::supervised(folder, &[]))
    }

    /// A streaming standby of it.
    pub(super) fn standby(&self) -> Self {
        Self::supervised(folder(), &[OsStr::new("--standby-of"), self.folder().as_os_str()])
    }

    /// Where it was started.
    fn folder(&self) -> &Path {
        self.home.parent().unwrap()
    }

    fn supervised(folder: tempfile::TempDir, options: &[&OsStr]) -> Self {
        let home = folder.path().join("cluster");
        let mut supervisor = Command::new(top().join("script/postgres"))
            .args(["supervise", "--temporary"])
            .args(options)
            .arg(&home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("postgres"), "{url}");
        Self { supervisor, url: url.trim().to_owned(), away: false, home: home.join("home"), _folder: folder }
    }

    /// As the superuser, who may do what operators do.
    pub(crate) async fn superuser(&self) -> tokio_postgres::Client {
        connect(&self.url.replace("//focalpoint@", "//postgres@")).await
    }

    pub(crate) async fn psql(&self) -> tokio_postgres::Client {
        connect(&self.url).await
    }

    pub(crate) async fn migrate(&self) {
        let db = persistence::Db::new(&self.url, 2).unwrap();
        persistence::migrations::run(db.dedicated().await.unwrap()).await.unwrap();
    }

    pub(crate) async fn server(&self) -> api::Server {
        self.migrate().await;
        api::start(config(&self.url)).await.unwrap()
    }

    /// Stops it as an operator does; it stays away until [`Cluster::start_again`].
    pub(crate) fn stop(&mut self) {
        signal("-STOP", &[self.supervisor.id().to_string()]);
        let file = std::fs::read_to_string(self.home.join("data/postmaster.pid")).unwrap();
        signal("-INT", &[file.lines().next().unwrap().to_owned()]);
        self.away = true;
    }

    pub(crate) fn start_again(&mut self) {
        signal("-CONT", &[self.supervisor.id().to_string()]);
        self.away = false;
    }

    /// Whether it is not kept away.
    pub(crate) fn is_up(&self) -> bool {
        !self.away
    }

    /// The ids of all its processes, the postmaster's first: all carry the cluster's name.
    fn processes(&self) -> Vec<String> {
        let Ok(name) = std::fs::read_to_string(self.home.join("name")) else { return Vec::new() };
        let is_ours = |process: &Path| {
            let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains(name.trim()) && (line.starts_with("postgres:") || line.contains("/postgres\0"))
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let mut found: Vec<String> = processes
            .filter(|process| is_ours(process))
            .map(|process| process.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort_by_key(|pid| pid.parse::<u32>().unwrap_or(0));
        found
    }

    /// kill -9 of every process at once: nobody flushes anything.
    pub(crate) fn kill(&self) {
        signal("-KILL", &self.processes());
    }

    /// Stops the clock for all of it: connections stay open and nothing is answered.
    pub(crate) fn pause(&self) {
        // One that was only just forked is found the second time; what is paused forks no more.
        let mut paused = Vec::new();
        loop {
            let found = self.processes();
            if found == paused {
                break;
            }
            signal("-STOP", &found);
            paused = found;
        }
    }

    pub(crate) fn resume(&self) {
        signal("-CONT", &self.processes());
    }

    /// Ends Postgres and its supervisor.
    pub(crate) fn end(&mut self) {
        signal("-TERM", &[self.supervisor.id().to_string()]);
        self.supervisor.wait().unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What is paused does not stop.
        self.resume();
        signal("-CONT", &[self.supervisor.id().to_string()]);
        signal("-TERM", &[self.supervisor.id().to_string()]);
        let _ = self.supervisor.wait();
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn token(server: &api::Server, role: Role) -> String {
    let mission = role.is_of_a_mission().then(Uuid::now_v7);
    people::token(server, role, mission).await
}

/// `count` organizations as a file.
pub(crate) fn organizations(prefix: &str, count: usize) -> String {
    (0..count).map(|n| format!("{}\n", organization(&format!("{prefix}{n}")))).collect()
}

pub(crate) async fn send_import(server: &api::Server, token: &str, body: String) -> reqwest::Response {
    let url = format!("{}/v1/imports/directory?source=test", server.url());
    let request = http_client().post(url).bearer_auth(token).header("content-type", "application/x-ndjson");
    request.body(body).send().await.unwrap()
}

pub(crate) async fn import(server: &api::Server, token: &str, key: &str) -> u16 {
    send_import(server, token, organization(key).to_string()).await.status().as_u16()
}

pub(crate) async fn sign_in(server: &api::Server) -> reqwest::Response {
    let request = http_client().post(format!("{}/oauth/token", server.url())).basic_auth(Uuid::now_v7(), Some("x"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body("grant_type=client_credentials").send().await.unwrap()
}
