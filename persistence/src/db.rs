//! Connections and transactions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::Object;
use diesel::prelude::*;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;

use crate::{Error, log};
use domain::{Act, Actor, Stream};

/// A connection.
pub type Conn = AsyncPgConnection;

/// How long a request waits for its turn at the connections before it is told to come back.
const POOL_WAIT: Duration = Duration::from_millis(250);

/// How long queries outside a transaction may take.
const READ_WAIT: Duration = Duration::from_secs(5);

/// How long a transaction may take.
const WRITE_WAIT: Duration = Duration::from_secs(600);

/// How long a transaction on a reserved connection may take.
const RESERVED_WRITE_WAIT: Duration = Duration::from_secs(10);

/// How many connections are kept for what must not wait for requests.
const RESERVED: usize = 2;

/// How long an attempt to connect may take.
const CONNECT_WAIT: Duration = Duration::from_secs(2);

/// Postgres, seen from any thread.
///
/// A socket belongs to the runtime that opened it, and a web worker's runtime ends before the
/// process does: so every query runs on the runtime that `Db` was made on, and a transaction runs to
/// its end there even when whoever asked for it has gone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Conn>,
    reserve: Pool<Conn>,
    write_wait: Duration,
    runtime: Handle,
    url: String,
    /// Who acts, as the audit's triggers read it.
    act: Option<Arc<str>>,
}

/// How the connections that requests share are used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Open and free.
    pub idle: usize,
    /// Open and in somebody's hand.
    pub used: usize,
    /// The most that may be open.
    pub max: usize,
    /// How many wait for one.
    pub awaited: usize,
}

/// A committed transaction's answer, and the revisions it got.
#[derive(Debug)]
pub struct Written<T> {
    /// What the transaction returned.
    pub value: T,
    /// One for each stream it changed, in the order of their names. Empty when nothing changed.
    pub revisions: Vec<(Stream, i64)>,
}

impl Db {
    /// A pool of at most `connections`, opened when they are needed. Must be called on the
    /// multi-thread runtime that is to carry the queries.
    pub fn new(url: &str, connections: usize) -> Result<Self, Error> {
        let (pool, reserve) = (pool(url, connections)?, pool(url, RESERVED)?);
        Ok(Self { pool, reserve, write_wait: WRITE_WAIT, runtime: Handle::current(), url: url.to_owned(), act: None })
    }

    /// The same database, by a few connections that requests never take, for short work that must not
    /// wait for them.
    pub fn reserved(&self) -> Self {
        Self { pool: self.reserve.clone(), write_wait: RESERVED_WRITE_WAIT, ..self.clone() }
    }

    /// The same database, in which every transaction is told to the audit as what `act` says.
    pub fn acting(&self, act: Act) -> Self {
        Self { act: Some(told(act).into()), ..self.clone() }
    }

    /// How the pool is used now.
    pub fn pool(&self) -> Usage {
        let status = self.pool.status();
        let used = status.size.saturating_sub(status.available);
        Usage { idle: status.available, used, max: status.max_size, awaited: status.waiting }
    }

    /// A connection of its own, outside the pool: for listening and for migrations. To be called on
    /// the runtime that `Db` was made on.
    pub async fn dedicated(&self) -> Result<Conn, Error> {
        connect(&self.url).await
    }

    /// Runs queries outside a transaction.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        for<'r> F:
            AsyncFnOnce(&'r mut Conn) -> Result<T, E> + Work<&'r mut Conn, Result<T, E>, Fut: Send> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let pool = self.pool.clone();
        self.run(async move {
            let mut conn = take(&pool).await?;
            let outcome = tokio::time::timeout(READ_WAIT, work(&mut conn)).await;
            outcome.unwrap_or_else(|late| Err(give_up(conn, late).into()))
        })
        .await
    }

