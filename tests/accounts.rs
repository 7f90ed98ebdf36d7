//! Accounts: one's own, and everybody's for the Secretariat's administrators.

use api::identity::Who as Caller;
use domain::{AccountId, Role};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{mission, organization};
use crate::harness::{Reply, Who, World, people};

/// Somebody who has signed in: their account, their session and a token.
pub(crate) struct Person {
    pub(crate) account: Uuid,
    pub(crate) session: Uuid,
    pub(crate) token: String,
}

impl Person {
    pub(crate) async fn new(world: &World, role: Role, mission: Option<Uuid>) -> Self {
        let who = people::person(&world.server, role, mission).await;
        let token = people::issue(&world.server, who, role.scopes().collect());
        let Caller::Person { account, session, .. } = who else { panic!("{who:?}") };
        Self { account: account.0, session: session.0, token }
    }

    pub(crate) fn who(&self) -> Who<'_> {
        Who::Token(&self.token)
    }
}

/// Two missions of the directory.
pub(crate) async fn two_missions(world: &World) -> (Uuid, Uuid) {
    world.have("directory", &[organization("un"), mission("ours", "un"), mission("theirs", "un")]).await;
    let psql = world.database.psql().await;
    let id = async |key: &str| -> Uuid {
        psql.query_one("select id from mission where source_key = $1", &[&key]).await.unwrap().get(0)
    };
    (id("ours").await, id("theirs").await)
}

/// Sends a request with a body, and as an edit of a version where one is given.
pub(crate) async fn ask(
    world: &World,
    method: Method,
    path: &str,
    who: Who<'_>,
    body: Value,
    version: Option<&str>,
) -> Reply {
    let mut request = world.request(method, path, who);
    if !body.is_null() {
        request = request.json(&body);
    }
    if let Some(version) = version {
        request = request.header("if-match", version);
    }
    world.send(request).await
}

/// The pointer and rule of each fault.
pub(crate) fn faults(reply: &Reply) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    reply.json()["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["rule"]))).collect()
}

fn invitation(mail: &str, roles: &[&str]) -> Value {
    json!({"mail": mail, "name": "Somebody Invited", "language": "fr", "roles": roles})
}

async fn invite(world: &World, who: Who<'_>, body: Value) -> Reply {
    ask(world, Method::POST, "/v1/accounts", who, body, None).await
}

const NO_BODY: Value = Value::Null;

