//! Follows the ordered log: at each hint, and each second without one, brings the edition and the
//! identities up to the database.
//!
//! In three lanes, each with a connection of its own: neither a bulletin nor a revocation waits until a directory of
//! many thousands is read and indexed, and a revocation waits for no standby. Bulletins refer to nothing in the other streams. Those are read together,
//! from one state of the database, because rate cards refer to units.
//!
//! What is published may be read at a standby, see [`sources`]; who may call is always read at the primary.

mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::identity::Identities;
use crate::state::State;
use crate::store::Lane;
use domain::bulletins::Bulletin;
use domain::entrances::Place;
use domain::event_costs::RateCard;
use domain::{Position, Step, Stream};
use edition::{Bulletins, Directory, Edition, EventCosts, History, InfNotes};
use persistence::db::snapshot;
use persistence::{Conn, Error, bulletins, directory, entrances, event_costs, identity, inf_notes, log};
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
    let mut followers = Lane::ALL.map(|lane| Follower { state: state.clone(), lane, identity: None });
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
        let mut follower = Follower { state: state.clone(), lane, identity: None };
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
}

/// What this process has.
struct Held {
    state: web::Data<State>,
    edition: Arc<Edition>,
    lane: Lane,
    source: Source,
}

/// What the database has and the edition has not.
#[derive(Default)]
struct News {
    histories: BTreeMap<Stream, History>,
    directory: Option<domain::directory::Entries>,
    notes: Option<Vec<domain::inf_notes::Note>>,
    bulletins: Option<(Vec<Bulletin>, Vec<Place>)>,
    rate_cards: Option<Vec<RateCard>>,
    /// How often the history has been found to be another one, this time included; none if it was not.
    rewound: Option<u64>,
    /// The streams that something stored keeps from being read.
    stuck: Vec<Stream>,
    /// The database's clock when something new had been read, and this process's.
    read_at: Option<(DateTime<Utc>, Instant)>,
}

impl News {
    /// A stream's steps up to `head`, and its content there.
    async fn add(&mut self, conn: &mut Conn, held: &Held, stream: Stream, head: Position) -> Result<(), Error> {
        let (steps, rewound) = history(conn, held.edition.history(stream), stream).await?;
        if rewound && held.source == Source::Standby {
            return Err(Error::Unavailable("the standby has another history".into()));
        }
        if rewound && self.rewound.is_none() {
            // Before anything more is read: no copy is continued from a history that no longer is.
            tracing::warn!("the database's history is not the one that was followed: everything is read again");
            self.rewound = Some(held.state.store.note_rewound());
            held.state.metrics.note_rewound();
        }
        self.load(conn, stream).await?;
        self.histories.insert(stream, History::new(head, steps));
        Ok(())
    }

    /// The whole of a stream's content, as it is now.
    async fn load(&mut self, conn: &mut Conn, stream: Stream) -> Result<(), Error> {
        match stream {
            Stream::Bulletins => self.bulletins = Some((bulletins::load(conn).await?, entrances::load(conn).await?)),
            Stream::Notes => self.notes = Some(inf_notes::load(conn).await?),
            Stream::Costs => self.rate_cards = Some(event_costs::load(conn).await?),
            Stream::Directory => self.directory = Some(directory::load(conn).await?),
            Stream::Internal | Stream::Identity => {}
        }
        Ok(())
    }
}

impl Follower {
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
            // Making the next edition takes long, and so does giving up the one before.
            let publishing = tokio::task::spawn_blocking(move || {
                let directory = news.directory.map(|entries| Arc::new(Directory::new(entries)));
                let notes = news.notes.map(|notes| Arc::new(InfNotes::new(notes)));
                let bulletins = news.bulletins.map(|(issued, places)| Arc::new(Bulletins::new(issued, places)));
                let cards = news.rate_cards.map(|cards| Arc::new(EventCosts::new(cards)));
                state.store.publish(|edition| {
                    directory.into_iter().for_each(|directory| edition.directory = directory);
                    notes.into_iter().for_each(|notes| edition.inf_notes = notes);
                    bulletins.into_iter().for_each(|bulletins| edition.bulletins = bulletins);
                    cards.into_iter().for_each(|cards| edition.event_costs = cards);
                    news.histories.into_iter().for_each(|(stream, history)| edition.set_history(stream, history));
                });
            });
            publishing.await.map_err(|e| Error::Unexpected(e.to_string()))?;
            self.note_lag(&before, read_at);
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

/// Reads, from one state of the database, each stream of a lane that has moved. What cannot be read of one
/// stream holds up no other.
async fn gather(conn: &mut Conn, held: &Held) -> Result<News, Error> {
    let heads = log::heads(conn).await?;
    let mut news = News::default();
    for stream in held.lane.streams().iter().copied() {
        let Some(head) = heads.get(&stream).copied().filter(|head| held.edition.position(stream) != Some(*head)) else {
            continue;
        };
        match news.add(conn, held, stream, head).await {
            Err(cause @ Error::Corrupt(_)) => {
                tracing::error!(%cause, %stream, "a stream stands still");
                news.stuck.push(stream);
            }
            other => other?,
        }
    }
    if !news.histories.is_empty() {
        news.read_at = Some((log::now(conn).await?, Instant::now()));
    }
    Ok(news)
}

/// The stream's steps up to its head: those held and what came after, or all of them when the
/// database no longer knows where we stood; then its history was rewound.
async fn history(conn: &mut Conn, held: Option<&History>, stream: Stream) -> Result<(Vec<Step>, bool), Error> {
    let Some(held) = held else { return Ok((log::steps(conn, stream, -1).await?, false)) };
    let head = held.head();
    let mut newer = log::steps(conn, stream, head.rev - 1).await?.into_iter();
    match newer.next() {
        Some(step) if step.position == head => {
            let kept = held.steps().iter().skip_while(|s| s.at < oldest_kept(&step)).cloned();
            Ok((kept.chain(newer).collect(), false))
        }
        _ => Ok((log::steps(conn, stream, -1).await?, true)),
    }
}

/// Steps older than the log keeps leave memory too.
fn oldest_kept(newest: &Step) -> chrono::DateTime<chrono::Utc> {
    newest.at - chrono::TimeDelta::days(log::KEPT_DAYS.into())
}
