//! Starting and stopping: the workers that follow the log, the listener, and what ends them.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use anyhow::{Context, bail, ensure};
use chrono::Utc;
use secrecy::ExposeSecret;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

use crate::config::Config;
use crate::contract::{self, Contract};
use crate::deprecation::{self, Deprecations};
use crate::identity::secrets::Secrets;
use crate::identity::{Tokens, generate_key};
use crate::imports::ImportTurns;
use crate::kept::Kept;
use crate::limits::{self, Limits};
use crate::mail::{self, Post};
use crate::metrics::{self, Metrics};
use crate::sign_in;
use crate::sign_in::throttle::Throttle;
use crate::state::State;
use crate::store::Store;
use crate::sync::bases::{self, Bases};
use crate::{app, coding, cors, demonstration, follower, frame, scheduler};
use domain::Act;
use persistence::{Db, db, identity, migrations, roles};

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it tells Prometheus what it counts.
    pub metrics_address: Option<SocketAddr>,
    /// What its handlers reach.
    pub state: web::Data<State>,
    api: Serving,
    metrics: Option<Serving>,
    workers: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

/// A listener and how it is stopped.
struct Serving {
    handle: ServerHandle,
    end: JoinHandle<std::io::Result<()>>,
}

impl Serving {
    fn start(server: actix_web::dev::Server) -> Self {
        Self { handle: server.handle(), end: tokio::spawn(server) }
    }

    async fn stop(self, gracefully: bool) -> anyhow::Result<()> {
        self.handle.stop(gracefully).await;
        Ok(self.end.await??)
    }
}

/// Starts: checks the database, takes a first edition, and listens. Needs a multi-thread runtime.
pub async fn start(config: Config) -> anyhow::Result<Server> {
    let url = config.database.database_url.expose_secret();
    let db = Db::new(url, config.database_connections.into())?;
    check_database(&db, &config).await?;

    let standby = match &config.standby_url {
        Some(url) => Some(standby(&db, url.expose_secret()).await?),
        None => None,
    };

    let listener = listen(config.listen)?;
    let metrics_listener = config.metrics_listen.map(listen).transpose()?;
    let address = listener.local_addr()?;
    let config = Config { listen: address, ..config };
    let tokens = Tokens::new(&config.base_url());
    let state = web::Data::new(State {
        tokens,
        db,
        standby,
        store: Store::default(),
        kept: Kept::default(),
        bases: Bases::default(),
        secrets: Secrets::new()?,
        import_turns: ImportTurns::default(),
        contract: Contract::new()?,
        limits: Limits::new(&config.edge),
        throttle: Throttle::default(),
        post: Post::new(&config)?,
        deprecations: Deprecations::new(deprecation::OPERATIONS, &contract::document())?,
        metrics: if metrics_listener.is_some() { Metrics::on()? } else { Metrics::off() },
        config,
    });

    let first_key = generate_key(Utc::now())?;
    state.db.acting(Act::SYSTEM).write(async move |conn| identity::insert_first_key(conn, &first_key).await).await?;
    if state.config.demo {
        demonstration::fill(&state).await?;
    }
    follower::catch_up(&state).await.context("no first edition could be made")?;
    state.store.note_write(true);

    let (stop, stopped) = watch::channel(false);
    let workers = vec![
        tokio::spawn(follower::follow(state.clone(), stopped.clone())),
        tokio::spawn(scheduler::run(state.clone(), stopped.clone())),
        tokio::spawn(limits::sweep(state.clone(), stopped.clone())),
        tokio::spawn(mail::run(state.clone(), stopped.clone())),
        tokio::spawn(metrics::keep_up(state.clone(), stopped.clone())),
        tokio::spawn(bases::keep(state.clone(), stopped)),
    ];
    let shared = state.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .configure(app::error_handlers)
            .configure(|config| app::routes(&mut ServiceConfig::new(config)))
            .configure(sign_in::routes)
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").external_url_unchecked("/openapi.json", serde_json::Value::Null))
            .default_service(web::to(frame::no_route))
            .wrap_fn(coding::code)
            .wrap_fn(limits::limit)
            .wrap(cors::cors(&shared.config.edge.cors_origins))
            .wrap_fn(frame::frame)
    })
    .listen(listener)?
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(state.config.shutdown_seconds)
    .disable_signals();
    if let Some(workers) = state.config.workers {
        server = server.workers(workers.into());
    }
    let metrics_address = metrics_listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let metrics = metrics_listener.map(|listener| metrics::server(state.clone(), listener)).transpose()?;
    let metrics = metrics.map(Serving::start);
    let api = Serving::start(server.run());
    tracing::info!(%address, metrics = metrics_address.map(tracing::field::display), "ready");
    Ok(Server { address, metrics_address, state, api, metrics, workers, stop })
}

