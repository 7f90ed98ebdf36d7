//! Where an imported row comes from: its source's name and its key there.

use serde::{Deserialize, Serialize};

use crate::{Broken, Rule};

/// The name of a system that rows come from: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source(Box<str>);

impl Source {
    /// Accepts a name.
    pub fn parse(name: &str) -> Result<Self, Broken> {
        let well_formed = (1..=40).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match well_formed {
            true => Ok(Self(name.into())),
            false => Err(Broken::new(Rule::Format, message!("must be 1 to 40 of a-z, 0-9 and -"))),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Source {
    type Error = Broken;

    fn try_from(name: String) -> Result<Self, Broken> {
        Self::parse(&name)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.0.into()
    }
}

/// A row's key in its source: 1 to 200 visible ASCII characters other than `:`, `"` and `\`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(Box<str>);

impl Key {
    /// Accepts a key.
    pub fn parse(key: &str) -> Result<Self, Broken> {
        let well_formed = (1..=200).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'"' | b'\\'));
        match well_formed {
            true => Ok(Self(key.into())),
            false => Err(Broken::new(
                Rule::Format,
                message!("must be 1 to 200 visible ASCII characters other than colon, quote and backslash"),
            )),
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Key {
    type Error = Broken;

    fn try_from(key: String) -> Result<Self, Broken> {
        Self::parse(&key)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.into()
    }
}

/// A row named by another row: `key` in the same source, or `source:key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The source, when it is another one.
    pub source: Option<Source>,
    /// The key there.
    pub key: Key,
}

impl Reference {
    /// Accepts a reference.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        match text.split_once(':') {
            Some((source, key)) => Ok(Self { source: Some(Source::parse(source)?), key: Key::parse(key)? }),
            None => Ok(Self { source: None, key: Key::parse(text)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_may_name_another_source() {
        assert_eq!(Reference::parse("dgacm").map(|r| r.source), Ok(None));
        let other = Reference::parse("hr:person/17").unwrap();
        assert_eq!((other.source.unwrap().as_str(), other.key.as_str()), ("hr", "person/17"));
        for junk in ["", ":", "HR:x", "a:b:c", "a b", "é"] {
            assert!(Reference::parse(junk).is_err(), "{junk}");
        }
    }
}
