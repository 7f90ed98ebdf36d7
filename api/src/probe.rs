//! A health check for where there is no curl: in a container.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, ensure};

/// How long each step may take.
const WAIT: Duration = Duration::from_secs(2);

/// Fails unless a GET of `url`, which must begin with `http://`, is answered 200.
pub fn check(url: &str) -> anyhow::Result<()> {
    let rest = url.strip_prefix("http://").context("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { host.to_owned() } else { format!("{host}:80") };
    let mut stream = connect(&address).with_context(|| format!("{host} cannot be reached"))?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream.take(1024)).read_line(&mut line).with_context(|| format!("{url} does not answer"))?;
    ensure!(line.split(' ').nth(1) == Some("200"), "{url} answers {}", line.trim());
    Ok(())
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut outcome = Err(std::io::Error::other("it has no address"));
    for address in address.to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, WAIT);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
