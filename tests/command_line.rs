//! What an operator does on the command line to accounts, clients and keys; and whom a demonstration has.

use std::time::Duration;

use domain::{AccountId, Role};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Database, Who, World, config, program};

/// Runs the program on a database. What it printed, where it succeeded; else what it said.
fn run(database: &str, arguments: &[&str]) -> Result<Value, String> {
    let output = program().args(arguments).env("DATABASE_URL", database).output().unwrap();
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_made_on_the_command_line_and_sets_a_password_by_a_link() {
    let world = World::empty().await;
    let url = &world.database.url;
    let base = ["--base-url", "https://focalpoint.example", "--mail", "first@example.org"];
    let create = [&["account", "create", "--name", "First", "--role", "admin", "--role", "editor"], &base[..]].concat();
    let made = run(url, &create).unwrap();
    let secret = |told: &Value| {
        let link = told["link"].as_str().unwrap().to_owned();
        link.strip_prefix("https://focalpoint.example/account/password/").unwrap().to_owned()
    };
    let owner = async |secret: &str| {
        let hash = api::sign_in::link_hash(secret);
        let find = async move |conn: &mut persistence::Conn| persistence::sign_ins::find_link(conn, &hash).await;
        world.server.state.db.read::<_, persistence::Error, _>(find).await.unwrap()
    };
    let id: AccountId = serde_json::from_value(made["account"].clone()).unwrap();
    assert_eq!(owner(&secret(&made)).await, Some(id));
    let page = format!("/account/password/{}", secret(&made));
    world.get(&page, Who::Stranger).await.expect(200);
    let lasts = chrono::DateTime::parse_from_rfc3339(made["expires_at"].as_str().unwrap()).unwrap();
    let hours = (lasts.to_utc() - chrono::Utc::now()).num_minutes() as f64 / 60.0;
    assert!((71.5..=72.5).contains(&hours), "{hours}");
    assert!(run(url, &create).unwrap_err().contains("already"));

    let again = run(url, &[&["account", "link"], &base[..]].concat()).unwrap();
    assert_eq!((owner(&secret(&again)).await, owner(&secret(&made)).await), (Some(id), None));
    let nobody = ["account", "link", "--base-url", "https://focalpoint.example", "--mail", "nobody@example.org"];
    assert!(run(url, &nobody).unwrap_err().contains("no account"));
    let psql = world.database.psql().await;
    let row = psql.query_one("select roles, mission_id from account where id = $1", &[&id.0]).await.unwrap();
    assert_eq!(
        (row.get::<_, Vec<String>>(0), row.get::<_, Option<Uuid>>(1)),
        (vec!["editor".into(), "admin".into()], None)
    );
    let nowhere = Uuid::now_v7().to_string();
    let of_nowhere = [
        "account",
        "create",
        "--base-url",
        "https://focalpoint.example",
        "--mail",
        "x@example.org",
        "--name",
        "X",
        "--role",
        "delegate",
        "--mission",
        &nowhere,
    ];
    assert!(run(url, &of_nowhere).unwrap_err().contains("no mission"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_made_on_the_command_line_as_they_are_over_http() {
    let world = World::empty().await;
    let url = &world.database.url;
    let importer = run(url, &["client", "create", "--role", "importer", "--scope", "directory:import"]).unwrap();
    let request = world.request(Method::POST, "/oauth/token", Who::Stranger);
    let request = request.basic_auth(importer["client_id"].as_str().unwrap(), importer["client_secret"].as_str());
    let form = "application/x-www-form-urlencoded";
    let token = world.send(request.header("content-type", form).body("grant_type=client_credentials")).await;
    assert_eq!(token.expect(200).json()["scope"], "directory:import");
    let app = [
        "app",
        "create",
        "--name",
        "App",
        "--redirect-uri",
        "org.example.app:/cb",
        "--scope",
        "read",
        "--scope",
        "account",
    ];
    let app = run(url, &app).unwrap();
    let admin = world.token(Role::Admin).await;
    let path = format!("/v1/clients/{}", app["client_id"].as_str().unwrap());
    let seen = world.get(&path, Who::Token(&admin)).await.expect(200).json();
    assert_eq!(
        (&seen["redirect_uris"], &seen["scopes"]),
        (&json!(["org.example.app:/cb"]), &json!(["read", "account"]))
    );
    let refused = run(url, &["client", "create", "--role", "approver"]).unwrap_err();
    assert!(refused.contains("other roles are people's"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_without_an_outage_and_a_retired_one_is_good_no_more() {
    let world = World::empty().await;
    let url = &world.database.url;
    let units = "/v1/directory/units";
    let before = world.token(Role::Admin).await;
    let kids = |told: &Value| told.as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
    let first = run(url, &["keys", "list"]).unwrap();
    assert_eq!((first.as_array().unwrap().len(), &first[0]["state"]), (1, &json!("signs")));
    assert!(!first.to_string().contains("private"));
    let old = first[0]["kid"].as_str().unwrap().to_owned();
    assert!(run(url, &["keys", "retire", &old]).unwrap_err().contains("rotate the keys first"));
    assert_eq!(run(url, &["keys", "list"]).unwrap(), first, "nothing was changed");

    let rotated = run(url, &["keys", "rotate", "--overlap-minutes", "5"]).unwrap();
    assert_eq!((&rotated[0]["state"], &rotated[1]["state"]), (&json!("will sign"), &json!("signs")));
    let published = |reply: &crate::harness::Reply| reply.json()["keys"].as_array().unwrap().len() == 2;
    let (keys, _) = world.eventually("/.well-known/jwks.json", Who::Stranger, published).await;
    for key in keys.json()["keys"].as_array().unwrap() {
        assert!(kids(&rotated).contains(&key["kid"]) && key["d"].is_null());
    }
    world.get(units, Who::Token(&before)).await.expect(200);
    let during = world.token(Role::Admin).await;
    world.get(units, Who::Token(&during)).await.expect(200);
    // What the old key signs last is good for as long as any token.
    let until = chrono::DateTime::parse_from_rfc3339(rotated[1]["verifies_until"].as_str().unwrap()).unwrap();
    assert!(until.to_utc() > chrono::Utc::now() + chrono::TimeDelta::minutes(5 + 60));

    let left = run(url, &["keys", "retire", &old]).unwrap();
    assert_eq!(kids(&left), kids(&rotated)[..1]);
    let (_, took) = world.eventually(units, Who::Token(&during), |reply| reply.status == 401).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    world.get(units, Who::Token(&world.token(Role::Admin).await)).await.expect(200);
    assert!(run(url, &["keys", "retire", &old]).unwrap_err().contains("no key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_has_somebody_of_every_role_and_an_app_to_sign_in_in() {
    let database = Database::demonstration().await;
    let config = api::config::Config { demo: true, ..config(&database.url) };
    let path = config.demo_credentials.clone();
    let server = api::start(config.clone()).await.unwrap();
    let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for role in Role::ALL {
        assert!(told[role.name()]["client_secret"].is_string(), "{role:?}");
    }
    assert_eq!(told["app"]["client_id"], "01a20000-0000-7000-8000-0000000000a1");
    let mut people: Vec<&str> =
        Role::ALL.iter().filter(|role| !role.is_of_a_service()).map(|role| role.name()).collect();
    people.extend(["delegate_of_another_mission", "mission_admin_of_another_mission"]);
    assert_eq!(told["people"].as_object().unwrap().len(), people.len());
    for name in people {
        let person = &told["people"][name];
        let id: AccountId = serde_json::from_value(person["account"].clone()).unwrap();
        let read = async move |conn: &mut persistence::Conn| {
            let account = persistence::accounts::find(conn, id).await?.unwrap();
            let password = persistence::sign_ins::find_password(conn, id).await?;
            Ok((account, password, persistence::sign_ins::find_totp(conn, id).await?))
        };
        let (account, hash, totp) = server.state.db.read::<_, persistence::Error, _>(read).await.unwrap();
        assert_eq!(person["mail"], account.mail.as_str());
        assert!(account.name.contains("Invented"), "{}", account.name);
        let password = person["password"].as_str().unwrap().to_owned();
        let turn = server.state.secrets.turn().await.unwrap();
        assert!(server.state.secrets.check(turn, password.into(), hash).await.unwrap(), "{name}");
        assert_eq!(person["totp_secret"].is_string(), account.roles.need_second_factor(), "{name}");
        assert_eq!(totp.is_some_and(|totp| totp.is_confirmed), account.roles.need_second_factor(), "{name}");
    }
    server.stop().await.unwrap();
    // Once more: the same people with the same passwords.
    api::start(config).await.unwrap().stop().await.unwrap();
    let again: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(again, told);
}
