//! What writers do by SQL, as an operator would in psql, and what it does to the rows.

use domain::{Audience, Kind, MissionId};
use uuid::Uuid;

use super::history::{Action, Op, SLOTS, Who};
use super::rows::{Change, Effect, Row, message_type, text};

/// The two missions whose delegates have phones.
pub(super) const MISSIONS: [Uuid; 2] = [Uuid::from_u128(0xa), Uuid::from_u128(0xb)];

/// The first statement of an operation gives the id of its row, and of the other that it names; without a row
/// nothing else is done.
pub(super) struct Sql {
    pub(super) first: String,
    pub(super) then: Vec<String>,
    /// What it does, given those ids.
    pub(super) effects: Box<dyn FnOnce(Uuid, Option<Uuid>) -> Vec<Change> + Send>,
}

pub(super) fn audience(who: Who) -> Audience {
    let missions = |named: &[Uuid]| Audience::Missions(named.iter().map(|id| MissionId(*id)).collect());
    match who {
        Who::Public => Audience::Public,
        Who::Delegates => Audience::Delegates,
        Who::Secretariat => Audience::Secretariat,
        Who::MissionA => missions(&MISSIONS[..1]),
        Who::MissionB => missions(&MISSIONS[1..]),
        Who::Missions => missions(&MISSIONS),
    }
}

pub(super) fn key(kind: Kind, slot: u8) -> String {
    format!("{kind}{slot}", kind = kind.name())
}

fn find(kind: Kind, slot: u8) -> String {
    format!("(select id from {} where source = 'model' and source_key = '{}')", kind.name(), key(kind, slot))
}

fn json_of(number: u16) -> String {
    serde_json::to_string(&text(number)).unwrap()
}

fn bulletin_texts(number: u16) -> String {
    let texts = text(number).into_iter();
    let body = |(language, headline)| (language, serde_json::json!({"headline": headline, "description": "D"}));
    serde_json::to_string(&texts.map(body).collect::<std::collections::BTreeMap<_, _>>()).unwrap()
}

const SAMPLE: &str = r#"{"confidence": "sample"}"#;

/// The statements of an operation; none where its kind knows no such thing.
pub(super) fn sql(op: &Op) -> Option<Sql> {
    let (kind, table, slot) = (op.kind, op.kind.name(), op.slot);
    let here = format!("source = 'model' and source_key = '{}'", key(kind, slot));
    let update = |set: String| format!("update {table} set {set} where {here} returning id, null::uuid");
    let simple = |set: String, effects: Vec<Effect>| {
        Some(Sql {
            first: update(set),
            then: Vec::new(),
            effects: Box::new(move |id, _| effects.into_iter().map(|effect| ((kind, id), effect)).collect()),
        })
    };
    match &op.action {
        Action::Insert { who, text: number, other, embargo } => Some(insert(op, *who, *number, *other, *embargo)),
        Action::Text(number) => Some(retext(op, *number)),
        Action::Audience(who) => {
            let audience = audience(*who);
            simple(format!("audience = '{audience}'"), vec![Effect::Audience(audience)])
        }
        Action::Close => simple("closed_at = now()".into(), vec![Effect::Closed(true)]),
        Action::Reopen => simple("closed_at = null".into(), vec![Effect::Closed(false)]),
        Action::Same => simple("audience = audience, provenance = provenance".into(), Vec::new()),
        Action::Delete => Some(Sql {
            first: format!("delete from {table} where {here} returning id, null::uuid"),
            then: Vec::new(),
            effects: Box::new(move |id, _| vec![((kind, id), Effect::Deleted)]),
        }),
        Action::Embargo(ms) => {
            let set = format!("published_at = null, embargo_until = clock_timestamp() + interval '{ms} ms'");
            match kind {
                Kind::InfNote => simple(set, vec![Effect::Published(false)]),
                Kind::Bulletin => {
                    let effects = vec![Effect::Published(false), Effect::Expired(false)];
                    simple(format!("{set}, expired_at = null"), effects)
                }
                _ => None,
            }
        }
        Action::Withdraw if kind == Kind::InfNote => {
            simple("published_at = null, embargo_until = null".into(), vec![Effect::Published(false)])
        }
        Action::Expire(ms) if kind == Kind::Bulletin => {
            let set = format!("expires_at = clock_timestamp() + interval '{ms} ms', expired_at = null");
            simple(set, vec![Effect::Expired(false)])
        }
        Action::One(other) => one(op, *other),
        Action::Link(other) => link(op, *other, true),
        Action::Unlink(other) => link(op, *other, false),
        Action::Withdraw | Action::Expire(_) => None,
    }
}

