//! Other spellings of a request: methods, paths and bodies that mean something to a proxy or a framework, and nothing
//! here.

use std::collections::{BTreeMap, BTreeSet};

use api::identity::Who as Named;
use domain::{Role, Scope};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::harness::raw::send;
use crate::harness::rows::{mission, organization};
use crate::harness::{Reply, Who, World, people};

/// An id that nothing has.
const SOME: &str = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11";

const OVERRIDES: [&str; 4] = ["x-http-method-override", "x-http-method", "x-method-override", "x-original-method"];

/// Each path of the contract, with ids in it, and its methods.
fn paths(mission: Uuid) -> BTreeMap<String, BTreeSet<String>> {
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path, _) in api::contract::operations() {
        let path = path.replace("{mission}", &mission.to_string()).replace("{id}", SOME).replace("{account}", SOME);
        assert!(!path.contains('{'), "{path}");
        let methods = paths.entry(path).or_default();
        methods.insert(method.to_string());
        methods.insert("OPTIONS".into());
        if method.as_str() == "GET" {
            methods.insert("HEAD".into());
        }
    }
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_the_contracts_is_refused_whoever_sends_it() {
    let world = World::empty().await;
    let delegate = world.token(Role::Delegate).await;
    let admin = world.token(Role::Admin).await;
    for (path, methods) in paths(Uuid::now_v7()) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "LINK", "GETT", "get"] {
            if methods.contains(method) {
                continue;
            }
            // The paths of imports are those of runs, too.
            let (is_run, method) = (path.starts_with("/v1/imports/"), Method::from_bytes(method.as_bytes()).unwrap());
            for token in [&delegate, &admin] {
                let mut request = world.request(method.clone(), &path, Who::Token(token)).body("{}");
                for name in OVERRIDES {
                    request = request.header(name, methods.first().unwrap());
                }
                let reply = world.send(request).await;
                assert_eq!(reply.status, 405, "{method} {path}: {}", String::from_utf8_lossy(&reply.bytes));
                let allow: BTreeSet<String> = reply.header("allow").unwrap().split(", ").map(str::to_owned).collect();
                assert!(is_run || allow == methods, "{method} {path}: {allow:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_makes_one_method_another() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let Named::Person { account, session, .. } =
        people::person(&world.server, Role::Delegate, Some(Uuid::now_v7())).await
    else {
        unreachable!("a person")
    };
    let (person, sessions) = (format!("/v1/accounts/{}", account.0), format!("/v1/sessions?account={}", account.0));
    for name in OVERRIDES {
        for (method, path, expected) in [
            (Method::GET, &person, 200),
            (Method::HEAD, &person, 200),
            (Method::POST, &person, 405),
            (Method::OPTIONS, &person, 204),
            (Method::GET, &sessions, 200),
            (Method::POST, &sessions, 405),
        ] {
            let request = world.request(method.clone(), path, Who::Token(&admin)).header(name, "DELETE");
            let request = request.header("if-match", "*").header("content-type", "application/json").body("{}");
            assert_eq!(world.send(request).await.status, expected, "{name}: {method} {path}");
        }
    }
    world.get(&person, Who::Token(&admin)).await.expect(200);
    let there = world.get(&sessions, Who::Token(&admin)).await.json();
    assert_eq!(there["items"][0]["id"], json!(session.0), "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_a_path_is_another_path() {
    let world = World::empty().await;
    // Whoever may do everything: only the spelling keeps them out.
    let (admin, delegate) = (world.token(Role::Admin).await, world.token(Role::Delegate).await);
    let get = async |target: &str, token: &str| {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: focalpoint.example\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        send(world.server.address, request).await
    };
    for path in ["/v1/accounts", "/v1/clients", "/v1/account", "/v1/sessions", "/v1/directory/units", "/v1/imports"] {
        assert_eq!(get(path, &admin).await.status(), 200, "{path}");
        let (_, last) = path.rsplit_once('/').unwrap();
        let before = &path[..path.len() - last.len()];
        for other in [
            format!("{path}/"),
            format!("{path}//"),
            format!("/{path}"),
            format!("{before}/{last}"),
            format!("{before}./{last}"),
            format!("{before}%2e/{last}"),
            format!("{before}x/../{last}"),
            format!("{before}x/%2e%2e/{last}"),
            format!("{before}x/..%2f{last}"),
            format!("{path}/."),
            format!("{path}/.."),
            format!("{path}/%2e%2e/{last}"),
            format!("{path}%2f"),
            format!("{path}%00"),
            format!("{path}%20"),
            format!("{path}%0a"),
            format!("{path};x=1"),
            format!("{path};"),
            format!("{path}.json"),
            format!("{path}%3fx"),
            format!("{path}%23"),
            format!("{path}\\"),
            path.to_uppercase(),
            path.replacen("/v1", "/V1", 1),
            path.replacen("/v1/", "/v1%2f", 1),
            path.replacen("/v1/", "/v1\\", 1),
            path.replacen("/v1/", "/v2/../v1/", 1),
            format!("/api{path}"),
            format!("{before}{}", last.replacen(last.chars().next().unwrap(), "\u{ff41}", 1).escape_unicode()),
        ] {
            let reply = get(&other, &admin).await;
            assert!([400, 404].contains(&reply.status()), "{other}: {reply:?}");
        }
        // An escape that means a letter is the letter (RFC 3986 §6.2.2.2), and what keeps people out is the same.
        let (first, rest) = last.split_at(1);
        let escaped = format!("{before}%{:02X}{rest}", first.as_bytes()[0]);
        for (token, plain) in [(&admin, get(path, &admin).await), (&delegate, get(path, &delegate).await)] {
            assert_eq!(get(&escaped, token).await.status(), plain.status(), "{escaped}");
        }
    }
}

/// What a body could be thought to have: every field that any answer has, and what frameworks bind.
fn every_field(document: &Value) -> BTreeSet<String> {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let of_answers =
        schemas.values().filter_map(|schema| schema["properties"].as_object()).flat_map(Map::keys).cloned();
    let guessed = [
        "id",
        "role",
        "roles",
        "mission",
        "mission_id",
        "rev",
        "row_version",
        "rights_version",
        "created_at",
        "suspended_at",
        "removed_at",
        "disabled_at",
        "published_at",
        "status",
        "second_factor",
        "password",
        "hash",
        "secret",
        "client_secret",
        "secret_hash",
        "is_admin",
        "admin",
        "scope",
        "scopes",
        "audience",
        "$set",
        "__proto__",
        "constructor",
        "",
        " name",
        "Name",
        "name ",
        "n\u{61}me\u{0301}",
    ];
    of_answers.chain(guessed.map(str::to_owned)).collect()
}

/// Each operation that takes JSON: method, address, what it may be given, and an example.
fn writes(document: &Value, mission: Uuid) -> Vec<(Method, String, BTreeSet<String>, Value)> {
    let mut writes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let Some(reference) = content["schema"]["$ref"].as_str() else { continue };
            let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            let path = path.replace("{mission}", &mission.to_string());
            let path =
                path.replace("{id}", &Uuid::now_v7().to_string()).replace("{account}", &Uuid::now_v7().to_string());
            let takes = schema["properties"].as_object().unwrap().keys().cloned().collect();
            assert!(content["example"].is_object(), "{path}");
            writes.push((method.to_uppercase().parse().unwrap(), path, takes, content["example"].clone()));
        }
    }
    writes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_is_taken_that_an_operation_does_not_name_and_none_twice() {
    let world = World::empty().await;
    world.have("directory", &[organization("un"), mission("ours", "un")]).await;
    let id: Uuid = world.database.psql().await.query_one("select id from mission", &[]).await.unwrap().get(0);
    let admin = people::person(&world.server, Role::Admin, None).await;
    let scopes = Scope::ALL.into_iter().filter(|scope| Role::Admin.may(*scope)).collect();
    let token = people::issue(&world.server, admin, scopes);
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let write = async |method: &Method, path: &str, body: String| -> Reply {
        let request = world.request(method.clone(), path, Who::Token(&token)).header("if-match", "*");
        world.send(request.header("content-type", "application/json").body(body)).await
    };
    let rules = |reply: &Reply| -> Vec<(String, String)> {
        assert_eq!(reply.problem(422), "validation_failed");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        reply.json()["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["rule"]))).collect()
    };
    let writes = writes(&document, id);
    assert!(writes.len() > 5, "{}", writes.len());
    let fields = every_field(&document);
    let mut tried = 0;
    for (method, path, takes, example) in &writes {
        for field in fields.iter().filter(|field| !takes.contains(*field)) {
            let mut body = example.clone();
            body[field] = json!("x");
            let told = rules(&write(method, path, body.to_string()).await);
            let pointer = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
            assert_eq!(told, [(pointer, "unknown_field".to_owned())], "{method} {path} {field:?}");
            tried += 1;
        }
        let rest = example.to_string();
        let rest = rest.strip_prefix('{').unwrap();
        for (field, value) in example.as_object().unwrap() {
            let told = rules(&write(method, path, format!("{{{}:{value},{rest}", json!(field))).await);
            assert!(told.iter().any(|(_, rule)| rule == "duplicate"), "{method} {path} {field}: {told:?}");
            // What is wrong with the first of the two may be told in its place.
            for other in ["null", "\"x\"", "[]"] {
                rules(&write(method, path, format!("{{{}:{other},{rest}", json!(field))).await);
            }
        }
        for body in ["[]", "null", "\"x\"", "1", "", "{", "{}{}", "[{}]"] {
            let status = write(method, path, body.to_owned()).await.status.as_u16();
            assert!([400, 422].contains(&status), "{method} {path} {body}: {status}");
        }
    }
    println!("{tried} fields that are not for clients, of {} operations", writes.len());
}
