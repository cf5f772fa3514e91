//! What a provider says of itself: OpenID Connect Discovery 1.0.

use crate::config::oidc::is_protected;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207: does its answer name it?
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("its description lacks an address that signing in needs")]
    Lacking,
    #[error("its description names another issuer than the configuration")]
    Issuer,
    #[error("its description names an address that is not https")]
    Unprotected,
}

/// Where the description of `issuer` lies.
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    pub(super) fn parse(value: Value, issuer: &str) -> Result<Self, MetadataError> {
        let metadata: Self = serde_json::from_value(value).map_err(|_| MetadataError::Lacking)?;
        if metadata.issuer != issuer {
            return Err(MetadataError::Issuer);
        }
        let needed =
            [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let others = [&metadata.userinfo_endpoint, &metadata.end_session_endpoint];
        let all = needed.into_iter().chain(others.into_iter().flatten());
        if !all.into_iter().all(|url| is_protected(url)) {
            return Err(MetadataError::Unprotected);
        }
        Ok(metadata)
    }

    /// Does it take the client's secret in the form alone? HTTP Basic is what all take that say
    /// nothing of it.
    pub(super) fn wants_secret_in_form(&self) -> bool {
        self.token_endpoint_auth_methods_supported.as_ref().is_some_and(|methods| {
            let has = |name: &str| methods.iter().any(|method| method == name);
            has("client_secret_post") && !has("client_secret_basic")
        })
    }
}
