//! HTTP for plugins: a request to a granted host, to the very address that was checked.
//!
//! One connection for each request. Every redirect is checked as the first address was, and takes
//! along no secret of another host.

mod address;
mod names;
mod target;

use super::grant::{Grants, Reach};
use flyball_plugin_messages::{Failure, FailureKind, Fetch, Fetched};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use names::Names;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use target::{Target, TargetError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
const MAX_REDIRECTS: usize = 5;
const MAX_HEADERS: usize = 64;
const MAX_PATIENCE: Duration = Duration::from_secs(120);
/// What belongs to the connection is the agent's, not a plugin's.
const OWN: [HeaderName; 9] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    header::EXPECT,
];
/// What another host may be told as well.
const HARMLESS: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT, header::RANGE];

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("`{0}` is no method that a plugin may use")]
    Method(String),
    #[error("the address is none")]
    Target(#[from] TargetError),
    #[error("a header is none, or is the connection's own")]
    Header,
    #[error("`http:{0}:{1}` is not granted")]
    NotGranted(String, u16),
    #[error("{0} is at no public address, and is not granted by its name")]
    Private(String),
    #[error("{0} leads to this machine or its link; grant the very address where that is meant")]
    Near(String),
    #[error("the name {0} can't be resolved")]
    Resolve(String, #[source] io::Error),
    #[error("{0} can't be reached")]
    Connect(String, #[source] io::Error),
    #[error("{0} can't be trusted")]
    Tls(String, #[source] io::Error),
    #[error("the exchange with {0} broke")]
    Exchange(String, #[source] hyper::Error),
    #[error("its answer broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("its answer has more than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("it leads on more than {MAX_REDIRECTS} times")]
    Redirects,
    #[error("it did not answer within {0} ms")]
    Patience(u128),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let kind = match &error {
            FetchError::Method(_) | FetchError::Target(_) | FetchError::Header => {
                FailureKind::InvalidInput
            }
            FetchError::NotGranted(..) | FetchError::Private(_) | FetchError::Near(_) => {
                FailureKind::Denied
            }
            FetchError::TooLarge | FetchError::Redirects => FailureKind::Limit,
            FetchError::Resolve(..)
            | FetchError::Connect(..)
            | FetchError::Tls(..)
            | FetchError::Exchange(..)
            | FetchError::Body(_)
            | FetchError::Patience(_) => FailureKind::Upstream,
        };
        Self::new(kind, crate::logging::chain(&error).to_string())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Fetcher {
    tls: Arc<ClientConfig>,
    names: Names,
}

impl Fetcher {
    pub(super) const fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, names: Names::System }
    }

    /// What is at an address.
    ///
    /// # Errors
    /// Where it may not be asked, or does not answer as it should.
    pub(super) async fn fetch(&self, fetch: Fetch, grants: &Grants) -> Result<Fetched, FetchError> {
        let patience = Duration::from_millis(u64::from(fetch.timeout_ms)).min(MAX_PATIENCE);
        match tokio::time::timeout(patience, self.follow(fetch, grants)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Patience(patience.as_millis())),
        }
    }

    async fn follow(&self, fetch: Fetch, grants: &Grants) -> Result<Fetched, FetchError> {
        let method = method(&fetch.method)?;
        let mut headers = headers(&fetch.headers)?;
        let mut target = Target::parse(&fetch.url)?;
        let body = Bytes::from(fetch.body);
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.ask(&target, &method, &headers, body.clone(), grants).await?;
            match next(&method, &target, &answer)? {
                None => return fetched(answer).await,
                Some(next) => {
                    if next.authority() != target.authority() || target.tls && !next.tls {
                        headers = harmless(&headers);
                    }
                    target = next;
                }
            }
        }
        Err(FetchError::Redirects)
    }

    async fn ask(
        &self,
        target: &Target,
        method: &Method,
        headers: &HeaderMap,
        body: Bytes,
        grants: &Grants,
    ) -> Result<Response<hyper::body::Incoming>, FetchError> {
        let (host, port) = (target.host.as_str(), target.port);
        let reach =
            grants.http(host, port).ok_or_else(|| FetchError::NotGranted(host.to_owned(), port))?;
        // Asked once: the connection goes to what is checked here, whatever the name says next.
        let addresses = self.names.addresses(host, port).await;
        let addresses = addresses.map_err(|error| FetchError::Resolve(host.to_owned(), error))?;
        check(host, reach, &addresses)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.path.clone();
        *request.headers_mut() = headers.clone();
        let own = HeaderValue::from_str(&target.authority()).map_err(|_| FetchError::Header)?;
        request.headers_mut().insert(header::HOST, own);
        let stream = TcpStream::connect(&addresses[..])
            .await
            .map_err(|error| FetchError::Connect(host.to_owned(), error))?;
        if target.tls {
            let untrusted = |error| FetchError::Tls(host.to_owned(), error);
            let name = ServerName::try_from(host.to_owned())
                .map_err(|error| untrusted(io::Error::other(error)))?;
            let connector = TlsConnector::from(Arc::clone(&self.tls));
            let stream = connector.connect(name, stream).await.map_err(untrusted)?;
            exchange(stream, request, host).await
        } else {
            exchange(stream, request, host).await
        }
    }
}

/// One address that is refused spoils its name: nobody's honest name points at both.
fn check(host: &str, reach: Reach, addresses: &[SocketAddr]) -> Result<(), FetchError> {
    let mut addresses = addresses.iter().map(SocketAddr::ip);
    match reach {
        Reach::Public if !addresses.all(address::is_public) => {
            Err(FetchError::Private(host.to_owned()))
        }
        Reach::Public => Ok(()),
        // Who grants an address, or this machine, means it. Who grants another name means no part of
        // this machine, wherever whoever owns the name lets it lead.
        Reach::Named if host.parse::<IpAddr>().is_ok() || host == "localhost" => Ok(()),
        Reach::Named if addresses.any(address::is_near) => Err(FetchError::Near(host.to_owned())),
        Reach::Named => Ok(()),
    }
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    host: &str,
) -> Result<Response<hyper::body::Incoming>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |error| FetchError::Exchange(host.to_owned(), error);
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    // It ends with the answer's body: nobody keeps the sender.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a plugin's connection broke");
        }
    });
    sender.send_request(request).await.map_err(broke)
}

