//! A driver process, spoken to as the guard does.

use flyball_driver_messages::{
    ActuatorState, Configuration, Decoder, Deed, DeedError, Described, DriverKind, Fault,
    FromDriver, Login, Round, Secret, ToDriver, Trust, VERSION, encode,
};
use flyball_units::NoData;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

pub(crate) const DRIVER: &str = env!("CARGO_BIN_EXE_flyball-driver");

/// How long anything may take before the test calls it failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration with quick polls and no login.
pub(crate) fn configuration(driver: DriverKind, address: &str) -> Configuration {
    Configuration {
        key: "tested".into(),
        driver,
        address: address.into(),
        login: None,
        trust: Trust::Unstated,
        poll_ms: 200,
        timeout_ms: 5_000,
        options: Vec::new(),
        points: Vec::new(),
    }
}

pub(crate) fn login(user: &str, password: &str) -> Option<Login> {
    Some(Login { user: user.into(), secret: Secret::new(password.into()) })
}

/// A running driver. It is killed where it hasn't ended by itself.
pub(crate) struct Driven {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<FromDriver>,
    described: Described,
    requests: u64,
    /// A round that is told next may have been read before a deed.
    acted: bool,
}

impl Driven {
    /// A driver that was told nothing yet.
    pub(crate) fn bare() -> Self {
        let mut command = Command::new(DRIVER);
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (heard, messages) = channel();
        std::thread::spawn(move || hear(output, &heard));
        let described = Described::default();
        let mut driven =
            Self { child, input, output: messages, described, requests: 0, acted: false };
        assert_eq!(driven.next(), Some(FromDriver::Hello { version: VERSION }));
        driven
    }

    pub(crate) fn start(configuration: Configuration) -> Self {
        let mut driven = Self::bare();
        let configuration = Box::new(configuration);
        driven.say(&ToDriver::Configure { version: VERSION, configuration });
        driven
    }

    /// Started, and described.
    pub(crate) fn connected(configuration: Configuration) -> Self {
        let mut driven = Self::start(configuration);
        driven.described();
        driven
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn say(&mut self, message: &ToDriver) {
        self.write(&encode(message).unwrap());
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// What it says next; `None` where it has ended.
    pub(crate) fn next(&mut self) -> Option<FromDriver> {
        match self.output.recv_timeout(PATIENCE) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the driver says nothing"),
        }
    }

    /// Waits for its next description.
    pub(crate) fn described(&mut self) -> Described {
        loop {
            match self.next() {
                Some(FromDriver::Described(described)) => {
                    self.described = (*described).clone();
                    return *described;
                }
                Some(FromDriver::Fault { fault, .. }) => panic!("{fault:?}"),
                Some(_) => {}
                None => panic!("the driver ended before it described anything"),
            }
        }
    }

    /// Waits for its next round.
    pub(crate) fn round(&mut self) -> Round {
        loop {
            match self.next() {
                Some(FromDriver::Round(round)) => return round,
                Some(FromDriver::Fault { fault, .. }) => panic!("{fault:?}"),
                Some(FromDriver::Described(described)) => self.described = *described,
                Some(_) => {}
                None => panic!("the driver ended before a round"),
            }
        }
    }

    /// Waits for its next fault.
    pub(crate) fn fault(&mut self) -> Fault {
        loop {
            match self.next() {
                Some(FromDriver::Fault { fault, .. }) => return fault,
                Some(_) => {}
                None => panic!("the driver ended without a fault"),
            }
        }
    }

    /// The sensor's value in the next round.
    pub(crate) fn value(&mut self, sensor: &str) -> Result<f64, NoData> {
        let round = self.round();
        self.value_in(&round, sensor)
    }

    pub(crate) fn value_in(&self, round: &Round, sensor: &str) -> Result<f64, NoData> {
        let names: Vec<&str> = self.described.sensors.iter().map(|s| s.name.as_str()).collect();
        let index = names.iter().position(|name| *name == sensor);
        let index = index.unwrap_or_else(|| panic!("no {sensor} in {names:?}"));
        let mut readings = round.readings.iter();
        let reading = readings.find(|reading| usize::from(reading.sensor) == index);
        reading.unwrap_or_else(|| panic!("no reading of {sensor}")).value
    }

    /// The actuator's state in the next round that has begun since the last deed.
    pub(crate) fn state(&mut self, actuator: &str) -> ActuatorState {
        if std::mem::take(&mut self.acted) {
            // It may have been read before the deed and told after it.
            self.round();
        }
        let round = self.round();
        let index = self.actuator(actuator);
        let mut states = round.states.into_iter();
        let state = states.find(|(of, _)| *of == index);
        state.unwrap_or_else(|| panic!("no state of {actuator}")).1
    }

    fn actuator(&self, name: &str) -> u16 {
        let names: Vec<&str> = self.described.actuators.iter().map(|a| a.name.as_str()).collect();
        let index = names.iter().position(|known| *known == name);
        let index = index.unwrap_or_else(|| panic!("no {name} in {names:?}"));
        u16::try_from(index).unwrap()
    }

    /// Asks a deed, and waits for its answer.
    pub(crate) fn act(&mut self, actuator: &str, deed: Deed) -> Result<ActuatorState, DeedError> {
        let request = self.ask(actuator, deed, 20_000);
        self.acted = true;
        self.done(request)
    }

    pub(crate) fn ask(&mut self, actuator: &str, deed: Deed, deadline_ms: u32) -> u64 {
        self.requests += 1;
        let (request, actuator) = (self.requests, actuator.to_owned());
        self.say(&ToDriver::Act { request, actuator, deed, deadline_ms });
        request
    }

    pub(crate) fn done(&mut self, wanted: u64) -> Result<ActuatorState, DeedError> {
        loop {
            match self.next() {
                Some(FromDriver::Done { request, outcome }) if request == wanted => return outcome,
                Some(_) => {}
                None => panic!("the driver ended before it answered"),
            }
        }
    }

    /// Closes its input and waits for its end.
    pub(crate) fn leave(mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().unwrap()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn hear(mut output: ChildStdout, heard: &Sender<FromDriver>) {
    let mut decoder = Decoder::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = output.read(&mut buffer) {
        decoder.push(&buffer[..length]);
        while let Some(message) = decoder.next().unwrap() {
            if heard.send(message).is_err() {
                return;
            }
        }
    }
}
