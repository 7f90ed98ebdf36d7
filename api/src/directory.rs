//! The directory: lists, entries, the tree.

pub mod bodies;
pub mod exports;
pub mod imports;
pub mod search;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::{Listing, Published, Tag, answer, answer_kept};
use crate::identity::{Allowed, ImportDirectory, Read};
use crate::imports::{ImportReport, receive};
use crate::kept::{BodyOf, Shape};
use crate::lists::list;
use crate::params::{Lang, Params, id, integer, path_id};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use bodies::{FunctionBody, MissionBody, OrganizationBody, PersonBody, ServiceBody, UnitBody};
use domain::directory::{Function, Mission, Organization, Person, Service, Unit};
use domain::{Broken, DutyStation, Kind, Language, Reader, Rule, Stream};
use edition::Directory;
use edition::directory::Found;
use imports::DirectoryImport;

const STREAMS: &[Stream] = &[Stream::Directory];

fn duty_station(params: &mut Params) -> Option<DutyStation> {
    params.get("duty_station", DutyStation::parse)
}

macro_rules! kind {
    (
        $collection:ident: $value:ident => $body:ident / $page:ident,
        list $list:ident $path:literal [$($param:literal = $param_doc:literal),*] $list_doc:literal, $list_text:literal,
        $wanted:ident;
        get $get:ident $item_path:literal $get_doc:literal, $get_text:literal,
        $render:ident;
    ) => {
        #[doc = concat!("A page of ", stringify!($collection), ".")]
        #[derive(Serialize, ToSchema)]
        pub struct $page {
            /// The entries, by name in the language asked for.
            pub items: Vec<$body>,
            /// The cursor of the next page; absent on the last.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub next_cursor: Option<String>,
        }

        #[doc = $list_doc]
        #[doc = ""]
        #[doc = $list_text]
        #[utoipa::path(
            tag = "directory",
            operation_id = stringify!($list),
            params(
                $(($param = Option<String>, Query, description = $param_doc),)*
                ("limit" = Option<u16>, Query, description = "Entries a page, 1 to 200; 50 when left out", minimum = 1, maximum = 200),
                ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before, or follow the `Link` header"),
                ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
                ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "directory=0"),
            ),
            responses((status = 200, description = "A page", body = $page,
                headers(("Link" = String, description = "`rel=\"next\"` when there is more"), ("ETag" = String, description = "For If-None-Match")))),
            security(("oauth2" = ["read"]))
        )]
        #[get($path)]
        pub async fn $list(
            req: HttpRequest,
            allowed: Allowed<Read>,
            published: Published,
            lang: Lang,
        ) -> Result<HttpResponse, ApiError> {
            let reader = allowed.reader();
            let listing = Listing::of(&req, &published.0, STREAMS, lang.0, reader);
            if let Some(kept) = listing.kept() {
                return Ok(kept);
            }
            let mut params = Params::of(&req)?;
            let paging = params.paging()?;
            let wanted = $wanted(&mut params);
            params.finish()?;
            let page = published.0.directory.$collection.page(reader, lang.0, paging.after.as_ref(), paging.limit, wanted);
            let body = |page: edition::Page<'_, $value>, next_cursor| $page {
                items: page.entries.iter().map(|e| $render(&e.value, &published.0.directory, Rendering::new(reader, lang.0))).collect(),
                next_cursor,
            };
            Ok(list(&req, listing, page, body))
        }

        #[doc = $get_doc]
        #[doc = ""]
        #[doc = $get_text]
        #[utoipa::path(
            tag = "directory",
            operation_id = stringify!($get),
            params(
                ("id" = Uuid, Path, description = "The entry's id"),
                ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
                ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "directory=0"),
            ),
            responses((status = 200, description = "The entry", body = $body,
                headers(("ETag" = String, description = "For If-None-Match")))),
            security(("oauth2" = ["read"]))
        )]
        #[get($item_path)]
        pub async fn $get(
            req: HttpRequest,
            allowed: Allowed<Read>,
            published: Published,
            lang: Lang,
            params: Params,
            path: web::Path<String>,
        ) -> Result<HttpResponse, ApiError> {
            params.finish()?;
            let (id, reader, directory) = (path_id(&path)?, allowed.reader(), &published.0.directory);
            let entry = directory.$collection.get(id, reader).ok_or_else(|| ApiError::new(Code::NotFound))?;
            let of = body_of(&Found::$value(entry), directory, reader, lang.0);
            Ok(answer_kept(&req, &of, reader, || $render(&entry.value, directory, Rendering::new(reader, lang.0))))
        }
    };
}

