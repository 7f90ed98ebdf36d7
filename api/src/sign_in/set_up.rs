//! Setting up a second factor, putting another in its place, and recovery codes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;

use super::consent;
use super::entrance::{password_field, too_many};
use super::factors::{generator, new_recovery_codes, new_secret, recovery_hash, step};
use super::layout::{Field, Page, alert, form};
use super::new_password::owner_field;
use super::person::{Person, Shown, Visitor, lock, succeed};
use super::throttle::Name;
use super::visit::{self, Form, Secret, Visit};
use crate::problem::{ApiError, Code};
use crate::state::State;
use domain::identity::passwords;
use domain::{AccountId, Message};
use persistence::mail::{self, MailKind};
use persistence::{Conn, Error, sign_ins};

/// Who may set a factor up: whoever has none, and has to or wants to.
async fn without_factor(state: &State, visit: &Visit) -> Result<Result<Person, HttpResponse>, ApiError> {
    Ok(match Visitor::of(state, visit).await? {
        Visitor::ToSetUp(person) => Ok(person),
        Visitor::SignedIn(person) if person.totp.is_none() => Ok(person),
        Visitor::SignedIn(_) => Err(visit.go(&visit.onwards())),
        Visitor::ToShow(_) => Err(visit.go(&visit.link(visit::SECOND_FACTOR))),
        Visitor::Stranger => Err(visit.go_by(visit::SIGN_IN)),
    })
}

/// The page. Each time it is asked for it shows another secret: nobody sets up one that somebody else saw before.
pub async fn show(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let person = match without_factor(&state, &visit).await? {
        Ok(person) => person,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (account, secret) = (person.account.id, new_secret()?);
    let act = visit.act(Some(account));
    state.db.acting(act).write(async move |conn| sign_ins::offer_totp(conn, account, &secret).await).await?;
    Ok(page(&visit, &state, &person, &secret, None)?.send())
}

fn page<'a>(
    visit: &'a Visit,
    state: &State,
    person: &Person,
    secret: &[u8],
    fault: Option<&Message>,
) -> Result<Page<'a>, ApiError> {
    let generator = generator(secret, person.account.mail.as_str())?;
    let base32 = generator.secret().to_base32();
    let groups: Vec<String> = base32.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into()).collect();
    let url = generator.to_url().map_err(|_| ApiError::new(Code::Internal))?;
    let field = Field {
        id: "code",
        kind: "digits",
        label: message!("Code from your authenticator app"),
        autocomplete: "one-time-code",
        value: "",
        hint: Some(message!("It has six digits and changes every half minute.")),
        is_faulty: fault.is_some(),
        is_first: fault.is_some(),
    };
    let body = html! {
        @if person.account.roles.need_second_factor() {
            p { (visit.say(&message!("Your role needs a second factor beside the password."))) }
        }
        ol {
            li { (visit.say(&message!("Install an authenticator app on your phone, if you have none."))) }
            li { (visit.say(&message!("In it, add an account: let it read this picture, or type the key below it."))) }
            li { (visit.say(&message!("Type the code that the app then shows."))) }
        }
        div .qr role="img" aria-label=(visit.say(&message!("The key as a QR code"))) { (picture(&url)?) }
        p {
            (visit.say(&message!("Key"))) ": "
            bdi #secret .secret dir="ltr" translate="no" { (groups.join(" ")) }
        }
        (form(visit, html! {
            (alert(visit, fault))
            (field.show(visit))
            button name="action" value="confirm" { (visit.say(&message!("Continue"))) }
        }))
    };
    Ok(Page::new(visit, message!("Set up a second factor"), body)
        .leads_to(consent::leads_to(visit, state))
        .failed_if(fault, StatusCode::FORBIDDEN))
}

/// As SVG within the page, without the XML declaration of a file.
fn picture(url: &str) -> Result<Markup, ApiError> {
    let code = QrCode::new(url).map_err(|_| ApiError::new(Code::Internal))?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    Ok(PreEscaped(svg.find("<svg").map(|start| svg[start..].to_owned()).unwrap_or_default()))
}

/// What became of a code.
enum Confirmed {
    Yes,
    Wrong(Vec<u8>),
    Over,
}

