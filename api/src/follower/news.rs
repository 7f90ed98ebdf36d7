//! What the database has and the edition has not: read as a whole at first, and then only what the log says has
//! changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use actix_web::web;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::sources::Source;
use crate::state::State;
use crate::store::Lane;
use domain::bulletins::Bulletin;
use domain::directory::Entries;
use domain::entrances::Place;
use domain::event_costs::RateCard;
use domain::inf_notes::Note;
use domain::{Kind, Position, Step, Stream};
use edition::{Bulletins, Directory, Edition, EventCosts, History, InfNotes};
use persistence::{Conn, Error, bulletins, directory, entrances, event_costs, inf_notes, log};

/// A stream is read as a whole when more than this share of it has changed, and more than this many objects.
const SHARE: usize = 10;
const FEW: usize = 500;

/// What this process has.
pub(super) struct Held {
    pub(super) state: web::Data<State>,
    pub(super) edition: Arc<Edition>,
    pub(super) lane: Lane,
    pub(super) source: Source,
}

/// Bulletins, and the places they speak of.
type Issued = (Vec<Bulletin>, Vec<Place>);

/// What the database has and the edition has not.
#[derive(Default)]
pub(super) struct News {
    pub(super) histories: BTreeMap<Stream, History>,
    /// Where each of these streams stood before.
    from: Vec<(Stream, Option<Position>)>,
    directory: Option<Part<Directory, Entries>>,
    notes: Option<Part<InfNotes, Vec<Note>>>,
    bulletins: Option<Part<Bulletins, Issued>>,
    rate_cards: Option<Part<EventCosts, Vec<RateCard>>>,
    /// How often the history has been found to be another one, this time included; none if it was not.
    pub(super) rewound: Option<u64>,
    /// The streams that something stored keeps from being read.
    pub(super) stuck: Vec<Stream>,
    /// The database's clock when something new had been read, and this process's.
    pub(super) read_at: Option<(DateTime<Utc>, Instant)>,
}

/// What a stream becomes.
enum Part<Whole, Some> {
    /// Something new, in the making on a thread of its own, while other streams are read.
    Whole(JoinHandle<Whole>),
    /// What it is, with these read anew.
    Some(BTreeSet<(Kind, Uuid)>, Some),
}

impl<Whole: Send + 'static, Some: Send + 'static> Part<Whole, Some> {
    fn new(extent: Extent, read: Some, make: impl FnOnce(Some) -> Whole + Send + 'static) -> Self {
        match extent {
            Extent::Whole => Self::Whole(std::thread::spawn(move || make(read))),
            Extent::Some(touched) => Self::Some(touched, read),
        }
    }

    fn apply(self, current: &mut Arc<Whole>, change: impl FnOnce(&Whole, &BTreeSet<(Kind, Uuid)>, Some) -> Whole) {
        *current = Arc::new(match self {
            Self::Whole(making) => making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Self::Some(touched, read) => change(current, &touched, read),
        });
    }
}

/// What is read of a stream.
enum Extent {
    /// All of it.
    Whole,
    /// These, as far as some reader may see them now.
    Some(BTreeSet<(Kind, Uuid)>),
}

impl Extent {
    /// What to read after these steps of a stream of which `held` objects are known.
    fn of(steps: &[Arc<Step>], held: usize) -> Self {
        let most = FEW.max(held / SHARE);
        let mut touched = BTreeSet::new();
        for change in steps.iter().flat_map(|step| &step.changes) {
            touched.insert((change.kind, change.id));
            if touched.len() > most {
                return Self::Whole;
            }
        }
        Self::Some(touched)
    }

    /// The ids of the objects of a kind, if not all are to be read.
    fn ids(&self, kind: Kind) -> Option<Vec<Uuid>> {
        match self {
            Self::Whole => None,
            Self::Some(touched) => Some(touched.iter().filter(|(own, _)| *own == kind).map(|(_, id)| *id).collect()),
        }
    }
}

