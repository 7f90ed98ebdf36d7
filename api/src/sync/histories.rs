//! Random histories: whatever is written, by whichever base and in whatever shape a copy is fetched, it ends as the
//! server's, and never has what its reader may not see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use super::bases::{Base, Pace, Tuning};
use super::codings::Levels;
use super::pages::{Asked, Part, next, render};
use super::tables::Table;
use super::tables::tests::objects;
use super::token::{Streams, Token};
use domain::directory::{Entries, OrganizationId, Unit, UnitId, UnitKind};
use domain::{
    Audience, Change, Confidence, Contact, Kind, Language, Localized, MissionId, Position, Provenance, Reader, Step,
    Stream,
};
use edition::{Directory, Edition, History};

const MISSION: MissionId = MissionId(Uuid::from_u128(77));
const READERS: [Reader; 3] =
    [Reader::Mission(MISSION), Reader::Mission(MissionId(Uuid::from_u128(78))), Reader::Secretariat];

/// Two objects fit into a page.
const PAGE: usize = 600;

#[derive(Debug, Clone)]
enum Action {
    /// One transaction that gives units an audience, or closes them, and another name in any case.
    Write(Vec<(u8, u8)>),
    /// A base of what there is now.
    Base,
    /// A client asks for a page, and may be answered from a base.
    Page { client: usize, base: Option<usize> },
    /// A client begins anew.
    Forget(usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => prop::collection::vec((0..14u8, 0..5u8), 1..6).prop_map(Action::Write),
        1 => Just(Action::Base),
        8 => (0..6usize, prop::option::weighted(0.8, 0..3usize)).prop_map(|(client, base)| Action::Page { client, base }),
        1 => (0..6usize).prop_map(Action::Forget),
    ]
}

#[derive(Default)]
struct Server {
    units: BTreeMap<u8, (Audience, usize)>,
    steps: Vec<Step>,
}

impl Server {
    fn write(&mut self, changes: &[(u8, u8)]) {
        let mut before = BTreeMap::new();
        for (n, audience) in changes {
            before.entry(*n).or_insert_with(|| self.units.get(n).map(|(audience, _)| audience.clone()));
            let audience = match audience {
                0 => None,
                1 => Some(Audience::Public),
                2 => Some(Audience::Delegates),
                3 => Some(Audience::Secretariat),
                _ => Some(Audience::Missions([MISSION].into())),
            };
            match audience {
                Some(audience) => drop(self.units.insert(*n, (audience, self.steps.len()))),
                None => drop(self.units.remove(n)),
            }
        }
        let after = |n| self.units.get(n).map(|(audience, _)| audience.clone());
        let changes: Vec<_> = before
            .iter()
            .map(|(n, before)| Change { kind: Kind::Unit, id: id(*n), before: before.clone(), after: after(n) })
            .filter(|change| change.before.is_some() || change.after.is_some())
            .collect();
        let position = position(self.steps.len() + 1);
        self.steps.push(Step { position, at: DateTime::UNIX_EPOCH, changes });
    }

    fn edition(&self) -> Arc<Edition> {
        let unit = |(n, (audience, version)): (&u8, &(Audience, usize))| Unit {
            id: UnitId(id(*n)),
            audience: audience.clone(),
            organization: OrganizationId(Uuid::from_u128(1)),
            parent: None,
            name: Localized::only(Language::En, format!("Unit {n}, version {version}")),
            acronym: None,
            kind: UnitKind::Section,
            former_names: Vec::new(),
            duty_station: None,
            contact: Contact::default(),
            provenance: Provenance { confidence: Confidence::Sample, citation: None, as_of: None },
        };
        let units = self.units.iter().map(unit).collect();
        let mut edition = Edition::default();
        edition.directory = Arc::new(Directory::new(Entries { units, ..Entries::default() }));
        for stream in Stream::PUBLISHED {
            let steps = if stream == Stream::Directory { self.steps.as_slice() } else { &[] };
            let beginning = Step { position: position(0), at: DateTime::UNIX_EPOCH, changes: Vec::new() };
            let steps: Vec<_> = [beginning].iter().chain(steps).cloned().collect();
            let head = position(if stream == Stream::Directory { self.steps.len() } else { 0 });
            edition.set_history(stream, History::new(head, steps));
        }
        Arc::new(edition)
    }
}

fn id(n: u8) -> Uuid {
    // Not in the order of their names.
    Uuid::from_u128(u128::from(n.wrapping_mul(73)) << 64)
}

fn position(rev: usize) -> Position {
    Position { rev: i64::try_from(rev).unwrap(), nonce: Uuid::from_u128(rev as u128 + 1000) }
}

