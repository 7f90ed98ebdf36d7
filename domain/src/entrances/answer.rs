//! The state of a place at a moment for a pass, and why.

use chrono::{DateTime, Utc};

use super::{Opening, OpeningState, Outside, Pass, Passes, Place, Screening};
use crate::Reader;
use crate::bulletins::{Bulletin, Register};
use crate::codes::codes;
use crate::moment::Moment;

codes! {
    /// The state of a place for a pass, the strictest last. Only the first two let its holder in.
    State {
        /// Its holder is let in.
        Open = "open",
        /// Its holder is let in under the conditions that the basis names.
        Restricted = "restricted",
        /// No source says. Never to be shown as open.
        Unknown = "unknown",
        /// Its holder is not let in.
        Closed = "closed",
    }
}

codes! {
    /// Why a place is in a state.
    Reason {
        /// A source says so of everybody.
        SaidOfAll = "said_of_all",
        /// A source says so of this pass.
        SaidOfThisPass = "said_of_this_pass",
        /// A source sends holders of this pass to another place.
        DirectedElsewhere = "directed_elsewhere",
        /// A source reserves the place for others, without saying what becomes of this pass.
        ReservedForOthers = "reserved_for_others",
        /// It is outside the opening hours that a source gives.
        OutsideHours = "outside_hours",
        /// No source speaks of this pass at this moment.
        NoSourceSpeaks = "no_source_speaks",
        /// Sources disagree; the strictest is followed.
        SourcesDisagree = "sources_disagree",
    }
}

/// An opening that speaks of the pass at the moment, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis<'a> {
    /// The opening.
    pub opening: &'a Opening,
    /// Its place among the openings of the place, from 0.
    pub position: usize,
    /// The bulletin it rests on.
    pub bulletin: Option<&'a Bulletin>,
    /// From when it holds, by its own words or its bulletin's.
    pub from: Option<&'a Moment>,
    /// Until when it holds, by its own words, its bulletin's expiry or what followed the bulletin.
    pub until: Option<&'a Moment>,
    /// What it says of the pass; unknown when it reserves the place for others.
    pub says: State,
    /// Why.
    pub reason: Reason,
}

/// The state of a place at a moment for a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The state.
    pub state: State,
    /// Whether its holder is searched: required as soon as one source that lets them in says so.
    pub screening: Screening,
    /// Why, each reason once.
    pub reasons: Vec<Reason>,
    /// The openings that speak, those that decided first.
    pub basis: Vec<Basis<'a>>,
    /// Until when nothing about this answer changes, as far as is known now; `None`: no end is known.
    pub until: Option<DateTime<Utc>>,
}

impl Basis<'_> {
    /// What tells it from the others of its place.
    fn key(&self) -> (usize, State, Reason) {
        (self.position, self.says, self.reason)
    }

    /// Whether it comes from the same source as another.
    fn same_source(&self, other: &Basis<'_>) -> bool {
        match (self.bulletin, other.bulletin) {
            (Some(mine), Some(theirs)) => mine.id == theirs.id,
            (None, None) => self.opening.provenance.citation == other.opening.provenance.citation,
            _ => false,
        }
    }

    /// Whether it gives way to `other`.
    fn gives_way_to(&self, other: &Basis<'_>) -> bool {
        let superseded = match (self.bulletin, other.bulletin) {
            (Some(mine), Some(theirs)) => mine.issuer.code() == theirs.issuer.code() && mine.sent.at < theirs.sent.at,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let left_open = self.reason == Reason::ReservedForOthers && other.reason != Reason::ReservedForOthers;
        superseded || (left_open && self.same_source(other))
    }
}

impl Answer<'_> {
    /// Whether sources disagree about the state.
    pub fn conflict(&self) -> bool {
        self.reasons.contains(&Reason::SourcesDisagree)
    }
}

