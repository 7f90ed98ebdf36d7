//! What each operation can answer beside its 200: the errors, with what to do about each, and the headers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, SchemaType};
use utoipa::openapi::{Content, ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

use super::document::Access;
use crate::problem::{ApiError, Code, MEDIA_TYPE, Problem};
use domain::Language;

/// The request that the examples of errors are of.
const REQUEST_ID: uuid::Uuid = uuid::Uuid::from_u128(0x01a2_0020_adbf_7250_9b27_7948_1057_099f);

/// The codes whose answer is the same everywhere, and what a client does about them.
const SHARED: &[(Code, &str)] = &[
    (Code::MalformedRequest, "The query or the body cannot be read. Mend the request; the same again fails again."),
    (
        Code::InvalidToken,
        "No access token, or one that is not good (any more). Get a new one from `/oauth/token` and try again, \
         once; if that fails, too, the client has been closed.",
    ),
    (
        Code::Forbidden,
        "The token is good, but not for this. `WWW-Authenticate` names the scope that is needed. Do not try again.",
    ),
    (Code::NotFound, "It is not there, or not for you: the two look the same. Drop it from your copy."),
    (
        Code::PreconditionFailed,
        "It has changed since you read it. `ETag` is its tag now: read it again, and make the edit anew.",
    ),
    (Code::PreconditionRequired, "The edit does not say of which version it is. Send the `ETag` as `If-Match`."),
    (Code::NotAcceptable, "You accept no form that can be sent. Accept `gzip`, `br`, `zstd` or no coding at all."),
    (Code::Timeout, "The body took too long to arrive. Send it again."),
    (Code::TooLarge, "The body is larger than is taken here. `detail` names the limit."),
    (
        Code::UnsupportedMediaType,
        "The body's media type is not taken here, or the body has a content coding. `detail` names what is taken.",
    ),
    (
        Code::ValidationFailed,
        "Some fields or parameters break a rule; `errors` names each. Show `detail` beside the field, or mend the \
         program.",
    ),
    (Code::TooManyRequests, "Too many requests. Wait `Retry-After` seconds, then go on more slowly."),
    (Code::Internal, "A fault of the server's. Nothing was changed. Report the `request_id`; try again later, once."),
    (
        Code::Unavailable,
        "Not at the moment: the database is away, the process is starting or stopping, or the revision asked for \
         has not arrived yet. Wait `Retry-After` seconds and try again; show your copy meanwhile.",
    ),
];

/// Adds to an operation the answers that any such operation has.
pub(super) fn complete(operation: &mut Operation, access: &Access) {
    let has_query = has_parameter_in(operation, &ParameterIn::Query);
    let has_path = has_parameter_in(operation, &ParameterIn::Path);
    let has_body = operation.request_body.is_some();
    let is_edit = operation.parameters.iter().flatten().any(|p| matches!(p, RefOr::T(p) if p.name == "If-Match"));
    let has_token = access.scope.is_some();
    let applies = |code: Code| match code {
        Code::MalformedRequest => has_query || has_body,
        Code::InvalidToken => has_token,
        Code::Forbidden => has_token && !access.is_public,
        Code::NotFound => has_path,
        Code::PreconditionFailed | Code::PreconditionRequired => is_edit,
        Code::Timeout | Code::TooLarge | Code::UnsupportedMediaType => has_body,
        // the token endpoint tells faults in a form of its own
        Code::ValidationFailed => has_query || (has_body && has_token),
        // an operator's probes are never held up
        Code::TooManyRequests => has_token || has_body,
        _ => true,
    };
    let responses = &mut operation.responses.responses;
    for (code, _) in SHARED.iter().filter(|(code, _)| applies(*code)) {
        let status = code.status().as_u16().to_string();
        responses.entry(status).or_insert_with(|| RefOr::Ref(Ref::from_response_name(name(*code))));
    }
    let conditional = responses.get("200").is_some_and(|ok| matches!(ok, RefOr::T(ok) if is_readers(ok)));
    if conditional {
        responses.insert("304".to_owned(), RefOr::Ref(Ref::from_response_name("NotModified")));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            finish(response, status);
        }
    }
}

