//! The thread of one piece of equipment against drivers of a few lines of shell.

use super::*;
use crate::clock::Clock;
use crate::slots::Slots;
use crate::sources::Change;
use flyball_command::{PowerState, ResetType};
use flyball_driver_messages::{
    ActuatorEntry, ActuatorState, Decoder, DeedFault, DriverKind, FromDriver, Reading, Round,
    SensorEntry, Thresholds, Trust, encode,
};
use flyball_guard_messages::{ActuatorKind, EquipmentKind};
use flyball_units::{Kind, Unit as UnitOf};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    folder: tempfile::TempDir,
    slots: Arc<Slots>,
    changes: Receiver<Change>,
}

impl Bench {
    /// A thread whose driver is this script; `$here` is a folder of its own.
    fn start(script: &str, silence: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("driver");
        let here = folder.path().display();
        fs::write(&program, format!("#!/bin/sh\nhere={here}\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("frames"), frames()).unwrap();
        let slots = Arc::new(Slots::new(4));
        let clock = Clock::start();
        let (sources, changes) = Sources::new(Arc::clone(&slots), clock, thread::current());
        let vault = Vault::new(&folder.path().join("state"), None);
        let meter = Arc::new(BusMeter::new("bmc-1", silence));
        let unit = Unit::new(equipment(silence), program, vault, sources, meter);
        thread::spawn(move || unit.run());
        Self { folder, slots, changes }
    }

    /// Waits for a change that `is` makes something of; what comes is placed at 0, 1, 2 …
    fn wait<T>(&self, mut is: impl FnMut(&Change) -> Option<T>) -> T {
        loop {
            let change = self.changes.recv_timeout(PATIENCE).unwrap();
            let found = is(&change);
            if let Change::Came { sensors, placed, .. } = change {
                placed.send((0..sensors.len()).map(Some).collect()).unwrap();
            }
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn wait_unreachable(&self) -> String {
        self.wait(|change| match change {
            Change::Equipment(equipment) => match &equipment.state {
                EquipmentState::Unreachable { reason, .. } => Some(reason.clone()),
                EquipmentState::Connecting | EquipmentState::Connected => None,
            },
            _ => None,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn equipment(silence: Duration) -> Equipment {
    let times = super::super::campaign::Times {
        observe: Duration::from_millis(100),
        resend: Duration::from_millis(300),
        give_up: Duration::from_secs(2),
    };
    Equipment {
        key: "bmc-1".into(),
        kind: EquipmentKind::Bmc,
        driver: DriverKind::Redfish,
        address: "https://10.0.0.7".into(),
        trust: Trust::Insecure,
        credential: None,
        poll: Duration::from_secs(1),
        timeout: Duration::from_millis(300),
        silence,
        times,
        options: Vec::new(),
        points: Vec::new(),
    }
}

/// What a sound driver says: two temperatures, one of them beyond all silicon, and a switch.
fn frames() -> Vec<u8> {
    let sensor = |name: &str| SensorEntry {
        name: name.into(),
        label: name.into(),
        metric: "hw.temperature".into(),
        kind: Kind::Temperature,
        unit: UnitOf::Celsius,
        attributes: Vec::new(),
        thresholds: Thresholds { upper_critical: Some(95.0), ..Thresholds::default() },
    };
    let switch = ActuatorEntry {
        name: "power".into(),
        label: "power".into(),
        kind: ActuatorKind::Switch,
        unit: UnitOf::One,
        min: 0.0,
        max: 0.0,
        quantum: 0.0,
        verbs: vec![ResetType::On, ResetType::ForceOff],
        words: Vec::new(),
        effect: None,
    };
    let described = Described {
        sensors: vec![sensor("cpu"), sensor("broken")],
        actuators: vec![switch],
        ..Described::default()
    };
    let round = Round {
        readings: vec![
            Reading { sensor: 0, value: Ok(41.5) },
            Reading { sensor: 1, value: Ok(255.0) },
        ],
        states: vec![(0, ActuatorState::Power(PowerState::Off))],
        ..Round::default()
    };
    let messages = [
        FromDriver::Hello { version: VERSION },
        FromDriver::Described(Box::new(described)),
        FromDriver::Round(round),
    ];
    messages.iter().flat_map(|message| encode(message).unwrap()).collect()
}

fn heard(path: &Path) -> Vec<ToDriver> {
    let mut decoder = Decoder::new();
    decoder.push(&fs::read(path).unwrap_or_default());
    let mut messages = Vec::new();
    while let Some(message) = decoder.next().unwrap() {
        messages.push(message);
    }
    messages
}

/// Its output stays open beside the file that it keeps what it hears in.
const SOUND: &str = "/bin/cat $here/frames; exec 3>&1; exec /bin/cat >> $here/heard";

#[test]
fn what_is_described_is_placed_with_its_first_readings_and_judged_by_the_same_bands() {
    let bench = Bench::start(SOUND, Duration::from_secs(30));
    let (ids, thresholds, probes, verbs) = bench.wait(|change| match change {
        Change::Came { sensors, actuators, .. } => {
            let ids: Vec<String> = sensors.iter().map(|sensor| sensor.id.clone()).collect();
            let probes: Vec<_> = sensors.iter().map(|sensor| sensor.probe).collect();
            Some((ids, sensors[0].thresholds, probes, actuators[0].entry.verbs.clone()))
        }
        _ => None,
    });
    assert_eq!(ids, ["bmc-1/cpu", "bmc-1/broken"]);
    assert_eq!(thresholds.crit, Some(95.0));
    assert_eq!(probes[0], Ok(41.5));
    assert_eq!(verbs, [ResetType::On, ResetType::ForceOff]);
    let state = bench.wait(|change| match change {
        Change::State { actuator, state } => Some((actuator.clone(), state.clone())),
        _ => None,
    });
    assert_eq!(state, ("bmc-1/power".into(), ActuatorState::Power(PowerState::Off)));
    bench.wait(|change| match change {
        Change::Equipment(equipment) if equipment.state == EquipmentState::Connected => Some(()),
        _ => None,
    });
    assert_eq!(bench.slots.get(0).unwrap().value, Ok(41.5));
    assert_eq!(bench.slots.get(1).unwrap().value, Err(NoData::OutOfRange));
}

#[test]
fn an_errand_is_asked_of_the_driver_and_ends_with_it() {
    let bench = Bench::start(SOUND, Duration::from_secs(30));
    let errands = bench.wait(|change| match change {
        Change::Came { actuators, .. } => actuators[0].errands.clone(),
        _ => None,
    });
    let deed = Deed::Reset(ResetType::On);
    let deadline = Duration::from_secs(3600);
    errands.send(Errand { request: 7, actuator: "bmc-1/power".into(), deed, deadline }).unwrap();
    let outcome = bench.wait(|change| match change {
        Change::Done { request: 7, outcome } => Some(outcome.clone()),
        _ => None,
    });
    // The shell never answers: it is ended, and the errand with it.
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, DeedFault::NotConfirmed, "{error:?}");
    let messages = heard(&bench.path("heard"));
    let ToDriver::Configure { version: VERSION, configuration } = &messages[0] else {
        panic!("{messages:?}");
    };
    assert_eq!((configuration.key.as_str(), configuration.poll_ms), ("bmc-1", 1000));
    let asks = |message: &&ToDriver| {
        matches!(message, ToDriver::Act { actuator, deed: Deed::Reset(ResetType::On), .. }
            if actuator == "power")
    };
    assert_eq!(messages.iter().filter(asks).count(), 1);
}

#[test]
fn a_driver_that_ends_is_started_again_and_says_how_it_ended() {
    let bench = Bench::start("echo x >> $here/starts; exit 3", Duration::from_secs(30));
    let reason = bench.wait_unreachable();
    assert!(reason.contains("exit status: 3"), "{reason}");
    let clock = Clock::start();
    let starts = || fs::read_to_string(bench.path("starts")).unwrap_or_default().lines().count();
    while starts() < 2 {
        assert!(clock.now() < PATIENCE, "it was not started again");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_driver_that_talks_nonsense_is_ended() {
    let bench = Bench::start("exec /usr/bin/yes", Duration::from_secs(30));
    let reason = bench.wait_unreachable();
    assert!(reason.contains("is no message"), "{reason}");
}

#[test]
fn a_driver_that_says_nothing_is_killed() {
    let script = "echo $$ > $here/pid; exec /bin/sleep 600";
    let bench = Bench::start(script, Duration::from_millis(500));
    let reason = bench.wait_unreachable();
    assert!(reason.contains("said nothing"), "{reason}");
    let pid = fs::read_to_string(bench.path("pid")).unwrap();
    assert!(!Path::new(&format!("/proc/{}", pid.trim())).exists());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let bench = Bench::start("", Duration::from_secs(30));
    fs::remove_file(bench.path("driver")).unwrap();
    let reason = bench.wait(|change| match change {
        Change::Equipment(equipment) => match &equipment.state {
            EquipmentState::Unreachable { reason, .. } if reason.contains("can't be started") => {
                Some(reason.clone())
            }
            _ => None,
        },
        _ => None,
    });
    assert!(reason.contains("driver"), "{reason}");
}
