//! A Redfish BMC: sushy-tools' emulator with its own power state machine.
//!
//! A reset answers 204 at once; the state follows seconds later. `Nmi` is advertised and
//! answers 501. Thermal readings are fixed.

use super::{CounterpartError, Program, Running, free_tcp, port};
use std::fmt::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;

const SUSHY: Program = Program::Python { name: "sushy-emulator", package: "sushy-tools" };

/// What can be chosen of it.
#[derive(Clone, Debug, Default)]
pub struct RedfishOptions {
    /// Certificate and key (PEM): it speaks HTTPS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// It takes only `admin` with the password `password`, by HTTP's basic scheme.
    pub password: bool,
    /// The address to listen on; one that is free where it is `None`.
    pub port: Option<u16>,
}

/// bcrypt of `password`.
const PASSWORDS: &str = "admin:$2b$04$nkgYP/4gU0DPcR.koAkSWuG3i9uJTaoWfnvIMvAbmnYfTOUXPD6AK\n";

/// The emulator, with two machines: `node-a`, which is off, and `node-b`, which is on.
#[derive(Debug)]
pub struct RedfishBmc {
    scheme: &'static str,
    port: u16,
    process: Running,
    _folder: TempDir,
}

impl RedfishBmc {
    /// The path segment of the machine that is off at the start.
    pub const NODE_A: &str = "48295861-2522-3561-6729-621118518810";
    /// The path segment of the machine that is on at the start.
    pub const NODE_B: &str = "48295861-2522-3561-6729-621118518811";

    /// # Errors
    /// Where sushy-tools is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        Self::with(&RedfishOptions::default())
    }

    /// # Errors
    /// Where sushy-tools is missing or does not get ready.
    pub fn with(options: &RedfishOptions) -> Result<Self, CounterpartError> {
        match options.port {
            Some(port) => Self::on(port, options),
            None => port::on_a_free_port(free_tcp, |port| Self::on(port, options)),
        }
    }

    fn on(port: u16, options: &RedfishOptions) -> Result<Self, CounterpartError> {
        let folder = super::folder("redfish")?;
        let mut text = settings(port, folder.path());
        if let Some((certificate, key)) = &options.tls {
            _ = writeln!(text, "SUSHY_EMULATOR_SSL_CERT = {certificate:?}");
            _ = writeln!(text, "SUSHY_EMULATOR_SSL_KEY = {key:?}");
        }
        if options.password {
            let file = super::write(folder.path().join("htpasswd"), PASSWORDS)?;
            _ = writeln!(text, "SUSHY_EMULATOR_AUTH_FILE = {file:?}");
        }
        let file = super::write(folder.path().join("emulator.conf"), &text)?;
        let log = folder.path().join("log");
        let mut process = Running::start(SUSHY, log, |command| {
            command.arg("--config").arg(file);
        })?;
        process.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        Ok(Self { scheme, port, process, _folder: folder })
    }

    /// `http://127.0.0.1:18000`, without a path.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }
}

fn settings(port: u16, folder: &std::path::Path) -> String {
    format!(
        "SUSHY_EMULATOR_LISTEN_IP = '127.0.0.1'
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_STATE_DIR = {folder:?}
SUSHY_EMULATOR_FAKE_SYSTEMS = [
  {{'uuid': '{}', 'name': 'node-a', 'power_state': 'Off',
    'nics': [{{'mac': '00:5c:52:31:3a:9c', 'address': '172.22.0.100'}}]}},
  {{'uuid': '{}', 'name': 'node-b', 'power_state': 'On', 'nics': []}},
]
",
        RedfishBmc::NODE_A,
        RedfishBmc::NODE_B
    )
}
