//! Exports: the directory out and in again, without a loss, and nothing that is not the reader's.

use std::collections::BTreeSet;

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::{Reply, Who, World};

async fn export(world: &World, query: &str, token: &str) -> Reply {
    world.get(&format!("/v1/exports/directory?{query}"), Who::Token(token)).await.expect(200)
}

fn lines(reply: &Reply) -> BTreeSet<String> {
    String::from_utf8(reply.bytes.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn rows(reply: &Reply) -> Vec<Value> {
    lines(reply).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn import(world: &World, token: &str, source: &str, media_type: &str, file: Vec<u8>) -> Reply {
    let request = world.request(Method::POST, &format!("/v1/imports/directory?source={source}"), Who::Token(token));
    world.send(request.header("content-type", media_type).body(file)).await
}

/// Until the directory of this process is what was just imported.
async fn arrived(world: &World, imported: &Reply, token: &str) {
    let rev = imported.header("sync-rev").unwrap();
    world.get(&format!("/v1/directory/units?limit=1&min_rev={rev}"), Who::Token(token)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_moves_to_another_server_without_a_loss() {
    let world = World::demonstration().await;
    let admin = world.token(Role::Admin).await;
    let ndjson = export(&world, "", &admin).await;
    assert_eq!(ndjson.header("content-type"), Some("application/x-ndjson"));
    let expected = lines(&ndjson);
    assert!(expected.len() > 800, "{}", expected.len());
    let csv = export(&world, "format=csv", &admin).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let marked = export(&world, "format=csv&bom=true", &admin).await;
    assert_eq!(marked.bytes, ["\u{feff}".as_bytes(), &csv.bytes].concat());
    for (media_type, file) in [("application/x-ndjson", ndjson.bytes), ("text/csv", marked.bytes)] {
        let other = World::empty().await;
        let admin = other.token(Role::Admin).await;
        let reply = import(&other, &admin, "copy", media_type, file).await.expect(200);
        assert_eq!(reply.json()["inserted"], expected.len());
        arrived(&other, &reply, &admin).await;
        let back = lines(&export(&other, "keys=source&source=copy", &admin).await);
        let differ: Vec<_> = back.symmetric_difference(&expected).take(4).collect();
        assert!(differ.is_empty(), "{media_type}: {differ:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_gets_its_own_rows_back_to_edit_and_import_again() {
    let world = World::demonstration().await;
    let admin = world.token(Role::Admin).await;
    let others = [person("p", "Diallo").with("unit", json!("demonstration:dgacm"))];
    world.have("directory", &others).await;
    let logged = async || {
        let psql = world.database.psql().await;
        psql.query_one("select count(*) from sync_tx where stream <> 'identity'", &[]).await.unwrap().get::<_, i64>(0)
    };
    let before = logged().await;
    for (format, media_type) in [("ndjson", "application/x-ndjson"), ("csv", "text/csv; charset=UTF-8")] {
        let query = format!("keys=source&source=demonstration&format={format}");
        let file = export(&world, &query, &admin).await.bytes;
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(!text.contains("Diallo") && text.contains("mission-fra"));
        let report = import(&world, &admin, "demonstration", media_type, file).await.expect(200).json();
        assert_eq!(report["rows"], report["unchanged"], "{report}");
    }
    assert_eq!(logged().await, before, "nothing was logged");
    let theirs = rows(&export(&world, "keys=source&source=test", &admin).await);
    assert_eq!((theirs.len(), &theirs[0]["key"], &theirs[0]["unit"]), (1, &json!("p"), &json!("demonstration:dgacm")));
    let file = export(&world, "keys=source&source=demonstration&format=csv&kind=mission", &admin).await.bytes;
    let edited = String::from_utf8(file).unwrap().replacen("Permanent", "Renamed", 1).replacen(",France,", ",Gaul,", 1);
    let report = import(&world, &admin, "demonstration", "text/csv", edited.into_bytes()).await.expect(200).json();
    assert_eq!((&report["changed"], &report["inserted"]), (&json!(1), &json!(0)), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_what_it_may_see_and_no_key_of_a_source() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let two = json!({"missions": ["mission-key-1", "mission-key-2"]});
    let all = [
        organization("org-key"),
        mission("mission-key-1", "org-key"),
        mission("mission-key-2", "org-key").with("short_name", json!({"en": "Elsewhere"})),
        unit("unit-key", "org-key").with("audience", json!("secretariat")),
        function("function-key", "unit-key").with("audience", json!("secretariat")),
        person("staff-4711", "Named").with("audience", two),
        person("staff-4712", "Hidden").with("audience", json!({"missions": ["mission-key-2"]})),
        person("staff-4713", "Ng").with("mission", json!("mission-key-1")),
    ];
    world.have("directory", &all).await;
    let missions = rows(&export(&world, "kind=mission", &admin).await);
    let id = |name| {
        let found = missions.iter().find(|m| m["short_name"]["en"] == name).unwrap();
        found["key"].as_str().unwrap().to_owned()
    };
    let (own, other) = (id("Testland"), id("Elsewhere"));
    let delegate = world.token_for(Role::Delegate, Some(own.parse().unwrap())).await;
    for format in ["ndjson", "csv"] {
        let text = String::from_utf8(export(&world, &format!("format={format}"), &delegate).await.bytes).unwrap();
        for hidden in ["org-key", "unit-key", "staff-", "mission-key", "Hidden", "secretariat", "test:"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    let seen = rows(&export(&world, "", &delegate).await);
    assert_eq!(seen.len(), 5);
    let named = seen.iter().find(|row| row["name"]["family"] == "Named").unwrap();
    assert_eq!(named["audience"], json!({"missions": [own]}), "who else is named is not told: {other}");
    let whole = rows(&export(&world, "", &admin).await);
    let named = whole.iter().find(|row| row["name"]["family"] == "Named").unwrap();
    assert_eq!(named["audience"]["missions"].as_array().unwrap().len(), 2);

    let refused = world.get("/v1/exports/directory?keys=source&source=test", Who::Token(&delegate)).await;
    assert_eq!(refused.problem(403), "forbidden");
    for (query, parameter) in [
        ("keys=source", "source"),
        ("source=test", "keys"),
        ("kind=x", "kind"),
        ("keys=x", "keys"),
        ("format=xml", "format"),
    ] {
        let reply = world.get(&format!("/v1/exports/directory?{query}"), Who::Token(&admin)).await;
        assert_eq!(reply.problem(422), "validation_failed");
        assert_eq!(reply.json()["errors"][0]["parameter"], parameter);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_spreadsheet_takes_for_a_formula_goes_out_guarded_and_comes_in_as_it_was() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let texts =
        ["=HYPERLINK(\"http://evil.example\",\"x\")", "+1 212", "-2", "@x", "'=quoted", "'t Hooft", "a,\"b\"\r\nc"];
    let mut all: Vec<Value> =
        (0..).zip(texts).map(|(n, text)| organization(&format!("o{n}")).with("name", json!({"en": text}))).collect();
    let telephones = json!({"telephones": [{"number": "+41 22 917 36 68", "extension": "12"}]});
    all.push(organization("p").with("contact", telephones));
    world.have("directory", &all).await;
    let csv = export(&world, "keys=source&source=test&format=csv", &admin).await;
    let text = String::from_utf8(csv.bytes.clone()).unwrap();
    assert!(text.contains(",\"'=HYPERLINK(\"\"http://evil"), "{text}");
    for cell in [",'+1 212,", ",'-2,", ",'@x,", ",''=quoted,", ",'t Hooft,", ",tel:+41229173668;ext=12,"] {
        assert!(text.contains(cell), "{cell} in {text}");
    }
    let report = import(&world, &admin, "test", "text/csv", csv.bytes).await.expect(200).json();
    assert_eq!(report["unchanged"], all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_a_tag_a_name_and_what_it_varies_by() {
    let world = World::demonstration().await;
    let token = world.token(Role::Integrator).await;
    let get = |path: &str| world.request(Method::GET, path, Who::Token(&token));
    let path = "/v1/exports/directory";
    let csv = world.send(get(path).header("accept", "text/csv").header("accept-encoding", "br")).await.expect(200);
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"directory.csv\""));
    assert_eq!(
        (csv.header("vary"), csv.header("content-encoding")),
        (Some("Accept, Accept-Encoding, Authorization"), Some("br"))
    );
    assert_eq!(csv.header("cache-control"), Some("private, no-cache"));
    assert!(csv.bytes.len() < 100_000, "{}", csv.bytes.len());
    let tag = csv.header("etag").unwrap();
    let same = world.send(get(path).header("accept", "text/csv").header("if-none-match", tag)).await.expect(304);
    assert_eq!((same.header("vary"), same.bytes.len()), (Some("Accept, Accept-Encoding, Authorization"), 0));
    world.send(get(path).header("if-none-match", tag)).await.expect(200);
    let admin = world.token(Role::Admin).await;
    let theirs = world.request(Method::GET, path, Who::Token(&admin)).header("accept", "text/csv");
    world.send(theirs.header("if-none-match", tag)).await.expect(200);
    let refused = world.send(get(path).header("accept", "application/pdf")).await;
    assert_eq!(refused.problem(406), "not_acceptable");
    let head = world.send(world.request(Method::HEAD, path, Who::Token(&token))).await.expect(200);
    assert_eq!((head.header("content-type"), head.bytes.len()), (Some("application/x-ndjson"), 0));
    // The connection is good for another request.
    world.get("/healthz", Who::Stranger).await.expect(200);
}
