//! Enrolment, once per machine: show the token to the aggregator whose authority it pins, get a
//! certificate for a key that was made here, and leave identity, guard's pin and settings on
//! disk. What could fail on this side is tried before the token is spent.

use crate::config::{ConfigError, Enrolment, ServerAddress, Settings, make_state};
use crate::identity::{
    EnrolmentToken, GuardPin, Identity, IdentityError, KeyRequest, PinFileError, RequestError,
    SERVER_NAME, TlsError, TokenError, enrolling_client,
};
use crate::uplink::endpoint::{self, Client, Way};
use crate::uplink::wire::{FrameReader, FrameWriter, WireError};
use crate::{files, machine};
use flyball_protocol::command::DeviceId;
use flyball_protocol::message::{EnrolRefusal, EnrolReply, EnrolRequest, close};
use rustls_pki_types::CertificateDer;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// From the first packet to the certificate.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("this machine is enrolled as device {device}; remove {path} to enrol it anew")]
    AlreadyEnrolled { device: String, path: PathBuf },
    #[error("{path} cannot be written, so the token was not used; mend that and try again")]
    NotWritable { path: PathBuf, source: io::Error },
    #[error("the aggregator at {server} cannot be reached")]
    Unreachable { server: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "{server} is not the aggregator that made this token: it does not present the authority \
         that the token pins"
    )]
    WrongAuthority { server: String },
    #[error("the aggregator at {server} did not answer within {} s", PATIENCE.as_secs())]
    Silent { server: String },
    #[error("the aggregator refused: {}", refusal(.0))]
    Refused(EnrolRefusal),
    #[error("the enrolment could not be made")]
    Local(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn refusal(refusal: &EnrolRefusal) -> String {
    match refusal {
        EnrolRefusal::UnknownToken => "it does not know this token".into(),
        EnrolRefusal::UsedToken => "this token was used already; make a new one".into(),
        EnrolRefusal::ExpiredToken => "this token has expired; make a new one".into(),
        EnrolRefusal::BadRequest(why) => why.clone(),
    }
}

macro_rules! local {
    ($($error:ty),*) => {
        $(impl From<$error> for EnrolError {
            fn from(error: $error) -> Self {
                Self::Local(Box::new(error))
            }
        })*
    };
}
local!(TokenError, RequestError, TlsError, IdentityError, PinFileError);

/// Enrols this machine and gives back its device id.
///
/// # Errors
/// Where anything stands against it; the token is spent only if the aggregator accepted it.
pub async fn enrol(enrolment: Enrolment) -> Result<DeviceId, EnrolError> {
    let token = EnrolmentToken::parse(&enrolment.token)?;
    make_state(&enrolment.state)?;
    refuse_second(&enrolment.state)?;
    check_writable(&Identity::path(&enrolment.state))?;
    if let Some(pin) = &enrolment.guard_pin {
        check_writable(pin)?;
    }

    let machine = machine::describe(enrolment.name.as_deref(), enrolment.simulated, None);
    let request = KeyRequest::make(&machine.hostname)?;
    let ask = EnrolRequest { token: token.text().to_owned(), csr: request.csr.clone(), machine };
    let (server, reply) = ask_any(&enrolment.servers, &token, &ask).await?;
    let device = take_reply(&enrolment, &server, &token, request, reply)?;
    tracing::info!(%device, server, state = %enrolment.state.display(), "enrolled");
    Ok(device)
}

fn refuse_second(state: &Path) -> Result<(), EnrolError> {
    match Identity::load(state) {
        Ok(identity) => Err(EnrolError::AlreadyEnrolled {
            device: identity.device.to_string(),
            path: Identity::path(state),
        }),
        Err(IdentityError::NotEnrolled { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn check_writable(path: &Path) -> Result<(), EnrolError> {
    files::check_writable(path)
        .map_err(|source| EnrolError::NotWritable { path: path.to_owned(), source })
}

/// Asks the first of `servers` that can be reached: the token is shown to no other then.
async fn ask_any(
    servers: &[ServerAddress],
    token: &EnrolmentToken,
    ask: &EnrolRequest,
) -> Result<(String, EnrolReply), EnrolError> {
    let mut last = EnrolError::Config(ConfigError::NoServer);
    for address in servers {
        let server = address.to_string();
        match tokio::time::timeout(PATIENCE, exchange(address, token, ask)).await {
            Ok(Err(error @ EnrolError::Unreachable { .. })) => last = error,
            Ok(reply) => return reply.map(|reply| (server, reply)),
            Err(_) => last = EnrolError::Silent { server },
        }
    }
    Err(last)
}

/// One stream, one message each way.
async fn exchange(
    address: &ServerAddress,
    token: &EnrolmentToken,
    ask: &EnrolRequest,
) -> Result<EnrolReply, EnrolError> {
    let server = address.to_string();
    let tls = enrolling_client(token)?;
    let client = Client::new(tls).map_err(TlsError::Suite)?;
    let connection =
        endpoint::connect(address, &client, SERVER_NAME, Way::Either).await.map_err(|error| {
            if error.is_distrust() {
                return EnrolError::WrongAuthority { server: server.clone() };
            }
            unreachable(&server, error)
        })?;
    let reply = ask_on(&connection, ask).await.map_err(|error| unreachable(&server, error))?;
    connection.close_and_drain(close::DONE, b"").await;
    Ok(reply)
}

fn unreachable<E>(server: &str, error: E) -> EnrolError
where
    E: std::error::Error + Send + Sync + 'static,
{
    EnrolError::Unreachable { server: server.to_owned(), source: Box::new(error) }
}

async fn ask_on(
    connection: &endpoint::Connected,
    ask: &EnrolRequest,
) -> Result<EnrolReply, WireError> {
    let (send, receive) = connection.open_bi().await.map_err(WireError::Connection)?;
    let mut writer = FrameWriter::new(send);
    writer.send(ask).await?;
    writer.finish();
    FrameReader::new(receive).next().await?.ok_or(WireError::Ended)
}

/// Checks what came against what was asked for, and leaves it on disk. The identity comes last:
/// where it is, the rest is.
fn take_reply(
    enrolment: &Enrolment,
    server: &str,
    token: &EnrolmentToken,
    request: KeyRequest,
    reply: EnrolReply,
) -> Result<DeviceId, EnrolError> {
    let (device, certificate, authority, command_key) = match reply {
        EnrolReply::Enrolled { device, certificate, authority, command_key } => {
            (device, certificate, authority, command_key)
        }
        EnrolReply::Refused(refusal) => return Err(EnrolError::Refused(refusal)),
    };
    if !token.pin().matches(&authority) {
        return Err(EnrolError::WrongAuthority { server: server.to_owned() });
    }
    let identity = Identity::new(
        request.key,
        CertificateDer::from(certificate),
        CertificateDer::from(authority),
    )?;
    if identity.device != device {
        return Err(IdentityError::Certificate("it names another device").into());
    }
    if let Some(path) = &enrolment.guard_pin {
        GuardPin::new(device, &command_key)?.save(path)?;
    }
    let settings = Settings {
        name: enrolment.name.clone(),
        servers: enrolment.servers.clone(),
        simulated: enrolment.simulated,
        seal_spool: enrolment.seal_spool,
    };
    settings.save(&enrolment.state)?;
    identity.save(&enrolment.state)?;
    Ok(device)
}

#[cfg(test)]
mod tests;
