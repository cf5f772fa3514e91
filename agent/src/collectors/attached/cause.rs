//! Why something that a sensor sent was not taken.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Oversized,
    NotJson,
    UnknownTopic,
    UnknownDevice,
    UnknownReadingType,
    WrongUnit,
    NotANumber,
    OutOfRange,
    /// The broker kept it for later subscribers, and nobody knows how old it is.
    Retained,
    Unauthorized,
    /// No request of HTTP, or none that is served here.
    BadRequest,
    /// More came between two ticks than is held.
    Busy,
    /// A sensor that is asked, and what came of it.
    Unreachable,
    Untrusted,
    TimedOut,
    BadStatus,
    BadAnswer,
}

impl Cause {
    pub(super) const ALL: [Self; 17] = [
        Self::Oversized,
        Self::NotJson,
        Self::UnknownTopic,
        Self::UnknownDevice,
        Self::UnknownReadingType,
        Self::WrongUnit,
        Self::NotANumber,
        Self::OutOfRange,
        Self::Retained,
        Self::Unauthorized,
        Self::BadRequest,
        Self::Busy,
        Self::Unreachable,
        Self::Untrusted,
        Self::TimedOut,
        Self::BadStatus,
        Self::BadAnswer,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Oversized => "oversized",
            Self::NotJson => "not_json",
            Self::UnknownTopic => "unknown_topic",
            Self::UnknownDevice => "unknown_device",
            Self::UnknownReadingType => "unknown_reading_type",
            Self::WrongUnit => "wrong_unit",
            Self::NotANumber => "not_a_number",
            Self::OutOfRange => "out_of_range",
            Self::Retained => "retained",
            Self::Unauthorized => "unauthorized",
            Self::BadRequest => "bad_request",
            Self::Busy => "busy",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::TimedOut => "timed_out",
            Self::BadStatus => "bad_status",
            Self::BadAnswer => "bad_answer",
        }
    }

    /// What is so, and what to do about it.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Oversized => "a message is larger than 4 KiB; send readings one by one",
            Self::NotJson => {
                "a message is no JSON object with reading_type and value, nor a list of such"
            }
            Self::UnknownTopic => "no sensor of the configuration has this topic",
            Self::UnknownDevice => "no sensor of the configuration has this key here",
            Self::UnknownReadingType => "its sensor is not configured to read this reading type",
            Self::WrongUnit => "the unit is not the reading type's own; write its UCUM code",
            Self::NotANumber => "a value is no finite number",
            Self::OutOfRange => "a value is outside what its kind can be; the sensor may be broken",
            Self::Retained => {
                "a message was kept by the broker and has no age; only new ones count"
            }
            Self::Unauthorized => "a request has not the token of the token_file",
            Self::BadRequest => "a request is none; POST readings to /readings",
            Self::Busy => "readings come faster than they are sampled; send fewer",
            Self::Unreachable => "a sensor that is asked can't be reached; look at its url",
            Self::Untrusted => "TLS with a sensor fails; look at its certificate and the ca_file",
            Self::TimedOut => "a sensor that is asked does not answer in time",
            Self::BadStatus => "a sensor answers with another status than 200",
            Self::BadAnswer => "a sensor's answer is no HTTP",
        }
    }
}

/// How often each cause has come.
#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; Cause::ALL.len()]);

impl Tally {
    /// Counts, and says it where it is the first of its cause.
    pub(super) fn refuse(&self, cause: Cause, from: &str) {
        let before = self.0[cause as usize].fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            let from: String = from.chars().filter(|c| !c.is_control()).take(128).collect();
            tracing::warn!(
                from,
                cause = cause.name(),
                "an attached sensor's reading is not taken, further ones are counted: {}",
                cause.advice()
            );
        }
    }

    /// Counts what is said elsewhere.
    pub(super) fn add(&self, cause: Cause) {
        self.0[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self, cause: Cause) -> u64 {
        self.0[cause as usize].load(Ordering::Relaxed)
    }
}
