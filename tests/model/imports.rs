//! What writers do by the API, as files of offices have it; who gets no answer finds out what became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use domain::{Kind, Stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::history::{Fate, SLOTS, WRITERS, Who};
use super::oracle::{Logged, Violation};
use super::rows::{Effect, Row, message_type, text};
use super::scene::{PATIENCE, Scene};
use super::statements::{audience, key};

impl Scene {
    /// By the API, as a row of a file. Who gets no answer finds out.
    pub(super) async fn import(
        &mut self,
        kind: Kind,
        slot: u8,
        who: Who,
        number: u16,
        others: &[u8],
        fate: Fate,
    ) -> Result<(), Violation> {
        // Nobody waits for a lock of ours.
        for writer in 0..WRITERS {
            self.commit(writer).await?;
        }
        self.absorb(HashMap::new()).await?;
        self.count.operations += 1;
        self.texts += 1;
        let number = match fate {
            Fate::Answered => number,
            // Known by its text, should nobody tell what became of it.
            _ => u16::try_from(self.texts % 60_000).unwrap(),
        };
        let feature = match kind.stream() {
            Stream::Directory => "directory",
            Stream::Notes => "inf-notes",
            Stream::Costs => "event-costs",
            _ => "bulletins",
        };
        let url = format!("{}/v1/imports/{feature}?source=model", self.stage.url());
        let row = import_row(kind, slot, who, number, others);
        let send = || {
            let request = self.stage.http.post(&url).bearer_auth(&self.importer.1);
            request.header("content-type", "application/x-ndjson").body(row.to_string()).timeout(PATIENCE)
        };
        let heard = match fate {
            Fate::Answered => send().send().await.ok(),
            Fate::Lost => {
                self.count.fault("response dropped");
                // The server has done what it was asked, and nobody hears of it.
                drop(send().send().await);
                None
            }
            Fate::Twice => {
                self.count.fault("request duplicated");
                drop(tokio::join!(send().send(), send().send()));
                None
            }
            Fate::Killed(ms) => {
                self.count.fault("API killed while it wrote");
                let request = send();
                let asking = tokio::spawn(async move { request.send().await.is_ok() });
                tokio::time::sleep(Duration::from_millis(ms.into())).await;
                self.stage.kill_api();
                let _ = asking.await;
                None
            }
        };
        let told = heard.map(|answer| {
            let revisions = answer.headers().get("sync-rev").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), revisions)
        });
        self.stage.quiet(&[]).await;
        let outcome = self.resolve_import(kind, slot, who, number, told).await;
        self.stage.serve().await;
        outcome
    }

    async fn resolve_import(
        &mut self,
        kind: Kind,
        slot: u8,
        who: Who,
        number: u16,
        told: Option<(u16, Option<String>)>,
    ) -> Result<(), Violation> {
        let batch = self.stage.new_in_the_log(self.since).await;
        let id = format!("select id from {} where source = 'model' and source_key = $1", kind.name());
        let found = self.stage.psql.query_opt(&id, &[&key(kind, slot)]).await.unwrap();
        let id: Option<Uuid> = found.map(|row| row.get(0));
        let is_there = match (&told, id) {
            (Some((200, Some(_))), Some(_)) => true,
            (Some((200, None)), _) => false,
            (Some((status @ (401 | 409 | 422 | 503), _)), _) => {
                if *status == 401 {
                    self.importer.1 = self.stage.token(self.importer.0).await;
                }
                self.count.refused += 1;
                false
            }
            (Some(told), _) => panic!("an import was answered by {told:?}"),
            (None, Some(id)) => self.has_text(kind, id, number).await,
            (None, None) => false,
        };
        let mut known = HashMap::new();
        if let (true, Some(id)) = (is_there, id) {
            let row = self.imported(kind, slot, id, who, number).await;
            let is_own = |logged: &&Logged| match &told {
                Some((_, Some(revisions))) => revisions.contains(&format!("{}={}", logged.stream, logged.rev)),
                _ => logged.entries.contains_key(&(kind, id)),
            };
            let xid = batch.iter().filter(is_own).map(|logged| logged.xid).next_back().unwrap_or(-1);
            known.insert(xid, vec![((kind, id), Effect::Is(row))]);
            self.count.transactions += 1;
        }
        let expired = self.stage.expired().await;
        self.oracle.absorb(batch, known, &expired)
    }

    async fn has_text(&self, kind: Kind, id: Uuid, number: u16) -> bool {
        let query = match kind {
            Kind::Person => "select family_name from person where id = $1",
            Kind::InfNote => "select title from inf_note_text where inf_note_id = $1 and language = 'en'",
            Kind::Bulletin => "select texts -> 'en' ->> 'headline' from bulletin where id = $1",
            Kind::Unit => "select name ->> 'en' from unit where id = $1",
            _ => "select name ->> 'en' from organization where id = $1",
        };
        let row = self.stage.psql.query_opt(query, &[&id]).await.unwrap();
        row.and_then(|row| row.get::<_, Option<String>>(0)).is_some_and(|stored| stored == text(number)["en"])
    }

    /// The row that an accepted import has left: what the file says, and the ids of what it names.
    async fn imported(&self, kind: Kind, slot: u8, id: Uuid, who: Who, number: u16) -> Row {
        let psql = &self.stage.psql;
        let ids = async |query: &str| -> Vec<Uuid> {
            psql.query(query, &[&id]).await.unwrap().iter().filter_map(|row| row.get(0)).collect()
        };
        let many = match kind {
            Kind::Person => ids("select function_id from holding where person_id = $1").await,
            Kind::Bulletin => ids("select earlier_id from bulletin_reference where bulletin_id = $1").await,
            _ => Vec::new(),
        };
        let organization = match kind {
            Kind::Unit => ids("select organization_id from unit where id = $1").await.first().copied(),
            _ => None,
        };
        let published = match kind {
            Kind::InfNote => ids("select id from inf_note where id = $1 and published_at is not null").await.len() == 1,
            Kind::Bulletin => {
                ids("select id from bulletin where id = $1 and published_at is not null").await.len() == 1
            }
            _ => true,
        };
        // A row without an end takes back what was written by an older one.
        let expired = false;
        let many = many.into_iter().collect();
        let audience = audience(who);
        Row { kind, id, slot, audience, closed: false, published, expired, text: number, organization, one: None, many }
    }
}

