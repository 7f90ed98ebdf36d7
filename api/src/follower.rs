//! Follows the ordered log: at each hint, and each second without one, brings the edition and the
//! identities up to the database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use tokio::sync::watch;

use crate::identity::Identities;
use crate::state::State;
use domain::bulletins::Bulletin;
use domain::entrances::Place;
use domain::event_costs::RateCard;
use domain::{Position, Step, Stream};
use edition::{Bulletins, Directory, Edition, EventCosts, History, InfNotes};
use persistence::db::snapshot;
use persistence::{Conn, Error, bulletins, directory, entrances, event_costs, identity, inf_notes, log};

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
    let mut follower = Follower { state, identity: None };
    loop {
        tokio::select! {
            outcome = follower.listen() => if let Err(cause) = outcome {
                tracing::warn!(%cause, "the follower lost the database");
            },
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Brings the edition up to the database once, before the first request.
pub async fn catch_up(state: &web::Data<State>) -> Result<(), Error> {
    let mut reader = state.db.dedicated().await?;
    Follower { state: state.clone(), identity: None }.catch_up(&mut reader).await
}

struct Follower {
    state: web::Data<State>,
    identity: Option<Position>,
}

/// What the database has and the edition has not.
#[derive(Default)]
struct News {
    histories: BTreeMap<Stream, History>,
    directory: Option<domain::directory::Entries>,
    notes: Option<Vec<domain::inf_notes::Note>>,
    bulletins: Option<(Vec<Bulletin>, Vec<Place>)>,
    rate_cards: Option<Vec<RateCard>>,
    identities: Option<(Position, Identities)>,
    rewound: bool,
}

impl News {
    /// A stream's steps up to `head`, and its content there.
    async fn add(&mut self, conn: &mut Conn, held: &Edition, stream: Stream, head: Position) -> Result<(), Error> {
        let (steps, rewound) = history(conn, held.history(stream), stream).await?;
        self.load(conn, stream).await?;
        self.rewound |= rewound;
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
    async fn listen(&mut self) -> Result<(), Error> {
        // Connections of its own: however busy requests keep the others, a revocation is heard of.
        let mut listener = self.state.db.dedicated().await?;
        let mut reader = self.state.db.dedicated().await?;
        log::listen(&mut listener).await?;
        // What happened before the listener listened.
        self.catch_up(&mut reader).await?;
        let mut hints = std::pin::pin!(listener.notifications_stream());
        loop {
            match tokio::time::timeout(POLL, hints.next()).await {
                Ok(Some(Ok(_))) | Err(_) => self.catch_up(&mut reader).await?,
                Ok(Some(Err(cause))) => return Err(cause.into()),
                Ok(None) => return Err(Error::Unavailable("the listener's connection ended".into())),
            }
        }
    }

    async fn catch_up(&mut self, reader: &mut Conn) -> Result<(), Error> {
        let held: Arc<Edition> = Arc::clone(&self.state.store.edition());
        let identity = self.identity;
        let silent = |_| Error::Unavailable("the database does not answer".into());
        let heads = tokio::time::timeout(HEADS_WAIT, log::heads(reader)).await.map_err(silent)??;
        if self.state.store.is_ready() && !has_moved(&heads, &held, identity) {
            self.state.store.note_contact();
            return Ok(());
        }
        let gathering = snapshot(reader, async move |conn| gather(conn, &held, identity).await);
        let gathered = tokio::time::timeout(GATHER_WAIT, gathering).await;
        let news = gathered.map_err(silent)??;
        self.state.store.note_contact();
        if news.rewound {
            tracing::warn!("the database's history is not the one that was followed: everything is read again");
            self.state.store.note_rewound();
        }
        if let Some((position, identities)) = news.identities {
            self.identity = Some(position);
            self.state.store.know(identities);
        }
        if !news.histories.is_empty() {
            let mut edition = Edition::clone(&self.state.store.edition());
            let edition = tokio::task::spawn_blocking(move || {
                if let Some(entries) = news.directory {
                    edition.directory = Arc::new(Directory::new(entries));
                }
                if let Some(notes) = news.notes {
                    edition.inf_notes = Arc::new(InfNotes::new(notes));
                }
                if let Some((bulletins, places)) = news.bulletins {
                    edition.bulletins = Arc::new(Bulletins::new(bulletins, places));
                }
                if let Some(cards) = news.rate_cards {
                    edition.event_costs = Arc::new(EventCosts::new(cards));
                }
                for (stream, history) in news.histories {
                    edition.set_history(stream, history);
                }
                edition
            });
            let edition = edition.await.map_err(|e| Error::Unexpected(e.to_string()))?;
            self.state.store.publish(edition);
        }
        self.state.store.note_ready();
        Ok(())
    }
}

/// Whether a stream stands elsewhere than what is held.
fn has_moved(heads: &BTreeMap<Stream, Position>, held: &Edition, identity: Option<Position>) -> bool {
    heads.iter().any(|(stream, head)| match stream {
        Stream::Identity => identity != Some(*head),
        Stream::Internal => false,
        published => held.position(*published) != Some(*head),
    })
}

/// Reads, from one state of the database, each stream that has moved. What cannot be read of one stream
/// holds up no other.
async fn gather(conn: &mut Conn, held: &Edition, identity: Option<Position>) -> Result<News, Error> {
    let heads = log::heads(conn).await?;
    let mut news = News::default();
    if let Some(head) = heads.get(&Stream::Identity).copied().filter(|head| identity != Some(*head)) {
        let clients = identity::list_clients(conn).await?;
        let keys = identity::list_keys(conn).await?;
        news.identities = Some((head, Identities::new(clients, &keys)?));
    }
    for stream in Stream::PUBLISHED {
        let Some(head) = heads.get(&stream).copied().filter(|head| held.position(stream) != Some(*head)) else {
            continue;
        };
        match news.add(conn, held, stream, head).await {
            Err(cause @ Error::Corrupt(_)) => tracing::error!(%cause, %stream, "a stream stands still"),
            other => other?,
        }
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
