//! The product: the program itself, as it runs in production, and clients of it that load and look around.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::{Response, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::load::Process;

/// The same for every start, since tokens are bound to it and the port is another each time.
const BASE_URL: &str = "https://focalpoint.example";

/// Arguments for the flags that the program has: metrics are collected as in production, and no limit is in the way.
fn quiet(help: &str) -> BTreeSet<String> {
    let flags = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let argument = |flag: &str| match flag {
        "metrics-listen" => Some(format!("--{flag}=127.0.0.1:0")),
        _ if flag.starts_with("rate-limit-") => Some(format!("--{flag}=0")),
        _ => None,
    };
    flags.filter_map(argument).collect()
}

/// The program that was built beside this one.
pub fn program() -> anyhow::Result<PathBuf> {
    let built = std::env::current_exe()?;
    let program = built.parent().and_then(Path::parent).context("built by cargo")?.join("focalpoint");
    ensure!(program.exists(), "there is no {}: build it first", program.display());
    Ok(program)
}

/// A running server: token checks, tags and metrics on, its log in JSON, one line a request, to /dev/null.
pub struct Product {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: String,
    /// From its start to the first 200 of /readyz.
    pub started_in: Duration,
}

/// Memory, in MiB.
pub struct Memory {
    /// Now.
    pub resident: f64,
    /// At most, since the start.
    pub most: f64,
}

impl Product {
    /// Starts it on the database of DATABASE_URL.
    pub fn start(program: &Path, more: &[String]) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let help = Command::new(program).args(["serve", "--help"]).output()?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let started = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--listen", &address, "--base-url", BASE_URL, "--import-limit", "1073741824"])
            .args(quiet(&help))
            .args(more)
            .stdout(Stdio::null())
            .spawn()?;
        let mut process = Process(child);
        while !is_ready(&address) {
            ensure!(process.0.try_wait()?.is_none(), "focalpoint did not start");
            ensure!(started.elapsed() < Duration::from_secs(120), "focalpoint was not ready within two minutes");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(Self { process, address, started_in: started.elapsed() })
    }

    /// How much memory it has.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
        };
        let (resident, most) = field("VmRSS:").zip(field("VmHWM:")).context("memory of a process that runs")?;
        Ok(Memory { resident, most })
    }
}

fn is_ready(address: &str) -> bool {
    use std::io::{Read, Write};
    let answer = || -> std::io::Result<[u8; 12]> {
        let mut socket = std::net::TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status).map(|()| status)
    };
    answer().is_ok_and(|status| status.ends_with(b"200"))
}

/// How long an import took.
#[derive(Serialize)]
pub struct Imported {
    /// Rows of the file.
    pub rows: u64,
    /// From the first byte sent to the answer: committed.
    pub committed_seconds: f64,
    /// From the first byte sent to a search that finds what it brought.
    pub searchable_seconds: f64,
    /// The most memory the server had until then, in MiB.
    pub peak_mib: f64,
}

/// A client with a token.
#[derive(Clone)]
pub struct Client {
    /// Where the server is.
    pub address: String,
    /// Its access token.
    pub token: String,
    id: String,
    secret: String,
    http: reqwest::Client,
}

