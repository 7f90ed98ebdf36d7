//! The rows of rate cards, their rates and their rules.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::imports::{Imported, upsert};
use crate::schema::{charge_rule, rate, rate_card};
use crate::{Conn, Error};
use domain::event_costs::RateCard;
use rows::{RateCardRow, RateRow, RuleRow};

/// Loads the cards that some reader may see, `only` of these ids if any are given. A corrupt card is left out, and
/// said so in the log.
///
/// A billing unit is named only where all readers of the card may see it.
pub async fn load(conn: &mut Conn, only: Option<&[Uuid]>) -> Result<Vec<RateCard>, Error> {
    let mut cards = rate_card::table
        .filter(rate_card::visible_to.is_not_null())
        .order(rate_card::id)
        .select(RateCardRow::as_select())
        .into_boxed();
    if let Some(ids) = only {
        cards = cards.filter(rate_card::id.eq_any(ids));
    }
    let cards: Vec<RateCardRow> = cards.load(conn).await?;
    let ids: Vec<Uuid> = cards.iter().map(|card| card.id).collect();
    let (mut rates, mut rules) = parts(conn, &ids).await?;
    let nameable = nameable_units(conn).await?;
    for rate in rates.values_mut().flatten() {
        let card = rate.card_id;
        rate.office_unit_id.take_if(|unit| !nameable.contains(&(card, *unit)));
    }
    let parse = |card: RateCardRow| {
        let id = card.id;
        card.parse(rates.remove(&id).unwrap_or_default(), rules.remove(&id).unwrap_or_default())
            .inspect_err(|cause| tracing::error!(%id, %cause, "a rate card is left out"))
            .ok()
    };
    Ok(cards.into_iter().filter_map(parse).collect())
}

type Parts = (BTreeMap<Uuid, Vec<RateRow>>, BTreeMap<Uuid, Vec<RuleRow>>);

/// The rates and rules of these cards, in order.
async fn parts(conn: &mut Conn, cards: &[Uuid]) -> Result<Parts, Error> {
    let rates: Vec<RateRow> = rate::table
        .filter(rate::card_id.eq_any(cards))
        .order((rate::card_id, rate::position))
        .select(RateRow::as_select())
        .load(conn)
        .await?;
    let rules: Vec<RuleRow> = charge_rule::table
        .filter(charge_rule::card_id.eq_any(cards))
        .order((charge_rule::card_id, charge_rule::position))
        .select(RuleRow::as_select())
        .load(conn)
        .await?;
    let mut parts = Parts::default();
    for rate in rates {
        parts.0.entry(rate.card_id).or_default().push(rate);
    }
    for rule in rules {
        parts.1.entry(rule.card_id).or_default().push(rule);
    }
    Ok(parts)
}

#[derive(QueryableByName)]
struct Nameable {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    card_id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    unit_id: Uuid,
}

/// The billing units that all who may see a card may see too.
async fn nameable_units(conn: &mut Conn) -> Result<BTreeSet<(Uuid, Uuid)>, Error> {
    let rows: Vec<Nameable> = diesel::sql_query(
        "select distinct c.id card_id, u.id unit_id
         from rate r join rate_card c on c.id = r.card_id join unit u on u.id = r.office_unit_id
         where audience_covers(u.visible_to, c.visible_to)",
    )
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.card_id, row.unit_id)).collect())
}

/// A rate that names a billing unit which is closed, or which not all readers of its card may see.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Contradiction {
    /// The card's source.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub source: String,
    /// The card's key there.
    #[diesel(sql_type = diesel::sql_types::Text, column_name = source_key)]
    pub key: String,
    /// The rate's place in the card.
    #[diesel(sql_type = diesel::sql_types::Integer, column_name = position)]
    pub rate: i32,
}

/// The billing units that a reader of a card could not look up; at most 100.
pub async fn contradictions(conn: &mut Conn) -> Result<Vec<Contradiction>, Error> {
    let rows = diesel::sql_query(
        "select c.source, c.source_key, r.position
         from rate r join rate_card c on c.id = r.card_id join unit u on u.id = r.office_unit_id
         where c.visible_to is not null and not coalesce(audience_covers(u.visible_to, c.visible_to), false)
         order by 1, 2, 3 limit 100",
    )
    .load(conn)
    .await?;
    Ok(rows)
}

/// Saves cards with their rates and rules; returns the ids of those that this changed.
pub async fn save_rate_cards(conn: &mut Conn, imported: &[Imported<RateCard>]) -> Result<BTreeSet<Uuid>, Error> {
    let cards: Vec<RateCardRow> = imported.iter().map(RateCardRow::of).collect();
    let changed = upsert!(
        conn,
        rate_card,
        &cards,
        [audience, duty_station, title, valid_from, valid_until, validity_inferred, currency, interpreters, provenance]
    );
    let mut changed: BTreeSet<Uuid> = changed.into_iter().collect();
    let ids: Vec<Uuid> = cards.iter().map(|card| card.id).collect();
    let (mut stored_rates, mut stored_rules) = parts(conn, &ids).await?;
    for card in imported.iter().map(|i| &i.value) {
        let (rates, rules) = (RateRow::of(card), RuleRow::of(card));
        if stored_rates.remove(&card.id.0).unwrap_or_default() != rates {
            diesel::delete(rate::table.filter(rate::card_id.eq(card.id.0))).execute(conn).await?;
            // Postgres takes 65,535 parameters a statement.
            for rates in rates.chunks(1000) {
                diesel::insert_into(rate::table).values(rates).execute(conn).await?;
            }
            changed.insert(card.id.0);
        }
        if stored_rules.remove(&card.id.0).unwrap_or_default() != rules {
            diesel::delete(charge_rule::table.filter(charge_rule::card_id.eq(card.id.0))).execute(conn).await?;
            for rules in rules.chunks(1000) {
                diesel::insert_into(charge_rule::table).values(rules).execute(conn).await?;
            }
            changed.insert(card.id.0);
        }
    }
    Ok(changed)
}
