//! A history, carried out: each step, and what must hold after it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::{Kind, Language, MissionId, Reader, Role};
use tokio_postgres::Client;
use uuid::Uuid;

use super::history::{Action, History, Op, PHONES, Step, WRITERS, Who};
use super::mutants::Mutant;
use super::oracle::{Moment, Oracle, Violation};
use super::phone::Phone;
use super::rows::{Change, Effect, Row, visible_to};
use super::stage::Stage;
use super::statements::{MISSIONS, Sql, sql};

/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What histories did.
#[derive(Clone, Default, Debug)]
pub(super) struct Count {
    pub(super) histories: u64,
    pub(super) operations: u64,
    pub(super) transactions: u64,
    pub(super) refused: u64,
    pub(super) pulls: u64,
    pub(super) gone: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
}

impl Count {
    pub(super) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.operations += other.operations;
        self.transactions += other.transactions;
        self.refused += other.refused;
        self.pulls += other.pulls;
        self.gone += other.gone;
        other.faults.iter().for_each(|(name, count)| *self.faults.entry(name).or_default() += count);
    }
}

/// A writer's connection, and its transaction if one is open: its id and what it did.
struct Writer {
    psql: Client,
    open: Option<(i64, Vec<Change>)>,
}

/// Who is where, after how much.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) oracle: Oracle,
    writers: Vec<Writer>,
    pub(super) phones: Vec<Phone>,
    pub(super) importer: (api::identity::Who, String),
    backup: Option<(Moment, Vec<Reader>)>,
    /// Where the log was when this history began.
    pub(super) since: i64,
    pub(super) texts: u32,
    pub(super) count: Count,
}

fn rights(who: Who) -> (Role, Option<Uuid>) {
    match who {
        Who::MissionA => (Role::Delegate, Some(MISSIONS[0])),
        Who::MissionB => (Role::Delegate, Some(MISSIONS[1])),
        _ => (Role::Editor, None),
    }
}

fn reader(mission: Option<Uuid>) -> Reader {
    mission.map_or(Reader::Secretariat, |id| Reader::Mission(MissionId(id)))
}

impl Scene {
    /// On a Postgres of its own where that is to be killed; `None` where there can be none.
    pub(super) async fn new(own_postgres: bool, mutant: Option<Mutant>) -> Option<Self> {
        let stage = Stage::new(own_postgres, mutant).await?;
        let mut writers = Vec::new();
        for _ in 0..=WRITERS {
            writers.push(Writer { psql: stage.connect().await, open: None });
        }
        let mut phones = Vec::new();
        let users = [
            (Who::Secretariat, Language::En),
            (Who::MissionA, Language::En),
            (Who::MissionB, Language::Fr),
            (Who::Secretariat, Language::Zh),
            (Who::MissionA, Language::Fr),
        ];
        for (who, language) in users.into_iter().take(PHONES.into()) {
            let (role, mission) = rights(who);
            let user = stage.person(role, mission).await;
            phones.push(Phone::new(user, stage.token(user).await, reader(mission), language));
        }
        let admin = stage.person(Role::Admin, None).await;
        let importer = (admin, stage.token(admin).await);
        let mut oracle = Oracle::new(mutant.is_none());
        oracle.begin(&stage.heads().await);
        let since = stage.horizon().await;
        Some(Self {
            stage,
            oracle,
            writers,
            phones,
            importer,
            backup: None,
            since,
            texts: 1000,
            count: Count::default(),
        })
    }

    /// Carries out a history and judges it.
    pub(super) async fn play(&mut self, history: &History) -> Result<(), Violation> {
        // Before the log is read: what the scheduler commits in between is read the next time.
        let since = self.stage.horizon().await;
        self.absorb(HashMap::new()).await?;
        self.since = since;
        self.backup = None;
        self.count.histories += 1;
        self.prepare(history).await?;
        if history.steps.iter().any(|step| matches!(step, Step::Restore)) {
            self.back_up().await?;
        }
        for step in &history.steps {
            self.step(step).await.map_err(|violation| Violation {
                detail: format!("{}\n  at {step:?}", violation.detail),
                ..violation
            })?;
        }
        for writer in 0..WRITERS {
            self.roll_back(writer).await;
        }
        self.judge().await
    }

