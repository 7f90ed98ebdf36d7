//! The benchmark: the product beside a bare actix-web handler that returns the same bytes and headers,
//! in one run on one machine. `script/bench` starts it with a Postgres of its own.
//!
//! W1, one entry of the directory by its id, with a token verified, tags, logs and everything on.
//! The ratio is CPU microseconds a request of the bare handler divided by the product's: requests a
//! second depend on what else the machine does, CPU time much less.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Parser)]
struct Cli {
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measurements of each; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Also write the figures to this file, as JSON.
    #[arg(long)]
    json: Option<std::path::PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Serve the product (the benchmark starts this itself).
    Product,
    /// Serve the answer on standard input, as a bare handler (the benchmark starts this itself).
    Bare,
}

/// Where a server is and what to ask it.
#[derive(Serialize, Deserialize)]
struct Target {
    address: String,
    request: String,
}

/// What the bare handler answers.
#[derive(Serialize, Deserialize, Clone)]
struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.role {
        Some(Role::Product) => serve_product().await,
        Some(Role::Bare) => serve_bare().await,
        None => compare(cli).await,
    }
}

fn announce(target: &Target) -> anyhow::Result<()> {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{}", serde_json::to_string(target)?)?;
    Ok(())
}

async fn serve_product() -> anyhow::Result<()> {
    use domain::{ClientId, MissionId, Reader};
    let args = ["serve", "--listen", "127.0.0.1:0", "--demo"];
    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        config: api::config::Config,
    }
    tracing_subscriber::fmt().json().with_writer(std::io::stdout).init();
    let server = api::start(Serve::try_parse_from(args)?.config).await?;
    let state = &server.state;
    let mission = MissionId(uuid::Uuid::now_v7());
    let client = persistence::identity::Client {
        id: ClientId(uuid::Uuid::now_v7()),
        name: "benchmark".into(),
        role: domain::Role::Delegate,
        mission: Some(mission),
        enabled: true,
    };
    let id = client.id;
    state.db.write(async move |conn| persistence::identity::insert_client(conn, &client, "-").await).await?;
    let token = state.tokens.issue(&state.store.identities().keys, id, "read", chrono::Utc::now())?;
    let edition = state.store.edition();
    let person =
        edition.directory.people.visible(Reader::Mission(mission)).next().context("the demonstration has people")?;
    let path = format!("/v1/directory/people/{}", person.value.id.0);
    announce(&Target { address: server.address.to_string(), request: request(&path, &token) })?;
    std::future::pending().await
}

fn request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept-Language: en\r\n\r\n")
}

async fn serve_bare() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let answer: Answer = serde_json::from_str(&line)?;
    let headers: Vec<(HeaderName, HeaderValue)> = answer
        .headers
        .iter()
        .map(|(name, value)| Ok((HeaderName::try_from(name.as_str())?, HeaderValue::from_str(value)?)))
        .collect::<anyhow::Result<_>>()?;
    let shared = web::Data::new((headers, web::Bytes::from(answer.body)));
    let server = HttpServer::new(move || App::new().app_data(shared.clone()).route("/{path:.*}", web::get().to(bare)))
        .bind("127.0.0.1:0")?
        .disable_signals();
    let address = server.addrs().first().context("bound")?.to_string();
    announce(&Target { address, request: String::new() })?;
    Ok(server.run().await?)
}

async fn bare(answer: web::Data<(Vec<(HeaderName, HeaderValue)>, web::Bytes)>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for (name, value) in &answer.0 {
        response.insert_header((name.clone(), value.clone()));
    }
    response.body(answer.1.clone())
}

/// A server in a process of its own, so that its CPU time is its own.
struct Server {
    child: Child,
    target: Target,
}

impl Server {
    fn start(role: &str, input: Option<&Answer>) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            writeln!(stdin, "{}", serde_json::to_string(input)?)?;
        }
        let mut line = String::new();
        BufReader::new(child.stderr.take().context("piped")?).read_line(&mut line)?;
        let target = serde_json::from_str(&line).with_context(|| format!("{role} did not start: {line}"))?;
        Ok(Self { child, target })
    }

    /// CPU time of all its threads.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let mut total = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
            total += stat.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, Serialize)]
