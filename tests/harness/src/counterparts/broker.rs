//! An MQTT broker: Mosquitto.

use super::{CounterpartError, Program, Running, free_tcp, port};
use std::net::TcpStream;
use tempfile::TempDir;

const MOSQUITTO: Program = Program::Debian { name: "mosquitto", package: "mosquitto" };

/// A broker that takes everybody.
#[derive(Debug)]
pub struct Broker {
    port: u16,
    process: Running,
    _folder: TempDir,
}

impl Broker {
    /// # Errors
    /// Where Mosquitto is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_tcp, Self::on)
    }

    fn on(port: u16) -> Result<Self, CounterpartError> {
        let folder = super::folder("mqtt")?;
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        let file = super::write(folder.path().join("mosquitto.conf"), &text)?;
        let mut process = Running::start(MOSQUITTO, folder.path().join("log"), |command| {
            command.arg("-c").arg(file);
        })?;
        process.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, process, _folder: folder })
    }

    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }
}
