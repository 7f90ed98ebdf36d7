//! Sessions: apps on devices in which somebody is signed in, and how long that lasts.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Roles;

/// The id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// For how long a session that is not used can be gone on with.
pub const IDLE: TimeDelta = TimeDelta::days(30);

/// For how long a delegate stays signed in on a device at most.
const LASTS: TimeDelta = TimeDelta::days(90);

/// For how long who must show a second factor stays signed in at most.
const LASTS_WITH_SECOND_FACTOR: TimeDelta = TimeDelta::hours(12);

/// For how long the reply to a refresh may be asked for again.
pub const GRACE: TimeDelta = TimeDelta::seconds(30);

/// When a session that begins now ends at the latest.
pub fn expires_at(roles: Roles, now: DateTime<Utc>) -> DateTime<Utc> {
    now + if roles.need_second_factor() { LASTS_WITH_SECOND_FACTOR } else { LASTS }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// The app or its person signed out.
    SignedOut,
    /// Somebody revoked it: its person from another device, an administrator.
    Revoked,
    /// A refresh token was used that had been used before.
    TokenReused,
    /// The code it came from was used again.
    CodeReused,
    /// Its person set a new password.
    PasswordSet,
    /// The account was suspended.
    Suspended,
    /// The account was removed.
    Removed,
}

impl SessionEnd {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::TokenReused => "token_reused",
            Self::CodeReused => "code_reused",
            Self::PasswordSet => "password_set",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }
}

/// What a refresh token of generation `presented` is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is the newest: its successor is made, and becomes the newest.
    Next,
    /// Its successor was made a moment ago and never used: the reply was lost, the same one is given again.
    Again,
    /// It was used before by somebody who went on: one of the two is a thief.
    Reused,
}

/// Decides on a refresh token by its generation, the newest generation and when that was made.
///
/// RFC 9700 §4.14.2 ends the family at any reuse. A phone that loses the reply in a tunnel would then be signed
/// out; within [`GRACE`] the same successor is given again, as long as nobody has used it.
pub fn rotation(presented: i32, newest: i32, rotated_at: DateTime<Utc>, now: DateTime<Utc>) -> Rotation {
    match newest - presented {
        0 => Rotation::Next,
        1 if now - rotated_at <= GRACE => Rotation::Again,
        _ => Rotation::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_reply_may_be_asked_for_again_for_thirty_seconds() {
        let then = DateTime::UNIX_EPOCH;
        let at = |seconds| then + TimeDelta::seconds(seconds);
        assert_eq!(rotation(4, 4, then, at(9_999)), Rotation::Next);
        assert_eq!(rotation(3, 4, then, at(30)), Rotation::Again);
        assert_eq!(rotation(3, 4, then, at(31)), Rotation::Reused);
        assert_eq!(rotation(2, 4, then, at(1)), Rotation::Reused, "its successor was used");
        assert_eq!(rotation(5, 4, then, at(1)), Rotation::Reused, "of the future");
    }

    #[test]
    fn who_must_show_two_factors_does_so_every_day() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(expires_at(Roles::parse(["approver"]).unwrap(), now) - now, TimeDelta::hours(12));
        assert_eq!(expires_at(Roles::parse(["delegate"]).unwrap(), now) - now, TimeDelta::days(90));
    }
}
