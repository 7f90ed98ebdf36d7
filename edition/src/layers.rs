//! A search index that takes changes: a large one and small ones upon it, each immutable.
//!
//! A document that changes is indexed anew in the topmost layer, and in the layer that had it it is dead: never
//! admitted. All layers are searched, and since a score depends on query and document alone, their hits merge by
//! score and then by place, as if they came from one. A change makes the topmost layer anew, as long as that is
//! small; larger ones are merged aside ([`Layers::due`]) and put in place later ([`Layers::install`]), whatever
//! has changed meanwhile.

use std::cmp::Ordering;
use std::sync::Arc;

use uuid::Uuid;

use crate::search::{Builder, Hit, Index, Matched, Rank};
use domain::Language;

/// Up to how many documents a layer is made anew by a change.
const SMALL: usize = 64;

/// A layer is merged with what lies upon it when that is this share of it: the lowest one later, since it is the
/// largest.
const LOWEST_SHARE: usize = 16;
const SHARE: usize = 4;

/// Where a document stands among equally good hits: first by the number, then as text, then by id.
pub(crate) type Place = (u8, String, Uuid);

/// Something to be found.
pub(crate) trait Document: Clone {
    /// Where it stands among equally good hits.
    fn place(&self) -> Place;
    /// Whether both are one in memory.
    fn is(&self, other: &Self) -> bool;
    /// Gives its texts to the index in the making, under this number.
    fn describe(&self, builder: &mut Builder, number: u32);
}

/// What was found.
pub(crate) struct Found<'a, D> {
    /// The document.
    pub document: &'a D,
    /// How well it fits; comparable within one query.
    pub score: u32,
    /// Why.
    pub matched: Matched<'a>,
}

/// An index in layers, the lowest first.
pub(crate) struct Layers<D>(Vec<Layer<D>>);

struct Layer<D> {
    index: Arc<Index>,
    /// By number in the index, in the order of their places.
    documents: Arc<[D]>,
    /// A bit for each that has changed since; none as long as none has.
    dead: Option<Arc<[u64]>>,
}

impl<D> Clone for Layer<D> {
    fn clone(&self) -> Self {
        Self { index: self.index.clone(), documents: self.documents.clone(), dead: self.dead.clone() }
    }
}

impl<D> Clone for Layers<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D> Default for Layers<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D: Document> Layer<D> {
    /// A layer of documents that are in the order of their places.
    fn new(documents: Vec<D>) -> Self {
        let mut builder = Builder::new();
        for (number, document) in (0..).zip(&documents) {
            document.describe(&mut builder, number);
        }
        Self { index: Arc::new(builder.finish()), documents: documents.into(), dead: None }
    }

    fn len(&self) -> usize {
        self.documents.len()
    }

    fn is_dead(&self, number: u32) -> bool {
        self.dead.as_ref().is_some_and(|dead| dead[number as usize / 64] >> (number % 64) & 1 == 1)
    }

    fn dead(&self) -> usize {
        self.dead.iter().flat_map(|dead| dead.iter()).map(|bits| bits.count_ones() as usize).sum()
    }

    fn bury(&mut self, numbers: impl IntoIterator<Item = u32>) {
        let mut numbers = numbers.into_iter().peekable();
        if numbers.peek().is_none() {
            return;
        }
        let mut dead = match &self.dead {
            Some(dead) => dead.to_vec(),
            None => vec![0; self.len().div_ceil(64)],
        };
        numbers.for_each(|number| dead[number as usize / 64] |= 1 << (number % 64));
        self.dead = Some(dead.into());
    }

    fn live(&self) -> impl Iterator<Item = &D> {
        (0..).zip(self.documents.iter()).filter(|(number, _)| !self.is_dead(*number)).map(|(_, document)| document)
    }

    /// How many documents stand before a place or at it.
    fn up_to(&self, place: &Place) -> usize {
        self.documents.partition_point(|document| document.place() <= *place)
    }

