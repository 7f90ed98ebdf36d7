//! Whatever ends what somebody may do, done as people and programs do it at one server, ends it at another too.

use std::time::{Duration, Instant};

use api::identity::Who as Named;
use api::oauth::refresh;
use domain::{Account, AccountId, Role, SessionId};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{mission, organization};
use crate::harness::{Reply, Who, World, config, people};
use crate::sign_in::{Browser, link};

const UNITS: &str = "/v1/directory/units";

/// Somebody signed in in an app.
struct Person {
    account: AccountId,
    app: Uuid,
    session: SessionId,
    token: String,
}

impl Person {
    async fn new(world: &World, role: Role, mission: Option<Uuid>) -> Self {
        let who = people::person(&world.server, role, mission).await;
        let token = people::issue(&world.server, who, role.scopes().collect());
        let Named::Person { account, app, session } = who else { unreachable!("a person") };
        Self { account, app: app.0, session, token }
    }

    fn refresh_token(&self) -> String {
        refresh::make(&people::ROTATION_KEY, self.session, 0)
    }
}

/// Two servers on one database, a mission, and who manages it and everybody.
struct Scene {
    world: World,
    other: api::Server,
    mission: Uuid,
    manager: Person,
    admin: Person,
}

impl Scene {
    async fn new() -> Self {
        let world = World::empty().await;
        let other = api::start(config(&world.database.url)).await.unwrap();
        world.have("directory", &[organization("un"), mission("ours", "un")]).await;
        let psql = world.database.psql().await;
        let mission: Uuid = psql.query_one("select id from mission", &[]).await.unwrap().get(0);
        let manager = Person::new(&world, Role::MissionAdmin, Some(mission)).await;
        let admin = Person::new(&world, Role::Admin, None).await;
        Self { world, other, mission, manager, admin }
    }

    async fn ask(&self, method: Method, path: &str, by: &Person, body: Option<Value>) -> Reply {
        let request = self.world.request(method, path, Who::Token(&by.token)).header("if-match", "*");
        self.world.send(if let Some(body) = body { request.json(&body) } else { request }).await
    }

