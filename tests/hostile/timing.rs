//! Nobody learns from the time that an answer takes whether there is an account or a client. `script/sign-in-timing`
//! asks by the thousand and tells; here a few show that it works.

use std::time::Instant;

use api::edge::Edge;
use reqwest::Method;
use uuid::Uuid;

use crate::harness::samples::Samples;
use crate::harness::{Reply, Who, World};
use crate::sign_in::Browser;

/// How many of each kind when nobody says otherwise.
const EACH: usize = 3;

/// How many are asked first, so that everything is warm.
const WARM: usize = 2;

/// Somebody, or nobody, of each kind: the first is the one that others are compared with.
struct Names {
    kinds: [&'static str; 4],
    each: Vec<[String; 4]>,
}

/// Accounts, as many of each kind as there are rounds: a name that is tried often is slowed down.
async fn accounts(world: &World, rounds: usize) -> Names {
    let hash = api::identity::secrets::hash(&"a good password of somebody".to_owned().into()).unwrap();
    let psql = world.database.psql().await;
    let kinds = ["known", "unknown", "suspended", "without a password"];
    let mut each = Vec::new();
    let (mut ids, mut suspended, mut with_password) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let of_round = kinds.map(|kind| {
            let id = Uuid::new_v4();
            if kind != "unknown" {
                ids.push(id);
                suspended.push(kind == "suspended");
                with_password.push(kind != "without a password");
            }
            format!("{id}@example.org")
        });
        each.push(of_round);
    }
    let insert = "insert into account (id, mail, name, language, roles, suspended_at)
        select id, id || '@example.org', 'Somebody', 'en', '{editor}', case when gone then now() end
        from unnest($1::uuid[], $2::bool[]) as t (id, gone)";
    psql.execute(insert, &[&ids, &suspended]).await.unwrap();
    let insert = "insert into password (account_id, hash)
        select id, $3 from unnest($1::uuid[], $2::bool[]) as t (id, has) where has";
    psql.execute(insert, &[&ids, &with_password, &hash]).await.unwrap();
    psql.batch_execute("analyze account; analyze password").await.unwrap();
    Names { kinds, each }
}

/// Services and ids that are none's, in the same way.
async fn services(world: &World, rounds: usize) -> Names {
    let secret = api::identity::secrets::generate().unwrap();
    let hash = api::identity::secrets::hash(&secret).unwrap();
    let psql = world.database.psql().await;
    let kinds = ["known", "unknown", "disabled", "not an id"];
    let (mut ids, mut disabled, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        each.push(kinds.map(|kind| {
            let id = Uuid::new_v4();
            if ["known", "disabled"].contains(&kind) {
                ids.push(id);
                disabled.push(kind == "disabled");
            }
            if kind == "not an id" { "somebody".to_owned() } else { id.to_string() }
        }));
    }
    let insert = "insert into oauth_client (id, name, role, secret_hash, disabled_at)
        select id, 'of a test', 'importer', $3, case when gone then now() end
        from unnest($1::uuid[], $2::bool[]) as t (id, gone)";
    psql.execute(insert, &[&ids, &disabled, &hash]).await.unwrap();
    Names { kinds, each }
}

/// Asks in rounds, each time beginning with another kind, and tells how the kinds differ. The largest |t|.
async fn compare(what: &str, names: &Names, ask: impl AsyncFn(&str, usize) -> Reply, status: u16) -> f64 {
    let mut samples = names.kinds.map(|_| Samples::default());
    let mut n = 0;
    for (round, of_round) in names.each.iter().enumerate() {
        for place in 0..of_round.len() {
            let kind = (round + place) % of_round.len();
            n += 1;
            let began = Instant::now();
            let reply = ask(&of_round[kind], n).await;
            let took = began.elapsed();
            assert_eq!(reply.status.as_u16(), status, "{what}, {}", names.kinds[kind]);
            if round >= WARM {
                samples[kind].add(took);
            }
        }
    }
    let mut largest: f64 = 0.0;
    println!("{what}, {} of each:", names.each.len() - WARM);
    for (kind, of_kind) in names.kinds.iter().zip(&samples) {
        let t = of_kind.welch(&samples[0]);
        let (mean, median) = (of_kind.mean(), of_kind.quantile(0.5));
        match *kind == names.kinds[0] {
            true => println!("  {kind:20} mean {mean:8.3} ms, median {median:8.3} ms"),
            false => {
                println!("  {kind:20} mean {mean:8.3} ms, median {median:8.3} ms, Welch's t {t:6.2}");
                largest = largest.max(t.abs());
            }
        }
    }
    largest
}

/// An address of its own for each attempt, as a proxy would tell it.
fn source(n: usize) -> String {
    format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_an_answer_does_not_tell_who_is_known() {
    let each = std::env::var("FOCALPOINT_SIGN_INS").ok().map_or(EACH, |n| n.parse().unwrap());
    let edge = Edge {
        rate_limit_default: 0,
        rate_limit_public: 0,
        rate_limit_token: 0,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Edge::default()
    };
    let world = World::with_edge(edge).await;
    let (names, clients) = (accounts(&world, each + WARM).await, services(&world, each + WARM).await);
    let browser = Browser::new(&world);
    let token = browser.get("/account/sign-in").await.expect(200).hidden()["form"].clone();
    let cookie = format!("__Host-focalpoint={}", browser.cookie("__Host-focalpoint").unwrap());
    let form = |path: &str, body: String, n: usize| {
        let request = world.request(Method::POST, path, Who::Stranger).header("x-forwarded-for", source(n));
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("cookie", &cookie);
        world.send(request.body(body))
    };
    let (mail, token) = (|name: &str| name.replace('@', "%40"), &token);
    let sign_in = async |name: &str, n: usize| {
        form("/account/sign-in", format!("form={token}&action=sign-in&mail={}&password=wrong", mail(name)), n).await
    };
    let secret = async |id: &str, n: usize| {
        let request = world.request(Method::POST, "/oauth/token", Who::Stranger).header("x-forwarded-for", source(n));
        let request = request.basic_auth(id, Some("a wrong secret"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body("grant_type=client_credentials")).await
    };
    let forgotten = async |name: &str, n: usize| {
        form("/account/forgotten", format!("form={token}&action=ask&mail={}", mail(name)), n).await
    };
    let largest = [
        compare("signing in with a wrong password", &names, sign_in, 403).await,
        compare("a client's wrong secret", &clients, secret, 401).await,
        compare("asking for a link", &names, forgotten, 200).await,
    ];
    println!("the largest |t|: {:.2}", largest.into_iter().fold(0.0, f64::max));
}
