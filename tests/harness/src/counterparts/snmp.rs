//! An SNMP agent: snmpsim, which answers with a recorded walk of a real device.
//!
//! Columns that a manager writes are given to snmpsim's `writecache`, so that a set value is
//! read back. Nothing else of the walk moves.

use super::{CounterpartError, Program, Running, free_udp, port};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SNMPSIM: Program = Program::Python { name: "snmpsim-command-responder", package: "snmpsim" };
const PYTHON: Program = Program::Python { name: "python", package: "snmpsim-data" };
const SNMPGET: Program = Program::Debian { name: "snmpget", package: "snmp" };

/// A recorded device of PyPI's snmpsim-data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// A rack PDU with 16 switched outlets, metered by bank.
    Apc7902,
    /// A rack PDU with 24 outlets, each metered and switched.
    Apc8641,
    /// A rack PDU with 24 switched outlets.
    Apc8932,
    /// A three-phase UPS, which also speaks the standard UPS-MIB.
    Eaton93e,
}

impl Walk {
    /// Its file below snmpsim-data's folder.
    const fn file(self) -> &'static str {
        match self {
            Self::Apc7902 => "UPS/apc-7902b.snmprec",
            Self::Apc8641 => "UPS/apc-8641.snmprec",
            Self::Apc8932 => "UPS/apc-8932.snmprec",
            Self::Eaton93e => "UPS/eaton-93e-80.snmprec.bz2",
        }
    }
}

/// The columns of PowerNet-MIB that switch an outlet: sPDUOutletCtl, rPDUOutletControlOutletCommand,
/// rPDU2OutletSwitchedControlCommand. What is set there is read back there.
const WRITTEN: [&str; 3] = [
    "1.3.6.1.4.1.318.1.1.4.4.2.1.3.",
    "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.",
    "1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.",
];

/// The agent. It speaks v2c with the community [`SnmpAgent::COMMUNITY`], and v3 as
/// [`SnmpAgent::USER`] with SHA and AES-128.
#[derive(Debug)]
pub struct SnmpAgent {
    port: u16,
    process: Running,
    _folder: TempDir,
}

impl SnmpAgent {
    pub const COMMUNITY: &str = "pdu";
    pub const USER: &str = "simulator";
    pub const AUTHENTICATION_KEY: &str = "authentic";
    pub const PRIVACY_KEY: &str = "privately";

    /// # Errors
    /// Where snmpsim, its data or Debian's snmp is missing, or it does not get ready.
    pub fn start(walk: Walk) -> Result<Self, CounterpartError> {
        let text = read(walk)?;
        port::on_a_free_port(free_udp, |port| Self::on(port, &text))
    }

    fn on(port: u16, walk: &str) -> Result<Self, CounterpartError> {
        let folder = super::folder("snmp")?;
        let data = folder.path().join("data");
        let v3 = data.join("1.3.6.1.6.1.1.0");
        std::fs::create_dir_all(&v3)
            .map_err(|source| CounterpartError::Write { path: v3.clone(), source })?;
        super::write(data.join(format!("{}.snmprec", Self::COMMUNITY)), walk)?;
        let mut process = Running::start(SNMPSIM, folder.path().join("log"), |command| {
            command
                .arg(format!("--data-dir={}", data.display()))
                .arg(format!("--cache-dir={}", folder.path().join("cache").display()))
                .arg(format!("--agent-udpv4-endpoint=127.0.0.1:{port}"))
                .args(["--process-user=root", "--process-group=root"])
                .arg(format!("--v3-user={}", Self::USER))
                .args(["--v3-auth-proto=SHA", "--v3-priv-proto=AES"])
                .arg(format!("--v3-auth-key={}", Self::AUTHENTICATION_KEY))
                .arg(format!("--v3-priv-key={}", Self::PRIVACY_KEY));
        })?;
        let asks = SNMPGET.file()?;
        process.wait_until(|| answers(&asks, port))?;
        Ok(Self { port, process, _folder: folder })
    }

    /// `127.0.0.1:10161`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub const fn process(&self) -> &Running {
        &self.process
    }
}

fn answers(program: &Path, port: u16) -> bool {
    Command::new(program)
        .args(["-v2c", "-c", SnmpAgent::COMMUNITY, "-t", "0.5", "-r", "0"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("1.3.6.1.2.1.1.2.0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The walk's lines, those that are written marked for `writecache`.
fn read(walk: Walk) -> Result<String, CounterpartError> {
    let lines = python(&format!(
        "import bz2, os, snmpsim_data\n\
         path = os.path.join(os.path.dirname(snmpsim_data.__file__), 'data', '{}')\n\
         opener = bz2.open if path.endswith('.bz2') else open\n\
         print(opener(path, 'rt').read(), end='')",
        walk.file()
    ))?;
    let mut text = String::with_capacity(lines.len() + 4096);
    for line in lines.lines() {
        let written = WRITTEN.iter().any(|column| line.starts_with(column));
        match (written, line.split('|').collect::<Vec<_>>().as_slice()) {
            // Some are recorded as a simulation already: `2:numeric|min=1,max=2,initial=1`.
            (true, [oid, tag, value]) if !tag.contains(':') => {
                _ = writeln!(text, "{oid}|{tag}:writecache|value={value}");
            }
            _ => _ = writeln!(text, "{line}"),
        }
    }
    Ok(text)
}

fn python(script: &str) -> Result<String, CounterpartError> {
    let program: PathBuf = PYTHON.file()?;
    let output = Command::new(program)
        .args(["-c", script])
        .output()
        .map_err(|source| CounterpartError::Start { program: "python", source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let what = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CounterpartError::Answer { program: "python", what })
}
