//! Databases for tests: copies of templates that are made once.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::{config, log, top};

/// A database of its own, dropped with this value.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

/// The server that tests use.
pub(crate) fn server_url() -> String {
    std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres server for tests; script/test starts one")
}

/// The URL of another database on the same server.
fn url_of(database: &str) -> String {
    let server = server_url();
    let (before, query) = server.split_once('?').map_or((server.as_str(), None), |(b, q)| (b, Some(q)));
    let start = before.find("://").map_or(0, |at| at + 3);
    let end = before[start..].find('/').map_or(before.len(), |at| start + at);
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    format!("{}/{database}{query}", &before[..end])
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Database {
    /// Migrated, with nothing in it.
    pub(crate) async fn empty() -> Self {
        log();
        let folders = ["persistence/migrations"];
        let template = template("empty", &folders, async |url| migrate(&url).await).await;
        Self::copy_of(&template).await
    }

    /// With the demonstration's data, loaded as `serve --demo` does.
    pub(crate) async fn demonstration() -> Self {
        log();
        let folders = ["persistence/migrations", "data/demonstration", "api/src"];
        let template = template("demo", &folders, async |url| {
            migrate(&url).await;
            let config = api::config::Config { demo: true, ..config(&url) };
            let credentials = config.demo_credentials.clone();
            api::start(config).await.unwrap().stop().await.unwrap();
            std::fs::remove_file(credentials).unwrap();
        });
        Self::copy_of(&template.await).await
    }

    /// With nothing in it, not even the schema.
    pub(crate) async fn bare() -> Self {
        log();
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        let name = format!("focalpoint_test_{}", Uuid::now_v7().simple());
        let admin = connect(&server_url()).await;
        admin.batch_execute(&format!("create database {name} template {template}")).await.unwrap();
        Self { url: url_of(&name), name }
    }

    /// Its URL for another role.
    pub(crate) fn url_as(&self, role: &str) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        format!("{scheme}://{role}@{}", rest.split_once('@').unwrap().1)
    }

    /// Drops it, whoever is connected, and makes an empty one of the same name.
    pub(crate) async fn replace_by_nothing(&self) {
        let admin = connect(&server_url()).await;
        // Not even so while autovacuum is in it, which only a superuser may end.
        for _ in 0..50 {
            if admin.batch_execute(&format!("drop database {} with (force)", self.name)).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        admin.batch_execute(&format!("create database {} template template0", self.name)).await.unwrap();
    }

    /// A connection to it, as psql would have one.
    pub(crate) async fn psql(&self) -> Client {
        connect(&self.url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("drop database if exists {} with (force)", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&server_url()).await.batch_execute(&drop).await })
        });
        // A server that a test has killed keeps its databases.
        let _ = dropped.join();
    }
}

async fn migrate(url: &str) {
    let db = persistence::Db::new(url, 2).unwrap();
    persistence::migrations::run(db.dedicated().await.unwrap()).await.unwrap();
}

/// The template of this kind for the folders' present content, made by whoever comes first.
async fn template(kind: &str, folders: &[&str], fill: impl AsyncFnOnce(String)) -> String {
    let mut hasher = DefaultHasher::new();
    folders.iter().for_each(|folder| hash_folder(&top().join(folder), &mut hasher));
    let name = format!("focalpoint_test_{kind}_{:016x}", hasher.finish());
    let admin = connect(&server_url()).await;
    admin.execute("select pg_advisory_lock(hashtext('focalpoint test templates'))", &[]).await.unwrap();
    let present = admin.query_opt("select from pg_database where datname = $1", &[&name]).await.unwrap();
    if present.is_none() {
        let unfinished = format!("focalpoint_test_{}", Uuid::now_v7().simple());
        admin.batch_execute(&format!("create database {unfinished} template template0")).await.unwrap();
        fill(url_of(&unfinished)).await;
        // Autovacuum may be there, too: only a superuser could end it, and it goes by itself.
        let end =
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user";
        admin.execute(end, &[&unfinished]).await.unwrap();
        // A backend needs a moment to go.
        for _ in 0..50 {
            if admin.batch_execute(&format!("alter database {unfinished} rename to {name}")).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    admin.execute("select pg_advisory_unlock(hashtext('focalpoint test templates'))", &[]).await.unwrap();
    name
}

fn hash_folder(path: &Path, hasher: &mut DefaultHasher) {
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| hash_folder(entry, hasher));
    } else {
        path.hash(hasher);
        std::fs::read(path).unwrap().hash(hasher);
    }
}
