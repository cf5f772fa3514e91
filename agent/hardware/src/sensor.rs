//! One sensor: what it measures, what its hardware says about it, and how it is read.

use crate::attribute::Attribute;
use crate::counter::Recent;
use crate::energy::EnergyMeter;
use crate::filesystem::used_part;
use crate::threshold::{Band, Thresholds};
use flyball_units::{Kind, NoData, Unit};
use std::path::Path;
use std::time::Duration;

/// How long an alarm stands once it was seen. Chips clear the bit when it is read, and the
/// samples are taken once a second from readings that may be more frequent.
const ALARM_STANDS: Duration = Duration::from_secs(1);

/// From here a sensor may come to zero within one reading.
const NEARLY_ZERO_CELSIUS: f64 = 10.0;

/// What is read one after the other by one thread. A slow bus must not block a fast one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bus {
    pub name: String,
    /// Reading it wakes disks or takes long: it is read every 10 s only.
    pub slow: bool,
}

impl Bus {
    pub(crate) fn fast(name: &str) -> Self {
        Self { name: name.to_owned(), slow: false }
    }

    pub(crate) fn slow(name: &str) -> Self {
        Self { name: name.to_owned(), slow: true }
    }
}

/// A sensor of the board, its file held open.
#[derive(Debug)]
pub struct Sensor {
    /// Stable over reboots and over the order in which drivers load.
    pub id: String,
    /// The hardware's label, or chip and attribute.
    pub name: String,
    /// OpenTelemetry's metric.
    pub metric: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    /// Attributes by OpenTelemetry's names, `hw.id` among them.
    pub attributes: Vec<(String, String)>,
    pub bus: Bus,
    pub thresholds: Thresholds,
    pub(crate) source: Source,
}

impl Sensor {
    /// The value now. `now` is any monotonic time; rates are taken over it.
    ///
    /// # Errors
    /// The reason why there is no value.
    pub fn read(&mut self, now: Duration) -> Result<f64, NoData> {
        let value = self.source.read(now)?;
        if self.kind == Kind::Temperature { self.source.doubt_zero(value) } else { Ok(value) }
    }

    /// The file that is read, for a person to look at.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.source.value.path()
    }
}

/// The files behind a sensor and the way from their digits to its unit.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) value: Attribute,
    /// `*_fault`: 1 says that the value means nothing.
    pub(crate) fault: Option<Attribute>,
    /// `*_enable`: 0 says that it is switched off.
    pub(crate) enable: Option<Attribute>,
    pub(crate) form: Form,
    pub(crate) band: Band,
    /// The last value that was no doubtful zero.
    last: Option<f64>,
}

#[derive(Debug)]
pub(crate) enum Form {
    /// The value in `1 / divisor` of the unit. A division keeps decimal values decimal.
    Level { divisor: f64 },
    /// A counter in microjoules of which the power is wanted.
    Power(EnergyMeter),
    /// The same counter, of which the energy is wanted.
    Energy(EnergyMeter),
    /// A bit that its chip clears when it is read, and when it was last seen set.
    Alarm { seen: Option<Duration> },
    /// One of a few words, as its place among them.
    Word(&'static [&'static str]),
    /// `avg10` of a line of pressure stall information.
    Pressure { line: &'static str },
    /// How full the file system is that is mounted at the value's path.
    Room,
    /// A counter of events of which the last minute's are wanted.
    Recent(Recent),
    /// A part of `highest`; below zero is "not running".
    Step { highest: f64 },
}

impl Source {
    pub(crate) const fn level(value: Attribute, divisor: f64, band: Band) -> Self {
        Self::of(value, Form::Level { divisor }, band)
    }

    pub(crate) const fn of(value: Attribute, form: Form, band: Band) -> Self {
        Self { value, fault: None, enable: None, form, band, last: None }
    }

    /// A register that was reset or never measured reads 0: from a warm sensor that is no
    /// temperature, for as long as it stands. One that has cooled down to zero is believed.
    fn doubt_zero(&mut self, value: f64) -> Result<f64, NoData> {
        let warm = |last: f64| last.abs() > NEARLY_ZERO_CELSIUS;
        if value == 0.0 && self.last.is_some_and(warm) {
            return Err(NoData::TooFast);
        }
        self.last = Some(value);
        Ok(value)
    }

    fn read(&mut self, now: Duration) -> Result<f64, NoData> {
        if let Some(enable) = &mut self.enable
            && enable.read() == Ok(0)
        {
            return Err(NoData::Disabled);
        }
        if let Some(fault) = &mut self.fault
            && fault.read() == Ok(1)
        {
            return Err(NoData::Fault);
        }
        let value = match &mut self.form {
            Form::Word(words) => position(self.value.read_word(words)?),
            Form::Pressure { line } => self.value.read_pressure(line)?,
            Form::Level { divisor } => float(self.value.read()?) / *divisor,
            Form::Power(meter) => meter.power(self.value.read()?, now)?,
            Form::Energy(meter) => meter.energy(self.value.read()?, now)?,
            Form::Alarm { seen } => {
                if self.value.read()? != 0 {
                    *seen = Some(now);
                }
                let stands = seen.is_some_and(|seen| now.saturating_sub(seen) < ALARM_STANDS);
                f64::from(u8::from(stands))
            }
            Form::Room => used_part(self.value.path())?,
            Form::Recent(recent) => recent.events(self.value.read()?, now)?,
            Form::Step { highest } => {
                let step = self.value.read()?;
                // intel_powerclamp says -1 where it injects nothing.
                if step < 0 {
                    return Err(NoData::Disabled);
                }
                float(step) / *highest
            }
        };
        self.band.check(value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counters above 2^53 lose their last digits only")]
pub(crate) const fn float(number: i64) -> f64 {
    number as f64
}

/// A place in a list of a few words.
fn position(place: usize) -> f64 {
    u32::try_from(place).map_or(f64::NAN, f64::from)
}