kind! {
    organizations: Organization => OrganizationBody / OrganizationPage,
    list list_organizations "/v1/directory/organizations" [] "List organizations",
    "The UN Secretariat, offices away from Headquarters, agencies, funds and programmes, and whoever else keeps a \
    directory here, by name. Call it to let the user choose one, or for the id that `/v1/directory/tree` and the \
    `organization` of other lists ask for. To look one up by name or acronym use `/v1/directory/search`.",
    wanted_organizations;
    get get_organization "/v1/directory/organizations/{id}" "Get an organization", "One organization with its former names and how to reach it. Call it when the user opens one, or follows the \
    `organization` of a unit or mission.",
    render_organization;
}

kind! {
    units: Unit => UnitBody / UnitPage,
    list list_units "/v1/directory/units" [
        "organization" = "Only units of this organization, by id",
        "parent" = "Only units directly below this unit, by id",
        "duty_station" = "Only units at this duty station, such as NY"
    ] "List units",
    "Departments, offices, divisions, branches and sections, by name. Call it with `parent` for what is directly below \
    a unit, or with `organization` for all units of one. To draw a tree, `/v1/directory/tree` takes one call in place \
    of many; to look a unit up, `/v1/directory/search` knows its acronym and its former names, too.",
    wanted_units;
    get get_unit "/v1/directory/units/{id}" "Get a unit", "One unit with its acronym, its former names and how to reach it. Call it when the user opens one, or follows the \
    `unit` of a function, person or rate. `parent` and `organization` are the ids of what is above it.",
    render_unit;
}

kind! {
    functions: Function => FunctionBody / FunctionPage,
    list list_functions "/v1/directory/functions" [
        "unit" = "Only functions of this unit, by id",
        "duty_station" = "Only functions at this duty station, such as GVA"
    ] "List functions",
    "Posts that answer for something, whoever holds them, by title. Show their numbers before those of people: they \
    keep ringing somebody when people move on. Call it with `unit` for the posts of one unit. For whom to ask about a \
    matter use `/v1/directory/services` or `/v1/directory/search`.",
    wanted_functions;
    get get_function "/v1/directory/functions/{id}" "Get a function", "One function with how to reach whoever holds it, and the ids of those who do. Call it when the user follows a \
    contact point or a search result; dial `uri` of the first telephone, and show `inside` to who calls from within \
    the house. `holders` may be empty: the number is still the one to ring.",
    render_function;
}

kind! {
    people: Person => PersonBody / PersonPage,
    list list_people "/v1/directory/people" [
        "unit" = "Only people of this unit, by id",
        "mission" = "Only people of this mission, by id",
        "function" = "Only holders of this function, by id",
        "duty_station" = "Only people at this duty station, such as NY"
    ] "List people",
    "People by family name. Call it with `unit`, `mission` or `function` for those of one, such as the staff of a \
    mission. To look somebody up by name use `/v1/directory/search`, which knows all scripts and forgives a wrong \
    letter.",
    wanted_people;
    get get_person "/v1/directory/people/{id}" "Get a person", "One person with the functions they hold and how to reach them. Call it when the user opens somebody. \
    `native_name` is the name in their own script: show it beside `full_name` where there is one.",
    render_person;
}

