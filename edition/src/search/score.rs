//! What a document scores: on its own texts, by the query alone.

use std::cmp::Reverse;
use std::ops::Range;

use domain::Language;

use super::dictionary::Dictionary;
use super::page::Found;
use super::postings::Postings;
use super::query::MOST_WORDS;
use super::texts::{Marks, Texts};
use super::typos::Near;
use super::{Field, How, points};

/// A word of a reading with all it stands for in the dictionary.
pub(super) struct Word {
    pub(super) letters: usize,
    pub(super) capitals: bool,
    /// The words that begin with it.
    pub(super) range: Range<u32>,
    /// Whether the range opens with the word itself.
    pub(super) exact: bool,
    pub(super) part: u32,
    /// The words one edit away, in the dictionary's order.
    pub(super) near: Vec<Near>,
    /// Where all these words are.
    pub(super) marks: Marks,
}

/// Words by which a word is found, how, and the points for that.
pub(super) struct Sought {
    pub(super) words: Range<u32>,
    pub(super) how: How,
    pub(super) points: u32,
}

impl Word {
    /// Finds it by words one edit away, too.
    pub(super) fn set_near(&mut self, near: Vec<Near>, dictionary: &Dictionary) {
        let marks = near.iter().map(|near| Marks::of(&(near.word..near.word + 1), dictionary.len()));
        self.marks = marks.fold(self.marks, Marks::and);
        self.near = near;
    }

    /// All by which it is found: clean, or misspelt, too.
    pub(super) fn sought(&self, class: u32) -> impl Iterator<Item = Sought> {
        let itself = self.range.start..self.range.start + u32::from(self.exact);
        let parts = Sought { words: itself.end..self.range.end, how: How::Part, points: self.part };
        let near = self.near.iter().filter(move |_| class != points::CLEAN);
        let near = near.map(|near| Sought { words: near.word..near.word + 1, how: How::Typo, points: near.points });
        let clean = [Sought { words: itself, how: How::Words, points: points::EXACT }, parts];
        clean.into_iter().filter(|sought| !sought.words.is_empty()).chain(near)
    }

    /// The points for this word, if it is one edit away.
    fn near(&self, id: u32) -> Option<u32> {
        let at = self.near.binary_search_by_key(&id, |near| near.word).ok()?;
        Some(self.near[at].points)
    }

    /// How many documents have it, those that have it several times counted for each.
    pub(super) fn docs(&self, class: u32, postings: &Postings) -> usize {
        self.sought(class).map(|sought| postings.docs(sought.words)).sum()
    }
}

/// The texts with somebody who reads them.
#[derive(Clone, Copy)]
pub(super) struct Judge<'i> {
    pub(super) texts: &'i Texts,
    pub(super) reader: Language,
}

impl Judge<'_> {
    /// What speaks most for a document, of all readings.
    pub(super) fn best(&self, doc: u32, readings: &[Vec<Word>], misspelt: bool) -> Option<Found> {
        let mut best: Option<Found> = None;
        for found in readings.iter().filter_map(|words| self.score(doc, words, misspelt)) {
            keep_better(&mut best, found);
        }
        best
    }

    /// How well the document has all of the words: in one text, or each where it is found best.
    pub(super) fn score(&self, doc: u32, words: &[Word], misspelt: bool) -> Option<Found> {
        if words.iter().any(|word| word.marks == Marks::default()) {
            return None;
        }
        let texts = self.texts.of_docs.get(doc);
        let has = |word: &Word| texts.iter().any(|text| self.find(word, *text, misspelt).is_some());
        if words.len() > 2 && !words.iter().all(has) {
            return None;
        }
        let scale = points::UNIT / words.len() as u32;
        let mut anywhere: [Option<Found>; MOST_WORDS + 1] = [None; MOST_WORDS + 1];
        let mut together: Option<Found> = None;
        let marks = words.iter().fold(Marks::default(), |marks, word| marks.and(word.marks));
        for &text in texts.iter().filter(|text| self.texts.marks[**text as usize].may_share(marks)) {
            let mut sum = 0;
            let mut strongest: Option<Found> = None;
            let mut how = How::Words;
            let mut complete = true;
            for (word, best) in words.iter().zip(&mut anywhere) {
                let Some((id, own_how)) = self.find(word, text, misspelt) else {
                    complete = false;
                    continue;
                };
                let points = self.points(word, words.len(), text, id, own_how);
                let found = Found { points, text, word: id, how: own_how };
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
            let own = &self.texts.list[text as usize];
            let letters: usize = words.iter().map(|w| w.letters).sum();
            if how == How::Words && own.field != Field::Body && letters == usize::from(own.letters) {
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

    /// Whether one text has all of the words.
    pub(super) fn has_all(&self, text: u32, words: &[Word], misspelt: bool) -> bool {
        words.iter().all(|word| self.find(word, text, misspelt).is_some())
    }

    /// The word in one text: itself, else as a beginning, else one edit away; better the text's first word.
    fn find(&self, word: &Word, text: u32, misspelt: bool) -> Option<(u32, How)> {
        if !self.texts.marks[text as usize].may_share(word.marks) {
            return None;
        }
        let own = self.texts.words.get(text);
        let from = own.partition_point(|id| *id < word.range.start);
        match own.get(from) {
            Some(id) if *id < word.range.end => {
                let first = self.texts.list[text as usize].first;
                match word.exact && *id == word.range.start {
                    true => Some((*id, How::Words)),
                    false if word.range.contains(&first) => Some((first, How::Part)),
                    false => Some((*id, How::Part)),
                }
            }
            _ if misspelt && !word.near.is_empty() => {
                let first = self.texts.list[text as usize].first;
                let points = |id: u32| Some(word.near(id)? + if id == first { points::FIRST } else { 0 });
                let (_, Reverse(best)) = own.iter().filter_map(|id| Some((points(*id)?, Reverse(*id)))).max()?;
                Some((best, How::Typo))
            }
            _ => None,
        }
    }

    fn points(&self, word: &Word, words: usize, text: u32, id: u32, how: How) -> u32 {
        let text = &self.texts.list[text as usize];
        let mut points = u32::from(text.weight);
        points += match how {
            How::Whole | How::Words => points::EXACT,
            How::Part => word.part,
            How::Typo | How::Loose => word.near(id).unwrap_or(points::TYPO),
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
}

fn keep_better(best: &mut Option<Found>, found: Found) {
    if best.is_none_or(|best| found.points > best.points) {
        *best = Some(found);
    }
}
