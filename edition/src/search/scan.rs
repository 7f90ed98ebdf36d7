//! Answers one query: documents from the postings of its rarest word, as far as they can come onto the page.

use std::ops::Range;

use domain::Language;

use super::page::{Found, Page};
use super::postings::Posting;
use super::query::{Asked, MOST_WORDS, Query};
use super::score::{Judge, Sought, Word};
use super::texts::Marks;
use super::words::BACKWARDS;
use super::{Field, Hit, How, Index, Matched, Rank, points, postings, typos};

pub(super) struct Scan<'i, A> {
    pub(super) index: &'i Index,
    pub(super) judge: Judge<'i>,
    pub(super) admit: A,
    pub(super) after: Option<Rank>,
    pub(super) page: Page,
    /// Whether anything was found, on this page or before it.
    found: bool,
}

/// What a document can score at most: something fixed, and the weight of its posting times the scale.
#[derive(Clone, Copy)]
struct Bound {
    fixed: u32,
    scale: u32,
}

impl<'i, A: Fn(u32) -> bool> Scan<'i, A> {
    pub(super) fn new(index: &'i Index, reader: Language, admit: A, after: Option<Rank>, limit: usize) -> Self {
        let judge = Judge { texts: &index.texts, reader };
        Self { index, judge, admit, after, page: Page::new(limit), found: false }
    }

    /// Without free readings.
    pub(super) fn strictly(mut self) -> Self {
        self.found = true;
        self
    }

