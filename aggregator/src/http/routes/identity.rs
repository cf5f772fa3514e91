//! Who one is: accounts, signing in, sessions, second factors, keys.

#[cfg(feature = "oidc")]
use crate::http::error::ErrorCode;
use crate::http::resources::{
    api_keys, invitations, letters, mfa, oauth, profile, registration, sessions, users,
};
#[cfg(feature = "oidc")]
use crate::http::resources::{identities, oidc};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    let table = table
        .post("/api/v1/auth/register", "Make an account", registration::register)
        .post("/api/v1/auth/login", "Sign in", sessions::login)
        .post("/api/v1/auth/token", "Sign in by OAuth2's form", oauth::token)
        .post("/api/v1/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/v1/auth/logout", "Sign out", sessions::logout)
        .get("/api/v1/auth/me", "Who am I?", sessions::me)
        .patch("/api/v1/auth/me", "Change one's profile", profile::update)
        .post("/api/v1/auth/password", "Change one's password", profile::password)
        .get("/api/v1/auth/devices", "Browsers and apps of one's own", profile::devices)
        .delete("/api/v1/auth/devices/{id}", "Remove a browser or app", profile::remove_device)
        .get("/api/v1/auth/sessions", "One's sessions", profile::sessions)
        .delete("/api/v1/auth/sessions/{id}", "End a session", profile::end_session)
        .post("/api/v1/auth/verify-email", "Verify one's address", letters::verify)
        .post(
            "/api/v1/auth/verify-email/request",
            "Ask for a letter to verify one's address",
            letters::ask_to_verify,
        )
        .post(
            "/api/v1/auth/password-reset/request",
            "Ask for a letter to set a new password",
            letters::ask_for_reset,
        )
        .post("/api/v1/auth/password-reset/confirm", "Set a new password", letters::reset);
    #[cfg(feature = "oidc")]
    let table = elsewhere(table);
    table
        .get("/api/v1/auth/mfa", "One's second factors", mfa::detail)
        .post("/api/v1/auth/mfa/verify", "Finish signing in with a code", mfa::verify)
        .post("/api/v1/auth/mfa/totp", "Begin with an authenticator app", mfa::begin)
        .post("/api/v1/auth/mfa/totp/confirm", "Show that the app has it", mfa::confirm)
        .delete("/api/v1/auth/mfa/totp", "Take the second factor off", mfa::remove)
        .post("/api/v1/auth/mfa/recovery-codes", "New recovery codes", mfa::renew_codes)
        .get("/api/v1/auth/api-keys", "One's API keys", api_keys::list)
        .post("/api/v1/auth/api-keys", "Make an API key", api_keys::create)
        .delete("/api/v1/auth/api-keys/{id}", "Revoke an API key", api_keys::revoke)
        .get("/api/v1/invitations", "Invitations", invitations::list)
        .post("/api/v1/invitations", "Invite somebody", invitations::create)
        .get("/api/v1/invitations/{id}", "One invitation", invitations::detail)
        .delete("/api/v1/invitations/{id}", "Withdraw an invitation", invitations::withdraw)
        .get("/api/v1/users", "Accounts", users::list)
        .post("/api/v1/users", "Make an account for somebody", users::create)
        .get("/api/v1/users/{id}", "One account", users::detail)
        .put("/api/v1/users/{id}", "Replace an account", users::replace)
        .patch("/api/v1/users/{id}", "Change an account", users::update)
        .delete("/api/v1/users/{id}", "Delete an account", users::delete)
        .post("/api/v1/users/{id}/restore", "Restore an account", users::restore)
}

/// With a provider of OpenID Connect.
#[cfg(feature = "oidc")]
fn elsewhere(table: Table) -> Table {
    let asked = [ErrorCode::ProviderUnavailable];
    let back = [
        ErrorCode::InvalidState,
        ErrorCode::ProviderRefused,
        ErrorCode::IdTokenRefused,
        ErrorCode::AccountInactive,
        ErrorCode::IdentityUnknown,
        ErrorCode::EmailUnverified,
        ErrorCode::InvitationRequired,
        ErrorCode::IdentityUnlinked,
        ErrorCode::IdentityTaken,
        ErrorCode::ProviderUnavailable,
    ];
    let exchange = [ErrorCode::InvalidToken, ErrorCode::MfaRequired, ErrorCode::AccountInactive];
    table
        .get("/api/v1/auth/providers", "Whom one may sign in with", oidc::providers)
        .get("/api/v1/auth/oidc/{provider}/start", "Go to a provider to sign in", oidc::start)
        .fails(&asked)
        .get("/api/v1/auth/oidc/{provider}/callback", "Come back from a provider", oidc::callback)
        .fails(&back)
        .get("/api/v1/auth/oidc/{provider}/logout", "Sign out at a provider", oidc::logout)
        .fails(&asked)
        .post("/api/v1/auth/oidc/exchange", "Exchange a sign-in's code", oidc::exchange)
        .fails(&exchange)
        .get("/api/v1/auth/identities", "Who one is elsewhere", identities::list)
        .post("/api/v1/auth/identities", "Link an identity", identities::link)
        .fails(&asked)
        .delete("/api/v1/auth/identities/{id}", "Unlink an identity", identities::unlink)
        .fails(&[ErrorCode::Conflict])
}

pub(super) fn flat(table: Table) -> Table {
    table
        .post("/api/auth/register", "Make an account", registration::register)
        .post("/api/auth/login", "Sign in", sessions::login)
        .post("/api/auth/token", "Sign in by OAuth2's form", oauth::token)
        .post("/api/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/auth/logout", "Sign out", sessions::logout)
        .get("/api/auth/me", "Who am I?", sessions::me)
        .patch("/api/auth/me", "Change one's profile", profile::update)
        .post("/api/auth/password", "Change one's password", profile::password)
        .get("/api/auth/devices", "Browsers and apps of one's own", profile::flat_devices)
        .delete("/api/auth/devices/{id}", "Remove a browser or app", profile::remove_device)
        .get("/api/auth/sessions", "One's sessions", profile::flat_sessions)
        .delete("/api/auth/sessions/{id}", "End a session", profile::end_session)
        .post("/api/auth/mfa/verify", "Finish signing in with a code", mfa::verify)
        .get("/api/admin/users", "Accounts", users::admin_list)
}
