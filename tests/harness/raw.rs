//! Requests as bytes, for what no HTTP client sends.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What came back.
#[derive(Debug)]
pub(crate) struct RawReply {
    pub(crate) text: String,
    pub(crate) took: Duration,
    /// Whether the server closed the connection.
    pub(crate) closed: bool,
}

impl RawReply {
    /// 0 where nothing came back.
    pub(crate) fn status(&self) -> u16 {
        self.text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let named = |line: &&str| line.split(':').next().unwrap_or_default().eq_ignore_ascii_case(name);
        head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// Sends bytes and reads until the server closes, or for `patience`.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    bytes: Vec<u8>,
    patience: Duration,
) -> RawReply {
    let started = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (mut answer, mut took) = (Vec::new(), None);
    // The answer may come before all is sent; what the server then no longer reads does not matter.
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&bytes).await;
        writer
    });
    let mut closed = false;
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read) = tokio::time::timeout(patience.saturating_sub(started.elapsed()), reader.read(&mut piece)).await
    {
        match read {
            Ok(0) | Err(_) => {
                closed = true;
                break;
            }
            Ok(length) => {
                took.get_or_insert_with(|| started.elapsed());
                answer.extend_from_slice(&piece[..length]);
            }
        }
    }
    sending.abort();
    let took = took.unwrap_or_else(|| started.elapsed());
    RawReply { text: String::from_utf8_lossy(&answer).into_owned(), took, closed }
}

/// To the server of a test.
pub(crate) async fn send(address: SocketAddr, bytes: impl Into<Vec<u8>>) -> RawReply {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    exchange(stream, bytes.into(), Duration::from_secs(8)).await
}
