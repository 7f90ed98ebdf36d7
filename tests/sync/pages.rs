//! A first copy in pages: by row and by column, whatever happens between two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::sync::Levels;
use api::sync::bases::Tuning;
use domain::{Language, Role};
use futures_util::StreamExt;
use reqwest::header::ACCEPT_ENCODING;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{settled, with_bytes};
use crate::harness::rows::{With, function, organization, person, unit};
use crate::harness::{Reply, Who, World};
use crate::phone::tables;

/// Small pages and quick bases.
pub(crate) const SMALL: Tuning = Tuning {
    page_bytes: 3 << 10,
    chunk_bytes: 4 << 10,
    least_bytes: 1 << 10,
    period: Duration::from_millis(1),
    levels: Levels { brotli: 2, zstd: 1, gzip: 1 },
};

type Objects = BTreeMap<(String, String), Value>;

/// A copy in the making.
#[derive(Default, Clone)]
pub(crate) struct Making {
    pub(crate) objects: Objects,
    pub(crate) token: Option<String>,
    pub(crate) complete: bool,
    pub(crate) pages: usize,
    /// Every byte that came.
    text: String,
}

impl Making {
    pub(crate) async fn page(&mut self, world: &World, bearer: &str, more: &str) {
        let token = self.token.as_ref().map(|token| format!("&token={token}")).unwrap_or_default();
        let reply = world.get(&format!("/v1/sync?{more}{token}"), Who::Token(bearer)).await.expect(200);
        self.apply(&reply.json());
        self.text += std::str::from_utf8(&reply.bytes).unwrap();
    }

    fn apply(&mut self, reply: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for table in reply["tables"].as_array().into_iter().flatten() {
            for object in tables::objects(table) {
                self.objects.insert((text(&table["kind"]), text(&object["id"])), object);
            }
        }
        for put in reply["put"].as_array().unwrap() {
            self.objects.insert((text(&put["kind"]), text(&put["id"])), put["object"].clone());
        }
        for removed in reply["remove"].as_array().unwrap() {
            self.objects.remove(&(text(&removed["kind"]), text(&removed["id"])));
        }
        self.token = Some(text(&reply["token"]));
        self.complete = reply["complete"] == true;
        self.pages += 1;
    }

    pub(crate) async fn finish(mut self, world: &World, bearer: &str, more: &str) -> Self {
        self.complete = false;
        while !self.complete {
            self.page(world, bearer, more).await;
            assert!(self.pages < 2000, "it ends");
        }
        self
    }
}

/// That two copies are equal; else, what differs.
#[track_caller]
pub(crate) fn assert_same(one: &Objects, other: &Objects) {
    let differs = |key: &&(String, String)| one.get(*key) != other.get(*key);
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).filter(differs).collect();
    let told = keys.iter().take(3).map(|key| (key, one.get(*key), other.get(*key))).collect::<Vec<_>>();
    assert!(keys.is_empty(), "{} of {} differ: {told:?}", keys.len(), other.len());
}

async fn whole(world: &World, bearer: &str, more: &str) -> Making {
    Making::default().finish(world, bearer, more).await
}

