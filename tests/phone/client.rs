//! A phone's client, as docs/phone.md describes it. Written to be read beside one's own.
//!
//! What a phone has on disk is [`Kept`]. All else may be gone at any moment: the system ends the app, the user
//! walks into a lift. So `Kept` is changed in one transaction, once an answer has arrived whole, and never before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;
use uuid::Uuid;

use super::tables;

/// Objects by kind and id.
type Objects = BTreeMap<(String, String), Value>;

/// What is on the phone's disk.
#[derive(Clone, Default, Debug, PartialEq)]
pub(crate) struct Kept {
    /// The copy, by kind and id.
    pub(crate) objects: Objects,
    /// Where the copy stands.
    pub(crate) sync_token: Option<String>,
    /// The next copy, while it is not whole: what it has so far, and its token. Nobody sees it.
    pub(crate) begun: Option<(Objects, String)>,
    /// Whether the copy must not be shown: it may hold what the user has no right to any more.
    pub(crate) hidden: bool,
    /// Answers to single reads, by path, with their tags.
    pub(crate) answers: BTreeMap<String, (String, Value)>,
}

/// Why there is nothing new. In each case the app goes on with what it has, and shows how old that is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No good answer for now: try again when the network is back, or at the next occasion.
    Offline,
    /// The access is gone: ask the user to sign in.
    SignIn,
    /// The request is wrong: repeating does not help. Report status and code with the request's id.
    Refused(u16, String),
}

/// How patient a phone is.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// For the connection.
    pub(crate) connect: Duration,
    /// For the next bytes; not for the whole answer, which may be slow and still arrive.
    pub(crate) silence: Duration,
    /// Before the second try; doubled for each further one.
    pub(crate) first_pause: Duration,
    /// The longest.
    pub(crate) longest_pause: Duration,
    /// How often a request is tried.
    pub(crate) tries: u32,
}

impl Pace {
    /// In an app.
    #[expect(dead_code, reason = "tests are less patient")]
    pub(crate) const REAL: Self = Self {
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(30),
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(60),
        tries: 6,
    };
}

/// An answer that has arrived whole.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

/// An app, running.
pub(crate) struct Phone {
    pub(crate) kept: Kept,
    base: String,
    /// The app's id: it is no secret.
    app: String,
    /// The newest refresh token. In the phone's key store, and replaced there before the new one is used.
    pub(crate) refresh_token: String,
    language: &'static str,
    pace: Pace,
    http: reqwest::Client,
    /// The access token, and when to get the next: by the phone's running time, because its clock may be wrong.
    pub(crate) bearer: Option<(String, Instant)>,
}

impl Phone {
    pub(crate) fn new(base: String, app: String, refresh_token: String, language: &'static str, pace: Pace) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            // a redirect is not ours: a network that wants the user to sign in somewhere
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(pace.connect)
            .read_timeout(pace.silence)
            // An app keeps its connection open. Here each request gets the weather of its own connection.
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self { kept: Kept::default(), base, app, refresh_token, language, pace, http, bearer: None }
    }

    /// The system has ended the app, and the user opens it again. The tokens were in the key store.
    pub(crate) fn restart(self) -> Self {
        let again = Self::new(self.base, self.app, self.refresh_token, self.language, self.pace);
        Self { kept: self.kept, bearer: self.bearer, ..again }
    }

    /// Brings the copy up to date. What a sync before has begun is gone on with.
    pub(crate) async fn sync(&mut self) -> Result<(), Trouble> {
        let mut anew = false;
        loop {
            // The next copy is made beside the present one, which stays on the screen.
            let (mut objects, token) = match &self.kept.begun {
                Some((objects, token)) => (objects.clone(), Some(token.clone())),
                None if anew => (Objects::new(), None),
                None => (self.kept.objects.clone(), self.kept.sync_token.clone()),
            };
            let from = token.as_ref().map(|token| format!("&token={token}")).unwrap_or_default();
            let path = format!("/v1/sync?lang={}&shape=columns{from}", self.language);
            let answer = self.ask(&path, None).await?;
            match answer.status {
                200 => {
                    let next = apply(&mut objects, &answer.body);
                    if answer.body["complete"] != true {
                        self.kept.begun = Some((objects, next));
                        continue;
                    }
                    let answers = std::mem::take(&mut self.kept.answers);
                    self.kept = Kept { objects, sync_token: Some(next), answers, ..Kept::default() };
                    return Ok(());
                }
                // The copy cannot be continued, or its token is damaged. Without a token neither can be said.
                400 | 410 if token.is_some() => {
                    if answer.body["reason"] == "audience-changed" {
                        self.kept.hidden = true;
                        self.kept.answers.clear();
                    }
                    (self.kept.begun, anew) = (None, true);
                }
                _ => return Err(answer.refusal()),
            }
        }
    }

    /// An object or list at its address. Where nothing has changed the answer is the one that is kept.
    pub(crate) async fn read(&mut self, path: &str) -> Result<Value, Trouble> {
        let kept = self.kept.answers.get(path).cloned();
        let answer = self.ask(path, kept.as_ref().map(|(tag, _)| tag.as_str())).await?;
        match (answer.status, kept) {
            (304, Some((_, body))) => Ok(body),
            (200, _) => {
                if let Some(tag) = answer.header("etag") {
                    self.kept.answers.insert(path.to_owned(), (tag.to_owned(), answer.body.clone()));
                }
                Ok(answer.body)
            }
            (404, _) => {
                self.kept.answers.remove(path);
                Err(answer.refusal())
            }
            _ => Err(answer.refusal()),
        }
    }

