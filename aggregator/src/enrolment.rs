//! Enrolment: a one-time token turns a machine with a key into a device with a certificate.
//! A token's secret is shown once and kept as a hash; the text carries the authority's
//! fingerprint, so that the machine knows whom it may trust.

use crate::audit::{AuditEntry, Decision};
use crate::authority::Authority;
use crate::clock::Clock;
use crate::fleet::{Device, DeviceId, DeviceKind};
use crate::store::{Store, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flyball_protocol::message::{EnrolRefusal, EnrolReply, EnrolRequest};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// The first part of every token: a scheme and its version.
const SCHEME: &str = "fbt1";
/// The random part of a token.
const SECRET_BYTES: usize = 24;
pub const DEFAULT_TTL_MS: u64 = 600_000;
pub const MAX_TTL_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// A hostname, name or version that is longer is no machine's.
const MAX_TEXT: usize = 256;

/// A token as it is listed; its text is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentToken {
    pub id: Uuid,
    pub name: String,
    pub created_by: String,
    pub created_at_ms: u64,
    pub expires_at_ms: u64,
    pub used_at_ms: Option<u64>,
    pub used_by: Option<DeviceId>,
    pub revoked_at_ms: Option<u64>,
}

/// A token just made: the only time that its text is seen.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    pub token: EnrolmentToken,
    pub text: String,
}

impl core::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NewToken({})", self.token.id)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("a token lives for 1 s to 7 days, not for {0} ms")]
    Ttl(u64),
    #[error("a token's name has 1 to {MAX_TEXT} characters")]
    Name,
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
    #[error("storing the token")]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug)]
pub struct Enrolment {
    store: Store,
    authority: Arc<Authority>,
    clock: Clock,
}

impl Enrolment {
    pub(crate) fn new(store: Store, authority: Arc<Authority>, clock: Clock) -> Self {
        Self { store, authority, clock }
    }

    /// # Errors
    /// Where name or lifetime are out of bounds, or the store fails.
    pub async fn create_token(
        &self,
        name: &str,
        created_by: &str,
        ttl_ms: u64,
    ) -> Result<NewToken, TokenError> {
        if !(1000..=MAX_TTL_MS).contains(&ttl_ms) {
            return Err(TokenError::Ttl(ttl_ms));
        }
        if name.is_empty() || name.chars().count() > MAX_TEXT {
            return Err(TokenError::Name);
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let created_at_ms = self.clock.now_ms();
        let token = EnrolmentToken {
            id: self.clock.new_id(),
            name: name.into(),
            created_by: created_by.into(),
            created_at_ms,
            expires_at_ms: created_at_ms + ttl_ms,
            used_at_ms: None,
            used_by: None,
            revoked_at_ms: None,
        };
        self.store.create_token(&token, &hash(&secret)).await?;
        let text = format!("{SCHEME}.{secret}.{}", self.authority.fingerprint());
        Ok(NewToken { token, text })
    }

    /// Tokens, newest first, at most 200.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn tokens(&self) -> Result<Vec<EnrolmentToken>, StoreError> {
        self.store.tokens().await
    }

    /// True where there was such a token and it was not used or revoked before.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn revoke_token(&self, id: Uuid) -> Result<bool, StoreError> {
        self.store.revoke_token(id, self.clock.now_ms()).await
    }

    /// Answers one machine. Using the token and making the device are one transaction.
    ///
    /// # Errors
    /// Where the store or the authority fails; a refusal is an answer, not an error.
    pub(crate) async fn enrol(&self, request: EnrolRequest) -> Result<EnrolReply, EnrolError> {
        let Some(secret) = secret_of(&request.token) else {
            return Ok(refused("the token has the form fbt1.<secret>.<fingerprint>"));
        };
        if let Some(fault) = fault_of(&request) {
            return Ok(refused(fault));
        }
        let now_ms = self.clock.now_ms();
        let id = DeviceId(self.clock.new_id());
        let certificate = match self.authority.certify(id, &request.csr, now_ms) {
            Ok(certificate) => certificate,
            Err(error) => {
                tracing::info!(error = &error as &dyn std::error::Error, "signing request refused");
                return Ok(refused("the certificate request is no PKCS#10 that can be signed"));
            }
        };
        let machine = request.machine;
        let device = Device {
            id,
            name: machine.hostname.clone(),
            kind: if machine.simulated { DeviceKind::Simulated } else { DeviceKind::Real },
            machine,
            guard_attached: false,
            online: false,
            certificate: certificate.info,
            enrolled_at_ms: now_ms,
            last_seen_at_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            revoked_at_ms: None,
        };
        let audit = AuditEntry {
            at_ms: now_ms,
            actor: format!("device:{id}"),
            action: "device.enrol".into(),
            target: format!("device:{id}"),
            decision: Decision::Allowed,
            details: serde_json::json!({ "hostname": device.machine.hostname }),
            request_id: None,
        };
        if let Err(refusal) = self.store.enrol(&hash(secret), &device, &audit).await? {
            return Ok(EnrolReply::Refused(refusal));
        }
        Ok(EnrolReply::Enrolled {
            device: id,
            certificate: certificate.der,
            authority: self.authority.certificate_der().to_vec(),
            command_key: self.authority.command_key().public().to_hex(),
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("storing the device")]
    Store(#[from] StoreError),
}

fn refused(why: &str) -> EnrolReply {
    EnrolReply::Refused(EnrolRefusal::BadRequest(why.into()))
}

fn secret_of(token: &str) -> Option<&str> {
    let mut parts = token.trim().split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(SCHEME), Some(secret), Some(_), None) if !secret.is_empty() => Some(secret),
        _ => None,
    }
}

fn fault_of(request: &EnrolRequest) -> Option<&'static str> {
    let machine = &request.machine;
    let texts = [&machine.hostname, &machine.os, &machine.kernel, &machine.arch];
    let optional = [&machine.vendor, &machine.product, &machine.serial];
    let too_long = texts
        .into_iter()
        .chain(optional.into_iter().flatten())
        .chain([&machine.agent_version])
        .any(|text| text.len() > MAX_TEXT);
    if too_long {
        return Some("a text of the machine's description is longer than 256 bytes");
    }
    machine.hostname.is_empty().then_some("the machine has no hostname")
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
