//! Who this machine is to its aggregator: a key that never leaves it, the certificate for it,
//! and the one authority that it believes. All three live in one file, replaced as a whole and
//! readable by this user alone. Nothing here opens a connection.

mod pin_file;
mod request;
mod spool_key;
mod tls;
mod token;
mod verifier;

pub(crate) use pin_file::{GuardPin, PinFileError};
pub(crate) use request::{KeyRequest, RequestError};
pub(crate) use spool_key::SpoolKey;
pub(crate) use tls::{SERVER_NAME, TlsError, enrolled_client, enrolling_client};
pub(crate) use token::{EnrolmentToken, TokenError};

use crate::files;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flyball_protocol::command::DeviceId;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::io;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer, X509Certificate};

const FILE: &str = "identity.pem";
/// The certificate's URI name is this and the device id.
const URI_PREFIX: &str = "flyball:device:";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: DeviceId,
    /// Unix milliseconds from which the certificate counts.
    pub(crate) not_before_ms: u64,
    /// Unix milliseconds after which no aggregator takes it.
    pub(crate) not_after_ms: u64,
    key: PrivatePkcs8KeyDer<'static>,
    certificate: CertificateDer<'static>,
    authority: CertificateDer<'static>,
    /// Where the spool was ever sealed.
    pub(crate) spool_key: Option<SpoolKey>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("this machine has no identity at {path}; run `flyball-agent enrol` with a token")]
    NotEnrolled { path: PathBuf },
    #[error("the identity {path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("the identity {path} cannot be written")]
    Write { path: PathBuf, source: io::Error },
    #[error("the identity {path} is damaged ({what}); remove it and enrol anew")]
    Damaged { path: PathBuf, what: &'static str },
    #[error("the certificate is not this machine's: {0}")]
    Certificate(&'static str),
}

impl Identity {
    /// The identity of key, certificate and authority, if they belong together.
    pub(crate) fn new(
        key: PrivatePkcs8KeyDer<'static>,
        certificate: CertificateDer<'static>,
        authority: CertificateDer<'static>,
    ) -> Result<Self, IdentityError> {
        let (device, not_before_ms, not_after_ms) = {
            let parsed = parse(&certificate)?;
            parse(&authority)?;
            let pair = rcgen::KeyPair::try_from(&key)
                .map_err(|_| IdentityError::Certificate("the key cannot be used"))?;
            let public = parsed.public_key().subject_public_key.data.as_ref();
            if pair.public_key_raw() != public {
                return Err(IdentityError::Certificate("it is for another key"));
            }
            let validity = parsed.validity();
            (
                device_of(&parsed)?,
                milliseconds(validity.not_before.timestamp()),
                milliseconds(validity.not_after.timestamp()),
            )
        };
        let spool_key = None;
        Ok(Self { device, not_before_ms, not_after_ms, key, certificate, authority, spool_key })
    }

    /// The device that a certificate names.
    #[cfg(test)]
    pub(crate) fn device_in(certificate: &CertificateDer<'_>) -> Result<DeviceId, IdentityError> {
        device_of(&parse(certificate)?)
    }

    pub(crate) fn path(state: &Path) -> PathBuf {
        state.join(FILE)
    }

    pub(crate) fn load(state: &Path) -> Result<Self, IdentityError> {
        let path = Self::path(state);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(IdentityError::NotEnrolled { path });
            }
            Err(source) => return Err(IdentityError::Read { path, source }),
        };
        let damaged = |what| IdentityError::Damaged { path: path.clone(), what };
        let key = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| damaged("no key"))?;
        let mut certificates = CertificateDer::pem_slice_iter(&text);
        let mut next = |what| match certificates.next() {
            Some(Ok(certificate)) => Ok(certificate),
            Some(Err(_)) | None => Err(damaged(what)),
        };
        let certificate = next("no certificate")?;
        let authority = next("no authority")?;
        let mut identity = Self::new(key, certificate, authority)?;
        identity.spool_key = SpoolKey::find(&text).map_err(damaged)?;
        Ok(identity)
    }

    pub(crate) fn save(&self, state: &Path) -> Result<(), IdentityError> {
        let path = Self::path(state);
        let text = [
            pem("PRIVATE KEY", self.key.secret_pkcs8_der()),
            pem("CERTIFICATE", &self.certificate),
            pem("CERTIFICATE", &self.authority),
            self.spool_key.as_ref().map(SpoolKey::to_pem).unwrap_or_default(),
        ]
        .concat();
        files::replace(&path, text.as_bytes())
            .map_err(|source| IdentityError::Write { path, source })
    }

    /// The same machine with a new key and the certificate for it.
    pub(crate) fn renewed(
        &self,
        key: PrivatePkcs8KeyDer<'static>,
        certificate: CertificateDer<'static>,
    ) -> Result<Self, IdentityError> {
        let mut renewed = Self::new(key, certificate, self.authority.clone())?;
        renewed.spool_key.clone_from(&self.spool_key);
        if renewed.device != self.device {
            return Err(IdentityError::Certificate("it names another device"));
        }
        Ok(renewed)
    }

    /// Unix milliseconds at which two thirds of the certificate's life are over.
    pub(crate) const fn renewal_ms(&self) -> u64 {
        let span = self.not_after_ms.saturating_sub(self.not_before_ms);
        self.not_before_ms.saturating_add(span / 3 * 2)
    }

    /// Whether the certificate still counts at `now_ms`, and whether two thirds are over.
    pub(crate) fn age(&self, now_ms: u64) -> CertificateAge {
        if now_ms > self.not_after_ms {
            CertificateAge::Expired
        } else if now_ms >= self.renewal_ms() {
            CertificateAge::RenewalDue
        } else {
            CertificateAge::Current
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateAge {
    Current,
    RenewalDue,
    Expired,
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, IdentityError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) | Err(_) => Err(IdentityError::Certificate("it is no X.509 certificate")),
    }
}

