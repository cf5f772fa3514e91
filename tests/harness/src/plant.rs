//! The physics of one board: what is fed, stored, carried off and measured.
//!
//! One lumped heat capacity for die and sink, a slower one for the board, fans with inertia,
//! a cap that answers within a second. Time comes in as steps; nothing is read from outside.

use crate::board::{Board, ENERGY_RANGE_UJ, count};
use crate::fault::{Fault, FaultError, Target};
use crate::noise::Noise;
use serde::Serialize;
use std::time::Duration;

/// No step of the integration is longer: an explicit Euler step must stay far under the
/// shortest time constant.
const MAX_STEP: Duration = Duration::from_millis(50);
const POWER_LAG_S: f64 = 0.25;
const FAN_LAG_S: f64 = 0.8;
/// A rotor that seizes stands within a blink.
const SEIZED_LAG_S: f64 = 0.1;
const BOARD_LAG_S: f64 = 25.0;
/// Below this duty a rotor does not turn.
const FAN_START: f64 = 0.08;
/// The board's own fan curve: this duty up to the first temperature, full at the second.
const AUTO_DUTY: f64 = 0.3;
const AUTO_FROM_CELSIUS: f64 = 45.0;
const AUTO_FULL_CELSIUS: f64 = 75.0;
const LOAD_PERIOD_S: f64 = 90.0;

#[derive(Clone, Debug)]
pub struct Plant {
    board: Board,
    elapsed: Duration,
    die_celsius: f64,
    board_celsius: f64,
    ambient_celsius: f64,
    package_watts: f64,
    energy_uj: f64,
    speed: f64,
    fans: Vec<Fan>,
    cap_watts: f64,
    load: Load,
    faults: Vec<(Fault, Target)>,
    peak_celsius: f64,
    critical_s: f64,
    noise: Noise,
    measured: Measured,
}

