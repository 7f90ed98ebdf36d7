//! Follows the ordered log: at each hint, and each second without one, brings the edition and the
//! identities up to the database.
//!
//! In two lanes, each with a connection of its own: a bulletin and a revocation never wait until a directory of
//! many thousands is read and indexed. Bulletins refer to nothing in the other streams. Those are read together,
//! from one state of the database, because rate cards refer to units.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use tokio::sync::watch;

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

/// How long a hint may be late.
const POLL: Duration = Duration::from_secs(1);

/// How long to wait before trying to reach the database again.
const RETRY: Duration = Duration::from_millis(200);

/// How long reading what is new may take before the connection is given up.
const GATHER_WAIT: Duration = Duration::from_secs(30);

/// Follows until `stop` says so.
pub async fn follow(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    let mut followers = Lane::ALL.map(|lane| Follower { state: state.clone(), lane, identity: None });
    loop {
        tokio::select! {
            outcome = listen(&state, &mut followers) => if let Err(cause) = outcome {
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
    for lane in Lane::ALL {
        Follower { state: state.clone(), lane, identity: None }.catch_up(&mut reader).await?;
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
    async fn run(&mut self, mut hints: watch::Receiver<()>) -> Result<(), Error> {
        let mut reader = self.state.db.dedicated().await?;
        loop {
            // Also what happened before the listener listened.
            self.catch_up(&mut reader).await?;
            if let Ok(Err(_)) = tokio::time::timeout(POLL, hints.changed()).await {
                return Err(Error::Unavailable("nobody listens".into()));
            }
        }
    }

    async fn catch_up(&mut self, reader: &mut Conn) -> Result<(), Error> {
        let (lane, identity, store) = (self.lane, self.identity, &self.state.store);
        let mut rewinds = store.rewinds();
        let held: Arc<Edition> = Arc::clone(&store.edition());
        let gathering = snapshot(reader, async move |conn| gather(conn, &held, lane, identity).await);
        let gathered = tokio::time::timeout(GATHER_WAIT, gathering).await;
        let news = gathered.map_err(|_| Error::Unavailable("the database does not answer".into()))??;
        if lane == Lane::Urgent {
            // The other lane may be busy for longer than the database can be away unnoticed.
            store.note_contact();
        }
        if news.rewound {
            tracing::warn!("the database's history is not the one that was followed: everything is read again");
            rewinds = store.note_rewound();
        }
        if let Some((position, identities)) = news.identities {
            self.identity = Some(position);
            store.know(identities);
        }
        if !news.histories.is_empty() {
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
        }
        self.state.store.note_settled(lane, rewinds);
        Ok(())
    }
}

/// Reads, from one state of the database, each stream of a lane that has moved. What cannot be read of one
/// stream holds up no other.
async fn gather(conn: &mut Conn, held: &Edition, lane: Lane, identity: Option<Position>) -> Result<News, Error> {
    let heads = log::heads(conn).await?;
    let mut news = News::default();
    let moved = heads.get(&Stream::Identity).copied().filter(|head| identity != Some(*head));
    if let Some(head) = moved.filter(|_| lane == Lane::Urgent) {
        let clients = identity::list_clients(conn).await?;
        let keys = identity::list_keys(conn).await?;
        news.identities = Some((head, Identities::new(clients, &keys)?));
    }
    for stream in lane.streams().iter().copied() {
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
