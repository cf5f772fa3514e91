//! What is read of a GPU, and what its library's errors mean.

use flyball_driver_messages::{SensorEntry, Thresholds};
use flyball_units::{Kind, NoData, Unit};
use nvml_wrapper::Device;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{TemperatureSensor, TemperatureThreshold};
use nvml_wrapper::error::NvmlError;

/// A threshold above this is none that a chip could reach.
const HOTTEST_CELSIUS: u32 = 150;
/// Fans of one card; a server's card has none.
const MAX_FANS: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Temperature,
    Power,
    Limit,
    Energy,
    Utilization,
    MemoryUtilization,
    MemoryUsage,
    Fan(u32),
    Throttle(Reason),
}

/// Why a GPU runs slower than it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    PowerCap,
    Slowdown,
    Thermal,
    HardwareThermal,
    PowerBrake,
}

impl Reason {
    const ALL: [Self; 5] =
        [Self::PowerCap, Self::Slowdown, Self::Thermal, Self::HardwareThermal, Self::PowerBrake];

    const fn name(self) -> &'static str {
        match self {
            Self::PowerCap => "throttled-power-cap",
            Self::Slowdown => "throttled-slowdown",
            Self::Thermal => "throttled-thermal",
            Self::HardwareThermal => "throttled-hardware-thermal",
            Self::PowerBrake => "throttled-power-brake",
        }
    }

    const fn bit(self) -> ThrottleReasons {
        match self {
            Self::PowerCap => ThrottleReasons::SW_POWER_CAP,
            Self::Slowdown => ThrottleReasons::HW_SLOWDOWN,
            Self::Thermal => ThrottleReasons::SW_THERMAL_SLOWDOWN,
            Self::HardwareThermal => ThrottleReasons::HW_THERMAL_SLOWDOWN,
            Self::PowerBrake => ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN,
        }
    }
}

impl Number {
    /// Everything that `device` has. *Not supported* is normal, and no sensor.
    pub(super) fn of(device: &Device<'_>) -> Vec<Self> {
        let fans = device.num_fans().unwrap_or(0).min(MAX_FANS);
        let plain = [
            Self::Temperature,
            Self::Power,
            Self::Limit,
            Self::Energy,
            Self::Utilization,
            Self::MemoryUtilization,
            Self::MemoryUsage,
        ];
        plain
            .into_iter()
            .chain((0..fans).map(Self::Fan))
            .chain(Reason::ALL.map(Self::Throttle))
            .filter(|number| !matches!(number.ask(device), Err(NvmlError::NotSupported)))
            .collect()
    }

    pub(super) fn read(self, device: &Device<'_>) -> Result<f64, NoData> {
        self.ask(device).map_err(|error| reason_of(&error))
    }

    /// In our unit: the library speaks of milliwatts, millijoules and percents.
    #[expect(clippy::cast_precision_loss, reason = "2^53 millijoules are 285 years of a kilowatt")]
    fn ask(self, device: &Device<'_>) -> Result<f64, NvmlError> {
        Ok(match self {
            Self::Temperature => f64::from(device.temperature(TemperatureSensor::Gpu)?),
            Self::Power => f64::from(device.power_usage()?) / 1000.0,
            Self::Limit => f64::from(device.power_management_limit()?) / 1000.0,
            Self::Energy => device.total_energy_consumption()? as f64 / 1000.0,
            Self::Utilization => f64::from(device.utilization_rates()?.gpu) / 100.0,
            Self::MemoryUtilization => f64::from(device.utilization_rates()?.memory) / 100.0,
            Self::MemoryUsage => device.memory_info()?.used as f64,
            Self::Fan(fan) => f64::from(device.fan_speed(fan)?) / 100.0,
            Self::Throttle(reason) => {
                let reasons = device.current_throttle_reasons()?;
                f64::from(u8::from(reasons.contains(reason.bit())))
            }
        })
    }

    fn name(self) -> String {
        match self {
            Self::Temperature => "temperature".to_owned(),
            Self::Power => "power".to_owned(),
            Self::Limit => "power-limit".to_owned(),
            Self::Energy => "energy".to_owned(),
            Self::Utilization => "utilization".to_owned(),
            Self::MemoryUtilization => "memory-utilization".to_owned(),
            Self::MemoryUsage => "memory".to_owned(),
            Self::Fan(fan) => format!("fan-{}", fan + 1),
            Self::Throttle(reason) => reason.name().to_owned(),
        }
    }

    const fn measure(self) -> (&'static str, Kind, Unit) {
        match self {
            Self::Temperature => ("hw.temperature", Kind::Temperature, Unit::Celsius),
            Self::Power => ("hw.power", Kind::Power, Unit::Watt),
            Self::Limit => ("hw.power.limit", Kind::Limit, Unit::Watt),
            Self::Energy => ("hw.energy", Kind::Energy, Unit::Joule),
            Self::Utilization => ("hw.gpu.utilization", Kind::Utilization, Unit::One),
            Self::MemoryUtilization => ("hw.gpu.memory.utilization", Kind::Utilization, Unit::One),
            Self::MemoryUsage => ("hw.gpu.memory.usage", Kind::Memory, Unit::Byte),
            Self::Fan(_) => ("hw.fan.speed_ratio", Kind::Duty, Unit::One),
            Self::Throttle(_) => ("hw.status", Kind::State, Unit::One),
        }
    }

    pub(super) fn describe(self, gpu: &str, device: &Device<'_>) -> SensorEntry {
        let (metric, kind, unit) = self.measure();
        let mut attributes = Vec::new();
        for (key, value) in [
            ("hw.model", device.name()),
            ("hw.serial_number", device.serial()),
            ("hw.gpu.uuid", device.uuid()),
        ] {
            let text = value.map(|text| flyball_driver_messages::bounded(&text));
            attributes.extend(text.ok().map(|text| (key.to_owned(), text)));
        }
        if let Self::Throttle(reason) = self {
            attributes.push(("hw.state".to_owned(), reason.name().to_owned()));
        }
        let name = format!("{gpu}/{}", self.name());
        let thresholds = match self {
            Self::Temperature => thresholds(device),
            _ => Thresholds::default(),
        };
        let (metric, label) = (metric.to_owned(), name.clone());
        SensorEntry { name, label, metric, kind, unit, attributes, thresholds }
    }
}

/// Where the GPU slows itself down and where it shuts itself down.
fn thresholds(device: &Device<'_>) -> Thresholds {
    let declared = |threshold| {
        let celsius = device.temperature_threshold(threshold).ok()?;
        (1..=HOTTEST_CELSIUS).contains(&celsius).then(|| f64::from(celsius))
    };
    Thresholds {
        upper_caution: declared(TemperatureThreshold::GpuMax),
        upper_critical: declared(TemperatureThreshold::Slowdown),
        upper_fatal: declared(TemperatureThreshold::Shutdown),
        ..Thresholds::default()
    }
}

/// Why there is no value.
pub(super) const fn reason_of(error: &NvmlError) -> NoData {
    match error {
        NvmlError::NotSupported => NoData::Disabled,
        NvmlError::NoPermission => NoData::Denied,
        NvmlError::GpuLost | NvmlError::NotFound | NvmlError::InvalidArg => NoData::Missing,
        NvmlError::Timeout | NvmlError::InUse => NoData::Busy,
        NvmlError::Uninitialized | NvmlError::DriverNotLoaded => NoData::NotRunning,
        _ => NoData::Fault,
    }
}
