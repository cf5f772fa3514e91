//! One provider: what it says of itself and its keys, kept for a while.

use super::fetch::{Ask, Http, Proof};
use super::id_token::{self, Claims, Expected};
use super::keys::Keys;
use super::metadata::{self, Metadata};
use super::{OidcError, OpenError, TokenRefusal};
use crate::clock::Clock;
use crate::config::OidcProvider;
use crate::resilience::Circuits;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// How long it is taken at its word.
const KEEP_MS: u64 = 60 * 60 * 1_000;
/// How soon its keys are asked for again because of a token that none of them fits.
pub(super) const LOOK_AGAIN_MS: u64 = 60 * 1_000;
const MAX_SAID: usize = 200;

#[derive(Clone, Debug)]
pub struct Provider {
    pub settings: OidcProvider,
    secret: Option<Zeroizing<String>>,
    http: Http,
    clock: Clock,
    /// Held while it is asked, so that many who wait cost one request.
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<Aged<Metadata>>,
    keys: Option<Aged<Keys>>,
}

#[derive(Debug)]
struct Aged<T> {
    value: Arc<T>,
    at_ms: u64,
}

/// What a code was redeemed for.
#[derive(Debug)]
pub(super) struct Redeemed {
    id_token: Zeroizing<String>,
    access_token: Option<Zeroizing<String>>,
}

impl Provider {
    pub(super) fn open(
        settings: &OidcProvider,
        state: &Path,
        circuits: &Circuits,
        clock: &Clock,
    ) -> Result<Self, OpenError> {
        let id = &settings.id;
        let read = |path: &Path| {
            let path = state.join(path);
            std::fs::read(&path).map(Zeroizing::new).map_err(|source| OpenError::File {
                id: id.clone(),
                path,
                source,
            })
        };
        let secret = match &settings.client_secret_file {
            Some(path) => {
                let bytes = read(path)?;
                let text = String::from_utf8_lossy(&bytes);
                let line = text.lines().next().unwrap_or_default().trim().to_owned();
                if line.is_empty() {
                    return Err(OpenError::EmptySecret { id: id.clone() });
                }
                Some(Zeroizing::new(line))
            }
            None => None,
        };
        let authorities = settings.ca_file.as_deref().map(read).transpose()?;
        let authorities = authorities.as_ref().map(|pem| pem.as_slice());
        let http = Http::new(authorities, circuits.clone(), clock.clone())
            .ok_or_else(|| OpenError::Authorities { id: id.clone() })?;
        let (settings, clock) = (settings.clone(), clock.clone());
        Ok(Self { settings, secret, http, clock, known: Arc::default() })
    }

    /// What it says of itself. One that is away is taken at its last word.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let mut known = self.known.lock().await;
        let now_ms = self.clock.now_ms();
        if let Some(metadata) = &known.metadata
            && now_ms.saturating_sub(metadata.at_ms) < KEEP_MS
        {
            return Ok(Arc::clone(&metadata.value));
        }
        let issuer = self.settings.issuer.as_str();
        match self.http.get(&metadata::address(issuer), Proof::Nothing).await {
            Ok(value) => {
                let value = Arc::new(Metadata::parse(value, issuer)?);
                known.metadata = Some(Aged { value: Arc::clone(&value), at_ms: now_ms });
                Ok(value)
            }
            Err(error) => match &known.metadata {
                Some(old) => Ok(Arc::clone(&old.value)),
                None => Err(error.into()),
            },
        }
    }

    /// Its keys; asked for anew where `unfit` says that a token fits none of those that are kept.
    async fn keys(&self, metadata: &Metadata, unfit: bool) -> Result<Arc<Keys>, OidcError> {
        let mut known = self.known.lock().await;
        let now_ms = self.clock.now_ms();
        let keep_ms = if unfit { LOOK_AGAIN_MS } else { KEEP_MS };
        if let Some(keys) = &known.keys
            && now_ms.saturating_sub(keys.at_ms) < keep_ms
        {
            return Ok(Arc::clone(&keys.value));
        }
        let set = self.http.get(&metadata.jwks_uri, Proof::Nothing).await?;
        let value = Arc::new(Keys::parse(&set));
        known.keys = Some(Aged { value: Arc::clone(&value), at_ms: now_ms });
        Ok(value)
    }

    /// Gives the code back for tokens.
    pub(super) async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Redeemed, OidcError> {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let client = &self.settings.client_id;
        let mut form = vec![
            ("grant_type", text("authorization_code")),
            ("code", text(code)),
            ("redirect_uri", text(redirect_uri)),
            ("code_verifier", text(verifier)),
        ];
        let proof = match &self.secret {
            Some(secret) if metadata.wants_secret_in_form() => {
                form.extend([("client_id", text(client)), ("client_secret", secret.clone())]);
                Proof::Nothing
            }
            Some(secret) => Proof::Basic { user: client.clone(), password: secret.clone() },
            None => {
                form.push(("client_id", text(client)));
                Proof::Nothing
            }
        };
        let (status, body) =
            self.http.ask(&metadata.token_endpoint, Ask::Post(form), proof).await?;
        let field = |name: &str| body.as_ref().and_then(|body| body[name].as_str());
        if status != 200 {
            let error = field("error").map_or_else(|| status.to_string(), said);
            return Err(OidcError::CodeRefused(error));
        }
        let id_token = field("id_token").ok_or(TokenRefusal::Malformed)?;
        Ok(Redeemed { id_token: text(id_token), access_token: field("access_token").map(text) })
    }

    /// What the ID token says, and what the userinfo endpoint adds where that is needed.
    pub(super) async fn claims(
        &self,
        metadata: &Metadata,
        redeemed: &Redeemed,
        nonce: &str,
    ) -> Result<Claims, OidcError> {
        let expected = Expected {
            issuer: self.settings.issuer.as_str(),
            client_id: &self.settings.client_id,
            nonce,
            now_ms: self.clock.now_ms(),
        };
        let keys = self.keys(metadata, false).await?;
        let mut claims = match id_token::verify(&redeemed.id_token, &keys, &expected) {
            Err(TokenRefusal::UnknownKey | TokenRefusal::Signature) => {
                let keys = self.keys(metadata, true).await?;
                id_token::verify(&redeemed.id_token, &keys, &expected)?
            }
            judged => judged?,
        };
        if let (Some(url), Some(token)) = (&metadata.userinfo_endpoint, &redeemed.access_token)
            && super::claims::lacks(&self.settings, &claims)
        {
            let told = self.http.get(url, Proof::Bearer(token.clone())).await?;
            add(&mut claims, told)?;
        }
        Ok(claims)
    }
}

/// What the ID token says stands; the rest is about the same subject or about nobody.
fn add(claims: &mut Claims, told: Value) -> Result<(), TokenRefusal> {
    let Value::Object(told) = told else { return Ok(()) };
    if told.get("sub").and_then(Value::as_str) != claims.get("sub").and_then(Value::as_str) {
        return Err(TokenRefusal::Subject);
    }
    // An address is verified by whoever names it.
    let own_email = claims.contains_key("email");
    for (name, value) in told {
        if !(own_email && name == "email_verified") {
            claims.entry(name).or_insert(value);
        }
    }
    Ok(())
}

/// A provider's own words, as far as they may be shown.
pub(super) fn said(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(MAX_SAID).collect()
}
