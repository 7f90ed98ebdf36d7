//! Devices on which people are signed in, and what signs them out.

use std::time::{Duration, Instant};

use domain::{AccountId, Role, SessionId};
use persistence::sessions::NewSession;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{Person, ask};
use crate::harness::{Who, World, config, people};

const NO_BODY: Value = Value::Null;

/// The same person on another device.
async fn another_device(world: &World, person: &Person, role: Role) -> Person {
    let verify = |token: &str| world.server.state.tokens.verify(token, &world.server.state.store.identities().keys);
    let api::identity::Who::Person { app, .. } = verify(&person.token).unwrap().who else { panic!("a service") };
    let session = SessionId(Uuid::now_v7());
    let new = NewSession {
        id: session,
        account: AccountId(person.account),
        app,
        device: "another device".into(),
        scopes: role.scopes().collect(),
        has_second_factor: role.needs_second_factor(),
        rotation_key: people::ROTATION_KEY,
        expires_at: chrono::Utc::now() + chrono::TimeDelta::days(1),
    };
    let db = &world.server.state.db;
    db.write(async move |conn| persistence::sessions::insert(conn, &new).await).await.unwrap();
    let who = api::identity::Who::Person { account: AccountId(person.account), app, session };
    let token = people::issue(&world.server, who, role.scopes().collect());
    Person { account: person.account, session: session.0, token }
}

async fn end(world: &World, path: &str, who: Who<'_>) -> u16 {
    ask(world, Method::DELETE, path, who, NO_BODY, None).await.status.as_u16()
}

