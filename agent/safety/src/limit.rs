//! One limit: which thresholds its group has passed, whether the group can be relied upon, and
//! the state that follows. What it asks of fans and caps is its [`Need`]; it drives nothing.

mod failsafe;
mod hands;
mod hold;
mod jitter;
mod ladder;
mod need;
mod passed;
mod vote;

pub(crate) use hands::{Hands, HostHands, Pace};
pub use hold::Hold;
pub(crate) use hold::{Held, Holding};
pub(crate) use need::{CapNeed, FanNeed, Need};

use crate::sensor::Sensor;
use crate::{
    ClearsWhen, Effective, Ladder, LimitId, LimitSpec, Moment, Response, Sense, SensorId, Standing,
    State, StateKind, Thresholds, TripCause,
};
use alloc::vec::Vec;
use core::time::Duration;
use flyball_units::Kind;
use passed::{Counted, Member, Reach};
use vote::Apart;

#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) spec: LimitSpec,
    pub(crate) state: State,
    pub(crate) effective: Effective,
    pub(crate) fleet: Thresholds,
    members: Vec<Member>,
    /// The widest band of the group.
    lowest: f64,
    highest: f64,
    /// A group that the zone depends on: it may not be absent, or has a required sensor.
    vital: bool,
    sight: Sight,
    /// Nothing was passed when it was last followed.
    calm: bool,
    /// The group reads watts: its threshold bounds caps.
    watts: bool,
    pub(crate) apart: Apart,
    pub(crate) held: Held,
    /// Release times that were drawn.
    draws: u32,
}

/// Whether the group can say *cool*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Clear,
    /// Readings come, but not enough of them yet.
    Settling,
    Lost,
}

impl Limit {
    pub(crate) fn new(spec: LimitSpec, sensors: &[Sensor], now: Moment) -> Self {
        let members = spec.sensors.iter().map(|id| Member::new(*id)).collect();
        let mut limit = Self {
            state: State::Unknown { since: now },
            effective: Effective { warning: None, limit: None, trip: None },
            fleet: Thresholds::SILENT,
            members,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            vital: false,
            sight: Sight::Settling,
            calm: false,
            watts: false,
            apart: Apart::Together { since: None },
            held: Held::default(),
            draws: 0,
            spec,
        };
        limit.survey(sensors);
        limit.set_fleet(Thresholds::SILENT);
        limit
    }

    /// Looks at the group as its specifications have it.
    fn survey(&mut self, sensors: &[Sensor]) {
        let group = || self.spec.sensors.iter().filter_map(|id| sensors.get(id.index()));
        let vital = !self.spec.missing_ok || group().any(|sensor| sensor.spec.required);
        let lowest = group().map(|sensor| sensor.spec.lowest).fold(f64::INFINITY, f64::min);
        let highest = group().map(|sensor| sensor.spec.highest).fold(f64::NEG_INFINITY, f64::max);
        self.watts = group().all(|sensor| sensor.spec.kind == Kind::Power);
        // What is only told never puts a zone in failsafe.
        self.vital = vital && self.spec.response != Response::Alert;
        self.lowest = lowest;
        self.highest = highest;
    }

    /// Goes on under another plan. `old` gives a sensor of the new plan its id in the old one:
    /// windows go on with the sensors that they belong to.
    pub(crate) fn renew(
        &mut self,
        spec: LimitSpec,
        sensors: &[Sensor],
        old: impl Fn(SensorId) -> Option<SensorId>,
        now: Moment,
    ) {
        let was_vital = self.vital;
        let mut before = core::mem::take(&mut self.members);
        self.members = (spec.sensors.iter())
            .map(|id| {
                let at = old(*id).and_then(|old| before.iter().position(|it| it.sensor == old));
                at.map_or_else(|| Member::new(*id), |at| before.swap_remove(at).renamed(*id))
            })
            .collect();
        self.spec = spec;
        self.survey(sensors);
        self.set_fleet(self.fleet);
        // Who lets a lost group be absent from now on lets go of what stood for it.
        if was_vital
            && !self.vital
            && self.sight == Sight::Lost
            && self.state.kind() == StateKind::Failsafe
        {
            self.state.transition_to_unknown(now);
        }
    }

