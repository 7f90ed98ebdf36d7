//! What is another mission's: named in a path, a query, a cursor, a header, it is answered as what does not exist, and
//! as fast.

use std::collections::BTreeMap;
use std::time::Instant;

use api::identity::Who as Named;
use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bulletins::bulletin;
use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::samples::Samples;
use crate::harness::{Reply, Who, World, people};

/// How often each of the two is asked for.
const TIMES: usize = 300;

/// What is for the other mission alone, and where it is read.
const THEIRS: [(&str, &str); 9] = [
    ("organization", "/v1/directory/organizations"),
    ("unit", "/v1/directory/units"),
    ("function", "/v1/directory/functions"),
    ("person", "/v1/directory/people"),
    ("mission", "/v1/directory/missions"),
    ("inf_note", "/v1/inf-notes"),
    ("bulletin", "/v1/bulletins"),
    ("place", "/v1/entrances"),
    ("rate_card", "/v1/event-costs/rate-cards"),
];

struct Scene {
    world: World,
    ours: Uuid,
    theirs: Uuid,
    ids: BTreeMap<&'static str, Uuid>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::empty().await;
        let rows = [
            organization("un").with("audience", json!("public")),
            mission("ours", "un"),
            mission("theirs", "un"),
            unit("base", "un").with("audience", json!("public")),
        ];
        world.have("directory", &rows).await;
        let for_theirs = |row: Value| row.with("audience", json!({"missions": ["theirs"]}));
        let rows = [
            organization("organization"),
            unit("unit", "un"),
            function("function", "base"),
            person("person", "Secretperson"),
            mission("mission", "un"),
        ];
        world.have("directory", &rows.map(for_theirs)).await;
        let note = json!({"kind": "inf_note", "key": "inf_note", "symbol": "A/INF/81/9", "provenance": {"confidence": "sample"},
            "texts": {"en": {"title": "Secretnote", "confidence": "sample"}}});
        world.have("inf-notes", &[for_theirs(note)]).await;
        let place = json!({"kind": "place", "key": "place", "place_kind": "entrance", "duty_station": "NY",
            "time_zone": "America/New_York", "name": {"en": "Secretgate"}, "provenance": {"confidence": "sample"},
            "openings": [{"state": "open", "passes": ["delegate"], "provenance": {"confidence": "sample"}}]});
        world.have("bulletins", &[for_theirs(bulletin("bulletin")), for_theirs(place)]).await;
        let card = json!({"kind": "rate_card", "key": "rate_card", "duty_station": "NY", "title": {"en": "Secretrates"},
            "valid_from": "2027-01-01", "currency": "USD", "rates": [], "provenance": {"confidence": "sample"}});
        world.have("event-costs", &[for_theirs(card)]).await;
        let psql = world.database.psql().await;
        let id = async |table: &str, key: &str| -> Uuid {
            let query = format!("select id from {table} where source_key = $1");
            psql.query_one(&query, &[&key]).await.unwrap().get(0)
        };
        let mut ids = BTreeMap::new();
        for (table, _) in THEIRS {
            ids.insert(table, id(table, table).await);
        }
        let (ours, theirs) = (id("mission", "ours").await, id("mission", "theirs").await);
        Self { world, ours, theirs, ids }
    }
}

