//! A phone on a bad network: what docs/phone.md tells it to do, and what comes of it.

mod client;
pub(crate) mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::identity::Who as Named;
use api::oauth::refresh;
use domain::{Language, Role};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use self::client::{Kept, Pace, Phone, Trouble};
use crate::harness::proxy::{Proxy, Weather};
use crate::harness::rows::{With, organization, unit};
use crate::harness::{MISSION, Who, World, people, top};
use crate::identity::client;
use crate::sync::pages::{SMALL, ready};

const HASTY: Pace = Pace {
    connect: Duration::from_secs(5),
    silence: Duration::from_millis(400),
    first_pause: Duration::from_millis(2),
    longest_pause: Duration::from_millis(20),
    tries: 4,
};

/// A server with a few units, a network in front of it, and a phone that knows the network alone.
async fn scene() -> (World, Proxy, Phone) {
    let world = World::empty().await;
    let units = (0..40).map(|n| unit(&format!("u{n}"), "o"));
    world.have("directory", &[organization("o")].into_iter().chain(units).collect::<Vec<_>>()).await;
    let proxy = Proxy::before(world.server.address).await;
    let phone = phone(&world, proxy.url()).await;
    (world, proxy, phone)
}

async fn phone(world: &World, base: String) -> Phone {
    let who = people::person(&world.server, Role::Delegate, Some(MISSION)).await;
    let Named::Person { app, session, .. } = who else { unreachable!("a person") };
    let token = refresh::make(&people::ROTATION_KEY, session, 0);
    Phone::new(base, app.0.to_string(), token, "en", HASTY)
}

/// What a phone has that was never on a bad network.
async fn fresh(world: &World) -> Kept {
    let mut phone = phone(world, world.server.url()).await;
    phone.sync().await.unwrap();
    phone.kept
}

/// Waits until readers have all that was written.
async fn settled(world: &World) {
    let psql = world.database.psql().await;
    let rev: i64 = psql.query_one("select rev from sync_head where stream = 'directory'", &[]).await.unwrap().get(0);
    let token = world.token(Role::Delegate).await;
    world.get(&format!("/v1/directory/units?min_rev=directory%3D{rev}"), Who::Token(&token)).await.expect(200);
}

const PORTAL: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\n\r\n<p>Welcome, guest</p";
const PORTAL_IN_JSON: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{\"complete\":true}";
const PORTAL_REDIRECT: &str =
    "HTTP/1.1 302 Found\r\nlocation: http://portal.example/login\r\ncontent-length: 0\r\n\r\n";
const BALANCER: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p>.";
const WAIT_A_SECOND: &str =
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A row of numbers that look random; the same for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn weather(&mut self) -> Weather {
        let bytes = usize::try_from(self.throw(12_000)).unwrap();
        match self.throw(10) {
            0 | 1 => Weather::Fair,
            2 => Weather::Refused,
            3 => Weather::CutRequest(bytes % 400),
            4 => Weather::LostReply,
            5 => Weather::CutReply(bytes),
            6 => Weather::Slow(bytes.max(500), Duration::from_millis(1)),
            7 => Weather::Silent,
            8 => Weather::Twice,
            _ => Weather::Instead([PORTAL, PORTAL_REDIRECT, BALANCER][bytes % 3]),
        }
    }
}

