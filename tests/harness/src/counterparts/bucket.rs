//! An object store that speaks S3: PyPI's moto, which checks no signature and forgets all when
//! it ends.

use super::{CounterpartError, Program, Running, free_tcp, port};
use tempfile::TempDir;

const MOTO: Program = Program::Python { name: "moto_server", package: "moto" };

/// The server, with one bucket.
#[derive(Debug)]
pub struct Bucket {
    port: u16,
    process: Running,
    _folder: TempDir,
}

impl Bucket {
    /// The bucket that is there from the start.
    pub const NAME: &str = "telemetry";

    /// # Errors
    /// Where moto is missing or does not get ready.
    pub fn start() -> Result<Self, CounterpartError> {
        port::on_a_free_port(free_tcp, Self::on)
    }

    fn on(port: u16) -> Result<Self, CounterpartError> {
        let folder = super::folder("bucket")?;
        let log = folder.path().join("log");
        let mut process = Running::start(MOTO, log, |command| {
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        })?;
        let url = format!("http://127.0.0.1:{port}/{}", Self::NAME);
        process.wait_until(|| ureq::put(&url).send_empty().is_ok())?;
        Ok(Self { port, process, _folder: folder })
    }

    /// `http://127.0.0.1:18000`, without a path.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }
}
