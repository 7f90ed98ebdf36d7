//! The edition and the identities as this process holds them now.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use crate::identity::Identities;
use domain::Stream;
use edition::Edition;

/// After so long without the database, answers say how old they are and some are refused.
const CUT_OFF_AFTER: Duration = Duration::from_secs(5);

/// After so long without a write that the database took, it is said to take none.
const NO_WRITES_AFTER: Duration = Duration::from_millis(2500);

/// The edition and the identities. Reads take what is there and never wait; the follower puts the
/// next in its place.
pub struct Store {
    edition: ArcSwap<Edition>,
    identities: ArcSwap<Identities>,
    changes: watch::Sender<u64>,
    started: Instant,
    /// Milliseconds from `started` to the last time the database was read.
    contact: AtomicU64,
    /// Milliseconds from `started` to the last time the database took a write; 0 when it has just refused one.
    write: AtomicU64,
    /// Held while the next edition is made of the current one and what is new.
    publishing: Mutex<()>,
    /// How often the database's history was found to be another one, counted from 1.
    rewinds: AtomicU64,
    /// By lane, up to which of these its part of the edition is new.
    settled: [AtomicU64; Lane::ALL.len()],
    draining: AtomicBool,
}

/// A part of what is held that is followed by itself, and never waits for another part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Who may call.
    Identity,
    /// Bulletins.
    Urgent,
    /// All else.
    Steady,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::Identity, Self::Urgent, Self::Steady];

    /// The published streams in it.
    pub fn streams(self) -> &'static [Stream] {
        match self {
            Self::Identity => &[],
            Self::Urgent => &[Stream::Bulletins],
            Self::Steady => &[Stream::Notes, Stream::Costs, Stream::Directory],
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            edition: ArcSwap::default(),
            identities: ArcSwap::default(),
            changes: watch::Sender::new(0),
            started: Instant::now(),
            contact: AtomicU64::new(0),
            write: AtomicU64::new(0),
            publishing: Mutex::new(()),
            rewinds: AtomicU64::new(1),
            settled: Default::default(),
            draining: AtomicBool::new(false),
        }
    }
}

impl Store {
    /// What is published now.
    pub fn edition(&self) -> Guard<Arc<Edition>> {
        self.edition.load()
    }

    /// Who is known now.
    pub fn identities(&self) -> Guard<Arc<Identities>> {
        self.identities.load()
    }

    /// Puts the next edition in place: the current one with what `change` does to it.
    pub fn publish(&self, change: impl FnOnce(&mut Edition)) {
        let publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut edition = Edition::clone(&self.edition.load());
        change(&mut edition);
        let before = self.edition.swap(Arc::new(edition));
        drop(publishing);
        self.announce();
        drop(before);
    }

    /// Puts the next identities in place.
    pub fn know(&self, identities: Identities) {
        self.identities.store(Arc::new(identities));
        self.announce();
    }

    fn announce(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    /// Notes that the database has just been read.
    pub fn note_contact(&self) {
        self.contact.store(self.now(), Ordering::Relaxed);
    }

    /// Notes whether the database has just taken a write.
    pub fn note_write(&self, taken: bool) {
        self.write.store(if taken { self.now().max(1) } else { 0 }, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How often the database's history was found to be another one.
    pub fn rewinds(&self) -> u64 {
        self.rewinds.load(Ordering::SeqCst)
    }

    /// Notes that the database's history is not the one this process followed: every lane is to look again.
    /// Returns how often that has been found.
    pub fn note_rewound(&self) -> u64 {
        self.rewinds.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Notes that what a lane has read is in place; it began after `rewinds`.
    pub fn note_settled(&self, lane: Lane, rewinds: u64) {
        self.settled[lane as usize].fetch_max(rewinds, Ordering::SeqCst);
    }

    /// Notes that this process is to end: long waits end at once.
    pub fn note_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.announce();
    }

    /// How old the edition may be.
    pub fn age(&self) -> Duration {
        self.since(&self.contact)
    }

    fn since(&self, noted: &AtomicU64) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_millis(noted.load(Ordering::Relaxed)))
    }

    /// Whether the database takes writes.
    pub fn takes_writes(&self) -> bool {
        self.write.load(Ordering::Relaxed) != 0 && self.since(&self.write) < NO_WRITES_AFTER
    }

    /// Ends once nothing has been heard of the database for so long that who waits for it should not.
    pub async fn silence(&self) {
        while self.age().min(self.since(&self.write)) < CUT_OFF_AFTER {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Whether the database has been out of reach for so long that answers must say so.
    pub fn is_cut_off(&self) -> bool {
        self.is_ready() && self.age() > CUT_OFF_AFTER
    }

    /// Whether there is an edition to answer from.
    pub fn is_ready(&self) -> bool {
        self.settled.iter().all(|settled| settled.load(Ordering::SeqCst) > 0)
    }

    /// Whether the edition is of a history that the database no longer has.
    pub fn is_rebuilding(&self) -> bool {
        let rewinds = self.rewinds();
        self.settled.iter().any(|settled| settled.load(Ordering::SeqCst) < rewinds)
    }

    /// Whether this process is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Waits until `reached` holds, looking again at each change.
    pub async fn wait_until(&self, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        while !reached(self) && !self.is_draining() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewound_database_is_rebuilt_when_every_lane_has_looked_again() {
        let store = Store::default();
        assert!(!store.is_ready());
        Lane::ALL.iter().for_each(|lane| store.note_settled(*lane, store.rewinds()));
        assert!(store.is_ready() && !store.is_rebuilding());
        let before = store.rewinds();
        let found = store.note_rewound();
        store.note_settled(Lane::Identity, found);
        store.note_settled(Lane::Urgent, found);
        store.note_settled(Lane::Steady, before);
        assert!(store.is_rebuilding(), "what began before has read the old history");
        store.note_settled(Lane::Steady, found);
        assert!(!store.is_rebuilding());
    }
}
