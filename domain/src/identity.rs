//! Who may do what: people, services and apps, their roles, and what proves them.

pub mod accounts;
pub mod actors;
pub mod passwords;
pub mod redirects;
pub mod roles;
pub mod scopes;
pub mod sessions;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use accounts::{Account, AccountId};
pub use actors::{Act, Actor};
pub use redirects::RedirectUri;
pub use roles::{Role, Roles};
pub use scopes::{Scope, Scopes};
pub use sessions::{SessionEnd, SessionId};

/// The id of a service: an OAuth 2 client that has a secret and calls by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub Uuid);

/// The id of an app: an OAuth 2 client without a secret, in which people sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppId(pub Uuid);
