//! One's own account: profile, password, devices and sessions.

use super::commands::present;
use super::sessions::{Me, Message, problem};
use crate::access::SessionId;
use crate::accounts::fields::{DEFAULT_LOCALE, DEFAULT_TIMEZONE, ProfileChange};
use crate::accounts::profile::{KnownDevice, OpenSession};
use crate::config::Place;
use crate::http::Api;
use crate::http::auth::Owner;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, CameFrom, Path};
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A merge patch, RFC 7396: what is absent stays, what is null goes back to its default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(crate) struct ProfilePatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false)]
    display_name: Option<Option<String>>,
    /// An address of https.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    avatar_url: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    locale: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    timezone: Option<Option<String>>,
}

impl ProfilePatch {
    #[expect(clippy::option_option, reason = "absent, null and a value are three things")]
    pub(super) fn of(
        avatar_url: Option<Option<String>>,
        locale: Option<Option<String>>,
        timezone: Option<Option<String>>,
    ) -> Self {
        Self { display_name: None, avatar_url, locale, timezone }
    }

    pub(super) fn change(self) -> Result<ProfileChange, Problem> {
        if self.display_name == Some(None) {
            let fault = FieldError::body("display_name", "invalid_value", "can't be removed");
            return Err(Problem::invalid(vec![fault]));
        }
        let or = |given: Option<Option<String>>, default: &str| {
            given.map(|text| text.unwrap_or_else(|| default.into()))
        };
        Ok(ProfileChange {
            display_name: self.display_name.flatten(),
            avatar_url: self.avatar_url,
            locale: or(self.locale, DEFAULT_LOCALE),
            timezone: or(self.timezone, DEFAULT_TIMEZONE),
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PasswordRequest {
    #[schema(value_type = String, format = "password")]
    current_password: Option<String>,
    #[schema(value_type = String, format = "password")]
    new_password: Option<String>,
}

/// A browser or app that has signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthDevice {
    id: Uuid,
    name: Option<String>,
    r#type: Option<String>,
    model: Option<String>,
    os_version: Option<String>,
    app_version: Option<String>,
    is_trusted: bool,
    last_seen_at: String,
    created_at: String,
}

impl Resource for AuthDevice {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthDevices {
    devices: Vec<AuthDevice>,
}

impl Resource for AuthDevices {
    const FLAT: Flat = Flat::bare();
}

/// A sign-in that still stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    id: Uuid,
    ip_address: Option<String>,
    user_agent: Option<String>,
    /// Null where the configuration does not say where the address is.
    location: Option<SessionPlace>,
    device: SessionDevice,
    created_at: String,
    last_activity_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct SessionPlace {
    country: Option<String>,
    city: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SessionDevice {
    name: Option<String>,
    r#type: Option<String>,
}

impl Resource for Session {
    const FLAT: Flat = Flat::bare();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenSessions {
    sessions: Vec<Session>,
}

impl Resource for OpenSessions {
    const FLAT: Flat = Flat::bare();
}

impl From<KnownDevice> for AuthDevice {
    fn from(known: KnownDevice) -> Self {
        Self {
            id: known.id,
            name: known.device.name,
            r#type: known.device.kind,
            model: known.device.model,
            os_version: known.device.os_version,
            app_version: known.device.app_version,
            is_trusted: known.is_trusted,
            last_seen_at: rfc3339(known.last_seen_at_ms),
            created_at: rfc3339(known.created_at_ms),
        }
    }
}

fn session(open: OpenSession, place: Option<&Place>) -> Session {
    Session {
        id: open.id.0,
        ip_address: open.address.map(|address| address.to_string()),
        user_agent: open.user_agent,
        location: place
            .map(|place| SessionPlace { country: place.country.clone(), city: place.city.clone() }),
        device: SessionDevice { name: open.device_name, r#type: open.device_kind },
        created_at: rfc3339(open.created_at_ms),
        last_activity_at: rfc3339(open.last_activity_at_ms),
    }
}

pub(crate) async fn update(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(patch): Body<ProfilePatch>,
) -> Answer<One<Me>> {
    let change = patch.change()?;
    let user = api.app.accounts.change_profile(&caller, change, &origin).await;
    Ok(One(Me::of(user.map_err(problem(&api))?)))
}

pub(crate) async fn password(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Body(request): Body<PasswordRequest>,
) -> Answer<One<Message>> {
    let given = (request.current_password, request.new_password);
    let (Some(current), Some(new)) = given else {
        let message = "current_password and new_password are both required";
        return Err(Problem::new(ErrorCode::MissingCredentials, message));
    };
    let done = api.app.accounts.change_password(&caller, current, &new, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Password changed successfully" }))
}

async fn own_devices(api: &Api, Owner(caller): Owner) -> Result<Vec<AuthDevice>, Problem> {
    let devices = api.app.accounts.devices(&caller).await.map_err(problem(api))?;
    Ok(devices.into_iter().map(AuthDevice::from).collect())
}

pub(crate) async fn devices(State(api): State<Api>, owner: Owner) -> Answer<Many<AuthDevice>> {
    Ok(Many::whole(own_devices(&api, owner).await?))
}

pub(crate) async fn flat_devices(State(api): State<Api>, owner: Owner) -> Answer<One<AuthDevices>> {
    Ok(One(AuthDevices { devices: own_devices(&api, owner).await? }))
}

pub(crate) async fn remove_device(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.remove_device(&caller, id, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Device removed successfully" }))
}

async fn own_sessions(api: &Api, Owner(caller): Owner) -> Result<Vec<Session>, Problem> {
    let accounts = &api.app.accounts;
    let open = accounts.open_sessions(&caller).await.map_err(problem(api))?;
    let place = |open: &OpenSession| open.address.and_then(|address| accounts.place(address));
    let sessions = open.into_iter().map(|open| {
        let place = place(&open);
        session(open, place)
    });
    Ok(sessions.collect())
}

pub(crate) async fn sessions(State(api): State<Api>, owner: Owner) -> Answer<Many<Session>> {
    Ok(Many::whole(own_sessions(&api, owner).await?))
}

pub(crate) async fn flat_sessions(
    State(api): State<Api>,
    owner: Owner,
) -> Answer<One<OpenSessions>> {
    Ok(One(OpenSessions { sessions: own_sessions(&api, owner).await? }))
}

pub(crate) async fn end_session(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.end_session(&caller, SessionId(id), &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Session terminated" }))
}
