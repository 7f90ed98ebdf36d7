//! No space left, under Postgres and under the API's own files.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use domain::Role;
use serde_json::Value;

use super::cluster::{Cluster, folder, import, organizations, send_import, token};
use crate::harness::{Program, http_client};

/// A small file system in memory; unmounted with this value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with a word about it, where this user may not mount one.
    fn mount(size: &str) -> Option<Self> {
        let folder = folder();
        let options = format!("size={size},mode=711");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                eprintln!("skipped: only root may mount a small file system");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A file as large as the disk lets it be.
fn fill(disk: &SmallDisk) -> std::path::PathBuf {
    let path = disk.path().join("filler");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_postgres_stops_writes_and_nothing_else_until_there_is_space() {
    let Some(disk) = SmallDisk::mount("192m") else { return };
    let place = tempfile::Builder::new().tempdir_in(disk.path()).unwrap();
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let Some(cluster) = Cluster::start_in(place) else { return };
    let server = cluster.server().await;
    let (delegate, admin) = (token(&server, Role::Delegate).await, token(&server, Role::Admin).await);
    assert_eq!(import(&server, &admin, "before").await, 200);
    let http = http_client();
    let read = async || {
        let list = format!("{}/v1/directory/organizations", server.url());
        let reply = http.get(list).bearer_auth(&delegate).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.json::<Value>().await.unwrap()["items"].as_array().unwrap().len()
    };
    while read().await != 1 {}
    // The log has room for a while: it is the tables that find none.
    let superuser = cluster.superuser().await;
    for statement in ["select pg_switch_wal()", "checkpoint", "select pg_switch_wal()", "checkpoint"] {
        superuser.batch_execute(statement).await.unwrap();
    }

    let filler = fill(&disk);
    let file = organizations("o", 3000);
    for _ in 0..2 {
        let refused = send_import(&server, &admin, file.clone()).await;
        let (status, retry) = (refused.status(), refused.headers().get("retry-after").cloned());
        let body = refused.text().await.unwrap();
        assert_eq!(status, 503, "{body}");
        assert!(retry.is_some() && body.contains("\"unavailable\"") && !body.contains("extend"), "{body}");
        assert_eq!(read().await, 1);
    }
    let stored: i64 = superuser.query_one("select count(*) from organization", &[]).await.unwrap().get(0);
    assert_eq!(stored, 1, "nothing of the file");

    std::fs::remove_file(filler).unwrap();
    let freed = Instant::now();
    let done = send_import(&server, &admin, file).await;
    assert_eq!(done.status(), 200);
    assert_eq!(done.json::<Value>().await.unwrap()["inserted"], 3000);
    println!("writes were back after {:?}", freed.elapsed());
    let deadline = Instant::now() + Duration::from_secs(4);
    while read().await == 1 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.stop().await.unwrap();
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_folder_for_arriving_files_refuses_a_file_and_keeps_nothing_of_it() {
    let Some(disk) = SmallDisk::mount("64k") else { return };
    let database = crate::harness::Database::empty().await;
    let place = disk.path().to_str().unwrap();
    let program = Program::serve(&database.url, "127.0.0.1:0", &[("TMPDIR", place)]).unwrap();
    let http = http_client();
    let token = program.token(&http, &database.url, "importer").await;
    let import = async |rows: usize| {
        let url = format!("{}/v1/imports/directory?source=test", program.url());
        let request = http.post(url).bearer_auth(&token).header("content-type", "application/x-ndjson");
        request.body(organizations("o", rows)).send().await.unwrap()
    };
    let refused = import(4000).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let psql = database.psql().await;
    let stored: i64 = psql.query_one("select count(*) from organization", &[]).await.unwrap().get(0);
    assert_eq!(stored, 0);
    assert_eq!(import(20).await.status(), 200, "a file that has room, and what was refused left none behind");
}
