//! Requests that two readers would cut in different places, sent to the server and to an nginx before it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::raw::{RawReply, exchange, send};
use crate::harness::{Who, World};

/// What must not be read as anybody likes: a name, and the bytes.
const AMBIGUOUS: [(&str, &str); 21] = [
    (
        "length and chunks",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "chunks and length",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    ("two lengths", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    ("two equal lengths", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    ("a list of lengths", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"),
    ("a signed length", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"),
    ("a negative length", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    ("a length beyond 64 bits", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    ("xchunked", "POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (
        "chunked twice",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "identity and chunked",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked with a vertical tab",
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    ("a blank before the colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\nx"),
    ("a folded line", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
    ("a folded first line", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("Host twice", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("no Host", "GET /healthz HTTP/1.1\r\n\r\n"),
    ("NUL in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"),
    ("CR in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\rContent-Length: 5\r\n\r\n"),
    ("another version", "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n"),
    ("a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
];

/// One answer at the most, a refusal, and the connection is closed.
#[track_caller]
fn assert_refused(name: &str, reply: &RawReply) {
    assert!(reply.closed, "{name}: {reply:?}");
    assert!([0, 400, 501, 505].contains(&reply.status()), "{name}: {reply:?}");
    assert!(reply.text.matches("HTTP/1.1 ").count() <= 1, "{name}: {reply:?}");
    assert!(reply.took < Duration::from_secs(1), "{name}: {reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed() {
    let world = World::empty().await;
    for (name, bytes) in AMBIGUOUS {
        assert_refused(name, &send(world.server.address, bytes).await);
    }
    for (name, size) in [
        ("a chunk's size with a sign", "+4"),
        ("a chunk's size as 0x4", "0x4"),
        ("a chunk's size that overflows", "ffffffffffffffff1"),
        ("a chunk without a size", ""),
    ] {
        let bytes = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Transfer-Encoding: chunked\r\n\r\n{size}\r\nabcd\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        assert_refused(name, &send(world.server.address, bytes).await);
    }
    world.get("/healthz", Who::Stranger).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_may_end_without_cr_and_that_smuggles_nothing() {
    let world = World::empty().await;
    // RFC 9112 §2.2 permits it, and the parser does it (docs/http.md, known quirks).
    let bare = send(world.server.address, "GET /healthz HTTP/1.1\nHost: a\nConnection: close\n\n").await;
    assert_eq!(bare.status(), 200, "{bare:?}");
    let both =
        "POST /oauth/token HTTP/1.1\r\nHost: a\r\nX-A: b\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_refused("a length behind a bare LF", &send(world.server.address, both).await);
}

/// An nginx before the server of a test, as docs/production.md recommends; ends with this value.
struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// `None`, with a word about it, where nginx is not installed.
    fn start(upstream: std::net::SocketAddr) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx", "/opt/homebrew/bin/nginx"];
        let Some(program) = program.iter().find(|path| std::path::Path::new(path).exists()) else {
            eprintln!("skipped: nginx is not installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("focalpoint-nginx-").tempdir_in("/tmp").unwrap();
        let at = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        let user = if std::fs::metadata("/root").is_ok_and(|_| std::fs::read_dir("/root").is_ok()) {
            "user root;"
        } else {
            ""
        };
        let configuration = format!(
            "daemon off; master_process off; {user} pid {at}/pid; error_log {at}/error.log;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; {temporary}\n\
             upstream focalpoint {{ server {upstream}; keepalive 8; }}\n\
             server {{ listen unix:{at}/socket; location / {{ proxy_pass http://focalpoint; proxy_http_version 1.1;\n\
             proxy_set_header Host $host; proxy_set_header Connection ''; }} }} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let child = Command::new(program)
            .args(["-p", folder.path().to_str().unwrap(), "-e", "stderr", "-c"])
            .arg(folder.path().join("nginx.conf"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let socket = folder.path().join("socket");
        for _ in 0..200 {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { child, folder })
    }

    async fn send(&self, bytes: &str) -> RawReply {
        let stream = tokio::net::UnixStream::connect(self.folder.path().join("socket")).await.unwrap();
        exchange(stream, bytes.into(), Duration::from_secs(8)).await
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_nothing_is_smuggled_either() {
    let world = World::empty().await;
    let Some(nginx) = Nginx::start(world.server.address) else { return };
    let fine = nginx.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(fine.status(), 200, "{fine:?}");
    for (name, bytes) in AMBIGUOUS {
        // Some of it nginx mends before it sends it on; one request must stay one request.
        let closing = bytes.replacen("\r\nHost: a", "\r\nConnection: close\r\nHost: a", 1);
        let reply = nginx.send(&closing).await;
        assert!(reply.closed, "{name}: {reply:?}");
        assert!(reply.text.matches("HTTP/1.1 ").count() <= 1, "{name}: {reply:?}");
        assert!(![500, 502, 504].contains(&reply.status()), "{name}: {reply:?}");
        assert!(!reply.text.contains("smuggled"), "{name}: {reply:?}");
        let next = nginx.send("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(next.status() == 200 && next.body().contains("edition_age"), "{name} spoiled the next: {next:?}");
    }
}
