//! How each operation is asked for, with each object that it could be about.

use api::identity::Who as Named;
use domain::{AccountId, AppId, ClientId, SessionId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::identities::{Identity, Kind};
use super::stage::{AUDIENCES, Plan, Stage, mail_of, year};

/// Operations that show one thing of the content, by its id.
pub(super) const GETS: [(&str, &str); 10] = [
    ("get_organization", "organization"),
    ("get_unit", "unit"),
    ("get_function", "function"),
    ("get_person", "person"),
    ("get_mission", "mission"),
    ("get_service", "service"),
    ("get_inf_note", "inf_note"),
    ("get_bulletin", "bulletin"),
    ("get_entrance", "place"),
    ("get_rate_card", "rate_card"),
];

/// Operations that show many, by a query that all of the kind meet.
pub(super) const LISTS: [(&str, &str, &str); 12] = [
    ("list_organizations", "organization", "limit=200"),
    ("list_units", "unit", "limit=200"),
    ("list_functions", "function", "limit=200"),
    ("list_people", "person", "limit=200"),
    ("list_missions", "mission", "limit=200"),
    ("list_services", "service", "limit=200"),
    ("list_inf_notes", "inf_note", "limit=200"),
    ("list_bulletins", "bulletin", "limit=200"),
    ("list_entrances", "place", "pass=delegate"),
    ("list_rate_cards", "rate_card", "limit=200"),
    ("search_directory", "unit", "q=Unit&limit=200"),
    ("export_directory", "person", "format=ndjson"),
];

/// What a copy of everything is looked through for.
const IN_SYNC: [&str; 5] = ["person", "unit", "inf_note", "bulletin", "rate_card"];

/// A mission in the path, and an account behind it.
const MEMBERS: [(&str, &str); 11] = [
    ("ours", "ours"),
    ("ours", "removed"),
    ("ours", "theirs"),
    ("ours", "secretariat"),
    ("ours", "none"),
    ("ours", "malformed"),
    ("theirs", "theirs"),
    ("theirs", "ours"),
    ("none", "ours"),
    ("none", "none"),
    ("malformed", "ours"),
];

const CLIENTS: [&str; 6] = ["integrator-of-ours", "integrator-of-theirs", "importer", "app", "none", "malformed"];

/// What a request proves its sender by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The access token.
    Token,
    /// The client itself: a service by its secret, an app by its id. For the endpoints of OAuth.
    Client,
}

/// One request about one object.
pub(super) struct Ask {
    pub(super) object: String,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) query: String,
    pub(super) if_match: bool,
    pub(super) body: Option<(&'static str, String)>,
    /// What the answer has in it when it shows the object.
    pub(super) shows: Option<String>,
    pub(super) proof: Proof,
    /// Whose token is the parameter `token` of the body.
    pub(super) about: Option<Named>,
}

impl Ask {
    fn about(object: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            path: Vec::new(),
            query: String::new(),
            if_match: false,
            body: None,
            shows: None,
            proof: Proof::Token,
            about: None,
        }
    }

    fn at(mut self, parameter: &'static str, value: impl ToString) -> Self {
        self.path.push((parameter, value.to_string()));
        self
    }

    fn query(self, query: impl Into<String>) -> Self {
        Self { query: query.into(), ..self }
    }

    fn json(self, body: &Value) -> Self {
        Self { body: Some(("application/json", body.to_string())), ..self }
    }

    fn rows(self, body: &Value) -> Self {
        Self { body: Some(("application/x-ndjson", body.to_string())), ..self }
    }

    fn form(self, body: &str) -> Self {
        Self { body: Some(("application/x-www-form-urlencoded", body.to_owned())), proof: Proof::Client, ..self }
    }

    fn edits(self) -> Self {
        Self { if_match: true, ..self }
    }

    fn shows(self, text: impl ToString) -> Self {
        Self { shows: Some(text.to_string()), ..self }
    }
}

/// The apps in which people of the matrix are signed in.
pub(super) struct Apps {
    pub(super) wide: Uuid,
    pub(super) narrow: Uuid,
}

/// Somebody of an identity, for one cell or for all that only read.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) identity: &'static Identity,
    pub(super) who: Option<Named>,
}

impl Actor {
    pub(super) fn new(identity: &'static Identity, stage: &Stage, apps: &Apps, plan: &mut Plan) -> Self {
        let mission = identity.is_of_a_mission().then_some(stage.ours);
        let who = match identity.kind {
            Kind::Stranger | Kind::Forged => None,
            Kind::Service => Some(Named::Client(ClientId(plan.service(identity.roles[0], mission, identity.within)))),
            Kind::Person | Kind::Ended => {
                let app = if identity.within.is_some() { apps.narrow } else { apps.wide };
                let account = plan.account(&identity.roles.join(" "), mission);
                let session = plan.session(account, app, identity.kind == Kind::Ended);
                Some(Named::Person { account: AccountId(account), app: AppId(app), session: SessionId(session) })
            }
        };
        Self { identity, who }
    }

