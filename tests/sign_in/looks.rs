//! What every page has, in every language.

use std::collections::BTreeSet;

use domain::{Language, Role};
use reqwest::Method;

use super::browser::{Browser, Page, attribute, tags};
use super::{PASSWORD, app, authorize, somebody};
use crate::harness::World;

fn check(page: &Page, path: &str, language: Language) {
    let html = &page.html;
    let context = format!("{path} in {language}: {html}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", language.tag()),
    ] {
        assert_eq!(page.header(name), Some(value), "{name} {context}");
    }
    let policy = page.header("content-security-policy").unwrap();
    for part in
        ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert!(page.header("content-encoding").is_none(), "{context}");
    let dir = if language == Language::Ar { "rtl" } else { "ltr" };
    assert!(html.starts_with(&format!("<!DOCTYPE html><html lang=\"{language}\" dir=\"{dir}\">")), "{context}");
    assert!(!html.contains("<script") && !html.contains(" style=") && !html.contains("javascript:"), "{context}");
    assert!(!html.contains("http://") || html.contains("<svg"), "nothing from elsewhere: {context}");
    assert!(!html.split('<').any(|tag| tag.split('>').next().unwrap().contains(" on")), "no handler: {context}");
    assert_eq!(tags(html, "h1").count(), 1, "{context}");
    assert_eq!(tags(html, "main").count(), 1, "{context}");
    let ids: Vec<String> = html.split('<').filter_map(|tag| attribute(tag.split('>').next()?, "id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{context}");
    let labelled: BTreeSet<_> = tags(html, "label").filter_map(|tag| attribute(tag, "for")).collect();
    for input in tags(html, "input").filter(|tag| attribute(tag, "type").as_deref() != Some("hidden")) {
        assert!(labelled.contains(&attribute(input, "id").unwrap()), "{input}: {context}");
        assert!(attribute(input, "autocomplete").is_some(), "{input}: {context}");
        for described in attribute(input, "aria-describedby").unwrap_or_default().split_whitespace() {
            assert!(ids.iter().any(|id| id == described), "{described}: {context}");
        }
    }
    let is_error = !page.status.is_success();
    let words = ["خطأ:", "Error:", "Error en la página:", "Erreur :", "Ошибка:", "错误："];
    assert_eq!(page.title().starts_with(words[language as usize]), is_error, "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_in_every_language_needs_no_script_and_says_what_it_is() {
    let world = World::empty().await;
    let (delegate, approver) = (somebody(&world, Role::Delegate).await, somebody(&world, Role::Approver).await);
    let (app, stranger) = (app(&world).await, Browser::new(&world));
    let signed_in = Browser::signed_in(&world, &delegate).await;
    let half = Browser::new(&world);
    half.sign_in(&approver).await.leads_to("/account/second-factor/new");
    let link = format!("/account/password/{}", super::links::link(&world, &delegate, "1 hour").await);
    let authorize = authorize(app, "");
    let mut headings: BTreeSet<String> = BTreeSet::new();
    let mut pages = 0;
    for language in Language::ALL {
        for (browser, path, status) in [
            (&stranger, "/account/sign-in", 200),
            (&stranger, "/account/sign-in?done=password", 200),
            (&stranger, "/account/forgotten", 200),
            (&stranger, &link, 200),
            (&stranger, "/account/password/x", 404),
            (&stranger, "/account/signed-out", 200),
            (&stranger, "/account/nowhere", 404),
            (&stranger, "/mailbox", 404),
            (&stranger, "/oauth/authorize", 400),
            (&half, "/account/second-factor/new", 200),
            (&signed_in, "/account/second-factor/new", 200),
            (&signed_in, "/account/devices", 200),
            (&signed_in, "/account/password", 200),
            (&signed_in, &authorize, 200),
        ] {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = browser.get(&format!("{path}{join}lang={language}")).await.expect(status);
            check(&page, path, language);
            for other in Language::ALL {
                let here = format!("{path}{join}lang={other}");
                assert!(
                    page.html.contains(&format!("href=\"{}\"", here.replace('&', "&amp;"))),
                    "{here} {}",
                    page.html
                );
            }
            headings.insert(page.title());
            pages += 1;
        }
        let lang = format!("?lang={language}");
        let page = stranger.get(&format!("/account/sign-in{lang}")).await;
        let wrong =
            stranger.submit(&page, "sign-in", &[("mail", "x@example.org"), ("password", "x")]).await.expect(403);
        check(&wrong, "a wrong password", language);
        assert_eq!(wrong.html.matches("aria-describedby=\"error\"").count(), 2);
        assert!(wrong.html.contains("id=\"error\"") && wrong.html.contains("role=\"alert\""));
        let page = stranger.get(&format!("/account/forgotten{lang}")).await;
        check(
            &stranger.submit(&page, "ask", &[("mail", &format!("{language}@example.org"))]).await.expect(200),
            "asked",
            language,
        );
        check(&stranger.submit(&page, "ask", &[("mail", "x")]).await.expect(422), "no address", language);
        let page = stranger.get(&format!("{link}{lang}")).await;
        check(&stranger.submit(&page, "set", &[("new-password", "x")]).await.expect(422), "a weak password", language);
        let patch =
            stranger.send(stranger.request(Method::PATCH, &format!("/account/sign-in{lang}"))).await.expect(405);
        check(&patch, "405", language);
        assert_eq!(patch.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
        let foreign = stranger.post(&format!("/account/sign-in{lang}"), &Default::default()).await.expect(403);
        check(&foreign, "403", language);
    }
    assert_eq!(pages, 14 * 6);
    assert!(headings.len() > 8 * 6, "{headings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_the_chosen_one_then_the_apps_then_the_browsers() {
    let world = World::empty().await;
    let (app, browser) = (app(&world).await, Browser::new(&world));
    let language = async |path: &str| {
        let page = browser.send(browser.request(Method::GET, path).header("accept-language", "ru, fr;q=0.5")).await;
        page.header("content-language").unwrap().to_owned()
    };
    assert_eq!(language("/account/sign-in").await, "ru");
    assert_eq!(language("/account/sign-in?lang=zh").await, "zh");
    let next = browser.get(&authorize(app, "&ui_locales=es-MX%20fr")).await.leads_to("/account/sign-in");
    assert_eq!(language(&next).await, "es");
    assert_eq!(language(&format!("{next}&lang=ar")).await, "ar");
    let account = somebody(&world, Role::Delegate).await;
    let page = browser.get(&format!("{next}&lang=ar")).await;
    let onwards = browser.submit(&page, "sign-in", &[("mail", account.mail.as_str()), ("password", PASSWORD)]).await;
    let onwards = onwards.leads_to("/oauth/authorize?");
    assert!(onwards.ends_with("&lang=ar"), "{onwards}");
    assert_eq!(browser.get(&onwards).await.expect(200).header("content-language"), Some("ar"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_style_sheet_is_ours_and_kept_for_good() {
    let world = World::empty().await;
    let browser = Browser::new(&world);
    let page = browser.get("/account/sign-in").await;
    let link = attribute(tags(&page.html, "link").next().unwrap(), "href").unwrap();
    let style = browser.get(&link).await.expect(200);
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert!(!style.html.contains("url(") && !style.html.contains("@import"), "nothing from elsewhere");
    for physical in ["left", "right"] {
        assert!(!style.html.contains(physical), "both directions: {physical}");
    }
    browser.get("/account/style-0000000000000000.css").await.expect(404);
    let options = browser.send(browser.request(Method::OPTIONS, "/account/sign-in")).await.expect(204);
    assert_eq!(options.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
    browser.send(browser.request(Method::HEAD, "/account/sign-in")).await.expect(200);
    assert_eq!(browser.get("/account").await.leads_to("/account"), "/account/devices");
}
