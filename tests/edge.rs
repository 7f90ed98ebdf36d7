//! The edge: codings, budgets of requests, pages of other origins, security.txt.

use api::edge::Edge;
use domain::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::harness::rows::{With, organization, unit};
use crate::harness::{Reply, Who, World};

const UNITS: &str = "/v1/directory/units";

async fn have_units(world: &World) {
    let units = (0..20).map(|i| unit(&format!("u{i}"), "o").with("name", json!({"en": format!("Unit {i}")})));
    world.have("directory", &[organization("o")].into_iter().chain(units).collect::<Vec<_>>()).await;
}

fn from(request: RequestBuilder, origin: &str) -> RequestBuilder {
    request.header("origin", origin)
}

/// The limit that an answer tells: the policy, and what is left.
#[track_caller]
fn left(reply: &Reply) -> (String, u32) {
    let limit = reply.header("ratelimit").expect("the answer tells its limit");
    let mut parts = limit.split(';');
    let policy = parts.next().unwrap().trim_matches('"').to_owned();
    assert!(reply.header("ratelimit-policy").unwrap().starts_with(&format!("\"{policy}\";q=")), "{limit}");
    (policy, parts.next().unwrap().strip_prefix("r=").unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coding_is_undone_by_a_client_nobody_here_wrote() {
    let world = World::empty().await;
    have_units(&world).await;
    let token = world.token(Role::Delegate).await;
    let plain = world.get(UNITS, Who::Token(&token)).await.expect(200).bytes;
    let builder = || reqwest::Client::builder().no_proxy();
    for (coding, client) in [
        ("zstd", builder().no_gzip().no_brotli()),
        ("br", builder().no_gzip().no_zstd()),
        ("gzip", builder().no_brotli().no_zstd()),
    ] {
        let client = client.build().unwrap();
        // Coded anew, coded and kept, and as it was kept.
        for time in 1..=3 {
            let reply = client.get(format!("{}{UNITS}", world.server.url())).bearer_auth(&token).send().await.unwrap();
            let header =
                |name: &str| reply.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
            let (tags, vary): (Vec<&str>, Vec<&str>) = (header("etag"), header("vary"));
            assert!(tags[0].ends_with(&format!("+{coding}\"")), "{tags:?} was sent with {coding}");
            assert_eq!(vary, ["Accept-Encoding, Accept-Language, Authorization"]);
            assert_eq!(reply.bytes().await.unwrap(), plain, "{coding}, time {time}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_the_choice_gets_zstd_and_what_is_small_stays_as_it_is() {
    let world = World::empty().await;
    have_units(&world).await;
    let token = world.token(Role::Delegate).await;
    let coding = async |accept: &str, path: &str| {
        let request = world.request(Method::GET, path, Who::Token(&token)).header("accept-encoding", accept);
        world.send(request).await.expect(200).header("content-encoding").map(str::to_owned)
    };
    for (accept, chosen) in [
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("gzip, br", Some("br")),
        ("gzip", Some("gzip")),
        ("br, zstd;q=0.5", Some("br")),
        ("identity", None),
        ("*", None),
        ("", None),
        ("unknown", None),
    ] {
        assert_eq!(coding(accept, UNITS).await.as_deref(), chosen, "{accept:?}");
    }
    assert_eq!(coding("gzip, br, zstd", "/v1/directory/missions").await, None, "an empty list");
    assert_eq!(coding("gzip, br, zstd", "/healthz").await, None);
    assert_eq!(coding("br, identity;q=0", "/healthz").await.as_deref(), Some("br"), "unless nothing else will do");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_used_up_all_else_still_gets_bulletins_and_sync() {
    let world = World::with_edge(Edge { rate_limit_default: 3, rate_limit_bulletins: 100, ..Edge::default() }).await;
    let token = world.token(Role::Delegate).await;
    let who = Who::Token(&token);
    for n in (0..3).rev() {
        assert_eq!(left(&world.get(UNITS, who).await.expect(200)), ("default".into(), n));
    }
    let refused = world.get(UNITS, who).await;
    assert_eq!(refused.problem(429), "too_many_requests");
    assert_eq!(left(&refused), ("default".into(), 0));
    assert_eq!(refused.header("retry-after"), Some("20"));
    assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=20"));
    for (n, path) in ["/v1/bulletins", "/v1/entrances?pass=delegate", "/v1/sync"].into_iter().enumerate() {
        assert_eq!(left(&world.get(path, who).await.expect(200)), ("bulletins".into(), 99 - n as u32), "{path}");
    }
    assert_eq!(world.get("/v1/directory/%75nits", who).await.problem(429), "too_many_requests");
    let other = world.token(Role::Delegate).await;
    assert_eq!(
        left(&world.get(UNITS, Who::Token(&other)).await.expect(200)),
        ("default".into(), 2),
        "of the same mission"
    );
    for _ in 0..20 {
        let health = world.get("/healthz", who).await.expect(200);
        assert_eq!(health.header("ratelimit"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_spends_the_budget_of_another() {
    let world = World::with_edge(Edge { rate_limit_default: 5, rate_limit_public: 5, ..Edge::default() }).await;
    let token = world.token(Role::Delegate).await;
    let (payload, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{payload}.{}", "A".repeat(86));
    for n in (0..5).rev() {
        let refused = world.get(UNITS, Who::Token(&forged)).await;
        assert_eq!(refused.problem(401), "invalid_token");
        assert_eq!(left(&refused), ("public".into(), n), "a forged token is a stranger's");
    }
    assert_eq!(world.get(UNITS, Who::Token(&forged)).await.problem(429), "too_many_requests");
    assert_eq!(world.get("/v1/inf-notes", Who::Stranger).await.problem(429), "too_many_requests");
    assert_eq!(left(&world.get("/v1/inf-notes", Who::Token(&token)).await.expect(200)), ("default".into(), 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let ask = async |world: &World, forwarded: &str| {
        let request = world.request(Method::GET, "/v1/inf-notes", Who::Stranger).header("x-forwarded-for", forwarded);
        left(&world.send(request).await).1
    };
    let edge = Edge { rate_limit_public: 10, ..Edge::default() };
    let world = World::with_edge(edge.clone()).await;
    assert_eq!([ask(&world, "192.0.2.1").await, ask(&world, "192.0.2.2").await], [9, 8], "one peer, one budget");

    let world = World::with_edge(Edge { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..edge }).await;
    assert_eq!([ask(&world, "192.0.2.1").await, ask(&world, "192.0.2.2").await], [9, 9]);
    assert_eq!(ask(&world, "192.0.2.9, 192.0.2.1").await, 8, "what the client wrote stands to the left");
    assert_eq!([ask(&world, "2001:db8::1").await, ask(&world, "2001:db8::2").await], [9, 8], "one network");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_imports_and_their_answers_have_budgets_too() {
    let world = World::with_edge(Edge { rate_limit_token: 2, rate_limit_bulk: 1, ..Edge::default() }).await;
    let sign_in = async || {
        let request = world.request(Method::POST, "/oauth/%74oken", Who::Stranger).basic_auth("x", Some("y"));
        let form = "application/x-www-form-urlencoded";
        world.send(request.header("content-type", form).body("grant_type=client_credentials")).await
    };
    for n in [1, 0] {
        assert_eq!(left(&sign_in().await.expect(401)), ("token".into(), n));
    }
    assert_eq!(sign_in().await.problem(429), "too_many_requests");
    let admin = world.token(Role::Admin).await;
    let first = world.import("directory", "", &admin, &[organization("o")]).await.expect(200);
    assert_eq!(left(&first), ("bulk".into(), 0));
    assert_eq!(world.import("directory", "", &admin, &[]).await.problem(429), "too_many_requests");
    world.get(UNITS, Who::Token(&admin)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limited_answer_tells_the_limit_whatever_its_status() {
    let world = World::with_edge(Edge { rate_limit_default: 100, ..Edge::default() }).await;
    have_units(&world).await;
    let token = world.token(Role::Delegate).await;
    let who = Who::Token(&token);
    let full = world.get(UNITS, who).await.expect(200);
    let head = world.send(world.request(Method::HEAD, UNITS, who)).await.expect(200);
    let held = world.request(Method::GET, UNITS, who).header("if-none-match", full.header("etag").unwrap());
    let unchanged = world.send(held).await.expect(304);
    let missing = world.get("/v1/nothing", who).await.expect(404);
    let wrong = world.send(world.request(Method::DELETE, UNITS, who)).await.expect(405);
    let later = world.get(&format!("{UNITS}?min_rev=directory%3D99"), who).await.expect(503);
    for (n, reply) in [&full, &head, &unchanged, &missing, &wrong, &later].into_iter().enumerate() {
        assert_eq!(left(reply), ("default".into(), 99 - n as u32), "{}", reply.status);
    }
    assert!(later.header("retry-after").is_some());
    assert_eq!(head.header("etag"), full.header("etag"));
}

const APP: &str = "https://app.example.org";

fn with_origins() -> Edge {
    Edge { cors_origins: vec![APP.into(), "http://localhost:5173".into()], rate_limit_default: 4, ..Edge::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_prepare_each_operation_from_a_named_origin() {
    let world = World::with_edge(with_origins()).await;
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let preflight = async |method: &str, path: &str, origin: &str| {
        let request =
            world.request(Method::OPTIONS, path, Who::Stranger).header("access-control-request-method", method);
        let wanted = "authorization, content-type, if-none-match, accept-language, traceparent";
        world.send(from(request, origin).header("access-control-request-headers", wanted)).await
    };
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let reply = preflight(&method.to_uppercase(), path, APP).await.expect(200);
            assert_eq!(reply.header("access-control-allow-origin"), Some(APP), "{method} {path}");
            assert!(reply.header("access-control-allow-methods").unwrap().contains(&method.to_uppercase()));
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            assert_eq!(reply.header("access-control-max-age"), Some("7200"));
            assert_eq!(reply.header("vary"), Some("Origin"));
            operations += 1;
        }
    }
    assert!(operations > 30, "{operations}");
    for (method, origin) in [("GET", "https://evil.example"), ("GET", "null"), ("TRACE", APP)] {
        let refused = preflight(method, UNITS, origin).await;
        assert_eq!(refused.problem(400), "malformed_request");
        assert_eq!(refused.header("access-control-allow-origin"), None, "{method} {origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_named_origin_reads_answers_and_errors_and_no_other_does() {
    let world = World::with_edge(with_origins()).await;
    let token = world.token(Role::Delegate).await;
    let get = async |path: &str, who: Who<'_>, origin: &str| {
        world.send(from(world.request(Method::GET, path, who), origin)).await
    };
    let full = get(UNITS, Who::Token(&token), APP).await.expect(200);
    assert_eq!(full.header("vary"), Some("Accept-Encoding, Accept-Language, Authorization, Origin"));
    let coded = world.request(Method::GET, UNITS, Who::Token(&token)).header("accept-encoding", "br, identity;q=0");
    let coded = world.send(from(coded, APP)).await.expect(200);
    assert_eq!(coded.headers.get_all("vary").iter().count(), 1);
    assert_eq!(coded.header("vary"), full.header("vary"));
    let held =
        world.request(Method::GET, UNITS, Who::Token(&token)).header("if-none-match", full.header("etag").unwrap());
    let unchanged = world.send(from(held, APP)).await.expect(304);
    let later = get(&format!("{UNITS}?min_rev=directory%3D99"), Who::Token(&token), APP).await.expect(503);
    let too_many = get(UNITS, Who::Token(&token), APP).await.expect(429);
    let unknown = get(UNITS, Who::Stranger, APP).await.expect(401);
    let missing = get("/nowhere", Who::Stranger, APP).await.expect(404);
    for reply in [&full, &coded, &unchanged, &later, &too_many, &unknown, &missing] {
        assert_eq!(reply.header("access-control-allow-origin"), Some(APP), "{}", reply.status);
        assert!(reply.header("vary").unwrap().ends_with("Origin"), "{}", reply.status);
        let exposed = reply.header("access-control-expose-headers").unwrap();
        for name in ["etag", "link", "sync-rev", "retry-after", "ratelimit", "x-request-id", "sunset"] {
            assert!(exposed.split(", ").any(|exposed| exposed == name), "{name} in {exposed}");
        }
    }
    for origin in ["https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "null"] {
        let reply = get("/v1/inf-notes", Who::Stranger, origin).await.expect(200);
        let told: Vec<_> = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
        assert!(told.is_empty(), "{origin}: {told:?}");
        assert!(reply.header("vary").unwrap().ends_with(", Origin"), "a cache must not mix them up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_named_origins_nothing_is_said_of_any() {
    let world = World::empty().await;
    let reply = world.send(from(world.request(Method::GET, "/v1/inf-notes", Who::Stranger), APP)).await.expect(200);
    assert_eq!(reply.header("vary"), Some("Accept-Encoding, Accept-Language, Authorization"));
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    assert_eq!(reply.header("ratelimit"), None, "nor of limits where there are none");
    let options = world.request(Method::OPTIONS, UNITS, Who::Stranger).header("access-control-request-method", "GET");
    assert_eq!(world.send(from(options, APP)).await.expect(204).header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_tell_of_a_weakness_is_told_where_it_is_known() {
    let world = World::empty().await;
    assert_eq!(world.get("/.well-known/security.txt", Who::Stranger).await.problem(404), "not_found");
    let contacts = vec!["mailto:security@focalpoint.example".to_owned()];
    let world = World::with_edge(Edge { security_contacts: contacts, ..Edge::default() }).await;
    let reply = world.get("/.well-known/security.txt", Who::Stranger).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    let text = String::from_utf8(reply.bytes).unwrap();
    assert!(text.contains("Canonical: https://focalpoint.example/.well-known/security.txt\n"), "{text}");
}
