//! What is asked for in the matrix: content for every audience, accounts, sessions and clients of either mission
//! and of none.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::bulletins::bulletin;
use crate::harness::World;
use crate::harness::rows::{With, function, mission, organization, person, unit};

/// Whom content is for.
pub(super) const AUDIENCES: [&str; 5] = ["public", "delegates", "ours", "theirs", "secretariat"];

/// Kinds of content: in which table each is.
pub(super) const KINDS: [(&str, &str); 10] = [
    ("organization", "organization"),
    ("unit", "unit"),
    ("function", "function"),
    ("person", "person"),
    ("mission", "mission"),
    ("service", "service"),
    ("inf_note", "inf_note"),
    ("bulletin", "bulletin"),
    ("place", "place"),
    ("rate_card", "rate_card"),
];

/// The content, and the two missions.
pub(super) struct Stage {
    content: BTreeMap<(&'static str, String), Uuid>,
    pub(super) ours: Uuid,
    pub(super) theirs: Uuid,
}

fn audience(name: &str) -> Value {
    match name {
        "ours" | "theirs" => json!({"missions": [name]}),
        "draft" | "embargoed" => json!("public"),
        other => json!(other),
    }
}

fn place(key: &str) -> Value {
    json!({"kind": "place", "key": key, "place_kind": "entrance", "duty_station": "NY", "time_zone": "America/New_York",
        "name": {"en": format!("Gate {key}")}, "provenance": {"confidence": "sample"},
        "openings": [{"state": "open", "passes": ["delegate"], "provenance": {"confidence": "sample"}}]})
}

fn note(key: &str, number: usize) -> Value {
    json!({"kind": "inf_note", "key": key, "symbol": format!("A/INF/81/{number}"),
        "texts": {"en": {"title": "Arrangements", "confidence": "sample"}}, "provenance": {"confidence": "sample"}})
}

/// Each card holds in a year of its own, so that an estimate shows one of them.
fn rate_card(key: &str, year: usize) -> Value {
    json!({"kind": "rate_card", "key": key, "duty_station": "NY", "title": {"en": "Rates"}, "currency": "USD",
        "valid_from": format!("{year}-01-01"), "valid_until": format!("{year}-12-31"),
        "provenance": {"confidence": "sample"},
        "rates": [{"code": format!("room-{key}"), "category": "room", "item": {"en": "Room"}, "unit": "event",
            "charge": {"amount": "10.00"}, "applies_when": "always", "provenance": {"confidence": "sample"}}]})
}

/// The year in which the rates for an audience hold.
pub(super) fn year(audience: &str) -> usize {
    2027 + AUDIENCES.iter().position(|name| *name == audience).unwrap()
}

impl Stage {
    /// Imports the content.
    pub(super) async fn set(world: &World) -> Self {
        let un = organization("un").with("audience", json!("public"));
        let base = unit("base", "un").with("audience", json!("public"));
        let of = |key: &str| mission(key, "un").with("audience", json!("delegates"));
        world.have("directory", &[un, base, of("ours"), of("theirs")]).await;
        let (mut directory, mut notes, mut bulletins, mut cards) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for name in AUDIENCES {
            let service = json!({"kind": "service", "key": format!("service-{name}"), "name": {"en": "Service"},
                "provenance": {"confidence": "sample"}});
            directory.extend(
                [
                    organization(&format!("organization-{name}")),
                    unit(&format!("unit-{name}"), "un"),
                    function(&format!("function-{name}"), "base"),
                    person(&format!("person-{name}"), "Person"),
                    mission(&format!("mission-{name}"), "un"),
                    service,
                ]
                .map(|row| row.with("audience", audience(name))),
            );
            cards.push(rate_card(&format!("rate_card-{name}"), year(name)).with("audience", audience(name)));
            bulletins.push(place(&format!("place-{name}")).with("audience", audience(name)));
        }
        for (n, name) in AUDIENCES.into_iter().chain(["draft", "embargoed"]).enumerate() {
            let note = note(&format!("inf_note-{name}"), n + 1).with("audience", audience(name));
            let told = bulletin(&format!("bulletin-{name}")).with("audience", audience(name));
            let embargo = json!("2099-01-01T00:00:00Z");
            match name {
                "draft" => notes.push(note.with("draft", json!(true))),
                "embargoed" => {
                    notes.push(note.with("embargo_until", embargo.clone()));
                    bulletins.push(told.with("embargo_until", embargo));
                }
                _ => {
                    notes.push(note);
                    bulletins.push(told);
                }
            }
        }
        let imports =
            [("directory", directory), ("inf-notes", notes), ("bulletins", bulletins), ("event-costs", cards)];
        for (feature, rows) in imports {
            world.have(feature, &rows).await;
        }
        let psql = world.database.psql().await;
        let mut content = BTreeMap::new();
        for (kind, table) in KINDS {
            let rows = psql.query(&format!("select source_key, id from {table}"), &[]).await.unwrap();
            for row in rows {
                content.insert((kind, row.get::<_, String>(0)), row.get(1));
            }
        }
        let (ours, theirs) = (content[&("mission", "ours".into())], content[&("mission", "theirs".into())]);
        Self { content, ours, theirs }
    }

    /// The id of the content of a kind for an audience; of none where there is no such audience.
    pub(super) fn content(&self, kind: &'static str, audience: &str) -> Uuid {
        self.content.get(&(kind, format!("{kind}-{audience}"))).copied().unwrap_or_else(Uuid::now_v7)
    }