kind! {
    missions: Mission => MissionBody / MissionPage,
    list list_missions "/v1/directory/missions" [
        "organization" = "Only missions accredited to this organization, by id",
        "duty_station" = "Only missions at this duty station, such as GVA",
        "state" = "Only missions of this State, by ISO 3166-1 alpha-3 code, such as FRA"
    ] "List missions",
    "The Blue Book: Permanent Missions and Observer Missions, by the name of their State in your language. Call it \
    with `duty_station` for those of one place, or with `state` for those of one State. Each carries the State's \
    codes, so that a flag can be shown without another call.",
    wanted_missions;
    get get_mission "/v1/directory/missions/{id}" "Get a mission", "One mission with its State, its formal name and how to reach it. Call it when the user opens one, or follows the \
    `mission` of a person. Its people are at `/v1/directory/people?mission=`.",
    render_mission;
}

kind! {
    services: Service => ServiceBody / ServicePage,
    list list_services "/v1/directory/services" [
        "duty_station" = "Only services with a contact point at this duty station, such as NBO"
    ] "List services",
    "What delegates ask for (a grounds pass, a room for a side event), by name, with the function to ask at each duty \
    station. Call it for a list of common matters; for the user's own words use `/v1/directory/search` with \
    `kind=service`.",
    wanted_services;
    get get_service "/v1/directory/services/{id}" "Get a service", "One service with its contact points by duty station. Call it when the user opens one, then \
    `/v1/directory/functions/{id}` with the `function` of the nearest contact point for the number to ring.",
    render_service;
}

fn wanted_organizations(_: &mut Params) -> impl Fn(&Organization) -> bool + use<> {
    move |_: &Organization| true
}

fn render_organization(o: &Organization, _: &Directory, r: Rendering) -> OrganizationBody {
    OrganizationBody::of(o, r)
}

fn wanted_units(params: &mut Params) -> impl Fn(&Unit) -> bool + use<> {
    let organization = params.get("organization", id);
    let parent = params.get("parent", id);
    let station = duty_station(params);
    move |u: &Unit| {
        organization.is_none_or(|id| u.organization.0 == id)
            && parent.is_none_or(|id| u.parent.is_some_and(|p| p.0 == id))
            && station.as_ref().is_none_or(|s| u.duty_station.as_ref() == Some(s))
    }
}

fn render_unit(u: &Unit, _: &Directory, r: Rendering) -> UnitBody {
    UnitBody::of(u, r)
}

fn wanted_functions(params: &mut Params) -> impl Fn(&Function) -> bool + use<> {
    let unit = params.get("unit", id);
    let station = duty_station(params);
    move |f: &Function| unit.is_none_or(|id| f.unit.0 == id) && station.as_ref().is_none_or(|s| f.duty_station == *s)
}

fn render_function(f: &Function, d: &Directory, r: Rendering) -> FunctionBody {
    FunctionBody::of(f, d, r)
}

/// What the body of an entry is kept by, and its tag with it. A function's body names the holders whom its reader
/// may see; all others are of the entry and the language alone.
fn body_of(found: &Found<'_>, directory: &Directory, reader: Reader, language: Language) -> BodyOf {
    let (kind, id, tag) = match found {
        Found::Organization(entry) => (Kind::Organization, entry.value.id.0, entry.tag),
        Found::Unit(entry) => (Kind::Unit, entry.value.id.0, entry.tag),
        Found::Function(entry) => {
            let holders = directory.holders(&entry.value, reader);
            (Kind::Function, entry.value.id.0, Tag(entry.tag).and(holders).0)
        }
        Found::Person(entry) => (Kind::Person, entry.value.id.0, entry.tag),
        Found::Mission(entry) => (Kind::Mission, entry.value.id.0, entry.tag),
        Found::Service(entry) => (Kind::Service, entry.value.id.0, entry.tag),
    };
    BodyOf { shape: Shape::Object(kind), id, tag, language }
}

