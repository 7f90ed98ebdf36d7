//! What is right: every committed state, at every revision, for every reader; and the nine invariants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use domain::{Audience, Kind, Language, MissionId, Reader, Stream};
use serde_json::Value;
use uuid::Uuid;

use super::rows::{Change, Effect, State, apply, expected, seen, visible_to};
use super::statements::MISSIONS;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Invariant {
    NoMiss,
    GapFree,
    CommittedState,
    NeverBack,
    Replay,
    Audience,
    EveryChangeLogged,
    BacklogEnds,
    RewoundIsGone,
}

impl Invariant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoMiss => "no miss",
            Self::GapFree => "gap-free",
            Self::CommittedState => "every completed client state equals some committed server state",
            Self::NeverBack => "revisions never go back except after 410",
            Self::Replay => "replay changes nothing",
            Self::Audience => "no id or count outside the audience",
            Self::EveryChangeLogged => "every committed row change is logged",
            Self::BacklogEnds => "a backlog ends under continuous writes",
            Self::RewoundIsGone => "a rewound server answers 410, never 200",
        }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) invariant: Invariant,
    pub(super) detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}\n  {}", self.invariant.name(), self.detail)
    }
}

/// Breaks a promise.
pub(super) fn broken<T>(invariant: Invariant, detail: String) -> Result<T, Violation> {
    Err(Violation { invariant, detail })
}

/// A phone's copy.
pub(super) type Copy = BTreeMap<(Kind, Uuid), Value>;

/// The revisions of the published streams, in their order.
pub(super) type Revisions = [i64; 4];

/// A transaction in one stream, as the log tells it.
#[derive(Clone, Debug)]
pub(super) struct Logged {
    pub(super) xid: i64,
    pub(super) stream: Stream,
    pub(super) rev: i64,
    pub(super) nonce: Uuid,
    /// Each object once: who could see it before, and after.
    pub(super) entries: BTreeMap<(Kind, Uuid), (Option<String>, Option<String>)>,
}

/// The revisions of one history of the database.
#[derive(Clone, Default)]
pub(super) struct Timeline {
    at: HashMap<(Stream, i64), (Uuid, Arc<State>)>,
    /// Where the streams that are followed together have stood together.
    together: HashSet<[i64; 3]>,
    pub(super) heads: BTreeMap<Stream, i64>,
    /// The oldest revision that the log has.
    pub(super) kept: BTreeMap<Stream, i64>,
}

impl Timeline {
    pub(super) fn head(&self, stream: Stream) -> i64 {
        self.heads.get(&stream).copied().unwrap_or(0)
    }

    pub(super) fn nonce(&self, stream: Stream, rev: i64) -> Option<Uuid> {
        self.at.get(&(stream, rev)).map(|(nonce, _)| *nonce)
    }

    fn note_together(&mut self) {
        let at = [Stream::Notes, Stream::Costs, Stream::Directory].map(|stream| self.head(stream));
        self.together.insert(at);
    }
}

/// What there was at a moment.
#[derive(Clone, Default)]
pub(super) struct Moment {
    pub(super) state: State,
    pub(super) timeline: Timeline,
}

/// What is right.
#[derive(Default)]
pub(super) struct Oracle {
    pub(super) now: Moment,
    /// What there was before a restore that the process may not have noticed yet.
    pub(super) before: Option<Timeline>,
    /// Who could ever see what.
    ever: HashMap<(Kind, Uuid), Vec<Audience>>,
    /// The bodies at a transaction, as the first phone got them.
    bodies: HashMap<(Uuid, Reader, Language), Copy>,
    /// Whether the log is read and judged, too, or only what phones get.
    pub(super) reads_the_log: bool,
}

/// Everybody an audience tells apart.
pub(super) const READERS: [Reader; 4] = [
    Reader::Stranger,
    Reader::Mission(MissionId(MISSIONS[0])),
    Reader::Mission(MissionId(MISSIONS[1])),
    Reader::Secretariat,
];

/// What `reader` is to have of a stream.
pub(super) fn copy_of(state: &State, stream: Stream, reader: Reader, language: Language) -> Copy {
    let rows = state.iter().filter(|((kind, _), _)| kind.stream() == stream);
    rows.filter_map(|(key, row)| Some((*key, expected(state, row, reader, language)?))).collect()
}

impl Oracle {
    pub(super) fn new(reads_the_log: bool) -> Self {
        Self { reads_the_log, ..Self::default() }
    }

