//! Bulletins, and the state of every entrance at any moment for any pass.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::With;
use crate::harness::{Who, World};

pub(crate) fn bulletin(key: &str) -> Value {
    json!({"kind": "bulletin", "key": key, "audience": "public", "identifier": key,
        "issuer": {"code": "un", "name": {"en": "United Nations"}}, "duty_station": "NY",
        "time_zone": "America/New_York", "message_type": "alert", "category": "security", "severity": "minor",
        "urgency": "expected", "certainty": "likely", "sent": "2026-09-20T12:00:00-04:00",
        "texts": {"en": {"headline": format!("Headline of {key}"), "description": "Description"}},
        "provenance": {"confidence": "sample"}})
}

/// A follow-up of `earlier`, sent a day after it.
fn follow_up(key: &str, message_type: &str, earlier: &str) -> Value {
    bulletin(key)
        .with("message_type", json!(message_type))
        .with("references", json!([earlier]))
        .with("sent", json!("2026-09-21T12:00:00-04:00"))
}

/// A gate that stands open for staff, and that `basis` closes to everybody.
fn gate(basis: Option<&str>) -> Value {
    let provenance = json!({"confidence": "sample"});
    let mut openings = vec![json!({"state": "open", "passes": ["staff"], "provenance": provenance})];
    openings.extend(basis.map(|basis| json!({"state": "closed", "basis": basis, "provenance": provenance})));
    json!({"kind": "place", "key": "gate", "audience": "public", "place_kind": "entrance", "duty_station": "NY",
        "time_zone": "America/New_York", "name": {"en": "Gate"}, "openings": openings, "provenance": provenance})
}

/// The places at a moment for a pass, by name.
async fn places(world: &World, who: Who<'_>, query: &str) -> BTreeMap<String, Value> {
    let reply = world.get(&format!("/v1/entrances?{query}"), who).await.expect(200);
    let items = reply.json()["items"].as_array().unwrap().clone();
    items.into_iter().map(|item| (item["name"].as_str().unwrap().to_owned(), item)).collect()
}

async fn gate_state(world: &World, who: Who<'_>) -> String {
    let gate = &places(world, who, "pass=staff&at=2026-09-22T12:00:00-04:00").await["Gate"];
    gate["state"].as_str().unwrap().to_owned()
}

async fn identifiers(world: &World, who: Who<'_>, query: &str) -> Vec<String> {
    let reply = world.get(&format!("/v1/bulletins?{query}"), who).await.expect(200);
    let items = reply.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["identifier"].as_str().unwrap().to_owned()).collect()
}

async fn id_of(world: &World, table: &str, key: &str) -> Uuid {
    let query = format!("select id from {table} where source_key = $1");
    let id: String = world
        .database
        .psql()
        .await
        .query_one(&query.replace("id from", "id::text from"), &[&key])
        .await
        .unwrap()
        .get(0);
    id.parse().unwrap()
}

