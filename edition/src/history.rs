//! A stream's recent history: what a delta is made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Kind, Position, Reader, Step};
use uuid::Uuid;

/// The steps of a published stream that are still known, oldest first and without a gap.
#[derive(Debug, Clone)]
pub struct History {
    head: Position,
    steps: Vec<Arc<Step>>,
}

/// Why a position cannot be continued from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its revision is older than what is kept.
    Expired,
    /// This server's history does not contain it: a backup was restored, or it is another server's.
    Rewound,
}

/// An object that changed, and what a reader is to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// What kind of object.
    pub kind: Kind,
    /// Which.
    pub id: Uuid,
    /// Whether the reader could see it at some step since: if it cannot now, it must forget it.
    pub was_visible: bool,
}

impl History {
    /// A history that ends at `head`. Of `steps`, oldest first, those are kept that lead to it without
    /// a gap: a position before a gap has expired.
    pub fn new(head: Position, steps: Vec<impl Into<Arc<Step>>>) -> Self {
        let mut steps: Vec<Arc<Step>> = steps.into_iter().map(Into::into).collect();
        let gap = |pair: &[Arc<Step>]| pair[0].position.rev + 1 != pair[1].position.rev;
        if let Some(last_gap) = steps.windows(2).rposition(gap) {
            steps.drain(..=last_gap);
        }
        if steps.last().is_some_and(|last| last.position != head) {
            steps.clear();
        }
        steps.shrink_to_fit();
        Self { head, steps }
    }

    /// The newest position.
    pub fn head(&self) -> Position {
        self.head
    }

    /// The steps that are known.
    pub fn steps(&self) -> &[Arc<Step>] {
        &self.steps
    }

    /// The steps after a position that a client says it has reached.
    pub fn since(&self, position: Position) -> Result<&[Arc<Step>], Gone> {
        if position == self.head {
            return Ok(&[]);
        }
        let oldest = self.steps.first().map_or(self.head.rev, |step| step.position.rev);
        if position.rev > self.head.rev {
            return Err(Gone::Rewound);
        }
        if position.rev < oldest {
            return Err(Gone::Expired);
        }
        // In range, because oldest <= rev <= head and there is no gap.
        let index = usize::try_from(position.rev - oldest).unwrap_or(usize::MAX);
        match self.steps.get(index) {
            Some(step) if step.position == position => Ok(&self.steps[index + 1..]),
            _ => Err(Gone::Rewound),
        }
    }

    /// Every object that steps changed, once each, as far as `reader` saw any of it.
    pub fn touched(steps: &[Arc<Step>], reader: Reader) -> Vec<Touched> {
        let mut touched: BTreeMap<(Kind, Uuid), bool> = BTreeMap::new();
        for change in steps.iter().flat_map(|step| &step.changes) {
            let visible = [&change.before, &change.after].into_iter().flatten().any(|a| a.admits(reader));
            *touched.entry((change.kind, change.id)).or_default() |= visible;
        }
        touched.into_iter().map(|((kind, id), was_visible)| Touched { kind, id, was_visible }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use domain::{Audience, Change};

    fn step(rev: i64, changes: Vec<Change>) -> Arc<Step> {
        let nonce = Uuid::from_u128(u128::try_from(rev).unwrap());
        Arc::new(Step { position: Position { rev, nonce }, at: DateTime::UNIX_EPOCH, changes })
    }

    fn history(revs: std::ops::RangeInclusive<i64>) -> History {
        let steps: Vec<_> = revs.map(|rev| step(rev, vec![])).collect();
        History::new(steps.last().unwrap().position, steps)
    }

    #[test]
    fn a_known_position_is_continued_from() {
        let history = history(3..=6);
        let after = |rev| history.since(step(rev, vec![]).position).map(|s| s.len());
        assert_eq!((after(3), after(5), after(6)), (Ok(3), Ok(1), Ok(0)));
    }

    #[test]
    fn a_position_older_than_what_is_kept_has_expired() {
        assert_eq!(history(3..=6).since(step(2, vec![]).position).err(), Some(Gone::Expired));
    }

    #[test]
    fn a_position_of_another_history_was_rewound() {
        let other = |rev| Position { rev, nonce: Uuid::from_u128(99) };
        for rev in [3, 6, 7] {
            assert_eq!(history(3..=6).since(other(rev)).err(), Some(Gone::Rewound), "{rev}");
        }
    }

    #[test]
    fn a_position_before_a_gap_has_expired() {
        let steps = [1, 2, 5, 6].map(|rev| step(rev, vec![])).to_vec();
        let history = History::new(steps[3].position, steps);
        assert_eq!(history.since(step(2, vec![]).position).err(), Some(Gone::Expired));
        assert_eq!(history.since(step(5, vec![]).position).map(<[Arc<Step>]>::len), Ok(1));
    }

    #[test]
    fn an_object_seen_at_any_step_must_be_forgotten_when_it_is_gone() {
        let id = Uuid::from_u128(1);
        let change = |before, after| Change { kind: Kind::Unit, id, before, after };
        let steps = [
            step(1, vec![change(None, Some(Audience::Public))]),
            step(2, vec![change(Some(Audience::Public), Some(Audience::Secretariat))]),
            step(3, vec![change(Some(Audience::Secretariat), None)]),
        ];
        let seen = |steps, reader| History::touched(steps, reader)[0].was_visible;
        assert!(seen(&steps, Reader::Stranger));
        assert!(!seen(&steps[2..], Reader::Stranger), "the latest step alone was never visible to a stranger");
    }
}
