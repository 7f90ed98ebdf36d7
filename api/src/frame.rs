//! What surrounds every request: its id, its line in the log, HEAD, and errors as problem documents.

use std::future::Future;
use std::time::{Instant, SystemTime};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use uuid::{NoContext, Timestamp, Uuid};

use crate::access_log::{self, Told};
use crate::params;
use crate::problem::{ApiError, Code, MEDIA_TYPE};
use crate::state::State;
use crate::trace_context::{TRACERESPONSE, TraceContext};
use crate::{cors, sign_in};

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
pub fn frame<S, B>(
    mut request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let asked = Asked::by(&mut request);
    request.extensions_mut().insert(RequestId(asked.id));
    let answer = service.call(request);
    async move {
        // Handlers and extractors answer with responses, their errors too; an `Err` here is the framework's own defect.
        let mut response = answer.await?.map_into_boxed_body();
        if is_unexplained(response.response()) {
            response = explain(response, asked.id);
        }
        let state = response.request().app_data::<web::Data<State>>().expect("the app is built with its state").clone();
        finish(&state, &mut response, &asked);
        note(&state, &response, &asked);
        Ok(response)
    }
}

/// What is known of a request before it is answered.
struct Asked {
    at: SystemTime,
    started: Instant,
    id: Uuid,
    trace: Option<TraceContext>,
    /// As it was sent: HEAD is routed like GET.
    method: Method,
}

impl Asked {
    fn by(request: &mut ServiceRequest) -> Self {
        let (at, started) = (SystemTime::now(), Instant::now());
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, since.as_secs(), since.subsec_nanos()));
        let trace = TraceContext::of(request.headers(), id);
        let method = request.method().clone();
        if method == Method::HEAD {
            // The connection leaves the body out, because it read HEAD itself.
            request.head_mut().method = Method::GET;
        }
        Self { at, started, id, trace, method }
    }
}

fn is_unexplained(response: &HttpResponse) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && response.extensions().get::<Verbatim>().is_none()
}

/// Puts the problem document in place of whatever body an error has.
fn explain(response: ServiceResponse<BoxBody>, id: Uuid) -> ServiceResponse<BoxBody> {
    let told = response.response().extensions().get::<ApiError>().cloned();
    let error = told.unwrap_or_else(|| ApiError::new(code_of(response.status())));
    if let Some(mut page) = sign_in::explain(response.request(), &error) {
        // It is made outside the coder, which would take away this mark that pages have for it.
        page.headers_mut().remove(header::CONTENT_ENCODING);
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

/// The headers that every answer has.
fn finish(state: &State, response: &mut ServiceResponse<BoxBody>, asked: &Asked) {
    let status = response.status();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(asked.id.hyphenated().encode_lower(&mut Uuid::encode_buffer())) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if state.store.is_cut_off() && (status.is_success() || status == StatusCode::NOT_MODIFIED) {
        headers.insert(header::AGE, HeaderValue::from(state.store.age().as_secs()));
    }
    if let Some(told) = asked.trace.and_then(|trace| trace.response()) {
        headers.insert(TRACERESPONSE, told);
    }
    if !state.config.edge.cors_origins.is_empty() {
        cors::finish(headers);
    }
    if state.store.is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    state.deprecations.tell(response);
}

/// One line a request, and its part in the metrics.
fn note(state: &State, response: &ServiceResponse<BoxBody>, asked: &Asked) {
    let took = asked.started.elapsed();
    let route = response.request().match_pattern();
    state.metrics.answered(&asked.method, route.as_deref(), response.status(), took);
    let (level, is_wanted) = match response.status().is_server_error() {
        true => ("WARN", tracing::enabled!(tracing::Level::WARN)),
        false => ("INFO", tracing::enabled!(tracing::Level::INFO)),
    };
    if is_wanted {
        access_log::note(&Told {
            at: asked.at + took,
            level,
            id: asked.id,
            trace: asked.trace,
            method: asked.method.as_str(),
            route: route.as_deref().unwrap_or("-"),
            status: response.status().as_u16(),
            took,
        });
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
