//! What a caller may not see is in no channel: every GET of the contract is asked, in every way that its
//! parameters allow, for ids and words of what is a draft, under an embargo, the Secretariat's or another
//! mission's. Operations that are added are asked, too.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bulletins::bulletin;
use crate::harness::rows::{With, function, mission, organization, person, unit};
use crate::harness::{Who, World};

/// Something that not everybody may see.
struct Hidden {
    table: &'static str,
    key: &'static str,
    /// A word that nothing else has.
    word: &'static str,
    /// Who may see it; nobody while it is a draft or under an embargo.
    seen_by: &'static [&'static str],
    id: Uuid,
    /// Where it is read.
    path: &'static str,
}

fn note(key: &str, symbol: &str, word: &str) -> Value {
    let text = json!({"title": format!("{word} arrangements"), "confidence": "sample"});
    json!({"kind": "inf_note", "key": key, "audience": "public", "symbol": symbol, "provenance": {"confidence": "sample"},
        "texts": {"en": text, "fr": text, "ar": text}})
}

fn told(key: &str, word: &str) -> Value {
    bulletin(key)
        .with("identifier", json!(format!("{word}-1")))
        .with("texts", json!({"en": {"headline": format!("{word} closes"), "description": word}}))
}

fn named(key: &str, word: &str) -> Value {
    organization(key).with("name", json!({"en": format!("{word} office")}))
}

/// Values to try for a parameter, by its name; what is not known is asked by a few words.
fn values(name: &str, hidden: &[Hidden], ids: &[Uuid], tokens: &[String]) -> Vec<String> {
    let words = || hidden.iter().flat_map(|h| [h.word.to_owned(), h.word[..5].to_owned()]);
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    match name {
        "q" => words().collect(),
        "symbol" => texts(&["A/INF/81/7", "A/INF/81/8", "A/INF/81/9", "A/INF/81/4"]),
        "session" => texts(&["81"]),
        "pass" => texts(&["delegate", "staff"]),
        "at" | "on" | "from" | "until" => texts(&["2026-09-22T12:00:00Z", "2026-09-22"]),
        "lang" => texts(&["fr", "ar"]),
        "limit" => texts(&["1", "200"]),
        "active" => texts(&["true", "false"]),
        "severity" => texts(&["minor"]),
        "duty_station" => texts(&["NY"]),
        "state" => texts(&["FRA"]),
        "kind" => texts(&["person", "unit", "function", "mission", "organization", "service", "entrance"]),
        "depth" => texts(&["4"]),
        "format" => texts(&["ndjson", "csv"]),
        "keys" => texts(&["ids"]),
        "bom" => texts(&["true"]),
        "min_rev" => texts(&["notes%3D0"]),
        "token" => tokens.to_vec(),
        "cursor" => Vec::new(),
        _ => ids.iter().map(Uuid::to_string).collect(),
    }
}

/// Every way to ask for what is published.
fn addresses(hidden: &[Hidden], tokens: &[String]) -> BTreeSet<String> {
    let ids: Vec<Uuid> = hidden.iter().map(|h| h.id).collect();
    let document = serde_json::to_value(api::contract::document()).unwrap();
    let mut addresses = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get").filter(|_| path.starts_with("/v1/")) else { continue };
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let mut paths = vec![path.clone()];
        let (mut required, mut optional) = (Vec::new(), Vec::new());
        for parameter in &parameters {
            // Headers that many operations take are declared once, by reference.
            let Some(name) = parameter["name"].as_str() else { continue };
            if parameter["in"] == "path" {
                let each = |path: &String| {
                    ids.iter().map(|id| path.replace(&format!("{{{name}}}"), &id.to_string())).collect::<Vec<_>>()
                };
                paths = paths.iter().flat_map(each).collect();
            } else if parameter["in"] == "query" {
                let of =
                    values(name, hidden, &ids, tokens).into_iter().map(|v| format!("{name}={v}")).collect::<Vec<_>>();
                // An object by its id takes no words: one more language is enough.
                let of = if path.contains('{') { of.into_iter().take(1).collect() } else { of };
                match parameter["required"] == true {
                    true => required.push(of),
                    false => optional.push(of),
                }
            }
        }
        for path in paths {
            // All that is required, in each of its values, with one of the options or none.
            let mut queries = vec![String::new()];
            for of in &required {
                queries = queries.iter().flat_map(|q| of.iter().map(move |v| format!("{q}&{v}"))).collect();
            }
            let cursors = ids.iter().map(|id| {
                let place = json!([path, "", id]).to_string();
                format!("cursor={}", URL_SAFE_NO_PAD.encode(place))
            });
            let cursors: Vec<String> =
                if parameters.iter().any(|p| p["name"] == "cursor") { cursors.collect() } else { Vec::new() };
            for query in &queries {
                addresses.insert(format!("{path}?{}", query.trim_start_matches('&')));
                for option in optional.iter().flatten().chain(&cursors) {
                    addresses.insert(format!("{path}?{}", format!("{query}&{option}").trim_start_matches('&')));
                }
            }
        }
    }
    addresses
}

