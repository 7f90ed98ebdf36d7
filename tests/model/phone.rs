//! Phones that pull, lose answers and pull again, and what must hold of what they get.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::{Kind, Language, Reader, Stream};
use serde_json::Value;
use uuid::Uuid;

use super::history::How;
use super::oracle::{Copy, Invariant, Revisions, Violation, broken};
use super::scene::{PATIENCE, Scene};

/// A phone: its user, its copy, and where that stands.
pub(super) struct Phone {
    pub(super) user: api::identity::Who,
    pub(super) bearer: String,
    pub(super) reader: Reader,
    pub(super) language: Language,
    kept: Option<Kept>,
    /// What it had before its last pull.
    older: Option<Kept>,
}

/// A completed copy.
#[derive(Clone)]
pub(super) struct Kept {
    copy: Copy,
    token: String,
    at: Revisions,
    /// The transactions it stands at, as far as that is certain.
    nonces: [Option<Uuid>; 4],
    /// For whom it is.
    reader: Reader,
}

/// What a pull has come to.
pub(super) struct Got {
    copy: Copy,
    token: String,
    at: Revisions,
    /// What it was continued from; none where it began anew.
    from: Option<Kept>,
    reader: Reader,
}

struct Answer {
    status: u16,
    at: Option<Revisions>,
    body: Value,
}

impl Phone {
    pub(super) fn new(user: api::identity::Who, bearer: String, reader: Reader, language: Language) -> Self {
        Self { user, bearer, reader, language, kept: None, older: None }
    }
}

/// Puts a page into a copy.
fn put_in(copy: &mut Copy, page: &Value) {
    let key = |entry: &Value| {
        let id: Uuid = entry["id"].as_str()?.parse().ok()?;
        Some((Kind::from_name(entry["kind"].as_str()?)?, id))
    };
    for put in page["put"].as_array().into_iter().flatten() {
        copy.insert(key(put).unwrap(), put["object"].clone());
    }
    for gone in page["remove"].as_array().into_iter().flatten() {
        copy.remove(&key(gone).unwrap());
    }
}

fn revisions(text: &str) -> Revisions {
    let rev = |stream: Stream| {
        let part = text.split(',').map(str::trim).find_map(|part| part.strip_prefix(&format!("{stream}=")));
        part.and_then(|rev| rev.parse().ok()).unwrap_or(-1)
    };
    Stream::PUBLISHED.map(rev)
}

impl Scene {
    pub(super) async fn pull(&mut self, phone: u8, how: How) -> Result<(), Violation> {
        let n = usize::from(phone);
        match how {
            How::Plain => {}
            How::Lost => {
                self.count.fault("response dropped");
                let _ = self.fetch(phone).await?;
            }
            How::Twice => {
                self.count.fault("request duplicated");
                let path = self.path(n, self.phones[n].kept.as_ref().map(|kept| kept.token.as_str()));
                let _ = tokio::join!(self.ask(&path, n), self.ask(&path, n));
            }
            How::Repeated => return self.pull_repeating(phone).await,
            How::Again => return self.pull_again(phone).await,
        }
        let got = self.fetch(phone).await?;
        self.accept(phone, got).await
    }

    /// Pulls, puts what it got in once more, and has the same.
    async fn pull_repeating(&mut self, phone: u8) -> Result<(), Violation> {
        self.count.fault("page repeated");
        let n = usize::from(phone);
        let path = self.path(n, self.phones[n].kept.as_ref().map(|kept| kept.token.as_str()));
        let answer = self.ask(&path, n).await;
        if let (Some(Answer { status: 200, body, .. }), Some(kept)) = (&answer, &self.phones[n].kept) {
            let mut once = kept.copy.clone();
            put_in(&mut once, body);
            let mut twice = once.clone();
            put_in(&mut twice, body);
            if once != twice {
                return broken(Invariant::Replay, format!("a page applied twice is not what it is once: {body}"));
            }
        }
        let got = self.fetch(phone).await?;
        self.accept(phone, got).await
    }

    /// Pulls from where it stood before its last pull: put into the copy of now, that gives the same.
    async fn pull_again(&mut self, phone: u8) -> Result<(), Violation> {
        self.count.fault("request repeated later");
        let n = usize::from(phone);
        let (kept, older) = (self.phones[n].kept.clone(), self.phones[n].older.clone());
        if let (Some(kept), Some(older)) = (kept, older)
            && older.reader == self.phones[n].reader
            && kept.reader == older.reader
            && self.oracle.before.is_none()
        {
            let path = self.path(n, Some(&older.token));
            if let Some(Answer { status: 200, body, at: Some(at) }) = self.ask(&path, n).await
                && body["complete"] == true
                && at.iter().zip(kept.at).all(|(is, was)| *is >= was)
            {
                let [mut on_old, mut on_new] = [older.copy, kept.copy];
                put_in(&mut on_old, &body);
                put_in(&mut on_new, &body);
                if on_old != on_new {
                    let differs = on_old.keys().chain(on_new.keys()).find(|key| on_old.get(key) != on_new.get(key));
                    let detail = format!("an older pull repeated gives another {differs:?}");
                    return broken(Invariant::Replay, detail);
                }
            }
        }
        let got = self.fetch(phone).await?;
        self.accept(phone, got).await
    }

