//! What may be asked of an actuator, and what it answers.

use crate::Fault;
use flyball_command::{PowerState, ResetType};
use flyball_units::NoData;
use serde::{Deserialize, Serialize};

/// One deed. Numbered on the wire: new ones go at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Deed {
    /// Change nothing, and say where it stands.
    Observe,
    /// Of a switch. It is a request: the states that follow tell what became of it.
    Reset(ResetType),
    /// Hold this level, in the actuator's unit.
    SetLevel(f64),
    /// Give the level back to the equipment.
    ClearLevel,
    /// The identify light.
    SetLit(bool),
    /// One of the actuator's words.
    SetWord(String),
    /// Of a switch: start from there the next time, once.
    BootOnce(String),
}

/// Where an actuator stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ActuatorState {
    Power(PowerState),
    Level(f64),
    /// It holds no level: the equipment does as it likes.
    Automatic,
    Lit(bool),
    Word(String),
    Unknown(NoData),
}

/// Why a deed was not done, or is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeedError {
    pub kind: DeedFault,
    /// What failed, where, and what to do.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeedFault {
    /// No such actuator, or it can't be asked this.
    Unsupported,
    /// The equipment understood and refused.
    Refused,
    /// It does not answer, or not sensibly.
    Failed,
    /// It was not even asked: the deadline had passed, or too much waits.
    NotTried,
    /// It took it, and reads back something else.
    NotConfirmed,
}

impl DeedError {
    #[must_use]
    pub fn new(kind: DeedFault, message: impl Into<String>) -> Self {
        Self { kind, message: crate::bounded(&message.into()) }
    }

    /// It can't be asked this, now or later.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(DeedFault::Unsupported, message)
    }

    /// The description that it was asked by is an older one.
    #[must_use]
    pub fn no_actuator() -> Self {
        Self::unsupported("there is no such actuator any more")
    }

    /// Actuators of its kind are not asked such a deed.
    #[must_use]
    pub fn of_another_kind(deed: &Deed) -> Self {
        Self::unsupported(format!("it can't be asked to {}", deed.words()))
    }
}

impl Deed {
    /// What it asks for, as a person says it.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Observe => "say where it stands",
            Self::Reset(_) => "switch",
            Self::SetLevel(_) => "hold a level",
            Self::ClearLevel => "give its level back",
            Self::SetLit(_) => "light up",
            Self::SetWord(_) => "take a word",
            Self::BootOnce(_) => "start from elsewhere once",
        }
    }
}

impl From<Fault> for DeedError {
    fn from(fault: Fault) -> Self {
        Self { kind: DeedFault::Failed, message: fault.message }
    }
}
