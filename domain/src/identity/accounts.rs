//! Accounts: people.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Role, Roles, SessionEnd};
use crate::{Broken, Email, Language, MissionId, Rule, text};

/// The id of a person's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;

/// The longest mail address, in characters.
pub const MAX_MAIL: usize = 254;

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

/// What is to be changed of an account. What is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Where mails go.
    pub mail: Option<Email>,
    /// The name.
    pub name: Option<String>,
    /// The language of mails.
    pub language: Option<Language>,
    /// The roles.
    pub roles: Option<Roles>,
    /// The mission, or that there is none.
    pub mission: Option<Option<Uuid>>,
    /// Whether it cannot be used for the time being.
    pub suspended: Option<bool>,
}

/// Why an account is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateError {
    /// Nobody suspends themself or takes a role from themself by which they manage others: somebody must be left
    /// who can.
    Own,
    /// The mission does not go with the roles.
    Mission(Broken),
}

impl Account {
    /// The account as `by` changes it.
    pub fn update(mut self, change: Change, by: Option<AccountId>, now: DateTime<Utc>) -> Result<Self, UpdateError> {
        let roles = change.roles.unwrap_or(self.roles);
        let is_given_up = |role| self.roles.contains(role) && !roles.contains(role);
        let gives_up = change.suspended == Some(true) || [Role::Admin, Role::MissionAdmin].into_iter().any(is_given_up);
        if by == Some(self.id) && gives_up {
            return Err(UpdateError::Own);
        }
        let wanted = change.mission.unwrap_or(self.mission.map(|mission| mission.0));
        self.mission = mission(roles, wanted).map_err(UpdateError::Mission)?;
        self.roles = roles;
        self.mail = change.mail.unwrap_or(self.mail);
        self.name = change.name.unwrap_or(self.name);
        self.language = change.language.unwrap_or(self.language);
        self.suspended_at = match change.suspended {
            Some(false) => None,
            Some(true) => self.suspended_at.or(Some(now)),
            None => self.suspended_at,
        };
        Ok(self)
    }

    /// Why its person must sign in again where the account was as `before`: it cannot be used any more, is
    /// somebody else's to manage, or its roles now need a second factor that was perhaps never shown.
    pub fn ends_sessions(&self, before: &Self) -> Option<SessionEnd> {
        let needs_more = self.roles.need_second_factor() && !before.roles.need_second_factor();
        match self.suspended_at.is_some() && before.suspended_at.is_none() {
            true => Some(SessionEnd::Suspended),
            false => (needs_more || self.mission != before.mission).then_some(SessionEnd::Revoked),
        }
    }
}

/// A mail address as an account may have it: one that looks like no other.
pub fn mail(text: &str) -> Result<Email, Broken> {
    Email::parse(&text::line(text, MAX_MAIL)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(roles: &[&str], mission: Option<Uuid>) -> Account {
        Account {
            id: AccountId(Uuid::from_u128(1)),
            mail: Email::parse("a@example.org").unwrap(),
            name: "A".into(),
            language: Language::En,
            roles: Roles::parse(roles.iter().copied()).unwrap(),
            mission: mission.map(MissionId),
            created_at: DateTime::UNIX_EPOCH,
            suspended_at: None,
            rights_version: 1,
            row_version: 1,
        }
    }

    fn roles(names: &[&str]) -> Change {
        Change { roles: Some(Roles::parse(names.iter().copied()).unwrap()), ..Change::default() }
    }

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const SUSPEND: Change =
        Change { mail: None, name: None, language: None, roles: None, mission: None, suspended: Some(true) };

    #[test]
    fn nobody_suspends_themself_or_gives_up_managing_others() {
        let admin = || account(&["admin", "editor"], None);
        let own = Some(admin().id);
        assert_eq!(admin().update(SUSPEND, own, NOW), Err(UpdateError::Own));
        assert_eq!(admin().update(roles(&["editor"]), own, NOW), Err(UpdateError::Own));
        assert!(admin().update(roles(&["admin"]), own, NOW).is_ok(), "other roles may go");
        assert!(admin().update(roles(&["editor"]), Some(AccountId(Uuid::from_u128(2))), NOW).is_ok());
        let of_a_mission = account(&["mission_admin", "delegate"], Some(Uuid::from_u128(9)));
        assert_eq!(of_a_mission.update(roles(&["delegate"]), own, NOW), Err(UpdateError::Own));
    }

    #[test]
    fn a_mission_goes_with_the_roles_of_missions_and_no_other() {
        let delegate = || account(&["delegate"], Some(Uuid::from_u128(9)));
        let rule = |change| match delegate().update(change, None, NOW) {
            Err(UpdateError::Mission(broken)) => broken.rule,
            other => panic!("{other:?}"),
        };
        assert_eq!(rule(roles(&["editor"])), Rule::Conflict);
        assert_eq!(rule(Change { mission: Some(None), ..Change::default() }), Rule::Required);
        let moved = delegate().update(Change { mission: Some(None), ..roles(&["editor"]) }, None, NOW).unwrap();
        assert_eq!((moved.mission, moved.ends_sessions(&delegate())), (None, Some(SessionEnd::Revoked)));
    }

    #[test]
    fn who_gets_a_role_that_needs_a_second_factor_signs_in_again() {
        let editor = account(&["editor"], None);
        let approver = editor.clone().update(roles(&["editor", "approver"]), None, NOW).unwrap();
        assert_eq!(approver.ends_sessions(&editor), Some(SessionEnd::Revoked));
        assert_eq!(editor.ends_sessions(&approver), None, "less is taken from the token at once");
        let suspended = editor.clone().update(SUSPEND, None, NOW).unwrap();
        assert_eq!(suspended.ends_sessions(&editor), Some(SessionEnd::Suspended));
        assert_eq!(suspended.ends_sessions(&suspended), None);
    }

    #[test]
    fn a_mail_address_shows_what_it_is() {
        assert_eq!(mail(" a@example.org ").unwrap().as_str(), "a@example.org");
        for bad in ["", "a", "a@b", "a\u{202E}@example.org", "a@example.org\0", "a\n@example.org"] {
            assert!(mail(bad).is_err(), "{bad:?}");
        }
    }
}