fn base(edition: Arc<Edition>, before: Option<&Base>) -> Base {
    let tuning = Tuning {
        page_bytes: PAGE,
        chunk_bytes: 900,
        least_bytes: 1,
        period: Duration::ZERO,
        levels: Levels { brotli: 1, zstd: 1, gzip: 1 },
    };
    Base::make(edition, Language::En, before, tuning, &Pace::new(watch::channel(false).1)).unwrap()
}

#[derive(Default)]
struct Client {
    copy: BTreeMap<Uuid, Value>,
    token: Option<String>,
}

impl Client {
    /// Asks for a page, and says whether the copy is whole.
    fn page(&mut self, edition: &Edition, base: Option<&Base>, reader: Reader, by_column: bool) -> bool {
        let token = self.token.as_ref().map(|token| Token::decode(token).unwrap());
        if token.is_none() {
            self.copy.clear();
        }
        let asked = Asked { reader, language: Language::En, streams: None, token, by_column };
        let (part, token) = next(edition, base, asked, PAGE).unwrap();
        let page = match part {
            Part::Chunk(chunk) => {
                let text = [chunk.text().unwrap(), b"\"}".to_vec()].concat();
                serde_json::from_slice::<Value>(&text).unwrap()
            }
            Part::Page(page) => {
                let tables = page.tables.iter().map(|(kind, objects)| Table::new(*kind, objects).unwrap());
                serde_json::json!({"tables": tables.collect::<Vec<_>>(), "put": page.put, "remove": page.remove,
                    "complete": page.complete})
            }
        };
        let id = |value: &Value| value.as_str().unwrap().parse::<Uuid>().unwrap();
        let tables = page["tables"].as_array().unwrap().iter();
        let rows = tables.flat_map(|table| objects(Kind::Unit, table)).map(Value::Object);
        let put = page["put"].as_array().unwrap().iter().map(|put| put["object"].clone());
        for object in rows.chain(put) {
            let id = id(&object["id"]);
            assert!(edition.directory.units.get(id, reader).is_some(), "{object} is not for {reader:?}");
            self.copy.insert(id, object);
        }
        for gone in page["remove"].as_array().unwrap() {
            self.copy.remove(&id(&gone["id"]));
        }
        self.token = Some(token.encode());
        page["complete"] == true
    }
}

fn whole(edition: &Edition, reader: Reader) -> BTreeMap<Uuid, Value> {
    let units = edition.directory.units.visible(reader).map(|entry| entry.value.id.0);
    let rendered = |id| render(edition, (Kind::Unit, id), reader, Language::En).unwrap();
    units.map(|id| (id, serde_json::from_str(rendered(id).get()).unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_copy_that_is_whole_is_the_servers(actions in prop::collection::vec(action(), 1..80)) {
        let mut server = Server::default();
        let mut bases: Vec<Base> = Vec::new();
        let mut clients: [Client; 6] = Default::default();
        let mut edition = server.edition();
        for action in actions {
            match action {
                Action::Write(changes) => {
                    server.write(&changes);
                    edition = server.edition();
                }
                Action::Base => {
                    let next = base(edition.clone(), bases.last());
                    bases.push(next);
                }
                // Another process may have an older base than the one that answered before.
                Action::Page { client, base } => {
                    let reader = READERS[client % 3];
                    let chosen = base.and_then(|n| bases.iter().rev().nth(n));
                    let is_whole = clients[client].page(&edition, chosen, reader, base.is_some());
                    prop_assert!(!is_whole || clients[client].copy == whole(&edition, reader));
                }
                Action::Forget(client) => clients[client] = Client::default(),
            }
        }
        for (n, client) in clients.iter_mut().enumerate() {
            let reader = READERS[n % 3];
            let mut pages = 0;
            while !client.page(&edition, bases.last(), reader, true) {
                pages += 1;
                prop_assert!(pages < 200, "it ends");
            }
            prop_assert_eq!(&client.copy, &whole(&edition, reader));
            prop_assert!(client.page(&edition, None, reader, false), "then nothing is new");
        }
    }

    #[test]
    fn a_copy_of_some_streams_needs_no_others(streams in 1..16u8) {
        let edition = Server::default().edition();
        let chosen = Streams::of(Stream::PUBLISHED.into_iter().enumerate().filter(|(n, _)| streams & 1 << n != 0).map(|(_, s)| s));
        let asked = Asked { reader: READERS[0], language: Language::En, streams: Some(chosen), token: None, by_column: false };
        let (_, token) = next(&edition, None, asked, PAGE).unwrap();
        prop_assert_eq!(token.streams, chosen);
        prop_assert_eq!(Token::decode(&token.encode()).unwrap(), token);
    }
}