    /// The rows that a history begins with.
    async fn prepare(&mut self, history: &History) -> Result<(), Violation> {
        let writer = WRITERS;
        self.begin(writer).await;
        if history.anew {
            // What others refer to goes last.
            let order = [
                Kind::Place,
                Kind::Bulletin,
                Kind::InfNote,
                Kind::RateCard,
                Kind::Service,
                Kind::Person,
                Kind::Function,
                Kind::Mission,
                Kind::Unit,
                Kind::Organization,
            ];
            for kind in order {
                let rows = self.oracle.now.state.keys().filter(|(k, _)| *k == kind);
                let deleted: Vec<Change> = rows.map(|key| (*key, Effect::Deleted)).collect();
                let psql = &self.writers[usize::from(writer)].psql;
                if kind == Kind::Bulletin {
                    psql.batch_execute("delete from bulletin_reference").await.unwrap();
                }
                psql.batch_execute(&format!("delete from {}", kind.name())).await.unwrap();
                self.writers[usize::from(writer)].open.as_mut().unwrap().1.extend(deleted);
            }
        }
        for op in &history.base {
            self.write(writer, op).await?;
        }
        self.commit(writer).await
    }

    async fn step(&mut self, step: &Step) -> Result<(), Violation> {
        match step {
            Step::Write(writer, op) => self.write(*writer, op).await,
            Step::Commit(writer) => self.commit(*writer).await,
            Step::Rollback(writer) => {
                self.roll_back(*writer).await;
                Ok(())
            }
            Step::Now(op) => self.now(op).await,
            Step::Import { kind, slot, who, text, others, fate } => {
                self.import(*kind, *slot, *who, *text, others, *fate).await
            }
            Step::Pull(phone, how) => self.pull(*phone, *how).await,
            Step::Flood { phone, op, times } => self.flood(*phone, op, *times).await,
            Step::Settle => self.settle().await,
            Step::Tick(ms) => {
                tokio::time::sleep(Duration::from_millis((*ms).into())).await;
                self.absorb(HashMap::new()).await?;
                self.stage.tick().await;
                self.absorb(HashMap::new()).await
            }
            Step::Role(phone, who) => {
                if self.oracle.before.is_some() {
                    self.settle().await?;
                }
                self.change_role(*phone, *who).await;
                Ok(())
            }
            Step::Freeze(ops) => self.freeze(ops).await,
            Step::Compact => {
                self.count.fault("log compacted");
                self.absorb(HashMap::new()).await?;
                self.stage.compact().await;
                self.oracle.now.timeline.kept = self.stage.kept().await;
                Ok(())
            }
            Step::KillApi => {
                self.count.fault("API killed");
                self.stage.kill_api();
                self.stage.serve().await;
                Ok(())
            }
            Step::Cut => {
                self.count.fault("connections cut");
                self.absorb(HashMap::new()).await?;
                self.stage.cut().await;
                self.reconnect().await;
                Ok(())
            }
            Step::KillPostgres => {
                self.count.fault("Postgres killed");
                self.absorb(HashMap::new()).await?;
                self.stage.kill_postgres().await;
                self.reconnect().await;
                Ok(())
            }
            Step::Backup => self.back_up().await,
            Step::Restore => self.restore().await,
        }
    }

    /// Writers whose connections are gone have new ones, and nothing open.
    async fn reconnect(&mut self) {
        for writer in &mut self.writers {
            *writer = Writer { psql: self.stage.connect().await, open: None };
        }
    }

    async fn begin(&mut self, writer: u8) {
        let writer = &mut self.writers[usize::from(writer)];
        if writer.open.is_none() {
            writer.psql.batch_execute("begin").await.unwrap();
            let xid = writer.psql.query_one("select pg_current_xact_id()::text::bigint", &[]).await.unwrap().get(0);
            writer.open = Some((xid, Vec::new()));
        }
    }

