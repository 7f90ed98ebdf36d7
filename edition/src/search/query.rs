//! The readings of a query: as it stands, and the other ways its writer may have split or joined it.

use std::ops::Range;

use super::words::{Kind, LONGEST_RUN, LONGEST_WORD, Piece, Pieces, SHORT, backwards, without_article};

/// Characters of a query that are considered.
pub const LONGEST_QUERY: usize = 200;
/// Words of a query that are considered.
pub const MOST_WORDS: usize = 8;

/// Words of a query up to which freer readings are tried.
const MOST_LOOSE_WORDS: usize = 5;
/// Words of a query up to which each is tried as two.
const MOST_SPLIT_WORDS: usize = 4;

/// Words that carry little alone, folded; left out when nothing has all of a query's words.
const FILLERS: [&str; 54] = [
    "a", "an", "and", "at", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with", "au", "aux", "d", "dans",
    "de", "des", "du", "en", "et", "l", "la", "le", "les", "par", "pour", "sur", "con", "del", "el", "las", "los",
    "para", "por", "y", "в", "во", "для", "и", "из", "к", "на", "о", "от", "по", "с", "у", "في", "من", "على", "و",
];

/// A word of a query, folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Where it stands among the query's letters.
    start: u16,
    end: u16,
    pub(super) letters: u16,
    /// Written in capitals, as acronyms are.
    pub(super) capitals: bool,
    pub(super) kind: Kind,
    /// Whether longer words that begin with it match too.
    pub(super) begins: bool,
}

pub(super) type Reading = Vec<Asked>;

/// A reading for when nothing was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loose {
    pub(super) words: Reading,
    /// Whether its words, even short ones, may be misspelt on top.
    pub(super) misspelt: bool,
}

