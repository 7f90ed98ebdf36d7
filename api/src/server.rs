//! Starting and stopping: the workers that follow the log, the listener, and what ends them.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

use crate::config::Config;
use crate::contract::{self, Contract};
use crate::deprecation::{self, Deprecations};
use crate::identity::secrets::Secrets;
use crate::identity::{Tokens, generate_key};
use crate::imports::Turns;
use crate::limits::{self, Limits};
use crate::state::State;
use crate::store::Store;
use crate::{app, coding, cors, demonstration, follower, frame, scheduler};
use persistence::{Db, db, identity, migrations};

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its handlers reach.
    pub state: web::Data<State>,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    workers: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

/// Starts: checks the database, takes a first edition, and listens. Needs a multi-thread runtime.
pub async fn start(config: Config) -> anyhow::Result<Server> {
    let url = config.database.database_url.expose_secret();
    let db = Db::new(url, config.database_connections.into())?;
    check_database(&db, config.allow_unsafe_postgres).await?;

    let listener =
        std::net::TcpListener::bind(config.listen).with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let config = Config { listen: address, ..config };
    let tokens = Tokens::new(&config.base_url());
    let state = web::Data::new(State {
        tokens,
        db,
        store: Store::default(),
        secrets: Secrets::new()?,
        import_turns: Turns::default(),
        contract: Contract::new()?,
        limits: Limits::new(&config.edge),
        deprecations: Deprecations::new(deprecation::OPERATIONS, &contract::document())?,
        config,
    });

    let first_key = generate_key()?;
    state.db.write(async move |conn| identity::insert_first_key(conn, &first_key).await).await?;
    if state.config.demo {
        demonstration::fill(&state).await?;
    }
    follower::catch_up(&state).await.context("no first edition could be made")?;
    state.store.note_write(true);

    let (stop, stopped) = watch::channel(false);
    let workers = vec![
        tokio::spawn(follower::follow(state.clone(), stopped.clone())),
        tokio::spawn(scheduler::run(state.clone(), stopped.clone())),
        tokio::spawn(limits::sweep(state.clone(), stopped)),
    ];
    let shared = state.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .configure(app::error_handlers)
            .configure(|config| app::routes(&mut ServiceConfig::new(config)))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").external_url_unchecked("/openapi.json", serde_json::Value::Null))
            .default_service(web::to(frame::no_route))
            .wrap_fn(coding::spare_small)
            .wrap(Compress::default())
            .wrap_fn(limits::limit)
            .wrap(cors::cors(&shared.config.edge.cors_origins))
            .wrap(from_fn(frame::frame))
    })
    .listen(listener)?
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(state.config.shutdown_seconds)
    .disable_signals();
    if let Some(workers) = state.config.workers {
        server = server.workers(workers);
    }
    let server = server.run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    tracing::info!(%address, "ready");
    Ok(Server { address, state, handle, serving, workers, stop })
}

async fn check_database(db: &Db, allow_unsafe: bool) -> anyhow::Result<()> {
    let mut conn = db.dedicated().await.context("the database cannot be reached")?;
    let off = db::unsafe_settings(&mut conn).await?;
    if !off.is_empty() && !allow_unsafe {
        bail!("Postgres would lose acknowledged writes: switch on {}", off.join(", "));
    }
    if migrations::pending(&mut conn).await? {
        bail!("the schema is older than this release: run `focalpoint migrate` first");
    }
    Ok(())
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
        self.handle.stop(true).await;
        self.serving.await??;
        // Imports that go on without their requests.
        let patience = Duration::from_secs(self.state.config.shutdown_seconds);
        let _ = tokio::time::timeout(patience, self.state.import_turns.end()).await;
        self.stop.send_replace(true);
        for worker in self.workers {
            worker.await?;
        }
        tracing::info!("stopped");
        Ok(())
    }
}
