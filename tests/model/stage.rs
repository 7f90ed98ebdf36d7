//! What histories happen on: a database, the program as a process that can be killed, and ways past it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use api::identity::{Identities, Token, Tokens, Who};
use domain::{Act, Kind, Role, Scopes, Stream};
use persistence::Db;
use tokio_postgres::Client;
use uuid::Uuid;

use super::mutants::Mutant;
use super::oracle::Logged;
use crate::faults::cluster::Cluster;
use crate::harness::{Database, Program, connect, http_client, people, server_url};

/// A database and the program on it.
pub(super) struct Stage {
    place: Place,
    url: String,
    admin_url: String,
    name: String,
    program: Option<Program>,
    address: String,
    mutant: Option<Mutant>,
    pub(super) psql: Client,
    pub(super) db: Db,
    pub(super) http: reqwest::Client,
    seen: HashSet<Uuid>,
}

enum Place {
    /// It goes with this.
    Shared(#[expect(dead_code, reason = "it is dropped with the stage")] Database),
    Own(Cluster),
}

/// What the database does, asked again while it is out of reach.
macro_rules! patiently {
    ($call:expr) => {{
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match $call.await {
                Err(persistence::Error::Unavailable(cause)) => assert!(Instant::now() < deadline, "{cause}"),
                done => break done.unwrap(),
            }
        }
    }};
}

fn other_database(url: &str, name: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, String::new()), |(b, q)| (b, format!("?{q}")));
    let start = before.find("://").map_or(0, |at| at + 3);
    let end = before[start..].find('/').map_or(before.len(), |at| start + at);
    format!("{}/{name}{query}", &before[..end])
}

fn database_of(url: &str) -> String {
    let before = url.split('?').next().unwrap();
    before.rsplit('/').next().unwrap().to_owned()
}

impl Stage {
    /// With a Postgres of its own, where it may be killed; `None` where there can be none.
    pub(super) async fn new(own: bool, mutant: Option<Mutant>) -> Option<Self> {
        let (place, url, admin_url) = match own {
            false => {
                let database = Database::empty().await;
                let url = database.url.clone();
                (Place::Shared(database), url, server_url())
            }
            true => {
                let cluster = Cluster::start()?;
                let (admin, url) = (cluster.url.clone(), other_database(&cluster.url, "model"));
                connect(&admin).await.batch_execute("create database model").await.unwrap();
                let db = Db::new(&url, 1).unwrap();
                persistence::migrations::run(db.dedicated().await.unwrap()).await.unwrap();
                (Place::Own(cluster), url, admin)
            }
        };
        let psql = connect(&url).await;
        if let Some(schema) = mutant.and_then(Mutant::schema) {
            psql.batch_execute(schema).await.unwrap();
        }
        let (db, name) = (Db::new(&url, 2).unwrap(), database_of(&url));
        let address = "127.0.0.1:0".to_owned();
        let (http, seen) = (http_client(), HashSet::new());
        let mut stage = Self { place, url, admin_url, name, program: None, address, mutant, psql, db, http, seen };
        stage.serve().await;
        Some(stage)
    }

    /// Starts the program, where it stood before.
    pub(super) async fn serve(&mut self) {
        if self.program.is_some() {
            return;
        }
        let flag = self.mutant.and_then(Mutant::flag);
        let settings: Vec<_> = flag.into_iter().map(|flag| ("FOCALPOINT_MUTANT", flag)).collect();
        let (url, address) = (self.url.clone(), self.address.clone());
        let own: Vec<(String, String)> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let start = move || {
            let settings: Vec<(&str, &str)> = own.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            // A Postgres that has just been killed may take a moment.
            (0..20).find_map(|_| Program::serve(&url, &address, &settings)).expect("the program starts")
        };
        let program = tokio::task::spawn_blocking(start).await.unwrap();
        self.address = program.address.to_string();
        self.program = Some(program);
    }

    /// Another process on the same database, which has seen nothing of what happened.
    pub(super) async fn another(&self) -> Program {
        let url = self.url.clone();
        let start = move || Program::serve(&url, "127.0.0.1:0", &[]).expect("the program starts");
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn signal(&self, signal: &str) {
        self.program.iter().for_each(|program| program.signal(signal));
    }

    pub(super) fn kill_api(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.signal("-KILL");
            program.wait();
        }
    }

    pub(super) async fn connect(&self) -> Client {
        let psql = connect(&self.url).await;
        psql.batch_execute("set lock_timeout = '40ms'").await.unwrap();
        psql
    }

