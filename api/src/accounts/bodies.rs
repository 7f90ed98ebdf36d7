//! Accounts as they are told, and as they are asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::editing::given;
use crate::params;
use domain::identity::accounts::{self, Change};
use domain::{Account, Broken, Email, Faults, Language, MissionId, Role, Roles, Rule, SessionId};
use persistence::sign_ins::Proofs;

/// An account, with what its person has proven themself by.
pub struct Seen {
    /// The account.
    pub account: Account,
    /// The proofs.
    pub proofs: Proofs,
}

/// An account: a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountBody {
    /// Its id.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11")]
    pub id: Uuid,
    /// Where mails go, and what the person signs in with.
    #[schema(example = "a.diallo@sen.missions.example")]
    pub mail: String,
    /// What the person is called.
    #[schema(example = "Awa Diallo (invented)")]
    pub name: String,
    /// The language of mails: `ar`, `en`, `es`, `fr`, `ru` or `zh`.
    #[schema(example = "fr")]
    pub language: &'static str,
    /// What the person may do: `delegate` and `mission_admin` of a mission; `editor`, `security_officer`,
    /// `approver`, `admin` and `auditor` of the Secretariat.
    #[schema(value_type = Vec<String>, example = json!(["delegate"]))]
    pub roles: Vec<&'static str>,
    /// The mission, for the roles of missions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mission: Option<Uuid>,
    /// `invited` until a password is set, then `active`; `suspended` while it cannot be used.
    #[schema(example = "active")]
    pub status: &'static str,
    /// Whether a second factor is set up.
    #[schema(example = false)]
    pub second_factor: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_at: Option<DateTime<Utc>>,
}

impl From<Seen> for AccountBody {
    fn from(Seen { account, proofs }: Seen) -> Self {
        let status = match (account.suspended_at, proofs.password) {
            (Some(_), _) => "suspended",
            (None, true) => "active",
            (None, false) => "invited",
        };
        Self {
            id: account.id.0,
            mail: account.mail.as_str().to_owned(),
            name: account.name,
            language: account.language.tag(),
            roles: account.roles.iter().map(Role::name).collect(),
            mission: account.mission.map(|mission| mission.0),
            status,
            second_factor: proofs.second_factor,
            created_at: account.created_at,
            suspended_at: account.suspended_at,
        }
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub struct AccountPage {
    /// The accounts, the oldest first.
    pub items: Vec<AccountBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyAccount {
    /// The account.
    #[serde(flatten)]
    account: AccountBody,
    /// The id of this session, which is in `/v1/sessions`.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b12")]
    session: Uuid,
}

impl MyAccount {
    /// Seen from this session.
    pub fn new(seen: Seen, session: SessionId) -> Self {
        Self { account: seen.into(), session: session.0 }
    }
}

/// What people change of their own accounts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMyAccount {
    /// What you are called.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    /// The language of mails.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    language: Option<String>,
}

impl UpdateMyAccount {
    /// The change.
    pub fn parse(self) -> Result<Change, Faults> {
        let mut faults = Faults::new();
        let (name, language) = common(&mut faults, self.name.as_deref(), self.language.as_deref());
        faults.finish(Some(Change { name, language, ..Change::default() }))
    }
}

/// An account that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAccount {
    /// Where the invitation goes; what the person signs in with. No other account may have it, whatever its case.
    #[schema(format = Email, max_length = 254, example = "a.diallo@sen.missions.example")]
    mail: String,
    /// What the person is called.
    #[schema(max_length = 200, example = "Awa Diallo (invented)")]
    name: String,
    /// The language of mails.
    #[schema(example = "fr")]
    language: String,
    /// What the person may do: roles of a mission or of the Secretariat, never of both.
    #[schema(min_items = 1, example = json!(["mission_admin"]))]
    roles: Vec<String>,
    /// The mission, for the roles of missions.
    #[schema(nullable = false, format = Uuid)]
    mission: Option<String>,
}

/// An account that is to be added, as it may be.
pub struct Invitation {
    /// Where it goes.
    pub mail: Email,
    /// The name.
    pub name: String,
    /// The language of mails.
    pub language: Language,
    /// The roles.
    pub roles: Roles,
    /// The mission.
    pub mission: Option<MissionId>,
}

impl InviteAccount {
    /// The invitation; `is_mission` says which missions there are.
    pub fn parse(&self, is_mission: impl Fn(Uuid) -> bool) -> Result<Invitation, Faults> {
        let mut faults = Faults::new();
        let mail = faults.check("/mail", accounts::mail(&self.mail));
        let (name, language) = common(&mut faults, Some(&self.name), Some(&self.language));
        let roles = faults.check("/roles", roles(&self.roles));
        let asked = self.mission.as_deref().map(|text| mission_id(text, is_mission)).transpose();
        let asked = faults.check("/mission", asked);
        let mission =
            roles.zip(asked).and_then(|(roles, asked)| faults.check("/mission", accounts::mission(roles, asked)));
        faults.finish((|| {
            Some(Invitation { mail: mail?, name: name?, language: language?, roles: roles?, mission: mission? })
        })())
    }
}

/// What an administrator changes of an account. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccount {
    /// Where mails go. Links that went to the address before are good no more.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, format = Email, max_length = 254)]
    mail: Option<String>,
    /// What the person is called.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    /// The language of mails.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    language: Option<String>,
    /// All roles that the person is to have.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1)]
    roles: Option<Vec<String>>,
    /// The mission; null for none, together with roles of the Secretariat.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    mission: Option<Option<String>>,
    /// Whether it cannot be used. To suspend ends every session.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    suspended: Option<bool>,
}

impl UpdateAccount {
    /// The change; `is_mission` says which missions there are.
    pub fn parse(self, is_mission: impl Fn(Uuid) -> bool) -> Result<Change, Faults> {
        let mut faults = Faults::new();
        let mail = self.mail.map(|text| faults.check("/mail", accounts::mail(&text)));
        let (name, language) = common(&mut faults, self.name.as_deref(), self.language.as_deref());
        let roles = self.roles.map(|names| faults.check("/roles", roles(&names)));
        let asked = self.mission.map(|one| one.map(|text| mission_id(&text, is_mission)).transpose());
        let mission = asked.map(|asked| faults.check("/mission", asked));
        faults.finish(Some(Change {
            mail: mail.flatten(),
            name,
            language,
            roles: roles.flatten(),
            mission: mission.flatten(),
            suspended: self.suspended,
        }))
    }
}

/// A name and a language, where they are given.
pub fn common(faults: &mut Faults, name: Option<&str>, language: Option<&str>) -> (Option<String>, Option<Language>) {
    let name = name.and_then(|text| faults.check("/name", accounts::name(text)));
    let language = language.and_then(|text| faults.check("/language", Language::parse(text)));
    (name, language)
}

/// A person's roles by their names.
pub fn roles(names: &[String]) -> Result<Roles, Broken> {
    Roles::parse(names.iter().map(String::as_str))
}

/// The id of a mission that there is.
pub fn mission_id(text: &str, is_mission: impl Fn(Uuid) -> bool) -> Result<Uuid, Broken> {
    let id = params::id(text)?;
    match is_mission(id) {
        true => Ok(id),
        false => Err(Broken::new(Rule::Reference, message!("there is no mission of this id"))),
    }
}
