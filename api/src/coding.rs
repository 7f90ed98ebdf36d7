//! Content codings: which one an answer gets, and what is too small for any.

use std::future::Future;

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue, Preference,
};
use actix_web::{Error, HttpResponse, web};
use futures_util::future::Either;

use crate::state::State;

/// A smaller body saves less than a coding's own headers and framing cost.
const SMALLEST: u64 = 512;

/// The codings there are.
const SUPPORTED: [Encoding; 5] =
    [Encoding::identity(), Encoding::brotli(), Encoding::gzip(), Encoding::deflate(), Encoding::zstd()];

/// What an answer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen {
    coding: ContentEncoding,
    /// Whether a small body may be left as it is.
    spares_small: bool,
}

impl Chosen {
    const NONE: Self = Self { coding: ContentEncoding::Identity, spares_small: true };

    /// By a request's headers; none where nothing that it takes can be made.
    fn by(request: &ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(header::ACCEPT_ENCODING) {
            return Some(Self::NONE);
        }
        // What cannot be read asks for nothing.
        let Ok(AcceptEncoding(mut accepted)) = AcceptEncoding::parse(request) else { return Some(Self::NONE) };
        prefer_zstd(&mut accepted);
        let refuses = |value: &HeaderValue| value.as_bytes().windows(3).any(|word| word == b"q=0");
        let spares_small = !request.headers().get_all(header::ACCEPT_ENCODING).any(refuses);
        match AcceptEncoding(accepted).negotiate(SUPPORTED.iter())? {
            Encoding::Known(coding) => Some(Self { coding, spares_small }),
            Encoding::Unknown(_) => None,
        }
    }

    fn is_for<B: MessageBody>(self, response: &ServiceResponse<B>) -> bool {
        let is_small = match response.response().body().size() {
            BodySize::None => true,
            BodySize::Sized(size) => size == 0 || (size < SMALLEST && self.spares_small),
            BodySize::Stream => false,
        };
        let headers = response.headers();
        let is_coded = headers.contains_key(header::CONTENT_ENCODING);
        self.coding != ContentEncoding::Identity && !is_small && !is_coded && !is_picture(headers)
    }

    /// Whether others will be sent the same bytes: what has an entity tag is published.
    fn is_kept<B: MessageBody>(self, response: &ServiceResponse<B>) -> bool {
        let is_short = matches!(response.response().body().size(), BodySize::Sized(size) if size <= LONGEST_KEPT);
        is_short && response.status() == StatusCode::OK && response.headers().contains_key(header::ETAG)
    }
}

/// Longer bodies are coded as they are sent, a piece at a time.
const LONGEST_KEPT: u64 = 256 * 1024;

/// Pictures are coded already, but for those that are text.
fn is_picture(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    media_type.starts_with(b"image/") && !media_type.starts_with(b"image/svg")
}

/// Leaves brotli out where zstd is as welcome. The framework would take brotli, which at its setting is
/// a few per cent smaller for four to eight times the time.
fn prefer_zstd(accepted: &mut Vec<header::QualityItem<Preference<Encoding>>>) {
    let is = |item: &Preference<Encoding>, coding| *item == Preference::Specific(Encoding::Known(coding));
    let weight = |coding| accepted.iter().find(|accepted| is(&accepted.item, coding)).map(|accepted| accepted.quality);
    let (zstd, brotli) = (weight(ContentEncoding::Zstd), weight(ContentEncoding::Brotli));
    if brotli.is_some() && zstd >= brotli {
        accepted.retain(|accepted| !is(&accepted.item, ContentEncoding::Brotli));
    }
}

