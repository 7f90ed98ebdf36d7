//! Bodies that are too deep, too large, ambiguous or misleading.

use std::time::{Duration, Instant};

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bulletins::bulletin;
use crate::harness::rows::{With, organization};
use crate::harness::{Reply, Who, World};

fn places(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.problem(422), "validation_failed");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    reply.json()["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["rule"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_unknown_or_not_for_clients_is_named() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let plan = json!({"duty_station": "NY", "kind": "side_event", "participants": 80,
        "sessions": [{"date": "2027-09-21", "start": "18:30", "end": "20:00"}]});
    let note = json!({"kind": "inf_note", "key": "n", "symbol": "A/INF/80/4", "provenance": {"confidence": "sample"},
        "texts": {"en": {"title": "T", "confidence": "sample"}}});
    for field in ["id", "role", "mission_id", "rev", "published_at", "visible_to", "closed_at"] {
        let expected = [(format!("/{field}"), "unknown_field".to_owned())];
        let request = world.request(Method::POST, "/v1/event-costs/estimates", Who::Token(&admin));
        let reply = world.send(request.json(&plan.clone().with(field, json!("x")))).await;
        assert_eq!(places(&reply), expected, "plan");
        for (feature, row) in
            [("directory", organization("o")), ("inf-notes", note.clone()), ("bulletins", bulletin("b"))]
        {
            let reply = world.import(feature, "", &admin, &[row.with(field, json!("x"))]).await;
            assert_eq!(places(&reply), expected, "{feature}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_given_twice_is_refused_wherever_it_is() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let twice = |row: &Value, once: &str, again: &str| {
        let text = row.to_string();
        assert!(text.contains(once), "{once} {text}");
        text.replacen(once, &format!("{once},{again}"), 1)
    };
    let note = json!({"kind": "inf_note", "key": "n", "symbol": "A/INF/80/4", "provenance": {"confidence": "sample"},
        "texts": {"en": {"title": "T", "confidence": "sample"}}});
    let card = json!({"kind": "rate_card", "key": "c", "duty_station": "NY", "title": {"en": "Rates"}, "currency": "USD",
        "interpreters": {"ar": 3}, "rates": [], "provenance": {"confidence": "sample"}});
    for (feature, text) in [
        ("directory", twice(&organization("o"), r#""key":"o""#, r#""key":"p""#)),
        ("directory", twice(&organization("o"), r#""key":"o""#, r#""\u006bey":"o""#)),
        ("directory", twice(&organization("o"), r#""en":"Organization of tests""#, r#""en":"B""#)),
        ("directory", twice(&organization("o"), r#""confidence":"sample""#, r#""confidence":"official""#)),
        ("inf-notes", twice(&note, r#""title":"T""#, r#""title":"U""#)),
        (
            "inf-notes",
            twice(&note, r#""en":{"confidence":"sample","title":"T"}"#, r#""en":{"confidence":"sample","title":"U"}"#),
        ),
        ("bulletins", twice(&bulletin("b"), r#""severity":"minor""#, r#""severity":"extreme""#)),
        ("bulletins", twice(&bulletin("b"), r#""description":"Description""#, r#""description":"Other""#)),
        (
            "bulletins",
            twice(
                &bulletin("b"),
                r#""en":{"description":"Description","headline":"Headline of b"}"#,
                r#""en":{"description":"D","headline":"H"}"#,
            ),
        ),
        ("event-costs", twice(&card, r#""key":"c""#, r#""key":"d""#)),
        ("event-costs", twice(&card, r#""ar":3"#, r#""ar":4"#)),
    ] {
        let reply = world.import_text(feature, "", &admin, text.clone()).await;
        assert_eq!(reply.problem(422), "validation_failed", "{text}");
        assert!(
            reply.json().to_string().contains("duplicate") || reply.json().to_string().contains("twice"),
            "{}",
            reply.json()
        );
    }
    let missions = organization("o").with("audience", json!({"missions": ["a"]}));
    let text = twice(&missions, r#""missions":["a"]"#, r#""missions":["b"]"#);
    world.import_text("directory", "", &admin, text).await.problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_made_to_be_heavy_is_refused_in_moments() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let keys: String = (0..1_000_000).map(|n| format!("\"k{n}\":1,")).collect();
    for (name, body, status) in [
        ("10,000 deep", "[".repeat(10_000) + &"]".repeat(10_000), 422),
        ("a million keys", format!("{{{keys}\"z\":1}}"), 413),
        ("a number of 10 MB", "9".repeat(10_000_000), 413),
        ("a number of 60 kB", "9".repeat(60_000), 400),
        ("NUL", "{\"kind\":\"a\0b\"}".to_owned(), 400),
        ("a lone surrogate", r#"{"kind":"\ud800"}"#.to_owned(), 400),
    ] {
        // The quickest of several: the machine may be busy with other tests.
        let mut quickest = Duration::MAX;
        for _ in 0..5 {
            let request = world.request(Method::POST, "/v1/event-costs/estimates", Who::Token(&admin));
            let request = request.header("content-type", "application/json").body(body.clone());
            let asked = Instant::now();
            let reply = world.send(request).await;
            quickest = quickest.min(asked.elapsed());
            let refused = reply.status.as_u16();
            reply.problem(refused);
            assert!(refused == status || (status == 400 && refused == 422), "{name}: {refused}");
        }
        println!("{name}: {quickest:?}");
        assert!(quickest < Duration::from_millis(50), "{name}: {quickest:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_bomb_is_not_unpacked() {
    use std::io::Write;
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b'\n'; 20_000_000]).unwrap();
    let packed = packed.finish().unwrap();
    let mut nested = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    nested.write_all(&packed).unwrap();
    let nested = nested.finish().unwrap();
    for path in ["/v1/imports/directory?source=test", "/v1/event-costs/estimates", "/oauth/token"] {
        let media_type = match path {
            "/oauth/token" => "application/x-www-form-urlencoded",
            "/v1/event-costs/estimates" => "application/json",
            _ => "application/x-ndjson",
        };
        for (coding, body) in
            [("gzip", &packed), ("gzip, gzip", &nested), ("br", &nested), ("zstd", &nested), ("deflate", &nested)]
        {
            let asked = Instant::now();
            let request = world.request(Method::POST, path, Who::Token(&admin)).header("content-type", media_type);
            let reply = world.send(request.header("content-encoding", coding).body(body.clone())).await;
            assert_eq!(reply.problem(415), "unsupported_media_type", "{path} {coding}");
            assert!(asked.elapsed() < Duration::from_secs(1), "{path} {coding}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_mixes_alphabets_is_taken_and_told() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let rows = [
        organization("a").with("name", json!({"en": "Mission of P\u{430}ris", "ru": "Миссия"})),
        organization("b").with("name", json!({"en": "Plain", "ar": "مكتب \u{2068}UNOG\u{2069}", "zh": "联合国UN"})),
    ];
    for options in ["&dry_run=true", ""] {
        let report = world.import("directory", options, &admin, &rows).await.expect(200).json();
        let warnings = report["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{report}");
        assert_eq!((&warnings[0]["line"], &warnings[0]["pointer"]), (&json!(1), &json!("/name/en")));
        assert!(warnings[0]["detail"].as_str().unwrap().contains("U+0430"), "{report}");
    }
    let report = world.import("directory", "", &admin, &rows[1..]).await.expect(200).json();
    assert_eq!(report.get("warnings"), None);
    let name = |lang: &str| format!("/v1/directory/organizations?lang={lang}");
    let read = |reply: &Reply| reply.json().to_string().contains("مكتب \u{2068}UNOG\u{2069}");
    world.eventually(&name("ar"), Who::Token(&admin), read).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_none_or_comes_twice_is_refused_by_name() {
    let world = World::empty().await;
    let admin = world.token(Role::Admin).await;
    let local = |zone: &str, date: &str, time: &str| (json!(zone), json!({"date": date, "given": time}));
    let refused = [
        ((json!("America/New_York"), json!("2026-09-21T08:00:00")), "offset"),
        ((json!("America/New_York"), json!("2026-09-21T24:00:00-04:00")), "24:00"),
        ((json!("America/New_York"), json!("2016-12-31T23:59:60Z")), "leap second"),
        (local("America/New_York", "2026-03-08", "02:30"), "does not exist"),
        (local("America/New_York", "2026-11-01", "01:30"), "comes twice"),
        (local("Europe/Vienna", "2026-03-29", "02:30"), "does not exist"),
        (local("Europe/Vienna", "2026-10-25", "02:30"), "comes twice"),
        (local("Australia/Lord_Howe", "2026-10-04", "02:15"), "does not exist"),
        (local("America/New_York", "2026-09-21", "24:00"), "24:00"),
    ];
    for ((zone, onset), why) in refused {
        let row = bulletin("b").with("time_zone", zone).with("onset", onset.clone());
        let reply = world.import("bulletins", "", &admin, &[row]).await;
        assert!(places(&reply)[0].0.starts_with("/onset"), "{}", reply.json());
        assert!(reply.json()["errors"][0]["detail"].as_str().unwrap().contains(why), "{onset}: {}", reply.json());
    }
    for embargo in ["2026-03-08T02:30:00", "2026-09-21T24:00:00Z", "2016-12-31T23:59:60Z"] {
        let reply = world.import("bulletins", "", &admin, &[bulletin("b").with("embargo_until", json!(embargo))]).await;
        assert_eq!(places(&reply)[0].0, "/embargo_until", "{embargo}");
    }
    let kathmandu = [
        bulletin("k").with("time_zone", json!("Asia/Kathmandu")).with("sent", json!("2026-09-21T08:00:00+05:45")),
        bulletin("l").with("onset", json!("2026-11-01T01:30:00-05:00")),
    ];
    world.import("bulletins", "", &admin, &kathmandu).await.expect(200);
}
