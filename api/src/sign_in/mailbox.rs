//! The mails of a demonstration, in place of a mailbox.

use actix_web::{HttpResponse, web};
use maud::{Markup, html};

use super::devices::moment;
use super::layout::Page;
use super::visit::Visit;
use crate::problem::{ApiError, Code};
use crate::state::State;
use persistence::mail;

/// How many are shown.
const LIMIT: i64 = 50;

/// The page. Whoever sees it can set anybody's password: there is none but in a demonstration.
pub async fn list(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !state.config.demo {
        return Err(ApiError::new(Code::NotFound));
    }
    let mails = state.db.read(async |conn| mail::list_shown(conn, LIMIT).await).await?;
    let base_url = state.config.base_url();
    let body = html! {
        p { (visit.say(&message!("In a demonstration mails are not sent. They are shown here, the latest first."))) }
        @if mails.is_empty() { p { (visit.say(&message!("There is none."))) } }
        ul .list {
            @for mail in &mails {
                @let said = |field: &str| mail.said[field].as_str().unwrap_or_default().to_owned();
                li lang=(said("language")) dir="auto" {
                    h2 { (said("subject")) }
                    p .quiet { bdi dir="ltr" { (mail.address) } ", " (moment(mail.sent_at)) }
                    @for line in said("text").lines() { (shown(line, &base_url)) }
                }
            }
        }
    };
    Ok(Page::new(&visit, message!("Mailbox"), body).send())
}

/// A line of its text; one that is a link of ours can be followed.
fn shown(line: &str, base_url: &str) -> Markup {
    html! {
        @match line.strip_prefix(base_url).filter(|path| path.starts_with('/')) {
            Some(path) => p { a href=(path) dir="ltr" { (line) } },
            None if line.is_empty() => {},
            None => p { (line) },
        }
    }
}
