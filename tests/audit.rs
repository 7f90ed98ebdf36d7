//! The audit: who did what, to what, by what, with what was before and after; and nobody changes it or reads it
//! who may not.

use std::collections::BTreeSet;

use api::identity::Who as Caller;
use domain::identity::SessionEnd;
use domain::{Act, Actor, Role};
use persistence::{accounts, sessions, sign_ins};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::{MISSION, Reply, Who, World, people};

/// The entries of a query, newest first.
async fn entries(world: &World, auditor: &str, query: &str) -> Vec<Value> {
    let page = world.get(&format!("/v1/audit?limit=200&{query}"), Who::Token(auditor)).await.expect(200).json();
    page["items"].as_array().unwrap().clone()
}

async fn export(world: &World, auditor: &str, query: &str) -> Vec<Value> {
    let reply = world.get(&format!("/v1/exports/audit?{query}"), Who::Token(auditor)).await.expect(200);
    let text = String::from_utf8(reply.bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The number of the newest entry.
async fn newest(world: &World) -> i64 {
    let row = world.database.psql().await.query_one("select coalesce(max(n), 0) from audit_entry", &[]).await.unwrap();
    row.get(0)
}

/// A person who has signed in, and their token.
async fn signed_in(world: &World, role: Role) -> (Caller, String) {
    let who = people::person(&world.server, role, role.is_of_a_mission().then_some(MISSION)).await;
    (who, people::issue(&world.server, who, role.scopes().collect()))
}

fn request_id(reply: &Reply) -> String {
    reply.header("x-request-id").unwrap().to_owned()
}

/// Kind, part, operation and what was and is.
fn what(entry: &Value) -> (&str, Option<&str>, &str, &Value, &Value) {
    let text = |field: &str| entry[field].as_str();
    (text("kind").unwrap(), text("part"), text("op").unwrap(), &entry["before"], &entry["after"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_noted_with_who_made_it_by_what_and_what_was_and_is() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    let (who, editor) = signed_in(&world, Role::Editor).await;
    let Caller::Person { account, app, session } = who else { panic!("{who:?}") };
    let rows = [organization("o"), unit("u", "o"), function("f", "u"), person("p", "Before")];
    let made = world.import("directory", "", &editor, &rows).await.expect(200);
    let made = entries(&world, &auditor, &format!("request={}", request_id(&made))).await;
    let kinds: BTreeSet<&str> = made.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!((made.len(), kinds), (4, BTreeSet::from(["function", "organization", "person", "unit"])));
    let p = made.iter().find(|entry| entry["kind"] == "person").unwrap();
    assert_eq!(
        (&p["op"], &p["before"], &p["after"]["family_name"]),
        (&json!("insert"), &Value::Null, &json!("Before"))
    );

    let holds = person("p", "After").with("functions", json!([{"function": "f"}]));
    let changed = world.import("directory", "", &editor, &[holds.clone(), organization("o")]).await.expect(200);
    let noted = entries(&world, &auditor, &format!("object={}", p["object"].as_str().unwrap())).await;
    let f = made.iter().find(|entry| entry["kind"] == "function").unwrap();
    let expected_holding = json!({"function_id": f["object"]});
    let (was, is) = (json!({"family_name": "Before"}), json!({"family_name": "After"}));
    assert_eq!(what(&noted[0]), ("person", Some("holding"), "insert", &Value::Null, &expected_holding));
    assert_eq!(what(&noted[1]), ("person", None, "update", &was, &is));
    assert_eq!(&noted[2], p);
    let by = &noted[1];
    assert_eq!(by["actor"], json!({"kind": "person", "id": account.0, "name": "Somebody of a test"}));
    assert_eq!((&by["client"], &by["session"]), (&json!(app.0), &json!(session.0)));
    assert_eq!(by["request_id"], request_id(&changed));
    assert_eq!(by["database_role"], "focalpoint");
    assert_eq!(noted.len(), 3);

    let alone = [holds.with("functions", json!([]))];
    let changed = world.import("directory", "&mode=replace&force=true", &editor, &alone).await.expect(200);
    let gone = entries(&world, &auditor, &format!("request={}", request_id(&changed))).await;
    let closed: Vec<&Value> = gone.iter().filter(|entry| entry["after"]["closed_at"].is_string()).collect();
    assert_eq!((gone.len(), closed.len()), (4, 3), "{gone:?}");
    let ended = gone.iter().find(|entry| entry["op"] == "delete").unwrap();
    assert_eq!(what(ended), ("person", Some("holding"), "delete", &expected_holding, &Value::Null));
    assert_eq!(closed[0]["before"], json!({"closed_at": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_nothing_is_not_noted() {
    let world = World::demonstration().await;
    let admin = world.token(Role::Admin).await;
    let before = newest(&world).await;
    for feature in ["directory", "inf-notes", "bulletins", "event-costs"] {
        let rows = std::fs::read(crate::harness::top().join(format!("data/demonstration/{feature}.ndjson"))).unwrap();
        let path = format!("/v1/imports/{feature}?source=demonstration&mode=replace");
        let request = world.request(Method::POST, &path, Who::Token(&admin));
        world.send(request.header("content-type", "application/x-ndjson").body(rows)).await.expect(200);
    }
    world.import("directory", "&dry_run=true", &admin, &[organization("o")]).await.expect(200);
    let bad = [organization("o"), unit("u", "o").with("parent", json!("u"))];
    world.import("directory", "", &admin, &bad).await.expect(422);
    world
        .database
        .psql()
        .await
        .batch_execute("update unit set closed_at = closed_at; delete from unit where false")
        .await
        .unwrap();
    assert_eq!(newest(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_request_does_is_noted_as_somebody_elses() {
    let world = World::empty().await;
    let (editor, officer) = (world.token(Role::Editor).await, world.token(Role::SecurityOfficer).await);
    let importer = world.token(Role::Importer).await;
    let before = newest(&world).await;
    let card = std::fs::read_to_string(crate::harness::top().join("data/demonstration/event-costs.ndjson")).unwrap();
    let done = [
        world.import("directory", "", &editor, &[organization("o")]).await,
        world.import("inf-notes", "", &importer, &[crate::inf_notes::note("A/INF/80/1")]).await,
        world.import("bulletins", "", &officer, &[crate::bulletins::bulletin("b")]).await,
        world.import("directory", "&mode=replace&force=true", &importer, &[organization("p")]).await,
    ];
    let requests: BTreeSet<Uuid> = done.into_iter().map(|r| request_id(&r.expect(200)).parse().unwrap()).collect();
    // The units that its rates name are not there: an import that is refused after it has written.
    world.import_text("event-costs", "", &editor, card).await.expect(422);
    let path = "/v1/imports/directory?source=later";
    let later = world.request(Method::POST, path, Who::Token(&editor)).header("prefer", "respond-async");
    let later = later.header("content-type", "application/x-ndjson").body(organization("q").to_string());
    let later = world.send(later).await.expect(202);
    let address = later.header("location").unwrap().to_owned();
    world.eventually(&address, Who::Token(&editor), |reply| reply.json()["state"] == "committed").await;
    let psql = world.database.psql().await;
    let noted = "select request_id, actor_kind from audit_entry where n > $1";
    let noted = psql.query(noted, &[&before]).await.unwrap();
    let by: BTreeSet<Uuid> = noted.iter().map(|row| row.get::<_, Option<Uuid>>(0).unwrap()).collect();
    let kinds: BTreeSet<String> = noted.iter().map(|row| row.get(1)).collect();
    assert_eq!(kinds, BTreeSet::from(["client".to_owned(), "person".to_owned()]));
    assert_eq!(by, &requests | &BTreeSet::from([request_id(&later).parse().unwrap()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_time_and_operators_do_is_told_apart() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    let embargoed = crate::inf_notes::note("A/INF/80/1").with("embargo_until", json!("2099-01-01T00:00:00Z"));
    world.have("inf-notes", &[embargoed]).await;
    let psql = world.database.psql().await;
    psql.execute("update inf_note set embargo_until = now()", &[]).await.unwrap();
    let published = |reply: &Reply| reply.json()["items"][0]["actor"]["kind"] == "system";
    let query = "/v1/audit?kind=inf_note&op=update";
    let (reply, _) = world.eventually(query, Who::Token(&auditor), published).await;
    let items = reply.json()["items"].clone();
    assert!(items[0]["after"]["published_at"].is_string() && items[0]["request_id"].is_null(), "{items}");
    assert_eq!(items[1]["actor"], json!({"kind": "operator"}));
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert_eq!(entries(&world, &auditor, "kind=inf_note&actor=operator").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_person_is_found_without_what_they_prove_themself_by() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    let (chief, _) = signed_in(&world, Role::MissionAdmin).await;
    let (who, _) = signed_in(&world, Role::Delegate).await;
    let Caller::Person { account, session, .. } = who else { panic!("{who:?}") };
    let Caller::Person { account: by, .. } = chief else { panic!("{chief:?}") };
    let before = newest(&world).await;
    let actor = Actor::Person { account: by, app: None, session: None };
    let db = world.server.state.db.acting(Act { actor, request: Some(Uuid::from_u128(77)) });
    let secret = |byte: u8| [byte; 32];
    db.write::<_, persistence::Error, _>(async move |conn| {
        let mut delegate = accounts::lock(conn, account).await?;
        delegate.name = "Renamed".into();
        accounts::save(conn, &delegate).await?;
        sign_ins::save_password(conn, account, "$argon2id$first").await?;
        sign_ins::save_password(conn, account, "$argon2id$second").await?;
        sign_ins::insert_link(conn, account, &secret(1), chrono::Utc::now()).await?;
        sign_ins::offer_totp(conn, account, &secret(2)).await?;
        let totp = sign_ins::find_totp(conn, account).await?.unwrap();
        sign_ins::take_step(conn, totp.id, 5).await?;
        sign_ins::take_step(conn, totp.id, 6).await?;
        sign_ins::save_recovery_codes(conn, account, &[secret(3), secret(4)]).await?;
        sign_ins::use_recovery_code(conn, account, &secret(3)).await?;
        let browser = sign_ins::Browser { id: Uuid::now_v7(), account, authenticated_at: None, second_factor_at: None };
        sign_ins::insert_browser(conn, &browser, &secret(5), chrono::Utc::now()).await?;
        sessions::rotate(conn, session, 1).await?;
        sessions::end_everything(conn, account, SessionEnd::Revoked).await?;
        persistence::sessions::prune(conn).await?;
        sign_ins::remove_factors(conn, account).await
    })
    .await
    .unwrap();

    let mut noted = entries(&world, &auditor, &format!("subject={}", account.0)).await;
    noted.retain(|entry| entry["id"].as_i64() > Some(before));
    noted.reverse();
    let told: Vec<String> = noted
        .iter()
        .map(|entry| {
            let (kind, part, op, was, is) = what(entry);
            let columns = |image: &Value| {
                image.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(" ")
            };
            format!("{op} {kind} {}: {} > {}", part.unwrap_or("-"), columns(was), columns(is))
        })
        .collect();
    assert_eq!(
        told,
        [
            "update account -: name > name",
            "insert account password:  > set_at",
            "update account password: set_at > set_at",
            "insert account second_factor:  > created_at id kind",
            "update account second_factor: confirmed_at id > confirmed_at id",
            "insert account recovery_code:  > ",
            "update account recovery_code: used_at > used_at",
            "insert browser_session -:  > account_id created_at",
            "update browser_session -: ended_at > ended_at",
            "update session -: ended_at ended_by > ended_at ended_by",
            "delete account second_factor: confirmed_at created_at id kind > ",
            "delete account recovery_code:  > ",
            "delete account recovery_code: used_at > ",
        ]
        .map(str::to_owned)
        .to_vec()
    );
    for entry in &noted {
        assert_eq!((&entry["subject"], &entry["mission"]), (&json!(account.0), &json!(MISSION)));
        assert_eq!(entry["actor"], json!({"kind": "person", "id": by.0, "name": "Somebody of a test"}));
    }
    let of_the_session = entries(&world, &auditor, &format!("object={}", session.0)).await;
    assert_eq!(of_the_session.len(), 2, "that it began, and that it ended");
    assert_eq!(entries(&world, &auditor, &format!("person={}", by.0)).await.len(), noted.len());
    let all = entries(&world, &auditor, &format!("mission={MISSION}")).await;
    assert!(all.iter().any(|entry| entry["subject"] == json!(by.0)) && all.len() > noted.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_in_an_entry() {
    let world = World::demonstration().await;
    people::person(&world.server, Role::Admin, None).await;
    let psql = world.database.psql().await;
    psql.execute("update oauth_client set secret_hash = secret_hash || 'x'", &[]).await.unwrap();
    let secrets = psql
        .query(
            "select c.relname::text, a.attname::text, pg_get_triggerdef(t.oid)
             from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_attribute a on a.attrelid = c.oid
             where t.tgname = 'audit_insert' and a.attnum > 0 and a.attname <> 'source_key'
                and (a.atttypid = 'bytea'::regtype or a.attname ~ 'hash|secret|private|token|(^|_)key$|code_challenge')",
            &[],
        )
        .await
        .unwrap();
    assert!(secrets.len() >= 8, "{}", secrets.len());
    for row in secrets {
        let (table, column, trigger): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (_, left_out) = trigger.rsplit_once("'{").unwrap();
        let left_out = left_out.split_once("}'").unwrap().0;
        assert!(left_out.split(',').any(|name| name == column), "{table}.{column}: {trigger}");
    }
    let columns = "select distinct key from audit_entry, jsonb_each(coalesce(before, '{}') || coalesce(after, '{}'))
        where key ~ 'hash|secret|private|token|(^|_)key$'";
    let columns: Vec<String> = psql.query(columns, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(columns, ["source_key"]);
    let hashes = psql
        .query(
            "select from audit_entry e, oauth_client c
             where strpos(e::text, c.secret_hash) > 0 or strpos(e::text, 'argon2') > 0 limit 1",
            &[],
        )
        .await
        .unwrap();
    assert!(hashes.is_empty());
    let replaced = "select count(*) from audit_entry where kind = 'client' and after = '{\"rights_version\": 2}'";
    assert!(psql.query_one(replaced, &[]).await.unwrap().get::<_, i64>(0) > 5, "that a secret was replaced is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_only_added_to() {
    let world = World::empty().await;
    world.have("directory", &[organization("o")]).await;
    let owner = world.database.psql().await;
    let before = newest(&world).await;
    for mode in ["origin", "replica"] {
        owner.batch_execute(&format!("set session_replication_role = {mode}")).await.unwrap();
        for statement in [
            "update audit_entry set actor_kind = 'system'",
            "update audit_entry set after = null where false",
            "delete from audit_entry",
            "truncate audit_entry",
            "truncate password",
        ] {
            let refused = owner.batch_execute(statement).await.unwrap_err();
            let code = refused.code().unwrap().code().to_owned();
            assert!(["42501", "0A000"].contains(&code.as_str()), "{statement}: {refused:?}");
        }
        owner.batch_execute("update organization set audience = 'secretariat'").await.unwrap();
        owner.batch_execute("update organization set audience = 'public'").await.unwrap();
    }
    assert_eq!(newest(&world).await, before + 4, "who replicates is noted, too");

    let guide = std::fs::read_to_string(crate::harness::top().join("docs/production.md")).unwrap();
    let drop_old = guide.split("```sql\n").find(|block| block.contains("disable trigger append_only")).unwrap();
    let drop_old = drop_old.split_once("```").unwrap().0.replace("2024-01-01", "2999-01-01");
    owner.batch_execute(&drop_old).await.unwrap();
    let left = owner.query_one("select count(*) from audit_entry", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0, "as the guide says, old entries can be dropped");
    owner.batch_execute("update organization set audience = 'delegates'").await.unwrap();
    assert!(owner.batch_execute("delete from audit_entry").await.is_err(), "and after that no others");
}

/// The short list is of what is no content and nobody's: the log, the migrations, and what shows by something else.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_followed_or_known_not_to_be() {
    let world = World::empty().await;
    let unfollowed = world
        .database
        .psql()
        .await
        .query(
            "select c.relname::text from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
               and c.relname not in ('sync_head', 'sync_tx', 'sync_log', '__diesel_schema_migrations', 'import_run',
                   'audit_entry', 'password_link', 'authorization_code', 'mail')
               and (select count(distinct t.tgtype) from pg_trigger t
                    where t.tgrelid = c.oid and t.tgname like 'audit_%' and t.tgenabled = 'A')
                    < case when c.relname in ('session', 'browser_session') then 3 else 4 end",
            &[],
        )
        .await
        .unwrap();
    let unfollowed: Vec<String> = unfollowed.iter().map(|row| row.get(0)).collect();
    assert_eq!(unfollowed, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_each_other_and_a_cursor_goes_through_all() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    let (who, editor) = signed_in(&world, Role::Editor).await;
    let Caller::Person { account, app, session } = who else { panic!("{who:?}") };
    let rows: Vec<Value> = (0..25).map(|n| organization(&format!("o{n}"))).collect();
    let done = world.import("directory", "", &editor, &rows).await.expect(200);
    let importer = world.token(Role::Importer).await;
    world.import("directory", "", &importer, &[organization("x"), mission("m", "x")]).await.expect(200);
    let all = entries(&world, &auditor, "").await;
    let numbers: Vec<i64> = all.iter().map(|entry| entry["id"].as_i64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b) && all.len() > 27, "{numbers:?}");

    let moment = all.iter().find(|entry| entry["kind"] == "mission").unwrap()["at"].as_str().unwrap();
    for (query, field, value) in [
        (format!("person={}", account.0), "/actor/id", json!(account.0)),
        (format!("client={}", app.0), "/client", json!(app.0)),
        (format!("session={}", session.0), "/session", json!(session.0)),
        (format!("request={}", request_id(&done)), "/request_id", json!(request_id(&done))),
        ("kind=organization&op=insert&actor=person".to_owned(), "/actor/kind", json!("person")),
        (format!("kind=organization&until={moment}&actor=person"), "/kind", json!("organization")),
    ] {
        let found = entries(&world, &auditor, &query).await;
        assert_eq!(found.len(), 25, "{query}");
        assert!(found.iter().all(|entry| entry.pointer(field) == Some(&value)), "{query}");
    }
    assert_eq!(entries(&world, &auditor, &format!("since={moment}")).await.len(), 1);
    assert_eq!(entries(&world, &auditor, "kind=bulletin").await, Vec::<Value>::new());
    assert_eq!(entries(&world, &auditor, &format!("person={}&kind=mission", account.0)).await, Vec::<Value>::new());

    let (mut paged, mut path) = (Vec::new(), "/v1/audit?limit=7&kind=organization".to_owned());
    loop {
        let reply = world.get(&path, Who::Token(&auditor)).await.expect(200);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        paged.extend(reply.json()["items"].as_array().unwrap().clone());
        let Some(link) = reply.header("link") else { break };
        path = link[1..].split_once('>').unwrap().0.to_owned();
    }
    assert_eq!(paged, entries(&world, &auditor, "kind=organization").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_filter_is_refused() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    for path in ["/v1/audit", "/v1/exports/audit"] {
        for bad in [
            "object=1",
            "object=%27%20or%201=1",
            "person=",
            "client=%00",
            "session=x",
            "request=00000000-0000-0000-0000-00000000000g",
            "subject=a&subject=b",
            "mission=*",
            "kind=organizations",
            "kind=%F0%9F%92%A9",
            "op=select",
            "actor=root",
            "since=yesterday",
            "until=2026-02-30T00:00:00Z",
            "since=2026-09-21T08:00:00+02:00",
        ] {
            let reply = world.get(&format!("{path}?{bad}"), Who::Token(&auditor)).await;
            assert_eq!(reply.problem(422), "validation_failed", "{path}?{bad}");
        }
    }
    for bad in ["after=-1", "after=x", "after=9223372036854775808", "format=xml"] {
        let reply = world.get(&format!("/v1/exports/audit?{bad}"), Who::Token(&auditor)).await;
        assert_eq!(reply.problem(422), "validation_failed", "{bad}");
    }
    let foreign = world.get(
        "/v1/audit?cursor=WyIvdjEvYXVkaXQiLCJ4IiwiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIl0",
        Who::Token(&auditor),
    );
    assert_eq!(foreign.await.problem(400), "invalid_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_auditors_read_it() {
    let world = World::empty().await;
    for path in ["/v1/audit", "/v1/exports/audit"] {
        assert_eq!(world.get(path, Who::Stranger).await.problem(401), "invalid_token");
        for role in Role::ALL {
            let token = world.token(role).await;
            let reply = world.get(path, Who::Token(&token)).await;
            match role {
                Role::Auditor => drop(reply.expect(200)),
                _ => assert_eq!(reply.problem(403), "forbidden", "{role:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_the_list_has_in_both_forms_and_is_noted() {
    let world = World::empty().await;
    let (who, auditor) = signed_in(&world, Role::Auditor).await;
    let mut rows: Vec<Value> = (0..420).map(|n| organization(&format!("o{n}"))).collect();
    rows.push(organization("=cmd").with("name", json!({"en": "\"quoted\", =1+1"})));
    world.have("directory", &rows).await;
    world.database.psql().await.execute("update oauth_client set name = '=evil()'", &[]).await.unwrap();
    world.database.psql().await.execute("update account set name = '@sum(1)'", &[]).await.unwrap();

    let exported = export(&world, &auditor, "kind=organization").await;
    let (mut listed, mut path) = (Vec::new(), "/v1/audit?limit=200&kind=organization".to_owned());
    loop {
        let page = world.get(&path, Who::Token(&auditor)).await.expect(200);
        listed.extend(page.json()["items"].as_array().unwrap().clone());
        let Some(link) = page.header("link") else { break };
        path = link[1..].split_once('>').unwrap().0.to_owned();
    }
    listed.reverse();
    assert_eq!((exported.len(), &exported), (421, &listed));

    let request = world.request(Method::GET, "/v1/exports/audit?kind=organization", Who::Token(&auditor));
    let csv = world.send(request.header("accept", "text/csv")).await.expect(200);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert_eq!(csv.header("cache-control"), Some("no-store"));
    let mut reader = csv::Reader::from_reader(csv.bytes.as_slice());
    let columns = reader.headers().unwrap().clone();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), listed.len());
    for (record, entry) in records.iter().zip(&listed) {
        for (column, cell) in columns.iter().zip(record) {
            let value = entry.pointer(&format!("/{}", column.replace('.', "/"))).unwrap_or(&Value::Null);
            let expected = match (column, value) {
                (_, Value::Null) => String::new(),
                ("before" | "after", image) => image.to_string(),
                ("actor.name", name) => format!("'{}", name.as_str().unwrap()),
                (_, Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            };
            assert_eq!(cell, expected, "{column}");
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{cell}");
        }
    }

    let last = exported[400]["id"].as_i64().unwrap();
    assert_eq!(export(&world, &auditor, &format!("kind=organization&after={last}")).await, exported[401..]);
    let noted = entries(&world, &auditor, "op=export").await;
    let Caller::Person { account, .. } = who else { panic!("{who:?}") };
    assert_eq!(noted.len(), 3);
    assert_eq!((&noted[0]["kind"], &noted[0]["actor"]["id"]), (&json!("audit"), &json!(account.0)));
    assert_eq!(noted[0]["after"], json!({"kind": "organization", "after": last.to_string()}));
    assert_eq!(noted[0]["object"], noted[0]["request_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_export_misses_nothing_that_commits_late() {
    let world = World::empty().await;
    let auditor = world.token(Role::Auditor).await;
    world.have("directory", &[organization("o")]).await;
    let seen = export(&world, &auditor, "").await;
    let last = seen.last().unwrap()["id"].as_i64().unwrap();
    let (late, other) = (world.database.psql().await, world.database.psql().await);
    late.batch_execute("begin; update organization set audience = 'secretariat'").await.unwrap();
    other
        .batch_execute("update app set name = 'Early' where id = (select min(id::text)::uuid from app)")
        .await
        .unwrap();
    let audit = format!("after={last}&actor=operator");
    assert_eq!(export(&world, &auditor, &audit).await, Vec::<Value>::new(), "a lower number may still come");
    assert_eq!(entries(&world, &auditor, "actor=operator&op=update").await.len(), 1, "the list shows it at once");
    late.batch_execute("savepoint s; update organization set audience = 'public'; rollback to s; commit")
        .await
        .unwrap();
    let follow = export(&world, &auditor, &audit).await;
    let kinds: Vec<&str> = follow.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["organization", "app"]);
}