/// Connections that the kernel keeps until they are accepted; it keeps no more than `net.core.somaxconn` says. Those
/// above are dropped and try again after a second, and many phones come at once when a process starts anew.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As the standard library's listener does: the port of a process that has just ended may be taken.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bound().with_context(|| format!("cannot listen on {address}"))
}

/// Everything that keeps this database from being served, at once.
async fn check_database(db: &Db, config: &Config) -> anyhow::Result<()> {
    let place = db::place(config.database.database_url.expose_secret());
    let mut conn = db.dedicated().await.with_context(|| place.clone())?;
    let mut faults = db::unfit(&mut conn).await?;
    let off = db::unsafe_settings(&mut conn).await?;
    if !off.is_empty() && !config.allow_unsafe_postgres {
        faults.push(format!("Postgres would lose acknowledged writes: switch on {}", off.join(", ")));
    }
    let role = roles::current(&mut conn).await?;
    if migrations::pending(&mut conn).await? {
        faults.push("the schema is older than this release: run `focalpoint migrate` first".into());
    }
    let missing = roles::missing(&mut conn, &role).await?;
    if !missing.is_empty() {
        let needed = missing.join("; ");
        faults.push(format!("role {role} may not {needed}: run `focalpoint migrate --grant-to {role}` as the owner"));
    }
    if !faults.is_empty() {
        bail!("{place}: {}", faults.join("\n  and "));
    }
    if !config.demo && roles::is_mighty(&mut conn, &role).await? == Some(true) {
        tracing::warn!(role, "the server may change the schema; see docs/production.md for a role that may not");
    }
    Ok(())
}

/// The standby. One that is away now is no fault: the primary is read until it is back.
async fn standby(db: &Db, url: &str) -> anyhow::Result<Db> {
    let place = db::place(url);
    let standby = Db::new(url, 1)?;
    match standby.dedicated().await {
        Ok(mut conn) => {
            let is_its_own = db::are_of_one_cluster(&mut conn, &mut db.dedicated().await?).await;
            ensure!(is_its_own.with_context(|| place.clone())?, "{place}: is no standby of the primary");
        }
        Err(cause) => tracing::warn!(place, %cause, "the standby is not reached"),
    }
    Ok(standby)
}

impl Server {
    /// How it is reached on this machine.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until told to stop by `signal`, then stops in good order.
    pub async fn run_until(self, signal: impl Future<Output = ()>) -> anyhow::Result<()> {
        signal.await;
        self.stop().await
    }

    /// Stops: says it is not ready, gives whoever looks time to see that, takes no more requests, lets
    /// those under way end.
    pub async fn stop(self) -> anyhow::Result<()> {
        tracing::info!("stopping");
        self.state.store.note_draining();
        tokio::time::sleep(Duration::from_secs(self.state.config.drain_seconds)).await;
        self.api.stop(true).await?;
        // Imports that go on without their requests.
        let patience = Duration::from_secs(self.state.config.shutdown_seconds);
        let _ = tokio::time::timeout(patience, self.state.import_turns.end()).await;
        self.stop.send_replace(true);
        for worker in self.workers {
            worker.await?;
        }
        if let Some(metrics) = self.metrics {
            metrics.stop(false).await?;
        }
        tracing::info!("stopped");
        Ok(())
    }
}
