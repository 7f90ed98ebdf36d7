//! The rows as the oracle knows them, and what a reader is to see of each: told again in words of its own, so that
//! the server's are held against them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{Audience, Kind, Language, Reader};
use serde_json::{Value, json};
use uuid::Uuid;

/// What is committed.
pub(super) type State = BTreeMap<(Kind, Uuid), Arc<Row>>;

/// A row with its parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    pub(super) slot: u8,
    pub(super) audience: Audience,
    pub(super) closed: bool,
    /// False for a note or a bulletin that nobody has published, or that was withdrawn.
    pub(super) published: bool,
    pub(super) expired: bool,
    pub(super) text: u16,
    /// The unit's organization, the mission's.
    pub(super) organization: Option<Uuid>,
    /// A unit's parent; the unit of a function, a person or a rate; the bulletin of an opening.
    pub(super) one: Option<Uuid>,
    /// The functions of a person or a service; the bulletins that a bulletin refers to.
    pub(super) many: BTreeSet<Uuid>,
}

/// What a statement does to a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// It is there as it says, whatever was there.
    Is(Row),
    Text(u16),
    Audience(Audience),
    Closed(bool),
    Published(bool),
    Expired(bool),
    One(Option<Uuid>),
    Link(Uuid),
    Unlink(Uuid),
    Deleted,
}

/// An effect, and on which row.
pub(super) type Change = ((Kind, Uuid), Effect);

/// Applies what a transaction did.
pub(super) fn apply(state: &mut State, changes: &[Change]) {
    for (key, effect) in changes {
        if *effect == Effect::Deleted {
            state.remove(key);
            // The parts that name it go with it.
            for row in state.values_mut().filter(|row| row.many.contains(&key.1)) {
                Arc::make_mut(row).many.remove(&key.1);
            }
            continue;
        }
        if let Effect::Is(row) = effect {
            state.insert(*key, Arc::new(row.clone()));
            continue;
        }
        let Some(row) = state.get_mut(key).map(Arc::make_mut) else { continue };
        match effect {
            Effect::Text(text) => row.text = *text,
            Effect::Audience(audience) => row.audience = audience.clone(),
            Effect::Closed(closed) => row.closed = *closed,
            Effect::Published(published) => row.published = *published,
            Effect::Expired(expired) => row.expired = *expired,
            Effect::One(one) => row.one = *one,
            Effect::Link(other) => drop(row.many.insert(*other)),
            Effect::Unlink(other) => drop(row.many.remove(other)),
            Effect::Is(_) | Effect::Deleted => {}
        }
    }
}

/// Who may see it; nobody while it is closed or not published.
pub(super) fn visible_to(row: &Row) -> Option<&Audience> {
    (!row.closed && row.published).then_some(&row.audience)
}

fn sees(row: &Row, reader: Reader) -> bool {
    visible_to(row).is_some_and(|audience| audience.admits(reader))
}

/// The text of a number, as every language has it.
pub(super) fn text(number: u16) -> BTreeMap<&'static str, String> {
    let mut texts = BTreeMap::from([("en", format!("Text {number}"))]);
    if number.is_multiple_of(2) {
        texts.insert("fr", format!("Texte {number}"));
    }
    texts
}

fn text_in(number: u16, language: Language) -> String {
    let texts = text(number);
    texts.get(language.tag()).unwrap_or(&texts["en"]).clone()
}

fn word(audience: &Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Delegates => "delegates",
        Audience::Secretariat => "secretariat",
        Audience::Missions(_) => "missions",
    }
}

/// The ids of those of `kind` in `ids` that pass, in order.
fn known(state: &State, kind: Kind, ids: &BTreeSet<Uuid>, pass: impl Fn(&Row) -> bool) -> Vec<Uuid> {
    ids.iter().filter(|id| state.get(&(kind, **id)).is_some_and(|row| pass(row))).copied().collect()
}

