//! What makes one hit better than another: how the words match, then where, then how much else is there.
//!
//! A score is a class (every word as it is indexed, with a misspelling, read loosely), then points: the
//! average over the query's words of how + where, and what the hit gains as a whole. Nothing depends on
//! how often a word occurs, so a score is the same in every edition and betrays nothing about other documents.

use super::Field;
use super::typos::Edit;

/// Every word found as it is indexed.
pub(super) const CLEAN: u32 = 2;
/// At least one word found one edit away.
pub(super) const MISSPELT: u32 = 1;
/// Words joined, split or left out.
pub(super) const LOOSE: u32 = 0;

pub(super) const EXACT: u32 = 400;
/// A part of a word, where it is the query's last, which may still be in the typing.
pub(super) const PART: u32 = 300;
pub(super) const PART_BEFORE_LAST: u32 = 250;
pub(super) const TYPO: u32 = 150;

/// What a word counts that was meant by another. Of a word there are few ways to leave out a letter or to swap two,
/// and some thirty times as many to add or change one: so who typed "johanson" rather meant Johansson than Johansen.
pub(super) fn typo(edit: Edit, letters: usize) -> u32 {
    let rare = if matches!(edit, Edit::LeftOut | Edit::Swapped) { 6 } else { 0 };
    TYPO + rare + letters.min(12) as u32 / 3
}

/// The word with which a text begins: a family name, the thing itself.
pub(super) const FIRST: u32 = 8;
/// Text in another language than the reader's.
pub(super) const FOREIGN: u32 = 10;
/// All of several words in the same text.
pub(super) const TOGETHER: u32 = 60;
/// The words are the whole text.
pub(super) const WHOLE: u32 = 300;
/// A word in capitals, among others, that is the whole of an acronym.
pub(super) const CAPITALS: u32 = 100;

/// Points are counted in this many parts, so that an average over up to eight words is exact.
pub(super) const UNIT: u32 = 840;

/// The lowest score of a class.
pub(super) fn base(class: u32) -> u32 {
    class << 22
}

/// Where it matches: the field, then the shorter text. A part of a name is above whole words of prose.
pub(super) fn weight(field: Field, length: u8) -> u16 {
    let field = match field {
        Field::Acronym => 255,
        Field::Name => 250,
        Field::FormerAcronym => 235,
        Field::FormerName => 230,
        Field::Title => 215,
        Field::Number => 215,
        Field::Keyword => 195,
        Field::Body => 20,
    };
    field + u16::from(8 - length.clamp(1, 7))
}
