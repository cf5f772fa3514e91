//! Instant commands: each on a connection of its own, logged in for it, and read back.

use super::client::{Client, NutError};
use super::plan::Switch;
use super::{Target, variables_of};
use crate::clock::Clock;
use crate::driver::{Deadline, Hands};
use flyball_command::ResetType;
use flyball_driver_messages::{ActuatorState, Deed, DeedError, DeedFault};
use std::thread;
use std::time::Duration;

/// How often upsd is asked whether its driver has done it.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a driver may take before the deed counts as sent and its state is looked at.
const TRACKED: Duration = Duration::from_secs(5);

pub(super) struct NutHands {
    target: Target,
    clock: Clock,
    switches: Vec<(u16, Switch)>,
}

impl NutHands {
    pub(super) const fn new(target: Target, clock: Clock, switches: Vec<(u16, Switch)>) -> Self {
        Self { target, clock, switches }
    }

    fn connect(&self, deadline: Deadline) -> Result<Client, DeedError> {
        let timeout = deadline.at_most(self.target.timeout);
        Ok(Client::connect(&self.target, timeout)?)
    }

    fn reset(
        &self,
        switch: &Switch,
        verb: ResetType,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let offered = switch.commands.iter().find(|(offered, _)| *offered == verb);
        let Some((_, command)) = offered else {
            let text = format!("this UPS has no command for {}", verb.name());
            return Err(DeedError::unsupported(text));
        };
        let Some(login) = &self.target.login else {
            let text = "upsd takes commands only from users of its upsd.users; set a credential";
            return Err(DeedError::new(DeedFault::Refused, text));
        };
        let mut client = self.connect(deadline)?;
        client.log_in(login)?;
        // upsd before 2.8 doesn't know it: an OK then means that the driver was told.
        let tracked = client.order("SET TRACKING", "SET TRACKING ON").is_ok();
        let line = format!("INSTCMD {} {command}", self.target.ups);
        let answer = client.order(&line, &line)?;
        if let (true, [_, word, id]) = (tracked, answer.as_slice())
            && word == "TRACKING"
        {
            self.await_done(&mut client, id, deadline)?;
        }
        self.observe(&mut client, switch)
    }

    /// Waits for the driver's own word; where it says none in time, the state will tell.
    fn await_done(
        &self,
        client: &mut Client,
        id: &str,
        deadline: Deadline,
    ) -> Result<(), DeedError> {
        let patience = Deadline::after(self.clock, deadline.at_most(TRACKED));
        let question = format!("GET TRACKING {id}");
        while patience.left().is_some() {
            match client.exchange("GET TRACKING", &question) {
                Ok(words) if words.first().is_some_and(|word| word == "PENDING") => {
                    thread::sleep(PAUSE);
                }
                Ok(words) if words.first().is_some_and(|word| word == "SUCCESS") => return Ok(()),
                Ok(words) => return Err(failed_there(&words.join(" "))),
                Err(error) => match error.code() {
                    // A driver of the server's that does not report.
                    Some("UNKNOWN") => return Ok(()),
                    Some(code) => return Err(failed_there(code)),
                    None => return Err(error.into()),
                },
            }
        }
        Ok(())
    }

    fn observe(&self, client: &mut Client, switch: &Switch) -> Result<ActuatorState, DeedError> {
        let variables = variables_of(client, &self.target.ups);
        Ok(switch.standing(&variables.map_err(read_back)?))
    }
}

fn failed_there(answer: &str) -> DeedError {
    let text = format!("the UPS's driver says of the command: {answer}");
    DeedError::new(DeedFault::Failed, text)
}

fn read_back(error: NutError) -> DeedError {
    DeedError::new(DeedFault::Failed, format!("it cannot be read back: {error}"))
}

impl Hands for NutHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let found = self.switches.iter().find(|(index, _)| *index == actuator);
        let Some((_, switch)) = found else {
            return Err(DeedError::no_actuator());
        };
        match deed {
            Deed::Observe => self.observe(&mut self.connect(deadline)?, switch),
            Deed::Reset(verb) => self.reset(switch, *verb, deadline),
            deed => Err(DeedError::of_another_kind(deed)),
        }
    }
}
