//! INF notes: symbols, chains, languages, audiences, embargoes, the import.

use domain::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::With;
use crate::harness::{MISSION, Reply, Who, World};

const LANGUAGES: [&str; 6] = ["ar", "en", "es", "fr", "ru", "zh"];

/// A row that is accepted and published at once.
pub(crate) fn note(symbol: &str) -> Value {
    json!({"kind": "inf_note", "key": symbol, "audience": "public", "symbol": symbol,
        "texts": {"en": {"title": "Arrangements for tests", "confidence": "sample"}}, "provenance": {"confidence": "sample"}})
}

fn items<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

/// The rule and the place of each fault.
fn faults(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.problem(422), "validation_failed");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = |e: &Value| text(&e["pointer"]) + &text(&e["parameter"]);
    reply.json()["errors"].as_array().unwrap().iter().map(|e| (text(&e["rule"]), place(e))).collect()
}

async fn find(world: &World, symbol: &str, who: Who<'_>) -> Option<String> {
    let page = world.get(&format!("/v1/inf-notes?symbol={symbol}"), who).await.expect(200).json();
    items(&page, "id").first().map(|id| (*id).to_owned())
}

async fn get(world: &World, symbol: &str, query: &str, who: Who<'_>) -> Reply {
    let id = find(world, symbol, who).await.unwrap();
    world.get(&format!("/v1/inf-notes/{id}{query}"), who).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reissued_note_and_its_revision_form_a_chain() {
    let world = World::demonstration().await;
    let note = get(&world, "A/INF/76/4", "", Who::Stranger).await.json();
    assert_eq!((&note["symbol"], &note["printed_symbol"]), (&json!("A/INF/76/4"), &json!("A/INF/76/4*")));
    assert_eq!(note["reissues"], json!([{"on": "2021-08-11", "reason": "Reissued for technical reasons"}]));
    assert_eq!(note["sections"][3]["number"], "IV");
    let chain = &note["chain"];
    assert_eq!(chain["in_force"], "A/INF/76/4/Rev.1");
    assert_eq!(chain["issues"][0]["superseded_by"], "A/INF/76/4/Rev.1");
    assert_eq!(chain["issues"][1]["supersedes"], json!(["A/INF/76/4"]));
    assert_eq!((&chain["issues"][0]["in_force"], &chain["issues"][1]["in_force"]), (&json!(false), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_is_found_however_it_is_written_and_finds_no_other_issue() {
    let world = World::demonstration().await;
    for spelling in ["A/INF/76/4", "a/inf/76/4", "A%2FINF%2F76%2F4*", "%20A%20/%20INF/76%20/4%20**"] {
        let page = world.get(&format!("/v1/inf-notes?symbol={spelling}"), Who::Stranger).await.expect(200).json();
        assert_eq!(items(&page, "symbol"), ["A/INF/76/4"], "{spelling}");
    }
    let page = world.get("/v1/inf-notes?symbol=a/inf/76/4/rev.1", Who::Stranger).await.expect(200).json();
    assert_eq!(items(&page, "symbol"), ["A/INF/76/4/Rev.1"]);
    assert_eq!(find(&world, "A/INF/76/5", Who::Stranger).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_for_a_symbol_is_refused_with_its_rule() {
    let world = World::empty().await;
    for (junk, rule) in [
        ("", "format"),
        ("A/76/4", "format"),
        ("A/INF/76", "required"),
        ("A/INF/0/4", "range"),
        ("A/INF/76/10000", "range"),
        ("A/INF/76/4/Amend.1", "format"),
        ("A/INF/76/4/Corr.1/Rev.1", "format"),
        ("A/INF/7%206/4", "format"),
        ("%D0%90/INF/76/4", "characters"),
        ("A/INF/76/4%00", "characters"),
        (&"A".repeat(101), "length"),
    ] {
        let reply = world.get(&format!("/v1/inf-notes?symbol={junk}"), Who::Stranger).await;
        assert_eq!(faults(&reply), [(rule.to_owned(), "symbol".to_owned())], "{junk}");
    }
    let both = world.get("/v1/inf-notes?symbol=x&session=1000&q=", Who::Stranger).await;
    let places: Vec<_> = faults(&both).into_iter().map(|(_, place)| place).collect();
    assert_eq!(places, ["symbol", "session", "q"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_read_in_six_languages_with_a_named_fallback() {
    let world = World::demonstration().await;
    let mut titles = Vec::new();
    for language in LANGUAGES {
        let reply = get(&world, "A/INF/76/4/Rev.1", &format!("?lang={language}"), Who::Stranger).await;
        assert_eq!(reply.header("content-language"), Some(language));
        let note = reply.json();
        assert_eq!((&note["language"], &note["fallbacks"]), (&json!(language), &json!({})));
        titles.push(note["title"].as_str().unwrap().to_owned());
    }
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 6);

    let fallback = json!({"title": "en", "subtitle": "en", "sections": "en"});
    let corrigendum = get(&world, "A/INF/79/4/Corr.1", "?lang=ru", Who::Stranger).await.json();
    assert_eq!((&corrigendum["fallbacks"], &corrigendum["subtitle"]), (&fallback, &json!("Corrigendum")));
    let page = world.get("/v1/inf-notes?symbol=A/INF/79/4/Corr.1&lang=ru", Who::Stranger).await.json();
    assert_eq!(page["items"][0]["fallbacks"], json!({"title": "en", "subtitle": "en"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_language_tells_how_late_it_was() {
    let world = World::empty().await;
    let text = |at: Option<&str>| {
        let appeared = at.map(|at| json!({"at": at, "confidence": "official"}));
        json!({"title": "T", "confidence": "official", "appeared": appeared})
    };
    let texts = json!({"en": text(Some("2026-08-03T10:00:00-04:00")), "ar": text(Some("2026-08-03T15:30:00Z")), "zh": text(None)});
    world.have("inf-notes", &[note("A/INF/81/4").with("texts", texts)]).await;
    let note = get(&world, "A/INF/81/4", "", Who::Stranger).await.json();
    let lag = |n: usize| (&note["languages"][n]["language"], &note["languages"][n]["behind_seconds"]);
    assert_eq!(lag(0), (&json!("ar"), &json!(5400)));
    assert_eq!(lag(1), (&json!("en"), &json!(0)));
    assert_eq!(lag(2), (&json!("zh"), &Value::Null));
    assert_eq!(note["languages"][1]["appeared_at"], "2026-08-03T14:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_from_the_newest_note_on() {
    let world = World::empty().await;
    let symbols = ["A/INF/80/4", "A/INF/81/4", "A/INF/81/4/Rev.1", "A/INF/81/4/Add.1", "A/INF/9/4"];
    world.have("inf-notes", &symbols.map(note)).await;
    for query in ["", "&q=arrangements"] {
        let (mut seen, mut path) = (Vec::new(), format!("/v1/inf-notes?limit=2{query}"));
        loop {
            let reply = world.get(&path, Who::Stranger).await.expect(200);
            seen.extend(items(&reply.json(), "symbol").into_iter().map(str::to_owned));
            let Some(link) = reply.header("link") else { break };
            path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        }
        let newest_first = ["A/INF/81/4/Rev.1", "A/INF/81/4/Add.1", "A/INF/81/4", "A/INF/80/4", "A/INF/9/4"];
        assert_eq!(seen, newest_first, "{query}");
    }
    let page = world.get("/v1/inf-notes?session=80", Who::Stranger).await.json();
    assert_eq!(items(&page, "symbol"), ["A/INF/80/4"]);
    let cursor = world.get("/v1/inf-notes?limit=1", Who::Stranger).await.json()["next_cursor"].clone();
    let other_list = format!("/v1/inf-notes?q=arrangements&cursor={}", cursor.as_str().unwrap());
    assert_eq!(world.get(&other_list, Who::Stranger).await.problem(400), "invalid_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_every_language_and_the_reason_is_told() {
    let world = World::demonstration().await;
    for (q, symbol, field, language) in [
        ("accreditation", "A/INF/79/4", "text", "en"),
        ("acreditacion", "A/INF/79/4", "text", "es"),
        ("аккредитация", "A/INF/79/4", "text", "ru"),
        ("采访证", "A/INF/79/4", "text", "zh"),
        ("اعتماد", "A/INF/79/4", "text", "ar"),
        ("exemplaires", "A/INF/68/4", "text", "fr"),
        ("medicla", "A/INF/79/4/Add.1", "heading", "en"),
    ] {
        let page = world.get(&format!("/v1/inf-notes?q={q}"), Who::Stranger).await.expect(200).json();
        let found =
            page["items"].as_array().unwrap().iter().find(|item| item["symbol"] == symbol).unwrap_or(&Value::Null);
        assert_eq!(
            (&found["why"]["field"], &found["why"]["language"]),
            (&json!(field), &json!(language)),
            "{q}: {page}"
        );
    }
    let page = world.get("/v1/inf-notes?q=A/INF/77/4", Who::Stranger).await.json();
    assert_eq!((items(&page, "symbol")[0], &page["items"][0]["why"]["field"]), ("A/INF/77/4", &json!("symbol")));
}

/// Asserts that `who` finds no trace of a note: by id, in lists, by words, symbol and session, in the
/// chain of its document, in a first copy and in a delta.
async fn assert_absent(world: &World, id: Uuid, who: Who<'_>, token: &str) {
    let nothing = world.get(&format!("/v1/inf-notes/{}", Uuid::now_v7()), who).await;
    let reply = world.get(&format!("/v1/inf-notes/{id}"), who).await;
    assert_eq!((reply.problem(404), nothing.problem(404)), ("not_found".into(), "not_found".into()));
    for query in ["", "?q=quagga", "?q=A/INF/81/4/Rev.1", "?session=81", "?limit=2", "?symbol=A/INF/81/4/Rev.1"] {
        let reply = world.get(&format!("/v1/inf-notes{query}"), who).await.expect(200);
        let text = String::from_utf8(reply.bytes).unwrap();
        assert!(
            !text.contains("Rev.1") && !text.contains("next_cursor") && !text.contains("Quagga"),
            "{query}: {text}"
        );
    }
    let base = get(world, "A/INF/81/4", "", who).await.json();
    assert_eq!(
        (&base["chain"]["in_force"], base["chain"]["issues"].as_array().unwrap().len()),
        (&json!("A/INF/81/4"), 1)
    );
    if let Who::Token(_) = who {
        for path in ["/v1/sync".to_owned(), format!("/v1/sync?token={token}")] {
            let copy = world.get(&path, who).await.expect(200);
            assert!(!String::from_utf8(copy.bytes).unwrap().contains(&id.to_string()), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embargoed_note_is_in_no_channel_until_the_scheduler_publishes_it() {
    let world = World::empty().await;
    let (editor, delegate) = (world.token(Role::Editor).await, world.token(Role::Delegate).await);
    world.have("inf-notes", &[note("A/INF/81/4")]).await;
    let psql = world.database.psql().await;
    let listed = world.get("/v1/inf-notes", Who::Stranger).await;
    let mut tokens = Vec::new();
    for token in [&delegate, &editor] {
        let copy = world.get("/v1/sync", Who::Token(token)).await.expect(200).json();
        tokens.push(copy["token"].as_str().unwrap().to_owned());
    }

    let text = |title: &str| json!({"title": title, "confidence": "sample"});
    let texts: Value = LANGUAGES.iter().map(|l| ((*l).to_owned(), text(&format!("Quagga {l}")))).collect();
    let embargoed = note("A/INF/81/4/Rev.1").with("texts", texts).with("embargo_until", json!("2099-01-01T00:00:00Z"));
    let reply = world.import("inf-notes", "", &editor, &[embargoed]).await.expect(200);
    assert_eq!((reply.header("sync-rev"), &reply.json()["inserted"]), (None, &json!(1)), "no phone is woken");
    let row = psql.query_one("select id from inf_note where published_at is null", &[]).await.unwrap();
    let id: Uuid = row.get(0);
    // A later change that everybody sees: what came before it has reached the edition.
    world.have("inf-notes", &[note("A/INF/80/4")]).await;
    for (who, token) in [(Who::Stranger, ""), (Who::Token(&delegate), &tokens[0]), (Who::Token(&editor), &tokens[1])] {
        assert_absent(&world, id, who, token).await;
    }
    let psql_revision = async || -> i64 {
        psql.query_one("select rev from sync_head where stream = 'notes'", &[]).await.unwrap().get(0)
    };
    let before = psql_revision().await;

    psql.execute("update inf_note set embargo_until = now() where id = $1", &[&id]).await.unwrap();
    let there = |reply: &Reply| reply.status == 200;
    world.eventually(&format!("/v1/inf-notes/{id}"), Who::Stranger, there).await;
    assert_eq!(psql_revision().await, before + 1);
    for language in LANGUAGES {
        let note = world.get(&format!("/v1/inf-notes/{id}?lang={language}"), Who::Stranger).await.expect(200).json();
        assert_eq!(note["title"], format!("Quagga {language}"));
    }
    let base = get(&world, "A/INF/81/4", "", Who::Stranger).await.json();
    assert_eq!(base["chain"]["in_force"], "A/INF/81/4/Rev.1");
    let now_listed = world.get("/v1/inf-notes", Who::Stranger).await;
    assert_ne!(listed.header("etag"), now_listed.header("etag"));
    let delta = world.get(&format!("/v1/sync?token={}", tokens[0]), Who::Token(&delegate)).await.expect(200).json();
    assert!(delta["put"].as_array().unwrap().iter().any(|put| put["id"] == json!(id) && put["kind"] == "inf_note"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embargo_is_over_by_the_database_clock_for_one_process_alone() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let later = note("A/INF/81/4").with("embargo_until", json!("2099-01-01T00:00:00Z"));
    world.import("inf-notes", "", &editor, &[later]).await.expect(200);
    let psql = world.database.psql().await;
    let early = psql.execute("update inf_note set published_at = now()", &[]).await.unwrap_err();
    assert_eq!(early.as_db_error().unwrap().constraint(), Some("inf_note_published_after_embargo"));

    psql.batch_execute("begin; update inf_note set embargo_until = now()").await.unwrap();
    let db = &world.server.state.db;
    let publish = || db.write(async |conn| persistence::inf_notes::publish_due(conn).await);
    assert_eq!(publish().await.unwrap().value.len(), 0, "what another holds is skipped, not waited for");
    psql.batch_execute("commit").await.unwrap();
    let (one, other) = tokio::join!(publish(), publish());
    assert!(one.unwrap().value.len() + other.unwrap().value.len() <= 1);
    let there = |reply: &Reply| !reply.json()["items"].as_array().unwrap().is_empty();
    world.eventually("/v1/inf-notes", Who::Stranger, there).await;
    let published: i64 = psql
        .query_one("select count(*) from sync_log where kind = 'inf_note' and audience_before is null and audience_after = 'public'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(published, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_seen_by_its_audience_alone_and_so_is_its_place_in_a_chain() {
    let world = World::demonstration().await;
    let delegate = world.token(Role::Delegate).await;
    let issues = async |who: Who<'_>| {
        let note = get(&world, "A/INF/79/4", "", who).await.json();
        let issues = note["chain"]["issues"].as_array().unwrap();
        issues.iter().map(|issue| issue["symbol"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let public = ["A/INF/79/4", "A/INF/79/4/Corr.1", "A/INF/79/4/Add.1"];
    assert_eq!(issues(Who::Stranger).await, public);
    assert_eq!(issues(Who::Token(&delegate)).await, [&public[..], &["A/INF/79/4/Add.2"]].concat());
    assert_eq!(find(&world, "A/INF/79/4/Add.2", Who::Stranger).await, None);
    let id = find(&world, "A/INF/79/4/Add.2", Who::Token(&delegate)).await.unwrap();
    assert_eq!(world.get(&format!("/v1/inf-notes/{id}"), Who::Stranger).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_for_named_missions_is_for_them_and_the_secretariat() {
    let world = World::empty().await;
    let rows = [crate::harness::rows::organization("o"), crate::harness::rows::mission("m", "o")];
    world.have("directory", &rows).await;
    let psql = world.database.psql().await;
    let mission: Uuid = psql.query_one("select id from mission", &[]).await.unwrap().get(0);
    let named = note("A/INF/81/4").with("audience", json!({"missions": ["m"]}));
    world.have("inf-notes", &[named]).await;
    let own = world.token_for(Role::Delegate, Some(mission)).await;
    let other = world.token_for(Role::Delegate, Some(MISSION)).await;
    let editor = world.token(Role::Editor).await;
    assert!(find(&world, "A/INF/81/4", Who::Token(&own)).await.is_some());
    assert!(find(&world, "A/INF/81/4", Who::Token(&editor)).await.is_some());
    assert_eq!(find(&world, "A/INF/81/4", Who::Token(&other)).await, None);
    assert_eq!(find(&world, "A/INF/81/4", Who::Stranger).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_note_gets_another_tag_when_its_chain_grows() {
    let world = World::empty().await;
    world.have("inf-notes", &[note("A/INF/81/4")]).await;
    let before = get(&world, "A/INF/81/4", "", Who::Stranger).await;
    let path = format!("/v1/inf-notes/{}", before.json()["id"].as_str().unwrap());
    let held = before.header("etag").unwrap();
    let request = world.request(reqwest::Method::GET, &path, Who::Stranger).header("if-none-match", held);
    world.send(request).await.expect(304);

    world.have("inf-notes", &[note("A/INF/81/4/Corr.1"), note("A/INF/80/4")]).await;
    let request = world.request(reqwest::Method::GET, &path, Who::Stranger).header("if-none-match", held);
    let after = world.send(request).await.expect(200).json();
    assert_eq!(after["chain"]["issues"][1]["accompanies"], "A/INF/81/4");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_changes_nothing_and_ids_survive() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let rows: Vec<Value> = std::fs::read_to_string(crate::harness::top().join("data/demonstration/inf-notes.ndjson"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    world.have("inf-notes", &rows).await;
    let id = find(&world, "A/INF/76/4", Who::Stranger).await;
    let again = world.import("inf-notes", "", &editor, &rows).await.expect(200);
    assert_eq!((again.header("sync-rev"), &again.json()["unchanged"]), (None, &json!(rows.len())));

    let text = json!({"title": "Another title", "confidence": "sample"});
    let changed = [note("A/INF/76/4").with("texts", json!({"fr": text}))];
    let reply = world.have("inf-notes", &changed).await;
    assert_eq!((reply.header("sync-rev"), &reply.json()["changed"]), (Some("notes=2"), &json!(1)));
    assert_eq!(find(&world, "A/INF/76/4", Who::Stranger).await, id);
    let note = get(&world, "A/INF/76/4", "", Who::Stranger).await.json();
    assert_eq!((&note["title"], &note["fallbacks"]), (&json!("Another title"), &json!({"title": "fr"})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_note_leaves_every_copy() {
    let world = World::empty().await;
    let (editor, delegate) = (world.token(Role::Editor).await, world.token(Role::Delegate).await);
    world.have("inf-notes", &[note("A/INF/81/4"), note("A/INF/81/4/Rev.1")]).await;
    let id = find(&world, "A/INF/81/4/Rev.1", Who::Stranger).await.unwrap();
    let copy = world.get("/v1/sync", Who::Token(&delegate)).await.json();

    let few = world.import("inf-notes", "&mode=replace", &editor, &[note("A/INF/81/4")]).await;
    assert_eq!(few.problem(409), "too_many_closed");
    let forced =
        world.import("inf-notes", "&mode=replace&force=true", &editor, &[note("A/INF/81/4")]).await.expect(200);
    let revision = forced.header("sync-rev").unwrap();

    let path = format!("/v1/sync?min_rev={revision}&token={}", copy["token"].as_str().unwrap());
    let delta = world.get(&path, Who::Token(&delegate)).await.expect(200).json();
    assert_eq!((&delta["put"], &delta["remove"]), (&json!([]), &json!([{"kind": "inf_note", "id": id}])));
    assert_eq!(world.get(&format!("/v1/inf-notes/{id}"), Who::Stranger).await.problem(404), "not_found");
    let base = get(&world, "A/INF/81/4", "", Who::Stranger).await.json();
    assert_eq!(base["chain"]["in_force"], "A/INF/81/4");
    // And comes back under its old id.
    world.have("inf-notes", &[note("A/INF/81/4/Rev.1")]).await;
    assert_eq!(find(&world, "A/INF/81/4/Rev.1", Who::Stranger).await, Some(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_field_of_a_row_is_named() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let sections = json!([{"number": "I", "title": "A"}, {"number": "I", "title": "B"}]);
    let bad = note("A/INF/81/4*")
        .with("draft", json!(true))
        .with("embargo_until", json!("2099-01-01T00:00:00Z"))
        .with("job_number", json!("1"))
        .with("date", json!("2026-08-03"))
        .with("reissues", json!([{"on": "2026-08-02"}]))
        .with("session_dates", json!({"high_level": {"from": "2026-09-28", "to": "2026-09-20"}}))
        .with("texts", json!({"xx": {"title": "T", "confidence": "sample"}, "en": {"title": "a\u{202E}b", "confidence": "sample", "sections": sections}}))
        .with("provenance", json!({"confidence": "official"}));
    let reply = world.import("inf-notes", "", &editor, &[bad]).await;
    let pair = |rule: &str, place: &str| (rule.to_owned(), place.to_owned());
    let mut found = faults(&reply);
    found.sort();
    assert_eq!(
        found,
        [
            pair("characters", "/texts/en/title"),
            pair("conflict", "/embargo_until"),
            pair("conflict", "/reissues/0/on"),
            pair("conflict", "/session_dates/high_level"),
            pair("duplicate", "/texts/en/sections/1/number"),
            pair("format", "/job_number"),
            pair("format", "/symbol"),
            pair("one_of", "/texts/xx"),
            pair("required", "/provenance/citation"),
        ]
    );
    for (field, value, expected) in [
        ("texts", json!({}), pair("required", "/texts")),
        ("published_at", json!("2026-08-03T00:00:00Z"), pair("unknown_field", "/published_at")),
        ("embargo_until", json!("2026-08-03T00:00:00"), pair("format", "/embargo_until")),
        ("audience", json!("everyone"), pair("one_of", "/audience")),
    ] {
        let reply = world.import("inf-notes", "", &editor, &[note("A/INF/81/4").with(field, value)]).await;
        assert_eq!(faults(&reply), [expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_no_draft_again_and_a_symbol_is_had_once() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    world.have("inf-notes", &[note("A/INF/81/4")]).await;
    for (row, rule, place) in [
        (note("A/INF/81/4").with("draft", json!(true)), "conflict", "/draft"),
        (note("A/INF/81/4").with("embargo_until", json!("2099-01-01T00:00:00Z")), "conflict", "/embargo_until"),
        (note("A/INF/81/4").with("key", json!("another")), "duplicate", "/symbol"),
    ] {
        let reply = world.import("inf-notes", "", &editor, &[row]).await;
        assert_eq!(faults(&reply), [(rule.to_owned(), place.to_owned())]);
    }
    let twice = [note("A/INF/80/4"), note("A/INF/80/4").with("key", json!("another"))];
    let reply = world.import("inf-notes", "", &editor, &twice).await;
    assert_eq!(faults(&reply), [("duplicate".to_owned(), "/symbol".to_owned())]);
    assert_eq!(find(&world, "A/INF/80/4", Who::Stranger).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_stored_and_seen_by_nobody() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let draft = note("A/INF/81/4").with("draft", json!(true));
    let reply = world.import("inf-notes", "", &editor, &[draft]).await.expect(200);
    assert_eq!((reply.header("sync-rev"), &reply.json()["inserted"]), (None, &json!(1)));
    world.have("inf-notes", &[note("A/INF/80/4")]).await;
    assert_eq!(find(&world, "A/INF/81/4", Who::Token(&editor)).await, None);
    world.have("inf-notes", &[note("A/INF/81/4")]).await;
    assert!(find(&world, "A/INF/81/4", Who::Stranger).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_changed_by_hand_is_its_notes_change() {
    let world = World::empty().await;
    world.have("inf-notes", &[note("A/INF/81/4")]).await;
    let psql = world.database.psql().await;
    psql.execute("update inf_note_text set title = 'By hand'", &[]).await.unwrap();
    let renamed = |reply: &Reply| reply.json()["items"][0]["title"] == "By hand";
    let (_, took) = world.eventually("/v1/inf-notes", Who::Stranger, renamed).await;
    assert!(took.as_millis() < 1000, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_imported_by_editors_admins_and_importers_alone() {
    let world = World::empty().await;
    for role in Role::ALL {
        let token = world.token(role).await;
        let reply = world.import("inf-notes", "&dry_run=true", &token, &[note("A/INF/81/4")]).await;
        match role {
            Role::Editor | Role::Admin | Role::Importer => drop(reply.expect(200)),
            _ => assert_eq!(reply.problem(403), "forbidden", "{role:?}"),
        }
    }
}
