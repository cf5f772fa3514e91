//! Proving an address, and setting a lost password anew.

use super::sessions::{Message, problem};
use crate::http::Api;
use crate::http::auth::Owner;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Body, CameFrom};
use crate::http::reply::{Answer, One};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

const MAX_EMAIL: usize = 254;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenOnly {
    token: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailOnly {
    email: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    token: String,
    #[schema(format = "password")]
    new_password: String,
}

pub(crate) async fn ask_to_verify(
    State(api): State<Api>,
    Owner(caller): Owner,
) -> Answer<One<Message>> {
    let user = api.app.accounts.user(caller.user).await.map_err(Problem::internal)?;
    let user = user.ok_or_else(|| Problem::not_found("account", caller.user))?;
    if user.email_verified {
        return Err(Problem::new(ErrorCode::Conflict, "the address is verified already"));
    }
    api.app.accounts.ask_to_verify(&user);
    Ok(One(Message { message: "A letter is on its way" }))
}

pub(crate) async fn verify(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<TokenOnly>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.verify_email(&request.token, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Email verified" }))
}

/// Says the same whether there is such an account or not.
pub(crate) async fn ask_for_reset(
    State(api): State<Api>,
    Body(request): Body<EmailOnly>,
) -> Answer<One<Message>> {
    if request.email.len() <= MAX_EMAIL && !request.email.contains(char::is_control) {
        api.app.accounts.ask_for_reset(request.email);
    }
    Ok(One(Message { message: "If there is such an account, a letter is on its way" }))
}

pub(crate) async fn reset(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<ResetRequest>,
) -> Answer<One<Message>> {
    let accounts = &api.app.accounts;
    let done = accounts.reset_password(&request.token, &request.new_password, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Password changed successfully" }))
}
