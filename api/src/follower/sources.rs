//! Where a lane reads what is published: at the primary, or at a standby that follows it.
//!
//! The primary alone says where the streams stand, and whether the history is still the one that was followed. A
//! standby is read as soon as it has something new. That it is late is no fault: it is looked at again in a moment.
//! One that is away, of another history or late for long is passed over, and the primary read in its place: a bulletin
//! does not wait for a standby to be mended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::{HEADS_WAIT, silent};
use domain::{Position, Stream};
use persistence::{Conn, Db, Error, log};

/// How long a standby may be late before the primary is read in its place.
const STANDBY_PATIENCE: Duration = Duration::from_secs(3);

/// How soon a standby that is late is looked at again.
const STANDBY_POLL: Duration = Duration::from_millis(10);

/// How long a standby may take to say where it stands.
const STANDBY_WAIT: Duration = Duration::from_millis(500);

/// How soon a standby that is away is looked for again.
const STANDBY_RETRY: Duration = Duration::from_secs(1);

/// Where every stream stands.
type Heads = BTreeMap<Stream, Position>;

/// The connections of a lane.
pub(super) struct Sources {
    /// To the primary.
    pub(super) primary: Conn,
    standby: Option<Standby>,
}

struct Standby {
    db: Db,
    conn: Option<Conn>,
    look_again: Instant,
    /// Since when it has had nothing new although the primary has.
    late_since: Option<Instant>,
    /// Whether the primary has something that it has not.
    is_late: bool,
}

/// Where something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Primary,
    Standby,
}

/// What is to be read where.
pub(super) enum Next {
    /// Nothing: what is held is what the primary has.
    Nothing,
    /// Something, and the standby will have it in a moment.
    Wait,
    /// Something, which the standby has.
    Standby,
    /// Something, at the primary.
    Primary,
}

impl Sources {
    pub(super) async fn open(primary: &Db, standby: Option<&Db>) -> Result<Self, Error> {
        let opened = |db: &Db| Standby {
            db: db.clone(),
            conn: None,
            look_again: Instant::now(),
            late_since: None,
            is_late: false,
        };
        Ok(Self { primary: primary.dedicated().await?, standby: standby.map(opened) })
    }

    /// How soon to look again without a hint: in a moment while the standby is late.
    pub(super) fn patience(&self, otherwise: Duration) -> Duration {
        let is_awaited = |standby: &Standby| standby.conn.is_some() && standby.is_late;
        if self.standby.as_ref().is_some_and(is_awaited) { STANDBY_POLL } else { otherwise }
    }

    /// What to do about the streams of a lane, which are held at `held`.
    pub(super) async fn look(
        &mut self,
        streams: &[Stream],
        held: impl Fn(Stream) -> Option<Position>,
    ) -> Result<Next, Error> {
        // The standby first: what it has the primary then has, too.
        let reached = match &mut self.standby {
            Some(standby) => standby.heads().await,
            None => None,
        };
        let heads = timeout(HEADS_WAIT, log::heads(&mut self.primary)).await.map_err(silent)??;
        let next = match (&mut self.standby, reached) {
            _ if streams.iter().all(|stream| held(*stream) == heads.get(stream).copied()) => Next::Nothing,
            (Some(standby), Some(reached)) => standby.next(streams, &heads, &reached, held),
            _ => Next::Primary,
        };
        if let (Some(standby), Next::Nothing) = (&mut self.standby, &next) {
            (standby.late_since, standby.is_late) = (None, false);
        }
        Ok(next)
    }

    /// The connection to the standby, while there is one.
    pub(super) fn standby(&mut self) -> Option<&mut Conn> {
        self.standby.as_mut()?.conn.as_mut()
    }

    /// What to do after the standby failed in the middle: one that had to replay something is asked again.
    pub(super) fn note_failure(&mut self, cause: &Error) {
        if let Some(standby) = &mut self.standby {
            standby.note_failure(cause);
        }
    }
}

impl Standby {
    /// Where the streams stand there; none while it is away.
    async fn heads(&mut self) -> Option<Heads> {
        if self.conn.is_none() && Instant::now() >= self.look_again {
            match self.db.dedicated().await {
                Ok(conn) => self.conn = Some(conn),
                Err(cause) => self.note_failure(&cause),
            }
        }
        let heads = timeout(STANDBY_WAIT, log::heads(self.conn.as_mut()?)).await.map_err(silent).flatten();
        heads.inspect_err(|cause| self.note_failure(cause)).ok()
    }

    fn note_failure(&mut self, cause: &Error) {
        if cause.is_recovery_conflict() {
            return;
        }
        tracing::warn!(%cause, "the standby is away: the primary is read");
        self.conn = None;
        self.look_again = Instant::now() + STANDBY_RETRY;
    }

    fn next(
        &mut self,
        streams: &[Stream],
        primary: &Heads,
        reached: &Heads,
        held: impl Fn(Stream) -> Option<Position>,
    ) -> Next {
        let at = |heads: &Heads, stream: &Stream| heads.get(stream).copied();
        let rev = |position: Option<Position>| position.map_or(-1, |position| position.rev);
        let of = |stream: &Stream| (at(primary, stream), at(reached, stream), held(*stream));
        // Its history is the primary's as far as can be told from where both stand.
        let is_of_the_primary = |stream: &Stream| {
            let (primary, reached, _) = of(stream);
            reached == primary || rev(reached) < rev(primary)
        };
        let is_rewound = |stream: &Stream| {
            let (primary, _, held) = of(stream);
            rev(primary) < rev(held) || (rev(primary) == rev(held) && primary != held)
        };
        if !streams.iter().all(is_of_the_primary) || streams.iter().any(is_rewound) {
            return Next::Primary;
        }
        let goes_back = streams.iter().any(|stream| rev(of(stream).1) < rev(of(stream).2));
        let goes_on = streams.iter().any(|stream| rev(of(stream).1) > rev(of(stream).2));
        self.is_late = streams.iter().any(|stream| at(reached, stream) != at(primary, stream));
        if goes_on && !goes_back {
            self.late_since = None;
            return Next::Standby;
        }
        match self.late_since.get_or_insert_with(Instant::now).elapsed() > STANDBY_PATIENCE {
            true => Next::Primary,
            false => Next::Wait,
        }
    }
}