impl Place {
    /// The state at `at` for the holder of `pass`, as far as `reader` may know.
    ///
    /// 1. An opening *holds* in its period. An end that is missing is that of its bulletin (onset,
    ///    else sent; expiry), and it never outlasts its bulletin: expiry, update and cancellation
    ///    end it. One that rests on a bulletin which `reader` may not see does not exist for them.
    /// 2. An opening that holds *speaks* of the passes it names: open, restricted or closed.
    ///    `restricted` lets them in, under a condition. Passes it directs elsewhere are told closed.
    ///    Outside its hours it says closed when they are opening hours, else nothing.
    /// 3. Of other passes it is silent, unless it is `restricted`: then the place is reserved, and of
    ///    them it says unknown. A source that does not name a pass has not refused it, but nobody
    ///    may rely any longer on what others said. Another opening of the same source may name them.
    /// 4. Of the openings that speak, those of a bulletin give way to those of a later bulletin of
    ///    the same issuer, and standing arrangements, which rest on none, to any bulletin.
    /// 5. Of what is left the strictest is followed: closed, unknown, restricted, open. When they
    ///    differ the answer says so and shows them all. When nothing is left the state is unknown.
    ///
    /// `register` holds every published bulletin; `at` must lie in [`crate::moment::YEARS`].
    pub fn state_at<'a>(&'a self, at: DateTime<Utc>, pass: Pass, register: &'a Register, reader: Reader) -> Answer<'a> {
        let voices: Vec<_> = self.voices(register, reader).collect();
        let mut answer = self.judge(&voices, at, pass);
        let mut now = at;
        // A superseded opening's hours may begin and end for months without changing the answer.
        for _ in 0..1_000 {
            let Some(next) = voices.iter().filter_map(|v| v.next_edge(now, self)).min() else {
                answer.until = None;
                break;
            };
            answer.until = Some(next);
            let then = self.judge(&voices, next, pass);
            if !then.basis.iter().map(Basis::key).eq(answer.basis.iter().map(Basis::key)) {
                break;
            }
            now = next;
        }
        answer
    }

    fn voices<'a>(&'a self, register: &'a Register, reader: Reader) -> impl Iterator<Item = Voice<'a>> {
        self.openings.iter().enumerate().filter_map(move |(position, opening)| {
            let bulletin = match opening.basis {
                Some(id) => Some(&**register.get(id, reader)?),
                None => None,
            };
            let (mut from, mut until) = (opening.period.from.as_ref(), opening.period.until.as_ref());
            if let Some(bulletin) = bulletin {
                from = from.or(Some(bulletin.begins()));
                until = [until, register.ends(bulletin, reader)].into_iter().flatten().min_by_key(|m| m.at);
            }
            Some(Voice { opening, position, bulletin, from, until })
        })
    }

    fn judge<'a>(&self, voices: &[Voice<'a>], at: DateTime<Utc>, pass: Pass) -> Answer<'a> {
        let spoken: Vec<Basis<'a>> = voices.iter().filter_map(|v| v.speak(at, pass, self)).collect();
        let mut basis: Vec<_> = spoken.iter().filter(|b| !spoken.iter().any(|o| b.gives_way_to(o))).copied().collect();
        basis.sort_by_key(|b| (std::cmp::Reverse(b.says), b.position));
        let Some(state) = basis.first().map(|b| b.says) else {
            let reasons = vec![Reason::NoSourceSpeaks];
            return Answer { state: State::Unknown, screening: Screening::Unknown, reasons, basis, until: None };
        };
        let mut reasons = Vec::new();
        let disagree = basis.iter().any(|b| b.says != state).then_some(Reason::SourcesDisagree);
        for reason in basis.iter().filter(|b| b.says == state).map(|b| b.reason).chain(disagree) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let lets_in = |b: &&Basis<'_>| matches!(b.says, State::Open | State::Restricted);
        let said = |screening| basis.iter().filter(lets_in).any(|b| b.opening.screening == screening);
        let screening = match () {
            () if said(Screening::Required) => Screening::Required,
            () if said(Screening::NotRequired) => Screening::NotRequired,
            () => Screening::Unknown,
        };
        Answer { state, screening, reasons, basis, until: None }
    }

    /// The openings that `reader` may know: those that rest on no bulletin or on one they may see.
    pub fn openings_for<'a>(&'a self, register: &'a Register, reader: Reader) -> impl Iterator<Item = &'a Opening> {
        self.voices(register, reader).map(|v| v.opening)
    }
}

/// An opening as a reader knows it, with the period in which it holds.
struct Voice<'a> {
    opening: &'a Opening,
    position: usize,
    bulletin: Option<&'a Bulletin>,
    from: Option<&'a Moment>,
    until: Option<&'a Moment>,
}

