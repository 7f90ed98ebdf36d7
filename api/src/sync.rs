//! A phone's copy: everything at first, then what changed.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::wait_for_revisions;
use crate::frame::VARY;
use crate::identity::{Allowed, Read};
use crate::objects::Object;
use crate::params::{Lang, Params};
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use crate::state::State;
use domain::{Kind, Language, Position, Reader, Step, Stream};
use edition::{Edition, Gone, History, Touched};
use persistence::mutant::{self, Mutant};

/// Changes when the bodies in a copy take a shape that older clients cannot read.
const SCHEMA: u8 = 1;

/// How long `min_rev` waits here.
const REVISION_WAIT: std::time::Duration = std::time::Duration::from_secs(25);

/// What to put into the copy, what to take out of it, and the token for next time.
#[derive(Serialize, ToSchema)]
pub struct SyncBody {
    /// Objects that are new or have changed, each once, as they are now.
    pub put: Vec<PutBody>,
    /// Objects to forget: deleted, closed, withdrawn, or no longer for this audience.
    pub remove: Vec<RemoveBody>,
    /// Whether the copy is whole once this page is applied. Commit the copy and the token only then.
    pub complete: bool,
    /// Send it next time as `?token=`. Opaque; bound to audience and language.
    #[schema(example = "AQEB…")]
    pub token: String,
}

/// An object to put into the copy.
#[derive(Serialize, ToSchema)]
pub struct PutBody {
    /// Its stream.
    #[schema(value_type = String, example = "directory")]
    pub stream: Stream,
    /// Its kind.
    #[schema(value_type = String, example = "unit")]
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
    /// The object, as its own address shows it; of an INF note without its chain, which follows from the
    /// symbols of the others.
    pub object: Object,
}

/// An object to take out of the copy.
#[derive(Serialize, ToSchema)]
pub struct RemoveBody {
    /// Its kind.
    #[schema(value_type = String, example = "unit")]
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
}

/// Synchronise a copy
///
/// Keeps a phone's copy of everything, so that the app also works without a network. Call it when the app
/// starts, when it comes back to the foreground, and every few minutes while it is looked at.
///
/// Without `token`: everything that is published for you, in one language, and a token. With it: what
/// changed since, which is mostly nothing. Put every object of `put` in place of the one you have, forget
/// every id in `remove`, then keep `token`, in one transaction of your own and only when `complete` is
/// true; a reply that got lost can be asked for again. `Sync-Rev` tells which revisions the copy now has.
///
/// 410 means that the copy cannot be continued: throw it away and start without a token. `reason` says
/// why: `expired` (away for more than 30 days), `rewound` (the server was restored from a backup),
/// `audience-changed` (other rights, or another language than the token's), `schema` (new shapes).
/// On any other error keep the copy and the token, and try again later.
/// `min_rev=notes=41` waits up to 25 seconds until that revision is there.
#[utoipa::path(
    tag = "sync",
    operation_id = "synchronise",
    params(
        ("token" = Option<String>, Query, description = "The token of the last reply"),
        ("lang" = Option<String>, Query, description = "`ar`, `en`, `es`, `fr`, `ru` or `zh`; else by Accept-Language", example = "fr"),
        ("min_rev" = Option<String>, Query, description = "Wait for revisions, as `Sync-Rev` tells them", example = "notes=0"),
    ),
    responses(
        (status = 200, description = "What to change in the copy", body = SyncBody,
            headers(("Sync-Rev" = String, description = "The revision of each stream that the copy now has: `bulletins=3, costs=1, directory=12, notes=7`"))),
        (status = 410, description = "The copy cannot be continued: start again without a token", body = crate::problem::Problem<'static>, content_type = "application/problem+json"),
    ),
    security(("oauth2" = ["read"]))
)]
#[get("/v1/sync")]
pub async fn synchronise(
    req: HttpRequest,
    allowed: Allowed<Read>,
    lang: Lang,
    mut params: Params,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let reader = allowed.reader();
    let token = params.get("token", |text| Ok(text.to_owned()));
    params.finish()?;
    wait_for_revisions(&state, req.query_string(), REVISION_WAIT).await?;
    if state.store.is_rebuilding() {
        return Err(ApiError::new(Code::Rebuilding).retry_after(1));
    }
    if !state.store.is_ready() {
        return Err(ApiError::new(Code::Unavailable));
    }
    let edition = state.store.edition();
    let body = match token {
        None => first(&edition, reader, lang.0),
        Some(token) => delta(&edition, reader, lang.0, &token)?,
    };
    let revisions = Stream::PUBLISHED.map(|s| format!("{s}={}", edition.position(s).map_or(0, |p| p.rev)));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LANGUAGE, lang.0.tag()))
        .insert_header((header::VARY, VARY))
        .insert_header(("Sync-Rev", revisions.join(", ")))
        .json(body))
}

fn first(edition: &Edition, reader: Reader, language: Language) -> SyncBody {
    let put = Object::all(edition, reader).filter_map(|(kind, id)| put(edition, kind, id, reader, language)).collect();
    SyncBody { put, remove: Vec::new(), complete: true, token: Token::now(edition, reader, language).encode() }
}

