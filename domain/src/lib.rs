//! Focalpoint's values, rules and decisions: pure calculation, without a clock, randomness or I/O.

#[macro_use]
pub mod messages;

pub mod audience;
pub mod audit;
pub mod bulletins;
mod codes;
pub mod contact;
pub mod directory;
pub mod duty_station;
pub mod entrances;
pub mod event_costs;
pub mod faults;
pub mod identity;
pub mod inf_notes;
pub mod language;
pub mod log;
pub mod moment;
pub mod provenance;
pub mod source;
pub mod text;

pub use audience::{Audience, MissionId, Reader};
pub use contact::{Contact, Email, Telephone, TelephoneKind};
pub use duty_station::DutyStation;
pub use faults::{Broken, Fault, Faults, Rule};
pub use identity::{Account, AccountId, Act, Actor, AppId, ClientId, Role, Roles, Scope, Scopes, SessionId};
pub use language::{Language, Localized};
pub use log::{Change, Kind, Position, Step, Stream};
pub use messages::Message;
pub use provenance::{Confidence, Provenance};
pub use source::{Key, Reference, Source};
