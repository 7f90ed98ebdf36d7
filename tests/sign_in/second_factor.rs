//! Second factors: set up where they are needed, shown once each, and not to be got round.

use chrono::Utc;
use domain::{Account, Role};
use totp_rs::{Builder, Secret};

use super::browser::{Browser, Page, between};
use super::{PASSWORD, app, authorize, somebody};
use crate::harness::World;

/// The code of the step that is `later` from now.
fn code(secret: &str, later: i64) -> String {
    let secret = Secret::try_from_base32(secret.replace(' ', "")).unwrap();
    let now = u64::try_from(Utc::now().timestamp() + 30 * later).unwrap();
    Builder::new().with_secret(secret).with_account_name("x").build().unwrap().generate(now).to_string()
}

/// Neither near the end of a step nor at its beginning, so that the code of a step stays what it is.
async fn steadily() {
    let second = Utc::now().timestamp() % 30;
    if second > 20 {
        tokio::time::sleep(std::time::Duration::from_secs(u64::try_from(31 - second).unwrap())).await;
    }
}

fn secret(page: &Page) -> String {
    let span = page.html.split_once("id=\"secret\"").unwrap().1;
    between(span, ">", "<").unwrap().to_owned()
}

fn codes(page: &Page) -> Vec<String> {
    let list = page.html.split_once("class=\"codes\"").unwrap().1.split_once("</ul>").unwrap().0;
    list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

/// Signs in for the first time and sets a factor up: its secret and the recovery codes.
async fn set_up(browser: &Browser, account: &Account) -> (String, Vec<String>) {
    steadily().await;
    let page = browser.get(&browser.sign_in(account).await.leads_to("/account/second-factor/new")).await.expect(200);
    let secret = secret(&page);
    let shown = browser.submit(&page, "confirm", &[("code", &code(&secret, 0))]).await.expect(200);
    (secret, codes(&shown))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_second_factor_sets_one_up_before_anything_else() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Approver).await, app(&world).await);
    let browser = Browser::new(&world);
    steadily().await;
    let entered = browser.get(&authorize(app, "")).await.leads_to("/account/sign-in");
    let page = browser.get(&entered).await;
    let entered = browser.submit(&page, "sign-in", &[("mail", account.mail.as_str()), ("password", PASSWORD)]).await;
    let there = entered.leads_to("/account/second-factor/new?next=");
    for elsewhere in ["/account/devices", "/account/password", "/account/recovery-codes", "/account/second-factor"] {
        browser.get(elsewhere).await.leads_to("/account/second-factor/new");
    }
    browser.get(&authorize(app, "")).await.leads_to("/account/second-factor/new");
    let page = browser.get(&there).await.expect(200);
    assert!(page.html.contains("<svg ") && !page.html.contains("<?xml"), "the picture is part of the page");
    let (secret, before) = (secret(&page), browser.cookie("__Host-focalpoint").unwrap());
    let wrong = browser.submit(&page, "confirm", &[("code", "000000")]).await.expect(403);
    assert_eq!(super::second_factor::secret(&wrong), secret, "not another");
    let shown = browser.submit(&page, "confirm", &[("code", &code(&secret, 0))]).await.expect(200);
    assert_ne!(browser.cookie("__Host-focalpoint").unwrap(), before);
    assert_eq!(codes(&shown).len(), 10);
    assert!(shown.html.contains("href=\"/oauth/authorize?"), "{}", shown.html);
    browser.get(&authorize(app, "")).await.expect(200);
    let devices = browser.get("/account/devices").await.expect(200);
    assert!(devices.text().contains("unused: 10"));
    let psql = world.database.psql().await;
    let mails = psql.query("select kind from mail", &[]).await.unwrap();
    assert_eq!(mails.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["second_factor_set"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_taken_once_and_the_password_alone_opens_nothing() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Admin).await;
    let first = Browser::new(&world);
    let (secret, _) = set_up(&first, &account).await;
    let browser = Browser::new(&world);
    let page = browser.get(&browser.sign_in(&account).await.leads_to("/account/second-factor")).await.expect(200);
    for elsewhere in ["/account/devices", "/account/second-factor/new", "/account/recovery-codes"] {
        let led = browser.get(elsewhere).await.leads_to("/account/second-factor");
        assert!(!led.starts_with("/account/second-factor/"), "{led}");
    }
    let replayed = browser.submit(&page, "check", &[("code", &code(&secret, 0))]).await.expect(403);
    assert!(replayed.text().contains("used already"));
    let next = code(&secret, 1);
    browser.submit(&page, "check", &[("code", &next)]).await.leads_to("/account/devices");
    browser.get("/account/devices").await.expect(200);
    let again = Browser::new(&world);
    let page = again.get(&again.sign_in(&account).await.leads_to("/account/second-factor")).await;
    again.submit(&page, "check", &[("code", &next)]).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_is_taken_once() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Admin).await;
    let first = Browser::new(&world);
    let (_, codes) = set_up(&first, &account).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    for (n, status) in [303, 403].into_iter().enumerate() {
        let browser = Browser::new(&world);
        browser.sign_in(&account).await.leads_to("/account/second-factor");
        let page = browser.get("/account/second-factor?with=recovery-code").await.expect(200);
        let answer = browser.submit(&page, "check", &[("code", &typed)]).await.expect(status);
        assert_eq!(answer.header("location").is_some(), n == 0);
    }
    let page = first.get("/account/recovery-codes").await.expect(200);
    first.submit(&page, "confirm", &[("password", "wrong")]).await.expect(403);
    let shown = first.submit(&page, "confirm", &[("password", PASSWORD)]).await.expect(200);
    assert!(super::second_factor::codes(&shown).iter().all(|code| !codes.contains(code)));
    let browser = Browser::new(&world);
    browser.sign_in(&account).await.leads_to("/account/second-factor");
    let page = browser.get("/account/second-factor?with=recovery-code").await;
    browser.submit(&page, "check", &[("code", &codes[5])]).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_codes_end_the_sign_in() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Admin).await;
    set_up(&Browser::new(&world), &account).await;
    let browser = Browser::new(&world);
    let page = browser.get(&browser.sign_in(&account).await.leads_to("/account/second-factor")).await;
    for _ in 0..4 {
        browser.submit(&page, "check", &[("code", "12345")]).await.expect(403);
    }
    let over = browser.submit(&page, "check", &[("code", "12345")]).await.leads_to("/account/sign-in?done=codes");
    assert!(browser.get(&over).await.text().contains("Too many wrong codes"));
    browser.get("/account/second-factor").await.leads_to("/account/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_factor_takes_the_place_of_the_first_and_signs_out_elsewhere() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let (browser, other) = (Browser::signed_in(&world, &account).await, Browser::signed_in(&world, &account).await);
    steadily().await;
    let page = browser.get("/account/second-factor/new").await.expect(200);
    let first = secret(&page);
    browser.submit(&page, "confirm", &[("code", &code(&first, 0))]).await.expect(200);
    other.get("/account/devices").await.leads_to("/account/sign-in");
    let page = browser.get("/account/second-factor/replace").await.expect(200);
    browser.submit(&page, "confirm", &[("password", "wrong")]).await.expect(403);
    let page = browser
        .get(&browser.submit(&page, "confirm", &[("password", PASSWORD)]).await.leads_to("/account/second-factor/new"))
        .await;
    let second = secret(&page);
    assert_ne!(first, second);
    browser.submit(&page, "confirm", &[("code", &code(&second, 0))]).await.expect(200);
    browser.get("/account/devices").await.expect(200);
}
