//! The readings of a query: as it stands, and the other ways its writer may have split or joined it.

use super::words::{Kind, LONGEST_RUN, LONGEST_WORD, Pieces, SHORT, backwards, without_article};

/// Characters of a query that are considered.
pub const LONGEST_QUERY: usize = 200;
/// Words of a query that are considered.
pub const MOST_WORDS: usize = 8;

/// Words of a query up to which freer readings are tried.
const MOST_LOOSE_WORDS: usize = 5;

/// Words that carry little alone, folded; left out when nothing has all of a query's words.
const FILLERS: [&str; 54] = [
    "a", "an", "and", "at", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with", "au", "aux", "d", "dans",
    "de", "des", "du", "en", "et", "l", "la", "le", "les", "par", "pour", "sur", "con", "del", "el", "las", "los",
    "para", "por", "y", "в", "во", "для", "и", "из", "к", "на", "о", "от", "по", "с", "у", "في", "من", "على", "و",
];

/// A word of a query, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) letters: usize,
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

/// A query taken apart.
#[derive(Debug)]
pub(super) struct Query {
    words: Reading,
    joined: Reading,
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        let end = query.char_indices().nth(LONGEST_QUERY).map_or(query.len(), |(at, _)| at);
        let mut pieces = Pieces::default();
        pieces.read(&query[..end]);
        let list = &pieces.list()[..pieces.list().len().min(MOST_WORDS)];
        let words: Reading = list
            .iter()
            .map(|p| Asked {
                text: pieces.text(p).to_owned(),
                letters: p.letters,
                capitals: p.capitals || (p.glued && p.letters == 1),
                kind: p.kind,
                begins: true,
            })
            .collect();
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
                    joined.push(word.clone());
                    grows = word.letters <= SHORT && word.kind != Kind::Number;
                }
            }
        }
        Self { words, joined }
    }

    /// The readings of equal right, the literal one first; none if the query has no word.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let mut readings: Vec<Reading> = Vec::new();
        if self.words.is_empty() {
            return readings;
        }
        let backwards = |w: &Asked| (w.kind == Kind::Number && w.letters >= SHORT).then(|| reversed(w));
        let bare = |w: &Asked| without_article(&w.text).map(|bare| w.with(bare.to_owned()));
        let candidates = [
            Some(self.words.clone()),
            Some(self.joined.clone()),
            replaced(&self.joined, backwards),
            replaced(&self.words, bare),
            in_pairs(&self.words),
        ];
        for mut reading in candidates.into_iter().flatten() {
            let mut seen: Vec<String> = Vec::with_capacity(reading.len());
            reading.retain(|word| {
                !seen.contains(&word.text) && {
                    seen.push(word.text.clone());
                    true
                }
            });
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        readings
    }

    /// Freer readings: without fillers, neighbours as one word, a word as two.
    pub(super) fn loose_readings(&self) -> Vec<Loose> {
        let words = &self.words;
        let mut loose = Vec::new();
        if words.len() > MOST_LOOSE_WORDS {
            return loose;
        }
        let telling: Reading = words.iter().filter(|w| !FILLERS.contains(&w.text.as_str())).cloned().collect();
        if !telling.is_empty() && telling.len() < words.len() {
            loose.push(Loose { words: telling, misspelt: true });
        }
        if words.len() > 1 {
            loose.push(Loose { words: words.clone(), misspelt: true });
        }
        for at in 1..words.len() {
            if words[at - 1].letters + words[at].letters <= LONGEST_WORD {
                let mut reading = words.clone();
                let second = reading.remove(at);
                reading[at - 1] = together(&reading[at - 1], &second);
                loose.push(Loose { words: reading, misspelt: true });
            }
        }
        if words.len() <= 3 {
            for (at, word) in words.iter().enumerate().filter(|(_, w)| w.kind == Kind::Word) {
                for (cut, _) in word.text.char_indices().skip(2).take(word.letters.saturating_sub(3)) {
                    let mut reading = words.clone();
                    reading[at] = word.with(word.text[cut..].to_owned());
                    reading.insert(at, Asked { begins: false, ..word.with(word.text[..cut].to_owned()) });
                    loose.push(Loose { words: reading, misspelt: false });
                }
            }
        }
        loose
    }
}

impl Asked {
    fn with(&self, text: String) -> Self {
        Self { letters: text.chars().count(), text, ..self.clone() }
    }
}

fn together(first: &Asked, second: &Asked) -> Asked {
    let text = format!("{}{}", first.text, second.text);
    let kind = if first.kind == second.kind { first.kind } else { Kind::Word };
    Asked { capitals: first.capitals && second.capitals, kind, ..first.with(text) }
}

fn reversed(number: &Asked) -> Asked {
    Asked { letters: number.letters, ..number.with(backwards(&number.text)) }
}

/// The reading with every word replaced for which there is a replacement; `None` without any.
fn replaced(words: &Reading, replacement: impl Fn(&Asked) -> Option<Asked>) -> Option<Reading> {
    let replacements: Vec<Option<Asked>> = words.iter().map(replacement).collect();
    replacements.iter().any(Option::is_some).then(|| {
        replacements
            .into_iter()
            .zip(words)
            .map(|(replacement, word)| replacement.unwrap_or_else(|| word.clone()))
            .collect()
    })
}

/// Chinese runs as pairs of neighbouring characters, by which prose is indexed.
fn in_pairs(words: &Reading) -> Option<Reading> {
    let long = |w: &Asked| w.kind == Kind::Run && w.letters > 2;
    words.iter().any(long).then(|| {
        let pairs = words.iter().flat_map(|word| match long(word) {
            false => vec![word.clone()],
            true => {
                let letters: Vec<char> = word.text.chars().collect();
                letters.windows(2).map(|pair| word.with(pair.iter().collect())).collect()
            }
        });
        pairs.take(MOST_WORDS).collect()
    })
}

/// What is looked up of a word: a Chinese run only as far as it is indexed.
pub(super) fn looked_up(word: &Asked) -> &str {
    match word.text.char_indices().nth(LONGEST_RUN) {
        Some((end, _)) if word.kind == Kind::Run => &word.text[..end],
        _ => &word.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(query: &str) -> Vec<String> {
        Query::read(query).readings().iter().map(shown).collect()
    }

    fn shown(reading: &Reading) -> String {
        reading.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
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
        let loose: Vec<String> =
            Query::read("office for law").loose_readings().iter().map(|l| shown(&l.words)).collect();
        assert_eq!(loose[..4], ["office law", "office for law", "officefor law", "office forlaw"]);
        assert!(loose.contains(&"of fice for law".to_owned()));
    }
}
