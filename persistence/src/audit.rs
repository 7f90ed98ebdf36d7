//! The audit: who did what. The database writes it (migration `0009_audit`); here it is read.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, Filter as Narrowed, IntoBoxed, Select, sql};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::{account, audit_entry, oauth_client};
use crate::{Conn, Error};
use domain::audit::{ActorKind, ObjectKind, Op};

/// An entry.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_entry)]
pub struct Entry {
    /// Its number; those of later entries are greater, but for what was under way at the same time.
    pub n: i64,
    /// When the change was made, by the database's clock.
    pub at: DateTime<Utc>,
    /// Who acted.
    pub actor_kind: String,
    /// The account or service.
    pub actor_id: Option<Uuid>,
    /// The service or app by which they did.
    pub client_id: Option<Uuid>,
    /// The session in which they did.
    pub session_id: Option<Uuid>,
    /// The request with which they did.
    pub request_id: Option<Uuid>,
    /// The database's role.
    pub database_role: String,
    /// What was done.
    pub op: String,
    /// The kind of the object.
    pub kind: String,
    /// The object.
    pub object_id: Uuid,
    /// The part of it.
    pub part: Option<String>,
    /// The account it was done to.
    pub subject_id: Option<Uuid>,
    /// The mission whose account, session or service it was done to.
    pub mission_id: Option<Uuid>,
    /// What was.
    pub before: Option<Value>,
    /// What is.
    pub after: Option<Value>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// About this object.
    pub object: Option<Uuid>,
    /// About objects of this kind.
    pub kind: Option<ObjectKind>,
    /// Of this.
    pub op: Option<Op>,
    /// By such.
    pub actor: Option<ActorKind>,
    /// By this person.
    pub person: Option<Uuid>,
    /// By this service, or in this app.
    pub client: Option<Uuid>,
    /// In this session.
    pub session: Option<Uuid>,
    /// With this request.
    pub request: Option<Uuid>,
    /// To this account, its sessions and what its person signs in with.
    pub subject: Option<Uuid>,
    /// To accounts, sessions and services of this mission.
    pub mission: Option<Uuid>,
    /// At this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

type Wanted = IntoBoxed<'static, Narrowed<Select<audit_entry::table, AsSelect<Entry, Pg>>, SqlLiteral<Bool>>, Pg>;

fn wanted(filter: Filter) -> Wanted {
    use crate::schema::audit_entry::{
        actor_id, actor_kind, at, client_id, kind, mission_id, object_id, op, request_id, session_id, subject_id, table,
    };
    // Raw SQL is not kept as a prepared statement: each query is planned for its own values, of which some are
    // everywhere and some are rare.
    let mut query = table.select(Entry::as_select()).filter(sql::<Bool>("true")).into_boxed();
    if let Some(id) = filter.object {
        query = query.filter(object_id.eq(id));
    }
    if let Some(word) = filter.kind {
        query = query.filter(kind.eq(word.code()));
    }
    if let Some(word) = filter.op {
        query = query.filter(op.eq(word.code()));
    }
    if let Some(word) = filter.actor {
        query = query.filter(actor_kind.eq(word.code()));
    }
    if let Some(id) = filter.person {
        query = query.filter(actor_id.eq(id)).filter(actor_kind.eq(ActorKind::Person.code()));
    }
    if let Some(id) = filter.client {
        query = query.filter(client_id.eq(id));
    }
    if let Some(id) = filter.session {
        query = query.filter(session_id.eq(id));
    }
    if let Some(id) = filter.request {
        query = query.filter(request_id.eq(id));
    }
    if let Some(id) = filter.subject {
        query = query.filter(subject_id.eq(id));
    }
    if let Some(id) = filter.mission {
        query = query.filter(mission_id.eq(id));
    }
    if let Some(moment) = filter.since {
        query = query.filter(at.ge(moment));
    }
    if let Some(moment) = filter.until {
        query = query.filter(at.lt(moment));
    }
    query
}

/// At most `limit` entries of a lower number than `before`, newest first.
pub async fn list(conn: &mut Conn, filter: Filter, before: Option<i64>, limit: i64) -> Result<Vec<Entry>, Error> {
    let mut query = wanted(filter).limit(limit);
    if let Some(before) = before {
        query = query.filter(audit_entry::n.lt(before));
    }
    query = match (filter.since, filter.until) {
        // A stretch of time is looked up by time: the planner would walk from the newest entry down to it.
        (Some(_), Some(_)) => query.order(sql::<BigInt>("n + 0").desc()),
        _ => query.order(audit_entry::n.desc()),
    };
    Ok(query.load(conn).await?)
}

/// At most `limit` entries numbered from above `after` up to `settled`, oldest first.
pub async fn follow(
    conn: &mut Conn,
    filter: Filter,
    after: i64,
    settled: i64,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let query = wanted(filter).order(audit_entry::n.asc()).limit(limit);
    Ok(query.filter(audit_entry::n.gt(after)).filter(audit_entry::n.le(settled)).load(conn).await?)
}

/// The number up to which nothing will be added any more: what is numbered higher may still be joined by a lower
/// number, of a transaction that is under way.
pub async fn settled(conn: &mut Conn) -> Result<i64, Error> {
    Ok(diesel::select(sql::<BigInt>("audit_settled()")).get_result(conn).await?)
}

/// Notes that entries were exported, by whoever acts: the request and what it asked for.
pub async fn note_export(conn: &mut Conn, request: Uuid, asked: &Value) -> Result<(), Error> {
    diesel::sql_query("select audit_note($1, $2, $3, $4)")
        .bind::<Text, _>(Op::Export.code())
        .bind::<Text, _>(ObjectKind::Audit.code())
        .bind::<SqlUuid, _>(request)
        .bind::<Jsonb, _>(asked)
        .execute(conn)
        .await?;
    Ok(())
}

/// What the actors of these entries are called now: accounts, removed ones too, and services.
pub async fn names(conn: &mut Conn, entries: &[Entry]) -> Result<HashMap<Uuid, String>, Error> {
    let mut actors: Vec<Uuid> = entries.iter().filter_map(|entry| entry.actor_id).collect();
    actors.sort_unstable();
    actors.dedup();
    let people = account::table.filter(account::id.eq_any(&actors)).select((account::id, account::name));
    let mut names: HashMap<Uuid, String> = people.load::<(Uuid, String)>(conn).await?.into_iter().collect();
    let services = oauth_client::table.filter(oauth_client::id.eq_any(&actors));
    let services = services.select((oauth_client::id, oauth_client::name));
    names.extend(services.load::<(Uuid, String)>(conn).await?);
    Ok(names)
}
