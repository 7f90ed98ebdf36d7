//! Who calls: access tokens, roles and what a handler's signature permits.

mod keys;
pub mod secrets;
mod tokens;

use std::collections::{HashMap, HashSet};
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::Either;
use uuid::Uuid;

use crate::frame::RequestId;
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{AccountId, Act, Actor, AppId, ClientId, MissionId, Reader, Role, Roles, Scope, Scopes, SessionId};
use persistence::clients::App;
use persistence::identity::Known;

pub use keys::{Keys, generate_key};
pub use tokens::{ACCESS_TOKEN_SECONDS, Token, Tokens};

/// How long a request waits for this process to hear of somebody whom another process added.
const NEWS_WAIT: Duration = Duration::from_millis(1200);

/// What somebody may do now, whatever it was when their token was issued.
#[derive(Debug, Clone, Copy)]
struct Rights {
    enabled: bool,
    roles: Roles,
    scopes: Scopes,
    mission: Option<MissionId>,
    version: i32,
}

/// Everybody who may call, and what is revoked, in memory: identity's edition. It follows the log's stream
/// `identity`.
#[derive(Default)]
pub struct Identities {
    clients: HashMap<ClientId, Rights>,
    apps: HashMap<AppId, App>,
    people: HashMap<AccountId, Rights>,
    /// Sessions that ended while tokens of theirs may still be about.
    ended: HashSet<SessionId>,
    /// The keys tokens are signed and verified with.
    pub keys: Arc<Keys>,
}

/// What is to be said of a token.
enum Standing {
    Good(Somebody),
    Refused,
    /// Who it names is not known here, or not yet as the token knows them.
    Ahead,
}

impl Identities {
    /// Of what is stored. In a demonstration services may have the roles of people.
    pub fn new(known: Known, is_demonstration: bool) -> Result<Self, persistence::Error> {
        let clients = known.clients.into_iter().filter(|client| client.role.is_of_a_service() || is_demonstration);
        let clients = clients.map(|client| {
            let rights = Rights {
                enabled: client.disabled_at.is_none(),
                roles: Roles::of(client.role),
                scopes: client.scopes,
                mission: client.mission,
                version: client.rights_version,
            };
            (client.id, rights)
        });
        let people = known.people.into_iter().map(|person| {
            let rights = Rights {
                enabled: person.enabled,
                roles: person.roles,
                scopes: person.roles.scopes(),
                mission: person.mission,
                version: person.rights_version,
            };
            (person.id, rights)
        });
        Ok(Self {
            clients: clients.collect(),
            apps: known.apps.into_iter().map(|app| (app.id, app)).collect(),
            people: people.collect(),
            ended: known.ended.into_iter().collect(),
            keys: Arc::new(Keys::new(&known.keys)?),
        })
    }

    /// The app of this id, unless it is disabled.
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id).filter(|app| app.disabled_at.is_none())
    }

    /// A token's rights are those of now: the session must go on, and what its bearer may do must not have
    /// changed since it was issued.
    fn standing(&self, token: &Token) -> Standing {
        let (rights, allowed) = match token.who {
            Who::Client(id) => (self.clients.get(&id), Scopes::all()),
            Who::Person { session, .. } if self.ended.contains(&session) => return Standing::Refused,
            Who::Person { account, app, .. } => match self.apps.get(&app) {
                None => return Standing::Ahead,
                Some(app) if app.disabled_at.is_some() => return Standing::Refused,
                Some(app) => (self.people.get(&account), app.scopes),
            },
        };
        match rights {
            None => Standing::Ahead,
            Some(rights) if rights.version < token.rights_version => Standing::Ahead,
            Some(rights) if !rights.enabled || rights.version != token.rights_version => Standing::Refused,
            Some(Rights { roles, scopes, mission, .. }) => Standing::Good(Somebody {
                who: token.who,
                roles: *roles,
                scopes: token.scopes.and(*scopes).and(allowed),
                mission: *mission,
            }),
        }
    }
}

/// Whom a token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A service.
    Client(ClientId),
    /// A person.
    Person {
        /// Their account.
        account: AccountId,
        /// The app they use.
        app: AppId,
        /// Where they signed in in it.
        session: SessionId,
    },
}

impl Who {
    /// The token's subject: an account or a service.
    pub fn subject(self) -> Uuid {
        match self {
            Self::Client(id) => id.0,
            Self::Person { account, .. } => account.0,
        }
    }
}

