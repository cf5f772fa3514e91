//! Requests to a provider: one at a time and bounded, behind its breaker. Whom they go to stands in
//! the configuration, or in the provider's own description of itself.

use crate::clock::Clock;
use crate::resilience::{Circuits, Outside};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

/// One request, from the name to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(4);
const MAX_ANSWER: u64 = 512 * 1024;
const MAX_HEADERS: usize = 32 * 1024;
/// Requests to one provider at the same time; more wait for their turn.
const AT_ONCE: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it has failed too often and is left alone for a while")]
    Spared { until_ms: u64 },
    #[error("it can't be reached")]
    Unreachable(#[source] Box<ureq::Error>),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is no JSON object")]
    NotJson,
    #[error("the request was cut off")]
    CutOff,
}

/// What proves that it is this server that asks.
#[derive(Debug)]
pub(super) enum Proof {
    Nothing,
    Basic { user: String, password: Zeroizing<String> },
    Bearer(Zeroizing<String>),
}

#[derive(Debug)]
pub(super) enum Ask {
    Get,
    Post(Vec<(&'static str, Zeroizing<String>)>),
}

#[derive(Clone, Debug)]
pub(super) struct Http {
    agent: ureq::Agent,
    circuits: Circuits,
    clock: Clock,
    turns: Arc<Semaphore>,
}

impl Http {
    /// `authorities`: PEM of those that are trusted instead of the public ones; `None` where it
    /// holds none.
    pub(super) fn new(
        authorities: Option<&[u8]>,
        circuits: Circuits,
        clock: Clock,
    ) -> Option<Self> {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = authorities {
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates(pem)?));
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // A secret or a code goes where it was meant to go and no further.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_HEADERS)
            .user_agent(concat!("flyball/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Some(Self { agent: config.into(), circuits, clock, turns })
    }

    /// The JSON object at `url`.
    pub(super) async fn get(&self, url: &str, proof: Proof) -> Result<Value, FetchError> {
        match self.ask(url, Ask::Get, proof).await? {
            (200, Some(value)) => Ok(value),
            (200, None) => Err(FetchError::NotJson),
            (status, _) => Err(FetchError::Status(status)),
        }
    }

    /// Any answer but a failure: its status, and the JSON object where it is one.
    pub(super) async fn ask(
        &self,
        url: &str,
        ask: Ask,
        proof: Proof,
    ) -> Result<(u16, Option<Value>), FetchError> {
        let _turn = self.turns.acquire().await.map_err(|_| FetchError::CutOff)?;
        let target = target(url);
        let shut = self.circuits.ask(Outside::Identity, &target, self.clock.now_ms());
        if let Err(shut) = shut {
            return Err(FetchError::Spared { until_ms: shut.until_ms });
        }
        let (agent, url) = (self.agent.clone(), url.to_owned());
        let sent = tokio::task::spawn_blocking(move || send(&agent, &url, ask, &proof)).await;
        let answer = sent.unwrap_or(Err(FetchError::CutOff));
        let now_ms = self.clock.now_ms();
        match &answer {
            Ok(_) => self.circuits.succeeded(Outside::Identity, &target, now_ms),
            Err(_) => self.circuits.failed(Outside::Identity, &target, now_ms),
        }
        answer
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<Certificate<'static>>> {
    let items: Result<Vec<_>, _> = parse_pem(pem).collect();
    let certificates = items.ok()?.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    (!certificates.is_empty()).then_some(certificates)
}

/// The thread is blocked meanwhile.
fn send(
    agent: &ureq::Agent,
    url: &str,
    ask: Ask,
    proof: &Proof,
) -> Result<(u16, Option<Value>), FetchError> {
    let authorization = proof.header();
    let answer = match ask {
        Ask::Get => {
            let mut request = agent.get(url).header("accept", "application/json");
            if let Some(text) = &authorization {
                request = request.header("authorization", text.as_str());
            }
            request.call()
        }
        Ask::Post(form) => {
            let mut request = agent.post(url).header("accept", "application/json");
            if let Some(text) = &authorization {
                request = request.header("authorization", text.as_str());
            }
            request.send_form(form.iter().map(|(name, value)| (*name, value.as_str())))
        }
    };
    let answer = answer.map_err(|error| FetchError::Unreachable(Box::new(error)))?;
    read(answer)
}

fn read(mut answer: Response<ureq::Body>) -> Result<(u16, Option<Value>), FetchError> {
    let status = answer.status().as_u16();
    if status >= 500 || status == 429 {
        return Err(FetchError::Status(status));
    }
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    let text = text.map_err(|error| FetchError::Unreachable(Box::new(error)))?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    Ok((status, value.filter(Value::is_object)))
}

impl Proof {
    fn header(&self) -> Option<Zeroizing<String>> {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        match self {
            Self::Nothing => None,
            Self::Bearer(token) => Some(Zeroizing::new(format!("Bearer {}", token.as_str()))),
            Self::Basic { user, password } => {
                // RFC 6749, section 2.3.1: each part is form-encoded first.
                let encode = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = Zeroizing::new(format!("{}:{}", encode(user), encode(password)));
                Some(Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
            }
        }
    }
}

/// Host and port: what has a breaker of its own.
fn target(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    uri.and_then(|uri| uri.authority().map(ToString::to_string)).unwrap_or_default()
}
