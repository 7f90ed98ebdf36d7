//! What callers are told, in six languages.

use std::path::Path;

use domain::{Language, Role, messages};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Reply, Who, World, rows, top};

/// Asks for something in a language, by `?lang=` or by Accept-Language.
async fn ask(world: &World, method: &Method, path: &str, token: &str, accept: &str) -> Reply {
    let request = world.request(method.clone(), path, Who::Token(token)).header("accept-language", accept);
    world.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_told_in_the_language_of_the_request() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let (get, delete) = (Method::GET, Method::DELETE);
    let units = "/v1/directory/units";
    for (method, path, accept, status, language, title) in [
        (&get, "/nowhere", "fr-CA, en;q=0.5", 404, "fr", "Il n'y a rien à cette adresse"),
        (&get, "/nowhere?lang=zh", "fr", 404, "zh", "此处无内容"),
        (&get, "/nowhere?lang=xx", "ru", 404, "ru", "Здесь ничего нет"),
        (&get, "/nowhere", "*;q=0.1", 404, "en", "There is nothing here"),
        (&delete, units, "es", 405, "es", "Este método no está disponible para este recurso"),
        (&get, "/v1/directory/units?lang=xx", "ar", 422, "ar", "بعض الحقول لا تستوفي القواعد"),
        (&get, "/v1/directory/units?cursor=x", "fr;q=NaN, ru;q=0.1", 400, "ru", "Курсор не относится к этому списку"),
    ] {
        let reply = ask(&world, method, path, &token, accept).await.expect(status);
        assert_eq!(reply.json()["title"], title, "{path}");
        assert_eq!(reply.header("content-language"), Some(language), "{path}");
        assert!(reply.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("Accept-Language")));
    }
    let refused =
        world.request(Method::GET, units, Who::Token(&token)).header("accept-encoding", "identity;q=0, *;q=0");
    let refused = world.send(refused.header("accept-language", "es")).await.expect(406);
    assert_eq!(refused.json()["title"], "No existe ninguna forma aceptable de este recurso");
    let stranger = world.request(Method::GET, units, Who::Stranger).header("accept-language", "zh");
    assert_eq!(world.send(stranger).await.expect(401).json()["title"], "需要有效的访问令牌");
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_told_in_the_same_language_and_codes_in_none() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let fault = async |path: &str, accept: &str| {
        let problem = ask(&world, &Method::GET, path, &token, accept).await.expect(422).json();
        assert_eq!(
            (&problem["code"], &problem["type"]),
            (&json!("validation_failed"), &json!("urn:focalpoint:problem:validation_failed"))
        );
        problem["errors"][0].clone()
    };
    let limit = fault("/v1/directory/units?limit=0", "fr").await;
    let detail = "doit être un nombre entier compris entre 1 et 200";
    assert_eq!(limit, json!({"parameter": "limit", "rule": "range", "detail": detail}));
    let at = fault("/v1/entrances?pass=delegate&at=2016-12-31T24:00:00Z", "zh").await;
    assert_eq!(at["detail"], "不接受24:00：同一时刻应写作次日00:00");
    let character = fault("/v1/directory/search?q=a%E2%80%AEb", "ar").await;
    assert_eq!(character["detail"], "يجب ألا يتضمن U+202E");

    let editor = world.token(Role::Editor).await;
    let import = async |rows: &[Value]| {
        let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let request = world.request(Method::POST, "/v1/imports/directory?source=test&lang=es", Who::Token(&editor));
        world.send(request.header("content-type", "application/x-ndjson").body(body)).await
    };
    let mut unknown = rows::organization("o");
    unknown["nick"] = json!("x");
    let structural = import(&[unknown]).await.expect(422).json()["errors"][0].clone();
    assert_eq!((&structural["pointer"], &structural["rule"]), (&json!("/nick"), &json!("unknown_field")));
    assert!(
        structural["detail"].as_str().unwrap().starts_with("no es un campo de este objeto; sus campos: kind"),
        "{structural}"
    );
    let circle = [("a", "b"), ("b", "a")].map(|(key, parent)| {
        let mut unit = rows::unit(key, "o");
        unit["parent"] = json!(parent);
        unit
    });
    let circular =
        import(&[&[rows::organization("o")], &circle[..]].concat()).await.expect(422).json()["errors"][0].clone();
    assert_eq!(circular["detail"], "unit test:a: está por debajo de la propia dependencia");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_ten_thousand_languages_is_answered_at_once() {
    let world = World::empty().await;
    let many = format!("es;q=0.9{}", ",xx;q=0.9".repeat(6_000));
    let started = std::time::Instant::now();
    let request = world.request(Method::GET, "/v1/bulletins", Who::Stranger).header("accept-language", many);
    let reply = world.send(request).await;
    assert!(started.elapsed().as_millis() < 1000);
    assert_eq!(reply.expect(200).header("content-language"), Some("es"));
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_languages_and_revisions_are_told_with_all_other_faults() {
    let world = World::empty().await;
    let token = world.token(Role::Admin).await;
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let takes = |name: &str| {
                operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == name))
            };
            if !takes("lang") {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", &uuid::Uuid::nil().to_string());
            let request = world.request(method, &format!("{path}?lang=xx&min_rev=x&lang=yy"), Who::Token(&token));
            let reply = world.send(request.header("content-type", "application/json").body("{}")).await;
            assert_eq!(reply.problem(422), "validation_failed", "{path}");
            let faults = reply.json()["errors"].clone();
            let told: Vec<_> = faults.as_array().unwrap().iter().map(|f| f["parameter"].as_str().unwrap()).collect();
            assert_eq!(told.iter().filter(|name| **name == "lang").count(), 2, "{path} {told:?}");
            assert!(told.contains(&"min_rev"), "{path} {told:?}");
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

/// The text of every source file of a crate, tests and the table itself apart.
fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs")
            && !path.to_string_lossy().contains("/domain/src/messages")
        {
            into.push(std::fs::read_to_string(&path).unwrap().split("#[cfg(test)]\nmod").next().unwrap().to_owned());
        }
    }
}

/// That every text has a row, the compiler proves.
#[test]
fn no_row_of_the_table_is_unused() {
    let mut files = Vec::new();
    for folder in ["domain/src", "persistence/src", "api/src"] {
        sources(&top().join(folder), &mut files);
    }
    for row in messages::all() {
        let english = format!("{:?}", row[Language::En as usize]);
        assert!(files.iter().any(|text| text.contains(&english)), "nobody says {english}");
    }
}
