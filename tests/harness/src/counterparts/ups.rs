//! A UPS behind NUT: the driver `dummy-ups` with the server `upsd`.

mod certificates;

use super::{CounterpartError, Program, Running, free_tcp, port};
use crate::Clock;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;

const DRIVER: Program = Program::Debian { name: "dummy-ups", package: "nut-server" };
const SERVER: Program = Program::Debian { name: "upsd", package: "nut-server" };

/// How long the driver may take to say what it was set to.
const SETTLES: Duration = Duration::from_secs(5);

/// What a line-interactive UPS on mains says. `key: value` as dummy-ups reads it.
const ON_MAINS: &[(&str, &str)] = &[
    ("battery.charge", "100"),
    ("battery.charge.low", "20"),
    ("battery.charge.warning", "50"),
    ("battery.runtime", "3600"),
    ("battery.runtime.low", "120"),
    ("battery.temperature", "24.5"),
    ("battery.voltage", "27.4"),
    ("battery.voltage.nominal", "24.0"),
    ("device.mfr", "Example Power"),
    ("device.model", "Line 1000"),
    ("device.serial", "EP-000042"),
    ("device.type", "ups"),
    ("input.frequency", "50.0"),
    ("input.voltage", "229.5"),
    ("output.current", "0.80"),
    ("output.frequency", "50.0"),
    ("output.voltage", "230.0"),
    ("ups.firmware", "1.7"),
    ("ups.load", "18"),
    ("ups.mfr", "Example Power"),
    ("ups.model", "Line 1000"),
    ("ups.realpower", "165"),
    ("ups.realpower.nominal", "900"),
    ("ups.serial", "EP-000042"),
    ("ups.status", "OL"),
];

/// A UPS called `ups` and its server. `admin` with `secret` may set and command, `reader` with
/// `secret` may only look.
#[derive(Debug)]
pub struct Ups {
    port: u16,
    driver: Running,
    server: Running,
    folder: TempDir,
}

impl Ups {
    pub const NAME: &str = "ups";
    pub const USER: &str = "admin";
    pub const PASSWORD: &str = "secret";
    pub const READER: &str = "reader";

