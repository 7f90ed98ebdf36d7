//! Follows the ordered log: at each hint, and each second without one, brings the edition and the
//! identities up to the database.
//!
//! In two lanes, each with a connection of its own: a bulletin and a revocation never wait until a directory of
//! many thousands is read and indexed. Of a few changes, these alone are read, and the next edition is the last one
//! with them. Bulletins refer to nothing in the other streams. Those are read together,
//! from one state of the database, because rate cards refer to units.

mod news;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::state::State;
use crate::store::Lane;
use domain::{Position, Stream};
use edition::Edition;
use news::{Held, News, gather};
use persistence::db::snapshot;
use persistence::{Conn, Error, log};

/// How long a hint may be late.
const POLL: Duration = Duration::from_secs(1);

/// How long to wait before trying to reach the database again.
const RETRY: Duration = Duration::from_millis(200);

/// How long the database may take to say where it stands.
const HEADS_WAIT: Duration = Duration::from_secs(5);

/// How long reading what is new may take before the connection is given up.
const GATHER_WAIT: Duration = Duration::from_secs(30);

/// Follows until `stop` says so.
pub async fn follow(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    let mut followers = Lane::ALL.map(|lane| Follower::new(&state, lane));
    loop {
        tokio::select! {
            outcome = listen(&state, &mut followers) => if let Err(cause) = outcome {
                tracing::warn!(%cause, "the follower lost the database");
                state.metrics.note_follower_failure();
            },
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Brings the edition up to the database once, before the first request.
pub async fn catch_up(state: &web::Data<State>) -> Result<(), Error> {
    let mut reader = state.db.dedicated().await?;
    for lane in Lane::ALL {
        Follower::new(state, lane).catch_up(&mut reader).await?;
    }
    Ok(())
}

/// Hears of hints and passes them on to both followers, until one of the connections ends.
async fn listen(state: &State, followers: &mut [Follower; 2]) -> Result<(), Error> {
    // Connections of its own: however busy requests keep the others, a revocation is heard of.
    let mut listener = state.db.dedicated().await?;
    log::listen(&mut listener).await?;
    let (hint, hints) = watch::channel(());
    let hear = async {
        let mut heard = std::pin::pin!(listener.notifications_stream());
        while let Some(notification) = heard.next().await {
            notification?;
            hint.send_replace(());
        }
        Err::<(), Error>(Error::Unavailable("the listener's connection ended".into()))
    };
    let [urgent, steady] = followers;
    tokio::try_join!(hear, urgent.run(hints.clone()), steady.run(hints)).map(drop)
}

struct Follower {
    state: web::Data<State>,
    lane: Lane,
    identity: Option<Position>,
    tidying: Option<JoinHandle<()>>,
}

impl Follower {
    fn new(state: &web::Data<State>, lane: Lane) -> Self {
        Self { state: state.clone(), lane, identity: None, tidying: None }
    }
}

impl Follower {
    async fn run(&mut self, mut hints: watch::Receiver<()>) -> Result<(), Error> {
        let mut reader = self.state.db.dedicated().await?;
        loop {
            // Also what happened before the listener listened.
            self.catch_up(&mut reader).await?;
            // Who found another history waits for the other lane to have looked again, and /v1/sync with it.
            let patience = if self.state.store.is_rebuilding() { RETRY } else { POLL };
            if let Ok(Err(_)) = tokio::time::timeout(patience, hints.changed()).await {
                return Err(Error::Unavailable("nobody listens".into()));
            }
        }
    }

    async fn catch_up(&mut self, reader: &mut Conn) -> Result<(), Error> {
        let (lane, identity, store) = (self.lane, self.identity, &self.state.store);
        let rewinds = store.rewinds();
        let before: Arc<Edition> = Arc::clone(&store.edition());
        let silent = |_| Error::Unavailable("the database does not answer".into());
        let heads = tokio::time::timeout(HEADS_WAIT, log::heads(reader)).await.map_err(silent)??;
        let mut news = match store.is_ready() && !has_moved(&heads, &before, lane, identity) {
            true => News::default(),
            false => {
                let held = Held { state: self.state.clone(), edition: before.clone(), lane, identity };
                let gathering = snapshot(reader, async move |conn| gather(conn, &held).await);
                tokio::time::timeout(GATHER_WAIT, gathering).await.map_err(silent)??
            }
        };
        if lane == Lane::Urgent {
            // The other lane may be busy for longer than the database can be away unnoticed.
            store.note_contact();
        }
        for stream in lane.streams() {
            self.state.metrics.note_stuck(*stream, news.stuck.contains(stream));
        }
        if let Some((position, identities)) = news.identities.take() {
            self.identity = Some(position);
            store.know(identities);
        }
        let rewinds = news.rewound.unwrap_or(rewinds);
        // Until every stream is of the history that now is, no copy is continued.
        let is_whole = news.rewound.is_none() || news.stuck.is_empty();
        if !news.histories.is_empty() {
            let read_at = news.read_at.filter(|_| news.rewound.is_none());
            let state = self.state.clone();
            // Making a whole edition takes long, and so does giving up the one before.
            let publishing =
                tokio::task::spawn_blocking(move || state.store.publish(lane, |edition| news.apply(edition)));
            if !publishing.await.map_err(|e| Error::Unexpected(e.to_string()))? {
                return Ok(());
            }
            self.note_lag(&before, read_at);
            self.tidy();
        }
        if is_whole {
            self.state.store.note_settled(lane, rewinds);
        }
        Ok(())
    }

    /// Sees to it that the search indexes are tidied when that is due, aside, by one thread at a time.
    fn tidy(&mut self) {
        let is_due = |edition: &Edition| edition.directory.is_untidy() || edition.inf_notes.is_untidy();
        let is_busy = self.tidying.as_ref().is_some_and(|tidying| !tidying.is_finished());
        if self.lane == Lane::Steady && !is_busy && is_due(&self.state.store.edition()) {
            let state = self.state.clone();
            self.tidying = Some(tokio::task::spawn_blocking(move || tidy(&state)));
        }
    }

    /// Tells how long each transaction that is new in the edition took from its revision to here: by the
    /// database's clock up to `read_at`, by this process's from there.
    fn note_lag(&self, before: &Edition, read_at: Option<(DateTime<Utc>, Instant)>) {
        let Some((clock, read)) = read_at else { return };
        let now = self.state.store.edition();
        for stream in self.lane.streams().iter().copied() {
            let (Some(held), Some(history)) = (before.position(stream), now.history(stream)) else { continue };
            for step in history.steps().iter().rev().take_while(|step| step.position.rev > held.rev) {
                let lag = (clock - step.at).to_std().unwrap_or_default() + read.elapsed();
                self.state.metrics.published(stream, lag);
            }
        }
    }
}

/// Whether a stream of a lane stands elsewhere than what is held.
fn has_moved(heads: &BTreeMap<Stream, Position>, held: &Edition, lane: Lane, identity: Option<Position>) -> bool {
    let moved = |stream: &Stream| heads.get(stream).is_some_and(|head| held.position(*stream) != Some(*head));
    lane.streams().iter().any(moved)
        || (lane == Lane::Urgent && heads.get(&Stream::Identity).is_some_and(|head| identity != Some(*head)))
}

/// Merges what changes have left of the search indexes, until nothing is left to merge.
fn tidy(state: &State) {
    loop {
        let edition = Arc::clone(&state.store.edition());
        let (directory, notes) = (edition.directory.tidying(), edition.inf_notes.tidying());
        drop(edition);
        if directory.is_none() && notes.is_none() {
            return;
        }
        let (directory, notes) = (directory.map(|work| work.run()), notes.map(|work| work.run()));
        state.store.replace(Lane::Steady, |edition| {
            if let Some(tidied) = directory.and_then(|tidied| edition.directory.tidied(tidied)) {
                edition.directory = Arc::new(tidied);
            }
            if let Some(tidied) = notes.and_then(|tidied| edition.inf_notes.tidied(tidied)) {
                edition.inf_notes = Arc::new(tidied);
            }
        });
    }
}
