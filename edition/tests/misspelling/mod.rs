//! Makes typing errors by a seed: one insertion, deletion, substitution or transposition of a name's letters.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The kinds of error.
pub const EDITS: [&str; 4] = ["insertion", "deletion", "substitution", "transposition"];

/// Chance by a seed, the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 to `sides` - 1.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 += 1;
        (xxh3_64_with_seed(&[], self.0) % sides as u64) as usize
    }
}

/// The letters of each script that its own names are written with.
#[derive(Default)]
pub struct Alphabets(BTreeMap<String, BTreeSet<char>>);

impl Alphabets {
    /// Learns a name's letters. Vowel signs are letters, other marks are not typed alone.
    pub fn learn(&mut self, script: &str, name: &str) {
        let letters = typed(script, name).into_iter().flat_map(char::to_lowercase).filter(|c| c.is_alphabetic());
        let alphabet = self.0.entry(script.to_owned()).or_default();
        // errors in Latin letters are those of a keyboard
        alphabet.extend(letters.filter(|c| script != "latin" || c.is_ascii_lowercase()));
    }

    /// The name with one error, whatever its place, blanks among the letters; it is never the name itself.
    pub fn misspell(&self, dice: &mut Dice, script: &str, name: &str, edit: &str) -> Option<String> {
        let letters: Vec<char> = self.0[script].iter().copied().collect();
        let right = typed(script, name);
        // a name of equal letters cannot be transposed
        for _ in 0..50 {
            let (at, letter) = (dice.roll(right.len()), letters[dice.roll(letters.len())]);
            let mut wrong = right.clone();
            match edit {
                "insertion" => wrong.insert(at, letter),
                "deletion" => drop(wrong.remove(at)),
                "substitution" => wrong[at] = letter,
                _ if at + 1 < right.len() => wrong.swap(at, at + 1),
                _ => continue,
            }
            if wrong != right && wrong.iter().any(|c| !c.is_whitespace()) {
                return Some(wrong.into_iter().nfc().collect());
            }
        }
        None
    }
}

/// Letters as they are typed: Korean ones three or so a syllable.
fn typed(script: &str, name: &str) -> Vec<char> {
    match script {
        "korean" => name.nfd().collect(),
        _ => name.nfc().collect(),
    }
}
