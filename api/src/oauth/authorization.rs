//! Authorization requests (RFC 6749 §4.1.1): which are answered, where, and with what.

use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::forms::Form;
use super::secret;
use crate::identity::Identities;
use crate::problem::ApiError;
use crate::state::State;
use domain::{AccountId, Act, AppId, Message, Roles, Scopes};
use persistence::clients::App;
use persistence::sessions::{self, Code};

/// How long a code is good for: as long as an app needs to fetch its token (RFC 9700 §2.1.1 and ASVS 10.4.3 allow
/// ten times that).
const CODE_LIVES: TimeDelta = TimeDelta::seconds(60);

/// The longest `state`, in bytes.
const MAX_STATE: usize = 2_000;

/// A request that may be put before a person.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub app: App,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What for: as asked, or all that the app may ask for.
    pub scopes: Scopes,
    /// Whether the app wants to be sure that the person is there: `prompt=login`.
    pub wants_sign_in: bool,
    /// Whether nothing may be shown: `prompt=none`.
    pub wants_no_page: bool,
    /// The mail that the app supposes, to be filled in for the person.
    pub login_hint: Option<String>,
    /// The languages that the app asks for, best first, separated by blanks.
    pub ui_locales: Option<String>,
    state: Option<String>,
    code_challenge: String,
    issuer: String,
}

/// Why a request is not put before a person.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// It is not sure whose request it is, so nobody is sent anywhere (RFC 6749 §4.1.2.1): to be shown.
    Shown(Message),
    /// The app is told: the whole address to send the browser to.
    Redirected(String),
}

impl AuthorizationRequest {
    /// Reads the query of a request to the server whose issuer this is.
    pub fn read(query: &str, identities: &Identities, issuer: &str) -> Result<Self, Refusal> {
        let form = Form::parse(query);
        // Of a request that repeats parameters (RFC 6749 §3.1), nothing can be trusted.
        let Some(form) = form else {
            return Err(Refusal::Shown(message!("The app's request cannot be read")));
        };
        let id = form.get("client_id").and_then(|id| Uuid::try_parse(id).ok()).map(AppId);
        let Some(app) = id.and_then(|id| identities.app(id)).cloned() else {
            return Err(Refusal::Shown(message!("This app is not registered here")));
        };
        // RFC 9700 §2.1: compared exactly, and always given. Before this nothing is sent anywhere (§4.11).
        let asked = form.get("redirect_uri").unwrap_or_default();
        if !app.redirect_uris.iter().any(|uri| uri.matches(asked)) {
            let why = message!("The app wants its answer at an address that is not registered for it");
            return Err(Refusal::Shown(why));
        }
        let state = form.get("state").filter(|state| state.len() <= MAX_STATE).map(str::to_owned);
        let redirect_uri = asked.to_owned();
        let refuse = |error, why| {
            let parameters = [("error", error), ("error_description", why)];
            Err(Refusal::Redirected(answer(&redirect_uri, &parameters, state.as_deref(), issuer)))
        };
        if form.get("state").is_some() && state.is_none() {
            return refuse("invalid_request", "state is too long");
        }
        if form.get("request").is_some() {
            return refuse("request_not_supported", "Parameters are given one by one");
        }
        if form.get("request_uri").is_some() {
            return refuse("request_uri_not_supported", "Parameters are given one by one");
        }
        if form.get("response_type") != Some("code") {
            return refuse("unsupported_response_type", "response_type must be code");
        }
        if form.get("response_mode").is_some_and(|mode| mode != "query") {
            return refuse("invalid_request", "response_mode must be query");
        }
        // RFC 7636 §4.3 takes a request without a method for a plain one: a downgrade (RFC 9700 §4.8.2).
        if form.get("code_challenge_method") != Some("S256") {
            return refuse("invalid_request", "code_challenge_method must be S256");
        }
        let Some(code_challenge) = form.get("code_challenge").filter(|challenge| is_challenge(challenge)) else {
            return refuse("invalid_request", "code_challenge must be the base64url of a SHA-256");
        };
        let scopes = match form.get("scope") {
            None => Some(app.scopes),
            Some(asked) => Scopes::parse_known(asked).filter(|asked| asked.and(app.scopes) == *asked),
        };
        let Some(scopes) = scopes else {
            return refuse("invalid_scope", "The app may not ask for one of these scopes");
        };
        let prompts: Vec<&str> = form.get("prompt").unwrap_or_default().split(' ').collect();
        let (wants_sign_in, wants_no_page) = (prompts.contains(&"login"), prompts.contains(&"none"));
        if wants_no_page && prompts.len() > 1 {
            return refuse("invalid_request", "prompt=none stands alone");
        }
        let code_challenge = code_challenge.to_owned();
        let login_hint = form.get("login_hint").filter(|hint| hint.len() <= 254).map(str::to_owned);
        let ui_locales = form.get("ui_locales").filter(|tags| tags.len() <= 200).map(str::to_owned);
        let issuer = issuer.to_owned();
        Ok(Self {
            app,
            redirect_uri,
            scopes,
            wants_sign_in,
            wants_no_page,
            login_hint,
            ui_locales,
            state,
            code_challenge,
            issuer,
        })
    }