/// A query taken apart. Its words stand one behind the other, so that two neighbours are one word, too.
#[derive(Debug)]
pub(super) struct Query {
    letters: String,
    words: Reading,
    readings: Vec<Reading>,
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        let end = query.char_indices().nth(LONGEST_QUERY).map_or(query.len(), |(at, _)| at);
        let mut pieces = Pieces::default();
        pieces.read(&query[..end]);
        let (letters, mut list) = pieces.into_letters();
        list.truncate(MOST_WORDS);
        let asked = |piece: &Piece| Asked {
            start: piece.folded.start as u16,
            end: piece.folded.end as u16,
            letters: piece.letters as u16,
            capitals: piece.capitals || (piece.glued && piece.letters == 1),
            kind: piece.kind,
            begins: true,
        };
        let words: Reading = list.iter().map(asked).collect();
        let joined = joined(&list, &words);
        let mut query = Self { letters, words, readings: Vec::new() };
        if !query.words.is_empty() {
            let backwards = query.backwards(&joined);
            let candidates = [Some(query.words.clone()), Some(joined), backwards, query.bare(), query.in_pairs()];
            candidates.into_iter().flatten().for_each(|reading| query.put(reading));
        }
        query
    }

    /// The readings of equal right, the literal one first; none if the query has no word.
    pub(super) fn readings(&self) -> &[Reading] {
        &self.readings
    }

    pub(super) fn text(&self, word: &Asked) -> &str {
        &self.letters[usize::from(word.start)..usize::from(word.end)]
    }

    /// What is looked up of a word: a Chinese run only as far as it is indexed.
    pub(super) fn looked_up(&self, word: &Asked) -> &str {
        let text = self.text(word);
        match text.char_indices().nth(LONGEST_RUN) {
            Some((end, _)) if word.kind == Kind::Run => &text[..end],
            _ => text,
        }
    }

    /// Adds a reading, each of its words once.
    fn put(&mut self, mut reading: Reading) {
        let mut at = 1;
        while at < reading.len() {
            let text = self.text(&reading[at]);
            if reading[..at].iter().any(|word| self.text(word) == text) {
                reading.remove(at);
            } else {
                at += 1;
            }
        }
        if !self.readings.contains(&reading) {
            self.readings.push(reading);
        }
    }

    /// With numbers from their end; `None` without any.
    fn backwards(&mut self, words: &Reading) -> Option<Reading> {
        let is_long = |word: &Asked| word.kind == Kind::Number && usize::from(word.letters) >= SHORT;
        words.iter().any(is_long).then(|| {
            let reversed = words.iter().map(|word| {
                if !is_long(word) {
                    return *word;
                }
                let start = self.letters.len() as u16;
                self.letters.push_str(&backwards(self.text(word)));
                Asked { start, end: self.letters.len() as u16, ..*word }
            });
            reversed.collect()
        })
    }

    /// Without Arabic articles; `None` without any.
    fn bare(&self) -> Option<Reading> {
        let bare = |word: &Asked| {
            let text = self.text(word);
            let cut = text.len() - without_article(text)?.len();
            Some(Asked {
                letters: word.letters - text[..cut].chars().count() as u16,
                start: word.start + cut as u16,
                ..*word
            })
        };
        let any = self.words.iter().any(|word| bare(word).is_some());
        any.then(|| self.words.iter().map(|word| bare(word).unwrap_or(*word)).collect())
    }

    /// Chinese runs as pairs of neighbouring characters, by which prose is indexed; `None` without any.
    fn in_pairs(&self) -> Option<Reading> {
        let is_long = |word: &&Asked| word.kind == Kind::Run && word.letters > 2;
        self.words.iter().any(|word| is_long(&word)).then(|| {
            let pairs = self.words.iter().flat_map(|word| match is_long(&word) {
                false => vec![*word],
                true => {
                    let ends: Vec<usize> =
                        self.text(word).char_indices().map(|(at, _)| at).chain([self.text(word).len()]).collect();
                    ends.windows(3).map(|pair| word.part(pair[0]..pair[2], 2)).collect()
                }
            });
            pairs.take(MOST_WORDS).collect()
        })
    }

    /// Freer readings: without fillers, neighbours as one word, a word as two (of which a wrong letter may stand for
    /// the blank between).
    pub(super) fn loose_readings(&self) -> Vec<Loose> {
        let words = &self.words;
        let mut loose = Vec::new();
        if words.is_empty() || words.len() > MOST_LOOSE_WORDS {
            return loose;
        }
        let telling: Reading = words.iter().filter(|w| !FILLERS.contains(&self.text(w))).copied().collect();
        if !telling.is_empty() && telling.len() < words.len() {
            loose.push(Loose { words: telling, misspelt: true });
        }
        loose.push(Loose { words: words.clone(), misspelt: true });
        for at in 1..words.len() {
            if usize::from(words[at - 1].letters + words[at].letters) <= LONGEST_WORD {
                let mut reading = words.clone();
                let second = reading.remove(at);
                reading[at - 1] = together(&reading[at - 1], &second);
                loose.push(Loose { words: reading, misspelt: true });
            }
        }
        if words.len() <= MOST_SPLIT_WORDS {
            for (at, word) in words.iter().enumerate().filter(|(_, w)| w.kind == Kind::Word) {
                for [left, right] in self.halves(word) {
                    let mut reading = words.clone();
                    reading[at] = right;
                    reading.insert(at, Asked { begins: false, ..left });
                    loose.push(Loose { words: reading, misspelt: false });
                }
            }
        }
        loose
    }

    /// A word as two of at least two letters, with every letter and without the one between them.
    fn halves(&self, word: &Asked) -> impl Iterator<Item = [Asked; 2]> {
        let text = self.text(word);
        let (letters, word) = (usize::from(word.letters), *word);
        text.char_indices().enumerate().skip(2).flat_map(move |(before, (cut, letter))| {
            let right = |start: usize, letters: usize| {
                (letters >= 2).then(|| [word.part(0..cut, before), word.part(start..text.len(), letters)])
            };
            let behind = letters.saturating_sub(before + 1);
            [right(cut, behind + 1), right(cut + letter.len_utf8(), behind)].into_iter().flatten()
        })
    }
}