    /// A UPS on mains, charged.
    ///
    /// # Errors
    /// Where NUT is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        Self::of(&on_mains())
    }

    /// A UPS that says what `recording` says, line by line `key: value`.
    ///
    /// # Errors
    /// Where NUT is missing or does not get ready.
    pub fn of(recording: &str) -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_tcp, |port| Self::on(port, recording, false))
    }

    /// A UPS on mains whose server speaks TLS where it is asked to, with a certificate of its own
    /// for `127.0.0.1`.
    ///
    /// # Errors
    /// Where NUT or NSS's tools are missing or do not get ready.
    pub fn secured() -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_tcp, |port| Self::on(port, &on_mains(), true))
    }

    /// Of a secured one: its certificate (PEM).
    ///
    /// # Errors
    /// Where it has none.
    pub fn certificate(&self) -> Result<String, CounterpartError> {
        certificates::show(&self.folder.path().join(certificates::FOLDER))
    }

    fn on(port: u16, recording: &str, secured: bool) -> Result<Self, CounterpartError> {
        let folder = super::folder("nut")?;
        let here = folder.path();
        let source = super::write(here.join("ups.dev"), recording)?;
        let source = source.display();
        super::write(
            here.join("ups.conf"),
            &format!(
                "[ups]\n\tdriver = dummy-ups\n\tport = {source}\n\tmode = dummy-once\n\tpollinterval = 1\n\tdesc = \"UPS\"\n"
            ),
        )?;
        let mut settings = format!("LISTEN 127.0.0.1 {port}\nMAXAGE 15\n");
        if secured {
            settings.push_str(&certificates::make(&here.join(certificates::FOLDER))?);
        }
        super::write(here.join("upsd.conf"), &settings)?;
        super::write(
            here.join("upsd.users"),
            "[admin]\n\tpassword = secret\n\tactions = SET\n\tactions = FSD\n\tinstcmds = ALL\n\
             [primary]\n\tpassword = secret\n\tupsmon primary\n\
             [reader]\n\tpassword = secret\n",
        )?;
        super::write(here.join("nut.conf"), "MODE=netserver\n")?;
        let arrange = |command: &mut std::process::Command| {
            command.env("NUT_CONFPATH", here).env("NUT_STATEPATH", here).args(["-F", "-u", "root"]);
        };
        let mut driver = Running::start(DRIVER, here.join("driver.log"), |command| {
            arrange(command);
            command.args(["-a", "ups"]);
        })?;
        let socket = here.join("dummy-ups-ups");
        driver.wait_until(|| socket.exists())?;
        let mut server = Running::start(SERVER, here.join("upsd.log"), arrange)?;
        server.wait_until(|| {
            ask(port, &["GET VAR ups ups.status"]).is_ok_and(|answers| {
                // `WAIT` is upsd's own, until the driver has said something.
                answers.iter().any(|line| line.starts_with("VAR ") && !line.contains("WAIT"))
            })
        })?;
        Ok(Self { port, driver, server, folder })
    }

    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process that speaks to the UPS: stopped, its data become stale after 15 s.
    #[must_use]
    pub const fn driver(&self) -> &Running {
        &self.driver
    }

    #[must_use]
    pub const fn server(&self) -> &Running {
        &self.server
    }

    /// Sets what the UPS says, through NUT's own `SET VAR`; dummy-ups leaves some read-only
    /// (`ups.load`), which stay as they were recorded.
    ///
    /// # Errors
    /// Where the server refuses it.
    pub fn set(&self, variable: &str, value: &str) -> Result<(), CounterpartError> {
        let order = format!("SET VAR ups {variable} \"{value}\"");
        let answers = ask(self.port, &["USERNAME admin", "PASSWORD secret", &order]);
        let answers = answers.map_err(|error| answer(&order, &error.to_string()))?;
        match answers.last() {
            Some(line) if line.starts_with("OK") => self.wait_for(variable, value),
            line => Err(answer(&order, line.map_or("nothing", |line| line))),
        }
    }

    /// An `OK` says only that the order went to the driver.
    fn wait_for(&self, variable: &str, value: &str) -> Result<(), CounterpartError> {
        let question = format!("GET VAR ups {variable}");
        let clock = Clock::start();
        loop {
            let answers = ask(self.port, &[&question]);
            let answers = answers.map_err(|error| answer(&question, &error.to_string()))?;
            match answers.first() {
                Some(line) if line.contains(value) => return Ok(()),
                line if clock.elapsed() > SETTLES => {
                    return Err(answer(&question, line.map_or("nothing", |line| line)));
                }
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Sets `ups.status`, the tokens of its state: `OL`, `OB DISCHRG`, `OB LB`.
    ///
    /// # Errors
    /// Where the server refuses it.
    pub fn set_status(&self, tokens: &str) -> Result<(), CounterpartError> {
        self.set("ups.status", tokens)
    }

    /// Tells the server that the UPS is about to cut the load: the `FSD` token, which stays.
    ///
    /// # Errors
    /// Where the server refuses it.
    pub fn force_shutdown(&self) -> Result<(), CounterpartError> {
        let answers = ask(self.port, &["USERNAME primary", "PASSWORD secret", "FSD ups"]);
        match answers.map_err(|error| answer("FSD ups", &error.to_string()))?.last() {
            Some(line) if line.starts_with("OK") => Ok(()),
            line => Err(answer("FSD ups", line.map_or("nothing", |line| line))),
        }
    }
}

fn on_mains() -> String {
    let mut text = String::new();
    for (key, value) in ON_MAINS {
        _ = writeln!(text, "{key}: {value}");
    }
    text
}

fn answer(order: &str, what: &str) -> CounterpartError {
    CounterpartError::Answer { program: SERVER.name(), what: format!("{what} to {order}") }
}

/// Says each line and collects the first line of each answer.
fn ask(port: u16, lines: &[&str]) -> std::io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut heard = Vec::with_capacity(lines.len());
    for line in lines {
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        heard.push(answer.trim_end().to_owned());
    }
    Ok(heard)
}