struct Figures {
    requests_per_second: f64,
    cpu_microseconds: f64,
    p50_microseconds: u64,
    p99_microseconds: u64,
}

async fn measure(server: &Server, request: &str, connections: usize, seconds: u64) -> anyhow::Result<Figures> {
    let (started, cpu) = (Instant::now(), server.cpu()?);
    let end = started + Duration::from_secs(seconds);
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(server.target.address.clone(), request.to_owned(), end)))
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await??);
    }
    let (took, cpu) = (started.elapsed(), server.cpu()? - cpu);
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Ok(Figures {
        requests_per_second: latencies.len() as f64 / took.as_secs_f64(),
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / latencies.len() as f64,
        p50_microseconds: at(0.5),
        p99_microseconds: at(0.99),
    })
}

/// Asks over one connection until `end`; every answer must be as long as the first.
async fn client(address: String, request: String, end: Instant) -> anyhow::Result<Vec<u64>> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let first = exchange(&mut socket, &request).await?;
    let mut buffer = vec![0; first.len()];
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        socket.write_all(request.as_bytes()).await?;
        socket.read_exact(&mut buffer).await?;
        latencies.push(u64::try_from(asked.elapsed().as_micros())?);
        if !buffer.starts_with(b"HTTP/1.1 200 OK") {
            bail!("an answer was another: {}", String::from_utf8_lossy(&buffer));
        }
    }
    Ok(latencies)
}

/// One request and its whole answer, by its Content-Length.
async fn exchange(socket: &mut TcpStream, request: &str) -> anyhow::Result<Vec<u8>> {
    socket.write_all(request.as_bytes()).await?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = socket.read(&mut chunk).await?;
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.with_context(|| format!("no length: {head}"))?;
        if body.len() >= length {
            return Ok(answer);
        }
    }
}

fn parse(answer: &[u8]) -> anyhow::Result<Answer> {
    let text = std::str::from_utf8(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").context("a head and a body")?;
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let made_by_the_server = ["content-length", "date"];
    let headers = headers.filter(|(name, _)| !made_by_the_server.contains(&name.to_lowercase().as_str()));
    Ok(Answer { headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(), body: body.to_owned() })
}

async fn compare(cli: Cli) -> anyhow::Result<()> {
    let product = Server::start("product", None)?;
    let request = product.target.request.clone();
    let mut socket = TcpStream::connect(&product.target.address).await?;
    let answer = exchange(&mut socket, &request).await?;
    let bare = Server::start("bare", Some(&parse(&answer)?))?;

    let (mut of_bare, mut of_product) = (Vec::new(), Vec::new());
    for server in [&bare, &product] {
        measure(server, &request, cli.connections, 1).await?;
    }
    for _ in 0..cli.runs {
        of_bare.push(measure(&bare, &request, cli.connections, cli.seconds).await?);
        of_product.push(measure(&product, &request, cli.connections, cli.seconds).await?);
    }
    let (of_bare, of_product) = (median(of_bare)?, median(of_product)?);
    let ratio = of_bare.cpu_microseconds / of_product.cpu_microseconds;

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "W1, one entry by id: {} bytes, {} connections, median of {} runs of {} s",
        answer.len(),
        cli.connections,
        cli.runs,
        cli.seconds
    )?;
    writeln!(out, "          requests/s   CPU µs/request   p50 µs   p99 µs")?;
    for (name, figures) in [("bare", of_bare), ("product", of_product)] {
        writeln!(
            out,
            "{name:<8} {:>11.0} {:>16.1} {:>8} {:>8}",
            figures.requests_per_second, figures.cpu_microseconds, figures.p50_microseconds, figures.p99_microseconds
        )?;
    }
    writeln!(out, "ratio (CPU of bare / CPU of product): {ratio:.2}")?;
    if let Some(path) = cli.json {
        let figures = serde_json::json!({"W1": {"bare": of_bare, "product": of_product, "ratio": ratio}});
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

/// By CPU time.
fn median(mut figures: Vec<Figures>) -> anyhow::Result<Figures> {
    figures.sort_by(|a, b| a.cpu_microseconds.total_cmp(&b.cpu_microseconds));
    figures.get(figures.len() / 2).copied().context("at least one run")
}