fn wanted_people(params: &mut Params) -> impl Fn(&Person) -> bool + use<> {
    let unit = params.get("unit", id);
    let mission = params.get("mission", id);
    let function = params.get("function", id);
    let station = duty_station(params);
    move |p: &Person| {
        unit.is_none_or(|id| p.unit.is_some_and(|u| u.0 == id))
            && mission.is_none_or(|id| p.mission.is_some_and(|m| m.0 == id))
            && function.is_none_or(|id| p.functions.iter().any(|h| h.function.0 == id))
            && station.as_ref().is_none_or(|s| p.duty_station.as_ref() == Some(s))
    }
}

fn render_person(p: &Person, _: &Directory, r: Rendering) -> PersonBody {
    PersonBody::of(p, r)
}

fn wanted_missions(params: &mut Params) -> impl Fn(&Mission) -> bool + use<> {
    let organization = params.get("organization", id);
    let state = params.get("state", iso3);
    let station = duty_station(params);
    move |m: &Mission| {
        organization.is_none_or(|id| m.organization.0 == id)
            && state.as_deref().is_none_or(|code| m.state.as_ref().is_some_and(|s| &*s.iso3 == code))
            && station.as_ref().is_none_or(|s| m.duty_station == *s)
    }
}

fn render_mission(m: &Mission, _: &Directory, r: Rendering) -> MissionBody {
    MissionBody::of(m, r)
}

fn wanted_services(params: &mut Params) -> impl Fn(&Service) -> bool + use<> {
    let station = duty_station(params);
    move |s: &Service| station.as_ref().is_none_or(|code| s.contact_points.iter().any(|p| p.duty_station == *code))
}

fn render_service(s: &Service, _: &Directory, r: Rendering) -> ServiceBody {
    ServiceBody::of(s, r)
}

fn iso3(code: &str) -> Result<String, Broken> {
    match code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        true => Ok(code.to_owned()),
        false => Err(Broken::new(Rule::Format, message!("must be an ISO 3166-1 alpha-3 code, such as FRA"))),
    }
}

/// A unit of the tree with the units below it.
#[derive(Serialize, ToSchema)]
pub struct TreeUnit {
    /// Its id.
    id: Uuid,
    /// Its name.
    #[schema(example = "Department for General Assembly and Conference Management")]
    name: String,
    /// Its acronym.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "DGACM")]
    acronym: Option<String>,
    /// How many units are directly below it.
    #[schema(example = 4)]
    unit_count: usize,
    /// The units directly below it, as far down as asked.
    #[schema(no_recursion)]
    units: Vec<TreeUnit>,
}

/// A part of the tree.
#[derive(Serialize, ToSchema)]
pub struct TreeBody {
    /// The unit or organization it starts at.
    root: Uuid,
    /// The units directly below it.
    units: Vec<TreeUnit>,
}

