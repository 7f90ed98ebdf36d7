//! The contract: what is committed is what is served, and who may do what is as it says.

use domain::{Role, Scope};
use reqwest::Method;
use serde_json::Value;

use crate::harness::rows::With;
use crate::harness::{Who, World, top};

/// What strangers may do: the token, keys, contract, docs, health, and what is published for everybody.
const FOR_STRANGERS: [&str; 14] = [
    "issue_token",
    "list_keys",
    "get_security_txt",
    "get_contract",
    "get_contract_json",
    "check_health",
    "check_readiness",
    "check_writes",
    "list_inf_notes",
    "get_inf_note",
    "list_bulletins",
    "get_bulletin",
    "list_entrances",
    "get_entrance",
];

struct Operation {
    id: String,
    method: Method,
    path: String,
    scopes: Vec<String>,
    body: Option<String>,
    document: Value,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes = security.iter().filter_map(|one| one["oauth2"].as_array()).flatten();
            let body = operation["requestBody"]["content"].as_object();
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", "0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11"),
                scopes: scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect(),
                body: body.map(|content| content.keys().next().unwrap().clone()),
                document: operation.clone(),
            });
        }
    }
    operations
}

async fn ask(world: &World, operation: &Operation, who: Who<'_>) -> u16 {
    let mut request = world.request(operation.method.clone(), &operation.path, who);
    if let Some(media_type) = &operation.body {
        request = request.header("content-type", media_type).body("");
    }
    world.send(request).await.status.as_u16()
}

#[test]
fn the_committed_contract_is_the_one_the_code_makes() {
    let committed = std::fs::read_to_string(top().join("openapi.yaml")).unwrap();
    let made = api::contract::document().to_yaml().unwrap();
    assert!(committed == made, "openapi.yaml differs: focalpoint openapi > openapi.yaml");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_served_as_it_is_committed() {
    let world = World::empty().await;
    let yaml = world.get("/openapi.yaml", Who::Stranger).await.expect(200);
    assert_eq!(yaml.bytes, std::fs::read(top().join("openapi.yaml")).unwrap());
    let json = world.get("/openapi.json", Who::Stranger).await.expect(200).json();
    assert_eq!(json["openapi"], "3.1.0");
    let docs = world.get("/docs/", Who::Stranger).await.expect(200);
    let html = String::from_utf8(docs.bytes).unwrap();
    assert!(
        !html.contains("https://") && html.contains("swagger-ui"),
        "the docs page needs nothing from outside: {html}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_outside_a_short_list_refuses_strangers() {
    let world = World::empty().await;
    for operation in operations() {
        let status = ask(&world, &operation, Who::Stranger).await;
        if FOR_STRANGERS.contains(&operation.id.as_str()) {
            let refused = status == 401 && operation.id != "issue_token";
            assert!(!refused, "{} is for strangers, too: {status}", operation.id);
        } else {
            assert_eq!(status, 401, "{}", operation.id);
            assert!(!operation.scopes.is_empty(), "{} names its scope", operation.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_the_roles_it_is_not_for() {
    let world = World::empty().await;
    let mut cells = 0;
    for role in Role::ALL {
        let token = world.token(role).await;
        for operation in operations() {
            let Some(scope) = operation.scopes.first() else { continue };
            let may = role.may(Scope::from_name(scope).unwrap());
            let status = ask(&world, &operation, Who::Token(&token)).await;
            assert_eq!(status == 403, !may, "{role:?} {}: {status}", operation.id);
            assert_ne!(status, 401, "{role:?} {}", operation.id);
            cells += 1;
        }
    }
    assert!(cells > 60, "{cells}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_narrower_scope_does_not_do_more() {
    let world = World::empty().await;
    let state = &world.server.state;
    let wide = world.token(Role::Admin).await;
    let client = state.tokens.verify(&wide, &state.store.identities().keys).unwrap().0;
    let narrow = state.tokens.issue(&state.store.identities().keys, client, "read", chrono::Utc::now()).unwrap();
    let no_read =
        state.tokens.issue(&state.store.identities().keys, client, "directory:import", chrono::Utc::now()).unwrap();
    world
        .have("bulletins", &[crate::bulletins::bulletin("inside").with("audience", serde_json::json!("secretariat"))])
        .await;
    let shown =
        async |token: &str| world.get("/v1/bulletins", Who::Token(token)).await.expect(200).json()["items"].clone();
    assert_eq!(shown(&narrow).await.as_array().unwrap().len(), 1);
    assert_eq!(shown(&no_read).await, serde_json::json!([]), "without the scope to read, a token is a stranger's");
    world.get("/v1/directory/units", Who::Token(&narrow)).await.expect(200);
    assert_eq!(world.import("directory", "", &narrow, &[]).await.problem(403), "forbidden");
    assert_eq!(world.import("directory", "", &wide, &[]).await.problem(422), "validation_failed");
}

#[test]
fn every_operation_is_described() {
    for operation in operations() {
        let id = &operation.id;
        let document = &operation.document;
        let text = |field: &str| document[field].as_str().unwrap_or_default().to_owned();
        assert!(!text("summary").is_empty(), "{id} has a summary");
        assert!(text("description").contains("**Permission:**"), "{id} tells its permission");
        for parameter in document["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].as_str().is_some_and(|d| !d.is_empty()), "{id} {parameter}");
        }
        for (status, response) in document["responses"].as_object().unwrap() {
            assert!(response["description"].as_str().is_some_and(|d| !d.is_empty()), "{id} {status}");
        }
        assert!(document["responses"].as_object().unwrap().contains_key("503"), "{id} tells its errors");
    }
}

/// Two types of one name overwrite each other silently; then one of them is left without a reference.
#[test]
fn every_schema_is_referred_to() {
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name}");
    }
}

#[test]
fn every_operation_but_health_tells_its_budget() {
    for operation in operations() {
        let is_health = operation.path == "/healthz" || operation.path.starts_with("/readyz");
        let responses = &operation.document["responses"];
        let told = |status: &str| responses[status]["headers"]["RateLimit"]["$ref"] == "#/components/headers/RateLimit";
        assert_eq!((told("200"), told("429")), (!is_health, !is_health), "{}", operation.id);
        let description = operation.document["description"].as_str().unwrap();
        assert_eq!(description.contains("**Budget:**"), !is_health, "{}", operation.id);
    }
}

#[test]
fn operation_ids_are_unique() {
    let ids: Vec<String> = operations().into_iter().map(|o| o.id).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
}