    fn path(&self, phone: usize, token: Option<&str>) -> String {
        let token = token.map(|token| format!("&token={token}")).unwrap_or_default();
        format!("/v1/sync?lang={}{token}", self.phones[phone].language.tag())
    }

    /// One request; none if there was no whole answer.
    async fn ask(&self, path: &str, phone: usize) -> Option<Answer> {
        let request = self.stage.http.get(format!("{}{path}", self.stage.url())).timeout(PATIENCE);
        let answer = request.bearer_auth(&self.phones[phone].bearer).send().await.ok()?;
        let status = answer.status().as_u16();
        let at = answer.headers().get("sync-rev").map(|value| revisions(value.to_str().unwrap()));
        Some(Answer { status, at, body: answer.json().await.unwrap_or_default() })
    }

    /// Pulls, page by page, until the copy is complete.
    pub(super) async fn fetch(&mut self, phone: u8) -> Result<Got, Violation> {
        let n = usize::from(phone);
        let deadline = Instant::now() + PATIENCE;
        let mut from = self.phones[n].kept.clone();
        let mut token = from.as_ref().map(|kept| kept.token.clone());
        let mut copy = from.as_ref().map(|kept| kept.copy.clone()).unwrap_or_default();
        self.count.pulls += 1;
        loop {
            let path = self.path(n, token.as_deref());
            let answer = self.ask(&path, n).await;
            let reader = self.phones[n].reader;
            match answer {
                Some(Answer { status: 200, body, at }) => {
                    self.check_continued(from.as_ref(), reader)?;
                    self.check_removed(&body, reader)?;
                    put_in(&mut copy, &body);
                    let next = body["token"].as_str().unwrap_or_default().to_owned();
                    if body["complete"] == true {
                        let at = at.expect("a complete answer has its revisions");
                        return Ok(Got { copy, token: next, at, from, reader });
                    }
                    token = Some(next);
                }
                Some(Answer { status: 410, body, .. }) => {
                    self.count.gone += 1;
                    self.check_gone(from.as_ref(), reader, body["reason"].as_str().unwrap_or_default())?;
                    (from, token, copy) = (None, None, Copy::new());
                }
                Some(Answer { status: 401, .. }) => {
                    self.phones[n].bearer = self.stage.token(self.phones[n].user).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Some(Answer { status: 503 | 429, .. }) | None => tokio::time::sleep(Duration::from_millis(15)).await,
                Some(Answer { status, body, .. }) => {
                    return broken(Invariant::CommittedState, format!("a pull was answered by {status}: {body}"));
                }
            }
            if Instant::now() > deadline {
                return broken(Invariant::BacklogEnds, format!("phone {phone} does not come to an end"));
            }
        }
    }

    /// A copy of a history that is no more, or of other rights, is not continued.
    fn check_continued(&self, from: Option<&Kept>, reader: Reader) -> Result<(), Violation> {
        let Some(kept) = from else { return Ok(()) };
        if kept.reader != reader {
            return broken(Invariant::Audience, format!("a copy for {:?} was continued for {reader:?}", kept.reader));
        }
        if self.oracle.before.is_some() {
            // The process may not know it yet, and then answers as before.
            return Ok(());
        }
        match self.elsewhere(kept) {
            Some(stream) => {
                let detail = format!("a copy was continued from {stream} of a history that is no more: {:?}", kept.at);
                broken(Invariant::RewoundIsGone, detail)
            }
            None => Ok(()),
        }
    }

    /// A stream in which a copy certainly stands at a transaction that the database does not have.
    fn elsewhere(&self, kept: &Kept) -> Option<Stream> {
        let streams = Stream::PUBLISHED.into_iter().zip(kept.at).zip(kept.nonces);
        let gone = |((stream, rev), nonce): &((Stream, i64), Option<Uuid>)| {
            nonce.is_some_and(|nonce| self.oracle.now.timeline.nonce(*stream, *rev) != Some(nonce))
        };
        streams.into_iter().find(gone).map(|((stream, _), _)| stream)
    }

    /// 410 only for its reason.
    fn check_gone(&self, from: Option<&Kept>, reader: Reader, reason: &str) -> Result<(), Violation> {
        let Some(kept) = from else {
            return broken(Invariant::BacklogEnds, format!("410 {reason} to who has no copy, or in the middle of one"));
        };
        let timeline = &self.oracle.now.timeline;
        let right = match reason {
            "audience-changed" => kept.reader != reader,
            "rewound" => {
                let uncertain = kept.nonces.iter().any(Option::is_none);
                uncertain || self.oracle.before.is_some() || self.elsewhere(kept).is_some()
            }
            "expired" => {
                // Also the oldest step that the log has is too old once there is a younger one.
                let oldest = |stream: &Stream| timeline.kept.get(stream).copied().unwrap_or(-1);
                let rewound = self.elsewhere(kept).is_some() || self.oracle.before.is_some();
                rewound || Stream::PUBLISHED.iter().zip(kept.at).any(|(stream, rev)| rev <= oldest(stream))
            }
            _ => false,
        };
        let invariant = if reason == "rewound" { Invariant::RewoundIsGone } else { Invariant::GapFree };
        match right {
            true => Ok(()),
            false => broken(invariant, format!("410 {reason} to a copy that can be continued: {:?}", kept.at)),
        }
    }

    /// No id is mentioned that the reader never could see.
    fn check_removed(&self, body: &Value, reader: Reader) -> Result<(), Violation> {
        for gone in body["remove"].as_array().into_iter().flatten() {
            let id: Uuid = gone["id"].as_str().unwrap().parse().unwrap();
            let key = (Kind::from_name(gone["kind"].as_str().unwrap()).unwrap(), id);
            if !self.oracle.was_visible(key, reader) {
                return broken(
                    Invariant::Audience,
                    format!("{reader:?} is told of {key:?}, which they never could see"),
                );
            }
        }
        Ok(())
    }

    /// Takes a completed copy, if it is one that was committed.
    pub(super) async fn accept(&mut self, phone: u8, got: Got) -> Result<(), Violation> {
        self.absorb(HashMap::new()).await?;
        let n = usize::from(phone);
        let Got { copy, token, at, from, reader } = got;
        if let Some(from) = from
            && at.iter().zip(from.at).any(|(is, was)| *is < was)
        {
            return broken(Invariant::NeverBack, format!("from {:?} to {at:?} without 410", from.at));
        }
        let nonces = self.oracle.check(&copy, at, reader, self.phones[n].language)?;
        let phone = &mut self.phones[n];
        phone.older = phone.kept.take();
        phone.kept = Some(Kept { copy, token, at, nonces, reader });
        Ok(())
    }

    /// Waits until the process has all that is committed, in the history that now is.
    pub(super) async fn settle(&mut self) -> Result<(), Violation> {
        if self.oracle.before.is_some() {
            self.mark().await?;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.absorb(HashMap::new()).await?;
            let got = self.fetch(0).await?;
            let (at, copy, reader) = (got.at, got.copy.clone(), got.reader);
            self.accept(0, got).await?;
            let heads = self.stage.heads().await;
            let head = |stream: Stream| heads.iter().find(|(s, ..)| *s == stream).map_or(0, |(_, rev, _)| *rev);
            let is_there = Stream::PUBLISHED.map(head) == at;
            let language = self.phones[0].language;
            let right = Stream::PUBLISHED
                .into_iter()
                .try_for_each(|stream| self.oracle.compare(&copy, &self.oracle.now.state, stream, reader, language));
            match (is_there, right) {
                (true, Ok(())) => {
                    self.oracle.before = None;
                    return Ok(());
                }
                (true, Err(violation)) if self.oracle.before.is_none() => {
                    // Unless the scheduler has just been at work.
                    let before = self.oracle.now.timeline.heads.clone();
                    self.absorb(HashMap::new()).await?;
                    if before == self.oracle.now.timeline.heads {
                        return Err(violation);
                    }
                }
                (_, right) if Instant::now() > deadline => {
                    let detail = format!("the process stands at {at:?}, the database at {heads:?}; {right:?}");
                    return broken(Invariant::BacklogEnds, detail);
                }
                _ => tokio::time::sleep(Duration::from_millis(3)).await,
            }
        }
    }

    /// Pulls until there is nothing more, and compares with what is committed now, and with who starts anew.
    pub(super) async fn pull_to_the_end(&mut self, phone: u8) -> Result<(), Violation> {
        let n = usize::from(phone);
        let got = self.fetch(phone).await?;
        self.accept(phone, got).await?;
        let (reader, language) = (self.phones[n].reader, self.phones[n].language);
        let kept = self.phones[n].kept.clone().expect("it has just pulled");
        if Stream::PUBLISHED.map(|stream| self.oracle.now.timeline.head(stream)) == kept.at {
            for stream in Stream::PUBLISHED {
                self.oracle.compare(&kept.copy, &self.oracle.now.state, stream, reader, language)?;
            }
        }
        self.phones[n].kept = None;
        let anew = self.fetch(phone).await?;
        let differs = kept.copy.keys().chain(anew.copy.keys()).find(|key| kept.copy.get(key) != anew.copy.get(key));
        if let Some(key) = differs.filter(|_| anew.at == kept.at) {
            let (has, new) = (kept.copy.get(key), anew.copy.get(key));
            return broken(Invariant::CommittedState, format!("a copy has {key:?} {has:?}, a new one {new:?}"));
        }
        self.phones[n].kept = Some(kept);
        Ok(())
    }
}