    /// The account and the app of a person.
    fn person(&self) -> Option<(Uuid, Uuid, Uuid)> {
        match self.who {
            Some(Named::Person { account, app, session }) => Some((account.0, app.0, session.0)),
            _ => None,
        }
    }

    /// The `client_id` that it calls by.
    pub(super) fn client_id(&self) -> Option<Uuid> {
        match self.who {
            Some(Named::Client(id)) => Some(id.0),
            Some(Named::Person { app, .. }) => Some(app.0),
            None => None,
        }
    }
}

/// What there is for the audiences of a kind.
pub(super) fn objects_of(kind: &str) -> Vec<&'static str> {
    let unpublished: &[&str] = match kind {
        "inf_note" => &["draft", "embargoed"],
        "bulletin" => &["embargoed"],
        _ => &[],
    };
    AUDIENCES.iter().chain(unpublished).copied().collect()
}

/// A new account, as an id in a path.
fn account(whose: &str, by: &Actor, stage: &Stage, plan: &mut Plan) -> String {
    let id = match whose {
        "own" => by.person().unwrap().0,
        "ours" => plan.account("delegate", Some(stage.ours)),
        "theirs" => plan.account("delegate", Some(stage.theirs)),
        "secretariat" => plan.account("editor", None),
        "removed" => plan.removed_account("delegate", Some(stage.ours)),
        "malformed" => return "not-an-id".to_owned(),
        _ => Uuid::now_v7(),
    };
    id.to_string()
}

fn mission(whose: &str, stage: &Stage) -> String {
    if whose == "malformed" { "not-an-id".to_owned() } else { stage.mission(whose).to_string() }
}

fn client(which: &str, id: Uuid, stage: &Stage, plan: &mut Plan) -> String {
    match which {
        "integrator-of-ours" => plan.service_with(id, "integrator", Some(stage.ours), None),
        "integrator-of-theirs" => plan.service_with(id, "integrator", Some(stage.theirs), None),
        "importer" => plan.service_with(id, "importer", None, None),
        "app" => plan.app_with(id, "read"),
        "malformed" => return "not-an-id".to_owned(),
        _ => {}
    }
    id.to_string()
}

fn invitation(roles: &[&str], mission: Option<Uuid>) -> Value {
    let mut body = json!({"mail": mail_of(Uuid::now_v7()), "name": "Somebody new", "language": "fr", "roles": roles});
    if let Some(mission) = mission {
        body["mission"] = json!(mission);
    }
    body
}

