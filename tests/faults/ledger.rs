//! What was acknowledged is there, once: a ledger that clients keep, over kill -9 of Postgres and of the API.
//!
//! `script/kills COUNT` runs it for longer; `FOCALPOINT_KILLS` is how many kills there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use crate::harness::rows::organization;
use crate::harness::{Program, http_client};

const WRITERS: usize = 4;

/// Sends one row after the other, each until it is acknowledged; returns their keys.
async fn write(
    writer: usize,
    url: String,
    token: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
) -> Vec<String> {
    let http = http_client();
    let mut keys = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let key = format!("w{writer}-{}", keys.len());
        loop {
            let request = http.post(&url).bearer_auth(&token).header("content-type", "application/x-ndjson");
            match request.body(organization(&key).to_string()).send().await.map(|r| r.status().as_u16()) {
                Ok(200) => break,
                Ok(status) => assert_eq!(status, 503, "{key}"),
                // The process is gone, or went while it answered.
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
        keys.push(key);
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_or_doubled_however_often_postgres_and_the_api_are_killed() {
    let kills: usize = std::env::var("FOCALPOINT_KILLS").map_or(4, |count| count.parse().unwrap());
    let Some(cluster) = Cluster::start() else { return };
    cluster.migrate().await;
    if std::env::var_os("FOCALPOINT_KILLS_TOOTH").is_some() {
        // Postgres may now lose what it acknowledged: the ledger must notice.
        let superuser = cluster.superuser().await;
        superuser.batch_execute("alter system set synchronous_commit = off").await.unwrap();
        superuser.batch_execute("alter system set wal_writer_delay = '10s'").await.unwrap();
        superuser.batch_execute("select pg_reload_conf()").await.unwrap();
    }
    let serve = |address: &str| Program::serve(&cluster.url, address, &[]);
    let mut program = serve("127.0.0.1:0").unwrap();
    let address = program.address.to_string();
    let token = program.token(&http_client(), &cluster.url, "importer").await;
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let url = format!("{}/v1/imports/directory?source=test", program.url());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(writer, url.clone(), token.clone(), stop.clone(), acknowledged.clone())))
        .collect();

    let mut slowest = [Duration::ZERO; 2];
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(300 + 37 * (kill as u64 % 11))).await;
        let killed = Instant::now();
        if kill % 2 == 0 {
            cluster.kill();
        } else {
            program.signal("-KILL");
            program.wait();
            program = serve(&address).unwrap();
        }
        // The acknowledgement of a write that was under way may still arrive; later ones are of the new state.
        let before = acknowledged.load(Ordering::Relaxed) + WRITERS as u64;
        while acknowledged.load(Ordering::Relaxed) <= before {
            assert!(killed.elapsed() < Duration::from_secs(20), "writes do not come back after kill {kill}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        slowest[kill % 2] = slowest[kill % 2].max(killed.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    let mut ledger = BTreeSet::new();
    for writer in writers {
        ledger.extend(writer.await.unwrap());
    }
    println!(
        "{} acknowledged writes over {kills} kills; writes were back at the latest {:?} after Postgres, {:?} after the API",
        ledger.len(),
        slowest[0],
        slowest[1]
    );

    let psql = cluster.psql().await;
    let rows = psql.query("select source_key from organization", &[]).await.unwrap();
    let stored: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows.len(), stored.len());
    assert_eq!(ledger.difference(&stored).collect::<Vec<_>>(), Vec::<&String>::new(), "lost");
    assert_eq!(stored.difference(&ledger).collect::<Vec<_>>(), Vec::<&String>::new(), "never acknowledged");
    let steps = "select o.source_key, count(*) from organization o join sync_log l on l.id = o.id group by 1";
    let logged: BTreeMap<String, i64> =
        psql.query(steps, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(logged.len(), stored.len(), "each is logged");
    assert!(logged.values().all(|count| *count == 1), "and once: {logged:?}");
    let revisions = psql.query("select rev from sync_tx where stream = 'directory' order by rev", &[]).await.unwrap();
    let revisions: Vec<i64> = revisions.iter().map(|row| row.get(0)).collect();
    assert_eq!(revisions, (0..=ledger.len() as i64).collect::<Vec<_>>(), "one revision each, no gap");
}
