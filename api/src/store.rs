//! The edition and the identities as this process holds them now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use crate::identity::Identities;
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
    ready: AtomicBool,
    rebuilding: AtomicBool,
    draining: AtomicBool,
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
            ready: AtomicBool::new(false),
            rebuilding: AtomicBool::new(false),
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

    /// Puts the next edition in place.
    pub fn publish(&self, edition: Edition) {
        self.edition.store(Arc::new(edition));
        self.announce();
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

    /// Notes that what was read is in place.
    pub fn note_ready(&self) {
        self.rebuilding.store(false, Ordering::Relaxed);
        self.ready.store(true, Ordering::Relaxed);
    }

    /// Notes that the database's history is not the one this process followed.
    pub fn note_rewound(&self) {
        self.rebuilding.store(true, Ordering::Relaxed);
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
        self.ready.load(Ordering::Relaxed)
    }

    /// Whether the edition is of a history that the database no longer has.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuilding.load(Ordering::Relaxed)
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