/// Everything that is asked of an operation by somebody, or nothing where nobody has said how: then it has no cells.
pub(super) fn asks(operation: &str, by: &Actor, stage: &Stage, plan: &mut Plan) -> Option<Vec<Ask>> {
    if let Some((_, kind)) = GETS.iter().find(|(get, _)| *get == operation) {
        let objects = objects_of(kind).into_iter().chain(["none"]);
        let one = |object| Ask::about(object).at("id", stage.content(kind, object));
        let malformed = Ask::about("malformed").at("id", "not-an-id");
        return Some(objects.map(one).chain([malformed]).collect());
    }
    if let Some((_, kind, query)) = LISTS.iter().find(|(list, ..)| *list == operation) {
        let one = |object| Ask::about(object).query(*query).shows(stage.content(kind, object));
        let keys =
            (operation == "export_directory").then(|| Ask::about("source-keys").query("keys=source&source=test"));
        return Some(objects_of(kind).into_iter().map(one).chain(keys).collect());
    }
    // With an account of one's own only where there is one.
    let accounts = |others: &[&'static str]| -> Vec<&'static str> {
        by.person().map(|_| "own").into_iter().chain(others.iter().copied()).collect()
    };
    let everybody = ["ours", "theirs", "secretariat", "removed", "none", "malformed"];
    let asks = match operation {
        "check_health"
        | "check_readiness"
        | "check_writes"
        | "get_contract"
        | "get_contract_json"
        | "list_keys"
        | "get_authorization_server"
        | "get_security_txt"
        | "get_own_account"
        | "list_audit_entries"
        | "export_audit" => vec![Ask::about("-")],

        "get_tree" => {
            let one = |object| Ask::about(object).query(format!("root={}", stage.content("unit", object)));
            objects_of("unit").into_iter().chain(["none"]).map(one).collect()
        }
        "synchronise" => {
            let of = |kind: &'static str| {
                let one = move |object: &'static str| {
                    Ask::about(format!("{kind}:{object}")).shows(stage.content(kind, object))
                };
                objects_of(kind).into_iter().map(one)
            };
            IN_SYNC.into_iter().flat_map(of).collect()
        }
        "estimate_event" => {
            let plan = |audience: &str| {
                json!({"duty_station": "NY", "kind": "side_event",
                    "sessions": [{"date": format!("{}-09-21", year(audience)), "start": "18:30", "end": "20:00"}]})
            };
            let one = |object| Ask::about(object).json(&plan(object)).shows(format!("room-rate_card-{object}"));
            AUDIENCES.into_iter().map(one).collect()
        }
        "import_directory" => vec![dry_run(&json!({"kind": "organization", "key": "o", "name": {"en": "O"},
            "provenance": {"confidence": "sample"}}))],
        "import_inf_notes" => vec![dry_run(&json!({"kind": "inf_note", "key": "n", "symbol": "A/INF/81/40",
            "texts": {"en": {"title": "N", "confidence": "sample"}}, "provenance": {"confidence": "sample"}}))],
        "import_bulletins" => vec![dry_run(&crate::bulletins::bulletin("b"))],
        "import_event_costs" => vec![dry_run(&json!({"kind": "rate_card", "key": "c", "duty_station": "NY",
            "title": {"en": "R"}, "valid_from": "2040-01-01", "currency": "USD", "rates": [],
            "provenance": {"confidence": "sample"}}))],
        "list_import_runs" | "get_import_run" => {
            let own = by.who.map(|who| ("own", who.subject()));
            let anothers = Some(("another's", Uuid::now_v7()));
            let runs = own.into_iter().chain(anothers).map(|(whose, client)| (whose, plan.run(client)));
            match operation {
                "list_import_runs" => runs.map(|(whose, id)| Ask::about(whose).query("limit=200").shows(id)).collect(),
                _ => {
                    let one = |(whose, id): (&str, Uuid)| Ask::about(whose).at("id", id);
                    let malformed = Ask::about("malformed").at("id", "not-an-id");
                    runs.chain([("none", Uuid::now_v7())]).map(one).chain([malformed]).collect()
                }
            }
        }

        "issue_token" => vec![Ask::about("-").form("grant_type=client_credentials")],
        "introspect_token" | "revoke_token" => about_tokens(operation, by, stage, plan),

        "update_own_account" => vec![Ask::about("-").json(&json!({"name": "Another name"}))],
        "list_accounts" => {
            let all = accounts(&["ours", "theirs", "secretariat", "removed"]).into_iter();
            let one = |whose| {
                let id = account(whose, by, stage, plan);
                Ask::about(whose).query(format!("q=m-{id}")).shows(id)
            };
            all.map(one).collect()
        }
        "invite_account" => vec![
            Ask::about("ours").json(&invitation(&["mission_admin"], Some(stage.ours))),
            Ask::about("theirs").json(&invitation(&["mission_admin"], Some(stage.theirs))),
            Ask::about("none").json(&invitation(&["mission_admin"], Some(Uuid::now_v7()))),
            Ask::about("secretariat").json(&invitation(&["approver"], None)),
        ],
        "get_account" | "update_account" | "remove_account" | "send_invitation" | "remove_second_factor" => {
            let one = |whose| {
                let ask = Ask::about(whose).at("id", account(whose, by, stage, plan));
                match operation {
                    "update_account" => ask.edits().json(&json!({"name": "Another name"})),
                    "remove_account" => ask.edits(),
                    _ => ask,
                }
            };
            accounts(&everybody).into_iter().map(one).collect()
        }
        "list_members" => {
            let pairs = MEMBERS.iter().filter(|(_, account)| !["none", "malformed"].contains(account));
            let one = |(of, whose): &(&'static str, &'static str)| {
                let id = account(whose, by, stage, plan);
                let ask = Ask::about(format!("{of}/{whose}")).at("mission", mission(of, stage));
                ask.query(format!("q=m-{id}")).shows(id)
            };
            pairs.map(one).collect()
        }
        "invite_member" => ["ours", "theirs", "none", "malformed"]
            .map(|of| Ask::about(of).at("mission", mission(of, stage)).json(&invitation(&["delegate"], None)))
            .into(),
        "get_member" | "update_member" | "remove_member" => {
            let own = by.person().filter(|_| by.identity.is_of_a_mission()).map(|_| ("ours", "own"));
            let one = |(of, whose): (&'static str, &'static str)| {
                let ask = Ask::about(format!("{of}/{whose}")).at("mission", mission(of, stage));
                let ask = ask.at("account", account(whose, by, stage, plan));
                match operation {
                    "update_member" => ask.edits().json(&json!({"name": "Another name"})),
                    "remove_member" => ask.edits(),
                    _ => ask,
                }
            };
            own.into_iter().chain(MEMBERS).map(one).collect()
        }
        "list_sessions" | "end_sessions" => {
            let one = |whose| match whose {
                "-" => Ask::about("-"),
                whose => Ask::about(whose).query(format!("account={}", account(whose, by, stage, plan))),
            };
            let others = ["-", "ours", "theirs", "secretariat", "removed", "none"];
            accounts(&others).into_iter().map(one).collect()
        }
        "end_session" => {
            let current = by.person().map(|_| "current");
            let one = |whose| {
                let app = plan.app("read account");
                let id = match whose {
                    "current" => by.person().unwrap().2.to_string(),
                    "malformed" => "not-an-id".to_owned(),
                    "none" => Uuid::now_v7().to_string(),
                    "ended" => {
                        let account = account("ours", by, stage, plan).parse().unwrap();
                        plan.session(account, app, true).to_string()
                    }
                    whose => {
                        let account = account(whose, by, stage, plan).parse().unwrap();
                        plan.session(account, app, false).to_string()
                    }
                };
                Ask::about(whose).at("id", id)
            };
            let others = accounts(&["ours", "theirs", "secretariat", "ended", "none", "malformed"]);
            current.into_iter().chain(others).map(one).collect()
        }
        "list_clients" => {
            // The oldest come first, and there are more than fit a page.
            let mut oldest = plan.clients_so_far() as u128;
            let mut one = |which: &'static str| {
                oldest += 1;
                let id = client(which, Uuid::from_u128(oldest), stage, plan);
                Ask::about(which).query("limit=200").shows(id)
            };
            CLIENTS[..4].iter().map(|which| one(which)).collect()
        }
        "get_client" | "update_client" | "rotate_client_secret" => {
            let one = |which: &&'static str| {
                let ask = Ask::about(*which).at("id", client(which, Uuid::now_v7(), stage, plan));
                match operation {
                    "update_client" => ask.edits().json(&json!({"name": "Another name"})),
                    _ => ask,
                }
            };
            CLIENTS.iter().map(one).collect()
        }
        "create_client" => {
            let service = |role: &str, mission: Option<Uuid>| match mission {
                Some(mission) => json!({"kind": "service", "name": "New", "role": role, "mission": mission}),
                None => json!({"kind": "service", "name": "New", "role": role, "scopes": ["read", "inf_notes:import"]}),
            };
            let app = json!({"kind": "app", "name": "New", "redirect_uris": ["https://app.example.org/signed-in"],
                "scopes": ["read"]});
            vec![
                Ask::about("integrator-of-ours").json(&service("integrator", Some(stage.ours))),
                Ask::about("integrator-of-theirs").json(&service("integrator", Some(stage.theirs))),
                Ask::about("integrator-of-none").json(&service("integrator", Some(Uuid::now_v7()))),
                Ask::about("importer").json(&service("importer", None)),
                Ask::about("approver").json(&service("approver", None)),
                Ask::about("app").json(&app),
            ]
        }
        _ => return None,
    };
    Some(asks)
}

