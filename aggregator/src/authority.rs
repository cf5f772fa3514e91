//! The organization's keys: the certificate authority of its machines, this server's own
//! certificate, and the key that signs commands. They lie in the state folder, mode 0600, and
//! are made at the first start; none of them ever leaves the process.

mod files;

use crate::fleet::{CertificateInfo, DeviceId};
use flyball_protocol::command::CommandKey;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The name under which agents verify this server.
pub const SERVER_NAME: &str = "flyball-aggregator";
/// Agents renew at two thirds of it.
const AGENT_DAYS: u64 = 30;
const SERVER_DAYS: u64 = 90;
const AUTHORITY_DAYS: u64 = 3650;
/// Clocks of machines go wrong: certificates begin a little before they are made.
const BACKDATE_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} does not hold a key of 32 bytes")]
    KeyLength { path: PathBuf },
    #[error("making a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
}

/// A machine's new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub der: Vec<u8>,
    pub info: CertificateInfo,
}

/// Everything that this server signs with.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    command_key: Arc<CommandKey>,
    endpoint_secret: [u8; 32],
    sealing_key: [u8; 32],
}

/// What the QUIC endpoint presents.
#[derive(Debug)]
pub struct ServerIdentity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

impl Authority {
    /// The authority of `state`, made where there is none.
    ///
    /// # Errors
    /// Where a file can't be read or written, or does not hold what it should.
    pub fn open(state: &Path, now_ms: u64) -> Result<Self, AuthorityError> {
        let folder = state.join("authority");
        files::create_folder(&folder)?;
        let key = match files::read_optional(&folder.join("authority.key"))? {
            Some(der) => KeyPair::try_from(der.as_slice())?,
            None => {
                let key = KeyPair::generate()?;
                files::write_secret(&folder.join("authority.key"), key.serialized_der())?;
                key
            }
        };
        let path = folder.join("authority.der");
        let certificate = match files::read_optional(&path)? {
            Some(der) => CertificateDer::from(der),
            None => {
                let certificate = authority_params(now_ms).self_signed(&key)?;
                files::write_secret(&path, certificate.der())?;
                certificate.der().clone()
            }
        };
        let secret = files::secret(&folder.join("command.key"))?;
        let endpoint_secret = files::secret(&folder.join("endpoint.key"))?;
        let sealing_key = files::secret(&folder.join("sealing.key"))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        let command_key = Arc::new(CommandKey::from_bytes(&secret));
        Ok(Self { issuer, certificate, command_key, endpoint_secret, sealing_key })
    }

    /// What secrets in the database are sealed with.
    #[must_use]
    pub const fn sealing_key(&self) -> &[u8; 32] {
        &self.sealing_key
    }

    #[must_use]
    pub const fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// SHA-256 of the authority's certificate in hexadecimal: what a token pins.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.certificate))
    }

    #[must_use]
    pub const fn command_key(&self) -> &Arc<CommandKey> {
        &self.command_key
    }

    /// What the endpoint's resets are made from. The same after a restart: only then can a new
    /// process tell the agents of the old one that their connections are gone.
    #[must_use]
    pub(crate) const fn endpoint_secret(&self) -> &[u8; 32] {
        &self.endpoint_secret
    }

    /// A certificate for this process, made anew at each start and never written.
    ///
    /// # Errors
    /// Where it can't be signed.
    pub fn server_identity(
        &self,
        address: IpAddr,
        now_ms: u64,
    ) -> Result<ServerIdentity, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.into(), "localhost".into()])?;
        let addresses = [address, Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        params.distinguished_name = name(SERVER_NAME);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        validity(&mut params, now_ms, SERVER_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        // A machine that enrols knows the authority by its hash alone and has to be shown it.
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        Ok(ServerIdentity { chain, key })
    }

    /// Certifies the key of `csr` for `device`. Names and extensions that the request asks for
    /// are not taken over.
    ///
    /// # Errors
    /// Where the request is malformed, not signed by its own key, or can't be signed.
    pub fn certify(
        &self,
        device: DeviceId,
        csr: &[u8],
        now_ms: u64,
    ) -> Result<Issued, AuthorityError> {
        let mut request =
            CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr))?;
        let mut serial = [0; 16];
        getrandom::fill(&mut serial)?;
        // A serial is a positive number of at most 20 bytes.
        serial[0] &= 0x7f;
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.distinguished_name = name(&device.to_string());
        let uri = format!("flyball:device:{device}").try_into()?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let not_after_ms = validity(&mut params, now_ms, AGENT_DAYS);
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        let info = CertificateInfo { serial: hex(&serial), not_after_ms };
        Ok(Issued { der: certificate.der().to_vec(), info })
    }
}

fn authority_params(now_ms: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Flyball authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now_ms, AUTHORITY_DAYS);
    params
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// Sets the validity and gives back its end, in whole seconds as the certificate carries it.
fn validity(params: &mut CertificateParams, now_ms: u64, days: u64) -> u64 {
    let not_after_ms = (now_ms + days * DAY_MS) / 1000 * 1000;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_millis(now_ms.saturating_sub(BACKDATE_MS));
    params.not_after = epoch + Duration::from_millis(not_after_ms);
    not_after_ms
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