/// Get a part of the tree
///
/// The units below a unit or an organization, nested, by name. Call it to draw an organization's chart:
/// first with an organization as `root` and `depth=2`, then with a unit whenever the user opens one.
/// `unit_count` tells where there is more below. 404 means that there is no such root, or none for you.
#[utoipa::path(
    tag = "directory",
    operation_id = "get_tree",
    params(
        ("root" = Uuid, Query, description = "The id of a unit or an organization"),
        ("depth" = Option<u8>, Query, description = "Levels, 1 to 10; 2 when left out", minimum = 1, maximum = 10),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait up to 2 seconds for a revision, as `Sync-Rev` tells it", example = "directory=0"),
    ),
    responses(
        (status = 200, description = "The units below", body = TreeBody, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 404, description = "No such unit or organization", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/directory/tree")]
pub async fn get_tree(
    req: HttpRequest,
    allowed: Allowed<Read>,
    published: Published,
    lang: Lang,
    mut params: Params,
) -> Result<HttpResponse, ApiError> {
    let root = params.require("root", id);
    let depth = params.get("depth", |text| integer(text, 1, 10)).unwrap_or(2);
    params.finish()?;
    let (reader, directory) = (allowed.reader(), &published.0.directory);
    let visible = |id| directory.units.get(id, reader).is_some() || directory.organizations.get(id, reader).is_some();
    let root = root.filter(|id| visible(*id)).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let tag = Tag::of_list(&published.0, STREAMS, &req);
    Ok(answer(&req, tag, lang.0, reader, || TreeBody { root, units: tree(directory, root, depth, reader, lang.0) }))
}

fn tree(directory: &Directory, root: Uuid, depth: i64, reader: Reader, language: Language) -> Vec<TreeUnit> {
    let units = directory.units_below(root, reader, language).into_iter().map(|entry| {
        let below = directory.units_below(entry.value.id.0, reader, language).len();
        TreeUnit {
            id: entry.value.id.0,
            name: entry.value.name.get(language).1.to_owned(),
            acronym: entry.value.acronym.as_ref().map(|a| a.get(language).1.to_owned()),
            unit_count: below,
            units: match depth {
                ..=1 => Vec::new(),
                depth => tree(directory, entry.value.id.0, depth - 1, reader, language),
            },
        }
    });
    units.collect()
}

/// Import the directory
///
/// For an office's nightly script; apps do not call it. The body is NDJSON: one organization, unit,
/// function, person, mission or service a line, in any order; rows refer to others by key, in the file or
/// already there, `source:key` for another source's.
///
/// As CSV (`text/csv`, UTF-8, header in the first line) a column's name is the path of a field (`name.en`,
/// `contact.telephones.0.number`) and an empty cell an absent field; `GET /v1/exports/directory` writes the same
/// form.
///
/// All rows or none: 422 reports each bad one with line, field and rule. Rows are found again by source
/// and key, so that ids survive; the same file again changes nothing, so after a broken connection or a
/// 503 simply send it again. `mode=replace` also closes the source's entries that are not in the file;
/// more than 10 % of them only with `force=true`, else 409. Try a new file with `dry_run=true` first.
/// `Sync-Rev` names the revision written. With `Prefer: respond-async` the answer is 202 as soon as the file has
/// arrived, and `Location` tells where to see how far it is.
#[utoipa::path(
    tag = "imports",
    operation_id = "import_directory",
    params(
        ("source" = String, Query, description = "The name of the system the rows come from: a-z, 0-9 and -", example = "hr"),
        ("dry_run" = Option<bool>, Query, description = "Do it all and keep nothing"),
        ("mode" = Option<String>, Query, description = "`merge` (when left out) or `replace`", example = "merge"),
        ("force" = Option<bool>, Query, description = "Close more than 10 % of the source's entries if need be"),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer 202 as soon as the file has arrived, and go on without the request (RFC 7240)"),
    ),
    request_body(
        description = "One JSON object a line, or CSV with the names of the columns in the first line; at most 1 MiB a line and 32 MiB in all",
        content(
            (imports::DirectoryRow = "application/x-ndjson", example = json!({"kind": "organization", "key": "unog", "audience": "public", "name": {"en": "United Nations Office at Geneva"}, "provenance": {"confidence": "official", "citation": "https://www.ungeneva.org"}})),
            (String = "text/csv", example = "kind,key,name.en,provenance.confidence\r\norganization,unog,United Nations Office at Geneva,sample\r\n"),
        ),
    ),
    responses(
        (status = 200, description = "What was done", body = ImportReport,
            headers(("Sync-Rev" = String, description = "The revision written, `directory=12`; absent when nothing changed"), ("Import-Run" = String, description = "The run's id, for `/v1/imports/{id}`; also on refusals"))),
        (status = 202, description = "The file has arrived, and the import goes on", body = crate::imports::runs::ImportRun,
            headers(("Location" = String, description = "Where to see how far it is"))),
        (status = 409, description = "`mode=replace` would close too many entries", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["directory:import"]))
)]
#[post("/v1/imports/directory")]
pub async fn import_directory(
    req: HttpRequest,
    allowed: Allowed<ImportDirectory>,
    params: Params,
    body: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    receive::<DirectoryImport, _>(&req, &allowed, params, body, &state).await
}
