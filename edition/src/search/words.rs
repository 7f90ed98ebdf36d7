//! Text to words: what is folded away, where a word ends, which further forms of it are indexed.

use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::Field;

/// Letters kept of one word; what is longer is cut, in texts and queries alike.
pub(super) const LONGEST_WORD: usize = 32;
/// Characters kept of a run of Chinese.
pub(super) const LONGEST_RUN: usize = 16;
/// Words up to this many letters are also indexed as one with the word that follows.
pub(super) const SHORT: usize = 3;
/// Opens a number written backwards; no folded text contains it.
pub(super) const BACKWARDS: char = '<';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// Digits alone.
    Number,
    /// A run of a script written without spaces.
    Run,
}

/// A stretch of letters and digits without anything between.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) folded: Range<usize>,
    source: Range<usize>,
    pub(super) letters: usize,
    pub(super) kind: Kind,
    /// Only a hyphen, an apostrophe or the like stands between the piece before and this one.
    pub(super) glued: bool,
    /// At least two letters, all of them capital.
    pub(super) capitals: bool,
}

impl Piece {
    /// Whether the two may be written as one word.
    pub(super) fn joins(&self, next: &Piece) -> bool {
        (self.kind == Kind::Run) == (next.kind == Kind::Run)
    }
}

/// The pieces of a text; reused from text to text.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    folded: String,
    list: Vec<Piece>,
}

impl Pieces {
    pub(super) fn read(&mut self, text: &str) {
        self.folded.clear();
        self.list.clear();
        let (mut open, mut glued) = (false, false);
        for (at, c) in text.char_indices() {
            if is_inner_mark(c) {
                glued = open;
                open = false;
                continue;
            }
            let source = at..at + c.len_utf8();
            let mut take = |letter: char, is_part_of_a_word: bool| {
                if !is_part_of_a_word {
                    (open, glued) = (false, false);
                    return;
                }
                let run = is_unspaced(letter);
                match self.list.last_mut() {
                    Some(last) if open && (last.kind == Kind::Run) == run => {
                        last.source.end = source.end;
                        if !run && last.letters == LONGEST_WORD {
                            return;
                        }
                        self.folded.push(letter);
                        last.folded.end = self.folded.len();
                        last.letters += 1;
                        last.capitals = last.capitals && (c.is_uppercase() || !c.is_alphabetic());
                        if last.kind == Kind::Number && !letter.is_ascii_digit() {
                            last.kind = Kind::Word;
                        }
                    }
                    _ => {
                        let start = self.folded.len();
                        self.folded.push(letter);
                        self.list.push(Piece {
                            folded: start..self.folded.len(),
                            source: source.clone(),
                            letters: 1,
                            kind: match run {
                                true => Kind::Run,
                                false if letter.is_ascii_digit() => Kind::Number,
                                false => Kind::Word,
                            },
                            glued,
                            capitals: c.is_uppercase(),
                        });
                        glued = false;
                    }
                }
                open = true;
            };
            match folded_to_one(c) {
                Some(letter) => take(letter, true),
                None => fold(c, |letter| take(letter, letter.is_alphanumeric())),
            }
        }
        for piece in &mut self.list {
            piece.capitals &= piece.letters > 1;
        }
    }

    pub(super) fn list(&self) -> &[Piece] {
        &self.list
    }

    pub(super) fn text(&self, piece: &Piece) -> &str {
        &self.folded[piece.folded.clone()]
    }

    /// The word that stands at this byte of the text, or the first behind it.
    pub(super) fn word_at(&self, byte: usize) -> Option<&str> {
        self.list.iter().find(|piece| piece.source.end > byte).map(|piece| self.text(piece))
    }

    /// All pieces without anything between.
    pub(super) fn into_letters(self) -> (String, Vec<Piece>) {
        (self.folded, self.list)
    }

    /// Letters of the whole text.
    pub(super) fn letters(&self) -> usize {
        self.list.iter().map(|p| p.letters).sum()
    }

    /// Words of the whole text; two Chinese characters count as one.
    pub(super) fn length(&self) -> usize {
        self.list.iter().map(|p| if p.kind == Kind::Run { p.letters.div_ceil(2) } else { 1 }).sum()
    }

