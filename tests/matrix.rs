//! Who may do what: every operation of the contract, asked by everybody about everybody's objects.
//!
//! `matrix/cells.tsv` has a line for each operation, object and identity, and says what the answer is. The server is
//! compared with the file, and the file with the rules of `matrix/rules.rs`. After a change that is meant, write
//! the file anew with `FOCALPOINT_MATRIX=write script/test build tests -- matrix`, and read what `git diff` shows. An
//! operation that nobody has said how to ask for (`matrix/asks.rs`) has no cells, and fails the tests.

mod asks;
mod identities;
mod rules;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use api::edge::Edge;
use domain::{Role, Scope, Scopes};
use futures_util::StreamExt;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Reply, Who, World, people, top};
use asks::{Actor, Apps, Ask, Proof};
use identities::{IDENTITIES, Identity, Kind, MAY};
use rules::Need;
use stage::{Plan, Stage};

/// How many requests are under way at once.
const AT_ONCE: usize = 24;

/// Operation, object, identity.
type Key = (String, String, String);

struct Cell {
    key: Key,
    method: Method,
    pattern: String,
    actor: Actor,
    ask: Ask,
}

fn file() -> PathBuf {
    top().join("tests/matrix/cells.tsv")
}

/// The committed matrix.
fn committed() -> BTreeMap<Key, String> {
    let text = std::fs::read_to_string(file()).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let cell = |line: &str| {
        let parts: Vec<&str> = line.split('\t').collect();
        let [operation, object, identity, answer] = parts[..] else { panic!("not a cell: {line}") };
        ((operation.to_owned(), object.to_owned(), identity.to_owned()), answer.to_owned())
    };
    lines.map(cell).collect()
}

fn write(answers: &BTreeMap<Key, String>) {
    let mut text = "# operation, object, who asks, answer. Written by the tests, see tests/matrix.rs.\n".to_owned();
    for ((operation, object, identity), answer) in answers {
        text += &format!("{operation}\t{object}\t{identity}\t{answer}\n");
    }
    std::fs::write(file(), text).unwrap();
}

/// All cells. Whatever one changes, no other asks about, and nobody asks who has changed themself.
fn cells(stage: &Stage, apps: &Apps, plan: &mut Plan) -> Vec<Cell> {
    let mut cells = Vec::new();
    for identity in &IDENTITIES {
        let reader = Actor::new(identity, stage, apps, plan);
        for (method, pattern, operation) in api::contract::operations() {
            let reads = method.as_str() == "GET";
            let method = Method::from_bytes(method.as_str().as_bytes()).unwrap();
            let of = |actor: &Actor, ask: Ask| {
                let key = (operation.clone(), ask.object.clone(), identity.name.to_owned());
                Cell { key, method: method.clone(), pattern: pattern.clone(), actor: actor.clone(), ask }
            };
            let asks = asks::asks(&operation, &reader, stage, plan);
            let asks = asks.unwrap_or_else(|| panic!("{operation} has no cells: tests/matrix/asks.rs lacks it"));
            for (n, ask) in asks.into_iter().enumerate() {
                let is_about_oneself = ["own", "ours/own", "current", "-"].contains(&ask.object.as_str());
                if reads || !is_about_oneself {
                    cells.push(of(&reader, ask));
                } else {
                    let actor = Actor::new(identity, stage, apps, plan);
                    let ask = asks::asks(&operation, &actor, stage, plan).unwrap().swap_remove(n);
                    cells.push(of(&actor, ask));
                }
            }
        }
    }
    cells
}

/// What a person's token, or a service's, permits at most.
fn scopes(identity: &Identity) -> Scopes {
    identity.token.map_or_else(Scopes::all, Scopes::parse)
}

