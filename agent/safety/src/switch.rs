//! One switch: where it was seen, what was sent to it and has not come about yet, and how often
//! it may be energised. It sends nothing by itself.

use crate::{Moment, Origin, Pacing, Recoveries, Refusal, SwitchSpec};
use flyball_units::{PowerState, ResetType};

/// So many automatic power-ons are remembered; `Recoveries::at_most` is no more.
pub(crate) const REMEMBERED: usize = 8;

#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// Where it was last seen; `None` before that, and once that was too long ago.
    power: Option<PowerState>,
    seen_at: Option<Moment>,
    in_flight: Option<InFlight>,
    /// To be sent, once.
    send: Option<ResetType>,
    energised_at: Option<Moment>,
    /// When it was energised without a person, newest first.
    recovered: [Option<Moment>; REMEMBERED],
    locked_out: bool,
    /// Since when a trip wants it down.
    shed_since: Option<Moment>,
}

/// A verb that was sent and whose end was not seen yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct InFlight {
    pub(crate) verb: ResetType,
    pub(crate) since: Moment,
    /// Whose it is.
    pub(crate) origin: Origin,
    /// A restart was seen to leave the state that it comes back to.
    left: bool,
}

/// What a read-back or the passing of time did to a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// It was seen elsewhere than before.
    pub(crate) moved: Option<(Option<PowerState>, Option<PowerState>)>,
    /// A verb has come about, or is given up.
    pub(crate) ended: Option<(ResetType, bool)>,
}

impl Switch {
    pub(crate) const fn new() -> Self {
        Self {
            power: None,
            seen_at: None,
            in_flight: None,
            send: None,
            energised_at: None,
            recovered: [None; REMEMBERED],
            locked_out: false,
            shed_since: None,
        }
    }

    /// Where it stands, if it was seen not too long ago.
    pub(crate) fn power(&self, spec: &SwitchSpec, now: Moment) -> Option<PowerState> {
        let fresh = self.seen_at.is_some_and(|at| now.since(at) <= spec.fresh_for);
        self.power.filter(|_| fresh)
    }

    pub(crate) const fn in_flight(&self) -> Option<InFlight> {
        self.in_flight
    }

    pub(crate) const fn locked_out(&self) -> bool {
        self.locked_out
    }

    pub(crate) const fn energised_at(&self) -> Option<Moment> {
        self.energised_at
    }

    /// It was seen.
    pub(crate) fn read_back(&mut self, power: PowerState, now: Moment) -> Seen {
        let before = self.power.replace(power);
        self.seen_at = Some(now);
        let moved = (before != Some(power)).then_some((before, Some(power)));
        let mut seen = Seen { moved, ended: None };
        let comes_on = |power| matches!(power, PowerState::On | PowerState::PoweringOn);
        if before.is_some_and(|before| !comes_on(before)) && comes_on(power) {
            // Whoever switched it on: the current flows.
            self.energised_at = self.energised_at.max(Some(now));
        }
        if let Some(flying) = &mut self.in_flight {
            flying.left |= power != flying.verb.leads_to();
            if power == flying.verb.leads_to() && (flying.left || flying.verb.shows()) {
                seen.ended = Some((flying.verb, true));
                self.in_flight = None;
            }
        }
        seen
    }

    /// Gives up what has had its time, and forgets what was seen too long ago.
    pub(crate) fn age(&mut self, spec: &SwitchSpec, now: Moment) -> Seen {
        let known = self.power(spec, now);
        let before = core::mem::replace(&mut self.power, known);
        let over = |flying: &InFlight| now.since(flying.since) >= spec.takes;
        let ended = self.in_flight.filter(over).map(|flying| (flying.verb, false));
        if ended.is_some() {
            self.in_flight = None;
        }
        Seen { moved: (before != known).then_some((before, known)), ended }
    }

    /// The caller knows the end of what was sent.
    pub(crate) fn settle(&mut self, reached: bool) -> Seen {
        let ended = self.in_flight.take().map(|flying| (flying.verb, reached));
        Seen { moved: None, ended }
    }

    /// Sends `verb`, once.
    pub(crate) fn carry_out(
        &mut self,
        verb: ResetType,
        automatic: bool,
        origin: Origin,
        now: Moment,
    ) {
        self.send = Some(verb);
        self.in_flight = Some(InFlight { verb, since: now, origin, left: false });
        if !verb.energises() {
            return;
        }
        self.energised_at = Some(now);
        if automatic {
            self.recovered.rotate_right(1);
            self.recovered[0] = Some(now);
        } else {
            self.recovered = [None; REMEMBERED];
            self.locked_out = false;
        }
    }

    /// Nobody but a person may energise it from now on.
    pub(crate) fn lock_out(&mut self) {
        self.locked_out = true;
    }

    /// Takes the verb that is to be sent.
    pub(crate) fn take_send(&mut self) -> Option<ResetType> {
        self.send.take()
    }

    /// The engine itself wants it down or off, or no longer does. What was sent before is
    /// overtaken by that.
    pub(crate) fn shed(&mut self, wanted: bool, now: Moment) {
        if wanted {
            self.shed_since = self.shed_since.or(Some(now));
            self.send = None;
            self.in_flight = None;
        } else {
            self.shed_since = None;
        }
    }

    pub(crate) const fn shed_since(&self) -> Option<Moment> {
        self.shed_since
    }

    /// Whether pacing lets it be energised now.
    pub(crate) fn paced(
        &self,
        spec: &SwitchSpec,
        automatic: bool,
        now: Moment,
    ) -> Result<(), Refusal> {
        if automatic && (self.locked_out || self.recovered_out(spec.recoveries, now)) {
            return Err(Refusal::LockedOut);
        }
        match self.energised_at.map(|at| at.after(spec.restart_interval)) {
            Some(until) if now < until => Err(Refusal::TooSoon { until, pacing: Pacing::Restart }),
            Some(_) | None => Ok(()),
        }
    }

    /// It has been energised without a person as often as it may be.
    pub(crate) fn recovered_out(&self, rule: Option<Recoveries>, now: Moment) -> bool {
        rule.is_some_and(|rule| {
            let recent = |at: &&Moment| now.since(**at) < rule.within;
            let count = self.recovered.iter().flatten().filter(recent).count();
            count >= usize::from(rule.at_most)
        })
    }
}
