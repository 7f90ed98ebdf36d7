//! The next page of a copy: what is missing of it, in an order that outlives every edition, then what has changed.
//!
//! A first copy is not of one edition. Each part is as things are when it is sent, from a place in the order of ids on
//! to the next; the changes since the first part follow at the end, whatever has come out of which edition or base.
//! So nothing is held for a client between its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::bases::{Base, Chunk};
use super::token::{Key, Phase, START, Streams, Token};
use super::{PutBody, RemoveBody, SCHEMA};
use crate::objects::Object;
use crate::problem::{ApiError, Code};
use crate::rendering::Rendering;
use domain::{Change, Kind, Language, Reader, Step, Stream};
use edition::{Edition, Gone};
use persistence::mutant::{self, Mutant};

/// No object is shorter, in bytes: each has an id.
const SMALLEST: usize = 45;

/// What somebody asks for.
pub struct Asked {
    /// Who.
    pub reader: Reader,
    /// In which language.
    pub language: Language,
    /// Which streams; those of the token when not said.
    pub streams: Option<Streams>,
    /// Where the copy stands.
    pub token: Option<Token>,
    /// Whether objects of a first copy may come by column.
    pub by_column: bool,
}

/// A page.
pub struct Page {
    /// Objects of the first copy that come by column.
    pub tables: BTreeMap<Kind, Vec<Box<RawValue>>>,
    /// Objects that come by row.
    pub put: Vec<PutBody>,
    /// Objects to forget.
    pub remove: Vec<RemoveBody>,
    /// Whether the copy is whole.
    pub complete: bool,
}

/// What a page is made of.
pub enum Part {
    /// Made for this request.
    Page(Page),
    /// Made before, for all.
    Chunk(Arc<Chunk>),
}

/// The next page and the token behind it. A page ends at the first object that makes it longer than `at_most` bytes.
pub fn next(edition: &Edition, base: Option<&Base>, asked: Asked, at_most: usize) -> Result<(Part, Token), ApiError> {
    let Asked { reader, language, by_column, .. } = asked;
    let base = base.filter(|base| by_column && base.serves(edition, reader));
    let mut token = begin(edition, &asked)?;
    let mut making = Making { edition, reader, language, by_column, left: at_most, page: Page::empty() };
    while let Phase::All { .. } | Phase::Rest(_) = token.phase {
        if let Some(chunk) = base.and_then(|base| base.chunk(edition, &token)) {
            if making.page.is_empty() {
                base.into_iter().for_each(|base| base.lower(&mut token));
                token.phase = chunk.next.map_or(Phase::Rest(START), |from| Phase::All { from, bases: true });
                return Ok((Part::Chunk(chunk), token));
            }
            return Ok((Part::Page(making.page), token));
        }
        if making.fetch(base, &mut token) == Room::None {
            return Ok((Part::Page(making.page), token));
        }
    }
    if making.change(&mut token)? == Room::Left {
        making.page.complete = true;
    }
    Ok((Part::Page(making.page), token))
}

/// Where the copy stands and which streams it is to have.
fn begin(edition: &Edition, asked: &Asked) -> Result<Token, ApiError> {
    let empty = Token::empty(asked.reader, asked.language);
    let mut token = asked.token.clone().unwrap_or_else(|| empty.clone());
    if token.schema != SCHEMA {
        return Err(gone("schema"));
    }
    if (token.audience, token.language) != (empty.audience, empty.language) {
        return Err(gone("audience-changed"));
    }
    let held = token.streams;
    let wanted = asked.streams.unwrap_or(if held == Streams::NONE { Streams::ALL } else { held });
    for stream in held.without(wanted).iter() {
        token.set_position(stream, empty.position(stream));
    }
    token.streams = wanted;
    let added = wanted.without(held);
    token.missing = token.missing.without(held.without(wanted)).and(added);
    for stream in added.iter() {
        let head = edition.position(stream).ok_or_else(|| ApiError::new(Code::Unavailable))?;
        token.set_position(stream, head);
    }
    token.phase = match token.phase {
        phase if added != Streams::NONE => {
            let bases = matches!(phase, Phase::All { bases: true, .. } | Phase::Rest(_));
            Phase::All { from: START, bases }
        }
        Phase::All { .. } | Phase::Rest(_) if token.missing == Streams::NONE => Phase::Changes,
        Phase::Step((kind, _)) if !wanted.has(kind.stream()) => Phase::Changes,
        phase => phase,
    };
    for stream in wanted.iter() {
        drop(steps(edition, &token, stream)?);
    }
    Ok(token)
}