/// The answer without what differs from one request to the next.
fn settled(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            if let Some(object) = value.as_object_mut() {
                object.remove("request_id");
            }
            value.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

async fn id_of(world: &World, table: &str, key: &str) -> Uuid {
    let query = format!("select id from {table} where source_key = $1");
    world.database.psql().await.query_one(&query, &[&key]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_see_is_in_no_channel_of_the_contract() {
    let world = World::empty().await;
    let rows = [organization("un"), mission("ours", "un"), mission("theirs", "un"), unit("u", "un")];
    world.have("directory", &rows).await;
    world.have("inf-notes", &[note("base", "A/INF/81/4", "ordinary")]).await;
    world.have("bulletins", &[bulletin("known")]).await;
    let (ours, theirs) = (id_of(&world, "mission", "ours").await, id_of(&world, "mission", "theirs").await);
    let callers = [
        ("stranger", None),
        ("ours", Some(world.token_for(Role::Delegate, Some(ours)).await)),
        ("theirs", Some(world.token_for(Role::Integrator, Some(theirs)).await)),
        ("secretariat", Some(world.token(Role::Editor).await)),
    ];
    let who = |token: &'static Option<String>| token.as_deref().map_or(Who::Stranger, Who::Token);
    let callers: &'static [(&str, Option<String>)] = Box::leak(Box::new(callers));
    let mut tokens = Vec::new();
    for (_, token) in &callers[1..] {
        let copy = world.get("/v1/sync", who(token)).await.expect(200).json();
        tokens.push(copy["token"].as_str().unwrap().to_owned());
    }

    // First what nobody may see yet: with it, every answer is the same as without it, tags too.
    let never: &[&str] = &[];
    let nobody = |table, key, word, path| Hidden { table, key, word, seen_by: never, id: Uuid::nil(), path };
    let mut hidden = vec![
        nobody("inf_note", "draft", "Quaggadraft", "/v1/inf-notes"),
        nobody("inf_note", "embargo", "Xylophonote", "/v1/inf-notes"),
        nobody("bulletin", "secret", "Zyzzyvabul", "/v1/bulletins"),
    ];
    let before = ask_all(&world, callers, &addresses(&hidden, &tokens)).await;
    let notes = [
        note("draft", "A/INF/81/7", "Quaggadraft").with("draft", json!(true)),
        note("embargo", "A/INF/81/8", "Xylophonote").with("embargo_until", json!("2099-01-01T00:00:00Z")),
    ];
    let admin = world.token(Role::Admin).await;
    let secret = told("secret", "Zyzzyvabul").with("embargo_until", json!("2099-01-01T00:00:00Z"));
    assert_eq!(world.import("inf-notes", "", &admin, &notes).await.expect(200).header("sync-rev"), None);
    assert_eq!(world.import("bulletins", "", &admin, &[secret]).await.expect(200).header("sync-rev"), None);
    tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
    let after = ask_all(&world, callers, &before.keys().map(|(_, address)| address.clone()).collect()).await;
    for (asked, (status, tag, body)) in &before {
        let now = &after[asked];
        // Doors are told for a minute, and another may have begun.
        let minute = |body: &str| serde_json::from_str::<Value>(body).ok().map(|body| body["at"].clone());
        if minute(body) != minute(&now.2) {
            assert!(asked.1.starts_with("/v1/entrances"), "{asked:?}");
            continue;
        }
        assert_eq!((status, tag, settled(body)), (&now.0, &now.1, settled(&now.2)), "{asked:?}");
    }

    // Then what some may see.
    let rows = [
        unit("hall", "un").with("name", json!({"en": "Wolframite section"})).with("audience", json!("secretariat")),
        function("post", "hall")
            .with("title", json!({"en": "Vermiculite officer"}))
            .with("audience", json!("secretariat")),
        person("agent", "Brontosaur").with("audience", json!("secretariat")),
        named("annex", "Kinnikinnick").with("audience", json!({"missions": ["theirs"]})),
    ];
    world.have("directory", &rows).await;
    let for_theirs = json!({"missions": ["theirs"]});
    world.have("inf-notes", &[note("letter", "A/INF/81/9", "Mnemosynote").with("audience", for_theirs.clone())]).await;
    world.have("bulletins", &[told("warning", "Phlogistobul").with("audience", for_theirs.clone())]).await;
    let card = json!({"kind": "rate_card", "key": "deal", "duty_station": "NY", "title": {"en": "Gobbledycard rates"},
        "valid_from": "2026-01-01", "currency": "USD", "provenance": {"confidence": "sample"}, "audience": for_theirs,
        "rates": [{"code": "av_technician", "amount": "1.00", "unit": "hour", "provenance": {"confidence": "sample"}}]});
    let priced = world.import("event-costs", "", &admin, &[card]).await;
    let has_card = priced.status == 200;
    let inside: &[&str] = &["secretariat"];
    let both: &[&str] = &["theirs", "secretariat"];
    let some = |table, key, word, seen_by, path| Hidden { table, key, word, seen_by, id: Uuid::nil(), path };
    hidden.extend([
        some("unit", "hall", "Wolframite", inside, "/v1/directory/units"),
        some("function", "post", "Vermiculite", inside, "/v1/directory/functions"),
        some("person", "agent", "Brontosaur", inside, "/v1/directory/people"),
        some("organization", "annex", "Kinnikinnick", both, "/v1/directory/organizations"),
        some("inf_note", "letter", "Mnemosynote", both, "/v1/inf-notes"),
        some("bulletin", "warning", "Phlogistobul", both, "/v1/bulletins"),
    ]);
    if has_card {
        hidden.push(some("rate_card", "deal", "Gobbledycard", both, "/v1/event-costs/rate-cards"));
    }
    for one in &mut hidden {
        one.id = id_of(&world, one.table, one.key).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
    assert_absent(&world, callers, &hidden, &tokens).await;

    // At last it is published, and there for everybody.
    let psql = world.database.psql().await;
    psql.batch_execute("update inf_note set embargo_until = now() where source_key = 'embargo'").await.unwrap();
    psql.batch_execute("update bulletin set embargo_until = now() where source_key = 'secret'").await.unwrap();
    for one in &mut hidden {
        if ["embargo", "secret"].contains(&one.key) {
            one.seen_by = &["stranger", "ours", "theirs", "secretariat"];
            let path = format!("{}/{}", one.path, one.id);
            world.eventually(&path, Who::Stranger, |reply| reply.status == 200).await;
        }
    }
    assert_absent(&world, callers, &hidden, &tokens).await;
}

/// Status, tag and body of each address for each caller.
async fn ask_all(
    world: &World,
    callers: &[(&'static str, Option<String>)],
    addresses: &BTreeSet<String>,
) -> BTreeMap<(&'static str, String), (u16, Option<String>, String)> {
    let mut answers = BTreeMap::new();
    for (name, token) in callers {
        for address in addresses {
            let who = token.as_deref().map_or(Who::Stranger, Who::Token);
            let reply = world.get(address, who).await;
            let tag = reply.header("etag").map(str::to_owned);
            let body = String::from_utf8_lossy(&reply.bytes).into_owned();
            assert!(reply.status.as_u16() < 500, "{address}: {body}");
            answers.insert((*name, address.clone()), (reply.status.as_u16(), tag, body));
        }
    }
    answers
}

/// Asserts that each hidden thing is in the answers for those who may see it, and in no other.
async fn assert_absent(
    world: &World,
    callers: &[(&'static str, Option<String>)],
    hidden: &[Hidden],
    tokens: &[String],
) {
    let answers = ask_all(world, callers, &addresses(hidden, tokens)).await;
    println!("{} answers", answers.len());
    for one in hidden {
        let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for ((name, address), (_, tag, body)) in &answers {
            let told = body.contains(&one.id.to_string())
                || body.contains(one.word)
                || tag.as_deref().is_some_and(|tag| tag.contains(one.word));
            if told {
                assert!(one.seen_by.contains(name), "{name} learns of {} by {address}: {body}", one.word);
                shown.entry(*name).or_default().insert(address.split('?').next().unwrap());
            }
        }
        for name in one.seen_by {
            let mut wanted = vec![format!("{}/{}", one.path, one.id), one.path.to_owned()];
            wanted.extend((*name != "stranger").then(|| "/v1/sync".to_owned()));
            for path in wanted {
                assert!(
                    shown[name].contains(path.as_str()),
                    "{name} may see {} at {path}: {:?}",
                    one.word,
                    shown[name]
                );
            }
        }
    }
    // By its own address, what is not for one is exactly what does not exist; by HEAD, too.
    for one in hidden {
        for (name, token) in callers.iter().filter(|(name, _)| !one.seen_by.contains(name)) {
            let who = token.as_deref().map_or(Who::Stranger, Who::Token);
            let (own, none) = (format!("{}/{}", one.path, one.id), format!("{}/{}", one.path, Uuid::now_v7()));
            for method in [Method::GET, Method::HEAD] {
                let own = world.send(world.request(method.clone(), &own, who)).await;
                let none = world.send(world.request(method.clone(), &none, who)).await;
                assert_eq!(own.status, none.status, "{name} {method} {}", one.word);
                let names = |reply: &crate::harness::Reply| {
                    let told = reply.headers.iter().filter(|(n, _)| *n != "x-request-id" && *n != "date");
                    told.map(|(n, v)| (n.to_string(), format!("{v:?}"))).collect::<BTreeSet<_>>()
                };
                assert_eq!(names(&own), names(&none), "{name} {method} {}", one.word);
                let bodies = [&own, &none].map(|reply| settled(&String::from_utf8_lossy(&reply.bytes)));
                assert_eq!(bodies[0], bodies[1], "{name} {method} {}", one.word);
            }
        }
    }
}
