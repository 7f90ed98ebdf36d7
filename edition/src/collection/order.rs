//! The order in which lists show a collection, in parts, so that a change copies only the parts that it touches.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Entry, Item};

/// How many entries a part has when it is made.
const PART: usize = 64;

/// How many it has at most.
const MOST: usize = 2 * PART;

/// What takes the place of a sort key and id: an entry, or nothing.
pub(super) type Edits<T> = BTreeMap<(String, Uuid), Option<Arc<Entry<T>>>>;

/// Entries in the order of their sort keys, equal ones in that of their ids.
#[derive(Debug)]
pub(super) struct Order<T>(Arc<[Arc<Part<T>>]>);

/// Never empty. The keys stand one behind the other: by themselves they would take as much again.
#[derive(Debug)]
struct Part<T> {
    keys: Box<str>,
    ends: Box<[u32]>,
    entries: Box<[Arc<Entry<T>>]>,
}

impl<T> Clone for Order<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<T: Item> Part<T> {
    fn of<K: AsRef<str>>(entries: &[(K, Arc<Entry<T>>)]) -> Arc<Self> {
        let mut keys = String::with_capacity(entries.iter().map(|(key, _)| key.as_ref().len()).sum());
        let mut ends = Vec::with_capacity(entries.len());
        for (key, _) in entries {
            keys.push_str(key.as_ref());
            ends.push(u32::try_from(keys.len()).unwrap_or(u32::MAX));
        }
        let entries = entries.iter().map(|(_, entry)| entry.clone()).collect();
        Arc::new(Self { keys: keys.into(), ends: ends.into(), entries })
    }

    fn key(&self, n: usize) -> &str {
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.keys[start..self.ends[n] as usize]
    }

    /// What the `n`th is sorted by.
    fn place(&self, n: usize) -> (&str, Uuid) {
        (self.key(n), self.entries[n].value.id())
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Entry<T>>)> {
        (0..self.len()).map(|n| (self.key(n), &self.entries[n]))
    }
}

impl<T: Item> Order<T> {
    /// The order of entries that are sorted already.
    pub(super) fn of(sorted: &[(String, Arc<Entry<T>>)]) -> Self {
        Self(sorted.chunks(PART).map(Part::of).collect())
    }

    /// Whether both are one in memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Entry<T>>> {
        self.0.iter().flat_map(|part| part.entries.iter())
    }

    /// Those from the place `start` on.
    pub(super) fn from(&self, mut start: usize) -> impl Iterator<Item = &Arc<Entry<T>>> {
        let mut parts = self.0.iter();
        let first = parts.by_ref().find(|part| {
            let is_here = start < part.len();
            start -= if is_here { 0 } else { part.len() };
            is_here
        });
        first.into_iter().flat_map(move |part| &part.entries[start..]).chain(parts.flat_map(|part| &part.entries))
    }

    /// Those behind a key and id, with their keys.
    pub(super) fn behind(&self, after: Option<(&str, Uuid)>) -> impl Iterator<Item = (&str, &Arc<Entry<T>>)> {
        let (part, skipped) = match after {
            None => (0, 0),
            Some(after) => {
                let part = self.part_of(after);
                let skipped = self.0.get(part).map_or(0, |part| {
                    let mut behind = 0..part.len();
                    while !behind.is_empty() {
                        let middle = behind.start.midpoint(behind.end);
                        if part.place(middle) <= after { behind.start = middle + 1 } else { behind.end = middle }
                    }
                    behind.start
                });
                (part, skipped)
            }
        };
        self.0.get(part..).unwrap_or_default().iter().flat_map(|part| part.iter()).skip(skipped)
    }

    /// The last part that does not begin behind a key and id.
    fn part_of(&self, place: (&str, Uuid)) -> usize {
        self.0.partition_point(|part| part.place(0) <= place).saturating_sub(1)
    }

    /// This order with some entries in place of others.
    pub(super) fn with(&self, edits: Edits<T>) -> Self {
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        let mut copied = 0;
        let mut edits = edits.into_iter().peekable();
        while let Some(((key, id), _)) = edits.peek() {
            let at = self.part_of((key, *id));
            parts.extend_from_slice(&self.0[copied..at]);
            let end = self.0.get(at + 1).map(|next| next.place(0));
            let mut own = Vec::new();
            while let Some(edit) = edits.next_if(|((key, id), _)| end.is_none_or(|end| (key.as_str(), *id) < end)) {
                own.push(edit);
            }
            let merged = merge(self.0.get(at), &own);
            let size = merged.len().div_ceil(merged.len().div_ceil(MOST).max(1)).max(1);
            parts.extend(merged.chunks(size).map(Part::of));
            copied = (at + 1).min(self.0.len());
        }
        parts.extend_from_slice(&self.0[copied..]);
        Self(parts.into())
    }
}

type Edit<T> = ((String, Uuid), Option<Arc<Entry<T>>>);

/// A part's entries with some in place of others.
fn merge<'a, T: Item>(part: Option<&'a Arc<Part<T>>>, edits: &'a [Edit<T>]) -> Vec<(&'a str, Arc<Entry<T>>)> {
    let is_edited =
        |place: (&str, Uuid)| edits.binary_search_by(|((key, id), _)| (key.as_str(), *id).cmp(&place)).is_ok();
    let kept = part.into_iter().flat_map(|part| part.iter());
    let kept = kept.filter(|(key, entry)| !is_edited((key, entry.value.id()))).map(|(key, entry)| (key, entry.clone()));
    let new = edits.iter().filter_map(|((key, _), entry)| Some((key.as_str(), entry.clone()?)));
    let mut merged: Vec<_> = kept.chain(new).collect();
    merged.sort_by(|(key, entry), (other, next)| (key, entry.value.id()).cmp(&(other, next.value.id())));
    merged
}