    /// The number of this very document.
    fn find(&self, document: &D) -> Option<u32> {
        let number = self.up_to(&document.place()).checked_sub(1)?;
        self.documents[number].is(document).then(|| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The rank behind which a page begins that goes on behind a score and place.
    fn rank(&self, score: u32, place: &Place) -> Rank {
        match self.up_to(place).checked_sub(1) {
            Some(last) => Rank { score, doc: u32::try_from(last).unwrap_or(u32::MAX) },
            None => Rank { score: score.saturating_add(1), doc: u32::MAX },
        }
    }
}

impl<D: Document> Layers<D> {
    /// One layer of documents that are in the order of their places.
    pub(crate) fn new(documents: Vec<D>) -> Self {
        if documents.is_empty() { Self::default() } else { Self(vec![Layer::new(documents)]) }
    }

    /// This index without the documents of `gone`, and with those of `come`.
    pub(crate) fn with(&self, gone: &[D], mut come: Vec<D>) -> Self {
        let mut layers = self.0.clone();
        let mut buried: Vec<Vec<u32>> = vec![Vec::new(); layers.len()];
        for document in gone {
            let find = |(n, layer): (usize, &Layer<D>)| Some((n, layer.find(document)?));
            if let Some((n, number)) = layers.iter().enumerate().rev().find_map(find) {
                buried[n].push(number);
            }
        }
        layers.iter_mut().zip(buried).for_each(|(layer, numbers)| layer.bury(numbers));
        if let Some(top) = layers.last().filter(|top| top.len() + come.len() <= SMALL) {
            come.extend(top.live().cloned());
            layers.pop();
        }
        if !come.is_empty() {
            come.sort_by_cached_key(D::place);
            layers.push(Layer::new(come));
        }
        Self(layers)
    }

    /// At most `limit` documents that `admit` lets pass and that have all words of `query`, the best first; with
    /// `after`, a score and a place, those behind it.
    pub(crate) fn search(
        &self,
        query: &str,
        language: Language,
        admit: impl Fn(&D) -> bool,
        after: Option<(u32, Place)>,
        limit: usize,
    ) -> Vec<Found<'_, D>> {
        let admits = |layer: &Layer<D>, number| !layer.is_dead(number) && admit(&layer.documents[number as usize]);
        let rank = |layer: &Layer<D>| after.as_ref().map(|(score, place)| layer.rank(*score, place));
        let found = |search: &dyn for<'s> Fn(&'s Layer<D>) -> Vec<Hit<'s>>| {
            let mut all: Vec<Found<'_, D>> = Vec::new();
            for layer in &self.0 {
                let hits = search(layer).into_iter().map(|hit| Found {
                    document: &layer.documents[hit.rank.doc as usize],
                    score: hit.rank.score,
                    matched: hit.matched,
                });
                all = if all.is_empty() { hits.collect() } else { merge(all, hits.collect()) };
            }
            all.truncate(limit);
            all
        };
        let freely = || found(&|layer| layer.index.search(query, language, |n| admits(layer, n), rank(layer), limit));
        if self.0.len() < 2 {
            return freely();
        }
        // A layer in which nothing is found would read the query freely; all together do when nothing is in any.
        let strictly =
            found(&|layer| layer.index.search_strictly(query, language, |n| admits(layer, n), rank(layer), limit));
        let has_any =
            |layer: &Layer<D>| !layer.index.search_strictly(query, language, |n| admits(layer, n), None, 1).is_empty();
        match !strictly.is_empty() || limit == 0 || after.is_some() && self.0.iter().any(has_any) {
            true => strictly,
            false => freely(),
        }
    }

    /// The lowest layer that is to be merged with what lies upon it, if any is.
    pub(crate) fn due_from(&self) -> Option<usize> {
        let is_due = |from: &usize| {
            let changed = self.0[*from].dead() + self.0[from + 1..].iter().map(Layer::len).sum::<usize>();
            let share = if *from == 0 { LOWEST_SHARE } else { SHARE };
            changed > 0 && self.0[*from].len() > SMALL && changed * share >= self.0[*from].len()
        };
        (0..self.0.len()).find(is_due)
    }

    /// What is to be merged aside, if anything is.
    pub(crate) fn due(&self) -> Option<Merging<D>> {
        self.due_from().map(|from| Merging { from, layers: self.0[from..].to_vec() })
    }

    /// This index with merged layers in place of those that they were made of. `is_current` says of a document
    /// whether it still is what there is of its id. `None` when this is another index by now.
    pub(crate) fn install(&self, merged: Merged<D>, is_current: impl Fn(&D) -> bool) -> Option<Self> {
        let Merged { from, of, mut layer } = merged;
        let own = self.0.get(from..).filter(|own| own.first().is_some_and(|own| Arc::ptr_eq(&own.index, &of[0])))?;
        let documents = layer.documents.clone();
        layer.bury((0..).zip(documents.iter()).filter(|(_, document)| !is_current(document)).map(|(n, _)| n));
        // What came meanwhile is in layers that were not merged, with what was in them before.
        let newer = own.iter().filter(|own| !of.iter().any(|of| Arc::ptr_eq(of, &own.index)));
        let come: Vec<D> = newer.flat_map(Layer::live).filter(|new| layer.find(new).is_none()).cloned().collect();
        let mut layers = self.0[..from].to_vec();
        if layer.len() > 0 {
            layers.push(layer);
        }
        Some(match come.is_empty() {
            true => Self(layers),
            false => Self(layers).with(&[], come),
        })
    }
}

/// Layers that are to become one.
pub(crate) struct Merging<D> {
    from: usize,
    layers: Vec<Layer<D>>,
}

/// Layers that have become one.
pub(crate) struct Merged<D> {
    from: usize,
    of: Vec<Arc<Index>>,
    layer: Layer<D>,
}

impl<D: Document> Merging<D> {
    /// Merges: takes as long as making an index of all their documents.
    pub(crate) fn run(self) -> Merged<D> {
        let mut live: Vec<D> = self.layers.iter().flat_map(Layer::live).cloned().collect();
        live.sort_by_cached_key(D::place);
        let of = self.layers.iter().map(|layer| layer.index.clone()).collect();
        Merged { from: self.from, of, layer: Layer::new(live) }
    }
}

/// Two lists of hits as one.
fn merge<'a, D: Document>(one: Vec<Found<'a, D>>, other: Vec<Found<'a, D>>) -> Vec<Found<'a, D>> {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let order = b.score.cmp(&a.score).then_with(|| a.document.place().cmp(&b.document.place()));
        merged.extend(if order == Ordering::Greater { other.next() } else { one.next() });
    }
    merged.extend(one);
    merged.extend(other);
    merged
}
