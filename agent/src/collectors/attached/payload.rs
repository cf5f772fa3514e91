//! What a sensor sends: `{"device", "reading_type", "value", "unit"}`, or a list of such.
//!
//! `device` may be left out where the topic says it, `unit` where it is the reading type's own.
//! Other fields are the sensor's business.

use super::cause::Cause;
use super::unit;
use crate::collectors::Value;
use crate::config::KINDS;
use flyball_units::{Kind, NoData};
use serde::Deserialize;

/// A message that is larger is not looked at.
pub(super) const MAX_MESSAGE_BYTES: usize = 4096;
const MAX_READINGS: usize = 32;

#[derive(Debug, Deserialize)]
pub(super) struct Wire {
    pub(super) device: Option<String>,
    reading_type: String,
    value: serde_json::Value,
    unit: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Message {
    One(Wire),
    Many(Vec<Wire>),
}

/// The readings of one message.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Wire>, Cause> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(Cause::Oversized);
    }
    match serde_json::from_slice(bytes) {
        Ok(Message::One(reading)) => Ok(vec![reading]),
        Ok(Message::Many(readings)) if readings.len() > MAX_READINGS => Err(Cause::Oversized),
        Ok(Message::Many(readings)) => Ok(readings),
        Err(_) => Err(Cause::NotJson),
    }
}

impl Wire {
    pub(super) fn kind(&self) -> Result<Kind, Cause> {
        let kind = Kind::from_name(&self.reading_type).filter(|kind| KINDS.contains(kind));
        kind.ok_or(Cause::UnknownReadingType)
    }

    /// The value in the kind's unit. What the kind can't be is a reading too: that there is none.
    pub(super) fn value(&self, kind: Kind) -> Result<Value, Cause> {
        let own = unit(kind).ucum();
        let degrees = |unit: &str| kind == Kind::Temperature && matches!(unit, "°C" | "C");
        if self.unit.as_deref().is_some_and(|unit| unit != own && !degrees(unit)) {
            return Err(Cause::WrongUnit);
        }
        let value = match &self.value {
            serde_json::Value::Bool(is) if kind == Kind::State => Some(f64::from(u8::from(*is))),
            value => value.as_f64(),
        };
        let value = value.filter(|value| value.is_finite()).ok_or(Cause::NotANumber)?;
        let (low, high) = band(kind);
        let within = value >= low && value <= high;
        Ok(if within { Ok(value) } else { Err(NoData::OutOfRange) })
    }
}

/// What a kind can be outside a machine: cold stores and ovens are among its places. -127 °C is
/// what a 1-wire sensor's library answers when there is none.
const fn band(kind: Kind) -> (f64, f64) {
    match kind {
        Kind::Temperature => (-100.0, 1_000.0),
        Kind::Humidity => (0.0, 100.0),
        Kind::Voltage | Kind::Current => (-1e5, 1e5),
        Kind::Energy => (0.0, 1e15),
        Kind::State => (0.0, 255.0),
        _ => (-1e7, 1e7),
    }
}
