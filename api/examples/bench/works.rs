//! W1 to W5: which requests they are, and what the product answers to each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Work;
use crate::bare::Answer;
use crate::load::{Ask, whole};
use crate::product::Client;
use crate::recall::Query;

/// So many different public notes are asked for.
const NOTES: &str = "200";

/// How often a search that no answer of another may serve is told from itself. What a server keeps of answers must
/// not be what is measured, so every request of these differs from all that came before for a long time.
const SERIALS: usize = 16;

/// The parameter by which they differ. The product passes over it, as over every unknown one.
pub const SERIAL: &str = "&once=";

/// A work's requests, and the answers to them.
pub struct Asked {
    /// What the client asks.
    pub asks: Arc<[Ask]>,
    /// What is answered, by path and query.
    pub answers: HashMap<String, Answer>,
}

impl Asked {
    /// How long an answer is with its head, on average.
    pub fn mean_bytes(&self) -> usize {
        self.asks.iter().map(|ask| ask.answer).sum::<usize>() / self.asks.len().max(1)
    }
}

/// The paths of a work, drawn from the data.
pub async fn paths(work: Work, client: &Client, queries: &[Query]) -> anyhow::Result<Vec<String>> {
    let search = |q: &str| Client::path("/v1/directory/search", &[("kind", "person"), ("limit", "20"), ("q", q)]);
    let paths: Vec<String> = match work {
        Work::W1 | Work::W5 => people(client).await?,
        Work::W2 | Work::W2Once => {
            let mut seen = BTreeSet::new();
            let distinct = queries.iter().filter(|query| seen.insert(query.prefix.as_str()));
            distinct.map(|query| search(&query.prefix)).collect::<anyhow::Result<_>>()?
        }
        Work::W3 => {
            let mut seen = BTreeSet::new();
            let counted = queries.iter().filter(|query| query.is_counted() && seen.insert(query.typo.as_str()));
            counted.map(|query| search(&query.typo)).collect::<anyhow::Result<_>>()?
        }
        Work::W4 => notes(client).await?,
        Work::Token | Work::NoToken => public_notes(client).await?,
        Work::W6 | Work::Wait => Vec::new(),
    };
    ensure!(!paths.is_empty(), "{work:?}: the data has nothing to ask for");
    Ok(paths)
}

/// Everybody.
async fn people(client: &Client) -> anyhow::Result<Vec<String>> {
    let first = [("limit", "200")];
    let mut path = Client::path("/v1/directory/people", &first)?;
    let mut paths = Vec::new();
    loop {
        let page = client.get(&path).await?;
        let cursor = page["next_cursor"].as_str().map(str::to_owned);
        let ids = items(page)?.into_iter().filter_map(|item| Some(item["id"].as_str()?.to_owned()));
        paths.extend(ids.map(|id| format!("/v1/directory/people/{id}")));
        let Some(cursor) = cursor else { return Ok(paths) };
        path = Client::path("/v1/directory/people", &[first[0], ("cursor", &cursor)])?;
    }
}

/// Notes that anybody may read, each by its id.
async fn public_notes(client: &Client) -> anyhow::Result<Vec<String>> {
    let page = client.get(&format!("/v1/inf-notes?limit={NOTES}")).await?;
    let ids = items(page)?.into_iter().filter_map(|item| Some(item["id"].as_str()?.to_owned()));
    Ok(ids.map(|id| format!("/v1/inf-notes/{id}")).collect())
}

/// Every full page of 50 notes, in each language.
async fn notes(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for language in ["ar", "en", "es", "fr", "ru", "zh"] {
        let first = [("lang", language), ("limit", "50")];
        let mut path = Client::path("/v1/inf-notes", &first)?;
        loop {
            let page = client.get(&path).await?;
            let cursor = page["next_cursor"].as_str().map(str::to_owned);
            if items(page)?.len() == 50 {
                paths.push(path);
            }
            let Some(cursor) = cursor else { break };
            path = Client::path("/v1/inf-notes", &[first[0], first[1], ("cursor", &cursor)])?;
        }
    }
    Ok(paths)
}

fn items(mut page: Value) -> anyhow::Result<Vec<Value>> {
    match page["items"].take() {
        Value::Array(items) => Ok(items),
        _ => anyhow::bail!("a page has items"),
    }
}

/// Asks each path once.
pub async fn ask(work: Work, client: &Client, paths: Vec<String>) -> anyhow::Result<Asked> {
    let mut socket = TcpStream::connect(&client.address).await?;
    let (mut asks, mut answers, mut asked) = (Vec::new(), HashMap::new(), Vec::new());
    for path in paths {
        let mut request = request(&path, &client.token, "");
        let mut answer = exchange(&mut socket, &request).await?;
        if work == Work::W5 {
            let head = String::from_utf8_lossy(&answer);
            let tag = head
                .lines()
                .find_map(|line| Some(line.strip_prefix("etag: ").or(line.strip_prefix("ETag: "))?.to_owned()));
            request =
                self::request(&path, &client.token, &format!("If-None-Match: {}\r\n", tag.context("an entity tag")?));
            answer = exchange(&mut socket, &request).await?;
        }
        let status = if work == Work::W5 { b"HTTP/1.1 304".to_vec() } else { b"HTTP/1.1 200".to_vec() };
        ensure!(answer.starts_with(&status), "{path}: {}", String::from_utf8_lossy(&answer));
        asks.push(Ask { request: request.into_bytes(), status, answer: answer.len() });
        answers.insert(path.clone(), Answer::parse(&answer)?);
        asked.push(path);
    }
    if matches!(work, Work::W2Once | Work::W3) {
        let once = |serial| {
            let request = move |path: &String| self::request(&format!("{path}{SERIAL}{serial}"), &client.token, "");
            let again = |(path, ask): (&String, &Ask)| Ask {
                request: request(path).into_bytes(),
                status: ask.status.clone(),
                answer: ask.answer,
            };
            asked.iter().zip(&asks).map(again).collect::<Vec<_>>()
        };
        asks = (0..SERIALS).flat_map(once).collect();
    }
    Ok(Asked { asks: asks.into(), answers })
}

/// A GET as it is sent; `more` is further header lines.
pub fn request(path: &str, token: &str, more: &str) -> String {
    let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Accept-Language: en\r\n{more}\r\n")
}

/// One request and its whole answer, by its length.
async fn exchange(socket: &mut TcpStream, request: &str) -> anyhow::Result<Vec<u8>> {
    socket.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while whole(&answer).is_none_or(|length| answer.len() < length) {
        ensure!(socket.read_buf(&mut answer).await? > 0, "an answer broke off: {}", String::from_utf8_lossy(&answer));
    }
    Ok(answer)
}
