//! The engine's ids and moments in the words of the wire: names, sentences, wall times.

mod event;
mod inventory;
mod verdict;

use crate::claimants::Claimants;
use crate::plan::Names;
pub(crate) use event::{guard_event, plain};
use flyball_guard_messages as wire;
use flyball_hardware::Board;
use flyball_safety::{ActuatorId, Engine, Layer, Level, LimitId, Moment, StateKind, Thresholds};
use flyball_units::{Unit, Watts};
use std::time::Duration;
pub(crate) use verdict::Teller;

/// The two clocks at one instant, to turn a moment of the engine into a wall time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) mono: Duration,
    pub(crate) wall_ms: u64,
}

impl Now {
    pub(crate) fn moment(self) -> Moment {
        Moment::from_millis(whole_ms(self.mono))
    }

    /// The engine's moment for a wall time; a past one is now.
    pub(crate) fn moment_of(self, wall_ms: u64) -> Moment {
        self.moment().after(Duration::from_millis(wall_ms.saturating_sub(self.wall_ms)))
    }

    /// The wall time of a moment that is to come.
    pub(crate) fn wall_ms_to(self, moment: Moment) -> u64 {
        self.wall_ms.saturating_add(whole_ms(moment.since(self.moment())))
    }

    pub(crate) fn wall_ms_of(self, moment: Moment) -> u64 {
        let ago = self.moment().since(moment).as_millis();
        self.wall_ms.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
    }
}

pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn board_info(board: &Board) -> wire::BoardInfo {
    let info = board.info.clone();
    wire::BoardInfo {
        vendor: info.vendor,
        product: info.product,
        serial: info.serial,
        simulated: info.simulated,
    }
}

pub(crate) fn limit_state(state: StateKind) -> wire::LimitState {
    match state {
        StateKind::Unknown => wire::LimitState::Unknown,
        StateKind::Normal => wire::LimitState::Normal,
        StateKind::Warning => wire::LimitState::Warning,
        StateKind::Limiting => wire::LimitState::Limiting,
        StateKind::Tripped => wire::LimitState::Tripped,
        StateKind::Failsafe => wire::LimitState::Failsafe,
    }
}

fn layer(thresholds: Thresholds) -> wire::LayerThresholds {
    let Thresholds { warning, limit, trip } = thresholds;
    wire::LayerThresholds { warning, limit, trip }
}

pub(crate) fn limits(
    engine: &Engine,
    names: &Names,
    claimants: &Claimants,
    now: Now,
) -> Vec<wire::LimitSnapshot> {
    let specs = &engine.config().plan().limits;
    engine
        .limits()
        .filter_map(|(id, view)| {
            let name = names.limits.get(id.index())?;
            let spec = specs.get(id.index())?;
            let sensors = spec.sensors.iter();
            let sensors = sensors.filter_map(|id| names.sensors.get(id.index()).cloned()).collect();
            let value = |bound: Option<flyball_safety::Bound>| bound.map(|bound| bound.value);
            Some(wire::LimitSnapshot {
                name: name.name.clone(),
                zone: name.zone.clone(),
                kind: name.kind,
                unit: name.unit,
                warning: value(view.thresholds.warning),
                limit: value(view.thresholds.limit),
                trip: value(view.thresholds.trip),
                hysteresis: name.hysteresis,
                factory: layer(spec.factory),
                local: layer(spec.local),
                fleet: layer(view.fleet),
                below: spec.sense == flyball_safety::Sense::Below,
                step: view.state.step().map(|step| format!("{step:?}")),
                layer: view.thresholds.layer().map_or("factory", Layer::name).to_owned(),
                state: limit_state(view.state.kind()),
                reading: view.reading,
                since_ms: now.wall_ms_of(view.state.since()),
                sensors,
                hold: engine.hold(id).map(|(hold, puts_off)| {
                    let name = claimants.holder(&name.name);
                    wire::HoldSnapshot {
                        origin: hold.origin,
                        issuer: name.map(|name| name.issuer.clone()).unwrap_or_default(),
                        reason: name.map(|name| name.reason.clone()).unwrap_or_default(),
                        from: format!("{:?}", hold.from),
                        until_ms: now.wall_ms_to(hold.until),
                        puts_off: puts_off.map(|step| format!("{step:?}")),
                    }
                }),
            })
        })
        .collect()
}

impl Names {
    pub(crate) fn limit(&self, id: LimitId) -> &str {
        self.limits.get(id.index()).map_or("?", |limit| &limit.name)
    }

    pub(crate) fn limit_unit(&self, id: LimitId) -> Option<Unit> {
        self.limits.get(id.index()).map(|limit| limit.unit)
    }

    pub(crate) fn limit_id(&self, name: &str) -> Option<LimitId> {
        let index = self.limits.iter().position(|limit| limit.name == name)?;
        u16::try_from(index).ok().map(LimitId::new)
    }

    pub(crate) fn sensor(&self, id: flyball_safety::SensorId) -> &str {
        self.sensors.get(id.index()).map_or("?", String::as_str)
    }

    pub(crate) fn actuator(&self, id: ActuatorId) -> &str {
        self.actuators.get(id.index()).map_or("?", String::as_str)
    }

    pub(crate) fn actuator_id(&self, name: &str) -> Option<ActuatorId> {
        let index = self.actuators.iter().position(|actuator| actuator == name)?;
        u16::try_from(index).ok().map(ActuatorId::new)
    }
}

/// A number with its unit, as a sentence says it.
pub(crate) fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Celsius => format!("{value:.1} °C"),
        Unit::Watt => format!("{value:.1} W"),
        Unit::One => format!("{:.0} %", value * 100.0),
        Unit::Hertz => format!("{:.2} GHz", value / 1e9),
        Unit::Rpm => format!("{value:.0} rpm"),
        unit => format!("{value} {}", unit.ucum()),
    }
}

pub(crate) fn level(level: Level) -> String {
    match level {
        Level::Automatic => "the hardware's own control".to_owned(),
        Level::Duty(duty) => amount(duty.get(), Unit::One),
        Level::Cap(Watts(watts)) => amount(watts, Unit::Watt),
        Level::Frequency(hertz) => amount(hertz.get(), Unit::Hertz),
        Level::Free => "its own".to_owned(),
        Level::Down => "an orderly stop".to_owned(),
        Level::Off => "off".to_owned(),
    }
}
