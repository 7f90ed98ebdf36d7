//! The authorization server as programs see it. The pages on which people consent are tested in sign_in.rs.

use std::time::Duration;

use actix_web::http::Uri;
use api::identity::Who as Named;
use api::oauth::authorization::{AuthorizationRequest, Consent, grant};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::{AccountId, Act, AppId, Role, Roles, Scopes};
use persistence::clients::App;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{MISSION, Reply, Who, World, people};
use crate::identity::client;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:51004/signed-in";
const ISSUER: &str = "https://focalpoint.example";

/// An app and somebody who uses it.
struct Scene {
    world: World,
    app: AppId,
    account: AccountId,
    role: Role,
}

impl Scene {
    async fn new(role: Role) -> Self {
        let world = World::empty().await;
        let account = people::account(role, role.is_of_a_mission().then_some(MISSION));
        let (id, app) = (account.id, add_app(&world).await);
        let db = &world.server.state.db;
        db.write(async move |conn| persistence::accounts::insert(conn, &account).await).await.unwrap();
        Self { world, app, account: id, role }
    }

    /// A code, as if the person had consented on our pages.
    async fn code(&self) -> String {
        self.code_with(Scopes::all(), true).await
    }

    async fn code_with(&self, scopes: Scopes, has_second_factor: bool) -> String {
        let query = serde_urlencoded(&[
            ("client_id", &self.app.0.to_string()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", &scopes.parameter()),
            ("state", "s"),
        ]);
        let state = &self.world.server.state;
        let request = AuthorizationRequest::read(&query, &state.store.identities(), ISSUER).unwrap();
        let by = Consent { account: self.account, roles: Roles::of(self.role), has_second_factor, device: "A test" };
        let answer: Uri = grant(state, &request, by, Act::SYSTEM).await.unwrap().parse().unwrap();
        let parameter = |name: &str| {
            let query = answer.query().unwrap();
            query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap().to_owned()
        };
        assert_eq!((parameter("state").as_str(), parameter("iss").as_str()), ("s", "https%3A%2F%2Ffocalpoint.example"));
        parameter("code")
    }

    async fn exchange(&self, code: &str) -> Reply {
        self.exchange_as(self.app, code, REDIRECT, VERIFIER).await
    }

    async fn exchange_as(&self, app: AppId, code: &str, redirect: &str, verifier: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &app.0.to_string()),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        post(&self.world, "/oauth/token", &form).await
    }

    /// Signed in: what the token endpoint answers.
    async fn signed_in(&self) -> Value {
        self.exchange(&self.code().await).await.expect(200).json()
    }

    async fn refresh(&self, token: &str) -> Reply {
        let app = self.app.0.to_string();
        let form = [("grant_type", "refresh_token"), ("client_id", &*app), ("refresh_token", token)];
        post(&self.world, "/oauth/token", &form).await
    }

    async fn account_status(&self, token: &Value) -> u16 {
        self.world.get("/v1/directory/units", Who::Token(text(token, "access_token"))).await.status.as_u16()
    }

