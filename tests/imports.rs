//! Imports: all or none, every bad row named, ids that survive.

use domain::Role;
use serde_json::{Value, json};

use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::{Reply, Who, World};

async fn names(world: &World, token: &str) -> Vec<String> {
    let reply = world.get("/v1/directory/units?limit=200", Who::Token(token)).await.expect(200).json();
    reply["items"].as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap().to_owned()).collect()
}

async fn rows_stored(world: &World) -> i64 {
    let psql = world.database.psql().await;
    psql.query_one("select (select count(*) from organization) + (select count(*) from unit)", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_of_many_keeps_all_out_and_is_named() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let mut rows: Vec<Value> = (0..1200).map(|n| organization(&format!("o{n}"))).collect();
    rows[1100]["name"] = json!({"en": "x\u{202E}y"});
    let reply = world.import("directory", "", &admin, &rows).await;
    assert_eq!(reply.problem(422), "validation_failed");
    let errors = &reply.json()["errors"];
    assert_eq!(errors.as_array().unwrap().len(), 1);
    let expected =
        json!({"pointer": "/name/en", "line": 1101, "rule": "characters", "detail": "must not contain U+202E"});
    assert_eq!(errors[0], expected);
    assert_eq!(rows_stored(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_named_by_line_field_and_rule() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let sample = json!({"confidence": "sample"});
    let rows = [
        json!({"kind": "zip", "key": "z"}),
        json!({"kind": "unit"}),
        organization("o"),
        organization("o"),
        organization("p").with("id", json!("mine")),
        json!({"kind": "organization", "key": "q", "provenance": sample}),
        unit("u", "nowhere").with("unit_kind", json!("gang")),
        unit("v", "nowhere").with("parent", json!("other:x")).with("duty_station", json!("ny")),
        unit("w", "o").with(
            "contact",
            json!({"telephones": [{"number": "+1 212 963 7351"}, {"number": "911"}], "emails": ["x"]}),
        ),
        unit("x", "o").with("provenance", json!({"confidence": "official"})),
        unit("y", "o").with("audience", json!({"missions": []})),
        unit("y2", "o").with("audience", json!("everyone")),
        unit("y3", "o").with("parent", json!("y3")),
        person("k e y", "X"),
        person("p", "X").with("functions", json!([{"function": "f", "since": "yesterday"}])),
    ];
    let reply = world.import("directory", "", &admin, &rows).await;
    assert_eq!(reply.problem(422), "validation_failed");
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    let found: Vec<(u64, &str, &str)> = errors
        .iter()
        .map(|e| (e["line"].as_u64().unwrap(), e["pointer"].as_str().unwrap(), e["rule"].as_str().unwrap()))
        .collect();
    let expected = [
        (1, "/kind", "one_of"),
        (2, "/key", "required"),
        (4, "/key", "duplicate"),
        (5, "/id", "unknown_field"),
        (6, "/name", "required"),
        (7, "/unit_kind", "one_of"),
        (8, "/organization", "reference"),
        (8, "/parent", "reference"),
        (8, "/duty_station", "format"),
        (9, "/contact/telephones/1/number", "format"),
        (9, "/contact/emails/0", "format"),
        (10, "/provenance/citation", "required"),
        (11, "/audience/missions", "required"),
        (12, "/audience", "one_of"),
        (13, "/parent", "conflict"),
        (14, "/key", "format"),
        (15, "/functions/0/since", "structure"),
    ];
    assert_eq!(found, expected);
    assert_eq!(reply.json()["error_count"], 17);
    assert_eq!(rows_stored(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_what_they_say_are_refused() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let refuse = async |body: Vec<u8>| world.import_text("directory", "", &admin, body).await.problem(422);
    let row = organization("o").to_string();
    for body in [
        Vec::new(),
        b"\n\n".to_vec(),
        b"[1, 2]".to_vec(),
        row.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        format!("{row} {row}").into_bytes(),
        row.replace("\"key\":\"o\"", "\"key\":\"o\",\"key\":\"o\"").into_bytes(),
        [
            b"{\"kind\":\"organization\",\"key\":\"o\",\"name\":{\"en\":\"".to_vec(),
            vec![b'x'; 1_100_000],
            b"\"}}".to_vec(),
        ]
        .concat(),
        format!("{{\"kind\":\"organization\",\"key\":\"o\",\"name\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000))
            .into_bytes(),
        br#"{"kind":"organization","key":"o","name":{"en":"\ud800"},"provenance":{"confidence":"sample"}}"#.to_vec(),
        br#"{"kind":"organization","key":"o","name":{"en":"a\u0000b"},"provenance":{"confidence":"sample"}}"#.to_vec(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(refuse(body).await, "validation_failed", "{shown}");
    }
    assert_eq!(rows_stored(&world).await, 0);
    // A byte order mark and CRLF are what some programs write.
    let tolerated = format!("\u{feff}{row}\r\n\r\n");
    world.import_text("directory", "", &admin, tolerated).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_a_file_and_a_coded_one_are_refused() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let large = world.import_text("directory", "", &admin, vec![b'\n'; 33 * 1024 * 1024]).await;
    assert_eq!(large.problem(413), "too_large");
    let request = world.request(reqwest::Method::POST, "/v1/imports/directory?source=test", Who::Token(&admin));
    let coded = request.header("content-type", "application/x-ndjson").header("content-encoding", "gzip").body("x");
    assert_eq!(world.send(coded).await.problem(415), "unsupported_media_type");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_checked() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [organization("o")];
    for (options, parameter) in
        [("&mode=merg", "mode"), ("&dry_run=1", "dry_run"), ("&source=x", "source"), ("&force=no", "force")]
    {
        let reply = world.import("directory", options, &admin, &rows).await;
        assert_eq!(reply.problem(422), "validation_failed");
        assert_eq!(reply.json()["errors"][0]["parameter"], parameter);
    }
    let request = world.request(reqwest::Method::POST, "/v1/imports/directory", Who::Token(&admin));
    let reply = world.send(request.header("content-type", "application/x-ndjson").body("{}")).await;
    assert_eq!(reply.json()["errors"][0]["parameter"], "source");
    // There are only runs below this address.
    assert_eq!(world.import("nothing", "", &admin, &rows).await.problem(405), "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_the_same_and_keeps_nothing() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [organization("o"), unit("u", "o")];
    let rehearsed = world.import("directory", "&dry_run=true", &admin, &rows).await.expect(200);
    assert_eq!((rehearsed.header("sync-rev"), rows_stored(&world).await), (None, 0));
    let done = world.import("directory", "", &admin, &rows).await.expect(200);
    let mut expected = rehearsed.json();
    expected["dry_run"] = json!(false);
    assert_eq!(done.json(), expected);
    assert_eq!(done.json()["inserted"], 2);
    let refused = world.import("directory", "&dry_run=true", &admin, &[unit("v", "nowhere")]).await;
    assert_eq!(refused.problem(422), "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_survive_changes_closing_and_coming_back() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let unit_id = async || {
        let reply = world.get("/v1/directory/units", Who::Token(&token)).await.expect(200).json();
        reply["items"][0]["id"].as_str().map(str::to_owned)
    };
    let admin = world.token(Role::Admin).await;
    world.have("directory", &[organization("o"), unit("u", "o")]).await;
    let id = unit_id().await.unwrap();
    let changed = world.have("directory", &[unit("u", "o").with("name", json!({"en": "Renamed"}))]).await;
    assert_eq!(changed.json()["changed"], 1);
    assert_eq!((unit_id().await.as_ref(), names(&world, &token).await), (Some(&id), vec!["Renamed".to_owned()]));
    let closed = world.import("directory", "&mode=replace&force=true", &admin, &[organization("o")]).await.expect(200);
    assert_eq!(closed.json()["closed"], 1);
    world.eventually("/v1/directory/units", Who::Token(&token), |r| r.json()["items"] == json!([])).await;
    world.get(&format!("/v1/directory/units/{id}"), Who::Token(&token)).await.expect(404);
    let back = world.have("directory", &[unit("u", "o")]).await;
    assert_eq!((back.json()["inserted"].as_i64(), back.json()["changed"].as_i64()), (Some(0), Some(1)));
    assert_eq!(unit_id().await, Some(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_refuses_to_close_more_than_a_tenth_unless_forced() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let all: Vec<Value> = (0..20).map(|n| organization(&format!("o{n}"))).collect();
    world.have("directory", &all).await;
    let refused = world.import("directory", "&mode=replace", &admin, &all[..17]).await;
    assert_eq!(refused.problem(409), "too_many_closed");
    assert!(refused.json()["detail"].as_str().unwrap().contains("3 of 20"));
    let done = world.import("directory", "&mode=replace", &admin, &all[..18]).await.expect(200).json();
    assert_eq!((done["closed"].as_i64(), done["unchanged"].as_i64()), (Some(2), Some(18)));
    // New rows do not count among those that were there.
    let others: Vec<Value> = (100..400).map(|n| organization(&format!("o{n}"))).collect();
    let refused = world.import("directory", "&mode=replace", &admin, &others).await;
    assert!(refused.json()["detail"].as_str().unwrap().contains("18 of 18"), "{}", refused.json());
    // Another source's rows are its own affair.
    let body: String = all[..1].iter().map(|row| format!("{row}\n")).collect();
    let request =
        world.request(reqwest::Method::POST, "/v1/imports/directory?source=other&mode=replace", Who::Token(&admin));
    let other = world.send(request.header("content-type", "application/x-ndjson").body(body)).await.expect(200);
    assert_eq!((other.json()["inserted"].as_i64(), other.json()["closed"].as_i64()), (Some(1), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_refer_to_each_other_in_any_order_and_across_sources() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [
        person("p", "Ng").with("functions", json!([{"function": "f"}])).with("mission", json!("m")),
        function("f", "v"),
        unit("v", "o").with("parent", json!("u")),
        mission("m", "o"),
        unit("u", "o"),
        organization("o"),
    ];
    world.have("directory", &rows).await;
    let other = format!("{}\n", person("q", "Diallo").with("unit", json!("test:v")));
    let request = world.request(reqwest::Method::POST, "/v1/imports/directory?source=hr", Who::Token(&admin));
    world.send(request.header("content-type", "application/x-ndjson").body(other)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_may_not_refer_to_what_its_readers_cannot_see() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let secret = unit("u", "o").with("audience", json!("secretariat"));
    let reply = world.import("directory", "", &admin, &[organization("o"), secret.clone(), function("f", "u")]).await;
    assert_eq!(reply.problem(422), "validation_failed");
    let error = &reply.json()["errors"][0];
    assert_eq!((error["pointer"].as_str(), error["rule"].as_str()), (Some("/unit"), Some("reference")));
    assert!(error["detail"].as_str().unwrap().starts_with("function test:f"));
    let inside = function("f", "u").with("audience", json!("secretariat"));
    world.import("directory", "", &admin, &[organization("o"), secret, inside]).await.expect(200);
    // Nor may what is referred to be closed.
    let closing = [organization("o"), function("f", "u").with("audience", json!("secretariat"))];
    let reply = world.import("directory", "&mode=replace&force=true", &admin, &closing).await;
    assert_eq!(reply.problem(422), "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_not_above_themselves() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [
        organization("o"),
        unit("a", "o").with("parent", json!("b")),
        unit("b", "o").with("parent", json!("c")),
        unit("c", "o").with("parent", json!("a")),
    ];
    let reply = world.import("directory", "", &admin, &rows).await;
    assert_eq!(reply.problem(422), "validation_failed");
    let error = &reply.json()["errors"][0];
    assert_eq!((error["pointer"].as_str(), error["rule"].as_str()), (Some("/parent"), Some("conflict")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_or_field_given_twice_or_too_much_is_refused() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let row = organization("o").to_string();
    for bad in [
        row.replace(r#"{"en":"Organization of tests"}"#, r#"{"en":"A","en":"B"}"#),
        organization("o").with("audience", json!({"missions": ["x"], "public": true})).to_string(),
        organization("o").with("contact", json!({"url": "https://un.org@evil.example"})).to_string(),
        "null".to_owned(),
    ] {
        let reply = world.import_text("directory", "", &admin, bad.clone()).await;
        assert_eq!(reply.problem(422), "validation_failed", "{bad}");
        assert!(!reply.json().to_string().contains("struct "), "{}", reply.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_data_imports_again_without_a_change() {
    let world = World::demonstration().await;
    let admin = world.token(Role::Admin).await;
    let revisions = async || {
        let psql = world.database.psql().await;
        let rows =
            psql.query("select stream, rev from sync_head where stream <> 'identity' order by 1", &[]).await.unwrap();
        rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, i64>(1))).collect::<Vec<_>>()
    };
    let before = revisions().await;
    for entry in std::fs::read_dir(crate::harness::top().join("data/demonstration")).unwrap() {
        let path = entry.unwrap().path();
        let feature = path.file_stem().unwrap().to_str().unwrap();
        let address = format!("/v1/imports/{feature}?source=demonstration&mode=replace");
        let request = world.request(reqwest::Method::POST, &address, Who::Token(&admin));
        let body = std::fs::read(&path).unwrap();
        let report =
            world.send(request.header("content-type", "application/x-ndjson").body(body)).await.expect(200).json();
        assert_eq!(report["rows"], report["unchanged"], "{feature}: {report}");
    }
    assert_eq!(revisions().await, before);
}

async fn import_csv(world: &World, token: &str, media_type: &str, file: impl Into<Vec<u8>>) -> Reply {
    let request = world.request(reqwest::Method::POST, "/v1/imports/directory?source=test", Who::Token(token));
    world.send(request.header("content-type", media_type).body(file.into())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_row_is_the_json_row_that_its_columns_spell() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [
        organization("o").with("name", json!({"en": "=Sum, \"quoted\"", "ar": "منظمة"})),
        unit("u", "o").with(
            "contact",
            json!({"telephones": [{"number": "+12129637351", "extension": "7"}, {"number": "+41229173668", "kind": "fax"}]}),
        ),
    ];
    world.have("directory", &rows).await;
    let file = "\u{feff}contact.telephones.1.number,kind,key,name.en,name.ar,organization,unit_kind,provenance.confidence,\
                contact.telephones.0.number,contact.telephones.1.kind\n\
                ,organization,o,\"'=Sum, \"\"quoted\"\"\",منظمة,,,sample,,\n\
                tel:+41-22-917-3668,unit,u,Unit of tests,,o,section,sample,tel:+1-212-963-7351;ext=7,fax\n";
    for media_type in ["text/csv", "Text/CSV; charset=\"UTF-8\"; header=present"] {
        let report = import_csv(&world, &admin, media_type, file).await.expect(200).json();
        assert_eq!((&report["rows"], &report["unchanged"]), (&json!(2), &json!(2)), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_csv_file_is_named_by_line_and_column() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let faults = async |file: &[u8]| {
        let reply = import_csv(&world, &admin, "text/csv", file).await;
        assert_eq!(reply.problem(422), "validation_failed");
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        let one = |e: &Value| {
            let text = |field: &str| e[field].as_str().unwrap().to_owned();
            (e["line"].as_u64().unwrap_or_default(), text("pointer"), text("rule"))
        };
        errors.iter().map(one).collect::<Vec<_>>()
    };
    let fault = |line: u64, pointer: &str, rule: &str| (line, pointer.to_owned(), rule.to_owned());
    let head = "kind,key,name.en,provenance.confidence,contact.emails.0,contact.emails.2\r\n";
    let rows = "organization,a,\"two\nlines\",sample,,\r\n\
                organization,a,b,sample,,\r\n\
                organization,c,d,sample\r\n\
                zip,e,f,sample,,\r\n\
                organization,g,h,hearsay,,\r\n\
                organization,i,j,sample,,nobody\r\n\
                organization,k,,sample,,\r\n";
    let expected = [
        fault(4, "/key", "duplicate"),
        fault(5, "", "structure"),
        fault(6, "/kind", "one_of"),
        fault(7, "/provenance/confidence", "one_of"),
        fault(8, "/contact/emails/2", "format"),
        fault(9, "/name", "required"),
    ];
    assert_eq!(faults(format!("{head}{rows}").as_bytes()).await, expected);
    assert_eq!(
        faults(b"kind,key,colour,kind\n").await,
        [fault(1, "/colour", "unknown_field"), fault(1, "/kind", "duplicate")]
    );
    assert_eq!(faults(b"kind,key\nunit,a\nunit,\"b\nunit,c\n").await.last(), Some(&fault(3, "", "structure")));
    assert_eq!(faults(head.as_bytes()).await, [fault(0, "", "required")]);
    assert_eq!(faults(b"kind,key,name.en\nunit,a,\xff\n").await, [fault(2, "/name/en", "format")]);
    let utf16: Vec<u8> = head.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(faults(&utf16).await, [fault(1, "", "format")]);
    assert_eq!(faults(&[&[0xfe, 0xff], utf16.as_slice()].concat()).await, [fault(1, "", "format")]);
    assert_eq!(faults(format!("{head}{}", "x".repeat(1_100_000)).as_bytes()).await, [fault(2, "", "length")]);
    for refused in ["text/csv; charset=utf-16", "text/csv; header=absent", "text/csv; charset=iso-8859-1"] {
        let reply = import_csv(&world, &admin, refused, head).await;
        assert_eq!(reply.problem(415), "unsupported_media_type");
    }
    let request = world.request(reqwest::Method::POST, "/v1/imports/inf-notes?source=test", Who::Token(&admin));
    let reply = world.send(request.header("content-type", "text/csv").body("kind,key\n")).await;
    assert_eq!(reply.problem(415), "unsupported_media_type");
    assert_eq!(rows_stored(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_of_thousands_can_keep_all_out_and_the_same_file_again_is_not_logged() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let mut file = String::from("kind,key,name.family,name.given,provenance.confidence\n");
    (0..5000).for_each(|n| file.push_str(&format!("person,p{n},Family {n},Given,sample\n")));
    let reply = import_csv(&world, &admin, "text/csv", format!("{file}person,last,,Given,sample\n")).await;
    assert_eq!(reply.problem(422), "validation_failed");
    assert_eq!(reply.json()["errors"][0]["line"], 5002);
    let psql = world.database.psql().await;
    let count = async |table: &str| {
        psql.query_one(&format!("select count(*) from {table}"), &[]).await.unwrap().get::<_, i64>(0)
    };
    assert_eq!(count("person").await, 0);
    assert_eq!(import_csv(&world, &admin, "text/csv", file.as_str()).await.expect(200).json()["inserted"], 5000);
    let logged = (count("sync_tx").await, count("sync_log").await);
    let again = import_csv(&world, &admin, "text/csv", file.as_str()).await.expect(200);
    assert_eq!((again.json()["unchanged"].as_i64(), again.header("sync-rev")), (Some(5000), None));
    assert_eq!((count("sync_tx").await, count("sync_log").await), logged);
    let found = |r: &Reply| r.json()["items"][0]["entry"]["family_name"] == "Family 4999";
    world.eventually("/v1/directory/search?q=Family%204999", Who::Token(&admin), found).await;
}
