//! What all authenticated readers may see, by language: made ready in the background for first copies.
//!
//! A base is made when somebody asks for its language, and made again when something has changed, at most every ten
//! minutes. What is in it may be as old. So a chunk is not used any more from the moment on at which something in it
//! lost its audience: what it would have had is then made for each request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::ContentEncoding;
use actix_web::web;
use arc_swap::{ArcSwap, ArcSwapOption};
use serde_json::value::RawValue;
use tokio::sync::{Notify, watch};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use super::codings::{Beginning, Levels};
use super::pages::render;
use super::tables::Table;
use super::token::{Key, Phase, Token};
use crate::objects::Object;
use crate::state::State;
use domain::{Audience, Kind, Language, MissionId, Position, Reader, Stream};
use edition::Edition;

/// Nobody is of this mission, and no audience can name it: it sees what all missions see.
static COMMON: LazyLock<Reader> = LazyLock::new(|| Reader::Mission(MissionId(Uuid::new_v4())));

/// A language that nobody has asked for is forgotten.
const UNUSED: Duration = Duration::from_secs(24 * 3600);

/// How often is looked whether a base has become old.
const TICK: Duration = Duration::from_secs(5);

/// How large things are, and how often they are made again. Tests have other wishes than servers.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// The objects of a page, in bytes by row and before they are compressed.
    pub page_bytes: usize,
    /// The objects of a chunk, in bytes by row and before they are compressed.
    pub chunk_bytes: usize,
    /// A stream of fewer bytes has no chunk.
    pub least_bytes: usize,
    /// The least time between two bases of a language.
    pub period: Duration,
    /// How hard to compress.
    pub levels: Levels,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            page_bytes: 2 << 20,
            chunk_bytes: 4 << 20,
            least_bytes: 64 << 10,
            period: Duration::from_secs(600),
            levels: Levels { brotli: 11, zstd: 19, gzip: 9 },
        }
    }
}

/// The bases of all languages.
#[derive(Default)]
pub struct Bases {
    languages: [Slot; Language::ALL.len()],
    asked: Notify,
    tuning: ArcSwap<Tuning>,
}

#[derive(Default)]
struct Slot {
    base: ArcSwapOption<Base>,
    /// When somebody last asked, in seconds since the process asked itself for the first time; 0 for never.
    asked: AtomicU64,
}

/// Everything that all authenticated readers may see, in one language.
pub struct Base {
    positions: [(Stream, Position); 4],
    made: Instant,
    /// In their order.
    chunks: Vec<Arc<Chunk>>,
    /// What some readers see that is not in the chunks, or see otherwise; in order.
    rest: Vec<Key>,
    vetted: Mutex<Vetted>,
}

/// Which chunks may still be used.
struct Vetted {
    positions: [(Stream, Position); 4],
    /// Something in them has lost its audience.
    withdrawn: Vec<bool>,
}

/// A part of a base.
pub struct Chunk {
    /// It has what there was from here on.
    start: Key,
    /// Up to here, where the next part begins; none at the end of everything.
    pub next: Option<Key>,
    hash: u128,
    zstd: Beginning,
    gzip: Beginning,
    /// It takes longest, so the others do not wait for it.
    brotli: OnceLock<Beginning>,
}

/// A chunk whose text is written but not compressed.
struct Draft {
    start: Key,
    text: Vec<u8>,
}

impl Bases {
    /// The base of a language, and that somebody has asked for it.
    pub fn get(&self, language: Language) -> Option<Arc<Base>> {
        let slot = &self.languages[language as usize];
        let base = slot.base.load_full();
        if slot.asked.swap(seconds(), Ordering::Relaxed) == 0 || base.is_none() {
            self.asked.notify_one();
        }
        base
    }

    /// How large things are.
    pub fn tuning(&self) -> Tuning {
        **self.tuning.load()
    }

    /// Changes that: for tests.
    pub fn tune(&self, tuning: Tuning) {
        self.tuning.store(Arc::new(tuning));
    }

    /// Whether there is a base of a language, in all codings.
    pub fn is_ready(&self, language: Language) -> bool {
        let base = self.languages[language as usize].base.load();
        base.as_ref().is_some_and(|base| base.chunks.iter().all(|chunk| chunk.brotli.get().is_some()))
    }