impl Client {
    /// Makes a client on the command line and signs it in.
    pub async fn create(server: &Product, program: &Path, role: &[&str]) -> anyhow::Result<Self> {
        let made = Command::new(program).args(["--log", "error", "client", "create"]).args(role).output()?;
        ensure!(made.status.success(), "no client: {}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout)?;
        let field = |name: &str| made[name].as_str().map(str::to_owned).context("credentials");
        let (id, secret) = (field("client_id")?, field("client_secret")?);
        let client = Self { address: String::new(), token: String::new(), id, secret, http: reqwest::Client::new() };
        client.at(server).await
    }

    /// The same client, signed in at a server.
    pub async fn at(self, server: &Product) -> anyhow::Result<Self> {
        let url = format!("http://{}/oauth/token", server.address);
        let form = "application/x-www-form-urlencoded";
        // A process hears of a new client within a second.
        for _ in 0..50 {
            let asked = self.http.post(&url).basic_auth(&self.id, Some(&self.secret)).header("Content-Type", form);
            let answer = asked.body("grant_type=client_credentials").send().await?;
            if answer.status() == StatusCode::OK {
                let answer: Value = answer.json().await?;
                let token = answer["access_token"].as_str().context("a token")?.to_owned();
                return Ok(Self { address: server.address.clone(), token, ..self });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the client cannot sign in")
    }

    /// Somebody without a token.
    pub fn without_token(&self) -> Self {
        let (address, http) = (self.address.clone(), self.http.clone());
        Self { address, token: String::new(), id: String::new(), secret: String::new(), http }
    }

    /// A path and query with these parameters, as it is sent.
    pub fn path(path: &str, params: &[(&str, &str)]) -> anyhow::Result<String> {
        let url = Url::parse_with_params(&format!("{BASE_URL}{path}"), params)?;
        Ok(url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())))
    }

    async fn send(&self, path: &str) -> anyhow::Result<Response> {
        let asked = self.http.get(format!("http://{}{path}", self.address)).header("Accept-Language", "en");
        let asked = if self.token.is_empty() { asked } else { asked.bearer_auth(&self.token) };
        Ok(asked.send().await?)
    }

    /// What a path answers, which must be 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.send(path).await?;
        ensure!(answer.status() == StatusCode::OK, "{path}: {} {}", answer.status(), answer.text().await?);
        Ok(answer.json().await?)
    }

    /// Waits until `path` answers 200: a read with `min_rev` until the revision is there.
    pub async fn wait_for(&self, path: &str) -> anyhow::Result<()> {
        for _ in 0..60 {
            let answer = self.send(path).await?;
            match answer.status() {
                StatusCode::OK => return Ok(()),
                StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(Duration::from_millis(5)).await,
                status => bail!("{path}: {status} {}", answer.text().await?),
            }
        }
        bail!("{path}: never came")
    }

    /// Imports rows; their revision, as `min_rev` takes it.
    pub async fn import_rows(&self, feature: &str, rows: Vec<u8>) -> anyhow::Result<(Value, String)> {
        let url = format!("http://{}/v1/imports/{feature}?source=bench", self.address);
        let asked = self.http.post(url).bearer_auth(&self.token).header("Content-Type", "application/x-ndjson");
        let answer = asked.body(rows).send().await?;
        let revision = answer.headers().get("Sync-Rev").and_then(|rev| rev.to_str().ok()).map(str::to_owned);
        ensure!(answer.status() == StatusCode::OK, "{feature}: {} {}", answer.status(), answer.text().await?);
        Ok((answer.json().await?, revision.context("an import that changed something")?))
    }

    /// Imports a file and waits until readers have it.
    pub async fn import(&self, feature: &str, file: &Path, server: &Product) -> anyhow::Result<Imported> {
        let rows = std::fs::read(file)?;
        let started = Instant::now();
        let (report, revision) = self.import_rows(feature, rows).await?;
        let committed = started.elapsed();
        self.wait_for(&Self::path("/v1/directory/search", &[("q", "Smith"), ("limit", "1"), ("min_rev", &revision)])?)
            .await?;
        Ok(Imported {
            rows: report["rows"].as_u64().context("a count")?,
            committed_seconds: committed.as_secs_f64(),
            searchable_seconds: started.elapsed().as_secs_f64(),
            peak_mib: server.memory()?.most,
        })
    }

    /// The id of a mission, for an integrator to be of.
    pub async fn first_mission(&self) -> anyhow::Result<Uuid> {
        let missions = self.get("/v1/directory/missions?limit=1").await?;
        Ok(missions["items"][0]["id"].as_str().context("the data has missions")?.parse()?)
    }
}