/// Reads, from one state of the database, each stream of a lane that has moved. What cannot be read of one
/// stream holds up no other.
pub(super) async fn gather(conn: &mut Conn, held: &Held) -> Result<News, Error> {
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

impl News {
    /// A stream's steps up to `head`, and its content there.
    async fn add(&mut self, conn: &mut Conn, held: &Held, stream: Stream, head: Position) -> Result<(), Error> {
        let known = held.edition.history(stream);
        let steps = steps(conn, known, stream).await?;
        if steps.is_rewound && held.source == Source::Standby {
            return Err(Error::Unavailable("the standby has another history".into()));
        }
        if steps.is_rewound && self.rewound.is_none() {
            // Before anything more is read: no copy is continued from a history that no longer is.
            tracing::warn!("the database's history is not the one that was followed: everything is read again");
            self.rewound = Some(held.state.store.note_rewound());
            held.state.metrics.note_rewound();
        }
        let extent = match known.is_some() && !steps.is_rewound {
            true => Extent::of(&steps.new, held.edition.len(stream)),
            false => Extent::Whole,
        };
        self.load(conn, stream, extent).await?;
        self.from.push((stream, held.edition.position(stream)));
        self.histories.insert(stream, History::new(head, [steps.kept, steps.new].concat()));
        Ok(())
    }

    /// A stream's content, as it is now.
    async fn load(&mut self, conn: &mut Conn, stream: Stream, extent: Extent) -> Result<(), Error> {
        match stream {
            Stream::Bulletins => {
                let issued = bulletins::load(conn, extent.ids(Kind::Bulletin).as_deref()).await?;
                let places = entrances::load(conn, extent.ids(Kind::Place).as_deref()).await?;
                let make = |(issued, places)| Bulletins::new(issued, places);
                self.bulletins = Some(Part::new(extent, (issued, places), make));
            }
            Stream::Notes => {
                let notes = inf_notes::load(conn, extent.ids(Kind::InfNote).as_deref()).await?;
                self.notes = Some(Part::new(extent, notes, InfNotes::new));
            }
            Stream::Costs => {
                let cards = event_costs::load(conn, extent.ids(Kind::RateCard).as_deref()).await?;
                self.rate_cards = Some(Part::new(extent, cards, EventCosts::new));
            }
            Stream::Directory => {
                let entries = match &extent {
                    Extent::Whole => directory::load(conn).await?,
                    Extent::Some(touched) => directory::load_some(conn, touched).await?,
                };
                self.directory = Some(Part::new(extent, entries, Directory::new));
            }
            Stream::Internal | Stream::Identity => {}
        }
        Ok(())
    }

    /// Makes the edition from which this was read the next one. False, and nothing, for any other: an attempt that
    /// was given up may have come to its end meanwhile.
    pub(super) fn apply(self, edition: &mut Edition) -> bool {
        if self.from.iter().any(|(stream, position)| edition.position(*stream) != *position) {
            return false;
        }
        if let Some(part) = self.directory {
            part.apply(&mut edition.directory, Directory::with);
        }
        if let Some(part) = self.notes {
            part.apply(&mut edition.inf_notes, InfNotes::with);
        }
        if let Some(part) = self.bulletins {
            let change = |known: &Bulletins, touched: &_, (issued, places)| known.with(touched, issued, places);
            part.apply(&mut edition.bulletins, change);
        }
        if let Some(part) = self.rate_cards {
            part.apply(&mut edition.event_costs, EventCosts::with);
        }
        self.histories.into_iter().for_each(|(stream, history)| edition.set_history(stream, history));
        true
    }
}

/// A stream's steps up to its head.
struct Steps {
    /// Those that are held and still to be kept.
    kept: Vec<Arc<Step>>,
    /// Those that came after; all of them when the database no longer knows where we stood.
    new: Vec<Arc<Step>>,
    /// Whether it does not.
    is_rewound: bool,
}

async fn steps(conn: &mut Conn, held: Option<&History>, stream: Stream) -> Result<Steps, Error> {
    let shared = |steps: Vec<Step>| steps.into_iter().map(Arc::new).collect();
    let Some(held) = held else {
        return Ok(Steps { kept: Vec::new(), new: shared(log::steps(conn, stream, -1).await?), is_rewound: false });
    };
    let head = held.head();
    let mut newer = log::steps(conn, stream, head.rev - 1).await?.into_iter();
    match newer.next() {
        Some(step) if step.position == head => {
            let oldest = oldest_kept(&step);
            let kept = held.steps().iter().skip_while(|held| held.at < oldest).cloned().collect();
            Ok(Steps { kept, new: newer.map(Arc::new).collect(), is_rewound: false })
        }
        _ => Ok(Steps { kept: Vec::new(), new: shared(log::steps(conn, stream, -1).await?), is_rewound: true }),
    }
}

/// Steps older than the log keeps leave memory too.
fn oldest_kept(newest: &Step) -> DateTime<Utc> {
    newest.at - chrono::TimeDelta::days(log::KEPT_DAYS.into())
}
