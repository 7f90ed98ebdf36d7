//! Lists: pages with a cursor and a Link header.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use uuid::Uuid;

use crate::answers::Listing;
use crate::params::Paging;
use edition::{Cursor, Item, Page};

/// Answers a page of a list. `body` gets the cursor of the next page.
pub fn list<T: Item, B: Serialize>(
    req: &HttpRequest,
    listing: Listing<'_>,
    page: Page<'_, T>,
    body: impl FnOnce(Page<'_, T>, Option<String>) -> B,
) -> HttpResponse {
    let next = page.next.as_ref().map(|cursor| Paging::encode(req.path(), cursor));
    listing.answer(next.as_deref(), || body(page, next.clone()))
}

/// The next page (RFC 8288), as a reference relative to this one.
pub fn next_link(req: &HttpRequest, cursor: &str) -> String {
    let is_cursor = |pair: &&str| {
        let decoded = web::Query::<Vec<(String, String)>>::from_query(pair);
        decoded.is_ok_and(|pairs| pairs.iter().any(|(name, _)| name == "cursor"))
    };
    let others = req.query_string().split('&').filter(|pair| !pair.is_empty() && !is_cursor(pair));
    let query: Vec<String> = others.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("<{}?{}>; rel=\"next\"", req.path(), query.join("&"))
}

/// Of what was found, which is asked for as one more than a page may have: the page, and the cursor of the next one.
pub fn page_of<T>(
    req: &HttpRequest,
    mut found: Vec<T>,
    limit: usize,
    id: impl Fn(&T) -> Uuid,
) -> (Vec<T>, Option<String>) {
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|last| Cursor { key: String::new(), id: id(last) });
    (found, last.map(|cursor| Paging::encode(req.path(), &cursor)))
}

/// A page of what is read from the database: fresh, with a link to the next one.
pub fn answer_page<B: Serialize>(req: &HttpRequest, body: B, next_cursor: Option<&str>) -> HttpResponse {
    let link = next_cursor.and_then(|cursor| HeaderValue::from_str(&next_link(req, cursor)).ok());
    let mut response = HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body);
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_link_keeps_the_query_and_changes_the_cursor() {
        let req =
            TestRequest::get().uri("/v1/directory/units?limit=2&cursor=abc&cur%73or=def&lang=fr").to_http_request();
        assert_eq!(next_link(&req, "xyz"), "</v1/directory/units?limit=2&lang=fr&cursor=xyz>; rel=\"next\"");
    }
}
