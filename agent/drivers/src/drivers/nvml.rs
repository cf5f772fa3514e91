//! NVML: the NVIDIA GPUs of this machine, by the library that their driver brings.
//!
//! The library is loaded when it is there and looked for again when it is not; it can hang for
//! ever, which is why it lives in this process, which the guard may kill. A power limit is set
//! between the limits that the card declares and read back; without the right to set it the
//! refusal is said. No GPU stands behind the tests: a library with recorded answers does.

mod number;

use crate::driver::{Connection, Deadline, Driver, Eyes, Hands, Look};
use crate::gathering::Gathering;
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Configuration, Deed, DeedError, DeedFault, Fault, FaultKind,
    Identity, Reading, Round, bounded,
};
use flyball_guard_messages::ActuatorKind;
use flyball_units::{NoData, Unit};
use number::{Number, reason_of};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use std::ffi::OsString;
use std::sync::Arc;

const LIBRARY: &str = "libnvidia-ml.so.1";
/// Cards of one machine.
const MAX_GPUS: u32 = 32;

pub(super) struct Gpus {
    library: OsString,
}

impl Gpus {
    /// # Errors
    /// Where another library is named, and not by its whole path.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let library = configuration.option("library").unwrap_or(LIBRARY);
        if library != LIBRARY && !library.starts_with('/') {
            let text = format!("`library` is {LIBRARY} or a whole path, and not `{library}`");
            return Err(Fault::new(FaultKind::Misconfigured, text));
        }
        Ok(Self { library: library.into() })
    }

    fn load(&self) -> Result<Nvml, Fault> {
        let name = self.library.to_string_lossy();
        Nvml::builder().lib_path(&self.library).init().map_err(|error| {
            let text = match &error {
                NvmlError::LibloadingError(_) => {
                    format!("{name} is not here; NVIDIA's driver brings it: {error}")
                }
                error => format!("{name} does not begin: {error}"),
            };
            let kind = match error {
                NvmlError::NoPermission => FaultKind::Denied,
                NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded => {
                    FaultKind::Unreachable
                }
                _ => FaultKind::Failing,
            };
            Fault::new(kind, text)
        })
    }
}

impl Driver for Gpus {
    fn connect(&mut self) -> Result<Connection, Fault> {
        let nvml = self.load()?;
        let count = nvml.device_count().map_err(|error| lost(&error))?;
        if count == 0 {
            return Err(Fault::new(FaultKind::Failing, "NVIDIA's driver sees no GPU"));
        }
        let mut gathering = Gathering::new(identity(&nvml, count));
        let mut cards = Vec::new();
        for index in 0..count.min(MAX_GPUS) {
            match nvml.device_by_index(index) {
                Ok(device) => cards.push(Card::describe(&mut gathering, index, &device)),
                Err(error) => gathering.remark(&format!("GPU {index} does not answer: {error}")),
            }
        }
        let (described, nvml) = (gathering.close(), Arc::new(nvml));
        let hands = GpuHands { nvml: Arc::clone(&nvml), cards: cards.clone() };
        let eyes = GpuEyes { nvml, count, cards };
        Ok(Connection { described, eyes: Box::new(eyes), hands: Box::new(hands) })
    }
}

fn identity(nvml: &Nvml, count: u32) -> Identity {
    let first = nvml.device_by_index(0).ok();
    let text = |text: Result<String, NvmlError>| text.ok().map(|text| bounded(&text));
    let alone = first.as_ref().filter(|_| count == 1);
    Identity {
        vendor: Some("NVIDIA".to_owned()),
        model: first.as_ref().and_then(|device| text(device.name())),
        serial: alone.and_then(|device| text(device.serial())),
        firmware: text(nvml.sys_driver_version()),
    }
}

/// One GPU, and what of it is described.
#[derive(Clone, Debug)]
struct Card {
    index: u32,
    numbers: Vec<(u16, Number)>,
    cap: Option<Cap>,
}

#[derive(Clone, Copy, Debug)]
struct Cap {
    actuator: u16,
    min_mw: u32,
    max_mw: u32,
}

impl Card {
    fn describe(gathering: &mut Gathering, index: u32, device: &Device<'_>) -> Self {
        let name = format!("gpu-{index}");
        let mut numbers = Vec::new();
        for number in Number::of(device) {
            let entry = number.describe(&name, device);
            numbers.extend(gathering.sensor(entry).map(|sensor| (sensor, number)));
        }
        let power = numbers.iter().find(|(_, number)| *number == Number::Power);
        let effect = power.map(|(sensor, _)| *sensor);
        let cap = device.power_management_limit_constraints().ok().and_then(|limits| {
            let (min_mw, max_mw) = (limits.min_limit, limits.max_limit);
            // A card whose limit is fixed declares one value for both, or none.
            let entry = (0 < min_mw && min_mw < max_mw).then(|| ActuatorEntry {
                name: format!("{name}/cap"),
                label: format!("Power limit of GPU {index}"),
                kind: ActuatorKind::PowerCap,
                unit: Unit::Watt,
                min: watts(min_mw),
                max: watts(max_mw),
                quantum: 1.0,
                verbs: Vec::new(),
                words: Vec::new(),
                effect,
            })?;
            gathering.actuator(entry).map(|actuator| Cap { actuator, min_mw, max_mw })
        });
        Self { index, numbers, cap }
    }
}

