//! Answers one query: candidates from the postings of its rarest word, each scored on its own texts.

use std::collections::HashMap;
use std::ops::Range;

use domain::Language;

use super::query::{self, Asked, MOST_WORDS, Query};
use super::words::BACKWARDS;
use super::{Field, Hit, How, Index, Matched, Rank, points, typos};

pub(super) struct Scan<'i, A> {
    index: &'i Index,
    reader: Language,
    admit: A,
    after: Option<Rank>,
    limit: usize,
    /// The best so far, at most `limit`, in order.
    top: Vec<(Rank, Found)>,
    /// Whether anything was found, on this page or before it.
    found: bool,
}

/// A word of a reading with all it stands for in the dictionary.
struct Word {
    letters: usize,
    capitals: bool,
    /// The words that begin with it.
    range: Range<u32>,
    /// Whether the range opens with the word itself.
    exact: bool,
    part: u32,
    /// The words one edit away.
    near: Vec<u32>,
}

/// Postings in which a word is found, and the points for how.
struct Sought {
    range: Range<usize>,
    points: u32,
}

/// What a document can score at most: something fixed, and the weight of its posting times the scale.
#[derive(Clone, Copy)]
struct Bound {
    fixed: u32,
    scale: u32,
}

/// What speaks for a document.
#[derive(Clone, Copy)]
struct Found {
    points: u32,
    text: usize,
    word: u32,
    how: How,
}

impl<'i, A: Fn(u32) -> bool> Scan<'i, A> {
    pub(super) fn new(index: &'i Index, reader: Language, admit: A, after: Option<Rank>, limit: usize) -> Self {
        Self { index, reader, admit, after, limit, top: Vec::new(), found: false }
    }

    /// Without free readings.
    pub(super) fn strictly(mut self) -> Self {
        self.found = true;
        self
    }

