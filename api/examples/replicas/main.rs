//! Two processes on a primary and one that reads a streaming standby: `script/replicas` starts both databases and this.
//!
//! By itself it serves the demonstration until it is told to stop. With `--measure` it loads a large directory and
//! notes, changes bulletins, notes and people past any process, and tells how long it took from the COMMIT until each
//! process served the change; then the same while one process imports the whole directory again and again, every row
//! of it changed. docs/performance.md has figures. Nothing here fails on a time.

#![allow(clippy::print_stdout, reason = "a table for people")]

#[path = "../bench/load.rs"]
#[allow(dead_code, reason = "the benchmark's")]
mod load;
#[path = "../bench/product.rs"]
#[allow(dead_code, reason = "the benchmark's")]
mod product;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use tokio_postgres::NoTls;

use product::{Client, Product, program};

#[derive(Parser)]
struct Cli {
    /// The standby.
    #[arg(long)]
    standby_url: String,
    /// The primary.
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// Changes of each kind to measure; without it the set serves the demonstration.
    #[arg(long)]
    measure: Option<usize>,
    /// People in the directory that is measured with.
    #[arg(long, default_value_t = 45_000)]
    people: usize,
    /// INF notes, each in six languages.
    #[arg(long, default_value_t = 500)]
    notes: usize,
}

/// What is changed, and how: one row, to something it was not.
const CHANGES: [(&str, &str); 3] = [
    (
        "bulletins",
        "update bulletin set sent_at = sent_at + interval '1 second' where id = (select min(id::text)::uuid from bulletin)",
    ),
    (
        "notes",
        "update inf_note_text set title = title || '.' where language = 'en' and inf_note_id = (select min(id::text)::uuid from inf_note)",
    ),
    (
        "directory",
        "update person set given_name = coalesce(given_name, '') || 'a' where id = (select min(id::text)::uuid from person)",
    ),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let program = program()?;
    match cli.measure {
        None => serve(&cli, &program).await,
        Some(count) => measure(&cli, &program, count).await,
    }
}

/// The set: the last one reads the standby.
fn start(cli: &Cli, program: &Path, more: &[&str]) -> anyhow::Result<[Product; 3]> {
    let more: Vec<String> = more.iter().map(|&argument| argument.to_owned()).collect();
    let first = Product::start(program, &more)?;
    let second = Product::start(program, &more)?;
    let third = Product::start(program, &[more, vec![format!("--standby-url={}", cli.standby_url)]].concat())?;
    Ok([first, second, third])
}

async fn serve(cli: &Cli, program: &Path) -> anyhow::Result<()> {
    let set = start(cli, program, &["--demo"])?;
    for (process, reads) in set.iter().zip(["the primary", "the primary", "the standby"]) {
        println!("http://{} reads {reads}", process.address);
    }
    println!("Secrets are in var/demo.json. Ctrl-C ends the set.");
    Ok(tokio::signal::ctrl_c().await?)
}

async fn measure(cli: &Cli, program: &Path, count: usize) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    make_data(cli, data.path())?;
    let set = start(cli, program, &[])?;
    let scopes = ["directory:import", "inf_notes:import", "bulletins:import", "read"].map(|s| format!("--scope={s}"));
    let role: Vec<&str> = ["--role=importer"].into_iter().chain(scopes.iter().map(String::as_str)).collect();
    let client = Client::create(&set[0], program, &role).await?;
    let directory = std::fs::read_to_string(data.path().join("directory.ndjson"))?;
    client.import_rows("directory", directory.clone().into()).await?;
    client.import_rows("inf-notes", std::fs::read(data.path().join("inf-notes.ndjson"))?).await?;
    client.import_rows("bulletins", std::fs::read("data/demonstration/bulletins.ndjson")?).await?;

    let (database, connection) = tokio_postgres::connect(&cli.database_url, NoTls).await?;
    tokio::spawn(connection);
    // A person that no import speaks of: two transactions that write one row wait for each other, whoever watches.
    let alone = "update person set source = 'alone' where id = (select min(id::text)::uuid from person)";
    database.execute(alone, &[]).await?;
    println!("{} people, {} notes; from COMMIT to served, in ms\n", cli.people, cli.notes);
    println!(
        "{:<10} {:<10} {:<12} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "while", "change", "reads", "times", "p50", "p90", "p99", "most"
    );
    trials(&set, &client, &database, "quiet", count).await?;

    let stop = Arc::new(AtomicBool::new(false));
    let importing = tokio::spawn(import_again_and_again(client.clone(), directory, stop.clone()));
    trials(&set, &client, &database, "importing", count).await?;
    stop.store(true, Ordering::Relaxed);
    let (imports, longest) = importing.await??;
    println!("\n{imports} imports of the whole directory meanwhile, the longest {:.1} s", longest.as_secs_f64());
    for (process, reads) in set.iter().zip(["primary", "primary", "standby"]) {
        let memory = process.memory()?;
        println!("{reads}: {:.0} MiB resident, at most {:.0} MiB", memory.resident, memory.most);
    }
    Ok(())
}

