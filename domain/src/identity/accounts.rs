//! Accounts: people.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Roles;
use crate::{Broken, Email, Language, MissionId, Rule, text};

/// The id of a person's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Where mails go, and what the person signs in with. Two accounts never share one, whatever its case.
    pub mail: Email,
    /// What the person is called.
    pub name: String,
    /// The language of mails.
    pub language: Language,
    /// What the person may do.
    pub roles: Roles,
    /// The mission, for the roles of missions and no other.
    pub mission: Option<MissionId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it cannot be used, for the time being.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Counts the changes of what the person may do.
    pub rights_version: i32,
    /// Counts the changes of the account.
    pub row_version: i32,
}

/// A name as it may be given to an account or a client: one line of at most [`MAX_NAME`] characters.
pub fn name(text: &str) -> Result<String, Broken> {
    text::line(text, MAX_NAME)
}

/// The mission of who has these roles: one for those of missions, none for those of the Secretariat.
pub fn mission(roles: Roles, mission: Option<Uuid>) -> Result<Option<MissionId>, Broken> {
    match (roles.are_of_a_mission(), mission) {
        (true, None) => Err(Broken::new(Rule::Required, message!("must name the mission of these roles"))),
        (false, Some(_)) => Err(Broken::new(Rule::Conflict, message!("is only for roles of a mission"))),
        (_, mission) => Ok(mission.map(MissionId)),
    }
}
