//! Budgets of requests: from which one a request is taken, when it is used up, and how both are told
//! (draft-ietf-httpapi-ratelimit-headers-11).

mod contract;
mod source;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage, ResponseError, web};
use futures_util::future::Either;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use sfv::{KeyRef, ListSerializer, StringRef};
use tokio::sync::watch;
use uuid::Uuid;

use crate::edge::Edge;
use crate::identity::Presented;
use crate::problem::{ApiError, Code};
use crate::state::State;

pub(crate) use contract::describe;

/// Budgets are for so many seconds.
const WINDOW: u32 = 60;

/// How often what is whole again is forgotten. Between two times the memory grows by at most one entry a request.
const SWEEP: Duration = Duration::from_secs(10);

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The budgets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// What has no other, for each client.
    Default,
    /// Bulletins, entrances and sync: no other request comes between a phone and a bulletin.
    Bulletins,
    /// What is asked without a good token, for each source.
    Public,
    /// Sign-ins, for each source.
    Token,
    /// Imports and exports, for each client.
    Bulk,
}

impl Policy {
    const ALL: [Self; 5] = [Self::Default, Self::Bulletins, Self::Public, Self::Token, Self::Bulk];

    /// The name that callers see.
    fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Bulletins => "bulletins",
            Self::Public => "public",
            Self::Token => "token",
            Self::Bulk => "bulk",
        }
    }

    fn quota(self, edge: &Edge) -> u32 {
        match self {
            Self::Default => edge.rate_limit_default,
            Self::Bulletins => edge.rate_limit_bulletins,
            Self::Public => edge.rate_limit_public,
            Self::Token => edge.rate_limit_token,
            Self::Bulk => edge.rate_limit_bulk,
        }
    }

    /// From which budget a request is taken; none for health checks. A load balancer must never take
    /// a busy process for a dead one.
    fn of(method: &Method, path: &str, by_a_client: bool) -> Option<Self> {
        let is_below = |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path {
            "/healthz" | "/readyz" | "/readyz/writes" => None,
            "/oauth/token" | "/oauth/revoke" | "/oauth/introspect" => Some(Self::Token),
            _ if ["/v1/bulletins", "/v1/entrances", "/v1/sync", "/v1/imports/bulletins"].into_iter().any(is_below) => {
                Some(Self::Bulletins)
            }
            _ if !by_a_client => Some(Self::Public),
            _ if is_below("/v1/exports") || (is_below("/v1/imports") && *method == Method::POST) => Some(Self::Bulk),
            _ => Some(Self::Default),
        }
    }
}

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Client(Uuid),
    Source(u128),
}

type Limiter = RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

struct Budget {
    policy: Policy,
    quota: NonZeroU32,
    limiter: Limiter,
    /// `RateLimit-Policy`, which is always the same.
    told: HeaderValue,
}

/// What is left of a budget, as both headers.
#[derive(Debug)]
struct Left {
    policy: HeaderValue,
    limit: HeaderValue,
}

impl Budget {
    /// None where there is no limit.
    fn new(policy: Policy, quota: u32) -> Option<Self> {
        let quota = NonZeroU32::new(quota)?;
        let limiter = RateLimiter::keyed(Quota::per_minute(quota)).with_middleware();
        Some(Self { policy, quota, limiter, told: item(policy, "q", quota.get(), "w", WINDOW) })
    }

    /// Takes one request, or says how long to wait.
    fn take(&self, key: &Key) -> Result<Left, ApiError> {
        match self.limiter.check_key(key) {
            Ok(snapshot) => Ok(self.left(snapshot.remaining_burst_capacity(), 1)),
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let seconds = u32::try_from(seconds).unwrap_or(WINDOW).max(1);
                let left = self.left(0, seconds);
                Err(ApiError::new(Code::TooManyRequests)
                    .retry_after(seconds.into())
                    .header(RATELIMIT_POLICY, left.policy)
                    .header(RATELIMIT, left.limit))
            }
        }
    }

    /// `t` spreads what is left at the pace at which it comes back: who keeps to that never waits. With
    /// nothing left it is when to ask again, as in `Retry-After`.
    fn left(&self, requests: u32, at_least: u32) -> Left {
        let pace = (u64::from(requests) * u64::from(WINDOW)).div_ceil(u64::from(self.quota.get()));
        let seconds = u32::try_from(pace).unwrap_or(WINDOW).max(at_least);
        Left { policy: self.told.clone(), limit: item(self.policy, "r", requests, "t", seconds) }
    }
}

