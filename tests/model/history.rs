//! A history: what writers, phones and misfortune do, one step after the other. Data, so that it shrinks.

use std::fmt;

use domain::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// How many rows of a kind there are at most.
pub(super) const SLOTS: u8 = 3;

/// How many writers have transactions of their own open.
pub(super) const WRITERS: u8 = 3;

/// How many phones there are.
pub(super) const PHONES: u8 = 5;

/// For whom a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Public,
    Delegates,
    Secretariat,
    MissionA,
    MissionB,
    Missions,
}

/// What is done to a row.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Insert {
        who: Who,
        text: u16,
        other: u8,
        embargo: Option<u16>,
    },
    Text(u16),
    Audience(Who),
    Close,
    Reopen,
    Delete,
    /// An update that leaves everything as it is.
    Same,
    /// Takes it back until so many milliseconds are over.
    Embargo(u16),
    Withdraw,
    Expire(u16),
    /// Lets its single reference lead to another, or nowhere.
    One(Option<u8>),
    Link(u8),
    Unlink(u8),
}

/// A statement of a writer.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) kind: Kind,
    pub(super) slot: u8,
    pub(super) action: Action,
}

/// What becomes of an import by the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Lost,
    Twice,
    /// The process is killed so many milliseconds after it was asked.
    Killed(u16),
}

/// How a phone pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Plain,
    /// The answer does not arrive.
    Lost,
    /// The request reaches the server twice at once.
    Twice,
    /// Each page is applied twice.
    Repeated,
    /// Once more from where it stood before its last pull.
    Again,
}

/// A step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// In the writer's open transaction, or a new one.
    Write(u8, Op),
    Commit(u8),
    Rollback(u8),
    /// In a transaction of its own.
    Now(Op),
    /// By the API: a row as a file of an office has it.
    Import {
        kind: Kind,
        slot: u8,
        who: Who,
        text: u16,
        others: Vec<u8>,
        fate: Fate,
    },
    Pull(u8, How),
    /// A phone pulls while somebody writes without a pause.
    Flood {
        phone: u8,
        op: Op,
        times: u8,
    },
    /// Until the phones can have all that is committed.
    Settle,
    /// So many milliseconds pass; then what is due is published or expires.
    Tick(u16),
    /// Somebody gets other rights.
    Role(u8, Who),
    /// The API stands still, while these are committed one by one.
    Freeze(Vec<Op>),
    /// What the log had until now is older than it keeps.
    Compact,
    KillApi,
    /// All connections to the database end.
    Cut,
    KillPostgres,
    Backup,
    /// The last backup, in place of what there is.
    Restore,
}

/// What happens between two states of rest.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// Whether all rows of the history before are deleted first.
    pub(super) anew: bool,
    /// Inserted first, in one transaction.
    pub(super) base: Vec<Op>,
    pub(super) steps: Vec<Step>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {}",
            if self.anew { "All rows are deleted; then in one transaction" } else { "In one transaction" }
        )?;
        self.base.iter().try_for_each(|op| writeln!(f, "    {op:?}"))?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}

impl History {
    /// Whether it needs a Postgres that may be killed.
    pub(super) fn kills_postgres(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::KillPostgres))
    }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        4 => Just(Who::Public),
        4 => Just(Who::Delegates),
        3 => Just(Who::Secretariat),
        1 => select(&[Who::MissionA, Who::MissionB, Who::Missions][..]),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    select(&Kind::ALL[..])
}

fn slot() -> std::ops::Range<u8> {
    0..SLOTS
}

fn text() -> std::ops::Range<u16> {
    1..1000
}

