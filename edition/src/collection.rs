//! Published objects of one kind: by id, and in the order lists show them.

mod by_id;
mod order;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use by_id::ById;
use domain::{Audience, Language, Reader};
use order::{Edits, Order};

/// What a collection needs to know of its objects.
pub trait Item: Hash {
    /// Whether lists sort it alike in every language.
    const ONE_ORDER: bool = false;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Who may see it.
    fn audience(&self) -> &Audience;
    /// What its tag is made from: all of it, but for parts that not every reader of it may see. Where an
    /// answer shows such a part, its tag must depend on what it shows.
    fn hash_content<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }
    /// What lists are sorted by, in a language. Compared as text, the smallest first.
    fn sort_key(&self, language: Language) -> String;
}

/// A published object with the hash of its content: the same in every process of a release, and
/// another whenever something in it has changed.
#[derive(Debug)]
pub struct Entry<T> {
    /// The object.
    pub value: T,
    /// The hash.
    pub tag: u64,
}

/// Where a page ended: what the next one starts behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The sort key of the last object shown.
    pub key: String,
    /// Its id, which settles equal keys.
    pub id: Uuid,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<'a, T> {
    /// The objects, in order.
    pub entries: Vec<&'a Entry<T>>,
    /// Where to go on, when there is more.
    pub next: Option<Cursor>,
}

/// Published objects of one kind. A change makes another that shares with the one before all that it does not touch.
#[derive(Debug)]
pub struct Collection<T> {
    by_id: ById<T>,
    /// By language. Where languages agree, they share one.
    orders: [Order<T>; 6],
}

/// What a change made of one object.
#[derive(Debug)]
pub(crate) struct Changed<T> {
    /// As it was.
    pub before: Option<Arc<Entry<T>>>,
    /// As it is.
    pub after: Option<Arc<Entry<T>>>,
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self { by_id: ById::default(), orders: Default::default() }
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { by_id: self.by_id.clone(), orders: self.orders.clone() }
    }
}

impl<T: Item> Collection<T> {
    /// Collects `values`, whose ids differ.
    pub fn new(values: Vec<T>) -> Self {
        let entries: Vec<Arc<Entry<T>>> = values.into_iter().map(entry).collect();
        let key = |entry: &Arc<Entry<T>>, language| fold(&entry.value.sort_key(language));
        let mut keys: Vec<Vec<String>> = Vec::new();
        let mut orders: Vec<Order<T>> = Vec::with_capacity(Language::ALL.len());
        for language in Language::ALL {
            if let Some(first) = orders.first().filter(|_| T::ONE_ORDER) {
                orders.push(first.clone());
                continue;
            }
            keys.push(entries.iter().map(|entry| key(entry, language)).collect());
            let own = &keys[keys.len() - 1];
            // Where nothing is translated, one order serves several languages.
            if let Some(same) = keys[..keys.len() - 1].iter().position(|other| other == own) {
                orders.push(orders[same].clone());
                continue;
            }
            let mut sorted: Vec<(String, Arc<Entry<T>>)> = own.iter().cloned().zip(entries.iter().cloned()).collect();
            sorted.sort_unstable_by(|(key, entry), (other, next)| {
                key.cmp(other).then_with(|| entry.value.id().cmp(&next.value.id()))
            });
            orders.push(Order::of(&sorted));
        }
        let orders = std::array::from_fn(|n| orders[n].clone());
        Self { by_id: ById::new(entries.into_iter()), orders }
    }

    /// These objects with others in place of some, of each id the next or none; and what that changed.
    pub(crate) fn with(&self, changes: BTreeMap<Uuid, Option<T>>) -> (Self, Vec<Changed<T>>) {
        let changes: BTreeMap<Uuid, Option<Arc<Entry<T>>>> =
            changes.into_iter().map(|(id, value)| (id, value.map(entry))).collect();
        let changed: Vec<Changed<T>> = changes
            .iter()
            .map(|(id, after)| Changed { before: self.by_id.get(*id).cloned(), after: after.clone() })
            .filter(|change| change.before.is_some() || change.after.is_some())
            .collect();
        let edits = |language| -> Edits<T> {
            let place = |entry: &Entry<T>| (fold(&entry.value.sort_key(language)), entry.value.id());
            let gone = changed.iter().filter_map(|change| Some((place(change.before.as_ref()?), None)));
            let come = changed.iter().filter_map(|change| Some((place(change.after.as_ref()?), change.after.clone())));
            // What comes to the place of what goes replaces it there.
            gone.chain(come).collect()
        };
        let mut orders: Vec<Order<T>> = Vec::with_capacity(Language::ALL.len());
        let mut places: Vec<Vec<(String, Uuid)>> = Vec::with_capacity(Language::ALL.len());
        for language in Language::ALL {
            let before = &self.orders[language as usize];
            if T::ONE_ORDER && !orders.is_empty() {
                orders.push(orders[0].clone());
                continue;
            }
            let own = edits(language);
            places.push(own.keys().cloned().collect());
            let is_same = |n: &usize| self.orders[*n].is(before) && places[*n] == places[orders.len()];
            let order = (0..orders.len()).find(is_same).map(|n| orders[n].clone());
            orders.push(order.unwrap_or_else(|| before.with(own)));
        }
        let orders = std::array::from_fn(|n| orders[n].clone());
        (Self { by_id: self.by_id.with(&changes), orders }, changed)
    }

