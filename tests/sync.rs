//! A phone's copy.

pub(crate) mod pages;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::{Who, World};

/// A copy as the guide tells a phone to keep it.
#[derive(Default)]
pub(crate) struct Copy {
    pub(crate) objects: BTreeMap<(String, String), Value>,
    pub(crate) token: Option<String>,
}

impl Copy {
    pub(crate) async fn pull(&mut self, world: &World, bearer: &str) -> Value {
        let query = self.token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default();
        let reply = world.get(&format!("/v1/sync{query}"), Who::Token(bearer)).await.expect(200).json();
        let key =
            |object: &Value| (object["kind"].as_str().unwrap().to_owned(), object["id"].as_str().unwrap().to_owned());
        for put in reply["put"].as_array().unwrap() {
            self.objects.insert(key(put), put["object"].clone());
        }
        for removed in reply["remove"].as_array().unwrap() {
            assert!(self.objects.remove(&key(removed)).is_some(), "only what the copy has is removed: {removed}");
        }
        assert_eq!(reply["complete"], true);
        self.token = Some(reply["token"].as_str().unwrap().to_owned());
        reply
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.objects.keys().filter(|(k, _)| k == kind).count()
    }
}

async fn settled(world: &World, bearer: &str, rev: i64) {
    let path = format!("/v1/directory/units?min_rev=directory%3D{rev}");
    world.get(&path, Who::Token(bearer)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_follows_additions_changes_and_removals() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    assert_eq!(copy.objects.len(), 0, "a token before anything happened is good");

    world.have("directory", &[organization("o"), unit("u", "o"), unit("v", "o")]).await;
    let added = copy.pull(&world, &token).await;
    assert_eq!((added["put"].as_array().unwrap().len(), copy.count("unit")), (3, 2));

    let psql = world.database.psql().await;
    psql.execute("update unit set name = '{\"en\": \"New\"}' where source_key = 'u'", &[]).await.unwrap();
    psql.execute("update unit set closed_at = now() where source_key = 'v'", &[]).await.unwrap();
    settled(&world, &token, 3).await;
    let changed = copy.pull(&world, &token).await;
    assert_eq!(changed["put"].as_array().unwrap().len(), 1);
    assert_eq!(changed["remove"].as_array().unwrap().len(), 1);

    let nothing = copy.pull(&world, &token).await;
    assert_eq!((&nothing["put"], &nothing["remove"]), (&json!([]), &json!([])));
    let mut anew = Copy::default();
    anew.pull(&world, &token).await;
    assert_eq!(anew.objects, copy.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_a_copy_is_the_one_at_its_address() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    let addresses = BTreeMap::from([
        ("organization", "directory/organizations"),
        ("unit", "directory/units"),
        ("function", "directory/functions"),
        ("mission", "directory/missions"),
        ("person", "directory/people"),
        ("service", "directory/services"),
        ("bulletin", "bulletins"),
        ("place", "entrances"),
    ]);
    for (kind, address) in addresses {
        let ((_, id), object) = copy.objects.iter().find(|((k, _), _)| k == kind).unwrap();
        let reply = world.get(&format!("/v1/{address}/{id}"), Who::Token(&token)).await.expect(200);
        assert_eq!(&reply.json(), object, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_from_an_audience_is_removed_whatever_came_after() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), unit("u", "o")]).await;
    let (delegate, editor) = (world.token(Role::Delegate).await, world.token(Role::Editor).await);
    let (mut delegates, mut editors) = (Copy::default(), Copy::default());
    delegates.pull(&world, &delegate).await;
    editors.pull(&world, &editor).await;

    let psql = world.database.psql().await;
    psql.execute("update unit set audience = 'secretariat'", &[]).await.unwrap();
    // The latest step alone was never visible to a delegate.
    psql.execute("update unit set name = '{\"en\": \"Inside\"}'", &[]).await.unwrap();
    settled(&world, &editor, 3).await;

    let told = delegates.pull(&world, &delegate).await;
    assert_eq!((told["put"].clone(), told["remove"].as_array().unwrap().len()), (json!([]), 1));
    assert!(!told.to_string().contains("Inside"));
    editors.pull(&world, &editor).await;
    assert_eq!((delegates.count("unit"), editors.count("unit")), (0, 1));

    // What was never visible is not mentioned at all.
    psql.execute("update unit set closed_at = now()", &[]).await.unwrap();
    settled(&world, &editor, 4).await;
    assert_eq!(delegates.pull(&world, &delegate).await["remove"], json!([]));
    assert_eq!(editors.pull(&world, &editor).await["remove"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_missions_is_in_their_copies_alone() {
    let world = World::empty().await;
    let rows = [
        organization("o"),
        mission("a", "o"),
        mission("b", "o"),
        unit("u", "o").with("audience", json!({"missions": ["a"]})),
    ];
    world.have("directory", &rows).await;
    let psql = world.database.psql().await;
    let id = async |key: &str| -> Uuid {
        psql.query_one("select id from mission where source_key = $1", &[&key]).await.unwrap().get(0)
    };
    let (a, b) = (id("a").await, id("b").await);
    let (a, b) = (world.token_for(Role::Delegate, Some(a)).await, world.token_for(Role::Delegate, Some(b)).await);
    let unit: Uuid = psql.query_one("select id from unit", &[]).await.unwrap().get(0);
    for (token, sees) in [(&a, true), (&b, false)] {
        let mut copy = Copy::default();
        copy.pull(&world, token).await;
        assert_eq!(copy.count("unit"), usize::from(sees));
        let get = world.get(&format!("/v1/directory/units/{unit}"), Who::Token(token)).await;
        assert_eq!(get.status, if sees { 200 } else { 404 });
        for path in ["/v1/directory/units", "/v1/directory/search?q=unit"] {
            let list = world.get(path, Who::Token(token)).await.expect(200).json();
            assert_eq!(list["items"].as_array().unwrap().len(), usize::from(sees), "{path}");
        }
    }
    // The answer for what one may not see is the one for what is not there.
    let hidden = world.get(&format!("/v1/directory/units/{unit}"), Who::Token(&b)).await;
    let absent = world.get(&format!("/v1/directory/units/{}", Uuid::now_v7()), Who::Token(&b)).await;
    let without_id = |reply: &crate::harness::Reply| {
        let mut body = reply.json();
        body["request_id"] = json!(null);
        body
    };
    assert_eq!(without_id(&hidden), without_id(&absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_leaves_with_the_visibility_of_its_holder() {
    let world = World::empty().await;
    let rows = [
        organization("o"),
        unit("u", "o"),
        function("f", "u"),
        person("p", "Okafor").with("functions", json!([{"function": "f"}])),
    ];
    world.have("directory", &rows).await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    let holders = |copy: &Copy| copy.objects.iter().find(|((k, _), _)| k == "function").unwrap().1["holders"].clone();
    assert_eq!(holders(&copy).as_array().unwrap().len(), 1);
    let psql = world.database.psql().await;
    psql.execute("update person set audience = 'secretariat'", &[]).await.unwrap();
    settled(&world, &token, 2).await;
    copy.pull(&world, &token).await;
    assert_eq!((holders(&copy), copy.count("person")), (json!([]), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_and_a_service_change_with_the_visibility_of_a_function() {
    let world = World::empty().await;
    let service = json!({"kind": "service", "key": "s", "name": {"en": "Service"},
        "contact_points": [{"duty_station": "NY", "function": "f"}], "provenance": {"confidence": "sample"}});
    let rows = [
        organization("o"),
        unit("u", "o"),
        function("f", "u"),
        person("p", "Okafor").with("functions", json!([{"function": "f"}])),
        service,
    ];
    world.have("directory", &rows).await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    world.database.psql().await.execute("update function set closed_at = now()", &[]).await.unwrap();
    settled(&world, &token, 2).await;
    copy.pull(&world, &token).await;
    let mut anew = Copy::default();
    anew.pull(&world, &token).await;
    assert_eq!(copy.objects, anew.objects);
}

/// One transaction hides a person while another gives that person a function.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_overlap_leave_no_copy_behind() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), unit("u", "o"), function("f", "u"), person("p", "Okafor")]).await;
    let token = world.token(Role::Delegate).await;
    let (one, other) = (world.database.psql().await, world.database.psql().await);
    one.batch_execute("begin; update person set audience = 'secretariat'").await.unwrap();
    let insert = tokio::spawn(async move {
        other
            .execute("insert into holding (person_id, function_id) select p.id, f.id from person p, function f", &[])
            .await
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    one.batch_execute("commit").await.unwrap();
    insert.await.unwrap().unwrap();
    settled(&world, &token, 3).await;
    copy.pull(&world, &token).await;
    let mut anew = Copy::default();
    anew.pull(&world, &token).await;
    assert_eq!(copy.objects, anew.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_public_only_inside_a_transaction_is_not_mentioned() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    let insert = "insert into organization (id, source, source_key, audience, name, provenance)
        values (gen_random_uuid(), 'psql', 'x', 'public', '{\"en\": \"X\"}', '{\"confidence\": \"sample\"}')";
    let hide = "update organization set audience = 'secretariat'";
    world.database.psql().await.batch_execute(&format!("begin; {insert}; {hide}; commit")).await.unwrap();
    settled(&world, &token, 1).await;
    let told = copy.pull(&world, &token).await;
    assert_eq!((&told["put"], &told["remove"]), (&json!([]), &json!([])));
}

fn with_bytes(token: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    change(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_be_continued_is_told_why() {
    let world = World::empty().await;
    world.have("directory", &[organization("o")]).await;
    let (a, b) = (world.token(Role::Delegate).await, world.token_for(Role::Delegate, Some(Uuid::now_v7())).await);
    let mut copy = Copy::default();
    copy.pull(&world, &a).await;
    let token = copy.token.clone().unwrap();
    let ask = async |bearer: &str, token: &str, more: &str| {
        let reply = world.get(&format!("/v1/sync?token={token}{more}"), Who::Token(bearer)).await;
        let problem = reply.json();
        (reply.status.as_u16(), problem["reason"].as_str().map(str::to_owned))
    };
    let gone = |reason: &str| (410, Some(reason.to_owned()));
    assert_eq!(ask(&a, &token, "").await, (200, None));
    assert_eq!(ask(&b, &token, "").await, gone("audience-changed"));
    assert_eq!(ask(&a, &token, "&lang=fr").await, gone("audience-changed"));
    assert_eq!(ask(&a, &with_bytes(&token, |t| t[1] = 99), "").await, gone("schema"));
    // The directory is the last of four positions: 8 bytes of revision, 16 of nonce.
    let directory = 11 + 3 * 24;
    assert_eq!(ask(&a, &with_bytes(&token, |t| t[directory + 7] = 200), "").await, gone("rewound"));
    assert_eq!(ask(&a, &with_bytes(&token, |t| t[directory + 8] ^= 1), "").await, gone("rewound"));
    for junk in
        ["", "x", "AAAA", &with_bytes(&token, |t| t[0] = 9), &with_bytes(&token, |t| t.truncate(50)), &"A".repeat(5000)]
    {
        assert_eq!(
            world.get(&format!("/v1/sync?token={junk}"), Who::Token(&a)).await.problem(400),
            "invalid_sync_token"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_older_than_the_log_has_expired() {
    let world = World::empty().await;
    world.have("directory", &[organization("o")]).await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    let psql = world.database.psql().await;
    for n in 0..3 {
        psql.execute(&format!("update organization set name = '{{\"en\": \"{n}\"}}'"), &[]).await.unwrap();
    }
    psql.execute("update sync_tx set at = now() - interval '31 days' where stream = 'directory'", &[]).await.unwrap();
    world.server.state.db.write(async |conn| persistence::log::prune(conn).await).await.unwrap();
    // Another process, which has only what the log still has.
    let other = World { server: api::start(crate::harness::config(&world.database.url)).await.unwrap(), ..world };
    let reply = other.get(&format!("/v1/sync?token={}", copy.token.unwrap()), Who::Token(&token)).await;
    assert_eq!((reply.problem(410).as_str(), reply.json()["reason"].as_str()), ("sync_gone", Some("expired")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_rewound_under_a_running_server_is_noticed() {
    let world = World::empty().await;
    world.have("directory", &[organization("o")]).await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    let psql = world.database.psql().await;
    // As a restored backup would have it: the same revision by another transaction.
    psql.batch_execute(
        "begin;
         update sync_tx set nonce = gen_random_uuid() where stream = 'directory' and rev = 1;
         update sync_head set nonce = (select nonce from sync_tx where stream = 'directory' and rev = 1) where stream = 'directory';
         commit",
    )
    .await
    .unwrap();
    let path = format!("/v1/sync?token={}", copy.token.unwrap());
    let (reply, _) =
        world.eventually(&path, Who::Token(&token), |reply| reply.status != 200 && reply.status != 503).await;
    assert_eq!(reply.json()["reason"], "rewound");
}

/// Revisions are counted, so no clock can put one before another.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_hides_no_change_and_unpublishes_nothing() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&world, &token).await;
    world.have("directory", &[organization("o"), unit("u", "o")]).await;
    copy.pull(&world, &token).await;
    let psql = world.database.psql().await;
    // As if all that had been written by a clock that was two hours ahead, and has just been put right.
    psql.batch_execute("update sync_tx set at = at + interval '2 hours'").await.unwrap();
    world.have("directory", &[unit("v", "o")]).await;
    let db = &world.server.state.db;
    db.write(async |conn| persistence::log::prune(conn).await).await.unwrap();
    let delta = copy.pull(&world, &token).await;
    assert_eq!((delta["put"].as_array().unwrap().len(), copy.count("unit")), (1, 2));
    let revisions = psql.query("select rev from sync_tx where stream = 'directory' order by rev", &[]).await.unwrap();
    assert_eq!(revisions.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [0, 1, 2], "nothing was pruned");

    // Published by the clock that was ahead: it stays so.
    let officer = world.token(Role::SecurityOfficer).await;
    let due = "2020-01-01T00:00:00Z";
    let row = crate::bulletins::bulletin("b").with("embargo_until", json!(due));
    world.import("bulletins", "", &officer, &[row]).await.expect(200);
    let there = |reply: &crate::harness::Reply| reply.json()["items"] != json!([]);
    world.eventually("/v1/bulletins", Who::Stranger, there).await;
    psql.batch_execute(
        "update bulletin set published_at = published_at + interval '2 hours', embargo_until = now() + interval '1 hour'",
    )
    .await
    .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert!(there(&world.get("/v1/bulletins", Who::Stranger).await), "the scheduler has looked twice");
}
