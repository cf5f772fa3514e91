//! Who the machine is, while its session lasts: its certificate renewed, and the proof that it is
//! in one place only.

use super::Session;
use super::streams::Input;
use crate::audit::{AuditEntry, Decision};
use crate::fleet::DeviceId;
use crate::ingest::fault::Fault;
use crate::ingest::stream::{End, write};
use crate::live::Live;
use crate::telemetry::Severity;
use crate::telemetry::event::{Event, EventId, TWO_PLACES};
use flyball_protocol::message::{ControlDown, ControlUp};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Renewals over one connection; an agent that got one makes a new connection with it.
const MAX_RENEWALS: u32 = 4;
/// What a living connection needs to answer.
const ANSWER: Duration = Duration::from_secs(3);

impl Session<'_> {
    /// Certifies the machine's new key. Both certificates count until the new one is shown.
    pub(super) async fn renew(&mut self, csr: &[u8]) -> Result<(), End> {
        self.renewals += 1;
        let device = self.origin.id;
        let now_ms = self.app.clock.now_ms();
        let issued = if self.renewals > MAX_RENEWALS {
            Err("too many were asked for over this connection".to_owned())
        } else {
            let certified = self.app.authority.certify(device, csr, now_ms);
            certified.map_err(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%device, error, "a renewal was refused");
                "the certificate request is no PKCS#10 that can be signed".to_owned()
            })
        };
        let answer = match issued {
            Ok(issued) => {
                let entry = AuditEntry {
                    at_ms: now_ms,
                    actor: format!("device:{device}"),
                    action: "device.renew".into(),
                    target: format!("device:{device}"),
                    decision: Decision::Allowed,
                    details: json!({ "certificate": issued.info.serial, "shown": self.serial }),
                    ..AuditEntry::default()
                };
                let store = &self.app.store;
                let stored = store.renew_certificate(device, &self.serial, &issued.info, &entry);
                stored.await.map_err(Fault::Store)?;
                tracing::info!(%device, serial = issued.info.serial, "certificate renewed");
                ControlDown::Renewed { certificate: issued.der }
            }
            Err(reason) => ControlDown::NotRenewed { reason },
        };
        write(&mut self.control, &answer).await
    }

    /// Another connection of this device has come. A machine that moved has closed this one or
    /// does not hear it any more: one that still answers is somewhere else.
    pub(super) async fn is_elsewhere(&mut self, inputs: &mut mpsc::Receiver<Input>) -> bool {
        // Only who is still here can know it: late packets prove nothing.
        let (number, _) = Uuid::new_v4().as_u64_pair();
        if write(&mut self.control, &ControlDown::Echo { number }).await.is_err() {
            return false;
        }
        let answered = async {
            loop {
                match inputs.recv().await {
                    Some(Input::Control(ControlUp::Echo { number: told })) if told == number => {
                        return true;
                    }
                    // What else comes is not taken: it is sent again over the connection that counts.
                    Some(Input::Control(_) | Input::LaneOpened(..) | Input::Lane(_)) => {}
                    Some(Input::LaneEnded(_)) => {}
                    Some(Input::ControlEnded | Input::Ended(_)) | None => return false,
                }
            }
        };
        tokio::time::timeout(ANSWER, answered).await.unwrap_or(false)
    }

    /// Shuts the device out everywhere until somebody has looked, and says so.
    pub(super) async fn quarantine(&self, device: DeviceId) -> Result<(), Fault> {
        let event = Event {
            id: EventId(0),
            device,
            at_ms: self.app.clock.now_ms(),
            kind: TWO_PLACES.into(),
            severity: Severity::Critical,
            subject: "identity".into(),
            message: format!(
                "this identity spoke from two places at once, lastly from {}: it is shut out \
                 until it is released or revoked",
                self.connection.remote_address()
            ),
            reading: None,
            threshold: None,
            unit: None,
        };
        if let Some(event) = self.app.store.quarantine_device(device, event).await? {
            tracing::error!(%device, "the same identity is in two places at once; it is shut out");
            self.app.live.publish(Live::Event(event));
        }
        self.app.sessions.quarantine(device);
        Ok(())
    }
}
