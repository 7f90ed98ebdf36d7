//! Who may see an item.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Broken, Rule};

/// The id of a Permanent Mission or Observer Mission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MissionId(pub Uuid);

/// Who may see an item. Its text form, also the database's, is `public`, `delegates`,
/// `secretariat` or `missions:<id>,<id>…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Audience {
    /// Everybody, also without a token.
    Public,
    /// Every mission, and the Secretariat.
    Delegates,
    /// The Secretariat alone.
    Secretariat,
    /// The named missions (at least one), and the Secretariat.
    Missions(BTreeSet<MissionId>),
}

/// Who reads, as far as audiences go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reader {
    /// Somebody without a token.
    Stranger,
    /// A delegate or integrator of a mission.
    Mission(MissionId),
    /// A member of the Secretariat.
    Secretariat,
}

impl Audience {
    /// Whether `reader` may see an item of this audience.
    pub fn admits(&self, reader: Reader) -> bool {
        match (self, reader) {
            (Self::Public, _) | (_, Reader::Secretariat) => true,
            (Self::Delegates, Reader::Mission(_)) => true,
            (Self::Missions(named), Reader::Mission(mission)) => named.contains(&mission),
            (_, Reader::Stranger) | (Self::Secretariat, Reader::Mission(_)) => false,
        }
    }

    /// Whether whoever may see an item of audience `other` may see one of this audience: what an
    /// item refers to must cover the item's own audience.
    pub fn covers(&self, other: &Audience) -> bool {
        match (self, other) {
            (Self::Public, _) | (_, Self::Secretariat) => true,
            (Self::Delegates, Self::Delegates | Self::Missions(_)) => true,
            (Self::Missions(mine), Self::Missions(theirs)) => theirs.is_subset(mine),
            (_, Self::Public) | (Self::Secretariat | Self::Missions(_), _) => false,
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Delegates => f.write_str("delegates"),
            Self::Secretariat => f.write_str("secretariat"),
            Self::Missions(named) => {
                f.write_str("missions:")?;
                for (i, mission) in named.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { "," } else { "" }, mission.0)?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Audience {
    type Err = Broken;

    fn from_str(text: &str) -> Result<Self, Broken> {
        let forms = "public, delegates, secretariat, missions:<id>[,<id>…]";
        let refused = || Broken::new(Rule::OneOf, message!("must be one of {values}", values = forms));
        match text {
            "public" => Ok(Self::Public),
            "delegates" => Ok(Self::Delegates),
            "secretariat" => Ok(Self::Secretariat),
            _ => {
                let ids = text.strip_prefix("missions:").ok_or_else(refused)?;
                let named = ids.split(',').map(|id| Uuid::parse_str(id).map(MissionId)).collect::<Result<_, _>>();
                named.map(Self::Missions).map_err(|_| refused())
            }
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = Broken;

    fn try_from(text: String) -> Result<Self, Broken> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MissionId = MissionId(Uuid::from_u128(1));
    const B: MissionId = MissionId(Uuid::from_u128(2));

    fn all() -> [Audience; 5] {
        [
            Audience::Public,
            Audience::Delegates,
            Audience::Secretariat,
            Audience::Missions([A].into()),
            Audience::Missions([A, B].into()),
        ]
    }

    #[test]
    fn a_mission_sees_what_is_public_for_delegates_or_names_it() {
        let seen = |reader| all().iter().map(|a| a.admits(reader)).collect::<Vec<_>>();
        assert_eq!(seen(Reader::Stranger), [true, false, false, false, false]);
        assert_eq!(seen(Reader::Mission(A)), [true, true, false, true, true]);
        assert_eq!(seen(Reader::Mission(B)), [true, true, false, false, true]);
        assert_eq!(seen(Reader::Secretariat), [true; 5]);
    }

    #[test]
    fn an_audience_covers_another_when_every_reader_of_that_sees_it() {
        for outer in all() {
            for inner in all() {
                let readers = [Reader::Stranger, Reader::Mission(A), Reader::Mission(B), Reader::Secretariat];
                let contained = readers.iter().all(|r| !inner.admits(*r) || outer.admits(*r));
                assert!(!outer.covers(&inner) || contained, "{outer} covers {inner}");
            }
        }
    }

    #[test]
    fn the_text_form_reads_back() {
        for audience in all() {
            assert_eq!(audience.to_string().parse(), Ok(audience));
        }
        for junk in ["", "Public", "missions:", "missions:x", "everyone"] {
            assert!(junk.parse::<Audience>().is_err(), "{junk}");
        }
    }
}