    /// The answer to a GET, with a token that is good.
    async fn ask(&mut self, path: &str, tag: Option<&str>) -> Result<Answer, Trouble> {
        for _ in 0..2 {
            let bearer = self.bearer().await?;
            let answer = self
                .persist(|| {
                    let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&bearer);
                    tag.iter().fold(request, |request, tag| request.header("if-none-match", *tag))
                })
                .await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            // It ended early: the key was changed, or the phone slept. One new token, one more try.
            self.bearer = None;
        }
        Err(Trouble::SignIn)
    }

    /// The access token, or a new one where there is none or it ends soon. One request at a time may do this: a
    /// refresh token is good once. A reply that is lost may be asked for again, for 30 seconds.
    async fn bearer(&mut self) -> Result<String, Trouble> {
        if let Some((token, _)) = self.bearer.as_ref().filter(|(_, until)| Instant::now() < *until) {
            return Ok(token.clone());
        }
        let asked = Instant::now();
        let answer = self
            .persist(|| {
                let request = self.http.post(format!("{}/oauth/token", self.base));
                // Neither has a character that a form would have to escape.
                let form =
                    format!("grant_type=refresh_token&client_id={}&refresh_token={}", self.app, self.refresh_token);
                request.header("content-type", "application/x-www-form-urlencoded").body(form)
            })
            .await?;
        let token = |name: &str| answer.body[name].as_str();
        let seconds = answer.body["expires_in"].as_u64();
        match (answer.status, token("refresh_token"), token("access_token"), seconds) {
            (200, Some(next), Some(token), Some(seconds)) => {
                self.refresh_token = next.to_owned();
                // A few minutes early, and counted from before the request: the answer may have been slow.
                let until = asked + Duration::from_secs(seconds.saturating_sub(300));
                self.bearer = Some((token.to_owned(), until));
                Ok(token.to_owned())
            }
            // The session is over: revoked, perhaps because the phone is lost, or unused for too long. Nobody sees
            // the copy until its user has signed in again.
            (400 | 401, ..) => {
                self.kept.hidden = true;
                Err(Trouble::SignIn)
            }
            _ => Err(answer.refusal()),
        }
    }

    /// Sends a request until there is an answer that means something. What is sent here may be sent again.
    async fn persist(&self, request: impl Fn() -> RequestBuilder) -> Result<Answer, Trouble> {
        let mut pause = self.pace.first_pause;
        for _ in 1..self.pace.tries {
            let told = match self.attempt(request()).await {
                Some(answer) if !answer.may_pass() => return Ok(answer),
                Some(answer) => answer.retry_after(),
                None => None,
            };
            // At least as long as the server says; and a part by chance, lest all phones come back together.
            tokio::time::sleep(told.unwrap_or_default() + part_of(pause)).await;
            pause = (pause * 2).min(self.pace.longest_pause);
        }
        self.attempt(request()).await.filter(|answer| !answer.may_pass()).ok_or(Trouble::Offline)
    }

    /// One try. None: it did not arrive, or not whole, or is not from the server.
    async fn attempt(&self, request: RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.ok()?;
        let body = match status {
            // A balancer may say these, too, in words of its own.
            429 | 500.. => Value::Null,
            // In place of the answer a hotel's network sends its own page, or a redirect to it.
            _ if !headers.contains_key("x-request-id") => return None,
            304 => Value::Null,
            _ => serde_json::from_slice(&bytes).ok()?,
        };
        Some(Answer { status, headers, body })
    }
}

/// Applies a page: first what comes by column, then what comes by row, then what goes. Twice is as good as once.
/// Returns the token behind it.
fn apply(objects: &mut Objects, page: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let key = |kind: &Value, id: &Value| Some((text(kind)?, text(id)?));
    for table in page["tables"].as_array().into_iter().flatten() {
        let rows = tables::objects(table).into_iter();
        objects.extend(rows.filter_map(|object| Some((key(&table["kind"], &object["id"])?, object))));
    }
    for put in page["put"].as_array().into_iter().flatten() {
        objects.extend(key(&put["kind"], &put["id"]).map(|key| (key, put["object"].clone())));
    }
    for gone in page["remove"].as_array().into_iter().flatten() {
        // One that the copy does not have is gone already.
        key(&gone["kind"], &gone["id"]).map(|key| objects.remove(&key));
    }
    text(&page["token"]).unwrap_or_default()
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the same request may have a better answer later.
    fn may_pass(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
    }

    fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.parse().ok().map(Duration::from_secs)
    }

    fn refusal(&self) -> Trouble {
        Trouble::Refused(self.status, self.body["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// A time between nothing and this, by chance.
fn part_of(time: Duration) -> Duration {
    let share = Uuid::new_v4().as_u128() as u16;
    time.mul_f64(f64::from(share) / f64::from(u16::MAX))
}