    /// Takes in what is new in the log: transactions whose effects are known by their ids, and others, which can
    /// only be the scheduler's.
    pub(super) fn absorb(
        &mut self,
        batch: Vec<Logged>,
        mut known: HashMap<i64, Vec<Change>>,
        expired: &HashSet<(i64, Uuid)>,
    ) -> Result<(), Violation> {
        if self.reads_the_log {
            self.check_gaps(&batch)?;
        }
        let mut units: BTreeMap<i64, Vec<Logged>> = BTreeMap::new();
        for logged in batch {
            units.entry(logged.xid).or_default().push(logged);
        }
        for (xid, changes) in known.iter().filter(|(xid, _)| !units.contains_key(xid)) {
            // Nothing that a reader could see.
            self.take(Vec::new(), changes.clone(), *xid)?;
        }
        while !units.is_empty() {
            let is_next = |unit: &[Logged]| {
                let others = units.values().flatten();
                others.clone().all(|o| unit.iter().all(|u| u.stream != o.stream || u.rev <= o.rev))
            };
            let xid = units.iter().find(|(_, unit)| is_next(unit)).or(units.iter().next()).map(|(xid, _)| *xid);
            let Some((xid, unit)) = xid.and_then(|xid| units.remove_entry(&xid)) else { break };
            let changes = match known.remove(&xid) {
                Some(mut changes) => {
                    // An import of bulletins also does what the scheduler does.
                    let by_the_way = self.by_the_clock(&unit, expired);
                    let own: HashSet<(Kind, Uuid)> = changes.iter().map(|(key, _)| *key).collect();
                    changes.extend(by_the_way.into_iter().filter(|(key, _)| !own.contains(key)));
                    changes
                }
                None => self.by_the_clock(&unit, expired),
            };
            self.take(unit, changes, xid)?;
        }
        Ok(())
    }

    fn check_gaps(&self, batch: &[Logged]) -> Result<(), Violation> {
        let mut revs: BTreeMap<Stream, Vec<i64>> = BTreeMap::new();
        batch.iter().for_each(|logged| revs.entry(logged.stream).or_default().push(logged.rev));
        for (stream, mut revs) in revs {
            revs.sort_unstable();
            let next = self.now.timeline.head(stream) + 1;
            if revs.iter().zip(next..).any(|(rev, wanted)| *rev != wanted) {
                return broken(Invariant::GapFree, format!("after {stream}={} came {revs:?}", next - 1));
            }
        }
        Ok(())
    }

    /// What the scheduler did in this transaction.
    fn by_the_clock(&self, unit: &[Logged], expired: &HashSet<(i64, Uuid)>) -> Vec<Change> {
        let mut changes = Vec::new();
        for logged in unit {
            for (key, (before, after)) in &logged.entries {
                let Some(row) = self.now.state.get(key) else { continue };
                if !row.published && before.is_none() && after.is_some() {
                    changes.push((*key, Effect::Published(true)));
                }
                if key.0 == Kind::Bulletin && expired.contains(&(logged.xid, key.1)) {
                    changes.push((*key, Effect::Expired(true)));
                }
            }
        }
        changes
    }

    fn take(&mut self, unit: Vec<Logged>, changes: Vec<Change>, xid: i64) -> Result<(), Violation> {
        let before = self.now.state.clone();
        apply(&mut self.now.state, &changes);
        let state = Arc::new(self.now.state.clone());
        let timeline = &mut self.now.timeline;
        for logged in &unit {
            timeline.at.insert((logged.stream, logged.rev), (logged.nonce, state.clone()));
            let head = timeline.heads.entry(logged.stream).or_default();
            *head = logged.rev.max(*head);
        }
        timeline.note_together();
        for (key, row) in state.iter() {
            if let Some(audience) = visible_to(row) {
                let ever = self.ever.entry(*key).or_default();
                if !ever.contains(audience) {
                    ever.push(audience.clone());
                }
            }
        }
        if self.reads_the_log { self.check_logged(&before, &unit, xid) } else { Ok(()) }
    }

    /// Every change that somebody could see is in the log, with who could see it before and after.
    fn check_logged(&self, before: &State, unit: &[Logged], xid: i64) -> Result<(), Violation> {
        let after = &self.now.state;
        let entry = |key: &(Kind, Uuid)| {
            unit.iter().find(|logged| logged.stream == key.0.stream()).and_then(|logged| logged.entries.get(key))
        };
        for stream in Stream::PUBLISHED {
            for reader in READERS {
                let [was, is] = [before, after].map(|state| copy_of(state, stream, reader, Language::Fr));
                let changed = was.keys().chain(is.keys()).filter(|key| was.get(key) != is.get(key));
                if let Some(key) = changed.into_iter().find(|key| entry(key).is_none()) {
                    let detail = format!(
                        "transaction {xid} changed {key:?} for {reader:?}, and the log does not say so: {:?} -> {:?}",
                        was.get(key),
                        is.get(key)
                    );
                    return broken(Invariant::EveryChangeLogged, detail);
                }
            }
        }
        for (key, told) in unit.iter().flat_map(|logged| &logged.entries) {
            let to = |state: &State| state.get(key).and_then(|row| visible_to(row)).map(Audience::to_string);
            let right = (to(before), to(after));
            if *told != right {
                let detail = format!("transaction {xid} on {key:?}: the log says {told:?}, right is {right:?}");
                return broken(Invariant::EveryChangeLogged, detail);
            }
        }
        Ok(())
    }

    /// Notes where the database stands, without any history.
    pub(super) fn begin(&mut self, heads: &[(Stream, i64, Uuid)]) {
        let state = Arc::new(self.now.state.clone());
        for (stream, rev, nonce) in heads {
            self.now.timeline.at.insert((*stream, *rev), (*nonce, state.clone()));
            self.now.timeline.heads.insert(*stream, *rev);
        }
        self.now.timeline.note_together();
    }

