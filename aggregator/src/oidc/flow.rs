//! A browser on its way to a provider and back.
//!
//! What proves that it is the same browser is a random mark that it keeps as a cookie. PKCE's
//! verifier and the nonce are made of the mark and the state, so that nothing of them is stored.

use super::{Oidc, OidcError};
use crate::access::{SessionId, UserId};
use crate::accounts::identities::ForeignIdentity;
use crate::accounts::secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// How long somebody may take at the provider.
pub const FLOW_TTL_MS: u64 = 10 * 60 * 1_000;
/// Browsers that are under way at a time; anybody can be sent.
const MAX_FLOWS: u64 = 20_000;
const MAX_CODE: usize = 4_096;
/// What a mark's name begins with; the rest tells the sign-ins of one browser apart.
const MARK: &str = "flyball_oidc_";

/// A cookie of one sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    pub name: String,
    pub value: String,
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mark({})", self.name)
    }
}

/// A browser that is sent to a provider.
#[derive(Clone, Debug)]
pub struct Started {
    pub url: String,
    pub mark: Mark,
}

/// A row of one.
#[derive(Clone, Debug)]
pub struct NewFlow {
    pub state_hash: [u8; 32],
    pub browser_hash: [u8; 32],
    pub provider: String,
    pub return_to: String,
    /// Who links an identity; nobody where somebody signs in.
    pub linker: Option<Linker>,
    pub expires_at_ms: u64,
}

/// Whose account an identity is to be linked with, and the session in which that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linker {
    pub user: UserId,
    pub session: SessionId,
}

/// A browser that came back.
#[derive(Clone, Debug)]
pub struct Flow {
    pub return_to: String,
    pub linker: Option<Linker>,
    pub browser_hash: [u8; 32],
    state: String,
    mark: Mark,
}

/// What it brings.
#[derive(Clone, Debug, Default)]
pub struct Returned {
    pub code: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub issuer: Option<String>,
}

impl Oidc {
    /// Sends a browser to `provider`. It is back at `return_to` in the end.
    ///
    /// # Errors
    /// Where the provider is not known or can't be asked.
    pub async fn start(
        &self,
        provider: &str,
        return_to: String,
        linker: Option<Linker>,
    ) -> Result<Started, OidcError> {
        let provider = self.provider(provider)?;
        let metadata = provider.metadata().await?;
        let (state, state_hash) = secret::issue("").map_err(OidcError::Random)?;
        let (value, browser_hash) = secret::issue("").map_err(OidcError::Random)?;
        let now_ms = self.clock.now_ms();
        let flow = NewFlow {
            state_hash,
            browser_hash,
            provider: provider.settings.id.clone(),
            return_to,
            linker,
            expires_at_ms: now_ms + FLOW_TTL_MS,
        };
        self.store.begin_flow(&flow, MAX_FLOWS, now_ms).await?;
        let mark = Mark { name: mark_name(&state_hash), value };
        let scopes = provider.settings.scopes.iter().filter(|scope| *scope != "openid");
        let scope = scopes.fold("openid".to_owned(), |all, scope| all + " " + scope);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(derived(VERIFIER, &mark, &state)));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri(provider))
            .append_pair("scope", &scope)
            .append_pair("state", &state)
            .append_pair("nonce", &derived(NONCE, &mark, &state))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let endpoint = &metadata.authorization_endpoint;
        let sign = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Started { url: format!("{endpoint}{sign}{query}"), mark })
    }

    /// Takes up the sign-in that `state` began, once, where the browser has its mark.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn take_up(
        &self,
        provider: &str,
        state: &str,
        marks: &[Mark],
    ) -> Result<Flow, OidcError> {
        let provider = self.provider(provider)?;
        let state_hash = secret::hash_of(state);
        let name = mark_name(&state_hash);
        let mark = marks.iter().find(|mark| mark.name == name).ok_or(OidcError::UnknownState)?;
        let browser_hash = secret::hash_of(&mark.value);
        let taken = self
            .store
            .take_flow(&state_hash, &browser_hash, &provider.settings.id, self.clock.now_ms())
            .await?;
        let (return_to, linker) = taken.ok_or(OidcError::UnknownState)?;
        Ok(Flow { return_to, linker, browser_hash, state: state.to_owned(), mark: mark.clone() })
    }

    /// Who came back, as the provider says it.
    ///
    /// # Errors
    /// Where it does not say, can't be asked, or what it says does not hold.
    pub async fn finish(
        &self,
        provider: &str,
        flow: &Flow,
        returned: &Returned,
    ) -> Result<ForeignIdentity, OidcError> {
        let provider = self.provider(provider)?;
        let metadata = provider.metadata().await?;
        // RFC 9207: another provider's answer is brought here under this one's name.
        let issuer = provider.settings.issuer.as_str();
        let named = metadata.authorization_response_iss_parameter_supported;
        if returned.issuer.as_deref().map_or(named, |named| named != issuer) {
            return Err(OidcError::MixedUp);
        }
        if let Some(error) = &returned.error {
            let description = returned.error_description.as_deref();
            return Err(OidcError::Said {
                error: super::provider::said(error),
                description: description.map(super::provider::said),
            });
        }
        let code = returned.code.as_deref().filter(|code| (1..=MAX_CODE).contains(&code.len()));
        let code = code.ok_or_else(|| OidcError::CodeRefused("no code".into()))?;
        let verifier = derived(VERIFIER, &flow.mark, &flow.state);
        let redirect_uri = self.redirect_uri(provider);
        let redeemed = provider.redeem(&metadata, code, &verifier, &redirect_uri).await?;
        let nonce = derived(NONCE, &flow.mark, &flow.state);
        let claims = provider.claims(&metadata, &redeemed, &nonce).await?;
        Ok(super::claims::identity(&provider.settings, &claims))
    }

    /// Where a browser signs out at `provider` too, and comes back from to this server.
    ///
    /// # Errors
    /// Where that is not offered.
    pub async fn logout_url(&self, provider: &str) -> Result<String, OidcError> {
        let provider = self.provider(provider)?;
        if !provider.settings.logout {
            return Err(OidcError::NoLogout);
        }
        let metadata = provider.metadata().await?;
        let endpoint = metadata.end_session_endpoint.as_ref().ok_or(OidcError::NoLogout)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &provider.settings.client_id)
            .append_pair("post_logout_redirect_uri", &format!("{}/", self.base))
            .finish();
        let sign = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{sign}{query}"))
    }
}

const VERIFIER: &str = "verifier";
const NONCE: &str = "nonce";

/// 256 bits that nobody knows without the mark, other ones for each use.
fn derived(purpose: &str, mark: &Mark, state: &str) -> String {
    let text = format!("flyball oidc {purpose}\n{}\n{state}", mark.value);
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

fn mark_name(state_hash: &[u8; 32]) -> String {
    let tag = state_hash.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("{MARK}{tag}")
}

/// The marks among the cookies of a request.
#[must_use]
pub fn marks<'a>(cookies: impl Iterator<Item = &'a str>) -> Vec<Mark> {
    cookies
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| name.starts_with(MARK))
        .map(|(name, value)| Mark { name: name.to_owned(), value: value.to_owned() })
        .collect()
}
