//! The certificate's renewal, at two thirds of its life and under traffic: a new key is made
//! here, certified over the control stream, stored, and taken up by a second connection before
//! the first is closed. Until it is stored the old certificate holds.

use super::endpoint::{Client, Way};
use super::{Done, Uplink};
use crate::identity::{
    CertificateAge, Identity, IdentityError, KeyRequest, TlsError, enrolled_client,
};
use crate::logging::chain;
use flyball_protocol::message::ControlUp;
use rustls_pki_types::CertificateDer;
use std::path::PathBuf;

/// What an aggregator may take to answer; then it is asked again.
const ANSWER_MS: u64 = 60_000;
/// After a refusal, or where the file could not be written.
const REST_MS: u64 = 60 * 60 * 1000;

/// Who this machine is, and where that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) identity: Identity,
    pub(crate) state: PathBuf,
}

/// How far a renewal is.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// The key that waits for its certificate.
    asked: Option<KeyRequest>,
    /// Not before, on the clock that never steps.
    rest_until_ms: u64,
    told_expired: bool,
}

impl Uplink {
    /// When a renewal is to be asked for, on the clock that never steps.
    pub(super) fn renewal_due_ms(&self) -> Option<u64> {
        let welcomed = self.link.as_ref().is_some_and(|link| link.welcome_by_ms.is_none());
        let wall_ms = self.means.clock.unix_ms();
        let until_ms = self.means.kept.identity.renewal_ms().saturating_sub(wall_ms);
        welcomed.then(|| (self.now_ms() + until_ms).max(self.renewal.rest_until_ms))
    }

    pub(super) fn ask_renewal(&mut self) {
        let now_ms = self.now_ms();
        self.renewal.rest_until_ms = now_ms + ANSWER_MS;
        match KeyRequest::make(&self.means.kept.identity.device.to_string()) {
            Ok(request) => {
                tracing::info!("asking for a new certificate");
                let csr = request.csr.clone();
                self.renewal.asked = Some(request);
                self.say(ControlUp::Renew { csr });
            }
            Err(error) => {
                self.renewal.rest_until_ms = now_ms + REST_MS;
                tracing::error!(error = chain(&error), "no key for a new certificate");
            }
        }
    }

    /// The new certificate: stored first, used then.
    pub(super) fn handle_renewed(&mut self, certificate: Vec<u8>) {
        let Some(request) = self.renewal.asked.take() else {
            return tracing::warn!("a certificate came that nobody asked for; it is not taken");
        };
        let kept = &self.means.kept;
        let certificate = CertificateDer::from(certificate);
        let renewed = match kept.identity.renewed(request.key, certificate) {
            Ok(renewed) => renewed,
            Err(error) => {
                self.renewal.rest_until_ms = self.now_ms() + REST_MS;
                return tracing::error!(error = chain(&error), "the new certificate is not taken");
            }
        };
        let state = kept.state.clone();
        self.begin(move || Done::Kept(renewed.save(&state).map(|()| Box::new(renewed))));
    }

    pub(super) fn handle_not_renewed(&mut self, reason: &str) {
        self.renewal.asked = None;
        self.renewal.rest_until_ms = self.now_ms() + REST_MS;
        tracing::error!(reason, "the aggregator gives no new certificate; it is asked again");
    }

    /// The new identity is on disk: go on with it.
    pub(super) fn handle_kept(&mut self, kept: Result<Box<Identity>, IdentityError>) {
        let taken = kept.map_err(|error| chain(&error)).and_then(|identity| {
            let tls = enrolled_client(&identity).map_err(|error| chain(&error))?;
            let client = Client::new(tls).map_err(|error| chain(&TlsError::Suite(error)))?;
            Ok((identity, client))
        });
        match taken {
            Ok((identity, client)) => {
                tracing::info!(not_after_ms = identity.not_after_ms, "the certificate is renewed");
                self.means.kept.identity = *identity;
                self.means.client = client;
                if let Some(link) = &self.link {
                    self.call_beside(Way::Only(link.session.transport()));
                }
            }
            Err(why) => {
                self.renewal.rest_until_ms = self.now_ms() + REST_MS;
                tracing::error!(why, "the new certificate cannot be kept; the old one holds");
            }
        }
    }

    /// Says, once, what is to be done where no aggregator takes the certificate any more.
    pub(super) fn tell_expired(&mut self) {
        let kept = &self.means.kept;
        let expired = kept.identity.age(self.means.clock.unix_ms()) == CertificateAge::Expired;
        if expired && !std::mem::replace(&mut self.renewal.told_expired, true) {
            tracing::error!(
                identity = %Identity::path(&kept.state).display(),
                "the certificate has expired, and no aggregator takes it; readings are kept here. \
                 Move the identity away and run `flyball-agent enrol` with a new token: the spool \
                 is sent then"
            );
        }
    }
}
