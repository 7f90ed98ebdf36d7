//! The contract: what is committed is what is served, and who may do what is as it says.

use domain::{Role, Scope, Scopes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::rows::With;
use crate::harness::{Who, World, people, top};

/// What takes no access token, because a client proves itself in another way or not at all.
const OAUTH: [&str; 3] = ["issue_token", "revoke_token", "introspect_token"];

/// What strangers may do: the endpoints of OAuth, keys, contract, docs, health, and what is published for everybody.
const FOR_STRANGERS: [&str; 17] = [
    "issue_token",
    "revoke_token",
    "introspect_token",
    "get_authorization_server",
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

fn document() -> Value {
    serde_json::to_value(api::contract::document()).unwrap()
}

/// What is there, or what a reference in its place names.
fn resolve(document: &Value, part: &Value) -> Value {
    match part["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap().clone(),
        None => part.clone(),
    }
}

fn parameters(document: &Value, operation: &Operation) -> Vec<Value> {
    operation.document["parameters"].as_array().into_iter().flatten().map(|p| resolve(document, p)).collect()
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes = security.iter().filter_map(|one| one["oauth2"].as_array()).flatten();
            let body = operation["requestBody"]["content"].as_object();
            // It would sign out whoever asks.
            let path = &if operation["operationId"] == "end_sessions" {
                format!("{path}?account={}", uuid::Uuid::nil())
            } else {
                path.clone()
            };
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
            let refused = status == 401 && !OAUTH.contains(&operation.id.as_str());
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
    let who = state.tokens.verify(&wide, &state.store.identities().keys).unwrap().who;
    let narrow = people::issue(&world.server, who, Scopes::parse("read"));
    let no_read = people::issue(&world.server, who, Scopes::parse("directory:import"));
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
    let document = document();
    for operation in operations() {
        let id = &operation.id;
        let text = |field: &str| operation.document[field].as_str().unwrap_or_default().to_owned();
        assert!((5..=60).contains(&text("summary").len()), "{id} has a summary");
        let (said, added) =
            text("description").split_once("**Permission:**").map(|(a, b)| (a.len(), b.to_owned())).unwrap();
        assert!(said > 80, "{id} says what it is for and when to call it");
        assert!(added.contains("**On errors:**"), "{id} says what to do on errors");
        for parameter in parameters(&document, &operation) {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            assert!(parameter["description"].as_str().is_some_and(|d| !d.is_empty()), "{id} {name} is described");
            let is_example_needed = parameter["required"] == true;
            assert!(!is_example_needed || !parameter["example"].is_null(), "{id} {name} has an example");
            let is_open = ["enum", "format", "pattern", "maxLength"].iter().all(|limit| schema[limit].is_null());
            let is_query = parameter["in"] == "query";
            assert!(!(is_query && schema["type"] == "string" && is_open), "{id} {name} says which text it takes");
        }
    }
}

#[test]
fn every_operation_tells_each_status_it_can_answer() {
    let document = document();
    for operation in operations() {
        let id = &operation.id;
        let told = operation.document["responses"].as_object().unwrap();
        let answers: Vec<&str> = told.keys().map(String::as_str).collect();
        let has = |place: &str| parameters(&document, &operation).iter().any(|p| p["in"] == place);
        let (has_query, has_body) = (has("query"), operation.body.is_some());
        let is_secured = !operation.scopes.is_empty();
        let is_public = FOR_STRANGERS.contains(&id.as_str());
        let success = told.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
        let tag = resolve(&document, &resolve(&document, success)["headers"]["ETag"]);
        let is_cached = tag["description"].as_str().is_some_and(|text| text.contains("If-None-Match"));
        let is_edit = parameters(&document, &operation).iter().any(|p| p["name"] == "If-Match");
        for (status, applies) in [
            ("304", is_cached),
            ("400", has_query || has_body),
            ("401", is_secured),
            ("403", is_secured && !is_public),
            ("404", has("path")),
            ("406", true),
            ("408", has_body),
            ("412", is_edit),
            ("413", has_body),
            ("415", has_body),
            ("422", has_query || (has_body && is_secured)),
            ("428", is_edit),
            ("429", is_secured || has_body),
            ("500", true),
            ("503", true),
        ] {
            assert!(!applies || answers.contains(&status), "{id} tells {status}");
        }
        for (status, response) in told {
            let response = resolve(&document, response);
            assert!(response["description"].as_str().is_some_and(|d| !d.is_empty()), "{id} describes {status}");
            let headers = match status.as_str() {
                "401" | "403" => vec!["X-Request-Id", "WWW-Authenticate"],
                "429" | "503" => vec!["X-Request-Id", "Retry-After"],
                _ => vec!["X-Request-Id"],
            };
            for header in headers {
                let header = resolve(&document, &response["headers"][header]);
                assert!(header["schema"].is_object() && header["description"].is_string(), "{id} {status} {header}");
            }
            let is_oauth = OAUTH.contains(&id.as_str()) && ["400", "401"].contains(&status.as_str());
            if !status.starts_with(['2', '3']) && !is_oauth {
                let content = &response["content"]["application/problem+json"];
                assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{id} {status}");
                assert_eq!(content["example"]["status"].to_string(), *status, "{id} {status} has an example");
            }
        }
    }
}

#[test]
fn every_body_has_an_example() {
    let document = document();
    for operation in operations() {
        for (media_type, content) in operation.document["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(!content["example"].is_null(), "{} shows a request in {media_type}", operation.id);
        }
        for (status, response) in operation.document["responses"].as_object().unwrap() {
            for (media_type, content) in resolve(&document, response)["content"].as_object().into_iter().flatten() {
                assert!(!content["example"].is_null(), "{} shows its {status} in {media_type}", operation.id);
            }
        }
    }
}

#[test]
fn every_example_is_one_that_its_schema_allows() {
    let document = document();
    let mut checked = 0;
    let mut examples: Vec<(String, Value, Value)> = Vec::new();
    for operation in operations() {
        let id = &operation.id;
        let responses = operation.document["responses"].as_object().unwrap();
        let responses =
            responses.iter().map(|(status, response)| (format!("{id} {status}"), resolve(&document, response)));
        let request = (format!("{id} request"), operation.document["requestBody"].clone());
        for (place, holder) in responses.chain([request]) {
            for content in holder["content"].as_object().into_iter().flat_map(|content| content.values()) {
                examples.push((place.clone(), content["schema"].clone(), content["example"].clone()));
            }
        }
        for parameter in parameters(&document, &operation) {
            let place = format!("{id} {}", parameter["name"]);
            examples.push((place, parameter["schema"].clone(), parameter["example"].clone()));
        }
    }
    for (name, header) in document["components"]["headers"].as_object().unwrap() {
        examples.push((name.clone(), header["schema"].clone(), header["example"].clone()));
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        examples.push((name.clone(), schema.clone(), schema["example"].clone()));
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            examples.push((format!("{name}.{property}"), schema.clone(), schema["example"].clone()));
        }
    }
    for (place, schema, example) in examples.into_iter().filter(|(.., example)| !example.is_null()) {
        let whole = json!({"allOf": [schema], "components": document["components"]});
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&example).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{place}: {faults:?} in {example}");
        checked += 1;
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn every_link_leads_to_an_operation_and_a_parameter_of_it() {
    let document = document();
    let operations = operations();
    let mut links = 0;
    for operation in &operations {
        for (status, response) in operation.document["responses"].as_object().unwrap() {
            for (name, link) in resolve(&document, response)["links"].as_object().into_iter().flatten() {
                let target = operations.iter().find(|o| link["operationId"] == *o.id);
                let target = target.unwrap_or_else(|| panic!("{} {status} {name} leads nowhere", operation.id));
                let known: Vec<Value> = parameters(&document, target).into_iter().map(|p| p["name"].clone()).collect();
                for parameter in link["parameters"].as_object().unwrap().keys() {
                    assert!(known.contains(&json!(parameter)), "{} {name} {parameter}", operation.id);
                }
                links += 1;
            }
        }
    }
    assert!(links > 20, "{links}");
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
    let document = document();
    for operation in operations() {
        let is_health = operation.path == "/healthz" || operation.path.starts_with("/readyz");
        let responses = &operation.document["responses"];
        let told = |status: &str| {
            let response = resolve(&document, &responses[status]);
            response["headers"]["RateLimit"]["$ref"] == "#/components/headers/RateLimit"
        };
        let success = responses.as_object().unwrap().keys().find(|status| status.starts_with('2')).unwrap();
        assert_eq!((told(success), told("429")), (!is_health, !is_health), "{}", operation.id);
        let description = operation.document["description"].as_str().unwrap();
        assert_eq!(description.contains("**Budget:**"), !is_health, "{}", operation.id);
    }
}

#[test]
fn operation_ids_are_unique() {
    let ids: Vec<String> = operations().into_iter().map(|o| o.id).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
}
