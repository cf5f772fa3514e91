//! One simulated agent: it speaks the protocol and keeps a bounded window of unacknowledged
//! entries.

use super::workload;
use anyhow::{Context, Result, bail};
use flyball_protocol::entry::Entry;
use flyball_protocol::frame::{self, Decoder};
use flyball_protocol::message::{
    ALPN, CURRENT_VERSION, ControlDown, ControlUp, Hello, LaneDown, LaneUp, MIN_VERSION, Machine,
    StreamKind,
};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint, RecvStream};
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::sync::Arc;

const WINDOW: usize = 32;

pub(crate) struct Agent {
    server: SocketAddr,
    config: ClientConfig,
}

impl Agent {
    /// An agent of an identity file: key, certificate, authority.
    pub(crate) fn new(server: SocketAddr, identity: &str) -> Result<Self> {
        let key = PrivateKeyDer::from_pem_slice(identity.as_bytes())?;
        let mut certificates = CertificateDer::pem_slice_iter(identity.as_bytes());
        let own = certificates.next().context("no certificate")??;
        let authority = certificates.next().context("no authority")??;
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![own], key)?;
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        Ok(Self { server, config })
    }

    /// Sends every entry and returns when the last one is acknowledged.
    pub(crate) async fn send_all(self, entries: Arc<Vec<Entry>>) -> Result<()> {
        let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let connection =
            endpoint.connect_with(self.config, self.server, "flyball-aggregator")?.await?;
        let (mut control, control_down) = connection.open_bi().await?;
        control.write_all(&[StreamKind::Control as u8]).await?;
        control.write_all(&frame::encode(&ControlUp::Hello(hello(entries.len())))?).await?;
        let mut control_down = Frames::new(control_down);
        match control_down.next::<ControlDown>().await? {
            ControlDown::Welcome { .. } => {}
            other => bail!("no welcome: {other:?}"),
        }
        let (mut up, down) = connection.open_bi().await?;
        let mut down = Frames::new(down);
        up.write_all(&[StreamKind::Fresh as u8]).await?;
        up.write_all(&frame::encode(&LaneUp::Series(workload::definitions()))?).await?;
        let mut sent = 0;
        // An acknowledgement may repeat what an earlier one said.
        let mut committed = Ranges::new();
        let mut acknowledged = 0;
        while acknowledged < entries.len() {
            while sent < entries.len() && sent - acknowledged < WINDOW {
                up.write_all(&frame::encode(&LaneUp::Entry(entries[sent].clone()))?).await?;
                sent += 1;
            }
            let LaneDown::Ack(ranges) = down.next().await?;
            committed.merge(&ranges);
            acknowledged = usize::try_from(committed.count())?;
        }
        connection.close(0_u32.into(), b"done");
        endpoint.wait_idle().await;
        Ok(())
    }
}

fn hello(entries: usize) -> Hello {
    Hello {
        min_version: MIN_VERSION,
        max_version: CURRENT_VERSION,
        epoch: Epoch(1),
        next_seq: Seq(entries as u64 + 1),
        machine: Machine {
            hostname: "load".into(),
            os: "generated".into(),
            kernel: String::new(),
            arch: String::new(),
            vendor: None,
            product: None,
            serial: None,
            cpus: 1,
            memory_bytes: 0,
            simulated: true,
            agent_version: env!("CARGO_PKG_VERSION").into(),
        },
        guard_attached: false,
    }
}

/// Whole messages of a stream.
struct Frames {
    stream: RecvStream,
    decoder: Decoder,
}

impl Frames {
    fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    async fn next<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let length = self.stream.read(&mut buffer).await?.context("the stream ended")?;
            self.decoder.push(&buffer[..length]);
        }
    }
}