async fn is_refused_soon(world: &World, person: &Person) {
    let (_, took) = world.eventually("/v1/account", person.who(), |reply| reply.status == 401).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

async fn sign_in_browser(world: &World, account: Uuid) -> Uuid {
    let browser = persistence::sign_ins::Browser {
        id: Uuid::now_v7(),
        account: AccountId(account),
        authenticated_at: None,
        second_factor_at: None,
    };
    let (id, mut hash) = (browser.id, [0; 32]);
    hash[..16].copy_from_slice(id.as_bytes());
    let later = chrono::Utc::now() + chrono::TimeDelta::days(1);
    let insert = async move |conn: &mut persistence::Conn| {
        persistence::sign_ins::insert_browser(conn, &browser, &hash, later).await
    };
    world.server.state.db.write(insert).await.unwrap();
    id
}

async fn browser_has_ended(world: &World, browser: Uuid) -> bool {
    let query = "select ended_at is not null from browser_session where id = $1";
    world.database.psql().await.query_one(query, &[&browser]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_their_devices_and_sign_any_of_them_out() {
    let world = World::empty().await;
    let here = Person::new(&world, Role::Delegate, Some(Uuid::now_v7())).await;
    let phone = another_device(&world, &here, Role::Delegate).await;
    Person::new(&world, Role::Delegate, Some(Uuid::now_v7())).await;
    let listed = world.get("/v1/sessions", here.who()).await.expect(200);
    assert_eq!(listed.header("cache-control"), Some("no-store"));
    let items = listed.json()["items"].clone();
    let told: Vec<_> =
        items.as_array().unwrap().iter().map(|one| (&one["id"], &one["current"], &one["device"])).collect();
    let (current, other) = (json!(here.session), json!(phone.session));
    assert_eq!(
        told,
        [(&other, &json!(false), &json!("another device")), (&current, &json!(true), &json!("of a test"))]
    );
    assert_eq!(
        (&items[0]["app"]["name"], &items[0]["scopes"]),
        (&json!("An app of a test"), &json!(["read", "account"]))
    );
    assert!(items[0].as_object().unwrap().keys().all(|key| !key.contains("key") && !key.contains("token")));

    let browser = sign_in_browser(&world, here.account).await;
    assert_eq!(end(&world, &format!("/v1/sessions/{}", phone.session), here.who()).await, 204);
    is_refused_soon(&world, &phone).await;
    assert!(browser_has_ended(&world, browser).await, "or the phone's browser would let its holder in again");
    assert_eq!(end(&world, &format!("/v1/sessions/{}", phone.session), here.who()).await, 404, "it has ended");
    world.get("/v1/account", here.who()).await.expect(200);

    let browser = sign_in_browser(&world, here.account).await;
    let tablet = another_device(&world, &here, Role::Delegate).await;
    assert_eq!(end(&world, "/v1/sessions?keep_current=true", here.who()).await, 204);
    is_refused_soon(&world, &tablet).await;
    assert!(browser_has_ended(&world, browser).await);
    world.get("/v1/account", here.who()).await.expect(200);

    let browser = sign_in_browser(&world, here.account).await;
    assert_eq!(end(&world, &format!("/v1/sessions/{}", here.session), here.who()).await, 204);
    assert!(!browser_has_ended(&world, browser).await, "who signs out of an app stays signed in on our pages");
    is_refused_soon(&world, &here).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_shown_and_signed_out_by_who_manages_their_person_and_by_nobody_else() {
    let world = World::empty().await;
    let (ours, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let managers =
        [Person::new(&world, Role::MissionAdmin, Some(ours)).await, Person::new(&world, Role::Admin, None).await];
    let others = [
        Person::new(&world, Role::MissionAdmin, Some(theirs)).await,
        Person::new(&world, Role::Delegate, Some(ours)).await,
        Person::new(&world, Role::Editor, None).await,
        Person::new(&world, Role::Auditor, None).await,
    ];
    for manager in &managers {
        let person = Person::new(&world, Role::Delegate, Some(ours)).await;
        let all = format!("/v1/sessions?account={}", person.account);
        let one = format!("/v1/sessions/{}", person.session);
        for other in &others {
            let shown = world.get(&all, other.who()).await;
            let nobody = world.get(&format!("/v1/sessions?account={}", Uuid::now_v7()), other.who()).await;
            assert_eq!((shown.problem(404), nobody.problem(404)), ("not_found".into(), "not_found".into()));
            assert_eq!(end(&world, &all, other.who()).await, 404);
            assert_eq!(end(&world, &one, other.who()).await, 404);
        }
        world.get("/v1/account", person.who()).await.expect(200);
        let shown = world.get(&all, manager.who()).await.expect(200).json()["items"].clone();
        assert_eq!((&shown[0]["id"], &shown[0]["current"]), (&json!(person.session), &json!(false)));
        assert_eq!(end(&world, &one, manager.who()).await, 204);
        is_refused_soon(&world, &person).await;
        let (phone, tablet) = (
            another_device(&world, &person, Role::Delegate).await,
            another_device(&world, &person, Role::Delegate).await,
        );
        let browser = sign_in_browser(&world, person.account).await;
        assert_eq!(end(&world, &all, manager.who()).await, 204);
        is_refused_soon(&world, &phone).await;
        is_refused_soon(&world, &tablet).await;
        assert!(browser_has_ended(&world, browser).await);
    }
    let of_the_secretariat = format!("/v1/sessions?account={}", managers[1].account);
    assert_eq!(world.get(&of_the_secretariat, managers[0].who()).await.problem(404), "not_found");
    for junk in ["account=x", "keep_current=perhaps", "account=&account="] {
        let reply =
            ask(&world, Method::DELETE, &format!("/v1/sessions?{junk}"), managers[0].who(), NO_BODY, None).await;
        assert_eq!(reply.problem(422), "validation_failed", "{junk}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_on_one_process_is_refused_on_another_within_a_second() {
    let world = World::empty().await;
    let other = api::start(config(&world.database.url)).await.unwrap();
    let manager = Person::new(&world, Role::Admin, None).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let person = Person::new(&world, Role::Delegate, Some(Uuid::now_v7())).await;
        let ask = || world.http.get(format!("{}/v1/account", other.url())).bearer_auth(&person.token).send();
        assert_eq!(ask().await.unwrap().status(), 200);
        assert_eq!(end(&world, &format!("/v1/sessions/{}", person.session), manager.who()).await, 204);
        let ended = Instant::now();
        while ask().await.unwrap().status() != 401 {
            assert!(ended.elapsed() < Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        slowest = slowest.max(ended.elapsed());
    }
    println!("refused on the other process after {slowest:?} at most");
    other.stop().await.unwrap();
}