/// The device of the URI `flyball:device:<uuid>`.
fn device_of(certificate: &X509Certificate<'_>) -> Result<DeviceId, IdentityError> {
    use x509_parser::extensions::GeneralName;
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Err(IdentityError::Certificate("it names no device"));
    };
    names
        .value
        .general_names
        .iter()
        .find_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(URI_PREFIX)?.parse().ok(),
            _ => None,
        })
        .ok_or(IdentityError::Certificate("it names no device"))
}

fn milliseconds(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}

/// RFC 7468's textual form.
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Authority;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_identity_is_read_back_as_it_was_written_and_private() {
        let state = tempfile::tempdir().unwrap();
        let mut identity = Authority::new().identity();
        for key in [None, Some(SpoolKey::make())] {
            identity.spool_key = key;
            identity.save(state.path()).unwrap();
            assert_eq!(Identity::load(state.path()).unwrap(), identity);
        }
        let mode = Identity::path(state.path()).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_and_a_cut_identity_say_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        let error = Identity::load(state.path()).unwrap_err();
        assert!(matches!(error, IdentityError::NotEnrolled { .. }));
        Authority::new().identity().save(state.path()).unwrap();
        let path = Identity::path(state.path());
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 40, whole.len() / 2, whole.len() - 40] {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = Identity::load(state.path()).unwrap_err();
            assert!(matches!(error, IdentityError::Damaged { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn a_certificate_for_another_key_is_no_identity() {
        let authority = Authority::new();
        let (ours, theirs) = (authority.identity(), authority.identity());
        let mixed = Identity::new(ours.key, theirs.certificate, ours.authority);
        assert!(matches!(mixed, Err(IdentityError::Certificate("it is for another key"))));
    }

    #[test]
    fn a_certificate_is_due_for_renewal_at_two_thirds_and_then_expires() {
        let identity = Authority::new().identity();
        let span = identity.not_after_ms - identity.not_before_ms;
        let at = |part: u64| identity.age(identity.not_before_ms + part);
        assert_eq!(at(0), CertificateAge::Current);
        assert_eq!(at(span / 3 * 2), CertificateAge::RenewalDue);
        assert_eq!(at(span), CertificateAge::RenewalDue);
        assert_eq!(at(span + 1), CertificateAge::Expired);
    }
}
