//! What the handlers leave unsaid of parameters and of fields of requests: closed lists, formats, lengths.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayItems, KnownFormat, SchemaFormat, SchemaType};
use utoipa::openapi::{Object, ObjectBuilder, Ref, RefOr, Required, Schema, Type};

use super::responses;
use crate::clients::bodies::ClientKind;
use domain::audit::{ActorKind, ObjectKind, Op};
use domain::bulletins::{self, Certainty, MessageType, Severity, Urgency};
use domain::directory::{StateStatus, UnitKind};
use domain::entrances::{OpeningState, Outside, Pass, PlaceKind, Screening, Weekday};
use domain::event_costs::{self, Effect, EventKind, OfficeKind, Organizer};
use domain::inf_notes::Distribution;
use domain::{Confidence, Language, Role, Scope, TelephoneKind};

const DUTY_STATION: &str = "^[A-Z]{2,5}$";
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const KINDS: &str =
    "^(organization|unit|function|mission|person|service)(,(organization|unit|function|mission|person|service))*$";
const BASE64URL: &str = "^[A-Za-z0-9_-]+$";
const STREAMS: &str = "^(bulletins|costs|directory|notes)(,(bulletins|costs|directory|notes))*$";
const REVISIONS: &str =
    "^(bulletins|costs|directory|notes)=[0-9]{1,18}(, ?(bulletins|costs|directory|notes)=[0-9]{1,18})*$";

/// The words of [`AppliesWhen`](domain::event_costs::AppliesWhen), some of which carry more than a word.
const APPLIES_WHEN: [&str; 5] = ["always", "on_request", "regular_hours", "outside_regular_hours", "cancelled_within"];

/// A header that many operations take, declared once.
const IF_NONE_MATCH: &str = "If-None-Match";
const ACCEPT_LANGUAGE: &str = "Accept-Language";

macro_rules! words {
    ($of:ty) => {
        <$of>::ALL.iter().map(|value| Value::from(value.code())).collect::<Vec<_>>()
    };
}

fn texts(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| (*word).into()).collect()
}

/// What a value in JSON is called, for lists whose enum knows only its JSON.
fn serialized<T: serde::Serialize>(values: &[T]) -> Vec<Value> {
    values.iter().filter_map(|value| serde_json::to_value(value).ok()).collect()
}

/// The roles that people may have.
fn roles() -> Vec<Value> {
    Role::ALL.into_iter().filter(|role| !role.is_of_a_service()).map(|role| role.name().into()).collect()
}

fn languages() -> Vec<Value> {
    texts(&Language::ALL.map(Language::tag))
}

/// Parameters mean the same wherever they have the same name, apart from `kind`.
pub(super) fn complete(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let name = parameter.name.clone();
        if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema {
            close(schema, &id, &name);
        }
    }
    let is_conditional = operation.responses.responses.get("200").is_some_and(|ok| match ok {
        RefOr::T(ok) => responses::is_readers(ok),
        RefOr::Ref(_) => false,
    });
    let has_languages = operation.parameters.iter().flatten().any(|p| matches!(p, RefOr::T(p) if p.name == "lang"));
    for (name, applies) in [(ACCEPT_LANGUAGE, has_languages), (IF_NONE_MATCH, is_conditional)] {
        if applies {
            let reference = Ref::new(format!("#/components/parameters/{name}"));
            operation.parameters.get_or_insert_default().push(RefOr::Ref(reference));
        }
    }
}