    /// A mission by what it is to those who ask: `none` is an id that no mission has.
    pub(super) fn mission(&self, whose: &str) -> Uuid {
        match whose {
            "ours" => self.ours,
            "theirs" => self.theirs,
            _ => Uuid::now_v7(),
        }
    }
}

/// Rows that cells need, inserted all at once: what one cell changes is no other's.
#[derive(Default)]
pub(super) struct Plan {
    accounts: Vec<(Uuid, String, Option<Uuid>, bool)>,
    sessions: Vec<(Uuid, Uuid, Uuid, bool)>,
    services: Vec<(Uuid, String, Option<Uuid>, Option<String>)>,
    apps: Vec<(Uuid, String)>,
    runs: Vec<(Uuid, Uuid)>,
}

/// The mail address of an account that a plan adds.
pub(super) fn mail_of(account: Uuid) -> String {
    format!("m-{account}@example.org")
}

impl Plan {
    pub(super) fn account(&mut self, roles: &str, mission: Option<Uuid>) -> Uuid {
        let id = Uuid::now_v7();
        self.accounts.push((id, roles.to_owned(), mission, false));
        id
    }

    pub(super) fn removed_account(&mut self, roles: &str, mission: Option<Uuid>) -> Uuid {
        let id = self.account(roles, mission);
        self.accounts.last_mut().unwrap().3 = true;
        id
    }

    pub(super) fn session(&mut self, account: Uuid, app: Uuid, has_ended: bool) -> Uuid {
        let id = Uuid::now_v7();
        self.sessions.push((id, account, app, has_ended));
        id
    }

    pub(super) fn service(&mut self, role: &str, mission: Option<Uuid>, scopes: Option<&str>) -> Uuid {
        let id = Uuid::now_v7();
        self.service_with(id, role, mission, scopes);
        id
    }

    pub(super) fn service_with(&mut self, id: Uuid, role: &str, mission: Option<Uuid>, scopes: Option<&str>) {
        self.services.push((id, role.to_owned(), mission, scopes.map(str::to_owned)));
    }

    pub(super) fn app(&mut self, scopes: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.app_with(id, scopes);
        id
    }

    pub(super) fn app_with(&mut self, id: Uuid, scopes: &str) {
        self.apps.push((id, scopes.to_owned()));
    }

    pub(super) fn run(&mut self, by: Uuid) -> Uuid {
        let id = Uuid::now_v7();
        self.runs.push((id, by));
        id
    }

    /// How many clients it adds.
    pub(super) fn clients_so_far(&self) -> usize {
        self.services.len() + self.apps.len()
    }

    /// Writes it all. Every service has the secret behind this hash.
    pub(super) async fn carry_out(&self, world: &World, secret_hash: &str) {
        fn column<T, V>(rows: &[T], of: impl Fn(&T) -> V) -> Vec<V> {
            rows.iter().map(of).collect()
        }
        let psql = world.database.psql().await;
        let sql = "insert into app (id, name, redirect_uris, scopes)
            select id, 'of the matrix', array['http://127.0.0.1/signed-in'], string_to_array(scopes, ' ')
            from unnest($1::uuid[], $2::text[]) as t (id, scopes)";
        psql.execute(sql, &[&column(&self.apps, |a| a.0), &column(&self.apps, |a| a.1.clone())]).await.unwrap();
        let sql = "insert into account (id, mail, name, language, roles, mission_id, removed_at)
            select id, 'm-' || id || '@example.org', 'Somebody', 'en', string_to_array(roles, ' '), mission,
                case when gone then now() end
            from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bool[]) as t (id, roles, mission, gone)";
        let rows = &self.accounts;
        let (ids, roles) = (column(rows, |a| a.0), column(rows, |a| a.1.clone()));
        psql.execute(sql, &[&ids, &roles, &column(rows, |a| a.2), &column(rows, |a| a.3)]).await.unwrap();
        let sql = "insert into session (id, account_id, app_id, device, scope, has_second_factor, rotation_key, expires_at)
            select id, account, app, 'of the matrix', 'read', true, decode(repeat('07', 32), 'hex'), now() + interval '1 day'
            from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t (id, account, app)";
        let rows = &self.sessions;
        psql.execute(sql, &[&column(rows, |s| s.0), &column(rows, |s| s.1), &column(rows, |s| s.2)]).await.unwrap();
        let ended: Vec<Uuid> = rows.iter().filter(|s| s.3).map(|s| s.0).collect();
        let sql = "update session set ended_at = now(), ended_by = 'revoked' where id = any ($1)";
        psql.execute(sql, &[&ended]).await.unwrap();
        let sql = "insert into oauth_client (id, name, role, mission_id, scopes, secret_hash)
            select id, 'of the matrix', role, mission, string_to_array(scopes, ' '), $5
            from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as t (id, role, mission, scopes)";
        let rows = &self.services;
        let (ids, roles) = (column(rows, |s| s.0), column(rows, |s| s.1.clone()));
        let (missions, scopes) = (column(rows, |s| s.2), column(rows, |s| s.3.clone()));
        psql.execute(sql, &[&ids, &roles, &missions, &scopes, &secret_hash]).await.unwrap();
        let sql =
            "insert into import_run (id, client_id, feature, source, format, dry_run, replace, force, state, ended_at)
            select id, client, 'notes', 'test', 'ndjson', false, false, false, 'committed', now()
            from unnest($1::uuid[], $2::uuid[]) as t (id, client)";
        psql.execute(sql, &[&column(&self.runs, |r| r.0), &column(&self.runs, |r| r.1)]).await.unwrap();
    }
}
