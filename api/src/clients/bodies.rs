//! Services and apps as they are told, and as they are asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::bodies::mission_id;
use crate::editing::given;
use domain::identity::RedirectUri;
use domain::identity::accounts;
use domain::{Broken, Faults, MissionId, Role, Rule, Scope, Scopes};
use persistence::clients::{App, Client};

/// The most redirection addresses an app may have.
const MAX_ADDRESSES: usize = 20;

/// What kind of client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// One with a secret, which calls by itself.
    Service,
    /// One without, in which people sign in.
    App,
}

impl ClientKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Service, Self::App];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::App => "app",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Result<Self, Broken> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| one_of(Self::ALL.map(Self::name)))
    }
}

fn one_of<'a>(values: impl IntoIterator<Item = &'a str>) -> Broken {
    let values = values.into_iter().collect::<Vec<_>>().join(", ");
    Broken::new(Rule::OneOf, message!("must be one of {values}", values))
}

/// A service or an app.
pub enum Known {
    /// A service.
    Service(Client),
    /// An app.
    App(App),
}

impl Known {
    /// Its id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Service(client) => client.id.0,
            Self::App(app) => app.id.0,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ClientKind {
        match self {
            Self::Service(_) => ClientKind::Service,
            Self::App(_) => ClientKind::App,
        }
    }

    /// Counts its changes.
    pub fn row_version(&self) -> i32 {
        match self {
            Self::Service(client) => client.row_version,
            Self::App(app) => app.row_version,
        }
    }
}

/// An OAuth 2 client: a service or an app. Its id is the `client_id`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientBody {
    /// Its id, the `client_id`.
    #[schema(example = "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b14")]
    pub id: Uuid,
    /// `service`: it has a secret and calls by itself. `app`: it has none, and people sign in in it.
    #[schema(example = "service")]
    pub kind: &'static str,
    /// What it is called. Of an app, people read it when they are asked for their consent.
    #[schema(example = "Protocol list of the Permanent Mission of Senegal")]
    pub name: String,
    /// Of a service: `integrator` of a mission, or `importer` of the Secretariat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "integrator")]
    pub role: Option<&'static str>,
    /// Of an integrator: the mission it belongs to. It sees what that mission sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mission: Option<Uuid>,
    /// What a service may do, or what an app may ask people for.
    #[schema(value_type = Vec<String>, example = json!(["read"]))]
    pub scopes: Vec<&'static str>,
    /// Of an app: where codes may be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uris: Option<Vec<String>>,
    /// Whether it can be used.
    #[schema(example = true)]
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<DateTime<Utc>>,
}

fn names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::name).collect()
}

impl From<Known> for ClientBody {
    fn from(known: Known) -> Self {
        let kind = known.kind().name();
        match known {
            Known::Service(client) => Self {
                id: client.id.0,
                kind,
                name: client.name,
                role: Some(client.role.name()),
                mission: client.mission.map(|mission| mission.0),
                scopes: names(client.scopes),
                redirect_uris: None,
                enabled: client.disabled_at.is_none(),
                created_at: client.created_at,
                disabled_at: client.disabled_at,
            },
            Known::App(app) => Self {
                id: app.id.0,
                kind,
                name: app.name,
                role: None,
                mission: None,
                scopes: names(app.scopes),
                redirect_uris: Some(app.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect()),
                enabled: app.disabled_at.is_none(),
                created_at: app.created_at,
                disabled_at: app.disabled_at,
            },
        }
    }
}

/// A page of clients.
#[derive(Serialize, ToSchema)]
pub struct ClientPage {
    /// The clients, the oldest first.
    pub items: Vec<ClientBody>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A client, and its secret where it was just made.
#[derive(Serialize, ToSchema)]
pub struct CreatedClient {
    /// The client.
    #[serde(flatten)]
    pub client: ClientBody,
    /// Of a service: its secret, shown here and never again. An app has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "XcWgHn0vS1p…")]
    pub client_secret: Option<String>,
}

/// A service's new secret.
#[derive(Serialize, ToSchema)]
pub struct ClientSecret {
    /// The service's id.
    pub client_id: Uuid,
    /// Its secret, shown here and never again.
    #[schema(example = "XcWgHn0vS1p…")]
    pub client_secret: String,
}

/// A client that is to be added. Which fields it has depends on `kind` and `role`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateClient {
    /// `service` or `app`.
    kind: String,
    /// What to call it.
    #[schema(max_length = 200, example = "Protocol list of the Permanent Mission of Senegal")]
    name: String,
    /// Of a service, required: `integrator` or `importer`. All other roles are people's.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    role: Option<String>,
    /// Of an integrator, required: the mission it belongs to.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, format = Uuid)]
    mission: Option<String>,
    /// Of an importer, required: what it may import. Of an app, required: what it may ask people for.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1)]
    scopes: Option<Vec<String>>,
    /// Of an app, required: where codes may be sent. `https://…`, a private-use scheme with a dot in it such as
    /// `org.example.app:/…`, or `http://127.0.0.1/…` and `http://[::1]/…`, which stand for any port (RFC 8252).
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    redirect_uris: Option<Vec<String>>,
}

