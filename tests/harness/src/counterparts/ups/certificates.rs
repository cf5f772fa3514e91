//! The certificate of a server that was built on NSS, as Debian's upsd is: a database that
//! `certutil` makes.

use crate::counterparts::{CounterpartError, Program, write};
use std::path::Path;
use std::process::Command;

const TOOL: Program = Program::Debian { name: "certutil", package: "libnss3-tools" };
pub(super) const FOLDER: &str = "certificates";
const NAME: &str = "upsd";
const PASSWORD: &str = "database";

/// Makes the database with one certificate that signs itself; gives back what `upsd.conf` says.
pub(super) fn make(folder: &Path) -> Result<String, CounterpartError> {
    std::fs::create_dir(folder)
        .map_err(|source| CounterpartError::Write { path: folder.into(), source })?;
    let password = write(folder.join("password"), PASSWORD)?;
    // Keystrokes are what it takes for chance where it is given none.
    let noise = write(folder.join("noise"), &"no secret is kept by this key".repeat(8))?;
    let (password, noise) = (password.display().to_string(), noise.display().to_string());
    run(folder, &["-N", "-f", &password])?;
    run(
        folder,
        &[
            "-S",
            "-x",
            "-n",
            NAME,
            "-s",
            "CN=127.0.0.1",
            "-t",
            "CTu,CTu,CTu",
            "-k",
            "rsa",
            "-g",
            "2048",
            "-v",
            "2",
            "--extSAN",
            "ip:127.0.0.1",
            "-f",
            &password,
            "-z",
            &noise,
        ],
    )?;
    Ok(format!("CERTPATH {}\nCERTIDENT \"{NAME}\" \"{PASSWORD}\"\n", folder.display()))
}

/// The certificate (PEM).
pub(super) fn show(folder: &Path) -> Result<String, CounterpartError> {
    run(folder, &["-L", "-n", NAME, "-a"])
}

fn run(folder: &Path, arguments: &[&str]) -> Result<String, CounterpartError> {
    let program = TOOL.name();
    let output = Command::new(TOOL.file()?)
        .arg("-d")
        .arg(format!("sql:{}", folder.display()))
        .args(arguments)
        .output()
        .map_err(|source| CounterpartError::Start { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let what = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(CounterpartError::Answer { program, what })
}
