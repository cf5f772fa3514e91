//! Levels that the engine drives: caps, floors, frequencies.

use super::{Answered, Cycle, Waits};
use crate::claimants::Asker;
use crate::words::{Now, whole_ms};
use flyball_command::{Action, Refusal, RefusalKind, Verdict};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{self as safety, ActuatorId, Proposal, Target};
use flyball_units::{Hertz, Ratio, Unit, Watts};

/// One proposal per actuator that is meant. `All` of the machine's own is one for each, because
/// equipment that it manages for others is not meant by it.
struct Wish {
    kind: ActuatorKind,
    unit: Unit,
    targets: Vec<ActuatorId>,
    level: Option<f64>,
}

impl Wish {
    fn proposal(&self, target: ActuatorId) -> Proposal {
        let target = Target::One(target);
        match (self.kind, self.level) {
            (ActuatorKind::Fan, Some(floor)) => Proposal::FanFloor { target, floor: Ratio(floor) },
            (ActuatorKind::Fan, None) => Proposal::ClearFanFloor { target },
            (ActuatorKind::FrequencyCap, Some(hertz)) => {
                Proposal::FrequencyCap { target, hertz: Hertz(hertz) }
            }
            (ActuatorKind::FrequencyCap, None) => Proposal::ClearFrequencyCap { target },
            (_, Some(watts)) => Proposal::PowerCap { target, watts: Watts(watts) },
            (_, None) => Proposal::ClearPowerCap { target },
        }
    }
}

impl Cycle {
    pub(super) fn validate_level(
        &self,
        action: &Action,
        asker: &Asker,
        now: Now,
    ) -> Result<Verdict, Box<Refusal>> {
        let wish = self.wish(action)?;
        Ok(self.judge(&wish, asker, now).1)
    }

    pub(super) fn set_level(
        &mut self,
        action: &Action,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let wish = self.wish(action)?;
        let (_, verdict) = self.judge(&wish, asker, now);
        if matches!(verdict, Verdict::Refused(_)) {
            return Ok(Answered { verdict, waits: Waits::nothing(false) });
        }
        for target in &wish.targets {
            self.complaints.forget(*target);
            // Judged a moment ago, under the same readings: what was taken then is taken now.
            let issued = asker.issue(wish.proposal(*target), now);
            self.engine.handle_proposal(issued, now.moment());
            self.claimants.claim(self.names.actuator(*target), asker);
        }
        self.act(None, now);
        Ok(Answered { verdict, waits: Waits::Agreement(wish.targets) })
    }

    /// The worst answer of all that are meant: all take it or none.
    fn judge(&self, wish: &Wish, asker: &Asker, now: Now) -> (Option<safety::Verdict>, Verdict) {
        let mut worst: Option<safety::Verdict> = None;
        for target in &wish.targets {
            let proposal = wish.proposal(*target);
            let answer = self.engine.validate(asker.issue(proposal, now));
            worst = match (worst, answer) {
                (_, safety::Verdict::Refused(_)) => {
                    let verdict = self.teller(now).verdict(answer, wish.unit);
                    let beyond = self.beyond_hardware(wish, *target, answer, now);
                    return (Some(answer), beyond.unwrap_or(verdict));
                }
                (
                    Some(safety::Verdict::Clamped { to, .. }),
                    safety::Verdict::Clamped { to: next, .. },
                ) if to >= next => worst,
                (Some(safety::Verdict::Clamped { .. }), safety::Verdict::Accepted) => worst,
                _ => Some(answer),
            };
        }
        let none = safety::Verdict::Refused(safety::Refusal::NoActuator);
        let verdict = self.teller(now).verdict(worst.unwrap_or(none), wish.unit);
        (worst, verdict)
    }

    /// A cap above what the hardware takes is refused by a limit like any other: the hardware's
    /// own. The operator is told the same things of it.
    fn beyond_hardware(
        &self,
        wish: &Wish,
        target: ActuatorId,
        answer: safety::Verdict,
        now: Now,
    ) -> Option<Verdict> {
        let safety::Verdict::Refused(safety::Refusal::Range { max, .. }) = answer else {
            return None;
        };
        let refused_above = wish.kind == ActuatorKind::PowerCap && wish.level? > max;
        let by = self.names.actuator(target);
        refused_above.then(|| {
            Verdict::Refused(Refusal {
                kind: RefusalKind::Interlock,
                interlock: by.to_owned(),
                reading: self.observed(&wish.targets),
                limit: Some(max),
                unit: Some(Unit::Watt),
                since_ms: Some(now.wall_ms.saturating_sub(whole_ms(now.mono))),
                clears_when: format!("it is asked for at most {max:.1} W"),
                reason: format!("{by} takes at most {max:.1} W"),
            })
        })
    }

    fn wish(&self, action: &Action) -> Result<Wish, Box<Refusal>> {
        let (kind, unit, actuator, level) = match action {
            Action::SetPowerCap { actuator, watts } => {
                (ActuatorKind::PowerCap, Unit::Watt, actuator, Some(watts.get()))
            }
            Action::ClearPowerCap { actuator } => {
                (ActuatorKind::PowerCap, Unit::Watt, actuator, None)
            }
            Action::SetFanFloor { actuator, floor } => {
                (ActuatorKind::Fan, Unit::One, actuator, Some(floor.get()))
            }
            Action::ClearFanFloor { actuator } => (ActuatorKind::Fan, Unit::One, actuator, None),
            Action::SetFrequencyCap { actuator, hertz } => {
                (ActuatorKind::FrequencyCap, Unit::Hertz, actuator, Some(hertz.get()))
            }
            Action::ClearFrequencyCap { actuator } => {
                (ActuatorKind::FrequencyCap, Unit::Hertz, actuator, None)
            }
            _ => return Err(Self::takes_no(action)),
        };
        let targets = match actuator {
            Some(name) => vec![self.actuator_named(name)?],
            None => (0..)
                .map(ActuatorId::new)
                .zip(&self.catalog.actuators)
                .filter(|(_, entry)| entry.kind == kind && entry.owner.key().is_none())
                .map(|(id, _)| id)
                .collect(),
        };
        if targets.is_empty() {
            return Err(Self::takes_no(action));
        }
        Ok(Wish { kind, unit, targets, level })
    }

    pub(super) fn takes_no(action: &Action) -> Box<Refusal> {
        crate::command::refusal(
            RefusalKind::Invalid,
            &format!("this machine has nothing that takes `{}`", action.kind()),
            "it is asked of a machine that has it",
        )
    }
}
