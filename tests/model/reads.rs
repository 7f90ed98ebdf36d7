//! Lists, searches and single objects, as the process that has been through everything gives them: held against what
//! is right, and against a process that has just started.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::Kind;
use serde_json::Value;
use uuid::Uuid;

use super::oracle::{Invariant, Violation, broken};
use super::rows::visible_to;
use super::scene::{PATIENCE, Scene};

/// A process is started beside the other after so many histories.
const ANOTHER_EVERY: usize = 5;

const LISTS: [(Kind, &str); 9] = [
    (Kind::Organization, "/v1/directory/organizations"),
    (Kind::Unit, "/v1/directory/units"),
    (Kind::Function, "/v1/directory/functions"),
    (Kind::Person, "/v1/directory/people"),
    (Kind::Mission, "/v1/directory/missions"),
    (Kind::Service, "/v1/directory/services"),
    (Kind::InfNote, "/v1/inf-notes"),
    (Kind::Bulletin, "/v1/bulletins"),
    (Kind::RateCard, "/v1/event-costs/rate-cards"),
];

const SEARCHES: [&str; 3] = [
    "/v1/directory/search?q=Text&limit=200",
    "/v1/directory/search?q=Texte%201&limit=200",
    "/v1/inf-notes?q=Text&limit=200",
];

fn found_id(item: &Value) -> Option<Uuid> {
    item["id"].as_str().or(item["object"]["id"].as_str())?.parse().ok()
}

fn ids(items: &Value) -> BTreeSet<Uuid> {
    items.as_array().into_iter().flatten().filter_map(found_id).collect()
}

impl Scene {
    /// Lists and searches name and count what is for the reader, and nothing else.
    pub(super) async fn check_counts(&mut self) -> Result<(), Violation> {
        let mut outcome = self.counts().await;
        // The scheduler may have been at work, before the process heard of it or before the oracle did.
        for _ in 0..3 {
            if outcome.is_ok() {
                break;
            }
            self.settle().await?;
            outcome = self.counts().await;
        }
        outcome
    }

    async fn counts(&self) -> Result<(), Violation> {
        // Two lists of one reader and a search after each history: in the long run every pair comes up.
        let turn = usize::try_from(self.count.histories).unwrap();
        let phone = &self.phones[turn % self.phones.len()];
        let is_for = |kind: Kind| {
            let rows = self.oracle.now.state.values().filter(move |row| row.kind == kind);
            rows.filter(|row| visible_to(row).is_some_and(|audience| audience.admits(phone.reader))).map(|row| row.id)
        };
        for n in [turn, turn + 4] {
            let (kind, path) = LISTS[n % LISTS.len()];
            let body = self.get(&self.stage.url(), &format!("{path}?limit=200"), &phone.bearer).await;
            let listed: BTreeSet<Uuid> = ids(&body["items"]);
            let wanted = is_for(kind).collect();
            if listed != wanted {
                let detail = format!("{:?} finds {listed:?} at {path}, right is {wanted:?}", phone.reader);
                let invariant = if listed.is_subset(&wanted) { Invariant::NoMiss } else { Invariant::Audience };
                return broken(invariant, detail);
            }
        }
        let body = self.get(&self.stage.url(), SEARCHES[0], &phone.bearer).await;
        let items = body["items"].as_array().into_iter().flatten();
        for (kind, id) in items.filter_map(|item| Some((Kind::from_name(item["kind"].as_str()?)?, found_id(item)?))) {
            if !is_for(kind).any(|there| there == id) {
                let detail = format!("{:?} finds {kind:?} {id} by searching", phone.reader);
                return broken(Invariant::Audience, detail);
            }
        }
        Ok(())
    }

    /// Who has been through everything answers as who has just started.
    pub(super) async fn check_against_another(&mut self) -> Result<(), Violation> {
        let turn = usize::try_from(self.count.histories).unwrap();
        if !self.oracle.reads_the_log || !turn.is_multiple_of(ANOTHER_EVERY) {
            return Ok(());
        }
        self.settle().await?;
        let heads = self.stage.heads().await;
        let another = self.stage.another().await;
        for phone in [turn / ANOTHER_EVERY, turn / ANOTHER_EVERY + 2] {
            let phone = &self.phones[phone % self.phones.len()];
            let mut paths: Vec<String> = LISTS.iter().map(|(_, path)| format!("{path}?limit=200")).collect();
            paths.extend(SEARCHES.map(str::to_owned));
            let rows = self.oracle.now.state.values();
            let mine = rows.filter(|row| visible_to(row).is_some_and(|audience| audience.admits(phone.reader)));
            let address =
                |kind: Kind| LISTS.iter().find(|(k, _)| *k == kind).map_or("/v1/entrances", |(_, path)| *path);
            paths.extend(mine.map(|row| format!("{}/{}?lang={}", address(row.kind), row.id, phone.language.tag())));
            for path in paths {
                let here = self.get(&self.stage.url(), &path, &phone.bearer).await;
                let there = self.get(&another.url(), &path, &phone.bearer).await;
                // Unless the scheduler has just been at work.
                if here != there && heads == self.stage.heads().await {
                    let detail = format!("{:?} at {path}: {here}, but from a new process {there}", phone.reader);
                    return broken(Invariant::CommittedState, detail);
                }
            }
        }
        Ok(())
    }

    /// An answer that must be there soon.
    async fn get(&self, base: &str, path: &str, bearer: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.stage.http.get(format!("{base}{path}")).bearer_auth(bearer);
            if let Ok(answer) = request.timeout(PATIENCE).send().await {
                match answer.status().as_u16() {
                    status @ (200 | 404) => {
                        if let Ok(mut body) = answer.json::<Value>().await {
                            body["status"] = status.into();
                            body["request_id"].take();
                            return body;
                        }
                    }
                    status => assert!([401, 429, 503].contains(&status), "{path} is answered by {status}"),
                }
            }
            assert!(Instant::now() < deadline, "{path} is not answered");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
