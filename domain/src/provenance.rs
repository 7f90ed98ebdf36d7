//! Where a statement comes from and how far to trust it.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::{Broken, Faults, Rule, text};

codes! {
    /// How far a statement can be relied on.
    Confidence {
        /// Stated by the office that answers for it.
        Official = "official",
        /// Found in a copy or quotation by somebody else.
        Reported = "reported",
        /// Concluded from other facts.
        Inferred = "inferred",
        /// Made up for demonstration: never rely on it.
        Sample = "sample",
    }
}

/// Where a statement comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Provenance {
    /// How far to rely on it.
    pub confidence: Confidence,
    /// A web address or a citation, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub citation: Option<Arc<str>>,
    /// The day on which it was last known to be true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<NaiveDate>,
}

impl Provenance {
    /// Accepts a citation of at most 500 characters.
    pub fn parse(confidence: Confidence, citation: Option<&str>, as_of: Option<NaiveDate>) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let citation = citation.and_then(|c| faults.check("/citation", text::line(c, 500))).map(Into::into);
        if confidence != Confidence::Sample && citation.is_none() && faults.is_empty() {
            faults.add("/citation", Broken::new(Rule::Required, message!("must say where the statement comes from")));
        }
        faults.finish(Some(Self { confidence, citation, as_of }))
    }
}
