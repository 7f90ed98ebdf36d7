//! Access tokens that are none: whatever is wrong with one, the answer is the same, and nothing is fetched.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::identity::Who as Named;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::{Role, Scopes};
use futures_util::StreamExt;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{MISSION, Reply, Who, World, people};

const ISSUER: &str = "https://focalpoint.example";

/// What a good token is made of, to make bad ones.
struct Forge {
    header: Value,
    claims: Value,
    key: EncodingKey,
    jwks: Value,
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn signed(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// The value with a field of it changed, or taken away by null.
fn with(value: &Value, field: &str, new: Value) -> Value {
    let mut changed = value.clone();
    match new {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(field)),
        new => changed[field] = new,
    }
    changed
}

impl Forge {
    async fn new(world: &World) -> (Self, String) {
        let good = world.token(Role::Admin).await;
        let keys = world.server.state.store.identities().keys.clone();
        let (_, key) = keys.signing(chrono::Utc::now()).unwrap();
        let jwks = serde_json::from_str(&keys.jwks).unwrap();
        (Self { header: part(&good, 0), claims: part(&good, 1), key: key.clone(), jwks }, good)
    }

    /// Signed with our own key: all else about it is as told.
    fn with_header(&self, field: &str, value: Value) -> String {
        let header = with(&self.header, field, value).to_string();
        signed(&header, &self.claims.to_string(), &self.key, Algorithm::EdDSA)
    }

    fn with_claim(&self, field: &str, value: Value) -> String {
        self.with_claims(&with(&self.claims, field, value).to_string())
    }

    fn with_claims(&self, claims: &str) -> String {
        signed(&self.header.to_string(), claims, &self.key, Algorithm::EdDSA)
    }

    /// A claim as no JSON library would write it.
    fn with_raw_claim(&self, field: &str, raw: &str) -> String {
        let marked = with(&self.claims, field, json!("RAW")).to_string();
        self.with_claims(&marked.replace("\"RAW\"", raw))
    }

    /// The public key in the forms in which somebody might take it for a shared secret.
    fn public_keys(&self) -> Vec<Vec<u8>> {
        let jwk = &self.jwks["keys"][0];
        let x = jwk["x"].as_str().unwrap();
        let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
        // RFC 8410 §4: what stands before the 32 bytes of every Ed25519 key.
        let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], &raw[..]].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(&der));
        let pem_with_end = format!("{pem}\n");
        let text = |text: &str| text.as_bytes().to_vec();
        let jwk_text = jwk.to_string();
        vec![
            raw,
            der.clone(),
            text(x),
            text(&STANDARD.encode(&der)),
            text(&pem),
            text(&pem_with_end),
            text(&pem.replace('\n', "\r\n")),
            text(&jwk_text),
            text(&self.jwks.to_string()),
            text(jwk["kid"].as_str().unwrap()),
            Vec::new(),
        ]
    }
}

/// All that is told but the request's id and the moment.
fn told(reply: &Reply) -> (Vec<String>, Vec<u8>) {
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date", "ratelimit"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let id = reply.header("x-request-id").unwrap();
    let body = String::from_utf8(reply.bytes.clone()).unwrap();
    assert_eq!(body.matches(id).count(), 1, "{body}");
    (headers, body.replace(id, "ID").into_bytes())
}

