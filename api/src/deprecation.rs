//! Operations that will go: one table, from which the headers of their answers (RFC 9745, RFC 8594) and
//! the contract follow.

use std::collections::HashMap;
use std::time::SystemTime;

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue, HttpDate};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use sfv::{Date, Integer, ItemSerializer};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Object, OpenApi, RefOr, Type};

use crate::contract::{operations_mut, operations_of};

/// An operation that will go.
pub struct Deprecated {
    /// Its id in the contract.
    pub operation: &'static str,
    /// Since when it should no longer be used, in RFC 3339.
    pub since: &'static str,
    /// When it may stop to answer, in RFC 3339; not before `since`.
    pub sunset: Option<&'static str>,
    /// Where it says what to use in its place.
    pub link: &'static str,
}

/// The operations that will go.
pub const OPERATIONS: &[Deprecated] = &[];

/// What answers of these operations say, by method and pattern of the path.
pub struct Deprecations(HashMap<(Method, String), Vec<(HeaderName, HeaderValue)>>);

impl Deprecations {
    /// Of a table; an error where it names what is not in the contract, or a sunset before its time.
    pub fn new(table: &[Deprecated], document: &OpenApi) -> anyhow::Result<Self> {
        let routes: HashMap<&str, (Method, &String)> = document
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| operations_of(item).map(move |(method, operation)| (method, path, operation)))
            .filter_map(|(method, path, operation)| Some((operation.operation_id.as_deref()?, (method, path))))
            .collect();
        let entry = |deprecated: &Deprecated| -> anyhow::Result<_> {
            let (method, path) = routes.get(deprecated.operation).context("no such operation")?.clone();
            Ok(((method, path.clone()), headers(deprecated)?))
        };
        let named = |deprecated| entry(deprecated).with_context(|| format!("deprecation of {}", deprecated.operation));
        Ok(Self(table.iter().map(named).collect::<anyhow::Result<_>>()?))
    }

    /// Adds the headers to an answer of such an operation, whatever its status.
    pub fn tell<B>(&self, response: &mut ServiceResponse<B>) {
        if self.0.is_empty() {
            return;
        }
        let Some(pattern) = response.request().match_pattern() else { return };
        let Some(headers) = self.0.get(&(response.request().method().clone(), pattern)) else { return };
        for (name, value) in headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
}

fn headers(deprecated: &Deprecated) -> anyhow::Result<Vec<(HeaderName, HeaderValue)>> {
    let since = moment(deprecated.since)?;
    let date = Date::from_unix_seconds(Integer::try_from(since.timestamp())?);
    let since_value = ItemSerializer::new().bare_item(date).finish();
    let link = |relation: &str| HeaderValue::try_from(format!("<{}>; rel=\"{relation}\"", deprecated.link));
    let mut headers = vec![
        (HeaderName::from_static("deprecation"), HeaderValue::try_from(since_value)?),
        (header::LINK, link("deprecation")?),
    ];
    if let Some(sunset) = deprecated.sunset {
        let sunset = moment(sunset)?;
        ensure!(sunset >= since, "the sunset is before the deprecation");
        let sunset = HttpDate::from(SystemTime::from(sunset)).to_string();
        headers.push((HeaderName::from_static("sunset"), HeaderValue::try_from(sunset)?));
    }
    Ok(headers)
}

fn moment(text: &str) -> anyhow::Result<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text).with_context(|| format!("{text} is not a moment"))?.to_utc())
}

/// Marks these operations in the contract.
pub fn describe(document: &mut OpenApi, table: &[Deprecated]) {
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item) {
            let id = operation.operation_id.as_deref();
            if let Some(deprecated) = table.iter().find(|deprecated| Some(deprecated.operation) == id) {
                mark(operation, deprecated);
            }
        }
    }
}

