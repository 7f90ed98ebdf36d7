//! The INF notes' rows.

mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::imports::{Imported, upsert};
use crate::schema::{inf_note, inf_note_text};
use crate::{Conn, Error};
use domain::inf_notes::{Note, NoteId, Publication};
use rows::{NoteRow, TextRow, publication};

/// Loads what some reader may see, `only` of these ids if any are given. A corrupt row is left out, and said so in
/// the log.
pub async fn load(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<Vec<Note>, Error> {
    let mut rows = inf_note::table
        .filter(inf_note::visible_to.is_not_null())
        .order(inf_note::id)
        .select(NoteRow::as_select())
        .into_boxed();
    let mut texts = inf_note_text::table
        .inner_join(inf_note::table)
        .filter(inf_note::visible_to.is_not_null())
        .select(TextRow::as_select())
        .into_boxed();
    if let Some(ids) = only {
        rows = rows.filter(inf_note::id.eq_any(ids));
        texts = texts.filter(inf_note::id.eq_any(ids));
    }
    let rows: Vec<NoteRow> = rows.load(conn).await?;
    let texts: Vec<TextRow> = texts.load(conn).await?;
    let mut by_note: HashMap<Uuid, Vec<TextRow>> = HashMap::new();
    for text in texts {
        by_note.entry(text.inf_note_id).or_default().push(text);
    }
    let parse = |row: NoteRow| {
        let id = row.id;
        let texts = by_note.remove(&id).unwrap_or_default();
        row.parse(texts).inspect_err(|cause| tracing::error!(%id, %cause, "INF note left out")).ok()
    };
    Ok(rows.into_iter().filter_map(parse).collect())
}

/// How far those of `ids` that are stored have come. Holds them until the transaction ends, so that
/// none is published meanwhile.
pub async fn lock(conn: &mut Conn, ids: &[NoteId]) -> Result<BTreeMap<NoteId, Publication>, Error> {
    type Row = (Uuid, Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = inf_note::table
        .filter(inf_note::id.eq_any(ids))
        .order(inf_note::id)
        .select((inf_note::id, inf_note::embargo_until, inf_note::published_at, inf_note::closed_at))
        .for_update()
        .load(conn)
        .await?;
    let parse = |(id, embargo_until, published_at, closed_at)| {
        (NoteId(id), publication(embargo_until, published_at, closed_at))
    };
    Ok(rows.into_iter().map(parse).collect())
}

/// The database's clock, which alone decides when an embargo is over: the start of the transaction.
pub async fn now(conn: &mut Conn) -> Result<DateTime<Utc>, Error> {
    Ok(diesel::select(diesel::dsl::now.into_sql::<diesel::sql_types::Timestamptz>()).get_result(conn).await?)
}

/// Of these symbols, those that another source's open note has, with its id.
pub async fn find_symbols(conn: &mut Conn, symbols: &[String]) -> Result<BTreeMap<String, NoteId>, Error> {
    let rows: Vec<(String, Uuid)> = inf_note::table
        .filter(inf_note::symbol.eq_any(symbols).and(inf_note::closed_at.is_null()))
        .select((inf_note::symbol, inf_note::id))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(symbol, id)| (symbol, NoteId(id))).collect())
}

/// Saves notes with their language versions; returns the ids of those that this changed.
pub async fn save(conn: &mut Conn, imported: &[Imported<Note>]) -> Result<BTreeSet<Uuid>, Error> {
    let rows: Vec<NoteRow> = imported.iter().map(NoteRow::of).collect();
    let changed = upsert!(
        conn,
        inf_note,
        &rows,
        [
            audience,
            embargo_until,
            published_at,
            symbol,
            date,
            reissues,
            job_number,
            distribution,
            original_language,
            session_dates,
            provenance
        ]
    );
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();

    let ids: Vec<Uuid> = imported.iter().map(|i| i.value.id.0).collect();
    let key = |text: &TextRow| (text.inf_note_id, text.language.clone());
    let stored: Vec<TextRow> = inf_note_text::table
        .filter(inf_note_text::inf_note_id.eq_any(&ids))
        .select(TextRow::as_select())
        .load(conn)
        .await?;
    let stored: BTreeMap<_, _> = stored.into_iter().map(|text| (key(&text), text)).collect();
    let wanted: BTreeMap<_, _> =
        imported.iter().flat_map(|i| TextRow::all_of(&i.value)).map(|text| (key(&text), text)).collect();

    for (id, language) in stored.keys().filter(|text| !wanted.contains_key(text)) {
        diesel::delete(inf_note_text::table.find((id, language))).execute(conn).await?;
        changed.insert(*id);
    }
    for (text, row) in wanted.iter().filter(|(text, row)| stored.get(text) != Some(row)) {
        diesel::insert_into(inf_note_text::table)
            .values(row)
            .on_conflict((inf_note_text::inf_note_id, inf_note_text::language))
            .do_update()
            .set(row)
            .execute(conn)
            .await?;
        changed.insert(text.0);
    }
    Ok(changed)
}

#[derive(QueryableByName)]
struct Published {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}

/// Publishes the notes whose embargo is over by the database's clock, but for those that another
/// process is just publishing or an import is holding. Returns their ids.
pub async fn publish_due(conn: &mut Conn) -> Result<Vec<NoteId>, Error> {
    let published: Vec<Published> = diesel::sql_query(
        "update inf_note set published_at = now()
         where id in (
            select id from inf_note
            where published_at is null and closed_at is null and embargo_until <= now()
            order by id for update skip locked
         )
         returning id",
    )
    .load(conn)
    .await?;
    Ok(published.into_iter().map(|row| NoteId(row.id)).collect())
}