/// An answer without what names the request, the moment, or the address that was asked for.
fn settled(reply: &Reply) -> (u16, BTreeMap<String, String>, Value) {
    let volatile = ["x-request-id", "date", "ratelimit", "etag", "link"];
    let told = reply.headers.iter().filter(|(name, _)| !volatile.contains(&name.as_str()));
    let headers = told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body: Value = serde_json::from_slice(&reply.bytes).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (reply.status.as_u16(), headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_to_name_what_is_anothers_tells_it_from_what_is_not_there() {
    let scene = Scene::new().await;
    let Scene { world, ours, theirs, ids } = &scene;
    let callers = [
        world.token_for(Role::Delegate, Some(*ours)).await,
        world.token_for(Role::MissionAdmin, Some(*ours)).await,
        world.token_for(Role::Integrator, Some(*ours)).await,
    ];
    let owner = world.token_for(Role::Delegate, Some(*theirs)).await;
    let officer = world.token(Role::Editor).await;
    let same = async |caller: &str, method: Method, one: &str, none: &str, headers: &[(&'static str, String)]| {
        let ask = async |path: &str| {
            let mut request = world.request(method.clone(), path, Who::Token(caller));
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            world.send(request).await
        };
        let (one_told, none_told) = (settled(&ask(one).await), settled(&ask(none).await));
        assert_eq!(one_told, none_told, "{method} {one} {headers:?}");
        one_told.0
    };
    for (table, path) in THEIRS {
        let (one, none) = (format!("{path}/{}", ids[table]), format!("{path}/{}", Uuid::now_v7()));
        let mut tags = vec!["*".to_owned(), "W/\"x\"".to_owned()];
        for reader in [&owner, &officer] {
            let seen = world.get(&one, Who::Token(reader)).await.expect(200);
            tags.push(seen.header("etag").unwrap().to_owned());
        }
        for caller in &callers {
            for method in [Method::GET, Method::HEAD, Method::DELETE, Method::PATCH, Method::OPTIONS] {
                let expected = match method.as_str() {
                    "GET" | "HEAD" => 404,
                    "OPTIONS" => 204,
                    _ => 405,
                };
                for tag in &tags {
                    for header in ["if-none-match", "if-match"] {
                        let status = same(caller, method.clone(), &one, &none, &[(header, tag.clone())]).await;
                        assert_eq!(status, expected, "{method} {one} {header} {tag}");
                    }
                }
                let headers = [
                    ("accept-language", "fr".to_owned()),
                    ("accept-encoding", "gzip".into()),
                    ("if-modified-since", "Wed, 21 Oct 2099 07:28:00 GMT".into()),
                    ("range", "bytes=0-0".into()),
                ];
                same(caller, method, &one, &none, &headers).await;
            }
        }
    }
    // As the filter of a list.
    let filters = [
        ("/v1/directory/units?organization", "organization"),
        ("/v1/directory/units?parent", "unit"),
        ("/v1/directory/functions?unit", "unit"),
        ("/v1/directory/people?unit", "unit"),
        ("/v1/directory/people?function", "function"),
        ("/v1/directory/people?mission", "mission"),
        ("/v1/directory/missions?organization", "organization"),
        ("/v1/directory/tree?root", "unit"),
        ("/v1/directory/tree?root", "organization"),
    ];
    for caller in &callers {
        for (filter, table) in filters {
            let (one, none) = (format!("{filter}={}", ids[table]), format!("{filter}={}", Uuid::now_v7()));
            let status = same(caller, Method::GET, &one, &none, &[]).await;
            assert_eq!(status, if filter.contains("root") { 404 } else { 200 }, "{one}");
        }
        for (one, none) in [
            ("/v1/inf-notes?symbol=A/INF/81/9", "/v1/inf-notes?symbol=A/INF/81/8"),
            ("/v1/inf-notes?q=Secretnote", "/v1/inf-notes?q=Nosuchnote"),
            ("/v1/directory/search?q=Secretperson", "/v1/directory/search?q=Nosuchperson"),
            ("/v1/directory/search?q=Secretp&kind=person", "/v1/directory/search?q=Nosuchp&kind=person"),
        ] {
            same(caller, Method::GET, one, none, &[]).await;
        }
        // A copy that was made for others is nobody else's to go on with.
        let copy = world.get("/v1/sync", Who::Token(&owner)).await.expect(200).json();
        let path = format!("/v1/sync?token={}", copy["token"].as_str().unwrap());
        assert_eq!(world.get(&path, Who::Token(caller)).await.problem(410), "sync_gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_can_be_asked_to_sort_or_show_by_what_is_hidden() {
    let world = World::demonstration().await;
    let delegate = world.token(Role::Delegate).await;
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let mut lists = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let required = parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true);
        let required: Vec<&str> = required.map(|one| one["name"].as_str().unwrap()).collect();
        let plain = match required[..] {
            [] => format!("{path}?limit=3"),
            ["q"] => format!("{path}?limit=3&q=a"),
            _ => continue,
        };
        if !parameters.iter().any(|one| one["name"] == "limit") || path.contains('{') {
            continue;
        }
        lists += 1;
        let reply = world.get(&plain, Who::Token(&delegate)).await;
        let told = (reply.status, settled(&reply).2["items"].clone());
        for more in [
            "sort=audience",
            "sort=-mission",
            "order_by=mail",
            "fields=password",
            "include=drafts",
            "expand=sessions",
            "filter=1",
            "where=1=1",
            "mission_id=x",
            "audience=secretariat",
            "reader=secretariat",
            "role=admin",
            "visible_to=x",
            "draft=true",
            "deleted=true",
            "all=true",
            "_method=DELETE",
        ] {
            // Unknown parameters are ignored.
            let reply = world.get(&format!("{plain}&{more}"), Who::Token(&delegate)).await;
            let known =
                parameters.iter().any(|one| more.starts_with(&format!("{}=", one["name"].as_str().unwrap_or("-"))));
            let same = (reply.status, settled(&reply).2["items"].clone()) == told;
            assert!(same || (known && reply.status == 422), "{plain}&{more}: {}", reply.status);
        }
    }
    assert!(lists >= 12, "{lists}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_refused_as_fast_as_what_is_not_there() {
    let scene = Scene::new().await;
    let Scene { world, ours, theirs, ids } = &scene;
    let caller = world.token_for(Role::MissionAdmin, Some(*ours)).await;
    let stranger = people::person(&world.server, Role::Delegate, Some(*theirs)).await;
    let Named::Person { account, session, .. } = stranger else { unreachable!("a person") };
    let none = Uuid::now_v7;
    for (what, method, one, other) in [
        ("a note", Method::GET, format!("/v1/inf-notes/{}", ids["inf_note"]), format!("/v1/inf-notes/{}", none())),
        (
            "a person under the other mission",
            Method::GET,
            format!("/v1/missions/{theirs}/members/{}", account.0),
            format!("/v1/missions/{}/members/{}", none(), none()),
        ),
        (
            "a person under one's own mission",
            Method::GET,
            format!("/v1/missions/{ours}/members/{}", account.0),
            format!("/v1/missions/{ours}/members/{}", none()),
        ),
        (
            "the sessions of a person",
            Method::GET,
            format!("/v1/sessions?account={}", account.0),
            format!("/v1/sessions?account={}", none()),
        ),
        ("a session", Method::DELETE, format!("/v1/sessions/{}", session.0), format!("/v1/sessions/{}", none())),
    ] {
        let (mut theirs, mut nobodys) = (Samples::default(), Samples::default());
        for _ in 0..TIMES {
            for (samples, path) in [(&mut theirs, &one), (&mut nobodys, &other)] {
                let began = Instant::now();
                let reply = world.send(world.request(method.clone(), path, Who::Token(&caller))).await;
                samples.add(began.elapsed());
                // By their budget, callers that are so fast are slowed down.
                assert!([404, 429].contains(&reply.status.as_u16()), "{path}: {}", reply.status);
            }
        }
        let medians = (theirs.quantile(0.5), nobodys.quantile(0.5));
        println!(
            "{what}: median {:.2} ms another's, {:.2} ms nobody's; Welch's t {:.1} of {TIMES} each",
            medians.0,
            medians.1,
            theirs.welch(&nobodys),
        );
        assert!(medians.0 < 3.0 * medians.1 + 2.0, "{what}: {medians:?}");
    }
}