    /// Puts another fleet layer in force.
    pub(crate) fn set_fleet(&mut self, fleet: Thresholds) {
        self.fleet = fleet;
        let factory = self.spec.factory.within(self.lowest, self.highest);
        self.effective = Effective::of(self.spec.sense, factory, self.spec.local, self.fleet);
    }

    /// Whether a fleet layer makes sense for this group.
    pub(crate) fn takes(&self, fleet: Thresholds) -> bool {
        fleet.sound_within(self.spec.sense, self.lowest, self.highest)
    }

    /// The threshold of the higher of the present state and `before`.
    pub(crate) fn threshold_between(&self, before: &State) -> Option<f64> {
        let of = |state: &State| match state {
            State::Unknown { .. } | State::Normal { .. } | State::Failsafe(_) => None,
            State::Warning(_) => self.effective.warning.map(|bound| bound.value),
            State::Limiting(_) => self.effective.limit.map(|bound| bound.value),
            State::Tripped(tripped) => tripped.threshold,
        };
        let worse = |a, b| self.spec.sense.worse(a, b);
        [of(before), of(&self.state)].into_iter().flatten().reduce(worse)
    }

    /// Counts a good sample of `sensor` into its dwell windows. What is not `open` by its gate
    /// counts as safe.
    pub(crate) fn count(
        &mut self,
        id: SensorId,
        sensor: &Sensor,
        value: f64,
        open: bool,
        now: Moment,
    ) {
        let sense = self.spec.sense;
        let slope = sense.danger(sensor.slope_per_s());
        let rise = self.spec.lead.map_or(0.0, |lead| (slope * lead.as_secs_f64()).max(0.0));
        let warm = self.effective.warning.is_none_or(|warning| sense.over(value, warning.value));
        let danger = if open { sense.danger(value) } else { f64::NEG_INFINITY };
        let ahead = if warm { danger + rise } else { danger };
        let sample = Counted { danger, ahead, value: if open { value } else { 0.0 }, at: now };
        let (effective, spec) = (self.effective, &self.spec);
        for member in self.members.iter_mut().filter(|member| member.sensor == id) {
            member.count(sample, &effective, spec);
        }
    }

    /// A lost sensor takes its windows with it: what it once said proves nothing now.
    pub(crate) fn forget(&mut self, id: SensorId) {
        for member in self.members.iter_mut().filter(|member| member.sensor == id) {
            member.forget();
        }
    }

    pub(crate) fn watches(&self, sensor: SensorId) -> bool {
        self.spec.sensors.contains(&sensor)
    }

    /// The zone cannot rely on this group.
    pub(crate) fn blind(&self) -> bool {
        self.vital && self.sight != Sight::Clear
    }

    /// Nothing that adds heat may be taken.
    pub(crate) fn forbids_heat(&self) -> bool {
        if self.spec.response == Response::Alert || self.power_is_back() {
            return false;
        }
        self.blind()
            || match self.state {
                State::Limiting(_) | State::Tripped(_) | State::Failsafe(_) => true,
                State::Unknown { .. } | State::Normal { .. } | State::Warning(_) => false,
            }
    }

    /// A shutdown of an earlier run is over once the group sees again and is calm: the machine
    /// may be used while somebody has yet to look at the trip.
    fn power_is_back(&self) -> bool {
        self.spec.response == Response::Shutdown
            && self.sight == Sight::Clear
            && self.calm
            && match &self.state {
                State::Tripped(tripped) => tripped.cause == TripCause::Restored,
                State::Unknown { .. }
                | State::Normal { .. }
                | State::Warning(_)
                | State::Limiting(_)
                | State::Failsafe(_) => false,
            }
    }

