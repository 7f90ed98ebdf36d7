//! Mails: by SMTP, into the mailbox of a demonstration, and not to whom there is none.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::config::Config;
use api::mail::MailSettings;
use domain::{Language, Role};
use persistence::mail::MailKind;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::browser::Browser;
use super::{PASSWORD, somebody};
use crate::harness::{Database, World, config, http_client};
use crate::operations::{sample, scrape};

type Mails = Arc<Mutex<Vec<(String, String)>>>;

/// A server that takes mails as a whole: to whom, and what was sent. It says of the first `busy` that it is busy.
async fn server(busy: usize) -> (String, Mails) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let mails = Mails::default();
    let taken = mails.clone();
    tokio::spawn(async move {
        for n in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, taken.clone(), n < busy));
        }
    });
    (url, mails)
}

async fn converse(stream: TcpStream, mails: Mails, is_busy: bool) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let (mut to, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match line.get(..4).unwrap_or_default() {
            "MAIL" if is_busy => "451 busy\r\n",
            "RCPT" => {
                to = line.trim().to_owned();
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut mail).await?;
                }
                mails.lock().unwrap().push((to.clone(), mail));
                "250 ok\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn world(mail: MailSettings) -> World {
    let database = Database::empty().await;
    let metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let server = api::start(Config { mail, metrics_listen, ..config(&database.url) }).await.unwrap();
    World { server, http: http_client(), database }
}

async fn until<T>(what: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = what().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come");
}

/// The text, without its transfer coding.
fn decoded(mail: &str) -> String {
    use base64::Engine;
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let body = body.trim_end_matches(".\r\n");
    match head.to_lowercase() {
        head if head.contains("base64") => {
            let body: String = body.split_whitespace().collect();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(body).unwrap()).unwrap()
        }
        head if head.contains("quoted-printable") => body.replace("=\r\n", "").replace("=3D", "="),
        _ => body.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_by_a_link_that_comes_by_mail() {
    let (url, mails) = server(1).await;
    let from = Some("Focalpoint <focalpoint@example.org>".to_owned());
    let world = world(MailSettings { smtp_url: Some(url.into()), mail_from: from }).await;
    let account = somebody(&world, Role::Delegate).await;
    let psql = world.database.psql().await;
    psql.execute("update account set language = 'ar'", &[]).await.unwrap();
    let browser = Browser::new(&world);
    let page = browser.get("/account/forgotten").await;
    browser.submit(&page, "ask", &[("mail", "nobody@example.org")]).await.expect(200);
    browser.submit(&page, "ask", &[("mail", &account.mail.as_str().to_uppercase())]).await.expect(200);
    // The first attempt is refused; the next would be in a minute.
    until(async || psql.query_opt("select from mail where attempts = 1 and sent_at is null", &[]).await.unwrap()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let hasten =
        "update mail set next_attempt_at = now() where sent_at is null and next_attempt_at > now() + interval '50 s'";
    assert_eq!(psql.execute(hasten, &[]).await.unwrap(), 1);
    let (to, mail) = until(async || mails.lock().unwrap().first().cloned()).await;
    assert_eq!(to, format!("RCPT TO:<{}>", account.mail.as_str()), "the account's address, not what was typed");
    for header in
        ["From: Focalpoint <focalpoint@example.org>", "Content-Language: ar", "Auto-Submitted: auto-generated"]
    {
        assert!(mail.contains(header), "{header}: {mail}");
    }
    let text = decoded(&mail);
    assert!(text.contains("كلمة"), "{text}");
    let start = "https://focalpoint.example/account/password/";
    let link = text.lines().find(|line| line.starts_with(start)).unwrap();
    let page = browser.get(link.strip_prefix("https://focalpoint.example").unwrap()).await.expect(200);
    assert_eq!(page.header("content-language"), Some("ar"));
    browser
        .submit(&page, "set", &[("new-password", "seven harps under a paper moon")])
        .await
        .leads_to("/account/sign-in");
    until(async || (mails.lock().unwrap().len() == 2).then_some(())).await;
    let (to_nobody, stored) = {
        let row = psql
            .query_one("select sent_at is not null, shown is null from mail where address = 'nobody@example.org'", &[]);
        let row = row.await.unwrap();
        (row.get::<_, bool>(0), row.get::<_, bool>(1))
    };
    assert!(to_nobody && stored, "done with, and nothing sent");
    // A mail is counted once the database knows of it, which is after its arrival.
    until(async || {
        let scrape = scrape(&world).await;
        let counted = ["sent", "postponed", "given_up"]
            .map(|outcome| sample(&scrape, "focalpoint_mails_total", &[("outcome", outcome)]));
        (counted == [3.0, 1.0, 0.0]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_mails_wait_and_there_is_no_mailbox() {
    let world = world(MailSettings::default()).await;
    let browser = Browser::new(&world);
    let page = browser.get("/account/forgotten").await;
    browser.submit(&page, "ask", &[("mail", "amina@example.org")]).await.expect(200);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let psql = world.database.psql().await;
    let waiting = psql.query("select from mail where sent_at is null and attempts = 0", &[]).await.unwrap();
    assert_eq!(waiting.len(), 1);
    browser.get("/mailbox").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_shows_its_mails_in_place_of_sending_them() {
    let database = Database::demonstration().await;
    let server = api::start(Config { demo: true, base_url: None, ..config(&database.url) }).await.unwrap();
    let world = World { server, http: http_client(), database };
    let account = somebody(&world, Role::Delegate).await;
    let mail = account.mail.as_str().to_owned();
    let invite = async move |conn: &mut persistence::Conn| {
        persistence::mail::insert(conn, MailKind::Invitation, &mail, Language::Fr).await
    };
    world.server.state.db.write(invite).await.unwrap();
    let mut browser = Browser::new(&world);
    browser.form_headers = vec![("origin", world.server.url())];
    let page = until(async || {
        let page = browser.get("/mailbox").await.expect(200);
        page.html.contains(account.mail.as_str()).then_some(page)
    });
    let page = page.await;
    assert!(page.text().contains("Your account on Focalpoint"), "the account's language: {}", page.text());
    let link = page.html.split("href=\"").find(|rest| rest.starts_with("/account/password/")).unwrap();
    let page = browser.get(link.split('"').next().unwrap()).await.expect(200);
    browser
        .submit(&page, "set", &[("new-password", "seven harps under a paper moon")])
        .await
        .leads_to("/account/sign-in");
    assert!(browser.cookie("focalpoint").is_some(), "on this machine there is no TLS");
    let refused = browser.sign_in_with(account.mail.as_str(), PASSWORD).await;
    assert_eq!(refused.status, 403);
    world.server.stop().await.unwrap();
}
