//! The guard's end of its socket.

use super::soon;
use flyball_protocol::guard::{
    BoardInfo, Decoder, EventKind, FromAgent, FromGuard, GuardEvent, Record, RecordBody, Sample,
    Series, Severity, encode,
};
use flyball_units::{Kind, Unit};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use uuid::Uuid;

pub(crate) struct Guard {
    listener: UnixListener,
}

impl Guard {
    pub(crate) fn listen(folder: &Path) -> Self {
        let socket = folder.join("guard.sock");
        // A guard that starts anew takes its old socket's place.
        let _absent = std::fs::remove_file(&socket);
        Self { listener: UnixListener::bind(&socket).unwrap() }
    }

    pub(crate) async fn accept(&self) -> GuardPeer {
        let (stream, _) = soon(self.listener.accept()).await.unwrap();
        GuardPeer { stream, decoder: Decoder::new() }
    }

    /// Accepts and answers `Attach`, which is given back.
    pub(crate) async fn attach(&self, run: Uuid) -> (GuardPeer, FromAgent) {
        let mut peer = self.accept().await;
        let attach = peer.hear().await;
        peer.say(&attached(run)).await;
        (peer, attach)
    }
}

pub(crate) struct GuardPeer {
    stream: UnixStream,
    decoder: Decoder,
}

impl GuardPeer {
    pub(crate) async fn say(&mut self, message: &FromGuard) {
        self.say_bytes(&encode(message).unwrap()).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next message of the agent.
    pub(crate) async fn hear(&mut self) -> FromAgent {
        loop {
            if let Some(message) = self.decoder.next().unwrap() {
                return message;
            }
            let mut bytes = [0; 4096];
            let count = soon(self.stream.read(&mut bytes)).await.unwrap();
            assert_ne!(count, 0, "the agent went away");
            self.decoder.push(&bytes[..count]);
        }
    }

    /// Waits until the agent has closed the connection.
    pub(crate) async fn closed(&mut self) {
        let mut bytes = [0; 4096];
        while soon(self.stream.read(&mut bytes)).await.unwrap_or(0) > 0 {}
    }
}

pub(crate) fn attached(run: Uuid) -> FromGuard {
    FromGuard::Attached {
        run,
        boot: Uuid::from_u128(9),
        board: board(),
        series: vec![series()],
        inventory: Box::default(),
    }
}

pub(crate) fn board() -> BoardInfo {
    BoardInfo {
        vendor: Some("Example".into()),
        product: Some("Board".into()),
        serial: Some("1".into()),
        simulated: true,
    }
}

pub(crate) fn series() -> Series {
    Series {
        metric: "hw.temperature".into(),
        kind: Kind::Temperature,
        unit: Unit::Celsius,
        attributes: vec![("hw.id".into(), "cpu".into())],
        cadence_ms: 1000,
    }
}

/// Samples of one tick.
pub(crate) fn record(at_ms: u64, value: f64) -> Record {
    Record { at_ms, body: RecordBody::Samples(vec![Sample { series: 0, value: Ok(value) }]) }
}

/// Something that the guard saw.
pub(crate) fn event(message: &str) -> GuardEvent {
    GuardEvent {
        kind: EventKind::GuardStarted,
        severity: Severity::Info,
        subject: "guard".into(),
        message: message.into(),
        reading: None,
        threshold: None,
        unit: None,
    }
}
