//! Why a reading has no value. Absence is data: it is sampled, coded, stored and shown.

use serde::{Deserialize, Serialize};

/// The reason that stands in a value's place. Stored by number: new reasons go at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoData {
    /// The source is gone (ENODEV, ENOENT).
    Missing,
    /// The source exists but is switched off (ENODATA, `*_enable` = 0).
    Disabled,
    /// The device answered with a fault (EIO, ENXIO, EREMOTEIO, `*_fault` = 1).
    Fault,
    /// Reading it needs a right that the reader lacks (EACCES, EPERM).
    Denied,
    /// A passing failure (EAGAIN, EBUSY, ETIMEDOUT).
    Busy,
    /// The answer was no number.
    Unparsable,
    /// Outside the physical band of its kind.
    OutOfRange,
    /// It moved faster than the physics of its kind allows.
    TooFast,
    /// The last value is older than the source's bound.
    Stale,
    /// Bit-identical while load or siblings moved.
    Stuck,
    /// Redundant sensors disagree.
    Disagreement,
    /// The first sample of a rate: there is nothing to take the difference to.
    NoHistory,
    /// The reading process was not running.
    NotRunning,
    /// The reading process came too late for this tick.
    Overrun,
    /// A bounded buffer was full while its consumer was away.
    Overflow,
    /// The driver has the file and this hardware has not what it stands for (EINVAL,
    /// EOPNOTSUPP).
    Unsupported,
}

impl NoData {
    pub const ALL: [Self; 16] = [
        Self::Missing,
        Self::Disabled,
        Self::Fault,
        Self::Denied,
        Self::Busy,
        Self::Unparsable,
        Self::OutOfRange,
        Self::TooFast,
        Self::Stale,
        Self::Stuck,
        Self::Disagreement,
        Self::NoHistory,
        Self::NotRunning,
        Self::Overrun,
        Self::Overflow,
        Self::Unsupported,
    ];

    /// The word of the API and of the logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Disabled => "disabled",
            Self::Fault => "fault",
            Self::Denied => "denied",
            Self::Busy => "busy",
            Self::Unparsable => "unparsable",
            Self::OutOfRange => "out_of_range",
            Self::TooFast => "too_fast",
            Self::Stale => "stale",
            Self::Stuck => "stuck",
            Self::Disagreement => "disagreement",
            Self::NoHistory => "no_history",
            Self::NotRunning => "not_running",
            Self::Overrun => "overrun",
            Self::Overflow => "overflow",
            Self::Unsupported => "unsupported",
        }
    }

    /// The code on the wire: the position in [`NoData::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}
