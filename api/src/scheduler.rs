//! What happens by the clock: the database's, written down as facts that the log then tells.

use std::time::Duration;

use actix_web::web;
use tokio::sync::watch;

use crate::state::State;
use domain::Act;
use persistence::imports::runs;
use persistence::{Error, bulletins, inf_notes, log, mail, sessions, sign_ins};

/// How late an embargo may end.
const TICK: Duration = Duration::from_millis(500);

/// How often it is looked for imports whose process has died.
const BURY_EVERY: u32 = 20;

/// How often the log is pruned.
const PRUNE_EVERY: u32 = 7200;

/// Runs until `stop` says so. Every process does; rows that another has in hand are skipped. On
/// connections of its own, so that no crowd of requests holds up the end of an embargo; its writes
/// also tell whether the database takes any.
pub async fn run(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    let db = state.db.reserved().acting(Act::SYSTEM);
    for tick in 0u32.. {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let notes = db.write(async |conn| inf_notes::publish_due(conn).await).await;
        let notes = report("INF notes published", notes.map(|done| done.value.len()));
        let published = db.write(async |conn| bulletins::publish_due(conn).await).await;
        let published = report("published", published.map(|done| done.value));
        let expired = db.write(async |conn| bulletins::expire_due(conn).await).await;
        let expired = report("expired", expired.map(|done| done.value));
        state.store.note_write(notes || published || expired);
        if tick % BURY_EVERY == 0 {
            let buried = db.write(async |conn| runs::bury(conn).await).await;
            report("imports given up", buried.map(|done| done.value));
        }
        if tick % PRUNE_EVERY == 0 {
            let forgotten = db.write(async |conn| runs::prune(conn).await).await;
            report("imports forgotten", forgotten.map(|done| done.value));
            let sessions = db.write(async |conn| sessions::prune(conn).await).await;
            report("sessions forgotten", sessions.map(|done| done.value));
            let sign_ins = db.write(async |conn| sign_ins::prune(conn).await).await;
            report("sign-ins forgotten", sign_ins.map(|done| done.value));
            let mails = db.write(async |conn| mail::prune(conn).await).await;
            report("mails forgotten", mails.map(|done| done.value));
            report("pruned", db.write(async |conn| log::prune(conn).await).await.map(|done| done.value));
        }
    }
}

/// Whether it was done.
fn report(what: &str, done: Result<usize, Error>) -> bool {
    match &done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "scheduled"),
        Err(Error::Unavailable(cause)) => tracing::debug!(cause, what, "the scheduler has to wait"),
        Err(cause) => tracing::error!(%cause, what, "the scheduler failed"),
    }
    done.is_ok()
}
