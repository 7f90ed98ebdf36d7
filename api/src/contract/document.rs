//! The document: what the handlers say of themselves, and what is true of all of them.

use std::collections::BTreeMap;

use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    AuthorizationCode, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa_actix_web::AppExt;

use super::{examples, links, operations_mut, parameters, responses};
use crate::deprecation::{self, Deprecated};
use crate::limits;
use crate::problem::Problem;
use domain::{Role, Scope};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Focalpoint",
        description = "Whom to ask and how to reach them, what an event on UN premises costs, the INF notes, \
            and the security bulletins of the high-level week, in six languages.\n\n\
            Every error is a problem document (RFC 9457): decide by its `code`, show its `title`, and report its \
            `request_id` when you ask for help. Every text is in the language of `?lang=` or \
            `Accept-Language`; where it exists in another only, `fallbacks` names the field and the language. \
            Send `If-None-Match` with the `ETag` you have: an unchanged answer costs a few bytes. \
            Unknown fields may appear in responses at any time, and new words in fields that hold one of a list: \
            ignore the first, treat the second as unknown. Requests with unknown fields are refused.\n\n\
            `HEAD` works wherever `GET` does. Another method than those listed is answered with 405 and `Allow`.",
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "directory", description = "Whom to ask and how to reach them"),
        (name = "event costs", description = "What an event on UN premises costs"),
        (name = "INF notes", description = "Information notes for delegations"),
        (name = "bulletins", description = "Security bulletins, and the state of every entrance at any moment"),
        (name = "sync", description = "A phone's copy"),
        (name = "imports", description = "Files of rows in, all or none"),
        (name = "identity", description = "Access tokens"),
        (name = "audit", description = "Who did what"),
        (name = "accounts", description = "People: accounts, a mission's members, and where they are signed in"),
        (name = "clients", description = "Services and apps"),
        (name = "operations", description = "For operators"),
        (name = "contract", description = "This contract"),
    ),
    components(schemas(Problem<'static>))
)]
struct Base;

/// The document: what the handlers say of themselves, and what is true of all of them.
pub fn document() -> utoipa::openapi::OpenApi {
    document_with(deprecation::OPERATIONS)
}

/// The document, with these operations about to go.
pub(crate) fn document_with(deprecated: &[Deprecated]) -> utoipa::openapi::OpenApi {
    let (_, routes) = actix_web::App::new().into_utoipa_app().configure(crate::app::routes).split_for_parts();
    let mut document = Base::openapi();
    document.merge(routes);
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.servers = Some(vec![utoipa::openapi::Server::new("/")]);
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item) {
            let access = Access::of(operation);
            describe(operation, &access);
            parameters::complete(operation);
            responses::complete(operation, &access);
            examples::apply(operation);
            advise(operation, &access);
        }
    }
    links::add(&mut document.paths);
    let components = document.components.get_or_insert_default();
    components.security_schemes.extend(security_schemes());
    components.responses.extend(responses::components());
    components.headers.extend(responses::headers());
    components.parameters.extend(parameters::components());
    parameters::close_words(&mut components.schemas);
    limits::describe(&mut document);
    deprecation::describe(&mut document, deprecated);
    document
}

fn security_schemes() -> BTreeMap<String, RefOr<SecurityScheme>> {
    let scopes = Scopes::from_iter(Scope::ALL.map(|scope| (scope.name().to_owned(), roles_with(scope))));
    let flows = [
        Flow::AuthorizationCode(AuthorizationCode::new("/oauth/authorize", "/oauth/token", scopes.clone())),
        Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes)),
    ];
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("client_id and client_secret of a service, for the endpoints under /oauth only"))
        .build();
    [
        ("oauth2".to_owned(), RefOr::T(SecurityScheme::OAuth2(OAuth2::new(flows)))),
        ("client_basic".to_owned(), RefOr::T(SecurityScheme::Http(basic))),
    ]
    .into()
}

fn roles_with(scope: Scope) -> String {
    let roles: Vec<&str> = Role::ALL.into_iter().filter(|role| role.may(scope)).map(Role::name).collect();
    format!("For {}", roles.join(", "))
}

/// Who may call an operation.
pub(super) struct Access {
    /// The scope that a token must have.
    pub scope: Option<String>,
    /// Whether strangers may, too.
    pub is_public: bool,
    /// Whether services may by their secret.
    pub takes_secrets: bool,
}

impl Access {
    fn of(operation: &Operation) -> Self {
        type Requirement = BTreeMap<String, Vec<String>>;
        let security = serde_json::to_value(&operation.security).unwrap_or_default();
        let all: Vec<Requirement> = serde_json::from_value(security).unwrap_or_default();
        let is_public = all.iter().any(BTreeMap::is_empty);
        let takes_secrets = all.iter().any(|one| one.contains_key("client_basic"));
        let mut scopes = all.into_iter().flat_map(|mut one| one.remove("oauth2").unwrap_or_default());
        Self { scope: scopes.next(), is_public, takes_secrets }
    }
}

/// Adds to a description who may.
fn describe(operation: &mut Operation, access: &Access) {
    let permission = match (&access.scope, access.is_public) {
        (Some(_), true) => "everybody; with a token, also what is for its audience".to_owned(),
        (Some(name), false) => {
            let roles = Scope::from_name(name).map(roles_with).unwrap_or_default();
            format!("scope `{name}`. {roles}")
        }
        (None, true) if access.takes_secrets => "services by HTTP Basic, apps by their `client_id`".to_owned(),
        (None, true) => "everybody".to_owned(),
        (None, false) => "services, by HTTP Basic".to_owned(),
    };
    let description = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{}\n\n**Permission:** {permission}.", description.trim()));
}

/// What a client does about each status, for the description; what only some operations mean by one, they say.
const ON_ERRORS: [(&str, &str); 7] = [
    ("401", "get a new token and try again, once"),
    ("403", "the role is not for this, do not try again"),
    ("404", "it has gone or is not for you, forget it"),
    ("422", "mend what `errors` names, and do not repeat the same"),
    ("429", "wait `Retry-After` seconds, then go on more slowly"),
    ("500", "try again later, once"),
    ("503", "wait `Retry-After` seconds and try again; show what you have meanwhile"),
];

/// Adds to a description what to do with the tag and about errors, by what the operation can answer.
fn advise(operation: &mut Operation, access: &Access) {
    let responses = &operation.responses.responses;
    let mut advice = String::new();
    if responses.contains_key("304") {
        advice += "\n\n**Keep the answer** with its `ETag`, and send that as `If-None-Match` next time: 304 means \
            that what you have is still good.";
    }
    advice += "\n\n**On errors:**\n";
    // at the token endpoint a 401 is about the client
    let applies = |status: &str| responses.contains_key(status) && (status != "401" || access.scope.is_some());
    for (status, what) in ON_ERRORS.iter().filter(|(status, _)| applies(status)) {
        advice += &format!("\n- {status}: {what}.");
    }
    operation.description.get_or_insert_default().push_str(&advice);
}
