//! Who calls in tests: people who have signed in, and services.

use api::Server;
use api::identity::{Token, Who};
use domain::identity::RedirectUri;
use domain::{Account, AccountId, AppId, ClientId, Email, Language, MissionId, Role, Roles, Scopes, SessionId};
use persistence::Db;
use persistence::clients::{App, NewClient};
use persistence::sessions::NewSession;
use uuid::Uuid;

/// What the refresh tokens of all sessions of tests are made of.
pub(crate) const ROTATION_KEY: [u8; 32] = [7; 32];

/// A token for somebody new of a role and mission: a service where the role is one of services, else a person who
/// has signed in.
pub(crate) async fn token(server: &Server, role: Role, mission: Option<Uuid>) -> String {
    let who = match role.is_of_a_service() {
        true => Who::Client(service(server, role, mission).await),
        false => person(server, role, mission).await,
    };
    issue(server, who, role.scopes().collect())
}

/// A token as the server issues it to who is new.
pub(crate) fn issue(server: &Server, who: Who, scopes: Scopes) -> String {
    let (state, token) = (&server.state, Token { who, scopes, rights_version: 1 });
    state.tokens.issue(&state.store.identities().keys, &token, chrono::Utc::now(), 3600).unwrap()
}

/// A new service without a usable secret.
pub(crate) async fn service(server: &Server, role: Role, mission: Option<Uuid>) -> ClientId {
    let id = ClientId(Uuid::now_v7());
    let client = NewClient {
        id,
        name: "of a test".into(),
        role,
        mission: mission.map(MissionId),
        scopes: None,
        secret_hash: "no secret".into(),
    };
    let db = &server.state.db;
    db.write(async move |conn| persistence::clients::insert(conn, &client).await).await.unwrap();
    id
}

/// An account as it may be added.
pub(crate) fn account(role: Role, mission: Option<Uuid>) -> Account {
    let id = AccountId(Uuid::now_v7());
    Account {
        id,
        mail: Email::parse(&format!("{}@example.org", id.0)).unwrap(),
        name: "Somebody of a test".into(),
        language: Language::En,
        roles: Roles::of(role),
        mission: mission.map(MissionId),
        created_at: chrono::Utc::now(),
        suspended_at: None,
        rights_version: 1,
        row_version: 1,
    }
}

/// An app as it may be added: it may ask for everything.
pub(crate) fn app() -> App {
    App {
        id: AppId(Uuid::now_v7()),
        name: "An app of a test".into(),
        redirect_uris: vec![RedirectUri::parse("http://127.0.0.1/signed-in").unwrap()],
        scopes: Scopes::all(),
        created_at: chrono::Utc::now(),
        disabled_at: None,
        row_version: 1,
    }
}

/// Somebody new, signed in in a new app.
pub(crate) async fn person(server: &Server, role: Role, mission: Option<Uuid>) -> Who {
    person_in(&server.state.db, role, mission).await
}

/// The same, past any server.
pub(crate) async fn person_in(db: &Db, role: Role, mission: Option<Uuid>) -> Who {
    let (account, app) = (account(role, mission), app());
    let session = NewSession {
        id: SessionId(Uuid::now_v7()),
        account: account.id,
        app: app.id,
        device: "of a test".into(),
        scopes: role.scopes().collect(),
        has_second_factor: role.needs_second_factor(),
        rotation_key: ROTATION_KEY,
        expires_at: chrono::Utc::now() + chrono::TimeDelta::days(1),
    };
    let who = Who::Person { account: account.id, app: app.id, session: session.id };
    let save = async move |conn: &mut persistence::Conn| {
        persistence::clients::insert_app(conn, &app).await?;
        persistence::accounts::insert(conn, &account).await?;
        persistence::sessions::insert(conn, &session).await
    };
    db.write(save).await.unwrap();
    who
}
