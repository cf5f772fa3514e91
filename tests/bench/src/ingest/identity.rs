//! Identities of simulated agents, made fast: tokens by the dozen from the aggregator's command
//! line, enrolments over its own protocol, many at a time.

use super::frames::Frames;
use anyhow::{Context, Result, bail};
use flyball_harness::fleet::Fleet;
use flyball_protocol::frame;
use flyball_protocol::message::{ALPN, ALPN_ENROL, EnrolReply, EnrolRequest, Machine};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use tokio::task::JoinSet;

pub(crate) const SERVER_NAME: &str = "flyball-aggregator";
/// Enrolments at once.
const AT_ONCE: usize = 32;

/// What a simulated agent connects with.
#[derive(Clone)]
pub(crate) struct Identity(pub(crate) ClientConfig);

/// Enrols `count` machines more.
pub(crate) async fn mint(fleet: &Fleet, count: u32) -> Result<Vec<Identity>> {
    let server: SocketAddr = fleet.ready()?.ingest.parse()?;
    let mut tokens = tokens(fleet, count)?.into_iter().enumerate();
    let authority = std::fs::read(fleet.state().join("aggregator/authority/authority.der"))?;
    let authority = CertificateDer::from(authority);
    let endpoint = Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let enrolling = enrolling(&authority)?;
    let mut running = JoinSet::new();
    let mut identities = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((number, token)) = tokens.next()
        {
            let (endpoint, config) = (endpoint.clone(), enrolling.clone());
            running.spawn(enrol(endpoint, config, server, token, number, authority.clone()));
        }
        let Some(enrolled) = running.join_next().await else { break };
        identities.push(enrolled??);
    }
    Ok(identities)
}

fn tokens(fleet: &Fleet, count: u32) -> Result<Vec<String>> {
    let aggregator = std::fs::read_link(format!("/proc/{}/exe", fleet.pid("aggregator")?))?;
    let output = Command::new(aggregator)
        .args(["token", "--name", "load", "--ttl-s", "3600", "--count", &count.to_string()])
        .arg("--state")
        .arg(fleet.state().join("aggregator"))
        .output()?;
    if !output.status.success() {
        bail!("no tokens: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

async fn enrol(
    endpoint: Endpoint,
    config: ClientConfig,
    server: SocketAddr,
    token: String,
    number: usize,
    authority: CertificateDer<'static>,
) -> Result<Identity> {
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let csr = CertificateParams::default().serialize_request(&key)?.der().to_vec();
    let machine = machine(&format!("load-{number}"));
    let connection = endpoint.connect_with(config, server, SERVER_NAME)?.await?;
    let (mut up, down) = connection.open_bi().await?;
    up.write_all(&frame::encode(&EnrolRequest { token, csr, machine })?).await?;
    let certificate = match Frames::new(down).next::<EnrolReply>().await? {
        EnrolReply::Enrolled { certificate, .. } => CertificateDer::from(certificate),
        EnrolReply::Refused(why) => bail!("enrolment refused: {why:?}"),
    };
    connection.close(0_u32.into(), b"done");
    let key = PrivateKeyDer::try_from(key.serialize_der()).ok().context("no key")?;
    let mut tls = tls(&authority)?.with_client_auth_cert(vec![certificate], key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Identity(ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?))))
}

fn enrolling(authority: &CertificateDer<'static>) -> Result<ClientConfig> {
    let mut tls = tls(authority)?.with_no_client_auth();
    tls.alpn_protocols = vec![ALPN_ENROL.to_vec()];
    Ok(ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?)))
}

type Builder = rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>;

fn tls(authority: &CertificateDer<'static>) -> Result<Builder> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots))
}

pub(crate) fn machine(hostname: &str) -> Machine {
    Machine {
        hostname: hostname.into(),
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
    }
}