/// A client that is to be added, as it may be.
pub enum Wanted {
    /// A service.
    Service {
        /// What to call it.
        name: String,
        /// Its role.
        role: Role,
        /// Its mission.
        mission: Option<MissionId>,
        /// What of its role it may; none for all.
        scopes: Option<Scopes>,
    },
    /// An app.
    App {
        /// What to call it.
        name: String,
        /// Where codes may be sent.
        redirect_uris: Vec<RedirectUri>,
        /// What it may ask people for.
        scopes: Scopes,
    },
}

impl CreateClient {
    /// The client; `is_mission` says which missions there are. In a demonstration services may have any role.
    pub fn parse(&self, is_mission: impl Fn(Uuid) -> bool, is_demonstration: bool) -> Result<Wanted, Faults> {
        let mut faults = Faults::new();
        let name = faults.check("/name", accounts::name(&self.name));
        let wanted = match faults.check("/kind", ClientKind::parse(&self.kind)) {
            Some(ClientKind::Service) => self.service(&mut faults, is_mission, is_demonstration),
            Some(ClientKind::App) => self.app(&mut faults),
            None => None,
        };
        let wanted = name.zip(wanted).map(|(name, wanted)| match wanted {
            Wanted::Service { role, mission, scopes, .. } => Wanted::Service { name, role, mission, scopes },
            Wanted::App { redirect_uris, scopes, .. } => Wanted::App { name, redirect_uris, scopes },
        });
        faults.finish(wanted)
    }

    fn service(
        &self,
        faults: &mut Faults,
        is_mission: impl Fn(Uuid) -> bool,
        is_demonstration: bool,
    ) -> Option<Wanted> {
        let role = faults.check(
            "/role",
            required(self.role.as_deref()).and_then(|name| {
                let roles = Role::ALL.into_iter().filter(|role| role.is_of_a_service() || is_demonstration);
                roles.clone().find(|role| role.name() == name).ok_or_else(|| one_of(roles.map(Role::name)))
            }),
        );
        if self.redirect_uris.is_some() {
            faults.add("/redirect_uris", only_of("app"));
        }
        let asked = self.mission.as_deref().map(|text| mission_id(text, is_mission)).transpose();
        let asked = faults.check("/mission", asked);
        let role = role?;
        let mission = match (role.is_of_a_mission(), asked?) {
            (true, None) => faults.check("/mission", required::<MissionId>(None)).map(Some),
            (false, Some(_)) => {
                faults.add("/mission", Broken::new(Rule::Conflict, message!("is only for roles of a mission")));
                None
            }
            (_, mission) => Some(mission.map(MissionId)),
        };
        let scopes = match &self.scopes {
            None if role == Role::Importer => faults.check("/scopes", required::<Scopes>(None)).map(Some),
            None => Some(None),
            Some(names) => scopes_of(faults, names, role.scopes().collect()).map(Some),
        };
        Some(Wanted::Service { name: String::new(), role, mission: mission?, scopes: scopes? })
    }

    fn app(&self, faults: &mut Faults) -> Option<Wanted> {
        for (pointer, is_given) in [("/role", self.role.is_some()), ("/mission", self.mission.is_some())] {
            if is_given {
                faults.add(pointer, only_of("service"));
            }
        }
        let scopes = faults.check("/scopes", required(self.scopes.as_deref()));
        let scopes = scopes.and_then(|names| scopes_of(faults, names, Scopes::all()));
        let uris = faults.check("/redirect_uris", required(self.redirect_uris.as_deref()));
        let redirect_uris = uris.and_then(|texts| addresses(faults, texts));
        Some(Wanted::App { name: String::new(), redirect_uris: redirect_uris?, scopes: scopes? })
    }
}

