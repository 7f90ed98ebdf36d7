//! W6: the first sync of the directory, and a delta after one change: bytes on the wire and the server's time.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Cli;
use crate::load::{Ask, Figures, Load};
use crate::product::{Client, Product};
use crate::works::request;

/// The codings that a client may ask for.
const CODINGS: [&str; 4] = ["identity", "gzip", "br", "zstd"];

/// What a coding costs.
#[derive(Serialize)]
pub struct Transfer {
    /// The coding that was asked for.
    pub asked: &'static str,
    /// The coding that was answered.
    pub answered: String,
    /// Bytes on the wire, heads and chunk marks included, in all pages.
    pub bytes: usize,
    /// CPU time of the server's process, in milliseconds.
    pub cpu_milliseconds: f64,
    /// From the request to the last byte, in milliseconds.
    pub milliseconds: f64,
}

/// The first sync and a delta.
#[derive(Serialize)]
pub struct Sync {
    /// Objects of the first sync.
    pub objects: usize,
    /// Requests that it takes.
    pub pages: usize,
    /// The first sync, by coding.
    pub first: Vec<Transfer>,
    /// The same by column, from a base.
    pub columns: Columns,
    /// The delta, by coding.
    pub delta: Vec<Transfer>,
    /// The delta asked for again and again over one connection, without a coding.
    pub delta_figures: Figures,
}

/// The first sync by column.
#[derive(Serialize)]
pub struct Columns {
    /// Requests that it takes.
    pub pages: usize,
    /// From the first time somebody asked until the base was there, in zstd and gzip.
    pub base_seconds: f64,
    /// The same, in brotli too.
    pub brotli_seconds: f64,
    /// CPU time of all that.
    pub cpu_seconds: f64,
    /// MiB resident before.
    pub resident_before: f64,
    /// And after.
    pub resident_after: f64,
    /// The first sync, by coding.
    pub first: Vec<Transfer>,
}

/// Measures as a mission sees it; the importer makes the change.
pub async fn measure(
    cli: &Cli,
    server: &Product,
    importer: &Client,
    mission: &Client,
    data: &Path,
) -> anyhow::Result<Sync> {
    let (paths, objects, token) = pages(mission, "rows").await?;
    let mut first = Vec::new();
    for coding in CODINGS {
        first.push(transfer(cli, server, mission, &paths, coding).await?);
    }
    let columns = by_column(cli, server, mission).await?;

    let (_, revision) = importer.import_rows("directory", one_change(data, "Prof.")?).await?;
    mission.wait_for(&Client::path("/v1/directory/search", &[("q", "Smith"), ("min_rev", &revision)])?).await?;
    let path = Client::path("/v1/sync", &[("lang", "en"), ("token", &token)])?;
    let change = mission.get(&path).await?;
    let put = change["put"].as_array().map_or(0, Vec::len);
    ensure!(put == 1, "one row changed, and the delta has {put}");
    let mut delta = Vec::new();
    for coding in CODINGS {
        delta.push(transfer(cli, server, mission, std::slice::from_ref(&path), coding).await?);
    }
    let plain = fetch(mission, &path, "identity").await?;
    let ask = Ask {
        request: request(&path, &mission.token, "").into_bytes(),
        status: b"HTTP/1.1 200".to_vec(),
        // Another length: this one closes, and names no `connection: close`.
        answer: plain.bytes,
    };
    let load =
        Load { address: server.address.clone(), asks: vec![ask].into(), connections: 1, seconds: cli.seconds.min(2) };
    let delta_figures = load.measure(&server.process).await?;
    Ok(Sync { objects, pages: paths.len(), first, columns, delta, delta_figures })
}