fn watts(milliwatts: u32) -> f64 {
    f64::from(milliwatts) / 1000.0
}

fn lost(error: &NvmlError) -> Fault {
    Fault::new(FaultKind::Failing, format!("NVIDIA's library does not tell its GPUs: {error}"))
}

struct GpuEyes {
    nvml: Arc<Nvml>,
    count: u32,
    cards: Vec<Card>,
}

impl Eyes for GpuEyes {
    fn look(&mut self) -> Result<Look, Fault> {
        if self.nvml.device_count().map_err(|error| lost(&error))? != self.count {
            return Ok(Look::Changed);
        }
        let mut round = Round::default();
        for card in &self.cards {
            let device = self.nvml.device_by_index(card.index);
            let device = device.as_ref().map_err(reason_of);
            for (sensor, number) in &card.numbers {
                let value = device.and_then(|device| number.read(device));
                round.readings.push(Reading { sensor: *sensor, value });
            }
            if let Some(cap) = card.cap {
                let state = device.map_or_else(ActuatorState::Unknown, standing);
                round.states.push((cap.actuator, state));
            }
        }
        Ok(Look::Seen(round))
    }
}

fn standing(device: &Device<'_>) -> ActuatorState {
    match device.power_management_limit() {
        Ok(milliwatts) => ActuatorState::Level(watts(milliwatts)),
        Err(error) => ActuatorState::Unknown(reason_of(&error)),
    }
}

struct GpuHands {
    nvml: Arc<Nvml>,
    cards: Vec<Card>,
}

impl Hands for GpuHands {
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        _deadline: Deadline,
    ) -> Result<ActuatorState, DeedError> {
        let mut caps = self.cards.iter().filter_map(|card| Some((card.index, card.cap?)));
        let Some((index, cap)) = caps.find(|(_, cap)| cap.actuator == actuator) else {
            return Err(DeedError::no_actuator());
        };
        let mut device = self.nvml.device_by_index(index).map_err(|error| failed(&error))?;
        let wanted = match deed {
            Deed::Observe => None,
            Deed::SetLevel(level) => Some(cap.milliwatts(*level)?),
            Deed::ClearLevel => {
                Some(device.power_management_limit_default().map_err(|error| failed(&error))?)
            }
            Deed::Reset(_) | Deed::SetLit(_) | Deed::SetWord(_) | Deed::BootOnce(_) => {
                return Err(DeedError::unsupported("it has a power limit only"));
            }
        };
        if let Some(wanted) = wanted {
            device.set_power_management_limit(wanted).map_err(|error| failed(&error))?;
            let seen = device.power_management_limit().map_err(|error| failed(&error))?;
            // Cards round to whole watts.
            if seen.abs_diff(wanted) >= 1000 {
                let text = format!("{wanted} mW were set, and {seen} mW are read back");
                return Err(DeedError::new(DeedFault::NotConfirmed, text));
            }
        }
        match standing(&device) {
            ActuatorState::Unknown(NoData::Missing) => Err(failed(&NvmlError::GpuLost)),
            state => Ok(state),
        }
    }
}

impl Cap {
    fn milliwatts(&self, level: f64) -> Result<u32, DeedError> {
        let (min, max) = (watts(self.min_mw), watts(self.max_mw));
        // Also false for what is no number.
        if !(level >= min && level <= max) {
            let text = format!("{level} W is outside of the card's own {min} to {max} W");
            return Err(DeedError::new(DeedFault::Refused, text));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between two limits that fit"
        )]
        let milliwatts = (level * 1000.0).round() as u32;
        Ok(milliwatts.clamp(self.min_mw, self.max_mw))
    }
}

fn failed(error: &NvmlError) -> DeedError {
    match error {
        NvmlError::NoPermission => DeedError::new(
            DeedFault::Refused,
            "NVIDIA's driver lets only root set a power limit; the guard has to run as root",
        ),
        NvmlError::NotSupported => {
            DeedError::unsupported("this card has no power limit that can be set")
        }
        error => DeedError::new(DeedFault::Failed, format!("NVIDIA's library: {error}")),
    }
}
