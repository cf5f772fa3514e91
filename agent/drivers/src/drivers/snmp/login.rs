//! As whom a device is asked: a community, or a user with keys (RFC 3414, RFC 3826).

use flyball_driver_messages::{Configuration, Fault, FaultKind, Secret};
use snmp2::v3::{Auth, AuthProtocol, Cipher, KeyExtension, Security};

/// What agents are shipped with: it reads, and reads only.
const USUAL_COMMUNITY: &str = "public";
/// A passphrase of fewer characters is not taken by agents (RFC 3414, 11.2).
const SHORTEST_PASSPHRASE: usize = 8;

#[derive(Clone, Debug)]
pub(super) enum Identity {
    Community(Secret),
    User(User),
}

#[derive(Clone, Debug)]
pub(super) struct User {
    name: String,
    authentication: (AuthProtocol, Secret),
    privacy: Option<(Cipher, Secret)>,
    context: String,
}

impl Identity {
    /// # Errors
    /// Where the version, the protocols or the keys can't be.
    pub(super) fn of(configuration: &Configuration) -> Result<Self, Fault> {
        let option = |key| configuration.option(key);
        match (option("version").unwrap_or("2c"), &configuration.login) {
            ("2c", None) => Ok(Self::Community(Secret::new(USUAL_COMMUNITY.to_owned()))),
            ("2c", Some(login)) => Ok(Self::Community(login.secret.clone())),
            ("3", Some(login)) if !login.user.is_empty() => {
                // The privacy passphrase stands behind the other one and a space.
                let secret = login.secret.expose();
                let (authentic, private) = secret.split_once(' ').unwrap_or((secret, secret));
                if authentic.len().min(private.len()) < SHORTEST_PASSPHRASE {
                    return Err(wrong("a passphrase of SNMPv3 has eight characters or more"));
                }
                let authentication = authentication(option("authentication").unwrap_or("sha1"))?;
                let cipher = cipher(option("privacy").unwrap_or("aes128"))?;
                Ok(Self::User(User {
                    name: login.user.clone(),
                    authentication: (authentication, Secret::new(authentic.to_owned())),
                    privacy: cipher.map(|cipher| (cipher, Secret::new(private.to_owned()))),
                    context: option("context").unwrap_or_default().to_owned(),
                }))
            }
            ("3", _) => Err(wrong("SNMPv3 needs a user and its passphrases as a credential")),
            (other, _) => Err(wrong(&format!("`version` is 2c or 3, and not `{other}`"))),
        }
    }
}

impl User {
    pub(super) fn security(&self) -> Security {
        let (protocol, passphrase) = &self.authentication;
        let auth = match &self.privacy {
            Some((cipher, passphrase)) => Auth::AuthPriv {
                cipher: *cipher,
                privacy_password: passphrase.expose().as_bytes().to_vec(),
            },
            None => Auth::AuthNoPriv,
        };
        Security::new(self.name.as_bytes(), passphrase.expose().as_bytes())
            .with_auth_protocol(*protocol)
            .with_auth(auth)
            .with_key_extension_method(KeyExtension::Reeder)
            .with_context_name(&self.context)
    }
}

fn authentication(name: &str) -> Result<AuthProtocol, Fault> {
    Ok(match name {
        "md5" => AuthProtocol::Md5,
        "sha1" => AuthProtocol::Sha1,
        "sha256" => AuthProtocol::Sha256,
        "sha512" => AuthProtocol::Sha512,
        other => {
            let text = format!("`authentication` is sha1, sha256, sha512 or md5, not `{other}`");
            return Err(wrong(&text));
        }
    })
}

fn cipher(name: &str) -> Result<Option<Cipher>, Fault> {
    Ok(match name {
        "aes128" => Some(Cipher::Aes128),
        "aes256" => Some(Cipher::Aes256),
        "des" => Some(Cipher::Des),
        "none" => None,
        other => {
            let text = format!("`privacy` is aes128, aes256, des or none, not `{other}`");
            return Err(wrong(&text));
        }
    })
}

fn wrong(text: &str) -> Fault {
    Fault::new(FaultKind::Misconfigured, text)
}
