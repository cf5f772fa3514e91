//! Signing in, refreshing, signing out, and who one is.

use crate::access::token::ACCESS_TTL_MS;
use crate::accounts::fields::FieldFault;
use crate::accounts::mfa::CHALLENGE_TTL_MS;
use crate::accounts::{
    self, AccountsError, AuthDevice, Origin, SignIn, TokenPair, User as Account,
};
use crate::http::Api;
use crate::http::auth::{MaybeCaller, Member, unauthorized};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, CameFrom};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// No text of a sign-in is longer.
const MAX_TEXT: usize = 256;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LoginRequest {
    #[schema(value_type = String)]
    email: Option<String>,
    #[schema(value_type = String, format = "password")]
    password: Option<String>,
    #[schema(value_type = LoginDevice)]
    device: Option<LoginDevice>,
}

/// The browser or app that signs in.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LoginDevice {
    /// Stays the same for the same installation.
    #[schema(value_type = String)]
    fingerprint: Option<String>,
    name: Option<String>,
    r#type: Option<String>,
    model: Option<String>,
    os_version: Option<String>,
    app_version: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    user: UserSummary,
    device: SignedInDevice,
    tokens: Tokens,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserSummary {
    id: Uuid,
    email: String,
    display_name: String,
    role: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct SignedInDevice {
    id: Uuid,
}

#[derive(Debug, Serialize, ToSchema)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    /// Seconds that the access token holds.
    expires_in: u64,
}

impl Tokens {
    fn of(pair: TokenPair) -> Self {
        Self {
            access_token: pair.access,
            refresh_token: pair.refresh,
            token_type: "Bearer",
            expires_in: ACCESS_TTL_MS / 1_000,
        }
    }
}

impl SignedIn {
    pub(super) fn of(signed_in: accounts::SignedIn) -> Self {
        Self {
            user: summary(&signed_in.user),
            device: SignedInDevice { id: signed_in.auth_device },
            tokens: Tokens::of(signed_in.tokens),
        }
    }
}

impl Resource for SignedIn {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RefreshRequest {
    #[schema(value_type = String)]
    refresh_token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refreshed {
    tokens: Tokens,
}

impl Resource for Refreshed {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LogoutRequest {
    /// Its session ends; without it, the caller's own.
    refresh_token: Option<String>,
    #[serde(default)]
    all_devices: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(super) message: &'static str,
}

impl Resource for Message {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    user: Profile,
}

impl Me {
    pub(super) fn of(user: Account) -> Self {
        Self { user: profile(user) }
    }
}

impl Resource for Me {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Serialize, ToSchema)]
struct Profile {
    id: Uuid,
    email: String,
    email_verified: bool,
    display_name: String,
    avatar_url: Option<String>,
    locale: String,
    timezone: String,
    role: String,
    mfa_enabled: bool,
    created_at: String,
    last_login_at: Option<String>,
}

pub(crate) async fn login(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<LoginRequest>,
) -> Answer<One<SignedIn>> {
    let attempt = attempt(request, origin)?;
    let signed_in = api.app.accounts.sign_in(attempt).await.map_err(problem(&api))?;
    Ok(One(SignedIn::of(signed_in)))
}

pub(crate) async fn refresh(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<RefreshRequest>,
) -> Answer<One<Refreshed>> {
    let token = request
        .refresh_token
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Problem::new(ErrorCode::MissingToken, "refresh_token is required"))?;
    let pair = api.app.accounts.refresh(&token, &origin).await.map_err(problem(&api))?;
    Ok(One(Refreshed { tokens: Tokens::of(pair) }))
}

pub(crate) async fn logout(
    State(api): State<Api>,
    MaybeCaller(caller): MaybeCaller,
    CameFrom(origin): CameFrom,
    Body(request): Body<LogoutRequest>,
) -> Answer<One<Message>> {
    let accounts = &api.app.accounts;
    match (request.refresh_token, caller) {
        (Some(token), _) => {
            accounts.sign_out(&token, request.all_devices, &origin).await.map_err(problem(&api))?;
        }
        (None, Some(caller)) => accounts
            .sign_out_caller(&caller, request.all_devices, &origin)
            .await
            .map_err(problem(&api))?,
        (None, None) => return Err(unauthorized(ErrorCode::Unauthorized)),
    }
    Ok(One(Message { message: "Logged out successfully" }))
}

pub(crate) async fn me(State(api): State<Api>, Member(caller): Member) -> Answer<One<Me>> {
    let user = api.app.accounts.user(caller.user).await.map_err(Problem::internal)?;
    let user = user.ok_or_else(|| unauthorized(ErrorCode::InvalidToken))?;
    Ok(One(Me::of(user)))
}

fn attempt(request: LoginRequest, origin: Origin) -> Result<SignIn, Problem> {
    let (email, password) = credentials(request.email, request.password)?;
    let device = device(request.device)?;
    check_texts(&email, &password, &device)?;
    Ok(SignIn { email, password, code: None, device, origin })
}

pub(super) fn credentials(
    email: Option<String>,
    password: Option<String>,
) -> Result<(String, String), Problem> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    given(email).zip(given(password)).ok_or_else(|| {
        Problem::new(ErrorCode::MissingCredentials, "email and password are both required")
    })
}

pub(super) fn device(device: Option<LoginDevice>) -> Result<AuthDevice, Problem> {
    device.and_then(auth_device).ok_or_else(|| {
        Problem::new(ErrorCode::MissingDevice, "device with a fingerprint is required")
    })
}