/// The middleware: codes bodies as requests ask for it. An entity tag gets the coding at its end.
pub fn code<S, B>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let answer = match Chosen::by(&request) {
        Some(chosen) => Either::Left((chosen, service.call(request))),
        None => Either::Right(request.into_response(HttpResponse::NotAcceptable().finish())),
    };
    async move {
        let (chosen, response) = match answer {
            Either::Left((chosen, answer)) => (chosen, answer.await?),
            Either::Right(refusal) => return Ok(refusal),
        };
        if !chosen.is_for(&response) {
            let mut response = response.map_into_boxed_body();
            end_coded(response.headers_mut());
            return Ok(response);
        }
        let mut response = match chosen.is_kept(&response) {
            true => code_once(chosen.coding, response.map_into_boxed_body()).await?,
            false => response.map_body(|head, body| BoxBody::new(Encoder::response(chosen.coding, head, body))),
        };
        let headers = response.headers_mut();
        // The coder names `Accept-Encoding` beside what the answer says itself, which names it and more.
        if let Some(ours) = headers.get(header::VARY).cloned() {
            headers.insert(header::VARY, ours);
        }
        mark_tag(headers, chosen.coding.as_str());
        Ok(response)
    }
}

/// Codes a body as a whole, or takes what the same bytes were coded to before.
async fn code_once(
    coding: ContentEncoding,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = to_bytes(body).await.map_err(ErrorInternalServerError)?;
    let kept = &request.app_data::<web::Data<State>>().expect("the app is built with its state").kept;
    let of = kept.coded_of(&body, coding.as_str());
    let coded = match kept.coded(&of) {
        Some(coded) => {
            response.headers_mut().insert(header::CONTENT_ENCODING, coding.to_header_value());
            coded
        }
        None => {
            let coder = Encoder::response(coding, response.head_mut(), BoxBody::new(body));
            let coded = to_bytes(coder).await.map_err(ErrorInternalServerError)?;
            kept.offer_coded(of, &coded);
            coded
        }
    };
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(coded))))
}

/// Of an answer that comes coded, or with `identity` so that it is not: which no answer says (RFC 9110 §8.4.1).
fn end_coded(headers: &mut HeaderMap) {
    match headers.get(header::CONTENT_ENCODING).cloned() {
        Some(coding) if coding == "identity" => drop(headers.remove(header::CONTENT_ENCODING)),
        Some(coding) => mark_tag(headers, coding.to_str().unwrap_or_default()),
        None => {}
    }
}

/// Tells the bytes of a coding from the same content's others (RFC 9110 §8.8.3).
fn mark_tag(headers: &mut HeaderMap, coding: &str) {
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let marked = tag.map(|tag| format!("{}+{coding}\"", tag.trim_end_matches('"')));
    if let Some(marked) = marked.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(header::ETAG, marked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn chosen(sent: &str) -> Option<Chosen> {
        Chosen::by(&TestRequest::get().insert_header((header::ACCEPT_ENCODING, sent)).to_srv_request())
    }

    #[test]
    fn zstd_is_taken_where_it_is_as_welcome_as_brotli() {
        for (sent, coding) in [
            ("gzip, deflate, br, zstd", ContentEncoding::Zstd),
            ("zstd;q=0.5, br;q=0.5", ContentEncoding::Zstd),
            ("br, zstd;q=0.9", ContentEncoding::Brotli),
            ("zstd;q=0, br", ContentEncoding::Brotli),
            ("gzip, br", ContentEncoding::Brotli),
            ("zstd", ContentEncoding::Zstd),
            ("gzip", ContentEncoding::Gzip),
            ("*", ContentEncoding::Identity),
            ("compress", ContentEncoding::Identity),
        ] {
            assert_eq!(chosen(sent).map(|chosen| chosen.coding), Some(coding), "{sent}");
        }
        assert_eq!(chosen("identity;q=0, *;q=0"), None);
        assert!(!chosen("gzip, identity;q=0").unwrap().spares_small);
    }

    #[test]
    fn what_does_not_ask_gets_none() {
        assert_eq!(Chosen::by(&TestRequest::get().to_srv_request()), Some(Chosen::NONE));
    }
}
