//! Rate limits: a bucket **and** a window for every caller, as the requirement's table has them.
//!
//! `rates` counts; what is counted for whom, and how a caller is told, stands here. Pictures,
//! scripts and probes of liveness are not counted.

use super::Api;
use super::auth::Identity;
use super::error::{ErrorCode, Problem, error_chain};
use super::peer::ClientAddress;
use crate::access::UserId;
use crate::app::App;
use crate::config::Limits;
use crate::rates::{LocalRates, Rate, RateState, Ruling};
use crate::store::Store;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Login,
    Register,
    Refresh,
    /// Sign-ins by the OAuth2 form.
    Token,
    /// Second factors.
    Code,
    /// Letters, and what was in them.
    Letter,
    Authenticated,
    Unauthenticated,
    /// Passwords that come with a request.
    Basic,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Refresh => "refresh",
            Self::Token => "token",
            Self::Code => "code",
            Self::Letter => "letter",
            Self::Authenticated => "authenticated",
            Self::Unauthenticated => "unauthenticated",
            Self::Basic => "basic",
        }
    }

    const fn rate(self, table: &Limits) -> Rate {
        match self {
            Self::Login | Self::Token | Self::Code | Self::Letter => table.login,
            Self::Register => table.register,
            Self::Refresh => table.refresh,
            Self::Authenticated => table.authenticated,
            Self::Unauthenticated | Self::Basic => table.unauthenticated,
        }
    }

    fn of(path: &str, identity: Option<&Identity>) -> Option<Self> {
        let rest = path.strip_prefix("/api/v1").or_else(|| path.strip_prefix("/api"));
        match rest {
            Some("/auth/login") => Some(Self::Login),
            Some("/auth/register") => Some(Self::Register),
            Some("/auth/refresh") => Some(Self::Refresh),
            Some("/auth/token") => Some(Self::Token),
            Some("/auth/mfa/verify") => Some(Self::Code),
            Some(
                "/auth/verify-email"
                | "/auth/verify-email/request"
                | "/auth/password-reset/request"
                | "/auth/password-reset/confirm",
            ) => Some(Self::Letter),
            None if !matches!(path, "/health" | "/log" | "/ws") => None,
            _ if matches!(identity, Some(Identity::Known(_))) => Some(Self::Authenticated),
            _ => Some(Self::Unauthenticated),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    User(UserId),
    Address(IpAddr),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Address(address) => write!(f, "address:{address}"),
        }
    }
}

impl Subject {
    /// Whoever has one address of IPv6 has the whole /64 that it lies in.
    fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Where the state of the limits lies.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    local: LocalRates,
    shared: Option<Store>,
}

impl Meters {
    pub(crate) fn new(app: &App) -> Self {
        let shared = app.config.limits.shared.then(|| app.store.clone());
        Self { local: LocalRates::default(), shared }
    }

    /// By the shared state where there is one; while the store is away, by what this replica has
    /// seen itself.
    async fn take(&self, class: Class, subject: Subject, rate: Rate, now_ms: u64) -> Ruling {
        let key = format!("{}:{subject}", class.name());
        if let Some(store) = &self.shared {
            match store.take(&key, rate, now_ms).await {
                Ok(ruling) => return ruling,
                Err(error) => {
                    tracing::error!(error = %error_chain(&error), "rate limits are not shared now");
                }
            }
        }
        self.local.ruling(&key, rate, now_ms)
    }
}

/// Counts the request, refuses it where it is one too many, and says so in its headers.
pub(crate) async fn enforce(State(api): State<Api>, request: Request, next: Next) -> Response {
    if !api.app.config.limits.enabled {
        return next.run(request).await;
    }
    let identity = request.extensions().get::<Identity>();
    let Some(class) = Class::of(request.uri().path(), identity) else {
        return next.run(request).await;
    };
    let subject = match (class, identity) {
        (Class::Authenticated, Some(Identity::Known(caller))) => Subject::User(caller.user),
        _ => Subject::at(address(request.extensions())),
    };
    let rate = class.rate(&api.app.config.limits);
    let ruling = api.limits.take(class, subject, rate, api.app.clock.now_ms()).await;
    if let Some(refused) = refusal(&ruling) {
        return refused;
    }
    let mut response = next.run(request).await;
    write_headers(response.headers_mut(), &ruling);
    response
}

/// Counts a password that is about to be checked against the address that it came from.
pub(super) async fn before_a_password(
    api: &Api,
    extensions: &Extensions,
) -> Result<(), Box<Response>> {
    let limits = &api.app.config.limits;
    if !limits.enabled {
        return Ok(());
    }
    let subject = Subject::at(address(extensions));
    let (class, now_ms) = (Class::Basic, api.app.clock.now_ms());
    let ruling = api.limits.take(class, subject, class.rate(limits), now_ms).await;
    match refusal(&ruling) {
        Some(response) => Err(Box::new(response)),
        None => Ok(()),
    }
}

fn address(extensions: &Extensions) -> IpAddr {
    let client = extensions.get::<ClientAddress>().and_then(|client| client.0);
    client.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The answer to one request too many.
fn refusal(ruling: &Ruling) -> Option<Response> {
    let seconds = ruling.refused?;
    let message = format!("too many requests, try again in {seconds} s");
    let problem = Problem::new(ErrorCode::RateLimitExceeded, message).retry_after(seconds);
    let mut response = problem.into_response();
    write_headers(response.headers_mut(), ruling);
    Some(response)
}

fn write_headers(headers: &mut HeaderMap, ruling: &Ruling) {
    let numbers = [
        ("x-ratelimit-limit", u64::from(ruling.limit)),
        ("x-ratelimit-remaining", u64::from(ruling.remaining)),
        ("x-ratelimit-reset", ruling.reset_at_s),
        ("x-ratelimit-window", u64::from(ruling.window_s)),
    ];
    for (name, number) in numbers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
    let pair = [
        ("ratelimit-policy", format!("\"default\";q={};w={}", ruling.limit, ruling.window_s)),
        ("ratelimit", format!("\"default\";r={};t={}", ruling.remaining, ruling.reset_in_s)),
    ];
    for (name, text) in pair {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_owns_a_network_of_ipv6_is_one_caller() {
        let at = |text: &str| Subject::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.7"), at("192.0.2.7"));
        assert_ne!(at("192.0.2.7"), at("192.0.2.8"));
    }

    #[test]
    fn probes_and_the_console_are_not_counted() {
        for (path, class) in [
            ("/", None),
            ("/assets/app.js", None),
            ("/livez", None),
            ("/health", Some(Class::Unauthenticated)),
            ("/api/v1/auth/login", Some(Class::Login)),
            ("/api/auth/refresh", Some(Class::Refresh)),
            ("/api/v1/devices", Some(Class::Unauthenticated)),
        ] {
            assert_eq!(Class::of(path, None), class, "{path}");
        }
    }
}
