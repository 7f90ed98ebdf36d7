//! A process that reads a streaming standby: how it follows, and what becomes of it when the standby is late, in
//! conflict, or gone. `script/replicas --measure` tells how soon a commit is served.

use std::time::Duration;

use api::config::Config;
use domain::{Role, Stream};
use serde_json::Value;

use super::cluster::{Cluster, import, organizations, send_import, token};
use crate::harness::{config, http_client};

/// Much longer than anything takes here, unless it never comes.
const SOON: Duration = Duration::from_secs(20);

/// A primary with a server, and its standby with a server that reads there.
struct Set {
    writes: api::Server,
    reads: api::Server,
    admin: String,
    standby: Cluster,
    primary: Cluster,
}

impl Set {
    async fn start() -> Option<Self> {
        let primary = Cluster::start()?;
        let writes = primary.server().await;
        let standby = primary.standby();
        let settings = Config { standby_url: Some(standby.url.clone().into()), ..config(&primary.url) };
        let reads = api::start(settings).await.unwrap();
        let admin = token(&writes, Role::Admin).await;
        Some(Self { writes, reads, admin, standby, primary })
    }

    async fn import(&self, key: &str) {
        assert_eq!(import(&self.writes, &self.admin, key).await, 200);
    }

    /// The revision of the directory that a server serves.
    fn revision(server: &api::Server) -> i64 {
        server.state.store.edition().position(Stream::Directory).map_or(0, |position| position.rev)
    }

    /// Waits until the server that reads the standby serves what the other one does.
    async fn until_even(&self) {
        let wanted = self.primary_revision().await;
        let even = self.reads.state.store.wait_until(|_| Self::revision(&self.reads) >= wanted);
        assert!(tokio::time::timeout(SOON, even).await.is_ok(), "{} < {wanted}", Self::revision(&self.reads));
    }

    async fn primary_revision(&self) -> i64 {
        let query = "select rev from sync_head where stream = 'directory'";
        self.primary.psql().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Reads at the server that reads the standby, which is always answered.
    async fn names(&self) -> usize {
        let url = format!("{}/v1/directory/organizations?limit=200", self.reads.url());
        let reply = http_client().get(url).bearer_auth(&self.admin).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.json::<Value>().await.unwrap()["items"].as_array().unwrap().len()
    }

    async fn stop(self) {
        self.reads.stop().await.unwrap();
        self.writes.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_reads_the_standby_and_goes_on_at_the_primary_while_it_is_late_or_away() {
    let Some(mut set) = Set::start().await else { return };
    set.import("one").await;
    set.until_even().await;
    assert_eq!(set.names().await, 1);
    // Read there, and not at the primary: the sessions tell.
    let readers = "select count(*) from pg_stat_activity where datname = 'focalpoint' and state = 'idle' \
        and query not like '%application_name%' and pid <> pg_backend_pid()";
    let count: i64 = set.standby.psql().await.query_one(readers, &[]).await.unwrap().get(0);
    assert!(count >= 2, "both lanes read the standby: {count}");

    // Late: no error, and not for ever.
    set.standby.superuser().await.batch_execute("select pg_wal_replay_pause()").await.unwrap();
    set.import("two").await;
    assert_eq!(set.names().await, 1, "what the standby has not is not there yet");
    set.until_even().await;
    assert_eq!(set.names().await, 2, "the primary was read in its place");
    set.import("three").await;
    set.standby.superuser().await.batch_execute("select pg_wal_replay_resume()").await.unwrap();
    set.until_even().await;
    assert_eq!(set.names().await, 3);

    // Away.
    set.standby.stop();
    set.import("four").await;
    set.until_even().await;
    set.standby.start_again();
    set.import("five").await;
    set.until_even().await;
    assert_eq!(set.names().await, 5);
    assert_eq!(set.reads.state.store.rewinds(), 1, "none of this is another history");
    set.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_call_is_followed_at_the_primary_however_late_the_standby_is() {
    let Some(set) = Set::start().await else { return };
    set.import("one").await;
    set.until_even().await;
    set.standby.superuser().await.batch_execute("select pg_wal_replay_pause()").await.unwrap();
    let psql = set.primary.psql().await;
    psql.execute("update account set suspended_at = now()", &[]).await.unwrap();
    let url = format!("{}/v1/directory/organizations", set.reads.url());
    let refused = async {
        while http_client().get(&url).bearer_auth(&set.admin).send().await.unwrap().status() != 401 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), refused).await.is_ok(), "still let in");
    set.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_the_standby_gives_up_is_asked_again() {
    let Some(set) = Set::start().await else { return };
    let superuser = set.standby.superuser().await;
    superuser.batch_execute("alter system set max_standby_streaming_delay = 0").await.unwrap();
    superuser.batch_execute("select pg_reload_conf()").await.unwrap();
    let body = organizations("o", 2000);
    assert_eq!(send_import(&set.writes, &set.admin, body).await.status(), 200);
    set.until_even().await;
    // Whoever reads the table on the standby when this arrives there is cancelled.
    let psql = set.primary.psql().await;
    let conflicts = "select confl_lock from pg_stat_database_conflicts where datname = 'focalpoint'";
    let mut conflict = 0i64;
    for n in 0..60 {
        let change = format!("update organization set name = jsonb_build_object('en', 'Round {n}')");
        psql.batch_execute(&change).await.unwrap();
        for _ in 0..20 {
            psql.batch_execute("begin; lock table organization in access exclusive mode; commit").await.unwrap();
        }
        conflict = superuser.query_one(conflicts, &[]).await.unwrap().get(0);
        if conflict > 0 && n > 10 {
            break;
        }
    }
    println!("{conflict} conflicts");
    set.until_even().await;
    assert_eq!(set.names().await, 200);
    set.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_on_the_standby_of_another_primary() {
    let Some(primary) = Cluster::start() else { return };
    primary.migrate().await;
    let Some(other) = Cluster::start() else { return };
    let settings = Config { standby_url: Some(other.url.clone().into()), ..config(&primary.url) };
    let refused = api::start(settings).await.err().unwrap();
    assert!(format!("{refused:#}").contains("no standby of the primary"), "{refused:#}");
}