/// The description of an editor's tag, which is a row's version and no reader's.
const FOR_IF_MATCH: &str = "For If-Match";

/// The component that says of that tag what [`headers`] say of a reader's.
const VERSION: &str = "ETag-for-edits";

/// Whether an answer has the tag of a reader's view, which is good for 304.
pub(super) fn is_readers(response: &Response) -> bool {
    response.headers.contains_key("ETag") && !is_editors(response)
}

fn is_editors(response: &Response) -> bool {
    let tag = response.headers.get("ETag");
    matches!(tag, Some(RefOr::T(tag)) if tag.description.as_deref() == Some(FOR_IF_MATCH))
}

/// Gives a response the headers that all have, and its problem documents an example.
fn finish(response: &mut Response, status: &str) {
    let is_editors = is_editors(response);
    if is_readers(response) || response.content.contains_key(MEDIA_TYPE) {
        response.headers.insert("Content-Language".to_owned(), Header::default().into());
    }
    response.headers.insert("X-Request-Id".to_owned(), Header::default().into());
    let known = headers();
    let told: Vec<String> = response.headers.keys().filter(|name| known.contains_key(*name)).cloned().collect();
    refer(response, told.iter().map(String::as_str));
    if is_editors {
        response.headers.insert("ETag".to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{VERSION}"))));
    }
    let code = Code::ALL.iter().find(|code| code.status().as_str() == status);
    if let (Some(code), Some(RefOr::T(content))) = (code, response.content.get_mut(MEDIA_TYPE))
        && content.example.is_none()
    {
        content.example = example(*code);
    }
}

/// Puts the shared headers of these names into a response.
fn refer<'a>(response: &mut Response, headers: impl IntoIterator<Item = &'a str>) {
    for header in headers {
        let reference = Ref::new(format!("#/components/headers/{header}"));
        response.headers.insert(header.to_owned(), RefOr::Ref(reference));
    }
}

/// An error as it comes back, with what is particular to its code.
fn example(code: Code) -> Option<Value> {
    let mut document = serde_json::to_value(ApiError::new(code).document(REQUEST_ID, Language::En)).ok()?;
    let particular = match code {
        Code::Forbidden => json!({"detail": "The scope directory:import is needed"}),
        Code::TooManyClosed => json!({
            "detail": "The file would close 90 of 816 entries of this source, more than 10 %; force=true allows it"
        }),
        Code::SyncGone => json!({"detail": "A new copy begins without a token", "reason": "expired"}),
        Code::TooLarge => json!({"detail": "This body has at most 65536 bytes"}),
        Code::UnsupportedMediaType => {
            json!({"detail": "The body is expected as application/json, without a content coding"})
        }
        Code::ValidationFailed => json!({
            "errors": [{"parameter": "limit", "rule": "range", "detail": "must be a whole number from 1 to 200"}]
        }),
        _ => json!({}),
    };
    document.as_object_mut()?.extend(particular.as_object()?.clone());
    Some(document)
}

/// The name of a code among the shared answers: `NotFound` for `not_found`.
fn name(code: Code) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    code.name().split('_').map(capitalized).collect()
}

