//! TLS, QUIC and TCP settings of the agents' endpoint.

use crate::authority::{Authority, AuthorityError};
use flyball_link::Keeping;
use flyball_protocol::message::{ALPN, ALPN_ENROL};
use quinn::crypto::rustls::{NoInitialCipherSuite, QuicServerConfig};
use quinn::{
    ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout, ServerConfig,
    TransportConfig, VarInt,
};
use ring::hmac;
use rustls::RootCertStore;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Memory a connection is made of the streams that its peer may open.
const BIDIRECTIONAL_STREAMS: u32 = 8;
const UNIDIRECTIONAL_STREAMS: u32 = 4;
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const SEND_WINDOW_BYTES: u64 = 1024 * 1024;
const ID_BYTES: usize = 8;
/// A block every 10 s keeps a connection alive; the agent keeps it so where there is none.
const IDLE_TIMEOUT_MS: u32 = 45_000;
/// The agent asks for signs of life and is answered.
pub(super) const TCP_KEEPING: Keeping =
    Keeping { alive_every: None, silent_after: Duration::from_millis(IDLE_TIMEOUT_MS as u64) };

#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("making the server's certificate")]
    Authority(#[from] AuthorityError),
    #[error("setting up TLS")]
    Tls(#[from] rustls::Error),
    #[error("setting up the verification of agents")]
    Verifier(#[from] VerifierBuilderError),
    #[error("setting up QUIC")]
    Quic(#[from] NoInitialCipherSuite),
}

/// Agents show a certificate of the authority; who shows none may only enrol. No tickets: a
/// resumed handshake would show no certificate to check again.
pub(super) fn tls_config(
    authority: &Authority,
    address: IpAddr,
    now_ms: u64,
) -> Result<Arc<rustls::ServerConfig>, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate_der().clone())?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let identity = authority.server_identity(address, now_ms)?;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)?;
    tls.alpn_protocols = vec![ALPN.to_vec(), ALPN_ENROL.to_vec()];
    tls.send_tls13_tickets = 0;
    Ok(Arc::new(tls))
}

pub(super) fn quic_config(tls: Arc<rustls::ServerConfig>) -> Result<ServerConfig, TransportError> {
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    Ok(config)
}

/// Resets that outlive the process: an agent whose connection went with the
/// process before learns it from its next packet, not from its idle timeout.
pub(super) fn endpoint_config(authority: &Authority) -> EndpointConfig {
    let secret = authority.endpoint_secret();
    let reset_key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut config = EndpointConfig::new(Arc::new(reset_key));
    config.cid_generator(|| Box::new(RandomIds));
    config
}

/// Ids that carry no mark of the process that made them: quinn's own generator would take those
/// of the process before for noise, and not answer them with a reset.
#[derive(Debug)]
struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&Uuid::new_v4().into_bytes()[..ID_BYTES])
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(BIDIRECTIONAL_STREAMS.into())
        .max_concurrent_uni_streams(UNIDIRECTIONAL_STREAMS.into())
        .stream_receive_window(STREAM_WINDOW_BYTES.into())
        .receive_window(CONNECTION_WINDOW_BYTES.into())
        .send_window(SEND_WINDOW_BYTES)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))));
    transport
}
