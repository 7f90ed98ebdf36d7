//! What can go wrong in the database, as callers tell it apart.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// What the database refused or could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such row.
    #[error("not found")]
    NotFound,
    /// A unique constraint, by its name.
    #[error("{0} is taken")]
    Taken(String),
    /// Nothing is wrong with the request: the database is gone, busy or full. Try again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A row that does not parse: written past the constraints, or by a newer release.
    #[error("a stored row is corrupt: {0}")]
    Corrupt(String),
    /// A defect.
    #[error("unexpected: {0}")]
    Unexpected(String),
}

/// What Postgres says (it gives Diesel no code) when waiting may help: a lock held too long, a
/// deadlock, a shutdown, a full disk, no connection left.
const PASSING: [&str; 8] = [
    "lock timeout",
    "deadlock detected",
    "terminating connection",
    "the database system is",
    "too many clients",
    "remaining connection slots",
    "No space left on device",
    "could not extend file",
];

/// What a standby says when it gives up a query whose rows the primary has done away with.
const RECOVERY_CONFLICT: &str = "due to conflict with recovery";

impl Error {
    /// Whether a standby gave the query up for what it had to replay: the same query is worth another try at once.
    pub fn is_recovery_conflict(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.contains(RECOVERY_CONFLICT))
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match error {
            Diesel::NotFound => Self::NotFound,
            Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Taken(info.constraint_name().unwrap_or_default().to_owned())
            }
            Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Diesel::DatabaseError(_, info) if PASSING.iter().any(|words| info.message().contains(words)) => {
                Self::Unavailable(info.message().to_owned())
            }
            Diesel::BrokenTransactionManager => Self::Unavailable("the connection broke inside a transaction".into()),
            Diesel::DeserializationError(cause) => Self::Corrupt(cause.to_string()),
            other => Self::Unexpected(other.to_string()),
        }
    }
}