    /// Connections that were cut are made anew.
    async fn reconnect(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await {
                tokio::spawn(connection);
                self.psql = client;
                break;
            }
            assert!(Instant::now() < deadline, "the database is not back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.db = Db::new(&self.url, 2).unwrap();
    }

    async fn cut_off(&self, admin: &Client, name: &str) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user
                   and pid <> pg_backend_pid()";
        admin.execute(end, &[&name]).await.unwrap();
    }

    /// Ends every connection to the database.
    pub(super) async fn cut(&mut self) {
        let admin = connect(&self.admin_url).await;
        self.cut_off(&admin, &self.name.clone()).await;
        self.reconnect().await;
    }

    /// kill -9 of every process of Postgres.
    pub(super) async fn kill_postgres(&mut self) {
        match &self.place {
            Place::Own(cluster) => cluster.kill(),
            Place::Shared(_) => return,
        }
        self.reconnect().await;
    }

    /// Copies the database away, which nobody can reach meanwhile.
    pub(super) async fn back_up(&mut self) {
        let admin = connect(&self.admin_url).await;
        let name = self.name.clone();
        admin.batch_execute(&format!("alter database {name} allow_connections false")).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            self.cut_off(&admin, &name).await;
            // Autovacuum may be there, too: only a superuser could end it, and it goes by itself.
            let done =
                admin.batch_execute(&format!("drop database if exists {name}_backup with (force)")).await.is_ok()
                    && admin.batch_execute(&format!("create database {name}_backup template {name}")).await.is_ok();
            if done {
                break;
            }
            assert!(Instant::now() < deadline, "{name} cannot be copied");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admin.batch_execute(&format!("alter database {name} allow_connections true")).await.unwrap();
        self.reconnect().await;
    }

    /// From now on reads from the copy, until [`Stage::look_back`].
    pub(super) async fn look_at_the_backup(&mut self) {
        self.psql = connect(&other_database(&self.url, &format!("{}_backup", self.name))).await;
    }

    pub(super) async fn look_back(&mut self) {
        self.psql = connect(&self.url).await;
    }

