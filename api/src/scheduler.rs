//! What happens by the clock: the database's, written down as facts that the log then tells.

use std::time::Duration;

use actix_web::web;
use tokio::sync::watch;

use crate::state::State;
use persistence::imports::runs;
use persistence::{Error, bulletins, inf_notes, log};

/// How late an embargo may end.
const TICK: Duration = Duration::from_millis(500);

/// How often it is looked for imports whose process has died.
const BURY_EVERY: u32 = 20;

/// How often the log is pruned.
const PRUNE_EVERY: u32 = 7200;

/// Runs until `stop` says so. Every process does; rows that another has in hand are skipped.
pub async fn run(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    for tick in 0u32.. {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let published = state.db.write(async |conn| inf_notes::publish_due(conn).await).await;
        report("INF notes published", published.map(|done| done.value.len()));
        report(
            "published",
            state.db.write(async |conn| bulletins::publish_due(conn).await).await.map(|done| done.value),
        );
        report("expired", state.db.write(async |conn| bulletins::expire_due(conn).await).await.map(|done| done.value));
        if tick % BURY_EVERY == 0 {
            let buried = state.db.write(async |conn| runs::bury(conn).await).await;
            report("imports given up", buried.map(|done| done.value));
        }
        if tick % PRUNE_EVERY == 0 {
            let forgotten = state.db.write(async |conn| runs::prune(conn).await).await;
            report("imports forgotten", forgotten.map(|done| done.value));
            report("pruned", state.db.write(async |conn| log::prune(conn).await).await.map(|done| done.value));
        }
    }
}

fn report(what: &str, done: Result<usize, Error>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "scheduled"),
        Err(Error::Unavailable(_)) => {}
        Err(cause) => tracing::error!(%cause, what, "the scheduler failed"),
    }
}
