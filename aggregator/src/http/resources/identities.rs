//! Who one is elsewhere: identities of providers that open one's own account.

use super::oidc::{bad_return_to, cookie, is_own_path, refused};
use super::sessions::{Message, problem};
use crate::access::Credential;
use crate::accounts::identities::Identity as Kept;
use crate::http::Api;
use crate::http::auth::Owner;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Body, CameFrom, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource, WithCookie};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List};
use crate::oidc::{FLOW_TTL_MS, Linker};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Identity {
    id: Uuid,
    provider: String,
    issuer: String,
    /// What the provider calls one.
    subject: String,
    /// As the provider said it last.
    email: Option<String>,
    created_at: String,
    last_used_at: Option<String>,
}

impl Resource for Identity {
    const FLAT: Flat = Flat::named("identity", "identities");
}

impl Listable for Identity {
    const LIST: List = List {
        fields: &[
            Field::new("provider", Kind::Text).searched(),
            Field::new("issuer", Kind::Text),
            Field::new("subject", Kind::Text),
            Field::new("email", Kind::Text).searched(),
            Field::new("created_at", Kind::Time),
            Field::new("last_used_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Identity {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            provider: kept.provider,
            issuer: kept.issuer,
            subject: kept.subject,
            email: kept.email,
            created_at: rfc3339(kept.created_at_ms),
            last_used_at: rfc3339_option(kept.last_used_at_ms),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    provider: String,
    /// A path of this server where the browser is to be in the end; `/` where absent.
    return_to: Option<String>,
}

/// Where the browser goes to show who it is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkStart {
    authorization_url: String,
    /// Seconds that it may take.
    expires_in: u64,
}

impl Resource for LinkStart {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn list(
    State(api): State<Api>,
    Owner(caller): Owner,
    Asked(listing, ..): Asked<Identity>,
) -> Answer<Listed<Identity>> {
    let identities = api.app.accounts.identities(&caller).await.map_err(problem(&api))?;
    let items = sift(identities.into_iter().map(Identity::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

/// The identity is linked once the same browser comes back.
pub(crate) async fn link(
    State(api): State<Api>,
    Owner(caller): Owner,
    Body(request): Body<LinkRequest>,
) -> Answer<WithCookie<LinkStart>> {
    let return_to = request.return_to.unwrap_or_else(|| "/".into());
    if !is_own_path(&return_to) {
        return Err(bad_return_to());
    }
    let Credential::Session(session) = caller.credential else {
        let message = "an identity is linked by a browser; sign in for a session";
        return Err(Problem::new(ErrorCode::Forbidden, message));
    };
    let linker = Linker { user: caller.user, session };
    let started = api.app.oidc.start(&request.provider, return_to, Some(linker)).await;
    let started = started.map_err(|error| refused(&api, &request.provider, error))?;
    let expires_in = FLOW_TTL_MS / 1_000;
    let cookie = cookie(&api, &started.mark, expires_in);
    Ok(WithCookie { item: LinkStart { authorization_url: started.url, expires_in }, cookie })
}

pub(crate) async fn unlink(
    State(api): State<Api>,
    Owner(caller): Owner,
    CameFrom(origin): CameFrom,
    Path(id): Path<Uuid>,
) -> Answer<One<Message>> {
    let done = api.app.accounts.unlink_identity(&caller, id, &origin).await;
    done.map_err(problem(&api))?;
    Ok(One(Message { message: "Identity unlinked" }))
}
