//! Enrolment: a one-time token turns a machine with a key into a device with a certificate.
//! A token's secret is shown once and kept as a hash; the text carries the authority's
//! fingerprint, so that the machine knows whom it may trust.

use crate::access::{OrganizationId, SiteId};
use crate::audit::{AuditEntry, Decision};
use crate::authority::Authority;
use crate::clock::Clock;
use crate::fleet::{Device, DeviceId, DeviceKind, Machine};
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

/// Where machines belong that enrol by a token: a site implies its organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Home {
    pub organization: Option<OrganizationId>,
    pub site: Option<SiteId>,
}

/// A token as it is listed; its text is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentToken {
    pub id: Uuid,
    pub name: String,
    pub home: Home,
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

    /// A token for a machine that belongs nowhere yet.
    ///
    /// # Errors
    /// Where name or lifetime are out of bounds, or the store fails.
    pub async fn create_token(
        &self,
        name: &str,
        created_by: &str,
        ttl_ms: u64,
    ) -> Result<NewToken, TokenError> {
        self.create_token_at(Home::default(), name, created_by, ttl_ms).await
    }

    /// # Errors
    /// Where name or lifetime are out of bounds, or the store fails.
    pub async fn create_token_at(
        &self,
        home: Home,
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
            home,
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

    /// # Errors
    /// Where the store fails.
    pub async fn token(&self, id: Uuid) -> Result<Option<EnrolmentToken>, StoreError> {
        self.store.token(id).await
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
        if let Some(fault) = fault_of(&request.machine) {
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
            kind: DeviceKind::of(&machine),
            machine,
            guard_attached: false,
            online: false,
            certificate: certificate.info,
            version: 1,
            enrolled_at_ms: now_ms,
            last_seen_at_ms: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            revoked_at_ms: None,
            quarantined_at_ms: None,
        };
        let audit = AuditEntry {
            at_ms: now_ms,
            actor: format!("device:{id}"),
            action: "device.enrol".into(),
            target: format!("device:{id}"),
            decision: Decision::Allowed,
            details: serde_json::json!({ "hostname": device.machine.hostname }),
            ..AuditEntry::default()
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

/// What of a machine's description is out of its bounds.
pub(crate) fn fault_of(machine: &Machine) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {

    use super::*;
    use crate::app::App;
    use crate::config::Config;
    use crate::store::fresh::Fresh;
    use std::time::Duration;

    async fn app() -> (App, Fresh) {
        let state = Fresh::new();
        let (folder, database) = (state.path().to_owned(), state.database());
        let config = Config { state: folder, database, ..Config::default() };
        (App::open(config, Clock::manual(1_795_298_300_000)).await.unwrap(), state)
    }

    fn request(token: &str) -> EnrolRequest {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        EnrolRequest {
            token: token.into(),
            csr: csr.der().to_vec(),
            machine: Machine {
                hostname: "board-1".into(),
                os: String::new(),
                kernel: String::new(),
                arch: String::new(),
                vendor: None,
                product: None,
                serial: None,
                cpus: 1,
                memory_bytes: 1,
                simulated: false,
                agent_version: String::new(),
            },
        }
    }

    #[tokio::test]
    async fn a_token_is_good_until_its_time_and_not_after() {
        let (app, _state) = app().await;
        let token = app.enrolment.create_token("rack 3", "test", 1000).await.unwrap().text;
        app.clock.advance(Duration::from_secs(1));
        let reply = app.enrolment.enrol(request(&token)).await.unwrap();
        assert_eq!(reply, EnrolReply::Refused(EnrolRefusal::ExpiredToken));
        assert_eq!(app.store.counts().await.unwrap().devices, 0);
    }

    #[tokio::test]
    async fn a_revoked_token_enrols_nobody() {
        let (app, _state) = app().await;
        let new = app.enrolment.create_token("rack 3", "test", 60_000).await.unwrap();
        assert!(app.enrolment.revoke_token(new.token.id).await.unwrap());
        assert!(!app.enrolment.revoke_token(new.token.id).await.unwrap());
        let reply = app.enrolment.enrol(request(&new.text)).await.unwrap();
        assert_eq!(reply, EnrolReply::Refused(EnrolRefusal::ExpiredToken));
    }

    #[tokio::test]
    async fn a_faulty_request_leaves_its_token_unused() {
        let (app, _state) = app().await;
        let token = app.enrolment.create_token("rack 3", "test", 60_000).await.unwrap().text;
        let mut faulty = request(&token);
        faulty.csr[40] ^= 1;
        let reply = app.enrolment.enrol(faulty).await.unwrap();
        assert!(matches!(reply, EnrolReply::Refused(EnrolRefusal::BadRequest(_))), "{reply:?}");
        let mut long = request(&token);
        long.machine.hostname = "x".repeat(257);
        let reply = app.enrolment.enrol(long).await.unwrap();
        assert!(matches!(reply, EnrolReply::Refused(EnrolRefusal::BadRequest(_))), "{reply:?}");
        let reply = app.enrolment.enrol(request(&token)).await.unwrap();
        assert!(matches!(reply, EnrolReply::Enrolled { .. }), "{reply:?}");
    }

    #[tokio::test]
    async fn a_list_of_tokens_says_who_used_which_and_never_their_text() {
        let (app, _state) = app().await;
        let new = app.enrolment.create_token("rack 3", "test", 60_000).await.unwrap();
        let reply = app.enrolment.enrol(request(&new.text)).await.unwrap();
        let EnrolReply::Enrolled { device, .. } = reply else { panic!("{reply:?}") };
        let listed = app.enrolment.tokens().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].id, listed[0].used_by), (new.token.id, Some(device)));
    }
}