/// Bounds what is stored or hashed, and keeps control characters out of what is stored.
pub(super) fn check_texts(email: &str, password: &str, device: &AuthDevice) -> Result<(), Problem> {
    let texts = [
        ("email", Some(email)),
        ("device.fingerprint", Some(device.fingerprint.as_str())),
        ("device.name", device.name.as_deref()),
        ("device.type", device.kind.as_deref()),
        ("device.model", device.model.as_deref()),
        ("device.os_version", device.os_version.as_deref()),
        ("device.app_version", device.app_version.as_deref()),
    ];
    let long = |text: &str| text.chars().count() > MAX_TEXT;
    let mut faults: Vec<FieldError> = Vec::new();
    if long(password) {
        faults.push(FieldError::body("password", "too_long", "has more than 256 characters"));
    }
    for (field, text) in texts {
        let Some(text) = text else { continue };
        if long(text) {
            faults.push(FieldError::body(field, "too_long", "has more than 256 characters"));
        }
        if text.contains(char::is_control) {
            faults.push(FieldError::body(field, "invalid_value", "holds a control character"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

fn auth_device(device: LoginDevice) -> Option<AuthDevice> {
    let fingerprint = device.fingerprint.filter(|fingerprint| !fingerprint.is_empty())?;
    Some(AuthDevice {
        fingerprint,
        name: device.name,
        kind: device.r#type,
        model: device.model,
        os_version: device.os_version,
        app_version: device.app_version,
    })
}

/// What an account refused, in the registry's words.
pub(super) fn problem(api: &Api) -> impl Fn(AccountsError) -> Problem {
    let now_ms = api.app.clock.now_ms();
    move |error| {
        let code = match &error {
            AccountsError::InvalidCredentials => ErrorCode::InvalidCredentials,
            AccountsError::Inactive => ErrorCode::AccountInactive,
            AccountsError::Locked { until_ms } => {
                let seconds = until_ms.saturating_sub(now_ms).div_ceil(1_000);
                return Problem::new(ErrorCode::AccountLocked, error.to_string())
                    .retry_after(seconds)
                    .detail("locked_until", rfc3339(*until_ms));
            }
            AccountsError::UnknownToken
            | AccountsError::InvalidAccessToken
            | AccountsError::UnknownSecret => ErrorCode::InvalidToken,
            AccountsError::TokenExpired => ErrorCode::TokenExpired,
            AccountsError::TokenReused => ErrorCode::TokenReused,
            AccountsError::RegistrationClosed => ErrorCode::RegistrationClosed,
            AccountsError::InvitationRequired => ErrorCode::InvitationRequired,
            AccountsError::UnknownInvitation => ErrorCode::InvalidInvitation,
            AccountsError::InvalidEmail => {
                return Problem::new(ErrorCode::InvalidEmail, error.to_string())
                    .field(FieldError::body("email", "invalid_email", error.to_string()));
            }
            AccountsError::EmailExists => ErrorCode::EmailExists,
            AccountsError::WeakPassword(suggestions) => {
                return Problem::new(ErrorCode::WeakPassword, error.to_string())
                    .detail("suggestions", suggestions.clone());
            }
            AccountsError::Fields(faults) => {
                let fault = |fault: &FieldFault| {
                    FieldError::body(fault.field, "invalid_value", fault.message)
                };
                return Problem::invalid(faults.iter().map(fault).collect());
            }
            AccountsError::NotYours(_) => ErrorCode::Forbidden,
            AccountsError::Missing => ErrorCode::NotFound,
            AccountsError::Stale => ErrorCode::PreconditionFailed,
            AccountsError::LastSuperuser => ErrorCode::LastSuperuser,
            AccountsError::Conflict(_) => ErrorCode::Conflict,
            AccountsError::MfaRequired { challenge } => {
                return Problem::new(ErrorCode::MfaRequired, error.to_string())
                    .detail("challenge", challenge.clone())
                    .detail("expires_in", CHALLENGE_TTL_MS / 1_000)
                    .detail("methods", vec!["totp", "recovery_code"]);
            }
            AccountsError::WrongCode => ErrorCode::InvalidCode,
            AccountsError::UnknownIdentity => ErrorCode::IdentityUnknown,
            AccountsError::EmailUnverified => ErrorCode::EmailUnverified,
            AccountsError::IdentityUnlinked => ErrorCode::IdentityUnlinked,
            AccountsError::IdentityTaken => ErrorCode::IdentityTaken,
            AccountsError::Busy => {
                return Problem::new(ErrorCode::Unavailable, error.to_string()).retry_after(1);
            }
            AccountsError::Random(_)
            | AccountsError::Password(_)
            | AccountsError::Sealing(_)
            | AccountsError::Signing(_)
            | AccountsError::Store(_) => return Problem::internal(error),
        };
        Problem::new(code, error.to_string())
    }
}

fn summary(user: &Account) -> UserSummary {
    UserSummary {
        id: user.id.0,
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        role: user.role.name().into(),
    }
}

fn profile(user: Account) -> Profile {
    Profile {
        id: user.id.0,
        email: user.email,
        email_verified: user.email_verified,
        display_name: user.display_name,
        avatar_url: user.avatar_url,
        locale: user.locale,
        timezone: user.timezone,
        role: user.role.name().into(),
        mfa_enabled: user.mfa_enabled,
        created_at: rfc3339(user.created_at_ms),
        last_login_at: rfc3339_option(user.last_login_at_ms),
    }
}
