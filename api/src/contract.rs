//! The contract: OpenAPI 3.1 made from the code, and served as it is.

mod document;
mod examples;
mod links;
mod parameters;
mod responses;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, get, web};
use utoipa::openapi::path::{Operation, PathItem};

use crate::state::State;

pub use document::document;
#[cfg(test)]
pub(crate) use document::document_with;

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
    for (method, _) in operations_of(item) {
        methods.push(method.to_string());
        if method == Method::GET {
            methods.push(Method::HEAD.to_string());
        }
    }
    methods.push(Method::OPTIONS.to_string());
    methods.join(", ")
}

/// The methods that the contract may have, in the order in which it lists them.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// The operations of a path.
pub(crate) fn operations_of(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    METHODS.into_iter().zip([get, post, put, patch, delete]).filter_map(|(method, one)| Some((method, one.as_ref()?)))
}

/// [`operations_of`], to change them.
pub(crate) fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    METHODS.into_iter().zip([get, post, put, patch, delete]).filter_map(|(method, one)| Some((method, one.as_mut()?)))
}

/// Every operation: its method, its path's pattern and its id.
pub fn operations() -> Vec<(Method, String, String)> {
    let mut operations = Vec::new();
    for (path, item) in document().paths.paths {
        for (method, operation) in operations_of(&item) {
            operations.extend(operation.operation_id.clone().map(|id| (method, path.clone(), id)));
        }
    }
    operations
}

fn serve(body: &web::Bytes, content_type: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .content_type(content_type)
        .body(body.clone())
}

/// This contract as YAML
///
/// OpenAPI 3.1, to generate a client from. The same as `openapi.yaml` in the repository. An app does not
/// call it: what it was built against stays true until a `Deprecation` is announced.
#[utoipa::path(tag = "contract", operation_id = "get_contract",
    responses((status = 200, description = "The contract", body = serde_json::Value, content_type = "application/yaml")), security(()))]
#[get("/openapi.yaml")]
pub async fn get_contract(state: web::Data<State>) -> HttpResponse {
    serve(&state.contract.yaml, "application/yaml")
}

/// This contract as JSON
///
/// OpenAPI 3.1, for tools that do not read YAML. The same document as `/openapi.yaml`.
#[utoipa::path(tag = "contract", operation_id = "get_contract_json",
    responses((status = 200, description = "The contract", body = serde_json::Value, content_type = "application/json")), security(()))]
#[get("/openapi.json")]
pub async fn get_contract_json(state: web::Data<State>) -> HttpResponse {
    serve(&state.contract.json, "application/json")
}