    async fn form(&self, path: &str, body: String) -> Reply {
        let request = self.world.request(Method::POST, path, Who::Stranger);
        self.world.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn status_at(&self, url: &str, token: &str) -> u16 {
        self.world.http.get(format!("{url}{UNITS}")).bearer_auth(token).send().await.unwrap().status().as_u16()
    }

    /// Waits until both servers refuse a token; how long that took.
    async fn refused_by_both(&self, token: &str, what: &str) -> Duration {
        let began = Instant::now();
        for url in [self.other.url(), self.world.server.url()] {
            while self.status_at(&url, token).await != 401 {
                assert!(began.elapsed() < Duration::from_secs(1), "{what}: still good after {:?}", began.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        began.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_person_ends_their_tokens_on_every_server_within_a_second() {
    let scene = Scene::new().await;
    let mut slowest = (Duration::ZERO, "");
    let member = |account: AccountId| format!("/v1/missions/{}/members/{}", scene.mission, account.0);
    let account = |account: AccountId| format!("/v1/accounts/{}", account.0);
    for what in [
        "the app signs out",
        "the app signs out with its access token",
        "the person ends the session",
        "the person ends all sessions",
        "the mission ends the session",
        "the mission ends all sessions",
        "the mission suspends the person",
        "the mission gives another role",
        "the mission removes the person",
        "the admin suspends the person",
        "the admin gives another role",
        "the admin takes the second factor",
        "the admin removes the person",
        "the app is disabled",
        "the password is reset by a link",
        "a refresh token is used twice",
    ] {
        let person = Person::new(&scene.world, Role::Delegate, Some(scene.mission)).await;
        let Scene { world, manager, admin, .. } = &scene;
        for url in [world.server.url(), scene.other.url()] {
            assert_eq!(scene.status_at(&url, &person.token).await, 200, "{what}: good until then");
        }
        let session = format!("/v1/sessions/{}", person.session.0);
        let all = format!("/v1/sessions?account={}", person.account.0);
        let roles = json!({"roles": ["mission_admin"]});
        let revoke = |token: &str| scene.form("/oauth/revoke", format!("token={token}&client_id={}", person.app));
        let done = match what {
            "the app signs out" => revoke(&person.refresh_token()).await,
            "the app signs out with its access token" => revoke(&person.token).await,
            "the person ends the session" => scene.ask(Method::DELETE, &session, &person, None).await,
            "the person ends all sessions" => scene.ask(Method::DELETE, "/v1/sessions", &person, None).await,
            "the mission ends the session" => scene.ask(Method::DELETE, &session, manager, None).await,
            "the mission ends all sessions" => scene.ask(Method::DELETE, &all, manager, None).await,
            "the mission suspends the person" => {
                scene.ask(Method::PATCH, &member(person.account), manager, Some(json!({"suspended": true}))).await
            }
            "the mission gives another role" => {
                scene.ask(Method::PATCH, &member(person.account), manager, Some(roles)).await
            }
            "the mission removes the person" => scene.ask(Method::DELETE, &member(person.account), manager, None).await,
            "the admin suspends the person" => {
                scene.ask(Method::PATCH, &account(person.account), admin, Some(json!({"suspended": true}))).await
            }
            "the admin gives another role" => {
                scene.ask(Method::PATCH, &account(person.account), admin, Some(roles)).await
            }
            "the admin takes the second factor" => {
                let path = format!("{}/second-factor", account(person.account));
                scene.ask(Method::DELETE, &path, admin, None).await
            }
            "the admin removes the person" => scene.ask(Method::DELETE, &account(person.account), admin, None).await,
            "the app is disabled" => {
                let path = format!("/v1/clients/{}", person.app);
                scene.ask(Method::PATCH, &path, admin, Some(json!({"enabled": false}))).await
            }
            "the password is reset by a link" => {
                let find =
                    async move |conn: &mut persistence::Conn| persistence::accounts::find(conn, person.account).await;
                let found: Option<Account> = world.server.state.db.read(find).await.unwrap();
                let browser = Browser::new(world);
                let path = format!("/account/password/{}", link(world, &found.unwrap(), "1 hour").await);
                let page = browser.get(&path).await.expect(200);
                let set = browser.submit(&page, "set", &[("new-password", "seven harps under a paper moon")]).await;
                set.leads_to("/account/sign-in");
                world.get("/healthz", Who::Stranger).await
            }
            "a refresh token is used twice" => {
                for token in [person.refresh_token(), refresh::make(&people::ROTATION_KEY, person.session, 1)] {
                    let form = format!("grant_type=refresh_token&client_id={}&refresh_token={token}", person.app);
                    scene.form("/oauth/token", form).await.expect(200);
                }
                let first = person.refresh_token();
                let form = format!("grant_type=refresh_token&client_id={}&refresh_token={first}", person.app);
                scene.form("/oauth/token", form).await.expect(400);
                world.get("/healthz", Who::Stranger).await
            }
            other => panic!("{other} is not done"),
        };
        assert!(done.status.is_success(), "{what}: {done:?}");
        slowest = slowest.max((scene.refused_by_both(&person.token, what).await, what));
        // A role is no reason to sign in again; all else is.
        let goes_on = ["the mission gives another role", "the admin gives another role"].contains(&what);
        let form =
            format!("grant_type=refresh_token&client_id={}&refresh_token={}", person.app, person.refresh_token());
        let refreshed = scene.form("/oauth/token", form).await;
        assert_eq!(refreshed.status == 200, goes_on, "{what}: {refreshed:?}");
    }
    println!("the slowest: {slowest:?}");
    scene.other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_service_ends_its_tokens_on_every_server_within_a_second() {
    let scene = Scene::new().await;
    let Scene { world, admin, .. } = &scene;
    for what in ["another secret", "disabled", "fewer scopes"] {
        let new = match what {
            "fewer scopes" => json!({"kind": "service", "name": "S", "role": "importer",
                "scopes": ["read", "inf_notes:import", "directory:import"]}),
            _ => json!({"kind": "service", "name": "S", "role": "integrator", "mission": scene.mission}),
        };
        let made = scene.ask(Method::POST, "/v1/clients", admin, Some(new)).await.expect(201).json();
        let (id, secret) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        let sign_in = || {
            let request = world.request(Method::POST, "/oauth/token", Who::Stranger).basic_auth(id, Some(secret));
            let form = request.header("content-type", "application/x-www-form-urlencoded");
            world.send(form.body("grant_type=client_credentials"))
        };
        let token = sign_in().await.expect(200).json();
        let token = token["access_token"].as_str().unwrap();
        for url in [world.server.url(), scene.other.url()] {
            assert_eq!(scene.status_at(&url, token).await, 200, "{what}: good until then");
        }
        let path = format!("/v1/clients/{id}");
        match what {
            "another secret" => scene.ask(Method::POST, &format!("{path}/secret"), admin, None).await,
            "disabled" => scene.ask(Method::PATCH, &path, admin, Some(json!({"enabled": false}))).await,
            _ => scene.ask(Method::PATCH, &path, admin, Some(json!({"scopes": ["read", "inf_notes:import"]}))).await,
        }
        .expect(200);
        scene.refused_by_both(token, what).await;
        assert_eq!(sign_in().await.status == 200, what == "fewer scopes", "{what}");
    }
    scene.other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_refreshes_at_once_all_get_the_one_successor() {
    let scene = Scene::new().await;
    let person = Person::new(&scene.world, Role::Delegate, Some(scene.mission)).await;
    let urls = [scene.world.server.url(), scene.other.url()];
    let form = format!("grant_type=refresh_token&client_id={}&refresh_token={}", person.app, person.refresh_token());
    let refresh = async |n: usize| {
        loop {
            let request = scene.world.http.post(format!("{}/oauth/token", urls[n % 2]));
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
            let answer = request.send().await.unwrap();
            // Fifty want four connections: on a busy machine some are told to come back.
            if answer.status() == 503 && answer.headers().contains_key("retry-after") {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            assert_eq!(answer.status(), 200);
            return answer.json::<Value>().await.unwrap();
        }
    };
    let given = futures_util::future::join_all((0..50).map(refresh)).await;
    let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    let successors: std::collections::BTreeSet<String> = given.iter().map(|one| text(one, "refresh_token")).collect();
    assert_eq!(successors.len(), 1, "one successor, on both servers");
    for one in &given {
        assert_eq!(scene.status_at(&urls[1], &text(one, "access_token")).await, 200);
    }
    let psql = scene.world.database.psql().await;
    let query = "select generation, ended_at is null from session where id = $1";
    let row = psql.query_one(query, &[&person.session.0]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (1, true));
    scene.other.stop().await.unwrap();
}
