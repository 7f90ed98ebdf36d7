//! Who acts, as the audit tells it.

use uuid::Uuid;

use super::{AccountId, AppId, ClientId, SessionId};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person, in an app or on our own pages.
    Person {
        /// Who.
        account: AccountId,
        /// In which app; none on our own pages.
        app: Option<AppId>,
        /// On which device.
        session: Option<SessionId>,
    },
    /// A service.
    Client(ClientId),
    /// The passing of time.
    System,
    /// The command line.
    Operator,
}

/// An actor and the request by which they act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// The request's id, where there is one.
    pub request: Option<Uuid>,
}

impl Act {
    /// What time does.
    pub const SYSTEM: Self = Self { actor: Actor::System, request: None };

    /// What whoever runs the server does, without a request.
    pub const OPERATOR: Self = Self { actor: Actor::Operator, request: None };
}
