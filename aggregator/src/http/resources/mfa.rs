//! The second factor of one's own account, and sign-ins that wait for it.

use super::sessions::{Message, SignedIn, problem};
use crate::accounts::mfa::{Enrolment, Factors};
use crate::http::Api;
use crate::http::auth::Owner;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, CameFrom};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::rfc3339_option;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// No code is longer.
const MAX_CODE: usize = 64;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecondFactors {
    totp: bool,
    totp_since: Option<String>,
    recovery_codes_left: u32,
}

impl Resource for SecondFactors {
    const FLAT: Flat = Flat::fields();
}

impl From<Factors> for SecondFactors {
    fn from(factors: Factors) -> Self {
        Self {
            totp: factors.totp_since_ms.is_some(),
            totp_since: rfc3339_option(factors.totp_since_ms),
            recovery_codes_left: factors.recovery_codes_left,
        }
    }
}

/// What an authenticator app needs. It is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TotpEnrolment {
    /// Base32, to be typed in.
    secret: String,
    /// `otpauth://…`, to be shown as a picture.
    otpauth_uri: String,
}

impl Resource for TotpEnrolment {
    const FLAT: Flat = Flat::fields();
}

/// Each is good for one sign-in without the app. They are shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

impl Resource for RecoveryCodes {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeRequest {
    #[schema(min_length = 1, max_length = 64)]
    code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordOnly {
    #[schema(value_type = String, format = "password")]
    password: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// What the refused sign-in gave.
    challenge: String,
    /// Six digits of the app, or a recovery code.
    #[schema(min_length = 1, max_length = 64)]
    code: String,
}

fn checked(code: &str) -> Result<&str, Problem> {
    if (1..=MAX_CODE).contains(&code.len()) {
        return Ok(code);
    }
    let fault = FieldError::body("code", "out_of_range", "has 1 to 64 characters");
    Err(Problem::invalid(vec![fault]))
}

fn password(request: PasswordOnly) -> Result<String, Problem> {
    request.password.filter(|password| !password.is_empty()).ok_or_else(|| {
        Problem::new(ErrorCode::MissingCredentials, "the password is asked for once more")
    })
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Owner(caller): Owner,
) -> Answer<One<SecondFactors>> {
    Ok(One(api.app.accounts.factors(&caller).await.map_err(problem(&api))?.into()))
}

pub(crate) async fn begin(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
) -> Answer<One<TotpEnrolment>> {
    let begun = api.app.accounts.begin_totp(&caller, &origin).await;
    let Enrolment { secret, uri } = begun.map_err(problem(&api))?;
    Ok(One(TotpEnrolment { secret, otpauth_uri: uri }))
}

pub(crate) async fn confirm(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(request): Body<CodeRequest>,
) -> Answer<One<RecoveryCodes>> {
    let code = checked(&request.code)?;
    let codes = api.app.accounts.confirm_totp(&caller, code, &origin).await;
    Ok(One(RecoveryCodes { recovery_codes: codes.map_err(problem(&api))? }))
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(request): Body<PasswordOnly>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.remove_totp(&caller, password(request)?, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Second factor removed" }))
}

pub(crate) async fn renew_codes(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(request): Body<PasswordOnly>,
) -> Answer<One<RecoveryCodes>> {
    let codes = api.app.accounts.renew_recovery_codes(&caller, password(request)?, &origin).await;
    Ok(One(RecoveryCodes { recovery_codes: codes.map_err(problem(&api))? }))
}

pub(crate) async fn verify(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<VerifyRequest>,
) -> Answer<One<SignedIn>> {
    let code = checked(&request.code)?;
    let signed_in = api.app.accounts.answer_challenge(&request.challenge, code, origin).await;
    Ok(One(SignedIn::of(signed_in.map_err(problem(&api))?)))
}
