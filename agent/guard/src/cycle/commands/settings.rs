//! Settings that the engine judges and does not drive: lights, profiles, services, and from
//! where a machine starts.

use super::{Answered, Cycle, Waits};
use crate::claimants::Asker;
use crate::cycle::errands::Purpose;
use crate::words::Now;
use flyball_command::{Action, Refusal, RefusalKind, ServiceVerb, Verdict};
use flyball_driver_messages::{ActuatorState, Deed};
use flyball_guard_messages::ActuatorKind;
use flyball_safety::{self as safety, ActuatorId, Proposal};
use flyball_units::Unit;

/// Words that make nothing hotter than it is.
const COOL: [&str; 6] = ["powersave", "low-power", "quiet", "cool", "power", "conservative"];

/// A setting that may be made.
pub(super) struct Setting {
    actuator: ActuatorId,
    deed: Deed,
    /// What proves it; `None` where nothing can be read back.
    wanted: Option<ActuatorState>,
    proposal: Option<Proposal>,
}

impl Cycle {
    /// The setting that is asked for, if nothing stands against it.
    pub(super) fn judge_setting(
        &self,
        action: &Action,
        asker: &Asker,
        now: Now,
    ) -> Result<Setting, Box<Refusal>> {
        let setting = self.setting(action)?;
        match setting.proposal {
            Some(proposal) => match self.engine.validate(asker.issue(proposal, now)) {
                safety::Verdict::Refused(why) => {
                    Err(Box::new(self.teller(now).refusal(why, Unit::One)))
                }
                _ => Ok(setting),
            },
            // The next start of a locked machine is prepared by nobody.
            None => match self.lock_against(setting.actuator) {
                Some(id) => {
                    let why = safety::Refusal::Locked(id);
                    Err(Box::new(self.teller(now).refusal(why, Unit::One)))
                }
                None => Ok(setting),
            },
        }
    }

    pub(super) fn set_setting(
        &mut self,
        action: &Action,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let Setting { actuator, deed, wanted, proposal } =
            self.judge_setting(action, asker, now)?;
        let entry = self.catalog.actuators.get(actuator.index());
        if wanted.is_some() && entry.is_some_and(|entry| entry.state == wanted) {
            return Ok(Answered::done());
        }
        if let Some(proposal) = proposal {
            self.engine.handle_proposal(asker.issue(proposal, now), now.moment());
            self.claimants.claim(self.names.actuator(actuator), asker);
        }
        match self.send(actuator, deed, Purpose::Setting { actuator, wanted }, now) {
            Some(request) => {
                Ok(Answered { verdict: Verdict::Accepted, waits: Waits::Errand(request) })
            }
            None => Err(crate::command::refusal(
                RefusalKind::Busy,
                "nobody is there to do it, or too much waits to be done",
                "what holds the actuator answers again",
            )),
        }
    }

    fn setting(&self, action: &Action) -> Result<Setting, Box<Refusal>> {
        match action {
            Action::SetIndicator { switch, lit } => {
                let actuator = self.indicator(switch)?;
                let wanted = Some(ActuatorState::Lit(*lit));
                let proposal = Some(Proposal::Setting { actuator, heats: false });
                Ok(Setting { actuator, deed: Deed::SetLit(*lit), wanted, proposal })
            }
            Action::SetProfile { actuator: name, profile } => {
                let actuator = self.of_kind(name, ActuatorKind::Profile)?;
                self.offers(actuator, profile)?;
                let heats = !COOL.contains(&profile.as_str());
                Ok(Setting {
                    actuator,
                    deed: Deed::SetWord(profile.clone()),
                    wanted: Some(ActuatorState::Word(profile.clone())),
                    proposal: Some(Proposal::Setting { actuator, heats }),
                })
            }
            Action::SetService { service, verb } => {
                let name = match self.names.actuator_id(service) {
                    Some(_) => service.clone(),
                    None => crate::host::service_id(service),
                };
                let actuator = self.of_kind(&name, ActuatorKind::Service)?;
                let (word, state, heats) = match verb {
                    ServiceVerb::Pause => ("freeze", "paused", false),
                    ServiceVerb::Resume => ("thaw", "running", true),
                    ServiceVerb::Stop => ("stop", "stopped", false),
                    ServiceVerb::Start => ("start", "running", true),
                };
                Ok(Setting {
                    actuator,
                    deed: Deed::SetWord(word.to_owned()),
                    wanted: Some(ActuatorState::Word(state.to_owned())),
                    proposal: Some(Proposal::Setting { actuator, heats }),
                })
            }
            Action::SetBootOnce { switch, source } => {
                let actuator = self.of_kind(switch, ActuatorKind::Switch)?;
                self.offers(actuator, source)?;
                let deed = Deed::BootOnce(source.clone());
                Ok(Setting { actuator, deed, wanted: None, proposal: None })
            }
            _ => Err(Self::takes_no(action)),
        }
    }

    fn of_kind(&self, name: &str, kind: ActuatorKind) -> Result<ActuatorId, Box<Refusal>> {
        let id = self.actuator_named(name)?;
        let found = self.catalog.actuators.get(id.index()).map(|entry| entry.kind);
        if found == Some(kind) {
            return Ok(id);
        }
        Err(crate::command::refusal(
            RefusalKind::Invalid,
            &format!("`{name}` is of another kind, it can't be asked that"),
            "an actuator of the right kind is named",
        ))
    }

    fn offers(&self, id: ActuatorId, word: &str) -> Result<(), Box<Refusal>> {
        let words = self.catalog.actuators.get(id.index()).map(|entry| entry.words.as_slice());
        let words = words.unwrap_or_default();
        if words.iter().any(|offered| offered == word) {
            return Ok(());
        }
        let offered = words.join(", ");
        Err(crate::command::refusal(
            RefusalKind::Invalid,
            &format!("`{word}` is not offered; there are: {offered}"),
            "one of the offered words is named",
        ))
    }

    /// The light of that name, or the one that belongs to the switch of that name.
    fn indicator(&self, name: &str) -> Result<ActuatorId, Box<Refusal>> {
        let id = self.actuator_named(name)?;
        let entries = &self.catalog.actuators;
        let named = entries.get(id.index());
        if named.is_some_and(|entry| entry.kind == ActuatorKind::Indicator) {
            return Ok(id);
        }
        let same = |entry: &crate::catalog::ActuatorEntry| {
            entry.kind == ActuatorKind::Indicator
                && named.is_some_and(|named| named.owner == entry.owner)
        };
        let light = entries.iter().position(same).and_then(|index| u16::try_from(index).ok());
        light.map(ActuatorId::new).ok_or_else(|| {
            crate::command::refusal(
                RefusalKind::Invalid,
                &format!("`{name}` has no identify light"),
                "something is named that has one",
            )
        })
    }
}
