//! A mission's people: managed by their own administrators and by no other mission's.

use std::collections::BTreeMap;

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{Person, ask, faults, two_missions};
use crate::harness::{Reply, World};

const NO_BODY: Value = Value::Null;

fn invitation(mail: &str) -> Value {
    json!({"mail": mail, "name": "Somebody Invited", "language": "es"})
}

/// An answer without what differs from one request to the next.
fn settled(reply: &Reply) -> (u16, BTreeMap<String, String>, Value) {
    let names =
        reply.headers.iter().filter(|(name, _)| !["x-request-id", "date", "ratelimit"].contains(&name.as_str()));
    let headers = names.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (reply.status.as_u16(), headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_manages_its_own_people() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let manager = Person::new(&world, Role::MissionAdmin, Some(ours)).await;
    Person::new(&world, Role::Delegate, Some(theirs)).await;
    let list = format!("/v1/missions/{ours}/members");
    let made = ask(&world, Method::POST, &list, manager.who(), invitation("a@example.org"), None).await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let made = made.json();
    assert_eq!((&made["roles"], &made["mission"]), (&json!(["delegate"]), &json!(ours)));
    assert_eq!(path, format!("{list}/{}", made["id"].as_str().unwrap()));
    let listed = world.get(&list, manager.who()).await.expect(200).json();
    let ids: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(manager.account), &made["id"]], "nobody of the other mission");
    assert_eq!(
        world.get(&format!("{list}?role=mission_admin&q=some"), manager.who()).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let patch =
        async |body: Value, version: &str| ask(&world, Method::PATCH, &path, manager.who(), body, Some(version)).await;
    let promoted = patch(json!({"roles": ["delegate", "mission_admin"]}), "\"v1\"").await.expect(200);
    assert_eq!((promoted.header("etag"), &promoted.json()["roles"][1]), (Some("\"v2\""), &json!("mission_admin")));
    assert_eq!(patch(json!({"suspended": true}), "\"v2\"").await.expect(200).json()["status"], "suspended");
    assert_eq!(patch(json!({"suspended": false}), "\"v3\"").await.expect(200).json()["status"], "invited");
    assert_eq!(patch(json!({"suspended": false}), "\"v3\"").await.problem(412), "precondition_failed");
    ask(&world, Method::DELETE, &path, manager.who(), NO_BODY, Some("\"v4\"")).await.expect(204);
    assert_eq!(world.get(&path, manager.who()).await.problem(404), "not_found");

    // The Secretariat's administrator does the same for any mission.
    let admin = Person::new(&world, Role::Admin, None).await;
    let mut first = invitation("first@example.org");
    first["roles"] = json!(["mission_admin"]);
    let their_list = format!("/v1/missions/{theirs}/members");
    ask(&world, Method::POST, &their_list, admin.who(), first, None).await.expect(201);
    let nowhere = format!("/v1/missions/{}/members", Uuid::now_v7());
    assert_eq!(world.get(&nowhere, admin.who()).await.problem(404), "not_found");
    let across = format!("{their_list}/{}", manager.account);
    assert_eq!(world.get(&across, admin.who()).await.problem(404), "not_found", "of another mission than the path's");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mission_and_its_people_are_answered_as_if_they_did_not_exist() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let manager = Person::new(&world, Role::MissionAdmin, Some(ours)).await;
    let colleague = Person::new(&world, Role::Delegate, Some(ours)).await;
    let stranger = Person::new(&world, Role::Delegate, Some(theirs)).await;
    let officer = Person::new(&world, Role::Editor, None).await;
    let nobody = Uuid::now_v7();
    let operations = |mission: Uuid, account: Uuid| {
        let (list, one) =
            (format!("/v1/missions/{mission}/members"), format!("/v1/missions/{mission}/members/{account}"));
        vec![
            (Method::GET, list.clone(), NO_BODY, true),
            (Method::GET, format!("{list}?q=a&limit=0&cursor=x"), NO_BODY, true),
            (Method::POST, list.clone(), invitation("b@example.org"), true),
            (Method::POST, list.clone(), json!({"mail": "no"}), true),
            (Method::HEAD, list, NO_BODY, true),
            (Method::GET, one.clone(), NO_BODY, false),
            (Method::HEAD, one.clone(), NO_BODY, false),
            (Method::PATCH, one.clone(), json!({"suspended": true}), false),
            (Method::PATCH, one.clone(), json!({"roles": ["delegate", "mission_admin"]}), false),
            (Method::DELETE, one, NO_BODY, false),
        ]
    };
    // Theirs, whoever is named, is as a mission that is none; theirs under ours as an account that is none.
    let unknown = operations(Uuid::now_v7(), nobody);
    for (hidden, known_mission) in [
        (operations(theirs, stranger.account), false),
        (operations(theirs, manager.account), false),
        (operations(theirs, nobody), false),
        (operations(ours, stranger.account), true),
        (operations(ours, officer.account), true),
    ] {
        let none = if known_mission { operations(ours, nobody) } else { unknown.clone() };
        for ((method, path, body, is_list), (_, none, ..)) in hidden.into_iter().zip(none) {
            if is_list && known_mission {
                continue;
            }
            for version in [Some("\"v1\""), None] {
                let asked = ask(&world, method.clone(), &path, manager.who(), body.clone(), version).await;
                let missing = ask(&world, method.clone(), &none, manager.who(), body.clone(), version).await;
                assert_eq!(settled(&asked), settled(&missing), "{method} {path}");
                let expected = if version.is_none() && known_mission && !is_list { vec![404, 428] } else { vec![404] };
                assert!(expected.contains(&asked.status.as_u16()), "{method} {path} {}", asked.status);
            }
        }
    }
    for person in [&colleague, &stranger, &officer] {
        world.get("/v1/account", person.who()).await.expect(200);
    }
    let accounts: i64 =
        world.database.psql().await.query_one("select count(*) from account", &[]).await.unwrap().get(0);
    assert_eq!(accounts, 5, "the tests' own administrator among them, and nobody was invited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_gives_no_role_and_no_place_outside_it() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let manager = Person::new(&world, Role::MissionAdmin, Some(ours)).await;
    let member = Person::new(&world, Role::Delegate, Some(ours)).await;
    let list = format!("/v1/missions/{ours}/members");
    let one = format!("{list}/{}", member.account);
    for (field, value, rule) in [
        ("id", json!(Uuid::now_v7()), "unknown_field"),
        ("mission", json!(theirs), "unknown_field"),
        ("mission_id", json!(theirs), "unknown_field"),
        ("rev", json!(7), "unknown_field"),
        ("status", json!("active"), "unknown_field"),
        ("roles", json!(["admin"]), "one_of"),
        ("roles", json!(["delegate", "editor"]), "conflict"),
        ("roles", json!(["integrator"]), "conflict"),
        ("roles", json!([]), "required"),
        ("roles", json!(null), "structure"),
    ] {
        let mut body = invitation("c@example.org");
        body[field] = value.clone();
        let invited = ask(&world, Method::POST, &list, manager.who(), body, None).await;
        assert_eq!(faults(&invited.expect(422)), [(format!("/{field}"), rule.to_owned())], "POST {field} {value}");
        let changed = ask(&world, Method::PATCH, &one, manager.who(), json!({field: value}), Some("\"v1\"")).await;
        assert_eq!(faults(&changed.expect(422)), [(format!("/{field}"), rule.to_owned())], "PATCH {field} {value}");
    }
    let moved = ask(&world, Method::PATCH, &one, manager.who(), json!({"mail": "x@example.org"}), Some("\"v1\"")).await;
    assert_eq!(
        faults(&moved.expect(422)),
        [("/mail".to_owned(), "unknown_field".to_owned())],
        "its link sets the password"
    );
    let request = world.request(Method::PATCH, &one, manager.who()).header("if-match", "\"v1\"");
    let twice = r#"{"roles": ["delegate"], "roles": ["mission_admin"]}"#;
    let twice = world.send(request.header("content-type", "application/json").body(twice)).await;
    assert_eq!(faults(&twice.expect(422)), [("/roles".to_owned(), "structure".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_administrator_of_a_mission_locks_themself_out() {
    let world = World::empty().await;
    let mission = Uuid::now_v7();
    let manager = Person::new(&world, Role::MissionAdmin, Some(mission)).await;
    let own = format!("/v1/missions/{mission}/members/{}", manager.account);
    for change in [json!({"suspended": true}), json!({"roles": ["delegate"]}), NO_BODY] {
        let method = if change.is_null() { Method::DELETE } else { Method::PATCH };
        let reply = ask(&world, method, &own, manager.who(), change.clone(), Some("\"v1\"")).await;
        assert_eq!(reply.problem(409), "own_account", "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_address_of_somebody_elsewhere_is_taken_and_no_more_is_told() {
    let world = World::empty().await;
    let (ours, theirs) = two_missions(&world).await;
    let manager = Person::new(&world, Role::MissionAdmin, Some(ours)).await;
    let other = Person::new(&world, Role::MissionAdmin, Some(theirs)).await;
    let list = |mission: Uuid| format!("/v1/missions/{mission}/members");
    ask(&world, Method::POST, &list(theirs), other.who(), invitation("theirs@example.org"), None).await.expect(201);
    ask(&world, Method::POST, &list(ours), manager.who(), invitation("ours@example.org"), None).await.expect(201);
    let own = ask(&world, Method::POST, &list(ours), manager.who(), invitation("ours@example.org"), None).await;
    let elsewhere = ask(&world, Method::POST, &list(ours), manager.who(), invitation("theirs@example.org"), None).await;
    assert_eq!(own.problem(409), "taken");
    assert_eq!(settled(&own), settled(&elsewhere));
}