    /// Waits until a token is refused, which is to be within a second.
    async fn dies(&self, token: &Value) {
        let token = text(token, "access_token").to_owned();
        let refused = |reply: &Reply| reply.status == 401;
        let (_, took) = self.world.eventually("/v1/directory/units", Who::Token(&token), refused).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

async fn add_app(world: &World) -> AppId {
    let app = App { ..people::app() };
    let id = app.id;
    let db = &world.server.state.db;
    db.write(async move |conn| persistence::clients::insert_app(conn, &app).await).await.unwrap();
    let known = world.server.state.store.wait_until(|store| store.identities().app(id).is_some());
    tokio::time::timeout(Duration::from_secs(5), known).await.unwrap();
    id
}

fn serde_urlencoded(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
    pairs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

async fn post(world: &World, path: &str, form: &[(&str, &str)]) -> Reply {
    let request = world.request(Method::POST, path, Who::Stranger);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(serde_urlencoded(form))).await
}

async fn post_as(world: &World, (id, secret): &(Uuid, String), path: &str, form: &[(&str, &str)]) -> Reply {
    let request = world.request(Method::POST, path, Who::Stranger);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
    world.send(request.body(serde_urlencoded(form))).await
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn error(reply: &Reply) -> String {
    text(&reply.json(), "error").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_gives_a_session_whose_tokens_work() {
    let scene = Scene::new(Role::Delegate).await;
    let reply = scene.exchange(&scene.code().await).await.expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let given = reply.json();
    assert_eq!((text(&given, "token_type"), given["expires_in"].as_i64()), ("Bearer", Some(3600)));
    assert_eq!(text(&given, "scope"), "read account", "what the role carries of what was asked for");
    assert!(text(&given, "refresh_token").starts_with("fpr_"));
    assert_eq!(scene.account_status(&given).await, 200);
    let claims = text(&given, "access_token").split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["sub"], json!(scene.account.0), "the person");
    assert_eq!(claims["client_id"], json!(scene.app.0), "the app");
    assert!(claims["sid"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_twice_ends_what_it_gave() {
    let scene = Scene::new(Role::Delegate).await;
    let code = scene.code().await;
    let given = scene.exchange(&code).await.expect(200).json();
    assert_eq!(scene.account_status(&given).await, 200);
    assert_eq!(error(&scene.exchange(&code).await.expect(400)), "invalid_grant");
    scene.dies(&given).await;
    assert_eq!(error(&scene.refresh(text(&given, "refresh_token")).await.expect(400)), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_exchanges_of_a_code_at_once_one_succeeds_and_what_it_gave_ends() {
    let scene = Scene::new(Role::Delegate).await;
    let code = scene.code().await;
    let replies = futures_util::future::join_all((0..10).map(|_| scene.exchange(&code))).await;
    let given: Vec<Value> = replies.iter().filter(|reply| reply.status == 200).map(Reply::json).collect();
    assert_eq!(given.len(), 1);
    scene.dies(&given[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_its_app_its_address_and_its_verifier_alone() {
    let scene = Scene::new(Role::Delegate).await;
    let other = add_app(&scene.world).await;
    let refused = [
        (other, REDIRECT, VERIFIER),
        (scene.app, "http://127.0.0.1:51005/signed-in", VERIFIER),
        (scene.app, "http://127.0.0.1/signed-in", VERIFIER),
        (scene.app, REDIRECT, CHALLENGE),
        (scene.app, REDIRECT, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"),
        (scene.app, REDIRECT, "short"),
    ];
    for (app, redirect, verifier) in refused {
        let code = scene.code().await;
        let reply = scene.exchange_as(app, &code, redirect, verifier).await.expect(400);
        assert_eq!(error(&reply), "invalid_grant", "{redirect} {verifier}");
        assert_eq!(error(&scene.exchange(&code).await.expect(400)), "invalid_grant", "one attempt a code");
    }
    let code = scene.code().await;
    let psql = scene.world.database.psql().await;
    psql.execute("update authorization_code set expires_at = now()", &[]).await.unwrap();
    assert_eq!(error(&scene.exchange(&code).await.expect(400)), "invalid_grant", "late");
    for form in [
        vec![("grant_type", "authorization_code"), ("code", "x")],
        vec![("grant_type", "authorization_code"), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)],
    ] {
        let app = scene.app.0.to_string();
        let form = [form, vec![("client_id", &*app)]].concat();
        assert_eq!(error(&post(&scene.world, "/oauth/token", &form).await.expect(400)), "invalid_request");
    }
    assert_eq!(error(&scene.exchange("none").await.expect(400)), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_stored_as_a_hash_and_a_refresh_token_not_at_all() {
    let scene = Scene::new(Role::Delegate).await;
    let code = scene.code().await;
    let given = scene.exchange(&code).await.expect(200).json();
    let psql = scene.world.database.psql().await;
    for table in ["authorization_code", "session"] {
        let rows = psql.query(&format!("select t::text from {table} t"), &[]).await.unwrap();
        for row in rows {
            let row: String = row.get(0);
            assert!(!row.contains(&code) && !row.contains(text(&given, "refresh_token")), "{row}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_its_reply_may_be_asked_for_again() {
    let scene = Scene::new(Role::Delegate).await;
    let first = scene.signed_in().await;
    let one = text(&first, "refresh_token");
    let (a, b) = tokio::join!(scene.refresh(one), scene.refresh(one));
    let (a, b) = (a.expect(200).json(), b.expect(200).json());
    assert_eq!(a["refresh_token"], b["refresh_token"], "the same successor");
    assert_ne!(a["refresh_token"], first["refresh_token"]);
    let again = scene.refresh(one).await.expect(200).json();
    assert_eq!(again["refresh_token"], a["refresh_token"]);
    assert_eq!(scene.account_status(&again).await, 200);
    // Once the successor was used, the reply was not lost.
    let next = scene.refresh(text(&a, "refresh_token")).await.expect(200).json();
    assert_eq!(error(&scene.refresh(one).await.expect(400)), "invalid_grant");
    scene.dies(&next).await;
    assert_eq!(error(&scene.refresh(text(&next, "refresh_token")).await.expect(400)), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_thirty_seconds_a_second_use_is_a_theft() {
    let scene = Scene::new(Role::Delegate).await;
    let first = scene.signed_in().await;
    let next = scene.refresh(text(&first, "refresh_token")).await.expect(200).json();
    let psql = scene.world.database.psql().await;
    psql.execute("update session set rotated_at = now() - interval '31 seconds'", &[]).await.unwrap();
    assert_eq!(error(&scene.refresh(text(&first, "refresh_token")).await.expect(400)), "invalid_grant");
    scene.dies(&next).await;
    let why: String = psql.query_one("select ended_by from session", &[]).await.unwrap().get(0);
    assert_eq!(why, "token_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_foreign_refresh_token_ends_nothing() {
    let scene = Scene::new(Role::Delegate).await;
    let given = scene.signed_in().await;
    let good = text(&given, "refresh_token");
    let mut forged = good.to_owned().into_bytes();
    forged[60] ^= 1;
    let other = add_app(&scene.world).await.0.to_string();
    let form = [("grant_type", "refresh_token"), ("client_id", &*other), ("refresh_token", good)];
    assert_eq!(error(&post(&scene.world, "/oauth/token", &form).await.expect(400)), "invalid_grant");
    for bad in [&*String::from_utf8(forged).unwrap(), "fpr_x", "x", text(&given, "access_token")] {
        assert_eq!(error(&scene.refresh(bad).await.expect(400)), "invalid_grant", "{bad}");
    }
    scene.refresh(good).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_only_while_its_person_and_app_may() {
    for change in [
        "update account set suspended_at = now()",
        "update account set removed_at = now()",
        "update app set disabled_at = now()",
        "update session set expires_at = now()",
        "update session set last_used_at = now() - interval '31 days'",
        "update account set roles = '{approver}', mission_id = null",
    ] {
        let scene = Scene::new(Role::Delegate).await;
        let code = scene.code_with(Scopes::all(), false).await;
        let given = scene.exchange(&code).await.expect(200).json();
        scene.world.database.psql().await.execute(change, &[]).await.unwrap();
        let refused = scene.refresh(text(&given, "refresh_token")).await;
        // The app is looked up in memory first.
        assert!([400, 401].contains(&refused.status.as_u16()), "{change}: {refused:?}");
        assert!(["invalid_grant", "invalid_client"].contains(&error(&refused).as_str()), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_needs_another_token_and_gets_it_without_signing_in_again() {
    let scene = Scene::new(Role::Editor).await;
    let given = scene.signed_in().await;
    assert!(text(&given, "scope").contains("directory:import"));
    let psql = scene.world.database.psql().await;
    psql.execute("update account set roles = '{auditor}'", &[]).await.unwrap();
    scene.dies(&given).await;
    let next = scene.refresh(text(&given, "refresh_token")).await.expect(200).json();
    assert_eq!(text(&next, "scope"), "read account", "what was granted and the new role carries");
    assert_eq!(scene.account_status(&next).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_scopes_may_be_asked_for_and_never_more() {
    let scene = Scene::new(Role::Editor).await;
    let code = scene.code_with(Scopes::parse("read account"), false).await;
    let given = scene.exchange(&code).await.expect(200).json();
    assert_eq!(text(&given, "scope"), "read account");
    let app = scene.app.0.to_string();
    let ask = async |token: &str, scope: &str| {
        let form = [("grant_type", "refresh_token"), ("client_id", &*app), ("refresh_token", token), ("scope", scope)];
        post(&scene.world, "/oauth/token", &form).await
    };
    let token = text(&given, "refresh_token");
    for other in ["directory:import", "root", "read root"] {
        assert_eq!(error(&ask(token, other).await.expect(400)), "invalid_scope", "{other}");
    }
    let same = ask(token, "read account directory:import").await.expect(200).json();
    assert_eq!(text(&same, "scope"), "read account", "as a client does that repeats what it once asked for");
    let token = text(&same, "refresh_token");
    let narrow = ask(token, "read").await.expect(200).json();
    assert_eq!(text(&narrow, "scope"), "read");
    let whole = scene.refresh(text(&narrow, "refresh_token")).await.expect(200).json();
    assert_eq!(text(&whole, "scope"), "read account");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_on_the_spot() {
    let scene = Scene::new(Role::Delegate).await;
    let app = scene.app.0.to_string();
    for kind in ["refresh_token", "access_token"] {
        let given = scene.signed_in().await;
        let form = [("token", text(&given, kind)), ("client_id", &*app)];
        for _ in 0..2 {
            post(&scene.world, "/oauth/revoke", &form).await.expect(200);
        }
        scene.dies(&given).await;
        assert_eq!(error(&scene.refresh(text(&given, "refresh_token")).await.expect(400)), "invalid_grant", "{kind}");
    }
    for nothing in ["x", "fpr_x", "a.b.c"] {
        post(&scene.world, "/oauth/revoke", &[("token", nothing), ("client_id", &app)]).await.expect(200);
    }
    let given = scene.signed_in().await;
    let other = add_app(&scene.world).await.0.to_string();
    for kind in ["refresh_token", "access_token"] {
        let form = [("token", text(&given, kind)), ("client_id", &*other)];
        assert_eq!(error(&post(&scene.world, "/oauth/revoke", &form).await.expect(400)), "invalid_request");
    }
    assert_eq!(scene.account_status(&given).await, 200, "another app ends nothing");
    let missing = post(&scene.world, "/oauth/revoke", &[("client_id", &app)]).await.expect(400);
    assert_eq!(error(&missing), "invalid_request");
    let unknown = post(&scene.world, "/oauth/revoke", &[("token", "x"), ("client_id", "x")]).await.expect(401);
    assert_eq!(error(&unknown), "invalid_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missions_service_may_ask_about_its_own_people_alone() {
    let scene = Scene::new(Role::Delegate).await;
    let world = &scene.world;
    let given = scene.signed_in().await;
    let (ours, secretariats) = (client(world, Role::Integrator).await, client(world, Role::Importer).await);
    let ask = async |who: &(Uuid, String), token: &str| {
        post_as(world, who, "/oauth/introspect", &[("token", token)]).await.expect(200).json()
    };
    let token = text(&given, "access_token");
    let told = ask(&ours, token).await;
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(scene.account.0)));
    assert_eq!((&told["client_id"], &told["mission"]), (&json!(scene.app.0), &json!(MISSION)));
    assert_eq!((&told["scope"], &told["roles"]), (&json!("read account"), &json!(["delegate"])));
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 3600);
    let nothing = json!({"active": false});
    assert_eq!(ask(&secretariats, token).await, nothing);
    for bad in ["x", text(&given, "refresh_token")] {
        assert_eq!(ask(&ours, bad).await, nothing);
    }
    let other = people::token(&world.server, Role::Delegate, Some(Uuid::now_v7())).await;
    assert_eq!(ask(&ours, &other).await, nothing, "of another mission");
    post(world, "/oauth/revoke", &[("token", token), ("client_id", &scene.app.0.to_string())]).await.expect(200);
    scene.dies(&given).await;
    assert_eq!(ask(&ours, token).await, nothing);
    let app = scene.app.0.to_string();
    let by_app = post(world, "/oauth/introspect", &[("token", token), ("client_id", &app)]).await.expect(401);
    assert_eq!(error(&by_app), "invalid_client", "who has no secret may not ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_use_the_grants_that_are_for_them() {
    let scene = Scene::new(Role::Delegate).await;
    let app = scene.app.0.to_string();
    let service = client(&scene.world, Role::Integrator).await;
    let by_app = post(&scene.world, "/oauth/token", &[("grant_type", "client_credentials"), ("client_id", &app)]).await;
    assert_eq!(error(&by_app.expect(400)), "unauthorized_client");
    for grant in ["authorization_code", "refresh_token"] {
        let by_service = post_as(&scene.world, &service, "/oauth/token", &[("grant_type", grant)]).await;
        assert_eq!(error(&by_service.expect(400)), "unauthorized_client", "{grant}");
    }
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let reply = post(&scene.world, "/oauth/token", &[("grant_type", grant), ("client_id", &app)]).await;
        assert_eq!(error(&reply.expect(400)), "unsupported_grant_type");
    }
    let both = [("grant_type", "client_credentials"), ("client_id", &*app)];
    let reply = post_as(&scene.world, &service, "/oauth/token", &both).await.expect(400);
    assert_eq!(error(&reply), "invalid_request", "two clients in one request");
    let in_body =
        [("grant_type", "client_credentials"), ("client_id", &*service.0.to_string()), ("client_secret", &*service.1)];
    assert_eq!(error(&post(&scene.world, "/oauth/token", &in_body).await.expect(401)), "invalid_client");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_have_peoples_roles_and_services_have_services_roles() {
    let world = World::empty().await;
    for role in Role::ALL {
        let service = client(&world, role).await;
        let reply = post_as(&world, &service, "/oauth/token", &[("grant_type", "client_credentials")]).await;
        match role.is_of_a_service() {
            true => drop(reply.expect(200)),
            false => assert_eq!(error(&reply.expect(401)), "invalid_client", "{role:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_finds_everything_in_the_metadata() {
    let world = World::empty().await;
    let reply = world.get("/.well-known/oauth-authorization-server", Who::Stranger).await.expect(200);
    let told = reply.json();
    assert_eq!(told["issuer"], ISSUER);
    for (field, path) in [
        ("token_endpoint", "/oauth/token"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
        ("jwks_uri", "/.well-known/jwks.json"),
    ] {
        assert_eq!(told[field], format!("{ISSUER}{path}"));
        let status = world.get(path, Who::Stranger).await.status.as_u16();
        assert!([200, 405].contains(&status), "{path} is there: {status}");
    }
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(told["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_without_an_outage() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let works = async |token: &str| world.get("/v1/directory/units", Who::Token(token)).await.status.as_u16();
    assert_eq!(works(&token).await, 200);
    let kids = async || {
        let keys = world.get("/.well-known/jwks.json", Who::Stranger).await.expect(200).json();
        keys["keys"].as_array().unwrap().iter().map(|key| text(key, "kid").to_owned()).collect::<Vec<_>>()
    };
    let old = kids().await.remove(0);
    let now = chrono::Utc::now();
    let key = api::identity::generate_key(now + chrono::TimeDelta::seconds(2)).unwrap();
    let (new, db) = (key.kid.clone(), &world.server.state.db);
    let until = now + chrono::TimeDelta::seconds(5);
    db.write(async move |conn| persistence::identity::rotate(conn, &key, until).await).await.unwrap();
    let published = world.server.state.store.wait_until(|store| store.identities().keys.jwks.contains(&new));
    tokio::time::timeout(Duration::from_secs(1), published).await.unwrap();
    assert_eq!(kids().await.len(), 2, "both are published");
    let signed_by = |token: &str| {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        text(&serde_json::from_slice::<Value>(&header).unwrap(), "kid").to_owned()
    };
    let fresh = world.token(Role::Delegate).await;
    assert_eq!(signed_by(&fresh), old, "the new one does not sign yet");
    while chrono::Utc::now() < now + chrono::TimeDelta::milliseconds(2_050) {
        assert_eq!((works(&token).await, works(&fresh).await), (200, 200));
    }
    let next = world.token(Role::Delegate).await;
    assert_eq!((signed_by(&next), works(&next).await), (new, 200));
    assert_eq!(works(&token).await, 200, "what the old one signed is good for a while");
    let (_, _) = world.eventually("/v1/directory/units", Who::Token(&token), |reply| reply.status == 401).await;
    assert!(chrono::Utc::now() >= until);
    assert_eq!(works(&next).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_names_a_person_in_an_app_that_is_known() {
    let world = World::empty().await;
    let person = people::person(&world.server, Role::Delegate, Some(MISSION)).await;
    let Named::Person { account, session, .. } = person else { panic!() };
    let unknown = Named::Person { account, session, app: AppId(Uuid::now_v7()) };
    let token = people::issue(&world.server, unknown, Scopes::all());
    assert_eq!(world.get("/v1/directory/units", Who::Token(&token)).await.problem(401), "invalid_token");
    let wide = people::issue(&world.server, person, Scopes::all());
    let import = world.import("directory", "", &wide, &[]).await;
    assert_eq!(import.problem(403), "forbidden", "a scope that the role does not carry opens nothing");
}