    /// The address that tells the app that the person does not want to.
    pub fn denied(&self) -> String {
        self.refused("access_denied", "The person did not allow it")
    }

    /// The address that tells the app that a page would have to be shown (OpenID Connect Core §3.1.2.6).
    pub fn needs_page(&self) -> String {
        self.refused("interaction_required", "The person has to be asked")
    }

    fn refused(&self, error: &str, why: &str) -> String {
        let parameters = [("error", error), ("error_description", why)];
        answer(&self.redirect_uri, &parameters, self.state.as_deref(), &self.issuer)
    }
}

/// Who consents.
#[derive(Debug, Clone, Copy)]
pub struct Consent<'a> {
    /// Whose account it is.
    pub account: AccountId,
    /// Their roles.
    pub roles: Roles,
    /// Whether they have shown a second factor.
    pub has_second_factor: bool,
    /// What the device's browser calls itself.
    pub device: &'a str,
}

/// Gives the app a code for a person who consents, and says where to send the browser. What the person's roles do
/// not carry is not granted; where nothing remains, the app is told so.
pub async fn grant(
    state: &State,
    request: &AuthorizationRequest,
    by: Consent<'_>,
    act: Act,
) -> Result<String, ApiError> {
    let granted = request.scopes.and(by.roles.scopes());
    if granted.is_empty() {
        return Ok(request.refused("access_denied", "The person may do nothing of what is asked for"));
    }
    let (code, hash) = secret()?;
    let row = Code {
        hash: hash.to_vec(),
        account_id: by.account.0,
        app_id: request.app.id.0,
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        scope: granted.parameter(),
        device: by.device.chars().filter(|c| !c.is_control()).take(200).collect(),
        has_second_factor: by.has_second_factor,
        expires_at: Utc::now() + CODE_LIVES,
        used_at: None,
        session_id: None,
    };
    state.db.acting(act).write(async move |conn| sessions::insert_code(conn, &row).await).await?;
    Ok(answer(&request.redirect_uri, &[("code", &code)], request.state.as_deref(), &request.issuer))
}

/// The redirect address with what is to be told in its query, and who tells it (RFC 9207).
fn answer(redirect_uri: &str, parameters: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let mut told = parameters.to_vec();
    told.extend(state.map(|state| ("state", state)));
    told.push(("iss", issuer));
    // Pairs of texts are always a form.
    let query = serde_urlencoded::to_string(&told).unwrap_or_default();
    // RFC 6749 §3.1.2: a query that the address has stays.
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{query}")
}