/// Writes until told to stop: each transaction gives two units the same name, and closes or opens a third.
async fn write(world: &World, stop: Arc<AtomicBool>) {
    let psql = world.database.psql().await;
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let closed = if n % 3 == 0 { "now()" } else { "null" };
        let transaction = format!(
            "begin;
             update unit set name = '{{\"en\": \"{n}\"}}' where source_key in ('u1', 'u2');
             update unit set closed_at = {closed} where source_key = 'u{}';
             commit",
            3 + n % 20
        );
        psql.batch_execute(&transaction).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// The names of the two units that always have the same.
fn pair(kept: &Kept) -> Vec<&str> {
    let of_both = |key: &&(String, String)| key.0 == "unit";
    let names = kept.objects.iter().filter(|(key, _)| of_both(key)).map(|(_, unit)| unit["name"].as_str().unwrap());
    names.filter(|name| name.parse::<u64>().is_ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_on_a_bad_network_ends_as_the_servers() {
    let seed = Uuid::new_v4().as_u128() as u64 | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let (world, proxy, mut phone) = scene().await;
    world.server.state.bases.tune(SMALL);
    let stop = Arc::<AtomicBool>::default();
    let writer = write(&world, stop.clone());
    let reader = async {
        let mut completed = 0;
        for n in 0..40 {
            if n % 8 == 7 {
                phone.kept = Kept::default(); // another phone of the same user
            }
            proxy.forecast((0..3).map(|_| dice.weather()));
            // At times the system ends the app in the middle.
            let patience = Duration::from_millis(if dice.throw(4) == 0 { dice.throw(40) } else { 60_000 });
            match tokio::time::timeout(patience, phone.sync()).await {
                Ok(Ok(())) => completed += 1,
                Ok(Err(trouble)) => assert_eq!(trouble, Trouble::Offline),
                Err(_) => phone = phone.restart(),
            }
            let names = pair(&phone.kept);
            assert!(names.is_empty() || (names.len() == 2 && names[0] == names[1]), "never half: {names:?}");
        }
        stop.store(true, Ordering::Relaxed);
        (phone, completed)
    };
    let ((), (mut phone, completed)) = tokio::join!(writer, reader);
    assert!(completed > 0);
    settled(&world).await;
    while phone.sync().await.is_err() {}
    assert_eq!(phone.kept.objects, fresh(&world).await.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_weather_by_itself_costs_no_more_than_another_try() {
    let (world, proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    let psql = world.database.psql().await;
    let all = [
        Weather::Refused,
        Weather::CutRequest(60),
        Weather::LostReply,
        Weather::CutReply(10),
        Weather::CutReply(350),
        Weather::Slow(100, Duration::from_millis(1)),
        Weather::Silent,
        Weather::Twice,
        Weather::Instead(PORTAL),
        Weather::Instead(PORTAL_IN_JSON),
        Weather::Instead(PORTAL_REDIRECT),
        Weather::Instead(BALANCER),
    ];
    for (n, weather) in all.into_iter().enumerate() {
        psql.execute(&format!("update unit set name = '{{\"en\": \"New {n}\"}}' where source_key = 'u7'"), &[])
            .await
            .unwrap();
        settled(&world).await;
        let before = proxy.connections();
        let passes = matches!(weather, Weather::Slow(..) | Weather::Twice);
        proxy.forecast([weather.clone()]);
        phone.sync().await.unwrap();
        assert_eq!(proxy.connections() - before, if passes { 1 } else { 2 }, "{weather:?}");
        let has = |name: String| phone.kept.objects.values().any(|object| object["name"] == name.as_str());
        assert!(has(format!("New {n}")), "{weather:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_ended_at_any_moment_misses_nothing() {
    let (world, _proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    let psql = world.database.psql().await;
    for n in 0..30 {
        let rename = format!("update unit set name = '{{\"en\": \"New {n}\"}}' where source_key = 'u7'");
        psql.execute(&rename, &[]).await.unwrap();
        settled(&world).await;
        // A sync takes some milliseconds: the end comes before it, in each part of it, and after it.
        let _ = tokio::time::timeout(Duration::from_micros(500 * n), phone.sync()).await;
        phone = phone.restart();
        phone.sync().await.unwrap();
        let name = format!("New {n}");
        assert!(phone.kept.objects.values().any(|object| object["name"] == name.as_str()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_copy_that_was_cut_goes_on_where_it_was() {
    let (world, proxy, mut phone) = scene().await;
    world.server.state.bases.tune(SMALL);
    phone.sync().await.unwrap();
    ready(&world, Language::En).await;
    phone.kept = Kept::default();
    let before = proxy.connections();
    phone.sync().await.unwrap();
    let (pages, expected) = (proxy.connections() - before, phone.kept.objects.clone());
    assert!(pages > 3, "{pages} pages");
    phone.kept = Kept::default();
    let before = proxy.connections();
    proxy.forecast([Weather::Fair, Weather::Fair].into_iter().chain(vec![Weather::LostReply; 4]));
    assert_eq!(phone.sync().await, Err(Trouble::Offline));
    assert!(phone.kept.begun.is_some() && phone.kept.objects.is_empty(), "nothing is shown of it");
    phone = phone.restart();
    phone.sync().await.unwrap();
    assert_eq!(proxy.connections() - before, pages + 4, "no page came twice");
    assert!(phone.kept.objects == expected && phone.kept.begun.is_none());
    assert_eq!(fresh(&world).await.objects, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_copy_stays_as_it_is() {
    let (_world, proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    let kept = phone.kept.clone();
    proxy.forecast(vec![Weather::Refused; 4]);
    assert_eq!(phone.sync().await, Err(Trouble::Offline));
    assert_eq!(phone.kept, kept);
    drop(proxy);
    assert_eq!(phone.restart().sync().await, Err(Trouble::Offline));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_waits_as_long_as_it_is_told() {
    let (_world, proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    proxy.forecast([Weather::Instead(WAIT_A_SECOND)]);
    let asked = Instant::now();
    phone.sync().await.unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_is_not_repeated() {
    let (_world, proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    let before = proxy.connections();
    let refused = phone.read("/v1/directory/units?limit=1000").await;
    assert_eq!(refused, Err(Trouble::Refused(422, "validation_failed".into())));
    assert_eq!(proxy.connections() - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_early_is_renewed_once() {
    let (world, proxy, mut phone) = scene().await;
    phone.bearer = Some(("of yesterday".into(), Instant::now() + Duration::from_secs(3000)));
    phone.sync().await.unwrap();
    assert_eq!(proxy.connections(), 3, "a 401, a token, a copy");

    let psql = world.database.psql().await;
    psql.execute("update account set suspended_at = now()", &[]).await.unwrap();
    phone.bearer = None;
    let mut trouble = phone.sync().await;
    while trouble.is_ok() {
        // it has not heard of it yet
        phone.bearer = None;
        trouble = phone.sync().await;
    }
    assert_eq!(trouble, Err(Trouble::SignIn));
    assert!(phone.kept.hidden && !phone.kept.objects.is_empty(), "kept for the same user, and not shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_other_rights_is_hidden_until_the_new_one_is_whole() {
    let (world, proxy, mut phone) = scene().await;
    let psql = world.database.psql().await;
    let own = format!("update unit set audience = 'missions:{MISSION}' where source_key = 'u5'");
    psql.execute(&own, &[]).await.unwrap();
    settled(&world).await;
    phone.sync().await.unwrap();
    let other = "update account set mission_id = gen_random_uuid() where mission_id is not null";
    psql.execute(other, &[]).await.unwrap();
    let kept = phone.kept.clone();
    // The reason arrives, once the server has heard of it; what follows does not.
    for _ in 0..50 {
        if phone.kept.hidden {
            break;
        }
        proxy.forecast([Weather::Fair].into_iter().chain(vec![Weather::LostReply; 4]));
        let _ = phone.sync().await;
    }
    proxy.forecast([Weather::CutReply(900)]);
    assert_eq!(phone.kept, Kept { hidden: true, ..kept });
    while phone.sync().await.is_err() {}
    assert!(!phone.kept.hidden);
    let mut expected = fresh(&world).await.objects;
    assert_eq!(expected.len() - phone.kept.objects.len(), 1, "what was for the first mission is gone");
    expected.retain(|_, object| object["audience"] == "delegates");
    assert_eq!(phone.kept.objects, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_shown_from_the_phone() {
    let (world, _proxy, mut phone) = scene().await;
    phone.sync().await.unwrap();
    let ((_, id), _) = phone.kept.objects.iter().find(|((kind, _), _)| kind == "unit").unwrap();
    let path = format!("/v1/directory/units/{id}");
    let first = phone.read(&path).await.unwrap();
    assert_eq!(first["name"], "Unit of tests");
    // What only a 304 can bring back.
    phone.kept.answers.get_mut(&path).unwrap().1["name"] = json!("From the phone");
    assert_eq!(phone.read(&path).await.unwrap()["name"], "From the phone");
    world.have("directory", &[organization("o"), unit("u99", "o")]).await;
    world.database.psql().await.execute("update unit set name = '{\"en\": \"New\"}'", &[]).await.unwrap();
    settled(&world).await;
    assert_eq!(phone.read(&path).await.unwrap()["name"], "New");
}

/// What a program prints; none where it is not installed.
async fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Option<String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).envs(environment.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().ok()?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).unwrap())
}

/// What a guide's script has in its database.
async fn mirrored(database: &str) -> BTreeMap<(String, String), serde_json::Value> {
    let dump = "import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute('select kind, id, body from object')
print(json.dumps([[kind, id, json.loads(body)] for kind, id, body in rows]))";
    let rows = run("python3", &["-c", dump, database], &[]).await.unwrap();
    let rows: Vec<(String, String, serde_json::Value)> = serde_json::from_str(&rows).unwrap();
    rows.into_iter().map(|(kind, id, body)| ((kind, id), body)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_mirror_keeps_its_copy_on_the_same_network() {
    let (world, proxy, _) = scene().await;
    let (id, secret) = client(&world, Role::Integrator).await;
    let folder = tempfile::tempdir().unwrap();
    let (credentials, mirror) = (folder.path().join("client"), folder.path().join("mirror.db"));
    std::fs::write(&credentials, format!("{id}:{secret}\n")).unwrap();
    let (url, scripts, mirror) = (proxy.url(), top().join("docs/scripts"), mirror.to_str().unwrap());
    let (script, credentials) = (scripts.join("mirror.py"), credentials.to_str().unwrap());
    let environment = [("FOCALPOINT", url.as_str()), ("FOCALPOINT_CLIENT_FILE", credentials)];
    let script = [script.to_str().unwrap(), mirror];
    proxy.forecast([Weather::LostReply, Weather::Fair, Weather::CutReply(3_000), Weather::Instead(BALANCER)]);
    let Some(first) = run("python3", &script, &environment).await else { return eprintln!("skipped: no python3") };
    assert_eq!(first.trim(), r#"{"put": 41, "removed": 0}"#);

    let psql = world.database.psql().await;
    psql.batch_execute("update unit set closed_at = now() where source_key = 'u3'; update unit set name = '{\"en\": \"N\"}' where source_key = 'u4'")
        .await
        .unwrap();
    settled(&world).await;
    proxy.forecast([Weather::Fair, Weather::Instead(PORTAL_REDIRECT), Weather::CutReply(400), Weather::Twice]);
    assert_eq!(run("python3", &script, &environment).await.unwrap().trim(), r#"{"put": 1, "removed": 1}"#);
    assert_eq!(mirrored(mirror).await, fresh(&world).await.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_client_makes_the_same_copy_page_by_page() {
    let (world, _proxy, _) = scene().await;
    world.server.state.bases.tune(SMALL);
    let bearer = world.token(Role::Delegate).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let (url, script, copy) = (world.server.url(), top().join("docs/scripts/phone_copy.py"), copy.to_str().unwrap());
    let environment = [("FOCALPOINT", url.as_str()), ("ACCESS_TOKEN", bearer.as_str())];
    let script = script.to_str().unwrap();
    let one = [script, copy, "--pages", "1"];
    let Some(first) = run("python3", &one, &environment).await else { return eprintln!("skipped: no python3") };
    let told = |told: String| serde_json::from_str::<serde_json::Value>(&told).unwrap();
    assert_eq!(
        (told(first)["complete"].clone(), mirrored(copy).await.len()),
        (json!(false), 0),
        "nothing is shown of it"
    );
    let psql = world.database.psql().await;
    let change = "update unit set closed_at = now() where source_key = 'u3'; update unit set name = '{\"en\": \"N\"}' where source_key = 'u4'";
    psql.batch_execute(change).await.unwrap();
    settled(&world).await;
    let second = told(run("python3", &[script, copy], &environment).await.unwrap());
    assert!(second["complete"] == true && second["pages"].as_u64() > Some(1), "{second}");
    assert_eq!(mirrored(copy).await, fresh(&world).await.objects);
    psql.batch_execute("update unit set closed_at = null").await.unwrap();
    settled(&world).await;
    run("python3", &[script, copy], &environment).await.unwrap();
    assert_eq!(mirrored(copy).await, fresh(&world).await.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_answer_got_lost_is_sent_again_without_harm() {
    let world = World::empty().await;
    let proxy = Proxy::before(world.server.address).await;
    let admin = world.token(Role::Admin).await;
    let rows = [organization("o"), unit("u", "o").with("name", json!({"en": "Sent twice"}))];
    let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let send = || {
        let request = world.http.request(Method::POST, format!("{}/v1/imports/directory?source=test", proxy.url()));
        request.bearer_auth(&admin).header("content-type", "application/x-ndjson").body(body.clone()).send()
    };
    proxy.forecast([Weather::LostReply, Weather::CutRequest(40)]);
    assert!(send().await.is_err());
    assert!(send().await.is_err());
    let reply = send().await.unwrap();
    assert_eq!(reply.headers().get("sync-rev"), None, "nothing was written again");
    let report: serde_json::Value = reply.json().await.unwrap();
    assert_eq!((&report["rows"], &report["unchanged"]), (&json!(2), &json!(2)));
}