    /// How many there are, whoever may see them.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object of this id, if `reader` may see it.
    pub fn get(&self, id: Uuid, reader: Reader) -> Option<&Entry<T>> {
        self.by_id.get(id).map(Arc::as_ref).filter(|entry| entry.value.audience().admits(reader))
    }

    /// The entry of this id, whoever may see it.
    pub(crate) fn entry(&self, id: Uuid) -> Option<Arc<Entry<T>>> {
        self.by_id.get(id).cloned()
    }

    /// Whether this very entry is what there is of its id.
    pub(crate) fn has(&self, entry: &Arc<Entry<T>>) -> bool {
        self.by_id.get(entry.value.id()).is_some_and(|own| Arc::ptr_eq(own, entry))
    }

    /// Everything `reader` may see, in no order.
    pub fn visible(&self, reader: Reader) -> impl Iterator<Item = &Entry<T>> {
        self.by_id.iter().map(Arc::as_ref).filter(move |entry| entry.value.audience().admits(reader))
    }

    /// Everything in the order of lists in a language, whoever may see it: for making indexes.
    pub(crate) fn in_order(&self, language: Language) -> impl Iterator<Item = &Arc<Entry<T>>> {
        self.orders[language as usize].iter()
    }

    /// What is at place `start` of the order of lists in a language and behind it, whoever may see it.
    pub fn in_order_from(&self, language: Language, start: usize) -> impl Iterator<Item = &Entry<T>> {
        self.orders[language as usize].from(start).map(Arc::as_ref)
    }

    /// At most `limit` of what `reader` may see and `wanted` keeps, behind `after`.
    pub fn page(
        &self,
        reader: Reader,
        language: Language,
        after: Option<&Cursor>,
        limit: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Page<'_, T> {
        let behind = self.orders[language as usize].behind(after.map(|cursor| (cursor.key.as_str(), cursor.id)));
        let mut matching = behind.filter(|(_, entry)| entry.value.audience().admits(reader) && wanted(&entry.value));
        let shown: Vec<_> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        let next =
            shown.last().filter(|_| more).map(|(key, entry)| Cursor { key: (*key).to_owned(), id: entry.value.id() });
        Page { entries: shown.into_iter().map(|(_, entry)| entry.as_ref()).collect(), next }
    }
}

fn entry<T: Item>(value: T) -> Arc<Entry<T>> {
    Arc::new(Entry { tag: tag(&value), value })
}

/// The content hash of a value: XXH3 over its fields, seeded with the release, because a release may
/// render the same value in other bytes.
fn tag(value: &impl Item) -> u64 {
    let mut hasher = Xxh3::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    value.hash_content(&mut hasher);
    hasher.finish()
}

/// Text as lists sort it: without accents and case.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Hash)]
    struct Thing {
        id: Uuid,
        name: &'static str,
        audience: Audience,
    }

    impl Item for Thing {
        fn id(&self) -> Uuid {
            self.id
        }
        fn audience(&self) -> &Audience {
            &self.audience
        }
        fn sort_key(&self, _: Language) -> String {
            self.name.to_owned()
        }
    }

    fn collection() -> Collection<Thing> {
        let names = ["Étoile", "Zèbre", "abri", "Secret", "étoile"];
        let audience = |name| if name == "Secret" { Audience::Secretariat } else { Audience::Public };
        let thing = |(id, name)| Thing { id: Uuid::from_u128(id), name, audience: audience(name) };
        Collection::new((1..).zip(names).map(thing).collect())
    }

    fn names(page: &Page<'_, Thing>) -> Vec<&'static str> {
        page.entries.iter().map(|e| e.value.name).collect()
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        let collection = collection();
        let page = |after| collection.page(Reader::Stranger, Language::Fr, after, 2, |_| true);
        let first = page(None);
        assert_eq!(names(&first), ["abri", "Étoile"]);
        let second = page(first.next.as_ref());
        assert_eq!(names(&second), ["étoile", "Zèbre"]);
        assert_eq!(second.next, None, "what a stranger may not see does not make another page");
    }

    #[test]
    fn what_is_not_for_a_reader_is_not_there() {
        let collection = collection();
        assert!(collection.get(Uuid::from_u128(4), Reader::Secretariat).is_some());
        assert!(collection.get(Uuid::from_u128(4), Reader::Stranger).is_none());
        assert_eq!(collection.visible(Reader::Stranger).count(), 4);
    }

    #[test]
    fn a_tag_depends_on_content_alone() {
        let tags = || collection().visible(Reader::Secretariat).map(|e| e.tag).collect::<Vec<_>>();
        assert_eq!(tags(), tags());
        let distinct: std::collections::BTreeSet<_> = tags().into_iter().collect();
        assert_eq!(distinct.len(), 5);
    }
}
