//! The contract: OpenAPI 3.1 made from the code, and served as it is.

use std::collections::BTreeMap;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, get, web};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{OpenApi, ToSchema};
use utoipa_actix_web::AppExt;

use crate::problem::{Code, MEDIA_TYPE, Problem};
use crate::state::State;
use domain::{Language, Role, Scope};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Focalpoint",
        description = "Whom to ask and how to reach them, what an event on UN premises costs, the INF notes, \
            and the security bulletins of the high-level week, in six languages.\n\n\
            Every error is a problem document (RFC 9457). Every text is in the language of `?lang=` or \
            `Accept-Language`; where it exists in another only, `fallbacks` names the field and the language. \
            Send `If-None-Match` with the `ETag` you have: an unchanged answer costs a few bytes. \
            Unknown fields may appear in responses at any time; requests with unknown fields are refused.",
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
        (name = "operations", description = "For operators"),
        (name = "contract", description = "This contract"),
    ),
    components(schemas(Problem<'static>))
)]
struct Base;

/// The contract, ready to serve, and the methods of each path in it.
pub struct Contract {
    yaml: web::Bytes,
    json: web::Bytes,
    paths: Vec<(Vec<Segment>, String)>,
}

enum Segment {
    Literal(String),
    Parameter,
}

impl Contract {
    /// Made from the routes.
    pub fn new() -> anyhow::Result<Self> {
        let document = document();
        let paths = document.paths.paths.iter().map(|(path, item)| (segments(path), allowed_methods(item)));
        Ok(Self { yaml: document.to_yaml()?.into(), json: document.to_json()?.into(), paths: paths.collect() })
    }

    /// The methods of the resource at a path, as `Allow` lists them; `None` where no resource is.
    pub fn methods(&self, path: &str) -> Option<String> {
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |segments: &[Segment]| {
            segments.len() == asked.len()
                && segments.iter().zip(&asked).all(|(segment, part)| match segment {
                    Segment::Literal(literal) => literal == part,
                    Segment::Parameter => !part.is_empty(),
                })
        };
        self.paths.iter().find(|(segments, _)| fits(segments)).map(|(_, methods)| methods.clone())
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let segment = |part: &str| match part.starts_with('{') {
        true => Segment::Parameter,
        false => Segment::Literal(part.to_owned()),
    };
    path.split('/').map(segment).collect()
}

fn allowed_methods(item: &PathItem) -> String {
    let mut methods = Vec::new();
    if item.get.is_some() {
        methods.extend(["GET", "HEAD"]);
    }
    for (method, operation) in
        [("POST", &item.post), ("PUT", &item.put), ("PATCH", &item.patch), ("DELETE", &item.delete)]
    {
        methods.extend(operation.as_ref().map(|_| method));
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

/// The document: what the handlers say of themselves, and what is true of all of them.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, routes) = actix_web::App::new().into_utoipa_app().configure(crate::app::routes).split_for_parts();
    let mut document = Base::openapi();
    document.merge(routes);
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.servers = Some(vec![utoipa::openapi::Server::new("/")]);
    if let Some(components) = document.components.as_mut() {
        let scopes = Scopes::from_iter(Scope::ALL.map(|scope| (scope.name().to_owned(), roles_with(scope))));
        let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        components.add_security_scheme("oauth2", SecurityScheme::OAuth2(OAuth2::new([flow])));
        let basic = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("client_id and client_secret, for the token endpoint only"))
            .build();
        components.add_security_scheme("client_basic", SecurityScheme::Http(basic));
    }
    for item in document.paths.paths.values_mut() {
        let PathItem { get, post, put, patch, delete, .. } = item;
        for operation in [get, post, put, patch, delete].into_iter().flatten() {
            close_lists(operation);
            complete(operation);
        }
    }
    document
}

/// Every operation: its method, its path's pattern and its id.
pub fn operations() -> Vec<(Method, String, String)> {
    let mut operations = Vec::new();
    for (path, item) in document().paths.paths {
        let PathItem { get, post, put, patch, delete, .. } = item;
        let all = [
            (Method::GET, get),
            (Method::POST, post),
            (Method::PUT, put),
            (Method::PATCH, patch),
            (Method::DELETE, delete),
        ];
        for (method, operation) in all {
            let id = operation.and_then(|operation| operation.operation_id);
            operations.extend(id.map(|id| (method, path.clone(), id)));
        }
    }
    operations
}

fn roles_with(scope: Scope) -> String {
    let roles: Vec<&str> = Role::ALL.into_iter().filter(|role| role.may(scope)).map(Role::name).collect();
    format!("For {}", roles.join(", "))
}

/// Parameters that mean the same everywhere and take a word of a closed list.
fn close_lists(operation: &mut Operation) {
    let languages = Language::ALL.map(Language::tag);
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let words: &[&str] = match parameter.name.as_str() {
            "lang" => &languages,
            "mode" => &["merge", "replace"],
            _ => continue,
        };
        if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema {
            schema.enum_values = Some(words.iter().map(|word| (*word).into()).collect());
        }
    }
}