/// 43 characters of base64url: a SHA-256 (RFC 7636 §4.2).
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::identity::RedirectUri;
    use persistence::identity::Known;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn identities() -> Identities {
        let app = App {
            id: AppId(Uuid::from_u128(1)),
            name: "An app".into(),
            redirect_uris: ["https://app.example.org/cb?x=1", "http://127.0.0.1/cb"]
                .map(|uri| RedirectUri::parse(uri).unwrap())
                .to_vec(),
            scopes: Scopes::parse("read account"),
            created_at: Utc::now(),
            disabled_at: None,
            row_version: 1,
        };
        let closed = App { id: AppId(Uuid::from_u128(2)), disabled_at: Some(Utc::now()), ..app.clone() };
        let known = Known {
            clients: Vec::new(),
            apps: vec![app, closed],
            people: Vec::new(),
            ended: Vec::new(),
            keys: Vec::new(),
        };
        Identities::new(known, false).unwrap()
    }

    fn read(parameters: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
        let query = serde_urlencoded::to_string(parameters).unwrap();
        AuthorizationRequest::read(&query, &identities(), "https://f.example")
    }

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("client_id", "00000000-0000-0000-0000-000000000001"),
            ("redirect_uri", "https://app.example.org/cb?x=1"),
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "a b&c"),
        ]
    }

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        let mut parameters = good();
        parameters.retain(|(given, _)| *given != name);
        parameters.push((name, value));
        parameters
    }

    #[test]
    fn a_request_for_a_code_is_put_before_the_person() {
        let request = read(&good()).unwrap();
        assert_eq!(request.scopes, Scopes::parse("read account"), "all that the app may ask for");
        assert_eq!(
            request.denied(),
            "https://app.example.org/cb?x=1&error=access_denied&error_description=The+person+did+not+allow+it\
             &state=a+b%26c&iss=https%3A%2F%2Ff.example"
        );
        assert_eq!(read(&with("scope", "read")).unwrap().scopes, Scopes::parse("read"));
        assert!(read(&with("redirect_uri", "http://127.0.0.1:50123/cb")).is_ok());
        assert!(read(&with("prompt", "login")).unwrap().wants_sign_in);
    }

    #[test]
    fn nobody_is_sent_to_an_address_that_is_not_the_apps() {
        for parameters in [
            with("client_id", ""),
            with("client_id", "x"),
            with("client_id", "00000000-0000-0000-0000-000000000002"),
            with("client_id", "00000000-0000-0000-0000-000000000003"),
            with("redirect_uri", ""),
            with("redirect_uri", "https://app.example.org/cb"),
            with("redirect_uri", "https://app.example.org/cb?x=1#"),
            with("redirect_uri", "https://app.example.org/cb?x=1&y=2"),
            with("redirect_uri", "https://u@app.example.org/cb?x=1"),
            with("redirect_uri", "https://app.example.org/../cb?x=1"),
            with("redirect_uri", "https://evil.example/cb"),
            with("redirect_uri", "http://127.0.0.1:50123@evil.example/cb"),
            [good(), vec![("redirect_uri", "https://evil.example/")]].concat(),
        ] {
            assert!(matches!(read(&parameters), Err(Refusal::Shown(_))), "{parameters:?}");
        }
    }

    #[test]
    fn what_else_is_wrong_the_app_is_told() {
        for (name, value, error) in [
            ("response_type", "token", "unsupported_response_type"),
            ("response_type", "", "unsupported_response_type"),
            ("response_type", "code id_token", "unsupported_response_type"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("scope", "read root", "invalid_scope"),
            ("scope", "directory:import", "invalid_scope"),
            ("request", "x", "request_not_supported"),
            ("request_uri", "https://evil.example", "request_uri_not_supported"),
            ("response_mode", "fragment", "invalid_request"),
            ("prompt", "none login", "invalid_request"),
        ] {
            match read(&with(name, value)) {
                Err(Refusal::Redirected(to)) => {
                    assert!(to.starts_with(&format!("https://app.example.org/cb?x=1&error={error}&")), "{to}");
                    assert!(to.ends_with("&state=a+b%26c&iss=https%3A%2F%2Ff.example"), "{to}");
                }
                other => panic!("{name}={value}: {other:?}"),
            }
        }
    }
}