/// Asserts that each is refused, and that no two can be told from each other.
async fn all_are_refused_alike(world: &World, tokens: &[(String, String)]) {
    // Also where no token is needed, where one is written with, and where nothing is.
    let paths = ["/v1/directory/units", "/v1/bulletins", "/v1/sync", "/v1/imports/x", ""];
    let asked = tokens.iter().flat_map(|(what, token)| paths.map(|path| (what.clone(), token.clone(), path)));
    let ask = async |(what, token, path): (String, String, &'static str)| {
        let reply = match path {
            "" => world.import("directory", "&dry_run=true", &token, &[]).await,
            path => world.get(path, Who::Token(&token)).await,
        };
        assert_eq!(reply.status, 401, "{what} at {path}: {}", String::from_utf8_lossy(&reply.bytes));
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer realm=\"focalpoint\", error=\"invalid_token\""),
            "{what} at {path}"
        );
        (what, told(&reply))
    };
    let answers: Vec<_> = futures_util::stream::iter(asked).map(ask).buffer_unordered(32).collect().await;
    let (_, first) = &answers[0];
    for (what, other) in &answers {
        assert_eq!(first, other, "{what} is told from others");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_signed_by_nobody_or_by_what_everybody_knows() {
    let world = World::empty().await;
    let (forge, good) = Forge::new(&world).await;
    world.get("/v1/directory/units", Who::Token(&good)).await.expect(200);
    let claims = forge.claims.to_string();
    let mut tokens: Vec<(String, String)> = Vec::new();
    for alg in ["none", "nOnE", "NONE", "None", "none\u{0}", "", "EdDSA ", "eddsa", "Ed448", "ES256K", "HS257", "dir"] {
        let header = with(&forge.header, "alg", json!(alg)).to_string();
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = good.rsplit('.').next().unwrap();
        tokens.push((format!("alg {alg:?} without a signature"), format!("{message}.")));
        tokens.push((format!("alg {alg:?} without the last part"), message.clone()));
        tokens.push((format!("alg {alg:?} with another's signature"), format!("{message}.{signature}")));
    }
    for (n, secret) in forge.public_keys().iter().enumerate() {
        let key = EncodingKey::from_secret(secret);
        for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
        {
            let header = with(&forge.header, "alg", json!(name)).to_string();
            tokens.push((format!("{name} with form {n} of the key"), signed(&header, &claims, &key, algorithm)));
            // and one that says it is signed as ours are
            let header = forge.header.to_string();
            tokens.push((format!("{name} called EdDSA, {n}"), signed(&header, &claims, &key, algorithm)));
        }
    }
    let (head, tail) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(tail).unwrap();
    for (what, token) in [
        ("a part more", format!("{good}.x")),
        ("an empty part more", format!("{good}.")),
        ("no signature", format!("{head}.")),
        ("padding", format!("{good}==")),
        ("a blank within", format!("{head}. {tail}")),
        ("half a signature", format!("{head}.{}", URL_SAFE_NO_PAD.encode(&raw[..32]))),
        ("the order of the curve", format!("{head}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("the parts exchanged", good.split('.').rev().collect::<Vec<_>>().join(".")),
        ("only dots", "..".to_owned()),
        ("a JWE", format!("{head}.{tail}.x.y")),
    ] {
        tokens.push((what.to_owned(), token));
    }
    all_are_refused_alike(&world, &tokens).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_ours_or_there_is_none_and_nothing_is_fetched() {
    let world = World::empty().await;
    let (forge, good) = Forge::new(&world).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}/keys", listener.local_addr().unwrap());
    let calls = Arc::<AtomicUsize>::default();
    let counted = calls.clone();
    let listening = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut tokens: Vec<(String, String)> = Vec::new();
    let kid = forge.header["kid"].as_str().unwrap();
    for other in [
        "../../../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "..%2f..%2fdev%2fnull",
        "' or '1'='1",
        "x' union select 'key' --",
        "'; drop table signing_key; --",
        "",
        " ",
        "\u{0}",
        &format!("{kid}\u{0}"),
        &format!("{kid} "),
        &kid.to_uppercase(),
        &format!("*{kid}"),
        "0",
        "null",
        &"k".repeat(1_000),
        &"k".repeat(2_000),
        &elsewhere,
    ] {
        tokens.push((format!("kid {other:?}"), forge.with_header("kid", json!(other))));
    }
    for other in [json!(0), json!([kid]), json!({"kid": kid}), json!(true), Value::Null] {
        tokens.push((format!("kid {other}"), forge.with_header("kid", other)));
    }
    // A key of the thief's own, offered in every way that a header has for it.
    let thief = api::identity::generate_key(chrono::DateTime::UNIX_EPOCH).unwrap();
    let thiefs = api::identity::Keys::new(std::slice::from_ref(&thief)).unwrap();
    let (thiefs_kid, key) = thiefs.signing(chrono::Utc::now()).unwrap();
    let jwk = serde_json::from_str::<Value>(&thiefs.jwks).unwrap()["keys"][0].clone();
    let claims = forge.claims.to_string();
    for (field, value) in [
        ("jku", json!(elsewhere)),
        ("x5u", json!(elsewhere)),
        ("jwk", jwk.clone()),
        ("x5c", json!([STANDARD.encode([0x30; 300])])),
        ("x5t", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("url", json!(elsewhere)),
        ("iss", json!(elsewhere)),
    ] {
        for kid in [kid, thiefs_kid, &elsewhere] {
            let header = with(&with(&forge.header, field, value.clone()), "kid", json!(kid)).to_string();
            tokens.push((format!("{field} and {kid}"), signed(&header, &claims, key, Algorithm::EdDSA)));
        }
    }
    all_are_refused_alike(&world, &tokens).await;
    // Such a header on a token that our own key signed is not looked at: nothing is fetched by it either.
    for field in ["jku", "x5u"] {
        world.get("/v1/directory/units", Who::Token(&forge.with_header(field, json!(elsewhere)))).await.expect(200);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0, "somebody was asked for a key");
    listening.abort();
    // What is too long for a token is too long for a header as well.
    let long = forge.with_header("kid", json!("k".repeat(10_000)));
    let refused = world.get("/v1/directory/units", Who::Token(&long)).await;
    assert!([401, 431].contains(&refused.status.as_u16()), "{}", refused.status);
    world.get("/v1/directory/units", Who::Token(&good)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_says_must_be_said_as_ours_say_it() {
    let world = World::empty().await;
    let (forge, _) = Forge::new(&world).await;
    let person = people::person(&world.server, Role::Delegate, Some(MISSION)).await;
    let now = chrono::Utc::now().timestamp();
    let mut tokens: Vec<(String, String)> = Vec::new();
    for raw in [
        "\"9999999999\"",
        "9999999999.5",
        "1e309",
        "-1e309",
        "1e10",
        "-1",
        "0",
        "null",
        "true",
        "[9999999999]",
        "{}",
        "99999999999999999999999",
        "NaN",
    ] {
        tokens.push((format!("exp {raw}"), forge.with_raw_claim("exp", raw)));
        if raw != "0" && raw != "-1" {
            tokens.push((format!("nbf {raw}"), forge.with_raw_claim("nbf", raw)));
        }
        if !["-1", "0"].contains(&raw) {
            tokens.push((format!("iat {raw}"), forge.with_raw_claim("iat", raw)));
        }
    }
    for (field, value) in [
        ("exp", Value::Null),
        ("exp", json!(now - 61)),
        ("nbf", Value::Null),
        ("nbf", json!(now + 120)),
        ("iat", Value::Null),
        ("iss", Value::Null),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!("https://other.example")),
        ("iss", json!([ISSUER])),
        ("aud", Value::Null),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("aud", json!(["https://other.example", ISSUER])),
        ("aud", json!("https://other.example")),
        ("aud", json!("")),
        ("aud", json!([])),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("admin")),
        ("sub", json!(uuid::Uuid::nil())),
        ("client_id", Value::Null),
        ("client_id", json!("x")),
        ("client_id", json!(uuid::Uuid::nil())),
        ("sid", json!("x")),
        // A person's token that was made a service's: there is no such service.
        ("sid", Value::Null),
        ("rights_version", json!(0)),
        ("rights_version", json!(2)),
        ("rights_version", json!(-1)),
        ("rights_version", json!(9_999_999_999_i64)),
        ("rights_version", json!("1")),
        ("scope", Value::Null),
        ("scope", json!(["read"])),
        ("jti", Value::Null),
    ] {
        tokens.push((format!("{field} {value}"), forge.with_claim(field, value)));
    }
    for typ in ["JWT", "jwt", "", "at+jwt ", "application/at+jwt;x=1", "id_token", "refresh+jwt", "secevent+jwt"] {
        tokens.push((format!("typ {typ:?}"), forge.with_header("typ", json!(typ))));
    }
    tokens.push(("no typ".into(), forge.with_header("typ", Value::Null)));
    let claims = forge.claims.to_string();
    tokens.push(("claims that are no object".into(), forge.with_claims("[]")));
    tokens.push(("no claims".into(), forge.with_claims("")));
    tokens.push(("half of the claims".into(), forge.with_claims(&claims[..claims.len() / 2])));
    let twice = format!("{},\"exp\":9999999999}}", claims.trim_end_matches('}'));
    tokens.push(("exp twice".into(), forge.with_claims(&twice)));
    // Other secrets of ours in the place of one.
    for (what, token) in [
        ("a refresh token", format!("fpr_{}", encode(&"r".repeat(60)))),
        ("a code", encode(&"c".repeat(32))),
        ("a client's secret", encode(&"s".repeat(32))),
    ] {
        tokens.push((what.to_owned(), token));
    }
    all_are_refused_alike(&world, &tokens).await;
    // A scope that nobody knows opens nothing, and all that one may not do stays closed.
    let wide = people::issue(&world.server, person, Scopes::all());
    let claims = with(&part(&wide, 1), "scope", json!("read root * directory:import accounts:manage"));
    let token = forge.with_claims(&claims.to_string());
    world.get("/v1/directory/units", Who::Token(&token)).await.expect(200);
    assert_eq!(world.import("directory", "&dry_run=true", &token, &[]).await.problem(403), "forbidden");
    let Named::Person { .. } = person else { panic!() };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_taken_from_the_header_alone() {
    let world = World::empty().await;
    let good = world.token(Role::Admin).await;
    // RFC 6750 §2.2 and §2.3, which OAuth 2.1 has given up: addresses and forms end up in logs.
    for path in [format!("/v1/directory/units?access_token={good}"), format!("/v1/accounts?access_token={good}")] {
        let reply = world.get(&path, Who::Stranger).await;
        assert_eq!(reply.problem(401), "invalid_token");
        assert!(!String::from_utf8_lossy(&reply.bytes).contains(&good));
    }
    let units = |name: &'static str, value: String| {
        let request = world.request(reqwest::Method::GET, "/v1/directory/units", Who::Stranger);
        world.send(request.header(name, value))
    };
    for (name, value) in [
        ("cookie", format!("access_token={good}; Authorization=Bearer {good}")),
        ("x-authorization", format!("Bearer {good}")),
        ("x-access-token", good.clone()),
        ("x-forwarded-authorization", format!("Bearer {good}")),
        ("x-user-id", "admin".to_owned()),
        ("x-client-id", uuid::Uuid::now_v7().to_string()),
        ("authorization", good.clone()),
        ("authorization", format!("Basic {good}")),
        ("authorization", format!("Token {good}")),
        ("authorization", format!("Bearer {good}, Bearer {good}")),
        ("authorization", format!("Bearer {good} {good}")),
        ("authorization", format!("Bearer \"{good}\"")),
        ("authorization", format!("Bearer={good}")),
        ("authorization", "Bearer".to_owned()),
    ] {
        assert_eq!(
            units(name, value.clone()).await.problem(401),
            "invalid_token",
            "{name}: {}",
            &value[..12.min(value.len())]
        );
    }
    units("authorization", format!("bearer {good}")).await.expect(200);
    let twice = world.request(reqwest::Method::GET, "/v1/directory/units", Who::Token(&good));
    let twice = world.send(twice.header("authorization", "Bearer x")).await;
    assert_eq!(twice.problem(401), "invalid_token", "two that disagree");
}
