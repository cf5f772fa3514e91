//! Signing in with a provider: there, back, and the code that becomes a session.

use super::sessions::{LoginDevice, SignedIn, check_texts, device, problem};
use crate::accounts::{Origin, secret};
use crate::http::Api;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, CameFrom, Path, Query};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Answer, Flat, Listed, Many, One, Redirect, Resource, Schemas};
use crate::http::table::{Input, Operation};
use crate::listing::{Field, Form, Kind, List};
use crate::oidc::{self, FLOW_TTL_MS, FetchError, Flow, Linker, Mark, OidcError, Returned};
use crate::resilience::chain;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Cookies of a sign-in go to these addresses alone.
const COOKIE_PATH: &str = "/api/v1/auth/oidc";
const MAX_RETURN_TO: usize = 512;
const RETURN_TO: &str = "is a path of this server such as /devices, without a fragment";
/// How long a provider that is away may be left alone by those who ask.
const RETRY_S: u64 = 5;

/// A provider as the sign-in page shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInProvider {
    id: String,
    title: String,
    /// Where a browser begins.
    start: String,
    /// Where a browser signs out at the provider too.
    logout: Option<String>,
}

impl Resource for SignInProvider {
    const FLAT: Flat = Flat::named("provider", "providers");
}

impl Listable for SignInProvider {
    const LIST: List = List {
        fields: &[
            Field::new("id", Kind::Text),
            Field::new("title", Kind::Text).searched(),
            Field::new("start", Kind::Text),
            Field::new("logout", Kind::Text),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct StartQuery {
    /// A path of this server where the browser is to be in the end; `/` where absent.
    return_to: Option<String>,
}

/// What the provider sends a browser back with.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    /// The issuer (RFC 9207).
    iss: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeRequest {
    /// What stood behind `oidc_code=` in the fragment.
    code: String,
    #[schema(value_type = LoginDevice)]
    device: Option<LoginDevice>,
}

/// The cookies of sign-ins, and whether a page is waited for or an answer.
#[derive(Debug)]
pub(crate) struct Browser {
    marks: Vec<Mark>,
    wants_page: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let texts = |name| parts.headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        let wants_page = texts(header::ACCEPT).any(|accept| accept.contains("text/html"));
        Ok(Self { marks: oidc::marks(texts(header::COOKIE)), wants_page })
    }
}

impl Input for Browser {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

pub(crate) async fn providers(
    State(api): State<Api>,
    Asked(listing, ..): Asked<SignInProvider>,
) -> Answer<Listed<SignInProvider>> {
    let shown = api.app.oidc.providers().iter().map(|provider| {
        let settings = &provider.settings;
        let at = |what: &str| format!("{COOKIE_PATH}/{}/{what}", settings.id);
        SignInProvider {
            id: settings.id.clone(),
            title: settings.title.clone(),
            start: at("start"),
            logout: settings.logout.then(|| at("logout")),
        }
    });
    let items = sift(shown.collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn start(
    State(api): State<Api>,
    Path(provider): Path<String>,
    Query(query): Query<StartQuery>,
) -> Answer<Redirect> {
    let return_to = query.return_to.unwrap_or_else(|| "/".into());
    if !is_own_path(&return_to) {
        return Err(Problem::invalid(vec![FieldError::query(
            "return_to",
            "invalid_value",
            RETURN_TO,
        )]));
    }
    let started = api.app.oidc.start(&provider, return_to, None).await;
    let started = started.map_err(|error| refused(&api, &provider, error))?;
    let cookie = cookie(&api, &started.mark, FLOW_TTL_MS / 1_000);
    Ok(Redirect { to: started.url, cookie: Some(cookie) })
}

/// A browser that waits for a page is sent to one, whatever became of it; others are answered.
pub(crate) async fn callback(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    browser: Browser,
    Path(provider): Path<String>,
    Query(query): Query<CallbackQuery>,
) -> Answer<Redirect> {
    let state = query.state.as_deref().unwrap_or_default();
    let flow = api.app.oidc.take_up(&provider, state, &browser.marks).await;
    let (return_to, done) = match flow {
        Ok(flow) => {
            let returned = Returned {
                code: query.code,
                error: query.error,
                error_description: query.error_description,
                issuer: query.iss,
            };
            let done = finish(&api, &provider, &flow, &returned, &origin).await;
            (flow.return_to, done)
        }
        Err(error) => ("/".to_owned(), Err(refused(&api, &provider, error))),
    };
    match done {
        Ok(fragment) => Ok(Redirect { to: format!("{return_to}#{fragment}"), cookie: None }),
        Err(problem) if browser.wants_page && problem.code != ErrorCode::InternalError => {
            let slug = problem.code.entry().slug;
            Ok(Redirect { to: format!("{return_to}#oidc_error={slug}"), cookie: None })
        }
        Err(problem) => Err(problem),
    }
}

/// What the page is told in its fragment, which no server and no log sees.
async fn finish(
    api: &Api,
    provider: &str,
    flow: &Flow,
    returned: &Returned,
    origin: &Origin,
) -> Result<String, Problem> {
    let accounts = &api.app.accounts;
    let identity = match api.app.oidc.finish(provider, flow, returned).await {
        Ok(identity) => identity,
        Err(error) => {
            if let Some(reason) = reason(&error) {
                accounts.refuse_provider(provider, reason, origin).await.map_err(problem(api))?;
            }
            return Err(refused(api, provider, error));
        }
    };
    if let Some(Linker { user, session }) = flow.linker {
        let linked = accounts.link_identity(user, session, &identity, origin).await;
        linked.map_err(problem(api))?;
        return Ok(format!("oidc_linked={provider}"));
    }
    let known = api.app.oidc.provider(provider);
    let settings = &known.map_err(|error| refused(api, provider, error))?.settings;
    let code = accounts.admit(settings, &identity, flow.browser_hash, origin).await;
    Ok(format!("oidc_code={}", code.map_err(problem(api))?))
}

pub(crate) async fn exchange(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    browser: Browser,
    Body(request): Body<ExchangeRequest>,
) -> Answer<One<SignedIn>> {
    let device = device(request.device)?;
    check_texts("", "", &device)?;
    let hashes: Vec<_> = browser.marks.iter().map(|mark| secret::hash_of(&mark.value)).collect();
    let signed_in = api.app.accounts.exchange_code(&request.code, &hashes, device, origin).await;
    Ok(One(SignedIn::of(signed_in.map_err(problem(&api))?)))
}

pub(crate) async fn logout(
    State(api): State<Api>,
    Path(provider): Path<String>,
) -> Answer<Redirect> {
    let to = api.app.oidc.logout_url(&provider).await;
    let to = to.map_err(|error| refused(&api, &provider, error))?;
    Ok(Redirect { to, cookie: None })
}

/// A path of this very server, as a browser reads it.
pub(super) fn is_own_path(text: &str) -> bool {
    text.len() <= MAX_RETURN_TO
        && text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#'))
}

pub(super) fn bad_return_to() -> Problem {
    Problem::invalid(vec![FieldError::body("return_to", "invalid_value", RETURN_TO)])
}

pub(super) fn cookie(api: &Api, mark: &Mark, seconds: u64) -> String {
    let secure = if api.app.oidc.is_secure() { "; Secure" } else { "" };
    format!(
        "{}={}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        mark.name, mark.value
    )
}

/// The word of the audit trail for what no honest sign-in brings.
const fn reason(error: &OidcError) -> Option<&'static str> {
    match error {
        OidcError::TokenRefused(refusal) => Some(refusal.name()),
        OidcError::CodeRefused(_) => Some("code_refused"),
        OidcError::MixedUp => Some("mixed_up"),
        _ => None,
    }
}

pub(super) fn refused(api: &Api, provider: &str, error: OidcError) -> Problem {
    let message = error.to_string();
    let with = |code| Problem::new(code, message.clone()).detail("provider", provider);
    match error {
        OidcError::UnknownProvider(id) => Problem::not_found("provider", id),
        OidcError::NoLogout => Problem::new(ErrorCode::NotFound, message),
        OidcError::UnknownState => with(ErrorCode::InvalidState),
        OidcError::MixedUp => with(ErrorCode::InvalidState),
        OidcError::Said { error, description } => {
            let said = with(ErrorCode::ProviderRefused).detail("provider_error", error);
            match description {
                Some(text) => said.detail("provider_error_description", text),
                None => said,
            }
        }
        OidcError::CodeRefused(error) => {
            tracing::warn!(provider, error, "a provider does not take its code back");
            with(ErrorCode::ProviderRefused).detail("provider_error", error)
        }
        OidcError::TokenRefused(refusal) => {
            tracing::warn!(provider, reason = refusal.name(), "an ID token is refused");
            with(ErrorCode::IdTokenRefused).detail("reason", refusal.name())
        }
        OidcError::Unavailable(source) => {
            tracing::warn!(provider, error = chain(&source), "a provider can't be asked");
            let now_ms = api.app.clock.now_ms();
            let seconds = match source {
                FetchError::Spared { until_ms } => until_ms.saturating_sub(now_ms).div_ceil(1_000),
                _ => RETRY_S,
            };
            with(ErrorCode::ProviderUnavailable).retry_after(seconds)
        }
        OidcError::Unusable(source) => {
            tracing::warn!(provider, error = chain(&source), "a provider can't be used");
            with(ErrorCode::ProviderUnavailable).retry_after(RETRY_S)
        }
        error @ (OidcError::Random(_) | OidcError::Store(_)) => Problem::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_a_path_of_this_server_is_gone_back_to() {
        for (text, own) in [
            ("/", true),
            ("/devices?page=2", true),
            ("", false),
            ("devices", false),
            ("//evil.example.org", false),
            ("/\\evil.example.org", false),
            ("https://evil.example.org", false),
            ("/a#b", false),
            ("/a b", false),
            ("/a\r\nset-cookie: x", false),
        ] {
            assert_eq!(is_own_path(text), own, "{text:?}");
        }
        assert!(!is_own_path(&format!("/{}", "a".repeat(600))));
    }
}