    /// Every form under which the text is found, with its letters; the first is its first word.
    pub(super) fn forms(&self, field: Field, mut emit: impl FnMut(&str, usize)) {
        if field == Field::Number && self.list.iter().any(|p| p.kind == Kind::Number) {
            let digits: String = self.folded.chars().filter(char::is_ascii_digit).take(LONGEST_WORD).collect();
            emit(&digits, digits.len());
            return emit(&backwards(&digits), digits.len());
        }
        for piece in &self.list {
            let text = self.text(piece);
            if piece.kind == Kind::Run {
                let longest = if field == Field::Body { 2 } else { LONGEST_RUN };
                parts(text, longest, &mut emit);
            } else {
                emit(text, piece.letters);
                if let Some(bare) = without_article(text) {
                    emit(bare, bare.chars().count());
                }
            }
        }
        self.joined_forms(field, emit);
    }

    /// `d'Ivoire` and `d Ivoire` as `divoire`, `Saint-Denis` as `saintdenis`.
    fn joined_forms(&self, field: Field, mut emit: impl FnMut(&str, usize)) {
        let mut join = |pieces: &[Piece]| {
            let letters = pieces.iter().map(|p| p.letters).sum();
            if letters <= LONGEST_WORD {
                let [first, .., last] = pieces else { return };
                emit(&self.folded[first.folded.start..last.folded.end], letters);
            }
        };
        for compound in self.list.chunk_by(|a, b| b.glued && a.joins(b)) {
            join(compound);
        }
        if field != Field::Body {
            for pair in self.list.windows(2) {
                if pair[0].letters <= SHORT && pair[0].kind != Kind::Number && !pair[1].glued && pair[0].joins(&pair[1])
                {
                    join(pair);
                }
            }
        }
    }
}

/// The stretch of `text` around the first place where `word` (as [`super::Matched::text`] gives it for
/// [`Field::Body`]) is found: at most `width` characters, cut between words.
pub fn excerpt<'t>(text: &'t str, word: &str, width: usize) -> Option<&'t str> {
    let mut pieces = Pieces::default();
    pieces.read(text);
    let mut at = None;
    for piece in pieces.list() {
        let folded = pieces.text(piece);
        if piece.kind == Kind::Run {
            if let Some((before, _)) = folded.split_once(word) {
                let skipped = before.chars().count();
                let start = text[piece.source.clone()].char_indices().nth(skipped).map_or(0, |(i, _)| i);
                at = Some(piece.source.start + start);
                break;
            }
        } else if folded == word || without_article(folded) == Some(word) {
            at = Some(piece.source.start);
            break;
        } else if at.is_none() && word.starts_with(folded) && word.len() > folded.len() {
            // `divoire` stands in the text as `d'Ivoire`
            let from = &pieces.folded[piece.folded.start..];
            if from.starts_with(word) {
                at = Some(piece.source.start);
                break;
            }
        }
    }
    let at = at?;
    let lead = text[..at].char_indices().rev().take(width / 3).last().map_or(at, |(i, _)| i);
    let start = match lead {
        0 => 0,
        _ => lead + text[lead..at].find(char::is_whitespace).unwrap_or(at - lead),
    };
    let rest = text[start..].trim_start();
    match rest.char_indices().nth(width) {
        None => Some(rest.trim_end()),
        Some((end, _)) => {
            let cut = rest[..end].rfind(char::is_whitespace).filter(|cut| start + cut > at).unwrap_or(end);
            Some(rest[..cut].trim_end())
        }
    }
}

/// The byte at which the family name begins in a name in its own script: in Chinese, Japanese and Korean it comes
/// first, elsewhere it is taken to be the last word.
pub fn family_in_native(name: &str) -> usize {
    let is_first = |c: char| {
        is_unspaced(c) || matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{AC00}'..='\u{D7AF}')
    };
    match name.trim_end().rfind(char::is_whitespace) {
        Some(blank) if !name.contains(is_first) => blank + 1,
        _ => 0,
    }
}

/// The parts of a Chinese run by which it is found: each one's beginning is looked up, so that any
/// stretch of up to `longest` characters is a hit.
fn parts(run: &str, longest: usize, mut emit: impl FnMut(&str, usize)) {
    let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    let length = starts.len() - 1;
    for from in 0..length {
        let to = (from + longest).min(length);
        emit(&run[starts[from]..starts[to]], to - from);
    }
}