/// What is changed of a client. What is left out stays as it is; kind, role and mission always do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateClient {
    /// What to call it.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 200)]
    name: Option<String>,
    /// Whether it can be used. Tokens of a disabled client are refused within a second.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    enabled: Option<bool>,
    /// Of an importer or an app: all scopes that it is to have.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1)]
    scopes: Option<Vec<String>>,
    /// Of an app: all addresses that codes may be sent to.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    redirect_uris: Option<Vec<String>>,
}

impl UpdateClient {
    /// The client as it is to be.
    pub fn apply(self, known: Known, now: DateTime<Utc>) -> Result<Known, Faults> {
        let mut faults = Faults::new();
        let name = self.name.and_then(|text| faults.check("/name", accounts::name(&text)));
        let disabled_at = |before: Option<DateTime<Utc>>| match self.enabled {
            Some(true) => None,
            Some(false) => before.or(Some(now)),
            None => before,
        };
        let changed = match known {
            Known::Service(client) => {
                if self.redirect_uris.is_some() {
                    faults.add("/redirect_uris", only_of("app"));
                }
                let scopes =
                    self.scopes.and_then(|names| scopes_of(&mut faults, &names, client.role.scopes().collect()));
                Known::Service(Client {
                    name: name.unwrap_or(client.name),
                    scopes: scopes.unwrap_or(client.scopes),
                    disabled_at: disabled_at(client.disabled_at),
                    ..client
                })
            }
            Known::App(app) => {
                let scopes = self.scopes.and_then(|names| scopes_of(&mut faults, &names, Scopes::all()));
                let uris = self.redirect_uris.and_then(|texts| addresses(&mut faults, &texts));
                Known::App(App {
                    name: name.unwrap_or(app.name),
                    scopes: scopes.unwrap_or(app.scopes),
                    redirect_uris: uris.unwrap_or(app.redirect_uris),
                    disabled_at: disabled_at(app.disabled_at),
                    ..app
                })
            }
        };
        faults.finish(Some(changed))
    }
}

fn required<T>(given: Option<T>) -> Result<T, Broken> {
    given.ok_or_else(|| Broken::new(Rule::Required, message!("must be given")))
}

fn only_of(kind: &str) -> Broken {
    Broken::new(Rule::Conflict, message!("is only for clients of the kind {kind}", kind))
}

/// Scopes by their names, of those that may be had: at least one, and none twice.
fn scopes_of(faults: &mut Faults, names: &[String], of: Scopes) -> Option<Scopes> {
    if names.is_empty() {
        faults.add("/scopes", Broken::new(Rule::Required, message!("must not be empty")));
        return None;
    }
    let mut scopes = Scopes::default();
    for (n, name) in names.iter().enumerate() {
        let known = Scope::from_name(name).filter(|scope| of.contains(*scope));
        match known {
            Some(scope) if scopes.contains(scope) => {
                faults.add(format!("/scopes/{n}"), Broken::new(Rule::Duplicate, message!("is named already")));
            }
            Some(scope) => scopes = scopes.iter().chain([scope]).collect(),
            None => faults.add(format!("/scopes/{n}"), one_of(of.iter().map(Scope::name))),
        }
    }
    Some(scopes)
}

/// Redirection addresses: at least one, none twice, not too many.
fn addresses(faults: &mut Faults, texts: &[String]) -> Option<Vec<RedirectUri>> {
    let refused = match texts.len() {
        0 => Some(Broken::new(Rule::Required, message!("must not be empty"))),
        n if n > MAX_ADDRESSES => {
            Some(Broken::new(Rule::Length, message!("must have at most {max} entries", max = MAX_ADDRESSES)))
        }
        _ => None,
    };
    if let Some(broken) = refused {
        faults.add("/redirect_uris", broken);
        return None;
    }
    let mut uris: Vec<RedirectUri> = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let pointer = format!("/redirect_uris/{n}");
        match faults.check(&pointer, RedirectUri::parse(text)) {
            Some(uri) if uris.contains(&uri) => {
                faults.add(pointer, Broken::new(Rule::Duplicate, message!("is named already")));
            }
            Some(uri) => uris.push(uri),
            None => {}
        }
    }
    Some(uris)
}