    /// Takes the database away from everybody, and reads from it alone until [`Stage::restore`].
    pub(super) async fn set_aside(&mut self) {
        let (name, aside) = (&self.name, format!("{}_aside", self.name));
        let admin = connect(&self.admin_url).await;
        let deadline = Instant::now() + Duration::from_secs(30);
        admin.batch_execute(&format!("alter database {name} allow_connections false")).await.unwrap();
        loop {
            self.cut_off(&admin, name).await;
            if admin.batch_execute(&format!("alter database {name} rename to {aside}")).await.is_ok() {
                break;
            }
            assert!(Instant::now() < deadline, "{name} cannot be set aside");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admin.batch_execute(&format!("alter database {aside} allow_connections true")).await.unwrap();
        self.psql = connect(&other_database(&self.url, &aside)).await;
    }

    /// Puts that copy in the place of the database that was set aside.
    pub(super) async fn restore(&mut self) {
        let name = &self.name;
        let admin = connect(&self.admin_url).await;
        let deadline = Instant::now() + Duration::from_secs(30);
        for statement in [
            format!("create database {name} template {name}_backup"),
            format!("drop database {name}_aside with (force)"),
        ] {
            // Autovacuum may be there.
            while let Err(cause) = admin.batch_execute(&statement).await {
                assert!(Instant::now() < deadline, "{statement}: {cause}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        self.reconnect().await;
    }

    /// Where the published streams stand.
    pub(super) async fn heads(&self) -> Vec<(Stream, i64, Uuid)> {
        let rows = self.psql.query("select stream, rev, nonce from sync_head", &[]).await.unwrap();
        let head = |row: &tokio_postgres::Row| (Stream::from_name(row.get(0)).unwrap(), row.get(1), row.get(2));
        rows.iter().map(head).filter(|(stream, ..)| Stream::PUBLISHED.contains(stream)).collect()
    }

    /// The oldest revision of each stream in the log.
    pub(super) async fn kept(&self) -> BTreeMap<Stream, i64> {
        let query = "select stream, min(rev) from sync_tx where rev is not null group by 1";
        let rows = self.psql.query(query, &[]).await.unwrap();
        rows.iter().map(|row| (Stream::from_name(row.get(0)).unwrap(), row.get(1))).collect()
    }

    /// The transaction id below which everything has ended.
    pub(super) async fn horizon(&self) -> i64 {
        let query = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        self.psql.query_one(query, &[]).await.unwrap().get(0)
    }

    /// What the log has since a transaction and was not read before.
    pub(super) async fn new_in_the_log(&mut self, since: i64) -> Vec<Logged> {
        let query = format!(
            "select t.xid::text::bigint, t.stream, t.rev, t.nonce, l.kind, l.id, l.audience_before, l.audience_after
             from sync_tx t left join sync_log l on l.tx = t.nonce
             where t.rev is not null and t.stream in ('bulletins', 'notes', 'costs', 'directory')
                and t.xid >= '{since}'::xid8
             order by t.stream, t.rev, l.n"
        );
        let mut news: Vec<Logged> = Vec::new();
        for row in self.psql.query(&query, &[]).await.unwrap() {
            let nonce: Uuid = row.get(3);
            if self.seen.contains(&nonce) {
                continue;
            }
            if news.last().is_none_or(|logged| logged.nonce != nonce) {
                let stream = Stream::from_name(row.get(1)).unwrap();
                let (xid, rev, entries) = (row.get(0), row.get(2), BTreeMap::new());
                news.push(Logged { xid, stream, rev, nonce, entries });
            }
            if let (Some(kind), Some(id)) = (row.get::<_, Option<&str>>(4), row.get(5)) {
                let key = (Kind::from_name(kind).unwrap(), id);
                let entries = &mut news.last_mut().unwrap().entries;
                let (before, after): (Option<String>, Option<String>) = (row.get(6), row.get(7));
                entries.entry(key).or_insert((before, None)).1 = after;
            }
        }
        self.seen.extend(news.iter().map(|logged| logged.nonce));
        news
    }

    /// In which transactions the expiry of which bulletins was written down, as the audit has it.
    pub(super) async fn expired(&self) -> HashSet<(i64, Uuid)> {
        let query = "select xmin::text::bigint, object_id from audit_entry
                     where kind = 'bulletin' and op = 'update' and after ->> 'expired_at' is not null";
        let rows = self.psql.query(query, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Does once what the scheduler does: publishes and lets expire what is due.
    pub(super) async fn tick(&self) {
        let db = self.db.acting(Act::SYSTEM);
        patiently!(db.write(async |conn| persistence::inf_notes::publish_due(conn).await));
        patiently!(db.write(async |conn| persistence::bulletins::publish_due(conn).await));
        patiently!(db.write(async |conn| persistence::bulletins::expire_due(conn).await));
    }

    /// Everything in the log is older than it keeps, and goes.
    pub(super) async fn compact(&self) {
        self.psql.batch_execute("update sync_tx set at = at - interval '31 days'").await.unwrap();
        patiently!(self.db.write(async |conn| persistence::log::prune(conn).await));
    }

    /// Waits until nobody but the writers here has a transaction under way.
    pub(super) async fn quiet(&self, own: &[i32]) {
        let query = "select count(*) from pg_stat_activity where datname = current_database()
                     and (backend_xid is not null or state <> 'idle')
                     and backend_type = 'client backend' and pid <> pg_backend_pid() and not (pid = any($1))";
        while self.psql.query_one(query, &[&own]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Somebody new.
    pub(super) async fn person(&self, role: Role, mission: Option<Uuid>) -> Who {
        people::person_in(&self.db, role, mission).await
    }

    /// A token as the server issues it, for the rights that somebody has now.
    pub(super) async fn token(&self, who: Who) -> String {
        let known = patiently!(self.db.read(async |conn| persistence::identity::load(conn).await));
        let identities = Identities::new(known, false).unwrap();
        let Who::Person { account, .. } = who else { unreachable!("a person") };
        let query = "select rights_version, roles from account where id = $1";
        let row = self.psql.query_one(query, &[&account.0]).await.unwrap();
        let role = Role::parse(&row.get::<_, Vec<String>>(1)[0]).unwrap();
        let scopes: Scopes = role.scopes().collect();
        let token = Token { who, scopes, rights_version: row.get(0) };
        Tokens::new("https://focalpoint.example").issue(&identities.keys, &token, chrono::Utc::now(), 3600).unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.kill_api();
        let (name, admin) = (self.name.clone(), self.admin_url.clone());
        if matches!(self.place, Place::Shared(_)) {
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let admin = connect(&admin).await;
                    for more in ["backup", "aside"] {
                        let _ =
                            admin.batch_execute(&format!("drop database if exists {name}_{more} with (force)")).await;
                    }
                });
            });
            let _ = dropped.join();
        }
    }
}
