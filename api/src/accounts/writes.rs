//! What is done to accounts, each in one transaction: whoever may do it, to everybody or to a mission's people.

use std::collections::HashMap;

use chrono::DateTime;
use uuid::Uuid;

use super::bodies::{Invitation, Seen};
use crate::editing::IfMatch;
use crate::identity::{Caller, Somebody};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::identity::SessionEnd;
use domain::identity::accounts::{Change, UpdateError};
use domain::{Account, AccountId, Act, Broken, MissionId, Reader, Role, Rule, Scope};
use persistence::mail::{self, MailKind};
use persistence::{Conn, Error, accounts, log, sessions, sign_ins};

/// Whose accounts somebody manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Managed {
    /// Everybody's.
    Everybodys,
    /// Those of a mission's people.
    OfMission(MissionId),
}

impl Managed {
    /// As far as the caller's roles and token go.
    pub fn by(caller: &Caller) -> Option<Self> {
        match caller {
            Caller::Somebody(somebody) if !somebody.scopes.contains(Scope::ManageMembers) => None,
            Caller::Somebody(Somebody { mission: Some(mission), .. }) => Some(Self::OfMission(*mission)),
            Caller::Somebody(somebody) => somebody.roles.contains(Role::Admin).then_some(Self::Everybodys),
            Caller::Stranger => None,
        }
    }

    /// Whether this account is one of them.
    pub fn has(self, account: &Account) -> bool {
        match self {
            Self::Everybodys => true,
            Self::OfMission(mission) => account.mission == Some(mission),
        }
    }
}

/// Who edits which account, and which version of it they have seen.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Whose accounts they manage.
    pub managed: Managed,
    /// Their own account; none for a service.
    pub by: Option<AccountId>,
    /// The account that is edited.
    pub id: AccountId,
    /// The version that they have seen.
    pub if_match: IfMatch,
}

/// Whether there is a mission of this id.
pub fn is_mission(state: &State, id: Uuid) -> bool {
    state.store.edition().directory.missions.get(id, Reader::Secretariat).is_some()
}

/// An account as it is told.
pub async fn seen(conn: &mut Conn, account: Account) -> Result<Seen, Error> {
    let proofs = sign_ins::proofs(conn, &[account.id]).await?;
    Ok(Seen { proofs: proofs.get(&account.id).copied().unwrap_or_default(), account })
}

/// Accounts as they are told.
pub async fn all_seen(conn: &mut Conn, found: Vec<Account>) -> Result<Vec<Seen>, Error> {
    let ids: Vec<AccountId> = found.iter().map(|account| account.id).collect();
    let proofs: HashMap<_, _> = sign_ins::proofs(conn, &ids).await?;
    let seen = |account: Account| Seen { proofs: proofs.get(&account.id).copied().unwrap_or_default(), account };
    Ok(found.into_iter().map(seen).collect())
}

/// The account of this id, if it is one of those.
pub async fn find(state: &State, managed: Managed, id: AccountId) -> Result<Seen, ApiError> {
    let find = async move |conn: &mut Conn| match accounts::find(conn, id).await? {
        Some(account) if managed.has(&account) => Ok(Some(seen(conn, account).await?)),
        _ => Ok(None),
    };
    let found: Option<Seen> = state.db.read::<_, ApiError, _>(find).await?;
    found.ok_or_else(|| ApiError::new(Code::NotFound))
}

/// Adds an account, and the mail that tells its person.
pub async fn invite(state: &State, act: Act, new: Invitation) -> Result<Seen, ApiError> {
    let account = Account {
        id: AccountId(Uuid::now_v7()),
        mail: new.mail,
        name: new.name,
        language: new.language,
        roles: new.roles,
        mission: new.mission,
        // The database's own are read back.
        created_at: DateTime::UNIX_EPOCH,
        suspended_at: None,
        rights_version: 1,
        row_version: 1,
    };
    let invite = async move |conn: &mut Conn| {
        accounts::insert(conn, &account).await.map_err(taken)?;
        mail::insert(conn, MailKind::Invitation, account.mail.as_str(), account.language).await?;
        let account = accounts::lock(conn, account.id).await?;
        Ok(seen(conn, account).await?)
    };
    Ok(state.db.acting(act).write::<_, ApiError, _>(invite).await?.value)
}

/// The mail is somebody's: whose, and where, is not told.
fn taken(error: Error) -> ApiError {
    match error {
        Error::Taken(constraint) if constraint == "account_mail" => ApiError::new(Code::Taken)
            .about("/mail", Broken::new(Rule::Duplicate, message!("belongs to an account already"))),
        other => other.into(),
    }
}

/// Changes an account, and ends what can no longer go on.
pub async fn update(state: &State, act: Act, edit: Edit, change: Change) -> Result<Seen, ApiError> {
    let update = async move |conn: &mut Conn| {
        let (before, is_only_admin) = lock(conn, &edit).await?;
        let now = log::now(conn).await?;
        let after = before.clone().update(change, edit.by, now).map_err(|refused| match refused {
            UpdateError::Own => ApiError::new(Code::OwnAccount),
            UpdateError::Mission(broken) => ApiError::new(Code::ValidationFailed).about("/mission", broken),
        })?;
        if is_only_admin && (after.suspended_at.is_some() || !after.roles.contains(Role::Admin)) {
            return Err(ApiError::new(Code::LastAdmin));
        }
        accounts::save(conn, &after).await.map_err(taken)?;
        if after.mail != before.mail {
            sign_ins::void_links(conn, edit.id).await?;
        }
        if let Some(why) = after.ends_sessions(&before) {
            sessions::end_everything(conn, edit.id, why).await?;
        }
        let account = accounts::lock(conn, edit.id).await?;
        Ok(seen(conn, account).await?)
    };
    Ok(state.db.acting(act).write::<_, ApiError, _>(update).await?.value)
}

/// Removes an account: ends all that it has anywhere, and forgets what its person signed in with.
pub async fn remove(state: &State, act: Act, edit: Edit) -> Result<(), ApiError> {
    let remove = async move |conn: &mut Conn| {
        let (_, is_only_admin) = lock(conn, &edit).await?;
        match (edit.by == Some(edit.id), is_only_admin) {
            (true, _) => return Err(ApiError::new(Code::OwnAccount)),
            (false, true) => return Err(ApiError::new(Code::LastAdmin)),
            (false, false) => {}
        }
        sessions::end_everything(conn, edit.id, SessionEnd::Removed).await?;
        sign_ins::forget(conn, edit.id).await?;
        Ok(accounts::remove(conn, edit.id).await?)
    };
    state.db.acting(act).write::<_, ApiError, _>(remove).await.map(drop)
}

/// The account in the version that was seen, kept from others; and whether nobody else could manage accounts.
async fn lock(conn: &mut Conn, edit: &Edit) -> Result<(Account, bool), ApiError> {
    let none = || ApiError::new(Code::NotFound);
    let found = accounts::find(conn, edit.id).await?.filter(|account| edit.managed.has(account)).ok_or_else(none)?;
    let admins = match found.roles.contains(Role::Admin) {
        true => accounts::lock_admins(conn).await?,
        false => Vec::new(),
    };
    let account = accounts::lock(conn, edit.id).await?;
    edit.managed.has(&account).then_some(()).ok_or_else(none)?;
    edit.if_match.check(account.row_version)?;
    Ok((account, admins == [edit.id]))
}