    pub(super) fn run(mut self, query: &Query) -> Vec<Hit<'i>> {
        if self.page.is_full() || self.index.texts.list.is_empty() {
            return Vec::new();
        }
        let mut readings: Vec<Vec<Word>> =
            query.readings().iter().map(|reading| self.look_up(query, reading)).collect();
        self.scan(&readings, points::CLEAN);
        if !self.page.is_full() {
            for (words, asked) in readings.iter_mut().zip(query.readings()) {
                for (word, asked) in words.iter_mut().zip(asked) {
                    let near = self.near(query, asked, typos::shortest(query.text(asked)));
                    word.set_near(near, &self.index.dictionary);
                }
            }
            self.scan(&readings, points::MISSPELT);
        }
        if !self.found {
            self.scan_loosely(query);
        }
        let Self { index, page, .. } = self;
        page.into_list().map(|(rank, found)| hit(index, rank, &found)).collect()
    }

    pub(super) fn look_up(&self, query: &Query, reading: &[Asked]) -> Vec<Word> {
        let last = reading.len() - 1;
        let words = reading.iter().enumerate().map(|(at, asked)| {
            let text = query.looked_up(asked);
            let mut range = self.index.dictionary.beginning_with(text);
            let exact = !range.is_empty() && self.index.dictionary.word(range.start) == text;
            if !asked.begins {
                range.end = range.start + u32::from(exact);
            }
            Word {
                letters: text.chars().filter(|c| *c != BACKWARDS).count(),
                capitals: asked.capitals,
                marks: Marks::of(&range, self.index.dictionary.len()),
                range,
                exact,
                part: if at == last { points::PART } else { points::PART_BEFORE_LAST },
                near: Vec::new(),
            }
        });
        words.collect()
    }

    pub(super) fn near(&self, query: &Query, asked: &Asked, shortest: usize) -> Vec<typos::Near> {
        self.index.typos.near(query.looked_up(asked), &self.index.dictionary, shortest)
    }

    fn scan(&mut self, readings: &[Vec<Word>], class: u32) {
        if readings.iter().all(|words| words.len() == 1) {
            return self.scan_single(readings, class);
        }
        for words in readings {
            let docs = |word: &Word| word.docs(class, &self.index.postings);
            let mut sizes = [usize::MAX; MOST_WORDS];
            for (word, size) in words.iter().zip(&mut sizes) {
                *size = docs(word);
            }
            let sizes = &sizes[..words.len()];
            let Some(rarest) = (0..words.len()).min_by_key(|at| sizes[*at]).filter(|at| sizes[*at] > 0) else {
                continue;
            };
            if class == points::CLEAN {
                self.scan_word(words, rarest, |_| true, readings, class, sizes);
                continue;
            }
            let misspelt = |sought: &Sought| sought.how == How::Typo;
            let near = words.iter().flat_map(|word| &word.near);
            let all_misspelt: usize = near.map(|near| self.index.postings.docs(near.word..near.word + 1)).sum();
            if all_misspelt >= sizes[rarest] {
                self.scan_word(words, rarest, |_| true, readings, class, sizes);
                continue;
            }
            for at in 0..words.len() {
                self.scan_word(words, at, misspelt, readings, class, sizes);
            }
        }
    }

    /// A query of one word: what a posting is worth is known without looking at the document.
    fn scan_single(&mut self, readings: &[Vec<Word>], class: u32) {
        let index = self.index;
        let wanted = |sought: &Sought| class == points::CLEAN || sought.how == How::Typo;
        for sought in readings.iter().flatten().flat_map(|word| word.sought(class)).filter(wanted) {
            let mut range = index.postings.of(sought.words);
            let bound = Bound { fixed: points::base(class) + points::UNIT * sought.points, scale: points::UNIT };
            if sought.how == How::Words {
                let alone = index.postings.list(range.clone()).partition_point(|posting| posting.is_alone());
                let whole = Bound { fixed: bound.fixed + points::UNIT * points::WHOLE, ..bound };
                let end = range.start + alone;
                let keep = |scan: &mut Self, at: usize, rank: Rank| scan.offer(at, rank, How::Whole, readings, class);
                self.scan_range(range.start..end, whole, |_| whole, keep);
                range.start = end;
            }
            let keep = |scan: &mut Self, at: usize, rank: Rank| scan.offer(at, rank, sought.how, readings, class);
            self.scan_range(range, bound, |_| bound, keep);
        }
    }

    /// Keeps a document of this rank, for this posting, if it belongs on the page; says whether it was kept.
    fn offer(&mut self, at: usize, rank: Rank, how: How, readings: &[Vec<Word>], class: u32) -> bool {
        let Rank { score, doc } = rank;
        if !self.page.wants(rank) || !(self.admit)(doc) {
            return false;
        }
        let misspelt = class == points::MISSPELT;
        if misspelt && has_clean(readings) && self.judge.best(doc, readings, false).is_some() {
            return false; // its place is among the clean ones
        }
        self.found = true;
        let points = score - points::base(class);
        if let Some(after) = self.after {
            // of several texts the best decides, so its place may be on a page before
            let best = self.judge.best(doc, readings, misspelt);
            if rank <= after || best.is_none_or(|best| best.points != points) {
                return false;
            }
        }
        let text = self.index.postings.list(at..at + 1)[0].text();
        let word = match self.index.texts.list[text as usize].field {
            Field::Body => self.index.postings.word(at),
            _ => u32::MAX,
        };
        self.page.insert(rank, Found { points, text, word, how });
        true
    }

    /// Considers the documents that have one of the words in a way that is `wanted`.
    fn scan_word(
        &mut self,
        words: &[Word],
        at: usize,
        wanted: impl Fn(&Sought) -> bool,
        readings: &[Vec<Word>],
        class: u32,
        sizes: &[usize],
    ) {
        let (index, judge) = (self.index, self.judge);
        let scale = points::UNIT / words.len() as u32;
        let others = || (0..words.len()).filter(|other| *other != at);
        let most: u32 = others().map(|other| self.most(&words[other], class)).sum();
        let several = words.len() > 1;
        let capitals = if several && words[at].capitals { points::CAPITALS } else { 0 };
        let letters: usize = words.iter().map(|word| word.letters).sum();
        let all_exact = words.iter().all(|word| word.exact);
        let bonus = |is_together: bool, is_whole: bool| {
            let together = if is_together && several { points::TOGETHER } else { 0 };
            points::UNIT * (together + if is_whole { points::WHOLE } else { 0 })
        };
        let candidates: usize =
            words[at].sought(class).filter(&wanted).map(|sought| index.postings.docs(sought.words)).sum();
        let rarest = others().min_by_key(|other| sizes[*other]);
        let sieve = rarest.filter(|other| sizes[*other] < candidates * WORTH_A_SIEVE);
        let mut sieve = sieve.map(|other| Sieve::new(index, &words[other], class));
        for sought in words[at].sought(class).filter(wanted) {
            let fixed = points::base(class) + scale * (sought.points + capitals + most);
            let bound = Bound { fixed: fixed + bonus(true, all_exact), scale };
            // What a document gains by all words in one text, it gains by a posting of that text.
            let of_text = |posting: Posting| {
                let is_together = judge.has_all(posting.text(), words, class == points::MISSPELT);
                let is_whole = usize::from(index.texts.list[posting.text() as usize].letters) == letters;
                Bound { fixed: fixed + bonus(is_together, is_together && all_exact && is_whole), scale }
            };
            self.scan_range(index.postings.of(sought.words), bound, of_text, |scan, _, rank| {
                let passes = sieve.as_mut().is_none_or(|sieve| sieve.take(rank.doc));
                passes && scan.consider(rank.doc, readings, class)
            });
        }
    }

    /// The most points that the word can bring to any document.
    fn most(&self, word: &Word, class: u32) -> u32 {
        let postings = &self.index.postings;
        let peak = |sought: Sought| sought.points + postings.peak(postings.of(sought.words), self.judge.reader);
        let capitals = if word.capitals { points::CAPITALS } else { 0 };
        word.sought(class).map(peak).max().unwrap_or(0) + capitals
    }

    /// Shows `keep` the documents of postings that can still come onto the page, with the rank of which none is
    /// better; it says whether it kept one. `of_text` says more exactly than `bound` what a posting can bring.
    fn scan_range(
        &mut self,
        mut range: Range<usize>,
        bound: Bound,
        of_text: impl Fn(Posting) -> Bound,
        mut keep: impl FnMut(&mut Self, usize, Rank) -> bool,
    ) {
        let (index, reader) = (self.index, self.judge.reader);
        let mut floor = self.floor(bound);
        while let Some(block) = index.postings.next_block(&mut range, reader, floor) {
            for (at, &posting) in block.clone().zip(index.postings.list(block)) {
                let rank = posting.rank(reader);
                if rank <= floor {
                    continue;
                }
                let own = if self.page.is_full() { of_text(posting) } else { bound };
                let score = own.fixed + own.scale * postings::weight(rank);
                let first = posting.doc();
                let docs = match posting.is_shared() {
                    true => index.texts.holders.get(posting.text()),
                    false => std::slice::from_ref(&first),
                };
                let mut own_floor = self.floor(own);
                for &doc in docs {
                    if postings::rank_of(rank, doc) <= own_floor {
                        break;
                    }
                    if keep(self, at, Rank { score, doc }) {
                        own_floor = self.floor(own);
                        floor = self.floor(bound);
                    }
                }
            }
        }
    }

    /// The rank of a posting above which a document can still come onto the page.
    fn floor(&self, bound: Bound) -> u32 {
        let Some(worst) = self.page.worst() else { return 0 };
        match worst.score.checked_sub(bound.fixed) {
            None => 0,
            Some(needed) if needed % bound.scale == 0 => postings::rank(needed / bound.scale, worst.doc),
            Some(needed) => postings::rank(needed / bound.scale, 0),
        }
    }

    /// Scores a document and keeps it if it belongs on the page; says whether it was kept.
    fn consider(&mut self, doc: u32, readings: &[Vec<Word>], class: u32) -> bool {
        if !(self.admit)(doc) {
            return false;
        }
        let misspelt = class == points::MISSPELT;
        if misspelt && has_clean(readings) && self.judge.best(doc, readings, false).is_some() {
            return false; // its place is among the clean ones
        }
        let Some(found) = self.judge.best(doc, readings, misspelt) else { return false };
        self.found = true;
        let rank = Rank { score: points::base(class) + found.points, doc };
        if self.after.is_some_and(|after| rank <= after) || !self.page.wants(rank) {
            return false;
        }
        self.page.insert(rank, found);
        true
    }
}