/// Adds what need not be said at each handler: who may, and the errors that any such operation has.
fn complete(operation: &mut Operation) {
    let scopes = scopes_of(operation);
    let public = operation.security.as_ref().is_some_and(|all| all.iter().any(|one| *one == Default::default()));
    let permission = match (scopes.first(), public) {
        (Some(_), true) => "everybody; with a token, also what is for its audience".to_owned(),
        (None, _) if operation.operation_id.as_deref() == Some("issue_token") => "clients, by HTTP Basic".to_owned(),
        (None, _) => "everybody".to_owned(),
        (Some(name), false) => {
            let roles = Scope::from_name(name).map(roles_with).unwrap_or_default();
            format!("scope `{name}`. {roles}")
        }
    };
    let description = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{}\n\n**Permission:** {permission}.", description.trim()));

    let has_path = parameter_is_in(operation, "path");
    let has_query = parameter_is_in(operation, "query");
    let has_body = operation.request_body.is_some();
    let secured = !scopes.is_empty();
    let all = [
        (Code::MalformedRequest, has_query || has_body),
        (Code::InvalidToken, secured),
        (Code::Forbidden, secured),
        (Code::NotFound, has_path),
        (Code::NotAcceptable, true),
        (Code::TooLarge, has_body),
        (Code::UnsupportedMediaType, has_body),
        (Code::ValidationFailed, (has_query || has_body) && secured),
        (Code::Internal, true),
        (Code::Unavailable, true),
    ];
    for (code, applies) in all {
        let status = code.status().as_u16().to_string();
        if applies {
            operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(problem(code.title())));
        }
    }
}

fn problem(description: &str) -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(Problem::name());
    let content: Content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build()
}

fn parameter_is_in(operation: &Operation, place: &str) -> bool {
    let parameters = serde_json::to_value(&operation.parameters).unwrap_or_default();
    parameters.as_array().is_some_and(|all| all.iter().any(|p| p["in"] == place))
}

fn scopes_of(operation: &Operation) -> Vec<String> {
    type Requirement = BTreeMap<String, Vec<String>>;
    let security = serde_json::to_value(&operation.security).unwrap_or_default();
    let requirements: Vec<Requirement> = serde_json::from_value(security).unwrap_or_default();
    requirements.into_iter().flat_map(|mut requirement| requirement.remove("oauth2").unwrap_or_default()).collect()
}

fn serve(body: &web::Bytes, content_type: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .content_type(content_type)
        .body(body.clone())
}

/// This contract as YAML
///
/// OpenAPI 3.1. The same as `openapi.yaml` in the repository.
#[utoipa::path(tag = "contract", operation_id = "get_contract",
    responses((status = 200, description = "The contract", body = serde_json::Value, content_type = "application/yaml")), security(()))]
#[get("/openapi.yaml")]
pub async fn get_contract(state: web::Data<State>) -> HttpResponse {
    serve(&state.contract.yaml, "application/yaml")
}

/// This contract as JSON
///
/// OpenAPI 3.1, for tools that do not read YAML.
#[utoipa::path(tag = "contract", operation_id = "get_contract_json",
    responses((status = 200, description = "The contract", body = serde_json::Value, content_type = "application/json")), security(()))]
#[get("/openapi.json")]
pub async fn get_contract_json(state: web::Data<State>) -> HttpResponse {
    serve(&state.contract.json, "application/json")
}
