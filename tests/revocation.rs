//! A lost phone is dead within a second, on every process. `script/revocations` makes the same trials by the
//! thousand and tells the distribution.

use std::time::{Duration, Instant};

use api::identity::{Keys, Token, Tokens, Who};
use api::oauth::refresh;
use domain::{Role, Scopes};
use persistence::Db;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::harness::{Database, MISSION, Program, http_client, people};

/// How often each is tried when nobody says otherwise.
const TRIALS: usize = 24;

/// How soon a token has to be refused everywhere.
const AT_MOST: Duration = Duration::from_secs(1);

/// How something ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The app signs out, at the first process.
    SignedOut,
    /// Somebody ends the session, past any process.
    SessionEnded,
    /// The account is suspended.
    Suspended,
    /// The person gets another role.
    AnotherRole,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_is_refused_by_every_process_within_a_second() {
    let trials = std::env::var("FOCALPOINT_REVOCATIONS").ok().map_or(TRIALS, |n| n.parse().unwrap());
    let database = Database::empty().await;
    let issuer = "https://focalpoint.example";
    let processes = [0, 1].map(|_| Program::serve(&database.url, "127.0.0.1:0", &[]).unwrap());
    let urls = processes.each_ref().map(|process| format!("{}/v1/directory/units", process.url()));
    let db = Db::new(&database.url, 4).unwrap();
    let keys = db.read(async |conn| persistence::identity::list_keys(conn).await).await.unwrap();
    let (keys, tokens) = (Keys::new(&keys).unwrap(), Tokens::new(issuer));
    let (http, psql) = (http_client(), database.psql().await);
    let mut took: Vec<(Duration, Ending)> = Vec::new();
    for n in 0..trials {
        let ending = [Ending::SignedOut, Ending::SessionEnded, Ending::Suspended, Ending::AnotherRole][n % 4];
        let who = people::person_in(&db, Role::Delegate, Some(MISSION)).await;
        let said = Token { who, scopes: Scopes::parse("read"), rights_version: 1 };
        let token = tokens.issue(&keys, &said, chrono::Utc::now(), 3600).unwrap();
        for url in &urls {
            assert_eq!(status(&http, url, &token).await, 200, "{ending:?}: good until then");
        }
        end(ending, who, &processes[0], &http, &psql).await;
        let acknowledged = Instant::now();
        let (http, token) = (&http, &token);
        let refused = urls.iter().map(|url| async move {
            while status(http, url, token).await != 401 {
                assert!(acknowledged.elapsed() < 5 * AT_MOST, "{ending:?}: never refused by {url}");
            }
            acknowledged.elapsed()
        });
        let all = futures_util::future::join_all(refused).await;
        took.extend(all.into_iter().map(|took| (took, ending)));
    }
    took.sort_unstable_by_key(|(took, _)| *took);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].0;
    let late = took.iter().filter(|(took, _)| *took >= AT_MOST).count();
    println!(
        "{trials} revocations, two processes: refused after p50 {:?}, p90 {:?}, p99 {:?}, at most {:?} ({:?}); late: {late}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        took[took.len() - 1].1,
    );
    assert_eq!(late, 0, "{took:?}");
}

async fn status(http: &reqwest::Client, url: &str, token: &str) -> u16 {
    http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
}

/// Ends it, and returns when that is acknowledged.
async fn end(ending: Ending, who: Who, process: &Program, http: &reqwest::Client, psql: &Client) {
    let Who::Person { account, app, session } = who else { unreachable!("a person") };
    let execute = async |statement: &str, id: Uuid| assert_eq!(psql.execute(statement, &[&id]).await.unwrap(), 1);
    match ending {
        Ending::SignedOut => {
            let token = refresh::make(&people::ROTATION_KEY, session, 0);
            let request = http.post(format!("{}/oauth/revoke", process.url()));
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = request.body(format!("token={token}&client_id={}", app.0)).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        Ending::SessionEnded => {
            execute("update session set ended_at = now(), ended_by = 'revoked' where id = $1", session.0).await;
        }
        Ending::Suspended => execute("update account set suspended_at = now() where id = $1", account.0).await,
        Ending::AnotherRole => execute("update account set roles = '{mission_admin}' where id = $1", account.0).await,
    }
}
