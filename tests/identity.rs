//! Tokens: how they are got, what they look like to others, when they stop working.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::{ClientId, MissionId, Role};
use persistence::clients::NewClient;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{MISSION, Reply, Who, World};

/// A client that can sign in: its id and secret.
pub(crate) async fn client(world: &World, role: Role) -> (Uuid, String) {
    use secrecy::ExposeSecret;
    let secret = api::identity::secrets::generate().unwrap();
    let secret_hash = api::identity::secrets::hash(&secret).unwrap();
    let client = NewClient {
        id: ClientId(Uuid::now_v7()),
        name: "test".into(),
        role,
        mission: role.is_of_a_mission().then_some(MissionId(MISSION)),
        scopes: None,
        secret_hash,
    };
    let id = client.id.0;
    let db = &world.server.state.db;
    db.write(async move |conn| persistence::clients::insert(conn, &client).await).await.unwrap();
    (id, secret.expose_secret().to_owned())
}

async fn ask(world: &World, credentials: &str, form: &str) -> Reply {
    let request = world
        .request(Method::POST, "/oauth/token", Who::Stranger)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
    world.send(request.body(form.to_owned())).await
}

const GRANT: &str = "grant_type=client_credentials";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_a_token_that_opens_what_its_role_may() {
    let world = World::empty().await;
    let (id, secret) = client(&world, Role::Importer).await;
    let reply = ask(&world, &format!("{id}:{secret}"), GRANT).await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_i64()), (Some("Bearer"), Some(3600)));
    assert!(body["scope"].as_str().unwrap().contains("inf_notes:import"));
    let token = body["access_token"].as_str().unwrap();
    world.get("/v1/directory/units", Who::Token(token)).await.expect(200);
    let narrow = ask(&world, &format!("{id}:{secret}"), &format!("{GRANT}&scope=read")).await.expect(200).json();
    assert_eq!(narrow["scope"], "read");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_one_of_rfc_9068_and_its_key_is_published() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let part = |n: usize| -> Value {
        let part = token.split('.').nth(n).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("at+jwt"), Some("EdDSA")));
    for claim in ["iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "scope"] {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 3600);
    let keys = world.get("/.well-known/jwks.json", Who::Stranger).await.expect(200);
    assert_eq!(keys.header("content-type"), Some("application/jwk-set+json"));
    let keys = keys.json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str(), key["use"].as_str()),
        (Some("OKP"), Some("Ed25519"), Some("sig"))
    );
    assert!(key["d"].is_null(), "the private key is not published");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_sign_in_is_not_told() {
    let world = World::empty().await;
    let (id, secret) = client(&world, Role::Integrator).await;
    let disabled = client(&world, Role::Importer).await;
    world
        .database
        .psql()
        .await
        .execute("update oauth_client set disabled_at = now() where id = $1", &[&disabled.0])
        .await
        .unwrap();
    let answers = [
        format!("{id}:wrong"),
        format!("{}:{secret}", Uuid::now_v7()),
        format!("not-an-id:{secret}"),
        format!("{}:{}", disabled.0, disabled.1),
        format!("{id}:{}", "x".repeat(1_000)),
        format!("{id}:"),
    ];
    let mut bodies = std::collections::BTreeSet::new();
    for credentials in answers {
        let reply = ask(&world, &credentials, GRANT).await.expect(401);
        assert!(reply.header("www-authenticate").unwrap().starts_with("Basic"));
        assert_eq!(reply.json()["error"], "invalid_client");
        bodies.insert(reply.bytes);
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        ask(&world, &format!("{id}:{secret}"), "grant_type=password").await.expect(400).json()["error"],
        "unsupported_grant_type"
    );
    for form in ["", "scope=read", "grant_type=a&grant_type=b"] {
        let reply = ask(&world, &format!("{id}:{secret}"), form).await.expect(400);
        assert_eq!(reply.json()["error"], "invalid_request", "{form}");
    }
    let encoded = secret.replace('-', "%2D").replace('_', "%5F");
    ask(&world, &format!("{id}:{encoded}"), GRANT).await.expect(200);
    let scope = format!("{GRANT}&scope=directory:import");
    assert_eq!(ask(&world, &format!("{id}:{secret}"), &scope).await.expect(400).json()["error"], "invalid_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_refused_even_where_none_is_needed() {
    let world = World::empty().await;
    let good = world.token(Role::Delegate).await;
    let tampered = format!("{}x", &good[..good.len() - 1]);
    for token in ["", "x", "a.b.c", &tampered, &"x".repeat(7000)] {
        for path in ["/v1/directory/units", "/v1/sync"] {
            let reply = world.get(path, Who::Token(token)).await;
            assert_eq!(reply.problem(401), "invalid_token");
            assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
        }
    }
    let basic = world.request(Method::GET, "/v1/directory/units", Who::Stranger).header("authorization", "Basic YTpi");
    assert_eq!(world.send(basic).await.problem(401), "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_person_and_a_changed_role_take_effect_within_a_second() {
    let world = World::empty().await;
    let units = "/v1/directory/units";
    let psql = world.database.psql().await;
    for change in [
        "update account set roles = '{editor}'",
        "update account set suspended_at = now()",
        "update account set removed_at = now()",
        "update session set ended_at = now(), ended_by = 'revoked'",
        "update app set disabled_at = now()",
    ] {
        let token = world.token(Role::Admin).await;
        world.get(units, Who::Token(&token)).await.expect(200);
        psql.execute(change, &[]).await.unwrap();
        let (_, took) = world.eventually(units, Who::Token(&token), |reply| reply.status == 401).await;
        assert!(took.as_millis() < 1000, "{change}: {took:?}");
    }
    for change in ["update oauth_client set secret_hash = 'another'", "update oauth_client set disabled_at = now()"] {
        let token = world.token(Role::Integrator).await;
        world.get(units, Who::Token(&token)).await.expect(200);
        psql.execute(change, &[]).await.unwrap();
        let (_, took) = world.eventually(units, Who::Token(&token), |reply| reply.status == 401).await;
        assert!(took.as_millis() < 1000, "{change}: {took:?}");
    }
}
