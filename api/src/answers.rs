//! Reads of the edition: waiting for a revision, entity tags, 304, and what headers an answer has.

use std::cell::RefCell;
use std::future::{Future, Ready, ready};
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::Either;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

use crate::frame::VARY;
use crate::kept::{BodyOf, Page, PageOf};
use crate::lists::next_link;
use crate::params::Params;
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::{Broken, Language, Reader, Rule, Stream};
use edition::Edition;

/// How long a read waits for the revision its caller has been told of.
const REVISION_WAIT: Duration = Duration::from_secs(2);

/// The current edition. With `min_rev` (`notes=41`, as in `Sync-Rev`) it waits up to 2 seconds until
/// that revision is in it, so that callers read what they wrote. A handler takes [`Params`], too: these
/// tell of a faulty one.
pub struct Published(pub Arc<Edition>);

impl FromRequest for Published {
    type Error = ApiError;
    type Future = Either<Ready<Result<Self, ApiError>>, Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = req.app_data::<web::Data<State>>().expect("the app is built with its state");
        if !req.query_string().contains("min_rev=") {
            return Either::Left(ready(Self::now(state)));
        }
        let (state, query) = (state.clone(), req.query_string().to_owned());
        Either::Right(Box::pin(async move {
            wait_for_revisions(&state, &query, REVISION_WAIT).await?;
            Self::now(&state)
        }))
    }
}

impl Published {
    fn now(state: &State) -> Result<Self, ApiError> {
        match state.store.is_ready() {
            true => Ok(Self(Arc::clone(&state.store.edition()))),
            false => Err(ApiError::new(Code::Unavailable)),
        }
    }
}

/// Waits until the edition has the revisions that `min_rev` names. A faulty one is told by [`Params::finish`].
pub async fn wait_for_revisions(state: &State, query: &str, at_most: Duration) -> Result<(), ApiError> {
    let wanted = Params::parse(query)?.get("min_rev", parse_revisions).unwrap_or_default();
    let reached = |edition: &Edition| {
        wanted.iter().all(|(stream, rev)| edition.position(*stream).is_some_and(|position| position.rev >= *rev))
    };
    let waited = tokio::time::timeout(at_most, state.store.wait_until(|store| reached(&store.edition()))).await;
    match waited.is_ok() && reached(&state.store.edition()) {
        true => Ok(()),
        false => Err(ApiError::new(Code::RevisionNotReached).retry_after(1)),
    }
}

/// `notes=41,costs=3`
pub fn parse_revisions(text: &str) -> Result<Vec<(Stream, i64)>, Broken> {
    let parse = |part: &str| {
        let (stream, rev) = part.trim().split_once('=')?;
        let stream = Stream::from_name(stream).filter(|s| Stream::PUBLISHED.contains(s))?;
        Some((stream, rev.parse().ok()?))
    };
    let refused = || Broken::new(Rule::Format, message!("must be stream=revision, as in Sync-Rev: notes=41"));
    text.split(',').map(|part| parse(part).ok_or_else(refused)).collect()
}

/// The ends of tags that the frame adds for the content codings there are.
pub(crate) const CODINGS: [&str; 4] = ["+gzip\"", "+br\"", "+zstd\"", "+deflate\""];

/// The part of an entity tag that is the content's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub u64);

impl Tag {
    /// Of a list or search in a stream: it changes with the stream's revision, and differs by query.
    pub fn of_list(edition: &Edition, streams: &[Stream], req: &HttpRequest) -> Self {
        let mut hasher = Xxh3::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        for stream in streams {
            edition.position(*stream).hash(&mut hasher);
        }
        req.path().hash(&mut hasher);
        req.query_string().hash(&mut hasher);
        Self(hasher.finish())
    }

    /// This tag where the answer also depends on `more`.
    pub fn and(self, more: impl Hash) -> Self {
        let mut hasher = Xxh3::new();
        self.0.hash(&mut hasher);
        more.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// `"<content>.<language>.<audience>"`, without the coding that may be added.
    fn entity_tag(self, language: &str, reader: Reader) -> String {
        let mut tag = String::with_capacity(48);
        tag.push('"');
        push_hex(&mut tag, self.0, 16);
        tag.extend([".", language, "."]);
        match reader {
            Reader::Stranger => tag.push_str("public"),
            Reader::Secretariat => tag.push_str("secretariat"),
            // The random end of the id is enough to tell missions apart.
            Reader::Mission(id) => push_hex(&mut tag, id.0.as_u64_pair().1, 12),
        }
        tag.push('"');
        tag
    }
}

/// The lowest digits of a number.
fn push_hex(text: &mut String, number: u64, digits: u32) {
    for place in (0..digits).rev() {
        text.push(char::from(b"0123456789abcdef"[(number >> (4 * place)) as usize & 15]));
    }
}

/// A 200 with the body, or 304 without making it when the caller has the same.
pub fn answer<T: Serialize>(
    req: &HttpRequest,
    tag: Tag,
    language: Language,
    reader: Reader,
    body: impl FnOnce() -> T,
) -> HttpResponse {
    answer_with(req, tag, language, reader, || HttpResponse::Ok().json(body()))
}

/// [`answer`] with the body of one object, which is kept. It must depend on nothing but the object `of` is about.
pub fn answer_kept<T: Serialize>(
    req: &HttpRequest,
    of: &BodyOf,
    reader: Reader,
    body: impl FnOnce() -> T,
) -> HttpResponse {
    answer_with(req, Tag(of.tag), of.language, reader, || match state(req).kept.body(of, body) {
        Ok(body) => json(body.bytes()),
        Err(error) => HttpResponse::from_error(error),
    })
}

fn state(req: &HttpRequest) -> &State {
    req.app_data::<web::Data<State>>().expect("the app is built with its state")
}

fn json(body: web::Bytes) -> HttpResponse {
    let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn answer_with(
    req: &HttpRequest,
    tag: Tag,
    language: Language,
    reader: Reader,
    response: impl FnOnce() -> HttpResponse,
) -> HttpResponse {
    let tag = tag.entity_tag(language.tag(), reader);
    let held = held_tag(req, &tag);
    let mut response = match held {
        Some(_) => HttpResponse::NotModified().finish(),
        None => response(),
    };
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    set_headers(&mut response, held.unwrap_or(tag));
    response
}

/// A page of a list or search of what streams publish, as it was asked for: answered without looking when it is
/// kept. It must depend on nothing but the streams, the query, the language and the reader.
pub struct Listing<'a> {
    req: &'a HttpRequest,
    tag: Tag,
    language: Language,
    reader: Reader,
}

impl<'a> Listing<'a> {
    /// Of a request.
    pub fn of(req: &'a HttpRequest, edition: &Edition, streams: &[Stream], language: Language, reader: Reader) -> Self {
        Self { req, tag: Tag::of_list(edition, streams, req), language, reader }
    }