/// What `reader` is to see of a row, if anything.
pub(super) fn expected(state: &State, row: &Row, reader: Reader, language: Language) -> Option<Value> {
    if !sees(row, reader) {
        return None;
    }
    // A person's name is the same in every language.
    let language = if row.kind == Kind::Person { Language::En } else { language };
    let mut body = json!({"audience": word(&row.audience), "text": text_in(row.text, language)});
    let other = |kind: Kind| row.one.and_then(|id| state.get(&(kind, id)));
    match row.kind {
        Kind::Organization | Kind::Mission => {}
        Kind::InfNote => body["languages"] = json!(text(row.text).keys().collect::<Vec<_>>()),
        Kind::Unit => {
            body["organization"] = json!(row.organization);
            body["parent"] = json!(row.one);
        }
        Kind::Function => {
            body["unit"] = json!(row.one);
            let holders = state.values().filter(|p| p.kind == Kind::Person && p.many.contains(&row.id));
            let holders: BTreeSet<Uuid> = holders.filter(|p| sees(p, reader)).map(|p| p.id).collect();
            body["holders"] = json!(holders);
        }
        Kind::Person => {
            body["unit"] = json!(row.one);
            body["functions"] = json!(known(state, Kind::Function, &row.many, |f| visible_to(f).is_some()));
        }
        Kind::Service => {
            body["functions"] = json!(known(state, Kind::Function, &row.many, |f| visible_to(f).is_some()));
        }
        Kind::RateCard => {
            let named = other(Kind::Unit).filter(|u| visible_to(u).is_some_and(|a| a.covers(&row.audience)));
            body["office"] = json!(named.map(|u| u.id));
        }
        Kind::Bulletin => {
            let references = known(state, Kind::Bulletin, &row.many, |b| sees(b, reader));
            let followers = state.values().filter(|b| b.kind == Kind::Bulletin && b.many.contains(&row.id));
            let followers: Vec<&Arc<Row>> = followers.filter(|b| sees(b, reader)).collect();
            body["references"] = json!(references);
            body["followed_by"] = json!(followers.iter().map(|b| b.id).collect::<BTreeSet<_>>());
            body["standing"] = json!(match () {
                () if followers.iter().any(|b| message_type(b.slot) == "cancel") => "cancelled",
                () if followers.iter().any(|b| message_type(b.slot) == "update") => "updated",
                () if row.expired => "expired",
                () => "in_force",
            });
        }
        Kind::Place => {
            let says = match (row.one, other(Kind::Bulletin)) {
                (None, _) => json!([null]),
                (_, Some(basis)) if sees(basis, reader) => json!([basis.id]),
                _ => json!([]),
            };
            body["openings"] = says;
        }
    }
    Some(body)
}

/// What a bulletin is that refers to others.
pub(super) fn message_type(slot: u8) -> &'static str {
    ["update", "update", "cancel"][usize::from(slot) % 3]
}

/// The same of a body that the server gave.
pub(super) fn seen(kind: Kind, body: &Value) -> Value {
    let field = match kind {
        Kind::Organization | Kind::Unit | Kind::Service | Kind::Place => "name",
        Kind::Function | Kind::RateCard | Kind::InfNote => "title",
        Kind::Person => "family_name",
        Kind::Mission => "short_name",
        Kind::Bulletin => "headline",
    };
    let mut seen = json!({"audience": body["audience"], "text": body[field]});
    let ids = |list: &Value, field: &str| {
        let id = |entry: &Value| match field {
            "" => entry.as_str().map(str::to_owned),
            field => entry[field].as_str().map(str::to_owned),
        };
        json!(list.as_array().into_iter().flatten().map(id).collect::<BTreeSet<_>>())
    };
    match kind {
        Kind::Organization | Kind::Mission => {}
        Kind::InfNote => seen["languages"] = ids(&body["languages"], "language"),
        Kind::Unit => {
            seen["organization"] = body["organization"].clone();
            seen["parent"] = body["parent"].clone();
        }
        Kind::Function => {
            seen["unit"] = body["unit"].clone();
            seen["holders"] = ids(&body["holders"], "");
        }
        Kind::Person => {
            seen["unit"] = body["unit"].clone();
            seen["functions"] = ids(&body["functions"], "function");
        }
        Kind::Service => seen["functions"] = ids(&body["contact_points"], "function"),
        Kind::RateCard => seen["office"] = body["rates"][0]["office"]["unit"].clone(),
        Kind::Bulletin => {
            seen["references"] = ids(&body["references"], "");
            seen["followed_by"] = ids(&body["followed_by"], "");
            seen["standing"] = body["standing"].clone();
        }
        Kind::Place => {
            let openings = body["openings"].as_array().into_iter().flatten();
            seen["openings"] = json!(openings.map(|opening| opening["bulletin"].clone()).collect::<Vec<_>>());
        }
    }
    seen
}
