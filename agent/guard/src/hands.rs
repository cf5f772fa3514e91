//! The board's actuators in the order of the plan: driven, read back, and given back.

use flyball_hardware::{Actuator, ActuatorError, ActuatorKind, Released};
use flyball_safety::{ActuatorId, Level, Observed};
use flyball_units::{NoData, Ratio, Watts};

#[derive(Debug)]
pub(crate) struct Hands {
    hands: Vec<Hand>,
    dry_run: bool,
}

#[derive(Debug)]
struct Hand {
    actuator: Actuator,
    /// The last level that was asked for, whether or not it was obeyed.
    asked: Option<Level>,
    /// A failing write is said once, and again after a success.
    failing: bool,
}

/// What a drive did.
#[derive(Debug)]
pub(crate) enum Driven {
    /// The level was asked for before: an assertion.
    Again,
    /// A level that was not asked for before, and whether originals were saved for it.
    New {
        taken: bool,
    },
    /// It could not be written; said once.
    Failed(ActuatorError),
    FailedAgain,
}

impl Hands {
    pub(crate) fn new(actuators: Vec<Actuator>, dry_run: bool) -> Self {
        let hand = |actuator| Hand { actuator, asked: None, failing: false };
        Self { hands: actuators.into_iter().map(hand).collect(), dry_run }
    }

    pub(crate) fn len(&self) -> usize {
        self.hands.len()
    }

    pub(crate) fn actuators(&self) -> impl Iterator<Item = &Actuator> {
        self.hands.iter().map(|hand| &hand.actuator)
    }

    pub(crate) fn actuator(&self, id: ActuatorId) -> Option<&Actuator> {
        self.hands.get(id.index()).map(|hand| &hand.actuator)
    }

    pub(crate) fn drive(&mut self, id: ActuatorId, level: Level) -> Driven {
        let dry_run = self.dry_run;
        let Some(hand) = self.hands.get_mut(id.index()) else {
            return Driven::Again;
        };
        let new = hand.asked != Some(level);
        hand.asked = Some(level);
        let unsaved = hand.actuator.saved().is_none();
        let outcome = if dry_run { Ok(()) } else { bring(&mut hand.actuator, level) };
        match outcome {
            Ok(()) => {
                hand.failing = false;
                let taken = unsaved && hand.actuator.saved().is_some();
                if new { Driven::New { taken } } else { Driven::Again }
            }
            Err(_) if std::mem::replace(&mut hand.failing, true) => Driven::FailedAgain,
            Err(error) => Driven::Failed(error),
        }
    }

    /// What the actuator says of itself. A dry run is told what it asked for.
    pub(crate) fn read_back(&mut self, id: ActuatorId) -> Result<Observed, NoData> {
        let dry_run = self.dry_run;
        let hand = self.hands.get_mut(id.index()).ok_or(NoData::Missing)?;
        if dry_run && let Some(asked) = hand.asked {
            return Ok(match asked {
                Level::Automatic => Observed::Automatic(None),
                Level::Duty(duty) => Observed::Duty(duty),
                Level::Cap(watts) => Observed::Cap(watts),
            });
        }
        let actuator = &mut hand.actuator;
        if actuator.kind == ActuatorKind::PowerCap {
            return actuator.observe().map(|watts| Observed::Cap(Watts(watts)));
        }
        let by_hand = actuator.is_taken() && !actuator.has_drifted();
        let duty = actuator.observe().map(Ratio);
        if by_hand || !actuator.has_own_control() {
            return duty.map(Observed::Duty);
        }
        Ok(Observed::Automatic(duty.ok()))
    }

    /// Gives the fans back to the firmware. Caps stay: a machine without its guard should not
    /// be hotter than with it.
    pub(crate) fn release_fans(&mut self) -> Vec<(String, Result<Released, ActuatorError>)> {
        let dry_run = self.dry_run;
        let fans = self.hands.iter_mut().map(|hand| &mut hand.actuator);
        fans.filter(|actuator| !dry_run && actuator.kind == ActuatorKind::Fan)
            .map(|actuator| (actuator.id.clone(), actuator.release()))
            .collect()
    }
}

fn bring(actuator: &mut Actuator, level: Level) -> Result<(), ActuatorError> {
    match level {
        Level::Automatic => actuator.release().map(|_| ()),
        Level::Duty(duty) => actuator.drive(duty.get()),
        Level::Cap(watts) => actuator.drive(watts.get()),
    }
}

/// The bare number of a level.
pub(crate) fn number_of_level(level: Level) -> Option<f64> {
    match level {
        Level::Automatic => None,
        Level::Duty(duty) => Some(duty.get()),
        Level::Cap(watts) => Some(watts.get()),
    }
}

/// The bare number of a read-back.
pub(crate) fn number_of_observed(observed: Observed) -> Option<f64> {
    match observed {
        Observed::Automatic(duty) => duty.map(Ratio::get),
        Observed::Duty(duty) => Some(duty.get()),
        Observed::Cap(watts) => Some(watts.get()),
    }
}