    async fn write(&mut self, writer: u8, op: &Op) -> Result<(), Violation> {
        let Some(statements) = sql(op) else { return Ok(()) };
        self.count.operations += 1;
        self.begin(writer).await;
        match execute(&self.writers[usize::from(writer)].psql, statements).await {
            Ok(changes) => self.writers[usize::from(writer)].open.as_mut().unwrap().1.extend(changes),
            Err(cause) => {
                assert!(cause.as_db_error().is_some(), "{op:?}: {cause}");
                self.count.refused += 1;
                self.roll_back(writer).await;
            }
        }
        Ok(())
    }

    pub(super) async fn commit(&mut self, writer: u8) -> Result<(), Violation> {
        // Until now the scheduler may have had a row that is locked from here on.
        self.absorb(HashMap::new()).await?;
        let writer = &mut self.writers[usize::from(writer)];
        let Some((xid, changes)) = writer.open.take() else { return Ok(()) };
        match writer.psql.batch_execute("set local lock_timeout = '5s'; commit").await {
            Ok(()) => {
                self.count.transactions += 1;
                self.absorb(HashMap::from([(xid, changes)])).await
            }
            Err(cause) => {
                assert!(cause.as_db_error().is_some(), "{cause}");
                self.count.refused += 1;
                let _ = writer.psql.batch_execute("rollback").await;
                Ok(())
            }
        }
    }

    async fn roll_back(&mut self, writer: u8) {
        let writer = &mut self.writers[usize::from(writer)];
        if writer.open.take().is_some() {
            writer.psql.batch_execute("rollback").await.unwrap();
        }
    }

    async fn now(&mut self, op: &Op) -> Result<(), Violation> {
        self.write(WRITERS, op).await?;
        self.commit(WRITERS).await
    }

    pub(super) async fn absorb(&mut self, known: HashMap<i64, Vec<Change>>) -> Result<(), Violation> {
        let batch = self.stage.new_in_the_log(self.since).await;
        if batch.is_empty() && known.is_empty() {
            return Ok(());
        }
        let expired = self.stage.expired().await;
        self.oracle.absorb(batch, known, &expired)
    }

    /// The program is stopped while all this is committed; what it then hears of, it hears of at once.
    async fn freeze(&mut self, ops: &[Op]) -> Result<(), Violation> {
        self.count.fault("API paused");
        self.stage.signal("-STOP");
        let mut done = Ok(());
        for op in ops {
            done = done.and(self.now(op).await);
        }
        self.stage.signal("-CONT");
        done
    }

    async fn change_role(&mut self, phone: u8, who: Who) {
        self.count.fault("role changed");
        let (role, mission) = rights(who);
        let phone = &mut self.phones[usize::from(phone)];
        let api::identity::Who::Person { account, .. } = phone.user else { unreachable!("a person") };
        let update = "update account set roles = array[$1], mission_id = $2 where id = $3";
        self.stage.psql.execute(update, &[&role.name(), &mission, &account.0]).await.unwrap();
        phone.reader = reader(mission);
        phone.bearer = self.stage.token(phone.user).await;
    }

    async fn back_up(&mut self) -> Result<(), Violation> {
        self.stage.back_up().await;
        self.reconnect().await;
        // What the copy has, and not what the scheduler has done since.
        self.stage.look_at_the_backup().await;
        let absorbed = self.absorb(HashMap::new()).await;
        self.stage.look_back().await;
        absorbed?;
        let readers = self.phones.iter().map(|phone| phone.reader).collect();
        self.backup = Some((self.oracle.now.clone(), readers));
        self.absorb(HashMap::new()).await
    }

    async fn restore(&mut self) -> Result<(), Violation> {
        let Some((moment, readers)) = self.backup.clone() else { return Ok(()) };
        self.count.fault("backup restored");
        // What the scheduler did until the end, and phones may have.
        self.stage.set_aside().await;
        self.absorb(HashMap::new()).await?;
        self.stage.restore().await;
        self.reconnect().await;
        self.oracle.restore(moment);
        self.absorb(HashMap::new()).await?;
        for (phone, reader) in self.phones.iter_mut().zip(readers) {
            phone.reader = reader;
            phone.bearer = self.stage.token(phone.user).await;
        }
        self.importer.1 = self.stage.token(self.importer.0).await;
        Ok(())
    }

