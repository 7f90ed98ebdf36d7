//! What apps, and whoever passes for one, ask of the page on which people consent; and where a request comes from.

use std::collections::BTreeSet;

use api::edge::Edge;
use domain::identity::RedirectUri;
use domain::{AppId, Role};
use persistence::clients::App;

use crate::harness::{World, people};
use crate::sign_in::{Browser, app, authorize, somebody};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn app_at(world: &World, addresses: &[&str]) -> AppId {
    let redirect_uris = addresses.iter().map(|address| RedirectUri::parse(address).unwrap()).collect();
    let app = App { redirect_uris, ..people::app() };
    let id = app.id;
    world.server.state.db.write(async move |conn| persistence::clients::insert_app(conn, &app).await).await.unwrap();
    world.server.state.store.wait_until(|store| store.identities().app(id).is_some()).await;
    id
}

async fn codes(world: &World) -> i64 {
    let psql = world.database.psql().await;
    psql.query_one("select count(*) from authorization_code", &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_an_address_that_is_not_exactly_the_apps() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let app = app_at(&world, &["https://app.example.org/cb", "http://127.0.0.1/cb", "org.example.app:/cb"]).await;
    let request = |redirect: &str| {
        format!(
            "/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&code_challenge={CHALLENGE}\
             &code_challenge_method=S256&scope=read&state=s",
            app.0,
            encode(redirect)
        )
    };
    let (stranger, browser) = (Browser::new(&world), Browser::signed_in(&world, &account).await);
    for good in
        ["https://app.example.org/cb", "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "org.example.app:/cb"]
    {
        stranger.get(&request(good)).await.leads_to("/account/sign-in");
        browser.get(&request(good)).await.expect(200);
    }
    for bad in [
        "",
        " ",
        "https://app.example.org/cb/",
        "https://app.example.org/cb/..",
        "https://app.example.org/cb/../cb",
        "https://app.example.org/./cb",
        "https://app.example.org/%63b",
        "https://app.example.org/cb%00",
        "https://app.example.org/cb?",
        "https://app.example.org/cb?x=1",
        "https://app.example.org/cb#",
        "https://app.example.org/cb#x",
        "https://app.example.org/cb;x",
        "https://app.example.org/cb\\",
        "https://app.example.org/cb\r\nLocation: https://evil.example",
        "https://app.example.org/CB",
        "https://APP.example.org/cb",
        "HTTPS://app.example.org/cb",
        "https://app.example.org:443/cb",
        "https://app.example.org:8443/cb",
        "https://app.example.org./cb",
        "https://u@app.example.org/cb",
        "https://u:p@app.example.org/cb",
        "https://app.example.org@evil.example/cb",
        "https://app.example.org%40evil.example/cb",
        "https://app.example.org\\@evil.example/cb",
        "https://app.example.org.evil.example/cb",
        "https://evil.example/cb",
        "https://evil.example/?https://app.example.org/cb",
        "https://evil.app.example.org/cb",
        "http://app.example.org/cb",
        "//app.example.org/cb",
        "/cb",
        "app.example.org/cb",
        "javascript:alert(1)//https://app.example.org/cb",
        "data:text/html,x",
        "http://localhost/cb",
        "http://localhost:51004/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f000001/cb",
        "http://[::1]/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x",
        "http://127.0.0.1:51004/cb#x",
        "org.example.app:/other",
        "org.example.app://cb",
        "org.example.app://evil/cb",
        "org.example.app:cb",
        "ORG.example.app:/cb",
        "org.example.app2:/cb",
        "https://app.example.org/cb https://evil.example/cb",
    ] {
        for who in [&stranger, &browser] {
            let page = who.get(&request(bad)).await.expect(400);
            assert!(page.header("location").is_none() && page.header("refresh").is_none(), "{bad}");
            assert!(!page.html.contains("evil.example"), "{bad}: {}", page.html);
            let mut fields = who.get("/account/forgotten").await.hidden();
            fields.insert("action".into(), "allow".into());
            let posted = who.post(&request(bad), &fields).await;
            assert!(posted.header("location").is_none() && posted.status.is_client_error(), "{bad}: {posted:?}");
        }
    }
    // Twice, or none at all, is not the app's either.
    let good = request("https://app.example.org/cb");
    for bad in [
        format!("{good}&redirect_uri={}", encode("https://evil.example/cb")),
        format!("{good}&redirect_uri={}", encode("https://app.example.org/cb")),
        good.replace("redirect_uri=", "redirect%5Furi%5B%5D="),
        good.replace("redirect_uri=", "x="),
        good.replace("client_id=", "x="),
    ] {
        assert!(browser.get(&bad).await.expect(400).header("location").is_none(), "{bad}");
    }
    assert_eq!(codes(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_good_challenge_gets_no_code_however_it_is_asked() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let browser = Browser::signed_in(&world, &account).await;
    let good = authorize(app, "");
    let page = browser.get(&good).await.expect(200);
    let without = |name: &str| {
        let (path, query) = good.split_once('?').unwrap();
        let left: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        format!("{path}?{}", left.join("&"))
    };
    let (plain, none) = (good.replace("S256", "plain"), without("code_challenge"));
    let mut told = BTreeSet::new();
    for (bad, error) in [
        (plain.clone(), "invalid_request"),
        (good.replace("S256", "s256"), "invalid_request"),
        (good.replace("S256", "S512"), "invalid_request"),
        (good.replace("S256", ""), "invalid_request"),
        (without("code_challenge_method"), "invalid_request"),
        (none.clone(), "invalid_request"),
        (format!("{none}&code_challenge="), "invalid_request"),
        (format!("{none}&code_challenge=short"), "invalid_request"),
        (format!("{none}&code_challenge={CHALLENGE}%3D"), "invalid_request"),
        (format!("{none}&code_challenge={}", "a".repeat(44)), "invalid_request"),
        (format!("{none}&code_challenge={}", "a+b/".repeat(11)), "invalid_request"),
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (good.replace("response_type=code", "response_type=code%20token"), "unsupported_response_type"),
        (good.replace("response_type=code", "response_type=id_token"), "unsupported_response_type"),
        (good.replace("response_type=code", "response_type=none"), "unsupported_response_type"),
        (without("response_type"), "unsupported_response_type"),
        (format!("{good}&response_mode=fragment"), "invalid_request"),
        (format!("{good}&response_mode=form_post"), "invalid_request"),
        (format!("{good}&request=eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (format!("{good}&request_uri=https%3A%2F%2Fevil.example%2Fr"), "request_uri_not_supported"),
        (good.replace("scope=read%20account", "scope=root"), "invalid_scope"),
    ] {
        // The page shows nothing, and the form that it would have had is refused in the same way.
        let mut fields = page.hidden();
        fields.insert("action".into(), "allow".into());
        for answer in [browser.get(&bad).await, browser.post(&bad, &fields).await] {
            let to = answer.leads_to("http://127.0.0.1:51004/signed-in?");
            assert!(to.contains(&format!("error={error}&")) && !to.contains("code="), "{bad}: {to}");
            assert!(to.contains("iss=") && to.contains("state=s%26t"), "{to}");
            told.insert(to);
        }
    }
    for twice in ["code_challenge=x", "code_challenge_method=plain", "scope=read", "state=t", "response_type=code"] {
        let answer = browser.get(&format!("{good}&{twice}")).await.expect(400);
        assert!(answer.header("location").is_none(), "{twice}");
    }
    assert_eq!(codes(&world).await, 0, "{told:#?}");
    let allowed = browser.submit(&page, "allow", &[]).await.leads_to("http://127.0.0.1:51004/signed-in?");
    assert!(allowed.contains("code="), "{allowed}");
    assert_eq!(codes(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_leads_to_an_address_that_somebody_else_put_into_it() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let (stranger, browser) = (Browser::new(&world), Browser::signed_in(&world, &account).await);
    let evils = [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/oauth/authorize/../../../evil.example",
        "/oauth/authorize%3F@evil.example",
        "/account/devices@evil.example",
        "/account/devices%0d%0aLocation:%20https://evil.example",
        "https:evil.example",
        "javascript:evil.example",
        "data:text/html,evil.example",
        "%2f%2fevil.example",
        "/%09/evil.example",
    ];
    for path in [
        "/account",
        "/account/sign-in",
        "/account/forgotten",
        "/account/signed-out",
        "/account/devices",
        "/account/password",
        "/account/second-factor",
        "/account/second-factor/new",
        "/account/second-factor/replace",
        "/account/recovery-codes",
        "/account/password/x",
    ] {
        for evil in evils {
            for name in ["next", "return_to", "redirect_uri", "url", "continue", "done", "lang"] {
                for who in [&stranger, &browser] {
                    let page = who.get(&format!("{path}?{name}={}", encode(evil))).await;
                    let to = page.header("location").unwrap_or_default();
                    assert!(to.is_empty() || to.starts_with("/account/"), "{path} {name}={evil}: {to}");
                    assert!(
                        page.header("refresh").is_none()
                            && page.header("set-cookie").is_none_or(|c| !c.contains("evil"))
                    );
                    // The page's own address may be in its form and its links, escaped; nothing leads away.
                    for leads in page.html.split("href=\"").skip(1).chain(page.html.split("action=\"").skip(1)) {
                        let leads = leads.split('"').next().unwrap();
                        assert!(leads.starts_with('/') && !leads.starts_with("//"), "{path}: {leads}");
                        let end = leads.split(['?', '#']).next().unwrap();
                        assert!(!end.contains("evil"), "{path} {name}={evil}: {leads}");
                    }
                }
            }
        }
    }
    // An app's request is gone on with as it was asked, and looked at anew: another's address in it leads nowhere.
    let request = authorize(app, "").replace("127.0.0.1%3A51004", "evil.example");
    let page = stranger.get(&format!("/account/sign-in?next={}", encode(&request))).await.expect(200);
    let fields = [("mail", account.mail.as_str()), ("password", crate::sign_in::PASSWORD)];
    let onwards = stranger.submit(&page, "sign-in", &fields).await.leads_to("/oauth/authorize?");
    assert!(stranger.get(&onwards).await.expect(400).header("location").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_the_peer_unless_a_trusted_proxy_says_otherwise() {
    let edge = Edge { rate_limit_public: 0, ..Edge::default() };
    let trusting = Edge { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..edge.clone() };
    for (edge, trusts) in [(edge, false), (trusting, true)] {
        let world = World::with_edge(edge).await;
        let browser = Browser::new(&world);
        let page = browser.get("/account/sign-in").await.expect(200);
        let attempt = async |forwarded: &str| {
            let body = format!("form={}&action=sign-in&mail=a%40example.org&password=wrong", page.hidden()["form"]);
            let request = browser.request(reqwest::Method::POST, "/account/sign-in").body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let request =
                ["x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "forwarded", "x-forwarded-for"]
                    .into_iter()
                    .fold(request, |request, name| {
                        let value = if name == "forwarded" { format!("for={forwarded}") } else { forwarded.to_owned() };
                        request.header(name, value)
                    });
            browser.send(request).await.status.as_u16()
        };
        let mut statuses = Vec::new();
        for n in 0..12 {
            statuses.push(attempt(&format!("192.0.2.{n}")).await);
        }
        let slowed = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(slowed, if trusts { 0 } else { 2 }, "{statuses:?}");
        // What the client itself wrote stands to the left of what the proxy adds, and is not believed.
        let mut statuses = Vec::new();
        for n in 0..12 {
            statuses.push(attempt(&format!("198.51.100.{n}, 203.0.113.9")).await);
        }
        let slowed = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(slowed, if trusts { 2 } else { 12 }, "{statuses:?}");
    }
}