async fn fetched(answer: Response<hyper::body::Incoming>) -> Result<Fetched, FetchError> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { FetchError::TooLarge } else { FetchError::Body(error) }
    })?;
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    Ok(Fetched {
        status: head.status.as_u16(),
        headers: head.headers.iter().filter_map(pair).collect(),
        body: body.to_bytes().to_vec(),
    })
}

/// Where the answer leads on to. Only what changes nothing follows.
fn next(
    method: &Method,
    target: &Target,
    answer: &Response<hyper::body::Incoming>,
) -> Result<Option<Target>, FetchError> {
    let leads = matches!(
        answer.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let place = answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
    match place {
        Some(place) if leads && (method == Method::GET || method == Method::HEAD) => {
            Ok(Some(target.join(place)?))
        }
        _ => Ok(None),
    }
}

fn method(word: &str) -> Result<Method, FetchError> {
    match word {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => {
            Method::from_bytes(word.as_bytes()).map_err(|_| FetchError::Method(word.to_owned()))
        }
        other => Err(FetchError::Method(other.chars().take(20).collect())),
    }
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    if given.len() > MAX_HEADERS {
        return Err(FetchError::Header);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| FetchError::Header)?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| FetchError::Header)?;
        if OWN.contains(&name) {
            return Err(FetchError::Header);
        }
        headers.append(name, value);
    }
    let agent = concat!("flyball-agent/", env!("CARGO_PKG_VERSION"));
    headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(agent));
    Ok(headers)
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let stays = |(name, _): &(&HeaderName, &HeaderValue)| HARMLESS.contains(name);
    headers.iter().filter(stays).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests;
