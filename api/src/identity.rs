//! Who calls: access tokens, roles and what a handler's signature permits.

pub mod endpoints;
mod keys;
pub mod secrets;
mod tokens;

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{ClientId, MissionId, Reader, Role, Scope, Scopes};
use persistence::identity::{Client, SigningKey};

pub use keys::{Keys, generate_key};
pub use tokens::{ACCESS_TOKEN_SECONDS, Tokens};

/// How long a request waits for this process to hear of a client that another process added.
const NEWS_WAIT: Duration = Duration::from_millis(1200);

/// Every client and key, in memory: identity's edition. It follows the log's stream `identity`.
#[derive(Default)]
pub struct Identities {
    clients: HashMap<ClientId, Client>,
    /// The keys tokens are signed and verified with.
    pub keys: Arc<Keys>,
}

impl Identities {
    /// Of these clients and keys.
    pub fn new(clients: Vec<Client>, keys: &[SigningKey]) -> Result<Self, persistence::Error> {
        let clients = clients.into_iter().map(|client| (client.id, client)).collect();
        Ok(Self { clients, keys: Arc::new(Keys::new(keys)?) })
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Stranger,
    /// A client with a valid token.
    Client {
        /// Which.
        id: ClientId,
        /// Its role now, whatever it was when the token was issued.
        role: Role,
        /// What its token permits, as far as the role does.
        scopes: Scopes,
        /// Its mission, for roles of missions.
        mission: Option<MissionId>,
    },
}

impl Caller {
    /// The audience this caller belongs to.
    pub fn reader(&self) -> Reader {
        match self {
            Self::Stranger => Reader::Stranger,
            // A token that does not permit reading opens no more than no token.
            Self::Client { role, scopes, .. } if !(role.may(Scope::Read) && scopes.contains(Scope::Read)) => {
                Reader::Stranger
            }
            Self::Client { mission: Some(mission), .. } => Reader::Mission(*mission),
            Self::Client { mission: None, .. } => Reader::Secretariat,
        }
    }
}

impl Caller {
    /// Whether this caller may do what `scope` permits.
    pub fn may(&self, scope: Scope) -> bool {
        matches!(self, Self::Client { role, scopes, .. } if role.may(scope) && scopes.contains(scope))
    }

    /// Refuses a caller who may not do what `scope` permits.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        match self {
            Self::Stranger => Err(ApiError::new(Code::InvalidToken)),
            caller if caller.may(scope) => Ok(()),
            Self::Client { .. } => Err(ApiError::new(Code::Forbidden)
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
    /// A token of this client that is good. Whether the client still is, is not said.
    Token(ClientId, Scopes),
}

impl Presented {
    /// By these headers.
    pub fn by(state: &State, headers: &HeaderMap) -> Self {
        let Some(authorization) = headers.get(header::AUTHORIZATION) else { return Self::Nothing };
        let verify = |token| state.tokens.verify(token, &state.store.identities().keys).ok();
        match bearer(authorization).and_then(verify) {
            Some((id, scopes)) => Self::Token(id, scopes),
            None => Self::Refused,
        }
    }

    /// The client, where there is a good token.
    pub fn client(self) -> Option<ClientId> {
        match self {
            Self::Token(id, _) => Some(id),
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
}

/// A caller who has the permission `P`; in a handler's signature, the operation's permission.
pub struct Allowed<P: Permission> {
    /// Who it is.
    pub caller: Caller,
    permission: PhantomData<P>,
}

impl<P: Permission> Allowed<P> {
    /// The audience the caller belongs to.
    pub fn reader(&self) -> Reader {
        self.caller.reader()
    }
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let caller = caller(&req).await?;
            permit(&req, caller, P::SCOPE)?;
            Ok(Self { caller, permission: PhantomData })
        })
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

async fn caller(req: &HttpRequest) -> Result<Caller, ApiError> {
    let state = state(req);
    let looked_at = req.extensions().get::<Presented>().copied();
    let (id, scopes) = match looked_at.unwrap_or_else(|| Presented::by(state, req.headers())) {
        Presented::Nothing => return Ok(Caller::Stranger),
        Presented::Refused => return Err(refused()),
        Presented::Token(id, scopes) => (id, scopes),
    };
    if let Some(caller) = known(state, id, scopes) {
        return caller;
    }
    // A client may be newer than this process's last news.
    let _ = tokio::time::timeout(NEWS_WAIT, state.store.wait_until(|_| known(state, id, scopes).is_some())).await;
    known(state, id, scopes).unwrap_or_else(|| Err(refused()))
}

fn known(state: &State, id: ClientId, scopes: Scopes) -> Option<Result<Caller, ApiError>> {
    state.store.identities().clients.get(&id).map(|client| match client.enabled {
        true => Ok(Caller::Client { id, role: client.role, scopes, mission: client.mission }),
        false => Err(refused()),
    })
}

fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// One answer for every token that is not good, whatever is wrong with it.
fn refused() -> ApiError {
    let challenge = HeaderValue::from_static("Bearer realm=\"focalpoint\", error=\"invalid_token\"");
    ApiError::new(Code::InvalidToken).header(header::WWW_AUTHENTICATE, challenge)
}
