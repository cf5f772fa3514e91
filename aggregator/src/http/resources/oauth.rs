//! The token endpoint of OAuth 2: the resource owner's password, or a refresh token, as a form.
//! Answers and errors are RFC 6749's own, in every dialect.

use crate::access::token::ACCESS_TTL_MS;
use crate::accounts::{AccountsError, AuthDevice, Origin, SignIn, TokenPair};
use crate::http::Api;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{CameFrom, Form};
use crate::http::reply::{Answer, Raw};
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

const MAX_TEXT: usize = 256;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TokenForm {
    /// `password` or `refresh_token`.
    grant_type: Option<String>,
    /// The e-mail.
    username: Option<String>,
    #[schema(format = "password")]
    password: Option<String>,
    refresh_token: Option<String>,
    /// Tells one app's sign-ins from another's.
    client_id: Option<String>,
    /// The code of the second factor, for accounts that have one.
    otp: Option<String>,
}

pub(crate) async fn token(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Form(form): Form<TokenForm>,
) -> Answer<Raw> {
    let pair = match form.grant_type.as_deref() {
        Some("password") => by_password(&api, form, origin).await?,
        Some("refresh_token") => {
            let token = form.refresh_token.ok_or_else(|| lacking("refresh_token is required"))?;
            api.app.accounts.refresh(&token, &origin).await.map_err(refused)?
        }
        Some(_) => {
            let message = "grant_type is password or refresh_token";
            return Err(Problem::new(ErrorCode::UnsupportedGrantType, message));
        }
        None => return Err(lacking("grant_type is required")),
    };
    let body = json!({
        "access_token": pair.access, "token_type": "Bearer",
        "expires_in": ACCESS_TTL_MS / 1_000, "refresh_token": pair.refresh,
    });
    Ok(Raw(body.to_string()))
}

async fn by_password(api: &Api, form: TokenForm, origin: Origin) -> Result<TokenPair, Problem> {
    let (Some(email), Some(password)) = (form.username, form.password) else {
        return Err(lacking("username and password are both required"));
    };
    let client = form.client_id.unwrap_or_else(|| "oauth2".into());
    for text in [&email, &client] {
        if text.chars().count() > MAX_TEXT || text.contains(char::is_control) {
            return Err(lacking("a field is too long or holds a control character"));
        }
    }
    if password.chars().count() > MAX_TEXT {
        return Err(lacking("password is too long"));
    }
    let device = AuthDevice {
        fingerprint: format!("oauth2:{client}"),
        name: Some(client),
        kind: Some("oauth2".into()),
        ..AuthDevice::default()
    };
    let attempt = SignIn { email, password, code: form.otp, device, origin };
    Ok(api.app.accounts.sign_in(attempt).await.map_err(refused)?.tokens)
}

fn lacking(message: &'static str) -> Problem {
    Problem::new(ErrorCode::InvalidRequest, message)
}

fn refused(error: AccountsError) -> Problem {
    let message = match error {
        AccountsError::MfaRequired { .. } => {
            "the account has a second factor; send its code as otp"
        }
        AccountsError::WrongCode => "the code of the second factor is not right",
        AccountsError::Locked { .. } => "the account is locked after too many failed attempts",
        AccountsError::InvalidCredentials | AccountsError::Inactive => {
            "wrong user name or password, or the account is disabled"
        }
        AccountsError::UnknownToken | AccountsError::TokenExpired | AccountsError::TokenReused => {
            "the refresh token is not known, has expired or was used"
        }
        AccountsError::Busy => {
            return Problem::new(ErrorCode::Unavailable, error.to_string()).retry_after(1);
        }
        error => return Problem::internal(error),
    };
    Problem::new(ErrorCode::InvalidGrant, message)
}