impl<'a> Voice<'a> {
    fn speak(&self, at: DateTime<Utc>, pass: Pass, place: &Place) -> Option<Basis<'a>> {
        let opening = self.opening;
        if !self.holds(at) {
            return None;
        }
        let state = match opening.state {
            OpeningState::Open => State::Open,
            OpeningState::Restricted => State::Restricted,
            OpeningState::Closed => State::Closed,
        };
        let (says, reason) = match &opening.passes {
            Passes::All => (state, Reason::SaidOfAll),
            Passes::Only(named) if named.contains(&pass) => (state, Reason::SaidOfThisPass),
            Passes::Only(_) if opening.directed_elsewhere.contains(&pass) => (State::Closed, Reason::DirectedElsewhere),
            Passes::Only(_) if state == State::Restricted => (State::Unknown, Reason::ReservedForOthers),
            Passes::Only(_) => return None,
        };
        let (says, reason) = match &opening.hours {
            Some(hours) if !hours.contain(at, place.time_zone) => match hours.outside {
                Outside::Closed => (State::Closed, Reason::OutsideHours),
                Outside::Unknown => return None,
            },
            _ => (says, reason),
        };
        let Self { position, bulletin, from, until, .. } = *self;
        Some(Basis { opening, position, bulletin, from, until, says, reason })
    }

    /// The next instant after `at` at which it may say something else.
    fn next_edge(&self, at: DateTime<Utc>, place: &Place) -> Option<DateTime<Utc>> {
        let hours = match &self.opening.hours {
            Some(hours) if self.holds(at) => hours.next_edge(at, place.time_zone),
            _ => None,
        };
        let ends = [self.from, self.until].map(|m| m.map(|m| m.at));
        ends.into_iter().chain([hours]).flatten().filter(|t| *t > at).min()
    }

    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from.at <= at) && self.until.is_none_or(|until| at < until.at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{DailyHours, Hours, Period, PlaceId, PlaceKind, Terms};
    use super::*;
    use crate::bulletins::tests::{alert, at, follow_up, id};
    use crate::bulletins::{Contents, Issuer, MessageType};
    use crate::{Audience, Confidence, DutyStation, Language, Localized, Provenance};
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const NOON: &str = "2016-04-21T12:00:00-04:00";

    fn only(passes: &[Pass]) -> Passes {
        Passes::Only(passes.iter().copied().collect())
    }

    fn terms(state: OpeningState, passes: Passes) -> Terms {
        Terms {
            state,
            passes,
            directed_elsewhere: [].into(),
            period: Period::default(),
            hours: None,
            screening: Screening::Unknown,
            note: Some(Localized::only(Language::En, "Show your pass")),
            basis: None,
            provenance: Provenance { confidence: Confidence::Sample, citation: None, as_of: None },
        }
    }

    /// Terms that rest on day `n`'s bulletin.
    fn says(n: u8, state: OpeningState, passes: Passes) -> Terms {
        Terms { basis: Some(id(n.into())), ..terms(state, passes) }
    }

    fn place(openings: impl IntoIterator<Item = Terms>) -> Place {
        Place {
            id: PlaceId(uuid::Uuid::nil()),
            kind: PlaceKind::Entrance,
            duty_station: DutyStation::parse("NY").unwrap(),
            time_zone: chrono_tz::America::New_York,
            name: Localized::only(Language::En, "Gate"),
            other_names: vec![],
            address: None,
            audience: Audience::Public,
            openings: openings.into_iter().map(|t| Opening::parse(t).unwrap()).collect(),
            provenance: Provenance { confidence: Confidence::Sample, citation: None, as_of: None },
        }
    }

    fn register(contents: impl IntoIterator<Item = Contents>) -> Register {
        Register::new(contents.into_iter().map(|c| Arc::new(Bulletin::parse(c).unwrap())))
    }

    fn by(issuer: &str, contents: Contents) -> Contents {
        Contents { issuer: Issuer::parse(issuer, &[("en".into(), issuer.into())].into()).unwrap(), ..contents }
    }

    fn state(place: &Place, register: &Register, time: &str, pass: Pass) -> State {
        place.state_at(at(time), pass, register, Reader::Stranger).state
    }

    #[test]
    fn no_data_is_never_open() {
        let answer = place([]);
        let register = register([]);
        let answer = answer.state_at(at(NOON), Pass::Delegate, &register, Reader::Stranger);
        assert_eq!((answer.state, answer.reasons, answer.until), (State::Unknown, vec![Reason::NoSourceSpeaks], None));
    }

    #[test]
    fn on_21_april_2016_delegates_and_media_are_answered_by_their_own_entrances() {
        let register = register([alert(19)]);
        let sent_elsewhere = |passes: &[Pass]| passes.iter().copied().collect();
        let southern = Terms {
            directed_elsewhere: sent_elsewhere(&[Pass::Media, Pass::Staff]),
            ..says(19, OpeningState::Restricted, only(&[Pass::Vip, Pass::Delegate]))
        };
        let media = Terms {
            directed_elsewhere: sent_elsewhere(&[Pass::Vip, Pass::Delegate, Pass::Staff]),
            screening: Screening::Required,
            ..says(19, OpeningState::Restricted, only(&[Pass::Media]))
        };
        let staff = says(19, OpeningState::Open, only(&[Pass::Staff]));
        let places = [southern, media, staff].map(|t| place([t]));
        let morning = "2016-04-21T09:00:00-04:00";
        let states = |pass| places.each_ref().map(|p| state(p, &register, morning, pass));
        assert_eq!(states(Pass::Delegate), [State::Restricted, State::Closed, State::Unknown]);
        assert_eq!(states(Pass::Media), [State::Closed, State::Restricted, State::Unknown]);
        assert_eq!(states(Pass::Retiree), [State::Unknown, State::Unknown, State::Unknown]);
        let answer = places[1].state_at(at(morning), Pass::Media, &register, Reader::Stranger);
        assert_eq!((answer.screening, answer.basis[0].bulletin.map(|b| b.id)), (Screening::Required, Some(id(19))));
        let answer = places[1].state_at(at(morning), Pass::Delegate, &register, Reader::Stranger);
        assert_eq!(answer.screening, Screening::Unknown, "nobody is searched who is not let in");
    }

    #[test]
    fn a_garage_closed_to_all_is_closed_to_delegates_until_it_reopens() {
        let exact = |text| Some(Moment::exact(at(text)));
        let period = Period { from: exact("2016-04-20T20:00:00-04:00"), until: exact("2016-04-21T04:00:00-04:00") };
        let garage = place([Terms { period, ..says(19, OpeningState::Closed, Passes::All) }]);
        let register = register([alert(19)]);
        let answer = garage.state_at(at("2016-04-21T03:00:00-04:00"), Pass::Delegate, &register, Reader::Stranger);
        assert_eq!((answer.state, answer.until), (State::Closed, Some(at("2016-04-21T04:00:00-04:00"))));
        assert_eq!(state(&garage, &register, "2016-04-21T04:00:00-04:00", Pass::Delegate), State::Unknown);
    }

    #[test]
    fn an_opening_ends_with_its_bulletin() {
        let gate = place([says(1, OpeningState::Open, Passes::All)]);
        let expires = Some(Moment::exact(at("2016-04-09T00:00:00Z")));
        let register = |more: &[Contents]| {
            self::register([Contents { expires: expires.clone(), ..alert(1) }].into_iter().chain(more.to_vec()))
        };
        let states = |r: &Register| {
            ["2016-04-02T00:00:00Z", "2016-04-05T00:00:00Z", "2016-04-09T00:00:00Z"]
                .map(|t| state(&gate, r, t, Pass::Staff))
        };
        assert_eq!(states(&register(&[])), [State::Open, State::Open, State::Unknown]);
        for message_type in [MessageType::Cancel, MessageType::Update] {
            let followed = register(&[follow_up(4, message_type, 1)]);
            assert_eq!(states(&followed), [State::Open, State::Unknown, State::Unknown]);
        }
        assert_eq!(state(&gate, &register(&[]), "2016-04-01T15:59:59Z", Pass::Staff), State::Unknown, "not yet sent");
    }

    #[test]
    fn a_later_bulletin_of_the_same_issuer_supersedes_and_another_issuer_is_a_conflict() {
        let gate = place([
            says(1, OpeningState::Closed, Passes::All),
            says(2, OpeningState::Open, Passes::All),
            terms(OpeningState::Closed, Passes::All),
        ]);
        let same = register([alert(1), alert(2)]);
        let answer = gate.state_at(at(NOON), Pass::Staff, &same, Reader::Stranger);
        assert_eq!((answer.state, answer.basis.len(), answer.conflict()), (State::Open, 1, false));
        let other = register([alert(1), by("nypd", alert(2))]);
        let answer = gate.state_at(at(NOON), Pass::Staff, &other, Reader::Stranger);
        assert_eq!((answer.state, answer.basis.len(), answer.conflict()), (State::Closed, 2, true));
        assert_eq!(answer.reasons, [Reason::SaidOfAll, Reason::SourcesDisagree]);
    }

    #[test]
    fn a_reservation_for_others_ends_what_others_may_rely_on() {
        let reserved = says(2, OpeningState::Restricted, only(&[Pass::Vip]));
        let gate = place([says(1, OpeningState::Open, Passes::All), reserved.clone()]);
        let register = register([alert(1), alert(2)]);
        let answer = gate.state_at(at(NOON), Pass::Media, &register, Reader::Stranger);
        assert_eq!((answer.state, &*answer.reasons), (State::Unknown, &[Reason::ReservedForOthers][..]));
        let also = says(2, OpeningState::Open, only(&[Pass::Media]));
        let gate = place([reserved, also]);
        let states = [Pass::Media, Pass::Vip].map(|p| state(&gate, &register, NOON, p));
        assert_eq!(states, [State::Open, State::Restricted], "the same source may name others beside");
    }

    #[test]
    fn two_sources_of_office_hours_are_both_shown_and_the_stricter_wins() {
        let hours = |text: &str, citation: &str| Terms {
            hours: Some(Hours {
                daily: vec![DailyHours::parse(text).unwrap()],
                weekdays: [].into(),
                outside: Outside::Closed,
            }),
            provenance: Provenance::parse(Confidence::Reported, Some(citation), None).unwrap(),
            ..terms(OpeningState::Open, Passes::All)
        };
        let office = place([hours("07:00-18:00", "https://un.org"), hours("08:00-18:00", "https://example.org")]);
        let register = register([]);
        let answer = office.state_at(at("2024-09-20T07:30:00-04:00"), Pass::Delegate, &register, Reader::Stranger);
        assert_eq!((answer.state, answer.basis.len(), answer.conflict()), (State::Closed, 2, true));
        assert_eq!(answer.reasons, [Reason::OutsideHours, Reason::SourcesDisagree]);
        assert_eq!(answer.until, Some(at("2024-09-20T08:00:00-04:00")));
        assert_eq!(state(&office, &register, "2024-09-20T08:00:00-04:00", Pass::Delegate), State::Open);
        assert_eq!(state(&office, &register, "2024-09-20T18:00:00-04:00", Pass::Delegate), State::Closed);
    }

    #[test]
    fn an_opening_of_a_bulletin_that_the_reader_may_not_see_does_not_exist_for_them() {
        let gate = place([says(1, OpeningState::Closed, Passes::All), terms(OpeningState::Open, Passes::All)]);
        let register = register([Contents { audience: Audience::Secretariat, ..alert(1) }]);
        let answer = |reader| {
            let answer = gate.state_at(at(NOON), Pass::Staff, &register, reader);
            (answer.state, answer.basis.len())
        };
        assert_eq!(answer(Reader::Stranger), (State::Open, 1));
        assert_eq!(answer(Reader::Secretariat), (State::Closed, 1));
        assert_eq!(gate.openings_for(&register, Reader::Stranger).count(), 1);
    }

    #[test]
    fn opening_terms_that_contradict_themselves_are_refused() {
        let broken = |terms| Opening::parse(terms).unwrap_err().into_vec().remove(0).pointer;
        let delegates = || terms(OpeningState::Restricted, only(&[Pass::Delegate]));
        assert_eq!(broken(terms(OpeningState::Open, only(&[]))), "/passes");
        assert_eq!(broken(Terms { directed_elsewhere: [Pass::Delegate].into(), ..delegates() }), "/directed_elsewhere");
        assert_eq!(broken(Terms { note: None, ..terms(OpeningState::Restricted, Passes::All) }), "/note");
        let noon = Some(Moment::exact(at(NOON)));
        let period = Period { from: noon.clone(), until: noon };
        assert_eq!(broken(Terms { period, ..delegates() }), "/period/until");
        let hours = Some(Hours { daily: vec![], weekdays: [].into(), outside: Outside::Closed });
        assert_eq!(broken(Terms { hours, ..terms(OpeningState::Closed, Passes::All) }), "/hours/outside");
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        let state = proptest::sample::select(OpeningState::ALL);
        let passes = proptest::collection::btree_set(proptest::sample::select(Pass::ALL), 1..5);
        let hours = ("([01][0-9]|2[0-3]):[0-5]0-([01][0-9]|2[0-3]):[0-5]5", any::<bool>());
        (state, proptest::option::of(passes), proptest::option::of(hours), 0i64..2000, 1i64..2000, 0u8..4).prop_map(
            |(state, passes, hours, from, length, basis)| {
                let hours = hours.map(|(text, closed)| Hours {
                    daily: vec![DailyHours::parse(&text).unwrap()],
                    weekdays: [].into(),
                    outside: match closed && state != OpeningState::Closed {
                        true => Outside::Closed,
                        false => Outside::Unknown,
                    },
                });
                let moment = |hour| Some(Moment::exact(at("2016-04-01T00:00:00Z") + TimeDelta::hours(hour)));
                Terms {
                    period: Period { from: moment(from), until: moment(from + length) },
                    hours,
                    basis: (basis > 0).then(|| id(basis.into())),
                    ..terms(state, passes.map_or(Passes::All, Passes::Only))
                }
            },
        )
    }

    /// Three issuers, one bulletin each, so that none supersedes another.
    fn issuers() -> Register {
        register([alert(1), by("nypd", alert(2)), by("unog", alert(3))])
    }

    proptest! {
        #[test]
        fn only_an_opening_that_lets_the_pass_in_opens(
            terms in proptest::collection::vec(any_terms(), 0..6), minute in 0i64..200_000,
            pass in proptest::sample::select(Pass::ALL),
        ) {
            let (place, register) = (place(terms), issuers());
            let now = at("2016-03-25T00:00:00Z") + TimeDelta::minutes(minute);
            let answer = place.state_at(now, pass, &register, Reader::Stranger);
            let lets_in = place.openings.iter().any(|o| {
                o.state != OpeningState::Closed
                    && o.period.from.as_ref().is_none_or(|from| from.at <= now)
                    && o.period.until.as_ref().is_none_or(|until| now < until.at)
                    && match &o.passes { Passes::All => true, Passes::Only(named) => named.contains(&pass) }
            });
            prop_assert!(lets_in || matches!(answer.state, State::Unknown | State::Closed));
            prop_assert_eq!(answer.basis.is_empty(), answer.reasons == [Reason::NoSourceSpeaks]);
        }

        #[test]
        fn another_source_never_makes_an_answer_less_strict(
            terms in proptest::collection::vec(any_terms(), 1..6), more in any_terms(), minute in 0i64..200_000,
            pass in proptest::sample::select(Pass::ALL),
        ) {
            let register = register([alert(1), by("nypd", alert(2)), by("unog", alert(3)), by("fourth", alert(4))]);
            let more = Terms { basis: Some(id(4)), ..more };
            let based = terms.into_iter().filter(|t| t.basis.is_some());
            let now = at("2016-04-04T16:00:00Z") + TimeDelta::minutes(minute);
            let (before, mut after) = (place(based), Vec::new());
            after.extend(before.openings.iter().map(|o| o.0.clone()));
            after.push(more);
            let after = place(after);
            let [before, after] = [&before, &after].map(|p| p.state_at(now, pass, &register, Reader::Stranger));
            prop_assert!(before.basis.is_empty() || after.state >= before.state);
        }

        #[test]
        fn an_answer_is_constant_until_its_next_change(
            terms in proptest::collection::vec(any_terms(), 0..6), minute in 0i64..200_000,
            pass in proptest::sample::select(Pass::ALL), part in 0.0f64..1.0,
        ) {
            let (place, register) = (place(terms), issuers());
            let now = at("2016-03-25T00:00:00Z") + TimeDelta::minutes(minute);
            let answer = place.state_at(now, pass, &register, Reader::Stranger);
            let end = answer.until.unwrap_or(now + TimeDelta::days(400));
            let between = now + TimeDelta::seconds(((end - now).num_seconds() as f64 * part) as i64);
            let then = place.state_at(between, pass, &register, Reader::Stranger);
            prop_assert_eq!(&then, &answer);
            if let Some(until) = answer.until {
                let next = place.state_at(until, pass, &register, Reader::Stranger);
                prop_assert_ne!(next.basis, answer.basis);
            }
        }
    }
}
