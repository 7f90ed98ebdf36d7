//! Links by which a password is set.

use domain::{Account, Role};

use super::browser::Browser;
use super::{PASSWORD, somebody};
use crate::harness::World;

/// A link as a mail has it.
pub(crate) async fn link(world: &World, account: &Account, lasts: &str) -> String {
    use secrecy::ExposeSecret;
    let secret = api::identity::secrets::generate().unwrap().expose_secret().to_owned();
    let (hash, id) = (api::sign_in::link_hash(&secret), account.id);
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::days(1);
    let db = &world.server.state.db;
    db.write(async move |conn| persistence::sign_ins::insert_link(conn, id, &hash, expires_at).await).await.unwrap();
    let psql = world.database.psql().await;
    let shorten = format!("update password_link set expires_at = now() + interval '{lasts}' where used_at is null");
    psql.execute(&shorten, &[]).await.unwrap();
    secret
}

const NEW: &str = "seven harps under a paper moon";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_sets_a_password_once_and_ends_all_there_was() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let elsewhere = Browser::signed_in(&world, &account).await;
    let path = format!("/account/password/{}", link(&world, &account, "1 hour").await);
    for _ in 0..3 {
        // As scanners of mail do.
        Browser::new(&world).get(&path).await.expect(200);
    }
    let browser = Browser::new(&world);
    let page = browser.get(&path).await.expect(200);
    assert!(page.html.contains(account.mail.as_str()));
    for (weak, why) in [
        ("", "must not be empty"),
        ("short", "at least 8 characters"),
        ("password1", "too easy to guess"),
        ("line\nbreak in it", "cannot be seen"),
        (&"dune harp ".repeat(13), "at most 128 bytes"),
    ] {
        let refused = browser.submit(&page, "set", &[("new-password", weak)]).await.expect(422);
        assert!(refused.text().contains(why), "{why}: {}", refused.text());
    }
    elsewhere.get("/account/devices").await.expect(200);
    let set = browser.submit(&page, "set", &[("new-password", NEW)]).await;
    let sign_in = browser.get(&set.leads_to("/account/sign-in?done=password")).await.expect(200);
    assert!(sign_in.text().contains("Your password is set"));
    elsewhere.get("/account/devices").await.leads_to("/account/sign-in");
    browser.submit(&page, "set", &[("new-password", NEW)]).await.expect(403);
    let again = Browser::new(&world);
    again.get(&path).await.expect(404);
    let stale = again.get("/account/forgotten").await;
    let mut fields = stale.hidden();
    fields.insert("new-password".into(), NEW.into());
    again.post(&path, &fields).await.expect(404);
    assert_eq!(browser.sign_in_with(account.mail.as_str(), PASSWORD).await.status, 403);
    browser.sign_in_with(account.mail.as_str(), NEW).await.leads_to("/account/devices");
    let psql = world.database.psql().await;
    let mails = psql.query("select kind from mail", &[]).await.unwrap();
    assert_eq!(mails.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["password_set"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_time_with_a_newer_one_and_with_the_account() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let browser = Browser::new(&world);
    let old = link(&world, &account, "-1 second").await;
    browser.get(&format!("/account/password/{old}")).await.expect(404);
    let first = link(&world, &account, "1 hour").await;
    let second = link(&world, &account, "1 hour").await;
    browser.get(&format!("/account/password/{first}")).await.expect(404);
    let page = browser.get(&format!("/account/password/{second}")).await.expect(200);
    let psql = world.database.psql().await;
    psql.execute("update account set suspended_at = now()", &[]).await.unwrap();
    browser.submit(&page, "set", &[("new-password", NEW)]).await.expect(404);
    browser.get(&format!("/account/password/{second}")).await.expect(404);
    browser.get("/account/password/x").await.expect(404);
    browser.get(&format!("/account/password/{}", "%00".repeat(500))).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_changes_the_password_by_showing_the_present_one() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let (browser, other) = (Browser::signed_in(&world, &account).await, Browser::signed_in(&world, &account).await);
    let page = browser.get("/account/password").await.expect(200);
    let change = async |present: &str, new: &str| {
        browser.submit(&page, "set", &[("password", present), ("new-password", new)]).await
    };
    assert!(change("wrong", NEW).await.expect(403).text().contains("The password is not right"));
    assert!(change(PASSWORD, "somebody of a test").await.expect(422).text().contains("easy to guess"), "their name");
    change(PASSWORD, NEW).await.leads_to("/account/sign-in?done=password");
    for ended in [&browser, &other] {
        ended.get("/account/devices").await.leads_to("/account/sign-in");
    }
    browser.sign_in_with(account.mail.as_str(), NEW).await.leads_to("/account/devices");
}
