//! Guessing is slow, and nobody is locked out by it.

use domain::Role;

use super::browser::Browser;
use super::{PASSWORD, somebody};
use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_slowed_down_and_lock_nobody_out() {
    let world = World::empty().await;
    let account = somebody(&world, Role::Delegate).await;
    let mail = account.mail.as_str();
    let known = Browser::signed_in(&world, &account).await;
    let stranger = Browser::new(&world);
    let (mut refused, mut slowed) = (0, Vec::new());
    for mail in [mail, "nobody@example.org"] {
        for _ in 0..12 {
            let page = stranger.sign_in_with(mail, "a wrong password").await;
            match page.status.as_u16() {
                403 => refused += 1,
                _ => slowed.push(page.expect(429)),
            }
        }
    }
    // The sign-in of the known browser was a stranger's when it came.
    assert_eq!((refused, slowed.len()), (9 + 10, 3 + 2));
    let wait: u64 = slowed[0].header("retry-after").unwrap().parse().unwrap();
    assert!((240..=301).contains(&wait), "{wait}");
    let pages: std::collections::BTreeSet<&str> = slowed.iter().map(|page| page.html.as_str()).collect();
    assert_eq!(pages.len(), 1, "an unknown name as a known one");
    stranger.sign_in_with(mail, PASSWORD).await.expect(429);

    known.sign_in_with(mail, PASSWORD).await.leads_to("/account/devices");

    // The way in for who has no known browser.
    let owner = Browser::new(&world);
    owner.sign_in_with(mail, PASSWORD).await.expect(429);
    let secret = super::links::link(&world, &account, "1 hour").await;
    let page = owner.get(&format!("/account/password/{secret}")).await.expect(200);
    let new = "seven harps under a paper moon";
    owner.submit(&page, "set", &[("new-password", new)]).await.leads_to("/account/sign-in");
    owner.sign_in_with(mail, new).await.leads_to("/account/devices");
    known.sign_in_with(mail, new).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_flooded_with_mails() {
    let world = World::empty().await;
    let browser = Browser::new(&world);
    let page = browser.get("/account/forgotten").await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(browser.submit(&page, "ask", &[("mail", "amina@example.org")]).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    browser.submit(&page, "ask", &[("mail", "not an address")]).await.expect(422);
}