#[tokio::test(flavor = "multi_thread")]
async fn people_see_their_own_account_and_change_its_name_and_language_alone() {
    let world = World::empty().await;
    let delegate = Person::new(&world, Role::Delegate, Some(Uuid::now_v7())).await;
    let own = world.get("/v1/account", delegate.who()).await.expect(200);
    assert_eq!(own.header("cache-control"), Some("no-store"));
    let own = own.json();
    assert_eq!((&own["id"], &own["session"]), (&json!(delegate.account), &json!(delegate.session)));
    assert_eq!((&own["roles"], &own["second_factor"]), (&json!(["delegate"]), &json!(false)));

    let patch = async |body: Value| ask(&world, Method::PATCH, "/v1/account", delegate.who(), body, None).await;
    let changed = patch(json!({"name": " Amélie ", "language": "fr"})).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["language"]), (&json!("Amélie"), &json!("fr")));
    assert_eq!(patch(json!({})).await.expect(200).json()["name"], "Amélie");
    for field in ["id", "mail", "roles", "mission", "mission_id", "rev", "suspended", "row_version", "status"] {
        let reply = patch(json!({field: "x"})).await;
        assert_eq!(reply.problem(422), "validation_failed");
        assert_eq!(faults(&reply), [(format!("/{field}"), "unknown_field".into())]);
    }
    for (body, pointer, rule) in [
        (json!({"name": null}), "/name", "structure"),
        (json!({"name": "a\u{202E}b"}), "/name", "characters"),
        (json!({"name": ""}), "/name", "required"),
        (json!({"name": "x".repeat(201)}), "/name", "length"),
        (json!({"language": "de"}), "/language", "one_of"),
        (json!([]), "", "structure"),
    ] {
        assert_eq!(faults(&patch(body).await.expect(422)), [(pointer.into(), rule.into())]);
    }
    let twice = world.request(Method::PATCH, "/v1/account", delegate.who()).header("content-type", "application/json");
    let twice = world.send(twice.body(r#"{"name": "A", "name": "B"}"#)).await;
    assert_eq!(faults(&twice.expect(422)), [("/name".to_owned(), "structure".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_has_an_account_and_a_mail_and_no_password() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let mut body = invitation("Awa.Diallo@example.org", &["mission_admin", "delegate"]);
    body["mission"] = json!(ours);
    let reply = invite(&world, admin.who(), body).await.expect(201);
    let made = reply.json();
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    assert_eq!((reply.header("location"), reply.header("etag")), (Some(path.as_str()), Some("\"v1\"")));
    assert_eq!((&made["status"], &made["mission"]), (&json!("invited"), &json!(ours)));
    assert_eq!(made["roles"], json!(["delegate", "mission_admin"]));
    assert_eq!(world.get(&path, admin.who()).await.expect(200).json(), made);
    let psql = world.database.psql().await;
    let mails = async || -> Vec<(String, String, String)> {
        let rows = psql.query("select kind, address, language from mail order by id", &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let invited = ("invitation".to_owned(), "Awa.Diallo@example.org".to_owned(), "fr".to_owned());
    assert_eq!(mails().await, vec![invited.clone()]);
    let again = ask(&world, Method::POST, &format!("{path}/invitation"), admin.who(), NO_BODY, None).await;
    again.expect(204);
    assert_eq!(mails().await, vec![invited.clone(), invited]);

    let taken = invite(&world, admin.who(), invitation("awa.diallo@EXAMPLE.org", &["editor"])).await;
    assert_eq!(taken.problem(409), "taken");
    assert_eq!(faults(&taken), [("/mail".to_owned(), "duplicate".to_owned())]);
    assert_eq!(mails().await.len(), 2, "what is refused writes no mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_invitation_is_named() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let nowhere = Uuid::now_v7();
    let with = |change: Value| {
        let mut body = invitation("a@example.org", &["editor"]);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (body, wanted) in [
        (
            with(json!({"mail": "a", "name": " ", "language": "xx", "roles": ["root"]})),
            vec![("/mail", "format"), ("/name", "required"), ("/language", "one_of"), ("/roles", "one_of")],
        ),
        (with(json!({"roles": []})), vec![("/roles", "required")]),
        (with(json!({"roles": ["editor", "editor"]})), vec![("/roles", "duplicate")]),
        (with(json!({"roles": ["editor", "delegate"]})), vec![("/roles", "conflict")]),
        (with(json!({"roles": ["importer"]})), vec![("/roles", "conflict")]),
        (with(json!({"roles": ["delegate"]})), vec![("/mission", "required")]),
        (with(json!({"roles": ["delegate"], "mission": nowhere})), vec![("/mission", "reference")]),
        (with(json!({"roles": ["delegate"], "mission": "x"})), vec![("/mission", "format")]),
        (with(json!({"mail": "a\u{202E}@example.org"})), vec![("/mail", "characters")]),
        (with(json!({"mail": "a\u{0}@example.org"})), vec![("/mail", "characters")]),
        (with(json!({"id": nowhere})), vec![("/id", "unknown_field")]),
        (with(json!({"password": "x"})), vec![("/password", "unknown_field")]),
        (json!({"mail": "a@example.org"}), vec![("/name", "required")]),
    ] {
        let reply = invite(&world, admin.who(), body.clone()).await;
        assert_eq!(reply.problem(422), "validation_failed", "{body}");
        let found = faults(&reply);
        assert_eq!(found.iter().map(|(p, r)| (p.as_str(), r.as_str())).collect::<Vec<_>>(), wanted, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_by_pages_and_found_by_the_beginning_of_name_or_mail() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let mut made = Vec::new();
    for (mail, name, roles, of) in [
        ("zed@a.example", "Émile", json!(["delegate"]), Some(ours)),
        ("emile_2@a.example", "Zoé", json!(["delegate", "mission_admin"]), Some(ours)),
        ("x@a.example", "100% Émile", json!(["delegate"]), Some(theirs)),
        ("y@a.example", "Yann", json!(["editor"]), None),
    ] {
        let mut body = json!({"mail": mail, "name": name, "language": "fr", "roles": roles});
        if let Some(of) = of {
            body["mission"] = json!(of);
        }
        made.push(invite(&world, admin.who(), body).await.expect(201).json()["id"].clone());
    }
    let found = async |query: &str| {
        let page = world.get(&format!("/v1/accounts?{query}"), admin.who()).await.expect(200).json();
        page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    let only = |which: &[usize]| which.iter().map(|n| made[*n].clone()).collect::<Vec<_>>();
    assert_eq!(found(&format!("mission={ours}")).await, only(&[0, 1]));
    assert_eq!(found("role=mission_admin").await, only(&[1]));
    assert_eq!(found(&format!("role=delegate&mission={theirs}")).await, only(&[2]));
    assert_eq!(found("q=emile").await, only(&[1]));
    assert_eq!(found("q=EMILE_").await, only(&[1]));
    assert_eq!(found("q=emilex").await, only(&[]), "_ is no place for any letter");
    assert_eq!(found("q=100%25").await, only(&[2]));
    assert_eq!(found("q=%25").await, only(&[]));
    assert_eq!(found("q=%C3%89mi").await, only(&[0]));
    // Page by page, by the address that the header gives.
    let mut next = Some("/v1/accounts?limit=2".to_owned());
    let mut all = Vec::new();
    while let Some(path) = next {
        let page = world.get(&path, admin.who()).await.expect(200);
        let link = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
        all.extend(page.json()["items"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        assert_eq!(link.is_some(), !page.json()["next_cursor"].is_null());
        next = link;
    }
    assert_eq!(all.len(), 6, "two administrators among them, one of them the tests' own");
    assert!(made.iter().all(|id| all.contains(id)));
    for (query, status, code) in [
        ("limit=0", 422, "validation_failed"),
        ("limit=201", 422, "validation_failed"),
        ("offset=2", 422, "validation_failed"),
        ("role=root", 422, "validation_failed"),
        ("mission=x", 422, "validation_failed"),
        ("q=%00", 422, "validation_failed"),
        ("cursor=x", 400, "invalid_cursor"),
    ] {
        let reply = world.get(&format!("/v1/accounts?{query}"), admin.who()).await;
        assert_eq!(reply.problem(status), code, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_of_the_version_that_was_read() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let editor = Person::new(&world, Role::Editor, None).await;
    let path = format!("/v1/accounts/{}", editor.account);
    let patch = async |name: &str, version: Option<&str>| {
        ask(&world, Method::PATCH, &path, admin.who(), json!({"name": name}), version).await
    };
    assert_eq!(patch("A", None).await.problem(428), "precondition_required");
    assert_eq!(patch("A", Some("\"v1\"")).await.expect(200).header("etag"), Some("\"v2\""));
    let late = patch("B", Some("\"v1\"")).await;
    assert_eq!((late.problem(412).as_str(), late.header("etag")), ("precondition_failed", Some("\"v2\"")));
    let readers = world.get("/v1/directory/units", admin.who()).await;
    assert_eq!(patch("B", readers.header("etag")).await.problem(412), "precondition_failed");
    let tag = world.get(&path, admin.who()).await.expect(200).header("etag").unwrap().to_owned();
    patch("B", Some(&tag)).await.expect(200);
    let delete = async |version: Option<&str>| ask(&world, Method::DELETE, &path, admin.who(), NO_BODY, version).await;
    assert_eq!(delete(None).await.problem(428), "precondition_required");
    assert_eq!(delete(Some(&tag)).await.problem(412), "precondition_failed");
    delete(Some("\"v3\"")).await.expect(204);
    assert_eq!(world.get(&path, admin.who()).await.problem(404), "not_found");
    // Of edits at one time, one wins.
    let other = Person::new(&world, Role::Editor, None).await;
    let path = format!("/v1/accounts/{}", other.account);
    let edit =
        |n: usize| ask(&world, Method::PATCH, &path, admin.who(), json!({"name": format!("N{n}")}), Some("\"v1\""));
    let edits = futures_util::future::join_all([edit(1), edit(2), edit(3), edit(4)]).await;
    let edits: Vec<u16> = edits.into_iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(edits.iter().filter(|status| **status == 200).count(), 1, "{edits:?}");
    assert!(edits.iter().all(|status| [200, 412].contains(status)), "{edits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_removed_or_has_other_rights_is_refused_within_a_second() {
    let world = World::empty().await;
    let (ours, _) = two_missions(&world).await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let psql = world.database.psql().await;
    for (change, ended_by) in [
        (json!({"suspended": true}), Some("suspended")),
        (json!({"roles": ["editor", "auditor"]}), None),
        (json!({"roles": ["editor", "approver"]}), Some("revoked")),
        (json!({"roles": ["delegate"], "mission": ours}), Some("revoked")),
        (NO_BODY, Some("removed")),
    ] {
        let editor = Person::new(&world, Role::Editor, None).await;
        world.get("/v1/account", editor.who()).await.expect(200);
        let path = format!("/v1/accounts/{}", editor.account);
        let method = if change.is_null() { Method::DELETE } else { Method::PATCH };
        let reply = ask(&world, method, &path, admin.who(), change.clone(), Some("\"v1\"")).await;
        assert!(reply.status.is_success(), "{change} {}", reply.status);
        let (_, took) = world.eventually("/v1/account", editor.who(), |reply| reply.status == 401).await;
        assert!(took.as_millis() < 1000, "{change}: {took:?}");
        let ended = psql.query_one("select ended_by from session where id = $1", &[&editor.session]).await.unwrap();
        assert_eq!(ended.get::<_, Option<&str>>(0), ended_by, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_to_sign_in_with_of_who_is_removed_or_has_moved() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let psql = world.database.psql().await;
    let count = async |account: Uuid| -> i64 {
        let query = "select (select count(*) from password where account_id = $1)
            + (select count(*) from second_factor where account_id = $1)
            + (select count(*) from recovery_code where account_id = $1)
            + (select count(*) from password_link where account_id = $1 and used_at is null)
            + (select count(*) from browser_session where account_id = $1 and ended_at is null)";
        psql.query_one(query, &[&account]).await.unwrap().get(0)
    };
    let equip = async |account: Uuid| {
        let id = AccountId(account);
        let equip = async move |conn: &mut persistence::Conn| {
            let browser = persistence::sign_ins::Browser {
                id: Uuid::now_v7(),
                account: id,
                authenticated_at: None,
                second_factor_at: None,
            };
            let mut hash = [0; 32];
            hash[..16].copy_from_slice(account.as_bytes());
            let later = chrono::Utc::now() + chrono::TimeDelta::days(1);
            persistence::sign_ins::save_password(conn, id, "no password").await?;
            persistence::sign_ins::offer_totp(conn, id, b"secret").await?;
            let totp = persistence::sign_ins::find_totp(conn, id).await?.unwrap();
            persistence::sign_ins::take_step(conn, totp.id, 1).await?;
            persistence::sign_ins::save_recovery_codes(conn, id, &[[1; 32]]).await?;
            persistence::sign_ins::insert_browser(conn, &browser, &hash, later).await?;
            persistence::sign_ins::insert_link(conn, id, &hash, later).await
        };
        world.server.state.db.write::<_, persistence::Error, _>(equip).await.unwrap();
    };
    let removed = Person::new(&world, Role::Editor, None).await;
    equip(removed.account).await;
    assert_eq!(count(removed.account).await, 5);
    let path = format!("/v1/accounts/{}", removed.account);
    let seen = world.get(&path, admin.who()).await.expect(200).json();
    assert_eq!((&seen["status"], &seen["second_factor"]), (&json!("active"), &json!(true)));
    ask(&world, Method::DELETE, &path, admin.who(), NO_BODY, Some("\"v1\"")).await.expect(204);
    assert_eq!(count(removed.account).await, 0);
    let again = invite(&world, admin.who(), invitation(seen["mail"].as_str().unwrap(), &["editor"])).await;
    assert_ne!(again.expect(201).json()["id"], seen["id"], "the mail can be invited again");

    // A lost telephone: the second factor goes, the password stays, and whoever holds the telephone is signed out.
    let lost = Person::new(&world, Role::Approver, None).await;
    equip(lost.account).await;
    let path = format!("/v1/accounts/{}", lost.account);
    ask(&world, Method::DELETE, &format!("{path}/second-factor"), admin.who(), NO_BODY, None).await.expect(204);
    assert_eq!(count(lost.account).await, 2, "the password and a link");
    assert_eq!(world.get(&path, admin.who()).await.expect(200).json()["second_factor"], false);
    world.eventually("/v1/account", lost.who(), |reply| reply.status == 401).await;

    // A link that went to the mail address before sets no password any more.
    ask(&world, Method::PATCH, &path, admin.who(), json!({"mail": "moved@example.org"}), Some("\"v1\""))
        .await
        .expect(200);
    assert_eq!(count(lost.account).await, 1);
    for path in ["invitation", "second-factor"] {
        let method = if path == "invitation" { Method::POST } else { Method::DELETE };
        let none = format!("/v1/accounts/{}/{path}", Uuid::now_v7());
        assert_eq!(ask(&world, method, &none, admin.who(), NO_BODY, None).await.problem(404), "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_administrator_locks_themself_out_and_one_always_stays() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let own = format!("/v1/accounts/{}", admin.account);
    for change in [json!({"suspended": true}), json!({"roles": ["editor"]}), NO_BODY] {
        let method = if change.is_null() { Method::DELETE } else { Method::PATCH };
        let reply = ask(&world, method, &own, admin.who(), change.clone(), Some("\"v1\"")).await;
        assert_eq!(reply.problem(409), "own_account", "{change}");
    }
    ask(&world, Method::PATCH, &own, admin.who(), json!({"roles": ["admin", "editor"]}), Some("\"v1\""))
        .await
        .expect(200);

    // Two who remove each other at one time: one is left.
    for _ in 0..5 {
        let (one, other) = (Person::new(&world, Role::Admin, None).await, Person::new(&world, Role::Admin, None).await);
        let psql = world.database.psql().await;
        let others = "update account set suspended_at = now() where 'admin' = any (roles) and id <> all ($1)";
        psql.execute(others, &[&vec![one.account, other.account]]).await.unwrap();
        for person in [&one, &other] {
            world.get("/v1/account", person.who()).await.expect(200);
        }
        let remove = |by: &Person, whom: Uuid| {
            let request = world.request(Method::DELETE, &format!("/v1/accounts/{whom}"), by.who());
            world.send(request.header("if-match", "*"))
        };
        let (first, second) = tokio::join!(remove(&one, other.account), remove(&other, one.account));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert!(statuses[0] == 204 && [401, 404, 409].contains(&statuses[1]), "{statuses:?}");
        let left =
            "select count(*) from account where 'admin' = any (roles) and suspended_at is null and removed_at is null";
        assert_eq!(psql.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_administrator_reaches_no_account_by_any_trick() {
    let world = World::empty().await;
    let admin = Person::new(&world, Role::Admin, None).await;
    let path = format!("/v1/accounts/{}", admin.account);
    for role in [Role::Delegate, Role::MissionAdmin, Role::Editor, Role::Approver, Role::Auditor] {
        let caller = Person::new(&world, role, role.is_of_a_mission().then(Uuid::now_v7)).await;
        for (method, path) in [
            (Method::GET, "/v1/accounts".to_owned()),
            (Method::POST, "/v1/accounts".to_owned()),
            (Method::GET, path.clone()),
            (Method::PATCH, path.clone()),
            (Method::DELETE, path.clone()),
            (Method::POST, format!("{path}/invitation")),
            (Method::DELETE, format!("{path}/second-factor")),
        ] {
            let reply = ask(&world, method.clone(), &path, caller.who(), json!({"suspended": true}), Some("*")).await;
            assert_eq!(reply.problem(403), "forbidden", "{role:?} {method} {path}");
            assert!(reply.header("www-authenticate").unwrap().contains("accounts:manage"));
        }
        for (method, path) in [
            (Method::POST, path.clone()),
            (Method::PUT, path.clone()),
            (Method::GET, "/v1/accounts/".to_owned()),
            (Method::GET, "/v1/Accounts".to_owned()),
            (Method::GET, "/v1/%2e/accounts".to_owned()),
            (Method::GET, format!("{path}/")),
            (Method::GET, format!("{path}/invitation")),
        ] {
            let request = world.request(method.clone(), &path, caller.who());
            let request = request.header("x-http-method-override", "DELETE").header("x-method-override", "DELETE");
            let status = world.send(request).await.status.as_u16();
            assert!([403, 404, 405].contains(&status), "{role:?} {method} {path} {status}");
        }
    }
    world.get(&path, admin.who()).await.expect(200);
}
