//! What every handler can reach.

use crate::config::Config;
use crate::contract::Contract;
use crate::deprecation::Deprecations;
use crate::identity::Tokens;
use crate::identity::secrets::Secrets;
use crate::imports::ImportTurns;
use crate::limits::Limits;
use crate::mail::Post;
use crate::metrics::Metrics;
use crate::sign_in::throttle::Throttle;
use crate::store::Store;
use crate::sync::bases::Bases;
use persistence::Db;

/// What every handler can reach.
pub struct State {
    /// How the server was started.
    pub config: Config,
    /// Postgres.
    pub db: Db,
    /// A standby of it, where what is published is read in its place.
    pub standby: Option<Db>,
    /// The edition and the identities.
    pub store: Store,
    /// Access tokens.
    pub tokens: Tokens,
    /// Client secrets.
    pub secrets: Secrets,
    /// Whose turn it is to import.
    pub import_turns: ImportTurns,
    /// The contract, and the paths and methods it has.
    pub contract: Contract,
    /// What is left of everybody's budgets.
    pub limits: Limits,
    /// How often people may try to sign in.
    pub throttle: Throttle,
    /// How mails are sent.
    pub post: Post,
    /// What first copies are made of.
    pub bases: Bases,
    /// The operations that will go.
    pub deprecations: Deprecations,
    /// What is counted and timed.
    pub metrics: Metrics,
}