/// Who calls, when it is not a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Somebody {
    /// Who.
    pub who: Who,
    /// Their roles now.
    pub roles: Roles,
    /// What the token permits, as far as the roles and the app do.
    pub scopes: Scopes,
    /// Their mission, for roles of missions.
    pub mission: Option<MissionId>,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Stranger,
    /// Somebody with a valid token.
    Somebody(Somebody),
}

impl Caller {
    /// The audience this caller belongs to.
    pub fn reader(&self) -> Reader {
        match self {
            Self::Stranger => Reader::Stranger,
            // A token that does not permit reading opens no more than no token.
            Self::Somebody(caller) if !caller.scopes.contains(Scope::Read) => Reader::Stranger,
            Self::Somebody(Somebody { mission: Some(mission), .. }) => Reader::Mission(*mission),
            Self::Somebody(Somebody { mission: None, .. }) => Reader::Secretariat,
        }
    }

    /// Whether this caller may do what `scope` permits.
    pub fn may(&self, scope: Scope) -> bool {
        matches!(self, Self::Somebody(caller) if caller.scopes.contains(scope))
    }

    /// Whether this caller has a role.
    pub fn is(&self, role: Role) -> bool {
        matches!(self, Self::Somebody(caller) if caller.roles.contains(role))
    }

    /// Refuses a caller who may not do what `scope` permits.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::Stranger => Err(ApiError::new(Code::InvalidToken)),
            caller if caller.may(scope) => Ok(()),
            Self::Somebody(_) => Err(ApiError::new(Code::Forbidden)
                .detail(message!("The scope {scope} is needed", scope = scope.name()))
                .header(header::WWW_AUTHENTICATE, insufficient_scope(scope))),
        }
    }
}

/// What a request shows of its caller. Looked at once, when it is counted.
#[derive(Debug, Clone, Copy)]
pub enum Presented {
    /// No credentials.
    Nothing,
    /// Credentials that are not good here.
    Refused,
    /// A token that is good. Whether whom it names still is, is not said.
    Token(Token),
}

impl Presented {
    /// By these headers.
    pub fn by(state: &State, headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(header::AUTHORIZATION);
        let Some(first) = given.next() else { return Self::Nothing };
        // Of several, a proxy may have looked at another one than we do (RFC 9110 §5.3).
        let only = given.next().is_none().then_some(first);
        let verify = |token| state.tokens.verify(token, &state.store.identities().keys).ok();
        match only.and_then(bearer).and_then(verify) {
            Some(token) => Self::Token(token),
            None => Self::Refused,
        }
    }

    /// Whom the token names, where there is a good one.
    pub fn subject(self) -> Option<Uuid> {
        match self {
            Self::Token(token) => Some(token.who.subject()),
            Self::Nothing | Self::Refused => None,
        }
    }
}

/// A permission that a handler's signature can ask for.
pub trait Permission: 'static {
    /// The scope it stands for; `None` lets strangers in, too.
    const SCOPE: Option<Scope>;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $scope:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Permission for $name {
            const SCOPE: Option<Scope> = $scope;
        }
    )*};
}

permissions! {
    /// Reading what is published for everybody, or for the caller when there is a token.
    Public = None;
    /// Reading what is published for the caller.
    Read = Some(Scope::Read);
    /// Importing the directory.
    ImportDirectory = Some(Scope::ImportDirectory);
    /// Importing rate cards.
    ImportCosts = Some(Scope::ImportCosts);
    /// Importing INF notes.
    ImportNotes = Some(Scope::ImportNotes);
    /// Importing bulletins and places.
    ImportBulletins = Some(Scope::ImportBulletins);
    /// Seeing one's own account and devices.
    OwnAccount = Some(Scope::Account);
    /// Managing a mission's people.
    ManageMembers = Some(Scope::ManageMembers);
    /// Managing everybody's accounts.
    ManageAccounts = Some(Scope::ManageAccounts);
    /// Managing services and apps.
    ManageClients = Some(Scope::ManageClients);
    /// Reading who did what.
    ReadAudit = Some(Scope::ReadAudit);
}

/// A caller who has the permission `P`; in a handler's signature, the operation's permission.
pub struct Allowed<P: Permission> {
    /// Who it is.
    pub caller: Caller,
    request: Option<Uuid>,
    permission: PhantomData<P>,
}

