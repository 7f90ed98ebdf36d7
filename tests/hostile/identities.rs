//! Whose answer it is: tags of other roles, and addresses and names that a client makes up.

use domain::Role;
use reqwest::Method;
use serde_json::json;

use crate::bulletins::bulletin;
use crate::harness::raw::send;
use crate::harness::rows::{With, organization, unit};
use crate::harness::{Who, World};

#[tokio::test(flavor = "multi_thread")]
async fn no_tag_of_one_audience_is_good_for_another() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), unit("u", "o"), unit("v", "o")]).await;
    world.have("bulletins", &[bulletin("a"), bulletin("b").with("audience", json!("secretariat"))]).await;
    let tokens = [
        world.token(Role::Delegate).await,
        world.token_for(Role::Integrator, Some(uuid::Uuid::now_v7())).await,
        world.token(Role::Editor).await,
    ];
    let everybody: Vec<Who<'_>> = [Who::Stranger].into_iter().chain(tokens.iter().map(|t| Who::Token(t))).collect();
    let id = world.get("/v1/bulletins", Who::Stranger).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let paths = ["/v1/bulletins", &format!("/v1/bulletins/{id}"), "/v1/directory/units?limit=1", "/v1/directory/tree"];
    for path in paths {
        for lang in ["en", "fr"] {
            for coding in ["identity", "gzip", "br", "zstd"] {
                for (i, holder) in everybody.iter().enumerate() {
                    let ask = |who: Who<'_>| {
                        let path = format!("{path}{}lang={lang}", if path.contains('?') { '&' } else { '?' });
                        world.request(Method::GET, &path, who).header("accept-encoding", coding)
                    };
                    let Some(tag) = world.send(ask(*holder)).await.header("etag").map(str::to_owned) else { continue };
                    for (j, other) in everybody.iter().enumerate() {
                        let status = world.send(ask(*other).header("if-none-match", &tag)).await.status.as_u16();
                        assert_eq!(status == 304, i == j, "{path} {lang} {coding}: the tag of {i} sent by {j}");
                    }
                }
            }
        }
    }
    for path in ["/v1/bulletins/x.css", &format!("/v1/bulletins/{id}.css"), &format!("/v1/bulletins/{id}/x.css")] {
        assert_eq!(
            world.get(path, Who::Stranger).await.problem(404),
            "not_found",
            "a cache takes it for a style sheet"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_come_from_the_configuration_and_not_from_the_request() {
    let world = World::empty().await;
    world.have("bulletins", &[bulletin("a"), bulletin("b")]).await;
    let (id, secret) = (uuid::Uuid::now_v7(), api::identity::secrets::generate().unwrap());
    let hash = api::identity::secrets::hash(&secret).unwrap();
    let psql = world.database.psql().await;
    let insert = "insert into oauth_client (id, name, role, secret_hash) values ($1, 'c', 'importer', $2)";
    psql.execute(insert, &[&id, &hash]).await.unwrap();
    let basic = {
        use base64::Engine;
        use secrecy::ExposeSecret;
        base64::engine::general_purpose::STANDARD.encode(format!("{id}:{}", secret.expose_secret()))
    };
    let grant = "grant_type=client_credentials";
    let lies = "Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: gopher\r\n\
        Forwarded: host=evil.example;proto=gopher\r\nX-Original-URL: /evil.example\r\nX-Rewrite-URL: /evil.example\r\n\
        X-Forwarded-Prefix: /evil.example\r\nOrigin: null\r\nReferer: https://evil.example/\r\nConnection: close\r\n";
    for target in [
        "/v1/bulletins?limit=1&utm_source=x",
        "/v1/bulletins/x",
        "/v1/nowhere",
        "/docs",
        "/openapi.yaml",
        "/.well-known/jwks.json",
        "/v1/directory/units",
    ] {
        let reply = send(world.server.address, format!("GET {target} HTTP/1.1\r\n{lies}\r\n")).await;
        assert!((200..500).contains(&reply.status()), "{reply:?}");
        assert!(!reply.text.contains("evil") && !reply.text.contains("gopher"), "{target}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{target}");
        if let Some(link) = reply.header("link") {
            assert!(link.starts_with("</v1/bulletins?"), "{link}");
        }
    }
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\n{lies}Authorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{grant}",
        grant.len()
    );
    let reply = send(world.server.address, request).await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    let token: serde_json::Value = serde_json::from_str(reply.body()).unwrap();
    let claims = {
        use base64::Engine;
        let claims = token["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        serde_json::from_slice::<serde_json::Value>(&raw).unwrap()
    };
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://focalpoint.example"), &claims["iss"]));
}
