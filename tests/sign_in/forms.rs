//! Forms are taken from our own pages in the same browser, and cookies are no one else's.

use std::collections::BTreeMap;

use domain::Role;
use reqwest::Method;

use super::browser::Browser;
use super::{PASSWORD, app, authorize, somebody};
use crate::harness::World;

const COOKIE: &str = "__Host-focalpoint";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_refused_without_its_token_with_anothers_and_from_elsewhere() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let (browser, other) = (Browser::signed_in(&world, &account).await, Browser::signed_in(&world, &account).await);
    let secret = super::links::link(&world, &account, "1 hour").await;
    let psql = world.database.psql().await;
    for path in [
        "/account/sign-in".to_owned(),
        "/account/second-factor/new".to_owned(),
        "/account/forgotten".to_owned(),
        "/account/password".to_owned(),
        format!("/account/password/{secret}"),
        "/account/devices".to_owned(),
        authorize(app, ""),
    ] {
        let page = browser.get(&path).await.expect(200);
        let token = page.hidden()["form"].clone();
        let anothers = other.get(&path).await.hidden()["form"].clone();
        assert_ne!(token, anothers);
        let with = |token: &str| BTreeMap::from([("form".to_owned(), token.to_owned()), ("action".into(), "x".into())]);
        for refused in ["", "x", &anothers, &token[1..]] {
            let answer = browser.post(&path, &with(refused)).await.expect(403);
            assert!(answer.title().starts_with("Error:") && answer.text().contains("cookies"), "{}", answer.text());
        }
        browser.post(&path, &BTreeMap::new()).await.expect(403);
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://focalpoint.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = browser.request(Method::POST, &path).header(name, value);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            browser.send(request.body(format!("form={token}"))).await.expect(403);
        }
        let json = browser.request(Method::POST, &path).header("content-type", "text/plain");
        browser.send(json.body(format!("form={token}"))).await.expect(415);
        let twice = browser.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        browser.send(twice.body(format!("form={token}&form={token}"))).await.expect(400);
        let large = browser.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        browser.send(large.body(format!("form={token}&password={}", "x".repeat(1_000_000)))).await.expect(413);
    }
    let changed = psql.query("select from authorization_code", &[]).await.unwrap().len()
        + psql.query("select from mail", &[]).await.unwrap().len();
    assert_eq!(changed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_there_before_signing_in_is_worth_nothing_after() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let (victim, thief) = (Browser::new(&world), Browser::new(&world));
    thief.get("/account/sign-in").await.expect(200);
    let planted = thief.cookie(COOKIE).unwrap();
    victim.set_cookie(COOKIE, &planted);
    let page = victim.get("/account/sign-in").await.expect(200);
    assert!(page.header("set-cookie").is_none(), "one that is sound is kept");
    victim.submit(&page, "sign-in", &[("mail", account.mail.as_str()), ("password", PASSWORD)]).await;
    assert_ne!(victim.cookie(COOKIE).unwrap(), planted);
    victim.get("/account/devices").await.expect(200);
    thief.get("/account/devices").await.leads_to("/account/sign-in");

    let before = victim.cookie(COOKIE).unwrap();
    let page = victim.get("/account/devices").await;
    victim.submit(&page, "sign-out", &[]).await.leads_to("/account/signed-out");
    thief.set_cookie(COOKIE, &before);
    thief.get("/account/devices").await.leads_to("/account/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_kept_from_scripts_other_sites_and_plain_http() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let browser = Browser::new(&world);
    let fresh = browser.get("/account/sign-in").await;
    let entered = browser.sign_in(&account).await;
    let cookies: Vec<String> = [&fresh, &entered]
        .iter()
        .flat_map(|page| page.headers.get_all("set-cookie"))
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for cookie in cookies {
        for part in ["__Host-focalpoint", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }
    for broken in ["", "x", &"A".repeat(44), "\u{22}"] {
        browser.set_cookie(COOKIE, broken);
        assert!(browser.get("/account/sign-in").await.expect(200).header("set-cookie").is_some(), "{broken}");
    }
    let hashes: i64 = world
        .database
        .psql()
        .await
        .query_one("select count(*) from browser_session where length(hash) = 32", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(hashes, 1, "what is stored is no cookie");
}
