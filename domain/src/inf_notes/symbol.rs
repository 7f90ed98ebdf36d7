//! The symbol of an INF note, and how people write it.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::text::code_point;
use crate::{Broken, Language, Message, Rule};

/// The symbol of a document of the series A/INF: `A/INF/{session}/{number}` with, in this order, any
/// of `/Rev.k`, `/Add.k`, `/Add.k/Rev.k` and a last `/Corr.k`. The reissue asterisk is no part of it:
/// a document reissued for technical reasons keeps its identity.
///
/// The order of symbols is the order in which a document's issues are read: the base and its
/// corrigenda, its addenda each with theirs, then the next revision with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol {
    // The derived order is the reading order, so the order of these fields matters; 0 is "none".
    session: u16,
    number: u16,
    revision: u16,
    addendum: u16,
    addendum_revision: u16,
    corrigendum: u16,
}

/// What an issue of a document is to the one it was issued on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The document as first issued.
    Base,
    /// A new text that replaces the earlier ones.
    Revision,
    /// A further part, beside the text it was issued on.
    Addendum,
    /// A list of corrections, beside the text it was issued on.
    Corrigendum,
}

/// Why a text is not the symbol of an INF note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolError {
    /// Longer than any symbol.
    Length,
    /// A character that no symbol has; often a letter of another script that looks like a Latin one.
    Character(char),
    /// An asterisk within the symbol, or more of them than documents are ever reissued.
    Marker,
    /// A blank that could stand for a slash, a dot or nothing.
    Blank,
    /// A document of another series, or no symbol at all.
    Series,
    /// The series or a session, but no document.
    Incomplete,
    /// The session is not a number from 1 to 999.
    Session,
    /// The document's number is not from 1 to 9999.
    Number,
    /// Something other than Rev., Add. or Corr. with a number follows.
    Suffix,
    /// Suffixes in an order that the UN does not use.
    Order,
    /// A symbol, but not written as it is stored.
    Spelling(Symbol),
}

impl From<SymbolError> for Broken {
    fn from(error: SymbolError) -> Self {
        let rule = match error {
            SymbolError::Length => Rule::Length,
            SymbolError::Character(_) => Rule::Characters,
            SymbolError::Session | SymbolError::Number => Rule::Range,
            SymbolError::Incomplete => Rule::Required,
            SymbolError::Marker
            | SymbolError::Blank
            | SymbolError::Series
            | SymbolError::Suffix
            | SymbolError::Order
            | SymbolError::Spelling(_) => Rule::Format,
        };
        Self::new(rule, error.message())
    }
}

impl SymbolError {
    fn message(self) -> Message {
        match self {
            Self::Length => message!("must have at most {max} characters", max = Symbol::MAX),
            Self::Character(c) => message!(
                "must not contain {character}: symbols have Latin letters, digits, slashes and dots",
                character = code_point(c)
            ),
            Self::Marker => message!("the reissue marker is 1 to 9 asterisks at the end"),
            Self::Blank => message!("must not have a blank within a word or number"),
            Self::Series => message!("is not of the series A/INF; to search by words use q"),
            Self::Incomplete => {
                message!("names no document: a session and a number must follow, as in A/INF/76/4")
            }
            Self::Session => message!("session must be a number from 1 to 999 without leading zeros"),
            Self::Number => message!("document number must be from 1 to 9999 without leading zeros"),
            Self::Suffix => message!("only /Rev.k, /Add.k and /Corr.k may follow the number, k from 1 to 999"),
            Self::Order => {
                message!("suffixes must follow one another as in /Rev.1/Add.1/Rev.1/Corr.1, leaving out any")
            }
            Self::Spelling(symbol) => message!("must be written {symbol}", symbol),
        }
    }
}

impl fmt::Display for SymbolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().text(Language::En))
    }
}

impl std::error::Error for SymbolError {}

/// A symbol as it is printed or quoted, with the number of times the document had been reissued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Citation {
    /// The document.
    pub symbol: Symbol,
    /// How many asterisks stood behind it.
    pub reissues: u8,
}

