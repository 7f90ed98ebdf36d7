//! A thousand sign-ins at once, and passwords of a megabyte: who reads does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use uuid::Uuid;

use crate::harness::samples::Samples;
use crate::harness::{Database, Program, http_client};
use crate::sign_in::Browser;

/// How many at once.
const SIGN_INS: usize = 1_000;

const FORM: &str = "application/x-www-form-urlencoded";

/// What the process has taken of memory at most, in MiB. None where the system does not tell.
fn most_memory(program: &Program) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_sign_ins_at_once_are_refused_in_time_and_hold_up_no_reader() {
    let database = Database::demonstration().await;
    let program = Program::serve(&database.url, "127.0.0.1:0", &[]).unwrap();
    let (http, url) = (http_client(), program.url());
    let browser = Browser::at(&url);
    let page = browser.get("/account/sign-in").await.expect(200);
    let (form, cookie) = (page.hidden()["form"].clone(), browser.cookie("__Host-focalpoint").unwrap());
    let before = most_memory(&program);

    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (http, url, is_over) = (http.clone(), format!("{url}/v1/inf-notes"), is_over.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let answer = http.get(&url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.unwrap();
                    took.push(began.elapsed());
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                took
            })
        })
        .collect();

    let began = Instant::now();
    let sign_in = async |n: usize| {
        let request = match n % 2 {
            0 => {
                let request =
                    http.post(format!("{url}/oauth/token")).basic_auth(Uuid::now_v7(), Some("a wrong secret"));
                request.body("grant_type=client_credentials")
            }
            _ => {
                let request =
                    http.post(format!("{url}/account/sign-in")).header("cookie", format!("__Host-focalpoint={cookie}"));
                let request = request.header("origin", "https://focalpoint.example");
                request.body(format!("form={form}&action=sign-in&mail=m{n}%40example.org&password=wrong"))
            }
        };
        let answer = request.header("content-type", FORM).send().await.unwrap();
        let (status, waits) = (answer.status(), answer.headers().contains_key("retry-after"));
        answer.bytes().await.unwrap();
        assert!(waits || status != StatusCode::TOO_MANY_REQUESTS, "429 says when to come back");
        status.as_u16()
    };
    let statuses = futures_util::future::join_all((0..SIGN_INS).map(sign_in)).await;
    let took = began.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let mut reads = (Samples::default(), 0);
    for reader in readers {
        for took in reader.await.unwrap() {
            reads.0.add(took);
            reads.1 += 1;
        }
    }
    let count = |status: &[u16]| statuses.iter().filter(|one| status.contains(one)).count();
    let (checked, sent_away) = (count(&[401, 403]), count(&[429]));
    assert_eq!(checked + sent_away, SIGN_INS, "{statuses:?}");
    assert!(checked >= 10 && sent_away >= SIGN_INS / 2, "{checked} checked, {sent_away} sent away");
    // Two seconds of waiting, and what hashes when the last one gives up.
    assert!(took < Duration::from_secs(20), "{took:?}");
    let p99 = reads.0.quantile(0.99);
    println!(
        "{SIGN_INS} sign-ins in {took:?}: {checked} checked, {sent_away} sent away; {} reads meanwhile, p50 {:.1} ms, p99 {p99:.1} ms",
        reads.1,
        reads.0.quantile(0.5),
    );
    assert!(reads.1 > 20 && p99 < 1_000.0, "{p99} ms");
    if let (Some(before), Some(after)) = (before, most_memory(&program)) {
        println!("memory: {before} MiB before, {after} MiB at most");
        // A thousand connections and the large futures of an unoptimised build; on any thread that is free, the
        // hashes alone would hold 700.
        assert!(after < before + 350, "{before} MiB, then {after} MiB");
    }
    // And it is over when it is over.
    let again = http.post(format!("{url}/oauth/token")).basic_auth(Uuid::now_v7(), Some("x"));
    let again = again.header("content-type", FORM).body("grant_type=client_credentials").send().await.unwrap();
    assert_eq!(again.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_a_megabyte_costs_nothing() {
    let database = Database::empty().await;
    let program = Program::serve(&database.url, "127.0.0.1:0", &[]).unwrap();
    let (http, url) = (http_client(), program.url());
    let long = "x".repeat(1_000_000);
    let browser = Browser::at(&url);
    let page = browser.get("/account/sign-in").await.expect(200);
    let before = most_memory(&program);
    for _ in 0..5 {
        let began = Instant::now();
        browser.submit(&page, "sign-in", &[("mail", "a@example.org"), ("password", &long)]).await.expect(413);
        browser.submit(&page, "sign-in", &[("mail", &long), ("password", "x")]).await.expect(413);
        let form = http.post(format!("{url}/oauth/token")).header("content-type", FORM);
        assert_eq!(form.body(format!("grant_type=client_credentials&x={long}")).send().await.unwrap().status(), 413);
        // What fits a form is no password all the same, and none of it is hashed.
        for length in [129, 10_000] {
            browser
                .submit(&page, "sign-in", &[("mail", "a@example.org"), ("password", &long[..length])])
                .await
                .expect(403);
            let basic =
                http.post(format!("{url}/oauth/token")).basic_auth(Uuid::now_v7(), Some(&long[..length.min(4_000)]));
            let basic = basic.header("content-type", FORM).body("grant_type=client_credentials").send().await.unwrap();
            assert_eq!(basic.status(), 401);
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    if let (Some(before), Some(after)) = (before, most_memory(&program)) {
        assert!(after < before + 100, "{before} MiB, then {after} MiB");
    }
}
