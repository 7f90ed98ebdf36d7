//! Duty stations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Broken, Rule};

/// A place where an organization serves delegates, by the short code its papers use: `NY`, `GVA`,
/// `VIE`, `NBO`, `ADD`. Two to five capital letters; which codes exist is data, not code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DutyStation([u8; MOST]);

/// Letters of a code at most; a shorter one is filled up with zeros.
const MOST: usize = 5;

impl DutyStation {
    /// Accepts a code.
    pub fn parse(code: &str) -> Result<Self, Broken> {
        match (2..=MOST).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase()) {
            true => {
                let mut letters = [0; MOST];
                letters[..code.len()].copy_from_slice(code.as_bytes());
                Ok(Self(letters))
            }
            false => Err(Broken::new(
                Rule::Format,
                message!("must be a duty station's code of 2 to 5 capital letters, such as NY"),
            )),
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        let letters = self.0.iter().position(|letter| *letter == 0).unwrap_or(MOST);
        std::str::from_utf8(&self.0[..letters]).unwrap_or_default()
    }
}

impl fmt::Debug for DutyStation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DutyStation({})", self.as_str())
    }
}

impl TryFrom<String> for DutyStation {
    type Error = Broken;

    fn try_from(code: String) -> Result<Self, Broken> {
        Self::parse(&code)
    }
}

impl From<DutyStation> for String {
    fn from(station: DutyStation) -> Self {
        station.as_str().to_owned()
    }
}