/// Changes one row of each kind in turn, and waits for it at every process.
async fn trials(
    set: &[Product; 3],
    client: &Client,
    database: &tokio_postgres::Client,
    name: &str,
    count: usize,
) -> anyhow::Result<()> {
    let mut took: [[Vec<Duration>; 3]; 3] = Default::default();
    for _ in 0..count {
        for ((stream, change), took) in CHANGES.iter().zip(&mut took) {
            database.batch_execute("begin").await?;
            ensure!(database.execute(*change, &[]).await? == 1, "{change}");
            let committed = Instant::now();
            database.batch_execute("commit").await?;
            let row = database.query_one("select rev from sync_head where stream = $1", &[stream]).await?;
            let revision: i64 = row.get(0);
            let path = Client::path("/v1/bulletins", &[("limit", "1"), ("min_rev", &format!("{stream}={revision}"))])?;
            let served = set.iter().map(|process| {
                let (mut client, path) = (client.clone(), &path);
                client.address.clone_from(&process.address);
                async move {
                    client.wait_for(path).await?;
                    anyhow::Ok(committed.elapsed())
                }
            });
            for (took, served) in took.iter_mut().zip(futures_util::future::try_join_all(served).await?) {
                took.push(served);
            }
            // Not in step with anything that ticks.
            tokio::time::sleep(Duration::from_millis(20 + committed.elapsed().subsec_micros() as u64 % 37)).await;
        }
    }
    for ((stream, _), took) in CHANGES.iter().zip(took) {
        for (mut took, reads) in took.into_iter().zip(["primary", "primary", "standby"]) {
            took.sort_unstable();
            let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
            println!(
                "{name:<10} {stream:<10} {reads:<12} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
                took.len(),
                at(50),
                at(90),
                at(99),
                at(100)
            );
        }
    }
    Ok(())
}

/// Imports the directory until told to stop, each time with every person changed; how often, and the longest.
async fn import_again_and_again(
    client: Client,
    directory: String,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<(usize, Duration)> {
    let (mut imports, mut longest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let honorific = if imports % 2 == 0 { "Prof." } else { "Dr" };
        let changed = directory.lines().map(|line| {
            let mut row: serde_json::Value = serde_json::from_str(line)?;
            if row["kind"] == "person" {
                row["honorific"] = honorific.into();
            }
            Ok(format!("{row}\n"))
        });
        let changed: String = changed.collect::<serde_json::Result<_>>()?;
        let started = Instant::now();
        client.import_rows("directory", changed.into()).await?;
        longest = longest.max(started.elapsed());
        imports += 1;
    }
    Ok((imports, longest))
}

/// People and notes by the generator that the data comes with.
fn make_data(cli: &Cli, folder: &Path) -> anyhow::Result<()> {
    let made = Command::new("python3")
        .arg("data/make/many.py")
        .args(["--people", &cli.people.to_string(), "--notes", &cli.notes.to_string(), "--seed", "2016", "--out"])
        .arg(folder)
        .status()
        .context("python3 makes the data, and cannot be started")?;
    ensure!(made.success(), "data/make/many.py failed");
    Ok(())
}