    /// Runs a READ COMMITTED transaction to its end and says which revisions it got. One that takes too
    /// long is given up, and whether it was committed is then not known.
    pub async fn write<T, E, F>(&self, work: F) -> Result<Written<T>, E>
    where
        for<'r> F:
            AsyncFnOnce(&'r mut Conn) -> Result<T, E> + Work<&'r mut Conn, Result<T, E>, Fut: Send> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (pool, wait, act) = (self.pool.clone(), self.write_wait, self.act.clone());
        self.run(async move {
            let mut conn = take(&pool).await?;
            let transaction = conn.transaction::<_, Failed<E>, _>(async move |conn| {
                if let Some(act) = act {
                    say(conn, &act).await?;
                }
                let value = work(conn).await.map_err(Failed::Work)?;
                conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?;
                let revisions = log::own_revisions(conn).await?;
                Ok(Written { value, revisions })
            });
            let outcome = tokio::time::timeout(wait, transaction).await;
            match outcome {
                Ok(done) => done.map_err(Failed::into_error),
                Err(late) => Err(give_up(conn, late).into()),
            }
        })
        .await
    }

    /// Carries something to its end, whoever goes meanwhile.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    async fn run<T, E>(&self, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let outcome = self.runtime.spawn(work).await;
        outcome.unwrap_or_else(|gone| Err(Error::Unexpected(gone.to_string()).into()))
    }
}

/// Tells the audit who acts from here to the end of this transaction, where that is known only now.
pub async fn act_as(conn: &mut Conn, act: Act) -> Result<(), Error> {
    Ok(say(conn, &told(act)).await?)
}

async fn say(conn: &mut Conn, act: &str) -> Result<(), diesel::result::Error> {
    let query = diesel::sql_query("select set_config('focalpoint.actor', $1, true)");
    query.bind::<diesel::sql_types::Text, _>(act).execute(conn).await.map(drop)
}

/// As the audit's triggers read it.
fn told(act: Act) -> String {
    let (kind, id, client, session) = match act.actor {
        Actor::Person { account, app, session } => {
            ("person", Some(account.0), app.map(|app| app.0), session.map(|session| session.0))
        }
        Actor::Client(client) => ("client", Some(client.0), Some(client.0), None),
        Actor::System => ("system", None, None, None),
        Actor::Operator => ("operator", None, None, None),
    };
    let request = act.request;
    serde_json::json!({"kind": kind, "id": id, "client": client, "session": session, "request": request}).to_string()
}

/// A pool of connections, opened when they are needed.
fn pool(url: &str, connections: usize) -> Result<Pool<Conn>, Error> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|url| establish(url).boxed());
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(connections)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(CONNECT_WAIT))
        .recycle_timeout(Some(CONNECT_WAIT))
        .build()
        .map_err(|e| Error::Unexpected(e.to_string()))
}

type Pooled = Object<AsyncDieselConnectionManager<Conn>>;

/// A connection of the pool. Where several have fallen silent, each is tried for as long as an attempt
/// to connect may take; whoever asks waits as long as for one.
async fn take(pool: &Pool<Conn>) -> Result<Pooled, Error> {
    let taken = tokio::time::timeout(CONNECT_WAIT, pool.get()).await;
    taken.map_err(unavailable)?.map_err(unavailable)
}

/// Closes a connection that did not answer in time: what it was asked may still be under way on it.
fn give_up(conn: Pooled, late: tokio::time::error::Elapsed) -> Error {
    drop(Object::take(conn));
    unavailable(late)
}

/// Runs queries that all see one state of the database: REPEATABLE READ, READ ONLY.
pub async fn snapshot<T, E, F>(conn: &mut Conn, work: F) -> Result<T, E>
where
    for<'r> F: AsyncFnOnce(&'r mut Conn) -> Result<T, E> + Work<&'r mut Conn, Result<T, E>, Fut: Send> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run::<_, Failed<E>, _>(async move |conn| work(conn).await.map_err(Failed::Work))
        .await
        .map_err(Failed::into_error)
}

/// An async closure whose future can be required to be `Send`, which `AsyncFnOnce` alone cannot
/// say. Implemented for every closure that fits; diesel-async has the same trait for the same reason.
pub trait Work<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as Work<T, R>>::Fut {
    /// The closure's future.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> Work<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

/// Diesel's transactions want one error type for their own failures and the work's.
enum Failed<E> {
    Work(E),
    Transaction(diesel::result::Error),
}

impl<E: From<Error>> Failed<E> {
    fn into_error(self) -> E {
        match self {
            Self::Work(error) => error,
            Self::Transaction(error) => Error::from(error).into(),
        }
    }
}

impl<E> From<diesel::result::Error> for Failed<E> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Transaction(error)
    }
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