fn insert(op: &Op, who: Who, number: u16, other: u8, embargo: Option<u16>) -> Sql {
    let (kind, slot, id) = (op.kind, op.slot, Uuid::now_v7());
    let table = kind.name();
    let organization = "(select id from organization order by source_key limit 1)".to_owned();
    let released = match embargo {
        None => "now(), null".to_owned(),
        Some(ms) => format!("null, clock_timestamp() + interval '{ms} ms'"),
    };
    let name = json_of(number);
    let (columns, values) = match kind {
        Kind::Organization | Kind::Service => ("name", format!("'{name}'")),
        Kind::Unit => ("organization_id, name, unit_kind", format!("{organization}, '{name}', 'section'")),
        Kind::Function => ("unit_id, title, duty_station", format!("{}, '{name}', 'NY'", find(Kind::Unit, other))),
        Kind::Mission => (
            "organization_id, short_name, formal_name, duty_station",
            format!("{organization}, '{name}', '{name}', 'NY'"),
        ),
        Kind::Person => ("family_name", format!("'Text {number}'")),
        Kind::RateCard => ("title, currency", format!("'{name}', 'USD'")),
        Kind::InfNote => ("symbol, published_at, embargo_until", format!("'A/INF/7{slot}/1', {released}")),
        Kind::Bulletin => (
            "identifier, issuer_code, issuer_name, duty_station, time_zone, message_type, category, severity,
             urgency, certainty, sent_at, texts, published_at, embargo_until",
            format!(
                "'{}', 'un', '{{\"en\": \"UN\"}}', 'NY', 'America/New_York', 'alert', 'security', 'minor', 'expected',
                 'likely', '2020-01-01T00:0{slot}:00Z', '{}', {released}",
                key(kind, slot),
                bulletin_texts(number)
            ),
        ),
        Kind::Place => {
            ("name, place_kind, duty_station, time_zone", format!("'{name}', 'entrance', 'NY', 'America/New_York'"))
        }
    };
    let audience = audience(who);
    let given = match kind {
        Kind::Function => "unit_id",
        Kind::Unit | Kind::Mission => "organization_id",
        _ => "null::uuid",
    };
    let first = format!(
        "insert into {table} (id, source, source_key, audience, provenance, {columns})
         values ('{id}', 'model', '{}', '{audience}', '{SAMPLE}', {values})
         on conflict (source, source_key) do nothing returning id, {given}",
        key(kind, slot)
    );
    let then = match kind {
        Kind::RateCard => vec![format!(
            "insert into rate (card_id, code, position, category, item, unit, low, high, currency, applies_when, office,
                office_kind, provenance)
             values ('{id}', 'rate', 0, 'room', '{{\"en\": \"Room\"}}', 'event', 1, 1, 'USD', 'always',
                '{{\"en\": \"Office\"}}', 'united_nations', '{SAMPLE}')"
        )],
        Kind::InfNote => note_texts(id, number),
        Kind::Place => vec![format!(
            "insert into opening (place_id, position, state, provenance) values ('{id}', 0, 'open', '{SAMPLE}')"
        )],
        _ => Vec::new(),
    };
    let published = embargo.is_none() || !matches!(kind, Kind::InfNote | Kind::Bulletin);
    let effects = Box::new(move |id, other: Option<Uuid>| {
        let row = Row {
            kind,
            id,
            slot,
            audience,
            closed: false,
            published,
            expired: false,
            text: number,
            organization: other.filter(|_| kind != Kind::Function),
            one: other.filter(|_| kind == Kind::Function),
            many: Default::default(),
        };
        vec![((kind, id), Effect::Is(row))]
    });
    Sql { first, then, effects }
}

fn note_texts(id: Uuid, number: u16) -> Vec<String> {
    let row = |(language, title)| {
        format!(
            "insert into inf_note_text (inf_note_id, language, title, confidence)
             values ('{id}', '{language}', '{title}', 'sample')"
        )
    };
    text(number).into_iter().map(row).collect()
}

