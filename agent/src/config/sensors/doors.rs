//! The doors that readings come through: a broker, and a listener of the agent's own.

use super::tls::TlsTable;
use super::{Faults, Secret, ServerAddress, Tls};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub(crate) struct Mqtt {
    pub(crate) broker: ServerAddress,
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) tls: Option<Tls>,
}

#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    pub(crate) token: Option<Secret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MqttTable {
    broker: ServerAddress,
    username: Option<String>,
    password_file: Option<PathBuf>,
    tls: Option<TlsTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpTable {
    listen: SocketAddr,
    token_file: Option<PathBuf>,
}

impl MqttTable {
    pub(super) fn check(self, faults: &mut Faults) -> Mqtt {
        let password = self.password_file.and_then(|path| faults.secret("mqtt", &path));
        let login = match (self.username, password) {
            (Some(username), password) => {
                Some((username, password.unwrap_or_else(|| Secret(String::new()))))
            }
            (None, Some(_)) => {
                faults.say("[mqtt]: a password_file needs a username".into());
                None
            }
            (None, None) => None,
        };
        let tls = self.tls.and_then(|table| table.check("mqtt.tls", faults));
        Mqtt { broker: self.broker, login, tls }
    }
}

impl HttpTable {
    pub(super) fn check(self, faults: &mut Faults) -> Http {
        let given = self.token_file.is_some();
        let token = self.token_file.and_then(|path| faults.secret("http", &path));
        if !given && !self.listen.ip().is_loopback() {
            faults.say(format!(
                "[http]: others reach {}; give a token_file, or listen on 127.0.0.1",
                self.listen
            ));
        }
        Http { listen: self.listen, token }
    }
}