    /// A language whose base is to be made.
    fn due(&self, edition: &Edition) -> Option<Language> {
        let period = self.tuning().period;
        Language::ALL.into_iter().find(|language| {
            let slot = &self.languages[*language as usize];
            let asked = slot.asked.load(Ordering::Relaxed);
            if asked == 0 || seconds().saturating_sub(asked) > UNUSED.as_secs() {
                slot.base.store(None);
                return false;
            }
            slot.base.load().as_ref().is_none_or(|base| {
                !base.is_continued_by(edition) || (base.made.elapsed() >= period && !base.is_new(edition))
            })
        })
    }

    /// A chunk that is not yet in all codings.
    fn unfinished(&self) -> Option<Arc<Chunk>> {
        self.languages.iter().find_map(|slot| {
            let base = slot.base.load_full()?;
            base.chunks.iter().find(|chunk| chunk.brotli.get().is_none()).cloned()
        })
    }
}

/// Seconds since this was first asked, from 1.
fn seconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs() + 1
}

/// Keeps the bases until `stop` says so: one piece of work at a time, with a rest behind each.
pub async fn keep(state: web::Data<State>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let pace = Pace::new(stop.clone());
        tokio::select! {
            () = work(&state, pace) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// How hard one works in the background.
pub struct Pace {
    stop: watch::Receiver<bool>,
}

impl Pace {
    /// Until `stop` says so.
    pub fn new(stop: watch::Receiver<bool>) -> Self {
        Self { stop }
    }

    /// After a piece of work that began at `started`: rests as long as it took. Fails when it is time to stop.
    fn rest(&self, started: Instant) -> std::io::Result<()> {
        std::thread::sleep(started.elapsed().min(TICK));
        match *self.stop.borrow() {
            true => Err(std::io::ErrorKind::Interrupted.into()),
            false => Ok(()),
        }
    }
}

async fn work(state: &web::Data<State>, pace: Pace) {
    let bases = &state.bases;
    let is_fit = state.store.is_ready() && !state.store.is_rebuilding();
    let due = is_fit.then(|| bases.due(&state.store.edition())).flatten();
    let done = match (due, bases.unfinished()) {
        (Some(language), _) => {
            let edition = state.store.edition().clone();
            let slot = bases.languages[language as usize].base.load_full();
            let tuning = bases.tuning();
            let state = state.clone();
            tokio::task::spawn_blocking(move || {
                let base = Base::make(edition, language, slot.as_deref(), tuning, &pace)?;
                tracing::debug!(%language, chunks = base.chunks.len(), rest = base.rest.len(), "a base was made");
                state.bases.languages[language as usize].base.store(Some(Arc::new(base)));
                Ok(())
            })
            .await
        }
        (None, Some(chunk)) => {
            let levels = bases.tuning().levels;
            tokio::task::spawn_blocking(move || chunk.finish(levels, &pace)).await
        }
        (None, None) => {
            let _ = tokio::time::timeout(TICK.min(bases.tuning().period), bases.asked.notified()).await;
            return;
        }
    };
    match done {
        Ok(Ok(())) => return,
        Ok(Err(cause)) if cause.kind() == std::io::ErrorKind::Interrupted => return,
        Ok(Err(cause)) => tracing::error!(%cause, "no base could be made"),
        Err(cause) => tracing::error!(%cause, "no base could be made"),
    }
    tokio::time::sleep(TICK).await;
}

impl Base {
    /// Makes the base of an edition, which is given up before anything is compressed. What is in a chunk of `before`
    /// is not compressed again.
    pub fn make(
        edition: Arc<Edition>,
        language: Language,
        before: Option<&Self>,
        tuning: Tuning,
        pace: &Pace,
    ) -> std::io::Result<Self> {
        let made = Instant::now();
        let positions = positions(&edition);
        let (drafts, rest) = write(&edition, language, before, tuning)?;
        drop(edition);
        pace.rest(made)?;
        let known: HashMap<u128, &Arc<Chunk>> =
            before.iter().flat_map(|base| &base.chunks).map(|chunk| (chunk.hash, chunk)).collect();
        let nexts = drafts.iter().skip(1).map(|draft| Some(draft.start)).chain([None]).collect::<Vec<_>>();
        let mut chunks = Vec::with_capacity(drafts.len());
        for (Draft { start, text }, next) in drafts.into_iter().zip(nexts) {
            // Where the stream's next chunk begins; else where the next stream does.
            let next = next.filter(|(kind, _)| kind.stream() == start.0.stream()).or_else(|| behind(start.0.stream()));
            let hash = xxh3_128(&text);
            let chunk = match known.get(&hash).filter(|chunk| (chunk.start, chunk.next) == (start, next)) {
                Some(chunk) => Arc::clone(chunk),
                None => {
                    let started = Instant::now();
                    let chunk = Chunk::compress(start, next, hash, &text, tuning.levels)?;
                    pace.rest(started)?;
                    Arc::new(chunk)
                }
            };
            chunks.push(chunk);
        }
        let vetted = Mutex::new(Vetted { positions, withdrawn: vec![false; chunks.len()] });
        Ok(Self { positions, made, chunks, rest, vetted })
    }

    /// Whether it may be used for this reader with this edition.
    pub fn serves(&self, edition: &Edition, reader: Reader) -> bool {
        reader != Reader::Stranger && self.is_continued_by(edition)
    }

    /// Whether the edition's history has the base's positions.
    fn is_continued_by(&self, edition: &Edition) -> bool {
        let known = |(stream, at)| edition.history(stream).is_some_and(|history| history.since(at).is_ok());
        self.positions.into_iter().all(known)
    }

    fn is_new(&self, edition: &Edition) -> bool {
        self.positions == positions(edition)
    }

    /// The chunk that a copy goes on with.
    pub fn chunk(&self, edition: &Edition, token: &Token) -> Option<Arc<Chunk>> {
        let Phase::All { from, .. } = token.phase else { return None };
        let from = first_missing(from, token)?;
        let n = self.chunks.binary_search_by_key(&from, |chunk| chunk.start).ok()?;
        (!self.is_withdrawn(edition, n)).then(|| self.chunks[n].clone())
    }

    /// Where the next chunk behind a place begins.
    pub fn next_start(&self, from: Key) -> Option<Key> {
        self.chunks.iter().map(|chunk| chunk.start).find(|start| *start > from)
    }

    /// What is not in the chunks, from a place on.
    pub fn rest(&self, from: Key) -> impl Iterator<Item = Key> {
        let first = self.rest.partition_point(|key| *key < from);
        self.rest[first..].iter().copied()
    }

    /// Moves a token back to where the base stands: what has changed since then is to come.
    pub fn lower(&self, token: &mut Token) {
        for (stream, at) in self.positions {
            if token.missing.has(stream) && at.rev < token.position(stream).rev {
                token.set_position(stream, at);
            }
        }
    }

    /// Whether something in a chunk has lost its audience since.
    fn is_withdrawn(&self, edition: &Edition, n: usize) -> bool {
        let mut vetted = self.vetted.lock().unwrap_or_else(PoisonError::into_inner);
        let Vetted { positions, withdrawn } = &mut *vetted;
        for (vetted, (stream, made)) in positions.iter_mut().zip(self.positions) {
            let Some(history) = edition.history(stream).filter(|history| history.head() != vetted.1) else { continue };
            // Another request may have had a newer edition: what it found stays found.
            let Ok(steps) = history.since(vetted.1).or_else(|_| history.since(made)) else { return true };
            let is_common = |audience: &Option<Audience>| audience.as_ref().is_some_and(|a| a.admits(*COMMON));
            for change in steps.iter().flat_map(|step| &step.changes) {
                if is_common(&change.before) && !is_common(&change.after) {
                    let behind = self.chunks.partition_point(|chunk| chunk.start <= (change.kind, change.id));
                    behind.checked_sub(1).into_iter().for_each(|n| withdrawn[n] = true);
                }
            }
            vetted.1 = history.head();
        }
        withdrawn[n]
    }
}

fn positions(edition: &Edition) -> [(Stream, Position); 4] {
    let none = Position { rev: 0, nonce: Uuid::nil() };
    Stream::PUBLISHED.map(|stream| (stream, edition.position(stream).unwrap_or(none)))
}

/// A place in the order, or the first behind it that is missing.
fn first_missing(from: Key, token: &Token) -> Option<Key> {
    let kind = Kind::ALL.into_iter().find(|kind| *kind >= from.0 && token.missing.has(kind.stream()))?;
    Some(if kind == from.0 { from } else { (kind, Uuid::nil()) })
}

/// Where the streams behind a stream begin.
fn behind(stream: Stream) -> Option<Key> {
    let kind = Kind::ALL.into_iter().skip_while(|kind| kind.stream() != stream).find(|kind| kind.stream() != stream)?;
    Some((kind, Uuid::nil()))
}

/// Writes the chunks of an edition, and tells what is not in them. Where the base before began a chunk one begins
/// again, so that a chunk in which nothing has changed is the same.
fn write(
    edition: &Edition,
    language: Language,
    before: Option<&Base>,
    tuning: Tuning,
) -> std::io::Result<(Vec<Draft>, Vec<Key>)> {
    let mut rest = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    for stream in Kind::ALL.map(Kind::stream).into_iter().collect::<std::collections::BTreeSet<_>>() {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.stream() == stream);
        let mut keys: Vec<Key> =
            kinds.flat_map(|kind| Object::ids(edition, kind, Reader::Secretariat).map(move |id| (kind, id))).collect();
        keys.sort_unstable();
        let Some(first) = Kind::ALL.into_iter().find(|kind| kind.stream() == stream) else { continue };
        let starts = before.iter().flat_map(|base| &base.chunks).map(|chunk| chunk.start);
        let mut cuts =
            starts.filter(|(kind, id)| kind.stream() == stream && !(*kind == first && id.is_nil())).peekable();
        let longest = if cuts.peek().is_some() { 2 * tuning.chunk_bytes } else { tuning.chunk_bytes };
        let mut writing = Writing { start: (first, Uuid::nil()), bytes: 0, objects: Vec::new() };
        for (n, key) in keys.into_iter().enumerate() {
            if n % 256 == 0 {
                std::thread::yield_now();
            }
            let common = render(edition, key, *COMMON, language);
            let whole = render(edition, key, Reader::Secretariat, language);
            if common.as_deref().map(RawValue::get) != whole.as_deref().map(RawValue::get) {
                rest.push(key);
            }
            let Some(object) = common else { continue };
            let mut start = cuts.next_if(|cut| *cut <= key);
            while let Some(later) = cuts.next_if(|cut| *cut <= key) {
                start = Some(later);
            }
            let is_cut = start.is_some() && writing.bytes > tuning.chunk_bytes / 4;
            if is_cut || writing.bytes + object.get().len() > longest {
                drafts.push(writing.end(start.filter(|_| is_cut).unwrap_or(key))?);
            }
            writing.bytes += object.get().len();
            writing.objects.push((key.0, object));
        }
        let has_chunks = drafts.last().is_some_and(|draft| draft.start.0.stream() == stream);
        if has_chunks || writing.bytes >= tuning.least_bytes {
            drafts.push(writing.end((first, Uuid::nil()))?);
        }
    }
    drafts.sort_by_key(|draft| draft.start);
    rest.sort_unstable();
    Ok((drafts, rest))
}

/// A chunk in the making.
struct Writing {
    start: Key,
    bytes: usize,
    objects: Vec<(Kind, Box<RawValue>)>,
}

impl Writing {
    /// Ends the chunk, and begins the next.
    fn end(&mut self, next: Key) -> std::io::Result<Draft> {
        let objects = std::mem::take(&mut self.objects);
        let mut text = br#"{"put":[],"remove":[],"complete":false,"tables":["#.to_vec();
        let mut tables = std::collections::BTreeMap::<Kind, Vec<Box<RawValue>>>::new();
        objects.into_iter().for_each(|(kind, object)| tables.entry(kind).or_default().push(object));
        for (n, (kind, objects)) in tables.into_iter().enumerate() {
            if n > 0 {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, &Table::new(kind, &objects)?)?;
        }
        text.extend(br#"],"token":""#);
        self.bytes = 0;
        Ok(Draft { start: std::mem::replace(&mut self.start, next), text })
    }
}

impl Chunk {
    fn compress(start: Key, next: Option<Key>, hash: u128, text: &[u8], levels: Levels) -> std::io::Result<Self> {
        let zstd = Beginning::new(ContentEncoding::Zstd, text, levels)?;
        let gzip = Beginning::new(ContentEncoding::Gzip, text, levels)?;
        Ok(Self { start, next, hash, zstd, gzip, brotli: OnceLock::new() })
    }

    fn finish(&self, levels: Levels, pace: &Pace) -> std::io::Result<()> {
        let started = Instant::now();
        let brotli = Beginning::new(ContentEncoding::Brotli, &self.text()?, levels)?;
        let _ = self.brotli.set(brotli);
        pace.rest(started)
    }

    /// The codings that are ready, the smallest first.
    pub fn codings(&self) -> impl Iterator<Item = &Beginning> {
        self.brotli.get().into_iter().chain([&self.zstd, &self.gzip])
    }

    /// The text up to the token.
    pub fn text(&self) -> std::io::Result<Vec<u8>> {
        self.zstd.text()
    }
}