fn steps<'a>(
    edition: &'a Edition,
    token: &Token,
    stream: Stream,
) -> Result<impl Iterator<Item = &'a Step> + use<'a>, ApiError> {
    let history = edition.history(stream).ok_or_else(|| ApiError::new(Code::Unavailable))?;
    let mut position = token.position(stream);
    if mutant::is(Mutant::MissingNonceCheck) {
        let same_rev = history.steps().iter().find(|step| step.position.rev == position.rev);
        position = same_rev.map_or(position, |step| step.position);
    }
    let steps = history.since(position).map_err(|cause| match cause {
        Gone::Expired => gone("expired"),
        Gone::Rewound => gone("rewound"),
    })?;
    Ok(steps.iter().map(|step| -> &Step { step }))
}

/// That a copy cannot be continued.
fn gone(reason: &'static str) -> ApiError {
    ApiError::new(Code::SyncGone).reason(reason).detail(message!("A new copy begins without a token"))
}

/// An object as a reader has it, if there is one.
pub fn render(edition: &Edition, (kind, id): Key, reader: Reader, language: Language) -> Option<Box<RawValue>> {
    to_raw_value(&Object::find(edition, kind, id, Rendering::new(reader, language))?).ok()
}

impl Page {
    fn empty() -> Self {
        Self { tables: BTreeMap::new(), put: Vec::new(), remove: Vec::new(), complete: false }
    }

    fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.put.is_empty() && self.remove.is_empty()
    }
}

/// Whether more goes into a page.
#[derive(PartialEq)]
enum Room {
    Left,
    None,
}

/// A page in the making.
struct Making<'a> {
    edition: &'a Edition,
    reader: Reader,
    language: Language,
    by_column: bool,
    /// How many bytes more it may have.
    left: usize,
    page: Page,
}

