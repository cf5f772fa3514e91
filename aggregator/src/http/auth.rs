//! Who is asking: the Bearer token is judged once, before the rate limit, and what a handler
//! demands of the caller stands in its signature.

use super::Api;
use super::access_log::AskedBy;
use super::basic;
use super::dialect::Dialect;
use super::error::{ErrorCode, Problem};
use super::extract::RequestId;
use super::peer::ClientAddress;
use super::reply::Schemas;
use super::table::{Input, Operation};
use crate::access::{Caller, Credential, Grants, Right, Role, UserId};
use crate::accounts::AccountsError;
use crate::audit::{AuditEntry, Circumstances, Decision};
use crate::config::Config;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

/// What a request's credentials came to.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Anonymous,
    Known(Caller),
    Refused(ErrorCode),
    /// The store did not answer.
    Unknown,
}

pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credential that a request shows.
enum Shown {
    Nothing,
    Bearer(String),
    Basic(String),
    Key(String),
    Unknown,
}

/// Judges the request's credential and leaves an [`Identity`] for what follows, unless the carrier
/// knows already who is there.
pub(crate) async fn identify(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Identity>().is_some() {
        return next.run(request).await;
    }
    let accounts = &api.app.accounts;
    let identity = match shown(request.headers()) {
        Shown::Nothing => anonymous(&api, &request),
        Shown::Bearer(token) => known(accounts.caller(&token).await),
        Shown::Key(key) => known(accounts.caller_by_key(&key).await),
        Shown::Basic(text) => {
            let (mut parts, body) = request.into_parts();
            let judged = basic::judge(&api, &mut parts, &text).await;
            request = Request::from_parts(parts, body);
            match judged {
                Ok(identity) => identity,
                Err(refused) => return *refused,
            }
        }
        Shown::Unknown => Identity::Refused(ErrorCode::InvalidToken),
    };
    let here = Circumstances {
        session: match &identity {
            Identity::Known(caller) if caller.credential != Credential::Nothing => {
                Some(caller.session())
            }
            _ => None,
        },
        address: request.extensions().get::<ClientAddress>().and_then(|client| client.0),
    };
    let user = match &identity {
        Identity::Known(caller) => Some(AskedBy(caller.user)),
        Identity::Anonymous | Identity::Refused(_) | Identity::Unknown => None,
    };
    request.extensions_mut().insert(identity);
    let mut response = here.around(next.run(request)).await;
    if let Some(user) = user {
        response.extensions_mut().insert(user);
    }
    response
}

fn known(caller: Result<Caller, AccountsError>) -> Identity {
    match caller {
        Ok(caller) => Identity::Known(caller),
        Err(error) => refusal(&error),
    }
}

fn shown(headers: &HeaderMap) -> Shown {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().ok());
    match (text(header::AUTHORIZATION), text(X_API_KEY)) {
        (Some(value), _) => match value.and_then(|value| value.split_once(' ')) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Shown::Bearer(token.trim().to_owned())
            }
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("basic") => {
                Shown::Basic(text.trim().to_owned())
            }
            _ => Shown::Unknown,
        },
        (None, Some(Some(key))) => Shown::Key(key.trim().to_owned()),
        (None, Some(None)) => Shown::Unknown,
        (None, None) => Shown::Nothing,
    }
}

/// Requests without a token have a role only where the configuration gives them one, in the
/// flat dialect, on a loopback listener, and from a page of this very server: another site's
/// page may reach loopback too, but it can't hide where it is from.
fn anonymous(api: &Api, request: &Request) -> Identity {
    let config = &api.app.config;
    let role = config.flat.anonymous_role.as_deref().and_then(Role::from_name);
    let flat = Dialect::of_path(request.uri().path()) == Dialect::Flat;
    match role {
        Some(role)
            if flat && config.api.ip().is_loopback() && is_own(request.headers(), config) =>
        {
            Identity::Known(Caller {
                user: UserId(Uuid::nil()),
                email: "anonymous".into(),
                grants: Grants::of(role),
                credential: Credential::Nothing,
                expires_at_ms: u64::MAX,
            })
        }
        Some(_) | None => Identity::Anonymous,
    }
}

/// Do `Host` and, where there is one, `Origin` name this server or a listed origin?
fn is_own(headers: &HeaderMap, config: &Config) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_loopback = |host: &str| {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    let own_host = text(header::HOST).is_some_and(is_loopback);
    let own_origin = text(header::ORIGIN).is_none_or(|origin| {
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host.is_some_and(is_loopback) || config.cors.origins.iter().any(|listed| listed == origin)
    });
    own_host && own_origin
}