fn retext(op: &Op, number: u16) -> Sql {
    let (kind, table, here) = (op.kind, op.kind.name(), format!("source_key = '{}'", key(op.kind, op.slot)));
    let name = json_of(number);
    let set = match kind {
        Kind::Organization | Kind::Unit | Kind::Service | Kind::Place => format!("name = '{name}'"),
        Kind::Function | Kind::RateCard => format!("title = '{name}'"),
        Kind::Person => format!("family_name = 'Text {number}'"),
        Kind::Mission => format!("short_name = '{name}'"),
        Kind::Bulletin => format!("texts = '{}'", bulletin_texts(number)),
        Kind::InfNote => "symbol = symbol".to_owned(),
    };
    let note = format!("(select id from inf_note where source = 'model' and {here})");
    let mut then = Vec::new();
    if kind == Kind::InfNote {
        then.push(format!("delete from inf_note_text where inf_note_id = {note} and language = 'fr'"));
        then.push(format!("update inf_note_text set title = 'Text {number}' where inf_note_id = {note}"));
        if let Some(french) = text(number).get("fr") {
            then.push(format!(
                "insert into inf_note_text (inf_note_id, language, title, confidence)
                 select {note}, 'fr', '{french}', 'sample'"
            ));
        }
    }
    Sql {
        first: format!("update {table} set {set} where source = 'model' and {here} returning id, null::uuid"),
        then,
        effects: Box::new(move |id, _| vec![((kind, id), Effect::Text(number))]),
    }
}

/// Lets the single reference of a row lead elsewhere.
fn one(op: &Op, other: Option<u8>) -> Option<Sql> {
    let (kind, own) = (op.kind, find(op.kind, op.slot));
    let target = |target: Kind| other.map_or("null".to_owned(), |slot| find(target, slot));
    let here = format!("source = 'model' and source_key = '{}'", key(kind, op.slot));
    let first = match kind {
        // Only below one of a lower number, so that none is above itself.
        Kind::Unit => {
            let parent = other.filter(|slot| *slot < op.slot).map_or("null".to_owned(), |slot| find(kind, slot));
            format!("update unit set parent_id = {parent} where {here} returning id, parent_id")
        }
        Kind::Function => {
            let unit = target(Kind::Unit);
            format!("update function set unit_id = coalesce({unit}, unit_id) where {here} returning id, unit_id")
        }
        Kind::Person => {
            format!("update person set unit_id = {} where {here} returning id, unit_id", target(Kind::Unit))
        }
        Kind::RateCard => format!(
            "update rate set office_unit_id = {} where card_id = {own} returning card_id, office_unit_id",
            target(Kind::Unit)
        ),
        Kind::Place => format!(
            "update opening set basis_id = {} where place_id = {own} returning place_id, basis_id",
            target(Kind::Bulletin)
        ),
        _ => return None,
    };
    let effects = Box::new(move |id, other| vec![((kind, id), Effect::One(other))]);
    Some(Sql { first, then: Vec::new(), effects })
}

/// Adds or takes away one of the rows that a row names several of.
fn link(op: &Op, other: u8, there: bool) -> Option<Sql> {
    let (kind, own) = (op.kind, find(op.kind, op.slot));
    let station = ["NY", "GVA", "NBO", "VIE"][usize::from(other % SLOTS)];
    let (table, left, right, target, more) = match kind {
        Kind::Person => ("holding", "person_id", "function_id", Kind::Function, None),
        Kind::Service => ("contact_point", "service_id", "function_id", Kind::Function, Some(station)),
        Kind::Bulletin if other < op.slot => ("bulletin_reference", "bulletin_id", "earlier_id", Kind::Bulletin, None),
        _ => return None,
    };
    let target = find(target, other);
    let first = match there {
        true => {
            let (column, value) = more.map_or_else(Default::default, |s| (", duty_station", format!(", '{s}'")));
            format!(
                "insert into {table} ({left}, {right}{column}) select {own}, {target}{value}
                 where {own} is not null and {target} is not null on conflict do nothing returning {left}, {right}"
            )
        }
        false => {
            format!("delete from {table} where {left} = {own} and {right} = {target} returning {left}, {right}")
        }
    };
    // A bulletin that refers to none is an alert, and only that.
    let then = match kind {
        Kind::Bulletin => vec![format!(
            "update bulletin b set message_type = case
                when exists (select from bulletin_reference where bulletin_id = b.id) then '{}' else 'alert' end
             where id = {own}",
            message_type(op.slot)
        )],
        _ => Vec::new(),
    };
    let effects = Box::new(move |id, other: Option<Uuid>| {
        let effect = |other| if there { Effect::Link(other) } else { Effect::Unlink(other) };
        other.map(|other| vec![((kind, id), effect(other))]).unwrap_or_default()
    });
    Some(Sql { first, then, effects })
}