    /// The database is what it was at this moment.
    pub(super) fn restore(&mut self, moment: Moment) {
        let gone = std::mem::replace(&mut self.now, moment);
        // The process may have started when the log had less than the backup has.
        for (stream, rev) in &gone.timeline.kept {
            let kept = self.now.timeline.kept.entry(*stream).or_default();
            *kept = (*rev).max(*kept);
        }
        self.before = Some(gone.timeline);
    }

    /// Whether this reader could ever see this.
    pub(super) fn was_visible(&self, key: (Kind, Uuid), reader: Reader) -> bool {
        self.ever.get(&key).is_some_and(|ever| ever.iter().any(|audience| audience.admits(reader)))
    }

    /// A completed copy that stands at these revisions must be what was committed there. Returns the nonces of
    /// where it stands, as far as that is certain.
    pub(super) fn check(
        &mut self,
        copy: &Copy,
        at: Revisions,
        reader: Reader,
        language: Language,
    ) -> Result<[Option<Uuid>; 4], Violation> {
        let outcome = self.check_in(&self.now.timeline, copy, at, reader, language);
        let nonces = match (outcome, &self.before) {
            (Ok(nonces), None) => nonces.map(Some),
            (Err(violation), None) => return Err(violation),
            (outcome, Some(before)) => match (outcome, self.check_in(before, copy, at, reader, language)) {
                (Ok(now), Ok(before)) => std::array::from_fn(|n| (now[n] == before[n]).then_some(now[n])),
                (Ok(nonces), Err(_)) | (Err(_), Ok(nonces)) => nonces.map(Some),
                (Err(now), Err(before)) => {
                    let detail = format!("{}\n  and in the history before: {}", now.detail, before.detail);
                    return broken(now.invariant, detail);
                }
            },
        };
        for (stream, nonce) in Stream::PUBLISHED.into_iter().zip(nonces) {
            let Some(nonce) = nonce else { continue };
            let part: Copy =
                copy.iter().filter(|((kind, _), _)| kind.stream() == stream).map(|(k, v)| (*k, v.clone())).collect();
            let first = self.bodies.entry((nonce, reader, language)).or_insert_with(|| part.clone());
            if let Some(key) = first.keys().chain(part.keys()).find(|key| first.get(key) != part.get(key)) {
                let detail = format!(
                    "two copies of {stream} at one revision differ in {key:?}: {:?} and {:?}",
                    first.get(key),
                    part.get(key)
                );
                return broken(Invariant::CommittedState, detail);
            }
        }
        Ok(nonces)
    }

    fn check_in(
        &self,
        timeline: &Timeline,
        copy: &Copy,
        at: Revisions,
        reader: Reader,
        language: Language,
    ) -> Result<[Uuid; 4], Violation> {
        let mut nonces = [Uuid::nil(); 4];
        for ((stream, rev), nonce) in Stream::PUBLISHED.into_iter().zip(at).zip(&mut nonces) {
            let Some((at, state)) = timeline.at.get(&(stream, rev)) else {
                return broken(Invariant::CommittedState, format!("no transaction was {stream}={rev}"));
            };
            *nonce = *at;
            self.compare(copy, state, stream, reader, language)?;
        }
        let together = [at[1], at[2], at[3]];
        if self.reads_the_log && !timeline.together.contains(&together) {
            let detail = format!("notes, costs and directory never stood at {together:?} together");
            return broken(Invariant::CommittedState, detail);
        }
        Ok(nonces)
    }

    /// Whether the part of a copy is what `reader` is to have of this state.
    pub(super) fn compare(
        &self,
        copy: &Copy,
        state: &State,
        stream: Stream,
        reader: Reader,
        language: Language,
    ) -> Result<(), Violation> {
        let right = copy_of(state, stream, reader, language);
        for (key, wanted) in &right {
            let Some(body) = copy.get(key) else {
                return broken(Invariant::NoMiss, format!("{reader:?} lacks {key:?}: {wanted}"));
            };
            let has = seen(key.0, body);
            if has != *wanted {
                // An older body: a change was missed.
                let was = |(_, state): &(Uuid, Arc<State>)| {
                    state.get(key).and_then(|row| expected(state, row, reader, language)).is_some_and(|was| was == has)
                };
                let missed = self.now.timeline.at.values().any(was);
                let invariant = if missed { Invariant::NoMiss } else { Invariant::CommittedState };
                return broken(invariant, format!("{reader:?} has of {key:?} {has}, right is {wanted}"));
            }
        }
        let more = copy.keys().filter(|key| key.0.stream() == stream).find(|key| !right.contains_key(key));
        match more {
            Some(key)
                if state.get(key).is_some_and(|row| visible_to(row).is_some()) || !self.was_visible(*key, reader) =>
            {
                broken(Invariant::Audience, format!("{reader:?} has {key:?}, which is not for them"))
            }
            Some(key) => broken(Invariant::NoMiss, format!("{reader:?} still has {key:?}, which is gone")),
            None => Ok(()),
        }
    }
}
