//! The other side of an export: one request at a time over HTTP, and what its answer means.

use crate::config::{Export, ExportKind};
use crate::export::batch::Outgoing;
use crate::export::{otlp, remote_write};
use std::time::Duration;
use ureq::http::header::RETRY_AFTER;

/// One request, from its connection to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// What a receiver may ask to be left alone for.
const MAX_PAUSE_S: u64 = 300;

#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// It may pass: the receiver is away, busy, or failing.
    #[error("the receiver can't be reached")]
    Unreachable(#[source] Box<ureq::Error>),
    #[error("the receiver answered {status}")]
    Busy { status: u16, pause: Option<Duration> },
    /// It would be refused again.
    #[error("the receiver refused it with {status}: {reason}")]
    Refused { status: u16, reason: String },
    #[error("the request can't be compressed")]
    Encode(#[from] snap::Error),
}

#[derive(Clone, Debug)]
pub(super) struct Receiver {
    agent: ureq::Agent,
    export: Export,
}

impl Receiver {
    pub(super) fn new(export: Export) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("flyball/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), export }
    }

    /// Sends one request and waits for its answer; the thread is blocked meanwhile.
    pub(super) fn send(&self, outgoing: &[Outgoing]) -> Result<(), SendError> {
        let mut request = self.agent.post(self.export.url.as_str());
        request = request.header("content-type", "application/x-protobuf");
        for (name, value) in &self.export.headers {
            request = request.header(name, value);
        }
        let body = match self.export.kind {
            ExportKind::RemoteWrite => {
                request = request
                    .header("content-encoding", "snappy")
                    .header("x-prometheus-remote-write-version", "0.1.0");
                remote_write::encode(outgoing)?
            }
            ExportKind::Otlp => otlp::encode(outgoing),
        };
        let answer = request.send(body.as_slice());
        let mut answer = answer.map_err(|error| SendError::Unreachable(Box::new(error)))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status @ (408 | 429 | 500..=599) => {
                let pause = answer.headers().get(RETRY_AFTER);
                let seconds = pause.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
                let pause = seconds.map(|seconds| Duration::from_secs(seconds.min(MAX_PAUSE_S)));
                Err(SendError::Busy { status, pause })
            }
            status => {
                let reason = answer.body_mut().with_config().limit(1024).read_to_string();
                Err(SendError::Refused { status, reason: reason.unwrap_or_default() })
            }
        }
    }
}
