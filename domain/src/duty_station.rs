//! Duty stations.

use serde::{Deserialize, Serialize};

use crate::{Broken, Rule};

/// A place where an organization serves delegates, by the short code its papers use: `NY`, `GVA`,
/// `VIE`, `NBO`, `ADD`. Two to five capital letters; which codes exist is data, not code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DutyStation(Box<str>);

impl DutyStation {
    /// Accepts a code.
    pub fn parse(code: &str) -> Result<Self, Broken> {
        match (2..=5).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase()) {
            true => Ok(Self(code.into())),
            false => Err(Broken::new(
                Rule::Format,
                message!("must be a duty station's code of 2 to 5 capital letters, such as NY"),
            )),
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
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
        station.0.into()
    }
}
