//! `ipmitool` as a bounded child: one process an exchange, its password in its environment and
//! nowhere else, its time and its words limited.

use super::presence;
use flyball_driver_messages::{Configuration, Fault, FaultKind, Login};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const PLACES: [&str; 3] = ["/usr/bin/ipmitool", "/usr/sbin/ipmitool", "/usr/local/bin/ipmitool"];
/// More words of one exchange are not read.
const MAX_WORDS_BYTES: u64 = 256 * 1024;
/// A request that is not answered is sent again so often, a second apart.
const RETRIES: &str = "3";
const STEP: Duration = Duration::from_millis(5);
const PORT: &str = "623";

pub(super) struct Tool {
    program: PathBuf,
    host: String,
    port: String,
    login: Login,
    interface: String,
    cipher: Option<String>,
    privilege: Option<String>,
}

/// What it said.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) said: String,
    pub(super) complained: String,
    pub(super) succeeded: bool,
}

impl Tool {
    /// # Errors
    /// Where the configuration can't work.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::new(FaultKind::Misconfigured, message);
        let named = configuration.option("program").map(PathBuf::from);
        let program = match named {
            Some(program) if program.is_absolute() => Some(program),
            Some(_) => None,
            None => PLACES.map(PathBuf::from).into_iter().find(|program| program.is_file()),
        };
        let program = program.filter(|program| program.is_file()).ok_or_else(|| {
            wrong("ipmitool is not installed; install it, or name its file in `program`".into())
        })?;
        let (host, port) = split(&configuration.address)
            .ok_or_else(|| wrong(format!("`{}` is no host:port", configuration.address)))?;
        let login = configuration
            .login
            .clone()
            .ok_or_else(|| wrong("IPMI needs a credential with a user and a password".into()))?;
        let word = |key: &str| -> Result<Option<String>, Fault> {
            let value = configuration.option(key).map(str::to_owned);
            match value {
                Some(value) if !is_word(&value) => Err(wrong(format!("`{key}` is no plain word"))),
                value => Ok(value),
            }
        };
        Ok(Self {
            program,
            host,
            port,
            login,
            interface: word("interface")?.unwrap_or_else(|| "lanplus".into()),
            cipher: word("cipher")?,
            privilege: word("privilege")?,
        })
    }

    /// Runs `commands`, one a line, in one session, within `most`. DCMI's only alone: among
    /// others the tool takes what stood on an earlier line for their arguments.
    ///
    /// # Errors
    /// Where it can't be run, doesn't end, or the BMC does not take the session.
    pub(super) fn run(&self, commands: &str, most: Duration) -> Result<Words, Fault> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("IPMI_PASSWORD", self.login.secret.expose()).current_dir("/");
        command.args(["-I", &self.interface, "-H", &self.host, "-p", &self.port]);
        command.args(["-U", &self.login.user, "-E", "-N", "1", "-R", RETRIES]);
        if let Some(cipher) = &self.cipher {
            command.args(["-C", cipher]);
        }
        if let Some(privilege) = &self.privilege {
            command.args(["-L", privilege]);
        }
        command.arg("-c");
        match commands.trim_end().split_once('\n') {
            Some(_) => command.args(["exec", "/dev/stdin"]),
            None => command.args(commands.split_whitespace()),
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            let message = format!("{} can't be started: {error}", self.program.display());
            Fault::new(FaultKind::Misconfigured, message)
        })?;
        let words = converse(child, commands, most).map_err(|cause| {
            let first = commands.lines().next().unwrap_or_default();
            let kind = FaultKind::TimedOut;
            Fault::new(kind, format!("`{first}` at {} {cause}", self.host))
        })?;
        match words.succeeded {
            false => self.why(&words.complained).map_or(Ok(words), Err),
            true => Ok(words),
        }
    }

    /// Why there was no session at all; `None` where there was one. The tool says the same of a
    /// wrong password and of a cut cable, so the BMC is asked whether it is there.
    fn why(&self, complained: &str) -> Option<Fault> {
        let says = |words: &str| complained.contains(words);
        if !(says("Unable to establish") || says("Could not open socket") || says("lookup failed"))
        {
            return None;
        }
        let there = presence::answers(&self.host, &self.port);
        let host = &self.host;
        Some(if there {
            let message = format!(
                "{host} answers and takes no session: the user, the password, the privilege or \
                 the cipher suite is not its own, or it has no session left"
            );
            Fault::new(FaultKind::Denied, message)
        } else {
            let last = complained.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let message = format!("{host} gives no IPMI session and no sign of life: {last}");
            Fault::new(FaultKind::Unreachable, message)
        })
    }
}

/// Writes, reads both outputs, and ends the child where it takes too long or says too much.
fn converse(mut child: Child, commands: &str, most: Duration) -> Result<Words, String> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let said = thread::spawn(move || output.map(read).unwrap_or_default());
    let complained = thread::spawn(move || errors.map(read).unwrap_or_default());
    if let Some(mut input) = input {
        // One that has ended already says why on its other outputs.
        let _ = input.write_all(commands.as_bytes());
    }
    let mut waited = Duration::ZERO;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if waited < most => {
                thread::sleep(STEP);
                waited += STEP;
            }
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_none() {
        // Ended already is ended too; either way it is reaped.
        let _ = child.kill();
        let _ = child.wait();
    }
    let (said, complained) = (said.join(), complained.join());
    let (Some(status), Ok(said), Ok(complained)) = (status, said, complained) else {
        return Err(format!("did not end within {} ms", most.as_millis()));
    };
    Ok(Words { said, complained, succeeded: status.success() })
}

fn read(output: impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is what there is; beyond the bound the child meets a closed
    // pipe.
    let _ = output.take(MAX_WORDS_BYTES).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `host`, `host:port`, `[v6]:port`.
fn split(address: &str) -> Option<(String, String)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':').unwrap_or(PORT))
        }
        None => address.rsplit_once(':').unwrap_or((address, PORT)),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let is_host = !host.is_empty()
        && host.len() <= 255
        && host.chars().all(plain)
        && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    (is_host && port.parse::<u16>().is_ok()).then(|| (host.to_owned(), port.to_owned()))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let pair = |host: &str, port: &str| Some((host.to_owned(), port.to_owned()));
        assert_eq!(split("10.0.0.8"), pair("10.0.0.8", "623"));
        assert_eq!(split("bmc.example.org:6230"), pair("bmc.example.org", "6230"));
        assert_eq!(split("[fe80::1]:623"), pair("fe80::1", "623"));
        for bad in ["", "-oProxy", "a b", "host:port", "host;id"] {
            assert_eq!(split(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_child_that_does_not_end_is_ended() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo begun; exec /bin/sleep 60"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let error = converse(child, "", Duration::from_millis(200)).unwrap_err();
        assert!(error.contains("200 ms"), "{error}");
    }

    #[test]
    fn words_without_an_end_are_cut() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec /usr/bin/yes"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let words = converse(child, "", Duration::from_secs(30)).unwrap();
        assert_eq!(words.said.len() as u64, MAX_WORDS_BYTES);
        assert!(!words.succeeded);
    }
}
