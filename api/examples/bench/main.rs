//! The benchmark: the product beside a bare actix-web handler that returns the same bytes and headers, in one run on
//! one machine. `script/bench` starts it with a Postgres of its own; docs/performance.md says what each line means.
//!
//! The ratio is CPU microseconds a request of the bare handler divided by the product's: requests a second depend on
//! what else the machine does, CPU time much less. Nothing here fails on a time.

mod bare;
mod load;
mod product;
mod recall;
mod report;
mod sync;
mod waiting;
mod works;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand, ValueEnum};

use load::{Figures, Load, median};
use product::{Client, Product};
use report::{Compared, Report};

/// Where the large number of connections begins to tell.
const CROWD: usize = 512;

#[derive(Parser)]
struct Cli {
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measurements of each; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// People in the directory.
    #[arg(long, default_value_t = 45_000)]
    people: usize,
    /// INF notes, each in six languages.
    #[arg(long, default_value_t = 500)]
    notes: usize,
    /// What people, notes and queries are drawn by.
    #[arg(long, default_value_t = 2016)]
    seed: u64,
    /// Only these, such as W1,W3.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Work>,
    /// Also write the figures to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Connections that wait for a change, in the work Wait; their number, and the server's, is bound by `ulimit -n`.
    #[arg(long, default_value_t = 10_000)]
    waiting: usize,
    /// A further argument of `focalpoint serve`, such as --serve=--workers=1.
    #[arg(long, allow_hyphen_values = true)]
    serve: Vec<String>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Serve the answers on standard input, as a bare handler (the benchmark starts this itself).
    Bare,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "verbatim")]
pub enum Work {
    /// A contact by id.
    W1,
    /// The beginning of a family name, 20 rows; the same beginnings again and again, as many people type them.
    W2,
    /// The same, and no request like one before: no answer may serve another.
    W2Once,
    /// A name with a typing error, 20 rows; no request like one before.
    W3,
    /// 50 notes in one language.
    W4,
    /// A conditional GET, answered 304.
    W5,
    /// The first sync and a delta.
    W6,
    /// Many phones that wait for one change.
    Wait,
    /// A public note by id, with a token: what verifying one costs is the difference to the next.
    Token,
    /// The same notes, without a token.
    NoToken,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.role {
        Some(Role::Bare) => bare::serve().await,
        None => run(&cli).await,
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let wanted = |work| cli.only.is_empty() || cli.only.contains(&work);
    let data = tempfile::tempdir()?;
    make_data(cli, data.path())?;
    let program = product::program()?;
    let mut report = Report::of(cli);

    let server = Product::start(&program, &cli.serve)?;
    let importer = ["--role=importer", "--scope=read", "--scope=directory:import", "--scope=inf_notes:import"];
    let importer = Client::create(&server, &program, &importer).await?;
    report.import = Some(importer.import("directory", &data.path().join("directory.ndjson"), &server).await?);
    let mission = importer.first_mission().await?;
    let of_mission = format!("--mission={mission}");
    let integrator = Client::create(&server, &program, &["--role=integrator", &of_mission]).await?;
    if wanted(Work::W6) {
        report.sync = Some(sync::measure(cli, &server, &importer, &integrator, data.path()).await?);
    }
    importer.import("inf-notes", &data.path().join("inf-notes.ndjson"), &server).await?;
    drop(server);

    let server = Product::start(&program, &cli.serve)?;
    let integrator = integrator.at(&server).await?;
    let importer = importer.at(&server).await?;
    let stranger = integrator.without_token();
    report.ready_seconds = server.started_in.as_secs_f64();
    report.resident_at_start = server.memory()?.resident;
    let queries = recall::read(&data.path().join("queries.ndjson"))?;
    let works = [Work::W1, Work::W2, Work::W2Once, Work::W3, Work::W4, Work::W5, Work::Token, Work::NoToken];
    for work in works.into_iter().filter(|work| wanted(*work)) {
        let client = if matches!(work, Work::Token | Work::NoToken) { &stranger } else { &integrator };
        let paths = works::paths(work, client, &queries).await?;
        let client = if work == Work::Token { &integrator } else { client };
        let asked = works::ask(work, client, paths).await?;
        let bare = bare::Bare::start(&asked.answers)?;
        let compared = compare(cli, &bare, &server, &asked, cli.connections).await?;
        report.works.push((work, compared));
        if work == Work::W1 {
            report.crowd = Some(compare(cli, &bare, &server, &asked, CROWD).await?);
        }
    }
    if wanted(Work::W3) {
        report.recall = Some(recall::measure(&integrator, &queries).await?);
    }
    report.resident_after = server.memory()?.resident;
    if wanted(Work::Wait) {
        report.waiting = Some(waiting::measure(cli.waiting, &server, &importer, &integrator, data.path()).await?);
    }
    report.print()?;
    match &cli.json {
        Some(path) => Ok(std::fs::write(path, serde_json::to_vec_pretty(&report.to_json())?)?),
        None => Ok(()),
    }
}

/// People, notes and queries by the generator that the data comes with.
fn make_data(cli: &Cli, folder: &Path) -> anyhow::Result<()> {
    let made = Command::new("python3")
        .arg("data/make/many.py")
        .args(["--people", &cli.people.to_string(), "--notes", &cli.notes.to_string(), "--seed", &cli.seed.to_string()])
        .arg("--out")
        .arg(folder)
        .status()
        .context("python3 makes the data, and cannot be started")?;
    ensure!(made.success(), "data/make/many.py failed");
    Ok(())
}

/// Bare and product in turns, so that what else the machine does hits both.
async fn compare(
    cli: &Cli,
    bare: &bare::Bare,
    server: &Product,
    asked: &works::Asked,
    connections: usize,
) -> anyhow::Result<Compared> {
    let load =
        |address: &str, seconds| Load { address: address.to_owned(), asks: asked.asks.clone(), connections, seconds };
    let (mut of_bare, mut of_product): (Vec<Figures>, Vec<Figures>) = (Vec::new(), Vec::new());
    load(&bare.address, 1).measure(&bare.process).await?;
    load(&server.address, 1).measure(&server.process).await?;
    for _ in 0..cli.runs {
        of_bare.push(load(&bare.address, cli.seconds).measure(&bare.process).await?);
        of_product.push(load(&server.address, cli.seconds).measure(&server.process).await?);
    }
    Ok(Compared {
        queries: asked.asks.len(),
        bytes: asked.mean_bytes(),
        bare: median(of_bare)?,
        product: median(of_product)?,
    })
}
