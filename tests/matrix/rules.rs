//! What each cell must say, by what was agreed: which scope an operation needs, which role carries it, and whose the
//! object is. Written without a look at the code that decides it.

use super::asks::{GETS, LISTS};
use super::identities::{Identity, Kind};

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: what is sent with the request is not looked at.
    Nothing,
    /// A client by its own proof.
    Client,
    /// Nothing, but a token that is sent must be good.
    NoBadToken,
    /// A token with this scope.
    Scope(&'static str),
}

/// Each operation's. An operation that is not here has no rule, and fails the tests.
pub(super) fn need(operation: &str) -> Option<Need> {
    Some(match operation {
        "check_health" | "check_readiness" | "check_writes" | "get_contract" | "get_contract_json"
        | "get_security_txt" => Need::Nothing,
        "list_keys" | "get_authorization_server" => Need::NoBadToken,
        "issue_token" | "revoke_token" | "introspect_token" => Need::Client,
        "list_inf_notes" | "get_inf_note" | "list_bulletins" | "get_bulletin" | "list_entrances" | "get_entrance" => {
            Need::NoBadToken
        }
        "list_organizations" | "get_organization" | "list_units" | "get_unit" | "list_functions" | "get_function"
        | "list_people" | "get_person" | "list_missions" | "get_mission" | "list_services" | "get_service"
        | "get_tree" | "search_directory" | "export_directory" | "synchronise" | "list_rate_cards"
        | "get_rate_card" | "estimate_event" | "list_import_runs" | "get_import_run" => Need::Scope("read"),
        "import_directory" => Need::Scope("directory:import"),
        "import_event_costs" => Need::Scope("event_costs:import"),
        "import_inf_notes" => Need::Scope("inf_notes:import"),
        "import_bulletins" => Need::Scope("bulletins:import"),
        "get_own_account" | "update_own_account" | "list_sessions" | "end_session" | "end_sessions" => {
            Need::Scope("account")
        }
        "list_members" | "invite_member" | "get_member" | "update_member" | "remove_member" => {
            Need::Scope("members:manage")
        }
        "list_accounts"
        | "invite_account"
        | "get_account"
        | "update_account"
        | "remove_account"
        | "send_invitation"
        | "remove_second_factor" => Need::Scope("accounts:manage"),
        "list_clients" | "create_client" | "get_client" | "update_client" | "rotate_client_secret" => {
            Need::Scope("clients:manage")
        }
        "list_audit_entries" | "export_audit" => Need::Scope("audit:read"),
        _ => return None,
    })
}

/// Whether content for this audience is shown to somebody.
fn sees(by: &Identity, audience: &str) -> bool {
    let reads = by.may("read");
    match audience {
        "public" => true,
        "delegates" => reads,
        "ours" => reads,
        "theirs" | "secretariat" => reads && !by.is_of_a_mission(),
        // drafts, what is under an embargo, and what there is not
        _ => false,
    }
}

/// Whether somebody manages accounts of `whose`.
fn manages(by: &Identity, whose: &str) -> bool {
    let all = by.has_role("admin");
    by.may("members:manage") && (whose == "ours" || (all && ["theirs", "secretariat", "own"].contains(&whose)))
}

fn shown(is: bool) -> &'static str {
    if is { "200 shown" } else { "200 not shown" }
}