/// As `pwmN_enable` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    /// 0: no control, full speed.
    Full,
    /// 1: as `pwmN` says.
    Manual,
    /// 2: by the board's own curve.
    Automatic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Fan {
    mode: FanMode,
    /// What `pwmN` was last written to, of 255.
    pwm: u8,
    rpm: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Load {
    /// It comes and goes as on a machine that is used.
    Used,
    /// Held by the test.
    Watts(f64),
}

/// What the sensors show, frozen ones included.
#[derive(Clone, Debug, PartialEq, Default)]
struct Measured {
    temperatures: [f64; 3],
    zone: f64,
    power: f64,
    energy: f64,
    fans: Vec<f64>,
}

/// The truth about a board, for whoever watches a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlantState {
    pub elapsed_s: f64,
    pub die_celsius: f64,
    pub board_celsius: f64,
    pub ambient_celsius: f64,
    pub critical_celsius: f64,
    /// The highest temperature so far.
    pub peak_celsius: f64,
    /// How long the die has been at or above critical, in all.
    pub critical_s: f64,
    pub load_watts: f64,
    pub package_watts: f64,
    pub cap_watts: f64,
    pub min_cap_watts: f64,
    pub max_cap_watts: f64,
    pub fans: Vec<FanState>,
    pub faults: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FanState {
    pub rpm: f64,
    pub duty: f64,
    pub mode: FanMode,
}

impl Plant {
    /// `board` at rest: warm from idling, fans under the board's own control.
    #[must_use]
    pub fn new(board: Board) -> Self {
        let fan = Fan { mode: FanMode::Automatic, pwm: 0, rpm: board.fan_max_rpm * AUTO_DUTY };
        let conductance =
            board.still_conductance + board.fan_conductance * count(board.fans) * AUTO_DUTY;
        let die_celsius = board.ambient_celsius + board.idle_watts / conductance;
        let mut plant = Self {
            elapsed: Duration::ZERO,
            die_celsius,
            board_celsius: board.ambient_celsius + (die_celsius - board.ambient_celsius) * 0.4,
            ambient_celsius: board.ambient_celsius,
            package_watts: board.idle_watts,
            energy_uj: to_f64(board.energy_uj),
            speed: 1.0,
            fans: vec![fan; board.fans],
            cap_watts: board.max_cap_watts,
            load: Load::Used,
            faults: Vec::new(),
            peak_celsius: die_celsius,
            critical_s: 0.0,
            noise: Noise::new(board.number),
            measured: Measured::default(),
            board,
        };
        plant.measured.fans = vec![0.0; plant.fans.len()];
        plant.measure();
        plant
    }

    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// Lets `span` pass and measures once at its end.
    pub fn step(&mut self, span: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(MAX_STEP);
            self.advance(step.as_secs_f64());
            self.elapsed += step;
            left -= step;
        }
        self.measure();
    }

    /// Breaks `target`.
    ///
    /// # Errors
    /// Where such a thing cannot have such a fault.
    pub fn inject(&mut self, fault: Fault, target: Target) -> Result<(), FaultError> {
        if !fault.fits(target) {
            return Err(FaultError::Impossible(fault, target));
        }
        if !self.has(fault, target) {
            self.faults.push((fault, target));
        }
        Ok(())
    }

    /// Mends all faults of `target`.
    pub fn heal(&mut self, target: Target) {
        self.faults.retain(|(_, broken)| *broken != target);
    }

    pub fn heal_all(&mut self) {
        self.faults.clear();
    }

    /// Holds the load at `watts`, or lets it come and go again.
    pub fn set_load(&mut self, watts: Option<f64>) {
        self.load = watts.map_or(Load::Used, |watts| Load::Watts(watts.max(0.0)));
    }

    /// Lets the energy counter run by the time of a reader whose clock is `speed` times slower,
    /// so that what it divides by its own seconds are the board's watts.
    pub const fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
    }

    pub const fn set_ambient(&mut self, celsius: f64) {
        self.ambient_celsius = celsius;
    }

    /// What a write of `pwmN_enable` does.
    pub fn set_fan_mode(&mut self, fan: usize, mode: FanMode) {
        if let Some(fan) = self.fans.get_mut(fan) {
            fan.mode = mode;
        }
    }

    /// What a write of `pwmN` does: nothing while it is stuck or the fan is not manual.
    pub fn set_pwm(&mut self, fan: usize, pwm: u8) {
        let stuck = self.has(Fault::PwmStuck, Target::Fan(fan + 1));
        if let Some(fan) = self.fans.get_mut(fan)
            && !stuck
            && fan.mode == FanMode::Manual
        {
            fan.pwm = pwm;
        }
    }

    /// What a write of `constraint_0_power_limit_uw` does.
    pub fn set_cap(&mut self, watts: f64) {
        if !self.has(Fault::CapStuck, Target::Cap) && watts.is_finite() && watts >= 0.0 {
            self.cap_watts = watts;
        }
    }

    #[must_use]
    pub fn fan_mode(&self, fan: usize) -> Option<FanMode> {
        self.fans.get(fan).map(|fan| fan.mode)
    }

    /// What `pwmN` reads: in automatic mode what the board's curve gives.
    #[must_use]
    pub fn pwm(&self, fan: usize) -> Option<u8> {
        self.fans.get(fan).map(|fan| fan.pwm)
    }

    #[must_use]
    pub const fn cap_watts(&self) -> f64 {
        self.cap_watts
    }

    /// `tempN`, N from 1, as its sensor shows it; `None` where there is no such sensor now.
    #[must_use]
    pub fn temperature(&self, number: usize) -> Option<f64> {
        let value = self.measured.temperatures.get(number.checked_sub(1)?)?;
        self.present(Target::Temperature(number)).then_some(*value)
    }

    #[must_use]
    pub fn zone_temperature(&self) -> Option<f64> {
        self.present(Target::Zone).then_some(self.measured.zone)
    }

    /// Watts of the whole board.
    #[must_use]
    pub fn power(&self) -> Option<f64> {
        self.present(Target::Power).then_some(self.measured.power)
    }

    /// The package's counter in µJ, wrapped at its range.
    #[must_use]
    pub fn energy_uj(&self) -> Option<f64> {
        self.present(Target::Energy).then_some(self.measured.energy)
    }

    /// Revolutions of `fanN`, N from 1.
    #[must_use]
    pub fn rpm(&self, number: usize) -> Option<f64> {
        let value = self.measured.fans.get(number.checked_sub(1)?)?;
        self.present(Target::Fan(number)).then_some(*value)
    }

    #[must_use]
    pub fn has(&self, fault: Fault, target: Target) -> bool {
        self.faults.contains(&(fault, target))
    }

    /// How busy the package is, 0 to 1.
    #[must_use]
    pub fn busy(&self) -> f64 {
        let span = (self.board.max_cap_watts - self.board.idle_watts).max(1.0);
        ((self.package_watts - self.board.idle_watts) / span).clamp(0.0, 1.0)
    }

    #[must_use]
    pub fn state(&self) -> PlantState {
        let mut faults: Vec<String> =
            self.faults.iter().map(|(fault, target)| format!("{fault} {target}")).collect();
        faults.sort();
        PlantState {
            elapsed_s: self.elapsed.as_secs_f64(),
            die_celsius: self.die_celsius,
            board_celsius: self.board_celsius,
            ambient_celsius: self.ambient_celsius,
            critical_celsius: self.board.critical_celsius,
            peak_celsius: self.peak_celsius,
            critical_s: self.critical_s,
            load_watts: self.load_watts(),
            package_watts: self.package_watts,
            cap_watts: self.cap_watts,
            min_cap_watts: self.board.min_cap_watts,
            max_cap_watts: self.board.max_cap_watts,
            fans: self
                .fans
                .iter()
                .map(|fan| FanState {
                    rpm: fan.rpm,
                    duty: f64::from(fan.pwm) / 255.0,
                    mode: fan.mode,
                })
                .collect(),
            faults,
        }
    }

    fn advance(&mut self, dt_s: f64) {
        self.turn_fans(dt_s);
        self.draw(dt_s);
        let carried = self.conductance() * (self.die_celsius - self.ambient_celsius);
        self.die_celsius += (self.package_watts - carried) / self.board.heat_capacity * dt_s;
        let board_target = self.ambient_celsius + (self.die_celsius - self.ambient_celsius) * 0.4;
        self.board_celsius += (board_target - self.board_celsius) * dt_s / BOARD_LAG_S;
        self.peak_celsius = self.peak_celsius.max(self.die_celsius);
        if self.die_celsius >= self.board.critical_celsius {
            self.critical_s += dt_s;
        }
    }

    fn turn_fans(&mut self, dt_s: f64) {
        let auto = self.automatic_pwm();
        for index in 0..self.fans.len() {
            let target = Target::Fan(index + 1);
            let seized = self.has(Fault::FanSeized, target);
            let stuck = self.has(Fault::PwmStuck, target);
            let fan = &mut self.fans[index];
            if !stuck {
                fan.pwm = match fan.mode {
                    FanMode::Full => u8::MAX,
                    FanMode::Manual => fan.pwm,
                    FanMode::Automatic => auto,
                };
            }
            let duty = f64::from(fan.pwm) / 255.0;
            let turns = !seized && duty >= FAN_START;
            let wanted = if turns { duty * self.board.fan_max_rpm } else { 0.0 };
            let lag_s = if seized { SEIZED_LAG_S } else { FAN_LAG_S };
            fan.rpm += (wanted - fan.rpm) * (dt_s / lag_s).min(1.0);
        }
    }

    fn automatic_pwm(&self) -> u8 {
        let part = (self.die_celsius - AUTO_FROM_CELSIUS) / (AUTO_FULL_CELSIUS - AUTO_FROM_CELSIUS);
        let duty = AUTO_DUTY + (1.0 - AUTO_DUTY) * part.clamp(0.0, 1.0);
        pwm_of(duty)
    }

    fn draw(&mut self, dt_s: f64) {
        let ignored = self.has(Fault::CapIgnored, Target::Cap);
        let cap = if ignored { f64::INFINITY } else { self.cap_watts };
        // No cap brings a running package below its idle power.
        let wanted = self.load_watts().min(cap).max(self.board.idle_watts);
        self.package_watts += (wanted - self.package_watts) * (dt_s / POWER_LAG_S).min(1.0);
        let joules = self.package_watts * dt_s / self.speed;
        self.energy_uj = (self.energy_uj + joules * 1e6) % to_f64(ENERGY_RANGE_UJ);
    }

    fn load_watts(&self) -> f64 {
        match self.load {
            Load::Watts(watts) => watts,
            Load::Used => {
                let turn = self.elapsed.as_secs_f64() / LOAD_PERIOD_S * std::f64::consts::TAU;
                let phase = to_f64(self.board.number % 7);
                let part = 0.45 + 0.35 * (turn + phase).sin() + 0.1 * (turn * 7.3).sin();
                let span = self.board.busy_watts - self.board.idle_watts;
                self.board.idle_watts + span * part.clamp(0.0, 1.0)
            }
        }
    }

    fn conductance(&self) -> f64 {
        let flow: f64 = self.fans.iter().map(|fan| fan.rpm / self.board.fan_max_rpm).sum();
        self.board.still_conductance + self.board.fan_conductance * flow
    }

    fn present(&self, target: Target) -> bool {
        !self.has(Fault::SensorMissing, target)
    }

    fn measure(&mut self) {
        let inlet = self.ambient_celsius + 1.5;
        let truths = [self.die_celsius, self.board_celsius, inlet];
        for (index, truth) in truths.into_iter().enumerate() {
            let shown = quantised(truth + self.noise.around_zero(0.08), 0.125);
            if !self.frozen(Target::Temperature(index + 1)) {
                self.measured.temperatures[index] = shown;
            }
        }
        let zone = quantised(self.die_celsius + self.noise.around_zero(0.1), 1.0);
        if !self.frozen(Target::Zone) {
            self.measured.zone = zone;
        }
        let power = self.package_watts + self.board.base_watts + self.noise.around_zero(0.15);
        if !self.frozen(Target::Power) {
            self.measured.power = quantised(power, 0.01);
        }
        if !self.frozen(Target::Energy) {
            self.measured.energy = self.energy_uj;
        }
        for index in 0..self.fans.len() {
            let rpm = self.fans[index].rpm;
            let shown = if rpm < 60.0 { 0.0 } else { rpm + self.noise.around_zero(6.0) };
            if !self.frozen(Target::Fan(index + 1)) {
                self.measured.fans[index] = quantised(shown, 1.0);
            }
        }
    }

    fn frozen(&self, target: Target) -> bool {
        self.has(Fault::SensorFrozen, target)
    }
}

