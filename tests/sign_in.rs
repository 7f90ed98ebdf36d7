//! The pages on which people sign in, as a browser without scripts sees them.

mod browser;
mod forms;
mod links;
mod looks;
mod mails;
mod second_factor;
mod throttle;

use std::collections::BTreeSet;

use domain::{Account, AppId, Role};
use persistence::clients::App;
use reqwest::Method;

use crate::harness::{MISSION, Who, World, people};
pub(crate) use browser::Browser;
pub(crate) use links::link;

pub(crate) const PASSWORD: &str = "five blue camels by the river";

/// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "http://127.0.0.1:51004/signed-in";

/// Somebody who can sign in with [`PASSWORD`].
pub(crate) async fn somebody(world: &World, role: Role) -> Account {
    let account = people::account(role, role.is_of_a_mission().then_some(MISSION));
    let hash = api::identity::secrets::hash(&PASSWORD.to_owned().into()).unwrap();
    let added = account.clone();
    let add = async move |conn: &mut persistence::Conn| {
        persistence::accounts::insert(conn, &added).await?;
        persistence::sign_ins::save_password(conn, added.id, &hash).await
    };
    world.server.state.db.write(add).await.unwrap();
    account
}

/// An app that this process has heard of.
pub(crate) async fn app(world: &World) -> AppId {
    let app = App { name: "Delegates' app".into(), ..people::app() };
    let id = app.id;
    world.server.state.db.write(async move |conn| persistence::clients::insert_app(conn, &app).await).await.unwrap();
    let store = &world.server.state.store;
    store.wait_until(|store| store.identities().app(id).is_some()).await;
    id
}

