//! The routes and what is around them: the same in production and in tests.

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::problem::{ApiError, Code};
use crate::{
    accounts, audit, bulletins, clients, contract, directory, entrances, event_costs, health, imports, inf_notes,
    members, oauth, security_txt, sessions, sync,
};

/// Every operation of the API. They are tried in this order, so those that are asked for most stand first.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(directory::search::search_directory)
        .service(directory::get_person)
        .service(inf_notes::list_inf_notes)
        .service(inf_notes::get_inf_note)
        .service(bulletins::list_bulletins)
        .service(sync::synchronise)
        .service(health::check_health)
        .service(health::check_readiness)
        .service(health::check_writes)
        .service(contract::get_contract)
        .service(contract::get_contract_json)
        .service(oauth::token::issue_token)
        .service(oauth::revocation::revoke_token)
        .service(oauth::introspection::introspect_token)
        .service(oauth::metadata::get_authorization_server)
        .service(oauth::metadata::list_keys)
        .service(security_txt::get_security_txt)
        .service(directory::list_organizations)
        .service(directory::get_organization)
        .service(directory::list_units)
        .service(directory::get_unit)
        .service(directory::list_functions)
        .service(directory::get_function)
        .service(directory::list_people)
        .service(directory::list_missions)
        .service(directory::get_mission)
        .service(directory::list_services)
        .service(directory::get_service)
        .service(directory::get_tree)
        .service(directory::import_directory)
        .service(directory::exports::export_directory)
        .service(inf_notes::import_inf_notes)
        .service(bulletins::get_bulletin)
        .service(bulletins::import_bulletins)
        .service(entrances::list_entrances)
        .service(entrances::get_entrance)
        .service(event_costs::list_rate_cards)
        .service(event_costs::get_rate_card)
        .service(event_costs::estimate_event)
        .service(event_costs::import_event_costs)
        .service(imports::runs::list_import_runs)
        .service(imports::runs::get_import_run)
        .service(audit::list_audit_entries)
        .service(audit::exports::export_audit)
        .service(accounts::get_own_account)
        .service(accounts::update_own_account)
        .service(accounts::list_accounts)
        .service(accounts::invite_account)
        .service(accounts::get_account)
        .service(accounts::update_account)
        .service(accounts::remove_account)
        .service(accounts::send_invitation)
        .service(accounts::remove_second_factor)
        .service(members::list_members)
        .service(members::invite_member)
        .service(members::get_member)
        .service(members::update_member)
        .service(members::remove_member)
        .service(sessions::list_sessions)
        .service(sessions::end_session)
        .service(sessions::end_sessions)
        .service(clients::list_clients)
        .service(clients::create_client)
        .service(clients::get_client)
        .service(clients::update_client)
        .service(clients::rotate_client_secret);
}

/// Gives the framework's own errors this API's codes.
pub fn error_handlers(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::new(Code::NotFound).into()))
        .app_data(web::QueryConfig::default().error_handler(|_, _| ApiError::new(Code::MalformedRequest).into()));
}