/// The same digits from the last to the first, marked: a number's end is looked up as a beginning.
pub(super) fn backwards(digits: &str) -> String {
    [BACKWARDS].into_iter().chain(digits.chars().rev()).collect()
}

/// An Arabic word without the article (and without "and", "in", "for" written with it), if three letters remain.
pub(super) fn without_article(word: &str) -> Option<&str> {
    ["ال", "وال", "بال", "لل"]
        .into_iter()
        .find_map(|article| word.strip_prefix(article))
        .filter(|bare| bare.chars().count() >= 3)
}

/// Chinese characters, and kana, which like them stand without spaces.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Marks inside a word or code: apostrophes in every shape (some of them letters to Unicode), hyphens, and
/// what stands in numbers, symbols and addresses.
fn is_inner_mark(c: char) -> bool {
    matches!(c, '\'' | '`' | '´' | '\u{02B9}'..='\u{02BF}' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' | '\u{FF07}'
        | '-' | '\u{2010}'..='\u{2013}' | '.' | '/' | '&' | '@' | '_' | '·' | '\u{2027}' | '\u{30FB}' | '\u{FF65}')
}

/// One character as it is compared: compatibility forms resolved (NFKD), without case or accents, letters
/// that differ only by a writer's habit as one. Arabic and Hebrew vowel signs, tatweel and invisible characters
/// vanish; vowel signs of Indic scripts and Thai are letters, but a nukta, virama or tone mark is none.
fn fold(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c.to_ascii_lowercase());
    }
    if matches!(c, '\u{0640}' | '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    {
        return;
    }
    if is_vowel_sign(c) {
        // not taken apart: one sign in two parts is one letter, typed at once
        return emit(if c == 'ँ' { 'ं' } else { c });
    }
    decompose_compatible(c, |part| {
        for letter in part.to_lowercase() {
            match letter {
                'ß' => "ss".chars().for_each(&mut emit),
                'æ' => "ae".chars().for_each(&mut emit),
                'œ' => "oe".chars().for_each(&mut emit),
                'þ' => "th".chars().for_each(&mut emit),
                'ø' => emit('o'),
                'ł' => emit('l'),
                'đ' | 'ð' => emit('d'),
                'ı' => emit('i'),
                'ħ' => emit('h'),
                'ŧ' => emit('t'),
                'ŋ' => emit('n'),
                'ə' => emit('a'),
                'ς' => emit('σ'),
                'ґ' => emit('г'),
                'ٱ' => emit('ا'),
                'ة' | 'ە' => emit('ه'),
                'ى' | 'ی' => emit('ي'),
                'ک' => emit('ك'),
                '\u{0660}'..='\u{0669}' => emit(digit(letter, '\u{0660}')),
                '\u{06F0}'..='\u{06F9}' => emit(digit(letter, '\u{06F0}')),
                // an accent, or what a lower case of several characters brings along
                mark if is_combining_mark(mark) => {}
                other => emit(other),
            }
        }
    });
}

/// What [`fold`] makes of a character if that is known to be one letter or digit.
fn folded_to_one(c: char) -> Option<char> {
    /// From Latin with accents to Arabic, each taken apart once; a blank where it is not one letter.
    static FOLDED: LazyLock<Vec<char>> = LazyLock::new(|| {
        let one = |c: char| {
            let mut letters = Vec::new();
            fold(c, |letter| letters.push(letter));
            if let [letter] = letters[..]
                && letter.is_alphanumeric()
            {
                letter
            } else {
                ' '
            }
        };
        ('\0'..='\u{06FF}').map(one).collect()
    });
    match c {
        '\u{4E00}'..='\u{9FFF}' => Some(c),
        _ => FOLDED.get(c as usize).copied().filter(|letter| *letter != ' '),
    }
}

