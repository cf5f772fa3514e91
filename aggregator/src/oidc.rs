//! Signing in with a provider of OpenID Connect: the authorization code flow with PKCE.
//!
//! A browser is sent to the provider and comes back with a code, which is redeemed for an ID token
//! here; what that token says of who is there is all that leaves this module. Which account it is, and
//! what it may, is `accounts`' matter. A provider is trusted as far as its section of the
//! configuration goes: its keys are fetched again now and then, bounded, and behind its breaker.

mod claims;
mod fetch;
mod flow;
mod id_token;
mod keys;
mod metadata;
mod provider;

use crate::clock::Clock;
use crate::config::Config;
use crate::resilience::Circuits;
use crate::store::{Store, StoreError};
pub use fetch::FetchError;
pub use flow::{FLOW_TTL_MS, Flow, Linker, Mark, NewFlow, Returned, Started, marks};
pub use id_token::TokenRefusal;
pub use metadata::MetadataError;
pub use provider::Provider;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("there is no provider `{0}`")]
    UnknownProvider(String),
    #[error(
        "this sign-in is not known: it was finished already, has expired, or began in another browser"
    )]
    UnknownState,
    #[error("the provider says `{error}`")]
    Said { error: String, description: Option<String> },
    #[error("the answer is not of the provider that was asked")]
    MixedUp,
    #[error("the provider does not take its code back: `{0}`")]
    CodeRefused(String),
    #[error("the provider's ID token is refused: {0}")]
    TokenRefused(#[from] TokenRefusal),
    #[error("the provider can't be asked: {0}")]
    Unavailable(#[source] FetchError),
    #[error("the provider can't be used: {0}")]
    Unusable(#[from] MetadataError),
    #[error("the provider has no way to sign out that is offered here")]
    NoLogout,
    #[error("the system has no randomness")]
    Random(#[source] getrandom::Error),
    #[error("storing a sign-in")]
    Store(#[from] StoreError),
}

impl From<FetchError> for OidcError {
    fn from(error: FetchError) -> Self {
        Self::Unavailable(error)
    }
}

/// Why a provider of the configuration can't be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("oidc `{id}`: {path} cannot be read")]
    File {
        id: String,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("oidc `{id}`: client_secret_file is empty")]
    EmptySecret { id: String },
    #[error("oidc `{id}`: ca_file holds no certificates as PEM")]
    Authorities { id: String },
}

/// Every provider of the configuration.
#[derive(Clone, Debug)]
pub struct Oidc {
    providers: Arc<[Provider]>,
    store: Store,
    clock: Clock,
    /// The address that people use.
    base: Arc<str>,
}

impl Oidc {
    pub(crate) fn open(
        config: &Config,
        store: Store,
        clock: Clock,
        circuits: &Circuits,
    ) -> Result<Self, OpenError> {
        crate::access::token::install();
        let open = |settings| Provider::open(settings, &config.state, circuits, &clock);
        let providers = config.oidc.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { providers, store, clock, base: config.public_url().into() })
    }

    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// # Errors
    /// Where the configuration has none of that name.
    pub fn provider(&self, id: &str) -> Result<&Provider, OidcError> {
        let found = self.providers.iter().find(|provider| provider.settings.id == id);
        found.ok_or_else(|| OidcError::UnknownProvider(id.to_owned()))
    }

    /// Where the provider sends browsers back to.
    fn redirect_uri(&self, provider: &Provider) -> String {
        format!("{}/api/v1/auth/oidc/{}/callback", self.base, provider.settings.id)
    }

    /// Does the address that people use begin with https?
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.base.starts_with("https://")
    }
}