fn dry_run(row: &Value) -> Ask {
    Ask::about("-").query("source=test&dry_run=true").rows(row)
}

/// The endpoints of OAuth that are asked about a token.
fn about_tokens(operation: &str, by: &Actor, stage: &Stage, plan: &mut Plan) -> Vec<Ask> {
    let mut person = |roles: &str, mission: Option<Uuid>| {
        let (account, app) = (plan.account(roles, mission), plan.app("read account"));
        let session = plan.session(account, app, false);
        Named::Person { account: AccountId(account), app: AppId(app), session: SessionId(session) }
    };
    let others = match operation {
        "revoke_token" => vec![("another-app's", Some(person("delegate", Some(stage.ours))))],
        _ => vec![
            ("ours", Some(person("delegate", Some(stage.ours)))),
            ("theirs", Some(person("delegate", Some(stage.theirs)))),
            ("secretariat", Some(person("editor", None))),
        ],
    };
    let own = by.who.map(|who| ("own", Some(who)));
    let one = |(object, about): (&str, Option<Named>)| {
        let ask = Ask { about, ..Ask::about(object).form("") };
        if operation == "introspect_token" { ask.shows("\"active\":true") } else { ask }
    };
    own.into_iter().chain(others).chain([("garbage", None)]).map(one).collect()
}