/// `"name";a=1;b=2`
fn item(policy: Policy, a: &'static str, a_value: u32, b: &'static str, b_value: u32) -> HeaderValue {
    let mut list = ListSerializer::new();
    let item = list.bare_item(StringRef::constant(policy.name()));
    let _ = item.parameter(KeyRef::constant(a), a_value).parameter(KeyRef::constant(b), b_value).finish();
    HeaderValue::try_from(list.finish().unwrap_or_default()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The budgets of this process.
pub struct Limits {
    budgets: [Option<Budget>; Policy::ALL.len()],
    trusted: Vec<IpNet>,
}

impl Limits {
    /// As the operator wants them.
    pub fn new(edge: &Edge) -> Self {
        let budgets = Policy::ALL.map(|policy| Budget::new(policy, policy.quota(edge)));
        Self { budgets, trusted: edge.trusted_proxies.clone() }
    }

    /// Takes a request from the budget it is for; none where there is no limit.
    fn take(&self, request: &ServiceRequest, presented: Presented) -> Result<Option<Left>, ApiError> {
        let client = presented.subject();
        // The path as the router reads it: `/v1/%69mports` is `/v1/imports` to both.
        let policy = Policy::of(request.method(), request.match_info().get_ref().path(), client.is_some());
        let Some(budget) = policy.and_then(|policy| self.budgets[policy as usize].as_ref()) else { return Ok(None) };
        let key = match client.filter(|_| budget.policy != Policy::Token) {
            Some(client) => Key::Client(client),
            None => Key::Source(self.source(request.peer_addr(), request.headers())),
        };
        budget.take(&key).map(Some)
    }

    /// Where a request comes from, as one source is counted.
    pub fn source(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> u128 {
        let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        source::key(source::address(&self.trusted, peer, headers))
    }

    /// Forgets whose budget is whole again.
    fn sweep(&self) {
        for budget in self.budgets.iter().flatten() {
            budget.limiter.retain_recent();
            budget.limiter.shrink_to_fit();
        }
    }
}

/// The middleware: looks who asks, takes the request from a budget, and tells what is left, whatever
/// the answer is. Looks at the token once; [`crate::identity::Allowed`] relies on what it saw.
pub fn limit<S, B>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let state = request.app_data::<web::Data<State>>().expect("the app is built with its state");
    let presented = Presented::by(state, request.headers());
    let taken = state.limits.take(&request, presented);
    request.extensions_mut().insert(presented);
    let (left, answer) = match taken {
        Ok(left) => (left, Either::Left(service.call(request))),
        Err(refused) => (None, Either::Right(request.into_response(refused.error_response()))),
    };
    async move {
        let mut response = match answer {
            Either::Left(answer) => answer.await?.map_into_left_body(),
            Either::Right(refusal) => refusal.map_into_right_body(),
        };
        if let Some(left) = left {
            response.headers_mut().insert(RATELIMIT_POLICY, left.policy);
            response.headers_mut().insert(RATELIMIT, left.limit);
        }
        Ok(response)
    }
}

/// Keeps the budgets' memory small until the server stops.
pub(crate) async fn sweep(state: web::Data<State>, mut stopped: watch::Receiver<bool>) {
    while tokio::time::timeout(SWEEP, stopped.changed()).await.is_err() {
        state.limits.sweep();
        state.throttle.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Key = Key::Client(Uuid::from_u128(1));

    fn told(value: &HeaderValue) -> String {
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_budget_is_told_while_it_lasts_and_when_it_is_used_up() {
        let budget = Budget::new(Policy::Default, 3).unwrap();
        let left: Vec<String> = (0..3).map(|_| told(&budget.take(&CLIENT).unwrap().limit)).collect();
        assert_eq!(left, [r#""default";r=2;t=40"#, r#""default";r=1;t=20"#, r#""default";r=0;t=1"#]);
        assert_eq!(told(&budget.told), r#""default";q=3;w=60"#);
        let refused = budget.take(&CLIENT).unwrap_err();
        assert_eq!(refused.code(), Code::TooManyRequests);
        let response = refused.error_response();
        let header = |name: &str| told(response.headers().get(name).unwrap());
        assert_eq!(header("retry-after"), "20");
        assert_eq!(header("ratelimit"), r#""default";r=0;t=20"#, "never earlier than Retry-After");
        assert_eq!(header("ratelimit-policy"), r#""default";q=3;w=60"#);
        assert!(budget.take(&Key::Client(Uuid::from_u128(2))).is_ok(), "another's is whole");
    }

    #[test]
    fn who_keeps_to_the_pace_never_waits() {
        let budget = Budget::new(Policy::Default, 6_000).unwrap();
        assert_eq!(told(&budget.left(6_000, 1).limit), r#""default";r=6000;t=60"#);
        assert_eq!(told(&budget.left(150, 1).limit), r#""default";r=150;t=2"#);
        assert_eq!(told(&budget.left(1, 1).limit), r#""default";r=1;t=1"#);
        let largest = Budget::new(Policy::Default, u32::MAX).unwrap();
        assert!(told(&largest.take(&CLIENT).unwrap().limit).ends_with(";t=60"));
    }

    #[test]
    fn bulletins_and_sync_have_a_budget_that_nothing_else_touches() {
        let of = |path: &str, by_a_client| Policy::of(&Method::GET, path, by_a_client);
        for path in ["/v1/bulletins", "/v1/bulletins/x", "/v1/entrances", "/v1/sync", "/v1/imports/bulletins"] {
            assert_eq!((of(path, true), of(path, false)), (Some(Policy::Bulletins), Some(Policy::Bulletins)), "{path}");
        }
        for path in ["/v1/bulletinsx", "/v1/directory/people", "/v1/inf-notes", "/", "/v1/Bulletins", "/healthz/"] {
            assert_eq!((of(path, true), of(path, false)), (Some(Policy::Default), Some(Policy::Public)), "{path}");
        }
    }

    #[test]
    fn a_load_balancer_is_never_told_to_wait() {
        for path in ["/healthz", "/readyz", "/readyz/writes"] {
            assert_eq!(Policy::of(&Method::GET, path, false), None);
        }
    }

    #[test]
    fn imports_count_and_asking_how_they_go_does_not() {
        let of = |method, path| Policy::of(&method, path, true);
        assert_eq!(of(Method::POST, "/v1/imports/directory"), Some(Policy::Bulk));
        assert_eq!(of(Method::GET, "/v1/exports/directory"), Some(Policy::Bulk));
        assert_eq!(of(Method::GET, "/v1/imports/1"), Some(Policy::Default));
        assert_eq!(Policy::of(&Method::POST, "/v1/imports/directory", false), Some(Policy::Public));
        assert_eq!(of(Method::POST, "/oauth/token"), Some(Policy::Token));
    }

    #[test]
    fn a_policy_has_the_place_of_its_budget() {
        for (place, policy) in Policy::ALL.into_iter().enumerate() {
            assert_eq!(policy as usize, place);
        }
    }

    #[test]
    fn nought_is_no_limit_and_whole_budgets_are_forgotten() {
        assert!(Budget::new(Policy::Default, 0).is_none());
        let limits = Limits::new(&Edge { rate_limit_public: u32::MAX, ..Edge::default() });
        let budget = limits.budgets[Policy::Public as usize].as_ref().unwrap();
        for source in 0..1_000 {
            budget.take(&Key::Source(source)).unwrap();
        }
        limits.sweep();
        assert_eq!(budget.limiter.len(), 0);
    }
}
