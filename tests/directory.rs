//! Whom to ask and how to reach them, on the demonstration's data.

use domain::Role;
use serde_json::Value;

use crate::harness::{Who, World};

async fn search(world: &World, token: &str, query: &str, more: &str) -> Vec<Value> {
    let url = reqwest::Url::parse_with_params("http://x/v1/directory/search", [("q", query)]).unwrap();
    let path = format!("{}?{}{more}", url.path(), url.query().unwrap());
    let reply = world.get(&path, Who::Token(token)).await.expect(200).json();
    reply["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_in_any_script_with_typos_and_without_accents() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    for (query, iso3) in [
        ("turkye", "TUR"),
        ("Cote dIvoire", "CIV"),
        ("cote d'ivoire", "CIV"),
        ("فرنسا", "FRA"),
        ("法国", "FRA"),
        ("Франция", "FRA"),
        ("FRA", "FRA"),
        ("swizerland", "CHE"),
    ] {
        let found = search(&world, &token, query, "&kind=mission&duty_station=NY&limit=5").await;
        assert_eq!(found[0]["entry"]["state"]["iso3"], iso3, "{query}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_acronym_finds_the_unit_and_says_why() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let found = search(&world, &token, "DPI", "").await;
    assert_eq!(found[0]["entry"]["acronym"], "DGC");
    assert_eq!(
        found[0]["why"],
        serde_json::json!({"field": "former_acronym", "text": "DPI", "how": "whole", "until": "2018-12-31"})
    );
    for (former, present) in [("DFS", "DOS"), ("DPA", "DPPA"), ("DPKO", "DPO")] {
        assert_eq!(search(&world, &token, former, "").await[0]["entry"]["acronym"], present, "{former}");
    }
    let both: Vec<_> =
        search(&world, &token, "DM", "&kind=unit").await.iter().map(|h| h["entry"]["acronym"].clone()).collect();
    assert!(both.contains(&"DMSPC".into()) && both.contains(&"DOS".into()), "{both:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_leads_to_a_number_that_can_be_dialled() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let service = &search(&world, &token, "room side event", "&kind=service").await[0]["entry"];
    let at = |station: &str| {
        let points = service["contact_points"].as_array().unwrap();
        points.iter().find(|p| p["duty_station"] == station).unwrap()["function"].as_str().unwrap().to_owned()
    };
    let function =
        world.get(&format!("/v1/directory/functions/{}", at("NY")), Who::Token(&token)).await.expect(200).json();
    let telephone = &function["contact"]["telephones"][0];
    assert_eq!((telephone["number"].as_str(), telephone["inside"].as_str()), (Some("+12129637351"), Some("3.7351")));
    assert_eq!(telephone["uri"], "tel:+12129637351");
    let holders =
        world.get(&format!("/v1/directory/people?function={}", at("NY")), Who::Token(&token)).await.expect(200).json();
    let mut ids: Vec<_> =
        holders["items"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    assert_eq!(Value::from(ids), function["holders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_missions_are_there_in_six_languages() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    for lang in ["ar", "en", "es", "fr", "ru", "zh"] {
        let path = format!("/v1/directory/missions?duty_station=NY&limit=200&lang={lang}");
        let missions = world.get(&path, Who::Token(&token)).await.expect(200).json();
        let items = missions["items"].as_array().unwrap();
        assert_eq!(items.len(), 195);
        for item in items {
            let fallbacks = item["fallbacks"].as_object().unwrap();
            assert!(!fallbacks.contains_key("short_name") && !fallbacks.contains_key("formal_name"), "{lang} {item}");
        }
    }
    let observers = world.get("/v1/directory/missions?state=PSE", Who::Token(&token)).await.expect(200).json();
    assert_eq!(observers["items"][0]["state"]["status"], "observer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_leads_from_an_organization_to_its_sections() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let secretariat = &search(&world, &token, "United Nations Secretariat", "&kind=organization").await[0];
    let path = format!("/v1/directory/tree?root={}&depth=3", secretariat["id"].as_str().unwrap());
    let tree = world.get(&path, Who::Token(&token)).await.expect(200).json();
    let units = tree["units"].as_array().unwrap();
    let dgacm = units.iter().find(|unit| unit["acronym"] == "DGACM").unwrap();
    assert!(dgacm["unit_count"].as_u64().unwrap() > 0 && !dgacm["units"].as_array().unwrap().is_empty());
    let names: Vec<_> = units.iter().map(|u| edition::fold(u["name"].as_str().unwrap())).collect();
    assert!(names.is_sorted(), "{names:?}");
    world.get("/v1/directory/tree", Who::Token(&token)).await.problem(422);
    world.get(&format!("/v1/directory/tree?root={}", uuid::Uuid::now_v7()), Who::Token(&token)).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_the_secretariat_is_in_no_channel_of_a_delegate() {
    let world = World::demonstration().await;
    let psql = world.database.psql().await;
    let hidden: Vec<uuid::Uuid> = psql
        .query(
            "select id from person where audience = 'secretariat' union select id from function where audience = 'secretariat'
             union select id from unit where audience = 'secretariat'",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(!hidden.is_empty(), "the demonstration has something to hide");
    let delegate = world.token(Role::Delegate).await;
    let mut paths = vec!["/v1/sync".to_owned()];
    for list in ["organizations", "units", "functions", "people", "missions", "services"] {
        paths.push(format!("/v1/directory/{list}?limit=200"));
        paths.extend(hidden.iter().map(|id| format!("/v1/directory/{list}/{id}")));
    }
    let family: Vec<String> = psql
        .query("select family_name from person where audience = 'secretariat'", &[])
        .await
        .unwrap()
        .iter()
        .map(|r| r.get(0))
        .collect();
    for name in &family {
        let found = search(&world, &delegate, name, "").await;
        assert!(found.iter().all(|hit| !hidden.iter().any(|id| hit["id"] == id.to_string())), "{name}");
    }
    for path in paths {
        let reply = world.get(&path, Who::Token(&delegate)).await;
        let body = String::from_utf8(reply.bytes).unwrap();
        for id in &hidden {
            assert!(!body.contains(&id.to_string()), "{path} shows {id}");
        }
    }
    let editor = world.token(Role::Editor).await;
    let copy = String::from_utf8(world.get("/v1/sync", Who::Token(&editor)).await.expect(200).bytes).unwrap();
    assert!(hidden.iter().all(|id| copy.contains(&id.to_string())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_at_what_one_may_not_see_is_one_at_nothing() {
    use base64::Engine;
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let psql = world.database.psql().await;
    let person = async |audience: &str| -> uuid::Uuid {
        let query = "select id from person where audience = $1::text limit 1";
        psql.query_one(query, &[&audience]).await.unwrap().get(0)
    };
    let ask = async |id: uuid::Uuid| {
        let cursor = serde_json::json!(["/v1/directory/search", "1", id]).to_string();
        let cursor = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(cursor);
        world.get(&format!("/v1/directory/search?q=s&cursor={cursor}"), Who::Token(&token)).await
    };
    assert_eq!(ask(person("secretariat").await).await.problem(400), "invalid_cursor");
    assert_eq!(ask(uuid::Uuid::now_v7()).await.problem(400), "invalid_cursor");
    ask(person("delegates").await).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_pages_follow_one_another() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let whole: Vec<_> = search(&world, &token, "s", "&limit=200").await.iter().map(|h| h["id"].clone()).collect();
    let mut pages = Vec::new();
    let mut path = "/v1/directory/search?q=s&limit=30".to_owned();
    loop {
        let reply = world.get(&path, Who::Token(&token)).await.expect(200);
        pages.extend(reply.json()["items"].as_array().unwrap().iter().map(|h| h["id"].clone()));
        let Some(link) = reply.header("link").filter(|_| pages.len() < 200) else { break };
        path = link.strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    }
    pages.truncate(200);
    assert_eq!(pages[..whole.len()], whole);
}