/// The identifier or name of everything that a phone's pull puts into its copy, what it takes out, and its token.
async fn pull(world: &World, who: Who<'_>, token: Option<&str>) -> (Vec<String>, Vec<Value>, String) {
    let path = token.map_or_else(|| "/v1/sync".to_owned(), |token| format!("/v1/sync?token={token}"));
    let body = world.get(&path, who).await.expect(200).json();
    let name = |put: &Value| put["object"]["identifier"].as_str().or(put["object"]["name"].as_str()).map(str::to_owned);
    let put = body["put"].as_array().unwrap().iter().filter_map(name).collect();
    (put, body["remove"].as_array().unwrap().clone(), body["token"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_21_april_2016_at_nine_delegates_and_media_have_their_own_entrances() {
    let world = World::demonstration().await;
    let morning = "at=2016-04-21T09:00:00-04:00&duty_station=NY";
    let delegate = places(&world, Who::Stranger, &format!("{morning}&pass=delegate")).await;
    let media = places(&world, Who::Stranger, &format!("{morning}&pass=media")).await;
    let state = |places: &BTreeMap<String, Value>, name: &str| {
        let place = &places[name];
        [&place["state"], &place["screening"], &place["reasons"][0]].map(|v| v.as_str().unwrap().to_owned())
    };
    let southern = "46th Street entrance, southern gates";
    assert_eq!(state(&delegate, southern), ["restricted", "unknown", "said_of_this_pass"]);
    assert_eq!(state(&media, southern), ["closed", "unknown", "directed_elsewhere"]);
    assert_eq!(state(&delegate, "47th Street entrance"), ["closed", "unknown", "directed_elsewhere"]);
    assert_eq!(state(&media, "47th Street entrance"), ["restricted", "required", "said_of_this_pass"]);
    assert_eq!(state(&delegate, "42nd Street staff entrance"), ["unknown", "unknown", "no_source_speaks"]);
    let crossing = "Crossing, First Avenue and 46th Street";
    assert_eq!(state(&delegate, crossing), ["unknown", "unknown", "reserved_for_others"]);
    assert_eq!(
        state(&media, "First Avenue (upper roadway), 42nd to 48th Street"),
        ["closed", "unknown", "said_of_all"]
    );
    assert_eq!(state(&delegate, "Headquarters garage"), ["restricted", "required", "said_of_all"]);

    let basis = &delegate[southern]["basis"][0];
    assert_eq!(basis["bulletin"]["identifier"], "UN-2016-04-21");
    assert_eq!(basis["opening"]["provenance"]["citation"], "https://www.unodc.org/ungass2016/en/index/security.html");
    assert_eq!(delegate[southern]["until"], "2016-04-22T00:00:00-04:00");
    let night = places(&world, Who::Stranger, "at=2016-04-21T03:59:59-04:00&pass=delegate").await;
    assert_eq!(night["Headquarters garage"]["state"], "closed");
    assert_eq!(night["Headquarters garage"]["until"], "2016-04-21T04:00:00-04:00");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_an_inexact_source_are_told_with_the_rule_that_read_them() {
    let world = World::demonstration().await;
    let visitor = places(&world, Who::Stranger, "at=2016-04-21T09:00:00-04:00&pass=visitor").await;
    let opening = &visitor["United Nations Headquarters"]["basis"][0]["opening"];
    assert_eq!(
        opening["from"],
        json!({"at": "2016-04-19T18:00:00-04:00", "reading":
            {"given": "c.o.b.", "read_as": "2016-04-19T18:00:00-04:00", "rule": "close_of_business"}})
    );
    let staff = places(&world, Who::Stranger, "at=2023-09-18T08:00:00-04:00&pass=staff").await;
    let checkpoint = &staff["Checkpoint, Second Avenue and 42nd Street"]["basis"][0]["opening"];
    assert_eq!(checkpoint["hours"]["daily"][0]["reading"]["rule"], "approximate_time");
    assert_eq!(checkpoint["from"]["reading"]["given"], "afternoon", "its bulletin's onset");
    let early = places(&world, Who::Stranger, "at=2023-09-18T06:00:00-04:00&pass=staff").await;
    assert_eq!(early["Checkpoint, Second Avenue and 42nd Street"]["state"], "unknown");
    let sunday = places(&world, Who::Stranger, "at=2025-09-21T08:00:00-04:00&pass=staff").await;
    let avenue = &sunday["First Avenue (upper roadway), 42nd to 48th Street"];
    assert_eq!(avenue["basis"][0]["bulletin"]["sent"]["reading"]["rule"], "sunday_before_the_week");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_that_disagree_are_both_shown_and_the_stricter_is_followed() {
    let world = World::demonstration().await;
    let office = async |at: &str| {
        let query = format!("at={at}&pass=delegate&kind=building&duty_station=NY");
        places(&world, Who::Stranger, &query).await["Pass and Identification Unit"].clone()
    };
    let early = office("2024-09-20T07:30:00-04:00").await;
    assert_eq!((&early["state"], &early["conflict"]), (&json!("closed"), &json!(true)));
    assert_eq!(early["reasons"], json!(["outside_hours", "sources_disagree"]));
    assert_eq!(early["until"], "2024-09-20T08:00:00-04:00");
    let citations: Vec<_> = [0, 1].map(|i| early["basis"][i]["opening"]["provenance"]["citation"].clone()).into();
    assert!(citations[0] != citations[1] && early["basis"].as_array().unwrap().len() == 2, "{early}");
    let later = office("2024-09-20T08:00:00-04:00").await;
    assert_eq!((&later["state"], &later["conflict"]), (&json!("open"), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_data_every_place_is_unknown_for_every_pass() {
    let world = World::demonstration().await;
    for pass in domain::entrances::Pass::ALL {
        let places = places(&world, Who::Stranger, &format!("at=1990-09-25T09:00:00Z&pass={}", pass.code())).await;
        assert!(places.len() > 30);
        assert!(places.values().all(|place| place["state"] == "unknown" && place["basis"] == json!([])), "{pass:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_in_geneva_follow_their_hours_on_genevas_clocks() {
    let world = World::demonstration().await;
    let pregny = async |at: &str| {
        let query = format!("duty_station=GVA&pass=conference_participant&at={at}");
        places(&world, Who::Stranger, &query).await["Pregny Gate"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(pregny("2024-06-03T06:30:00Z").await, "open", "08:30 in summer");
    assert_eq!(pregny("2024-12-02T06:30:00Z").await, "closed", "07:30 in winter");
    assert_eq!(pregny("2024-06-01T08:30:00Z").await, "closed", "a Saturday");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_not_one_is_refused_by_name() {
    let world = World::empty().await;
    let detail = async |at: &str| {
        let reply = world.get(&format!("/v1/entrances?pass=delegate&at={at}"), Who::Stranger).await;
        assert_eq!(reply.problem(422), "validation_failed");
        let error = reply.json()["errors"][0].clone();
        assert_eq!(error["parameter"], "at");
        error["detail"].as_str().unwrap().to_owned()
    };
    assert!(detail("2024-11-04T09:00:00+01:00").await.contains("%2B"));
    assert!(detail("2024-11-04T09:00:00").await.contains("offset"));
    assert!(detail("2016-12-31T23:59:60Z").await.contains("leap second"));
    assert!(detail("2016-12-31T24:00:00Z").await.contains("24:00"));
    world.get("/v1/entrances?pass=delegate&at=2024-11-04T09:00:00%2B01:00", Who::Stranger).await.expect(200);
    let missing = world.get("/v1/entrances", Who::Stranger).await;
    assert_eq!(missing.problem(422), "validation_failed");
    assert_eq!(missing.json()["errors"][0]["parameter"], "pass");
    let now: DateTime<Utc> = world.get("/v1/entrances?pass=staff", Who::Stranger).await.expect(200).json()["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((Utc::now() - now).abs() < TimeDelta::minutes(2) && now.timestamp() % 60 == 0, "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embargoed_bulletin_is_absent_from_every_channel_until_the_scheduler_publishes_it() {
    let world = World::empty().await;
    let (secretariat, delegate) = (world.token(Role::Editor).await, world.token(Role::Delegate).await);
    world.have("bulletins", &[gate(None), bulletin("old")]).await;
    let everybody = [Who::Stranger, Who::Token(&delegate), Who::Token(&secretariat)];
    let mut tokens = Vec::new();
    for who in &everybody[1..] {
        tokens.push(pull(&world, *who, None).await.2);
    }
    let tag = world.get("/v1/bulletins", Who::Stranger).await.header("etag").unwrap().to_owned();

    let embargo = Utc::now() + TimeDelta::seconds(5);
    let secret = follow_up("secret", "update", "old").with("embargo_until", json!(embargo.to_rfc3339()));
    let reply = world.have("bulletins", &[secret, gate(Some("secret"))]).await;
    assert_eq!(reply.header("sync-rev"), None, "no phone wakes");
    let id = id_of(&world, "bulletin", "secret").await;
    let gate_id = id_of(&world, "place", "gate").await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    for who in everybody {
        assert_eq!(identifiers(&world, who, "").await, ["old"], "{who:?}");
        assert_eq!(world.get(&format!("/v1/bulletins/{id}"), who).await.problem(404), "not_found");
        assert_eq!(gate_state(&world, who).await, "open");
        let place = world.get(&format!("/v1/entrances/{gate_id}"), who).await.expect(200).json();
        assert_eq!(place["openings"].as_array().unwrap().len(), 1);
        let old = world.get("/v1/bulletins?active=true", who).await.expect(200).json();
        assert_eq!((&old["items"][0]["standing"], &old["items"][0]["followed_by"]), (&json!("in_force"), &json!([])));
    }
    for (who, token) in everybody[1..].iter().zip(&tokens) {
        assert_eq!(pull(&world, *who, Some(token)).await.0, Vec::<String>::new());
        let all = pull(&world, *who, None).await.0;
        assert!(!all.contains(&"secret".to_owned()), "{all:?}");
    }
    assert_eq!(world.get("/v1/bulletins", Who::Stranger).await.header("etag"), Some(&*tag));
    assert!(Utc::now() < embargo, "the test was too slow to have shown anything");

    let path = format!("/v1/bulletins/{id}");
    let (reply, _) = world.eventually(&path, Who::Stranger, |reply| reply.status == 200).await;
    let published: DateTime<Utc> = reply.json()["published_at"].as_str().unwrap().parse().unwrap();
    assert!(published >= embargo && published < embargo + TimeDelta::seconds(2), "{published} {embargo}");
    for (who, token) in everybody[1..].iter().zip(&tokens) {
        let (mut put, ..) = pull(&world, *who, Some(token)).await;
        put.sort();
        assert_eq!(put, ["Gate", "old", "secret"], "what it replaces and what rests on it changed, too");
    }
    assert_eq!(gate_state(&world, Who::Stranger).await, "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_is_written_down_and_what_expired_stays() {
    let world = World::empty().await;
    let delegate = world.token(Role::Delegate).await;
    let now = Utc::now();
    let short = bulletin("short")
        .with("sent", json!((now - TimeDelta::hours(1)).to_rfc3339()))
        .with("expires", json!((now + TimeDelta::seconds(2)).to_rfc3339()));
    world.have("bulletins", &[short]).await;
    assert_eq!(identifiers(&world, Who::Stranger, "active=true").await, ["short"]);
    let (_, _, token) = pull(&world, Who::Token(&delegate), None).await;
    let gone = |reply: &crate::harness::Reply| reply.json()["items"] == json!([]);
    world.eventually("/v1/bulletins?active=true", Who::Stranger, gone).await;
    let item = world.get("/v1/bulletins?active=false", Who::Stranger).await.expect(200).json()["items"][0].clone();
    assert_eq!(item["standing"], "expired");
    let moment = |field: &Value| field.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(moment(&item["expired_at"]) >= moment(&item["expires"]["at"]));
    let (put, removed, _) = pull(&world, Who::Token(&delegate), Some(&token)).await;
    assert_eq!((put, removed), (vec!["short".to_owned()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_bulletin_stays_and_names_what_cancelled_it() {
    let world = World::empty().await;
    let delegate = world.token(Role::Delegate).await;
    world.have("bulletins", &[bulletin("first"), gate(Some("first"))]).await;
    assert_eq!(gate_state(&world, Who::Stranger).await, "closed");
    let (_, _, token) = pull(&world, Who::Token(&delegate), None).await;
    world.have("bulletins", &[follow_up("last", "cancel", "first")]).await;
    let (first, last) = (id_of(&world, "bulletin", "first").await, id_of(&world, "bulletin", "last").await);
    let body = world.get(&format!("/v1/bulletins/{first}"), Who::Stranger).await.expect(200).json();
    assert_eq!((&body["standing"], &body["followed_by"]), (&json!("cancelled"), &json!([last])));
    let body = world.get(&format!("/v1/bulletins/{last}"), Who::Stranger).await.expect(200).json();
    assert_eq!(body["references"], json!([first]));
    assert_eq!(identifiers(&world, Who::Stranger, "active=true").await, Vec::<String>::new());
    assert_eq!(identifiers(&world, Who::Stranger, "at=2026-09-21T11:59:59-04:00").await, ["first"]);
    let (mut put, ..) = pull(&world, Who::Token(&delegate), Some(&token)).await;
    put.sort();
    assert_eq!(put, ["first", "last"]);
    assert_eq!(gate_state(&world, Who::Stranger).await, "open", "the standing arrangement holds again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_for_one_mission_leaves_no_trace_for_another() {
    let world = World::empty().await;
    let rows = [
        crate::harness::rows::organization("un"),
        crate::harness::rows::mission("ours", "un"),
        crate::harness::rows::mission("theirs", "un"),
    ];
    world.have("directory", &rows).await;
    let ours = world.token_for(Role::Delegate, Some(id_of(&world, "mission", "ours").await)).await;
    let theirs = world.token_for(Role::Delegate, Some(id_of(&world, "mission", "theirs").await)).await;
    let secretariat = world.token(Role::Editor).await;
    let named = bulletin("named").with("audience", json!({"missions": ["ours"]}));
    let admin = world.token(Role::Admin).await;
    let refused = world.import("bulletins", "", &admin, &[named, gate(Some("named"))]).await;
    assert_eq!(refused.problem(422), "validation_failed");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/openings", "a gate would seem open that is closed");
    // By hand it can be; then nobody learns more than they may.
    let cancel = follow_up("public-cancel", "cancel", "named");
    world.have("bulletins", &[bulletin("public"), bulletin("named"), cancel, gate(Some("named"))]).await;
    let hide = "update bulletin set audience = 'missions:' || (select id from mission where source_key = 'ours')
        where source_key = 'named'";
    world.database.psql().await.execute(hide, &[]).await.unwrap();
    let hidden = |reply: &crate::harness::Reply| !String::from_utf8_lossy(&reply.bytes).contains("Headline of named");
    world.eventually("/v1/bulletins", Who::Stranger, hidden).await;
    let (id, gate_id) = (id_of(&world, "bulletin", "named").await, id_of(&world, "place", "gate").await);
    let before = "pass=staff&at=2026-09-20T13:00:00-04:00";

    for who in [Who::Token(&ours), Who::Token(&secretariat)] {
        assert!(identifiers(&world, who, "").await.contains(&"named".to_owned()));
        assert_eq!(places(&world, who, before).await["Gate"]["state"], "closed");
    }
    let mut bodies = Vec::new();
    for who in [Who::Token(&theirs), Who::Stranger] {
        for path in ["/v1/bulletins", "/v1/bulletins?active=false", &format!("/v1/entrances?{before}")] {
            bodies.push(world.get(path, who).await.expect(200));
        }
        bodies.push(world.get(&format!("/v1/entrances/{gate_id}"), who).await.expect(200));
        assert_eq!(world.get(&format!("/v1/bulletins/{id}"), who).await.problem(404), "not_found");
        assert_eq!(places(&world, who, before).await["Gate"]["state"], "open");
    }
    bodies.push(world.get("/v1/sync", Who::Token(&theirs)).await.expect(200));
    for body in bodies {
        let text = String::from_utf8(body.bytes).unwrap();
        assert!(!text.contains(&id.to_string()) && !text.contains("Headline of named"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bulletins_are_listed_the_newest_first_page_by_page() {
    let world = World::empty().await;
    let sent = |day| json!(format!("2026-09-{day:02}T12:00:00Z"));
    let rows: Vec<Value> = (1..=5).map(|day| bulletin(&format!("day-{day}")).with("sent", sent(day))).collect();
    world.have("bulletins", &rows).await;
    let mut seen = Vec::new();
    let mut path = "/v1/bulletins?limit=2".to_owned();
    loop {
        let reply = world.get(&path, Who::Stranger).await.expect(200);
        let items = reply.json()["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["identifier"].as_str().unwrap().to_owned()));
        let Some(link) = reply.header("link") else { break };
        path = link.split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(seen, ["day-5", "day-4", "day-3", "day-2", "day-1"]);
    let graver = [rows[2].clone().with("severity", json!("severe"))];
    world.have("bulletins", &graver).await;
    assert_eq!(identifiers(&world, Who::Stranger, "severity=severe").await, ["day-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_that_break_a_rule_refuse_the_file() {
    let world = World::empty().await;
    let officer = world.token(Role::SecurityOfficer).await;
    let police = json!({"code": "nypd", "name": {"en": "Police"}});
    let faults = async |rows: &[Value]| {
        let reply = world.import("bulletins", "", &officer, rows).await;
        assert_eq!(reply.problem(422), "validation_failed");
        reply.json()["errors"].as_array().unwrap().iter().map(Value::to_string).collect::<String>()
    };
    let other_issuer = [bulletin("a").with("issuer", police), follow_up("b", "update", "a")];
    assert!(faults(&other_issuer).await.contains("another issuer"));
    let circle = [follow_up("a", "update", "b"), follow_up("b", "update", "a")];
    assert!(faults(&circle).await.contains("not sent earlier"));
    let narrow = [bulletin("a"), follow_up("b", "cancel", "a").with("audience", json!("secretariat"))];
    assert!(faults(&narrow).await.contains("widen the audience"));
    let twice = [bulletin("a"), bulletin("b").with("identifier", json!("a"))];
    assert!(faults(&twice).await.contains("/identifier"));
    let alone = [bulletin("a").with("message_type", json!("update"))];
    assert!(faults(&alone).await.contains("/references"));
    let night = json!({"date": "2026-11-01", "given": "01:30"});
    assert!(faults(&[bulletin("a").with("sent", night)]).await.contains("comes twice"));
    assert_eq!(identifiers(&world, Who::Stranger, "").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_changes_nothing_and_keeps_what_was_written() {
    let world = World::demonstration().await;
    let officer = world.token(Role::SecurityOfficer).await;
    let state = async || {
        let rows = world.database.psql().await;
        let rows = rows.query("select b::text from bulletin b order by id", &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    let expired = |reply: &crate::harness::Reply| reply.json()["items"] == json!([]);
    world.eventually("/v1/bulletins?active=true", Who::Stranger, expired).await;
    let before = state().await;
    let file = std::fs::read(crate::harness::top().join("data/demonstration/bulletins.ndjson")).unwrap();
    let path = "/v1/imports/bulletins?source=demonstration&mode=replace";
    let request = world.request(reqwest::Method::POST, path, Who::Token(&officer));
    let reply = world.send(request.header("content-type", "application/x-ndjson").body(file)).await.expect(200);
    let report = reply.json();
    assert_eq!((&report["changed"], &report["inserted"], &report["closed"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(reply.header("sync-rev"), None);
    assert_eq!(state().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embargo_given_to_a_published_bulletin_withdraws_it() {
    let world = World::empty().await;
    let delegate = world.token(Role::Delegate).await;
    world.have("bulletins", &[bulletin("early")]).await;
    let (_, _, token) = pull(&world, Who::Token(&delegate), None).await;
    let later = (Utc::now() + TimeDelta::hours(1)).to_rfc3339();
    world.have("bulletins", &[bulletin("early").with("embargo_until", json!(later))]).await;
    assert_eq!(identifiers(&world, Who::Stranger, "").await, Vec::<String>::new());
    let (put, removed, _) = pull(&world, Who::Token(&delegate), Some(&token)).await;
    assert_eq!(put, Vec::<String>::new());
    assert_eq!(removed, [json!({"kind": "bulletin", "id": id_of(&world, "bulletin", "early").await})]);
}

/// The scheduler publishes one and lets another expire while a file gives both a later end.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_scheduler_has_in_hand_is_taken_back_by_an_import() {
    let world = World::empty().await;
    let later = json!((Utc::now() + TimeDelta::hours(1)).to_rfc3339());
    let earlier = bulletin("embargoed").with("embargo_until", later.clone());
    world.have("bulletins", &[earlier, bulletin("lasting"), bulletin("endless")]).await;
    let admin = world.token(Role::Admin).await;
    let (psql, scheduler) = (world.database.psql().await, world.database.psql().await);
    scheduler
        .batch_execute(
            "begin;
             update bulletin set embargo_until = now(), published_at = now() where identifier = 'embargoed';
             update bulletin set expires_at = now(), expired_at = now() where identifier <> 'embargoed'",
        )
        .await
        .unwrap();
    let rows = [
        bulletin("embargoed").with("embargo_until", later.clone()),
        bulletin("lasting").with("expires", later),
        bulletin("endless").with("severity", json!("severe")),
    ];
    let commit = async {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        let deadline = Instant::now() + Duration::from_secs(10);
        while psql.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            assert!(Instant::now() < deadline, "the import does not wait for the scheduler");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scheduler.batch_execute("commit").await.unwrap();
    };
    let (reply, ()) = tokio::join!(world.import("bulletins", "", &admin, &rows), commit);
    reply.expect(200);
    let query = "select identifier, published_at is not null, expired_at is not null from bulletin order by 1";
    let stored: Vec<(String, bool, bool)> =
        psql.query(query, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let [embargoed, endless, lasting] = ["embargoed", "endless", "lasting"].map(str::to_owned);
    assert_eq!(stored, [(embargoed, false, false), (endless, true, false), (lasting, true, false)]);
}

/// Else the one would note the change where nobody hears of it, and the other would still see what is taken away.
#[tokio::test(flavor = "multi_thread")]
async fn who_takes_away_what_rests_on_a_bulletin_and_who_publishes_it_take_turns() {
    let world = World::empty().await;
    let later = json!((Utc::now() + TimeDelta::hours(1)).to_rfc3339());
    let basis = follow_up("basis", "update", "old").with("embargo_until", later);
    world.have("bulletins", &[bulletin("old"), basis, gate(Some("basis"))]).await;
    let (taker, publisher) = (world.database.psql().await, world.database.psql().await);
    publisher.batch_execute("set lock_timeout = '50ms'").await.unwrap();
    let publish = "update bulletin set embargo_until = null, published_at = now() where identifier = 'basis'";
    for take in ["delete from opening where basis_id is not null", "delete from bulletin_reference"] {
        taker.batch_execute("begin").await.unwrap();
        assert_eq!(taker.execute(take, &[]).await.unwrap(), 1, "{take}");
        let refused = publisher.batch_execute(publish).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("lock timeout"), "{take}: {refused}");
        taker.batch_execute("rollback").await.unwrap();
    }
    publisher.batch_execute(publish).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_changed_in_psql_is_in_the_answer_within_a_second() {
    let world = World::empty().await;
    world.have("bulletins", &[gate(None)]).await;
    assert_eq!(gate_state(&world, Who::Stranger).await, "open");
    world.database.psql().await.execute("update opening set state = 'closed'", &[]).await.unwrap();
    let path = "/v1/entrances?pass=staff&at=2026-09-22T12:00:00-04:00";
    let closed = |reply: &crate::harness::Reply| reply.json()["items"][0]["state"] == "closed";
    let (_, took) = world.eventually(path, Who::Stranger, closed).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulletin_has_an_unchanging_tag_until_something_about_it_changes() {
    let world = World::empty().await;
    world.have("bulletins", &[bulletin("first")]).await;
    let path = format!("/v1/bulletins/{}", id_of(&world, "bulletin", "first").await);
    let tag = world.get(&path, Who::Stranger).await.header("etag").unwrap().to_owned();
    world.have("bulletins", &[bulletin("other")]).await;
    let request = world.request(reqwest::Method::GET, &path, Who::Stranger).header("if-none-match", &tag);
    world.send(request).await.expect(304);
    world.have("bulletins", &[follow_up("last", "cancel", "first")]).await;
    let request = world.request(reqwest::Method::GET, &path, Who::Stranger).header("if-none-match", &tag);
    world.send(request).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_zone_that_nobody_can_read_is_not_stored() {
    let world = World::empty().await;
    world.have("bulletins", &[bulletin("b"), gate(Some("b"))]).await;
    let psql = world.database.psql().await;
    for table in ["bulletin", "place"] {
        for zone in ["Mars/X", "EST5EDT+3", ""] {
            let set = format!("update {table} set time_zone = '{zone}'");
            assert!(psql.execute(&set, &[]).await.is_err(), "{set}");
        }
    }
}
