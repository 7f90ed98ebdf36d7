//! Follows the ordered log: at each hint, and each second without one, brings the edition and the
//! identities up to the database.
//!
//! In three lanes, each with a connection of its own: neither a bulletin nor a revocation waits until a directory of
//! many thousands is read and indexed, and a revocation waits for no standby. Bulletins refer to nothing in the other
//! streams. Those are read together, from one state of the database, because rate cards refer to units. Of a few
//! changes these alone are read, and the next edition is the last one with them, see [`news`].
//!
//! What is published may be read at a standby, see [`sources`]; who may call is always read at the primary.

mod news;
mod sources;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::identity::Identities;
use crate::state::State;
use crate::store::Lane;
use domain::{Position, Stream};
use edition::Edition;
use news::{Held, News, gather};
use persistence::db::snapshot;
use persistence::{Conn, Error, identity, log};
use sources::{Next, Source, Sources};

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
    for lane in Lane::ALL {
        let mut follower = Follower::new(state, lane);
        let mut sources = follower.open().await?;
        while !follower.catch_up(&mut sources).await? {
            tokio::time::sleep(sources.patience(RETRY)).await;
        }
    }
    Ok(())
}

/// Hears of hints and passes them on to both followers, until one of the connections ends.
async fn listen(state: &State, followers: &mut [Follower; Lane::ALL.len()]) -> Result<(), Error> {
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
    let [identity, urgent, steady] = followers;
    tokio::try_join!(hear, identity.run(hints.clone()), urgent.run(hints.clone()), steady.run(hints)).map(drop)
}

fn silent(_: tokio::time::error::Elapsed) -> Error {
    Error::Unavailable("the database does not answer".into())
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

    async fn open(&self) -> Result<Sources, Error> {
        let standby = self.state.standby.as_ref().filter(|_| self.lane != Lane::Identity);
        Sources::open(&self.state.db, standby).await
    }

    async fn run(&mut self, mut hints: watch::Receiver<()>) -> Result<(), Error> {
        let mut sources = self.open().await?;
        loop {
            // Also what happened before the listener listened.
            self.catch_up(&mut sources).await?;
            // Who found another history waits for the other lane to have looked again, and /v1/sync with it.
            let patience = sources.patience(if self.state.store.is_rebuilding() { RETRY } else { POLL });
            if let Ok(Err(_)) = timeout(patience, hints.changed()).await {
                return Err(Error::Unavailable("nobody listens".into()));
            }
        }
    }

    /// Whether all that the primary has is held then; else a standby will have the rest in a moment.
    async fn catch_up(&mut self, sources: &mut Sources) -> Result<bool, Error> {
        let (lane, store) = (self.lane, &self.state.store);
        let rewinds = store.rewinds();
        let before: Arc<Edition> = Arc::clone(&store.edition());
        if lane == Lane::Identity {
            self.learn_identities(&mut sources.primary).await?;
            // The other lanes may be busy for longer than the database can be away unnoticed.
            self.state.store.note_contact();
            self.state.store.note_settled(lane, rewinds);
            return Ok(true);
        }
        let news = match sources.look(lane.streams(), |stream| before.position(stream)).await? {
            Next::Nothing => News::default(),
            Next::Wait => return Ok(false),
            Next::Primary => self.gather(&mut sources.primary, &before, Source::Primary).await?,
            Next::Standby => match self.gather_at_standby(sources, &before).await {
                Some(news) => news,
                None => return Ok(false),
            },
        };
        for stream in lane.streams() {
            self.state.metrics.note_stuck(*stream, news.stuck.contains(stream));
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
                return Ok(false);
            }
            self.note_lag(&before, read_at);
            self.tidy();
        }
        if is_whole {
            self.state.store.note_settled(lane, rewinds);
        }
        Ok(true)
    }

    /// Brings who may call up to the primary.
    async fn learn_identities(&mut self, primary: &mut Conn) -> Result<(), Error> {
        let heads = timeout(HEADS_WAIT, log::heads(primary)).await.map_err(silent)??;
        if self.identity.is_some() && heads.get(&Stream::Identity).copied() == self.identity {
            return Ok(());
        }
        let reading = snapshot(primary, async |conn| {
            let head = log::heads(conn).await?.get(&Stream::Identity).copied();
            Ok::<_, Error>((head, identity::load(conn).await?))
        });
        let (head, known) = timeout(GATHER_WAIT, reading).await.map_err(silent)??;
        self.state.store.know(Identities::new(known, self.state.config.demo)?);
        self.identity = head;
        Ok(())
    }

    /// What is new there, all from one state of the database.
    async fn gather(&self, conn: &mut Conn, before: &Arc<Edition>, source: Source) -> Result<News, Error> {
        let held = Held { state: self.state.clone(), edition: before.clone(), lane: self.lane, source };
        let gathering = snapshot(conn, async move |conn| gather(conn, &held).await);
        timeout(GATHER_WAIT, gathering).await.map_err(silent)?
    }

    /// What is new at the standby; none where it could not tell, and has to be looked at again.
    async fn gather_at_standby(&self, sources: &mut Sources, before: &Arc<Edition>) -> Option<News> {
        let gathered = self.gather(sources.standby()?, before, Source::Standby).await;
        gathered.inspect_err(|cause| sources.note_failure(cause)).ok()
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