impl Asked {
    /// These bytes of it.
    fn part(&self, bytes: Range<usize>, letters: usize) -> Self {
        let (start, end) = (self.start + bytes.start as u16, self.start + bytes.end as u16);
        Self { start, end, letters: letters as u16, ..*self }
    }
}

/// With what somebody may have written apart as one word.
fn joined(list: &[Piece], words: &Reading) -> Reading {
    let mut joined: Reading = Vec::with_capacity(words.len());
    let mut grows = false;
    for (at, word) in words.iter().enumerate() {
        let both_numbers = at > 0 && list[at].kind == Kind::Number && list[at - 1].kind == Kind::Number;
        match joined.last_mut() {
            Some(last) if list[at - 1].joins(&list[at]) && (list[at].glued || both_numbers || grows) => {
                *last = together(last, word);
                grows = false;
            }
            _ => {
                joined.push(*word);
                grows = usize::from(word.letters) <= SHORT && word.kind != Kind::Number;
            }
        }
    }
    joined
}

/// Two words of which the second stands behind the first.
fn together(first: &Asked, second: &Asked) -> Asked {
    let kind = if first.kind == second.kind { first.kind } else { Kind::Word };
    let (end, letters) = (second.end, first.letters + second.letters);
    Asked { end, letters, capitals: first.capitals && second.capitals, kind, ..*first }
}

#[cfg(test)]
mod tests {
    use super::super::words::BACKWARDS;
    use super::*;

    fn readings(query: &str) -> Vec<String> {
        let query = Query::read(query);
        query.readings().iter().map(|reading| shown(&query, reading)).collect()
    }

    fn loose_readings(query: &str) -> Vec<String> {
        let query = Query::read(query);
        query.loose_readings().iter().map(|loose| shown(&query, &loose.words)).collect()
    }

    fn shown(query: &Query, reading: &Reading) -> String {
        assert!(reading.iter().all(|w| {
            let text = query.text(w).trim_start_matches(BACKWARDS);
            text.chars().count() == usize::from(w.letters)
        }));
        reading.iter().map(|w| query.text(w)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_compound_is_also_read_as_one_word() {
        assert_eq!(readings("Cote d'Ivoire"), ["cote d ivoire", "cote divoire"]);
        assert_eq!(readings("cote d ivoire"), ["cote d ivoire", "cote divoire"]);
        assert_eq!(readings("Cote dIvoire"), ["cote divoire"]);
    }

    #[test]
    fn groups_of_digits_are_also_read_as_one_number_and_from_its_end() {
        assert_eq!(readings("963 7351"), ["963 7351", "9637351", "<1537369"]);
        assert_eq!(readings("okafor 3.7351"), ["okafor 3 7351", "okafor 37351", "okafor <15373"]);
    }

    #[test]
    fn an_arabic_article_may_be_too_much() {
        assert_eq!(readings("الفرنسا"), ["الفرنسا", "فرنسا"]);
    }

    #[test]
    fn a_chinese_run_is_also_read_in_pairs() {
        assert_eq!(readings("高级别周"), ["高级别周", "高级 级别 别周"]);
    }

    #[test]
    fn a_query_is_bounded() {
        let query = Query::read(&"ab ".repeat(100));
        assert!(query.readings().iter().all(|r| r.len() <= MOST_WORDS));
        assert!(query.loose_readings().iter().all(|l| l.words.len() <= MOST_WORDS));
        assert!(Query::read(" …!? ").readings().is_empty());
    }

    #[test]
    fn loose_readings_leave_out_fillers_join_and_split() {
        let loose = loose_readings("office for law");
        assert_eq!(loose[..4], ["office law", "office for law", "officefor law", "office forlaw"]);
        assert!(loose.contains(&"of fice for law".to_owned()));
        assert!(loose.contains(&"off ce for law".to_owned()));
        assert_eq!(loose_readings("abcde"), ["abcde", "ab cde", "ab de", "abc de"]);
    }
}