/// What an app opens a browser at.
pub(crate) fn authorize(app: AppId, more: &str) -> String {
    let redirect = browser::encode(REDIRECT);
    format!(
        "/oauth/authorize?response_type=code&client_id={}&redirect_uri={redirect}&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&scope=read%20account&state=s%26t{more}",
        app.0
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_apps_redirect_to_the_token() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let browser = Browser::new(&world);
    let sign_in = browser.get(&authorize(app, "&login_hint=amina%40example.org")).await.leads_to("/account/sign-in");
    let page = browser.get(&sign_in).await.expect(200);
    assert!(
        page.text().contains("Delegates' app") && page.html.contains(r#"value="amina@example.org""#),
        "{}",
        page.html
    );
    let consent = browser.submit(&page, "sign-in", &[("mail", account.mail.as_str()), ("password", PASSWORD)]).await;
    let consent = browser.get(&consent.leads_to("/oauth/authorize?")).await.expect(200);
    for told in ["Delegates' app", "a program on this device", "read what is published for you", account.mail.as_str()]
    {
        assert!(consent.text().contains(told), "{told}: {}", consent.text());
    }
    let policy = consent.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:51004;"), "{policy}");
    let denied = browser.submit(&consent, "deny", &[]).await.leads_to(REDIRECT);
    assert!(denied.contains("error=access_denied") && denied.contains("state=s%26t"), "{denied}");
    let allowed = browser.submit(&consent, "allow", &[]).await.leads_to(REDIRECT);
    assert!(allowed.contains("state=s%26t") && allowed.contains("iss=https%3A%2F%2Ffocalpoint.example"), "{allowed}");
    let code = allowed.split_once("code=").unwrap().1.split('&').next().unwrap();
    let token = world.request(Method::POST, "/oauth/token", Who::Stranger);
    let token = token.header("content-type", "application/x-www-form-urlencoded").body(format!(
        "grant_type=authorization_code&client_id={}&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        app.0,
        browser::encode(REDIRECT)
    ));
    let token = world.send(token).await.expect(200).json();
    world.get("/v1/directory/units", Who::Token(token["access_token"].as_str().unwrap())).await.expect(200);
    let devices = browser.get("/account/devices").await.expect(200);
    assert!(
        devices.text().contains("Delegates' app") && devices.text().contains("Firefox on Linux"),
        "{}",
        devices.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_an_apps_sends_nobody_anywhere() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let browser = Browser::signed_in(&world, &account).await;
    let good = authorize(app, "");
    for (bad, part) in [
        (good.replace(&app.0.to_string(), "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11"), "not registered"),
        (good.replace("127.0.0.1%3A51004", "evil.example"), "not registered for it"),
        (format!("{good}&client_id=x"), "cannot be read"),
    ] {
        let page = browser.get(&bad).await.expect(400);
        assert!(page.header("location").is_none() && page.text().contains(part), "{}", page.text());
        assert!(page.title().starts_with("Error:"), "{}", page.title());
    }
    let told = browser.get(&good.replace("S256", "plain")).await.leads_to(REDIRECT);
    assert!(told.contains("error=invalid_request"), "{told}");
    let silent = browser.get(&authorize(app, "&prompt=none")).await.leads_to(REDIRECT);
    assert!(silent.contains("error=interaction_required"), "{silent}");
    let again = browser.get(&authorize(app, "&prompt=login")).await.leads_to("/account/sign-in?next=");
    assert!(!again.contains("prompt"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_signing_in_one_goes_to_our_own_pages_only() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    for evil in
        ["https://evil.example", "//evil.example", "/oauth/authorize@evil.example", "/\\evil.example", "javascript:x"]
    {
        let browser = Browser::new(&world);
        let page = browser.get(&format!("/account/sign-in?next={}", browser::encode(evil))).await.expect(200);
        let onwards =
            browser.submit(&page, "sign-in", &[("mail", account.mail.as_str()), ("password", PASSWORD)]).await;
        assert_eq!(onwards.leads_to("/account"), "/account/devices", "{evil}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_tells_whether_there_is_an_account() {
    let world = World::empty().await;
    let psql = world.database.psql().await;
    let mut mails = vec!["nobody@example.org".to_owned()];
    for change in [
        None,
        Some("update account set suspended_at = now() where id = $1"),
        Some("update account set removed_at = now() where id = $1"),
        Some("delete from password where account_id = $1"),
    ] {
        let account = somebody(&world, Role::Approver).await;
        if let Some(change) = change {
            psql.execute(change, &[&account.id.0]).await.unwrap();
        }
        mails.push(account.mail.as_str().to_owned());
    }
    let (mut sign_ins, mut forgotten) = (BTreeSet::new(), BTreeSet::new());
    for (n, mail) in mails.iter().enumerate() {
        // Only the first, of those that there are, could sign in.
        let password = if n == 1 { "wrong" } else { PASSWORD };
        let browser = Browser::new(&world);
        let page = browser.get("/account/sign-in").await;
        let refused = browser.submit(&page, "sign-in", &[("mail", mail), ("password", password)]).await.expect(403);
        assert!(refused.title().starts_with("Error:"));
        sign_ins.insert(refused.comparable(mail));
        let page = browser.get("/account/forgotten").await;
        let sent = browser.submit(&page, "ask", &[("mail", mail)]).await.expect(200);
        forgotten.insert(sent.comparable(mail));
    }
    assert_eq!((sign_ins.len(), forgotten.len()), (1, 1), "{sign_ins:#?} {forgotten:#?}");
    let waiting: i64 = psql.query_one("select count(*) from mail", &[]).await.unwrap().get(0);
    assert_eq!(waiting, 5, "whoever it is for");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_suspended_is_signed_in_no_more() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let browser = Browser::signed_in(&world, &account).await;
    browser.get("/account/devices").await.expect(200);
    let psql = world.database.psql().await;
    psql.execute("update account set suspended_at = now()", &[]).await.unwrap();
    browser.get("/account/devices").await.leads_to("/account/sign-in");
    psql.execute("update account set suspended_at = null, roles = '{approver}', mission_id = null", &[]).await.unwrap();
    browser.get("/account/devices").await.leads_to("/account/second-factor/new");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_ones_own_devices_out_and_nobody_elses() {
    let world = World::empty().await;
    let (amina, boris) = (somebody(&world, Role::Delegate).await, somebody(&world, Role::Delegate).await);
    let app = app(&world).await;
    let mut sessions = Vec::new();
    for account in [&amina, &amina, &amina, &boris] {
        let session = persistence::sessions::NewSession {
            id: domain::SessionId(uuid::Uuid::now_v7()),
            account: account.id,
            app,
            device: "Phone".into(),
            scopes: domain::Scopes::all(),
            has_second_factor: false,
            rotation_key: [1; 32],
            expires_at: chrono::Utc::now() + chrono::TimeDelta::days(1),
        };
        sessions.push(session.id.0.to_string());
        let db = &world.server.state.db;
        db.write(async move |conn| persistence::sessions::insert(conn, &session).await).await.unwrap();
    }
    let browser = Browser::signed_in(&world, &amina).await;
    let page = browser.get("/account/devices").await.expect(200);
    assert!(page.html.contains(&sessions[0]) && !page.html.contains(&sessions[3]), "one's own");
    let psql = world.database.psql().await;
    let going_on = async || {
        let rows = psql.query("select id::text from session where ended_at is null order by id", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    browser.submit(&page, "end", &[("session", &sessions[3])]).await.leads_to("/account/devices");
    assert_eq!(going_on().await, sessions);
    browser.submit(&page, "end", &[("session", &sessions[0])]).await.leads_to("/account/devices");
    assert_eq!(going_on().await, sessions[1..]);
    browser.submit(&page, "end-all", &[]).await.leads_to("/account/devices");
    assert_eq!(going_on().await, sessions[3..]);
    browser.submit(&page, "end", &[("session", "x")]).await.expect(404);
    browser.submit(&page, "sign-out", &[]).await.leads_to("/account/signed-out");
    browser.get("/account/signed-out").await.expect(200);
    browser.get("/account/devices").await.leads_to("/account/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_does_on_the_pages_is_noted_as_theirs() {
    let world = World::empty().await;
    let (account, app) = (somebody(&world, Role::Delegate).await, app(&world).await);
    let psql = world.database.psql().await;
    let before: i64 = psql.query_one("select max(n) from audit_entry", &[]).await.unwrap().get(0);
    let browser = Browser::new(&world);
    browser.sign_in_with(account.mail.as_str(), "not the password").await.expect(403);
    let unknown: i64 = psql.query_one("select max(n) from audit_entry", &[]).await.unwrap().get(0);
    assert_eq!(unknown, before, "who may be anybody fills no disk");
    browser.sign_in(&account).await;
    let consent = browser.get(&authorize(app, "")).await.expect(200);
    let allowed = browser.submit(&consent, "allow", &[]).await.leads_to(REDIRECT);
    let code = allowed.split_once("code=").unwrap().1.split('&').next().unwrap();
    let token = world.request(Method::POST, "/oauth/token", Who::Stranger);
    let token = token.header("content-type", "application/x-www-form-urlencoded").body(format!(
        "grant_type=authorization_code&client_id={}&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        app.0,
        browser::encode(REDIRECT)
    ));
    world.send(token).await.expect(200);
    let noted = "select actor_kind, actor_id, request_id is not null, kind from audit_entry where n > $1 order by n";
    let noted = psql.query(noted, &[&before]).await.unwrap();
    let kinds: Vec<String> = noted.iter().map(|row| row.get(3)).collect();
    assert_eq!(kinds, ["browser_session", "session"]);
    for row in noted {
        let (kind, id, by_request): (String, Option<uuid::Uuid>, bool) = (row.get(0), row.get(1), row.get(2));
        assert_eq!((kind.as_str(), id, by_request), ("person", Some(account.id.0), true));
    }
}
