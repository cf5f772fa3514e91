//! How streams and connections end, in words that do not depend on what carries them.

use crate::mux::Violation;
use std::io;
use std::sync::Arc;

/// Why a connection is over.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("the peer closed it with code {code}: {reason}")]
    ClosedByPeer { code: u32, reason: String },
    #[error("it was closed here")]
    ClosedHere,
    #[error(transparent)]
    Quic(quinn::ConnectionError),
    #[error(transparent)]
    Tcp(TcpLoss),
}

/// Why a connection over TLS and TCP broke. Shared, since every stream of it tells the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TcpLoss {
    #[error("the connection broke")]
    Io(#[source] Arc<io::Error>),
    #[error("the peer ended it without a word")]
    Ended,
    #[error("nothing came for too long")]
    Silent,
    #[error("the peer broke the rules of the connection")]
    Violation(#[source] Violation),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the peer gave the stream up with code {0}")]
    Reset(u32),
    #[error("the stream ended before what was due")]
    Finished,
    #[error("the stream was closed here")]
    Closed,
    #[error("the connection is lost")]
    Connection(#[source] ConnectionError),
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the peer no longer reads the stream, code {0}")]
    Stopped(u32),
    #[error("the stream was closed here")]
    Closed,
    #[error("the connection is lost")]
    Connection(#[source] ConnectionError),
}

/// QUIC's codes have 62 bits, ours fit 32.
pub(crate) fn code(code: quinn::VarInt) -> u32 {
    u32::try_from(code.into_inner()).unwrap_or(u32::MAX)
}

impl From<quinn::ConnectionError> for ConnectionError {
    fn from(error: quinn::ConnectionError) -> Self {
        match error {
            quinn::ConnectionError::ApplicationClosed(closed) => Self::ClosedByPeer {
                code: code(closed.error_code),
                reason: String::from_utf8_lossy(&closed.reason).into_owned(),
            },
            quinn::ConnectionError::LocallyClosed => Self::ClosedHere,
            error => Self::Quic(error),
        }
    }
}

impl From<quinn::ReadError> for ReadError {
    fn from(error: quinn::ReadError) -> Self {
        match error {
            quinn::ReadError::Reset(reset) => Self::Reset(code(reset)),
            quinn::ReadError::ConnectionLost(error) => Self::Connection(error.into()),
            quinn::ReadError::ClosedStream
            | quinn::ReadError::IllegalOrderedRead
            | quinn::ReadError::ZeroRttRejected => Self::Closed,
        }
    }
}

impl From<quinn::WriteError> for WriteError {
    fn from(error: quinn::WriteError) -> Self {
        match error {
            quinn::WriteError::Stopped(stopped) => Self::Stopped(code(stopped)),
            quinn::WriteError::ConnectionLost(error) => Self::Connection(error.into()),
            quinn::WriteError::ClosedStream | quinn::WriteError::ZeroRttRejected => Self::Closed,
        }
    }
}