fn close(schema: &mut Object, operation: &str, parameter: &str) {
    let text = |min, max| (Some(min), Some(max));
    let (min, max) = match parameter {
        "q" => text(1, 200),
        "symbol" => text(1, 100),
        _ => (None, None),
    };
    (schema.min_length, schema.max_length) = (min.or(schema.min_length), max.or(schema.max_length));
    let pattern = match parameter {
        "duty_station" => Some(DUTY_STATION),
        "state" => Some("^[A-Z]{3}$"),
        "source" => Some("^[a-z0-9-]{1,40}$"),
        "min_rev" => Some(REVISIONS),
        "streams" => Some(STREAMS),
        "cursor" | "token" => Some(BASE64URL),
        "kind" if operation == "export_directory" => Some(KINDS),
        _ => None,
    };
    schema.pattern = pattern.map(str::to_owned).or(schema.pattern.take());
    let format = match parameter {
        "organization" | "unit" | "mission" | "parent" | "function" => Some(KnownFormat::Uuid),
        "object" | "subject" | "person" | "client" | "request" => Some(KnownFormat::Uuid),
        // of notes, the number of a session of the General Assembly
        "session" if operation != "list_inf_notes" => Some(KnownFormat::Uuid),
        "at" | "since" | "until" => Some(KnownFormat::DateTime),
        "on" => Some(KnownFormat::Date),
        _ => None,
    };
    schema.format = format.map(SchemaFormat::KnownFormat).or(schema.format.take());
    let words = match (operation, parameter) {
        (_, "lang") => Some(languages()),
        (_, "mode") => Some(texts(&["merge", "replace"])),
        (_, "format") => Some(texts(&["ndjson", "csv"])),
        (_, "keys") => Some(texts(&["ids", "source"])),
        (_, "shape") => Some(texts(&["rows", "columns"])),
        (_, "severity") => Some(words!(Severity)),
        (_, "pass") => Some(words!(Pass)),
        ("search_directory", "kind") => Some(texts(&crate::directory::search::KINDS.map(domain::Kind::name))),
        (_, "op") => Some(words!(Op)),
        (_, "actor") => Some(words!(ActorKind)),
        ("list_audit_entries" | "export_audit", "kind") => Some(words!(ObjectKind)),
        ("list_entrances", "kind") => Some(words!(PlaceKind)),
        ("list_clients", "kind") => Some(texts(&ClientKind::ALL.map(ClientKind::name))),
        ("list_members", "role") => Some(texts(&["delegate", "mission_admin"])),
        (_, "role") => Some(roles()),
        _ => None,
    };
    schema.enum_values = words.or(schema.enum_values.take());
}

/// The headers that many operations take.
pub(super) fn components() -> BTreeMap<String, RefOr<Parameter>> {
    let header = |name: &str, description: &str, example: &str| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(SchemaType::new(Type::String))))
            .example(Some(example.into()))
            .build();
        (name.to_owned(), RefOr::T(parameter))
    };
    [
        header(
            IF_NONE_MATCH,
            "The `ETag` of the answer you have, exactly as it came. 304 when it is still good.",
            "\"2e2ce48124dda60f.fr.c74a942ceb43+br\"",
        ),
        header(
            ACCEPT_LANGUAGE,
            "The languages you read, the best first (RFC 9110 §12.5.4). `?lang=` goes before it.",
            "fr-CA, fr;q=0.9, en;q=0.5",
        ),
    ]
    .into()
}