impl<P: Permission> Allowed<P> {
    fn of(req: &HttpRequest, caller: Caller) -> Result<Self, ApiError> {
        permit(req, caller, P::SCOPE)?;
        Ok(Self { caller, request: RequestId::of(req), permission: PhantomData })
    }

    /// The audience the caller belongs to.
    pub fn reader(&self) -> Reader {
        self.caller.reader()
    }

    /// What the audit is told of what they do.
    pub fn act(&self) -> Act {
        let actor = match &self.caller {
            Caller::Stranger => Actor::System,
            Caller::Somebody(Somebody { who: Who::Client(id), .. }) => Actor::Client(*id),
            Caller::Somebody(Somebody { who: Who::Person { account, app, session }, .. }) => {
                Actor::Person { account: *account, app: Some(*app), session: Some(*session) }
            }
        };
        Act { actor, request: self.request }
    }
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = ApiError;
    type Future = Either<Ready<Result<Self, ApiError>>, Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = state(req);
        let looked_at = req.extensions().get::<Presented>().copied();
        let caller = match looked_at.unwrap_or_else(|| Presented::by(state, req.headers())) {
            Presented::Nothing => Ok(Caller::Stranger),
            Presented::Refused => Err(refused()),
            Presented::Token(token) => match told(state.store.identities().standing(&token)) {
                Some(somebody) => somebody.map(Caller::Somebody),
                None => {
                    let req = req.clone();
                    return Either::Right(Box::pin(async move {
                        let somebody = resolve(self::state(&req), &token).await?;
                        Self::of(&req, Caller::Somebody(somebody))
                    }));
                }
            },
        };
        Either::Left(ready(caller.and_then(|caller| Self::of(req, caller))))
    }
}

fn permit(req: &HttpRequest, caller: Caller, scope: Option<Scope>) -> Result<(), ApiError> {
    if let Some(scope) = scope {
        caller.require(scope)?;
    }
    match caller.reader() == Reader::Secretariat && state(req).store.is_cut_off() {
        // What only the Secretariat may see is not shown while nobody can be told of a revocation.
        true => Err(ApiError::new(Code::Unavailable)
            .detail(message!("The Secretariat's entries are not shown without the database"))),
        false => Ok(()),
    }
}

fn insufficient_scope(scope: Scope) -> HeaderValue {
    let challenge = format!("Bearer realm=\"focalpoint\", error=\"insufficient_scope\", scope=\"{}\"", scope.name());
    HeaderValue::from_str(&challenge).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

fn state(req: &HttpRequest) -> &State {
    req.app_data::<web::Data<State>>().expect("the app is built with its state")
}

/// None while it is not known yet.
fn told(standing: Standing) -> Option<Result<Somebody, ApiError>> {
    match standing {
        Standing::Good(somebody) => Some(Ok(somebody)),
        Standing::Refused => Some(Err(refused())),
        Standing::Ahead => None,
    }
}

/// Whom a good token names, and what they may do now.
pub(crate) async fn resolve(state: &State, token: &Token) -> Result<Somebody, ApiError> {
    if let Some(somebody) = told(state.store.identities().standing(token)) {
        return somebody;
    }
    // Whom it names may be newer than this process's last news.
    let heard = state.store.wait_until(|store| told(store.identities().standing(token)).is_some());
    let _ = tokio::time::timeout(NEWS_WAIT, heard).await;
    told(state.store.identities().standing(token)).unwrap_or_else(|| Err(refused()))
}

/// The `Authorization` of a request, unless there are several: a proxy may have looked at another one than we do
/// (RFC 9110 §5.3).
pub(crate) fn only(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut given = headers.get_all(header::AUTHORIZATION);
    given.next().filter(|_| given.next().is_none())
}

/// Looked at as bytes: what is in it matters only to who has not verified it yet.
fn bearer(authorization: &HeaderValue) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"Bearer ";
    let (scheme, token) = authorization.as_bytes().split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_ascii())
}

/// One answer for every token that is not good, whatever is wrong with it.
fn refused() -> ApiError {
    let challenge = HeaderValue::from_static("Bearer realm=\"focalpoint\", error=\"invalid_token\"");
    ApiError::new(Code::InvalidToken).header(header::WWW_AUTHENTICATE, challenge)
}
