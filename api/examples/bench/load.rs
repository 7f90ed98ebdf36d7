//! The client: keep-alive connections that ask as fast as they are answered, and the server's CPU time meanwhile.

use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A process of its own, so that its CPU time is its own. It ends with this value.
pub struct Process(pub Child);

impl Process {
    /// CPU time of all its threads.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let mut total = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may end while it is looked for.
            let stat = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            total += stat.split(' ').next().unwrap_or_default().parse::<u64>().unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A request and the answer to expect.
pub struct Ask {
    /// As it is sent.
    pub request: Vec<u8>,
    /// How the answer begins: version and status.
    pub status: Vec<u8>,
    /// Bytes of the whole answer.
    pub answer: usize,
}

/// What one measurement does.
pub struct Load {
    /// Where the server is.
    pub address: String,
    /// What each connection asks, one after the other, from a place of its own on, as far from the others' as can be.
    pub asks: Arc<[Ask]>,
    /// Keep-alive connections.
    pub connections: usize,
    /// For how long.
    pub seconds: u64,
}

/// What one measurement found.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures {
    /// Answers a second.
    pub requests_per_second: f64,
    /// CPU time of the server's process an answer.
    pub cpu_microseconds: f64,
    /// Half of the answers came within this time.
    pub p50_microseconds: u64,
    /// 99 % of them came within this time.
    pub p99_microseconds: u64,
}

impl Load {
    /// Asks for the time given; `process` is the server's.
    pub async fn measure(&self, process: &Process) -> anyhow::Result<Figures> {
        let (started, cpu) = (Instant::now(), process.cpu()?);
        let end = started + Duration::from_secs(self.seconds);
        let clients: Vec<_> = (0..self.connections)
            .map(|at| {
                tokio::spawn(client(
                    self.address.clone(),
                    self.asks.clone(),
                    at * self.asks.len() / self.connections,
                    end,
                ))
            })
            .collect();
        let mut latencies = Vec::new();
        for client in clients {
            latencies.extend(client.await??);
        }
        let (took, cpu) = (started.elapsed(), process.cpu()?.saturating_sub(cpu));
        latencies.sort_unstable();
        let at = |share: f64| latencies.get((latencies.len().saturating_sub(1) as f64 * share) as usize).copied();
        Ok(Figures {
            requests_per_second: latencies.len() as f64 / took.as_secs_f64(),
            cpu_microseconds: cpu.as_secs_f64() * 1e6 / latencies.len() as f64,
            p50_microseconds: at(0.5).context("no answer")?.into(),
            p99_microseconds: at(0.99).context("no answer")?.into(),
        })
    }
}

/// The run in the middle, by CPU time.
pub fn median(mut figures: Vec<Figures>) -> anyhow::Result<Figures> {
    figures.sort_by(|a, b| a.cpu_microseconds.total_cmp(&b.cpu_microseconds));
    figures.get(figures.len() / 2).copied().context("at least one run")
}

/// Asks over one connection until `end`; every answer must have the status expected.
async fn client(address: String, asks: Arc<[Ask]>, start: usize, end: Instant) -> anyhow::Result<Vec<u32>> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; asks.iter().map(|ask| ask.answer).max().unwrap_or_default() + 1024];
    let mut latencies = Vec::new();
    for ask in asks.iter().cycle().skip(start % asks.len()) {
        let asked = Instant::now();
        if asked >= end {
            break;
        }
        socket.write_all(&ask.request).await?;
        let mut have = 0;
        loop {
            let read = socket.read(buffer.get_mut(have..).unwrap_or_default()).await?;
            have += read;
            // The length that is expected needs no reading; another one may be right, too.
            if have == ask.answer || whole(&buffer[..have]) == Some(have) {
                break;
            }
            if read == 0 {
                bail!("an answer broke off: {}", String::from_utf8_lossy(&buffer[..have]));
            }
        }
        latencies.push(u32::try_from(asked.elapsed().as_micros())?);
        if !buffer.starts_with(&ask.status) {
            bail!("an answer was another: {}", String::from_utf8_lossy(&buffer[..have]));
        }
    }
    Ok(latencies)
}

/// How long the answer is that starts here, once its head is there. Not for chunked ones.
pub fn whole(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    };
    Some(end + head.lines().find_map(length).unwrap_or(0))
}
