//! Entries by id, in parts, so that a change copies only the parts that it touches.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Entry, Item};

/// How many entries a part has at most when it is made, on average.
const PART: usize = 32;

/// One part: entries in the order of their ids.
type Part<T> = Arc<[(Uuid, Arc<Entry<T>>)]>;

/// Entries by id. Their parts are found by the last bits of the id, which are random in a UUID of version 4 or 7,
/// so that the look-up needs no hash.
#[derive(Debug)]
pub(super) struct ById<T> {
    /// A power of two, or none.
    parts: Vec<Part<T>>,
    len: usize,
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }
}

impl<T> Clone for ById<T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), len: self.len }
    }
}

impl<T: Item> ById<T> {
    pub(super) fn new(entries: impl ExactSizeIterator<Item = Arc<Entry<T>>>) -> Self {
        let len = entries.len();
        let number = len.div_ceil(PART).next_power_of_two();
        let mut parts: Vec<Vec<(Uuid, Arc<Entry<T>>)>> = (0..number).map(|_| Vec::new()).collect();
        for entry in entries {
            let id = entry.value.id();
            parts[place(id, number)].push((id, entry));
        }
        let sorted = |mut part: Vec<(Uuid, Arc<Entry<T>>)>| {
            part.sort_unstable_by_key(|(id, _)| *id);
            Part::from(part)
        };
        Self { parts: parts.into_iter().map(sorted).collect(), len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Arc<Entry<T>>> {
        if self.parts.is_empty() {
            return None;
        }
        let part = &self.parts[place(id, self.parts.len())];
        let found = part.binary_search_by_key(&id.as_u128(), |(id, _)| id.as_u128()).ok()?;
        Some(&part[found].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Entry<T>>> {
        self.parts.iter().flat_map(|part| part.iter().map(|(_, entry)| entry))
    }

    /// These entries with some others: of each id its next entry, or none.
    pub(super) fn with(&self, changes: &BTreeMap<Uuid, Option<Arc<Entry<T>>>>) -> Self {
        let known = changes.keys().filter(|id| self.get(**id).is_some()).count();
        let len = self.len - known + changes.values().flatten().count();
        if len > self.parts.len() * PART {
            let kept = self.iter().filter(|entry| !changes.contains_key(&entry.value.id()));
            let all: Vec<_> = kept.chain(changes.values().flatten()).cloned().collect();
            return Self::new(all.into_iter());
        }
        let mut parts = self.parts.clone();
        let mut by_part: BTreeMap<usize, Vec<Uuid>> = BTreeMap::new();
        changes.keys().for_each(|id| by_part.entry(place(*id, parts.len())).or_default().push(*id));
        for (number, ids) in by_part {
            let kept = parts[number].iter().filter(|(id, _)| ids.binary_search(id).is_err()).cloned();
            let new = ids.iter().filter_map(|id| Some((*id, changes[id].clone()?)));
            let mut part: Vec<_> = kept.chain(new).collect();
            part.sort_unstable_by_key(|(id, _)| *id);
            parts[number] = part.into();
        }
        Self { parts, len }
    }
}

fn place(id: Uuid, parts: usize) -> usize {
    id.as_u128() as usize & (parts - 1)
}