fn found(is: bool, status: &'static str) -> &'static str {
    if is { status } else { "404" }
}

/// The answer to an operation about an object.
pub(super) fn answer(operation: &str, object: &str, by: &Identity) -> &'static str {
    let need = need(operation).unwrap_or_else(|| panic!("{operation} has no rule"));
    match need {
        Need::Nothing => return "200",
        Need::Client => return oauth(operation, object, by),
        Need::NoBadToken if by.is_refused() => return "401",
        Need::NoBadToken => {}
        Need::Scope(_) if by.is_refused() || by.kind == Kind::Stranger => return "401",
        Need::Scope(scope) if !by.may(scope) => return "403",
        Need::Scope(_) => {}
    }
    if GETS.iter().any(|(get, _)| *get == operation) || operation == "get_tree" {
        return found(sees(by, object), "200");
    }
    if object == "source-keys" {
        return if by.may("directory:import") { "200" } else { "403" };
    }
    if LISTS.iter().any(|(list, ..)| *list == operation) {
        return shown(sees(by, object));
    }
    let is_there = !["removed", "ended", "none", "malformed"].contains(&object);
    match operation {
        "synchronise" => shown(sees(by, object.split_once(':').unwrap().1)),
        "estimate_event" => shown(sees(by, object)),
        "list_import_runs" => shown(object == "own" || by.has_role("admin")),
        "get_import_run" => found(object == "own" || (by.has_role("admin") && object == "another's"), "200"),
        "list_keys"
        | "get_authorization_server"
        | "get_security_txt"
        | "get_own_account"
        | "update_own_account"
        | "list_audit_entries"
        | "export_audit"
        | "import_directory"
        | "import_event_costs"
        | "import_inf_notes"
        | "import_bulletins" => "200",

        "list_accounts" => shown(is_there),
        "get_account" | "update_account" => found(is_there, "200"),
        "remove_account" if object == "own" => "409",
        "remove_account" | "send_invitation" | "remove_second_factor" => found(is_there, "204"),
        "invite_account" => {
            if object == "none" {
                "422"
            } else {
                "201"
            }
        }

        "list_sessions" => found(["-", "own"].contains(&object) || manages(by, object), "200"),
        "end_sessions" => found(["-", "own"].contains(&object) || manages(by, object), "204"),
        "end_session" => found(["current", "own"].contains(&object) || manages(by, object), "204"),

        "invite_member" => found(has_mission(by, object), "201"),
        "list_members" => {
            let (mission, account) = object.split_once('/').unwrap();
            if has_mission(by, mission) { shown(mission == account) } else { "404" }
        }
        "get_member" | "update_member" | "remove_member" => {
            let (mission, account) = object.split_once('/').unwrap();
            let is_own = account == "own";
            let is = has_mission(by, mission) && (mission == account || is_own);
            match operation {
                "remove_member" if is && is_own => "409",
                "remove_member" => found(is, "204"),
                _ => found(is, "200"),
            }
        }

        "list_clients" => "200 shown",
        "get_client" | "update_client" => found(is_there, "200"),
        "rotate_client_secret" => found(is_there && object != "app", "200"),
        // What one person signs with two clients would not be signed by two persons.
        "create_client" => {
            if ["approver", "integrator-of-none"].contains(&object) {
                "422"
            } else {
                "201"
            }
        }
        _ => panic!("{operation} has no rule"),
    }
}

/// Whether the people of a mission are somebody's to manage.
fn has_mission(by: &Identity, mission: &str) -> bool {
    mission == "ours" || (mission == "theirs" && by.has_role("admin"))
}

/// The endpoints of OAuth take no access token: the client proves itself.
fn oauth(operation: &str, object: &str, by: &Identity) -> &'static str {
    let (is_service, is_nobody) = (by.kind == Kind::Service, matches!(by.kind, Kind::Stranger | Kind::Forged));
    match (operation, object) {
        _ if is_nobody => "401",
        ("issue_token", _) => {
            if is_service {
                "200"
            } else {
                "400"
            }
        }
        ("revoke_token", "another-app's") => "400",
        // a service's tokens are revoked together, by another secret
        ("revoke_token", "own") if is_service => "400",
        ("revoke_token", _) => "200",
        // RFC 7662 §4: who has no secret could try tokens out.
        ("introspect_token", _) if !is_service => "401",
        ("introspect_token", _) => shown(object == "own" || (object == "ours" && by.is_of_a_mission())),
        _ => panic!("{operation} has no rule"),
    }
}