    /// This limit's part of the jitter until it is next released by a step.
    pub(crate) fn draw(&self, seed: u64, id: LimitId, most: Duration) -> Duration {
        let place = u64::try_from(id.index()).unwrap_or(0);
        jitter::part(seed, [place, u64::from(self.draws)], most)
    }

    /// Draws anew once a step was released since `before`.
    pub(crate) fn redraw(&mut self, before: &State) {
        if self.state.step() < before.step() {
            self.draws = self.draws.wrapping_add(1);
        }
    }

    /// Why it stands against a proposal.
    pub(crate) fn standing(&self, id: LimitId, sensors: &[Sensor], now: Moment) -> Standing {
        let limit = self.effective.limit.or(self.effective.trip).map(|bound| bound.value);
        let (threshold, clears_when) = match &self.state {
            State::Tripped(tripped) => (tripped.threshold.or(limit), ClearsWhen::TripCleared),
            State::Limiting(_) if !self.blind() => {
                (limit, limit.map_or(ClearsWhen::SensorsRead, |limit| self.calm_of(limit)))
            }
            State::Limiting(_)
            | State::Warning(_)
            | State::Normal { .. }
            | State::Failsafe(_)
            | State::Unknown { .. } => (limit, ClearsWhen::SensorsRead),
        };
        let reading = self.reading(sensors, now);
        Standing { limit: id, reading, threshold, since: self.state.since(), clears_when }
    }

    /// Clears a trip.
    ///
    /// # Errors
    /// What still stands against it.
    pub(crate) fn clear(&mut self, sensors: &[Sensor], now: Moment) -> Result<(), ClearsWhen> {
        self.look(sensors);
        self.clearable(sensors, now)?;
        self.state.transition_to_normal(now);
        Ok(())
    }

    /// Whether a trip could be cleared now.
    ///
    /// # Errors
    /// What still stands against it.
    pub(crate) fn clearable(&self, sensors: &[Sensor], now: Moment) -> Result<(), ClearsWhen> {
        if self.sight(sensors) != Sight::Clear {
            return Err(ClearsWhen::SensorsRead);
        }
        let threshold = self.effective.limit.or(self.effective.trip);
        let held = self.reach(sensors, now) >= Reach::Limit;
        if let Some(threshold) = threshold.filter(|_| held) {
            return Err(self.calm_of(threshold.value));
        }
        Ok(())
    }

    /// Takes up a trip of an earlier run.
    pub(crate) fn latch(&mut self, now: Moment) {
        let threshold = self.trip_threshold();
        let step = self.first_tripped(&Ladder::NONE);
        self.state.transition_to_tripped(None, threshold, TripCause::Restored, step, now);
    }

    /// The value that a reading has to pass on its way back over `threshold`.
    fn calm_of(&self, threshold: f64) -> ClearsWhen {
        let value = self.spec.sense.safe_of(threshold, self.spec.hysteresis);
        match self.spec.sense {
            Sense::Above => ClearsWhen::ReadingBelow(value),
            Sense::Below => ClearsWhen::ReadingAbove(value),
        }
    }

    fn look(&mut self, sensors: &[Sensor]) {
        self.sight = self.sight(sensors);
    }

    fn sight(&self, sensors: &[Sensor]) -> Sight {
        let mut required = self.group(sensors).filter(|sensor| sensor.spec.required);
        if required.clone().any(Sensor::lost) || self.group(sensors).all(Sensor::lost) {
            Sight::Lost
        } else if required.all(Sensor::trusted) && self.group(sensors).any(Sensor::trusted) {
            Sight::Clear
        } else {
            Sight::Settling
        }
    }

    fn group<'a>(
        &'a self,
        sensors: &'a [Sensor],
    ) -> impl Iterator<Item = &'a Sensor> + Clone + use<'a> {
        self.spec.sensors.iter().filter_map(|id| sensors.get(id.index()))
    }
}
