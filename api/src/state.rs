//! What every handler can reach.

use crate::config::Config;
use crate::contract::Contract;
use crate::identity::Tokens;
use crate::identity::secrets::Secrets;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::turns::Turns;
use persistence::Db;

/// What every handler can reach.
pub struct State {
    /// How the server was started.
    pub config: Config,
    /// Postgres.
    pub db: Db,
    /// The edition and the identities.
    pub store: Store,
    /// Access tokens.
    pub tokens: Tokens,
    /// Client secrets.
    pub secrets: Secrets,
    /// Whose turn it is to import.
    pub import_turns: Turns,
    /// The contract, and the paths and methods it has.
    pub contract: Contract,
    /// What is counted and timed.
    pub metrics: Metrics,
}