impl Citation {
    /// Accepts a symbol as people write it: in any case, in full-width forms, with blanks beside
    /// slashes and dots, with the reissue asterisks.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        if text.chars().count() > Symbol::MAX {
            return Err(SymbolError::Length);
        }
        let text: String = text.trim().nfkc().collect();
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '*' | ' '));
        if let Some(c) = text.chars().find(odd) {
            return Err(SymbolError::Character(c));
        }
        let bare = text.trim_end_matches(['*', ' ']);
        let reissues = text[bare.len()..].bytes().filter(|b| *b == b'*').count();
        if reissues > 9 || bare.contains('*') {
            return Err(SymbolError::Marker);
        }
        let reissues = reissues as u8;
        Ok(Self { symbol: Symbol::read(bare)?, reissues })
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.symbol, "*".repeat(self.reissues.into()))
    }
}

impl Symbol {
    /// The longest text that is read as a symbol, in characters.
    pub const MAX: usize = 100;

    /// Accepts a symbol in exactly the form that `Display` gives.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let Citation { symbol, .. } = Citation::parse(text)?;
        match symbol.to_string() == text {
            true => Ok(symbol),
            false => Err(SymbolError::Spelling(symbol)),
        }
    }

    /// Reads ASCII letters, digits, slashes, dots and blanks.
    fn read(text: &str) -> Result<Self, SymbolError> {
        let mut parts = text.split('/').map(str::trim);
        let series = [parts.next(), parts.next()];
        if !series[0].is_some_and(|p| p.eq_ignore_ascii_case("A"))
            || !series[1].is_some_and(|p| p.eq_ignore_ascii_case("INF"))
        {
            return Err(SymbolError::Series);
        }
        let (session, number) = match (parts.next(), parts.next()) {
            (Some(session), Some(number)) if !session.is_empty() && !number.is_empty() => (session, number),
            _ => return Err(SymbolError::Incomplete),
        };
        let mut symbol = Self {
            session: ordinal(session, 999, SymbolError::Session)?,
            number: ordinal(number, 9999, SymbolError::Number)?,
            revision: 0,
            addendum: 0,
            addendum_revision: 0,
            corrigendum: 0,
        };
        for suffix in parts {
            symbol = symbol.followed_by(suffix)?;
        }
        Ok(symbol)
    }

    fn followed_by(mut self, suffix: &str) -> Result<Self, SymbolError> {
        let (kind, k) = suffix.split_once('.').ok_or(SymbolError::Suffix)?;
        let k = ordinal(k.trim(), 999, SymbolError::Suffix)?;
        let place = match kind.trim().to_ascii_lowercase().as_str() {
            "rev" if self.addendum > 0 => &mut self.addendum_revision,
            "rev" => &mut self.revision,
            "add" if self.addendum == 0 => &mut self.addendum,
            "add" => return Err(SymbolError::Order),
            "corr" => &mut self.corrigendum,
            _ => return Err(SymbolError::Suffix),
        };
        // Nothing but the first corrigendum may stand where one was already read.
        let taken = std::mem::replace(place, k) > 0;
        let after_corrigendum = self.corrigendum > 0 && !kind.trim().eq_ignore_ascii_case("corr");
        match taken || after_corrigendum {
            true => Err(SymbolError::Order),
            false => Ok(self),
        }
    }

    /// The session of the General Assembly, 1 to 999.
    pub fn session(self) -> u16 {
        self.session
    }

    /// The document's number in the session, 1 to 9999.
    pub fn number(self) -> u16 {
        self.number
    }

    /// Session, number, revision, addendum, the addendum's revision and corrigendum; 0 where there is
    /// none. Symbols are ordered as these are.
    pub fn parts(self) -> [u16; 6] {
        [self.session, self.number, self.revision, self.addendum, self.addendum_revision, self.corrigendum]
    }

    /// The symbol of the document as first issued.
    pub fn base(self) -> Self {
        Self { revision: 0, addendum: 0, addendum_revision: 0, corrigendum: 0, ..self }
    }

    /// What this issue is to the one it was issued on.
    pub fn role(self) -> Role {
        match self {
            Self { corrigendum: 1.., .. } => Role::Corrigendum,
            Self { addendum_revision: 1.., .. } => Role::Revision,
            Self { addendum: 1.., .. } => Role::Addendum,
            Self { revision: 1.., .. } => Role::Revision,
            _ => Role::Base,
        }
    }

    /// What an addendum or corrigendum was issued on; `None` for what stands on its own.
    pub fn accompanies(self) -> Option<Self> {
        match self.role() {
            Role::Corrigendum => Some(Self { corrigendum: 0, ..self }),
            Role::Addendum => Some(Self { addendum: 0, ..self }),
            Role::Revision if self.addendum > 0 => Some(Self { addendum: 0, addendum_revision: 0, ..self }),
            Role::Base | Role::Revision => None,
        }
    }

    /// Whether this revision replaces `other`: the text first issued in its place, or an earlier
    /// revision of that.
    pub fn supersedes(self, other: Self) -> bool {
        let replaceable = |s: Self| matches!(s.role(), Role::Base | Role::Revision | Role::Addendum);
        let stem = |s: Self| match s.addendum > 0 {
            true => Self { addendum_revision: 0, ..s },
            false => Self { revision: 0, ..s },
        };
        self.role() == Role::Revision && replaceable(other) && stem(self) == stem(other) && other < self
    }
}

