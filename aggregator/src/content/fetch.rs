//! Getting a file from an address that somebody names. A name can point anywhere, so every address
//! that it comes to is judged, those of redirects too.

use crate::resilience::chain;
use crate::webhooks::{Guard, GuardedResolver};
use std::io::Read;
use std::time::Duration;
use thiserror::Error;
use ureq::unversioned::transport::DefaultConnector;

const CONNECT: Duration = Duration::from_secs(5);
const MAX_REDIRECTS: u32 = 5;
const MAX_HEADERS: usize = 16 * 1024;
const MAX_URL: usize = 2_048;

#[derive(Debug, Error)]
pub enum FetchError {
    #[error(
        "an address begins with http:// or https://, names a host and no user, and has at most {MAX_URL} bytes"
    )]
    Form,
    #[error("the server answered {0}")]
    Status(u16),
    #[error("it has more than {0} bytes")]
    Size(usize),
    #[error("it can't be fetched: {0}")]
    Failed(String),
    #[error("fetching was stopped")]
    Stopped,
}

#[derive(Clone, Debug)]
pub(super) struct Fetcher(ureq::Agent);

impl Fetcher {
    pub(super) fn new(guard: Guard) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // Each is resolved by the guard once more.
            .max_redirects(MAX_REDIRECTS)
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(MAX_HEADERS)
            .user_agent(concat!("flyball/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = DefaultConnector::default();
        Self(ureq::Agent::with_parts(config, connector, GuardedResolver::new(guard)))
    }

    /// The body of what stands at `url`.
    ///
    /// # Errors
    /// Where the address is none, is not to be reached, or answers otherwise than with a body
    /// within the bound.
    pub(super) async fn get(
        &self,
        url: &str,
        max_bytes: usize,
        patience: Duration,
    ) -> Result<Vec<u8>, FetchError> {
        check(url)?;
        let (agent, url) = (self.0.clone(), url.to_owned());
        let work = tokio::task::spawn_blocking(move || read(&agent, &url, max_bytes, patience));
        work.await.map_err(|_| FetchError::Stopped)?
    }
}

fn read(
    agent: &ureq::Agent,
    url: &str,
    max_bytes: usize,
    patience: Duration,
) -> Result<Vec<u8>, FetchError> {
    let failed = |error: &(dyn std::error::Error + 'static)| FetchError::Failed(chain(error));
    let request = agent.get(url).config().timeout_global(Some(patience)).build();
    let mut answer = request.call().map_err(|error| failed(&error))?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(FetchError::Status(status));
    }
    let mut bytes = Vec::new();
    let limit = max_bytes as u64 + 1;
    let body = answer.body_mut().as_reader();
    body.take(limit).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() > max_bytes { Err(FetchError::Size(max_bytes)) } else { Ok(bytes) }
}

fn check(url: &str) -> Result<(), FetchError> {
    let strange = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if url.len() > MAX_URL || url.chars().any(strange) {
        return Err(FetchError::Form);
    }
    let uri: ureq::http::Uri = url.parse().map_err(|_| FetchError::Form)?;
    let authority = uri.authority().ok_or(FetchError::Form)?;
    let named = matches!(uri.scheme_str(), Some("http" | "https")) && !authority.host().is_empty();
    if named && !authority.as_str().contains('@') { Ok(()) } else { Err(FetchError::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{IpAddr, Ipv4Addr, TcpListener};

    const PATIENCE: Duration = Duration::from_secs(10);

    fn guard() -> Guard {
        Guard::new(&[ipnet::IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST))])
    }

    /// A server on loopback that gives each caller the same answer; its port.
    fn serving(answer: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(4) {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn a_file_is_fetched_up_to_its_bound() {
        let url = format!("http://127.0.0.1:{}/a", serving(ok("hello")));
        let fetcher = Fetcher::new(guard());
        assert_eq!(fetcher.get(&url, 5, PATIENCE).await.unwrap(), b"hello");
        assert!(matches!(fetcher.get(&url, 4, PATIENCE).await, Err(FetchError::Size(4))));
    }

    #[tokio::test]
    async fn what_is_not_public_is_not_reached_by_name_number_or_redirect() {
        let inner = serving(ok("secret"));
        let fetcher = Fetcher::new(Guard::default());
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let error = fetcher.get(&format!("http://{host}:{inner}/"), 99, PATIENCE).await;
            let error = error.unwrap_err().to_string();
            assert!(error.contains("may not be reached"), "{error}");
        }
        let onwards = serving(format!(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2:{inner}/\r\ncontent-length: 0\r\n\r\n"
        ));
        let fetcher = Fetcher::new(guard());
        let error = fetcher.get(&format!("http://127.0.0.1:{onwards}/"), 99, PATIENCE).await;
        assert!(error.unwrap_err().to_string().contains("127.0.0.2 may not be reached"));
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_before_anything_is_sent() {
        let fetcher = Fetcher::new(Guard::default());
        for url in
            ["file:///etc/passwd", "gopher://a/", "http://", "a", "http://u:p@a/", "http://a b/"]
        {
            assert!(matches!(fetcher.get(url, 9, PATIENCE).await, Err(FetchError::Form)), "{url}");
        }
    }
}