fn mark(operation: &mut Operation, deprecated: &Deprecated) {
    operation.deprecated = Some(utoipa::openapi::Deprecated::True);
    let until = deprecated.sunset.map(|sunset| format!(", and may be gone after {sunset}")).unwrap_or_default();
    let notice = format!("**Deprecated** since {}{until}: see <{}>.", deprecated.since, deprecated.link);
    let description = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{description}\n\n{notice}"));
    let said = [
        ("Deprecation", "Since when it should no longer be used (RFC 9745)", true),
        ("Sunset", "When it may stop to answer (RFC 8594)", deprecated.sunset.is_some()),
        ("Link", "`rel=\"deprecation\"`: what to use in its place", true),
    ];
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        for (name, description, _) in said.iter().filter(|(_, _, applies)| *applies) {
            let header =
                HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(*description));
            response.headers.entry((*name).to_owned()).or_insert_with(|| RefOr::T(header.build()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::document_with;
    use actix_web::dev::Service;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, HttpResponse, web};

    const SAMPLE: Deprecated = Deprecated {
        operation: "get_unit",
        since: "2027-03-01T00:00:00Z",
        sunset: Some("2027-09-01T00:00:00Z"),
        link: "https://focalpoint.example/docs/changes",
    };

    #[actix_web::test]
    async fn answers_of_a_deprecated_operation_say_so_and_others_do_not() {
        let deprecations = web::Data::new(Deprecations::new(&[SAMPLE], &document_with(&[SAMPLE])).unwrap());
        async fn found() -> HttpResponse {
            HttpResponse::NotFound().insert_header((header::LINK, "</next>; rel=\"next\"")).finish()
        }
        let app = App::new()
            .service(web::resource("/v1/directory/units/{id}").get(found).post(found))
            .service(web::resource("/v1/directory/units").get(found))
            .wrap_fn(move |request, service| {
                let (deprecations, answer) = (deprecations.clone(), service.call(request));
                async move {
                    let mut response = answer.await?;
                    deprecations.tell(&mut response);
                    Ok(response)
                }
            });
        let app = init_service(app).await;
        let response = call_service(&app, TestRequest::get().uri("/v1/directory/units/1").to_request()).await;
        assert_eq!(response.headers().get("deprecation").unwrap(), "@1803859200");
        assert_eq!(response.headers().get("sunset").unwrap(), "Wed, 01 Sep 2027 00:00:00 GMT");
        let links: Vec<_> = response.headers().get_all(header::LINK).collect();
        assert_eq!(links, ["</next>; rel=\"next\"", "<https://focalpoint.example/docs/changes>; rel=\"deprecation\""]);
        for other in [TestRequest::get().uri("/v1/directory/units"), TestRequest::post().uri("/v1/directory/units/1")] {
            assert!(!call_service(&app, other.to_request()).await.headers().contains_key("deprecation"));
        }
    }

    #[test]
    fn the_contract_marks_it_and_nothing_else() {
        let document = serde_json::to_value(document_with(&[SAMPLE])).unwrap();
        let operation = &document["paths"]["/v1/directory/units/{id}"]["get"];
        assert_eq!(operation["deprecated"], true);
        assert!(operation["description"].as_str().unwrap().contains("2027-09-01"));
        let headers = &operation["responses"]["200"]["headers"];
        assert!(headers["Deprecation"].is_object() && headers["Sunset"].is_object() && headers["Link"].is_object());
        assert!(document["paths"]["/v1/directory/units"]["get"]["deprecated"].is_null());
    }

    #[test]
    fn a_table_that_cannot_be_is_refused() {
        let document = document_with(&[]);
        let refused = |entry: Deprecated| Deprecations::new(&[entry], &document).is_err();
        assert!(refused(Deprecated { operation: "get_nothing", ..SAMPLE }));
        assert!(refused(Deprecated { sunset: Some("2027-02-28T23:59:59Z"), ..SAMPLE }), "gone before it is deprecated");
        assert!(refused(Deprecated { since: "soon", ..SAMPLE }));
    }

    #[test]
    fn the_table_of_this_release_is_in_order() {
        assert!(Deprecations::new(OPERATIONS, &document_with(OPERATIONS)).is_ok());
    }
}