/// Written as a mark and spoken as a letter, in the scripts from Devanagari to Khmer and their younger relatives.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{1AAF}' | '\u{1B00}'..='\u{1CFF}' | '\u{A800}'..='\u{ABFF}' | '\u{11000}'..='\u{11FFF}')
        && c.is_alphabetic()
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut pieces = Pieces::default();
        pieces.read(text);
        pieces.list().iter().map(|p| pieces.text(p).to_owned()).collect()
    }

    fn forms(field: Field, text: &str) -> Vec<String> {
        let mut pieces = Pieces::default();
        pieces.read(text);
        let mut forms = Vec::new();
        pieces.forms(field, |form, letters| {
            assert_eq!(form.trim_start_matches(BACKWARDS).chars().count(), letters);
            forms.push(form.to_owned());
        });
        forms
    }

    #[test]
    fn case_accents_and_special_letters_are_folded() {
        assert_eq!(
            words("Côte TÜRKİYE Iğdır Straße Ærø Łódź"),
            ["cote", "turkiye", "igdir", "strasse", "aero", "lodz"]
        );
        assert_eq!(words("Королёв ＤＰＩ ﬁle"), ["королев", "dpi", "file"]);
    }

    #[test]
    fn what_is_known_to_be_one_letter_is_what_the_character_is_folded_to() {
        for c in '\0'..='\u{FFFF}' {
            let mut letters = Vec::new();
            fold(c, |letter| letters.push(letter));
            let known = folded_to_one(c);
            assert!(known.is_none_or(|one| letters == [one] && one.is_alphanumeric()), "{c:?} {known:?} {letters:?}");
        }
        assert_eq!(
            ['é', 'Й', 'أ', '五', 'A', 'ß', '-', '\u{0640}'].map(folded_to_one).map(Option::unwrap_or_default),
            ['e', 'и', 'ا', '五', 'a', '\0', '\0', '\0']
        );
    }

    #[test]
    fn arabic_is_compared_without_vowels_tatweel_and_hamza() {
        assert_eq!(words("مُحَمَّد إدارة أحمـــد على"), ["محمد", "اداره", "احمد", "علي"]);
        assert_eq!(words("٣٫٧ ۴"), ["3", "7", "4"]);
    }

    #[test]
    fn vowel_signs_are_letters_where_they_are_written() {
        assert_eq!(words("शर्मा गुप्ता सिँह"), ["शरमा", "गुपता", "सिंह"]);
        assert_eq!(words("হোসেন বড়ুয়া"), ["হোসেন", "বডুযা"]);
        assert_eq!(words("பொன்"), ["பொன"]);
        assert_eq!(words("ใจดี น้อย"), ["ใจดี", "นอย"]);
    }

    #[test]
    fn an_apostrophe_or_hyphen_splits_and_joins() {
        assert_eq!(forms(Field::Name, "Côte d’Ivoire"), ["cote", "d", "ivoire", "divoire"]);
        assert_eq!(forms(Field::Name, "Cote d Ivoire"), ["cote", "d", "ivoire", "divoire"]);
        assert_eq!(forms(Field::Body, "Saint-Denis or so"), ["saint", "denis", "or", "so", "saintdenis"]);
    }

    #[test]
    fn the_arabic_article_is_optional() {
        assert_eq!(forms(Field::Name, "الجزائر"), ["الجزاير", "جزاير"]);
    }

    #[test]
    fn chinese_is_found_by_any_part() {
        assert_eq!(forms(Field::Name, "王小明"), ["王小明", "小明", "明"]);
        assert_eq!(forms(Field::Body, "王小明"), ["王小", "小明", "明"]);
    }

    #[test]
    fn a_number_is_one_word_forwards_and_backwards() {
        assert_eq!(forms(Field::Number, "+1 (212) 963-7351"), ["12129637351", "<15373692121"]);
    }

    #[test]
    fn an_excerpt_is_cut_between_words_around_the_match() {
        let text = "Delegations are reminded that the grounds passes of the previous session expire on Friday.";
        assert_eq!(excerpt(text, "passes", 40), Some("the grounds passes of the previous"));
        assert_eq!(excerpt("Passes", "passes", 40), Some("Passes"));
        assert_eq!(excerpt("Visit Côte d'Ivoire", "divoire", 9), Some("d'Ivoire"));
        assert_eq!(excerpt("各代表团请注意高级别会议的安排", "会议", 6), Some("会议的安排"));
        assert_eq!(excerpt(text, "absent", 40), None);
    }
}