/// Takes the first code: the factor is set up, and recovery codes are shown.
pub async fn confirm(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let person = match without_factor(&state, &visit).await? {
        Ok(person) => person,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (typed, codes) = (form.text("code").to_owned(), new_recovery_codes()?);
    let (secret, before, browser) = (Secret::new()?, visit.hash(), person.browser.id);
    let (account, hash, hashes) = (person.account.clone(), secret.hash(), hashes(person.account.id, &codes));
    let db = state.db.acting(visit.act(Some(account.id)));
    let confirmed = db.write(async move |conn| {
        let is_over = !lock(conn, account.id, &before).await?;
        let Some(totp) = sign_ins::find_totp(conn, account.id).await?.filter(|totp| !is_over && !totp.is_confirmed)
        else {
            return Ok(Confirmed::Over);
        };
        let step = step(&totp.secret, &typed, Utc::now().timestamp());
        let Some(step) = step else { return Ok(Confirmed::Wrong(totp.secret)) };
        if !sign_ins::take_step(conn, totp.id, step).await? {
            return Ok(Confirmed::Wrong(totp.secret));
        }
        sign_ins::save_recovery_codes(conn, account.id, &hashes).await?;
        // Elsewhere one was signed in without it.
        sign_ins::end_browsers(conn, account.id).await?;
        succeed(conn, Some(browser), account.id, Shown::Factor, &hash).await?;
        mail::insert(conn, MailKind::SecondFactorSet, account.mail.as_str(), account.language).await?;
        Ok::<_, Error>(Confirmed::Yes)
    });
    match confirmed.await?.value {
        Confirmed::Yes => {
            visit.adopt(secret);
            Ok(show_codes(&visit, &codes))
        }
        Confirmed::Wrong(stored) => {
            let fault =
                message!("This code is not right. Wait for the next one, and see that your device's clock is right.");
            Ok(page(&visit, &state, &person, &stored, Some(&fault))?.send())
        }
        Confirmed::Over => Ok(visit.go(&visit.here())),
    }
}

fn hashes(account: AccountId, codes: &[String]) -> Vec<[u8; 32]> {
    codes.iter().map(|code| recovery_hash(account, code)).collect()
}

/// Once: only their hashes are kept, and asked for again they would be others.
fn show_codes(visit: &Visit, codes: &[String]) -> HttpResponse {
    let body = html! {
        p { (visit.say(&message!("With one of these codes you sign in when you have lost your phone. Each can be used once."))) }
        p { strong { (visit.say(&message!("They are shown only now. Print them, or keep them where you keep what is valuable."))) } }
        ul .codes dir="ltr" translate="no" { @for code in codes { li { (code) } } }
        p { a #continue href=(visit.onwards()) { (visit.say(&message!("I have kept them: continue"))) } }
    };
    Page::new(visit, message!("Your recovery codes"), body).once().send()
}

/// What is done when the password is shown again.
#[derive(Clone, Copy)]
enum Deed {
    Codes,
    Replace,
}

impl Deed {
    fn page<'a>(self, visit: &'a Visit, person: &Person, fault: Option<&Message>) -> Page<'a> {
        let (title, what, button) = match self {
            Self::Codes => (
                message!("New recovery codes"),
                message!("You are given ten new codes. The ones you have are then good no more."),
                message!("Show new codes"),
            ),
            Self::Replace => (
                message!("Another authenticator app"),
                message!(
                    "The app that you use now is then good no more, and neither are your recovery codes. You set up the other one at once."
                ),
                message!("Continue"),
            ),
        };
        let body = html! {
            p { (visit.say(&what)) }
            (form(visit, html! {
                (alert(visit, fault))
                (owner_field(visit, &person.account))
                (password_field(message!("Password"), fault.is_some(), true).show(visit))
                button name="action" value="confirm" { (visit.say(&button)) }
            }))
            p { a href=(visit.link(visit::DEVICES)) { (visit.say(&message!("Back to your account"))) } }
        };
        Page::new(visit, title, body).failed_if(fault, StatusCode::FORBIDDEN)
    }

    async fn ask(self, visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
        Ok(match Visitor::of(&state, &visit).await?.signed_in() {
            Ok(person) if person.totp.is_none() => visit.go(&visit.link(visit::SET_UP)),
            Ok(person) => self.page(&visit, &person, None).send(),
            Err(first) => visit.go_by(first),
        })
    }

    /// Who has shown the password again.
    async fn person(self, visit: &Visit, state: &State, form: &Form) -> Result<Result<Person, HttpResponse>, ApiError> {
        let person = match Visitor::of(state, visit).await?.signed_in() {
            Ok(person) if person.totp.is_some() => person,
            Ok(_) => return Ok(Err(visit.go(&visit.link(visit::SET_UP)))),
            Err(first) => return Ok(Err(visit.go_by(first))),
        };
        Ok(match password_again(visit, state, &person, form.text("password")).await? {
            Again::Right(_) => Ok(person),
            Again::Wrong(fault) => Err(self.page(visit, &person, Some(&fault)).send()),
            Again::TooOften(response) => Err(response),
        })
    }
}