/// Whether any document may have all words of a reading as they are.
fn has_clean(readings: &[Vec<Word>]) -> bool {
    readings.iter().any(|words| words.iter().all(|word| !word.range.is_empty()))
}

fn hit<'i>(index: &'i Index, rank: Rank, found: &Found) -> Hit<'i> {
    let text = &index.texts.list[found.text as usize];
    let original = match text.field {
        Field::Body => index.dictionary.word(found.word),
        _ => index.texts.original(found.text),
    };
    Hit { rank, matched: Matched { field: text.field, text: original, language: text.language, how: found.how } }
}

/// How many documents go into a sieve in the time that one is scored.
const WORTH_A_SIEVE: usize = 64;

/// The documents that have a word, a bit for each.
struct Sieve(Vec<u64>);

impl Sieve {
    fn new(index: &Index, word: &Word, class: u32) -> Self {
        let mut sieve = Self(vec![0; index.texts.of_docs.len().div_ceil(64)]);
        for sought in word.sought(class) {
            for posting in index.postings.list(index.postings.of(sought.words)) {
                match posting.is_shared() {
                    false => sieve.put(posting.doc()),
                    true => index.texts.holders.get(posting.text()).iter().for_each(|doc| sieve.put(*doc)),
                }
            }
        }
        sieve
    }

    fn put(&mut self, doc: u32) {
        self.0[doc as usize / 64] |= 1 << (doc % 64);
    }

    /// Whether it has the document, which it lets pass once: what a document scores is the same each time.
    fn take(&mut self, doc: u32) -> bool {
        let own = 1 << (doc % 64);
        let bits = &mut self.0[doc as usize / 64];
        let has = *bits & own != 0;
        *bits &= !own;
        has
    }
}