/// Waits for the base, and measures the first sync from it.
async fn by_column(cli: &Cli, server: &Product, mission: &Client) -> anyhow::Result<Columns> {
    let resident_before = server.memory()?.resident;
    let (started, cpu) = (Instant::now(), server.process.cpu()?);
    let path = Client::path("/v1/sync", &[("lang", "en"), ("shape", "columns")])?;
    // What is ready-made has a length; what is compressed for one request comes in pieces.
    let ready = async |coding| -> anyhow::Result<f64> {
        while !fetch(mission, &path, coding).await?.has_length {
            ensure!(started.elapsed() < Duration::from_secs(600), "no base in {coding}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok(started.elapsed().as_secs_f64())
    };
    let base_seconds = ready("zstd").await?;
    // Brotli is made chunk by chunk: the last one counts.
    let (paths, ..) = pages(mission, "columns").await?;
    ready("br").await?;
    let mut last = started.elapsed().as_secs_f64();
    for path in &paths[..paths.len() - 1] {
        while !fetch(mission, path, "br").await?.has_length && started.elapsed() < Duration::from_secs(600) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            last = started.elapsed().as_secs_f64();
        }
    }
    let cpu_seconds = (server.process.cpu()? - cpu).as_secs_f64();
    let mut first = Vec::new();
    for coding in CODINGS {
        first.push(transfer(cli, server, mission, &paths, coding).await?);
    }
    let resident_after = server.memory()?.resident;
    Ok(Columns {
        pages: paths.len(),
        base_seconds,
        brotli_seconds: last,
        cpu_seconds,
        resident_before,
        resident_after,
        first,
    })
}

/// The paths of a first sync, how many objects it has, and the token behind it.
pub async fn pages(client: &Client, shape: &str) -> anyhow::Result<(Vec<String>, usize, String)> {
    let (mut paths, mut objects) = (vec![Client::path("/v1/sync", &[("lang", "en"), ("shape", shape)])?], 0);
    loop {
        let page = client.get(paths.last().context("a path")?).await?;
        let tables = page["tables"].as_array().into_iter().flatten().filter_map(|table| table["count"].as_u64());
        objects += page["put"].as_array().map_or(0, Vec::len) + usize::try_from(tables.sum::<u64>())?;
        let token = page["token"].as_str().context("a token")?.to_owned();
        if page["complete"] == true {
            return Ok((paths, objects, token));
        }
        paths.push(Client::path("/v1/sync", &[("lang", "en"), ("shape", shape), ("token", &token)])?);
    }
}

/// A person's row with another form of address.
pub fn one_change(data: &Path, honorific: &str) -> anyhow::Result<Vec<u8>> {
    let rows = std::fs::read_to_string(data.join("directory.ndjson"))?;
    let plain = |line: &&str| line.starts_with(r#"{"kind":"person""#) && !line.contains(r#""audience""#);
    let mut row: Value = serde_json::from_str(rows.lines().find(plain).context("the data has people")?)?;
    row["honorific"] = honorific.into();
    Ok(serde_json::to_vec(&row)?)
}

/// The median over the runs, by CPU time.
async fn transfer(
    cli: &Cli,
    server: &Product,
    client: &Client,
    paths: &[String],
    coding: &'static str,
) -> anyhow::Result<Transfer> {
    let mut runs = Vec::new();
    for _ in 0..cli.runs {
        let (started, cpu) = (Instant::now(), server.process.cpu()?);
        let (mut bytes, mut answered) = (0, String::new());
        for path in paths {
            let fetched = fetch(client, path, coding).await?;
            bytes += fetched.bytes;
            answered = fetched.coding;
        }
        let took = started.elapsed();
        // The server writes its line in the log after the last byte.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let cpu = server.process.cpu()?.saturating_sub(cpu);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        runs.push(Transfer {
            asked: coding,
            answered,
            bytes,
            cpu_milliseconds: milliseconds(cpu),
            milliseconds: milliseconds(took),
        });
    }
    runs.sort_by(|a, b| a.cpu_milliseconds.total_cmp(&b.cpu_milliseconds));
    let middle = runs.len() / 2;
    runs.into_iter().nth(middle).context("at least one run")
}

struct Fetched {
    bytes: usize,
    has_length: bool,
    coding: String,
}

/// One answer over a connection of its own, to its end.
async fn fetch(client: &Client, path: &str, coding: &str) -> anyhow::Result<Fetched> {
    let mut socket = TcpStream::connect(&client.address).await?;
    let more = format!("Accept-Encoding: {coding}\r\nConnection: close\r\n");
    socket.write_all(request(path, &client.token, &more).as_bytes()).await?;
    let mut answer = Vec::with_capacity(1 << 20);
    socket.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("a head")?;
    let head = std::str::from_utf8(&answer[..end])?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    let coding = head
        .lines()
        .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding")));
    let has_length = head.lines().any(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    Ok(Fetched { bytes: answer.len(), has_length, coding: coding.map_or("identity", |(_, coding)| coding).to_owned() })
}