impl Making<'_> {
    /// Puts in what is missing, up to where a base goes on, and moves the token there.
    fn fetch(&mut self, base: Option<&Base>, token: &mut Token) -> Room {
        let (from, bases) = match token.phase {
            Phase::All { from, bases } => (from, bases),
            Phase::Rest(from) => match base {
                Some(base) => return self.fetch_rest(base, token, from),
                // What the base lacked is not known any more: everything comes once more.
                None => (START, false),
            },
            Phase::Changes | Phase::Step(_) => return Room::Left,
        };
        let until = base.and_then(|base| base.next_start(from));
        for kind in Kind::ALL.into_iter().filter(|kind| token.missing.has(kind.stream())) {
            if kind < from.0 || until.is_some_and(|(last, _)| kind > last) {
                continue;
            }
            let first = if kind == from.0 { from.1 } else { Uuid::nil() };
            let mut ids: Vec<Uuid> = Object::ids(self.edition, kind, self.reader).filter(|id| *id >= first).collect();
            // The page has room for so many, and ends at one more: the rest need not be in order.
            let last = self.left / SMALLEST + 1;
            if ids.len() > last {
                ids.select_nth_unstable(last);
                ids.truncate(last + 1);
            }
            ids.sort_unstable();
            for id in ids.into_iter().filter(|id| until.is_none_or(|until| (kind, *id) < until)) {
                if self.left == 0 {
                    token.phase = Phase::All { from: (kind, id), bases };
                    return Room::None;
                }
                self.put((kind, id), self.by_column);
            }
        }
        match until {
            Some(until) => token.phase = Phase::All { from: until, bases },
            None if bases => token.phase = Phase::Rest(START),
            None => (token.missing, token.phase) = (Streams::NONE, Phase::Changes),
        }
        Room::Left
    }

    /// Puts in what no base has, but this reader may see.
    fn fetch_rest(&mut self, base: &Base, token: &mut Token, from: Key) -> Room {
        base.lower(token);
        for key in base.rest(from).filter(|(kind, _)| token.missing.has(kind.stream())) {
            if self.left == 0 {
                token.phase = Phase::Rest(key);
                return Room::None;
            }
            self.put(key, self.by_column);
        }
        (token.missing, token.phase) = (Streams::NONE, Phase::Changes);
        Room::Left
    }

    /// Puts in what has changed since the token's positions, and moves them.
    fn change(&mut self, token: &mut Token) -> Result<Room, ApiError> {
        let begun = match token.phase {
            Phase::Step(key) => Some(key),
            _ => None,
        };
        // A step that was begun is ended first: however much is written, each page comes further.
        let first = begun.map(|(kind, _)| kind.stream());
        let others = token.streams.iter().filter(|stream| Some(*stream) != first);
        let mut seen = BTreeSet::new();
        for stream in first.into_iter().chain(others) {
            for step in steps(self.edition, token, stream)? {
                let begun = begun.filter(|(kind, _)| kind.stream() == stream && token.phase != Phase::Changes);
                if let Some(key) = self.change_step(step, begun, &mut seen) {
                    token.phase = Phase::Step(key);
                    return Ok(Room::None);
                }
                token.phase = Phase::Changes;
                token.set_position(stream, step.position);
            }
        }
        Ok(Room::Left)
    }

    /// Puts in what a step changed. Returns where the page ended, when it did.
    fn change_step(&mut self, step: &Step, from: Option<Key>, seen: &mut BTreeSet<Key>) -> Option<Key> {
        let mut changes: Vec<_> = step.changes.iter().map(|change| ((change.kind, change.id), change)).collect();
        changes.sort_unstable_by_key(|(key, _)| *key);
        for (key, change) in changes {
            if from.is_some_and(|from| key < from) || seen.contains(&key) {
                continue;
            }
            if self.left == 0 {
                return Some(key);
            }
            // Whether it must be forgotten is for each step to say: any of them may have been the one that showed it.
            let was_visible =
                self.was_visible(change) && !(mutant::is(Mutant::LatestStepOnly) && self.was_last_hidden(key));
            if self.put(key, false) {
                seen.insert(key);
            } else if was_visible {
                seen.insert(key);
                self.spend(64);
                self.page.remove.push(RemoveBody { kind: key.0, id: key.1 });
            }
        }
        None
    }

    fn was_visible(&self, change: &Change) -> bool {
        [&change.before, &change.after].into_iter().flatten().any(|audience| audience.admits(self.reader))
    }

    /// Whether the last step of an object alone would not tell that the reader could see it: for the error made on
    /// purpose.
    fn was_last_hidden(&self, (kind, id): Key) -> bool {
        let steps = self.edition.history(kind.stream()).map_or(&[][..], |history| history.steps());
        let mut changes = steps.iter().rev().flat_map(|step| &step.changes);
        changes.find(|change| (change.kind, change.id) == (kind, id)).is_some_and(|change| !self.was_visible(change))
    }

    /// Puts in an object as it is now; tells whether there is one.
    fn put(&mut self, key: Key, by_column: bool) -> bool {
        let Some(object) = render(self.edition, key, self.reader, self.language) else { return false };
        self.spend(object.get().len());
        let (kind, id) = key;
        match by_column {
            true => self.page.tables.entry(kind).or_default().push(object),
            false => self.page.put.push(PutBody { stream: kind.stream(), kind, id, object }),
        }
        true
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}