async fn ask(world: &World, cell: &Cell, secret: &str) -> Reply {
    let server = &world.server;
    let Cell { ask, actor, .. } = cell;
    let mut path = cell.pattern.clone();
    for (name, value) in &ask.path {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    assert!(!path.contains('{'), "{:?} lacks a parameter: {path}", cell.key);
    if !ask.query.is_empty() {
        path = format!("{path}?{}", ask.query);
    }
    let token = match (actor.identity.kind, actor.who) {
        (Kind::Forged, _) => Some(forged(server)),
        (_, who) => who.map(|who| people::issue(server, who, scopes(actor.identity))),
    };
    let mut request = match (ask.proof, &token) {
        (Proof::Token, Some(token)) => world.request(cell.method.clone(), &path, Who::Token(token)),
        _ => world.request(cell.method.clone(), &path, Who::Stranger),
    };
    let mut body = ask.body.clone();
    if ask.proof == Proof::Client {
        let form = &mut body.as_mut().unwrap().1;
        match actor.identity.kind {
            Kind::Service => request = request.basic_auth(actor.client_id().unwrap(), Some(secret)),
            Kind::Forged => request = request.bearer_auth(forged(server)),
            _ => *form += &actor.client_id().map(|id| format!("&client_id={id}")).unwrap_or_default(),
        }
        if cell.key.0 != "issue_token" {
            let about = ask.about.map(|who| people::issue(server, who, Scopes::all()));
            *form += &format!("&token={}", about.as_deref().unwrap_or("garbage"));
        }
    }
    if ask.if_match {
        request = request.header("if-match", "\"v1\"");
    }
    if let Some((media_type, body)) = body {
        request = request.header("content-type", media_type).body(body.trim_start_matches('&').to_owned());
    }
    world.send(request).await
}

/// A token as ours, of a person who may do everything, that another key has signed.
fn forged(server: &api::Server) -> String {
    let key = api::identity::generate_key(chrono::DateTime::UNIX_EPOCH).unwrap();
    let keys = api::identity::Keys::new(&[key]).unwrap();
    let who = api::identity::Who::Client(domain::ClientId(Uuid::now_v7()));
    let token = api::identity::Token { who, scopes: Scopes::all(), rights_version: 1 };
    server.state.tokens.issue(&keys, &token, chrono::Utc::now(), 3600).unwrap()
}

/// The status, and whether the object is in the answer.
fn answer(cell: &Cell, reply: &Reply) -> String {
    let status = reply.status.as_u16();
    match &cell.ask.shows {
        Some(text) if status == 200 && String::from_utf8_lossy(&reply.bytes).contains(text) => "200 shown".to_owned(),
        Some(_) if status == 200 => "200 not shown".to_owned(),
        _ => status.to_string(),
    }
}

/// All of an answer but what names the request and the moment.
fn settled(reply: &Reply) -> (u16, BTreeMap<String, String>, Value) {
    // Of an id that cannot be one, the body is not read, and the connection is closed.
    let volatile = ["x-request-id", "date", "connection"];
    let told = reply.headers.iter().filter(|(name, _)| !volatile.contains(&name.as_str()));
    let headers = told.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    let mut body: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (reply.status.as_u16(), headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_answers_as_the_matrix_says() {
    let unlimited = Edge {
        rate_limit_default: 0,
        rate_limit_bulletins: 0,
        rate_limit_public: 0,
        rate_limit_token: 0,
        rate_limit_bulk: 0,
        security_contacts: vec!["mailto:security@example.org".into()],
        ..Edge::default()
    };
    let world = World::with_edge(unlimited).await;
    let stage = Stage::set(&world).await;
    let secret = api::identity::secrets::generate().unwrap();
    let mut plan = Plan::default();
    let all = Scope::ALL.map(Scope::name).join(" ");
    let apps = Apps { wide: plan.app(&all), narrow: plan.app("read account") };
    let cells = cells(&stage, &apps, &mut plan);
    plan.carry_out(&world, &api::identity::secrets::hash(&secret).unwrap()).await;

    let secret = secret.expose_secret();
    let ask_one = async |cell| {
        let mut reply = ask(&world, cell, secret).await;
        // A busy machine may send somebody away; what they may do is asked again.
        for _ in 0..20 {
            if reply.status != 503 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            reply = ask(&world, cell, secret).await;
        }
        (cell, reply)
    };
    let replies: Vec<(&Cell, Reply)> =
        futures_util::stream::iter(&cells).map(ask_one).buffer_unordered(AT_ONCE).collect().await;
    let answers: BTreeMap<Key, String> =
        replies.iter().map(|(cell, reply)| (cell.key.clone(), answer(cell, reply))).collect();
    assert_eq!(answers.len(), cells.len(), "a cell is asked once");

    for (cell, reply) in &replies {
        assert!(reply.status.as_u16() < 500, "{:?}: {reply:?}", cell.key);
    }

    if std::env::var("FOCALPOINT_MATRIX").is_ok_and(|wish| wish == "write") {
        write(&answers);
    }
    let said = committed();
    let keys: BTreeSet<&Key> = answers.keys().chain(said.keys()).collect();
    let differ = |key: &&Key| answers.get(*key) != said.get(*key);
    let wrong: Vec<String> = keys
        .into_iter()
        .filter(differ)
        .map(|key| format!("{key:?}: {:?}, the matrix says {:?}", answers.get(key), said.get(key)))
        .collect();
    println!("{} cells", answers.len());
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));

    // What is not for somebody looks in every way like what there is not.
    let mut missing: BTreeMap<(&str, &str), Vec<(&str, _)>> = BTreeMap::new();
    for (cell, reply) in replies.iter().filter(|(_, reply)| reply.status == 404) {
        let (operation, object, identity) = &cell.key;
        missing.entry((operation, identity)).or_default().push((object, settled(reply)));
    }
    for ((operation, identity), replies) in missing {
        let (first, told) = &replies[0];
        for (object, other) in &replies[1..] {
            assert_eq!(told, other, "{operation} tells {identity} {first} from {object}");
        }
    }
}

#[test]
fn every_operation_has_a_cell_for_everybody() {
    let cells = committed();
    let operations: BTreeSet<String> = api::contract::operations().into_iter().map(|(_, _, id)| id).collect();
    for operation in &operations {
        for identity in &IDENTITIES {
            let has = cells.keys().any(|(of, _, by)| of == operation && by == identity.name);
            assert!(has, "{operation} has no cell for {}", identity.name);
        }
    }
    let gone: BTreeSet<&String> = cells.keys().map(|(of, ..)| of).filter(|of| !operations.contains(*of)).collect();
    assert!(gone.is_empty(), "there are no such operations: {gone:?}");
    assert!(cells.len() >= 2_000, "{}", cells.len());
}

#[test]
fn the_matrix_is_what_was_agreed() {
    let wrong: Vec<String> = committed()
        .iter()
        .map(|((operation, object, by), answer)| {
            (operation, object, by, answer, rules::answer(operation, object, Identity::named(by)))
        })
        .filter(|(.., answer, agreed)| *answer != agreed)
        .map(|(operation, object, by, answer, agreed)| {
            format!("{operation} {object} {by}: {answer}, agreed was {agreed}")
        })
        .collect();
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}

#[test]
fn roles_carry_the_scopes_that_were_agreed() {
    assert_eq!(MAY.map(|(scope, _)| scope), Scope::ALL.map(Scope::name));
    for (scope, roles) in MAY {
        let carry: BTreeSet<&str> =
            Role::ALL.into_iter().filter(|role| role.may(Scope::from_name(scope).unwrap())).map(Role::name).collect();
        assert_eq!(carry, roles.iter().copied().collect(), "{scope}");
    }
    let tried: BTreeSet<&str> = IDENTITIES.iter().flat_map(|identity| identity.roles.iter().copied()).collect();
    assert_eq!(tried, Role::ALL.map(Role::name).into(), "every role asks");
}

#[test]
fn the_contract_names_the_scopes_that_were_agreed() {
    let document = serde_json::to_value(api::contract::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes: Vec<&str> = security
                .iter()
                .filter_map(|one| one["oauth2"].as_array())
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let is_open = security.iter().any(|one| one.as_object().is_some_and(serde_json::Map::is_empty));
            match rules::need(id).unwrap_or_else(|| panic!("{id} has no rule")) {
                Need::Scope(scope) => assert_eq!((scopes, is_open), (vec![scope], false), "{id} {path}"),
                Need::Nothing | Need::NoBadToken => {
                    assert!(is_open && scopes.iter().all(|scope| *scope == "read"), "{id} {path}");
                }
                Need::Client => assert!(scopes.is_empty(), "{id} {path}"),
            }
        }
    }
}