fn insert() -> impl Strategy<Value = Action> {
    let embargo = prop_oneof![4 => Just(None), 1 => (20u16..90).prop_map(Some)];
    (who(), text(), slot(), embargo).prop_map(|(who, text, other, embargo)| Action::Insert {
        who,
        text,
        other,
        embargo,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let general = || {
        prop_oneof![
            3 => insert(),
            4 => text().prop_map(Action::Text),
            4 => who().prop_map(Action::Audience),
            2 => Just(Action::Close),
            2 => Just(Action::Reopen),
            2 => Just(Action::Delete),
            1 => Just(Action::Same),
        ]
    };
    let released = prop_oneof![
        3 => (20u16..90).prop_map(Action::Embargo),
        1 => Just(Action::Withdraw),
        2 => (0u16..60).prop_map(Action::Expire),
    ];
    let related = || {
        prop_oneof![
            2 => proptest::option::weighted(0.8, slot()).prop_map(Action::One),
            3 => slot().prop_map(Action::Link),
            1 => slot().prop_map(Action::Unlink),
        ]
    };
    let referring = select(
        &[Kind::Unit, Kind::Function, Kind::Person, Kind::Service, Kind::RateCard, Kind::Bulletin, Kind::Place][..],
    );
    prop_oneof![
        6 => (kind(), slot(), general()),
        1 => (select(&[Kind::InfNote, Kind::Bulletin][..]), slot(), released),
        2 => (referring, slot(), related()),
    ]
    .prop_map(|(kind, slot, action)| Op { kind, slot, action })
}

fn import() -> impl Strategy<Value = Step> {
    let kind = select(&[Kind::Organization, Kind::Unit, Kind::Person, Kind::InfNote, Kind::Bulletin][..]);
    let who = select(&[Who::Public, Who::Delegates, Who::Secretariat][..]);
    let fate = prop_oneof![5 => Just(Fate::Answered), 2 => Just(Fate::Lost), 1 => Just(Fate::Twice)];
    (kind, slot(), who, text(), vec(slot(), 0..2), fate)
        .prop_map(|(kind, slot, who, text, others, fate)| Step::Import { kind, slot, who, text, others, fate })
}

fn killed_import() -> impl Strategy<Value = Step> {
    (import(), 0u16..40).prop_map(|(mut step, ms)| {
        if let Step::Import { fate, .. } = &mut step {
            *fate = Fate::Killed(ms);
        }
        step
    })
}

fn pull() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        6 => Just(How::Plain),
        1 => Just(How::Lost),
        1 => Just(How::Twice),
        1 => Just(How::Repeated),
        2 => Just(How::Again),
    ];
    (0..PHONES, how).prop_map(|(phone, how)| Step::Pull(phone, how))
}

/// A row is hidden from most, and then something else becomes of it, before anybody pulls: the last of it is nobody's
/// business who saw it before.
fn hidden_then_gone() -> impl Strategy<Value = Step> {
    let who = select(&[Who::Secretariat, Who::MissionA, Who::MissionB][..]);
    let end = prop_oneof![Just(Action::Delete), Just(Action::Close), text().prop_map(Action::Text)];
    (kind(), slot(), who, end).prop_map(|(kind, slot, who, end)| {
        let op = |action| Op { kind, slot, action };
        Step::Freeze(vec![op(Action::Audience(who)), op(end)])
    })
}

fn calm() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..WRITERS, op()).prop_map(|(writer, op)| Step::Write(writer, op)),
        10 => (0..WRITERS).prop_map(Step::Commit),
        1 => (0..WRITERS).prop_map(Step::Rollback),
        12 => op().prop_map(Step::Now),
        2 => import(),
        16 => pull(),
        4 => Just(Step::Settle),
        3 => (0u16..100).prop_map(Step::Tick),
        1 => (0..PHONES, select(&[Who::Secretariat, Who::MissionA, Who::MissionB][..])).prop_map(|(p, w)| Step::Role(p, w)),
        1 => vec(op(), 2..6).prop_map(Step::Freeze),
        2 => hidden_then_gone(),
        1 => (0..PHONES, (slot(), text()), 4u8..12).prop_map(|(phone, (slot, text), times)| {
            Step::Flood { phone, op: Op { kind: Kind::Unit, slot, action: Action::Text(text) }, times }
        }),
    ]
}

fn rough() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::KillApi),
        2 => killed_import(),
        3 => Just(Step::Cut),
        2 => Just(Step::Backup),
        6 => Just(Step::Restore),
        3 => Just(Step::Compact),
    ]
}

fn base() -> impl Strategy<Value = Vec<Op>> {
    let inserts = vec(insert(), 2 * Kind::ALL.len());
    inserts.prop_map(|inserts| {
        let place =
            |(n, action)| Op { kind: Kind::ALL[n % Kind::ALL.len()], slot: (n / Kind::ALL.len()) as u8, action };
        // What others refer to comes first; embargoes come later.
        let published = |mut op: Op| {
            if let Action::Insert { embargo, .. } = &mut op.action {
                *embargo = None;
            }
            op
        };
        inserts.into_iter().enumerate().map(place).map(published).collect()
    })
}

/// How rough histories are: of a hundred, so many have rough steps, and so many kill Postgres.
#[derive(Clone, Copy, Debug)]
pub(super) struct Climate {
    pub(super) rough: u32,
    pub(super) postgres: u32,
}

/// Histories.
pub(super) fn histories(climate: Climate) -> impl Strategy<Value = History> {
    let length = 4..26usize;
    let calm_steps = vec(calm(), length.clone());
    let rough_steps = vec(prop_oneof![9 => calm().boxed(), 1 => rough().boxed()], length.clone());
    let killing =
        vec(prop_oneof![14 => calm().boxed(), 1 => rough().boxed(), 1 => Just(Step::KillPostgres).boxed()], length);
    let steps = prop_oneof![
        100 - climate.rough - climate.postgres => calm_steps.boxed(),
        climate.rough => rough_steps.boxed(),
        climate.postgres => killing.boxed(),
    ];
    (proptest::bool::weighted(0.5), base(), steps).prop_map(|(anew, base, steps)| History { anew, base, steps })
}
