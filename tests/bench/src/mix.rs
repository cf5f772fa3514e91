//! The generated load of one machine: 200 series at 1 Hz, mixed as hosts mix them.
//!
//! Twenty temperatures in tenths and twenty in whole degrees that wander, twenty byte counters
//! of which five stand still, twenty of processor time, twenty of events, twenty gauges of memory
//! in KiB, fifteen percentages in hundredths, ten load averages that change every five seconds,
//! five latencies with every digit that a float has, five fans in steps of five, five voltages
//! in thousandths, thirty limits that never change, and ten states that hardly do. The same
//! number gives the same machine.

use std::f64::consts::TAU;

pub(crate) const SERIES: usize = 200;

/// Kinds of series and how many of each.
const MIX: [(Kind, usize); 13] = [
    (Kind::Tenths, 20),
    (Kind::Degrees, 20),
    (Kind::Bytes, 20),
    (Kind::Jiffies, 20),
    (Kind::Events, 20),
    (Kind::Memory, 20),
    (Kind::Percent, 15),
    (Kind::Load, 10),
    (Kind::Latency, 5),
    (Kind::Fan, 5),
    (Kind::Voltage, 5),
    (Kind::Limit, 30),
    (Kind::State, 10),
];

const LIMITS: [f64; 10] =
    [1.0, 65_536.0, 134_217_728.0, 0.0, 100.0, 33_554_432.0, 1500.0, 1000.0, 0.5, 3.25];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tenths,
    Degrees,
    Bytes,
    Jiffies,
    Events,
    Memory,
    Percent,
    Load,
    Latency,
    Fan,
    Voltage,
    Limit,
    State,
}

/// A machine whose next second can be asked for.
#[derive(Debug)]
pub(crate) struct Host {
    noise: Noise,
    second: u64,
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    kind: Kind,
    value: f64,
    /// What the value returns to, or a counter's rate.
    home: f64,
    /// A rate's burst, in e-folds.
    burst: f64,
}

impl Host {
    pub(crate) fn new(number: u64) -> Self {
        let mut noise = Noise(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let kinds = MIX.iter().flat_map(|&(kind, count)| (0..count).map(move |nth| (kind, nth)));
        let series = kinds.map(|(kind, nth)| Series::new(kind, nth, &mut noise)).collect();
        Self { noise, second: 0, series }
    }

    /// The values of the next second.
    pub(crate) fn step(&mut self) -> Vec<f64> {
        self.second += 1;
        let Self { noise, second, series } = self;
        series.iter_mut().map(|series| series.step(*second, noise)).collect()
    }
}

impl Series {
    fn new(kind: Kind, nth: usize, noise: &mut Noise) -> Self {
        let pick = |of: &[f64]| of.get(nth % of.len()).copied().unwrap_or_default();
        let (value, home) = match kind {
            Kind::Tenths => (noise.between(35.0, 65.0), noise.between(35.0, 65.0)),
            Kind::Degrees => (noise.between(40.0, 70.0), noise.between(40.0, 70.0)),
            Kind::Bytes if nth % 4 == 3 => (noise.between(0.0, 1e11).floor(), 0.0),
            Kind::Bytes => (noise.between(0.0, 1e11).floor(), 10_f64.powf(noise.between(3.0, 7.0))),
            Kind::Jiffies => (noise.between(0.0, 1e8).floor(), pick(&[80.0, 5.0, 12.0, 0.3, 1.0])),
            Kind::Events => (noise.between(0.0, 1e6).floor(), pick(&[0.02, 0.5, 3.0, 20.0])),
            Kind::Memory => (noise.between(0.0, 4e6).floor() * 4.0, noise.between(0.0, 160.0)),
            Kind::Percent => (noise.between(0.0, 60.0), noise.between(0.0, 60.0)),
            Kind::Load => (noise.between(0.0, 4.0), noise.between(0.0, 4.0)),
            Kind::Latency => (0.0, noise.between(0.002, 0.052)),
            Kind::Fan => (0.0, noise.between(900.0, 2400.0).floor()),
            Kind::Voltage => (0.0, pick(&[12.0, 5.0, 3.3, 1.8, 1.05])),
            Kind::Limit => (pick(&LIMITS), 0.0),
            Kind::State => (1.0, 0.0),
        };
        Self { kind, value, home, burst: 0.0 }
    }

    fn step(&mut self, second: u64, noise: &mut Noise) -> f64 {
        match self.kind {
            Kind::Tenths => places(self.wander(0.002, 0.04, noise), 10.0),
            Kind::Degrees => self.wander(0.01, 0.3, noise).round(),
            Kind::Bytes if self.home > 0.0 => {
                self.burst = 0.9 * self.burst + 0.1 * noise.normal();
                let rate = self.home * (2.0 * self.burst).exp() * noise.between(0.5, 1.5);
                self.count(rate.floor())
            }
            Kind::Jiffies if self.home >= 2.0 => {
                let spent = (self.home + self.home.sqrt() * noise.normal()).round();
                self.count(spent.clamp(0.0, 100.0))
            }
            Kind::Jiffies | Kind::Events => {
                let arrived = noise.arrivals(self.home);
                self.count(arrived)
            }
            Kind::Memory => {
                if noise.share() < 0.6 {
                    let pages = (self.home * noise.normal()).round();
                    self.value = (self.value + 4.0 * pages).max(0.0);
                }
                self.value
            }
            Kind::Percent => places(self.wander(0.1, 3.0, noise).clamp(0.0, 100.0), 100.0),
            Kind::Load => {
                if second % 5 == 1 {
                    self.value = self.wander(0.08, 0.08, noise).max(0.0);
                }
                places(self.value, 100.0)
            }
            Kind::Latency => {
                let requests = 1.0 + noise.arrivals(30.0);
                let taken: f64 = (0..3).map(|_| noise.share()).sum();
                self.home * (0.5 + taken) / requests * 30.0
            }
            Kind::Fan => ((self.home + 15.0 * noise.normal()) / 5.0).round() * 5.0,
            Kind::Voltage => places(self.home * (1.0 + 0.0008 * noise.normal()), 1000.0),
            Kind::State => {
                if noise.share() < 0.0005 {
                    self.value = noise.between(0.0, 4.0).floor();
                }
                self.value
            }
            Kind::Bytes | Kind::Limit => self.value,
        }
    }

    fn wander(&mut self, pull: f64, push: f64, noise: &mut Noise) -> f64 {
        self.value += pull * (self.home - self.value) + push * noise.normal();
        self.value
    }

    fn count(&mut self, more: f64) -> f64 {
        self.value += more;
        self.value
    }
}

fn places(value: f64, power: f64) -> f64 {
    (value * power).round() / power
}

/// Numbers without a pattern, always the same ones.
#[derive(Debug)]
struct Noise(u64);

impl Noise {
    /// 0 to 1, by splitmix64.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Of the normal distribution, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.share().max(1e-300).ln()).sqrt();
        radius * (TAU * self.share()).cos()
    }

    /// Of the Poisson distribution, by Knuth.
    fn arrivals(&mut self, rate: f64) -> f64 {
        let limit = (-rate).exp();
        let (mut arrived, mut product) = (0.0, self.share());
        while product > limit && arrived < 200.0 {
            arrived += 1.0;
            product *= self.share();
        }
        arrived
    }
}
