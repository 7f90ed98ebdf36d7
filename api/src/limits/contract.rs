//! What the contract says of the budgets.

use actix_web::http::StatusCode;
use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Object, OpenApi, Ref, RefOr, Response, Type};

use super::Policy;
use crate::contract::operations_mut;

const LIMIT: &str = "RateLimit";
const POLICY: &str = "RateLimit-Policy";

/// Tells each limited operation's budget, its 429, and the headers of both.
pub(crate) fn describe(document: &mut OpenApi) {
    if let Some(components) = document.components.as_mut() {
        let all = [(LIMIT, limit()), (POLICY, policy())];
        components.headers.extend(all.map(|(name, header)| (name.to_owned(), RefOr::T(header))));
        for shared in ["TooManyRequests", "NotModified"] {
            if let Some(RefOr::T(response)) = components.responses.get_mut(shared) {
                refer(response, LIMIT);
                refer(response, POLICY);
            }
        }
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            let policies = [true, false].map(|by_a_client| Policy::of(&method, path, by_a_client));
            if let [Some(of_clients), Some(of_strangers)] = policies {
                tell(operation, of_clients, of_strangers);
            }
        }
    }
}

fn tell(operation: &mut Operation, of_clients: Policy, of_strangers: Policy) {
    let for_strangers = operation.security.as_ref().is_some_and(|all| all.contains(&SecurityRequirement::default()));
    let budget = match for_strangers && of_clients != of_strangers {
        true => format!("`{}`; without a token `{}`", of_clients.name(), of_strangers.name()),
        false => format!("`{}`", of_clients.name()),
    };
    let description = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{description}\n\n**Budget:** {budget}."));
    let too_many = StatusCode::TOO_MANY_REQUESTS.as_str();
    let responses = &mut operation.responses.responses;
    responses.entry(too_many.to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name("TooManyRequests")));
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status == too_many || status.starts_with('2') || status.starts_with('3') {
            refer(response, LIMIT);
            refer(response, POLICY);
        }
    }
}

fn refer(response: &mut Response, header: &str) {
    let reference = Ref::new(format!("#/components/headers/{header}"));
    response.headers.insert(header.to_owned(), RefOr::Ref(reference));
}

fn limit() -> Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some(
            "What is left of the budget (draft-ietf-httpapi-ratelimit-headers-11): `r` requests. Spread over `t` \
            seconds they come back as fast as you use them. Left out where the operator has set no limit",
        ))
        .example(Some(json!("\"default\";r=5921;t=60")))
        .build()
}

fn policy() -> Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some("The budget: its name, and `q` requests in `w` seconds"))
        .example(Some(json!("\"default\";q=6000;w=60")))
        .build()
}
