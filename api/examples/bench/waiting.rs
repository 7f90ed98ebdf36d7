//! Many phones that wait for a change: what each connection takes of the server's memory, and when the last one is told.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::product::{Client, Product};
use crate::sync::{one_change, pages};
use crate::works::request;

/// How many connections are opened at once; more would overflow the listener's queue.
const AT_ONCE: usize = 256;

/// How many requests are answered before memory is looked at again.
const AFTERWARDS: usize = 500;

/// What waiting costs.
#[derive(Serialize)]
pub struct Waiting {
    /// Connections that wait.
    pub connections: usize,
    /// Of the server's resident memory for each connection that is only open, in KiB.
    pub open_kib: f64,
    /// The same while its request waits.
    pub waiting_kib: f64,
    /// From the answer to the one who commits to the first phone's, in milliseconds; less than 0 where that one
    /// came first.
    pub first_milliseconds: f64,
    /// To the last phone's.
    pub last_milliseconds: f64,
    /// CPU time of the server's process for each answer, in microseconds.
    pub cpu_microseconds: f64,
    /// What the server has, in MiB, some time after all phones have gone.
    pub resident_afterwards: f64,
}

/// Opens the connections, has each wait for the directory's next revision, and changes a person.
pub async fn measure(
    connections: usize,
    server: &Product,
    importer: &Client,
    phone: &Client,
    data: &Path,
) -> anyhow::Result<Waiting> {
    let (_, revision) = importer.import_rows("directory", one_change(data, "Dr.")?).await?;
    importer.wait_for(&Client::path("/v1/directory/search", &[("q", "Smith"), ("min_rev", &revision)])?).await?;
    let next = revision.strip_prefix("directory=").context("a revision of the directory")?.parse::<u64>()? + 1;
    let (.., token) = pages(phone, "rows").await?;
    let wanted = format!("directory={next}");
    let path = Client::path("/v1/sync", &[("lang", "en"), ("token", &token), ("min_rev", &wanted)])?;
    let asked = request(&path, &phone.token, "").into_bytes();

    let before = server.memory()?.resident;
    let mut sockets = Vec::with_capacity(connections);
    while sockets.len() < connections {
        let some = (0..AT_ONCE.min(connections - sockets.len())).map(|_| TcpStream::connect(&phone.address));
        sockets.extend(futures_util::future::try_join_all(some).await?);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let open = server.memory()?.resident;
    for socket in &mut sockets {
        socket.write_all(&asked).await?;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let waiting = server.memory()?.resident;

    let answers = sockets.into_iter().map(|socket| tokio::spawn(answered(socket)));
    let answers: Vec<_> = answers.collect();
    let cpu = server.process.cpu()?;
    importer.import_rows("directory", one_change(data, "Professor")?).await?;
    let committed = Instant::now();
    let mut told = Vec::with_capacity(connections);
    for answer in answers {
        told.push(answer.await??);
    }
    let cpu = server.process.cpu()?.saturating_sub(cpu);
    // What is freed goes back to the system when the threads that have it work again.
    for _ in 0..AFTERWARDS {
        phone.get("/v1/inf-notes?limit=1").await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let resident_afterwards = server.memory()?.resident;
    let after = |moment: Option<&Instant>| match moment {
        Some(moment) if *moment >= committed => moment.duration_since(committed).as_secs_f64() * 1e3,
        Some(moment) => -(committed.duration_since(*moment).as_secs_f64() * 1e3),
        None => 0.0,
    };
    let each = |mib: f64| (mib - before) * 1024.0 / connections as f64;
    Ok(Waiting {
        connections,
        open_kib: each(open),
        waiting_kib: each(waiting),
        first_milliseconds: after(told.iter().min()),
        last_milliseconds: after(told.iter().max()),
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / connections as f64,
        resident_afterwards,
    })
}

/// When the answer had begun to arrive, which must be a 200.
async fn answered(mut socket: TcpStream) -> anyhow::Result<Instant> {
    let mut start = [0; 12];
    socket.read_exact(&mut start).await?;
    let at = Instant::now();
    ensure!(start.ends_with(b"200"), "a phone that waited was answered {}", String::from_utf8_lossy(&start));
    Ok(at)
}
