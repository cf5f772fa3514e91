//! The two ways to a BMC: over LAN, with a credential, or in band, through the kernel's driver.

use super::presence;
use flyball_driver_messages::{Configuration, Fault, FaultKind, Login};
use std::process::Command;

/// An address that begins so is no host: the kernel's own line to the BMC of this very machine.
const IN_BAND: &str = "/dev/ipmi";
const PORT: &str = "623";
/// A request that is not answered is sent again so often, a second apart.
const RETRIES: &str = "3";

/// How the BMC is reached.
pub(super) enum Way {
    Lan(Lan),
    /// Through the kernel's driver, by the number of its device; it asks for no credential.
    InBand(String),
}

pub(super) struct Lan {
    host: String,
    port: String,
    login: Login,
    interface: String,
    cipher: Option<String>,
    privilege: Option<String>,
}

impl Way {
    /// # Errors
    /// Where the configuration names neither.
    pub(super) fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let address = &configuration.address;
        match address.strip_prefix(IN_BAND) {
            Some(number) if is_number(number) => Ok(Self::InBand(number.to_owned())),
            Some(_) => {
                let message = format!("`{address}` is no device; the first is {IN_BAND}0");
                Err(Fault::new(FaultKind::Misconfigured, message))
            }
            None => Ok(Self::Lan(Lan::new(configuration)?)),
        }
    }

    /// Adds to the tool's command where it goes.
    pub(super) fn tell(&self, command: &mut Command) {
        match self {
            Self::Lan(lan) => lan.tell(command),
            Self::InBand(number) => {
                command.args(["-I", "open", "-d", number]);
            }
        }
    }

    pub(super) fn place(&self) -> String {
        match self {
            Self::Lan(lan) => lan.host.clone(),
            Self::InBand(number) => format!("{IN_BAND}{number}"),
        }
    }

    /// Why there was no exchange at all; `None` where there was one.
    pub(super) fn why(&self, complained: &str) -> Option<Fault> {
        match self {
            Self::Lan(lan) => lan.why(complained),
            Self::InBand(_) => {
                let says = |words: &str| complained.contains(words);
                says("Could not open device").then(|| {
                    let message = format!(
                        "{} can't be opened: the kernel's ipmi_devintf and ipmi_si are not \
                         loaded, this is not root, or the machine has no BMC",
                        self.place()
                    );
                    Fault::new(FaultKind::Unreachable, message)
                })
            }
        }
    }
}

impl Lan {
    fn new(configuration: &Configuration) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::new(FaultKind::Misconfigured, message);
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
            host,
            port,
            login,
            interface: word("interface")?.unwrap_or_else(|| "lanplus".into()),
            cipher: word("cipher")?,
            privilege: word("privilege")?,
        })
    }

    fn tell(&self, command: &mut Command) {
        command.env("IPMI_PASSWORD", self.login.secret.expose());
        command.args(["-I", &self.interface, "-H", &self.host, "-p", &self.port]);
        command.args(["-U", &self.login.user, "-E", "-N", "1", "-R", RETRIES]);
        if let Some(cipher) = &self.cipher {
            command.args(["-C", cipher]);
        }
        if let Some(privilege) = &self.privilege {
            command.args(["-L", privilege]);
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

fn is_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_driver_messages::{DriverKind, Trust};

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
    fn a_device_of_the_kernel_is_in_band_and_needs_no_credential() {
        let way = |address: &str| {
            Way::new(&Configuration {
                key: "own".to_owned(),
                driver: DriverKind::Ipmi,
                address: address.to_owned(),
                login: None,
                trust: Trust::Unstated,
                poll_ms: 1000,
                timeout_ms: 1000,
                options: Vec::new(),
                points: Vec::new(),
            })
        };
        let mut command = Command::new("ipmitool");
        way("/dev/ipmi0").unwrap().tell(&mut command);
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-I", "open", "-d", "0"]);
        for bad in ["/dev/ipmi", "/dev/ipmi0/..", "/dev/ipmidev", "10.0.0.8"] {
            let fault = way(bad).err().unwrap();
            assert_eq!(fault.kind, FaultKind::Misconfigured, "{bad}: {fault:?}");
        }
    }
}
