//! A bad network: a TCP proxy with a weather for each connection.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of a connection and the request in it.
#[derive(Clone, Debug)]
pub(crate) enum Weather {
    /// All goes well.
    Fair,
    /// It is closed at once.
    Refused,
    /// It ends when so many bytes of the request have gone through.
    CutRequest(usize),
    /// The server does what it was asked, and nothing of its answer arrives.
    LostReply,
    /// The answer breaks off after so many bytes.
    CutReply(usize),
    /// The answer comes so many bytes at a time, with a pause behind each.
    Slow(usize, Duration),
    /// The answer never comes, and the connection stays open.
    Silent,
    /// The request reaches the server twice, as by a proxy that tries again; the second answer arrives.
    Twice,
    /// Somebody in between answers: a balancer, or the page of a hotel's network.
    Instead(&'static str),
}

/// The proxy. It goes with this value, and all its connections with it.
pub(crate) struct Proxy {
    address: SocketAddr,
    plan: Arc<Mutex<VecDeque<Weather>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of a server.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (plan, connections) = (Arc::<Mutex<VecDeque<Weather>>>::default(), Arc::<AtomicUsize>::default());
        let (planned, counted) = (plan.clone(), connections.clone());
        let task = tokio::spawn(async move {
            let mut under_way = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let weather = planned.lock().unwrap().pop_front().unwrap_or(Weather::Fair);
                // A connection that breaks is what this is for.
                under_way.spawn(async move { carry(client, server, weather).await.ok() });
            }
        });
        Self { address, plan, connections, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The weather of the next connections; later ones are fair.
    pub(crate) fn forecast(&self, weather: impl IntoIterator<Item = Weather>) {
        *self.plan.lock().unwrap() = weather.into_iter().collect();
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, weather: Weather) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    match weather {
        Weather::Refused => return Ok(()),
        Weather::Instead(answer) => {
            if client.read(&mut buffer).await? > 0 {
                client.write_all(answer.as_bytes()).await?;
            }
            return client.shutdown().await;
        }
        _ => {}
    }
    let mut upstream = TcpStream::connect(server).await?;
    match weather {
        Weather::Fair | Weather::Refused | Weather::Instead(_) => {
            copy_bidirectional(&mut client, &mut upstream).await?;
        }
        Weather::CutRequest(bytes) => {
            let read = client.read(&mut buffer).await?.min(bytes);
            upstream.write_all(&buffer[..read]).await?;
        }
        Weather::LostReply => drop(until_answered(&mut client, &mut upstream).await?),
        Weather::CutReply(bytes) => {
            until_answered(&mut client, &mut upstream).await?;
            deliver(&mut client, &mut upstream, bytes, bytes, Duration::ZERO).await?;
        }
        Weather::Slow(bytes, pause) => {
            until_answered(&mut client, &mut upstream).await?;
            deliver(&mut client, &mut upstream, usize::MAX, bytes, pause).await?;
        }
        Weather::Silent => {
            until_answered(&mut client, &mut upstream).await?;
            while client.read(&mut buffer).await? > 0 {}
        }
        Weather::Twice => {
            let request = until_answered(&mut client, &mut upstream).await?;
            let mut again = TcpStream::connect(server).await?;
            again.write_all(&request).await?;
            deliver(&mut client, &mut again, usize::MAX, buffer.len(), Duration::ZERO).await?;
        }
    }
    Ok(())
}

/// Brings the request to the server until it begins to answer; returns the request.
async fn until_answered(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut request, mut buffer, mut first) = (Vec::new(), vec![0; 64 * 1024], [0]);
    loop {
        tokio::select! {
            read = client.read(&mut buffer) => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    server.write_all(&buffer[..read]).await?;
                    request.extend_from_slice(&buffer[..read]);
                }
            },
            answered = server.peek(&mut first) => return answered.map(|_| request),
        }
    }
}

/// Brings at most `limit` bytes of the answer to the client, `piece` by piece.
async fn deliver(
    client: &mut TcpStream,
    server: &mut TcpStream,
    limit: usize,
    piece: usize,
    pause: Duration,
) -> io::Result<()> {
    let (mut left, mut buffer, mut more) = (limit, vec![0; piece], [0]);
    while left > 0 {
        let wanted = piece.min(left);
        tokio::select! {
            read = server.read(&mut buffer[..wanted]) => {
                let read = read?;
                if read == 0 {
                    break;
                }
                client.write_all(&buffer[..read]).await?;
                left -= read;
                tokio::time::sleep(pause).await;
            }
            // the client has what it wants, or gave up
            _ = client.read(&mut more) => break,
        }
    }
    Ok(())
}