/// A number from 1 to `max`, in ASCII digits without leading zeros.
fn ordinal(text: &str, max: u16, error: SymbolError) -> Result<u16, SymbolError> {
    if text.contains(' ') {
        return Err(SymbolError::Blank);
    }
    let digits = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && (1..=max).contains(n)).ok_or(error)
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A/INF/{}/{}", self.session, self.number)?;
        let suffixes = [
            ("Rev", self.revision),
            ("Add", self.addendum),
            ("Rev", self.addendum_revision),
            ("Corr", self.corrigendum),
        ];
        suffixes.iter().filter(|(_, k)| *k > 0).try_for_each(|(kind, k)| write!(f, "/{kind}.{k}"))
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        Self::parse(&text)
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn symbol(text: &str) -> Symbol {
        Symbol::parse(text).unwrap()
    }

    #[test]
    fn every_order_of_suffixes_that_the_un_uses_is_read() {
        for suffixes in ["", "/Rev.1", "/Add.1", "/Corr.1", "/Rev.1/Corr.2", "/Add.1/Rev.2", "/Add.1/Corr.1"]
            .into_iter()
            .chain(["/Rev.2/Add.1", "/Rev.1/Add.3/Corr.1", "/Add.1/Rev.1/Corr.1", "/Rev.1/Add.12/Rev.2/Corr.1"])
        {
            let text = format!("A/INF/76/4{suffixes}");
            assert_eq!(symbol(&text).to_string(), text);
        }
    }

    #[test]
    fn the_reissue_marker_is_read_and_is_no_part_of_the_identity() {
        let cited = Citation::parse("A/INF/76/4**").unwrap();
        assert_eq!((cited.symbol, cited.reissues), (symbol("A/INF/76/4"), 2));
        assert_eq!(cited.to_string(), "A/INF/76/4**");
        assert_eq!(Citation::parse("A/INF/76/4/Rev.1 *").map(|c| c.reissues), Ok(1));
    }

    #[test]
    fn a_symbol_is_found_however_people_write_it() {
        for text in
            [" a/inf/76/4/rev.1 ", "A / INF / 76 / 4 / Rev. 1", "A/Inf/76/4/REV.1*", "Ａ／ＩＮＦ／７６／４／Ｒｅｖ．１"]
        {
            assert_eq!(Citation::parse(text).map(|c| c.symbol), Ok(symbol("A/INF/76/4/Rev.1")), "{text}");
            assert_eq!(Symbol::parse(text), Err(SymbolError::Spelling(symbol("A/INF/76/4/Rev.1"))), "{text}");
        }
    }

    #[test]
    fn junk_is_refused_with_its_reason() {
        use SymbolError::*;
        for (text, why) in [
            ("", Series),
            ("high-level week", Character('-')),
            ("A/76/4", Series),
            ("S/INF/76/4", Series),
            ("INF/76/4", Series),
            ("A/INF", Incomplete),
            ("A/INF/76", Incomplete),
            ("A/INF/76/", Incomplete),
            ("A/INF//4", Incomplete),
            ("A/INF/0/4", Session),
            ("A/INF/1000/4", Session),
            ("A/INF/076/4", Session),
            ("A/INF/XX/4", Session),
            ("A/INF/76/0", Number),
            ("A/INF/76/10000", Number),
            ("A/INF/76/4a", Number),
            ("A/INF/7 6/4", Blank),
            ("A/INF/76/4 Rev.1", Blank),
            ("A/INF/76/4/", Suffix),
            ("A/INF/76/4/Rev", Suffix),
            ("A/INF/76/4/Rev.0", Suffix),
            ("A/INF/76/4/Rev.1000", Suffix),
            ("A/INF/76/4/Amend.1", Suffix),
            ("A/INF/76/4/Rev.1.2", Suffix),
            ("A/INF/76/4/Rev.1/Rev.2", Order),
            ("A/INF/76/4/Add.1/Add.2", Order),
            ("A/INF/76/4/Corr.1/Corr.2", Order),
            ("A/INF/76/4/Corr.1/Rev.1", Order),
            ("A/INF/76/4/Corr.1/Add.1", Order),
            ("A/INF/76/4/Add.1/Rev.1/Add.2", Order),
            ("A/INF/76*/4", Marker),
            ("A/INF/76/4**********", Marker),
            ("А/INF/76/4", Character('А')),
            ("A\\INF\\76\\4", Character('\\')),
            ("A/INF/76/4\0", Character('\0')),
            ("A/INF/٧٦/4", Character('٧')),
            ("A/INF/76/4?", Character('?')),
        ] {
            assert_eq!(Citation::parse(text), Err(why), "{text}");
        }
        assert_eq!(Citation::parse(&"A/INF/76/4".repeat(11)), Err(Length));
    }

    #[test]
    fn a_refusal_names_its_rule() {
        assert_eq!(Broken::from(SymbolError::Session).rule, Rule::Range);
        let spelling = Broken::from(Symbol::parse("a/inf/76/4").unwrap_err());
        assert_eq!((spelling.rule, spelling.to_string().as_str()), (Rule::Format, "must be written A/INF/76/4"));
    }

    #[test]
    fn a_revision_supersedes_the_text_in_its_place_and_no_other() {
        let supersedes = |a: &str, b: &str| symbol(a).supersedes(symbol(b));
        assert!(supersedes("A/INF/76/4/Rev.2", "A/INF/76/4"));
        assert!(supersedes("A/INF/76/4/Rev.2", "A/INF/76/4/Rev.1"));
        assert!(supersedes("A/INF/76/4/Add.1/Rev.1", "A/INF/76/4/Add.1"));
        for other in ["A/INF/76/4/Rev.2", "A/INF/76/4/Rev.3", "A/INF/76/4/Corr.1", "A/INF/76/4/Add.1", "A/INF/76/5"] {
            assert!(!supersedes("A/INF/76/4/Rev.2", other), "{other}");
        }
        assert!(!supersedes("A/INF/76/4/Add.1/Rev.1", "A/INF/76/4/Add.2"));
        assert!(!supersedes("A/INF/76/4/Add.1/Rev.1", "A/INF/76/4"));
        assert!(!supersedes("A/INF/76/4/Rev.2/Corr.1", "A/INF/76/4"));
    }

    fn any_symbol() -> impl Strategy<Value = Symbol> {
        let numbers = (1..=999u16, 1..=9999u16, 0..=999u16, 0..=999u16, 0..=999u16, 0..=999u16);
        numbers.prop_map(|(session, number, revision, addendum, addendum_revision, corrigendum)| Symbol {
            session,
            number,
            revision,
            addendum,
            addendum_revision: if addendum > 0 { addendum_revision } else { 0 },
            corrigendum,
        })
    }

    proptest! {
        #[test]
        fn symbols_are_ordered_as_their_parts(a in any_symbol(), b in any_symbol()) {
            prop_assert_eq!(a.cmp(&b), a.parts().cmp(&b.parts()));
        }

        #[test]
        fn a_symbol_reads_back_as_itself(symbol in any_symbol(), reissues in 0..=9u8) {
            prop_assert_eq!(Symbol::parse(&symbol.to_string()), Ok(symbol));
            let cited = Citation { symbol, reissues };
            prop_assert_eq!(Citation::parse(&cited.to_string().to_lowercase()), Ok(cited));
            prop_assert_eq!(serde_json::from_value::<Symbol>(serde_json::json!(symbol)).unwrap(), symbol);
        }

        #[test]
        fn what_is_read_is_written_in_one_way(text in "(A|a)/(INF|inf)/[0-9]{1,4}/[0-9]{1,5}(/(Rev|Add|Corr|rev)\\.[0-9]{1,3}){0,4}\\*{0,2}") {
            if let Ok(cited) = Citation::parse(&text) {
                prop_assert!(cited.to_string().eq_ignore_ascii_case(&text));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,120}") {
            let _ = Citation::parse(&text);
        }
    }
}
