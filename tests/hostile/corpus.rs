//! A file of hostile requests. None may get a 5xx, each is answered within a second, and what is refused
//! is refused with a problem document.
//!
//! A line of `corpus.ndjson` has a `name`, the `method`, `target`, `headers` and `body` to send, `who`
//! sends it (nobody unless told) and the statuses that are `expect`ed. A text may be a list of pieces,
//! each a text or `[text, times]`.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Role;
use serde::Deserialize;
use serde_json::Value;

use crate::harness::raw::{RawReply, send};
use crate::harness::{World, top};

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Pieces(Vec<Piece>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Once(String),
    Often(String, usize),
}

impl Text {
    fn whole(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Pieces(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Once(text) => text.clone(),
                    Piece::Often(text, times) => text.repeat(*times),
                })
                .collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: String,
    #[serde(default = "get")]
    method: String,
    target: Text,
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    headers: Vec<(String, Text)>,
    #[serde(default)]
    body: Option<Text>,
    expect: Vec<u16>,
}

fn get() -> String {
    "GET".to_owned()
}

fn request(input: &Input, tokens: &BTreeMap<&str, String>) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\nHost: focalpoint.example\r\n", input.method, input.target.whole());
    if let Some(who) = &input.who {
        text += &format!("Authorization: Bearer {}\r\n", tokens[who.as_str()]);
    }
    for (name, value) in &input.headers {
        text += &format!("{name}: {}\r\n", value.whole());
    }
    let body = input.body.as_ref().map(Text::whole).unwrap_or_default();
    if input.body.is_some() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text + "Connection: close\r\n\r\n" + &body
}

/// Refused by the parser of the framework, which writes no body (docs/http.md, known quirks).
fn is_the_parsers(reply: &RawReply) -> bool {
    [400, 431].contains(&reply.status()) && reply.header("x-request-id").is_none() && reply.body().is_empty()
}

fn is_problem(reply: &RawReply) -> bool {
    let document: Value = serde_json::from_str(reply.body()).unwrap_or_default();
    reply.header("content-type") == Some("application/problem+json")
        && document["status"] == reply.status()
        && document["code"].is_string()
        && document["request_id"].as_str() == reply.header("x-request-id")
}

/// RFC 6749 prescribes another form for these.
fn is_oauths(input: &Input, reply: &RawReply) -> bool {
    let document: Value = serde_json::from_str(reply.body()).unwrap_or_default();
    input.target.whole().starts_with("/oauth/token")
        && [400, 401].contains(&reply.status())
        && document["error"].is_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_corpus_breaks_the_server_or_holds_it_up() {
    let world = World::demonstration().await;
    let mut tokens = BTreeMap::new();
    for (name, role) in [("delegate", Role::Delegate), ("admin", Role::Admin)] {
        tokens.insert(name, world.token(role).await);
    }
    let corpus = std::fs::read_to_string(top().join("tests/hostile/corpus.ndjson")).unwrap();
    let inputs: Vec<Input> =
        corpus.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert!(inputs.len() >= 200, "{}", inputs.len());
    let mut wrong = Vec::new();
    let mut slowest = (Duration::ZERO, "");
    for input in &inputs {
        let mut reply = send(world.server.address, request(input, &tokens)).await;
        if reply.took > Duration::from_millis(500) {
            // A busy machine is not the input's fault.
            reply = send(world.server.address, request(input, &tokens)).await;
        }
        slowest = slowest.max((reply.took, &input.name));
        let status = reply.status();
        let explained = status < 400 || is_problem(&reply) || is_the_parsers(&reply) || is_oauths(input, &reply);
        let good = input.expect.contains(&status)
            && status < 500
            && explained
            && reply.took < Duration::from_secs(1)
            && !reply.body().contains("panicked");
        if !good {
            let text: String = reply.text.chars().take(700).collect();
            wrong
                .push(format!("{}: {status}, expected {:?}, after {:?}: {text}", input.name, input.expect, reply.took));
        }
    }
    println!("{} inputs, the slowest answered after {:?}: {}", inputs.len(), slowest.0, slowest.1);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), inputs.len(), wrong.join("\n"));
    world.get("/readyz/writes", crate::harness::Who::Stranger).await.expect(200);
}
