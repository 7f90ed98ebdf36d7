//! Published objects of one kind: by id, and in the order lists show them.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use domain::{Audience, Language, Reader};

/// What a collection needs to know of its objects.
pub trait Item: Hash {
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

type Order = Arc<[(Box<str>, u32)]>;

/// Published objects of one kind.
#[derive(Debug)]
pub struct Collection<T> {
    entries: Vec<Entry<T>>,
    by_id: HashMap<Uuid, u32>,
    orders: [Order; 6],
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        let none: Order = Arc::new([]);
        Self { entries: Vec::new(), by_id: HashMap::new(), orders: std::array::from_fn(|_| none.clone()) }
    }
}

impl<T: Item> Collection<T> {
    /// Collects `values`, whose ids differ.
    pub fn new(values: Vec<T>) -> Self {
        let entries: Vec<Entry<T>> = values.into_iter().map(|value| Entry { tag: tag(&value), value }).collect();
        let numbered = || (0u32..).zip(&entries);
        let by_id = numbered().map(|(n, entry)| (entry.value.id(), n)).collect();
        let order = |language| -> Order {
            let mut order: Vec<(Box<str>, u32)> =
                numbered().map(|(n, entry)| (fold(&entry.value.sort_key(language)).into(), n)).collect();
            order.sort_by(|(key, n), (other_key, other_n)| {
                let id = |n: &u32| entries[*n as usize].value.id();
                key.cmp(other_key).then_with(|| id(n).cmp(&id(other_n)))
            });
            order.into()
        };
        let mut orders: Vec<Order> = Vec::with_capacity(Language::ALL.len());
        for language in Language::ALL {
            // Most people's names are the same in every language: one order serves them all.
            let next = order(language);
            let same = orders.iter().find(|o| ***o == *next).cloned();
            orders.push(same.unwrap_or(next));
        }
        let orders = std::array::from_fn(|i| orders[i].clone());
        Self { entries, by_id, orders }
    }

    /// The object of this id, if `reader` may see it.
    pub fn get(&self, id: Uuid, reader: Reader) -> Option<&Entry<T>> {
        let entry = &self.entries[*self.by_id.get(&id)? as usize];
        entry.value.audience().admits(reader).then_some(entry)
    }

    /// Everything `reader` may see, in no order.
    pub fn visible(&self, reader: Reader) -> impl Iterator<Item = &Entry<T>> {
        self.entries.iter().filter(move |entry| entry.value.audience().admits(reader))
    }

    /// Everything in the order of lists in a language, whoever may see it: for making indexes.
    pub fn in_order(&self, language: Language) -> impl Iterator<Item = &T> {
        self.orders[language as usize].iter().map(|(_, n)| &self.entries[*n as usize].value)
    }

    /// What is at place `start` of the order of lists in a language and behind it, whoever may see it.
    pub fn in_order_from(&self, language: Language, start: usize) -> impl Iterator<Item = &Entry<T>> {
        let order = &self.orders[language as usize];
        order.get(start..).unwrap_or_default().iter().map(|(_, n)| &self.entries[*n as usize])
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
        let order = &self.orders[language as usize];
        let start = after.map_or(0, |cursor| {
            order.partition_point(|(key, n)| {
                let id = self.entries[*n as usize].value.id();
                (key.as_ref(), id) <= (cursor.key.as_str(), cursor.id)
            })
        });
        let mut matching = order[start..].iter().filter_map(|(key, n)| {
            let entry = &self.entries[*n as usize];
            (entry.value.audience().admits(reader) && wanted(&entry.value)).then_some((key, entry))
        });
        let shown: Vec<_> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        let next =
            shown.last().filter(|_| more).map(|(key, entry)| Cursor { key: key.to_string(), id: entry.value.id() });
        Page { entries: shown.into_iter().map(|(_, entry)| entry).collect(), next }
    }
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
