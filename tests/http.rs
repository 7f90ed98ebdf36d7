//! HTTP manners.

use std::io::Read;
use std::time::Duration;

use domain::Role;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::rows::{With, organization, unit};
use crate::harness::{Who, World};

async fn world_with_units(n: usize) -> (World, String) {
    let world = World::empty().await;
    let names = |i: usize| json!({"en": format!("Unit {i:03}"), "fr": format!("Unité {i:03}")});
    let units = (0..n).map(|i| unit(&format!("u{i}"), "o").with("name", names(i)));
    let rows: Vec<_> = [organization("o")].into_iter().chain(units).collect();
    world.have("directory", &rows).await;
    let token = world.token(Role::Delegate).await;
    (world, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem_document() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let who = Who::Token(&admin);
    let send = async |method: Method, path: &str, media_type: &str, body: String| {
        world.send(world.request(method, path, who).header("content-type", media_type).body(body)).await
    };
    let ndjson = "application/x-ndjson";
    assert_eq!(world.get("/nowhere", who).await.problem(404), "not_found");
    assert_eq!(world.get("/v1/directory/units/", who).await.problem(404), "not_found");
    assert_eq!(world.get("/v1/directory/units/not-an-id", who).await.problem(404), "not_found");
    assert_eq!(world.get("/v1/directory/units/%2e%2e", who).await.problem(404), "not_found");
    assert_eq!(world.get("/V1/directory/units", who).await.problem(404), "not_found");
    let refused = send(Method::DELETE, "/v1/directory/units", ndjson, String::new()).await;
    assert_eq!(refused.problem(405), "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
    let import = "/v1/imports/directory?source=test";
    assert_eq!(send(Method::POST, import, "text/plain", "a,b".into()).await.problem(415), "unsupported_media_type");
    assert_eq!(send(Method::POST, import, ndjson, "{".into()).await.problem(422), "validation_failed");
    assert_eq!(
        send(Method::POST, "/oauth/token", "application/json", "{}".into()).await.problem(415),
        "unsupported_media_type"
    );
    let coded = world.request(Method::POST, "/oauth/token", Who::Stranger).header("content-encoding", "br");
    let coded = coded.header("content-type", "application/x-www-form-urlencoded").body("x");
    assert_eq!(world.send(coded).await.problem(415), "unsupported_media_type");
    assert_eq!(
        send(Method::POST, "/oauth/token", "application/x-www-form-urlencoded", "x".repeat(20_000)).await.problem(413),
        "too_large"
    );
    let not_acceptable =
        world.request(Method::GET, "/v1/directory/units", who).header("accept-encoding", "identity;q=0, *;q=0");
    assert_eq!(world.send(not_acceptable).await.problem(406), "not_acceptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_parameter_is_named() {
    let (world, token) = world_with_units(1).await;
    let who = Who::Token(&token);
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=x", "limit"),
        ("lang=xx", "lang"),
        ("parent=x", "parent"),
        ("duty_station=ny", "duty_station"),
        ("limit=1&limit=2", "limit"),
        ("min_rev=x", "min_rev"),
    ] {
        let reply = world.get(&format!("/v1/directory/units?{query}"), who).await;
        assert_eq!(reply.problem(422), "validation_failed", "{query}");
        assert_eq!(reply.json()["errors"][0]["parameter"], parameter, "{query}");
    }
    assert_eq!(world.get("/v1/directory/units?cursor=x", who).await.problem(400), "invalid_cursor");
    assert_eq!(world.get("/v1/directory/search", who).await.problem(422), "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_saves_the_body_and_belongs_to_language_and_audience() {
    let (world, token) = world_with_units(1).await;
    let other = world.token_for(Role::Delegate, Some(uuid::Uuid::now_v7())).await;
    let editor = world.token(Role::Editor).await;
    let path = "/v1/directory/units";
    let tag_of = async |token: &str, lang: &str| {
        let reply = world.get(&format!("{path}?lang={lang}"), Who::Token(token)).await.expect(200);
        reply.header("etag").unwrap().to_owned()
    };
    let conditional = async |token: &str, lang: &str, tag: &str| {
        let request = world.request(Method::GET, &format!("{path}?lang={lang}"), Who::Token(token));
        world.send(request.header("if-none-match", tag)).await
    };
    let tag = tag_of(&token, "en").await;
    let unchanged = conditional(&token, "en", &tag).await.expect(304);
    assert_eq!(unchanged.bytes.len(), 0);
    assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
    assert_eq!(unchanged.header("vary"), Some("Accept-Encoding, Accept-Language, Authorization"));
    assert_eq!(unchanged.header("cache-control"), Some("private, no-cache"));
    let list = format!("\"other\", W/{tag}");
    conditional(&token, "en", &list).await.expect(304);
    for (token, lang) in [(&token, "fr"), (&other, "en"), (&editor, "en")] {
        assert_ne!(tag_of(token, lang).await, tag);
        conditional(token, lang, &tag).await.expect(200);
    }
    let of_query = world.get(&format!("{path}?lang=en&limit=7"), Who::Token(&token)).await.expect(200);
    assert_ne!(of_query.header("etag"), Some(tag.as_str()), "another page has another tag");
    let psql = world.database.psql().await;
    psql.execute("update unit set name = '{\"en\": \"New\"}'", &[]).await.unwrap();
    world.eventually(path, Who::Token(&token), |reply| reply.json()["items"][0]["name"] == "New").await;
    conditional(&token, "en", &tag).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_the_same_in_another_process() {
    let (world, token) = world_with_units(3).await;
    let list = world.get("/v1/directory/units", Who::Token(&token)).await.expect(200);
    let item = format!("/v1/directory/units/{}", list.json()["items"][0]["id"].as_str().unwrap());
    let one = world.get(&item, Who::Token(&token)).await.expect(200);
    let other = api::start(crate::harness::config(&world.database.url)).await.unwrap();
    for (path, reply) in [("/v1/directory/units", &list), (item.as_str(), &one)] {
        let request = world.http.get(format!("{}{path}", other.url())).bearer_auth(&token);
        let again = world.send(request).await.expect(200);
        assert_eq!(again.header("etag"), reply.header("etag"));
    }
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_answers_have_tags_of_their_own_that_still_match() {
    let (world, token) = world_with_units(20).await;
    let get = async |coding: &str, tag: Option<&str>| {
        let mut request =
            world.request(Method::GET, "/v1/directory/units", Who::Token(&token)).header("accept-encoding", coding);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        world.send(request).await
    };
    let plain = get("identity", None).await.expect(200);
    let gzip = get("gzip", None).await.expect(200);
    let br = get("br", None).await.expect(200);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(gzip.bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.bytes);
    assert!(br.bytes.len() < plain.bytes.len() / 3);
    assert_eq!(br.headers.get_all("vary").iter().count(), 1);
    assert_eq!(br.header("vary"), plain.header("vary"));
    let tags = [&plain, &gzip, &br].map(|reply| reply.header("etag").unwrap().to_owned());
    assert_eq!([tags[1].ends_with("+gzip\""), tags[2].ends_with("+br\"")], [true, true], "{tags:?}");
    for tag in &tags {
        let reply = get("br", Some(tag)).await.expect(304);
        assert_eq!((reply.header("etag"), reply.header("content-encoding")), (Some(tag.as_str()), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_is_looked_up_and_a_fallback_named() {
    let (world, token) = world_with_units(1).await;
    let ask = async |accept: &str| {
        let request =
            world.request(Method::GET, "/v1/directory/units", Who::Token(&token)).header("accept-language", accept);
        let reply = world.send(request).await.expect(200);
        let item = reply.json()["items"][0].clone();
        (
            reply.header("content-language").unwrap().to_owned(),
            item["name"].as_str().unwrap().to_owned(),
            item["fallbacks"].clone(),
        )
    };
    let many = vec!["xx;q=0.9"; 10_000].join(",");
    for (accept, language, name, fallbacks) in [
        ("fr-CA, en;q=0.5", "fr", "Unité 000", json!({})),
        ("pt, zh-Hant;q=0.9, en;q=0.1", "zh", "Unit 000", json!({"name": "en"})),
        ("ru;q=0.2, en;q=0.8", "en", "Unit 000", json!({})),
        ("*", "en", "Unit 000", json!({})),
        ("fr;q=0, es;q=0.1", "es", "Unit 000", json!({"name": "en"})),
        ("q=NaN;;;,", "en", "Unit 000", json!({})),
        (&many[..7000], "en", "Unit 000", json!({})),
    ] {
        assert_eq!(ask(accept).await, (language.into(), name.into(), fallbacks), "{accept:.40}");
    }
    let asked = world.get("/v1/directory/units?lang=ar", Who::Token(&token)).await.expect(200);
    assert_eq!(asked.header("content-language"), Some("ar"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_by_their_links() {
    let (world, token) = world_with_units(25).await;
    let mut path = "/v1/directory/units?limit=10&lang=fr".to_owned();
    let mut names = Vec::new();
    for _ in 0..3 {
        let reply = world.get(&path, Who::Token(&token)).await.expect(200);
        let items = reply.json()["items"].as_array().unwrap().clone();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(link) = reply.header("link") else { break };
        path = link.strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    }
    assert_eq!(names, (0..25).map(|i| format!("Unité {i:03}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let (world, token) = world_with_units(2).await;
    let path = "/v1/directory/units";
    let got = world.get(path, Who::Token(&token)).await.expect(200);
    let head = world.send(world.request(Method::HEAD, path, Who::Token(&token))).await.expect(200);
    assert_eq!(head.bytes.len(), 0);
    for name in ["etag", "content-type", "content-length", "content-language"] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
    assert_eq!(world.send(world.request(Method::HEAD, path, Who::Stranger)).await.status, 401);
    let options = world.send(world.request(Method::OPTIONS, path, Who::Stranger)).await.expect(204);
    assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits_for_the_revision_it_asks_for() {
    let (world, token) = world_with_units(1).await;
    let late = world.get("/v1/directory/units?min_rev=directory%3D999", Who::Token(&token)).await;
    assert_eq!(late.problem(503), "revision_not_reached");
    assert!(late.header("retry-after").is_some());
    let psql = world.database.psql().await;
    let waiting = world.get("/v1/directory/units?min_rev=directory%3D2", Who::Token(&token));
    let write = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        psql.execute("update unit set name = '{\"en\": \"New\"}'", &[]).await.unwrap();
    };
    let (reply, ()) = tokio::join!(waiting, write);
    assert_eq!(reply.expect(200).json()["items"][0]["name"], "New");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_framing_is_refused_and_the_server_lives() {
    let world = World::empty().await;
    for request in [
        "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let mut socket = tokio::net::TcpStream::connect(world.server.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(6), socket.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(read.is_ok(), "the connection is closed: {request:?}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{request:?} {answer}");
    }
    world.get("/healthz", Who::Stranger).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up() {
    let world = World::empty().await;
    let mut socket = tokio::net::TcpStream::connect(world.server.address).await.unwrap();
    let head = "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: 100\r\n\r\ngrant";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(8), socket.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_what_waits_and_says_so() {
    let (world, token) = world_with_units(1).await;
    let World { server, http, database: _database } = world;
    let url = server.url();
    let waiting = tokio::spawn(http.get(format!("{url}/v1/sync?min_rev=directory%3D99")).bearer_auth(&token).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = std::time::Instant::now();
    server.stop().await.unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "a long wait does not hold up the end: {:?}",
        started.elapsed()
    );
    assert_eq!(waiting.await.unwrap().unwrap().status(), 503);
}