/// The answers that are the same everywhere.
pub(super) fn components() -> BTreeMap<String, RefOr<Response>> {
    let mut all = BTreeMap::new();
    for (code, description) in SHARED {
        let schema = Ref::from_schema_name(Problem::name());
        let content: Content = ContentBuilder::new().schema(Some(schema)).example(example(*code)).build();
        let mut response = ResponseBuilder::new().description(*description).content(MEDIA_TYPE, content).build();
        let particular = match code {
            Code::InvalidToken | Code::Forbidden => Some("WWW-Authenticate"),
            Code::TooManyRequests | Code::Unavailable => Some("Retry-After"),
            _ => None,
        };
        if *code == Code::PreconditionFailed {
            response.headers.insert("ETag".to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{VERSION}"))));
        }
        refer(&mut response, particular.into_iter().chain(["Content-Language", "X-Request-Id"]));
        all.insert(name(*code), RefOr::T(response));
    }
    let mut unchanged = ResponseBuilder::new()
        .description(
            "What you have is still good: it has the tag that you sent as `If-None-Match`. Go on using it. No body.",
        )
        .build();
    refer(&mut unchanged, ["ETag", "Content-Language", "X-Request-Id"]);
    all.insert("NotModified".to_owned(), RefOr::T(unchanged));
    all
}

/// The headers of answers, each told once.
pub(super) fn headers() -> BTreeMap<String, RefOr<Header>> {
    let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    let seconds = || {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
    };
    let id = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    let languages = || text().enum_values(Some(domain::Language::ALL.map(|language| language.tag())));
    let all = [
        (
            "ETag",
            text().pattern(Some("^\"[0-9a-f]{16}\\.([a-z]{2}|mul)\\.[0-9a-z]+(\\+[a-z]+)?\"$")),
            "Names this answer: content, language, audience and coding. Keep it with the answer and send it as \
             `If-None-Match` next time. Opaque; the same in every process and after a restart.",
            json!("\"2e2ce48124dda60f.fr.c74a942ceb43+br\""),
        ),
        ("Content-Language", languages(), "The language that was chosen for this answer.", json!("fr")),
        (
            "Link",
            text(),
            "The next page, as `</v1/…?cursor=…>; rel=\"next\"` (RFC 8288), relative to the request's address. \
             Follow it as it is. Absent on the last page. On a 410, where to start again: `rel=\"start\"`.",
            json!("</v1/directory/units?limit=50&cursor=WyJ2>; rel=\"next\""),
        ),
        (
            VERSION,
            text().pattern(Some("^\"v[0-9]+(\\+[a-z]+)?\"$")),
            "The version of what you edit from. Send it as `If-Match` with the edit: 412 when somebody else was first.",
            json!("\"v3\""),
        ),
        (
            "Location",
            text(),
            "Where the new thing, or the run, is.",
            json!("/v1/accounts/0193a5f0-7c1e-7a54-9a55-0d5c3f6f2b11"),
        ),
        (
            "Sync-Rev",
            text(),
            "The revision of each stream that was written, or that a copy now has. Send it as `min_rev` to any \
             read that must show it. Absent where readers see no change.",
            json!("directory=12"),
        ),
        (
            "Retry-After",
            seconds(),
            "After so many seconds it is worth trying again. Add a random second, so that not all come at once.",
            json!(2),
        ),
        (
            "WWW-Authenticate",
            text(),
            "What is needed (RFC 6750): `error=\"invalid_token\"`, or `insufficient_scope` with the scope; `Basic` \
             at the token endpoint.",
            json!("Bearer realm=\"focalpoint\""),
        ),
        (
            "X-Request-Id",
            id(),
            "Names this request in the server's log. Quote it when you report a fault.",
            json!(REQUEST_ID),
        ),
    ];
    all.into_iter()
        .map(|(name, schema, description, example)| {
            let header =
                HeaderBuilder::new().schema(Some(schema)).description(Some(description)).example(Some(example)).build();
            (name.to_owned(), RefOr::T(header))
        })
        .collect()
}

fn has_parameter_in(operation: &Operation, place: &ParameterIn) -> bool {
    operation.parameters.iter().flatten().any(|p| matches!(p, RefOr::T(p) if p.parameter_in == *place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_answer_is_named_as_its_code() {
        assert_eq!(name(Code::UnsupportedMediaType), "UnsupportedMediaType");
        assert_eq!(components().len(), SHARED.len() + 1);
    }

    #[test]
    fn every_status_has_one_shared_answer() {
        let statuses: std::collections::BTreeSet<_> = SHARED.iter().map(|(code, _)| code.status()).collect();
        assert_eq!(statuses.len(), SHARED.len());
    }

    #[test]
    fn the_example_of_a_field_that_breaks_a_rule_names_it() {
        let document = example(Code::ValidationFailed).unwrap();
        assert_eq!(document["errors"][0]["parameter"], "limit");
    }
}