    /// Writes what no other history of the database has, in every stream until it has counted past where the one
    /// before the restore stood: who sees that has noticed the restore, and who looks at numbers alone has not.
    pub(super) async fn mark(&mut self) -> Result<(), Violation> {
        for kind in [Kind::Organization, Kind::InfNote, Kind::RateCard, Kind::Place] {
            let stood = self.oracle.before.as_ref().map_or(0, |before| before.head(kind.stream()));
            let action = Action::Insert { who: Who::Public, text: 1, other: 0, embargo: None };
            self.now(&Op { kind, slot: 9, action }).await?;
            for _ in 0..60 {
                self.texts += 1;
                let text = u16::try_from(self.texts % 60_000).unwrap();
                self.now(&Op { kind, slot: 9, action: Action::Text(text) }).await?;
                if self.oracle.now.timeline.head(kind.stream()) >= stood {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A phone pulls while one row is written again and again: it comes to an end all the same.
    async fn flood(&mut self, phone: u8, op: &Op, times: u8) -> Result<(), Violation> {
        self.count.fault("pull under continuous writes");
        self.roll_back(WRITERS).await;
        let psql = self.stage.connect().await;
        let (op, mut next) = (op.clone(), self.texts);
        self.texts += u32::from(times);
        let writing = tokio::spawn(async move {
            let mut done = HashMap::new();
            for _ in 0..times {
                next += 1;
                let again = Op { action: Action::Text(u16::try_from(next % 60_000).unwrap()), ..op };
                psql.batch_execute("begin").await.unwrap();
                let xid: i64 = psql.query_one("select pg_current_xact_id()::text::bigint", &[]).await.unwrap().get(0);
                match execute(&psql, sql(&again).unwrap()).await {
                    Ok(changes) => {
                        psql.batch_execute("set local lock_timeout = '5s'; commit").await.unwrap();
                        done.insert(xid, changes);
                    }
                    Err(_) => psql.batch_execute("rollback").await.unwrap(),
                }
            }
            done
        });
        // What it gets can only be judged when it is known what was committed.
        let got = self.fetch(phone).await;
        let done = writing.await.unwrap();
        self.count.transactions += done.len() as u64;
        self.absorb(done).await?;
        self.accept(phone, got?).await
    }

    /// Everything is over: every phone can have everything, has exactly that, and so does who starts anew.
    async fn judge(&mut self) -> Result<(), Violation> {
        self.check_rows().await?;
        self.settle().await?;
        for phone in 0..PHONES {
            self.pull_to_the_end(phone).await?;
        }
        self.check_counts().await?;
        self.check_against_another().await
    }

    /// The oracle's own rows are the database's: else the test is wrong.
    async fn check_rows(&mut self) -> Result<(), Violation> {
        let tables = Kind::ALL.map(|kind| format!("select '{0}' kind, id, visible_to::text from {0}", kind.name()));
        let query = tables.join(" union all ");
        for tries in 0.. {
            self.absorb(HashMap::new()).await?;
            let rows = self.stage.psql.query(&query, &[]).await.unwrap();
            let stored: BTreeMap<(Kind, Uuid), Option<String>> =
                rows.iter().map(|row| ((Kind::from_name(row.get(0)).unwrap(), row.get(1)), row.get(2))).collect();
            let visible = |row: &Row| visible_to(row).map(ToString::to_string);
            let known: BTreeMap<_, _> = self.oracle.now.state.iter().map(|(key, row)| (*key, visible(row))).collect();
            // The scheduler may just have been at work.
            if !self.oracle.reads_the_log || stored == known {
                break;
            }
            assert!(tries < 5, "the oracle does not know what is stored: {stored:#?}, but {known:#?}");
        }
        Ok(())
    }
}

/// Executes an operation in the open transaction; returns what it did.
async fn execute(psql: &Client, sql: Sql) -> Result<Vec<Change>, tokio_postgres::Error> {
    let Some(row) = psql.query_opt(&sql.first, &[]).await? else { return Ok(Vec::new()) };
    for statement in &sql.then {
        psql.batch_execute(statement).await?;
    }
    Ok((sql.effects)(row.get(0), row.get(1)))
}