    pub(super) fn run(mut self, query: &Query) -> Vec<Hit<'i>> {
        if self.limit == 0 || self.index.texts.is_empty() {
            return Vec::new();
        }
        let mut readings: Vec<Vec<Word>> = query.readings().iter().map(|reading| self.look_up(reading)).collect();
        self.scan(&readings, points::CLEAN);
        if self.top.len() < self.limit {
            for (words, asked) in readings.iter_mut().zip(query.readings()) {
                for (word, asked) in words.iter_mut().zip(&asked) {
                    word.near = self.near(asked, typos::shortest(&asked.text));
                }
            }
            self.scan(&readings, points::MISSPELT);
        }
        if !self.found {
            self.scan_loosely(query);
        }
        self.top.iter().map(|(rank, found)| self.hit(*rank, found)).collect()
    }

    fn look_up(&self, reading: &[Asked]) -> Vec<Word> {
        let last = reading.len() - 1;
        let words = reading.iter().enumerate().map(|(at, asked)| {
            let text = query::looked_up(asked);
            let mut range = self.index.dictionary.beginning_with(text);
            let exact = !range.is_empty() && self.index.dictionary.word(range.start) == text;
            if !asked.begins {
                range.end = range.start + u32::from(exact);
            }
            Word {
                letters: text.chars().filter(|c| *c != BACKWARDS).count(),
                capitals: asked.capitals,
                range,
                exact,
                part: if at == last { points::PART } else { points::PART_BEFORE_LAST },
                near: Vec::new(),
            }
        });
        words.collect()
    }

    fn near(&self, asked: &Asked, shortest: usize) -> Vec<u32> {
        self.index.typos.near(query::looked_up(asked), &self.index.dictionary, shortest)
    }

    fn scan(&mut self, readings: &[Vec<Word>], class: u32) {
        for words in readings {
            let postings: Vec<Vec<Sought>> = words.iter().map(|word| self.postings_of(word, class)).collect();
            if postings.iter().any(Vec::is_empty) {
                continue;
            }
            let Some(rarest) = (0..words.len()).min_by_key(|at| size(&postings[*at])) else { continue };
            let misspelt = |sought: &&Sought| sought.points == points::TYPO;
            let all_misspelt: usize = postings.iter().flatten().filter(misspelt).map(|sought| sought.range.len()).sum();
            if class == points::MISSPELT && all_misspelt < size(&postings[rarest]) {
                for at in 0..words.len() {
                    self.scan_word(words, &postings, at, |sought| misspelt(&sought), readings, class);
                }
            } else {
                self.scan_word(words, &postings, rarest, |_| true, readings, class);
            }
        }
    }

    /// Considers the documents that have one of the words in a way that is `wanted`.
    fn scan_word(
        &mut self,
        words: &[Word],
        postings: &[Vec<Sought>],
        at: usize,
        wanted: impl Fn(&Sought) -> bool,
        readings: &[Vec<Word>],
        class: u32,
    ) {
        let scale = points::UNIT / words.len() as u32;
        let several = words.len() > 1;
        let others: u32 =
            (0..words.len()).filter(|other| *other != at).map(|at| self.most(&words[at], &postings[at])).sum();
        let capitals = if several && words[at].capitals { points::CAPITALS } else { 0 };
        let bonus = match several {
            true if words.iter().all(|word| word.exact) => points::TOGETHER + points::WHOLE,
            true => points::TOGETHER,
            false => 0,
        };
        for sought in postings[at].iter().filter(|sought| wanted(sought)) {
            let fixed = points::base(class) + points::UNIT * bonus + scale * (sought.points + capitals + others);
            let bound = Bound { fixed, scale };
            let Range { mut start, end } = sought.range;
            if !several && sought.points == points::EXACT {
                let alone = self.index.postings.list(start..end).partition_point(|posting| posting.is_alone());
                let whole = Bound { fixed: fixed + points::UNIT * points::WHOLE, scale };
                self.scan_range(start..start + alone, whole, readings, class);
                start += alone;
            }
            self.scan_range(start..end, bound, readings, class);
        }
    }

    /// The postings in which a word is found, with the points for how.
    fn postings_of(&self, word: &Word, class: u32) -> Vec<Sought> {
        let itself = word.range.start..word.range.start + u32::from(word.exact);
        let parts = (itself.end..word.range.end, word.part);
        let near = word.near.iter().filter(|_| class != points::CLEAN).map(|id| (*id..id + 1, points::TYPO));
        let ids = [(itself, points::EXACT), parts].into_iter().chain(near).filter(|(ids, _)| !ids.is_empty());
        ids.map(|(ids, points)| Sought { range: self.index.postings.of(ids), points }).collect()
    }

    /// The most points that the word can bring to any document.
    fn most(&self, word: &Word, postings: &[Sought]) -> u32 {
        let peak = |sought: &Sought| sought.points + self.index.postings.peak(sought.range.clone(), self.reader);
        let capitals = if word.capitals { points::CAPITALS } else { 0 };
        postings.iter().map(peak).max().unwrap_or(0) + capitals
    }

    fn scan_range(&mut self, mut range: Range<usize>, bound: Bound, readings: &[Vec<Word>], class: u32) {
        let index = self.index;
        let mut floor = self.floor(bound);
        while let Some(block) = index.postings.next_block(&mut range, self.reader, floor) {
            for posting in block {
                if posting.rank(self.reader) > floor && self.consider(posting.doc(), readings, class) {
                    floor = self.floor(bound);
                }
            }
        }
    }

    /// The rank of a posting above which a document can still come onto the page.
    fn floor(&self, bound: Bound) -> u64 {
        let Some((worst, _)) = self.top.last().filter(|_| self.top.len() == self.limit) else { return 0 };
        match worst.score.checked_sub(bound.fixed) {
            None => 0,
            Some(needed) if needed % bound.scale == 0 => u64::from(needed / bound.scale) << 32 | u64::from(!worst.doc),
            Some(needed) => u64::from(needed / bound.scale) << 32 | u64::from(u32::MAX),
        }
    }

    /// Scores a document and keeps it if it belongs on the page; says whether it was kept.
    fn consider(&mut self, doc: u32, readings: &[Vec<Word>], class: u32) -> bool {
        if self.top.iter().any(|(rank, _)| rank.doc == doc) || !(self.admit)(doc) {
            return false;
        }
        let mut found = self.best(doc, readings, false);
        if class == points::MISSPELT {
            if found.is_some() {
                return false; // its place is among the clean ones
            }
            found = self.best(doc, readings, true);
        }
        let Some(found) = found else { return false };
        self.found = true;
        let rank = Rank { score: points::base(class) + found.points, doc };
        if self.after.is_some_and(|after| rank <= after) {
            return false;
        }
        let at = self.top.partition_point(|(other, _)| *other < rank);
        if at >= self.limit {
            return false;
        }
        self.top.truncate(self.limit - 1);
        self.top.insert(at, (rank, found));
        true
    }

    fn best(&self, doc: u32, readings: &[Vec<Word>], misspelt: bool) -> Option<Found> {
        let mut best: Option<Found> = None;
        for found in readings.iter().filter_map(|words| self.score(doc, words, misspelt)) {
            if best.is_none_or(|best| found.points > best.points) {
                best = Some(found);
            }
        }
        best
    }

    /// How well the document has all of the words: in one text, or each where it is found best.
    fn score(&self, doc: u32, words: &[Word], misspelt: bool) -> Option<Found> {
        let texts = self.index.texts_of(doc);
        let has = |word: &Word| texts.clone().any(|at| self.find(word, at, misspelt).is_some());
        if words.len() > 1 && !words.iter().all(has) {
            return None;
        }
        let scale = points::UNIT / words.len() as u32;
        let mut anywhere: [Option<Found>; MOST_WORDS] = [None; MOST_WORDS];
        let mut together: Option<Found> = None;
        for at in texts {
            let mut sum = 0;
            let mut strongest: Option<Found> = None;
            let mut how = How::Words;
            let mut complete = true;
            for (word, best) in words.iter().zip(&mut anywhere) {
                let Some((id, own_how)) = self.find(word, at, misspelt) else {
                    complete = false;
                    continue;
                };
                let points = self.points(word, words.len(), at, id, own_how);
                let found = Found { points, text: at, word: id, how: own_how };
                sum += points;
                how = how.max(own_how);
                keep_better(&mut strongest, found);
                keep_better(best, found);
            }
            let Some(strongest) = strongest.filter(|_| complete) else { continue };
            let mut found = Found { points: sum * scale, how, ..strongest };
            if words.len() > 1 {
                found.points += points::UNIT * points::TOGETHER;
            }
            let text = &self.index.texts[at];
            let letters: usize = words.iter().map(|w| w.letters).sum();
            if how == How::Words && text.field != Field::Body && letters == usize::from(text.letters) {
                found.how = How::Whole;
                found.points += points::UNIT * points::WHOLE;
            }
            keep_better(&mut together, found);
        }
        let anywhere = &anywhere[..words.len()];
        let sum = anywhere.iter().try_fold(0, |sum, best| Some(sum + best.as_ref()?.points))?;
        let how = anywhere.iter().flatten().map(|found| found.how).max()?;
        let strongest = anywhere.iter().flatten().copied().reduce(|a, b| if b.points > a.points { b } else { a })?;
        keep_better(&mut together, Found { points: sum * scale, how, ..strongest });
        together
    }

    /// The word in one text: itself, else as a beginning, else one edit away; better the text's first word.
    fn find(&self, word: &Word, text: usize, misspelt: bool) -> Option<(u32, How)> {
        let own = self.index.words_of(text);
        let first = self.index.texts[text].first;
        let from = own.partition_point(|id| *id < word.range.start);
        match own.get(from) {
            Some(id) if *id < word.range.end => match word.exact && *id == word.range.start {
                true => Some((*id, How::Words)),
                false if word.range.contains(&first) => Some((first, How::Part)),
                false => Some((*id, How::Part)),
            },
            _ if misspelt && word.near.contains(&first) => Some((first, How::Typo)),
            _ if misspelt => {
                let near = word.near.iter().find(|id| own.binary_search(id).is_ok())?;
                Some((*near, How::Typo))
            }
            _ => None,
        }
    }

    fn points(&self, word: &Word, words: usize, text: usize, id: u32, how: How) -> u32 {
        let text = &self.index.texts[text];
        let mut points = text.weight;
        points += match how {
            How::Whole | How::Words => points::EXACT,
            How::Part => word.part,
            How::Typo | How::Loose => points::TYPO,
        };
        if id == text.first {
            points += points::FIRST;
        }
        if text.language.is_some_and(|language| language != self.reader) {
            points -= points::FOREIGN;
        }
        let acronym = matches!(text.field, Field::Acronym | Field::FormerAcronym);
        if words > 1 && word.capitals && acronym && how == How::Words && word.letters == usize::from(text.letters) {
            points += points::CAPITALS;
        }
        points
    }

    /// Finds documents by freer readings. Few queries come here, so each hit is weighed in full.
    fn scan_loosely(&mut self, query: &Query) {
        let mut all: HashMap<u32, Found> = HashMap::new();
        for loose in query.loose_readings() {
            let mut words = self.look_up(&loose.words);
            if loose.misspelt {
                let alone = words.len() == 1;
                for (word, asked) in words.iter_mut().zip(&loose.words) {
                    word.near = self.near(asked, if alone { typos::shortest(&asked.text) } else { 2 });
                }
            }
            let postings = words.iter().map(|word| self.postings_of(word, points::LOOSE));
            let rarest = postings.min_by_key(|all| size(all));
            for posting in rarest.iter().flatten().flat_map(|sought| self.index.postings.list(sought.range.clone())) {
                let doc = posting.doc();
                if !(self.admit)(doc) {
                    continue;
                }
                let Some(found) = self.score(doc, &words, true) else { continue };
                let best = all.entry(doc).or_insert(found);
                if found.points > best.points {
                    *best = found;
                }
            }
        }
        let loose = |found: Found| Found { how: How::Loose, ..found };
        self.top = all
            .into_iter()
            .map(|(doc, found)| (Rank { score: points::base(points::LOOSE) + found.points, doc }, loose(found)))
            .filter(|(rank, _)| self.after.is_none_or(|after| *rank > after))
            .collect();
        self.top.sort_unstable_by_key(|(rank, _)| *rank);
        self.top.truncate(self.limit);
    }

    fn hit(&self, rank: Rank, found: &Found) -> Hit<'i> {
        let text = &self.index.texts[found.text];
        let original = match text.field {
            Field::Body => self.index.dictionary.word(found.word),
            _ => self.index.original_of(found.text),
        };
        Hit { rank, matched: Matched { field: text.field, text: original, language: text.language, how: found.how } }
    }
}

fn size(postings: &[Sought]) -> usize {
    postings.iter().map(|sought| sought.range.len()).sum()
}

fn keep_better(best: &mut Option<Found>, found: Found) {
    if best.is_none_or(|best| found.points > best.points) {
        *best = Some(found);
    }
}
