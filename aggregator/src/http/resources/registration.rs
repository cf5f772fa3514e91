//! Making an account for oneself.

use super::sessions::{LoginDevice, SignedIn, check_texts, credentials, device, problem};
use crate::accounts::registration::Registration;
use crate::http::Api;
use crate::http::extract::{Body, CameFrom};
use crate::http::reply::{Answer, Created};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RegisterRequest {
    #[schema(value_type = String)]
    email: Option<String>,
    /// At least eight characters.
    #[schema(value_type = String, format = "password", min_length = 8)]
    password: Option<String>,
    /// The part before the @ where absent.
    display_name: Option<String>,
    #[schema(value_type = LoginDevice)]
    device: Option<LoginDevice>,
    /// The secret of an invitation, where one is needed.
    invitation: Option<String>,
}

pub(crate) async fn register(
    State(api): State<Api>,
    CameFrom(origin): CameFrom,
    Body(request): Body<RegisterRequest>,
) -> Answer<Created<SignedIn>> {
    let (email, password) = credentials(request.email, request.password)?;
    let device = device(request.device)?;
    check_texts("", "", &device)?;
    let asked = Registration {
        email,
        password,
        display_name: request.display_name,
        invitation: request.invitation,
        device,
        origin,
    };
    let mode = api.app.config.registration_mode();
    let signed_in = api.app.accounts.register(mode, asked).await.map_err(problem(&api))?;
    Ok(Created { item: SignedIn::of(signed_in), location: "/api/v1/auth/me".into() })
}
