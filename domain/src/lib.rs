//! Focalpoint's values, rules and decisions: pure calculation, without a clock, randomness or I/O.

pub mod audience;
pub mod contact;
pub mod duty_station;
pub mod event_costs;
pub mod faults;
pub mod language;
pub mod provenance;
pub mod source;
pub mod text;

pub use audience::{Audience, MissionId, Reader};
pub use contact::{Contact, Email, Telephone, TelephoneKind};
pub use duty_station::DutyStation;
pub use faults::{Broken, Fault, Faults, Rule};
pub use language::{Language, Localized};
pub use provenance::{Confidence, Provenance};
pub use source::{Key, Reference, Source};