pub(crate) async fn ready(world: &World, language: Language) {
    let started = Instant::now();
    while !world.server.state.bases.is_ready(language) {
        assert!(started.elapsed() < Duration::from_secs(60), "no base");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// So many units and people, each with a name of its own.
async fn crowd(world: &World, n: usize) {
    let units = (0..n).map(|n| unit(&format!("u{n}"), "o").with("name", json!({"en": format!("Unit {n}")})));
    let people = (0..n).map(|n| person(&format!("p{n}"), &format!("Family {n}")));
    world.have("directory", &[organization("o")].into_iter().chain(units).chain(people).collect::<Vec<_>>()).await;
}

async fn psql(world: &World, statement: &str) {
    world.database.psql().await.batch_execute(statement).await.unwrap();
}

/// Waits until readers have all that was written.
async fn caught_up(world: &World, bearer: &str) {
    let psql = world.database.psql().await;
    let rev: i64 = psql.query_one("select rev from sync_head where stream = 'directory'", &[]).await.unwrap().get(0);
    settled(world, bearer, rev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_in_one_page_and_in_many_by_row_and_by_column() {
    let world = World::demonstration().await;
    psql(&world, "update person set audience = 'secretariat' where id = (select min(id::text)::uuid from person)")
        .await;
    let own = crate::harness::MISSION;
    psql(
        &world,
        &format!("update unit set audience = 'missions:{own}' where id = (select max(id::text)::uuid from unit)"),
    )
    .await;
    let (delegate, editor) = (world.token(Role::Delegate).await, world.token(Role::Editor).await);
    let stranger = world.token_for(Role::Delegate, Some(uuid::Uuid::now_v7())).await;
    caught_up(&world, &editor).await;
    let readers = [&delegate, &editor, &stranger];
    let mut expected = Vec::new();
    for bearer in readers {
        let copy = whole(&world, bearer, "").await;
        assert_eq!(copy.pages, 1);
        expected.push(copy.objects);
    }
    assert_ne!(expected[0], expected[1]);
    assert_eq!(expected[0].len(), expected[2].len() + 1);

    world.server.state.bases.tune(Tuning { chunk_bytes: 60 << 10, page_bytes: 40 << 10, ..SMALL });
    for (bearer, expected) in readers.into_iter().zip(&expected) {
        let by_row = whole(&world, bearer, "").await;
        assert!(by_row.pages > 5 && by_row.objects == *expected, "{} pages", by_row.pages);
        assert!(whole(&world, bearer, "shape=columns").await.objects == *expected, "with or without a base");
    }
    ready(&world, Language::En).await;
    for (bearer, expected) in readers.into_iter().zip(&expected) {
        let by_column = whole(&world, bearer, "shape=columns").await;
        assert!(by_column.pages > 3 && by_column.objects == *expected, "{} pages", by_column.pages);
        assert!(!by_column.text.contains(r#""put":[{"#), "everything comes by column");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_is_the_same_in_every_coding_and_each_time() {
    let world = World::empty().await;
    world.server.state.bases.tune(Tuning { chunk_bytes: 192 << 10, period: Duration::from_secs(600), ..SMALL });
    crowd(&world, 600).await;
    let token = world.token(Role::Delegate).await;
    whole(&world, &token, "shape=columns").await;
    ready(&world, Language::En).await;
    let plain = world.get("/v1/sync?shape=columns", Who::Token(&token)).await.expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.json()["complete"] == false && plain.json()["tables"][1]["count"].as_u64() > Some(5));
    for coding in ["br", "zstd", "gzip"] {
        // It decodes nothing by itself.
        let http = &world.http;
        let url = format!("{}/v1/sync?shape=columns", world.server.url());
        let ask = || http.get(&url).bearer_auth(&token).header(ACCEPT_ENCODING, coding).send();
        let raw = ask().await.unwrap();
        assert_eq!(raw.headers()["content-encoding"], coding);
        assert_eq!(raw.headers()["cache-control"], "no-store");
        let raw = raw.bytes().await.unwrap();
        assert!(raw.len() < plain.bytes.len() / 2, "{coding}: {}", raw.len());
        assert_eq!(raw, ask().await.unwrap().bytes().await.unwrap(), "the same each time");
        assert_eq!(decoded(coding, &raw), plain.bytes, "{coding}");
    }
    let head = world.request(reqwest::Method::HEAD, "/v1/sync?shape=columns", Who::Token(&token));
    let head = world.send(head).await.expect(200);
    assert_eq!((head.bytes.len(), head.header("content-type")), (0, Some("application/json")));
}

fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut text = Vec::new();
    let read = match coding {
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut text),
        "zstd" => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut text),
        _ => flate2::read::GzDecoder::new(bytes).read_to_end(&mut text),
    };
    read.unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_is_in_no_chunk_from_that_moment_on() {
    let world = World::empty().await;
    world.server.state.bases.tune(Tuning { period: Duration::from_secs(600), ..SMALL });
    crowd(&world, 60).await;
    let token = world.token(Role::Delegate).await;
    whole(&world, &token, "shape=columns").await;
    ready(&world, Language::En).await;
    let first = || async {
        let mut copy = Making::default();
        copy.page(&world, &token, "shape=columns").await;
        copy
    };
    // A copy that has begun, with what will be withdrawn.
    let begun = first().await;
    assert!(begun.text.contains("\"Unit 3\""));
    for (withdrawal, name) in [
        ("update unit set closed_at = now() where source_key = 'u3'", "\"Unit 3\""),
        ("update unit set audience = 'secretariat' where source_key = 'u5'", "\"Unit 5\""),
        ("update person set audience = 'secretariat' where source_key = 'p59'", "\"Family 59\""),
    ] {
        psql(&world, withdrawal).await;
        caught_up(&world, &token).await;
        let copy = whole(&world, &token, "shape=columns").await;
        assert!(!copy.text.contains(name), "{name}");
        assert_same(&copy.objects, &whole(&world, &token, "").await.objects);
    }
    let copy = begun.finish(&world, &token, "shape=columns").await;
    assert_same(&copy.objects, &whole(&world, &token, "").await.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_for_all_is_in_no_chunk() {
    let world = World::empty().await;
    world.server.state.bases.tune(SMALL);
    crowd(&world, 40).await;
    let own = crate::harness::MISSION;
    psql(&world, &format!("update unit set audience = 'missions:{own}' where source_key = 'u7'")).await;
    psql(&world, "update unit set audience = 'secretariat' where source_key = 'u8'").await;
    let rows = [function("f", "u9"), person("held", "Holder").with("functions", json!([{"function": "f"}]))];
    let admin = world.token(Role::Admin).await;
    world.import("directory", "", &admin, &rows).await.expect(200);
    psql(&world, "update person set audience = 'secretariat' where source_key = 'held'").await;
    caught_up(&world, &admin).await;
    let other = world.token_for(Role::Delegate, Some(uuid::Uuid::now_v7())).await;
    let (delegate, editor) = (world.token(Role::Delegate).await, world.token(Role::Editor).await);
    whole(&world, &editor, "shape=columns").await;
    ready(&world, Language::En).await;
    for (bearer, sees) in [(&other, [false, false]), (&delegate, [true, false]), (&editor, [true, true])] {
        let copy = whole(&world, bearer, "shape=columns").await;
        assert_eq!(["\"Unit 7\"", "\"Unit 8\""].map(|name| copy.text.contains(name)), sees);
        assert_eq!(copy.text.contains("Holder"), sees[1]);
        assert_same(&copy.objects, &whole(&world, bearer, "").await.objects);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_written_to_while_it_is_fetched_ends_as_the_servers() {
    let world = World::empty().await;
    world.server.state.bases.tune(SMALL);
    crowd(&world, 60).await;
    let (delegate, editor) = (world.token(Role::Delegate).await, world.token(Role::Editor).await);
    for shape in ["", "shape=columns", "shape=columns", "shape=columns"] {
        for bearer in [&delegate, &editor] {
            let (mut copy, mut n) = (Making::default(), 0);
            while !copy.complete {
                copy.page(&world, bearer, shape).await;
                n += 1;
                if copy.complete || n > 12 {
                    continue; // enough has been written
                }
                let (here, there) = (n * 7 % 60, (n * 11 + 30) % 60);
                psql(&world, &format!("begin;
                    update unit set name = '{{\"en\": \"Now {n}\"}}', audience = 'delegates' where source_key = 'u{here}';
                    update unit set closed_at = case when closed_at is null then now() end where source_key = 'u{there}';
                    update person set audience = case audience when 'delegates' then 'secretariat' else 'delegates' end
                        where source_key in ('p{here}', 'p{there}');
                    commit")).await;
                caught_up(&world, bearer).await;
            }
            assert_same(&copy.objects, &whole(&world, bearer, "").await.objects);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_change_comes_in_pages() {
    let world = World::empty().await;
    crowd(&world, 60).await;
    let token = world.token(Role::Delegate).await;
    let before = whole(&world, &token, "").await;
    psql(&world, "update person set honorific = 'Dr.'").await;
    psql(&world, "begin; update person set closed_at = now() where source_key like 'p1%'; update unit set duty_station = 'NY'; commit").await;
    caught_up(&world, &token).await;
    let at_once = before.clone().finish(&world, &token, "").await;
    world.server.state.bases.tune(SMALL);
    let mut paged = before;
    paged.complete = false;
    while !paged.complete {
        let mut again = paged.clone();
        paged.page(&world, &token, "shape=columns").await;
        again.page(&world, &token, "shape=columns").await;
        assert_same(&paged.objects, &again.objects);
        assert_eq!(paged.token, again.token, "a page that is asked for again");
        // Another transaction between two pages.
        if paged.pages < 6 {
            psql(
                &world,
                &format!("update unit set acronym = '{{\"en\": \"A{}\"}}' where source_key = 'u7'", paged.pages),
            )
            .await;
            caught_up(&world, &token).await;
        }
    }
    assert!(paged.pages > 6 && at_once.pages == 2, "{} pages", paged.pages);
    assert_same(&paged.objects, &whole(&world, &token, "").await.objects);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_can_be_chosen_added_and_left_out() {
    let world = World::demonstration().await;
    world.server.state.bases.tune(Tuning { chunk_bytes: 60 << 10, page_bytes: 40 << 10, ..SMALL });
    let token = world.token(Role::Delegate).await;
    let all = whole(&world, &token, "").await.objects;
    let stream = |kind: &str| match kind {
        "inf_note" => "notes",
        "bulletin" | "place" => "bulletins",
        "rate_card" => "costs",
        _ => "directory",
    };
    let of = |streams: &str| -> Objects {
        let wanted = |((kind, _), _): &(&(String, String), &Value)| streams.split(',').any(|s| s == stream(kind));
        all.iter().filter(wanted).map(|(key, object)| (key.clone(), object.clone())).collect()
    };
    for shape in ["", "&shape=columns"] {
        let copy = whole(&world, &token, &format!("streams=bulletins,notes{shape}")).await;
        assert_same(&copy.objects, &of("bulletins,notes"));
        // The token knows them.
        let reply = world.get(&format!("/v1/sync?token={}", copy.token.as_ref().unwrap()), Who::Token(&token)).await;
        assert_eq!(reply.header("sync-rev").unwrap().split(", ").count(), 2);
        let more = copy.clone().finish(&world, &token, &format!("streams=directory,bulletins,notes{shape}")).await;
        assert_same(&more.objects, &of("bulletins,notes,directory"));
        // Another one is added before the first is whole.
        let mut begun = Making::default();
        begun.page(&world, &token, &format!("streams=directory{shape}")).await;
        assert!(!begun.complete);
        let both = begun.finish(&world, &token, &format!("streams=costs,directory{shape}")).await;
        assert_same(&both.objects, &of("costs,directory"));
        let fewer = both.finish(&world, &token, &format!("streams=costs{shape}")).await;
        let reply = world.get(&format!("/v1/sync?token={}", fewer.token.unwrap()), Who::Token(&token)).await;
        assert!(reply.header("sync-rev").unwrap().starts_with("costs="));
    }
    for refused in ["streams=", "streams=identity", "streams=notes,", "shape=rowss", "wait=0", "wait=26", "wait=x"] {
        let reply = world.get(&format!("/v1/sync?{refused}"), Who::Token(&token)).await;
        assert_eq!(reply.problem(422), "validation_failed", "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_the_first_news_or_with_nothing() {
    let world = World::empty().await;
    crowd(&world, 1).await;
    let token = world.token(Role::Delegate).await;
    let mut copy = whole(&world, &token, "").await;
    let started = Instant::now();
    copy.page(&world, &token, "wait=1").await;
    assert!(copy.complete && started.elapsed() >= Duration::from_secs(1));
    let (_, ()) = tokio::join!(copy.page(&world, &token, "wait=25"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        psql(&world, "update unit set name = '{\"en\": \"News\"}'").await;
    });
    assert!(copy.objects.values().any(|object| object["name"] == "News"));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_making_is_as_bound_as_any_and_no_change_of_it_breaks_the_server() {
    let world = World::empty().await;
    world.server.state.bases.tune(SMALL);
    crowd(&world, 40).await;
    let token = world.token(Role::Delegate).await;
    let other = world.token_for(Role::Delegate, Some(uuid::Uuid::now_v7())).await;
    let editor = world.token(Role::Editor).await;
    whole(&world, &token, "shape=columns").await;
    ready(&world, Language::En).await;
    for shape in ["rows", "columns"] {
        let mut copy = Making::default();
        copy.page(&world, &token, &format!("shape={shape}")).await;
        let begun = copy.token.clone().unwrap();
        let ask = async |bearer: &str, token: &str, more: &str| -> Reply {
            world.get(&format!("/v1/sync?shape={shape}&token={token}{more}"), Who::Token(bearer)).await
        };
        let reason = |reply: &Reply| (reply.problem(410), reply.json()["reason"].as_str().unwrap().to_owned());
        for (bearer, more) in [(&other, ""), (&editor, ""), (&token, "&lang=fr")] {
            let refused = ask(bearer, &begun, more).await;
            assert_eq!(reason(&refused), ("sync_gone".to_owned(), "audience-changed".to_owned()));
            let link = format!("</v1/sync?shape={shape}{more}>; rel=\"start\"");
            assert_eq!(refused.header("link"), Some(link.as_str()));
        }
        assert_eq!(reason(&ask(&token, &with_bytes(&begun, |t| t[1] = 2), "").await).1, "schema");
        assert_eq!(ask(&token, &with_bytes(&begun, |t| t.truncate(120)), "").await.problem(400), "invalid_sync_token");
        let flips = (0..127).flat_map(|at| [(at, 1), (at, 0x80)]);
        let answers = flips.map(|(at, flip)| {
            let (ask, begun, token) = (&ask, &begun, &token);
            async move { (at, ask(token, &with_bytes(begun, |t| t[at] ^= flip), "").await.status.as_u16()) }
        });
        let answers: Vec<_> = futures_util::stream::iter(answers).buffer_unordered(32).collect().await;
        for (at, status) in answers {
            assert!([200, 400, 410].contains(&status), "byte {at}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_rewound_during_a_first_copy_ends_it() {
    let world = World::empty().await;
    world.server.state.bases.tune(SMALL);
    crowd(&world, 40).await;
    let token = world.token(Role::Delegate).await;
    whole(&world, &token, "shape=columns").await;
    ready(&world, Language::En).await;
    for shape in ["rows", "columns"] {
        let mut copy = Making::default();
        copy.page(&world, &token, &format!("shape={shape}")).await;
        psql(
            &world,
            "begin;
             update sync_tx set nonce = gen_random_uuid() where stream = 'directory' and rev = 1;
             update sync_head set nonce = (select nonce from sync_tx where stream = 'directory' and rev = 1) where stream = 'directory';
             commit",
        )
        .await;
        let path = format!("/v1/sync?shape={shape}&token={}", copy.token.unwrap());
        // Until the server has noticed, what it sends is of the history it still has.
        let is_told = |reply: &Reply| ![200, 503].contains(&reply.status.as_u16());
        let (reply, _) = world.eventually(&path, Who::Token(&token), is_told).await;
        assert_eq!((reply.problem(410).as_str(), &reply.json()["reason"]), ("sync_gone", &json!("rewound")));
        // The next one is of the new history alone.
        let copy = whole(&world, &token, &format!("shape={shape}")).await;
        assert_same(&copy.objects, &whole(&world, &token, "").await.objects);
    }
}

/// An answer that nobody reads holds its own bytes and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_holds_no_edition() {
    let world = World::demonstration().await;
    world.server.state.bases.tune(Tuning { chunk_bytes: 512 << 10, ..SMALL });
    let token = world.token(Role::Delegate).await;
    whole(&world, &token, "shape=columns").await;
    ready(&world, Language::En).await;
    world.server.state.bases.tune(Tuning { page_bytes: 64 << 20, period: Duration::from_secs(600), ..SMALL });
    let held = Arc::downgrade(&world.server.state.store.edition());
    let mut stalled = Vec::new();
    for shape in ["rows", "columns"] {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        let mut socket = socket.connect(world.server.address).await.unwrap();
        let request =
            format!("GET /v1/sync?shape={shape} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'H', "it has begun to answer");
        stalled.push(socket);
    }
    psql(&world, "update unit set duty_station = 'GVA'").await;
    caught_up(&world, &token).await;
    psql(&world, "update unit set duty_station = 'NY'").await;
    caught_up(&world, &token).await;
    let started = Instant::now();
    while held.upgrade().is_some() {
        assert!(started.elapsed() < Duration::from_secs(10), "an edition is held");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for mut socket in stalled {
        let mut rest = vec![0; 100_000];
        socket.read_exact(&mut rest).await.unwrap();
    }
}
