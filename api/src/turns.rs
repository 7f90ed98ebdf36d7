//! Turns at what only a few may do at a time, and how many wait for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turns at something; whoever waits longest comes next.
pub struct Turns {
    free: Arc<Semaphore>,
    total: usize,
    waiting: AtomicUsize,
    refused: AtomicU64,
}

/// A turn; it ends when this is dropped.
pub type Turn = OwnedSemaphorePermit;

impl Turns {
    /// `total` at a time.
    pub fn new(total: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(total)), total, waiting: AtomicUsize::new(0), refused: AtomicU64::new(0) }
    }

    /// A turn, or `None` when none came up within `wait`.
    pub async fn take(&self, wait: Duration) -> Option<Turn> {
        let _waiting = Waiting::new(&self.waiting);
        let turn = tokio::time::timeout(wait, self.free.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok);
        if turn.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        turn
    }

    /// Waits until nobody has a turn, and gives none any more.
    pub async fn end(&self) {
        let all = u32::try_from(self.total).unwrap_or(u32::MAX);
        if self.free.acquire_many(all).await.is_ok() {
            self.free.close();
        }
    }

    /// How many wait for a turn.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many have a turn.
    pub fn running(&self) -> usize {
        self.total.saturating_sub(self.free.available_permits())
    }

    /// How many have waited in vain.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Counts one who waits, until dropped: the one may hang up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_in_vain_is_refused_and_waits_no_more() {
        let turns = Turns::new(1);
        let first = turns.take(Duration::ZERO).await;
        assert!(first.is_some());
        assert!(turns.take(Duration::from_millis(1)).await.is_none());
        assert_eq!((turns.waiting(), turns.running(), turns.refused()), (0, 1, 1));
        drop(first);
        assert_eq!(turns.running(), 0);
    }

    #[tokio::test]
    async fn who_hangs_up_waits_no_more() {
        let turns = Turns::new(1);
        let _first = turns.take(Duration::ZERO).await;
        let gone = tokio::time::timeout(Duration::from_millis(1), turns.take(Duration::from_secs(60)));
        assert!(gone.await.is_err());
        assert_eq!((turns.waiting(), turns.refused()), (0, 0));
    }
}