/// What became of a password that who is signed in shows again.
pub enum Again {
    /// It is theirs: its hash.
    Right(String),
    /// It is not.
    Wrong(Message),
    /// That was tried too often.
    TooOften(HttpResponse),
}

/// Checks the password of who is signed in; as often as a known browser may.
pub async fn password_again(visit: &Visit, state: &State, person: &Person, typed: &str) -> Result<Again, ApiError> {
    let (name, browser) = (Name::typed(person.account.mail.as_str()), person.browser.id.as_u128());
    if let Err(wait) = state.throttle.password(name, visit.source, Some(browser)) {
        return Ok(Again::TooOften(too_many(visit, wait)));
    }
    let wrong = || Again::Wrong(message!("The password is not right."));
    let Some(password) = passwords::prepare(typed) else { return Ok(wrong()) };
    let account = person.account.id;
    let turn = state.secrets.turn().await?;
    let stored = state.db.read(async move |conn| sign_ins::find_password(conn, account).await).await?;
    let is_right = state.secrets.check(turn, password.into(), stored.clone()).await?;
    Ok(stored.filter(|_| is_right).map_or_else(wrong, Again::Right))
}

/// The page that asks for the password before new recovery codes.
pub async fn ask_for_codes(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    Deed::Codes.ask(visit, state).await
}

/// The page that asks for the password before another factor is set up.
pub async fn ask_to_replace(visit: Visit, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    Deed::Replace.ask(visit, state).await
}

/// Makes new recovery codes and shows them.
pub async fn make_codes(visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let person = match Deed::Codes.person(&visit, &state, &form).await? {
        Ok(person) => person,
        Err(response) => return Ok(response),
    };
    let (account, cookie, codes) = (person.account.id, visit.hash(), new_recovery_codes()?);
    let hashes = hashes(account, &codes);
    let db = state.db.acting(visit.act(Some(account)));
    let made = db.write(async move |conn| {
        let is_signed_in = lock(conn, account, &cookie).await?;
        if is_signed_in {
            sign_ins::save_recovery_codes(conn, account, &hashes).await?;
        }
        Ok::<_, Error>(is_signed_in)
    });
    Ok(match made.await?.value {
        true => show_codes(&visit, &codes),
        false => visit.go_by(visit::SIGN_IN),
    })
}

/// Takes the factor away, and leads to where another is set up. Elsewhere one is signed out on our pages.
pub async fn replace(mut visit: Visit, state: web::Data<State>, form: Form) -> Result<HttpResponse, ApiError> {
    let person = match Deed::Replace.person(&visit, &state, &form).await? {
        Ok(person) => person,
        Err(response) => return Ok(response),
    };
    let (account, secret, cookie) = (person.account.id, Secret::new()?, visit.hash());
    let (browser, hash) = (person.browser.id, secret.hash());
    let db = state.db.acting(visit.act(Some(account)));
    let done = db.write(async move |conn: &mut Conn| {
        let is_signed_in = lock(conn, account, &cookie).await?;
        if is_signed_in {
            sign_ins::remove_factors(conn, account).await?;
            sign_ins::end_browsers(conn, account).await?;
            succeed(conn, Some(browser), account, Shown::Password, &hash).await?;
        }
        Ok::<_, Error>(is_signed_in)
    });
    if !done.await?.value {
        return Ok(visit.go_by(visit::SIGN_IN));
    }
    visit.adopt(secret);
    Ok(visit.go(&visit.link(visit::SET_UP)))
}