/// A row as a file of an office has it.
fn import_row(kind: Kind, slot: u8, who: Who, number: u16, others: &[u8]) -> Value {
    let provenance = json!({"confidence": "sample"});
    let mut row = json!({"kind": kind.name(), "key": key(kind, slot), "provenance": provenance,
        "audience": match who { Who::Public => "public", Who::Delegates => "delegates", _ => "secretariat" }});
    let fields = match kind {
        Kind::Unit => json!({"organization": key(Kind::Organization, 0), "name": text(number), "unit_kind": "section"}),
        Kind::Person => {
            let held: BTreeSet<u8> = others.iter().copied().collect();
            let functions = held.iter().map(|n| json!({"function": key(Kind::Function, *n)}));
            json!({"name": {"family": format!("Text {number}")}, "functions": functions.collect::<Vec<_>>()})
        }
        Kind::InfNote => {
            let body = |(language, title)| (language, json!({"title": title, "confidence": "sample"}));
            let texts: BTreeMap<_, _> = text(number).into_iter().map(body).collect();
            json!({"symbol": format!("A/INF/7{slot}/1"), "texts": texts})
        }
        Kind::Bulletin => {
            let body = |(language, headline)| (language, json!({"headline": headline, "description": "D"}));
            let texts: BTreeMap<_, _> = text(number).into_iter().map(body).collect();
            let earlier: BTreeSet<u8> = others.iter().copied().filter(|n| *n < slot % SLOTS).collect();
            let references: Vec<String> = earlier.iter().map(|n| key(kind, *n)).collect();
            let kind_of_message = if references.is_empty() { "alert" } else { message_type(slot) };
            json!({"identifier": key(kind, slot), "issuer": {"code": "un", "name": {"en": "UN"}}, "duty_station": "NY",
                "time_zone": "America/New_York", "message_type": kind_of_message,
                "category": "security", "severity": "minor", "urgency": "expected", "certainty": "likely",
                "sent": format!("2020-01-01T00:0{slot}:00Z"), "texts": texts, "references": references})
        }
        _ => json!({"name": text(number)}),
    };
    row.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    row
}
