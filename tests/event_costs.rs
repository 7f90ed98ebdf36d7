//! Event costs: one bill across offices, with the reason for every charge.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::rows::{With, mission, organization, unit};
use crate::harness::{Reply, Who, World};

const ESTIMATES: &str = "/v1/event-costs/estimates";
const CARDS: &str = "/v1/event-costs/rate-cards";

impl World {
    async fn estimate(&self, language: &str, who: Who<'_>, plan: &Value) -> Reply {
        let path = format!("{ESTIMATES}?lang={language}");
        self.send(self.request(Method::POST, &path, who).json(plan)).await
    }
}

/// A side event in New York, on a Tuesday evening.
fn side_event(wishes: Value) -> Value {
    json!({"duty_station": "NY", "kind": "side_event", "wishes": wishes,
        "sessions": [{"date": "2027-09-21", "start": "18:30", "end": "20:00"}]})
}

fn rate(code: &str, amount: &str) -> Value {
    json!({"code": code, "category": "room", "item": {"en": "Room"}, "unit": "event", "charge": {"amount": amount},
        "provenance": {"confidence": "sample"}})
}

/// A card for New York that holds in 2027.
fn card(key: &str, rates: Value) -> Value {
    json!({"kind": "rate_card", "key": key, "duty_station": "NY", "title": {"en": "Rates of tests"},
        "valid_from": "2027-01-01", "valid_until": "2027-12-31", "currency": "USD",
        "provenance": {"confidence": "sample"}, "rates": rates})
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

/// The code of each line's rate with the most it may cost.
fn amounts(lines: &Value) -> Vec<(&str, &str)> {
    texts(lines, "rate")
        .into_iter()
        .zip(lines.as_array().unwrap().iter().map(|l| l["amount"]["high"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_technicians_after_hours_make_one_bill_of_three_offices_with_a_reason_for_every_charge() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let plan = side_event(json!({"av_technicians": 3, "captioning": true, "interpretation": ["en", "fr"]}));
    let estimate = world.estimate("en", Who::Token(&token), &plan).await.expect(200).json();

    assert_eq!(
        amounts(&estimate["lines"]),
        [
            ("av-technician", "780.00"),
            ("av-technician-additional", "780.00"),
            ("security", "400.00"),
            ("captioning", "300.00"),
            ("programme-support", "254.80"),
        ]
    );
    let total = json!([{"low": "2414.80", "high": "2514.80", "currency": "USD"}]);
    assert_eq!(estimate["totals"], total, "a range, because captioning is one");
    let additional = &estimate["lines"][1];
    assert_eq!(
        additional["reason"],
        "Charged for time outside the regular hours of 10:00 to 18:00, Monday to Friday; sessions concerned: 1 of 1."
    );
    assert_eq!(additional["office"]["name"], "Broadcast and Conference Support Section");
    assert_eq!(additional["provenance"]["citation"], "https://docsbay.net/doc/760874/");
    assert_eq!(estimate["lines"][4]["base"]["amount"], "1960.00", "what outside suppliers bill bears no support cost");
    let offices: Vec<&str> = estimate["offices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["office"]["name"].as_str().unwrap_or("not stated"))
        .collect();
    let expected = [
        "Broadcast and Conference Support Section",
        "Department of Safety and Security",
        "Outside supplier",
        "not stated",
    ];
    assert_eq!(offices, expected);
    assert_eq!(estimate["basis"]["kind"], "historical");
    assert_eq!(estimate["basis"]["years"], json!([1980, 2012, 2016]));
    assert_eq!(texts(&estimate["not_priced"], "why"), ["not_offered"]);
    assert!(texts(&estimate["notices"], "code").contains(&"intergovernmental-meetings-first"));
    assert_eq!(estimate["savings"][0]["kind"], "regular_hours");
    assert_eq!(estimate["savings"][0]["spared"][0]["amount"], "881.40");

    // the cheaper plan, sent as it came, costs that much less
    let cheaper = world.estimate("en", Who::Token(&token), &estimate["savings"][0]["plan"]).await.expect(200).json();
    assert_eq!(cheaper["totals"][0]["low"], "1533.40");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_of_the_demonstration_is_whole_in_each_of_six_languages() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let wishes = json!({"av_technicians": 1, "webcast": true, "room_equipment": true, "sign_language": true});
    let mut reasons = Vec::new();
    for language in ["ar", "en", "es", "fr", "ru", "zh"] {
        let reply = world.estimate(language, Who::Token(&token), &side_event(wishes.clone())).await.expect(200);
        assert_eq!(reply.header("content-language"), Some(language));
        let estimate = reply.json();
        assert_eq!((&estimate["language"], &estimate["fallbacks"]), (&json!(language), &json!({})));
        reasons.push(estimate["lines"][2]["reason"].as_str().unwrap().to_owned());
    }
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_holds_is_current_and_comes_before_older_ones() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    world.have("event-costs", &[card("ny-2027", json!([rate("room", "1000.00")]))]).await;
    let plan = side_event(json!({"room_equipment": true}));
    let estimate = world.estimate("en", Who::Token(&token), &plan).await.expect(200).json();
    assert_eq!(amounts(&estimate["lines"])[0], ("room", "1000.00"));
    assert_eq!(estimate["lines"][0]["basis"]["kind"], "current");
    assert_eq!(estimate["lines"][1]["basis"]["kind"], "historical");
    assert_eq!(estimate["basis"]["kind"], "historical", "the whole is worth what its oldest rate is");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_rule_of_a_plan_is_named() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let plan = json!({
        "duty_station": "ny", "kind": "party", "organizer": "me", "participants": -1, "cancelled_days_before": 400,
        "sessions": [
            {"date": "2027-02-30", "start": "24:00", "end": "12:00"},
            {"date": "2027-09-21", "start": "22:00", "end": "01:00"},
        ],
        "wishes": {"av_technicians": 101, "pages": -1, "interpretation": ["en", "xx", "en"]},
    });
    let reply = world.estimate("en", Who::Token(&token), &plan).await;
    assert_eq!(reply.problem(422), "validation_failed");
    let problem = reply.json();
    let mut pointers = texts(&problem["errors"], "pointer");
    pointers.sort_unstable();
    let expected = [
        "/cancelled_days_before",
        "/duty_station",
        "/kind",
        "/organizer",
        "/participants",
        "/sessions/0/date",
        "/sessions/0/start",
        "/sessions/1/end",
        "/wishes/av_technicians",
        "/wishes/interpretation/1",
        "/wishes/interpretation/2",
        "/wishes/pages",
    ];
    assert_eq!(pointers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_plan_is_refused() {
    let world = World::empty().await;
    let token = world.token(Role::Delegate).await;
    let send = async |content_type: &str, body: String| {
        let request = world.request(Method::POST, ESTIMATES, Who::Token(&token));
        world.send(request.header("content-type", content_type).body(body)).await
    };
    let json = "application/json";
    assert_eq!(send(json, "{".into()).await.problem(400), "malformed_json");
    assert_eq!(send(json, "[".repeat(10_000)).await.problem(400), "malformed_json");
    assert_eq!(send(json, String::new()).await.problem(400), "malformed_json");
    assert_eq!(send("text/plain", "{}".into()).await.problem(415), "unsupported_media_type");
    assert_eq!(send(json, " ".repeat(70_000)).await.problem(413), "too_large");
    let session = side_event(json!({}))["sessions"][0].clone();
    for (plan, pointer, rule) in [
        (side_event(json!({})).with("colour", json!("blue")), "/colour", "unknown_field"),
        (side_event(json!({"av_technician": 1})), "/wishes/av_technician", "unknown_field"),
        (side_event(json!({"av_technicians": 1.5})), "/wishes/av_technicians", "structure"),
        (side_event(json!({})).with("sessions", json!([])), "/sessions", "required"),
        (side_event(json!({})).with("sessions", vec![session; 32].into()), "/sessions", "length"),
    ] {
        let reply = send(json, plan.to_string()).await;
        assert_eq!(reply.problem(422), "validation_failed");
        let error = &reply.json()["errors"][0];
        assert_eq!((&error["pointer"], &error["rule"]), (&json!(pointer), &json!(rule)));
    }
    let stranger = world.estimate("en", Who::Stranger, &json!({})).await;
    assert_eq!(stranger.problem(401), "invalid_token", "before the body is looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_for_one_mission_is_in_no_answer_to_another() {
    let world = World::empty().await;
    world.have("directory", &[organization("o"), mission("m", "o"), mission("n", "o")]).await;
    let admin = world.token(Role::Admin).await;
    let missions = world.get("/v1/directory/missions", Who::Token(&admin)).await.expect(200).json();
    let ids: Vec<Uuid> =
        missions["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().parse().unwrap()).collect();
    let private = card("private", json!([rate("room", "7.00")])).with("audience", json!({"missions": ["m"]}));
    world.have("event-costs", &[private]).await;
    let plan = side_event(json!({"room_equipment": true}));
    let mut seen = Vec::new();
    for id in ids {
        let token = world.token_for(Role::Delegate, Some(id)).await;
        let who = Who::Token(&token);
        let listed = world.get(CARDS, who).await.expect(200).json()["items"].as_array().unwrap().len();
        let estimate = world.estimate("en", who, &plan).await.expect(200).json();
        let copied = world.get("/v1/sync", who).await.expect(200).json();
        let copied = texts(&copied["put"], "kind").into_iter().filter(|kind| *kind == "rate_card").count();
        seen.push((listed, estimate["lines"].as_array().unwrap().len(), copied));
        let all = world.get(CARDS, Who::Token(&admin)).await.expect(200).json();
        let card = format!("{CARDS}/{}", all["items"][0]["id"].as_str().unwrap());
        let status = world.get(&card, who).await.status.as_u16();
        assert_eq!(status, if listed == 1 { 200 } else { 404 });
    }
    seen.sort_unstable();
    assert_eq!(seen, [(0, 0, 0), (1, 1, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_cards_again_change_nothing_and_a_changed_rate_changes_its_card_alone() {
    let world = World::empty().await;
    let cards = [
        card("a", json!([rate("room", "1.00"), rate("other", "2.00")])),
        card("b", json!([rate("room", "3.00")])).with(
            "rules",
            json!([{"code": "r", "effect": "informs",
            "text": {"en": "Ask first."}, "lead_hours": 48, "provenance": {"confidence": "sample"}}]),
        ),
    ];
    let first = world.have("event-costs", &cards).await;
    assert_eq!(first.header("sync-rev"), Some("costs=1"));
    let again = world.have("event-costs", &cards).await;
    assert_eq!((again.header("sync-rev"), &again.json()["unchanged"]), (None, &json!(2)));

    let token = world.token(Role::Integrator).await;
    let copy = world.get("/v1/sync", Who::Token(&token)).await.expect(200).json();
    // the rates in another order, one of them dearer
    let changed = card("a", json!([rate("other", "2.00"), rate("room", "1.50")]));
    let reply = world.have("event-costs", &[changed]).await;
    assert_eq!((reply.header("sync-rev"), &reply.json()["changed"]), (Some("costs=2"), &json!(1)));
    let path = format!("/v1/sync?token={}&min_rev=costs=2", copy["token"].as_str().unwrap());
    let delta = world.get(&path, Who::Token(&token)).await.expect(200).json();
    assert_eq!(texts(&delta["put"], "kind"), ["rate_card"]);
    assert_eq!(texts(&delta["put"][0]["object"]["rates"], "code"), ["other", "room"]);
    assert_eq!(delta["put"][0]["object"]["rates"][1]["price"]["amount"], "1.50");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_card_is_refused_with_line_and_field() {
    let world = World::empty().await;
    let editor = world.token(Role::Editor).await;
    let bad = |field: &str, value: Value| card("bad", json!([rate("room", "1.00").with(field, value)]));
    let cases = [
        (card("bad", json!([])).with("currency", json!("XAU")), "/currency", "one_of"),
        (card("bad", json!([])).with("valid_until", json!("2026-12-31")), "/valid_until", "conflict"),
        (card("bad", json!([])).with("interpreters", json!({"de": 2})), "/interpreters/de", "one_of"),
        (card("bad", json!([rate("room", "1.00"), rate("room", "2.00")])), "/rates/1/code", "duplicate"),
        (bad("charge", json!({"amount": "1e3"})), "/rates/0/charge/amount", "format"),
        (bad("charge", json!({"amount": 260})), "/rates/0/charge/amount", "structure"),
        (bad("charge", json!({"low": "2.00", "high": "1.00"})), "/rates/0/charge/high", "conflict"),
        (bad("charge", json!({"percent": "13", "of": "charges"})), "/rates/0/unit", "conflict"),
        (bad("charge", json!({})), "/rates/0/charge", "conflict"),
        (bad("applies_when", json!("outside_regular_hours")), "/rates/0/regular_hours", "required"),
        (bad("kinds", json!(["party"])), "/rates/0/kinds/0", "one_of"),
        (
            bad("office", json!({"name": {"en": "X"}, "kind": "united_nations", "unit": "none"})),
            "/rates/0/office/unit",
            "reference",
        ),
        (bad("item", json!({"en": "a\u{202e}b"})), "/rates/0/item/en", "characters"),
        (bad("colour", json!("blue")), "/rates/0/colour", "unknown_field"),
    ];
    for (row, pointer, rule) in cases {
        let reply = world.import("event-costs", "", &editor, &[card("good", json!([])), row]).await;
        assert_eq!(reply.problem(422), "validation_failed");
        let error = &reply.json()["errors"][0];
        let found = (error["line"].as_u64(), error["pointer"].as_str(), error["rule"].as_str());
        assert_eq!(found, (Some(2), Some(pointer), Some(rule)), "{error}");
    }
    let none = world.get(CARDS, Who::Token(&editor)).await.expect(200).json();
    assert_eq!(none["items"], json!([]), "all or none");
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_listed_by_duty_station_and_day_in_pages() {
    let world = World::demonstration().await;
    let token = world.token(Role::Delegate).await;
    let keys = async |query: &str| {
        let mut titles = Vec::new();
        let mut path = format!("{CARDS}?lang=en&limit=1{query}");
        loop {
            let reply = world.get(&path, Who::Token(&token)).await.expect(200);
            let page = reply.json();
            titles.extend(texts(&page["items"], "title").into_iter().map(str::to_owned));
            let Some(cursor) = page["next_cursor"].as_str() else { break titles };
            assert!(reply.header("link").unwrap().contains(cursor));
            path = format!("{CARDS}?lang=en&limit=1{query}&cursor={cursor}");
        }
    };
    assert_eq!(keys("").await.len(), 11);
    assert_eq!(keys("&duty_station=VIE&on=2016-07-20").await, ["What interpretation in Vienna cost in 2016"]);
    assert_eq!(keys("&duty_station=NY&on=2016-09-22").await, ["Costs of events at Headquarters, 2016"]);
    assert_eq!(keys("&on=2027-01-01").await, Vec::<String>::new(), "no card of the demonstration is a tariff");
    let refused = world.get(&format!("{CARDS}?on=today&duty_station=x&limit=0"), Who::Token(&token)).await;
    assert_eq!(refused.problem(422), "validation_failed");
    assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_changed_by_hand_is_priced_within_a_second_and_nonsense_by_hand_is_refused() {
    let world = World::empty().await;
    world.have("event-costs", &[card("a", json!([rate("room", "1.00")]))]).await;
    let token = world.token(Role::Delegate).await;
    let psql = world.database.psql().await;
    psql.execute("update rate set low = 2, high = 3", &[]).await.unwrap();
    let seen = |reply: &Reply| reply.json()["items"][0]["rates"][0]["price"]["high"] == "3.00";
    let (_, took) = world.eventually(CARDS, Who::Token(&token), seen).await;
    assert!(took.as_millis() < 1000, "{took:?}");
    let plan = side_event(json!({"room_equipment": true}));
    let estimate = world.estimate("en", Who::Token(&token), &plan).await.expect(200).json();
    assert_eq!(estimate["totals"], json!([{"low": "2.00", "high": "3.00", "currency": "USD"}]));
    for nonsense in [
        "update rate set low = 4",
        "update rate set currency = null",
        "update rate set unit = 'share'",
        "update rate set category = 'bribe'",
        "update rate set applies_when = 'regular_hours'",
        "update rate set kinds = '{party}'",
        "update rate_card set valid_until = '2026-12-31'",
        "update rate_card set interpreters = '{\"de\": 1}'",
    ] {
        assert!(psql.execute(nonsense, &[]).await.is_err(), "{nonsense}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_billing_unit_is_named_only_while_every_reader_of_the_card_may_see_it() {
    let world = World::empty().await;
    let office = json!({"name": {"en": "Section"}, "kind": "united_nations", "unit": "u"});
    let billed = card("a", json!([rate("room", "1.00").with("office", office)]));
    world.have("directory", &[organization("o"), unit("u", "o")]).await;
    world.have("event-costs", std::slice::from_ref(&billed)).await;
    let token = world.token(Role::Delegate).await;
    let named = |reply: &Reply| reply.json()["items"][0]["rates"][0]["office"]["unit"].is_string();
    let unnamed = |reply: &Reply| reply.json()["items"][0]["rates"][0]["office"]["unit"].is_null();
    world.eventually(CARDS, Who::Token(&token), named).await;
    let psql = world.database.psql().await;
    psql.execute("update unit set audience = 'secretariat'", &[]).await.unwrap();
    world.eventually(CARDS, Who::Token(&token), unnamed).await;
    let editor = world.token(Role::Editor).await;
    let refused = world.import("event-costs", "", &editor, &[billed]).await;
    assert_eq!(refused.problem(422), "validation_failed");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/rates/0/office/unit");
    psql.execute("update unit set audience = 'public'", &[]).await.unwrap();
    world.eventually(CARDS, Who::Token(&token), named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_may_not_import_and_a_withdrawn_card_leaves_copies() {
    let world = World::empty().await;
    let delegate = world.token(Role::Delegate).await;
    let refused = world.import("event-costs", "", &delegate, &[card("a", json!([]))]).await;
    assert_eq!(refused.problem(403), "forbidden");
    world.have("event-costs", &[card("a", json!([])), card("b", json!([]))]).await;
    let copy = world.get("/v1/sync", Who::Token(&delegate)).await.expect(200).json();
    let editor = world.token(Role::Editor).await;
    let few = world.import("event-costs", "&mode=replace", &editor, &[card("a", json!([]))]).await;
    assert_eq!(few.problem(409), "too_many_closed");
    let forced = world.import("event-costs", "&mode=replace&force=true", &editor, &[card("a", json!([]))]).await;
    assert_eq!(forced.expect(200).header("sync-rev"), Some("costs=2"));
    let path = format!("/v1/sync?token={}&min_rev=costs=2", copy["token"].as_str().unwrap());
    let delta = world.get(&path, Who::Token(&delegate)).await.expect(200).json();
    assert_eq!((texts(&delta["remove"], "kind"), &delta["put"]), (vec!["rate_card"], &json!([])));
}