/// Closes the lists in the bodies of requests. Those in answers stay open: they may gain words.
pub(super) fn close_words(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let lists = [
        ("OrganizationRow", "kind", texts(&["organization"])),
        ("UnitRow", "kind", texts(&["unit"])),
        ("FunctionRow", "kind", texts(&["function"])),
        ("PersonRow", "kind", texts(&["person"])),
        ("MissionRow", "kind", texts(&["mission"])),
        ("ServiceRow", "kind", texts(&["service"])),
        ("BulletinRow", "kind", texts(&["bulletin"])),
        ("PlaceRow", "kind", texts(&["place"])),
        ("RateCardRow", "kind", texts(&["rate_card"])),
        ("UnitRow", "unit_kind", words!(UnitKind)),
        ("StateRow", "status", words!(StateStatus)),
        ("TelephoneRow", "kind", serialized(&TelephoneKind::ALL)),
        ("ProvenanceRow", "confidence", words!(Confidence)),
        ("BulletinRow", "message_type", words!(MessageType)),
        ("BulletinRow", "category", words!(bulletins::Category)),
        ("BulletinRow", "severity", words!(Severity)),
        ("BulletinRow", "urgency", words!(Urgency)),
        ("BulletinRow", "certainty", words!(Certainty)),
        ("PlaceRow", "place_kind", words!(PlaceKind)),
        ("OpeningRow", "state", words!(OpeningState)),
        ("OpeningRow", "passes", words!(Pass)),
        ("OpeningRow", "directed_elsewhere", words!(Pass)),
        ("OpeningRow", "screening", words!(Screening)),
        ("HoursRow", "weekdays", words!(Weekday)),
        ("HoursRow", "outside", words!(Outside)),
        ("RateRow", "applies_when", texts(&APPLIES_WHEN)),
        ("RateRow", "kinds", words!(EventKind)),
        ("RateRow", "organizers", words!(Organizer)),
        ("RuleRow", "applies_when", texts(&APPLIES_WHEN)),
        ("RuleRow", "kinds", words!(EventKind)),
        ("RuleRow", "organizers", words!(Organizer)),
        ("RuleRow", "categories", words!(event_costs::Category)),
        ("ChargeRow", "of", words!(event_costs::Base)),
        ("NoteTextRow", "confidence", words!(Confidence)),
        ("AppearanceRow", "confidence", words!(Confidence)),
        ("InfNoteRow", "distribution", words!(Distribution)),
        ("InfNoteRow", "original_language", languages()),
        ("TokenRequest", "grant_type", texts(&["client_credentials"])),
        ("PlanBody", "kind", words!(EventKind)),
        ("PlanBody", "organizer", words!(Organizer)),
        ("WishesBody", "interpretation", languages()),
        ("RateRow", "category", words!(event_costs::Category)),
        ("RateRow", "unit", words!(event_costs::Unit)),
        ("RuleRow", "effect", words!(Effect)),
        ("OfficeRow", "kind", words!(OfficeKind)),
        ("UpdateMyAccount", "language", languages()),
        ("InviteAccount", "language", languages()),
        ("InviteAccount", "roles", roles()),
        ("UpdateAccount", "language", languages()),
        ("UpdateAccount", "roles", roles()),
        ("InviteMember", "language", languages()),
        ("InviteMember", "roles", texts(&["delegate", "mission_admin"])),
        ("UpdateMember", "language", languages()),
        ("UpdateMember", "roles", texts(&["delegate", "mission_admin"])),
        ("CreateClient", "kind", texts(&ClientKind::ALL.map(ClientKind::name))),
        ("CreateClient", "role", texts(&["integrator", "importer"])),
        ("CreateClient", "scopes", texts(&Scope::ALL.map(Scope::name))),
        ("UpdateClient", "scopes", texts(&Scope::ALL.map(Scope::name))),
    ];
    for (schema, property, words) in lists {
        if let Some(property) = property_of(schemas, schema, property) {
            close_list(property, words);
        }
    }
    let patterns = [
        ("PlanBody", "duty_station", DUTY_STATION),
        ("SessionBody", "date", DATE),
        ("SessionBody", "start", TIME),
        ("SessionBody", "end", TIME),
    ];
    for (schema, property, pattern) in patterns {
        if let Some(Schema::Object(property)) = property_of(schemas, schema, property) {
            property.pattern = Some(pattern.to_owned());
        }
    }
}

fn property_of<'a>(
    schemas: &'a mut BTreeMap<String, RefOr<Schema>>,
    schema: &str,
    property: &str,
) -> Option<&'a mut Schema> {
    let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(schema) else { return None };
    match object.properties.get_mut(property) {
        Some(RefOr::T(schema)) => Some(schema),
        _ => None,
    }
}

fn close_list(schema: &mut Schema, mut words: Vec<Value>) {
    match schema {
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items
                && let RefOr::T(items) = items.as_mut()
            {
                close_list(items, words);
            }
        }
        Schema::Object(object) => {
            if matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null)) {
                words.push(Value::Null);
            }
            object.enum_values = Some(words);
        }
        _ => {}
    }
}