fn refusal(error: &AccountsError) -> Identity {
    match error {
        AccountsError::TokenExpired => Identity::Refused(ErrorCode::TokenExpired),
        AccountsError::Store(_) => {
            tracing::error!(error = %super::error::error_chain(error), "a token can't be judged");
            Identity::Unknown
        }
        _ => Identity::Refused(ErrorCode::InvalidToken),
    }
}

pub(crate) fn unauthorized(code: ErrorCode) -> Problem {
    let (message, challenge) = match code {
        ErrorCode::TokenExpired => (
            "the access token has expired",
            r#"Bearer realm="flyball", error="invalid_token", error_description="expired""#,
        ),
        ErrorCode::InvalidToken => {
            ("the access token is not valid", r#"Bearer realm="flyball", error="invalid_token""#)
        }
        ErrorCode::BasicRefused => (
            "Basic authentication works over TLS only, where it is enabled, and for accounts \
             without a second factor",
            r#"Bearer realm="flyball""#,
        ),
        ErrorCode::InvalidCredentials => {
            ("wrong email or password", r#"Basic realm="flyball", charset="UTF-8""#)
        }
        ErrorCode::AccountLocked => {
            ("the account is locked after too many failed attempts", r#"Bearer realm="flyball""#)
        }
        _ => ("this address needs a signed-in user", r#"Bearer realm="flyball""#),
    };
    Problem::new(code, message)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

async fn demand(parts: &Parts, api: &Api, right: Right) -> Result<Caller, Problem> {
    let caller = match parts.extensions.get::<Identity>() {
        Some(Identity::Known(caller)) => caller.clone(),
        Some(Identity::Refused(code)) => return Err(unauthorized(*code)),
        Some(Identity::Unknown) => {
            return Err(Problem::new(ErrorCode::Unavailable, "accounts can't be read now"));
        }
        Some(Identity::Anonymous) | None => return Err(unauthorized(ErrorCode::Unauthorized)),
    };
    if caller.grants.may(right) {
        return Ok(caller);
    }
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: "access.refuse".into(),
        target: format!("{} {}", parts.method, parts.uri.path()),
        decision: Decision::Refused,
        details: json!({ "role": caller.grants.role.name(), "right": right.name() }),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)?;
    let message = format!("the role {} may not {} here", caller.grants.role.name(), right.name());
    Err(Problem::new(ErrorCode::Forbidden, message).detail("right", right.name()))
}

macro_rules! demands {
    ($(#[$doc:meta])* $name:ident, $right:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<Api> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
                demand(parts, api, $right).await.map(Self)
            }
        }

        impl Input for $name {
            fn describe(operation: &mut Operation, _: &mut Schemas) {
                operation.right = Some($right);
                operation.fails(&[ErrorCode::Unauthorized, ErrorCode::Forbidden]);
            }
        }
    };
}

demands!(
    /// Anybody who is signed in.
    Member,
    Right::Use
);
demands!(
    /// A caller who may read somewhere; what it is about is judged by who asks for it.
    Reader,
    Right::Read
);
demands!(
    /// A caller who may change what machines do.
    Actor,
    Right::Act
);
demands!(
    /// A caller who may manage an organization.
    Manager,
    Right::Manage
);
demands!(
    /// A caller who may administer the server.
    Administrator,
    Right::Administer
);

/// Somebody who is signed in themselves: a key can't change what it comes from.
#[derive(Debug)]
pub(crate) struct Owner(pub(crate) Caller);

impl FromRequestParts<Api> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = demand(parts, api, Right::Use).await?;
        match caller.credential {
            Credential::Session(_) | Credential::Password(_) | Credential::Local(_) => {
                Ok(Self(caller))
            }
            Credential::Nothing => Err(unauthorized(ErrorCode::Unauthorized)),
            Credential::ApiKey(_) => {
                let message = "an API key can't do this; sign in with the password";
                Err(Problem::new(ErrorCode::Forbidden, message))
            }
        }
    }
}

impl Input for Owner {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        Member::describe(operation, schemas);
    }
}

/// The caller where there is one: for signing out, which an expired token must not hinder.
#[derive(Debug)]
pub(crate) struct MaybeCaller(pub(crate) Option<Caller>);

impl FromRequestParts<Api> for MaybeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Ok(Self(match parts.extensions.get::<Identity>() {
            Some(Identity::Known(caller)) => Some(caller.clone()),
            _ => None,
        }))
    }
}

impl Input for MaybeCaller {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}