async fn connect(url: &str) -> Result<Conn, Error> {
    let attempt = tokio::time::timeout(CONNECT_WAIT, establish(url)).await;
    attempt.map_err(unavailable)?.map_err(unavailable)
}

/// Connects, with TLS when the URL asks for it by `sslmode=require`; the server's certificate is
/// then checked against the system's roots.
async fn establish(url: &str) -> ConnectionResult<Conn> {
    let config: tokio_postgres::Config = url.parse().map_err(bad_connection)?;
    let mut conn = match config.get_ssl_mode() {
        SslMode::Require => {
            let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls_config()?);
            let (client, connection) = config.connect(tls).await.map_err(bad_connection)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
        _ => {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(bad_connection)?;
            Conn::try_from_client_and_connection(client, connection).await?
        }
    };
    let settings = "SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '60s'";
    conn.batch_execute(settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn tls_config() -> ConnectionResult<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(bad_connection)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether a URL can be one of Postgres. What is wrong is told without any part of it.
pub fn check_url(url: &str) -> Result<(), String> {
    let config: tokio_postgres::Config = url.parse().map_err(|cause: tokio_postgres::Error| {
        let cause = std::error::Error::source(&cause).map(|inner| format!(": {inner}")).unwrap_or_default();
        format!("must be postgres://role:password@host/database{cause}")
    })?;
    match (config.get_hosts().is_empty() && config.get_hostaddrs().is_empty(), config.get_dbname()) {
        (true, _) => Err("names no host".into()),
        (_, None) => Err("names no database".into()),
        _ => Ok(()),
    }
}

/// Where a URL leads, without its password.
pub fn place(url: &str) -> String {
    use tokio_postgres::config::Host;
    let Ok(config) = url.parse::<tokio_postgres::Config>() else { return "the database".into() };
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", ports.get(n).or(ports.first()).unwrap_or(&5432)),
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.collect::<Vec<_>>().join(" or ");
    let of = |name: Option<&str>| name.unwrap_or("?").to_owned();
    format!("database {} at {hosts} as role {}", of(config.get_dbname()), of(config.get_user()))
}

/// With its causes: by itself it says no more than that there was an error.
fn bad_connection(error: impl std::error::Error) -> ConnectionError {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    ConnectionError::BadConnection(told)
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// The oldest Postgres that will do.
pub const OLDEST: i32 = 15;

#[derive(QueryableByName)]
struct Kind {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    major: i32,
    #[diesel(sql_type = diesel::sql_types::Text)]
    encoding: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    standby: bool,
}

/// What is wrong with this Postgres itself as a primary, whatever it holds.
pub async fn unfit(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let kind: Kind = diesel::sql_query(
        "select current_setting('server_version_num')::int / 10000 major, current_setting('server_encoding') encoding,
            pg_is_in_recovery() standby",
    )
    .get_result(conn)
    .await?;
    let mut faults = Vec::new();
    if kind.major < OLDEST {
        faults.push(format!("this is Postgres {}: {OLDEST} or later is needed", kind.major));
    }
    if kind.encoding != "UTF8" {
        faults.push(format!("the database's encoding is {}: UTF8 is needed", kind.encoding));
    }
    if kind.standby {
        faults.push(
            "this is a standby: the primary is needed (several hosts and target_session_attrs=read-write find it)"
                .into(),
        );
    }
    Ok(faults)
}

#[derive(QueryableByName, PartialEq, Eq)]
struct Cluster {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    system_identifier: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    database: String,
}

/// Whether both lead to the same database, or to one and a physical copy of it: its standby, or what became of one.
pub async fn are_of_one_cluster(one: &mut Conn, other: &mut Conn) -> Result<bool, Error> {
    let query = "select system_identifier, current_database()::text \"database\" from pg_control_system()";
    let one: Cluster = diesel::sql_query(query).get_result(one).await?;
    let other: Cluster = diesel::sql_query(query).get_result(other).await?;
    Ok(one == other)
}

/// The settings under which Postgres may lose what it acknowledged: of `fsync`, `full_page_writes`
/// and `synchronous_commit`, those that are off.
pub async fn unsafe_settings(conn: &mut Conn) -> Result<Vec<String>, Error> {
    let off: Vec<Setting> = diesel::sql_query(
        "select name from pg_settings
         where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off' order by name",
    )
    .load(conn)
    .await?;
    Ok(off.into_iter().map(|s| s.name).collect())
}
