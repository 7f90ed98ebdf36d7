//! The limit: an actix-web handler that returns ready-made answers, with no middleware and no check of anything.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::load::Process;
use crate::works::SERIAL;

/// An answer of the product, without the headers that every server of this library adds itself.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

const MADE_BY_THE_SERVER: [&str; 2] = ["content-length", "date"];

impl Answer {
    /// Reads the bytes of a whole answer.
    pub fn parse(answer: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(answer)?;
        let (head, body) = text.split_once("\r\n\r\n").context("a head and a body")?;
        let (first, rest) = head.split_once("\r\n").context("a status line")?;
        let status = first.split(' ').nth(1).context("a status")?.parse()?;
        let headers = rest.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.filter(|(name, _)| !MADE_BY_THE_SERVER.contains(&name.to_lowercase().as_str()));
        Ok(Self {
            status,
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: body.to_owned(),
        })
    }
}

struct Ready {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: web::Bytes,
}

impl TryFrom<Answer> for Ready {
    type Error = anyhow::Error;

    fn try_from(answer: Answer) -> anyhow::Result<Self> {
        let header = |(name, value): &(String, String)| Ok((name.parse()?, HeaderValue::from_str(value)?));
        Ok(Self {
            status: StatusCode::from_u16(answer.status)?,
            headers: answer.headers.iter().map(header).collect::<anyhow::Result<_>>()?,
            body: answer.body.into(),
        })
    }
}

/// Serves the answers that standard input has, by path and query, and says on standard error where.
pub async fn serve() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    let answers: HashMap<String, Answer> = serde_json::from_str(&text)?;
    let ready = |(path, answer): (String, Answer)| Ok((path, Ready::try_from(answer)?));
    let answers: HashMap<String, Ready> = answers.into_iter().map(ready).collect::<anyhow::Result<_>>()?;
    let shared = web::Data::new(answers);
    let server = HttpServer::new(move || App::new().app_data(shared.clone()).route("/{path:.*}", web::get().to(bare)))
        .bind("127.0.0.1:0")?
        .disable_signals();
    writeln!(std::io::stderr(), "{}", server.addrs().first().context("bound")?)?;
    Ok(server.run().await?)
}

async fn bare(req: HttpRequest, answers: web::Data<HashMap<String, Ready>>) -> HttpResponse {
    let path = req.uri().path_and_query().map_or("", |path| path.as_str());
    let answer = answers.get(path).or_else(|| answers.get(path.split_once(SERIAL)?.0));
    let Some(answer) = answer else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::build(answer.status);
    for (name, value) in &answer.headers {
        response.insert_header((name.clone(), value.clone()));
    }
    response.body(answer.body.clone())
}

/// A bare handler in a process of its own.
pub struct Bare {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: String,
}

impl Bare {
    /// Starts one that gives these answers, by path and query.
    pub fn start(answers: &HashMap<String, Answer>) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let process = Process(child);
        stdin.context("piped")?.write_all(&serde_json::to_vec(answers)?)?;
        let mut address = String::new();
        BufReader::new(stderr.context("piped")?).read_line(&mut address)?;
        anyhow::ensure!(address.starts_with("127.0.0.1:"), "the bare handler did not start: {address}");
        Ok(Self { process, address: address.trim().to_owned() })
    }
}
