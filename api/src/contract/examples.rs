//! Examples: what the demonstration data answers, in `examples/<operation>.json`, put in their places.
//!
//! `script/make-examples` takes the answers from a running server. A file has `response` (the body of the 200 or 201) and
//! may have `parameters` and `request`, where the handler does not give them already, and `other_forms`, by media
//! type. A run that has only begun, which every import may answer, is in the file of `get_import_run`.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::path::{Operation, ParameterBuilder};
use utoipa::openapi::{Content, RefOr};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    #[serde(default)]
    parameters: Map<String, Value>,
    request: Option<Value>,
    response: Value,
    #[serde(default)]
    other_forms: Map<String, Value>,
    begun: Option<Value>,
}

impl Example {
    fn of(operation: &str) -> Option<Self> {
        let (_, file) = FILES.iter().find(|(of, _)| *of == operation)?;
        Some(serde_json::from_str(file).expect("the examples are compiled in, and a test reads them all"))
    }
}

macro_rules! files {
    ($($operation:literal,)*) => {
        &[$(($operation, include_str!(concat!("examples/", $operation, ".json")))),*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "check_health",
    "check_readiness",
    "check_writes",
    "create_client",
    "estimate_event",
    "export_audit",
    "export_directory",
    "get_account",
    "get_authorization_server",
    "get_bulletin",
    "get_client",
    "get_contract",
    "get_contract_json",
    "get_entrance",
    "get_function",
    "get_import_run",
    "get_inf_note",
    "get_member",
    "get_mission",
    "get_organization",
    "get_own_account",
    "get_person",
    "get_rate_card",
    "get_security_txt",
    "get_service",
    "get_tree",
    "get_unit",
    "import_bulletins",
    "import_directory",
    "import_event_costs",
    "import_inf_notes",
    "introspect_token",
    "invite_account",
    "invite_member",
    "issue_token",
    "list_accounts",
    "list_audit_entries",
    "list_bulletins",
    "list_clients",
    "list_entrances",
    "list_functions",
    "list_import_runs",
    "list_inf_notes",
    "list_keys",
    "list_members",
    "list_missions",
    "list_organizations",
    "list_people",
    "list_rate_cards",
    "list_services",
    "list_sessions",
    "list_units",
    "revoke_token",
    "rotate_client_secret",
    "search_directory",
    "synchronise",
    "update_account",
    "update_client",
    "update_member",
    "update_own_account",
};

/// Puts an operation's examples in their places.
pub(super) fn apply(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let Some(example) = Example::of(&id) else { return };
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(known) = parameter
            && let Some(value) = example.parameters.get(&known.name)
        {
            let known = std::mem::take(known);
            *parameter = RefOr::T(ParameterBuilder::from(known).example(Some(value.clone())).build());
        }
    }
    if let (Some(request), Some(RefOr::T(body))) = (example.request, &mut operation.request_body) {
        body.content.values_mut().for_each(|content| set(content, &request));
    }
    let responses = &mut operation.responses.responses;
    let success = if responses.contains_key("201") { "201" } else { "200" };
    if let Some(RefOr::T(ok)) = responses.get_mut(success) {
        for (media_type, content) in &mut ok.content {
            set(content, example.other_forms.get(media_type).unwrap_or(&example.response));
        }
    }
    if let (Some(RefOr::T(accepted)), Some(begun)) =
        (responses.get_mut("202"), Example::of("get_import_run").and_then(|run| run.begun))
    {
        accepted.content.values_mut().for_each(|content| set(content, &begun));
    }
}

fn set(content: &mut RefOr<Content>, example: &Value) {
    if let RefOr::T(content) = content {
        content.example = Some(example.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_belongs_to_an_operation() {
        let document = serde_json::to_string(&super::super::document()).unwrap();
        for (operation, file) in FILES {
            serde_json::from_str::<Example>(file).unwrap_or_else(|e| panic!("{operation}: {e}"));
            assert!(document.contains(&format!("\"operationId\":\"{operation}\"")), "{operation}");
        }
    }
}
