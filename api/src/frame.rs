//! What surrounds every request: its id, its line in the log, HEAD, errors as problem documents, and
//! entity tags that name the content coding.

use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use tracing::field::display;
use uuid::Uuid;

use crate::params;
use crate::problem::{ApiError, Code, MEDIA_TYPE};
use crate::state::State;
use crate::trace_context::{TRACERESPONSE, TraceContext};
use crate::{coding, cors, sign_in};

/// Marks an error response whose body another standard prescribes.
pub struct Verbatim;

/// What published answers vary by.
pub const VARY: &str = "Accept-Encoding, Accept-Language, Authorization";

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request, for whoever answers it.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

impl RequestId {
    /// A request's; none where nothing surrounds it.
    pub fn of(request: &HttpRequest) -> Option<Uuid> {
        request.extensions().get::<Self>().map(|id| id.0)
    }
}

/// The outermost middleware.
pub async fn frame<B: MessageBody + 'static>(
    state: web::Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = Uuid::now_v7();
    let trace = TraceContext::of(request.headers(), id);
    let method = request.method().clone();
    if method == Method::HEAD {
        // Routed like GET; the connection leaves the body out, because it read HEAD itself.
        request.head_mut().method = Method::GET;
    }
    request.extensions_mut().insert(RequestId(id));
    coding::prefer_zstd(&mut request);
    // Handlers and extractors answer with responses, their errors too; an `Err` here is the framework's own defect.
    let mut response = next.call(request).await?.map_into_boxed_body();
    if is_unexplained(response.response()) {
        response = explain(response, id);
    }
    let age = state.store.is_cut_off().then(|| state.store.age());
    finish_headers(response.response_mut(), id, age);
    if let Some(told) = trace.and_then(|trace| trace.response()) {
        response.headers_mut().insert(TRACERESPONSE, told);
    }
    if state.store.is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    state.deprecations.tell(&mut response);
    if !state.config.edge.cors_origins.is_empty() {
        cors::finish(response.headers_mut());
    }
    note(&state, &response, &method, id, trace, started.elapsed());
    Ok(response)
}

fn is_unexplained(response: &HttpResponse) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && response.extensions().get::<Verbatim>().is_none()
}

/// Puts the problem document in place of whatever body an error has.
fn explain(response: ServiceResponse<BoxBody>, id: Uuid) -> ServiceResponse<BoxBody> {
    let told = response.response().extensions().get::<ApiError>().cloned();
    let error = told.unwrap_or_else(|| ApiError::new(code_of(response.status())));
    if let Some(page) = sign_in::explain(response.request(), &error) {
        return response.into_response(page);
    }
    let language = params::language(response.request());
    response.map_body(|head, _| {
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        head.headers.insert(header::VARY, HeaderValue::from_static(VARY));
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        BoxBody::new(serde_json::to_string(&error.document(id, language)).unwrap_or_default())
    })
}

/// The code of an error that the framework made.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::NOT_ACCEPTABLE => Code::NotAcceptable,
        StatusCode::REQUEST_TIMEOUT => Code::Timeout,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_client_error() => Code::MalformedRequest,
        _ => Code::Internal,
    }
}

fn finish_headers(response: &mut HttpResponse, id: Uuid, age: Option<Duration>) {
    let succeeded = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    coding::unmark(headers);
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(age) = age.filter(|_| succeeded) {
        headers.insert(header::AGE, HeaderValue::from(age.as_secs()));
    }
    // Compression adds its own beside ours, which names the same and more.
    let ours = headers.get(header::VARY).filter(|_| headers.get_all(header::VARY).count() > 1).cloned();
    if let Some(ours) = ours {
        headers.insert(header::VARY, ours);
    }
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    if let (Some(coding), Some(tag)) = (coding, headers.get(header::ETAG).and_then(|tag| tag.to_str().ok())) {
        let suffixed = format!("{}+{coding}\"", tag.trim_end_matches('"'));
        if let Ok(suffixed) = HeaderValue::from_str(&suffixed) {
            headers.insert(header::ETAG, suffixed);
        }
    }
}

/// One line a request, and its part in the metrics. The path's pattern and never its query: delegates' search
/// terms are theirs.
fn note(
    state: &State,
    response: &ServiceResponse<BoxBody>,
    method: &Method,
    id: Uuid,
    trace: Option<TraceContext>,
    took: Duration,
) {
    let status = response.status().as_u16();
    let route = response.request().match_pattern();
    state.metrics.answered(method, route.as_deref(), response.status(), took);
    let route = route.as_deref().unwrap_or("-");
    let trace_id = trace.map(|trace| display(format!("{:032x}", trace.trace)));
    let span_id = trace.map(|trace| display(format!("{:016x}", trace.span)));
    let parent_id = trace.map(|trace| display(format!("{:016x}", trace.parent)));
    let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    match response.status().is_server_error() {
        true => tracing::warn!(
            request_id = %id, trace_id, span_id, parent_id, %method, route, status, microseconds, "request"
        ),
        false => tracing::info!(
            request_id = %id, trace_id, span_id, parent_id, %method, route, status, microseconds, "request"
        ),
    }
}

/// Where no route is: 405 with `Allow` where other methods are, an answer to OPTIONS, else 404.
pub async fn no_route(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let Some(allow) = state.contract.methods(request.path()) else { return Err(ApiError::new(Code::NotFound)) };
    let allow = HeaderValue::from_str(&allow).map_err(|_| ApiError::new(Code::Internal))?;
    match *request.method() {
        Method::OPTIONS => Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish()),
        _ => Err(ApiError::new(Code::MethodNotAllowed).header(header::ALLOW, allow)),
    }
}
