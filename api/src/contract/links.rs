//! Links (OpenAPI's): from an answer to the operation that continues it.

use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::{RefOr, Response};

/// From the first entry of a list to what can be asked about it, beside the entry itself: the list, the operation,
/// its parameter.
const ABOUT: &[(&str, &str, &str)] = &[
    ("list_organizations", "get_tree", "root"),
    ("list_organizations", "list_units", "organization"),
    ("list_organizations", "list_missions", "organization"),
    ("list_units", "get_tree", "root"),
    ("list_units", "list_units", "parent"),
    ("list_units", "list_functions", "unit"),
    ("list_units", "list_people", "unit"),
    ("list_functions", "list_people", "function"),
    ("list_missions", "list_people", "mission"),
];

const FIRST: &str = "$response.body#/items/0/id";

/// Adds the links: a list to its entries and to its next page, a copy to its next delta.
pub(super) fn add(paths: &mut Paths) {
    let entries: Vec<(String, String)> = paths
        .paths
        .iter()
        .filter_map(|(path, item)| Some((path.strip_suffix("/{id}")?.to_owned(), id_of(item.get.as_ref()?)?)))
        .collect();
    for (path, item) in &mut paths.paths {
        let Some(operation) = &mut item.get else { continue };
        let Some(id) = id_of(operation) else { continue };
        let is_paged = operation.parameters.iter().flatten().any(|p| matches!(p, RefOr::T(p) if p.name == "cursor"));
        let Some(RefOr::T(ok)) = operation.responses.responses.get_mut("200") else { continue };
        if let Some((_, entry)) = entries.iter().find(|(list, _)| list == path) {
            link(ok, entry, "The first of them", entry, "id", FIRST);
        }
        if is_paged {
            link(ok, "next_page", "The next page", &id, "cursor", "$response.body#/next_cursor");
        }
        for (_, about, parameter) in ABOUT.iter().filter(|(list, ..)| *list == id) {
            let name = format!("{about}_by_{parameter}");
            link(ok, &name, "What belongs to the first of them", about, parameter, FIRST);
        }
        if id == "synchronise" {
            link(ok, "next_delta", "What changes from now on", &id, "token", "$response.body#/token");
        }
    }
}

fn id_of(operation: &Operation) -> Option<String> {
    operation.operation_id.clone()
}

fn link(response: &mut Response, name: &str, description: &str, operation: &str, parameter: &str, value: &str) {
    let link: Link =
        LinkBuilder::new().operation_id(operation).description(description).parameter(parameter, value).build();
    response.links.insert(name.to_owned(), RefOr::T(link));
}
