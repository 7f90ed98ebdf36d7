//! The drill: a backup is made and restored, behind a server that runs on.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use domain::Role;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::rows::{With, organization, unit};
use crate::harness::{Database, Who, World, config, http_client, top};
use crate::sync::Copy;

fn run(script: &str, url: &str, args: &[&Path]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_focalpoint"));
    let mut command = Command::new(top().join("script").join(script));
    command.args(args).env("DATABASE_URL", url).env("FOCALPOINT", program).output().unwrap()
}

#[track_caller]
fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(words), "{told}");
}

/// `None`, with a word about it, where PostgreSQL's client programs are missing.
fn folder() -> Option<TempDir> {
    let found = ["pg_dump", "pg_restore", "psql"]
        .iter()
        .all(|program| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()));
    if !found {
        eprintln!("skipped: pg_dump, pg_restore and psql are not in PATH");
    }
    found.then(|| TempDir::new().unwrap())
}

/// A phone: its copy, and the states of the server that it has been through.
struct Phone {
    copy: Copy,
    is_later: bool,
}

impl Phone {
    async fn new(world: &World, token: &str, is_later: bool) -> Self {
        let mut copy = Copy::default();
        copy.pull(world, token).await;
        Self { copy, is_later }
    }
}

async fn ask(world: &World, bearer: &str, phone: &Phone) -> (u16, Value) {
    let path = format!("/v1/sync?token={}", phone.copy.token.as_ref().unwrap());
    let reply = world.get(&path, Who::Token(bearer)).await;
    (reply.status.as_u16(), reply.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_every_later_copy_starts_again_and_every_earlier_one_goes_on() {
    let Some(folder) = folder() else { return };
    let backup = folder.path().join("focalpoint.dump");
    let world = World::empty().await;
    let bearer = world.token(Role::Delegate).await;
    let mut phones = vec![Phone::new(&world, &bearer, false).await];
    world.have("directory", &[organization("o"), unit("u", "o"), unit("v", "o")]).await;
    phones.push(Phone::new(&world, &bearer, false).await);
    world.have("bulletins", &[crate::bulletins::bulletin("first")]).await;
    phones.push(Phone::new(&world, &bearer, false).await);

    succeed(&run("backup", &world.database.url, &[&backup]));
    refused(&run("backup", &world.database.url, &[&backup]), "nothing is overwritten");

    // Later: one more row, one changed, one gone, in one stream and in another.
    phones.push(Phone::new(&world, &bearer, false).await);
    world.have("directory", &[unit("w", "o"), unit("u", "o").with("name", json!({"en": "Renamed"}))]).await;
    phones.push(Phone::new(&world, &bearer, true).await);
    world.have("bulletins", &[crate::bulletins::bulletin("second")]).await;
    phones.push(Phone::new(&world, &bearer, true).await);
    let psql = world.database.psql().await;
    psql.batch_execute("update unit set closed_at = now() where source_key = 'v'").await.unwrap();
    drop(psql);
    world.get("/v1/directory/units?min_rev=directory%3D3", Who::Token(&bearer)).await.expect(200);
    phones.push(Phone::new(&world, &bearer, true).await);

    // A phone that asks all the time, while the database behind the process is replaced.
    let latest = phones.last().unwrap().copy.token.clone().unwrap();
    let (url, latest_bearer) = (format!("{}/v1/sync?token={latest}", world.server.url()), bearer.clone());
    let asking = tokio::spawn(async move {
        let (http, mut answers) = (http_client(), Vec::new());
        loop {
            let reply = http.get(&url).bearer_auth(&latest_bearer).send().await.unwrap();
            let (status, body) = (reply.status().as_u16(), reply.json::<Value>().await.unwrap());
            answers.push((Instant::now(), status, body.clone()));
            if status == 410 {
                return answers;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    world.database.replace_by_nothing().await;
    succeed(&run("restore", &world.database.url, &[&backup]));
    let restored = Instant::now();
    let answers = tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap().unwrap();

    let (noticed, _, gone) = answers.last().unwrap();
    assert_eq!(gone["reason"], "rewound");
    let late = noticed.saturating_duration_since(restored);
    println!("the process noticed {late:?} after the restore; {} answers until then", answers.len());
    // It looks every second, and an answer waits four for revisions that another process may have had first.
    assert!(late < Duration::from_secs(6), "{late:?}");
    for (_, status, body) in &answers {
        // While the database was away: the copy is what it was, and nothing is added to it.
        let unchanged = body["put"] == json!([]) && body["remove"] == json!([]) && body["token"] == json!(latest);
        assert!(*status != 200 || unchanged, "{body}");
        assert!([200, 410, 503].contains(status), "{status} {body}");
    }
    let first_refused = answers.iter().position(|(_, status, _)| *status != 200).unwrap();
    assert!(answers[first_refused..].iter().all(|(_, status, _)| *status != 200), "once noticed, never 200");

    // Every phone, before the restored server writes anything and after it has counted past all of them.
    for round in 0..2 {
        if round == 1 {
            for n in 0..4 {
                world.have("directory", &[unit(&format!("x{n}"), "o")]).await;
                world.have("bulletins", &[crate::bulletins::bulletin(&format!("after{n}"))]).await;
            }
        }
        for phone in phones.iter().filter(|phone| phone.is_later) {
            let (status, body) = ask(&world, &bearer, phone).await;
            assert_eq!((status, &body["reason"]), (410, &json!("rewound")), "round {round}: {body}");
        }
        let anew = Phone::new(&world, &bearer, false).await;
        assert!(!anew.copy.objects.values().any(|object| object.to_string().contains("second")));
        for phone in phones.iter_mut().filter(|phone| !phone.is_later) {
            phone.copy.pull(&world, &bearer).await;
            assert_eq!(phone.copy.objects, anew.copy.objects, "a copy that goes on is what a new one is");
        }
    }

    // A process that has seen nothing of all this says the same.
    let other = api::start(config(&world.database.url)).await.unwrap();
    for phone in &phones {
        let path = format!("{}/v1/sync?token={}", other.url(), phone.copy.token.as_ref().unwrap());
        let status = http_client().get(path).bearer_auth(&bearer).send().await.unwrap().status().as_u16();
        assert_eq!(status, if phone.is_later { 410 } else { 200 });
    }
    other.stop().await.unwrap();
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_damaged_unfinished_or_for_a_full_database_is_refused() {
    let Some(folder) = folder() else { return };
    let backup = folder.path().join("focalpoint.dump");
    let (source, target) = (Database::demonstration().await, Database::bare().await);
    succeed(&run("backup", &source.url, &[&backup]));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    refused(&run("restore", &source.url, &[&backup]), "not empty");

    let whole = std::fs::read(&backup).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&backup, damaged).unwrap();
    refused(&run("restore", &target.url, &[&backup]), "damaged");
    std::fs::write(&backup, &whole[..whole.len() / 2]).unwrap();
    refused(&run("restore", &target.url, &[&backup]), "damaged");
    std::fs::write(&backup, whole).unwrap();
    succeed(&run("restore", &target.url, &[&backup]));

    let unreachable = "postgres://focalpoint@%2Fnowhere/focalpoint";
    let other = folder.path().join("other.dump");
    refused(&run("backup", unreachable, &[&other]), "there is no backup");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the backup and its checksum: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_the_one_that_was_backed_up() {
    let Some(folder) = folder() else { return };
    let backup = folder.path().join("focalpoint.dump");
    let (source, target) = (Database::demonstration().await, Database::bare().await);
    succeed(&run("backup", &source.url, &[&backup]));
    succeed(&run("restore", &target.url, &[&backup]));
    let (before, after) = (World::on(source).await, World::on(target).await);
    let bearer = before.token(Role::Delegate).await;
    let mut copy = Copy::default();
    copy.pull(&before, &bearer).await;
    let mut restored = Copy::default();
    restored.pull(&after, &after.token(Role::Delegate).await).await;
    assert_eq!(copy.objects, restored.objects);
    assert!(copy.objects.len() > 500);
    for (path, who) in [("/v1/inf-notes", Who::Stranger), ("/v1/bulletins?lang=fr", Who::Stranger)] {
        let tag = |reply: crate::harness::Reply| reply.header("etag").unwrap().to_owned();
        assert_eq!(tag(before.get(path, who).await), tag(after.get(path, who).await), "tags live on");
    }
}