    fn page_of(&self) -> PageOf<'a> {
        let asked = self.req.uri().path_and_query().map_or("", PathAndQuery::as_str);
        PageOf { tag: self.tag.0, language: self.language, reader: self.reader, asked }
    }

    /// The answer, when the page is kept.
    pub fn kept(&self) -> Option<HttpResponse> {
        let page = state(self.req).kept.page(&self.page_of())?;
        Some(self.respond(|| Ok(page.body.clone()), page.link.clone()))
    }

    /// The answer with the page of this body; there is a next one if there is a cursor of it.
    pub fn answer<T: Serialize>(self, next_cursor: Option<&str>, body: impl FnOnce() -> T) -> HttpResponse {
        let link = next_cursor.and_then(|cursor| HeaderValue::try_from(next_link(self.req, cursor)).ok());
        let page = || {
            let page = Page { body: written(&body())?, link: link.clone() };
            Ok(state(self.req).kept.offer_page(&self.page_of(), page).body.clone())
        };
        self.respond(page, link.clone())
    }

    fn respond(
        &self,
        body: impl FnOnce() -> Result<web::Bytes, serde_json::Error>,
        link: Option<HeaderValue>,
    ) -> HttpResponse {
        let body = || body().map_or_else(HttpResponse::from_error, json);
        let mut response = answer_with(self.req, self.tag, self.language, self.reader, body);
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

thread_local! {
    /// Where a page is written as long as nobody knows its length. The memory stays with the thread.
    static DRAFT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How much of it stays.
const DRAFT_BYTES: usize = 64 << 10;

fn written(page: &impl Serialize) -> Result<web::Bytes, serde_json::Error> {
    DRAFT.with_borrow_mut(|draft| {
        draft.clear();
        serde_json::to_writer(&mut *draft, page)?;
        let bytes = web::Bytes::copy_from_slice(draft);
        draft.clear();
        draft.shrink_to(DRAFT_BYTES);
        Ok(bytes)
    })
}

/// [`answer`] in all languages, as a response that is made when it is needed.
pub async fn answer_in_all<E>(
    req: &HttpRequest,
    tag: Tag,
    reader: Reader,
    response: impl AsyncFnOnce() -> Result<HttpResponse, E>,
) -> Result<HttpResponse, E> {
    let tag = tag.entity_tag("mul", reader);
    let held = held_tag(req, &tag);
    let mut response = match held {
        Some(_) => HttpResponse::NotModified().finish(),
        None => response().await?,
    };
    set_headers(&mut response, held.unwrap_or(tag));
    Ok(response)
}

fn set_headers(response: &mut HttpResponse, tag: String) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
}

/// The tag among If-None-Match that is `tag`, as the caller has it. Codings are not compared: the
/// caller's bytes are of the same content.
fn held_tag(req: &HttpRequest, tag: &str) -> Option<String> {
    let held = req.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(',')).map(str::trim).find_map(|candidate| {
        let bare = candidate.strip_prefix("W/").unwrap_or(candidate);
        let without_coding = CODINGS.iter().find_map(|coding| bare.strip_suffix(coding)).unwrap_or(bare);
        let without_coding = without_coding.trim_end_matches('"');
        (bare == "*" || without_coding == tag.trim_end_matches('"')).then(|| match bare {
            "*" => tag.to_owned(),
            bare => bare.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn held(header: &str) -> Option<String> {
        let req = TestRequest::get().insert_header((header::IF_NONE_MATCH, header)).to_http_request();
        held_tag(&req, "\"00ff.en.public\"")
    }

    #[test]
    fn a_tag_is_compared_without_its_coding() {
        assert_eq!(held("\"00ff.en.public+br\"").as_deref(), Some("\"00ff.en.public+br\""));
        assert_eq!(held("\"x\", W/\"00ff.en.public\"").as_deref(), Some("\"00ff.en.public\""));
        assert_eq!(held("\"00ff.fr.public\""), None);
        assert_eq!(held("\"00ff.en.public+<script>\""), None);
        assert_eq!(held("\"00ff.en.secretariat+br\""), None);
    }

    #[test]
    fn revisions_are_read_as_they_are_told() {
        assert_eq!(parse_revisions("notes=41, costs=3"), Ok(vec![(Stream::Notes, 41), (Stream::Costs, 3)]));
        for junk in ["", "notes", "notes=x", "identity=1", "notes:1"] {
            assert!(parse_revisions(junk).is_err(), "{junk}");
        }
    }
}
