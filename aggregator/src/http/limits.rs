//! Rate limits: a bucket **and** a window for every caller, as the requirement's table has them.
//!
//! The bucket bounds bursts and refills evenly; the window bounds the sum. A new bucket starts
//! full. The state is bounded: past its capacity what was idle longest goes first, which can
//! only be generous to that caller. Pictures, scripts and probes of liveness are not counted.

use super::Api;
use super::auth::Identity;
use super::error::{ErrorCode, Problem};
use crate::access::UserId;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Callers whose state is kept.
const CAPACITY: usize = 20_000;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Login,
    Register,
    Refresh,
    Authenticated,
    Unauthenticated,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    requests: u32,
    window_s: u32,
    burst: u32,
}

impl Class {
    const fn rate(self) -> Rate {
        let (requests, window_s, burst) = match self {
            Self::Login => (5, 60, 5),
            Self::Register => (3, 3600, 3),
            Self::Refresh => (60, 60, 10),
            Self::Authenticated => (1000, 60, 100),
            Self::Unauthenticated => (100, 60, 20),
        };
        Rate { requests, window_s, burst }
    }

    fn of(path: &str, identity: Option<&Identity>) -> Option<Self> {
        let rest = path.strip_prefix("/api/v1").or_else(|| path.strip_prefix("/api"));
        match rest {
            Some("/auth/login") => Some(Self::Login),
            Some("/auth/register") => Some(Self::Register),
            Some("/auth/refresh") => Some(Self::Refresh),
            None if !matches!(path, "/health" | "/ws") => None,
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

#[derive(Clone, Copy, Debug)]
struct Meter {
    tokens: f64,
    refilled_at_ms: u64,
    window_from_ms: u64,
    used: u32,
}

/// What a request was told of its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ruling {
    limit: u32,
    remaining: u32,
    reset_at_s: u64,
    reset_in_s: u64,
    window_s: u32,
    /// Seconds to wait where it is refused.
    refused: Option<u64>,
}

/// Shared under a lock by every request; no await happens while it is held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Arc<Mutex<HashMap<(Class, Subject), Meter>>>);

impl Limits {
    fn take(&self, class: Class, subject: Subject, now_ms: u64) -> Ruling {
        let rate = class.rate();
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if meters.len() >= CAPACITY && !meters.contains_key(&(class, subject)) {
            forget_idle(&mut meters, now_ms);
        }
        let meter = meters.entry((class, subject)).or_insert(Meter {
            tokens: f64::from(rate.burst),
            refilled_at_ms: now_ms,
            window_from_ms: now_ms,
            used: 0,
        });
        meter.take(rate, now_ms)
    }
}

impl Meter {
    fn take(&mut self, rate: Rate, now_ms: u64) -> Ruling {
        let window_ms = u64::from(rate.window_s) * 1_000;
        if now_ms.saturating_sub(self.window_from_ms) >= window_ms {
            self.window_from_ms = now_ms;
            self.used = 0;
        }
        let per_ms = f64::from(rate.requests) / window_ms as f64;
        let passed_ms = now_ms.saturating_sub(self.refilled_at_ms) as f64;
        self.tokens = (self.tokens + passed_ms * per_ms).min(f64::from(rate.burst));
        self.refilled_at_ms = now_ms;
        let window_end_ms = self.window_from_ms + window_ms;
        let refused = if self.used >= rate.requests {
            Some((window_end_ms - now_ms).div_ceil(1_000))
        } else if self.tokens < 1.0 {
            Some((((1.0 - self.tokens) / per_ms) / 1_000.0).ceil() as u64)
        } else {
            self.tokens -= 1.0;
            self.used += 1;
            None
        };
        let bucket = self.tokens as u32;
        Ruling {
            limit: rate.requests,
            remaining: (rate.requests - self.used).min(bucket),
            reset_at_s: window_end_ms.div_ceil(1_000),
            reset_in_s: (window_end_ms - now_ms).div_ceil(1_000),
            window_s: rate.window_s,
            refused: refused.map(|seconds| seconds.max(1)),
        }
    }
}

fn forget_idle(meters: &mut HashMap<(Class, Subject), Meter>, now_ms: u64) {
    meters.retain(|(class, _), meter| {
        let window_ms = u64::from(class.rate().window_s) * 1_000;
        now_ms.saturating_sub(meter.window_from_ms) < window_ms
    });
    while meters.len() >= CAPACITY {
        let oldest = meters.iter().min_by_key(|(_, meter)| meter.refilled_at_ms);
        let Some(key) = oldest.map(|(key, _)| *key) else { return };
        meters.remove(&key);
    }
}

/// Counts the request, refuses it where it is one too many, and says so in its headers.
pub(crate) async fn enforce(State(api): State<Api>, request: Request, next: Next) -> Response {
    let identity = request.extensions().get::<Identity>();
    let Some(class) = Class::of(request.uri().path(), identity) else {
        return next.run(request).await;
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
    let subject = match (class, identity) {
        (Class::Authenticated, Some(Identity::Known(caller))) => Subject::User(caller.user),
        _ => Subject::at(address),
    };
    let ruling = api.limits.take(class, subject, api.app.clock.now_ms());
    let mut response = match ruling.refused {
        Some(seconds) => {
            let message = format!("too many requests, try again in {seconds} s");
            Problem::new(ErrorCode::RateLimitExceeded, message).retry_after(seconds).into_response()
        }
        None => next.run(request).await,
    };
    write_headers(response.headers_mut(), &ruling);
    response
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

    const NOW: u64 = 1_705_328_400_000;
    const HERE: Subject = Subject::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));

    #[test]
    fn five_sign_ins_pass_and_the_sixth_waits_for_bucket_and_window() {
        let limits = Limits::default();
        for left in (0..5).rev() {
            let ruling = limits.take(Class::Login, HERE, NOW);
            assert_eq!((ruling.refused, ruling.remaining), (None, left));
        }
        let ruling = limits.take(Class::Login, HERE, NOW);
        assert_eq!(ruling.refused, Some(60));
        assert_eq!(ruling.reset_at_s, 1_705_328_460);
        // After twelve seconds the bucket has one again, the window still none.
        assert!(limits.take(Class::Login, HERE, NOW + 12_000).refused.is_some());
        assert_eq!(limits.take(Class::Login, HERE, NOW + 60_000).refused, None);
    }

    #[test]
    fn a_burst_is_bounded_before_the_window_is() {
        let limits = Limits::default();
        let passed = (0..50)
            .filter(|_| limits.take(Class::Unauthenticated, HERE, NOW).refused.is_none())
            .count();
        assert_eq!(passed, 20);
        assert_eq!(limits.take(Class::Unauthenticated, HERE, NOW + 600).refused, None);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_state() {
        let limits = Limits::default();
        for number in 0..u32::try_from(CAPACITY).unwrap() + 500 {
            let address = Subject::Address(IpAddr::V4(Ipv4Addr::from(number)));
            limits.take(Class::Unauthenticated, address, NOW + u64::from(number));
        }
        assert!(limits.0.lock().unwrap().len() <= CAPACITY);
    }

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
