//! A browser without scripts: cookies, and the forms of a page.

use std::collections::BTreeMap;
use std::sync::Mutex;

use domain::Account;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};

use super::PASSWORD;
use crate::harness::World;

/// A browser.
pub(crate) struct Browser {
    http: reqwest::Client,
    url: String,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Sent with every form.
    pub(crate) form_headers: Vec<(&'static str, String)>,
}

/// A page, or what leads to another.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}\n{}", self.headers, self.html);
        self
    }

    /// Where it leads, which begins so.
    #[track_caller]
    pub(crate) fn leads_to(&self, start: &str) -> String {
        assert_eq!(self.status, 303, "{}", self.html);
        let location = self.header("location").unwrap();
        assert!(location.starts_with(start), "{location}");
        location.to_owned()
    }

    pub(crate) fn title(&self) -> String {
        plain(between(&self.html, "<title>", "</title>").unwrap_or_default())
    }

    /// What one reads.
    pub(crate) fn text(&self) -> String {
        let (mut text, mut rest) = (String::new(), self.html.as_str());
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        }
        plain(&(text + rest)).replace(['\u{2068}', '\u{2069}'], "")
    }

    /// The page without what differs from one browser and person to another.
    pub(crate) fn comparable(&self, mail: &str) -> String {
        let token = self.hidden().remove("form").unwrap_or_else(|| "-".into());
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !["x-request-id", "date", "content-length", "ratelimit"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        format!("{} {headers:#?} {}", self.status, self.html.replace(&token, "TOKEN").replace(mail, "MAIL"))
    }

    /// The hidden fields of its forms.
    pub(crate) fn hidden(&self) -> BTreeMap<String, String> {
        let inputs = tags(&self.html, "input").filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"));
        inputs.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
    }

    /// Where its first form is sent.
    pub(crate) fn action(&self) -> String {
        let form = tags(&self.html, "form").next().unwrap_or_else(|| panic!("no form: {}", self.html));
        assert_eq!(attribute(form, "method").as_deref(), Some("post"));
        attribute(form, "action").unwrap()
    }
}

/// Every start tag of a name.
pub(crate) fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<').skip(1).filter_map(move |piece| {
        let tag = piece.split('>').next().unwrap_or_default();
        (tag.split([' ', '\n']).next() == Some(name)).then_some(tag)
    })
}

pub(crate) fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"").map(plain)
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(within, _)| within)
}

fn plain(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self::at(&world.server.url())
    }

    pub(crate) fn at(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let form_headers =
            vec![("origin", "https://focalpoint.example".to_owned()), ("sec-fetch-site", "same-origin".to_owned())];
        Self { http, url: url.to_owned(), cookies: Mutex::default(), form_headers }
    }

    /// In which somebody is signed in who needs no second factor.
    pub(crate) async fn signed_in(world: &World, account: &Account) -> Self {
        let browser = Self::new(world);
        browser.sign_in(account).await.leads_to("/account/devices");
        browser
    }

    /// Gives the password.
    pub(crate) async fn sign_in(&self, account: &Account) -> Page {
        self.sign_in_with(account.mail.as_str(), PASSWORD).await
    }

    pub(crate) async fn sign_in_with(&self, mail: &str, password: &str) -> Page {
        let page = self.get("/account/sign-in").await.expect(200);
        self.submit(&page, "sign-in", &[("mail", mail), ("password", password)]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends the page's form: its hidden fields and these.
    pub(crate) async fn submit(&self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let mut all = page.hidden();
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        all.insert("action".into(), action.into());
        self.post(&page.action(), &all).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &BTreeMap<String, String>) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mut request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in &self.form_headers {
            request = request.header(*name, value);
        }
        self.send(request.body(body.join("&"))).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let request = self.http.request(method, format!("{}{path}", self.url)).header("user-agent", agent);
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        Page { status, headers, html: String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap() }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}
