//! The first messages of a session: is this device known, is its version spoken here, and what
//! is committed of its epoch.

use crate::app::App;
use crate::enrolment;
use crate::fleet::Shown;
use crate::ingest::arrival::Origin;
use crate::ingest::fault::Fault;
use crate::ingest::peer::Certificate;
use crate::ingest::stream::{End, Reader, write};
use flyball_link::{Connection, SendStream};
use flyball_protocol::message::{
    CURRENT_VERSION, ControlDown, ControlUp, Hello, MIN_VERSION, StreamKind,
};
use flyball_protocol::sync::{Epoch, Ranges};
use std::time::Duration;

/// From the handshake to `Hello`.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a refused peer may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Greeted {
    pub(super) origin: Origin,
    pub(super) epoch: Epoch,
    pub(super) committed: Ranges,
    pub(super) control: SendStream,
    pub(super) control_reader: Reader,
}

pub(super) async fn greet(
    app: &App,
    connection: &Connection,
    shown: &Certificate,
) -> Result<Greeted, End> {
    let device = shown.device;
    check_standing(app, shown).await?;
    let (mut control, mut control_reader) = control_stream(connection).await?;
    let first = control_reader.next_within(PATIENCE).await?;
    let Some(ControlUp::Hello(hello)) = first else {
        return Err(Fault::Opening.into());
    };
    if let Err(fault) = check_version(&hello) {
        let refused = ControlDown::Refused { reason: fault.to_string() };
        write(&mut control, &refused).await?;
        control.finish();
        // The close would overtake the sentence.
        let _ = tokio::time::timeout(FAREWELL, control.stopped()).await;
        return Err(fault.into());
    }
    if let Some(fault) = enrolment::fault_of(&hello.machine) {
        return Err(Fault::Machine(fault).into());
    }
    let now_ms = app.clock.now_ms();
    let opened = app.store.open_epoch(device, hello.epoch, now_ms).await.map_err(Fault::Store)?;
    let opened = opened.ok_or(Fault::UnknownDevice)?;
    app.store
        .device_connected(device, &hello.machine, hello.guard_attached, app.instance, now_ms)
        .await
        .map_err(Fault::Store)?;
    Ok(Greeted {
        origin: Origin::new(device, opened.device, opened.epoch, opened.dictionary),
        epoch: hello.epoch,
        committed: opened.ranges,
        control,
        control_reader,
    })
}

/// Refuses a device that is gone, whose certificate was taken back or replaced, or that was seen
/// in two places.
pub(super) async fn check_standing(app: &App, shown: &Certificate) -> Result<(), Fault> {
    let standing = app.store.standing(shown.device).await?.ok_or(Fault::UnknownDevice)?;
    if standing.revoked {
        return Err(Fault::Revoked);
    }
    if standing.quarantined {
        return Err(Fault::Quarantined);
    }
    match standing.of(&shown.serial) {
        Shown::Current if standing.previous.is_some() => {
            Ok(app.store.retire_certificate(shown.device).await?)
        }
        Shown::Current | Shown::Previous => Ok(()),
        Shown::Outdated => Err(Fault::Outdated),
    }
}

/// The agent's first stream, which has to be the control stream.
async fn control_stream(connection: &Connection) -> Result<(SendStream, Reader), End> {
    let accepted = tokio::time::timeout(PATIENCE, connection.accept_bi()).await;
    let (send, mut receive) = match accepted {
        Ok(Ok(streams)) => streams,
        Ok(Err(_)) => return Err(End::Lost),
        Err(_) => return Err(Fault::Silent(PATIENCE).into()),
    };
    let mut kind = [0];
    match tokio::time::timeout(PATIENCE, receive.read_exact(&mut kind)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return Err(Fault::Torn.into()),
        Err(_) => return Err(Fault::Silent(PATIENCE).into()),
    }
    match StreamKind::from_byte(kind[0]) {
        Some(StreamKind::Control) => Ok((send, Reader::new(receive))),
        Some(StreamKind::Fresh | StreamKind::Backfill) => Err(Fault::Opening.into()),
        None => Err(Fault::StreamKind(kind[0]).into()),
    }
}

const fn check_version(hello: &Hello) -> Result<(), Fault> {
    let (min, max) = (hello.min_version, hello.max_version);
    if min <= CURRENT_VERSION && max >= MIN_VERSION && min <= max {
        Ok(())
    } else {
        Err(Fault::Version { min, max })
    }
}