fn put(edition: &Edition, kind: Kind, id: Uuid, reader: Reader, language: Language) -> Option<PutBody> {
    let object = Object::find(edition, kind, id, Rendering::new(reader, language))?;
    Some(PutBody { stream: kind.stream(), kind, id, object })
}

fn delta(edition: &Edition, reader: Reader, language: Language, token: &str) -> Result<SyncBody, ApiError> {
    let token = Token::decode(token).ok_or_else(|| ApiError::new(Code::InvalidSyncToken))?;
    let gone =
        |reason| ApiError::new(Code::SyncGone).reason(reason).detail(message!("A new copy begins without a token"));
    if token.schema != SCHEMA {
        return Err(gone("schema"));
    }
    let now = Token::now(edition, reader, language);
    if (token.audience, token.language) != (now.audience, now.language) {
        return Err(gone("audience-changed"));
    }
    let mut body = SyncBody { put: Vec::new(), remove: Vec::new(), complete: true, token: now.encode() };
    for (stream, position) in Stream::PUBLISHED.into_iter().zip(token.positions) {
        let history = edition.history(stream).ok_or_else(|| ApiError::new(Code::Unavailable))?;
        // Errors made on purpose, of which a release knows none.
        let same_rev = |step: &&Step| mutant::is(Mutant::MissingNonceCheck) && step.position.rev == position.rev;
        let position = history.steps().iter().find(same_rev).map_or(position, |step| step.position);
        let steps = history.since(position).map_err(|cause| match cause {
            Gone::Expired => gone("expired"),
            Gone::Rewound => gone("rewound"),
        })?;
        for touched in History::touched(steps, reader) {
            match put(edition, touched.kind, touched.id, reader, language) {
                Some(put) => body.put.push(put),
                None if touched.was_visible
                    && !(mutant::is(Mutant::LatestStepOnly) && was_last_hidden(steps, touched, reader)) =>
                {
                    body.remove.push(RemoveBody { kind: touched.kind, id: touched.id })
                }
                None => {}
            }
        }
    }
    Ok(body)
}

/// Whether the last step alone would not tell that the reader could see this.
fn was_last_hidden(steps: &[Step], touched: Touched, reader: Reader) -> bool {
    let mut changes = steps.iter().rev().flat_map(|step| &step.changes);
    let last = changes.find(|change| (change.kind, change.id) == (touched.kind, touched.id));
    last.is_some_and(|change| ![&change.before, &change.after].into_iter().flatten().any(|a| a.admits(reader)))
}

/// Where a copy stands. Nonces cannot be guessed and the audience is the caller's own, so that
/// nothing is gained by making one up and no signature is needed.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    schema: u8,
    audience: u64,
    language: u8,
    positions: [Position; 4],
}

const TOKEN_VERSION: u8 = 1;
const TOKEN_BYTES: usize = 1 + 1 + 8 + 1 + 4 * 24;

impl Token {
    fn now(edition: &Edition, reader: Reader, language: Language) -> Self {
        let none = Position { rev: 0, nonce: Uuid::nil() };
        Self {
            schema: SCHEMA,
            audience: fingerprint(reader),
            language: language as u8,
            positions: Stream::PUBLISHED.map(|stream| edition.position(stream).unwrap_or(none)),
        }
    }

    fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend([TOKEN_VERSION, self.schema]);
        bytes.extend(self.audience.to_be_bytes());
        bytes.push(self.language);
        for position in self.positions {
            bytes.extend(position.rev.to_be_bytes());
            bytes.extend(position.nonce.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (head, rest) = bytes.split_at(11);
        let (&[TOKEN_VERSION, schema, ref audience @ .., language], rest) = (head, rest) else { return None };
        let mut positions = [Position { rev: 0, nonce: Uuid::nil() }; 4];
        for (position, bytes) in positions.iter_mut().zip(rest.chunks_exact(24)) {
            let (rev, nonce) = bytes.split_at(8);
            let rev = i64::from_be_bytes(rev.try_into().ok()?);
            *position = Position { rev: (rev >= 0).then_some(rev)?, nonce: Uuid::from_slice(nonce).ok()? };
        }
        Some(Self { schema, audience: u64::from_be_bytes(audience.try_into().ok()?), language, positions })
    }
}

fn fingerprint(reader: Reader) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    reader.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_junk_is_none() {
        let position = |n| Position { rev: n, nonce: Uuid::from_u128(u128::try_from(n).unwrap()) };
        let token = Token { schema: 1, audience: 9, language: 3, positions: [1, 2, 3, 4].map(position) };
        assert_eq!(Token::decode(&token.encode()), Some(token));
        for junk in ["", "A", "AQEB", &"A".repeat(144), &"A".repeat(1000), "ä"] {
            assert_eq!(Token::decode(junk), None, "{junk}");
        }
    }

    #[test]
    fn audiences_have_different_fingerprints() {
        use domain::MissionId;
        let mission = |n| Reader::Mission(MissionId(Uuid::from_u128(n)));
        let all = [Reader::Stranger, Reader::Secretariat, mission(1), mission(2)].map(fingerprint);
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    }
}