/// The nearest of 0 to 255.
fn pwm_of(duty: f64) -> u8 {
    (duty.clamp(0.0, 1.0) * 255.0).round() as u8
}

fn quantised(value: f64, quantum: f64) -> f64 {
    (value / quantum).round() * quantum
}

/// Exact below 2^53, which no counter here reaches.
fn to_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant() -> Plant {
        Plant::new(Board::of(1))
    }

    fn settle(plant: &mut Plant) -> f64 {
        plant.step(Duration::from_secs(1200));
        plant.state().die_celsius
    }

    #[test]
    fn more_flow_is_cooler_and_a_seized_fan_is_hotter() {
        let mut full = plant();
        full.set_load(Some(full.board().max_cap_watts));
        let mut seized = full.clone();
        for fan in 0..full.board().fans {
            full.set_fan_mode(fan, FanMode::Full);
            seized.set_fan_mode(fan, FanMode::Full);
        }
        seized.inject(Fault::FanSeized, Target::Fan(1)).unwrap();
        let (cool, hot) = (settle(&mut full), settle(&mut seized));
        assert!(hot > cool + 10.0, "{cool} {hot}");
        assert_eq!(seized.rpm(1), Some(0.0));
    }

    #[test]
    fn a_cap_holds_the_power_and_an_ignored_one_does_not() {
        let mut plant = plant();
        plant.set_load(Some(90.0));
        plant.set_cap(40.0);
        plant.step(Duration::from_secs(3));
        assert!((plant.state().package_watts - 40.0).abs() < 0.1);
        plant.inject(Fault::CapIgnored, Target::Cap).unwrap();
        plant.step(Duration::from_secs(3));
        assert!((plant.state().package_watts - 90.0).abs() < 0.1);
        assert!((plant.cap_watts() - 40.0).abs() < f64::EPSILON, "it reads back as written");
    }

    #[test]
    fn a_frozen_sensor_stays_and_a_missing_one_is_gone() {
        let mut plant = plant();
        let before = plant.temperature(1);
        plant.inject(Fault::SensorFrozen, Target::Temperature(1)).unwrap();
        plant.inject(Fault::SensorMissing, Target::Temperature(2)).unwrap();
        plant.set_load(Some(90.0));
        plant.step(Duration::from_secs(60));
        assert_eq!(plant.temperature(1), before);
        assert_eq!(plant.temperature(2), None);
        plant.heal_all();
        plant.step(Duration::from_secs(1));
        assert!(plant.temperature(1) > before);
    }

    #[test]
    fn a_stuck_pwm_takes_no_write() {
        let mut plant = plant();
        plant.set_fan_mode(0, FanMode::Manual);
        plant.set_pwm(0, 100);
        plant.inject(Fault::PwmStuck, Target::Fan(1)).unwrap();
        plant.set_pwm(0, 255);
        plant.step(Duration::from_secs(5));
        assert_eq!(plant.pwm(0), Some(100));
    }

    #[test]
    fn the_energy_counter_wraps_at_its_range() {
        let board = Board { energy_uj: ENERGY_RANGE_UJ - 1_000_000, ..Board::of(1) };
        let mut plant = Plant::new(board);
        let before = plant.energy_uj().unwrap();
        plant.step(Duration::from_secs(5));
        let after = plant.energy_uj().unwrap();
        assert!(after < before && after > 0.0, "{before} {after}");
    }

    #[test]
    fn a_fan_can_be_seized_and_a_sensor_cannot() {
        let error = plant().inject(Fault::FanSeized, Target::Power).unwrap_err();
        assert_eq!(error, FaultError::Impossible(Fault::FanSeized, Target::Power));
    }
}
