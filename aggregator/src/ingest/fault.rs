//! Why a peer is refused: each with the close code it is told, the label it is counted under,
//! and the sentence that both sides read.

use crate::store::StoreError;
use flyball_protocol::frame::FrameError;
use flyball_protocol::message::{CURRENT_VERSION, MIN_VERSION, close};
use flyball_protocol::series::SeriesError;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the stream ends in the middle of a frame")]
    Torn,
    #[error("a stream of kind {0} is not known here")]
    StreamKind(u8),
    #[error("nothing came for {0:?}")]
    Silent(Duration),
    #[error("the peer did not take what was sent within {0:?}")]
    Deaf(Duration),
    #[error("the connection came without a certificate, enrol first")]
    NoCertificate,
    #[error("the certificate names no device of this authority")]
    Certificate,
    #[error("the device is not enrolled here, enrol it anew")]
    UnknownDevice,
    #[error("the device's certificate was revoked")]
    Revoked,
    #[error(
        "the device was seen in two places at once; an administrator has to release or revoke it"
    )]
    Quarantined,
    #[error("another certificate was given to this device since")]
    Outdated,
    #[error("the first message is not the one that opens a conversation")]
    Opening,
    #[error("{0}")]
    Machine(&'static str),
    #[error(
        "versions {min} to {max} are offered, {MIN_VERSION} to {CURRENT_VERSION} are spoken here"
    )]
    Version { min: u8, max: u8 },
    #[error("entry {seq} does not match its checksum or its bounds")]
    Damaged { seq: u64 },
    #[error("series {0} was defined before with another meaning")]
    Redefined(u32),
    #[error("the definition of series {0} is out of bounds: {1}")]
    SeriesBounds(u32, SeriesError),
    #[error("more than {0} series are defined in one epoch")]
    TooManySeries(usize),
    #[error("more than {0} entries wait for their commit")]
    OverWindow(usize),
    #[error("the store cannot take it now")]
    Store(#[from] StoreError),
    #[error("the store cannot commit now")]
    Uncommitted,
    #[error("there is no room for blocks here, keep them and come again")]
    NoRoom,
}

impl Fault {
    /// The QUIC application close code.
    pub(super) const fn code(&self) -> u32 {
        match self {
            Self::Frame(FrameError::TooLarge(_)) => close::FRAME_TOO_LARGE,
            Self::Frame(_)
            | Self::Torn
            | Self::StreamKind(_)
            | Self::Opening
            | Self::Machine(_)
            | Self::Damaged { .. }
            | Self::Redefined(_)
            | Self::SeriesBounds(..) => close::MALFORMED,
            Self::Version { .. } => close::VERSION,
            Self::Revoked | Self::Outdated => close::REVOKED,
            Self::Silent(_)
            | Self::Deaf(_)
            | Self::NoCertificate
            | Self::Certificate
            | Self::UnknownDevice
            | Self::Quarantined
            | Self::TooManySeries(_)
            | Self::OverWindow(_)
            | Self::Store(_)
            | Self::Uncommitted
            | Self::NoRoom => close::REFUSED,
        }
    }

    /// The label of the counter.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Frame(FrameError::TooLarge(_)) => "frame_too_large",
            Self::Frame(_) => "malformed_message",
            Self::Torn => "torn_frame",
            Self::StreamKind(_) => "unknown_stream",
            Self::Silent(_) | Self::Deaf(_) => "silent",
            Self::NoCertificate => "no_certificate",
            Self::Certificate => "certificate",
            Self::UnknownDevice => "unknown_device",
            Self::Revoked => "revoked",
            Self::Quarantined => "quarantined",
            Self::Outdated => "outdated_certificate",
            Self::Opening => "opening",
            Self::Machine(_) => "machine",
            Self::Version { .. } => "version",
            Self::Damaged { .. } => "damaged_entry",
            Self::Redefined(_) | Self::SeriesBounds(..) | Self::TooManySeries(_) => "series",
            Self::OverWindow(_) => "over_window",
            Self::Store(_) | Self::Uncommitted => "store",
            Self::NoRoom => "no_room",
        }
    }
}
